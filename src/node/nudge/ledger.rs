//! What was told already, and when: so that each matter is told once, and again only after a while.
//!
//! It lies in `hook.json` beside the data. It is written after a nudge was taken and before the
//! next one leaves, so that a restart rings nothing anew; a process that dies between the two, or a
//! file that is lost, costs one nudge too many and never one too few.
//!
//! In scope: which matters are due, pauses. Out of scope: what they are.
//!
//! Invariants:
//! 1. A matter that was told is not told again before its time, whatever starts in between.
//!    (`nudge_matters_are_told_once_and_again_after_a_while`)
//! 2. Whatever the file says, nudging goes on. (`nudge_a_ledger_that_cannot_be_read_is_empty`)

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::matter::Matter;
use crate::limits::NUDGE_MATTERS_MAX;

/// First pause after a nudge that was not taken; it doubles.
const PAUSE_FIRST_MS: i64 = 2_000;
/// Longest pause.
pub(super) const PAUSE_MAX_MS: i64 = 600_000;

/// What is remembered. Times are milliseconds since 1970-01-01 UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Ledger {
    /// Matters that still wait, and when they were last told.
    told: BTreeMap<String, i64>,
    /// When a nudge was last taken.
    pub last_ok_ms: Option<i64>,
    /// When one was last tried, and why it failed.
    pub last_try_ms: Option<i64>,
    pub failure: Option<String>,
    /// Tries that failed since the last one that did not.
    failures: u32,
}

impl Ledger {
    pub fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub fn write(&self, file: &Path) {
        let beside = file.with_extension("new");
        let text = serde_json::to_string(self).unwrap_or_default();
        let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, file));
        if let Err(error) = written {
            tracing::warn!(file = %file.display(), %error, "could not note what was nudged");
        }
    }

    /// Matters that are to be told now, the gravest, as many as go into one nudge. What was told
    /// takes no room of them.
    pub fn due(&self, waiting: &BTreeSet<Matter>, now_ms: i64, again_ms: i64) -> Vec<Matter> {
        // A clock that was set back a little tells nothing anew; one that was far ahead does.
        let waits = |at: &i64| now_ms.abs_diff(*at) < again_ms.unsigned_abs();
        let due = |matter: &&Matter| {
            let told = self.told.get(&matter.key());
            !told.is_some_and(|at| matter.kind.is_told_once() || waits(at))
        };
        waiting.iter().filter(due).take(NUDGE_MATTERS_MAX).cloned().collect()
    }

    /// Before this time nothing leaves: two nudges are `every_ms` apart, and pauses double after
    /// failures.
    pub fn not_before_ms(&self, every_ms: i64) -> i64 {
        let spaced = self.last_ok_ms.map_or(0, |at| at.saturating_add(every_ms));
        let doubled = 1_i64.checked_shl(self.failures.saturating_sub(1).min(30)).unwrap_or(1);
        let pause = PAUSE_FIRST_MS.saturating_mul(doubled).min(PAUSE_MAX_MS);
        let retry = self.last_try_ms.filter(|_| self.failures > 0);
        spaced.max(retry.map_or(0, |at| at.saturating_add(pause)))
    }

    /// A nudge about these was taken, or not. What no longer waits is forgotten.
    pub fn ended(
        &mut self,
        about: &[Matter],
        waiting: &BTreeSet<Matter>,
        now_ms: i64,
        done: Result<(), String>,
    ) {
        self.last_try_ms = Some(now_ms);
        match done {
            Ok(()) => {
                (self.last_ok_ms, self.failure, self.failures) = (Some(now_ms), None, 0);
                self.told.extend(about.iter().map(|matter| (matter.key(), now_ms)));
            }
            Err(why) => {
                self.failures = self.failures.saturating_add(1);
                self.failure = Some(why);
            }
        }
        let waits: BTreeSet<String> = waiting.iter().map(Matter::key).collect();
        self.told.retain(|key, _| waits.contains(key));
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use super::super::matter::Kind;
    use super::*;
    use crate::domain::Date;
    use crate::ids::{AgreementId, SubjectId};

    fn matters(all: &[u8]) -> BTreeSet<Matter> {
        let one = |nth: &u8| Matter {
            kind: Kind::Transfer,
            over_on: None,
            agreement: AgreementId::new([0; 16]),
            subject: SubjectId::new([*nth; 16]),
            which: String::new(),
        };
        all.iter().map(one).collect()
    }

    #[test]
    fn nudge_matters_are_told_once_and_again_after_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let (file, mut ledger) = (folder.path().join("hook.json"), Ledger::default());
        let (one, both) = (matters(&[1]), matters(&[1, 2]));
        let due = |ledger: &Ledger, now_ms| ledger.due(&both, now_ms, 1_000).len();
        assert_eq!(due(&ledger, 0), 2);
        let told: Vec<Matter> = one.iter().cloned().collect();
        ledger.ended(&told, &both, 10_000, Ok(()));
        ledger.write(&file);
        let mut ledger = Ledger::read(&file);
        assert_eq!((due(&ledger, 10_001), due(&ledger, 10_999), due(&ledger, 11_000)), (1, 1, 2));
        assert_eq!((due(&ledger, 9_500), due(&ledger, 1_000)), (1, 2), "the clock was set back");
        assert_eq!(ledger.not_before_ms(300), 10_300);
        // Somebody has acted; when the same matter comes back it is told.
        ledger.ended(&[], &matters(&[2]), 10_100, Ok(()));
        assert_eq!(due(&ledger, 10_200), 2);
    }

    #[test]
    fn nudge_what_is_over_is_told_once() {
        let over = |one: Matter| Matter { kind: Kind::DeadlineOver, ..one };
        let both: BTreeSet<Matter> = matters(&[1, 2]).into_iter().map(over).collect();
        let mut ledger = Ledger::default();
        assert_eq!(ledger.due(&both, 0, 1_000).len(), 2);
        let told: Vec<Matter> = both.iter().take(1).cloned().collect();
        ledger.ended(&told, &both, 0, Ok(()));
        let left: Vec<Matter> = both.iter().skip(1).cloned().collect();
        assert_eq!(ledger.due(&both, i64::MAX, 1_000), left, "however long ago");
    }

    #[test]
    fn nudge_of_many_terms_that_are_over_each_is_told_once_the_newest_first() {
        let count = i64::try_from(NUDGE_MATTERS_MAX).unwrap() + 500;
        let over = |nth: i64| Matter {
            kind: Kind::DeadlineOver,
            over_on: Date::from_days_since_epoch(nth).map(Reverse),
            agreement: AgreementId::new([0; 16]),
            subject: SubjectId::new([0; 16]),
            which: nth.to_string(),
        };
        let all: BTreeSet<Matter> = (0..count).map(over).collect();
        let mut ledger = Ledger::default();
        let first = ledger.due(&all, 0, 1_000);
        assert_eq!((first.len(), &first[0]), (NUDGE_MATTERS_MAX, &over(count - 1)));
        ledger.ended(&first, &all, 0, Ok(()));
        let rest = ledger.due(&all, 1, 1_000);
        assert_eq!((rest.len(), &rest[0]), (500, &over(499)), "what was told takes no room");
        ledger.ended(&rest, &all, 1, Ok(()));
        assert!(ledger.due(&all, i64::MAX, 1_000).is_empty(), "and is not forgotten");
    }

    #[test]
    fn nudge_pauses_double_and_a_failure_tells_nothing() {
        let (mut ledger, one) = (Ledger::default(), matters(&[1]));
        let told: Vec<Matter> = one.iter().cloned().collect();
        for pause in [2_000, 4_000, 8_000] {
            ledger.ended(&told, &one, 50_000, Err("refused".to_owned()));
            assert_eq!(ledger.not_before_ms(1), 50_000 + pause);
            assert_eq!(ledger.due(&one, 50_000, 1_000).len(), 1);
        }
        for _ in 0..100 {
            ledger.ended(&told, &one, 50_000, Err("refused".to_owned()));
        }
        assert_eq!(ledger.not_before_ms(1), 50_000 + PAUSE_MAX_MS);
        ledger.ended(&told, &one, 60_000, Ok(()));
        assert_eq!((ledger.not_before_ms(1), ledger.failure), (60_001, None));
    }

    #[test]
    fn nudge_a_ledger_that_cannot_be_read_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hook.json");
        assert_eq!(Ledger::read(&file), Ledger::default());
        std::fs::write(&file, "{\"told\": [").unwrap();
        assert_eq!(Ledger::read(&file), Ledger::default());
    }
}
