//! What a move of the initiator rests on, and names: answers, commitments, who withheld, results.
//!
//! `Scheduled` names the answers it rests on, one of each participant. It is a misfit unless each
//! is that city's newest answer to that revision *among the entries its author had seen*, and
//! confirms it. So what counts is what the initiator knew, never what happened to arrive first
//! ([`Seen`] is worked out by the view). With a draw it names a commitment of each participant by
//! the same rule.
//!
//! `Redrawn` follows when a city withholds its reveal. It names *all* who have not revealed, no
//! more and no fewer, so that the initiator spares nobody, and fresh commitments of all
//! participants to the next attempt; a commitment that was used for an earlier attempt is not
//! fresh. A draw that somebody does not like is not drawn again. Where the rule spares those who
//! withhold, each may withhold once: a second time nothing is drawn again, the plan is revised or
//! cancelled. What a withheld reveal means for the targets: [`super::lots`]. Who withheld stays
//! named in all revisions that follow ([`super::state`]).
//!
//! `Summarized` names of each participant that has not withdrawn the entry by which it has said
//! that its results are in.
//!
//! In scope: what the entries named must be. Out of scope: stages ([`super::state`]).
//!
//! Invariants:
//! 1. No plan is scheduled on an answer that its author knew to be taken back.
//!    (`scheduled_rests_on_the_newest_answers_its_author_had_seen`)
//! 2. A draw is made again only when somebody withheld, names all of them, and is fresh.
//!    (`a_redraw_names_who_withheld_and_is_fresh`)
//! 3. A summary leaves out nobody's results. (`a_summary_rests_on_the_results_of_all_who_stayed`)

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::answer::AnswerKind;
use super::refusal::{PlanMisfit, Wrong};
use super::state::Plan;
use crate::ids::{CityCode, Hash, Position};
use crate::limits::PLAN_DRAWS_MAX;

/// What a scheduled plan rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Resting {
    /// The answers, in the order of cities.
    pub answers: Vec<Position>,
    /// The draw's attempt, from 1; 0 without a draw.
    pub attempt: u32,
    /// The entry that began this attempt, that of `Scheduled` or `Redrawn`: reveals name it.
    pub draw: Option<Position>,
    /// What the cities are bound to at this attempt.
    pub commitments: BTreeMap<CityCode, Hash>,
    /// Who withheld its reveal at an earlier attempt, of this revision or of one before.
    pub withheld: BTreeSet<CityCode>,
    /// Commitments of earlier attempts: none of them is fresh again.
    pub used: BTreeSet<Hash>,
    /// Commitments, of this revision or of one before, whose cities were named as withholding.
    pub missed: BTreeSet<Hash>,
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
    /// Of each participant: the newest entry by which it says, of the present revision, that its
    /// results are in.
    pub results: BTreeMap<CityCode, Position>,
}

/// Whether the answers named are those of all participants, each its newest, and confirm.
pub(super) fn carry(plan: &Plan, named: &[Position], seen: &Seen) -> Result<(), PlanMisfit> {
    let confirms = |(city, named): (CityCode, Option<&Position>)| {
        let (at, kind) = seen.answers.get(&city)?;
        (*kind == AnswerKind::Confirm && named == Some(at)).then_some(())
    };
    let mut names = named.iter();
    for city in plan.facts.participants() {
        let confirmed = confirms((city, names.next()));
        #[cfg(feature = "planted-bugs")]
        let confirmed = confirmed.or_else(|| is_passed_over(plan, city).then_some(()));
        confirmed.ok_or(PlanMisfit::AnswerDoesNotCarry { city })?;
    }
    if names.next().is_some() { Err(PlanMisfit::Invalid(Wrong::Answers)) } else { Ok(()) }
}

/// Whether nobody waits for the answer of this city: the last one's, with the bug that does so.
#[cfg(feature = "planted-bugs")]
pub(super) fn is_passed_over(plan: &Plan, city: CityCode) -> bool {
    let is_last = plan.facts.participants().last() == Some(city);
    is_last && crate::planted::is_on("scheduled-without-an-answer")
}

/// What the participants are bound to: the commitments named, each its city's newest, none of them
/// used before.
pub(super) fn bound(
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
    if names.next().is_some() { Err(PlanMisfit::Invalid(Wrong::Commitments)) } else { Ok(bound) }
}

/// Whether a draw may be made again: those named are all who have withheld, and there are some.
pub(super) fn redrawn(plan: &Plan, named: &[CityCode], seen: &Seen) -> Result<(), PlanMisfit> {
    let Some(rule) = plan.facts.draw() else { return Err(PlanMisfit::NoDraw) };
    let Resting { attempt, commitments, withheld: before, .. } = &plan.resting;
    if *attempt >= PLAN_DRAWS_MAX {
        return Err(PlanMisfit::TooManyDraws { attempt: *attempt });
    }
    if named.is_empty() || !named.is_sorted_by(|one, next| one < next) {
        return Err(PlanMisfit::Invalid(Wrong::Withheld));
    }
    let silent = |city: &CityCode| !seen.revealed.contains(city);
    let withheld: BTreeSet<CityCode> = commitments.keys().copied().filter(silent).collect();
    let wrong = named.iter().find(|city| !withheld.contains(*city));
    let left_out = || withheld.iter().find(|city| !named.contains(*city));
    if let Some(city) = wrong.or_else(left_out) {
        return Err(PlanMisfit::WithholdersDiffer { city: *city });
    }
    match named.iter().find(|city| rule.spares_withholders && before.contains(*city)) {
        Some(city) => Err(PlanMisfit::WithheldTwice { city: *city }),
        None => Ok(()),
    }
}

/// Whether the results named are the newest of all participants that have not withdrawn.
pub(super) fn summed(plan: &Plan, named: &[Position], seen: &Seen) -> Result<(), PlanMisfit> {
    let mut names = named.iter();
    for city in plan.facts.participants() {
        if seen.answers.get(&city).is_some_and(|(_, kind)| *kind == AnswerKind::Withdraw) {
            continue;
        }
        let at = seen.results.get(&city).ok_or(PlanMisfit::ResultsMissing { city })?;
        if names.next() != Some(at) {
            return Err(PlanMisfit::ResultsMissing { city });
        }
    }
    if names.next().is_some() { Err(PlanMisfit::Invalid(Wrong::Results)) } else { Ok(()) }
}
