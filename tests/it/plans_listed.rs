//! Lists of plans beside a look at each plan, for many filters; the lines that lists are read from
//! follow the feed, and are made anew at a start.
//!
//! In scope: which plans a list has, in which order, on which pages. Out of scope: what a plan is
//! (`plans.rs`), how fast a list is (`liandong bench`).

use std::collections::BTreeSet;

use liandong::cli::connect::Client;
use liandong::domain::HalfDay;
use liandong::wire::pb::v1 as pb;
use liandong::wire::unit::half_day_to_pb;

use super::api::{HERE, THERE, fresh, ready};
use super::nodes::{Nodes, plan, until};
use super::plans::{answer, answering, confirm, create, day, draft, get, needs, seen, step, today};

const DEZHOU: u32 = 371_400;
/// Plans that are made.
const PLANS: u64 = 40;
/// Filters that are tried, before and after a restart.
const FILTERS: u64 = 120;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()].clone()
    }
}

/// A drill to which nobody has to bring anything, from today on or later.
fn drill(dice: &mut Dice, from_today: bool) -> pb::PlanDraft {
    let ahead = |dice: &mut Dice| i64::try_from(dice.below(25)).unwrap() + 1;
    let mut days: BTreeSet<i64> = (0..1 + dice.below(3)).map(|_| ahead(dice)).collect();
    if from_today {
        days.insert(0);
    }
    let half_day = |ahead: &i64| {
        let at = half_day_to_pb(HalfDay::morning(today().plus_days(*ahead).unwrap()));
        pb::PlanDay { at: Some(at), overtime: true }
    };
    let days = days.iter().map(half_day).collect();
    pb::PlanDraft { cities: vec![needs(THERE, 0), needs(HERE, 0)], days, ..draft(&[]) }
}

/// Brings a plan of two cities as far as this, its initiator first.
async fn bring(cities: [&Client; 2], made: pb::Plan, far: u64) {
    let [mine, other] = cities;
    let name = made.name.clone();
    let told = seen(other, &name, |_| true).await;
    match far {
        0 => return,
        1 => {
            let kind = pb::PlanAnswerKind::Decline;
            answer(other, answering(&told, kind, "当日另有任务")).await.unwrap();
            return;
        }
        2 => {
            confirm(other, &told, &[]).await.unwrap();
            return;
        }
        3 => {
            step(mine, &made, pb::PlanStep::Cancel, "因故取消").await.unwrap();
            return;
        }
        _ => {}
    }
    confirm(other, &told, &[]).await.unwrap();
    confirm(mine, &made, &[]).await.unwrap();
    let settled = seen(mine, &name, |plan| plan.answers.len() == 2).await;
    let settled = step(mine, &settled, pb::PlanStep::Schedule, "").await.unwrap();
    if far == 4 {
        return;
    }
    let begun = step(mine, &settled, pb::PlanStep::Begin, "").await.unwrap();
    let results = |of: &pb::Plan| pb::ReportResultsRequest {
        name: of.name.clone(),
        revision: of.revision_entry.clone(),
        request_id: fresh(),
        acting_for: None,
    };
    if far > 5 {
        let executing = |plan: &pb::Plan| plan.state() == pb::PlanState::Executing;
        let told = seen(other, &name, executing).await;
        other.plans().report_results(results(&told)).await.unwrap();
    }
    if far > 6 {
        mine.plans().report_results(results(&begun)).await.unwrap();
        let reported = seen(mine, &name, |plan| plan.reported.len() == 2).await;
        if far > 7 {
            step(mine, &reported, pb::PlanStep::Summarize, "").await.unwrap();
        }
    }
}

async fn revise(initiator: &Client, made: pb::Plan, draft: pb::PlanDraft) {
    let asked = pb::RevisePlanRequest {
        name: made.name,
        etag: made.etag,
        draft: Some(draft),
        request_id: fresh(),
        ..pb::RevisePlanRequest::default()
    };
    initiator.plans().revise_plan(asked).await.unwrap();
}

fn some_filter(dice: &mut Dice, agreements: &[String]) -> pb::ListPlansRequest {
    let parents = [&[String::from("agreements/-")], agreements].concat();
    let state = dice.below(8);
    let ahead = |dice: &mut Dice| {
        let ahead = i64::try_from(dice.below(30)).unwrap() - 2;
        today().plus_days(ahead).and_then(day)
    };
    pb::ListPlansRequest {
        parent: dice.one_of(&parents),
        city: dice.one_of(&[0, 0, HERE, THERE, DEZHOU]),
        state: if dice.below(2) == 0 { 0 } else { i32::try_from(state).unwrap() },
        from: if dice.below(3) == 0 { ahead(dice) } else { None },
        until: if dice.below(3) == 0 { ahead(dice) } else { None },
        awaits_own_city: dice.below(3) == 0,
        awaits_others: dice.below(3) == 0,
        holds_own_units: dice.below(8) == 0,
        page_size: i32::try_from(1 + dice.below(12)).unwrap(),
        page_token: String::new(),
    }
}

/// What the filter takes, by a look at a plan.
fn takes(asked: &pb::ListPlansRequest, plan: &pb::Plan) -> bool {
    let number = |date: &pb::Date| (date.year, date.month, date.day);
    let within = |at: &pb::PlanDay| {
        let on = at.at.and_then(|at| at.on).unwrap();
        asked.from.is_none_or(|from| number(&from) <= number(&on))
            && asked.until.is_none_or(|until| number(&on) <= number(&until))
    };
    (asked.parent == "agreements/-" || plan.name.starts_with(&asked.parent))
        && (asked.city == 0 || plan.cities.iter().any(|one| one.city == asked.city))
        && (asked.state == 0 || asked.state == plan.state)
        && plan.days.iter().any(within)
        && (!asked.awaits_own_city || plan.awaited.iter().any(|one| one.city == HERE))
        && (!asked.awaits_others || plan.awaited.iter().any(|one| one.city != HERE))
        && (!asked.awaits_others || plan.cities.iter().any(|one| one.city == HERE))
        && (!asked.holds_own_units || holds_units(plan))
}

/// Whether it has ended, and the own city has units booked for it still.
fn holds_units(plan: &pb::Plan) -> bool {
    let ended = matches!(plan.state(), pb::PlanState::Summarized | pb::PlanState::Cancelled);
    ended && !plan.booked_revision.is_empty()
}

/// The names on all pages of a list.
async fn listed(client: &Client, mut asked: pb::ListPlansRequest) -> Vec<String> {
    let (mut names, mut total) = (Vec::new(), None);
    loop {
        let answer = client.plans().list_plans(asked.clone()).await.unwrap().into_inner();
        let size = usize::try_from(asked.page_size).unwrap();
        assert!(answer.plans.len() == size || answer.next_page_token.is_empty(), "{asked:?}");
        assert_eq!(*total.get_or_insert(answer.total_size), answer.total_size, "{asked:?}");
        assert!(!answer.total_is_partial);
        names.extend(answer.plans.into_iter().map(|plan| plan.name));
        asked.page_token = answer.next_page_token;
        if asked.page_token.is_empty() {
            assert_eq!(total, Some(u32::try_from(names.len()).unwrap()), "{asked:?}");
            return names;
        }
    }
}

/// Compares many lists with a look at each plan; how many found something.
async fn compare(client: &Client, agreements: &[String], all: &[pb::Plan]) -> usize {
    let (mut dice, mut found) = (Dice(7), 0);
    for _ in 0..FILTERS {
        let asked = some_filter(&mut dice, agreements);
        let want: Vec<&str> =
            all.iter().filter(|one| takes(&asked, one)).map(|p| &*p.name).collect();
        assert_eq!(listed(client, asked.clone()).await, want, "{asked:?}");
        found += usize::from(!want.is_empty());
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_plans_are_what_a_look_at_each_of_them_gives() {
    let of_three: &[u32] = &[HERE, THERE, DEZHOU];
    let fleet = plan(of_three, &[("聊邯德", of_three), ("聊邯", &[HERE, THERE])]);
    let mut nodes = Nodes::lay_out(&fleet);
    nodes.start(HERE);
    nodes.start(THERE);
    let agreements: Vec<String> = nodes.fleet.agreements.iter().map(|one| one.name()).collect();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    for agreement in &agreements {
        ready(&here, agreement).await;
        ready(&there, agreement).await;
    }
    let (mut dice, mut names) = (Dice(1), BTreeSet::new());
    for nth in 0..PLANS {
        let far = nth % 9;
        let mut draft = drill(&mut dice, far > 4 || nth % 3 == 0);
        let agreement = &agreements[usize::try_from(nth % 2).unwrap()];
        if nth % 2 == 0 && far < 4 && dice.below(2) == 0 {
            draft.cities.insert(1, needs(DEZHOU, 0));
        }
        let cities = if nth % 5 == 0 { [&there, &here] } else { [&here, &there] };
        let made = create(cities[0], agreement, draft).await.unwrap();
        names.insert(made.name.clone());
        bring(cities, made.clone(), far).await;
        if far == 0 {
            // Its next revision is on other days, and one in two is of other cities as well.
            let mut draft = drill(&mut dice, false);
            if nth % 2 == 0 {
                draft.cities.insert(1, needs(DEZHOU, 0));
            }
            revise(cities[0], made, draft).await;
        }
    }
    // Both have the same of every plan, so nothing is under way any more.
    let mut states = BTreeSet::new();
    for name in &names {
        let same = || async {
            let (one, two) = (get(&here, name).await.ok()?, get(&there, name).await.ok()?);
            let told =
                |of: &pb::Plan| (of.state, of.revision, of.answers.len(), of.reported.clone());
            (told(&one) == told(&two)).then_some(one.state)
        };
        states.insert(until("both have the same of a plan", same).await);
    }
    assert_eq!(states, (1..=7).collect(), "every state is there");
    let all = pb::ListPlansRequest {
        parent: "agreements/-".into(),
        page_size: 200,
        ..pb::ListPlansRequest::default()
    };
    let order = listed(&here, all).await;
    assert_eq!(order.iter().cloned().collect::<BTreeSet<_>>(), names);
    let mut plans = Vec::new();
    for name in &order {
        plans.push(get(&here, name).await.unwrap());
    }
    let found = compare(&here, &agreements, &plans).await;
    assert!(found > 30, "{found} of the filters take anything");
    nodes.kill(HERE);
    nodes.start(HERE);
    let here = nodes.client(HERE).await;
    ready(&here, &agreements[0]).await;
    assert_eq!(compare(&here, &agreements, &plans).await, found);
}
