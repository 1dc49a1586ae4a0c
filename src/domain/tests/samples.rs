//! The sample cases: every record is read, every timeline walks through the table.

use crate::domain::case::{Case, CaseMove, CaseState, CaseStep};
use crate::domain::code::Words;
use crate::domain::date::Date;
use crate::domain::decide::{decide, decide_open};
use crate::domain::division::CountyCode;
use crate::domain::evidence::EvidenceDraft;
use crate::domain::facts::{BorderDistance, CaseFacts, DataLevel, Medium, Source};
use crate::domain::fixtures::date;
use crate::domain::law::LegalBasisDraft;
use crate::domain::party::Party;
use crate::domain::pollutant::MeasurementDraft;
use crate::domain::record::{CaseDraft, CaseRecord, PenaltyDraft};
use crate::domain::transition::next;
use crate::domain::violation::Violation;
use crate::ids::CityCode;
use serde_json::Value;

const SAMPLES: &str = include_str!("../../../demo/sample-cases.json");

fn samples() -> Vec<Value> {
    let file: Value = serde_json::from_str(SAMPLES).unwrap();
    file["cases"].as_array().unwrap().clone()
}

/// The text of a field; numbers as they are written, nothing for null.
fn text(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None if value.is_null() => String::new(),
        None => value.to_string(),
    }
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().unwrap().iter().map(read).collect()
}

fn city(value: &Value) -> CityCode {
    CityCode::parse(value.as_str().unwrap()).unwrap()
}

fn day(value: &Value) -> Option<Date> {
    value.as_str().map(|text| Date::parse(text).unwrap())
}

fn facts(case: &Value) -> CaseFacts {
    let place = &case["location"];
    let at: jiff::Timestamp = case["discovered_at"].as_str().unwrap().parse().unwrap();
    let metres = place["border_distance_m"].as_u64().unwrap();
    let near = BorderDistance {
        city: city(&case["counterpart_city"]),
        metres: u32::try_from(metres).unwrap(),
    };
    CaseFacts {
        source: Source::parse(&text(&case["source"])).unwrap(),
        medium: Medium::parse(&text(&case["medium"])).unwrap(),
        violation: Violation::parse(&text(&case["violation_code"])).unwrap(),
        county_code: Some(CountyCode::parse(&text(&place["county_code"])).unwrap().as_u32()),
        discovered_time_ms: at.as_millisecond(),
        occurred_from: day(&case["occurred_from"]),
        occurred_to: day(&case["occurred_to"]),
        data_level: DataLevel::parse(&text(&case["data_level"])).unwrap(),
        borders: vec![near],
        border_uncertain: false,
        belt_exception: false,
        has_point: true,
    }
}

fn draft(case: &Value) -> CaseDraft {
    let (place, party, penalty) = (&case["location"], &case["party"], &case["penalty"]);
    CaseDraft {
        title: text(&case["title"]),
        summary: text(&case["summary_zh"]),
        coordinates: Some((text(&place["lon"]), text(&place["lat"]), text(&place["crs"]))),
        address: text(&place["address_zh"]),
        party_name: text(&party["name"]),
        party_uscc: text(&party["uscc"]),
        party_masked_name: text(&party["masked_name"]),
        industry_code: text(&party["industry_code"]),
        permit_no: text(&party["permit_no"]),
        positive_list: party["positive_list"].as_bool().unwrap(),
        pollutants: list(&case["pollutants"], |p| MeasurementDraft {
            code: text(&p["code"]),
            value: text(&p["value"]),
            unit: text(&p["unit"]),
            limit: text(&p["limit"]),
            exceed_multiple: text(&p["exceed_multiple"]),
            statistic: text(&p["statistic"]),
        }),
        legal_basis: list(&case["legal_basis"], |basis| LegalBasisDraft {
            law: text(&basis["law"]),
            article: text(&basis["article"]),
            item: basis["item"].as_u64().map(|item| u16::try_from(item).unwrap()),
            effective_from: text(&basis["effective_from"]),
            effective_to: text(&basis["effective_to"]),
        }),
        law_choice: text(&case["law_choice_zh"]),
        belt_reason: String::new(),
        evidence: list(&case["evidence"], evidence),
        officers: list(&case["officers"], |o| (text(&o["cert_no"]), text(&o["org_zh"]))),
        case_no: text(&case["case_no"]),
        penalty: penalty.is_object().then(|| PenaltyDraft {
            kinds: list(&penalty["kinds"], text),
            fine_fen: penalty["fine_cny"].as_i64().map(|yuan| yuan * 100),
            proposed: penalty["proposed"].as_bool().unwrap(),
            decision_no: text(&penalty["decision_no"]),
        }),
    }
}

fn evidence(item: &Value) -> EvidenceDraft {
    EvidenceDraft {
        id: text(&item["evidence_id"]),
        kind: text(&item["kind"]),
        title: text(&item["title_zh"]),
        collected_on: text(&item["collected_on"]),
        mime: text(&item["mime"]),
        size_bytes: item["size_bytes"].as_u64().unwrap(),
        sha256: text(&item["digest"]["sha256"]),
        sm3: text(&item["digest"]["sm3"]),
        level: text(&item["level"]),
        ..EvidenceDraft::default()
    }
}

/// The move that a line of a timeline tells of.
fn mv(case: &Value, state: CaseState, on: Date) -> CaseMove {
    if state == CaseState::TransferredOut {
        return CaseMove::TransferOffered { to: city(&case["transfer"]["to"]), effective_on: on };
    }
    if state == CaseState::TransferAccepted {
        return CaseMove::TransferAccepted { effective_on: on };
    }
    let step = *CaseStep::ALL.iter().find(|step| step.leads_to() == state).unwrap();
    CaseMove::Stepped { step, effective_on: on }
}

#[test]
fn every_timeline_walks_through_the_table() {
    let samples = samples();
    assert_eq!(samples.len(), 40);
    let mut moves = 0;
    for sample in &samples {
        let members = [city(&sample["originating_city"]), city(&sample["counterpart_city"])];
        let mut lines = sample["timeline"].as_array().unwrap().iter();
        let first = lines.next().unwrap();
        let on = day(&first["on"]).unwrap();
        assert_eq!(first["state"], "CLUE_REPORTED");
        let by = city(&first["actor_city"]);
        let mut case: Case = decide_open(by, &members, on, &facts(sample), on).unwrap();
        for line in lines {
            let state = CaseState::parse(line["state"].as_str().unwrap()).unwrap();
            let (by, on) = (city(&line["actor_city"]), day(&line["on"]).unwrap());
            let event = decide(&case, by, &members, on, &mv(sample, state, on)).unwrap();
            case = next(&case, by, &members, &event).unwrap();
            assert_eq!(case.state, state, "{}", sample["case_id"]);
            moves += 1;
        }
        assert_eq!(case.state.code(), sample["state"], "{}", sample["case_id"]);
        assert_eq!(case.handling, city(&sample["handling_city"]));
        assert_eq!(case.originating, city(&sample["originating_city"]));
    }
    assert_eq!(moves, 148);
}

#[test]
fn every_record_is_read() {
    for sample in samples() {
        let record = CaseRecord::parse(&draft(&sample)).unwrap();
        assert_eq!(record.check_filing(), Ok(()));
        assert_eq!(record.title.as_str(), sample["title"]);
        let coordinates = record.coordinates.unwrap().to_string();
        let lon = coordinates.split(',').next().unwrap();
        assert_eq!(lon.trim_end_matches('0'), sample["location"]["lon"].to_string());
        let natural = sample["party"]["type"] == "NATURAL_PERSON";
        assert_eq!(matches!(record.party, Some(Party::NaturalPerson { .. })), natural);
        assert_eq!(facts(&sample).violation.zh(), sample["violation_zh"]);
        for (read, given) in record.evidence.iter().zip(sample["evidence"].as_array().unwrap()) {
            assert_eq!(read.sha256.to_string(), given["digest"]["sha256"]);
            assert_eq!(read.kind.default_level(), read.level, "{}", given["evidence_id"]);
        }
    }
}

#[test]
fn facts_of_the_samples_lie_in_the_past() {
    for sample in samples() {
        assert_eq!(facts(&sample).check(date("2026-11-20")), Ok(()));
    }
}

#[test]
fn every_legal_basis_of_the_samples_is_taken() {
    use crate::domain::catalogue::Catalogue;
    use crate::domain::catalogue::check::Circumstances;
    let catalogue = Catalogue::shipped();
    let mut taken = 0;
    for sample in samples() {
        let (facts, record) = (facts(&sample), CaseRecord::parse(&draft(&sample)).unwrap());
        // Without the reason some of them give, so that only the days speak.
        let of = Circumstances {
            occurred_from: facts.occurred_from,
            occurred_to: facts.occurred_to,
            reasoned: false,
        };
        for basis in &record.legal_basis {
            assert_eq!(catalogue.check(basis, of), Ok(()), "{}", sample["case_id"]);
            taken += 1;
        }
    }
    assert_eq!(taken, 40);
}
