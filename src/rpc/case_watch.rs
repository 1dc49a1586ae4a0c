//! Watching cases: every change behind a cursor, and a sign of life now and then.
//!
//! In scope: one watcher. Out of scope: the order of changes, which is that of application
//! ([`crate::view::feed`]).
//!
//! Invariants:
//! 1. Each entry behind the cursor about a case of the watched agreements is sent once, in order.
//!    (`a_watch_resumes_at_every_point`)
//! 2. A watcher that takes nothing holds a few changes and one task, and not for long. ([`send`])

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::Status;

use super::audit_line::AuditLine;
use super::caller::Called;
use super::case_read;
use super::case_service::CaseApi;
use super::cursor;
use crate::ids::AgreementId;
use crate::limits::{WATCH_CHANGES_MAX, WATCH_HEARTBEAT_MS_MAX, WATCH_IDLE_MS_MAX};
use crate::node::writer::NodeHandle;
use crate::view::{self, FeedEntry};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::status::Refused;

/// A watcher hears at least this often.
const HEARTBEAT: Duration = Duration::from_millis(WATCH_HEARTBEAT_MS_MAX);
/// A watcher that takes nothing for this long is gone.
const IDLE: Duration = Duration::from_millis(WATCH_IDLE_MS_MAX);
/// Feed entries read at a time.
const CHUNK: usize = 64;

/// Changes that go out of a watch.
pub type Changes = Pin<Box<dyn Stream<Item = Result<pb::WatchCasesResponse, Status>> + Send>>;

impl CaseApi {
    /// Starts a watch.
    pub(super) fn watch(
        &self,
        who: Called,
        asked: &pb::WatchCasesRequest,
    ) -> Result<Changes, Refused> {
        let line = AuditLine::new(self, &who, "/liandong.v1.CaseService/WatchCases", &asked.parent);
        let begun = self.begin(asked);
        let (only, from) = match begun {
            Ok(begun) => begun,
            Err(refused) => {
                line.end::<()>(&Err(refused.clone()));
                return Err(refused);
            }
        };
        let (changes, stream) = mpsc::channel(WATCH_CHANGES_MAX);
        let ended: Arc<OnceLock<Refused>> = Arc::default();
        let language = who.language;
        let watcher = Watcher { node: self.node.clone(), who, only, last: from, changes };
        let why = Arc::clone(&ended);
        tokio::spawn(watcher.run(line, why));
        let last_word = tokio_stream::iter([()])
            .filter_map(move |()| ended.get().map(|refused| Err(refused.status(language))));
        Ok(Box::pin(ReceiverStream::new(stream).map(Ok).chain(last_word)))
    }

    fn begin(&self, asked: &pb::WatchCasesRequest) -> Result<(Option<AgreementId>, u64), Refused> {
        let only = read::parent(&asked.parent)?;
        if only.is_some_and(|id| self.node.book().get(id).is_none()) {
            return Err(Refused::new("NOT_FOUND"));
        }
        Ok((only, cursor::read(&self.node, &asked.cursor)?))
    }
}

struct Watcher {
    node: NodeHandle,
    who: Called,
    only: Option<AgreementId>,
    /// Apply number of the last entry looked at.
    last: u64,
    changes: mpsc::Sender<pb::WatchCasesResponse>,
}

/// Why a watch goes no further.
enum End {
    /// The watcher has gone.
    Left,
    /// It is told why.
    Told(Refused),
}

impl Watcher {
    async fn run(mut self, mut line: AuditLine, why: Arc<OnceLock<Refused>>) {
        let End::Told(refused) = self.follow(&mut line).await else {
            line.end::<()>(&Ok(()));
            return;
        };
        let _ = why.set(refused.clone());
        line.end::<()>(&Err(refused));
    }

    async fn follow(&mut self, line: &mut AuditLine) -> End {
        let mut applied = self.node.applied();
        let revoked = self.who.peer.revoked.clone();
        loop {
            let (changes, looked) = match self.read().await {
                Ok(read) => read,
                Err(end) => return end,
            };
            line.foreign(changes.iter().filter_map(|change| change.case.as_ref()));
            for change in changes {
                if let Err(end) = self.send(change).await {
                    return end;
                }
            }
            if looked > 0 {
                continue;
            }
            tokio::select! {
                changed = applied.changed() => if changed.is_err() {
                    return End::Told(Refused::new("STOPPING"));
                },
                () = revoked.cancelled() => return End::Told(Refused::new("CERT_REVOKED")),
                () = self.changes.closed() => return End::Left,
                () = tokio::time::sleep(HEARTBEAT) => {
                    let cursor = cursor::at(&self.node, self.last);
                    let beat = pb::WatchCasesResponse {
                        cursor,
                        heartbeat: true,
                        ..pb::WatchCasesResponse::default()
                    };
                    if let Err(end) = self.send(beat).await {
                        return end;
                    }
                }
            }
        }
    }

    /// The next changes, read off the threads that serve calls; also how many entries they are of.
    async fn read(&mut self) -> Result<(Vec<pb::WatchCasesResponse>, usize), End> {
        let (node, only, last) = (self.node.clone(), self.only, self.last);
        let read = tokio::task::spawn_blocking(move || {
            let mut entries: Vec<FeedEntry> = Vec::new();
            view::feed(&node.reader().view(), last.saturating_add(1), &mut |entry| {
                entries.push(entry);
                entries.len() < CHUNK
            });
            let last = entries.last().map(|entry| entry.apply);
            let shown = |entry: &&FeedEntry| only.is_none_or(|id| id == entry.agreement);
            let change = |entry: &FeedEntry| {
                let subject = entry.case?;
                Some(pb::WatchCasesResponse {
                    cursor: cursor::at(&node, entry.apply),
                    case: Some(case_read::read(&node, entry.agreement, subject)?),
                    entry: entry.position.to_string(),
                    heartbeat: false,
                })
            };
            let changes: Vec<_> = entries.iter().filter(shown).filter_map(change).collect();
            (changes, entries.len(), last)
        });
        let stopping = |_| End::Told(Refused::new("STOPPING"));
        let (changes, looked, last) = read.await.map_err(stopping)?;
        self.last = last.unwrap_or(self.last);
        Ok((changes, looked))
    }

    async fn send(&self, change: pb::WatchCasesResponse) -> Result<(), End> {
        let sent = tokio::select! {
            sent = tokio::time::timeout(IDLE, self.changes.send(change)) => sent,
            () = self.who.peer.revoked.cancelled() => {
                return Err(End::Told(Refused::new("CERT_REVOKED")));
            }
        };
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Left),
            Err(_) => Err(End::Told(Refused::new("DEADLINE"))),
        }
    }
}
