//! A unit comes to the same in every order, and so do its busy half days.

use super::super::{Effect, FoldEntry, MemRows, UnitView, apply, fold_hash};
use super::super::{unit, unit_busy, units, whole_city};
use super::{AGREEMENT, Written, bare, city, log, members};
use crate::domain::unit::{UnitAct, UnitFacts, calendar};
use crate::domain::{Date, Department, Event, Period, UnitKind};
use crate::ids::{Hash, Position, SubjectId};
use crate::log::{Audience, Envelope, Head, PartKind, PartRef, Subject, SubjectKind, subject_id};

const OWNER: u32 = 371_500;
const OTHER: u32 = 130_400;

fn opening() -> Position {
    Position { log: log(1), index: 0 }
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn officer(until: &str, retired: bool) -> UnitFacts {
    UnitFacts {
        kind: UnitKind::Officer,
        department: Some(Department::Water),
        valid_from: Some(day("2024-01-01")),
        valid_until: Some(day(until)),
        retired,
    }
}

/// An entry about the unit that the first entry of log 1 opens; who saw that says so.
fn entry((n, code, epoch): (u8, u32, u64), index: u64, event: Event, saw: bool) -> Written {
    let id = (n != 1 || index > 0).then(|| subject_id(opening()));
    let after = match saw && n != 1 {
        true => vec![Head { log: log(1), size: 1, root: Hash::new([0; 32]) }],
        false => Vec::new(),
    };
    let has_record =
        matches!(event, Event::UnitRegistered { .. } | Event::UnitAct(UnitAct::Changed { .. }));
    let part = PartRef {
        kind: PartKind::Unit,
        audience: Audience::AllMembers,
        digest: Hash::new([9; 32]),
    };
    let parts = has_record.then_some(part).into_iter().collect();
    let subject = Subject { kind: SubjectKind::Unit, id };
    let record_time_ms = i64::from(n) * 1_000;
    let envelope = Envelope { subject, after, record_time_ms, parts, ..bare(n, index) };
    Written { city: city(code), epoch, envelope, event }
}

fn periods(texts: &[&str]) -> Vec<Period> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn blocked(texts: &[&str]) -> Event {
    Event::UnitAct(UnitAct::Blocked { periods: periods(texts) })
}

fn freed(texts: &[&str]) -> Event {
    Event::UnitAct(UnitAct::Freed { periods: periods(texts) })
}

fn changed(facts: UnitFacts) -> Event {
    Event::UnitAct(UnitAct::Changed { facts })
}

fn registered(facts: UnitFacts) -> Event {
    Event::UnitRegistered { facts }
}

fn add(rows: &mut MemRows, written: &Written, apply_number: u64) -> Effect {
    let members = members();
    let Written { city, epoch, envelope, event } = written;
    let (agreement, city, epoch, prologue) = (AGREEMENT, *city, *epoch, None);
    let members = members.as_slice();
    let entry = FoldEntry { agreement, city, epoch, prologue, members, envelope, event };
    apply(rows, &entry, apply_number).effect
}

fn shown(rows: &MemRows) -> UnitView {
    unit(rows, AGREEMENT, subject_id(opening())).unwrap()
}

fn busy(rows: &MemRows, subject: SubjectId) -> Vec<String> {
    let view = unit(rows, AGREEMENT, subject).unwrap();
    let stretches = unit_busy(rows, (AGREEMENT, subject), &view);
    calendar::periods(&stretches).iter().map(ToString::to_string).collect()
}

#[test]
fn a_unit_is_the_same_in_every_order() {
    let first = officer("2026-12-31", false);
    let second = officer("2027-12-31", false);
    let third = officer("2028-12-31", true);
    // Its city writes in three logs, as after two restores: of each half day, and of the facts, the
    // newest epoch counts, whatever came first here. Another city may say nothing.
    let all = [
        entry((1, OWNER, 1), 0, registered(first), true),
        entry(
            (1, OWNER, 1),
            1,
            blocked(&["2026-07-01 至 2026-07-10", "2026-12-30 至 2027-01-02"]),
            true,
        ),
        entry((1, OWNER, 1), 2, freed(&["2026-07-05 至 2026-07-06上午"]), true),
        entry((2, OWNER, 2), 0, changed(third), true),
        entry((2, OWNER, 2), 1, blocked(&["2026-07-06上午"]), true),
        entry((3, OWNER, 3), 0, freed(&["2026-07-09", "2027-01-01"]), true),
        entry((3, OWNER, 3), 1, changed(second), true),
        entry((4, OTHER, 1), 0, freed(&["2026-07-01 至 2026-07-10"]), true),
        entry((4, OTHER, 1), 1, changed(first), true),
        entry((5, OTHER, 2), 0, blocked(&["2026-08-01"]), false),
    ];
    let fold = |order: &[usize]| {
        let mut rows = MemRows::default();
        for (apply_number, at) in (1..).zip(order) {
            add(&mut rows, &all[*at], apply_number);
        }
        (fold_hash(&rows, AGREEMENT, &[]), shown(&rows), busy(&rows, subject_id(opening())))
    };
    let (hash, view, times) = fold(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(view.facts, second, "the newest epoch");
    assert_eq!((view.facts_at.at.log, view.facts_at.at.index), (log(3), 1));
    assert_eq!(view.record_at, Some(view.facts_at));
    assert_eq!(view.misfit_count, 2, "the other city, where it had seen the unit");
    assert_eq!(
        times,
        [
            "2026-07-01 AM to 2026-07-04 PM",
            "2026-07-06 AM to 2026-07-08 PM",
            "2026-07-10",
            "2026-12-30 AM to 2026-12-31 PM",
            "2027-01-02",
        ]
    );
    for order in [
        [0, 6, 5, 4, 3, 2, 1, 7, 8, 9],
        [0, 5, 1, 6, 2, 9, 3, 8, 4, 7],
        [0, 9, 8, 7, 4, 6, 1, 3, 5, 2],
        [0, 3, 7, 2, 5, 1, 8, 6, 9, 4],
    ] {
        let (other, view, there) = fold(&order);
        assert_eq!((other, there), (hash, times.clone()), "{order:?}");
        assert_eq!(view.facts, second);
    }
}

#[test]
fn what_cannot_be_opens_nothing() {
    for (facts, opens) in [
        (officer("2026-12-31", false), true),
        (UnitFacts::WHOLE_CITY, true),
        (officer("2023-12-31", false), false),
        (UnitFacts { department: None, ..officer("2026-12-31", false) }, false),
    ] {
        let mut rows = MemRows::default();
        let effect = add(&mut rows, &entry((1, OWNER, 1), 0, registered(facts), true), 1);
        let misfit = Effect::Misfit("UNIT_INVALID".to_owned());
        assert_eq!(effect, if opens { Effect::Opened } else { misfit }, "{facts:?}");
        let mut found = 0;
        units(&rows, AGREEMENT, None, &mut |_, _| {
            found += 1;
            true
        });
        assert_eq!(found, u32::from(opens));
        // What is said of it has nothing to be said of.
        let added = add(&mut rows, &entry((1, OWNER, 1), 1, blocked(&["2026-07-01"]), true), 2);
        let unseen = Effect::Misfit("SUBJECT_UNSEEN".to_owned());
        assert_eq!(added == unseen, !opens, "{facts:?}");
    }
    // Another kind than it was opened as.
    let mut rows = MemRows::default();
    add(&mut rows, &entry((1, OWNER, 1), 0, registered(officer("2026-12-31", false)), true), 1);
    let boat = UnitFacts { kind: UnitKind::Boat, ..officer("2026-12-31", false) };
    let effect = add(&mut rows, &entry((1, OWNER, 1), 1, changed(boat), true), 2);
    assert_eq!(effect, Effect::Misfit("UNIT_INVALID".to_owned()));
}

/// A restored city that had not yet seen its first calendar opens another one; they are one.
#[test]
fn two_calendars_of_a_whole_city_are_one() {
    let mut rows = MemRows::default();
    let second = Position { log: log(2), index: 0 };
    let open = |n, epoch| {
        let mut written = entry((n, OWNER, epoch), 0, registered(UnitFacts::WHOLE_CITY), false);
        written.envelope.subject.id = None;
        written.envelope.parts.clear();
        written
    };
    add(&mut rows, &open(1, 1), 1);
    add(&mut rows, &open(2, 2), 2);
    add(&mut rows, &entry((1, OWNER, 1), 1, blocked(&["2026-07-01 至 2026-07-04"]), true), 3);
    let mut free = entry((2, OWNER, 2), 1, freed(&["2026-07-02"]), false);
    free.envelope.subject.id = Some(subject_id(second));
    add(&mut rows, &free, 4);
    let calendars = whole_city(&rows, AGREEMENT, city(OWNER));
    assert_eq!(calendars.len(), 2);
    for subject in calendars {
        assert_eq!(busy(&rows, subject), ["2026-07-01", "2026-07-03 AM to 2026-07-04 PM"]);
    }
    assert!(whole_city(&rows, AGREEMENT, city(OTHER)).is_empty());
}

/// What was so on a day is judged by that day, whatever has become of an officer since.
#[test]
fn an_officer_counted_while_he_served_and_his_certificate_was_valid() {
    let on = |retired: bool| {
        let mut rows = MemRows::default();
        add(&mut rows, &entry((1, OWNER, 1), 0, registered(officer("2026-12-10", false)), true), 1);
        let mut gone = entry((2, OWNER, 2), 0, changed(officer("2026-12-10", retired)), true);
        gone.envelope.record_time_ms = day("2026-12-05").beijing_ms().start;
        add(&mut rows, &gone, 2);
        let view = shown(&rows);
        ["2023-12-31", "2024-01-01", "2026-12-04", "2026-12-05", "2026-12-10", "2026-12-11"]
            .map(|text| view.counted_on(day(text)))
    };
    assert_eq!(on(false), [false, true, true, true, true, false]);
    assert_eq!(on(true), [false, true, true, false, false, false], "retired on the fifth");
}
