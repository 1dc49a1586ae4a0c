//! Half days: the unit in which officers, vehicles and cities are booked.
//!
//! A day has a morning (上午, before 12:00 in Beijing) and an afternoon (下午, from 12:00 on). A
//! period has a first and a last half day, both of them in it.
//!
//! In scope: order, counting, reading and printing, overlap. Out of scope: which days are worked
//! ([`super::calendar`]), who is busy.
//!
//! Invariants:
//! 1. The number of a half day and the half day itself are one to one, in order.
//!    (`half_days_and_their_numbers_are_one_to_one`)
//! 2. What is printed in either language is read back as the same.
//!    (`what_is_printed_is_read_back`)

use super::code::{Language, Words, coded};
use super::date::Date;
use super::invalid::{Invalid, InvalidReason};
use crate::limits::PERIOD_HALF_DAYS_MAX;
use std::fmt;

coded! {
    /// One half of a day, in Beijing.
    Half {
        Morning "MORNING" "上午" "AM";
        Afternoon "AFTERNOON" "下午" "PM";
    }
}

/// One half of one day. The order is that of time.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct HalfDay {
    /// The day.
    pub on: Date,
    /// Which half of it.
    pub half: Half,
}

impl HalfDay {
    /// The morning of a day.
    #[must_use]
    pub const fn morning(on: Date) -> Self {
        Self { on, half: Half::Morning }
    }

    /// The afternoon of a day.
    #[must_use]
    pub const fn afternoon(on: Date) -> Self {
        Self { on, half: Half::Afternoon }
    }

    /// Half days since the morning of 1970-01-01; earlier ones are negative.
    #[must_use]
    pub fn number(self) -> i64 {
        self.on.days_since_epoch() * 2 + i64::from(self.half == Half::Afternoon)
    }

    /// The half day with this number; `None` outside the range of dates.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        let on = Date::from_days_since_epoch(number.div_euclid(2))?;
        let half = if number.rem_euclid(2) == 0 { Half::Morning } else { Half::Afternoon };
        Some(Self { on, half })
    }

    /// The next half day; `None` beyond the range of dates.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::from_number(self.number() + 1)
    }

    /// The half day before; `None` beyond the range of dates.
    #[must_use]
    pub fn prev(self) -> Option<Self> {
        Self::from_number(self.number() - 1)
    }

    /// Reads `2026-07-03上午` or `2026-07-03 AM`; spaces between the two do not matter.
    ///
    /// # Errors
    /// `HALF_DAY` for another shape, `DATE_FORMAT` and `DATE_RANGE` for its date.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let known = |half: &Half| {
            let on = text.strip_suffix(half.zh()).or_else(|| text.strip_suffix(half.en()))?;
            Some((*half, on.trim_end()))
        };
        let (half, on) = Half::ALL.iter().find_map(known).ok_or(InvalidReason::HalfDay)?;
        Date::parse(on).map(|on| Self { on, half })
    }

    /// How people write it: `2026-07-03上午`, `2026-07-03 AM`.
    #[must_use]
    pub fn text(self, language: Language) -> String {
        match language {
            Language::Zh => format!("{}{}", self.on, self.half.zh()),
            Language::En => format!("{} {}", self.on, self.half.en()),
        }
    }
}

impl fmt::Display for HalfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::En))
    }
}

impl fmt::Debug for HalfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::str::FromStr for HalfDay {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

/// Half days one after the other, from the first to the last, both of them in it.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Period {
    first: HalfDay,
    last: HalfDay,
}

impl Period {
    /// From one half day to another, at most [`PERIOD_HALF_DAYS_MAX`] of them.
    ///
    /// # Errors
    /// `DATES_ORDER` when the last one is before the first, `PERIOD_TOO_LONG` when there are too
    /// many.
    pub fn new(first: HalfDay, last: HalfDay) -> Result<Self, Invalid> {
        let count = last.number() - first.number() + 1;
        match usize::try_from(count) {
            Ok(0) | Err(_) => Err(InvalidReason::DatesOrder.into()),
            Ok(count) if count > PERIOD_HALF_DAYS_MAX => {
                let days_max = PERIOD_HALF_DAYS_MAX / 2;
                Err(Invalid::with_limit(InvalidReason::PeriodTooLong, days_max))
            }
            Ok(_) => Ok(Self { first, last }),
        }
    }

    /// One half day.
    #[must_use]
    pub const fn half_day(at: HalfDay) -> Self {
        Self { first: at, last: at }
    }

    /// A whole day.
    #[must_use]
    pub const fn day(on: Date) -> Self {
        Self { first: HalfDay::morning(on), last: HalfDay::afternoon(on) }
    }

    /// Its first half day.
    #[must_use]
    pub const fn first(self) -> HalfDay {
        self.first
    }

    /// Its last half day.
    #[must_use]
    pub const fn last(self) -> HalfDay {
        self.last
    }

    /// How many half days it has, 1 to [`PERIOD_HALF_DAYS_MAX`].
    #[must_use]
    pub fn half_day_count(self) -> usize {
        usize::try_from(self.last.number() - self.first.number() + 1).unwrap_or(1)
    }

    /// Every half day of it, in order.
    pub fn half_days(self) -> impl Iterator<Item = HalfDay> {
        (self.first.number()..=self.last.number()).filter_map(HalfDay::from_number)
    }

    /// Whether a half day lies in it.
    #[must_use]
    pub fn has(self, at: HalfDay) -> bool {
        self.first <= at && at <= self.last
    }

    /// Whether two periods have a half day in common.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Reads `2026-07-03上午 至 2026-07-04下午`, `2026-07-03 AM to 2026-07-04 PM`, one half day, or
    /// a date for the whole day; `2026-07-03 至 2026-07-05` is from the first morning to the last
    /// afternoon.
    ///
    /// # Errors
    /// As [`HalfDay::parse`] and [`Period::new`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let (first, last) = text
            .split_once('至')
            .or_else(|| text.split_once(" to "))
            .map_or_else(|| (text, text), |(first, last)| (first, last));
        let first = Self::part(first)?;
        let last = Self::part(last)?;
        Self::new(first.first, last.last)
    }

    /// A half day or, without a half, a whole day.
    fn part(text: &str) -> Result<Self, Invalid> {
        match Date::parse(text.trim()) {
            Ok(on) => Ok(Self::day(on)),
            Err(wrong) if wrong.reason == InvalidReason::DateRange => Err(wrong),
            Err(_) => HalfDay::parse(text).map(Self::half_day),
        }
    }

    /// How people write it: the day when it is one whole day, else its first and last half days.
    #[must_use]
    pub fn text(self, language: Language) -> String {
        let Self { first, last } = self;
        let day = self == Self::day(first.on);
        let between = match language {
            Language::Zh => " 至 ",
            Language::En => " to ",
        };
        match (first == last, day) {
            (_, true) => first.on.to_string(),
            (true, false) => first.text(language),
            (false, false) => format!("{}{between}{}", first.text(language), last.text(language)),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::En))
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::str::FromStr for Period {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::date;
    use proptest::prelude::*;

    fn at(text: &str) -> HalfDay {
        text.parse().unwrap()
    }

    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }

    #[test]
    fn a_morning_is_before_its_afternoon_and_after_the_day_before() {
        let morning = HalfDay::morning(date("2026-07-03"));
        assert_eq!(morning.next(), Some(HalfDay::afternoon(date("2026-07-03"))));
        assert_eq!(morning.prev(), Some(HalfDay::afternoon(date("2026-07-02"))));
        assert!(morning < HalfDay::afternoon(date("2026-07-03")));
        assert!(HalfDay::afternoon(date("2026-07-03")) < HalfDay::morning(date("2026-07-04")));
        assert_eq!(HalfDay::morning(Date::EARLIEST).prev(), None);
        assert_eq!(HalfDay::afternoon(date("2199-12-31")).next(), None);
    }

    #[test]
    fn half_days_are_read_in_either_language() {
        for text in ["2026-07-03上午", "2026-07-03 AM", " 2026-07-03  上午", "2026-07-03AM"] {
            assert_eq!(at(text), HalfDay::morning(date("2026-07-03")), "{text}");
        }
        assert_eq!(at("2026-07-03 PM"), at("2026-07-03下午"));
        assert_eq!(at("2026-07-03 PM").text(Language::Zh), "2026-07-03下午");
        assert_eq!(at("2026-07-03上午").to_string(), "2026-07-03 AM");
        for (bad, reason) in [
            ("2026-07-03", "HALF_DAY"),
            ("2026-07-03 am", "HALF_DAY"),
            ("2026-07-03 早上", "HALF_DAY"),
            ("", "HALF_DAY"),
            ("上午", "DATE_FORMAT"),
            ("2026-7-3上午", "DATE_FORMAT"),
            ("2026-02-30 PM", "DATE_RANGE"),
        ] {
            assert_eq!(HalfDay::parse(bad).unwrap_err().reason(), reason, "{bad}");
        }
    }

    #[test]
    fn a_period_has_both_its_ends() {
        let whole = period("2026-07-03");
        assert_eq!(whole, Period::day(date("2026-07-03")));
        assert_eq!((whole.half_day_count(), whole.half_days().count()), (2, 2));
        let long = period("2026-07-03下午 至 2026-07-05上午");
        assert_eq!(long.half_day_count(), 4);
        assert!(long.has(at("2026-07-05 AM")) && !long.has(at("2026-07-05 PM")));
        assert!(long.overlaps(whole) && whole.overlaps(long));
        assert!(!long.overlaps(period("2026-07-03 AM")) && !long.overlaps(period("2026-07-06")));
        assert_eq!(period("2026-07-03 至 2026-07-04").half_day_count(), 4);
        assert_eq!(period("2026-07-03 AM to 2026-07-03 PM"), whole);
        for (text, zh, en) in [
            ("2026-07-03", "2026-07-03", "2026-07-03"),
            ("2026-07-03 PM", "2026-07-03下午", "2026-07-03 PM"),
            (
                "2026-07-03 至 2026-07-04上午",
                "2026-07-03上午 至 2026-07-04上午",
                "2026-07-03 AM to 2026-07-04 AM",
            ),
        ] {
            assert_eq!(period(text).text(Language::Zh), zh);
            assert_eq!(period(text).text(Language::En), en);
        }
        for (bad, reason) in [
            ("2026-07-04 至 2026-07-03", "DATES_ORDER"),
            ("2026-07-03下午 至 2026-07-03上午", "DATES_ORDER"),
            ("2026-01-01 至 2027-01-02", "PERIOD_TOO_LONG"),
            ("2026-02-30", "DATE_RANGE"),
            ("2026-07-03 至", "HALF_DAY"),
            ("明天", "HALF_DAY"),
        ] {
            assert_eq!(Period::parse(bad).unwrap_err().reason(), reason, "{bad}");
        }
        assert_eq!(period("2026-01-01 至 2027-01-01").half_day_count(), PERIOD_HALF_DAYS_MAX);
    }

    proptest! {
        #[test]
        fn half_days_and_their_numbers_are_one_to_one(number in -51_134_i64..168_012) {
            let at = HalfDay::from_number(number).unwrap();
            prop_assert_eq!(at.number(), number);
            if let Some(next) = at.next() {
                prop_assert!(at < next && next.prev() == Some(at));
            }
        }

        #[test]
        fn what_is_printed_is_read_back(first in 40_000_i64..42_000, more in 0_i64..732) {
            let half = |number| HalfDay::from_number(number).unwrap();
            let period = Period::new(half(first), half(first + more)).unwrap();
            for language in [Language::Zh, Language::En] {
                prop_assert_eq!(Period::parse(&period.text(language)), Ok(period));
                let first = period.first();
                prop_assert_eq!(HalfDay::parse(&first.text(language)), Ok(first));
            }
            prop_assert_eq!(period.half_days().count(), period.half_day_count());
        }

        #[test]
        fn reading_never_panics(text in ".{0,40}", number in any::<i64>()) {
            let _ = (Period::parse(&text), HalfDay::parse(&text), HalfDay::from_number(number));
        }
    }
}
