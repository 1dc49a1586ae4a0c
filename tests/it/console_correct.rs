//! What a case says is corrected by page: who may, what is sent, and what an old page comes to.

use http::StatusCode;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;

use super::api::{HERE, Pair, THERE, create, fresh, get, history, sample, verify};
use super::console::{Browser, FROM_HERE, Page, page_of};
use super::console_walk::Form;

/// The form of a case's facts, as its page shows it.
async fn opened(browser: &Browser, at: &str) -> Form {
    let page = browser.get(&format!("{at}/correct")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.len() < 150 * 1024, "{}", page.text.len());
    Form::untouched(&page, "/correct")
}

fn is_refused(page: &Page, why: &str) {
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{why}: {}", page.text);
    assert!(page.text.contains(why), "{why}: {}", page.text);
}

/// What stands in the cells of a row of the table of versions.
fn row<'a>(page: &'a Page, label: &str) -> Vec<&'a str> {
    let mark = format!("<th scope=\"row\">{label}</th>");
    let (_, row) = page.text.split_once(&mark).unwrap_or_else(|| panic!("{label}: {}", page.text));
    let cells = row.split("</tr>").next().unwrap().split("<td class=\"told\">").skip(1);
    cells.map(|cell| cell.split("</td>").next().unwrap()).collect()
}

/// A case with something in nearly every field.
async fn rich(pair: &Pair) -> pb::Case {
    let mut opening = sample(&pair.agreement, 0);
    opening.facts.as_mut().unwrap().discover_time_ms += 7_123;
    let record = opening.record.as_mut().unwrap();
    record.law_choice = "从旧".to_owned();
    record.case_file_number = "聊环立〔2026〕1号".to_owned();
    record.summary = "第一行\n第二行".to_owned();
    record.penalty = Some(pb::Penalty {
        kinds: vec![pb::PenaltyKind::Warning.into(), pb::PenaltyKind::Fine.into()],
        fine_fen: 2_000_050,
        proposed: true,
        ..Default::default()
    });
    record.pollutants = vec![pb::Pollutant {
        code: "a21026".to_owned(),
        value: "80".to_owned(),
        unit: "mg/m3".to_owned(),
        limit: "50".to_owned(),
        statistic: pb::PollutantStatistic::HourAvg.into(),
        exceed_multiple: "0.6".to_owned(),
    }];
    create(&pair.here, opening).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_corrected_by_page_and_nothing_else_of_it_changes() {
    let pair = Pair::start().await;
    let case = rich(&pair).await;
    let at = page_of(&case);
    let here = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    assert!(here.get(&at).await.text.contains(&format!("href=\"{at}/correct\"")));
    let form = opened(&here, &at).await;
    is_refused(&form.send(&here).await, "没有改动任何内容");
    // Text, a choice, and boxes; sent twice, corrected once.
    let id = case.record.as_ref().unwrap().evidence[1].id.clone();
    let changed = form
        .clone()
        .with("record.party.name", "更正后的公司")
        .with("facts.medium", "1")
        .with("reviewed.legal", &id)
        .with("text", "名称有误");
    for _ in 0..2 {
        let done = changed.send(&here).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
        let page = here.get(done.leads_to()).await.text;
        for word in ["更正后的公司", "名称有误", "class=\"done\""] {
            assert!(page.contains(word), "{word}: {page}");
        }
    }
    assert_eq!(history(&pair.here, &case.name).await.len(), 2);
    let now = get(&pair.here, &case.name).await.unwrap();
    let mut want = case.record.clone().unwrap();
    want.party.as_mut().unwrap().name = "更正后的公司".to_owned();
    want.evidence[1].reviewed_legal = true;
    assert_eq!(now.record.as_ref(), Some(&want));
    let facts = pb::CaseFacts { medium: 1, ..case.facts.clone().unwrap() };
    assert_eq!(now.facts.as_ref(), Some(&facts), "to the millisecond, with its distances");
    let there = pair.held(&pair.there, &now).await;
    assert_eq!((there.record, there.facts), (now.record.clone(), now.facts.clone()));
    let theirs = Browser::open(&pair.nodes, THERE, Role::Coordinator).await;
    assert!(theirs.get(&at).await.text.contains("更正后的公司"));
    // Fields that are not there say nothing.
    let (etag, id) = (&*now.etag, fresh());
    let few = [("etag", etag), ("record.title", "只有案由"), ("request_id", &*id)];
    let done = here.post(&format!("{at}/correct"), &[FROM_HERE], &few).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    want.title = "只有案由".to_owned();
    assert_eq!(get(&pair.here, &case.name).await.unwrap().record, Some(want));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_correction_is_told_at_its_field_and_nothing_is_written() {
    let pair = Pair::start().await;
    let case = rich(&pair).await;
    let at = page_of(&case);
    let here = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    for (field, value, at_field) in [
        ("record.title", "", ""),
        ("facts.source", "", ""),
        ("facts.discover_time_ms", "昨天", ""),
        ("facts.occurred_from", "2025-02-30", ""),
        ("record.location.longitude", "三", ""),
        ("record.party.type", "", ""),
        ("record.party.uscc", "91130425YYYY000552", ""),
        // Behind rows that are empty.
        ("record.pollutants[2].value", "80", "record.pollutants[2].code"),
        ("record.officers[2].certificate_number", "x", ""),
        ("record.legal_bases[2].law", "并无此法", "record.legal_bases[2].article"),
        ("record.legal_bases[2].item", "x", ""),
        ("record.penalty.fine_fen", "二万", ""),
        ("record.penalty.fine_fen", "", ""),
        ("effective_on", "2026-13-01", ""),
    ] {
        let form = opened(&here, &at).await.with("record.title", "改").with("text", "照录");
        let form = form.with(field, value);
        let page = form.send(&here).await;
        is_refused(&page, "照录</textarea>");
        let at_field = if at_field.is_empty() { field } else { at_field };
        is_refused(&page, &format!("id=\"correct-{at_field}-wrong\""));
    }
    let grown = opened(&here, &at).await.with("record.title", "照录").with("more", "legal_bases");
    let page = grown.send(&here).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    for word in ["record.legal_bases[3].law", "value=\"照录\""] {
        assert!(page.text.contains(word), "{word}: {}", page.text);
    }
    // Who may not is not offered to, and is refused all the same.
    let form = opened(&here, &at).await.with("record.title", "改");
    pair.held(&pair.there, &case).await;
    for (city, role, why) in
        [(HERE, Role::Auditor, "ROLE_NOT_ALLOWED"), (THERE, Role::Coordinator, "NOT_YOUR_TURN")]
    {
        let browser = Browser::open(&pair.nodes, city, role).await;
        assert!(!browser.get(&at).await.text.contains(&format!("{at}/correct")), "{role:?}");
        let page = browser.get(&format!("{at}/correct")).await.text;
        assert!(!page.contains("id=\"correct\"") && page.contains("承办市的联络员"), "{page}");
        is_refused(&form.send(&browser).await, why);
    }
    assert_eq!(history(&pair.here, &case.name).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_page_shows_both_versions_and_takes_nothing_of_a_colleague_back() {
    let pair = Pair::start().await;
    let case = rich(&pair).await;
    let at = page_of(&case);
    let here = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let colleague = Browser::open(&pair.nodes, HERE, Role::Inspector).await;
    let ours = opened(&here, &at).await;
    let theirs = opened(&colleague, &at).await;
    let theirs = theirs
        .with("record.summary", "同事改的\r\n情况")
        .with("record.officers[0].unit", "执法二队")
        .with("record.officers[0].certificate_number", "37150099001")
        .with("record.party.name", "同事改的公司");
    let done = theirs.send(&colleague).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    let ours = ours.with("record.title", "我改的案由").with("record.party.name", "我改的公司");
    let stale = ours.send(&here).await;
    is_refused(&stale, "其间已有变化：");
    let moved = history(&pair.here, &case.name).await.pop().unwrap();
    assert!(!moved.acted_by.is_empty());
    let who = format!("聊城 执法人员 {} 于 ", moved.acted_by);
    assert!(stale.text.contains(&who), "{who}: {}", stale.text);
    let old = case.record.clone().unwrap();
    assert_eq!(row(&stale, "案由"), [&*old.title, &*old.title, "我改的案由"]);
    let party = row(&stale, "当事人");
    for (cell, word) in
        party.iter().zip([&*old.party.as_ref().unwrap().name, "同事改的公司", "我改的公司"])
    {
        assert!(cell.contains(word), "{word}: {party:?}");
    }
    let summary = row(&stale, "简要情况");
    assert!(summary[0].contains("第一行") && summary[2].contains("同事改的"), "{summary:?}");
    assert!(!stale.text.contains("<th scope=\"row\">地点</th>"), "what is the same is left out");
    // What was typed is kept, and the rest is the colleague's.
    let again = Form::untouched(&stale, "/correct");
    for (field, value) in [
        ("record.title", "我改的案由"),
        ("record.party.name", "我改的公司"),
        ("record.summary", "同事改的\n情况"),
        ("record.officers[0].unit", "执法二队"),
    ] {
        assert_eq!(again.value(field).replace("\r\n", "\n"), value, "{field}");
    }
    assert_eq!(history(&pair.here, &case.name).await.len(), 2);
    let done = again.send(&here).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    let now = get(&pair.here, &case.name).await.unwrap().record.unwrap();
    assert_eq!((&*now.title, &*now.party.as_ref().unwrap().name), ("我改的案由", "我改的公司"));
    assert!(now.summary.starts_with("同事改的") && now.officers[0].unit == "执法二队");
    assert_eq!((now.penalty, now.pollutants), (old.penalty, old.pollutants));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_page_names_a_colleague_and_of_another_city_only_the_city() {
    let pair = Pair::start().await;
    let case = create(&pair.here, sample(&pair.agreement, 0)).await.unwrap();
    let at = page_of(&case);
    let here = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let stale = async || {
        let id = fresh();
        let form = [("etag", &*case.etag), ("step", "1"), ("request_id", &*id)];
        let page = here.post(&format!("{at}/step"), &[FROM_HERE], &form).await;
        is_refused(&page, "其间已有变化：");
        page.text.split_once("其间已有变化：").unwrap().1.split("</p>").next().unwrap().to_owned()
    };
    let verified = verify(&pair.here, &case).await.unwrap();
    let own = history(&pair.here, &case.name).await.pop().unwrap().acted_by;
    let told = stale().await;
    assert!(told.contains(&format!("聊城 联络员 {own} 于 ")) && !own.is_empty(), "{told}");
    let offer = pb::OfferTransferRequest {
        name: case.name.clone(),
        etag: verified.etag,
        to_city: THERE,
        request_id: fresh(),
        ..Default::default()
    };
    let offered = pair.here.cases().offer_transfer(offer).await.unwrap().into_inner().case.unwrap();
    pair.held(&pair.there, &offered).await;
    let back = pb::ReturnTransferRequest {
        name: case.name.clone(),
        etag: offered.etag,
        text: "不属本市".to_owned(),
        request_id: fresh(),
        ..Default::default()
    };
    let back = pair.there.cases().return_transfer(back).await.unwrap().into_inner().case.unwrap();
    pair.held(&pair.here, &back).await;
    let told = stale().await;
    assert!(told.starts_with("邯郸 于 "), "{told}");
    let entry = history(&pair.here, &case.name).await.pop().unwrap();
    assert_eq!(entry.acted_by, "", "their people stay at home");
    let there = history(&pair.there, &case.name).await;
    assert!(there[0].acted_by.is_empty() && !there.last().unwrap().acted_by.is_empty());
}
