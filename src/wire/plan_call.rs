//! Plans in requests of calls.
//!
//! In scope: reading fields. Out of scope: deciding anything; what answers show
//! ([`super::plan_shown`]); headers and parts ([`super::plan`]).

use std::collections::BTreeMap;

use super::case::wrong;
use super::code::{Code, Read};
use super::pb::v1 as pb;
use super::plan_part::record_from_pb;
use super::status::{Refused, bad_fields};
use super::unit::asked_half_day;
use super::{case, site, unit};
use crate::domain::plan::{
    Answer, AnswerKind, CheckIn, DepartmentCheck, PlanCity, PlanDay, PlanKind, PlanRecord,
    PlanState, Recusal, Resolution, Sent, SentUnit, Span, TierWeights, VisitOutcome, VisitReport,
};
use crate::domain::site::{CheckMode, LeftOut, VisitException};
use crate::domain::slots::Need;
use crate::domain::{Date, Department, HalfDay, Invalid, InvalidReason, Medium, Period, UnitKind};
use crate::ids::{AgreementId, SubjectId};
use crate::limits::{
    FILTER_MEDIA_MAX, MEMBERS_MAX, PLAN_HALF_DAYS_MAX, PLAN_NEEDS_MAX, PLAN_PERIODS_MAX,
    PLAN_POOL_MAX, PLAN_RECUSALS_MAX, PLAN_TEAM_MAX, PLAN_UNITS_MAX, PLAN_VISITS_MAX,
};

/// A visit as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitAsked {
    /// The site.
    pub site: SubjectId,
    /// First and last half day.
    pub half_days: (HalfDay, HalfDay),
    /// Why in spite of list or cap.
    pub exception: Option<VisitException>,
}

/// A draw as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawAsked {
    /// How many sites.
    pub sites: u32,
    /// Officers of the host city at each.
    pub host_officers: u32,
    /// Officers of the other cities at each.
    pub guest_officers: u32,
    /// Tickets by tier.
    pub weights: TierWeights,
    /// Whether sites of a city that withholds are drawn like all others.
    pub spares_withholders: bool,
    /// From these sites; from all of the participants when empty.
    pub pool: Vec<SubjectId>,
    /// Only sites that may pollute one of these.
    pub media: Vec<Medium>,
    /// What only their city knows.
    pub left_out: BTreeMap<SubjectId, LeftOut>,
}

/// A plan as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftAsked {
    /// What sort of action.
    pub kind: PlanKind,
    /// Who takes part.
    pub cities: Vec<PlanCity>,
    /// Whose departments check.
    pub departments: Vec<Department>,
    /// When, ascending.
    pub days: Vec<PlanDay>,
    /// Where.
    pub visits: Vec<VisitAsked>,
    /// How sites are drawn.
    pub draw: Option<DrawAsked>,
    /// What people read of it.
    pub record: Box<PlanRecord>,
}

fn required<T>(field: &str, value: Option<T>) -> Result<T, Refused> {
    value.ok_or_else(|| wrong(field, InvalidReason::Required))
}

fn few(field: &str, got: usize, most: usize) -> Result<(), Refused> {
    if got <= most {
        return Ok(());
    }
    let long = Invalid::with_limit(InvalidReason::ListTooLong, most);
    Err(bad_fields(vec![long.at(field)]))
}

fn code<T: Code>(field: &str, number: i32) -> Result<Option<T>, Refused> {
    match T::read(number) {
        Read::Known(value) => Ok(Some(value)),
        Read::Unset => Ok(None),
        Read::Newer => Err(wrong(field, InvalidReason::CodeUnknown)),
    }
}

fn half_day(field: &str, at: Option<&pb::HalfDay>) -> Result<Option<HalfDay>, Refused> {
    let Some(at) = at else { return Ok(None) };
    asked_half_day(at).map(Some).map_err(|invalid| bad_fields(vec![invalid.at(field)]))
}

/// A site or unit of the plan's own agreement.
fn own(
    field: &'static str,
    (agreement, id): (AgreementId, SubjectId),
    of: AgreementId,
) -> Result<SubjectId, Refused> {
    if agreement == of { Ok(id) } else { Err(Refused::new("OTHER_AGREEMENT").at(field)) }
}

fn site_of(field: &'static str, name: &str, of: AgreementId) -> Result<SubjectId, Refused> {
    own(field, site::name(name)?, of)
}

fn unit_of(field: &'static str, name: &str, of: AgreementId) -> Result<SubjectId, Refused> {
    own(field, unit::name(name)?, of)
}

/// Reads a site of a request.
///
/// # Errors
/// [`Refused`]: no name, or of another agreement.
pub fn site_asked(name: &str, of: AgreementId) -> Result<SubjectId, Refused> {
    site_of("site", name, of)
}

/// Reads a draft.
///
/// # Errors
/// [`Refused`] naming the first wrong field; of the texts all of them.
pub fn draft(given: Option<&pb::PlanDraft>, of: AgreementId) -> Result<DraftAsked, Refused> {
    let given = required("draft", given)?;
    lists(given)?;
    let kind = required("draft.kind", code::<PlanKind>("draft.kind", given.kind)?)?;
    let cities = given.cities.iter().map(city_needs).collect::<Result<_, _>>()?;
    let departments = given.departments.iter().map(|one| {
        let field = "draft.departments";
        required(field, code::<Department>(field, *one)?)
    });
    let mut departments = departments.collect::<Result<Vec<_>, _>>()?;
    if departments.is_empty() {
        departments.push(Department::EcologyEnvironment);
    }
    let day = |day: &pb::PlanDay| {
        let at = required("draft.days", half_day("draft.days", day.at.as_ref())?)?;
        Ok(PlanDay { at, overtime: day.overtime })
    };
    let mut days = given.days.iter().map(day).collect::<Result<Vec<_>, Refused>>()?;
    days.sort_unstable();
    Ok(DraftAsked {
        kind,
        cities,
        departments,
        days,
        visits: given.visits.iter().map(|one| visit(one, of)).collect::<Result<_, _>>()?,
        draw: given.draw.as_ref().map(|one| draw(one, of)).transpose()?,
        record: record(given.record.as_ref(), "draft.record")?,
    })
}

/// How long the lists of a draft may be.
fn lists(given: &pb::PlanDraft) -> Result<(), Refused> {
    few("draft.cities", given.cities.len(), MEMBERS_MAX)?;
    few("draft.departments", given.departments.len(), Department::ALL.len())?;
    few("draft.days", given.days.len(), PLAN_HALF_DAYS_MAX)?;
    few("draft.visits", given.visits.len(), PLAN_VISITS_MAX)?;
    for city in &given.cities {
        few("draft.cities.needs", city.needs.len(), PLAN_NEEDS_MAX)?;
    }
    let Some(draw) = &given.draw else { return Ok(()) };
    few("draft.draw.pool", draw.pool.len(), PLAN_POOL_MAX)?;
    few("draft.draw.media", draw.media.len(), FILTER_MEDIA_MAX)?;
    few("draft.draw.left_out", draw.left_out.len(), PLAN_POOL_MAX)
}

/// Checks that nothing of a draft is longer than a plan may have it. What is missing or wrong
/// otherwise may be so until it is proposed.
///
/// # Errors
/// [`Refused`] naming the first list that is too long; of the texts all of them.
pub fn sizes(draft: &pb::PlanDraft) -> Result<(), Refused> {
    lists(draft)?;
    let texts = draft.record.as_ref().and_then(|record| record_from_pb(record).err());
    let is_long = |one: &Invalid| one.reason == InvalidReason::TextTooLong;
    let long = texts.into_iter().flatten().filter(is_long).map(|one| one.at("draft.record"));
    let long: Vec<Invalid> = long.collect();
    if long.is_empty() { Ok(()) } else { Err(bad_fields(long)) }
}

/// Reads the texts of a plan.
///
/// # Errors
/// [`Refused`] naming every wrong field.
pub fn record(given: Option<&pb::PlanRecord>, field: &str) -> Result<Box<PlanRecord>, Refused> {
    let read = record_from_pb(required(field, given)?);
    let at = |all: Vec<Invalid>| all.into_iter().map(|one| one.at(field)).collect();
    read.map(Box::new).map_err(|all| bad_fields(at(all)))
}

fn city_needs(given: &pb::CityNeeds) -> Result<PlanCity, Refused> {
    let field = "draft.cities.needs";
    let need = |one: &pb::UnitNeed| {
        Ok(Need {
            kind: required(field, code::<UnitKind>(field, one.kind)?)?,
            department: code::<Department>(field, one.department)?,
            count: one.count,
        })
    };
    Ok(PlanCity {
        city: case::city("draft.cities.city", given.city)?,
        needs: given.needs.iter().map(need).collect::<Result<_, Refused>>()?,
    })
}

fn visit(given: &pb::VisitDraft, of: AgreementId) -> Result<VisitAsked, Refused> {
    let first = required("draft.visits.first", half_day("draft.visits", given.first.as_ref())?)?;
    let last = half_day("draft.visits", given.last.as_ref())?.unwrap_or(first);
    Ok(VisitAsked {
        site: site_of("draft.visits.site", &given.site, of)?,
        half_days: (first, last),
        exception: site::exception("draft.visits.exception", given.exception)?,
    })
}

fn draw(given: &pb::DrawDraft, of: AgreementId) -> Result<DrawAsked, Refused> {
    let sites = given.pool.iter().map(|name| site_of("draft.draw.pool", name, of));
    let left_out = given.left_out.iter().map(|one| {
        let field = "draft.draw.left_out";
        let why = required(field, code::<LeftOut>(field, one.why)?)?;
        Ok((site_of(field, &one.site, of)?, why))
    });
    let weights = given.weights.map_or(
        TierWeights { key: 1, general: 1, special: 1 },
        |pb::TierWeights { key, general, special }| TierWeights { key, general, special },
    );
    Ok(DrawAsked {
        sites: given.sites,
        host_officers: given.host_officers,
        guest_officers: given.guest_officers,
        weights,
        spares_withholders: given.spares_withholders,
        pool: sites.collect::<Result<_, _>>()?,
        media: case::media(&given.media)?,
        left_out: left_out.collect::<Result<_, Refused>>()?,
    })
}

/// Reads what a city sends, by the half days of the plan.
///
/// # Errors
/// [`Refused`] naming the wrong field.
pub fn sent(
    given: Option<&pb::SentDraft>,
    of: AgreementId,
    days: &[PlanDay],
) -> Result<Sent, Refused> {
    let default = pb::SentDraft::default();
    let given = given.unwrap_or(&default);
    few("sent.units", given.units.len(), PLAN_UNITS_MAX)?;
    let place = |field: &str, at: Option<&pb::HalfDay>| -> Result<Option<u8>, Refused> {
        let Some(at) = half_day(field, at)? else { return Ok(None) };
        let place = days.iter().position(|day| day.at == at);
        let place = place.and_then(|place| u8::try_from(place).ok());
        place.map(Some).ok_or_else(|| wrong(field, InvalidReason::DateRange))
    };
    let unit = |one: &pb::UnitDraft| {
        let first = place("sent.units.first", one.first.as_ref())?;
        let last = place("sent.units.last", one.last.as_ref())?;
        let behind = u8::try_from(days.len().saturating_sub(1)).unwrap_or(u8::MAX);
        let span = (first.is_some() || last.is_some())
            .then_some(Span { first: first.unwrap_or(0), last: last.unwrap_or(behind) });
        Ok(SentUnit { unit: unit_of("sent.units.unit", &one.unit, of)?, span })
    };
    let mut units = given.units.iter().map(unit).collect::<Result<Vec<_>, Refused>>()?;
    units.sort_unstable_by_key(|one| one.unit);
    let fields = ["sent.recusals", "sent.recusals.officer", "sent.recusals.site"];
    Ok(Sent { units, recusals: recusals(&given.recusals, of, fields)? })
}

/// Reads recusals that hold no more.
///
/// # Errors
/// [`Refused`] naming the wrong field.
pub fn lifted(given: &[pb::RecusalDraft], of: AgreementId) -> Result<Vec<Recusal>, Refused> {
    recusals(given, of, ["lifted", "lifted.officer", "lifted.site"])
}

fn recusals(
    given: &[pb::RecusalDraft],
    of: AgreementId,
    [all, officer, site]: [&'static str; 3],
) -> Result<Vec<Recusal>, Refused> {
    few(all, given.len(), PLAN_RECUSALS_MAX)?;
    let recusal = |one: &pb::RecusalDraft| {
        let named = (!one.site.is_empty()).then_some(&one.site);
        let site = named.map(|name| site_of(site, name, of)).transpose()?;
        Ok(Recusal { officer: unit_of(officer, &one.officer, of)?, site })
    };
    let mut recusals = given.iter().map(recusal).collect::<Result<Vec<_>, Refused>>()?;
    recusals.sort_unstable();
    Ok(recusals)
}

/// Reads an answer, by the half days of the plan.
///
/// # Errors
/// [`Refused`] naming the wrong field.
pub fn answer(
    asked: &pb::AnswerPlanRequest,
    of: AgreementId,
    days: &[PlanDay],
) -> Result<Answer, Refused> {
    let kind = required("kind", code::<AnswerKind>("kind", asked.kind)?)?;
    let sent = || sent(asked.sent.as_ref(), of, days);
    let until = || {
        let given = case::date("hold_until", asked.hold_until.as_ref())?;
        required("hold_until", given)
    };
    Ok(match kind {
        AnswerKind::Comment => Answer::Comment,
        AnswerKind::Tentative => Answer::Tentative { hold_until: until()?, sent: sent()? },
        AnswerKind::Confirm => Answer::Confirm { sent: sent()? },
        AnswerKind::ChangesRequested => Answer::ChangesRequested,
        AnswerKind::OtherDays => Answer::OtherDays { periods: periods(&asked.periods)? },
        AnswerKind::Decline => Answer::Decline,
        AnswerKind::Withdraw => Answer::Withdraw,
    })
}

fn periods(given: &[pb::Period]) -> Result<Vec<Period>, Refused> {
    few("periods", given.len(), PLAN_PERIODS_MAX)?;
    let mut periods = unit::asked_periods(given)?;
    periods.sort_unstable_by_key(|period| period.first());
    Ok(periods)
}

/// Whether an answer of this kind needs words.
#[must_use]
pub const fn needs_words(answer: &Answer) -> bool {
    matches!(answer, Answer::Comment | Answer::ChangesRequested | Answer::Withdraw)
}

/// Reads what became of an answer.
///
/// # Errors
/// [`Refused`] when it is not set or unknown.
pub fn resolution(number: i32) -> Result<Resolution, Refused> {
    required("resolution", code("resolution", number)?)
}

/// Reads an arrival; `today` when no day is given.
///
/// # Errors
/// [`Refused`] naming the wrong field.
pub fn arrival(
    asked: &pb::CheckInRequest,
    of: AgreementId,
    today: Date,
) -> Result<CheckIn, Refused> {
    let most = usize::try_from(PLAN_TEAM_MAX).unwrap_or(usize::MAX);
    few("officers", asked.officers.len(), most)?;
    few("guests", asked.guests.len(), most)?;
    let list = |field, names: &[String]| {
        let ids = names.iter().map(|name| unit_of(field, name, of));
        let mut ids = ids.collect::<Result<Vec<_>, _>>()?;
        ids.sort_unstable();
        Ok::<_, Refused>(ids)
    };
    Ok(CheckIn {
        site: site_of("site", &asked.site, of)?,
        nth: asked.nth,
        on: case::date("on", asked.on.as_ref())?.unwrap_or(today),
        officers: list("officers", &asked.officers)?,
        guests: list("guests", &asked.guests)?,
    })
}

/// Reads what came of a visit.
///
/// # Errors
/// [`Refused`] naming the wrong field.
pub fn report(
    (site, nth): (SubjectId, u32),
    given: Option<&pb::VisitResult>,
) -> Result<VisitReport, Refused> {
    let given = required("result", given)?;
    few("result.checks", given.checks.len(), Department::ALL.len())?;
    let check = |one: &pb::VisitCheck| {
        let field = "result.checks.department";
        let department = required(field, code(field, one.department)?)?;
        Ok(DepartmentCheck { department, items: one.items, problems: one.problems })
    };
    let mut checks = given.checks.iter().map(check).collect::<Result<Vec<_>, Refused>>()?;
    checks.sort_unstable_by_key(|one| one.department);
    Ok(VisitReport {
        site,
        nth,
        on: required("result.on", case::date("result.on", given.on.as_ref())?)?,
        outcome: required(
            "result.outcome",
            code::<VisitOutcome>("result.outcome", given.outcome)?,
        )?,
        mode: required("result.mode", code::<CheckMode>("result.mode", given.mode)?)?,
        checks,
        samples: given.samples,
        clues: given.clues,
    })
}

/// Reads a state that may be unset.
///
/// # Errors
/// [`Refused`] when the code is unknown.
pub fn state(number: i32) -> Result<Option<PlanState>, Refused> {
    code("state", number)
}

/// Reads `agreements/{agreement}/plans/{plan}`.
///
/// # Errors
/// [`Refused`] `NAME_FORMAT` for anything else.
pub fn name(text: &str) -> Result<(AgreementId, SubjectId), Refused> {
    name_within(text, "/plans/", "agreements/{agreement}/plans/{plan}")
}

/// Reads `agreements/{agreement}/drafts/{draft}`.
///
/// # Errors
/// [`Refused`] `NAME_FORMAT` for anything else.
pub fn draft_name(text: &str) -> Result<(AgreementId, SubjectId), Refused> {
    name_within(text, "/drafts/", "agreements/{agreement}/drafts/{draft}")
}

fn name_within(
    text: &str,
    kind: &str,
    expected: &str,
) -> Result<(AgreementId, SubjectId), Refused> {
    let bad = || Refused::new("NAME_FORMAT").with("expected", expected);
    let (agreement, id) = text.split_once(kind).ok_or_else(bad)?;
    let agreement = case::parent(agreement).map_err(|_| bad())?.ok_or_else(bad)?;
    Ok((agreement, SubjectId::parse(id).map_err(|_| bad())?))
}

/// Writes a draft's name.
#[must_use]
pub fn draft_name_of(agreement: AgreementId, draft: SubjectId) -> String {
    format!("agreements/{agreement}/drafts/{draft}")
}

/// Writes a plan's name.
#[must_use]
pub fn name_of(agreement: AgreementId, subject: SubjectId) -> String {
    format!("agreements/{agreement}/plans/{subject}")
}
