//! Performing a write to a case, and the answer to it.

use tonic::{Request, Status};

use super::case_read;
use super::case_service::CaseApi;
use super::desk::{self, Desk, WriteRequest};
use crate::api::request::{Command, Written};
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

impl CaseApi {
    /// Reads the command out of a request, and writes it.
    pub(super) async fn perform<T: WriteRequest>(
        &self,
        request: Request<T>,
        method: &'static str,
        command: impl FnOnce(&Self, &T) -> Result<Command, Refused>,
    ) -> Result<Done, Status> {
        let (node, audit, writes) = (self.node.clone(), self.audit.clone(), self.writes.clone());
        let desk = Desk { node, audit, writes };
        let command = |asked: &T| command(self, asked);
        let written = desk.perform(request, method, read::name_of, command).await?;
        let case = |w: Written| case_read::read(&self.node, w.agreement, w.subject?);
        Ok(Done { case: written.and_then(case), receipt: written.map(desk::receipt) })
    }
}
