//! Notices: every method of `NoticeService`.
//!
//! In scope: requests into commands, one notice, lists. Out of scope: writing ([`super::desk`]),
//! what a notice looks like ([`super::notice_read`]), watching ([`super::notice_watch`]).

use prost::Message;
use tonic::{Request, Response, Status};

use super::audit_line::AuditLine;
use super::caller::{Called, called};
use super::cursor;
use super::desk::{self, Desk, WriteRequest, writes};
use super::holdings::Witnesses;
use super::notice_read::reports;
use super::notice_watch::NoticeChanges;
use super::page_token::{self, Seal};
use crate::api::request::{Command, Written};
use crate::domain::{Invalid, InvalidReason, NoticeAct};
use crate::ids::{AgreementId, SubjectId};
use crate::limits::{MEMBERS_MAX, NOTICES_LOOKED_AT_MAX, PAGE_BYTES_MAX, PAGE_SIZE_DEFAULT};
use crate::node::alert::{Alert, Alerts};
use crate::node::due::Due;
use crate::node::ringer::Reached;
use crate::view::{self, NoticeView};
use crate::wire::case as read;
use crate::wire::notice as write;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::notice_service_server::NoticeService;
use crate::wire::status::{Refused, bad_fields};

/// The service.
#[derive(Clone)]
pub struct NoticeApi {
    /// What writing needs.
    pub desk: Desk,
    /// The calendar.
    pub due: Due,
    /// What has rung here.
    pub alerts: Alerts,
    /// How far own notices have got.
    pub reached: Reached,
}

writes!(parent: CreateNoticeRequest);
writes!(name: AcknowledgeNoticeRequest ReportOnNoticeRequest EndNoticeRequest);

/// The full name of a method, as the table of roles knows it.
macro_rules! method {
    ($name:ident) => {
        concat!("/liandong.v1.NoticeService/", stringify!($name))
    };
}

#[tonic::async_trait]
impl NoticeService for NoticeApi {
    async fn create_notice(
        &self,
        request: Request<pb::CreateNoticeRequest>,
    ) -> Result<Response<pb::CreateNoticeResponse>, Status> {
        let (notice, receipt) = self.write(request, method!(CreateNotice), issue).await?;
        Ok(Response::new(pb::CreateNoticeResponse { notice, receipt }))
    }

    async fn acknowledge_notice(
        &self,
        request: Request<pb::AcknowledgeNoticeRequest>,
    ) -> Result<Response<pb::AcknowledgeNoticeResponse>, Status> {
        let act = |asked: &pb::AcknowledgeNoticeRequest| {
            self.act(&asked.name, NoticeAct::Acknowledged, &asked.text)
        };
        let (notice, receipt) = self.write(request, method!(AcknowledgeNotice), act).await?;
        Ok(Response::new(pb::AcknowledgeNoticeResponse { notice, receipt }))
    }

    async fn report_on_notice(
        &self,
        request: Request<pb::ReportOnNoticeRequest>,
    ) -> Result<Response<pb::ReportOnNoticeResponse>, Status> {
        let act = |asked: &pb::ReportOnNoticeRequest| {
            if asked.text.trim().is_empty() {
                return Err(bad_fields(vec![Invalid::from(InvalidReason::Required).at("text")]));
            }
            self.act(&asked.name, NoticeAct::Reported, &asked.text)
        };
        let (notice, receipt) = self.write(request, method!(ReportOnNotice), act).await?;
        Ok(Response::new(pb::ReportOnNoticeResponse { notice, receipt }))
    }

    async fn end_notice(
        &self,
        request: Request<pb::EndNoticeRequest>,
    ) -> Result<Response<pb::EndNoticeResponse>, Status> {
        let act =
            |asked: &pb::EndNoticeRequest| self.act(&asked.name, NoticeAct::Ended, &asked.text);
        let (notice, receipt) = self.write(request, method!(EndNotice), act).await?;
        Ok(Response::new(pb::EndNoticeResponse { notice, receipt }))
    }

    async fn get_notice(
        &self,
        request: Request<pb::GetNoticeRequest>,
    ) -> Result<Response<pb::GetNoticeResponse>, Status> {
        let who = called(self.desk.door(), &request, method!(GetNotice)).map_err(|s| *s)?;
        let language = who.language;
        let found = self.get(who, request.into_inner()).await;
        found.map(Response::new).map_err(|refused| refused.status(language))
    }

    async fn list_notices(
        &self,
        request: Request<pb::ListNoticesRequest>,
    ) -> Result<Response<pb::ListNoticesResponse>, Status> {
        let who = called(self.desk.door(), &request, method!(ListNotices)).map_err(|s| *s)?;
        let language = who.language;
        let listed = self.list(who, request.into_inner()).await;
        listed.map(Response::new).map_err(|refused| refused.status(language))
    }

    type WatchNoticesStream = NoticeChanges;

    async fn watch_notices(
        &self,
        request: Request<pb::WatchNoticesRequest>,
    ) -> Result<Response<NoticeChanges>, Status> {
        let who = called(self.desk.door(), &request, method!(WatchNotices)).map_err(|s| *s)?;
        let language = who.language;
        let changes = self.watch(who, request.get_ref());
        changes.map(Response::new).map_err(|refused| refused.status(language))
    }
}

fn issue(asked: &pb::CreateNoticeRequest) -> Result<Command, Refused> {
    let agreement = read::parent(&asked.parent)?.ok_or(Refused::new("NOT_FOUND"))?;
    if asked.cities.len() > MEMBERS_MAX {
        let long = Invalid::with_limit(InvalidReason::ListTooLong, MEMBERS_MAX);
        return Err(bad_fields(vec![long.at("cities")]));
    }
    let cities = asked.cities.iter().map(|code| read::city("cities", *code));
    Ok(Command::IssueNotice {
        agreement,
        kind: write::kind(asked.kind)?,
        level: write::level(asked.level)?,
        addressees: cities.collect::<Result<_, _>>()?,
        record: Box::new(write::record(asked.record.as_ref())?),
    })
}

impl NoticeApi {
    async fn write<T: WriteRequest>(
        &self,
        request: Request<T>,
        method: &'static str,
        command: impl FnOnce(&T) -> Result<Command, Refused>,
    ) -> Result<(Option<pb::Notice>, Option<pb::WriteReceipt>), Status> {
        let written = self.desk.perform(request, method, write::name_of, command).await?;
        let Some(written) = written else { return Ok((None, None)) };
        let notice = self.after(written).await;
        Ok((notice, Some(desk::receipt(written))))
    }

    /// A notice as it is after a write.
    async fn after(&self, written: Written) -> Option<pb::Notice> {
        let subject = written.subject?;
        self.one(written.agreement, subject).await.ok().map(|(notice, _)| notice)
    }

    fn act(&self, name: &str, act: NoticeAct, text: &str) -> Result<Command, Refused> {
        let (agreement, subject) = write::name(name)?;
        let text = read::text("text", text)?;
        let here = view::notice(&self.desk.node.reader().view(), agreement, subject).is_some();
        let rung = self.ringing(&[agreement], |_, _| false);
        if !here && rung.iter().any(|alert| alert.subject == subject) {
            return Err(Refused::new("NOTICE_ARRIVING"));
        }
        Ok(Command::ActOnNotice { agreement, subject, act, text })
    }

    async fn get(
        &self,
        who: Called,
        asked: pb::GetNoticeRequest,
    ) -> Result<pb::GetNoticeResponse, Refused> {
        let mut line = AuditLine::new(self.desk.door(), &who, method!(GetNotice), &asked.name);
        let found = match write::name(&asked.name) {
            Ok((agreement, subject)) => self.one(agreement, subject).await,
            Err(refused) => Err(refused),
        };
        let found = found.map(|(notice, apply)| {
            line.shown_of(notice.issuing_city);
            let cursor = cursor::at(&self.desk.node, apply);
            pb::GetNoticeResponse { notice: Some(notice), cursor }
        });
        line.end(&found);
        found
    }

    /// One notice with what was said since, and the apply number as of which it was read.
    async fn one(
        &self,
        agreement: AgreementId,
        subject: SubjectId,
    ) -> Result<(pb::Notice, u64), Refused> {
        let status = self.desk.node.status().await.ok_or(Refused::new("STOPPING"))?;
        let witnesses = Witnesses::of(&status, Some(agreement));
        let api = self.clone();
        let read = tokio::task::spawn_blocking(move || {
            let reader = api.desk.node.reader();
            let rows = reader.view();
            let apply = reader.apply_number(&rows);
            let found = view::notice(&rows, agreement, subject);
            drop(rows);
            let Some(found) = found else {
                let rung = api.ringing(&[agreement], |_, _| false);
                let rung = rung.iter().find(|alert| alert.subject == subject);
                let rung = rung.map(|alert| (api.arriving(alert), apply));
                return rung.ok_or(Refused::new("NOT_FOUND"));
            };
            let mut notice = api.written(&reader, (agreement, subject), &found, &witnesses);
            notice.reports = reports(&reader, agreement, subject);
            Ok((notice, apply))
        });
        read.await.unwrap_or(Err(Refused::new("STOPPING")))
    }

    async fn list(
        &self,
        who: Called,
        asked: pb::ListNoticesRequest,
    ) -> Result<pb::ListNoticesResponse, Refused> {
        let status = self.desk.node.status().await.ok_or(Refused::new("STOPPING"))?;
        let api = self.clone();
        let listed = tokio::task::spawn_blocking(move || {
            let method = method!(ListNotices);
            let mut line = AuditLine::new(api.desk.door(), &who, method, &asked.parent);
            let listed = api.page(&who, &asked, &Witnesses::of(&status, None));
            for notice in listed.iter().flat_map(|page| &page.notices) {
                line.shown_of(notice.issuing_city);
            }
            line.end(&listed);
            listed
        });
        listed.await.unwrap_or(Err(Refused::new("STOPPING")))
    }

    fn page(
        &self,
        who: &Called,
        asked: &pb::ListNoticesRequest,
        witnesses: &Witnesses,
    ) -> Result<pb::ListNoticesResponse, Refused> {
        let size = page_token::size(asked.page_size, PAGE_SIZE_DEFAULT as usize)?;
        let filter = pb::NoticeFilter::try_from(asked.filter)
            .map_err(|_| read::wrong("filter", InvalidReason::CodeUnknown))?;
        let agreements = self.agreements(&asked.parent)?;
        let bound =
            pb::ListNoticesRequest { page_token: String::new(), page_size: 0, ..asked.clone() };
        let bound = [b"notices ".as_slice(), &bound.encode_to_vec()].concat();
        let seal = Seal::new(&self.desk.node, &who.caller.identity, bound);
        let from = seal.open::<1>(&asked.page_token)?.map(|[below]| below);
        let reader = self.desk.node.reader();
        let walked = self.walk(&agreements, filter, from, size);
        let mut notices = Vec::new();
        if from.is_none() && filter_takes_alerts(filter) {
            let is_here =
                |agreement, subject| view::notice(&reader.view(), agreement, subject).is_some();
            notices.extend(self.ringing(&agreements, is_here).iter().map(|a| self.arriving(a)));
        }
        let mut bytes: usize = notices.iter().map(Message::encoded_len).sum();
        let mut next = walked.next;
        for (key, view) in &walked.found {
            let written = self.written(&reader, *key, view, witnesses);
            bytes += written.encoded_len();
            if bytes > PAGE_BYTES_MAX && !notices.is_empty() {
                // It is the first of the next page.
                next = Some(view.opened_apply + 1);
                break;
            }
            notices.push(written);
        }
        Ok(pb::ListNoticesResponse {
            notices,
            next_page_token: next.map(|below| seal.close(&[below])).unwrap_or_default(),
            cursor: cursor::at(&self.desk.node, walked.as_of),
        })
    }

    /// What has rung of these agreements, by cities that are trusted here.
    pub(super) fn ringing(
        &self,
        agreements: &[AgreementId],
        is_here: impl Fn(AgreementId, SubjectId) -> bool,
    ) -> Vec<Alert> {
        let (mut rung, book) = (self.alerts.of(agreements, is_here), self.desk.node.book());
        rung.retain(|alert| !book.is_suspended(alert.notice.issuer));
        rung
    }

    /// The agreements a request is about.
    pub(super) fn agreements(&self, parent: &str) -> Result<Vec<AgreementId>, Refused> {
        let book = self.desk.node.book();
        match read::parent(parent)? {
            Some(id) => book.get(id).map(|_| vec![id]).ok_or(Refused::new("NOT_FOUND")),
            None => Ok(book.iter().map(|(id, _)| *id).collect()),
        }
    }

    /// Notices that are taken, the newest here first, from below an apply number on.
    fn walk(
        &self,
        agreements: &[AgreementId],
        filter: pb::NoticeFilter,
        below: Option<u64>,
        size: usize,
    ) -> Walked {
        let own = self.desk.node.city();
        let takes = |view: &NoticeView| {
            let issued = view.notice.issuer == own;
            match filter {
                pb::NoticeFilter::Unspecified => true,
                pb::NoticeFilter::Awaiting => view.awaits(own),
                pb::NoticeFilter::Issued => issued,
                pb::NoticeFilter::Unacknowledged => {
                    issued && view.notice.addressees.iter().any(|city| view.awaits(*city))
                }
            }
        };
        let reader = self.desk.node.reader();
        let rows = reader.view();
        let as_of = reader.apply_number(&rows);
        let (mut found, mut low) = (Vec::new(), Vec::new());
        for agreement in agreements {
            let (mut looked, mut taken) = (0, 0);
            view::notices_newest_first(&rows, *agreement, below, &mut |subject, view| {
                looked += 1;
                let at = view.opened_apply;
                if takes(&view) {
                    taken += 1;
                    found.push(((*agreement, subject), view));
                }
                let more = looked < NOTICES_LOOKED_AT_MAX && taken <= size;
                if !more {
                    // Below this nothing of the agreement was looked at.
                    low.push(at);
                }
                more
            });
        }
        drop(rows);
        found.sort_by_key(|(_, view)| std::cmp::Reverse(view.opened_apply));
        // What lies below the highest place at which one of the walks ended may be incomplete.
        let mut next = low.into_iter().max();
        found.retain(|(_, view)| next.is_none_or(|low| view.opened_apply >= low));
        if found.len() > size {
            found.truncate(size);
            next = found.last().map(|(_, view)| view.opened_apply);
        }
        Walked { found, next, as_of }
    }
}

/// Alerts wait for this city, and were issued by others.
const fn filter_takes_alerts(filter: pb::NoticeFilter) -> bool {
    match filter {
        pb::NoticeFilter::Unspecified | pb::NoticeFilter::Awaiting => true,
        pb::NoticeFilter::Issued | pb::NoticeFilter::Unacknowledged => false,
    }
}

struct Walked {
    found: Vec<((AgreementId, SubjectId), NoticeView)>,
    /// The next page lies below this apply number.
    next: Option<u64>,
    as_of: u64,
}
