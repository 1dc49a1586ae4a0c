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

mod acts;
mod visits;

pub use acts::{
    Bound, decide_answer, decide_commit, decide_pool, decide_release, decide_reveal, decide_swap,
};
pub use visits::{
    Arriving, Visited, decide_check_in, decide_finding, decide_report, decide_resolution,
    decide_results, is_afterwards, is_late,
};

use std::collections::{BTreeMap, BTreeSet};

use super::answer::AnswerKind;
use super::facts::PlanFacts;
use super::lots::{PoolSite, withholding};
use super::ready::{Finding, Look, PlanRules, misplaced, to_begin, to_schedule};
use super::refusal::{PlanMisfit, PlanRefusal, Wrong};
use super::rests::Seen;
use super::state::{Plan, PlanMove, PlanStage, next, open, unreported};
use crate::domain::calendar::{DayKind, WorkCalendar};
use crate::domain::date::Date;
use crate::domain::draw::Randomness;
use crate::ids::{CityCode, LogId, Position, SubjectId};

/// Where an entry will stand that is only decided on: no rule asks.
const AHEAD: Position = Position { log: LogId::new([0; LogId::LEN]), index: 0 };

/// What the node knows of time, and by which parameters it judges.
#[derive(Debug, Clone, Copy)]
pub struct Time<'a> {
    /// Which days are worked.
    pub calendar: &'a WorkCalendar,
    /// First and last day of the agreement.
    pub term: (Date, Date),
    /// Today in Beijing.
    pub today: Date,
    /// Parameters.
    pub rules: &'a PlanRules,
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
    open(by, (AHEAD, &facts), members)?;
    Ok(PlanMove::Opened { facts })
}

/// Decides on a new revision; `seen` tells whether cities have revealed, which is counted. Who has
/// seen parts of others shows its own first, or says by revising that it cannot: `lost`.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_revise(
    plan: &Plan,
    by: CityCode,
    (facts, seen, lost): (PlanFacts, &Seen, bool),
    members: &[CityCode],
    time: Time<'_>,
) -> Result<PlanMove, PlanRefusal> {
    let facts = facts.sorted();
    // Who may not revise hears that first, and not what is wrong with the facts.
    let mv = PlanMove::Revised { facts };
    match next(plan, by, (AHEAD, &mv), seen, members) {
        Ok(_) | Err(PlanMisfit::Invalid(_)) => {}
        Err(misfit) => return Err(misfit.into()),
    }
    let holds_back = plan.resting.commitments.contains_key(&by) && !seen.revealed.contains(&by);
    if holds_back && !seen.revealed.is_empty() && !lost {
        return Err(PlanRefusal::RevealFirst);
    }
    let PlanMove::Revised { facts, .. } = &mv else { return Ok(mv) };
    check(facts, by, members, time)?;
    next(plan, by, (AHEAD, &mv), seen, members)?;
    Ok(mv)
}

/// Decides on the sites of a plan that is proposed or revised; `city` tells where one stands. Who
/// names a site that nobody can lead at hears it now, and nothing is booked for it.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_sites(
    facts: &PlanFacts,
    pool: &[PoolSite],
    city: &dyn Fn(SubjectId) -> Option<CityCode>,
) -> Result<(), PlanRefusal> {
    first(misplaced(facts, pool, city))
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
        let off = time.calendar.day(on) == DayKind::DayOff && time.rules.rest_days_flagged;
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
    next(plan, by, (AHEAD, &mv), &Seen::default(), members)?;
    let cancels = matches!(mv, PlanMove::Cancelled);
    // Also where nobody has said that it begins: it is carried out from its first day on.
    if cancels && all_reported && plan.stage != PlanStage::Open {
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
    let mv = PlanMove::Scheduled { answers, commitments };
    next(plan, by, (AHEAD, &mv), seen, members)?;
    Ok(mv)
}

fn named(plan: &Plan, seen: &Seen) -> Vec<Position> {
    let commitment = |city| seen.commitments.get(&city).map(|(at, _)| *at);
    plan.facts.participants().filter_map(commitment).collect()
}

/// Decides on drawing again; `reveals` are those that count. The day of the reveal must have come.
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
    let nobody = withheld.is_empty();
    let mv = PlanMove::Redrawn { commitments: named(plan, seen), withheld };
    match next(plan, by, (AHEAD, &mv), seen, members) {
        Err(PlanMisfit::Invalid(Wrong::Withheld)) if nobody => {
            return Err(PlanRefusal::NobodyWithholds);
        }
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
    next(look.plan, by, (AHEAD, &mv), &Seen::default(), members)?;
    match first_day(look.plan) {
        Some(first) if look.today < first => return Err(PlanRefusal::BeginTooEarly { first }),
        Some(_) | None => {}
    }
    first(to_begin(look))?;
    Ok(mv)
}

/// Decides on the summary. `seen` has the results and the answers; a city that has withdrawn is not
/// waited for. Results that were reported before a draw was made again are not those of its
/// targets.
///
/// # Errors
/// A [`PlanRefusal`]; nothing was written.
pub fn decide_summarize(
    plan: &Plan,
    by: CityCode,
    seen: &Seen,
    members: &[CityCode],
) -> Result<PlanMove, PlanRefusal> {
    let answers: BTreeMap<CityCode, AnswerKind> =
        seen.answers.iter().map(|(city, (_, kind))| (*city, *kind)).collect();
    let gone = |city: &CityCode| answers.get(city) == Some(&AnswerKind::Withdraw);
    let stayed = plan.facts.participants().filter(|city| !gone(city));
    let results = stayed.filter_map(|city| seen.results.get(&city).copied()).collect();
    let mv = PlanMove::Summarized { results };
    let reported: BTreeSet<CityCode> = seen.results.keys().copied().collect();
    match next(plan, by, (AHEAD, &mv), seen, members) {
        Err(PlanMisfit::ResultsMissing { city }) => {
            let first = unreported(plan, &answers, &reported).first().copied();
            return Err(PlanRefusal::ResultsNotIn { city: first.unwrap_or(city) });
        }
        result => result?,
    };
    let mut bound = plan.resting.commitments.keys();
    match bound.find(|city| !seen.revealed.contains(*city)) {
        Some(city) => {
            let finding = Finding::RevealMissing { city: *city };
            Err(PlanRefusal::Lacking { finding, more: 0 })
        }
        None => Ok(mv),
    }
}
