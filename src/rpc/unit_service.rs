//! Units: every method of `UnitService`.
//!
//! In scope: requests into commands, one unit, in which agreements a block is written. Out of
//! scope: writing ([`super::desk`], [`super::desk_each`]), lists ([`super::unit_list`]), free and
//! busy ([`super::unit_free`]), windows ([`super::unit_slots`]).

use std::collections::BTreeSet;

use tonic::{Request, Response, Status};

use super::audit_line::AuditLine;
use super::caller::Called;
use super::cursor;
use super::desk::{self, Desk, WriteRequest, writes};
use super::desk_each::{About, Turn};
use super::desk_read::after;
use super::unit_read::{busy_from, written};
use crate::api::request::{Command, Written};
use crate::domain::{Period, UnitKind};
use crate::ids::{AgreementId, SubjectId};
use crate::limits::UNIT_YEARS_AHEAD_MAX;
use crate::node::core::unit::likes;
use crate::node::due::Due;
use crate::node::roster::Roster;
use crate::view;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::unit_service_server::UnitService;
use crate::wire::status::Refused;
use crate::wire::unit as write;

/// The service.
#[derive(Clone)]
pub struct UnitApi {
    /// What writing needs.
    pub desk: Desk,
    /// Which days are worked.
    pub due: Due,
    /// What lists and questions are answered from.
    pub roster: Roster,
    /// Whose turn it is to say something in several agreements.
    turn: Turn,
}

writes!(parent: CreateUnitRequest);
writes!(name: UpdateUnitRequest BlockUnitRequest FreeUnitRequest);

/// The full name of a method, as the table of roles knows it.
macro_rules! method {
    ($name:ident) => {
        concat!("/liandong.v1.UnitService/", stringify!($name))
    };
}

#[tonic::async_trait]
impl UnitService for UnitApi {
    async fn create_unit(
        &self,
        request: Request<pb::CreateUnitRequest>,
    ) -> Result<Response<pb::CreateUnitResponse>, Status> {
        // What it is busy with elsewhere comes with it: nothing is added to that meanwhile.
        let _turn = self.turn.lock().await;
        let (unit, receipt) = self.write(request, method!(CreateUnit), register).await?;
        Ok(Response::new(pb::CreateUnitResponse { unit, receipt }))
    }

    async fn update_unit(
        &self,
        request: Request<pb::UpdateUnitRequest>,
    ) -> Result<Response<pb::UpdateUnitResponse>, Status> {
        let command = |asked: &pb::UpdateUnitRequest| self.change(asked);
        let before = self.others(&request.get_ref().name);
        let (unit, receipt) = self.write(request, method!(UpdateUnit), command).await?;
        let still = self.others(unit.as_ref().map_or("", |unit| &unit.name));
        let parted = before.difference(&still).map(|(id, unit)| write::name_of(*id, *unit));
        let parted = parted.collect();
        Ok(Response::new(pb::UpdateUnitResponse { unit, receipt, parted }))
    }

    async fn block_unit(
        &self,
        request: Request<pb::BlockUnitRequest>,
    ) -> Result<Response<pb::BlockUnitResponse>, Status> {
        let commands = |asked: &pb::BlockUnitRequest| self.book(&asked.name, true, &asked.periods);
        let (unit, writes) = self.write_each(request, method!(BlockUnit), commands).await?;
        Ok(Response::new(pb::BlockUnitResponse { unit, writes }))
    }

    async fn free_unit(
        &self,
        request: Request<pb::FreeUnitRequest>,
    ) -> Result<Response<pb::FreeUnitResponse>, Status> {
        let commands = |asked: &pb::FreeUnitRequest| self.book(&asked.name, false, &asked.periods);
        let (unit, writes) = self.write_each(request, method!(FreeUnit), commands).await?;
        Ok(Response::new(pb::FreeUnitResponse { unit, writes }))
    }

    async fn get_unit(
        &self,
        request: Request<pb::GetUnitRequest>,
    ) -> Result<Response<pb::GetUnitResponse>, Status> {
        let api = self.clone();
        let read = move |_: &_, asked: &_, line: &mut _| api.get(asked, line);
        self.desk.read(request, method!(GetUnit), |asked| &asked.name, read).await
    }

    async fn list_units(
        &self,
        request: Request<pb::ListUnitsRequest>,
    ) -> Result<Response<pb::ListUnitsResponse>, Status> {
        let api = self.clone();
        let read = move |who: &Called, asked: &_, line: &mut AuditLine| {
            let page = api.page(who, asked)?;
            page.units.iter().for_each(|unit| line.shown_of(unit.city));
            Ok(page)
        };
        self.desk.read(request, method!(ListUnits), |asked| &asked.parent, read).await
    }

    async fn query_free_busy(
        &self,
        request: Request<pb::QueryFreeBusyRequest>,
    ) -> Result<Response<pb::QueryFreeBusyResponse>, Status> {
        let api = self.clone();
        let read = move |_: &_, asked: &_, line: &mut AuditLine| {
            let found = api.free_busy(asked)?;
            found.cities.iter().for_each(|city| line.shown_of(city.city));
            Ok(found)
        };
        self.desk.read(request, method!(QueryFreeBusy), |asked| &asked.parent, read).await
    }

    async fn find_slots(
        &self,
        request: Request<pb::FindSlotsRequest>,
    ) -> Result<Response<pb::FindSlotsResponse>, Status> {
        let api = self.clone();
        let read = move |_: &_, asked: &pb::FindSlotsRequest, line: &mut AuditLine| {
            let found = api.slots(asked)?;
            asked.participants.iter().for_each(|one| line.shown_of(one.city));
            Ok(found)
        };
        self.desk.read(request, method!(FindSlots), |asked| &asked.parent, read).await
    }
}

fn register(asked: &pb::CreateUnitRequest) -> Result<Command, Refused> {
    let agreement = read::parent(&asked.parent)?.ok_or(Refused::new("NOT_FOUND"))?;
    let (facts, record) = write::asked(asked.facts.as_ref(), asked.record.as_ref(), None)?;
    Ok(Command::RegisterUnit { agreement, facts, record })
}

impl UnitApi {
    /// The service; clones write in turn.
    #[must_use]
    pub fn new(desk: Desk, due: Due, roster: Roster) -> Self {
        Self { desk, due, roster, turn: Turn::default() }
    }

    fn change(&self, asked: &pb::UpdateUnitRequest) -> Result<Command, Refused> {
        let (agreement, subject) = write::name(&asked.name)?;
        let etag = write::etag(&asked.etag)?;
        let found = view::unit(&self.desk.node.reader().view(), agreement, subject);
        let kind = found.ok_or(Refused::new("NOT_FOUND"))?.unit.kind;
        let (facts, record) =
            write::asked(asked.facts.as_ref(), asked.record.as_ref(), Some(kind))?;
        Ok(Command::ChangeUnit { agreement, subject, etag, facts, record })
    }

    /// A command for every agreement in which others must see it, the one asked for first.
    fn book(&self, name: &str, busy: bool, periods: &[pb::Period]) -> Result<Vec<About>, Refused> {
        let (agreement, subject) = write::name_or_city(name)?;
        let subject = subject.filter(|subject| !self.is_own_calendar(agreement, *subject));
        let periods: Vec<Period> = write::asked_periods(periods)?;
        let in_force = self.in_force();
        let mut all: Vec<(AgreementId, Option<SubjectId>)> = match subject {
            Some(subject) => {
                let likes = likes(&self.desk.node.reader().view(), agreement, subject);
                likes.into_iter().map(|(agreement, subject)| (agreement, Some(subject))).collect()
            }
            None => {
                let rows = self.desk.node.reader();
                let (rows, city) = (rows.view(), self.desk.node.city());
                // Nothing is freed where nothing was ever blocked.
                let concerns =
                    |id: &AgreementId| busy || !view::whole_city(&rows, *id, city).is_empty();
                let all = in_force.iter().filter(|id| **id == agreement || concerns(id));
                all.map(|agreement| (*agreement, None)).collect()
            }
        };
        all.retain(|(id, _)| *id == agreement || in_force.contains(id));
        if !all.iter().any(|(id, _)| *id == agreement) {
            all.push((agreement, subject));
        }
        let asked = (agreement, subject);
        all.sort_unstable_by_key(|one| (one.0 != agreement, *one != asked, *one));
        let command = |(agreement, subject)| {
            let periods = periods.clone();
            (Command::BookUnit { agreement, subject, busy, periods }, subject)
        };
        Ok(all.into_iter().map(command).collect())
    }

    /// Whether it is a calendar of the own city as a whole, which is one in all its agreements.
    fn is_own_calendar(&self, agreement: AgreementId, subject: SubjectId) -> bool {
        let found = view::unit(&self.desk.node.reader().view(), agreement, subject);
        found.is_some_and(|found| {
            let own = found.unit.city == self.desk.node.city();
            own && found.unit.kind == UnitKind::WholeCity
        })
    }

    /// The likes of a unit in other agreements that are in force.
    fn others(&self, name: &str) -> BTreeSet<(AgreementId, SubjectId)> {
        let Ok((agreement, subject)) = write::name(name) else { return BTreeSet::new() };
        let all = likes(&self.desk.node.reader().view(), agreement, subject);
        let in_force = self.in_force();
        all.into_iter().filter(|(id, _)| *id != agreement && in_force.contains(id)).collect()
    }

    /// Agreements of the own city that are in force today.
    fn in_force(&self) -> BTreeSet<AgreementId> {
        let (book, today) = (self.desk.node.book(), self.desk.node.today());
        let own = self.desk.node.city();
        let agreements = book.iter().filter(|(_, agreement)| {
            let charter = &agreement.charter;
            let runs = |today| charter.begin_on <= today && today <= charter.end_on;
            today.is_some_and(runs) && agreement.cities().contains(&own)
        });
        agreements.map(|(id, _)| *id).collect()
    }

    async fn write<T: WriteRequest>(
        &self,
        request: Request<T>,
        method: &'static str,
        command: impl FnOnce(&T) -> Result<Command, Refused>,
    ) -> Result<(Option<pb::Unit>, Option<pb::WriteReceipt>), Status> {
        let written = self.desk.perform(request, method, write::name_of, command).await?;
        let Some(written) = written else { return Ok((None, None)) };
        let unit = self.shown(written).await;
        Ok((unit, Some(desk::receipt(written))))
    }

    async fn write_each<T: WriteRequest>(
        &self,
        request: Request<T>,
        method: &'static str,
        commands: impl FnOnce(&T) -> Result<Vec<About>, Refused>,
    ) -> Result<(Option<pb::Unit>, Vec<pb::UnitWrite>), Status> {
        let each = (method, &self.turn);
        let all = self.desk.perform_each(request, each, write::name_of, commands).await?;
        let write = |written: &Written| {
            let name = write::name_of(written.agreement, written.subject?);
            Some(pb::UnitWrite { name, receipt: Some(desk::receipt(*written)) })
        };
        let writes = all.iter().filter_map(write).collect();
        let unit = match all.first() {
            Some(first) => self.shown(*first).await,
            None => None,
        };
        Ok((unit, writes))
    }

    async fn shown(&self, written: Written) -> Option<pb::Unit> {
        let api = self.clone();
        after(written, move |of, subject| api.one(of, subject)).await
    }

    fn get(
        &self,
        asked: &pb::GetUnitRequest,
        line: &mut AuditLine,
    ) -> Result<pb::GetUnitResponse, Refused> {
        let (agreement, subject) = write::name_or_city(&asked.name)?;
        let city = self.desk.node.city();
        let reader = self.desk.node.reader();
        let whole = || view::whole_city(&reader.view(), agreement, city).first().copied();
        let subject = subject.or_else(whole).ok_or(Refused::new("NOT_FOUND"))?;
        let (unit, apply) = self.one(agreement, subject)?;
        line.shown_of(unit.city);
        let cursor = cursor::at(&self.desk.node, apply);
        Ok(pb::GetUnitResponse { unit: Some(unit), cursor })
    }

    /// One unit with when it is busy, and the apply number as of which it was read.
    fn one(&self, agreement: AgreementId, subject: SubjectId) -> Result<(pb::Unit, u64), Refused> {
        let reader = self.desk.node.reader();
        let rows = reader.view();
        let apply = reader.apply_number(&rows);
        let found = view::unit(&rows, agreement, subject).ok_or(Refused::new("NOT_FOUND"))?;
        let today = self.desk.node.today();
        let years = today.map_or(0..=i32::from(u16::MAX), |today| {
            today.year()..=today.year() + UNIT_YEARS_AHEAD_MAX + 1
        });
        let busy = view::unit_busy_in(&rows, (agreement, subject), &found, years);
        drop(rows);
        let mut unit = written(&reader, (agreement, subject), &found);
        unit.busy = busy_from(&busy, today);
        Ok((unit, apply))
    }
}
