//! Reading the journal into the views: all of it after a loss of the views, else what they lack.
//!
//! A batch whose predecessor is damaged is passed over until that has been fetched again, further
//! on in the journal; until then a replay begins with it. (`damage_survives_a_rebuild`)

use bytes::Bytes;

use crate::ids::LogId;
use crate::journal::{Disk, RecordKind, RecordRef};
use crate::log::merkle::leaf_hash;
use crate::log::{ForkProof, SignedManifest};
use crate::node::core::contradictions::Stands;
use crate::node::core::early::Early;
use crate::node::core::logs::{Held, Hold, Log};
use crate::node::core::recover::{OpenError, Progress, cosign_time};
use crate::node::core::rows::{self, CosignatureRow, ProgressRow};
use crate::node::core::{Core, commit, keys};
use crate::store::Store;
use crate::sync::RawBatch;
use crate::trust::charter::SignedCharter;
use crate::view::{ReadRows, Rows};
use crate::wire;

/// Rows of one group while the journal is read into the views: with a few thousand the engine
/// would keep gigabytes in memory.
const REPLAY_ROWS_MAX: usize = 1024;
/// A shorter reading is over before anybody looks.
const TOLD_RECORDS_MIN: u64 = 10_000;

impl<D: Disk, S: Store> Core<D, S> {
    /// Goes through the journal from a record on, as if each record had just been synced.
    ///
    /// False when it comes to the end of a suspension that the views were made with, or to the
    /// manifest of a log that they have passed over: they are of no use then.
    pub(super) fn replay(&mut self, from: u64, progress: Progress<'_>) -> Result<bool, OpenError> {
        (self.replayed_from, self.ahead) = (Some(from), None);
        let reader = self.journal.reader();
        let total = self.journal.next_record();
        let mut failed = None;
        let mut told = 0;
        let mut outdated = false;
        let records = total.saturating_sub(from);
        let (mut next, applied) = (from, self.apply_number);
        tracing::info!(from, all = records, "reading the journal into the views");
        reader.scan(from, &mut |record, kind, payload| {
            let (done, all) = (record.number.saturating_sub(from), total.saturating_sub(from));
            progress(done, all);
            let tenths = done * 10 / all.max(1);
            if tenths > told && all > TOLD_RECORDS_MIN {
                told = tenths;
                tracing::info!(record = record.number, all = records, "rebuilding the views");
            }
            self.pass_damage(next, record.number);
            next = record.number + 1;
            if kind == RecordKind::Newer {
                failed = Some(OpenError::Newer { record: record.number });
                return false;
            }
            outdated = self.lifts_more(record.number, kind, payload)
                || (from > 0 && self.was_unread(kind, payload));
            if outdated {
                return false;
            }
            self.replay_record(record, kind, payload);
            // Bounded groups: the rows of a long replay do not gather in memory.
            if self.group.changes.len() >= REPLAY_ROWS_MAX
                && let Err(error) = self.release_replayed(record.number + 1)
            {
                failed = Some(error);
            }
            failed.is_none()
        })?;
        (self.replayed_from, self.ahead) = (None, None);
        if outdated {
            return Ok(false);
        }
        self.pass_damage(next, total);
        // What was waited for has come, or does not follow what is here.
        self.apply_released();
        self.replay_ended(from, applied);
        match failed {
            Some(error) => Err(error),
            None => self.release_replayed(total),
        }?;
        match self.rows.failure() {
            Some(error) => Err(OpenError::Store(error.to_string())),
            None => Ok(true),
        }
    }

    fn release_replayed(&mut self, next_record: u64) -> Result<(), OpenError> {
        self.index_progress();
        let row = self.group.changes.get(keys::PROGRESS).cloned().flatten();
        if let Some(mut progress) = row.as_deref().and_then(rows::decode::<ProgressRow>) {
            progress.next_record = next_record.min(self.first_early());
            // What lies behind is in no row yet.
            progress.journal_end = next_record.max(self.indexed_end);
            self.group.changes.insert(keys::PROGRESS.to_vec(), Some(rows::encode(&progress)));
        }
        let group = std::mem::take(&mut self.group);
        self.rows
            .commit(commit::rows_batch(group.changes))
            .map_err(|e| OpenError::Store(e.to_string()))
    }

    /// Whether this is the manifest of a log of which the views have passed over batches: they are
    /// of no use then. (`what_lay_here_before_a_manifest_was_lost_is_read_again`)
    fn was_unread(&mut self, kind: RecordKind, payload: &[u8]) -> bool {
        if kind != RecordKind::Manifest {
            return false;
        }
        let manifest = SignedManifest::peek(&Bytes::copy_from_slice(payload));
        let log = manifest.map(|manifest| manifest.log_id());
        log.is_ok_and(|log| self.is_unread(log))
    }

    /// Whether batches of a log lie in the journal that no replay has read, for want of its
    /// manifest.
    pub(super) fn is_unread(&mut self, log: LogId) -> bool {
        self.group_rows().get(&keys::unread(log)).is_some()
    }

    /// A small record is read at every start.
    pub(super) fn note_small(&mut self, record: RecordRef) {
        self.group.changes.insert(keys::small(record.number), Some(rows::encode(&record)));
    }

    fn replay_record(&mut self, record: RecordRef, kind: RecordKind, payload: &[u8]) {
        if self.index_kept(record, kind, payload) {
            return;
        }
        if commit::read_at_start(kind) {
            self.note_small(record);
            let payload = Bytes::copy_from_slice(payload);
            self.replay_small(kind, payload.clone());
            // As it went when it was written: whoever waited for that log goes on.
            if kind == RecordKind::ForkProof {
                self.apply_released();
            } else if kind == RecordKind::Suspension {
                self.replay_suspension(record.number, &payload);
            } else if kind == RecordKind::Manifest {
                self.place_manifest(&payload);
            }
            return;
        }
        match kind {
            RecordKind::Batch => self.replay_batch(record, Bytes::copy_from_slice(payload)),
            RecordKind::Cosignature => self.replay_cosignature(payload),
            RecordKind::LatePart => {
                let late = wire::peer::parse_late_part(payload).ok();
                // Without bytes once it is erased.
                if let Some(late) = late.filter(|late| !late.bytes.is_empty()) {
                    let row = rows::encode(&record);
                    self.index_late_part(late.entry, late.part, (row, &late.bytes));
                }
            }
            RecordKind::Manifest
            | RecordKind::Charter
            | RecordKind::Card
            | RecordKind::ForkProof
            | RecordKind::Suspension
            | RecordKind::Local
            | RecordKind::Newer => {}
        }
    }

    pub(super) fn replay_small(&mut self, kind: RecordKind, payload: Bytes) {
        match kind {
            RecordKind::Charter => match SignedCharter::parse(&payload) {
                Ok(signed) => self.add_charter(signed.charter().clone(), signed.note().clone()),
                Err(error) => tracing::error!(%error, "a charter in the journal is unreadable"),
            },
            RecordKind::Card => match self.check_card(&payload) {
                Ok(signed) => {
                    self.book.offer_card(signed.card().clone(), signed.note().clone());
                }
                Err(why) => tracing::error!(%why, "a card in the journal is unreadable"),
            },
            RecordKind::Manifest => match self.check_manifest(&payload) {
                Ok(signed) => self.insert_log(signed),
                Err(why) => tracing::error!(%why, "a manifest in the journal is unreadable"),
            },
            RecordKind::ForkProof => {
                let proof = ForkProof::decode(&payload);
                if let Some((log, proof)) = proof
                    && let Some(found) = self.logs.get_mut(log)
                {
                    found.fork = Some(proof);
                    found.stands = true;
                    if found.own.is_some() {
                        found.hold = Hold::Restored;
                    }
                    self.warn_of_fork(log);
                }
            }
            RecordKind::Local => self.replay_local(&payload),
            RecordKind::Suspension
            | RecordKind::Batch
            | RecordKind::LatePart
            | RecordKind::Cosignature
            | RecordKind::Newer => {}
        }
    }

    fn replay_batch(&mut self, record: RecordRef, payload: Bytes) {
        let Ok(batch) = wire::batch::parse_batch(payload) else {
            tracing::error!(record = record.number, "a batch in the journal is unreadable");
            return;
        };
        if self.logs.get(batch.log).is_none() && !self.add_from_ahead(batch.log) {
            tracing::error!(record = record.number, log = %batch.log, "a batch of no known log");
            self.pass_log(batch.log);
        }
        let Some(appended) = self.logs.get(batch.log).map(Log::appended) else { return };
        let (log, end) = (batch.log, batch.from + batch.entries.len() as u64);
        let indexed = record.number < self.indexed_end;
        // What comes before it is damaged, or was when the views passed it over; it may have been
        // fetched again further on. If all of it is here, the rows know where it is read, perhaps
        // from a later record that has more parts.
        // (`what_was_fetched_again_is_read_there_while_another_log_waits`)
        if batch.from > appended || indexed {
            let gap = batch.from > appended;
            let early = Early { record, end, checkpoint: batch.checkpoint, gap };
            self.keep_early(log, batch.from, early);
        } else {
            self.replay_next(record, &batch, batch.from, appended);
        }
        while let Some((record, batch)) = self.next_early(log) {
            // What was fetched again meanwhile lies further on in the journal, perhaps with parts
            // that this record does not have.
            // (`what_was_fetched_again_is_not_read_from_where_it_was_passed_over`)
            let appended = self.logs.get(log).map_or(0, Log::appended);
            self.replay_next(record, &batch, appended, appended);
        }
    }

    /// A batch that begins at the log's end or before it. What was here already was fetched again:
    /// from now on the entries from `read_from` on are read from this record.
    fn replay_next(&mut self, record: RecordRef, batch: &RawBatch, read_from: u64, appended: u64) {
        let headers: Result<Vec<_>, _> =
            batch.entries.iter().map(|e| wire::entry::parse_header(&e.header)).collect();
        let Ok(headers) = headers else {
            tracing::error!(record = record.number, "a header in the journal is unreadable");
            return;
        };
        self.save_growth(batch.log);
        let known = usize::try_from(appended.saturating_sub(batch.from)).unwrap_or(usize::MAX);
        let news = batch.entries.get(known..).unwrap_or_default();
        if let Some(log) = self.logs.get_mut(batch.log).filter(|_| !news.is_empty()) {
            for entry in news {
                log.grown.frontier.push(leaf_hash(&entry.header));
            }
            log.grown.checkpoint = batch.checkpoint.clone();
            log.synced();
        }
        self.judge_cosignatures(batch.log);
        self.index_rest(record, batch, read_from);
        self.apply_batch(batch, &headers);
        self.apply_released();
    }

    fn replay_cosignature(&mut self, payload: &[u8]) {
        let Ok(cosign) = wire::peer::parse_cosign(payload) else { return };
        let Some(time_s) = cosign_time(&cosign) else { return };
        match self.stands(&cosign) {
            Stands::Fits => {}
            Stands::Proves(proof) => {
                self.keep_witness_proof(cosign.log, cosign.witness, proof);
                return;
            }
            Stands::OfAFork => return,
        }
        let row = CosignatureRow { root: cosign.root, time_s, line: cosign.line.clone() };
        let row = rows::encode(&row);
        let key = keys::cosignature(cosign.log, cosign.witness, cosign.size);
        self.group_rows().put(key, row);
        // What follows in the journal may rest on it. Where the manifest of its witness is damaged,
        // nobody can say whose it is: it is read from the row once that is here again.
        if self.logs.get(cosign.witness).is_none() {
            return;
        }
        if let Some(found) = self.logs.get_mut(cosign.log) {
            let known = found.cosigned.get(&cosign.witness).map_or(0, |held| held.cosign.size);
            if cosign.size > known {
                found.cosigned.insert(cosign.witness, Held { cosign, time_s });
            }
        }
    }
}
