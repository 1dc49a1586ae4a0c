//! Why bytes that arrived cannot be taken.

use crate::ids::IdError;

/// Bytes of a peer, of a client or of the own journal that cannot be taken.
///
/// Nothing was stored. From a peer: the batch or frame is refused as a whole and counted against
/// the peer that sent it. From the journal: the record is damaged and is fetched again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Not protobuf, or not this message.
    #[error("{what} is not readable: {reason}")]
    Unreadable {
        /// Which message.
        what: &'static str,
        /// What the decoder says.
        reason: String,
    },
    /// Larger, in bytes, than anything honest.
    #[error("{what} has {got} bytes, the limit is {limit}")]
    TooLarge {
        /// Which message.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// What came.
        got: usize,
    },
    /// More elements than anything honest.
    #[error("{what} are {got}, the limit is {limit}")]
    TooMany {
        /// Which elements.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// What came; counting may have ended early.
        got: usize,
    },
    /// A field that must be there is not.
    #[error("{field} is missing")]
    Missing {
        /// Which field.
        field: &'static str,
    },
    /// A field of fixed length has another one.
    #[error("{field} has {got} bytes, expected {expected}")]
    Length {
        /// Which field.
        field: &'static str,
        /// What came.
        got: usize,
        /// What it must have.
        expected: usize,
    },
    /// A header says something that cannot be, such as 31 February or a county where a city is
    /// meant. Its author's program is at fault: the batch is refused, and the log stands still
    /// here until an operator has spoken with that city.
    #[error("{field} of the header has an impossible value")]
    BadHeader {
        /// Which field.
        field: &'static str,
    },
    /// A header of a format, or a part of an audience, that this version cannot handle safely.
    /// The log waits here until this node is upgraded (UPGRADE_REQUIRED).
    #[error("{what} {got} is newer than this program")]
    NewerFormat {
        /// Which number.
        what: &'static str,
        /// Its value.
        got: u32,
    },
    /// A value that is no value of its field, such as a code that is not in its list.
    #[error("{field}: {reason}")]
    BadValue {
        /// Path of the field.
        field: String,
        /// The stable reason.
        reason: &'static str,
    },
}

impl WireError {
    /// The error of a decoder.
    pub(super) fn unreadable(what: &'static str) -> impl Fn(prost::DecodeError) -> Self {
        move |error| Self::Unreadable { what, reason: error.to_string() }
    }
}

/// An id of the wrong length, at a field.
pub(super) fn at_field<T>(field: &'static str, id: Result<T, IdError>) -> Result<T, WireError> {
    id.map_err(|error| match error {
        IdError::Length { got, expected, .. } => WireError::Length { field, got, expected },
        IdError::Alphabet { .. } => WireError::BadHeader { field },
    })
}

/// Checks a number of bytes.
pub(super) fn check_bytes(what: &'static str, got: usize, limit: usize) -> Result<(), WireError> {
    if got > limit { Err(WireError::TooLarge { what, limit, got }) } else { Ok(()) }
}

/// Checks a number of elements.
pub(super) fn check_count(what: &'static str, got: usize, limit: usize) -> Result<(), WireError> {
    if got > limit { Err(WireError::TooMany { what, limit, got }) } else { Ok(()) }
}
