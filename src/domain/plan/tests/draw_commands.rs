//! Who commits, reveals and draws again, and when that is refused.

use super::decide::*;
use super::*;
use crate::domain::draw::commitment;
use crate::ids::Hash;

fn reason<T>(result: Result<T, PlanRefusal>) -> &'static str {
    result.err().map_or("", PlanRefusal::reason)
}

const PLAN: u8 = 77;

fn random(code: CityCode) -> [u8; 32] {
    [u8::try_from(code.as_u32() / 10_000).unwrap(); 32]
}

/// An open plan that draws.
fn drawing() -> Plan {
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
    plan
}

/// The same, scheduled.
fn bound() -> Plan {
    let mut plan = Plan { stage: PlanStage::Scheduled, ..drawing() };
    (plan.resting.attempt, plan.resting.draw) = (1, Some(at(1, 20)));
    let hash = |code: CityCode| (code, commitment(id(PLAN), 1, code, &random(code)));
    plan.resting.commitments = [handan(), liaocheng(), puyang()].map(hash).into();
    plan
}

/// Handan has two sites in the list, two officers are due at each, and four come.
#[test]
fn it_is_remarked_that_recusals_may_leave_a_host_short() {
    let officers = (0..4).map(|place| id(100 + place)).collect::<Vec<_>>();
    let remarked = |recusals: &[(usize, Option<u8>)], change: &dyn Fn(&mut World)| {
        let mut world = super::lacking::with_draw();
        world.units.get_mut(&officers[3]).unwrap().kind = UnitKind::Officer;
        let second = super::lots::PoolSite { site: id(9), ..world.pool[0] };
        world.pool.push(second);
        world.plan.facts.days.truncate(1);
        let recusal = |(place, site): &(usize, Option<u8>)| {
            let (officer, site) = (officers[*place], site.map(id));
            Recusal { officer, site }
        };
        world.sent.get_mut(&handan()).unwrap().recusals = recusals.iter().map(recusal).collect();
        change(&mut world);
        let all = super::ready::remarks(&world.look());
        all.into_iter().map(super::ready::Remark::reason).collect::<Vec<_>>()
    };
    let none: &dyn Fn(&mut World) = &|_| {};
    let two = [(0, Some(1)), (0, Some(9))];
    // From one site each: whoever keeps away from the one goes to the other.
    assert_eq!(remarked(&[(0, Some(1)), (1, Some(9))], none), [""; 0]);
    assert_eq!(remarked(&two, none), ["MAY_LACK_LEADS"]);
    assert_eq!(remarked(&[(0, None)], none), ["MAY_LACK_LEADS"]);
    // Of a site that is not in the list; with one more officer, on two half days, once scheduled.
    assert_eq!(remarked(&[(0, Some(1)), (0, Some(8))], none), [""; 0]);
    assert_eq!(
        remarked(&two, &|w| {
            let more = SentUnit { unit: id(104), span: None };
            w.units.insert(more.unit, w.units[&officers[0]].clone());
            w.sent.get_mut(&handan()).unwrap().units.push(more);
        }),
        [""; 0]
    );
    assert_eq!(remarked(&two, &|w| w.plan.facts.days = facts().days), [""; 0]);
    assert_eq!(remarked(&two, &|w| w.plan.stage = PlanStage::Scheduled), [""; 0]);
    // Fewer than are due in any case is a finding.
    assert_eq!(
        remarked(&two, &|w| {
            w.sent.get_mut(&handan()).unwrap().units.pop();
        }),
        [""; 0]
    );
}

#[test]
fn who_commits_when() {
    let plan = drawing();
    let rules = PlanRules::default();
    let fresh = Bound { committed: false, revealed: false, withheld: false, lost: false };
    let on_day = |plan: &Plan, by, (revision, attempt), bound, today| {
        let now = (&rules, date(today));
        reason(decide_commit(plan, by, (rev(revision), attempt), bound, now))
    };
    let commit = |plan: &Plan, by, numbers, bound| on_day(plan, by, numbers, bound, "2026-12-08");
    assert_eq!(on_day(&plan, handan(), (1, 1), fresh, "2026-12-01"), "");
    // While the plan is open a city may commit again.
    assert_eq!(commit(&plan, handan(), (1, 1), Bound { committed: true, ..fresh }), "");
    assert_eq!(commit(&plan, handan(), (1, 2), fresh), "WRONG_ATTEMPT");
    assert_eq!(commit(&plan, handan(), (2, 1), fresh), "REVISION_UNKNOWN");
    assert_eq!(commit(&plan, xingtai(), (1, 1), fresh), "NOT_PARTICIPANT");
    assert_eq!(commit(&opened(), handan(), (1, 1), fresh), "NO_DRAW");
    let plan = bound();
    // To another attempt: when somebody withholds, and who has revealed or has lost its bytes.
    let withheld = Bound { withheld: true, ..fresh };
    let shown = Bound { revealed: true, ..withheld };
    assert_eq!(commit(&plan, handan(), (1, 2), fresh), "NOBODY_WITHHOLDS");
    assert_eq!(commit(&plan, handan(), (1, 2), withheld), "REVEAL_FIRST");
    assert_eq!(commit(&plan, handan(), (1, 2), shown), "");
    assert_eq!(commit(&plan, handan(), (1, 2), Bound { lost: true, ..withheld }), "");
    assert_eq!(
        commit(&plan, handan(), (1, 2), Bound { committed: true, ..shown }),
        "DRAW_COMMITTED"
    );
    assert_eq!(on_day(&plan, handan(), (1, 2), shown, "2026-12-06"), "REVEAL_TOO_EARLY");
    let ended = Plan { stage: PlanStage::Cancelled, ..plan.clone() };
    assert_eq!(commit(&ended, handan(), (1, 2), shown), "COMMIT_TOO_LATE");
}

#[test]
fn who_has_seen_parts_of_others_shows_its_own_before_it_revises() {
    let (plan, calendar, rules) = (bound(), World::new().calendar, PlanRules::default());
    let term = World::new().term;
    let time = Time { calendar: &calendar, term, today: date("2026-12-01"), rules: &rules };
    let revise = |plan: &Plan, by, revealed: &[CityCode], lost| {
        let seen = Seen { revealed: revealed.iter().copied().collect(), ..Seen::default() };
        let facts = (plan.facts.clone(), &seen, lost);
        reason(decide_revise(plan, by, facts, &members(), time))
    };
    for (row, (by, revealed, lost, want)) in [
        (liaocheng(), &[][..], false, ""),
        (liaocheng(), &[puyang()], false, "REVEAL_FIRST"),
        (liaocheng(), &[handan(), puyang()], false, "REVEAL_FIRST"),
        // It cannot: it is named by what it does.
        (liaocheng(), &[puyang()], true, ""),
        (liaocheng(), &[liaocheng()], false, ""),
        (liaocheng(), &[liaocheng(), puyang()], false, ""),
        (handan(), &[puyang()], false, "NOT_INITIATOR"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(revise(&plan, by, revealed, lost), want, "row {row}");
    }
    assert_eq!(revise(&drawing(), liaocheng(), &[], false), "", "nobody is bound");
}

#[test]
fn who_reveals_and_draws_again() {
    let (plan, rules) = (bound(), PlanRules::default());
    let cities = [handan(), liaocheng(), puyang()];
    let reveal_by = |plan: &Plan, by, shown: &[u8; 32], revealed: &[CityCode], draw, today| {
        let (at, revealed) = ((&rules, date(today)), revealed.iter().copied().collect());
        reason(decide_reveal((id(PLAN), plan), by, (draw, shown), &revealed, at))
    };
    let reveal_of = |plan: &Plan, by, shown: &[u8; 32], revealed: bool, draw, today| {
        reveal_by(
            plan,
            by,
            shown,
            if revealed { std::slice::from_ref(&by) } else { &[] },
            draw,
            today,
        )
    };
    let reveal = |by, shown: &[u8; 32], revealed, index, today| {
        reveal_of(&plan, by, shown, revealed, at(1, index), today)
    };
    let own = random(handan());
    // Shown the day before at the earliest.
    assert_eq!(reveal(handan(), &own, false, 20, "2026-12-07"), "");
    assert_eq!(reveal(handan(), &own, false, 20, "2026-12-06"), "REVEAL_TOO_EARLY");
    // The initiator may before that, once another city has.
    let mine = random(liaocheng());
    for (by, shown, revealed, want) in [
        (liaocheng(), &mine, &[][..], "REVEAL_TOO_EARLY"),
        (liaocheng(), &mine, &[puyang()], ""),
        (liaocheng(), &mine, &[liaocheng(), puyang()], "DRAW_REVEALED"),
        (handan(), &own, &[puyang()], "REVEAL_TOO_EARLY"),
    ] {
        assert_eq!(reveal_by(&plan, by, shown, revealed, at(1, 20), "2026-12-06"), want);
    }
    assert_eq!(reveal(handan(), &own, true, 20, "2026-12-08"), "DRAW_REVEALED");
    assert_eq!(reveal(handan(), &own, false, 21, "2026-12-08"), "WRONG_ATTEMPT");
    assert_eq!(reveal(handan(), &[0; 32], false, 20, "2026-12-08"), "REVEAL_MISMATCH");
    assert_eq!(reveal(puyang(), &own, false, 20, "2026-12-08"), "REVEAL_MISMATCH");
    assert_eq!(reveal(xingtai(), &own, false, 20, "2026-12-08"), "NOT_PARTICIPANT");
    let open = Plan { stage: PlanStage::Open, ..plan.clone() };
    assert_eq!(reveal_of(&open, handan(), &own, false, at(1, 20), "2026-12-08"), "REVEAL_STAGE");
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
    assert!(matches!(&mv, PlanMove::Redrawn { withheld, .. } if *withheld == [puyang()]));
    assert_eq!(reason(redraw(&seen, &reveals, handan(), "2026-12-08")), "NOT_INITIATOR");
    assert_eq!(reason(redraw(&seen, &reveals, liaocheng(), "2026-12-06")), "REVEAL_TOO_EARLY");
    seen.commitments.remove(&puyang());
    assert_eq!(reason(redraw(&seen, &reveals, liaocheng(), "2026-12-08")), "COMMITMENT_MISSING");
    reveals.insert(puyang(), random(puyang()));
    assert_eq!(reason(redraw(&seen, &reveals, liaocheng(), "2026-12-08")), "NOBODY_WITHHOLDS");
}
