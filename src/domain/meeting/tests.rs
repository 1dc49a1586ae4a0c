//! The rota, and what may be said of a meeting, as tables.

use super::*;
use crate::domain::fixtures::{city, date};
use crate::ids::LogId;

const HANDAN: u32 = 130_400;
const DEZHOU: u32 = 371_400;
const LIAOCHENG: u32 = 371_500;
const PUYANG: u32 = 410_900;

fn term() -> (Date, Date) {
    (date("2022-01-01"), date("2030-12-31"))
}

fn sitting(on: &str, chair: u32) -> Sitting {
    let at = Position { log: LogId::new([1; 32]), index: 0 };
    Sitting { on: date(on), at, chair: city(chair) }
}

/// What is shown, members, meetings held by day and chair, who is next.
type Row = (&'static str, Vec<u32>, &'static [(&'static str, u32)], u32);

#[test]
fn the_rota_in_a_table() {
    let all = [LIAOCHENG, HANDAN, PUYANG, DEZHOU];
    let without = |left: u32| all.into_iter().filter(move |code| *code != left);
    let rows: [Row; 8] = [
        ("none was held", all.to_vec(), &[], HANDAN),
        ("the second", all.to_vec(), &[("2023-05-10", HANDAN)], DEZHOU),
        (
            "a year without one takes no turn away",
            all.to_vec(),
            &[("2023-05-10", HANDAN), ("2025-05-10", DEZHOU)],
            LIAOCHENG,
        ),
        ("round again", all.to_vec(), &[("2023-05-10", PUYANG)], HANDAN),
        (
            "the day counts, not the order of records",
            all.to_vec(),
            &[("2025-05-10", HANDAN), ("2023-05-10", LIAOCHENG)],
            DEZHOU,
        ),
        (
            "out of turn: it goes on behind whoever chaired",
            all.to_vec(),
            &[("2023-05-10", HANDAN), ("2024-05-10", LIAOCHENG)],
            PUYANG,
        ),
        (
            "a city that left is passed over",
            without(DEZHOU).collect(),
            &[("2023-05-10", HANDAN)],
            LIAOCHENG,
        ),
        (
            "the last chair has left",
            without(LIAOCHENG).collect(),
            &[("2023-05-10", LIAOCHENG)],
            PUYANG,
        ),
    ];
    for (what, members, held, next) in rows {
        let members: Vec<_> = members.into_iter().map(city).collect();
        let held = held.iter().map(|(on, chair)| sitting(on, *chair));
        assert_eq!(next_chair(&members, held), Some(city(next)), "{what}");
    }
    assert_eq!(next_chair(&[], []), None);
}

#[test]
fn the_yearly_meeting_is_missing_after_a_whole_year_without_one() {
    let begin = date("2024-01-01");
    let missing = |begin, last: Option<&str>, today| {
        is_missing(begin, last.map(|on| sitting(on, HANDAN)), date(today))
    };
    assert!(!missing(begin, None, "2024-12-31"));
    assert!(missing(begin, None, "2025-01-01"));
    assert!(!missing(date("2024-01-02"), None, "2025-12-31"), "not the whole of a year");
    assert!(!missing(begin, Some("2024-12-31"), "2025-12-31"));
    assert!(missing(begin, Some("2024-12-31"), "2026-01-01"));
    assert!(!missing(begin, Some("2026-01-01"), "2026-01-02"), "it has been made up for");
}

#[test]
fn a_meeting_is_called_by_whose_turn_it_is_or_expressly_by_another() {
    let members = [HANDAN, DEZHOU, LIAOCHENG].map(city);
    let call = |by: u32, chair: Option<u32>, out_of_turn, on| {
        let call = Call { on: date(on), number: 1, chair: chair.map(city), out_of_turn };
        decide_call(city(by), &members, term(), city(HANDAN), call)
    };
    let on = "2026-03-10";
    assert!(!call(HANDAN, None, false, on).unwrap().is_out_of_turn());
    let reason =
        |by, chair, out_of_turn, on| call(by, chair, out_of_turn, on).unwrap_err().reason();
    assert_eq!(reason(DEZHOU, None, false, on), "NOT_TURN_TO_CHAIR");
    assert_eq!(reason(DEZHOU, Some(HANDAN), false, on), "NOT_TURN_TO_CHAIR");
    assert_eq!(reason(HANDAN, Some(DEZHOU), false, on), "NOT_TURN_TO_CHAIR");
    let aside = call(DEZHOU, None, true, on).unwrap();
    assert!(aside.is_out_of_turn());
    assert_eq!((aside.chair, aside.due_chair), (city(DEZHOU), city(HANDAN)));
    assert_eq!(reason(HANDAN, Some(PUYANG), true, on), "CHAIR_NOT_MEMBER");
    assert_eq!(reason(PUYANG, None, true, on), "NOT_A_MEMBER");
    assert_eq!(reason(HANDAN, None, false, "2021-12-31"), "MEETING_OUTSIDE_TERM");
    assert_eq!(reason(HANDAN, None, false, "2031-01-01"), "MEETING_OUTSIDE_TERM");
}

#[test]
fn who_may_add_what_to_a_meeting() {
    use MeetingAct as A;
    let (on, today) = (date("2026-03-10"), date("2026-03-12"));
    let (convener, chair, due_chair) = (city(HANDAN), city(DEZHOU), city(DEZHOU));
    let meeting = Meeting { on, number: 1, convener, chair, due_chair };
    let (digest, other) = (Hash::new([1; 32]), Hash::new([2; 32]));
    let minutes = |held_on: &str| A::MinutesRecorded { digest, held_on: date(held_on) };
    let decide = |by: u32, act, minutes: Option<u32>, cancelled, confirmed| {
        let minutes = minutes.map(|by| (city(by), digest));
        let standing = Standing { minutes, cancelled, confirmed };
        let done = decide_act(&meeting, city(by), (act, standing), term(), today);
        done.err().map(|refusal| refusal.reason())
    };
    let held = minutes("2026-03-11");
    for by in [HANDAN, DEZHOU] {
        assert_eq!(decide(by, held, None, false, false), None);
        assert_eq!(decide(by, A::Cancelled, None, false, false), None);
    }
    assert_eq!(decide(LIAOCHENG, held, None, false, false), Some("NOT_CHAIR"));
    assert_eq!(decide(LIAOCHENG, A::Cancelled, None, false, false), Some("NOT_CHAIR"));
    let ahead = decide(DEZHOU, minutes("2026-03-13"), None, false, false);
    assert_eq!(ahead, Some("HELD_IN_FUTURE"));
    let early = decide(DEZHOU, minutes("2021-03-13"), None, false, false);
    assert_eq!(early, Some("MEETING_OUTSIDE_TERM"));
    assert_eq!(decide(DEZHOU, held, Some(HANDAN), false, false), Some("MEETING_HELD"));
    assert_eq!(decide(DEZHOU, A::Cancelled, Some(HANDAN), false, false), Some("MEETING_HELD"));
    for act in [held, A::Cancelled] {
        assert_eq!(decide(DEZHOU, act, None, true, false), Some("MEETING_CANCELLED"));
    }
    let read = |digest| A::MinutesConfirmed { digest };
    assert_eq!(decide(LIAOCHENG, read(digest), Some(DEZHOU), false, false), None);
    let refused = |by, digest, minutes, confirmed| {
        decide(by, read(digest), minutes, false, confirmed).unwrap()
    };
    assert_eq!(refused(LIAOCHENG, digest, None, false), "MINUTES_MISSING");
    assert_eq!(refused(LIAOCHENG, other, Some(DEZHOU), false), "MINUTES_DIFFER");
    assert_eq!(refused(LIAOCHENG, digest, Some(DEZHOU), true), "MINUTES_CONFIRMED");
    assert_eq!(refused(DEZHOU, digest, Some(DEZHOU), false), "MINUTES_CONFIRMED");
}

#[test]
fn an_opening_names_members_and_a_number_of_its_year() {
    let members = [HANDAN, DEZHOU, LIAOCHENG].map(city);
    let opened = |convener, chair, due_chair, number| {
        let (convener, chair, due_chair) = (city(convener), city(chair), city(due_chair));
        let meeting = Meeting { on: date("2026-03-10"), number, convener, chair, due_chair };
        opens(&meeting, &members).map_err(|misfit| misfit.reason())
    };
    assert_eq!(opened(HANDAN, DEZHOU, LIAOCHENG, 1), Ok(()));
    assert_eq!(opened(HANDAN, DEZHOU, LIAOCHENG, 366), Ok(()));
    for (convener, chair, due_chair, number) in [
        (PUYANG, DEZHOU, DEZHOU, 1),
        (HANDAN, PUYANG, DEZHOU, 1),
        (HANDAN, DEZHOU, PUYANG, 1),
        (HANDAN, DEZHOU, DEZHOU, 0),
        (HANDAN, DEZHOU, DEZHOU, 367),
    ] {
        assert_eq!(opened(convener, chair, due_chair, number), Err("MEETING_INVALID"));
    }
}

#[test]
fn minutes_that_most_members_stand_by_are_displaced_by_nothing() {
    let digests = [1, 2].map(|nth| Hash::new([nth; 32]));
    let one = |place: u32, nth: usize| Recorded { place, digest: digests[nth] };
    assert_eq!(minutes_that_count::<u32>([], &[]), None);
    assert_eq!(minutes_that_count([one(9, 0)], &[]), Some(9));
    // Nobody but their authors stands by them: the lowest.
    let [first, second] = digests;
    assert_eq!(minutes_that_count([one(9, 0), one(3, 1)], &[first, second]), Some(3));
    // One confirmation outweighs a lower place.
    assert_eq!(minutes_that_count([one(9, 0), one(3, 1)], &[first, second, first]), Some(9));
    // More than half of five stay, whatever the other two say; half of four do not.
    for others in [[first, second], [second, second], [second, first]] {
        let words = [[first; 3].as_slice(), &others].concat();
        assert_eq!(minutes_that_count([one(9, 0), one(3, 1)], &words), Some(9));
    }
    let split = [first, first, second, second];
    assert_eq!(minutes_that_count([one(9, 0), one(3, 1)], &split), Some(3));
}

#[test]
fn every_wrong_text_is_named() {
    let wrong = MeetingRecord::parse("", "\u{202e}", "a\nb").unwrap_err();
    let fields: Vec<_> = wrong.iter().filter_map(|w| w.field.as_deref()).collect();
    assert_eq!(fields, ["title", "text", "address"]);
}
