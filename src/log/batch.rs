//! Batches: the one door through which another city's entries come in.
//!
//! A batch is the next stretch of one log with the checkpoint that covers it. Whoever holds the
//! frontier can recompute the root, and so tell whether anything was changed on the way. A batch
//! proves itself; who delivers it does not matter.
//!
//! In scope: order, roots, signatures, whether each part is there, erased or rightly withheld.
//! Out of scope: what an entry says ([`crate::domain`]), whether an erasing entry does erase
//! ([`crate::view`]), where entries are kept ([`crate::store`]).
//!
//! Invariants:
//! 1. A head moves by whole batches and never back. (`only_the_whole_next_stretch_is_taken`)
//! 2. Whatever is accepted has the root its city signed. (`mangled_batches_never_get_through`)
//! 3. No clock is read: `record_time` is shown to people and never compared. (`tidy`)

use bytes::Bytes;

use super::checkpoint::SignedCheckpoint;
use super::entry::{Entry, Head, PartSlot, check_entry};
use super::error::AppendError;
use super::keys::VerifyingKey;
use super::merkle::{Frontier, LeafSource, leaf_hash, root_of};
use crate::ids::{Hash, LogId, Position};
use crate::limits::{BATCH_BYTES_MAX, BATCH_ENTRIES_MAX};

/// Consecutive entries of one log and the checkpoint at their end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// The log.
    pub log: LogId,
    /// Index of the first entry.
    pub from: u64,
    /// 1 to 256 entries; headers and parts together at most 1 MiB.
    pub entries: Vec<Entry>,
    /// The signed note whose size is `from` plus the number of entries.
    pub checkpoint: Bytes,
}

/// A part that is said to be erased. Until the erasing entry is here and does erase it, the part
/// is owed: nothing at or beyond it is cosigned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Owed {
    /// The entry whose part it is.
    pub at: Position,
    /// Which of its parts, from 0.
    pub part: usize,
    /// The entry said to erase it.
    pub erased_by: Position,
}

/// What a batch adds, for the caller to store as a whole or not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// The frontier after the batch.
    pub frontier: Frontier,
    /// The head after the batch.
    pub head: Head,
    /// The checkpoint that covers it.
    pub checkpoint: SignedCheckpoint,
    /// Entries at the front of the batch that were here already; the new ones begin after them.
    pub dropped: usize,
    /// Leaf hashes of the new entries, in order, 1 or more.
    pub leaves: Vec<Hash>,
    /// Parts of the new entries that are said to be erased.
    pub owed: Vec<Owed>,
}

/// Takes in the next stretch of another city's log, or says why not.
///
/// `frontier` is our copy's; `known` gives its leaf hashes, asked for only where the batch starts
/// before our end (`Duplicate` if all of it is here; else the known front must be identical and
/// is dropped). `withheld_ok(entry, part)` says whether that part may be missing because its
/// audience excludes us.
///
/// # Errors
/// [`AppendError`]; nothing is changed then. Where several things are wrong, what the city signed
/// is judged before what an entry says.
pub fn accept_batch(
    frontier: &Frontier,
    known: &(impl LeafSource + ?Sized),
    log: LogId,
    key: &VerifyingKey,
    batch: &Batch,
    withheld_ok: impl Fn(&Entry, usize) -> bool,
) -> Result<Accepted, AppendError> {
    check_size(log, batch)?;
    let size = frontier.size();
    #[cfg(feature = "planted-bugs")]
    if batch.from > size && crate::planted::is_on("accept-a-gap") {
        return planted_gap(frontier, log, key, batch);
    }
    let overlap = size.checked_sub(batch.from);
    let overlap = overlap.ok_or(AppendError::Gap { log, expected: size, got: batch.from })?;
    let count = batch.entries.len();
    // 256 at most, after a size of at most 2^63 - 1.
    let end = batch.from.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    let checkpoint = check_end(log, key, batch, end, size)?;

    let dropped = usize::try_from(overlap).map_or(count, |overlap| overlap.min(count));
    let mut leaves: Vec<Hash> = batch.entries.iter().map(|e| leaf_hash(&e.header)).collect();
    let new = leaves.split_off(dropped);
    let differs = first_difference(known, log, batch.from, &leaves)?;
    if new.is_empty() {
        return Err(judge_known(frontier, known, checkpoint, differs));
    }
    if let Some(index) = differs {
        return Err(AppendError::Differs { log, index });
    }
    let mut frontier = frontier.clone();
    new.iter().for_each(|leaf| frontier.push(*leaf));
    if frontier.root() != checkpoint.head().root {
        return Err(AppendError::RootMismatch { log, size: end });
    }
    let mut owed = Vec::new();
    for (index, entry) in (size..).zip(batch.entries.iter().skip(dropped)) {
        check_arrival(Position { log, index }, entry, &withheld_ok, &mut owed)?;
    }
    Ok(Accepted { frontier, head: checkpoint.head(), checkpoint, dropped, leaves: new, owed })
}

#[cfg(feature = "planted-bugs")]
fn planted_gap(
    frontier: &Frontier,
    log: LogId,
    key: &VerifyingKey,
    batch: &Batch,
) -> Result<Accepted, AppendError> {
    let end = batch.from.saturating_add(batch.entries.len() as u64);
    let checkpoint = check_end(log, key, batch, end, frontier.size())?;
    let (frontier, head) = (frontier.clone(), checkpoint.head());
    Ok(Accepted { frontier, head, checkpoint, dropped: 0, leaves: Vec::new(), owed: Vec::new() })
}

/// Checks a checkpoint that comes without entries, against our copy with this `frontier`.
///
/// # Errors
/// [`AppendError::BadCheckpoint`]; [`AppendError::StaleCheckpoint`] if it is smaller than our
/// copy; [`AppendError::Contradicts`] if it has our size and another root.
pub fn check_announced(
    frontier: &Frontier,
    log: LogId,
    key: &VerifyingKey,
    note: &Bytes,
) -> Result<SignedCheckpoint, AppendError> {
    let checkpoint = SignedCheckpoint::verify(note, log, key)
        .map_err(|source| AppendError::BadCheckpoint { log, size: 0, source })?;
    let (known, head) = (frontier.size(), checkpoint.head());
    if head.size < known {
        return Err(AppendError::StaleCheckpoint { log, known });
    }
    if head.size == known && head.root != frontier.root() {
        let checkpoint = Box::new(checkpoint);
        return Err(AppendError::Contradicts { log, size: known, checkpoint });
    }
    Ok(checkpoint)
}

/// The right log, and no more than a batch may hold.
fn check_size(log: LogId, batch: &Batch) -> Result<(), AppendError> {
    #[cfg(feature = "planted-bugs")]
    if crate::planted::guards::is_off("batch-size") {
        return Ok(());
    }
    if batch.log != log {
        return Err(AppendError::WrongLog { expected: log, got: batch.log });
    }
    if batch.entries.is_empty() {
        return Err(AppendError::Empty { log });
    }
    let (got, limit) = (batch.entries.len(), BATCH_ENTRIES_MAX);
    if got > limit {
        return Err(AppendError::TooLarge { log, what: "number of entries", got, limit });
    }
    let (got, limit) = (batch_bytes(&batch.entries), BATCH_BYTES_MAX);
    if got > limit {
        return Err(AppendError::TooLarge { log, what: "size", got, limit });
    }
    Ok(())
}

/// Bytes of all headers and parts, as the limit of a batch counts them.
#[must_use]
pub fn batch_bytes(entries: &[Entry]) -> usize {
    entries.iter().map(Entry::bytes_len).fold(0, usize::saturating_add)
}

/// The checkpoint, signed by the log's key and ending where the entries end.
fn check_end(
    log: LogId,
    key: &VerifyingKey,
    batch: &Batch,
    end: u64,
    known: u64,
) -> Result<SignedCheckpoint, AppendError> {
    let checkpoint = SignedCheckpoint::verify(&batch.checkpoint, log, key)
        .map_err(|source| AppendError::BadCheckpoint { log, size: end, source })?;
    let covered = checkpoint.head().size;
    if covered == end {
        Ok(checkpoint)
    } else if covered < known {
        Err(AppendError::StaleCheckpoint { log, known })
    } else {
        Err(AppendError::WrongEnd { log, end, covered })
    }
}

/// The index of the first of `leaves`, starting at `from`, that is not the one held.
fn first_difference(
    known: &(impl LeafSource + ?Sized),
    log: LogId,
    from: u64,
    leaves: &[Hash],
) -> Result<Option<u64>, AppendError> {
    for (index, leaf) in (from..).zip(leaves) {
        match known.leaf(index) {
            Some(held) if held == *leaf => {}
            Some(_) => return Ok(Some(index)),
            None => {
                return Err(AppendError::LeafMissing { log, size: index.saturating_add(1) });
            }
        }
    }
    Ok(None)
}

/// What to say of a batch that ends at or before our end, whose checkpoint is genuine.
fn judge_known(
    frontier: &Frontier,
    known: &(impl LeafSource + ?Sized),
    checkpoint: SignedCheckpoint,
    differs: Option<u64>,
) -> AppendError {
    let Head { log, size, root } = checkpoint.head();
    let at_end = size == frontier.size();
    let held = if at_end { Some(frontier.root()) } else { root_of(known, size) };
    match (held, differs) {
        (None, _) => AppendError::LeafMissing { log, size },
        (Some(held), _) if held != root => {
            AppendError::Contradicts { log, size, checkpoint: Box::new(checkpoint) }
        }
        (Some(_), Some(index)) => AppendError::Differs { log, index },
        (Some(_), None) => AppendError::Duplicate { log, size },
    }
}

/// Checks one new entry under a signed root, and notes which of its parts are owed.
fn check_arrival(
    expected: Position,
    entry: &Entry,
    withheld_ok: &impl Fn(&Entry, usize) -> bool,
    owed: &mut Vec<Owed>,
) -> Result<(), AppendError> {
    let got = entry.envelope.position();
    if got != expected {
        return Err(AppendError::WrongPlace { expected, got });
    }
    check_entry(entry).map_err(|source| AppendError::Entry { at: expected, source })?;
    for (part, slot) in entry.parts.iter().enumerate() {
        match slot {
            PartSlot::Bytes(_) => {}
            PartSlot::ErasedBy(by) => owed.push(Owed { at: expected, part, erased_by: *by }),
            PartSlot::Withheld if withheld_ok(entry, part) => {}
            PartSlot::Withheld => return Err(AppendError::Withheld { at: expected, part }),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
