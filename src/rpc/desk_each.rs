//! One request that writes in several agreements: a command for each, one after the other.
//!
//! In scope: what makes that safe to repeat. Out of scope: which agreements they are
//! ([`super::unit_service`]), one command ([`super::desk`]).
//!
//! Nothing is written in two logs at once. The first command has the request id of the request,
//! each other one an id made of it and of what it is about. So whoever sends the request again
//! after a crash in between is answered with what was written, and the rest is written; and an id
//! that is used again for another request is refused before anything is written.
//! (`a_block_that_was_cut_in_between_is_completed_by_sending_it_again`)
//!
//! Requests of this kind are written one after the other: two at the same time would leave one
//! order in one agreement and the other order in another. What remains: a request that was cut, and
//! is sent again after somebody else said otherwise in between, is newer than that where it was
//! missing, and older where it was written.

use std::sync::Arc;

use tokio::sync::Mutex;
use tonic::{Request, Status};

use super::audit_line;
use super::caller::{Called, called};
use super::desk::{Asking, Desk, NameOf, WriteRequest, asked_of};
use crate::api::request::{Command, Request as Asked, Written};
use crate::audit::Deed;
use crate::ids::{AgreementId, SubjectId, hex};
use crate::log::merkle::digest;
use crate::wire::status::Refused;

/// Whose turn it is to write in several agreements.
pub(super) type Turn = Arc<Mutex<()>>;

/// A command, and the own record it is about when there may be several in its agreement.
pub(super) type About = (Command, Option<SubjectId>);

/// The request id of a command behind the first one.
fn derived(request_id: &str, agreement: AgreementId, about: Option<SubjectId>) -> String {
    let about = about.map_or([0; 16], |id| *id.as_bytes());
    let text = [b"liandong/each\0", request_id.as_bytes(), b"\0", agreement.as_bytes(), &about];
    format!("each-{}", hex(digest(&text.concat()).as_bytes().get(..16).unwrap_or_default()))
}

/// What came of commands so far.
#[derive(Default)]
struct Outcome {
    begun: bool,
    written: Vec<Written>,
    refused: Option<Refused>,
}

impl Outcome {
    /// Takes what came of the next command; says whether those behind it are to be written. When
    /// the one that was asked for is refused, none is; any other stops nothing.
    fn take(&mut self, done: Result<Option<Written>, Refused>) -> bool {
        let first = !std::mem::replace(&mut self.begun, true);
        match done {
            Ok(written) => self.written.extend(written),
            // This node does not write there, so nobody there hears anything of this city; or what
            // it is about counts there no more.
            Err(refused) if !first && ["NO_LOG", "UNIT_RETIRED"].contains(&refused.reason()) => {}
            Err(refused) => {
                self.refused.get_or_insert(refused);
                return !first;
            }
        }
        true
    }

    fn end(self) -> Result<Vec<Written>, Refused> {
        self.refused.map_or(Ok(self.written), Err)
    }
}

impl Desk {
    /// Reads the commands out of a request, and writes one after the other, the one asked for
    /// first. The first refusal is the answer; those behind it are written all the same, unless it
    /// was the one asked for that was refused.
    pub(super) async fn perform_each<T: WriteRequest>(
        &self,
        request: Request<T>,
        (method, turn): (&'static str, &Turn),
        name_of: NameOf,
        commands: impl FnOnce(&T) -> Result<Vec<About>, Refused>,
    ) -> Result<Vec<Written>, Status> {
        let who = called(self.door(), &request, method).map_err(|status| *status)?;
        let asked = request.into_inner();
        let deed = audit_line::deed(&self.node, &who, method, asked.resource());
        let turn = Arc::clone(turn).lock_owned().await;
        let one = |(nth, (command, about)): (usize, About)| {
            let agreement = command.agreement();
            let mut one = match asked_of(&who, (method, &asked), |_| Ok(command))? {
                Asking::Now(one) => one,
                Asking::Again { refused, .. } => return Err(refused),
            };
            if nth > 0 {
                one.request_id = derived(&one.request_id, agreement, about);
            }
            Ok(one)
        };
        let all: Result<Vec<Asked>, Refused> =
            commands(&asked).and_then(|all| all.into_iter().enumerate().map(one).collect());
        // Its caller's place at the gate is free again once he gives up; this one is not.
        let all = all.and_then(|all| Ok((all, self.writes.begin()?)));
        let (desk, language) = (self.clone(), who.language);
        // In a task of its own: a caller who gives up stops neither the writes nor their lines.
        let done = tokio::spawn(async move {
            let _turn = turn;
            match all {
                Ok((all, _under_way)) => desk.write_each(&who, all, name_of, &deed).await,
                Err(refused) => {
                    desk.audit.note(Deed { outcome: refused.reason(), ..deed });
                    Err(refused)
                }
            }
        });
        let done = done.await.unwrap_or_else(|_| Err(Refused::new("STOPPING")));
        done.map_err(|refused| refused.status(language))
    }

    async fn write_each(
        &self,
        who: &Called,
        all: Vec<Asked>,
        name_of: NameOf,
        deed: &Deed,
    ) -> Result<Vec<Written>, Refused> {
        let mut outcome = Outcome::default();
        for one in all {
            let mut line = deed.clone();
            let done = self.write(who, one, name_of, &mut line).await;
            line.outcome = done.as_ref().err().map_or("OK", Refused::reason);
            self.audit.note(line);
            if !outcome.take(done) {
                break;
            }
        }
        outcome.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{LogId, Position};

    fn agreement(n: u8) -> AgreementId {
        AgreementId::new([n; 16])
    }

    #[test]
    fn each_agreement_has_its_own_request_id_and_always_the_same() {
        let subject = |n| Some(SubjectId::new([n; 16]));
        let one = derived("a", agreement(1), subject(1));
        assert_eq!(one, derived("a", agreement(1), subject(1)));
        assert_eq!(one.len(), 37);
        for other in [
            derived("a", agreement(2), subject(1)),
            derived("b", agreement(1), subject(1)),
            derived("a", agreement(1), subject(2)),
            derived("a", agreement(1), None),
        ] {
            assert_ne!(one, other);
        }
    }

    /// What is written of commands that come to these reasons, "" being written; and the answer.
    fn came(reasons: &[&'static str]) -> (usize, Vec<u8>, &'static str) {
        let (mut outcome, mut tried) = (Outcome::default(), 0);
        for (n, reason) in (0..).zip(reasons) {
            let at = Position { log: LogId::new([n; 32]), index: 0 };
            let agreement = agreement(n);
            let written = Written { agreement, subject: None, position: at, replayed: false };
            tried += 1;
            let done =
                if reason.is_empty() { Ok(Some(written)) } else { Err(Refused::new(reason)) };
            if !outcome.take(done) {
                break;
            }
        }
        let written = outcome.written.iter().map(|one| one.agreement.as_bytes()[0]).collect();
        (tried, written, outcome.end().err().map_or("", |refused| refused.reason()))
    }

    #[test]
    fn one_agreement_that_refuses_stops_no_other() {
        for (reasons, want) in [
            (&["", "", ""][..], (3, vec![0, 1, 2], "")),
            // Retired in the one in the middle.
            (&["", "UNIT_RETIRED", ""], (3, vec![0, 2], "")),
            (&["", "NO_LOG", ""], (3, vec![0, 2], "")),
            (&["", "EPOCH_NEEDED", "", "RECOVERING"], (4, vec![0, 2], "EPOCH_NEEDED")),
            // What was asked for: an id that was used for another request, a bad period.
            (&["IDEMPOTENCY_MISMATCH", "", ""], (1, vec![], "IDEMPOTENCY_MISMATCH")),
            (&["UNIT_RETIRED", ""], (1, vec![], "UNIT_RETIRED")),
            (&["NO_LOG", ""], (1, vec![], "NO_LOG")),
        ] {
            assert_eq!(came(reasons), want, "{reasons:?}");
        }
    }
}
