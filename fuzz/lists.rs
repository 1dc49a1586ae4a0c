//! Targets `page_token` and `list_request`: what a client may ask lists for.
//!
//! In scope: page tokens, page sizes, filters. Out of scope: what is then found, which needs rows
//! (`tests/it/api_lists.rs`).

use bytes::Bytes;
use liandong::domain::catalogue::Catalogue;
use liandong::domain::{Case, CaseFacts, CaseState, DataLevel, Date, Medium, Source, Violation};
use liandong::ids::{AgreementId, CityCode, LogId, Position, SubjectId};
use liandong::limits::{FILTER_STATES_MAX, PAGE_SIZE_MAX, SAME_ACT_METRES};
use liandong::node::core::{Agreement, AgreementBook};
use liandong::node::roll::Line;
use liandong::node::same_act::SameActs;
use liandong::rpc::case_filter::Filter;
use liandong::rpc::page_token::{self, Seal};
use liandong::trust::charter::SignedCharter;
use liandong::trust::keys::HmacKey;
use liandong::view::{CaseView, MemRows};
use liandong::wire;
use liandong::wire::pb::v1 as pb;
use prost::Message as _;

const CALLER: &str = "coordinator/zhang";
const CHARTER: &[u8] = include_bytes!("corpus/charter/charter-signed");

fn seal(start: u8, caller: &str, filter: &[u8]) -> Seal {
    let key = HmacKey::new([7; 32]);
    Seal::by(Box::new(move |fields| key.tag(fields)), [start; 32], caller, filter.to_vec())
}

/// A token opens for whom it was made, as what it was made of, and for nobody else.
fn opens<const N: usize>(token: &str) -> bool {
    let Ok(Some(numbers)) = seal(1, CALLER, b"f").open::<N>(token) else {
        return false;
    };
    assert_eq!(seal(1, CALLER, b"f").close(&numbers), token);
    let reason = |seal: Seal| seal.open::<N>(token).map_err(|refused| refused.reason());
    for (caller, filter) in [("coordinator/li", "f"), ("coordinator/zhan", "gf"), (CALLER, "")] {
        assert_eq!(reason(seal(1, caller, filter.as_bytes())), Err("PAGE_TOKEN"), "{caller}");
    }
    assert_eq!(reason(seal(2, CALLER, b"f")), Err("TOKEN_EXPIRED"));
    true
}

/// The bytes as a token; and as the numbers of one, which opens until a byte of it is changed.
pub fn page_token(data: &[u8]) -> bool {
    let number = |at: usize| {
        let bytes = data.get(at * 8..at * 8 + 8).and_then(|b| b.try_into().ok());
        u64::from_be_bytes(bytes.unwrap_or_default())
    };
    let made = seal(1, CALLER, b"f").close(&[number(0), number(1), number(2)]);
    assert!(opens::<3>(&made) && !opens::<1>(&made) && !opens::<4>(&made));
    let mut changed = made.clone().into_bytes();
    let at = usize::from(data.first().copied().unwrap_or_default()) % changed.len();
    changed[at] = data.last().copied().unwrap_or_default();
    if changed != made.as_bytes() {
        assert!(!String::from_utf8(changed).is_ok_and(|token| opens::<3>(&token)));
    }
    std::str::from_utf8(data).is_ok_and(|token| opens::<1>(token) || opens::<3>(token))
}

fn book() -> AgreementBook {
    let note = Bytes::from_static(CHARTER);
    let charter = SignedCharter::parse(&note).expect("sample").charter().clone();
    let mut book = AgreementBook::default();
    book.insert(Agreement::new(charter, note));
    book
}

fn city(code: u32) -> CityCode {
    CityCode::from_u32(code).expect("a city")
}

/// A case that lies with its opener.
fn view(state: CaseState) -> CaseView {
    let day = Date::parse("2026-11-20").expect("a day");
    let opened_at = Position { log: LogId::new([1; 32]), index: 0 };
    let facts = CaseFacts {
        source: Source::UavPatrol,
        medium: Medium::Water,
        violation: Violation::EvasionWater,
        county_code: None,
        discovered_time_ms: 0,
        occurred_from: None,
        occurred_to: None,
        data_level: DataLevel::General,
        borders: Vec::new(),
        border_uncertain: false,
        belt_exception: false,
        has_point: false,
    };
    let case = Case {
        state,
        originating: city(371_500),
        handling: city(371_500),
        turn: Some(city(371_500)),
        transfer: None,
        last_effective_on: day,
        handled_by: vec![city(371_500)],
        facts,
    };
    CaseView {
        case,
        opened_at,
        last_move: opened_at,
        record_at: opened_at,
        person_at: None,
        handed_at: opened_at,
        campaigns: Vec::new(),
        move_count: 1,
        contribution_count: 0,
        misfit_count: 0,
        needs_newer: false,
        parts_received_by: Vec::new(),
        last_record_time_ms: 0,
        last_apply: 1,
        opened_apply: 1,
    }
}

/// A request for a list: refused, or a filter within its limits that shows no more than asked.
pub fn list_request(data: &[u8]) -> bool {
    let Ok(asked) = pb::ListCasesRequest::decode(data) else { return false };
    let size = page_token::size(asked.page_size, 50);
    assert!(size.is_err() || size.is_ok_and(|s| (1..=PAGE_SIZE_MAX as usize).contains(&s)));
    let (book, acts) = (book(), SameActs::new(SAME_ACT_METRES, Catalogue::shipped()));
    let Ok(filter) = Filter::read(&book, city(371_500), &acts, &asked) else { return false };
    assert!(asked.states.len() <= FILTER_STATES_MAX);
    assert!(filter.agreements.iter().all(|id| book.get(*id).is_some()));
    let agreement = filter.agreements.first().copied().expect("all, or the one that is asked for");
    let key = (agreement, SubjectId::new([2; 16]));
    let outside = (AgreementId::new([1; 16]), key.1);
    let line = |case, state| Line::of(&MemRows::default(), case, &view(state));
    assert!(!filter.takes(&line(outside, CaseState::Filed)), "of no agreement asked for");
    for state in [CaseState::ClueVerifying, CaseState::Filed] {
        let by_line = filter.takes(&line(key, state));
        let taken = by_line && filter.may_be_one_act((1, key)).0;
        assert!(taken == by_line || !filter.is_by_lines());
        let code = wire::case::state_number(Some(state));
        let named = asked.states.is_empty() || asked.states.contains(&code);
        let of = |code: u32| code == 0 || code == 371_500;
        let cities = [asked.originating_city, asked.handling_city, asked.turn_city];
        // An index that knows no case has no hint.
        let silent = asked.near_city == 0 && asked.county_code == 0 && !asked.has_same_act_hints;
        assert_eq!(taken, named && cities.into_iter().all(of) && silent);
    }
    // A token is bound to these bytes: one request has one form.
    let body = wire::case::request_body(&asked);
    let again = pb::ListCasesRequest::decode(body.as_slice()).expect("own bytes");
    assert_eq!(wire::case::request_body(&again), body);
    true
}
