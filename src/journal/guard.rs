//! The guard: a tiny file outside backups that says how far the journal and own logs had grown.
//!
//! A journal with less of an own log than its guard says came back from an older copy; one with
//! fewer records has lost its end. What the guard once said of a log it goes on saying, also while
//! that log is being fetched back. (`a_guard_never_goes_back`)

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::ids::LogId;

/// First bytes of the file.
const MAGIC: &[u8; 8] = b"LDGUARD2";
/// Those of older files, which have no number of records.
const MAGIC_1: &[u8; 8] = b"LDGUARD1";
/// The file holds a few dozen bytes a log; more than this is not ours.
const GUARD_BYTES_MAX: u64 = 1024 * 1024;

/// How far a journal has grown, synced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grown {
    /// Records of the journal.
    pub records: u64,
    /// Own logs and their sizes.
    pub sizes: Vec<(LogId, u64)>,
}

/// How far a journal had grown, at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The journal.
    pub journal_id: [u8; 16],
    /// How far it had grown; no records where nobody counted them.
    pub grown: Grown,
}

/// What the guard says about a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuardVerdict {
    /// Neither a guard nor own entries: a new node.
    Fresh,
    /// The journal has everything the guard knows of.
    Consistent,
    /// Every own log is whole, but the last records of the journal are gone.
    EndLost,
    /// The journal is behind the guard: it is an older copy.
    RestoredCopy {
        /// The logs concerned, with the entries the guard knows of. A log the journal knows nothing
        /// of may be among them.
        behind: Vec<(LogId, u64)>,
        /// The last records of the journal are gone as well, or it is another journal.
        end_lost: bool,
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
        bytes.extend_from_slice(&self.grown.records.to_le_bytes());
        for (log, size) in &self.grown.sizes {
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
        let (magic, body) = body.split_first_chunk::<8>()?;
        let (journal_id, mut rest) = body.split_first_chunk::<16>()?;
        let records = match magic {
            MAGIC => {
                let (records, behind) = rest.split_first_chunk::<8>()?;
                rest = behind;
                u64::from_le_bytes(*records)
            }
            MAGIC_1 => 0,
            _ => return None,
        };
        let mut sizes = Vec::new();
        while let Some((log, more)) = rest.split_first_chunk::<32>() {
            let (size, more) = more.split_first_chunk::<8>()?;
            sizes.push((LogId::new(*log), u64::from_le_bytes(*size)));
            rest = more;
        }
        let grown = Grown { records, sizes };
        rest.is_empty().then_some(Self { journal_id: *journal_id, grown })
    }

    /// The guard for a journal that was just made, keeping what an earlier one said of logs.
    #[must_use]
    pub fn begin(earlier: Option<Self>, journal_id: [u8; 16]) -> Self {
        let sizes = earlier.map(|guard| guard.grown.sizes).unwrap_or_default();
        Self { journal_id, grown: Grown { records: 0, sizes } }
    }

    /// The guard that a running process keeps of its journal, once the journal was judged by the
    /// earlier one.
    #[must_use]
    pub fn going_on(earlier: Option<Self>, journal_id: [u8; 16]) -> Self {
        match earlier {
            Some(guard) if guard.journal_id == journal_id => guard,
            other => Self::begin(other, journal_id),
        }
    }

    /// Takes in what is synced now. A log that was once larger stays so; records are counted as
    /// they are, because a journal that has lost its end says so itself from then on.
    pub fn raise(&mut self, now: &Grown) {
        self.grown.records = now.records;
        for (log, size) in &now.sizes {
            match self.grown.sizes.iter_mut().find(|(known, _)| known == log) {
                Some((_, known)) => *known = (*size).max(*known),
                None => self.grown.sizes.push((*log, *size)),
            }
        }
    }

    /// Judges a journal by its guard. `is_new`: the journal was made at this start; its guard was
    /// then begun before it.
    #[must_use]
    pub fn compare(
        guard: Option<&Self>,
        (journal_id, is_new): ([u8; 16], bool),
        now: &Grown,
    ) -> GuardVerdict {
        let Some(guard) = guard else {
            return if is_new { GuardVerdict::Fresh } else { GuardVerdict::Missing };
        };
        let sizes = &now.sizes;
        let here = |log: LogId| sizes.iter().find(|(l, _)| *l == log).map_or(0, |(_, size)| *size);
        let behind: Vec<(LogId, u64)> =
            guard.grown.sizes.iter().filter(|(log, size)| here(*log) < *size).copied().collect();
        let is_other = guard.journal_id != journal_id && !is_new;
        let end_lost = is_other || guard.grown.records > now.records;
        match behind.is_empty() {
            false => GuardVerdict::RestoredCopy { behind, end_lost },
            true if is_other => GuardVerdict::Missing,
            true if end_lost => GuardVerdict::EndLost,
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
        let grown = Grown { records: 30, sizes: vec![(LogId::new([2; 32]), 9)] };
        let guard = Guard { journal_id: [1; 16], grown };
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
        let grown = |size, records| Grown { records, sizes: vec![(log, size)] };
        let guard = Guard { journal_id: [1; 16], grown: grown(9, 30) };
        let judge = |guard: Option<&Guard>, id, is_new, size| {
            Guard::compare(guard, ([id; 16], is_new), &grown(size, 30))
        };
        assert_eq!(judge(None, 1, true, 0), GuardVerdict::Fresh);
        assert_eq!(judge(None, 1, false, 0), GuardVerdict::Missing);
        assert_eq!(judge(None, 1, false, 1), GuardVerdict::Missing);
        assert_eq!(judge(Some(&guard), 1, false, 9), GuardVerdict::Consistent);
        assert_eq!(judge(Some(&guard), 1, false, 12), GuardVerdict::Consistent);
        assert_eq!(judge(Some(&guard), 3, false, 12), GuardVerdict::Missing);
        let behind = |end_lost| GuardVerdict::RestoredCopy { behind: vec![(log, 9)], end_lost };
        assert_eq!(judge(Some(&guard), 1, false, 8), behind(false));
        assert_eq!(judge(Some(&guard), 3, false, 8), behind(true));
        let shorter = Guard::compare(Some(&guard), ([1; 16], false), &grown(8, 29));
        assert_eq!(shorter, behind(true));
        let short = Guard::compare(Some(&guard), ([1; 16], false), &grown(9, 29));
        assert_eq!(short, GuardVerdict::EndLost);
        // The whole folder is gone, and a new journal was begun beside the old guard.
        let begun = Guard::begin(Some(guard), [3; 16]);
        assert_eq!(Guard::compare(Some(&begun), ([3; 16], true), &Grown::default()), behind(false));
    }

    #[test]
    fn a_guard_never_goes_back() {
        let (one, two) = (LogId::new([1; 32]), LogId::new([2; 32]));
        let mut guard = Guard::begin(None, [1; 16]);
        guard.raise(&Grown { records: 9, sizes: vec![(one, 9)] });
        guard.raise(&Grown { records: 5, sizes: vec![(one, 4), (two, 1)] });
        assert_eq!(guard.grown, Grown { records: 5, sizes: vec![(one, 9), (two, 1)] });
    }
}
