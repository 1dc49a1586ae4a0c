//! Which days are worked: the State Council's holidays and the days worked in their place (调休).
//!
//! In scope: counting workdays and calendar days to a last day. Out of scope: which step has which
//! term ([`super::deadline`]), and what today is.
//!
//! Counting: the day a term begins with is not counted; a last day that is not worked rolls on to
//! the next one that is (民法典 arts. 201 to 203; for penalties 行政处罚法 art. 85 says which terms
//! are workdays).
//!
//! A year of which no notice is known is never taken for Monday to Friday. A term that touches one
//! is *provisional*: its day is the earliest possible one, every unknown day counted as worked.

use std::collections::BTreeSet;

use super::date::Date;
use crate::limits::TERM_DAYS_MAX;

/// Years of which the shipped file knows the notices, and from where: see `data/README.md`.
const SHIPPED: &str = include_str!("../../data/workdays-2025-2026.json");
/// Days in a file, at most.
const DAYS_MAX: usize = 10_000;
/// 1970-01-01 was a Thursday; Monday is 0.
const EPOCH_WEEKDAY: i64 = 3;

/// What is known of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayKind {
    /// Worked.
    Workday,
    /// A weekend or a holiday.
    DayOff,
    /// Of a year whose notice is not known here.
    Unknown,
}

/// The last day of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LastDay {
    /// The day itself, or the earliest it can be.
    pub on: Date,
    /// It touches a year of which no notice is known.
    pub provisional: bool,
}

/// A length of time as a law or an agreement puts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// So many workdays.
    Workdays(u32),
    /// So many days, holidays included.
    Days(u32),
    /// So many months: to the day of that number, or the last of the month.
    Months(u32),
}

/// Why a calendar file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum CalendarError {
    /// It is no JSON of this shape.
    #[error("not a workday calendar: {0}")]
    Shape(#[from] serde_json::Error),
    /// A date is none.
    #[error("`{0}` is no date; write YYYY-MM-DD")]
    Date(String),
    /// A day is said to be off and worked.
    #[error("{0} is both a day off and a make-up workday")]
    Both(Date),
    /// A day of a year that the file does not list.
    #[error("{0} is in a year that `years` does not list")]
    OtherYear(Date),
    /// More days than any calendar needs.
    #[error("more than {DAYS_MAX} days")]
    TooMany,
}

#[derive(serde::Deserialize)]
struct File {
    years: Vec<i32>,
    off_days: Vec<String>,
    make_up_workdays: Vec<String>,
}

/// The days of the years whose notices are known.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct WorkCalendar {
    years: BTreeSet<i32>,
    off: BTreeSet<Date>,
    made_up: BTreeSet<Date>,
}

impl WorkCalendar {
    /// The one that comes with the program: 2025 and 2026.
    #[must_use]
    pub fn shipped() -> Self {
        // The file is compiled in, and a test reads it.
        Self::parse(SHIPPED).unwrap_or_default()
    }

    /// Reads a file: `years` whose notices it has, `off_days` that fall on any day of the week,
    /// `make_up_workdays` on weekends.
    ///
    /// # Errors
    /// [`CalendarError`]; nothing is taken of such a file.
    pub fn parse(json: &str) -> Result<Self, CalendarError> {
        let file: File = serde_json::from_str(json)?;
        if file.off_days.len() + file.make_up_workdays.len() + file.years.len() > DAYS_MAX {
            return Err(CalendarError::TooMany);
        }
        let years: BTreeSet<i32> = file.years.into_iter().collect();
        let dates = |texts: Vec<String>| -> Result<BTreeSet<Date>, CalendarError> {
            let mut dates = BTreeSet::new();
            for text in texts {
                let date = Date::parse(&text).map_err(|_| CalendarError::Date(text))?;
                if !years.contains(&date.year()) {
                    return Err(CalendarError::OtherYear(date));
                }
                dates.insert(date);
            }
            Ok(dates)
        };
        let (off, made_up) = (dates(file.off_days)?, dates(file.make_up_workdays)?);
        match off.intersection(&made_up).next() {
            Some(both) => Err(CalendarError::Both(*both)),
            None => Ok(Self { years, off, made_up }),
        }
    }

    /// This calendar with the years of another one added, or put in place of its own.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        let keep = |date: &Date| !other.years.contains(&date.year());
        self.off.retain(keep);
        self.made_up.retain(keep);
        self.years.extend(&other.years);
        self.off.extend(&other.off);
        self.made_up.extend(&other.made_up);
        self
    }

    /// Years whose notices are known, ascending.
    pub fn years(&self) -> impl Iterator<Item = i32> + '_ {
        self.years.iter().copied()
    }

    /// What is known of a day.
    #[must_use]
    pub fn day(&self, date: Date) -> DayKind {
        let weekday = (date.days_since_epoch() + EPOCH_WEEKDAY).rem_euclid(7);
        if !self.years.contains(&date.year()) {
            DayKind::Unknown
        } else if self.made_up.contains(&date) || (weekday < 5 && !self.off.contains(&date)) {
            DayKind::Workday
        } else {
            DayKind::DayOff
        }
    }

    /// The last day of a term that begins with `from`; `None` beyond the range of dates.
    #[must_use]
    pub fn last_day(&self, from: Date, term: Term) -> Option<LastDay> {
        match term {
            Term::Workdays(days) => self.count(from, days.min(TERM_DAYS_MAX)),
            Term::Days(days) => self.roll(from.plus_days(i64::from(days.min(TERM_DAYS_MAX)))?),
            Term::Months(months) => self.roll(plus_months(from, months)?),
        }
    }

    /// So many workdays after a day.
    fn count(&self, from: Date, workdays: u32) -> Option<LastDay> {
        let (mut on, mut left, mut provisional) = (from, workdays, false);
        while left > 0 {
            on = on.plus_days(1)?;
            match self.day(on) {
                DayKind::Workday => left -= 1,
                DayKind::DayOff => {}
                DayKind::Unknown => {
                    provisional = true;
                    left -= 1;
                }
            }
        }
        Some(LastDay { on, provisional })
    }

    /// This day, or the next one that is worked.
    fn roll(&self, mut on: Date) -> Option<LastDay> {
        loop {
            match self.day(on) {
                DayKind::Workday => return Some(LastDay { on, provisional: false }),
                DayKind::Unknown => return Some(LastDay { on, provisional: true }),
                DayKind::DayOff => on = on.plus_days(1)?,
            }
        }
    }
}

/// The day of the same number so many months later, or the last of that month (民法典 art. 202).
fn plus_months(from: Date, months: u32) -> Option<Date> {
    let months = i64::from(months.min(TERM_DAYS_MAX));
    let all = i64::from(from.year()) * 12 + i64::from(from.month()) - 1 + months;
    let year = i32::try_from(all.div_euclid(12)).ok()?;
    let month = u8::try_from(all.rem_euclid(12) + 1).ok()?;
    (1..=from.day()).rev().find_map(|day| Date::new(year, month, day).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn known(on: &str) -> Option<LastDay> {
        Some(LastDay { on: date(on), provisional: false })
    }

    #[test]
    fn f13_workdays_are_counted_over_holidays_and_make_up_days() {
        let calendar = WorkCalendar::shipped();
        for (from, days, to) in [
            ("2026-09-21", 15, "2026-10-19"),
            ("2026-09-18", 1, "2026-09-20"),
            ("2026-09-30", 3, "2026-10-10"),
            ("2026-02-13", 1, "2026-02-14"),
            ("2026-02-13", 5, "2026-02-27"),
            ("2026-04-30", 5, "2026-05-11"),
        ] {
            assert_eq!(calendar.last_day(date(from), Term::Workdays(days)), known(to), "{from}");
        }
        for (from, days, to) in [("2026-07-03", 90, "2026-10-08"), ("2026-06-29", 90, "2026-09-28")]
        {
            assert_eq!(calendar.last_day(date(from), Term::Days(days)), known(to), "{from}");
        }
        for (from, months, to) in [("2026-08-31", 1, "2026-09-30"), ("2026-01-07", 3, "2026-04-07")]
        {
            assert_eq!(calendar.last_day(date(from), Term::Months(months)), known(to), "{from}");
        }
        // A refusal: what is no calendar is not taken, in none of its parts.
        let both =
            r#"{"years":[2027],"off_days":["2027-01-01"],"make_up_workdays":["2027-01-01"]}"#;
        assert!(matches!(WorkCalendar::parse(both), Err(CalendarError::Both(_))));
        let year = r#"{"years":[2027],"off_days":["2028-01-03"],"make_up_workdays":[]}"#;
        assert!(matches!(WorkCalendar::parse(year), Err(CalendarError::OtherYear(_))));
        let no_date = r#"{"years":[2027],"off_days":["2027-2-1"],"make_up_workdays":[]}"#;
        assert!(matches!(WorkCalendar::parse(no_date), Err(CalendarError::Date(_))));
    }

    #[test]
    fn an_unknown_year_is_provisional_and_never_monday_to_friday() {
        let calendar = WorkCalendar::shipped();
        assert_eq!(calendar.years().collect::<Vec<_>>(), [2025, 2026]);
        // 2027-01-02 is a Saturday: it may be worked, so nothing later is promised.
        let last = calendar.last_day(date("2026-12-31"), Term::Workdays(2));
        assert_eq!(last, Some(LastDay { on: date("2027-01-02"), provisional: true }));
        let last = calendar.last_day(date("2026-12-01"), Term::Days(90));
        assert_eq!(last, Some(LastDay { on: date("2027-03-01"), provisional: true }));
        // Once the notice is there, it is exact; years that were known stay.
        let notice = r#"{"years":[2027],"off_days":["2027-01-01"],"make_up_workdays":[]}"#;
        let calendar = calendar.with(WorkCalendar::parse(notice).unwrap());
        assert_eq!(calendar.last_day(date("2026-12-31"), Term::Workdays(2)), known("2027-01-05"),);
        assert_eq!(calendar.day(date("2026-09-20")), DayKind::Workday);
    }

    proptest! {
        #[test]
        fn counting_by_hand_agrees(start in 20_089_i64..20_400, days in 0_u32..200) {
            let calendar = WorkCalendar::shipped();
            let from = Date::from_days_since_epoch(start).unwrap();
            let last = calendar.last_day(from, Term::Workdays(days)).unwrap();
            let mut worked = 0;
            let mut on = from;
            while on < last.on {
                on = on.plus_days(1).unwrap();
                worked += u32::from(calendar.day(on) != DayKind::DayOff);
            }
            prop_assert_eq!(worked, days);
            prop_assert!(days == 0 || calendar.day(last.on) != DayKind::DayOff);
        }

        #[test]
        fn no_file_and_no_term_breaks_it(json in ".{0,80}", days in any::<u32>()) {
            let _ = WorkCalendar::parse(&json);
            for term in [Term::Workdays(days), Term::Days(days), Term::Months(days)] {
                let _ = WorkCalendar::shipped().last_day(date("2026-11-28"), term);
            }
        }
    }
}
