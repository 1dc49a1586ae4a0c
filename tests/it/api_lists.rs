//! Lists: pages, filters, totals and tokens, compared with what one can count by hand.

use std::collections::BTreeSet;

use liandong::cli::connect::Client;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use tonic::{Code, Status};

use super::api::{HERE, Pair, THERE, get, list_all, note, refused, verify};

type Takes = Box<dyn Fn(&pb::Case) -> bool>;

async fn page(client: &Client, request: &pb::ListCasesRequest) -> pb::ListCasesResponse {
    client.cases().list_cases(request.clone()).await.unwrap().into_inner()
}

async fn refused_page(client: &Client, request: pb::ListCasesRequest) -> (Code, String) {
    refused(client.cases().list_cases(request).await)
}

fn names(cases: &[pb::Case]) -> Vec<String> {
    cases.iter().map(|case| case.name.clone()).collect()
}

fn distance(case: &pb::Case, city: u32) -> Option<u32> {
    let borders = &case.facts.as_ref().unwrap().border_distances;
    borders.iter().find(|border| border.city == city).map(|border| border.metres)
}

/// Every filter of the request beside the same said by hand.
fn filters(parent: &str) -> Vec<(pb::ListCasesRequest, Takes)> {
    let base = pb::ListCasesRequest { parent: parent.to_owned(), ..Default::default() };
    let verifying = pb::CaseState::ClueVerifying as i32;
    let mut all: Vec<(pb::ListCasesRequest, Takes)> = vec![
        (base.clone(), Box::new(|_| true)),
        (
            pb::ListCasesRequest { states: vec![verifying], ..base.clone() },
            Box::new(move |case| case.state == verifying),
        ),
        (
            pb::ListCasesRequest { originating_city: THERE, ..base.clone() },
            Box::new(|case| case.originating_city == THERE),
        ),
        (
            pb::ListCasesRequest { handling_city: HERE, turn_city: HERE, ..base.clone() },
            Box::new(|case| case.handling_city == HERE && case.turn_city == HERE),
        ),
        (
            pb::ListCasesRequest {
                states: vec![verifying],
                originating_city: HERE,
                ..base.clone()
            },
            Box::new(move |case| case.state == verifying && case.originating_city == HERE),
        ),
        (pb::ListCasesRequest { turn_city: 370_900, ..base.clone() }, Box::new(|_| false)),
    ];
    // A county, a city with all its counties, and that together with a state.
    for (area, states) in [(130_425, vec![]), (371_500, vec![]), (371_500, vec![verifying])] {
        let request =
            pb::ListCasesRequest { county_code: area, states: states.clone(), ..base.clone() };
        let takes: Takes = Box::new(move |case| {
            let county = case.facts.as_ref().unwrap().county_code;
            let lies = county == area || (area % 100 == 0 && county / 100 == area / 100);
            lies && (states.is_empty() || states.contains(&case.state))
        });
        all.push((request, takes));
    }
    for metres in [500, 3_000, 60_000] {
        // Cases of the own city say how far the other is; cases of the other, how far we are.
        let near: Takes = Box::new(move |case| {
            let far = distance(case, if case.originating_city == HERE { THERE } else { HERE });
            far.is_some_and(|far| far <= metres)
        });
        let request =
            pb::ListCasesRequest { near_city: THERE, near_metres: metres, ..base.clone() };
        all.push((request, near));
    }
    all
}

/// Opens the forty sample cases, half in each city, and moves some.
async fn fill(pair: &Pair) -> Vec<pb::Case> {
    for nth in 0..40 {
        let client = if nth % 2 == 0 { &pair.here } else { &pair.there };
        let case = pair.open(client, nth).await;
        if nth % 3 == 0 {
            let moved = verify(client, &case).await.unwrap();
            pair.held(&pair.here, &moved).await;
        } else {
            pair.held(&pair.here, &case).await;
        }
    }
    list_all(&pair.here, &pair.agreement).await
}

#[tokio::test(flavor = "multi_thread")]
async fn totals_are_exact_at_every_moment_of_a_storm() {
    let pair = Pair::start().await;
    let verifying = pb::CaseState::ClueVerifying as i32;
    let by_state = |state| pb::ListCasesRequest {
        parent: pair.agreement.clone(),
        states: vec![state],
        page_size: 200,
        ..Default::default()
    };
    // Cases are opened and moved on while they are listed; all fit on one page, so each answer says
    // of itself whether its total is that of its cases.
    let storm = async {
        for nth in 0..40 {
            let case = pair.open(&pair.here, nth).await;
            note(&pair.here, &case.name, "补充").await.unwrap();
            verify(&pair.here, &case).await.unwrap();
        }
    };
    let looks = async {
        let (mut before, mut seen) = (0, BTreeSet::new());
        while before < 40 {
            for state in [verifying, pb::CaseState::ClueReported as i32] {
                let page = page(&pair.here, &by_state(state)).await;
                assert_eq!(page.total_size as usize, page.cases.len());
                assert!(page.cases.iter().all(|case| case.state == state), "as it was counted");
                if state == verifying {
                    assert!(page.cases.len() >= before, "none comes back");
                    before = page.cases.len();
                    seen.insert(before);
                }
            }
        }
        seen.len()
    };
    let ((), moments) = tokio::join!(storm, looks);
    assert!(moments > 3, "the lists were read while cases moved: {moments}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_show_what_one_counts_by_hand() {
    let pair = Pair::start().await;
    let all = fill(&pair).await;
    assert_eq!(all.len(), 40);
    for parent in [pair.agreement.as_str(), "agreements/-"] {
        for (mut request, takes) in filters(parent) {
            let want: Vec<String> =
                all.iter().filter(|case| takes(case)).map(|case| case.name.clone()).collect();
            for size in [1, 7, 39, 40, 200] {
                request.page_size = size;
                request.page_token.clear();
                let mut got = Vec::new();
                loop {
                    let page = page(&pair.here, &request).await;
                    assert_eq!(page.total_size as usize, want.len(), "{request:?}");
                    assert!(!page.total_is_partial && page.cases.len() <= size as usize);
                    got.extend(names(&page.cases));
                    request.page_token = page.next_page_token;
                    if request.page_token.is_empty() {
                        break;
                    }
                    assert!(!page.cases.is_empty(), "an empty page with more behind it");
                }
                assert_eq!(got, want, "{request:?}");
            }
        }
    }
    by_numbers(&pair, &all).await;
    tokens_are_bound(&pair).await;
}

async fn by_numbers(pair: &Pair, all: &[pb::Case]) {
    for parent in [pair.agreement.as_str(), "agreements/-"] {
        for case in all.iter().take(4) {
            let mut request = pb::ListCasesRequest {
                parent: parent.to_owned(),
                number: case.number.clone(),
                ..Default::default()
            };
            let found = page(&pair.here, &request).await;
            assert_eq!(found.cases.iter().map(|c| &c.name).collect::<Vec<_>>(), [&case.name]);
            request.states = vec![pb::CaseState::Archived as i32];
            assert_eq!(page(&pair.here, &request).await.cases, []);
        }
    }
    let mut opening = super::api::sample(&pair.agreement, 0);
    let external = pb::ExternalRef { system: "执法系统".into(), number: "A-1".into() };
    opening.external_ref = Some(external);
    let case = super::api::create(&pair.here, opening.clone()).await.unwrap();
    let request = pb::ListCasesRequest {
        parent: "agreements/-".to_owned(),
        external_number: "A-1".to_owned(),
        ..Default::default()
    };
    let found = page(&pair.here, &request).await;
    assert_eq!((names(&found.cases), found.total_size), (vec![case.name.clone()], 1));
    opening.request_id = super::api::fresh();
    let taken = super::api::create(&pair.here, opening.clone()).await;
    assert_eq!(refused(taken), (Code::AlreadyExists, "EXTERNAL_REF_TAKEN".into()));
    // The same number in another system is another case: they come page by page.
    opening.external_ref = Some(pb::ExternalRef { system: "信访".into(), number: "A-1".into() });
    opening.request_id = super::api::fresh();
    let other = super::api::create(&pair.here, opening).await.unwrap();
    let (mut paged, mut got) = (pb::ListCasesRequest { page_size: 1, ..request.clone() }, vec![]);
    loop {
        let found = page(&pair.here, &paged).await;
        assert_eq!((found.cases.len(), found.total_size), (1, 2));
        got.extend(names(&found.cases));
        paged.page_token = found.next_page_token;
        if paged.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(got, [other.name, case.name]);
    let absent = pb::ListCasesRequest { external_number: "A-2".into(), ..request };
    assert_eq!(page(&pair.here, &absent).await.total_size, 0);
}

async fn tokens_are_bound(pair: &Pair) {
    let base =
        pb::ListCasesRequest { parent: pair.agreement.clone(), page_size: 5, ..Default::default() };
    let token = page(&pair.here, &base).await.next_page_token;
    let with = |token: &str| pb::ListCasesRequest { page_token: token.to_owned(), ..base.clone() };
    let bad = (Code::InvalidArgument, "PAGE_TOKEN".to_owned());
    let other_filter = pb::ListCasesRequest { turn_city: HERE, ..with(&token) };
    assert_eq!(refused_page(&pair.here, other_filter).await, bad);
    let other_area = pb::ListCasesRequest { county_code: 371_500, ..with(&token) };
    assert_eq!(refused_page(&pair.here, other_area).await, bad);
    let other_caller = pair.nodes.client_as(HERE, Role::Auditor).await;
    assert_eq!(refused_page(&other_caller, with(&token)).await, bad);
    for place in 0..token.len() {
        let mut tampered = token.clone().into_bytes();
        tampered[place] = if tampered[place] == b'1' { b'2' } else { b'1' };
        let tampered = String::from_utf8(tampered).unwrap();
        assert_eq!(refused_page(&pair.here, with(&tampered)).await, bad, "{tampered}");
    }
    for garbage in ["x", "-", "1.2", "----", &"9".repeat(5_000)] {
        assert_eq!(refused_page(&pair.here, with(garbage)).await, bad, "{garbage}");
    }
    let larger = pb::ListCasesRequest { page_size: 100_000, ..with(&token) };
    assert_eq!(page(&pair.here, &larger).await.cases.len(), 37, "the size may change, clamped");
    let negative = pb::ListCasesRequest { page_size: -1, ..base.clone() };
    let reason = refused_page(&pair.here, negative).await;
    assert_eq!(reason, (Code::InvalidArgument, "PAGE_SIZE".into()));
    let many = pb::ListCasesRequest { states: vec![1; 17], ..base.clone() };
    let reason = refused_page(&pair.here, many).await;
    assert_eq!(reason, (Code::InvalidArgument, "FILTER_TOO_COMPLEX".into()));
    let half = pb::ListCasesRequest { near_city: THERE, ..base.clone() };
    let reason = refused_page(&pair.here, half).await;
    assert_eq!(reason, (Code::InvalidArgument, "FILTER_INCOMPLETE".into()));
    for county_code in [42, 370_000, 370_022, 3_715_220] {
        let nowhere = pb::ListCasesRequest { county_code, ..base.clone() };
        let reason = refused_page(&pair.here, nowhere).await;
        assert_eq!(reason, (Code::InvalidArgument, "AREA_CODE".into()), "{county_code}");
    }
    let strange = pb::ListCasesRequest { states: vec![999], ..base.clone() };
    assert_eq!(refused_page(&pair.here, strange).await.0, Code::InvalidArgument);
    let no_city = pb::ListCasesRequest { turn_city: 42, ..base.clone() };
    let reason = refused_page(&pair.here, no_city).await;
    assert_eq!(reason, (Code::InvalidArgument, "CITY_CODE".into()));
    let no_name = pb::ListCasesRequest { parent: "agreements/x".into(), ..base };
    let reason = refused_page(&pair.here, no_name).await;
    assert_eq!(reason, (Code::InvalidArgument, "NAME_FORMAT".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_stable_while_cases_are_opened() {
    let mut pair = Pair::start().await;
    for nth in 0..20 {
        pair.open(&pair.here, nth).await;
    }
    let before: Vec<String> = names(&list_all(&pair.here, &pair.agreement).await);
    let mut request =
        pb::ListCasesRequest { parent: pair.agreement.clone(), page_size: 3, ..Default::default() };
    let mut got = Vec::new();
    loop {
        let page = page(&pair.here, &request).await;
        assert_eq!(page.total_size, 20, "as of the first page");
        got.extend(names(&page.cases));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
        pair.open(&pair.here, 21).await;
        note(&pair.here, &before[0], "又有新情况").await.unwrap();
    }
    assert_eq!(got, before, "each once, in order, whatever is opened meanwhile");
    let unique: BTreeSet<_> = got.iter().collect();
    assert_eq!(unique.len(), got.len());
    // A token from before a restart is known as such.
    request.page_token.clear();
    request.page_token = page(&pair.here, &request).await.next_page_token;
    pair.nodes.kill(HERE);
    pair.nodes.start(HERE);
    let again = pair.nodes.client(HERE).await;
    let expired = again.cases().list_cases(request).await;
    assert_eq!(refused(expired), (Code::Aborted, "TOKEN_EXPIRED".into()));
    assert!(get(&again, &before[0]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn large_cases_make_short_pages() {
    let pair = Pair::start().await;
    for nth in 0..60 {
        let mut opening = super::api::sample(&pair.agreement, nth % 40);
        opening.record.as_mut().unwrap().summary = "案".repeat(8_000);
        super::api::create(&pair.here, opening).await.unwrap();
    }
    let request = pb::ListCasesRequest {
        parent: pair.agreement.clone(),
        page_size: 200,
        ..Default::default()
    };
    let first = page(&pair.here, &request).await;
    assert!(!first.next_page_token.is_empty() && first.cases.len() < 60);
    assert_eq!(first.total_size, 60);
    assert_eq!(list_all(&pair.here, &pair.agreement).await.len(), 60);
    let answer: Result<_, Status> = get(&pair.here, &first.cases[0].name).await;
    assert_eq!(answer.unwrap(), first.cases[0]);
}
