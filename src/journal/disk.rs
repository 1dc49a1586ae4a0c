//! The seam between the journal and whatever keeps its bytes: one folder of files.
//!
//! [`RealDisk`] is the operating system's. [`MemDisk`](super::MemDisk) forgets, tears and reorders
//! what was not synced, so that tests can crash it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Zeroes are written in pieces of this size, in bytes.
const ZERO_CHUNK: usize = 256 * 1024;

/// One folder of files. Clones share it.
pub trait Disk: Clone + Send + Sync + 'static {
    /// Names of all files, in order.
    ///
    /// # Errors
    /// Whatever the operating system says.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Makes an empty file; it must not exist.
    ///
    /// # Errors
    /// Whatever the operating system says.
    fn create(&self, name: &str) -> io::Result<()>;
    /// Length of a file in bytes.
    ///
    /// # Errors
    /// Whatever the operating system says.
    fn len(&self, name: &str) -> io::Result<u64>;
    /// Reads up to `buffer.len()` bytes at `offset`; fewer at the end of the file.
    ///
    /// # Errors
    /// Whatever the operating system says.
    fn read_at(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
    /// Writes all bytes at `offset`.
    ///
    /// # Errors
    /// Whatever the operating system says; some of the bytes may be written then.
    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Reserves and zeroes `len` bytes at `offset`, so that later writes there can neither fail
    /// for want of space nor change the file's length. The zeroes are synced.
    ///
    /// # Errors
    /// When there is no space; nothing that was in the file is changed then.
    fn allocate(&self, name: &str, offset: u64, len: u64) -> io::Result<()>;
    /// Returns once the file's content is on the medium.
    ///
    /// # Errors
    /// Whatever the operating system says; the content's fate is unknown then.
    fn sync_data(&self, name: &str) -> io::Result<()>;
    /// Returns once the names in the folder are on the medium.
    ///
    /// # Errors
    /// Whatever the operating system says.
    fn sync_dir(&self) -> io::Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// Whatever the operating system says.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Puts a file in the place of another one, which is gone then: at once for every reader, and
    /// for good after [`Self::sync_dir`]. After a crash before that it is one or the other.
    ///
    /// # Errors
    /// Whatever the operating system says; which of the two is there is not known then.
    fn replace(&self, from: &str, to: &str) -> io::Result<()>;
    /// Free space in bytes.
    ///
    /// # Errors
    /// Whatever the operating system says.
    fn free_bytes(&self) -> io::Result<u64>;
    /// Asks that the next reading of these bytes comes from the medium and not from memory, and
    /// that they take no room there which others need. It may be ignored.
    fn forget(&self, name: &str, offset: u64, len: u64) {
        let _ = (name, offset, len);
    }
}

/// A folder of the operating system.
#[derive(Clone, Debug)]
pub struct RealDisk {
    folder: PathBuf,
    open: Arc<Mutex<BTreeMap<String, Arc<File>>>>,
}

impl RealDisk {
    /// Uses a folder, made if it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        if let Some(parent) = folder.parent().filter(|p| !p.as_os_str().is_empty()) {
            File::open(parent)?.sync_all()?;
        }
        Ok(Self { folder: folder.to_owned(), open: Arc::default() })
    }

    fn file(&self, name: &str) -> io::Result<Arc<File>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.get(name) {
            return Ok(Arc::clone(file));
        }
        let file = File::options().read(true).write(true).open(self.folder.join(name))?;
        let file = Arc::new(file);
        open.insert(name.to_owned(), Arc::clone(&file));
        Ok(file)
    }
}

impl Disk for RealDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            names.extend(entry?.file_name().to_str().map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    fn create(&self, name: &str) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(name);
        let path = self.folder.join(name);
        File::options().write(true).create_new(true).open(path).map(drop)
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        Ok(self.file(name)?.metadata()?.len())
    }

    fn read_at(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let file = self.file(name)?;
        let mut read = 0;
        while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, offset + read as u64) {
                Ok(0) => break,
                Ok(n) => read += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file(name)?.write_all_at(bytes, offset)
    }

    fn allocate(&self, name: &str, offset: u64, len: u64) -> io::Result<()> {
        let file = self.file(name)?;
        rustix::fs::fallocate(&*file, rustix::fs::FallocateFlags::empty(), offset, len)?;
        let zeroes = [0; ZERO_CHUNK];
        let mut at = offset;
        while at < offset + len {
            let piece = usize::try_from(offset + len - at).unwrap_or(ZERO_CHUNK).min(ZERO_CHUNK);
            file.write_all_at(zeroes.get(..piece).unwrap_or(&zeroes), at)?;
            at += piece as u64;
        }
        file.sync_all()
    }

    fn sync_data(&self, name: &str) -> io::Result<()> {
        self.file(name)?.sync_data()
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        // Held meanwhile: whoever reads lengths at this moment must not keep the file that goes.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(name);
        std::fs::remove_file(self.folder.join(name))
    }

    fn replace(&self, from: &str, to: &str) -> io::Result<()> {
        // Held meanwhile: nobody opens the old file after this.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(from);
        open.remove(to);
        std::fs::rename(self.folder.join(from), self.folder.join(to))
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(&self.folder)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn forget(&self, name: &str, offset: u64, len: u64) {
        if let Ok(file) = self.file(name) {
            // Advice only: what the system makes of it is no failure.
            let advice = rustix::fs::Advice::DontNeed;
            let _ = rustix::fs::fadvise(&*file, offset, std::num::NonZeroU64::new(len), advice);
        }
    }
}
