//! Daily quotas so small that honest cities outrun them: their logs stand still where they are
//! taken in, until an operator has looked and goes on with them.
//!
//! In scope: which seeds have them, what operators do. Out of scope: whether they hold
//! ([`super::checkers::quotas`]).

use std::collections::{BTreeMap, BTreeSet};

use liandong::ids::LogId;
use liandong::limits;

use super::tally::State;
use super::world::{Event, World};

/// In one seed of so many quotas are small; in none in which operators suspend cities.
const QUOTAS_EVERY: u64 = 8;
/// Small enough to be met again and again; raised where a log stands as it stood before.
const SMALLEST: u64 = 8;
/// An operator looks at a log that stands still within this time, milliseconds.
const LOOKED_AT_WITHIN_MS: u64 = 600_000;

/// Entries of one log of another city that a node takes in on one day.
pub fn of_seed(seed: u64) -> u64 {
    let small = SMALLEST + seed / QUOTAS_EVERY % 16;
    if seed % QUOTAS_EVERY == 7 { small } else { limits::LOG_ENTRIES_PER_DAY_MAX }
}

/// Logs that stand still for having outrun their day, by process.
#[derive(Default)]
pub struct Outrun {
    standing: BTreeSet<(usize, LogId)>,
    /// The size at which each stood last.
    stood_at: BTreeMap<(usize, LogId), u64>,
    /// Quotas that hold from the next start of a process on.
    raised: BTreeMap<usize, u64>,
}

impl World {
    /// Whoever looks at a process sees which logs stand still there.
    pub fn look_at_quotas(&mut self, node: usize) {
        self.look(node, false);
    }

    fn look(&mut self, node: usize, has_started: bool) {
        let quota = self.nodes[node].quota;
        if quota == limits::LOG_ENTRIES_PER_DAY_MAX {
            return;
        }
        let Some(status) = self.status(node) else { return };
        let stands: Vec<_> = status
            .suspensions
            .iter()
            .filter_map(|one| Some((one.log?, self.cast.place(one.city)?)))
            .collect();
        let standing = &mut self.outrun.standing;
        standing.retain(|(at, log)| *at != node || stands.iter().any(|(l, _)| l == log));
        for (log, city) in stands {
            self.checks.suspends(node, city);
            if !self.outrun.standing.insert((node, log)) {
                continue;
            }
            let size = status.logs.iter().find(|l| l.log == log).map_or(0, |l| l.stored);
            // No smaller than one batch, as the setting demands: nobody splits what a member joins.
            if self.outrun.stood_at.insert((node, log), size) == Some(size) {
                self.outrun.raised.insert(node, 2 * quota);
            }
            self.note("a log has outrun its day", node);
            self.tally.reached(State::QuotaFull);
            // What stood before a start may have stood for a quota that was raised since.
            if !has_started {
                self.checks.check_outrun(&self.cast, (node, log), quota);
            }
            let looked_at = self.rng.between(1_000, LOOKED_AT_WITHIN_MS);
            self.at(self.now + looked_at, Event::Resume(node));
        }
    }

    /// Settings are read at the start.
    pub fn raise_quota(&mut self, node: usize) {
        if let Some(quota) = self.outrun.raised.remove(&node) {
            self.nodes[node].quota = quota;
        }
    }

    /// A process has started: what stands there still is looked at anew.
    pub fn quotas_at_start(&mut self, node: usize) {
        self.outrun.standing.retain(|(at, _)| *at != node);
        self.look(node, true);
        self.checks.begin_days(node, &self.nodes[node]);
    }
}
