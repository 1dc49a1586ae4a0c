//! When all cities can come: the earliest windows in which every participant can field what a
//! joint action needs, and why earlier ones fail.
//!
//! A window is half days one after the other, and on each of them as many units are free as a city
//! is to bring: as a plan is judged, other ones may come each half day. Of a window is said which
//! cities need that, and whoever wants the same units all along asks for it
//! ([`Search::same_units`]): an officer who is busy in the middle then does not count. A need that
//! names a department takes only units of that department; one that names none takes what the
//! others leave. So who can do most is asked last, and no cleverer assignment can field more. A
//! window has no rest day in it unless overtime is allowed. Days of a year whose notice is not
//! known are never taken for Monday to Friday: a window with such a day is *provisional*.
//!
//! In scope: the search, over sets of bits. Out of scope: who is busy (the caller asks blocks and
//! bookings), who is sent (each city says so when it confirms).
//!
//! Invariants:
//! 1. What is found is what trying everything finds. (`a_brute_force_finds_the_same`)
//! 2. Every start before the last window found is a window or has a reason.
//!    (`a_brute_force_finds_the_same`)
//! 3. An unknown year makes a window provisional, also on a Sunday.
//!    (`an_unknown_year_is_provisional_also_on_a_sunday`)

mod set;

use std::collections::BTreeMap;

pub use set::{HalfDaySet, Horizon};

use super::calendar::{DayKind, WorkCalendar};
use super::code::{Language, Words};
use super::date::Date;
use super::department::Department;
use super::half_day::{Half, HalfDay, Period};
use super::invalid::{Invalid, InvalidReason};
use super::unit_kind::UnitKind;
use crate::ids::CityCode;
use crate::limits::{MEMBERS_MAX, PLAN_NEED_COUNT_MAX, PLAN_NEEDS_MAX, SLOT_WINDOWS_MAX};

/// How long a window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Length {
    /// So many half days; it may begin in a morning or an afternoon.
    HalfDays(usize),
    /// So many whole days; it begins in a morning.
    Days(usize),
}

impl Length {
    /// In half days, and how many of them lie between two starts.
    #[must_use]
    pub const fn half_days(self) -> (usize, usize) {
        match self {
            Self::HalfDays(count) => (count, 1),
            Self::Days(count) => (count.saturating_mul(2), 2),
        }
    }
}

/// So many units of a kind, of one department or of any.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Need {
    /// What.
    pub kind: UnitKind,
    /// Of which department; any when absent.
    pub department: Option<Department>,
    /// How many, 1 to [`PLAN_NEED_COUNT_MAX`].
    pub count: u32,
}

/// A unit that may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// What it is.
    pub kind: UnitKind,
    /// Whose.
    pub department: Department,
    /// First day its certificate is valid, if it has one.
    pub valid_from: Option<Date>,
    /// Last day its certificate is valid.
    pub valid_until: Option<Date>,
    /// It does not serve any more.
    pub retired: bool,
    /// When it is busy.
    pub busy: HalfDaySet,
}

/// A city that is to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Which.
    pub city: CityCode,
    /// What it is to bring, at most [`PLAN_NEEDS_MAX`] needs.
    pub needs: Vec<Need>,
    /// What it has.
    pub units: Vec<Unit>,
    /// When it is busy as a whole.
    pub busy: HalfDaySet,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// Which days are worked.
    pub calendar: &'a WorkCalendar,
    /// Between which days, both of them in it.
    pub horizon: Horizon,
    /// How long.
    pub length: Length,
    /// Rest days will do.
    pub overtime: bool,
    /// The units of a city are the same on all half days of a window.
    pub same_units: bool,
    /// How many windows at most, 1 to [`SLOT_WINDOWS_MAX`].
    pub windows: usize,
    /// Who is to come.
    pub participants: &'a [Participant],
}

/// Half days in which all can come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Which.
    pub period: Period,
    /// Some day of it is of a year whose notice is not known.
    pub provisional: bool,
    /// Rest days in it, ascending; they need the overtime flag.
    pub rest_days: Vec<Date>,
    /// Cities that cannot come with the same units all along, in their order.
    pub in_shifts: Vec<CityCode>,
}

/// Why a window is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// A rest day lies in it.
    RestDay,
    /// A city is busy as a whole.
    CityBusy {
        /// Which.
        city: CityCode,
    },
    /// A city has too few units that are free, on some half day or all along, as was asked.
    Short {
        /// Which.
        city: CityCode,
        /// Of what.
        kind: UnitKind,
        /// Of which department, if the need names one.
        department: Option<Department>,
        /// How many are missing: for the whole window, or on the half day on which most are.
        missing: u32,
    },
}

impl Cause {
    /// For people: `邯郸缺执法人员2名`.
    #[must_use]
    pub fn explain(self, language: Language, city: &dyn Fn(CityCode) -> String) -> String {
        match (self, language) {
            (Self::RestDay, Language::Zh) => "为休息日".to_owned(),
            (Self::RestDay, Language::En) => "is a rest day".to_owned(),
            (Self::CityBusy { city: who }, Language::Zh) => format!("{}全市无法安排", city(who)),
            (Self::CityBusy { city: who }, Language::En) => {
                format!("{} is busy as a whole", city(who))
            }
            (Self::Short { city: who, kind, department, missing }, Language::Zh) => {
                let of = department.map_or("", |department| department.zh());
                format!("{}缺{of}{}", city(who), kind.counted(missing, language))
            }
            (Self::Short { city: who, kind, department, missing }, Language::En) => {
                let of = department.map_or(String::new(), |d| format!(" of {}", d.en()));
                format!("{} is short of {}{of}", city(who), kind.counted(missing, language))
            }
        }
    }
}

/// Why no window begins here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where it would begin.
    pub start: HalfDay,
    /// The first half day of it at which one of the causes shows.
    pub at: HalfDay,
    /// Why: the rest day alone, or everything that the cities lack, in their order.
    pub causes: Vec<Cause>,
}

/// What a search has found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slots {
    /// The earliest windows, ascending.
    pub windows: Vec<Window>,
    /// Of every earlier start that is no window, ascending; of all starts when there are fewer
    /// windows than asked for.
    pub failures: Vec<Failure>,
}

/// Failures with the same causes, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureRun {
    /// The first start.
    pub first: HalfDay,
    /// The last start.
    pub last: HalfDay,
    /// The first half day at which the first of them fails.
    pub at: HalfDay,
    /// Why.
    pub causes: Vec<Cause>,
}

impl Slots {
    /// The failures, those of neighbouring starts that have the same causes as one.
    #[must_use]
    pub fn failure_runs(&self) -> Vec<FailureRun> {
        let mut runs: Vec<FailureRun> = Vec::new();
        for Failure { start, at, causes } in &self.failures {
            let between =
                |last| self.windows.iter().any(|w| (last..*start).contains(&w.period.first()));
            match runs.last_mut() {
                Some(run) if run.causes == *causes && !between(run.last) => run.last = *start,
                Some(_) | None => runs.push(FailureRun {
                    first: *start,
                    last: *start,
                    at: *at,
                    causes: causes.clone(),
                }),
            }
        }
        runs
    }
}

/// Searches.
///
/// # Errors
/// [`Invalid`] with the field of [`Search`] that is wrong.
pub fn find(search: &Search<'_>) -> Result<Slots, Invalid> {
    check(search)?;
    let (length, step) = search.length.half_days();
    let days = Days::of(search);
    let cities: Vec<Fielded> =
        search.participants.iter().map(|one| Fielded::of(one, search.horizon, length)).collect();
    let mut found = Slots::default();
    let starts = (0..=search.horizon.half_day_count() - length).step_by(step);
    for start in starts {
        let half_day = |place| search.horizon.half_day(place);
        let (Some(first), Some(last)) = (half_day(start), half_day(start + length - 1)) else {
            continue;
        };
        let failing = match days.rest.first_in(start, length) {
            Some(at) if !search.overtime => Some((at, vec![Cause::RestDay])),
            Some(_) | None => lacking(&cities, (start, length), search.same_units),
        };
        match failing {
            Some((at, causes)) => {
                let at = half_day(at).unwrap_or(first);
                found.failures.push(Failure { start: first, at, causes });
            }
            None => {
                let period = Period::new(first, last)?;
                let worn = |at: &HalfDay| days.rest.has(search.horizon.place(*at));
                let rest = period.half_days().filter(worn).map(|at| at.on);
                let mut rest_days: Vec<Date> = rest.collect();
                rest_days.dedup();
                let provisional = days.unknown.first_in(start, length).is_some();
                let changes = |one: &&Fielded| !one.short_all_along(start).is_empty();
                let in_shifts = cities.iter().filter(changes).map(|one| one.city).collect();
                found.windows.push(Window { period, provisional, rest_days, in_shifts });
            }
        }
        if found.windows.len() == search.windows {
            break;
        }
    }
    Ok(found)
}

fn check(search: &Search<'_>) -> Result<(), Invalid> {
    let range =
        |field: &str, limit| Invalid::with_limit(InvalidReason::OutOfRange, limit).at(field);
    let most = search.horizon.half_day_count();
    let (length, step) = search.length.half_days();
    if !(1..=most).contains(&length) {
        return Err(range("length", most / step));
    }
    if !(1..=SLOT_WINDOWS_MAX).contains(&search.windows) {
        return Err(range("windows", SLOT_WINDOWS_MAX));
    }
    if search.participants.is_empty() {
        return Err(Invalid::from(InvalidReason::Required).at("participants"));
    }
    if search.participants.len() > MEMBERS_MAX {
        return Err(Invalid::with_limit(InvalidReason::ListTooLong, MEMBERS_MAX).at("participants"));
    }
    for (at, participant) in search.participants.iter().enumerate() {
        let here = format!("participants[{at}]");
        let twice = search.participants.iter().take(at).any(|one| one.city == participant.city);
        if twice {
            return Err(Invalid::from(InvalidReason::Duplicate).at("city").at(&here));
        }
        check_needs(&participant.needs).map_err(|wrong| wrong.at(&here))?;
    }
    Ok(())
}

/// Whether needs are few, of things that are counted, and each of at least one.
///
/// # Errors
/// [`Invalid`] with the place of the wrong one.
pub fn check_needs(needs: &[Need]) -> Result<(), Invalid> {
    if needs.len() > PLAN_NEEDS_MAX {
        return Err(Invalid::with_limit(InvalidReason::ListTooLong, PLAN_NEEDS_MAX).at("needs"));
    }
    for (at, need) in needs.iter().enumerate() {
        let place = |wrong: Invalid, field: &str| wrong.at(field).at(&format!("needs[{at}]"));
        if !UnitKind::COUNTED.contains(&need.kind) {
            return Err(place(InvalidReason::CodeUnknown.into(), "kind"));
        }
        if !(1..=PLAN_NEED_COUNT_MAX).contains(&need.count) {
            let most = usize::try_from(PLAN_NEED_COUNT_MAX).unwrap_or(usize::MAX);
            return Err(place(Invalid::with_limit(InvalidReason::OutOfRange, most), "count"));
        }
        let same = |other: &Need| (other.kind, other.department) == (need.kind, need.department);
        if needs.iter().take(at).any(same) {
            return Err(place(InvalidReason::Duplicate.into(), "department"));
        }
    }
    Ok(())
}

/// What is known of the days.
struct Days {
    rest: HalfDaySet,
    unknown: HalfDaySet,
}

impl Days {
    fn of(search: &Search<'_>) -> Self {
        let mut days = Self { rest: HalfDaySet::EMPTY, unknown: HalfDaySet::EMPTY };
        for place in 0..search.horizon.half_day_count() {
            let Some(at) = search.horizon.half_day(place) else { continue };
            match search.calendar.day(at.on) {
                DayKind::Workday => {}
                DayKind::DayOff => days.rest.insert(place),
                DayKind::Unknown => days.unknown.insert(place),
            }
        }
        days
    }
}

/// A need, and where each unit that may serve it is free.
struct Seat {
    need: Need,
    /// For each unit: the half days it is free.
    free: Vec<HalfDaySet>,
    /// For each unit: the places at which a window may begin.
    starts: Vec<HalfDaySet>,
}

/// What a city can field.
struct Fielded {
    city: CityCode,
    busy: HalfDaySet,
    seats: Vec<Seat>,
    /// The half days on which it is short of something.
    short_on: HalfDaySet,
}

impl Fielded {
    fn of(one: &Participant, horizon: Horizon, length: usize) -> Self {
        let seat = |need: &Need| {
            let may = |unit: &&Unit| {
                unit.kind == need.kind
                    && need.department.is_none_or(|department| department == unit.department)
            };
            let free = |unit: &Unit| free_of(unit, horizon);
            let free: Vec<HalfDaySet> = one.units.iter().filter(may).map(free).collect();
            let starts = free.iter().map(|set| set.runs_of(length)).collect();
            Seat { need: *need, free, starts }
        };
        let seats = one.needs.iter().map(seat).collect();
        let mut fielded =
            Self { city: one.city, busy: one.busy, seats, short_on: HalfDaySet::EMPTY };
        for place in 0..horizon.half_day_count() {
            if !fielded.short(&|free, _| free.has(place)).is_empty() {
                fielded.short_on.insert(place);
            }
        }
        fielded
    }

    /// What is missing when the same units come over the whole of a window.
    fn short_all_along(&self, start: usize) -> Vec<(Need, u32)> {
        self.short(&|_, starts| starts.has(start))
    }

    /// What is missing on the half days of a window: of each need the most.
    fn short_on_some(&self, start: usize, length: usize) -> Vec<(Need, u32)> {
        let mut most: BTreeMap<Need, u32> = BTreeMap::new();
        for place in (start..start + length).filter(|place| self.short_on.has(*place)) {
            for (need, missing) in self.short(&|free, _| free.has(place)) {
                let known = most.entry(need).or_default();
                *known = missing.max(*known);
            }
        }
        let of = |seat: &Seat| most.get(&seat.need).map(|missing| (seat.need, *missing));
        self.seats.iter().filter_map(of).collect()
    }

    /// Which needs are not met by the units for which `serves` holds, and by how much.
    fn short(&self, serves: &dyn Fn(&HalfDaySet, &HalfDaySet) -> bool) -> Vec<(Need, u32)> {
        let there = |seat: &Seat| {
            let sets = seat.free.iter().zip(&seat.starts);
            let count = sets.filter(|(free, starts)| serves(free, starts)).count();
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        let counted: Vec<(Need, u32)> = self.seats.iter().map(|s| (s.need, there(s))).collect();
        missing(&counted)
    }

    /// The first half day at which a window from here fails; it is known to fail.
    fn fails_at(&self, start: usize, length: usize) -> usize {
        let fails = |end: &usize| {
            let part = HalfDaySet::span(start, *end);
            !self.short(&|free, _| free.covers(part)).is_empty()
        };
        // What is short over a part is short over the whole, so halving finds the first one.
        let (mut works, mut fails_by) = (0, length);
        while fails_by - works > 1 {
            let middle = works + (fails_by - works) / 2;
            if fails(&middle) { fails_by = middle } else { works = middle }
        }
        start + fails_by - 1
    }
}

/// What the cities lack for a window, and where it first shows; `None` when all can come.
fn lacking(
    cities: &[Fielded],
    (start, length): (usize, usize),
    same_units: bool,
) -> Option<(usize, Vec<Cause>)> {
    let (mut causes, mut at) = (Vec::new(), usize::MAX);
    for one in cities {
        let city = one.city;
        if let Some(busy) = one.busy.first_in(start, length) {
            causes.push(Cause::CityBusy { city });
            at = at.min(busy);
            continue;
        }
        let (short, fails_at) = match (same_units, one.short_on.first_in(start, length)) {
            (true, _) => (one.short_all_along(start), None),
            (false, Some(place)) => (one.short_on_some(start, length), Some(place)),
            (false, None) => continue,
        };
        if !short.is_empty() {
            at = at.min(fails_at.unwrap_or_else(|| one.fails_at(start, length)));
        }
        causes.extend(short.into_iter().map(|(Need { kind, department, .. }, missing)| {
            Cause::Short { city, kind, department, missing }
        }));
    }
    if causes.is_empty() { None } else { Some((at, causes)) }
}

/// Which needs are not met, and by how much, when so many units may serve each of them.
#[must_use]
pub fn missing(counted: &[(Need, u32)]) -> Vec<(Need, u32)> {
    // Those that a department's own needs take are not there for a need of any department.
    let taken = |kind: UnitKind| -> u32 {
        let own = |(need, _): &&(Need, u32)| need.kind == kind && need.department.is_some();
        counted.iter().filter(own).map(|(need, there)| need.count.min(*there)).sum()
    };
    let lacks = |(need, there): &(Need, u32)| {
        let left = match need.department {
            Some(_) => *there,
            None => there.saturating_sub(taken(need.kind)),
        };
        (*need, need.count.saturating_sub(left))
    };
    counted.iter().map(lacks).filter(|(_, missing)| *missing > 0).collect()
}

/// When a unit is free: it serves, its certificate is valid, nothing is booked.
fn free_of(unit: &Unit, horizon: Horizon) -> HalfDaySet {
    if unit.retired {
        return HalfDaySet::EMPTY;
    }
    let first = unit.valid_from.map(|on| horizon.place(HalfDay::morning(on)));
    let behind = unit
        .valid_until
        .map(|on| horizon.place(HalfDay { on, half: Half::Afternoon }).saturating_add(1));
    let (first, behind) = (first.unwrap_or(0), behind.unwrap_or(i64::MAX));
    horizon.between(first, behind).without(unit.busy)
}

#[cfg(test)]
mod tests;
