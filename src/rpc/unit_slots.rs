//! Windows in which all cities can come.
//!
//! In scope: the question and the answer. Out of scope: the search ([`crate::domain::slots`]).

use super::cursor;
use super::unit_free::{days, member};
use super::unit_service::UnitApi;
use crate::domain::slots::{
    self, Cause, HalfDaySet, Horizon, Length, Need, Participant, Search, Unit,
};
use crate::domain::{Date, Department, HalfDay, Invalid, InvalidReason, Period, UnitKind};
use crate::ids::{AgreementId, CityCode};
use crate::limits::{MEMBERS_MAX, SLOT_HINDRANCES_MAX, SLOTS_DEFAULT};
use crate::node::plan_look::PlanKey;
use crate::node::roster::Line;
use crate::view;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::plan_call;
use crate::wire::status::{Refused, bad_fields};
use crate::wire::unit as write;

impl UnitApi {
    pub(super) fn slots(
        &self,
        asked: &pb::FindSlotsRequest,
    ) -> Result<pb::FindSlotsResponse, Refused> {
        let agreement = read::parent(&asked.parent)?.ok_or(Refused::new("NOT_FOUND"))?;
        let members = self.members(agreement)?;
        let (from, until) = days(asked.from.as_ref(), asked.until.as_ref())?;
        let asked_for = Horizon::new(from, until).map_err(|wrong| bad_fields(vec![wrong]))?;
        let moving = self.moving(agreement, &asked.moving)?;
        let (outside, offered) = self.offered(agreement, (from, until));
        // Where nothing is left the whole request is checked all the same.
        let horizon = offered.and_then(|(from, until)| Horizon::new(from, until).ok());
        let (length, length_field) = length(asked)?;
        let horizon = horizon.filter(|one| length.half_days().0 <= one.half_day_count());
        let searched = horizon.unwrap_or(asked_for);
        let windows = match usize::try_from(asked.slots_max) {
            Ok(0) => SLOTS_DEFAULT,
            Ok(windows) => windows,
            Err(_) => return Err(read::wrong("slots_max", InvalidReason::OutOfRange)),
        };
        let mut participants = participants(asked, &members)?;
        let as_of = self.fill((agreement, moving), searched, &mut participants);
        let search = Search {
            calendar: self.due.calendar(),
            horizon: searched,
            length,
            overtime: asked.overtime,
            same_units: asked.same_units,
            windows,
            participants: &participants,
        };
        let mut found = slots::find(&search).map_err(|wrong| renamed(wrong, length_field))?;
        if horizon.is_none() {
            found.windows.clear();
        }
        let (mut lines, hindrances_are_partial) = hindrances(&found);
        if horizon.is_none() {
            lines.clear();
        }
        Ok(pb::FindSlotsResponse {
            slots: found.windows.iter().map(slot).collect(),
            hindrances: outside.into_iter().chain(lines).collect(),
            hindrances_are_partial,
            cursor: cursor::at(&self.desk.node, as_of),
        })
    }

    /// The plan that is to be moved.
    fn moving(&self, agreement: AgreementId, name: &str) -> Result<Option<PlanKey>, Refused> {
        if name.is_empty() {
            return Ok(None);
        }
        let plan = plan_call::name(name)?;
        if plan.0 != agreement {
            return Err(Refused::new("OTHER_AGREEMENT").at("moving"));
        }
        let found = view::plan(&self.desk.node.reader().view(), plan.0, plan.1);
        found.map(|_| Some(plan)).ok_or(Refused::new("NOT_FOUND").at("moving"))
    }

    /// The days on which a plan may be, of those asked for, and why the others are none: they have
    /// passed, or the agreement does not run then.
    fn offered(
        &self,
        agreement: AgreementId,
        (from, until): (Date, Date),
    ) -> (Vec<pb::SlotHindrance>, Option<(Date, Date)>) {
        use pb::SlotHindranceKind as K;
        let book = self.desk.node.book();
        let charter = book.get(agreement).map(|found| &found.charter);
        let term = charter.map_or((from, until), |one| (one.begin_on, one.end_on));
        let today = self.desk.node.today().unwrap_or(from);
        let before = |day: Date| day.plus_days(-1).unwrap_or(day);
        let first = from.max(today).max(term.0);
        let last = until.min(term.1);
        let behind = term.1.plus_days(1).unwrap_or(term.1);
        let runs = [
            (K::DayPast, from, until.min(before(today))),
            (K::OutsideTerm, from.max(today), until.min(before(term.0))),
            (K::OutsideTerm, from.max(today).max(behind), until),
        ];
        let line = |(kind, from, until): (K, Date, Date)| {
            let days = Period::new(HalfDay::morning(from), HalfDay::afternoon(until)).ok()?;
            let begins = Some(write::period_to_pb(days));
            Some(pb::SlotHindrance { begins, kind: kind.into(), ..Default::default() })
        };
        (runs.into_iter().filter_map(line).collect(), (first <= last).then_some((first, last)))
    }

    /// Gives every participant its units; returns as of when.
    fn fill(
        &self,
        (agreement, moving): (AgreementId, Option<PlanKey>),
        horizon: Horizon,
        participants: &mut [Participant],
    ) -> u64 {
        let roster = self.roster.open(&self.desk.node);
        for line in roster.of_agreement(agreement) {
            let Some(one) = participants.iter_mut().find(|one| one.city == line.city) else {
                continue;
            };
            let moved = moving.map(|plan| line.without(plan, &self.desk.node));
            let line = moved.as_ref().unwrap_or(line);
            let busy = busy(line, horizon);
            match line.facts.kind {
                UnitKind::WholeCity => one.busy = one.busy.with(busy),
                UnitKind::Officer | UnitKind::Vehicle | UnitKind::Uav | UnitKind::Boat => {
                    one.units.extend(unit(line, busy));
                }
            }
        }
        roster.as_of()
    }
}

fn unit(line: &Line, busy: HalfDaySet) -> Option<Unit> {
    let facts = &line.facts;
    let (valid_from, valid_until) = (facts.valid_from, facts.valid_until);
    let (kind, retired) = (facts.kind, facts.retired);
    Some(Unit { kind, department: facts.department?, valid_from, valid_until, retired, busy })
}

/// When a unit is busy, of the days between which is searched.
fn busy(line: &Line, horizon: Horizon) -> HalfDaySet {
    let end = horizon.half_day_count() as i64;
    let begins = horizon.half_day(0).map_or(0, HalfDay::number);
    let mut set = HalfDaySet::EMPTY;
    let from = line.busy.partition_point(|(_, last)| *last < begins);
    for (first, last) in line.busy.iter().skip(from) {
        let (first, last) = ((first - begins).max(0), (last - begins).min(end - 1));
        if first >= end {
            break;
        }
        for place in first..=last {
            usize::try_from(place).ok().inspect(|place| set.insert(*place));
        }
    }
    set
}

fn length(asked: &pb::FindSlotsRequest) -> Result<(Length, &'static str), Refused> {
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    match (asked.half_days, asked.days) {
        (0, 0) => Err(read::wrong("half_days", InvalidReason::Required)),
        (half_days, 0) => Ok((Length::HalfDays(count(half_days)), "half_days")),
        (0, days) => Ok((Length::Days(count(days)), "days")),
        (_, _) => Err(Refused::new("SLOT_LENGTH").at("days")),
    }
}

fn participants(
    asked: &pb::FindSlotsRequest,
    members: &[CityCode],
) -> Result<Vec<Participant>, Refused> {
    if asked.participants.len() > MEMBERS_MAX {
        let long = Invalid::with_limit(InvalidReason::ListTooLong, MEMBERS_MAX);
        return Err(bad_fields(vec![long.at("participants")]));
    }
    let read = |given: &pb::CityNeeds| {
        let city = member("participants.city", given.city, members)?;
        let needs = given.needs.iter().map(need).collect::<Result<_, _>>()?;
        Ok(Participant { city, needs, units: Vec::new(), busy: HalfDaySet::EMPTY })
    };
    asked.participants.iter().map(read).collect()
}

fn need(given: &pb::UnitNeed) -> Result<Need, Refused> {
    let field = "participants.needs.kind";
    let kind = write::kind(field, given.kind)?;
    let kind = kind.ok_or_else(|| read::wrong(field, InvalidReason::Required))?;
    let department = write::department("participants.needs.department", given.department)?;
    Ok(Need { kind, department, count: given.count })
}

/// Fields of the search by their names in the request.
fn renamed(wrong: Invalid, length: &str) -> Refused {
    let field = wrong.field.as_deref().map(|field| match field {
        "length" => length.to_owned(),
        "windows" => "slots_max".to_owned(),
        other => other.to_owned(),
    });
    bad_fields(vec![Invalid { field, ..wrong }])
}

fn slot(window: &slots::Window) -> pb::Slot {
    pb::Slot {
        period: Some(write::period_to_pb(window.period)),
        provisional: window.provisional,
        rest_days: window.rest_days.iter().map(|day| read::date_out(*day)).collect(),
        in_shifts: window.in_shifts.iter().map(|city| city.as_u32()).collect(),
    }
}

/// A line for each reason of each run of beginnings, as many as an answer holds.
fn hindrances(found: &slots::Slots) -> (Vec<pb::SlotHindrance>, bool) {
    let mut lines = Vec::new();
    for run in found.failure_runs() {
        // Of a quarter, so no run is longer than a period may be.
        let Ok(begins) = Period::new(run.first, run.last) else { continue };
        lines.extend(run.causes.iter().map(|cause| hindrance(begins, run.at, *cause)));
    }
    let partial = lines.len() > SLOT_HINDRANCES_MAX;
    lines.truncate(SLOT_HINDRANCES_MAX);
    (lines, partial)
}

fn hindrance(begins: Period, at: HalfDay, cause: Cause) -> pb::SlotHindrance {
    let line = pb::SlotHindrance {
        begins: Some(write::period_to_pb(begins)),
        at: Some(write::half_day_to_pb(at)),
        ..pb::SlotHindrance::default()
    };
    let short = |city: CityCode, kind, department: Option<Department>, missing| pb::SlotHindrance {
        kind: pb::SlotHindranceKind::UnitsMissing.into(),
        city: city.as_u32(),
        unit_kind: write::kind_number(kind),
        department: write::department_number(department),
        missing,
        ..line
    };
    match cause {
        Cause::RestDay => pb::SlotHindrance { kind: pb::SlotHindranceKind::RestDay.into(), ..line },
        Cause::CityBusy { city } => pb::SlotHindrance {
            kind: pb::SlotHindranceKind::CityBusy.into(),
            city: city.as_u32(),
            ..line
        },
        Cause::Short { city, kind, department, missing } => short(city, kind, department, missing),
    }
}
