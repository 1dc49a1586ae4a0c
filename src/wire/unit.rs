//! Units and half days as messages: headers, parts, requests.
//!
//! In scope: reading fields, writing what was read. Out of scope: deciding anything.

use super::case::{parent, wrong};
use super::code::{Code, Read};
use super::error::{WireError, check_count};
use super::facts::{Reading, date_from_pb, date_to_pb, optional_date};
use super::pb::v1 as pb;
use super::pb::v1::entry_header::Event as E;
use super::status::{Refused, bad_fields};
use crate::domain::slots::Cause;
use crate::domain::text::Line;
use crate::domain::unit::{UnitAct, UnitFacts, UnitRecord};
use crate::domain::{
    Date, Department, Event, Half, HalfDay, Invalid, InvalidReason, Period, UnitKind,
};
use crate::ids::{AgreementId, CityCode, Position, SubjectId};
use crate::limits::UNIT_PERIODS_MAX;

/// Reads an event about a unit; [`Event::Newer`] stands in for any other, which the caller has
/// ruled out.
#[expect(clippy::wildcard_enum_match_arm, reason = "the caller lists every event")]
pub(super) fn read_event(reading: &mut Reading, event: &E) -> Result<Event, WireError> {
    Ok(match event {
        E::UnitRegistered(e) => Event::UnitRegistered { facts: facts(reading, e.facts.as_ref())? },
        E::UnitChanged(e) => {
            Event::UnitAct(UnitAct::Changed { facts: facts(reading, e.facts.as_ref())? })
        }
        E::UnitBlocked(e) => {
            Event::UnitAct(UnitAct::Blocked { periods: periods(reading, &e.periods)? })
        }
        E::UnitFreed(e) => {
            Event::UnitAct(UnitAct::Freed { periods: periods(reading, &e.periods)? })
        }
        _ => Event::Newer,
    })
}

fn facts(reading: &mut Reading, facts: Option<&pb::UnitFacts>) -> Result<UnitFacts, WireError> {
    let facts = facts.ok_or(WireError::Missing { field: "facts" })?;
    let department = match Department::read(facts.department) {
        Read::Unset => None,
        Read::Known(_) | Read::Newer => {
            Some(reading.code("facts.department", facts.department, Department::Other)?)
        }
    };
    Ok(UnitFacts {
        kind: reading.code("facts.kind", facts.kind, UnitKind::Officer)?,
        department,
        valid_from: optional_date("facts.valid_from", facts.valid_from.as_ref())?,
        valid_until: optional_date("facts.valid_until", facts.valid_until.as_ref())?,
        retired: facts.retired,
    })
}

fn periods(reading: &mut Reading, periods: &[pb::Period]) -> Result<Vec<Period>, WireError> {
    check_count("periods", periods.len(), UNIT_PERIODS_MAX)?;
    let bad = WireError::BadHeader { field: "periods" };
    let mut half_day = |at: Option<&pb::HalfDay>| -> Result<HalfDay, WireError> {
        let at = at.ok_or(WireError::BadHeader { field: "periods" })?;
        let half = reading.code("periods.half", at.half, Half::Morning)?;
        let on = at.on.as_ref().and_then(date_from_pb);
        Ok(HalfDay { on: on.ok_or(WireError::BadHeader { field: "periods.on" })?, half })
    };
    let mut read = Vec::with_capacity(periods.len());
    for period in periods {
        let (first, last) = (half_day(period.first.as_ref())?, half_day(period.last.as_ref())?);
        read.push((first, last));
    }
    if reading.newer {
        // A half of a day that is in no list: nothing of it is used.
        return Ok(Vec::new());
    }
    let read = read.into_iter().map(|(first, last)| Period::new(first, last));
    read.collect::<Result<_, _>>().map_err(|_| bad)
}

/// Writes facts.
#[must_use]
pub fn facts_to_pb(facts: &UnitFacts) -> pb::UnitFacts {
    pb::UnitFacts {
        kind: facts.kind.number(),
        department: facts.department.map_or(0, |department| department.number()),
        valid_from: facts.valid_from.map(date_to_pb),
        valid_until: facts.valid_until.map(date_to_pb),
        retired: facts.retired,
    }
}

/// Writes what is said of a unit.
pub(super) fn act_to_pb(act: &UnitAct) -> E {
    let periods = |periods: &[Period]| periods.iter().copied().map(period_to_pb).collect();
    match act {
        UnitAct::Changed { facts } => {
            E::UnitChanged(pb::UnitChanged { facts: Some(facts_to_pb(facts)) })
        }
        UnitAct::Blocked { periods: given } => {
            E::UnitBlocked(pb::UnitBlocked { periods: periods(given) })
        }
        UnitAct::Freed { periods: given } => {
            E::UnitFreed(pb::UnitFreed { periods: periods(given) })
        }
    }
}

/// Writes a half day.
#[must_use]
pub fn half_day_to_pb(at: HalfDay) -> pb::HalfDay {
    pb::HalfDay { on: Some(date_to_pb(at.on)), half: at.half.number() }
}

/// Writes a period.
#[must_use]
pub fn period_to_pb(period: Period) -> pb::Period {
    let ends = (half_day_to_pb(period.first()), half_day_to_pb(period.last()));
    pb::Period { first: Some(ends.0), last: Some(ends.1) }
}

/// Reads what goes with a unit.
///
/// # Errors
/// Every wrong field, by its name in the message.
pub fn record_from_pb(record: &pb::UnitRecord) -> Result<UnitRecord, Vec<Invalid>> {
    UnitRecord::parse(&record.number, &record.team)
}

/// Writes what goes with a unit.
#[must_use]
pub fn record_to_pb(record: &UnitRecord) -> pb::UnitRecord {
    pb::UnitRecord {
        number: record.number.as_str().to_owned(),
        team: record.team.as_ref().map_or("", Line::as_str).to_owned(),
    }
}

/// Reads what a request says of a unit; `kind` is the one it has already.
///
/// # Errors
/// [`Refused`] naming every wrong field.
pub fn asked(
    facts: Option<&pb::UnitFacts>,
    record: Option<&pb::UnitRecord>,
    kind: Option<UnitKind>,
) -> Result<(UnitFacts, Box<UnitRecord>), Refused> {
    let given = facts.ok_or_else(|| wrong("facts", InvalidReason::Required))?;
    let kind = match (kind, given.kind) {
        (Some(kind), 0) => kind,
        (None, 0) => return Err(wrong("facts.kind", InvalidReason::Required)),
        (known, number) => match code::<UnitKind>("facts.kind", number)? {
            Some(kind) if known.is_none_or(|known| known == kind) => kind,
            // What it is does not change: a vehicle becomes no drone.
            Some(_) | None => return Err(wrong("facts.kind", InvalidReason::CodeUnknown)),
        },
    };
    if kind == UnitKind::WholeCity {
        return Err(Refused::new("UNIT_WHOLE_CITY").at("facts.kind"));
    }
    let facts = UnitFacts {
        kind,
        department: code("facts.department", given.department)?,
        valid_from: super::case::date("facts.valid_from", given.valid_from.as_ref())?,
        valid_until: super::case::date("facts.valid_until", given.valid_until.as_ref())?,
        retired: given.retired,
    };
    let default = pb::UnitRecord::default();
    let record = record.unwrap_or(&default);
    let record = UnitRecord::parse_for(kind, &record.number, &record.team);
    let at = |wrong: Vec<Invalid>, outer: &'static str| {
        wrong.into_iter().map(move |one| one.at(outer)).collect::<Vec<_>>()
    };
    match (facts.check(), record) {
        (Ok(()), Ok(record)) => Ok((facts, Box::new(record))),
        (facts, record) => {
            let mut all = at(facts.err().unwrap_or_default(), "facts");
            all.extend(at(record.err().unwrap_or_default(), "record"));
            Err(bad_fields(all))
        }
    }
}

/// Reads a code that may be unset.
fn code<T: Code>(field: &str, number: i32) -> Result<Option<T>, Refused> {
    match T::read(number) {
        Read::Known(value) => Ok(Some(value)),
        Read::Unset => Ok(None),
        Read::Newer => Err(wrong(field, InvalidReason::CodeUnknown)),
    }
}

/// Reads a kind that may be unset.
///
/// # Errors
/// [`Refused`] when the code is unknown.
pub fn kind(field: &str, number: i32) -> Result<Option<UnitKind>, Refused> {
    code(field, number)
}

/// Reads a department that may be unset.
///
/// # Errors
/// [`Refused`] when the code is unknown.
pub fn department(field: &str, number: i32) -> Result<Option<Department>, Refused> {
    code(field, number)
}

/// The number of a kind.
#[must_use]
pub fn kind_number(kind: UnitKind) -> i32 {
    kind.number()
}

/// The number of a department, 0 for none.
#[must_use]
pub fn department_number(department: Option<Department>) -> i32 {
    department.map_or(0, |department| department.number())
}

/// Reads the periods of a request.
///
/// # Errors
/// [`Refused`] naming every wrong field.
pub fn asked_periods(given: &[pb::Period]) -> Result<Vec<Period>, Refused> {
    if given.is_empty() {
        return Err(wrong("periods", InvalidReason::Required));
    }
    if given.len() > UNIT_PERIODS_MAX {
        let long = Invalid::with_limit(InvalidReason::ListTooLong, UNIT_PERIODS_MAX);
        return Err(bad_fields(vec![long.at("periods")]));
    }
    let (mut read, mut bad) = (Vec::with_capacity(given.len()), Vec::new());
    for (nth, period) in given.iter().enumerate() {
        match asked_period(period) {
            Ok(period) => read.push(period),
            Err(wrong) => bad.push(wrong.at(&format!("periods[{nth}]"))),
        }
    }
    if bad.is_empty() { Ok(read) } else { Err(bad_fields(bad)) }
}

fn asked_period(period: &pb::Period) -> Result<Period, Invalid> {
    let half_day = |at: Option<&pb::HalfDay>, field: &str| -> Result<HalfDay, Invalid> {
        let at = at.ok_or_else(|| Invalid::from(InvalidReason::Required).at(field))?;
        asked_half_day(at).map_err(|invalid| invalid.at(field))
    };
    let first = half_day(period.first.as_ref(), "first")?;
    let last = half_day(period.last.as_ref(), "last")?;
    Period::new(first, last)
}

/// Reads a half day that is asked for.
///
/// # Errors
/// `REQUIRED`, `DATE_RANGE` or `CODE_UNKNOWN`, naming the half where that is wrong.
pub(super) fn asked_half_day(at: &pb::HalfDay) -> Result<HalfDay, Invalid> {
    let on = at.on.as_ref().ok_or(InvalidReason::Required)?;
    let on = date_from_pb(on).ok_or(InvalidReason::DateRange)?;
    match Half::read(at.half) {
        Read::Known(half) => Ok(HalfDay { on, half }),
        Read::Unset => Err(Invalid::from(InvalidReason::Required).at("half")),
        Read::Newer => Err(Invalid::from(InvalidReason::CodeUnknown).at("half")),
    }
}

/// Reads a half day back, as answers carry it.
#[must_use]
pub fn half_day_from_pb(at: &pb::HalfDay) -> Option<HalfDay> {
    match Half::read(at.half) {
        Read::Known(half) => {
            at.on.as_ref().and_then(date_from_pb).map(|on: Date| HalfDay { on, half })
        }
        Read::Unset | Read::Newer => None,
    }
}

/// Reads a period back, as answers carry it.
#[must_use]
pub fn period_from_pb(period: &pb::Period) -> Option<Period> {
    let (first, last) = (period.first.as_ref()?, period.last.as_ref()?);
    Period::new(half_day_from_pb(first)?, half_day_from_pb(last)?).ok()
}

/// Reads why a window is none, as answers carry it; `None` for what only newer programs know.
#[must_use]
pub fn cause_from_pb(given: &pb::SlotHindrance) -> Option<Cause> {
    let city = || CityCode::from_u32(given.city).ok();
    match given.kind() {
        pb::SlotHindranceKind::Unspecified
        | pb::SlotHindranceKind::DayPast
        | pb::SlotHindranceKind::OutsideTerm => None,
        pb::SlotHindranceKind::RestDay => Some(Cause::RestDay),
        pb::SlotHindranceKind::CityBusy => Some(Cause::CityBusy { city: city()? }),
        pb::SlotHindranceKind::UnitsMissing => Some(Cause::Short {
            city: city()?,
            kind: code("unit_kind", given.unit_kind).ok()??,
            department: code("department", given.department).ok()?,
            missing: given.missing,
        }),
    }
}

/// Reads an etag.
///
/// # Errors
/// `ETAG_REQUIRED`, or `POSITION_FORMAT` for what is none.
pub fn etag(text: &str) -> Result<Position, Refused> {
    if text.is_empty() {
        return Err(Refused::new("ETAG_REQUIRED").at("etag"));
    }
    super::case::position("etag", text)
}

/// The last piece of the name of the calendar of a whole city.
const WHOLE_CITY: &str = "city";

/// Reads `agreements/{agreement}/units/{unit}`; without a unit for the own city as a whole.
///
/// # Errors
/// [`Refused`] `NAME_FORMAT` for anything else.
pub fn name_or_city(text: &str) -> Result<(AgreementId, Option<SubjectId>), Refused> {
    let expected = "agreements/{agreement}/units/{unit}";
    let bad = || Refused::new("NAME_FORMAT").with("expected", expected);
    let (agreement, unit) = text.split_once("/units/").ok_or_else(bad)?;
    let agreement = parent(agreement).map_err(|_| bad())?.ok_or_else(bad)?;
    match unit {
        WHOLE_CITY => Ok((agreement, None)),
        id => Ok((agreement, Some(SubjectId::parse(id).map_err(|_| bad())?))),
    }
}

/// Reads `agreements/{agreement}/units/{unit}`.
///
/// # Errors
/// [`Refused`] `NAME_FORMAT` for anything else.
pub fn name(text: &str) -> Result<(AgreementId, SubjectId), Refused> {
    let expected = "agreements/{agreement}/units/{unit}";
    let bad = || Refused::new("NAME_FORMAT").with("expected", expected);
    match name_or_city(text)? {
        (agreement, Some(subject)) => Ok((agreement, subject)),
        (_, None) => Err(bad()),
    }
}

/// Writes a unit's name.
#[must_use]
pub fn name_of(agreement: AgreementId, subject: SubjectId) -> String {
    format!("agreements/{agreement}/units/{subject}")
}
