//! Local records: facts about this node alone that must survive the loss of the views.
//! (fixed format)
//!
//! ```text
//! a word in lower case, a zero byte, then the word's fields; integers are big-endian
//! "shown" 0      old log 32   city u32   size u64
//! "restored" 0   own log 32   size u64
//! ```
//!
//! A word that only newer programs know is passed over and stays in the journal.

use crate::ids::{CityCode, LogId};

/// What a local record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalFact {
    /// After a restore, a member has shown how much of the old log it holds.
    Shown {
        /// The log that ended.
        log: LogId,
        /// The member.
        city: CityCode,
        /// Entries it holds of that log; 0 when it holds none.
        size: u64,
    },
    /// The copy of an own log here is an older one: nothing is appended to that log again.
    Restored {
        /// The log.
        log: LogId,
        /// Entries it had at least, as the guard or a member says.
        size: u64,
    },
}

impl LocalFact {
    /// The payload of its record.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Shown { log, city, size } => {
                let mut payload = b"shown\0".to_vec();
                payload.extend_from_slice(log.as_bytes());
                payload.extend_from_slice(&city.as_u32().to_be_bytes());
                payload.extend_from_slice(&size.to_be_bytes());
                payload
            }
            Self::Restored { log, size } => {
                let mut payload = b"restored\0".to_vec();
                payload.extend_from_slice(log.as_bytes());
                payload.extend_from_slice(&size.to_be_bytes());
                payload
            }
        }
    }

    /// Reads a payload; `None` when this program does not know its word, or it is malformed.
    #[must_use]
    pub fn decode(payload: &[u8]) -> Option<Self> {
        if let Some(rest) = payload.strip_prefix(b"restored\0") {
            let (log, rest) = rest.split_first_chunk::<32>()?;
            let size = <[u8; 8]>::try_from(rest).ok()?;
            return Some(Self::Restored { log: LogId::new(*log), size: u64::from_be_bytes(size) });
        }
        let rest = payload.strip_prefix(b"shown\0")?;
        let (log, rest) = rest.split_first_chunk::<32>()?;
        let (city, rest) = rest.split_first_chunk::<4>()?;
        let size = <[u8; 8]>::try_from(rest).ok()?;
        Some(Self::Shown {
            log: LogId::new(*log),
            city: CityCode::from_u32(u32::from_be_bytes(*city)).ok()?,
            size: u64::from_be_bytes(size),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_reads_back_and_nothing_longer_or_shorter_is_one() {
        let city = CityCode::from_u32(371_500).unwrap();
        let log = LogId::new([7; 32]);
        let facts =
            [LocalFact::Shown { log, city, size: 12 }, LocalFact::Restored { log, size: 9 }];
        for fact in facts {
            let payload = fact.encode();
            assert_eq!(LocalFact::decode(&payload), Some(fact));
            assert_eq!(LocalFact::decode(&payload[..payload.len() - 1]), None);
            assert_eq!(LocalFact::decode(&[payload.as_slice(), b"x"].concat()), None);
        }
        assert_eq!(LocalFact::decode(b"later\0"), None);
    }
}
