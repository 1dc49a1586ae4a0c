//! The roll: what lists judge a case by, one line a case, newest opening first. Kept in memory, and
//! following the feed.
//!
//! A list counts how many cases fit in all. Read from the rows that took 5 µs a case, so that a
//! hundred thousand cases took half a second and were counted only in part; here it takes a few
//! milliseconds. A line takes some 150 bytes, and nothing in it was typed by anybody.
//!
//! In scope: the lines, keeping them up to date. Out of scope: what a list takes
//! (`rpc::case_filter`), pages (`rpc::case_walk`).
//!
//! Invariants:
//! 1. After [`Roll::open`] the lines are what [`Line::of`] gives for every case as of
//!    [`Open::as_of`]. (`totals_are_exact_at_every_moment_of_a_storm`)
//! 2. Lines lie in the order of their openings, which lie beside them.
//!    (`lines_lie_in_the_order_of_their_openings`)

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::{BorderDistance, Campaign, CaseState, Medium};
use crate::ids::{CaseKey, CityCode, Position};
use crate::node::pieces;
use crate::node::reader::Reader;
use crate::node::writer::NodeHandle;
use crate::view::{self, CaseView, FeedEntry, ReadRows};

/// Up to every so many lines, one is looked up by itself: that takes as long as going through them.
const LOOKED_UP_IN: usize = 16;

/// What a list judges a case by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The case.
    pub case: CaseKey,
    /// Apply number of its opening.
    pub opened: u64,
    /// The entry that carries its record.
    pub record_at: Position,
    /// Where it stands.
    pub state: CaseState,
    /// Who opened it.
    pub originating: CityCode,
    /// Who answers for it.
    pub handling: CityCode,
    /// Whose turn it is.
    pub turn: Option<CityCode>,
    /// What is polluted.
    pub medium: Medium,
    /// The county code of its place.
    pub county: Option<u32>,
    /// When it was discovered, milliseconds since 1970-01-01 UTC.
    pub discovered_time_ms: i64,
    /// Its campaigns.
    pub campaigns: Box<[Campaign]>,
    /// How far it is from others.
    pub borders: Borders,
    /// Who is awaited in it, and by whom.
    pub awaited: Box<[(CityCode, CityCode)]>,
}

/// How far a case is from other cities. The first one, mostly the only one, lies in the line
/// itself: a list of what is near a border looks at it in every line, and nowhere else in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Borders {
    first: Option<BorderDistance>,
    others: Box<[BorderDistance]>,
}

impl Borders {
    /// Those a case lists.
    #[must_use]
    pub fn of(all: &[BorderDistance]) -> Self {
        let (first, others) = all.split_first().unzip();
        Self { first: first.copied(), others: others.unwrap_or_default().into() }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &BorderDistance> {
        self.first.iter().chain(&self.others)
    }
}

impl Line {
    /// Of a case as folded in these rows.
    #[must_use]
    pub fn of(rows: &impl ReadRows, case: CaseKey, view: &CaseView) -> Self {
        let awaited = view::awaited(rows, case, view);
        Self {
            case,
            opened: view.opened_apply,
            record_at: view.record_at,
            state: view.case.state,
            originating: view.case.originating,
            handling: view.case.handling,
            turn: view.case.turn,
            medium: view.case.facts.medium,
            county: view.case.facts.county_code,
            discovered_time_ms: view.case.facts.discovered_time_ms,
            campaigns: view.campaigns().collect(),
            borders: Borders::of(&view.case.facts.borders),
            awaited: awaited.iter().map(|one| (one.city, one.by)).collect(),
        }
    }
}

/// The lines; clones share them.
#[derive(Clone, Default)]
pub struct Roll(Arc<Mutex<Lines>>);

#[derive(Default)]
struct Lines {
    /// The feed it follows; none before the first look.
    feed: Option<[u8; 16]>,
    read_to: u64,
    /// Oldest opening first.
    lines: Vec<Line>,
    /// The openings of the lines, in the same order: one of them is found among these without a
    /// look at a dozen lines, each of which lies elsewhere in memory.
    openings: Vec<u64>,
}

/// The roll while somebody reads it: nobody changes it meanwhile but he.
pub struct Open<'a>(MutexGuard<'a, Lines>);

impl Roll {
    /// Opens it as of now. The first opening walks all cases: call it off the threads that serve.
    #[must_use]
    pub fn open(&self, node: &NodeHandle) -> Open<'_> {
        let mut open = Open(self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let reader = node.reader();
        if open.0.feed != Some(reader.feed_id()) {
            open.make(node, &reader);
        }
        while let Some((changes, last)) = pieces::changes(&reader, open.0.read_to) {
            let cases: BTreeSet<CaseKey> = changes.iter().filter_map(case_of).collect();
            for case in cases {
                // Released each time: the writer waits for nobody who reads many.
                let rows = reader.view();
                let found = view::case(&rows, case.0, case.1);
                let line = found.map(|view| Line::of(&rows, case, &view));
                drop(rows);
                line.map(|line| open.put(line));
            }
            open.0.read_to = last;
        }
        open
    }
}

/// The case that a change is about.
#[must_use]
pub fn case_of(change: &FeedEntry) -> Option<CaseKey> {
    Some((change.agreement, change.case()?))
}

impl Open<'_> {
    fn make(&mut self, node: &NodeHandle, reader: &Reader) {
        let read_to = reader.apply_number(&reader.view());
        let mut lines = Vec::new();
        for (agreement, _) in node.book().iter() {
            pieces::cases(reader, *agreement, &mut |subject| {
                let case = (*agreement, subject);
                let rows = reader.view();
                let found = view::case(&rows, *agreement, subject);
                lines.extend(found.map(|view| Line::of(&rows, case, &view)));
                true
            });
        }
        lines.sort_unstable_by_key(|line: &Line| line.opened);
        let openings = lines.iter().map(|line| line.opened).collect();
        *self.0 = Lines { feed: Some(reader.feed_id()), read_to, lines, openings };
    }

    /// Apply number as of which it is so.
    #[must_use]
    pub fn as_of(&self) -> u64 {
        self.0.read_to
    }

    /// The lines opened before `below`, newest first.
    pub fn newest_first(&self, below: Option<u64>) -> impl Iterator<Item = &Line> {
        let Lines { lines, openings, .. } = &*self.0;
        let end = below.map_or(lines.len(), |at| openings.partition_point(|one| *one < at));
        lines.iter().take(end).rev()
    }

    /// Of the lines opened before `below`, those whose openings are `named`, newest first as these.
    /// Few are looked up one by one, many come by as all are gone through.
    pub fn named(&self, named: Vec<u64>, below: Option<u64>) -> Vec<&Line> {
        if named.len() > self.0.lines.len() / LOOKED_UP_IN {
            let mut named = named.into_iter().peekable();
            let is_named = |line: &&Line| {
                while named.next_if(|newer| *newer > line.opened).is_some() {}
                named.next_if_eq(&line.opened).is_some()
            };
            return self.newest_first(below).filter(is_named).collect();
        }
        let Lines { lines, openings, .. } = &*self.0;
        let named = named.into_iter().filter(|opened| below.is_none_or(|below| *opened < below));
        let places = named.filter_map(|at| openings.binary_search(&at).ok());
        places.filter_map(|place| lines.get(place)).collect()
    }

    /// Takes in how a case stands; returns how it stood.
    pub fn put(&mut self, line: Line) -> Option<Line> {
        let Lines { lines, openings, .. } = &mut *self.0;
        match openings.binary_search(&line.opened) {
            Ok(place) => lines.get_mut(place).map(|one| std::mem::replace(one, line)),
            Err(place) => {
                openings.insert(place, line.opened);
                lines.insert(place, line);
                None
            }
        }
    }

    /// Everything up to this apply number was put.
    pub fn is_as_of(&mut self, apply: u64) {
        self.0.read_to = apply;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AgreementId, LogId};

    fn line(opened: u64, state: CaseState) -> Line {
        let city = CityCode::from_u32(371_500).unwrap();
        let at = Position { log: LogId::new([1; 32]), index: opened };
        Line {
            case: (AgreementId::new([2; 16]), crate::log::subject_id(at)),
            opened,
            record_at: at,
            state,
            originating: city,
            handling: city,
            turn: Some(city),
            medium: Medium::Water,
            county: None,
            discovered_time_ms: 0,
            campaigns: Box::default(),
            borders: Borders::default(),
            awaited: Box::default(),
        }
    }

    #[test]
    fn lines_lie_in_the_order_of_their_openings() {
        let roll = Roll::default();
        let mut open = Open(roll.0.lock().unwrap());
        for opened in [5, 9, 2, 7] {
            assert_eq!(open.put(line(opened, CaseState::ClueReported)), None);
        }
        let before = open.put(line(7, CaseState::Filed));
        assert_eq!(before, Some(line(7, CaseState::ClueReported)));
        let opened = |below| open.newest_first(below).map(|one| one.opened).collect::<Vec<_>>();
        assert_eq!(opened(None), [9, 7, 5, 2]);
        assert_eq!((opened(Some(7)), opened(Some(2))), (vec![5, 2], vec![]));
        assert_eq!(open.newest_first(Some(8)).next().unwrap().state, CaseState::Filed);
    }

    #[test]
    fn named_lines_are_the_same_however_many_are_named() {
        let roll = Roll::default();
        let mut open = Open(roll.0.lock().unwrap());
        for opened in (0..1_000).map(|nth| nth * 3) {
            open.put(line(opened, CaseState::Filed));
        }
        for step in [1, 3, 7, 100, 999] {
            // Some of them are of no case.
            let named: Vec<u64> = (0..3_100).rev().step_by(step).collect();
            for below in [None, Some(0), Some(1_500), Some(1_501)] {
                let all = open.newest_first(below).filter(|one| named.contains(&one.opened));
                let all: Vec<&Line> = all.collect();
                assert_eq!(open.named(named.clone(), below), all, "{step} {below:?}");
            }
        }
    }

    #[test]
    fn the_borders_of_a_line_are_those_of_its_case() {
        let city = |code| CityCode::from_u32(code).unwrap();
        let border = |(code, metres)| BorderDistance { city: city(code), metres };
        let all = [(130_400, 7), (410_900, 90), (371_400, 0)].map(border);
        for count in 0..=3 {
            let borders = Borders::of(&all[..count]);
            assert_eq!(borders.iter().copied().collect::<Vec<_>>(), all[..count]);
        }
    }
}
