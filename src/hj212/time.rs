//! `DataTime`: fourteen digits in Beijing time, the beginning of what was measured.

use std::fmt;

use crate::domain::Date;

/// Beijing is eight hours ahead of UTC, all year.
const BEIJING_S: i64 = 8 * 3_600;

/// A second in Beijing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DataTime {
    date: Date,
    second_of_day: u32,
}

impl DataTime {
    /// Reads `yyyyMMddHHmmss`; `None` for another shape or a second that does not exist.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 14 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let number = |from: usize, to: usize| text.get(from..to)?.parse::<u16>().ok();
        let small = |from: usize| u8::try_from(number(from, from + 2)?).ok();
        let date = Date::new(i32::from(number(0, 4)?), small(4)?, small(6)?).ok()?;
        let (hour, minute, second) = (small(8)?, small(10)?, small(12)?);
        let exists = hour < 24 && minute < 60 && second < 60;
        let second_of_day = u32::from(hour) * 3_600 + u32::from(minute) * 60 + u32::from(second);
        exists.then_some(Self { date, second_of_day })
    }

    /// The day.
    #[must_use]
    pub const fn date(self) -> Date {
        self.date
    }

    /// Seconds since midnight in Beijing, 0 to 86 399.
    #[must_use]
    pub const fn second_of_day(self) -> u32 {
        self.second_of_day
    }

    /// Milliseconds since 1970-01-01T00:00Z.
    #[must_use]
    pub fn unix_ms(self) -> i64 {
        let midnight = self.date.days_since_epoch() * 86_400 - BEIJING_S;
        (midnight + i64::from(self.second_of_day)) * 1_000
    }

    /// The fourteen digits.
    #[must_use]
    pub fn digits(self) -> String {
        let (date, s) = (self.date, self.second_of_day);
        let (year, month, day) = (date.year(), date.month(), date.day());
        format!("{year:04}{month:02}{day:02}{:02}{:02}{:02}", s / 3_600, s / 60 % 60, s % 60)
    }
}

/// `2026-11-02 09:00`.
impl fmt::Display for DataTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.second_of_day;
        write!(f, "{} {:02}:{:02}", self.date, s / 3_600, s / 60 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beijing_time_is_read_and_written() {
        let at = DataTime::parse("20261102090000").unwrap();
        assert_eq!(at.to_string(), "2026-11-02 09:00");
        assert_eq!(at.unix_ms(), 1_793_581_200_000);
        assert_eq!(DataTime::parse(&at.digits()), Some(at));
        let bad = ["", "2026110209000", "20261302090000", "20260230090000", "20261102240000"];
        for text in bad.into_iter().chain(["20261102096000", "2026-11-02 090", "２0261102090"]) {
            assert_eq!(DataTime::parse(text), None, "{text}");
        }
    }
}
