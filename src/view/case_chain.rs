//! Moves of cases, as the chain of a case wants them.
//!
//! In scope: what the rows keep of a move, what it makes of a case. Out of scope: which move comes
//! next ([`super::chain`]), whether it is allowed ([`crate::domain::next`]).

use serde::{Deserialize, Serialize};

use super::case_view::CaseView;
use super::chain::Link;
use super::fold::{FoldEntry, What};
use super::rows::ReadRows;
use crate::domain::{self, Case, CaseMove, CaseState};
use crate::ids::{AgreementId, CityCode, Position, SubjectId};
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

    /// The case after this move, or why it does not fit.
    pub(super) fn moved(&self, case: &Case) -> Result<Case, &'static str> {
        let Step::Move(mv) = &self.step else { return Err("WRONG_SUBJECT") };
        domain::next(case, self.by, &self.members, mv).map_err(|misfit| misfit.reason())
    }

    /// Whether it makes another city the handling city, where it fits.
    pub(super) fn hands_over(&self) -> bool {
        matches!(&self.step, Step::Move(mv) if mv.hands_over())
    }
}

impl Link for MoveRow {
    type View = CaseView;

    fn from_row(what: What) -> Option<Self> {
        if let What::Move(row) = what { Some(row) } else { None }
    }

    fn at(&self) -> Position {
        self.at
    }

    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn prev(&self) -> Option<Position> {
        match self.step {
            Step::Opening(_) => None,
            // One without is barred.
            Step::Move(_) => Some(self.prev.unwrap_or(self.at)),
        }
    }

    fn barred(&self) -> Option<&str> {
        self.barred.as_deref()
    }

    fn next(
        &self,
        _: &impl ReadRows,
        _: (AgreementId, SubjectId),
        view: &CaseView,
    ) -> Result<CaseView, &'static str> {
        let mut view = CaseView { case: self.moved(&view.case)?, ..view.clone() };
        view.last_move = self.at;
        view.move_count += 1;
        if self.hands_over() {
            view.handed_at = self.at;
        }
        if self.carries_record {
            view.record_at = self.at;
        }
        if self.carries_person {
            view.person_at = Some(self.at);
        }
        Ok(view)
    }

    fn restart(&self, view: &mut CaseView) {
        if let Step::Opening(case) = &self.step {
            view.case = case.as_ref().clone();
        }
        (view.last_move, view.record_at, view.handed_at) = (self.at, self.at, self.at);
        view.person_at = self.carries_person.then_some(self.at);
        view.move_count = 1;
    }

    fn last_move(view: &CaseView) -> Position {
        view.last_move
    }

    fn misfit_count(view: &mut CaseView) -> &mut u32 {
        &mut view.misfit_count
    }

    fn state(view: &CaseView) -> Option<CaseState> {
        Some(view.case.state)
    }
}
