//! How many lines those have who call and may not.
//!
//! Whoever knocks all day must neither fill the disk nor hide somebody else who knocks: everybody
//! has a few lines of each minute and reason, and only what exceeds them is counted without a line.

use std::collections::BTreeMap;

use crate::limits::{AUDIT_REFUSALS_PER_MIN_MAX, AUDIT_REFUSED_CALLERS_PER_MIN_MAX};

/// Lines given in the current minute.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    minute: i64,
    /// By caller and reason.
    by: BTreeMap<(String, &'static str), u32>,
}

impl Refusals {
    /// Whether a call of `who` that was refused for `reason` at `time_ms` has a line.
    pub(super) fn has_line(&mut self, who: &str, reason: &'static str, time_ms: i64) -> bool {
        let minute = time_ms.div_euclid(60_000);
        if self.minute != minute {
            self.minute = minute;
            self.by.clear();
        }
        let key = (who.to_owned(), reason);
        if !self.by.contains_key(&key) && self.by.len() >= AUDIT_REFUSED_CALLERS_PER_MIN_MAX {
            return false;
        }
        let lines = self.by.entry(key).or_insert(0);
        *lines = lines.saturating_add(1);
        *lines <= AUDIT_REFUSALS_PER_MIN_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_hides_somebody_else() {
        let mut refusals = Refusals::default();
        let mut lines =
            |who: &str, ms| (0..1_000).filter(|_| refusals.has_line(who, "ROLE", ms)).count();
        let max = AUDIT_REFUSALS_PER_MIN_MAX as usize;
        assert_eq!(lines("loud", 59_000), max);
        assert_eq!(lines("quiet", 59_999), max);
        assert_eq!(lines("loud", 59_999), 0);
        assert_eq!(lines("loud", 60_000), max, "a new minute");
        // A clock that goes back begins a minute too.
        assert_eq!(lines("loud", 59_000), max);
        assert!(refusals.has_line("loud", "REVOKED", 59_000), "nor another reason of its own");
    }

    #[test]
    fn many_callers_have_a_bound() {
        let mut refusals = Refusals::default();
        let callers = AUDIT_REFUSED_CALLERS_PER_MIN_MAX + 10;
        let heard = (0..callers).filter(|n| refusals.has_line(&format!("{n}"), "ROLE", 0)).count();
        assert_eq!(heard, AUDIT_REFUSED_CALLERS_PER_MIN_MAX);
        assert!(refusals.has_line("0", "ROLE", 1), "those who are known go on");
    }
}
