//! How fast an evidence file comes in: as fast as it can, and steadily while entries come.
//!
//! A file that comes in keeps the cores and the disk that entries need as well, and what makes them
//! wait is a burst of it. So its pieces are spread out while entries come in or go out here. Who
//! sends them waits with them: nothing is read from the connection meanwhile.
//!
//! In scope: for how long to wait. Out of scope: taking the pieces ([`super::evidence_files`]).
//!
//! Invariants:
//! 1. Without entries nothing waits; with them so many bytes a second come in, and no fewer.
//!    (`a_file_waits_only_while_entries_come`)

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::limits::EVIDENCE_BESIDE_ENTRIES_BYTES_PER_S;

/// An entry was applied so short a time ago that the next one may be on its way.
const ENTRIES_COME: Duration = Duration::from_secs(1);

/// One file on its way in.
pub(super) struct Pace {
    applied: watch::Receiver<u64>,
    turn: Turn,
}

impl Pace {
    /// Begins with its first piece. `applied` is what the node has applied.
    pub(super) fn new(applied: watch::Receiver<u64>) -> Self {
        let turn = Turn { applied: *applied.borrow(), moved: None, free_at: Instant::now() };
        Self { applied, turn }
    }

    /// Waits for the turn of the next piece after one of so many bytes.
    pub(super) async fn rest(&mut self, bytes: usize) {
        let applied = *self.applied.borrow();
        let rest = self.turn.after(bytes, applied, Instant::now());
        if !rest.is_zero() {
            tokio::time::sleep(rest).await;
        }
    }
}

/// Whose turn it is.
struct Turn {
    applied: u64,
    /// When an entry was applied last, as far as this file knows.
    moved: Option<Instant>,
    /// When the next piece would come at that rate.
    free_at: Instant,
}

impl Turn {
    fn after(&mut self, bytes: usize, applied: u64, now: Instant) -> Duration {
        if applied != self.applied {
            (self.applied, self.moved) = (applied, Some(now));
        }
        let entries_come =
            self.moved.is_some_and(|at| now.saturating_duration_since(at) < ENTRIES_COME);
        if !entries_come {
            self.free_at = now;
            return Duration::ZERO;
        }
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let micros = bytes.saturating_mul(1_000_000) / EVIDENCE_BESIDE_ENTRIES_BYTES_PER_S;
        // Time that was lost is not made up for: that would be a burst.
        self.free_at = (self.free_at + Duration::from_micros(micros)).max(now);
        self.free_at.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_waits_only_while_entries_come() {
        let begun = Instant::now();
        let at = |ms: u64| begun + Duration::from_millis(ms);
        let mut turn = Turn { applied: 5, moved: None, free_at: begun };
        // An eighth of what may come in a second.
        let bytes = usize::try_from(EVIDENCE_BESIDE_ENTRIES_BYTES_PER_S / 8).unwrap();
        // When a piece has come, what was applied by then, and how long the next one waits.
        let rows = [
            ("no entries", 1, 5, 0),
            ("no entries for long", 10_000, 5, 0),
            ("an entry", 10_010, 6, 115),
            ("beside it", 10_135, 6, 115),
            ("the connection is slower", 10_500, 6, 0),
            ("what was lost is not made up for", 10_520, 7, 105),
            ("the entries have ended", 11_520, 7, 0),
        ];
        for (what, ms, applied, waits) in rows {
            let rest = turn.after(bytes, applied, at(ms));
            assert_eq!(rest, Duration::from_millis(waits), "{what}");
        }
    }
}
