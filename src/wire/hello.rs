//! The first frame each way: bounded in every direction, since a stranger's node may send it.

use bytes::Bytes;

use super::error::{WireError, at_field, check_bytes, check_count};
use super::facts::{agreement_id, bytes, hash, log_id};
use super::pb::peer_v1 as pb;
use super::peer::{cosign_from_pb, cosign_to_pb};
use crate::ids::NodeId;
use crate::limits::{
    HELLO_AGREEMENTS_MAX, HELLO_CARDS_MAX, HELLO_COSIGNATURES_MAX, HELLO_LOGS_MAX, NOTE_BYTES_MAX,
    NOTE_LINE_BYTES_MAX,
};
use crate::sync::{AgreementState, Cosign, Hello, LogState};
use prost::Message;

pub(super) fn hello_to_pb(hello: &Hello) -> pb::Hello {
    pb::Hello {
        protocol_min: hello.protocol_min,
        protocol_max: hello.protocol_max,
        instance: bytes(&hello.instance),
        agreements: hello.agreements.iter().map(agreement_to_pb).collect(),
        cards: hello.cards.clone(),
        clock_ms: hello.clock_ms,
    }
}

pub(super) fn hello_from_pb(hello: pb::Hello) -> Result<Hello, WireError> {
    check_count("agreements", hello.agreements.len(), HELLO_AGREEMENTS_MAX)?;
    check_count("cards", hello.cards.len(), HELLO_CARDS_MAX)?;
    // A node id has as many bytes as an instance; only its length is of use here.
    let instance = at_field("instance", NodeId::from_slice(&hello.instance))?;
    let agreements = hello.agreements.into_iter().map(agreement_from_pb);
    Ok(Hello {
        protocol_min: hello.protocol_min,
        protocol_max: hello.protocol_max,
        instance: *instance.as_bytes(),
        agreements: agreements.collect::<Result<_, _>>()?,
        cards: notes("card", hello.cards)?,
        clock_ms: hello.clock_ms,
    })
}

fn agreement_to_pb(state: &AgreementState) -> pb::AgreementState {
    pb::AgreementState {
        agreement_id: bytes(state.agreement.as_bytes()),
        charter_hash: bytes(state.charter.as_bytes()),
        manifests: state.manifests.clone(),
        logs: state.logs.iter().map(log_to_pb).collect(),
    }
}

fn agreement_from_pb(state: pb::AgreementState) -> Result<AgreementState, WireError> {
    check_count("manifests", state.manifests.len(), HELLO_LOGS_MAX)?;
    check_count("logs", state.logs.len(), HELLO_LOGS_MAX)?;
    Ok(AgreementState {
        agreement: agreement_id("agreement_id", &state.agreement_id)?,
        charter: hash("charter_hash", &state.charter_hash)?,
        manifests: notes("manifest", state.manifests)?,
        logs: state.logs.into_iter().map(log_from_pb).collect::<Result<_, _>>()?,
    })
}

fn log_to_pb(state: &LogState) -> pb::LogState {
    let cosign = |cosign: &Cosign| cosign_to_pb(cosign).encode_to_vec().into();
    pb::LogState {
        log_id: bytes(state.log.as_bytes()),
        checkpoint: state.checkpoint.clone().unwrap_or_default(),
        cosignatures: state.cosignatures.iter().map(cosign).collect(),
    }
}

fn log_from_pb(state: pb::LogState) -> Result<LogState, WireError> {
    check_count("cosignatures", state.cosignatures.len(), HELLO_COSIGNATURES_MAX)?;
    let cosignatures = state.cosignatures.into_iter().map(|bytes| {
        // A line, two log ids, a root, a size and their framing.
        check_bytes("cosignature", bytes.len(), NOTE_LINE_BYTES_MAX + 256)?;
        cosign_from_pb(pb::Cosign::decode(bytes).map_err(WireError::unreadable("cosignature"))?)
    });
    Ok(LogState {
        log: log_id("log_id", &state.log_id)?,
        cosignatures: cosignatures.collect::<Result<_, _>>()?,
        checkpoint: some_note("checkpoint", state.checkpoint)?,
    })
}

fn some_note(what: &'static str, note: Bytes) -> Result<Option<Bytes>, WireError> {
    check_bytes(what, note.len(), NOTE_BYTES_MAX)?;
    Ok((!note.is_empty()).then_some(note))
}

fn notes(what: &'static str, notes: Vec<Bytes>) -> Result<Vec<Bytes>, WireError> {
    for note in &notes {
        check_bytes(what, note.len(), NOTE_BYTES_MAX)?;
    }
    Ok(notes)
}
