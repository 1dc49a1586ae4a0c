//! A disk in memory that can crash: what was not synced is lost, kept, or torn, by seed.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::Disk;

#[derive(Clone, Debug, Default)]
struct MemFile {
    /// What the process sees.
    now: Vec<u8>,
    /// What a crash leaves at least.
    durable: Vec<u8>,
    /// Writes since the last sync: offset and bytes.
    unsynced: Vec<(usize, Vec<u8>)>,
    /// Its name is on the medium.
    named: bool,
    /// What it replaced, until that is on the medium.
    before: Option<Box<MemFile>>,
}

#[derive(Debug, Default)]
struct Inner {
    files: BTreeMap<String, MemFile>,
    full: bool,
    fail_writes_after: Option<u64>,
    fail_syncs: bool,
    writes: u64,
    syncs_dropped: bool,
}

/// A disk in memory. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemDisk(Arc<Mutex<Inner>>);

impl MemDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Power is lost: every write since the last sync is kept, lost or torn, as `seed` has it;
    /// files whose names were not synced may be gone.
    pub fn crash(&self, seed: u64) {
        let mut inner = self.inner();
        let mut random = seed | 1;
        let mut next = move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };
        let keep_unnamed = next() % 2 == 0;
        inner.files.retain(|_, file| file.named || keep_unnamed);
        for file in inner.files.values_mut() {
            if let Some(before) = file.before.take().filter(|_| next() % 2 == 0) {
                *file = *before;
            }
            let mut left = std::mem::take(&mut file.durable);
            for (offset, bytes) in std::mem::take(&mut file.unsynced) {
                let keep = match next() % 3 {
                    0 => 0,
                    1 => bytes.len(),
                    _ => usize::try_from(next()).unwrap_or(0) % (bytes.len() + 1),
                };
                put(&mut left, offset, bytes.get(..keep).unwrap_or(&[]));
            }
            file.now.clone_from(&left);
            file.durable = left;
            file.named = true;
        }
        inner.fail_writes_after = None;
        inner.fail_syncs = false;
    }

    /// No space is left, or there is again.
    pub fn set_full(&self, full: bool) {
        self.inner().full = full;
    }

    /// Every sync fails from now on.
    pub fn set_fail_syncs(&self, fail: bool) {
        self.inner().fail_syncs = fail;
    }

    /// Syncs report success and do nothing: a disk that lies.
    pub fn set_drop_syncs(&self, dropped: bool) {
        self.inner().syncs_dropped = dropped;
    }

    /// The write after `n` more fails half-way.
    pub fn fail_write_after(&self, n: u64) {
        let mut inner = self.inner();
        inner.fail_writes_after = Some(inner.writes + n);
    }

    /// Writes so far.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.inner().writes
    }

    /// Flips bits of one byte, for good.
    pub fn damage(&self, name: &str, offset: usize, mask: u8) {
        if let Some(file) = self.inner().files.get_mut(name) {
            for bytes in [&mut file.now, &mut file.durable] {
                if let Some(byte) = bytes.get_mut(offset) {
                    *byte ^= mask;
                }
            }
        }
    }

    /// All bytes of all files, as they are now.
    #[must_use]
    pub fn contents(&self) -> Vec<(String, Vec<u8>)> {
        self.inner().files.iter().map(|(name, file)| (name.clone(), file.now.clone())).collect()
    }

    /// An independent copy, as a backup would be.
    #[must_use]
    pub fn copy(&self) -> Self {
        let files = self.inner().files.clone();
        Self(Arc::new(Mutex::new(Inner { files, ..Inner::default() })))
    }
}

fn put(to: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if to.len() < end {
        to.resize(end, 0);
    }
    if let Some(slot) = to.get_mut(offset..end) {
        slot.copy_from_slice(bytes);
    }
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Disk for MemDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.inner().files.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if inner.files.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        inner.files.insert(name.to_owned(), MemFile::default());
        Ok(())
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        self.inner().files.get(name).map(|f| f.now.len() as u64).ok_or_else(missing)
    }

    fn read_at(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let inner = self.inner();
        let file = inner.files.get(name).ok_or_else(missing)?;
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = file.now.get(from..).unwrap_or(&[]);
        let mut read = 0;
        for (to, byte) in buffer.iter_mut().zip(rest) {
            *to = *byte;
            read += 1;
        }
        Ok(read)
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.inner();
        inner.writes += 1;
        let fails = inner.fail_writes_after.is_some_and(|n| inner.writes > n);
        let file = inner.files.get_mut(name).ok_or_else(missing)?;
        let offset = usize::try_from(offset).map_err(|_| missing())?;
        let bytes = if fails { bytes.get(..bytes.len() / 2).unwrap_or(&[]) } else { bytes };
        put(&mut file.now, offset, bytes);
        file.unsynced.push((offset, bytes.to_vec()));
        if fails { Err(io::Error::other("planted write error")) } else { Ok(()) }
    }

    fn allocate(&self, name: &str, offset: u64, len: u64) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = inner.files.get_mut(name).ok_or_else(missing)?;
        let end = usize::try_from(offset + len).map_err(|_| missing())?;
        for bytes in [&mut file.now, &mut file.durable] {
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
        }
        Ok(())
    }

    fn sync_data(&self, name: &str) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.fail_syncs {
            return Err(io::Error::other("planted sync error"));
        }
        if inner.syncs_dropped {
            return Ok(());
        }
        let file = inner.files.get_mut(name).ok_or_else(missing)?;
        for (offset, bytes) in std::mem::take(&mut file.unsynced) {
            put(&mut file.durable, offset, &bytes);
        }
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.fail_syncs {
            return Err(io::Error::other("planted sync error"));
        }
        if !inner.syncs_dropped {
            inner.files.values_mut().for_each(|file| (file.named, file.before) = (true, None));
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner().files.remove(name).map(drop).ok_or_else(missing)
    }

    fn replace(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.inner();
        let mut file = inner.files.remove(from).ok_or_else(missing)?;
        file.before = inner.files.remove(to).map(Box::new);
        file.named = file.before.as_ref().is_some_and(|before| before.named);
        inner.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(if self.inner().full { 0 } else { u64::MAX / 2 })
    }
}
