//! Moves of plans, as the chain of a plan wants them.
//!
//! What a move may rest on is what its author had seen when writing it. Later entries of the same
//! log have seen more, so the row of a move keeps how far that was ([`Frontier`]), and a chain that
//! is folded again judges it as it was judged first.
//!
//! In scope: what the rows keep of a move, what it makes of a plan. Out of scope: which move comes
//! next ([`super::chain`]), whether it is allowed ([`crate::domain::plan::next`]).

use serde::{Deserialize, Serialize};

use super::chain::Link;
use super::fold::{FoldEntry, What};
use super::plan_view::PlanView;
use super::plan_words::{WordSort, plan_words};
use super::rows::ReadRows;
use super::{keys, plan_view};
use crate::domain::CaseState;
use crate::domain::draw::Randomness;
use crate::domain::plan::lots::is_reveal;
use crate::domain::plan::{Plan, PlanFacts, PlanMove, PlanWord, Seen, next, open};
use crate::ids::{AgreementId, CityCode, LogId, Position, SubjectId};
use crate::log::PartKind;

/// What the chain must know of a move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PlanMoveRow {
    pub at: Position,
    pub epoch: u64,
    pub by: CityCode,
    pub prev: Option<Position>,
    pub members: Vec<CityCode>,
    pub step: PlanStep,
    pub carries_record: bool,
    pub carries_pool: bool,
    pub frontier: Frontier,
    /// It can never take effect.
    pub barred: Option<String>,
}

/// The opening, or a move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum PlanStep {
    Opened(PlanFacts),
    Moved(PlanMove),
}

/// How far the author of an entry had seen the logs of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Frontier {
    own: (LogId, u64),
    others: Vec<(LogId, u64)>,
}

impl Frontier {
    fn of(rows: &impl ReadRows, entry: &FoldEntry<'_>) -> Self {
        let log = entry.envelope.log;
        let key = |byte| keys::seen(log, LogId::new([byte; LogId::LEN]));
        let (from, mut to, mut others) = (key(0), key(255), Vec::new());
        to.push(0);
        rows.scan(&from, &to, false, &mut |key, value| {
            let other = key.last_chunk::<{ LogId::LEN }>().map(|id| LogId::new(*id));
            others.extend(other.zip(postcard::from_bytes::<u64>(value).ok()));
            true
        });
        // What the log pins of an older one of its city counts as seen.
        others.extend(entry.prologue.map(|head| (head.log, head.size)));
        Self { own: (log, entry.envelope.index), others }
    }

    pub(super) fn has(&self, at: Position) -> bool {
        let of = |(log, size): &(LogId, u64)| *log == at.log && at.index < *size;
        of(&self.own) || self.others.iter().any(of)
    }
}

impl PlanMoveRow {
    pub(super) fn opened(rows: &impl ReadRows, entry: &FoldEntry<'_>, facts: &PlanFacts) -> Self {
        Self::new(rows, entry, PlanStep::Opened(facts.clone()), None)
    }

    pub(super) fn moved(
        rows: &impl ReadRows,
        entry: &FoldEntry<'_>,
        mv: &PlanMove,
        barred: Option<&'static str>,
    ) -> Self {
        Self::new(rows, entry, PlanStep::Moved(mv.clone()), barred.map(str::to_owned))
    }

    fn new(
        rows: &impl ReadRows,
        entry: &FoldEntry<'_>,
        step: PlanStep,
        barred: Option<String>,
    ) -> Self {
        let carries = |kind| entry.envelope.parts.iter().any(|part| part.kind == kind);
        Self {
            at: entry.envelope.position(),
            epoch: entry.epoch,
            by: entry.city,
            prev: entry.envelope.prev,
            members: entry.members.to_vec(),
            step,
            carries_record: carries(PartKind::Plan),
            carries_pool: carries(PartKind::PlanPool),
            frontier: Frontier::of(rows, entry),
            barred,
        }
    }

    /// What the revision says that this move makes.
    pub(super) const fn facts(&self) -> Option<&PlanFacts> {
        match &self.step {
            PlanStep::Opened(facts) | PlanStep::Moved(PlanMove::Revised { facts }) => Some(facts),
            PlanStep::Moved(
                PlanMove::Opened { .. }
                | PlanMove::Amended
                | PlanMove::Scheduled { .. }
                | PlanMove::Redrawn { .. }
                | PlanMove::Begun
                | PlanMove::Summarized { .. }
                | PlanMove::Cancelled,
            ) => None,
        }
    }

    /// Whether it begins an attempt at a draw.
    pub(super) const fn begins_a_draw(&self) -> bool {
        matches!(self.step, PlanStep::Moved(PlanMove::Scheduled { .. } | PlanMove::Redrawn { .. }))
    }

    /// The plan as this opening makes it.
    pub(super) fn plan(&self) -> Option<Result<Plan, &'static str>> {
        let PlanStep::Opened(facts) = &self.step else { return None };
        Some(open(self.by, (self.at, facts), &self.members).map_err(|wrong| wrong.reason()))
    }
}

impl Link for PlanMoveRow {
    type View = PlanView;

    fn from_row(what: What) -> Option<Self> {
        if let What::PlanMove(row) = what { Some(*row) } else { None }
    }

    fn at(&self) -> Position {
        self.at
    }

    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn prev(&self) -> Option<Position> {
        match self.step {
            PlanStep::Opened(_) => None,
            // One without is barred.
            PlanStep::Moved(_) => Some(self.prev.unwrap_or(self.at)),
        }
    }

    fn barred(&self) -> Option<&str> {
        self.barred.as_deref()
    }

    fn next(
        &self,
        rows: &impl ReadRows,
        record: (AgreementId, SubjectId),
        view: &PlanView,
    ) -> Result<PlanView, &'static str> {
        let PlanStep::Moved(mv) = &self.step else { return Err("WRONG_SUBJECT") };
        let saw = |at| self.frontier.has(at);
        let seen = match mv {
            PlanMove::Revised { .. }
            | PlanMove::Scheduled { .. }
            | PlanMove::Redrawn { .. }
            | PlanMove::Summarized { .. }
            | PlanMove::Cancelled => seen(rows, record, &view.plan, &saw),
            // These rest on nothing.
            PlanMove::Opened { .. } | PlanMove::Amended | PlanMove::Begun => Seen::default(),
        };
        let plan = next(&view.plan, self.by, (self.at, mv), &seen, &self.members);
        let plan = plan.map_err(|wrong| wrong.reason())?;
        let mut view = PlanView { plan, ..view.clone() };
        view.last_move = self.at;
        view.move_count += 1;
        if self.carries_record {
            view.record_at = self.at;
        }
        if self.facts().is_some() {
            view.pool_at = self.carries_pool.then_some(self.at);
        }
        Ok(view)
    }

    fn restart(&self, view: &mut PlanView) {
        if let Some(Ok(plan)) = self.plan() {
            view.plan = plan;
        }
        (view.last_move, view.record_at) = (self.at, self.at);
        view.pool_at = self.carries_pool.then_some(self.at);
        view.move_count = 1;
    }

    fn last_move(view: &PlanView) -> Position {
        view.last_move
    }

    fn misfit_count(view: &mut PlanView) -> &mut u32 {
        &mut view.misfit_count
    }

    fn state(_: &PlanView) -> Option<CaseState> {
        None
    }
}

/// What somebody has seen of what the cities have said to the present revision of a plan, `saw`
/// telling which entries.
pub(super) fn seen(
    rows: &(impl ReadRows + ?Sized),
    record: (AgreementId, SubjectId),
    plan: &Plan,
    saw: &dyn Fn(Position) -> bool,
) -> Seen {
    let mut seen = Seen::default();
    let attempt = plan.resting.attempt.saturating_add(1);
    for city in plan.facts.participants() {
        let newest = |sort: WordSort, f: &mut dyn FnMut(Position, &PlanWord) -> bool| {
            plan_words(rows, record, (sort, city), Some(plan.at), &mut |spoken| {
                let at = spoken.place.at;
                !saw(at) || f(at, &spoken.act.word)
            });
        };
        newest(WordSort::Answer, &mut |at, word| {
            if let PlanWord::Answered(answer) = word {
                seen.answers.insert(city, (at, answer.kind()));
            }
            false
        });
        newest(WordSort::Results, &mut |at, _| {
            seen.results.insert(city, at);
            false
        });
        if plan.facts.draw().is_none() {
            continue;
        }
        newest(WordSort::Commitment, &mut |at, word| {
            let Some(commitment) = plan_view::commitment_at(word, attempt) else { return true };
            seen.commitments.insert(city, (at, commitment));
            false
        });
        newest(WordSort::Reveal, &mut |_, word| {
            let shown = reveal(word)
                .is_some_and(|(draw, random)| is_reveal(record.1, plan, city, (draw, random)));
            if shown {
                seen.revealed.insert(city);
            }
            !shown
        });
    }
    seen
}

/// What a reveal shows, and of which attempt.
pub(super) const fn reveal(word: &PlanWord) -> Option<(Position, &Randomness)> {
    if let PlanWord::DrawRevealed { draw, random } = word { Some((*draw, random)) } else { None }
}
