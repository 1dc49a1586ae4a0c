//! What the views were made over, and the id of the feed that follows from it.
//!
//! In scope: what may change the order in which a replay applies entries. Out of scope: the order
//! itself ([`super::replay`], [`super::apply`]).
//!
//! Invariant: two feeds with one id are one order, as far as both go; a cursor of the one is good
//! in the other. (`a_rebuild_over_damage_is_another_feed`)

use serde::{Deserialize, Serialize};

use crate::ids::LogId;
use crate::journal::Disk;
use crate::log::merkle::digest;
use crate::node::core::{Core, keys};
use crate::store::Store;
use crate::view::{ReadRows, Rows};

/// A whole journal is replayed as it was lived. Over damage a replay looks ahead for what was
/// fetched again, which nobody could when it was lived: each replay that applies something then is
/// an order of its own, named by the records it has gone through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeOver {
    /// Suspensions that had been lifted.
    pub lifted: u64,
    /// Records that a replay could not read.
    pub damaged: u64,
    /// The mark of the last time that the journal ended before it had: views, guard or a member
    /// knew of more. What is cut off like a torn write leaves no other trace.
    pub cut: [u8; 16],
    /// Logs of which nothing was read, for want of their manifest.
    pub unread_logs: u64,
    /// Over damage: the record that the last replay began with that applied something.
    pub from: u64,
    /// And the one behind its last.
    pub to: u64,
}

impl MadeOver {
    /// The id that cursors of a feed carry: the journal's, while nothing has changed the order.
    fn feed_id(self, journal: [u8; 16]) -> [u8; 16] {
        if self == Self::default() {
            return journal;
        }
        let Self { lifted, damaged, cut, unread_logs, from, to } = self;
        let numbers = [lifted, damaged, unread_logs, from, to].map(u64::to_be_bytes).concat();
        let text = [b"liandong/feed/v3\0".as_slice(), &journal, &cut, &numbers].concat();
        digest(&text).as_bytes().first_chunk().copied().unwrap_or(journal)
    }
}

impl<D: Disk, S: Store> Core<D, S> {
    /// The id that cursors of the feed carry.
    #[must_use]
    pub fn feed_id(&self) -> [u8; 16] {
        self.made_over.feed_id(self.journal.journal_id())
    }

    /// Records from one number to another are damaged. Those that the views knew when they were
    /// whole, or have counted, change nothing.
    pub(super) fn pass_damage(&mut self, from: u64, to: u64) {
        self.made_over.damaged += to.saturating_sub(from.max(self.indexed_end));
    }

    /// A replay is over that began with a record, when so many entries were applied.
    pub(super) fn replay_ended(&mut self, from: u64, applied: u64) {
        let over = &mut self.made_over;
        let damaged = over.damaged > 0 || over.unread_logs > 0;
        if damaged && (from == 0 || self.apply_number > applied) {
            (over.from, over.to) = (from, self.journal.next_record());
        }
    }

    /// Batches of a log of no known manifest are passed over.
    pub(super) fn pass_log(&mut self, log: LogId) {
        if self.group_rows().get(&keys::unread(log)).is_none() {
            self.group_rows().put(keys::unread(log), Vec::new());
            self.made_over.unread_logs += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn whatever_changes_the_order_changes_the_id() {
        let journal = [7; 16];
        let plain = MadeOver::default();
        let all = [
            plain,
            MadeOver { lifted: 1, ..plain },
            MadeOver { lifted: 2, ..plain },
            MadeOver { damaged: 1, ..plain },
            MadeOver { cut: [1; 16], ..plain },
            MadeOver { unread_logs: 1, ..plain },
            MadeOver { lifted: 1, damaged: 1, ..plain },
            MadeOver { damaged: 1, to: 9, ..plain },
            MadeOver { damaged: 1, from: 9, ..plain },
        ];
        let ids: BTreeSet<_> = all.iter().map(|over| over.feed_id(journal)).collect();
        assert_eq!(ids.len(), all.len());
        assert!(ids.contains(&journal), "a whole journal names its feed");
    }
}
