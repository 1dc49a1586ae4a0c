//! Series of events: daily and weekly ones that end.
//!
//! In scope: FREQ, INTERVAL, COUNT, UNTIL, BYDAY without numbers, WKST. Out of scope: everything
//! else, which is told and not read.

use jiff::civil::{Date, Weekday};

use super::{Moment, Why};

/// Days of a series that are looked at: ten years.
const DAYS_MAX: i32 = 3_660;

/// A series.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule {
    weekly: bool,
    interval: i32,
    end: End,
    days: Vec<Weekday>,
    week_begins: Weekday,
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    Count(usize),
    /// Its last moment, on the clocks of Beijing.
    Until(jiff::civil::DateTime),
}

impl Rule {
    /// Reads a rule of an event that begins at `start`.
    pub(super) fn parse(text: &str, start: &Moment) -> Result<Self, Why> {
        let (mut weekly, mut interval, mut end) = (None, 1, None);
        let (mut days, mut week_begins) = (Vec::new(), Weekday::Monday);
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(Why::Series)?;
            match (name.to_ascii_uppercase().as_str(), value.trim()) {
                ("FREQ", "DAILY") => weekly = Some(false),
                ("FREQ", "WEEKLY") => weekly = Some(true),
                ("INTERVAL", value) => {
                    interval = value.parse().ok().filter(|n| *n > 0).ok_or(Why::Series)?;
                }
                ("COUNT", value) => end = Some(End::Count(value.parse().map_err(|_| Why::Series)?)),
                ("UNTIL", value) => end = Some(End::Until(until(value, start)?)),
                ("BYDAY", value) => {
                    let read = value.split(',').map(|day| weekday(day).ok_or(Why::Series));
                    days = read.collect::<Result<_, _>>()?;
                }
                ("WKST", value) => week_begins = weekday(value).ok_or(Why::Series)?,
                _ => return Err(Why::Series),
            }
        }
        let (weekly, end) = (weekly.ok_or(Why::Series)?, end.ok_or(Why::Endless)?);
        if weekly && days.is_empty() {
            days.push(start.at.weekday());
        }
        // Whether the first day belongs to the series then, programs do not agree (RFC 5545,
        // 3.8.5.3).
        if !days.is_empty() && !days.contains(&start.at.weekday()) {
            return Err(Why::Series);
        }
        Ok(Self { weekly, interval, end, days, week_begins })
    }

    /// The days of the series, at most so many.
    pub(super) fn days(&self, start: &Moment, most: usize) -> Result<Vec<Date>, Why> {
        let first = start.at.date();
        let (mut day, mut found) = (first, Vec::new());
        for nth in 0..DAYS_MAX {
            let past = match self.end {
                End::Count(count) => found.len() >= count,
                End::Until(last) => start.on(day).beijing().is_none_or(|at| at > last),
            };
            if past {
                return Ok(found);
            }
            if self.has(first, day, nth) {
                if found.len() >= most {
                    return Err(Why::TooMany);
                }
                found.push(day);
            }
            day = day.tomorrow().map_err(|_| Why::Series)?;
        }
        Err(Why::Old)
    }

    fn has(&self, first: Date, day: Date, nth: i32) -> bool {
        let in_turn = if self.weekly {
            let into_week = i32::from(self.week_begins.until(first.weekday()));
            ((nth + into_week) / 7) % self.interval == 0
        } else {
            nth % self.interval == 0
        };
        in_turn && (self.days.is_empty() || self.days.contains(&day.weekday()))
    }
}

/// The last moment; of a day its end.
fn until(text: &str, start: &Moment) -> Result<jiff::civil::DateTime, Why> {
    let mut until = Moment::parse(text, None).map_err(|_| Why::Series)?;
    if until.is_day() {
        return Ok(until.at.date().to_datetime(jiff::civil::Time::MAX));
    }
    if !text.ends_with(['Z', 'z']) {
        // A time without a zone is one of the event's own.
        until.zone = start.zone.clone();
    }
    until.beijing().ok_or(Why::Series)
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text.trim().to_ascii_uppercase().as_str() {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    })
}
