//! Group commit: decide the queued writes, seal, append, sync, index, answer.
//!
//! Own batches come first, agreement by agreement, then what was damaged and has come again, then
//! other cities' stretches in order of arrival; application follows the same order, so that a
//! replay of the journal repeats it.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::api::order::OrderError;
use crate::api::request::{Request, WriteError, Written};
use crate::domain::Event;
use crate::ids::{AgreementId, LogId};
use crate::journal::{Disk, JournalError, RecordKind, RecordRef};
use crate::limits;
use crate::log::checkpoint::SignedCheckpoint;
use crate::log::{Entry, ForkProof, PartSlot};
use crate::node::core::group::{Changes, Ingested};
use crate::node::core::io::{Output, Ticket};
use crate::node::core::rows::{self, BatchRow, LogRow, ProgressRow};
use crate::node::core::{Core, Now, keys};
use crate::store::Store;
use crate::sync::{RawBatch, RawEntry};
use crate::view::{self, ReadRows};
use crate::wire;
use crate::wire::entry::ParsedHeader;

/// The own batch that is being filled.
pub struct OpenBatch {
    log: LogId,
    from: u64,
    entries: Vec<RawEntry>,
    bytes: usize,
}

impl OpenBatch {
    fn new(log: LogId, from: u64) -> Self {
        Self { log, from, entries: Vec::new(), bytes: 0 }
    }

    /// Seals first if the entries of one command would not fit any more.
    pub(super) fn make_room<D: Disk, S: Store>(
        &mut self,
        core: &mut Core<D, S>,
        entries: &[(Entry, Event)],
    ) -> Result<(), WriteError> {
        let bytes: usize = entries.iter().map(|(e, _)| entry_bytes(&e.header, &e.parts)).sum();
        if bytes > limits::BATCH_BYTES_MAX {
            let (limit, got) = (limits::BATCH_BYTES_MAX, bytes);
            return Err(WriteError::TooLarge { what: "request", limit, got });
        }
        let full = self.entries.len() + entries.len() > limits::BATCH_ENTRIES_MAX
            || self.bytes + bytes > limits::BATCH_BYTES_MAX;
        if full { core.seal(self) } else { Ok(()) }
    }

    pub(super) fn push(&mut self, entry: RawEntry) {
        self.bytes += entry_bytes(&entry.header, &entry.parts);
        self.entries.push(entry);
    }
}

impl<D: Disk, S: Store> Core<D, S> {
    pub(super) fn commit(&mut self, now: Now) -> Vec<Output> {
        self.group.apply_before = self.apply_number;
        let held = match self.append_small() {
            Ok(()) => self.decide_queue(now),
            // Whoever waits hears of it: the next commit would fail in the same way.
            Err(error) => {
                let waiting = std::mem::take(&mut self.queue.writes);
                self.refuse(waiting, &error);
                Err(error)
            }
        };
        let ingested = std::mem::take(&mut self.group.ingested);
        let mended = std::mem::take(&mut self.group.mended);
        let mut failed = held;
        for batch in mended.iter().map(|(batch, _)| batch).chain(ingested.iter().map(|s| &s.batch))
        {
            if let Err(error) = self.append_batch(batch) {
                failed = Err(error);
            }
        }
        let result = failed
            .and_then(|()| self.check_views())
            .and_then(|()| self.journal.commit().map_err(storage_failed));
        match result {
            Ok(()) => self.committed(now, &mended, ingested),
            Err(error) => self.undone(now, &error, &ingested),
        }
    }

    fn append_small(&mut self) -> Result<(), WriteError> {
        for (kind, bytes) in self.group.small.clone() {
            let record = self.append(kind, &bytes)?;
            if self.index_kept(record, kind, &bytes) {
                continue;
            }
            if read_at_start(kind) {
                self.note_small(record);
            }
            if kind == RecordKind::ForkProof {
                self.stand_still(&bytes);
            } else if kind == RecordKind::Suspension {
                self.place_suspension(&bytes);
            } else if kind == RecordKind::Manifest {
                self.place_manifest(&bytes);
            }
        }
        Ok(())
    }

    /// A log that stands still counts as met: whoever waited for it goes on, and at this place of
    /// the journal, one proof after the other, so that a replay does the same.
    /// (`two_forks_in_one_group_release_as_in_a_replay`)
    fn stand_still(&mut self, proof: &Bytes) {
        let forked = ForkProof::decode(proof).and_then(|(log, _)| self.logs.get_mut(log));
        if let Some(log) = forked {
            log.stands = true;
        }
        self.apply_released();
    }

    /// Refuses writes; what was written before has its first answer.
    fn refuse(&mut self, writes: Vec<(Ticket, Box<Request>)>, error: &WriteError) {
        for (ticket, request) in writes {
            let answer = self.repeated_or(&request, error);
            self.group.answers.push((ticket, answer));
        }
    }

    /// Decides what waits, agreement by agreement; what is gated stays in the queue.
    fn decide_queue(&mut self, now: Now) -> Result<(), WriteError> {
        let mut by_agreement: BTreeMap<AgreementId, Vec<(Ticket, Box<Request>)>> = BTreeMap::new();
        for (ticket, request) in std::mem::take(&mut self.queue.writes) {
            if self.is_held(now, &request.command) {
                self.queue.writes.push((ticket, request));
                continue;
            }
            by_agreement.entry(request.command.agreement()).or_default().push((ticket, request));
        }
        let mut failed = Ok(());
        for (agreement, writes) in by_agreement {
            if let Err(error) = self.check_writable(agreement) {
                self.refuse(writes, &error);
                continue;
            }
            let Some(own) = self.logs.own(agreement) else { continue };
            let mut open = OpenBatch::new(own.id, own.appended());
            for (ticket, request) in writes {
                let answer = self.write_one(now, &request, &mut open);
                self.group.answers.push((ticket, answer));
            }
            if let Err(error) = self.seal(&mut open) {
                failed = Err(error);
            }
        }
        failed
    }

    /// Closes the batch with a checkpoint and hands it to the journal.
    fn seal(&mut self, open: &mut OpenBatch) -> Result<(), WriteError> {
        if open.entries.is_empty() {
            return Ok(());
        }
        let log = self.logs.get_mut(open.log).ok_or(WriteError::NoLog)?;
        let keys = log.own.as_ref().ok_or(WriteError::NoLog)?;
        let checkpoint = SignedCheckpoint::sign(log.appended_head(), &keys.log).note().clone();
        log.grown.checkpoint = checkpoint.clone();
        let (next, entries) = (log.appended(), std::mem::take(&mut open.entries));
        let batch = RawBatch { log: open.log, from: open.from, entries, checkpoint };
        *open = OpenBatch::new(open.log, next);
        self.append_batch(&batch)?;
        // Somebody may have named these entries before they were written. Its log goes on here, as
        // in a replay. (`an_entry_named_in_advance_releases_as_in_a_replay`)
        self.apply_released();
        Ok(())
    }

    fn append_batch(&mut self, batch: &RawBatch) -> Result<(), WriteError> {
        let without = self.without_erased(batch);
        let batch = without.as_ref().unwrap_or(batch);
        let payload = wire::batch::encode_batch(batch);
        let record = self.append(RecordKind::Batch, &payload)?;
        self.index_batch(record, batch);
        Ok(())
    }

    /// Notes where a batch lies.
    pub(super) fn index_batch(&mut self, record: RecordRef, batch: &RawBatch) {
        self.index_rest(record, batch, batch.from);
    }

    /// Notes where the entries of a batch from one on lie; those before it are read elsewhere.
    pub(super) fn index_rest(&mut self, record: RecordRef, batch: &RawBatch, from: u64) {
        let narrow = batch.entries.iter().any(has_narrow);
        let end = batch.from + batch.entries.len() as u64;
        let row = BatchRow { record, end, narrow };
        let key = keys::batch(batch.log, from);
        if self.logs.get(batch.log).is_some_and(|log| end < log.durable.size) {
            self.keep_rest(&key, batch.log, end);
        }
        self.group.changes.insert(key, Some(rows::encode(&row)));
        self.note_owed(batch, from);
        self.note_unerased(batch);
    }

    /// A batch that is fetched again may be shorter than the damaged one that begins where it does:
    /// the rest of that one keeps its place, or after a crash nobody would know that it is damaged.
    /// (`the_rest_of_a_damaged_batch_is_asked_for_over_a_start`)
    fn keep_rest(&mut self, key: &[u8], log: LogId, end: u64) {
        let before = self.group_rows().get(key).and_then(|row| rows::decode::<BatchRow>(&row));
        let rest = keys::batch(log, end);
        if let Some(before) = before.filter(|before| before.end > end)
            && self.group_rows().get(&rest).is_none()
        {
            self.group.changes.insert(rest, Some(rows::encode(&before)));
        }
    }

    /// Hands a record to the journal; it is on disk after the group's commit.
    pub(super) fn append(
        &mut self,
        kind: RecordKind,
        payload: &[u8],
    ) -> Result<RecordRef, WriteError> {
        self.group.dirty = true;
        self.journal.append(kind, payload).map_err(storage_failed)
    }

    /// Remembers a log as it was before the group.
    pub(super) fn save_growth(&mut self, log: LogId) {
        self.group.dirty = true;
        if let Some(found) = self.logs.get(log) {
            self.group.saved.entry(log).or_insert_with(|| found.grown.clone());
        }
    }

    fn committed(
        &mut self,
        now: Now,
        mended: &[(RawBatch, Vec<ParsedHeader>)],
        ingested: Vec<Ingested>,
    ) -> Vec<Output> {
        let grown: Vec<LogId> = self.group.saved.keys().copied().collect();
        // Own logs, then stretch by stretch, as they lie in the journal: an entry that waits for
        // a later stretch is applied where a replay applies it.
        for log in grown.iter().filter(|log| !ingested.iter().any(|s| s.batch.log == **log)) {
            if let Some(log) = self.logs.get_mut(*log) {
                log.synced();
            }
        }
        for (batch, headers) in mended {
            self.taken_again(batch, headers);
        }
        for stretch in &ingested {
            if let Some(log) = self.logs.get_mut(stretch.batch.log) {
                log.durable = stretch.head;
                log.durable_checkpoint = stretch.batch.checkpoint.clone();
            }
            self.group.coming.pop_front();
            self.apply_stretch(stretch);
        }
        self.forget_early();
        self.index_progress();
        let group = std::mem::take(&mut self.group);
        // Rows made while the store could not be read may be wrong: they are not taken.
        let taken = self.check_views().and_then(|()| {
            let written = self.rows.commit(rows_batch(group.changes));
            written.map_err(|e| self.distrust(&e.to_string()))
        });
        if let Err(error) = taken {
            tracing::error!(%error, "the views lag behind the journal until a restart");
        }
        let mut outputs: Vec<Output> =
            group.answers.into_iter().map(|(t, answer)| Output::Written(t, answer)).collect();
        outputs.extend(group.after);
        if self.apply_number > group.apply_before {
            outputs.push(Output::Applied(self.apply_number));
        }
        for stretch in ingested {
            outputs.extend(self.stretch_stored(now, &stretch));
        }
        if self.apply_number > group.apply_before {
            outputs.extend(self.ask_for_missing(now));
        }
        for log in grown {
            let actions = self.exchange.grown(&self.logs, log);
            outputs.extend(self.perform(actions));
        }
        outputs
    }

    /// Nothing is decided, and nothing taken in, on views that have failed.
    pub(super) fn check_views(&mut self) -> Result<(), WriteError> {
        match self.rows.failure() {
            Some(error) => Err(self.distrust(&error.to_string())),
            None => Ok(()),
        }
    }

    fn distrust(&mut self, why: &str) -> WriteError {
        let detail = format!("the views failed and are rebuilt at the next start: {why}");
        if self.poisoned.is_none() {
            tracing::error!(%detail, "nothing is written until a restart");
            self.poisoned = Some(detail.clone());
        }
        WriteError::StorageFailed { detail }
    }

    /// The group did not reach the disk: everything is as it was before it.
    fn undone(&mut self, now: Now, error: &WriteError, ingested: &[Ingested]) -> Vec<Output> {
        self.journal.abort();
        if self.journal.is_poisoned() {
            self.poisoned = Some(error.to_string());
            tracing::error!(%error, "a write or sync failed; nothing is written until a restart");
        }
        let mut group = std::mem::take(&mut self.group);
        // They are already relied on in memory, so they are written with the next group.
        self.group.small = std::mem::take(&mut group.small);
        self.group.dirty = !self.group.small.is_empty() && self.poisoned.is_none();
        self.apply_number = group.apply_before;
        for (log, saved) in group.saved {
            if let Some(log) = self.logs.get_mut(log) {
                log.grown = saved;
            }
        }
        let failed = |answer: Result<_, WriteError>| match answer {
            // A repetition rests on what was synced long ago, unless the first call is of this
            // very group.
            Ok(written) if self.is_durable_replay(&written) => Ok(written),
            Ok(_) => Err(error.clone()),
            Err(refused) => Err(refused),
        };
        let answers = group.answers.into_iter();
        let mut outputs: Vec<Output> =
            answers.map(|(t, answer)| Output::Written(t, failed(answer))).collect();
        if self.poisoned.is_none() {
            // What rests on the small records goes out once they are on disk.
            self.group.after = group.after;
        } else {
            outputs
                .extend(group.after.into_iter().filter_map(|output| small_failed(output, error)));
        }
        // They are asked for again a little later, perhaps of somebody else.
        for stretch in ingested {
            let log = stretch.batch.log;
            let actions = self.exchange.rest_source(now.mono_ms, &self.logs, stretch.link, log);
            outputs.extend(self.perform(actions));
        }
        outputs
    }

    fn is_durable_replay(&self, written: &Written) -> bool {
        let log = self.logs.get(written.position.log);
        written.replayed && log.is_some_and(|log| written.position.index < log.durable.size)
    }

    /// Writes the progress and the state of every log the group touched.
    pub(super) fn index_progress(&mut self) {
        let touched: Vec<LogId> = self.group.saved.keys().copied().collect();
        for id in touched {
            if let Some(row) = self.logs.get(id).map(log_row) {
                self.group.changes.insert(keys::log(id), Some(rows::encode(&row)));
            }
        }
        let progress = ProgressRow {
            rows_version: rows::ROWS_VERSION,
            fold_version: view::FOLD_VERSION,
            journal_id: self.journal.journal_id(),
            next_record: self.journal.next_record().min(self.first_early()),
            journal_end: self.journal.next_record(),
            apply_number: self.apply_number,
            made_over: self.made_over,
        };
        self.group.changes.insert(keys::PROGRESS.to_vec(), Some(rows::encode(&progress)));
    }

    /// Bytes that are free, where that is too little to write anything.
    pub(super) fn low_disk(&self) -> Option<u64> {
        let free = self.journal.free_bytes().unwrap_or(u64::MAX);
        #[cfg(feature = "planted-bugs")]
        let free = if crate::planted::guards::is_off("disk-low") { u64::MAX } else { free };
        (free < self.settings.disk_low_bytes).then_some(free)
    }

    /// Why nothing may be written now, if so.
    fn check_writable(&self, agreement: AgreementId) -> Result<(), WriteError> {
        if let Some(detail) = &self.poisoned {
            return Err(WriteError::StorageFailed { detail: detail.clone() });
        }
        if let Some(free) = self.low_disk() {
            return Err(WriteError::DiskLow { free });
        }
        if self.book.get(agreement).is_none() {
            return Err(WriteError::NotFound);
        }
        self.check_own_log(agreement)
    }
}

/// Kinds that are few and wanted in memory; the others are found through their own rows.
pub(super) fn read_at_start(kind: RecordKind) -> bool {
    match kind {
        RecordKind::Manifest
        | RecordKind::Charter
        | RecordKind::Card
        | RecordKind::ForkProof
        | RecordKind::Suspension
        | RecordKind::Local => true,
        RecordKind::Batch | RecordKind::LatePart | RecordKind::Cosignature | RecordKind::Newer => {
            false
        }
    }
}

/// Whoever handed in notes or gave an order hears that it is not kept; all else is dropped.
fn small_failed(output: Output, error: &WriteError) -> Option<Output> {
    let detail = error.to_string();
    if let Output::Ordered(ticket, done) = output {
        let failed = Err(OrderError::StorageFailed { detail });
        return Some(Output::Ordered(ticket, done.and(failed)));
    }
    let Output::NotesDone(ticket, results) = output else { return None };
    let failed = results.into_iter().map(|result| result.and(Err(detail.clone())));
    Some(Output::NotesDone(ticket, failed.collect()))
}

fn log_row(log: &crate::node::core::logs::Log) -> LogRow {
    let parts = |f: &crate::log::merkle::Frontier| {
        let (size, edge) = f.parts();
        (size, edge.to_vec())
    };
    LogRow {
        stored: parts(&log.grown.frontier),
        applied: parts(&log.grown.applied),
        checkpoint: log.grown.checkpoint.clone(),
        waiting_for: log.waiting_for,
        last_source: log.last_source.map_or(0, crate::ids::CityCode::as_u32),
        misfits: log.misfits,
        day: log.grown.day,
        leans_from: log.grown.leans_from.map(|head| (head.size, head.root)),
    }
}

/// Whether an entry has parts that are not for all members, told from its slots and header.
fn has_narrow(entry: &RawEntry) -> bool {
    let Ok(parsed) = wire::entry::parse_header(&entry.header) else { return true };
    parsed.envelope.has_narrow_part()
}

pub(super) fn storage_failed(error: JournalError) -> WriteError {
    match error {
        // Found before a byte was written: writes resume by themselves.
        JournalError::NoSpace(_) => WriteError::DiskLow { free: 0 },
        JournalError::Poisoned(_)
        | JournalError::Read(_)
        | JournalError::Damaged { .. }
        | JournalError::BadSegment { .. }
        | JournalError::Rewrite(_)
        | JournalError::TooLarge { .. } => WriteError::StorageFailed { detail: error.to_string() },
    }
}

/// Row changes in the form the store takes.
pub(super) fn rows_batch(changes: Changes) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    changes.into_iter().collect()
}

/// Signed bytes of an entry: header and parts.
fn entry_bytes(header: &Bytes, parts: &[PartSlot]) -> usize {
    let part = |slot: &PartSlot| match slot {
        PartSlot::Bytes(bytes) => bytes.len(),
        PartSlot::ErasedBy(_) | PartSlot::Withheld => 0,
    };
    header.len() + parts.iter().map(part).sum::<usize>()
}
