//! Watching cases: every change behind a cursor, and a sign of life now and then.

use std::pin::Pin;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::Status;

use super::caller::Called;
use super::case_read;
use super::case_service::CaseApi;
use super::cursor;
use crate::ids::AgreementId;
use crate::node::writer::NodeHandle;
use crate::view::{self, FeedEntry};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::status::Refused;

/// A watcher hears at least this often.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Changes that go out of a watch.
pub type Changes = Pin<Box<dyn Stream<Item = Result<pb::WatchCasesResponse, Status>> + Send>>;

impl CaseApi {
    /// Starts a watch.
    pub(super) fn watch(
        &self,
        who: Called,
        asked: &pb::WatchCasesRequest,
    ) -> Result<Changes, Refused> {
        let only = read::parent(&asked.parent)?;
        if only.is_some_and(|id| self.node.book().get(id).is_none()) {
            return Err(Refused::new("NOT_FOUND"));
        }
        let from = cursor::read(&self.node, &asked.cursor)?;
        let (changes, stream) = mpsc::channel(64);
        tokio::spawn(watch(self.node.clone(), who, only, from, changes));
        Ok(Box::pin(ReceiverStream::new(stream).map(Ok)))
    }
}

/// Sends every change behind `from`, and a sign of life now and then.
async fn watch(
    node: NodeHandle,
    who: Called,
    only: Option<AgreementId>,
    from: u64,
    changes: mpsc::Sender<pb::WatchCasesResponse>,
) {
    let mut applied = node.applied();
    let mut last = from;
    loop {
        let mut batch: Vec<FeedEntry> = Vec::new();
        view::feed(&node.reader().view(), last + 1, &mut |entry| {
            batch.push(entry);
            batch.len() < 256
        });
        for entry in &batch {
            last = entry.apply;
            let shown = only.is_none_or(|id| id == entry.agreement);
            let Some(subject) = entry.case.filter(|_| shown) else { continue };
            let change = pb::WatchCasesResponse {
                cursor: cursor::at(&node, entry.apply),
                case: case_read::read(&node, entry.agreement, subject),
                entry: entry.position.to_string(),
                heartbeat: false,
            };
            if changes.send(change).await.is_err() {
                return;
            }
        }
        if !batch.is_empty() {
            continue;
        }
        tokio::select! {
            changed = applied.changed() => if changed.is_err() { return },
            () = who.peer.revoked.cancelled() => return,
            () = changes.closed() => return,
            () = tokio::time::sleep(HEARTBEAT) => {
                let beat = pb::WatchCasesResponse {
                    cursor: cursor::at(&node, last),
                    case: None,
                    entry: String::new(),
                    heartbeat: true,
                };
                if changes.send(beat).await.is_err() {
                    return;
                }
            }
        }
    }
}
