//! Frames of the exchange between cities, and the small records that come of them.

use bytes::Bytes;
use prost::Message;

use super::batch::{batch_from_pb, batch_to_pb, entry_to_pb, read_entry};
use super::error::{WireError, check_bytes, check_count};
use super::facts::{agreement_id, bytes, hash, log_id, position, position_to_pb, subject_id};
use super::hello::{hello_from_pb, hello_to_pb};
use super::pb::peer_v1 as pb;
use super::pb::peer_v1::frame::Frame as F;
use crate::ids::{AgreementId, LogId, Position, SubjectId};
use crate::limits::{
    FACT_KEY_BYTES_MAX, FACT_VALUE_BYTES_MAX, FORK_PROOF_BYTES_MAX, NOTE_BYTES_MAX,
    NOTE_LINE_BYTES_MAX, PART_BYTES_MAX, PARTS_MAX, REFERENCE_BYTES_MAX, REFUSE_DETAIL_BYTES_MAX,
    REFUSE_FACTS_MAX,
};
use crate::log::Entry;
use crate::sync::{Cosign, Frame, RawEntry};

/// A narrow part that came later than its batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatePart {
    /// The entry whose part it is.
    pub entry: Position,
    /// Which of its parts, from 0.
    pub part: u32,
    /// The encoded part.
    pub bytes: Bytes,
}

/// Writes an alert.
#[must_use]
pub fn alert_to_pb(agreement: AgreementId, entry: &Entry) -> pb::AlertRequest {
    pb::AlertRequest {
        agreement_id: bytes(agreement.as_bytes()),
        entry: Some(entry_to_pb(&entry.header, &entry.parts)),
    }
}

/// Reads an alert.
///
/// # Errors
/// [`WireError`]: refused whole.
pub fn parse_alert(alert: pb::AlertRequest) -> Result<(AgreementId, RawEntry), WireError> {
    let agreement = agreement_id("agreement_id", &alert.agreement_id)?;
    let entry = alert.entry.ok_or(WireError::Missing { field: "entry" })?;
    Ok((agreement, read_entry(entry)?))
}

/// Asks whether a city has the text of a notice.
#[must_use]
pub fn holds_notice_to_pb(agreement: AgreementId, notice: SubjectId) -> pb::HoldsNoticeRequest {
    pb::HoldsNoticeRequest {
        agreement_id: bytes(agreement.as_bytes()),
        subject_id: bytes(notice.as_bytes()),
    }
}

/// Reads the question whether a city has the text of a notice.
///
/// # Errors
/// [`WireError`]: an id of another length.
pub fn parse_holds_notice(
    asked: &pb::HoldsNoticeRequest,
) -> Result<(AgreementId, SubjectId), WireError> {
    let agreement = agreement_id("agreement_id", &asked.agreement_id)?;
    Ok((agreement, subject_id("subject_id", &asked.subject_id)?))
}

/// Writes a frame.
#[must_use]
pub fn frame_to_pb(frame: &Frame) -> pb::Frame {
    let id = |log: &LogId| bytes(log.as_bytes());
    let frame = match frame {
        Frame::Hello(hello) => F::Hello(hello_to_pb(hello)),
        Frame::Manifest(manifest) => F::Manifest(pb::Manifest { manifest: manifest.clone() }),
        Frame::Announce { log, checkpoint } => {
            F::Announce(pb::Announce { log_id: id(log), checkpoint: checkpoint.clone() })
        }
        Frame::Subscribe { log, from, credit } => {
            F::Subscribe(pb::Subscribe { log_id: id(log), from: *from, credit_bytes: *credit })
        }
        Frame::Unsubscribe { log } => F::Unsubscribe(pb::Unsubscribe { log_id: id(log) }),
        Frame::Credit { log, bytes } => F::Credit(pb::Credit { log_id: id(log), bytes: *bytes }),
        Frame::Batch(batch) => F::Batch(batch_to_pb(batch)),
        Frame::Cosign(cosign) => F::Cosign(cosign_to_pb(cosign)),
        Frame::FetchParts { entry, parts } => F::FetchParts(pb::FetchParts {
            entry: Some(position_to_pb(*entry)),
            parts: parts.clone(),
        }),
        Frame::LateParts { entry, parts } => F::LateParts(late_to_pb(*entry, parts)),
        Frame::Refuse { reason, log, expected, detail, facts } => F::Refuse(pb::Refuse {
            reason: reason.clone(),
            log_id: log.as_ref().map(id).unwrap_or_default(),
            expected: *expected,
            detail: shortened(detail, REFUSE_DETAIL_BYTES_MAX),
            facts: facts.iter().take(REFUSE_FACTS_MAX).map(fact_to_pb).collect(),
        }),
        Frame::Ping { number, pong, clock_ms } => {
            F::Ping(pb::Ping { number: *number, pong: *pong, clock_ms: *clock_ms })
        }
        Frame::Charter(note) => F::Charter(note.clone()),
        Frame::Card(note) => F::Card(note.clone()),
        Frame::Fork(proof) => F::ForkProof(proof.clone()),
    };
    pb::Frame { frame: Some(frame) }
}

/// Reads a frame of a peer.
///
/// # Errors
/// [`WireError`]: nothing of the frame is taken. [`WireError::Missing`] of `frame` also stands for
/// a kind of frame that only newer programs send; skip it.
pub fn parse_frame(frame: pb::Frame) -> Result<Frame, WireError> {
    Ok(match frame.frame.ok_or(WireError::Missing { field: "frame" })? {
        F::Hello(hello) => Frame::Hello(hello_from_pb(hello)?),
        F::Manifest(m) => Frame::Manifest(note("manifest", m.manifest)?),
        F::Announce(a) => Frame::Announce {
            log: log_id("log_id", &a.log_id)?,
            checkpoint: note("checkpoint", a.checkpoint)?,
        },
        F::Subscribe(s) => Frame::Subscribe {
            log: log_id("log_id", &s.log_id)?,
            from: s.from,
            credit: s.credit_bytes,
        },
        F::Unsubscribe(u) => Frame::Unsubscribe { log: log_id("log_id", &u.log_id)? },
        F::Credit(c) => Frame::Credit { log: log_id("log_id", &c.log_id)?, bytes: c.bytes },
        F::Batch(batch) => Frame::Batch(batch_from_pb(batch)?),
        F::Cosign(cosign) => Frame::Cosign(cosign_from_pb(cosign)?),
        F::FetchParts(fetch) => {
            check_count("parts asked for", fetch.parts.len(), PARTS_MAX)?;
            let entry = position("entry", fetch.entry.as_ref())?;
            Frame::FetchParts { entry, parts: fetch.parts }
        }
        F::LateParts(late) => {
            let (entry, parts) = late_from_pb(late)?;
            Frame::LateParts { entry, parts }
        }
        F::Refuse(refuse) => refuse_from_pb(refuse)?,
        F::Ping(p) => Frame::Ping { number: p.number, pong: p.pong, clock_ms: p.clock_ms },
        F::Charter(charter) => Frame::Charter(note("charter", charter)?),
        F::Card(card) => Frame::Card(note("card", card)?),
        F::ForkProof(proof) => {
            check_bytes("fork proof", proof.len(), FORK_PROOF_BYTES_MAX)?;
            Frame::Fork(proof)
        }
    })
}

fn note(what: &'static str, note: Bytes) -> Result<Bytes, WireError> {
    check_bytes(what, note.len(), NOTE_BYTES_MAX)?;
    Ok(note)
}

pub(super) fn cosign_to_pb(cosign: &Cosign) -> pb::Cosign {
    pb::Cosign {
        log_id: bytes(cosign.log.as_bytes()),
        size: cosign.size,
        root: bytes(cosign.root.as_bytes()),
        witness_log_id: bytes(cosign.witness.as_bytes()),
        line: cosign.line.clone(),
    }
}

pub(super) fn cosign_from_pb(cosign: pb::Cosign) -> Result<Cosign, WireError> {
    check_bytes("cosignature", cosign.line.len(), NOTE_LINE_BYTES_MAX)?;
    Ok(Cosign {
        log: log_id("log_id", &cosign.log_id)?,
        size: cosign.size,
        root: hash("root", &cosign.root)?,
        witness: log_id("witness_log_id", &cosign.witness_log_id)?,
        line: cosign.line,
    })
}

fn late_to_pb(entry: Position, parts: &[(u32, Bytes)]) -> pb::LateParts {
    let part = |(part, bytes): &(u32, Bytes)| pb::LatePart { part: *part, bytes: bytes.clone() };
    let parts = parts.iter().map(part).collect();
    pb::LateParts { entry: Some(position_to_pb(entry)), parts }
}

fn late_from_pb(late: pb::LateParts) -> Result<(Position, Vec<(u32, Bytes)>), WireError> {
    check_count("late parts", late.parts.len(), PARTS_MAX)?;
    let entry = position("entry", late.entry.as_ref())?;
    let parts = late.parts.into_iter().map(|part| {
        check_bytes("part", part.bytes.len(), PART_BYTES_MAX)?;
        Ok((part.part, part.bytes))
    });
    Ok((entry, parts.collect::<Result<_, _>>()?))
}

fn refuse_from_pb(refuse: pb::Refuse) -> Result<Frame, WireError> {
    check_bytes("reason", refuse.reason.len(), REFERENCE_BYTES_MAX)?;
    check_bytes("detail", refuse.detail.len(), REFUSE_DETAIL_BYTES_MAX)?;
    let log = (!refuse.log_id.is_empty()).then(|| log_id("log_id", &refuse.log_id)).transpose()?;
    check_count("facts", refuse.facts.len(), REFUSE_FACTS_MAX)?;
    let facts = refuse.facts.into_iter().map(|fact| {
        check_bytes("fact", fact.key.len(), FACT_KEY_BYTES_MAX)?;
        check_bytes("fact", fact.value.len(), FACT_VALUE_BYTES_MAX)?;
        Ok((fact.key, fact.value))
    });
    let facts = facts.collect::<Result<_, _>>()?;
    let (reason, expected, detail) = (refuse.reason, refuse.expected, refuse.detail);
    Ok(Frame::Refuse { reason, log, expected, detail, facts })
}

fn fact_to_pb((key, value): &(String, String)) -> pb::RefuseFact {
    let key = shortened(key, FACT_KEY_BYTES_MAX);
    pb::RefuseFact { key, value: shortened(value, FACT_VALUE_BYTES_MAX) }
}

/// The other side refuses a text that is too long; the beginning says enough.
fn shortened(text: &str, bytes_max: usize) -> String {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

/// Encodes a cosignature for the journal.
#[must_use]
pub fn encode_cosign(cosign: &Cosign) -> Vec<u8> {
    cosign_to_pb(cosign).encode_to_vec()
}

/// Reads a cosignature of the journal.
///
/// # Errors
/// [`WireError`]: the record is damaged.
pub fn parse_cosign(payload: &[u8]) -> Result<Cosign, WireError> {
    let cosign = pb::Cosign::decode(Bytes::copy_from_slice(payload));
    cosign_from_pb(cosign.map_err(WireError::unreadable("cosignature"))?)
}

/// Encodes a late part for the journal.
#[must_use]
pub fn encode_late_part(entry: Position, part: u32, bytes: &Bytes) -> Vec<u8> {
    late_to_pb(entry, &[(part, bytes.clone())]).encode_to_vec()
}

/// Reads a late part of the journal.
///
/// # Errors
/// [`WireError`]: the record is damaged.
pub fn parse_late_part(payload: &[u8]) -> Result<LatePart, WireError> {
    check_bytes("late part", payload.len(), PART_BYTES_MAX + 256)?;
    let late = pb::LateParts::decode(Bytes::copy_from_slice(payload));
    let (entry, parts) = late_from_pb(late.map_err(WireError::unreadable("late part"))?)?;
    let mut parts = parts.into_iter();
    match (parts.next(), parts.next()) {
        (Some((part, bytes)), None) => Ok(LatePart { entry, part, bytes }),
        (None | Some(_), _) => Err(WireError::Missing { field: "part" }),
    }
}
