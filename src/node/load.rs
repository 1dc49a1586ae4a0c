//! Reading entries back from the journal, by the rows that say where they lie.
//!
//! Works on any rows and any journal reader, so that the core, the readers of the API and the
//! links to peers share one way in.

use bytes::Bytes;

use crate::domain::Event;
use crate::ids::{Hash, LogId, Position};
use crate::journal::{Disk, JournalError, JournalReader, RecordKind, RecordRef};
use crate::limits;
use crate::log::merkle::{LeafSource, leaf_hash};
use crate::log::{Entry, PartSlot};
use crate::node::core::keys;
use crate::node::core::rows::{self, BatchRow};
use crate::sync::{RawBatch, RawEntry};
use crate::view::ReadRows;
use crate::wire;

/// Why an entry could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not here.
    #[error("no such entry here")]
    NotFound,
    /// The journal is damaged there; it will be fetched again from a member.
    #[error("the journal is damaged at {at}")]
    Damaged {
        /// The entry asked for.
        at: Position,
        /// What the journal says.
        #[source]
        source: JournalError,
    },
    /// What lies there cannot be read as an entry.
    #[error("what lies at {at} cannot be read: {reason}")]
    Unreadable {
        /// The entry asked for.
        at: Position,
        /// Why.
        reason: String,
    },
}

/// Where the batch that holds an entry lies: of several, the one that begins last. Where damage
/// was fetched again, one batch may lie over shorter ones, so that the nearest may end too early.
#[must_use]
pub fn find_batch(rows: &dyn ReadRows, at: Position) -> Option<(u64, BatchRow)> {
    let reach = u64::try_from(limits::BATCH_ENTRIES_MAX).unwrap_or(u64::MAX);
    let from = keys::batch(at.log, at.index.saturating_sub(reach));
    let mut to = keys::batch(at.log, at.index);
    to.push(0);
    let mut found = None;
    rows.scan(&from, &to, true, &mut |key, value| {
        let start = key.last_chunk::<8>().map(|b| u64::from_be_bytes(*b));
        found = start.zip(rows::decode::<BatchRow>(value)).filter(|(_, row)| at.index < row.end);
        found.is_none()
    });
    found
}

/// Where all batches lie that hold an entry: where damage was fetched again, several may.
#[must_use]
pub fn batches_over(rows: &dyn ReadRows, at: Position) -> Vec<BatchRow> {
    let reach = u64::try_from(limits::BATCH_ENTRIES_MAX).unwrap_or(u64::MAX);
    let from = keys::batch(at.log, at.index.saturating_sub(reach));
    let mut to = keys::batch(at.log, at.index);
    to.push(0);
    let mut found = Vec::new();
    rows.scan(&from, &to, true, &mut |_, value| {
        found.extend(rows::decode::<BatchRow>(value).filter(|row| at.index < row.end));
        true
    });
    found
}

/// The batch that holds entry `index` of a log.
///
/// # Errors
/// [`ReadError`]: not here, damaged, or unreadable.
pub fn batch_at<D: Disk>(
    rows: &dyn ReadRows,
    journal: &JournalReader<D>,
    log: LogId,
    index: u64,
) -> Result<RawBatch, ReadError> {
    let at = Position { log, index };
    let (_, row) = find_batch(rows, at).ok_or(ReadError::NotFound)?;
    read_batch(journal, row.record, at)
}

/// The batch in a journal record; `at` is named in errors.
///
/// # Errors
/// [`ReadError`]: damaged or unreadable.
pub fn read_batch<D: Disk>(
    journal: &JournalReader<D>,
    record: RecordRef,
    at: Position,
) -> Result<RawBatch, ReadError> {
    let payload = read_encoded(journal, record, at)?;
    wire::batch::parse_batch(payload)
        .map_err(|e| ReadError::Unreadable { at, reason: e.to_string() })
}

/// The same, not read any further: [`entry_in`] takes one entry out of it.
///
/// # Errors
/// [`ReadError`]: damaged or unreadable.
pub fn read_encoded<D: Disk>(
    journal: &JournalReader<D>,
    record: RecordRef,
    at: Position,
) -> Result<Bytes, ReadError> {
    let (kind, payload) =
        journal.read(record).map_err(|source| ReadError::Damaged { at, source })?;
    if kind != RecordKind::Batch {
        return Err(ReadError::Unreadable { at, reason: "not a batch".to_owned() });
    }
    Ok(Bytes::from(payload))
}

/// One entry, with late parts in their places.
///
/// # Errors
/// [`ReadError`]: not here, damaged, or unreadable.
pub fn entry_at<D: Disk>(
    rows: &dyn ReadRows,
    journal: &JournalReader<D>,
    at: Position,
) -> Result<Entry, ReadError> {
    let (_, row) = find_batch(rows, at).ok_or(ReadError::NotFound)?;
    let batch = read_encoded(journal, row.record, at)?;
    entry_in(rows, journal, &batch, at).map(|(entry, _)| entry)
}

/// One entry of an encoded batch, late parts in their places, and what happened. A case mostly lies
/// in a batch with many others, which are not read for it.
///
/// # Errors
/// [`ReadError`]: not in the batch, damaged, or unreadable.
pub fn entry_in<D: Disk>(
    rows: &dyn ReadRows,
    journal: &JournalReader<D>,
    batch: &Bytes,
    at: Position,
) -> Result<(Entry, Event), ReadError> {
    let raw = wire::batch::parse_entry_of(batch, at.index)
        .map_err(|e| ReadError::Unreadable { at, reason: e.to_string() })?;
    entry_of(rows, journal, raw.ok_or(ReadError::NotFound)?, at)
}

fn entry_of<D: Disk>(
    rows: &dyn ReadRows,
    journal: &JournalReader<D>,
    raw: RawEntry,
    at: Position,
) -> Result<(Entry, Event), ReadError> {
    let RawEntry { header, mut parts } = raw;
    let parsed = wire::entry::parse_header(&header)
        .map_err(|e| ReadError::Unreadable { at, reason: e.to_string() })?;
    for (part, slot) in (0..).zip(parts.iter_mut()) {
        if !matches!(slot, PartSlot::Bytes(_))
            && let Some(bytes) = late_part(rows, journal, at, part)?
        {
            *slot = PartSlot::Bytes(bytes);
        }
    }
    for (_, part, by) in erased_in(rows, at.log, at.index..at.index + 1) {
        if let Some(slot) = parts.get_mut(part as usize) {
            *slot = PartSlot::ErasedBy(by);
        }
    }
    Ok((Entry { header, envelope: parsed.envelope, parts }, parsed.event))
}

/// What stands in a part's place here.
///
/// # Errors
/// [`ReadError`]: not here, damaged, or unreadable.
pub fn slot_at<D: Disk>(
    rows: &dyn ReadRows,
    journal: &JournalReader<D>,
    at: Position,
    part: usize,
) -> Result<PartSlot, ReadError> {
    let entry = entry_at(rows, journal, at)?;
    entry.parts.get(part).cloned().ok_or(ReadError::NotFound)
}

/// Parts of a stretch of a log that applied entries erase: index, part, erasing entry.
fn erased_in(
    rows: &dyn ReadRows,
    log: LogId,
    indices: std::ops::Range<u64>,
) -> Vec<(u64, u32, Position)> {
    let mut found = Vec::new();
    #[cfg(feature = "planted-bugs")]
    if crate::planted::is_on("serve-an-erased-part") {
        return found;
    }
    let at = |index| Position { log, index };
    let (from, to) =
        (keys::erased_part(at(indices.start), 0), keys::erased_part(at(indices.end), 0));
    rows.scan(&from, &to, false, &mut |key, value| {
        let by = rows::decode::<Position>(value);
        let part = keys::parse_erased_part(key);
        found.extend(part.zip(by).map(|((at, part), by)| (at.index, part, by)));
        true
    });
    found
}

/// What is erased of a batch: index, part, erasing entry.
#[must_use]
pub fn erased_of(rows: &dyn ReadRows, batch: &RawBatch) -> Vec<(u64, u32, Position)> {
    let to = batch.from.saturating_add(batch.entries.len() as u64);
    erased_in(rows, batch.log, batch.from..to)
}

/// Puts the erasing entry in the place of each part of a batch that is erased, whatever lies there.
pub fn blank_erased(rows: &dyn ReadRows, batch: &mut RawBatch) {
    put_for_erased(rows, batch, PartSlot::ErasedBy);
}

/// Puts something in the place of each erased part of a batch; it is told the erasing entry.
pub fn put_for_erased(
    rows: &dyn ReadRows,
    batch: &mut RawBatch,
    instead: impl Fn(Position) -> PartSlot,
) {
    for (index, part, by) in erased_of(rows, batch) {
        let place = usize::try_from(index.saturating_sub(batch.from)).unwrap_or(usize::MAX);
        let entry = batch.entries.get_mut(place);
        if let Some(slot) = entry.and_then(|entry| entry.parts.get_mut(part as usize)) {
            *slot = instead(by);
        }
    }
}

fn late_part<D: Disk>(
    rows: &dyn ReadRows,
    journal: &JournalReader<D>,
    at: Position,
    part: u32,
) -> Result<Option<Bytes>, ReadError> {
    let row = rows.get(&keys::late_part(at, part));
    let Some(record) = row.as_deref().and_then(rows::decode::<RecordRef>) else {
        return Ok(None);
    };
    read_late_part(journal, record, at).map(Some)
}

/// What a late part's record says; nothing once it is erased. `at` is named in errors.
///
/// # Errors
/// [`ReadError`]: damaged or unreadable.
pub fn read_late_part<D: Disk>(
    journal: &JournalReader<D>,
    record: RecordRef,
    at: Position,
) -> Result<Bytes, ReadError> {
    let (_, payload) = journal.read(record).map_err(|source| ReadError::Damaged { at, source })?;
    let late = wire::peer::parse_late_part(&payload)
        .map_err(|e| ReadError::Unreadable { at, reason: e.to_string() })?;
    Ok(late.bytes)
}

/// Leaf hashes of a log, read from its entries.
pub struct Leaves<'a, D: Disk> {
    /// Where the entries lie.
    pub rows: &'a dyn ReadRows,
    /// The journal.
    pub journal: &'a JournalReader<D>,
    /// The log.
    pub log: LogId,
}

impl<D: Disk> LeafSource for Leaves<'_, D> {
    fn leaf(&self, index: u64) -> Option<Hash> {
        let batch = batch_at(self.rows, self.journal, self.log, index).ok()?;
        let offset = usize::try_from(index.checked_sub(batch.from)?).ok()?;
        batch.entries.get(offset).map(|entry| leaf_hash(&entry.header))
    }
}
