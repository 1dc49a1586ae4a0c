//! Frames: what two nodes say to each other, as plain values.
//!
//! In scope: the shape of each frame. Out of scope: its bytes ([`crate::wire`]).

use bytes::Bytes;

use crate::ids::{AgreementId, Hash, LogId, Position};
use crate::log::PartSlot;

/// One connection to one member city, numbered by this process from 1.
pub type LinkId = u64;

/// Oldest and newest exchange protocol this program speaks.
pub const PROTOCOL: std::ops::RangeInclusive<u32> = 1..=1;

/// What the sender knows of one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogState {
    /// The log.
    pub log: LogId,
    /// Newest checkpoint the sender holds durably, if any.
    pub checkpoint: Option<Bytes>,
    /// Newest cosignature of each witness.
    pub cosignatures: Vec<Cosign>,
}

/// What the sender knows of one agreement of which both are members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreementState {
    /// The agreement.
    pub agreement: AgreementId,
    /// SHA-256 of its charter's text.
    pub charter: Hash,
    /// Signed manifests of its logs.
    pub manifests: Vec<Bytes>,
    /// The logs.
    pub logs: Vec<LogState>,
}

/// First frame each way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Oldest protocol the sender speaks.
    pub protocol_min: u32,
    /// Newest protocol the sender speaks.
    pub protocol_max: u32,
    /// Fresh at every start of the sender's process.
    pub instance: [u8; 16],
    /// Shared agreements.
    pub agreements: Vec<AgreementState>,
    /// Signed cards of members of shared agreements.
    pub cards: Vec<Bytes>,
    /// The sender's wall clock, milliseconds since 1970-01-01 UTC.
    pub clock_ms: i64,
}

/// A cosignature on its way to the log's author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosign {
    /// The log cosigned.
    pub log: LogId,
    /// Size of the checkpoint.
    pub size: u64,
    /// Root of the checkpoint.
    pub root: Hash,
    /// The witness's own log in the agreement.
    pub witness: LogId,
    /// The whole signature line.
    pub line: Bytes,
}

/// An entry as it came, not yet parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEntry {
    /// The encoded header.
    pub header: Bytes,
    /// One slot for each part.
    pub parts: Vec<PartSlot>,
}

/// A batch as it came, not yet parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawBatch {
    /// The log.
    pub log: LogId,
    /// Index of the first entry.
    pub from: u64,
    /// The entries.
    pub entries: Vec<RawEntry>,
    /// The signed checkpoint that closes the batch.
    pub checkpoint: Bytes,
}

impl RawBatch {
    /// Signed bytes in it: headers and parts.
    #[must_use]
    pub fn signed_bytes(&self) -> u64 {
        let part = |slot: &PartSlot| match slot {
            PartSlot::Bytes(bytes) => bytes.len(),
            PartSlot::ErasedBy(_) | PartSlot::Withheld => 0,
        };
        let entry = |e: &RawEntry| e.header.len() + e.parts.iter().map(part).sum::<usize>();
        self.entries.iter().map(entry).sum::<usize>() as u64
    }
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// First frame.
    Hello(Hello),
    /// A log begins.
    Manifest(Bytes),
    /// A log has grown at the sender, durably.
    Announce {
        /// The log.
        log: LogId,
        /// The author's signed checkpoint.
        checkpoint: Bytes,
    },
    /// Send this log from here on.
    Subscribe {
        /// The log.
        log: LogId,
        /// First entry wanted.
        from: u64,
        /// Bytes that may be sent before more credit comes.
        credit: u64,
    },
    /// Stop sending this log.
    Unsubscribe {
        /// The log.
        log: LogId,
    },
    /// More bytes may be sent.
    Credit {
        /// The log.
        log: LogId,
        /// How many more.
        bytes: u64,
    },
    /// A stretch of a log.
    Batch(RawBatch),
    /// A cosignature.
    Cosign(Cosign),
    /// Send narrow parts.
    FetchParts {
        /// The entry.
        entry: Position,
        /// Which of its parts.
        parts: Vec<u32>,
    },
    /// Narrow parts that come later than their batch.
    LateParts {
        /// The entry.
        entry: Position,
        /// The parts: index and bytes.
        parts: Vec<(u32, Bytes)>,
    },
    /// Something was turned away.
    Refuse {
        /// A reason of the published table.
        reason: String,
        /// The log concerned.
        log: Option<LogId>,
        /// The index expected or the size known.
        expected: u64,
        /// For the operator's log.
        detail: String,
        /// What the table of reasons says of this one: names and values.
        facts: Vec<(String, String)>,
    },
    /// The link is alive.
    Ping {
        /// Any number; a pong repeats it.
        number: u64,
        /// This is the answer.
        pong: bool,
        /// The sender's wall clock.
        clock_ms: i64,
    },
    /// A signed charter.
    Charter(Bytes),
    /// A signed card.
    Card(Bytes),
    /// Two signed checkpoints of one log that contradict.
    Fork(Bytes),
}
