//! One watcher: every change behind a cursor, and a sign of life now and then.
//!
//! In scope: following, waiting, ending. Out of scope: which changes there are and how they are
//! written ([`super::case_watch`], [`super::notice_watch`]); their order, which is that of
//! application ([`crate::view::feed`]).
//!
//! Invariants:
//! 1. Each change behind the cursor is sent once, in order. (`a_watch_resumes_at_every_point`)
//! 2. A watcher hears at least every [`HEARTBEAT`], also while much happens that it is not shown.
//!    (`a_watch_shows_its_agreement_only_and_stays_alive`)
//! 3. A watcher that takes nothing holds a few changes and one task, and not for long. ([`send`])

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::Status;

use super::audit_line::AuditLine;
use super::caller::Called;
use super::cursor;
use crate::limits::{WATCH_CHANGES_MAX, WATCH_HEARTBEAT_MS_MAX, WATCH_IDLE_MS_MAX};
use crate::node::writer::NodeHandle;
use crate::view::{self, FeedEntry};
use crate::wire::status::Refused;

/// A watcher hears at least this often.
const HEARTBEAT: Duration = Duration::from_millis(WATCH_HEARTBEAT_MS_MAX);
/// A watcher that takes nothing for this long is gone.
const IDLE: Duration = Duration::from_millis(WATCH_IDLE_MS_MAX);
/// Feed entries read at a time.
const CHUNK: usize = 64;

/// Changes that go out of a watch.
pub(super) type Changes<C> = Pin<Box<dyn Stream<Item = Result<C, Status>> + Send>>;

/// What one look at the feed brings.
pub(super) struct Look<C> {
    /// Changes to be sent.
    pub changes: Vec<C>,
    /// Feed entries looked at.
    pub looked: usize,
    /// Apply number of the last of them.
    pub last: Option<u64>,
}

/// Where changes come from.
pub(super) trait Source: Send + 'static {
    /// One change as it is sent.
    type Change: Send + 'static;
    /// What lies behind an apply number; `None` while the node stops.
    fn look(&mut self, last: u64) -> impl Future<Output = Option<Look<Self::Change>>> + Send;
    /// A sign of life.
    fn beat(&self, cursor: String) -> Self::Change;
    /// Counts a change for the audit.
    fn count(&self, change: &Self::Change, line: &mut AuditLine);
    /// Ends when there is something to look at that is not in the feed.
    fn woken(&mut self) -> impl Future<Output = ()> + Send;
}

/// The next entries of the feed behind an apply number.
pub(super) fn entries(node: &NodeHandle, last: u64) -> Vec<FeedEntry> {
    let mut entries: Vec<FeedEntry> = Vec::new();
    view::feed(&node.reader().view(), last.saturating_add(1), &mut |entry| {
        entries.push(entry);
        entries.len() < CHUNK
    });
    entries
}

/// Starts a watch from behind an apply number.
pub(super) fn start<S: Source>(
    node: NodeHandle,
    who: Called,
    line: AuditLine,
    source: S,
    last: u64,
) -> Changes<S::Change> {
    let (changes, stream) = mpsc::channel(WATCH_CHANGES_MAX);
    let ended: Arc<OnceLock<Refused>> = Arc::default();
    let language = who.language;
    let watcher = Watcher { node, who, source, last, changes };
    tokio::spawn(watcher.run(line, Arc::clone(&ended)));
    let last_word = tokio_stream::iter([()])
        .filter_map(move |()| ended.get().map(|refused| Err(refused.status(language))));
    Box::pin(ReceiverStream::new(stream).map(Ok).chain(last_word))
}

struct Watcher<S: Source> {
    node: NodeHandle,
    who: Called,
    source: S,
    /// Apply number of the last entry looked at.
    last: u64,
    changes: mpsc::Sender<S::Change>,
}

/// Why a watch goes no further.
enum End {
    /// The watcher has gone.
    Left,
    /// It is told why.
    Told(Refused),
}

impl<S: Source> Watcher<S> {
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
        let mut beat_at = Instant::now() + HEARTBEAT;
        loop {
            let Some(look) = self.source.look(self.last).await else {
                return End::Told(Refused::new("STOPPING"));
            };
            self.last = look.last.unwrap_or(self.last);
            for change in look.changes {
                self.source.count(&change, line);
                if let Err(end) = self.send(change).await {
                    return end;
                }
                beat_at = Instant::now() + HEARTBEAT;
            }
            if Instant::now() >= beat_at {
                let beat = self.source.beat(cursor::at(&self.node, self.last));
                if let Err(end) = self.send(beat).await {
                    return end;
                }
                beat_at = Instant::now() + HEARTBEAT;
            }
            if look.looked > 0 {
                continue;
            }
            tokio::select! {
                changed = applied.changed() => if changed.is_err() {
                    return End::Told(Refused::new("STOPPING"));
                },
                () = self.source.woken() => {}
                () = revoked.cancelled() => return End::Told(Refused::new("CERT_REVOKED")),
                () = self.changes.closed() => return End::Left,
                () = tokio::time::sleep_until(beat_at) => {}
            }
        }
    }

    async fn send(&mut self, change: S::Change) -> Result<(), End> {
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
