//! Scanning segments: finding the end, cutting a torn tail, telling damage from an end.
//!
//! A bad record with nothing whole behind it was never acknowledged and is cut. A bad record with
//! a whole one behind it is damage: kept, listed, and fetched again from a member.

use std::collections::BTreeMap;

use memchr::memmem;

use super::disk::Disk;
use super::record::{self, RecordKind, RecordRef};
use super::segment::{self, SegmentHeader};
use super::{JournalError, OpenReport};

/// Records that are damaged although later ones are whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Segment number.
    pub segment: u32,
    /// First record concerned.
    pub from_record: u64,
    /// First whole record behind it.
    pub to_record: u64,
}

/// What opening found.
pub(super) struct Opened {
    pub segments: BTreeMap<u32, u64>,
    pub journal_id: [u8; 16],
    pub segment: u32,
    pub offset: u64,
    pub next_record: u64,
    pub reserved: u64,
    pub report: OpenReport,
}

/// Reads all segment headers and the last segment, and cuts its torn tail.
pub(super) fn open<D: Disk>(disk: &D, new_id: [u8; 16]) -> Result<Opened, JournalError> {
    let mut segments = BTreeMap::new();
    let mut journal_id = None;
    let names = disk.list()?;
    // Not finished when the process ended: it never took its segment's place.
    for name in names.iter().filter(|name| name.ends_with(".new")) {
        disk.remove(name)?;
    }
    let mut numbers: Vec<u32> =
        names.iter().filter_map(|name| segment::parse_file_name(name)).collect();
    // Nothing in these was acknowledged: a header is synced before any record. One commit may have
    // made several segments before power went.
    while let Some(number) = numbers.last().copied() {
        if read_header(disk, number)?.is_some() || holds_a_record(disk, number)? {
            break;
        }
        disk.remove(&segment::file_name(number))?;
        numbers.pop();
    }
    for number in &numbers {
        let Some(header) = read_header(disk, *number)? else {
            return Err(JournalError::BadSegment { segment: *number, why: "no readable header" });
        };
        if *journal_id.get_or_insert(header.journal_id) != header.journal_id {
            return Err(JournalError::BadSegment { segment: *number, why: "of another journal" });
        }
        segments.insert(*number, header.first_record);
    }
    let Some((&number, &first_record)) = segments.last_key_value() else {
        return Ok(Opened {
            segments,
            journal_id: new_id,
            segment: 0,
            offset: 0,
            next_record: 0,
            reserved: 0,
            report: OpenReport { created: true, ..OpenReport::default() },
        });
    };
    let mut report = OpenReport { damage: missing(disk, &segments)?, ..OpenReport::default() };
    let end = find_end(disk, number, first_record, &mut report.damage)?;
    let reserved = disk.len(&segment::file_name(number))?;
    report.cut_bytes = cut(disk, number, end.offset, reserved)?;
    // A process that was killed before its sync, or whose sync failed, leaves whole records that
    // no power cut has to respect. From here on they are relied on.
    for number in segments.keys() {
        disk.sync_data(&segment::file_name(*number))?;
    }
    disk.sync_dir()?;
    Ok(Opened {
        segments,
        journal_id: journal_id.unwrap_or(new_id),
        segment: number,
        offset: end.offset,
        next_record: end.next_record,
        reserved,
        report,
    })
}

fn read_header<D: Disk>(disk: &D, number: u32) -> Result<Option<SegmentHeader>, JournalError> {
    let mut bytes = [0; segment::HEADER_BYTES];
    disk.read_at(&segment::file_name(number), 0, &mut bytes)?;
    if segment::newer_version(&bytes).is_some() {
        let why = "written by a newer version of liandong; upgrade this one";
        return Err(JournalError::BadSegment { segment: number, why });
    }
    Ok(SegmentHeader::decode(&bytes).filter(|h| h.number == number))
}

fn holds_a_record<D: Disk>(disk: &D, number: u32) -> Result<bool, JournalError> {
    let mut found = false;
    records(disk, number, &mut |_, _, _| {
        found = true;
        false
    })?;
    Ok(found)
}

/// Segments that are gone although later ones are here.
fn missing<D: Disk>(disk: &D, segments: &BTreeMap<u32, u64>) -> Result<Vec<Damage>, JournalError> {
    let mut damage = Vec::new();
    let mut before: Option<(u32, u64)> = None;
    for (number, first) in segments {
        let expected = before.map_or(0, |(number, _)| number.saturating_add(1));
        if *number != expected {
            let from_record = match before {
                Some((number, first)) => {
                    find_end(disk, number, first, &mut Vec::new())?.next_record
                }
                None => 0,
            };
            damage.push(Damage { segment: expected, from_record, to_record: *first });
        }
        before = Some((*number, *first));
    }
    Ok(damage)
}

struct End {
    offset: u64,
    next_record: u64,
}

fn find_end<D: Disk>(
    disk: &D,
    number: u32,
    first_record: u64,
    damage: &mut Vec<Damage>,
) -> Result<End, JournalError> {
    let mut end = End { offset: segment::HEADER_BYTES as u64, next_record: first_record };
    records(disk, number, &mut |at, _, payload| {
        if at.number != end.next_record {
            damage.push(Damage {
                segment: number,
                from_record: end.next_record,
                to_record: at.number,
            });
        }
        end.offset = u64::from(at.offset) + record::framed_bytes(payload.len()) as u64;
        end.next_record = at.number + 1;
        true
    })?;
    Ok(end)
}

/// Walks the whole records of a segment in order, passing over what is damaged between them.
pub(super) fn records<D: Disk>(
    disk: &D,
    number: u32,
    f: &mut dyn FnMut(RecordRef, RecordKind, &[u8]) -> bool,
) -> Result<(), JournalError> {
    let name = segment::file_name(number);
    let length = usize::try_from(disk.len(&name)?).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length];
    let got = disk.read_at(&name, 0, &mut bytes)?;
    bytes.truncate(got);
    let mut offset = segment::HEADER_BYTES;
    let mut last = None;
    while let Some(rest) = bytes.get(offset..).filter(|r| r.len() >= record::HEADER_BYTES) {
        let whole = record::decode_header(rest)
            .filter(|h| last.is_none_or(|last| h.number > last))
            .and_then(|h| record::decode_payload(h, rest).map(|p| (h, p)));
        let Some((header, payload)) = whole else {
            match next_magic(rest) {
                Some(step) => offset += step,
                None => return Ok(()),
            }
            continue;
        };
        let place = u32::try_from(offset).unwrap_or(u32::MAX);
        let at = RecordRef { segment: number, offset: place, number: header.number };
        if !f(at, header.kind, payload) {
            return Ok(());
        }
        last = Some(header.number);
        offset += record::framed_bytes(payload.len());
    }
    Ok(())
}

/// Bytes to the next place, a multiple of 8 ahead, at which a record might begin.
pub(super) fn next_magic(rest: &[u8]) -> Option<usize> {
    memmem::find_iter(rest, &record::MAGIC).find(|at| *at > 0 && at % 8 == 0)
}

/// Zeroes what lies behind the last whole record, so that it can never be taken for one.
fn cut<D: Disk>(disk: &D, number: u32, offset: u64, length: u64) -> Result<u64, JournalError> {
    let name = segment::file_name(number);
    let rest = usize::try_from(length.saturating_sub(offset)).unwrap_or(0);
    let mut bytes = vec![0; rest];
    disk.read_at(&name, offset, &mut bytes)?;
    let dirty = dirty_bytes(&bytes);
    if dirty > 0 {
        disk.write_at(&name, offset, &vec![0; dirty])?;
        disk.sync_data(&name)?;
    }
    Ok(dirty as u64)
}

/// Bytes up to the last one that is not zero. Most of what is reserved is zero, so it is looked
/// through by pieces, which takes no decision for each byte.
fn dirty_bytes(bytes: &[u8]) -> usize {
    let is_zero = |piece: &[u8]| piece.iter().fold(0, |all, byte| all | byte) == 0;
    let zeroes: usize =
        bytes.rchunks(256).take_while(|piece| is_zero(piece)).map(<[u8]>::len).sum();
    let rest = bytes.get(..bytes.len() - zeroes).unwrap_or_default();
    rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tail_holds_is_found_wherever_it_ends() {
        for len in [0, 1, 255, 256, 257, 700] {
            for last in 0..len {
                let mut bytes = vec![0; len];
                (bytes[last / 2], bytes[last]) = (1, 1);
                assert_eq!(dirty_bytes(&bytes), last + 1, "of {len}");
            }
            assert_eq!(dirty_bytes(&vec![0; len]), 0);
        }
    }

    #[test]
    fn a_record_begins_at_a_multiple_of_eight_ahead() {
        let at = |places: &[usize]| {
            let mut bytes = vec![0; 100];
            places.iter().for_each(|p| bytes[*p..*p + 4].copy_from_slice(&record::MAGIC));
            next_magic(&bytes)
        };
        assert_eq!((at(&[]), at(&[0]), at(&[0, 8])), (None, None, Some(8)));
        assert_eq!((at(&[0, 4, 12, 90]), at(&[3, 20, 96])), (None, Some(96)));
    }
}
