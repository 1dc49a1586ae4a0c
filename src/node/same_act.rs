//! Records that may be of one act, in all agreements this node is in: an index in memory that
//! follows the feed.
//!
//! In scope: the index, who may see what. Out of scope: when two records look like one act
//! ([`crate::domain::same_act`]), messages (`rpc::same_act`).
//!
//! A hint is looked up when it is asked for: the records of one party lie together by their days,
//! and those whose days overlap are judged one by one ([`by_party`]). Pairs are not kept, so a firm
//! with a thousand records takes no million of them. A case with a party takes some 400 bytes here,
//! one without a party none; the rows hold nothing of it. Parties are kept as tags under the node's
//! key, so no name or code lies in memory; an erased record leaves at once. What a record says is
//! read through the reader, which gives only the parts that this city may see, and only of
//! agreements it is a member of.
//!
//! Two records that are linked as one continued case are shown too, and marked: whoever files an
//! act twice could link it himself, so a link must hide nothing.
//!
//! The index is made in the background at the start and brought up to date every second. GetCase
//! brings it up as far as little is missing and says when that was not all; a list brings it up
//! whole. Following reads one row for each case that changed, and its record only when that is a
//! new one.
//!
//! Invariants:
//! 1. A lookup finds what judging all pairs finds. (`the_index_finds_what_all_pairs_find`,
//!    `planted_pairs_are_all_found`)
//! 2. Nothing of an agreement the own city is not in. (`f26_the_same_act_filed_twice_is_shown`)

use std::collections::{BTreeSet, HashMap, HashSet};
use std::mem::size_of;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::Date;
use crate::domain::catalogue::Catalogue;
use crate::domain::place::Coordinates;
use crate::domain::same_act::{self, Act, SameAct};
use crate::geo::{self, Point};
use crate::ids::{AgreementId, CaseKey, Position};
use crate::limits::{SAME_ACT_CASES_MAX, SAME_ACT_CATCH_UP_MAX};
use crate::node::pieces::{self, PIECE};
use crate::node::reader::Reader;
use crate::node::writer::NodeHandle;
use crate::view;

mod by_party;
mod read;

use self::by_party::ByParty;
use self::read::{links_behind, read};

/// How often the index is brought up to date when nobody asks.
const PERIOD: Duration = Duration::from_secs(1);

/// A record that may be of the same act as another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The other record.
    pub case: CaseKey,
    /// Why.
    pub why: SameAct,
    /// When the other one was decided, if that decision stands.
    pub decided_on: Option<Date>,
    /// The two are linked as one continued case.
    pub linked: bool,
}

/// The index; clones share it.
#[derive(Clone)]
pub struct SameActs {
    metres_max: u32,
    /// Cases it may hold; with 0 nothing is looked for.
    cases_max: usize,
    /// Says which codes may name one act.
    catalogue: Arc<Catalogue>,
    /// `None` until all cases have been walked once.
    index: Arc<Mutex<Option<Index>>>,
    /// Held by whoever reads the feed.
    following: Arc<Mutex<()>>,
}

impl std::fmt::Debug for SameActs {
    /// Says nothing: it knows who is suspected of what.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SameActs(..)")
    }
}

/// One case in the index.
#[derive(Clone)]
struct Known {
    act: Act,
    /// Apply number of its opening.
    opened: u64,
    /// The day of the decision that stands.
    decided_on: Option<Date>,
    /// The entry its party and place were read from.
    record_at: Position,
    /// Cases it is linked with as one.
    links: Vec<CaseKey>,
    /// Its history was read for links up to here.
    read_to: u64,
}

struct Index {
    read_to: u64,
    known: HashMap<CaseKey, Known>,
    by_party: ByParty,
    /// Cases whose party has another one: a list of hints need not look at any other.
    of_several: HashSet<CaseKey>,
    /// Cases whose record lies damaged on this disk: read again later.
    unread: BTreeSet<CaseKey>,
    /// Cases it may hold.
    room: usize,
    /// Some case found no room.
    full: bool,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            read_to: 0,
            known: HashMap::new(),
            by_party: ByParty::default(),
            of_several: HashSet::new(),
            unread: BTreeSet::new(),
            room: SAME_ACT_CASES_MAX,
            full: false,
        }
    }
}

// What the header says of memory: with the key beside it, the table's slack and the list by party.
const _: () = assert!(size_of::<(CaseKey, Known)>() <= 216);

/// What became of one case.
enum Reading {
    Act(Known),
    /// No party, no such case, or not for this city.
    Nothing,
    Damaged,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SameActs {
    /// An empty index; places at most `metres_max` metres apart may be one, and codes that
    /// `catalogue` says may name one act.
    #[must_use]
    pub fn new(metres_max: u32, catalogue: Arc<Catalogue>) -> Self {
        let cases_max = SAME_ACT_CASES_MAX;
        Self { metres_max, cases_max, catalogue, index: Arc::default(), following: Arc::default() }
    }

    /// The same, with room for so many cases with a party. With 0 nothing is looked for, and every
    /// answer says that not all is known.
    #[must_use]
    pub fn holding(self, cases_max: u32) -> Self {
        Self { cases_max: usize::try_from(cases_max).unwrap_or(usize::MAX), ..self }
    }

    /// Keeps the index up to date until `stop`.
    pub fn start(&self, node: &NodeHandle, stop: CancellationToken) {
        if self.cases_max == 0 {
            return;
        }
        let (this, node, ended) = (self.clone(), node.clone(), stop.clone());
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(PERIOD);
            interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = interval.tick() => {}
                    () = ended.cancelled() => return,
                }
                let (this, node, stop) = (this.clone(), node.clone(), stop.clone());
                let looked = tokio::task::spawn_blocking(move || {
                    this.look(&node, &|| stop.is_cancelled());
                });
                if let Err(error) = looked.await {
                    tracing::error!(%error, "could not look for records of one act");
                }
            }
        });
    }

    /// Brings the index up to what is applied now. The first look walks all cases: call it off
    /// the threads that serve.
    pub fn look(&self, node: &NodeHandle, stopped: &dyn Fn() -> bool) {
        if self.cases_max == 0 {
            return;
        }
        if !self.is_ready() {
            let _alone = lock(&self.following);
            if !self.is_ready() {
                let Some(made) = make(node, self.cases_max, stopped) else { return };
                *lock(&self.index) = Some(made);
            }
        }
        // No further than it was at the beginning, or a storm of entries would hold the caller.
        let reader = node.reader();
        let now = reader.apply_number(&reader.view());
        let behind = || lock(&self.index).as_ref().is_some_and(|index| index.read_to < now);
        while behind() && !stopped() && !self.follow(node) {}
        self.read_again(node);
    }

    /// Brings the index up to date if little is missing; whether it is.
    pub fn catch_up(&self, node: &NodeHandle) -> bool {
        if !self.is_ready() {
            return false;
        }
        let done = (0..SAME_ACT_CATCH_UP_MAX.div_ceil(PIECE)).any(|_| self.follow(node));
        done && self.is_whole()
    }

    /// Whether every case that was looked at is in the index as it should be.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        lock(&self.index).as_ref().is_some_and(|i| !i.full && i.unread.is_empty())
    }

    fn is_ready(&self) -> bool {
        lock(&self.index).is_some()
    }

    /// Records that may be of the same act as this one, decided ones first, then the nearest; and
    /// how many there are in all.
    #[must_use]
    pub fn of_case(&self, reader: &Reader, case: CaseKey, most: usize) -> (Vec<Hint>, usize) {
        let mut hints: Vec<Hint> = match lock(&self.index).as_ref() {
            Some(index) => index.hints(case, self.metres_max, &self.catalogue).collect(),
            None => return (Vec::new(), 0),
        };
        let total = hints.len();
        let nearest = |hint: &Hint| hint.why.metres.unwrap_or(u32::MAX);
        hints.sort_by_key(|hint| (hint.decided_on.is_none(), nearest(hint), hint.case));
        hints.truncate(most);
        if !hints.is_empty() {
            let own = self.links(reader, case);
            for hint in &mut hints {
                let theirs = self.links(reader, hint.case);
                hint.linked = own.contains(&hint.case) || theirs.contains(&case);
            }
        }
        (hints, total)
    }

    /// Cases linked with this one. Histories are read for them only where a hint is shown, and
    /// each entry once.
    fn links(&self, reader: &Reader, case: CaseKey) -> Vec<CaseKey> {
        let known = |index: &Index| index.known.get(&case).map(|k| (k.links.clone(), k.read_to));
        let Some((mut links, read_to)) = lock(&self.index).as_ref().and_then(known) else {
            return Vec::new();
        };
        let (more, now) = links_behind(reader, case, read_to);
        links.extend(more);
        if now > read_to
            && let Some(index) = lock(&self.index).as_mut()
            && let Some(known) = index.known.get_mut(&case)
        {
            (known.links, known.read_to) = (links.clone(), now);
        }
        links
    }

    /// The openings, newest first, of all cases that can have a hint, because their party has
    /// another one.
    #[must_use]
    pub fn opened_of_several(&self) -> Vec<u64> {
        let index = lock(&self.index);
        let cases = index.iter().flat_map(|index| &index.of_several);
        let known = cases.filter_map(|case| index.as_ref()?.known.get(case));
        let mut opened: Vec<u64> = known.map(|known| known.opened).collect();
        opened.sort_unstable_by_key(|opened| std::cmp::Reverse(*opened));
        opened
    }

    /// Whether there is any, and how many records were looked at for it: of a surname with many
    /// cases that are open, it may be all of them. The index is free again between two cases.
    #[must_use]
    pub fn has_any(&self, case: CaseKey) -> (bool, u32) {
        let index = lock(&self.index);
        let several = index.as_ref().filter(|index| index.of_several.contains(&case));
        let Some(index) = several else { return (false, 0) };
        let mut looked_at = 0_u32;
        let judged = index.judged(case, self.metres_max, &self.catalogue);
        let any = judged.inspect(|_| looked_at += 1).any(|hint| hint.is_some());
        (any, looked_at)
    }

    /// One piece of the feed; whether that was the last one.
    fn follow(&self, node: &NodeHandle) -> bool {
        let _alone = lock(&self.following);
        let Some(read_to) = lock(&self.index).as_ref().map(|index| index.read_to) else {
            return false;
        };
        let reader = node.reader();
        let Some((changes, last)) = pieces::changes(&reader, read_to) else { return true };
        let mut cases: BTreeSet<CaseKey> =
            changes.iter().filter_map(|c| Some((c.agreement, c.case()?))).collect();
        for change in &changes {
            match pieces::erased(&reader, change) {
                Ok(Some(entry)) => {
                    let found = view::applied_entry(&reader.view(), entry);
                    let case = found.and_then(|found| Some((found.agreement, found.subject?)));
                    cases.extend(case.inspect(|case| self.forget(*case)));
                }
                Ok(None) => {}
                // It might be an erasure: everything is read anew.
                Err(_) => {
                    *lock(&self.index) = None;
                    return false;
                }
            }
        }
        for case in cases {
            self.work_out(node, &reader, case);
        }
        if let Some(index) = lock(&self.index).as_mut() {
            index.read_to = last;
        }
        changes.len() < PIECE
    }

    /// A case of which something was erased leaves at once; it is read anew.
    fn forget(&self, case: CaseKey) {
        if let Some(index) = lock(&self.index).as_mut() {
            index.remove(case);
        }
    }

    /// Records that could not be read are tried again, a few at a time.
    fn read_again(&self, node: &NodeHandle) {
        let _alone = lock(&self.following);
        let unread: Vec<CaseKey> = match lock(&self.index).as_ref() {
            Some(index) => index.unread.iter().take(PIECE).copied().collect(),
            None => return,
        };
        let reader = node.reader();
        for case in unread {
            self.work_out(node, &reader, case);
        }
    }

    /// Reads without the lock, so that nobody who asks waits for a disk.
    fn work_out(&self, node: &NodeHandle, reader: &Reader, case: CaseKey) {
        let before = lock(&self.index).as_ref().and_then(|index| index.known.get(&case).cloned());
        let reading = read(node, reader, case, before);
        if let Some(index) = lock(&self.index).as_mut() {
            index.take(case, reading);
        }
    }
}

impl Index {
    fn take(&mut self, case: CaseKey, reading: Reading) {
        self.unread.remove(&case);
        let Reading::Act(known) = reading else {
            self.remove(case);
            if matches!(reading, Reading::Damaged) {
                self.unread.insert(case);
            }
            return;
        };
        let place = |act: &Act| (act.party, act.days());
        let (party, days) = place(&known.act);
        if self.known.get(&case).is_none_or(|before| place(&before.act) != (party, days)) {
            self.remove(case);
            if self.known.len() >= self.room {
                self.full = true;
                return;
            }
            self.by_party.insert(party, days, case);
            let cases: Vec<CaseKey> = self.by_party.of(party).take(3).collect();
            match cases.as_slice() {
                [first, second] => self.of_several.extend([*first, *second]),
                [_] | [] => {}
                [..] => self.of_several.extend([case]),
            }
        }
        self.known.insert(case, known);
    }

    fn remove(&mut self, case: CaseKey) {
        let Some(known) = self.known.remove(&case) else { return };
        self.of_several.remove(&case);
        let party = known.act.party;
        self.by_party.remove(party, known.act.days(), case);
        let mut left = self.by_party.of(party);
        if let (Some(last), None) = (left.next(), left.next()) {
            self.of_several.remove(&last);
        }
    }

    fn hints(
        &self,
        case: CaseKey,
        metres_max: u32,
        catalogue: &Catalogue,
    ) -> impl Iterator<Item = Hint> {
        self.judged(case, metres_max, catalogue).flatten()
    }

    /// Every record whose days may overlap, with the hint it is if it is one.
    fn judged(
        &self,
        case: CaseKey,
        metres_max: u32,
        catalogue: &Catalogue,
    ) -> impl Iterator<Item = Option<Hint>> {
        let own = self.known.get(&case);
        let others = own.map(|own| self.by_party.may_overlap(own.act.party, own.act.days()));
        let others = others.into_iter().flatten().filter(move |other| *other != case);
        others.map(move |other| {
            let (own, there) = (own?, self.known.get(&other)?);
            let one_act = |a, b| catalogue.may_be_one_act(a, b);
            let why = same_act::same_act(&own.act, &there.act, metres_max, one_act, metres)?;
            let decided_on = there.decided_on;
            Some(Hint { case: other, why, decided_on, linked: false })
        })
    }
}

/// All cases, newest first; `None` when stopped on the way.
fn make(node: &NodeHandle, room: usize, stopped: &dyn Fn() -> bool) -> Option<Index> {
    let reader = node.reader();
    let read_to = reader.apply_number(&reader.view());
    let mut index = Index { read_to, room, ..Index::default() };
    let agreements: Vec<AgreementId> = node.book().iter().map(|(id, _)| *id).collect();
    for agreement in agreements {
        pieces::cases(&reader, agreement, &mut |subject| {
            let case = (agreement, subject);
            index.take(case, read(node, &reader, case, None));
            !stopped()
        });
        if stopped() {
            return None;
        }
    }
    Some(index)
}

fn metres(a: Coordinates, b: Coordinates) -> u32 {
    let point =
        |at: Coordinates| Point::new(i64::from(at.lon_udeg()) * 10, i64::from(at.lat_udeg()) * 10);
    match (point(a), point(b)) {
        (Ok(a), Ok(b)) => geo::metres_between(a, b),
        // Coordinates lie in China, and so on the globe.
        (Err(_), _) | (_, Err(_)) => u32::MAX,
    }
}

#[cfg(test)]
mod tests;
