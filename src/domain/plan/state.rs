//! The initiator's chain: what a plan is, and the one table of its moves, for every node.
//!
//! | from | move | to |
//! |---|---|---|
//! | | Opened | Open, revision 1 |
//! | Open, Scheduled | Revised | Open, next revision |
//! | Open | Scheduled | Scheduled |
//! | Scheduled, Executing | Redrawn | the same |
//! | Scheduled | Begun | Executing |
//! | Executing | Summarized | Summarized |
//! | Open, Scheduled, Executing | Amended | the same |
//! | Open, Scheduled, Executing | Cancelled | Cancelled |
//!
//! Only the initiator moves a plan. What the other cities say never moves it: CONSULTING,
//! CONFIRMING and RESULTS_REPORTED are *shown*, computed from the stage and their words
//! ([`shown`]). A new revision voids confirmations, because they are of the old one, and takes a
//! scheduled plan back to Open. What is under way is not revised: it is amended, cancelled, or
//! followed by another plan.
//!
//! Moves follow one another by the entry before (`prev`), so they name no numbers. A city that has
//! lost its log may write two second revisions; the chain rule picks one. Therefore a revision,
//! and an attempt at a draw, is known by the *entry* that made it, and that is what acts name.
//!
//! What a move rests on it names, and the rules for that are in [`super::rests`].
//!
//! A revision after cities have revealed would be a draw made again without anybody withholding. It
//! is not forbidden, because a plan has to change when a river floods; but it is counted
//! ([`Plan::late_revisions`]) and shown. Who withheld stays named, whatever list comes next: else
//! one more site left out would wipe the name. An initiator that held its own part back when it
//! revised could have worked the draw out before, so it withheld. Others that had not shown theirs
//! yet are named ([`Plan::silent`]), and nothing follows from it: they may have been cut off, and
//! an initiator that shows its part and revises within a second would else make all sites of honest
//! neighbours targets. A cancellation after reveals is told likewise ([`Plan::late_cancel`]): it
//! names all who had not shown theirs, the initiator too, since the same action may be proposed
//! anew as another plan, in which nobody is named.
//!
//! In scope: stages, who moves. Out of scope: calendar, bookings, caps, certificates
//! ([`super::ready`], which only the deciding node asks).
//!
//! Invariants:
//! 1. Nobody but the initiator moves a plan. (`only_the_initiator_moves_a_plan`)
//! 2. The moves allowed are those of the table. (`the_table_of_moves`)
//! 3. A revision wipes nobody's name. (`a_revision_after_reveals_is_counted_and_keeps_names`)
//! 4. An initiator that revises with its own part held back withheld it.
//!    (`who_has_not_shown_its_part_when_a_plan_is_revised_is_named`)
//! 5. Who cancels after reveals names all who had shown nothing, itself too.
//!    (`who_has_not_shown_its_part_when_a_plan_is_cancelled_is_named`)

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::answer::{AnswerKind, Found};
use super::facts::{PlanFacts, fits};
use super::refusal::PlanMisfit;
use super::rests::{Resting, Seen, bound, carry, redrawn, summed};
use crate::domain::code::coded;
use crate::domain::date::Date;
use crate::ids::{CityCode, Position};
use crate::limits::{PLAN_AMENDMENTS_MAX, PLAN_REVISIONS_MAX};

coded! {
    /// Where the initiator's chain stands.
    PlanStage {
        Open "OPEN" "协商中" "open";
        Scheduled "SCHEDULED" "已排定" "scheduled";
        Executing "EXECUTING" "执行中" "under way";
        Summarized "SUMMARIZED" "已总结" "summarised";
        Cancelled "CANCELLED" "已取消" "cancelled";
    }
}

coded! {
    /// What people are shown of a plan.
    PlanState {
        Consulting "CONSULTING" "征求意见" "consulting";
        Confirming "CONFIRMING" "确认中" "confirming";
        Scheduled "SCHEDULED" "已排定" "scheduled";
        Executing "EXECUTING" "执行中" "under way";
        ResultsReported "RESULTS_REPORTED" "结果已上报" "results reported";
        Summarized "SUMMARIZED" "已总结" "summarised";
        Cancelled "CANCELLED" "已取消" "cancelled";
    }
}

coded! {
    /// A move without its content.
    PlanMoveKind {
        Open "OPENED" "发起方案" "open";
        Revise "REVISED" "修订方案" "revise";
        Amend "AMENDED" "补正方案" "amend";
        Schedule "SCHEDULED" "排定" "schedule";
        Redraw "REDRAWN" "重新抽取" "draw again";
        Begin "BEGUN" "开始执行" "begin";
        Summarize "SUMMARIZED" "总结" "summarise";
        Cancel "CANCELLED" "取消" "cancel";
    }
}

/// A move of the initiator.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PlanMove {
    /// The plan is proposed; this is its revision 1.
    Opened {
        /// What it is.
        facts: PlanFacts,
    },
    /// Another revision.
    Revised {
        /// All of it after the change.
        facts: PlanFacts,
    },
    /// Only what people read is changed.
    Amended,
    /// It is settled.
    Scheduled {
        /// The answers it rests on, one of each participant, in the order of cities.
        answers: Vec<Position>,
        /// With a draw, the commitments it rests on, likewise.
        commitments: Vec<Position>,
    },
    /// The draw is made again.
    Redrawn {
        /// The fresh commitments, one of each participant, in the order of cities.
        commitments: Vec<Position>,
        /// All who withheld their reveal, ascending.
        withheld: Vec<CityCode>,
    },
    /// The action begins.
    Begun,
    /// The summary is there; its text is a part.
    Summarized {
        /// By which entries the cities have said that their results are in, in the order of cities;
        /// none of those that have withdrawn.
        results: Vec<Position>,
    },
    /// It does not take place; why is a part.
    Cancelled,
}

impl PlanMove {
    /// The entries that it rests on.
    #[must_use]
    pub fn names(&self) -> Vec<Position> {
        match self {
            Self::Scheduled { answers, commitments } => [&**answers, commitments].concat(),
            Self::Redrawn { commitments: named, .. } | Self::Summarized { results: named } => {
                named.clone()
            }
            Self::Opened { .. }
            | Self::Revised { .. }
            | Self::Amended
            | Self::Begun
            | Self::Cancelled => Vec::new(),
        }
    }

    /// What sort of move this is.
    #[must_use]
    pub const fn kind(&self) -> PlanMoveKind {
        match self {
            Self::Opened { .. } => PlanMoveKind::Open,
            Self::Revised { .. } => PlanMoveKind::Revise,
            Self::Amended => PlanMoveKind::Amend,
            Self::Scheduled { .. } => PlanMoveKind::Schedule,
            Self::Redrawn { .. } => PlanMoveKind::Redraw,
            Self::Begun => PlanMoveKind::Begin,
            Self::Summarized { .. } => PlanMoveKind::Summarize,
            Self::Cancelled => PlanMoveKind::Cancel,
        }
    }
}

/// A revision of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Round {
    /// The entry that made it: that of the opening or of the revision.
    pub at: Position,
    /// Who takes part.
    pub cities: Vec<CityCode>,
}

/// What was settled of a plan by any of its revisions: calendars have had it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Settled {
    /// The latest last day.
    pub until: Date,
    /// All who were to take part.
    pub cities: BTreeSet<CityCode>,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Plan {
    /// Who proposed it, and alone moves it.
    pub initiator: CityCode,
    /// What it is by its last revision.
    pub facts: PlanFacts,
    /// The entry that made the present revision: acts that name it count.
    pub at: Position,
    /// Which revision that is, from 1, for people and for [`crate::domain::draw::commitment`].
    pub revision: u32,
    /// The revisions of the chain, from the first; the last is the present one.
    pub rounds: Vec<Round>,
    /// How often it was revised after cities had revealed their parts of a draw.
    pub late_revisions: u32,
    /// Who had not revealed its part at such a revision or cancellation, and has not withheld any
    /// since.
    pub silent: BTreeSet<CityCode>,
    /// It was cancelled after cities had revealed their parts of a draw.
    pub late_cancel: bool,
    /// How often it was amended.
    pub amendments: u32,
    /// How often what calendars show was changed.
    pub changes: u32,
    /// Days of the revision that has most of them: so many entries a calendar may have.
    pub days_max: u32,
    /// Where it stands.
    pub stage: PlanStage,
    /// What it rests on, from Scheduled on.
    pub resting: Resting,
    /// What was settled of it so far; no revision voids that.
    pub settled: Option<Settled>,
}

impl Plan {
    /// Who takes part by a revision of the chain.
    #[must_use]
    pub fn participants_of(&self, revision: Position) -> Option<&[CityCode]> {
        let round = self.rounds.iter().find(|round| round.at == revision);
        round.map(|round| round.cities.as_slice())
    }

    /// What is known of an act to this plan on a node that has all of it; the view, for acts of
    /// others, looks among what their authors had seen.
    #[must_use]
    pub fn found(&self, revision: Position, host: Option<CityCode>) -> Found<'_> {
        let participants = self.participants_of(revision);
        Found { initiator: self.initiator, participants, entry: true, host }
    }

    /// How often what people see was changed: the SEQUENCE of a calendar entry.
    #[must_use]
    pub const fn sequence(&self) -> u32 {
        self.changes
    }
}

/// Opens a plan. `at` is where the entry stands that opens it.
///
/// # Errors
/// A [`PlanMisfit`]: it is counted and opens nothing.
pub fn open(
    by: CityCode,
    (at, facts): (Position, &PlanFacts),
    members: &[CityCode],
) -> Result<Plan, PlanMisfit> {
    if !members.contains(&by) {
        return Err(PlanMisfit::NotAMember { city: by });
    }
    fits(facts, by, members)?;
    Ok(Plan {
        initiator: by,
        facts: facts.clone(),
        at,
        revision: 1,
        rounds: vec![Round { at, cities: facts.participants().collect() }],
        late_revisions: 0,
        silent: BTreeSet::new(),
        late_cancel: false,
        amendments: 0,
        changes: 0,
        days_max: facts.day_count(),
        stage: PlanStage::Open,
        resting: Resting::default(),
        settled: None,
    })
}

/// The plan after a move, or why the move has no effect: the same for commands and for what others
/// have signed. `at` is where the move's entry stands; a node that only decides gives any place.
///
/// # Errors
/// A [`PlanMisfit`]: it is shown and has no effect.
pub fn next(
    plan: &Plan,
    by: CityCode,
    (at, mv): (Position, &PlanMove),
    seen: &Seen,
    members: &[CityCode],
) -> Result<Plan, PlanMisfit> {
    use PlanMove as M;
    use PlanStage as S;
    if by != plan.initiator {
        return Err(PlanMisfit::NotInitiator { initiator: plan.initiator });
    }
    let mut after = plan.clone();
    match (plan.stage, mv) {
        (S::Open | S::Scheduled, M::Revised { facts }) => {
            fits(facts, by, members)?;
            revise(&mut after, at, facts, seen)?;
        }
        (S::Open | S::Scheduled | S::Executing, M::Amended) => {
            let counts = plan.amendments < PLAN_AMENDMENTS_MAX;
            after.amendments = plan.amendments.saturating_add(u32::from(counts));
            after.changes = plan.changes.saturating_add(u32::from(counts));
        }
        (S::Open, M::Scheduled { answers, commitments }) => {
            after.resting = rests(plan, at, (answers, commitments), seen)?;
            after.changes = plan.changes.saturating_add(1);
            after.stage = S::Scheduled;
            after.settled = settled(plan);
        }
        (S::Scheduled | S::Executing, M::Redrawn { commitments, withheld }) => {
            redrawn(plan, withheld, seen)?;
            let (resting, before) = (&mut after.resting, &plan.resting.commitments);
            resting.used.extend(before.values());
            resting.missed.extend(withheld.iter().filter_map(|city| before.get(city)));
            resting.commitments = bound(plan, commitments, seen)?;
            resting.withheld.extend(withheld);
            after.silent.retain(|city| !withheld.contains(city));
            resting.attempt = plan.resting.attempt.saturating_add(1);
            resting.draw = Some(at);
        }
        (S::Scheduled, M::Begun) => after.stage = S::Executing,
        (S::Executing, M::Summarized { results }) => {
            summed(plan, results, seen)?;
            after.stage = S::Summarized;
        }
        (S::Open | S::Scheduled | S::Executing, M::Cancelled) => {
            after.stage = S::Cancelled;
            let (unshown, resting) = (unshown(plan, seen), &plan.resting);
            // Whoever was bound at an attempt before and not named then had shown its part.
            after.late_cancel = unshown.is_some() || !resting.used.is_subset(&resting.missed);
            after.silent.extend(unshown.unwrap_or_default().difference(&resting.withheld));
            after.changes = plan.changes.saturating_add(1);
        }
        (S::Open, M::Opened { .. } | M::Redrawn { .. } | M::Begun | M::Summarized { .. })
        | (S::Scheduled, M::Opened { .. } | M::Scheduled { .. } | M::Summarized { .. })
        | (S::Executing, M::Opened { .. } | M::Revised { .. } | M::Scheduled { .. } | M::Begun)
        | (
            S::Summarized | S::Cancelled,
            M::Opened { .. }
            | M::Revised { .. }
            | M::Amended
            | M::Scheduled { .. }
            | M::Redrawn { .. }
            | M::Begun
            | M::Summarized { .. }
            | M::Cancelled,
        ) => return Err(PlanMisfit::StageForbids { stage: plan.stage, kind: mv.kind() }),
    }
    Ok(after)
}

/// What has been settled once this revision is.
fn settled(plan: &Plan) -> Option<Settled> {
    let mut cities: BTreeSet<CityCode> = plan.facts.participants().collect();
    let last = plan.facts.days.last().map(|day| day.at.on);
    let before = plan.settled.as_ref();
    cities.extend(before.iter().flat_map(|one| &one.cities));
    let until = last.max(before.map(|one| one.until))?;
    Some(Settled { until, cities })
}

/// What a plan rests on when it is scheduled.
fn rests(
    plan: &Plan,
    at: Position,
    (answers, commitments): (&[Position], &[Position]),
    seen: &Seen,
) -> Result<Resting, PlanMisfit> {
    carry(plan, answers, seen)?;
    let draws = plan.facts.draw().is_some();
    if !draws && !commitments.is_empty() {
        return Err(PlanMisfit::NoDraw);
    }
    let mut resting = plan.resting.clone();
    resting.answers = answers.to_vec();
    (resting.attempt, resting.draw) = (u32::from(draws), draws.then_some(at));
    resting.commitments = if draws { bound(plan, commitments, seen)? } else { BTreeMap::new() };
    Ok(resting)
}

/// Another revision: what the last one rested on is void, but for who has withheld, and what was
/// missed of them.
fn revise(plan: &mut Plan, at: Position, facts: &PlanFacts, seen: &Seen) -> Result<(), PlanMisfit> {
    if plan.revision >= PLAN_REVISIONS_MAX {
        return Err(PlanMisfit::TooManyRevisions);
    }
    let mut withheld = std::mem::take(&mut plan.resting.withheld);
    let missed = std::mem::take(&mut plan.resting.missed);
    if let Some(unshown) = unshown(plan, seen) {
        plan.late_revisions = plan.late_revisions.saturating_add(1);
        let (own, others): (BTreeSet<CityCode>, BTreeSet<CityCode>) =
            unshown.into_iter().partition(|city| *city == plan.initiator);
        withheld.extend(own);
        plan.silent.extend(others.difference(&withheld));
    }
    plan.rounds.push(Round { at, cities: facts.participants().collect() });
    plan.facts = facts.clone();
    plan.days_max = plan.days_max.max(facts.day_count());
    plan.revision = plan.revision.saturating_add(1);
    plan.changes = plan.changes.saturating_add(1);
    (plan.at, plan.stage) = (at, PlanStage::Open);
    plan.resting = Resting { withheld, missed, ..Resting::default() };
    Ok(())
}

/// Who has not revealed its part of a draw although others have; `None` while nobody has.
fn unshown(plan: &Plan, seen: &Seen) -> Option<BTreeSet<CityCode>> {
    let bound = plan.resting.commitments.keys().copied();
    let began = plan.resting.attempt > 0 && !seen.revealed.is_empty();
    began.then(|| bound.filter(|city| !seen.revealed.contains(city)).collect())
}

/// Whose results are still to come: those of every participant that has neither reported nor
/// withdrawn, so that a city that has gone does not block the others for ever.
#[must_use]
pub fn unreported(
    plan: &Plan,
    answers: &BTreeMap<CityCode, AnswerKind>,
    reported: &BTreeSet<CityCode>,
) -> Vec<CityCode> {
    let gone = |city: &CityCode| answers.get(city) == Some(&AnswerKind::Withdraw);
    plan.facts.participants().filter(|city| !gone(city) && !reported.contains(city)).collect()
}

/// Whether it is known where a plan leads: it draws nothing, or all who are bound to a part of the
/// present attempt have shown it.
#[must_use]
pub fn targets_known(plan: &Plan, revealed: &BTreeSet<CityCode>) -> bool {
    let bound = &plan.resting.commitments;
    plan.facts.draw().is_none() || bound.keys().all(|city| revealed.contains(city))
}

/// What people are shown: `answers` are the newest answers to the present revision that are no
/// comments, `reported` says whether every participant's results are in.
#[must_use]
pub fn shown(
    plan: &Plan,
    answers: impl IntoIterator<Item = AnswerKind>,
    reported: bool,
) -> PlanState {
    match plan.stage {
        PlanStage::Open if answers.into_iter().any(|kind| kind == AnswerKind::Confirm) => {
            PlanState::Confirming
        }
        PlanStage::Open => PlanState::Consulting,
        PlanStage::Scheduled => PlanState::Scheduled,
        PlanStage::Executing if reported => PlanState::ResultsReported,
        PlanStage::Executing => PlanState::Executing,
        PlanStage::Summarized => PlanState::Summarized,
        PlanStage::Cancelled => PlanState::Cancelled,
    }
}
