//! What holds an own log back: asking members after a start, and recovery after a restore.
//!
//! After a start, a log is not appended to until every member that answers within 5 s has said
//! what it holds of it. A restored copy is never appended to again; in the next epoch, moves of
//! records that existed before wait until every member has shown what it holds of the old log.
//!
//! Invariants:
//! 1. Once found to be an older copy, a log stays so: over restarts, and when its entries have come
//!    back from members. (`a_restored_log_stays_held_after_its_entries_came_back`)
//! 2. A move waits for every member that has not shown what it holds of an old log of this city,
//!    or whose entries are not here yet, unless an entry names that member.
//!    (`moves_wait_for_every_member_openings_do_not`)

use std::collections::BTreeMap;

use crate::api::request::{Command, NewPart, PartContent, WriteError};
use crate::api::status::RecoveryStatus;
use crate::domain::Event;
use crate::domain::site::SiteAct;
use crate::ids::{AgreementId, CityCode, LogId, Position};
use crate::journal::{Disk, LocalFact, RecordKind};
use crate::log::{Audience, Head, Subject, SubjectKind};
use crate::node::core::io::Output;
use crate::node::core::logs::{Hold, Log};
use crate::node::core::mend::CREDIT_BYTES;
use crate::node::core::write::{Decided, Draft};
use crate::node::core::{Core, Now, keys, rows};
use crate::store::Store;
use crate::sync::{Cosign, Frame, LinkId};
use crate::view::Rows;

/// How long members are waited for after a start, in milliseconds.
pub(super) const ASKING_MS: u64 = 5_000;

/// What is known of old logs of this city.
#[derive(Clone, Debug, Default)]
pub(super) struct Recoveries {
    /// What each member has shown that it holds of an old log.
    shown: BTreeMap<(LogId, CityCode), u64>,
    /// Own logs that came back from an older copy, also such as are not known here (yet).
    restored: BTreeMap<LogId, u64>,
    /// Logs that were asked for batch by batch: from where, and up to where they may be taken.
    narrowed: BTreeMap<LogId, (u64, u64)>,
}

impl Recoveries {
    pub(super) fn count(&self) -> usize {
        self.shown.len() + self.restored.len()
    }

    /// Logs asked for batch by batch.
    pub(super) fn narrowed(&self) -> usize {
        self.narrowed.len()
    }
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Whether a write must wait a moment for members to answer: in its agreement, and where checks
    /// of all agreements count, in any.
    pub(super) fn is_held(&self, now: Now, command: &Command) -> bool {
        let counts = matches!(
            command,
            Command::ActOnSite { act: SiteAct::Checked(check), .. } if check.counts()
        );
        let any = || self.book.iter().any(|(agreement, _)| self.is_gated(now, *agreement));
        self.is_gated(now, command.agreement()) || (counts && any())
    }

    fn is_gated(&self, now: Now, agreement: AgreementId) -> bool {
        match self.logs.own(agreement).map(|l| &l.hold) {
            Some(Hold::Asking { until_ms, waiting }) => {
                now.mono_ms < *until_ms && !waiting.is_empty()
            }
            Some(Hold::None | Hold::Restored) | None => false,
        }
    }

    pub(super) fn check_own_log(&self, agreement: AgreementId) -> Result<(), WriteError> {
        match self.logs.own(agreement) {
            None => Err(WriteError::NoLog),
            #[cfg(feature = "planted-bugs")]
            Some(_) if crate::planted::is_on("old-epoch-after-restore") => Ok(()),
            Some(log) if log.hold == Hold::Restored => Err(WriteError::EpochNeeded),
            // After damage its own entries may wait for others that are fetched again: what is
            // written now would be applied before them.
            Some(log) if log.applied() < log.appended() => {
                let waits_for = log.waiting_for.and_then(|(other, _)| self.logs.get(other));
                let waiting_for = waits_for.map(|other| other.manifest.city).into_iter().collect();
                Err(WriteError::Recovering { waiting_for })
            }
            Some(_) => Ok(()),
        }
    }

    /// A member has answered, or cannot be reached: it is not waited for any longer.
    pub(super) fn heard_from(&mut self, city: CityCode) {
        for log in self.logs.iter_mut() {
            if let Hold::Asking { waiting, .. } = &mut log.hold {
                waiting.remove(&city);
            }
        }
    }

    /// More of an own log exists than is here: this node was restored from an older copy.
    pub(super) fn found_restored(&mut self, id: LogId, size: u64) {
        let superseded = self.logs.get(id).is_some_and(|l| l.hold == Hold::Restored);
        if superseded || self.recoveries.restored.contains_key(&id) {
            return;
        }
        let here = self.logs.get(id).map_or(0, Log::appended);
        tracing::error!(log = %id, here, elsewhere = size, "restored from an older copy");
        self.hold_restored(id, size);
        self.found_cut();
        let record = LocalFact::Restored { log: id, size }.encode().into();
        self.group.small.push((RecordKind::Local, record));
        self.group.dirty = true;
    }

    /// Records at the end of the journal are gone, or those that came after a copy was made.
    /// Cursors of before are refused from the next start on, and at a start at once.
    pub(super) fn found_cut(&mut self) {
        let is_cut =
            |payload: &[u8]| matches!(LocalFact::decode(payload), Some(LocalFact::Cut { .. }));
        if self.group.small.iter().any(|(_, payload)| is_cut(payload)) {
            return;
        }
        let record = self.journal.next_record();
        tracing::error!(record, "the journal ends before it did");
        self.entropy.fill(&mut self.made_over.cut);
        let record = LocalFact::Cut { mark: self.made_over.cut }.encode().into();
        self.group.small.push((RecordKind::Local, record));
        self.group.dirty = true;
    }

    fn hold_restored(&mut self, id: LogId, size: u64) {
        self.recoveries.restored.insert(id, size);
        if let Some(log) = self.logs.get_mut(id).filter(|l| l.own.is_some()) {
            log.hold = Hold::Restored;
        }
    }

    /// Whether a log that becomes known now came back from an older copy.
    pub(super) fn is_restored(&self, id: LogId) -> bool {
        self.recoveries.restored.contains_key(&id)
    }

    /// Reads back what was written here in an earlier life.
    pub(super) fn replay_local(&mut self, payload: &[u8]) {
        match LocalFact::decode(payload) {
            Some(LocalFact::Shown { log, city, size }) => {
                self.recoveries.shown.insert((log, city), size);
            }
            Some(LocalFact::Restored { log, size }) => self.hold_restored(log, size),
            Some(LocalFact::Cut { mark }) => self.made_over.cut = mark,
            // Found through its row.
            Some(LocalFact::Assigned { .. } | LocalFact::Drafted { .. }) => {}
            None => tracing::warn!("a record of a later version is left alone"),
        }
    }

    /// Old logs of this city in an agreement, once it goes on in a newer one. One that the guard
    /// names and of which nothing is here may be of this agreement as well: its members are asked.
    /// (`a_log_that_only_the_guard_knows_is_asked_for`)
    fn old_logs(&self, agreement: AgreementId) -> Vec<LogId> {
        let newest = self.logs.own(agreement).filter(|l| l.is_own());
        let Some(newest) = newest.map(|l| l.id) else { return Vec::new() };
        let city = self.settings.city;
        let old = |l: &&Log| l.manifest.city == city && l.id != newest;
        let known = self.logs.of_agreement(agreement).filter(old).map(|l| l.id);
        known.chain(self.lost_logs()).collect()
    }

    /// Own logs of which there is nothing here but a word of the guard.
    pub(super) fn lost_logs(&self) -> impl Iterator<Item = LogId> + '_ {
        self.recoveries.restored.keys().copied().filter(|id| self.logs.get(*id).is_none())
    }

    /// A member has shown what it holds of every log of an agreement; what it does not name, it
    /// does not hold.
    pub(super) fn member_has_shown(
        &mut self,
        agreement: AgreementId,
        city: CityCode,
        shown: &[(LogId, u64)],
    ) {
        let mut asked = self.old_logs(agreement);
        asked.extend(self.lost_logs().filter(|id| !asked.contains(id)).collect::<Vec<_>>());
        for old in asked {
            let size = shown.iter().find(|(log, _)| *log == old).map_or(0, |(_, size)| *size);
            self.has_shown(old, city, size);
        }
    }

    /// A member shows more of an old log than when it greeted.
    pub(super) fn shown_later(&mut self, city: CityCode, log: LogId, size: u64) {
        let own = self.settings.city;
        if self.logs.get(log).is_some_and(|l| l.manifest.city == own && !l.is_own()) {
            self.has_shown(log, city, size);
        }
    }

    fn has_shown(&mut self, log: LogId, city: CityCode, size: u64) {
        let known = self.recoveries.shown.get(&(log, city));
        if known.is_some_and(|known| *known >= size) {
            return;
        }
        self.recoveries.shown.insert((log, city), size);
        let record = LocalFact::Shown { log, city, size }.encode().into();
        self.group.small.push((RecordKind::Local, record));
        self.group.dirty = true;
    }

    /// A log of this city became known: members that are connected have shown what they hold of
    /// the older ones when they greeted, or since.
    pub(super) fn look_for_old_logs(&mut self, agreement: AgreementId) {
        let greeted: Vec<_> = self.exchange.greeted().collect();
        for old in self.old_logs(agreement) {
            for (link, city) in &greeted {
                if self.logs.members(agreement).contains(city) {
                    self.has_shown(old, *city, self.exchange.announced_by(*link, old));
                }
            }
        }
    }

    /// Cities an entry of a newer own log says not to wait for.
    pub(super) fn index_recovery(&mut self, log: LogId, city: CityCode, event: &Event) {
        let Event::RecoveryOverridden { cities } = event else { return };
        if city != self.settings.city {
            return;
        }
        for named in cities {
            self.group_rows().put(keys::overridden(log, *named), Vec::new());
        }
    }

    fn is_overridden(&self, agreement: AgreementId, epoch: u64, city: CityCode) -> bool {
        let own = self.settings.city;
        let newer = |l: &&Log| l.manifest.city == own && l.manifest.epoch > epoch;
        self.logs.of_agreement(agreement).filter(newer).any(|l| {
            let key = keys::overridden(l.id, city);
            match self.group.changes.get(&key) {
                Some(changed) => changed.is_some(),
                None => matches!(self.rows.read().get(&key), Ok(Some(_))),
            }
        })
    }

    /// Members an old log waits for: not heard from, or what they hold is not here yet.
    fn waiting_for(&self, agreement: AgreementId, old: LogId) -> Vec<CityCode> {
        let (here, epoch) =
            self.logs.get(old).map_or((0, 0), |log| (log.applied(), log.manifest.epoch));
        let own = self.settings.city;
        let waits = |city: &CityCode| {
            let shown = self.recoveries.shown.get(&(old, *city));
            *city != own
                && shown.is_none_or(|size| *size > here)
                && !self.is_overridden(agreement, epoch, *city)
        };
        self.logs.members(agreement).iter().copied().filter(waits).collect()
    }

    /// Whether a record that existed before the restore may be moved.
    pub(super) fn check_recovery(
        &self,
        agreement: AgreementId,
        log: LogId,
        opened_at: Position,
    ) -> Result<(), WriteError> {
        #[cfg(feature = "planted-bugs")]
        if crate::planted::is_on("move-without-asking") {
            return Ok(());
        }
        if opened_at.log == log {
            return Ok(());
        }
        let old = self.old_logs(agreement);
        let mut waiting_for: Vec<CityCode> =
            old.into_iter().flat_map(|old| self.waiting_for(agreement, old)).collect();
        waiting_for.sort_unstable();
        waiting_for.dedup();
        if waiting_for.is_empty() { Ok(()) } else { Err(WriteError::Recovering { waiting_for }) }
    }

    /// Cities that may hold entries of this city's own in an agreement that are not here, or wait
    /// here for others.
    pub(super) fn lacks_own(&self, agreement: AgreementId) -> Vec<CityCode> {
        let own = self.settings.city;
        let others = || self.logs.members(agreement).iter().copied().filter(move |c| *c != own);
        let mut cities: Vec<CityCode> = match self.check_own_log(agreement) {
            Ok(()) | Err(WriteError::NoLog) => Vec::new(),
            Err(WriteError::Recovering { waiting_for }) if !waiting_for.is_empty() => waiting_for,
            Err(_) => others().collect(),
        };
        for old in self.old_logs(agreement) {
            cities.extend(self.waiting_for(agreement, old));
        }
        cities
    }

    /// Whether anything in the agreement waits for members.
    pub(super) fn is_recovering(&self, agreement: AgreementId) -> bool {
        let mut old = self.old_logs(agreement).into_iter();
        old.any(|old| !self.waiting_for(agreement, old).is_empty())
    }

    /// Agreements in which a new epoch is needed, or moves wait.
    pub(super) fn recovery_statuses(&self) -> Vec<RecoveryStatus> {
        let mut statuses = Vec::new();
        for (agreement, _) in self.book.iter() {
            let agreement = *agreement;
            let needed = self.logs.own(agreement).filter(|l| l.hold == Hold::Restored);
            statuses.extend(needed.map(|log| RecoveryStatus {
                agreement,
                old_log: log.id,
                waiting_for: Vec::new(),
                epoch_needed: true,
            }));
            for old_log in self.old_logs(agreement) {
                let waiting_for = self.waiting_for(agreement, old_log);
                if !waiting_for.is_empty() {
                    let epoch_needed = false;
                    statuses.push(RecoveryStatus { agreement, old_log, waiting_for, epoch_needed });
                }
            }
        }
        statuses
    }

    /// Whether a stretch of a log that has a successor may be taken: up to where the successor
    /// begins, and beyond only what another city has cosigned. Nobody else can tell any more
    /// whether it was written before or after the successor began.
    pub(super) fn check_succession(&self, end: Head) -> bool {
        let Some((pinned, city)) = self.pinned(end.log) else {
            return self.logs.get(end.log).is_some();
        };
        let covers = |size: u64, root| size > end.size || (size == end.size && root == end.root);
        let by_others = |held: &Cosign| covers(held.size, held.root);
        end.size <= pinned || self.cosigned_by(end.log, |by| by != city).any(by_others)
    }

    /// Up to where the successor of a log pins it, and the city of both.
    fn pinned(&self, log: LogId) -> Option<(u64, CityCode)> {
        let manifest = &self.logs.get(log)?.manifest;
        let (city, epoch) = (manifest.city, manifest.epoch);
        let later = |l: &&Log| l.manifest.city == city && l.manifest.epoch > epoch;
        let successors = self.logs.of_agreement(manifest.agreement).filter(later);
        let successor = successors.min_by_key(|l| l.manifest.epoch)?;
        let pin = successor.manifest.prologue.filter(|p| p.log == log);
        Some((pin.map_or(0, |p| p.size), city))
    }

    /// The newest cosignatures of a log by cities that are these.
    pub(super) fn cosigned_by(
        &self,
        log: LogId,
        are: impl Fn(CityCode) -> bool,
    ) -> impl Iterator<Item = &Cosign> {
        let by = move |witness: &LogId| {
            self.logs.get(*witness).is_some_and(|witness| are(witness.manifest.city))
        };
        let all = self.logs.get(log).into_iter().flat_map(|l| &l.cosigned);
        all.filter(move |(witness, _)| by(witness)).map(|(_, held)| &held.cosign)
    }

    /// A stretch was too long to be taken, because whoever serves it has joined batches. Asks for
    /// it batch by batch, if a part of it may be taken, once for each place.
    /// (`an_old_log_is_taken_as_far_as_it_may_be_though_batches_were_joined`)
    pub(super) fn ask_for_less(&mut self, link: LinkId, log: LogId) -> Option<Output> {
        let from = self.logs.get(log)?.appended();
        let (pinned, city) = self.pinned(log)?;
        let covered = self.cosigned_by(log, |by| by != city).map(|c| c.size).max().unwrap_or(0);
        let place = (from, pinned.max(covered));
        if place.1 <= from || self.recoveries.narrowed.insert(log, place) == Some(place) {
            return None;
        }
        Some(Output::Send(link, Frame::Subscribe { log, from, credit: CREDIT_BYTES }))
    }

    /// Decides on going on without members that do not answer.
    pub(super) fn decide_override(
        &mut self,
        agreement: AgreementId,
        log: LogId,
        cities: &[CityCode],
        text: &str,
    ) -> Result<Decided, WriteError> {
        if !self.is_recovering(agreement) {
            let reason = "nothing waits for a member in this agreement".to_owned();
            return Err(WriteError::BadField { field: "cities", reason });
        }
        let members = self.logs.members(agreement);
        if cities.is_empty() || cities.iter().any(|c| !members.contains(c)) {
            let reason = "name members of the agreement".to_owned();
            return Err(WriteError::BadField { field: "cities", reason });
        }
        let mut cities = cities.to_vec();
        cities.sort_unstable();
        cities.dedup();
        let event = Event::RecoveryOverridden { cities };
        let content = PartContent::Text(text.to_owned());
        let parts = vec![NewPart { audience: Audience::AllMembers, content }];
        let subject = Subject { kind: SubjectKind::Log, id: Some(rows::log_subject(log)) };
        let draft = Draft { subject, prev: None, event, parts };
        Ok(Decided { draft, record: None, opened_at: None, opens: None })
    }
}
