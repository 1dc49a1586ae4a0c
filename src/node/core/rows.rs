//! What the node's own rows hold, encoded with postcard; rebuilt whenever the shape changes.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ids::{AgreementId, Hash, LogId, Position, SubjectId, Tag};
use crate::journal::RecordRef;
use crate::node::core::made_over::MadeOver;

/// Changes with every change of shape or meaning of a row of the node or the view.
pub const ROWS_VERSION: u32 = 20;

/// Where indexing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressRow {
    /// Version of the rows.
    pub rows_version: u32,
    /// Version of the fold.
    pub fold_version: u32,
    /// The journal the rows belong to.
    pub journal_id: [u8; 16],
    /// First journal record not yet indexed.
    pub next_record: u64,
    /// One behind the last record that any row may name. Above `next_record` where batches were
    /// passed over.
    pub journal_end: u64,
    /// Entries applied.
    pub apply_number: u64,
    /// What the order of application depends on besides what the journal holds.
    pub made_over: MadeOver,
}

/// What a request led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRow {
    /// Tag of its body.
    pub body: Tag,
    /// The entry.
    pub position: Position,
    /// The agreement.
    pub agreement: AgreementId,
    /// The record.
    pub subject: Option<SubjectId>,
}

/// Where a batch lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRow {
    /// Its journal record.
    pub record: RecordRef,
    /// Index behind its last entry.
    pub end: u64,
    /// It has parts that are not for all members.
    pub narrow: bool,
}

/// A batch that was passed over in a replay, kept for comparing with what is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedRow {
    /// Its journal record.
    pub record: RecordRef,
    /// Index behind its last entry.
    pub end: u64,
}

/// State of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRow {
    /// Entries stored, and the right edge of their tree.
    pub stored: (u64, Vec<Hash>),
    /// Entries applied, and the right edge of their tree.
    pub applied: (u64, Vec<Hash>),
    /// Newest checkpoint.
    pub checkpoint: Bytes,
    /// What its next entry waits for.
    pub waiting_for: Option<(LogId, u64)>,
    /// City from which the last stretch came, 0 for none.
    pub last_source: u32,
    /// Entries that did not take effect.
    pub misfits: u64,
    /// What it has brought today.
    pub day: DayRow,
    /// Size and root of what leans on no suspension, if there is more.
    pub leans_from: Option<(u64, Hash)>,
}

/// What was taken in of a log on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayRow {
    /// Days since 1970-01-01, in Beijing.
    pub day: i64,
    /// Entries.
    pub entries: u64,
    /// Signed bytes.
    pub bytes: u64,
}

/// A cosignature held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CosignatureRow {
    /// Root of the checkpoint it covers.
    pub root: Hash,
    /// When the witness signed, seconds since 1970-01-01 UTC.
    pub time_s: u64,
    /// The whole line.
    pub line: Bytes,
}

/// Two notes that prove something against a witness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessProofRow {
    /// What it has cosigned.
    pub cosigned: Bytes,
    /// What that contradicts.
    pub against: Bytes,
}

/// Where the assignment of a case lies, and what stands for the name in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentRow {
    /// The record.
    pub record: RecordRef,
    /// Of the assignee.
    pub assignee: Tag,
}

/// Where what a draft of a plan says lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftRow {
    /// The record.
    pub record: RecordRef,
}

/// Encodes a row.
#[must_use]
pub fn encode<T: Serialize>(row: &T) -> Vec<u8> {
    // These types have no failing serializers; an empty row decodes as absent.
    postcard::to_stdvec(row).unwrap_or_default()
}

/// Decodes a row; `None` when it is not of this shape.
#[must_use]
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}

/// The subject id of a log: its first 16 bytes.
#[must_use]
pub fn log_subject(log: LogId) -> SubjectId {
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(log.as_bytes()) {
        *to = *from;
    }
    SubjectId::new(id)
}
