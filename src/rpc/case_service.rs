//! Cases: create, read, list, move, contribute, follow.

use std::pin::Pin;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status};

use super::caller::{Called, called};
use super::case_read;
use crate::api::request::{Command, NewPart, PartContent, Request as Asked, Written};
use crate::domain::{
    CaseContribution, CaseMove, CaseRecord, CaseStep, Date, Evidence, PersonRecord,
};
use crate::ids::{AgreementId, CityCode, SubjectId};
use crate::log::{Audience, PartSlot};
use crate::node::writer::NodeHandle;
use crate::trust::spiffe::Role;
use crate::view::{self, CaseView, Effect, FeedEntry, HistoryEntry};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::case_service_server::CaseService;
use crate::wire::status::{self, Refused, Told};

/// Cases looked at for one page and its total.
const SCAN_ROWS_MAX: u32 = 20_000;
/// Largest page; more is clamped.
const PAGE_SIZE_MAX: usize = 200;
/// Longest request id, bytes.
const REQUEST_ID_MAX: usize = 64;
/// A watcher hears at least this often.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// The service.
pub struct CaseApi {
    /// The node.
    pub node: NodeHandle,
}

/// What a write leaves behind.
struct Done {
    case: Option<pb::Case>,
    receipt: Option<pb::WriteReceipt>,
}

/// Common fields of a write.
struct Write {
    request_id: String,
    acting_for: Option<pb::ActingFor>,
    body: Vec<u8>,
}

/// Common fields of a move.
struct Move {
    name: String,
    etag: String,
    effective_on: Option<pb::Date>,
    text: String,
}

fn all_members(content: PartContent) -> NewPart {
    NewPart { audience: Audience::AllMembers, content }
}

fn text_part(text: &str) -> Option<NewPart> {
    (!text.is_empty()).then(|| all_members(PartContent::Text(text.to_owned())))
}

impl CaseApi {
    fn today(&self) -> Result<Date, Refused> {
        self.node.today().ok_or(Refused::new("OUTSIDE_TERM"))
    }

    fn date_or_today(&self, field: &'static str, date: Option<&pb::Date>) -> Result<Date, Refused> {
        read::date(field, date)?.map_or_else(|| self.today(), Ok)
    }

    async fn write(&self, who: &Called, write: Write, command: Command) -> Result<Done, Refused> {
        let id = &write.request_id;
        let printable = id.bytes().all(|b| b.is_ascii_graphic());
        if id.is_empty() || id.len() > REQUEST_ID_MAX || !printable {
            return Err(Refused::new("REQUEST_ID").at("request_id"));
        }
        let acting_for = write.acting_for.map(|a| a.certificate_number).filter(|c| !c.is_empty());
        if who.role == Role::System
            && acting_for.is_none()
            && matches!(command, Command::MoveCase { .. })
        {
            return Err(Refused::new("ACTING_FOR_REQUIRED").at("acting_for"));
        }
        let asked = Asked {
            caller: who.caller.clone(),
            acting_for,
            request_id: write.request_id,
            body: write.body,
            command,
        };
        let node = self.node.clone();
        // In a task of its own: a caller who gives up does not stop a write half-way.
        let written = tokio::spawn(async move { node.write(asked).await }).await;
        let written = written.map_err(|_| Refused::new("STOPPING"))?;
        let written = written.map_err(|error| {
            let told = Told { language: who.language, city: &status::code_name, allowed: &[] };
            status::of_write(&error, &told)
        })?;
        Ok(self.done(written))
    }

    fn done(&self, written: Written) -> Done {
        let subject = written.subject;
        Done {
            case: subject.and_then(|s| case_read::read(&self.node, written.agreement, s)),
            receipt: Some(pb::WriteReceipt {
                entry: written.position.to_string(),
                replayed: written.replayed,
            }),
        }
    }

    async fn step(
        &self,
        who: &Called,
        write: Write,
        mv: Move,
        make: impl FnOnce(Date) -> Result<CaseMove, Refused>,
        parts: Vec<NewPart>,
    ) -> Result<Done, Refused> {
        let (agreement, subject) = read::case_name(&mv.name)?;
        if mv.etag.is_empty() {
            return Err(Refused::new("ETAG_REQUIRED").at("etag"));
        }
        let etag = read::position("etag", &mv.etag)?;
        let on = self.date_or_today("effective_on", mv.effective_on.as_ref())?;
        let mv_text = text_part(&mv.text);
        let parts = parts.into_iter().chain(mv_text).collect();
        let mv = make(on)?;
        let command = Command::MoveCase { agreement, subject, etag, mv, parts };
        self.write(who, write, command).await
    }

    async fn contribute(
        &self,
        who: &Called,
        write: Write,
        (name, text): (String, String),
        contribution: CaseContribution,
        parts: Vec<NewPart>,
    ) -> Result<Done, Refused> {
        let (agreement, subject) = read::case_name(&name)?;
        let parts = parts.into_iter().chain(text_part(&text)).collect();
        let command = Command::Contribute { agreement, subject, contribution, parts };
        self.write(who, write, command).await
    }
}

/// Parts that carry a record and a person.
fn record_parts(record: Option<CaseRecord>, person: Option<PersonRecord>) -> Vec<NewPart> {
    let record = record.map(|r| all_members(PartContent::CaseRecord(Box::new(r))));
    let person = person
        .map(|p| NewPart { audience: Audience::HandlingCity, content: PartContent::Person(p) });
    record.into_iter().chain(person).collect()
}

/// Takes the common fields out of a request and ends in an answer of the method's type.
macro_rules! answer {
    ($this:ident, $request:ident, $method:literal, $response:ident, |$who:ident, $asked:ident, $write:ident| $body:expr) => {{
        let $who = called(&$request, concat!("/liandong.v1.CaseService/", $method))
            .map_err(|status| *status)?;
        let body = read::request_body($request.get_ref());
        let $asked = $request.into_inner();
        let $write = Write {
            request_id: $asked.request_id.clone(),
            acting_for: $asked.acting_for.clone(),
            body,
        };
        let done: Result<Done, Refused> = async { $body }.await;
        let done = done.map_err(|refused| refused.status($who.language))?;
        Ok(Response::new(pb::$response { case: done.case, receipt: done.receipt }))
    }};
}

macro_rules! moved {
    ($asked:ident) => {
        Move {
            name: $asked.name.clone(),
            etag: $asked.etag.clone(),
            effective_on: $asked.effective_on,
            text: $asked.text.clone(),
        }
    };
}

/// A method that makes a plain step.
macro_rules! step_method {
    ($this:ident, $request:ident, $method:literal, $response:ident, $step:ident) => {
        answer!($this, $request, $method, $response, |who, asked, write| {
            let make = |effective_on| Ok(CaseMove::Stepped { step: CaseStep::$step, effective_on });
            $this.step(&who, write, moved!(asked), make, Vec::new()).await
        })
    };
}

/// A method that makes a move without anything but its date.
macro_rules! move_method {
    ($this:ident, $request:ident, $method:literal, $response:ident, $mv:ident) => {
        answer!($this, $request, $method, $response, |who, asked, write| {
            let make = |effective_on| Ok(CaseMove::$mv { effective_on });
            $this.step(&who, write, moved!(asked), make, Vec::new()).await
        })
    };
}

/// A method that adds something.
macro_rules! add_method {
    ($this:ident, $request:ident, $method:literal, $response:ident, |$asked:ident| $what:expr) => {
        answer!($this, $request, $method, $response, |who, $asked, write| {
            let (contribution, parts): (CaseContribution, Vec<NewPart>) = $what;
            let said = ($asked.name.clone(), $asked.text.clone());
            $this.contribute(&who, write, said, contribution, parts).await
        })
    };
}

type Ask<T> = Request<T>;
type Answer<T> = Result<Response<T>, Status>;
/// Changes that go out of a watch.
type Changes = Pin<Box<dyn Stream<Item = Result<pb::WatchCasesResponse, Status>> + Send>>;

#[tonic::async_trait]
impl CaseService for CaseApi {
    async fn create_case(
        &self,
        request: Ask<pb::CreateCaseRequest>,
    ) -> Answer<pb::CreateCaseResponse> {
        answer!(self, request, "CreateCase", CreateCaseResponse, |who, asked, write| {
            let agreement = read::parent(&asked.parent)?.ok_or(Refused::new("NOT_FOUND"))?;
            let command = Command::OpenCase {
                agreement,
                facts: read::facts(asked.facts.as_ref())?,
                record: Box::new(read::record(asked.record.as_ref())?),
                person: read::person(asked.person.as_ref())?,
                external_ref: read::external_ref(asked.external_ref.as_ref())?,
                effective_on: self.date_or_today("effective_on", asked.effective_on.as_ref())?,
            };
            self.write(&who, write, command).await
        })
    }

    async fn get_case(&self, request: Ask<pb::GetCaseRequest>) -> Answer<pb::GetCaseResponse> {
        let who = called(&request, "/liandong.v1.CaseService/GetCase").map_err(|s| *s)?;
        let found = read::case_name(&request.get_ref().name)
            .and_then(|(agreement, subject)| {
                let case = case_read::read(&self.node, agreement, subject);
                case.ok_or(Refused::new("NOT_FOUND"))
            })
            .map_err(|refused| refused.status(who.language))?;
        Ok(Response::new(pb::GetCaseResponse { case: Some(found), cursor: self.cursor() }))
    }

    async fn list_cases(
        &self,
        request: Ask<pb::ListCasesRequest>,
    ) -> Answer<pb::ListCasesResponse> {
        let who = called(&request, "/liandong.v1.CaseService/ListCases").map_err(|s| *s)?;
        let listed = self.list(&who, request.get_ref());
        listed.map(Response::new).map_err(|refused| refused.status(who.language))
    }

    async fn update_case(
        &self,
        request: Ask<pb::UpdateCaseRequest>,
    ) -> Answer<pb::UpdateCaseResponse> {
        answer!(self, request, "UpdateCase", UpdateCaseResponse, |who, asked, write| {
            let (agreement, subject) = read::case_name(&asked.name)?;
            let known = view::case(&self.node.reader().view(), agreement, subject);
            let known = known.ok_or(Refused::new("NOT_FOUND"))?;
            let facts = match &asked.facts {
                Some(facts) => read::facts(Some(facts))?,
                None => known.case.facts,
            };
            let record = read::record(asked.record.as_ref())?;
            let parts = record_parts(Some(record), read::person(asked.person.as_ref())?);
            let make = |effective_on| Ok(CaseMove::Amended { facts, effective_on });
            self.step(&who, write, moved!(asked), make, parts).await
        })
    }

    async fn start_verification(
        &self,
        request: Ask<pb::StartVerificationRequest>,
    ) -> Answer<pb::StartVerificationResponse> {
        step_method!(
            self,
            request,
            "StartVerification",
            StartVerificationResponse,
            VerificationStarted
        )
    }

    async fn dismiss_clue(
        &self,
        request: Ask<pb::DismissClueRequest>,
    ) -> Answer<pb::DismissClueResponse> {
        step_method!(self, request, "DismissClue", DismissClueResponse, ClueDismissed)
    }

    async fn file_case(&self, request: Ask<pb::FileCaseRequest>) -> Answer<pb::FileCaseResponse> {
        step_method!(self, request, "FileCase", FileCaseResponse, Filed)
    }

    async fn start_investigation(
        &self,
        request: Ask<pb::StartInvestigationRequest>,
    ) -> Answer<pb::StartInvestigationResponse> {
        step_method!(
            self,
            request,
            "StartInvestigation",
            StartInvestigationResponse,
            InvestigationStarted
        )
    }

    async fn serve_notice(
        &self,
        request: Ask<pb::ServeNoticeRequest>,
    ) -> Answer<pb::ServeNoticeResponse> {
        step_method!(self, request, "ServeNotice", ServeNoticeResponse, NoticeServed)
    }

    async fn open_hearing(
        &self,
        request: Ask<pb::OpenHearingRequest>,
    ) -> Answer<pb::OpenHearingResponse> {
        step_method!(self, request, "OpenHearing", OpenHearingResponse, HearingOpened)
    }

    async fn decide_case(
        &self,
        request: Ask<pb::DecideCaseRequest>,
    ) -> Answer<pb::DecideCaseResponse> {
        step_method!(self, request, "DecideCase", DecideCaseResponse, Decided)
    }

    async fn decide_no_penalty(
        &self,
        request: Ask<pb::DecideNoPenaltyRequest>,
    ) -> Answer<pb::DecideNoPenaltyResponse> {
        step_method!(self, request, "DecideNoPenalty", DecideNoPenaltyResponse, NoPenaltyDecided)
    }

    async fn withdraw_case(
        &self,
        request: Ask<pb::WithdrawCaseRequest>,
    ) -> Answer<pb::WithdrawCaseResponse> {
        step_method!(self, request, "WithdrawCase", WithdrawCaseResponse, Withdrawn)
    }

    async fn revoke_decision(
        &self,
        request: Ask<pb::RevokeDecisionRequest>,
    ) -> Answer<pb::RevokeDecisionResponse> {
        step_method!(self, request, "RevokeDecision", RevokeDecisionResponse, Revoked)
    }

    async fn start_enforcement(
        &self,
        request: Ask<pb::StartEnforcementRequest>,
    ) -> Answer<pb::StartEnforcementResponse> {
        step_method!(
            self,
            request,
            "StartEnforcement",
            StartEnforcementResponse,
            EnforcementStarted
        )
    }

    async fn request_court_enforcement(
        &self,
        request: Ask<pb::RequestCourtEnforcementRequest>,
    ) -> Answer<pb::RequestCourtEnforcementResponse> {
        step_method!(
            self,
            request,
            "RequestCourtEnforcement",
            RequestCourtEnforcementResponse,
            CourtEnforcementRequested
        )
    }

    async fn close_case(
        &self,
        request: Ask<pb::CloseCaseRequest>,
    ) -> Answer<pb::CloseCaseResponse> {
        step_method!(self, request, "CloseCase", CloseCaseResponse, Closed)
    }

    async fn archive_case(
        &self,
        request: Ask<pb::ArchiveCaseRequest>,
    ) -> Answer<pb::ArchiveCaseResponse> {
        step_method!(self, request, "ArchiveCase", ArchiveCaseResponse, Archived)
    }

    async fn transfer_to_police(
        &self,
        request: Ask<pb::TransferToPoliceRequest>,
    ) -> Answer<pb::TransferToPoliceResponse> {
        step_method!(
            self,
            request,
            "TransferToPolice",
            TransferToPoliceResponse,
            TransferredToPolice
        )
    }

    async fn return_from_police(
        &self,
        request: Ask<pb::ReturnFromPoliceRequest>,
    ) -> Answer<pb::ReturnFromPoliceResponse> {
        step_method!(self, request, "ReturnFromPolice", ReturnFromPoliceResponse, ReturnedByPolice)
    }

    async fn offer_transfer(
        &self,
        request: Ask<pb::OfferTransferRequest>,
    ) -> Answer<pb::OfferTransferResponse> {
        answer!(self, request, "OfferTransfer", OfferTransferResponse, |who, asked, write| {
            let to = read::city("to_city", asked.to_city)?;
            let make = |effective_on| Ok(CaseMove::TransferOffered { to, effective_on });
            self.step(&who, write, moved!(asked), make, Vec::new()).await
        })
    }

    async fn accept_transfer(
        &self,
        request: Ask<pb::AcceptTransferRequest>,
    ) -> Answer<pb::AcceptTransferResponse> {
        move_method!(self, request, "AcceptTransfer", AcceptTransferResponse, TransferAccepted)
    }

    async fn return_transfer(
        &self,
        request: Ask<pb::ReturnTransferRequest>,
    ) -> Answer<pb::ReturnTransferResponse> {
        move_method!(self, request, "ReturnTransfer", ReturnTransferResponse, TransferReturned)
    }

    async fn dispute_transfer(
        &self,
        request: Ask<pb::DisputeTransferRequest>,
    ) -> Answer<pb::DisputeTransferResponse> {
        move_method!(self, request, "DisputeTransfer", DisputeTransferResponse, TransferDisputed)
    }

    async fn designate_jurisdiction(
        &self,
        request: Ask<pb::DesignateJurisdictionRequest>,
    ) -> Answer<pb::DesignateJurisdictionResponse> {
        answer!(
            self,
            request,
            "DesignateJurisdiction",
            DesignateJurisdictionResponse,
            |who, asked, write| {
                let city = read::city("city", asked.city)?;
                let authority = read::authority(asked.authority)?;
                let designated_on =
                    self.date_or_today("designated_on", asked.designated_on.as_ref())?;
                let mut mv = moved!(asked);
                if !asked.document_number.is_empty() {
                    mv.text = format!("{}\n{}", asked.document_number, mv.text).trim().to_owned();
                }
                let make = |effective_on| {
                    Ok(CaseMove::JurisdictionDesignated {
                        city,
                        authority,
                        designated_on,
                        effective_on,
                    })
                };
                self.step(&who, write, mv, make, Vec::new()).await
            }
        )
    }

    async fn adopt_proposal(
        &self,
        request: Ask<pb::AdoptProposalRequest>,
    ) -> Answer<pb::AdoptProposalResponse> {
        answer!(self, request, "AdoptProposal", AdoptProposalResponse, |who, asked, write| {
            let proposal = read::position("proposal", &asked.proposal)?;
            let facts = asked.facts.as_ref().map(|f| read::facts(Some(f))).transpose()?;
            let record = asked.record.as_ref().map(|r| read::record(Some(r))).transpose()?;
            let make =
                |effective_on| Ok(CaseMove::ProposalAdopted { proposal, facts, effective_on });
            self.step(&who, write, moved!(asked), make, record_parts(record, None)).await
        })
    }

    async fn refuse_proposal(
        &self,
        request: Ask<pb::RefuseProposalRequest>,
    ) -> Answer<pb::RefuseProposalResponse> {
        answer!(self, request, "RefuseProposal", RefuseProposalResponse, |who, asked, write| {
            let proposal = read::position("proposal", &asked.proposal)?;
            let make = |effective_on| Ok(CaseMove::ProposalRefused { proposal, effective_on });
            self.step(&who, write, moved!(asked), make, Vec::new()).await
        })
    }

    async fn acknowledge_transfer(
        &self,
        request: Ask<pb::AcknowledgeTransferRequest>,
    ) -> Answer<pb::AcknowledgeTransferResponse> {
        add_method!(self, request, "AcknowledgeTransfer", AcknowledgeTransferResponse, |asked| {
            (CaseContribution::TransferAcknowledged, Vec::new())
        })
    }

    async fn request_recall(
        &self,
        request: Ask<pb::RequestRecallRequest>,
    ) -> Answer<pb::RequestRecallResponse> {
        add_method!(self, request, "RequestRecall", RequestRecallResponse, |asked| {
            (CaseContribution::TransferRecallRequested, Vec::new())
        })
    }

    async fn request_assistance(
        &self,
        request: Ask<pb::RequestAssistanceRequest>,
    ) -> Answer<pb::RequestAssistanceResponse> {
        add_method!(self, request, "RequestAssistance", RequestAssistanceResponse, |asked| {
            let to = read::city("to_city", asked.to_city)?;
            let due_on = self.date_or_today("due_on", asked.due_on.as_ref())?;
            (CaseContribution::AssistanceRequested { to, due_on }, Vec::new())
        })
    }

    async fn answer_assistance(
        &self,
        request: Ask<pb::AnswerAssistanceRequest>,
    ) -> Answer<pb::AnswerAssistanceResponse> {
        add_method!(self, request, "AnswerAssistance", AnswerAssistanceResponse, |asked| {
            let request = read::position("request", &asked.request)?;
            (CaseContribution::AssistanceAnswered { request }, Vec::new())
        })
    }

    async fn add_note(&self, request: Ask<pb::AddNoteRequest>) -> Answer<pb::AddNoteResponse> {
        answer!(self, request, "AddNote", AddNoteResponse, |who, asked, write| {
            let (agreement, subject) = read::case_name(&asked.name)?;
            let cities: Result<Vec<CityCode>, Refused> =
                asked.cities.iter().map(|c| read::city("cities", *c)).collect();
            let mut cities = cities?;
            cities.sort_unstable();
            cities.dedup();
            let audience =
                if cities.is_empty() { Audience::AllMembers } else { Audience::Cities(cities) };
            let parts = vec![NewPart { audience, content: PartContent::Text(asked.text) }];
            let contribution = CaseContribution::NoteAdded;
            let command = Command::Contribute { agreement, subject, contribution, parts };
            self.write(&who, write, command).await
        })
    }

    async fn add_evidence(
        &self,
        request: Ask<pb::AddEvidenceRequest>,
    ) -> Answer<pb::AddEvidenceResponse> {
        add_method!(self, request, "AddEvidence", AddEvidenceResponse, |asked| {
            let evidence: Vec<Evidence> = read::evidence(&asked.evidence)?;
            let part = all_members(PartContent::Evidence(evidence));
            (CaseContribution::EvidenceAdded, vec![part])
        })
    }

    async fn propose_amendment(
        &self,
        request: Ask<pb::ProposeAmendmentRequest>,
    ) -> Answer<pb::ProposeAmendmentResponse> {
        add_method!(self, request, "ProposeAmendment", ProposeAmendmentResponse, |asked| {
            let record = asked.record.as_ref().map(|r| read::record(Some(r))).transpose()?;
            (CaseContribution::ProposalMade, record_parts(record, None))
        })
    }

    async fn record_police_detention(
        &self,
        request: Ask<pb::RecordPoliceDetentionRequest>,
    ) -> Answer<pb::RecordPoliceDetentionResponse> {
        add_method!(
            self,
            request,
            "RecordPoliceDetention",
            RecordPoliceDetentionResponse,
            |asked| {
                let effective_on =
                    self.date_or_today("effective_on", asked.effective_on.as_ref())?;
                (CaseContribution::PoliceDetentionTransferred { effective_on }, Vec::new())
            }
        )
    }

    async fn record_parts_received(
        &self,
        request: Ask<pb::RecordPartsReceivedRequest>,
    ) -> Answer<pb::RecordPartsReceivedResponse> {
        add_method!(self, request, "RecordPartsReceived", RecordPartsReceivedResponse, |asked| {
            (CaseContribution::PartsReceived, Vec::new())
        })
    }

    async fn grant_part(
        &self,
        request: Ask<pb::GrantPartRequest>,
    ) -> Answer<pb::GrantPartResponse> {
        add_method!(self, request, "GrantPart", GrantPartResponse, |asked| {
            let entry = read::position("entry", &asked.entry)?;
            let to = read::city("to_city", asked.to_city)?;
            (CaseContribution::PartGranted { entry, part: asked.part, to }, Vec::new())
        })
    }

    async fn link_continuation(
        &self,
        request: Ask<pb::LinkContinuationRequest>,
    ) -> Answer<pb::LinkContinuationResponse> {
        add_method!(self, request, "LinkContinuation", LinkContinuationResponse, |asked| {
            let (agreement, subject) = read::case_name(&asked.other_case)?;
            let contribution = if asked.continued_from {
                CaseContribution::ContinuedFrom { agreement, subject }
            } else {
                CaseContribution::ContinuedIn { agreement, subject }
            };
            (contribution, Vec::new())
        })
    }

    async fn get_case_history(
        &self,
        request: Ask<pb::GetCaseHistoryRequest>,
    ) -> Answer<pb::GetCaseHistoryResponse> {
        let who = called(&request, "/liandong.v1.CaseService/GetCaseHistory").map_err(|s| *s)?;
        let asked = request.into_inner();
        let history = self.history(&who, &asked).await;
        history.map(Response::new).map_err(|refused| refused.status(who.language))
    }

    type WatchCasesStream = Changes;

    async fn watch_cases(&self, request: Ask<pb::WatchCasesRequest>) -> Answer<Changes> {
        let who = called(&request, "/liandong.v1.CaseService/WatchCases").map_err(|s| *s)?;
        let asked = request.into_inner();
        let started = self.start_watch(&asked);
        let (only, from) = started.map_err(|refused| refused.status(who.language))?;
        let (changes, stream) = mpsc::channel(64);
        tokio::spawn(watch(self.node.clone(), who, only, from, changes));
        Ok(Response::new(Box::pin(ReceiverStream::new(stream).map(Ok))))
    }
}

impl CaseApi {
    fn cursor_at(&self, apply: u64) -> String {
        cursor(&self.node, apply)
    }

    fn cursor(&self) -> String {
        let reader = self.node.reader();
        let apply = reader.apply_number(&reader.view());
        self.cursor_at(apply)
    }

    fn start_watch(
        &self,
        asked: &pb::WatchCasesRequest,
    ) -> Result<(Option<AgreementId>, u64), Refused> {
        let only = read::parent(&asked.parent)?;
        if only.is_some_and(|id| self.node.book().get(id).is_none()) {
            return Err(Refused::new("NOT_FOUND"));
        }
        let reader = self.node.reader();
        let now = reader.apply_number(&reader.view());
        if asked.cursor.is_empty() {
            return Ok((only, now));
        }
        let (journal, apply) =
            asked.cursor.split_once(':').ok_or(Refused::new("CURSOR_FORMAT").at("cursor"))?;
        let apply: u64 = apply.parse().map_err(|_| Refused::new("CURSOR_FORMAT").at("cursor"))?;
        if journal != crate::ids::hex(&reader.journal_id()) || apply > now {
            return Err(Refused::new("CURSOR_GONE"));
        }
        Ok((only, apply))
    }

    fn list(
        &self,
        who: &Called,
        asked: &pb::ListCasesRequest,
    ) -> Result<pb::ListCasesResponse, Refused> {
        let size = usize::try_from(asked.page_size)
            .map_err(|_| Refused::new("PAGE_SIZE").at("page_size"))?;
        let size = if size == 0 { 50 } else { size.min(PAGE_SIZE_MAX) };
        if asked.states.len() > 16 {
            return Err(Refused::new("FILTER_TOO_COMPLEX").at("states"));
        }
        if (asked.near_city == 0) != (asked.near_metres == 0) {
            return Err(Refused::new("FILTER_INCOMPLETE").at("near_metres"));
        }
        let only = read::parent(&asked.parent)?;
        let book = self.node.book();
        let agreements: Vec<AgreementId> = match only {
            Some(id) => book.get(id).map(|_| vec![id]).ok_or(Refused::new("NOT_FOUND"))?,
            None => book.iter().map(|(id, _)| *id).collect(),
        };
        let mut filter = asked.clone();
        filter.page_token = String::new();
        filter.page_size = 0;
        let seal = Seal::new(&self.node, &who.caller.identity, read::request_body(&filter));
        let after = seal.open(&asked.page_token)?;
        let states = read::states(&asked.states)?;
        let reader = self.node.reader();
        let rows = reader.view();
        let mut found: Vec<(AgreementId, SubjectId, CaseView)> = Vec::new();
        let (mut looked, mut total) = (0, 0);
        for agreement in agreements {
            view::cases_newest_first(&rows, agreement, None, &mut |subject, view| {
                looked += 1;
                if matches(asked, &states, &view) {
                    total += 1;
                    if after.is_none_or(|after| view.opened_apply < after) {
                        found.push((agreement, subject, view));
                    }
                }
                looked < SCAN_ROWS_MAX
            });
        }
        let apply = reader.apply_number(&rows);
        drop(rows);
        found.sort_by_key(|(_, _, view)| std::cmp::Reverse(view.opened_apply));
        let mut cases = Vec::new();
        let mut next = String::new();
        for (agreement, subject, view) in found {
            if cases.len() == size {
                break;
            }
            let case = case_read::written(&self.node, &reader, agreement, subject, &view);
            if wanted(asked, &case) {
                cases.push(case);
                next = seal.close(view.opened_apply);
            }
        }
        if cases.len() < size {
            next = String::new();
        }
        Ok(pb::ListCasesResponse {
            cases,
            next_page_token: next,
            total_size: total,
            total_is_partial: looked >= SCAN_ROWS_MAX,
            cursor: self.cursor_at(apply),
        })
    }

    async fn history(
        &self,
        who: &Called,
        asked: &pb::GetCaseHistoryRequest,
    ) -> Result<pb::GetCaseHistoryResponse, Refused> {
        let size = usize::try_from(asked.page_size)
            .map_err(|_| Refused::new("PAGE_SIZE").at("page_size"))?;
        let size = if size == 0 { 100 } else { size.min(PAGE_SIZE_MAX) };
        let (agreement, subject) = read::case_name(&asked.name)?;
        let seal = Seal::new(&self.node, &who.caller.identity, asked.name.clone().into_bytes());
        let from = seal.open(&asked.page_token)?.map_or(0, |last| last + 1);
        let status = self.node.status().await.ok_or(Refused::new("STOPPING"))?;
        let witnesses: Vec<_> = status
            .logs
            .iter()
            .filter(|l| l.agreement == agreement)
            .map(|l| (l.log, l.city))
            .collect();
        let reader = self.node.reader();
        let rows = reader.view();
        if view::case(&rows, agreement, subject).is_none() {
            return Err(Refused::new("NOT_FOUND"));
        }
        let mut found = Vec::new();
        view::history(&rows, agreement, subject, from, &mut |entry| {
            found.push(entry);
            found.len() < size
        });
        drop(rows);
        let last = found.last().map(|e: &HistoryEntry| e.apply).filter(|_| found.len() == size);
        let entries = found.into_iter().map(|e| history_out(&reader, &witnesses, e)).collect();
        let next_page_token = last.map(|apply| seal.close(apply)).unwrap_or_default();
        Ok(pb::GetCaseHistoryResponse { entries, next_page_token })
    }
}

fn history_out(
    reader: &crate::node::reader::Reader,
    witnesses: &[(crate::ids::LogId, CityCode)],
    entry: HistoryEntry,
) -> pb::HistoryEntry {
    let at = entry.position;
    let logs: Vec<_> = witnesses.iter().map(|(log, _)| *log).collect();
    let holdings = reader.holdings(at, &logs).into_iter().filter_map(|(log, time_s)| {
        let city = witnesses.iter().find(|(l, _)| *l == log).map(|(_, c)| *c)?;
        let ms = i64::try_from(time_s).unwrap_or(0).saturating_mul(1000);
        Some(pb::Holding { city: city.as_u32(), hold_time: Some(read::timestamp(ms)) })
    });
    let holdings = holdings.collect();
    let (effect, reason) = match &entry.effect {
        Effect::Opened | Effect::Move => (pb::EntryEffect::Move, String::new()),
        Effect::Contribution | Effect::Other => (pb::EntryEffect::Contribution, String::new()),
        Effect::Misfit(reason) => (pb::EntryEffect::Misfit, reason.clone()),
        Effect::Newer => (pb::EntryEffect::Newer, String::new()),
    };
    let loaded = reader.entry(at).ok();
    let envelope = loaded.as_ref().map(|l| &l.entry.envelope);
    let texts = loaded.as_ref().map(|l| texts(reader, &l.entry)).unwrap_or_default();
    let effective_on = loaded.as_ref().and_then(|l| l.event.effective_on()).map(read::date_out);
    let actor = |a: Option<crate::log::ActorRef>| a.map(|a| a.id.to_string()).unwrap_or_default();
    pb::HistoryEntry {
        entry: at.to_string(),
        city: entry.city.as_u32(),
        effect: effect.into(),
        misfit_reason: reason,
        record_time: Some(read::timestamp(entry.record_time_ms)),
        clock_suspect: envelope.is_some_and(|e| e.clock_suspect),
        effective_on,
        state: read::state_number(entry.state),
        header: loaded.as_ref().and_then(|l| read::header(&l.entry.header)),
        texts,
        holdings,
        actor: actor(envelope.and_then(|e| e.actor)),
        acting_for: actor(envelope.and_then(|e| e.acting_for)),
        apply_number: entry.apply,
    }
}

fn texts(reader: &crate::node::reader::Reader, entry: &crate::log::Entry) -> Vec<String> {
    let places = entry.parts.iter().enumerate().filter(|(_, s)| matches!(s, PartSlot::Bytes(_)));
    let text = |(place, _)| match reader.part(entry, place) {
        Ok(Some(PartContent::Text(text))) => Some(text),
        _ => None,
    };
    places.filter_map(text).collect()
}

fn matches(
    asked: &pb::ListCasesRequest,
    states: &[crate::domain::CaseState],
    view: &CaseView,
) -> bool {
    let case = &view.case;
    let city = |wanted: u32, got: Option<CityCode>| {
        wanted == 0 || got.is_some_and(|got| got.as_u32() == wanted)
    };
    let near = asked.near_city == 0
        || case
            .facts
            .borders
            .iter()
            .any(|b| b.city.as_u32() == asked.near_city && b.metres <= asked.near_metres);
    (states.is_empty() || states.contains(&case.state))
        && city(asked.handling_city, Some(case.handling))
        && city(asked.originating_city, Some(case.originating))
        && city(asked.turn_city, case.turn)
        && near
}

/// What only the parts can tell.
fn wanted(asked: &pb::ListCasesRequest, case: &pb::Case) -> bool {
    let external = case.external_ref.as_ref().map_or("", |e| e.number.as_str());
    (asked.number.is_empty() || asked.number == case.number)
        && (asked.external_number.is_empty() || asked.external_number == external)
}

/// Seals page tokens: bound to caller and filter.
struct Seal {
    key: crate::trust::keys::HmacKey,
    caller: Vec<u8>,
    filter: Vec<u8>,
}

impl Seal {
    fn new(node: &NodeHandle, caller: &str, filter: Vec<u8>) -> Self {
        let key = crate::trust::keys::HmacKey::new(node.page_key());
        Self { key, caller: caller.as_bytes().to_vec(), filter }
    }

    fn close(&self, place: u64) -> String {
        let tag = self.key.tag(&[&self.caller, &self.filter, &place.to_be_bytes()]);
        format!("{place}.{tag}")
    }

    fn open(&self, token: &str) -> Result<Option<u64>, Refused> {
        if token.is_empty() {
            return Ok(None);
        }
        let bad = || Refused::new("PAGE_TOKEN").at("page_token");
        let (place, _) = token.split_once('.').ok_or_else(bad)?;
        let place: u64 = place.parse().map_err(|_| bad())?;
        if self.close(place) == token { Ok(Some(place)) } else { Err(bad()) }
    }
}

fn cursor(node: &NodeHandle, apply: u64) -> String {
    format!("{}:{apply}", crate::ids::hex(&node.reader().journal_id()))
}

/// Sends every change behind `from`, and a sign of life now and then.
async fn watch(
    node: NodeHandle,
    who: Called,
    only: Option<AgreementId>,
    from: u64,
    changes: mpsc::Sender<pb::WatchCasesResponse>,
) {
    let mut applied = node.applied();
    let mut last = from;
    loop {
        let mut batch: Vec<FeedEntry> = Vec::new();
        view::feed(&node.reader().view(), last + 1, &mut |entry| {
            batch.push(entry);
            batch.len() < 256
        });
        for entry in &batch {
            last = entry.apply;
            let shown = only.is_none_or(|id| id == entry.agreement);
            let Some(subject) = entry.case.filter(|_| shown) else { continue };
            let change = pb::WatchCasesResponse {
                cursor: cursor(&node, entry.apply),
                case: case_read::read(&node, entry.agreement, subject),
                entry: entry.position.to_string(),
                heartbeat: false,
            };
            if changes.send(change).await.is_err() {
                return;
            }
        }
        if !batch.is_empty() {
            continue;
        }
        tokio::select! {
            changed = applied.changed() => if changed.is_err() { return },
            () = who.peer.revoked.cancelled() => return,
            () = changes.closed() => return,
            () = tokio::time::sleep(HEARTBEAT) => {
                let beat = pb::WatchCasesResponse {
                    cursor: cursor(&node, last),
                    case: None,
                    entry: String::new(),
                    heartbeat: true,
                };
                if changes.send(beat).await.is_err() {
                    return;
                }
            }
        }
    }
}
