//! What the shell around the core knows of itself, for the status: tasks, dialling, certificates,
//! the reading of the whole journal, and how the node was when the writing thread last answered.
//!
//! In scope: keeping it, and adding it to what the core says. Out of scope: finding it out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::api::status::{DialStatus, NodeStatus, ShellStatus};
use crate::domain::both;
use crate::ids::CityCode;
use crate::node::clock::{SystemClock, wall_ms};
use crate::node::watchdog::{self, Watchdog};

/// The writing thread answers within a group commit; a disk that takes longer than this hangs.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// Shared by everybody who runs a part of the node.
#[derive(Clone)]
pub struct Shell {
    /// Ages of all periodic tasks.
    pub watchdog: Watchdog,
    known: Arc<Mutex<ShellStatus>>,
    dials: Arc<Mutex<BTreeMap<CityCode, DialStatus>>>,
    last: Arc<Mutex<Option<Arc<NodeStatus>>>>,
}

impl Shell {
    /// Nothing is known yet; tasks are late after `late_ms`.
    #[must_use]
    pub fn new(clock: SystemClock, late_ms: u64) -> Self {
        Self {
            watchdog: Watchdog::new(Arc::new(move || clock.now()), late_ms),
            known: Arc::default(),
            dials: Arc::default(),
            last: Arc::default(),
        }
    }

    /// Changes what is known.
    pub fn know(&self, change: impl FnOnce(&mut ShellStatus)) {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// How dialling a city goes.
    pub fn dialled(&self, city: CityCode, change: impl FnOnce(&mut DialStatus)) {
        let mut dials = self.dials.lock().unwrap_or_else(PoisonError::into_inner);
        let dial = DialStatus { city, last_ms: None, failure: None, next_ms: None };
        change(dials.entry(city).or_insert(dial));
    }

    /// Adds what the shell knows to what the core says, and keeps it.
    #[must_use]
    pub fn complete(&self, status: NodeStatus) -> NodeStatus {
        let status = Arc::new(status);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&status));
        self.added((*status).clone())
    }

    /// How the node was when the writing thread last answered, said so.
    #[must_use]
    pub fn instead(&self) -> Option<NodeStatus> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut status = (*last?).clone();
        status.not_writable = Some(both(
            "写入线程没有应答，以下为其上次应答时的情况",
            "the writing thread does not answer; this is how it was when it last did",
        ));
        Some(self.added(status))
    }

    fn added(&self, mut status: NodeStatus) -> NodeStatus {
        status.shell = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        status.shell.now_ms = wall_ms();
        status.shell.tasks = self.watchdog.statuses();
        let dials = self.dials.lock().unwrap_or_else(PoisonError::into_inner);
        status.shell.dials = dials.values().cloned().collect();
        drop(dials);
        let bad = status.shell.scrub.iter().flat_map(|scrub| &scrub.bad_segments);
        let bad = bad.map(|segment| {
            both(
                &format!(
                    "数据文件 {segment:08}.seg 的开头已损坏，重启后可能打不开：\
                     请勿重启，先备份并检查磁盘"
                ),
                &format!(
                    "the beginning of {segment:08}.seg is damaged and may not open after a \
                     restart: do not restart; make a backup and check the disk"
                ),
            )
        });
        let bad: Vec<String> = bad.collect();
        status.warnings.extend(bad);
        let late = status.shell.tasks.iter().filter_map(watchdog::warning);
        status.warnings.extend(late);
        status
    }
}
