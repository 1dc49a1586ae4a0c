//! Searching over the API of real nodes, against a look into every case.

use liandong::cli::connect::Client;
use liandong::domain::Date;
use liandong::wire::pb::v1 as pb;
use tonic::Code;

use super::api::{HERE, Pair, THERE, create, fresh, list_all, refused, sample, verify};
use super::nodes::{Nodes, plan, until};

/// What is looked for.
#[derive(Clone, Debug, Default)]
struct Query {
    party: String,
    uscc: String,
    media: Vec<pb::Medium>,
    states: Vec<pb::CaseState>,
    from: Option<&'static str>,
    to: Option<&'static str>,
    near: Option<u32>,
    /// West, south, east, north.
    within: Option<[&'static str; 4]>,
}

fn day(text: &str) -> pb::Date {
    liandong::cli::when::parse_date(text).unwrap()
}

fn rectangle([west, south, east, north]: [&str; 4]) -> pb::GeoBox {
    pb::GeoBox {
        min_longitude: west.to_owned(),
        min_latitude: south.to_owned(),
        max_longitude: east.to_owned(),
        max_latitude: north.to_owned(),
        crs: "EPSG:4490".to_owned(),
    }
}

fn lies_in(case: &pb::Case, area: [&str; 4]) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    let [west, south, east, north] = area.map(|text| number(text).unwrap());
    let at = case.record.as_ref().and_then(|record| record.location.clone()).unwrap_or_default();
    let point = number(&at.longitude).zip(number(&at.latitude));
    point.is_some_and(|(lon, lat)| west <= lon && lon <= east && south <= lat && lat <= north)
}

impl Query {
    fn request(&self, page_size: i32) -> pb::ListCasesRequest {
        pb::ListCasesRequest {
            parent: "agreements/-".to_owned(),
            page_size,
            states: self.states.iter().copied().map(i32::from).collect(),
            media: self.media.iter().copied().map(i32::from).collect(),
            discovered_from: self.from.map(day),
            discovered_to: self.to.map(day),
            near_city: self.near.map_or(0, |_| THERE),
            near_metres: self.near.unwrap_or(0),
            within: self.within.map(rectangle),
            party_name: self.party.clone(),
            party_uscc: self.uscc.clone(),
            ..pb::ListCasesRequest::default()
        }
    }

    /// Judged by what the case itself says, without any of the node's code for searching.
    fn takes(&self, case: &pb::Case) -> bool {
        let facts = case.facts.as_ref().unwrap();
        let party = case.record.as_ref().and_then(|r| r.party.clone()).unwrap_or_default();
        let name = format!("{}{}", party.name, party.masked_name);
        let on = Date::beijing(facts.discover_time_ms).unwrap();
        let date = |text: &str| text.parse::<Date>().unwrap();
        let near = facts.border_distances.iter().find(|one| one.city == THERE);
        self.party.split(' ').all(|word| name.contains(word))
            && (self.uscc.is_empty() || party.uscc.starts_with(&self.uscc))
            && (self.media.is_empty() || self.media.contains(&facts.medium()))
            && (self.states.is_empty() || self.states.contains(&case.state()))
            && self.from.is_none_or(|from| on >= date(from))
            && self.to.is_none_or(|to| on <= date(to))
            && self.within.is_none_or(|area| lies_in(case, area))
            && self.near.is_none_or(|metres| near.is_some_and(|one| one.metres <= metres))
    }
}

async fn page(client: &Client, request: pb::ListCasesRequest) -> pb::ListCasesResponse {
    client.cases().list_cases(request).await.unwrap().into_inner()
}

/// All pages, by name; every page tells the same total.
async fn found(client: &Client, query: &Query, page_size: i32) -> Vec<String> {
    let (mut names, mut request) = (Vec::new(), query.request(page_size));
    loop {
        let page = page(client, request.clone()).await;
        names.extend(page.cases.into_iter().map(|case| case.name));
        if page.next_page_token.is_empty() {
            assert_eq!(page.total_size as usize, names.len(), "{query:?}");
            assert!(!page.total_is_partial);
            return names;
        }
        request.page_token = page.next_page_token;
    }
}

/// Every combination of what may be looked for, of which many find something.
fn queries(cases: &[pb::Case]) -> Vec<Query> {
    let party = |case: &pb::Case| case.record.as_ref().and_then(|r| r.party.clone());
    let parties: Vec<pb::Party> = cases.iter().filter_map(party).collect();
    let firm = parties.iter().find(|party| !party.uscc.is_empty()).unwrap();
    let masked = parties.iter().find(|party| !party.masked_name.is_empty()).unwrap();
    let words = ["", "示例", "有限公司 示例", "大名", "县 建材", "某", "无此当事人"];
    let words = words.map(str::to_owned).into_iter();
    let words = words.chain([firm.name.clone(), masked.masked_name.clone()]);
    let mut all = Vec::new();
    for party in words {
        for uscc in [String::new(), firm.uscc.clone(), firm.uscc[..8].to_owned()] {
            for media in [&[][..], &[pb::Medium::Water], &[pb::Medium::Air, pb::Medium::SolidWaste]]
            {
                for (from, to) in [
                    (None, None),
                    (Some("2026-07-01"), None),
                    (Some("2026-02-01"), Some("2026-10-13")),
                    (None, Some("2025-11-24")),
                ] {
                    for (states, near, within) in [
                        (vec![], None, None),
                        (vec![pb::CaseState::ClueVerifying], None, None),
                        (vec![], Some(5_000), None),
                        (vec![], None, Some(["115.3", "36", "116", "36.6"])),
                    ] {
                        let (party, uscc, media) = (party.clone(), uscc.clone(), media.to_vec());
                        all.push(Query { party, uscc, media, states, from, to, near, within });
                    }
                }
            }
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn f32_search_equals_a_look_into_every_case() {
    let mut pair = Pair::start().await;
    let mut opened = Vec::new();
    for nth in 0..40 {
        opened.push(pair.open(&pair.here, nth).await);
    }
    let mut request = sample(&pair.agreement, 0);
    request.person =
        Some(pb::PersonRecord { name: "赵真名".to_owned(), ..pb::PersonRecord::default() });
    create(&pair.here, request).await.unwrap();
    for case in opened.iter().step_by(3) {
        verify(&pair.here, case).await.unwrap();
    }
    equal_everywhere(&pair.here).await;
    // A record that is corrected is found by what it says now, and no longer by what it said.
    let cases = list_all(&pair.here, &pair.agreement).await;
    let firm = cases.iter().find(|case| name_of(case).contains("有限公司")).unwrap().clone();
    let mut record = firm.record.clone().unwrap();
    record.party.as_mut().unwrap().name = "改名后的示例厂（一分厂）".to_owned();
    let request = pb::UpdateCaseRequest {
        name: firm.name.clone(),
        etag: firm.etag.clone(),
        record: Some(record),
        request_id: fresh(),
        ..pb::UpdateCaseRequest::default()
    };
    pair.here.cases().update_case(request).await.unwrap();
    let named = |party: &str| Query { party: party.to_owned(), ..Query::default() };
    let only = std::slice::from_ref(&firm.name);
    assert_eq!(found(&pair.here, &named("改名后"), 0).await, only);
    let before = found(&pair.here, &named(&name_of(&firm)), 0).await;
    assert!(!before.contains(&firm.name), "{before:?}");
    // However it is typed: brackets and letters of either width, another writing of 例.
    for typed in ["改名后的示例厂(一分厂)", "改名 ( 厂", "示\u{f9b5}厂（一"] {
        assert_eq!(found(&pair.here, &named(typed), 0).await, only, "{typed}");
    }
    // Nobody finds a natural person by the name that only the handling city may read.
    let person = cases.iter().find_map(|case| case.person.clone()).unwrap().name;
    let masked = |case: &pb::Case| name_of(case).contains(&person);
    assert!(!cases.iter().any(masked), "{person}");
    assert!(found(&pair.here, &named(&person), 0).await.is_empty());
    // The same elsewhere and after a start, when nothing is in memory.
    let newest = list_all(&pair.here, &pair.agreement).await;
    until("the other city has it all", || async {
        (list_etags(&pair.there).await == etags(&newest)).then_some(())
    })
    .await;
    equal_everywhere(&pair.there).await;
    pair.nodes.kill(HERE);
    pair.nodes.start(HERE);
    pair.here = pair.nodes.client(HERE).await;
    equal_everywhere(&pair.here).await;
    pages_stay(&pair).await;
    refusals(&pair).await;
}

/// A case whose party is renamed while it is searched for by both names.
#[tokio::test(flavor = "multi_thread")]
async fn parties_are_found_by_what_their_records_say_at_every_moment_of_a_storm() {
    const CASES: usize = 30;
    let pair = Pair::start().await;
    let named = |party: &str| Query { party: party.to_owned(), ..Query::default() };
    let firm = |name: String| pb::Party {
        r#type: pb::PartyType::LegalPerson.into(),
        name,
        uscc: "91371522YYYY90011A".to_owned(),
        ..pb::Party::default()
    };
    let storm = async {
        for nth in 0..CASES {
            let mut request = sample(&pair.agreement, nth);
            request.record.as_mut().unwrap().party = Some(firm(format!("旧名第{nth}厂")));
            let case = create(&pair.here, request).await.unwrap();
            let mut record = case.record.clone().unwrap();
            record.party = Some(firm(format!("新名第{nth}厂")));
            let request = pb::UpdateCaseRequest {
                name: case.name.clone(),
                etag: case.etag.clone(),
                record: Some(record),
                request_id: fresh(),
                ..pb::UpdateCaseRequest::default()
            };
            pair.here.cases().update_case(request).await.unwrap();
            // Whoever wrote it finds it at once, by what it says now.
            let only = vec![case.name];
            assert_eq!(found(&pair.here, &named(&format!("新名第{nth}厂")), 0).await, only);
            assert_eq!(found(&pair.here, &named(&format!("旧名第{nth}厂")), 0).await, [""; 0]);
        }
    };
    let looks = async {
        let (mut before, mut seen) = (0, std::collections::BTreeSet::new());
        while before < CASES {
            for word in ["新名", "旧名", "厂 第"] {
                let page = page(&pair.here, named(word).request(200)).await;
                assert_eq!(page.total_size as usize, page.cases.len(), "{word}");
                let says = |case: &pb::Case| word.split(' ').all(|w| name_of(case).contains(w));
                assert!(page.cases.iter().all(says), "as it was counted: {word}");
                if word == "新名" {
                    assert!(page.cases.len() >= before, "none comes back");
                    before = page.cases.len();
                    seen.insert(before);
                }
            }
        }
        seen.len()
    };
    let ((), moments) = tokio::join!(storm, looks);
    assert!(moments > 3, "the lists were read while parties changed: {moments}");
}

fn name_of(case: &pb::Case) -> String {
    let party = case.record.as_ref().and_then(|record| record.party.clone()).unwrap_or_default();
    format!("{}{}", party.name, party.masked_name)
}

fn etags(cases: &[pb::Case]) -> std::collections::BTreeSet<String> {
    cases.iter().map(|case| case.etag.clone()).collect()
}

async fn list_etags(client: &Client) -> std::collections::BTreeSet<String> {
    etags(&list_all(client, "agreements/-").await)
}

async fn equal_everywhere(client: &Client) {
    let cases = list_all(client, "agreements/-").await;
    let (mut hits, queries) = (0, queries(&cases));
    for (nth, query) in queries.iter().enumerate() {
        let want: Vec<String> =
            cases.iter().filter(|case| query.takes(case)).map(|case| case.name.clone()).collect();
        let sizes = [0, 1, 7];
        let got = found(client, query, sizes[nth % sizes.len()]).await;
        assert_eq!(got, want, "{query:?}");
        hits += usize::from(!want.is_empty());
    }
    assert!(hits > 60 && hits < queries.len() - 60, "{hits} of {}", queries.len());
}

/// What is opened between two pages is on neither, and nothing is missing or twice.
async fn pages_stay(pair: &Pair) {
    let query = Query { party: "示例".to_owned(), ..Query::default() };
    let want = found(&pair.here, &query, 0).await;
    let (mut got, mut request) = (Vec::new(), query.request(5));
    loop {
        let page = page(&pair.here, request.clone()).await;
        assert_eq!(page.total_size as usize, want.len(), "the total is of the first page");
        got.extend(page.cases.into_iter().map(|case| case.name));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
        create(&pair.here, sample(&pair.agreement, 0)).await.unwrap();
    }
    assert_eq!(got, want);
}

async fn refusals(pair: &Pair) {
    let refuse = async |change: fn(&mut pb::ListCasesRequest)| {
        let mut request = Query::default().request(0);
        change(&mut request);
        refused(pair.here.cases().list_cases(request).await)
    };
    let complex = (Code::InvalidArgument, "FILTER_TOO_COMPLEX".to_owned());
    assert_eq!(refuse(|r| r.party_name = "a b c d e f g h i".to_owned()).await, complex);
    assert_eq!(refuse(|r| r.media = vec![1; 9]).await, complex);
    for (change, reason) in [
        ((|r| r.party_uscc = "9137".to_owned()) as fn(&mut pb::ListCasesRequest), "USCC_START"),
        (|r| r.party_name = "示".repeat(121), "TEXT_TOO_LONG"),
        (|r| r.party_name = " ".to_owned(), "TEXT_EMPTY"),
        (|r| r.media = vec![99], "CODE_UNKNOWN"),
        (|r| r.within = Some(rectangle(["116", "36", "115", "37"])), "AREA_ORDER"),
        (|r| r.within = Some(rectangle(["115", "36", "116", ""])), "COORDINATE_FORMAT"),
        (|r| r.within = Some(rectangle(["36", "115", "37", "116"])), "LON_LAT_SWAPPED"),
        (
            |r| {
                let area = rectangle(["115", "36", "116", "37"]);
                r.within = Some(pb::GeoBox { crs: "GCJ-02".to_owned(), ..area });
            },
            "CRS_GCJ02",
        ),
        (|r| r.discovered_from = Some(pb::Date { year: 2026, month: 2, day: 30 }), "DATE_RANGE"),
    ] {
        assert_eq!(refuse(change).await, (Code::InvalidArgument, reason.to_owned()));
    }
    // A token is bound to what was looked for.
    let first = Query { party: "示例".to_owned(), ..Query::default() }.request(1);
    let token = page(&pair.here, first.clone()).await.next_page_token;
    let other = pb::ListCasesRequest { page_token: token, party_name: "厂".to_owned(), ..first };
    assert_eq!(refused(pair.here.cases().list_cases(other).await).1, "PAGE_TOKEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_counts_what_other_cities_share() {
    const OTHER: u32 = 410_900;
    let pacts: [(&str, &[u32]); 2] = [("聊邯", &[HERE, THERE]), ("邯濮", &[THERE, OTHER])];
    let nodes = Nodes::start_all(&plan(&[HERE, THERE, OTHER], &pacts));
    let agreement = nodes.fleet.agreement_of(&[HERE, THERE]).unwrap().name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    super::api::ready(&here, &agreement).await;
    let case = create(&here, sample(&agreement, 0)).await.unwrap();
    let party = case.record.unwrap().party.unwrap();
    let both = [
        Query { party: party.name, ..Query::default() },
        Query { uscc: party.uscc, ..Query::default() },
    ];
    for query in &both {
        until("the member finds it", || async {
            (found(&there, query, 0).await.len() == 1).then_some(())
        })
        .await;
        let other = nodes.client(OTHER).await;
        assert_eq!(page(&other, query.request(0)).await.total_size, 0);
        let named = pb::ListCasesRequest { parent: agreement.clone(), ..query.request(0) };
        assert_eq!(refused(other.cases().list_cases(named).await).1, "NOT_FOUND");
    }
    let all = Query { within: Some(["73", "18", "136", "54"]), ..Query::default() };
    for client in [&here, &there] {
        assert_eq!(found(client, &all, 0).await, [case.name.as_str()]);
    }
    assert_eq!(page(&nodes.client(OTHER).await, all.request(0)).await.total_size, 0);
    let in_county = pb::ListCasesRequest {
        county_code: case.facts.unwrap().county_code,
        ..Query::default().request(0)
    };
    assert_eq!(page(&there, in_county.clone()).await.total_size, 1);
    assert_eq!(page(&nodes.client(OTHER).await, in_county).await.total_size, 0);
}
