//! The city as a whole has one calendar, in however many of its logs it was opened; and of a unit
//! only the years that are asked for are read.

use super::super::{FoldEntry, MemRows, apply, fold_hash};
use super::super::{unit, unit_busy, unit_busy_in, whole_city};
use super::{AGREEMENT, Written, bare, city, log, members};
use crate::domain::unit::{UnitAct, UnitFacts, calendar};
use crate::domain::{Event, Period};
use crate::ids::{Position, SubjectId};
use crate::log::{Envelope, Subject, SubjectKind, subject_id};

const OWNER: u32 = 371_500;

fn entry(n: u8, index: u64, event: Event) -> Written {
    let opening = Position { log: log(n), index: 0 };
    let subject = Subject { kind: SubjectKind::Unit, id: (index > 0).then(|| subject_id(opening)) };
    let envelope = Envelope { subject, ..bare(n, index) };
    Written { city: city(OWNER), epoch: n.into(), envelope, event }
}

fn periods(texts: &[&str]) -> Vec<Period> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn fold(all: &[&Written]) -> MemRows {
    let mut rows = MemRows::default();
    for (number, one) in (1..).zip(all) {
        let entry = FoldEntry {
            agreement: AGREEMENT,
            city: one.city,
            epoch: one.epoch,
            prologue: None,
            members: &members(),
            envelope: &one.envelope,
            event: &one.event,
        };
        apply(&mut rows, &entry, number);
    }
    rows
}

fn said(rows: &MemRows, subject: SubjectId) -> Vec<String> {
    let view = unit(rows, AGREEMENT, subject).unwrap();
    let stretches = unit_busy(rows, (AGREEMENT, subject), &view);
    calendar::periods(&stretches).iter().map(ToString::to_string).collect()
}

#[test]
fn two_openings_of_a_whole_city_come_to_the_same_in_every_order() {
    let open = Event::UnitRegistered { facts: UnitFacts::WHOLE_CITY };
    let blocked = UnitAct::Blocked { periods: periods(&["2026-07-01 至 2026-07-04"]) };
    let freed = UnitAct::Freed { periods: periods(&["2026-07-02"]) };
    let [first, second] = [entry(1, 0, open.clone()), entry(2, 0, open)];
    let block = entry(1, 1, Event::UnitAct(blocked));
    let free = entry(2, 1, Event::UnitAct(freed));
    let orders = [
        [&first, &block, &second, &free],
        [&second, &free, &first, &block],
        [&second, &first, &free, &block],
    ];
    let hashes: Vec<_> = orders
        .iter()
        .map(|order| {
            let rows = fold(order);
            let calendars = whole_city(&rows, AGREEMENT, city(OWNER));
            assert_eq!(calendars.len(), 2);
            for subject in calendars {
                assert_eq!(said(&rows, subject), ["2026-07-01", "2026-07-03 AM to 2026-07-04 PM"]);
            }
            fold_hash(&rows, AGREEMENT, &[])
        })
        .collect();
    assert_eq!(hashes[0], hashes[1]);
    assert_eq!(hashes[0], hashes[2]);
}

#[test]
fn only_the_years_asked_for_are_read() {
    let open = entry(1, 0, Event::UnitRegistered { facts: UnitFacts::WHOLE_CITY });
    let days = ["2025-07-01", "2026-12-31 至 2027-01-01", "2099-01-01"];
    let block = entry(1, 1, Event::UnitAct(UnitAct::Blocked { periods: periods(&days) }));
    let rows = fold(&[&open, &block]);
    let subject = subject_id(Position { log: log(1), index: 0 });
    let view = unit(&rows, AGREEMENT, subject).unwrap();
    let of = |years| unit_busy_in(&rows, (AGREEMENT, subject), &view, years).len();
    assert_eq!(unit_busy(&rows, (AGREEMENT, subject), &view).len(), 3);
    assert_eq!((of(2026..=2027), of(2027..=2030), of(2028..=2098), of(2025..=2026)), (1, 1, 0, 2));
}
