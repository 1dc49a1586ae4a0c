//! What holds an own log back: asking members after a start, and recovery after a restore.
//!
//! After a start, a log is not appended to until every member that answers within 5 s has said
//! what it holds of it. A restored copy is never appended to again; in the next epoch, moves of
//! records that existed before wait until every member has shown what it holds of the old log.

use std::collections::BTreeSet;

use crate::api::request::WriteError;
use crate::domain::Event;
use crate::ids::{AgreementId, CityCode, LogId, Position};
use crate::journal::{Disk, LocalFact, RecordKind};
use crate::node::core::logs::Hold;
use crate::node::core::{Core, Now};
use crate::store::Store;

/// How long members are waited for after a start, in milliseconds.
pub(super) const ASKING_MS: u64 = 5_000;

/// An agreement in which this node goes on after an older log of its own ended.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// The log that ended.
    pub old_log: LogId,
    /// Members that have not shown what they hold of it.
    pub waiting: BTreeSet<CityCode>,
    /// What members have shown that is not here yet: its largest size.
    pub shown: u64,
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Whether writes in an agreement must wait a moment for members to answer.
    pub(super) fn is_gated(&self, now: Now, agreement: AgreementId) -> bool {
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
            Some(log) if log.hold == Hold::Restored => Err(WriteError::EpochNeeded),
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

    /// Somebody holds more of an own log than this node: it was restored from an older copy.
    pub(super) fn found_restored(&mut self, id: LogId, size: u64) {
        let Some(log) = self.logs.get_mut(id) else { return };
        if log.hold == Hold::Restored {
            return;
        }
        let here = log.appended();
        tracing::error!(log = %id, here, elsewhere = size, "restored from an older copy");
        log.hold = Hold::Restored;
        let agreement = log.manifest.agreement;
        self.warnings.push(format!(
            "本市节点由旧副本恢复：协议 {agreement} 须新建纪元（liandong epoch new）后方可办理"
        ));
    }

    /// A member has shown what it holds of every log of an agreement.
    pub(super) fn member_has_shown(
        &mut self,
        agreement: AgreementId,
        city: CityCode,
        shown: &[(LogId, u64)],
    ) {
        let Some(recovery) = self.recoveries.get_mut(&agreement) else { return };
        let old = recovery.old_log;
        let size = shown.iter().find(|(log, _)| *log == old).map_or(0, |(_, size)| *size);
        recovery.shown = recovery.shown.max(size);
        if recovery.waiting.remove(&city) {
            let payload = LocalFact::Shown { log: old, city, size }.encode();
            self.group.small.push((RecordKind::Local, payload.into()));
            self.group.dirty = true;
        }
    }

    /// Reads back what [`Self::member_has_shown`] wrote.
    pub(super) fn replay_shown(&mut self, payload: &[u8]) {
        let Some(LocalFact::Shown { log, city, size }) = LocalFact::decode(payload) else { return };
        for recovery in self.recoveries.values_mut().filter(|r| r.old_log == log) {
            recovery.shown = recovery.shown.max(size);
            recovery.waiting.remove(&city);
        }
    }

    /// Starts waiting, when an own log pins an older one.
    pub(super) fn begin_recovery(&mut self, id: LogId) {
        let Some(log) = self.logs.get(id).filter(|l| l.own.is_some()) else { return };
        let Some(old) = log.manifest.prologue else { return };
        let agreement = log.manifest.agreement;
        let own = self.settings.city;
        let members = self.logs.members(agreement).iter().copied();
        let waiting = members.filter(|c| *c != own).collect();
        let recovery = Recovery { old_log: old.log, waiting, shown: old.size };
        self.recoveries.insert(agreement, recovery);
    }

    /// The members' own word, in an entry: go on without these.
    pub(super) fn index_recovery(
        &mut self,
        agreement: AgreementId,
        log: LogId,
        city: CityCode,
        event: &Event,
    ) {
        let Event::RecoveryOverridden { cities } = event else { return };
        let own = self.logs.own(agreement).map(|l| l.id);
        if city != self.settings.city || own != Some(log) {
            return;
        }
        if let Some(recovery) = self.recoveries.get_mut(&agreement) {
            recovery.waiting.retain(|c| !cities.contains(c));
        }
    }

    /// Whether a record that existed before the restore may be moved.
    pub(super) fn check_recovery(
        &self,
        agreement: AgreementId,
        log: LogId,
        opened_at: Position,
    ) -> Result<(), WriteError> {
        let Some(recovery) = self.recoveries.get(&agreement) else { return Ok(()) };
        if opened_at.log == log {
            return Ok(());
        }
        let fetched = self.logs.get(recovery.old_log).map_or(0, |l| l.applied());
        if recovery.waiting.is_empty() && fetched >= recovery.shown {
            return Ok(());
        }
        Err(WriteError::Recovering { waiting_for: recovery.waiting.iter().copied().collect() })
    }
}
