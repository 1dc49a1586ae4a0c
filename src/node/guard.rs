//! Keeps the high-water mark: a tiny file outside backups, written once a second and at shutdown,
//! only with synced sizes.

use std::path::PathBuf;

use crate::ids::LogId;
use crate::journal::guard::Guard;
use crate::node::core::Now;

/// How often the mark is written, in milliseconds.
const EVERY_MS: u64 = 1_000;

/// Writes the mark when it has moved.
#[derive(Debug)]
pub struct GuardKeeper {
    path: PathBuf,
    written_ms: u64,
    last: Vec<(LogId, u64)>,
}

impl GuardKeeper {
    /// Keeps the mark at `path`.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, written_ms: 0, last: Vec::new() }
    }

    /// Writes the mark, if a second has passed since and it has moved.
    pub fn keep(&mut self, now: Now, journal_id: [u8; 16], sizes: &dyn Fn() -> Vec<(LogId, u64)>) {
        if now.mono_ms.saturating_sub(self.written_ms) < EVERY_MS {
            return;
        }
        self.written_ms = now.mono_ms;
        self.keep_now(journal_id, &sizes());
    }

    /// Writes the mark now, if it has moved.
    pub fn keep_now(&mut self, journal_id: [u8; 16], sizes: &[(LogId, u64)]) {
        if sizes.is_empty() || self.last == sizes {
            return;
        }
        let guard = Guard { journal_id, sizes: sizes.to_vec() };
        match guard.write(&self.path) {
            Ok(()) => self.last = sizes.to_vec(),
            Err(error) => tracing::error!(%error, "could not write the guard file"),
        }
    }
}
