//! Assigning a case to somebody of the own city (`AssignCase`).
//!
//! In scope: what the texts may be, the answer. Out of scope: keeping it
//! ([`crate::node::assigned`]).
//!
//! Whoever replaces an assignment quotes its etag, so that of two coordinators who assign a case at
//! once one is told of the other.
//!
//! The remark is told to nobody but the own city's people and systems: it is in no entry, and the
//! audit names the case only.

use super::audit_line;
use super::caller::Called;
use super::case_read;
use super::case_service::CaseApi;
use super::desk::check_request_id;
use super::node_service::order_refused;
use crate::api::order::Assignment;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::status::Refused;

impl CaseApi {
    /// Assigns, in a task of its own: a caller who gives up does not stop it half-way.
    pub(super) async fn assign(
        &self,
        who: Called,
        asked: pb::AssignCaseRequest,
    ) -> Result<pb::AssignCaseResponse, Refused> {
        let api = self.clone();
        let done = tokio::spawn(async move {
            let method = "/liandong.v1.CaseService/AssignCase";
            let mut deed = audit_line::deed(&api.node, &who, method, &asked.name);
            let assigned = api.assigned(&who, &asked).await;
            deed.outcome = assigned.as_ref().err().map_or("OK", Refused::reason);
            api.audit.note(deed);
            assigned
        });
        done.await.unwrap_or(Err(Refused::new("STOPPING")))
    }

    async fn assigned(
        &self,
        who: &Called,
        asked: &pb::AssignCaseRequest,
    ) -> Result<pb::AssignCaseResponse, Refused> {
        check_request_id(&asked.request_id)?;
        let case = read::case_name(&asked.name)?;
        let assignment = Assignment {
            assignee: read::assignee(&asked.assignee)?,
            remark: read::remark(&asked.remark)?,
            at_ms: self.node.now_ms(),
            by: who.caller.identity.clone(),
        };
        let assigned = self.node.assign(case, assignment, asked.etag.clone()).await;
        assigned.map_err(|error| order_refused(&error))?;
        let (node, (agreement, subject)) = (self.node.clone(), case);
        let read =
            tokio::task::spawn_blocking(move || case_read::read_at(&node, agreement, subject));
        let (case, _) = read.await.map_err(|_| Refused::new("STOPPING"))??;
        Ok(pb::AssignCaseResponse { case: Some(case) })
    }
}
