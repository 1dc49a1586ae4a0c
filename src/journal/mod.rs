//! The journal: the truth on disk. Appending and syncing it *is* the commit.
//!
//! Numbered segments hold the records of all logs of the node in order of arrival. Everything
//! else on disk can be rebuilt from them.
//!
//! In scope: framing, group commit, torn tails and damage, reading back. Out of scope: what a
//! record says ([`crate::wire`], [`crate::node`]).
//!
//! Invariants:
//! 1. What [`Journal::commit`] has returned for is there after any crash.
//!    (`a_crash_at_any_write_loses_nothing_acknowledged`)
//! 2. Record numbers never repeat or skip. (`numbers_go_on_over_segments`)
//! 3. After a failed write or sync nothing is written any more. (`a_failed_sync_poisons`)
//! 4. What a segment is written anew without is gone, and everything else stays where it was.
//!    (`a_segment_written_anew_loses_what_it_should_and_nothing_else_at_any_crash`)
//! 5. Space is reserved before anything is written. (`a_full_disk_leaves_nothing_half`)

pub mod disk;
pub mod guard;
pub mod local;
mod mem_disk;
mod reader;
pub mod record;
mod rewrite;
mod scan;
mod scrub;
pub mod segment;
pub mod suspension;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

pub use disk::{Disk, RealDisk};
pub use guard::{Grown, Guard, GuardVerdict};
pub use local::LocalFact;
pub use mem_disk::MemDisk;
pub use reader::JournalReader;
pub use record::{RecordKind, RecordRef};
pub use rewrite::Instead;
pub use scan::Damage;
pub use scrub::{ScrubAt, Scrubbed};
pub use suspension::SuspensionFact;

use crate::limits;
use segment::SegmentHeader;

/// Space is reserved and zeroed in pieces of this size, in bytes: a sync of bytes inside reserved
/// space need not write the file's metadata.
const RESERVE_PIECE: u64 = 1024 * 1024;

/// Why the journal did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk said no while nothing had been written: free some space, then go on.
    #[error("no space for the journal")]
    NoSpace(#[source] io::Error),
    /// A write or sync failed, now or earlier. Nothing is written until a restart.
    #[error("the journal is poisoned: {0}")]
    Poisoned(String),
    /// The disk could not be read.
    #[error("could not read the journal")]
    Read(#[from] io::Error),
    /// The bytes there are no whole record.
    #[error("record {number} in segment {segment} is damaged")]
    Damaged {
        /// Segment number.
        segment: u32,
        /// Record number.
        number: u64,
    },
    /// A segment's header cannot be read, or belongs to another journal.
    #[error("segment {segment} cannot be used: {why}")]
    BadSegment {
        /// Segment number.
        segment: u32,
        /// Why.
        why: &'static str,
    },
    /// A segment could not be written anew; the old one is as it was.
    #[error("could not write a segment anew")]
    Rewrite(#[source] io::Error),
    /// Larger than a record may be.
    #[error("a record of {got} bytes is larger than {limit}")]
    TooLarge {
        /// Its size.
        got: usize,
        /// The limit.
        limit: usize,
    },
}

/// How a journal is opened.
#[derive(Clone, Debug)]
pub struct JournalOptions {
    /// Id of a journal that is made new.
    pub journal_id: [u8; 16],
    /// Size at which a segment is closed, in bytes.
    pub segment_bytes_max: u64,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self { journal_id: [0; 16], segment_bytes_max: limits::SEGMENT_BYTES_MAX }
    }
}

/// What opening found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// A new journal was made.
    pub created: bool,
    /// Bytes of an unfinished write that were cut off the end.
    pub cut_bytes: u64,
    /// Records that are damaged although later ones are whole.
    pub damage: Vec<Damage>,
}

/// Segments that may be read: number to first record.
type Segments = Arc<RwLock<BTreeMap<u32, u64>>>;

/// Number of the first record that is not synced yet.
type Synced = Arc<RwLock<u64>>;

/// Numbers of records that turned out to be damaged.
type Damaged = Arc<Mutex<BTreeSet<u64>>>;
/// Damaged records that are kept track of; with more, the disk has to be replaced anyway.
const DAMAGED_MAX: usize = 64 * 1024;

/// Bytes waiting for the commit.
#[derive(Debug)]
struct Chunk {
    segment: u32,
    offset: u64,
    bytes: Vec<u8>,
    /// The segment does not exist yet.
    header: Option<SegmentHeader>,
}

/// Where the next record goes.
#[derive(Clone, Copy, Debug)]
struct Tail {
    segment: u32,
    offset: u64,
    next_record: u64,
    /// Bytes reserved in the segment.
    reserved: u64,
}

/// The journal, for its one writer.
#[derive(Debug)]
pub struct Journal<D: Disk> {
    disk: D,
    options: JournalOptions,
    journal_id: [u8; 16],
    segments: Segments,
    /// Behind everything that is synced.
    synced: Tail,
    /// Numbers of records that were found damaged, by anybody who read them.
    damaged: Damaged,
    /// The same for readers: number of the next record to be synced.
    readable: Synced,
    /// Behind everything that was appended.
    tail: Tail,
    pending: Vec<Chunk>,
    poisoned: Option<String>,
}

impl<D: Disk> Journal<D> {
    /// Opens the journal in a folder, or makes one.
    ///
    /// # Errors
    /// [`JournalError`] when the disk cannot be read, or a segment is of another journal.
    pub fn open(disk: D, options: JournalOptions) -> Result<(Self, OpenReport), JournalError> {
        let opened = scan::open(&disk, options.journal_id)?;
        let report = opened.report;
        let tail = Tail {
            segment: opened.segment,
            offset: opened.offset,
            next_record: opened.next_record,
            reserved: opened.reserved,
        };
        let damage = report.damage.iter().flat_map(|d| d.from_record..d.to_record);
        let damaged = Arc::new(Mutex::new(damage.take(DAMAGED_MAX).collect()));
        let journal = Self {
            damaged,
            disk,
            options,
            journal_id: opened.journal_id,
            segments: Arc::new(RwLock::new(opened.segments)),
            readable: Arc::new(RwLock::new(tail.next_record)),
            synced: tail,
            tail,
            pending: Vec::new(),
            poisoned: None,
        };
        Ok((journal, report))
    }

    /// The journal's id; it changes when a replay cannot be identical.
    #[must_use]
    pub fn journal_id(&self) -> [u8; 16] {
        self.journal_id
    }

    /// Number of the next record, appended ones included.
    #[must_use]
    pub fn next_record(&self) -> u64 {
        self.tail.next_record
    }

    /// How many records are synced.
    #[must_use]
    pub fn synced_records(&self) -> u64 {
        *self.readable.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of all segments.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.reader().bytes()
    }

    /// Free bytes on the disk.
    ///
    /// # Errors
    /// Whatever the operating system says.
    pub fn free_bytes(&self) -> io::Result<u64> {
        self.disk.free_bytes()
    }

    /// Whether a write or sync has failed.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.poisoned.is_some()
    }

    /// A handle that reads committed records from any thread.
    #[must_use]
    pub fn reader(&self) -> JournalReader<D> {
        JournalReader {
            disk: self.disk.clone(),
            segments: Arc::clone(&self.segments),
            damaged: Arc::clone(&self.damaged),
            synced: Arc::clone(&self.readable),
        }
    }

    /// Numbers of records that were found damaged since the journal was opened.
    #[must_use]
    pub fn damaged(&self) -> BTreeSet<u64> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds a record to the next commit; nothing is written yet.
    ///
    /// # Errors
    /// [`JournalError::TooLarge`], or [`JournalError::Poisoned`].
    pub fn append(&mut self, kind: RecordKind, payload: &[u8]) -> Result<RecordRef, JournalError> {
        self.check_healthy()?;
        if payload.len() > limits::RECORD_BYTES_MAX {
            let (got, limit) = (payload.len(), limits::RECORD_BYTES_MAX);
            return Err(JournalError::TooLarge { got, limit });
        }
        let framed = record::framed_bytes(payload.len()) as u64;
        let fresh = self.tail.offset == 0;
        let used = self.tail.offset > segment::HEADER_BYTES as u64;
        if fresh || (used && self.tail.offset + framed > self.options.segment_bytes_max) {
            self.next_segment(fresh);
        }
        let fits = self.pending.last().is_some_and(|c| c.segment == self.tail.segment);
        if !fits {
            self.pending.push(Chunk {
                segment: self.tail.segment,
                offset: self.tail.offset,
                bytes: Vec::new(),
                header: None,
            });
        }
        let offset = u32::try_from(self.tail.offset).unwrap_or(u32::MAX);
        let number = self.tail.next_record;
        if let Some(chunk) = self.pending.last_mut() {
            record::encode(&mut chunk.bytes, kind, number, payload);
        }
        self.tail.offset += framed;
        self.tail.next_record += 1;
        Ok(RecordRef { segment: self.tail.segment, offset, number })
    }

    fn next_segment(&mut self, first: bool) {
        let number = if first { 0 } else { self.tail.segment + 1 };
        let header = SegmentHeader {
            number,
            journal_id: self.journal_id,
            first_record: self.tail.next_record,
            generation: 0,
        };
        let bytes = header.encode();
        self.tail.segment = number;
        self.tail.offset = bytes.len() as u64;
        self.tail.reserved = 0;
        self.pending.push(Chunk { segment: number, offset: 0, bytes, header: Some(header) });
    }

    /// Writes and syncs everything appended. On [`JournalError::NoSpace`] nothing was written and
    /// [`Self::abort`] gives it up; any other failure poisons the journal.
    ///
    /// # Errors
    /// [`JournalError::NoSpace`] or [`JournalError::Poisoned`].
    pub fn commit(&mut self) -> Result<(), JournalError> {
        self.check_healthy()?;
        self.reserve()?;
        let pending = std::mem::take(&mut self.pending);
        for chunk in &pending {
            if let Err(error) = self.write(chunk) {
                return Err(self.poison(&error));
            }
        }
        self.synced = self.tail;
        *self.readable.write().unwrap_or_else(PoisonError::into_inner) = self.tail.next_record;
        Ok(())
    }

    /// Makes room for everything pending, before a byte of it is written.
    fn reserve(&mut self) -> Result<(), JournalError> {
        for chunk in &self.pending {
            let name = segment::file_name(chunk.segment);
            if chunk.header.is_some() {
                match self.disk.create(&name) {
                    // Left over from an attempt that found no space.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    other => other.map_err(JournalError::NoSpace)?,
                }
            }
            let end = chunk.offset + chunk.bytes.len() as u64;
            let reserved = match chunk.segment == self.synced.segment {
                true if chunk.header.is_none() => self.synced.reserved,
                _ => 0,
            };
            if end > reserved {
                // Beyond its largest size a segment takes nothing, and a reader would read it all.
                let most = self.options.segment_bytes_max.max(end);
                let upto = end.next_multiple_of(RESERVE_PIECE).min(most);
                self.disk
                    .allocate(&name, reserved, upto - reserved)
                    .map_err(JournalError::NoSpace)?;
                if chunk.segment == self.tail.segment {
                    self.tail.reserved = upto;
                }
                if chunk.segment == self.synced.segment {
                    self.synced.reserved = upto;
                }
            }
        }
        Ok(())
    }

    fn write(&self, chunk: &Chunk) -> io::Result<()> {
        let name = segment::file_name(chunk.segment);
        if let Some(header) = &chunk.header {
            // First and alone: where a record is, a header was; one that is missing is damage.
            self.disk.write_at(&name, 0, &header.encode())?;
            self.disk.sync_data(&name)?;
            #[cfg(feature = "planted-bugs")]
            if !crate::planted::is_on("skip-directory-sync") {
                self.disk.sync_dir()?;
            }
            #[cfg(not(feature = "planted-bugs"))]
            self.disk.sync_dir()?;
        }
        self.disk.write_at(&name, chunk.offset, &chunk.bytes)?;
        #[cfg(feature = "planted-bugs")]
        if crate::planted::is_on("ack-before-sync") {
            return Ok(());
        }
        self.disk.sync_data(&name)?;
        if let Some(header) = &chunk.header {
            let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
            segments.insert(header.number, header.first_record);
        }
        Ok(())
    }

    /// Gives up what was appended since the last commit.
    pub fn abort(&mut self) {
        self.pending.clear();
        self.tail = self.synced;
    }

    fn check_healthy(&self) -> Result<(), JournalError> {
        match &self.poisoned {
            Some(why) => Err(JournalError::Poisoned(why.clone())),
            None => Ok(()),
        }
    }

    fn poison(&mut self, error: &io::Error) -> JournalError {
        let why = error.to_string();
        #[cfg(feature = "planted-bugs")]
        if crate::planted::guards::is_off("poison") {
            return JournalError::Poisoned(why);
        }
        self.poisoned = Some(why.clone());
        JournalError::Poisoned(why)
    }
}
