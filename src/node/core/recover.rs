//! Start: read the small records, take the rows as far as they go, replay the rest of the journal.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::geo::Boundaries;
use crate::ids::{CityCode, LogId};
use crate::journal::{Disk, GuardVerdict, Journal, JournalError, RecordKind, RecordRef};
use crate::log::ForkProof;
use crate::log::merkle::Frontier;
use crate::node::core::gate::{ASKING_MS, Recoveries};
use crate::node::core::group::{Group, Queue};
use crate::node::core::io::Now;
use crate::node::core::links::LinkBook;
use crate::node::core::logs::{Held, Hold, LogTable};
use crate::node::core::parts::Asking;
use crate::node::core::rows::{self, CosignatureRow, LogRow, ProgressRow};
use crate::node::core::{AgreementBook, Core, Entropy, KeyRing, Settings, commit, keys};
use crate::store::{Store, WriteBehind};
use crate::sync::{Cosign, Exchange};
use crate::trust::charter::SignedCharter;
use crate::trust::keys::HmacKey;
use crate::view::{self, ReadRows, Rows};
use crate::wire;

/// Why a node could not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The journal could not be read.
    #[error("could not read the journal")]
    Journal(#[from] JournalError),
    /// The views could not be written.
    #[error("could not write the views: {0}")]
    Store(String),
    /// The journal holds what only a newer program understands; nothing was changed. Upgrade.
    #[error("record {record} of the journal needs a newer version of liandong")]
    Newer {
        /// The record's number.
        record: u64,
    },
}

/// What a core is made of.
pub struct CoreParts<D: Disk, S: Store> {
    /// What it is told once.
    pub settings: Settings,
    /// The journal, open.
    pub journal: Journal<D>,
    /// The rows; emptied here when they belong to another journal or version.
    pub rows: Arc<WriteBehind<S>>,
    /// Randomness.
    pub entropy: Box<dyn Entropy>,
    /// Secret keys of own logs.
    pub keyring: Box<dyn KeyRing>,
    /// Key of tags.
    pub node_key: HmacKey,
    /// Borders, if there is a file.
    pub boundaries: Option<Boundaries>,
}

/// Judges the sizes of own logs against the high-water mark.
pub type Judge<'a> = &'a dyn Fn(&[(LogId, u64)]) -> GuardVerdict;

/// Progress of a replay: records done, records in all.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

impl<D: Disk, S: Store> Core<D, S> {
    /// Opens a core: everything in the journal is in the views afterwards.
    ///
    /// `guard` judges the journal against the high-water mark kept elsewhere, once the sizes of
    /// the logs are known.
    ///
    /// # Errors
    /// [`OpenError`] when the journal cannot be read or the views cannot be written.
    pub fn open(
        parts: CoreParts<D, S>,
        now: Now,
        guard: Judge<'_>,
        progress: Progress<'_>,
    ) -> Result<Self, OpenError> {
        let exchange = Exchange::new(parts.settings.city);
        let mut core = Self {
            settings: parts.settings,
            journal: parts.journal,
            rows: parts.rows,
            entropy: parts.entropy,
            keyring: parts.keyring,
            node_key: parts.node_key,
            boundaries: parts.boundaries,
            book: AgreementBook::default(),
            logs: LogTable::default(),
            exchange,
            links: LinkBook::default(),
            asking: Asking::default(),
            complete: BTreeMap::new(),
            recoveries: Recoveries::default(),
            queue: Queue::default(),
            group: Group::default(),
            apply_number: 0,
            start_ms: now.wall_ms,
            now,
            poisoned: None,
            warnings: Vec::new(),
        };
        let from = core.take_rows()?;
        core.replay(from, progress)?;
        core.load_cosignatures();
        core.load_owed();
        core.judge(guard);
        if core.group.dirty {
            // A restore that was found is on disk before the guard can move. There are no links
            // and no callers yet, so there is nobody to be told anything.
            core.commit(now);
        }
        core.ask_members(now);
        Ok(core)
    }

    /// Takes the rows if they are of this journal and version; returns the record to go on from.
    fn take_rows(&mut self) -> Result<u64, OpenError> {
        let row = self.group_rows().get(keys::PROGRESS);
        let progress = row.as_deref().and_then(rows::decode::<ProgressRow>).filter(|p| {
            p.rows_version == rows::ROWS_VERSION
                && p.fold_version == view::FOLD_VERSION
                && p.journal_id == self.journal.journal_id()
                && p.next_record <= self.journal.next_record()
        });
        let Some(progress) = progress else {
            self.empty_rows()?;
            return Ok(0);
        };
        self.apply_number = progress.apply_number;
        let mut small = Vec::new();
        self.group_rows().scan(b"k", b"l", false, &mut |_, value| {
            small.extend(rows::decode::<RecordRef>(value));
            true
        });
        let reader = self.journal.reader();
        for record in small {
            let (kind, payload) = reader.read(record)?;
            self.replay_small(kind, payload.into());
        }
        self.load_logs();
        Ok(progress.next_record)
    }

    fn empty_rows(&mut self) -> Result<(), OpenError> {
        let mut old = Vec::new();
        self.rows
            .read()
            .scan(&[], &[0xff; 64], false, &mut |key, _| {
                old.push((key.to_vec(), None));
                true
            })
            .map_err(|e| OpenError::Store(e.to_string()))?;
        for chunk in old.chunks(1024) {
            self.rows.commit(chunk.to_vec()).map_err(|e| OpenError::Store(e.to_string()))?;
        }
        Ok(())
    }

    fn load_logs(&mut self) {
        let ids: Vec<LogId> = self.logs.iter().map(|l| l.id).collect();
        for id in ids {
            let row = self.group_rows().get(&keys::log(id));
            let Some(row) = row.as_deref().and_then(rows::decode::<LogRow>) else { continue };
            let frontier = Frontier::from_parts(row.stored.0, row.stored.1);
            let applied = Frontier::from_parts(row.applied.0, row.applied.1);
            let (Some(frontier), Some(applied), Some(log)) =
                (frontier, applied, self.logs.get_mut(id))
            else {
                continue;
            };
            log.grown.frontier = frontier;
            log.grown.applied = applied;
            log.grown.checkpoint = row.checkpoint;
            log.waiting_for = row.waiting_for;
            log.last_source = CityCode::from_u32(row.last_source).ok();
            log.misfits = row.misfits;
            log.synced();
        }
    }

    /// Goes through the journal from a record on, as if each record had just been synced.
    fn replay(&mut self, from: u64, progress: Progress<'_>) -> Result<(), OpenError> {
        let reader = self.journal.reader();
        let total = self.journal.next_record();
        let mut failed = None;
        reader.scan(from, &mut |record, kind, payload| {
            progress(record.number.saturating_sub(from), total.saturating_sub(from));
            if kind == RecordKind::Newer {
                failed = Some(OpenError::Newer { record: record.number });
                return false;
            }
            self.replay_record(record, kind, payload);
            // Bounded groups: the rows of a long replay do not gather in memory.
            if self.group.changes.len() >= 4096
                && let Err(error) = self.release_replayed(record.number + 1)
            {
                failed = Some(error);
            }
            failed.is_none()
        })?;
        match failed {
            Some(error) => Err(error),
            None => self.release_replayed(total),
        }
    }

    fn release_replayed(&mut self, next_record: u64) -> Result<(), OpenError> {
        self.index_progress();
        let row = self.group.changes.get(keys::PROGRESS).cloned().flatten();
        if let Some(mut progress) = row.as_deref().and_then(rows::decode::<ProgressRow>) {
            progress.next_record = next_record;
            self.group.changes.insert(keys::PROGRESS.to_vec(), Some(rows::encode(&progress)));
        }
        let group = std::mem::take(&mut self.group);
        self.rows
            .commit(commit::rows_batch(group.changes))
            .map_err(|e| OpenError::Store(e.to_string()))
    }

    fn replay_record(&mut self, record: RecordRef, kind: RecordKind, payload: &[u8]) {
        if commit::read_at_start(kind) {
            self.group.changes.insert(keys::small(record.number), Some(rows::encode(&record)));
            self.replay_small(kind, Bytes::copy_from_slice(payload));
            if kind == RecordKind::ForkProof {
                // As it went when it was written: whoever waited for that log goes on.
                self.apply_released();
            }
            return;
        }
        match kind {
            RecordKind::Batch => self.replay_batch(record, Bytes::copy_from_slice(payload)),
            RecordKind::Cosignature => self.replay_cosignature(payload),
            RecordKind::LatePart => {
                if let Ok(late) = wire::peer::parse_late_part(payload) {
                    self.index_late_part(late.entry, late.part, rows::encode(&record));
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

    fn replay_small(&mut self, kind: RecordKind, payload: Bytes) {
        match kind {
            RecordKind::Charter => match SignedCharter::parse(&payload) {
                Ok(signed) => self.add_charter(signed.charter().clone(), payload),
                Err(error) => tracing::error!(%error, "a charter in the journal is unreadable"),
            },
            RecordKind::Card => match self.check_card(&payload) {
                Ok(card) => {
                    self.book.offer_card(card, payload);
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
        let headers: Result<Vec<_>, _> =
            batch.entries.iter().map(|e| wire::entry::parse_header(&e.header)).collect();
        let Ok(headers) = headers else {
            tracing::error!(record = record.number, "a header in the journal is unreadable");
            return;
        };
        self.save_growth(batch.log);
        let Some(log) = self.logs.get_mut(batch.log).filter(|l| l.appended() == batch.from) else {
            tracing::error!(record = record.number, log = %batch.log, "a batch does not follow");
            return;
        };
        for entry in &batch.entries {
            log.grown.frontier.push(crate::log::merkle::leaf_hash(&entry.header));
        }
        log.grown.checkpoint = batch.checkpoint.clone();
        log.synced();
        self.index_batch(record, &batch);
        self.apply_batch(&batch, &headers);
        self.apply_released();
    }

    fn replay_cosignature(&mut self, payload: &[u8]) {
        let Ok(cosign) = wire::peer::parse_cosign(payload) else { return };
        let Some(time_s) = cosign_time(&cosign) else { return };
        let row = CosignatureRow { root: cosign.root, time_s, line: cosign.line.clone() };
        let row = rows::encode(&row);
        let key = keys::cosignature(cosign.log, cosign.witness, cosign.size);
        self.group_rows().put(key, row);
    }

    /// The newest cosignature of each witness, from the rows.
    fn load_cosignatures(&mut self) {
        let ids: Vec<LogId> = self.logs.iter().map(|l| l.id).collect();
        for log in &ids {
            for witness in &ids {
                let from = keys::cosignature(*log, *witness, 0);
                let to = keys::cosignature(*log, *witness, u64::MAX);
                let mut newest = None;
                self.group_rows().scan(&from, &to, true, &mut |key, value| {
                    let size = key.last_chunk::<8>().map(|b| u64::from_be_bytes(*b));
                    newest = size.zip(rows::decode::<CosignatureRow>(value));
                    false
                });
                let Some((size, row)) = newest else { continue };
                let (log, witness) = (*log, *witness);
                let cosign = Cosign { log, size, root: row.root, witness, line: row.line };
                if let Some(found) = self.logs.get_mut(log) {
                    found.cosigned.insert(witness, Held { cosign, time_s: row.time_s });
                }
            }
        }
    }

    /// Compares the sizes of own logs with the high-water mark.
    fn judge(&mut self, guard: Judge<'_>) {
        let sizes = self.own_sizes();
        match guard(&sizes) {
            GuardVerdict::Fresh | GuardVerdict::Consistent => {}
            GuardVerdict::RestoredCopy { behind } => {
                let lost = behind.iter().any(|(log, _)| self.logs.get(*log).is_none());
                for (log, size) in behind {
                    self.found_restored(log, size);
                }
                // A log of which nothing is here may be the successor of any that is.
                for (log, size) in sizes.into_iter().filter(|_| lost) {
                    self.found_restored(log, size);
                }
            }
            GuardVerdict::Missing => {
                for (log, size) in sizes {
                    self.found_restored(log, size);
                }
            }
        }
    }

    /// Own logs that are not new wait for what the members know of them.
    fn ask_members(&mut self, now: Now) {
        let own = self.settings.city;
        let asked: Vec<_> = self
            .logs
            .iter()
            .filter(|l| l.own.is_some() && l.hold == Hold::None && l.appended() > 0)
            .map(|l| (l.id, l.manifest.agreement))
            .collect();
        for (id, agreement) in asked {
            let members = self.logs.members(agreement).iter().copied();
            let waiting = members.filter(|c| *c != own && self.book.card(*c).is_some()).collect();
            if let Some(log) = self.logs.get_mut(id) {
                log.hold = Hold::Asking { until_ms: now.mono_ms + ASKING_MS, waiting };
            }
        }
    }
}

fn cosign_time(cosign: &Cosign) -> Option<u64> {
    let text = std::str::from_utf8(&cosign.line).ok()?;
    let line = crate::log::note::SignatureLine::parse(text).ok()?;
    let time = line.signature().first_chunk::<8>()?;
    Some(u64::from_be_bytes(*time))
}
