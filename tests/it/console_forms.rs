//! Every field of every form, as the pages themselves list them: what is typed into it is text,
//! on the page that refuses it and on all that show it afterwards. Cases and notices; joint actions
//! are in [`super::console_forms_plans`].

use http::StatusCode;
use liandong::ids::hex;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;

use super::api::{HERE, Pair, THERE, create, fresh, sample, verify};
use super::console::{Browser, EVIL, page_of};
use super::console_new::{CASE, with};
use super::console_walk::{TICK, Walked, harmless, is_of_plans};
use super::evidence_files::{CHUNK, content, hashes, start, upload};

const NOT_TEXT: [&str; 25] = [
    "effective_on",
    "record.party.masked_name",
    "record.party.industry_code",
    "record.party.permit_number",
    "record.party.positive_list",
    "person.id_number",
    "person.phone",
    "record.pollutants[0].code",
    "record.pollutants[0].value",
    "record.pollutants[0].unit",
    "record.pollutants[0].limit",
    "record.pollutants[0].statistic",
    "record.pollutants[0].exceed_multiple",
    "record.pollutants[1].code",
    "record.pollutants[1].value",
    "record.pollutants[1].unit",
    "record.pollutants[1].limit",
    "record.pollutants[1].statistic",
    "record.pollutants[1].exceed_multiple",
    "record.pollutants[2].code",
    "record.pollutants[2].value",
    "record.pollutants[2].unit",
    "record.pollutants[2].limit",
    "record.pollutants[2].statistic",
    "record.pollutants[2].exceed_multiple",
];
const OFFICERS: [(&str, &str); 6] = [
    ("record.officers[0].unit", "执法一队"),
    ("record.officers[1].unit", "执法一队"),
    ("record.officers[2].unit", "执法一队"),
    ("record.officers[0].certificate_number", "37150099001"),
    ("record.officers[1].certificate_number", "37150099002"),
    ("record.officers[2].certificate_number", "37150099003"),
];

/// What a correction takes beside these that is no text: all kinds of penalty with their fine, and
/// no legal basis, which the catalogue would have to know.
const CORRECTED: [(&str, &str); 17] = [
    ("record.penalty.kinds", TICK),
    ("record.penalty.fine_fen", "286000.50"),
    ("record.legal_bases[0].law", ""),
    ("record.legal_bases[0].article", ""),
    ("record.legal_bases[0].item", ""),
    ("record.legal_bases[0].effective_from", ""),
    ("record.legal_bases[0].effective_to", ""),
    ("record.legal_bases[1].law", ""),
    ("record.legal_bases[1].article", ""),
    ("record.legal_bases[1].item", ""),
    ("record.legal_bases[1].effective_from", ""),
    ("record.legal_bases[1].effective_to", ""),
    ("record.legal_bases[2].law", ""),
    ("record.legal_bases[2].article", ""),
    ("record.legal_bases[2].item", ""),
    ("record.legal_bases[2].effective_from", ""),
    ("record.legal_bases[2].effective_to", ""),
];

/// What other forms take that is no text.
const DAYS: [(&str, &str); 11] = [
    ("decided_on", ""),
    ("answered_on", ""),
    ("copied_on", ""),
    ("papers", TICK),
    ("effective_on", ""),
    ("due_on", ""),
    ("designated_on", "2026-01-05"),
    ("milestone", "1"),
    ("city", "371500"),
    ("authority", "2"),
    ("assignment", ""),
];

/// Waits until a page of another city is here too.
async fn arrived(browser: &Browser, path: &str) {
    super::nodes::until("it is there", || async {
        (browser.get(path).await.status == StatusCode::OK).then_some(())
    })
    .await;
}

/// A file of the own city, listed and stored: what forms of its evidence hold.
async fn evidence(pair: &Pair, case: &str, id: &str, seed: u8) -> [(&'static str, String); 3] {
    let bytes = content(2_000, seed);
    let (sha256, sm3) = hashes(&bytes);
    let start = start(case, &bytes, 0);
    let item = pb::Evidence {
        id: id.to_owned(),
        kind: pb::EvidenceKind::ElectronicData.into(),
        title: EVIL.to_owned(),
        collected_on: Some(pb::Date { year: 2026, month: 3, day: 2 }),
        mime: start.mime.clone(),
        size_bytes: start.size_bytes,
        sha256: start.sha256.clone(),
        sm3: start.sm3.clone(),
        ..Default::default()
    };
    let request = pb::AddEvidenceRequest {
        name: case.to_owned(),
        evidence: vec![item],
        request_id: fresh(),
        ..Default::default()
    };
    pair.here.cases().add_evidence(request).await.unwrap();
    upload(&pair.here, start, &bytes, CHUNK).await.unwrap();
    [("sha256", hex(&sha256)), ("sm3", hex(&sm3)), ("evidence_id", id.to_owned())]
}

/// What another city does with evidence: has the file brought, records its receipt, recognises it
/// or not.
async fn judged(walked: &mut Walked, pair: &Pair, there: &Browser, case: &pb::Case) {
    let at = format!("{}/evidence", page_of(case));
    for (id, seed, judges) in [("E11", 1, "/recognise"), ("E12", 2, "/decline")] {
        let item = evidence(pair, &case.name, id, seed).await;
        let mark = format!("act-fetch-{}", &item[0].1[..8]);
        super::nodes::until("it is listed there", || async {
            there.get(&at).await.text.contains(&mark).then_some(())
        })
        .await;
        let item: Vec<(&str, &str)> = item.iter().map(|(a, b)| (*a, b.as_str())).collect();
        for act in ["/fetch", "/receive", judges] {
            walked.walk_only(there, &at, (&item, &[act])).await;
            offers(there, &at, (&item[0].1[..8], act)).await;
        }
    }
}

/// After an act, only forms that can succeed are there, and what was done is told.
async fn offers(browser: &Browser, at: &str, (file, done): (&str, &str)) {
    let page = browser.get(at).await.text;
    let (left, told): (&[&str], &str) = match done {
        "/fetch" => (&["receive"], "查看或下载"),
        "/receive" => (&["recognise", "decline"], "已接收 "),
        "/recognise" => (&[], "认可 20"),
        _ => (&[], "不认可："),
    };
    assert!(page.contains(told), "{told}: {page}");
    for form in ["fetch", "receive", "recognise", "decline"] {
        let is_there = page.contains(&format!("act-{form}-{file}"));
        assert_eq!(is_there, left.contains(&form), "{done}, {form}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn script_in_every_field_of_every_form_is_shown_as_text() {
    let pair = Pair::start().await;
    let here = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let there = Browser::open(&pair.nodes, THERE, Role::Coordinator).await;
    let mut walked = Walked::default();
    let case = create(&pair.here, sample(&pair.agreement, 0)).await.unwrap();
    let case = verify(&pair.here, &case).await.unwrap();
    let mut handed = Vec::new();
    for nth in 1..4 {
        let case = create(&pair.here, sample(&pair.agreement, nth)).await.unwrap();
        handed.push(page_of(&verify(&pair.here, &case).await.unwrap()));
    }
    // What takes numbers and codes only; the rest is marked all at once, too.
    let mut valid = with(&CASE, &pair.agreement, &[("record.summary", "")]);
    valid.retain(|(name, value)| !value.is_empty() && *name != "record.location.address");
    valid.extend(NOT_TEXT.map(|name| (name, "")));
    valid.extend(OFFICERS);
    walked.walk(&here, "/cases/new", (&valid, &[])).await;
    walked.walk(&here, "/cases/import", (&[("encoding", "")], &[])).await;
    let id = pair.agreement.trim_start_matches("agreements/");
    let notice =
        [("kind", "2"), ("level", "2"), ("record.title", "油膜"), ("record.text", "请协查")];
    walked.walk(&here, &format!("/notices/new?agreement={id}"), (&notice, &[])).await;
    let at = page_of(&case);
    valid.extend(CORRECTED);
    walked.walk(&here, &format!("{at}/correct"), (&valid, &[])).await;
    let file = [("kind", "1"), ("collected_on", "2026-11-20"), ("id", "E9"), ("file", "照片")];
    walked.walk(&here, &format!("{at}/evidence"), (&file, &[])).await;
    // Each keeps its own turn, so that all forms of a case are seen.
    let notices: Vec<String> =
        walked.pages.iter().filter(|page| page.starts_with("/notice/")).cloned().collect();
    walked.walk(&here, &at, (&DAYS, &["/step", "/offer"])).await;
    arrived(&there, &at).await;
    judged(&mut walked, &pair, &there, &case).await;
    let language = [("lang", EVIL), ("back", EVIL)];
    let chosen = walked.by_hand(&here, "/language", &language).await;
    assert_eq!(chosen.leads_to(), "/");
    // Two proposals each time, so that one is left to be refused.
    walked.walk(&there, &at, (&DAYS, &[])).await;
    walked.walk(&there, &at, (&DAYS, &[])).await;
    super::nodes::until("the proposal is there", || async {
        let page = here.get(&at).await.text;
        (page.matches("提出建议").count() >= 4 && page.contains("act-adopt")).then_some(())
    })
    .await;
    walked.walk(&here, &at, (&DAYS, &["/offer", "/step"])).await;
    walked.walk(&here, &at, (&DAYS, &["/offer"])).await;
    for (nth, path) in handed.iter().enumerate() {
        walked.walk(&here, path, (&DAYS, &["/step"])).await;
        arrived(&there, path).await;
        super::nodes::until("the offer is there", || async {
            there.get(path).await.text.contains("act-accept").then_some(())
        })
        .await;
        walked.walk(&here, path, (&DAYS, &["/step", "/offer"])).await;
        let others = ["/accept", "/return", "/dispute"];
        walked.walk(&there, path, (&DAYS, &others[..nth])).await;
        walked.walk(&there, path, (&DAYS, &others[..nth])).await;
    }
    walked.walk(&here, &notices[0], (&[], &["/end"])).await;
    arrived(&there, &notices[0]).await;
    walked.walk(&there, &notices[0], (&[], &[])).await;
    walked.walk(&here, &notices[0], (&[], &[])).await;
    // Each form was on a page, and what takes any text took this one.
    for form in [
        "/step",
        "/offer",
        "/note",
        "/acknowledge",
        "/accept",
        "/return",
        "/dispute",
        "/recall",
        "/ask",
        "/answer",
        "/propose",
        "/adopt",
        "/refuse",
        "/milestone",
        "/withdraw",
        "/refer",
        "/police-answer",
        "/procuratorate-copy",
        "/assign",
        "/designate",
        "/end",
        "/report",
        "/parts",
        "/correct",
        "/grant",
        "/evidence/add",
        "/evidence/fetch",
        "/evidence/receive",
        "/evidence/recognise",
        "/evidence/decline",
    ] {
        let is_it = |(action, _): &(String, String)| action.ends_with(form);
        assert!(walked.recorded.iter().any(is_it), "{form}: {:?}", walked.recorded);
    }
    let record = ["", "record.title", "record.summary", "record.party.name", "record.belt_reason"];
    for field in record.into_iter().chain(["person.name"]) {
        let field = ("/cases/new".to_owned(), field.to_owned());
        assert!(walked.recorded.contains(&field), "{field:?}: {:?}", walked.recorded);
    }
    for field in ["", "record.law_choice", "person.name"] {
        let field = ("/case/correct".to_owned(), field.to_owned());
        assert!(walked.recorded.contains(&field), "{field:?}: {:?}", walked.recorded);
    }
    assert_eq!(walked.unwalked(|action| !is_of_plans(action)), Vec::<String>::new());
    let mut shown = 0;
    let lists = [
        "/",
        "/cases",
        "/due?show=all",
        "/notices",
        "/map?shown=1&what=cases",
        "/links",
        "/cases.csv",
    ];
    let papers = walked.pages.iter().flat_map(|page| {
        let kinds: &[&str] = match page.split('/').nth(1) {
            Some("case") => &["transfer", "receipt"],
            Some("notice") => &["letter"],
            _ => &[],
        };
        kinds.iter().map(move |kind| format!("{page}/print/{kind}"))
    });
    let papers: Vec<String> = papers.filter(|page| !page.contains("/evidence/")).collect();
    let pages = walked.pages.iter().cloned().chain(papers);
    for path in pages.chain(lists.map(str::to_owned)) {
        for browser in [&here, &there] {
            let page = browser.get(&path).await;
            if path != "/cases.csv" {
                harmless(&path, &page);
            }
            shown += page.text.matches("&lt;script&gt;window.hit=1").count();
        }
    }
    assert!(shown > 100, "{shown} marks are shown as text");
}
