//! The catalogue over the API of real nodes: which text applies to an act, what is refused as a
//! legal basis, every code list.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use liandong::cli::connect::Client;
use liandong::trust::spiffe::Role;
use liandong::wire::DESCRIPTORS;
use liandong::wire::pb::v1 as pb;
use pb::BasisVerdict as V;
use pb::catalog_item::Detail;
use prost::Message;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::api::{HERE, Pair, THERE, create, fact, fresh, list_all, refused, sample};
use super::nodes::{exe, until};

const SHIPPED: &str = include_str!("../../data/catalogue.toml");

fn day(text: &str) -> pb::Date {
    liandong::cli::when::parse_date(text).unwrap()
}

/// What is asked about an act of this violation.
fn act(violation: pb::Violation, to: &str) -> pb::FindLegalBasesRequest {
    pb::FindLegalBasesRequest {
        violation: violation.into(),
        occurred_from: Some(day("2026-08-01")),
        occurred_to: Some(day(to)),
        decided_on: Some(day("2026-11-20")),
    }
}

async fn find(
    client: &Client,
    asked: pb::FindLegalBasesRequest,
) -> Result<pb::FindLegalBasesResponse, Status> {
    client.catalog().find_legal_bases(asked).await.map(tonic::Response::into_inner)
}

/// An article and its fine as people would write them down: law, article, item, yuan.
fn short(one: &pb::CatalogBasis) -> (String, String, u32, Vec<(i64, i64)>) {
    let basis = one.basis.clone().unwrap();
    let fines = one.fines.iter().map(|range| (range.least_fen / 100, range.most_fen / 100));
    (one.law_code.clone(), basis.article, basis.item, fines.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn f29_the_text_of_the_day_of_the_act_and_a_lighter_later_one() {
    let pair = Pair::start().await;
    let storage = |to| find(&pair.here, act(pb::Violation::HazwasteStorage, to));
    let old = ("SOLID_WASTE_LAW".to_owned(), "112".to_owned(), 6, vec![(100_000, 1_000_000)]);
    let new = ("ECOLOGY_CODE".to_owned(), "1175".to_owned(), 4, vec![(50_000, 200_000)]);
    let before = storage("2026-08-14").await.unwrap();
    let in_force: Vec<_> = before.in_force.iter().map(short).collect();
    assert_eq!(in_force, std::slice::from_ref(&old));
    let [later] = before.later.as_slice() else { panic!("{before:?}") };
    assert_eq!(short(later.later.as_ref().unwrap()), new);
    assert_eq!(short(later.earlier.as_ref().unwrap()), old);
    assert_eq!((later.verdict(), later.flagged), (V::Lighter, true));
    let after = storage("2026-08-15").await.unwrap();
    assert_eq!(after.in_force.iter().map(short).collect::<Vec<_>>(), [new]);
    assert!(after.later.is_empty() && !after.goes_on && !after.notice_zh.is_empty());
    assert_eq!(after.judged_on, Some(day("2026-08-15")));
    // Equal ranges are not flagged; what has no text of its time says so.
    let equal = find(&pair.here, act(pb::Violation::WaterExceed, "2026-08-14")).await.unwrap();
    assert_eq!((equal.later[0].verdict(), equal.later[0].flagged), (V::NotLighter, false));
    let none = find(&pair.here, act(pb::Violation::FacilityNotRun, "2026-08-14")).await.unwrap();
    assert!(none.in_force.is_empty() && !none.later[0].flagged);
    assert_eq!(none.later[0].verdict(), V::NoEarlierText);
    // A refusal: no violation, one that nobody knows, days out of order.
    let rows = [
        (pb::FindLegalBasesRequest::default(), "REQUIRED", "violation"),
        (
            pb::FindLegalBasesRequest { violation: 99, ..Default::default() },
            "CODE_UNKNOWN",
            "violation",
        ),
        (act(pb::Violation::AirExceed, "2026-07-31"), "DATES_ORDER", "occurred_to"),
        (act(pb::Violation::AirExceed, "2026-11-21"), "DATES_ORDER", "decided_on"),
    ];
    for (asked, reason, field) in rows {
        let answer = find(&pair.here, asked).await;
        assert_eq!(fact(answer.as_ref().unwrap_err(), "field"), field);
        assert_eq!(refused(answer), (Code::InvalidArgument, reason.to_owned()));
    }
}

fn basis(law: &str, article: &str) -> pb::LegalBasis {
    pb::LegalBasis { law: law.into(), article: article.into(), ..Default::default() }
}

/// A case of stored hazardous waste, over on the day it began.
fn storage(pair: &Pair, on: &str, bases: &[pb::LegalBasis]) -> pb::CreateCaseRequest {
    let mut request = sample(&pair.agreement, 0);
    let facts = request.facts.as_mut().unwrap();
    facts.set_violation(pb::Violation::HazwasteStorage);
    (facts.occurred_from, facts.occurred_to) = (Some(day(on)), Some(day(on)));
    facts.discover_time_ms =
        liandong::cli::when::parse_millis("2026-11-01T08:00:00+08:00").unwrap();
    request.effective_on = Some(day("2026-11-02"));
    let record = request.record.as_mut().unwrap();
    record.legal_bases = bases.to_vec();
    record.law_choice = String::new();
    request
}

fn retitled(case: &pb::Case, bases: Vec<pb::LegalBasis>) -> pb::UpdateCaseRequest {
    let mut record = case.record.clone().unwrap();
    record.title = "改了案由".to_owned();
    record.legal_bases = bases;
    pb::UpdateCaseRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        record: Some(record),
        request_id: fresh(),
        ..Default::default()
    }
}

async fn update(client: &Client, asked: pb::UpdateCaseRequest) -> Result<pb::Case, Status> {
    client.cases().update_case(asked).await.map(|answer| answer.into_inner().case.unwrap())
}

const CODE: &str = "中华人民共和国生态环境法典";
const OLD: &str = "中华人民共和国固体废物污染环境防治法";

/// A field that is wrong, by name and reason.
fn fields(status: &Status) -> Vec<(String, String)> {
    let wrong = status.get_details_bad_request().unwrap().field_violations;
    wrong.into_iter().map(|field| (field.field, field.reason)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn f29_a_wrong_legal_basis_is_refused_and_nothing_written() {
    let mut pair = Pair::start().await;
    let refusal = async |request: pb::CreateCaseRequest, reason: &str, wrong: &[(&str, &str)]| {
        let answer = create(&pair.here, request).await;
        let status = answer.as_ref().unwrap_err().clone();
        let wrong = wrong.iter().map(|(field, why)| ((*field).to_owned(), (*why).to_owned()));
        assert_eq!(fields(&status), wrong.collect::<Vec<_>>());
        assert_eq!(refused(answer), (Code::InvalidArgument, reason.to_owned()));
        fact(&status, "possible")
    };
    let bases =
        [basis(OLD, "112"), basis(CODE, "1243"), basis("《固体废物污染环境防治法》", "127")];
    let wrong = [
        ("record.legal_bases[1].article", "ARTICLE_UNKNOWN"),
        ("record.legal_bases[2].article", "ARTICLE_UNKNOWN"),
    ];
    let possible = refusal(storage(&pair, "2026-08-14", &bases), "ARTICLE_UNKNOWN", &wrong).await;
    assert_eq!(possible, format!("{OLD} 112(6); {CODE} 1175(4)"));
    let wrong = [("record.legal_bases[0].law", "LAW_REPEALED")];
    let after = storage(&pair, "2026-08-15", &[basis(OLD, "112")]);
    let possible = refusal(after.clone(), "LAW_REPEALED", &wrong).await;
    assert_eq!(possible, format!("{CODE} 1175(4)"));
    assert_eq!(list_all(&pair.here, "agreements/-").await, []);
    // With a reason it is taken, and so is what the catalogue does not know.
    let mut reasoned = after;
    reasoned.record.as_mut().unwrap().law_choice = "见集体讨论记录".to_owned();
    create(&pair.here, reasoned).await.unwrap();
    let local = [basis("山东省固体废物污染环境防治条例", "999"), basis(CODE, "1175")];
    let case = create(&pair.here, storage(&pair, "2026-08-14", &local)).await.unwrap();
    // A change and a proposal are judged the same.
    let answer = update(&pair.here, retitled(&case, vec![basis(CODE, "1243")])).await;
    assert_eq!(refused(answer).1, "ARTICLE_UNKNOWN");
    pair.held(&pair.there, &case).await;
    let mut record = case.record.clone().unwrap();
    record.legal_bases.push(basis(CODE, "2000"));
    let proposal = pb::ProposeAmendmentRequest {
        name: case.name.clone(),
        record: Some(record),
        request_id: fresh(),
        ..Default::default()
    };
    let answer = pair.there.cases().propose_amendment(proposal).await;
    assert_eq!(refused(answer).1, "ARTICLE_UNKNOWN");
    stored_bases_are_not_judged_again(&mut pair).await;
}

/// Written under another catalogue: whoever changes something else keeps it.
async fn stored_bases_are_not_judged_again(pair: &mut Pair) {
    let folder = pair.nodes.fleet.folder(HERE);
    let config = folder.join("liandong.toml");
    let before = std::fs::read_to_string(&config).unwrap();
    let own = SHIPPED.replacen("articles = 1242", "articles = 1300", 1);
    std::fs::write(folder.join("own.toml"), &own).unwrap();
    std::fs::write(&config, format!("catalogue_file = \"own.toml\"\n{before}")).unwrap();
    restart(pair).await;
    let request = storage(pair, "2026-08-20", &[basis(CODE, "1250")]);
    let case = create(&pair.here, request.clone()).await.unwrap();
    std::fs::write(&config, before).unwrap();
    restart(pair).await;
    let again = pb::CreateCaseRequest { request_id: fresh(), ..request.clone() };
    assert_eq!(refused(create(&pair.here, again).await).1, "ARTICLE_UNKNOWN");
    // Sent again, it has its first answer; with anything changed, it is another request.
    let first = create(&pair.here, request.clone()).await.unwrap();
    assert_eq!((&first.name, &first.etag), (&case.name, &case.etag));
    let mut other = request.clone();
    other.record.as_mut().unwrap().title = "另一件".to_owned();
    let answer = create(&pair.here, other).await;
    assert_eq!(refused(answer).1, "IDEMPOTENCY_MISMATCH");
    let kept = update(&pair.here, retitled(&case, vec![basis(CODE, "1250")])).await.unwrap();
    assert_eq!(kept.record.as_ref().unwrap().title, "改了案由");
    let more = retitled(&kept, vec![basis(CODE, "1250"), basis(CODE, "1251")]);
    let answer = update(&pair.here, more).await;
    let wrong = fields(answer.as_ref().unwrap_err());
    assert_eq!(wrong, [("record.legal_bases[1].article".to_owned(), "ARTICLE_UNKNOWN".to_owned())]);
    // A file with a fault is not served with, and the fault is named.
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("catalogue_file = \"own.toml\"\n{text}")).unwrap();
    pair.nodes.kill(HERE);
    let fault = own.replacen("item = 6", "item = 0", 1).into_bytes();
    let large = format!("{SHIPPED}#{}", "大".repeat(400_000)).into_bytes();
    let rows = [
        (fault, "HAZWASTE_STORAGE, basis 1.item"),
        (large, "at most 1048576 are read"),
        (b"version = \"\xc9\xfa\xcc\xac\"".to_vec(), "UTF-8"),
    ];
    for (bytes, why) in rows {
        std::fs::write(folder.join("own.toml"), bytes).unwrap();
        let serve = Command::new(exe()).args(["serve", "--config"]).arg(&config).output().unwrap();
        let said = String::from_utf8_lossy(&serve.stderr);
        assert!(!serve.status.success());
        for part in ["catalogue_file", "own.toml", why] {
            assert!(said.contains(part), "{said}");
        }
    }
}

async fn restart(pair: &mut Pair) {
    pair.nodes.kill(HERE);
    pair.nodes.start(HERE);
    pair.here = pair.nodes.client(HERE).await;
    super::api::ready(&pair.here, &pair.agreement).await;
}

/// A list in pages of this size, with its etag.
async fn listed(client: &Client, list: &str, page_size: i32) -> (Vec<pb::CatalogItem>, String) {
    let (mut items, mut page_token) = (Vec::new(), String::new());
    loop {
        let parent = format!("lists/{list}");
        let request = pb::ListRequest { parent, page_size, page_token };
        let page = client.catalog().list(request).await.unwrap().into_inner();
        items.extend(page.items);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            assert_eq!(page.total_size as usize, items.len());
            return (items, page.etag);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f29_every_code_list_is_served_to_every_role() {
    let pair = Pair::start().await;
    let (lists, etag) = listed(&pair.here, "lists", 7).await;
    assert_eq!(listed(&pair.there, "lists", 0).await, (lists.clone(), etag.clone()));
    let names: Vec<&str> = lists.iter().map(|list| list.code.as_str()).collect();
    for wanted in ["violations", "media", "sources", "departments", "divisions", "deadlines"] {
        assert!(names.contains(&wanted), "{wanted}");
    }
    // All together, in any page size, is what each list says.
    let (all, _) = listed(&pair.here, "-", 200).await;
    let mut one_by_one = Vec::new();
    for name in &names {
        one_by_one.extend(listed(&pair.here, name, 50).await.0);
    }
    let by_name = |items: &[pb::CatalogItem]| -> BTreeSet<String> {
        items.iter().map(|item| item.name.clone()).collect()
    };
    assert_eq!(by_name(&all), by_name(&one_by_one));
    assert_eq!((by_name(&all).len(), all.len()), (one_by_one.len(), one_by_one.len()));
    assert!(all.iter().all(|item| !item.word_zh.is_empty() && !item.word_en.is_empty()));
    assert!(all.iter().all(|i| i.name == format!("{}/codes/{}", i.parent, i.code)));
    // Every enum that the node describes is one of the lists, value by value.
    let set = prost_types::FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let files = set.file.iter().filter(|file| file.package() == "liandong.v1");
    for described in files.flat_map(|file| &file.enum_type) {
        let unset = described.value.iter().find(|value| value.number() == 0).unwrap().name();
        let prefix = unset.strip_suffix("UNSPECIFIED").unwrap();
        let values = described.value.iter().filter(|value| value.number() != 0);
        let wanted: BTreeSet<(i32, &str)> =
            values.map(|v| (v.number(), v.name().strip_prefix(prefix).unwrap())).collect();
        let served = names.iter().any(|name| {
            let of = |item: &&pb::CatalogItem| item.parent == format!("lists/{name}");
            let served = all.iter().filter(of).map(|item| (item.number, item.code.as_str()));
            served.collect::<BTreeSet<_>>() == wanted
        });
        assert!(served, "no list for {}", described.name());
    }
    details(&all);
    for role in Role::ALL {
        let client = pair.nodes.client_as(HERE, role).await;
        assert_eq!(listed(&client, "lists", 0).await.1, etag, "{role:?}");
    }
    refusals(&pair).await;
}

/// What lists say beside their words.
fn details(all: &[pb::CatalogItem]) {
    let find = |name: &str| all.iter().find(|item| item.name == name).unwrap();
    let Some(Detail::Violation(one)) = &find("lists/violations/codes/EIA_UNAPPROVED").detail else {
        panic!("no detail");
    };
    let kinds: Vec<pb::FineKind> = one.bases.iter().map(pb::CatalogBasis::fine_kind).collect();
    assert_eq!(kinds, [pb::FineKind::Formula, pb::FineKind::Ranges]);
    assert!(one.bases[0].formula_zh.contains("百分之五"));
    let Some(Detail::Deadline(one)) = &find("lists/deadlines/codes/COURT_ENFORCEMENT").detail
    else {
        panic!("no detail");
    };
    let terms: Vec<_> = one.terms.iter().map(|t| (t.length, t.unit(), t.setter())).collect();
    let months = pb::TermUnit::Months;
    let wanted = [(6, months, pb::TermSetter::Node), (3, months, pb::TermSetter::Law)];
    assert_eq!(terms, wanted);
    assert_eq!(find("lists/divisions/codes/371522").word_zh, "莘县");
    assert_eq!(find("lists/pollutants/codes/w01018").word_en, "chemical oxygen demand");
    let Some(Detail::Law(law)) = &find("lists/laws/codes/ECOLOGY_CODE").detail else {
        panic!("no detail");
    };
    assert_eq!((law.last_article, law.effective_from), (1242, Some(day("2026-08-15"))));
}

async fn refusals(pair: &Pair) {
    let list = async |request: pb::ListRequest| pair.here.catalog().list(request).await;
    let of = |parent: &str| pb::ListRequest { parent: parent.to_owned(), ..Default::default() };
    let answer = list(of("lists/colours")).await;
    let status = answer.as_ref().unwrap_err();
    assert!(fact(status, "possible").contains("violations, media"), "{status:?}");
    assert_eq!(refused(answer), (Code::NotFound, "LIST_UNKNOWN".to_owned()));
    for parent in ["", "violations", "lists"] {
        assert_eq!(refused(list(of(parent)).await).1, "NAME_FORMAT", "{parent}");
    }
    let first = pb::ListRequest { page_size: 5, ..of("lists/violations") };
    let page_token = list(first.clone()).await.unwrap().into_inner().next_page_token;
    let other = pb::ListRequest { page_token: page_token.clone(), ..of("lists/sources") };
    assert_eq!(refused(list(other).await).1, "PAGE_TOKEN");
    let negative = pb::ListRequest { page_size: -1, ..first };
    assert_eq!(refused(list(negative).await).1, "PAGE_SIZE");
    let theirs = pb::ListRequest { page_token, ..of("lists/violations") };
    assert_eq!(refused(pair.there.catalog().list(theirs).await).1, "PAGE_TOKEN");
}

fn run(pair: &Pair, args: &[&str]) -> Output {
    let mut command = Command::new(exe());
    command.current_dir(pair.nodes.fleet.folder(THERE)).args(args);
    command.args(["--profile", "client.toml"]).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn f29_the_command_line_shows_candidates_and_writes_none() {
    let pair = Pair::start().await;
    let said = |output: Output| String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said(run(&pair, &["catalog"])).contains("violations"));
    let list = said(run(&pair, &["catalog", "divisions", "--json"]));
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["total_size"], 57);
    let basis = ["catalog", "basis", "HAZWASTE_STORAGE", "--from", "2026-07-01", "--to"];
    let shown = said(run(&pair, &[&basis[..], &["2026-08-14"]].concat()));
    assert!(shown.contains("第112条第6项：10万元至100万元"), "{shown}");
    assert!(
        shown.contains("! 《中华人民共和国生态环境法典》第1175条第4项：5万元至20万元"),
        "{shown}"
    );
    let unknown = run(&pair, &["catalog", "colours", "--lang", "en"]);
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("use one of: lists, violations"));
    let new = [
        "case",
        "new",
        "--title",
        "危废仓库",
        "--source",
        "COMPLAINT",
        "--medium",
        "SOLID_WASTE",
        "--violation",
        "HAZWASTE_STORAGE",
        "--discovered",
        "2026-11-01T08:00:00+08:00",
        "--occurred-from",
        "2026-08-01",
        "--occurred-to",
        "2026-08-14",
        "--county",
        "130425",
        "--belt-reason",
        "测试用例",
    ];
    let opened = run(&pair, &new);
    let hint = String::from_utf8_lossy(&opened.stderr).into_owned();
    assert!(opened.status.success() && hint.contains("! 《"), "{hint}");
    let case =
        until("the case is listed", || async { list_all(&pair.there, "agreements/-").await.pop() })
            .await;
    assert_eq!(case.record.unwrap().legal_bases, []);
    // With a basis there is no hint.
    let from = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/case.json");
    let opened = run(&pair, &["case", "new", "--agreement", "聊邯", "--from", from]);
    let hint = String::from_utf8_lossy(&opened.stderr).into_owned();
    assert!(opened.status.success() && !hint.contains("供参考"), "{hint}");
}
