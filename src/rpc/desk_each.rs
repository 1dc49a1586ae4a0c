//! One request that writes in several agreements: a command for each, one after the other.
//!
//! In scope: what makes that safe to repeat. Out of scope: which agreements they are
//! ([`super::unit_service`]), one command ([`super::desk`]).
//!
//! Nothing is written in two logs at once. Each command has a request id that is made of the one of
//! the request and its agreement; so whoever sends the request again after a crash in between is
//! answered with what was written, and the rest is written.
//! (`a_block_that_was_cut_in_between_is_completed_by_sending_it_again`)

use tonic::{Request, Status};

use super::audit_line;
use super::caller::{Called, called};
use super::desk::{Desk, NameOf, WriteRequest, asked_of};
use crate::api::request::{Command, Request as Asked, Written};
use crate::audit::Deed;
use crate::ids::{AgreementId, hex};
use crate::log::merkle::digest;
use crate::wire::status::Refused;

/// The request id of the command of an agreement.
fn derived(request_id: &str, agreement: AgreementId) -> String {
    let text = [b"liandong/each\0", request_id.as_bytes(), b"\0", agreement.as_bytes()].concat();
    format!("each-{}", hex(digest(&text).as_bytes().get(..16).unwrap_or_default()))
}

impl Desk {
    /// Reads the commands out of a request, and writes one after the other; at most one an
    /// agreement. Those behind one that is refused are not written.
    pub(super) async fn perform_each<T: WriteRequest>(
        &self,
        request: Request<T>,
        method: &'static str,
        name_of: NameOf,
        commands: impl FnOnce(&T) -> Result<Vec<Command>, Refused>,
    ) -> Result<Vec<Written>, Status> {
        let who = called(self.door(), &request, method).map_err(|status| *status)?;
        let asked = request.into_inner();
        let deed = audit_line::deed(&self.node, &who, method, asked.resource());
        let one = |command: Command| {
            let agreement = command.agreement();
            let (mut one, _) = asked_of(&who, (method, &asked), |_| Ok((command, None)))?;
            one.request_id = derived(&one.request_id, agreement);
            Ok(one)
        };
        let all: Result<Vec<Asked>, Refused> =
            commands(&asked).and_then(|all| all.into_iter().map(one).collect());
        // Its caller's place at the gate is free again once he gives up; this one is not.
        let all = all.and_then(|all| Ok((all, self.writes.begin()?)));
        let (desk, language) = (self.clone(), who.language);
        // In a task of its own: a caller who gives up stops neither the writes nor their lines.
        let done = tokio::spawn(async move {
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
        let mut written = Vec::with_capacity(all.len());
        for (nth, one) in all.into_iter().enumerate() {
            let mut line = deed.clone();
            let done = self.write(who, (one, None), name_of, &mut line).await;
            line.outcome = done.as_ref().err().map_or("OK", Refused::reason);
            self.audit.note(line);
            match done {
                Ok(one) => written.extend(one),
                // Beside the agreement asked for: this node does not write there, so nobody there
                // hears anything of this city.
                Err(refused) if nth > 0 && refused.reason() == "NO_LOG" => {}
                Err(refused) => return Err(refused),
            }
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_agreement_has_its_own_request_id_and_always_the_same() {
        let agreement = |n| AgreementId::new([n; 16]);
        let one = derived("a", agreement(1));
        assert_eq!(one, derived("a", agreement(1)));
        assert_eq!(one.len(), 37);
        assert_ne!(one, derived("a", agreement(2)));
        assert_ne!(one, derived("b", agreement(1)));
    }
}
