//! Reading what is stored again: a disk forgets in silence, and what it gave back would be served.
//!
//! A file whose bytes are others now is set aside under its digest, where nobody finds it, until
//! the right bytes come or no case names it any more. It counts as before.
//!
//! In scope: one file, slice by slice, or while it goes out; setting it aside. Out of scope: the
//! pace, and who has the right bytes ([`crate::node::evidence_scrub`]).

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};

use super::error::EvidenceError;
use super::hashes::{BothHashes, sha256_of};
use super::store::{self, EvidenceStore};
use crate::ids::Hash;

/// Read at a time: some 4 ms of a disk and of hashing.
const SLICE_BYTES: usize = 1024 * 1024;

/// What a look at one file came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Checked {
    /// It is what it was; its bytes.
    Whole(u64),
    /// It was something else and is set aside; bytes read.
    Rotten(u64),
    /// It is not there (any more).
    Gone,
}

/// Bytes of a file that go out from its beginning. SHA-256 alone: it takes less than sending them.
pub struct Watched {
    store: EvidenceStore,
    file: (Hash, u64),
    sha256: Context,
    bytes: u64,
}

impl Watched {
    /// The next of them.
    pub fn goes_out(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
    }

    /// Whether all of them went out and were not what the digest says. Then the file is read again
    /// and set aside, if it was no slip of the wire.
    pub async fn was_wrong(self) -> bool {
        let Self { store, file: (sha256, size), sha256: read, bytes } = self;
        if bytes != size || sha256_of(&read) == sha256 {
            return false;
        }
        if let Err(error) = store.check(sha256, Duration::ZERO).await {
            tracing::error!(%sha256, %error, "an evidence file could not be checked");
        }
        true
    }
}

impl EvidenceStore {
    /// Watches a file go out, from its first byte on.
    #[must_use]
    pub fn watch(&self, file: (Hash, u64)) -> Watched {
        Watched { store: self.clone(), file, sha256: Context::new(&SHA256), bytes: 0 }
    }

    /// Digest and size of every whole file, in the order of their digests.
    ///
    /// # Errors
    /// `Away`, `Disk`.
    pub async fn whole(&self) -> Result<Vec<(Hash, u64)>, EvidenceError> {
        let mut all = self.objects.list(store::FILES).await?;
        all.sort_unstable();
        Ok(all)
    }

    /// Reads a file again, with a pause after each slice, and sets it aside if it has rotted. One
    /// of which nothing is known any more has rotted too: it can be neither named nor read.
    ///
    /// # Errors
    /// `Away`; `Disk` when what is known of it cannot be looked at.
    pub async fn check(&self, sha256: Hash, pause: Duration) -> Result<Checked, EvidenceError> {
        let first = self.read_again(sha256, pause).await?;
        let Checked::Rotten(bytes) = first else {
            // Somebody has put the right bytes there, or taken the wrong ones away.
            self.lock().stuck.remove(&sha256);
            return Ok(first);
        };
        // Once more, and quickly: a slip of the wire is no rot.
        match self.read_again(sha256, Duration::ZERO).await? {
            Checked::Rotten(_) => {}
            other @ (Checked::Whole(_) | Checked::Gone) => return Ok(other),
        }
        self.set_aside(sha256).await?;
        Ok(Checked::Rotten(bytes))
    }

    async fn read_again(&self, sha256: Hash, pause: Duration) -> Result<Checked, EvidenceError> {
        let at = store::file(sha256);
        let size = match self.objects.size(&at).await {
            Ok(size) => size,
            Err(EvidenceError::NotHere) => return Ok(Checked::Gone),
            Err(error) => return Err(error),
        };
        let known = match self.known(sha256).await {
            Ok(known) => Some(known),
            Err(EvidenceError::NotHere) => None,
            Err(error) => return Err(error),
        };
        self.objects.forget(&at).await;
        let (mut hashes, mut from) = (BothHashes::new(), 0);
        while from < size {
            let to = from.saturating_add(SLICE_BYTES as u64).min(size);
            let bytes = match self.objects.range(&at, from..to).await {
                Ok(bytes) if !bytes.is_empty() => bytes,
                Err(EvidenceError::NotHere) => return Ok(Checked::Gone),
                Err(error @ EvidenceError::Away { .. }) => return Err(error),
                // A sector that cannot be read, or an end before the end.
                Ok(_) | Err(_) => return Ok(Checked::Rotten(from)),
            };
            from = from.saturating_add(bytes.len() as u64);
            let hashed = tokio::task::spawn_blocking(move || {
                hashes.update(&bytes);
                hashes
            });
            hashes = hashed.await.map_err(|e| EvidenceError::Disk(std::io::Error::other(e)))?;
            tokio::time::sleep(pause).await;
        }
        let (is_sha256, is_sm3) = hashes.finish();
        let fits = is_sha256 == sha256 && known.is_some_and(|known| known.sm3 == is_sm3);
        Ok(if fits { Checked::Whole(size) } else { Checked::Rotten(size) })
    }

    async fn set_aside(&self, sha256: Hash) -> Result<(), EvidenceError> {
        let _turn = self.turn.lock().await;
        let (from, to) = (store::file(sha256), store::rotten(sha256));
        let size = match self.objects.size(&from).await {
            Ok(size) => size,
            Err(EvidenceError::NotHere) => return Ok(()),
            Err(error) => return Err(error),
        };
        match self.objects.rename(&from, &to).await {
            Ok(()) => {}
            Err(EvidenceError::NotHere) => return Ok(()),
            Err(error) => {
                tracing::error!(%sha256, %error, "a rotten file stays, and is not read");
                self.lock().stuck.insert(sha256);
                return Ok(());
            }
        }
        {
            let mut held = self.lock();
            held.stuck.remove(&sha256);
            // What was set aside before it has been written over.
            let before = held.rotten.insert(sha256, size);
            held.subtract(before.unwrap_or(0));
        }
        if self.known(sha256).await.map_or(true, |known| known.size != size) {
            // It grew or shrank, or nobody knows: what it was counted as is on the disk no more.
            self.count_again().await;
        }
        tracing::error!(%sha256, "an evidence file has rotted and is set aside");
        Ok(())
    }

    /// Counts all that lies there, while nothing comes or goes; where it cannot be listed, it
    /// counts as before.
    async fn count_again(&self) {
        let all = (self.objects.list(store::FILES).await, self.objects.list(store::ROTTEN).await);
        if let (Ok(whole), Ok(rotten)) = all {
            self.count(&whole, rotten);
        }
    }

    /// The right bytes came, or nobody wants any: takes away what was set aside.
    pub(super) async fn throw_aside(&self, sha256: Hash) -> Result<(), EvidenceError> {
        self.lock().stuck.remove(&sha256);
        if !self.lock().rotten.contains_key(&sha256) {
            return Ok(());
        }
        self.objects.delete(&store::rotten(sha256)).await?;
        let mut held = self.lock();
        let bytes = held.rotten.remove(&sha256).unwrap_or(0);
        held.subtract(bytes);
        Ok(())
    }
}
