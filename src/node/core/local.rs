//! Small records of this node alone, which must survive the loss of the views (fixed format,
//! `docs/formats.md`).
//!
//! ```text
//! "shown"     log id 32   city u32   size u64      a member has shown what it holds of an old log
//! "restored"  log id 32   size u64                 this node's copy of its own log is an older one
//! ```
//! Integers are big-endian. A record of another kind is left alone: a later version wrote it.

use bytes::Bytes;

use crate::ids::{CityCode, LogId};

const SHOWN: &[u8] = b"shown";
const RESTORED: &[u8] = b"restored";

/// One small record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Local {
    /// A member has shown what it holds of an old log of this city; 0 when it holds nothing.
    Shown {
        /// The old log.
        log: LogId,
        /// The member.
        city: CityCode,
        /// Entries it holds.
        size: u64,
    },
    /// The own log came back from an older copy: it is never appended to again.
    Restored {
        /// The log.
        log: LogId,
        /// Entries it had, as far as is known.
        size: u64,
    },
}

impl Local {
    pub(super) fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(64);
        match self {
            Self::Shown { log, city, size } => {
                out.extend_from_slice(SHOWN);
                out.extend_from_slice(log.as_bytes());
                out.extend_from_slice(&city.as_u32().to_be_bytes());
                out.extend_from_slice(&size.to_be_bytes());
            }
            Self::Restored { log, size } => {
                out.extend_from_slice(RESTORED);
                out.extend_from_slice(log.as_bytes());
                out.extend_from_slice(&size.to_be_bytes());
            }
        }
        out.into()
    }

    pub(super) fn decode(payload: &[u8]) -> Option<Self> {
        if let Some(rest) = payload.strip_prefix(SHOWN) {
            let (log, rest) = rest.split_at_checked(32)?;
            let (city, size) = rest.split_at_checked(4)?;
            let city = u32::from_be_bytes(city.try_into().ok()?);
            return Some(Self::Shown {
                log: LogId::from_slice(log).ok()?,
                city: CityCode::from_u32(city).ok()?,
                size: u64::from_be_bytes(size.try_into().ok()?),
            });
        }
        let (log, size) = payload.strip_prefix(RESTORED)?.split_at_checked(32)?;
        Some(Self::Restored {
            log: LogId::from_slice(log).ok()?,
            size: u64::from_be_bytes(size.try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_back_and_others_are_left_alone() {
        let log = LogId::new([7; 32]);
        let city = CityCode::from_u32(371_500).unwrap();
        for local in [Local::Shown { log, city, size: 9 }, Local::Restored { log, size: 3 }] {
            let bytes = local.encode();
            assert_eq!(Local::decode(&bytes), Some(local));
            assert_eq!(Local::decode(&bytes[..bytes.len() - 1]), None);
        }
        assert_eq!(Local::decode(b"later"), None);
    }
}
