//! Local records: facts about this node alone that must survive the loss of the views.
//! (fixed format)
//!
//! ```text
//! a word in lower case, a zero byte, then the word's fields; integers are big-endian, texts are
//! UTF-8 behind their length u16
//! "shown" 0      old log 32   city u32   size u64
//! "restored" 0   own log 32   size u64
//! "cut" 0        mark 16
//! "assigned" 0   agreement 16   case 16   at i64   by text   assignee text   remark text
//! "drafted" 0    agreement 16   draft 16   at i64   by text   length u32, content
//! ```
//!
//! A word that only newer programs know is passed over and stays in the journal.

use std::fmt;

use crate::ids::{AgreementId, CityCode, LogId, SubjectId};
use crate::limits::REMARK_BYTES_MAX;

const ASSIGNED: &[u8] = b"assigned\0";
const DRAFTED: &[u8] = b"drafted\0";
const CUT: &[u8] = b"cut\0";

/// What a local record says.
#[derive(Clone, PartialEq, Eq)]
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
    /// Records at the end of the journal were gone: lost, or younger than a copy that was put back.
    /// What was applied from them is applied in another order since, if at all.
    Cut {
        /// Random, so that no two are alike: the end that is lost next may hold such a record too.
        mark: [u8; 16],
    },
    /// Somebody of the own city works on a case; of several the last one counts. The own city's
    /// alone: no part of any log.
    Assigned {
        /// The agreement.
        agreement: AgreementId,
        /// The case.
        subject: SubjectId,
        /// When, by the own clock, milliseconds since 1970-01-01 UTC.
        at_ms: i64,
        /// Who did it: role and id.
        by: String,
        /// To whom; empty for nobody.
        assignee: String,
        /// What the city wants to remember; may be empty.
        remark: String,
    },
    /// The own city draws up a plan; of several of one draft the last one counts. The own city's
    /// alone: no part of any log.
    Drafted {
        /// The agreement.
        agreement: AgreementId,
        /// The draft.
        draft: SubjectId,
        /// When, by the own clock, milliseconds since 1970-01-01 UTC.
        at_ms: i64,
        /// Who did it: role and id.
        by: String,
        /// What it says; empty once there is no such draft any more.
        content: Vec<u8>,
    },
}

impl fmt::Debug for LocalFact {
    /// Never what somebody typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shown { log, city, size } => write!(f, "Shown({log}, {city}, {size})"),
            Self::Restored { log, size } => write!(f, "Restored({log}, {size})"),
            Self::Cut { .. } => f.write_str("Cut"),
            Self::Assigned { agreement, subject, .. } => {
                write!(f, "Assigned({agreement}, {subject})")
            }
            Self::Drafted { agreement, draft, .. } => write!(f, "Drafted({agreement}, {draft})"),
        }
    }
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
            Self::Cut { mark } => [CUT, mark].concat(),
            Self::Assigned { agreement, subject, at_ms, by, assignee, remark } => {
                let mut payload = ASSIGNED.to_vec();
                payload.extend_from_slice(agreement.as_bytes());
                payload.extend_from_slice(subject.as_bytes());
                payload.extend_from_slice(&at_ms.to_be_bytes());
                [by, assignee, remark].into_iter().for_each(|text| put_text(&mut payload, text));
                payload
            }
            Self::Drafted { agreement, draft, at_ms, by, content } => {
                let mut payload = DRAFTED.to_vec();
                payload.extend_from_slice(agreement.as_bytes());
                payload.extend_from_slice(draft.as_bytes());
                payload.extend_from_slice(&at_ms.to_be_bytes());
                put_text(&mut payload, by);
                let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
                payload.extend_from_slice(&length.to_be_bytes());
                payload.extend_from_slice(content);
                payload
            }
        }
    }

    /// Reads a payload; `None` when this program does not know its word, or it is malformed.
    #[must_use]
    pub fn decode(payload: &[u8]) -> Option<Self> {
        if let Some(rest) = payload.strip_prefix(ASSIGNED) {
            return assigned(rest);
        }
        if let Some(rest) = payload.strip_prefix(DRAFTED) {
            return drafted(rest);
        }
        if let Some(rest) = payload.strip_prefix(CUT) {
            return rest.try_into().ok().map(|mark| Self::Cut { mark });
        }
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

fn assigned(rest: &[u8]) -> Option<LocalFact> {
    let (agreement, rest) = rest.split_first_chunk::<16>()?;
    let (subject, rest) = rest.split_first_chunk::<16>()?;
    let (at_ms, rest) = rest.split_first_chunk::<8>()?;
    let (by, rest) = text(rest)?;
    let (assignee, rest) = text(rest)?;
    let (remark, rest) = text(rest)?;
    rest.is_empty().then(|| LocalFact::Assigned {
        agreement: AgreementId::new(*agreement),
        subject: SubjectId::new(*subject),
        at_ms: i64::from_be_bytes(*at_ms),
        by,
        assignee,
        remark,
    })
}

fn drafted(rest: &[u8]) -> Option<LocalFact> {
    let (agreement, rest) = rest.split_first_chunk::<16>()?;
    let (draft, rest) = rest.split_first_chunk::<16>()?;
    let (at_ms, rest) = rest.split_first_chunk::<8>()?;
    let (by, rest) = text(rest)?;
    let (length, content) = rest.split_first_chunk::<4>()?;
    let is_whole = usize::try_from(u32::from_be_bytes(*length)).ok()? == content.len();
    is_whole.then(|| LocalFact::Drafted {
        agreement: AgreementId::new(*agreement),
        draft: SubjectId::new(*draft),
        at_ms: i64::from_be_bytes(*at_ms),
        by,
        content: content.to_vec(),
    })
}

/// A text, and what lies behind it.
fn text(rest: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (text, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    Some((String::from_utf8(text.to_vec()).ok()?, rest))
}

/// Whoever takes a text in has checked its length; a longer one is cut here and never misread.
fn put_text(out: &mut Vec<u8>, text: &str) {
    let end = text.floor_char_boundary(REMARK_BYTES_MAX);
    let text = text.get(..end).unwrap_or_default().as_bytes();
    out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_reads_back_and_nothing_longer_or_shorter_is_one() {
        let city = CityCode::from_u32(371_500).unwrap();
        let log = LogId::new([7; 32]);
        let assigned = LocalFact::Assigned {
            agreement: AgreementId::new([1; 16]),
            subject: SubjectId::new([2; 16]),
            at_ms: 1_795_140_000_000,
            by: "inspector/3".to_owned(),
            assignee: "张三".to_owned(),
            remark: String::new(),
        };
        assert!(!format!("{assigned:?}").contains("张三"));
        let drafted = |content: &[u8]| LocalFact::Drafted {
            agreement: AgreementId::new([1; 16]),
            draft: SubjectId::new([3; 16]),
            at_ms: 1_795_140_000_000,
            by: "inspector/3".to_owned(),
            content: content.to_vec(),
        };
        let facts = [
            LocalFact::Shown { log, city, size: 12 },
            LocalFact::Restored { log, size: 9 },
            LocalFact::Cut { mark: [9; 16] },
            assigned,
            drafted(b"what it says"),
            drafted(b""),
        ];
        for fact in facts {
            let payload = fact.encode();
            assert_eq!(LocalFact::decode(&payload), Some(fact));
            assert_eq!(LocalFact::decode(&payload[..payload.len() - 1]), None);
            assert_eq!(LocalFact::decode(&[payload.as_slice(), b"x"].concat()), None);
        }
        assert_eq!(LocalFact::decode(b"later\0"), None);
    }
}
