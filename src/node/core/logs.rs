//! The logs a node holds, in memory: sizes, frontiers, checkpoints, who has cosigned.
//!
//! Two sizes per log: *appended* (with what the current group will write) and *durable* (synced;
//! the only one that is announced, cosigned or served). Two cursors: stored and applied.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::ids::{AgreementId, CityCode, LogId};
use crate::log::keys::SigningKey;
use crate::log::manifest::Manifest;
use crate::log::merkle::Frontier;
use crate::log::{ForkProof, Head, WitnessProof};
use crate::node::core::rows::DayRow;
use crate::sync::{Cosign, Frame, LogInfo};

/// A cosignature held.
#[derive(Clone, Debug)]
pub struct Held {
    /// The line and what it covers.
    pub cosign: Cosign,
    /// When the witness signed, seconds since 1970-01-01 UTC.
    pub time_s: u64,
}

/// The part of a log's state that a failed group takes back.
#[derive(Clone, Debug)]
pub struct Growth {
    /// All entries appended.
    pub frontier: Frontier,
    /// Newest checkpoint; empty while the log is empty.
    pub checkpoint: Bytes,
    /// All entries applied.
    pub applied: Frontier,
    /// What it has brought today.
    pub day: DayRow,
    /// Applied when its next entry was the first that leans on a suspension, see [`super::lean`].
    pub leans_from: Option<Head>,
}

/// The keys of a log this node writes.
#[derive(Debug)]
pub struct OwnKeys {
    /// Signs checkpoints.
    pub log: SigningKey,
    /// Cosigns other cities' checkpoints.
    pub cosign: SigningKey,
}

/// Why a log is not written although its keys are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Nothing holds it.
    None,
    /// After a start: members that may know more are asked first.
    Asking {
        /// Until when, on the clock that never goes back.
        until_ms: u64,
        /// Members not heard from.
        waiting: BTreeSet<CityCode>,
    },
    /// It came back from an older copy: never written again. Also, until the next start, one whose
    /// entries lie unread in the journal.
    Restored,
}

/// One log.
#[derive(Debug)]
pub struct Log {
    /// Its id.
    pub id: LogId,
    /// Its manifest.
    pub manifest: Manifest,
    /// The signed manifest.
    pub note: Bytes,
    /// Appended and applied.
    pub grown: Growth,
    /// Synced.
    pub durable: Head,
    /// Checkpoint over what is synced.
    pub durable_checkpoint: Bytes,
    /// What its next entry waits for.
    pub waiting_for: Option<(LogId, u64)>,
    /// Newest cosignature of each witness log.
    pub cosigned: BTreeMap<LogId, Held>,
    /// What proves something against a witness, by its log: one each.
    pub contradictions: BTreeMap<LogId, WitnessProof>,
    /// City from which the last stretch came.
    pub last_source: Option<CityCode>,
    /// Entries that did not take effect.
    pub misfits: u64,
    /// Two signed histories: it stands still.
    pub fork: Option<ForkProof>,
    /// The proof has its place in the journal: from there on a head on this log counts as met.
    pub stands: bool,
    /// Nothing more of it is taken: it is suspended, or what lies here of it is read at the next
    /// start.
    pub shut: bool,
    /// Entries stored when it was suspended, once that has its place in the journal: up to there
    /// it is applied, and a head beyond counts as met.
    pub stands_at: Option<u64>,
    /// Its keys, when this node writes it.
    pub own: Option<OwnKeys>,
    /// Why it is not written.
    pub hold: Hold,
}

impl Log {
    /// A log of which nothing is here yet.
    #[must_use]
    pub fn new(manifest: Manifest, note: Bytes, own: Option<OwnKeys>) -> Self {
        let id = manifest.log_id();
        let frontier = Frontier::new();
        let root = frontier.root();
        let grown = Growth {
            frontier: frontier.clone(),
            checkpoint: Bytes::new(),
            applied: frontier,
            day: DayRow::default(),
            leans_from: None,
        };
        Self {
            id,
            manifest,
            note,
            grown,
            durable: Head { log: id, size: 0, root },
            durable_checkpoint: Bytes::new(),
            waiting_for: None,
            cosigned: BTreeMap::new(),
            contradictions: BTreeMap::new(),
            last_source: None,
            misfits: 0,
            fork: None,
            stands: false,
            shut: false,
            stands_at: None,
            own,
            hold: Hold::None,
        }
    }

    /// Entries appended, the current group's included.
    #[must_use]
    pub fn appended(&self) -> u64 {
        self.grown.frontier.size()
    }

    /// Entries applied.
    #[must_use]
    pub fn applied(&self) -> u64 {
        self.grown.applied.size()
    }

    /// Head over what is applied.
    #[must_use]
    pub fn applied_head(&self) -> Head {
        Head { log: self.id, size: self.applied(), root: self.grown.applied.root() }
    }

    /// Head over what is appended.
    #[must_use]
    pub fn appended_head(&self) -> Head {
        Head { log: self.id, size: self.appended(), root: self.grown.frontier.root() }
    }

    /// This node writes it, apart from temporary holds.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.own.is_some() && self.hold != Hold::Restored
    }

    /// Whether a head on it counts as met although it is not applied: it stands still before that.
    #[must_use]
    pub fn stands_before(&self, size: u64) -> bool {
        self.stands || self.stands_at.is_some_and(|at| at < size)
    }

    /// It has entries to apply. One that stands still is applied up to where it does.
    #[must_use]
    pub fn can_go_on(&self) -> bool {
        self.applied() < self.durable.size && self.stands_at.is_none_or(|at| self.applied() < at)
    }

    /// It stands still from its beginning, unless it does so further on.
    pub fn stand_somewhere(&mut self) {
        self.stands_at.get_or_insert(0);
    }

    /// What the exchange must know.
    #[must_use]
    pub fn info<'a>(&self, members: &'a [CityCode]) -> LogInfo<'a> {
        LogInfo {
            agreement: self.manifest.agreement,
            city: self.manifest.city,
            stored: self.durable.size,
            followed: !self.is_own() && self.fork.is_none() && !self.shut,
            members,
        }
    }

    /// The frame that announces what is synced.
    #[must_use]
    pub fn announcement(&self) -> Option<Frame> {
        let checkpoint = self.durable_checkpoint.clone();
        (!checkpoint.is_empty()).then_some(Frame::Announce { log: self.id, checkpoint })
    }

    /// Everything appended has been synced.
    pub fn synced(&mut self) {
        self.durable = self.appended_head();
        self.durable_checkpoint = self.grown.checkpoint.clone();
    }
}

/// All logs, and who shares them.
#[derive(Debug, Default)]
pub struct LogTable {
    logs: BTreeMap<LogId, Log>,
    /// Members of each agreement of which the own city is a member.
    members: BTreeMap<AgreementId, Vec<CityCode>>,
}

impl LogTable {
    /// One log.
    #[must_use]
    pub fn get(&self, log: LogId) -> Option<&Log> {
        self.logs.get(&log)
    }

    /// One log, to change.
    pub fn get_mut(&mut self, log: LogId) -> Option<&mut Log> {
        self.logs.get_mut(&log)
    }

    /// All logs, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Log> {
        self.logs.values()
    }

    /// All logs, to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Log> {
        self.logs.values_mut()
    }

    /// Adds a log.
    pub fn insert(&mut self, log: Log) {
        self.logs.insert(log.id, log);
    }

    /// Takes note of an agreement's members.
    pub fn set_members(&mut self, agreement: AgreementId, members: Vec<CityCode>) {
        self.members.insert(agreement, members);
    }

    /// Members of an agreement of which the own city is a member.
    #[must_use]
    pub fn members(&self, agreement: AgreementId) -> &[CityCode] {
        self.members.get(&agreement).map_or(&[], Vec::as_slice)
    }

    /// Agreements of which `city` is a member together with the own city.
    pub fn shared_agreements(&self, city: CityCode) -> impl Iterator<Item = AgreementId> + '_ {
        self.members.iter().filter(move |(_, m)| m.contains(&city)).map(|(id, _)| *id)
    }

    /// Whether `city` may see this log.
    #[must_use]
    pub fn may_see(&self, city: CityCode, log: LogId) -> bool {
        #[cfg(feature = "planted-bugs")]
        if crate::planted::is_on("tell-a-non-member") {
            return self.get(log).is_some();
        }
        self.get(log).is_some_and(|l| self.members(l.manifest.agreement).contains(&city))
    }

    /// Logs of one agreement.
    pub fn of_agreement(&self, agreement: AgreementId) -> impl Iterator<Item = &Log> {
        self.logs.values().filter(move |l| l.manifest.agreement == agreement)
    }

    /// The log this node writes in an agreement: of those it has keys for, the newest epoch.
    #[must_use]
    pub fn own(&self, agreement: AgreementId) -> Option<&Log> {
        self.of_agreement(agreement).filter(|l| l.own.is_some()).max_by_key(|l| l.manifest.epoch)
    }

    /// Those of all agreements.
    #[must_use]
    pub fn own_ids(&self) -> BTreeMap<AgreementId, LogId> {
        let mut newest: BTreeMap<AgreementId, &Log> = BTreeMap::new();
        for log in self.logs.values().filter(|l| l.own.is_some()) {
            let found = newest.entry(log.manifest.agreement).or_insert(log);
            if found.manifest.epoch <= log.manifest.epoch {
                *found = log;
            }
        }
        newest.into_iter().map(|(agreement, log)| (agreement, log.id)).collect()
    }
}

impl crate::sync::Logs for LogTable {
    fn info(&self, log: LogId) -> Option<LogInfo<'_>> {
        self.get(log).map(|l| l.info(self.members(l.manifest.agreement)))
    }

    fn shared_with(&self, cities: &[CityCode]) -> Vec<(LogId, LogInfo<'_>)> {
        // Asked for every link at every look: no log is looked up by its id.
        let all = |members: &[CityCode]| cities.iter().any(|city| members.contains(city));
        #[cfg(feature = "planted-bugs")]
        let all = |members: &[CityCode]| {
            all(members) || (!cities.is_empty() && crate::planted::is_on("tell-a-non-member"))
        };
        let agreements: BTreeMap<AgreementId, &[CityCode]> = self
            .members
            .iter()
            .filter(|(_, m)| all(m))
            .map(|(id, m)| (*id, m.as_slice()))
            .collect();
        let logs = self.logs.values();
        let shared = logs.filter_map(|l| Some((l, agreements.get(&l.manifest.agreement)?)));
        shared.map(|(l, members)| (l.id, l.info(members))).collect()
    }

    fn shares(&self, city: CityCode, log: LogId) -> bool {
        self.may_see(city, log)
    }

    fn announcement(&self, log: LogId) -> Option<Frame> {
        self.get(log).and_then(Log::announcement)
    }
}

/// Root and size of nothing.
#[must_use]
pub fn empty_head(log: LogId) -> Head {
    Head { log, size: 0, root: Frontier::new().root() }
}

/// Whether a checkpoint contradicts one held at the same size.
#[must_use]
pub fn contradicts(held: &Head, shown: &Head) -> bool {
    held.log == shown.log && held.size == shown.size && held.root != shown.root
}
