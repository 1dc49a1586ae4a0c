//! Segments: numbered files of records (fixed format, `docs/formats.md`).
//!
//! ```text
//! 0  magic "LDSEG\r\n\0"   8  version u32 = 1      12 segment number u32
//! 16 journal id            32 first record u64     40 rewrite generation u32
//! 44 CRC-32C of bytes 0..44 u32                    48 records
//! ```

/// First bytes of a segment.
pub const MAGIC: [u8; 8] = *b"LDSEG\r\n\0";
/// Bytes of a segment's header.
pub const HEADER_BYTES: usize = 48;
/// The format written here.
pub const VERSION: u32 = 1;

/// A segment's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// Its number, from 0.
    pub number: u32,
    /// The journal it belongs to.
    pub journal_id: [u8; 16],
    /// Number of its first record.
    pub first_record: u64,
    /// How often it was written anew, by erasures.
    pub generation: u32,
}

impl SegmentHeader {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.journal_id);
        out.extend_from_slice(&self.first_record.to_le_bytes());
        out.extend_from_slice(&self.generation.to_le_bytes());
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads a header; `None` when these bytes are none of this version.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(HEADER_BYTES - 4)?;
        let crc = u32::from_le_bytes(*rest.first_chunk::<4>()?);
        let version = u32::from_le_bytes(head.get(8..12)?.try_into().ok()?);
        if !head.starts_with(&MAGIC) || crc32c::crc32c(head) != crc || version != VERSION {
            return None;
        }
        Some(Self {
            number: u32::from_le_bytes(head.get(12..16)?.try_into().ok()?),
            journal_id: head.get(16..32)?.try_into().ok()?,
            first_record: u64::from_le_bytes(head.get(32..40)?.try_into().ok()?),
            generation: u32::from_le_bytes(head.get(40..44)?.try_into().ok()?),
        })
    }
}

/// The version of a segment that a newer program wrote; `None` for any other bytes.
#[must_use]
pub fn newer_version(bytes: &[u8]) -> Option<u32> {
    let version = bytes.strip_prefix(&MAGIC)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*version)).filter(|version| *version > VERSION)
}

/// The file name of a segment.
#[must_use]
pub fn file_name(number: u32) -> String {
    format!("{number:08}.seg")
}

/// The file name under which a segment is written anew, before it takes the old one's place.
#[must_use]
pub fn new_file_name(number: u32) -> String {
    format!("{number:08}.new")
}

/// The number in a segment's file name.
#[must_use]
pub fn parse_file_name(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".seg")?;
    (digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_any_flipped_bit_is_noticed() {
        let header =
            SegmentHeader { number: 3, journal_id: [9; 16], first_record: 77, generation: 1 };
        let bytes = header.encode();
        assert_eq!(bytes.len(), HEADER_BYTES);
        assert_eq!(SegmentHeader::decode(&bytes), Some(header));
        for bit in 0..HEADER_BYTES * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::decode(&bad), None, "bit {bit}");
        }
        assert_eq!(newer_version(&bytes), None);
        let mut newer = bytes.clone();
        newer[8] = 2;
        assert_eq!(newer_version(&newer), Some(2));
        assert_eq!(newer_version(&[0; HEADER_BYTES]), None);
        assert_eq!(parse_file_name(&file_name(12)), Some(12));
        assert_eq!(parse_file_name("x.seg"), None);
    }
}
