//! P8: of one log of another city a process takes in no more on one day than its quota, and no log
//! stands still for it that never had as much.
//!
//! A day is the process's own, and ends with it: what it has taken in may be forgotten then.

use std::collections::BTreeMap;

use liandong::ids::LogId;

use super::Checks;
use crate::sim::cast::Cast;
use crate::sim::node::Node;

const BEIJING_MS: i64 = 8 * 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// What was taken in of a log.
#[derive(Default)]
struct Taken {
    day: Option<i64>,
    /// Its size when that was last looked at.
    size: u64,
    /// On that day.
    entries: u64,
}

#[derive(Default)]
pub struct Days(BTreeMap<(usize, LogId), Taken>);

impl Checks {
    /// A process has started with what its disk holds.
    pub fn begin_days(&mut self, at: usize, node: &Node) {
        self.days.0.retain(|(process, _), _| *process != at);
        for (head, _) in node.core.iter().flat_map(|core| core.heads()) {
            let taken = Taken { size: head.size, ..Taken::default() };
            self.days.0.insert((at, head.log), taken);
        }
    }

    /// Logs at a process may have grown.
    pub fn check_day(&mut self, cast: &Cast, (at, wall_ms): (usize, i64), node: &Node) {
        let quota = node.quota;
        let day = (wall_ms + BEIJING_MS).div_euclid(DAY_MS);
        for (head, _) in node.core.iter().flat_map(|core| core.heads()) {
            if cast.logs.get(&head.log).is_none_or(|l| l.city == node.city) {
                continue;
            }
            let taken = self.days.0.entry((at, head.log)).or_default();
            let grown = head.size.saturating_sub(std::mem::replace(&mut taken.size, head.size));
            if taken.day.replace(day).is_some_and(|before| before != day) {
                // What was synced just now may have been counted before midnight.
                taken.entries = 0;
                continue;
            }
            taken.entries += grown;
            let entries = taken.entries;
            if entries > quota {
                let what = format!("{entries} entries of log {} on one day", head.log);
                return self.fail(format!("P8 {at}: {what}, {quota} at most"));
            }
        }
    }

    /// A log stands still: there must be more of it than one day may bring.
    pub fn check_outrun(&mut self, cast: &Cast, (at, log): (usize, LogId), quota: u64) {
        let written = self.logs.truth.get(&log).map_or(0, |t| t.entries.len() as u64);
        if written <= quota && !self.may_fork(cast, log) {
            let what = format!("log {log} stands still, of which {written} entries were written");
            self.fail(format!("P8 {at}: {what}, with {quota} a day"));
        }
    }
}
