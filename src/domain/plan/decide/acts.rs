//! Whether a city may add something to a plan: an answer, other units, its part of a draw, results.
//!
//! In scope: refusals of contributions. Out of scope: moves of the initiator ([`super`]).

use super::{due, first, first_day};
use crate::domain::date::Date;
use crate::domain::draw::Randomness;
use crate::domain::plan::answer::{Answer, AnswerKind, PlanAct, fits};
use crate::domain::plan::facts::HOST_OFFICERS_MIN;
use crate::domain::plan::lots::is_reveal;
use crate::domain::plan::ready::{Finding, Look, PlanRules, of_city, of_host};
use crate::domain::plan::refusal::{PlanMisfit, PlanRefusal};
use crate::domain::plan::results::VisitReport;
use crate::domain::plan::state::{Plan, PlanStage};
use crate::ids::{CityCode, Hash, SubjectId};

/// Decides on an answer. `look.sent` has, for this city, what the answer sends; `before` is its
/// newest answer so far.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written, nothing booked.
pub fn decide_answer(
    look: &Look<'_>,
    by: CityCode,
    (revision, answer): (u32, &Answer),
    before: Option<AnswerKind>,
) -> Result<(), PlanRefusal> {
    let plan = look.plan;
    let act = PlanAct::Answered { revision, answer: answer.clone() };
    match (fits(plan, by, &act, None), answer) {
        (Err(PlanMisfit::Invalid), Answer::OtherDays { .. }) => return Err(PlanRefusal::Periods),
        (fits, _) => fits?,
    }
    if revision != plan.revision {
        return Err(PlanRefusal::OldRevision { revision: plan.revision });
    }
    check_stage(plan.stage, answer.kind(), before)?;
    match answer {
        Answer::Comment | Answer::ChangesRequested | Answer::Decline => Ok(()),
        Answer::Withdraw => match before {
            Some(AnswerKind::Confirm | AnswerKind::Tentative) => Ok(()),
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
        Answer::Confirm { .. } => first(of_host(look, by)),
    }
}

/// Which answers a plan takes. Behind scheduling a city comments, withdraws, and may come back.
fn check_stage(
    stage: PlanStage,
    kind: AnswerKind,
    before: Option<AnswerKind>,
) -> Result<(), PlanRefusal> {
    let takes = match (stage, kind) {
        (PlanStage::Open, _)
        | (PlanStage::Scheduled | PlanStage::Executing, AnswerKind::Comment)
        | (PlanStage::Scheduled | PlanStage::Executing, AnswerKind::Withdraw) => true,
        (PlanStage::Scheduled, AnswerKind::Confirm) => before == Some(AnswerKind::Withdraw),
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
            | AnswerKind::Confirm
            | AnswerKind::ChangesRequested
            | AnswerKind::OtherDays
            | AnswerKind::Decline,
        )
        | (PlanStage::Summarized | PlanStage::Cancelled, _) => false,
    };
    if takes { Ok(()) } else { Err(PlanRefusal::AnswerTooLate { stage }) }
}

/// Decides on sending other units; `look.sent` has what the city would send from now on.
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
    fits(plan, by, act, None)?;
    let PlanAct::UnitsSwapped { revision, .. } = act else {
        return Err(PlanMisfit::Invalid.into());
    };
    if *revision != plan.revision {
        return Err(PlanRefusal::OldRevision { revision: plan.revision });
    }
    match plan.stage {
        PlanStage::Open | PlanStage::Scheduled | PlanStage::Executing => {}
        PlanStage::Summarized | PlanStage::Cancelled => {
            return Err(PlanRefusal::AnswerTooLate { stage: plan.stage });
        }
    }
    if before != Some(AnswerKind::Confirm) {
        return Err(PlanRefusal::NothingConfirmed);
    }
    first(of_host(look, by))
}

/// Decides on a commitment. `bound` is what the city has committed to at this attempt; `withheld`
/// says whether anybody withholds at the present one.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_commit(
    plan: &Plan,
    by: CityCode,
    (revision, attempt): (u32, u32),
    (bound, withheld): (Option<Hash>, bool),
) -> Result<(), PlanRefusal> {
    let commitment = Hash::new([0; Hash::LEN]);
    fits(plan, by, &PlanAct::DrawCommitted { revision, attempt, commitment }, None)?;
    if plan.facts.draw().is_none() {
        return Err(PlanMisfit::NoDraw.into());
    }
    if revision != plan.revision {
        return Err(PlanRefusal::OldRevision { revision: plan.revision });
    }
    if attempt != plan.resting.attempt.saturating_add(1) {
        return Err(PlanMisfit::WrongAttempt { attempt: plan.resting.attempt }.into());
    }
    match plan.stage {
        PlanStage::Open => {}
        PlanStage::Scheduled | PlanStage::Executing if withheld => {}
        PlanStage::Scheduled | PlanStage::Executing => return Err(PlanRefusal::NobodyWithholds),
        PlanStage::Summarized | PlanStage::Cancelled => {
            return Err(PlanRefusal::AnswerTooLate { stage: plan.stage });
        }
    }
    if bound.is_some() { Err(PlanRefusal::Committed) } else { Ok(()) }
}

/// Decides on a reveal; `revealed` says that the city has revealed at this attempt.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_reveal(
    (id, plan): (SubjectId, &Plan),
    by: CityCode,
    (attempt, random): (u32, &Randomness),
    revealed: bool,
    (rules, today): (&PlanRules, Date),
) -> Result<(), PlanRefusal> {
    let (revision, random) = (plan.revision, *random);
    fits(plan, by, &PlanAct::DrawRevealed { revision, attempt, random }, None)?;
    if plan.facts.draw().is_none() {
        return Err(PlanMisfit::NoDraw.into());
    }
    match plan.stage {
        PlanStage::Scheduled | PlanStage::Executing => {}
        PlanStage::Open | PlanStage::Summarized | PlanStage::Cancelled => {
            return Err(PlanRefusal::AnswerTooLate { stage: plan.stage });
        }
    }
    if attempt != plan.resting.attempt {
        return Err(PlanMisfit::WrongAttempt { attempt: plan.resting.attempt }.into());
    }
    if !is_reveal(id, plan, by, &random) {
        return Err(PlanRefusal::RevealMismatch);
    }
    if revealed {
        return Err(PlanRefusal::Revealed);
    }
    due(plan, rules, today)
}

/// A visit that is asked about: where its site stands, and whether the plan goes there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visited {
    /// Where the site stands.
    pub host: Option<CityCode>,
    /// The plan goes there.
    pub is_target: bool,
}

/// Decides on a team's arrival; `certified` of the officers named are of the own city, with
/// certificates valid today.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_check_in(
    plan: &Plan,
    by: CityCode,
    (site, officers): (SubjectId, &[SubjectId]),
    visited: Visited,
    (certified, rules): (u32, &PlanRules),
) -> Result<(), PlanRefusal> {
    let act = PlanAct::CheckedIn { site, officers: officers.to_vec() };
    fits(plan, by, &act, visited.host)?;
    check_target(plan, site, visited)?;
    let least = rules.host_officers.max(HOST_OFFICERS_MIN);
    if certified < least {
        return Err(PlanRefusal::TeamTooSmall { got: certified, least });
    }
    Ok(())
}

fn check_target(plan: &Plan, site: SubjectId, visited: Visited) -> Result<(), PlanRefusal> {
    match plan.stage {
        PlanStage::Executing if visited.is_target => Ok(()),
        PlanStage::Executing => Err(PlanRefusal::NotVisited { site }),
        PlanStage::Open | PlanStage::Scheduled | PlanStage::Summarized | PlanStage::Cancelled => {
            Err(PlanRefusal::AnswerTooLate { stage: plan.stage })
        }
    }
}

/// Decides on results of a visit; they may be keyed in afterwards (补录).
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_report(
    plan: &Plan,
    by: CityCode,
    report: &VisitReport,
    visited: Visited,
    (rules, today): (&PlanRules, Date),
) -> Result<(), PlanRefusal> {
    fits(plan, by, &PlanAct::VisitReported(report.clone()), visited.host)?;
    check_target(plan, report.site, visited)?;
    let first = first_day(plan).unwrap_or(today);
    let end = plan.facts.days.last().map_or(today, |day| day.at.on);
    let end = end.plus_days(i64::from(rules.results_days_max)).unwrap_or(today);
    let last = today.min(end);
    if report.on < first || last < report.on {
        return Err(PlanRefusal::ReportDay { on: report.on, first, last });
    }
    Ok(())
}

/// Decides on saying that all results are in; `missing` are own targets without a report.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_results(plan: &Plan, by: CityCode, missing: &[SubjectId]) -> Result<(), PlanRefusal> {
    fits(plan, by, &PlanAct::ResultsReported { revision: plan.revision }, None)?;
    if plan.stage != PlanStage::Executing {
        return Err(PlanRefusal::AnswerTooLate { stage: plan.stage });
    }
    match missing.first() {
        Some(site) => Err(PlanRefusal::ResultsMissing { site: *site }),
        None => Ok(()),
    }
}

/// Decides on releasing units; `booked` is the revision for which the city has booked any.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_release(
    plan: &Plan,
    by: CityCode,
    booked: Option<u32>,
) -> Result<PlanAct, PlanRefusal> {
    let revision = booked.ok_or(PlanRefusal::NothingConfirmed)?;
    let act = PlanAct::UnitsReleased { revision };
    fits(plan, by, &act, None)?;
    match plan.stage {
        PlanStage::Summarized | PlanStage::Cancelled => Ok(act),
        PlanStage::Open | PlanStage::Scheduled | PlanStage::Executing => {
            if revision < plan.revision { Ok(act) } else { Err(PlanRefusal::UnitsNeeded) }
        }
    }
}
