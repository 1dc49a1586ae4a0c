//! The running number of a plan, as people write it: `JA-371500-2026-001`.
//!
//! It is the initiator's, given by its one writing node when the plan is opened, and a part, as the
//! numbers of cases are.
//!
//! In scope: the text. Out of scope: which number is the next.
//!
//! Invariants:
//! 1. What is printed is read again as the same. (`numbers_of_plans_are_read_as_they_are_written`)

use std::fmt;

use crate::ids::CityCode;
use crate::limits::PLAN_NUMBER_MAX;

/// A running number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanNumber {
    /// Who proposes the plan.
    pub city: CityCode,
    /// The year in which it was opened, of four digits.
    pub year: u16,
    /// From 1 to [`PLAN_NUMBER_MAX`] in each agreement and year.
    pub number: u32,
}

impl PlanNumber {
    /// Reads a number as it is printed; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut pieces = text.strip_prefix("JA-")?.split('-');
        let city = CityCode::parse(pieces.next()?).ok()?;
        let year = pieces.next()?.parse().ok()?;
        let number = pieces.next()?.parse().ok()?;
        let read = Self { city, year, number };
        let fits = (1_000..=9_999).contains(&year) && (1..=PLAN_NUMBER_MAX).contains(&number);
        (fits && pieces.next().is_none() && read.to_string() == text).then_some(read)
    }
}

impl fmt::Display for PlanNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JA-{}-{:04}-{:03}", self.city, self.year, self.number)
    }
}
