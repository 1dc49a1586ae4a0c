//! Whether a command about a plan is carried out, on the node of the city that asks.
//!
//! Every function first asks the tables that all nodes apply ([`super::next`],
//! [`super::answer::fits`]), then what only the deciding node can know: calendar, term, today,
//! bookings, certificates, caps. A city books its own units, and visits to its own sites, when it
//! confirms; so the checks of both are made then, and again before the plan is scheduled and begun.
//!
//! In scope: refusals. Out of scope: writing, booking, random bytes.
//!
//! Invariants:
//! 1. Whatever is refused leaves the plan as it was; whatever is not refused fits on every node.
//!    (`f15_a_plan_is_scheduled_when_all_have_confirmed_the_same_revision`)

use std::collections::BTreeMap;

use super::answer::{Answer, AnswerKind, PlanAct, fits};
use super::facts::{HOST_OFFICERS_MIN, PlanFacts};
use super::lots::{is_reveal, withholding};
use super::ready::{Finding, Look, PlanRules, of_host, to_begin, to_schedule};
use super::refusal::{PlanMisfit, PlanRefusal};
use super::results::VisitReport;
use super::state::{Plan, PlanMove, PlanStage, Seen, next, open};
use crate::domain::calendar::{DayKind, WorkCalendar};
use crate::domain::date::Date;
use crate::domain::draw::Randomness;
use crate::ids::{CityCode, Hash, SubjectId};

/// What the node knows of time.
#[derive(Debug, Clone, Copy)]
pub struct Time<'a> {
    /// Which days are worked.
    pub calendar: &'a WorkCalendar,
    /// First and last day of the agreement.
    pub term: (Date, Date),
    /// Today in Beijing.
    pub today: Date,
}

/// Decides on a new plan.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_open(
    by: CityCode,
    facts: PlanFacts,
    members: &[CityCode],
    time: Time<'_>,
) -> Result<PlanMove, PlanRefusal> {
    let facts = facts.sorted();
    check(&facts, by, members, time)?;
    open(by, &facts, members)?;
    Ok(PlanMove::Opened { facts })
}

/// Decides on a new revision.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_revise(
    plan: &Plan,
    by: CityCode,
    facts: PlanFacts,
    members: &[CityCode],
    time: Time<'_>,
) -> Result<PlanMove, PlanRefusal> {
    let facts = facts.sorted();
    let revision = plan.revision.saturating_add(1);
    // Who may not revise hears that first, and not what is wrong with the facts.
    let mv = PlanMove::Revised { revision, facts };
    match next(plan, by, &mv, &Seen::default(), members) {
        Ok(_) | Err(PlanMisfit::Invalid) => {}
        Err(misfit) => return Err(misfit.into()),
    }
    let PlanMove::Revised { facts, .. } = &mv else { return Ok(mv) };
    check(facts, by, members, time)?;
    next(plan, by, &mv, &Seen::default(), members)?;
    Ok(mv)
}

/// A day that is known to be off needs the flag from the beginning; whether one of an unknown year
/// is worked is asked when the plan is scheduled.
fn check(
    facts: &PlanFacts,
    by: CityCode,
    members: &[CityCode],
    time: Time<'_>,
) -> Result<(), PlanRefusal> {
    if !members.contains(&by) {
        return Err(PlanMisfit::NotAMember { city: by }.into());
    }
    facts.check(by, members)?;
    let wrong = |day: &super::PlanDay| {
        let on = day.at.on;
        if on < time.today {
            return Some(Finding::DayPast { on });
        }
        if on < time.term.0 || time.term.1 < on {
            return Some(Finding::OutsideTerm { on });
        }
        let off = time.calendar.day(on) == DayKind::DayOff;
        (off && !day.overtime).then_some(Finding::RestDay { on })
    };
    first(facts.days.iter().filter_map(wrong))
}

fn first(findings: impl IntoIterator<Item = Finding>) -> Result<(), PlanRefusal> {
    let mut findings = findings.into_iter();
    match findings.next() {
        None => Ok(()),
        Some(finding) => {
            let more = u32::try_from(findings.count()).unwrap_or(u32::MAX);
            Err(PlanRefusal::Lacking { finding, more })
        }
    }
}

/// Decides on a move that rests on nothing: amending, and cancelling while not all results are in.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_plain(
    plan: &Plan,
    by: CityCode,
    mv: PlanMove,
    all_reported: bool,
    members: &[CityCode],
) -> Result<PlanMove, PlanRefusal> {
    next(plan, by, &mv, &Seen::default(), members)?;
    let cancels = matches!(mv, PlanMove::Cancelled);
    if cancels && all_reported && plan.stage == PlanStage::Executing {
        return Err(PlanRefusal::AllResultsIn);
    }
    Ok(mv)
}

/// Decides on scheduling; `seen` is what the own log has seen with the entry about to be written.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_schedule(
    look: &Look<'_>,
    by: CityCode,
    seen: &Seen,
    members: &[CityCode],
) -> Result<PlanMove, PlanRefusal> {
    let plan = look.plan;
    let mine = by == plan.initiator && plan.stage == PlanStage::Open;
    if mine {
        first(to_schedule(look))?;
    }
    let answers = plan.facts.participants().filter_map(|c| seen.answers.get(&c).map(|a| a.0));
    let answers = answers.collect();
    let commitments = match plan.facts.draw() {
        Some(_) => named(plan, seen),
        None => Vec::new(),
    };
    let mv = PlanMove::Scheduled { revision: plan.revision, answers, commitments };
    next(plan, by, &mv, seen, members)?;
    Ok(mv)
}

fn named(plan: &Plan, seen: &Seen) -> Vec<crate::ids::Position> {
    let commitment = |city| seen.commitments.get(&city).map(|(at, _)| *at);
    plan.facts.participants().filter_map(commitment).collect()
}

/// Decides on drawing again; `reveals` are those that count.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_redraw(
    plan: &Plan,
    by: CityCode,
    (seen, reveals): (&Seen, &BTreeMap<CityCode, Randomness>),
    (members, rules, today): (&[CityCode], &PlanRules, Date),
) -> Result<PlanMove, PlanRefusal> {
    let withheld = withholding(plan, reveals);
    let attempt = plan.resting.attempt.saturating_add(1);
    let nobody = withheld.is_empty();
    let mv = PlanMove::Redrawn { attempt, commitments: named(plan, seen), withheld };
    match next(plan, by, &mv, seen, members) {
        Err(PlanMisfit::Invalid) if nobody => return Err(PlanRefusal::NobodyWithholds),
        result => result?,
    };
    due(plan, rules, today)?;
    Ok(mv)
}

/// Whether it is time to show a draw.
fn due(plan: &Plan, rules: &PlanRules, today: Date) -> Result<(), PlanRefusal> {
    let from = first_day(plan).and_then(|on| on.plus_days(-i64::from(rules.reveal_days_before)));
    match from {
        Some(from) if today < from => Err(PlanRefusal::RevealTooEarly { from }),
        Some(_) | None => Ok(()),
    }
}

fn first_day(plan: &Plan) -> Option<Date> {
    plan.facts.days.first().map(|day| day.at.on)
}

/// Decides on beginning: nothing it rests on is lacking, and the day has come.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_begin(
    look: &Look<'_>,
    by: CityCode,
    members: &[CityCode],
) -> Result<PlanMove, PlanRefusal> {
    let mv = PlanMove::Begun;
    next(look.plan, by, &mv, &Seen::default(), members)?;
    match first_day(look.plan) {
        Some(first) if look.today < first => return Err(PlanRefusal::BeginTooEarly { first }),
        Some(_) | None => {}
    }
    first(to_begin(look))?;
    Ok(mv)
}

/// Decides on the summary; `unreported` are the participants whose results are not in.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_summarize(
    plan: &Plan,
    by: CityCode,
    unreported: &[CityCode],
    members: &[CityCode],
) -> Result<PlanMove, PlanRefusal> {
    let mv = PlanMove::Summarized;
    next(plan, by, &mv, &Seen::default(), members)?;
    match unreported.first() {
        Some(city) => Err(PlanRefusal::ResultsNotIn { city: *city }),
        None => Ok(mv),
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
            first(super::ready::of_city(look, by).into_iter().filter(lacks))
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
