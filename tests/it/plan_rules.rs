//! What of a plan is refused by a node, over the API: own numbers that are taken, sites left out of
//! a list that they are not in; and a city that is busy as a whole in all its agreements.

use liandong::cli::connect::Client;
use liandong::domain::Period;
use liandong::wire::pb::v1 as pb;
use liandong::wire::unit::period_to_pb;
use tonic::{Code, Status};

use super::api::{HERE, THERE, fact, fresh, ready, refused};
use super::nodes::{Nodes, plan as fleet, until};
use super::plan_cli::{Desk, has};
use super::plans::{
    confirm, create, creating, day, draft, get, needs, results, site, step, today, world_set_up,
};

/// Reason and field of a refusal.
fn why<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String, String) {
    let field = fact(answer.as_ref().unwrap_err(), "field");
    let (code, reason) = refused(answer);
    (code, reason, field)
}

fn numbered(system: &str, number: &str) -> pb::PlanDraft {
    let mut draft = draft(&[]);
    let record = draft.record.as_mut().unwrap();
    (record.external_system, record.external_number) = (system.into(), number.into());
    draft
}

async fn amend(client: &Client, plan: &pb::Plan, number: &str) -> Result<pb::Plan, Status> {
    let record = pb::PlanRecord {
        external_system: "公文系统".into(),
        external_number: number.into(),
        ..plan.record.clone().unwrap()
    };
    let asked = pb::AmendPlanRequest {
        name: plan.name.clone(),
        etag: plan.etag.clone(),
        record: Some(record),
        request_id: fresh(),
        acting_for: None,
    };
    client.plans().amend_plan(asked).await.map(|done| done.into_inner().plan.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plans_own_number_is_unique_in_its_city() {
    let world = world_set_up(&["聊邯", "聊邯二"], |_| {}).await;
    let (here, there, agreements) = (&world.here, &world.there, &world.agreements);
    let taken = |of: &pb::Plan, answer: Result<pb::Plan, Status>| {
        let of = of.name.rsplit('/').next().unwrap();
        assert_eq!(fact(answer.as_ref().unwrap_err(), "taken_by"), of);
        let want = (Code::AlreadyExists, "EXTERNAL_REF_TAKEN", "record.external_number");
        let (code, reason, field) = why(answer);
        assert_eq!((code, reason.as_str(), field.as_str()), want);
    };
    let asked = creating(&agreements[0], numbered("公文系统", "联执1号"));
    let first = here.plans().create_plan(asked.clone()).await.unwrap().into_inner().plan.unwrap();
    // Sent again it is answered again, and not refused; under another id it is.
    let again = here.plans().create_plan(asked.clone()).await.unwrap().into_inner();
    assert!(again.receipt.unwrap().replayed);
    assert_eq!(again.plan.unwrap().name, first.name);
    for agreement in agreements {
        taken(&first, create(here, agreement, numbered("公文系统", "联执1号")).await);
    }
    let checked = pb::CreatePlanRequest { validate_only: true, request_id: fresh(), ..asked };
    let checked = here.plans().create_plan(checked).await.map(|_| pb::Plan::default());
    taken(&first, checked);
    // The same number in another system, or of another city, is another one.
    let second = create(here, &agreements[1], numbered("省平台", "联执1号")).await.unwrap();
    create(there, &agreements[0], numbered("公文系统", "联执1号")).await.unwrap();

    // It is kept through revisions, and free once its plan has another.
    let revising = |plan: &pb::Plan| pb::RevisePlanRequest {
        name: plan.name.clone(),
        etag: plan.etag.clone(),
        draft: Some(numbered("公文系统", "联执1号")),
        request_id: fresh(),
        ..pb::RevisePlanRequest::default()
    };
    let revised = here.plans().revise_plan(revising(&first)).await.unwrap().into_inner();
    let revised = revised.plan.unwrap();
    let other = here.plans().revise_plan(revising(&second)).await;
    taken(&first, other.map(|done| done.into_inner().plan.unwrap()));
    taken(&first, amend(here, &second, "联执1号").await);
    let moved = amend(here, &revised, "联执2号").await.unwrap();
    let has = amend(here, &second, "联执1号").await.unwrap();
    taken(&second, amend(here, &moved, "联执1号").await);
    // Also when it is cancelled.
    step(here, &has, pb::PlanStep::Cancel, "改期").await.unwrap();
    taken(&second, amend(here, &moved, "联执1号").await);
    assert_eq!(get(here, &moved.name).await.unwrap().record.unwrap().external_number, "联执2号");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_is_not_listed_is_not_left_out() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let (agreement, here) = (&world.agreements[0], &world.here);
    let listed = [site(here, agreement, 0, 371_522).await, site(here, agreement, 1, 371_522).await];
    let third = site(here, agreement, 2, 371_522).await;
    let asked = |pool: &[String], media: &[pb::Medium], out: &str| {
        let left_out = pb::SiteLeftOut { site: out.to_owned(), why: pb::LeftOut::Capped.into() };
        let draw = pb::DrawDraft {
            sites: 1,
            host_officers: 2,
            pool: pool.to_vec(),
            media: media.iter().map(|one| i32::from(*one)).collect(),
            left_out: vec![left_out],
            ..pb::DrawDraft::default()
        };
        let kind = pb::PlanKind::DoubleRandom.into();
        create(here, agreement, pb::PlanDraft { kind, draw: Some(draw), ..draft(&[]) })
    };
    let field = || "draft.draw.left_out".to_owned();
    let not_listed = (Code::InvalidArgument, "LEFT_OUT_NOT_LISTED".to_owned(), field());
    // One that is not among those that are asked for, and one that is not about water.
    let elsewhere = asked(&listed, &[], &third).await;
    assert_eq!(fact(elsewhere.as_ref().unwrap_err(), "name"), "示例2号纸业有限公司");
    assert_eq!(why(elsewhere), not_listed);
    let dry = asked(&[], &[pb::Medium::Noise], &listed[0]).await;
    assert_eq!(why(dry), not_listed);
    // One that nobody has registered.
    let nobody = format!("{agreement}/sites/{}", "7".repeat(32));
    let unknown = asked(&listed, &[], &nobody).await;
    assert_eq!(why(unknown), (Code::NotFound, "NOT_FOUND".to_owned(), field()));
    // One that is said to be closed is: its header tells every city that it is not.
    let closed = |site: &String| {
        let left_out = pb::SiteLeftOut { site: site.clone(), why: pb::LeftOut::Closed.into() };
        let draw = pb::DrawDraft {
            sites: 1,
            host_officers: 2,
            pool: listed.to_vec(),
            left_out: vec![left_out],
            ..pb::DrawDraft::default()
        };
        let kind = pb::PlanKind::DoubleRandom.into();
        create(here, agreement, pb::PlanDraft { kind, draw: Some(draw), ..draft(&[]) })
    };
    let open = closed(&listed[0]).await;
    assert_eq!(fact(open.as_ref().unwrap_err(), "name"), "示例0号纸业有限公司");
    let not_closed = (Code::InvalidArgument, "LEFT_OUT_NOT_CLOSED".to_owned(), field());
    assert_eq!(why(open), not_closed);
    close(here, &listed[1], true).await;
    assert_eq!(closed(&listed[1]).await.unwrap().pool.len(), 2);
    close(here, &listed[1], false).await;
    // One that is listed stands in the list, with why it may not be drawn.
    let plan = asked(&listed, &[], &listed[0]).await.unwrap();
    let out: Vec<_> = plan.pool.iter().filter(|one| one.left_out != 0).collect();
    assert_eq!((plan.pool.len(), out.len()), (2, 1));
    assert_eq!(out[0].left_out(), pb::LeftOut::Capped);
}

/// What was left out by hand stays so in the next revision while it is listed; whoever wants it
/// back says so.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_by_hand_is_carried_over_into_the_next_revision() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let (agreement, here) = (&world.agreements[0], &world.here);
    let mut sites = Vec::new();
    for nth in 0..3 {
        sites.push(site(here, agreement, nth, 371_522).await);
    }
    let drawn = |pool: &[String], out: Option<&String>| {
        let why = pb::LeftOut::Capped.into();
        let draw = pb::DrawDraft {
            sites: 1,
            host_officers: 2,
            pool: pool.to_vec(),
            left_out: out
                .map(|site| pb::SiteLeftOut { site: site.clone(), why })
                .into_iter()
                .collect(),
            ..pb::DrawDraft::default()
        };
        let kind = pb::PlanKind::DoubleRandom.into();
        pb::PlanDraft { kind, draw: Some(draw), ..draft(&[]) }
    };
    let revised = async |plan: &pb::Plan, draft: pb::PlanDraft, drop_left_out: bool| {
        let asked = pb::RevisePlanRequest {
            name: plan.name.clone(),
            etag: plan.etag.clone(),
            draft: Some(draft),
            drop_left_out,
            request_id: fresh(),
            ..pb::RevisePlanRequest::default()
        };
        here.plans().revise_plan(asked).await.unwrap().into_inner().plan.unwrap()
    };
    let left_out = |plan: &pb::Plan| {
        let out = plan.pool.iter().filter(|one| one.left_out != 0);
        out.map(|one| (liandong::ids::hex(&one.site_id), one.left_out())).collect::<Vec<_>>()
    };
    let id = |site: &String| site.rsplit('/').next().unwrap().to_owned();
    let capped = vec![(id(&sites[2]), pb::LeftOut::Capped)];
    let first = create(here, agreement, drawn(&sites, Some(&sites[2]))).await.unwrap();
    assert_eq!(left_out(&first), capped);
    let second = revised(&first, drawn(&sites, None), false).await;
    assert_eq!((second.revision, second.pool.len(), left_out(&second)), (2, 3, capped.clone()));
    // From all sites of the cities, and by those who read it.
    let third = revised(&second, drawn(&[], None), false).await;
    assert_eq!((third.pool.len(), left_out(&third)), (3, capped));
    let shown = Desk { nodes: &world.nodes, city: HERE }.plan(&["show", &third.number]);
    has(&shown, &["不参加抽取的对象", "示例2号纸业有限公司：", "其中不参加抽取 1 家"]);
    // What is not listed any more is nothing to leave out, and it does not come back by itself.
    let fourth = revised(&third, drawn(&sites[..2], None), false).await;
    assert_eq!((fourth.pool.len(), left_out(&fourth)), (2, vec![]));
    let fifth = revised(&fourth, drawn(&sites, Some(&sites[0])), false).await;
    assert_eq!(left_out(&fifth), [(id(&sites[0]), pb::LeftOut::Capped)]);
    let sixth = revised(&fifth, drawn(&sites, None), true).await;
    assert_eq!((sixth.pool.len(), left_out(&sixth)), (3, vec![]));
    // That something else stands against it for a while takes nothing back.
    let seventh = revised(&sixth, drawn(&sites, Some(&sites[1])), false).await;
    let capped = vec![(id(&sites[1]), pb::LeftOut::Capped)];
    assert_eq!(left_out(&seventh), capped);
    close(here, &sites[1], true).await;
    let eighth = revised(&seventh, drawn(&sites, None), false).await;
    assert_eq!(left_out(&eighth), capped);
    close(here, &sites[1], false).await;
    let ninth = revised(&eighth, drawn(&sites, None), false).await;
    assert_eq!(left_out(&ninth), capped);
    // That it is closed, its header says; once it is open again there is nothing to carry over.
    let tenth = revised(&ninth, drawn(&sites, None), true).await;
    close(here, &sites[1], true).await;
    let eleventh = revised(&tenth, drawn(&sites, None), false).await;
    assert_eq!(left_out(&eleventh), [(id(&sites[1]), pb::LeftOut::Closed)]);
    close(here, &sites[1], false).await;
    let twelfth = revised(&eleventh, drawn(&sites, None), false).await;
    assert_eq!((twelfth.pool.len(), left_out(&twelfth)), (3, vec![]));
}

/// Says that a site is closed, or is not.
pub async fn close(here: &Client, name: &str, closed: bool) {
    let asked = pb::GetSiteRequest { name: name.to_owned() };
    let now = here.sites().get_site(asked).await.unwrap().into_inner().site.unwrap();
    let asked = pb::UpdateSiteRequest {
        name: now.name,
        etag: now.etag,
        facts: now.facts.map(|facts| pb::SiteFacts { closed, ..facts }),
        record: now.record,
        another_plant: true,
        request_id: fresh(),
        acting_for: None,
    };
    here.sites().update_site(asked).await.unwrap();
}

/// Blocked by one agreement, a city is busy in the others: at its own node and at those of others,
/// in free and busy and when windows are searched.
#[tokio::test(flavor = "multi_thread")]
async fn a_city_that_is_busy_is_busy_in_all_its_agreements() {
    let world = world_set_up(&["聊邯", "聊邯二"], |_| {}).await;
    let (here, there) = (&world.here, &world.there);
    let on = today().plus_days(3).unwrap();
    let asked = pb::BlockUnitRequest {
        name: format!("{}/units/city", world.agreements[0]),
        periods: vec![period_to_pb(Period::day(on))],
        request_id: fresh(),
        acting_for: None,
    };
    here.units().block_unit(asked).await.unwrap();
    for client in [here, there] {
        for agreement in &world.agreements {
            let asked = pb::QueryFreeBusyRequest {
                parent: agreement.clone(),
                cities: vec![HERE],
                from: day(on),
                until: day(on),
            };
            until("the city is busy", || async {
                let found = client.units().query_free_busy(asked.clone()).await.ok()?.into_inner();
                let city = &found.cities[0];
                city.half_days.iter().all(|half| half.whole_city_busy).then_some(())
            })
            .await;
            let asked = pb::FindSlotsRequest {
                parent: agreement.clone(),
                participants: vec![needs(HERE, 0), needs(THERE, 0)],
                half_days: 1,
                overtime: true,
                from: day(on),
                until: day(on),
                ..pb::FindSlotsRequest::default()
            };
            let found = client.units().find_slots(asked).await.unwrap().into_inner();
            assert!(found.slots.is_empty(), "{found:?}");
            let busy = |one: &pb::SlotHindrance| one.kind() == pb::SlotHindranceKind::CityBusy;
            assert!(found.hindrances.iter().all(busy), "nothing but busy: {found:?}");
        }
    }
}

/// What a plan has booked does not stand in the way of moving it; days on which none may be are
/// named and not offered.
#[tokio::test(flavor = "multi_thread")]
async fn f17_a_plan_that_is_moved_does_not_hinder_itself() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let (agreement, here) = (&world.agreements[0], &world.here);
    let plan = create(here, agreement, draft(&[])).await.unwrap();
    confirm(here, &plan, &world.officers[..4]).await.unwrap();
    let find = async |moving: &str, from: i64, until: i64| {
        let asked = pb::FindSlotsRequest {
            parent: agreement.clone(),
            participants: vec![needs(HERE, 4)],
            half_days: 2,
            overtime: true,
            from: day(today().plus_days(from).unwrap()),
            until: day(today().plus_days(until).unwrap()),
            slots_max: 1,
            moving: moving.to_owned(),
            ..pb::FindSlotsRequest::default()
        };
        here.units().find_slots(asked).await.map(|found| found.into_inner())
    };
    let on = |slot: &pb::Slot| slot.period.unwrap().first.unwrap().on;
    let tomorrow = day(today().plus_days(1).unwrap());
    assert_eq!(on(&find("", 0, 3).await.unwrap().slots[0]), tomorrow);
    assert_eq!(on(&find(&plan.name, 0, 3).await.unwrap().slots[0]), day(today()));
    let nowhere = format!("{agreement}/plans/{}", "7".repeat(32));
    assert_eq!(why(find(&nowhere, 0, 3).await).2, "moving");
    // Days that have passed, and days outside the term of the agreement.
    let kinds = |found: &pb::FindSlotsResponse| -> Vec<_> {
        found.hindrances.iter().map(pb::SlotHindrance::kind).collect()
    };
    let past = find(&plan.name, -3, 3).await.unwrap();
    assert_eq!(
        (on(&past.slots[0]), kinds(&past)[0]),
        (day(today()), pb::SlotHindranceKind::DayPast)
    );
    let over = find(&plan.name, -5, -3).await.unwrap();
    assert_eq!((over.slots.len(), kinds(&over)), (0, vec![pb::SlotHindranceKind::DayPast]));
    let never = find(&plan.name, 4_000, 4_002).await.unwrap();
    assert_eq!((never.slots.len(), kinds(&never)), (0, vec![pb::SlotHindranceKind::OutsideTerm]));
}

/// Whoever has an old page open is told which of its fields is behind, not only that one is.
#[tokio::test(flavor = "multi_thread")]
async fn f16_what_says_that_a_plan_has_moved_on_names_its_field() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let here = &world.here;
    let made = create(here, &world.agreements[0], draft(&[])).await.unwrap();
    let (name, revision) = (made.name.clone(), made.revision_entry.clone());
    let is = |(code, reason, field): (Code, String, String), want: (Code, &str, &str)| {
        assert_eq!((code, reason.as_str(), field.as_str()), want);
    };
    let asked = pb::CommitDrawRequest {
        name: name.clone(),
        revision: revision.clone(),
        request_id: fresh(),
        acting_for: None,
    };
    let drawn = here.plans().commit_draw(asked).await;
    is(why(drawn), (Code::FailedPrecondition, "NO_DRAW", "name"));
    is(why(results(here, &made).await), (Code::FailedPrecondition, "REPORT_STAGE", "name"));
    let early = step(here, &made, pb::PlanStep::Begin, "").await;
    is(why(early), (Code::FailedPrecondition, "PLAN_STAGE", "step"));
    let swap = pb::SwapUnitsRequest {
        name: name.clone(),
        revision: revision.clone(),
        sent: Some(pb::SentDraft::default()),
        request_id: fresh(),
        ..Default::default()
    };
    let swapped = here.plans().swap_units(swap).await;
    is(why(swapped), (Code::FailedPrecondition, "CONFIRM_ANEW", "sent"));
    let booked = pb::ReleaseUnitsRequest { name, request_id: fresh(), acting_for: None };
    let released = here.plans().release_units(booked).await;
    is(why(released), (Code::FailedPrecondition, "NOTHING_CONFIRMED", "revision"));

    let ended = step(here, &made, pb::PlanStep::Cancel, "台风").await.unwrap();
    let stale = step(here, &made, pb::PlanStep::Cancel, "台风").await;
    is(why(stale), (Code::Aborted, "STALE_ETAG", "etag"));
    is(why(amend(here, &ended, "x").await), (Code::FailedPrecondition, "PLAN_STAGE", "name"));
    let late = step(here, &ended, pb::PlanStep::Cancel, "台风").await;
    is(why(late), (Code::FailedPrecondition, "PLAN_STAGE", "step"));
    let late = confirm(here, &ended, &world.officers[..2]).await;
    is(why(late), (Code::FailedPrecondition, "ANSWER_TOO_LATE", "kind"));
    assert_eq!(get(here, &ended.name).await.unwrap().etag, ended.etag, "nothing was written");
}

/// Whoever names a site that nobody knows, or that stands in a city that takes no part, hears it
/// when he proposes or revises, and nothing is written.
#[tokio::test(flavor = "multi_thread")]
async fn f15_a_site_where_nobody_can_lead_is_refused_when_it_is_named() {
    const THIRD: u32 = 410_900;
    let cities = [HERE, THERE, THIRD];
    let nodes = Nodes::start_all(&fleet(&cities, &[("三市", &cities)]));
    let agreement = nodes.fleet.agreements[0].name();
    let (here, third) = (nodes.client(HERE).await, nodes.client(THIRD).await);
    ready(&here, &agreement).await;
    ready(&third, &agreement).await;
    let known = site(&here, &agreement, 0, 371_522).await;
    let foreign = site(&third, &agreement, 1, 410_922).await;
    until("the site is there", || async {
        super::sites::get(&here, &foreign).await.ok().map(drop)
    })
    .await;
    let unknown = format!("{agreement}/sites/{}", "7".repeat(32));
    let made = create(&here, &agreement, draft(std::slice::from_ref(&known))).await.unwrap();
    for (at, reason) in [(&unknown, "PLAN_SITE_UNKNOWN"), (&foreign, "SITE_OF_NO_PARTICIPANT")] {
        let asked = || draft(&[known.clone(), at.clone()]);
        let checked =
            pb::CreatePlanRequest { validate_only: true, ..creating(&agreement, asked()) };
        let checked = here.plans().create_plan(checked).await.map(|_| pb::Plan::default());
        let revising = pb::RevisePlanRequest {
            name: made.name.clone(),
            etag: made.etag.clone(),
            draft: Some(asked()),
            request_id: fresh(),
            ..pb::RevisePlanRequest::default()
        };
        let revised = here.plans().revise_plan(revising).await;
        let revised = revised.map(|done| done.into_inner().plan.unwrap());
        for answer in [create(&here, &agreement, asked()).await, checked, revised] {
            let status = answer.clone().unwrap_err();
            assert!(!fact(&status, "rule").is_empty() && !fact(&status, "source").is_empty());
            let want = (Code::FailedPrecondition, reason.to_owned(), "targets".to_owned());
            assert_eq!(why(answer), want);
        }
    }
    let listed = pb::ListPlansRequest { parent: agreement.clone(), ..Default::default() };
    let listed = here.plans().list_plans(listed).await.unwrap().into_inner();
    assert_eq!((listed.plans.len(), listed.plans[0].revision), (1, 1), "nothing was written");
    // With the city where it stands it is an ordinary visit.
    let both = pb::PlanDraft {
        cities: [THERE, HERE, THIRD].map(|city| needs(city, 0)).to_vec(),
        ..draft(&[known, foreign])
    };
    create(&here, &agreement, both).await.unwrap();
}

/// A city does not bind itself to a list that it would refuse to confirm.
#[tokio::test(flavor = "multi_thread")]
async fn f18_no_city_commits_to_a_list_that_does_not_hold() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let (agreement, here) = (&world.agreements[0], &world.here);
    let at = site(here, agreement, 0, 371_522).await;
    let other = site(here, agreement, 1, 371_522).await;
    let draw = pb::DrawDraft { sites: 1, host_officers: 2, ..pb::DrawDraft::default() };
    let kind = pb::PlanKind::DoubleRandom.into();
    let asked = pb::PlanDraft { kind, draw: Some(draw), ..draft(&[]) };
    let made = create(here, agreement, asked).await.unwrap();
    let commit = async || {
        let asked = pb::CommitDrawRequest {
            name: made.name.clone(),
            revision: made.revision_entry.clone(),
            request_id: fresh(),
            acting_for: None,
        };
        here.plans().commit_draw(asked).await.map(|done| done.into_inner().plan.unwrap())
    };
    let committed =
        async || get(here, &made.name).await.unwrap().draw.unwrap().committed.contains(&HERE);
    close(here, &at, true).await;
    let refused = commit().await;
    let status = refused.clone().unwrap_err();
    assert!(!fact(&status, "rule").is_empty() && !fact(&status, "source").is_empty());
    let want = (Code::FailedPrecondition, "SITE_CLOSED".to_owned(), "targets".to_owned());
    assert_eq!(why(refused), want);
    assert!(!committed().await, "nobody is bound");
    // It is what confirming would say.
    assert_eq!(why(confirm(here, &made, &world.officers[..2]).await), want);
    close(here, &at, false).await;
    commit().await.unwrap();
    assert!(committed().await);
    close(here, &other, true).await;
    assert_eq!(why(commit().await).1, "SITE_CLOSED", "also who commits again");
}
