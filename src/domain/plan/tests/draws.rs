//! Draws and teams: fair, recomputable, recusal honoured, and as full as can be.

use super::arrivals::{
    Difference, at_several, difference, due, exchanged, unlike, without_arrival,
};
use super::lots::{
    NotDrawn, Outcome, PoolSite, is_pool_of, is_reveal, named_although_revealed, officers_of,
    outcome, pool_digest, reveals_that_count, withholding,
};
use super::ready::Remark;
use super::teams::seat;
use super::*;
use crate::domain::Language;
use crate::domain::draw::{DrawError, Randomness, commitment};
use crate::domain::site::CheckMode;
use crate::domain::site::LeftOut;
use crate::ids::Hash;

const PLAN: u8 = 77;

/// Ids that never change, so that draws are the same in every run.
fn hashed(kind: &str, number: u32) -> SubjectId {
    let hash = Hash::of(&[kind.as_bytes(), &number.to_be_bytes()]);
    SubjectId::new(std::array::from_fn(|place| hash.as_bytes()[place]))
}

fn cities() -> [CityCode; 3] {
    [handan(), liaocheng(), puyang()]
}

fn pool(size: u32) -> Vec<PoolSite> {
    let tiers = [SiteTier::Key, SiteTier::General, SiteTier::General, SiteTier::Special];
    let one = |number: u32| PoolSite {
        site: hashed("site", number),
        city: cities()[number as usize % 3],
        tier: tiers[number as usize % 4],
        left_out: None,
    };
    (0..size).map(one).collect()
}

fn rule(pool: &[PoolSite], sites: u32) -> DrawRule {
    let weights = TierWeights { key: 3, general: 1, special: 0 };
    DrawRule {
        sites,
        host_officers: 2,
        guest_officers: 2,
        weights,
        pool: pool_digest(pool),
        pool_size: pool.len() as u32,
        spares_withholders: false,
    }
}

fn random(code: CityCode, attempt: u32) -> Randomness {
    *Hash::of(&[&code.as_u32().to_be_bytes(), &attempt.to_be_bytes()]).as_bytes()
}

fn reveals(attempt: u32) -> BTreeMap<CityCode, Randomness> {
    cities().map(|code| (code, random(code, attempt))).into()
}

/// A plan scheduled on commitments to what [`reveals`] shows.
fn scheduled(rule: DrawRule, attempt: u32) -> Plan {
    let mut plan = opened();
    plan.facts.targets = Targets::Draw(rule);
    plan.stage = PlanStage::Scheduled;
    (plan.resting.attempt, plan.resting.draw) = (attempt, Some(at(1, 20)));
    let bound = |code| (code, commitment(id(PLAN), 1, code, &random(code, attempt)));
    plan.resting.commitments = cities().map(bound).into();
    plan
}

/// Ten officers of each city; the first two of Handan do not go to these sites.
fn officers(recused: &[SubjectId]) -> BTreeMap<CityCode, Sent> {
    let of = |code: CityCode| {
        let mut units: Vec<SubjectId> =
            (0..10).map(|number| hashed("officer", code.as_u32() + number)).collect();
        units.sort_unstable();
        let own = if code == handan() { recused } else { &[] };
        let both = units[..2].iter().flat_map(|officer| {
            own.iter().map(|site| Recusal { officer: *officer, site: Some(*site) })
        });
        let mut recusals: Vec<Recusal> = both.collect();
        recusals.sort_unstable();
        (code, Sent { recusals, ..sent_of(&units) })
    };
    cities().map(of).into()
}

fn drawn(plan: &Plan, pool: &[PoolSite], attempt: u32, recused: &[SubjectId]) -> Outcome {
    outcome(id(PLAN), plan, pool, &reveals(attempt), &officers(recused)).unwrap()
}

#[test]
fn the_same_reveals_draw_the_same_in_whatever_order_the_pool_comes() {
    let (all, mut reversed) = (pool(30), pool(30));
    reversed.reverse();
    let rule = rule(&all, 6);
    assert!(is_pool_of(&rule, &all) && is_pool_of(&rule, &reversed));
    assert!(!is_pool_of(&rule, &all[1..]));
    let mut other = all.clone();
    other[3].city = xingtai();
    assert!(!is_pool_of(&rule, &other));
    let plan = scheduled(rule, 1);
    let first = drawn(&plan, &all, 1, &[]);
    assert_eq!(first, drawn(&plan, &reversed, 1, &[]));
    assert_eq!(first.targets.len(), 6);
    assert_ne!(first, drawn(&scheduled(rule, 2), &all, 2, &[]));
    // What was left out, and a tier without tickets, is never drawn.
    let mut some = all.clone();
    some[0].left_out = Some(LeftOut::PositiveList);
    let tickets = |one: &&PoolSite| one.left_out.is_none() && one.tier != SiteTier::Special;
    let there = some.iter().filter(tickets).count() as u32;
    let many = |sites| DrawRule { sites, pool: pool_digest(&some), pool_size: 29, ..rule };
    let drawn = drawn(&scheduled(many(there), 1), &some, 1, &[]);
    assert_eq!(drawn.targets.len() as u32, there);
    assert!(drawn.targets.iter().all(|one| one.site != some[0].site));
    // More than there are with tickets is an error, not a smaller draw.
    assert!(!is_pool_of(&many(there + 1), &some));
}

#[test]
fn nothing_is_drawn_from_another_list() {
    let all = pool(30);
    let rule = rule(&all, 6);
    let plan = scheduled(rule, 1);
    type Change<'a> = &'a dyn Fn(&mut Vec<PoolSite>);
    let changes: [Change<'_>; 7] = [
        &|list| list.truncate(29),
        &|list| list.push(list[0]),
        &|list| list[29] = list[0],
        &|list| list[3].city = xingtai(),
        &|list| list[0].tier = SiteTier::General,
        &|list| list[0].left_out = Some(LeftOut::Capped),
        &|list| list[0].site = id(1),
    ];
    for (row, change) in changes.into_iter().enumerate() {
        let mut other = all.clone();
        change(&mut other);
        assert!(!is_pool_of(&rule, &other), "row {row}");
        let got = outcome(id(PLAN), &plan, &other, &reveals(1), &officers(&[]));
        assert_eq!(got, Err(NotDrawn::OtherPool), "row {row}");
    }
    // A reason changed is another list.
    let mut reasons = all.clone();
    reasons[0].left_out = Some(LeftOut::Capped);
    let capped = pool_digest(&reasons);
    reasons[0].left_out = Some(LeftOut::Closed);
    assert_ne!(capped, pool_digest(&reasons));
    // A site twice is none, even when the digest is of that.
    let twice = [all.clone(), vec![all[0]]].concat();
    let digest = DrawRule { pool: pool_digest(&twice), pool_size: 31, ..rule };
    assert!(!is_pool_of(&digest, &twice));
}

#[test]
fn a_reveal_counts_for_its_revision_attempt_and_commitment() {
    let all = pool(30);
    let plan = scheduled(rule(&all, 6), 1);
    let shown = |revision: Position, draw: Position, random: Randomness| PlanAct {
        revision,
        word: PlanWord::DrawRevealed { draw, random },
    };
    let own = random(handan(), 1);
    for (row, (act, counts)) in [
        (shown(rev(1), at(1, 20), own), true),
        (shown(rev(2), at(1, 20), own), false),
        (shown(rev(1), at(1, 19), own), false),
        (shown(rev(1), at(1, 20), random(handan(), 2)), false),
        (shown(rev(1), at(1, 20), random(puyang(), 1)), false),
        (says(1, PlanWord::ResultsReported), false),
    ]
    .into_iter()
    .enumerate()
    {
        let got = reveals_that_count(id(PLAN), &plan, [(handan(), &act)]);
        assert_eq!(got.contains_key(&handan()), counts, "row {row}");
    }
    // Nothing is scheduled: nothing counts.
    let open = Plan { resting: Resting::default(), ..plan };
    let act = shown(rev(1), at(1, 20), own);
    assert!(reveals_that_count(id(PLAN), &open, [(handan(), &act)]).is_empty());
}

#[test]
fn only_registered_officers_of_the_city_are_drawn() {
    let sent = BTreeMap::from([(handan(), sent_of(&[id(1), id(2), id(3), id(4)]))]);
    let registered = |unit: SubjectId| match unit.as_bytes()[0] {
        1 => Some((handan(), UnitKind::Officer)),
        2 => Some((handan(), UnitKind::Vehicle)),
        3 => Some((puyang(), UnitKind::Officer)),
        _ => None,
    };
    assert_eq!(officers_of(&sent, &registered)[&handan()], sent_of(&[id(1)]));
}

#[test]
fn the_next_by_ticket_stands_in() {
    let all = pool(30);
    let plan = scheduled(rule(&all, 12), 1);
    let sent = officers(&[]);
    let drawn = drawn(&plan, &all, 1, &[]);
    let first = drawn.targets[0].clone();
    let at_once: Vec<_> = drawn.targets.iter().filter(|one| one.at == first.at).collect();
    let of = |sent: &BTreeMap<CityCode, Sent>, able: &dyn Fn(SubjectId) -> bool| {
        let due = due(&plan, &drawn, first.at, &|city| sent.get(&city), &|_, one| able(one));
        due.into_iter().collect::<BTreeMap<_, _>>()
    };
    // Whoever was drawn and can come, comes.
    let all_come = of(&sent, &|_| true);
    assert!(at_once.iter().all(|one| all_come[&one.site] == one.lead));
    // One of the team cannot: the other stays, and one stands in who is in no team of that time.
    let gone = first.lead[0];
    let stands_in = |due: &BTreeMap<SubjectId, Vec<SubjectId>>| {
        let team = &due[&first.site];
        assert!(team.len() == 2 && team[0] == first.lead[1] && !team.contains(&gone));
        assert!(sent[&first.host].has(team[1]));
        let busy = at_once.iter().flat_map(|one| one.lead.iter().chain(&one.guests));
        assert!(!busy.copied().any(|one| one == team[1]));
        for other in &at_once[1..] {
            assert_eq!(due[&other.site], other.lead);
        }
        team[1]
    };
    let ill = stands_in(&of(&sent, &|one| one != gone));
    let mut swapped = sent.clone();
    swapped.get_mut(&first.host).unwrap().units.retain(|one| one.unit != gone);
    let mut recused = sent.clone();
    let recusal = Recusal { officer: gone, site: Some(first.site) };
    recused.get_mut(&first.host).unwrap().recusals.push(recusal);
    for other in [swapped, recused] {
        assert_eq!(stands_in(&of(&other, &|_| true)), ill);
    }
    // Nobody can: nobody is due.
    assert!(of(&sent, &|_| false).values().all(Vec::is_empty));
    let mut officers = vec![ill, first.lead[1]];
    officers.sort_unstable();
    let (site, on) = (first.site, first.at.on);
    let arrival = CheckIn { site, nth: 0, on, officers, guests: Vec::new() };
    assert_eq!(difference(&[first.lead[1], ill], &arrival), Difference::default());
    let want = Difference { absent: vec![gone], others: vec![ill] };
    assert_eq!(difference(&first.lead, &arrival), want);
    // What is remarked: nothing of the one who stands in, nor of the one who was drawn and has
    // left since; somebody else instead of him, and of whom.
    let told = |came: [SubjectId; 2], able: &dyn Fn(SubjectId) -> bool| {
        let mut arrival = CheckIn { officers: came.to_vec(), ..arrival.clone() };
        arrival.officers.sort_unstable();
        unlike(&plan, &drawn, &[&arrival], &|city| sent.get(&city), &|_, one, _| able(one))
    };
    assert_eq!(told([ill, first.lead[1]], &|one| one != gone), []);
    assert_eq!(told([gone, first.lead[1]], &|one| one != gone), []);
    let [absent, other] =
        [Remark::DueAbsent { site, officer: gone }, { Remark::NotDue { site, officer: ill } }];
    assert_eq!(told([ill, first.lead[1]], &|_| true), [absent, other]);
}

#[test]
fn whoever_was_drawn_is_not_exchanged_unseen() {
    let all = pool(30);
    let plan = scheduled(rule(&all, 12), 1);
    let sent = officers(&[]);
    let drawn = drawn(&plan, &all, 1, &[]);
    let first = drawn.targets[0].clone();
    let (site, officer, place) = (first.site, first.lead[0], plan.facts.days.iter());
    let place = place.into_iter().position(|day| day.at == first.at).unwrap();
    let told = |change: &dyn Fn(&mut Sent), arrived: &[&CheckIn]| {
        let mut now = sent.clone();
        change(now.get_mut(&first.host).unwrap());
        exchanged(&plan, &drawn, arrived, &now)
    };
    assert_eq!(told(&|_| {}, &[]), []);
    let gone = |sent: &mut Sent| sent.units.retain(|one| one.unit != officer);
    let mut everywhere = Vec::new();
    for target in &drawn.targets {
        let here = target.lead.iter().chain(&target.guests).any(|one| *one == officer);
        everywhere.extend(here.then_some(Remark::DrawnNotSent { site: target.site, officer }));
    }
    assert_eq!(told(&gone, &[]), everywhere);
    // Swapped to other half days than the one for which he was drawn.
    let elsewhere = (place + 1) % plan.facts.days.len();
    let moved = |sent: &mut Sent| {
        let mut units = sent.units.iter_mut();
        let span = Some(Span { first: elsewhere as u8, last: elsewhere as u8 });
        units.find(|one| one.unit == officer).unwrap().span = span;
    };
    assert!(told(&moved, &[]).contains(&Remark::DrawnNotSent { site, officer }));
    let recused = |sent: &mut Sent| {
        sent.recusals.push(Recusal { officer, site: Some(site) });
    };
    assert_eq!(told(&recused, &[]), [Remark::DrawnRecused { site, officer }]);
    // Who came all the same is where he belongs.
    let (on, mut officers) = (first.at.on, first.lead.clone());
    officers.sort_unstable();
    let arrival = CheckIn { site, nth: 0, on, officers, guests: Vec::new() };
    assert_eq!(told(&recused, &[&arrival]), []);
    assert_eq!(told(&gone, &[&arrival]).len(), everywhere.len() - 1);
    // Of a city that sends nobody any more there is a finding already.
    let mut none = sent.clone();
    none.remove(&first.host);
    let here = |one: &Remark| {
        let at =
            |of: &SubjectId| drawn.targets.iter().any(|t| t.host == first.host && t.site == *of);
        matches!(one, Remark::DrawnNotSent { site, .. } if at(site))
    };
    assert!(!exchanged(&plan, &drawn, &[], &none).iter().any(here));
}

#[test]
fn nobody_is_at_two_sites_in_one_half_day_unseen() {
    let plan = opened();
    let [morning, afternoon] = ["2026-12-08上午", "2026-12-08下午"].map(half);
    let came = |site: u8, on: &str, officers: &[u8], guests: &[u8]| CheckIn {
        site: id(site),
        nth: 0,
        on: date(on),
        officers: officers.iter().map(|one| id(*one)).collect(),
        guests: guests.iter().map(|one| id(*one)).collect(),
    };
    let at = |site: SubjectId, _: u32| match site {
        one if one == id(1) || one == id(4) => vec![morning],
        one if one == id(2) => vec![morning, afternoon],
        _ => Vec::new(),
    };
    let told = |all: &[CheckIn]| at_several(&plan, &all.iter().collect::<Vec<_>>(), &at);
    let on = "2026-12-08";
    let twice =
        |officer, site| Remark::AtSeveral { officer: id(officer), site: id(site), on: date(on) };
    // Two in the morning, at which one guest was too.
    let both = [came(1, on, &[101, 102], &[110]), came(4, on, &[103, 104], &[110])];
    assert_eq!(told(&both), [twice(110, 4)]);
    assert_eq!(told(&[came(1, on, &[101], &[]), came(4, on, &[101], &[])]), [twice(101, 4)]);
    // One of them may have been in the afternoon, also where it was on no half day of its own.
    assert_eq!(told(&[came(2, on, &[101], &[]), came(1, on, &[101], &[])]), []);
    assert_eq!(told(&[came(1, on, &[101], &[]), came(9, on, &[101], &[])]), []);
    let three = [came(1, on, &[101], &[]), came(2, on, &[101], &[]), came(9, on, &[101], &[])];
    assert_eq!(told(&three), [twice(101, 9)]);
    // On another day he is elsewhere.
    assert_eq!(told(&[came(1, on, &[101], &[]), came(9, "2026-12-09", &[101], &[])]), []);
    // A check on site at which nobody is known to have been.
    let report = |site, mode| VisitReport {
        site: id(site),
        nth: 0,
        on: date(on),
        outcome: VisitOutcome::Checked,
        mode,
        checks: Vec::new(),
        samples: 0,
        clues: 0,
    };
    let reports =
        [report(1, CheckMode::OnSite), report(2, CheckMode::OnSite), report(3, CheckMode::OffSite)];
    let here = came(1, on, &[101, 102], &[]);
    let alone = without_arrival(&reports, &[&here]);
    assert_eq!(alone, [Remark::NoArrival { site: id(2) }]);
}

#[test]
fn nothing_is_drawn_while_a_city_withholds_and_it_is_named() {
    let all = pool(30);
    let plan = scheduled(rule(&all, 6), 1);
    let mut shown = reveals(1);
    assert_eq!(withholding(&plan, &shown), []);
    shown.remove(&puyang());
    assert_eq!(withholding(&plan, &shown), [puyang()]);
    let got = outcome(id(PLAN), &plan, &all, &shown, &officers(&[]));
    assert_eq!(got, Err(NotDrawn::Draw(DrawError::Withheld(vec![puyang()]))));
    shown.insert(puyang(), [0; 32]);
    assert!(!is_reveal(id(PLAN), &plan, puyang(), (at(1, 20), &[0; 32])));
    assert!(is_reveal(id(PLAN), &plan, puyang(), (at(1, 20), &random(puyang(), 1))));
    let got = outcome(id(PLAN), &plan, &all, &shown, &officers(&[]));
    assert_eq!(got, Err(NotDrawn::Draw(DrawError::NotCommitted(vec![puyang()]))));
}

#[test]
fn who_withholds_has_all_its_sites_among_the_targets() {
    let all = pool(30);
    let mut plan = scheduled(rule(&all, 6), 2);
    plan.resting.withheld = BTreeSet::from([puyang()]);
    let targets = drawn(&plan, &all, 2, &[]).targets;
    // Not those of a tier without tickets.
    let own = |one: &&PoolSite| one.city == puyang() && one.tier != SiteTier::Special;
    let own = all.iter().filter(own).count();
    let by_default = targets.iter().filter(|one| one.by_default);
    assert!(by_default.clone().all(|one| one.host == puyang()));
    assert_eq!((by_default.count(), targets.len()), (own, own + 6));
    assert!(targets.iter().all(|one| one.by_default == (one.host == puyang())));
    // A rule that spares them draws as if nothing had been.
    let spares = DrawRule { spares_withholders: true, ..rule(&all, 6) };
    let mut plan = scheduled(spares, 2);
    plan.resting.withheld = BTreeSet::from([puyang()]);
    let targets = drawn(&plan, &all, 2, &[]).targets;
    assert!(targets.len() == 6 && targets.iter().all(|one| !one.by_default));
}

#[test]
fn who_is_named_and_has_revealed_all_the_same_is_shown() {
    let all = pool(30);
    let first = scheduled(rule(&all, 6), 1);
    let mut second = scheduled(rule(&all, 6), 2);
    second.resting.used = first.resting.commitments.values().copied().collect();
    second.resting.withheld = BTreeSet::from([handan(), puyang()]);
    second.resting.missed = BTreeSet::from([first.resting.commitments[&puyang()]]);
    let named_in = |plan: &Plan, at: Position, shown: &[(CityCode, u32)]| {
        let shown = shown.iter().map(|(city, attempt)| (*city, at, random(*city, *attempt)));
        named_although_revealed(id(PLAN), plan, shown).into_iter().collect::<Vec<_>>()
    };
    let named = |shown: &[(CityCode, u32)]| named_in(&second, second.at, shown);
    // Those of the present attempt, of others, also of one that withheld another time, and of
    // nothing it was bound to are no such thing.
    assert_eq!(named(&[(puyang(), 2), (handan(), 1), (puyang(), 9)]), []);
    assert_eq!(named(&[(puyang(), 1)]), [puyang()]);
    // So it is in all revisions that follow, for what was shown for the one before.
    let (facts, behind) = (second.facts.clone(), Position { index: 99, ..second.at });
    let revise = PlanMove::Revised { facts };
    let cities: Vec<CityCode> = second.facts.participants().collect();
    let third = next(&second, second.initiator, (behind, &revise), &Seen::default(), &cities);
    let third = third.unwrap();
    assert_eq!(third.resting.withheld, second.resting.withheld);
    assert_eq!(named_in(&third, second.at, &[(puyang(), 1)]), [puyang()]);
    assert_eq!(named_in(&third, third.at, &[(puyang(), 1)]), [], "of another revision");
    let remark = Remark::ShownAllTheSame { city: puyang() };
    let said = [Language::Zh, Language::En]
        .map(|language| remark.explain(language, &name, &|_| String::new()));
    assert!(said[0].starts_with("濮阳曾列为未公开随机数"), "{said:?}");
    assert!(said[1].contains("is named as withholding, and has shown that part"), "{said:?}");
}

#[test]
fn f19_recused_officers_are_never_drawn() {
    let all = pool(30);
    let mut rule = rule(&all, 12);
    rule.weights.special = 1;
    let sites: Vec<SubjectId> = all.iter().map(|one| one.site).collect();
    let recused = officers(&[]).remove(&handan()).unwrap().units;
    let recused: Vec<SubjectId> = recused[..2].iter().map(|one| one.unit).collect();
    let mut without = 0;
    for attempt in 1..=100 {
        let plan = scheduled(rule, attempt);
        let of = |recused: &[SubjectId]| drawn(&plan, &all, attempt, recused).targets;
        let goes = |one: &lots::Target| {
            one.lead.iter().chain(&one.guests).any(|officer| recused.contains(officer))
        };
        assert!(!of(&sites).iter().any(goes), "attempt {attempt}");
        without += usize::from(of(&[]).iter().any(goes));
    }
    assert!(without > 50, "{without}: the rule must make a difference");
}

#[test]
fn hosts_lead_at_every_site_that_is_drawn() {
    let all = pool(60);
    let host_of: BTreeMap<_, _> = officers(&[])
        .into_iter()
        .flat_map(|(c, s)| s.units.into_iter().map(move |one| (one.unit, c)))
        .collect();
    for attempt in 1..=50 {
        let targets = drawn(&scheduled(rule(&all, 20), attempt), &all, attempt, &[]).targets;
        let mut busy = BTreeSet::new();
        for target in &targets {
            assert_eq!(target.lead.len(), 2, "attempt {attempt}");
            assert!(target.lead.iter().all(|officer| host_of[officer] == target.host));
            assert!(target.guests.iter().all(|officer| host_of[officer] != target.host));
            for officer in target.lead.iter().chain(&target.guests) {
                assert!(busy.insert((target.at, *officer)), "attempt {attempt}: in two places");
            }
        }
        // Visits of one city are spread over the half days.
        let at_once = |host, at| targets.iter().filter(|t| t.host == host && t.at == at).count();
        for host in cities() {
            let days = facts().days;
            let counts: Vec<usize> = days.iter().map(|day| at_once(host, day.at)).collect();
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1);
        }
    }
}

/// Ten officers of one city, two a site: over a year each is drawn as often as any other, within
/// what chance allows: nine degrees of freedom, above 27.88 once in a thousand fair years.
#[test]
fn a_year_of_teams_is_fair() {
    let all: Vec<PoolSite> = pool(3);
    let mut rule = rule(&all, 1);
    (rule.guest_officers, rule.weights.special) = (0, 1);
    let mut seen: BTreeMap<SubjectId, f64> = BTreeMap::new();
    let mut teams = 0.0;
    for attempt in 1..=1_000 {
        for target in drawn(&scheduled(rule, attempt), &all, attempt, &[]).targets {
            if target.host == handan() {
                teams += 1.0;
                target.lead.iter().for_each(|one| *seen.entry(*one).or_default() += 1.0);
            }
        }
    }
    let expected = teams * 2.0 / 10.0;
    // Two of ten without putting back: the spread is smaller by (10 - 2) / (10 - 1).
    let square: f64 = seen.values().map(|got| (got - expected).powi(2) / expected).sum();
    assert_eq!(seen.len(), 10);
    assert!(teams > 300.0 && square * 9.0 / 8.0 < 27.88, "{square} of {teams} teams");
}

/// The most seats that can be filled, by trying every officer at every visit.
fn most(visits: usize, seats: u32, may: &[Vec<bool>], officer: usize, filled: &mut [u32]) -> u32 {
    let Some(row) = may.get(officer) else { return filled.iter().sum() };
    let mut best = most(visits, seats, may, officer + 1, filled);
    for visit in 0..visits {
        if row[visit] && filled[visit] < seats {
            filled[visit] += 1;
            best = best.max(most(visits, seats, may, officer + 1, filled));
            filled[visit] -= 1;
        }
    }
    best
}

#[test]
fn teams_are_as_full_as_trying_everything_makes_them() {
    let bit = |round: u32, place: u32| {
        let hash = Hash::of(&[&round.to_be_bytes(), &place.to_be_bytes()]);
        hash.as_bytes()[0]
    };
    for round in 0..400 {
        let visits: Vec<SubjectId> = (0..1 + bit(round, 1) % 4).map(id).collect();
        let officers: Vec<SubjectId> = (100..100 + bit(round, 2) % 7).map(id).collect();
        let seats = 1 + u32::from(bit(round, 3) % 2);
        let may =
            |officer: usize, visit: usize| bit(round, (10 + officer * 8 + visit) as u32) % 5 < 3;
        let order = |site: SubjectId| {
            let visit = visits.iter().position(|one| *one == site).unwrap();
            let free = officers.iter().enumerate().filter(|(place, _)| may(*place, visit));
            free.map(|(_, officer)| *officer).collect()
        };
        let teams = seat(&visits, seats, &order);
        let mut everybody: Vec<SubjectId> = teams.concat();
        everybody.sort_unstable();
        assert!(everybody.is_sorted_by(|one, next| one < next), "round {round}: {teams:?}");
        for (site, team) in visits.iter().zip(&teams) {
            assert!(team.len() <= seats as usize && team.iter().all(|o| order(*site).contains(o)));
        }
        let table: Vec<Vec<bool>> = (0..officers.len())
            .map(|officer| (0..visits.len()).map(|visit| may(officer, visit)).collect())
            .collect();
        let best = most(visits.len(), seats, &table, 0, &mut vec![0; visits.len()]);
        assert_eq!(everybody.len() as u32, best, "round {round}: {teams:?}");
    }
}

/// Computed by some lines of Python: SHA-256 of the pieces in the header of [`lots`].
#[test]
fn a_draw_with_its_teams_is_what_other_code_makes_of_it() {
    let site = |number, city, tier| PoolSite { site: id(number), city, tier, left_out: None };
    let all = [
        site(1, handan(), SiteTier::Key),
        site(2, liaocheng(), SiteTier::General),
        site(3, puyang(), SiteTier::General),
        site(4, puyang(), SiteTier::General),
    ];
    let rule = DrawRule { guest_officers: 1, ..rule(&all, 3) };
    assert_eq!(
        rule.pool.to_string(),
        "c24010f465cadb644b37a8525a58da9ccb24c13bba51898fc39ef2b4775b5346"
    );
    let mut plan = scheduled(rule, 1);
    let shown: BTreeMap<CityCode, Randomness> =
        [(handan(), [0x11; 32]), (liaocheng(), [0x22; 32]), (puyang(), [0x33; 32])].into();
    let bound =
        |(city, random): (&CityCode, &Randomness)| (*city, commitment(id(PLAN), 1, *city, random));
    plan.resting.commitments = shown.iter().map(bound).collect();
    let sends = |numbers: std::ops::RangeInclusive<u8>| {
        sent_of(&numbers.map(id).collect::<Vec<SubjectId>>())
    };
    let officers = [
        (handan(), sends(101..=104)),
        (liaocheng(), sends(111..=113)),
        (puyang(), sends(121..=123)),
    ];
    let drawn = outcome(id(PLAN), &plan, &all, &shown, &officers.into()).unwrap();
    assert_eq!(
        drawn.seed.as_str(),
        "b21c764b12f0e4d5a6f119bdb80d91ea3e82f0224feabed8b53e2347eb6cadfe"
    );
    let number = |id: &SubjectId| id.as_bytes()[0];
    let team = |ids: &[SubjectId]| ids.iter().map(number).collect::<Vec<u8>>();
    let got: Vec<_> = drawn
        .targets
        .iter()
        .map(|one| (number(&one.site), team(&one.lead), team(&one.guests)))
        .collect();
    // Guests of the first site are drawn from whoever is left over, and so on.
    assert_eq!(
        got,
        [
            (1, vec![101, 104], vec![123]),
            (3, vec![122, 121], vec![113]),
            (2, vec![111, 112], vec![103]),
        ]
    );
}
