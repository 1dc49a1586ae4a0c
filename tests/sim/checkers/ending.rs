//! The end of a run: everything is whole and connected again, and stays so for a while. Then all
//! members agree (P4), nothing that could go on waits, nothing acknowledged is missing (P1).

use std::collections::{BTreeMap, BTreeSet};

use liandong::ids::{LogId, Position, SubjectId};
use liandong::log::PartSlot;
use liandong::node::load;
use liandong::view::{self, Effect};

use super::Checks;
use crate::sim::cast::Cast;
use crate::sim::node::Node;
use crate::sim::tally::{State, Tally};
use crate::sim::world::World;

/// Entries of a case's history that are looked at.
const HISTORY_MAX: usize = 512;

impl World {
    /// Nothing waits any more; what does, in words.
    pub fn unsettled(&mut self) -> Option<String> {
        if !self.work.is_idle() {
            return Some("a call is not answered".to_owned());
        }
        let count = self.cast.codes.len();
        for pact in 0..self.cast.pacts.len() {
            let members = &self.checks.honest_members(&self.cast, pact);
            let heads: Vec<_> = members.iter().map(|m| self.heads(*m, pact)).collect();
            if self.checks.is_gone(&self.cast, &self.nodes, pact) {
                continue;
            }
            for (held, member) in heads.iter().zip(members) {
                if held != &heads[0] {
                    let first = members[0];
                    let other = held.iter().find(|(log, sizes)| heads[0].get(log) != Some(sizes));
                    let what = other.map(|(log, sizes)| (*log, *sizes, heads[0].get(log)));
                    return Some(format!(
                        "{member} and {first} hold other logs of agreement {pact}: {what:?}"
                    ));
                }
                if let Some((log, head)) =
                    held.iter().find(|(_, (stored, applied))| stored != applied)
                {
                    return Some(format!("{member}: log {log} waits: {head:?}"));
                }
            }
        }
        for node in 0..count {
            let status = self.status(node);
            if status.is_some_and(|status| !status.suspensions.is_empty()) {
                return Some(format!("{node}: a city is suspended"));
            }
        }
        (0..count).find_map(|node| self.owed(node)).or_else(|| self.receipt_due())
    }

    /// Sizes of the logs of an agreement that stand nowhere still.
    fn heads(&self, node: usize, pact: usize) -> BTreeMap<LogId, (u64, u64)> {
        let Some(core) = self.nodes[node].core.as_ref() else { return BTreeMap::new() };
        let all = core.heads_of(self.cast.pacts[pact].id).into_iter();
        let honest = all.filter(|(head, _)| !self.checks.may_fork(&self.cast, head.log));
        honest.map(|(head, applied)| (head.log, (head.size, applied))).collect()
    }

    fn owed(&self, node: usize) -> Option<String> {
        let core = self.nodes[node].core.as_ref()?;
        core.is_poisoned().then(|| format!("{node} does not write"))
    }

    /// Reads every entry at every node, from its disk; gives how many are damaged.
    pub fn read_everything(&mut self) -> usize {
        let mut damaged = 0;
        for node in self.nodes.iter().take(self.cast.codes.len()) {
            let (Some(core), Some(reader)) = (&node.core, &node.reader) else { continue };
            let (view, journal) = (reader.view(), reader.journal());
            for (head, _) in core.heads() {
                let bad = |i: &u64| {
                    let entry = Position { log: head.log, index: *i };
                    load::entry_at(&view, &journal, entry).is_err()
                };
                damaged += (0..head.size).filter(bad).count();
            }
        }
        if damaged > 0 {
            self.tally.reached(State::DamageFound);
        }
        damaged
    }
}

/// Whether a member can give an entry to another one: from its disk, whatever it remembers.
fn gives(cast: &Cast, members: &[usize], by: usize, node: &Node, at: Position) -> bool {
    let Some(to) = members.iter().find(|m| **m != by) else { return false };
    let stretch = node.reader.as_ref().map(|r| r.stretch(cast.codes[*to], at.log, at.index, 1));
    stretch.is_some_and(|read| read.is_ok_and(|stretch| stretch.next > at.index))
}

impl Checks {
    /// Whether an entry of an agreement that one member once held can be read nowhere any more:
    /// one disk has lost it, and another one has rotted or is an older copy. Nothing can bring it
    /// back, and what rests on it waits until its log is closed by an amendment.
    pub fn is_gone(&self, cast: &Cast, nodes: &[Node], pact: usize) -> bool {
        let members = &cast.pacts[pact].members;
        if !members.iter().any(|m| self.has_rotted(*m) || self.restored.contains(m)) {
            return false;
        }
        let logs = cast.logs.iter().filter(|(_, l)| l.pact == pact);
        logs.map(|(log, _)| *log).any(|log| {
            let cores = || members.iter().filter_map(|m| nodes[*m].core.as_ref());
            let held = cores().map(|core| {
                let mut heads = core.heads().map(|(head, _)| head);
                heads.find(|head| head.log == log).map_or(0, |head| head.size)
            });
            // Whoever has lost it may be the last who knew of it, but for those that wait for it.
            let named = cores().flat_map(|core| core.awaited());
            let named = named.filter(|(other, _)| *other == log).map(|(_, size)| size);
            let least = held.clone().min().unwrap_or(0);
            let most = held.chain(named).max().unwrap_or(0);
            let gone = |index: u64| {
                let at = Position { log, index };
                !members.iter().any(|m| gives(cast, members, *m, &nodes[*m], at))
            };
            (least..most).any(gone)
        })
    }

    /// Whether an entry that this process has applied reads as damaged, and rightly stays so: of a
    /// log that may have two histories nobody may give back what lay here, or nobody has it.
    pub fn is_lost_here(&self, cast: &Cast, nodes: &[Node], at: usize, pact: usize) -> bool {
        let (Some(core), Some(reader)) = (&nodes[at].core, &nodes[at].reader) else { return false };
        let members = &cast.pacts[pact].members;
        let of_pact = |log: &LogId| cast.logs.get(log).is_some_and(|l| l.pact == pact);
        let applied = self.feeds.of[at].applied.iter().filter(|(log, _)| of_pact(log));
        let doubtful = applied.filter(|(log, _)| self.may_fork(cast, **log));
        let mut entries =
            doubtful.flat_map(|(log, size)| (0..*size).map(|index| Position { log: *log, index }));
        self.has_rotted(at)
            && entries.any(|entry| {
                let others = || members.iter().filter(|m| **m != at && !self.is_liar(**m));
                let given = || others().any(|m| gives(cast, members, *m, &nodes[*m], entry));
                let lies = || self.is_liar(cast.logs[&entry.log].city);
                reader.entry(entry).is_err() && (core.has_fork(entry.log) || lies() || !given())
            })
    }

    /// Members of an agreement that do not lie.
    pub fn honest_members(&self, cast: &Cast, pact: usize) -> Vec<usize> {
        let members = cast.pacts[pact].members.iter().copied();
        members.filter(|m| !self.is_liar(*m)).collect()
    }

    /// All of it, at the end.
    pub fn judge(&mut self, cast: &Cast, nodes: &[Node], tally: &mut Tally) {
        let count = cast.codes.len();
        for (at, node) in nodes.iter().enumerate().take(count) {
            for pact in cast.pacts_of(node.city) {
                if self.is_lost_here(cast, nodes, at, pact) {
                    continue;
                }
                self.fold_anew(cast, at, node, pact, tally);
            }
            self.search_disk(cast, at, node);
            self.check_gone_from_disk(cast, at, node);
            self.check_bounded(at, node);
            if node.disk.file_count() > 1 {
                tally.reached(State::Segments);
            }
        }
        for pact in 0..cast.pacts.len() {
            if !self.is_gone(cast, nodes, pact) {
                self.check_equal(cast, nodes, pact, tally);
            }
        }
        self.check_acked(cast, nodes);
        self.check_parts(cast, nodes);
    }

    /// Equal views, except for cases that a log with two histories concerns.
    fn check_equal(&mut self, cast: &Cast, nodes: &[Node], pact: usize, tally: &mut Tally) {
        let agreement = cast.pacts[pact].id;
        let members = &self.honest_members(cast, pact);
        members.iter().for_each(|m| self.note_effects(cast, &nodes[*m], pact, tally));
        let doubtful = cast.logs.iter().any(|(log, l)| l.pact == pact && self.may_fork(cast, *log));
        if doubtful {
            return self.check_equal_cases(cast, nodes, pact);
        }
        let hash = |m: &usize| {
            let rows = nodes[*m].reader.as_ref().unwrap().view();
            let heads = nodes[*m].core.as_ref().unwrap().applied_heads(agreement);
            view::fold_hash(&rows, agreement, &heads)
        };
        let hashes: Vec<_> = members.iter().map(hash).collect();
        for (other, member) in hashes.iter().zip(members) {
            if *other != hashes[0] {
                let first = members[0];
                return self
                    .fail(format!("P4 {member} and {first} see agreement {pact} otherwise"));
            }
        }
    }

    fn check_equal_cases(&mut self, cast: &Cast, nodes: &[Node], pact: usize) {
        let mut members = self.honest_members(cast, pact);
        members.retain(|m| !self.is_lost_here(cast, nodes, *m, pact));
        let mut all = Vec::new();
        for m in &members {
            match self.folded(cast, *m, &nodes[*m], pact) {
                Ok(folded) => all.push(folded),
                Err(why) => return self.fail(why),
            }
        }
        let doubtful = |log: &LogId| self.may_fork(cast, *log);
        let concerned: BTreeSet<SubjectId> = all
            .iter()
            .flat_map(|folded| folded.iter())
            .filter(|(_, case)| case.logs.iter().any(doubtful))
            .map(|(subject, _)| *subject)
            .collect();
        for (folded, member) in all.iter().zip(&members) {
            for (subject, case) in folded.iter().filter(|(s, _)| !concerned.contains(s)) {
                let same = all[0].get(subject).is_some_and(|other| other.case == case.case);
                if !same {
                    let what = format!("{member} and {} see case {subject} otherwise", members[0]);
                    return self.fail(format!("P4 {what}"));
                }
            }
        }
    }

    fn note_effects(&mut self, cast: &Cast, node: &Node, pact: usize, tally: &mut Tally) {
        let rows = node.reader.as_ref().unwrap().view();
        let agreement = cast.pacts[pact].id;
        view::cases_newest_first(&rows, agreement, None, &mut |subject, _| {
            let mut looked = 0;
            view::history(&rows, agreement, subject, 0, &mut |entry| {
                looked += 1;
                if let Effect::Misfit(reason) = &entry.effect {
                    tally.reached(State::Misfit);
                    if reason == "DOUBLE_MOVE" {
                        tally.reached(State::DoubleMove);
                    }
                }
                looked < HISTORY_MAX
            });
            true
        });
    }

    /// Every acknowledged write is held by every member.
    fn check_acked(&mut self, cast: &Cast, nodes: &[Node]) {
        for (city, position) in self.logs.acked.clone() {
            if self.is_excused(city) {
                continue;
            }
            let pact = cast.logs[&position.log].pact;
            if self.is_gone(cast, nodes, pact) {
                continue;
            }
            for member in &cast.pacts[pact].members {
                // What has rotted on every disk that had it is gone.
                let holds = |m: &usize| {
                    nodes[*m].reader.as_ref().is_some_and(|r| r.entry(position).is_ok())
                };
                let members = &cast.pacts[pact].members;
                let rots = members.iter().any(|m| self.has_rotted(*m));
                let rotted = rots && !members.iter().any(holds);
                if !holds(member) && !rotted {
                    let reader = nodes[*member].reader.as_ref().unwrap();
                    let why = reader.entry(position).err().map(|e| e.to_string());
                    let why = why.unwrap_or_default();
                    return self.fail(format!("P1 {position} of {city} is not at {member}: {why}"));
                }
            }
        }
    }

    /// Every part is where it may be, if anybody has it.
    fn check_parts(&mut self, cast: &Cast, nodes: &[Node]) {
        let all: Vec<_> = self
            .logs
            .truth
            .values()
            .flat_map(|log| log.entries.iter())
            .filter(|e| !e.envelope.parts.is_empty())
            .map(|e| e.envelope.clone())
            .collect();
        let count = cast.pacts.len();
        let gone: Vec<bool> = (0..count).map(|pact| self.is_gone(cast, nodes, pact)).collect();
        for envelope in all {
            let at = envelope.position();
            let pact = cast.logs[&at.log].pact;
            if gone[pact] {
                continue;
            }
            let mut held = vec![Vec::new(); envelope.parts.len()];
            for member in &cast.pacts[pact].members {
                let Ok(loaded) = nodes[*member].reader.as_ref().unwrap().entry(at) else {
                    continue;
                };
                // Another entry stands there on the other branch of a fork.
                if loaded.entry.envelope != envelope {
                    continue;
                }
                for (part, slot) in loaded.entry.parts.iter().enumerate() {
                    if matches!(slot, PartSlot::Bytes(_)) {
                        held[part].push(*member);
                    }
                }
            }
            let author = cast.logs[&at.log].city;
            for (part, holders) in held.iter().enumerate().filter(|(_, h)| h.contains(&author)) {
                for member in &cast.pacts[pact].members {
                    // Where a fork lets the two views differ, the author rightly keeps it.
                    let may = [*member, author].iter().all(|seen_by| {
                        let rows = nodes[*seen_by].reader.as_ref().unwrap().view();
                        view::may_hold(&rows, &envelope, part, cast.codes[*member])
                    });
                    let nth = u32::try_from(part).unwrap_or(u32::MAX);
                    if may
                        && !holders.contains(member)
                        && !self.has_erased(cast, *member, (at, nth))
                    {
                        let read = nodes[*member].reader.as_ref().unwrap().entry(at);
                        // A log with two histories stands still, also where it has lost its copy.
                        if read.is_err() && self.may_fork(cast, at.log) {
                            continue;
                        }
                        let slot = read.map(|l| format!("{:.40?}", l.entry.parts.get(part)));
                        let what = format!("{member} may hold part {part} of {at} and lacks it");
                        return self.fail(format!("P4 {what}: {slot:?}"));
                    }
                }
            }
        }
    }
}
