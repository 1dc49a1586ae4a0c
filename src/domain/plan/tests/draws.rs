//! Draws and teams: fair, recomputable, recusal honoured, and as full as can be.

use super::lots::{
    Outcome, PoolSite, is_pool_of, is_reveal, named_although_revealed, outcome, pool_digest,
    withholding,
};
use super::teams::seat;
use super::*;
use crate::domain::draw::{DrawError, Randomness, commitment};
use crate::domain::site::SiteTier;
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
        pool: pool_digest(pool, weights),
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
    plan.resting.attempt = attempt;
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
        let both = units[..2]
            .iter()
            .flat_map(|officer| own.iter().map(|site| Recusal { officer: *officer, site: *site }));
        let mut recusals: Vec<Recusal> = both.collect();
        recusals.sort_unstable();
        (code, Sent { units, recusals })
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
    // A tier without tickets is not drawn, however many are asked for.
    let many = DrawRule { sites: 30, ..rule };
    let drawn = drawn(&scheduled(many, 1), &all, 1, &[]);
    assert_eq!(drawn.targets.len(), all.iter().filter(|one| one.tier != SiteTier::Special).count());
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
    assert_eq!(got, Err(DrawError::Withheld(vec![puyang()])));
    shown.insert(puyang(), [0; 32]);
    assert!(!is_reveal(id(PLAN), &plan, puyang(), &[0; 32]));
    assert!(is_reveal(id(PLAN), &plan, puyang(), &random(puyang(), 1)));
    let got = outcome(id(PLAN), &plan, &all, &shown, &officers(&[]));
    assert_eq!(got, Err(DrawError::NotCommitted(vec![puyang()])));
}

#[test]
fn who_withholds_has_all_its_sites_among_the_targets() {
    let all = pool(30);
    let mut plan = scheduled(rule(&all, 6), 2);
    plan.resting.withheld = BTreeSet::from([puyang()]);
    let targets = drawn(&plan, &all, 2, &[]).targets;
    let own = all.iter().filter(|one| one.city == puyang()).count();
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
    second.resting.withheld = BTreeSet::from([puyang()]);
    let named = |shown: &[(CityCode, u32)]| {
        let shown = shown.iter().map(|(city, attempt)| (*city, random(*city, *attempt)));
        named_although_revealed(id(PLAN), &second, shown).into_iter().collect::<Vec<_>>()
    };
    // Those of the present attempt, of others, and of nothing it was bound to are no such thing.
    assert_eq!(named(&[(puyang(), 2), (handan(), 1), (puyang(), 9)]), []);
    assert_eq!(named(&[(puyang(), 1)]), [puyang()]);
}

#[test]
fn f19_recused_officers_are_never_drawn() {
    let all = pool(30);
    let mut rule = rule(&all, 12);
    rule.weights.special = 1;
    rule.pool = pool_digest(&all, rule.weights);
    let sites: Vec<SubjectId> = all.iter().map(|one| one.site).collect();
    let recused = officers(&[]).remove(&handan()).unwrap().units[..2].to_vec();
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
    // A refusal: a recusal of an officer who is not sent is none.
    let recusal = Recusal { officer: hashed("officer", 1), site: sites[0] };
    let sent = Sent { units: vec![recused[0]], recusals: vec![recusal] };
    assert!(!sent.is_whole());
}

#[test]
fn hosts_lead_at_every_site_that_is_drawn() {
    let all = pool(60);
    let host_of: BTreeMap<_, _> = officers(&[])
        .into_iter()
        .flat_map(|(c, s)| s.units.into_iter().map(move |u| (u, c)))
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
    let site = |number, city, tier| PoolSite { site: id(number), city, tier };
    let all = [
        site(1, handan(), SiteTier::Key),
        site(2, liaocheng(), SiteTier::General),
        site(3, puyang(), SiteTier::General),
        site(4, puyang(), SiteTier::General),
    ];
    let rule = DrawRule { guest_officers: 1, ..rule(&all, 3) };
    assert_eq!(
        rule.pool.to_string(),
        "54b251544147965809191ad80deee63a080d2c75ec97e44ee152df42f107f367"
    );
    let mut plan = scheduled(rule, 1);
    let shown: BTreeMap<CityCode, Randomness> =
        [(handan(), [0x11; 32]), (liaocheng(), [0x22; 32]), (puyang(), [0x33; 32])].into();
    let bound =
        |(city, random): (&CityCode, &Randomness)| (*city, commitment(id(PLAN), 1, *city, random));
    plan.resting.commitments = shown.iter().map(bound).collect();
    let sends = |numbers: std::ops::RangeInclusive<u8>| Sent {
        units: numbers.map(id).collect(),
        recusals: Vec::new(),
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
