//! Cases in files: the shape of the sample cases, read into what the API takes.
//!
//! In scope: shape and units (yuan to fen, numbers to decimal strings, names to enum values).
//! Out of scope: whether a credit code, a point or a date is right; the node checks that.
//!
//! An unknown field is refused, so that a misspelt one is not lost in silence. Fields that only
//! describe (`deadlines`, `timeline`, names in Chinese beside codes) are read and left out.

use serde::Deserialize;
use serde_json::Value;

use crate::ids::{CityCode, unhex};
use crate::shown::when;
use crate::wire::pb::v1 as pb;

/// Why a file cannot be used; names the field.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// Not JSON, or not of this shape.
    #[error("{0}")]
    Shape(#[from] serde_json::Error),
    /// A value is not one of those the field takes.
    #[error("{field}: {value}")]
    Value {
        /// Which field.
        field: &'static str,
        /// What was given.
        value: String,
    },
    /// The file holds several cases, or none of the name asked for.
    #[error("holds {found} cases, none chosen")]
    Choice {
        /// How many.
        found: usize,
    },
}

/// One case of a file, ready to be sent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Draft {
    /// Its name in the file.
    pub case_id: String,
    /// Structural facts.
    pub facts: pb::CaseFacts,
    /// What people typed.
    pub record: pb::CaseRecord,
    /// A natural person.
    pub person: Option<pb::PersonRecord>,
    /// Legal date of the report: the first line of the timeline.
    pub reported_on: Option<pb::Date>,
    /// Its agreement, by short name or name.
    pub agreement: Option<String>,
    /// Who opened it.
    pub originating: Option<CityCode>,
    /// Its number in a system of the own city.
    pub external_ref: Option<pb::ExternalRef>,
    /// Cities it is shared with, ascending.
    pub shared_with: Vec<u32>,
    /// The recorded history.
    pub timeline: Vec<Moment>,
    /// The transfer, if there was one.
    pub transfer: Option<Transfer>,
    /// Certificate number of the first officer.
    pub officer: Option<String>,
}

/// One line of a recorded history.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// State reached.
    pub state: pb::CaseState,
    /// Legal date.
    pub on: pb::Date,
    /// Whose move.
    pub city: CityCode,
}

/// A recorded transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The receiving city; `None` for the police.
    pub to: Option<CityCode>,
    /// Why.
    pub reason: String,
    /// A person at the receiver acknowledged it.
    pub acknowledged: bool,
}

/// Reads a file with one case, or the one called `pick` of a file with several.
///
/// # Errors
/// [`DraftError`] naming the field.
pub fn read(text: &str, pick: Option<&str>) -> Result<Draft, DraftError> {
    let value: Value = serde_json::from_str(text)?;
    let Some(cases) = value.get("cases").and_then(Value::as_array) else {
        return parse(value);
    };
    let found = cases.len();
    let chosen = match pick {
        Some(pick) => cases.iter().find(|case| case.get("case_id").is_some_and(|id| id == pick)),
        None => cases.first().filter(|_| found == 1),
    };
    parse(chosen.ok_or(DraftError::Choice { found })?.clone())
}

/// Reads all cases of a file.
///
/// # Errors
/// [`DraftError`] naming the field of the first case that is wrong.
pub fn read_all(text: &str) -> Result<Vec<Draft>, DraftError> {
    #[derive(Deserialize)]
    struct File {
        cases: Vec<Value>,
    }
    let file: File = serde_json::from_str(text)?;
    file.cases.into_iter().map(parse).collect()
}

/// Reads one case that was read as JSON.
///
/// # Errors
/// [`DraftError`] naming the field.
pub fn parse(value: Value) -> Result<Draft, DraftError> {
    let raw: Raw = serde_json::from_value(value)?;
    let facts = facts(&raw)?;
    let shared = raw.shared_with.iter().map(|code| city("shared_with", code));
    let mut shared_with =
        shared.map(|city| city.map(CityCode::as_u32)).collect::<Result<Vec<_>, _>>()?;
    shared_with.sort_unstable();
    let timeline = raw.timeline.iter().map(moment).collect::<Result<Vec<_>, _>>()?;
    Ok(Draft {
        case_id: raw.case_id.clone().unwrap_or_default(),
        facts,
        person: raw.person.clone().map(|person| pb::PersonRecord {
            name: person.name,
            id_number: person.id_number,
            phone: person.phone,
            address: person.address,
        }),
        reported_on: date("reported_on", raw.reported_on.as_deref())?
            .or(timeline.first().map(|moment: &Moment| moment.on)),
        agreement: raw.agreement.clone(),
        originating: raw
            .originating_city
            .as_deref()
            .map(|code| city("originating_city", code))
            .transpose()?,
        external_ref: raw
            .external_ref
            .as_ref()
            .map(|own| pb::ExternalRef { system: own.system.clone(), number: own.number.clone() }),
        shared_with,
        timeline,
        transfer: raw.transfer.as_ref().map(transfer).transpose()?,
        officer: raw.officers.first().map(|officer| officer.cert_no.clone()),
        record: record(raw)?,
    })
}

fn facts(raw: &Raw) -> Result<pb::CaseFacts, DraftError> {
    let discovered = when::parse_millis(&raw.discovered_at);
    let county = raw.location.as_ref().and_then(|at| at.county_code.as_deref()).unwrap_or("0");
    Ok(pb::CaseFacts {
        source: pb::Source::from_str_name(&format!("SOURCE_{}", raw.source))
            .ok_or_else(|| bad("source", &raw.source))?
            .into(),
        medium: pb::Medium::from_str_name(&format!("MEDIUM_{}", raw.medium))
            .ok_or_else(|| bad("medium", &raw.medium))?
            .into(),
        violation: pb::Violation::from_str_name(&format!("VIOLATION_{}", raw.violation_code))
            .ok_or_else(|| bad("violation_code", &raw.violation_code))?
            .into(),
        county_code: county.parse().map_err(|_| bad("location.county_code", county))?,
        discover_time_ms: discovered.map_err(|why| bad("discovered_at", &why))?,
        occurred_from: date("occurred_from", raw.occurred_from.as_deref())?,
        occurred_to: date("occurred_to", raw.occurred_to.as_deref())?,
        data_level: match &raw.data_level {
            Some(level) => data_level("data_level", level)?.into(),
            None => pb::DataLevel::General.into(),
        },
        has_point: raw.location.as_ref().is_some_and(|at| at.lon.is_some() && at.lat.is_some()),
        // The node computes these.
        border_distances: Vec::new(),
        border_uncertain: false,
        belt_exception: false,
    })
}

fn data_level(field: &'static str, text: &str) -> Result<pb::DataLevel, DraftError> {
    pb::DataLevel::from_str_name(&format!("DATA_LEVEL_{text}")).ok_or_else(|| bad(field, text))
}

fn record(raw: Raw) -> Result<pb::CaseRecord, DraftError> {
    Ok(pb::CaseRecord {
        title: raw.title,
        summary: raw.summary_zh.unwrap_or_default(),
        location: raw.location.map(|at| pb::Location {
            longitude: at.lon.map(decimal).unwrap_or_default(),
            latitude: at.lat.map(decimal).unwrap_or_default(),
            crs: at.crs.unwrap_or_default(),
            address: at.address_zh.unwrap_or_default(),
        }),
        party: raw.party.map(party).transpose()?,
        pollutants: raw.pollutants.into_iter().map(pollutant).collect::<Result<_, _>>()?,
        legal_bases: raw.legal_basis.into_iter().map(basis).collect::<Result<_, _>>()?,
        evidence: raw.evidence.into_iter().map(evidence).collect::<Result<_, _>>()?,
        officers: raw
            .officers
            .into_iter()
            .map(|officer| pb::Officer {
                certificate_number: officer.cert_no,
                unit: officer.org_zh.unwrap_or_default(),
            })
            .collect(),
        case_file_number: raw.case_no.unwrap_or_default(),
        penalty: raw.penalty.map(penalty).transpose()?,
        belt_reason: raw.belt_reason.unwrap_or_default(),
        law_choice: raw.law_choice_zh.unwrap_or_default(),
    })
}

fn party(raw: shape::Party) -> Result<pb::Party, DraftError> {
    let name = format!("PARTY_TYPE_{}", raw.r#type);
    Ok(pb::Party {
        r#type: pb::PartyType::from_str_name(&name)
            .ok_or_else(|| bad("party.type", &raw.r#type))?
            .into(),
        name: raw.name.unwrap_or_default(),
        uscc: raw.uscc.unwrap_or_default(),
        masked_name: raw.masked_name.unwrap_or_default(),
        industry_code: raw.industry_code.unwrap_or_default(),
        positive_list: raw.positive_list,
        permit_number: raw.permit_no.unwrap_or_default(),
    })
}

fn pollutant(raw: shape::Pollutant) -> Result<pb::Pollutant, DraftError> {
    let statistic = raw.statistic.unwrap_or_else(|| "SPOT".to_owned());
    Ok(pb::Pollutant {
        code: raw.code,
        value: decimal(raw.value),
        unit: raw.unit,
        limit: decimal(raw.limit),
        exceed_multiple: raw.exceed_multiple.map(decimal).unwrap_or_default(),
        statistic: pb::PollutantStatistic::from_str_name(&format!(
            "POLLUTANT_STATISTIC_{statistic}"
        ))
        .ok_or_else(|| bad("pollutants.statistic", &statistic))?
        .into(),
    })
}

fn basis(raw: shape::Basis) -> Result<pb::LegalBasis, DraftError> {
    Ok(pb::LegalBasis {
        law: raw.law,
        article: raw.article,
        item: raw.item.unwrap_or(0),
        effective_from: date("legal_basis.effective_from", raw.effective_from.as_deref())?,
        effective_to: date("legal_basis.effective_to", raw.effective_to.as_deref())?,
    })
}

fn evidence(raw: shape::Evidence) -> Result<pb::Evidence, DraftError> {
    let digest = |field, text: &str| unhex(text).ok_or_else(|| bad(field, text));
    Ok(pb::Evidence {
        kind: pb::EvidenceKind::from_str_name(&format!("EVIDENCE_KIND_{}", raw.kind))
            .ok_or_else(|| bad("evidence.kind", &raw.kind))?
            .into(),
        id: raw.evidence_id,
        title: raw.title_zh,
        collected_on: date("evidence.collected_on", raw.collected_on.as_deref())?,
        mime: raw.mime.unwrap_or_default(),
        size_bytes: raw.size_bytes,
        sha256: digest("evidence.digest.sha256", &raw.digest.sha256)?.into(),
        sm3: digest("evidence.digest.sm3", raw.digest.sm3.as_deref().unwrap_or(""))?.into(),
        // Where none is given it is not set: the kind of evidence has its own.
        level: match &raw.level {
            Some(level) => data_level("evidence.level", level)?.into(),
            None => pb::DataLevel::Unspecified.into(),
        },
        collectors: raw.collectors,
        place: raw.place.unwrap_or_default(),
        reviewed_legal: raw.reviewed_legal,
        reviewed_technical: raw.reviewed_technical,
    })
}

fn penalty(raw: shape::Penalty) -> Result<pb::Penalty, DraftError> {
    let kinds = raw.kinds.iter().map(|kind| {
        pb::PenaltyKind::from_str_name(&format!("PENALTY_KIND_{kind}"))
            .map(i32::from)
            .ok_or_else(|| bad("penalty.kinds", kind))
    });
    let yuan = raw.fine_cny.unwrap_or(0);
    let whole = || yuan.checked_mul(100).ok_or_else(|| bad("penalty.fine_cny", &yuan.to_string()));
    Ok(pb::Penalty {
        kinds: kinds.collect::<Result<_, _>>()?,
        fine_fen: raw.fine_fen.map_or_else(whole, Ok)?,
        proposed: raw.proposed,
        decision_number: raw.decision_no.unwrap_or_default(),
    })
}

fn moment(raw: &shape::Moment) -> Result<Moment, DraftError> {
    Ok(Moment {
        state: pb::CaseState::from_str_name(&format!("CASE_STATE_{}", raw.state))
            .ok_or_else(|| bad("timeline.state", &raw.state))?,
        on: when::parse_date(&raw.on).map_err(|why| bad("timeline.on", &why))?,
        city: city("timeline.actor_city", &raw.actor_city)?,
    })
}

fn transfer(raw: &shape::Transfer) -> Result<Transfer, DraftError> {
    let to = (raw.kind == "CITY").then(|| city("transfer.to", &raw.to)).transpose()?;
    Ok(Transfer {
        to,
        reason: raw.reason_zh.clone().unwrap_or_default(),
        acknowledged: raw.acknowledged_on.is_some(),
    })
}

fn bad(field: &'static str, value: &str) -> DraftError {
    DraftError::Value { field, value: value.to_owned() }
}

fn city(field: &'static str, code: &str) -> Result<CityCode, DraftError> {
    CityCode::parse(code).map_err(|_| bad(field, code))
}

fn date(field: &'static str, text: Option<&str>) -> Result<Option<pb::Date>, DraftError> {
    text.map(|text| when::parse_date(text).map_err(|why| bad(field, &why))).transpose()
}

/// A JSON number as it is written, or a string.
fn decimal(value: shape::Decimal) -> String {
    match value {
        shape::Decimal::Number(number) => number.to_string(),
        shape::Decimal::Text(text) => text,
    }
}

use shape::Raw;
mod shape;

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: &str = include_str!("../../demo/sample-cases.json");

    #[test]
    fn every_sample_case_is_read() {
        let drafts = read_all(SAMPLES).unwrap();
        assert_eq!(drafts.len(), 40);
        assert_eq!(drafts.iter().map(|draft| draft.timeline.len()).sum::<usize>(), 188);
        assert!(drafts.iter().all(|draft| draft.shared_with.len() == 2));
        assert_eq!(drafts.iter().filter_map(|draft| draft.transfer.clone()?.to).count(), 4);
    }

    #[test]
    fn units_and_names_are_converted() {
        let draft = read(SAMPLES, Some("LD-130400-2025-000001")).unwrap();
        let at = draft.record.location.unwrap();
        assert_eq!((at.longitude.as_str(), at.latitude.as_str()), ("115.137564", "36.243426"));
        assert_eq!(draft.record.penalty.unwrap().fine_fen, 28_600_000);
        assert_eq!(draft.facts.violation(), pb::Violation::SolidWasteDumping);
        assert_eq!(draft.facts.county_code, 130_425);
        assert_eq!(when::date(draft.reported_on.as_ref()), "2025-11-24");
        assert_eq!(draft.record.evidence[0].sha256.len(), 32);
        assert_eq!(draft.officer.as_deref(), Some("13040099011"));
    }

    #[test]
    fn evidence_without_a_level_has_that_of_its_kind() {
        let item = |kind: &str, level: &str| {
            let draft = format!(
                r#"{{"title":"t","source":"COMPLAINT","medium":"AIR","violation_code":"AIR_EXCEED",
                "discovered_at":"2026-11-20T08:00:00+08:00","evidence":[{{"evidence_id":"E01",
                "kind":"{kind}",{level}"title_zh":"t","collected_on":"2026-11-20",
                "mime":"video/mp4","size_bytes":1,"digest":{{"sha256":"{}"}}}}]}}"#,
                "ab".repeat(32),
            );
            let draft = read(&draft, None)?;
            let items = crate::wire::case::evidence(&draft.record.evidence).unwrap();
            Ok::<_, DraftError>(items[0].level.code())
        };
        assert_eq!(item("INTERVIEW_RECORD", "").unwrap(), "RESTRICTED");
        assert_eq!(item("AUDIO_VISUAL", "").unwrap(), "RESTRICTED");
        assert_eq!(item("DOCUMENTARY", "").unwrap(), "GENERAL");
        assert_eq!(item("AUDIO_VISUAL", r#""level":"GENERAL","#).unwrap(), "GENERAL");
        let unknown = item("DOCUMENTARY", r#""level":"OPEN","#).unwrap_err();
        assert!(unknown.to_string().contains("evidence.level"), "{unknown}");
    }

    #[test]
    fn a_misspelt_field_and_an_unknown_value_are_named() {
        let draft = r#"{"title":"t","source":"COMPLAINT","medium":"AIR",
            "violation_code":"AIR_EXCEED","discovered_at":"2026-11-20T08:00:00+08:00"}"#;
        assert!(read(draft, None).is_ok());
        let misspelt = draft.replace("\"title\"", "\"titel\":1,\"title\"");
        assert!(read(&misspelt, None).unwrap_err().to_string().contains("titel"));
        let unknown = draft.replace("AIR_EXCEED", "AIR");
        assert!(read(&unknown, None).unwrap_err().to_string().contains("violation_code"));
        assert!(matches!(read(SAMPLES, None), Err(DraftError::Choice { found: 40 })));
    }
}
