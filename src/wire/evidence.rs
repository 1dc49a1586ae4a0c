//! What is said of evidence as messages.
//!
//! In scope: events of headers, hand-overs, fields of requests. Out of scope: deciding anything.

use super::case::wrong;
use super::code::{Code, Read};
use super::error::WireError;
use super::facts::{Reading, date, date_to_pb, position, position_to_pb};
use super::pb::v1 as pb;
use super::pb::v1::entry_header::Event as E;
use super::status::{Refused, bad_fields};
use crate::domain::text::{Line, Text};
use crate::domain::{
    CaseContribution, CustodyRecord, DeclineGround, Evidence, EvidenceAct, EvidencePlace, Invalid,
    InvalidReason,
};

/// Reads what is said of an item; `None` for any other event.
#[expect(clippy::wildcard_enum_match_arm, reason = "generated enum; the caller lists every event")]
pub(super) fn read(
    reading: &mut Reading,
    event: &E,
) -> Result<Option<CaseContribution>, WireError> {
    let (at, act) = match event {
        E::EvidenceReceived(e) => (&e.evidence, EvidenceAct::Received),
        E::EvidenceRecognised(e) => (&e.evidence, EvidenceAct::Recognised),
        E::EvidenceDeclined(e) => {
            let ground = reading.code("ground", e.ground, DeclineGround::Other)?;
            (&e.evidence, EvidenceAct::Declined { ground })
        }
        E::CustodyRecorded(e) => {
            let on = date("handed_on", e.handed_on.as_ref())?;
            (&e.evidence, EvidenceAct::HandedOver { on })
        }
        _ => return Ok(None),
    };
    let at = at.as_ref().ok_or(WireError::Missing { field: "evidence" })?;
    let entry = position("evidence.entry", at.entry.as_ref())?;
    let place = EvidencePlace { entry, part: at.part, item: at.item };
    Ok(Some(CaseContribution::Evidence { place, act }))
}

/// The event of a header.
pub(super) fn to_pb(place: EvidencePlace, act: EvidenceAct) -> E {
    let EvidencePlace { entry, part, item } = place;
    let evidence = Some(pb::EvidencePlace { entry: Some(position_to_pb(entry)), part, item });
    match act {
        EvidenceAct::Received => E::EvidenceReceived(pb::EvidenceReceived { evidence }),
        EvidenceAct::Recognised => E::EvidenceRecognised(pb::EvidenceRecognised { evidence }),
        EvidenceAct::Declined { ground } => {
            E::EvidenceDeclined(pb::EvidenceDeclined { evidence, ground: ground.number() })
        }
        EvidenceAct::HandedOver { on } => {
            let handed_on = Some(date_to_pb(on));
            E::CustodyRecorded(pb::CustodyRecorded { evidence, handed_on })
        }
    }
}

/// Reads who handed an original to whom.
///
/// # Errors
/// Every wrong field, by its name in the message.
pub fn custody_from_pb(record: &pb::CustodyRecord) -> Result<CustodyRecord, Vec<Invalid>> {
    CustodyRecord::parse(&record.from, &record.to, &record.address, &record.text)
}

/// Writes who handed an original to whom.
#[must_use]
pub fn custody_to_pb(record: &CustodyRecord) -> pb::CustodyRecord {
    pb::CustodyRecord {
        from: record.from.as_str().to_owned(),
        to: record.to.as_str().to_owned(),
        address: record.address.as_ref().map_or("", Line::as_str).to_owned(),
        text: record.text.as_ref().map_or("", Text::as_str).to_owned(),
    }
}

/// Reads the hand-over that a request wants to record.
///
/// # Errors
/// [`Refused`] naming every wrong field.
pub fn custody(record: Option<&pb::CustodyRecord>) -> Result<CustodyRecord, Refused> {
    let given = record.ok_or_else(|| wrong("record", InvalidReason::Required))?;
    let read = custody_from_pb(given);
    read.map_err(|wrong| bad_fields(wrong.into_iter().map(|w| w.at("record")).collect()))
}

/// Reads why evidence is declined.
///
/// # Errors
/// [`Refused`] when it is not set, or no ground that is known here.
pub fn ground(number: i32) -> Result<DeclineGround, Refused> {
    match DeclineGround::read(number) {
        Read::Known(ground) => Ok(ground),
        Read::Unset => Err(wrong("ground", InvalidReason::Required)),
        Read::Newer => Err(wrong("ground", InvalidReason::CodeUnknown)),
    }
}

/// The number of a ground; 0 without one.
#[must_use]
pub fn ground_number(ground: Option<DeclineGround>) -> i32 {
    ground.map_or(0, |ground| ground.number())
}

/// Writes one item as its list has it.
#[must_use]
pub fn item_to_pb(evidence: &Evidence) -> Option<pb::Evidence> {
    super::record::evidence_to_pb(std::slice::from_ref(evidence)).pop()
}
