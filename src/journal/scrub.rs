//! Reading the whole journal again, slice by slice, to find damage before somebody needs what lies
//! there.
//!
//! Every record's own checksums are computed anew over what the medium gives now. What does not fit
//! is noted like damage that a reader ran into, and the writer has it fetched again.
//!
//! In scope: synced records, missing files, sectors that cannot be read, headers of segments. Out
//! of scope: the pace ([`crate::node`]); signatures and roots, which a start compares.
//!
//! Invariants:
//! 1. One flipped bit in any synced record is found, and only that record is noted; what is being
//!    written meanwhile never is. (`a_flipped_bit_is_found_wherever_it_lies`)
//! 2. Slices of any size find the same. (`slices_of_any_size_find_the_same`)

use std::io;
use std::sync::PoisonError;

use super::disk::Disk;
use super::record::{self, HEADER_BYTES};
use super::segment::{self, SegmentHeader};
use super::{JournalReader, scan};

/// A disk gives or refuses this much at a time, in bytes.
const SECTOR: usize = 4096;

/// Where a reading of the whole journal stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScrubAt {
    /// Segment.
    pub segment: u32,
    /// Offset in it; 0 before its header.
    offset: u64,
    /// Number of the next record expected.
    number: u64,
}

impl ScrubAt {
    /// The beginning of a segment, for a reading that goes on after a restart.
    #[must_use]
    pub const fn segment(segment: u32) -> Self {
        Self { segment, offset: 0, number: 0 }
    }
}

/// What one slice has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Where to go on; `None` at the end of the journal.
    pub next: Option<ScrubAt>,
    /// Bytes read.
    pub bytes: u64,
    /// Records that are damaged, known ones included.
    pub damaged: u64,
    /// The segment's own header is damaged: it would not be opened again.
    pub bad_header: bool,
}

impl<D: Disk> JournalReader<D> {
    /// Reads one slice of at most `bytes_max` bytes, or one record.
    ///
    /// # Errors
    /// Whatever the operating system says of the folder; what it says of a file is damage.
    pub fn scrub(&self, at: ScrubAt, bytes_max: usize) -> io::Result<Scrubbed> {
        // Before anything is read: what is synced by now is whole, or damaged.
        let end = *self.synced.read().unwrap_or_else(PoisonError::into_inner);
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut range = segments.range(at.segment..);
        let Some((number, first)) = range.next().map(|(n, first)| (*n, *first)) else {
            return Ok(Scrubbed::default());
        };
        let limit = range.next().map_or(end, |(_, first)| *first);
        let mut slice = Slice { reader: self, limit, found: Scrubbed::default() };
        let begun = at.segment == number && at.offset > 0;
        let from = if begun {
            at
        } else {
            slice.header(number, first);
            let offset = segment::HEADER_BYTES as u64;
            ScrubAt { segment: number, offset, number: first }
        };
        let next = slice.records(from, bytes_max);
        slice.found.next = match next {
            Some(next) => Some(next),
            None => {
                segments.range(number + 1..).next().map(|(number, _)| ScrubAt::segment(*number))
            }
        };
        Ok(slice.found)
    }

    /// Bytes of all segments.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let names = self.disk.list().unwrap_or_default();
        let segments = names.iter().filter(|name| segment::parse_file_name(name).is_some());
        segments.filter_map(|name| self.disk.len(name).ok()).sum()
    }
}

struct Slice<'a, D: Disk> {
    reader: &'a JournalReader<D>,
    /// First record that is none of this segment's, or not synced.
    limit: u64,
    found: Scrubbed,
}

impl<D: Disk> Slice<'_, D> {
    fn header(&mut self, number: u32, first: u64) {
        let bytes = self.read(number, 0, segment::HEADER_BYTES);
        let header = SegmentHeader::decode(&bytes);
        let fits = header.is_some_and(|h| h.number == number && h.first_record == first);
        self.found.bad_header = !fits;
    }

    /// Checks records from a place on; returns where to go on, `None` at the segment's end.
    fn records(&mut self, from: ScrubAt, bytes_max: usize) -> Option<ScrubAt> {
        let mut at = from;
        let mut bytes = self.read(at.segment, at.offset, bytes_max.max(SECTOR));
        let mut known = 0;
        while at.number < self.limit {
            let rest = bytes.get(known..).unwrap_or_default();
            if rest.len() < HEADER_BYTES {
                return self.go_on(from, at);
            }
            let whole = record::decode_header(rest).filter(|h| h.number >= at.number);
            let Some(header) = whole.filter(|h| h.number < self.limit) else {
                // Nothing begins here: what was lost shows at the next record that does.
                let step = scan::next_magic(rest).unwrap_or(rest.len() & !7).max(8);
                known += step;
                at.offset += step as u64;
                continue;
            };
            let framed = record::framed_bytes(header.length as usize);
            if framed > rest.len() {
                if at != from {
                    return Some(at);
                }
                // Larger than a slice: read for itself.
                bytes = self.read(at.segment, at.offset, framed);
                known = 0;
                if bytes.len() < framed {
                    bytes.resize(framed, 0);
                }
                continue;
            }
            self.lost(at.number, header.number);
            if record::decode_payload(header, rest).is_none() {
                self.lost(header.number, header.number + 1);
            }
            at.number = header.number + 1;
            at.offset += framed as u64;
            known += framed;
        }
        None
    }

    /// Behind what was read: the next slice goes on there, unless the file ends.
    fn go_on(&mut self, from: ScrubAt, at: ScrubAt) -> Option<ScrubAt> {
        let name = segment::file_name(at.segment);
        let length = self.reader.disk.len(&name).unwrap_or(0);
        let ends = at.offset.saturating_add(HEADER_BYTES as u64) > length || at == from;
        if ends {
            self.lost(at.number, self.limit);
            return None;
        }
        Some(at)
    }

    /// Notes records that are not there or not whole.
    fn lost(&mut self, from: u64, to: u64) {
        for number in from..to {
            self.reader.note(number);
        }
        self.found.damaged += to.saturating_sub(from);
    }

    /// Up to `length` bytes as the medium gives them now; zeroes where it gives none.
    fn read(&mut self, number: u32, offset: u64, length: usize) -> Vec<u8> {
        let (disk, name) = (&self.reader.disk, segment::file_name(number));
        disk.forget(&name, offset, length as u64);
        let mut bytes = vec![0; length];
        let got = match disk.read_at(&name, offset, &mut bytes) {
            Ok(got) => got,
            Err(_) => {
                // One bad sector must not hide its neighbours.
                let mut upto = 0;
                for (at, sector) in bytes.chunks_mut(SECTOR).enumerate() {
                    let from = (at * SECTOR) as u64;
                    match disk.read_at(&name, offset + from, sector) {
                        Ok(0) => break,
                        Ok(got) => upto = at * SECTOR + got,
                        Err(_) => {
                            sector.fill(0);
                            upto = at * SECTOR + sector.len();
                        }
                    }
                }
                let left = disk.len(&name).unwrap_or(0).saturating_sub(offset);
                upto.min(usize::try_from(left).unwrap_or(usize::MAX))
            }
        };
        bytes.truncate(got);
        disk.forget(&name, offset, length as u64);
        self.found.bytes += got as u64;
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Journal, JournalOptions, MemDisk, RecordKind, RecordRef};
    use super::*;

    fn filled() -> (MemDisk, Journal<MemDisk>, Vec<(RecordRef, usize)>) {
        let disk = MemDisk::new();
        let options = JournalOptions { journal_id: [5; 16], segment_bytes_max: 4096 };
        let (mut journal, _) = Journal::open(disk.clone(), options).unwrap();
        let mut records = Vec::new();
        for n in 0..60_u64 {
            let payload = vec![n as u8 + 1; 50 + (n as usize * 37) % 400];
            records.push((journal.append(RecordKind::Batch, &payload).unwrap(), payload.len()));
            journal.commit().unwrap();
        }
        // Larger than a slice.
        let large = vec![7; 20_000];
        records.push((journal.append(RecordKind::Batch, &large).unwrap(), large.len()));
        journal.commit().unwrap();
        (disk, journal, records)
    }

    /// A whole reading: what is damaged, segments with bad headers, slices, bytes.
    fn scrub(journal: &Journal<MemDisk>, slice: usize) -> (Vec<u64>, Vec<u32>, u64, u64) {
        let reader = journal.reader();
        let (mut at, mut slices, mut bytes, mut bad) = (ScrubAt::default(), 0, 0, Vec::new());
        loop {
            let found = reader.scrub(at, slice).unwrap();
            bad.extend(found.bad_header.then_some(at.segment));
            (slices, bytes) = (slices + 1, bytes + found.bytes);
            assert!(slices < 10_000, "it never ends");
            match found.next {
                Some(next) => at = next,
                None => return (journal.damaged().into_iter().collect(), bad, slices, bytes),
            }
        }
    }

    #[test]
    fn a_flipped_bit_is_found_wherever_it_lies() {
        let (_, journal, records) = filled();
        assert_eq!(scrub(&journal, 8192).0, [0; 0]);
        for (number, (at, length)) in records.iter().enumerate() {
            // In its header, at the payload's first and last byte, in its checksum.
            for place in [0, 13, 24, 23 + length, 24 + length] {
                let (disk, journal, _) = filled();
                disk.damage(&segment::file_name(at.segment), at.offset as usize + place, 0x10);
                let (damaged, bad, ..) = scrub(&journal, 8192);
                assert_eq!((damaged, bad), (vec![number as u64], vec![]), "place {place}");
            }
        }
    }

    #[test]
    fn slices_of_any_size_find_the_same() {
        for slice in [1, 4096, 5000, 65_536] {
            let (disk, journal, records) = filled();
            for number in [0, 1, 17, 31, 59, 60] {
                let at = records[number].0;
                disk.damage(&segment::file_name(at.segment), at.offset as usize + 30, 1);
            }
            let (damaged, bad, slices, bytes) = scrub(&journal, slice);
            assert_eq!((damaged, bad), (vec![0, 1, 17, 31, 59, 60], vec![]), "slice {slice}");
            assert!(slices > 5 && bytes > 35_000, "{slices} {bytes}");
        }
    }

    #[test]
    fn lost_files_and_bad_headers_are_found() {
        let (disk, journal, records) = filled();
        disk.damage("00000001.seg", 20, 1);
        disk.remove("00000002.seg").unwrap();
        let lost = |segment: u32| {
            let of = |at: &RecordRef| at.segment == segment;
            records.iter().map(|(at, _)| *at).filter(of).map(|at| at.number).collect::<Vec<_>>()
        };
        assert!(lost(2).len() > 3);
        assert_eq!(scrub(&journal, 8192).1, [1, 2]);
        assert_eq!(journal.damaged().into_iter().collect::<Vec<_>>(), lost(2));
    }

    #[test]
    fn what_is_not_synced_is_left_alone() {
        let (_, mut journal, records) = filled();
        journal.append(RecordKind::Local, b"later").unwrap();
        assert_eq!(scrub(&journal, 8192).0, [0; 0]);
        journal.commit().unwrap();
        assert_eq!(scrub(&journal, 8192).0, [0; 0]);
        assert_eq!(journal.next_record(), records.len() as u64 + 1);
    }
}
