//! Joint meetings: every method of `MeetingService`.
//!
//! In scope: requests into commands, one meeting, lists, the next chair. Out of scope: writing
//! ([`super::desk`]), what a meeting looks like ([`super::meeting_read`]).

use tonic::{Request, Response, Status};

use super::audit_line::AuditLine;
use super::caller::Called;
use super::cursor;
use super::desk::{self, Desk, WriteRequest, writes};
use super::desk_read::after;
use super::meeting_read::{words, written};
use super::page_token::{self, Seal};
use super::walk::{self, Walk};
use crate::api::request::{Command, PartContent};
use crate::domain::meeting::{MeetingAct, is_missing, next_chair};
use crate::domain::{Date, MeetingRecord};
use crate::ids::{AgreementId, CityCode, SubjectId};
use crate::limits::{MEETINGS_LOOKED_AT_MAX, PAGE_SIZE_DEFAULT};
use crate::node::pieces;
use crate::view::{self, MeetingView};
use crate::wire::case as read;
use crate::wire::meeting as write;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::meeting_service_server::MeetingService;
use crate::wire::status::Refused;

/// The service.
#[derive(Clone)]
pub struct MeetingApi {
    /// What writing needs.
    pub desk: Desk,
}

writes!(parent: CreateMeetingRequest);
writes!(name: RecordMinutesRequest ConfirmMinutesRequest CancelMeetingRequest);

/// The full name of a method, as the table of roles knows it.
macro_rules! method {
    ($name:ident) => {
        concat!("/liandong.v1.MeetingService/", stringify!($name))
    };
}

#[tonic::async_trait]
impl MeetingService for MeetingApi {
    async fn create_meeting(
        &self,
        request: Request<pb::CreateMeetingRequest>,
    ) -> Result<Response<pb::CreateMeetingResponse>, Status> {
        let (meeting, receipt) = self.write(request, method!(CreateMeeting), call).await?;
        Ok(Response::new(pb::CreateMeetingResponse { meeting, receipt }))
    }

    async fn record_minutes(
        &self,
        request: Request<pb::RecordMinutesRequest>,
    ) -> Result<Response<pb::RecordMinutesResponse>, Status> {
        let command = |asked: &pb::RecordMinutesRequest| {
            let digest = write::digest(&asked.minutes_hash)?;
            let held_on = write::day("held_on", asked.held_on.as_ref())?;
            let record: MeetingRecord = write::record(asked.record.as_ref())?;
            let said = Some(PartContent::Meeting(Box::new(record)));
            act(&asked.name, MeetingAct::MinutesRecorded { digest, held_on }, said)
        };
        let (meeting, receipt) = self.write(request, method!(RecordMinutes), command).await?;
        Ok(Response::new(pb::RecordMinutesResponse { meeting, receipt }))
    }

    async fn confirm_minutes(
        &self,
        request: Request<pb::ConfirmMinutesRequest>,
    ) -> Result<Response<pb::ConfirmMinutesResponse>, Status> {
        let command = |asked: &pb::ConfirmMinutesRequest| {
            let digest = write::digest(&asked.minutes_hash)?;
            let said = read::text("text", &asked.text)?.map(PartContent::Text);
            act(&asked.name, MeetingAct::MinutesConfirmed { digest }, said)
        };
        let (meeting, receipt) = self.write(request, method!(ConfirmMinutes), command).await?;
        Ok(Response::new(pb::ConfirmMinutesResponse { meeting, receipt }))
    }

    async fn cancel_meeting(
        &self,
        request: Request<pb::CancelMeetingRequest>,
    ) -> Result<Response<pb::CancelMeetingResponse>, Status> {
        let command = |asked: &pb::CancelMeetingRequest| {
            let said = read::text("text", &asked.text)?.map(PartContent::Text);
            act(&asked.name, MeetingAct::Cancelled, said)
        };
        let (meeting, receipt) = self.write(request, method!(CancelMeeting), command).await?;
        Ok(Response::new(pb::CancelMeetingResponse { meeting, receipt }))
    }

    async fn get_meeting(
        &self,
        request: Request<pb::GetMeetingRequest>,
    ) -> Result<Response<pb::GetMeetingResponse>, Status> {
        let api = self.clone();
        let read = move |_: &_, asked: &_, line: &mut _| api.get(asked, line);
        self.desk.read(request, method!(GetMeeting), |asked| &asked.name, read).await
    }

    async fn list_meetings(
        &self,
        request: Request<pb::ListMeetingsRequest>,
    ) -> Result<Response<pb::ListMeetingsResponse>, Status> {
        let api = self.clone();
        let read = move |who: &Called, asked: &_, line: &mut AuditLine| {
            let page = api.page(who, asked)?;
            page.meetings.iter().for_each(|meeting| line.shown_of(meeting.calling_city));
            Ok(page)
        };
        self.desk.read(request, method!(ListMeetings), |asked| &asked.parent, read).await
    }

    async fn get_next_chair(
        &self,
        request: Request<pb::GetNextChairRequest>,
    ) -> Result<Response<pb::GetNextChairResponse>, Status> {
        let api = self.clone();
        let read = move |_: &_, asked: &pb::GetNextChairRequest, _: &mut _| api.next(&asked.name);
        self.desk.read(request, method!(GetNextChair), |asked| &asked.name, read).await
    }
}

fn call(asked: &pb::CreateMeetingRequest) -> Result<Command, Refused> {
    let agreement = read::parent(&asked.parent)?.ok_or(Refused::new("NOT_FOUND"))?;
    Ok(Command::CallMeeting {
        agreement,
        on: write::day("on", asked.on.as_ref())?,
        chair: write::chair(asked.chair)?,
        out_of_turn: asked.out_of_turn,
        record: Box::new(write::record(asked.record.as_ref())?),
    })
}

fn act(name: &str, act: MeetingAct, said: Option<PartContent>) -> Result<Command, Refused> {
    let (agreement, subject) = write::name(name)?;
    Ok(Command::ActOnMeeting { agreement, subject, act, said })
}

impl MeetingApi {
    async fn write<T: WriteRequest>(
        &self,
        request: Request<T>,
        method: &'static str,
        command: impl FnOnce(&T) -> Result<Command, Refused>,
    ) -> Result<(Option<pb::Meeting>, Option<pb::WriteReceipt>), Status> {
        let written = self.desk.perform(request, method, write::name_of, command).await?;
        let Some(written) = written else { return Ok((None, None)) };
        let api = self.clone();
        let meeting = after(written, move |of, subject| api.one(of, subject)).await;
        Ok((meeting, Some(desk::receipt(written))))
    }

    fn get(
        &self,
        asked: &pb::GetMeetingRequest,
        line: &mut AuditLine,
    ) -> Result<pb::GetMeetingResponse, Refused> {
        let (agreement, subject) = write::name(&asked.name)?;
        let (meeting, apply) = self.one(agreement, subject)?;
        line.shown_of(meeting.calling_city);
        let cursor = cursor::at(&self.desk.node, apply);
        Ok(pb::GetMeetingResponse { meeting: Some(meeting), cursor })
    }

    /// One meeting with what was said since, and the apply number as of which it was read.
    fn one(
        &self,
        agreement: AgreementId,
        subject: SubjectId,
    ) -> Result<(pb::Meeting, u64), Refused> {
        let reader = self.desk.node.reader();
        let rows = reader.view();
        let apply = reader.apply_number(&rows);
        let found = view::meeting(&rows, agreement, subject);
        drop(rows);
        let found = found.ok_or(Refused::new("NOT_FOUND"))?;
        let mut meeting = self.written((agreement, subject), &found);
        meeting.words = words(&reader, agreement, subject);
        Ok((meeting, apply))
    }

    fn written(&self, key: (AgreementId, SubjectId), found: &MeetingView) -> pb::Meeting {
        let members = self.members(key.0);
        written(&self.desk.node.reader(), key, found, (self.desk.node.city(), &members))
    }

    /// Members of an agreement, in the order of the rota.
    fn members(&self, agreement: AgreementId) -> Vec<CityCode> {
        let book = self.desk.node.book();
        let mut members = book.get(agreement).map(|a| a.cities()).unwrap_or_default();
        members.sort_unstable();
        members
    }

    fn next(&self, name: &str) -> Result<pb::GetNextChairResponse, Refused> {
        let agreement = read::parent(name)?.ok_or(Refused::new("NOT_FOUND"))?;
        let book = self.desk.node.book();
        let charter = &book.get(agreement).ok_or(Refused::new("NOT_FOUND"))?.charter;
        let today = Date::beijing(self.desk.node.now_ms()).ok_or(Refused::new("OUTSIDE_TERM"))?;
        let last = view::last_sitting(&self.desk.node.reader().view(), agreement, today);
        let members = self.members(agreement);
        let next = next_chair(&members, last).ok_or(Refused::new("NOT_FOUND"))?;
        Ok(pb::GetNextChairResponse {
            city: next.as_u32(),
            last_held_on: last.map(|sitting| read::date_out(sitting.on)),
            last_chair: last.map_or(0, |sitting| sitting.chair.as_u32()),
            yearly_meeting_missing: is_missing(charter.begin_on, last, today),
            rota: members.iter().map(|city| city.as_u32()).collect(),
        })
    }

    fn page(
        &self,
        who: &Called,
        asked: &pb::ListMeetingsRequest,
    ) -> Result<pb::ListMeetingsResponse, Refused> {
        let size = page_token::size(asked.page_size, PAGE_SIZE_DEFAULT as usize)?;
        let book = self.desk.node.book();
        let agreements = match read::parent(&asked.parent)? {
            Some(id) => book.get(id).map(|_| vec![id]).ok_or(Refused::new("NOT_FOUND"))?,
            None => book.iter().map(|(id, _)| *id).collect(),
        };
        let bound = [b"meetings ".as_slice(), asked.parent.as_bytes()].concat();
        let seal = Seal::new(&self.desk.node, &who.caller.identity, bound);
        let from = seal.open::<1>(&asked.page_token)?.map(|[below]| below);
        let reader = self.desk.node.reader();
        let walk: Walk<'_> = &|agreement, below, f| {
            pieces::meetings(&reader, agreement, below, &mut |subject, view| {
                f(subject, view.opened_apply, true)
            });
        };
        // One more tells whether there is a next page.
        let found =
            walk::find(&reader, &agreements, (from, size + 1), MEETINGS_LOOKED_AT_MAX, walk);
        let written = |key: (AgreementId, SubjectId)| {
            let seen = view::meeting(&reader.view(), key.0, key.1);
            Ok(seen.map(|seen| self.written(key, &seen)))
        };
        let (meetings, next) = found.page(size, &written)?;
        Ok(pb::ListMeetingsResponse {
            meetings,
            next_page_token: next.map(|below| seal.close(&[below])).unwrap_or_default(),
            cursor: cursor::at(&self.desk.node, found.as_of),
        })
    }
}
