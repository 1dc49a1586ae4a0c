//! The exchange: links, who follows what from where, and how much may be sent.
//!
//! In scope: choosing sources, subscriptions both ways, credit, announcements, silence.
//! Out of scope: whether a frame is genuine (checked before it comes here), what is on disk
//! (asked through [`Logs`]), reading and sending bytes (done by whoever performs [`Action`]s).
//!
//! Invariants:
//! 1. Nothing is sent to, or taken from, a city that is no member of the log's agreement.
//!    (`outsiders_get_nothing`)
//! 2. Per link and log at most one stretch is being read, and none without credit.
//!    (`no_serving_without_credit`)
//! 3. Of two links between the same two cities, the one dialled by the smaller code is kept.
//!    (`the_smaller_code_keeps_its_call`)

use std::collections::BTreeMap;

use crate::ids::{AgreementId, CityCode, LogId};
use crate::sync::frame::{Frame, LinkId};
use crate::sync::source::{self, Candidate};

/// Bytes of one log that may be under way to a follower: bounds what a live batch waits behind.
pub const CREDIT_BYTES: u64 = 1024 * 1024;
/// A link that has been silent this long is pinged, in milliseconds.
const PING_AFTER_MS: u64 = 10_000;
/// A link that has been silent this long is dead, in milliseconds.
const DEAD_AFTER_MS: u64 = 30_000;
/// A source that has not moved a log known to be ahead for this long is left, in milliseconds.
const STALLED_AFTER_MS: u64 = 5_000;

/// What the exchange must know of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogInfo {
    /// Its agreement.
    pub agreement: AgreementId,
    /// Its author.
    pub city: CityCode,
    /// Entries stored here, durably.
    pub stored: u64,
    /// It is followed: somebody else's log, or an own one that came back from a backup.
    pub followed: bool,
}

/// What the exchange asks of the node around it.
pub trait Logs {
    /// One log, if it is known here.
    fn info(&self, log: LogId) -> Option<LogInfo>;
    /// All logs of agreements of which `city` is a member together with the own city.
    fn shared_with(&self, city: CityCode) -> Vec<LogId>;
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

#[derive(Debug)]
struct Follower {
    next: u64,
    credit: i64,
    reading: bool,
}

#[derive(Debug)]
struct Link {
    city: CityCode,
    dialled_by_us: bool,
    greeted: bool,
    heard_ms: u64,
    pinged_ms: u64,
    announced: BTreeMap<LogId, u64>,
    told: BTreeMap<LogId, u64>,
    followers: BTreeMap<LogId, Follower>,
}

#[derive(Debug, Default)]
struct Followed {
    source: Option<LinkId>,
    moved_ms: u64,
    failures: u32,
    resting: BTreeMap<CityCode, u64>,
}

/// The state of all links of a node.
#[derive(Debug)]
pub struct Exchange {
    city: CityCode,
    links: BTreeMap<LinkId, Link>,
    followed: BTreeMap<LogId, Followed>,
}

impl Exchange {
    /// An exchange without links.
    #[must_use]
    pub fn new(city: CityCode) -> Self {
        Self { city, links: BTreeMap::new(), followed: BTreeMap::new() }
    }

    /// The city at the other end of a link.
    #[must_use]
    pub fn city_of(&self, link: LinkId) -> Option<CityCode> {
        self.links.get(&link).map(|l| l.city)
    }

    /// Links that have said hello, with their cities.
    pub fn greeted(&self) -> impl Iterator<Item = (LinkId, CityCode)> + '_ {
        self.links.iter().filter(|(_, l)| l.greeted).map(|(id, l)| (*id, l.city))
    }

    /// What the other side of a link has shown that it holds of a log; 0 for nothing.
    #[must_use]
    pub fn announced_over(&self, link: LinkId, log: LogId) -> u64 {
        self.links.get(&link).and_then(|l| l.announced.get(&log)).copied().unwrap_or(0)
    }

    /// The link to a city that has said hello, if any.
    #[must_use]
    pub fn link_to(&self, city: CityCode) -> Option<LinkId> {
        self.greeted().find(|(_, c)| *c == city).map(|(id, _)| id)
    }

    /// Largest size announced for a log over any link.
    #[must_use]
    pub fn announced(&self, log: LogId) -> u64 {
        self.links.values().filter_map(|l| l.announced.get(&log)).copied().max().unwrap_or(0)
    }

    /// Since when a log that is ahead elsewhere has not moved here.
    #[must_use]
    pub fn moved_ms(&self, log: LogId) -> Option<u64> {
        self.followed.get(&log).map(|f| f.moved_ms)
    }

    /// A connection to `city` stands, in either direction.
    pub fn link_up(&mut self, now: u64, id: LinkId, city: CityCode, by_us: bool) -> Vec<Action> {
        let mut actions = Vec::new();
        let dialler = |by_us: bool| if by_us { self.city } else { city };
        let keep = self.city.min(city);
        let rival = self.links.iter().find(|(_, l)| l.city == city);
        if let Some((old, link)) = rival.map(|(old, link)| (*old, link)) {
            // A second call by the same dialler replaces the first: the first is likely dead.
            if dialler(link.dialled_by_us) == keep && dialler(by_us) != keep {
                return vec![Action::Close(id, "another link to this city is kept")];
            }
            actions.push(Action::Close(old, "replaced by another link to this city"));
            self.forget(old);
        }
        let link = Link {
            city,
            dialled_by_us: by_us,
            greeted: false,
            heard_ms: now,
            pinged_ms: now,
            announced: BTreeMap::new(),
            told: BTreeMap::new(),
            followers: BTreeMap::new(),
        };
        self.links.insert(id, link);
        actions.push(Action::SendHello(id));
        actions
    }

    /// A link is gone.
    pub fn link_down(&mut self, now: u64, logs: &impl Logs, id: LinkId) -> Vec<Action> {
        self.forget(id);
        self.choose_all(now, logs)
    }

    fn forget(&mut self, id: LinkId) {
        self.links.remove(&id);
        for followed in self.followed.values_mut() {
            if followed.source == Some(id) {
                followed.source = None;
            }
        }
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
            link.greeted = true;
            link.heard_ms = now;
            for (log, size) in sizes {
                link.announced.insert(*log, *size);
            }
        }
        self.choose_all(now, logs)
    }

    /// Anything came over a link.
    pub fn heard(&mut self, now: u64, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.heard_ms = now;
        }
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

    fn choose_all(&mut self, now: u64, logs: &impl Logs) -> Vec<Action> {
        let mut all: Vec<LogId> =
            self.links.values().flat_map(|l| logs.shared_with(l.city)).collect();
        all.sort_unstable();
        all.dedup();
        all.into_iter().flat_map(|log| self.choose(now, logs, log)).collect()
    }

    fn choose(&mut self, now: u64, logs: &impl Logs, log: LogId) -> Vec<Action> {
        let Some(info) = logs.info(log).filter(|i| i.followed) else { return Vec::new() };
        let followed = self
            .followed
            .entry(log)
            .or_insert_with(|| Followed { moved_ms: now, ..Followed::default() });
        let candidates: Vec<Candidate> = self
            .links
            .iter()
            .filter(|(_, l)| l.greeted && logs.shared_with(l.city).contains(&log))
            .map(|(id, l)| Candidate {
                link: *id,
                city: l.city,
                announced: l.announced.get(&log).copied().unwrap_or(0),
                rested: followed.resting.get(&l.city).is_some_and(|until| now < *until),
            })
            .collect();
        let chosen = source::choose(info.city, info.stored, &candidates);
        if chosen == followed.source {
            return Vec::new();
        }
        let mut actions = Vec::new();
        if let Some(old) = followed.source {
            actions.push(Action::Send(old, Frame::Unsubscribe { log }));
        }
        followed.source = chosen;
        followed.moved_ms = now;
        if let Some(link) = chosen {
            let credit = CREDIT_BYTES;
            actions.push(Action::Send(link, Frame::Subscribe { log, from: info.stored, credit }));
        }
        actions
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
            followed.moved_ms = now;
            followed.failures = 0;
            if let Some(link) = self.links.get(&id) {
                followed.resting.remove(&link.city);
            }
        }
        let mut actions = vec![Action::Send(id, Frame::Credit { log, bytes })];
        if let Some((info, link)) = logs.info(log).zip(self.links.get_mut(&id)) {
            let known = link.announced.entry(log).or_insert(0);
            *known = info.stored.max(*known);
            link.told.insert(log, info.stored);
        }
        actions.extend(self.choose(now, logs, log));
        actions
    }

    /// A stretch that came over `link` was turned away, or did not start where we are: ask anew.
    pub fn resubscribe(&mut self, logs: &impl Logs, id: LinkId, log: LogId) -> Vec<Action> {
        let source = self.followed.get(&log).and_then(|f| f.source);
        let Some(info) = logs.info(log).filter(|_| source == Some(id)) else { return Vec::new() };
        let credit = CREDIT_BYTES;
        vec![Action::Send(id, Frame::Subscribe { log, from: info.stored, credit })]
    }

    /// A source sent something forged: leave it alone for a while.
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

    /// The other side wants a log from `from` on.
    pub fn subscribe(
        &mut self,
        logs: &impl Logs,
        id: LinkId,
        log: LogId,
        from: u64,
        credit: u64,
    ) -> Vec<Action> {
        let Some(link) = self.links.get_mut(&id) else { return Vec::new() };
        if !logs.shared_with(link.city).contains(&log) {
            return Vec::new();
        }
        let reading = link.followers.get(&log).is_some_and(|f| f.reading);
        let credit = i64::try_from(credit.min(CREDIT_BYTES * 4)).unwrap_or(0);
        link.followers.insert(log, Follower { next: from, credit, reading });
        self.serve(logs, id, log)
    }

    /// The other side no longer wants a log from us.
    pub fn unsubscribe(&mut self, id: LinkId, log: LogId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.followers.remove(&log);
        }
    }

    /// The other side may be sent more.
    pub fn credit(&mut self, logs: &impl Logs, id: LinkId, log: LogId, bytes: u64) -> Vec<Action> {
        if let Some(follower) = self.follower(id, log) {
            let more = i64::try_from(bytes.min(CREDIT_BYTES * 4)).unwrap_or(0);
            let limit = i64::try_from(CREDIT_BYTES * 4).unwrap_or(i64::MAX);
            follower.credit = follower.credit.saturating_add(more).min(limit);
        }
        self.serve(logs, id, log)
    }

    fn follower(&mut self, id: LinkId, log: LogId) -> Option<&mut Follower> {
        self.links.get_mut(&id)?.followers.get_mut(&log)
    }

    fn serve(&mut self, logs: &impl Logs, id: LinkId, log: LogId) -> Vec<Action> {
        let Some(info) = logs.info(log) else { return Vec::new() };
        let Some(follower) = self.follower(id, log) else { return Vec::new() };
        if follower.reading || follower.credit <= 0 || follower.next >= info.stored {
            return Vec::new();
        }
        follower.reading = true;
        let bytes_max = u64::try_from(follower.credit).unwrap_or(0);
        vec![Action::Serve { link: id, log, from: follower.next, bytes_max }]
    }

    /// A [`Action::Serve`] is done: everything below `next` was sent, `bytes` in all.
    pub fn served(
        &mut self,
        logs: &impl Logs,
        id: LinkId,
        log: LogId,
        from: u64,
        next: u64,
        bytes: u64,
    ) -> Vec<Action> {
        if let Some(link) = self.links.get_mut(&id) {
            let told = link.told.entry(log).or_insert(0);
            *told = next.max(*told);
        }
        if let Some(follower) = self.follower(id, log) {
            follower.reading = false;
            follower.credit =
                follower.credit.saturating_sub(i64::try_from(bytes).unwrap_or(i64::MAX));
            // Subscribed anew while we were reading: what was sent is not what is wanted now.
            if follower.next == from {
                follower.next = next;
            }
        }
        self.serve(logs, id, log)
    }

    /// A log has grown here, durably. Followers get it; others are told at once if it is our own,
    /// with the next tick if it is not.
    pub fn grown(&mut self, logs: &impl Logs, log: LogId) -> Vec<Action> {
        let ids: Vec<LinkId> = self.links.keys().copied().collect();
        let own = logs.info(log).is_some_and(|i| !i.followed);
        let mut actions = Vec::new();
        for id in ids {
            actions.extend(self.serve(logs, id, log));
            if own {
                actions.extend(self.tell(logs, id, log));
            }
        }
        actions
    }

    fn tell(&mut self, logs: &impl Logs, id: LinkId, log: LogId) -> Option<Action> {
        let info = logs.info(log)?;
        let link = self.links.get_mut(&id)?;
        if !link.greeted || link.followers.contains_key(&log) {
            return None;
        }
        let told = link.told.get(&log).copied().unwrap_or(0);
        if told >= info.stored || !logs.shared_with(link.city).contains(&log) {
            return None;
        }
        link.told.insert(log, info.stored);
        Some(Action::Send(id, logs.announcement(log)?))
    }

    /// Time has passed: pings, dead links, stalled sources, announcements of relayed logs.
    pub fn tick(&mut self, now: u64, clock_ms: i64, logs: &impl Logs) -> Vec<Action> {
        let mut actions = Vec::new();
        let ids: Vec<LinkId> = self.links.keys().copied().collect();
        for id in ids {
            let Some(link) = self.links.get_mut(&id) else { continue };
            let silent = now.saturating_sub(link.heard_ms);
            if silent > DEAD_AFTER_MS {
                actions.push(Action::Close(id, "silent for 30 s"));
                continue;
            }
            if silent > PING_AFTER_MS && now.saturating_sub(link.pinged_ms) > PING_AFTER_MS / 2 {
                link.pinged_ms = now;
                let ping = Frame::Ping { number: now, pong: false, clock_ms };
                actions.push(Action::Send(id, ping));
            }
            let city = link.city;
            for log in logs.shared_with(city) {
                actions.extend(self.tell(logs, id, log));
            }
        }
        actions.extend(self.leave_stalled(now, logs));
        actions.extend(self.choose_all(now, logs));
        actions
    }

    fn leave_stalled(&mut self, now: u64, logs: &impl Logs) -> Vec<Action> {
        let stalled: Vec<(LogId, LinkId)> = self
            .followed
            .iter()
            .filter(|(log, f)| {
                let stored = logs.info(**log).map_or(0, |i| i.stored);
                now.saturating_sub(f.moved_ms) > STALLED_AFTER_MS && self.announced(**log) > stored
            })
            .filter_map(|(log, f)| f.source.map(|s| (*log, s)))
            .collect();
        stalled.into_iter().flat_map(|(log, id)| self.rest_source(now, logs, id, log)).collect()
    }
}
