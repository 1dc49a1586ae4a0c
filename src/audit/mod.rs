//! The audit: who did what, when and from where, one line for each deed, chained by hashes.
//!
//! Every write, every read of another city's records, every evidence file that another city was
//! served and every call by somebody who may not make it leaves a line in `audit/<date>.jsonl` of
//! the data folder. Each line carries the SHA-256 of the line before it, over the end of a day, so
//! that a line taken out or changed later shows. Lines name identities of certificates and ids of
//! records, never what people typed.
//!
//! | field | meaning |
//! |---|---|
//! | `time` | when, Beijing time |
//! | `who` | identity of the certificate, such as `coordinator/37150099001` |
//! | `serial` | serial of the certificate, hexadecimal |
//! | `from` | address it came from |
//! | `method` | what was called |
//! | `acting_for` | certificate number of the officer a system acted for |
//! | `name` | agreement, case or other record |
//! | `entry` | the entry written |
//! | `file` | SHA-256 of the evidence file that another city was served |
//! | `cases` | cases of other cities shown |
//! | `outcome` | `OK`, or the reason of the refusal |
//! | `missing` | lines before this one that found no room |
//! | `refused` | calls before this one that were refused and have no line |
//! | `prev` | SHA-256 of the line before, hexadecimal |
//!
//! In scope: lines, their chain, files and how long they are kept. Out of scope: what deserves a
//! line ([`crate::rpc`]); what the exchange proves about entries ([`crate::log`]).
//!
//! Invariants:
//! 1. The caller never waits for the disk: lines are written by a thread of their own. What does
//!    not fit its queue is counted, and the next line says how many are missing. ([`Audit::note`])
//!    So are calls of those who knock all day, in a count of their own
//!    (`refused_calls_are_counted_apart`); nobody hides somebody else.
//!    (`nobody_hides_somebody_else`)
//! 2. A file that was cut in the middle of a line goes on behind the last whole one.
//!    (`a_torn_line_is_cut`)

mod chain;
mod file;
mod refused;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use chain::{ChainError, check};

use crate::limits::AUDIT_QUEUE_MAX;
use refused::Refusals;

/// What happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deed {
    /// When, milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// Identity of the certificate.
    pub who: String,
    /// Serial of the certificate.
    pub serial: String,
    /// Where it came from.
    pub from: String,
    /// What was called.
    pub method: &'static str,
    /// Officer a system acted for.
    pub acting_for: Option<String>,
    /// Agreement or case.
    pub name: String,
    /// The entry written.
    pub entry: Option<String>,
    /// SHA-256 of the evidence file that was served, hexadecimal.
    pub file: Option<String>,
    /// Cases of other cities shown.
    pub cases: u32,
    /// `OK`, or the reason of the refusal.
    pub outcome: &'static str,
}

/// Between two looks at the queue.
const GATHER_FOR: Duration = Duration::from_millis(5);

/// With nothing to write, the thread comes round so often.
const ROUND: Duration = Duration::from_secs(2);

enum Message {
    Deed(Box<Deed>),
    Flush(SyncSender<()>),
}

/// A cheap handle; clones share everything.
#[derive(Clone)]
pub struct Audit {
    messages: SyncSender<Message>,
    unwritten: Arc<Unwritten>,
    trouble: Arc<Mutex<Option<String>>>,
    refusals: Arc<Mutex<Refusals>>,
}

/// Deeds without a line, for the next line to tell.
#[derive(Debug, Default)]
struct Unwritten {
    missing: AtomicU64,
    refused: AtomicU64,
}

/// The same, taken by the line that tells.
#[derive(Clone, Copy, Debug, Default)]
struct Untold {
    missing: u64,
    refused: u64,
}

impl Unwritten {
    fn take(&self) -> Untold {
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        Untold { missing: take(&self.missing), refused: take(&self.refused) }
    }
}

impl Audit {
    /// Checks the newest file of the folder, goes on behind it, and keeps files for `days`.
    ///
    /// `round` is called each time all lines are on disk, at least every few seconds.
    ///
    /// A chain that does not hold is said in [`Audit::trouble`] and in the log; lines go on.
    ///
    /// # Errors
    /// Whatever the operating system says about the folder or the thread.
    pub fn start(
        folder: &Path,
        days: u32,
        today_ms: i64,
        round: Box<dyn Fn() + Send>,
    ) -> std::io::Result<Self> {
        let (mut files, found) = file::Files::open(folder, days, today_ms)?;
        let (messages, inbox) = mpsc::sync_channel(AUDIT_QUEUE_MAX);
        let audit = Self {
            messages,
            unwritten: Arc::default(),
            trouble: Arc::new(Mutex::new(found.map(|e| e.to_string()))),
            refusals: Arc::default(),
        };
        let unwritten = Arc::clone(&audit.unwritten);
        let trouble = Arc::clone(&audit.trouble);
        std::thread::Builder::new().name("audit".to_owned()).spawn(move || {
            loop {
                let mut next = match inbox.recv_timeout(ROUND) {
                    Ok(message) => Some(message),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => return,
                };
                while let Some(message) = next {
                    let done = match message {
                        Message::Deed(deed) => files.append(&deed, unwritten.take()),
                        Message::Flush(done) => {
                            let flushed = files.flush();
                            let _ = done.send(());
                            flushed
                        }
                    };
                    note_trouble(&trouble, done);
                    next = inbox.try_recv().ok();
                }
                let flushed = files.flush();
                if flushed.is_ok() {
                    round();
                }
                note_trouble(&trouble, flushed);
                // Deeds come in crowds: whoever notes one need not wake this thread each time.
                std::thread::sleep(GATHER_FOR);
            }
        })?;
        Ok(audit)
    }

    /// Notes a deed, without waiting.
    pub fn note(&self, deed: Deed) {
        match self.messages.try_send(Message::Deed(Box::new(deed))) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.unwritten.missing.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Notes that somebody called who may not; of those who do so all day a few lines a minute.
    pub fn note_refused(&self, deed: Deed) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let has_line = refusals.has_line(&deed.who, deed.outcome, deed.time_ms);
        drop(refusals);
        if has_line {
            self.note(deed);
        } else {
            self.unwritten.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything noted so far is written.
    pub fn flush(&self) {
        let (done, wait) = mpsc::sync_channel(1);
        if self.messages.send(Message::Flush(done)).is_ok() {
            let _ = wait.recv();
        }
    }

    /// What an operator should look at, if anything.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn note_trouble(trouble: &Mutex<Option<String>>, done: std::io::Result<()>) {
    if let Err(error) = done {
        let mut trouble = trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.is_none() {
            tracing::error!(%error, "could not write the audit");
        }
        *trouble = Some(error.to_string());
    }
}
