//! Keeps the high-water mark: a tiny file outside backups, written once a second and at shutdown,
//! only with what is synced.

use std::path::PathBuf;

use crate::journal::guard::{Grown, Guard};
use crate::node::core::Now;
use crate::node::watchdog::Pulse;

/// How often the mark is written, in milliseconds.
const EVERY_MS: u64 = 1_000;

/// Writes the mark when it has moved.
#[derive(Debug)]
pub struct GuardKeeper {
    path: PathBuf,
    written_ms: u64,
    guard: Guard,
    pulse: Option<Pulse>,
}

impl GuardKeeper {
    /// Keeps the mark at `path`, going on from what it says.
    #[must_use]
    pub fn new(path: PathBuf, guard: Guard) -> Self {
        Self { path, written_ms: 0, guard, pulse: None }
    }

    /// Tells the watchdog each time the mark is as it should be.
    pub fn watched(&mut self, pulse: Pulse) {
        self.pulse = Some(pulse);
    }

    /// Writes the mark, if a second has passed since and it has moved.
    pub fn keep(&mut self, now: Now, grown: &dyn Fn() -> Option<Grown>) {
        if now.mono_ms.saturating_sub(self.written_ms) < EVERY_MS {
            return;
        }
        self.written_ms = now.mono_ms;
        self.keep_now(grown());
    }

    /// Writes the mark now, if it has moved. Nothing is said of a moment at which it must not.
    pub fn keep_now(&mut self, grown: Option<Grown>) {
        let mut guard = self.guard.clone();
        if let Some(grown) = grown {
            guard.raise(&grown);
        }
        if guard != self.guard
            && let Err(error) = guard.write(&self.path)
        {
            tracing::error!(%error, "could not write the guard file");
            if let Some(pulse) = &self.pulse {
                pulse.failed(&error.to_string());
            }
            return;
        }
        self.guard = guard;
        if let Some(pulse) = &self.pulse {
            pulse.done();
        }
    }
}
