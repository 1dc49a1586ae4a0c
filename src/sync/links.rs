//! Links: one to each city, whoever dialled; greetings, silence, and copies of one node.
//!
//! A second connection to a city is judged once its `Hello` tells which process it comes from:
//! the same process has dialled twice, and one connection is kept; another one must wait until the
//! first is found silent, or is a second copy of a running node.
//!
//! In scope: which links stand. Out of scope: what goes over them ([`super::exchange`],
//! [`super::serving`]).

use std::collections::BTreeMap;

use crate::ids::{CityCode, LogId};
use crate::sync::exchange::{Action, Exchange, LogInfo, Logs};
use crate::sync::frame::{Frame, Hello, LinkId};
use crate::sync::serving::Follower;

/// A link that has been silent this long is pinged, in milliseconds.
const PING_AFTER_MS: u64 = 10_000;
/// A ping also tells the time: busy links carry one this often, in milliseconds, so that a clock
/// that was set wrong is noticed on them as well.
const TELL_TIME_EVERY_MS: u64 = 60_000;
/// A link that has been silent this long is dead, in milliseconds.
const DEAD_AFTER_MS: u64 = 30_000;
/// A link that does not answer a challenge for this long makes room, in milliseconds.
const CHALLENGE_MS: u64 = 5_000;
/// All logs of all links are looked through this often, in milliseconds: most of what changes for
/// one of them is an event that is dealt with at once.
const LOOK_EVERY_MS: u64 = 1_000;

#[derive(Debug)]
pub(super) struct Link {
    pub(super) city: CityCode,
    dialled_by_us: bool,
    hello_sent: bool,
    pub(super) greeted: bool,
    instance: Option<[u8; 16]>,
    /// Its greeting, while an older link of that city is being challenged, and since when.
    held: Option<(u64, Box<Hello>)>,
    pub(super) heard_ms: u64,
    pinged_ms: u64,
    pub(super) announced: BTreeMap<LogId, u64>,
    pub(super) told: BTreeMap<LogId, u64>,
    pub(super) followers: BTreeMap<LogId, Follower>,
    /// The log of which a stretch is being read, and the one that was read before.
    pub(super) reading: Option<LogId>,
    pub(super) read_last: Option<LogId>,
}

impl Link {
    /// Whether the other end has yet to hear that so much of a log is stored here. Who follows a
    /// log is sent it instead.
    pub(super) fn is_untold(&self, log: LogId, stored: u64) -> bool {
        self.greeted
            && stored > 0
            && self.told.get(&log).is_none_or(|told| *told < stored)
            && !self.followers.contains_key(&log)
    }
}

/// What to do with a `Hello`.
#[derive(Debug, PartialEq, Eq)]
pub enum Greeting {
    /// Take it now.
    Take(Box<Hello>),
    /// Not now: it is held, or its link ends.
    NotNow,
}

impl Exchange {
    /// The city at the other end of a link.
    #[must_use]
    pub fn city_of(&self, link: LinkId) -> Option<CityCode> {
        self.links.get(&link).map(|l| l.city)
    }

    /// Links that have said hello, with their cities.
    pub fn greeted(&self) -> impl Iterator<Item = (LinkId, CityCode)> + '_ {
        self.links.iter().filter(|(_, l)| l.greeted).map(|(id, l)| (*id, l.city))
    }

    /// Whether we dialled a link.
    #[must_use]
    pub fn is_ours(&self, link: LinkId) -> bool {
        self.links.get(&link).is_some_and(|l| l.dialled_by_us)
    }

    /// Whether a link has said hello and was taken.
    #[must_use]
    pub fn is_greeted(&self, link: LinkId) -> bool {
        self.links.get(&link).is_some_and(|l| l.greeted)
    }

    /// All links to a city, also those that have not said hello.
    #[must_use]
    pub fn links_of(&self, city: CityCode) -> Vec<LinkId> {
        self.links.iter().filter(|(_, l)| l.city == city).map(|(id, _)| *id).collect()
    }

    /// The link to a city that has said hello, if any.
    #[must_use]
    pub fn link_to(&self, city: CityCode) -> Option<LinkId> {
        self.greeted().find(|(_, c)| *c == city).map(|(id, _)| id)
    }

    /// A connection to `city` stands, in either direction.
    pub fn link_up(&mut self, now: u64, id: LinkId, city: CityCode, by_us: bool) -> Vec<Action> {
        let mut actions = Vec::new();
        let standing = self.link_to(city);
        if standing.is_some_and(|old| by_us && self.is_preferred(old)) {
            return vec![Action::Close(id, "another link to this city is kept")];
        }
        // One that has not said hello yet is likely dead if its dialler calls again.
        let fresh = |l: &Link| l.city == city && !l.greeted && l.dialled_by_us == by_us;
        let stale: Vec<LinkId> =
            self.links.iter().filter(|(_, l)| fresh(l)).map(|(id, _)| *id).collect();
        for old in stale {
            actions.push(Action::Close(old, "replaced by another link to this city"));
            self.forget(old);
        }
        // Whoever dials says hello at once; whoever is dialled may have a link to lose.
        let hello_sent = by_us || standing.is_none();
        let link = Link {
            city,
            dialled_by_us: by_us,
            hello_sent,
            greeted: false,
            instance: None,
            held: None,
            heard_ms: now,
            pinged_ms: now,
            announced: BTreeMap::new(),
            told: BTreeMap::new(),
            followers: BTreeMap::new(),
            reading: None,
            read_last: None,
        };
        self.links.insert(id, link);
        if hello_sent {
            actions.push(Action::SendHello(id));
        }
        actions
    }

    /// Whether a link was dialled by the city with the smaller code.
    fn is_preferred(&self, id: LinkId) -> bool {
        let Some(link) = self.links.get(&id) else { return false };
        link.dialled_by_us == (self.city < link.city)
    }

    /// A `Hello` came: decides between its link and one that stands.
    pub fn greeting(&mut self, now: u64, id: LinkId, hello: Hello) -> (Greeting, Vec<Action>) {
        let Some(link) = self.links.get_mut(&id) else { return (Greeting::NotNow, Vec::new()) };
        let (city, by_us) = (link.city, link.dialled_by_us);
        link.heard_ms = now;
        link.instance = Some(hello.instance);
        let Some(old) = self.link_to(city).filter(|old| *old != id) else {
            return (Greeting::Take(Box::new(hello)), self.say_hello(id));
        };
        let rival = self.links.get(&old);
        if rival.is_some_and(|l| l.instance == Some(hello.instance)) {
            let same_dialler = rival.is_some_and(|l| l.dialled_by_us == by_us);
            if !same_dialler && !self.is_preferred(id) {
                self.forget(id);
                let close = Action::Close(id, "another link to this city is kept");
                return (Greeting::NotNow, vec![close]);
            }
            self.forget(old);
            let mut actions = vec![Action::Close(old, "replaced by another link to this city")];
            actions.extend(self.say_hello(id));
            return (Greeting::Take(Box::new(hello)), actions);
        }
        if let Some(link) = self.links.get_mut(&id) {
            link.held = Some((now, Box::new(hello)));
        }
        let ping = Frame::Ping { number: now, pong: false, clock_ms: 0 };
        (Greeting::NotNow, vec![Action::Send(old, ping)])
    }

    fn say_hello(&mut self, id: LinkId) -> Vec<Action> {
        match self.links.get_mut(&id) {
            Some(link) if !link.hello_sent => {
                link.hello_sent = true;
                vec![Action::SendHello(id)]
            }
            Some(_) | None => Vec::new(),
        }
    }

    /// A link has answered a ping: if it was a challenge, the other link is a second copy.
    pub fn pong(&mut self, id: LinkId, number: u64) -> Vec<Action> {
        let Some(city) = self.city_of(id) else { return Vec::new() };
        let challenged =
            |l: &Link| l.city == city && l.held.as_ref().is_some_and(|(since, _)| *since <= number);
        let copies: Vec<LinkId> =
            self.links.iter().filter(|(_, l)| challenged(l)).map(|(other, _)| *other).collect();
        copies
            .into_iter()
            .map(|refused| {
                self.forget(refused);
                Action::Duplicate { kept: id, refused }
            })
            .collect()
    }

    /// A link is gone.
    pub fn link_down(&mut self, now: u64, logs: &impl Logs, id: LinkId) -> Vec<Action> {
        let city = self.city_of(id);
        self.forget(id);
        let mut actions: Vec<Action> = city.map(|city| self.take_held(city)).unwrap_or_default();
        actions.extend(self.choose_all(now, logs));
        actions
    }

    /// The greeting that waited for a link of this city to go, if there is one.
    fn take_held(&mut self, city: CityCode) -> Vec<Action> {
        let waits = |l: &Link| l.city == city && l.held.is_some();
        let Some(id) = self.links.iter().find(|(_, l)| waits(l)).map(|(id, _)| *id) else {
            return Vec::new();
        };
        let mut actions = self.say_hello(id);
        let held = self.links.get_mut(&id).and_then(|l| l.held.take());
        actions.extend(held.map(|(_, hello)| Action::Greet(id, hello)));
        actions
    }

    pub(super) fn forget(&mut self, id: LinkId) {
        self.links.remove(&id);
        for followed in self.followed.values_mut() {
            if followed.source == Some(id) {
                followed.source = None;
            }
        }
    }

    /// Anything came over a link.
    pub fn heard(&mut self, now: u64, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.heard_ms = now;
        }
    }

    /// Time has passed: pings, dead links, stalled sources; and once a second, announcements of
    /// relayed logs, and sources that may be asked again.
    pub fn tick(&mut self, now: u64, clock_ms: i64, logs: &impl Logs) -> Vec<Action> {
        let mut actions = self.end_silent(now);
        let ids: Vec<LinkId> = self.links.keys().copied().collect();
        for id in ids {
            let Some(link) = self.links.get_mut(&id).filter(|l| l.greeted) else { continue };
            let silent = now.saturating_sub(link.heard_ms);
            let unpinged = now.saturating_sub(link.pinged_ms);
            let quiet = silent > PING_AFTER_MS && unpinged > PING_AFTER_MS / 2;
            if quiet || unpinged > TELL_TIME_EVERY_MS {
                link.pinged_ms = now;
                let ping = Frame::Ping { number: now, pong: false, clock_ms };
                actions.push(Action::Send(id, ping));
            }
        }
        actions.extend(self.leave_stalled(now, logs));
        if now.saturating_sub(self.looked_ms) >= LOOK_EVERY_MS {
            self.looked_ms = now;
            let cities: Vec<CityCode> = self.links.values().map(|l| l.city).collect();
            let shared = logs.shared_with(&cities);
            actions.extend(self.tell_all(logs, &shared));
            actions.extend(self.choose_among(now, shared));
        }
        actions
    }

    /// Nearly everybody has been told of nearly everything: that is looked at first.
    fn tell_all(&mut self, logs: &impl Logs, shared: &[(LogId, LogInfo<'_>)]) -> Vec<Action> {
        let mut untold: Vec<(LinkId, LogId, u64)> = Vec::new();
        for (id, link) in &self.links {
            let lacks = |log: LogId, stored: u64| {
                link.is_untold(log, stored) && logs.shares(link.city, log)
            };
            let lacking = shared.iter().filter(|(log, info)| lacks(*log, info.stored));
            untold.extend(lacking.map(|(log, info)| (*id, *log, info.stored)));
        }
        let told = untold.into_iter();
        told.filter_map(|(id, log, stored)| self.tell_of(logs, id, (log, stored))).collect()
    }

    fn end_silent(&mut self, now: u64) -> Vec<Action> {
        let mut actions = Vec::new();
        let dead = |l: &Link| now.saturating_sub(l.heard_ms) > DEAD_AFTER_MS;
        let silent: Vec<LinkId> =
            self.links.iter().filter(|(_, l)| dead(l)).map(|(id, _)| *id).collect();
        let beaten: Vec<LinkId> = self
            .links
            .values()
            .filter(|l| {
                l.held.as_ref().is_some_and(|(at, _)| now.saturating_sub(*at) > CHALLENGE_MS)
            })
            .filter_map(|l| self.link_to(l.city))
            .collect();
        for (ids, why) in [(silent, "silent for 30 s"), (beaten, "silent, and called again")] {
            for id in ids {
                let city = self.city_of(id);
                self.forget(id);
                actions.push(Action::Close(id, why));
                actions.extend(city.map(|city| self.take_held(city)).unwrap_or_default());
            }
        }
        actions
    }
}
