//! Whether a city may add something to a plan: an answer, other units, its part of a draw.
//!
//! In scope: refusals of contributions. Out of scope: what is said of visits ([`super::visits`]),
//! moves of the initiator ([`super`]).

use std::collections::BTreeSet;

use super::{due, first};
use crate::domain::date::Date;
use crate::domain::draw::Randomness;
use crate::domain::plan::answer::{Answer, AnswerKind, Found, PlanAct, PlanWord, fits};
use crate::domain::plan::lots::is_reveal;
use crate::domain::plan::ready::{
    Finding, Look, PlanRules, of_city, of_host, of_pool, of_scheduled,
};
use crate::domain::plan::refusal::{PlanMisfit, PlanRefusal};
use crate::domain::plan::state::{Plan, PlanStage, Round};
use crate::ids::{CityCode, Hash, Position, SubjectId};

/// Whether an act fits, and names the present revision.
pub(super) fn present(
    plan: &Plan,
    by: CityCode,
    act: &PlanAct,
    host: Option<CityCode>,
) -> Result<(), PlanRefusal> {
    fits(by, act, &plan.found(act.revision, host))?;
    if act.revision == plan.at {
        Ok(())
    } else {
        Err(PlanRefusal::OldRevision { revision: plan.revision })
    }
}

/// Decides on an answer. `look.sent` has, for this city, what the answer sends; `before` is its
/// newest answer so far.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written, nothing booked.
pub fn decide_answer(
    look: &Look<'_>,
    by: CityCode,
    (revision, answer): (Position, &Answer),
    before: Option<AnswerKind>,
) -> Result<(), PlanRefusal> {
    let plan = look.plan;
    let act = PlanAct { revision, word: PlanWord::Answered(answer.clone()) };
    match (present(plan, by, &act, None), answer) {
        (Err(PlanRefusal::Misfit(PlanMisfit::Invalid(_))), Answer::OtherDays { .. }) => {
            return Err(PlanRefusal::Periods);
        }
        (present, _) => present?,
    }
    check_stage(plan.stage, answer.kind(), before)?;
    match answer {
        Answer::Comment | Answer::ChangesRequested | Answer::Decline => Ok(()),
        Answer::Withdraw => match before {
            Some(AnswerKind::Confirm | AnswerKind::Tentative) => Ok(()),
            before if plan.stage != PlanStage::Open && crossed(before) => Ok(()),
            Some(
                AnswerKind::Comment
                | AnswerKind::ChangesRequested
                | AnswerKind::OtherDays
                | AnswerKind::Decline
                | AnswerKind::Withdraw,
            )
            | None => Err(PlanRefusal::NothingConfirmed),
        },
        Answer::OtherDays { periods } => {
            let ahead = periods.iter().all(|period| period.first().on >= look.today);
            if ahead { Ok(()) } else { Err(PlanRefusal::Periods) }
        }
        Answer::Tentative { hold_until, .. } => {
            let latest = look.today.plus_days(i64::from(look.rules.hold_days_max));
            let latest = latest.unwrap_or(look.today);
            if *hold_until < look.today || latest < *hold_until {
                return Err(PlanRefusal::HoldUntil { hold_until: *hold_until, latest });
            }
            // Whoever only may come may still lack somebody.
            let lacks = |finding: &Finding| !matches!(finding, Finding::Short { .. });
            first(of_city(look, by).into_iter().filter(lacks))
        }
        Answer::Confirm { .. } if plan.stage == PlanStage::Open => first(of_host(look, by)),
        Answer::Confirm { .. } => first(of_scheduled(look, by)),
    }
}

/// Whether an answer to a plan that is settled was given at the same time as that was done, on a
/// confirmation of before: the initiator had not heard of it, nor the city that it was settled.
const fn crossed(before: Option<AnswerKind>) -> bool {
    match before {
        Some(
            AnswerKind::Tentative
            | AnswerKind::ChangesRequested
            | AnswerKind::OtherDays
            | AnswerKind::Decline,
        ) => true,
        Some(AnswerKind::Comment | AnswerKind::Confirm | AnswerKind::Withdraw) | None => false,
    }
}

/// Which answers a plan takes. Behind scheduling a city comments, withdraws, and may come back; one
/// whose answer crossed with the scheduling says whether it comes.
fn check_stage(
    stage: PlanStage,
    kind: AnswerKind,
    before: Option<AnswerKind>,
) -> Result<(), PlanRefusal> {
    let takes = match (stage, kind) {
        (PlanStage::Open, _)
        | (PlanStage::Scheduled | PlanStage::Executing, AnswerKind::Comment)
        | (PlanStage::Scheduled | PlanStage::Executing, AnswerKind::Withdraw) => true,
        (PlanStage::Scheduled, AnswerKind::Confirm) => {
            crossed(before) || before == Some(AnswerKind::Withdraw)
        }
        (PlanStage::Executing, AnswerKind::Confirm) => crossed(before),
        (
            PlanStage::Scheduled,
            AnswerKind::Tentative
            | AnswerKind::ChangesRequested
            | AnswerKind::OtherDays
            | AnswerKind::Decline,
        )
        | (
            PlanStage::Executing,
            AnswerKind::Tentative
            | AnswerKind::ChangesRequested
            | AnswerKind::OtherDays
            | AnswerKind::Decline,
        )
        | (PlanStage::Summarized | PlanStage::Cancelled, _) => false,
    };
    if takes { Ok(()) } else { Err(PlanRefusal::AnswerTooLate { stage }) }
}

/// Decides on sending other units; `look.sent` has what the city would send from now on. Looked at
/// are the half days still to come. While a plan is open, the draw would not know of a swap: the
/// city confirms anew instead.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written, nothing booked.
pub fn decide_swap(
    look: &Look<'_>,
    by: CityCode,
    act: &PlanAct,
    before: Option<AnswerKind>,
) -> Result<(), PlanRefusal> {
    let plan = look.plan;
    present(plan, by, act, None)?;
    match plan.stage {
        PlanStage::Open => return Err(PlanRefusal::ConfirmAnew),
        PlanStage::Scheduled | PlanStage::Executing => {}
        PlanStage::Summarized | PlanStage::Cancelled => {
            return Err(PlanRefusal::AnswerTooLate { stage: plan.stage });
        }
    }
    if before != Some(AnswerKind::Confirm) {
        return Err(PlanRefusal::NothingConfirmed);
    }
    first(of_scheduled(look, by))
}

/// What a city has done of a draw so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// It is bound to its part at the attempt in question.
    pub committed: bool,
    /// It has revealed at the present attempt.
    pub revealed: bool,
    /// Somebody withholds at the present attempt.
    pub withheld: bool,
    /// Its people say that the bytes of the present attempt are lost.
    pub lost: bool,
}

/// Decides on a commitment to an attempt of the present revision: the first while the plan is open,
/// where a city may commit again and the newest counts, or the next one once somebody withholds. To
/// that only a city commits that has revealed itself, or has lost its bytes and says so; else all
/// would draw again for one that does not like the draw.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_commit(
    plan: &Plan,
    by: CityCode,
    (revision, attempt): (Position, u32),
    bound: Bound,
    (rules, today): (&PlanRules, Date),
) -> Result<(), PlanRefusal> {
    let commitment = Hash::new([0; Hash::LEN]);
    let word = PlanWord::DrawCommitted { attempt, commitment };
    match present(plan, by, &PlanAct { revision, word }, None) {
        // The one behind the last.
        Err(PlanRefusal::Misfit(PlanMisfit::Invalid(_))) if attempt > 1 => {
            return Err(PlanMisfit::TooManyDraws { attempt: plan.resting.attempt }.into());
        }
        present => present?,
    }
    if plan.facts.draw().is_none() {
        return Err(PlanMisfit::NoDraw.into());
    }
    if attempt != plan.resting.attempt.saturating_add(1) {
        return Err(PlanRefusal::WrongAttempt { attempt: plan.resting.attempt });
    }
    match plan.stage {
        PlanStage::Open => return Ok(()),
        PlanStage::Scheduled | PlanStage::Executing => {}
        PlanStage::Summarized | PlanStage::Cancelled => {
            return Err(PlanRefusal::CommitTooLate { stage: plan.stage });
        }
    }
    if !bound.withheld {
        return Err(PlanRefusal::NobodyWithholds);
    }
    if !bound.revealed && !bound.lost {
        return Err(PlanRefusal::RevealFirst);
    }
    if bound.committed {
        return Err(PlanRefusal::Committed);
    }
    due(plan, rules, today)
}

/// Decides whether a city binds itself to the list of a plan that is open: what would be refused
/// when it confirms, or when the plan is scheduled, is said before anybody is bound.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_pool(look: &Look<'_>, by: CityCode) -> Result<(), PlanRefusal> {
    first(of_pool(look, by))
}

/// Decides on a reveal; `revealed` says who has revealed at this attempt. Once another city has,
/// the initiator may do so before the day: else whoever shows its part too early would keep it from
/// revising the plan.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_reveal(
    (id, plan): (SubjectId, &Plan),
    by: CityCode,
    (draw, random): (Position, &Randomness),
    revealed: &BTreeSet<CityCode>,
    (rules, today): (&PlanRules, Date),
) -> Result<(), PlanRefusal> {
    let word = PlanWord::DrawRevealed { draw, random: *random };
    present(plan, by, &PlanAct { revision: plan.at, word }, None)?;
    if plan.facts.draw().is_none() {
        return Err(PlanMisfit::NoDraw.into());
    }
    match plan.stage {
        PlanStage::Scheduled | PlanStage::Executing => {}
        PlanStage::Open | PlanStage::Summarized | PlanStage::Cancelled => {
            return Err(PlanRefusal::RevealStage { stage: plan.stage });
        }
    }
    if plan.resting.draw != Some(draw) {
        return Err(PlanRefusal::WrongAttempt { attempt: plan.resting.attempt });
    }
    if !is_reveal(id, plan, by, (draw, random)) {
        return Err(PlanRefusal::RevealMismatch);
    }
    if revealed.contains(&by) {
        return Err(PlanRefusal::Revealed);
    }
    if by == plan.initiator && !revealed.is_empty() {
        return Ok(());
    }
    due(plan, rules, today)
}

/// Decides on releasing units; `booked` is the revision for which the city has booked any, in the
/// chain or not.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_release(
    plan: &Plan,
    by: CityCode,
    booked: Option<&Round>,
) -> Result<PlanAct, PlanRefusal> {
    let round = booked.ok_or(PlanRefusal::NothingConfirmed)?;
    let act = PlanAct { revision: round.at, word: PlanWord::UnitsReleased };
    let found = Found { participants: Some(&round.cities), ..plan.found(round.at, None) };
    fits(by, &act, &found)?;
    match plan.stage {
        PlanStage::Summarized | PlanStage::Cancelled => Ok(act),
        PlanStage::Open | PlanStage::Scheduled | PlanStage::Executing => {
            if round.at == plan.at {
                Err(PlanRefusal::UnitsNeeded)
            } else {
                Ok(act)
            }
        }
    }
}
