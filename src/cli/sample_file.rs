//! A file of any size for the demo and the bench: the same bytes every time, none like another.
//!
//! In scope: its content and digests. Out of scope: what it is listed as.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::evidence::BothHashes;
use crate::limits::EVIDENCE_CHUNK_BYTES;

/// A file on this disk.
#[derive(Clone, Debug)]
pub struct SampleFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its SHA-256.
    pub sha256: Vec<u8>,
    /// Its SM3.
    pub sm3: Vec<u8>,
    /// Its bytes.
    pub size: u64,
}

impl SampleFile {
    /// Writes and syncs it, piece by piece; another seed makes another file.
    ///
    /// # Errors
    /// When the disk takes it not.
    pub fn write(path: &Path, size: u64, seed: u64) -> io::Result<Self> {
        let (mut file, mut hashes) = (BufWriter::new(File::create(path)?), BothHashes::new());
        let mut state = seed;
        let mut piece = Vec::with_capacity(EVIDENCE_CHUNK_BYTES);
        let mut left = usize::try_from(size).unwrap_or(usize::MAX);
        while left > 0 {
            piece.clear();
            while piece.len() < EVIDENCE_CHUNK_BYTES.min(left) {
                piece.extend_from_slice(&next(&mut state).to_le_bytes());
            }
            piece.truncate(left);
            hashes.update(&piece);
            file.write_all(&piece)?;
            left = left.saturating_sub(piece.len());
        }
        // Else the disk goes on writing it while something else is timed.
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        let (sha256, sm3) = hashes.finish();
        let (sha256, sm3) = (sha256.as_bytes().to_vec(), sm3.to_vec());
        Ok(Self { path: path.to_owned(), sha256, sm3, size })
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
const fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_size_and_is_like_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, size, seed| {
            let file = SampleFile::write(&folder.path().join(name), size, seed).unwrap();
            assert_eq!(std::fs::metadata(&file.path).unwrap().len(), size);
            file.sha256
        };
        let one = write("one", 300_001, 1);
        assert_eq!(write("again", 300_001, 1), one);
        assert_ne!(write("two", 300_001, 2), one);
        assert_ne!(write("short", 300_000, 1), one);
    }
}
