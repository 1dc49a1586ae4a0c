//! Operators and the liveness phase: who restarts what has failed, begins new epochs where they
//! are needed, and puts everything right in the end.

use liandong::api::status::NodeStatus;
use liandong::node::core::{Input, Output};

use super::node::Clock;
use super::rows::SimRows;
use super::tally::{Fault, State};
use super::world::{Event, World};

/// An operator looks after a node this long after something was wrong with it, milliseconds.
const CARE_MS: u64 = 40_000;
/// People wait no longer than this after a new epoch began, milliseconds.
const IMPATIENT_MS: u64 = 20_000;

impl World {
    /// Somebody is to look after a node.
    pub fn care(&mut self, node: usize) {
        if node < self.cast.codes.len() && !self.troubles.cared_for.contains(&node) {
            self.troubles.cared_for.push(node);
        }
        if !std::mem::replace(&mut self.troubles.operator_set, true) {
            self.at(self.now + CARE_MS, Event::Operator);
        }
    }

    pub fn status(&mut self, node: usize) -> Option<Box<NodeStatus>> {
        let now = self.nodes[node].now(self.now);
        let core = self.nodes[node].core.as_mut()?;
        core.on(now, Input::Status(0)).into_iter().find_map(|output| match output {
            Output::Status(_, status) => Some(status),
            _ => None,
        })
    }

    fn calm_since(&self, ms: u64) -> bool {
        self.calm && self.now > self.calm_from + ms
    }

    /// The operators' round: restart what has failed, begin a new epoch where one is needed.
    pub fn operator(&mut self) {
        self.troubles.operator_set = false;
        self.nothing_piles_up_in_memory(false);
        for node in std::mem::take(&mut self.troubles.cared_for) {
            let stands = self.now < self.nodes[node].stopped_until;
            let twin_runs = self
                .nodes
                .iter()
                .skip(self.cast.codes.len())
                .any(|t| t.city == self.nodes[node].city && t.is_up());
            if stands || twin_runs || !self.nodes[node].is_up() {
                self.care(node);
                continue;
            }
            if self.nodes[node].core.as_ref().is_some_and(|c| c.is_poisoned()) {
                self.kill(node);
                // What failed is not believed again: views are made anew.
                self.nodes[node].rows = SimRows::default();
                self.care(node);
                continue;
            }
            self.tally.fault(Fault::ViewsFailed, self.nodes[node].rows.failures());
            let Some(status) = self.status(node) else { continue };
            if self.calm && !status.suspensions.is_empty() {
                self.resume_cities(node);
                self.care(node);
                continue;
            }
            if status.logs.iter().any(|l| l.waiting_for.is_some()) {
                self.tally.reached(State::Waiting);
            }
            if status.logs.iter().any(|l| l.fork.is_some()) {
                self.tally.reached(State::ForkProof);
            }
            // What has rotted is fetched back first: a pin set too early leaves out what only this
            // disk holds, see tests/bugs.md.
            let patient = self.checks.has_rotted(node) && !self.calm_since(180_000);
            if patient {
                self.care(node);
                continue;
            }
            for recovery in status.recoveries.iter().filter(|r| r.epoch_needed) {
                let pact = self.cast.pact_of(recovery.agreement).unwrap();
                self.new_epoch(node, pact, recovery.old_log);
            }
        }
    }

    /// `liandong suspend`: one city has no faith in another one.
    pub fn suspend_city(&mut self, node: usize, other: usize) {
        if self.calm || !self.nodes[node].is_up() {
            return;
        }
        self.note("suspends a city", node);
        self.tally.reached(State::CitySuspended);
        self.checks.suspends(node, other);
        let city = self.cast.codes[other];
        let (reason, by) = ("试验".to_owned(), "admin/1".to_owned());
        self.input(node, Input::Suspend { ticket: 0, city, reason, by });
    }

    /// `liandong resume`, for whatever is suspended.
    pub fn resume_cities(&mut self, node: usize) {
        let Some(status) = self.status(node) else { return };
        for one in status.suspensions.iter().filter(|one| !one.resuming) {
            self.note("resumes a city", node);
            let by = "admin/1".to_owned();
            self.input(node, Input::Resume { ticket: 0, city: one.city, by });
        }
    }

    /// `liandong epoch new`: the city goes on in a new log that pins the one here.
    fn new_epoch(&mut self, node: usize, pact: usize, old: liandong::ids::LogId) {
        let core = self.nodes[node].core.as_ref().unwrap();
        let Some(head) = core.heads().map(|(h, _)| h).find(|h| h.log == old) else { return };
        let city = self.nodes[node].city;
        let epoch = self.cast.newest_epoch(city, pact) + 1;
        let ring = self.nodes[node].keys.clone();
        let note = self.cast.manifest(city, pact, epoch, Some(head), false, &ring);
        self.cast.notes[city].push(note.clone());
        self.note("a new epoch begins", node);
        self.tally.reached(State::NewEpoch);
        self.input(node, Input::Notes(0, vec![note]));
        // The page says that work may go on: people begin at once.
        for client in self.work.clients_of(city) {
            for _ in 0..3 {
                let at = self.now + self.rng.between(100, IMPATIENT_MS);
                self.at(at, Event::Client(client));
            }
        }
    }

    /// Everything that was wrong is put right.
    pub fn heal(&mut self) {
        self.calm = true;
        self.calm_from = self.now;
        self.net.blocks.clear();
        for node in 0..self.nodes.len() {
            if node >= self.cast.codes.len() {
                self.end_twin(node);
                continue;
            }
            self.free_disk(node);
            let n = &mut self.nodes[node];
            n.disk.stop_failing();
            n.disk.forget_halt();
            n.clock = Clock { stood_ms: n.clock.stood_ms, ..Clock::default() };
            n.slow_until = 0;
            n.stopped_until = n.stopped_until.min(self.now + 1);
            if !n.is_up() {
                self.start(node);
            }
            self.care(node);
        }
        for link in self.net.links.values_mut() {
            (link.slow_until, link.late_until) = (0, 0);
        }
    }
}
