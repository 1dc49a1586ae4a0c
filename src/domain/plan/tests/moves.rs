//! The initiator's chain in a table.

use super::awaited::{Awaited, Heard, awaited};
use super::*;
use crate::ids::Hash;

/// A plan at each stage.
fn at_stage(stage: PlanStage) -> Plan {
    Plan { stage, ..opened() }
}

fn moves() -> Vec<PlanMove> {
    vec![
        PlanMove::Opened { facts: facts() },
        PlanMove::Revised { facts: facts() },
        PlanMove::Amended,
        PlanMove::Scheduled { answers: named(5), commitments: Vec::new() },
        PlanMove::Redrawn { commitments: Vec::new(), withheld: vec![handan()] },
        PlanMove::Begun,
        PlanMove::Summarized { results: named(7) },
        PlanMove::Cancelled,
    ]
}

#[test]
fn the_table_of_moves() {
    use PlanStage as S;
    let results = (0..).zip(all_cities()).map(|(log, code)| (code, at(log, 7))).collect();
    let seen = Seen { results, ..World::new().seen() };
    let allowed = |stage| -> Vec<(&'static str, PlanStage)> {
        let mut allowed = Vec::new();
        for mv in moves() {
            if let Ok(after) = moved(&at_stage(stage), &mv, &seen) {
                allowed.push((mv.kind().code(), after.stage));
            }
        }
        allowed
    };
    let cancelled = ("CANCELLED", S::Cancelled);
    let scheduled = ("SCHEDULED", S::Scheduled);
    assert_eq!(
        allowed(S::Open),
        [("REVISED", S::Open), ("AMENDED", S::Open), scheduled, cancelled]
    );
    assert_eq!(
        allowed(S::Scheduled),
        [("REVISED", S::Open), ("AMENDED", S::Scheduled), ("BEGUN", S::Executing), cancelled]
    );
    assert_eq!(
        allowed(S::Executing),
        [("AMENDED", S::Executing), ("SUMMARIZED", S::Summarized), cancelled]
    );
    assert_eq!((allowed(S::Summarized), allowed(S::Cancelled)), (Vec::new(), Vec::new()));
}

#[test]
fn only_the_initiator_moves_a_plan() {
    let seen = World::new().seen();
    for stage in PlanStage::ALL {
        for mv in moves() {
            for by in [handan(), puyang(), xingtai()] {
                let got = next(&at_stage(*stage), by, (rev(2), &mv), &seen, &members());
                assert_eq!(got, Err(PlanMisfit::NotInitiator { initiator: liaocheng() }));
            }
        }
    }
}

#[test]
fn a_revision_voids_what_was_scheduled_and_an_amendment_nothing() {
    let world = World::new();
    let go = |plan: &Plan, mv: PlanMove| moved(plan, &mv, &world.seen());
    let scheduled = go(&world.plan, moves()[3].clone()).unwrap();
    assert_eq!(scheduled.resting.answers.len(), 3);
    let amended = go(&scheduled, PlanMove::Amended).unwrap();
    assert_eq!((amended.stage, amended.sequence()), (PlanStage::Scheduled, 2));
    assert_eq!(amended.resting, scheduled.resting);
    let mut fewer = facts();
    fewer.cities.remove(0);
    let revised = go(&amended, PlanMove::Revised { facts: fewer }).unwrap();
    assert_eq!((revised.stage, revised.revision, revised.sequence()), (PlanStage::Open, 2, 3));
    assert_eq!((revised.at, revised.resting.clone()), (rev(2), Resting::default()));
    assert_eq!(revised.participants_of(rev(1)).unwrap().len(), 3);
    assert_eq!(revised.participants_of(rev(2)).unwrap(), [liaocheng(), puyang()]);
    assert_eq!((revised.participants_of(rev(0)), revised.participants_of(rev(3))), (None, None));
    // Answers to the first revision carry no second one, whoever names them.
    let none = Seen::default();
    let old = PlanMove::Scheduled { answers: named(5)[1..].to_vec(), commitments: Vec::new() };
    let carries = PlanMisfit::AnswerDoesNotCarry { city: liaocheng() };
    assert_eq!(moved(&revised, &old, &none), Err(carries));
    let last = Plan { revision: crate::limits::PLAN_REVISIONS_MAX, ..revised };
    let another = PlanMove::Revised { facts: facts() };
    assert_eq!(go(&last, another), Err(PlanMisfit::TooManyRevisions));
}

#[test]
fn scheduled_rests_on_the_newest_answers_its_author_had_seen() {
    let world = World::new();
    let reason = |seen: &Seen, answers: Vec<Position>, commitments: Vec<Position>| {
        let got = moved(&world.plan, &PlanMove::Scheduled { answers, commitments }, seen);
        got.err().map_or("", PlanMisfit::reason)
    };
    let named = || named(5);
    let seen = world.seen();
    assert_eq!(reason(&seen, named(), Vec::new()), "");
    // One of them is not there, is another one, stands elsewhere, or there are too many.
    let not_carrying = "ANSWER_DOES_NOT_CARRY";
    assert_eq!(reason(&seen, named()[..2].to_vec(), Vec::new()), not_carrying);
    assert_eq!(reason(&seen, vec![at(0, 5), at(1, 4), at(2, 5)], Vec::new()), not_carrying);
    assert_eq!(reason(&seen, vec![at(1, 5), at(0, 5), at(2, 5)], Vec::new()), not_carrying);
    assert_eq!(reason(&seen, [named(), named()].concat(), Vec::new()), "PLAN_INVALID");
    // What it had seen is newer, confirms nothing, or is nothing.
    for kind in AnswerKind::ALL {
        let mut other = world.seen();
        other.answers.insert(puyang(), (at(2, 5), *kind));
        let want = if *kind == AnswerKind::Confirm { "" } else { not_carrying };
        assert_eq!(reason(&other, named(), Vec::new()), want, "{kind}");
    }
    let mut newer = world.seen();
    newer.answers.insert(puyang(), (at(2, 6), AnswerKind::Confirm));
    assert_eq!(reason(&newer, named(), Vec::new()), not_carrying);
    newer.answers.remove(&puyang());
    assert_eq!(reason(&newer, named(), Vec::new()), not_carrying);
    // Nothing is drawn here.
    assert_eq!(reason(&seen, named(), vec![at(0, 6)]), "NO_DRAW");
}

fn commitments(seed: u8, index: u64) -> BTreeMap<CityCode, (Position, Hash)> {
    let hash = |log: u8| Hash::new([seed + log; 32]);
    let all = (0..).zip(all_cities());
    all.map(|(log, code)| (code, (at(log, index), hash(log)))).collect()
}

fn all_cities() -> [CityCode; 3] {
    [handan(), liaocheng(), puyang()]
}

fn named(index: u64) -> Vec<Position> {
    (0..3).map(|log| at(log, index)).collect()
}

/// A plan that draws, scheduled on the commitments of index 6.
fn drawing() -> Plan {
    let rule = DrawRule {
        sites: 2,
        host_officers: 2,
        guest_officers: 0,
        weights: TierWeights { key: 1, general: 1, special: 1 },
        pool: Hash::new([9; 32]),
        pool_size: 3,
        spares_withholders: false,
    };
    let facts = PlanFacts { targets: Targets::Draw(rule), ..facts() };
    let plan = open(liaocheng(), (rev(1), &facts), &members()).unwrap();
    let seen = Seen { commitments: commitments(10, 6), ..World::new().seen() };
    let (answers, commitments) = (named(5), named(6));
    let mv = PlanMove::Scheduled { answers, commitments };
    next(&plan, liaocheng(), (at(1, 20), &mv), &seen, &members()).unwrap()
}

#[test]
fn a_plan_that_draws_rests_on_a_commitment_of_each() {
    let plan = drawing();
    assert_eq!((plan.resting.attempt, plan.resting.commitments.len()), (1, 3));
    assert_eq!(plan.resting.draw, Some(at(1, 20)));
    let open = Plan { stage: PlanStage::Open, resting: Resting::default(), ..plan };
    let mut seen = Seen { commitments: commitments(10, 6), ..World::new().seen() };
    let reason = |seen: &Seen, commitments: Vec<Position>| {
        let mv = PlanMove::Scheduled { answers: named(5), commitments };
        moved(&open, &mv, seen).err().map_or("", PlanMisfit::reason)
    };
    assert_eq!(reason(&seen, named(6)), "");
    assert_eq!(reason(&seen, named(6)[..2].to_vec()), "COMMITMENT_MISSING");
    assert_eq!(reason(&seen, Vec::new()), "COMMITMENT_MISSING");
    assert_eq!(reason(&seen, named(7)), "COMMITMENT_MISSING");
    assert_eq!(reason(&seen, [named(6), named(6)].concat()), "PLAN_INVALID");
    seen.commitments.remove(&handan());
    assert_eq!(reason(&seen, named(6)), "COMMITMENT_MISSING");
}

#[test]
fn a_redraw_names_who_withheld_and_is_fresh() {
    let plan = drawing();
    let fresh = Seen {
        commitments: commitments(50, 8),
        revealed: BTreeSet::from([liaocheng(), puyang()]),
        ..Seen::default()
    };
    let redraw = |plan: &Plan, seen: &Seen, withheld: &[CityCode]| {
        let withheld = withheld.to_vec();
        let mv = PlanMove::Redrawn { commitments: named(8), withheld };
        next(plan, liaocheng(), (at(1, 30), &mv), seen, &members())
    };
    let reason = |seen: &Seen, withheld: &[CityCode]| {
        redraw(&plan, seen, withheld).err().map_or("", PlanMisfit::reason)
    };
    let after = redraw(&plan, &fresh, &[handan()]).unwrap();
    assert_eq!((after.stage, after.resting.attempt), (PlanStage::Scheduled, 2));
    assert_eq!(after.resting.draw, Some(at(1, 30)));
    assert_eq!(after.resting.withheld, BTreeSet::from([handan()]));
    assert_eq!(after.resting.used.len(), 3);
    assert_eq!(after.resting.missed, BTreeSet::from([plan.resting.commitments[&handan()]]));
    assert_eq!(reason(&fresh, &[]), "PLAN_INVALID");
    assert_eq!(reason(&fresh, &[handan(), handan()]), "PLAN_INVALID");
    assert_eq!(reason(&fresh, &[handan(), puyang()]), "WITHHOLDERS_DIFFER");
    assert_eq!(reason(&fresh, &[xingtai()]), "WITHHOLDERS_DIFFER");
    // Of two that withhold none is spared.
    let both = Seen { revealed: BTreeSet::from([liaocheng()]), ..fresh.clone() };
    assert_eq!(reason(&both, &[handan()]), "WITHHOLDERS_DIFFER");
    assert_eq!(reason(&both, &[puyang()]), "WITHHOLDERS_DIFFER");
    assert_eq!(reason(&both, &[handan(), puyang()]), "");
    // A commitment of the attempt before, of one city, is not fresh; nor is one before that.
    let mut stale = fresh.clone();
    stale.commitments.insert(puyang(), (at(2, 8), commitments(10, 6)[&puyang()].1));
    assert_eq!(reason(&stale, &[handan()]), "COMMITMENT_MISSING");
    let older = Seen { commitments: commitments(10, 8), ..fresh.clone() };
    let third = redraw(&after, &older, &[handan()]);
    assert_eq!(third, Err(PlanMisfit::CommitmentMissing { city: handan() }));
    let none = redraw(&opened(), &fresh, &[handan()]).unwrap_err();
    assert_eq!(none.reason(), "PLAN_STAGE");
    let named_only = Plan { stage: PlanStage::Scheduled, ..opened() };
    assert_eq!(redraw(&named_only, &fresh, &[handan()]), Err(PlanMisfit::NoDraw));
    // A rule that spares them does so once a city.
    let again = Seen { commitments: commitments(90, 8), ..fresh.clone() };
    assert!(redraw(&after, &again, &[handan()]).is_ok());
    let Targets::Draw(rule) = after.facts.targets else { panic!("draw") };
    let mut spares = after.clone();
    spares.facts.targets = Targets::Draw(DrawRule { spares_withholders: true, ..rule });
    let twice = Err(PlanMisfit::WithheldTwice { city: handan() });
    assert_eq!(redraw(&spares, &again, &[handan()]), twice);
    let other = Seen { revealed: BTreeSet::from([handan(), liaocheng()]), ..again.clone() };
    assert!(redraw(&spares, &other, &[puyang()]).is_ok());
    let mut last = after;
    last.resting.attempt = crate::limits::PLAN_DRAWS_MAX;
    assert_eq!(redraw(&last, &again, &[handan()]).unwrap_err().reason(), "TOO_MANY_DRAWS");
}

#[test]
fn a_revision_after_reveals_is_counted_and_keeps_names() {
    let mut plan = drawing();
    plan.resting.withheld.insert(handan());
    let revise = |plan: &Plan, change: &dyn Fn(&mut DrawRule), revealed: &[CityCode]| {
        let mut facts = plan.facts.clone();
        if let Targets::Draw(rule) = &mut facts.targets {
            change(rule);
        }
        let revealed = revealed.iter().copied().collect();
        let seen = Seen { revealed, ..Seen::default() };
        moved(plan, &PlanMove::Revised { facts }, &seen).unwrap()
    };
    // The change, who has revealed: how often that counts. Handan stays named whatever changes.
    let same: &dyn Fn(&mut DrawRule) = &|_| {};
    let sites: &dyn Fn(&mut DrawRule) = &|rule| rule.sites = 1;
    let pool: &dyn Fn(&mut DrawRule) = &|rule| rule.pool = Hash::new([8; 32]);
    for (row, (change, revealed, late)) in [
        (same, &[][..], 0),
        (same, &[puyang(), liaocheng()], 1),
        (sites, &[puyang(), liaocheng()], 1),
        (pool, &[puyang(), liaocheng()], 1),
        (pool, &[liaocheng()], 1),
        (pool, &[], 0),
    ]
    .into_iter()
    .enumerate()
    {
        let after = revise(&plan, change, revealed);
        assert_eq!(after.late_revisions, late, "row {row}");
        assert_eq!(after.resting.withheld, BTreeSet::from([handan()]), "row {row}");
        let resting = Resting { withheld: after.resting.withheld.clone(), ..Resting::default() };
        assert_eq!(after.resting, resting, "row {row}");
        assert_eq!((after.resting.attempt, after.resting.draw), (0, None), "row {row}");
        // Nothing is drawn yet in this one.
        assert_eq!(revise(&after, same, revealed).late_revisions, late, "row {row}");
    }
}

#[test]
fn who_has_not_shown_its_part_when_a_plan_is_revised_is_named() {
    let plan = drawing();
    let by = |plan: &Plan, mv: &PlanMove, seen: &Seen| {
        next(plan, liaocheng(), (at(1, 30), mv), seen, &members()).unwrap()
    };
    let of = |all: &[CityCode]| all.iter().copied().collect::<BTreeSet<CityCode>>();
    let revise = |plan: &Plan, revealed: &[CityCode]| {
        let seen = Seen { revealed: of(revealed), ..Seen::default() };
        by(plan, &PlanMove::Revised { facts: plan.facts.clone() }, &seen)
    };
    // Who has revealed: who has withheld, and who is only named. The initiator is Liaocheng.
    for (row, (revealed, withheld, silent)) in [
        (&[][..], &[][..], &[][..]),
        (&[handan()], &[liaocheng()], &[puyang()]),
        (&[handan(), puyang()], &[liaocheng()], &[]),
        (&[liaocheng()], &[], &[handan(), puyang()]),
        (&[liaocheng(), puyang()], &[], &[handan()]),
        (&[handan(), liaocheng(), puyang()], &[], &[]),
    ]
    .into_iter()
    .enumerate()
    {
        let after = revise(&plan, revealed);
        let got = (&after.resting.withheld, &after.silent);
        assert_eq!(got, (&of(withheld), &of(silent)), "row {row}");
        // Nobody is bound yet in this one, and the names stay.
        let again = revise(&after, revealed);
        assert_eq!((&again.resting.withheld, &again.silent), got, "row {row}");
    }
    // Who was named and withholds later has withheld; who has withheld is not named besides.
    let seen = Seen { commitments: commitments(60, 6), ..World::new().seen() };
    let scheduled = PlanMove::Scheduled { answers: named(5), commitments: named(6) };
    let later = by(&revise(&plan, &[liaocheng()]), &scheduled, &seen);
    let seen = Seen {
        commitments: commitments(80, 8),
        revealed: of(&[liaocheng(), puyang()]),
        ..Seen::default()
    };
    let redrawn = PlanMove::Redrawn { commitments: named(8), withheld: vec![handan()] };
    let redrawn = by(&later, &redrawn, &seen);
    let got = (&redrawn.resting.withheld, &redrawn.silent);
    assert_eq!(got, (&of(&[handan()]), &of(&[puyang()])));
    let once_more = revise(&redrawn, &[liaocheng()]);
    assert_eq!((&once_more.resting.withheld, &once_more.silent), got);
}

#[test]
fn who_has_not_shown_its_part_when_a_plan_is_cancelled_is_named() {
    let mut plan = drawing();
    let of = |all: &[CityCode]| all.iter().copied().collect::<BTreeSet<CityCode>>();
    let cancel = |plan: &Plan, revealed: &[CityCode]| {
        let seen = Seen { revealed: of(revealed), ..Seen::default() };
        moved(plan, &PlanMove::Cancelled, &seen).unwrap()
    };
    for (row, (revealed, silent)) in [
        (&[][..], &[][..]),
        (&[handan()], &[liaocheng(), puyang()]),
        (&[liaocheng()], &[handan(), puyang()]),
        (&[handan(), liaocheng(), puyang()], &[]),
    ]
    .into_iter()
    .enumerate()
    {
        let after = cancel(&plan, revealed);
        assert_eq!(
            (after.late_cancel, &after.silent),
            (!revealed.is_empty(), &of(silent)),
            "{row}"
        );
        assert_eq!(after.resting, plan.resting, "nothing follows: {row}");
    }
    // Who has withheld before is named for that; and a plan that draws nothing names nobody.
    plan.resting.withheld.insert(puyang());
    assert_eq!(cancel(&plan, &[liaocheng()]).silent, of(&[handan()]));
    assert!(!cancel(&opened(), &[liaocheng()]).late_cancel);
    // One that was made again: whoever was not named before had shown its part, if anybody had.
    let bound: BTreeSet<_> = plan.resting.commitments.values().copied().collect();
    (plan.resting.attempt, plan.resting.used) = (2, bound.clone());
    plan.resting.missed = bound;
    assert!(!cancel(&plan, &[]).late_cancel, "nobody had shown any");
    plan.resting.missed.pop_first();
    assert!(cancel(&plan, &[]).late_cancel);
}

#[test]
fn a_summary_rests_on_the_results_of_all_who_stayed() {
    let plan = at_stage(PlanStage::Executing);
    let results = (0..).zip(all_cities()).map(|(log, code)| (code, at(log, 7))).collect();
    let seen = Seen { results, ..World::new().seen() };
    let mut gone = seen.clone();
    gone.answers.insert(puyang(), (at(2, 6), AnswerKind::Withdraw));
    let mut silent = seen.clone();
    silent.results.remove(&puyang());
    let mut left = gone.clone();
    left.results.remove(&puyang());
    let reason = |seen: &Seen, results: Vec<Position>| {
        let got = moved(&plan, &PlanMove::Summarized { results }, seen);
        got.err().map_or("", PlanMisfit::reason)
    };
    let two = || named(7)[..2].to_vec();
    for (row, (seen, results, want)) in [
        (&seen, named(7), ""),
        (&seen, two(), "PLAN_RESULTS_MISSING"),
        (&seen, named(6), "PLAN_RESULTS_MISSING"),
        (&seen, [named(7), two()].concat(), "PLAN_INVALID"),
        (&silent, two(), "PLAN_RESULTS_MISSING"),
        (&silent, named(7), "PLAN_RESULTS_MISSING"),
        // Whoever has withdrawn is not waited for, and not named.
        (&left, two(), ""),
        (&gone, two(), ""),
        (&gone, named(7), "PLAN_INVALID"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(reason(seen, results), want, "row {row}");
    }
    let answers = BTreeMap::from([(puyang(), AnswerKind::Withdraw)]);
    assert_eq!(unreported(&plan, &answers, &[handan()].into()), [liaocheng()]);
    assert_eq!(unreported(&plan, &BTreeMap::new(), &[handan()].into()), [liaocheng(), puyang()]);
}

#[test]
fn what_people_are_shown_of_a_plan() {
    use AnswerKind as A;
    let of = |stage, answers: &[A], reported| {
        shown(&at_stage(stage), answers.iter().copied(), reported).code()
    };
    assert_eq!(of(PlanStage::Open, &[], false), "CONSULTING");
    assert_eq!(of(PlanStage::Open, &[A::ChangesRequested, A::Tentative], false), "CONSULTING");
    assert_eq!(of(PlanStage::Open, &[A::ChangesRequested, A::Confirm], false), "CONFIRMING");
    assert_eq!(of(PlanStage::Scheduled, &[A::Withdraw], false), "SCHEDULED");
    assert_eq!(of(PlanStage::Executing, &[A::Confirm], false), "EXECUTING");
    assert_eq!(of(PlanStage::Executing, &[A::Confirm], true), "RESULTS_REPORTED");
    assert_eq!(of(PlanStage::Summarized, &[], true), "SUMMARIZED");
    assert_eq!(of(PlanStage::Cancelled, &[A::Confirm], true), "CANCELLED");
}

#[test]
fn whom_a_plan_awaits() {
    use AnswerKind as A;
    let confirmed = || BTreeMap::from([handan(), liaocheng(), puyang()].map(|c| (c, A::Confirm)));
    let (none, all) = (BTreeSet::new(), BTreeSet::from([handan(), liaocheng(), puyang()]));
    let of = |plan: &Plan, answers: &BTreeMap<CityCode, A>, done: &BTreeSet<CityCode>, today| {
        let (committed, revealed, reported) = (done, done, done);
        let heard = Heard { answers, committed, revealed, reported };
        let awaited = awaited(plan, heard, date("2026-12-07"), date(today));
        let text = |(city, what): (CityCode, Vec<Awaited>)| {
            let what: Vec<_> = what.iter().map(|one| one.code()).collect();
            format!("{} {}", name(city), what.join("+"))
        };
        awaited.into_iter().map(text).collect::<Vec<String>>()
    };
    let open = opened();
    let day = "2026-12-01";
    let everybody = ["邯郸 ANSWER", "聊城 ANSWER", "濮阳 ANSWER"];
    assert_eq!(of(&open, &BTreeMap::new(), &none, day), everybody);
    let mut answers = confirmed();
    assert_eq!(of(&open, &answers, &none, day), ["聊城 SCHEDULE"]);
    answers.insert(puyang(), A::Tentative);
    assert_eq!(of(&open, &answers, &none, day), ["濮阳 ANSWER"]);
    answers.insert(handan(), A::Decline);
    assert_eq!(of(&open, &answers, &none, day), ["聊城 RESOLVE", "濮阳 ANSWER"]);
    let mut draws = drawing();
    assert_eq!(of(&draws, &confirmed(), &none, "2026-12-06"), [""; 0]);
    let reveal = ["邯郸 REVEAL", "聊城 REVEAL", "濮阳 REVEAL"];
    assert_eq!(of(&draws, &confirmed(), &none, "2026-12-07"), reveal);
    assert_eq!(of(&draws, &confirmed(), &all, "2026-12-08"), ["聊城 BEGIN"]);
    answers = confirmed();
    answers.insert(puyang(), A::Withdraw);
    assert_eq!(of(&draws, &answers, &all, "2026-12-08"), ["聊城 RESOLVE"]);
    draws.stage = PlanStage::Open;
    let commit = ["邯郸 COMMIT", "聊城 COMMIT", "濮阳 COMMIT"];
    assert_eq!(of(&draws, &confirmed(), &none, day), commit);
    assert_eq!(of(&draws, &confirmed(), &all, day), ["聊城 SCHEDULE"]);
    let going = at_stage(PlanStage::Executing);
    let report = ["邯郸 REPORT", "聊城 REPORT", "濮阳 REPORT"];
    assert_eq!(of(&going, &confirmed(), &none, day), report);
    assert_eq!(of(&going, &confirmed(), &all, day), ["聊城 SUMMARIZE"]);
    for stage in [PlanStage::Summarized, PlanStage::Cancelled] {
        assert_eq!(of(&at_stage(stage), &BTreeMap::new(), &none, day), [""; 0]);
    }
}

/// Whatever three cities have said.
#[test]
fn an_open_plan_always_awaits_somebody() {
    let cities = [handan(), liaocheng(), puyang()];
    for plan in [opened(), drawing()] {
        for stage in [PlanStage::Open, PlanStage::Scheduled, PlanStage::Executing] {
            let plan = Plan { stage, ..plan.clone() };
            for said in 0..8_usize.pow(3) {
                let kind = |place: usize| AnswerKind::ALL.get(said / 8_usize.pow(place as u32) % 8);
                let answers = cities.iter().enumerate();
                let answers = answers.filter_map(|(at, city)| Some((*city, *kind(at)?)));
                let answers: BTreeMap<_, _> =
                    answers.filter(|(_, kind)| *kind != AnswerKind::Comment).collect();
                for done in 0..8_u32 {
                    let done = cities.iter().enumerate().filter(|(at, _)| done >> at & 1 == 1);
                    let done: BTreeSet<CityCode> = done.map(|(_, city)| *city).collect();
                    let (committed, revealed, reported) = (&done, &done, &done);
                    let heard = Heard { answers: &answers, committed, revealed, reported };
                    let on = date("2026-12-08");
                    assert!(!awaited(&plan, heard, on, on).is_empty(), "{answers:?} {done:?}");
                    once_awaited_stays_so(&plan, heard, on.plus_days(-2).unwrap());
                }
            }
        }
    }
}

/// A city whose answer crossed with the scheduling is asked again, and the initiator told, long
/// before the first day.
#[test]
fn an_answer_that_crossed_with_the_scheduling_is_asked_again() {
    let (plan, early) = (Plan { stage: PlanStage::Scheduled, ..opened() }, date("2026-12-01"));
    let none = BTreeSet::new();
    let of = |kind| {
        let all = [(handan(), kind), (liaocheng(), AnswerKind::Confirm)];
        let answers: BTreeMap<_, _> =
            all.into_iter().chain([(puyang(), AnswerKind::Confirm)]).collect();
        let (committed, revealed, reported) = (&none, &none, &none);
        let heard = Heard { answers: &answers, committed, revealed, reported };
        awaited(&plan, heard, early, early)
    };
    use AnswerKind as A;
    for kind in [A::Tentative, A::ChangesRequested, A::OtherDays, A::Decline] {
        let want = [(handan(), vec![Awaited::Answer]), (liaocheng(), vec![Awaited::Resolve])];
        assert_eq!(of(kind), BTreeMap::from(want), "{kind:?}");
    }
    let told = BTreeMap::from([(liaocheng(), vec![Awaited::Resolve])]);
    assert_eq!(of(A::Withdraw), told);
    assert_eq!(of(A::Confirm), BTreeMap::new());
}

/// As long as nobody writes: and it changes on no day but the one on which a draw is shown, and
/// the first one.
fn once_awaited_stays_so(plan: &Plan, heard: Heard<'_>, reveal_on: Date) {
    let first = plan.facts.days[0].at.on;
    for city in plan.facts.participants() {
        let of = |day| awaited(plan, heard, reveal_on, day).contains_key(&city);
        let days: Vec<Date> = (-4..4).map(|days| first.plus_days(days).unwrap()).collect();
        let is: Vec<bool> = days.iter().map(|day| of(*day)).collect();
        assert!(is.is_sorted(), "{city} {is:?}");
        for (day, pair) in days[1..].iter().zip(is.windows(2)) {
            assert!(pair[0] == pair[1] || [reveal_on, first].contains(day), "{day} {is:?}");
        }
        assert_eq!((is[0], is[7]), (of(Date::EARLIEST), of(Date::LATEST)));
    }
}
