//! Performing a write: who asks, request id, acting for, the answer.
//!
//! In scope: what all writing methods have in common. Out of scope: what each asks for
//! ([`super::case_command`]).

use tonic::{Request, Status};

use super::caller::{Called, called};
use super::case_command::WriteRequest;
use super::case_read;
use super::case_service::CaseApi;
use crate::api::request::{Command, Request as Asked, Written};
use crate::trust::spiffe::Role;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::status::{self, Refused, Told};

/// Longest request id, bytes.
const REQUEST_ID_MAX: usize = 64;

/// What a write leaves behind.
pub(super) struct Done {
    /// The case afterwards.
    pub case: Option<pb::Case>,
    /// Where the write stands.
    pub receipt: Option<pb::WriteReceipt>,
}

impl CaseApi {
    /// Reads the command out of a request, and writes it.
    pub(super) async fn perform<T: WriteRequest>(
        &self,
        request: Request<T>,
        method: &str,
        command: impl FnOnce(&Self, &T) -> Result<Command, Refused>,
    ) -> Result<Done, Status> {
        let who = called(&request, method).map_err(|status| *status)?;
        let asked = request.into_inner();
        let done = match command(self, &asked) {
            Ok(command) => self.write(&who, &asked, command).await,
            Err(refused) => Err(refused),
        };
        done.map_err(|refused| refused.status(who.language))
    }

    async fn write(
        &self,
        who: &Called,
        asked: &impl WriteRequest,
        command: Command,
    ) -> Result<Done, Refused> {
        let id = asked.request_id();
        let printable = id.bytes().all(|b| b.is_ascii_graphic());
        if id.is_empty() || id.len() > REQUEST_ID_MAX || !printable {
            return Err(Refused::new("REQUEST_ID").at("request_id"));
        }
        let acting_for = asked.acting_for().map(|a| a.certificate_number.clone());
        let acting_for = acting_for.filter(|c| !c.is_empty());
        if who.role == Role::System
            && acting_for.is_none()
            && matches!(command, Command::MoveCase { .. })
        {
            return Err(Refused::new("ACTING_FOR_REQUIRED").at("acting_for"));
        }
        let asked = Asked {
            caller: who.caller.clone(),
            acting_for,
            request_id: id.to_owned(),
            body: read::request_body(asked),
            command,
        };
        let node = self.node.clone();
        // In a task of its own: a caller who gives up does not stop a write half-way.
        let written = tokio::spawn(async move { node.write(asked).await }).await;
        let written = written.map_err(|_| Refused::new("STOPPING"))?;
        let written = written.map_err(|error| {
            let told = Told { language: who.language, city: &status::code_name, allowed: &[] };
            status::of_write(&error, &told)
        })?;
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
