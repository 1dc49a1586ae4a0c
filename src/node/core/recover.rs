//! Start: read the small records, take the rows as far as they go, replay the rest of the journal.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::domain::both;
use crate::geo::Boundaries;
use crate::ids::{CityCode, LogId};
use crate::journal::{Disk, Grown, GuardVerdict, Journal, JournalError, RecordKind, RecordRef};
use crate::log::Head;
use crate::log::checkpoint::SignedCheckpoint;
use crate::log::merkle::Frontier;
use crate::node::core::clocks::Clocks;
use crate::node::core::erase::Erasing;
use crate::node::core::gate::{ASKING_MS, Recoveries};
use crate::node::core::group::{Group, Queue};
use crate::node::core::io::Now;
use crate::node::core::links::LinkBook;
use crate::node::core::logs::{Held, Hold, LogTable};
use crate::node::core::made_over::MadeOver;
use crate::node::core::mend::Mending;
use crate::node::core::parts::Asking;
use crate::node::core::passed::Passed;
use crate::node::core::rows::{self, CosignatureRow, LogRow, ProgressRow};
use crate::node::core::standing::Standing;
use crate::node::core::suspension::Suspensions;
use crate::node::core::witness::Looks;
use crate::node::core::{AgreementBook, Core, Entropy, KeyRing, Settings, keys};
use crate::store::{Store, WriteBehind};
use crate::sync::{Cosign, Exchange};
use crate::trust::keys::HmacKey;
use crate::view::{self, ReadRows};

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
    pub boundaries: Option<Arc<Boundaries>>,
}

/// Judges how far the journal has grown against the high-water mark.
pub type Judge<'a> = &'a dyn Fn(&Grown) -> GuardVerdict;

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
            clocks: Clocks::default(),
            asking: Asking::default(),
            complete: BTreeMap::new(),
            unconfirmed_from: None,
            recoveries: Recoveries::default(),
            suspensions: Suspensions::default(),
            early: BTreeMap::new(),
            passed: Passed::default(),
            indexed_end: 0,
            made_over: MadeOver::default(),
            standing: Standing::default(),
            replayed_from: None,
            ahead: None,
            mending: Mending::default(),
            erasing: Erasing::default(),
            looks: Looks::default(),
            queue: Queue::default(),
            group: Group::default(),
            apply_number: 0,
            start_ms: now.wall_ms,
            now,
            poisoned: None,
            warnings: Vec::new(),
        };
        let ahead = core.rows_are_ahead();
        let from = core.take_rows()?;
        if !core.replay(from, progress)? {
            core.begin_anew()?;
            core.replay(0, progress)?;
        }
        #[cfg(feature = "planted-bugs")]
        if crate::planted::is_on("request-lost-on-restart") {
            let mut found = Vec::new();
            let mut find = |key: &[u8], _: &[u8]| (true, found.push(key.to_vec())).0;
            core.group_rows().scan(b"q", b"r", false, &mut find);
            core.group.changes.extend(found.into_iter().map(|key| (key, None)));
        }
        core.judge_gaps();
        core.load_cosignatures();
        core.load_witness_proofs();
        core.load_owed();
        core.judge(guard, ahead);
        if core.group.dirty {
            // A restore that was found is on disk before the guard can move. There are no links
            // and no callers yet, so there is nobody to be told anything.
            core.commit(now);
        }
        core.ask_members(now);
        Ok(core)
    }

    /// How far the rows go, if they are of this journal and version.
    fn progress_row(&mut self) -> Option<ProgressRow> {
        let row = self.group_rows().get(keys::PROGRESS);
        row.as_deref().and_then(rows::decode::<ProgressRow>).filter(|p| {
            p.rows_version == rows::ROWS_VERSION && p.journal_id == self.journal.journal_id()
        })
    }

    /// Whether the rows know of records that the journal has lost.
    fn rows_are_ahead(&mut self) -> bool {
        let end = self.journal.next_record();
        self.progress_row().is_some_and(|p| p.journal_end > end)
    }

    /// Takes the rows if they are of this journal and version; returns the record to go on from.
    fn take_rows(&mut self) -> Result<u64, OpenError> {
        let progress = self.progress_row().filter(|p| {
            p.fold_version == view::FOLD_VERSION
                && p.next_record <= p.journal_end
                // A record that was named and is cut off would be read as the one written in its
                // place. (`views_ahead_of_a_journal_that_lost_its_tail_are_made_anew`)
                && p.journal_end <= self.journal.next_record()
        });
        let Some(progress) = progress else {
            self.empty_rows()?;
            return Ok(0);
        };
        self.apply_number = progress.apply_number;
        self.made_over = progress.made_over;
        let mut small = Vec::new();
        self.group_rows().scan(b"k", b"l", false, &mut |_, value| {
            small.extend(rows::decode::<RecordRef>(value));
            true
        });
        let Some(suspensions) = self.read_small(small)? else { return Ok(0) };
        let logs: Vec<LogId> = self.logs.iter().map(|l| l.id).collect();
        if logs.into_iter().any(|log| self.is_unread(log)) {
            self.begin_anew()?;
            return Ok(0);
        }
        if !self.take_suspensions(&suspensions) {
            self.begin_anew()?;
            return Ok(0);
        }
        if let Err(why) = self.load_logs() {
            tracing::error!(%why, "the views contradict the journal; they are rebuilt");
            self.begin_anew()?;
            return Ok(0);
        }
        self.load_cosignatures();
        self.load_passed();
        self.indexed_end = progress.journal_end;
        Ok(progress.next_record)
    }

    /// Reads the notes that the views were made with, charters first: one that was handed in again
    /// lies behind the manifests under it. The suspensions among them; none where one is damaged.
    fn read_small(
        &mut self,
        small: Vec<RecordRef>,
    ) -> Result<Option<Vec<(u64, Bytes)>>, OpenError> {
        let reader = self.journal.reader();
        let (mut notes, mut suspensions) = (Vec::new(), Vec::new());
        for record in small {
            match reader.read(record) {
                Ok((RecordKind::Suspension, payload)) => {
                    suspensions.push((record.number, payload.into()));
                }
                Ok((kind, payload)) => notes.push((kind, payload)),
                // Rows of a log without its manifest would be made twice once that is here again:
                // everything is made anew, from the notes that are left.
                Err(error @ JournalError::Damaged { .. }) => {
                    tracing::error!(%error, "a note in the journal is damaged; hand it in again");
                    self.begin_anew()?;
                    let number = record.number;
                    self.warnings.push(both(
                        &format!(
                            "本机第 {number} 条数据（协议、名片或记录声明）已损坏，请重新导入"
                        ),
                        &format!(
                            "datum {number} here (an agreement, a card or a declaration) is \
                             damaged: hand it in again"
                        ),
                    ));
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            }
        }
        notes.sort_by_key(|(kind, _)| *kind != RecordKind::Charter);
        for (kind, payload) in notes {
            self.replay_small(kind, payload.into());
        }
        Ok(Some(suspensions))
    }

    /// Back to before anything was read.
    fn forget(&mut self) {
        self.book = AgreementBook::default();
        self.logs = LogTable::default();
        self.recoveries = Recoveries::default();
        self.suspensions = Suspensions::default();
        self.group = Group::default();
        self.warnings.clear();
        self.early.clear();
        self.passed = Passed::default();
        self.indexed_end = 0;
        self.made_over = MadeOver::default();
        self.apply_number = 0;
    }

    /// A suspension was lifted, or a manifest is here again: everything is folded anew.
    fn begin_anew(&mut self) -> Result<(), OpenError> {
        tracing::info!("what the views rest on has changed; they are made anew");
        self.forget();
        self.read_lifted()?;
        self.empty_rows()
    }

    fn empty_rows(&mut self) -> Result<(), OpenError> {
        self.rows.clear().map_err(|e| OpenError::Store(e.to_string()))
    }

    /// Takes the state of every log from its row, and checks it against the log's own signature.
    fn load_logs(&mut self) -> Result<(), String> {
        let ids: Vec<LogId> = self.logs.iter().map(|l| l.id).collect();
        for id in ids {
            let row = self.group_rows().get(&keys::log(id));
            let row = row.as_deref().and_then(rows::decode::<LogRow>);
            let row = row.ok_or_else(|| format!("no state of log {id}"))?;
            let frontier = Frontier::from_parts(row.stored.0, row.stored.1);
            let applied = Frontier::from_parts(row.applied.0, row.applied.1);
            let (Some(frontier), Some(applied), Some(log)) =
                (frontier, applied, self.logs.get_mut(id))
            else {
                return Err(format!("the state of log {id} is no tree"));
            };
            log.grown.frontier = frontier;
            log.grown.applied = applied;
            log.grown.checkpoint = row.checkpoint;
            log.grown.day = row.day;
            let leans_from = row.leans_from;
            log.grown.leans_from = leans_from.map(|(size, root)| Head { log: id, size, root });
            log.waiting_for = row.waiting_for;
            log.last_source = CityCode::from_u32(row.last_source).ok();
            log.misfits = row.misfits;
            let head = log.appended_head();
            if head.size > 0 {
                let key = &log.manifest.log_key;
                let signed = SignedCheckpoint::verify(&log.grown.checkpoint, id, key);
                if signed.ok().map(|s| s.head()) != Some(head) || log.applied() > head.size {
                    return Err(format!("the state of log {id} is not the signed one"));
                }
            }
            log.synced();
        }
        Ok(())
    }

    /// The newest cosignature of each witness, from the rows.
    fn load_cosignatures(&mut self) {
        let ids: Vec<LogId> = self.logs.iter().map(|l| l.id).collect();
        for log in &ids {
            ids.iter().for_each(|witness| self.load_newest_cosignature(*log, *witness));
        }
    }

    /// Those of one log, and those that it has signed.
    pub(super) fn load_cosignatures_around(&mut self, id: LogId) {
        let others: Vec<LogId> = self.logs.iter().map(|l| l.id).filter(|l| *l != id).collect();
        for other in others {
            self.load_newest_cosignature(id, other);
            self.load_newest_cosignature(other, id);
        }
    }

    pub(super) fn load_newest_cosignature(&mut self, log: LogId, witness: LogId) {
        let from = keys::cosignature(log, witness, 0);
        let to = keys::cosignature(log, witness, u64::MAX);
        let mut newest = None;
        self.group_rows().scan(&from, &to, true, &mut |key, value| {
            let size = key.last_chunk::<8>().map(|b| u64::from_be_bytes(*b));
            newest = size.zip(rows::decode::<CosignatureRow>(value));
            false
        });
        let Some((size, row)) = newest else { return };
        let cosign = Cosign { log, size, root: row.root, witness, line: row.line };
        if let Some(found) = self.logs.get_mut(log) {
            found.cosigned.insert(witness, Held { cosign, time_s: row.time_s });
        }
    }

    /// Compares the journal with the high-water mark, and with the rows that were found.
    fn judge(&mut self, guard: Judge<'_>, rows_are_ahead: bool) {
        if rows_are_ahead {
            self.found_cut();
        }
        let grown = self.grown();
        let sizes = grown.sizes.clone();
        #[cfg(feature = "planted-bugs")]
        if crate::planted::is_on("forget-the-guard") {
            return;
        }
        match guard(&grown) {
            GuardVerdict::Fresh | GuardVerdict::Consistent => {}
            GuardVerdict::EndLost => self.found_cut(),
            GuardVerdict::RestoredCopy { mut behind, end_lost } => {
                if end_lost {
                    self.found_cut();
                }
                // What nobody has any more stays behind for ever: it is said once, and condemns no
                // log that was begun since. (`what_stays_behind_for_ever_is_found_once`)
                behind.retain(|(log, _)| !self.is_restored(*log));
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
                self.found_cut();
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
            let asked = |c: &CityCode| self.book.card(*c).is_some() && !self.suspensions.has(*c);
            let waiting = members.filter(|c| *c != own && asked(c)).collect();
            if let Some(log) = self.logs.get_mut(id) {
                log.hold = Hold::Asking { until_ms: now.mono_ms + ASKING_MS, waiting };
            }
        }
    }
}

pub(super) fn cosign_time(cosign: &Cosign) -> Option<u64> {
    let text = std::str::from_utf8(&cosign.line).ok()?;
    let line = crate::log::note::SignatureLine::parse(text).ok()?;
    let time = line.signature().first_chunk::<8>()?;
    Some(u64::from_be_bytes(*time))
}
