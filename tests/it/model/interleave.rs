//! Every interleaving of what three cities may write and apply, breadth first, for rules that are
//! small enough to stand in a file of their own.
//!
//! In scope: logs, what an entry has seen, application in every causal order. Out of scope: the
//! rules themselves ([`super::plans`], [`super::charters`]); cases, which run the real fold
//! ([`super::search`]).

use std::collections::{HashSet, VecDeque};
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};

pub const CITIES: usize = 3;
/// What nobody writes into a log: papers that several cities sign. Nodes take them at any time.
pub const PAPERS: usize = CITIES;
const LOGS: usize = CITIES + 1;
/// Names of the cities, and of the papers.
pub const NAMES: [&str; LOGS] = ["A", "B", "C", "papers"];

/// Log and index.
pub type Place = (usize, usize);
/// Entries applied of each log.
pub type Sizes = [usize; LOGS];

/// An entry, and what its author had applied of the other logs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Written<E> {
    pub event: E,
    pub after: Sizes,
}

pub type Logs<E> = [Vec<Written<E>>; LOGS];

/// A life: which entries may be written, and what they come to.
pub trait Life {
    type Event: Clone + Debug + Eq + Hash;
    type View: Clone + Debug + Eq + Hash;

    /// What a node shows that has applied these entries in this order.
    fn view(&self, logs: &Logs<Self::Event>, order: &[Place]) -> Self::View;
    /// What a city may write, honest or not.
    fn choices(&self, at: &At<'_, Self::Event, Self::View>) -> Vec<Self::Event>;
    /// Papers that may be signed, given what each node has applied.
    fn papers(&self, _logs: &Logs<Self::Event>, _held: &[Sizes; CITIES]) -> Vec<Self::Event> {
        Vec::new()
    }
    /// How much of a head on another log a node waits for, given what it has applied.
    fn awaited(&self, _logs: &Logs<Self::Event>, _held: &Sizes, _log: usize, size: usize) -> usize {
        size
    }
    /// Whether this city may write a move that counts.
    fn may_move(&self, at: &At<'_, Self::Event, Self::View>) -> bool;
    /// What is wrong with a view that an honest node shows.
    fn wrong(&self, _logs: &Logs<Self::Event>, _view: &Self::View) -> Option<String> {
        None
    }
    /// Whether somebody can go on, or nothing is left to do, once all have applied everything.
    fn goes_on(&self, logs: &Logs<Self::Event>, view: &Self::View) -> bool;
}

/// Where a node stands.
pub struct At<'a, E, V> {
    pub logs: &'a Logs<E>,
    pub node: usize,
    pub held: Sizes,
    pub view: &'a V,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    pub states: u64,
    pub two_movers: Option<String>,
    pub diverged: Option<String>,
    pub stuck: Option<String>,
    pub wrong: Option<String>,
}

struct State<E, V> {
    logs: Logs<E>,
    orders: [Vec<Place>; CITIES],
    views: [V; CITIES],
    came: usize,
}

fn sizes(order: &[Place]) -> Sizes {
    let mut sizes = [0; LOGS];
    order.iter().for_each(|(log, _)| sizes[*log] += 1);
    sizes
}

struct Search<'a, L: Life> {
    life: &'a L,
    /// The city that may lie, of which nothing is asked.
    liar: Option<usize>,
    depth: usize,
    found: Found,
    seen: HashSet<u64>,
    came: Vec<(usize, String)>,
    queue: VecDeque<State<L::Event, L::View>>,
}

/// Looks at every state that up to `depth` entries after `opening` can reach; all hold that one.
pub fn explore<L: Life>(
    life: &L,
    opening: (usize, L::Event),
    liar: Option<usize>,
    depth: usize,
) -> Found {
    let mut logs: Logs<L::Event> = Default::default();
    logs[opening.0].push(Written { event: opening.1, after: [0; LOGS] });
    let order = vec![(opening.0, 0)];
    let view = life.view(&logs, &order);
    let views = [view.clone(), view.clone(), view];
    let first = State { logs, orders: [order.clone(), order.clone(), order], views, came: 0 };
    let mut search = Search {
        life,
        liar,
        depth: depth + 1,
        found: Found::default(),
        seen: HashSet::new(),
        came: vec![(0, "opened, and known to all".to_owned())],
        queue: VecDeque::from([first]),
    };
    while let Some(state) = search.queue.pop_front() {
        search.found.states += 1;
        search.look(&state);
        search.steps(&state);
    }
    search.found
}

impl<L: Life> Search<'_, L> {
    fn at<'s>(
        &self,
        state: &'s State<L::Event, L::View>,
        node: usize,
    ) -> At<'s, L::Event, L::View> {
        let held = sizes(&state.orders[node]);
        At { logs: &state.logs, node, held, view: &state.views[node] }
    }

    fn steps(&mut self, state: &State<L::Event, L::View>) {
        let full = state.logs.iter().map(Vec::len).sum::<usize>() >= self.depth;
        for node in 0..CITIES {
            let at = self.at(state, node);
            if !full && at.held[node] == state.logs[node].len() {
                for event in self.life.choices(&at) {
                    self.write(state, node, event, at.held);
                }
            }
            self.applies(state, node, &at.held);
        }
        if !full && state.logs[PAPERS].is_empty() {
            let held = [0, 1, 2].map(|node| sizes(&state.orders[node]));
            for event in self.life.papers(&state.logs, &held) {
                let mut logs = state.logs.clone();
                let what = format!("signed: {event:?}");
                logs[PAPERS].push(Written { event, after: [0; LOGS] });
                self.reach(state, logs, None, what);
            }
        }
    }

    fn write(
        &mut self,
        state: &State<L::Event, L::View>,
        node: usize,
        event: L::Event,
        mut after: Sizes,
    ) {
        (after[node], after[PAPERS]) = (0, 0);
        let mut logs = state.logs.clone();
        let what = format!("{} writes {event:?} after {after:?}", NAMES[node]);
        logs[node].push(Written { event, after });
        let place = (node, logs[node].len() - 1);
        self.reach(state, logs, Some((node, place)), what);
    }

    fn applies(&mut self, state: &State<L::Event, L::View>, node: usize, held: &Sizes) {
        for log in 0..LOGS {
            let Some(entry) = state.logs[log].get(held[log]) else { continue };
            let waits = |other: &usize| {
                self.life.awaited(&state.logs, held, *other, entry.after[*other]) > held[*other]
            };
            if (0..LOGS).filter(|other| *other != log).any(|other| waits(&other)) {
                continue;
            }
            let what = format!("{} applies {} {}", NAMES[node], NAMES[log], held[log]);
            self.reach(state, state.logs.clone(), Some((node, (log, held[log]))), what);
        }
    }

    /// Notes a state unless it is known: the same logs, and nodes that show and hold the same.
    fn reach(
        &mut self,
        from: &State<L::Event, L::View>,
        logs: Logs<L::Event>,
        applied: Option<(usize, Place)>,
        what: String,
    ) {
        let (mut orders, mut views) = (from.orders.clone(), from.views.clone());
        if let Some((node, place)) = applied {
            orders[node].push(place);
            views[node] = self.life.view(&logs, &orders[node]);
        }
        let mut hasher = DefaultHasher::new();
        (&logs, orders.each_ref().map(|order| sizes(order)), &views).hash(&mut hasher);
        if self.seen.insert(hasher.finish()) {
            self.came.push((from.came, what));
            self.queue.push_back(State { logs, orders, views, came: self.came.len() - 1 });
        }
    }

    fn trace(&self, mut at: usize, what: &str) -> Option<String> {
        let mut lines = vec![what.to_owned()];
        while at != 0 {
            lines.push(self.came[at].1.clone());
            at = self.came[at].0;
        }
        lines.reverse();
        Some(lines.join("\n"))
    }

    fn look(&mut self, state: &State<L::Event, L::View>) {
        let honest: Vec<usize> = (0..CITIES).filter(|n| Some(*n) != self.liar).collect();
        let movers = honest.iter().filter(|n| self.life.may_move(&self.at(state, **n))).count();
        if movers > 1 && self.found.two_movers.is_none() {
            self.found.two_movers = self.trace(state.came, "two honest cities may move");
        }
        let written: usize = state.logs.iter().map(Vec::len).sum();
        let complete: Vec<&L::View> = honest
            .iter()
            .filter(|n| state.orders[**n].len() == written)
            .map(|n| &state.views[*n])
            .collect();
        if complete.windows(2).any(|two| two[0] != two[1]) && self.found.diverged.is_none() {
            let what = format!("all applied, two views: {complete:?}");
            self.found.diverged = self.trace(state.came, &what);
        }
        let wrong = honest.iter().find_map(|n| self.life.wrong(&state.logs, &state.views[*n]));
        if let Some(what) = wrong
            && self.found.wrong.is_none()
        {
            self.found.wrong = self.trace(state.came, &what);
        }
        let all = complete.len() == honest.len();
        if let Some(view) = complete.first().filter(|_| all)
            && !self.life.goes_on(&state.logs, view)
            && self.found.stuck.is_none()
        {
            self.found.stuck = self.trace(state.came, &format!("nobody goes on: {view:?}"));
        }
    }
}
