//! A disk that lies only as far as real ones do: what was not synced may be lost, torn or kept
//! out of order at a power cut; it fills up, fails to sync, and rots.
//!
//! Files are kept as far as they were written; the reserved zeroes behind are only a length, so
//! that a copy of a disk is cheap.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use liandong::journal::Disk;

use super::rng::Rng;

/// A write since the last sync, and what it covered.
#[derive(Clone, Debug)]
struct Write {
    offset: usize,
    before: Vec<u8>,
    after: Vec<u8>,
}

#[derive(Clone, Debug, Default)]
struct File {
    bytes: Vec<u8>,
    /// Reserved length; zeroes behind `bytes`.
    len: usize,
    unsynced: Vec<Write>,
    /// Its name is on the medium.
    named: bool,
    /// What it replaced, until that is on the medium.
    before: Option<Box<File>>,
}

#[derive(Debug, Default)]
struct Inner {
    files: BTreeMap<String, File>,
    full: bool,
    free: u64,
    fail_sync: bool,
    fail_write: bool,
    /// Steps until power goes, and whether it is gone.
    halt_after: Option<u64>,
    halted: bool,
    /// Whoever wanted space has met a full disk, or a low one, since it became so.
    met: (bool, bool),
    /// Syncs and writes that failed because they were told to.
    failed: (u64, u64),
    /// Nothing rots before this place of a segment: there lie charters and cards, which only
    /// people can hand in again.
    floors: BTreeMap<String, usize>,
}

/// What a power cut did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    pub writes: u64,
    pub torn: u64,
    pub reordered: u64,
    pub names: u64,
}

#[derive(Clone, Debug)]
pub struct SimDisk(Arc<Mutex<Inner>>);

impl SimDisk {
    pub fn new() -> Self {
        let inner = Inner { free: u64::MAX / 2, ..Inner::default() };
        Self(Arc::new(Mutex::new(inner)))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// Power is lost: each write since the last sync is kept, lost or torn; files whose names were
    /// not synced may be gone.
    pub fn cut_power(&self, rng: &mut Rng) -> Lost {
        let mut inner = self.inner();
        let mut lost = Lost::default();
        inner.files.retain(|_, file| {
            let keep = file.named || rng.one_in(2);
            lost.names += u64::from(!keep);
            keep
        });
        for file in inner.files.values_mut() {
            if let Some(before) = file.before.take().filter(|_| rng.one_in(2)) {
                lost.names += 1;
                *file = *before;
            }
            let writes = std::mem::take(&mut file.unsynced);
            for write in writes.iter().rev() {
                put(&mut file.bytes, write.offset, &write.before);
            }
            let mut one_is_lost = false;
            for write in &writes {
                let len = write.after.len();
                let keep = [0, len, rng.below(len + 1)][rng.below(3)];
                put(&mut file.bytes, write.offset, &write.after[..keep]);
                lost.reordered += u64::from(one_is_lost && keep == len);
                lost.writes += u64::from(keep == 0);
                lost.torn += u64::from(keep > 0 && keep < len);
                one_is_lost |= keep < len;
            }
            file.named = true;
        }
        inner.revive();
        lost
    }

    /// The process died and the machine did not: the page cache is still there.
    pub fn kill(&self) {
        self.inner().revive();
    }

    /// Power goes in the middle of the `n`th step from now.
    pub fn halt_after(&self, n: u64) {
        self.inner().halt_after = Some(n);
    }

    pub fn halted(&self) -> bool {
        self.inner().halted
    }

    pub fn forget_halt(&self) {
        self.inner().halt_after = None;
    }

    /// Fills it, or frees space again; whether anybody had met the full disk.
    pub fn set_full(&self, full: bool) -> bool {
        let mut inner = self.inner();
        inner.full = full;
        std::mem::take(&mut inner.met.0)
    }

    /// Leaves so many bytes, or enough; whether anybody had met the low disk.
    pub fn set_free(&self, free: Option<u64>) -> bool {
        let mut inner = self.inner();
        inner.free = free.unwrap_or(u64::MAX / 2);
        std::mem::take(&mut inner.met.1)
    }

    /// The next sync, or the next write, fails.
    pub fn fail_next(&self, sync: bool) {
        let mut inner = self.inner();
        inner.fail_sync = sync;
        inner.fail_write = !sync;
    }

    pub fn stop_failing(&self) {
        let mut inner = self.inner();
        (inner.fail_sync, inner.fail_write) = (false, false);
    }

    /// Whether power is gone, and the syncs and writes that failed since this was last asked.
    pub fn look(&self) -> (bool, (u64, u64)) {
        let mut inner = self.inner();
        (inner.halted, std::mem::take(&mut inner.failed))
    }

    /// Flips one bit of what was written, or zeroes a page of it; false where there is nothing.
    pub fn rot(&self, rng: &mut Rng, page: bool) -> bool {
        let mut inner = self.inner();
        let names: Vec<String> = inner.files.keys().cloned().collect();
        if names.is_empty() {
            return false;
        }
        let name = rng.pick(&names);
        // Headers of segments are left alone: without one a node does not start at all.
        let floor = inner.floors.get(&name).copied().unwrap_or(0).max(64);
        let file = inner.files.get_mut(&name).unwrap();
        if !file.unsynced.is_empty() || file.bytes.len() < floor + 1024 {
            return false;
        }
        let at = floor + rng.below(file.bytes.len() - floor);
        if page {
            let from = (at / 512 * 512).max(floor);
            let to = (from + 512).min(file.bytes.len());
            let zeroed = file.bytes[from..to].iter().any(|b| *b != 0);
            file.bytes[from..to].fill(0);
            zeroed
        } else {
            file.bytes[at] ^= 1 << rng.below(8);
            true
        }
    }

    /// Everything written so far stays whole.
    pub fn keep_whole(&self) {
        let mut inner = self.inner();
        inner.floors = inner.files.iter().map(|(n, f)| (n.clone(), f.bytes.len())).collect();
    }

    /// An independent copy, as a backup taken while the process runs.
    pub fn copy(&self) -> Self {
        let inner = self.inner();
        let (files, floors) = (inner.files.clone(), inner.floors.clone());
        let copied = Inner { files, floors, free: u64::MAX / 2, ..Inner::default() };
        Self(Arc::new(Mutex::new(copied)))
    }

    /// Every byte of every file, for whoever looks for what should not be there.
    pub fn each(&self, f: &mut dyn FnMut(&str, &[u8])) {
        for (name, file) in &self.inner().files {
            f(name, &file.bytes);
        }
    }

    pub fn written(&self) -> usize {
        self.inner().files.values().map(|f| f.bytes.len()).sum()
    }

    pub fn file_count(&self) -> usize {
        self.inner().files.len()
    }
}

impl Inner {
    fn revive(&mut self) {
        self.halt_after = None;
        self.halted = false;
        self.fail_sync = false;
        self.fail_write = false;
    }

    /// One step that changes the medium: true where power goes during it.
    fn step(&mut self) -> io::Result<bool> {
        if self.halted {
            return Err(gone());
        }
        match &mut self.halt_after {
            Some(0) => self.halted = true,
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(self.halted)
    }

    fn is_full(&mut self) -> bool {
        self.met.0 |= self.full;
        self.full
    }

    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        self.files.get_mut(name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn gone() -> io::Error {
    io::Error::other("power is gone")
}

fn put(to: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if to.len() < end {
        to.resize(end, 0);
    }
    to[offset..end].copy_from_slice(bytes);
}

impl Disk for SimDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.inner().files.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.step()? {
            return Err(gone());
        }
        if inner.is_full() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if inner.files.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        inner.files.insert(name.to_owned(), File::default());
        Ok(())
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        Ok(self.inner().file(name)?.len as u64)
    }

    fn read_at(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut inner = self.inner();
        let file = inner.file(name)?;
        let from = (offset as usize).min(file.len);
        let count = buffer.len().min(file.len - from);
        let known = file.bytes.get(from..).unwrap_or(&[]);
        let known = &known[..known.len().min(count)];
        buffer[..known.len()].copy_from_slice(known);
        buffer[known.len()..count].fill(0);
        Ok(count)
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.inner();
        let halts = inner.step()?;
        let fails = std::mem::take(&mut inner.fail_write);
        inner.failed.1 += u64::from(fails);
        let file = inner.file(name)?;
        let offset = offset as usize;
        let bytes = if fails || halts { &bytes[..bytes.len() / 2] } else { bytes };
        let old = file.bytes.get(offset..).unwrap_or(&[]);
        let mut before = old[..old.len().min(bytes.len())].to_vec();
        before.resize(bytes.len(), 0);
        put(&mut file.bytes, offset, bytes);
        file.len = file.len.max(file.bytes.len());
        file.unsynced.push(Write { offset, before, after: bytes.to_vec() });
        match (halts, fails) {
            (true, _) => Err(gone()),
            (_, true) => Err(io::Error::other("the write failed half-way")),
            (false, false) => Ok(()),
        }
    }

    fn allocate(&self, name: &str, offset: u64, len: u64) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.step()? {
            return Err(gone());
        }
        if inner.is_full() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = inner.file(name)?;
        file.len = file.len.max((offset + len) as usize);
        Ok(())
    }

    fn sync_data(&self, name: &str) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.step()? {
            return Err(gone());
        }
        if std::mem::take(&mut inner.fail_sync) {
            inner.failed.0 += 1;
            return Err(io::Error::other("the sync failed"));
        }
        inner.file(name)?.unsynced.clear();
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.step()? {
            return Err(gone());
        }
        inner.files.values_mut().for_each(|file| (file.named, file.before) = (true, None));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.step()? {
            return Err(gone());
        }
        inner.files.remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn replace(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.step()? {
            return Err(gone());
        }
        let mut file = inner.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        file.before = inner.files.remove(to).map(Box::new);
        file.named = file.before.as_ref().is_some_and(|before| before.named);
        inner.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let mut inner = self.inner();
        inner.met.1 |= inner.free < u64::MAX / 2;
        Ok(if inner.is_full() { 0 } else { inner.free })
    }
}
