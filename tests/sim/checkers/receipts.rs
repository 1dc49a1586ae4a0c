//! What everybody must know in the end: that an entry is held is proved to its author by every
//! member that holds it, and that a city signed two histories is known to all (P3, P4).

use std::collections::BTreeMap;

use liandong::api::status::{LogStatus, NodeStatus};
use liandong::ids::{LogId, Position};
use liandong::log::PartSlot;

use crate::sim::cast::Cast;
use crate::sim::world::World;

/// One log as each member shows it, by place in the cast.
type Shown<'a> = BTreeMap<usize, &'a LogStatus>;

impl World {
    /// A receipt or a proof that is not where it must be, in words.
    pub fn receipt_due(&mut self) -> Option<String> {
        let count = self.cast.codes.len();
        let statuses: Vec<Option<Box<NodeStatus>>> = (0..count).map(|n| self.status(n)).collect();
        let mut shown: BTreeMap<LogId, Shown<'_>> = BTreeMap::new();
        for (at, status) in statuses.iter().enumerate() {
            for log in status.iter().flat_map(|status| &status.logs) {
                shown.entry(log.log).or_default().insert(at, log);
            }
        }
        shown.iter_mut().find_map(|(log, at)| {
            let members = &self.cast.pacts[self.cast.logs.get(log)?.pact].members;
            // What a liar says of others' logs may be anything.
            let honest: Vec<usize> =
                members.iter().copied().filter(|m| !self.checks.is_liar(*m)).collect();
            at.retain(|member, _| honest.contains(member));
            // Whoever has signed what is on no disk any more does not sign less again.
            let pact = self.cast.logs[log].pact;
            let gone = || self.checks.is_gone(&self.cast, &self.nodes, pact);
            let due = || cosignature_due(&self.cast, *log, at);
            let due = || due().filter(|_| !gone() && !self.owes_what_is_lost(*log, members));
            proof_due(*log, &honest, at).or_else(due)
        })
    }
}

impl World {
    /// A part that no member has any more, although none has what erased it: that was lost with the
    /// disk it lay on alone. Its author's operator has to erase it as lost; none does here.
    fn owes_what_is_lost(&self, log: LogId, members: &[usize]) -> bool {
        let held = |member: &usize, at: Position| {
            let reader = self.nodes[*member].reader.as_ref()?;
            Some(reader.entry(at).ok()?.entry.parts)
        };
        let applied = |by: Position| {
            let cores = members.iter().filter_map(|m| self.nodes[*m].core.as_ref());
            let mut heads = cores.flat_map(|core| core.heads());
            heads.any(|(head, applied)| head.log == by.log && applied > by.index)
        };
        let sizes = members.iter().filter_map(|m| self.nodes[*m].core.as_ref());
        let sizes = sizes.flat_map(|core| core.heads()).filter(|(head, _)| head.log == log);
        let size = sizes.map(|(head, _)| head.size).max().unwrap_or(0);
        (0..size).map(|index| Position { log, index }).any(|at| {
            let all: Vec<_> = members.iter().filter_map(|m| held(m, at)).collect();
            let owed = |nth: usize| {
                all.iter().any(|parts| match parts.get(nth) {
                    Some(PartSlot::ErasedBy(by)) => !applied(*by),
                    Some(PartSlot::Bytes(_) | PartSlot::Withheld) | None => false,
                })
            };
            let there = |nth: usize| {
                all.iter().any(|parts| matches!(parts.get(nth), Some(PartSlot::Bytes(_))))
            };
            let count = all.iter().map(Vec::len).max().unwrap_or(0);
            (0..count).any(|nth| owed(nth) && !there(nth))
        })
    }
}

/// Two histories of one size prove a fork as soon as their holders meet; a proof is for all.
fn proof_due(log: LogId, members: &[usize], at: &Shown<'_>) -> Option<String> {
    let proved = at.values().any(|l| l.fork.is_some());
    let differ = at
        .values()
        .any(|one| at.values().any(|other| one.stored == other.stored && one.root != other.root));
    let lacks = |member: &&usize| at.get(*member).is_none_or(|l| l.fork.is_none());
    let lacking = members.iter().find(lacks).filter(|_| proved || differ)?;
    Some(format!("P3 {lacking} has no proof that log {log} has two histories"))
}

/// Whatever an author and a member hold alike, the author can prove that the member holds it.
fn cosignature_due(cast: &Cast, log: LogId, at: &Shown<'_>) -> Option<String> {
    let written = cast.logs.get(&log)?;
    let own = at.get(&written.city).filter(|own| own.stored > 0)?;
    if at.values().any(|l| l.fork.is_some()) {
        return None;
    }
    at.iter().filter(|(member, _)| **member != written.city).find_map(|(member, held)| {
        let code = cast.codes[*member];
        let signed = |l: &LogStatus| {
            l.cosignatures.iter().filter(|c| c.city == code).map(|c| c.size).max().unwrap_or(0)
        };
        let same = (held.stored, held.root) == (own.stored, own.root);
        (same && signed(own) < own.stored).then(|| {
            let (size, has) = (own.stored, signed(own));
            let what = format!("{member} holds {size} of log {log} and has signed {has}");
            format!("{what}, as {} knows", written.city)
        })
    })
}
