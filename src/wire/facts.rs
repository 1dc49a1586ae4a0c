//! Facts, dates and cities as headers carry them.
//!
//! A header is read by [`Reading`]: a code that is in no list makes it *newer*, anything else that
//! cannot be is a fault of its author's program ([`WireError::BadHeader`]).

use bytes::Bytes;

use super::code::{Code, Read};
use super::error::{WireError, at_field};
use super::pb::v1 as pb;
use crate::domain::Date;
use crate::domain::facts::{BorderDistance, CaseFacts};
use crate::ids::{AgreementId, CityCode, Hash, LogId, Position, SubjectId};
use crate::limits::MEMBERS_MAX;

/// Reads values of one header, and remembers whether any of them is of a newer kind.
#[derive(Default)]
pub(super) struct Reading {
    /// Some code was in no list: nothing that was read may be used as an event.
    pub(super) newer: bool,
}

impl Reading {
    /// A code that must be set. `fallback` stands in for a newer one.
    pub(super) fn code<T: Code>(
        &mut self,
        field: &'static str,
        number: i32,
        fallback: T,
    ) -> Result<T, WireError> {
        match T::read(number) {
            Read::Known(value) => Ok(value),
            Read::Unset => Err(WireError::BadHeader { field }),
            Read::Newer => {
                self.newer = true;
                Ok(fallback)
            }
        }
    }

    pub(super) fn facts(&mut self, facts: &pb::CaseFacts) -> Result<CaseFacts, WireError> {
        use crate::domain::facts::{DataLevel, Medium, Source};
        use crate::domain::violation::Violation;
        if facts.border_distances.len() >= MEMBERS_MAX {
            return Err(WireError::BadHeader { field: "facts.border_distances" });
        }
        let borders = facts.border_distances.iter().map(|border| {
            let city = city("facts.border_distances.city", border.city)?;
            Ok(BorderDistance { city, metres: border.metres })
        });
        Ok(CaseFacts {
            source: self.code("facts.source", facts.source, Source::Complaint)?,
            medium: self.code("facts.medium", facts.medium, Medium::Air)?,
            violation: self.code("facts.violation", facts.violation, Violation::Obstruction)?,
            county_code: Some(facts.county_code).filter(|code| *code != 0),
            discovered_time_ms: facts.discover_time_ms,
            occurred_from: optional_date("facts.occurred_from", facts.occurred_from.as_ref())?,
            occurred_to: optional_date("facts.occurred_to", facts.occurred_to.as_ref())?,
            data_level: self.code("facts.data_level", facts.data_level, DataLevel::General)?,
            borders: borders.collect::<Result<_, _>>()?,
            border_uncertain: facts.border_uncertain,
            belt_exception: facts.belt_exception,
            has_point: facts.has_point,
        })
    }
}

pub(super) fn facts_to_pb(facts: &CaseFacts) -> pb::CaseFacts {
    let border =
        |b: &BorderDistance| pb::BorderDistance { city: b.city.as_u32(), metres: b.metres };
    pb::CaseFacts {
        source: facts.source.number(),
        medium: facts.medium.number(),
        violation: facts.violation.number(),
        county_code: facts.county_code.unwrap_or(0),
        discover_time_ms: facts.discovered_time_ms,
        occurred_from: facts.occurred_from.map(date_to_pb),
        occurred_to: facts.occurred_to.map(date_to_pb),
        data_level: facts.data_level.number(),
        border_distances: facts.borders.iter().map(border).collect(),
        border_uncertain: facts.border_uncertain,
        belt_exception: facts.belt_exception,
        has_point: facts.has_point,
    }
}

pub(super) fn date_to_pb(date: Date) -> pb::Date {
    pb::Date { year: date.year(), month: i32::from(date.month()), day: i32::from(date.day()) }
}

/// The day a message names; `None` when there is no such day.
pub(super) fn date_from_pb(date: &pb::Date) -> Option<Date> {
    let (month, day) = (u8::try_from(date.month).ok()?, u8::try_from(date.day).ok()?);
    Date::new(date.year, month, day).ok()
}

/// A date that must be there.
pub(super) fn date(field: &'static str, date: Option<&pb::Date>) -> Result<Date, WireError> {
    date.and_then(date_from_pb).ok_or(WireError::BadHeader { field })
}

pub(super) fn optional_date(
    field: &'static str,
    given: Option<&pb::Date>,
) -> Result<Option<Date>, WireError> {
    given.map(|given| date(field, Some(given))).transpose()
}

pub(super) fn city(field: &'static str, code: u32) -> Result<CityCode, WireError> {
    at_field(field, CityCode::from_u32(code))
}

pub(super) fn log_id(field: &'static str, bytes: &Bytes) -> Result<LogId, WireError> {
    at_field(field, LogId::from_slice(bytes))
}

pub(super) fn hash(field: &'static str, bytes: &Bytes) -> Result<Hash, WireError> {
    at_field(field, Hash::from_slice(bytes))
}

pub(super) fn agreement_id(field: &'static str, bytes: &Bytes) -> Result<AgreementId, WireError> {
    at_field(field, AgreementId::from_slice(bytes))
}

pub(super) fn subject_id(field: &'static str, bytes: &Bytes) -> Result<SubjectId, WireError> {
    at_field(field, SubjectId::from_slice(bytes))
}

/// A position that must be there.
pub(super) fn position(
    field: &'static str,
    at: Option<&pb::EntryPosition>,
) -> Result<Position, WireError> {
    let at = at.ok_or(WireError::Missing { field })?;
    Ok(Position { log: log_id(field, &at.log_id)?, index: at.index })
}

pub(super) fn position_to_pb(at: Position) -> pb::EntryPosition {
    pb::EntryPosition { log_id: bytes(at.log.as_bytes()), index: at.index }
}

pub(super) fn bytes(of: &[u8]) -> Bytes {
    Bytes::copy_from_slice(of)
}
