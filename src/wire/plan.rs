//! Plans of joint action as messages: events of headers.
//!
//! In scope: reading fields, writing what was read. Out of scope: deciding anything; parts
//! ([`super::plan_part`]), requests and answers of calls ([`super::plan_call`]).

use bytes::Bytes;

use super::code::{Code, Read};
use super::error::{WireError, check_count};
use super::facts::{
    Reading, bytes, city, date, date_from_pb, date_to_pb, hash, position, position_to_pb,
    subject_id,
};
use super::pb::v1 as pb;
use super::pb::v1::entry_header::Event as E;
use super::unit::{half_day_to_pb, period_to_pb};
use crate::domain::draw::Randomness;
use crate::domain::plan::{
    Answer, AnswerKind, CheckIn, DepartmentCheck, DrawRule, PlanAct, PlanCity, PlanDay, PlanFacts,
    PlanKind, PlanMove, PlanWord, PlannedVisit, Recusal, Resolution, Sent, SentUnit, Span, Targets,
    TierWeights, VisitOutcome, VisitReport,
};
use crate::domain::site::{CheckMode, VisitException};
use crate::domain::slots::Need;
use crate::domain::{Department, Event, Half, HalfDay, Period, UnitKind};
use crate::ids::{Position, SubjectId};
use crate::limits::{
    MEMBERS_MAX, PLAN_HALF_DAYS_MAX, PLAN_NEEDS_MAX, PLAN_PERIODS_MAX, PLAN_RECUSALS_MAX,
    PLAN_TEAM_MAX, PLAN_UNITS_MAX, PLAN_VISITS_MAX,
};

/// Reads an event about a plan; [`Event::Newer`] stands for any other, which the caller rules out.
#[expect(clippy::wildcard_enum_match_arm, reason = "the caller lists every event")]
pub(super) fn read_event(reading: &mut Reading, event: &E) -> Result<Event, WireError> {
    let positions = |field, given: &[pb::EntryPosition]| -> Result<Vec<Position>, WireError> {
        check_count(field, given.len(), MEMBERS_MAX)?;
        given.iter().map(|at| position(field, Some(at))).collect()
    };
    Ok(match event {
        E::PlanOpened(e) => Event::PlanOpened { facts: facts(reading, e.facts.as_ref())? },
        E::PlanRevised(e) => {
            Event::PlanMove(PlanMove::Revised { facts: facts(reading, e.facts.as_ref())? })
        }
        E::PlanAmended(_) => Event::PlanMove(PlanMove::Amended),
        E::PlanScheduled(e) => Event::PlanMove(PlanMove::Scheduled {
            answers: positions("answers", &e.answers)?,
            commitments: positions("commitments", &e.commitments)?,
        }),
        E::PlanRedrawn(e) => {
            check_count("withheld", e.withheld.len(), MEMBERS_MAX)?;
            let withheld = e.withheld.iter().map(|code| city("withheld", *code));
            Event::PlanMove(PlanMove::Redrawn {
                commitments: positions("commitments", &e.commitments)?,
                withheld: withheld.collect::<Result<_, _>>()?,
            })
        }
        E::PlanBegun(_) => Event::PlanMove(PlanMove::Begun),
        E::PlanSummarized(e) => {
            Event::PlanMove(PlanMove::Summarized { results: positions("results", &e.results)? })
        }
        E::PlanCancelled(_) => Event::PlanMove(PlanMove::Cancelled),
        _ => return read_act(reading, event),
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the caller lists every event")]
fn read_act(reading: &mut Reading, event: &E) -> Result<Event, WireError> {
    let (revision, word) = match event {
        E::PlanAnswered(e) => (&e.revision, PlanWord::Answered(read_answer(reading, e)?)),
        E::PlanUnitsSwapped(e) => (&e.revision, PlanWord::UnitsSwapped(sent(e.sent.as_ref())?)),
        E::DrawCommitted(e) => {
            let commitment = hash("commitment", &e.commitment)?;
            (&e.revision, PlanWord::DrawCommitted { attempt: e.attempt, commitment })
        }
        E::DrawRevealed(e) => {
            let random = randomness("random", &e.random)?;
            (
                &e.revision,
                PlanWord::DrawRevealed { draw: position("draw", e.draw.as_ref())?, random },
            )
        }
        E::TeamArrived(e) => (&e.revision, PlanWord::CheckedIn(read_arrival(e)?)),
        E::VisitReported(e) => (&e.revision, PlanWord::VisitReported(read_report(reading, e)?)),
        E::FindingOpened(e) => {
            let case = (!e.case_id.is_empty()).then(|| subject_id("case_id", &e.case_id));
            let site = subject_id("site_id", &e.site_id)?;
            (&e.revision, PlanWord::FindingOpened { site, nth: e.nth, case: case.transpose()? })
        }
        E::PlanResultsReported(e) => (&e.revision, PlanWord::ResultsReported),
        E::PlanUnitsReleased(e) => (&e.revision, PlanWord::UnitsReleased),
        E::PlanAnswerResolved(e) => {
            let answer = position("answer", e.answer.as_ref())?;
            let resolution = reading.code("resolution", e.resolution, Resolution::NotAdopted)?;
            (&e.revision, PlanWord::AnswerResolved { answer, resolution })
        }
        _ => return Ok(Event::Newer),
    };
    let revision = position("revision", revision.as_ref())?;
    Ok(Event::PlanAct(PlanAct { revision, word }))
}

fn randomness(field: &'static str, given: &Bytes) -> Result<Randomness, WireError> {
    let (got, expected) = (given.len(), size_of::<Randomness>());
    given.as_ref().try_into().map_err(|_| WireError::Length { field, got, expected })
}

fn half_day(
    reading: &mut Reading,
    field: &'static str,
    at: Option<&pb::HalfDay>,
) -> Result<HalfDay, WireError> {
    let at = at.ok_or(WireError::BadHeader { field })?;
    let half = reading.code(field, at.half, Half::Morning)?;
    let on = at.on.as_ref().and_then(date_from_pb).ok_or(WireError::BadHeader { field })?;
    Ok(HalfDay { on, half })
}

fn optional<T: Code>(
    reading: &mut Reading,
    field: &'static str,
    number: i32,
    fallback: T,
) -> Result<Option<T>, WireError> {
    match T::read(number) {
        Read::Unset => Ok(None),
        Read::Known(_) | Read::Newer => reading.code(field, number, fallback).map(Some),
    }
}

fn facts(reading: &mut Reading, given: Option<&pb::PlanFacts>) -> Result<PlanFacts, WireError> {
    let given = given.ok_or(WireError::Missing { field: "facts" })?;
    check_count("facts.cities", given.cities.len(), MEMBERS_MAX)?;
    check_count("facts.departments", given.departments.len(), Department::ALL.len())?;
    check_count("facts.days", given.days.len(), PLAN_HALF_DAYS_MAX)?;
    let mut cities = Vec::with_capacity(given.cities.len());
    for one in &given.cities {
        cities.push(PlanCity {
            city: city("facts.cities.city", one.city)?,
            needs: needs(reading, &one.needs)?,
        });
    }
    let departments = given.departments.iter();
    let departments =
        departments.map(|one| reading.code("facts.departments", *one, Department::Other));
    let departments = departments.collect::<Result<_, _>>()?;
    let mut days = Vec::with_capacity(given.days.len());
    for day in &given.days {
        let at = half_day(reading, "facts.days", day.at.as_ref())?;
        days.push(PlanDay { at, overtime: day.overtime });
    }
    let targets = match &given.targets {
        None => Targets::None,
        Some(pb::plan_facts::Targets::Named(named)) => Targets::Named(visits(reading, named)?),
        Some(pb::plan_facts::Targets::Draw(rule)) => Targets::Draw(draw_rule(rule)?),
    };
    let kind = reading.code("facts.kind", given.kind, PlanKind::JointCampaign)?;
    Ok(PlanFacts { kind, cities, departments, days, targets })
}

fn needs(reading: &mut Reading, given: &[pb::UnitNeed]) -> Result<Vec<Need>, WireError> {
    check_count("facts.cities.needs", given.len(), PLAN_NEEDS_MAX)?;
    let need = |one: &pb::UnitNeed| {
        let field = "facts.cities.needs";
        Ok(Need {
            kind: reading.code(field, one.kind, UnitKind::Officer)?,
            department: optional(reading, field, one.department, Department::Other)?,
            count: one.count,
        })
    };
    given.iter().map(need).collect()
}

fn visits(reading: &mut Reading, given: &pb::NamedTargets) -> Result<Vec<PlannedVisit>, WireError> {
    let field = "facts.named.visits";
    check_count(field, given.visits.len(), PLAN_VISITS_MAX)?;
    let visit = |one: &pb::PlannedVisit| {
        Ok(PlannedVisit {
            site: subject_id(field, &one.site_id)?,
            first: place(field, one.first)?,
            last: place(field, one.last)?,
            exception: optional(reading, field, one.exception, VisitException::Complaint)?,
        })
    };
    given.visits.iter().map(visit).collect()
}

fn place(field: &'static str, given: u32) -> Result<u8, WireError> {
    u8::try_from(given).map_err(|_| WireError::BadHeader { field })
}

fn draw_rule(rule: &pb::DrawRule) -> Result<DrawRule, WireError> {
    let weights = rule.weights.unwrap_or_default();
    let pb::TierWeights { key, general, special } = weights;
    Ok(DrawRule {
        sites: rule.sites,
        host_officers: rule.host_officers,
        guest_officers: rule.guest_officers,
        weights: TierWeights { key, general, special },
        pool: hash("facts.draw.pool_hash", &rule.pool_hash)?,
        pool_size: rule.pool_size,
        spares_withholders: rule.spares_withholders,
    })
}

/// Reads what a city sends.
fn sent(given: Option<&pb::Sent>) -> Result<Sent, WireError> {
    let given = given.ok_or(WireError::Missing { field: "sent" })?;
    check_count("sent.units", given.units.len(), PLAN_UNITS_MAX)?;
    check_count("sent.recusals", given.recusals.len(), PLAN_RECUSALS_MAX)?;
    let unit = |one: &pb::SentUnit| {
        let field = "sent.units";
        let span = one.span.map(|span| {
            Ok::<_, WireError>(Span {
                first: place(field, span.first)?,
                last: place(field, span.last)?,
            })
        });
        Ok(SentUnit { unit: subject_id(field, &one.unit_id)?, span: span.transpose()? })
    };
    let recusal = |one: &pb::Recusal| {
        let field = "sent.recusals";
        let site = (!one.site_id.is_empty()).then(|| subject_id(field, &one.site_id));
        Ok(Recusal { officer: subject_id(field, &one.officer_id)?, site: site.transpose()? })
    };
    Ok(Sent {
        units: given.units.iter().map(unit).collect::<Result<_, WireError>>()?,
        recusals: given.recusals.iter().map(recusal).collect::<Result<_, WireError>>()?,
    })
}

fn read_answer(reading: &mut Reading, e: &pb::PlanAnswered) -> Result<Answer, WireError> {
    let kind = reading.code("kind", e.kind, AnswerKind::Comment)?;
    // What is of another kind of answer would be lost.
    let stray = e.hold_until.is_some() && kind != AnswerKind::Tentative
        || e.sent.is_some() && !matches!(kind, AnswerKind::Tentative | AnswerKind::Confirm)
        || !e.periods.is_empty() && kind != AnswerKind::OtherDays;
    if stray && !reading.newer {
        return Err(WireError::BadHeader { field: "kind" });
    }
    Ok(match kind {
        AnswerKind::Comment => Answer::Comment,
        AnswerKind::Tentative => Answer::Tentative {
            hold_until: date("hold_until", e.hold_until.as_ref())?,
            sent: sent(e.sent.as_ref())?,
        },
        AnswerKind::Confirm => Answer::Confirm { sent: sent(e.sent.as_ref())? },
        AnswerKind::ChangesRequested => Answer::ChangesRequested,
        AnswerKind::OtherDays => Answer::OtherDays { periods: periods(reading, &e.periods)? },
        AnswerKind::Decline => Answer::Decline,
        AnswerKind::Withdraw => Answer::Withdraw,
    })
}

fn periods(reading: &mut Reading, given: &[pb::Period]) -> Result<Vec<Period>, WireError> {
    let field = "periods";
    check_count(field, given.len(), PLAN_PERIODS_MAX)?;
    let mut read = Vec::with_capacity(given.len());
    for period in given {
        let first = half_day(reading, field, period.first.as_ref())?;
        let last = half_day(reading, field, period.last.as_ref())?;
        if reading.newer {
            // A half of a day that is in no list: nothing of it is used.
            continue;
        }
        read.push(Period::new(first, last).map_err(|_| WireError::BadHeader { field })?);
    }
    Ok(read)
}

fn read_arrival(e: &pb::TeamArrived) -> Result<CheckIn, WireError> {
    let most = usize::try_from(PLAN_TEAM_MAX).unwrap_or(usize::MAX);
    check_count("officer_ids", e.officer_ids.len(), most)?;
    check_count("guest_ids", e.guest_ids.len(), most)?;
    let ids = |field, given: &[Bytes]| -> Result<Vec<SubjectId>, WireError> {
        given.iter().map(|id| subject_id(field, id)).collect()
    };
    Ok(CheckIn {
        site: subject_id("site_id", &e.site_id)?,
        nth: e.nth,
        on: date("on", e.on.as_ref())?,
        officers: ids("officer_ids", &e.officer_ids)?,
        guests: ids("guest_ids", &e.guest_ids)?,
    })
}

fn read_report(reading: &mut Reading, e: &pb::VisitReported) -> Result<VisitReport, WireError> {
    check_count("checks", e.checks.len(), Department::ALL.len())?;
    let check = |one: &pb::DepartmentCheck| {
        let department = reading.code("checks.department", one.department, Department::Other)?;
        Ok(DepartmentCheck { department, items: one.items, problems: one.problems })
    };
    let checks = e.checks.iter().map(check).collect::<Result<_, WireError>>()?;
    Ok(VisitReport {
        site: subject_id("site_id", &e.site_id)?,
        nth: e.nth,
        on: date("on", e.on.as_ref())?,
        outcome: reading.code("outcome", e.outcome, VisitOutcome::NotChecked)?,
        mode: reading.code("mode", e.mode, CheckMode::OnSite)?,
        checks,
        samples: e.samples,
        clues: e.clues,
    })
}

/// The event of an opening.
pub(super) fn opened_to_pb(facts: &PlanFacts) -> E {
    E::PlanOpened(pb::PlanOpened { facts: Some(facts_to_pb(facts)) })
}

/// The event of a move.
pub(super) fn move_to_pb(mv: &PlanMove) -> E {
    let positions = |list: &[Position]| list.iter().map(|at| position_to_pb(*at)).collect();
    match mv {
        PlanMove::Opened { facts } => opened_to_pb(facts),
        PlanMove::Revised { facts } => {
            E::PlanRevised(pb::PlanRevised { facts: Some(facts_to_pb(facts)) })
        }
        PlanMove::Amended => E::PlanAmended(pb::PlanAmended {}),
        PlanMove::Scheduled { answers, commitments } => E::PlanScheduled(pb::PlanScheduled {
            answers: positions(answers),
            commitments: positions(commitments),
        }),
        PlanMove::Redrawn { commitments, withheld } => E::PlanRedrawn(pb::PlanRedrawn {
            commitments: positions(commitments),
            withheld: withheld.iter().map(|city| city.as_u32()).collect(),
        }),
        PlanMove::Begun => E::PlanBegun(pb::PlanBegun {}),
        PlanMove::Summarized { results } => {
            E::PlanSummarized(pb::PlanSummarized { results: positions(results) })
        }
        PlanMove::Cancelled => E::PlanCancelled(pb::PlanCancelled {}),
    }
}

/// The event of what a city says.
pub(super) fn act_to_pb(act: &PlanAct) -> E {
    let revision = Some(position_to_pb(act.revision));
    match &act.word {
        PlanWord::Answered(answer) => {
            let hold_until = match answer {
                Answer::Tentative { hold_until, .. } => Some(date_to_pb(*hold_until)),
                Answer::Comment
                | Answer::Confirm { .. }
                | Answer::ChangesRequested
                | Answer::OtherDays { .. }
                | Answer::Decline
                | Answer::Withdraw => None,
            };
            let periods = match answer {
                Answer::OtherDays { periods } => periods.as_slice(),
                Answer::Comment
                | Answer::Tentative { .. }
                | Answer::Confirm { .. }
                | Answer::ChangesRequested
                | Answer::Decline
                | Answer::Withdraw => &[],
            };
            E::PlanAnswered(pb::PlanAnswered {
                revision,
                kind: answer.kind().number(),
                hold_until,
                sent: answer.sent().map(sent_to_pb),
                periods: periods.iter().copied().map(period_to_pb).collect(),
            })
        }
        PlanWord::UnitsSwapped(sent) => {
            E::PlanUnitsSwapped(pb::PlanUnitsSwapped { revision, sent: Some(sent_to_pb(sent)) })
        }
        PlanWord::DrawCommitted { attempt, commitment } => E::DrawCommitted(pb::DrawCommitted {
            revision,
            attempt: *attempt,
            commitment: bytes(commitment.as_bytes()),
        }),
        PlanWord::DrawRevealed { draw, random } => E::DrawRevealed(pb::DrawRevealed {
            revision,
            draw: Some(position_to_pb(*draw)),
            random: bytes(random),
        }),
        PlanWord::CheckedIn(arrival) => E::TeamArrived(arrival_to_pb(revision, arrival)),
        PlanWord::VisitReported(report) => E::VisitReported(report_to_pb(revision, report)),
        PlanWord::FindingOpened { site, nth, case } => E::FindingOpened(pb::FindingOpened {
            revision,
            site_id: bytes(site.as_bytes()),
            nth: *nth,
            case_id: case.as_ref().map(|id| bytes(id.as_bytes())).unwrap_or_default(),
        }),
        PlanWord::ResultsReported => E::PlanResultsReported(pb::PlanResultsReported { revision }),
        PlanWord::UnitsReleased => E::PlanUnitsReleased(pb::PlanUnitsReleased { revision }),
        PlanWord::AnswerResolved { answer, resolution } => {
            E::PlanAnswerResolved(pb::PlanAnswerResolved {
                revision,
                answer: Some(position_to_pb(*answer)),
                resolution: resolution.number(),
            })
        }
    }
}

fn ids_to_pb(ids: &[SubjectId]) -> Vec<Bytes> {
    ids.iter().map(|id| bytes(id.as_bytes())).collect()
}

fn arrival_to_pb(revision: Option<pb::EntryPosition>, arrival: &CheckIn) -> pb::TeamArrived {
    let CheckIn { site, nth, on, officers, guests } = arrival;
    pb::TeamArrived {
        revision,
        site_id: bytes(site.as_bytes()),
        nth: *nth,
        on: Some(date_to_pb(*on)),
        officer_ids: ids_to_pb(officers),
        guest_ids: ids_to_pb(guests),
    }
}

fn report_to_pb(revision: Option<pb::EntryPosition>, report: &VisitReport) -> pb::VisitReported {
    pb::VisitReported {
        revision,
        site_id: bytes(report.site.as_bytes()),
        nth: report.nth,
        on: Some(date_to_pb(report.on)),
        outcome: report.outcome.number(),
        mode: report.mode.number(),
        checks: report.checks.iter().map(check_to_pb).collect(),
        samples: report.samples,
        clues: report.clues,
    }
}

/// Writes what a department looked at.
pub(super) fn check_to_pb(check: &DepartmentCheck) -> pb::DepartmentCheck {
    let DepartmentCheck { department, items, problems } = *check;
    pb::DepartmentCheck { department: department.number(), items, problems }
}

/// Writes what a city sends.
pub(super) fn sent_to_pb(sent: &Sent) -> pb::Sent {
    let span = |Span { first, last }: Span| pb::PlanSpan { first: first.into(), last: last.into() };
    let unit = |one: &SentUnit| pb::SentUnit {
        unit_id: bytes(one.unit.as_bytes()),
        span: one.span.map(span),
    };
    let recusal = |one: &Recusal| pb::Recusal {
        officer_id: bytes(one.officer.as_bytes()),
        site_id: one.site.as_ref().map(|id| bytes(id.as_bytes())).unwrap_or_default(),
    };
    pb::Sent {
        units: sent.units.iter().map(unit).collect(),
        recusals: sent.recusals.iter().map(recusal).collect(),
    }
}

/// Writes needs.
pub(super) fn needs_to_pb(one: &PlanCity) -> pb::CityNeeds {
    let need = |need: &Need| pb::UnitNeed {
        kind: need.kind.number(),
        count: need.count,
        department: need.department.map_or(0, |department| department.number()),
    };
    pb::CityNeeds { city: one.city.as_u32(), needs: one.needs.iter().map(need).collect() }
}

fn facts_to_pb(facts: &PlanFacts) -> pb::PlanFacts {
    let day =
        |day: &PlanDay| pb::PlanDay { at: Some(half_day_to_pb(day.at)), overtime: day.overtime };
    let visit = |visit: &PlannedVisit| pb::PlannedVisit {
        site_id: bytes(visit.site.as_bytes()),
        first: visit.first.into(),
        last: visit.last.into(),
        exception: visit.exception.map_or(0, |code| code.number()),
    };
    let targets = match &facts.targets {
        Targets::None => None,
        Targets::Named(visits) => {
            let visits = visits.iter().map(visit).collect();
            Some(pb::plan_facts::Targets::Named(pb::NamedTargets { visits }))
        }
        Targets::Draw(rule) => Some(pb::plan_facts::Targets::Draw(rule_to_pb(rule))),
    };
    pb::PlanFacts {
        kind: facts.kind.number(),
        cities: facts.cities.iter().map(needs_to_pb).collect(),
        departments: facts.departments.iter().map(|one| one.number()).collect(),
        days: facts.days.iter().map(day).collect(),
        targets,
    }
}

/// Writes the rule of a draw.
pub(super) fn rule_to_pb(rule: &DrawRule) -> pb::DrawRule {
    let TierWeights { key, general, special } = rule.weights;
    pb::DrawRule {
        sites: rule.sites,
        host_officers: rule.host_officers,
        guest_officers: rule.guest_officers,
        weights: Some(pb::TierWeights { key, general, special }),
        pool_hash: bytes(rule.pool.as_bytes()),
        pool_size: rule.pool_size,
        spares_withholders: rule.spares_withholders,
    }
}
