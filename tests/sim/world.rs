//! The world: cities and the time between them. Discrete events, so that quiet hours cost nothing.
//!
//! Everything that happens is an event at a millisecond; of two at one millisecond the one set
//! first comes first. Chance comes from the seed alone.

use std::collections::BTreeMap;

use bytes::Bytes;
use liandong::api::request::{WriteError, Written};
use liandong::ids::{CityCode, LogId, Position};
use liandong::node::core::{Core, Input, Output};
use liandong::sync::{Frame, LinkId};

use super::cast::{Cast, Keys};
use super::checkers::Checks;
use super::draws::Desks;
use super::faults::{Troubles, Undo};
use super::liar::Liar;
use super::net::Net;
use super::node::Node;
use super::quotas::{self, Outrun};
use super::rng::Rng;
use super::rows::SimRows;
use super::tally::{Fault, State, Tally};
use super::trace::Trace;
use super::workload::Workload;

/// As in the server, milliseconds.
const TICK_MS: u64 = 250;
/// Between the ticks of a process around which nothing happens.
const IDLE_TICK_MS: u64 = 20_000;
/// A process is busy for this long after something happened to it.
const BUSY_MS: u64 = 3_000;
pub const GUARD_MS: u64 = 1_000;

#[derive(Debug)]
pub enum Event {
    Tick(usize, u64),
    Commit(usize, u64),
    Deliver(LinkId, usize),
    Ended(LinkId, usize, String),
    Connected(LinkId),
    Dial(usize, u64, usize),
    DialFailed(usize, u64, usize),
    Serve(usize, u64, Serving),
    Client(usize),
    Patience(usize),
    Fault,
    Undo(Undo),
    Operator,
    Lie,
    Suspend(usize, usize),
    Resume(usize),
    Desk(usize),
}

/// What a link was told to read and send.
#[derive(Debug)]
pub enum Serving {
    Stretch { link: LinkId, city: CityCode, log: LogId, from: u64, bytes_max: u64 },
    Parts { link: LinkId, city: CityCode, entry: Position, parts: Vec<u32> },
}

/// How a run goes, chosen by its seed.
#[derive(Clone, Debug)]
pub struct Plan {
    pub cities: usize,
    pub members: Vec<Vec<usize>>,
    pub liar: Option<usize>,
}

impl Plan {
    pub fn of(rng: &mut Rng) -> Self {
        let cities = [2, 3, 3, 4, 4, 5, 5, 7][rng.below(8)];
        let all: Vec<usize> = (0..cities).collect();
        let mut members = vec![all.clone()];
        for _ in 0..rng.below(cities.min(4)) {
            let mut some = all.clone();
            while some.len() > 2 && (some.len() == cities || rng.one_in(2)) {
                some.remove(rng.below(some.len()));
            }
            if some.len() < cities {
                members.push(some);
            }
        }
        let liar = (cities > 2 && rng.one_in(3)).then(|| rng.below(cities));
        Self { cities, members, liar }
    }
}

pub struct World {
    pub seed: u64,
    pub now: u64,
    pub rng: Rng,
    pub cast: Cast,
    pub nodes: Vec<Node>,
    pub net: Net,
    pub tally: Tally,
    pub trace: Trace,
    pub checks: Checks,
    pub work: Workload,
    pub liar: Option<Liar>,
    pub troubles: Troubles,
    pub outrun: Outrun,
    pub desks: Option<Desks>,
    /// Faults have ended and everything must come right.
    pub calm: bool,
    pub calm_from: u64,
    events: BTreeMap<(u64, u64), Event>,
    next_event: u64,
}

impl World {
    pub fn new(seed: u64, trace: Trace) -> Self {
        let mut rng = Rng::new(seed);
        let plan = Plan::of(&mut rng);
        let quota = quotas::of_seed(seed);
        let nodes: Vec<Node> =
            (0..plan.cities).map(|i| Node::new(i, rng.between(4, 64) * 1024, quota)).collect();
        let rings: Vec<Keys> = nodes.iter().map(|n| n.keys.clone()).collect();
        let cast = Cast::new(plan.cities, &plan.members, &rings);
        let mut world = Self {
            seed,
            now: 0,
            rng: rng.fork(),
            checks: Checks::new(plan.cities),
            work: Workload::new(&cast, &mut rng),
            liar: plan.liar.map(|city| Liar::new(city, rng.fork())),
            desks: Desks::of_seed(seed, &cast, plan.liar),
            cast,
            nodes,
            net: Net::default(),
            tally: Tally::default(),
            trace,
            troubles: Troubles::default(),
            outrun: Outrun::default(),
            calm: false,
            calm_from: 0,
            events: BTreeMap::new(),
            next_event: 0,
        };
        if let Some(liar) = &world.liar {
            world.checks.lies(liar.city);
        }
        for node in 0..world.nodes.len() {
            world.start(node);
        }
        world
    }

    pub fn at(&mut self, time: u64, event: Event) {
        self.next_event += 1;
        self.events.insert((time.max(self.now), self.next_event), event);
    }

    /// Lets everything happen up to a time.
    pub fn run_until(&mut self, time: u64) {
        while self.checks.failure.is_none() {
            let Some(next) = self.events.first_entry() else { break };
            if next.key().0 > time {
                break;
            }
            let ((at, _), event) = next.remove_entry();
            self.now = self.now.max(at);
            self.tally.steps += 1;
            self.happen(event);
        }
        if self.checks.failure.is_none() {
            self.now = time;
        }
    }

    fn happen(&mut self, event: Event) {
        let lives = |world: &Self, node: usize, life: u64| {
            world.nodes[node].is_up() && world.nodes[node].life == life
        };
        // A process that stands still does it all when it goes on.
        if let Event::Tick(node, _) | Event::Commit(node, _) | Event::Serve(node, _, _) = &event {
            let stopped = self.nodes[*node].stopped_until;
            if self.now < stopped {
                if matches!(event, Event::Tick(..)) {
                    self.nodes[*node].next_tick = stopped;
                    self.at(stopped, Event::Tick(*node, stopped));
                } else {
                    self.at(stopped, event);
                }
                return;
            }
        }
        match event {
            Event::Tick(node, at) => self.tick(node, at),
            Event::Commit(node, life) if lives(self, node, life) => {
                self.nodes[node].commit_due = false;
                self.input(node, Input::Commit);
            }
            Event::Serve(node, life, what) if lives(self, node, life) => self.serve(node, what),
            Event::Dial(node, life, city) if lives(self, node, life) => {
                self.dial(node, city, false);
            }
            Event::DialFailed(node, life, city) if lives(self, node, life) => {
                self.dial_failed(node, city);
            }
            Event::Commit(..) | Event::Serve(..) | Event::Dial(..) | Event::DialFailed(..) => {}
            Event::Deliver(link, side) => self.deliver(link, side),
            Event::Ended(link, side, why) => self.ended(link, side, &why),
            Event::Connected(link) => self.connected(link),
            Event::Client(client) => self.client(client),
            Event::Patience(client) => self.patience(client),
            Event::Fault => self.fault(),
            Event::Undo(undo) => self.undo(undo),
            Event::Operator => self.operator(),
            Event::Lie => self.lie(),
            Event::Suspend(node, other) => self.suspend_city(node, other),
            Event::Resume(node) => self.resume_cities(node),
            Event::Desk(city) => self.desk(city),
        }
    }

    /// Something happens around a process: it is looked after more often for a while.
    pub fn heat(&mut self, node: usize) {
        let now = self.now;
        let n = &mut self.nodes[node];
        n.hot_until = now + BUSY_MS;
        if n.next_tick > now + TICK_MS || n.next_tick < now {
            n.next_tick = now + TICK_MS;
            let at = n.next_tick;
            self.at(at, Event::Tick(node, at));
        }
    }

    fn tick(&mut self, node: usize, at: u64) {
        let now = self.now;
        let n = &mut self.nodes[node];
        if n.next_tick != at || !n.is_up() {
            return;
        }
        let wait = if now < n.hot_until { TICK_MS } else { IDLE_TICK_MS };
        n.next_tick = now + wait;
        let next = n.next_tick;
        self.at(next, Event::Tick(node, next));
        if now >= self.nodes[node].guard_at + GUARD_MS {
            self.raise_guard(node);
        }
        self.input(node, Input::Tick);
    }

    pub fn raise_guard(&mut self, node: usize) {
        let now = self.now;
        let n = &mut self.nodes[node];
        n.guard_at = now;
        let grown = n.core.as_ref().and_then(Core::guard_mark);
        // As the shell: what is not on disk yet, a restore that was found among it, moves no guard.
        if let Some((mark, grown)) = n.mark.as_mut().zip(grown) {
            mark.raise(&grown);
            n.guard = Some(mark.clone());
            self.checks.guarded(node);
        }
    }

    /// Gives one input to a process and does what it says.
    pub fn input(&mut self, node: usize, input: Input) {
        let now = self.nodes[node].now(self.now);
        let commits = matches!(input, Input::Commit);
        let brings = matches!(input, Input::Frame(_, Frame::Batch(_)));
        let Some(core) = self.nodes[node].core.as_mut() else { return };
        let outputs = core.on(now, input);
        let (halted, (syncs, writes)) = self.nodes[node].disk.look();
        self.tally.fault(Fault::SyncFailed, syncs);
        self.tally.fault(Fault::WriteFailed, writes);
        if halted {
            // Nobody hears what it would have said.
            self.tally.fault(Fault::CutMidCommit, 1);
            self.lose_power(node, 4_000);
            return;
        }
        if brings {
            self.look_at_quotas(node);
        }
        if commits {
            self.nodes[node].committed_at = self.now;
            let at = (node, now.wall_ms);
            self.checks.check_day(&self.cast, at, &self.nodes[node]);
            self.checks.committed(&self.cast, node, &self.nodes[node], &mut self.tally);
        }
        self.perform(node, outputs);
        self.set_commit(node, commits);
    }

    fn set_commit(&mut self, node: usize, just_done: bool) {
        let now = self.nodes[node].now(self.now);
        let n = &mut self.nodes[node];
        let wants = n.core.as_ref().is_some_and(|c| c.wants_commit(now));
        if !wants || n.commit_due {
            return;
        }
        n.commit_due = true;
        let (life, slow) = (n.life, self.now < n.slow_until);
        let wait = match (just_done, slow) {
            // A group that found no space is tried again a little later.
            (true, _) => 250,
            (false, true) => self.rng.between(300, 3_000),
            (false, false) => self.rng.between(1, 8),
        };
        let first = slow && !std::mem::replace(&mut self.nodes[node].slow_felt, true);
        self.tally.fault(Fault::SlowDisk, u64::from(first));
        self.at(self.now + wait, Event::Commit(node, life));
    }

    fn perform(&mut self, node: usize, outputs: Vec<Output>) {
        let life = self.nodes[node].life;
        for output in outputs {
            if self.nodes[node].life != life {
                return;
            }
            match output {
                Output::Written(ticket, result) => self.answered(node, ticket, result),
                Output::Send(link, frame) => self.say(node, link, frame),
                Output::Close(link, why) => self.close(node, link, why),
                Output::Serve { link, city, log, from, bytes_max } => {
                    let what = Serving::Stretch { link, city, log, from, bytes_max };
                    let wait = self.rng.between(0, 12);
                    self.at(self.now + wait, Event::Serve(node, life, what));
                }
                Output::ServeParts { link, city, entry, parts } => {
                    let what = Serving::Parts { link, city, entry, parts };
                    self.at(self.now + 2, Event::Serve(node, life, what));
                }
                Output::NotesDone(_, results) => {
                    for why in results.into_iter().filter_map(Result::err) {
                        // A city is handed the cards of all, also of those it shares nothing with.
                        if !why.contains("no agreement here") && !why.contains("storage") {
                            self.checks.fail(format!("{node}: a note was refused: {why}"));
                        }
                    }
                }
                Output::StartAnew => self.start_anew(node),
                Output::Ordered(..)
                | Output::Status(..)
                | Output::Applied(_)
                | Output::MembersChanged => {}
            }
        }
    }

    /// A frame leaves a process: looked at, and changed if its city lies.
    fn say(&mut self, node: usize, link: LinkId, frame: Frame) {
        let Some(found) = self.net.links.get(&link) else { return };
        let other = found.ends[usize::from(found.ends[0] == node)];
        let (from, to) = (self.nodes[node].city, self.nodes[other].city);
        if matches!(frame, Frame::Refuse { .. }) {
            self.tally.reached(State::Refusal);
        }
        let frame = match &mut self.liar {
            Some(liar) if liar.city == from => liar.twist(&self.cast, frame, &mut self.tally),
            Some(_) | None => {
                self.checks.sent(&self.cast, node, &self.nodes[node], to, &frame, &mut self.tally);
                frame
            }
        };
        self.send(node, link, frame);
    }

    fn serve(&mut self, node: usize, what: Serving) {
        let reader = self.nodes[node].reader.clone().unwrap();
        match what {
            Serving::Stretch { link, city, log, from, bytes_max } => {
                // As the link does: what cannot be read is told as nothing read.
                let stretch = reader.stretch(city, log, from, bytes_max);
                let (batches, next, bytes) = match stretch {
                    Ok(stretch) => (stretch.batches, stretch.next, stretch.bytes),
                    Err(_) => (Vec::new(), from, 0),
                };
                for batch in batches {
                    self.say(node, link, Frame::Batch(batch));
                }
                self.input(node, Input::Served { link, log, from, next, bytes });
            }
            Serving::Parts { link, city, entry, parts } => {
                let parts = reader.parts_for(city, entry, &parts).unwrap_or_default();
                if !parts.is_empty() {
                    self.tally.reached(State::LateParts);
                    self.say(node, link, Frame::LateParts { entry, parts });
                }
            }
        }
    }

    fn answered(&mut self, node: usize, ticket: u64, result: Result<Written, WriteError>) {
        self.trace.note(self.now, "answer", &[node as u64, ticket], || {
            format!(
                "{node}: {ticket} {}",
                match &result {
                    Ok(written) => format!("at {}", written.position),
                    Err(error) => error.to_string(),
                }
            )
        });
        if ticket == 0 {
            if result.is_ok() {
                self.tally.reached(State::PartsReceived);
            }
            return;
        }
        self.answer(node, ticket, result);
    }

    /// Starts a process and lets it dial.
    pub fn start(&mut self, node: usize) {
        let (now, city) = (self.now, self.nodes[node].city);
        let mut rng = self.rng.fork();
        let kept = !self.nodes[node].rows.is_empty();
        self.raise_quota(node);
        let started = self.nodes[node].start(&self.cast, now, &mut rng);
        let started = match started {
            Ok(started) => started,
            Err(_) if self.nodes[node].disk.halted() => {
                self.lose_power(node, 4_000);
                return;
            }
            Err(why) if why.contains("views") => {
                // The views are set aside and made anew.
                self.nodes[node].stop();
                self.nodes[node].rows = SimRows::default();
                return self.start(node);
            }
            Err(why) if why.contains("could not read the journal") => {
                // The disk fails at the start as well; somebody tries again.
                return self.at(now + 10_000, Event::Undo(Undo::Start(node)));
            }
            Err(why) => return self.checks.fail(format!("{node} does not start: {why}")),
        };
        if self.nodes[node].disk.halted() {
            return self.lose_power(node, 4_000);
        }
        self.trace.note(now, "start", &[node as u64, started.cut_bytes], || {
            format!("{node}: cut {} bytes, {} damaged", started.cut_bytes, started.damaged)
        });
        if let Some(core) = self.nodes[node].core.as_ref() {
            let heads: Vec<_> = core.heads().map(|(h, a)| (h.size, a)).collect();
            self.trace.note(now, "held", &[core.apply_number()], || {
                format!("{node}: {} applied, {heads:?}", core.apply_number())
            });
        }
        if started.cut_bytes > 0 {
            self.tally.reached(State::TailCut);
        }
        if started.damaged > 0 {
            self.tally.reached(State::DamageFound);
        }
        if !started.created {
            self.tally.reached(if kept { State::RowsTaken } else { State::RowsRebuilt });
        }
        self.quotas_at_start(node);
        self.checks.found(&self.cast, node, &self.nodes[node]);
        if started.created {
            let notes: Vec<Bytes> = self.cast.notes[city].clone();
            self.input(node, Input::Notes(0, notes));
            self.input(node, Input::Commit);
            self.nodes[node].disk.keep_whole();
        }
        if !self.nodes[node].is_up() {
            return;
        }
        self.checks.started(&self.cast, node, &self.nodes[node], &mut self.tally);
        for partner in self.cast.partners(city) {
            self.dial_later(node, partner, 400);
        }
        self.heat(node);
    }
}
