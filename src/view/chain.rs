//! The chain of a record's moves, extended move by move, and folded again when a lower candidate
//! comes later.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::case_view::{CaseView, HistoryRow};
use super::fold::{Effect, EntryRow, FoldEntry, SUBJECT_UNSEEN, What, misfit};
use super::keys;
use super::rows::{Rows, get, put};
use crate::domain::{self, Case, CaseMove};
use crate::ids::{AgreementId, CityCode, LogId, Position, SubjectId};
use crate::log::PartKind;

/// What the chain must know of a move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MoveRow {
    pub at: Position,
    pub epoch: u64,
    pub by: CityCode,
    pub prev: Option<Position>,
    pub members: Vec<CityCode>,
    pub step: Step,
    pub carries_record: bool,
    pub carries_person: bool,
    /// It can never take effect.
    pub barred: Option<String>,
}

/// The opening, or a move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Step {
    Opening(Box<Case>),
    Move(Box<CaseMove>),
}

/// Of several moves from one entry, the lowest of these comes next.
type Rank = (u64, LogId, u64);

impl MoveRow {
    pub(super) fn opening(entry: &FoldEntry<'_>, case: Case) -> Self {
        Self::new(entry, Step::Opening(Box::new(case)), None)
    }

    pub(super) fn of(entry: &FoldEntry<'_>, mv: &CaseMove, barred: Option<&'static str>) -> Self {
        Self::new(entry, Step::Move(Box::new(mv.clone())), barred.map(str::to_owned))
    }

    fn new(entry: &FoldEntry<'_>, step: Step, barred: Option<String>) -> Self {
        let carries = |kind| entry.envelope.parts.iter().any(|p| p.kind == kind);
        Self {
            at: entry.envelope.position(),
            epoch: entry.epoch,
            by: entry.city,
            prev: entry.envelope.prev,
            members: entry.members.to_vec(),
            step,
            carries_record: carries(PartKind::CaseRecord),
            carries_person: carries(PartKind::Person),
            barred,
        }
    }

    /// Whether it makes another city the handling city, where it fits.
    pub(super) fn hands_over(&self) -> bool {
        matches!(&self.step, Step::Move(mv) if mv.hands_over())
    }

    fn rank(&self) -> Rank {
        (self.epoch, self.at.log, self.at.index)
    }

    /// The case after this move, or why it does not fit.
    pub(super) fn next(&self, case: &Case) -> Result<Case, &'static str> {
        match &self.step {
            Step::Opening(_) => Err("WRONG_SUBJECT"),
            Step::Move(mv) => {
                domain::next(case, self.by, &self.members, mv).map_err(|m| m.reason())
            }
        }
    }
}

/// Adds a move to its record's chain, if it fits; tells whether the chain was folded again.
pub(super) fn extend<R: Rows>(
    rows: &mut R,
    agreement: AgreementId,
    subject: SubjectId,
    view: &mut CaseView,
    row: &MoveRow,
) -> (Effect, bool) {
    if let Some(reason) = &row.barred {
        return (misfit(reason), false);
    }
    let prev = row.prev.unwrap_or(row.at);
    #[cfg(feature = "planted-bugs")]
    let prev = if crate::planted::is_on("no-prev-check") { view.last_move } else { prev };
    if prev == view.last_move {
        return match row.next(&view.case) {
            Ok(case) => {
                take(rows, view, row, case);
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
        Some(rank) if row.rank() < rank => fold_again(rows, agreement, subject, view, row),
        Some(_) => (misfit("STALE_PREV"), false),
        None => (misfit("PREV_NOT_IN_CHAIN"), false),
    }
}

fn take<R: Rows>(rows: &mut R, view: &mut CaseView, row: &MoveRow, case: Case) {
    put(rows, keys::successor(view.last_move), &row.rank());
    view.case = case;
    view.last_move = row.at;
    view.move_count += 1;
    if row.hands_over() {
        view.handed_at = row.at;
    }
    if row.carries_record {
        view.record_at = row.at;
    }
    if row.carries_person {
        view.person_at = Some(row.at);
    }
}

/// Walks the chain from the opening over all moves of the record, `newest` included.
fn fold_again<R: Rows>(
    rows: &mut R,
    agreement: AgreementId,
    subject: SubjectId,
    view: &mut CaseView,
    newest: &MoveRow,
) -> (Effect, bool) {
    let mut places: Vec<(u64, HistoryRow)> = Vec::new();
    let (from, to) =
        (keys::history(agreement, subject, 0), keys::history(agreement, subject, u64::MAX));
    rows.scan(&from, &to, false, &mut |key, value| {
        let row = postcard::from_bytes::<HistoryRow>(value).ok();
        places.extend(keys::last_number(key).zip(row));
        true
    });
    let mut candidates: BTreeMap<Position, BTreeMap<Rank, MoveRow>> = BTreeMap::new();
    let mut opening = None;
    let stored = places.iter().filter_map(|(_, h)| {
        let entry: EntryRow = get(rows, &keys::entry(h.position))?;
        if let What::Move(row) = entry.what { Some(row) } else { None }
    });
    for row in stored.chain([newest.clone()]) {
        match (&row.step, row.prev) {
            (Step::Opening(case), _) => opening = Some((row.at, case.as_ref().clone())),
            (Step::Move(_), Some(prev)) if row.barred.is_none() => {
                candidates.entry(prev).or_default().insert(row.rank(), row);
            }
            (Step::Move(_), _) => {}
        }
    }
    let Some((opened_at, case)) = opening else { return (misfit(SUBJECT_UNSEEN), false) };
    for prev in candidates.keys() {
        rows.delete(&keys::successor(*prev));
    }
    view.case = case;
    view.last_move = opened_at;
    view.record_at = opened_at;
    view.handed_at = opened_at;
    view.person_at = None;
    view.move_count = 1;
    if carries_person(rows, opened_at) {
        view.person_at = Some(opened_at);
    }
    let mut states = BTreeMap::new();
    while let Some((row, case)) = candidates.get(&view.last_move).and_then(|from_here| {
        from_here.values().find_map(|row| Some((row.clone(), row.next(&view.case).ok()?)))
    }) {
        take(rows, view, &row, case);
        states.insert(row.at, view.case.state);
    }
    rewrite_history(rows, agreement, subject, view, places, &states);
    let effect = if states.contains_key(&newest.at) { Effect::Move } else { misfit("STALE_PREV") };
    (effect, true)
}

fn carries_person(rows: &impl super::rows::ReadRows, at: Position) -> bool {
    match get::<EntryRow>(rows, &keys::entry(at)).map(|row| row.what) {
        Some(What::Move(row)) => row.carries_person,
        Some(
            What::Proposal
            | What::AssistanceRequest { .. }
            | What::AssistanceAnswer(_)
            | What::Acknowledgement(_)
            | What::Milestone(..)
            | What::Referral(_)
            | What::Other,
        )
        | None => false,
    }
}

/// Corrects what the history says became of each move.
fn rewrite_history<R: Rows>(
    rows: &mut R,
    agreement: AgreementId,
    subject: SubjectId,
    view: &mut CaseView,
    places: Vec<(u64, HistoryRow)>,
    states: &BTreeMap<Position, domain::CaseState>,
) {
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
            row.state = state;
            put(rows, keys::history(agreement, subject, apply), &row);
        }
    }
    view.misfit_count = misfits;
}
