//! Civil dates: the legal dates of moves, laws and evidence.
//!
//! In scope: parsing, order, counting days, the Beijing date of an instant. Out of scope: which
//! days are worked, and what today is; the shell gives that to whoever decides.

use super::invalid::{Invalid, InvalidReason};
use std::fmt;

/// First year a date may have. Nothing we exchange is older.
pub const YEAR_MIN: i32 = 1900;
/// Last year a date may have; a later one is a typing error.
pub const YEAR_MAX: i32 = 2199;

/// Milliseconds in a day.
const DAY_MS: i64 = 86_400_000;
/// Beijing time is UTC+8 all year (no summer time since 1991).
const BEIJING_MS: i64 = 8 * 3_600_000;

/// A day of the Gregorian calendar, 1900-01-01 to 2199-12-31.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Date {
    year: i32,
    month: u8,
    day: u8,
}

impl Date {
    /// The first day there is.
    pub const EARLIEST: Self = Self { year: YEAR_MIN, month: 1, day: 1 };
    /// The last day there is.
    pub const LATEST: Self = Self { year: YEAR_MAX, month: 12, day: 31 };

    /// The day with this year (1900 to 2199), month (1 to 12) and day of the month.
    ///
    /// # Errors
    /// `DATE_RANGE` when there is no such day or its year is outside the range.
    pub fn new(year: i32, month: u8, day: u8) -> Result<Self, Invalid> {
        let known = (YEAR_MIN..=YEAR_MAX).contains(&year);
        if known && day >= 1 && days_in_month(year, month).is_some_and(|last| day <= last) {
            Ok(Self { year, month, day })
        } else {
            Err(InvalidReason::DateRange.into())
        }
    }

    /// Reads `YYYY-MM-DD`, ASCII digits only.
    ///
    /// # Errors
    /// `DATE_FORMAT` for another shape, `DATE_RANGE` for a day that does not exist.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let bad = || Invalid::from(InvalidReason::DateFormat);
        let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else {
            return Err(bad());
        };
        let mut numbers = [0_u16; 3];
        let fields: [&[u8]; 3] = [&[y1, y2, y3, y4], &[m1, m2], &[d1, d2]];
        for (number, field) in numbers.iter_mut().zip(fields) {
            for byte in field {
                if !byte.is_ascii_digit() {
                    return Err(bad());
                }
                *number = *number * 10 + u16::from(byte - b'0');
            }
        }
        let [year, month, day] = numbers;
        let small = |n: u16| u8::try_from(n).map_err(|_| bad());
        Self::new(i32::from(year), small(month)?, small(day)?)
    }

    /// The Beijing date of an instant, in milliseconds since 1970-01-01T00:00Z; `None` outside
    /// the range of dates.
    #[must_use]
    pub fn beijing(unix_ms: i64) -> Option<Self> {
        Self::from_days_since_epoch(unix_ms.checked_add(BEIJING_MS)?.div_euclid(DAY_MS))
    }

    /// The instants of this day in Beijing: from the first millisecond to before that of the next.
    #[must_use]
    pub fn beijing_ms(self) -> std::ops::Range<i64> {
        let begin = self.days_since_epoch() * DAY_MS - BEIJING_MS;
        begin..begin + DAY_MS
    }

    /// The day `days` after 1970-01-01; `None` outside the range of dates.
    ///
    /// Algorithm `civil_from_days`: years begin in March, eras of 400 years have 146097 days.
    #[must_use]
    pub fn from_days_since_epoch(days: i64) -> Option<Self> {
        if !(-30_000..=90_000).contains(&days) {
            return None;
        }
        let shifted = days + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self::new(i32::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
            .ok()
    }

    /// Days since 1970-01-01, -25567 to 84005.
    #[must_use]
    pub fn days_since_epoch(self) -> i64 {
        let month = i64::from(self.month);
        let year = i64::from(self.year) - i64::from(month <= 2);
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(self.day) - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    /// The day `days` later, or earlier for a negative number; `None` outside the range of dates.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Option<Self> {
        Self::from_days_since_epoch(self.days_since_epoch().checked_add(days)?)
    }

    /// Year, 1900 to 2199.
    #[must_use]
    pub const fn year(self) -> i32 {
        self.year
    }

    /// Month, 1 to 12.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }

    /// Day of the month, 1 to 31.
    #[must_use]
    pub const fn day(self) -> u8 {
        self.day
    }
}

/// Days of a month; `None` for a month that does not exist.
const fn days_in_month(year: i32, month: u8) -> Option<u8> {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => Some(29),
        2 => Some(28),
        _ => None,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::str::FromStr for Date {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn every_day_of_the_range_agrees_with_jiff() {
        let mut theirs = jiff::civil::date(1900, 1, 1);
        let mut ours = date("1900-01-01");
        for _ in 0..109_572 {
            assert_eq!(ours.to_string(), theirs.to_string());
            assert_eq!(Date::from_days_since_epoch(ours.days_since_epoch()), Some(ours));
            theirs = theirs.tomorrow().unwrap();
            ours = ours.plus_days(1).unwrap();
        }
        assert_eq!(ours, date("2199-12-31"));
        assert_eq!(ours.days_since_epoch(), 84_005);
        assert_eq!(ours.plus_days(1), None);
        assert_eq!(date("1900-01-01").days_since_epoch(), -25_567);
        assert_eq!(date("1900-01-01").plus_days(-1), None);
        assert_eq!(date("1970-01-01").days_since_epoch(), 0);
    }

    #[test]
    fn ninety_calendar_days_before_any_holiday_rolls_them_on() {
        for (from, to) in [("2026-07-03", "2026-10-01"), ("2026-06-29", "2026-09-27")] {
            assert_eq!(date(from).plus_days(90), Some(date(to)));
        }
    }

    #[test]
    fn only_one_spelling_of_a_day_is_read() {
        for bad in [
            "2026-2-03",
            "20260203",
            "2026/02/03",
            "2026-02-03 ",
            "+026-02-03",
            "２026-02-03",
            "",
            "2026-02-3a",
        ] {
            assert_eq!(Date::parse(bad).unwrap_err().reason(), "DATE_FORMAT", "{bad}");
        }
        for bad in [
            "2026-02-29",
            "2100-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31",
            "2026-01-00",
            "1899-12-31",
            "2200-01-01",
        ] {
            assert_eq!(Date::parse(bad).unwrap_err().reason(), "DATE_RANGE", "{bad}");
        }
        assert!(Date::parse("2024-02-29").is_ok());
    }

    #[test]
    fn beijing_is_a_day_ahead_from_sixteen_hours_utc() {
        let utc_midnight = date("2026-11-20").days_since_epoch() * DAY_MS;
        assert_eq!(Date::beijing(utc_midnight + 16 * 3_600_000 - 1), Some(date("2026-11-20")));
        assert_eq!(Date::beijing(utc_midnight + 16 * 3_600_000), Some(date("2026-11-21")));
        assert_eq!(Date::beijing(i64::MAX), None);
        assert_eq!(Date::beijing(i64::MIN), None);
        for day in [Date::EARLIEST, date("2026-11-20"), Date::LATEST] {
            let ms = day.beijing_ms();
            assert_eq!(
                (Date::beijing(ms.start), Date::beijing(ms.end - 1)),
                (Some(day), Some(day))
            );
            assert_ne!(Date::beijing(ms.start - 1), Some(day));
            assert_ne!(Date::beijing(ms.end), Some(day));
        }
        assert_eq!(Date::beijing(Date::EARLIEST.beijing_ms().start - 1), None);
        assert_eq!(Date::beijing(Date::LATEST.beijing_ms().end), None);
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_prints_back(text in "[0-9-]{8,11}|.*") {
            if let Ok(read) = Date::parse(&text) {
                prop_assert_eq!(read.to_string(), text);
            }
        }

        #[test]
        fn counting_never_panics(days in any::<i64>()) {
            let _ = Date::from_days_since_epoch(days);
            let _ = date("2026-11-20").plus_days(days);
        }
    }
}
