//! Performing a write: who asks, request id, acting for, the answer, the audit.
//!
//! In scope: what all writing methods have in common. Out of scope: what each asks for
//! ([`super::case_command`]).

use tonic::{Request, Status};

use super::audit_line;
use super::caller::{Called, called};
use super::case_command::WriteRequest;
use super::case_read;
use super::case_service::CaseApi;
use super::words;
use crate::api::request::{Command, Request as Asked, Written};
use crate::audit::Deed;
use crate::limits::REQUEST_ID_BYTES_MAX;
use crate::trust::spiffe::Role;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::status::Refused;

/// What a write leaves behind.
pub(super) struct Done {
    /// The case afterwards.
    pub case: Option<pb::Case>,
    /// Where the write stands.
    pub receipt: Option<pb::WriteReceipt>,
}

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

impl CaseApi {
    /// Reads the command out of a request, and writes it.
    pub(super) async fn perform<T: WriteRequest>(
        &self,
        request: Request<T>,
        method: &'static str,
        command: impl FnOnce(&Self, &T) -> Result<Command, Refused>,
    ) -> Result<Done, Status> {
        let who = called(self.door(), &request, method).map_err(|status| *status)?;
        let asked = request.into_inner();
        let mut deed = audit_line::deed(&self.node, &who, method, asked.resource());
        let asked = self.asked(&who, &asked, command).and_then(|asked| {
            // Its caller's place at the gate is free again once he gives up; this one is not.
            Ok((asked, self.writes.begin()?))
        });
        let (api, language) = (self.clone(), who.language);
        // In a task of its own: a caller who gives up stops neither the write nor its audit line.
        let done = tokio::spawn(async move {
            // Held until the line is noted: a stop waits for it.
            let (done, _under_way) = match asked {
                Ok((asked, place)) => (api.write(&who, asked, &mut deed).await, Some(place)),
                Err(refused) => (Err(refused), None),
            };
            deed.outcome = done.as_ref().err().map_or("OK", Refused::reason);
            api.audit.note(deed);
            done
        });
        let done = done.await.unwrap_or_else(|_| Err(Refused::new("STOPPING")));
        done.map_err(|refused| refused.status(language))
    }

    /// A request with what all have in common read.
    fn asked<T: WriteRequest>(
        &self,
        who: &Called,
        asked: &T,
        command: impl FnOnce(&Self, &T) -> Result<Command, Refused>,
    ) -> Result<Asked, Refused> {
        check_request_id(asked.request_id())?;
        let acting_for = asked.acting_for().map(read::acting_for).transpose()?;
        if acting_for.is_some() && who.role != Role::System {
            return Err(Refused::new("ACTING_FOR_NOT_ALLOWED").at("acting_for"));
        }
        let command = command(self, asked)?;
        let is_move = matches!(command, Command::MoveCase { .. });
        if who.role == Role::System && acting_for.is_none() && is_move {
            return Err(Refused::new("ACTING_FOR_REQUIRED").at("acting_for"));
        }
        Ok(Asked {
            caller: who.caller.clone(),
            acting_for,
            request_id: asked.request_id().to_owned(),
            body: asked.body(),
            validate_only: asked.validate_only(),
            command,
        })
    }

    async fn write(&self, who: &Called, asked: Asked, deed: &mut Deed) -> Result<Done, Refused> {
        deed.acting_for.clone_from(&asked.acting_for);
        let case = words::case_of(&asked.command);
        let only_checked = asked.validate_only;
        let written = self.node.write(asked).await;
        let written =
            written.map_err(|error| words::refusal(&self.node, who.language, case, &error))?;
        if only_checked && !written.replayed {
            return Ok(Done { case: None, receipt: None });
        }
        deed.entry = Some(written.position.to_string());
        if let Some(subject) = written.subject {
            deed.name = read::name_of(written.agreement, subject);
        }
        Ok(self.done(written))
    }

    fn done(&self, written: Written) -> Done {
        let subject = written.subject;
        Done {
            case: subject.and_then(|s| case_read::read(&self.node, written.agreement, s)),
            receipt: Some(pb::WriteReceipt {
                entry: written.position.to_string(),
                replayed: written.replayed,
            }),
        }
    }
}
