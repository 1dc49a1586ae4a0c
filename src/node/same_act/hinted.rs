//! Which cases have a hint, so that a list of them compares only what has changed since the last
//! list.
//!
//! Whether two cases may be one act does not depend on which came first. So what is known of a case
//! stays true until it changes itself, or another one of its party whose days may overlap comes or
//! goes. Nothing is compared when a case comes: that would be a look at all others of its party.
//!
//! In scope: of which cases it is known, and what. Out of scope: comparing them ([`super`]).
//!
//! Invariants:
//! 1. A case that has a hint is among those named, and what is known of one is what comparing it
//!    anew would find. (`lists_name_what_has_a_hint_and_compare_it_once`)

use std::collections::BTreeMap;

use super::by_party::{ByParty, Days};
use crate::ids::{CaseKey, Tag};

/// Where a case lies: its party, its days and itself.
pub(super) type Lies = (Tag, Days, CaseKey);

/// Cases whose party has others.
#[derive(Default)]
pub(super) struct Hinted {
    /// By their openings: `true` has a hint, `false` may have one.
    named: BTreeMap<u64, bool>,
    /// Those that have none.
    without: ByParty,
}

impl Hinted {
    /// The openings, newest first, of all cases that have a hint or may have one.
    pub(super) fn named(&self) -> Vec<u64> {
        self.named.keys().rev().copied().collect()
    }

    /// What is known of a case; `None` when it has to be compared.
    pub(super) fn is_known(&self, opened: u64) -> Option<bool> {
        match self.named.get(&opened) {
            Some(true) => Some(true),
            Some(false) => None,
            None => Some(false),
        }
    }

    /// A case was compared.
    pub(super) fn is_now(&mut self, opened: u64, (party, days, case): Lies, has_any: bool) {
        if has_any {
            self.named.insert(opened, true);
        } else {
            self.named.remove(&opened);
            self.without.insert(party, days, case);
        }
    }

    /// A case has to be compared: it came or changed, or others of its party did.
    pub(super) fn may_have(&mut self, opened: u64, lies: Lies) {
        self.forget(opened, lies);
        self.named.insert(opened, false);
    }

    /// A case went, or is the only one of its party.
    pub(super) fn forget(&mut self, opened: u64, (party, days, case): Lies) {
        self.named.remove(&opened);
        self.without.remove(party, days, case);
    }

    /// Cases without a hint whose days may overlap: one that comes may be one act with them.
    pub(super) fn without(&self, party: Tag, days: Days) -> Vec<CaseKey> {
        self.without.may_overlap(party, days).collect()
    }

    /// Whether a case has a hint for sure.
    pub(super) fn has(&self, opened: u64) -> bool {
        self.named.get(&opened) == Some(&true)
    }
}
