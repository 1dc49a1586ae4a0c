//! The core of a node: one writer, `on(now, Input) -> Vec<Output>`.
//!
//! Everything that changes a node goes through here, one input after another, so that the server
//! and a simulation run the same code. Clocks, randomness, disk and rows come in from outside.
//!
//! In scope: deciding and writing own entries, taking in other cities' batches, applying both to
//! the views, cosigning, answering peers. Out of scope: sockets, threads, clocks, protobuf.
//!
//! Invariants:
//! 1. Nothing is answered, announced, cosigned or served before it is synced. ([`commit`])
//! 2. The order of application is a pure function of the journal. ([`apply`])
//! 3. After a failed write or sync nothing is written any more. ([`commit`])

mod agreements;
mod ahead;
mod apply;
pub mod assign;
mod borders;
mod built;
mod case;
mod clocks;
mod commit;
mod contradictions;
pub mod drafts;
mod early;
mod erase;
mod evidence;
mod follow;
mod gate;
mod greet;
pub mod group;
mod ingest;
pub mod io;
mod kept;
pub mod keys;
pub mod lean;
mod links;
pub mod logs;
pub mod made_over;
mod meeting;
mod mend;
mod news;
mod notes;
mod notice;
mod parts;
mod passed;
mod plan;
mod plan_acts;
mod receipts;
mod received;
mod recover;
mod referral;
mod replay;
pub mod rows;
mod show;
pub mod site;
pub mod site_codes;
pub mod sizes;
mod standing;
mod suspension;
pub mod unit;
mod witness;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use agreements::{Agreement, AgreementBook};
pub use io::{Input, Now, Output, Ticket};
pub use recover::{CoreParts, OpenError};

use crate::domain::calendar::WorkCalendar;
use crate::domain::plan::ready::PlanRules;
use crate::geo::Boundaries;
use crate::ids::{AgreementId, CityCode, LogId, NodeId, SubjectId};
use crate::journal::{Disk, Grown, Journal, RecordKind};
use crate::log::Head;
use crate::log::keys::{SigningKey, VerifyingKey};
use crate::node::core::ahead::Ahead;
use crate::node::core::clocks::Clocks;
use crate::node::core::gate::Recoveries;
use crate::node::core::group::{Group, Queue};
use crate::node::core::links::LinkBook;
use crate::node::core::logs::{LogTable, OwnKeys};
use crate::node::core::made_over::MadeOver;
use crate::node::core::mend::Mending;
use crate::node::core::parts::Asking;
use crate::node::core::passed::Passed;
use crate::node::core::standing::Standing;
use crate::node::core::suspension::Suspensions;
use crate::node::core::witness::Looks;
use crate::store::{Store, WriteBehind};
use crate::sync::{Action, Exchange};
use crate::trust::keys::HmacKey;

/// Randomness, injected so that a simulation can repeat itself.
pub trait Entropy: Send {
    /// Fills the buffer.
    fn fill(&mut self, buffer: &mut [u8]);
}

/// Where the secret keys of own logs lie.
pub trait KeyRing: Send {
    /// The secret key of a public one, if it is here.
    fn find(&self, public: VerifyingKey) -> Option<SigningKey>;
}

/// What a node is told once.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Own city.
    pub city: CityCode,
    /// Own node.
    pub node: NodeId,
    /// Instance id: fresh at every start.
    pub instance: [u8; 16],
    /// Below this much free disk, writes are refused; bytes.
    pub disk_low_bytes: u64,
    /// Within this distance of a border the place is uncertain; metres.
    pub border_uncertain_metres: u32,
    /// Checks on site of one enterprise in a year; 0 for no cap.
    pub site_checks_a_year_max: u32,
    /// By what plans of joint action are judged.
    pub plans: PlanBasis,
    /// Entries of one log of another city that are taken in on one day.
    pub log_entries_per_day_max: u64,
    /// The same in signed bytes.
    pub log_bytes_per_day_max: u64,
    /// Addresses to show.
    pub api_address: String,
    /// Addresses to show.
    pub peer_address: String,
}

/// By what plans of joint action are judged beside what the logs say.
#[derive(Clone, Debug)]
pub struct PlanBasis {
    /// Which days are worked.
    pub calendar: Arc<WorkCalendar>,
    /// Parameters.
    pub rules: PlanRules,
}

impl Default for PlanBasis {
    fn default() -> Self {
        Self { calendar: Arc::new(WorkCalendar::shipped()), rules: PlanRules::default() }
    }
}

/// The one writer of a node.
pub struct Core<D: Disk, S: Store> {
    settings: Settings,
    journal: Journal<D>,
    rows: Arc<WriteBehind<S>>,
    entropy: Box<dyn Entropy>,
    keyring: Box<dyn KeyRing>,
    node_key: HmacKey,
    boundaries: Option<Arc<Boundaries>>,
    book: AgreementBook,
    logs: LogTable,
    exchange: Exchange,
    links: LinkBook,
    clocks: Clocks,
    asking: Asking,
    /// Accepted cases that have all their parts, and since when.
    complete: BTreeMap<(AgreementId, SubjectId), u64>,
    /// The key from which on unconfirmed cases are looked at next; from the first when none.
    unconfirmed_from: Option<Vec<u8>>,
    recoveries: Recoveries,
    suspensions: Suspensions,
    /// Batches passed over in a replay, by log and first entry.
    early: BTreeMap<crate::ids::LogId, BTreeMap<u64, early::Early>>,
    passed: Passed,
    /// The views that were found at the start know all records below this one.
    indexed_end: u64,
    made_over: MadeOver,
    /// How a head on a log that stands still is taken just now.
    standing: Standing,
    /// During a replay, the record it began with.
    replayed_from: Option<u64>,
    /// What the rest of the journal holds, once a replay had to look.
    ahead: Option<Ahead>,
    mending: Mending,
    erasing: erase::Erasing,
    looks: Looks,
    queue: Queue,
    group: Group,
    apply_number: u64,
    start_ms: i64,
    /// When the last input came.
    now: Now,
    poisoned: Option<String>,
    warnings: Vec<String>,
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Takes one input and says what is to be done.
    pub fn on(&mut self, now: Now, input: Input) -> Vec<Output> {
        self.now = now;
        match input {
            Input::Write(ticket, request) => {
                self.queue.writes.push((ticket, request));
                Vec::new()
            }
            Input::Repeated(ticket, again) => self.repeated(ticket, &again),
            Input::Notes(ticket, notes) => self.take_notes(now, ticket, notes),
            Input::Status(ticket) => vec![Output::Status(ticket, Box::new(self.status(now)))],
            Input::LinkUp { link, city, by_us, address } => {
                self.link_up(now, link, city, by_us, address)
            }
            Input::LinkDown { link, reason } => self.link_down(now, link, &reason),
            Input::DialFailed { city, reason } => {
                self.dial_failed(now, city, reason);
                Vec::new()
            }
            Input::Frame(link, frame) => self.frame(now, link, frame),
            Input::BadFrame(link, refused) => self.bad_frame(now, link, &refused),
            Input::Served { link, log, from, next, bytes } => {
                self.served(link, log, (from, next), bytes)
            }
            Input::Suspend { ticket, city, reason, by } => {
                self.suspend(now, ticket, city, (reason, by))
            }
            Input::Resume { ticket, city, by } => self.resume(now, ticket, city, by),
            Input::Assign { ticket, case, assignment, etag } => {
                self.assign(ticket, case, (assignment, &etag))
            }
            Input::KeepDraft { ticket, draft, kept, etag } => {
                self.keep_draft(ticket, draft, (kept, &etag))
            }
            Input::Tick => self.tick(now),
            Input::Commit => self.commit(now),
        }
    }

    /// Something waits for an [`Input::Commit`] that would get on.
    #[must_use]
    pub fn wants_commit(&self, now: Now) -> bool {
        self.group.dirty || self.queue.writes.iter().any(|(_, w)| !self.is_held(now, &w.command))
    }

    /// A write or sync has failed: nothing is written until a restart.
    #[must_use]
    pub const fn is_poisoned(&self) -> bool {
        self.poisoned.is_some()
    }

    /// Signed bytes of other cities that the next [`Input::Commit`] will store.
    #[must_use]
    pub fn gathered_bytes(&self) -> u64 {
        self.group.ingested.iter().map(|stretch| stretch.bytes).sum()
    }

    /// Parameters of plans.
    #[must_use]
    pub fn plan_rules(&self) -> PlanRules {
        self.settings.plans.rules
    }

    /// Agreements and cards, for whoever dials.
    #[must_use]
    pub fn book(&self) -> &AgreementBook {
        &self.book
    }

    /// Synced sizes of own logs.
    pub fn own_sizes(&self) -> Vec<(crate::ids::LogId, u64)> {
        let own = |l: &&logs::Log| l.own.is_some();
        self.logs.iter().filter(own).map(|l| (l.id, l.durable.size)).collect()
    }

    /// What the guard may say now: nothing new while a restored copy or a lost end was found and
    /// that is not on disk yet, else the guard could hide it.
    pub fn guard_mark(&self) -> Option<Grown> {
        let found = self.group.small.iter().any(|(kind, _)| *kind == RecordKind::Local);
        (!found).then(|| self.grown())
    }

    /// How far the journal has grown, synced.
    fn grown(&self) -> Grown {
        Grown { records: self.journal.synced_records(), sizes: self.own_sizes() }
    }

    fn perform(&mut self, actions: Vec<Action>) -> Vec<Output> {
        actions.into_iter().flat_map(|action| self.output(action)).collect()
    }

    fn output(&mut self, action: Action) -> Vec<Output> {
        let now = self.now;
        match action {
            Action::Send(link, frame) => vec![Output::Send(link, frame)],
            Action::SendHello(link) => {
                let Some(city) = self.exchange.city_of(link) else { return Vec::new() };
                vec![Output::Send(link, self.hello(now, city))]
            }
            Action::Greet(link, hello) => {
                let Some(city) = self.exchange.city_of(link) else { return Vec::new() };
                self.greeted(now, link, city, *hello)
            }
            Action::Duplicate { kept, refused } => self.duplicate(now, kept, refused),
            Action::Serve { link, log, from, bytes_max } => {
                let Some(city) = self.exchange.city_of(link) else { return Vec::new() };
                vec![Output::Serve { link, city, log, from, bytes_max }]
            }
            Action::Close(link, reason) => {
                self.links.down(now, link, reason);
                vec![Output::Close(link, reason)]
            }
        }
    }

    fn own_keys(&self, manifest: &crate::log::manifest::Manifest) -> Option<OwnKeys> {
        if manifest.city != self.settings.city || manifest.node != self.settings.node {
            return None;
        }
        let log = self.keyring.find(manifest.log_key)?;
        let cosign = self.keyring.find(manifest.cosign_key)?;
        Some(OwnKeys { log, cosign })
    }
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Durable heads of all logs with their applied sizes, by log.
    pub fn heads(&self) -> impl Iterator<Item = (Head, u64)> + '_ {
        self.logs.iter().map(|l| (l.durable, l.applied()))
    }

    /// The same for one agreement.
    #[must_use]
    pub fn heads_of(&self, agreement: AgreementId) -> Vec<(Head, u64)> {
        self.logs.of_agreement(agreement).map(|l| (l.durable, l.applied())).collect()
    }

    /// Entries that logs wait for: the log and its size with them.
    pub fn awaited(&self) -> impl Iterator<Item = (LogId, u64)> + '_ {
        self.logs.iter().filter_map(|l| l.waiting_for)
    }

    /// Whether two signed histories of a log are proved here.
    #[must_use]
    pub fn has_fork(&self, log: LogId) -> bool {
        self.logs.get(log).is_some_and(|l| l.fork.is_some())
    }

    /// Applied heads of one agreement, for the fold hash.
    #[must_use]
    pub fn applied_heads(&self, agreement: AgreementId) -> Vec<Head> {
        self.logs.of_agreement(agreement).map(logs::Log::applied_head).collect()
    }

    /// Entries applied so far.
    #[must_use]
    pub fn apply_number(&self) -> u64 {
        self.apply_number
    }

    /// The journal's id.
    #[must_use]
    pub fn journal_id(&self) -> [u8; 16] {
        self.journal.journal_id()
    }
}
