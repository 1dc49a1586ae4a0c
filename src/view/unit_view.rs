//! Units, as the rows hold them, and what an entry about one comes to.
//!
//! In scope: folding entries about units, their busy half days year by year. Out of scope: who may
//! say what ([`crate::domain::unit`]), counting ([`crate::domain::unit::free_busy`]).
//!
//! Of all facts of a unit, those of its opening among them, the newest count by (epoch, log,
//! index), and of all entries about one half day the newest one. So the order of arrival changes
//! nothing. A year of a unit is a row of its own: a block rewrites the years it touches, of some
//! hundred bytes each, however long the unit has been there.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::fold::{FoldEntry, What};
use super::keys;
use super::record::{self, Added, Counted, Record};
use super::rows::{ReadRows, Rows, get, put};
use crate::domain::unit::calendar::{self, Run, Year};
use crate::domain::unit::{Unit, UnitAct, UnitFacts, fits, opens};
use crate::domain::{Date, Event, Period, UnitKind};
use crate::ids::{AgreementId, CityCode, Position, SubjectId};
use crate::log::{PartKind, SubjectKind};

/// Where an entry stands, in the order in which entries of one city are newer than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Epoch of its log.
    pub epoch: u64,
    /// The entry.
    pub at: Position,
}

/// A unit as the fold has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitView {
    /// What its opening says.
    pub unit: Unit,
    /// The newest facts.
    pub facts: UnitFacts,
    /// The entry that says them.
    pub facts_at: Place,
    /// The newest entry with a record; none of a whole city.
    pub record_at: Option<Place>,
    /// The entry that opened it.
    pub opened_at: Position,
    /// Clock of its author, milliseconds since 1970-01-01 UTC.
    pub opened_ms: i64,
    /// Clock of the author of the newest facts, milliseconds since 1970-01-01 UTC.
    pub changed_ms: i64,
    /// Entries that did not take effect.
    pub misfit_count: u32,
    /// An entry of a newer kind holds it.
    pub needs_newer: bool,
    /// Apply number of the last entry here.
    pub last_apply: u64,
    /// Apply number of the opening here.
    pub opened_apply: u64,
}

impl UnitView {
    /// Whether it counted on a day that has come, by what is known of it today: it served until it
    /// was said that it does no more.
    #[must_use]
    pub fn counted_on(&self, day: Date) -> bool {
        let since = Date::beijing(self.changed_ms).filter(|_| self.facts.retired);
        let retired = self.facts.retired && since.is_none_or(|since| since <= day);
        UnitFacts { retired, ..self.facts }.counts_on(day)
    }

    /// The record under which its half days lie: all calendars of a city as a whole are one.
    fn calendar(&self, subject: SubjectId) -> SubjectId {
        if self.unit.kind != UnitKind::WholeCity {
            return subject;
        }
        let mut id = *b"city\0\0\0\0\0\0\0\0\0\0\0\0";
        for (to, from) in id.iter_mut().skip(4).zip(self.unit.city.as_u32().to_be_bytes()) {
            *to = from;
        }
        SubjectId::new(id)
    }

    fn change(&mut self, entry: &FoldEntry<'_>, facts: UnitFacts) {
        let place = Place { epoch: entry.epoch, at: entry.envelope.position() };
        if place > self.facts_at {
            (self.facts, self.facts_at) = (facts, place);
            self.changed_ms = entry.envelope.record_time_ms;
        }
        if carries_record(entry) {
            self.record_at = Some(self.record_at.map_or(place, |at| at.max(place)));
        }
    }
}

fn carries_record(entry: &FoldEntry<'_>) -> bool {
    entry.envelope.parts.iter().any(|part| part.kind == PartKind::Unit)
}

/// One year of a unit: the entries that count, and for which half days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct YearRow {
    places: Vec<Place>,
    /// By the number of their place.
    runs: Vec<Run<u16>>,
}

impl YearRow {
    fn of(year: &Year<Place>) -> Self {
        let runs = year.runs();
        let mut places: Vec<Place> = runs.iter().map(|run| run.by).collect();
        places.sort_unstable();
        places.dedup();
        let number = |run: Run<Place>| {
            let by = places.binary_search(&run.by).ok().and_then(|nth| u16::try_from(nth).ok());
            by.map(|by| Run { first: run.first, last: run.last, by, busy: run.busy })
        };
        let runs = runs.into_iter().filter_map(number).collect();
        Self { places, runs }
    }

    fn year(&self, year: i32) -> Year<Place> {
        let place = |run: &Run<u16>| {
            let by = *self.places.get(usize::from(run.by))?;
            Some(Run { first: run.first, last: run.last, by, busy: run.busy })
        };
        Year::of(year, &self.runs.iter().filter_map(place).collect::<Vec<_>>())
    }
}

/// One unit.
#[must_use]
pub fn unit(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    subject: SubjectId,
) -> Option<UnitView> {
    record::read(rows, agreement, subject)
}

/// Walks the units of an agreement in the order of their ids, from behind one of them, until `f`
/// says no.
pub fn units(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    behind: Option<SubjectId>,
    f: &mut dyn FnMut(SubjectId, UnitView) -> bool,
) {
    let mut from = keys::unit(agreement, behind.unwrap_or(SubjectId::new([0; 16])));
    if behind.is_some() {
        from.push(0);
    }
    let mut to = keys::unit(agreement, SubjectId::new([255; 16]));
    to.push(0);
    rows.scan(&from, &to, false, &mut |key, value| {
        let subject = key.last_chunk::<16>().map(|id| SubjectId::new(*id));
        let found = subject.zip(postcard::from_bytes::<UnitView>(value).ok());
        found.is_none_or(|(subject, view)| f(subject, view))
    });
}

/// When a unit is busy by what its city has said: first and last half days by their numbers, in
/// order. What plans have booked stands in rows of its own ([`super::bookings_of`]).
#[must_use]
pub fn unit_busy(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): (AgreementId, SubjectId),
    view: &UnitView,
) -> Vec<(i64, i64)> {
    unit_busy_in(rows, (agreement, subject), view, 0..=i32::from(u16::MAX))
}

/// The same of some years: what a member writes of others is neither read nor kept.
#[must_use]
pub fn unit_busy_in(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): (AgreementId, SubjectId),
    view: &UnitView,
    years: RangeInclusive<i32>,
) -> Vec<(i64, i64)> {
    let mut stretches = Vec::new();
    each_year(rows, (agreement, view.calendar(subject)), years, &mut |year, row: &YearRow| {
        calendar::busy(year, &row.runs).for_each(|one| calendar::join(&mut stretches, one));
    });
    stretches
}

fn each_year(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): (AgreementId, SubjectId),
    years: RangeInclusive<i32>,
    f: &mut dyn FnMut(i32, &YearRow),
) {
    let from = keys::unit_year(agreement, subject, *years.start());
    let mut to = keys::unit_year(agreement, subject, *years.end());
    to.push(0);
    rows.scan(&from, &to, false, &mut |key, value| {
        let row = postcard::from_bytes::<YearRow>(value).ok();
        keys::last_year(key).zip(row).inspect(|(year, row)| f(*year, row));
        true
    });
}

/// What of the years of a unit must be equal everywhere.
pub(super) fn each_year_row(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): (AgreementId, SubjectId),
    view: &UnitView,
    f: &mut dyn FnMut(&[u8], &[u8]),
) {
    let subject = view.calendar(subject);
    let from = keys::unit_year(agreement, subject, 0);
    let to = keys::unit_years_end(agreement, subject);
    rows.scan(&from, &to, false, &mut |key, value| {
        f(key.get(33..).unwrap_or_default(), value);
        true
    });
}

impl Record for UnitView {
    const KIND: SubjectKind = SubjectKind::Unit;

    fn key(agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
        keys::unit(agreement, subject)
    }

    fn opened_key(_: AgreementId, _: u64) -> Option<Vec<u8>> {
        None
    }

    fn open(entry: &FoldEntry<'_>, apply: u64) -> Option<Result<Self, &'static str>> {
        let Event::UnitRegistered { facts } = entry.event else { return None };
        let place = Place { epoch: entry.epoch, at: entry.envelope.position() };
        let fits = opens(facts).map_err(|wrong| wrong.reason());
        Some(fits.map(|()| Self {
            unit: Unit { city: entry.city, kind: facts.kind },
            facts: *facts,
            facts_at: place,
            record_at: carries_record(entry).then_some(place),
            opened_at: place.at,
            opened_ms: entry.envelope.record_time_ms,
            changed_ms: entry.envelope.record_time_ms,
            misfit_count: 0,
            needs_newer: false,
            last_apply: apply,
            opened_apply: apply,
        }))
    }

    fn opened<R: Rows>(&self, rows: &mut R, entry: &FoldEntry<'_>, subject: SubjectId) -> What {
        if self.unit.kind == UnitKind::WholeCity {
            put(rows, keys::whole_city(entry.agreement, entry.city, subject), &());
        }
        What::Other
    }

    fn opened_at(&self) -> Position {
        self.opened_at
    }

    fn counted(&mut self) -> Counted<'_> {
        let Self { misfit_count, needs_newer, last_apply, .. } = self;
        Counted { misfit_count, needs_newer, last_apply }
    }

    fn add<R: Rows>(
        &mut self,
        rows: &mut R,
        entry: &FoldEntry<'_>,
        subject: SubjectId,
    ) -> Option<Added> {
        let Event::UnitAct(act) = entry.event else { return None };
        let fits = fits(&self.unit, entry.city, act).map_err(|wrong| wrong.reason());
        if fits.is_ok() {
            let calendar = self.calendar(subject);
            match act {
                UnitAct::Changed { facts } => self.change(entry, *facts),
                UnitAct::Blocked { periods } => lay(rows, entry, calendar, periods, true),
                UnitAct::Freed { periods } => lay(rows, entry, calendar, periods, false),
            }
        }
        Some(Added::contribution(fits))
    }
}

/// The calendars of a city as a whole, in the order of their ids: one, but for a city that wrote
/// its first block in two of its logs.
#[must_use]
pub fn whole_city(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    city: CityCode,
) -> Vec<SubjectId> {
    let key = |id| keys::whole_city(agreement, city, SubjectId::new([id; 16]));
    let (from, mut to, mut found) = (key(0), key(255), Vec::new());
    to.push(0);
    rows.scan(&from, &to, false, &mut |key, _| {
        found.extend(key.last_chunk::<16>().map(|id| SubjectId::new(*id)));
        true
    });
    found
}

/// Lays an entry over the half days of its periods, year by year.
fn lay<R: Rows>(
    rows: &mut R,
    entry: &FoldEntry<'_>,
    calendar: SubjectId,
    periods: &[Period],
    busy: bool,
) {
    let place = Place { epoch: entry.epoch, at: entry.envelope.position() };
    let mut years: Vec<i32> = periods.iter().copied().flat_map(calendar::years).collect();
    years.sort_unstable();
    years.dedup();
    for year in years {
        let key = keys::unit_year(entry.agreement, calendar, year);
        let mut cells = get::<YearRow>(rows, &key).unwrap_or_default().year(year);
        periods.iter().for_each(|period| cells.lay(*period, place, busy));
        put(rows, key, &YearRow::of(&cells));
    }
}
