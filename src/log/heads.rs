//! Heads: how far each log is known, and what one side lacks of another's.
//!
//! Sync is a set difference: compare two `Heads`, fetch the ranges. Sizes are claims here; whether
//! entries and roots bear them out is for [`crate::log::batch`] to say.
//!
//! Invariants:
//! 1. Nobody lacks anything of their own. (`nothing_is_missing_from_oneself`)
//! 2. Fetching what is missing leaves nothing missing. (`fetching_ends_it`)

use std::collections::BTreeMap;

use super::entry::Head;
use crate::ids::{Hash, LogId};

/// One head per log, in ascending order of log ids.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Heads(BTreeMap<LogId, (u64, Hash)>);

/// Entries of one log: `from` up to but not including `to`, never empty.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Range {
    /// The log.
    pub log: LogId,
    /// First index.
    pub from: u64,
    /// One past the last index.
    pub to: u64,
}

impl Heads {
    /// No log at all.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Sets the head of its log, and gives the one it replaces. Whether a head may move back is
    /// not judged here.
    pub fn insert(&mut self, head: Head) -> Option<Head> {
        let Head { log, size, root } = head;
        self.0.insert(log, (size, root)).map(|(size, root)| Head { log, size, root })
    }

    /// The head of `log`, if the log is known.
    #[must_use]
    pub fn get(&self, log: LogId) -> Option<Head> {
        self.0.get(&log).map(|(size, root)| Head { log, size: *size, root: *root })
    }

    /// Size of `log`; 0 if it is not known.
    #[must_use]
    pub fn size(&self, log: LogId) -> u64 {
        self.0.get(&log).map_or(0, |(size, _)| *size)
    }

    /// Number of logs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no log.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All heads, in ascending order of log ids.
    pub fn iter(&self) -> impl Iterator<Item = Head> + '_ {
        self.0.iter().map(|(log, (size, root))| Head { log: *log, size: *size, root: *root })
    }
}

impl FromIterator<Head> for Heads {
    fn from_iter<I: IntoIterator<Item = Head>>(heads: I) -> Self {
        Self(heads.into_iter().map(|head| (head.log, (head.size, head.root))).collect())
    }
}

/// What `theirs` has and `ours` lacks, one range a log, in ascending order of log ids. Roots are
/// not compared: equal sizes with other roots are no gap.
#[must_use]
pub fn missing(ours: &Heads, theirs: &Heads) -> Vec<Range> {
    theirs
        .iter()
        .map(|head| Range { log: head.log, from: ours.size(head.log), to: head.size })
        .filter(|range| range.from < range.to)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(log: u8, size: u64) -> Head {
        Head { log: LogId::new([log; 32]), size, root: Hash::new([log; 32]) }
    }

    fn any_heads() -> impl Strategy<Value = Heads> {
        let sizes = prop_oneof![0_u64..5, any::<u64>()];
        prop::collection::vec((0_u8..6, sizes), 0..6)
            .prop_map(|all| all.into_iter().map(|(log, size)| head(log, size)).collect())
    }

    #[test]
    fn only_what_is_ahead_is_missing() {
        let ours: Heads = [head(1, 5), head(2, 7), head(3, 1)].into_iter().collect();
        let theirs: Heads =
            [head(1, 5), head(2, 9), head(3, 0), head(4, 2), head(5, 0)].into_iter().collect();
        let range = |log, from, to| Range { log: LogId::new([log; 32]), from, to };
        assert_eq!(missing(&ours, &theirs), [range(2, 7, 9), range(4, 0, 2)]);
        assert_eq!(missing(&theirs, &ours), [range(3, 0, 1)]);
    }

    #[test]
    fn inserting_gives_the_head_it_replaces() {
        let mut heads = Heads::new();
        assert!(heads.is_empty());
        assert_eq!(heads.insert(head(1, 5)), None);
        assert_eq!(heads.insert(head(1, 6)), Some(head(1, 5)));
        assert_eq!((heads.get(head(1, 0).log), heads.len()), (Some(head(1, 6)), 1));
        assert_eq!(heads.get(head(2, 0).log), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn nothing_is_missing_from_oneself(a in any_heads()) {
            prop_assert_eq!(missing(&a, &a), vec![]);
        }

        #[test]
        fn fetching_ends_it(mut ours in any_heads(), theirs in any_heads()) {
            for range in missing(&ours, &theirs) {
                prop_assert_eq!(range.from, ours.size(range.log));
                ours.insert(Head { log: range.log, size: range.to, root: Hash::new([0; 32]) });
            }
            prop_assert_eq!(missing(&ours, &theirs), vec![]);
        }
    }
}
