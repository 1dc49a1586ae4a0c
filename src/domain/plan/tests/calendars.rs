//! Which plans stand in calendars, day by day.

use super::ics::{distance, is_in_feed, is_listed};
use super::*;
use crate::limits::{CALENDAR_FEED_AHEAD_DAYS, CALENDAR_FEED_PAST_DAYS};

/// A plan of Handan, Liaocheng and Puyang that was settled for 8 and 9 December.
fn settled() -> Plan {
    let world = World::new();
    let seen = world.seen();
    let answers = world.plan.facts.participants().map(|city| seen.answers[&city].0).collect();
    let mv = PlanMove::Scheduled { answers, commitments: Vec::new() };
    next(&world.plan, liaocheng(), (at(1, 9), &mv), &seen, &members()).unwrap()
}

fn revised(plan: &Plan, change: impl FnOnce(&mut PlanFacts)) -> Plan {
    let mut facts = plan.facts.clone();
    change(&mut facts);
    let mv = PlanMove::Revised { facts };
    next(plan, liaocheng(), (at(1, 10), &mv), &Seen::default(), &members()).unwrap()
}

fn cancelled(plan: &Plan) -> Plan {
    let mv = PlanMove::Cancelled;
    next(plan, liaocheng(), (at(1, 11), &mv), &Seen::default(), &members()).unwrap()
}

/// Whether it stands in the calendar of its agreement, and in the feed of Handan.
fn shown(plan: &Plan, today: &str) -> (bool, bool) {
    let today = Some(date(today));
    (is_listed(plan, today), is_in_feed(plan, (handan(), None), today))
}

/// Days of a revision moved to 10 December, or one before all others to the 7th.
fn later(facts: &mut PlanFacts) {
    facts.days.last_mut().unwrap().at = half("2026-12-10上午");
}

fn earlier(facts: &mut PlanFacts) {
    facts.days.truncate(1);
    facts.days[0].at = half("2026-12-07上午");
    let Targets::Named(visits) = &mut facts.targets else { panic!("named") };
    visits.truncate(1);
    (visits[0].first, visits[0].last) = (0, 0);
}

#[test]
fn what_was_settled_and_is_cancelled_is_struck_out_until_its_day_is_over() {
    let plan = settled();
    let (yes, no) = ((true, true), (false, false));
    assert_eq!(shown(&plan, "2026-12-09"), yes);
    // Talked of anew it is in them as tentative, on its new days; cancelled then, as cancelled.
    let again = revised(&plan, later);
    // A feed is read as a whole, and nobody is out on it.
    assert_eq!((shown(&again, "2026-12-10"), shown(&again, "2026-12-11")), ((true, false), no));
    let text = ics::calendar([ics::Entry {
        id: id(7),
        plan: &again,
        shown: ics::Shown::Busy { word: "联合执法行动", key: &[1; 32] },
        stamp_ms: 0,
    }]);
    let count = |line: &str| text.matches(line).count();
    assert_eq!((count("BEGIN:VEVENT"), count("STATUS:TENTATIVE")), (2, 2));
    // Settled, revised.
    assert_eq!((count("SEQUENCE:2\r\n"), count("DTSTART:20261210T003000Z")), (2, 1));
    assert_eq!(shown(&World::new().plan, "2026-12-01"), no, "it was never settled");
    let gone = cancelled(&again);
    assert_eq!((shown(&gone, "2026-12-10"), shown(&gone, "2026-12-11")), (yes, no));
    let text = ics::calendar([ics::Entry {
        id: id(7),
        plan: &gone,
        shown: ics::Shown::Busy { word: "联合执法行动", key: &[1; 32] },
        stamp_ms: 0,
    }]);
    let count = |line: &str| text.matches(line).count();
    assert_eq!(count("BEGIN:VEVENT"), count("STATUS:CANCELLED"));
    // Settled, revised, cancelled.
    assert_eq!(count("SEQUENCE:3\r\n"), count("BEGIN:VEVENT"));
    // Settled for later days than it has now: calendars have those.
    let gone = cancelled(&revised(&plan, earlier));
    assert_eq!((shown(&gone, "2026-12-09"), shown(&gone, "2026-12-10")), (yes, no));
    // Not revised, the same; a clock that cannot be used strikes nothing out of the agreement's.
    let gone = cancelled(&plan);
    assert_eq!((shown(&gone, "2026-12-09"), shown(&gone, "2026-12-10")), (yes, no));
    assert!(is_listed(&gone, None) && !is_in_feed(&gone, (handan(), None), None));
    // What was never settled was in no calendar.
    let talked_of = cancelled(&revised(&World::new().plan, later));
    assert_eq!(shown(&talked_of, "2026-12-01"), no);
}

#[test]
fn a_feed_shows_a_city_where_it_is_out_or_was_to_be() {
    let plan = settled();
    let today = Some(date("2026-12-01"));
    let in_feed = |plan: &Plan, city, answer| is_in_feed(plan, (city, answer), today);
    assert!(in_feed(&plan, handan(), Some(AnswerKind::Confirm)));
    assert!(!in_feed(&plan, handan(), Some(AnswerKind::Withdraw)));
    assert!(!in_feed(&plan, xingtai(), None), "it takes no part");
    // Left out by a revision that was cancelled: its calendar has the plan from before.
    let without = revised(&plan, |facts| {
        facts.cities.retain(|one| one.city != puyang());
        let Targets::Named(visits) = &mut facts.targets else { panic!("named") };
        visits.truncate(2);
    });
    let gone = cancelled(&without);
    assert!(in_feed(&gone, puyang(), None) && !in_feed(&gone, xingtai(), None));
}

#[test]
fn a_feed_shows_a_quarter_back_and_two_years_ahead() {
    let today = date("2026-12-01");
    let near = |first: i64, last: i64| {
        let mut plan = settled();
        for (day, ahead) in [(0, first), (1, first), (2, last)] {
            let at = &mut plan.facts.days[day].at;
            at.on = today.plus_days(ahead).unwrap();
        }
        is_in_feed(&plan, (handan(), None), Some(today))
    };
    let (past, ahead) = (CALENDAR_FEED_PAST_DAYS, CALENDAR_FEED_AHEAD_DAYS);
    assert!(near(0, 0) && near(-past, -past) && near(ahead, ahead));
    assert!(near(-past - 1, -past) && near(ahead, ahead + 1), "one day of it is enough");
    assert!(!near(-past - 2, -past - 1) && !near(ahead + 1, ahead + 1));
    // Without a day, or without a clock that can be used, nothing is shown.
    let mut plan = settled();
    assert!(!is_in_feed(&plan, (handan(), None), None));
    plan.facts.days.clear();
    assert!(!is_in_feed(&plan, (handan(), None), Some(today)));
}

#[test]
fn what_is_to_come_goes_before_what_is_over() {
    let plan = settled();
    let of = |today: &str| distance(&plan, Some(date(today)));
    assert_eq!(of("2026-12-08"), (false, 1));
    assert_eq!(of("2026-12-09"), (false, 0));
    assert_eq!(of("2026-12-11"), (true, 2));
    assert!(of("2026-11-01") < of("2026-12-10"), "the nearest, then the latest that is over");
    assert_eq!(distance(&plan, None), (true, i64::MAX));
}
