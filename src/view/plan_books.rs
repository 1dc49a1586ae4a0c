//! Which units are booked by plans: by what each city has said last of its own.
//!
//! A booking is of the city's newest answer to any revision, in the chain or not, with the units it
//! said last behind it, until it frees them ([`crate::domain::plan::booking`]). The rows lie by
//! unit, so that the calendar of a unit is read without the plans, and by city, so that the books
//! of one city are read without those of others.
//!
//! In scope: keeping the rows. Out of scope: whose a unit is (who reads asks for what its own city
//! says), until when something is held (whoever knows the day).

use serde::{Deserialize, Serialize};

use super::keys;
use super::plan_view::plan_facts_at;
use super::plan_words::{Spoken, WordSort, plan_word_at, plan_words};
use super::rows::{ReadRows, Rows, get, put};
use super::unit_view::Place;
use crate::domain::plan::answer::Said;
use crate::domain::plan::booking::booking;
use crate::domain::plan::{PlanAct, PlanDay, Sent};
use crate::domain::unit::calendar;
use crate::domain::{Date, HalfDay};
use crate::ids::{AgreementId, CityCode, Position, SubjectId};

/// What a city has booked for a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booked {
    /// The entry that made the revision for whose half days it is.
    pub revision: Position,
    /// The units, with when they are busy: first and last half days by their numbers.
    pub units: Vec<(SubjectId, Vec<(i64, i64)>)>,
    /// Last day on which they are only held; booked when absent.
    pub hold_until: Option<Date>,
    /// Number of the last half day of the revision.
    pub ends: i64,
}

/// The newest answer of a city, and what comes of it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    answer: Place,
    revision: Position,
    booked: Option<Booked>,
}

/// A unit as a plan has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitBooked {
    /// When it is busy.
    pub busy: Vec<(i64, i64)>,
    /// Last day on which it is only held.
    pub hold_until: Option<Date>,
}

/// The plans that have a unit, by what its own city says: what others say books nobody.
pub fn unit_bookings(
    rows: &(impl ReadRows + ?Sized),
    (agreement, unit): (AgreementId, SubjectId),
    city: CityCode,
    f: &mut dyn FnMut(SubjectId, UnitBooked),
) {
    let (from, to) = ends(&|plan| keys::unit_booked(agreement, (city, unit), plan));
    rows.scan(&from, &to, false, &mut |key, value| {
        let plan = key.last_chunk::<16>().map(|id| SubjectId::new(*id));
        let found = plan.zip(postcard::from_bytes::<UnitBooked>(value).ok());
        found.into_iter().for_each(|(plan, booked)| f(plan, booked));
        true
    });
}

/// What a city has booked in an agreement, plan by plan in the order of their ids, until `f` says
/// no.
pub fn bookings_of(
    rows: &(impl ReadRows + ?Sized),
    (agreement, city): (AgreementId, CityCode),
    f: &mut dyn FnMut(SubjectId, Booked) -> bool,
) {
    let (from, to) = ends(&|plan| keys::city_booked(agreement, city, plan));
    rows.scan(&from, &to, false, &mut |key, value| {
        let plan = key.last_chunk::<16>().map(|id| SubjectId::new(*id));
        let row = postcard::from_bytes::<Row>(value).ok();
        let found = plan.zip(row.and_then(|row| row.booked));
        found.is_none_or(|(plan, booked)| f(plan, booked))
    });
}

/// What a city has booked for one plan.
#[must_use]
pub fn booked(
    rows: &(impl ReadRows + ?Sized),
    (agreement, plan): (AgreementId, SubjectId),
    city: CityCode,
) -> Option<Booked> {
    get::<Row>(rows, &keys::city_booked(agreement, city, plan))?.booked
}

fn ends(key: &dyn Fn(SubjectId) -> Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let mut to = key(SubjectId::new([255; 16]));
    to.push(0);
    (key(SubjectId::new([0; 16])), to)
}

/// Works out again what a city has booked for a plan, after it has said something more. However
/// much it has said, only its newest answer and what it said last behind that are read.
pub(super) fn rebook<R: Rows>(
    rows: &mut R,
    record: (AgreementId, SubjectId),
    city: CityCode,
    (place, act): (Place, &PlanAct),
) {
    let (agreement, plan) = record;
    let key = keys::city_booked(agreement, city, plan);
    let before: Option<Row> = get(rows, &key);
    let newest = before.as_ref().map(|row| (row.answer, row.revision));
    let is_answer = WordSort::of(&act.word) == WordSort::Answer;
    let newest = match newest {
        Some(newest) if !is_answer || place < newest.0 => newest,
        Some(_) | None if is_answer => (place, act.revision),
        // Behind no answer that has come: it is read with the answer.
        Some(_) | None => return,
    };
    for (unit, _) in before.and_then(|row| row.booked).into_iter().flat_map(|one| one.units) {
        rows.delete(&keys::unit_booked(agreement, (city, unit), plan));
    }
    let booked = work_out(rows, record, city, newest);
    for (unit, busy) in booked.iter().flat_map(|one| &one.units) {
        let hold_until = booked.as_ref().and_then(|one| one.hold_until);
        let row = UnitBooked { busy: busy.clone(), hold_until };
        put(rows, keys::unit_booked(agreement, (city, *unit), plan), &row);
    }
    put(rows, key, &Row { answer: newest.0, revision: newest.1, booked });
}

fn work_out(
    rows: &impl ReadRows,
    record: (AgreementId, SubjectId),
    city: CityCode,
    (place, revision): (Place, Position),
) -> Option<Booked> {
    let answer = plan_word_at(rows, record, (WordSort::Answer, city), (revision, place))?;
    let newest = |sort: WordSort| {
        let mut newest: Option<Spoken> = None;
        plan_words(rows, record, (sort, city), Some(revision), &mut |spoken| {
            newest = Some(spoken);
            false
        });
        newest
    };
    let swap = newest(WordSort::Swap);
    // What has passed when a city sends somebody keeps him from nothing.
    let said_ms = swap.iter().filter(|swap| swap.place > place).map(|swap| swap.record_time_ms);
    let said_ms = said_ms.fold(answer.record_time_ms, i64::max);
    let from = Date::beijing(said_ms).map_or(i64::MIN, |on| HalfDay::morning(on).number());
    let all = [Some(answer), swap, newest(WordSort::Release)];
    let said: Vec<Said<'_, Place>> =
        all.iter().flatten().map(|one| Said { place: one.place, act: &one.act }).collect();
    let found = booking(said)?;
    let days = plan_facts_at(rows, found.revision)?.days;
    Some(Booked {
        revision: found.revision,
        units: half_days(found.sent, &days, from),
        hold_until: found.hold_until,
        ends: days.last().map_or(0, |day| day.at.number()),
    })
}

/// When each unit is busy, from a half day on.
fn half_days(sent: &Sent, days: &[PlanDay], from: i64) -> Vec<(SubjectId, Vec<(i64, i64)>)> {
    let of = |one: &crate::domain::plan::SentUnit| {
        let mut busy = Vec::new();
        for (_, day) in days.iter().enumerate().filter(|(place, _)| one.comes(*place)) {
            let number = day.at.number();
            if number >= from {
                calendar::join(&mut busy, (number, number));
            }
        }
        (one.unit, busy)
    };
    sent.units.iter().map(of).collect()
}
