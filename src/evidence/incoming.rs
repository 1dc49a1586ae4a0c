//! A file that comes in: chunk by chunk into its part, then under its digest.
//!
//! Everything but [`Incoming::finish`] blocks; call it off the threads that serve calls.
//!
//! Invariants:
//! 1. A part of which a sync failed is gone with the file under way.
//!    (`a_part_that_was_not_synced_is_gone`)

use std::fs::File;
use std::io::{self, Read, Write};

use bytes::Bytes;

use super::about::{About, CaseRef};
use super::error::EvidenceError;
use super::hashes::BothHashes;
use super::hashing::Hashing;
use super::store::{self, EvidenceStore, Held, UnderWay};
use super::syncing::Syncing;
use crate::ids::{CityCode, Hash};
use crate::limits::{
    EVIDENCE_CHUNK_BYTES_MAX, EVIDENCE_UPLOADS_MAX, EVIDENCE_UPLOADS_PER_CALLER_MAX,
};

/// After so many bytes a part is synced: a few milliseconds of a disk.
const SYNC_AFTER: u64 = 4 * 1024 * 1024;
/// Bytes of a part that are read at a time to hash what is here.
const READ_BYTES: usize = 256 * 1024;

/// A file as its sender announces it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// Its SHA-256.
    pub sha256: Hash,
    /// Its SM3.
    pub sm3: [u8; 32],
    /// Its size in bytes.
    pub size: u64,
    /// What it is called, checked.
    pub name: String,
    /// The case that names it.
    pub case: CaseRef,
    /// Which other city sends it; `None`: people of this one.
    pub from: Option<CityCode>,
}

/// A place among the files that come in; given back when it is dropped.
struct Place {
    store: EvidenceStore,
    sha256: Hash,
    /// Syncs of the part; none once they have ended, or where none began.
    syncing: Option<Syncing>,
}

impl Place {
    fn throw_away(&self) -> Result<(), EvidenceError> {
        std::fs::remove_file(self.store.part(self.sha256)).map_err(EvidenceError::Disk)
    }

    /// Begins to sync what was written so far.
    fn sync(&mut self) -> Result<(), EvidenceError> {
        let begun = self.syncing.as_mut().map_or(Ok(()), Syncing::begin);
        self.kept_if(begun)
    }

    /// Waits for the last sync.
    fn synced(&mut self) -> Result<(), EvidenceError> {
        let ended = self.syncing.take().map_or(Ok(()), Syncing::finish);
        self.kept_if(ended)
    }

    /// The system tells it once that a sync has failed, and calls the pages clean then: whoever
    /// went on with the part would find it whole in the cache. So it comes anew.
    fn kept_if(&self, synced: io::Result<()>) -> Result<(), EvidenceError> {
        synced.map_err(|error| {
            // There may be none any more; what cannot be taken away is told of by the next sync.
            let _ = self.throw_away();
            EvidenceError::Disk(error)
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Of a file that was cut, too: a sync under way may fail. It takes some milliseconds.
        let _ = self.synced();
        let mut held = self.store.lock();
        let part = self.store.part(self.sha256);
        match std::fs::metadata(&part).map_or(0, |data| data.len()) {
            // Nothing came: nothing is left. There may be no such file any more.
            0 => {
                let _ = std::fs::remove_file(part);
                held.part_is_gone(self.sha256);
                self.store.forget_sender(self.sha256);
            }
            bytes => {
                held.parts.insert(self.sha256, bytes);
            }
        }
        held.under_way.remove(&self.sha256);
    }
}

/// A file under way. Dropping it keeps what came, for the next to go on.
pub struct Incoming {
    place: Place,
    wanted: Wanted,
    file: File,
    hashing: Hashing,
    offset: u64,
    /// Bytes written since the last sync.
    unsynced: u64,
}

impl EvidenceStore {
    /// Begins to take a file, or goes on at `from` with what the same sender sent of it for the
    /// same case. At 0, what somebody else sent of it is thrown away.
    ///
    /// # Errors
    /// `TooLarge`, `Busy`, `WrongOffset`, `PendingFull`, `FolderFull`, `DiskLow`, `Away`, `Disk`;
    /// nothing is changed, but by `Disk`.
    pub fn begin(&self, who: &str, wanted: Wanted, from: u64) -> Result<Incoming, EvidenceError> {
        let (sha256, size) = (wanted.sha256, wanted.size);
        let limit = self.limits.file_bytes_max;
        if size > limit {
            return Err(EvidenceError::TooLarge { got: size, limit });
        }
        let mut place = self.enter(who, &wanted, from)?;
        if from == 0 {
            let sender = (wanted.case, wanted.from);
            self.begin_anew(sha256, sender).map_err(EvidenceError::Disk)?;
        }
        let mut file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(self.part(sha256))
            .map_err(EvidenceError::Disk)?;
        let mut hashes = BothHashes::new();
        let offset = hash_all(&mut file, &mut hashes).map_err(EvidenceError::Disk)?;
        let hashing = Hashing::start(hashes).map_err(EvidenceError::Disk)?;
        place.syncing = Some(Syncing::start(&file).map_err(EvidenceError::Disk)?);
        Ok(Incoming { place, wanted, file, hashing, offset, unsynced: 0 })
    }

    /// Takes a place, if there is one and all that is announced fits.
    fn enter(&self, who: &str, wanted: &Wanted, from: u64) -> Result<Place, EvidenceError> {
        let (sha256, size) = (wanted.sha256, wanted.size);
        let mut held = self.lock();
        let mine = held.under_way.values().filter(|one| one.who == who).count();
        let full =
            held.under_way.len() >= EVIDENCE_UPLOADS_MAX || mine >= EVIDENCE_UPLOADS_PER_CALLER_MAX;
        if full || held.under_way.contains_key(&sha256) {
            return Err(EvidenceError::Busy);
        }
        let staged = self.goes_on_at((sha256, size), wanted.case, wanted.from);
        if from != staged {
            return Err(EvidenceError::WrongOffset { expected: staged, got: from });
        }
        self.check_pending(&held, wanted)?;
        // What somebody else sent of it makes room.
        let before = held.parts.insert(sha256, staged);
        if let Err(error) = self.check_room(&held, size - staged) {
            match before {
                Some(bytes) => held.parts.insert(sha256, bytes),
                None => held.parts.remove(&sha256),
            };
            return Err(error);
        }
        held.senders.insert(sha256, wanted.from);
        held.under_way.insert(sha256, UnderWay { who: who.to_owned(), size });
        Ok(Place { store: self.clone(), sha256, syncing: None })
    }

    /// One city's unfinished files leave room for those of others; one file of it always fits.
    fn check_pending(&self, held: &Held, wanted: &Wanted) -> Result<(), EvidenceError> {
        let Wanted { sha256, size, from, .. } = *wanted;
        let limit = self.limits.pending_bytes_max.max(self.limits.file_bytes_max);
        let used = held.pending(from, sha256);
        if used.saturating_add(size) > limit {
            return Err(EvidenceError::PendingFull { from, used, limit });
        }
        Ok(())
    }

    fn check_room(&self, held: &Held, more: u64) -> Result<(), EvidenceError> {
        if held.kept.is_none() {
            let why = self.objects.health().failure;
            return Err(EvidenceError::Away { why: why.unwrap_or_default() });
        }
        let (used, limit) = (held.used(), self.limits.folder_bytes_max);
        if used.saturating_add(more) > limit {
            return Err(EvidenceError::FolderFull { used, limit });
        }
        let free = self.free()?;
        let left = free.saturating_sub(held.to_come()).saturating_sub(more);
        if left < self.limits.disk_low_bytes {
            return Err(EvidenceError::DiskLow { free });
        }
        Ok(())
    }
}

/// Hashes a part from its beginning; its length.
fn hash_all(file: &mut File, hashes: &mut BothHashes) -> io::Result<u64> {
    let (mut buffer, mut length) = (vec![0; READ_BYTES], 0);
    loop {
        let read = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            return Ok(length);
        };
        hashes.update(bytes);
        length += read as u64;
    }
}

impl Incoming {
    /// Bytes here.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// `ChunkTooLarge`, `Long` (the part is gone), `DiskLow`, `Disk`.
    pub fn append(&mut self, bytes: &Bytes) -> Result<(), EvidenceError> {
        let (got, limit) = (bytes.len(), EVIDENCE_CHUNK_BYTES_MAX);
        if got > limit {
            return Err(EvidenceError::ChunkTooLarge { got, limit });
        }
        let size = self.wanted.size;
        if self.offset.saturating_add(got as u64) > size {
            self.place.throw_away()?;
            return Err(EvidenceError::Long { size });
        }
        let free = self.place.store.free()?;
        if free.saturating_sub(got as u64) < self.place.store.limits.disk_low_bytes {
            return Err(EvidenceError::DiskLow { free });
        }
        self.hashing.update(bytes).map_err(EvidenceError::Disk)?;
        self.file.write_all(bytes).map_err(EvidenceError::Disk)?;
        self.unsynced += got as u64;
        if self.unsynced >= SYNC_AFTER {
            // A gigabyte synced at its end would keep the journal's own syncs waiting.
            self.place.sync()?;
            self.unsynced = 0;
        }
        self.offset += got as u64;
        self.place.store.lock().parts.insert(self.wanted.sha256, self.offset);
        Ok(())
    }

    /// Checks what came and puts it under its digest, synced; says what is known of it then.
    ///
    /// # Errors
    /// `Short` and `Away` (the part stays), `WrongDigest` (the part is gone), `Disk`.
    pub async fn finish(self) -> Result<About, EvidenceError> {
        let checked = tokio::task::spawn_blocking(move || self.checked()).await;
        // Its place is given back when it lies under its digest.
        let (place, wanted) =
            checked.map_err(|error| EvidenceError::Disk(io::Error::other(error)))??;
        let store = place.store.clone();
        let _turn = store.turn.lock().await;
        let Wanted { sha256, sm3, size, name, case, from } = wanted;
        // Somebody else may have been quicker with the same bytes.
        let before = match store.known(sha256).await {
            Ok(before) => Some(before),
            // What is known of it cannot be read, or there is nothing.
            Err(EvidenceError::NotHere) => None,
            Err(error) => return Err(error),
        };
        let there = match store.objects.size(&store::file(sha256)).await {
            Ok(bytes) => bytes,
            Err(EvidenceError::NotHere) => 0,
            Err(error) => return Err(error),
        };
        let (cases, came) = (Vec::new(), Vec::new());
        let new = || About { sm3, size, name, cases, came, unnamed_since_ms: None };
        let mut known = before.unwrap_or_else(new);
        // What was written down before may have rotted; this was just worked out.
        (known.sm3, known.size) = (sm3, size);
        known.add(case);
        known.has_come(case, from);
        store.write_about(sha256, &known).await?;
        let part = (store.part(sha256), store::part(sha256));
        store.objects.take((&part.0, &part.1), &store::file(sha256)).await?;
        {
            let mut held = store.lock();
            held.subtract(there);
            held.add(size);
        }
        store.throw_aside(sha256).await?;
        Ok(known)
    }

    /// Its place and what was wanted, when everything came and is synced.
    fn checked(self) -> Result<(Place, Wanted), EvidenceError> {
        let Self { mut place, wanted, file, hashing, offset: got, .. } = self;
        let size = wanted.size;
        if got < size {
            return Err(EvidenceError::Short { got, size });
        }
        let (sha256, sm3) = hashing.finish().map_err(EvidenceError::Disk)?;
        let wrong = match (sha256 == wanted.sha256, sm3 == wanted.sm3) {
            (true, true) => None,
            (false, _) => Some("sha256"),
            (true, false) => Some("sm3"),
        };
        if let Some(field) = wrong {
            place.throw_away()?;
            return Err(EvidenceError::WrongDigest { field });
        }
        place.synced()?;
        place.kept_if(file.sync_all())?;
        Ok((place, wanted))
    }
}

#[cfg(test)]
impl Incoming {
    /// The same, with a disk of which every sync fails from now on.
    pub(super) fn on_a_failing_disk(mut self) -> Self {
        self.place.syncing = Syncing::with(|| Err(io::ErrorKind::Other.into())).ok();
        self
    }
}
