//! Batches of other cities, and own ones that come home: checked, then gathered for the disk.
//!
//! Nothing is parked: a stretch starts where this node stands, or it is turned away.

use crate::ids::LogId;
use crate::journal::Disk;
use crate::log::batch::{Accepted, Batch, accept_batch};
use crate::log::merkle::Frontier;
use crate::log::{AppendError, Audience, Entry};
use crate::node::core::group::Ingested;
use crate::node::core::io::Output;
use crate::node::core::logs::Log;
use crate::node::core::{Core, Now};
use crate::node::load::Leaves;
use crate::store::Store;
use crate::sync::{Frame, LinkId, RawBatch, RawEntry};
use crate::wire::entry::ParsedHeader;
use crate::wire::{self, WireError};

/// A batch that was accepted.
pub(super) struct Taken {
    pub(super) accepted: Accepted,
    pub(super) headers: Vec<ParsedHeader>,
    pub(super) batch: RawBatch,
}

/// Why a batch was not. Nothing of it is kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotTaken {
    /// Order, roots or signatures are wrong.
    #[error(transparent)]
    Append(AppendError),
    /// A header cannot be read.
    #[error("a header cannot be read: {0}")]
    Unreadable(WireError),
    /// The log stands still here.
    #[error("the log stands still here")]
    Standing,
    /// It is signed, and is not what lay here.
    #[error("it is not what lay here before")]
    Differs,
    /// The log has a successor, and no other city is known to hold this stretch.
    #[error("the log has a successor, and no other city has cosigned this stretch")]
    Superseded,
}

impl<D: Disk, S: Store> Core<D, S> {
    pub(super) fn batch(&mut self, now: Now, link: LinkId, raw: RawBatch) -> Vec<Output> {
        let Some(city) = self.exchange.city_of(link) else { return Vec::new() };
        let log = raw.log;
        if !self.logs.may_see(city, log) {
            // The same answer for a log we do not know and one this city may not see.
            return vec![refuse(link, "NOT_FOUND", None, 0, "no such log")];
        }
        if self.is_damaged(log, raw.from) {
            return self.mend(link, city, raw);
        }
        if self.logs.get(log).is_some_and(Log::is_own) {
            return vec![refuse(link, "CITY_MISMATCH", Some(log), 0, "this log is written here")];
        }
        if self.poisoned.is_some() {
            return vec![refuse(link, "STORAGE_FAILED", Some(log), 0, "nothing is written here")];
        }
        let bytes = raw.signed_bytes();
        match self.accept(log, raw) {
            Ok(accepted) => {
                self.gather(link, log, accepted, bytes);
                Vec::new()
            }
            Err(error) => self.turned_away(now, link, log, &error),
        }
    }

    fn accept(&mut self, log: LogId, raw: RawBatch) -> Result<Taken, NotTaken> {
        let found = self.logs.get(log).ok_or(NotTaken::Standing)?;
        if found.fork.is_some() {
            return Err(NotTaken::Standing);
        }
        let frontier = found.grown.frontier.clone();
        let taken = self.accept_at(log, &frontier, raw)?;
        if !self.check_succession(taken.accepted.head) {
            return Err(NotTaken::Superseded);
        }
        Ok(taken)
    }

    /// Checks a batch against a log that ends with `frontier`.
    pub(super) fn accept_at(
        &mut self,
        log: LogId,
        frontier: &Frontier,
        raw: RawBatch,
    ) -> Result<Taken, NotTaken> {
        let key = self.logs.get(log).ok_or(NotTaken::Standing)?.manifest.log_key;
        let mut headers = Vec::with_capacity(raw.entries.len());
        let mut entries = Vec::with_capacity(raw.entries.len());
        for entry in raw.entries {
            let parsed = wire::entry::parse_header(&entry.header).map_err(NotTaken::Unreadable)?;
            let envelope = parsed.envelope.clone();
            entries.push(Entry { header: entry.header, envelope, parts: entry.parts });
            headers.push(parsed);
        }
        let batch = Batch { log, from: raw.from, entries, checkpoint: raw.checkpoint };
        // A relay may lack a narrow part that is meant for us: it is asked for later, from a city
        // that holds it. A part for all members may never be lacking.
        let withheld_ok = |entry: &Entry, part: usize| {
            entry.envelope.parts.get(part).is_some_and(|p| p.audience != Audience::AllMembers)
        };
        let journal = self.journal.reader();
        let rows = self.group_rows();
        let leaves = Leaves { rows: &rows, journal: &journal, log };
        let accepted = accept_batch(frontier, &leaves, log, &key, &batch, withheld_ok)
            .map_err(NotTaken::Append)?;
        headers.drain(..accepted.dropped.min(headers.len()));
        let entries = batch.entries.into_iter().skip(accepted.dropped);
        let batch = RawBatch {
            log,
            from: batch.from + accepted.dropped as u64,
            entries: entries.map(|e| RawEntry { header: e.header, parts: e.parts }).collect(),
            checkpoint: batch.checkpoint,
        };
        Ok(Taken { accepted, headers, batch })
    }

    fn gather(&mut self, link: LinkId, log: LogId, taken: Taken, bytes: u64) {
        let Taken { accepted, headers, batch } = taken;
        self.save_growth(log);
        let source = self.exchange.city_of(link);
        if let Some(found) = self.logs.get_mut(log) {
            found.grown.frontier = accepted.frontier;
            found.grown.checkpoint = batch.checkpoint.clone();
            found.last_source = source;
        }
        let owed = !accepted.owed.is_empty();
        let stretch = Ingested { link, batch, headers, head: accepted.head, bytes, owed };
        self.group.ingested.push(stretch);
    }

    fn turned_away(&mut self, now: Now, link: LinkId, log: LogId, error: &NotTaken) -> Vec<Output> {
        let known = self.logs.get(log).map_or(0, Log::appended);
        let (actions, reason) = match error {
            NotTaken::Append(AppendError::Duplicate { .. }) => {
                let actions = self.exchange.resubscribe(&self.logs, link, log);
                return self.perform(actions);
            }
            NotTaken::Append(AppendError::Gap { .. }) => {
                (self.exchange.resubscribe(&self.logs, link, log), "LOG_GAP")
            }
            NotTaken::Append(error) => {
                if let AppendError::Contradicts { checkpoint, .. } = error {
                    self.witness(checkpoint);
                }
                let reason = wire::status::of_append(error).map_or("BAD_BATCH", |r| r.reason());
                (self.exchange.rest_source(now.mono_ms, &self.logs, link, log), reason)
            }
            NotTaken::Unreadable(_) => {
                (self.exchange.rest_source(now.mono_ms, &self.logs, link, log), "BAD_BATCH")
            }
            NotTaken::Superseded => {
                (self.exchange.rest_source(now.mono_ms, &self.logs, link, log), "LOG_STANDING")
            }
            NotTaken::Standing | NotTaken::Differs => (Vec::new(), "FORK_DETECTED"),
        };
        tracing::warn!(%log, link, %error, "turned a batch away");
        let mut outputs = vec![refuse(link, reason, Some(log), known, &error.to_string())];
        outputs.extend(self.perform(actions));
        outputs
    }

    /// A stretch is on disk: credit, cosignature, what follows.
    pub(super) fn stretch_stored(&mut self, now: Now, stretch: &Ingested) -> Vec<Output> {
        let log = stretch.batch.log;
        let actions =
            self.exchange.ingested(now.mono_ms, &self.logs, stretch.link, log, stretch.bytes);
        let mut outputs = self.perform(actions);
        let newest = self.logs.get(log).is_some_and(|l| l.durable == stretch.head);
        if newest && !stretch.owed {
            outputs.extend(
                self.cosign(now, log).map(|c| Output::Send(stretch.link, Frame::Cosign(c))),
            );
        }
        outputs
    }
}

pub(super) fn refuse(
    link: LinkId,
    reason: &str,
    log: Option<LogId>,
    expected: u64,
    detail: &str,
) -> Output {
    let (reason, detail) = (reason.to_owned(), detail.to_owned());
    Output::Send(link, Frame::Refuse { reason, log, expected, detail })
}
