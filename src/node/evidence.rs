//! Evidence files and the cases that list them: which list names a digest, for whom, and what is
//! taken away once none does.
//!
//! In scope: finding a digest in the lists of one case; the task that collects. Out of scope: bytes
//! ([`crate::evidence`]), sending them.
//!
//! Invariants:
//! 1. A city is served by a list that another city wrote and that it may hold: naming a digest gets
//!    nobody the file. (`f24_evidence_files_cross_by_digest_to_whom_they_are_for`)
//! 2. A file whose item is not for all members by its level goes only where a part for the handling
//!    city goes: to the city that listed it, to those that handle the case or have, and to those to
//!    which the part with the list was granted. The newest list of a city says which level it is;
//!    no city opens to others what it may not have by the list of another one.
//!    (`f24_a_restricted_file_goes_with_the_handling_and_by_grants`)
//! 3. By a list of its own it gets back what came here from it, or was sent here by this city's own
//!    people for that list. (`f24_what_a_city_gave_it_gets_back_after_its_disk_is_lost`)
//!
//! 4. What another member lists stands in nobody's way: a city's own list goes before those of
//!    others, and whoever lists a file may be asked for it.
//!    (`f24_the_list_of_another_member_stands_in_nobodys_way`)
//!
//! Whatever cannot be read keeps its file, and so does a case of which no list was erased. A list
//! that this city may not hold keeps none: by it nothing would have come. However much a city
//! writes, the lists of others are found.

use std::cmp::Reverse;
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
use crate::log::{Audience, Entry, Envelope, PartKind, PartSlot};
use crate::node::load::ReadError;
use crate::node::reader::Reader;
use crate::node::watchdog::Pulse;
use crate::node::writer::NodeHandle;
use crate::view::{self, Effect, HistoryEntry, ReadRows};

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
    /// The list by which the digest is found.
    pub found: Option<Listed>,
    /// The newest list of each city that names it, newest first; of [`Whose::First`] only.
    pub of_each: Vec<Listed>,
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
    /// All, for what this city, which looks, is to keep: the newest is enough.
    Kept(CityCode),
    /// All: the newest of this city, of anybody else only where it wrote none.
    First(CityCode),
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
            Self::Kept(_) | Self::First(_) => true,
            Self::OfOthersFor(city) => by != city,
            // Those of others may keep from it what it lists.
            Self::OfItself(_) => true,
        }
    }

    /// Who must be allowed to hold it.
    fn reader(self) -> Option<CityCode> {
        match self {
            Self::Kept(_) | Self::First(_) => None,
            Self::OfOthersFor(city) | Self::OfItself(city) => Some(city),
        }
    }
}

/// The items that a part lists; `None` when it is no list, or is not here.
///
/// # Errors
/// [`ReadError`] when its bytes are no part.
pub fn items(
    reader: &Reader,
    entry: &Entry,
    place: usize,
) -> Result<Option<Vec<Evidence>>, ReadError> {
    Ok(match reader.part(entry, place)? {
        Some(PartContent::Evidence(list)) => Some(list),
        Some(PartContent::CaseRecord(record)) => Some(record.evidence),
        Some(_) | None => None,
    })
}

/// A part that lists a digest.
struct Naming {
    envelope: Envelope,
    place: usize,
    listed: Listed,
}

impl Naming {
    fn is_for_all(&self) -> bool {
        self.listed.item.level.is_for_all_members()
    }

    /// Whether a city may hold the list whatever all members may.
    fn is_narrowly_for(&self, rows: &impl ReadRows, city: CityCode) -> bool {
        let part = (self.place, &Audience::HandlingCity);
        view::may_hold_as(rows, &self.envelope, part, city)
    }
}

/// What a case lists of a digest, newest first.
#[derive(Default)]
struct Namings {
    all: Vec<Naming>,
    /// Cities with a list that is withheld here, and before which of [`Self::all`] it was written:
    /// it may say that a file goes no further.
    withheld: Vec<(usize, CityCode)>,
}

/// The newest of these lists by which a city may have the file.
fn newest_for<'a>(
    rows: &impl ReadRows,
    Namings { all: namings, withheld }: &'a Namings,
    (whose, city): (Whose, CityCode),
    handled_by: &[CityCode],
) -> Option<&'a Naming> {
    // Whoever never handled the case opens nothing that others keep, not even to itself: who was
    // granted a file may read it, and no more.
    let kept_by_others = |by: CityCode| {
        let keeps = |other: &Naming| other.listed.by != by && !other.is_for_all();
        !handled_by.contains(&by) && namings.iter().any(keeps)
    };
    let kept_by_newer = |nth: usize, by: CityCode| {
        let keeps = |other: &Naming| other.listed.by == by && !other.is_for_all();
        namings.iter().take(nth).any(keeps)
            || withheld.iter().any(|(before, of)| *of == by && nth >= *before)
    };
    let gives = |nth: usize, one: &Naming| {
        let by = one.listed.by;
        if !view::may_hold(rows, &one.envelope, one.place, city) {
            return false;
        }
        if whose == Whose::OfItself(city) {
            return by == city && !kept_by_others(by);
        }
        let is_open = || one.is_for_all() && !kept_by_newer(nth, by) && !kept_by_others(by);
        one.is_narrowly_for(rows, city) || is_open()
    };
    let mut all = namings.iter().enumerate();
    all.find(|(nth, one)| gives(*nth, one)).map(|(_, one)| one)
}

/// Adds the parts of an entry that list a digest, and what keeps one from knowing all of them.
fn add_of(
    reader: &Reader,
    line: &HistoryEntry,
    (sha256, whose): (Hash, Whose),
    (found, looked): (&mut Namings, &mut Looked),
) {
    let Ok(loaded) = reader.entry(line.position) else {
        looked.complete = false;
        return;
    };
    let mut is_withheld = false;
    let parts = loaded.entry.envelope.parts.iter().zip(&loaded.entry.parts).enumerate();
    for (place, (part, slot)) in parts {
        if !matches!(part.kind, PartKind::Evidence | PartKind::CaseRecord) {
            continue;
        }
        match slot {
            PartSlot::Bytes(_) => {}
            PartSlot::ErasedBy(_) => looked.erased = true,
            PartSlot::Withheld => {
                is_withheld |= part.kind == PartKind::Evidence;
                // It may come, and name the file.
                let may_come = |own| {
                    let envelope = &loaded.entry.envelope;
                    view::may_hold(&reader.view(), envelope, place, own)
                };
                looked.complete &= matches!(whose, Whose::Kept(own) if !may_come(own));
            }
        }
        let Ok(list) = items(reader, &loaded.entry, place) else {
            looked.complete = false;
            continue;
        };
        // Of one that is listed twice, the level that keeps more.
        let named = list.into_iter().flatten().filter(|item| item.sha256 == sha256);
        if let Some(item) = named.min_by_key(|item| Reverse(item.level)) {
            let listed = Listed { item, by: line.city };
            found.all.push(Naming { envelope: loaded.entry.envelope.clone(), place, listed });
        }
    }
    if is_withheld {
        found.withheld.push((found.all.len(), line.city));
    }
}

/// The newest list of each city, newest first.
fn of_each(namings: &[Naming]) -> Vec<Listed> {
    let mut newest: Vec<Listed> = Vec::new();
    for Naming { listed, .. } in namings {
        if newest.iter().all(|one| one.by != listed.by) {
            newest.push(listed.clone());
        }
    }
    newest
}

/// Looks for a digest in the lists of a case.
#[must_use]
pub fn look(reader: &Reader, case: CaseRef, sha256: Hash, whose: Whose) -> Looked {
    let asking = whose.reader();
    let Some(case_view) = view::case(&reader.view(), case.agreement, case.subject) else {
        // It may come back: a node that was restored learns of its cases by and by.
        return Looked::default();
    };
    let (lines, complete) = lists(reader, case);
    let mut looked = Looked { complete, ..Looked::default() };
    let mut namings = Namings::default();
    for line in lines {
        // What took no effect lets nobody have a file, and is no reason to take it away.
        let without_effect = asking.is_some() && matches!(line.effect, Effect::Misfit(_));
        if !whose.fits(line.city) || without_effect {
            continue;
        }
        add_of(reader, &line, (sha256, whose), (&mut namings, &mut looked));
        if matches!(whose, Whose::Kept(_)) && !namings.all.is_empty() {
            break;
        }
    }
    let all = &namings.all;
    let found = match whose {
        Whose::Kept(_) => all.first(),
        Whose::First(city) => {
            looked.of_each = of_each(all);
            all.iter().find(|one| one.listed.by == city).or(all.first())
        }
        Whose::OfOthersFor(city) | Whose::OfItself(city) => {
            newest_for(&reader.view(), &namings, (whose, city), &case_view.case.handled_by)
        }
    };
    looked.found = found.map(|naming| naming.listed.clone());
    looked
}

/// Other members, whoever listed a file first. Which of them may have it is asked of each alone
/// ([`look`]).
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
    let (reader, own) = (node.reader(), node.city());
    let is_named: IsNamed = Arc::new(move |case, sha256| {
        let looked = look(&reader, case, sha256, Whose::Kept(own));
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
