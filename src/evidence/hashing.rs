//! Both digests of a file that comes in: SM3 on a thread of its own, SHA-256 meanwhile.
//!
//! SM3 is the slowest thing that happens to a byte of evidence: one core does some 375 MiB/s of it,
//! and it cannot be divided. So it runs beside everything else, and that waits for it only when it
//! is some pieces behind. It has a lower priority: a core that it would keep for itself is what
//! entries wait for while a file comes in. SHA-256, which processors have instructions for, is left
//! to whoever gives the pieces.
//!
//! In scope: the thread. Out of scope: what the digests are compared with ([`super::incoming`]).
//!
//! Invariants:
//! 1. What is finished covers every byte that was given, in order.
//!    (`pieces_are_hashed_in_order_and_to_the_last`)
//! 2. Whatever else the node does comes before it. (`hashing_gives_way`)

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use aws_lc_rs::digest::Context;
use bytes::Bytes;
use sm3::{Digest, Sm3};

use super::hashes::BothHashes;
use crate::ids::Hash;

/// Pieces that may wait; each is at most as large as a chunk. Enough for some milliseconds, which a
/// core that is busy with something else keeps this thread waiting.
const PIECES_MAX: usize = 8;
/// How far it gives way: where cores are short it has a tenth of what others have, and whoever
/// wakes up goes before it. Not the lowest, so that a file comes on beside other programs.
const NICE: i32 = 10;

/// Digests under way. Dropping it ends the thread.
pub(super) struct Hashing {
    sha256: Context,
    pieces: SyncSender<Bytes>,
    thread: JoinHandle<Sm3>,
}

impl Hashing {
    /// Goes on from what was hashed so far.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub(super) fn start(hashes: BothHashes) -> io::Result<Self> {
        let BothHashes { sha256, mut sm3 } = hashes;
        let (pieces, given) = sync_channel::<Bytes>(PIECES_MAX);
        let hash = move || {
            // Of this thread alone. A system that refuses lets it run as any other.
            let _ = rustix::process::setpriority_process(None, NICE);
            for piece in given {
                sm3.update(&piece);
            }
            sm3
        };
        let thread = std::thread::Builder::new().name("evidence".to_owned()).spawn(hash)?;
        Ok(Self { sha256, pieces, thread })
    }

    /// Takes the next bytes; blocks while too much waits.
    ///
    /// # Errors
    /// When the thread is gone.
    pub(super) fn update(&mut self, bytes: &Bytes) -> io::Result<()> {
        self.pieces.send(bytes.clone()).map_err(|_| gone())?;
        self.sha256.update(bytes);
        Ok(())
    }

    /// Both digests of everything that was given; blocks until all is hashed.
    ///
    /// # Errors
    /// When the thread is gone.
    pub(super) fn finish(self) -> io::Result<(Hash, [u8; 32])> {
        let Self { sha256, pieces, thread } = self;
        drop(pieces);
        let sm3 = thread.join().map_err(|_| gone())?;
        Ok(BothHashes { sha256, sm3 }.finish())
    }
}

fn gone() -> io::Error {
    io::Error::other("the hashing thread is gone")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_hashed_in_order_and_to_the_last() {
        let bytes: Vec<u8> = (0..=250_u8).cycle().take(100_003).collect();
        let (before, rest) = bytes.split_at(1_000);
        let mut whole = BothHashes::new();
        whole.update(&bytes);
        let mut begun = BothHashes::new();
        begun.update(before);
        let mut hashing = Hashing::start(begun).unwrap();
        for piece in rest.chunks(777) {
            hashing.update(&Bytes::copy_from_slice(piece)).unwrap();
        }
        assert_eq!(hashing.finish().unwrap(), whole.finish());
    }

    /// The niceness of every thread that hashes, and of the one that asks.
    #[cfg(target_os = "linux")]
    fn niceness() -> (Vec<i32>, i32) {
        let nice = |stat: String| {
            // Behind the name, which may hold anything. State is the first field, this the 17th.
            let (_, fields) = stat.rsplit_once(')').unwrap();
            fields.split_whitespace().nth(16).unwrap().parse::<i32>().unwrap()
        };
        let read = |path: &std::path::Path| std::fs::read_to_string(path);
        let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
        // Threads of other tests may end meanwhile.
        let hashing = tasks.filter(|task| {
            read(&task.join("comm")).is_ok_and(|name| name.trim_end() == "evidence")
        });
        let all = hashing.filter_map(|task| read(&task.join("stat")).ok()).map(nice).collect();
        (all, nice(read("/proc/thread-self/stat".as_ref()).unwrap()))
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn hashing_gives_way() {
        let (_, before) = niceness();
        let mut hashing = Hashing::start(BothHashes::new()).unwrap();
        // The last of these finds room only when the thread has come to take the first.
        for _ in 0..=PIECES_MAX {
            hashing.update(&Bytes::from_static(&[0; 1_000])).unwrap();
        }
        let (all, own) = niceness();
        assert!(all.iter().any(|nice| *nice >= NICE), "{all:?}");
        assert_eq!(own, before, "whoever gives the pieces is what it was");
        hashing.finish().unwrap();
    }
}
