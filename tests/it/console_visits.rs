//! Visits of joint actions by the console's pages: when each site is visited, under which exception;
//! units that are free again; results on pages of a size.

use http::StatusCode;
use liandong::cli::connect::Client;
use liandong::domain::HalfDay;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use liandong::wire::unit::half_day_to_pb;

use super::api::{HERE, THERE, fresh, sample};
use super::console::{Browser, FROM_HERE, Page};
use super::console_drafts::hidden;
use super::plan_cli::Desk;
use super::plan_rules::close;
use super::plans::{
    World, confirm, create, draft, get, page_of, report, result, seen, site_of, step, today,
    world_set_up,
};

/// The half days from today on.
fn half_days(count: usize) -> Vec<HalfDay> {
    let day = |nth: usize| today().plus_days(i64::try_from(nth / 2).unwrap()).unwrap();
    let half = |nth: usize| match nth % 2 {
        0 => HalfDay::morning(day(nth)),
        _ => HalfDay::afternoon(day(nth)),
    };
    (0..count).map(half).collect()
}

/// A half day as a field has it.
fn value(at: HalfDay) -> String {
    let half = if at == HalfDay::morning(at.on) { "AM" } else { "PM" };
    format!("{}{half}", at.on)
}

async fn press(browser: &Browser, at: &str, fields: &[(&str, &str)]) -> Page {
    let id = fresh();
    let fields: Vec<(&str, &str)> =
        fields.iter().copied().chain([("request_id", id.as_str())]).collect();
    browser.post(at, &[FROM_HERE], &fields).await
}

/// What both revisions of a test propose: three days, all sites, two officers here.
fn proposal<'a>(sites: &'a [String], days: &'a [String; 2]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("begun", "1"),
        ("kind", "1"),
        ("title", "聊邯交界联合检查"),
        ("city", "371500"),
        ("officers-371500", "2"),
        ("city", "130400"),
        ("officers-130400", "1"),
        ("department", "1"),
        ("department", "5"),
        ("first", days[0].as_str()),
        ("first_half", "AM"),
        ("last", days[1].as_str()),
        ("last_half", "PM"),
        ("overtime", "1"),
    ];
    fields.extend(sites.iter().map(|site| ("site", site.as_str())));
    fields
}

/// Confirms with some units and settles the plan, by the forms of its page.
async fn settled(world: &World, name: &str, at: &str) -> pb::Plan {
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let there = Browser::open(&world.nodes, THERE, Role::Coordinator).await;
    let revision = get(&world.here, name).await.unwrap().revision_entry;
    seen(&world.there, name, |plan| plan.revision_entry == revision).await;
    let kind = i32::from(pb::PlanAnswerKind::Confirm).to_string();
    for (browser, units) in [(&here, &world.officers[..2]), (&there, &world.guests[..1])] {
        let mut fields = vec![("revision", &*revision), ("kind", &*kind)];
        fields.extend(units.iter().map(|unit| ("sent", unit.as_str())));
        let said = press(browser, &format!("{at}/answer"), &fields).await;
        assert_eq!(said.status, StatusCode::SEE_OTHER, "{}", said.text);
    }
    let etag = seen(&world.here, name, |plan| plan.answers.len() == 2).await.etag;
    let settled = press(&here, &format!("{at}/schedule"), &[("etag", &etag)]).await;
    assert_eq!(settled.status, StatusCode::SEE_OTHER, "{}", settled.text);
    get(&world.here, name).await.unwrap()
}

fn when(plan: &pb::Plan, site: &str) -> (Option<pb::HalfDay>, pb::VisitException) {
    let visit = plan.visits.iter().find(|one| one.site == site).unwrap();
    (visit.first, visit.exception())
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_of_one_city_are_spread_over_the_days_and_scheduled_with_one_team_by_page() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let agreement = &world.agreements[0];
    let mut sites = Vec::new();
    for name in ["甲镇纸业", "乙镇化工", "丙镇印染", "丁镇电镀"] {
        sites.push(site_of(&world.here, agreement, (name, 0), 371_522).await);
    }
    close(&world.here, &sites[1], true).await;
    let halves = half_days(6);
    let days = [halves[0].on.to_string(), halves[5].on.to_string()];
    let last = value(halves[5]);
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let id = agreement.trim_start_matches("agreements/");
    let mut fields = proposal(&sites, &days);
    fields.push(("agreement", id));
    // Beside what is ticked: when it is visited as things stand, and what else may be chosen.
    let shown = press(&here, "/plans/new/form", &[&fields[..], &[("arrange", "1")]].concat()).await;
    for half in &halves[..4] {
        let auto = format!("自动（{}）", half.text(liandong::domain::Language::Zh));
        assert_eq!(shown.text.matches(&auto).count(), 1, "{auto}: {}", shown.text);
    }
    let option = format!(r#"<option value="{last}">"#);
    assert_eq!(shown.text.matches(&option).count(), 4, "{}", shown.text);
    assert!(shown.text.contains("投诉举报") && shown.text.contains("name=\"why\""));
    // One is put on the last afternoon; what is typed stays so until it is sent.
    fields.extend([("visit", sites[3].as_str()), ("at", last.as_str()), ("why", "0")]);
    let shown = press(&here, "/plans/new/form", &[&fields[..], &[("arrange", "1")]].concat()).await;
    assert!(shown.text.contains(&format!(r#"<option value="{last}" selected>"#)));
    let made = press(&here, "/plans/new", &fields).await;
    let at = made.leads_to().split('?').next().unwrap().to_owned();
    let (of, plan) = at.trim_start_matches("/plan/").split_once('/').unwrap();
    let name = format!("agreements/{of}/plans/{plan}");
    let plan = get(&world.here, &name).await.unwrap();
    let none = pb::VisitException::Unspecified;
    for (site, half) in [(0, 0), (1, 1), (2, 2), (3, 5)] {
        let is = (Some(half_day_to_pb(halves[half])), none);
        assert_eq!(when(&plan, &sites[site]), is, "site {site}");
    }
    assert_eq!(plan.departments, [1, 5]);
    // What is shut needs an exception, which the page of a revision has a field for.
    assert!(here.get(&at).await.text.contains("SITE_CLOSED"));
    let form = here.get(&format!("{at}/revise")).await;
    assert!(form.text.contains(&format!(r#"<option value="{last}" selected>"#)), "{}", form.text);
    let etag = hidden(&form, "etag");
    let second = value(halves[1]);
    let mut fields = proposal(&sites, &days);
    fields.extend([("etag", etag.as_str()), ("agreement", id)]);
    fields.extend([("visit", sites[1].as_str()), ("at", second.as_str()), ("why", "1")]);
    let moved = value(halves[3]);
    fields.extend([("visit", sites[2].as_str()), ("at", moved.as_str()), ("why", "0")]);
    let revised = press(&here, &format!("{at}/revise"), &fields).await;
    assert_eq!(revised.status, StatusCode::SEE_OTHER, "{}", revised.text);
    let plan = settled(&world, &name, &at).await;
    assert_eq!((plan.state(), plan.revision), (pb::PlanState::Scheduled, 2));
    let complaint = pb::VisitException::Complaint;
    for (site, half, why) in [(0, 0, none), (1, 1, complaint), (2, 3, none), (3, 5, none)] {
        let is = (Some(half_day_to_pb(halves[half])), why);
        assert_eq!(when(&plan, &sites[site]), is, "site {site}");
    }
    assert_eq!(plan.departments, [1, 5]);
    // The paper says when each is visited.
    let paper = here.get(&format!("{at}/print/plan")).await.text;
    for half in [0, 1, 3, 5] {
        let cell = format!(
            r#"<td class="when">{}</td>"#,
            halves[half].text(liandong::domain::Language::Zh)
        );
        assert_eq!(paper.matches(&cell).count(), 1, "{cell}: {paper}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn units_of_a_plan_that_was_cancelled_or_revised_are_freed_by_its_page() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let agreement = &world.agreements[0];
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let auditor = Browser::open(&world.nodes, HERE, Role::Auditor).await;
    let offers = |page: &Page| page.text.contains("id=\"act-release\"");
    let plan = create(&world.here, agreement, draft(&[])).await.unwrap();
    let at = page_of(&plan);
    assert!(!offers(&here.get(&at).await), "nobody is booked");
    let booked = confirm(&world.here, &plan, &world.officers[..2]).await.unwrap();
    assert_eq!(booked.booked_revision, plan.revision_entry);
    assert!(!offers(&here.get(&at).await), "they are needed");
    // What was confirmed for an earlier revision.
    let again = pb::RevisePlanRequest {
        name: plan.name.clone(),
        etag: booked.etag,
        draft: Some(draft(&[])),
        request_id: fresh(),
        ..Default::default()
    };
    world.here.plans().revise_plan(again).await.unwrap();
    let page = here.get(&at).await;
    assert!(offers(&page) && page.text.contains("以前版本确认的力量"), "{}", page.text);
    assert!(!offers(&auditor.get(&at).await), "whoever only reads is offered nothing");
    let refused = press(&auditor, &format!("{at}/release"), &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("ROLE_NOT_ALLOWED"), "{}", refused.text);
    let freed = press(&here, &format!("{at}/release"), &[]).await;
    assert_eq!(freed.status, StatusCode::SEE_OTHER, "{}", freed.text);
    let page = here.get(&at).await;
    assert!(!offers(&page), "{}", page.text);
    // And for one that has ended: they can be sent elsewhere.
    let now = get(&world.here, &plan.name).await.unwrap();
    let now = confirm(&world.here, &now, &world.officers[..2]).await.unwrap();
    step(&world.here, &now, pb::PlanStep::Cancel, "暴雨").await.unwrap();
    let other = create(&world.here, agreement, draft(&[])).await.unwrap();
    assert!(confirm(&world.here, &other, &world.officers[..2]).await.is_err(), "still busy");
    // That is told where one looks first, and in a list of such plans.
    let told = "行动已结束，本市力量仍占用，待释放";
    assert!(here.get("/").await.text.contains(told));
    let held = pb::ListPlansRequest {
        parent: agreement.clone(),
        holds_own_units: true,
        ..Default::default()
    };
    let listed = async |client: &Client| {
        let page = client.plans().list_plans(held.clone()).await.unwrap().into_inner();
        page.plans.into_iter().map(|one| one.name).collect::<Vec<_>>()
    };
    assert_eq!(listed(&world.here).await, std::slice::from_ref(&plan.name));
    assert!(listed(&world.there).await.is_empty(), "it has booked none");
    let desk = Desk { nodes: &world.nodes, city: HERE };
    let shown = desk.plan(&["show", &plan.number]);
    assert!(shown.contains(&format!("liandong plan release {}", plan.number)), "{shown}");
    let page = here.get(&at).await;
    assert!(offers(&page) && page.text.contains("行动已结束"), "{}", page.text);
    let freed = press(&here, &format!("{at}/release"), &[]).await;
    assert_eq!(freed.status, StatusCode::SEE_OTHER, "{}", freed.text);
    assert!(!offers(&here.get(&at).await));
    assert!(!here.get("/").await.text.contains(told));
    assert!(listed(&world.here).await.is_empty());
    confirm(&world.here, &other, &world.officers[..2]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn results_of_many_visits_are_on_pages_of_a_size() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let agreement = &world.agreements[0];
    let halves = half_days(24);
    let (mut sites, mut visits) = (Vec::new(), Vec::new());
    for (nth, half) in halves.iter().enumerate() {
        let name = format!("聊邯交界地区第{nth:02}号涉水企业有限公司莘县分公司");
        let site = site_of(&world.here, agreement, (&name, 0), 371_522).await;
        let first = Some(half_day_to_pb(*half));
        let exception = pb::VisitException::Complaint.into();
        visits.push(pb::VisitDraft { site: site.clone(), first, exception, last: None });
        sites.push((site, name));
    }
    let day = |at: &HalfDay| pb::PlanDay { at: Some(half_day_to_pb(*at)), overtime: true };
    let long = pb::PlanDraft {
        kind: pb::PlanKind::JointInspection.into(),
        departments: (1..=10).collect(),
        days: halves.iter().map(day).collect(),
        visits,
        ..draft(&[])
    };
    let plan = create(&world.here, agreement, long).await.unwrap();
    confirm(&world.here, &plan, &world.officers).await.unwrap();
    let theirs = seen(&world.there, &plan.name, |_| true).await;
    confirm(&world.there, &theirs, &world.guests).await.unwrap();
    let plan = seen(&world.here, &plan.name, |plan| plan.answers.len() == 2).await;
    let plan = step(&world.here, &plan, pb::PlanStep::Schedule, "").await.unwrap();
    for (site, _) in &sites {
        report(&world.here, &plan, site, result(2)).await.unwrap();
    }
    // More own cases than a page lists, each with a long title.
    for nth in 0..55 {
        let mut case = sample(agreement, nth % 40);
        case.record.as_mut().unwrap().title = format!("第{nth:02}起{}", "跨界倾倒".repeat(15));
        super::api::create(&world.here, case).await.unwrap();
    }
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let at = format!("{}/visits", page_of(&plan));
    let (mut path, mut shown) = (at.clone(), 0);
    loop {
        let page = here.get(&path).await.text;
        assert!(page.len() < 150 * 1024, "{path}: {}", page.len());
        let count = page.matches("<div class=\"visit\">").count();
        assert!((1..=16).contains(&count), "{path}: {count}");
        assert_eq!(page.matches("<datalist").count(), 1, "once for all visits");
        assert!(page.matches("跨界倾倒").count() < 50 * 16 && page.contains("第54起"), "{page}");
        let told = sites.iter().filter(|(_, name)| page.contains(name)).count();
        assert_eq!(told, count, "{path}");
        shown += count;
        if shown == sites.len() {
            break;
        }
        path = format!("{at}?from={shown}");
        assert!(page.contains(&format!("href=\"{path}\"")), "{path}: {page}");
    }
    assert!(path != at, "there is more than one part");
    // A form of the last one comes back with its visit, and so does what was done.
    let last = get(&world.here, &plan.name).await.unwrap().visits.pop().unwrap();
    let (_, name) = sites.iter().find(|(site, _)| *site == last.site).unwrap();
    let finding = [("revision", &*plan.revision_entry), ("site", &*last.site), ("nth", "0")];
    let refused = press(&here, &format!("{at}/finding"), &finding).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("请选择案件") && refused.text.contains(name), "{}", refused.text);
    let others = [&finding[..], &[("case", "-")]].concat();
    let done = press(&here, &format!("{at}/finding"), &others).await;
    let page = here.get(done.leads_to()).await.text;
    assert!(page.contains("已登记，") && page.contains(name), "{}: {page}", done.leads_to());
}
