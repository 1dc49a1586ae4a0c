//! What commands are refused, with which reason and field.

use super::decide::*;
use super::*;
use crate::domain::draw::commitment;
use crate::domain::site::CheckMode;
use crate::ids::Hash;

fn reason<T>(result: Result<T, PlanRefusal>) -> &'static str {
    result.err().map_or("", PlanRefusal::reason)
}

fn time(world: &World) -> Time<'_> {
    let World { calendar, term, today, rules, .. } = world;
    Time { calendar, term: *term, today: *today, rules }
}

#[test]
fn f15_a_plan_is_scheduled_when_all_have_confirmed_the_same_revision() {
    let mut world = World::new();
    let mv = decide_schedule(&world.look(), liaocheng(), &world.seen(), &members()).unwrap();
    let after = next(&world.plan, liaocheng(), &mv, &world.seen(), &members()).unwrap();
    assert_eq!(after.stage, PlanStage::Scheduled);
    // Refused: another city schedules, one has not confirmed, one has confirmed the old revision.
    let by_other = decide_schedule(&world.look(), handan(), &world.seen(), &members());
    assert_eq!(reason(by_other), "NOT_INITIATOR");
    let again = World { plan: after, ..World::new() };
    let twice = decide_schedule(&again.look(), liaocheng(), &again.seen(), &members());
    assert_eq!(reason(twice), "PLAN_STAGE");
    let facts = PlanFacts { departments: vec![Department::Water], ..facts() };
    let mv = decide_revise(&again.plan, liaocheng(), facts, &members(), time(&again)).unwrap();
    world.plan = next(&again.plan, liaocheng(), &mv, &Seen::default(), &members()).unwrap();
    // A new revision: nobody has answered it.
    world.answers.clear();
    world.sent.clear();
    let voided = decide_schedule(&world.look(), liaocheng(), &world.seen(), &members());
    let refusal = voided.unwrap_err();
    assert_eq!((refusal.reason(), refusal.field()), ("NOT_CONFIRMED", Some("answers")));
    assert!(matches!(refusal, PlanRefusal::Lacking { more: 2, .. }));
    let confirm = Answer::Confirm { sent: Sent::default() };
    let old = decide_answer(&world.look(), handan(), (1, &confirm), None);
    assert_eq!(old, Err(PlanRefusal::OldRevision { revision: 2 }));
    // What the own log has not seen is named by nothing.
    let unseen = World::new();
    let mut seen = unseen.seen();
    seen.answers.remove(&puyang());
    let missing = decide_schedule(&unseen.look(), liaocheng(), &seen, &members());
    assert_eq!(reason(missing), "ANSWER_DOES_NOT_CARRY");
}

#[test]
fn a_plan_is_opened_and_revised_ahead_in_term_and_on_workdays() {
    let world = World::new();
    let opens = |change: &dyn Fn(&mut PlanFacts)| {
        let mut changed = facts();
        change(&mut changed);
        reason(decide_open(liaocheng(), changed, &members(), time(&world)))
    };
    assert_eq!(opens(&|_| {}), "");
    assert_eq!(opens(&|f| f.cities.reverse()), "");
    assert_eq!(opens(&|f| f.days[0].at = half("2026-11-30上午")), "PLAN_DAY_PAST");
    assert_eq!(opens(&|f| f.days[2].at = half("2029-01-02上午")), "PLAN_OUTSIDE_TERM");
    assert_eq!(opens(&|f| f.days[2].at = half("2026-12-12上午")), "REST_DAY");
    // Whether it is worked is asked when the plan is scheduled.
    assert_eq!(opens(&|f| f.days[2].at = half("2027-01-12上午")), "");
    assert_eq!(opens(&|f| f.departments.clear()), "PLAN_DEPARTMENTS");
    let mut easy = World::new();
    easy.rules.rest_days_flagged = false;
    let mut saturday = facts();
    saturday.days[2].at = half("2026-12-12上午");
    assert_eq!(reason(decide_open(liaocheng(), saturday, &members(), time(&easy))), "");
    let stranger = decide_open(city(659_000), facts(), &members(), time(&world));
    assert_eq!(reason(stranger), "NOT_A_MEMBER");
    let revise =
        |plan: &Plan, by, facts| reason(decide_revise(plan, by, facts, &members(), time(&world)));
    let mut bad = facts();
    bad.days[2].at = half("2026-12-12上午");
    assert_eq!(revise(&world.plan, liaocheng(), facts()), "");
    assert_eq!(revise(&world.plan, liaocheng(), bad.clone()), "REST_DAY");
    assert_eq!(revise(&world.plan, handan(), bad.clone()), "NOT_INITIATOR");
    let executing = Plan { stage: PlanStage::Executing, ..opened() };
    assert_eq!(revise(&executing, liaocheng(), bad), "PLAN_STAGE");
    let mut none = facts();
    none.cities.clear();
    assert_eq!(revise(&world.plan, liaocheng(), none), "PARTICIPANTS");
}

#[test]
fn f16_every_answer_at_every_stage() {
    use AnswerKind as A;
    let units = units_of(0);
    let sent = Sent { units, recusals: Vec::new() };
    let periods = vec!["2026-12-10".parse().unwrap()];
    let answers = [
        Answer::Comment,
        Answer::Tentative { hold_until: date("2026-12-31"), sent: sent.clone() },
        Answer::Confirm { sent },
        Answer::ChangesRequested,
        Answer::OtherDays { periods },
        Answer::Decline,
        Answer::Withdraw,
    ];
    let row = |stage, before: Option<A>| -> Vec<&'static str> {
        let mut world = World::new();
        world.plan.stage = stage;
        let decide = |one: &Answer| decide_answer(&world.look(), handan(), (1, one), before);
        let taken = answers.iter().filter(|one| decide(one).is_ok());
        taken.map(|one| one.kind().code()).collect()
    };
    use PlanStage as S;
    let open = ["COMMENT", "TENTATIVE", "CONFIRM", "CHANGES_REQUESTED", "OTHER_DAYS", "DECLINE"];
    assert_eq!(row(S::Open, None), open);
    assert_eq!(row(S::Open, Some(A::Decline)), open);
    assert_eq!(row(S::Open, Some(A::Confirm)), [&open[..], &["WITHDRAW"]].concat());
    assert_eq!(row(S::Open, Some(A::Tentative)), [&open[..], &["WITHDRAW"]].concat());
    assert_eq!(row(S::Scheduled, Some(A::Confirm)), ["COMMENT", "WITHDRAW"]);
    assert_eq!(row(S::Scheduled, Some(A::Withdraw)), ["COMMENT", "CONFIRM"]);
    assert_eq!(row(S::Executing, Some(A::Confirm)), ["COMMENT", "WITHDRAW"]);
    assert_eq!(row(S::Executing, Some(A::Withdraw)), ["COMMENT"]);
    assert_eq!(row(S::Summarized, Some(A::Confirm)), [""; 0]);
    assert_eq!(row(S::Cancelled, Some(A::Confirm)), [""; 0]);
    let world = World::new();
    let decide = |by, answer: &Answer| reason(decide_answer(&world.look(), by, (1, answer), None));
    assert_eq!(decide(xingtai(), &Answer::Comment), "NOT_PARTICIPANT");
    assert_eq!(decide(handan(), &Answer::Withdraw), "NOTHING_CONFIRMED");
    for hold_until in ["2026-11-30", "2027-01-01"] {
        let hold_until = date(hold_until);
        let answer = Answer::Tentative { hold_until, sent: Sent::default() };
        assert_eq!(decide(handan(), &answer), "HOLD_UNTIL");
    }
    for periods in [&[][..], &["2026-11-30"], &["2026-12-10", "2026-12-10"]] {
        let periods = periods.iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(decide(handan(), &Answer::OtherDays { periods }), "PLAN_PERIODS");
    }
}

/// Four violations, each by name; nothing is booked.
#[test]
fn f18_no_officer_in_two_places_no_expired_certificate_two_of_the_host_city() {
    let confirm = |change: &dyn Fn(&mut World)| {
        let mut world = World::new();
        change(&mut world);
        let sent = world.sent[&handan()].clone();
        let answer = Answer::Confirm { sent };
        reason(decide_answer(&world.look(), handan(), (1, &answer), None))
    };
    let first = || units_of(0)[0];
    assert_eq!(confirm(&|_| {}), "");
    let taken = |w: &mut World| {
        let standing = w.units.get_mut(&first()).unwrap();
        standing.taken.insert(half("2026-12-09上午"));
    };
    assert_eq!(confirm(&taken), "DOUBLE_BOOKED");
    let expired = |w: &mut World| {
        w.units.get_mut(&first()).unwrap().valid.1 = Some(date("2026-12-01"));
    };
    assert_eq!(confirm(&expired), "CERTIFICATE_INVALID");
    let few = |w: &mut World| {
        w.plan.facts.cities[0].needs.clear();
        w.sent.get_mut(&handan()).unwrap().units.drain(..2);
    };
    assert_eq!(confirm(&few), "HOST_OFFICERS_MISSING");
    let short = |w: &mut World| w.sent.get_mut(&handan()).unwrap().units.truncate(3);
    assert_eq!(confirm(&short), "UNITS_SHORT");
    let foreign = |w: &mut World| w.units.get_mut(&first()).unwrap().city = puyang();
    assert_eq!(confirm(&foreign), "UNIT_UNKNOWN_OR_FOREIGN");
    let capped = |w: &mut World| {
        w.sites.get_mut(&id(1)).unwrap().left_out = Some(crate::domain::site::LeftOut::Capped);
    };
    assert_eq!(confirm(&capped), "SITE_CAPPED");
    // A swap is looked at like a confirmation, and needs one.
    let swap = |before, change: &dyn Fn(&mut World)| {
        let mut world = World::new();
        change(&mut world);
        let sent = world.sent[&handan()].clone();
        let act = PlanAct::UnitsSwapped { revision: 1, sent };
        reason(decide_swap(&world.look(), handan(), &act, before))
    };
    assert_eq!(swap(Some(AnswerKind::Confirm), &|_| {}), "");
    assert_eq!(swap(Some(AnswerKind::Confirm), &taken), "DOUBLE_BOOKED");
    assert_eq!(swap(Some(AnswerKind::Tentative), &|_| {}), "NOTHING_CONFIRMED");
    let ended = |w: &mut World| w.plan.stage = PlanStage::Summarized;
    assert_eq!(swap(Some(AnswerKind::Confirm), &ended), "ANSWER_TOO_LATE");
}

#[test]
fn units_are_released_when_the_plan_has_ended_or_has_another_revision() {
    let release = |stage, revision, booked, by| {
        let mut plan = Plan { stage, revision, ..opened() };
        plan.rounds.push(plan.rounds[0].clone());
        reason(decide_release(&plan, by, booked))
    };
    use PlanStage as S;
    for stage in [S::Summarized, S::Cancelled] {
        assert_eq!(release(stage, 1, Some(1), handan()), "");
    }
    for stage in [S::Open, S::Scheduled, S::Executing] {
        assert_eq!(release(stage, 1, Some(1), handan()), "UNITS_NEEDED");
        assert_eq!(release(stage, 2, Some(1), handan()), "");
    }
    assert_eq!(release(S::Cancelled, 1, None, handan()), "NOTHING_CONFIRMED");
    assert_eq!(release(S::Cancelled, 1, Some(1), xingtai()), "NOT_PARTICIPANT");
}

#[test]
fn a_plan_begins_on_its_day_and_ends_with_all_results() {
    let mut world = World::new();
    let begin = |w: &World, by| reason(decide_begin(&w.look(), by, &members()));
    assert_eq!(begin(&world, liaocheng()), "PLAN_STAGE");
    world.plan.stage = PlanStage::Scheduled;
    assert_eq!(begin(&world, handan()), "NOT_INITIATOR");
    assert_eq!(begin(&world, liaocheng()), "BEGIN_TOO_EARLY");
    world.today = date("2026-12-08");
    assert_eq!(begin(&world, liaocheng()), "");
    world.answers.insert(handan(), AnswerKind::Withdraw);
    world.sent.remove(&handan());
    assert_eq!(begin(&world, liaocheng()), "WITHDRAWN");
    let plan = Plan { stage: PlanStage::Executing, ..opened() };
    let summarize =
        |by, unreported: &[CityCode]| reason(decide_summarize(&plan, by, unreported, &members()));
    assert_eq!(summarize(liaocheng(), &[]), "");
    assert_eq!(summarize(liaocheng(), &[handan()]), "RESULTS_NOT_IN");
    assert_eq!(summarize(handan(), &[]), "NOT_INITIATOR");
    let cancel = |plan: &Plan, reported| {
        reason(decide_plain(plan, liaocheng(), PlanMove::Cancelled, reported, &members()))
    };
    assert_eq!((cancel(&plan, false), cancel(&plan, true)), ("", "ALL_RESULTS_IN"));
    assert_eq!(cancel(&opened(), true), "");
    let over = Plan { stage: PlanStage::Summarized, ..opened() };
    assert_eq!(cancel(&over, false), "PLAN_STAGE");
    let amend = decide_plain(&plan, liaocheng(), PlanMove::Amended, true, &members());
    assert_eq!(reason(amend), "");
}

#[test]
fn the_host_city_reports_what_its_team_did() {
    let executing = Plan { stage: PlanStage::Executing, ..opened() };
    let rules = PlanRules::default();
    let here = Visited { host: Some(handan()), is_target: true };
    let arrive = |plan: &Plan, by, visited, certified| {
        let officers = &units_of(0)[..2];
        let team = (id(1), officers);
        reason(decide_check_in(plan, by, team, visited, (certified, &rules)))
    };
    assert_eq!(arrive(&executing, handan(), here, 2), "");
    assert_eq!(arrive(&executing, handan(), here, 1), "TEAM_TOO_SMALL");
    assert_eq!(arrive(&executing, puyang(), here, 2), "NOT_HOST_CITY");
    assert_eq!(arrive(&opened(), handan(), here, 2), "ANSWER_TOO_LATE");
    let aside = Visited { is_target: false, ..here };
    assert_eq!(arrive(&executing, handan(), aside, 2), "SITE_NOT_VISITED");
    let check = |department| DepartmentCheck { department, items: 5, problems: 1 };
    let report = VisitReport {
        site: id(1),
        nth: 0,
        on: date("2026-12-08"),
        outcome: VisitOutcome::Checked,
        mode: CheckMode::OnSite,
        checks: vec![check(Department::EcologyEnvironment)],
        samples: 0,
    };
    let decide = |by, report: &VisitReport, today| {
        reason(decide_report(&executing, by, report, here, (&rules, date(today))))
    };
    assert_eq!(decide(handan(), &report, "2026-12-08"), "");
    // Keyed in afterwards.
    assert_eq!(decide(handan(), &report, "2027-02-28"), "");
    assert_eq!(decide(puyang(), &report, "2026-12-08"), "NOT_HOST_CITY");
    assert_eq!(decide(handan(), &report, "2026-12-07"), "REPORT_DAY");
    let early = VisitReport { on: date("2026-12-07"), ..report.clone() };
    assert_eq!(decide(handan(), &early, "2026-12-08"), "REPORT_DAY");
    let odd = VisitReport { checks: Vec::new(), ..report };
    assert_eq!(decide(handan(), &odd, "2026-12-08"), "PLAN_INVALID");
    let done = |plan: &Plan, by, missing: &[SubjectId]| reason(decide_results(plan, by, missing));
    assert_eq!(done(&executing, handan(), &[]), "");
    assert_eq!(done(&executing, handan(), &[id(1)]), "RESULTS_MISSING");
    assert_eq!(done(&executing, xingtai(), &[]), "NOT_PARTICIPANT");
    assert_eq!(done(&opened(), handan(), &[]), "ANSWER_TOO_LATE");
}

#[test]
fn who_commits_reveals_and_draws_again() {
    let plan_id = id(77);
    let random = |code: CityCode| [u8::try_from(code.as_u32() / 10_000).unwrap(); 32];
    let rule = DrawRule {
        sites: 1,
        host_officers: 2,
        guest_officers: 0,
        weights: TierWeights { key: 1, general: 1, special: 1 },
        pool: Hash::new([9; 32]),
        pool_size: 3,
        spares_withholders: false,
    };
    let mut plan = opened();
    plan.facts.targets = Targets::Draw(rule);
    let commit = |plan: &Plan, by, numbers, state| reason(decide_commit(plan, by, numbers, state));
    assert_eq!(commit(&plan, handan(), (1, 1), (None, false)), "");
    let bound = Some(Hash::new([1; 32]));
    assert_eq!(commit(&plan, handan(), (1, 1), (bound, false)), "DRAW_COMMITTED");
    assert_eq!(commit(&plan, handan(), (1, 2), (None, false)), "WRONG_ATTEMPT");
    assert_eq!(commit(&plan, handan(), (2, 1), (None, false)), "WRONG_REVISION");
    assert_eq!(commit(&plan, xingtai(), (1, 1), (None, false)), "NOT_PARTICIPANT");
    assert_eq!(commit(&opened(), handan(), (1, 1), (None, false)), "NO_DRAW");
    let cities = [handan(), liaocheng(), puyang()];
    plan.stage = PlanStage::Scheduled;
    plan.resting.attempt = 1;
    let hash = |code: CityCode| (code, commitment(plan_id, 1, code, &random(code)));
    plan.resting.commitments = cities.map(hash).into();
    assert_eq!(commit(&plan, handan(), (1, 2), (None, false)), "NOBODY_WITHHOLDS");
    assert_eq!(commit(&plan, handan(), (1, 2), (None, true)), "");
    let rules = PlanRules::default();
    let reveal = |by, shown: &[u8; 32], revealed, attempt, today| {
        let at = (&rules, date(today));
        reason(decide_reveal((plan_id, &plan), by, (attempt, shown), revealed, at))
    };
    let own = random(handan());
    // Shown the day before at the earliest.
    assert_eq!(reveal(handan(), &own, false, 1, "2026-12-07"), "");
    assert_eq!(reveal(handan(), &own, false, 1, "2026-12-06"), "REVEAL_TOO_EARLY");
    assert_eq!(reveal(handan(), &own, true, 1, "2026-12-08"), "DRAW_REVEALED");
    assert_eq!(reveal(handan(), &own, false, 2, "2026-12-08"), "WRONG_ATTEMPT");
    assert_eq!(reveal(handan(), &[0; 32], false, 1, "2026-12-08"), "REVEAL_MISMATCH");
    assert_eq!(reveal(puyang(), &own, false, 1, "2026-12-08"), "REVEAL_MISMATCH");
    assert_eq!(reveal(xingtai(), &own, false, 1, "2026-12-08"), "NOT_PARTICIPANT");
    // Puyang withholds: a draw again needs fresh commitments of all, also of Puyang.
    let mut reveals: BTreeMap<_, _> = [handan(), liaocheng()].map(|c| (c, random(c))).into();
    let fresh = |log: u8, code: CityCode| (code, (at(log, 9), Hash::new([log + 1; 32])));
    let mut seen = Seen {
        commitments: (0..).zip(cities).map(|(log, code)| fresh(log, code)).collect(),
        revealed: reveals.keys().copied().collect(),
        ..Seen::default()
    };
    let redraw = |seen: &Seen, reveals: &BTreeMap<_, _>, by, today| {
        let known = (&members()[..], &rules, date(today));
        decide_redraw(&plan, by, (seen, reveals), known)
    };
    let mv = redraw(&seen, &reveals, liaocheng(), "2026-12-08").unwrap();
    assert!(
        matches!(&mv, PlanMove::Redrawn { attempt: 2, withheld, .. } if *withheld == [puyang()])
    );
    assert_eq!(reason(redraw(&seen, &reveals, handan(), "2026-12-08")), "NOT_INITIATOR");
    assert_eq!(reason(redraw(&seen, &reveals, liaocheng(), "2026-12-06")), "REVEAL_TOO_EARLY");
    seen.commitments.remove(&puyang());
    assert_eq!(reason(redraw(&seen, &reveals, liaocheng(), "2026-12-08")), "COMMITMENT_MISSING");
    reveals.insert(puyang(), random(puyang()));
    assert_eq!(reason(redraw(&seen, &reveals, liaocheng(), "2026-12-08")), "NOBODY_WITHHOLDS");
}
