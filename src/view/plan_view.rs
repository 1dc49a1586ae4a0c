//! Plans of joint action, as the rows hold them, and what an entry about one comes to.
//!
//! The initiator's moves are a chain ([`super::plan_chain`]). What the cities say lies beside it
//! ([`super::plan_words`]).
//! What the cities have said to the present revision is kept with the plan ([`Heard`]) and worked
//! out again whenever a move takes effect.
//!
//! In scope: folding entries about plans. Out of scope: who may say what
//! ([`crate::domain::plan`]), calendars and books of units (the node).
//!
//! Invariants:
//! 1. What is heard is what a look through all words finds.
//!    (`what_is_heard_of_a_plan_is_what_was_said`)

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::fold::{EntryRow, FoldEntry, What, bar_prev, names};
use super::plan_books::rebook;
use super::plan_chain::{PlanMoveRow, seen};
use super::plan_words::{WordSort, count, lay, plan_words};
use super::record::{self, Added, Counted, Record};
use super::rows::{ReadRows, Rows, get};
use super::unit_view::Place;
use super::{chain, keys, site_view};
use crate::domain::Event;
use crate::domain::plan::answer::fits;
use crate::domain::plan::lots::is_reveal;
use crate::domain::plan::{
    Answer, AnswerKind, Found, Plan, PlanAct, PlanFacts, PlanMisfit, PlanStage, PlanState,
    PlanWord, Seen, shown, targets_known, unreported,
};
use crate::ids::{AgreementId, CityCode, Hash, Position, SubjectId};
use crate::log::SubjectKind;

/// A plan as the fold has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanView {
    /// What it is.
    pub plan: Plan,
    /// The entry that opened it.
    pub opened_at: Position,
    /// Clock of its author, milliseconds since 1970-01-01 UTC.
    pub opened_ms: i64,
    /// The last move that took effect: the etag.
    pub last_move: Position,
    /// The newest move with a record among its parts.
    pub record_at: Position,
    /// With a draw: the move that carries the list of the present revision.
    pub pool_at: Option<Position>,
    /// What the cities have said to the present revision.
    pub heard: Heard,
    /// Moves that took effect, the opening included.
    pub move_count: u32,
    /// Contributions.
    pub contribution_count: u32,
    /// Entries that did not take effect.
    pub misfit_count: u32,
    /// An entry of a newer kind holds it.
    pub needs_newer: bool,
    /// Apply number of the last entry here.
    pub last_apply: u64,
    /// Apply number of the opening here.
    pub opened_apply: u64,
}

/// What the cities have said to the present revision, and at the present attempt of its draw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The newest answer of each that is no comment.
    pub answers: BTreeMap<CityCode, (Place, AnswerKind)>,
    /// The newest commitment of each to the next attempt.
    pub commitments: BTreeMap<CityCode, Place>,
    /// Who has shown what it had bound itself to.
    pub revealed: BTreeSet<CityCode>,
    /// By which entry each has said last that its results are in.
    pub reported: BTreeMap<CityCode, Place>,
}

impl PlanView {
    /// The newest answers by city.
    #[must_use]
    pub fn answers(&self) -> BTreeMap<CityCode, AnswerKind> {
        self.heard.answers.iter().map(|(city, (_, kind))| (*city, *kind)).collect()
    }

    /// Whether every participant that has not withdrawn has reported its results, of targets that
    /// are known.
    #[must_use]
    pub fn all_reported(&self) -> bool {
        let reported = self.heard.reported.keys().copied().collect();
        targets_known(&self.plan, &self.heard.revealed)
            && unreported(&self.plan, &self.answers(), &reported).is_empty()
    }

    /// What people are shown.
    #[must_use]
    pub fn state(&self) -> PlanState {
        shown(&self.plan, self.answers().into_values(), self.all_reported())
    }

    /// Whether nothing moves it any more.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        match self.plan.stage {
            PlanStage::Summarized | PlanStage::Cancelled => true,
            PlanStage::Open | PlanStage::Scheduled | PlanStage::Executing => false,
        }
    }

    /// What this node has seen of what the cities have said: what its next own entry will rest on.
    #[must_use]
    pub fn seen(&self, rows: &(impl ReadRows + ?Sized), record: (AgreementId, SubjectId)) -> Seen {
        seen(rows, record, &self.plan, &|_| true)
    }

    /// The same of what somebody has seen, `saw` telling which entries.
    #[must_use]
    pub fn seen_by(
        &self,
        rows: &(impl ReadRows + ?Sized),
        record: (AgreementId, SubjectId),
        saw: &dyn Fn(Position) -> bool,
    ) -> Seen {
        seen(rows, record, &self.plan, saw)
    }

    /// Works out again what is heard of the present revision.
    fn hear_again(&mut self, rows: &impl ReadRows, record: (AgreementId, SubjectId)) {
        #[cfg(feature = "planted-bugs")]
        let kept = self.heard.answers.clone();
        self.heard = Heard::default();
        #[cfg(feature = "planted-bugs")]
        if crate::planted::is_on("answers-outlive-their-revision") {
            self.heard.answers = kept;
        }
        let participants: Vec<CityCode> = self.plan.facts.participants().collect();
        for city in participants {
            for sort in WordSort::HEARD {
                // Newest first: the rest of a sort is older, and only another attempt's.
                plan_words(rows, record, (sort, city), Some(self.plan.at), &mut |spoken| {
                    self.hear(record.1, city, spoken.place, &spoken.act);
                    sort.is_of_an_attempt()
                });
            }
        }
    }

    /// Hears one act that fits.
    fn hear(&mut self, subject: SubjectId, city: CityCode, place: Place, act: &PlanAct) {
        let takes_part = self.plan.facts.has(city);
        if act.revision != self.plan.at || !takes_part {
            return;
        }
        let Self { plan, heard, .. } = self;
        match &act.word {
            PlanWord::Answered(Answer::Comment) => {}
            PlanWord::Answered(answer) => {
                let said = (place, answer.kind());
                let last = heard.answers.entry(city).or_insert(said);
                let newer = last.0 < place;
                #[cfg(feature = "planted-bugs")]
                let newer = newer && !crate::planted::is_on("first-answer-stands");
                if newer {
                    *last = said;
                }
            }
            PlanWord::DrawCommitted { .. } => {
                let next = plan.resting.attempt.saturating_add(1);
                if commitment_at(&act.word, next).is_some() {
                    let last = heard.commitments.entry(city).or_insert(place);
                    *last = place.max(*last);
                }
            }
            PlanWord::DrawRevealed { draw, random } => {
                if is_reveal(subject, plan, city, (*draw, random)) {
                    heard.revealed.insert(city);
                }
            }
            PlanWord::ResultsReported => {
                let last = heard.reported.entry(city).or_insert(place);
                *last = place.max(*last);
            }
            PlanWord::UnitsSwapped(_)
            | PlanWord::CheckedIn(_)
            | PlanWord::VisitReported(_)
            | PlanWord::FindingOpened { .. }
            | PlanWord::UnitsReleased
            | PlanWord::AnswerResolved { .. } => {}
        }
    }
}

/// One plan.
#[must_use]
pub fn plan(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    subject: SubjectId,
) -> Option<PlanView> {
    record::read(rows, agreement, subject)
}

/// Walks the plans of an agreement from the one opened last here, or from below apply number
/// `below`, until `f` says no.
pub fn plans_newest_first(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    below: Option<u64>,
    f: &mut dyn FnMut(SubjectId, PlanView) -> bool,
) {
    record::newest_first(rows, agreement, below, f);
}

/// What a revision of a plan says, in its chain or not, by the entry that made it.
#[must_use]
pub fn plan_facts_at(rows: &(impl ReadRows + ?Sized), at: Position) -> Option<PlanFacts> {
    let row: EntryRow = get(rows, &keys::entry(at))?;
    let What::PlanMove(row) = row.what else { return None };
    row.facts().cloned()
}

/// The commitment that something said is, if it is one to this attempt.
pub(super) fn commitment_at(word: &PlanWord, attempt: u32) -> Option<Hash> {
    if let PlanWord::DrawCommitted { attempt: of, commitment } = word {
        return (*of == attempt).then_some(*commitment);
    }
    None
}

impl Record for PlanView {
    const KIND: SubjectKind = SubjectKind::Plan;

    fn key(agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
        keys::plan(agreement, subject)
    }

    fn opened_key(agreement: AgreementId, apply: u64) -> Option<Vec<u8>> {
        Some(keys::plan_opened(agreement, apply))
    }

    fn open(entry: &FoldEntry<'_>, apply: u64) -> Option<Result<Self, &'static str>> {
        let Event::PlanOpened { facts } = entry.event else { return None };
        let at = entry.envelope.position();
        let carries = |kind| entry.envelope.parts.iter().any(|part| part.kind == kind);
        let plan = crate::domain::plan::open(entry.city, (at, facts), entry.members);
        Some(plan.map_err(|wrong| wrong.reason()).map(|plan| Self {
            plan,
            opened_at: at,
            opened_ms: entry.envelope.record_time_ms,
            last_move: at,
            record_at: at,
            pool_at: carries(crate::log::PartKind::PlanPool).then_some(at),
            heard: Heard::default(),
            move_count: 1,
            contribution_count: 0,
            misfit_count: 0,
            needs_newer: false,
            last_apply: apply,
            opened_apply: apply,
        }))
    }

    fn opened<R: Rows>(&self, rows: &mut R, entry: &FoldEntry<'_>, _: SubjectId) -> What {
        What::PlanMove(Box::new(PlanMoveRow::opened(rows, entry, &self.plan.facts)))
    }

    fn opened_at(&self) -> Position {
        self.opened_at
    }

    fn counted(&mut self) -> Counted<'_> {
        let Self { misfit_count, needs_newer, last_apply, .. } = self;
        Counted { misfit_count, needs_newer, last_apply }
    }

    fn add<R: Rows>(
        &mut self,
        rows: &mut R,
        entry: &FoldEntry<'_>,
        subject: SubjectId,
    ) -> Option<Added> {
        let record = (entry.agreement, subject);
        if let Event::PlanAct(act) = entry.event {
            return Some(self.say(rows, entry, subject, act));
        }
        let Event::PlanMove(mv) = entry.event else { return None };
        let is_move = |what: &What| matches!(what, What::PlanMove(_));
        let barred = bar_prev(rows, entry, subject, is_move);
        let row = PlanMoveRow::moved(rows, entry, mv, barred);
        let heard_of = |plan: &Plan| (plan.at, plan.resting.attempt, plan.resting.draw);
        let before = heard_of(&self.plan);
        let (effect, refolded) = chain::extend(rows, record, self, &row);
        if refolded || heard_of(&self.plan) != before {
            self.hear_again(rows, record);
        }
        Some(Added { effect, refolded, what: What::PlanMove(Box::new(row)) })
    }
}

impl PlanView {
    fn say<R: Rows>(
        &mut self,
        rows: &mut R,
        entry: &FoldEntry<'_>,
        subject: SubjectId,
        act: &PlanAct,
    ) -> Added {
        if let Err(wrong) = self.fits(rows, entry, subject, act) {
            return Added::contribution(Err(wrong));
        }
        if !count(rows, (entry.agreement, subject), entry.envelope.log, act) {
            return Added::contribution(Err(PlanMisfit::TooManyWords.reason()));
        }
        let place = Place { epoch: entry.epoch, at: entry.envelope.position() };
        let sort = WordSort::of(&act.word);
        let said = (place, entry.envelope.record_time_ms);
        lay(rows, (entry.agreement, subject), entry.city, said, act);
        self.contribution_count += 1;
        self.hear(subject, entry.city, place, act);
        let books = matches!(sort, WordSort::Answer | WordSort::Swap | WordSort::Release);
        #[cfg(feature = "planted-bugs")]
        let books = books
            && !(sort == WordSort::Swap && crate::planted::is_on("swaps-book-nothing"))
            && !(sort == WordSort::Release && crate::planted::is_on("releases-free-nobody"));
        if books {
            rebook(rows, (entry.agreement, subject), entry.city, (place, act));
        }
        let what = match &act.word {
            PlanWord::Answered(_) => What::PlanAnswer(act.revision),
            PlanWord::UnitsSwapped(_)
            | PlanWord::DrawCommitted { .. }
            | PlanWord::DrawRevealed { .. }
            | PlanWord::CheckedIn(_)
            | PlanWord::VisitReported(_)
            | PlanWord::FindingOpened { .. }
            | PlanWord::ResultsReported
            | PlanWord::UnitsReleased
            | PlanWord::AnswerResolved { .. } => What::Other,
        };
        Added { what, ..Added::contribution(Ok(())) }
    }

    /// Whether an act fits, by what its author had seen: the same whatever has arrived here.
    fn fits(
        &self,
        rows: &impl ReadRows,
        entry: &FoldEntry<'_>,
        subject: SubjectId,
        act: &PlanAct,
    ) -> Result<(), &'static str> {
        // A move of somebody else, or one that names no move before it, makes no revision.
        let stands = |row: &PlanMoveRow| row.by == self.plan.initiator && row.barred.is_none();
        let makes_one = |row: &PlanMoveRow| stands(row) && row.facts().is_some();
        let makes = |what: &What| matches!(what, What::PlanMove(row) if makes_one(row));
        let facts = names(rows, entry, subject, act.revision, makes)
            .then(|| plan_facts_at(rows, act.revision))
            .flatten();
        let participants: Option<Vec<CityCode>> = facts.map(|facts| facts.participants().collect());
        let named = |at: Position, plays: &dyn Fn(&What) -> bool| {
            names(rows, entry, subject, at, |what| plays(what))
        };
        let found_entry = match &act.word {
            PlanWord::DrawRevealed { draw, .. } => named(
                *draw,
                &|what| matches!(what, What::PlanMove(row) if stands(row) && row.begins_a_draw()),
            ),
            PlanWord::AnswerResolved { answer, .. } => {
                named(*answer, &|what| *what == What::PlanAnswer(act.revision))
            }
            PlanWord::Answered(_)
            | PlanWord::UnitsSwapped(_)
            | PlanWord::DrawCommitted { .. }
            | PlanWord::CheckedIn(_)
            | PlanWord::VisitReported(_)
            | PlanWord::FindingOpened { .. }
            | PlanWord::ResultsReported
            | PlanWord::UnitsReleased => true,
        };
        let host = site_of(&act.word).and_then(|site| {
            let view = site_view::site(rows, entry.agreement, site)?;
            entry.has_seen(rows, view.opened_at).then_some(view.city)
        });
        let found = Found {
            initiator: self.plan.initiator,
            participants: participants.as_deref(),
            entry: found_entry,
            host,
        };
        fits(entry.city, act, &found).map_err(|wrong| wrong.reason())
    }
}

/// The site that something said is about.
const fn site_of(word: &PlanWord) -> Option<SubjectId> {
    match word {
        PlanWord::CheckedIn(arrival) => Some(arrival.site),
        PlanWord::VisitReported(report) => Some(report.site),
        PlanWord::FindingOpened { site, .. } => Some(*site),
        PlanWord::Answered(_)
        | PlanWord::UnitsSwapped(_)
        | PlanWord::DrawCommitted { .. }
        | PlanWord::DrawRevealed { .. }
        | PlanWord::ResultsReported
        | PlanWord::UnitsReleased
        | PlanWord::AnswerResolved { .. } => None,
    }
}
