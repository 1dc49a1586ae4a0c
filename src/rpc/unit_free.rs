//! Free and busy of cities, half day by half day.
//!
//! In scope: which cities and days, and the answer. Out of scope: counting
//! ([`crate::domain::unit::free_busy`]).

use prost::Message;

use super::cursor;
use super::unit_service::UnitApi;
use crate::domain::slots::Horizon;
use crate::domain::unit::calendar;
use crate::domain::unit::free_busy::{Days, FreeBusy};
use crate::domain::{Date, InvalidReason};
use crate::ids::{AgreementId, CityCode};
use crate::limits::PAGE_BYTES_MAX;
use crate::node::roster::Line;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::status::{Refused, bad_fields};
use crate::wire::unit as write;

impl UnitApi {
    /// The members of an agreement, ascending.
    pub(super) fn members(&self, agreement: AgreementId) -> Result<Vec<CityCode>, Refused> {
        let book = self.desk.node.book();
        let mut members = book.get(agreement).ok_or(Refused::new("NOT_FOUND"))?.cities();
        members.sort_unstable();
        Ok(members)
    }

    pub(super) fn free_busy(
        &self,
        asked: &pb::QueryFreeBusyRequest,
    ) -> Result<pb::QueryFreeBusyResponse, Refused> {
        let agreement = read::parent(&asked.parent)?.ok_or(Refused::new("NOT_FOUND"))?;
        let members = self.members(agreement)?;
        let cities = match asked.cities.as_slice() {
            [] => members,
            given => cities(given, &members)?,
        };
        let (from, until) = days(asked.from.as_ref(), asked.until.as_ref())?;
        let days = Days::new(from, until).ok_or(Refused::new("INVALID_FIELD"))?;
        let mut counts: Vec<FreeBusy> = cities.iter().map(|_| FreeBusy::new(days)).collect();
        let mut one_citys = Vec::new();
        let roster = self.roster.open(&self.desk.node);
        for line in roster.of_agreement(agreement) {
            let Ok(place) = cities.binary_search(&line.city) else { continue };
            if let Some(counts) = counts.get_mut(place) {
                counts.add(&line.facts, &line.busy);
            }
            if cities.len() == 1 {
                one_citys.extend(busy_unit(line, days));
            }
        }
        let as_of = roster.as_of();
        drop(roster);
        let (units, units_are_partial) = within(one_citys);
        let city = |(city, counts): (&CityCode, &FreeBusy)| pb::CityFreeBusy {
            city: city.as_u32(),
            half_days: counts.half_days().map(half_day).collect(),
        };
        Ok(pb::QueryFreeBusyResponse {
            cities: cities.iter().zip(&counts).map(city).collect(),
            units,
            units_are_partial,
            cursor: cursor::at(&self.desk.node, as_of),
        })
    }
}

/// The days of a question, both given.
pub(super) fn days(
    from: Option<&pb::Date>,
    until: Option<&pb::Date>,
) -> Result<(Date, Date), Refused> {
    let required =
        |field, date: Option<Date>| date.ok_or_else(|| read::wrong(field, InvalidReason::Required));
    let from = required("from", read::date("from", from)?)?;
    let until = required("until", read::date("until", until)?)?;
    Horizon::new(from, until).map_err(|wrong| bad_fields(vec![wrong]))?;
    Ok((from, until))
}

/// Reads the cities of a question, ascending and each once.
fn cities(given: &[u32], members: &[CityCode]) -> Result<Vec<CityCode>, Refused> {
    let mut cities = Vec::new();
    for code in given {
        cities.push(member("cities", *code, members)?);
    }
    cities.sort_unstable();
    cities.dedup();
    Ok(cities)
}

/// Reads a city that must be a member.
pub(super) fn member(
    field: &'static str,
    code: u32,
    members: &[CityCode],
) -> Result<CityCode, Refused> {
    let city = read::city(field, code)?;
    let not_member = || Refused::new("CITY_NOT_MEMBER").at(field).with("city", city);
    members.contains(&city).then_some(city).ok_or_else(not_member)
}

fn half_day(
    (at, whole_city_busy, counts): (
        crate::domain::HalfDay,
        bool,
        Vec<(crate::domain::UnitKind, crate::domain::unit::free_busy::Count)>,
    ),
) -> pb::HalfDayCounts {
    let count = |(kind, count)| {
        let crate::domain::unit::free_busy::Count { valid, busy } = count;
        pb::KindCount { kind: write::kind_number(kind), valid, busy }
    };
    pb::HalfDayCounts {
        at: Some(write::half_day_to_pb(at)),
        whole_city_busy,
        counts: counts.into_iter().map(count).collect(),
    }
}

/// A unit that counts on some of the days and is busy on some of them.
fn busy_unit(line: &Line, days: Days) -> Option<pb::UnitBusy> {
    days.counted(&line.facts)?;
    let begins = days.begins();
    let number = |place: usize| begins + i64::try_from(place).unwrap_or(0);
    let stretches: Vec<(i64, i64)> =
        days.within(&line.busy).map(|(first, last)| (number(first), number(last))).collect();
    let busy: Vec<_> = calendar::periods(&stretches).into_iter().map(write::period_to_pb).collect();
    (!busy.is_empty()).then(|| pb::UnitBusy {
        name: write::name_of(line.unit.0, line.unit.1),
        kind: write::kind_number(line.facts.kind),
        busy,
    })
}

/// As many as an answer holds, and whether there are more.
fn within(all: Vec<pb::UnitBusy>) -> (Vec<pb::UnitBusy>, bool) {
    let (count, mut bytes) = (all.len(), 0);
    let fits = |unit: &pb::UnitBusy| {
        bytes += unit.encoded_len();
        bytes <= PAGE_BYTES_MAX
    };
    let units: Vec<_> = all.into_iter().take_while(fits).collect();
    let partial = units.len() < count;
    (units, partial)
}
