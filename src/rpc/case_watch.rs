//! Watching cases.
//!
//! In scope: which changes a watcher of cases is sent. Out of scope: following ([`super::watch`]).

use super::audit_line::AuditLine;
use super::caller::Called;
use super::case_read;
use super::case_service::CaseApi;
use super::cursor;
use super::watch::{self, Look, Source};
use crate::ids::AgreementId;
use crate::node::writer::NodeHandle;
use crate::view::FeedEntry;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::status::Refused;

/// Changes of cases.
pub type Changes = watch::Changes<pb::WatchCasesResponse>;

impl CaseApi {
    /// Starts a watch.
    pub(super) fn watch(
        &self,
        who: Called,
        asked: &pb::WatchCasesRequest,
    ) -> Result<Changes, Refused> {
        let method = "/liandong.v1.CaseService/WatchCases";
        let line = AuditLine::new(self.door(), &who, method, &asked.parent);
        match self.begin(asked) {
            Ok((only, from)) => {
                let cases = Cases { node: self.node.clone(), only };
                Ok(watch::start(self.node.clone(), who, line, cases, from))
            }
            Err(refused) => {
                line.end::<()>(&Err(refused.clone()));
                Err(refused)
            }
        }
    }

    fn begin(&self, asked: &pb::WatchCasesRequest) -> Result<(Option<AgreementId>, u64), Refused> {
        let only = read::parent(&asked.parent)?;
        if only.is_some_and(|id| self.node.book().get(id).is_none()) {
            return Err(Refused::new("NOT_FOUND"));
        }
        Ok((only, cursor::read(&self.node, &asked.cursor)?))
    }
}

/// Cases of one agreement or of all.
struct Cases {
    node: NodeHandle,
    only: Option<AgreementId>,
}

impl Source for Cases {
    type Change = pb::WatchCasesResponse;

    /// Read off the threads that serve calls.
    async fn look(&mut self, last: u64) -> Option<Look<Self::Change>> {
        let (node, only) = (self.node.clone(), self.only);
        let look = tokio::task::spawn_blocking(move || {
            let entries = watch::entries(&node, last);
            let shown = |entry: &&FeedEntry| only.is_none_or(|id| id == entry.agreement);
            let change = |entry: &FeedEntry| {
                let subject = entry.case()?;
                Some(pb::WatchCasesResponse {
                    cursor: cursor::at(&node, entry.apply),
                    case: Some(case_read::read(&node, entry.agreement, subject)?),
                    entry: entry.position.to_string(),
                    heartbeat: false,
                })
            };
            Look {
                changes: entries.iter().filter(shown).filter_map(change).collect(),
                looked: entries.len(),
                last: entries.last().map(|entry| entry.apply),
            }
        });
        look.await.ok()
    }

    fn beat(&self, cursor: String) -> Self::Change {
        pb::WatchCasesResponse { cursor, heartbeat: true, ..pb::WatchCasesResponse::default() }
    }

    fn count(&self, change: &Self::Change, line: &mut AuditLine) {
        line.foreign(change.case.iter());
    }

    async fn woken(&mut self) {
        std::future::pending().await
    }
}
