//! Suspension records: what the operator, or the daily quota, has stopped taking in here. (fixed
//! format)
//!
//! ```text
//! a word in lower case, a zero byte, then the word's fields; integers are big-endian, texts are
//! UTF-8 behind their length u16
//! "city" 0      city u32   at i64   reason text   by text   count u32   count x (log 32, size u64)
//! "log" 0       city u32   at i64   log 32   size u64
//! "resumed" 0   city u32   at i64   by text
//! ```
//!
//! A word that only newer programs know is passed over and stays in the journal.

use crate::ids::{CityCode, LogId};
use crate::limits;

/// What a suspension record says. Sizes are how far a log was stored when it was suspended: up to
/// there it is applied here, and no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SuspensionFact {
    /// An operator has suspended a city: no connection with it, and all its logs stand still.
    City {
        /// The city.
        city: CityCode,
        /// When, by the own clock, milliseconds since 1970-01-01 UTC.
        at_ms: i64,
        /// Why, in the operator's words.
        reason: String,
        /// Who: role and id.
        by: String,
        /// Its logs; one that becomes known later stands at 0.
        logs: Vec<(LogId, u64)>,
    },
    /// One log has outrun its daily quota and stands still.
    Log {
        /// Its author.
        city: CityCode,
        /// When, by the own clock, milliseconds since 1970-01-01 UTC.
        at_ms: i64,
        /// The log.
        log: LogId,
        /// Entries stored.
        size: u64,
    },
    /// An operator has lifted everything that stood of a city before.
    Resumed {
        /// The city.
        city: CityCode,
        /// When, by the own clock, milliseconds since 1970-01-01 UTC.
        at_ms: i64,
        /// Who: role and id.
        by: String,
    },
}

impl SuspensionFact {
    /// The payload of its record.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::City { city, at_ms, reason, by, logs } => {
                begin(&mut out, b"city\0", *city, *at_ms);
                put_text(&mut out, reason);
                put_text(&mut out, by);
                let count = u32::try_from(logs.len()).unwrap_or(u32::MAX);
                out.extend_from_slice(&count.to_be_bytes());
                logs.iter().for_each(|(log, size)| put_log(&mut out, *log, *size));
            }
            Self::Log { city, at_ms, log, size } => {
                begin(&mut out, b"log\0", *city, *at_ms);
                put_log(&mut out, *log, *size);
            }
            Self::Resumed { city, at_ms, by } => {
                begin(&mut out, b"resumed\0", *city, *at_ms);
                put_text(&mut out, by);
            }
        }
        out
    }

    /// Reads a payload; `None` when this program does not know its word, or it is malformed.
    #[must_use]
    pub fn decode(payload: &[u8]) -> Option<Self> {
        let word = payload.iter().position(|byte| *byte == 0)?;
        let (word, mut rest) = payload.split_at_checked(word + 1)?;
        let city = CityCode::from_u32(u32::from_be_bytes(take(&mut rest)?)).ok()?;
        let at_ms = i64::from_be_bytes(take(&mut rest)?);
        let fact = match word {
            b"city\0" => {
                let (reason, by) = (take_text(&mut rest)?, take_text(&mut rest)?);
                let count = u32::from_be_bytes(take(&mut rest)?) as usize;
                if rest.len() != count.checked_mul(40)? {
                    return None;
                }
                let logs: Option<Vec<_>> = (0..count).map(|_| take_log(&mut rest)).collect();
                Self::City { city, at_ms, reason, by, logs: logs? }
            }
            b"log\0" => {
                let (log, size) = take_log(&mut rest)?;
                Self::Log { city, at_ms, log, size }
            }
            b"resumed\0" => Self::Resumed { city, at_ms, by: take_text(&mut rest)? },
            _ => return None,
        };
        rest.is_empty().then_some(fact)
    }
}

fn begin(out: &mut Vec<u8>, word: &[u8], city: CityCode, at_ms: i64) {
    out.extend_from_slice(word);
    out.extend_from_slice(&city.as_u32().to_be_bytes());
    out.extend_from_slice(&at_ms.to_be_bytes());
}

/// Whoever takes a text in has checked its length; a longer one is cut here and never misread.
fn put_text(out: &mut Vec<u8>, text: &str) {
    let end = text.floor_char_boundary(limits::SUSPENSION_TEXT_BYTES_MAX);
    let text = text.get(..end).unwrap_or_default().as_bytes();
    let length = u16::try_from(text.len()).unwrap_or(0);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text);
}

fn put_log(out: &mut Vec<u8>, log: LogId, size: u64) {
    out.extend_from_slice(log.as_bytes());
    out.extend_from_slice(&size.to_be_bytes());
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}

fn take_text(rest: &mut &[u8]) -> Option<String> {
    let length = usize::from(u16::from_be_bytes(take(rest)?));
    let (text, left) = rest.split_at_checked(length)?;
    *rest = left;
    String::from_utf8(text.to_vec()).ok()
}

fn take_log(rest: &mut &[u8]) -> Option<(LogId, u64)> {
    let log = LogId::new(take(rest)?);
    Some((log, u64::from_be_bytes(take(rest)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspension_reads_back_and_nothing_longer_or_shorter_is_one() {
        let (city, at_ms) = (CityCode::from_u32(371_500).unwrap(), 1_795_140_000_000);
        let logs = vec![(LogId::new([7; 32]), 12), (LogId::new([8; 32]), 0)];
        let (reason, by) = ("密钥失窃".to_owned(), "admin/1".to_owned());
        let facts = [
            SuspensionFact::City { city, at_ms, reason, by: by.clone(), logs },
            SuspensionFact::Log { city, at_ms, log: LogId::new([7; 32]), size: 9 },
            SuspensionFact::Resumed { city, at_ms, by },
        ];
        for fact in facts {
            let payload = fact.encode();
            for short in 0..payload.len() {
                assert_eq!(SuspensionFact::decode(&payload[..short]), None, "{fact:?} {short}");
            }
            assert_eq!(SuspensionFact::decode(&[payload.as_slice(), b"x"].concat()), None);
            assert_eq!(SuspensionFact::decode(&payload), Some(fact));
        }
        assert_eq!(SuspensionFact::decode(b"later\0"), None);
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_at_a_whole_character() {
        let (city, at_ms) = (CityCode::from_u32(371_500).unwrap(), 0);
        let by = "长".repeat(limits::SUSPENSION_TEXT_BYTES_MAX);
        let read = SuspensionFact::decode(&SuspensionFact::Resumed { city, at_ms, by }.encode());
        let Some(SuspensionFact::Resumed { by, .. }) = read else { panic!("{read:?}") };
        assert_eq!(by.len(), limits::SUSPENSION_TEXT_BYTES_MAX / 3 * 3);
    }
}
