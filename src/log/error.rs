//! Why an entry, a batch or an announced checkpoint is turned away.
//!
//! Every variant leaves frontier, entries and heads as they were; each says what to do next.

use super::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::ids::{LogId, Position};

/// Why an entry cannot stand in any log. The entry is not stored.
///
/// Where the entry lies under a signed root, its author is at fault, not who delivered it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// A header, part, entry or list is larger than limits.rs allows. Do not send it again.
    #[error("{what} is {got}, at most {limit} is allowed")]
    TooLarge {
        /// Which measure.
        what: &'static str,
        /// What was given, in bytes or items.
        got: usize,
        /// What is allowed.
        limit: usize,
    },
    /// A header of no bytes. Do not send it again.
    #[error("header is empty")]
    NoHeader,
    /// The header names another number of parts than there are slots. Fetch the entry again.
    #[error("header names {named} parts but {slots} came with it")]
    Slots {
        /// Parts the header names.
        named: usize,
        /// Slots that came.
        slots: usize,
    },
    /// A part's bytes are not those its header names. Fetch the part from another member.
    #[error("part {part} does not match its digest")]
    Digest {
        /// Which part, from 0.
        part: usize,
    },
    /// An audience of cities is empty, too long, not ascending or names a city twice.
    #[error("audience of part {part} is not a list of cities in ascending order")]
    Audience {
        /// Which part, from 0.
        part: usize,
    },
    /// `erased_by` names this entry or an earlier one of its log. Fetch the entry again.
    #[error("part {part} is said to be erased before it was written")]
    ErasedBefore {
        /// Which part, from 0.
        part: usize,
    },
    /// The heads in `after` are not in ascending order of logs, or name a log twice.
    #[error("heads in after are not in ascending order of logs")]
    AfterOrder,
    /// `after` names the entry's own log, which always comes before.
    #[error("after names the entry's own log")]
    AfterSelf,
    /// `after` names a head without entries, or one larger than any log can be.
    #[error("after names a head that no log can have")]
    AfterSize,
    /// An index no log can reach.
    #[error("index is out of range")]
    Index,
    /// `prev` names this entry, a later one of its log, or an index no log can reach.
    #[error("prev does not name an earlier entry")]
    Prev,
}

/// Why a batch, or an announced checkpoint, of another city's log was turned away.
///
/// Our copy of the log is exactly as it was, whichever variant this is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The batch is of another log than the stream it came on. Counts against the peer.
    #[error("batch is of log {got}, expected {expected}")]
    WrongLog {
        /// The log asked for.
        expected: LogId,
        /// The log the batch names.
        got: LogId,
    },
    /// A batch without entries. Counts against the peer.
    #[error("batch of log {log} has no entries")]
    Empty {
        /// The log.
        log: LogId,
    },
    /// More entries or bytes than a batch may have. Ask for a shorter stretch.
    #[error("{what} of a batch of log {log} is {got}, at most {limit} is allowed")]
    TooLarge {
        /// The log.
        log: LogId,
        /// Which measure.
        what: &'static str,
        /// What was given, in bytes or entries.
        got: usize,
        /// What is allowed.
        limit: usize,
    },
    /// Entries are missing before the batch. Normal while catching up: fetch from `expected`.
    #[error("log {log} has a gap: expected entry {expected}, got {got}")]
    Gap {
        /// The log.
        log: LogId,
        /// The first index not here.
        expected: u64,
        /// The first index of the batch.
        got: u64,
    },
    /// Everything in the batch is here already, byte for byte. Not a fault: count it, answer OK.
    #[error("log {log} is known up to entry {size} already")]
    Duplicate {
        /// The log.
        log: LogId,
        /// Where the batch ends.
        size: u64,
    },
    /// An entry that is here already came with another header. Fetch the stretch from another
    /// member; if it stays so, the city has signed two histories.
    #[error("entry {index} of log {log} differs from the one held")]
    Differs {
        /// The log.
        log: LogId,
        /// The first entry that differs.
        index: u64,
    },
    /// The log's key signed a root that is not that of the entries here. Together with a signed
    /// checkpoint kept at this size it is a `ForkProof`; without one, ask for one and keep this.
    #[error("checkpoint of log {log} at size {size} contradicts the entries held")]
    Contradicts {
        /// The log.
        log: LogId,
        /// The size at which it does.
        size: u64,
        /// The genuine checkpoint that does not fit.
        checkpoint: Box<SignedCheckpoint>,
    },
    /// The checkpoint is not one of this log, or not signed by its key. Counts against the peer.
    #[error("checkpoint of log {log} for size {size} is bad")]
    BadCheckpoint {
        /// The log.
        log: LogId,
        /// The size the checkpoint should be of; 0 for an announced one.
        size: u64,
        /// What is wrong with it.
        #[source]
        source: CheckpointError,
    },
    /// A genuine checkpoint of the past. Nothing moves back: answer with `known`.
    #[error("checkpoint of log {log} is older than the known size {known}")]
    StaleCheckpoint {
        /// The log.
        log: LogId,
        /// Entries of it that are here.
        known: u64,
    },
    /// The checkpoint covers more or fewer entries than came with it. Fetch the stretch again.
    #[error("batch of log {log} ends at {end} but its checkpoint at {covered}")]
    WrongEnd {
        /// The log.
        log: LogId,
        /// Where the entries end.
        end: u64,
        /// Where the checkpoint ends.
        covered: u64,
    },
    /// With these entries the root is not the one signed: something was changed, left out or put
    /// in on the way, or the city signed two histories. Fetch from another member.
    #[error("entries of log {log} up to {size} do not have the signed root")]
    RootMismatch {
        /// The log.
        log: LogId,
        /// Where the batch ends.
        size: u64,
    },
    /// A header says that it stands elsewhere. It lies under a signed root, so its author is at
    /// fault; the log stands still until an operator has spoken with that city.
    #[error("entry at {expected} says that it stands at {got}")]
    WrongPlace {
        /// Where it was signed.
        expected: Position,
        /// Where it says it stands.
        got: Position,
    },
    /// An entry breaks a rule that every entry obeys. The log stands still.
    #[error("entry {at} is not acceptable")]
    Entry {
        /// Which entry.
        at: Position,
        /// What is wrong with it.
        #[source]
        source: EntryError,
    },
    /// A part was held back although we are in its audience. Fetch from another member.
    #[error("part {part} of entry {at} was withheld without right")]
    Withheld {
        /// Which entry.
        at: Position,
        /// Which part, from 0.
        part: usize,
    },
    /// A leaf hash of our own copy cannot be read. Nothing is wrong with the batch: rebuild the
    /// leaf file from the journal, then fetch again.
    #[error("leaf hashes of log {log} are not at hand up to {size}")]
    LeafMissing {
        /// The log.
        log: LogId,
        /// The size up to which leaf hashes were needed.
        size: u64,
    },
}
