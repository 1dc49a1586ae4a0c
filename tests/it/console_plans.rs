//! Joint actions by the console's pages: calendars, draws, planning from the map, revisions.

use http::StatusCode;
use liandong::limits::CONSOLE_FORM_BYTES_MAX;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use liandong::wire::unit::half_day_to_pb;

use super::api::{HERE, THERE, fresh, sample};
use super::console::{Browser, FROM_HERE, Page};
use super::console_drafts::hidden;
use super::plans::{
    World, answer, answering, confirm, create, day, draft, get, half_days, officer, page_of, seen,
    site, site_of, step, today, world_set_up,
};

async fn world() -> World {
    world_set_up(&["聊邯"], |_| {}).await
}

fn id_of(agreement: &str) -> &str {
    agreement.trim_start_matches("agreements/")
}

/// What stands between two marks of a page, the first time.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from} in {text}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to} after {from}")).0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_shows_what_every_city_has_free_and_what_it_only_holds() {
    let world = world().await;
    let plan = create(&world.here, &world.agreements[0], draft(&[])).await.unwrap();
    let there = seen(&world.there, &plan.name, |_| true).await;
    let unit = pb::UnitDraft { unit: world.guests[0].clone(), ..Default::default() };
    let tentative = pb::AnswerPlanRequest {
        hold_until: day(today().plus_days(1).unwrap()),
        sent: Some(pb::SentDraft { units: vec![unit], recusals: Vec::new() }),
        ..answering(&there, pb::PlanAnswerKind::Tentative, "")
    };
    answer(&world.there, tentative).await.unwrap();
    seen(&world.here, &plan.name, |plan| !plan.answers.is_empty()).await;
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let page = super::nodes::until("the units of both are counted", || async {
        let page = here.get("/plans/week").await;
        page.text.contains("预留 1").then_some(page)
    })
    .await;
    assert_eq!(page.status, StatusCode::OK);
    let morning = format!("scope=\"row\">{} ", today());
    let row = between(&page.text, &morning, "</tr>");
    for word in ["<em>聊邯交界涉水企业联合检查", "邯郸", "执法人员 4/4", "执法人员 1/2", "预留 1"]
    {
        assert!(row.contains(word), "{word}: {row}");
    }
    assert_eq!(
        page.text.matches("预留 1").count(),
        2,
        "of both half days of the plan and no other"
    );
    let refused = here.get("/plans/week?week=2026-02-30").await;
    assert!(refused.text.contains("不是日期，应如") && refused.text.contains("联合行动周历"));
    let month = here.get("/plans/month").await.text;
    assert!(month.contains("/plans/week?week=") && month.contains("<em>聊邯交界"), "{month}");
    // The same day by day, each city in one mark: one of two is held there, nothing is taken here.
    let cells: Vec<&str> = month.split("<td").filter(|cell| cell.contains("frees")).collect();
    let busy: Vec<&&str> = cells.iter().filter(|cell| !cell.contains("没有登记力量")).collect();
    assert!(cells.len() >= 28 && !busy.is_empty(), "{month}");
    let today: Vec<_> = busy.iter().filter(|cell| cell.contains("<em>聊邯交界")).collect();
    assert_eq!(today.len(), 1, "{month}");
    let marked = |mark: &str, word: &str| {
        format!(r#"<b aria-hidden="true">{mark}</b><span class="unseen"> {word}</span>"#)
    };
    let theirs = format!("邯郸{}", marked("◐", "部分空闲"));
    let ours = format!("聊城{}", marked("○", "空闲"));
    assert!(today[0].contains(&theirs) && today[0].contains(&ours), "{}", today[0]);
    let held = r#"<span class="tag">预<span class="unseen">留 </span>1</span>"#;
    assert_eq!(month.matches(held).count(), 1, "{month}");
    assert_eq!(month.matches("◐").count(), 1 + 1, "the day and what it means: {month}");
    // Whoever only reads sees the same.
    let auditor = Browser::open(&world.nodes, HERE, Role::Auditor).await;
    assert!(auditor.get("/plans/week").await.text.contains("预留 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_says_that_a_list_is_longer_and_keeps_what_is_ticked() {
    let world = world().await;
    let agreement = &world.agreements[0];
    let mut units = Vec::new();
    for nth in 0..200 {
        units.push(officer(&world.here, agreement, &format!("371500980{nth:03}"), 900).await);
    }
    let plan = create(&world.here, agreement, draft(&[])).await.unwrap();
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let at = page_of(&plan);
    let first = here.get(&at).await.text;
    assert!(first.contains("共 204 项，这里列出 200 项"), "{first}");
    let token = between(&first, r#"name="more-units" value=""#, "\"");
    // The oldest stand last; the newest is ticked and stays so on the next page.
    let (oldest, newest) = (&world.officers[0], &units[199]);
    assert!(first.contains(newest.as_str()) && !first.contains(oldest.as_str()));
    let turn = [("sent", newest.as_str()), ("text", "还差一人"), ("more-units", token)];
    let step = format!("{at}/answer/form");
    let second = here.post(&step, &[FROM_HERE], &turn).await.text;
    assert!(second.contains("还差一人</textarea>"), "{second}");
    assert!(second.contains("共 204 项，这里列出 5 项") && second.contains("回到开头"), "{second}");
    assert!(second.contains(&format!(r#"value="{newest}" checked"#)), "{second}");
    assert!(second.contains(&format!(r#"value="{oldest}">"#)), "{second}");
    assert!(second.contains(r#"id="act-answer" open"#) && !second.contains("操作未执行"));
    // What is refused there comes back with the same page of the list.
    let id = fresh();
    let wrong = [("sent", &**newest), ("kind", "4"), ("more-units", token), ("request_id", &id)];
    let wrong = here.post(&format!("{at}/answer"), &[FROM_HERE], &wrong).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains(&format!(r#"value="{oldest}">"#)), "{}", wrong.text);
    // A page that no list has is refused and not taken for the first; other forms have no step.
    let new = [("agreement", id_of(agreement)), ("more-sites", "zz")];
    let wrong = here.post("/plans/new/form", &[FROM_HERE], &new).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.text);
    let none = here.post(&format!("{at}/cancel/form"), &[FROM_HERE], &turn).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    let auditor = Browser::open(&world.nodes, HERE, Role::Auditor).await;
    let refused = auditor.post(&step, &[FROM_HERE], &turn).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text.contains("ROLE_NOT_ALLOWED"), "{}", refused.text);
    // An answer that holds units has a day until when: no day is not today.
    let held = [("revision", &*plan.revision_entry), ("kind", "2"), ("request_id", &id)];
    let held = here.post(&format!("{at}/answer"), &[FROM_HERE], &held).await;
    assert_eq!(held.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(held.text.contains(r#"id="answer-hold_until-wrong""#), "{}", held.text);
    assert_eq!(get(&world.here, &plan.name).await.unwrap().answers.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_come_is_marked_where_units_are_chosen() {
    let world = world().await;
    let agreement = &world.agreements[0];
    let blocked = &world.officers[2];
    let [morning, afternoon] = half_days().map(half_day_to_pb);
    let asked = pb::BlockUnitRequest {
        name: blocked.clone(),
        periods: vec![pb::Period { first: Some(morning), last: Some(afternoon) }],
        request_id: fresh(),
        acting_for: None,
    };
    world.here.units().block_unit(asked).await.unwrap();
    let expired = officer(&world.here, agreement, "37150099090", -1).await;
    let plan = create(&world.here, agreement, draft(&[])).await.unwrap();
    confirm(&world.here, &plan, &world.officers[..2]).await.unwrap();
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let mark = |page: &str, unit: &str| {
        let form = between(page, r#"id="act-answer""#, "</form>");
        between(form, &format!(r#"value="{unit}""#), "</label>").to_owned()
    };
    let page = here.get(&page_of(&plan)).await.text;
    let busy = mark(&page, blocked);
    assert!(busy.starts_with(" disabled>") && busy.contains("（届时已占用）"), "{busy}");
    let invalid = mark(&page, &expired);
    assert!(
        invalid.starts_with(" disabled>") && invalid.contains("（届时证件不在有效期内）"),
        "{invalid}"
    );
    // What the answer that counts sends is ticked.
    for (nth, is) in [(0, " checked>"), (1, " checked>"), (3, ">")] {
        let can = mark(&page, &world.officers[nth]);
        assert!(can.starts_with(is) && !can.contains("届时"), "held for this very plan: {can}");
    }
    // Whoever is sent to one plan is busy for another of these days, which says no more than that.
    let other = create(&world.here, agreement, draft(&[])).await.unwrap();
    let page = here.get(&page_of(&other)).await.text;
    let busy = mark(&page, &world.officers[0]);
    assert!(busy.starts_with(" disabled>") && busy.contains("（届时已占用）"), "{busy}");
    assert!(!busy.contains(&plan.number), "{busy}");
    // The mark says what sending it would meet; what is ticked all the same can be taken back.
    let kind = i32::from(pb::PlanAnswerKind::Confirm).to_string();
    let fields = [
        ("kind", &*kind),
        ("revision", &other.revision_entry),
        ("sent", blocked),
        ("request_id", &fresh()),
    ];
    let at = format!("{}/answer", page_of(&other));
    let refused = here.post(&at, &[FROM_HERE], &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("DOUBLE_BOOKED"), "{}", refused.text);
    assert!(refused.text.contains(r#"id="answer-sent-wrong""#), "{}", refused.text);
    let busy = mark(&refused.text, blocked);
    assert!(busy.starts_with(" checked>") && busy.contains("（届时已占用）"), "{busy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draw_is_shown_and_worked_out_again_by_its_page() {
    let world = world().await;
    let agreement = &world.agreements[0];
    let mut drawing = draft(&[]);
    for nth in 0..6 {
        site(&world.here, agreement, nth, 371_522).await;
    }
    drawing.kind = pb::PlanKind::CrossInspection.into();
    let weights = pb::TierWeights { key: 3, general: 1, special: 1 };
    drawing.draw = Some(pb::DrawDraft {
        sites: 2,
        host_officers: 2,
        weights: Some(weights),
        ..Default::default()
    });
    let plan = create(&world.here, agreement, drawing).await.unwrap();
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let there = Browser::open(&world.nodes, THERE, Role::Coordinator).await;
    let at = page_of(&plan);
    let open = here.get(&format!("{at}/draw")).await.text;
    assert!(
        open.contains("共 6 家，这里是第 1 至 6 家") && !open.contains("复核抽取结果"),
        "{open}"
    );
    // What is not drawn cannot be verified or downloaded, and nobody is left to guess.
    for path in [format!("{at}/draw?verify=1"), format!("{at}/draw.json")] {
        let early = here.get(&path).await;
        assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(early.text.contains("NOT_DRAWN") && early.text.contains("公开随机数后再复核"));
    }
    let auditor = Browser::open(&world.nodes, HERE, Role::Auditor).await;
    assert!(!auditor.get(&at).await.text.contains("act-commit"));
    // Both confirm and are bound; it is settled; both show their parts: all by the forms.
    confirm(&world.here, &plan, &world.officers).await.unwrap();
    let theirs = seen(&world.there, &plan.name, |_| true).await;
    confirm(&world.there, &theirs, &world.guests).await.unwrap();
    seen(&world.here, &plan.name, |plan| plan.answers.len() == 2).await;
    let revision = plan.revision_entry.as_str();
    let press = async |browser: &Browser, act: &str, etag: &str| {
        let fields = [("revision", revision), ("etag", etag), ("request_id", &fresh())];
        browser.post(&format!("{at}/{act}"), &[FROM_HERE], &fields).await
    };
    let refused = press(&auditor, "commit", "").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("ROLE_NOT_ALLOWED"), "{}", refused.text);
    for browser in [&here, &there] {
        assert_eq!(press(browser, "commit", "").await.status, StatusCode::SEE_OTHER);
    }
    let bound = |plan: &pb::Plan| plan.draw.as_ref().is_some_and(|one| one.committed.len() == 2);
    let etag = seen(&world.here, &plan.name, bound).await.etag;
    let settled = press(&here, "schedule", &etag).await;
    assert_eq!(settled.status, StatusCode::SEE_OTHER, "{}", settled.text);
    seen(&world.there, &plan.name, |plan| plan.state() == pb::PlanState::Scheduled).await;
    for browser in [&here, &there] {
        assert_eq!(press(browser, "reveal", "").await.status, StatusCode::SEE_OTHER);
    }
    let drawn = |plan: &pb::Plan| plan.draw.as_ref().is_some_and(|one| !one.seed.is_empty());
    let plan = seen(&world.here, &plan.name, drawn).await;
    let draw = plan.draw.as_ref().unwrap();
    // Whoever only reads may work it out, too.
    let page = auditor.get(&format!("{at}/draw?verify=1")).await.text;
    assert!(page.contains("8 项复核全部通过") && !page.contains('✗'), "{page}");
    assert!(page.contains("邯郸公开的随机数与其承诺相符"), "{page}");
    assert!(page.contains(&draw.seed) && page.contains("复核抽取结果"));
    for one in &draw.commitments {
        assert!(page.contains(&one.commitment));
    }
    for one in &draw.reveals {
        assert!(page.contains(&one.random));
    }
    assert_eq!(plan.visits.iter().map(|one| one.lead.len()).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(page.matches("3715009900").count(), 4 + 1, "two teams, and who looks: {page}");
    assert_eq!(page.matches("<strong>抽中</strong>").count(), 2, "in the list: {page}");
    // The file is that of the command line: two programs come to the same.
    let file = auditor.get(&format!("{at}/draw.json")).await;
    assert_eq!(file.status, StatusCode::OK);
    assert!(file.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let file: serde_json::Value = serde_json::from_str(&file.text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(super::draws::judged(folder.path(), &file), Ok(()), "{file:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_joint_action_is_planned_from_what_is_ticked_on_the_map() {
    let world = world().await;
    let agreement = &world.agreements[0];
    let near = site(&world.here, agreement, 0, 371_522).await;
    let mut request = sample(agreement, 0);
    let location = request.record.as_mut().unwrap().location.as_mut().unwrap();
    (location.longitude, location.latitude) = ("115.68".to_owned(), "36.24".to_owned());
    let case = super::api::create(&world.here, request).await.unwrap();
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let plain = here.get("/map?shown=1&what=cases&what=sites").await.text;
    assert!(plain.contains("选择案件和检查对象") && !plain.contains("name=\"pick\""), "{plain}");
    let at = "/map?choose=1&shown=1&what=cases&what=sites";
    let choosing = here.get(at).await.text;
    for name in [&case.name, &near] {
        assert!(choosing.contains(&format!(r#"name="pick" value="{name}""#)), "{choosing}");
    }
    assert!(choosing.contains("在此发起联合行动") && !choosing.contains(" checked> "));
    // What is ticked stays so, in the picture and out of it.
    let ticked = format!(r#"value="{}" aria-label="{}" checked"#, case.name, case.number);
    let kept = here.get(&format!("{at}&pick={}", case.name)).await.text;
    assert!(kept.contains(&ticked) && !kept.contains("已选，不在图上"), "{kept}");
    let away = here.get(&format!("{at}&pick={}&zoom=64&x=114&y=36", case.name)).await.text;
    assert!(away.contains(&ticked) && away.contains("已选，不在图上"), "{away}");
    // From it follow the cities, the sites near it and a word of the case.
    let planned = here.get(&format!("/map/plan?pick={}", case.name)).await;
    assert_eq!(planned.status, StatusCode::OK, "{}", planned.text);
    for part in [
        format!(r#"name="site" value="{near}" checked"#),
        format!("涉及案件：{}", case.number),
        "1 起案件、0 个检查对象".to_owned(),
        "另有 1 个检查对象".to_owned(),
        "查找各市都能参加的时间".to_owned(),
    ] {
        assert!(planned.text.contains(&part), "{part}: {}", planned.text);
    }
    // Nothing ticked, too much, what is not there.
    let many: Vec<String> = (0..51).map(|nth| format!("pick={}{nth}", case.name)).collect();
    for (query, why) in
        [("choose=1", "还没有勾选"), (&*many.join("&"), "一次最多 50 项"), ("pick=x", "操作未执行")]
    {
        let refused = here.get(&format!("/map/plan?{query}")).await;
        assert_ne!(refused.status, StatusCode::OK);
        assert!(refused.text.contains(why), "{why}: {}", refused.text);
    }
    // Whoever only reads is offered nothing and refused.
    let auditor = Browser::open(&world.nodes, HERE, Role::Auditor).await;
    let page = auditor.get(at).await.text;
    assert!(!page.contains("name=\"pick\"") && !page.contains("map-choose"), "{page}");
    let page = auditor.get(&format!("/map/plan?pick={}", case.name)).await.text;
    assert!(page.contains("您的身份只能查看") && !page.contains("<textarea"), "{page}");
    let fields = [("agreement", id_of(agreement)), ("first", "2026-12-08"), ("last", "2026-12-08")];
    let refused = auditor.post("/plans/new", &[FROM_HERE], &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("ROLE_NOT_ALLOWED"), "{}", refused.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steps_of_a_proposal_keep_what_is_typed_and_put_none_of_it_into_an_address() {
    let world = world().await;
    let agreement = &world.agreements[0];
    let near = site(&world.here, agreement, 0, 371_522).await;
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    // An address fills in what things are called here, and nothing that somebody wrote.
    let id = id_of(agreement);
    let texts = "title=%E5%86%99%E5%A5%BD%E7%9A%84&text=%E5%86%99%E5%A5%BD%E7%9A%84";
    let linked = format!("/plans/new?agreement={id}&city={THERE}&site={near}&{texts}");
    let linked = here.get(&linked).await.text;
    assert!(linked.contains(&format!(r#"value="{near}" checked"#)), "{linked}");
    assert!(linked.contains(&format!(r#"value="{THERE}" checked"#)) && !linked.contains("写好的"));
    assert!(linked.contains(r#"<form id="new" method="post" action="/plans/new/form#new">"#));
    assert!(!linked.contains("formmethod") && !linked.contains("data-typed"), "{linked}");
    // Longer than any address may be, and kept.
    let (long, own, other) = ("长".repeat(3_900), HERE.to_string(), THERE.to_string());
    let (hosts, guests) = (format!("officers-{HERE}"), format!("officers-{THERE}"));
    let typed = [
        ("agreement", id),
        ("begun", "1"),
        ("city", &*own),
        (&*hosts, "2"),
        ("city", &*other),
        (&*guests, "1"),
        ("site", &*near),
        ("title", "聊邯交界联合检查"),
        ("text", &*long),
        ("route", &*long),
        ("request_id", "of-this-form"),
    ];
    let step = async |browser: &Browser, more: &[(&str, &str)]| {
        let fields: Vec<_> = typed.iter().chain(more).copied().collect();
        browser.post("/plans/new/form", &[FROM_HERE], &fields).await
    };
    let kept = |page: &str| {
        for part in [&*long, "聊邯交界联合检查", r#"value="of-this-form""#, "data-typed"] {
            assert!(page.contains(part), "{}", &page[..2_000]);
        }
        assert_eq!(page.matches(long.as_str()).count(), 2);
        assert!(page.contains(&format!(r#"value="{near}" checked"#)));
    };
    let found = step(&here, &[("look", "1")]).await;
    assert_eq!(found.status, StatusCode::OK);
    kept(&found.text);
    assert!(found.text.contains("各市都能参加的时间（点选填入）"), "{}", found.text);
    let slot = between(&found.text, r#"name="slot" value=""#, "\"");
    let chosen = step(&here, &[("slot", slot)]).await.text;
    kept(&chosen);
    let day = slot.split(' ').next().unwrap();
    assert!(chosen.contains(&format!(r#"name="first" value="{day}""#)), "{slot}: {chosen}");
    assert!(chosen.contains("已填入所选时间") && !chosen.contains("点选填入"));
    let wrong = step(&here, &[("slot", "2026-02-30")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    kept(&wrong.text);
    assert!(wrong.text.contains("请重新查找时间") && wrong.text.contains("new-first-wrong"));
    // Whoever unticked all cities finds them unticked.
    let none = [("agreement", id), ("begun", "1"), ("look", "1")];
    let none = here.post("/plans/new/form", &[FROM_HERE], &none).await.text;
    let is_on = |city: &str| none.contains(&format!(r#"name="city" value="{city}" checked"#));
    assert!(!is_on(&own) && !is_on(&other) && none.contains("操作未执行"), "{none}");
    // From elsewhere, by whoever only reads, too long, by its address; and nothing was written.
    let auditor = Browser::open(&world.nodes, HERE, Role::Auditor).await;
    let refused = step(&auditor, &[("look", "1")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text.contains("ROLE_NOT_ALLOWED"), "{}", refused.text);
    let other_site = [("sec-fetch-site", "cross-site")];
    let elsewhere = here.post("/plans/new/form", &other_site, &typed).await;
    assert_eq!(elsewhere.status, StatusCode::FORBIDDEN);
    let much = "长".repeat(CONSOLE_FORM_BYTES_MAX / 9 + 1);
    assert_eq!(step(&here, &[("safety", &much)]).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(here.get("/plans/new/form").await.leads_to(), "/plans/new");
    assert!(here.get("/plans").await.text.contains("没有"), "nothing was proposed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_revised_and_amended_and_others_are_sent_by_its_pages() {
    let world = world().await;
    let agreement = &world.agreements[0];
    let (first, second) = (
        site(&world.here, agreement, 0, 371_522).await,
        site(&world.here, agreement, 0, 371_522).await,
    );
    let plan = create(&world.here, agreement, draft(std::slice::from_ref(&first))).await.unwrap();
    let at = page_of(&plan);
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let there = Browser::open(&world.nodes, THERE, Role::Coordinator).await;
    let auditor = Browser::open(&world.nodes, HERE, Role::Auditor).await;
    confirm(&world.here, &plan, &world.officers[..2]).await.unwrap();
    let theirs = seen(&world.there, &plan.name, |_| true).await;
    confirm(&world.there, &theirs, &world.guests[..1]).await.unwrap();
    let plan = seen(&world.here, &plan.name, |plan| plan.answers.len() == 2).await;

    // Texts: what was confirmed stays so.
    let page = here.get(&at).await.text;
    assert!(page.contains("act-amend") && !page.contains("act-swap") && page.contains("/revise"));
    let texts = [("etag", &*plan.etag), ("title", "聊邯交界联合检查"), ("request_id", &fresh())];
    let amended = here.post(&format!("{at}/amend"), &[FROM_HERE], &texts).await;
    assert_eq!(amended.status, StatusCode::SEE_OTHER, "{}", amended.text);
    let plan = seen(&world.here, &plan.name, |one| one.etag != plan.etag).await;
    assert_eq!((plan.answers.len(), plan.record.as_ref().unwrap().title.as_str()), (2, texts[1].1));
    let id = fresh();
    let again = [texts[0], texts[1], ("request_id", id.as_str())];
    let stale = here.post(&format!("{at}/amend"), &[FROM_HERE], &again).await;
    assert!(stale.text.contains("STALE_ETAG"), "{}", stale.text);

    // Others are sent, all of them named.
    let sent = |units: &[String], revision: &str| {
        let mut fields = vec![("revision".to_owned(), revision.to_owned())];
        fields.push(("request_id".to_owned(), fresh()));
        fields.extend(units.iter().map(|unit| ("sent".to_owned(), unit.clone())));
        fields
    };
    let press = async |act: &str, fields: &[(String, String)], browser: &Browser| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (&**k, &**v)).collect();
        browser.post(&format!("{at}/{act}"), &[FROM_HERE], &fields).await
    };
    let others = &world.officers[2..];
    let early = press("swap", &sent(others, &plan.revision_entry), &here).await;
    assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(early.text.contains("CONFIRM_ANEW") && early.text.contains("id=\"act-swap\" open"));
    let plan = step(&world.here, &plan, pb::PlanStep::Schedule, "").await.unwrap();
    let swapped = press("swap", &sent(others, &plan.revision_entry), &here).await;
    assert_eq!(swapped.status, StatusCode::SEE_OTHER, "{}", swapped.text);
    let page = here.get(&at).await.text;
    for unit in &world.officers {
        let on = page.contains(&format!(r#"value="{unit}" checked"#));
        assert_eq!(on, others.contains(unit), "{unit}");
    }

    // Another revision: filled in by the plan, with another site.
    let form = here.get(&format!("{at}/revise")).await.text;
    for part in [
        format!(r#"value="{first}" checked"#),
        "聊邯交界联合检查".to_owned(),
        "修订后原确认失效".to_owned(),
        format!(r#"name="etag" value="{}""#, plan.etag),
    ] {
        assert!(form.contains(&part), "{part}: {form}");
    }
    assert!(!form.contains(&format!(r#"value="{second}" checked"#)));
    let day = today().to_string();
    let fields = |etag: &str, first_day: &str| -> Vec<(String, String)> {
        let kind = plan.kind.to_string();
        let (own, other) = (HERE.to_string(), THERE.to_string());
        let fields: [(&str, &str); 14] = [
            ("etag", etag),
            ("request_id", &fresh()),
            ("kind", &kind),
            ("title", "聊邯交界联合检查"),
            ("city", &own),
            ("officers-371500", "3"),
            ("city", &other),
            ("officers-130400", "1"),
            ("first", first_day),
            ("first_half", "AM"),
            ("last", &day),
            ("last_half", "PM"),
            ("overtime", "1"),
            ("site", &second),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    };
    let mut turned = fields(&plan.etag, &day);
    turned.push(("look".to_owned(), "1".to_owned()));
    let look = press("revise/form", &turned, &here).await;
    assert_eq!(look.status, StatusCode::OK);
    for part in [format!(r#"value="{second}" checked"#), "聊邯交界联合检查".to_owned()] {
        assert!(look.text.contains(&part), "{part}: {}", look.text);
    }
    // What the plan has booked does not stand in its own way; it would in that of another one.
    let slot = |page: &str| between(page, r#"name="slot" value=""#, "\"").to_owned();
    assert!(form.contains("为本方案另找时间") && look.text.contains("为本方案另找时间"));
    assert!(slot(&look.text).starts_with(&day), "{}", look.text);
    let mut other = turned.clone();
    let id = agreement.trim_start_matches("agreements/").to_owned();
    other.push(("agreement".to_owned(), id));
    let other: Vec<(&str, &str)> = other.iter().map(|(k, v)| (&**k, &**v)).collect();
    let other = here.post("/plans/new/form", &[FROM_HERE], &other).await;
    assert!(!slot(&other.text).starts_with(&day), "{}", other.text);
    assert_eq!(press("revise/form", &turned, &auditor).await.status, StatusCode::FORBIDDEN);
    let wrong = press("revise", &fields(&plan.etag, "2026-02-30"), &here).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("请填写日期") && wrong.text.contains("new-first-wrong"));
    for (browser, why) in [(&auditor, "ROLE_NOT_ALLOWED"), (&there, "NOT_INITIATOR")] {
        let page = browser.get(&format!("{at}/revise")).await.text;
        assert!(page.contains("只有发起市") && !page.contains("<textarea"), "{page}");
        let refused = press("revise", &fields(&plan.etag, &day), browser).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains(why), "{why}: {}", refused.text);
    }
    assert!(!auditor.get(&at).await.text.contains("<textarea"), "no form for an auditor");
    let revised = press("revise", &fields(&plan.etag, &day), &here).await;
    assert_eq!(revised.status, StatusCode::SEE_OTHER, "{}", revised.text);
    let stale = press("revise", &fields(&plan.etag, &day), &here).await;
    assert!(stale.text.contains("STALE_ETAG"), "{}", stale.text);
    // Both cities see what is not as it was.
    seen(&world.there, &plan.name, |plan| plan.revision == 2).await;
    for browser in [&here, &there] {
        let page = browser.get(&at).await.text;
        let changed = between(&page, "较上一版的变化", "</section>");
        for part in [
            "聊邯交界涉水企业联合检查 → 聊邯交界联合检查",
            "增加的检查",
            "取消的检查",
            "执法人员 2 → 聊城：执法人员 3",
        ] {
            assert!(changed.contains(part), "{part}: {changed}");
        }
        assert!(!changed.contains("时间："), "{changed}");
    }
}

/// What a form of a plan sends: what the page gave along, and what is typed.
fn sent_from(page: &Page, typed: &[(&str, &str)]) -> Vec<(String, String)> {
    let basis = ["etag", "revision", "seen"].map(|name| (name, between_or_none(page, name)));
    let basis = basis.into_iter().filter(|(_, value)| !value.is_empty());
    let mut fields: Vec<(String, String)> =
        basis.map(|(name, value)| (name.to_owned(), value)).collect();
    fields.push(("request_id".to_owned(), fresh()));
    fields.extend(typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    fields
}

fn between_or_none(page: &Page, name: &str) -> String {
    let is_there = page.text.contains(&format!(r#"name="{name}" value=""#));
    if is_there { hidden(page, name) } else { String::new() }
}

async fn press(browser: &Browser, at: &str, fields: &[(String, String)]) -> Page {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (&**k, &**v)).collect();
    browser.post(at, &[FROM_HERE], &fields).await
}

/// Role and number of whoever looks at a page, as its head has them.
fn who_looks(page: &Page) -> &str {
    between(&page.text, r#"<div class="person"><span>"#, "</span>")
}

fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// Fields as the page of a revision sends them.
fn revision<'a>(own: &'a str, other: &'a str, day: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("kind", "1"),
        ("city", own),
        ("officers-371500", "2"),
        ("city", other),
        ("officers-130400", "1"),
        ("first", day),
        ("first_half", "AM"),
        ("last", day),
        ("last_half", "PM"),
        ("overtime", "1"),
        ("meeting_place", "示例镇政府门前"),
    ]
}

/// What has no field on the page is looked for all the same.
#[tokio::test(flavor = "multi_thread")]
async fn other_days_for_a_plan_are_those_on_which_all_that_it_needs_can_come() {
    let world = world().await;
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let look = async |asked: pb::PlanDraft| {
        let plan = create(&world.here, &world.agreements[0], asked).await.unwrap();
        let at = format!("{}/revise/form", page_of(&plan));
        let day = today().to_string();
        let (own, other) = (HERE.to_string(), THERE.to_string());
        let fields = [
            ("city", &*own),
            ("city", &*other),
            ("first", &*day),
            ("last", &*day),
            ("overtime", "1"),
            ("look", "1"),
        ];
        here.post(&at, &[FROM_HERE], &fields).await.text
    };
    assert!(look(draft(&[])).await.contains(r#"name="slot""#));
    let mut asked = draft(&[]);
    let (kind, department) = (pb::UnitKind::Officer.into(), pb::Department::Water.into());
    asked.cities[0].needs.push(pb::UnitNeed { kind, count: 1, department });
    let found = look(asked).await;
    assert!(found.contains("三个月内没有") && !found.contains(r#"name="slot""#), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_revises_from_an_old_page_sees_what_a_colleague_wrote_before_it_is_replaced() {
    let world = world().await;
    let agreement = &world.agreements[0];
    let named = async |name: &str| site_of(&world.here, agreement, (name, 0), 371_522).await;
    let (first, second) = (named("甲镇纸业有限公司").await, named("乙镇化工有限公司").await);
    let plan = create(&world.here, agreement, draft(std::slice::from_ref(&first))).await.unwrap();
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let colleague = Browser::open(&world.nodes, HERE, Role::Inspector).await;
    let (at, day) = (page_of(&plan), today().to_string());
    let revise = format!("{at}/revise");
    let (own, other) = (HERE.to_string(), THERE.to_string());
    let with = |more: &[(&'static str, &str)]| -> Vec<(String, String)> {
        let all = revision(&own, &other, &day);
        let all = all.iter().chain(more.iter());
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let from =
        |page: &Page, more: &[(&'static str, &str)]| [sent_from(page, &[]), with(more)].concat();
    let mine = here.get(&revise).await;
    let theirs = colleague.get(&revise).await;
    let name = who_looks(&theirs).to_owned();
    // The colleague is faster: another site, a route, somebody to call.
    let title = ("title", "聊邯交界涉水企业联合检查");
    let added = [("site", &*first), ("site", &*second), title, ("route", "走北线")];
    let added = [&added[..], &[("contacts", "李四 0635-1234567")]].concat();
    let done = press(&colleague, &revise, &from(&theirs, &added)).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    // An old page: what was typed is there, and both versions of whatever differs.
    let typed = [("site", &*first), title, ("text", "先查排口\n再查台账"), ("route", "走南线")];
    let stale = press(&here, &revise, &from(&mine, &typed)).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    let both = between(&stale.text, "其间已有变化", "<form id=\"new\"");
    let moved = format!("聊城 {name} 于 ");
    let seen = ["第 1 版，征求意见", "第 2 版，征求意见", "修订方案", moved.as_str()];
    assert_has(both, &seen);
    let table = between(both, "两个版本的不同之处", "</table>");
    assert_has(
        table,
        &[
            "<th scope=\"row\">路线</th><td class=\"told\">走北线</td><td class=\"told\">走南线</td>",
            "联系人</th><td class=\"told\">李四 0635-1234567</td><td class=\"told\">（无）</td>",
            "工作安排</th><td class=\"told\">（无）</td><td class=\"told\">先查排口\n再查台账</td>",
            "取消的检查</th><td class=\"told\">乙镇化工有限公司 ",
        ],
    );
    assert!(!table.contains("集合地点") && !table.contains("甲镇"), "as it was: {table}");
    assert_has(both, &["将取消对以下对象的检查：乙镇化工有限公司。要保留的"]);
    let form = between(&stale.text, "<form id=\"new\"", "</form>");
    assert_has(form, &["走南线</textarea>", "先查排口\n再查台账</textarea>"]);
    assert_eq!(get(&world.here, &plan.name).await.unwrap().revision, 2, "nothing is done");
    let now = get(&world.here, &plan.name).await.unwrap();
    assert_eq!(hidden(&stale, "etag"), now.etag, "with what it says beside it");
    // Seen, and sent on purpose.
    let kept = [("site", &*first), ("site", &*second), title, ("route", "走南线")];
    let done = press(&here, &revise, &from(&stale, &kept)).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    let now = get(&world.here, &plan.name).await.unwrap();
    assert_eq!((now.revision, now.visits.len()), (3, 2));

    // Texts alone, on the page of the plan.
    let (mine, theirs) = (here.get(&at).await, colleague.get(&at).await);
    let amend = format!("{at}/amend");
    let texts = [title, ("safety", "防滑防溺水")];
    let done = press(&colleague, &amend, &sent_from(&theirs, &texts)).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    let texts = [title, ("safety", "注意交通")];
    let stale = press(&here, &amend, &sent_from(&mine, &texts)).await;
    let both = between(&stale.text, "其间已有变化", "</table>");
    let row = "安全事项</th><td class=\"told\">防滑防溺水</td><td class=\"told\">注意交通</td>";
    assert_has(both, &[moved.as_str(), "补正方案", row]);
    // A plan that was cancelled meanwhile is not revised: what was typed is not lost.
    let mine = here.get(&revise).await;
    let now = get(&world.here, &plan.name).await.unwrap();
    step(&world.here, &now, pb::PlanStep::Cancel, "暴雨").await.unwrap();
    let late = press(&here, &revise, &from(&mine, &typed)).await;
    assert_has(&late.text, &["取消方案", "只有发起市", "先查排口\n再查台账"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_an_old_revision_sees_what_the_new_one_says_otherwise() {
    let world = world().await;
    let agreement = &world.agreements[0];
    let site = site_of(&world.here, agreement, ("丙镇印染有限公司", 0), 371_522).await;
    let plan = create(&world.here, agreement, draft(std::slice::from_ref(&site))).await.unwrap();
    seen(&world.there, &plan.name, |_| true).await;
    let there = Browser::open(&world.nodes, THERE, Role::Coordinator).await;
    let at = page_of(&plan);
    let old = there.get(&at).await;
    let mut record = plan.record.clone().unwrap();
    record.route = "改走东线".to_owned();
    let revised = pb::RevisePlanRequest {
        name: plan.name.clone(),
        etag: plan.etag.clone(),
        draft: Some(pb::PlanDraft { record: Some(record), ..draft(std::slice::from_ref(&site)) }),
        request_id: fresh(),
        ..Default::default()
    };
    world.here.plans().revise_plan(revised).await.unwrap();
    seen(&world.there, &plan.name, |plan| plan.revision == 2).await;
    let said = [("kind", "4"), ("text", "请改到下午")];
    let stale = press(&there, &format!("{at}/answer"), &sent_from(&old, &said)).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    let both = between(&stale.text, "其间已有变化", "</table>");
    let row = "路线</th><td class=\"told\">（无）</td><td class=\"told\">改走东线</td>";
    assert_has(both, &["聊城 联络员", "修订方案", "第 1 版", "第 2 版", "您填写时的版本", row]);
    assert_has(&stale.text, &["OLD_REVISION", "请改到下午</textarea>"]);
    let now = seen(&world.there, &plan.name, |_| true).await;
    assert_eq!(hidden(&stale, "revision"), now.revision_entry);
}

/// That a proposal was refused in Chinese at a field, and that no page says how programs call it.
fn assert_refused_at(page: &Page, field: &str) {
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {}", page.text);
    let why = between(&page.text, &format!(r#"<p class="wrong" id="new-{field}-wrong">"#), "</p>");
    let marked = format!(r#"aria-describedby="new-{field}-wrong""#);
    assert!(page.text.contains(&marked), "{field}: {}", page.text);
    let box_ = between(&page.text, r#"<div class="refused" role="alert">"#, "</div>");
    for text in [why, box_] {
        let words: String = text.split('<').map(|part| part.rsplit('>').next().unwrap()).collect();
        let is_raw = words.chars().any(|one| one.is_ascii_lowercase());
        assert!(!is_raw && !why.is_empty(), "{field}: {words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_is_refused_at_the_field_that_is_wrong() {
    let world = world().await;
    let agreement = &world.agreements[0];
    let near = site(&world.here, agreement, 0, 371_522).await;
    let plan = create(&world.here, agreement, draft(std::slice::from_ref(&near))).await.unwrap();
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let (own, other, day) = (HERE.to_string(), THERE.to_string(), today().to_string());
    let late = today().plus_days(40).unwrap().to_string();
    let astray = format!("{}AM", today().plus_days(3).unwrap());
    let good = revision(&own, &other, &day);
    let good = [&good[..], &[("title", "联合检查"), ("site", &*near)]].concat();
    let id = id_of(agreement);
    let saved = [("agreement", id), ("title", "草稿"), ("request_id", "of-the-draft")];
    let saved = here.post("/plans/new/draft", &[FROM_HERE], &saved).await;
    let saved = saved.leads_to().split('?').next().unwrap().to_owned();
    let revise = format!("{}/revise", page_of(&plan));
    for at in ["/plans/new", &*saved, &*revise] {
        let basis = match at {
            "/plans/new" => vec![("agreement".to_owned(), id.to_owned())],
            at => sent_from(&here.get(at).await, &[("agreement", id)]),
        };
        let ask = async |drop: &[&str], put: &[(&str, &str)]| {
            let mut fields = basis.clone();
            fields.retain(|(name, _)| name != "request_id");
            fields.push(("request_id".to_owned(), fresh()));
            let good = good.iter().filter(|(name, _)| !drop.contains(name));
            let all =
                good.chain(put).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            fields.extend(all);
            press(&here, at, &fields).await
        };
        assert_refused_at(&ask(&["kind"], &[]).await, "kind");
        assert_refused_at(&ask(&["city"], &[("city", &*own)]).await, "city");
        let many = [("officers-371500", "100")];
        assert_refused_at(&ask(&["officers-371500"], &many).await, "city");
        let none = [("officers-371500", "二")];
        assert_refused_at(&ask(&["officers-371500"], &none).await, "officers-371500");
        assert_refused_at(&ask(&["last"], &[("last", &*late)]).await, "first");
        assert_refused_at(&ask(&["site"], &[]).await, "site");
        let chosen = [("visit", &*near), ("at", &*astray), ("why", "0")];
        let refused = ask(&[], &chosen).await;
        assert_refused_at(&refused, &format!("at-{near}"));
        let kept = format!(r#"<option value="{astray}" selected>"#);
        assert!(refused.text.contains(&kept), "it waits to be changed: {}", refused.text);
        let draw = [("kind", "2"), ("draw_sites", "1"), ("draw_hosts", "1")];
        assert_refused_at(&ask(&["kind", "site"], &draw).await, "draw_sites");
        let long = "长".repeat(2_000);
        assert_refused_at(&ask(&["title"], &[("title", &*long)]).await, "title");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_map_leads_to_the_page_of_a_site_which_has_what_is_known_of_it() {
    let world = world().await;
    let agreement = &world.agreements[0];
    let at = site(&world.here, agreement, 0, 371_522).await;
    let exception = pb::VisitException::Unspecified;
    let check = super::sites::check(&at, pb::CheckMode::OnSite, exception);
    super::sites::record_check(&world.here, check).await.unwrap();
    let plan = create(&world.here, agreement, draft(std::slice::from_ref(&at))).await.unwrap();
    let mut request = sample(agreement, 0);
    request.record.as_mut().unwrap().party.as_mut().unwrap().uscc = "91371522YYYY90011A".into();
    let case = super::api::create(&world.here, request).await.unwrap();
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let mut names = at.split('/');
    let (of, id) = (names.nth(1).unwrap(), names.nth(1).unwrap());
    let page = format!("/site/{of}/{id}");
    let map = here.get("/map?shown=1&what=sites").await.text;
    assert!(map.contains(&format!("href=\"{page}\"")), "{map}");
    let shown = here.get(&page).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
    for part in [
        "91371522YYYY90011A",
        "莘县示例镇",
        "现场 1 次",
        "治污设施运行正常",
        &format!("href=\"{}\"", page_of(&plan)),
        &format!("href=\"{}\"", super::console::page_of(&case)),
    ] {
        assert!(shown.text.contains(part), "{part}: {}", shown.text);
    }
    // One that there is not, and one of an agreement that the own city is not in, are alike.
    for wrong in [format!("/site/{of}/{of}"), format!("/site/{id}/{id}")] {
        assert_eq!(here.get(&wrong).await.status, StatusCode::NOT_FOUND, "{wrong}");
    }
}
