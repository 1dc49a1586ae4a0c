//! Every interleaving of what three cities may do with one case, breadth first.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use liandong::domain::CaseMove;

use super::folds::{
    Entries, Entry, LOGS, Place, Rule, SECOND, Sizes, View, Written, author, sorted,
};

/// What may happen, and which rules hold.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub rule: Rule,
    /// The first city may write whatever the log's own rules let through.
    pub faulty: bool,
    /// The first city may once be put back to an older copy, and goes on in a second log.
    pub restore: bool,
    /// After that it moves the case only once it holds what others hold of its first log.
    pub gate: bool,
    /// Entries written after the opening and the start of verification, which all hold.
    pub depth: usize,
}

/// The entries written, and those each city has applied, in order.
#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    logs: [Vec<u16>; LOGS],
    orders: [Vec<Written>; 3],
    restored: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    pub states: u64,
    pub two_writers: Option<String>,
    pub diverged: Option<String>,
    pub no_way_forward: Option<String>,
    pub honest_misfit: Option<String>,
    /// States in which the case has changed hands, and in which the second log was written.
    pub handed_over: u64,
    pub second_epochs: u64,
    pub confluences: u64,
}

struct Search {
    setting: Setting,
    entries: Entries,
    moves: Vec<CaseMove>,
    found: Found,
    seen: HashSet<u64>,
    /// For each state found: the one it comes from, and what happened.
    came: Vec<(usize, String)>,
}

/// Looks at every state that can be reached.
pub fn explore(setting: Setting) -> Found {
    let mut search = Search {
        setting,
        entries: Entries::new(),
        moves: super::folds::moves(),
        found: Found::default(),
        seen: HashSet::new(),
        came: Vec::new(),
    };
    search.run();
    search.found.confluences = search.entries.confluences;
    search.found
}

fn sizes(order: &[Written]) -> Sizes {
    let mut sizes = [0; LOGS];
    order.iter().for_each(|(log, _)| sizes[usize::from(*log)] += 1);
    sizes
}

impl State {
    fn writes(&self, node: usize) -> usize {
        if node == 0 && self.restored { SECOND } else { node }
    }

    fn written(&self) -> usize {
        self.logs.iter().map(Vec::len).sum()
    }

    fn is_complete(&self, node: usize) -> bool {
        self.orders[node].len() == self.written()
    }
}

impl Search {
    fn run(&mut self) {
        let opening = Entry { mv: None, prev: None, after: [0; LOGS], pinned: 0 };
        let started = Entry { mv: Some(0), prev: Some((0, 0)), ..opening.clone() };
        let log = vec![self.entries.id(opening), self.entries.id(started)];
        let order: Vec<Written> = log.iter().map(|id| (0, *id)).collect();
        let first = State {
            logs: [log, Vec::new(), Vec::new(), Vec::new()],
            orders: [order.clone(), order.clone(), order],
            restored: false,
        };
        let mut queue = VecDeque::from([(0, first)]);
        self.came.push((0, "the case is open and known to all".to_owned()));
        while let Some((at, state)) = queue.pop_front() {
            self.found.states += 1;
            self.look(at, &state);
            for (what, next) in self.steps(&state) {
                let mut hasher = DefaultHasher::new();
                next.hash(&mut hasher);
                if self.seen.insert(hasher.finish()) {
                    self.came.push((at, what));
                    queue.push_back((self.came.len() - 1, next));
                }
            }
        }
    }

    /// The way to a state, for people.
    fn trace(&self, mut at: usize, what: &str) -> String {
        let mut lines = vec![what.to_owned()];
        while at != 0 {
            lines.push(self.came[at].1.clone());
            at = self.came[at].0;
        }
        lines.reverse();
        lines.join("\n")
    }

    fn view(&mut self, state: &State, node: usize) -> View {
        self.entries.view(self.setting.rule, &state.orders[node])
    }

    /// The restored city waits for what others hold of its first log.
    fn is_gated(&self, state: &State, node: usize) -> bool {
        let held = sizes(&state.orders[node])[0];
        self.setting.gate && node == 0 && state.restored && held < state.logs[0].len()
    }

    fn steps(&mut self, state: &State) -> Vec<(String, State)> {
        let mut steps = Vec::new();
        for node in 0..3 {
            self.writes(state, node, &mut steps);
            self.applies(state, node, &mut steps);
        }
        if self.setting.restore && !state.restored {
            restores(state, &self.entries, &mut steps);
        }
        steps
    }

    fn writes(&mut self, state: &State, node: usize, steps: &mut Vec<(String, State)>) {
        let (own, held) = (state.writes(node), sizes(&state.orders[node]));
        let full = state.written() >= self.setting.depth + 2;
        if full || held[own] < state.logs[own].len() || self.is_gated(state, node) {
            return;
        }
        let view = self.view(state, node);
        let lies = self.setting.faulty && node == 0;
        let mut after = held;
        after[own] = 0;
        for mv in 0..self.moves.len() {
            if view.allows(node, &self.moves[mv]) {
                self.write(state, node, (mv, view.last, after), steps);
            }
            if lies {
                for from in seen(&held) {
                    self.write(state, node, (mv, from, after), steps);
                    self.write(state, node, (mv, from, [0; LOGS]), steps);
                }
            }
        }
    }

    fn write(
        &mut self,
        state: &State,
        node: usize,
        (mv, prev, after): (usize, Place, Sizes),
        steps: &mut Vec<(String, State)>,
    ) {
        let own = state.writes(node);
        let pinned = if own == SECOND { pin(state, &self.entries) } else { 0 };
        let id = self.entries.id(Entry { mv: Some(mv), prev: Some(prev), after, pinned });
        let mut next = state.clone();
        next.logs[own].push(id);
        next.orders[node].push((u8::try_from(own).unwrap(), id));
        self.settle(&mut next, node);
        let what = format!("{} writes {own}: {}", ["A", "B", "C"][node], self.entries.name(id));
        steps.push((what, next));
    }

    fn applies(&mut self, state: &State, node: usize, steps: &mut Vec<(String, State)>) {
        let held = sizes(&state.orders[node]);
        for log in 0..LOGS {
            let Some(id) = state.logs[log].get(held[log]).copied() else { continue };
            let after = self.entries.get(id).after;
            if (0..LOGS).any(|other| other != log && after[other] > held[other]) {
                continue;
            }
            let next_entry = (u8::try_from(log).unwrap(), id);
            if self.setting.rule == Rule::Prev {
                self.entries.apply(&state.orders[node], next_entry);
            }
            let mut next = state.clone();
            next.orders[node].push(next_entry);
            self.settle(&mut next, node);
            let what = format!("{} applies entry {} of {log}", ["A", "B", "C"][node], held[log]);
            steps.push((what, next));
        }
    }

    /// By the real fold the order of arrival is of no importance, so it makes no other state.
    fn settle(&self, state: &mut State, node: usize) {
        if self.setting.rule == Rule::Prev {
            state.orders[node] = sorted(&state.orders[node]);
        }
    }

    fn look(&mut self, at: usize, state: &State) {
        let honest: Vec<usize> = (0..3).filter(|n| !(self.setting.faulty && *n == 0)).collect();
        let views: Vec<(usize, View)> = honest.iter().map(|n| (*n, self.view(state, *n))).collect();
        let may_move =
            |(n, view): &&(usize, View)| view.turn() == Some(*n) && !self.is_gated(state, *n);
        if views.iter().filter(may_move).count() > 1 && self.found.two_writers.is_none() {
            self.found.two_writers = Some(self.trace(at, "two honest cities may move"));
        }
        self.found.second_epochs += u64::from(!state.logs[SECOND].is_empty());
        let complete: Vec<&View> =
            views.iter().filter(|(n, _)| state.is_complete(*n)).map(|(_, v)| v).collect();
        if complete.windows(2).any(|two| two[0] != two[1]) && self.found.diverged.is_none() {
            self.found.diverged = Some(self.trace(at, "all entries applied, two views"));
        }
        let Some(view) = complete.first().filter(|_| complete.len() == honest.len()) else {
            return;
        };
        self.found.handed_over += u64::from(view.turn().is_some_and(|n| n != 0));
        if view.turn().is_none() && !view.has_ended() && self.found.no_way_forward.is_none() {
            self.found.no_way_forward = Some(self.trace(at, "nobody may move"));
        }
        let misfit = view.misfits.iter().any(|(log, _)| honest.contains(&author(*log)));
        if misfit && self.found.honest_misfit.is_none() {
            let what = format!("honest moves without effect: {:?}", view.misfits);
            self.found.honest_misfit = Some(self.trace(at, &what));
        }
    }
}

/// Every place a city has applied.
fn seen(held: &Sizes) -> Vec<Place> {
    (0..LOGS).flat_map(|log| (0..held[log]).map(move |index| (log, index))).collect()
}

/// What the second log pins: once it has been written in, what its first entry says; before that,
/// what the restored copy has.
fn pin(state: &State, entries: &Entries) -> usize {
    let first = state.logs[SECOND].first();
    first.map_or_else(|| sizes(&state.orders[0])[0], |id| entries.get(*id).pinned)
}

/// Every older copy the first city may be put back to: whatever it may once have held, less than
/// it has written. What nobody else holds of its log is gone.
fn restores(state: &State, entries: &Entries, steps: &mut Vec<(String, State)>) {
    let now = sizes(&state.orders[0]);
    for (a, b, c) in (2..=now[0])
        .flat_map(|a| (0..=now[1]).flat_map(move |b| (0..=now[2]).map(move |c| (a, b, c))))
    {
        let kept = [a, b, c, 0];
        if a == state.logs[0].len() || !is_closed(state, entries, &kept) {
            continue;
        }
        let held = (1..3).map(|n| sizes(&state.orders[n])[0]).max().unwrap_or(0).max(a);
        let mut next = state.clone();
        next.restored = true;
        next.logs[0].truncate(held);
        next.orders[0] = (0..3)
            .flat_map(|log| {
                let log_of = u8::try_from(log).unwrap();
                state.logs[log].iter().take(kept[log]).map(move |id| (log_of, *id))
            })
            .collect();
        let what = format!("A is put back to {a}, {b}, {c} entries; {held} of its log are left");
        steps.push((what, next));
    }
}

/// Whether everything the entries of a copy have seen is in it.
fn is_closed(state: &State, entries: &Entries, kept: &Sizes) -> bool {
    (0..LOGS).all(|log| {
        state.logs[log].iter().take(kept[log]).all(|id| {
            let after = entries.get(*id).after;
            (0..LOGS).all(|other| other == log || after[other] <= kept[other])
        })
    })
}
