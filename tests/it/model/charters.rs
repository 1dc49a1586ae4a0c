//! A city leaves an agreement: its log is closed at a head that the others have agreed on, and one
//! of them gets its turns.
//!
//! In scope: one case, one amended charter, adopted log by log. Out of scope: joining, new keys,
//! two amended charters at once. Nodes do not act on amended charters yet: what stands here is
//! the rule they are to follow, and one that the search found to be missing: the heir moves only
//! after every member that stays has adopted the charter.

use super::interleave::{At, CITIES, Found, Life, Logs, PAPERS, Place, Sizes, explore};

/// The city that leaves, and its heir.
const LEAVES: usize = 2;
const HEIR: usize = 0;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    Opened,
    /// Gives the turn to a city.
    Handed {
        to: usize,
        prev: Place,
    },
    Ended {
        prev: Place,
    },
    Adopted,
    /// A paper: the log of the city that leaves is closed at this size.
    Closed(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// Who may move by what has taken effect; none once the case has ended.
    turn: Option<usize>,
    last: Place,
    /// Members whose adoption is applied here.
    adopted: [bool; CITIES],
    closed_at: Option<usize>,
}

/// Rules, each of which can be taken away.
#[derive(Clone, Copy, Debug)]
pub struct Charters {
    /// Entries beyond the closing head never count, also those applied before the charter came.
    pub folded_anew: bool,
    /// Somebody gets the turns of the city that leaves.
    pub heir: bool,
    /// The heir waits for the adoption of all that stay.
    pub heir_waits: bool,
    /// The city that leaves writes whatever its log lets through.
    pub lies: bool,
}

impl Charters {
    pub fn explore(self, depth: usize) -> Found {
        let found = explore(&self, (LEAVES, Event::Opened), self.lies.then_some(LEAVES), depth);
        println!("{self:?}: {} states", found.states);
        found
    }

    /// Whether an entry counts for a node that knows of this closing head.
    fn counts(&self, place: Place, closed_at: Option<usize>) -> bool {
        place.0 != LEAVES || closed_at.is_none_or(|size| place.1 < size)
    }

    /// Who may move in place of whom: the heir, from its adoption on.
    fn acts_for(&self, logs: &Logs<Event>, by: Place, turn: usize, closed: bool) -> bool {
        let adopted = || logs[by.0][..by.1].iter().any(|e| e.event == Event::Adopted);
        by.0 == turn || (self.heir && closed && turn == LEAVES && by.0 == HEIR && adopted())
    }

    /// The chain of moves that count, from the opening on.
    fn chain(&self, logs: &Logs<Event>, places: &[Place], closed: bool) -> (Option<usize>, Place) {
        let (mut turn, mut last) = (LEAVES, (LEAVES, 0));
        loop {
            let fits = |place: &&Place| {
                let entry = &logs[place.0][place.1];
                let seen = |prev: Place| match prev.0 == place.0 {
                    true => prev.1 < place.1,
                    // What it has seen: all its log has named so far.
                    false => logs[place.0][..=place.1].iter().any(|e| e.after[prev.0] > prev.1),
                };
                let from = match entry.event {
                    Event::Handed { prev, .. } | Event::Ended { prev } => prev,
                    Event::Opened | Event::Adopted | Event::Closed(_) => return false,
                };
                from == last && seen(from) && self.acts_for(logs, **place, turn, closed)
            };
            let Some(next) = places.iter().filter(fits).min() else { return (Some(turn), last) };
            last = *next;
            let Event::Handed { to, .. } = logs[next.0][next.1].event else { return (None, last) };
            turn = to;
        }
    }

    /// Whether a city takes the turn to be its own.
    fn believes(&self, at: &At<'_, Event, View>) -> bool {
        let closed = at.view.closed_at.is_some();
        match at.view.turn {
            Some(LEAVES) if closed => self.heir_may(at),
            turn => turn == Some(at.node) && (!closed || at.view.adopted[at.node]),
        }
    }

    /// Whether the heir may move in the place of the city that has left.
    fn heir_may(&self, at: &At<'_, Event, View>) -> bool {
        let staying = (0..CITIES).filter(|city| *city != LEAVES);
        let mut adopted = staying.map(|city| at.view.adopted[city] || !self.heir_waits);
        let known = at.view.closed_at.is_some_and(|size| at.held[LEAVES] >= size);
        let own = at.view.adopted[HEIR];
        self.heir && at.node == HEIR && known && own && adopted.all(|yes| yes)
    }
}

impl Life for Charters {
    type Event = Event;
    type View = View;

    fn view(&self, logs: &Logs<Event>, order: &[Place]) -> View {
        let closed_at = order.iter().find(|(log, _)| *log == PAPERS).map(|_| {
            let Event::Closed(size) = logs[PAPERS][0].event else { unreachable!() };
            size
        });
        let mut known = self.folded_anew.then_some(closed_at).flatten();
        let mut places = Vec::new();
        for place in order {
            if place.0 == PAPERS {
                known = closed_at;
            } else if self.counts(*place, known) {
                places.push(*place);
            }
        }
        let (turn, last) = self.chain(logs, &places, closed_at.is_some());
        let adopted = std::array::from_fn(|city| {
            places.iter().any(|p| p.0 == city && logs[p.0][p.1].event == Event::Adopted)
        });
        View { turn, last, adopted, closed_at }
    }

    fn choices(&self, at: &At<'_, Event, View>) -> Vec<Event> {
        let lies = self.lies && at.node == LEAVES;
        if at.view.closed_at.is_some() && !lies {
            match at.node {
                LEAVES => return Vec::new(),
                node if !at.view.adopted[node] => return vec![Event::Adopted],
                _ => {}
            }
        }
        let mut from = Vec::new();
        if self.believes(at) {
            from.push(at.view.last);
        }
        if lies {
            let places = |log: usize| (0..at.held[log]).map(move |index| (log, index));
            from.extend((0..CITIES).flat_map(places));
        }
        let member = |city: &usize| *city != LEAVES || at.view.closed_at.is_none();
        let to = || (0..CITIES).filter(|to| *to != at.node).filter(member);
        let handed = |prev| to().map(move |to| Event::Handed { to, prev });
        let ended = from.iter().map(|prev| Event::Ended { prev: *prev });
        from.iter().flat_map(|prev| handed(*prev)).chain(ended).collect()
    }

    /// Those who stay agree on any size that one of them holds.
    fn papers(&self, _logs: &Logs<Event>, held: &[Sizes; CITIES]) -> Vec<Event> {
        let longest = held[0][LEAVES].max(held[1][LEAVES]);
        (1..=longest).map(Event::Closed).collect()
    }

    /// A log that is closed is not waited for beyond its head.
    fn awaited(&self, logs: &Logs<Event>, held: &Sizes, log: usize, size: usize) -> usize {
        match logs[PAPERS].first().map(|paper| &paper.event) {
            Some(Event::Closed(closed)) if log == LEAVES && held[PAPERS] > 0 => size.min(*closed),
            _ => size,
        }
    }

    /// What the city that leaves writes once the others have signed lies beyond the closing head.
    fn may_move(&self, at: &At<'_, Event, View>) -> bool {
        let counts = at.node != LEAVES || at.logs[PAPERS].is_empty();
        counts && self.believes(at)
    }

    fn goes_on(&self, _logs: &Logs<Event>, view: &View) -> bool {
        view.turn != Some(LEAVES) || view.closed_at.is_none() || self.heir
    }
}
