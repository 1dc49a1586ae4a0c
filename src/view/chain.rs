//! The chain of a record's moves, extended move by move, and folded again when a lower candidate
//! comes later.
//!
//! In scope: which move follows which, for cases and plans. Out of scope: what a move makes of a
//! record ([`super::case_chain`], [`super::plan_chain`]).

use std::collections::BTreeMap;

use super::case_view::HistoryRow;
use super::fold::{Effect, EntryRow, SUBJECT_UNSEEN, What, misfit};
use super::keys;
use super::rows::{ReadRows, Rows, get, put};
use crate::domain::CaseState;
use crate::ids::{AgreementId, LogId, Position, SubjectId};

/// A move, or an opening, as entry rows keep it.
pub(super) trait Link: Clone {
    /// The record.
    type View;

    /// The move that an entry is, if it is one of such a record.
    fn from_row(what: What) -> Option<Self>;

    /// Where it stands.
    fn at(&self) -> Position;

    /// The epoch of its log.
    fn epoch(&self) -> u64;

    /// The entry it moves from; none of an opening.
    fn prev(&self) -> Option<Position>;

    /// Why it can never take effect.
    fn barred(&self) -> Option<&str>;

    /// The record after this move, or why it does not fit.
    fn next(
        &self,
        rows: &impl ReadRows,
        record: (AgreementId, SubjectId),
        view: &Self::View,
    ) -> Result<Self::View, &'static str>;

    /// Brings a record back to what this opening made of it, counts aside.
    fn restart(&self, view: &mut Self::View);

    /// The last move that took effect.
    fn last_move(view: &Self::View) -> Position;

    /// Entries that did not take effect.
    fn misfit_count(view: &mut Self::View) -> &mut u32;

    /// What a history shows beside a move.
    fn state(view: &Self::View) -> Option<CaseState>;
}

/// Of several moves from one entry, the lowest of these comes next.
type Rank = (u64, LogId, u64);

fn rank(row: &impl Link) -> Rank {
    let at = row.at();
    (row.epoch(), at.log, at.index)
}

/// Adds a move to its record's chain, if it fits; tells whether the chain was folded again.
pub(super) fn extend<L: Link, R: Rows>(
    rows: &mut R,
    (agreement, subject): (AgreementId, SubjectId),
    view: &mut L::View,
    row: &L,
) -> (Effect, bool) {
    if let Some(reason) = row.barred() {
        return (misfit(reason), false);
    }
    let last = L::last_move(view);
    let prev = row.prev().unwrap_or(row.at());
    #[cfg(feature = "planted-bugs")]
    let prev = if crate::planted::is_on("no-prev-check") { last } else { prev };
    if prev == last {
        return match row.next(rows, (agreement, subject), view) {
            Ok(after) => {
                take(rows, view, row, after);
                (Effect::Move, false)
            }
            Err(reason) => (misfit(reason), false),
        };
    }
    // Somebody has already moved from `prev`, or `prev` itself did not take effect.
    let taken: Option<Rank> = get(rows, &keys::successor(prev));
    match taken {
        #[cfg(feature = "planted-bugs")]
        Some(_) if crate::planted::is_on("fold-in-arrival-order") => (misfit("STALE_PREV"), false),
        Some(taken) if rank(row) < taken => fold_again(rows, (agreement, subject), view, row),
        Some(_) => (misfit("STALE_PREV"), false),
        None => (misfit("PREV_NOT_IN_CHAIN"), false),
    }
}

fn take<L: Link, R: Rows>(rows: &mut R, view: &mut L::View, row: &L, after: L::View) {
    put(rows, keys::successor(L::last_move(view)), &rank(row));
    *view = after;
}

/// Walks the chain from the opening over all moves of the record, `newest` included.
fn fold_again<L: Link, R: Rows>(
    rows: &mut R,
    (agreement, subject): (AgreementId, SubjectId),
    view: &mut L::View,
    newest: &L,
) -> (Effect, bool) {
    let mut places: Vec<(u64, HistoryRow)> = Vec::new();
    let (from, to) =
        (keys::history(agreement, subject, 0), keys::history(agreement, subject, u64::MAX));
    rows.scan(&from, &to, false, &mut |key, value| {
        let row = postcard::from_bytes::<HistoryRow>(value).ok();
        places.extend(keys::last_number(key).zip(row));
        true
    });
    let mut candidates: BTreeMap<Position, BTreeMap<Rank, L>> = BTreeMap::new();
    let mut opening = None;
    let stored = places.iter().filter_map(|(_, h)| {
        let entry: EntryRow = get(rows, &keys::entry(h.position))?;
        L::from_row(entry.what)
    });
    for row in stored.chain([newest.clone()]) {
        match row.prev() {
            None => opening = Some(row),
            Some(prev) if row.barred().is_none() => {
                candidates.entry(prev).or_default().insert(rank(&row), row);
            }
            Some(_) => {}
        }
    }
    let Some(opening) = opening else { return (misfit(SUBJECT_UNSEEN), false) };
    for prev in candidates.keys() {
        rows.delete(&keys::successor(*prev));
    }
    opening.restart(view);
    let mut states = BTreeMap::new();
    while let Some((row, after)) = candidates.get(&L::last_move(view)).and_then(|from_here| {
        let after = |row: &L| row.next(rows, (agreement, subject), view).ok();
        from_here.values().find_map(|row| Some((row.clone(), after(row)?)))
    }) {
        take(rows, view, &row, after);
        states.insert(row.at(), L::state(view));
    }
    let misfits = rewrite_history(rows, (agreement, subject), places, &states);
    *L::misfit_count(view) = misfits;
    let took = states.contains_key(&newest.at());
    (if took { Effect::Move } else { misfit("STALE_PREV") }, true)
}

/// Corrects what the history says became of each move; tells how many entries took no effect.
fn rewrite_history<R: Rows>(
    rows: &mut R,
    (agreement, subject): (AgreementId, SubjectId),
    places: Vec<(u64, HistoryRow)>,
    states: &BTreeMap<Position, Option<CaseState>>,
) -> u32 {
    let mut misfits = 0;
    for (apply, mut row) in places {
        let state = states.get(&row.position).copied();
        let now = match (&row.effect, state) {
            (Effect::Move | Effect::Misfit(_), Some(_)) => Effect::Move,
            (Effect::Move, None) => misfit("DOUBLE_MOVE"),
            (other, _) => other.clone(),
        };
        // An entry whose author had not seen the case was not counted when it came: it may have
        // come before the opening, when there was nothing to count in.
        if matches!(now, Effect::Misfit(_)) && now != misfit(SUBJECT_UNSEEN) {
            misfits += 1;
        }
        if now != row.effect {
            row.effect = now;
            row.state = state.flatten();
            put(rows, keys::history(agreement, subject, apply), &row);
        }
    }
    misfits
}
