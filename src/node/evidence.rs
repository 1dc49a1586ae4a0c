//! Evidence files and the cases that list them: which list names a digest, for whom, and what is
//! taken away once none does.
//!
//! In scope: finding a digest in the lists of one case; the task that collects. Out of scope: bytes
//! ([`crate::evidence`]), sending them.
//!
//! Invariants:
//! 1. A city is served by a list that another city wrote and that it may hold: naming a digest gets
//!    nobody the file. (`f24_evidence_files_cross_by_digest_to_whom_they_are_for`)
//! 2. By a list of its own it gets back what came here from it, or was sent here by this city's own
//!    people for that list. (`f24_what_a_city_gave_it_gets_back_after_its_disk_is_lost`)
//!
//! Whatever cannot be read keeps its file, and so does a case of which no list was erased. However
//! much a city writes, the lists of others are found.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::api::request::PartContent;
use crate::api::status::EvidenceStoreStatus;
use crate::domain::Evidence;
use crate::evidence::{CaseRef, Collected, EvidenceError, EvidenceState, EvidenceStore, IsNamed};
use crate::ids::{CityCode, Hash};
use crate::limits::{EVIDENCE_COLLECT_S, EVIDENCE_LISTS_LOOKED_AT_MAX};
use crate::log::{PartKind, PartSlot};
use crate::node::reader::Reader;
use crate::node::watchdog::Pulse;
use crate::node::writer::NodeHandle;
use crate::view::{self, Effect, HistoryEntry};

/// How often the task comes round.
const TICK: Duration = Duration::from_secs(1);
/// How often a store on another machine is looked at, in rounds: sooner while it is away.
const PROBE_ROUNDS: (u32, u32) = (30, 3);

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
    /// All lists of the case were read.
    pub complete: bool,
    /// A list of the case was erased.
    pub erased: bool,
}

/// The lists of a case, newest first: of each city so many that none can hide those of another.
/// Whether these are all.
fn lists(reader: &Reader, case: CaseRef) -> (Vec<HistoryEntry>, bool) {
    let mut by_city: BTreeMap<CityCode, VecDeque<HistoryEntry>> = BTreeMap::new();
    let mut complete = true;
    view::evidence_lists(&reader.view(), (case.agreement, case.subject), &mut |line| {
        let of_city = by_city.entry(line.city).or_default();
        of_city.push_back(line);
        if of_city.len() > EVIDENCE_LISTS_LOOKED_AT_MAX {
            of_city.pop_front();
            complete = false;
        }
        true
    });
    let mut all: Vec<HistoryEntry> = by_city.into_values().flatten().collect();
    all.sort_unstable_by_key(|line| std::cmp::Reverse(line.apply));
    (all, complete)
}

/// Which lists of a case are looked through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// All.
    Any,
    /// Those that this city may hold and did not write itself. That it names a digest gets nobody
    /// a file: whoever has heard of one could list it in a case of its own and ask for it.
    OfOthersFor(CityCode),
    /// Those that this city wrote itself, for what it gave: see [`crate::evidence::About`].
    OfItself(CityCode),
}

impl Whose {
    /// Whether a list by a city is looked at.
    fn fits(self, by: CityCode) -> bool {
        match self {
            Self::Any => true,
            Self::OfOthersFor(city) => by != city,
            Self::OfItself(city) => by == city,
        }
    }

    /// Who must be allowed to hold it.
    fn reader(self) -> Option<CityCode> {
        match self {
            Self::Any => None,
            Self::OfOthersFor(city) | Self::OfItself(city) => Some(city),
        }
    }
}

/// Looks for a digest in the lists of a case.
#[must_use]
pub fn look(reader: &Reader, case: CaseRef, sha256: Hash, whose: Whose) -> Looked {
    let asking = whose.reader();
    if view::case(&reader.view(), case.agreement, case.subject).is_none() {
        // It may come back: a node that was restored learns of its cases by and by.
        return Looked::default();
    }
    let (entries, complete) = lists(reader, case);
    let mut looked = Looked { complete, ..Looked::default() };
    for entry in entries {
        // What took no effect lets nobody have a file, and is no reason to take it away.
        let without_effect = asking.is_some() && matches!(entry.effect, Effect::Misfit(_));
        if !whose.fits(entry.city) || without_effect {
            continue;
        }
        let Ok(loaded) = reader.entry(entry.position) else {
            looked.complete = false;
            continue;
        };
        let parts = loaded.entry.envelope.parts.iter().zip(&loaded.entry.parts).enumerate();
        for (place, (part, slot)) in parts {
            if !matches!(part.kind, PartKind::Evidence | PartKind::CaseRecord) {
                continue;
            }
            match slot {
                PartSlot::Bytes(_) => {}
                PartSlot::ErasedBy(_) => looked.erased = true,
                // It may come, and name the file.
                PartSlot::Withheld => looked.complete = false,
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

/// Other cities that may have a file: whoever listed it first, then the other members.
#[must_use]
pub fn who_may_have(node: &NodeHandle, case: CaseRef, listed: &Listed) -> Vec<CityCode> {
    let book = node.book();
    let members = book.get(case.agreement).map(|found| found.cities()).unwrap_or_default();
    let mut cities: Vec<CityCode> = members.into_iter().filter(|c| *c != node.city()).collect();
    cities.sort_by_key(|city| *city != listed.by);
    cities
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
        let looked = look(&reader, case, sha256, Whose::Any);
        // A file comes for a list only. Where none was erased, the list is not here (yet): a node
        // that was restored has its cases before it has all that was said of them.
        looked.found.is_some() || !looked.complete || !looked.erased
    });
    let mut tick = tokio::time::interval(TICK);
    let mut due = tokio::time::Instant::now();
    loop {
        let collects = tokio::time::Instant::now() >= due;
        let looking = async {
            // First: a store that was away has not been counted.
            store.probe().await;
            if !collects {
                return false;
            }
            let collected = store.collect(node.now_ms(), &is_named).await;
            told(&collected);
            !matches!(collected, Err(EvidenceError::Away { .. }))
        };
        tokio::pin!(looking);
        let (mut over, mut rounds) = (false, 0);
        while !over || rounds < if is_away(&store) { PROBE_ROUNDS.1 } else { PROBE_ROUNDS.0 } {
            tokio::select! {
                collected = &mut looking, if !over => {
                    over = true;
                    if collected {
                        let again = Duration::from_secs(EVIDENCE_COLLECT_S);
                        due = tokio::time::Instant::now() + again;
                    }
                }
                _ = tick.tick() => {
                    rounds += 1;
                    show(&store, &node);
                    pulse.done();
                }
            }
        }
    }
}

fn is_away(store: &EvidenceStore) -> bool {
    store.state().health.failure.is_some()
}

fn told(collected: &Result<Collected, EvidenceError>) {
    match collected {
        Ok(gone) if gone.files + gone.parts > 0 => {
            tracing::info!(
                entries = gone.files + gone.parts,
                "evidence files and parts that no case lists are gone"
            );
        }
        // That it is away has been told of.
        Ok(_) | Err(EvidenceError::Away { .. }) => {}
        Err(error) => tracing::error!(%error, "evidence could not be collected"),
    }
}

fn show(store: &EvidenceStore, node: &NodeHandle) {
    let EvidenceState { place, health, used, limit, rotten } = store.state();
    let (last_ok_ms, failure) = (health.last_ok_ms, health.failure);
    let status = EvidenceStoreStatus { place, used, limit, last_ok_ms, failure, rotten };
    node.shell().know(|known| known.evidence = Some(status));
}
