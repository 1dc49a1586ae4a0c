//! What people typed: records, persons and evidence, as messages and as values.
//!
//! Reading goes through the drafts of the domain, which know every rule; the paths of their
//! complaints are translated into those of the messages.

use super::code::{Code, Read};
use super::facts::{bytes, date_to_pb};
use super::pb::v1 as pb;
use crate::domain::evidence::{EvidenceDraft, EvidenceKind};
use crate::domain::facts::DataLevel;
use crate::domain::law::{LegalBasis, LegalBasisDraft};
use crate::domain::party::Party;
use crate::domain::place::Coordinates;
use crate::domain::pollutant::{Measurement, MeasurementDraft, Statistic};
use crate::domain::quantity::Decimal;
use crate::domain::record::{Penalty, PenaltyDraft, PenaltyKind};
use crate::domain::text::Line;
use crate::domain::{
    CaseDraft, CaseRecord, Date, Evidence, ExternalRef, Invalid, InvalidReason, PersonRecord,
};
use crate::ids::hex;
use crate::limits::{EVIDENCE_MAX, LEGAL_BASES_MAX, OFFICERS_MAX, POLLUTANTS_MAX};

/// The only reference system of coordinates.
const CRS: &str = "EPSG:4490";

/// Reads a record.
///
/// # Errors
/// Every wrong field, by its path in the message.
pub fn record_from_pb(record: &pb::CaseRecord) -> Result<CaseRecord, Vec<Invalid>> {
    let mut wrong = too_long(record);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    if let Some(at) = party_contradiction(record.party.as_ref()) {
        wrong.push(at);
    }
    match CaseRecord::parse(&draft(record)) {
        Ok(record) if wrong.is_empty() => Ok(record),
        Ok(_) => Err(wrong),
        Err(more) => {
            wrong.extend(more.into_iter().map(translated));
            Err(wrong)
        }
    }
}

/// Lists that are too long are told before anything of them is copied.
fn too_long(record: &pb::CaseRecord) -> Vec<Invalid> {
    let lists = [
        ("pollutants", record.pollutants.len(), POLLUTANTS_MAX),
        ("legal_bases", record.legal_bases.len(), LEGAL_BASES_MAX),
        ("evidence", record.evidence.len(), EVIDENCE_MAX),
        ("officers", record.officers.len(), OFFICERS_MAX),
    ];
    let long = lists.into_iter().filter(|(_, got, limit)| got > limit);
    long.map(|(field, _, limit)| Invalid::with_limit(InvalidReason::ListTooLong, limit).at(field))
        .collect()
}

/// The type of a party must say what its fields say.
fn party_contradiction(party: Option<&pb::Party>) -> Option<Invalid> {
    let party = party?;
    let (firm, masked) =
        (!party.name.is_empty() || !party.uscc.is_empty(), !party.masked_name.is_empty());
    let reason = match pb::PartyType::try_from(party.r#type) {
        Err(_) => InvalidReason::CodeUnknown,
        Ok(pb::PartyType::Unspecified) => InvalidReason::Required,
        Ok(pb::PartyType::LegalPerson) if !firm || masked => InvalidReason::CodeUnknown,
        Ok(pb::PartyType::NaturalPerson) if firm || !masked => InvalidReason::CodeUnknown,
        Ok(pb::PartyType::Unknown) if firm || masked => InvalidReason::CodeUnknown,
        Ok(pb::PartyType::LegalPerson | pb::PartyType::NaturalPerson | pb::PartyType::Unknown) => {
            return None;
        }
    };
    Some(Invalid::from(reason).at("party.type"))
}

/// From the names of the form to those of the message.
fn translated(wrong: Invalid) -> Invalid {
    const NAMES: [(&str, &str); 13] = [
        ("coordinates.crs", "location.crs"),
        ("coordinates.lon", "location.longitude"),
        ("coordinates.lat", "location.latitude"),
        ("coordinates", "location"),
        ("address", "location.address"),
        ("industry_code", "party.industry_code"),
        ("permit_no", "party.permit_number"),
        ("case_no", "case_file_number"),
        ("legal_basis", "legal_bases"),
        ("penalty.decision_no", "penalty.decision_number"),
        ("officers", "officers"),
        ("evidence", "evidence"),
        ("pollutants", "pollutants"),
    ];
    let field = wrong.field.map(|field| {
        let named = NAMES.iter().find_map(|(ours, theirs)| {
            let rest = field.strip_prefix(ours)?;
            (rest.is_empty() || rest.starts_with(['.', '['])).then(|| format!("{theirs}{rest}"))
        });
        named.unwrap_or(field).replace(".cert_no", ".certificate_number")
    });
    Invalid { field, ..wrong }
}

fn draft(record: &pb::CaseRecord) -> CaseDraft {
    let location = record.location.clone().unwrap_or_default();
    let party = record.party.clone().unwrap_or_default();
    let nowhere = location.longitude.is_empty() && location.latitude.is_empty();
    CaseDraft {
        title: record.title.clone(),
        summary: record.summary.clone(),
        coordinates: (!nowhere).then_some((location.longitude, location.latitude, location.crs)),
        address: location.address,
        party_name: party.name,
        party_uscc: party.uscc,
        party_masked_name: party.masked_name,
        industry_code: party.industry_code,
        permit_no: party.permit_number,
        positive_list: party.positive_list,
        pollutants: record.pollutants.iter().map(measurement_draft).collect(),
        legal_basis: record.legal_bases.iter().map(basis_draft).collect(),
        law_choice: record.law_choice.clone(),
        evidence: record.evidence.iter().map(evidence_draft).collect(),
        officers: record
            .officers
            .iter()
            .map(|officer| (officer.certificate_number.clone(), officer.unit.clone()))
            .collect(),
        case_no: record.case_file_number.clone(),
        penalty: record.penalty.as_ref().map(penalty_draft),
        belt_reason: record.belt_reason.clone(),
    }
}

/// The text by which the domain reads a code: nothing when unset, and what no list holds for a
/// number that is in none.
fn code_text<T: Code>(number: i32, code: impl Fn(T) -> &'static str) -> String {
    match T::read(number) {
        Read::Known(value) => code(value).to_owned(),
        Read::Unset => String::new(),
        Read::Newer => number.to_string(),
    }
}

/// The text by which the domain reads a date; of a day that does not exist as well.
fn date_text(date: Option<&pb::Date>) -> String {
    date.map_or_else(String::new, |d| format!("{:04}-{:02}-{:02}", d.year, d.month, d.day))
}

fn measurement_draft(pollutant: &pb::Pollutant) -> MeasurementDraft {
    MeasurementDraft {
        code: pollutant.code.clone(),
        value: pollutant.value.clone(),
        unit: pollutant.unit.clone(),
        limit: pollutant.limit.clone(),
        exceed_multiple: pollutant.exceed_multiple.clone(),
        statistic: code_text(pollutant.statistic, Statistic::code),
    }
}

fn basis_draft(basis: &pb::LegalBasis) -> LegalBasisDraft {
    let item = match basis.item {
        0 => None,
        item => Some(u16::try_from(item).unwrap_or(0)),
    };
    LegalBasisDraft {
        law: basis.law.clone(),
        article: basis.article.clone(),
        item,
        effective_from: date_text(basis.effective_from.as_ref()),
        effective_to: date_text(basis.effective_to.as_ref()),
    }
}

fn evidence_draft(evidence: &pb::Evidence) -> EvidenceDraft {
    EvidenceDraft {
        id: evidence.id.clone(),
        kind: code_text(evidence.kind, EvidenceKind::code),
        title: evidence.title.clone(),
        collected_on: date_text(evidence.collected_on.as_ref()),
        collectors: evidence.collectors.clone(),
        place: evidence.place.clone(),
        mime: evidence.mime.clone(),
        size_bytes: evidence.size_bytes,
        sha256: hex(&evidence.sha256),
        sm3: hex(&evidence.sm3),
        level: code_text(evidence.level, DataLevel::code),
        reviewed_legal: evidence.reviewed_legal,
        reviewed_technical: evidence.reviewed_technical,
    }
}

fn penalty_draft(penalty: &pb::Penalty) -> PenaltyDraft {
    PenaltyDraft {
        kinds: penalty.kinds.iter().map(|kind| code_text(*kind, PenaltyKind::code)).collect(),
        fine_fen: (penalty.fine_fen != 0).then_some(penalty.fine_fen),
        proposed: penalty.proposed,
        decision_no: penalty.decision_number.clone(),
    }
}

/// Reads a list of evidence.
///
/// # Errors
/// Every wrong item, by its path.
pub fn evidence_from_pb(evidence: &[pb::Evidence]) -> Result<Vec<Evidence>, Vec<Invalid>> {
    if evidence.len() > EVIDENCE_MAX {
        let wrong = Invalid::with_limit(InvalidReason::ListTooLong, EVIDENCE_MAX);
        return Err(vec![wrong.at("evidence")]);
    }
    let mut wrong = Vec::new();
    let read = evidence.iter().enumerate().filter_map(|(place, item)| {
        let read = Evidence::parse(&evidence_draft(item));
        read.map_err(|error| wrong.push(error.at(&format!("evidence[{place}]")))).ok()
    });
    let read: Vec<Evidence> = read.collect();
    if wrong.is_empty() { Ok(read) } else { Err(wrong) }
}

/// Reads a person.
///
/// # Errors
/// The first wrong field.
pub fn person_from_pb(person: &pb::PersonRecord) -> Result<PersonRecord, Invalid> {
    PersonRecord::parse(&person.name, &person.id_number, &person.phone, &person.address)
}

/// Writes a record.
#[must_use]
pub fn record_to_pb(record: &CaseRecord) -> pb::CaseRecord {
    let line = |line: &Option<Line>| line.as_ref().map_or_else(String::new, Line::to_string);
    pb::CaseRecord {
        title: record.title.to_string(),
        summary: record.summary.as_ref().map_or_else(String::new, ToString::to_string),
        location: location_to_pb(record.coordinates, &line(&record.address)),
        party: party_to_pb(record),
        pollutants: record.pollutants.iter().map(measurement_to_pb).collect(),
        legal_bases: record.legal_basis.iter().map(basis_to_pb).collect(),
        evidence: evidence_to_pb(&record.evidence),
        officers: record
            .officers
            .iter()
            .map(|officer| pb::Officer {
                certificate_number: officer.cert_no.to_string(),
                unit: officer.unit.to_string(),
            })
            .collect(),
        case_file_number: line(&record.case_no),
        penalty: record.penalty.as_ref().map(penalty_to_pb),
        belt_reason: record.belt_reason.as_ref().map_or_else(String::new, ToString::to_string),
        law_choice: record.law_choice.as_ref().map_or_else(String::new, ToString::to_string),
    }
}

pub(super) fn location_to_pb(at: Option<Coordinates>, address: &str) -> Option<pb::Location> {
    if at.is_none() && address.is_empty() {
        return None;
    }
    let degrees = |udeg: i32| format!("{}.{:06}", udeg / 1_000_000, udeg % 1_000_000);
    Some(pb::Location {
        longitude: at.map_or_else(String::new, |at| degrees(at.lon_udeg())),
        latitude: at.map_or_else(String::new, |at| degrees(at.lat_udeg())),
        crs: at.map_or_else(String::new, |_| CRS.to_owned()),
        address: address.to_owned(),
    })
}

fn party_to_pb(record: &CaseRecord) -> Option<pb::Party> {
    let mut party = pb::Party {
        industry_code: record.industry_code.clone().unwrap_or_default(),
        positive_list: record.positive_list,
        permit_number: record.permit_no.clone().unwrap_or_default(),
        ..pb::Party::default()
    };
    let kind = match &record.party {
        Some(Party::LegalPerson { name, uscc }) => {
            (party.name, party.uscc) = (name.to_string(), uscc.to_string());
            pb::PartyType::LegalPerson
        }
        Some(Party::NaturalPerson { masked_name }) => {
            party.masked_name = masked_name.to_string();
            pb::PartyType::NaturalPerson
        }
        None if party == pb::Party::default() => return None,
        None => pb::PartyType::Unknown,
    };
    party.set_type(kind);
    Some(party)
}

fn measurement_to_pb(measurement: &Measurement) -> pb::Pollutant {
    let decimal =
        |value: &Option<Decimal>| value.as_ref().map_or_else(String::new, Decimal::to_string);
    pb::Pollutant {
        code: measurement.code.as_str().to_owned(),
        value: measurement.value.to_string(),
        unit: measurement.unit.to_owned(),
        limit: decimal(&measurement.limit),
        statistic: measurement.statistic.number(),
        exceed_multiple: decimal(&measurement.exceed_multiple),
    }
}

pub(super) fn basis_to_pb(basis: &LegalBasis) -> pb::LegalBasis {
    let date = |date: Option<Date>| date.map(date_to_pb);
    pb::LegalBasis {
        law: basis.law.to_string(),
        article: basis.article.to_string(),
        item: basis.item.map_or(0, u32::from),
        effective_from: date(basis.effective_from),
        effective_to: date(basis.effective_to),
    }
}

/// Writes a list of evidence.
#[must_use]
pub fn evidence_to_pb(evidence: &[Evidence]) -> Vec<pb::Evidence> {
    let one = |item: &Evidence| pb::Evidence {
        id: item.id.to_string(),
        kind: item.kind.number(),
        title: item.title.to_string(),
        collected_on: Some(date_to_pb(item.collected_on)),
        mime: item.mime.clone(),
        size_bytes: item.size_bytes,
        sha256: bytes(item.sha256.as_bytes()),
        sm3: item.sm3.map_or_else(Default::default, |digest| bytes(&digest)),
        level: item.level.number(),
        collectors: item.collectors.iter().map(ToString::to_string).collect(),
        place: item.place.as_ref().map_or_else(String::new, Line::to_string),
        reviewed_legal: item.reviewed_legal,
        reviewed_technical: item.reviewed_technical,
    };
    evidence.iter().map(one).collect()
}

fn penalty_to_pb(penalty: &Penalty) -> pb::Penalty {
    pb::Penalty {
        kinds: penalty.kinds.iter().map(|kind| kind.number()).collect(),
        fine_fen: penalty.fine.map_or(0, crate::domain::quantity::Fen::as_i64),
        proposed: penalty.proposed,
        decision_number: penalty.decision_no.as_ref().map_or_else(String::new, Line::to_string),
    }
}

/// Writes a person.
#[must_use]
pub fn person_to_pb(person: &PersonRecord) -> pb::PersonRecord {
    let line = |line: &Option<Line>| line.as_ref().map_or_else(String::new, Line::to_string);
    pb::PersonRecord {
        name: person.name.to_string(),
        id_number: line(&person.id_number),
        phone: line(&person.phone),
        address: line(&person.address),
    }
}

/// Writes an own system's number.
#[must_use]
pub fn external_to_pb(external: &ExternalRef) -> pb::ExternalRef {
    let (system, number) = (external.system.to_string(), external.number.to_string());
    pb::ExternalRef { system, number }
}
