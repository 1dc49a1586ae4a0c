//! Which days are worked: the State Council's holidays and the days worked in their place (调休).
//!
//! In scope: counting workdays and calendar days to a last day. Out of scope: which step has which
//! term ([`super::deadline`]), and what today is.
//!
//! Counting: the day a term begins with is not counted; a last day that is not worked rolls on to
//! the next one that is (民法典 arts. 201 to 203; for penalties 行政处罚法 art. 85 says which terms
//! are workdays). Hours run through holidays: what must be done in 24 hours waits for no workday.
//!
//! A year of which no notice is known is never taken for Monday to Friday. A term that touches one
//! is *provisional*: its day is the earliest possible one, every unknown day counted as worked. It
//! is over after the latest possible one, so that nobody is called late who may yet be in time, and
//! everybody is in the end: weekends are off, and as many other days, as early, as
//! [`OFF_WEEKDAYS_MAX`] and [`OFF_RUN_MAX`] allow. (`nobody_is_late_too_early_in_an_unknown_year`)

use std::collections::BTreeSet;

use super::date::Date;
use crate::limits::TERM_DAYS_MAX;

/// Years of which the shipped file knows the notices, and from where: see `data/README.md`.
const SHIPPED: &str = include_str!("../../data/workdays-2025-2026.json");
/// Days in a file, at most.
const DAYS_MAX: usize = 10_000;
const HOURS_A_DAY: u32 = 24;
/// 1970-01-01 was a Thursday; Monday is 0.
const EPOCH_WEEKDAY: i64 = 3;

/// Days from Monday to Friday that are off in one year, at most. 全国年节及纪念日放假办法 (of 2025)
/// gives 13 days; days moved (调休) add to them what is worked on weekends instead: 6 in 2026. This
/// is room for as many moved days as there are holidays.
const OFF_WEEKDAYS_MAX: u32 = 26;
/// Days off in a row, at most: the longest that a notice gave are the 9 of Spring Festival 2026,
/// and the notice of 2020 that made it longer came to 10.
const OFF_RUN_MAX: u32 = 14;
/// The notice for a year comes out in this month of the year before it.
const NOTICE_MONTH: u8 = 11;

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
    /// The day itself, or the latest it can be.
    pub latest: Date,
}

impl LastDay {
    /// A day that is known.
    #[must_use]
    pub const fn sure(on: Date) -> Self {
        Self { on, latest: on }
    }

    /// It touches a year of which no notice is known.
    #[must_use]
    pub fn is_provisional(self) -> bool {
        self.on < self.latest
    }

    /// Whether it has passed, whatever the notices of years that are not known may say.
    #[must_use]
    pub fn is_over(self, today: Date) -> bool {
        self.latest < today
    }
}

/// A length of time as a law or an agreement puts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// So many workdays.
    Workdays(u32),
    /// So many days, holidays included; rolls on over days off.
    Days(u32),
    /// So many hours, whatever days they fall on. What is exchanged has days, so the last day is
    /// the one on which they end if they begin with the end of a day: 24 hours end on the next day.
    Hours(u32),
    /// So many months: to the day of that number, or the last of the month.
    Months(u32),
}

impl Term {
    /// The last day of months after a day, be it a holiday; `None` for a term of anything else.
    #[must_use]
    pub fn end_unrolled(self, from: Date) -> Option<Date> {
        match self {
            Self::Months(months) => plus_months(from, months),
            Self::Workdays(_) | Self::Days(_) | Self::Hours(_) => None,
        }
    }
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

    /// Years whose notice should be here by now and is not: the running one, and the next one once
    /// it is announced.
    #[must_use]
    pub fn missing_years(&self, today: Date) -> Vec<i32> {
        let next = i32::from(today.month() >= NOTICE_MONTH);
        let wanted = today.year()..=today.year() + next;
        wanted.filter(|year| !self.years.contains(year)).collect()
    }

    /// What is known of a day.
    #[must_use]
    pub fn day(&self, date: Date) -> DayKind {
        if !self.years.contains(&date.year()) {
            DayKind::Unknown
        } else if self.made_up.contains(&date) || !(is_weekend(date) || self.off.contains(&date)) {
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
            Term::Hours(hours) => {
                let days = hours.div_ceil(HOURS_A_DAY).min(TERM_DAYS_MAX);
                from.plus_days(i64::from(days)).map(LastDay::sure)
            }
            Term::Months(months) => self.roll(plus_months(from, months)?),
        }
    }

    /// The last day of a term that begins with the last day of another one.
    #[must_use]
    pub fn last_day_after(&self, from: LastDay, term: Term) -> Option<LastDay> {
        let on = self.last_day(from.on, term)?.on;
        Some(LastDay { on, latest: self.last_day(from.latest, term)?.latest })
    }

    /// So many workdays after a day.
    fn count(&self, from: Date, workdays: u32) -> Option<LastDay> {
        let on = nth(from, workdays, |on| self.day(on) != DayKind::DayOff)?;
        if (from.year()..=on.year()).all(|year| self.years.contains(&year)) {
            return Some(LastDay::sure(on));
        }
        // No calendar has fewer workdays up to any day: days off are used up as early as can be.
        let (mut year, mut off, mut run) = (from.year(), 0, 0);
        let latest = nth(from, workdays, |on| {
            if on.year() != year {
                (year, off) = (on.year(), 0);
            }
            let is_worked = match self.day(on) {
                DayKind::Workday => true,
                DayKind::DayOff => false,
                DayKind::Unknown if is_weekend(on) => false,
                DayKind::Unknown => {
                    let may_be_off = off < OFF_WEEKDAYS_MAX && run < OFF_RUN_MAX;
                    off += u32::from(may_be_off);
                    !may_be_off
                }
            };
            run = if is_worked { 0 } else { run + 1 };
            is_worked
        })?;
        Some(LastDay { on, latest })
    }

    /// This day, or the next one that is worked.
    fn roll(&self, on: Date) -> Option<LastDay> {
        self.count(on.plus_days(-1)?, 1)
    }
}

/// The day on which so many days after `from` have been worked.
fn nth(from: Date, workdays: u32, mut is_worked: impl FnMut(Date) -> bool) -> Option<Date> {
    let (mut on, mut left) = (from, workdays);
    while left > 0 {
        on = on.plus_days(1)?;
        left -= u32::from(is_worked(on));
    }
    Some(on)
}

/// Whether a day is a Saturday or a Sunday.
fn is_weekend(date: Date) -> bool {
    (date.days_since_epoch() + EPOCH_WEEKDAY).rem_euclid(7) >= 5
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
        Some(LastDay::sure(date(on)))
    }

    fn provisional(on: &str, latest: &str) -> Option<LastDay> {
        Some(LastDay { on: date(on), latest: date(latest) })
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
        // Hours wait for no workday, also not in a year of which no notice is known.
        for (from, hours, to) in [
            ("2026-09-30", 24, "2026-10-01"),
            ("2026-09-30", 25, "2026-10-02"),
            ("2026-12-31", 24, "2027-01-01"),
        ] {
            assert_eq!(calendar.last_day(date(from), Term::Hours(hours)), known(to), "{from}");
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
        assert_eq!(last, provisional("2027-01-02", "2027-02-01"));
        let last = calendar.last_day(date("2026-12-01"), Term::Days(90));
        assert_eq!(last, provisional("2027-03-01", "2027-03-15"));
        // Once the notice is there, it is exact; years that were known stay.
        let notice = r#"{"years":[2027],"off_days":["2027-01-01"],"make_up_workdays":[]}"#;
        let calendar = calendar.with(WorkCalendar::parse(notice).unwrap());
        assert_eq!(calendar.last_day(date("2026-12-31"), Term::Workdays(2)), known("2027-01-05"),);
        assert_eq!(calendar.day(date("2026-09-20")), DayKind::Workday);
    }

    #[test]
    fn nobody_is_late_too_early_in_an_unknown_year() {
        let known = WorkCalendar::shipped();
        let only = |year: i32| {
            let mut part = known.clone();
            part.years.retain(|known| *known == year);
            part.off.retain(|day| day.year() == year);
            part.made_up.retain(|day| day.year() == year);
            part
        };
        let (first, last) = (date("2025-01-01"), date("2026-12-31"));
        let days = first.days_since_epoch()..=last.days_since_epoch();
        let parts = [only(2025), only(2026), WorkCalendar::default()];
        let mut earlier = [[Date::EARLIEST; 91]; 3];
        for from in days.filter_map(Date::from_days_since_epoch) {
            let mut before = [from; 3];
            for n in 1..=90 {
                let terms = [Term::Days(n), Term::Workdays(n)];
                let truths = terms.map(|term| known.last_day(from, term).unwrap());
                for (part, nth) in parts.iter().zip(0..) {
                    let found = terms.map(|term| part.last_day(from, term).unwrap());
                    for (truth, found) in truths.iter().zip(found) {
                        let holds = found.on <= truth.on && truth.on <= found.latest;
                        assert!(holds || truth.is_provisional(), "{from} {n} {truth:?} {found:?}");
                    }
                    // A longer term ends later, and one that begins later no earlier.
                    let (latest, longest) = (found[1].latest, &mut earlier[nth][n as usize]);
                    assert!(before[nth] < latest && *longest <= latest, "{from} {n}");
                    (before[nth], *longest) = (latest, latest);
                }
            }
        }
        // It does run out.
        let last = known.last_day(date("2027-01-04"), Term::Workdays(1)).unwrap();
        assert_eq!(Some(last), provisional("2027-01-05", "2027-01-19"));
        assert!(!last.is_over(date("2027-01-19")) && last.is_over(date("2027-01-20")));
        let ninety = known.last_day(date("2027-01-04"), Term::Workdays(90)).unwrap();
        assert!(ninety.latest < date("2027-07-01"), "{ninety:?}");
    }

    #[test]
    fn a_term_after_a_provisional_one_is_provisional() {
        let calendar = WorkCalendar::shipped();
        let first = calendar.last_day(date("2026-12-31"), Term::Workdays(1)).unwrap();
        let then = calendar.last_day_after(first, Term::Workdays(1)).unwrap();
        assert_eq!(Some(then), provisional("2027-01-02", "2027-02-01"));
        // Also where the second one begins in a year that is known.
        let late = LastDay { on: date("2026-03-02"), latest: date("2026-03-20") };
        let then = calendar.last_day_after(late, Term::Days(10)).unwrap();
        assert_eq!(Some(then), provisional("2026-03-12", "2026-03-30"));
    }

    #[test]
    fn a_year_is_missed_from_the_november_before_it() {
        let missing = |on| WorkCalendar::shipped().missing_years(date(on));
        assert_eq!(missing("2026-10-31"), [0; 0]);
        assert_eq!(missing("2026-11-01"), [2027]);
        assert_eq!(missing("2027-10-31"), [2027]);
        assert_eq!(missing("2027-12-31"), [2027, 2028]);
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
            for term in [Term::Workdays, Term::Days, Term::Hours, Term::Months].map(|of| of(days)) {
                let _ = WorkCalendar::shipped().last_day(date("2026-11-28"), term);
            }
        }
    }
}
