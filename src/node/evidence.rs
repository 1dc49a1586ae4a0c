//! Evidence files and the cases that list them: which list names a digest, for whom, and what is
//! taken away once none does.
//!
//! In scope: finding a digest in the lists of one case; the task that collects. Out of scope: bytes
//! ([`crate::evidence`]), sending them.
//!
//! Invariants:
//! 1. A city is served only by a list that another city wrote and that it may hold: naming a digest
//!    gets nobody the file. (`f24_evidence_files_cross_by_digest_to_whom_they_are_for`)
//! 2. Whatever cannot be read keeps its file.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::api::request::PartContent;
use crate::domain::Evidence;
use crate::evidence::{CaseRef, EvidenceStore, IsNamed};
use crate::ids::{CityCode, Hash};
use crate::limits::{EVIDENCE_COLLECT_S, EVIDENCE_ENTRIES_LOOKED_AT_MAX};
use crate::log::PartKind;
use crate::node::reader::Reader;
use crate::node::watchdog::Pulse;
use crate::node::writer::NodeHandle;
use crate::view::{self, Effect};

/// How often the task comes round.
const TICK: Duration = Duration::from_secs(1);

/// An item of evidence, and whose list has it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The item.
    pub item: Evidence,
    /// Who wrote the list.
    pub by: CityCode,
}

/// What looking through a case came to.
#[derive(Clone, Debug, Default)]
pub struct Looked {
    /// The newest list that names the digest.
    pub found: Option<Listed>,
    /// All of the case was looked through.
    pub complete: bool,
}

/// Looks for a digest in the lists of a case; with `asking`, only in those that this other city may
/// hold and did not write itself.
#[must_use]
pub fn look(reader: &Reader, case: CaseRef, sha256: Hash, asking: Option<CityCode>) -> Looked {
    let mut looked = Looked { found: None, complete: true };
    let mut entries = Vec::new();
    let rows = reader.view();
    if view::case(&rows, case.agreement, case.subject).is_none() {
        // It may come back: a node that was restored learns of its cases by and by.
        return Looked::default();
    }
    view::history_newest_first(&rows, case.agreement, case.subject, &mut |entry| {
        entries.push(entry);
        entries.len() <= EVIDENCE_ENTRIES_LOOKED_AT_MAX
    });
    drop(rows);
    looked.complete = entries.len() <= EVIDENCE_ENTRIES_LOOKED_AT_MAX;
    for entry in entries {
        if matches!(entry.effect, Effect::Misfit(_)) || asking == Some(entry.city) {
            continue;
        }
        let Ok(loaded) = reader.entry(entry.position) else {
            looked.complete = false;
            continue;
        };
        for (place, part) in loaded.entry.envelope.parts.iter().enumerate() {
            if !matches!(part.kind, PartKind::Evidence | PartKind::CaseRecord) {
                continue;
            }
            let may = |city| view::may_hold(&reader.view(), &loaded.entry.envelope, place, city);
            let list = match reader.part(&loaded.entry, place) {
                Ok(Some(PartContent::Evidence(list))) => list,
                Ok(Some(PartContent::CaseRecord(record))) => record.evidence,
                Ok(_) => continue,
                Err(_) => {
                    looked.complete = false;
                    continue;
                }
            };
            let item = list.into_iter().find(|item| item.sha256 == sha256);
            if let Some(item) = item.filter(|_| asking.is_none_or(may)) {
                looked.found = Some(Listed { item, by: entry.city });
                return looked;
            }
        }
    }
    looked
}

/// Collects what no case lists, again and again until `stop`.
pub fn keep_collecting(store: EvidenceStore, node: &NodeHandle, stop: CancellationToken) {
    let watchdog = node.shell().watchdog.clone();
    let node = node.clone();
    watchdog.keep("evidence", stop, move |pulse| collect(store.clone(), node.clone(), pulse));
}

async fn collect(store: EvidenceStore, node: NodeHandle, pulse: Pulse) {
    let reader = node.reader();
    let is_named: IsNamed = Arc::new(move |case, sha256| {
        let looked = look(&reader, case, sha256, None);
        looked.found.is_some() || !looked.complete
    });
    let mut tick = tokio::time::interval(TICK);
    loop {
        let looking = store.collect(node.now_ms(), &is_named);
        tokio::pin!(looking);
        let next = tokio::time::Instant::now() + Duration::from_secs(EVIDENCE_COLLECT_S);
        let mut over = false;
        while !over || tokio::time::Instant::now() < next {
            tokio::select! {
                done = &mut looking, if !over => {
                    over = true;
                    match done {
                        Ok(gone) if gone.files + gone.parts > 0 => {
                            tracing::info!(entries = gone.files + gone.parts,
                                "evidence files and parts that no case lists are gone");
                        }
                        Ok(_) => {}
                        Err(error) => tracing::error!(%error, "evidence could not be collected"),
                    }
                }
                _ = tick.tick() => pulse.done(),
            }
        }
    }
}
