//! Batches of other cities, and own ones that come home: checked, then gathered for the disk.
//!
//! Nothing is parked: a stretch starts where this node stands, or it is turned away.

use crate::ids::{Hash, LogId};
use crate::journal::Disk;
use crate::log::batch::{Accepted, Batch, accept_batch};
use crate::log::merkle::{Frontier, LeafSource, leaf_hash};
use crate::log::{AppendError, Audience, Entry};
use crate::node::core::follow::refuse;
use crate::node::core::group::{GroupRows, Ingested};
use crate::node::core::io::Output;
use crate::node::core::logs::Log;
use crate::node::core::rows::DayRow;
use crate::node::core::{Core, Now};
use crate::node::load::Leaves;
use crate::store::Store;
use crate::sync::{LinkId, RawBatch, RawEntry};
use crate::wire::entry::ParsedHeader;
use crate::wire::status::Refused;
use crate::wire::{self, WireError};

/// Leaves of a log: of what is stored, and of what this group will store.
struct LeavesOfGroup<'a, D: Disk> {
    stored: Leaves<'a, D>,
    gathered: &'a [Ingested],
}

impl<D: Disk> LeafSource for LeavesOfGroup<'_, D> {
    fn leaf(&self, index: u64) -> Option<Hash> {
        let gathered = self.gathered.iter().filter(|s| s.batch.log == self.stored.log);
        let found = gathered.into_iter().find_map(|stretch| {
            let offset = usize::try_from(index.checked_sub(stretch.batch.from)?).ok()?;
            stretch.batch.entries.get(offset)
        });
        found.map(|entry| leaf_hash(&entry.header)).or_else(|| self.stored.leaf(index))
    }
}

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
    /// The log has outrun its daily quota.
    #[error("the log has outrun its daily quota")]
    DayFull,
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
            return vec![refuse(link, &Refused::new("NOT_FOUND"), None)];
        }
        if self.is_damaged(log, raw.from) {
            return self.mend(link, city, raw);
        }
        if self.logs.get(log).is_some_and(Log::is_own) {
            // Only this node writes it, whatever its certificate lets the other side claim.
            let claimed = self.settings.city;
            let refused = Refused::new("CITY_MISMATCH").with("cert", city).with("claimed", claimed);
            return self.strike(now, link, &refused, Some(log));
        }
        if self.poisoned.is_some() {
            return vec![refuse(link, &Refused::new("STORAGE_FAILED"), Some(log))];
        }
        let bytes = raw.signed_bytes();
        match self.accept(log, raw, bytes) {
            Ok((taken, day)) => {
                self.gather(link, taken, bytes, day);
                #[cfg(feature = "planted-bugs")]
                if crate::planted::is_on("cosign-before-sync") {
                    return self.cosign_what_is_due(now);
                }
                Vec::new()
            }
            Err(error) => self.turned_away(now, link, log, &error),
        }
    }

    fn accept(
        &mut self,
        log: LogId,
        raw: RawBatch,
        bytes: u64,
    ) -> Result<(Taken, DayRow), NotTaken> {
        let found = self.logs.get(log).ok_or(NotTaken::Standing)?;
        if found.fork.is_some() || found.shut {
            return Err(NotTaken::Standing);
        }
        let frontier = found.grown.frontier.clone();
        let taken = self.accept_at(log, &frontier, raw)?;
        if !self.check_succession(taken.accepted.head) {
            return Err(NotTaken::Superseded);
        }
        let entries = taken.batch.entries.len() as u64;
        let day = self.day_with(log, entries, bytes).ok_or(NotTaken::DayFull)?;
        Ok((taken, day))
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
        let rows = GroupRows { changes: &mut self.group.changes, base: &self.rows };
        let stored = Leaves { rows: &rows, journal: &journal, log };
        let leaves = LeavesOfGroup { stored, gathered: &self.group.ingested };
        let accepted = accept_batch(frontier, &leaves, log, &key, &batch, withheld_ok)
            .map_err(NotTaken::Append)?;
        headers.drain(..accepted.dropped.min(headers.len()));
        let entries = batch.entries.into_iter().skip(accepted.dropped);
        let batch = RawBatch {
            log,
            from: batch.from + accepted.dropped as u64,
            entries: entries.map(|e| RawEntry { header: e.header, parts: e.parts }).collect(),
            checkpoint: accepted.checkpoint.note().clone(),
        };
        Ok(Taken { accepted, headers, batch })
    }

    pub(super) fn gather(&mut self, link: LinkId, taken: Taken, bytes: u64, day: DayRow) {
        let Taken { accepted, headers, batch } = taken;
        let log = batch.log;
        self.save_growth(log);
        let source = self.exchange.city_of(link);
        if let Some(found) = self.logs.get_mut(log) {
            found.grown.frontier = accepted.frontier;
            found.grown.checkpoint = batch.checkpoint.clone();
            found.grown.day = day;
            found.last_source = source;
            #[cfg(feature = "planted-bugs")]
            if crate::planted::is_on("cosign-before-sync") {
                found.durable = accepted.head;
            }
        }
        let stretch = Ingested { link, batch, headers, head: accepted.head, bytes };
        self.group.ingested.push(stretch);
        self.group.coming.push_back(log);
    }

    fn turned_away(&mut self, now: Now, link: LinkId, log: LogId, error: &NotTaken) -> Vec<Output> {
        let city = self.exchange.city_of(link);
        let refused = match error {
            NotTaken::Append(error) => wire::status::of_append(error),
            NotTaken::Unreadable(error) => Some(wire::status::of_wire(error)),
            NotTaken::Standing => {
                let forked = self.logs.get(log).is_some_and(|l| l.fork.is_some());
                let reason = if forked { "FORK_DETECTED" } else { "LOG_STANDING" };
                Some(Refused::new(reason).with("log", log))
            }
            NotTaken::Superseded | NotTaken::DayFull => {
                Some(Refused::new("LOG_STANDING").with("log", log))
            }
            NotTaken::Differs => Some(Refused::new("FORK_DETECTED").with("log", log)),
        };
        let Some(refused) = refused else {
            // All of it is here already: no fault, and counted.
            if let Some(city) = city {
                self.links.duplicate(now, city);
            }
            let actions = self.exchange.resubscribe(&self.logs, link, log);
            return self.perform(actions);
        };
        tracing::warn!(%log, link, %error, "turned a batch away");
        let mut outputs = match error {
            NotTaken::Append(AppendError::Gap { .. } | AppendError::LeafMissing { .. })
            | NotTaken::Superseded
            | NotTaken::Differs
            | NotTaken::DayFull
            | NotTaken::Standing => vec![refuse(link, &refused, Some(log))],
            NotTaken::Append(_) | NotTaken::Unreadable(_) => {
                self.strike(now, link, &refused, Some(log))
            }
        };
        outputs.extend(self.after_refusal(now, link, log, error));
        outputs
    }

    /// What a refused batch leads to: asking anew, or another source, or a proof.
    fn after_refusal(
        &mut self,
        now: Now,
        link: LinkId,
        log: LogId,
        error: &NotTaken,
    ) -> Vec<Output> {
        let mut outputs = Vec::new();
        let actions = match error {
            NotTaken::Append(AppendError::Gap { .. }) => {
                self.exchange.resubscribe(&self.logs, link, log)
            }
            NotTaken::Standing | NotTaken::Differs => Vec::new(),
            NotTaken::DayFull => {
                outputs.extend(self.suspend_log(now, log));
                Vec::new()
            }
            NotTaken::Append(AppendError::Contradicts { checkpoint, .. }) => {
                outputs.extend(self.witness(now, checkpoint));
                self.exchange.rest_source(now.mono_ms, &self.logs, link, log)
            }
            NotTaken::Append(AppendError::RootMismatch { .. } | AppendError::Differs { .. }) => {
                // Perhaps its city has signed two histories: whoever holds the other one can tell
                // from the checkpoint held here, and will send the proof.
                let held = self.logs.get(log).and_then(Log::announcement);
                outputs.extend(held.map(|frame| Output::Send(link, frame)));
                self.exchange.rest_source(now.mono_ms, &self.logs, link, log)
            }
            NotTaken::Append(_) | NotTaken::Unreadable(_) | NotTaken::Superseded => {
                self.exchange.rest_source(now.mono_ms, &self.logs, link, log)
            }
        };
        outputs.extend(self.perform(actions));
        if matches!(error, NotTaken::Superseded) {
            outputs.extend(self.ask_for_less(link, log));
        }
        outputs
    }

    /// A stretch is on disk: credit, cosignature, what follows.
    pub(super) fn stretch_stored(&mut self, now: Now, stretch: &Ingested) -> Vec<Output> {
        let log = stretch.batch.log;
        let actions =
            self.exchange.ingested(now.mono_ms, &self.logs, stretch.link, log, stretch.bytes);
        let mut outputs = self.perform(actions);
        self.judge_cosignatures(log);
        let newest = self.logs.get(log).is_some_and(|l| l.durable == stretch.head);
        if newest && let Some(cosign) = self.cosign(now, log) {
            outputs.extend(self.send_receipt(stretch.link, &cosign));
        }
        outputs
    }
}
