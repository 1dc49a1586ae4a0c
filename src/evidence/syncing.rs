//! Syncing a part beside what is still written to it.
//!
//! While a part was synced by whoever wrote it, nothing was received, and what was given to be
//! hashed was soon hashed: a large file came in at half of what the disk can do. So the syncs have
//! a thread of their own, and the next stretch is written during the sync of the last one.
//!
//! What is synced leaves the system's cache: nobody reads it soon, and a large file would push out
//! what entries and lists are read from. Each page of it would be a new one besides, and on a
//! virtual machine that has to get its memory from the host first, filling a new page takes
//! longer than receiving it.
//!
//! In scope: the thread. Out of scope: how much is written between two syncs ([`super::incoming`]).
//!
//! Invariants:
//! 1. One sync runs at a time, and whoever wants the next one waits for it: two stretches at most
//!    wait for the disk. (`a_sync_is_asked_for_when_the_last_one_has_ended`)
//! 2. A sync that failed is told: the system says it once only. (`a_sync_that_failed_is_told`)

use std::fs::File;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use rustix::fs::Advice;

/// Syncs of one file. Dropping it ends the thread.
pub(super) struct Syncing {
    due: SyncSender<()>,
    /// None once its failure was told.
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Syncing {
    /// Of this file.
    ///
    /// # Errors
    /// When the operating system gives no thread or no second handle.
    pub(super) fn start(file: &File) -> io::Result<Self> {
        let file = file.try_clone()?;
        Self::with(move || sync(&file))
    }

    pub(super) fn with(sync: impl Fn() -> io::Result<()> + Send + 'static) -> io::Result<Self> {
        // Taken only when the thread is back for the next one.
        let (due, asked) = sync_channel::<()>(0);
        let run = move || asked.iter().try_for_each(|()| sync());
        let thread = std::thread::Builder::new().name("evidence-sync".to_owned()).spawn(run)?;
        Ok(Self { due, thread: Some(thread) })
    }

    /// Begins to sync what was written so far; blocks while the last sync runs.
    ///
    /// # Errors
    /// Why an earlier sync failed.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        match self.due.send(()) {
            Ok(()) => Ok(()),
            Err(_) => self.ended(),
        }
    }

    /// Waits for the last sync.
    ///
    /// # Errors
    /// Why it or an earlier one failed.
    pub(super) fn finish(self) -> io::Result<()> {
        let Self { due, thread } = self;
        drop(due);
        join(thread)
    }

    fn ended(&mut self) -> io::Result<()> {
        join(self.thread.take())
    }
}

/// A sync, and what is synced leaves the cache.
fn sync(file: &File) -> io::Result<()> {
    file.sync_data()?;
    // A word to the system, which may do otherwise: nothing depends on it.
    let _ = rustix::fs::fadvise(file, 0, None, Advice::DontNeed);
    Ok(())
}

fn join(thread: Option<JoinHandle<io::Result<()>>>) -> io::Result<()> {
    let gone = || io::Error::other("the syncing thread is gone");
    thread.and_then(|thread| thread.join().ok()).unwrap_or_else(|| Err(gone()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_sync_is_asked_for_when_the_last_one_has_ended() {
        let (begun, ended) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let (first, last) = (Arc::clone(&begun), Arc::clone(&ended));
        let slow = move || {
            first.fetch_add(1, Ordering::SeqCst);
            std::thread::yield_now();
            last.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        let mut syncing = Syncing::with(slow).unwrap();
        for nth in 0..100 {
            syncing.begin().unwrap();
            // All before this one have ended; this one may have begun.
            assert!(ended.load(Ordering::SeqCst) >= nth);
            assert!(begun.load(Ordering::SeqCst) <= nth + 1);
        }
        syncing.finish().unwrap();
        assert_eq!(ended.load(Ordering::SeqCst), 100);
    }

    #[test]
    fn a_sync_that_failed_is_told() {
        let failing = || Syncing::with(|| Err(io::ErrorKind::StorageFull.into())).unwrap();
        let mut syncing = failing();
        syncing.begin().unwrap();
        assert_eq!(syncing.begin().unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(syncing.begin().is_err(), "and nothing is synced any more");
        assert!(syncing.finish().is_err());
        let mut syncing = failing();
        syncing.begin().unwrap();
        assert_eq!(syncing.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
