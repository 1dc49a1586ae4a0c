//! Cases: every method of `CaseService`, a line each.
//!
//! In scope: which method does what. Out of scope: turning requests into commands
//! ([`super::case_command`]), writing ([`super::case_write`]), reading ([`super::case_list`],
//! [`super::case_history`], [`super::case_watch`], [`super::same_act`]).

use std::sync::Arc;

use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use super::audit_line::AuditLine;
use super::caller::{Called, called};
use super::case_read;
use super::case_watch::Changes;
use super::cursor;
use super::plan_visits;
use super::referral_record;
use super::under_way::WritesUnderWay;
use crate::audit::Audit;
use crate::domain::catalogue::Catalogue;
use crate::domain::{CaseContribution, CaseMove, CaseStep};
use crate::node::due::Due;
use crate::node::roll::Roll;
use crate::node::same_act::SameActs;
use crate::node::search::Search;
use crate::node::writer::NodeHandle;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::case_service_server::CaseService;
use crate::wire::status::Refused;

/// The service.
#[derive(Clone)]
pub struct CaseApi {
    /// The node.
    pub node: NodeHandle,
    /// Where deeds are noted.
    pub audit: Audit,
    /// Writes under way, of callers who have given up too.
    pub writes: WritesUnderWay,
    /// Terms that run.
    pub due: Due,
    /// Records that may be of one act.
    pub acts: SameActs,
    /// Against which legal bases are checked.
    pub catalogue: Arc<Catalogue>,
    /// All cases, by what lists judge them by.
    pub roll: Roll,
    /// Parties, for searching.
    pub search: Search,
    /// One count of statistics runs at a time.
    pub counting: Arc<Semaphore>,
}

/// The full name of a method, as the table of roles knows it.
macro_rules! method {
    ($name:ident) => {
        concat!("/liandong.v1.CaseService/", stringify!($name))
    };
}

/// The service from a table of its writing methods: each line says what command the request is.
/// Reading methods are written out below it.
macro_rules! case_service {
    ($($rpc:ident = $method:ident($ask:ident) -> $answer:ident: $command:expr;)*) => {
        #[tonic::async_trait]
        impl CaseService for CaseApi {
            $(
                async fn $rpc(&self, request: Request<pb::$ask>)
                -> Result<Response<pb::$answer>, Status> {
                    let done = self.perform(request, method!($method), $command).await?;
                    Ok(Response::new(pb::$answer { case: done.case, receipt: done.receipt }))
                }
            )*

            async fn get_case(&self, request: Request<pb::GetCaseRequest>)
            -> Result<Response<pb::GetCaseResponse>, Status> {
                let who = called(self.door(), &request, method!(GetCase)).map_err(|s| *s)?;
                let language = who.language;
                let found = self.get(who, request.into_inner()).await;
                found.map(Response::new).map_err(|refused| refused.status(language))
            }

            async fn list_cases(&self, request: Request<pb::ListCasesRequest>)
            -> Result<Response<pb::ListCasesResponse>, Status> {
                let who = called(self.door(), &request, method!(ListCases)).map_err(|s| *s)?;
                let language = who.language;
                let listed = self.list_cases_page(who, request.into_inner()).await;
                listed.map(Response::new).map_err(|refused| refused.status(language))
            }

            async fn assign_case(&self, request: Request<pb::AssignCaseRequest>)
            -> Result<Response<pb::AssignCaseResponse>, Status> {
                let who = called(self.door(), &request, method!(AssignCase)).map_err(|s| *s)?;
                let language = who.language;
                let assigned = self.assign(who, request.into_inner()).await;
                assigned.map(Response::new).map_err(|refused| refused.status(language))
            }

            async fn list_deadlines(&self, request: Request<pb::ListDeadlinesRequest>)
            -> Result<Response<pb::ListDeadlinesResponse>, Status> {
                let who = called(self.door(), &request, method!(ListDeadlines)).map_err(|s| *s)?;
                let language = who.language;
                let listed = self.due_page(who, request.into_inner()).await;
                listed.map(Response::new).map_err(|refused| refused.status(language))
            }

            async fn compute_statistics(&self, request: Request<pb::ComputeStatisticsRequest>)
            -> Result<Response<pb::ComputeStatisticsResponse>, Status> {
                let method = method!(ComputeStatistics);
                let who = called(self.door(), &request, method).map_err(|s| *s)?;
                let language = who.language;
                let counted = self.statistics(who, request.into_inner()).await;
                counted.map(Response::new).map_err(|refused| refused.status(language))
            }

            async fn get_case_history(&self, request: Request<pb::GetCaseHistoryRequest>)
            -> Result<Response<pb::GetCaseHistoryResponse>, Status> {
                let who = called(self.door(), &request, method!(GetCaseHistory)).map_err(|s| *s)?;
                let language = who.language;
                let history = self.history(who, request.into_inner()).await;
                history.map(Response::new).map_err(|refused| refused.status(language))
            }

            type WatchCasesStream = Changes;

            async fn watch_cases(&self, request: Request<pb::WatchCasesRequest>)
            -> Result<Response<Changes>, Status> {
                let who = called(self.door(), &request, method!(WatchCases)).map_err(|s| *s)?;
                let language = who.language;
                let changes = self.watch(who, request.get_ref());
                changes.map(Response::new).map_err(|refused| refused.status(language))
            }
        }
    };
}

case_service! {
    create_case = CreateCase(CreateCaseRequest) -> CreateCaseResponse:
        |api, asked| api.open(asked);
    update_case = UpdateCase(UpdateCaseRequest) -> UpdateCaseResponse:
        |api, asked| api.amend(asked);
    start_verification = StartVerification(StartVerificationRequest) -> StartVerificationResponse:
        |api, asked| api.step(asked, CaseStep::VerificationStarted);
    dismiss_clue = DismissClue(DismissClueRequest) -> DismissClueResponse:
        |api, asked| api.step(asked, CaseStep::ClueDismissed);
    file_case = FileCase(FileCaseRequest) -> FileCaseResponse:
        |api, asked| api.step(asked, CaseStep::Filed);
    start_investigation = StartInvestigation(StartInvestigationRequest)
        -> StartInvestigationResponse:
        |api, asked| api.step(asked, CaseStep::InvestigationStarted);
    serve_notice = ServeNotice(ServeNoticeRequest) -> ServeNoticeResponse:
        |api, asked| api.step(asked, CaseStep::NoticeServed);
    open_hearing = OpenHearing(OpenHearingRequest) -> OpenHearingResponse:
        |api, asked| api.step(asked, CaseStep::HearingOpened);
    decide_case = DecideCase(DecideCaseRequest) -> DecideCaseResponse:
        |api, asked| api.step(asked, CaseStep::Decided);
    decide_no_penalty = DecideNoPenalty(DecideNoPenaltyRequest) -> DecideNoPenaltyResponse:
        |api, asked| api.step(asked, CaseStep::NoPenaltyDecided);
    withdraw_case = WithdrawCase(WithdrawCaseRequest) -> WithdrawCaseResponse:
        |api, asked| api.step(asked, CaseStep::Withdrawn);
    revoke_decision = RevokeDecision(RevokeDecisionRequest) -> RevokeDecisionResponse:
        |api, asked| api.step(asked, CaseStep::Revoked);
    start_enforcement = StartEnforcement(StartEnforcementRequest) -> StartEnforcementResponse:
        |api, asked| api.step(asked, CaseStep::EnforcementStarted);
    request_court_enforcement = RequestCourtEnforcement(RequestCourtEnforcementRequest)
        -> RequestCourtEnforcementResponse:
        |api, asked| api.step(asked, CaseStep::CourtEnforcementRequested);
    close_case = CloseCase(CloseCaseRequest) -> CloseCaseResponse:
        |api, asked| api.step(asked, CaseStep::Closed);
    archive_case = ArchiveCase(ArchiveCaseRequest) -> ArchiveCaseResponse:
        |api, asked| api.step(asked, CaseStep::Archived);
    transfer_to_police = TransferToPolice(TransferToPoliceRequest) -> TransferToPoliceResponse:
        |api, asked| api.step(asked, CaseStep::TransferredToPolice);
    return_from_police = ReturnFromPolice(ReturnFromPoliceRequest) -> ReturnFromPoliceResponse:
        |api, asked| api.step(asked, CaseStep::ReturnedByPolice);
    offer_transfer = OfferTransfer(OfferTransferRequest) -> OfferTransferResponse:
        |api, asked| api.offer(asked);
    accept_transfer = AcceptTransfer(AcceptTransferRequest) -> AcceptTransferResponse:
        |api, asked| api.moved(asked, |effective_on| CaseMove::TransferAccepted { effective_on });
    return_transfer = ReturnTransfer(ReturnTransferRequest) -> ReturnTransferResponse:
        |api, asked| api.moved(asked, |effective_on| CaseMove::TransferReturned { effective_on });
    dispute_transfer = DisputeTransfer(DisputeTransferRequest) -> DisputeTransferResponse:
        |api, asked| api.moved(asked, |effective_on| CaseMove::TransferDisputed { effective_on });
    designate_jurisdiction = DesignateJurisdiction(DesignateJurisdictionRequest)
        -> DesignateJurisdictionResponse:
        |api, asked| api.designate(asked);
    adopt_proposal = AdoptProposal(AdoptProposalRequest) -> AdoptProposalResponse:
        |api, asked| api.adopt(asked);
    refuse_proposal = RefuseProposal(RefuseProposalRequest) -> RefuseProposalResponse:
        |api, asked| api.refuse(asked);
    acknowledge_transfer = AcknowledgeTransfer(AcknowledgeTransferRequest)
        -> AcknowledgeTransferResponse:
        |api, asked| api.add(asked, CaseContribution::TransferAcknowledged);
    request_recall = RequestRecall(RequestRecallRequest) -> RequestRecallResponse:
        |api, asked| api.add(asked, CaseContribution::TransferRecallRequested);
    request_assistance = RequestAssistance(RequestAssistanceRequest) -> RequestAssistanceResponse:
        |api, asked| api.ask_for_help(asked);
    answer_assistance = AnswerAssistance(AnswerAssistanceRequest) -> AnswerAssistanceResponse:
        |api, asked| api.answer_help(asked);
    add_note = AddNote(AddNoteRequest) -> AddNoteResponse:
        |api, asked| api.note(asked);
    add_evidence = AddEvidence(AddEvidenceRequest) -> AddEvidenceResponse:
        |api, asked| api.evidence(asked);
    propose_amendment = ProposeAmendment(ProposeAmendmentRequest) -> ProposeAmendmentResponse:
        |api, asked| api.propose(asked);
    record_police_detention = RecordPoliceDetention(RecordPoliceDetentionRequest)
        -> RecordPoliceDetentionResponse:
        |api, asked| api.detention(asked);
    record_milestone = RecordMilestone(RecordMilestoneRequest) -> RecordMilestoneResponse:
        |api, asked| api.milestone(asked);
    withdraw_milestone = WithdrawMilestone(WithdrawMilestoneRequest) -> WithdrawMilestoneResponse:
        |api, asked| api.withdraw_milestone(asked);
    record_parts_received = RecordPartsReceived(RecordPartsReceivedRequest)
        -> RecordPartsReceivedResponse:
        |api, asked| api.add(asked, CaseContribution::PartsReceived);
    grant_part = GrantPart(GrantPartRequest) -> GrantPartResponse:
        |api, asked| api.grant(asked);
    link_continuation = LinkContinuation(LinkContinuationRequest) -> LinkContinuationResponse:
        |api, asked| api.link(asked);
}

impl CaseApi {
    /// What a caller passes first.
    pub(super) fn door(&self) -> (&NodeHandle, &Audit) {
        (&self.node, &self.audit)
    }

    /// One case, off the threads that serve calls: the index of acts may have to catch up.
    async fn get(
        &self,
        who: Called,
        asked: pb::GetCaseRequest,
    ) -> Result<pb::GetCaseResponse, Refused> {
        let api = self.clone();
        let found = tokio::task::spawn_blocking(move || {
            let method = "/liandong.v1.CaseService/GetCase";
            let mut line = AuditLine::new(api.door(), &who, method, &asked.name);
            let found = api.found(&asked);
            line.foreign(found.iter().filter_map(|found| found.case.as_ref()));
            line.hinted(found.iter().filter_map(|found| found.same_acts.as_ref()));
            line.end(&found);
            found
        });
        found.await.unwrap_or(Err(Refused::new("STOPPING")))
    }

    fn found(&self, asked: &pb::GetCaseRequest) -> Result<pb::GetCaseResponse, Refused> {
        let (agreement, subject) = read::case_name(&asked.name)?;
        let (case, apply) = case_read::read_at(&self.node, agreement, subject)?;
        let complete = self.acts.catch_up(&self.node);
        let same_acts = self.same_acts(&self.node.reader(), (agreement, subject), complete);
        Ok(pb::GetCaseResponse {
            case: Some(case),
            cursor: cursor::at(&self.node, apply),
            deadlines: self.deadlines_of(agreement, subject),
            same_acts: Some(same_acts),
            referral_words: referral_record::words(&self.node.reader(), (agreement, subject)),
            findings: plan_visits::findings(&self.node.reader(), (agreement, subject)),
        })
    }
}
