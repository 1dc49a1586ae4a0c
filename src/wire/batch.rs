//! Batches: as they lie in the journal and as they travel. (fixed format)

use bytes::Bytes;
use prost::{Message, Name};

use super::error::{WireError, check_bytes, check_count};
use super::facts::{bytes, log_id, position, position_to_pb};
use super::pb::v1 as pb;
use super::pb::v1::part_slot::Slot;
use super::scan::{check_elements, each_field};
use crate::limits::{
    BATCH_ENTRIES_MAX, HEADER_BYTES_MAX, NOTE_BYTES_MAX, PART_BYTES_MAX, PARTS_MAX,
    RECORD_BYTES_MAX,
};
use crate::log::PartSlot;
use crate::sync::{RawBatch, RawEntry};

/// Encodes a batch for the journal.
#[must_use]
pub fn encode_batch(batch: &RawBatch) -> Vec<u8> {
    batch_to_pb(batch).encode_to_vec()
}

/// Reads a batch; headers and parts share the memory of `bytes`.
///
/// # Errors
/// [`WireError`]: refused whole. Elements are counted before anything is decoded.
pub fn parse_batch(bytes: Bytes) -> Result<RawBatch, WireError> {
    check_bytes("batch", bytes.len(), RECORD_BYTES_MAX)?;
    check_elements("batch", &pb::Batch::full_name(), &bytes)?;
    batch_from_pb(pb::Batch::decode(bytes).map_err(WireError::unreadable("batch"))?)
}

/// Reads one entry of a batch, by its index in the log, and nothing of the others; `None` when the
/// batch does not hold it. Header and parts share the memory of `bytes`.
///
/// # Errors
/// [`WireError`] when the batch or that entry cannot be read.
pub fn parse_entry_of(bytes: &Bytes, index: u64) -> Result<Option<RawEntry>, WireError> {
    check_bytes("batch", bytes.len(), RECORD_BYTES_MAX)?;
    let (from, entries) = entries_of(bytes)?;
    check_count("entries of a batch", entries.len(), BATCH_ENTRIES_MAX)?;
    let place = index.checked_sub(from).and_then(|place| usize::try_from(place).ok());
    let Some(entry) = place.and_then(|place| entries.get(place)) else { return Ok(None) };
    check_elements("entry", &pb::Entry::full_name(), entry)?;
    let entry =
        pb::Entry::decode(bytes.slice_ref(entry)).map_err(WireError::unreadable("entry"))?;
    read_entry(entry).map(Some)
}

/// The index of the first entry of a batch, and the bytes of each.
fn entries_of(bytes: &[u8]) -> Result<(u64, Vec<&[u8]>), WireError> {
    // Numbers as in `entry.proto`.
    const FROM: u32 = 2;
    const ENTRIES: u32 = 3;
    let (mut from, mut entries) = (0, Vec::new());
    each_field("batch", bytes, &mut |field, number, value| match field {
        FROM => from = number,
        ENTRIES => entries.push(value),
        _ => {}
    })?;
    Ok((from, entries))
}

pub(super) fn batch_to_pb(batch: &RawBatch) -> pb::Batch {
    let entry = |entry: &RawEntry| entry_to_pb(&entry.header, &entry.parts);
    pb::Batch {
        log_id: bytes(batch.log.as_bytes()),
        from: batch.from,
        entries: batch.entries.iter().map(entry).collect(),
        checkpoint: batch.checkpoint.clone(),
    }
}

pub(super) fn batch_from_pb(batch: pb::Batch) -> Result<RawBatch, WireError> {
    check_count("entries of a batch", batch.entries.len(), BATCH_ENTRIES_MAX)?;
    check_bytes("checkpoint", batch.checkpoint.len(), NOTE_BYTES_MAX)?;
    Ok(RawBatch {
        log: log_id("log_id", &batch.log_id)?,
        from: batch.from,
        entries: batch.entries.into_iter().map(read_entry).collect::<Result<_, _>>()?,
        checkpoint: batch.checkpoint,
    })
}

/// One entry as it travels.
pub(super) fn entry_to_pb(header: &Bytes, parts: &[PartSlot]) -> pb::Entry {
    pb::Entry { header: header.clone(), parts: parts.iter().map(slot_to_pb).collect() }
}

pub(super) fn read_entry(entry: pb::Entry) -> Result<RawEntry, WireError> {
    check_bytes("header", entry.header.len(), HEADER_BYTES_MAX)?;
    check_count("parts", entry.parts.len(), PARTS_MAX)?;
    let parts = entry.parts.into_iter().map(read_slot).collect::<Result<_, _>>()?;
    Ok(RawEntry { header: entry.header, parts })
}

fn read_slot(slot: pb::PartSlot) -> Result<PartSlot, WireError> {
    match slot.slot {
        Some(Slot::Part(part)) => {
            check_bytes("part", part.len(), PART_BYTES_MAX)?;
            Ok(PartSlot::Bytes(part))
        }
        Some(Slot::ErasedBy(at)) => Ok(PartSlot::ErasedBy(position("erased_by", Some(&at))?)),
        Some(Slot::Withheld(_)) => Ok(PartSlot::Withheld),
        None => Err(WireError::Missing { field: "slot" }),
    }
}

fn slot_to_pb(slot: &PartSlot) -> pb::PartSlot {
    let slot = match slot {
        PartSlot::Bytes(bytes) => Slot::Part(bytes.clone()),
        PartSlot::ErasedBy(at) => Slot::ErasedBy(position_to_pb(*at)),
        PartSlot::Withheld => Slot::Withheld(pb::Withheld {}),
    };
    pb::PartSlot { slot: Some(slot) }
}
