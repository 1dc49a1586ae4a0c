//! Identifiers: every number and name that points at something, each with one way in.
//!
//! In scope: parsing, printing and ordering of ids. Out of scope: what they point at.
//! A value of one of these types is well formed; whether the thing exists is for others to say.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{Context, SHA256};

/// A case: its agreement, and its place in it.
pub type CaseKey = (AgreementId, SubjectId);

/// Why a text or a byte string is not the id it claims to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The number of bytes or characters is wrong.
    #[error("{what} has {got} characters or bytes, expected {expected}")]
    Length {
        /// Which id.
        what: &'static str,
        /// How many were given.
        got: usize,
        /// How many there must be.
        expected: usize,
    },
    /// A character is outside the alphabet of the id.
    #[error("{what} contains a character that is not allowed")]
    Alphabet {
        /// Which id.
        what: &'static str,
    },
}

/// A city by its six-digit GB/T 2260 division code, such as 371500 (Liaocheng).
///
/// A city-level code ends in `00` and its first two digits are not `00`.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct CityCode(u32);

impl CityCode {
    /// Reads six ASCII digits.
    ///
    /// # Errors
    /// [`IdError`] unless the text is a six-digit city-level code.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if text.len() != 6 {
            return Err(IdError::Length { what: "city code", got: text.len(), expected: 6 });
        }
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(IdError::Alphabet { what: "city code" });
        }
        text.parse().map_err(|_| IdError::Alphabet { what: "city code" }).and_then(Self::from_u32)
    }

    /// Reads the code as a number, as headers carry it.
    ///
    /// # Errors
    /// [`IdError`] unless the number is a six-digit city-level code.
    pub fn from_u32(code: u32) -> Result<Self, IdError> {
        let city_level = code.is_multiple_of(100) && !(code / 100).is_multiple_of(100);
        if (110_000..=829_999).contains(&code) && city_level {
            Ok(Self(code))
        } else {
            Err(IdError::Alphabet { what: "city code" })
        }
    }

    /// The code as a number, 110100 to 829900.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

impl fmt::Display for CityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl fmt::Debug for CityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for CityCode {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        Self::parse(s)
    }
}

/// Writes bytes as lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        for nibble in [b >> 4, b & 15] {
            out.push(char::from(nibble + if nibble < 10 { b'0' } else { b'a' - 10 }));
        }
    }
    out
}

/// Reads lower-case hexadecimal; `None` on an odd length, upper case or any other character.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let nibble = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    bytes
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
            _ => None,
        })
        .collect()
}

macro_rules! bytes_id {
    ($(#[$doc:meta])* $name:ident, $len:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        pub struct $name([u8; $len]);

        /// The order of the bytes. Maps by id compare often, and the first eight bytes nearly
        /// always decide: they are compared as one number.
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                let first = |id: &Self| id.0.first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
                first(self).cmp(&first(other)).then_with(|| self.0.cmp(&other.0))
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl $name {
            /// How many bytes it has.
            pub const LEN: usize = $len;

            /// Takes the bytes as they are.
            #[must_use]
            pub const fn new(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// Reads raw bytes.
            ///
            /// # Errors
            /// [`IdError::Length`] unless there are exactly as many bytes as the id has.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, IdError> {
                bytes.try_into().map(Self).map_err(|_| IdError::Length {
                    what: $what,
                    got: bytes.len(),
                    expected: $len,
                })
            }

            /// Reads lower-case hexadecimal.
            ///
            /// # Errors
            /// [`IdError`] on a wrong length or any other character.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                if text.len() != $len * 2 {
                    return Err(IdError::Length {
                        what: $what,
                        got: text.len(),
                        expected: $len * 2,
                    });
                }
                let bytes = unhex(text).ok_or(IdError::Alphabet { what: $what })?;
                Self::from_slice(&bytes)
            }

            /// The raw bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(s: &str) -> Result<Self, IdError> {
                Self::parse(s)
            }
        }
    };
}

bytes_id!(
    /// A log: SHA-256 of its manifest's text.
    LogId, 32, "log id"
);
bytes_id!(
    /// A SHA-256 value: Merkle root, part digest, charter hash.
    Hash, 32, "hash"
);

impl Hash {
    /// SHA-256 of the pieces, one after the other.
    #[must_use]
    pub fn of(pieces: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        pieces.iter().for_each(|piece| context.update(piece));
        let mut out = [0; 32];
        out.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
        Self(out)
    }
}

bytes_id!(
    /// A linkage agreement, by its UUID; printed as 32 hexadecimal digits.
    AgreementId, 16, "agreement id"
);
bytes_id!(
    /// One running installation of a city, by its UUID.
    NodeId, 16, "node id"
);
bytes_id!(
    /// A record: case, plan, site and so on.
    SubjectId, 16, "subject id"
);
bytes_id!(
    /// A person or system as its city named it in one agreement: 16 random bytes.
    ActorId, 16, "actor id"
);
bytes_id!(
    /// A 16-byte HMAC tag of a request or its body; opaque to everybody but its author.
    Tag, 16, "request tag"
);

/// A place in a log: entry `index`, counted from 0.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
)]
pub struct Position {
    /// The log.
    pub log: LogId,
    /// The entry's index in it, from 0.
    pub index: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.log, self.index)
    }
}

impl FromStr for Position {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        let bad = IdError::Alphabet { what: "position" };
        let (log, index) = s.split_once(':').ok_or(bad.clone())?;
        let canonical = index == "0" || !index.starts_with(['0', '+']);
        let index = index.parse().ok().filter(|_| canonical).ok_or(bad)?;
        Ok(Self { log: LogId::parse(log)?, index })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_in_the_order_of_their_bytes() {
        let mut all: Vec<[u8; 16]> = Vec::new();
        for at in [0, 1, 7, 8, 15] {
            for byte in [1, 127, 128, 255] {
                let mut bytes = [3; 16];
                bytes[at] = byte;
                all.push(bytes);
            }
        }
        for one in &all {
            for other in &all {
                let ids = SubjectId::new(*one).cmp(&SubjectId::new(*other));
                assert_eq!(ids, one.cmp(other), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_city_code_is_six_digits_of_city_level() {
        assert_eq!(CityCode::parse("371500").unwrap().to_string(), "371500");
        for bad in ["371522", "370000", "37150", "3715000", "37150a", "000000", "999900", "+71500"]
        {
            assert!(CityCode::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hexadecimal_is_lower_case_only() {
        assert_eq!(unhex("00ff"), Some(vec![0, 255]));
        assert_eq!(unhex("00FF"), None);
        assert_eq!(unhex("0"), None);
        assert_eq!(hex(&[0, 255, 16]), "00ff10");
    }

    #[test]
    fn a_position_reads_back_what_it_prints() {
        let at = Position { log: LogId::new([7; 32]), index: 12 };
        assert_eq!(at.to_string().parse::<Position>().unwrap(), at);
        assert!(format!("{}:012", at.log).parse::<Position>().is_err());
        assert!(format!("{}:+12", at.log).parse::<Position>().is_err());
    }
}
