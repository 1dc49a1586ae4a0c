//! Requests into commands: what each writing method asks for, read and nothing more.
//!
//! In scope: fields of requests, defaults such as "today". Out of scope: whether it may be done
//! (the node), who asks and how often ([`super::desk`]).

use super::case_service::CaseApi;
use super::desk::{WriteRequest, writes};
use crate::api::case_parts::{evidence_parts, record_parts};
use crate::api::request::{Command, NewPart, PartContent};
use crate::domain::{
    CaseContribution, CaseFacts, CaseMove, CaseRecord, CaseStep, Date, Evidence, InvalidReason,
    PersonRecord,
};
use crate::ids::{CaseKey, CityCode, Position};
use crate::log::{Audience, Entry, PartKind, PartRef, PartSlot};
use crate::node::evidence;
use crate::view::{self, CaseView, EntryRole};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::status::{self, Refused};

/// A request that moves a case.
pub trait MoveRequest: WriteRequest {
    /// The case.
    fn name(&self) -> &str;
    /// Its last move as the caller read it.
    fn etag(&self) -> &str;
    /// Legal date; today when absent.
    fn effective_on(&self) -> Option<&pb::Date>;
    /// Reason or note.
    fn text(&self) -> &str;
}

/// A request that adds to a case.
pub trait AddRequest: WriteRequest {
    /// The case.
    fn name(&self) -> &str;
    /// What is said.
    fn text(&self) -> &str;
}

macro_rules! moves {
    ($($request:ident)*) => {$(
        writes!(name: $request);
        impl MoveRequest for pb::$request {
            fn name(&self) -> &str {
                &self.name
            }

            fn etag(&self) -> &str {
                &self.etag
            }

            fn effective_on(&self) -> Option<&pb::Date> {
                self.effective_on.as_ref()
            }

            fn text(&self) -> &str {
                &self.text
            }
        }
    )*};
}

macro_rules! adds {
    ($($request:ident)*) => {$(
        writes!(name: $request);
        impl AddRequest for pb::$request {
            fn name(&self) -> &str {
                &self.name
            }

            fn text(&self) -> &str {
                &self.text
            }
        }
    )*};
}

impl WriteRequest for pb::CreateCaseRequest {
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

moves! {
    UpdateCaseRequest StartVerificationRequest DismissClueRequest FileCaseRequest
    StartInvestigationRequest ServeNoticeRequest OpenHearingRequest DecideCaseRequest
    DecideNoPenaltyRequest WithdrawCaseRequest RevokeDecisionRequest StartEnforcementRequest
    RequestCourtEnforcementRequest CloseCaseRequest ArchiveCaseRequest TransferToPoliceRequest
    ReturnFromPoliceRequest OfferTransferRequest AcceptTransferRequest ReturnTransferRequest
    DisputeTransferRequest DesignateJurisdictionRequest AdoptProposalRequest RefuseProposalRequest
}
adds! {
    AcknowledgeTransferRequest RequestRecallRequest RequestAssistanceRequest
    AnswerAssistanceRequest AddNoteRequest AddEvidenceRequest ProposeAmendmentRequest
    RecordPoliceDetentionRequest RecordMilestoneRequest RecordPartsReceivedRequest GrantPartRequest
    LinkContinuationRequest WithdrawMilestoneRequest
}

fn all_members(content: PartContent) -> NewPart {
    NewPart { audience: Audience::AllMembers, content }
}

fn text_part(text: String) -> NewPart {
    all_members(PartContent::Text(text))
}

/// Facts whose place stays: what the node found out about it stays with it.
fn at_the_same_place(given: CaseFacts, known: &CaseFacts) -> CaseFacts {
    CaseFacts {
        borders: known.borders.clone(),
        border_uncertain: known.border_uncertain,
        belt_exception: known.belt_exception,
        has_point: known.has_point,
        ..given
    }
}

/// Parts that carry a record and a person.
fn parts_of(record: Option<CaseRecord>, person: Option<PersonRecord>) -> Vec<NewPart> {
    let person = person
        .map(|p| NewPart { audience: Audience::HandlingCity, content: PartContent::Person(p) });
    record.into_iter().flat_map(record_parts).chain(person).collect()
}

impl CaseApi {
    fn date_or_today(&self, field: &'static str, date: Option<&pb::Date>) -> Result<Date, Refused> {
        let today = || self.node.today().ok_or(Refused::new("OUTSIDE_TERM"));
        read::date(field, date)?.map_or_else(today, Ok)
    }

    /// A move with its common fields, parts and text.
    fn move_of(
        &self,
        asked: &impl MoveRequest,
        make: impl FnOnce(Date) -> CaseMove,
        parts: Vec<NewPart>,
    ) -> Result<Command, Refused> {
        let (agreement, subject) = read::case_name(asked.name())?;
        if asked.etag().is_empty() {
            return Err(Refused::new("ETAG_REQUIRED").at("etag"));
        }
        let etag = read::position("etag", asked.etag())?;
        let effective_on = self.date_or_today("effective_on", asked.effective_on())?;
        let text = read::text("text", asked.text())?;
        let parts = parts.into_iter().chain(text.map(text_part)).collect();
        Ok(Command::MoveCase { agreement, subject, etag, mv: make(effective_on), parts })
    }

    /// A contribution with its common fields, parts and text.
    fn contribution_of(
        &self,
        asked: &impl AddRequest,
        contribution: CaseContribution,
        parts: Vec<NewPart>,
    ) -> Result<Command, Refused> {
        let (agreement, subject) = read::case_name(asked.name())?;
        let text = read::text("text", asked.text())?;
        let parts = parts.into_iter().chain(text.map(text_part)).collect();
        Ok(Command::Contribute { agreement, subject, contribution, parts })
    }

    /// A case that is here.
    fn known(&self, (agreement, subject): CaseKey) -> Result<CaseView, Refused> {
        let known = view::case(&self.node.reader().view(), agreement, subject);
        known.ok_or(Refused::new("NOT_FOUND"))
    }

    /// Whether an entry is one of the case that may be named so. Others would take no effect.
    fn names(&self, (agreement, subject): CaseKey, at: Position, role: EntryRole) -> bool {
        let entry = view::applied_entry(&self.node.reader().view(), at);
        entry.is_some_and(|entry| {
            entry.agreement == agreement && entry.subject == Some(subject) && entry.role == role
        })
    }

    /// A record is written anew by whoever has read all of it that is for this city: lists beside
    /// it that are still on their way would be in it no more, nor would those that have come since
    /// it was read, which no etag tells. Of an own one nothing comes.
    fn check_whole(
        &self,
        name: &str,
        record_at: Position,
        record: &CaseRecord,
    ) -> Result<(), Refused> {
        let reader = self.node.reader();
        let loaded = reader.entry(record_at).map_err(|_| status::corrupt(record_at))?;
        let Entry { envelope, parts, .. } = &loaded.entry;
        let rows = reader.view();
        let own = self.node.city();
        if view::applied_entry(&rows, record_at).is_none_or(|entry| entry.city == own) {
            return Ok(());
        }
        let comes = |(place, (part, slot)): (usize, (&PartRef, &PartSlot))| {
            part.kind == PartKind::Evidence
                && matches!(slot, PartSlot::Withheld)
                && view::may_hold(&rows, envelope, place, own)
        };
        let mut incomplete = envelope.parts.iter().zip(parts).enumerate().any(comes);
        drop(rows);
        let has = |item: &Evidence| record.evidence.iter().any(|one| one.sha256 == item.sha256);
        for (place, part) in envelope.parts.iter().enumerate() {
            if part.kind == PartKind::Evidence {
                let items = evidence::items(&reader, &loaded.entry, place);
                let items = items.map_err(|_| status::corrupt(record_at))?.unwrap_or_default();
                incomplete |= !items.iter().all(has);
            }
        }
        if incomplete {
            return Err(Refused::new("RECORD_INCOMPLETE").at("record").unless(name));
        }
        Ok(())
    }

    fn proposal(&self, case: CaseKey, text: &str) -> Result<Position, Refused> {
        let proposal = read::position("proposal", text)?;
        if self.names(case, proposal, EntryRole::Proposal) {
            Ok(proposal)
        } else {
            Err(Refused::new("NO_SUCH_PROPOSAL").at("proposal"))
        }
    }

    /// Only a part of an own entry of the same case is granted of which other members lack
    /// something: a narrow one, or a list with a file that not all of them may have.
    fn check_grantable(
        &self,
        (agreement, subject): CaseKey,
        at: Position,
        part: u32,
    ) -> Result<(), Refused> {
        let refused = || Refused::new("PART_NOT_GRANTABLE").at("entry");
        let reader = self.node.reader();
        let entry = view::applied_entry(&reader.view(), at).ok_or_else(refused)?;
        let own = entry.agreement == agreement
            && entry.subject == Some(subject)
            && entry.city == self.node.city();
        if !own {
            return Err(refused());
        }
        let loaded = reader.entry(at).map_err(|_| status::corrupt(at))?;
        let place = usize::try_from(part).map_err(|_| refused())?;
        let part = loaded.entry.envelope.parts.get(place).ok_or_else(refused)?;
        if part.audience != Audience::AllMembers {
            return Ok(());
        }
        let items = evidence::items(&reader, &loaded.entry, place);
        let items = items.map_err(|_| status::corrupt(at))?.unwrap_or_default();
        let keeps = |item: &Evidence| !item.level.is_for_all_members();
        if items.iter().any(keeps) { Ok(()) } else { Err(refused()) }
    }

    /// A plain step.
    pub(super) fn step(
        &self,
        asked: &impl MoveRequest,
        step: CaseStep,
    ) -> Result<Command, Refused> {
        self.moved(asked, |effective_on| CaseMove::Stepped { step, effective_on })
    }

    /// A move without anything but its date and text.
    pub(super) fn moved(
        &self,
        asked: &impl MoveRequest,
        make: impl FnOnce(Date) -> CaseMove,
    ) -> Result<Command, Refused> {
        self.move_of(asked, make, Vec::new())
    }

    /// A contribution without anything but its text.
    pub(super) fn add(
        &self,
        asked: &impl AddRequest,
        contribution: CaseContribution,
    ) -> Result<Command, Refused> {
        self.contribution_of(asked, contribution, Vec::new())
    }

    pub(super) fn open(&self, asked: &pb::CreateCaseRequest) -> Result<Command, Refused> {
        let agreement = read::parent(&asked.parent)?.ok_or(Refused::new("NOT_FOUND"))?;
        let facts = read::facts(asked.facts.as_ref())?;
        let record = read::record(asked.record.as_ref())?;
        self.check_bases(&record, &facts, None)?;
        Ok(Command::OpenCase {
            agreement,
            facts,
            record: Box::new(record),
            person: read::person(asked.person.as_ref())?,
            external_ref: read::external_ref(asked.external_ref.as_ref())?,
            effective_on: self.date_or_today("effective_on", asked.effective_on.as_ref())?,
        })
    }

    pub(super) fn amend(&self, asked: &pb::UpdateCaseRequest) -> Result<Command, Refused> {
        let case = read::case_name(&asked.name)?;
        let known = self.known(case)?;
        let facts = match &asked.facts {
            Some(facts) => read::facts(Some(facts))?,
            None => known.case.facts,
        };
        let record = read::record(asked.record.as_ref())?;
        self.check_bases(&record, &facts, Some(case))?;
        self.check_whole(&asked.name, known.record_at, &record)?;
        let parts = parts_of(Some(record), read::person(asked.person.as_ref())?);
        self.move_of(asked, |effective_on| CaseMove::Amended { facts, effective_on }, parts)
    }

    pub(super) fn offer(&self, asked: &pb::OfferTransferRequest) -> Result<Command, Refused> {
        let to = read::city("to_city", asked.to_city)?;
        self.moved(asked, |effective_on| CaseMove::TransferOffered { to, effective_on })
    }

    pub(super) fn designate(
        &self,
        asked: &pb::DesignateJurisdictionRequest,
    ) -> Result<Command, Refused> {
        let city = read::city("city", asked.city)?;
        let authority = read::authority(asked.authority)?;
        let designated_on = self.date_or_today("designated_on", asked.designated_on.as_ref())?;
        let number = read::reference("document_number", &asked.document_number)?;
        let mut asked = asked.clone();
        if let Some(number) = number {
            asked.text = format!("{number}\n{}", asked.text);
        }
        self.moved(&asked, |effective_on| CaseMove::JurisdictionDesignated {
            city,
            authority,
            designated_on,
            effective_on,
        })
    }

    pub(super) fn adopt(&self, asked: &pb::AdoptProposalRequest) -> Result<Command, Refused> {
        let (agreement, subject) = read::case_name(&asked.name)?;
        let proposal = self.proposal((agreement, subject), &asked.proposal)?;
        let given = asked.facts.as_ref().map(|f| read::facts(Some(f))).transpose()?;
        let record = asked.record.as_ref().map(|r| read::record(Some(r))).transpose()?;
        let CaseView { case, record_at, .. } = self.known((agreement, subject))?;
        let known = case.facts;
        if let Some(record) = &record {
            let facts = given.as_ref().unwrap_or(&known);
            self.check_bases(record, facts, Some((agreement, subject)))?;
            self.check_whole(&asked.name, record_at, record)?;
        }
        let facts = match (given, &record) {
            (None, None) => None,
            // Distances go with the record, so the facts are written anew with it.
            (given, Some(_)) => Some(given.unwrap_or(known)),
            (Some(given), None) => Some(at_the_same_place(given, &known)),
        };
        let make = |effective_on| CaseMove::ProposalAdopted { proposal, facts, effective_on };
        self.move_of(asked, make, parts_of(record, None))
    }

    pub(super) fn refuse(&self, asked: &pb::RefuseProposalRequest) -> Result<Command, Refused> {
        let proposal = self.proposal(read::case_name(&asked.name)?, &asked.proposal)?;
        if read::text("text", &asked.text)?.is_none() {
            return Err(read::wrong("text", InvalidReason::Required));
        }
        self.moved(asked, |effective_on| CaseMove::ProposalRefused { proposal, effective_on })
    }

    pub(super) fn ask_for_help(
        &self,
        asked: &pb::RequestAssistanceRequest,
    ) -> Result<Command, Refused> {
        let to = read::city("to_city", asked.to_city)?;
        let due_on = self.date_or_today("due_on", asked.due_on.as_ref())?;
        self.add(asked, CaseContribution::AssistanceRequested { to, due_on })
    }

    pub(super) fn answer_help(
        &self,
        asked: &pb::AnswerAssistanceRequest,
    ) -> Result<Command, Refused> {
        let request = read::position("request", &asked.request)?;
        let fits = self.names(read::case_name(&asked.name)?, request, EntryRole::AssistanceRequest);
        if !fits {
            return Err(Refused::new("NO_SUCH_REQUEST").at("request"));
        }
        self.add(asked, CaseContribution::AssistanceAnswered { request })
    }

    pub(super) fn note(&self, asked: &pb::AddNoteRequest) -> Result<Command, Refused> {
        let (agreement, subject) = read::case_name(&asked.name)?;
        let cities: Result<Vec<CityCode>, Refused> =
            asked.cities.iter().map(|c| read::city("cities", *c)).collect();
        let mut cities = cities?;
        let members = self.node.book().get(agreement).map(|a| a.cities()).unwrap_or_default();
        if let Some(stranger) = cities.iter().find(|city| !members.contains(city)) {
            return Err(Refused::new("RECEIVER_NOT_MEMBER").at("cities").with("city", stranger));
        }
        cities.sort_unstable();
        cities.dedup();
        let audience =
            if cities.is_empty() { Audience::AllMembers } else { Audience::Cities(cities) };
        let text = read::text("text", &asked.text)?;
        let text = text.ok_or_else(|| read::wrong("text", InvalidReason::Required))?;
        let parts = vec![NewPart { audience, content: PartContent::Text(text) }];
        let contribution = CaseContribution::NoteAdded;
        Ok(Command::Contribute { agreement, subject, contribution, parts })
    }

    pub(super) fn evidence(&self, asked: &pb::AddEvidenceRequest) -> Result<Command, Refused> {
        if asked.evidence.is_empty() {
            return Err(read::wrong("evidence", InvalidReason::Required));
        }
        let items = read::evidence(&asked.evidence)?;
        let parts = evidence_parts(items);
        self.contribution_of(asked, CaseContribution::EvidenceAdded, parts)
    }

    pub(super) fn propose(&self, asked: &pb::ProposeAmendmentRequest) -> Result<Command, Refused> {
        let record = asked.record.as_ref().map(|r| read::record(Some(r))).transpose()?;
        if record.is_none() && read::text("text", &asked.text)?.is_none() {
            return Err(read::wrong("text", InvalidReason::Required));
        }
        if let Some(record) = &record {
            let case = read::case_name(&asked.name)?;
            self.check_bases(record, &self.known(case)?.case.facts, Some(case))?;
        }
        let parts = parts_of(record, None);
        self.contribution_of(asked, CaseContribution::ProposalMade, parts)
    }

    pub(super) fn detention(
        &self,
        asked: &pb::RecordPoliceDetentionRequest,
    ) -> Result<Command, Refused> {
        let effective_on = self.date_or_today("effective_on", asked.effective_on.as_ref())?;
        self.add(asked, CaseContribution::PoliceDetentionTransferred { effective_on })
    }

    pub(super) fn withdraw_milestone(
        &self,
        asked: &pb::WithdrawMilestoneRequest,
    ) -> Result<Command, Refused> {
        let entry = read::position("entry", &asked.entry)?;
        self.add(asked, CaseContribution::MilestoneWithdrawn { entry })
    }

    pub(super) fn milestone(&self, asked: &pb::RecordMilestoneRequest) -> Result<Command, Refused> {
        let milestone = read::milestone(asked.milestone)?;
        let effective_on = self.date_or_today("effective_on", asked.effective_on.as_ref())?;
        self.add(asked, CaseContribution::MilestoneRecorded { milestone, effective_on })
    }

    pub(super) fn grant(&self, asked: &pb::GrantPartRequest) -> Result<Command, Refused> {
        let entry = read::position("entry", &asked.entry)?;
        let to = read::city("to_city", asked.to_city)?;
        self.check_grantable(read::case_name(&asked.name)?, entry, asked.part)?;
        self.add(asked, CaseContribution::PartGranted { entry, part: asked.part, to })
    }

    pub(super) fn link(&self, asked: &pb::LinkContinuationRequest) -> Result<Command, Refused> {
        let (agreement, subject) = read::case_name(&asked.other_case)?;
        if view::case(&self.node.reader().view(), agreement, subject).is_none() {
            return Err(Refused::new("NOT_FOUND").at("other_case"));
        }
        if read::case_name(&asked.name)?.0 == agreement {
            return Err(Refused::new("SAME_AGREEMENT").at("other_case"));
        }
        let contribution = if asked.continued_from {
            CaseContribution::ContinuedFrom { agreement, subject }
        } else {
            CaseContribution::ContinuedIn { agreement, subject }
        };
        self.add(asked, contribution)
    }
}
