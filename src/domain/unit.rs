//! Units (执法力量): officers, vehicles, drones and boats that joint actions are staffed with, and
//! the half days on which they are busy.
//!
//! In scope: what is known of a unit, who may register, change, block and free it. Out of scope:
//! which of several entries about one half day counts ([`calendar`]), how many are free on a day
//! ([`free_busy`]), on which days all cities can come ([`super::slots`]), the words of refusals
//! ([`UnitRefusal`]).
//!
//! A unit belongs to one agreement and to the city that registered it, which alone says anything
//! of it. Why it is blocked is recorded nowhere, so nobody can ask. Busy is what was blocked and
//! what plans have booked; both are gathered in `node::roster`. The city as a whole is a unit of
//! its own kind, without department or certificate.
//!
//! Invariants:
//! 1. What [`fits`] forbids has no effect on any node. (`who_may_say_what_of_a_unit`)
//! 2. What [`opens`] forbids makes no unit. (`a_unit_that_cannot_be_is_not_opened`)
//! 3. The name of an officer has no field.

pub mod calendar;
pub mod free_busy;
mod refusal;

pub use refusal::UnitRefusal;

use super::date::Date;
use super::department::Department;
use super::half_day::Period;
use super::invalid::{Invalid, InvalidReason};
use super::officer::CertNo;
use super::refusal::{Misfit, Refusal};
use super::text::Line;
use super::unit_kind::UnitKind;
use crate::ids::{CityCode, SubjectId};
use crate::limits::{NAME_BYTES_MAX, REFERENCE_BYTES_MAX, UNIT_PERIODS_MAX, UNIT_YEARS_AHEAD_MAX};

/// What is known of a unit without its part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct UnitFacts {
    /// What kind; never changed.
    pub kind: UnitKind,
    /// Whose; of a whole city none.
    pub department: Option<Department>,
    /// First day its certificate is valid.
    pub valid_from: Option<Date>,
    /// Last day its certificate is valid.
    pub valid_until: Option<Date>,
    /// It no longer counts.
    pub retired: bool,
}

impl UnitFacts {
    /// Those of the calendar of a whole city.
    pub const WHOLE_CITY: Self = Self {
        kind: UnitKind::WholeCity,
        department: None,
        valid_from: None,
        valid_until: None,
        retired: false,
    };

    /// Checks what belongs together.
    ///
    /// # Errors
    /// Every wrong field.
    pub fn check(&self) -> Result<(), Vec<Invalid>> {
        let mut wrong = Vec::new();
        let required = |field: &str| Invalid::from(InvalidReason::Required).at(field);
        if self.department.is_none() {
            wrong.push(required("department"));
        }
        if self.kind == UnitKind::Officer {
            wrong.extend(self.valid_from.is_none().then(|| required("valid_from")));
            wrong.extend(self.valid_until.is_none().then(|| required("valid_until")));
        }
        if self.valid_from.zip(self.valid_until).is_some_and(|(from, until)| until < from) {
            wrong.push(Invalid::from(InvalidReason::DatesOrder).at("valid_until"));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// Whether it counts on a day: not retired, and its certificate, if it has one, is valid.
    #[must_use]
    pub fn counts_on(&self, day: Date) -> bool {
        let begun = self.valid_from.is_none_or(|from| from <= day);
        let runs = self.valid_until.is_none_or(|until| day <= until);
        !self.retired && begun && runs
    }
}

/// What goes with a unit, for people.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UnitRecord {
    /// Certificate number of an officer, label of a thing.
    pub number: Line,
    /// The team it belongs to (执法队伍).
    pub team: Option<Line>,
}

impl UnitRecord {
    /// Reads the texts; an empty team means none.
    ///
    /// # Errors
    /// Every wrong field.
    pub fn parse(number: &str, team: &str) -> Result<Self, Vec<Invalid>> {
        let number = match number.trim() {
            "" => Err(Invalid::from(InvalidReason::Required)),
            given => Line::parse(given, REFERENCE_BYTES_MAX),
        };
        let team = match team.trim() {
            "" => Ok(None),
            given => Line::parse(given, NAME_BYTES_MAX).map(Some),
        };
        match (number.map_err(|e| e.at("number")), team.map_err(|e| e.at("team"))) {
            (Ok(number), Ok(team)) => Ok(Self { number, team }),
            (number, team) => Err(number.err().into_iter().chain(team.err()).collect()),
        }
    }

    /// The same for a unit of this kind: an officer has a certificate number and a team.
    ///
    /// # Errors
    /// Every wrong field.
    pub fn parse_for(kind: UnitKind, number: &str, team: &str) -> Result<Self, Vec<Invalid>> {
        if kind != UnitKind::Officer {
            return Self::parse(number, team);
        }
        let mut wrong = Vec::new();
        let number = match CertNo::parse(number.trim()) {
            Ok(number) => number.as_str().to_owned(),
            Err(error) => {
                wrong.push(error.at("number"));
                String::new()
            }
        };
        if team.trim().is_empty() {
            wrong.push(Invalid::from(InvalidReason::Required).at("team"));
        }
        if wrong.is_empty() { Self::parse(&number, team) } else { Err(wrong) }
    }

    /// The text by which its own node knows a unit again, however its number was typed.
    #[must_use]
    pub fn key(&self) -> String {
        let number = self.number.as_str().chars().filter(|c| !c.is_whitespace() && *c != '·');
        number.flat_map(char::to_uppercase).collect()
    }
}

/// What may be said of a unit after it was registered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum UnitAct {
    /// It was changed.
    Changed {
        /// All facts after the change.
        facts: UnitFacts,
    },
    /// It is busy.
    Blocked {
        /// When.
        periods: Vec<Period>,
    },
    /// It is free again.
    Freed {
        /// When.
        periods: Vec<Period>,
    },
}

/// A unit as its opening says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Unit {
    /// Whose it is.
    pub city: CityCode,
    /// What kind.
    pub kind: UnitKind,
}

/// Whether a unit may be opened like this; the same for commands and for what others have signed.
///
/// # Errors
/// [`Misfit::UnitInvalid`]: it is counted and opens nothing.
pub fn opens(facts: &UnitFacts) -> Result<(), Misfit> {
    let fine = match facts.kind {
        UnitKind::WholeCity => *facts == UnitFacts::WHOLE_CITY,
        UnitKind::Officer | UnitKind::Vehicle | UnitKind::Uav | UnitKind::Boat => {
            facts.check().is_ok()
        }
    };
    if fine { Ok(()) } else { Err(Misfit::UnitInvalid) }
}

/// Whether a city may say this; the same for commands and for what others have signed.
///
/// # Errors
/// A [`Misfit`]: it is shown and has no effect.
pub fn fits(unit: &Unit, by: CityCode, act: &UnitAct) -> Result<(), Misfit> {
    if by != unit.city {
        return Err(Misfit::NotUnitCity { city: unit.city });
    }
    match act {
        UnitAct::Changed { facts } if facts.kind == unit.kind => opens(facts),
        UnitAct::Changed { .. } => Err(Misfit::UnitInvalid),
        UnitAct::Blocked { periods } | UnitAct::Freed { periods } => {
            let counted = (1..=UNIT_PERIODS_MAX).contains(&periods.len());
            if counted { Ok(()) } else { Err(Misfit::UnitInvalid) }
        }
    }
}

/// Decides on a new unit; `known` is the own one of this number that is registered there already.
///
/// # Errors
/// A [`Refusal`]: nothing is written.
pub fn decide_register(
    by: CityCode,
    members: &[CityCode],
    facts: &UnitFacts,
    known: Option<SubjectId>,
) -> Result<(), Refusal> {
    if !members.contains(&by) {
        return Err(Misfit::NotAMember { city: by }.into());
    }
    opens(facts)?;
    match known {
        Some(unit) => Err(UnitRefusal::Known { unit }.into()),
        None => Ok(()),
    }
}

/// Decides on what is said of a unit; `known` is another own one of the number it is to have.
///
/// # Errors
/// A [`Refusal`]: nothing is written.
pub fn decide_act(
    (unit, facts): (&Unit, &UnitFacts),
    by: CityCode,
    act: &UnitAct,
    known: Option<SubjectId>,
    today: Date,
) -> Result<(), Refusal> {
    fits(unit, by, act)?;
    match act {
        UnitAct::Changed { .. } if unit.kind == UnitKind::WholeCity => {
            Err(UnitRefusal::WholeCity.into())
        }
        // One of two that a restored city has is retired.
        UnitAct::Changed { facts } if facts.retired => Ok(()),
        UnitAct::Changed { .. } => known.map_or(Ok(()), |unit| {
            // Two units of one number would be booked apart.
            Err(UnitRefusal::Known { unit }.into())
        }),
        UnitAct::Blocked { .. } if facts.retired => Err(UnitRefusal::Retired.into()),
        UnitAct::Blocked { periods } | UnitAct::Freed { periods } => {
            periods.iter().try_for_each(|period| check_period(*period, today)).map_err(Into::into)
        }
    }
}

/// Whether a day is further ahead than anything may be blocked.
#[must_use]
pub fn is_too_far(day: Date, today: Date) -> bool {
    let ahead = day.year() - today.year();
    ahead > UNIT_YEARS_AHEAD_MAX
        || (ahead == UNIT_YEARS_AHEAD_MAX
            && (day.month(), day.day()) > (today.month(), today.day()))
}

/// What lies behind today, or too far ahead, is a slip.
fn check_period(period: Period, today: Date) -> Result<(), UnitRefusal> {
    let last = period.last().on;
    match () {
        () if last < today => Err(UnitRefusal::PeriodPast { last, today }),
        () if is_too_far(last, today) => Err(UnitRefusal::PeriodTooFar { last, today }),
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests;
