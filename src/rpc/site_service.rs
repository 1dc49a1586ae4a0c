//! Sites: every method of `SiteService`.
//!
//! In scope: requests into commands, one site, whether it may be visited. Out of scope: writing
//! ([`super::desk`]), lists ([`super::site_list`]), what a site looks like ([`super::site_read`]).

use tonic::{Request, Response, Status};

use super::audit_line::AuditLine;
use super::caller::Called;
use super::cursor;
use super::desk::{self, Desk, WriteRequest, writes};
use super::desk_read::after;
use super::site_read::{words, written};
use crate::api::request::{Command, PartContent};
use crate::domain::site::{
    EXCEPTIONS_SOURCE, ListingStatus, RemovalBasis, SiteAct, Verdict, Visit, Visited, may_visit,
};
use crate::domain::{Date, InvalidReason, Language};
use crate::ids::{AgreementId, Position, SubjectId};
use crate::node::core::site_codes::{Plant, checks_made, listing_on, plants};
use crate::node::plan_look::Desk as PlanDesk;
use crate::node::plan_reserved::But;
use crate::view::{self, SiteView};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::site_service_server::SiteService;
use crate::wire::site as write;
use crate::wire::status::Refused;

/// The service.
#[derive(Clone)]
pub struct SiteApi {
    /// What writing needs.
    pub desk: Desk,
    /// Checks on site of one enterprise in a year; 0 for no cap.
    pub checks_a_year_max: u32,
}

writes!(name: UpdateSiteRequest SetListingRequest RecordCheckRequest);

impl WriteRequest for pb::CreateSiteRequest {
    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn acting_for(&self) -> Option<&pb::ActingFor> {
        self.acting_for.as_ref()
    }

    fn resource(&self) -> &str {
        &self.parent
    }

    fn validate_only(&self) -> bool {
        self.validate_only
    }

    fn body(&self) -> Vec<u8> {
        read::request_body(&Self { validate_only: false, ..self.clone() })
    }
}

/// The full name of a method, as the table of roles knows it.
macro_rules! method {
    ($name:ident) => {
        concat!("/liandong.v1.SiteService/", stringify!($name))
    };
}

#[tonic::async_trait]
impl SiteService for SiteApi {
    async fn create_site(
        &self,
        request: Request<pb::CreateSiteRequest>,
    ) -> Result<Response<pb::CreateSiteResponse>, Status> {
        let (site, receipt) = self.write(request, method!(CreateSite), register).await?;
        Ok(Response::new(pb::CreateSiteResponse { site, receipt }))
    }

    async fn update_site(
        &self,
        request: Request<pb::UpdateSiteRequest>,
    ) -> Result<Response<pb::UpdateSiteResponse>, Status> {
        let command = |asked: &pb::UpdateSiteRequest| {
            let facts = write::facts(asked.facts.as_ref())?;
            let record = write::record(asked.record.as_ref())?;
            let said = Some(PartContent::Site(Box::new(record)));
            let (agreement, subject) = write::name(&asked.name)?;
            let etag = Some(etag(&asked.etag)?);
            let (act, another_plant) = (SiteAct::Changed { facts }, asked.another_plant);
            Ok(Command::ActOnSite { agreement, subject, etag, act, said, another_plant })
        };
        let (site, receipt) = self.write(request, method!(UpdateSite), command).await?;
        Ok(Response::new(pb::UpdateSiteResponse { site, receipt }))
    }

    async fn set_listing(
        &self,
        request: Request<pb::SetListingRequest>,
    ) -> Result<Response<pb::SetListingResponse>, Status> {
        let (site, receipt) = self.write(request, method!(SetListing), list).await?;
        Ok(Response::new(pb::SetListingResponse { site, receipt }))
    }

    async fn record_check(
        &self,
        request: Request<pb::RecordCheckRequest>,
    ) -> Result<Response<pb::RecordCheckResponse>, Status> {
        let command = |asked: &pb::RecordCheckRequest| {
            let act = SiteAct::Checked(write::check(asked.check.as_ref())?);
            let said = read::text("text", &asked.text)?.map(PartContent::Text);
            let (agreement, subject) = write::name(&asked.name)?;
            let (etag, another_plant) = (None, false);
            Ok(Command::ActOnSite { agreement, subject, etag, act, said, another_plant })
        };
        let (site, receipt) = self.write(request, method!(RecordCheck), command).await?;
        Ok(Response::new(pb::RecordCheckResponse { site, receipt }))
    }

    async fn get_site(
        &self,
        request: Request<pb::GetSiteRequest>,
    ) -> Result<Response<pb::GetSiteResponse>, Status> {
        let api = self.clone();
        let read = move |_: &_, asked: &_, line: &mut _| api.get(asked, line);
        self.desk.read(request, method!(GetSite), |asked| &asked.name, read).await
    }

    async fn list_sites(
        &self,
        request: Request<pb::ListSitesRequest>,
    ) -> Result<Response<pb::ListSitesResponse>, Status> {
        let api = self.clone();
        let read = move |who: &Called, asked: &_, line: &mut AuditLine| {
            let page = api.page(who, asked)?;
            page.sites.iter().for_each(|site| line.shown_of(site.city));
            Ok(page)
        };
        self.desk.read(request, method!(ListSites), |asked| &asked.parent, read).await
    }

    async fn check_visit(
        &self,
        request: Request<pb::CheckVisitRequest>,
    ) -> Result<Response<pb::CheckVisitResponse>, Status> {
        let api = self.clone();
        let read = move |who: &Called, asked: &_, line: &mut AuditLine| {
            let visit = api.visit(asked, who.language)?;
            line.shown_of(visit.city);
            Ok(visit)
        };
        self.desk.read(request, method!(CheckVisit), |asked| &asked.name, read).await
    }
}

fn register(asked: &pb::CreateSiteRequest) -> Result<Command, Refused> {
    let agreement = read::parent(&asked.parent)?.ok_or(Refused::new("NOT_FOUND"))?;
    Ok(Command::RegisterSite {
        agreement,
        facts: write::facts(asked.facts.as_ref())?,
        record: Box::new(write::record(asked.record.as_ref())?),
        another_plant: asked.another_plant,
    })
}

fn list(asked: &pb::SetListingRequest) -> Result<Command, Refused> {
    let listing = write::listing(asked.listing.as_ref())?;
    let text = read::text("text", &asked.text)?;
    let other = listing.removed_for == Some(RemovalBasis::Other);
    if other && listing.status == ListingStatus::Removed && text.is_none() {
        return Err(read::wrong("text", InvalidReason::Required));
    }
    let (agreement, subject) = write::name(&asked.name)?;
    let etag = Some(etag(&asked.etag)?);
    let (act, said) = (SiteAct::Listed(listing), text.map(PartContent::Text));
    Ok(Command::ActOnSite { agreement, subject, etag, act, said, another_plant: false })
}

fn etag(text: &str) -> Result<Position, Refused> {
    if text.is_empty() {
        return Err(Refused::new("ETAG_REQUIRED").at("etag"));
    }
    read::position("etag", text)
}

impl SiteApi {
    async fn write<T: WriteRequest>(
        &self,
        request: Request<T>,
        method: &'static str,
        command: impl FnOnce(&T) -> Result<Command, Refused>,
    ) -> Result<(Option<pb::Site>, Option<pb::WriteReceipt>), Status> {
        let written = self.desk.perform(request, method, write::name_of, command).await?;
        let Some(written) = written else { return Ok((None, None)) };
        let api = self.clone();
        let site = after(written, move |of, subject| api.one(of, subject)).await;
        Ok((site, Some(desk::receipt(written))))
    }

    fn get(
        &self,
        asked: &pb::GetSiteRequest,
        line: &mut AuditLine,
    ) -> Result<pb::GetSiteResponse, Refused> {
        let (agreement, subject) = write::name(&asked.name)?;
        let (site, apply) = self.one(agreement, subject)?;
        line.shown_of(site.city);
        let cursor = cursor::at(&self.desk.node, apply);
        Ok(pb::GetSiteResponse { site: Some(site), cursor })
    }

    /// One site with what was said since, and the apply number as of which it was read.
    fn one(&self, agreement: AgreementId, subject: SubjectId) -> Result<(pb::Site, u64), Refused> {
        let reader = self.desk.node.reader();
        let rows = reader.view();
        let apply = reader.apply_number(&rows);
        let found = view::site(&rows, agreement, subject);
        drop(rows);
        let found = found.ok_or(Refused::new("NOT_FOUND"))?;
        let mut site = self.written((agreement, subject), &found)?;
        site.words = words(&reader, agreement, subject);
        Ok((site, apply))
    }

    pub(super) fn written(
        &self,
        key: (AgreementId, SubjectId),
        found: &SiteView,
    ) -> Result<pb::Site, Refused> {
        Ok(written(&self.desk.node.reader(), key, found, self.today()?))
    }

    /// Visits to the enterprise of an own site that plans have reserved in a year.
    fn reserved_of(&self, found: &SiteView, year: i32) -> Result<u32, Refused> {
        let (reader, book) = (self.desk.node.reader(), self.desk.node.book());
        let agreements: Vec<AgreementId> = book.iter().map(|(id, _)| *id).collect();
        let desk = PlanDesk {
            rows: &reader.in_pieces(),
            journal: &reader.journal(),
            own: self.desk.node.city(),
            most: self.checks_a_year_max,
            agreements: &agreements,
            today: self.today()?,
            rules: self.desk.node.plan_rules(),
        };
        Ok(desk.reserved_of(found, year, But::Nothing))
    }

    fn today(&self) -> Result<Date, Refused> {
        Date::beijing(self.desk.node.now_ms()).ok_or(Refused::new("OUTSIDE_TERM"))
    }

    fn visit(
        &self,
        asked: &pb::CheckVisitRequest,
        language: Language,
    ) -> Result<pb::CheckVisitResponse, Refused> {
        let (agreement, subject) = write::name(&asked.name)?;
        let on = read::date("on", asked.on.as_ref())?.map_or_else(|| self.today(), Ok)?;
        let exception = write::exception("exception", asked.exception)?;
        let (reader, own) = (self.desk.node.reader(), self.desk.node.city());
        let rows = reader.view();
        let found = view::site(&rows, agreement, subject).ok_or(Refused::new("NOT_FOUND"))?;
        // Of an enterprise of another city this node knows the one site: neither what else its own
        // city has of it, nor the cap.
        let (site, cap_is_known) = ((agreement, subject), found.city == own);
        let plants = match cap_is_known {
            true => plants(&rows, site, &found),
            false => vec![Plant { key: site, view: found.clone(), is_now: true }],
        };
        drop(rows);
        let (made, most) = match cap_is_known {
            true => (checks_made(&plants, on.year()), self.checks_a_year_max),
            false => (0, 0),
        };
        let listed = listing_on(&plants, on);
        let listing = listed.map(|(_, listing)| listing);
        let reserved = if most > 0 { self.reserved_of(&found, on.year())? } else { 0 };
        let visited = Visited { made, reserved, most };
        let closed = found.facts.1.closed;
        let verdict = may_visit(&Visit { on, closed, listing, visited, exception });
        let pick = |(zh, en): (&str, &str)| match language {
            Language::Zh => zh.to_owned(),
            Language::En => en.to_owned(),
        };
        let needs_newer_version = found.needs_newer;
        let (word, why, excepted) = match verdict {
            _ if needs_newer_version => (pb::VisitVerdict::Unspecified, None, false),
            Verdict::Fine => (pb::VisitVerdict::Fine, None, false),
            Verdict::Excepted { why, by: _ } => (pb::VisitVerdict::Excepted, Some(why), true),
            Verdict::LeftOut(why) => (pb::VisitVerdict::LeftOut, Some(why), false),
        };
        Ok(pb::CheckVisitResponse {
            verdict: word.into(),
            left_out: why.map_or(0, write::left_out_number),
            rule: why.map(|why| pick(why.rule())).unwrap_or_default(),
            source: why.map(|why| pick(why.source())).unwrap_or_default(),
            exceptions_source: if excepted { pick(EXCEPTIONS_SOURCE) } else { String::new() },
            city: found.city.as_u32(),
            listed_until: listing.map(|one| read::date_out(one.expires_on)),
            made,
            reserved,
            most,
            cap_is_known,
            listed_site: listed.map(|(key, _)| write::name_of(key.0, key.1)).unwrap_or_default(),
            needs_newer_version,
        })
    }
}
