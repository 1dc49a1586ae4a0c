//! Batches that were passed over in a replay and turned out not to be part of what is here: either
//! they do not continue it, or all of it was fetched again before their turn came.
//!
//! What such a batch was signed with may be of another history of its log. Of each log one is kept
//! until it can be compared, also over a restart; if the two contradict, that is a proof like one
//! that was found by taking in.
//!
//! In scope: what is kept, and when it is compared. Out of scope: what proves anything
//! ([`crate::log::ForkProof`]), what follows from it ([`super::witness`]).
//!
//! Invariant: whoever holds both histories of a log on its disk proves it, as soon as one of them
//! is long enough. (`what_was_passed_over_proves_two_histories`)

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::ids::{LogId, Position};
use crate::journal::{Disk, RecordRef};
use crate::log::ForkProof;
use crate::log::checkpoint::SignedCheckpoint;
use crate::log::merkle::leaf_hash;
use crate::node::core::io::Output;
use crate::node::core::rows::{self, PassedRow};
use crate::node::core::witness::LOOK_PAUSE_MS;
use crate::node::core::{Core, Now, keys};
use crate::node::load;
use crate::store::Store;
use crate::sync::RawBatch;
use crate::view::{ReadRows, Rows};

/// One that is kept.
#[derive(Clone, Copy, Debug)]
struct One {
    row: PassedRow,
    /// The size of the log here when it was last compared.
    tried_at: Option<u64>,
}

/// Those that are kept, one for each log.
#[derive(Debug, Default)]
pub(super) struct Passed {
    of: BTreeMap<LogId, One>,
    next_ms: u64,
}

impl Passed {
    pub(super) fn count(&self) -> usize {
        self.of.len()
    }
}

/// What a comparison came to.
enum Compared {
    Proves(ForkProof),
    /// There is nothing to prove.
    Settled,
    /// The log here is too short, or cannot be read.
    Later,
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Keeps a batch for comparing, unless one of its log is kept already.
    pub(super) fn passed_over(&mut self, log: LogId, record: RecordRef, end: u64) {
        let row = PassedRow { record, end };
        if let Entry::Vacant(vacant) = self.passed.of.entry(log) {
            vacant.insert(One { row, tried_at: None });
            self.group_rows().put(keys::passed(log), rows::encode(&row));
        }
    }

    /// After a start, from the rows.
    pub(super) fn load_passed(&mut self) {
        let mut kept = Vec::new();
        self.group_rows().scan(b"h", b"i", false, &mut |key, value| {
            kept.extend(keys::parse_passed(key).zip(rows::decode::<PassedRow>(value)));
            true
        });
        let kept = kept.into_iter().map(|(log, row)| (log, One { row, tried_at: None }));
        self.passed.of.extend(kept);
    }

    /// Compares what can be compared by now.
    pub(super) fn look_at_passed(&mut self, now: Now) -> Vec<Output> {
        if now.mono_ms < self.passed.next_ms || self.poisoned.is_some() {
            return Vec::new();
        }
        let size = |log| self.logs.get(log).map_or(0, |l| l.durable.size);
        // Once as it is, then when the log here has grown as long.
        let due = |(log, one): (&LogId, &One)| {
            let size = size(*log);
            let longer = one.row.end <= size && one.tried_at != Some(size);
            (one.tried_at.is_none() || longer).then_some((*log, one.row, size))
        };
        let Some((log, row, size)) = self.passed.of.iter().find_map(due) else {
            return Vec::new();
        };
        self.passed.next_ms = now.mono_ms + LOOK_PAUSE_MS;
        match self.compared(log, row) {
            Compared::Later => {
                if let Some(one) = self.passed.of.get_mut(&log) {
                    one.tried_at = Some(size);
                }
                Vec::new()
            }
            Compared::Settled => {
                self.forget_passed(log);
                Vec::new()
            }
            Compared::Proves(proof) => {
                self.forget_passed(log);
                self.keep_fork(now, log, proof)
            }
        }
    }

    fn forget_passed(&mut self, log: LogId) {
        self.passed.of.remove(&log);
        self.group_rows().delete(&keys::passed(log));
        self.group.dirty = true;
    }

    fn compared(&mut self, log: LogId, row: PassedRow) -> Compared {
        let Some(found) = self.logs.get(log).filter(|l| l.fork.is_none()) else {
            return Compared::Settled;
        };
        let (held, key) = (found.durable.size, found.manifest.log_key);
        let note = found.durable_checkpoint.clone();
        let at = Position { log, index: row.end.saturating_sub(1) };
        // Where it has rotted meanwhile it proves nothing any more.
        let batch = load::read_batch(&self.journal.reader(), row.record, at).ok();
        let read = batch.and_then(|batch| {
            let signed = SignedCheckpoint::verify(&batch.checkpoint, log, &key).ok()?;
            Some((batch, signed))
        });
        let Some((batch, passed)) = read else { return Compared::Settled };
        let here = SignedCheckpoint::verify(&note, log, &key).ok();
        if row.end <= held {
            return self.compared_below((held, here.as_ref()), &passed);
        }
        let proof = here.and_then(|here| self.proof_of_longer(&here, &batch, &passed));
        proof.map_or(Compared::Later, Compared::Proves)
    }

    /// With what is here, which is as long or longer.
    fn compared_below(
        &mut self,
        (size, here): (u64, Option<&SignedCheckpoint>),
        passed: &SignedCheckpoint,
    ) -> Compared {
        let head = passed.head();
        let proof = if let Some(note) = self.checkpoint_note_at(head.log, head.size) {
            let held = self.of_another_root(&note, head);
            held.and_then(|held| ForkProof::of(&held, passed))
        } else {
            let Some(here) = here else { return Compared::Later };
            let Some(leaves) = self.leaves_of(head.log, size) else { return Compared::Later };
            ForkProof::of_sizes(passed, here, &leaves)
        };
        proof.map_or(Compared::Settled, Compared::Proves)
    }

    /// It is longer than what is here: if the two part within it, its own entries show that.
    fn proof_of_longer(
        &mut self,
        here: &SignedCheckpoint,
        batch: &RawBatch,
        passed: &SignedCheckpoint,
    ) -> Option<ForkProof> {
        let mut leaves = self.leaves_of(batch.log, batch.from)?;
        leaves.extend(batch.entries.iter().map(|entry| leaf_hash(&entry.header)));
        ForkProof::of_sizes(here, passed, &leaves)
    }
}
