//! P1, P2, P3: what a process has once held on disk is there after any stop; every copy is a
//! prefix of its log; nobody cosigns what is not so.
//!
//! The truth of a log is what its author had on disk first. Where two histories may exist, only
//! the copy of each process is held against what it was before.

use std::collections::{BTreeMap, BTreeSet};

use liandong::domain::Event;
use liandong::ids::{Hash, LogId, Position};
use liandong::log::merkle::{Frontier, empty_root, leaf_hash};
use liandong::log::{Envelope, PartSlot};
use liandong::sync::Frame;

use super::Checks;
use crate::sim::cast::Cast;
use crate::sim::node::Node;
use crate::sim::tally::{State, Tally};

/// One entry as its author wrote it.
pub struct Truth {
    pub envelope: Envelope,
    pub event: Event,
}

/// One log.
#[derive(Default)]
pub struct TrueLog {
    pub entries: Vec<Truth>,
    /// The root at each size.
    roots: Vec<Hash>,
    frontier: Option<Frontier>,
}

#[derive(Default)]
pub struct Logs {
    pub truth: BTreeMap<LogId, TrueLog>,
    /// What each process has had on disk: size of each log.
    pub held: Vec<BTreeMap<LogId, u64>>,
    /// The most each process has ever had, rot and older copies left aside.
    pub ever: Vec<BTreeMap<LogId, u64>>,
    /// Acknowledged writes: the city and where.
    pub acked: BTreeSet<(usize, Position)>,
    /// What each city has cosigned.
    cosigned: BTreeMap<(usize, LogId, u64), Hash>,
    witnesses: BTreeMap<(LogId, u64), BTreeSet<usize>>,
}

impl Logs {
    pub fn add_node(&mut self) {
        self.held.push(BTreeMap::new());
        self.ever.push(BTreeMap::new());
    }

    fn root(&self, log: LogId, size: u64) -> Option<Hash> {
        if size == 0 {
            return Some(empty_root());
        }
        self.truth.get(&log)?.roots.get(size as usize - 1).copied()
    }
}

impl Checks {
    /// The logs at a process may have grown.
    pub(super) fn grow(&mut self, cast: &Cast, at: usize, node: &Node, tally: &mut Tally) {
        let Some(core) = node.core.as_ref() else { return };
        let heads: Vec<_> = core.heads().map(|(head, _)| head).collect();
        for head in heads {
            let held = self.logs.held[at].get(&head.log).copied().unwrap_or(0);
            if head.size == held {
                continue;
            }
            if head.size < held {
                return self.fail(format!("{at}: log {} went back from {held}", head.log));
            }
            self.logs.held[at].insert(head.log, head.size);
            let ever = self.logs.ever[at].entry(head.log).or_insert(0);
            *ever = head.size.max(*ever);
            if self.may_fork(cast, head.log) {
                continue;
            }
            let known = self.logs.truth.get(&head.log).map_or(0, |t| t.entries.len() as u64);
            if head.size > known {
                self.learn(cast, at, node, head.log, known, head.size, tally);
            }
            if self.logs.root(head.log, head.size) != Some(head.root) {
                let what = "has another root than its author wrote";
                self.fail(format!("P2 {at}: log {} at {} {what}", head.log, head.size));
            }
        }
    }

    /// An author has written more.
    #[allow(clippy::too_many_arguments, reason = "what is learnt, from whom, and where it goes")]
    fn learn(
        &mut self,
        cast: &Cast,
        at: usize,
        node: &Node,
        log: LogId,
        from: u64,
        to: u64,
        tally: &mut Tally,
    ) {
        let author = cast.logs[&log].city;
        if node.city != author && !self.restored.contains(&author) {
            return self.fail(format!("P1 {at}: holds {to} of log {log}, its author only {from}"));
        }
        if to - from > 3 {
            tally.reached(State::Grouped);
        }
        for index in from..to {
            let position = Position { log, index };
            let loaded = match node.reader.as_ref().unwrap().entry(position) {
                Ok(loaded) => loaded,
                // Rot may have reached it first; another copy tells what it was.
                Err(_) if self.rotted.contains(&at) => return,
                Err(why) => return self.fail(format!("P1 {at}: {position} cannot be read: {why}")),
            };
            let leaf = leaf_hash(&loaded.entry.header);
            let entry = self.logs.truth.entry(log).or_default();
            let frontier = entry.frontier.get_or_insert_with(Frontier::new);
            frontier.push(leaf);
            entry.roots.push(frontier.root());
            let slots = loaded.entry.parts.iter().enumerate();
            for (part, slot) in slots {
                if let PartSlot::Bytes(bytes) = slot {
                    self.audience.learn(position, part, &loaded.entry.envelope, bytes);
                }
            }
            let truth = Truth { envelope: loaded.entry.envelope, event: loaded.event };
            self.learn_erasure(cast, position, &truth.event);
            self.learn_request(author, &truth);
            self.learn_move(cast, author, &truth);
            self.logs.truth.get_mut(&log).unwrap().entries.push(truth);
            tally.entries += 1;
        }
    }

    /// After a start: everything that was on disk is still there.
    pub(super) fn look_back(&mut self, cast: &Cast, at: usize, node: &Node) {
        let core = node.core.as_ref().unwrap();
        let heads: BTreeMap<LogId, u64> = core.heads().map(|(h, _)| (h.log, h.size)).collect();
        for (log, held) in self.logs.held[at].clone() {
            let size = heads.get(&log).copied().unwrap_or(0);
            if size >= held {
                continue;
            }
            if !self.rotted.contains(&at) {
                let whose = cast.logs.get(&log).map_or(99, |l| l.city);
                let what = format!("{at}: {held} entries of log {log} (of {whose}) were on disk");
                return self.fail(format!("P1 {what}, {size} are left"));
            }
            self.logs.held[at].insert(log, size);
        }
    }

    /// A process goes on from an older copy: what only it held may be gone.
    pub(super) fn forget_copy(&mut self, cast: &Cast, at: usize) {
        self.logs.held[at].clear();
        // A city that lies holds it, and does not say so where that would count.
        let elsewhere = |log: LogId| {
            let all = self.logs.held.iter().enumerate().filter(|(other, _)| !self.is_liar(*other));
            all.filter_map(|(_, held)| held.get(&log)).copied().max().unwrap_or(0)
        };
        // Also what another city had lost before, and only this copy still held.
        let kept = |(_, position): &(usize, Position)| position.index < elsewhere(position.log);
        let acked = self.logs.acked.iter().copied().filter(kept).collect();
        self.logs.acked = acked;
        let _ = cast;
    }

    /// What a process tells others must lie on its disk.
    pub(super) fn check_promise(&mut self, cast: &Cast, at: usize, node: &Node, frame: &Frame) {
        let Frame::Cosign(cosign) = frame else { return };
        let Some(witness) = cast.logs.get(&cosign.witness) else { return };
        if witness.city != node.city {
            return;
        }
        // What it signed before it rotted or was copied or restored may come round again.
        let same = |n: &&usize| **n == at || node.city == **n;
        let all: Vec<usize> = (0..self.logs.ever.len()).collect();
        let ever = all.iter().filter(same).filter_map(|n| self.logs.ever[*n].get(&cosign.log));
        let held = ever.copied().max().unwrap_or(0);
        if cosign.size > held && !self.is_excused(node.city) {
            let what = format!("{at} cosigned {} of log {}", cosign.size, cosign.log);
            return self.fail(format!("P3 {what}, {held} are on its disk"));
        }
        if self.is_excused(node.city) {
            return;
        }
        let key = (node.city, cosign.log, cosign.size);
        let earlier = *self.logs.cosigned.entry(key).or_insert(cosign.root);
        let mine = self.may_fork(cast, cosign.log) || {
            self.logs.root(cosign.log, cosign.size) == Some(cosign.root)
        };
        // Whoever came back from an older copy, or whose disk has rotted, may have lost the history
        // it had signed before.
        let lost = self.restored.contains(&node.city) || self.has_rotted(at);
        let forgot = lost && self.may_fork(cast, cosign.log);
        if (earlier != cosign.root && !forgot) || !mine {
            let what = format!("{at} cosigned another root of log {}", cosign.log);
            self.fail(format!("P3 {what} at {}", cosign.size));
        }
    }

    /// A city holds a receipt of another one.
    pub fn receipt(&mut self, cast: &Cast, log: LogId, size: u64, by: usize, tally: &mut Tally) {
        let all = self.logs.witnesses.entry((log, size)).or_default();
        all.insert(by);
        let Some(written) = cast.logs.get(&log) else { return };
        if all.len() + 1 == cast.pacts[written.pact].members.len() {
            tally.reached(State::AllCosigned);
        }
    }
}
