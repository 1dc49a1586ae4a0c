//! Serving: who follows which log here, how much may be sent, and what is announced.
//!
//! Live and catch-up share one path: stretches as they lie on disk. Each link reads one stretch at
//! a time, a little of each log in turn, so that nothing waits behind more than one stretch.
//!
//! In scope: credit and order. Out of scope: reading ([`Action::Serve`] is performed elsewhere).

use crate::ids::LogId;
use crate::sync::exchange::{Action, CREDIT_BYTES, Exchange, Logs};
use crate::sync::frame::LinkId;

/// Bytes after which a stretch ends. A batch is never cut, so that one stretch has at most a batch
/// more than this: live entries wait behind about 1 MiB of catch-up.
pub const STRETCH_BYTES: u64 = 256 * 1024;

#[derive(Debug)]
pub(super) struct Follower {
    next: u64,
    credit: i64,
}

fn as_credit(bytes: u64) -> i64 {
    i64::try_from(bytes.min(CREDIT_BYTES * 4)).unwrap_or(i64::MAX)
}

impl Exchange {
    /// The other side wants a log from `from` on.
    pub fn subscribe(
        &mut self,
        logs: &impl Logs,
        id: LinkId,
        log: LogId,
        from: u64,
        credit: u64,
    ) -> Vec<Action> {
        let Some(link) = self.links.get_mut(&id) else { return Vec::new() };
        if !logs.shares(link.city, log) {
            return Vec::new();
        }
        link.followers.insert(log, Follower { next: from, credit: as_credit(credit) });
        self.serve(logs, id)
    }

    /// The other side no longer wants a log from us.
    pub fn unsubscribe(&mut self, id: LinkId, log: LogId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.followers.remove(&log);
        }
    }

    /// The other side may be sent more.
    pub fn credit(&mut self, logs: &impl Logs, id: LinkId, log: LogId, bytes: u64) -> Vec<Action> {
        if let Some(follower) = self.follower(id, log) {
            let more = follower.credit.saturating_add(as_credit(bytes));
            follower.credit = more.min(as_credit(u64::MAX));
        }
        self.serve(logs, id)
    }

    fn follower(&mut self, id: LinkId, log: LogId) -> Option<&mut Follower> {
        self.links.get_mut(&id)?.followers.get_mut(&log)
    }

    /// Begins to read the next stretch for a link: of the logs that are due, the one after the one
    /// read before.
    pub(super) fn serve(&mut self, logs: &impl Logs, id: LinkId) -> Vec<Action> {
        let Some(link) = self.links.get_mut(&id).filter(|l| l.reading.is_none()) else {
            return Vec::new();
        };
        let due = |(log, follower): &(&LogId, &Follower)| {
            let stored = logs.info(**log).map_or(0, |info| info.stored);
            follower.credit > 0 && follower.next < stored
        };
        let behind = |log: &LogId| link.read_last.is_some_and(|last| *log > last);
        let next = link
            .followers
            .iter()
            .find(|f| behind(f.0) && due(f))
            .or_else(|| link.followers.iter().find(due))
            .map(|(log, f)| (*log, f.next, u64::try_from(f.credit).unwrap_or(0)));
        let Some((log, from, credit)) = next else { return Vec::new() };
        link.reading = Some(log);
        link.read_last = Some(log);
        vec![Action::Serve { link: id, log, from, bytes_max: credit.min(STRETCH_BYTES) }]
    }

    /// A [`Action::Serve`] is done: everything below `next` was sent, `bytes` in all. A follower
    /// for which nothing could be read is dropped; it will look for another source.
    pub fn served(
        &mut self,
        logs: &impl Logs,
        id: LinkId,
        log: LogId,
        from: u64,
        next: u64,
        bytes: u64,
    ) -> Vec<Action> {
        if let Some(link) = self.links.get_mut(&id) {
            link.reading = None;
            if next > from {
                let told = link.told.entry(log).or_insert(0);
                *told = next.max(*told);
            }
        }
        if let Some(follower) = self.follower(id, log) {
            let sent = i64::try_from(bytes).unwrap_or(i64::MAX);
            // Subscribed anew while we were reading: what was sent is not what is wanted now.
            if follower.next == from {
                follower.credit = follower.credit.saturating_sub(sent);
                follower.next = next;
                if next <= from {
                    self.unsubscribe(id, log);
                }
            }
        }
        self.serve(logs, id)
    }

    /// A log has grown here, durably. Followers get it; others are told at once if it is our own,
    /// within a second if it is not.
    pub fn grown(&mut self, logs: &impl Logs, log: LogId) -> Vec<Action> {
        let ids: Vec<LinkId> = self.links.keys().copied().collect();
        let own = logs.info(log).is_some_and(|i| !i.followed);
        let mut actions = Vec::new();
        for id in ids {
            actions.extend(self.serve(logs, id));
            if own {
                actions.extend(self.tell(logs, id, log));
            }
        }
        actions
    }

    pub(super) fn tell(&mut self, logs: &impl Logs, id: LinkId, log: LogId) -> Option<Action> {
        let info = logs.info(log)?;
        let city = self.city_of(id).filter(|city| logs.shares(*city, log));
        city.and_then(|_| self.tell_of(logs, id, (log, info.stored)))
    }

    /// The same of a log that is known to be shared with the city at the other end.
    pub(super) fn tell_of(
        &mut self,
        logs: &impl Logs,
        id: LinkId,
        (log, stored): (LogId, u64),
    ) -> Option<Action> {
        let link = self.links.get_mut(&id).filter(|link| link.is_untold(log, stored))?;
        link.told.insert(log, stored);
        Some(Action::Send(id, logs.announcement(log)?))
    }
}
