//! Joint actions by the console's pages: calendars, draws, planning from the map, revisions.

use http::StatusCode;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;

use super::api::HERE;
use super::console::Browser;
use super::plans::{
    World, answer, answering, create, day, draft, officer, seen, today, world_set_up,
};

async fn world() -> World {
    world_set_up(&["聊邯"], |_| {}).await
}

/// The address of a plan's page.
fn page_of(plan: &pb::Plan) -> String {
    let mut parts = plan.name.split('/');
    format!("/plan/{}/{}", parts.nth(1).unwrap(), parts.nth(1).unwrap())
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
        page.text.contains("暂留 1").then_some(page)
    })
    .await;
    assert_eq!(page.status, StatusCode::OK);
    let morning = format!("scope=\"row\">{} ", today());
    let row = between(&page.text, &morning, "</tr>");
    for word in ["<em>聊邯交界涉水企业联合检查", "邯郸", "执法人员 4/4", "执法人员 1/2", "暂留 1"]
    {
        assert!(row.contains(word), "{word}: {row}");
    }
    assert_eq!(
        page.text.matches("暂留 1").count(),
        2,
        "of both half days of the plan and no other"
    );
    let refused = here.get("/plans/week?week=2026-02-30").await;
    assert!(refused.text.contains("不是日期，应如") && refused.text.contains("联合行动周历"));
    let month = here.get("/plans/month").await.text;
    assert!(month.contains("/plans/week?week=") && month.contains("<em>聊邯交界"), "{month}");
    // Whoever only reads sees the same.
    let auditor = Browser::open(&world.nodes, HERE, Role::Auditor).await;
    assert!(auditor.get("/plans/week").await.text.contains("暂留 1"));
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
    let second = here.get(&format!("{at}?sent={newest}&text=x&more-units={token}")).await.text;
    assert!(second.contains("共 204 项，这里列出 5 项") && second.contains("回到开头"), "{second}");
    assert!(second.contains(&format!(r#"value="{newest}" checked"#)), "{second}");
    assert!(second.contains(&format!(r#"value="{oldest}">"#)), "{second}");
    assert!(second.contains(r#"id="act-answer" open"#) && !second.contains("操作未执行"));
    // A page that no list has is refused and not taken for the first.
    let new = format!("/plans/new?agreement={}&more-sites=zz", id_of(agreement));
    let wrong = here.get(&new).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.text);
}
