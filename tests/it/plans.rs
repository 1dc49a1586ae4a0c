//! Joint actions between real nodes: proposal, answers, schedule, draw, visits, results, summary.

use std::collections::BTreeMap;

use icalendar::{Component, EventLike};
use liandong::cli::connect::Client;
use liandong::domain::{Date, HalfDay};
use liandong::wire::pb::v1 as pb;
use liandong::wire::unit::half_day_to_pb;
use sha2::{Digest, Sha256};
use tonic::{Code, Status};

use super::api::{HERE, THERE, fact, fresh, ready, refused, sample};
use super::nodes::{Nodes, plan, until};

pub fn today() -> Date {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    Date::beijing(i64::try_from(now).unwrap()).unwrap()
}

pub(super) fn day(on: Date) -> Option<pb::Date> {
    Some(pb::Date { year: on.year(), month: on.month().into(), day: on.day().into() })
}

/// Two cities with one agreement or two, and four officers here and two there.
pub struct World {
    pub nodes: Nodes,
    pub agreements: Vec<String>,
    pub here: Client,
    pub there: Client,
    pub officers: Vec<String>,
    pub guests: Vec<String>,
}

async fn world(names: &[&str]) -> World {
    world_set_up(names, |_| {}).await
}

/// The same, with something done before the nodes start.
pub async fn world_set_up(names: &[&str], set_up: impl FnOnce(&Nodes)) -> World {
    let cities = [HERE, THERE];
    let agreements: Vec<(&str, &[u32])> = names.iter().map(|name| (*name, &cities[..])).collect();
    let mut nodes = Nodes::lay_out(&plan(&cities, &agreements));
    set_up(&nodes);
    cities.iter().for_each(|city| nodes.start(*city));
    let agreements: Vec<String> = nodes.fleet.agreements.iter().map(|one| one.name()).collect();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    for agreement in &agreements {
        ready(&here, agreement).await;
        ready(&there, agreement).await;
    }
    let (mut officers, mut guests) = (Vec::new(), Vec::new());
    for number in ["37150099001", "37150099002", "37150099003", "37150099004"] {
        officers.push(officer(&here, &agreements[0], number, 900).await);
    }
    for number in ["13040099001", "13040099002"] {
        guests.push(officer(&there, &agreements[0], number, 900).await);
    }
    // Each city knows whom the other can send: before, no day is found on which both can come.
    for (client, name) in [(&here, &guests[1]), (&there, &officers[3])] {
        super::nodes::until("the officers of the other city are there", || async {
            let asked = pb::GetUnitRequest { name: name.clone() };
            client.units().get_unit(asked).await.ok()
        })
        .await;
    }
    World { nodes, agreements, here, there, officers, guests }
}

pub async fn officer(client: &Client, parent: &str, number: &str, valid_days: i64) -> String {
    officer_of(client, parent, number, valid_days, "执法一大队").await
}

pub async fn officer_of(
    client: &Client,
    parent: &str,
    number: &str,
    valid_days: i64,
    team: &str,
) -> String {
    let facts = pb::UnitFacts {
        kind: pb::UnitKind::Officer.into(),
        department: pb::Department::EcologyEnvironment.into(),
        valid_from: day(today().plus_days(-900).unwrap()),
        valid_until: day(today().plus_days(valid_days).unwrap()),
        retired: false,
    };
    let asked = pb::CreateUnitRequest {
        parent: parent.to_owned(),
        facts: Some(facts),
        record: Some(pb::UnitRecord { number: number.to_owned(), team: team.to_owned() }),
        request_id: fresh(),
        acting_for: None,
    };
    client.units().create_unit(asked).await.unwrap().into_inner().unit.unwrap().name
}

pub async fn site(client: &Client, parent: &str, nth: usize, county: u32) -> String {
    site_of(client, parent, (&format!("示例{nth}号纸业有限公司"), nth), county).await
}

pub async fn site_of(
    client: &Client,
    parent: &str,
    (name, nth): (&str, usize),
    county: u32,
) -> String {
    let uscc = ["91371522YYYY90011A", "91410922YYYY900388"][nth % 2];
    let location = pb::Location {
        longitude: "115.671234".into(),
        latitude: "36.233456".into(),
        crs: "EPSG:4490".into(),
        address: "莘县示例镇".into(),
    };
    let asked = pb::CreateSiteRequest {
        parent: parent.to_owned(),
        facts: Some(pb::SiteFacts {
            county_code: county,
            tier: pb::SiteTier::Key.into(),
            media: vec![pb::Medium::Water.into()],
            permit_kind: pb::PermitKind::KeyManaged.into(),
            closed: false,
        }),
        record: Some(pb::SiteRecord {
            name: name.to_owned(),
            uscc: uscc.into(),
            industry_code: "C2221".into(),
            location: Some(location),
            ..pb::SiteRecord::default()
        }),
        request_id: fresh(),
        another_plant: true,
        ..pb::CreateSiteRequest::default()
    };
    client.sites().create_site(asked).await.unwrap().into_inner().site.unwrap().name
}

pub fn half_days() -> [HalfDay; 2] {
    [HalfDay::morning(today()), HalfDay::afternoon(today())]
}

pub fn needs(city: u32, count: u32) -> pb::CityNeeds {
    let kind = pb::UnitKind::Officer.into();
    let needs = vec![pb::UnitNeed { kind, count, department: 0 }];
    pb::CityNeeds { city, needs: if count == 0 { Vec::new() } else { needs } }
}

/// An inspection today, whatever day of the week it is.
pub fn draft(sites: &[String]) -> pb::PlanDraft {
    let visit = |site: &String| pb::VisitDraft {
        site: site.clone(),
        first: Some(half_day_to_pb(half_days()[0])),
        ..pb::VisitDraft::default()
    };
    let kind =
        if sites.is_empty() { pb::PlanKind::EmergencyDrill } else { pb::PlanKind::JointInspection };
    pb::PlanDraft {
        kind: kind.into(),
        cities: vec![needs(THERE, 1), needs(HERE, 2)],
        departments: vec![pb::Department::EcologyEnvironment.into(), pb::Department::Water.into()],
        days: half_days()
            .map(|at| pb::PlanDay { at: Some(half_day_to_pb(at)), overtime: true })
            .to_vec(),
        visits: sites.iter().map(visit).collect(),
        draw: None,
        record: Some(pb::PlanRecord {
            title: "聊邯交界涉水企业联合检查".into(),
            meeting_place: "示例镇政府门前".into(),
            ..pb::PlanRecord::default()
        }),
    }
}

pub fn creating(parent: &str, draft: pb::PlanDraft) -> pb::CreatePlanRequest {
    pb::CreatePlanRequest {
        parent: parent.to_owned(),
        draft: Some(draft),
        request_id: fresh(),
        ..pb::CreatePlanRequest::default()
    }
}

pub async fn create(
    client: &Client,
    parent: &str,
    draft: pb::PlanDraft,
) -> Result<pb::Plan, Status> {
    let asked = creating(parent, draft);
    client.plans().create_plan(asked).await.map(|answer| answer.into_inner().plan.unwrap())
}

/// The address of a plan's page.
pub fn page_of(plan: &pb::Plan) -> String {
    let mut parts = plan.name.split('/');
    format!("/plan/{}/{}", parts.nth(1).unwrap(), parts.nth(1).unwrap())
}

pub async fn get(client: &Client, name: &str) -> Result<pb::Plan, Status> {
    let asked = pb::GetPlanRequest { name: name.to_owned() };
    client.plans().get_plan(asked).await.map(|answer| answer.into_inner().plan.unwrap())
}

/// The plan as a city sees it, once something is so.
pub async fn seen(client: &Client, name: &str, is: impl Fn(&pb::Plan) -> bool) -> pb::Plan {
    until("the plan is as it should be", || async { get(client, name).await.ok().filter(&is) })
        .await
}

pub async fn step(
    client: &Client,
    plan: &pb::Plan,
    step: pb::PlanStep,
    text: &str,
) -> Result<pb::Plan, Status> {
    let asked = pb::MovePlanRequest {
        name: plan.name.clone(),
        etag: plan.etag.clone(),
        step: step.into(),
        text: text.into(),
        request_id: fresh(),
        acting_for: None,
    };
    client.plans().move_plan(asked).await.map(|answer| answer.into_inner().plan.unwrap())
}

fn sends(units: &[String]) -> Option<pb::SentDraft> {
    let unit = |unit: &String| pb::UnitDraft { unit: unit.clone(), ..pb::UnitDraft::default() };
    Some(pb::SentDraft { units: units.iter().map(unit).collect(), recusals: Vec::new() })
}

pub fn answering(plan: &pb::Plan, kind: pb::PlanAnswerKind, text: &str) -> pb::AnswerPlanRequest {
    pb::AnswerPlanRequest {
        name: plan.name.clone(),
        revision: plan.revision_entry.clone(),
        kind: kind.into(),
        text: text.into(),
        request_id: fresh(),
        ..pb::AnswerPlanRequest::default()
    }
}

pub async fn answer(client: &Client, asked: pb::AnswerPlanRequest) -> Result<pb::Plan, Status> {
    client.plans().answer_plan(asked).await.map(|answer| answer.into_inner().plan.unwrap())
}

pub async fn confirm(
    client: &Client,
    plan: &pb::Plan,
    units: &[String],
) -> Result<pb::Plan, Status> {
    let asked = answering(plan, pb::PlanAnswerKind::Confirm, "");
    answer(client, pb::AnswerPlanRequest { sent: sends(units), ..asked }).await
}

pub async fn check_in(
    client: &Client,
    plan: &pb::Plan,
    site: &str,
    officers: &[String],
) -> Result<pb::Plan, Status> {
    // Whoever stands there by now is corrected.
    let now = get(client, &plan.name).await.unwrap();
    let entry =
        now.visits.into_iter().find(|one| one.site == site).and_then(|one| one.arrival_entry);
    let asked = pb::CheckInRequest {
        replaces: entry.map(|one| one.entry).unwrap_or_default(),
        name: plan.name.clone(),
        revision: plan.revision_entry.clone(),
        site: site.to_owned(),
        officers: officers.to_vec(),
        request_id: fresh(),
        ..pb::CheckInRequest::default()
    };
    client.plans().check_in(asked).await.map(|answer| answer.into_inner().plan.unwrap())
}

pub fn result(clues: u32) -> pb::VisitResult {
    let check = |department: pb::Department, problems| pb::VisitCheck {
        department: department.into(),
        items: 12,
        problems,
    };
    pb::VisitResult {
        on: day(today()),
        outcome: pb::VisitOutcome::Checked.into(),
        mode: pb::CheckMode::OnSite.into(),
        checks: vec![check(pb::Department::EcologyEnvironment, 2), check(pb::Department::Water, 1)],
        samples: 2,
        clues,
    }
}

pub async fn report(
    client: &Client,
    plan: &pb::Plan,
    site: &str,
    result: pb::VisitResult,
) -> Result<pb::Plan, Status> {
    // Whatever stands there by now is corrected.
    let now = get(client, &plan.name).await.unwrap();
    let entry =
        now.visits.into_iter().find(|one| one.site == site).and_then(|one| one.result_entry);
    let asked = pb::ReportVisitRequest {
        replaces: entry.map(|one| one.entry).unwrap_or_default(),
        name: plan.name.clone(),
        revision: plan.revision_entry.clone(),
        site: site.to_owned(),
        result: Some(result),
        request_id: fresh(),
        ..pb::ReportVisitRequest::default()
    };
    client.plans().report_visit(asked).await.map(|answer| answer.into_inner().plan.unwrap())
}

pub async fn results(client: &Client, plan: &pb::Plan) -> Result<pb::Plan, Status> {
    let asked = pb::ReportResultsRequest {
        name: plan.name.clone(),
        revision: plan.revision_entry.clone(),
        request_id: fresh(),
        acting_for: None,
    };
    client.plans().report_results(asked).await.map(|answer| answer.into_inner().plan.unwrap())
}

const LATE: Code = Code::FailedPrecondition;

pub fn why<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    refused(answer)
}

/// What a refusal says is wrong, and whose rule that breaks.
fn wrong<T: std::fmt::Debug>(answer: &Result<T, Status>, field: &str, source: &str) {
    let status = answer.as_ref().unwrap_err();
    assert_eq!((fact(status, "field"), fact(status, "source")), (field.into(), source.into()));
    assert!(!fact(status, "rule").is_empty());
}

fn is(code: Code, reason: &str) -> (Code, String) {
    (code, reason.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn f15_a_plan_is_settled_when_all_have_confirmed_the_same_revision() {
    let world = world(&["聊邯"]).await;
    let (agreement, here, there) = (&world.agreements[0], &world.here, &world.there);
    let at = site(here, agreement, 0, 371_522).await;
    let sites = [at.clone()];

    // Bad drafts say which field, and leave nothing.
    let bad = |change: &dyn Fn(&mut pb::PlanDraft)| {
        let mut bad = draft(&sites);
        change(&mut bad);
        create(here, agreement, bad)
    };
    let nobody = "0".repeat(32);
    let elsewhere = bad(&|d| d.visits[0].site = format!("agreements/{nobody}/sites/{nobody}"));
    assert_eq!(why(elsewhere.await).1, "OTHER_AGREEMENT");
    let alone = bad(&|d| d.cities.truncate(1)).await;
    assert_eq!(why(alone), is(Code::InvalidArgument, "PARTICIPANTS"));
    let stranger = bad(&|d| d.cities[0].city = 371_400).await;
    assert_eq!(why(stranger), is(Code::InvalidArgument, "PARTICIPANT_NOT_MEMBER"));
    let nowhere = bad(&|d| d.visits.clear()).await;
    assert_eq!(why(nowhere), is(Code::InvalidArgument, "TARGETS_OF_KIND"));
    let past = today().plus_days(-1).unwrap();
    let past = bad(&|d| d.days[0].at = Some(half_day_to_pb(HalfDay::morning(past)))).await;
    assert!(["PLAN_DAY_PAST", "VISIT_DAY_NOT_IN_PLAN"].contains(&why(past).1.as_str()));
    let checked =
        pb::CreatePlanRequest { validate_only: true, ..creating(agreement, draft(&sites)) };
    assert!(here.plans().create_plan(checked).await.unwrap().into_inner().plan.is_none());
    let listing = pb::ListPlansRequest { parent: agreement.clone(), ..Default::default() };
    let none = here.plans().list_plans(listing.clone()).await.unwrap().into_inner();
    assert_eq!((none.plans.len(), none.total_size), (0, 0));

    let first = create(here, agreement, draft(&sites)).await.unwrap();
    assert_eq!((first.state(), first.revision), (pb::PlanState::Consulting, 1));
    assert_eq!(first.number, format!("JA-{HERE}-{:04}-001", today().year()));
    let told = seen(there, &first.name, |_| true).await;
    assert_eq!((&told.record, &told.number), (&first.record, &first.number));

    // They ask for a change, which is adopted: another revision, and answers to the old one are
    // taken no more.
    let asked = answering(&told, pb::PlanAnswerKind::ChangesRequested, "");
    assert_eq!(why(answer(there, asked).await).1, "REQUIRED");
    let asked = answering(&told, pb::PlanAnswerKind::ChangesRequested, "请增加一个半天");
    answer(there, asked).await.unwrap();
    let heard = seen(here, &first.name, |plan| plan.answers.len() == 1).await;
    assert_eq!(heard.answers[0].text, "请增加一个半天");
    let resolve = pb::ResolveAnswerRequest {
        name: heard.name.clone(),
        revision: heard.revision_entry.clone(),
        answer: heard.answers[0].entry.clone(),
        resolution: pb::PlanResolution::Adopted.into(),
        text: "已采纳".into(),
        request_id: fresh(),
        acting_for: None,
    };
    assert_eq!(why(there.plans().resolve_answer(resolve.clone()).await).1, "NOT_INITIATOR");
    here.plans().resolve_answer(resolve).await.unwrap();
    let revising = pb::RevisePlanRequest {
        name: heard.name.clone(),
        etag: heard.etag.clone(),
        draft: Some(draft(&sites)),
        request_id: fresh(),
        ..pb::RevisePlanRequest::default()
    };
    assert_eq!(why(there.plans().revise_plan(revising.clone()).await).1, "NOT_INITIATOR");
    let second = here.plans().revise_plan(revising.clone()).await.unwrap().into_inner();
    let second = second.plan.unwrap();
    assert_eq!((second.revision, second.answers.len()), (2, 0), "a revision voids answers");
    let again = pb::RevisePlanRequest { request_id: fresh(), ..revising };
    assert_eq!(why(here.plans().revise_plan(again).await).0, Code::Aborted);
    let told = seen(there, &first.name, |plan| plan.revision == 2).await;
    let old = pb::Plan { revision_entry: first.revision_entry.clone(), ..told.clone() };
    let late = confirm(there, &old, &world.guests).await;
    assert_eq!(fact(&late.clone().unwrap_err(), "revision"), "2");
    assert_eq!(why(late), is(LATE, "OLD_REVISION"));

    settle(&world, &second, &told).await;
}

/// From the second revision to the beginning.
async fn settle(world: &World, second: &pb::Plan, told: &pb::Plan) {
    let (here, there) = (&world.here, &world.there);
    // What a plan lacks is said by name, with rule and source; nothing is booked by a refusal.
    let short = confirm(here, second, &world.officers[..1]).await;
    let status = short.clone().unwrap_err();
    assert!(!fact(&status, "rule").is_empty() && !fact(&status, "source").is_empty());
    assert_eq!(why(short), is(LATE, "UNITS_SHORT"));
    let expired = officer(there, &world.agreements[0], "13040099009", -1).await;
    let expired = confirm(there, told, &[expired]).await;
    assert_eq!(why(expired), is(LATE, "CERTIFICATE_INVALID"));
    let foreign = confirm(there, told, &world.officers[..1]).await;
    assert_eq!(why(foreign), is(LATE, "UNIT_UNKNOWN_OR_FOREIGN"));
    confirm(here, second, &world.officers[..2]).await.unwrap();
    let early = step(here, second, pb::PlanStep::Schedule, "").await;
    assert_eq!(why(early), is(LATE, "NOT_CONFIRMED"));
    let lacking = get(here, &second.name).await.unwrap();
    assert_eq!(lacking.findings[0].reason, "NOT_CONFIRMED");
    assert_eq!(lacking.findings[0].force(), pb::RuleForce::Rule);
    confirm(there, told, &world.guests[..1]).await.unwrap();
    let all = seen(here, &second.name, |plan| plan.answers.len() == 2).await;
    assert_eq!((all.state(), &all.findings), (pb::PlanState::Confirming, &Vec::new()));
    assert_eq!(why(step(there, &all, pb::PlanStep::Schedule, "").await).1, "NOT_INITIATOR");
    let settled = step(here, &all, pb::PlanStep::Schedule, "").await.unwrap();
    assert_eq!(settled.state(), pb::PlanState::Scheduled);

    // Other texts void nothing, nor do other units of one's own.
    let amending = pb::AmendPlanRequest {
        name: settled.name.clone(),
        etag: settled.etag.clone(),
        record: Some(pb::PlanRecord {
            safety: "进厂戴安全帽".into(),
            ..settled.record.clone().unwrap()
        }),
        request_id: fresh(),
        acting_for: None,
    };
    let amended = here.plans().amend_plan(amending).await.unwrap().into_inner().plan.unwrap();
    assert_eq!((amended.state(), amended.answers.len()), (pb::PlanState::Scheduled, 2));
    let swapping = pb::SwapUnitsRequest {
        name: amended.name.clone(),
        revision: amended.revision_entry.clone(),
        sent: sends(&world.officers[1..3]),
        request_id: fresh(),
        ..Default::default()
    };
    let swapped = here.plans().swap_units(swapping).await.unwrap().into_inner().plan.unwrap();
    assert_eq!(swapped.state(), pb::PlanState::Scheduled);
    let told = seen(there, &second.name, |plan| plan.state() == pb::PlanState::Scheduled).await;

    // A city that goes keeps the plan from beginning until it is mended.
    let gone = answering(&told, pb::PlanAnswerKind::Withdraw, "人员紧张");
    answer(there, gone).await.unwrap();
    let without = seen(here, &second.name, |plan| !plan.findings.is_empty()).await;
    assert_eq!(without.findings[0].reason, "WITHDRAWN");
    assert_eq!(why(step(here, &without, pb::PlanStep::Begin, "").await), is(LATE, "WITHDRAWN"));
    confirm(there, &told, &world.guests[1..]).await.unwrap();
    let mended = seen(here, &second.name, |plan| plan.findings.is_empty()).await;
    let begun = step(here, &mended, pb::PlanStep::Begin, "").await.unwrap();
    assert_eq!(begun.state(), pb::PlanState::Executing);
    let cancelled = step(here, &begun, pb::PlanStep::Cancel, "").await;
    assert_eq!(why(cancelled).1, "REQUIRED");
    let cancelled = step(here, &begun, pb::PlanStep::Cancel, "突发暴雨").await.unwrap();
    assert_eq!(cancelled.closing_text, "突发暴雨");
    assert!(
        seen(there, &second.name, |plan| plan.state() == pb::PlanState::Cancelled)
            .await
            .awaited
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn f16_an_officer_is_in_one_place_at_a_time() {
    let world = world(&["聊邯", "聊邯二"]).await;
    let (here, there) = (&world.here, &world.there);
    let first = create(here, &world.agreements[0], draft(&[])).await.unwrap();
    let second = create(here, &world.agreements[0], draft(&[])).await.unwrap();
    let other = create(here, &world.agreements[1], draft(&[])).await.unwrap();
    // The same officer by his number in the other agreement.
    let again = officer(here, &world.agreements[1], "37150099001", 900).await;
    let new = officer(here, &world.agreements[1], "37150099007", 900).await;

    confirm(here, &first, &world.officers[..2]).await.unwrap();
    for (plan, units) in
        [(&second, world.officers[1..3].to_vec()), (&other, vec![again.clone(), new])]
    {
        let twice = confirm(here, plan, &units).await;
        assert_eq!(why(twice), is(LATE, "DOUBLE_BOOKED"));
        assert!(get(here, &plan.name).await.unwrap().answers.is_empty(), "nothing half done");
    }
    // Everybody sees that they are busy, and nothing else.
    let asked = pb::QueryFreeBusyRequest {
        parent: world.agreements[0].clone(),
        cities: vec![HERE],
        from: day(today()),
        until: day(today()),
    };
    let busy = until("both officers are busy", || async {
        let found = there.units().query_free_busy(asked.clone()).await.ok()?.into_inner();
        let half = found.cities.first()?.half_days.first()?.clone();
        (half.counts.first()?.busy == 2).then_some(half)
    });
    assert_eq!(busy.await.counts[0].valid, 4);

    // Two calls at the same moment: one of them has him.
    let (third, fourth) = (&world.officers[2..4], &world.officers[2..4]);
    let rival = create(here, &world.agreements[0], draft(&[])).await.unwrap();
    let (one, two) = tokio::join!(confirm(here, &second, third), confirm(here, &rival, fourth));
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);

    // They are free again by the city's own word, once the plan has ended.
    let releasing = |plan: &pb::Plan| pb::ReleaseUnitsRequest {
        name: plan.name.clone(),
        request_id: fresh(),
        acting_for: None,
    };
    let needed = here.plans().release_units(releasing(&first)).await;
    assert_eq!(why(needed), is(LATE, "UNITS_NEEDED"));
    let now = get(here, &first.name).await.unwrap();
    step(here, &now, pb::PlanStep::Cancel, "改期").await.unwrap();
    here.plans().release_units(releasing(&first)).await.unwrap();
    confirm(here, &other, &[again, officer(here, &world.agreements[1], "37150099008", 900).await])
        .await
        .unwrap();
}

/// The draw by its formula, from what anybody may read.
fn drawn(plan: &pb::Plan) -> (String, String) {
    let draw = plan.draw.as_ref().unwrap();
    let mut shown: Vec<_> = draw.reveals.clone();
    shown.sort_by_key(|one| one.city);
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let mut seed = Sha256::new_with_prefix(b"liandong/draw-seed/v1");
    for one in &shown {
        seed.update(bytes(&one.random));
    }
    let seed = hex(&seed.finalize());
    let ticket = |site: &pb::PoolSite| {
        let id = hex(&site.site_id);
        (Sha256::digest(format!("{seed}\u{1f}{id}")).to_vec(), id)
    };
    let first = plan.pool.iter().filter(|one| one.left_out == 0).map(ticket).min().unwrap();
    (seed, first.1)
}

#[tokio::test(flavor = "multi_thread")]
async fn f18_no_city_can_steer_a_draw_and_all_can_work_it_out() {
    let world = world(&["聊邯"]).await;
    let (agreement, here, there) = (&world.agreements[0], &world.here, &world.there);
    for nth in 0..3 {
        site(here, agreement, nth, 371_522).await;
    }
    let asked = pb::PlanDraft {
        kind: pb::PlanKind::DoubleRandom.into(),
        draw: Some(pb::DrawDraft {
            sites: 1,
            host_officers: 2,
            guest_officers: 1,
            ..Default::default()
        }),
        ..draft(&[])
    };
    let plan = create(here, agreement, asked).await.unwrap();
    assert_eq!((plan.pool.len(), plan.visits.len()), (3, 0));
    let commit = |plan: &pb::Plan| pb::CommitDrawRequest {
        name: plan.name.clone(),
        revision: plan.revision_entry.clone(),
        request_id: fresh(),
        acting_for: None,
    };
    let reveal = |plan: &pb::Plan| pb::RevealDrawRequest {
        name: plan.name.clone(),
        revision: plan.revision_entry.clone(),
        request_id: fresh(),
        acting_for: None,
    };
    confirm(here, &plan, &world.officers).await.unwrap();
    let told = seen(there, &plan.name, |_| true).await;
    confirm(there, &told, &world.guests).await.unwrap();
    here.plans().commit_draw(commit(&plan)).await.unwrap();
    assert_eq!(why(here.plans().reveal_draw(reveal(&plan)).await), is(LATE, "REVEAL_STAGE"));
    let early = seen(here, &plan.name, |plan| plan.answers.len() == 2).await;
    let early = step(here, &early, pb::PlanStep::Schedule, "").await;
    assert_eq!(why(early), is(LATE, "DRAW_NOT_COMMITTED"));
    there.plans().commit_draw(commit(&told)).await.unwrap();
    let bound = seen(here, &plan.name, |plan| plan.findings.is_empty()).await;
    let settled = step(here, &bound, pb::PlanStep::Schedule, "").await.unwrap();
    assert!(settled.visits.is_empty() && settled.draw.as_ref().unwrap().seed.is_empty());

    here.plans().reveal_draw(reveal(&settled)).await.unwrap();
    let known = here.plans().reveal_draw(reveal(&settled)).await;
    assert_eq!(why(known), is(Code::AlreadyExists, "DRAW_REVEALED"));
    let begun = step(here, &settled, pb::PlanStep::Begin, "").await;
    assert_eq!(why(begun), is(LATE, "REVEAL_MISSING"));
    seen(there, &plan.name, |plan| plan.state() == pb::PlanState::Scheduled).await;
    there.plans().reveal_draw(reveal(&told)).await.unwrap();
    let has_seed = |plan: &pb::Plan| !plan.draw.as_ref().unwrap().seed.is_empty();
    let shown = seen(here, &plan.name, has_seed).await;
    let same = seen(there, &plan.name, has_seed).await;
    assert_eq!((&shown.visits, &shown.draw), (&same.visits, &same.draw));
    let (seed, target) = drawn(&shown);
    assert_eq!(shown.draw.as_ref().unwrap().seed, seed);
    let visit = &shown.visits[0];
    assert!(shown.visits.len() == 1 && visit.site.ends_with(&target), "{visit:?} {target}");
    assert_eq!((visit.city, visit.lead.len(), visit.guests.len()), (HERE, 2, 1));
    let redrawn = step(here, &shown, pb::PlanStep::Redraw, "").await;
    assert_eq!(why(redrawn), is(LATE, "NOBODY_WITHHOLDS"));
    // Who was drawn comes, and nothing is remarked; then others do, and of everybody it is said.
    let begun = step(here, &shown, pb::PlanStep::Begin, "").await.unwrap();
    let came = check_in(here, &begun, &visit.site, &visit.lead).await.unwrap();
    assert_eq!(came.remarks, [""; 0]);
    let of = |drawn: bool| {
        let all = world.officers.iter().filter(move |one| visit.lead.contains(*one) == drawn);
        all.cloned().collect::<Vec<_>>()
    };
    let came = check_in(here, &begun, &visit.site, &of(false)).await.unwrap();
    let said = |zh: &str, en: &str| {
        let says = |one: &&String| one.contains(zh) || one.contains(en);
        came.remarks.iter().filter(says).count()
    };
    assert_eq!(said("检查，实际未到场", "and did not come"), 2, "{:?}", came.remarks);
    assert_eq!(said("未抽中检查示例", "and was not drawn for it"), 2, "{:?}", came.remarks);
    assert_eq!(came.remarks.len(), 4, "{:?}", came.remarks);
    assert_eq!(came.visits[0].arrival_entry.as_ref().unwrap().corrections, 1);
    let commitments: BTreeMap<u32, &str> =
        shown.draw.as_ref().unwrap().reveals.iter().map(|r| (r.city, r.random.as_str())).collect();
    assert_eq!(commitments.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn f30_results_by_department_and_a_summary() {
    let world = world(&["聊邯"]).await;
    let (agreement, here, there) = (&world.agreements[0], &world.here, &world.there);
    let (plan, at) = super::plan_visits::settled(&world).await;
    let begun = step(here, &plan, pb::PlanStep::Begin, "").await.unwrap();

    // Only where the site stands, and by those who were sent.
    seen(there, &plan.name, |plan| plan.state() == pb::PlanState::Executing).await;
    let foreign = check_in(there, &begun, &at, &world.guests).await;
    assert_eq!(why(foreign), is(Code::PermissionDenied, "NOT_HOST_CITY"));
    // What is wrong is said by its field, with rule and source.
    let alone = check_in(here, &begun, &at, &world.officers[..1]).await;
    wrong(&alone, "officers", "Administrative Penalty Law, art. 42");
    assert_eq!(why(alone), is(Code::InvalidArgument, "PLAN_INVALID"));
    let unseen = pb::VisitResult { checks: Vec::new(), ..result(0) };
    let unseen = report(here, &begun, &at, unseen).await;
    wrong(&unseen, "result.checks", "rules of the cooperation");
    assert_eq!(why(unseen), is(Code::InvalidArgument, "PLAN_INVALID"));
    let mut many = result(0);
    many.checks[1].items = 1_000;
    wrong(
        &report(here, &begun, &at, many).await,
        "result.checks.items",
        "rules of the cooperation",
    );
    let absent = pb::VisitResult { outcome: pb::VisitOutcome::NotProducing.into(), ..result(0) };
    wrong(&report(here, &begun, &at, absent).await, "result.outcome", "rules of the cooperation");
    let others = check_in(here, &begun, &at, &world.officers[2..4]).await;
    assert_eq!(why(others), is(LATE, "OFFICER_NOT_SENT"));
    check_in(here, &begun, &at, &world.officers[..2]).await.unwrap();

    let missing = results(here, &begun).await;
    assert_eq!(why(missing), is(LATE, "RESULTS_MISSING"));
    let mut housing = result(0);
    housing.checks[0].department = pb::Department::Housing.into();
    let housing = report(here, &begun, &at, housing).await;
    assert_eq!(why(housing), is(Code::InvalidArgument, "DEPARTMENT_NOT_IN_PLAN"));
    report(here, &begun, &at, result(0)).await.unwrap();
    let case = super::api::create(here, sample(agreement, 0)).await.unwrap();
    let finding = |case: &str| pb::OpenFindingRequest {
        name: plan.name.clone(),
        revision: plan.revision_entry.clone(),
        site: at.clone(),
        case: case.to_owned(),
        request_id: fresh(),
        ..pb::OpenFindingRequest::default()
    };
    assert_eq!(why(here.plans().open_finding(finding(&case.name)).await), is(LATE, "NO_CLUE"));
    let corrected = report(here, &begun, &at, result(1)).await.unwrap();
    here.plans().open_finding(finding(&case.name)).await.unwrap();
    let sum = corrected.totals.unwrap();
    assert_eq!((sum.sites, sum.visits, sum.items, sum.problems), (1, 1, 24, 3));
    // One check of the site, though it was reported twice.
    let asked = pb::GetSiteRequest { name: at.clone() };
    let site = here.sites().get_site(asked).await.unwrap().into_inner().site.unwrap();
    assert_eq!(site.years.iter().map(|year| year.counted).sum::<u32>(), 1);

    results(here, &begun).await.unwrap();
    let early = get(here, &plan.name).await.unwrap();
    let early = step(here, &early, pb::PlanStep::Summarize, "").await;
    wrong(&early, "step", "rules of the cooperation");
    assert_eq!(why(early), is(LATE, "RESULTS_NOT_IN"));
    results(there, &begun).await.unwrap();
    let whole = seen(here, &plan.name, |p| p.state() == pb::PlanState::ResultsReported).await;
    let visit = &whole.visits[0];
    assert_eq!(visit.cases, [case.name]);
    assert_eq!(visit.arrival.as_ref().unwrap().officers.len(), 2);
    let long = step(here, &whole, pb::PlanStep::Summarize, &"长".repeat(5_400)).await;
    assert_eq!(why(long), is(Code::InvalidArgument, "TEXT_TOO_LONG"));
    // What people add stands behind the numbers, never in their place.
    let words = "群众来信一件另行答复。";
    let done = step(here, &whole, pb::PlanStep::Summarize, words).await.unwrap();
    assert_eq!(done.state(), pb::PlanState::Summarized);
    for piece in ["检查企业1家，发现问题3个", "已转为案件1件", "采集样品2个", "水利检查1家", words]
    {
        assert!(done.closing_text.contains(piece), "{piece}: {}", done.closing_text);
    }
    let same = seen(there, &plan.name, |p| !p.closing_text.is_empty()).await;
    assert_eq!(same.closing_text, done.closing_text);

    // Its days for calendars, as somebody else's parser reads them.
    let asked = pb::ExportCalendarRequest { name: plan.name.clone() };
    let text = there.plans().export_calendar(asked).await.unwrap().into_inner().calendar;
    let calendar: icalendar::Calendar = text.parse().unwrap();
    let event = calendar.components.iter().find_map(|one| one.as_event()).unwrap();
    assert_eq!(event.get_summary(), Some("聊邯交界涉水企业联合检查"));
    assert_eq!(event.get_location(), Some("示例镇政府门前"));
    assert!(event.get_uid().unwrap().ends_with("-1@liandong"));
    drop(world.nodes);
}
