//! Amendment lines of a charter: what becomes of logs, turns and parts when members change.
//! (fixed format)
//!
//! ```text
//! amendment: <log> closed at <size> <root>         entries beyond that head are never folded
//! amendment: <log> goes on                         its city has a new key, the log does not end
//! amendment: <city> heir <city>                    a city that leaves, and who gets its turns
//! amendment: <city> parts of <log> from <index>    a city that joins, and its first parts
//! ```
//!
//! The lines stand in this order, each group ascending, each log, leaving city or pair of joining
//! city and log at most once. A joining city receives every header; of a log that no line names
//! it gets parts from the entry on at which that log adopts the charter.
//!
//! In scope: the lines and what can be told from one charter. Out of scope: whether the logs exist
//! and whose they are, which only the charter before and the manifests say.

use std::fmt;
use std::str::FromStr;

use crate::ids::{CityCode, Hash, LogId};
use crate::log::Head;
use crate::log::merkle::{TREE_SIZE_MAX, empty_root};
use crate::log::text::TextError;

/// One amendment line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Amendment {
    /// The log ends at this head: what lies beyond is kept and shown, never folded.
    Closed(Head),
    /// The log does not end although its city leaves or has a new city key.
    GoesOn(LogId),
    /// A city that is no member any more, and the member that gets its turns.
    Heir {
        /// Who leaves.
        leaving: CityCode,
        /// Who gets its turns.
        heir: CityCode,
    },
    /// A city that joins gets the parts of a log from this entry on.
    PartsFrom {
        /// Who joins.
        city: CityCode,
        /// Of which log.
        log: LogId,
        /// Index of the first entry whose parts it gets.
        from: u64,
    },
}

/// Where a line stands: its group, and its place in the group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Log(LogId),
    Leaving(CityCode),
    Joining(CityCode, LogId),
}

impl Amendment {
    const fn place(&self) -> Place {
        match self {
            Self::Closed(head) => Place::Log(head.log),
            Self::GoesOn(log) => Place::Log(*log),
            Self::Heir { leaving, .. } => Place::Leaving(*leaving),
            Self::PartsFrom { city, log, .. } => Place::Joining(*city, *log),
        }
    }

    fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let log = |text: &str| LogId::parse(text).ok();
        let city = |text: &str| CityCode::parse(text).ok();
        match words.as_slice() {
            [id, "closed", "at", size, root] => {
                let (size, root) = (size.parse().ok()?, Hash::parse(root).ok()?);
                Some(Self::Closed(Head { log: log(id)?, size, root }))
            }
            [id, "goes", "on"] => Some(Self::GoesOn(log(id)?)),
            [leaving, "heir", heir] => {
                Some(Self::Heir { leaving: city(leaving)?, heir: city(heir)? })
            }
            [joining, "parts", "of", id, "from", from] => Some(Self::PartsFrom {
                city: city(joining)?,
                log: log(id)?,
                from: from.parse().ok()?,
            }),
            _ => None,
        }
    }
}

impl fmt::Display for Amendment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(Head { log, size, root }) => write!(f, "{log} closed at {size} {root}"),
            Self::GoesOn(log) => write!(f, "{log} goes on"),
            Self::Heir { leaving, heir } => write!(f, "{leaving} heir {heir}"),
            Self::PartsFrom { city, log, from } => write!(f, "{city} parts of {log} from {from}"),
        }
    }
}

impl FromStr for Amendment {
    type Err = TextError;
    fn from_str(line: &str) -> Result<Self, TextError> {
        Self::read(line).ok_or(TextError::Value { key: "amendment" })
    }
}

/// Checks the lines of one charter whose members are those of whom `is_member` says so.
///
/// # Errors
/// What contradicts what, in words.
pub(super) fn check(
    lines: &[Amendment],
    is_member: impl Fn(CityCode) -> bool,
) -> Result<(), &'static str> {
    if !lines.is_sorted_by(|one, next| one.place() < next.place()) {
        return Err("amendment lines stand in their order, each log and city once");
    }
    for line in lines {
        match line {
            Amendment::Closed(head) if head.size > TREE_SIZE_MAX => {
                return Err("a log cannot be that long");
            }
            Amendment::Closed(head) if head.size == 0 && head.root != empty_root() => {
                return Err("a log is closed empty but its root is not that of an empty log");
            }
            Amendment::Heir { leaving, .. } if is_member(*leaving) => {
                return Err("a city that has an heir is still a member");
            }
            Amendment::Heir { heir, .. } if !is_member(*heir) => {
                return Err("an heir is no member");
            }
            Amendment::PartsFrom { city, .. } if !is_member(*city) => {
                return Err("a city that gets parts is no member");
            }
            Amendment::PartsFrom { from, .. } if *from > TREE_SIZE_MAX => {
                return Err("a log cannot be that long");
            }
            Amendment::Closed(_)
            | Amendment::GoesOn(_)
            | Amendment::Heir { .. }
            | Amendment::PartsFrom { .. } => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn city(code: u32) -> CityCode {
        CityCode::from_u32(code).unwrap()
    }

    fn lines() -> Vec<Amendment> {
        let log = |byte| LogId::new([byte; 32]);
        vec![
            Amendment::Closed(Head { log: log(1), size: 7, root: Hash::new([9; 32]) }),
            Amendment::GoesOn(log(2)),
            Amendment::Heir { leaving: city(410_900), heir: city(371_500) },
            Amendment::PartsFrom { city: city(371_400), log: log(1), from: 0 },
        ]
    }

    fn is_member(of: CityCode) -> bool {
        of != city(410_900)
    }

    #[test]
    fn lines_read_back_and_nothing_else_is_one() {
        for line in lines() {
            assert_eq!(line.to_string().parse::<Amendment>(), Ok(line));
        }
        assert_eq!(check(&lines(), is_member), Ok(()));
        let log = "01".repeat(32);
        for bad in [
            String::new(),
            log.clone(),
            format!("{log} goes on "),
            format!("{log}  goes on"),
            format!("{log} closed at 7"),
            format!("{log} closed at -7 {log}"),
            format!("{log} closed on 7 {log}"),
            format!("{} goes on", log.to_uppercase().replace('0', "A")),
            "410900 heir 371522".to_owned(),
            "410900 heir 371500 371400".to_owned(),
            format!("371400 parts of {log} from "),
            "聊城退出协议".to_owned(),
        ] {
            assert!(bad.parse::<Amendment>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn order_members_and_heads_are_checked() {
        let wrong: [fn(&mut Vec<Amendment>); 8] = [
            |l| l.reverse(),
            |l| l[1] = l[0],
            |l| l[1] = Amendment::GoesOn(LogId::new([1; 32])),
            |l| l.swap(2, 3),
            |l| l[2] = Amendment::Heir { leaving: city(371_400), heir: city(371_500) },
            |l| l[2] = Amendment::Heir { leaving: city(410_900), heir: city(410_900) },
            |l| {
                let log = LogId::new([1; 32]);
                l[0] = Amendment::Closed(Head { log, size: 0, root: Hash::new([9; 32]) });
            },
            |l| {
                let log = LogId::new([1; 32]);
                l[3] = Amendment::PartsFrom { city: city(410_900), log, from: 0 };
            },
        ];
        for (row, spoil) in wrong.into_iter().enumerate() {
            let mut lines = lines();
            spoil(&mut lines);
            assert!(check(&lines, is_member).is_err(), "row {row}");
        }
    }
}
