//! The roster: every unit in one line with the half days on which it is busy, newest opening first.
//! Kept in memory, and following the feed.
//!
//! Free and busy of a city asks every unit of it for a quarter of a year, and a search for windows
//! those of several cities. From the rows that is some five reads a unit; here it is none. A line
//! takes some 200 bytes and 16 for each stretch of busy half days, and nothing in it was typed by
//! anybody.
//!
//! In scope: the lines, keeping them up to date. Out of scope: counting
//! ([`crate::domain::unit::free_busy`]), what a list takes (`rpc::unit_list`).
//!
//! **Bookings by plans join here**: [`Line::busy`] is what the own city of a unit has blocked and
//! what its plans have booked, of an own unit in all agreements; nobody who asks the roster has to
//! know which is which. What is only held is looked at again when its last day has passed.
//!
//! Busy half days are kept of last year and of the years in which anything may be blocked. A member
//! that breaks the rules may sign blocks of any year; they cost rows, and nothing here.
//!
//! Invariants:
//! 1. After [`Roster::open`] the lines are what [`Line::of`] gives for every unit as of
//!    [`Open::as_of`]. (`f17_dates_on_which_all_cities_can_come`)
//! 2. Lines lie in the order of their openings. (`lines_lie_in_the_order_of_their_openings`)

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::unit::{UnitFacts, calendar};
use crate::domain::{Date, UnitKind};
use crate::ids::{AgreementId, CityCode, SubjectId};
use crate::limits::{UNIT_YEARS_AHEAD_MAX, UNIT_YEARS_BEHIND_MAX};
use crate::log::SubjectKind;
use crate::node::core::unit::likes;
use crate::node::pieces::{self, PIECE};
use crate::node::reader::Reader;
use crate::node::writer::NodeHandle;
use crate::view::{self, ReadRows, UnitView};

/// A unit: its agreement, and its place in it.
pub type UnitKey = (AgreementId, SubjectId);

/// What lists and questions judge a unit by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The unit.
    pub unit: UnitKey,
    /// Apply number of its opening.
    pub opened: u64,
    /// Whose it is.
    pub city: CityCode,
    /// What is known of it.
    pub facts: UnitFacts,
    /// An entry of a newer kind holds it: it counts nowhere.
    pub needs_newer: bool,
    /// When it is busy: first and last half days by their numbers, in order, none touching.
    pub busy: Box<[(i64, i64)]>,
    /// Plans that have it, here or under its other names.
    plans: Box<[SubjectId]>,
    /// The day on which something that only holds it ends first.
    hold_ends: Option<Date>,
}

impl Line {
    /// Of a unit as folded, busy in some years; `own` is the city of this node.
    #[must_use]
    fn of(rows: &impl ReadRows, unit: UnitKey, view: &UnitView, asked: &Asked) -> Self {
        let city = view.unit.city;
        let mut all = view::unit_busy_in(rows, unit, view, asked.years.clone());
        let (mut plans, mut hold_ends) = (BTreeSet::new(), None::<Date>);
        let names = if city == asked.own { likes(rows, unit.0, unit.1) } else { vec![unit] };
        for name in names {
            view::unit_bookings(rows, name, city, &mut |plan, booked| {
                plans.insert(plan);
                if asked.but == Some((name.0, plan)) {
                    return;
                }
                let until = booked.hold_until;
                if until.zip(asked.today).is_none_or(|(until, today)| today <= until) {
                    all.extend(booked.busy);
                    hold_ends = hold_ends.into_iter().chain(until).min();
                }
            });
        }
        all.sort_unstable();
        let mut busy = Vec::new();
        all.into_iter().for_each(|one| calendar::join(&mut busy, one));
        Self {
            unit,
            opened: view.opened_apply,
            city: view.unit.city,
            facts: view.facts,
            needs_newer: view.needs_newer,
            busy: busy.into(),
            plans: plans.into_iter().collect(),
            hold_ends,
        }
    }

    /// The same as if one plan had booked nothing.
    #[must_use]
    pub fn without(&self, plan: UnitKey, node: &NodeHandle) -> Self {
        if !self.plans.contains(&plan.1) {
            return self.clone();
        }
        let (reader, mut asked) = (node.reader(), Asked::of(node));
        asked.but = Some(plan);
        let rows = reader.view();
        let found = view::unit(&rows, self.unit.0, self.unit.1);
        found.map_or_else(|| self.clone(), |view| Self::of(&rows, self.unit, &view, &asked))
    }
}

/// The lines; clones share them.
#[derive(Clone, Default)]
pub struct Roster(Arc<Mutex<Lines>>);

#[derive(Default)]
struct Lines {
    /// The feed it follows; none before the first look.
    feed: Option<[u8; 16]>,
    read_to: u64,
    /// Oldest opening first.
    lines: Vec<Line>,
}

/// The roster while somebody reads it: nobody changes it meanwhile but he.
pub struct Open<'a>(MutexGuard<'a, Lines>);

impl Roster {
    /// Opens it as of now. The first opening walks all units: call it off the threads that serve.
    #[must_use]
    pub fn open(&self, node: &NodeHandle) -> Open<'_> {
        let mut open = Open(self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let (reader, asked) = (node.reader(), Asked::of(node));
        if open.0.feed != Some(reader.feed_id()) {
            open.make(node, &reader);
        }
        while let Some((changes, last)) = pieces::changes(&reader, open.0.read_to) {
            let key = |change: &view::FeedEntry| {
                Some((change.agreement, change.record_of(SubjectKind::Unit)?))
            };
            let mut units: BTreeSet<UnitKey> = changes.iter().filter_map(key).collect();
            units.extend(calendars(&reader, &units));
            let plan = |change: &view::FeedEntry| {
                Some((change.agreement, change.record_of(SubjectKind::Plan)?))
            };
            let plans: BTreeSet<UnitKey> = changes.iter().filter_map(plan).collect();
            units.extend(plans.into_iter().flat_map(|plan| open.units_of_plan(&reader, plan)));
            for unit in units {
                // Released each time: the writer waits for nobody who reads many.
                open.put_all(&reader, &[unit], &asked);
            }
            open.0.read_to = last;
        }
        let ended = |line: &&Line| line.hold_ends.zip(asked.today).is_some_and(|(e, t)| e < t);
        let ended: Vec<UnitKey> = open.0.lines.iter().filter(ended).map(|one| one.unit).collect();
        open.put_all(&reader, &ended, &asked);
        open
    }
}

/// For whom and when lines are made.
struct Asked {
    own: CityCode,
    today: Option<Date>,
    years: RangeInclusive<i32>,
    /// A plan whose bookings are left out.
    but: Option<UnitKey>,
}

impl Asked {
    fn of(node: &NodeHandle) -> Self {
        let today = node.today();
        Self { own: node.city(), today, years: years(today), but: None }
    }
}

/// Every calendar of the cities of which one is among these: what is said of one is of all.
fn calendars(reader: &Reader, units: &BTreeSet<UnitKey>) -> Vec<UnitKey> {
    let mut cities = BTreeSet::new();
    for (agreement, subject) in units {
        let found = view::unit(&reader.view(), *agreement, *subject);
        let whole = found.filter(|found| found.unit.kind == UnitKind::WholeCity);
        cities.extend(whole.map(|found| (*agreement, found.unit.city)));
    }
    let of = |(agreement, city): (AgreementId, CityCode)| {
        let all = view::whole_city(&reader.view(), agreement, city);
        all.into_iter().map(move |subject| (agreement, subject))
    };
    cities.into_iter().flat_map(of).collect()
}

/// The years that questions are about. A block that lies further ahead than any may is not kept;
/// the line of any other one is made anew when it comes.
fn years(today: Option<Date>) -> RangeInclusive<i32> {
    match today {
        Some(today) => {
            today.year() - UNIT_YEARS_BEHIND_MAX..=today.year() + UNIT_YEARS_AHEAD_MAX + 1
        }
        None => 0..=i32::from(u16::MAX),
    }
}

impl Open<'_> {
    fn make(&mut self, node: &NodeHandle, reader: &Reader) {
        let read_to = reader.apply_number(&reader.view());
        *self.0 = Lines { feed: Some(reader.feed_id()), read_to, lines: Vec::new() };
        for (agreement, _) in node.book().iter() {
            let mut behind = None;
            loop {
                let mut piece = Vec::new();
                view::units(&reader.view(), *agreement, behind, &mut |subject, _| {
                    piece.push((*agreement, subject));
                    piece.len() < PIECE
                });
                let Some((_, last)) = piece.last().copied() else { break };
                self.put_all(reader, &piece, &Asked::of(node));
                behind = Some(last);
            }
        }
    }

    /// The units of which a plan may have changed when they are busy: those that have its bookings,
    /// and those that had them, under all their names.
    fn units_of_plan(&self, reader: &Reader, plan: UnitKey) -> BTreeSet<UnitKey> {
        let rows = reader.view();
        let had = self.0.lines.iter().filter(|line| line.plans.contains(&plan.1));
        let mut units: BTreeSet<UnitKey> = had.map(|line| line.unit).collect();
        let cities = view::plan(&rows, plan.0, plan.1).map(|view| {
            let rounds = view.plan.rounds.iter().flat_map(|round| round.cities.clone());
            rounds.collect::<BTreeSet<CityCode>>()
        });
        for city in cities.unwrap_or_default() {
            let booked = view::booked(&rows, plan, city);
            for (unit, _) in booked.into_iter().flat_map(|booked| booked.units) {
                units.extend(likes(&rows, plan.0, unit));
            }
        }
        units
    }

    fn put_all(&mut self, reader: &Reader, units: &[UnitKey], asked: &Asked) {
        let rows = reader.view();
        for unit in units {
            let found = view::unit(&rows, unit.0, unit.1);
            found.inspect(|view| self.put(Line::of(&rows, *unit, view, asked)));
        }
    }

    fn put(&mut self, line: Line) {
        let lines = &mut self.0.lines;
        match lines.binary_search_by_key(&line.opened, |one| one.opened) {
            Ok(place) => {
                if let Some(one) = lines.get_mut(place) {
                    *one = line;
                }
            }
            Err(place) => lines.insert(place, line),
        }
    }

    /// Apply number as of which it is so.
    #[must_use]
    pub fn as_of(&self) -> u64 {
        self.0.read_to
    }

    /// The lines opened before `below`, newest first.
    pub fn newest_first(&self, below: Option<u64>) -> impl Iterator<Item = &Line> {
        let lines = &self.0.lines;
        let end = below.map_or(lines.len(), |at| lines.partition_point(|one| one.opened < at));
        lines.iter().take(end).rev()
    }

    /// The lines of an agreement that count, in the order of their openings.
    pub fn of_agreement(&self, agreement: AgreementId) -> impl Iterator<Item = &Line> {
        self.0.lines.iter().filter(move |line| line.unit.0 == agreement && !line.needs_newer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lie_in_the_order_of_their_openings() {
        let roster = Roster::default();
        let mut open = Open(roster.0.lock().unwrap());
        let line = |opened: u64, busy: &[(i64, i64)]| Line {
            unit: (AgreementId::new([2; 16]), SubjectId::new([u8::try_from(opened).unwrap(); 16])),
            opened,
            city: CityCode::from_u32(371_500).unwrap(),
            facts: UnitFacts::WHOLE_CITY,
            needs_newer: opened == 9,
            busy: busy.into(),
            plans: Box::default(),
            hold_ends: None,
        };
        for opened in [5, 9, 2, 7] {
            open.put(line(opened, &[]));
        }
        open.put(line(7, &[(3, 4)]));
        let opened = |below| open.newest_first(below).map(|one| one.opened).collect::<Vec<_>>();
        assert_eq!(opened(None), [9, 7, 5, 2]);
        assert_eq!((opened(Some(7)), opened(Some(2))), (vec![5, 2], vec![]));
        assert_eq!(*open.newest_first(Some(8)).next().unwrap(), line(7, &[(3, 4)]));
        let counted: Vec<u64> =
            open.of_agreement(AgreementId::new([2; 16])).map(|one| one.opened).collect();
        assert_eq!(counted, [2, 5, 7], "what only newer programs know counts nowhere");
    }
}
