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
//! `Scheduled` names the answers it rests on, one of each participant. It is a misfit unless each
//! is that city's newest answer to that revision *among the entries its author had seen*, and
//! confirms it. So what counts is what the initiator knew, never what happened to arrive first
//! ([`Seen`] is worked out by the view). With a draw it names a commitment of each participant by
//! the same rule.
//!
//! `Redrawn` follows when a city withholds its reveal. It names who, and fresh commitments of all
//! participants to the next attempt; a commitment that was used for an earlier attempt is not
//! fresh. It is a misfit when somebody it names has revealed: a draw that somebody does not like is
//! not drawn again. What a withheld reveal means for the targets: [`super::lots`].
//!
//! In scope: stages, who moves, what each move rests on. Out of scope: calendar, bookings, caps,
//! certificates ([`super::ready`], which only the deciding node asks).
//!
//! Invariants:
//! 1. Nobody but the initiator moves a plan. (`only_the_initiator_moves_a_plan`)
//! 2. The moves allowed are those of the table. (`the_table_of_moves`)
//! 3. No plan is scheduled on an answer that its author knew to be taken back.
//!    (`scheduled_rests_on_the_newest_answers_its_author_had_seen`)
//! 4. A draw is made again only when somebody withheld, and with fresh commitments of all.
//!    (`a_redraw_names_who_withheld_and_is_fresh`)

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::answer::AnswerKind;
use super::facts::{PlanFacts, fits};
use super::refusal::PlanMisfit;
use crate::domain::code::coded;
use crate::ids::{CityCode, Hash, Position};
use crate::limits::{PLAN_AMENDMENTS_MAX, PLAN_DRAWS_MAX, PLAN_REVISIONS_MAX};

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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PlanMove {
    /// The plan is proposed; this is its revision 1.
    Opened {
        /// What it is.
        facts: PlanFacts,
    },
    /// Another revision.
    Revised {
        /// Which: one more than the last.
        revision: u32,
        /// All of it after the change.
        facts: PlanFacts,
    },
    /// Only what people read is changed.
    Amended,
    /// It is settled.
    Scheduled {
        /// Of which revision.
        revision: u32,
        /// The answers it rests on, one of each participant, in the order of cities.
        answers: Vec<Position>,
        /// With a draw, the commitments it rests on, likewise.
        commitments: Vec<Position>,
    },
    /// The draw is made again.
    Redrawn {
        /// At which attempt, from 2.
        attempt: u32,
        /// The fresh commitments, one of each participant, in the order of cities.
        commitments: Vec<Position>,
        /// Who withheld its reveal, ascending.
        withheld: Vec<CityCode>,
    },
    /// The action begins.
    Begun,
    /// The summary is there; its text is a part.
    Summarized,
    /// It does not take place; why is a part.
    Cancelled,
}

impl PlanMove {
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
            Self::Summarized => PlanMoveKind::Summarize,
            Self::Cancelled => PlanMoveKind::Cancel,
        }
    }
}

/// What a scheduled plan rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Resting {
    /// The answers, in the order of cities.
    pub answers: Vec<Position>,
    /// The draw's attempt, from 1; 0 without a draw.
    pub attempt: u32,
    /// What the cities are bound to at this attempt.
    pub commitments: BTreeMap<CityCode, Hash>,
    /// Who withheld its reveal at an earlier attempt of this revision.
    pub withheld: BTreeSet<CityCode>,
    /// Commitments of earlier attempts: none of them is fresh again.
    pub used: BTreeSet<Hash>,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Plan {
    /// Who proposed it, and alone moves it.
    pub initiator: CityCode,
    /// What it is by its last revision.
    pub facts: PlanFacts,
    /// Who takes part by each revision, from the first; the last is that of `facts`.
    pub rounds: Vec<Vec<CityCode>>,
    /// Which revision, from 1.
    pub revision: u32,
    /// How often it was amended.
    pub amendments: u32,
    /// Days of the revision that has most of them: so many entries a calendar may have.
    pub days_max: u32,
    /// Where it stands.
    pub stage: PlanStage,
    /// What it rests on, from Scheduled on.
    pub resting: Resting,
}

impl Plan {
    /// Who takes part by a revision; `None` when there is no such revision.
    #[must_use]
    pub fn participants_of(&self, revision: u32) -> Option<&[CityCode]> {
        let place = usize::try_from(revision.checked_sub(1)?).ok()?;
        self.rounds.get(place).map(Vec::as_slice)
    }

    /// How often what people see was changed: the SEQUENCE of a calendar entry.
    #[must_use]
    pub const fn sequence(&self) -> u32 {
        let changed = self.revision.saturating_sub(1).saturating_add(self.amendments);
        changed + matches!(self.stage, PlanStage::Cancelled) as u32
    }
}

/// What the author of a move had seen of the other cities, as the view works it out from what the
/// move's entry names in `after` up to and including itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Of each participant: its newest answer to the present revision that is no comment.
    pub answers: BTreeMap<CityCode, (Position, AnswerKind)>,
    /// Of each participant: its newest commitment to the present revision at the attempt that the
    /// move is about, the first or the next one.
    pub commitments: BTreeMap<CityCode, (Position, Hash)>,
    /// Who has shown, at the present attempt, what it had bound itself to.
    pub revealed: BTreeSet<CityCode>,
}

/// Opens a plan.
///
/// # Errors
/// A [`PlanMisfit`]: it is counted and opens nothing.
pub fn open(by: CityCode, facts: &PlanFacts, members: &[CityCode]) -> Result<Plan, PlanMisfit> {
    if !members.contains(&by) {
        return Err(PlanMisfit::NotAMember { city: by });
    }
    fits(facts, by, members)?;
    Ok(Plan {
        initiator: by,
        facts: facts.clone(),
        rounds: vec![facts.participants().collect()],
        revision: 1,
        amendments: 0,
        days_max: facts.day_count(),
        stage: PlanStage::Open,
        resting: Resting::default(),
    })
}

/// The plan after a move, or why the move has no effect: the same for commands and for what others
/// have signed.
///
/// # Errors
/// A [`PlanMisfit`]: it is shown and has no effect.
pub fn next(
    plan: &Plan,
    by: CityCode,
    mv: &PlanMove,
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
        (S::Open | S::Scheduled, M::Revised { revision, facts }) => {
            let next = plan.revision.saturating_add(1);
            if *revision != next || next > PLAN_REVISIONS_MAX {
                return Err(PlanMisfit::WrongRevision { revision: plan.revision });
            }
            fits(facts, by, members)?;
            after.rounds.push(facts.participants().collect());
            after.facts = facts.clone();
            after.days_max = plan.days_max.max(facts.day_count());
            (after.revision, after.stage) = (next, S::Open);
            after.resting = Resting::default();
        }
        (S::Open | S::Scheduled | S::Executing, M::Amended) => {
            after.amendments = plan.amendments.saturating_add(1).min(PLAN_AMENDMENTS_MAX);
        }
        (S::Open, M::Scheduled { revision, answers, commitments }) => {
            if *revision != plan.revision {
                return Err(PlanMisfit::WrongRevision { revision: plan.revision });
            }
            after.resting = rests(plan, answers, commitments, seen)?;
            after.stage = S::Scheduled;
        }
        (S::Scheduled | S::Executing, M::Redrawn { attempt, commitments, withheld }) => {
            redrawn(plan, (*attempt, withheld), seen)?;
            let resting = &mut after.resting;
            resting.used.extend(plan.resting.commitments.values());
            resting.commitments = bound(plan, commitments, seen)?;
            resting.withheld.extend(withheld);
            resting.attempt = *attempt;
        }
        (S::Scheduled, M::Begun) => after.stage = S::Executing,
        (S::Executing, M::Summarized) => after.stage = S::Summarized,
        (S::Open | S::Scheduled | S::Executing, M::Cancelled) => after.stage = S::Cancelled,
        (S::Open, M::Opened { .. } | M::Redrawn { .. } | M::Begun | M::Summarized)
        | (S::Scheduled, M::Opened { .. } | M::Scheduled { .. } | M::Summarized)
        | (S::Executing, M::Opened { .. } | M::Revised { .. } | M::Scheduled { .. } | M::Begun)
        | (
            S::Summarized | S::Cancelled,
            M::Opened { .. }
            | M::Revised { .. }
            | M::Amended
            | M::Scheduled { .. }
            | M::Redrawn { .. }
            | M::Begun
            | M::Summarized
            | M::Cancelled,
        ) => return Err(PlanMisfit::StageForbids { stage: plan.stage, kind: mv.kind() }),
    }
    Ok(after)
}

/// What a plan rests on when it is scheduled.
fn rests(
    plan: &Plan,
    answers: &[Position],
    commitments: &[Position],
    seen: &Seen,
) -> Result<Resting, PlanMisfit> {
    carry(plan, answers, seen)?;
    let draws = plan.facts.draw().is_some();
    if !draws && !commitments.is_empty() {
        return Err(PlanMisfit::NoDraw);
    }
    let commitments = if draws { bound(plan, commitments, seen)? } else { BTreeMap::new() };
    let (answers, attempt) = (answers.to_vec(), u32::from(draws));
    Ok(Resting { answers, attempt, commitments, ..Resting::default() })
}

/// Whether the answers named are those of all participants, each its newest, and confirm.
fn carry(plan: &Plan, named: &[Position], seen: &Seen) -> Result<(), PlanMisfit> {
    let confirms = |(city, named): (CityCode, Option<&Position>)| {
        let (at, kind) = seen.answers.get(&city)?;
        (*kind == AnswerKind::Confirm && named == Some(at)).then_some(())
    };
    let mut names = named.iter();
    for city in plan.facts.participants() {
        confirms((city, names.next())).ok_or(PlanMisfit::AnswerDoesNotCarry { city })?;
    }
    if names.next().is_some() { Err(PlanMisfit::Invalid) } else { Ok(()) }
}

/// What the participants are bound to: the commitments named, each its city's newest, none of them
/// used before.
fn bound(
    plan: &Plan,
    named: &[Position],
    seen: &Seen,
) -> Result<BTreeMap<CityCode, Hash>, PlanMisfit> {
    let used = |hash: &Hash| {
        let Resting { commitments, used, .. } = &plan.resting;
        used.contains(hash) || commitments.values().any(|one| one == hash)
    };
    let (mut names, mut bound) = (named.iter(), BTreeMap::new());
    for city in plan.facts.participants() {
        let name = names.next();
        match seen.commitments.get(&city) {
            Some((at, hash)) if Some(at) == name && !used(hash) => bound.insert(city, *hash),
            Some(_) | None => return Err(PlanMisfit::CommitmentMissing { city }),
        };
    }
    if names.next().is_some() { Err(PlanMisfit::Invalid) } else { Ok(bound) }
}

/// Whether a draw may be made again: it is the next attempt, and those named have withheld.
fn redrawn(
    plan: &Plan,
    (attempt, withheld): (u32, &[CityCode]),
    seen: &Seen,
) -> Result<(), PlanMisfit> {
    let next = plan.resting.attempt.saturating_add(1);
    if plan.facts.draw().is_none() {
        return Err(PlanMisfit::NoDraw);
    }
    if attempt != next || attempt > PLAN_DRAWS_MAX {
        return Err(PlanMisfit::WrongAttempt { attempt: plan.resting.attempt });
    }
    if withheld.is_empty() || !withheld.is_sorted_by(|one, next| one < next) {
        return Err(PlanMisfit::Invalid);
    }
    let has_not = |city: &&CityCode| !plan.facts.has(**city) || seen.revealed.contains(*city);
    match withheld.iter().find(has_not) {
        Some(city) => Err(PlanMisfit::NotWithheld { city: *city }),
        None => Ok(()),
    }
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
