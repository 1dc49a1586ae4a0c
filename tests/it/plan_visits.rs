//! What was keyed in of a visit: in words, afterwards, corrected by whoever has read it, erased;
//! and the case that is opened from it.

use http::StatusCode;
use liandong::ids::Position;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use tonic::Code;

use super::api::{HERE, THERE, fact, fresh, sample};
use super::console::{Browser, FROM_HERE};
use super::console_new::{CASE, with};
use super::exchange::arrived;
use super::plan_cli::{Desk, said};
use super::plans::{
    World, confirm, create, draft, get, page_of, report, result, results, seen, site, step, today,
    why, world_set_up,
};

const FIRST: &str = "危险废物标识不全，已拍照取证";
const SECOND: &str = "台账缺少六月记录，责令当场补正";

/// A settled plan of today that visits one site here.
pub async fn settled(world: &World) -> (pb::Plan, String) {
    let (agreement, here, there) = (&world.agreements[0], &world.here, &world.there);
    let at = site(here, agreement, 0, 371_522).await;
    let plan = create(here, agreement, draft(std::slice::from_ref(&at))).await.unwrap();
    confirm(here, &plan, &world.officers[..2]).await.unwrap();
    let told = seen(there, &plan.name, |_| true).await;
    confirm(there, &told, &world.guests[..1]).await.unwrap();
    let all = seen(here, &plan.name, |plan| plan.answers.len() == 2).await;
    (step(here, &all, pb::PlanStep::Schedule, "").await.unwrap(), at)
}

fn entry(plan: &pb::Plan) -> pb::VisitEntry {
    plan.visits[0].result_entry.clone().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_corrected_by_whoever_has_read_the_newest_one() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let (plan, at) = settled(&world).await;
    let page = format!("{}/visits", page_of(&plan));
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let there = Browser::open(&world.nodes, THERE, Role::Coordinator).await;
    let on = today().to_string();
    let send = async |replaces: &str, text: &str| {
        let fields = [
            ("revision", plan.revision_entry.as_str()),
            ("site", &at),
            ("nth", "0"),
            ("replaces", replaces),
            ("on", &on),
            ("outcome", "1"),
            ("mode", "1"),
            ("items-1", "12"),
            ("text", text),
            ("request_id", &fresh()),
        ];
        here.post(&format!("{page}/report"), &[FROM_HERE], &fields).await
    };
    // On the day itself, though nobody has begun the plan.
    let open = here.get(&page).await.text;
    assert!(open.contains("填写检查结果") && !open.contains("更正检查结果"), "{open}");
    assert!(here.get(&page_of(&plan)).await.text.contains("/visits"));
    assert_eq!(send("", FIRST).await.status, StatusCode::SEE_OTHER);
    let told = seen(&world.there, &plan.name, |one| !one.visits[0].text.is_empty()).await;
    assert_eq!(told.visits[0].text, FIRST);
    let first = entry(&told);
    assert!(!first.afterwards && first.corrections == 0 && first.record_time.is_some());
    assert!(there.get(&page_of(&plan)).await.text.contains(FIRST));
    // The form for a correction says what stands there.
    let open = here.get(&page).await.text;
    for part in ["更正检查结果", &format!(">{FIRST}</textarea>"), r#"value="12""#, &first.entry]
    {
        assert!(open.contains(part), "{part}: {open}");
    }

    // Whoever has not read it takes nobody's place; the page shows both, and then it is sent.
    let stale = send("", SECOND).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    for part in ["RESULT_CHANGED", "现在登记的结果", FIRST, &format!(">{SECOND}</textarea>")]
    {
        assert!(stale.text.contains(part), "{part}: {}", stale.text);
    }
    assert!(stale.text.contains(&format!(r#"name="replaces" value="{}""#, first.entry)));
    let asked = pb::ReportVisitRequest {
        name: plan.name.clone(),
        revision: plan.revision_entry.clone(),
        site: at.clone(),
        result: Some(result(0)),
        replaces: plan.revision_entry.clone(),
        request_id: fresh(),
        ..Default::default()
    };
    let refused = world.here.plans().report_visit(asked).await;
    let status = refused.as_ref().unwrap_err();
    assert_eq!((fact(status, "field"), fact(status, "current")), ("replaces".into(), first.entry));
    assert_eq!(why(refused), (Code::Aborted, "RESULT_CHANGED".to_owned()));
    let before = entry(&get(&world.here, &plan.name).await.unwrap());
    assert_eq!(send(&before.entry, SECOND).await.status, StatusCode::SEE_OTHER);
    let now = seen(&world.there, &plan.name, |one| one.visits[0].text == SECOND).await;
    assert_eq!((entry(&now).corrections, entry(&now).afterwards), (1, false));
    assert!(there.get(&page_of(&plan)).await.text.contains("更正 1 次"));

    // Behind the end of the plan: keyed in afterwards, and shown so.
    let begun = step(&world.here, &plan, pb::PlanStep::Begin, "").await.unwrap();
    results(&world.here, &begun).await.unwrap();
    seen(&world.there, &plan.name, |one| one.state() == pb::PlanState::Executing).await;
    results(&world.there, &begun).await.unwrap();
    let is_in = |one: &pb::Plan| one.state() == pb::PlanState::ResultsReported;
    let whole = seen(&world.here, &plan.name, is_in).await;
    step(&world.here, &whole, pb::PlanStep::Summarize, "").await.unwrap();
    let paper = format!("{}/print/summary", page_of(&plan));
    assert!(!here.get(&paper).await.text.contains("补录于"));
    assert_eq!(send(&entry(&now).entry, FIRST).await.status, StatusCode::SEE_OTHER);
    let late = seen(&world.there, &plan.name, |one| one.visits[0].text == FIRST).await;
    assert_eq!((entry(&late).corrections, entry(&late).afterwards), (2, true));
    for path in [page_of(&plan), paper] {
        let shown = there.get(&path).await.text;
        assert!(shown.contains("补录于") && shown.contains(FIRST), "{path}: {shown}");
    }

    // Erased: said so, in both cities.
    let admin = world.nodes.client_as(HERE, Role::Admin).await;
    let erase = pb::ErasePartRequest {
        agreement: world.agreements[0].clone(),
        entry: entry(&late).entry,
        part: 0,
        reason: pb::ErasureReason::Law.into(),
        request_id: fresh(),
    };
    admin.nodes().erase_part(erase).await.unwrap();
    let gone = seen(&world.there, &plan.name, |one| one.visits[0].text_is_erased).await;
    assert!(gone.visits[0].text.is_empty() && !gone.visits[0].text_is_missing);
    let shown = there.get(&page_of(&plan)).await.text;
    assert!(shown.contains("情况说明：已依法删除") && !shown.contains(FIRST), "{shown}");
}

/// A correction that comes at the same moment is in the text, or stands behind it in the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_summary_has_the_results_that_stood_when_it_was_written() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let (here, there) = (&world.here, &world.there);
    let (plan, at) = settled(&world).await;
    let begun = step(here, &plan, pb::PlanStep::Begin, "").await.unwrap();
    report(here, &begun, &at, result(0)).await.unwrap();
    results(here, &begun).await.unwrap();
    seen(there, &plan.name, |one| one.state() == pb::PlanState::Executing).await;
    results(there, &begun).await.unwrap();
    let is_in = |one: &pb::Plan| one.state() == pb::PlanState::ResultsReported;
    let whole = seen(here, &plan.name, is_in).await;
    // One correction after the other while it is written.
    let corrected = async {
        let (mut stood, mut visits) = (vec![(entry(&whole).entry, 2)], here.plans());
        for samples in 3..20 {
            let asked = pb::ReportVisitRequest {
                name: plan.name.clone(),
                revision: plan.revision_entry.clone(),
                site: at.clone(),
                result: Some(pb::VisitResult { samples, ..result(0) }),
                replaces: stood.last().unwrap().0.clone(),
                request_id: fresh(),
                ..Default::default()
            };
            let answer = visits.report_visit(asked).await.unwrap().into_inner();
            stood.push((answer.receipt.unwrap().entry, samples));
        }
        stood
    };
    let summed = step(here, &whole, pb::PlanStep::Summarize, "");
    let (corrected, summed) = tokio::join!(corrected, summed);
    let summed = summed.unwrap();
    let index = |entry: &str| entry.parse::<Position>().unwrap().index;
    let mut before = corrected.iter().filter(|(entry, _)| index(entry) < index(&summed.etag));
    let told = format!("采集样品{}个", before.next_back().unwrap().1);
    assert!(summed.closing_text.contains(&told), "{told}: {}", summed.closing_text);
}

#[tokio::test(flavor = "multi_thread")]
async fn f31_a_case_that_came_of_two_visits_is_one_and_what_is_reported_is_not_cancelled() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let (agreement, here, there) = (&world.agreements[0], &world.here, &world.there);
    let mut sites = Vec::new();
    for nth in 0..2 {
        sites.push(site(here, agreement, nth, 371_522).await);
    }
    let mut asked = draft(&sites);
    asked.visits[1].first = asked.days[1].at;
    let plan = create(here, agreement, asked).await.unwrap();
    confirm(here, &plan, &world.officers[..2]).await.unwrap();
    let told = seen(there, &plan.name, |_| true).await;
    confirm(there, &told, &world.guests[..1]).await.unwrap();
    let all = seen(here, &plan.name, |plan| plan.answers.len() == 2).await;
    let plan = step(here, &all, pb::PlanStep::Schedule, "").await.unwrap();
    let case = super::api::create(here, sample(agreement, 0)).await.unwrap();
    for at in &sites {
        report(here, &plan, at, result(1)).await.unwrap();
        let asked = pb::OpenFindingRequest {
            name: plan.name.clone(),
            revision: plan.revision_entry.clone(),
            site: at.clone(),
            case: case.name.clone(),
            request_id: fresh(),
            ..Default::default()
        };
        here.plans().open_finding(asked).await.unwrap();
    }
    results(here, &plan).await.unwrap();
    let told = seen(there, &plan.name, |plan| plan.state() == pb::PlanState::Scheduled).await;
    results(there, &told).await.unwrap();
    // Nobody has said that it begins: it was carried out all the same.
    let refused = (Code::FailedPrecondition, "ALL_RESULTS_IN".to_owned());
    seen(here, &plan.name, |plan| plan.reported.len() == 2).await;
    let now = get(here, &plan.name).await.unwrap();
    assert_eq!(why(step(here, &now, pb::PlanStep::Cancel, "取消").await), refused);
    let begun = step(here, &now, pb::PlanStep::Begin, "").await.unwrap();
    let done = step(here, &begun, pb::PlanStep::Summarize, "").await.unwrap();
    assert!(done.closing_text.contains("已转为案件1件"), "{}", done.closing_text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_becomes_a_case_of_the_city_where_the_site_stands() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let (plan, at) = settled(&world).await;
    let agreement = &world.agreements[0];
    report(&world.here, &plan, &at, result(1)).await.unwrap();
    let finding = |case: &str| pb::OpenFindingRequest {
        name: plan.name.clone(),
        revision: plan.revision_entry.clone(),
        site: at.clone(),
        case: case.to_owned(),
        request_id: fresh(),
        ..Default::default()
    };
    // Not a case of another city.
    let theirs = super::api::create(&world.there, sample(agreement, 1)).await.unwrap();
    arrived(&world.here, &theirs.name).await;
    let elsewhere = world.here.plans().open_finding(finding(&theirs.name)).await;
    let status = elsewhere.as_ref().unwrap_err();
    assert_eq!(fact(status, "field"), "case");
    assert_eq!(fact(status, "source"), "rules of the cooperation");
    assert!(fact(status, "rule").contains("city where the site stands"));
    let refused = (Code::FailedPrecondition, "FINDING_CASE_ELSEWHERE".to_owned());
    assert_eq!(why(elsewhere), refused);

    // From the visit to the form, which has what is known, and from there to both records.
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let there = Browser::open(&world.nodes, THERE, Role::Coordinator).await;
    let visits = format!("{}/visits", page_of(&plan));
    let page = here.get(&visits).await.text;
    let (_, rest) = page.split_once("href=\"/cases/new?").expect("a link to the form");
    let link = format!("/cases/new?{}", rest.split('"').next().unwrap().replace("&amp;", "&"));
    assert!(!link.contains('%'), "nothing typed in {link}");
    let form = here.get(&link).await.text;
    for part in [
        "来自联合执法行动 JA-371500-",
        r#"value="91371522YYYY90011A""#,
        r#"value="115.671234""#,
        r#"value="莘县示例镇""#,
        r#"<option value="371522" selected>"#,
        r#"<option value="6" selected>"#,
    ] {
        assert!(form.contains(part), "{part}: {form}");
    }
    let id = |name: &str| name.rsplit('/').next().unwrap().to_owned();
    let open = async |revision: &str| {
        let (plan_id, site_id, request) = (id(&plan.name), id(&at), fresh());
        let mut fields = with(&CASE, agreement, &[]);
        fields.extend([("plan", plan_id.as_str()), ("site", &site_id), ("nth", "0")]);
        fields.extend([("revision", revision), ("request_id", &request)]);
        here.post("/cases/new", &[FROM_HERE], &fields).await
    };
    let opened = open(&plan.revision_entry).await;
    assert!(opened.leads_to().starts_with("/case/"), "{}", opened.leads_to());
    let case = seen(&world.there, &plan.name, |one| one.visits[0].cases.len() == 1).await;
    let case = case.visits[0].cases[0].clone();
    for (client, browser) in [(&world.here, &here), (&world.there, &there)] {
        let asked = pb::GetCaseRequest { name: case.clone() };
        let shown = client.cases().get_case(asked).await.unwrap().into_inner();
        let found = &shown.findings[0];
        assert_eq!((&found.plan, &found.site, found.nth), (&plan.name, &at, 0));
        assert!(found.plan_number.starts_with("JA-371500-") && found.site_name.contains("纸业"));
        let path = format!("/case/{}/{}", id(agreement), id(&case));
        let page = browser.get(&path).await.text;
        assert!(page.contains("来自联合执法行动 JA-371500-"), "{page}");
        assert!(page.contains(&page_of(&plan)), "a way to the plan");
    }
    let desk = Desk { nodes: &world.nodes, city: THERE };
    let shown = said(&desk.run("case", &["show", &case]));
    assert!(shown.contains("来自联合执法行动 JA-371500-"), "{shown}");

    // A break in between: the case is there, and is linked by choosing it.
    let broken = open(&plan.name).await;
    assert!(broken.leads_to().starts_with(&format!("{visits}?site=")), "{}", broken.text);
    let later = here.get(broken.leads_to()).await.text;
    assert!(later.contains("案件已登记，但还没有关联到检查"), "{later}");
    let (_, unlinked) = broken.leads_to().split_once("&unlinked=").unwrap();
    let unlinked = format!("{agreement}/cases/{unlinked}");
    assert!(later.contains(&format!(r#"<option value="{unlinked}" selected>"#)), "{later}");
    let link = async |case: &str, number: &str| {
        let fields = [
            ("revision", plan.revision_entry.as_str()),
            ("site", &at),
            ("nth", "0"),
            ("case", case),
            ("case_number", number),
            ("request_id", &fresh()),
        ];
        here.post(&format!("{visits}/finding"), &[FROM_HERE], &fields).await
    };
    let choose = async |case: &str| link(case, "").await;
    assert!(choose("").await.text.contains("请选择案件"));
    assert!(choose(&theirs.name).await.text.contains("FINDING_CASE_ELSEWHERE"));
    assert_eq!(choose(&unlinked).await.status, StatusCode::SEE_OTHER);
    let both = get(&world.here, &plan.name).await.unwrap();
    assert!(both.visits[0].cases.len() == 2 && both.visits[0].cases.contains(&unlinked));

    // One that the list has no room for is named by its number.
    let third = super::api::create(&world.here, sample(agreement, 2)).await.unwrap();
    for (case, number, word) in [
        ("", "LD-371500-2026-999999", "没有这个编号的案件"),
        ("-", &*third.number, "已在列表中选择"),
    ] {
        let refused = link(case, number).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
        let (_, told) = refused.text.rsplit_once("-case_number-wrong\">").unwrap();
        assert!(told.starts_with(word), "{told}");
    }
    let spaced = format!(" {} ", third.number);
    assert_eq!(link("", &spaced).await.status, StatusCode::SEE_OTHER);
    let all = get(&world.here, &plan.name).await.unwrap();
    assert!(all.visits[0].cases.contains(&third.name), "{:?}", all.visits[0].cases);
}
