//! Plans beside the positive list and the yearly cap: what they reserve, what is reported of them,
//! what a list to draw from leaves out.

use liandong::cli::connect::Client;
use liandong::domain::HalfDay;
use liandong::wire::pb::v1 as pb;
use liandong::wire::unit::half_day_to_pb;
use tonic::{Code, Status};

use super::api::{fact, fresh};
use super::plans::{
    World, check_in, confirm, create, creating, day, draft, report, result, seen, site, step,
    today, why, world_set_up,
};
use super::sites::{check, get, list, listing, record_check, set, visit};

const NONE: pb::VisitException = pb::VisitException::Unspecified;

/// Two cities, and a site here.
async fn world() -> (World, String) {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let at = site(&world.here, &world.agreements[0], 0, 371_522).await;
    (world, at)
}

impl World {
    /// A plan that goes to a site today, in the second half of the day or the first.
    async fn proposed(&self, at: &str, half_day: usize) -> pb::Plan {
        let mut asked = draft(&[at.to_owned()]);
        asked.visits[0].first = asked.days[half_day].at;
        create(&self.here, &self.agreements[0], asked).await.unwrap()
    }

    /// The same once all have confirmed and it is settled.
    async fn settled(&self, plan: &pb::Plan, units: usize) -> pb::Plan {
        let told = seen(&self.there, &plan.name, |_| true).await;
        confirm(&self.there, &told, &self.guests[units..=units]).await.unwrap();
        let all = seen(&self.here, &plan.name, |plan| plan.answers.len() == 2).await;
        step(&self.here, &all, pb::PlanStep::Schedule, "").await.unwrap()
    }
}

async fn checked(client: &Client, at: &str) -> Result<pb::Site, Status> {
    record_check(client, check(at, pb::CheckMode::OnSite, NONE)).await
}

async fn counted(client: &Client, at: &str) -> u32 {
    get(client, at).await.unwrap().years.iter().map(|year| year.counted).sum()
}

fn not_checked() -> pb::VisitResult {
    let outcome = pb::VisitOutcome::NotChecked.into();
    pb::VisitResult { outcome, checks: Vec::new(), samples: 0, ..result(0) }
}

fn late(reason: &str) -> (Code, String) {
    (Code::FailedPrecondition, reason.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn f21_plans_reserve_of_the_cap_and_no_report_goes_beyond_it() {
    let (world, at) = world().await;
    let here = &world.here;
    for _ in 0..2 {
        checked(here, &at).await.unwrap();
    }
    // One is left, and two plans want it at the same moment.
    let plans = [world.proposed(&at, 0).await, world.proposed(&at, 1).await];
    let [one, other] =
        [0, 1].map(|nth| confirm(here, &plans[nth], &world.officers[nth * 2..][..2]));
    let answers: [Result<pb::Plan, Status>; 2] = tokio::join!(one, other).into();
    let first = answers.iter().position(Result::is_ok).expect("one of them");
    let second = answers.into_iter().find_map(Result::err).expect("not both");
    assert_eq!(
        (fact(&second, "field"), second.code()),
        ("targets".into(), Code::FailedPrecondition)
    );
    assert_eq!(why(Err::<(), _>(second)), late("SITE_CAPPED"));
    let reserved = visit(here, &at, None, NONE).await;
    assert_eq!((reserved.made, reserved.reserved, reserved.most), (2, 1, 3), "{reserved:?}");
    assert_eq!(why(checked(here, &at).await), late("SITE_CAPPED"));

    // Not checked after all: the visit is free, somebody else has it, and no correction makes a
    // fourth of it. From afar it may have been.
    let plan = world.settled(&plans[first], 0).await;
    report(here, &plan, &at, not_checked()).await.unwrap();
    assert_eq!(visit(here, &at, None, NONE).await.reserved, 0);
    checked(here, &at).await.unwrap();
    let beyond = report(here, &plan, &at, result(0)).await;
    let status = beyond.clone().unwrap_err();
    assert_eq!(fact(&status, "field"), "site");
    assert!(!fact(&status, "rule").is_empty() && !fact(&status, "source").is_empty());
    assert_eq!(why(beyond), late("VISIT_STOPPED"));
    assert_eq!(counted(here, &at).await, 3);
    let afar = pb::VisitResult { mode: pb::CheckMode::OffSite.into(), ..result(0) };
    report(here, &plan, &at, afar).await.unwrap();
    assert_eq!(counted(here, &at).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn f20_what_a_plan_may_not_visit_is_neither_reported_nor_drawn() {
    let (world, at) = world().await;
    let (agreement, here) = (&world.agreements[0], &world.here);
    let plan = world.proposed(&at, 0).await;
    confirm(here, &plan, &world.officers[..2]).await.unwrap();
    let plan = world.settled(&plan, 0).await;
    // Listed since: nobody goes there on site, and nobody says that he did.
    let now = get(here, &at).await.unwrap();
    list(here, set(&now, listing(pb::ListingStatus::Active), "")).await.unwrap();
    assert_eq!(why(report(here, &plan, &at, result(0)).await), late("VISIT_STOPPED"));
    report(here, &plan, &at, not_checked()).await.unwrap();
    assert_eq!(counted(here, &at).await, 0);

    // A list to draw from leaves it out, and the plan says why.
    let free = site(here, agreement, 1, 371_522).await;
    let asked = pb::PlanDraft {
        kind: pb::PlanKind::DoubleRandom.into(),
        draw: Some(pb::DrawDraft { sites: 1, host_officers: 2, ..Default::default() }),
        ..draft(&[])
    };
    let drawn = create(here, agreement, asked).await.unwrap();
    let pool = |left_out: bool| {
        let sites = drawn.pool.iter().filter(move |one| (one.left_out != 0) == left_out);
        let id = |one: &pb::PoolSite| one.site_id.iter().map(|b| format!("{b:02x}")).collect();
        sites.map(id).collect::<Vec<String>>()
    };
    let id = |name: &str| vec![name.rsplit('/').next().unwrap().to_owned()];
    assert_eq!((pool(false), pool(true)), (id(&free), id(&at)));
    let out = drawn.pool.iter().find(|one| one.left_out != 0).unwrap();
    assert_eq!(out.left_out(), pb::LeftOut::PositiveList);
}

/// The answer was lost, and its sites are closed by now: the list of a draw would be empty.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_proposed_again_has_its_first_answer_whatever_became_of_its_sites() {
    let (world, at) = world().await;
    let here = &world.here;
    let draw = pb::DrawDraft { sites: 1, host_officers: 2, ..Default::default() };
    let drawing =
        pb::PlanDraft { kind: pb::PlanKind::DoubleRandom.into(), draw: Some(draw), ..draft(&[]) };
    let asked = creating(&world.agreements[0], drawing.clone());
    let first = here.plans().create_plan(asked.clone()).await.unwrap().into_inner();
    let plan = first.plan.unwrap();
    let revising = pb::RevisePlanRequest {
        name: plan.name.clone(),
        etag: plan.etag,
        draft: Some(drawing.clone()),
        request_id: fresh(),
        ..Default::default()
    };
    let revised = here.plans().revise_plan(revising.clone()).await.unwrap().into_inner();
    let now = get(here, &at).await.unwrap();
    list(here, set(&now, listing(pb::ListingStatus::Active), "")).await.unwrap();

    let refused = here.plans().create_plan(creating(&world.agreements[0], drawing)).await;
    assert_eq!(why(refused).1, "PLAN_POOL_EMPTY", "nobody else has it");
    let again = here.plans().create_plan(asked.clone()).await.unwrap().into_inner();
    let (first, again) = (first.receipt.unwrap(), (again.plan.unwrap(), again.receipt.unwrap()));
    assert_eq!((&again.0.name, &again.1.entry), (&plan.name, &first.entry));
    assert!(again.1.replayed);
    let again = here.plans().revise_plan(revising.clone()).await.unwrap().into_inner();
    let entries = [revised.receipt, again.receipt].map(|receipt| receipt.unwrap().entry);
    assert_eq!(entries[0], entries[1]);

    // The same id with another content is another request, of this method and of any other.
    let mut other = asked;
    other.draft.as_mut().unwrap().record.as_mut().unwrap().title = "另一次行动".to_owned();
    let used = (Code::AlreadyExists, "IDEMPOTENCY_MISMATCH".to_owned());
    assert_eq!(why(here.plans().create_plan(other.clone()).await), used);
    let request_id = other.request_id;
    let other = pb::RevisePlanRequest { request_id, ..revising };
    assert_eq!(why(here.plans().revise_plan(other).await), used);
    let listed = pb::ListPlansRequest { parent: world.agreements[0].clone(), ..Default::default() };
    let listed = here.plans().list_plans(listed).await.unwrap().into_inner();
    assert_eq!(listed.total_size, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_settled_has_no_results() {
    let (world, at) = world().await;
    let here = &world.here;
    let plan = world.proposed(&at, 0).await;
    let gone = step(here, &plan, pb::PlanStep::Cancel, "另行安排").await.unwrap();
    assert_eq!(why(report(here, &gone, &at, result(0)).await), late("REPORT_STAGE"));
    assert_eq!(counted(here, &at).await, 0);
    // One that was is reported also when it was cancelled afterwards; what a team has arrived at
    // stays reserved until then.
    let other = world.proposed(&at, 0).await;
    confirm(here, &other, &world.officers[..2]).await.unwrap();
    let other = world.settled(&other, 0).await;
    check_in(here, &other, &at, &world.officers[..2]).await.unwrap();
    let newest = seen(here, &other.name, |_| true).await;
    // It is under way, though nobody has pressed a button: another revision would undo the visit.
    let revising = pb::RevisePlanRequest {
        name: newest.name.clone(),
        etag: newest.etag.clone(),
        draft: Some(draft(std::slice::from_ref(&at))),
        request_id: fresh(),
        ..pb::RevisePlanRequest::default()
    };
    assert_eq!(why(here.plans().revise_plan(revising).await), late("PLAN_STAGE"));
    step(here, &newest, pb::PlanStep::Cancel, "汛情").await.unwrap();
    for _ in 0..2 {
        checked(here, &at).await.unwrap();
    }
    assert_eq!(why(checked(here, &at).await), late("SITE_CAPPED"));
    report(here, &other, &at, result(0)).await.unwrap();
    assert_eq!(counted(here, &at).await, 3);
}

/// A visit is judged by the list as it is on its own day: here by another site of the enterprise,
/// in another agreement, which comes onto it only then.
#[tokio::test(flavor = "multi_thread")]
async fn f20_a_later_visit_is_judged_by_the_list_of_its_own_day() {
    let world = world_set_up(&["聊邯", "聊邯二"], |_| {}).await;
    let here = &world.here;
    let at = site(here, &world.agreements[0], 0, 371_522).await;
    let same = site(here, &world.agreements[1], 0, 371_522).await;
    let (now, tomorrow) = (get(here, &same).await.unwrap(), today().plus_days(1).unwrap());
    let later = pb::SiteListed { admitted_on: day(tomorrow), ..listing(pb::ListingStatus::Active) };
    list(here, set(&now, later, "")).await.unwrap();
    let proposed = async |on| {
        let half = Some(half_day_to_pb(HalfDay::morning(on)));
        let mut asked = draft(std::slice::from_ref(&at));
        asked.days = [today(), tomorrow]
            .map(|on| pb::PlanDay {
                at: Some(half_day_to_pb(HalfDay::morning(on))),
                overtime: true,
            })
            .to_vec();
        asked.visits[0].first = half;
        create(here, &world.agreements[0], asked).await.unwrap()
    };
    let listed = proposed(tomorrow).await;
    let refused = confirm(here, &listed, &world.officers[..2]).await;
    assert_eq!(why(refused), late("SITE_ON_POSITIVE_LIST"));
    let free = proposed(today()).await;
    confirm(here, &free, &world.officers[..2]).await.unwrap();
}

/// An arrival is judged by what its own visit says, and by the list of all sites of the enterprise.
#[tokio::test(flavor = "multi_thread")]
async fn f20_an_arrival_is_judged_by_its_own_visit_and_by_every_listing_of_the_enterprise() {
    let world = world_set_up(&["聊邯", "聊邯二"], |_| {}).await;
    let here = &world.here;
    let at = site(here, &world.agreements[0], 0, 371_522).await;
    let same = site(here, &world.agreements[1], 0, 371_522).await;
    let mut asked = draft(&[at.clone(), at.clone()]);
    asked.visits[0].exception = pb::VisitException::Complaint.into();
    asked.visits[1].first = asked.days[1].at;
    let plan = create(here, &world.agreements[0], asked).await.unwrap();
    confirm(here, &plan, &world.officers[..2]).await.unwrap();
    let plan = world.settled(&plan, 0).await;
    // It comes onto the list by another site, once the plan is settled.
    let now = get(here, &same).await.unwrap();
    list(here, set(&now, listing(pb::ListingStatus::Active), "")).await.unwrap();
    let arrives = async |nth: u32| {
        let asked = pb::CheckInRequest {
            name: plan.name.clone(),
            revision: plan.revision_entry.clone(),
            site: at.clone(),
            nth,
            officers: world.officers[..2].to_vec(),
            request_id: fresh(),
            ..pb::CheckInRequest::default()
        };
        here.plans().check_in(asked).await.map(|answer| answer.into_inner().plan.unwrap())
    };
    assert_eq!(why(arrives(1).await), late("VISIT_STOPPED"));
    arrives(0).await.unwrap();
}

/// What was keyed in by mistake counts for as long as it stands, and for no longer.
#[tokio::test(flavor = "multi_thread")]
async fn f21_a_corrected_report_gives_back_what_it_counted_for() {
    let (world, at) = world().await;
    let here = &world.here;
    let plan = world.proposed(&at, 0).await;
    confirm(here, &plan, &world.officers[..2]).await.unwrap();
    let plan = world.settled(&plan, 0).await;
    let years = async || {
        let years = get(here, &at).await.unwrap().years;
        years.iter().map(|year| (year.counted, year.off_site)).collect::<Vec<_>>()
    };
    let afar = || pb::VisitResult { mode: pb::CheckMode::OffSite.into(), ..result(0) };
    for (told, counts) in [
        (result(0), (1, 0)),
        (not_checked(), (0, 0)),
        (result(0), (1, 0)),
        (afar(), (0, 1)),
        (result(0), (1, 0)),
        (result(1), (1, 0)),
    ] {
        report(here, &plan, &at, told).await.unwrap();
        assert_eq!(years().await, [counts]);
    }
    // Only the report of a plan takes a check back.
    let mut taken = check(&at, pb::CheckMode::OnSite, NONE);
    taken.check.as_mut().unwrap().taken_back = true;
    let taken = record_check(here, taken).await;
    let status = taken.clone().unwrap_err();
    assert!(!fact(&status, "rule").is_empty() && !fact(&status, "source").is_empty());
    assert_eq!(why(taken).1, "CHECK_PLAN_UNKNOWN");
    // A slip of one digit is no site of another city.
    let nobody = format!("{}/sites/{}", world.agreements[0], "7".repeat(32));
    let lost = [
        check_in(here, &plan, &nobody, &world.officers[..2]).await,
        report(here, &plan, &nobody, result(0)).await,
    ];
    for refused in lost {
        let status = refused.clone().unwrap_err();
        assert_eq!(fact(&status, "field"), "site");
        assert!(!fact(&status, "rule").is_empty() && !fact(&status, "source").is_empty());
        assert_eq!(why(refused), (Code::NotFound, "SITE_UNKNOWN".to_owned()));
    }
    for _ in 0..2 {
        checked(here, &at).await.unwrap();
    }
    let full = checked(here, &at).await;
    let status = full.clone().unwrap_err();
    assert!(!fact(&status, "rule").is_empty() && !fact(&status, "source").is_empty());
    assert_eq!(why(full), late("SITE_CAPPED"));
}
