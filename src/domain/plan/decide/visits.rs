//! Whether a city may say something of a visit: that its team is there, what came of it, what is
//! followed up; and what became of proposals.
//!
//! Arrivals and reports are taken from the plan's first day on once it is scheduled, so a team does
//! not wait at a gate until the initiator has pressed a button. Both are also taken behind its end,
//! for a while, of its days; they are shown as keyed in afterwards or corrected
//! (补录、更正, [`is_afterwards`]), and a summary is not made again for them.
//!
//! In scope: refusals. Out of scope: answers, draws ([`super::acts`]).

use std::collections::BTreeMap;

use super::acts::present;
use super::first_day;
use crate::domain::date::Date;
use crate::domain::plan::answer::{CheckIn, PlanAct, PlanWord, Resolution, Sent};
use crate::domain::plan::facts::HOST_OFFICERS_MIN;
use crate::domain::plan::ready::{Finding, PlanRules};
use crate::domain::plan::refusal::PlanRefusal;
use crate::domain::plan::results::VisitReport;
use crate::domain::plan::state::{Plan, PlanStage};
use crate::domain::site::LeftOut;
use crate::ids::{CityCode, Position, SubjectId};

/// A visit that is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visited {
    /// Where the site stands.
    pub host: Option<CityCode>,
    /// How often the plan goes there; 0 when it is no target.
    pub visits: u32,
}

/// Who arrives.
#[derive(Debug, Clone, Copy)]
pub struct Arriving<'a> {
    /// What each city sends, as it counts now; behind the plan's end what it had sent at last.
    pub sent: &'a BTreeMap<CityCode, Sent>,
    /// How many of those who lead are officers of the own city with certificates valid on the day
    /// of the arrival.
    pub certified: u32,
    /// What stands against the visit on that day, exceptions considered.
    pub left_out: Option<LeftOut>,
}

/// Decides on a team's arrival. Whoever is recused or was not sent does not check; a team that
/// differs from the draw is shown ([`crate::domain::plan::arrivals`]).
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_check_in(
    plan: &Plan,
    by: CityCode,
    arrival: &CheckIn,
    visited: Visited,
    (arriving, rules, today): (Arriving<'_>, &PlanRules, Date),
) -> Result<(), PlanRefusal> {
    let act = PlanAct { revision: plan.at, word: PlanWord::CheckedIn(arrival.clone()) };
    hosted(plan, by, (&act, arrival.site), visited)?;
    if !is_taken(plan, today) {
        return Err(PlanRefusal::CheckInStage { stage: plan.stage });
    }
    check_target(arrival.site, arrival.nth, visited)?;
    if let Some(why) = arriving.left_out {
        return Err(PlanRefusal::VisitStopped { site: arrival.site, why });
    }
    let days = plan.facts.days.iter().enumerate();
    let places: Vec<usize> =
        days.filter(|(_, day)| day.at.on == arrival.on).map(|(place, _)| place).collect();
    if places.is_empty() || today < arrival.on {
        return Err(PlanRefusal::ArrivalDay { on: arrival.on });
    }
    let comes = |sent: &Sent, officer: SubjectId| {
        let mut units = sent.units.iter().filter(|one| one.unit == officer);
        units.any(|one| places.iter().any(|place| one.comes(*place)))
    };
    let of = |guest: bool| {
        arriving.sent.iter().filter(move |(city, _)| (**city != by) == guest).map(|(_, sent)| sent)
    };
    let leads = arrival.officers.iter().map(|officer| (*officer, false));
    let guests = arrival.guests.iter().map(|officer| (*officer, true));
    for (officer, guest) in leads.chain(guests) {
        if of(guest).any(|sent| sent.keeps(officer, arrival.site)) {
            return Err(PlanRefusal::OfficerRecused { officer });
        }
        if !of(guest).any(|sent| comes(sent, officer)) {
            return Err(PlanRefusal::OfficerNotSent { officer });
        }
    }
    let (got, least) = (arriving.certified, rules.host_officers.max(HOST_OFFICERS_MIN));
    if got < least {
        return Err(PlanRefusal::TeamTooSmall { got, least });
    }
    check_term(plan, rules, today)
}

/// Whether something is taken of its visits: the plan is under way, or was carried out. Of what was
/// never scheduled nothing was.
fn is_taken(plan: &Plan, today: Date) -> bool {
    let is_over = is_late(plan) && !plan.resting.answers.is_empty();
    is_under_way(plan, today) || is_over
}

/// Whether something of a visit may still be keyed in.
fn check_term(plan: &Plan, rules: &PlanRules, today: Date) -> Result<(), PlanRefusal> {
    let end = plan.facts.days.last().map_or(today, |day| day.at.on);
    let until = end.plus_days(i64::from(rules.results_days_max)).unwrap_or(end);
    if until < today { Err(PlanRefusal::ReportTooLate { until }) } else { Ok(()) }
}

/// The plan has begun, or would have if the initiator could be reached.
fn is_under_way(plan: &Plan, today: Date) -> bool {
    match plan.stage {
        PlanStage::Executing => true,
        PlanStage::Scheduled => first_day(plan).is_some_and(|first| first <= today),
        #[cfg(feature = "planted-bugs")]
        PlanStage::Open if crate::planted::is_on("reported-while-open") => true,
        PlanStage::Open | PlanStage::Summarized | PlanStage::Cancelled => false,
    }
}

/// Whether a report comes behind the plan's end: it is shown as keyed in afterwards.
#[must_use]
pub const fn is_late(plan: &Plan) -> bool {
    match plan.stage {
        PlanStage::Summarized | PlanStage::Cancelled => true,
        PlanStage::Open | PlanStage::Scheduled | PlanStage::Executing => false,
    }
}

/// Whether what is said of a visit is shown as keyed in afterwards (补录): on a later day than the
/// one it tells of, or behind the end of the plan. `recorded` is the day on which, and whether that
/// was behind the move that ended the plan.
#[must_use]
pub fn is_afterwards(plan: &Plan, on: Date, recorded: (Date, bool)) -> bool {
    on < recorded.0 || (is_late(plan) && recorded.1)
}

/// Whether what is said of a visit fits. A site that no node knows is no site of another city.
fn hosted(
    plan: &Plan,
    by: CityCode,
    (act, site): (&PlanAct, SubjectId),
    visited: Visited,
) -> Result<(), PlanRefusal> {
    if visited.host.is_none() {
        present(plan, by, act, Some(by))?;
        return Err(PlanRefusal::SiteUnknown { site });
    }
    present(plan, by, act, visited.host)
}

fn check_target(site: SubjectId, nth: u32, visited: Visited) -> Result<(), PlanRefusal> {
    match visited.visits {
        0 => Err(PlanRefusal::NotVisited { site }),
        visits if nth >= visits => Err(PlanRefusal::VisitUnknown { site, visits }),
        _ => Ok(()),
    }
}

/// Decides on results of a visit: of a day of the plan's, by departments of the plan, keyed in
/// within some days of its end.
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
    let act = PlanAct { revision: plan.at, word: PlanWord::VisitReported(report.clone()) };
    hosted(plan, by, (&act, report.site), visited)?;
    if !is_taken(plan, today) {
        return Err(PlanRefusal::ReportStage { stage: plan.stage });
    }
    check_target(report.site, report.nth, visited)?;
    let asked = |department| plan.facts.departments.contains(department);
    let mut departments = report.checks.iter().map(|check| &check.department);
    if let Some(department) = departments.find(|one| !asked(one)) {
        return Err(PlanRefusal::DepartmentNotIn { department: *department });
    }
    let first = first_day(plan).unwrap_or(today);
    let end = plan.facts.days.last().map_or(today, |day| day.at.on);
    let last = today.min(end);
    if report.on < first || last < report.on {
        return Err(PlanRefusal::ReportDay { on: report.on, first, last });
    }
    check_term(plan, rules, today)
}

/// Decides on a clue of a visit being followed up; `reported` says that the visit has a report that
/// tells of clues, `cities` opened the case named, or handle it.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_finding(
    plan: &Plan,
    by: CityCode,
    (site, nth, case): (SubjectId, u32, Option<SubjectId>),
    (visited, reported, cities): (Visited, bool, &[CityCode]),
) -> Result<(), PlanRefusal> {
    let word = PlanWord::FindingOpened { site, nth, case };
    hosted(plan, by, (&PlanAct { revision: plan.at, word }, site), visited)?;
    check_target(site, nth, visited)?;
    if !reported {
        return Err(PlanRefusal::NoClue { site });
    }
    // It is the host that says this, see above.
    match case {
        Some(case) if !cities.contains(&by) => Err(PlanRefusal::CaseElsewhere { case, city: by }),
        Some(_) | None => Ok(()),
    }
}

/// Decides on saying that all results are in; `missing` are own targets without a report, or why
/// nobody knows yet which the targets are.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_results(
    plan: &Plan,
    by: CityCode,
    missing: Result<&[SubjectId], Finding>,
    today: Date,
) -> Result<(), PlanRefusal> {
    let act = PlanAct { revision: plan.at, word: PlanWord::ResultsReported };
    present(plan, by, &act, None)?;
    if !is_under_way(plan, today) {
        return Err(PlanRefusal::ReportStage { stage: plan.stage });
    }
    let missing = missing.map_err(|finding| PlanRefusal::Lacking { finding, more: 0 })?;
    match missing.first() {
        Some(site) => Err(PlanRefusal::ResultsMissing { site: *site }),
        None => Ok(()),
    }
}

/// Decides on saying what became of an answer of a city, to any revision, at any stage; `answers`
/// are the answers there are to that revision.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_resolution(
    plan: &Plan,
    by: CityCode,
    (revision, answer, resolution): (Position, Position, Resolution),
    answers: &[Position],
) -> Result<(), PlanRefusal> {
    let act = PlanAct { revision, word: PlanWord::AnswerResolved { answer, resolution } };
    let mut found = plan.found(revision, None);
    found.entry = answers.contains(&answer);
    crate::domain::plan::answer::fits(by, &act, &found)?;
    Ok(())
}
