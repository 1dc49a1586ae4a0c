//! Erasing parts (依法删除): deciding on it, and taking the bytes of what is erased off the disk.
//!
//! From the moment an erasing entry is applied nobody is given the part any more, whatever still
//! lies in the journal ([`load::blank_erased`]). Soon after, the segments that hold it are written
//! anew: one at a time and with pauses, because each stops the writer for as long as it takes to
//! write a segment, and whoever may erase own parts could otherwise keep it busy.
//!
//! In scope: batches and late parts. Out of scope: what search and lists of evidence remember,
//! which forget by themselves ([`crate::node`]); copies in backups, which the operator's manual
//! deals with; damaged records, which cannot be read and are fetched again without the part.
//!
//! Invariants:
//! 1. Only a city's own entry erases a part of a city's entry. (`nobody_erases_for_another_city`)
//! 2. After that neither members nor callers are given its bytes, over a start and a rebuild as
//!    well. (`an_erased_part_is_gone_from_disk_and_nobody_is_given_it`)

use std::collections::{BTreeMap, BTreeSet};

use crate::api::request::{NotErasable, WriteError};
use crate::domain::{ErasureReason, Event};
use crate::ids::{AgreementId, LogId, Position};
use crate::journal::{Disk, Instead, JournalError, RecordKind, RecordRef};
use crate::log::{PartSlot, Subject, SubjectKind};
use crate::node::core::rows::{self, BatchRow};
use crate::node::core::write::{Decided, Draft};
use crate::node::core::{Core, Now, keys};
use crate::node::load;
use crate::store::Store;
use crate::sync::RawBatch;
use crate::view::{self, ReadRows, Rows};
use crate::wire;

/// Pause after a look that found something, in milliseconds. It doubles while there is always
/// something to find: each time every member writes a segment, and whoever erases one part after
/// the other must not keep them busy with that.
const PAUSE_MS: u64 = 10_000;
/// It doubles up to this, in milliseconds.
const PAUSE_MS_MAX: u64 = 600_000;
/// Erased parts looked at in one go.
const LOOK_MAX: usize = 256;

/// How far the erasing has come.
#[derive(Debug, Default)]
pub(super) struct Erasing {
    /// The next look, and the pause after it.
    next_ms: u64,
    pause_ms: u64,
    /// The key behind the part looked at last: what cannot be read keeps nothing else waiting.
    from: Option<Vec<u8>>,
}

/// What became of an erased part that was looked at.
enum Found {
    /// Nothing of it lies here any more.
    Gone,
    /// It lies in these records.
    In(Vec<RecordRef>),
    /// It cannot be told now: not synced yet, or damaged.
    Later,
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Decides on erasing one part of an own entry.
    pub(super) fn decide_erasure(
        &mut self,
        agreement: AgreementId,
        log: LogId,
        (at, part): (Position, u32),
        reason: ErasureReason,
    ) -> Result<Decided, WriteError> {
        let own = view::applied_entry(&self.group_rows(), at)
            .filter(|entry| entry.agreement == agreement && entry.city == self.settings.city);
        own.ok_or(WriteError::NotErasable { part, why: NotErasable::Entry })?;
        let reader = self.journal.reader();
        let entry = load::entry_at(&self.group_rows(), &reader, at)
            .map_err(|_| WriteError::NotErasable { part, why: NotErasable::Entry })?;
        let place = usize::try_from(part).unwrap_or(usize::MAX);
        let named = entry.envelope.parts.get(place);
        let named = named.ok_or(WriteError::NotErasable { part, why: NotErasable::Part })?;
        // Numbers are counted on from what lies here, also when everything is read anew.
        if named.kind.is_counted() {
            return Err(WriteError::NotErasable { part, why: NotErasable::Number });
        }
        if self.group_rows().get(&keys::erased_part(at, part)).is_some() {
            return Err(WriteError::NotErasable { part, why: NotErasable::Erased });
        }
        let event = Event::PartErased { entry: at, part, reason };
        let subject = Subject { kind: SubjectKind::Log, id: Some(rows::log_subject(log)) };
        let draft = Draft { subject, prev: None, event, parts: Vec::new() };
        Ok(Decided { draft, record: None, opened_at: None, opens: None })
    }

    /// Parts that come although they are erased leave their place to the entry that erases them:
    /// a member that has not heard of it yet may send what was damaged here.
    pub(super) fn without_erased(&mut self, batch: &RawBatch) -> Option<RawBatch> {
        if load::erased_of(&self.group_rows(), batch).is_empty() {
            return None;
        }
        let mut batch = batch.clone();
        load::blank_erased(&self.group_rows(), &mut batch);
        Some(batch)
    }

    /// What is erased of a batch that was just indexed has to go from its record, too.
    pub(super) fn note_unerased(&mut self, batch: &RawBatch) {
        for (index, part, _) in load::erased_of(&self.group_rows(), batch) {
            let at = Position { log: batch.log, index };
            self.group_rows().put(keys::unerased_part(at, part), Vec::new());
        }
    }

    /// Takes erased parts off the disk, at most one segment at a time.
    pub(super) fn erase_what_is_due(&mut self, now: Now) {
        if now.mono_ms < self.erasing.next_ms || self.poisoned.is_some() {
            return;
        }
        let (due, from) = self.look_for_erased();
        if due.is_empty() {
            self.erasing.pause_ms = PAUSE_MS;
            self.erasing.from = None;
            return;
        }
        self.erasing.next_ms = now.mono_ms.saturating_add(self.erasing.pause_ms.max(PAUSE_MS));
        self.erasing.pause_ms = (self.erasing.pause_ms * 2).clamp(PAUSE_MS, PAUSE_MS_MAX);
        let in_segments = self.look_where_they_lie(due);
        if in_segments.len() <= 1 {
            self.erasing.from = from;
        }
        for (segment, records) in in_segments {
            let instead: Vec<Instead> =
                records.into_iter().filter_map(|at| Some((at, self.without(at)?))).collect();
            let Err(error) = self.journal.rewrite(segment, &instead) else {
                tracing::info!("erased parts are gone from the disk");
                return;
            };
            tracing::error!(%error, "could not take erased parts off the disk");
            if let JournalError::Poisoned(_) = error {
                self.poisoned = Some(error.to_string());
                return;
            }
        }
    }

    /// Erased parts that may still lie here, from the one behind the last on; and where to go on.
    fn look_for_erased(&mut self) -> (Vec<(Position, u32)>, Option<Vec<u8>>) {
        let from = self.erasing.from.clone().unwrap_or_else(|| b"i".to_vec());
        let (mut due, mut last) = (Vec::new(), None);
        self.group_rows().scan(&from, b"j", false, &mut |key, _| {
            due.extend(keys::parse_unerased_part(key));
            last = Some([key, &[0]].concat());
            due.len() < LOOK_MAX
        });
        let next = last.filter(|_| due.len() >= LOOK_MAX);
        (due, next)
    }

    /// The records that have to be written anew, by segment; what is gone is forgotten.
    fn look_where_they_lie(
        &mut self,
        due: Vec<(Position, u32)>,
    ) -> BTreeMap<u32, BTreeSet<RecordRef>> {
        let mut in_segments: BTreeMap<u32, BTreeSet<RecordRef>> = BTreeMap::new();
        // Parts of one batch follow one another.
        let mut read = None;
        for (at, part) in due {
            match self.lies_in(at, part, &mut read) {
                Found::Later => {}
                Found::Gone => {
                    self.group_rows().delete(&keys::unerased_part(at, part));
                    self.group_rows().delete(&keys::late_part(at, part));
                    self.group.dirty = true;
                }
                Found::In(records) => {
                    for record in records {
                        in_segments.entry(record.segment).or_default().insert(record);
                    }
                }
            }
        }
        in_segments
    }

    fn lies_in(
        &mut self,
        at: Position,
        part: u32,
        read: &mut Option<(RecordRef, RawBatch)>,
    ) -> Found {
        let late = self.group_rows().get(&keys::late_part(at, part));
        let late = late.as_deref().and_then(rows::decode::<RecordRef>);
        let over = load::batches_over(&self.group_rows(), at);
        let synced = self.journal.synced_records();
        let mut all = late.into_iter().chain(over.iter().map(|row| row.record));
        if over.is_empty() || all.any(|record| record.number >= synced) {
            return Found::Later;
        }
        let reader = self.journal.reader();
        let mut records = Vec::new();
        for BatchRow { record, .. } in over {
            if read.as_ref().is_none_or(|(known, _)| *known != record) {
                let Ok(batch) = load::read_batch(&reader, record, at) else { return Found::Later };
                *read = Some((record, batch));
            }
            let batch = read.as_ref().map(|(_, batch)| batch);
            let slot = batch.and_then(|batch| {
                let place = usize::try_from(at.index.checked_sub(batch.from)?).ok()?;
                batch.entries.get(place)?.parts.get(part as usize)
            });
            records.extend(slot.filter(|s| matches!(s, PartSlot::Bytes(_))).map(|_| record));
        }
        if let Some(record) = late {
            match load::read_late_part(&reader, record, at) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(_) => records.push(record),
                Err(_) => return Found::Later,
            }
        }
        if records.is_empty() { Found::Gone } else { Found::In(records) }
    }

    /// What a record says without what is erased of it; `None` when it cannot be read.
    fn without(&mut self, record: RecordRef) -> Option<Vec<u8>> {
        let (kind, payload) = self.journal.reader().read(record).ok()?;
        let room = payload.len();
        if kind == RecordKind::LatePart {
            let late = wire::peer::parse_late_part(&payload).ok()?;
            return Some(wire::peer::encode_late_part(late.entry, late.part, &bytes::Bytes::new()));
        }
        let mut batch = wire::batch::parse_batch(payload.into()).ok()?;
        load::blank_erased(&self.group_rows(), &mut batch);
        let anew = wire::batch::encode_batch(&batch);
        if anew.len() <= room {
            return Some(anew);
        }
        // The name of the erasing entry is longer than a short part was. Rows say which it is.
        load::put_for_erased(&self.group_rows(), &mut batch, |_| PartSlot::Withheld);
        Some(wire::batch::encode_batch(&batch))
    }
}
