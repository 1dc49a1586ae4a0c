//! Headers: the bytes a log signs, and what they say. (fixed format)
//!
//! A header is encoded once, by its author. Whoever reads it keeps its bytes; reading never
//! changes them.
//!
//! Invariants:
//! 1. What [`encode_header`] writes is read back as it was. (`headers_read_back`)
//! 2. A header that says more than this program knows is *newer*, never an error, as long as its
//!    structural fields can be read. (`an_unknown_field_makes_a_header_newer`)
//! 3. No text is reachable below a header. (`no_text_below_a_header`)

use bytes::Bytes;
use prost::Message;

use super::envelope::{envelope_to_pb, read_envelope};
use super::error::{WireError, check_bytes};
use super::event::{event_to_pb, read_event};
use super::pb::v1 as pb;
use crate::domain::Event;
use crate::limits::HEADER_BYTES_MAX;
use crate::log::Envelope;

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedHeader {
    /// Its structural fields.
    pub envelope: Envelope,
    /// What happened; [`Event::Newer`] exactly when `newer`.
    pub event: Event,
    /// It says more than this program knows. Keep it, pass it on, and hold its subject.
    pub newer: bool,
}

/// Encodes a header. Only ever called for own, new entries.
#[must_use]
pub fn encode_header(envelope: &Envelope, event: &Event) -> Bytes {
    let mut header = envelope_to_pb(envelope);
    header.event = event_to_pb(event);
    header.encode_to_vec().into()
}

/// Reads a header.
///
/// # Errors
/// [`WireError::NewerFormat`]: the log waits for an upgrade. Anything else: the bytes are no
/// header, and the batch that brought them is refused whole.
pub fn parse_header(bytes: &Bytes) -> Result<ParsedHeader, WireError> {
    check_bytes("header", bytes.len(), HEADER_BYTES_MAX)?;
    let header = pb::EntryHeader::decode(bytes.clone()).map_err(WireError::unreadable("header"))?;
    let (envelope, unknown_code) = read_envelope(&header)?;
    // Fields this program does not know are gone by now, so their bytes are not written again.
    let says_more = unknown_code || !encodes_to(&header, bytes);
    let event = match (&header.event, says_more) {
        (None, _) | (Some(_), true) => Event::Newer,
        (Some(event), false) => read_event(event)?,
    };
    let newer = event == Event::Newer;
    Ok(ParsedHeader { envelope, event, newer })
}

fn encodes_to(header: &pb::EntryHeader, bytes: &Bytes) -> bool {
    header.encoded_len() == bytes.len() && header.encode_to_vec() == bytes.as_ref()
}
