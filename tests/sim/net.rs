//! The network: ordered connections between processes, whose two ends may believe different
//! things; dials that succeed, are refused or are never answered.

use std::collections::{BTreeMap, VecDeque};

use liandong::node::core::Input;
use liandong::sync::{Frame, LinkId};

use super::tally::{Fault, State};
use super::world::{Event, World};

/// Frames that may wait for a link that does not keep up, as in the server.
const QUEUE_MAX: usize = 4096;
/// Pause before a city that was lost is dialled again; it doubles up to the second, milliseconds.
const PAUSE_MS: u64 = 500;
const PAUSE_LONG_MS: u64 = 30_000;
/// A dial into nowhere ends after this time, milliseconds.
const DIAL_TIMEOUT_MS: u64 = 5_000;

/// On its way to one end.
#[derive(Debug)]
pub enum Item {
    Frame(Frame),
    End(String),
}

/// One direction.
#[derive(Debug, Default)]
pub struct Way {
    pub items: VecDeque<(u64, Item)>,
    /// An event that delivers the first of them is set.
    pub running: bool,
    pub ready_at: u64,
}

/// One connection.
#[derive(Debug)]
pub struct Link {
    /// Dialler and dialled, places of processes.
    pub ends: [usize; 2],
    /// Whether each end believes in it.
    pub open: [bool; 2],
    /// To each end.
    pub ways: [Way; 2],
    pub latency: u64,
    pub slow_until: u64,
    pub late_until: u64,
    /// Faults that somebody has felt since they began: late, slow, half-open.
    pub felt: [bool; 3],
}

/// Directions that carry nothing for a while.
#[derive(Debug)]
pub struct Block {
    pub number: u64,
    /// From city, to city.
    pub ways: Vec<(usize, usize)>,
    pub kind: Fault,
    /// Something did not get through.
    pub felt: bool,
}

#[derive(Default)]
pub struct Net {
    pub links: BTreeMap<LinkId, Link>,
    next: LinkId,
    pub blocks: Vec<Block>,
    pauses: BTreeMap<(usize, usize), u64>,
    /// The last pause before a city is dialled that has suspended this one.
    turned_away: BTreeMap<(usize, usize), u64>,
}

impl Net {
    pub fn is_blocked(&self, from: usize, to: usize) -> bool {
        self.blocks.iter().any(|block| block.ways.contains(&(from, to)))
    }

    /// Something does not get through: the faults that are felt for the first time.
    fn feel(&mut self, from: usize, to: usize) -> Vec<Fault> {
        let fresh = |b: &&mut Block| !b.felt && b.ways.contains(&(from, to));
        let found = self.blocks.iter_mut().filter(fresh);
        found.map(|block| (block.felt = true, block.kind).1).collect()
    }

    pub fn of(&self, node: usize) -> Vec<LinkId> {
        let of = |l: &Link| l.ends.contains(&node);
        self.links.iter().filter(|(_, l)| of(l)).map(|(id, _)| *id).collect()
    }
}

impl World {
    fn city(&self, node: usize) -> usize {
        self.nodes[node].city
    }

    /// Whether a process believes that it is connected to a city.
    pub fn is_linked(&self, node: usize, city: usize) -> bool {
        self.net.links.values().any(|l| {
            (0..2).any(|s| l.ends[s] == node && l.open[s] && self.city(l.ends[1 - s]) == city)
        })
    }

    /// Whether a direction carries nothing now; what blocks it counts once it is felt.
    fn meets_block(&mut self, from: usize, to: usize) -> bool {
        self.net.feel(from, to).into_iter().for_each(|kind| self.tally.fault(kind, 1));
        self.net.is_blocked(from, to)
    }

    /// Sends a frame, if the sender still believes in the link.
    pub fn send(&mut self, from: usize, id: LinkId, frame: Frame) {
        let now = self.now;
        let Some(link) = self.net.links.get_mut(&id) else { return };
        let Some(side) = (0..2).find(|s| link.ends[*s] == from) else { return };
        if !link.open[side] {
            return;
        }
        let to = 1 - side;
        if !link.open[to] {
            // Nobody is there any more, and the sender does not know.
            let again = std::mem::replace(&mut link.felt[2], true);
            self.tally.fault(Fault::HalfOpen, u64::from(!again));
            return;
        }
        let latency = if now < link.late_until {
            let again = std::mem::replace(&mut link.felt[0], true);
            self.tally.fault(Fault::Delayed, u64::from(!again));
            self.rng.between(1_000, 6_000)
        } else {
            link.latency
        };
        let way = &mut link.ways[to];
        way.ready_at = way.ready_at.max(now + latency);
        way.items.push_back((way.ready_at, Item::Frame(frame)));
        let (full, at) = (way.items.len() > QUEUE_MAX, way.ready_at);
        let start = !std::mem::replace(&mut way.running, true);
        if start {
            self.at(at, Event::Deliver(id, to));
        }
        if full {
            self.reset(id, "does not keep up");
        }
    }

    /// Delivers what is first in one direction, unless the way is cut or the process stands.
    pub fn deliver(&mut self, id: LinkId, side: usize) {
        let now = self.now;
        let Some(link) = self.net.links.get(&id) else { return };
        let (to, from) = (link.ends[side], link.ends[1 - side]);
        let slow = now < link.slow_until;
        let stopped = self.nodes[to].stopped_until;
        let (a, b) = (self.nodes[from].city, self.nodes[to].city);
        if self.meets_block(a, b) || now < stopped {
            let again = if now < stopped { stopped } else { now + 700 };
            self.at(again, Event::Deliver(id, side));
            return;
        }
        let link = self.net.links.get_mut(&id).unwrap();
        let way = &mut link.ways[side];
        let item = match way.items.front() {
            Some((at, _)) if *at <= now => way.items.pop_front().map(|(_, item)| item),
            Some(_) | None => None,
        };
        match way.items.front().map(|(at, _)| *at) {
            Some(next) => {
                let pace = if slow { 2_000 } else { 0 };
                let first = slow && !std::mem::replace(&mut link.felt[1], true);
                self.tally.fault(Fault::SlowReader, u64::from(first));
                self.at(next.max(now + pace), Event::Deliver(id, side));
            }
            None => way.running = false,
        }
        match item {
            Some(Item::Frame(frame))
                if self.net.links.get(&id).is_some_and(|link| link.open[side]) =>
            {
                self.receive(to, id, frame);
            }
            Some(Item::Frame(_)) => {}
            Some(Item::End(reason)) => self.hear_of_end(id, side, &reason),
            None => {}
        }
    }

    fn receive(&mut self, to: usize, id: LinkId, frame: Frame) {
        let idle = matches!(frame, Frame::Ping { .. });
        self.trace.note(self.now, "frame", &[to as u64, id, kind_of(&frame)], || {
            format!("{to} <- link {id}: {}", said(&frame))
        });
        if !idle {
            self.heat(to);
        }
        self.input(to, Input::Frame(id, frame));
    }

    /// One end is told that the link is gone.
    fn hear_of_end(&mut self, id: LinkId, side: usize, reason: &str) {
        let Some(link) = self.net.links.get_mut(&id) else { return };
        let (node, other) = (link.ends[side], link.ends[1 - side]);
        if !std::mem::replace(&mut link.open[side], false) {
            return;
        }
        if !link.open[1 - side] {
            self.net.links.remove(&id);
        }
        self.heat(node);
        self.input(node, Input::LinkDown { link: id, reason: reason.to_owned() });
        let city = self.city(other);
        match reason {
            // As the dialler does: not at all, or after ever longer pauses.
            "suspended here" => {}
            "suspended by the other side" => {
                let pause = self.net.turned_away.get(&(node, city)).map_or(PAUSE_MS, |p| p * 2);
                self.net.turned_away.insert((node, city), pause.min(PAUSE_LONG_MS));
                self.dial_later(node, city, pause.min(PAUSE_LONG_MS));
            }
            _ => {
                self.net.turned_away.remove(&(node, city));
                self.dial_later(node, city, PAUSE_MS);
            }
        }
    }

    /// A process ends a link: the other side hears of it behind everything sent before.
    pub fn close(&mut self, node: usize, id: LinkId, why: &str) {
        match why {
            "silent for 30 s" | "silent, and called again" => self.tally.reached(State::SilentLink),
            "another copy of this node is linked" => self.tally.reached(State::DuplicateInstance),
            "another link to this city is kept" => self.tally.reached(State::KeptLink),
            _ => {}
        }
        self.trace.note(self.now, "close", &[node as u64, id], || format!("{node}: {id}: {why}"));
        let now = self.now;
        let Some(link) = self.net.links.get_mut(&id) else { return };
        let Some(side) = (0..2).find(|s| link.ends[*s] == node) else { return };
        let to = 1 - side;
        let latency = link.latency;
        let way = &mut link.ways[to];
        way.ready_at = way.ready_at.max(now + latency);
        way.items.push_back((way.ready_at, Item::End(why.to_owned())));
        let at = way.ready_at;
        if !std::mem::replace(&mut way.running, true) {
            self.at(at, Event::Deliver(id, to));
        }
        self.at(now, Event::Ended(id, side, why.to_owned()));
    }

    pub fn ended(&mut self, id: LinkId, side: usize, reason: &str) {
        self.hear_of_end(id, side, reason);
    }

    /// The connection breaks: what is on its way is lost, and both ends hear of it.
    pub fn reset(&mut self, id: LinkId, why: &str) -> usize {
        let Some(link) = self.net.links.get_mut(&id) else { return 0 };
        let lost: usize = link.ways.iter().map(|w| w.items.len()).sum();
        link.ways.iter_mut().for_each(|w| w.items.clear());
        for side in 0..2 {
            self.at(self.now + 1, Event::Ended(id, side, why.to_owned()));
        }
        lost
    }

    /// A process is gone. Whoever can still be reached hears of it; the others do not.
    pub fn drop_links_of(&mut self, node: usize, silently: bool) {
        for id in self.net.of(node) {
            let Some(link) = self.net.links.get_mut(&id) else { continue };
            let side = usize::from(link.ends[1] == node);
            let other = link.ends[1 - side];
            link.open[side] = false;
            link.ways[side].items.clear();
            let (from, to) = (self.nodes[node].city, self.nodes[other].city);
            if silently || self.net.is_blocked(from, to) {
                continue;
            }
            let link = self.net.links.get_mut(&id).unwrap();
            let at = self.now + link.latency;
            // What it had sent is lost with it, or not.
            let keep = self.rng.below(link.ways[1 - side].items.len() + 1);
            link.ways[1 - side].items.truncate(keep);
            self.at(at, Event::Ended(id, 1 - side, "connection reset".to_owned()));
        }
        self.net.links.retain(|_, l| l.open[0] || l.open[1]);
    }

    /// Sets a dial after a pause, or after twice the last one.
    pub fn dial_later(&mut self, node: usize, city: usize, pause: u64) {
        let life = self.nodes[node].life;
        let wait = self.rng.between(pause / 2, pause + 1);
        self.net.pauses.insert((node, city), pause);
        self.at(self.now + wait, Event::Dial(node, life, city));
    }

    /// Dials a city, unless there is a link already.
    pub fn dial(&mut self, node: usize, city: usize, even_if_linked: bool) {
        if !self.nodes[node].is_up() || (!even_if_linked && self.is_linked(node, city)) {
            return;
        }
        let own = self.city(node);
        let all: Vec<usize> = (0..self.nodes.len()).filter(|n| self.city(*n) == city).collect();
        let up: Vec<usize> = all.into_iter().filter(|n| self.nodes[*n].is_up()).collect();
        let life = self.nodes[node].life;
        if self.meets_block(own, city) || self.meets_block(city, own) {
            self.tally.fault(Fault::DialTimedOut, 1);
            self.at(self.now + DIAL_TIMEOUT_MS, Event::DialFailed(node, life, city));
            return;
        }
        if up.is_empty() {
            self.tally.fault(Fault::Refused, 1);
            self.at(self.now + 20, Event::DialFailed(node, life, city));
            return;
        }
        let target = self.rng.pick(&up);
        let latency = self.rng.between(1, 40);
        self.net.next += 1;
        let link = Link {
            ends: [node, target],
            open: [true, true],
            ways: [Way::default(), Way::default()],
            latency,
            slow_until: 0,
            late_until: 0,
            felt: [false; 3],
        };
        self.net.links.insert(self.net.next, link);
        self.at(self.now + 2 * latency, Event::Connected(self.net.next));
    }

    pub fn connected(&mut self, id: LinkId) {
        let Some(link) = self.net.links.get(&id).filter(|l| l.open == [true, true]) else { return };
        let [a, b] = link.ends;
        let (city_a, city_b) = (self.city(a), self.city(b));
        self.trace.note(self.now, "link", &[a as u64, b as u64, id], || format!("{id}: {a}-{b}"));
        self.net.pauses.remove(&(a, city_b));
        for (node, city, by_us) in [(a, city_b, true), (b, city_a, false)] {
            let (city, address) = (self.cast.codes[city], String::new());
            self.heat(node);
            self.input(node, Input::LinkUp { link: id, city, by_us, address });
        }
    }

    pub fn dial_failed(&mut self, node: usize, city: usize) {
        let (code, reason) = (self.cast.codes[city], "connection refused".to_owned());
        self.input(node, Input::DialFailed { city: code, reason });
        let pause = self.net.pauses.get(&(node, city)).copied().unwrap_or(PAUSE_MS);
        self.dial_later(node, city, (pause * 2).min(PAUSE_LONG_MS));
    }
}

fn kind_of(frame: &Frame) -> u64 {
    match frame {
        Frame::Hello(_) => 0,
        Frame::Manifest(_) => 1,
        Frame::Announce { .. } => 2,
        Frame::Subscribe { from, .. } => 3 + 16 * from,
        Frame::Unsubscribe { .. } => 4,
        Frame::Credit { bytes, .. } => 5 + 16 * bytes,
        Frame::Batch(raw) => 6 + 16 * raw.from + 65_536 * raw.signed_bytes(),
        Frame::Cosign(cosign) => 7 + 16 * cosign.size,
        Frame::FetchParts { .. } => 8,
        Frame::LateParts { .. } => 9,
        Frame::Refuse { .. } => 10,
        Frame::Ping { pong, .. } => 11 + 16 * u64::from(*pong),
        Frame::Charter(_) => 12,
        Frame::Card(_) => 13,
        Frame::Fork(_) => 14,
    }
}

fn short(id: &impl std::fmt::Display) -> String {
    id.to_string().chars().take(6).collect()
}

/// A frame in a few words.
pub fn said(frame: &Frame) -> String {
    match frame {
        Frame::Hello(hello) => format!("hello, {} agreements", hello.agreements.len()),
        Frame::Manifest(_) => "manifest".to_owned(),
        Frame::Announce { log, .. } => format!("announce {}", short(log)),
        Frame::Subscribe { log, from, .. } => format!("subscribe {} from {from}", short(log)),
        Frame::Unsubscribe { log } => format!("unsubscribe {}", short(log)),
        Frame::Credit { log, bytes } => format!("credit {} {bytes}", short(log)),
        Frame::Batch(raw) => {
            let end = raw.from + raw.entries.len() as u64;
            format!("batch {} {}..{end}", short(&raw.log), raw.from)
        }
        Frame::Cosign(c) => {
            let (log, by) = (short(&c.log), short(&c.witness));
            format!("cosign {log} {} of {} by {by}", c.size, short(&c.root))
        }
        Frame::FetchParts { entry, parts } => format!("fetch {entry} {parts:?}"),
        Frame::LateParts { entry, parts } => format!("late {entry}, {} parts", parts.len()),
        Frame::Refuse { reason, log, expected, detail, .. } => {
            format!("refuse {reason} {:?} {expected}: {detail}", log.as_ref().map(short))
        }
        Frame::Ping { pong, .. } => if *pong { "pong" } else { "ping" }.to_owned(),
        Frame::Charter(_) => "charter".to_owned(),
        Frame::Card(_) => "card".to_owned(),
        Frame::Fork(_) => "fork proof".to_owned(),
    }
}
