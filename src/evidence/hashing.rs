//! Both digests of a file that comes in, on a thread of their own.
//!
//! SM3 is the slowest thing that happens to a byte of evidence: one core does some 250 MiB/s of it,
//! and it cannot be divided. So it runs beside receiving and writing, and those wait for it only
//! when it is some pieces behind.
//!
//! In scope: the thread. Out of scope: what the digests are compared with ([`super::incoming`]).
//!
//! Invariant: what is finished covers every byte that was given, in order.
//! (`pieces_are_hashed_in_order_and_to_the_last`)

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::hashes::BothHashes;
use crate::ids::Hash;

/// Pieces that may wait; each is at most as large as a chunk.
const PIECES_MAX: usize = 4;

/// Digests under way. Dropping it ends the thread.
pub(super) struct Hashing {
    pieces: SyncSender<Vec<u8>>,
    thread: JoinHandle<BothHashes>,
}

impl Hashing {
    /// Goes on from what was hashed so far.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub(super) fn start(mut hashes: BothHashes) -> io::Result<Self> {
        let (pieces, given) = sync_channel::<Vec<u8>>(PIECES_MAX);
        let hash = move || {
            for piece in given {
                hashes.update(&piece);
            }
            hashes
        };
        let thread = std::thread::Builder::new().name("evidence".to_owned()).spawn(hash)?;
        Ok(Self { pieces, thread })
    }

    /// Takes the next bytes; blocks while too much waits.
    ///
    /// # Errors
    /// When the thread is gone.
    pub(super) fn update(&self, bytes: &[u8]) -> io::Result<()> {
        self.pieces.send(bytes.to_vec()).map_err(|_| gone())
    }

    /// Both digests of everything that was given; blocks until all is hashed.
    ///
    /// # Errors
    /// When the thread is gone.
    pub(super) fn finish(self) -> io::Result<(Hash, [u8; 32])> {
        drop(self.pieces);
        self.thread.join().map(|hashes| hashes.finish()).map_err(|_| gone())
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
        let hashing = Hashing::start(begun).unwrap();
        for piece in rest.chunks(777) {
            hashing.update(piece).unwrap();
        }
        assert_eq!(hashing.finish().unwrap(), whole.finish());
    }
}
