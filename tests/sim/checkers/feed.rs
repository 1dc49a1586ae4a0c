//! P9: the feed is one order, never taken back, in which every entry comes after what its author
//! had seen; a start repeats it.

use std::collections::BTreeMap;

use liandong::ids::{LogId, Position};
use liandong::log::Envelope;
use liandong::view;

use super::Checks;
use crate::sim::cast::Cast;
use crate::sim::node::Node;
use crate::sim::tally::{State, Tally};

/// What one process has applied, in its order.
#[derive(Default)]
pub struct Feed {
    pub order: Vec<Position>,
    pub applied: BTreeMap<LogId, u64>,
    /// Places when the guard was last written.
    guarded: usize,
    journal: [u8; 16],
}

#[derive(Default)]
pub struct Feeds {
    pub of: Vec<Feed>,
}

impl Feeds {
    pub fn add_node(&mut self) {
        self.of.push(Feed::default());
    }

    /// Another journal begins: cursors of the old one are gone.
    pub fn forget(&mut self, at: usize) {
        self.of[at] = Feed::default();
    }
}

impl Checks {
    /// The guard of a process says how far it is.
    pub fn guarded(&mut self, at: usize) {
        self.feeds.of[at].guarded = self.feeds.of[at].order.len();
    }

    /// New places of the feed.
    pub(super) fn follow_feed(&mut self, cast: &Cast, at: usize, node: &Node, tally: &mut Tally) {
        let Some(reader) = node.reader.as_ref() else { return };
        let from = self.feeds.of[at].order.len() as u64;
        if node.core.as_ref().is_some_and(|core| core.apply_number() == from) {
            return;
        }
        let mut news = Vec::new();
        view::feed(&reader.view(), from + 1, &mut |entry| {
            news.push(entry);
            true
        });
        for entry in news {
            let next = self.feeds.of[at].order.len() as u64 + 1;
            if entry.apply != next {
                return self.fail(format!("P9 {at}: place {next} of the feed is missing"));
            }
            self.check_turn_in_feed(cast, at, node, entry.position, tally);
            self.feeds.of[at].order.push(entry.position);
        }
        let numbered = node.core.as_ref().map_or(0, |core| core.apply_number());
        if numbered != self.feeds.of[at].order.len() as u64 {
            let got = self.feeds.of[at].order.len();
            self.fail(format!("P9 {at}: {numbered} entries applied, {got} in the feed"));
        }
    }

    /// An entry comes after its log's earlier ones and after what its author had seen.
    fn check_turn_in_feed(
        &mut self,
        cast: &Cast,
        at: usize,
        node: &Node,
        position: Position,
        tally: &mut Tally,
    ) {
        let feed = &self.feeds.of[at];
        let next = feed.applied.get(&position.log).copied().unwrap_or(0);
        if position.index != next {
            return self.fail(format!("P9 {at}: {position} applied, {next} is next in its log"));
        }
        let heads = |e: &Envelope| e.after.iter().map(|h| (h.log, h.size)).collect();
        let known: Option<Vec<(LogId, u64)>> =
            self.truth_of(cast, position).map(|truth| heads(&truth.envelope));
        let after = known.unwrap_or_else(|| {
            let reader = node.reader.as_ref().unwrap();
            let Ok(loaded) = reader.entry(position) else { return Vec::new() };
            let envelope = &loaded.entry.envelope;
            self.learn_from_feed(cast, &reader.view(), envelope, &loaded.event);
            heads(envelope)
        });
        for (log, size) in after {
            let known = self.feeds.of[at].applied.get(&log).copied().unwrap_or(0);
            // A head on a log that stands still counts as met.
            if known < size && self.may_stand(cast, at, log) {
                tally.reached(State::LeanedOn);
            } else if known < size && !self.may_fork(cast, log) {
                let what = format!("{at}: {position} applied before {size} of log {log}");
                return self.fail(format!("P9 {what}, which its author had seen"));
            }
        }
        self.feeds.of[at].applied.insert(position.log, next + 1);
    }

    /// What the author of a log wrote at a place, where there is one history only.
    pub(super) fn truth_of(&self, cast: &Cast, at: Position) -> Option<&super::logs::Truth> {
        if self.may_fork(cast, at.log) {
            return None;
        }
        self.logs.truth.get(&at.log)?.entries.get(at.index as usize)
    }

    /// After a start: a feed that has kept its id has kept its order.
    pub(super) fn feed_after_start(
        &mut self,
        cast: &Cast,
        at: usize,
        node: &Node,
        tally: &mut Tally,
    ) {
        let reader = node.reader.as_ref().unwrap();
        let before = std::mem::take(&mut self.feeds.of[at]);
        self.feeds.of[at].journal = reader.feed_id();
        if before.journal != reader.feed_id() {
            // Everything was folded anew, perhaps on an order that reached the disk and nobody
            // was told of.
            self.sessions.forget(at);
        }
        self.follow_feed(cast, at, node, tally);
        if before.journal != reader.feed_id() {
            return;
        }
        let now = &self.feeds.of[at].order;
        let same = before.order.iter().zip(now).take_while(|(a, b)| a == b).count();
        // What rots at the very end is cut off like a torn write. If the views are lost with it, or an
        // older copy is put back, the guard knows that there was more; but not of its last second.
        let younger = self.rotted.contains(&at) || self.restored.contains(&at);
        let end_lost = younger && same == now.len() && same >= before.guarded;
        if same < before.order.len() && !end_lost {
            let what = format!("{at}: after a start place {} of the feed is another", same + 1);
            self.fail(format!("P9 {what}: {:?}, was {}", now.get(same), before.order[same]));
        }
    }
}
