//! Busy times out of a calendar file (.ics, RFC 5545).
//!
//! In scope: which half days the events of a file touch. Out of scope: the grammar of the file,
//! which the `icalendar` crate reads; which days a series has ([`rule`]); what is sent
//! ([`super::import`]): never a title.
//!
//! An event is busy unless it says otherwise (TRANSP:TRANSPARENT) or was cancelled. Times are taken
//! to Beijing; one without a zone is of Beijing. Morning is before 12:00, and an event makes every
//! half day busy that it touches. What cannot be read for sure is told, and never guessed at.

mod rule;

use std::collections::HashSet;

use icalendar::parser::{Component, Property, read_calendar};
use jiff::civil::{self, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Span, SpanRelativeTo};

use crate::domain::{Date, Half, HalfDay};
use crate::lang::Lang;
use crate::limits::{ICS_DEPTH_MAX, ICS_EVENTS_MAX, ICS_STARTS_MAX};
use rule::Rule;

/// Why an event was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It has no beginning, or one that is no date or time.
    Start,
    /// Its end or duration is none, or lies before its beginning.
    End,
    /// Its time zone is not known here.
    Zone,
    /// It is a series of a kind that is not read.
    Series,
    /// It is a series without an end.
    Endless,
    /// The file has more events than are read, or a series more days.
    TooMany,
    /// It is a series that has run for more than ten years.
    Old,
    /// A day that is left out of its series is none.
    Exception,
    /// It changes a series from one day on.
    ThisAndFuture,
    /// It is no event but busy times without one (VFREEBUSY).
    BusyTimes,
    /// It ends further ahead than anything may be blocked.
    TooFar,
}

impl Why {
    /// For people.
    #[must_use]
    pub fn text(self, lang: Lang) -> &'static str {
        match self {
            Self::Start => lang.pick("没有开始时间，或时间有误", "it has no beginning"),
            Self::End => lang.pick("结束时间有误", "its end cannot be"),
            Self::Zone => lang.pick("时区不明", "its time zone is unknown"),
            Self::Series => lang.pick(
                "重复规则过于复杂，只读每天、每周的重复",
                "of series only daily and weekly ones are read",
            ),
            Self::Endless => {
                lang.pick("重复没有结束日期，请在日历中设定", "the series has no end; set one")
            }
            Self::TooMany => lang.pick("日程过多", "there are too many events"),
            Self::Old => lang.pick(
                "重复已持续十年以上，请从近期重新设定",
                "the series began over ten years ago; begin it anew",
            ),
            Self::Exception => {
                lang.pick("重复中除去的日期有误", "a day left out of the series is none")
            }
            Self::ThisAndFuture => lang.pick(
                "从某天起改动了重复，请把它设为两条日程",
                "it changes a series from a day on; make it two series",
            ),
            Self::BusyTimes => lang.pick(
                "只有忙闲时段（VFREEBUSY），不是日程",
                "busy times without an event (VFREEBUSY)",
            ),
            Self::TooFar => {
                lang.pick("结束日期超出今后三年，不能登记", "it ends more than three years ahead")
            }
        }
    }
}

/// Why a file is none that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It is not UTF-8.
    Utf8,
    /// It is no calendar.
    Grammar,
}

/// An event that is busy: one occurrence of a series, or all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Busy {
    /// What it is called; for the person who imports, and for nobody else.
    pub title: String,
    /// The first half day it touches.
    pub first: HalfDay,
    /// The last one.
    pub last: HalfDay,
}

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Busy events, in the order of the file.
    pub busy: Vec<Busy>,
    /// Events that make nobody busy: free or cancelled.
    pub free: usize,
    /// Events that were not read, and why.
    pub unread: Vec<(String, Why)>,
}

/// Reads a file.
///
/// # Errors
/// [`Broken`].
pub fn read(bytes: &[u8]) -> Result<Calendar, Broken> {
    let text = unfolded(bytes);
    let text = std::str::from_utf8(&text).map_err(|_| Broken::Utf8)?;
    check_nesting(text)?;
    let calendar = read_calendar(text).map_err(|_| Broken::Grammar)?;
    if calendar.components.is_empty() && calendar.properties.is_empty() {
        return Err(Broken::Grammar);
    }
    let named = |one: &&Component<'_>, name| one.name.as_str().eq_ignore_ascii_case(name);
    let all = calendar.components.iter();
    let events: Vec<&Component<'_>> = all.clone().filter(|one| named(one, "VEVENT")).collect();
    let moved = moved(&events);
    let mut found = Calendar::default();
    for times in all.filter(|one| named(one, "VFREEBUSY")).take(ICS_EVENTS_MAX) {
        let title = value(times, "SUMMARY").unwrap_or_default().to_owned();
        found.unread.push((title, Why::BusyTimes));
    }
    for event in &events {
        let title = value(event, "SUMMARY").unwrap_or_default().to_owned();
        if is_free(event) {
            found.free += 1;
        } else if found.busy.len() + found.unread.len() >= ICS_EVENTS_MAX {
            found.unread.push((title, Why::TooMany));
            break;
        } else {
            match occurrences(event, &moved) {
                Ok(all) => found.busy.extend(all.into_iter().map(|(first, last)| Busy {
                    title: title.clone(),
                    first,
                    last,
                })),
                Err(why) => found.unread.push((title, why)),
            }
        }
    }
    Ok(found)
}

/// The lines in one piece each, and each with the end that the standard gives it (RFC 5545, 3.1);
/// the reader takes a long time over others, or loses what lies between two kinds. A line may be
/// folded within a character, so this comes before anything is text. Empty lines say nothing.
fn unfolded(bytes: &[u8]) -> Vec<u8> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut out = Vec::with_capacity(bytes.len());
    for line in bytes.split(|byte| matches!(byte, b'\r' | b'\n')) {
        match line {
            [] => {}
            [b' ' | b'\t', folded @ ..] => out.extend_from_slice(folded),
            _ => {
                if !out.is_empty() {
                    out.extend_from_slice(b"\r\n");
                }
                out.extend_from_slice(line);
            }
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

fn behind<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let (head, rest) = line.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(rest)
}

/// Every component ends, within the one it begins in, and few lie in each other: the reader goes
/// down by calling itself.
fn check_nesting(text: &str) -> Result<(), Broken> {
    let mut open: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(name) = behind(line, "BEGIN:") {
            open.push(name.trim());
        } else if let Some(name) = behind(line, "END:") {
            let begun = open.pop();
            if begun.is_none_or(|begun| !begun.eq_ignore_ascii_case(name.trim())) {
                return Err(Broken::Grammar);
            }
        }
        if open.len() > ICS_DEPTH_MAX {
            return Err(Broken::Grammar);
        }
    }
    if open.is_empty() { Ok(()) } else { Err(Broken::Grammar) }
}

fn properties<'a>(event: &'a Component<'a>, name: &str) -> impl Iterator<Item = &'a Property<'a>> {
    event.properties.iter().filter(move |one| one.name.as_str().eq_ignore_ascii_case(name))
}

fn property<'a>(event: &'a Component<'a>, name: &str) -> Option<&'a Property<'a>> {
    properties(event, name).next()
}

fn value<'a>(event: &'a Component<'a>, name: &str) -> Option<&'a str> {
    property(event, name).map(|one| one.val.as_str().trim())
}

fn is_free(event: &Component<'_>) -> bool {
    let says = |name, free: &str| value(event, name).is_some_and(|v| v.eq_ignore_ascii_case(free));
    says("TRANSP", "TRANSPARENT") || says("STATUS", "CANCELLED")
}

/// Occurrences of series that events of their own stand for, also where these are free.
fn moved<'a>(events: &[&'a Component<'a>]) -> HashSet<(&'a str, DateTime)> {
    let of = |event: &&'a Component<'a>| {
        let at = Moment::read(property(event, "RECURRENCE-ID")?).ok()?;
        Some((value(event, "UID")?, at.beijing()?))
    };
    events.iter().filter_map(of).collect()
}

/// A date, or a time in a zone.
#[derive(Clone)]
pub(super) struct Moment {
    /// As the file says it; of a date the midnight before.
    at: DateTime,
    zone: Zone,
}

#[derive(Clone)]
enum Zone {
    /// A whole day.
    Day,
    Beijing,
    Of(TimeZone),
}

impl Moment {
    fn read(property: &Property<'_>) -> Result<Self, Why> {
        let zone = property.params.iter().find(|one| one.key.as_str().eq_ignore_ascii_case("TZID"));
        let zone =
            zone.and_then(|one| one.val.as_ref()).map(|zone| zone.as_str().trim_matches('"'));
        Self::parse(property.val.as_str().trim(), zone)
    }

    fn parse(text: &str, zone: Option<&str>) -> Result<Self, Why> {
        if let Some(day) = parse_day(text) {
            return Ok(Self { at: day.to_datetime(civil::Time::midnight()), zone: Zone::Day });
        }
        let (text, zone) = match text.strip_suffix(['Z', 'z']) {
            Some(text) => (text, Zone::Of(TimeZone::UTC)),
            None => (text, named_zone(zone)?),
        };
        let (day, time) = text.split_once(['T', 't']).ok_or(Why::Start)?;
        let at = parse_day(day).zip(parse_time(time)).ok_or(Why::Start)?;
        Ok(Self { at: at.0.to_datetime(at.1), zone })
    }

    /// The same moment on the clocks of Beijing; of a day its midnight.
    fn beijing(&self) -> Option<DateTime> {
        match &self.zone {
            Zone::Day | Zone::Beijing => Some(self.at),
            Zone::Of(zone) => {
                let at = zone.to_ambiguous_timestamp(self.at).compatible().ok()?;
                Some(Offset::constant(8).to_datetime(at))
            }
        }
    }

    /// The same time of another day.
    fn on(&self, day: civil::Date) -> Self {
        Self { at: day.to_datetime(self.at.time()), zone: self.zone.clone() }
    }

    const fn is_day(&self) -> bool {
        matches!(self.zone, Zone::Day)
    }
}

fn parse_day(text: &str) -> Option<civil::Date> {
    let digits = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<i16>().ok();
    let (month, day) = (part(4..6)?, part(6..8)?);
    let date = civil::Date::new(part(0..4)?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    digits.then_some(date)
}

fn parse_time(text: &str) -> Option<civil::Time> {
    let digits = text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit());
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<i8>().ok();
    // A leap second is the one before it.
    let time = civil::Time::new(part(0..2)?, part(2..4)?, part(4..6)?.min(59), 0).ok()?;
    digits.then_some(time)
}

/// A zone by its name; Windows has its own for Beijing.
fn named_zone(name: Option<&str>) -> Result<Zone, Why> {
    match name {
        None | Some("Asia/Shanghai" | "PRC" | "China Standard Time") => Ok(Zone::Beijing),
        Some(name) if name.contains("UTC+08:00") => Ok(Zone::Beijing),
        Some(name) => TimeZone::get(name).map(Zone::Of).map_err(|_| Why::Zone),
    }
}

/// The half days of an event, or of every occurrence of its series.
fn occurrences(
    event: &Component<'_>,
    moved: &HashSet<(&str, DateTime)>,
) -> Result<Vec<(HalfDay, HalfDay)>, Why> {
    let start = Moment::read(property(event, "DTSTART").ok_or(Why::Start)?)?;
    let begins = start.beijing().ok_or(Why::Start)?;
    let lasts = lasts(event, &start, begins)?;
    let range = |one: &Property<'_>| {
        one.params.iter().any(|param| param.key.as_str().eq_ignore_ascii_case("RANGE"))
    };
    if property(event, "RECURRENCE-ID").is_some_and(range) {
        return Err(Why::ThisAndFuture);
    }
    if property(event, "RDATE").is_some() || properties(event, "RRULE").count() > 1 {
        return Err(Why::Series);
    }
    let Some(rule) = value(event, "RRULE") else {
        return half_days(begins, lasts).map(|one| vec![one]);
    };
    let days = Rule::parse(rule, &start)?.days(&start, ICS_STARTS_MAX)?;
    let mut out = HashSet::new();
    for property in properties(event, "EXDATE") {
        for text in property.val.as_str().split(',') {
            let one = Property { val: text.into(), ..property.clone() };
            let left_out = Moment::read(&one).map_err(|_| Why::Exception)?;
            out.insert(left_out.beijing().ok_or(Why::Exception)?);
        }
    }
    let uid = value(event, "UID").unwrap_or_default();
    let mut all = Vec::new();
    for day in days {
        let begins = start.on(day).beijing().ok_or(Why::Start)?;
        if !out.contains(&begins) && !moved.contains(&(uid, begins)) {
            all.push(half_days(begins, lasts)?);
        }
    }
    Ok(all)
}

/// How long an event lasts: by its end, its duration, or what its beginning says.
fn lasts(event: &Component<'_>, start: &Moment, begins: DateTime) -> Result<SignedDuration, Why> {
    let lasts = match (property(event, "DTEND"), value(event, "DURATION")) {
        (Some(end), _) => {
            let end =
                Moment::read(end).map_err(|why| if why == Why::Zone { why } else { Why::End })?;
            if end.is_day() != start.is_day() {
                return Err(Why::End);
            }
            end.beijing().ok_or(Why::End)?.duration_since(begins)
        }
        (None, Some(text)) => {
            let span: Span = text.parse().map_err(|_| Why::End)?;
            span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| Why::End)?
        }
        (None, None) => SignedDuration::ZERO,
    };
    let least = if start.is_day() { SignedDuration::from_hours(24) } else { SignedDuration::ZERO };
    if lasts.is_negative() { Err(Why::End) } else { Ok(lasts.max(least)) }
}

/// The half days that an event touches; one that ends at noon does not touch the afternoon.
fn half_days(begins: DateTime, lasts: SignedDuration) -> Result<(HalfDay, HalfDay), Why> {
    let second = SignedDuration::from_secs(1).min(lasts);
    let ends = begins.checked_add(lasts - second).map_err(|_| Why::End)?;
    let half_day = |at: DateTime| {
        let (month, day) = (u8::try_from(at.month()).ok()?, u8::try_from(at.day()).ok()?);
        let on = Date::new(at.year().into(), month, day).ok()?;
        Some(HalfDay { on, half: if at.hour() < 12 { Half::Morning } else { Half::Afternoon } })
    };
    Ok((half_day(begins).ok_or(Why::Start)?, half_day(ends).ok_or(Why::End)?))
}

#[cfg(test)]
mod tests;
