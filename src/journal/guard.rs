//! The guard: a tiny file outside backups that says how far own logs had grown.
//!
//! A journal that is behind its guard came back from an older copy. The guard never goes back: what
//! it once said of a log it goes on saying, also while that log is being fetched back.
//! (`a_guard_never_goes_back`)

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::ids::LogId;

/// First bytes of the file.
const MAGIC: &[u8; 8] = b"LDGUARD1";
/// The file holds a few dozen bytes a log; more than this is not ours.
const GUARD_BYTES_MAX: u64 = 1024 * 1024;

/// Synced sizes of own logs, at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The journal.
    pub journal_id: [u8; 16],
    /// Logs and their sizes.
    pub sizes: Vec<(LogId, u64)>,
}

/// What the guard says about a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuardVerdict {
    /// Neither a guard nor own entries: a new node.
    Fresh,
    /// The journal has everything the guard knows of.
    Consistent,
    /// The journal is behind the guard: it is an older copy.
    RestoredCopy {
        /// The logs concerned, with the entries the guard knows of. A log the journal knows nothing
        /// of may be among them.
        behind: Vec<(LogId, u64)>,
    },
    /// The journal is not new, but there is no guard of it that can be read: taken as an older
    /// copy.
    Missing,
}

impl Guard {
    /// Writes the file so that a crash leaves the old or the new one whole.
    ///
    /// # Errors
    /// Whatever the operating system says.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.journal_id);
        for (log, size) in &self.sizes {
            bytes.extend_from_slice(log.as_bytes());
            bytes.extend_from_slice(&size.to_le_bytes());
        }
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        std::fs::create_dir_all(folder)?;
        let new = path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        File::open(folder)?.sync_all()
    }

    /// Reads the file; `None` when there is none, or none that is whole.
    ///
    /// # Errors
    /// Whatever the operating system says, a missing file excepted.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        match std::fs::metadata(path) {
            Ok(meta) if meta.len() > GUARD_BYTES_MAX => return Ok(None),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        Ok(Self::decode(&std::fs::read(path)?))
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, crc) = bytes.split_last_chunk::<4>()?;
        if crc32c::crc32c(body) != u32::from_le_bytes(*crc) {
            return None;
        }
        let (journal_id, mut rest) = body.strip_prefix(MAGIC)?.split_first_chunk::<16>()?;
        let mut sizes = Vec::new();
        while let Some((log, more)) = rest.split_first_chunk::<32>() {
            let (size, more) = more.split_first_chunk::<8>()?;
            sizes.push((LogId::new(*log), u64::from_le_bytes(*size)));
            rest = more;
        }
        rest.is_empty().then_some(Self { journal_id: *journal_id, sizes })
    }

    /// The guard for a journal that was just made, keeping what an earlier one said.
    #[must_use]
    pub fn begin(earlier: Option<Self>, journal_id: [u8; 16]) -> Self {
        Self { journal_id, sizes: earlier.map(|guard| guard.sizes).unwrap_or_default() }
    }

    /// Takes in sizes of now; a size that was once larger stays.
    pub fn raise(&mut self, sizes: &[(LogId, u64)]) {
        for (log, size) in sizes {
            match self.sizes.iter_mut().find(|(known, _)| known == log) {
                Some((_, known)) => *known = (*size).max(*known),
                None => self.sizes.push((*log, *size)),
            }
        }
    }

    /// Judges a journal by its guard. `is_new`: the journal was made at this start; its guard was
    /// then begun before it.
    #[must_use]
    pub fn compare(
        guard: Option<&Self>,
        (journal_id, is_new): ([u8; 16], bool),
        sizes: &[(LogId, u64)],
    ) -> GuardVerdict {
        let Some(guard) = guard else {
            return if is_new { GuardVerdict::Fresh } else { GuardVerdict::Missing };
        };
        let here = |log: LogId| sizes.iter().find(|(l, _)| *l == log).map_or(0, |(_, size)| *size);
        let behind: Vec<(LogId, u64)> =
            guard.sizes.iter().filter(|(log, size)| here(*log) < *size).copied().collect();
        match behind.is_empty() {
            false => GuardVerdict::RestoredCopy { behind },
            true if guard.journal_id != journal_id && !is_new => GuardVerdict::Missing,
            true => GuardVerdict::Consistent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_reads_back_and_a_damaged_one_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guard");
        assert_eq!(Guard::read(&path).unwrap(), None);
        let guard = Guard { journal_id: [1; 16], sizes: vec![(LogId::new([2; 32]), 9)] };
        guard.write(&path).unwrap();
        assert_eq!(Guard::read(&path).unwrap(), Some(guard));
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[20] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(Guard::read(&path).unwrap(), None);
    }

    #[test]
    fn verdicts() {
        let log = LogId::new([2; 32]);
        let guard = Guard { journal_id: [1; 16], sizes: vec![(log, 9)] };
        let judge = |guard: Option<&Guard>, id, is_new, size| {
            Guard::compare(guard, ([id; 16], is_new), &[(log, size)])
        };
        assert_eq!(judge(None, 1, true, 0), GuardVerdict::Fresh);
        assert_eq!(judge(None, 1, false, 0), GuardVerdict::Missing);
        assert_eq!(judge(None, 1, false, 1), GuardVerdict::Missing);
        assert_eq!(judge(Some(&guard), 1, false, 9), GuardVerdict::Consistent);
        assert_eq!(judge(Some(&guard), 1, false, 12), GuardVerdict::Consistent);
        assert_eq!(judge(Some(&guard), 3, false, 12), GuardVerdict::Missing);
        let behind = GuardVerdict::RestoredCopy { behind: vec![(log, 9)] };
        assert_eq!(judge(Some(&guard), 1, false, 8), behind);
        // The whole folder is gone, and a new journal was begun beside the old guard.
        let begun = Guard::begin(Some(guard), [3; 16]);
        assert_eq!(Guard::compare(Some(&begun), ([3; 16], true), &[]), behind);
    }

    #[test]
    fn a_guard_never_goes_back() {
        let (one, two) = (LogId::new([1; 32]), LogId::new([2; 32]));
        let mut guard = Guard::begin(None, [1; 16]);
        guard.raise(&[(one, 9)]);
        guard.raise(&[(one, 4), (two, 1)]);
        assert_eq!(guard.sizes, vec![(one, 9), (two, 1)]);
    }
}
