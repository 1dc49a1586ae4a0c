//! The desk every write passes: who asks, request id, acting for, the audit.
//!
//! In scope: what all writing methods of all services have in common. Out of scope: what each asks
//! for, and what it answers with.

use tonic::{Request, Status};

use super::audit_line;
use super::caller::{Called, called};
use super::under_way::WritesUnderWay;
use super::words;
use crate::api::plan::{PlanAsked, PlanSaid};
use crate::api::request::{Command, Repetition, Request as Asked, WriteError, Written};
use crate::audit::{Audit, Deed};
use crate::domain::{CaseContribution, EvidenceAct, MeetingAct, NoticeAct, ReferralAct};
use crate::ids::{AgreementId, SubjectId};
use crate::limits::REQUEST_ID_BYTES_MAX;
use crate::node::writer::NodeHandle;
use crate::trust::spiffe::Role;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::status::{self, Refused, Told};

/// A request that writes: it can be told from another, and names whom a system acts for.
pub trait WriteRequest: prost::Message {
    /// Unique per caller.
    fn request_id(&self) -> &str;
    /// The officer a system acts for.
    fn acting_for(&self) -> Option<&pb::ActingFor>;
    /// The agreement or record it is about, as it was given.
    fn resource(&self) -> &str;
    /// Check and write nothing.
    fn validate_only(&self) -> bool {
        false
    }
    /// The bytes by which a repetition is told from another request: those of the write itself,
    /// also while it is only checked.
    fn body(&self) -> Vec<u8>
    where
        Self: Sized,
    {
        read::request_body(self)
    }
}

/// Says of requests that they write, and which field names what they are about.
macro_rules! writes {
    ($resource:ident: $($request:ident)*) => {$(
        impl $crate::rpc::desk::WriteRequest for pb::$request {
            fn request_id(&self) -> &str {
                &self.request_id
            }

            fn acting_for(&self) -> Option<&pb::ActingFor> {
                self.acting_for.as_ref()
            }

            fn resource(&self) -> &str {
                &self.$resource
            }
        }
    )*};
}
pub(super) use writes;

/// Checks a request id.
///
/// # Errors
/// `REQUEST_ID`.
pub(super) fn check_request_id(id: &str) -> Result<(), Refused> {
    let printable = id.bytes().all(|b| b.is_ascii_graphic());
    if id.is_empty() || id.len() > REQUEST_ID_BYTES_MAX || !printable {
        return Err(Refused::new("REQUEST_ID").at("request_id"));
    }
    Ok(())
}

/// What writing needs.
#[derive(Clone)]
pub struct Desk {
    /// The node.
    pub node: NodeHandle,
    /// Where deeds are noted.
    pub audit: Audit,
    /// Writes under way, of callers who have given up too.
    pub writes: WritesUnderWay,
}

/// How a service calls its records.
pub(super) type NameOf = fn(AgreementId, SubjectId) -> String;

impl Desk {
    /// What a caller passes first.
    pub(super) fn door(&self) -> (&NodeHandle, &Audit) {
        (&self.node, &self.audit)
    }

    /// Reads the command out of a request, and writes it; nothing when it was only checked. Of a
    /// request that is sent again no command may come any more, because what it was made of has
    /// changed: it has its first answer all the same.
    /// (`a_plan_that_is_proposed_again_has_its_first_answer_whatever_became_of_its_sites`)
    pub(super) async fn perform<T: WriteRequest>(
        &self,
        request: Request<T>,
        method: &'static str,
        name_of: NameOf,
        command: impl FnOnce(&T) -> Result<Command, Refused>,
    ) -> Result<Option<Written>, Status> {
        let who = called(self.door(), &request, method).map_err(|status| *status)?;
        let asked = request.into_inner();
        let mut deed = audit_line::deed(&self.node, &who, method, asked.resource());
        let asked = asked_of(&who, (method, &asked), command)
            // Its caller's place at the gate is free again once he gives up; this one is not.
            .and_then(|asked| Ok((asked, self.writes.begin()?)));
        let (desk, language) = (self.clone(), who.language);
        // In a task of its own: a caller who gives up stops neither the write nor its audit line.
        let done = tokio::spawn(async move {
            // Held until the line is noted: a stop waits for it.
            let (done, _under_way) = match asked {
                Ok((asked, place)) => {
                    (desk.answer(&who, asked, name_of, &mut deed).await, Some(place))
                }
                Err(refused) => (Err(refused), None),
            };
            deed.outcome = done.as_ref().err().map_or("OK", Refused::reason);
            desk.audit.note(deed);
            done
        });
        let done = done.await.unwrap_or_else(|_| Err(Refused::new("STOPPING")));
        done.map_err(|refused| refused.status(language))
    }

    async fn answer(
        &self,
        who: &Called,
        asking: Asking,
        name_of: NameOf,
        deed: &mut Deed,
    ) -> Result<Option<Written>, Refused> {
        let (again, refused) = match asking {
            Asking::Now(asked) => return self.write(who, asked, name_of, deed).await,
            Asking::Again { again, acting_for, refused } => {
                deed.acting_for = acting_for;
                (again, refused)
            }
        };
        match self.node.first_answer(again).await {
            Ok(written) if written.replayed => {
                noted(deed, written, name_of);
                Ok(Some(written))
            }
            // They say nothing of the command: it was another one, or nobody can tell now.
            Err(
                error @ (WriteError::IdempotencyMismatch { .. } | WriteError::StorageFailed { .. }),
            ) => {
                let city = |city| words::city_name(&self.node, city);
                let (language, record) = (who.language, &status::short_id);
                Err(status::of_write(&error, &Told { language, city: &city, record, allowed: &[] }))
            }
            Ok(_) | Err(_) => Err(refused),
        }
    }

    pub(super) async fn write(
        &self,
        who: &Called,
        asked: Asked,
        name_of: NameOf,
        deed: &mut Deed,
    ) -> Result<Option<Written>, Refused> {
        deed.acting_for.clone_from(&asked.acting_for);
        let about = (asked.command.agreement(), words::case_of(&asked.command));
        let only_checked = asked.validate_only;
        let written = self.node.write(asked).await;
        let written =
            written.map_err(|error| words::refusal(&self.node, who.language, about, &error))?;
        if only_checked && !written.replayed {
            return Ok(None);
        }
        noted(deed, written, name_of);
        Ok(Some(written))
    }
}

/// What comes of a request.
pub(super) enum Asking {
    /// A command.
    Now(Asked),
    /// None, unless it is sent again.
    Again {
        /// How it is told from another request.
        again: Repetition,
        /// The officer a system acts for.
        acting_for: Option<String>,
        /// Why not.
        refused: Refused,
    },
}

fn noted(deed: &mut Deed, written: Written, name_of: NameOf) {
    deed.entry = Some(written.position.to_string());
    if let Some(subject) = written.subject {
        deed.name = name_of(written.agreement, subject);
    }
}

/// Where a write stands.
pub(super) fn receipt(written: Written) -> pb::WriteReceipt {
    pb::WriteReceipt { entry: written.position.to_string(), replayed: written.replayed }
}

/// A request with what all have in common read.
pub(super) fn asked_of<T: WriteRequest>(
    who: &Called,
    (method, asked): (&'static str, &T),
    command: impl FnOnce(&T) -> Result<Command, Refused>,
) -> Result<Asking, Refused> {
    check_request_id(asked.request_id())?;
    let acting_for = asked.acting_for().map(read::acting_for).transpose()?;
    if acting_for.is_some() && who.role != Role::System {
        return Err(Refused::new("ACTING_FOR_NOT_ALLOWED").at("acting_for"));
    }
    let (caller, request_id) = (who.caller.clone(), asked.request_id().to_owned());
    // Requests of two methods may have the same fields.
    let body = [method.as_bytes(), b"\0", &asked.body()].concat();
    let command = match command(asked) {
        Ok(command) => command,
        Err(refused) => {
            let again = Repetition { identity: caller.identity, request_id, body };
            return Ok(Asking::Again { again, acting_for, refused });
        }
    };
    if who.role == Role::System && acting_for.is_none() && is_a_persons(&command) {
        return Err(Refused::new("ACTING_FOR_REQUIRED").at("acting_for"));
    }
    let validate_only = asked.validate_only();
    Ok(Asking::Now(Asked { caller, acting_for, request_id, body, validate_only, command }))
}

/// What a system does for a person only: moves, acknowledging (签收) or ending (解除) a notice,
/// agreeing to minutes, recognising evidence (证据互认) or not, referring a case to the police,
/// moving a plan and answering one.
const fn is_a_persons(command: &Command) -> bool {
    match command {
        Command::MoveCase { .. } => true,
        Command::ActOnNotice { act, .. } => {
            matches!(act, NoticeAct::Acknowledged | NoticeAct::Ended)
        }
        Command::ActOnMeeting { act, .. } => matches!(act, MeetingAct::MinutesConfirmed { .. }),
        Command::Contribute { contribution: CaseContribution::Evidence { act, .. }, .. } => {
            matches!(act, EvidenceAct::Recognised | EvidenceAct::Declined { .. })
        }
        Command::Contribute { contribution: CaseContribution::Referral(act), .. } => {
            matches!(act, ReferralAct::Referred { .. })
        }
        Command::Plan { ask, .. } => match &ask.what {
            PlanAsked::Move { .. } => true,
            PlanAsked::Say { word, .. } => matches!(word, PlanSaid::Answer(_)),
            PlanAsked::Open { .. } => false,
        },
        Command::OpenCase { .. }
        | Command::CallMeeting { .. }
        | Command::RegisterUnit { .. }
        | Command::ChangeUnit { .. }
        | Command::BookUnit { .. }
        | Command::Contribute { .. }
        | Command::IssueNotice { .. }
        | Command::RegisterSite { .. }
        | Command::ActOnSite { .. }
        | Command::ErasePart { .. }
        | Command::OverrideRecovery { .. } => false,
    }
}
