//! What goes wrong: disks, links, clocks, processes. Who puts it right is in [`super::operator`].

use super::disk::SimDisk;
use super::net::{Block, Item};
use super::node::Node;
use super::rows::SimRows;
use super::tally::{Fault, State};
use super::world::{Event, GUARD_MS, World};

const DAY_MS: i64 = 86_400_000;

/// The end of a fault.
#[derive(Debug)]
pub enum Undo {
    Start(usize),
    Unblock(u64),
    DiskFull(usize),
    DiskFree(usize),
    Clock(usize),
    Failing(usize),
    Halt(usize),
    Twin(usize),
}

/// A copy of a data folder, and of what lies beside it.
pub struct Backup {
    node: usize,
    disk: SimDisk,
    guard: Option<liandong::journal::Guard>,
}

/// What the world remembers between faults.
#[derive(Default)]
pub struct Troubles {
    backups: Vec<Backup>,
    restores: usize,
    twins: usize,
    blocks: u64,
    pub cared_for: Vec<usize>,
    pub operator_set: bool,
}

impl World {
    /// Something goes wrong.
    pub fn fault(&mut self) {
        if self.calm {
            return;
        }
        let node = self.rng.below(self.cast.codes.len());
        match self.rng.below(40) {
            0..=2 => self.kill(node),
            3 | 4 => self.lose_power_now(node),
            5..=7 => self.cut_mid_commit(node),
            8 | 9 => self.stop_for_a_while(node),
            10 => self.suspend(node),
            11 | 12 => self.back_up_or_restore(node),
            13 => self.two_copies(node),
            14 | 15 => self.rot(),
            16 => self.fill_disk(node),
            17 => self.lower_disk(node),
            18 => self.fail_disk(node),
            19 => self.slow_disk(node),
            20 => self.fail_views(node),
            21..=23 => self.reset_a_link(),
            24 | 25 => self.delay_a_link(),
            26 => self.slow_a_reader(),
            27 => self.double_dial(node),
            28 => self.cross_dials(),
            29 | 30 => self.one_way(node),
            31..=33 => self.cut_a_pair(node),
            34 | 35 => self.partition(),
            36..=38 => self.jump_clock(node),
            _ => self.drift(node),
        }
    }

    pub fn note(&mut self, what: &'static str, node: usize) {
        self.trace.note(self.now, "fault", &[node as u64, what.len() as u64], || {
            format!("{node}: {what}")
        });
    }

    fn later(&mut self, low: u64, high: u64, undo: Undo) {
        let wait = self.rng.between(low, high);
        self.at(self.now + wait, Event::Undo(undo));
    }

    pub fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::Start(node) if !self.nodes[node].is_up() => self.start(node),
            Undo::Start(_) => {}
            Undo::Unblock(number) => self.net.blocks.retain(|block| block.number != number),
            Undo::DiskFull(node) => self.free_disk(node),
            Undo::DiskFree(node) => self.free_disk(node),
            Undo::Clock(node) => self.nodes[node].clock.off_ms = 0,
            Undo::Failing(node) => self.nodes[node].disk.stop_failing(),
            Undo::Halt(node) => self.nodes[node].disk.forget_halt(),
            Undo::Twin(node) => self.end_twin(node),
        }
    }

    /// What of its views outlives a process: some groups fewer, or nothing.
    fn age_views(&mut self, node: usize) {
        if self.rng.one_in(2) {
            self.nodes[node].rows = SimRows::default();
            self.tally.fault(Fault::ViewsLost, 1);
        } else {
            let groups = self.rng.below(8);
            let gone = self.nodes[node].rows.fall_back(groups);
            self.tally.fault(Fault::ViewsBehind, u64::from(gone > 0));
        }
    }

    fn stop(&mut self, node: usize, silently: bool) {
        // An idle process is looked after seldom here; its guard is written every second.
        if self.now >= self.nodes[node].committed_at + GUARD_MS {
            self.raise_guard(node);
        }
        let lost = self.work.lost(node);
        self.tally.unanswered += lost;
        self.tally.fault(Fault::ViewsFailed, self.nodes[node].rows.failures());
        self.drop_links_of(node, silently);
        self.nodes[node].stop();
    }

    /// kill -9: what was written is still in the page cache.
    pub fn kill(&mut self, node: usize) {
        if !self.nodes[node].is_up() {
            return;
        }
        self.note("killed", node);
        self.tally.fault(Fault::Killed, 1);
        self.stop(node, false);
        self.nodes[node].disk.kill();
        self.age_views(node);
        self.later(300, 20_000, Undo::Start(node));
    }

    /// A node starts again with another key, as on a machine that the secrets were not copied to;
    /// its views are made anew. What it would have shown of a draw is lost, and callers do not ask
    /// again for what it remembered. Whether it came to that.
    pub fn lose_key(&mut self, node: usize) -> bool {
        let mut twins = self.nodes.iter().skip(self.cast.codes.len());
        if !self.nodes[node].is_up() || twins.any(|twin| twin.city == node && twin.is_up()) {
            return false;
        }
        self.note("another key", node);
        self.tally.fault(Fault::KeyLost, 1);
        self.stop(node, false);
        self.nodes[node].disk.kill();
        self.nodes[node].rows = SimRows::default();
        self.nodes[node].key += 1;
        self.work.give_up(node);
        self.checks.another_key(node);
        self.later(1_000, 10_000, Undo::Start(node));
        true
    }

    /// A process stops in order and starts again, because everything is to be folded anew.
    pub fn start_anew(&mut self, node: usize) {
        self.note("starts anew", node);
        self.tally.reached(State::StartedAnew);
        let status = self.status(node);
        let all = status.iter().flat_map(|status| &status.suspensions);
        let left = all.filter(|one| !one.resuming).filter_map(|one| self.cast.place(one.city));
        self.checks.folded_anew(node, &left.collect::<Vec<_>>());
        self.stop(node, false);
        self.nodes[node].disk.kill();
        self.later(300, 5_000, Undo::Start(node));
    }

    fn lose_power_now(&mut self, node: usize) {
        if self.nodes[node].is_up() {
            self.tally.fault(Fault::PowerCut, 1);
            self.lose_power(node, 30_000);
        }
    }

    /// Power goes and comes back; what was not synced is at the mercy of the disk.
    pub fn lose_power(&mut self, node: usize, down_ms: u64) {
        self.note("power lost", node);
        self.stop(node, true);
        let mut rng = self.rng.fork();
        let lost = self.nodes[node].disk.cut_power(&mut rng);
        self.tally.fault(Fault::WritesLost, lost.writes);
        self.tally.fault(Fault::WritesTorn, lost.torn);
        self.tally.fault(Fault::NamesLost, lost.names);
        self.age_views(node);
        if node < self.cast.codes.len() {
            self.later(1_000, down_ms.max(1_001), Undo::Start(node));
        }
    }

    fn cut_mid_commit(&mut self, node: usize) {
        let steps = self.rng.between(0, 8);
        self.nodes[node].disk.halt_after(steps);
        self.later(60_000, 90_000, Undo::Halt(node));
    }

    fn stop_for_a_while(&mut self, node: usize) {
        if self.nodes[node].is_up() {
            self.note("paused", node);
            self.tally.fault(Fault::Paused, 1);
            self.nodes[node].stopped_until = self.now + self.rng.between(2_000, 70_000);
        }
    }

    fn suspend(&mut self, node: usize) {
        if self.nodes[node].is_up() {
            self.note("suspended", node);
            self.tally.fault(Fault::Suspended, 1);
            let time = self.rng.between(5_000, 300_000);
            self.nodes[node].stopped_until = self.now + time;
            self.nodes[node].clock.stood_ms += time;
        }
    }

    fn back_up_or_restore(&mut self, node: usize) {
        let old = self.troubles.backups.iter().position(|b| b.node == node);
        let (Some(old), true) = (old, self.troubles.restores < 2) else {
            let (disk, guard) = (self.nodes[node].disk.copy(), self.nodes[node].guard.clone());
            self.troubles.backups.push(Backup { node, disk, guard });
            return;
        };
        if self.troubles.twins > 0 {
            return;
        }
        let backup = self.troubles.backups.remove(old);
        self.troubles.restores += 1;
        self.note("restored from an older copy", node);
        self.tally.fault(Fault::Restored, 1);
        if self.nodes[node].is_up() {
            self.stop(node, false);
        }
        self.nodes[node].disk = backup.disk;
        self.nodes[node].disk.kill();
        self.nodes[node].rows = SimRows::default();
        let mut told = true;
        match self.rng.below(8) {
            0 => {
                self.nodes[node].guard = None;
                self.tally.fault(Fault::GuardLost, 1);
            }
            1 => {
                // The guard was on the same disk after all: only members can tell.
                self.nodes[node].guard = backup.guard;
                told = false;
            }
            // It is written once a second: what came after that only members can tell.
            _ => told = !self.guard_lags(node),
        }
        self.checks.restored(&self.cast, node, told);
        if self.rng.one_in(2) {
            self.tally.reached(State::CutOffRestore);
            self.cut_off(node);
        }
        self.care(node);
        self.later(1_000, 30_000, Undo::Start(node));
    }

    /// Whether a process has written more than its guard says.
    fn guard_lags(&self, node: usize) -> bool {
        let Some(guard) = &self.nodes[node].guard else { return true };
        let says =
            |log| guard.grown.sizes.iter().find(|(of, _)| *of == log).map_or(0, |(_, size)| *size);
        let own = |log| self.cast.logs.get(&log).is_some_and(|l| l.city == node && !l.forged);
        self.checks.logs.held[node].iter().any(|(log, held)| own(*log) && *held > says(*log))
    }

    /// A copy of the machine is started beside it.
    fn two_copies(&mut self, node: usize) {
        if self.troubles.twins > 0 || !self.nodes[node].is_up() || !self.rng.one_in(3) {
            return;
        }
        self.troubles.twins += 1;
        self.note("copied, and both run", node);
        self.tally.fault(Fault::TwoCopies, 1);
        let original = &self.nodes[node];
        let mut twin = Node::new(original.city, original.segment_bytes, original.quota);
        twin.disk = original.disk.copy();
        (twin.keys, twin.key) = (original.keys.clone(), original.key);
        twin.guard = original.guard.clone();
        self.checks.excuse_city(original.city);
        self.nodes.push(twin);
        self.checks.add_node();
        let twin = self.nodes.len() - 1;
        if self.checks.has_rotted(node) {
            self.checks.rotted(twin);
        }
        self.checks.copied(node, twin);
        self.start(twin);
        self.care(node);
        self.later(20_000, 120_000, Undo::Twin(twin));
    }

    pub fn end_twin(&mut self, twin: usize) {
        if self.nodes[twin].is_up() {
            self.note("the copy is stopped", twin);
            self.stop(twin, false);
        }
        self.nodes[twin].stopped_until = u64::MAX;
    }

    /// One disk a run: what has rotted on two is gone for good.
    fn rot(&mut self) {
        let node = (self.seed % self.cast.codes.len() as u64) as usize;
        let page = self.rng.one_in(2);
        let mut rng = self.rng.fork();
        if self.nodes[node].disk.rot(&mut rng, page) {
            self.note("rot", node);
            let kind = if page { Fault::PageZeroed } else { Fault::BitFlipped };
            self.tally.fault(kind, 1);
            self.checks.rotted(node);
        }
    }

    /// There is space again. That there was none counts if somebody has met it.
    pub fn free_disk(&mut self, node: usize) {
        let disk = &self.nodes[node].disk;
        let (full, low) = (disk.set_full(false), disk.set_free(None));
        self.tally.fault(Fault::DiskFull, u64::from(full));
        self.tally.fault(Fault::DiskLow, u64::from(low));
    }

    fn fill_disk(&mut self, node: usize) {
        self.note("disk full", node);
        self.nodes[node].disk.set_full(true);
        self.later(5_000, 60_000, Undo::DiskFull(node));
    }

    fn lower_disk(&mut self, node: usize) {
        self.note("disk low", node);
        self.nodes[node].disk.set_free(Some(1_000));
        self.later(5_000, 60_000, Undo::DiskFree(node));
    }

    fn fail_disk(&mut self, node: usize) {
        let sync = self.rng.one_in(2);
        self.note("disk is about to fail", node);
        self.nodes[node].disk.fail_next(sync);
        self.later(30_000, 60_000, Undo::Failing(node));
        self.care(node);
    }

    fn slow_disk(&mut self, node: usize) {
        self.nodes[node].slow_until = self.now + self.rng.between(5_000, 30_000);
        self.nodes[node].slow_felt = false;
    }

    fn fail_views(&mut self, node: usize) {
        if self.nodes[node].is_up() {
            self.note("views are about to fail", node);
            self.nodes[node].rows.fail_next();
            self.care(node);
        }
    }

    fn jump_clock(&mut self, node: usize) {
        let ahead = self.rng.one_in(2);
        self.note("clock jumps", node);
        let kind = if ahead { Fault::ClockForward } else { Fault::ClockBack };
        self.tally.fault(kind, 1);
        self.nodes[node].clock.off_ms = if ahead { DAY_MS } else { -DAY_MS };
        self.later(20_000, 1_800_000, Undo::Clock(node));
    }

    fn drift(&mut self, node: usize) {
        let drift = self.rng.between(0, 400) as i64 - 200;
        self.tally.fault(Fault::Drift, u64::from(drift != 0));
        self.nodes[node].clock.drift = drift;
    }

    fn a_link(&mut self) -> Option<u64> {
        let all: Vec<u64> = self.net.links.keys().copied().collect();
        (!all.is_empty()).then(|| self.rng.pick(&all))
    }

    fn reset_a_link(&mut self) {
        // One that carries something, if there is any.
        let busy = |w: &super::net::Way| w.items.iter().any(|(_, i)| matches!(i, Item::Frame(_)));
        let carrying = self.net.links.iter().find(|(_, l)| l.ways.iter().any(busy));
        let Some(id) = carrying.map(|(id, _)| *id).or_else(|| self.a_link()) else { return };
        let lost = self.reset(id, "connection reset");
        self.tally.fault(Fault::LinkReset, u64::from(lost > 0));
    }

    fn delay_a_link(&mut self) {
        let Some(id) = self.a_link() else { return };
        let until = self.now + self.rng.between(5_000, 40_000);
        let link = self.net.links.get_mut(&id).unwrap();
        (link.late_until, link.felt[0]) = (until, false);
    }

    fn slow_a_reader(&mut self) {
        let Some(id) = self.a_link() else { return };
        let until = self.now + self.rng.between(10_000, 60_000);
        let link = self.net.links.get_mut(&id).unwrap();
        (link.slow_until, link.felt[1]) = (until, false);
    }

    fn double_dial(&mut self, node: usize) {
        let partners = self.cast.partners(self.nodes[node].city);
        let city = self.rng.pick(&partners);
        if self.is_linked(node, city) && self.nodes[node].is_up() {
            self.tally.fault(Fault::DialledTwice, 1);
            self.dial(node, city, true);
        }
    }

    fn cross_dials(&mut self) {
        let Some(id) = self.a_link() else { return };
        let [a, b] = self.net.links[&id].ends;
        self.reset(id, "connection reset");
        self.run_dials(a, b);
    }

    fn run_dials(&mut self, a: usize, b: usize) {
        if self.nodes[a].is_up() && self.nodes[b].is_up() {
            self.tally.fault(Fault::DialsCrossed, 1);
            let (city_a, city_b) = (self.nodes[a].city, self.nodes[b].city);
            self.dial(a, city_b, true);
            self.dial(b, city_a, true);
        }
    }

    fn block(&mut self, kind: Fault, ways: Vec<(usize, usize)>, low: u64, high: u64) {
        self.troubles.blocks += 1;
        let number = self.troubles.blocks;
        self.net.blocks.push(Block { number, ways, kind, felt: false });
        self.later(low, high, Undo::Unblock(number));
    }

    fn one_way(&mut self, node: usize) {
        let partners = self.cast.partners(node);
        let other = self.rng.pick(&partners);
        self.note("one way cut", node);
        self.block(Fault::OneWay, vec![(node, other)], 10_000, 120_000);
    }

    fn cut_a_pair(&mut self, node: usize) {
        let partners = self.cast.partners(node);
        let other = self.rng.pick(&partners);
        self.note("cut off from one", node);
        self.block(Fault::Pair, vec![(node, other), (other, node)], 5_000, 1_200_000);
    }

    /// Nobody can be reached from a city, as after a flood in its machine room.
    fn cut_off(&mut self, city: usize) {
        let partners = self.cast.partners(city);
        let ways = partners.into_iter().flat_map(|other| [(city, other), (other, city)]).collect();
        self.note("cut off from all", city);
        self.block(Fault::Partition, ways, 60_000, 400_000);
    }

    fn partition(&mut self) {
        let n = self.cast.codes.len();
        let side: Vec<bool> = (0..n).map(|_| self.rng.one_in(2)).collect();
        let apart = |a: &usize, b: &usize| side[*a] != side[*b];
        let ways: Vec<(usize, usize)> =
            (0..n).flat_map(|a| (0..n).map(move |b| (a, b))).filter(|(a, b)| apart(a, b)).collect();
        if !ways.is_empty() {
            self.note("partition", ways.len());
            self.block(Fault::Partition, ways, 20_000, 1_200_000);
        }
    }
}
