//! What commands are refused, with which reason and field.

use super::decide::*;
use super::ready::Finding;
use super::*;
use crate::domain::site::{CheckMode, LeftOut};

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
    let after = moved(&world.plan, &mv, &world.seen()).unwrap();
    assert_eq!(after.stage, PlanStage::Scheduled);
    // Refused: another city schedules, one has not confirmed, one has confirmed the old revision.
    let by_other = decide_schedule(&world.look(), handan(), &world.seen(), &members());
    assert_eq!(reason(by_other), "NOT_INITIATOR");
    let again = World { plan: after, ..World::new() };
    let twice = decide_schedule(&again.look(), liaocheng(), &again.seen(), &members());
    assert_eq!(reason(twice), "PLAN_STAGE");
    let facts = PlanFacts { departments: vec![Department::Water], ..facts() };
    let none = Seen::default();
    let changed = (facts, &none, false);
    let mv = decide_revise(&again.plan, liaocheng(), changed, &members(), time(&again)).unwrap();
    world.plan = moved(&again.plan, &mv, &none).unwrap();
    // A new revision: nobody has answered it.
    world.answers.clear();
    world.sent.clear();
    let voided = decide_schedule(&world.look(), liaocheng(), &world.seen(), &members());
    let refusal = voided.unwrap_err();
    assert_eq!((refusal.reason(), refusal.field()), ("NOT_CONFIRMED", "answers"));
    assert!(matches!(refusal, PlanRefusal::Lacking { more: 2, .. }));
    let confirm = Answer::Confirm { sent: Sent::default() };
    let old = decide_answer(&world.look(), handan(), (rev(1), &confirm), None);
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
    assert_eq!(opens(&|f| f.days.reverse()), "PLAN_DAYS");
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
    let revise = |plan: &Plan, by, facts| {
        let changed = (facts, &Seen::default(), false);
        reason(decide_revise(plan, by, changed, &members(), time(&world)))
    };
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
    let sent = sent_of(&units);
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
        let decide = |one: &Answer| decide_answer(&world.look(), handan(), (rev(1), one), before);
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
    // What crossed with the scheduling is made good, or the city withdraws.
    for crossed in [A::Tentative, A::ChangesRequested, A::OtherDays, A::Decline] {
        let mends = ["COMMENT", "CONFIRM", "WITHDRAW"];
        assert_eq!(row(S::Scheduled, Some(crossed)), mends, "{crossed:?}");
        assert_eq!(row(S::Executing, Some(crossed)), mends, "{crossed:?}");
        assert_eq!(row(S::Summarized, Some(crossed)), [""; 0]);
    }
    assert_eq!(row(S::Summarized, Some(A::Confirm)), [""; 0]);
    assert_eq!(row(S::Cancelled, Some(A::Confirm)), [""; 0]);
    let world = World::new();
    let decide =
        |by, answer: &Answer| reason(decide_answer(&world.look(), by, (rev(1), answer), None));
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
        reason(decide_answer(&world.look(), handan(), (rev(1), &answer), None))
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
        let full = crate::domain::site::Visited { made: 3, reserved: 0, most: 3 };
        w.sites.get_mut(&id(1)).unwrap().visited.insert(2026, full);
    };
    assert_eq!(confirm(&capped), "SITE_CAPPED");
    // A swap is looked at like a confirmation, and needs one.
    let swap = |before, change: &dyn Fn(&mut World)| {
        let mut world = World::new();
        world.plan.stage = PlanStage::Scheduled;
        change(&mut world);
        let sent = world.sent[&handan()].clone();
        let act = says(1, PlanWord::UnitsSwapped(sent));
        reason(decide_swap(&world.look(), handan(), &act, before))
    };
    let confirmed = Some(AnswerKind::Confirm);
    assert_eq!(swap(confirmed, &|_| {}), "");
    assert_eq!(swap(confirmed, &taken), "DOUBLE_BOOKED");
    assert_eq!(swap(Some(AnswerKind::Tentative), &|_| {}), "NOTHING_CONFIRMED");
    let stage = |stage| move |w: &mut World| w.plan.stage = stage;
    assert_eq!(swap(confirmed, &stage(PlanStage::Summarized)), "ANSWER_TOO_LATE");
    assert_eq!(swap(confirmed, &stage(PlanStage::Executing)), "");
    // While the plan is open the draw would not know of it: the city confirms anew.
    assert_eq!(swap(confirmed, &stage(PlanStage::Open)), "CONFIRM_ANEW");
    // On the second day only what is still to come is asked.
    let second = |w: &mut World| {
        w.today = date("2026-12-09");
        let unit = w.units.get_mut(&units_of(0)[0]).unwrap();
        unit.taken.insert(half("2026-12-08上午"));
    };
    assert_eq!(swap(confirmed, &second), "");
}

#[test]
fn units_are_released_when_the_plan_has_ended_or_has_another_revision() {
    let release = |stage, booked: Option<u64>, by| {
        let plan = Plan { stage, ..opened() };
        let cities = plan.rounds[0].cities.clone();
        // Also for a revision that the chain rule did not pick.
        let round = booked.map(|number| Round { at: rev(number), cities });
        reason(decide_release(&plan, by, round.as_ref()))
    };
    use PlanStage as S;
    for stage in [S::Summarized, S::Cancelled] {
        assert_eq!(release(stage, Some(1), handan()), "");
    }
    for stage in [S::Open, S::Scheduled, S::Executing] {
        assert_eq!(release(stage, Some(1), handan()), "UNITS_NEEDED");
        assert_eq!(release(stage, Some(0), handan()), "");
    }
    assert_eq!(release(S::Cancelled, None, handan()), "NOTHING_CONFIRMED");
    assert_eq!(release(S::Cancelled, Some(1), xingtai()), "NOT_PARTICIPANT");
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
    let summarize = |by, reported: &[CityCode], gone: Option<CityCode>| {
        let results = (0..).zip(reported).map(|(log, code)| (*code, at(log, 7))).collect();
        let mut seen = Seen { results, ..World::new().seen() };
        if let Some(city) = gone {
            seen.answers.insert(city, (at(7, 7), AnswerKind::Withdraw));
        }
        reason(decide_summarize(&plan, by, &seen, &members()))
    };
    let all = [handan(), liaocheng(), puyang()];
    assert_eq!(summarize(liaocheng(), &all, None), "");
    assert_eq!(summarize(liaocheng(), &all[1..], None), "RESULTS_NOT_IN");
    // A city that has gone does not block the others, reported or not.
    assert_eq!(summarize(liaocheng(), &all[1..], Some(handan())), "");
    assert_eq!(summarize(liaocheng(), &all, Some(handan())), "");
    assert_eq!(summarize(liaocheng(), &all[1..], Some(puyang())), "RESULTS_NOT_IN");
    assert_eq!(summarize(handan(), &all, None), "NOT_INITIATOR");
    // Drawn again, the targets are not those of which there are results.
    let mut again = Plan { stage: PlanStage::Executing, ..opened() };
    again.facts.targets = Targets::Draw(DrawRule {
        sites: 1,
        host_officers: 2,
        guest_officers: 0,
        weights: TierWeights { key: 1, general: 1, special: 1 },
        pool: crate::ids::Hash::new([9; 32]),
        pool_size: 3,
        spares_withholders: false,
    });
    again.resting.commitments = all.map(|city| (city, crate::ids::Hash::new([1; 32]))).into();
    let results = (0..).zip(all).map(|(log, code)| (code, at(log, 7))).collect();
    let mut seen = Seen { results, ..World::new().seen() };
    seen.revealed = [handan(), liaocheng()].into();
    let summed = |seen: &Seen| reason(decide_summarize(&again, liaocheng(), seen, &members()));
    assert_eq!((summed(&seen), targets_known(&again, &seen.revealed)), ("REVEAL_MISSING", false));
    seen.revealed.insert(puyang());
    assert_eq!((summed(&seen), targets_known(&again, &seen.revealed)), ("", true));
    let cancel = |plan: &Plan, reported| {
        reason(decide_plain(plan, liaocheng(), PlanMove::Cancelled, reported, &members()))
    };
    assert_eq!((cancel(&plan, false), cancel(&plan, true)), ("", "ALL_RESULTS_IN"));
    assert_eq!(cancel(&opened(), true), "");
    // It is carried out from its first day on, whether or not somebody has said that it begins.
    let unsaid = Plan { stage: PlanStage::Scheduled, ..plan.clone() };
    assert_eq!((cancel(&unsaid, false), cancel(&unsaid, true)), ("", "ALL_RESULTS_IN"));
    let over = Plan { stage: PlanStage::Summarized, ..opened() };
    assert_eq!(cancel(&over, false), "PLAN_STAGE");
    let amend = decide_plain(&plan, liaocheng(), PlanMove::Amended, true, &members());
    assert_eq!(reason(amend), "");
}

const HERE: fn() -> Visited = || Visited { host: Some(handan()), visits: 1 };

#[test]
fn a_team_arrives_as_it_was_sent() {
    let world = World::new();
    type Change<'a> = &'a dyn Fn(&mut CheckIn, &mut Visited, &mut BTreeMap<CityCode, Sent>);
    let arrives = |(stage, scheduled), (today, left_out), change: Change<'_>| {
        let mut plan = Plan { stage, ..opened() };
        plan.resting.answers.extend(scheduled);
        let (officers, guests) = (units_of(0)[..2].to_vec(), units_of(1)[..1].to_vec());
        let on = date("2026-12-08");
        let mut arrival = CheckIn { site: id(1), nth: 0, on, officers, guests };
        let (mut visited, mut sent) = (HERE(), world.sent.clone());
        change(&mut arrival, &mut visited, &mut sent);
        let certified = arrival.officers.len() as u32;
        let arriving = Arriving { sent: &sent, certified, left_out };
        let known = (arriving, &world.rules, date(today));
        reason(decide_check_in(&plan, handan(), &arrival, visited, known))
    };
    let arrive = |stage, today, change: Change<'_>| arrives((stage, None), (today, None), change);
    let recuse = |sent: &mut BTreeMap<CityCode, Sent>, city, officer, site| {
        let recusal = Recusal { officer, site };
        sent.get_mut(&city).unwrap().recusals.push(recusal);
    };
    let rows: &[(Change<'_>, &str)] = &[
        (&|_, _, _| {}, ""),
        (&|a, _, _| a.officers.truncate(1), "PLAN_INVALID"),
        (&|a, _, _| a.nth = 1, "VISIT_UNKNOWN"),
        (&|_, v, _| v.visits = 0, "SITE_NOT_VISITED"),
        (&|_, v, _| v.host = Some(puyang()), "NOT_HOST_CITY"),
        // A slip of one digit is no site of another city.
        (&|_, v, _| v.host = None, "SITE_UNKNOWN"),
        // No day of the plan; one that has not come.
        (&|a, _, _| a.on = date("2026-12-07"), "ARRIVAL_DAY"),
        (&|a, _, _| a.on = date("2026-12-09"), "ARRIVAL_DAY"),
        // Who was not sent: at all, by another city, on another half day; who is recused.
        (&|a, _, _| a.officers[1] = id(200), "OFFICER_NOT_SENT"),
        (&|a, _, _| a.officers[1] = units_of(1)[1], "OFFICER_NOT_SENT"),
        (&|a, _, _| a.guests[0] = id(200), "OFFICER_NOT_SENT"),
        (
            &|_, _, s| {
                let span = Some(Span { first: 2, last: 2 });
                s.get_mut(&handan()).unwrap().units[0].span = span;
            },
            "OFFICER_NOT_SENT",
        ),
        (&|_, _, s| recuse(s, handan(), units_of(0)[0], Some(id(1))), "OFFICER_RECUSED"),
        (&|_, _, s| recuse(s, handan(), units_of(0)[0], Some(id(2))), ""),
        (&|_, _, s| recuse(s, liaocheng(), units_of(1)[0], None), "OFFICER_RECUSED"),
    ];
    for (row, (change, want)) in rows.iter().enumerate() {
        assert_eq!(arrive(PlanStage::Executing, "2026-12-08", *change), *want, "row {row}");
    }
    let none: Change<'_> = &|_, _, _| {};
    let listed = ("2026-12-08", Some(LeftOut::PositiveList));
    assert_eq!(arrives((PlanStage::Executing, None), listed, none), "VISIT_STOPPED");
    // Also when the initiator has not begun on the morning, and not before.
    assert_eq!(arrive(PlanStage::Scheduled, "2026-12-08", none), "");
    assert_eq!(arrive(PlanStage::Scheduled, "2026-12-07", none), "CHECK_IN_STAGE");
    for stage in [PlanStage::Open, PlanStage::Summarized, PlanStage::Cancelled] {
        assert_eq!(arrive(stage, "2026-12-08", none), "CHECK_IN_STAGE");
    }
    // Behind the end for a while, of what was scheduled.
    for stage in [PlanStage::Summarized, PlanStage::Cancelled] {
        let keyed = |today| arrives((stage, Some(rev(1))), (today, None), none);
        assert_eq!(["2026-12-08", "2027-03-09"].map(keyed), ["", ""]);
        assert_eq!(keyed("2027-03-10"), "REPORT_TOO_LATE");
    }
    // As is what is keyed in while a plan has not been ended.
    assert_eq!(arrive(PlanStage::Executing, "2027-03-10", none), "REPORT_TOO_LATE");
}

#[test]
fn the_host_city_reports_what_its_team_did() {
    let executing = Plan { stage: PlanStage::Executing, ..opened() };
    let rules = PlanRules::default();
    let check = |department| DepartmentCheck { department, items: 5, problems: 1 };
    let report = VisitReport {
        site: id(1),
        nth: 0,
        on: date("2026-12-08"),
        outcome: VisitOutcome::Checked,
        mode: CheckMode::OnSite,
        checks: vec![check(Department::EcologyEnvironment)],
        samples: 0,
        clues: 1,
    };
    let at_stage = |stage, by, report: &VisitReport, today| {
        let mut plan = Plan { stage, ..opened() };
        plan.resting.answers = vec![rev(1)];
        reason(decide_report(&plan, by, report, HERE(), (&rules, date(today))))
    };
    let decide =
        |by, report: &VisitReport, today| at_stage(PlanStage::Executing, by, report, today);
    assert_eq!(decide(handan(), &report, "2026-12-08"), "");
    // Keyed in afterwards, within ninety days of the last day; the day itself is one of the plan's.
    assert_eq!(decide(handan(), &report, "2027-02-28"), "");
    assert_eq!(decide(handan(), &report, "2027-03-09"), "");
    assert_eq!(decide(handan(), &report, "2027-03-10"), "REPORT_TOO_LATE");
    let behind = VisitReport { on: date("2026-12-10"), ..report.clone() };
    assert_eq!(decide(handan(), &behind, "2027-02-28"), "REPORT_DAY");
    assert_eq!(decide(puyang(), &report, "2026-12-08"), "NOT_HOST_CITY");
    assert_eq!(decide(handan(), &report, "2026-12-07"), "REPORT_DAY");
    let early = VisitReport { on: date("2026-12-07"), ..report.clone() };
    assert_eq!(decide(handan(), &early, "2026-12-08"), "REPORT_DAY");
    let odd = VisitReport { checks: Vec::new(), ..report.clone() };
    assert_eq!(decide(handan(), &odd, "2026-12-08"), "PLAN_INVALID");
    let other = VisitReport { checks: vec![check(Department::Health)], ..report.clone() };
    assert_eq!(decide(handan(), &other, "2026-12-08"), "DEPARTMENT_NOT_IN_PLAN");
    let again = VisitReport { nth: 1, ..report.clone() };
    assert_eq!(decide(handan(), &again, "2026-12-08"), "VISIT_UNKNOWN");
    for (stage, today, want) in [
        (PlanStage::Open, "2026-12-08", "REPORT_STAGE"),
        (PlanStage::Scheduled, "2026-12-07", "REPORT_STAGE"),
        (PlanStage::Scheduled, "2026-12-08", ""),
        (PlanStage::Summarized, "2026-12-20", ""),
        (PlanStage::Cancelled, "2026-12-20", ""),
    ] {
        assert_eq!(at_stage(stage, handan(), &report, today), want, "{stage}");
        let late = matches!(stage, PlanStage::Summarized | PlanStage::Cancelled);
        let plan = Plan { stage, ..opened() };
        assert_eq!(is_late(&plan), late);
        // On its day, that day behind the end, on a later day.
        let on = date("2026-12-08");
        let marked = [(on, false), (on, true), (date("2026-12-09"), false)];
        let marked = marked.map(|recorded| is_afterwards(&plan, on, recorded));
        assert_eq!(marked, [false, late, true], "{stage}");
    }
    let never = Plan { stage: PlanStage::Cancelled, ..opened() };
    let never = decide_report(&never, handan(), &report, HERE(), (&rules, date("2026-12-20")));
    assert_eq!(reason(never), "REPORT_STAGE", "it was never settled");
    let finds = |visited, reported| {
        let what = (id(1), 0, Some(id(60)));
        reason(decide_finding(&executing, handan(), what, (visited, reported, &[handan()])))
    };
    // A case of the city where the site stands, or none.
    let of = |case, cities: &[CityCode]| {
        decide_finding(&executing, handan(), (id(1), 0, case), (HERE(), true, cities))
    };
    assert_eq!(of(Some(id(60)), &[puyang(), handan()]), Ok(()));
    assert_eq!(of(None, &[]), Ok(()));
    let elsewhere = of(Some(id(60)), &[puyang(), liaocheng()]).unwrap_err();
    assert_eq!((elsewhere.reason(), elsewhere.field()), ("FINDING_CASE_ELSEWHERE", "case"));
    assert!(elsewhere.rule().is_some());
    assert_eq!((finds(HERE(), true), finds(HERE(), false)), ("", "NO_CLUE"));
    assert_eq!(finds(Visited { visits: 0, ..HERE() }, true), "SITE_NOT_VISITED");
    let done = |plan: &Plan, by, missing: &[SubjectId]| {
        reason(decide_results(plan, by, Ok(missing), date("2026-12-07")))
    };
    assert_eq!(done(&executing, handan(), &[]), "");
    assert_eq!(done(&executing, handan(), &[id(1)]), "RESULTS_MISSING");
    assert_eq!(done(&executing, xingtai(), &[]), "NOT_PARTICIPANT");
    assert_eq!(done(&opened(), handan(), &[]), "REPORT_STAGE");
    // While a part of the draw is missing nobody knows of what there are results.
    let unknown = Err(Finding::RevealMissing { city: puyang() });
    let unknown = decide_results(&executing, handan(), unknown, date("2026-12-08")).unwrap_err();
    assert_eq!((unknown.reason(), unknown.rule().is_some()), ("REVEAL_MISSING", true));
}

#[test]
fn the_initiator_says_what_became_of_proposals() {
    let plan = opened();
    let decide = |by, revision, answer| {
        let what = (rev(revision), answer, Resolution::NotAdopted);
        reason(decide_resolution(&plan, by, what, &[at(0, 4)]))
    };
    assert_eq!(decide(liaocheng(), 1, at(0, 4)), "");
    assert_eq!(decide(liaocheng(), 1, at(0, 5)), "ENTRY_UNKNOWN");
    assert_eq!(decide(liaocheng(), 2, at(0, 4)), "REVISION_UNKNOWN");
    assert_eq!(decide(handan(), 1, at(0, 4)), "NOT_INITIATOR");
}
