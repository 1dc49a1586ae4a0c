//! How much the core keeps in memory, and what bounds each of it: for whoever looks whether
//! something piles up (promise: memory stays bounded whatever a peer does).
//!
//! In scope: what lives as long as the process. Out of scope: rows and segments (they are on disk),
//! frames on their way (the shell bounds them).
//!
//! Invariants:
//! 1. Nothing here grows with the number of entries. (`nothing_piles_up_in_memory`)

use crate::journal::Disk;
use crate::limits;
use crate::node::core::Core;
use crate::store::Store;
use crate::view::ReadRows;

/// One structure that is kept in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it holds.
    pub what: &'static str,
    /// How many of these there are.
    pub count: usize,
    /// How many there may be, with the agreements, members and logs of now.
    pub at_most: usize,
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Everything that lives as long as the process.
    pub fn kept(&mut self) -> Vec<Kept> {
        let kept = |what, count, at_most| Kept { what, count, at_most };
        let logs = self.logs.iter().count();
        let members = |id| self.logs.members(id).len();
        let seats: usize = self.book.iter().map(|(id, _)| members(*id)).sum();
        let cities = self.book.partners(self.settings.city).len() + 1;
        let (links, followed, resting, of_links) = self.exchange.sizes();
        let cosigned = self.logs.iter().map(|l| l.cosigned.len()).sum();
        let contradictions = self.logs.iter().map(|l| l.contradictions.len()).sum();
        let mut missing = 0;
        self.group_rows().scan(b"m", b"n", false, &mut |_, _| {
            missing += 1;
            true
        });
        let damaged = self.journal.damaged().len();
        let lost = self.lost_logs().count();
        vec![
            kept("logs", logs, seats * limits::CITY_LOGS_MAX),
            kept("cosignatures, the newest of each witness", cosigned, logs * logs),
            kept("proofs against witnesses, one each", contradictions, logs * logs),
            kept("logs followed", followed, logs),
            kept("sources left alone", resting, logs * cities),
            kept("sizes and followers of links", of_links, links * logs * 3),
            kept("lines about links", self.links.statuses().len(), cities),
            kept("clocks of members", self.clocks.count(), cities),
            kept("pauses of parts asked for", self.asking.count(), missing),
            kept("own logs that only the guard knows", lost, seats * limits::CITY_LOGS_MAX),
            kept(
                "answers of members about older logs",
                self.recoveries.count(),
                (logs + lost) * cities,
            ),
            kept("suspensions", self.suspensions.count(), cities + logs),
            kept("logs asked for batch by batch", self.recoveries.narrowed(), logs),
            kept("logs of which another history is suspected", self.looks.count(), logs),
            // Of each, a number for every batch behind its damage, until that is mended.
            kept("logs with batches passed over in a replay", self.early.len(), logs),
            kept("batches passed over that are kept for comparing", self.passed.count(), logs),
            kept("gaps and records looked up", self.mending.count(), 2 * damaged),
            kept("warnings", self.warnings.len(), 64),
        ]
    }

    /// What the group that is being gathered holds: nothing once everybody is silent, but records
    /// that ride with the next one.
    pub fn gathered(&self) -> Vec<Kept> {
        let kept = |what, count, at_most| Kept { what, count, at_most };
        let logs = self.logs.iter().count();
        vec![
            kept("writes that wait", self.queue.writes.len(), 0),
            kept("stretches that wait", self.group.ingested.len() + self.group.mended.len(), 0),
            kept("answers that wait", self.group.answers.len() + self.group.after.len(), 0),
            kept("small records that wait", self.group.small.len(), logs * logs),
        ]
    }
}
