//! P4 for units: what a process shows of a unit is what the set of its applied entries comes to, by
//! the rule written down a second time: an opening has what its kind needs, or opens nothing; only
//! its own city says anything of a unit; of all facts those at the highest (epoch, log, index)
//! count, and of each half day the entry at the highest place, over all calendars of a whole city.

use std::collections::{BTreeMap, BTreeSet};

use liandong::domain::{Event, UnitAct, UnitFacts, UnitKind};
use liandong::ids::{CityCode, Position, SubjectId};
use liandong::log::{SubjectKind, subject_id};
use liandong::view;

use super::Checks;
use super::fold::Known;
use crate::sim::cast::Cast;
use crate::sim::node::Node;
use crate::sim::tally::{State, Tally};

type Place = (u64, Position);

/// What the entries about a unit come to.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    facts: UnitFacts,
    at: Position,
    misfits: u32,
}

impl Checks {
    /// Compares the units of an agreement with its applied entries.
    pub(super) fn units_anew(
        &mut self,
        cast: &Cast,
        (at, node): (usize, &Node),
        pact: usize,
        known: &BTreeMap<Position, Known>,
        tally: &mut Tally,
    ) {
        let rows = node.reader.as_ref().unwrap().view();
        let agreement = cast.pacts[pact].id;
        let whole = whole_cities(known);
        for (opening, opener) in known {
            let Event::UnitRegistered { facts } = &opener.event else { continue };
            let opens = opener.envelope.subject.id.is_none();
            if opener.envelope.subject.kind != SubjectKind::Unit || !opens {
                continue;
            }
            let subject = subject_id(*opening);
            let shown = view::unit(&rows, agreement, subject);
            if shown.is_some() != is_valid(facts) {
                return self.fail(format!("P4 {at}: unit {subject}: {facts:?}, shown {shown:?}"));
            }
            let Some(shown) = shown else { continue };
            let (told, own) = told(known, (*opening, opener), subject);
            let got =
                Told { facts: shown.facts, at: shown.facts_at.at, misfits: shown.misfit_count };
            if got != told {
                return self.fail(format!("P4 {at}: unit {subject}: {got:?}, not {told:?}"));
            }
            let cells = match facts.kind {
                UnitKind::WholeCity => whole.get(&opener.city).cloned().unwrap_or_default(),
                _ => own,
            };
            let busy: BTreeSet<i64> =
                cells.iter().filter(|(_, (_, busy))| *busy).map(|(at, _)| *at).collect();
            let stretches = view::unit_busy(&rows, (agreement, subject), &shown);
            let shown: BTreeSet<i64> =
                stretches.iter().flat_map(|(first, last)| *first..=*last).collect();
            if shown != busy {
                let odd: Vec<_> = shown.symmetric_difference(&busy).collect();
                return self.fail(format!("P4 {at}: unit {subject}: half days {odd:?}"));
            }
            if cells.values().any(|(_, busy)| !*busy) && !busy.is_empty() {
                tally.reached(State::UnitFreed);
            }
        }
    }
}

fn is_valid(facts: &UnitFacts) -> bool {
    if facts.kind == UnitKind::WholeCity {
        return *facts == UnitFacts::WHOLE_CITY;
    }
    let dates = facts.valid_from.zip(facts.valid_until);
    let certified = facts.kind != UnitKind::Officer || dates.is_some();
    facts.department.is_some() && certified && dates.is_none_or(|(from, until)| from <= until)
}

/// By half day, the entry that counts, and whether it says busy.
type Cells = BTreeMap<i64, (Place, bool)>;

fn told(
    known: &BTreeMap<Position, Known>,
    (opening, opener): (Position, &Known),
    subject: SubjectId,
) -> (Told, Cells) {
    let Event::UnitRegistered { facts } = &opener.event else { unreachable!() };
    let (mut newest, mut cells, mut misfits) = (((opener.epoch, opening), *facts), Cells::new(), 0);
    for (at, entry) in known {
        let about = entry.envelope.subject;
        let same = about.kind == SubjectKind::Unit && about.id == Some(subject);
        if !same || !entry.saw(opening) || entry.event == Event::Newer {
            continue;
        }
        let (mine, place) = (entry.city == opener.city, (entry.epoch, *at));
        match &entry.event {
            Event::UnitAct(UnitAct::Changed { facts: other })
                if mine && other.kind == facts.kind && is_valid(other) =>
            {
                newest = newest.max_by_place((place, *other));
            }
            Event::UnitAct(UnitAct::Blocked { periods }) if mine => {
                lay(&mut cells, periods, place, true)
            }
            Event::UnitAct(UnitAct::Freed { periods }) if mine => {
                lay(&mut cells, periods, place, false)
            }
            _ => misfits += 1,
        }
    }
    (Told { facts: newest.1, at: newest.0.1, misfits }, cells)
}

trait ByPlace {
    fn max_by_place(self, other: Self) -> Self;
}

impl ByPlace for (Place, UnitFacts) {
    fn max_by_place(self, other: Self) -> Self {
        if other.0 > self.0 { other } else { self }
    }
}

fn lay(cells: &mut Cells, periods: &[liandong::domain::Period], place: Place, busy: bool) {
    for at in periods.iter().flat_map(|period| period.half_days()) {
        let cell = cells.entry(at.number()).or_insert((place, busy));
        if place > cell.0 {
            *cell = (place, busy);
        }
    }
}

/// The half days of every city as a whole, over all calendars it has opened.
fn whole_cities(known: &BTreeMap<Position, Known>) -> BTreeMap<CityCode, Cells> {
    let mut all: BTreeMap<CityCode, Cells> = BTreeMap::new();
    for (opening, opener) in known {
        let Event::UnitRegistered { facts } = &opener.event else { continue };
        let opens = opener.envelope.subject.id.is_none();
        if *facts != UnitFacts::WHOLE_CITY || !opens {
            continue;
        }
        let (_, cells) = told(known, (*opening, opener), subject_id(*opening));
        let city = all.entry(opener.city).or_default();
        for (at, (place, busy)) in cells {
            let cell = city.entry(at).or_insert((place, busy));
            if place > cell.0 {
                *cell = (place, busy);
            }
        }
    }
    all
}
