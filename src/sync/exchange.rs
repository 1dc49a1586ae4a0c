//! The exchange: who follows what from where.
//!
//! In scope: choosing sources, subscriptions, sources that do not deliver. The links themselves
//! are in [`super::links`], sending in [`super::serving`]. Out of scope: whether a frame is genuine
//! (checked before it comes here), what is on disk (asked through [`Logs`]), reading and sending
//! bytes (done by whoever performs [`Action`]s).
//!
//! Invariants:
//! 1. Nothing is sent to, or taken from, a city that is no member of the log's agreement.
//!    (`outsiders_get_nothing`)
//! 2. Per link at most one stretch is being read, and none without credit.
//!    (`one_stretch_at_a_time_and_none_without_credit`)
//! 3. Of two links between the same two cities, the one dialled by the smaller code is kept.
//!    (`the_smaller_code_keeps_its_call`)

use std::collections::BTreeMap;

use crate::ids::{AgreementId, CityCode, LogId};
use crate::sync::frame::{Frame, Hello, LinkId};
use crate::sync::links::Link;
use crate::sync::source::{self, Candidate};

/// Bytes of one log that may be under way to a follower.
pub const CREDIT_BYTES: u64 = 1024 * 1024;
/// Bytes taken from a source before it is told so: a live entry needs no frame of its own for it,
/// and a source never runs out of credit because of it.
const CREDIT_STEP_BYTES: u64 = CREDIT_BYTES / 8;
/// A source that has not moved a log known to be ahead for this long is left, in milliseconds.
const STALLED_AFTER_MS: u64 = 5_000;

/// What the exchange must know of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogInfo<'a> {
    /// Its agreement.
    pub agreement: AgreementId,
    /// Its author.
    pub city: CityCode,
    /// Entries stored here, durably.
    pub stored: u64,
    /// It is followed: somebody else's log, or an own one that came back from a backup.
    pub followed: bool,
    /// Members of its agreement.
    pub members: &'a [CityCode],
}

/// What the exchange asks of the node around it.
pub trait Logs {
    /// One log, if it is known here.
    fn info(&self, log: LogId) -> Option<LogInfo<'_>>;
    /// All logs, by id, of agreements of which one of these cities is a member together with the
    /// own city.
    fn shared_with(&self, cities: &[CityCode]) -> Vec<(LogId, LogInfo<'_>)>;
    /// Whether a log is known here and `city` is a member of its agreement.
    fn shares(&self, city: CityCode, log: LogId) -> bool;
    /// The newest durable checkpoint of a log, if there is one.
    fn announcement(&self, log: LogId) -> Option<Frame>;
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send a frame.
    Send(LinkId, Frame),
    /// Build and send the own `Hello`.
    SendHello(LinkId),
    /// Take a `Hello` that was held until another link of that city was found dead.
    Greet(LinkId, Box<Hello>),
    /// Two copies of one node are running: refuse one, warn both.
    Duplicate {
        /// The link that stays.
        kept: LinkId,
        /// The link that ends.
        refused: LinkId,
    },
    /// Read a stretch of a log and send it, then report [`Exchange::served`].
    Serve {
        /// To whom.
        link: LinkId,
        /// Which log.
        log: LogId,
        /// First entry.
        from: u64,
        /// Stop reading once this many bytes were sent.
        bytes_max: u64,
    },
    /// End the link.
    Close(LinkId, &'static str),
}

#[derive(Debug, Default)]
pub(super) struct Followed {
    pub(super) source: Option<LinkId>,
    /// Since when it has been ahead elsewhere without moving here.
    waiting_ms: Option<u64>,
    failures: u32,
    resting: BTreeMap<CityCode, u64>,
    /// Bytes taken from the source that it has not been told of.
    taken: u64,
}

/// The state of all links of a node.
#[derive(Debug)]
pub struct Exchange {
    pub(super) city: CityCode,
    pub(super) links: BTreeMap<LinkId, Link>,
    pub(super) followed: BTreeMap<LogId, Followed>,
    /// When all logs were last looked through.
    pub(super) looked_ms: u64,
}

impl Exchange {
    /// An exchange without links.
    #[must_use]
    pub fn new(city: CityCode) -> Self {
        Self { city, links: BTreeMap::new(), followed: BTreeMap::new(), looked_ms: 0 }
    }

    /// How many there are of links, of logs followed, of sources left alone, and of what is
    /// remembered for each log of each link.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize, usize, usize) {
        let resting = self.followed.values().map(|f| f.resting.len()).sum();
        let of_link = |l: &Link| l.announced.len() + l.told.len() + l.followers.len();
        let of_links = self.links.values().map(of_link).sum();
        (self.links.len(), self.followed.len(), resting, of_links)
    }

    /// Largest size announced for a log over any link.
    #[must_use]
    pub fn announced(&self, log: LogId) -> u64 {
        self.links.values().filter_map(|l| l.announced.get(&log)).copied().max().unwrap_or(0)
    }

    /// Largest size that the city at the other end of a link has announced for a log.
    #[must_use]
    pub fn announced_by(&self, id: LinkId, log: LogId) -> u64 {
        self.links.get(&id).and_then(|l| l.announced.get(&log)).copied().unwrap_or(0)
    }

    /// Since when a log that is ahead elsewhere has not moved here.
    #[must_use]
    pub fn waiting_ms(&self, log: LogId) -> Option<u64> {
        self.followed.get(&log).and_then(|f| f.waiting_ms)
    }

    /// The link a log is taken from at the moment.
    #[must_use]
    pub fn source_of(&self, log: LogId) -> Option<LinkId> {
        self.followed.get(&log).and_then(|f| f.source)
    }

    /// The other side's `Hello` was checked; `sizes` are its proven sizes of shared logs.
    pub fn hello(
        &mut self,
        now: u64,
        logs: &impl Logs,
        id: LinkId,
        sizes: &[(LogId, u64)],
    ) -> Vec<Action> {
        if let Some(link) = self.links.get_mut(&id) {
            // A new link is a new beginning: whatever was in the way may be gone.
            for followed in self.followed.values_mut() {
                followed.resting.remove(&link.city);
            }
            link.greeted = true;
            link.heard_ms = now;
            for (log, size) in sizes.iter().filter(|(log, _)| logs.info(*log).is_some()) {
                link.announced.insert(*log, *size);
                link.told.insert(*log, *size);
            }
        }
        self.choose_all(now, logs)
    }

    /// The other side has shown a genuine checkpoint of a log.
    pub fn peer_has(
        &mut self,
        now: u64,
        logs: &impl Logs,
        id: LinkId,
        log: LogId,
        size: u64,
    ) -> Vec<Action> {
        let Some(link) = self.links.get_mut(&id) else { return Vec::new() };
        let known = link.announced.entry(log).or_insert(0);
        if size > *known {
            *known = size;
            let told = link.told.entry(log).or_insert(0);
            *told = size.max(*told);
        }
        self.choose(now, logs, log)
    }

    /// A log became known, or is followed from now on.
    pub fn log_known(&mut self, now: u64, logs: &impl Logs, log: LogId) -> Vec<Action> {
        self.choose(now, logs, log)
    }

    pub(super) fn choose_all(&mut self, now: u64, logs: &impl Logs) -> Vec<Action> {
        let cities: Vec<CityCode> = self.links.values().map(|l| l.city).collect();
        self.choose_among(now, logs.shared_with(&cities))
    }

    /// The same of all logs that are shared with a city at some other end.
    pub(super) fn choose_among(
        &mut self,
        now: u64,
        shared: Vec<(LogId, LogInfo<'_>)>,
    ) -> Vec<Action> {
        let all = shared.into_iter();
        all.flat_map(|(log, info)| self.choose_of(now, log, info)).collect()
    }

    fn choose(&mut self, now: u64, logs: &impl Logs, log: LogId) -> Vec<Action> {
        match logs.info(log) {
            Some(info) => self.choose_of(now, log, info),
            None => self.drop_log(log),
        }
    }

    fn choose_of(&mut self, now: u64, log: LogId, info: LogInfo<'_>) -> Vec<Action> {
        if !info.followed {
            return self.drop_log(log);
        }
        let followed = self.followed.entry(log).or_default();
        let mut largest = 0;
        let mut candidates = Vec::with_capacity(self.links.len());
        for (id, link) in &self.links {
            let announced = link.announced.get(&log).copied().unwrap_or(0);
            largest = announced.max(largest);
            if link.greeted && info.members.contains(&link.city) {
                let rested = followed.resting.get(&link.city).is_some_and(|until| now < *until);
                candidates.push(Candidate { link: *id, city: link.city, announced, rested });
            }
        }
        let ahead = largest > info.stored;
        followed.waiting_ms = ahead.then(|| followed.waiting_ms.unwrap_or(now));
        let chosen = source::choose(info.city, info.stored, &candidates);
        if chosen == followed.source {
            return Vec::new();
        }
        let mut actions = Vec::new();
        if let Some(old) = followed.source {
            actions.push(Action::Send(old, Frame::Unsubscribe { log }));
        }
        followed.source = chosen;
        followed.taken = 0;
        followed.waiting_ms = ahead.then_some(now);
        if let Some(link) = chosen {
            let credit = CREDIT_BYTES;
            actions.push(Action::Send(link, Frame::Subscribe { log, from: info.stored, credit }));
        }
        actions
    }

    /// A log that is no longer followed, because it stands still here, is asked of nobody.
    fn drop_log(&mut self, log: LogId) -> Vec<Action> {
        let source = self.followed.remove(&log).and_then(|f| f.source);
        source.map(|old| Action::Send(old, Frame::Unsubscribe { log })).into_iter().collect()
    }

    /// A stretch of a followed log came over `link` and is stored, durably.
    pub fn ingested(
        &mut self,
        now: u64,
        logs: &impl Logs,
        id: LinkId,
        log: LogId,
        bytes: u64,
    ) -> Vec<Action> {
        if let Some(followed) = self.followed.get_mut(&log) {
            followed.waiting_ms = None;
            followed.failures = 0;
            if let Some(link) = self.links.get(&id) {
                followed.resting.remove(&link.city);
            }
        }
        let mut actions = Vec::new();
        let credit = self.credit_due(id, log, bytes);
        if let Some((info, link)) = logs.info(log).zip(self.links.get_mut(&id)) {
            actions.extend(credit.map(|bytes| Action::Send(id, Frame::Credit { log, bytes })));
            let known = link.announced.entry(log).or_insert(0);
            *known = info.stored.max(*known);
            let told = link.told.entry(log).or_insert(0);
            *told = info.stored.max(*told);
        }
        actions.extend(self.choose(now, logs, log));
        actions
    }

    /// What a source may be told it may send more, once it is worth a frame.
    fn credit_due(&mut self, id: LinkId, log: LogId, bytes: u64) -> Option<u64> {
        let followed = self.followed.get_mut(&log).filter(|f| f.source == Some(id));
        let Some(followed) = followed else { return Some(bytes) };
        followed.taken = followed.taken.saturating_add(bytes);
        (followed.taken >= CREDIT_STEP_BYTES).then(|| std::mem::take(&mut followed.taken))
    }

    /// A stretch that came over `link` did not start where we are: ask anew.
    pub fn resubscribe(&mut self, logs: &impl Logs, id: LinkId, log: LogId) -> Vec<Action> {
        let source = self.source_of(log);
        let Some(info) = logs.info(log).filter(|_| source == Some(id)) else { return Vec::new() };
        if let Some(followed) = self.followed.get_mut(&log) {
            followed.taken = 0;
        }
        let credit = CREDIT_BYTES;
        vec![Action::Send(id, Frame::Subscribe { log, from: info.stored, credit })]
    }

    /// A source sent something forged, or nothing: leave it alone for a while.
    pub fn rest_source(
        &mut self,
        now: u64,
        logs: &impl Logs,
        id: LinkId,
        log: LogId,
    ) -> Vec<Action> {
        let Some(city) = self.city_of(id) else { return Vec::new() };
        let Some(followed) = self.followed.get_mut(&log) else { return Vec::new() };
        followed.resting.insert(city, now + source::rest_ms(followed.failures));
        followed.failures = followed.failures.saturating_add(1);
        self.choose(now, logs, log)
    }

    pub(super) fn leave_stalled(&mut self, now: u64, logs: &impl Logs) -> Vec<Action> {
        let stalled: Vec<(LogId, LinkId)> = self
            .followed
            .iter()
            .filter(|(_, f)| {
                f.waiting_ms.is_some_and(|since| now.saturating_sub(since) > STALLED_AFTER_MS)
            })
            .filter_map(|(log, f)| f.source.map(|s| (*log, s)))
            .collect();
        stalled.into_iter().flat_map(|(log, id)| self.rest_source(now, logs, id, log)).collect()
    }
}

#[cfg(test)]
mod tests;
