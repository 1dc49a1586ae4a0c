//! Reading committed records, from any thread.
//!
//! What turns out to be damaged is noted for the writer, which has it fetched again.

use std::io;
use std::sync::PoisonError;

use super::disk::Disk;
use super::record::{self, RecordKind, RecordRef};
use super::{DAMAGED_MAX, Damaged, JournalError, Segments, Synced, scan, segment};

/// Reads committed records; clones share the files.
#[derive(Clone, Debug)]
pub struct JournalReader<D: Disk> {
    pub(super) disk: D,
    pub(super) segments: Segments,
    pub(super) damaged: Damaged,
    pub(super) synced: Synced,
}

impl<D: Disk> JournalReader<D> {
    /// One record.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] when its bytes do not match their CRC, [`JournalError::Read`]
    /// when the disk cannot be read.
    pub fn read(&self, at: RecordRef) -> Result<(RecordKind, Vec<u8>), JournalError> {
        // A segment may have been written anew between two readings of one record.
        let mut read = self.read_whole(at);
        if matches!(read, Err(JournalError::Damaged { .. })) {
            read = self.read_whole(at);
        }
        match read {
            Err(JournalError::Read(error)) if error.kind() == io::ErrorKind::NotFound => {
                self.note(at.number);
                Err(JournalError::Damaged { segment: at.segment, number: at.number })
            }
            Err(error @ JournalError::Damaged { .. }) => {
                self.note(at.number);
                Err(error)
            }
            other => other,
        }
    }

    /// Somebody must know, to fetch it again.
    pub(super) fn note(&self, number: u64) {
        let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        if damaged.len() < DAMAGED_MAX {
            damaged.insert(number);
        }
    }

    fn read_whole(&self, at: RecordRef) -> Result<(RecordKind, Vec<u8>), JournalError> {
        let damaged = || JournalError::Damaged { segment: at.segment, number: at.number };
        let name = segment::file_name(at.segment);
        // Most records are small: one read gets them whole.
        let mut bytes = vec![0; 4096];
        let got = self.disk.read_at(&name, u64::from(at.offset), &mut bytes)?;
        bytes.truncate(got);
        let header =
            record::decode_header(&bytes).filter(|h| h.number == at.number).ok_or_else(damaged)?;
        let framed = record::framed_bytes(header.length as usize);
        if framed > bytes.len() {
            let known = bytes.len();
            bytes.resize(framed, 0);
            let rest = bytes.get_mut(known..).unwrap_or_default();
            self.disk.read_at(&name, u64::from(at.offset) + known as u64, rest)?;
        }
        let payload = record::decode_payload(header, &bytes).ok_or_else(damaged)?;
        Ok((header.kind, payload.to_vec()))
    }

    /// Walks all whole records from number `from` on, in order, until `f` says no.
    ///
    /// # Errors
    /// [`JournalError::Read`] when the disk cannot be read.
    pub fn scan(
        &self,
        from: u64,
        f: &mut dyn FnMut(RecordRef, RecordKind, &[u8]) -> bool,
    ) -> Result<(), JournalError> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner).clone();
        let start = segments.iter().rev().find(|(_, first)| **first <= from).map_or(0, |(n, _)| *n);
        for (number, _) in segments.range(start..) {
            let mut going = true;
            scan::records(&self.disk, *number, &mut |at, kind, payload| {
                going = at.number < from || f(at, kind, payload);
                going
            })?;
            if !going {
                return Ok(());
            }
        }
        Ok(())
    }
}
