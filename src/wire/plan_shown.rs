//! Plans in answers of calls.
//!
//! In scope: writing what was read. Out of scope: requests ([`super::plan_call`]), what is shown
//! of a plan (`rpc::plan_read`).

use std::collections::BTreeMap;

use super::code::Code;
use super::facts::date_to_pb;
use super::pb::v1 as pb;
use super::plan::{self, check_to_pb, needs_to_pb, rule_to_pb};
use super::plan_part::{pool_from_pb, pool_site_to_pb};
use super::unit::{half_day_to_pb, period_to_pb};
use super::{site, unit};
use crate::domain::Department;
use crate::domain::code::Language;
use crate::domain::plan::awaited::Awaited;
use crate::domain::plan::lots::{self, PoolSite};
use crate::domain::plan::ready::Finding;
use crate::domain::plan::results::Sum;
use crate::domain::plan::{
    Answer, AnswerKind, CheckIn, DepartmentCheck, DrawRule, PlanCity, PlanDay, PlanFacts, PlanKind,
    PlanState, PlannedVisit, Recusal, Resolution, Sent, SentUnit, Targets, VisitReport,
};
use crate::domain::site::VisitException;
use crate::ids::{AgreementId, CityCode, Hash, SubjectId};

/// Writes a state.
#[must_use]
pub fn state_number(state: PlanState) -> i32 {
    state.number()
}

/// Writes what sort of action it is.
#[must_use]
pub fn kind_number(kind: PlanKind) -> i32 {
    kind.number()
}

/// Writes who takes part.
#[must_use]
pub fn cities_to_pb(cities: &[PlanCity]) -> Vec<pb::CityNeeds> {
    cities.iter().map(needs_to_pb).collect()
}

/// Writes departments.
#[must_use]
pub fn departments_to_pb(departments: &[Department]) -> Vec<i32> {
    departments.iter().map(|one| one.number()).collect()
}

/// Writes days.
#[must_use]
pub fn days_to_pb(days: &[PlanDay]) -> Vec<pb::PlanDay> {
    let day =
        |day: &PlanDay| pb::PlanDay { at: Some(half_day_to_pb(day.at)), overtime: day.overtime };
    days.iter().map(day).collect()
}

/// Writes what a revision of a plan of an agreement says.
#[must_use]
pub fn revision_to_pb(facts: &PlanFacts, of: AgreementId) -> pb::PlanRevision {
    let at = |place: u8| facts.days.get(usize::from(place)).map(|day| half_day_to_pb(day.at));
    let visit = |one: &PlannedVisit| pb::VisitDraft {
        site: site::name_of(of, one.site),
        first: at(one.first),
        last: at(one.last),
        exception: exception_number(one.exception),
    };
    let visits = match &facts.targets {
        Targets::Named(visits) => visits.iter().map(visit).collect(),
        Targets::Draw(_) | Targets::None => Vec::new(),
    };
    pb::PlanRevision {
        kind: kind_number(facts.kind),
        cities: cities_to_pb(&facts.cities),
        departments: departments_to_pb(&facts.departments),
        days: days_to_pb(&facts.days),
        visits,
        draw_rule: facts.draw().map(draw_rule_to_pb),
        ..pb::PlanRevision::default()
    }
}

/// Writes the rule of a draw.
#[must_use]
pub fn draw_rule_to_pb(rule: &DrawRule) -> pb::DrawRule {
    rule_to_pb(rule)
}

/// The digest of a list as it is shown; none where it holds what no list has.
#[must_use]
pub fn pool_digest(sites: &[pb::PoolSite]) -> Option<Hash> {
    let list = pb::PlanPool { sites: sites.to_vec() };
    pool_from_pb(&list).ok().map(|sites| lots::pool_digest(&sites))
}

/// Writes the list of a draw.
#[must_use]
pub fn pool_to_pb(pool: &[PoolSite]) -> Vec<pb::PoolSite> {
    pool.iter().map(pool_site_to_pb).collect()
}

/// Writes what a city sends, by the half days of its revision.
#[must_use]
pub fn sent_to_pb(sent: &Sent, of: AgreementId, days: &[PlanDay]) -> pb::SentDraft {
    let at = |place: u8| days.get(usize::from(place)).map(|day| half_day_to_pb(day.at));
    let unit = |one: &SentUnit| pb::UnitDraft {
        unit: unit::name_of(of, one.unit),
        first: one.span.and_then(|span| at(span.first)),
        last: one.span.and_then(|span| at(span.last)),
    };
    let recusal = |one: &Recusal| pb::RecusalDraft {
        officer: unit::name_of(of, one.officer),
        site: one.site.map(|site| site::name_of(of, site)).unwrap_or_default(),
    };
    pb::SentDraft {
        units: sent.units.iter().map(unit).collect(),
        recusals: sent.recusals.iter().map(recusal).collect(),
    }
}

/// Writes an answer; entry, time, words and what became of it are added by whoever has them.
#[must_use]
pub fn answer_to_pb(
    (city, answer): (CityCode, &Answer),
    of: AgreementId,
    days: &[PlanDay],
) -> pb::PlanAnswer {
    let mut written = pb::PlanAnswer {
        city: city.as_u32(),
        kind: answer.kind().number(),
        sent: answer.sent().map(|sent| sent_to_pb(sent, of, days)),
        ..pb::PlanAnswer::default()
    };
    if let Answer::Tentative { hold_until, .. } = answer {
        written.hold_until = Some(date_to_pb(*hold_until));
    }
    if let Answer::OtherDays { periods } = answer {
        written.periods = periods.iter().copied().map(period_to_pb).collect();
    }
    written
}

/// Writes what became of an answer.
#[must_use]
pub fn resolution_number(resolution: Resolution) -> i32 {
    resolution.number()
}

/// Writes what sort of answer it is.
#[must_use]
pub fn answer_number(kind: AnswerKind) -> i32 {
    kind.number()
}

/// Writes an exception.
#[must_use]
pub fn exception_number(exception: Option<VisitException>) -> i32 {
    exception.map_or(0, |code| code.number())
}

/// Writes something that a plan lacks.
#[must_use]
pub fn finding_to_pb(finding: Finding, text: String, language: Language) -> pb::PlanFinding {
    let ((rule_zh, rule_en), (source_zh, source_en)) = finding.rule();
    let (rule, source) = match language {
        Language::Zh => (rule_zh, source_zh),
        Language::En => (rule_en, source_en),
    };
    pb::PlanFinding {
        reason: finding.reason().to_owned(),
        text,
        rule: rule.to_owned(),
        source: source.to_owned(),
        force: finding.force().number(),
    }
}

/// Writes who has to do what.
#[must_use]
pub fn awaited_to_pb(awaited: &BTreeMap<CityCode, Vec<Awaited>>) -> Vec<pb::CityAwaited> {
    let one = |(city, what): (&CityCode, &Vec<Awaited>)| pb::CityAwaited {
        city: city.as_u32(),
        what: what.iter().map(|one| one.number()).collect(),
    };
    awaited.iter().map(one).collect()
}

/// Writes an arrival.
#[must_use]
pub fn arrival_to_pb(arrival: &CheckIn, of: AgreementId) -> pb::TeamArrival {
    let names = |ids: &[SubjectId]| ids.iter().map(|id| unit::name_of(of, *id)).collect();
    pb::TeamArrival {
        on: Some(date_to_pb(arrival.on)),
        officers: names(&arrival.officers),
        guests: names(&arrival.guests),
    }
}

/// Writes what came of a visit.
#[must_use]
pub fn report_to_pb(report: &VisitReport) -> pb::VisitResult {
    let check = |check: &DepartmentCheck| {
        let pb::DepartmentCheck { department, items, problems } = check_to_pb(check);
        pb::VisitCheck { department, items, problems }
    };
    pb::VisitResult {
        on: Some(date_to_pb(report.on)),
        outcome: report.outcome.number(),
        mode: report.mode.number(),
        checks: report.checks.iter().map(check).collect(),
        samples: report.samples,
        clues: report.clues,
    }
}

/// Writes what reports come to.
#[must_use]
pub const fn totals_to_pb(sum: &Sum) -> pb::PlanTotals {
    let Sum { sites, visits, items, problems } = *sum;
    pb::PlanTotals { sites, visits, items, problems }
}

/// Writes what a city is bound to.
#[must_use]
pub fn commitment_to_pb(city: CityCode, commitment: Hash) -> pb::CityCommitment {
    pb::CityCommitment { city: city.as_u32(), commitment: commitment.to_string() }
}

/// Writes who of a city might be drawn.
#[must_use]
pub fn officers_to_pb(city: CityCode, sent: &Sent) -> pb::DrawOfficers {
    pb::DrawOfficers { city: city.as_u32(), sent: Some(plan::sent_to_pb(sent)) }
}

/// Writes a reveal.
#[must_use]
pub fn reveal_to_pb(city: CityCode, random: &[u8; 32]) -> pb::DrawReveal {
    pb::DrawReveal { city: city.as_u32(), random: crate::ids::hex(random) }
}
