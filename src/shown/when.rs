//! Dates and times as people in Beijing write them.
//!
//! In scope: reading and printing civil dates and recorded times. Out of scope: working days.

use jiff::civil;
use jiff::tz::Offset;
use prost_types::Timestamp;

use crate::wire::pb::v1 as pb;

/// Reads `2026-11-20`.
///
/// # Errors
/// A text for people when it is no date between 1949 and 2199.
pub fn parse_date(text: &str) -> Result<pb::Date, String> {
    let bad = || format!("“{text}” 不是日期，应如 2026-11-20 · not a date such as 2026-11-20");
    let date: civil::Date = text.parse().map_err(|_| bad())?;
    if text.len() != 10 || !(1949..=2199).contains(&date.year()) {
        return Err(bad());
    }
    Ok(pb::Date { year: date.year().into(), month: date.month().into(), day: date.day().into() })
}

/// `2026-11-20`; empty when absent.
#[must_use]
pub fn date(date: Option<&pb::Date>) -> String {
    date.map_or_else(String::new, |d| format!("{:04}-{:02}-{:02}", d.year, d.month, d.day))
}

/// `2026-11-20 14:05` in Beijing; empty when absent or out of range.
#[must_use]
pub fn time(at: Option<&Timestamp>) -> String {
    beijing(at).map_or_else(String::new, |at| at.strftime("%Y-%m-%d %H:%M").to_string())
}

/// The day in Beijing; none when absent or out of range.
#[must_use]
pub fn day_of(at: Option<&Timestamp>) -> Option<pb::Date> {
    let on = beijing(at)?.date();
    Some(pb::Date { year: on.year().into(), month: on.month().into(), day: on.day().into() })
}

/// `2026-11-20T14:05:09+08:00`; empty when absent or out of range.
#[must_use]
pub fn rfc3339(at: Option<&Timestamp>) -> String {
    beijing(at)
        .map_or_else(String::new, |at| at.strftime("%Y-%m-%dT%H:%M:%S%.3f+08:00").to_string())
}

/// Milliseconds since 1970 as a timestamp.
#[must_use]
pub fn from_millis(millis: i64) -> Timestamp {
    let nanos = i32::try_from(millis.rem_euclid(1000) * 1_000_000).unwrap_or(0);
    Timestamp { seconds: millis.div_euclid(1000), nanos }
}

/// Reads RFC 3339 with an offset, to milliseconds since 1970.
///
/// # Errors
/// A text for people.
pub fn parse_millis(text: &str) -> Result<i64, String> {
    let at: jiff::Timestamp = text.parse().map_err(|_| {
        format!("“{text}” 不是时间，应如 2026-11-20T14:05:00+08:00 · not RFC 3339 with an offset")
    })?;
    Ok(at.as_millisecond())
}

fn beijing(at: Option<&Timestamp>) -> Option<civil::DateTime> {
    let at = at?;
    let at = jiff::Timestamp::new(at.seconds, at.nanos).ok()?;
    Some(Offset::constant(8).to_datetime(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_printed() {
        let parsed = parse_date("2026-02-28").unwrap();
        assert_eq!(date(Some(&parsed)), "2026-02-28");
        for bad in ["2026-02-30", "20260228", "2026-2-28", "1848-01-01", "2026-02-28T00:00"] {
            assert!(parse_date(bad).is_err(), "{bad}");
        }
        assert_eq!(date(None), "");
    }

    #[test]
    fn times_are_shown_in_beijing() {
        let millis = parse_millis("2026-11-20T23:30:00Z").unwrap();
        assert_eq!(time(Some(&from_millis(millis))), "2026-11-21 07:30");
        assert_eq!(date(day_of(Some(&from_millis(millis))).as_ref()), "2026-11-21");
        assert_eq!(parse_millis("2026-11-21T07:30:00+08:00").unwrap(), millis);
        assert_eq!(rfc3339(Some(&from_millis(millis))), "2026-11-21T07:30:00.000+08:00");
        assert!(parse_millis("2026-11-21T07:30:00").is_err());
    }
}
