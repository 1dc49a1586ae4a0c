//! Records: what a segment is made of (fixed format, `docs/formats.md`).
//!
//! ```text
//! 0  magic "LDR1"        4  kind          5  three zero bytes
//! 8  payload length u32  12 number u64    20 CRC-32C of bytes 0..20 u32
//! 24 payload             .. CRC-32C of the payload u32, zeroes up to a multiple of 8
//! ```
//! Integers are little-endian. A record whose header or payload does not match its CRC is no
//! record.

use serde::{Deserialize, Serialize};

use crate::limits::RECORD_BYTES_MAX;

/// First bytes of a record.
pub const MAGIC: [u8; 4] = *b"LDR1";
/// Bytes of a record's header.
pub const HEADER_BYTES: usize = 24;

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordKind {
    /// A signed manifest.
    Manifest,
    /// A signed charter.
    Charter,
    /// A signed card.
    Card,
    /// A batch with its parts and checkpoint.
    Batch,
    /// A narrow part that came later than its batch.
    LatePart,
    /// Another city's cosignature.
    Cosignature,
    /// Two signed histories of one log.
    ForkProof,
    /// A city suspended here.
    Suspension,
    /// Whatever else of this node must survive the loss of the views.
    Local,
    /// Whole, but of a kind that only newer programs write: kept as it is, never written here.
    Newer,
}

impl RecordKind {
    /// All kinds that are written here, in the order of their codes.
    pub const ALL: [Self; 9] = [
        Self::Manifest,
        Self::Charter,
        Self::Card,
        Self::Batch,
        Self::LatePart,
        Self::Cosignature,
        Self::ForkProof,
        Self::Suspension,
        Self::Local,
    ];

    /// Its code on disk, from 1; 0 stands for [`Self::Newer`], which is never written.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Manifest => 1,
            Self::Charter => 2,
            Self::Card => 3,
            Self::Batch => 4,
            Self::LatePart => 5,
            Self::Cosignature => 6,
            Self::ForkProof => 7,
            Self::Suspension => 8,
            Self::Local => 9,
            Self::Newer => 0,
        }
    }

    fn from_code(code: u8) -> Self {
        Self::ALL.into_iter().find(|kind| kind.code() == code).unwrap_or(Self::Newer)
    }
}

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordRef {
    /// Segment number.
    pub segment: u32,
    /// Offset of its header in the segment.
    pub offset: u32,
    /// Its number, from 0, over all segments.
    pub number: u64,
}

/// A record's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What it holds.
    pub kind: RecordKind,
    /// Payload length in bytes.
    pub length: u32,
    /// Its number.
    pub number: u64,
}

/// Bytes that a payload of `length` takes, header and padding included.
#[must_use]
pub fn framed_bytes(length: usize) -> usize {
    (HEADER_BYTES + length + 4).next_multiple_of(8)
}

/// Appends a framed record to `out`.
pub fn encode(out: &mut Vec<u8>, kind: RecordKind, number: u64, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let start = out.len();
    let mut head = [0; 20];
    let fields = MAGIC
        .into_iter()
        .chain([kind.code(), 0, 0, 0])
        .chain(length.to_le_bytes())
        .chain(number.to_le_bytes());
    for (to, byte) in head.iter_mut().zip(fields) {
        *to = byte;
    }
    out.extend_from_slice(&head);
    out.extend_from_slice(&crc32c::crc32c(&head).to_le_bytes());
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32c::crc32c(payload).to_le_bytes());
    out.resize(start + framed_bytes(payload.len()), 0);
}

/// Reads a header; `None` when these bytes are none.
#[must_use]
pub fn decode_header(bytes: &[u8]) -> Option<Header> {
    let (head, rest) = bytes.split_at_checked(20)?;
    let crc = u32::from_le_bytes(*rest.first_chunk::<4>()?);
    if !head.starts_with(&MAGIC) || crc32c::crc32c(head) != crc {
        return None;
    }
    let kind = RecordKind::from_code(*head.get(4)?);
    let length = u32::from_le_bytes(head.get(8..12)?.try_into().ok()?);
    let number = u64::from_le_bytes(head.get(12..20)?.try_into().ok()?);
    (length as usize <= RECORD_BYTES_MAX).then_some(Header { kind, length, number })
}

/// The payload behind a header, if its CRC is right.
#[must_use]
pub fn decode_payload(header: Header, bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.get(HEADER_BYTES..)?;
    let (payload, rest) = rest.split_at_checked(header.length as usize)?;
    let crc = u32::from_le_bytes(*rest.first_chunk::<4>()?);
    (crc32c::crc32c(payload) == crc).then_some(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_a_newer_program_is_whole_and_told_apart() {
        let mut bytes = Vec::new();
        encode(&mut bytes, RecordKind::Local, 7, b"payload");
        bytes[4] = 200;
        let crc = crc32c::crc32c(&bytes[..20]);
        bytes[20..24].copy_from_slice(&crc.to_le_bytes());
        let header = decode_header(&bytes).unwrap();
        assert_eq!(header, Header { kind: RecordKind::Newer, length: 7, number: 7 });
        assert_eq!(decode_payload(header, &bytes), Some(&b"payload"[..]));
    }

    #[test]
    fn a_record_reads_back_and_any_flipped_bit_is_noticed() {
        for kind in RecordKind::ALL {
            let mut bytes = Vec::new();
            encode(&mut bytes, kind, 7, b"payload");
            assert_eq!(bytes.len(), framed_bytes(7));
            let header = decode_header(&bytes).unwrap();
            assert_eq!(header, Header { kind, length: 7, number: 7 });
            assert_eq!(decode_payload(header, &bytes), Some(&b"payload"[..]));
            for bit in 0..(HEADER_BYTES + 11) * 8 {
                let mut bad = bytes.clone();
                bad[bit / 8] ^= 1 << (bit % 8);
                let read = decode_header(&bad).and_then(|h| decode_payload(h, &bad));
                assert_eq!(read, None, "bit {bit}");
            }
        }
    }
}
