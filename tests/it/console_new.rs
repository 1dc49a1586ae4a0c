//! What is begun on a page: a case, a notice.

use http::StatusCode;
use liandong::ids::hex;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;

use super::api::{HERE, Pair, THERE, create, fresh, get, history, sample};
use super::console::{Browser, FROM_HERE, Page, page_of};
use super::evidence_files::start;

/// Fields of a case that may be opened.
pub const CASE: [(&str, &str); 17] = [
    ("record.title", "大名县示例建材有限公司涉嫌倾倒固体废物案"),
    ("record.summary", "示例"),
    ("facts.source", "1"),
    ("facts.medium", "3"),
    ("facts.violation", "16"),
    ("facts.discover_time_ms", "2025-11-24T09:48"),
    ("facts.occurred_from", "2025-11-23"),
    ("facts.occurred_to", "2025-11-23"),
    ("facts.data_level", "2"),
    ("facts.county_code", "130425"),
    ("record.location.address", "大名县示例镇"),
    ("record.location.longitude", "115.137564"),
    ("record.location.latitude", "36.243426"),
    ("record.belt_reason", "测试用例"),
    ("record.party.type", "1"),
    ("record.party.name", "大名县示例建材有限公司"),
    ("record.party.uscc", "91130425YYYY000551"),
];

/// The fields with some of them changed, and the agreement.
pub fn with<'a>(
    fields: &[(&'a str, &'a str)],
    agreement: &'a str,
    changed: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let of = |name: &str| changed.iter().any(|(other, _)| *other == name);
    let kept = fields.iter().filter(|(name, _)| !of(name));
    let id = agreement.trim_start_matches("agreements/");
    kept.chain(changed).copied().chain([("agreement", id)]).collect()
}

fn refused_at(page: &Page, field: &str) {
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
    let mark = format!("id=\"new-{field}-wrong\"");
    assert!(page.text.contains(&mark), "{field}: {}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_opened_by_page_and_what_is_wrong_is_told_at_its_field() {
    let pair = Pair::start().await;
    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let shown = browser.get("/cases/new").await;
    for word in ["涉嫌违法行为", "大名县", "投诉举报", "new-record.title", "name=\"agreement\""]
    {
        assert!(shown.text.contains(word), "{word}: {}", shown.text);
    }
    let auditor = Browser::open(&pair.nodes, HERE, Role::Auditor).await;
    assert!(browser.get("/cases").await.text.contains("/cases/new"));
    assert!(!auditor.get("/cases").await.text.contains("/cases/new"));
    let send = async |browser: &Browser, changed: &[(&'static str, &'static str)]| {
        let (id, mut fields) = (fresh(), with(&CASE, &pair.agreement, changed));
        fields.push(("request_id", &id));
        browser.post("/cases/new", &[FROM_HERE], &fields).await
    };
    for (field, value) in [
        ("record.title", ""),
        ("facts.source", ""),
        ("facts.discover_time_ms", ""),
        ("facts.discover_time_ms", "昨天"),
        ("facts.occurred_from", "2025-02-30"),
        ("facts.data_level", "4"),
        ("facts.violation", "999"),
        ("record.location.longitude", "三"),
        ("record.party.type", ""),
        ("record.party.uscc", "91130425YYYY000552"),
        ("record.party.permit_number", "x"),
        ("record.officers[1].certificate_number", "x"),
        ("effective_on", "2026-13-01"),
    ] {
        let page = send(&browser, &[(field, value)]).await;
        match field {
            // A code that a newer version may know is refused with all facts.
            "facts.violation" => assert!(page.text.contains("CODE_UNKNOWN"), "{}", page.text),
            field => refused_at(&page, field),
        }
        assert!(page.text.contains("涉嫌倾倒固体废物案") || field == "record.title");
    }
    // Another row, and what was typed is still there; nothing is opened.
    let grown = send(&browser, &[("more", "officers"), ("record.officers[3].unit", "四队")]).await;
    assert_eq!(grown.status, StatusCode::OK, "{}", grown.text);
    for word in ["record.officers[4].unit", "value=\"四队\"", "涉嫌倾倒固体废物案"] {
        assert!(grown.text.contains(word), "{word}: {}", grown.text);
    }
    assert!(!grown.text.contains("record.pollutants[3]"), "only what was asked for");
    let refused = send(&auditor, &[]).await;
    assert!(refused.text.contains("ROLE_NOT_ALLOWED"), "{}", refused.text);
    // Sent twice, opened once.
    let id = fresh();
    let mut fields = with(
        &CASE,
        &pair.agreement,
        &[("external_ref.system", "执法平台"), ("external_ref.number", "甲-1")],
    );
    fields.push(("request_id", &id));
    let first = browser.post("/cases/new", &[FROM_HERE], &fields).await;
    let second = browser.post("/cases/new", &[FROM_HERE], &fields).await;
    let page = |page: &Page| page.leads_to().split('?').next().unwrap().to_owned();
    assert_eq!(page(&first), page(&second));
    let shown = browser.get(first.leads_to()).await;
    assert!(shown.text.contains("大名县示例建材有限公司") && shown.text.contains("class=\"done\""));
    let forged = browser.get(&format!("{}?done=1", page(&first))).await;
    assert!(!forged.text.contains("class=\"done\""), "a link claims nothing");
    let name = page(&first).replace("/case/", "agreements/").replacen('/', "/cases/", 2);
    let name = name.replacen("agreements/cases/", "agreements/", 1);
    let case = get(&pair.here, &name).await.unwrap();
    assert_eq!(case.external_ref.unwrap().number, "甲-1");
    assert_eq!(case.record.unwrap().party.unwrap().uscc, "91130425YYYY000551");
    // A form that was refused has an address of its own: the page it stands on is shown.
    let again = browser.get(&format!("{}/step", page(&first))).await;
    assert_eq!(again.leads_to(), page(&first));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photograph_without_its_day_is_refused_at_that_field() {
    let pair = Pair::start().await;
    let case = create(&pair.here, sample(&pair.agreement, 0)).await.unwrap();
    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let field = |name: &str, value: &str| {
        format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let mut body: String = [("title", "照片"), ("id", "E9"), ("kind", "3"), ("request_id", "e9")]
        .map(|(name, value)| field(name, value))
        .concat();
    body += &field("file\"; filename=\"a.txt", "x");
    let request = http::Request::post(format!("https://node.test{}/evidence/add", page_of(&case)))
        .header("content-type", "multipart/form-data; boundary=edge")
        .header(FROM_HERE.0, FROM_HERE.1);
    let page = browser.ask(request, &format!("{body}--edge--\r\n")).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text);
    assert!(page.text.contains("id=\"add-collected_on-wrong\""), "{}", page.text);
    assert!(page.text.contains("DATE_FORMAT"), "{}", page.text);
    // With its day, and a level of its own; what is no level is not that of the kind.
    for (level, listed) in [("x", 0), ("3", 1)] {
        let request =
            http::Request::post(format!("https://node.test{}/evidence/add", page_of(&case)))
                .header("content-type", "multipart/form-data; boundary=edge")
                .header(FROM_HERE.0, FROM_HERE.1);
        let more = field("collected_on", "2026-08-03") + &field("level", level);
        let page = browser.ask(request, &format!("{more}{body}--edge--\r\n")).await;
        let refused = page.text.contains("id=\"add-level-wrong\"");
        assert_eq!(refused, listed == 0, "{}", page.text);
        let all = history(&pair.here, &case.name).await;
        let items: Vec<_> =
            all.iter().flat_map(|one| &one.listed).filter(|i| i.id == "E9").collect();
        assert_eq!(items.len(), listed, "{items:?}");
        assert!(items.iter().all(|one| one.level() == pb::DataLevel::Restricted), "{items:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_by_page_goes_to_whom_it_is_for() {
    let pair = Pair::start().await;
    let case = create(&pair.here, sample(&pair.agreement, 0)).await.unwrap();
    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let at = format!("{}/note", page_of(&case));
    let there = THERE.to_string();
    let send = async |fields: &[(&str, &str)]| browser.post(&at, &[FROM_HERE], fields).await;
    let only = [("text", "只给邯郸"), ("cities", &*there), ("request_id", "n1")];
    assert_eq!(send(&only).await.status, StatusCode::SEE_OTHER);
    assert_eq!(
        send(&[("text", "给各市"), ("request_id", "n2")]).await.status,
        StatusCode::SEE_OTHER
    );
    // What is no city is nobody's wish that all read it.
    let nobody = [("text", "不发"), ("cities", "各市"), ("request_id", "n3")];
    assert_eq!(send(&nobody).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let all = history(&pair.here, &case.name).await;
    let parts = |one: &pb::HistoryEntry| one.header.clone().unwrap().parts;
    let kind = |part: pb::PartRef| part.audience.unwrap().kind();
    let notes: Vec<_> = all.iter().flat_map(parts).map(kind).collect();
    use pb::AudienceKind::{AllMembers, Cities};
    assert_eq!(notes[notes.len() - 2..], [Cities, AllMembers]);
}

/// Sends a form with a file, in a language.
async fn with_file(
    browser: &Browser,
    at: &str,
    lang: &str,
    (fields, bytes): (&[(&str, &str)], &str),
) -> Page {
    let part = |head: &str, value: &str| {
        format!("--edge\r\ncontent-disposition: form-data; name=\"{head}\"\r\n\r\n{value}\r\n")
    };
    let mut body: String = fields.iter().map(|(name, value)| part(name, value)).collect();
    body += &part("file\"; filename=\"a.txt", bytes);
    let request = http::Request::post(format!("https://node.test{at}"))
        .header("content-type", "multipart/form-data; boundary=edge")
        .header("cookie", format!("liandong-lang={lang}"))
        .header(FROM_HERE.0, FROM_HERE.1);
    browser.ask(request, &format!("{body}--edge--\r\n")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_a_listed_item_is_sent_in_and_another_one_is_refused_at_the_field() {
    let pair = Pair::start().await;
    let case = create(&pair.here, sample(&pair.agreement, 0)).await.unwrap();
    let start = start(&case.name, b"original", 0);
    let item = pb::Evidence {
        id: "E31".to_owned(),
        kind: pb::EvidenceKind::ElectronicData.into(),
        title: "台账".to_owned(),
        collected_on: Some(pb::Date { year: 2026, month: 3, day: 2 }),
        mime: start.mime.clone(),
        size_bytes: start.size_bytes,
        sha256: start.sha256.clone(),
        sm3: start.sm3.clone(),
        ..Default::default()
    };
    let request = pb::AddEvidenceRequest {
        name: case.name.clone(),
        evidence: vec![item],
        request_id: fresh(),
        ..Default::default()
    };
    pair.here.cases().add_evidence(request).await.unwrap();
    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let evidence = format!("{}/evidence", page_of(&case));
    let sha256 = hex(&start.sha256);
    let form = format!("add-{}", &sha256[..8]);
    let page = browser.get(&evidence).await.text;
    assert!(page.contains(&format!(r#"id="act-{form}""#)), "{page}");
    let fields = [("listed", &*sha256), ("mime", &start.mime), ("request_id", "e31")];
    let send = async |lang: &str, bytes: &str| {
        with_file(&browser, &format!("{evidence}/add"), lang, (&fields, bytes)).await
    };
    for (lang, word, advice) in [
        ("zh", "所选文件与清单所列的不是同一份", "请选择登记时的原文件"),
        ("en", "not the file that is listed", "choose the very file that was listed"),
    ] {
        let page = send(lang, "another").await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text);
        let (_, told) = page.text.split_once(&format!(r#"id="{form}-file-wrong""#)).unwrap();
        assert!(told.split_once('<').unwrap().0.contains(word), "{told}");
        assert!(page.text.contains(advice) && page.text.contains(&sha256[..16]), "{}", page.text);
    }
    let done = send("zh", "original").await;
    let page = browser.get(done.leads_to()).await.text;
    assert!(page.contains(&format!("/file/{sha256}\"")), "{page}");
    assert!(!page.contains(&format!(r#"id="act-{form}""#)), "{page}");
    assert_eq!(page.matches(">E31 台账<").count(), 1, "listed once: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_issued_by_page_to_some_or_to_all() {
    let pair = Pair::start().await;
    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let shown = browser.get("/notices/new").await;
    assert!(
        shown.text.contains("突发环境事件通报") && shown.text.contains("邯郸"),
        "{}",
        shown.text
    );
    let fields =
        [("kind", "2"), ("level", "2"), ("record.title", "漳河油膜"), ("record.text", "请协查")];
    let send = async |changed: &[(&'static str, &'static str)]| {
        let (id, mut fields) = (fresh(), with(&fields, &pair.agreement, changed));
        fields.push(("request_id", &id));
        browser.post("/notices/new", &[FROM_HERE], &fields).await
    };
    for (field, value) in [("level", ""), ("record.title", ""), ("record.text", "")] {
        refused_at(&send(&[(field, value)]).await, field);
    }
    refused_at(&send(&[("kind", "1")]).await, "level");
    for (changed, word) in [(&[][..], "漳河油膜"), (&[("cities", "130400")], "邯郸")] {
        assert_eq!(THERE, 130_400);
        let sent = send(changed).await;
        let page = browser.get(sent.leads_to()).await;
        assert!(page.text.contains(word) && page.text.contains("class=\"done\""), "{}", page.text);
    }
    let stranger = send(&[("cities", "999999")]).await;
    assert_eq!(stranger.status, StatusCode::UNPROCESSABLE_ENTITY);
}

/// Somebody else's link opens an empty form: neither words nor a request id come from it.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_fills_in_nothing_that_anybody_wrote() {
    let pair = Pair::start().await;
    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let id = pair.agreement.trim_start_matches("agreements/");
    let fields = ["record.title", "record.text", "text", "request_id", "kind", "plan_title"];
    let typed: String = fields.iter().map(|name| format!("&{name}=BYLINK")).collect();
    for page in ["/notices/new", "/cases/new", "/cases/import"] {
        let text = browser.get(&format!("{page}?agreement={id}{typed}")).await.text;
        let (_, main) = text.split_once("<main").unwrap();
        assert!(main.contains("method=\"post\""), "{page} has a form");
        assert!(!main.contains("BYLINK"), "{page}: {main}");
    }
}
