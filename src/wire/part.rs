//! Parts: what people typed, salted so that a short text cannot be guessed from its digest.
//! (fixed format)

use bytes::Bytes;
use prost::Message;
use prost::Name;

use super::error::{WireError, check_bytes};
use super::evidence::{custody_from_pb, custody_to_pb};
use super::meeting::{record_from_pb as meeting_from_pb, record_to_pb as meeting_to_pb};
use super::notice::{notice_from_pb, notice_to_pb};
use super::pb::v1 as pb;
use super::pb::v1::part::Content as C;
use super::plan_part as plan;
use super::record::{
    evidence_from_pb, evidence_to_pb, external_to_pb, person_from_pb, person_to_pb, record_from_pb,
    record_to_pb,
};
use super::referral;
use super::scan::check_elements;
use super::site;
use super::unit;
use crate::api::request::PartContent;
use crate::domain::plan::PlanNumber;
use crate::domain::text::{Line, Text};
use crate::domain::{ExternalRef, Invalid};
use crate::ids::SubjectId;
use crate::limits::{PART_BYTES_MAX, REFERENCE_BYTES_MAX};

/// Bytes of salt in front of every part's content.
const SALT_BYTES: usize = 16;

/// Encodes a part. Only ever called for own, new entries.
#[must_use]
pub fn encode_part(content: &PartContent, salt: [u8; SALT_BYTES]) -> Bytes {
    let content = match content {
        PartContent::CaseRecord(record) => C::CaseRecord(record_to_pb(record)),
        PartContent::Person(person) => C::Person(person_to_pb(person)),
        PartContent::CaseNumber { number, external_ref } => C::CaseNumber(pb::CaseNumber {
            number: number.clone(),
            external_ref: external_ref.as_ref().map(external_to_pb),
        }),
        PartContent::Text(text) => C::Text(pb::Text { text: text.clone() }),
        PartContent::Evidence(evidence) => {
            C::Evidence(pb::EvidenceList { evidence: evidence_to_pb(evidence) })
        }
        PartContent::ActorCertificate(number) => {
            C::ActorCertificate(pb::ActorCertificate { certificate_number: number.clone() })
        }
        PartContent::Notice(record) => C::Notice(notice_to_pb(record)),
        PartContent::Meeting(record) => C::Meeting(meeting_to_pb(record)),
        PartContent::Custody(record) => C::Custody(custody_to_pb(record)),
        PartContent::Referral(record) => C::Referral(referral::record_to_pb(record)),
        PartContent::Site(record) => C::Site(site::record_to_pb(record)),
        PartContent::Unit(record) => C::Unit(unit::record_to_pb(record)),
        PartContent::Plan(record) => C::Plan(plan::record_to_pb(record)),
        PartContent::PlanPool(pool) => C::PlanPool(plan::pool_to_pb(pool)),
        PartContent::PlanNumber { number, draft } => C::PlanNumber(pb::PlanNumber {
            number: number.to_string(),
            draft_id: draft.map(|id| id.as_bytes().to_vec().into()).unwrap_or_default(),
        }),
    };
    let salt = Bytes::copy_from_slice(&salt);
    pb::Part { salt, content: Some(content) }.encode_to_vec().into()
}

/// Reads a part. What only newer programs write into it is left out; its bytes are kept elsewhere.
///
/// # Errors
/// [`WireError`]: its content cannot be shown here. Nothing else rests on it.
pub fn parse_part(bytes: &Bytes) -> Result<PartContent, WireError> {
    check_bytes("part", bytes.len(), PART_BYTES_MAX)?;
    check_elements("part", &pb::Part::full_name(), bytes)?;
    let part = pb::Part::decode(bytes.clone()).map_err(WireError::unreadable("part"))?;
    if part.salt.len() != SALT_BYTES {
        let (got, expected) = (part.salt.len(), SALT_BYTES);
        return Err(WireError::Length { field: "salt", got, expected });
    }
    let newer = WireError::BadValue { field: "content".into(), reason: "NEEDS_NEWER_VERSION" };
    Ok(match part.content.ok_or(newer)? {
        C::CaseRecord(record) => {
            let record = record_from_pb(&record).map_err(|wrong| first(&wrong, "case_record"))?;
            PartContent::CaseRecord(Box::new(record))
        }
        C::Person(person) => {
            PartContent::Person(person_from_pb(&person).map_err(|wrong| bad(wrong, "person"))?)
        }
        C::CaseNumber(number) => read_number(number)?,
        C::Text(text) => {
            Text::parse(&text.text, PART_BYTES_MAX).map_err(|wrong| bad(wrong, "text"))?;
            PartContent::Text(text.text)
        }
        C::Evidence(list) => {
            let read = evidence_from_pb(&list.evidence);
            PartContent::Evidence(read.map_err(|wrong| first(&wrong, "evidence"))?)
        }
        C::ActorCertificate(actor) => {
            let number = actor.certificate_number;
            Line::parse(&number, REFERENCE_BYTES_MAX)
                .map_err(|wrong| bad(wrong, "certificate_number"))?;
            PartContent::ActorCertificate(number)
        }
        C::Notice(record) => {
            let record = notice_from_pb(&record).map_err(|wrong| first(&wrong, "notice"))?;
            PartContent::Notice(Box::new(record))
        }
        C::Meeting(record) => {
            let record = meeting_from_pb(&record).map_err(|wrong| first(&wrong, "meeting"))?;
            PartContent::Meeting(Box::new(record))
        }
        C::Custody(record) => {
            let record = custody_from_pb(&record).map_err(|wrong| first(&wrong, "custody"))?;
            PartContent::Custody(Box::new(record))
        }
        C::Referral(record) => {
            let read = referral::record_from_pb(&record);
            PartContent::Referral(Box::new(read.map_err(|wrong| first(&wrong, "referral"))?))
        }
        C::Site(record) => {
            let read = site::record_from_pb(&record);
            PartContent::Site(Box::new(read.map_err(|wrong| first(&wrong, "site"))?))
        }
        C::Unit(record) => {
            let read = unit::record_from_pb(&record);
            PartContent::Unit(Box::new(read.map_err(|wrong| first(&wrong, "unit"))?))
        }
        C::Plan(record) => {
            let read = plan::record_from_pb(&record);
            PartContent::Plan(Box::new(read.map_err(|wrong| first(&wrong, "plan"))?))
        }
        C::PlanPool(pool) => PartContent::PlanPool(plan::pool_from_pb(&pool)?),
        C::PlanNumber(number) => {
            let bad = || WireError::BadValue { field: "plan_number".into(), reason: "PLAN_NUMBER" };
            // What is no id is of nobody's draft here.
            let draft = SubjectId::from_slice(&number.draft_id).ok();
            let number = PlanNumber::parse(&number.number).ok_or_else(bad)?;
            PartContent::PlanNumber { number, draft }
        }
    })
}

fn read_number(number: pb::CaseNumber) -> Result<PartContent, WireError> {
    let external = number.external_ref.unwrap_or_default();
    Line::parse(&number.number, REFERENCE_BYTES_MAX).map_err(|wrong| bad(wrong, "number"))?;
    let external_ref = ExternalRef::parse(&external.system, &external.number)
        .map_err(|wrong| bad(wrong, "external_ref"))?;
    Ok(PartContent::CaseNumber { number: number.number, external_ref })
}

fn bad(wrong: Invalid, field: &str) -> WireError {
    let wrong = wrong.at(field);
    let reason = wrong.reason();
    WireError::BadValue { field: wrong.field.unwrap_or_default(), reason }
}

fn first(wrong: &[Invalid], field: &str) -> WireError {
    let unknown = WireError::BadValue { field: field.to_owned(), reason: "REQUIRED" };
    wrong.first().map_or(unknown, |wrong| bad(wrong.clone(), field))
}
