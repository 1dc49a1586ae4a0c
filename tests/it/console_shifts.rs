//! Units that come on part of the days of a joint action, by the console's pages.

use http::StatusCode;
use liandong::domain::{HalfDay, Language, Period};
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use liandong::wire::unit::{half_day_to_pb, period_to_pb};

use super::api::{HERE, fresh};
use super::console::{Browser, FROM_HERE};
use super::plans::{
    confirm, create, draft, get, half_days, page_of, seen, site, step, world_set_up,
};

fn in_words(at: HalfDay) -> String {
    Period::half_day(at).text(Language::Zh)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_who_is_busy_on_a_morning_is_sent_in_the_afternoon() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let (agreement, here, officers) = (&world.agreements[0], &world.here, &world.officers);
    let [morning, afternoon] = half_days();
    let block = pb::BlockUnitRequest {
        name: officers[0].clone(),
        periods: vec![period_to_pb(Period::half_day(morning))],
        request_id: fresh(),
        acting_for: None,
    };
    here.units().block_unit(block).await.unwrap();
    let at = site(here, agreement, 0, 371_522).await;
    let plan = create(here, agreement, draft(std::slice::from_ref(&at))).await.unwrap();
    let browser = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let path = page_of(&plan);
    let page = browser.get(&path).await.text;
    // It may be ticked, and it is said when it can come.
    let (_, choice) = page.split_once(&format!(r#"name="sent" value="{}""#, officers[0])).unwrap();
    let choice = choice.split("</label>").next().unwrap();
    assert!(!choice.contains("disabled"), "{choice}");
    assert!(choice.contains(&format!("只可参加 {}", in_words(afternoon))), "{choice}");

    let send = async |act: &str, sent: &[String], shifts: &str| {
        let now = get(here, &plan.name).await.unwrap();
        let id = fresh();
        let mut fields = vec![
            ("kind", "3"),
            ("revision", plan.revision_entry.as_str()),
            ("etag", &now.etag),
            ("shifts", shifts),
            ("request_id", &id),
        ];
        fields.extend(sent.iter().map(|one| ("sent", one.as_str())));
        browser.post(&format!("{path}/{act}"), &[FROM_HERE], &fields).await
    };
    let sent = |plan: &pb::Plan| {
        let own = plan.answers.iter().find(|one| one.city == HERE).unwrap();
        own.sent.clone().unwrap().units
    };
    let comes = |units: &[pb::UnitDraft], officer: &String| {
        let one = units.iter().find(|one| one.unit == *officer).unwrap();
        (one.first, one.last)
    };
    // All along it is refused; so is a line that is about nobody who is ticked, and nothing is sent.
    for (shifts, says) in [
        ("", "DOUBLE_BOOKED".to_owned()),
        ("37150099009 2026-12-08", "“37150099009”未在派出力量中勾选".to_owned()),
        ("37150099001 下午", "“37150099001 下午”应为证号或牌号".to_owned()),
    ] {
        let refused = send("answer", &officers[..3], shifts).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains(&says), "{says}: {}", refused.text);
        assert!(refused.text.contains(&format!(">{shifts}</textarea>")), "what was typed is kept");
        assert!(get(here, &plan.name).await.unwrap().answers.is_empty());
    }
    let line = format!("37150099001 {}", in_words(afternoon));
    assert_eq!(send("answer", &officers[..3], &line).await.status, StatusCode::SEE_OTHER);
    let half = |at| Some(half_day_to_pb(at));
    let now = get(here, &plan.name).await.unwrap();
    assert_eq!(comes(&sent(&now), &officers[0]), (half(afternoon), half(afternoon)));
    assert_eq!(comes(&sent(&now), &officers[1]), (None, None));

    // Once it is settled others are sent: what stands there is in the field, and what is taken out
    // of it holds no more.
    let there = seen(&world.there, &plan.name, |_| true).await;
    confirm(&world.there, &there, &world.guests[..1]).await.unwrap();
    let all = seen(here, &plan.name, |plan| plan.answers.len() == 2).await;
    step(here, &all, pb::PlanStep::Schedule, "").await.unwrap();
    let page = browser.get(&path).await.text;
    let (_, swap) = page.split_once("id=\"act-swap\"").unwrap();
    assert!(swap.contains(&format!(">{line}</textarea>")), "{swap}");
    let refused = send("swap", &officers[..3], "").await;
    assert!(refused.text.contains("DOUBLE_BOOKED"), "{}", refused.text);
    let lines = format!("{line}\r\n37150099004 {morning}");
    let team = [officers[0].clone(), officers[1].clone(), officers[3].clone()];
    assert_eq!(send("swap", &team, &lines).await.status, StatusCode::SEE_OTHER);
    let now = sent(&get(here, &plan.name).await.unwrap());
    assert_eq!(comes(&now, &officers[0]), (half(afternoon), half(afternoon)));
    assert_eq!(comes(&now, &officers[3]), (half(morning), half(morning)));
}
