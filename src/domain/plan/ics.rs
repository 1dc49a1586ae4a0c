//! A plan as entries of a calendar (RFC 5545), for whatever calendar people use.
//!
//! One entry a day. The n-th day of a plan always has the same UID, and SEQUENCE grows with every
//! revision and amendment, so that an update moves the entries that a calendar has. Days that an
//! earlier revision had besides are sent as cancelled, and so are all of a plan that is cancelled.
//! Times are office hours; the plan itself knows only half days. They are written in UTC, so that
//! no rules of time zones are needed.
//!
//! SEQUENCE also grows with every change of STATUS. The organiser is the initiator; a city has no
//! address of mail here, so it is named by a URN.
//!
//! In scope: text, and which plans stand in a calendar. Out of scope: who may read it. A feed that
//! others may see shows times and nothing else ([`Shown::Busy`]). Its UIDs are hashes under a key
//! of the feed: nobody learns a plan's id from them, and nobody who has the feeds of two cities
//! matches them by their UIDs. Whoever holds the plan and the address can tell which entry it is.
//! RFC 5546 wants an organiser in what is published; a feed has none, since that names a city.
//!
//! Invariants:
//! 1. No line is longer than 75 octets, and no character is cut.
//!    (`lines_are_folded_between_characters`)
//! 2. An update has the UIDs of before and a higher SEQUENCE; surplus days are cancelled.
//!    (`updates_and_cancellations_keep_their_uids`)
//! 3. A feed of busy times tells no plan. (`a_feed_of_busy_times_shows_times_only`)
//! 4. What was settled leaves a calendar as cancelled.
//!    (`what_was_settled_and_is_cancelled_is_struck_out_until_its_day_is_over`)

mod listed;

pub use listed::{distance, first_day, is_in_feed, is_listed};

use super::state::{Plan, PlanStage};
use crate::domain::date::Date;
use crate::domain::half_day::Half;
use crate::ids::{Hash, SubjectId, hex};

/// Octets of a line without its end (RFC 5545, 3.1).
const LINE_OCTETS_MAX: usize = 75;
/// Minutes behind midnight in Beijing at which a morning begins and ends.
const MORNING: (i64, i64) = (8 * 60 + 30, 12 * 60);
/// Minutes behind midnight in Beijing at which an afternoon begins and ends.
const AFTERNOON: (i64, i64) = (14 * 60, 17 * 60 + 30);
/// Beijing is ahead of UTC by so many minutes.
const BEIJING_MIN: i64 = 8 * 60;

/// What a calendar shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown<'a> {
    /// All of it.
    All {
        /// The title.
        title: &'a str,
        /// Where people meet, or empty.
        place: &'a str,
        /// What else is said, or empty.
        text: &'a str,
        /// The name of the initiator.
        organizer: &'a str,
    },
    /// When somebody is busy.
    Busy {
        /// The same words for every entry.
        word: &'a str,
        /// What the UIDs are made with.
        key: &'a [u8; 32],
    },
}

/// A plan that goes into a calendar.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Which.
    pub id: SubjectId,
    /// The plan.
    pub plan: &'a Plan,
    /// What of it.
    pub shown: Shown<'a>,
    /// When its last entry was written, milliseconds since 1970-01-01 UTC.
    pub stamp_ms: i64,
}

/// The calendar of some plans.
#[must_use]
pub fn calendar<'a>(entries: impl IntoIterator<Item = Entry<'a>>) -> String {
    let mut out = Lines::default();
    out.line("BEGIN:VCALENDAR");
    out.line("VERSION:2.0");
    out.line("PRODID:-//liandong//joint actions//ZH");
    out.line("CALSCALE:GREGORIAN");
    out.line("METHOD:PUBLISH");
    for entry in entries {
        for day in days(entry.plan) {
            out.event(&entry, &day);
        }
    }
    out.line("END:VCALENDAR");
    out.text
}

/// One day.
struct Day {
    /// From 1.
    number: usize,
    on: Date,
    from: i64,
    until: i64,
    cancelled: bool,
}

/// The days of the plan, and behind them those that it once had besides.
fn days(plan: &Plan) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for day in &plan.facts.days {
        let on = day.at.on;
        let (from, until) = match day.at.half {
            Half::Morning => MORNING,
            Half::Afternoon => AFTERNOON,
        };
        match days.last_mut().filter(|last| last.on == on) {
            Some(last) => last.until = until,
            None => {
                let number = days.len() + 1;
                let cancelled = plan.stage == PlanStage::Cancelled;
                days.push(Day { number, on, from, until, cancelled });
            }
        }
    }
    let most = usize::try_from(plan.days_max).unwrap_or(0);
    if let Some(on) = days.last().map(|last| last.on) {
        for number in days.len() + 1..=most {
            let (from, until) = MORNING;
            days.push(Day { number, on, from, until, cancelled: true });
        }
    }
    days
}

/// Lines of a calendar.
#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn event(&mut self, entry: &Entry<'_>, day: &Day) {
        let Entry { id, plan, shown, stamp_ms } = *entry;
        let (status, transparency) = match (day.cancelled, plan.stage) {
            (true, _) | (false, PlanStage::Cancelled) => ("CANCELLED", "TRANSPARENT"),
            (false, PlanStage::Open) => ("TENTATIVE", "OPAQUE"),
            (false, PlanStage::Scheduled | PlanStage::Executing | PlanStage::Summarized) => {
                ("CONFIRMED", "OPAQUE")
            }
        };
        let time = |minute: i64| {
            let minutes = day.on.days_since_epoch() * 1_440 + minute - BEIJING_MIN;
            stamp(minutes * 60)
        };
        self.line("BEGIN:VEVENT");
        self.line(&format!("UID:{}", uid(id, day.number, shown)));
        self.line(&format!("DTSTAMP:{}", stamp(stamp_ms.div_euclid(1_000))));
        self.line(&format!("SEQUENCE:{}", plan.sequence()));
        self.line(&format!("DTSTART:{}", time(day.from)));
        self.line(&format!("DTEND:{}", time(day.until)));
        match shown {
            Shown::All { title, place, text, organizer } => {
                let name: String = organizer.chars().filter(|c| !"\";:,".contains(*c)).collect();
                self.line(&format!("ORGANIZER;CN={name}:urn:x-liandong:{}", plan.initiator));
                self.line(&format!("SUMMARY:{}", escaped(title)));
                for (name, value) in [("LOCATION", place), ("DESCRIPTION", text)] {
                    if !value.is_empty() {
                        self.line(&format!("{name}:{}", escaped(value)));
                    }
                }
            }
            Shown::Busy { word, .. } => self.line(&format!("SUMMARY:{}", escaped(word))),
        }
        self.line(&format!("STATUS:{status}"));
        self.line(&format!("TRANSP:{transparency}"));
        self.line("CLASS:PRIVATE");
        self.line("END:VEVENT");
    }

    /// Adds a line, folded where it is too long, never inside of a character.
    fn line(&mut self, line: &str) {
        let mut octets = 0;
        for c in line.chars() {
            if octets + c.len_utf8() > LINE_OCTETS_MAX {
                self.text.push_str("\r\n ");
                octets = 1;
            }
            self.text.push(c);
            octets += c.len_utf8();
        }
        self.text.push_str("\r\n");
    }
}

/// What tells an entry from others.
fn uid(id: SubjectId, number: usize, shown: Shown<'_>) -> String {
    match shown {
        Shown::All { .. } => format!("{id}-{number}@liandong"),
        Shown::Busy { key, .. } => {
            let number = number.to_string();
            let hash = Hash::of(&[b"liandong/busy/v1", key, id.as_bytes(), number.as_bytes()]);
            format!("{}@liandong", hex(hash.as_bytes()))
        }
    }
}

/// A value of type TEXT (3.3.11).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => {}
            c => out.push(c),
        }
    }
    out
}

/// `20260414T003000Z`; the first day there is when it lies outside the range of dates.
fn stamp(seconds: i64) -> String {
    let on = Date::from_days_since_epoch(seconds.div_euclid(86_400)).unwrap_or(Date::EARLIEST);
    let of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let (year, month, day) = (on.year(), on.month(), on.day());
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}
