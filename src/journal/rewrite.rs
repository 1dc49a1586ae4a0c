//! Writing a segment anew without something that lies in it (依法删除).
//!
//! Every record keeps its number and its place: one that is written anew is no longer than it was,
//! and zeroes fill the rest of it, so that nobody who knows where a record lies has to be told.
//!
//! In scope: one segment at a time, as a whole or not at all. Out of scope: what is erased and why
//! ([`crate::node`]); copies that the file system or the medium keeps of blocks given back; damaged
//! records, whose bytes nobody can read as a record.

use std::io;

use super::disk::Disk;
use super::record::{self, RecordRef};
use super::segment::{self, HEADER_BYTES, SegmentHeader};
use super::{Journal, JournalError};

/// A record and what it says from now on, no longer than what it said.
pub type Instead = (RecordRef, Vec<u8>);

impl<D: Disk> Journal<D> {
    /// Writes a segment anew, with other payloads for the records named; those of other segments
    /// are passed over. It takes the old one's place in one step, and the old bytes are gone.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] when a record named is not there or has no room for what it shall
    /// say, [`JournalError::NoSpace`], [`JournalError::Rewrite`]: the old segment is as it was.
    /// [`JournalError::Poisoned`]: which of the two a power cut would leave is not known.
    pub fn rewrite(&mut self, segment: u32, instead: &[Instead]) -> Result<(), JournalError> {
        self.check_healthy()?;
        let bytes = self.anew(segment, instead)?;
        let (name, new) = (segment::file_name(segment), segment::new_file_name(segment));
        if let Err(error) = self.write_new(&new, &bytes) {
            let _ = self.disk.remove(&new);
            return Err(error);
        }
        let replaced = self.disk.replace(&new, &name).and_then(|()| self.disk.sync_dir());
        replaced.map_err(|error| self.poison(&error))
    }

    /// The bytes of a segment as they shall be.
    fn anew(&self, segment: u32, instead: &[Instead]) -> Result<Vec<u8>, JournalError> {
        let name = segment::file_name(segment);
        let length = usize::try_from(self.disk.len(&name)?).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length];
        let got = self.disk.read_at(&name, 0, &mut bytes)?;
        bytes.truncate(got);
        let bad = JournalError::BadSegment { segment, why: "no readable header" };
        let mut header = SegmentHeader::decode(&bytes).ok_or(bad)?;
        header.generation = header.generation.saturating_add(1);
        if let Some(place) = bytes.get_mut(..HEADER_BYTES) {
            place.copy_from_slice(&header.encode());
        }
        for (at, payload) in instead.iter().filter(|(at, _)| at.segment == segment) {
            let damaged = || JournalError::Damaged { segment, number: at.number };
            let offset = at.offset as usize;
            let rest = bytes.get(offset..).unwrap_or_default();
            let found = record::decode_header(rest).filter(|found| found.number == at.number);
            let found = found.ok_or_else(damaged)?;
            let framed = record::framed_bytes(found.length as usize);
            let mut anew = Vec::with_capacity(framed);
            record::encode(&mut anew, found.kind, found.number, payload);
            if anew.len() > framed {
                return Err(damaged());
            }
            anew.resize(framed, 0);
            let place = bytes.get_mut(offset..offset + framed).ok_or_else(damaged)?;
            place.copy_from_slice(&anew);
        }
        Ok(bytes)
    }

    fn write_new(&self, new: &str, bytes: &[u8]) -> Result<(), JournalError> {
        match self.disk.create(new) {
            // Left over from an attempt that found no space and could not take it away.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.disk.remove(new).map_err(JournalError::Rewrite)?;
                self.disk.create(new).map_err(JournalError::NoSpace)?;
            }
            other => other.map_err(JournalError::NoSpace)?,
        }
        self.disk.allocate(new, 0, bytes.len() as u64).map_err(JournalError::NoSpace)?;
        // What is reserved behind the last record is zero already.
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let written = bytes.get(..used).unwrap_or_default();
        self.disk.write_at(new, 0, written).map_err(JournalError::Rewrite)?;
        self.disk.sync_data(new).map_err(JournalError::Rewrite)
    }
}
