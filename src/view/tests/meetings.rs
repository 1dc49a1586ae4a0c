//! A meeting comes to the same in every order, an opening is judged, and minutes that most members
//! stand by stay.

use super::super::{Applied, Effect, FoldEntry, MeetingView, MemRows, apply, fold_hash};
use super::super::{last_sitting, meeting};
use super::{AGREEMENT, Written, bare, city, log, members};
use crate::domain::meeting::Sitting;
use crate::domain::{Date, Event, MeetingAct, MeetingState};
use crate::ids::{Hash, Position};
use crate::log::{Envelope, Head, Subject, SubjectKind, subject_id};

const CHAIR: u32 = 371_400;
const CONVENER: u32 = 371_500;
const THIRD: u32 = 130_400;

fn opening() -> Position {
    Position { log: log(1), index: 0 }
}

/// An entry about the meeting that the first entry of log 1 opens; who saw that says so.
fn entry((n, code, epoch): (u8, u32, u64), index: u64, event: Event, saw: bool) -> Written {
    let id = (n != 1 || index > 0).then(|| subject_id(opening()));
    let after = match saw && n != 1 {
        true => vec![Head { log: log(1), size: 1, root: Hash::new([0; 32]) }],
        false => Vec::new(),
    };
    let subject = Subject { kind: SubjectKind::Meeting, id };
    let record_time_ms = i64::from(n) * 1_000;
    let envelope = Envelope { subject, after, record_time_ms, ..bare(n, index) };
    Written { city: city(code), epoch, envelope, event }
}

fn day(day: u8) -> Date {
    Date::new(2026, 5, day).unwrap()
}

fn called(chair: u32, due_chair: u32, number: u32) -> Event {
    let (chair, due_chair) = (city(chair), city(due_chair));
    Event::MeetingCalled { on: day(10), number, chair, due_chair }
}

fn minutes(n: u8, held: u8) -> Event {
    let (digest, held_on) = (Hash::new([n; 32]), day(held));
    Event::MeetingAct(MeetingAct::MinutesRecorded { digest, held_on })
}

fn confirmed(n: u8) -> Event {
    Event::MeetingAct(MeetingAct::MinutesConfirmed { digest: Hash::new([n; 32]) })
}

fn add(rows: &mut MemRows, written: &Written, apply_number: u64) -> Applied {
    let members = members();
    let Written { city, epoch, envelope, event } = written;
    let (agreement, city, epoch, prologue) = (AGREEMENT, *city, *epoch, None);
    let members = members.as_slice();
    let entry = FoldEntry { agreement, city, epoch, prologue, members, envelope, event };
    apply(rows, &entry, apply_number)
}

fn shown(rows: &MemRows) -> MeetingView {
    meeting(rows, AGREEMENT, subject_id(opening())).unwrap()
}

fn last(rows: &MemRows) -> Option<Sitting> {
    last_sitting(rows, AGREEMENT, day(31))
}

#[test]
fn a_meeting_is_the_same_in_every_order() {
    // Chair and convener both record minutes, and the convener cancels: minutes of the older epoch
    // count. The third city may record none, confirms one after the other, and once unseen.
    let all = [
        entry((1, CONVENER, 1), 0, called(CHAIR, CHAIR, 1), true),
        entry((1, CONVENER, 1), 1, Event::MeetingAct(MeetingAct::Cancelled), true),
        entry((2, CHAIR, 2), 0, minutes(8, 12), true),
        entry((3, CHAIR, 1), 0, minutes(9, 11), true),
        entry((4, THIRD, 1), 0, confirmed(9), true),
        entry((5, THIRD, 2), 0, confirmed(8), true),
        entry((6, THIRD, 3), 0, minutes(7, 13), true),
        entry((7, THIRD, 4), 0, confirmed(9), false),
        entry((1, CONVENER, 1), 2, minutes(6, 14), true),
        entry((1, CONVENER, 1), 3, confirmed(8), true),
    ];
    let fold = |order: &[usize]| {
        let mut rows = MemRows::default();
        for (apply_number, at) in (1..).zip(order) {
            add(&mut rows, &all[*at], apply_number);
        }
        let until = |on| last_sitting(&rows, AGREEMENT, day(on));
        (fold_hash(&rows, AGREEMENT, &[]), shown(&rows), [10, 11, 12].map(until))
    };
    let (_, cancelled, sittings) = fold(&[0, 1]);
    assert_eq!(cancelled.state(), MeetingState::Cancelled);
    assert_eq!(sittings, [None; 3], "a cancelled meeting was not held");
    let (hash, view, sittings) = fold(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(view.state(), MeetingState::Held);
    assert_eq!(view.minutes.map(|m| m.digest), Some(Hash::new([9; 32])), "two stand by them");
    assert_eq!(view.misfit_count, 1, "the third city does not chair");
    assert!(view.awaits(city(THIRD)), "it has confirmed other minutes last");
    let held = sittings[1].map(|sitting| (sitting.on.day(), sitting.chair));
    assert_eq!((sittings[0], held, sittings[2]), (None, Some((11, city(CHAIR))), sittings[1]));
    for order in [
        [0, 3, 4, 2, 5, 6, 7, 1, 8, 9],
        [0, 1, 8, 9, 6, 5, 4, 7, 2, 3],
        [0, 2, 1, 7, 6, 8, 3, 5, 9, 4],
        [0, 5, 1, 8, 9, 2, 4, 3, 7, 6],
    ] {
        let (other, _, there) = fold(&order);
        assert_eq!((other, there), (hash, sittings), "{order:?}");
    }
}

#[test]
fn an_opening_that_no_member_may_write_makes_no_meeting() {
    for (event, opens) in [
        (called(CHAIR, THIRD, 1), true),
        (called(CHAIR, THIRD, 366), true),
        (called(410_900, CHAIR, 1), false),
        (called(CHAIR, 410_900, 1), false),
        (called(CHAIR, CHAIR, 0), false),
        (called(CHAIR, CHAIR, u32::MAX), false),
    ] {
        let mut rows = MemRows::default();
        let applied = add(&mut rows, &entry((1, CONVENER, 1), 0, event.clone(), true), 1);
        let made = meeting(&rows, AGREEMENT, subject_id(opening())).is_some();
        let misfit = Effect::Misfit("MEETING_INVALID".to_owned());
        let effect = if opens { Effect::Opened } else { misfit };
        assert_eq!((applied.effect, made), (effect, opens), "{event:?}");
        // What is added to it has nothing to be added to.
        let added = add(&mut rows, &entry((2, CHAIR, 1), 0, minutes(8, 12), true), 2);
        let unseen = Effect::Misfit("SUBJECT_UNSEEN".to_owned());
        assert_eq!(added.effect == unseen, !opens, "{event:?}");
        assert_eq!(last(&rows).is_some(), opens, "{event:?}");
    }
}

#[test]
fn minutes_that_most_members_confirmed_are_displaced_by_nothing_that_comes_late() {
    // Whatever the convener kept back, the same file with another day among it, and whatever the
    // other two say afterwards.
    for other in [7, 8] {
        let mut rows = MemRows::default();
        let mut apply_number = 0;
        let mut next = |rows: &mut MemRows, written: Written| {
            apply_number += 1;
            add(rows, &written, apply_number);
            let minutes = shown(rows).minutes.map(|minutes| minutes.digest);
            (minutes, last(rows).map(|sitting| sitting.on.day()))
        };
        let stays = (Some(Hash::new([8; 32])), Some(12));
        next(&mut rows, entry((1, CONVENER, 1), 0, called(CHAIR, CHAIR, 1), true));
        assert_eq!(next(&mut rows, entry((2, CHAIR, 1), 0, minutes(8, 12), true)), stays);
        next(&mut rows, entry((4, THIRD, 1), 0, confirmed(8), true));
        for (nth, written) in [
            entry((1, CONVENER, 1), 1, minutes(other, 20), true),
            entry((1, CONVENER, 1), 2, confirmed(other), true),
            entry((1, CONVENER, 1), 3, Event::MeetingAct(MeetingAct::Cancelled), true),
            entry((4, THIRD, 1), 1, confirmed(other), true),
            entry((2, CHAIR, 1), 1, confirmed(other), true),
            entry((2, CHAIR, 1), 2, minutes(other, 20), true),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(next(&mut rows, written), stays, "{other} {nth}");
        }
        assert_eq!(shown(&rows).state(), MeetingState::Held);
    }
}

#[test]
fn a_convener_uses_up_nobody_elses_turn() {
    let mut rows = MemRows::default();
    add(&mut rows, &entry((1, CONVENER, 1), 0, called(CHAIR, CHAIR, 1), true), 1);
    add(&mut rows, &entry((1, CONVENER, 1), 1, minutes(7, 20), true), 2);
    add(&mut rows, &entry((4, THIRD, 1), 0, confirmed(7), true), 3);
    assert_eq!((shown(&rows).state(), last(&rows)), (MeetingState::Held, None));
    // The city that is said to have chaired it has not confirmed these minutes but others.
    add(&mut rows, &entry((2, CHAIR, 1), 0, confirmed(9), true), 4);
    assert_eq!(last(&rows), None);
    add(&mut rows, &entry((2, CHAIR, 1), 1, confirmed(7), true), 5);
    assert_eq!(last(&rows).map(|s| (s.on, s.chair)), Some((day(20), city(CHAIR))));
}
