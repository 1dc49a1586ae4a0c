//! Why evidence bytes are not taken or not found.

use std::io;

use crate::ids::CityCode;

/// Why a file, or the next piece of one, was not taken.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// Nothing is written. Go on from `expected`.
    #[error("the part has {expected} bytes, and {got} was to be the next")]
    WrongOffset {
        /// Bytes here.
        expected: u64,
        /// Where the sender wanted to go on.
        got: u64,
    },
    /// The part stays. Go on from `got`.
    #[error("{got} of {size} bytes came")]
    Short {
        /// Bytes here.
        got: u64,
        /// Bytes announced.
        size: u64,
    },
    /// The part is thrown away: what came is not what was announced. Begin anew.
    #[error("more than the announced {size} bytes came")]
    Long {
        /// Bytes announced.
        size: u64,
    },
    /// The part is thrown away. Begin anew with the right file.
    #[error("the {field} of what came is another")]
    WrongDigest {
        /// `sha256` or `sm3`.
        field: &'static str,
    },
    /// Nothing is written.
    #[error("a file of {got} bytes is not taken, only up to {limit}")]
    TooLarge {
        /// Bytes announced.
        got: u64,
        /// Most bytes of a file.
        limit: u64,
    },
    /// Nothing of the chunk is written; the part stays.
    #[error("a chunk of {got} bytes is not taken, only up to {limit}")]
    ChunkTooLarge {
        /// Bytes of the chunk.
        got: usize,
        /// Most bytes of a chunk.
        limit: usize,
    },
    /// Nothing is written. An operator makes room or moves the limit.
    #[error("the evidence folder is full: {used} of {limit} bytes")]
    FolderFull {
        /// Bytes of files and parts, and what is announced.
        used: u64,
        /// Most bytes.
        limit: u64,
    },
    /// Nothing is written. What the city began is finished first, or goes after 24 hours.
    #[error("{used} bytes of a city's unfinished files are here, up to {limit} are taken")]
    PendingFull {
        /// Which other city; `None`: people of this one.
        from: Option<CityCode>,
        /// Bytes of its parts, and what is announced of them.
        used: u64,
        /// Most bytes.
        limit: u64,
    },
    /// The part stays. An operator makes room.
    #[error("the disk is nearly full: {free} bytes are free")]
    DiskLow {
        /// Bytes free.
        free: u64,
    },
    /// Nothing is written: so many files come in already, or this one does. Try again.
    #[error("other files are coming in")]
    Busy,
    /// No file lies under this digest.
    #[error("no such file")]
    NotHere,
    /// A part stays. The store on another machine does not answer, or does not let us in: an
    /// operator looks at the settings and the machine.
    #[error("the store of evidence files cannot be used: {why}")]
    Away {
        /// Why, in our words.
        why: String,
    },
    /// The disk or the folder failed; the part stays as it is.
    #[error("the evidence folder could not be used")]
    Disk(#[source] io::Error),
}
