//! Batches that a replay passes over because what comes before them is damaged, until that has been
//! fetched again, further on in the journal.
//!
//! In scope: keeping them, and whether they may follow. Out of scope: reading the journal
//! ([`super::replay`]), comparing those that never follow ([`super::passed`]).

use std::cmp::Reverse;

use bytes::Bytes;

use crate::ids::{LogId, Position};
use crate::journal::{Disk, RecordRef};
use crate::log::checkpoint::SignedCheckpoint;
use crate::log::merkle::leaf_hash;
use crate::node::core::Core;
use crate::node::core::logs::Log;
use crate::node::load;
use crate::store::Store;
use crate::sync::RawBatch;

/// A batch whose predecessor is damaged.
#[derive(Clone, Debug)]
pub(super) struct Early {
    pub(super) record: RecordRef,
    /// The entry behind its last.
    pub(super) end: u64,
    /// What its author has signed over all up to there.
    pub(super) checkpoint: Bytes,
    /// What comes before it was not here.
    pub(super) gap: bool,
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Keeps a batch that is passed over; of two that begin alike the longer one.
    pub(super) fn keep_early(&mut self, log: LogId, from: u64, early: Early) {
        let known = self.early.entry(log).or_default().entry(from);
        known
            .and_modify(|known| {
                if known.end < early.end {
                    known.clone_from(&early);
                }
            })
            .or_insert(early);
    }

    /// The batch that was passed over and follows now.
    pub(super) fn next_early(&mut self, log: LogId) -> Option<(RecordRef, RawBatch)> {
        let appended = self.logs.get(log).map(Log::appended)?;
        self.forget_early();
        let early = self.early.get_mut(&log)?;
        let (from, record, end) =
            early.first_key_value().map(|(from, e)| (*from, e.record, e.end))?;
        if from > appended {
            return None;
        }
        early.remove(&from);
        let at = Position { log, index: from };
        let batch = load::read_batch(&self.journal.reader(), record, at).ok()?;
        if self.may_come_back(&batch) {
            return Some((record, batch));
        }
        let index = batch.from;
        tracing::error!(%log, index, "entries that do not continue what is here are left out");
        self.early.remove(&log);
        self.passed_over(log, record, end);
        None
    }

    /// Whether a batch that was passed over may follow now. Meanwhile an own log may have got a
    /// successor that does not begin behind it: then it is judged as every member would judge it,
    /// so that all of them hold one log. Nor may it unless its signed tree is the one here.
    /// (`what_only_a_damaged_disk_holds_beyond_its_pin_stays_out`)
    fn may_come_back(&self, batch: &RawBatch) -> bool {
        let Some(log) = self.logs.get(batch.log) else { return false };
        let (key, mut tree) = (log.manifest.log_key, log.grown.frontier.clone());
        let here = usize::try_from(tree.size().saturating_sub(batch.from)).unwrap_or(usize::MAX);
        batch.entries.iter().skip(here).for_each(|entry| tree.push(leaf_hash(&entry.header)));
        let signed = SignedCheckpoint::verify(&batch.checkpoint, batch.log, &key);
        let Ok(head) = signed.map(|signed| signed.head()) else { return false };
        // What was fetched again before it may be of another history.
        // (`what_was_passed_over_follows_only_what_it_was_signed_with`)
        if head.root != tree.root() {
            return false;
        }
        // Of another city's log this node is the one that vouches: it cosigns what is here.
        // (`what_a_member_held_of_anothers_log_comes_back_beyond_its_pin`)
        if log.manifest.city != self.settings.city {
            return true;
        }
        self.check_succession(head)
    }

    /// The checkpoint that its author is shown of a log: over what was passed over as well. It
    /// must not write again what it has lost and this node has not.
    /// (`an_author_is_shown_what_was_passed_over_of_its_log`)
    pub(super) fn newest_checkpoint(&self, log: &Log) -> Bytes {
        let early = self.early.get(&log.id).into_iter().flat_map(|early| early.values());
        let mut longer: Vec<_> = early.filter(|early| early.end > log.durable.size).collect();
        longer.sort_unstable_by_key(|early| Reverse(early.end));
        let key = &log.manifest.log_key;
        let signed = longer.into_iter().map(|early| &early.checkpoint).find(|note| {
            let signed = SignedCheckpoint::verify(note, log.id, key);
            signed.is_ok_and(|signed| signed.head().size > log.durable.size)
        });
        signed.unwrap_or(&log.durable_checkpoint).clone()
    }

    /// First record that was passed over and is still wanted.
    pub(super) fn first_early(&self) -> u64 {
        let wanted = self.early.iter().flat_map(|(log, early)| {
            let appended = self.logs.get(*log).map_or(0, Log::appended);
            let wanted = early.values().filter(move |early| early.end > appended);
            wanted.map(|early| early.record.number)
        });
        wanted.min().unwrap_or(u64::MAX)
    }

    /// What was passed over and has been fetched again meanwhile is wanted no more.
    pub(super) fn forget_early(&mut self) {
        let (logs, mut passed) = (&self.logs, Vec::new());
        self.early.retain(|log, early| {
            let appended = logs.get(*log).map_or(0, Log::appended);
            let behind = early.values().filter(|early| early.gap && early.end <= appended);
            let longest = behind.max_by_key(|early| early.end);
            passed.extend(longest.map(|early| (*log, early.record, early.end)));
            early.retain(|_, early| early.end > appended);
            !early.is_empty()
        });
        for (log, record, end) in passed {
            self.passed_over(log, record, end);
        }
    }

    /// An own log of which later entries are here and earlier ones are damaged is not written any
    /// more: it is fetched back like one that came from an older copy.
    pub(super) fn judge_gaps(&mut self) {
        let short: Vec<(LogId, u64)> = self
            .early
            .iter()
            .filter_map(|(log, early)| early.last_key_value().map(|(from, _)| (*log, *from)))
            .filter(|(log, _)| self.logs.get(*log).is_some_and(Log::is_own))
            .collect();
        for (log, from) in short {
            self.found_restored(log, from);
        }
    }
}
