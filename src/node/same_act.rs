//! Records that may be of one act, in all agreements this node is in: an index in memory that
//! follows the feed.
//!
//! In scope: the index, who may see what. Out of scope: when two records look like one act
//! ([`crate::domain::same_act`]), messages (`rpc::same_act`).
//!
//! A hint is looked up when it is asked for: the records of one party lie together by their days,
//! and those whose days overlap are judged one by one ([`by_party`]). Pairs are not kept, so a firm
//! with a thousand records takes no million of them; which cases have any hint is, as far as lists
//! have asked ([`hinted`]). A case with a party takes some 420 bytes here, one without a party
//! none; the rows hold nothing of it. Parties are kept as tags under the node's key, so no name or
//! code lies in memory; an erased record leaves at once. What a record says is read through the
//! reader, which gives only the parts that this city may see, and only of agreements it is a member
//! of.
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

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::Date;
use crate::domain::catalogue::Catalogue;
use crate::domain::same_act::SameAct;
use crate::ids::{AgreementId, CaseKey};
use crate::limits::{SAME_ACT_CASES_MAX, SAME_ACT_CATCH_UP_MAX};
use crate::node::pieces::{self, PIECE};
use crate::node::reader::Reader;
use crate::node::writer::NodeHandle;
use crate::view::{self, CaseView};

mod by_party;
mod hinted;
mod index;
mod read;

use self::index::Index;
use self::read::{Told, read};

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
}

/// The same with what is shown of the other record.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Which, and why.
    pub hint: Hint,
    /// As the rows have it.
    pub view: CaseView,
    /// The number people say; empty when its part is not here.
    pub number: String,
    /// Legal date on which it was filed.
    pub filed_on: Option<Date>,
    /// The two are linked as one continued case.
    pub linked: bool,
}

/// What is shown of one case.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// Decided ones first, then the nearest.
    pub shown: Vec<Shown>,
    /// How many there are in all.
    pub total: usize,
    /// Legal date on which the case itself was filed, if there is any.
    pub filed_on: Option<Date>,
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

    /// Records that may be of the same act as this one, at most so many of them.
    #[must_use]
    pub fn of_case(&self, reader: &Reader, case: CaseKey, most: usize) -> Hints {
        let mut hints: Vec<Hint> = match lock(&self.index).as_ref() {
            Some(index) => index.hints(case, self.metres_max, &self.catalogue).collect(),
            None => return Hints::default(),
        };
        let total = hints.len();
        let nearest = |hint: &Hint| hint.why.metres.unwrap_or(u32::MAX);
        hints.sort_by_key(|hint| (hint.decided_on.is_none(), nearest(hint), hint.case));
        hints.truncate(most);
        let own = if hints.is_empty() { None } else { self.told(reader, case) };
        let (_, own) = own.unzip();
        let own = own.unwrap_or_default();
        let shown = hints.into_iter().filter_map(|hint| {
            let (view, theirs) = self.told(reader, hint.case)?;
            let linked = own.links.contains(&hint.case) || theirs.links.contains(&case);
            let Told { filed_on, number, .. } = theirs;
            let number = number.map(String::from).unwrap_or_default();
            Some(Shown { hint, view, number, filed_on, linked })
        });
        Hints { shown: shown.collect(), total, filed_on: own.filed_on }
    }

    /// A case as it stands, and what its history tells. Histories are read only where a hint is
    /// shown, and only when the case has gone on since.
    fn told(&self, reader: &Reader, case: CaseKey) -> Option<(CaseView, Told)> {
        let view = view::case(&reader.view(), case.0, case.1)?;
        let known = |index: &Index| index.known.get(&case).map(|known| known.told.clone());
        let Some(mut told) = lock(&self.index).as_ref().and_then(known) else {
            return Some((view, Told::default()));
        };
        if view.last_apply <= told.read_to && told.number.is_some() {
            return Some((view, told));
        }
        if view.last_apply > told.read_to {
            told = told.and_since(reader, case);
        }
        if told.number.is_none() {
            told.number = reader.case_number(&view).map(String::into_boxed_str);
        }
        if let Some(index) = lock(&self.index).as_mut()
            && let Some(known) = index.known.get_mut(&case)
        {
            known.told = told.clone();
        }
        Some((view, told))
    }

    /// The openings, newest first, of all cases that have a hint or may have one.
    #[must_use]
    pub fn opened_of_hinted(&self) -> Vec<u64> {
        lock(&self.index).as_ref().map(|index| index.hinted.named()).unwrap_or_default()
    }

    /// Whether a case, which comes with the apply number of its opening, has any, and how many
    /// records were looked at for it: of a surname with many cases that are open, it may be all of
    /// them, once. The index is free again between two cases.
    #[must_use]
    pub fn has_any(&self, case: (u64, CaseKey)) -> (bool, u32) {
        let mut index = lock(&self.index);
        let has_any = index.as_mut().map(|i| i.has_any(case, self.metres_max, &self.catalogue));
        has_any.unwrap_or((false, 0))
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

#[cfg(test)]
mod tests;
