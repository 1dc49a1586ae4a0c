//! Joint actions: every method of `PlanService`.
//!
//! In scope: requests into commands. Out of scope: writing ([`super::desk`]), what a draft comes to
//! ([`super::plan_draft`]), what a plan looks like ([`super::plan_read`]), lists
//! ([`super::plan_list`]).

use prost::Message;
use tonic::{Request, Response, Status};

use super::audit_line::AuditLine;
use super::caller::Called;
use super::cursor;
use super::desk::{self, Desk, WriteRequest, writes};
use super::desk_read::after;
use super::holdings::Witnesses;
use super::plan_draft::LeftOutSites;
use crate::api::plan::{PlanAsk, PlanAsked, PlanSaid, PlanStep};
use crate::api::request::Command;
use crate::domain::plan::PlanDay;
use crate::domain::{Date, InvalidReason};
use crate::ids::{AgreementId, Position, SubjectId};
use crate::limits::PAGE_BYTES_MAX;
use crate::node::due::Due;
use crate::node::plan_roll::PlanRoll;
use crate::view;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::plan_service_server::PlanService;
use crate::wire::plan_call as write;
use crate::wire::status::Refused;

/// The service.
#[derive(Clone)]
pub struct PlanApi {
    /// What writing needs.
    pub desk: Desk,
    /// Which days are worked.
    pub due: Due,
    /// All plans.
    pub roll: PlanRoll,
    /// Checks on site of one enterprise in a year; 0 for no cap.
    pub checks_a_year_max: u32,
}

writes!(name: RevisePlanRequest AmendPlanRequest MovePlanRequest AnswerPlanRequest);
writes!(name: ResolveAnswerRequest SwapUnitsRequest CommitDrawRequest RevealDrawRequest);
writes!(name: CheckInRequest ReportVisitRequest OpenFindingRequest ReportResultsRequest);
writes!(name: ReleaseUnitsRequest);

impl WriteRequest for pb::CreatePlanRequest {
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
        concat!("/liandong.v1.PlanService/", stringify!($name))
    };
}

/// Writes a method: what it asks for becomes a command, and its answer is the plan afterwards.
macro_rules! writing {
    ($request:ident $response:ident $method:ident $api:ident $command:expr) => {{
        let api = $api.clone();
        let command = move |asked: &_| $command(&api, asked);
        let (plan, receipt) = $api.write($request, method!($method), command).await?;
        Ok(Response::new(pb::$response { plan, receipt }))
    }};
}

#[tonic::async_trait]
impl PlanService for PlanApi {
    async fn create_plan(
        &self,
        request: Request<pb::CreatePlanRequest>,
    ) -> Result<Response<pb::CreatePlanResponse>, Status> {
        writing!(request CreatePlanResponse CreatePlan self open)
    }

    async fn revise_plan(
        &self,
        request: Request<pb::RevisePlanRequest>,
    ) -> Result<Response<pb::RevisePlanResponse>, Status> {
        writing!(request RevisePlanResponse RevisePlan self revise)
    }

    async fn amend_plan(
        &self,
        request: Request<pb::AmendPlanRequest>,
    ) -> Result<Response<pb::AmendPlanResponse>, Status> {
        writing!(request AmendPlanResponse AmendPlan self amend)
    }

    async fn move_plan(
        &self,
        request: Request<pb::MovePlanRequest>,
    ) -> Result<Response<pb::MovePlanResponse>, Status> {
        writing!(request MovePlanResponse MovePlan self step)
    }

    async fn answer_plan(
        &self,
        request: Request<pb::AnswerPlanRequest>,
    ) -> Result<Response<pb::AnswerPlanResponse>, Status> {
        writing!(request AnswerPlanResponse AnswerPlan self answer)
    }

    async fn resolve_answer(
        &self,
        request: Request<pb::ResolveAnswerRequest>,
    ) -> Result<Response<pb::ResolveAnswerResponse>, Status> {
        writing!(request ResolveAnswerResponse ResolveAnswer self resolve)
    }

    async fn swap_units(
        &self,
        request: Request<pb::SwapUnitsRequest>,
    ) -> Result<Response<pb::SwapUnitsResponse>, Status> {
        writing!(request SwapUnitsResponse SwapUnits self swap)
    }

    async fn commit_draw(
        &self,
        request: Request<pb::CommitDrawRequest>,
    ) -> Result<Response<pb::CommitDrawResponse>, Status> {
        let commit = |_: &Self, asked: &pb::CommitDrawRequest| {
            say(&asked.name, &asked.revision, PlanSaid::Commit, None)
        };
        writing!(request CommitDrawResponse CommitDraw self commit)
    }

    async fn reveal_draw(
        &self,
        request: Request<pb::RevealDrawRequest>,
    ) -> Result<Response<pb::RevealDrawResponse>, Status> {
        let reveal = |_: &Self, asked: &pb::RevealDrawRequest| {
            say(&asked.name, &asked.revision, PlanSaid::Reveal, None)
        };
        writing!(request RevealDrawResponse RevealDraw self reveal)
    }

    async fn check_in(
        &self,
        request: Request<pb::CheckInRequest>,
    ) -> Result<Response<pb::CheckInResponse>, Status> {
        writing!(request CheckInResponse CheckIn self arrive)
    }

    async fn report_visit(
        &self,
        request: Request<pb::ReportVisitRequest>,
    ) -> Result<Response<pb::ReportVisitResponse>, Status> {
        writing!(request ReportVisitResponse ReportVisit self report)
    }

    async fn open_finding(
        &self,
        request: Request<pb::OpenFindingRequest>,
    ) -> Result<Response<pb::OpenFindingResponse>, Status> {
        writing!(request OpenFindingResponse OpenFinding self find)
    }

    async fn report_results(
        &self,
        request: Request<pb::ReportResultsRequest>,
    ) -> Result<Response<pb::ReportResultsResponse>, Status> {
        let done = |_: &Self, asked: &pb::ReportResultsRequest| {
            say(&asked.name, &asked.revision, PlanSaid::ResultsIn, None)
        };
        writing!(request ReportResultsResponse ReportResults self done)
    }

    async fn release_units(
        &self,
        request: Request<pb::ReleaseUnitsRequest>,
    ) -> Result<Response<pb::ReleaseUnitsResponse>, Status> {
        writing!(request ReleaseUnitsResponse ReleaseUnits self release)
    }

    async fn create_draft(
        &self,
        request: Request<pb::CreateDraftRequest>,
    ) -> Result<Response<pb::CreateDraftResponse>, Status> {
        self.create_kept(request, method!(CreateDraft)).await
    }

    async fn update_draft(
        &self,
        request: Request<pb::UpdateDraftRequest>,
    ) -> Result<Response<pb::UpdateDraftResponse>, Status> {
        self.update_kept(request, method!(UpdateDraft)).await
    }

    async fn delete_draft(
        &self,
        request: Request<pb::DeleteDraftRequest>,
    ) -> Result<Response<pb::DeleteDraftResponse>, Status> {
        self.delete_kept(request, method!(DeleteDraft)).await
    }

    async fn get_draft(
        &self,
        request: Request<pb::GetDraftRequest>,
    ) -> Result<Response<pb::GetDraftResponse>, Status> {
        let api = self.clone();
        let read = move |_: &_, asked: &pb::GetDraftRequest, _: &mut _| api.one_kept(&asked.name);
        self.desk.read(request, method!(GetDraft), |asked| &asked.name, read).await
    }

    async fn list_drafts(
        &self,
        request: Request<pb::ListDraftsRequest>,
    ) -> Result<Response<pb::ListDraftsResponse>, Status> {
        let api = self.clone();
        let read = move |who: &_, asked: &_, _: &mut _| api.kept_page(who, asked);
        self.desk.read(request, method!(ListDrafts), |asked| &asked.parent, read).await
    }

    async fn get_plan(
        &self,
        request: Request<pb::GetPlanRequest>,
    ) -> Result<Response<pb::GetPlanResponse>, Status> {
        let api = self.clone();
        let read = move |who: &_, asked: &_, line: &mut _| api.get(who, asked, line);
        self.desk.read(request, method!(GetPlan), |asked| &asked.name, read).await
    }

    async fn list_plans(
        &self,
        request: Request<pb::ListPlansRequest>,
    ) -> Result<Response<pb::ListPlansResponse>, Status> {
        let api = self.clone();
        let tells_who_holds = request.get_ref().awaits_others;
        let status = if tells_who_holds { self.desk.node.status().await } else { None };
        let witnesses = status.map(|status| Witnesses::of(&status, None));
        let read = move |who: &Called, asked: &_, line: &mut AuditLine| {
            let page = api.page(who, asked, witnesses.as_ref())?;
            page.plans.iter().for_each(|plan| line.shown_of(plan.initiator));
            Ok(page)
        };
        self.desk.read(request, method!(ListPlans), |asked| &asked.parent, read).await
    }

    async fn export_calendar(
        &self,
        request: Request<pb::ExportCalendarRequest>,
    ) -> Result<Response<pb::ExportCalendarResponse>, Status> {
        let api = self.clone();
        let read = move |_: &_, asked: &pb::ExportCalendarRequest, line: &mut AuditLine| {
            let (calendar, is_partial) =
                api.calendar(&asked.name, &mut |city| line.shown_of(city))?;
            Ok(pb::ExportCalendarResponse { calendar, is_partial })
        };
        self.desk.read(request, method!(ExportCalendar), |asked| &asked.name, read).await
    }
}

fn command(agreement: AgreementId, subject: Option<SubjectId>, what: PlanAsked) -> Command {
    Command::Plan { agreement, ask: Box::new(PlanAsk { subject, what }) }
}

fn moved(name: &str, etag: &str, step: PlanStep) -> Result<Command, Refused> {
    let (agreement, subject) = write::name(name)?;
    let etag = given("etag", "ETAG_REQUIRED", etag)?;
    Ok(command(agreement, Some(subject), PlanAsked::Move { etag, step }))
}

fn say(
    name: &str,
    revision: &str,
    word: PlanSaid,
    text: Option<String>,
) -> Result<Command, Refused> {
    send((name, revision), word, (&[], text))
}

/// What sends units: some recusals of before hold no more.
fn send(
    (name, revision): (&str, &str),
    word: PlanSaid,
    (lifted, text): (&[pb::RecusalDraft], Option<String>),
) -> Result<Command, Refused> {
    let (agreement, subject) = write::name(name)?;
    let revision = given("revision", "REVISION_REQUIRED", revision)?;
    let lifted = write::lifted(lifted, agreement)?;
    let what = PlanAsked::Say { revision, word, lifted, text };
    Ok(command(agreement, Some(subject), what))
}

fn given(field: &'static str, missing: &'static str, text: &str) -> Result<Position, Refused> {
    if text.is_empty() { Err(Refused::new(missing).at(field)) } else { read::position(field, text) }
}

fn open(api: &PlanApi, asked: &pb::CreatePlanRequest) -> Result<Command, Refused> {
    let agreement = read::parent(&asked.parent)?.ok_or(Refused::new("NOT_FOUND"))?;
    let draft = write::draft(asked.draft.as_ref(), agreement)?;
    let from = super::plan_kept::origin(asked)?;
    let (facts, pool) = api.facts_of(agreement, &draft, &LeftOutSites::new())?;
    let record = draft.record;
    Ok(command(agreement, None, PlanAsked::Open { facts, record, pool, from }))
}

fn revise(api: &PlanApi, asked: &pb::RevisePlanRequest) -> Result<Command, Refused> {
    let key = write::name(&asked.name)?;
    let draft = write::draft(asked.draft.as_ref(), key.0)?;
    let carries = draft.draw.is_some() && !asked.drop_left_out;
    let carried = if carries { api.left_out_by_hand(key)? } else { LeftOutSites::new() };
    let (facts, pool) = api.facts_of(key.0, &draft, &carried)?;
    let record = draft.record;
    moved(&asked.name, &asked.etag, PlanStep::Revise { facts, record, pool })
}

fn amend(_: &PlanApi, asked: &pb::AmendPlanRequest) -> Result<Command, Refused> {
    let record = write::record(asked.record.as_ref(), "record")?;
    moved(&asked.name, &asked.etag, PlanStep::Amend { record })
}

fn step(_: &PlanApi, asked: &pb::MovePlanRequest) -> Result<Command, Refused> {
    let text = read::text("text", &asked.text)?;
    let needed = || text.clone().ok_or_else(|| read::wrong("text", InvalidReason::Required));
    let unknown = || read::wrong("step", InvalidReason::CodeUnknown);
    let step = match pb::PlanStep::try_from(asked.step).map_err(|_| unknown())? {
        pb::PlanStep::Unspecified => return Err(read::wrong("step", InvalidReason::Required)),
        pb::PlanStep::Schedule => PlanStep::Schedule,
        pb::PlanStep::Redraw => PlanStep::Redraw,
        pb::PlanStep::Begin => PlanStep::Begin,
        pb::PlanStep::Summarize => PlanStep::Summarize { words: text },
        pb::PlanStep::Cancel => PlanStep::Cancel { text: needed()? },
    };
    moved(&asked.name, &asked.etag, step)
}

fn answer(api: &PlanApi, asked: &pb::AnswerPlanRequest) -> Result<Command, Refused> {
    let (agreement, subject) = write::name(&asked.name)?;
    let days = api.days((agreement, subject), &asked.revision)?;
    let answer = write::answer(asked, agreement, &days)?;
    let text = read::text("text", &asked.text)?;
    if text.is_none() && write::needs_words(&answer) {
        return Err(read::wrong("text", InvalidReason::Required));
    }
    let plan = (&*asked.name, &*asked.revision);
    send(plan, PlanSaid::Answer(answer), (&asked.lifted, text))
}

fn resolve(_: &PlanApi, asked: &pb::ResolveAnswerRequest) -> Result<Command, Refused> {
    let answer = given("answer", "ANSWER_REQUIRED", &asked.answer)?;
    let resolution = write::resolution(asked.resolution)?;
    let text = read::text("text", &asked.text)?;
    say(&asked.name, &asked.revision, PlanSaid::Resolve { answer, resolution }, text)
}

fn swap(api: &PlanApi, asked: &pb::SwapUnitsRequest) -> Result<Command, Refused> {
    let (agreement, subject) = write::name(&asked.name)?;
    let days = api.days((agreement, subject), &asked.revision)?;
    let sent = write::sent(asked.sent.as_ref(), agreement, &days)?;
    let plan = (&*asked.name, &*asked.revision);
    send(plan, PlanSaid::Swap(sent), (&asked.lifted, None))
}

fn arrive(api: &PlanApi, asked: &pb::CheckInRequest) -> Result<Command, Refused> {
    let (agreement, _) = write::name(&asked.name)?;
    let arrival = write::arrival(asked, agreement, api.today()?)?;
    let replaces = replaces(&asked.replaces)?;
    say(&asked.name, &asked.revision, PlanSaid::CheckIn { arrival, replaces }, None)
}

/// The entry that is corrected; none where something is said first.
fn replaces(entry: &str) -> Result<Option<Position>, Refused> {
    (!entry.is_empty()).then(|| read::position("replaces", entry)).transpose()
}

fn report(_: &PlanApi, asked: &pb::ReportVisitRequest) -> Result<Command, Refused> {
    let (agreement, _) = write::name(&asked.name)?;
    let site = write::site_asked(&asked.site, agreement)?;
    let report = write::report((site, asked.nth), asked.result.as_ref())?;
    let text = read::text("text", &asked.text)?;
    let replaces = replaces(&asked.replaces)?;
    say(&asked.name, &asked.revision, PlanSaid::Report { report, replaces }, text)
}

fn find(_: &PlanApi, asked: &pb::OpenFindingRequest) -> Result<Command, Refused> {
    let (agreement, _) = write::name(&asked.name)?;
    let site = write::site_asked(&asked.site, agreement)?;
    let named = (!asked.case.is_empty()).then(|| read::case_name(&asked.case)).transpose()?;
    let case = match named {
        Some((of, _)) if of != agreement => {
            return Err(Refused::new("FINDING_CASE_UNKNOWN").at("case"));
        }
        named => named.map(|(_, case)| case),
    };
    let word = PlanSaid::Finding { site, nth: asked.nth, case };
    say(&asked.name, &asked.revision, word, None)
}

fn release(api: &PlanApi, asked: &pb::ReleaseUnitsRequest) -> Result<Command, Refused> {
    let (agreement, subject) = write::name(&asked.name)?;
    // Which revision they were booked for is known from the books.
    let found = view::plan(&api.desk.node.reader().view(), agreement, subject);
    let revision = found.ok_or(Refused::new("NOT_FOUND"))?.plan.at;
    let (word, lifted) = (PlanSaid::Release, Vec::new());
    let what = PlanAsked::Say { revision, word, lifted, text: None };
    Ok(command(agreement, Some(subject), what))
}

impl PlanApi {
    async fn write<T: WriteRequest>(
        &self,
        request: Request<T>,
        method: &'static str,
        command: impl FnOnce(&T) -> Result<Command, Refused>,
    ) -> Result<(Option<pb::Plan>, Option<pb::WriteReceipt>), Status> {
        let language = crate::wire::status::language(request.metadata());
        // A draft may look at every site of the agreement.
        let command = |asked: &T| tokio::task::block_in_place(|| command(asked));
        let written = self.desk.perform(request, method, write::name_of, command).await?;
        let Some(written) = written else { return Ok((None, None)) };
        let api = self.clone();
        let plan = after(written, move |of, subject| api.one((of, subject), language)).await;
        Ok((plan, Some(desk::receipt(written))))
    }

    pub(super) fn today(&self) -> Result<Date, Refused> {
        self.desk.node.today().ok_or(Refused::new("OUTSIDE_TERM"))
    }

    /// The half days of the revision that is spoken of: they never change, so a request that is
    /// sent again is read as it was the first time.
    fn days(&self, key: (AgreementId, SubjectId), text: &str) -> Result<Vec<PlanDay>, Refused> {
        let revision = given("revision", "REVISION_REQUIRED", text)?;
        let reader = self.desk.node.reader();
        let rows = reader.view();
        view::plan(&rows, key.0, key.1).ok_or(Refused::new("NOT_FOUND"))?;
        let facts = view::plan_facts_at(&rows, revision);
        Ok(facts.ok_or(Refused::new("REVISION_UNKNOWN").at("revision").unless("plan"))?.days)
    }

    fn get(
        &self,
        who: &Called,
        asked: &pb::GetPlanRequest,
        line: &mut AuditLine,
    ) -> Result<pb::GetPlanResponse, Refused> {
        let key = write::name(&asked.name)?;
        let (plan, apply) = self.one(key, who.language)?;
        line.shown_of(plan.initiator);
        // Both go into one answer; a plan of the usual size leaves most of it to the answers.
        let answers = self.all_answers(key, PAGE_BYTES_MAX.saturating_sub(plan.encoded_len() / 2));
        let cursor = cursor::at(&self.desk.node, apply);
        Ok(pb::GetPlanResponse { plan: Some(plan), answers, cursor })
    }
}
