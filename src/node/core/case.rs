//! Own cases: from what is asked to what will be written.
//!
//! In scope: running numbers, etags, what a move or contribution rests on here. Out of scope: what
//! a move means ([`crate::domain`]), building entries ([`super::write`]).

use crate::api::case_parts::record_parts;
use crate::api::request::{NewPart, PartContent, WriteError};
use crate::domain::{
    self, CaseContribution, CaseFacts, CaseMove, CaseRecord, Date, Event, ExternalRef, PersonRecord,
};
use crate::ids::{AgreementId, LogId, Position, SubjectId};
use crate::journal::Disk;
use crate::log::{Audience, Subject, SubjectKind};
use crate::node::core::news::named_entry;
use crate::node::core::write::{Decided, Draft, Opening};
use crate::node::core::{Core, keys};
use crate::store::Store;
use crate::view::{self, CaseView, ReadRows};

pub(super) struct OpenCase<'a> {
    pub facts: &'a CaseFacts,
    pub record: &'a CaseRecord,
    pub person: &'a Option<PersonRecord>,
    pub external_ref: &'a Option<ExternalRef>,
    pub on: Date,
}

impl<D: Disk, S: Store> Core<D, S> {
    pub(super) fn decide_open(
        &mut self,
        agreement: AgreementId,
        today: Date,
        opening: OpenCase<'_>,
    ) -> Result<Decided, WriteError> {
        let facts = self.with_borders(agreement, opening.facts, Some(opening.record))?;
        if let Some(external) = opening.external_ref {
            let key = keys::external(self.external_tag(external));
            let taken = self.group_rows().get(&key);
            if let Some((_, taken_by)) = taken.as_deref().and_then(keys::parse_case_value) {
                let field = "external_ref";
                return Err(WriteError::ExternalRefTaken { taken_by, field });
            }
        }
        let members = self.logs.members(agreement).to_vec();
        let by = self.settings.city;
        domain::decide_open(by, &members, today, &facts, opening.on)?;
        let (number, given) = self.next_number(agreement, opening.on.year())?;
        let mut parts = record_parts(opening.record.clone());
        parts.push(NewPart {
            audience: Audience::AllMembers,
            content: PartContent::CaseNumber { number, external_ref: opening.external_ref.clone() },
        });
        parts.extend(opening.person.clone().map(|person| NewPart {
            audience: Audience::HandlingCity,
            content: PartContent::Person(person),
        }));
        let event = Event::CaseOpened { facts, effective_on: opening.on };
        let subject = Subject { kind: SubjectKind::Case, id: None };
        let draft = Draft { subject, prev: None, event, parts };
        Ok(Decided { draft, record: None, opened_at: None, opens: Some(given) })
    }

    /// The number people say, counted per city and agreement and year.
    fn next_number(
        &mut self,
        agreement: AgreementId,
        year: i32,
    ) -> Result<(String, Opening), WriteError> {
        let row = self.group_rows().get(&keys::counter(agreement, year));
        let last = row.and_then(|r| r.try_into().ok()).map_or(0, u32::from_be_bytes);
        let number = last.saturating_add(1);
        let charter = &self.book.get(agreement).ok_or(WriteError::NotFound)?.charter;
        let text =
            charter.running_number(self.settings.city, year, number).ok_or(WriteError::NotFound)?;
        Ok((text, Opening::Number { year, number }))
    }

    fn case(&mut self, agreement: AgreementId, subject: SubjectId) -> Result<CaseView, WriteError> {
        let found = view::case(&self.group_rows(), agreement, subject);
        let case = found.ok_or(WriteError::NotFound)?;
        if case.needs_newer { Err(WriteError::NeedsNewerVersion) } else { Ok(case) }
    }

    pub(super) fn decide_move(
        &mut self,
        agreement: AgreementId,
        log: LogId,
        today: Date,
        (subject, etag): (SubjectId, Position),
        mv: &CaseMove,
        parts: &[NewPart],
    ) -> Result<Decided, WriteError> {
        let case = self.case(agreement, subject)?;
        if case.last_move != etag {
            return Err(WriteError::StaleEtag { current: case.last_move });
        }
        self.check_recovery(agreement, log, case.opened_at)?;
        self.check_leaning(agreement, subject, named_entry(&Event::CaseMove(mv.clone())))?;
        let record = parts.iter().find_map(|p| p.content.case_record());
        let mv = match mv.facts() {
            Some(facts) => mv.clone().with_facts(self.with_borders(agreement, facts, record)?),
            None => mv.clone(),
        };
        let members = self.logs.members(agreement).to_vec();
        let mv = domain::decide(&case.case, self.settings.city, &members, today, &mv)?;
        let subject_ref = Subject { kind: SubjectKind::Case, id: Some(subject) };
        let prev = Some(case.last_move);
        let event = Event::CaseMove(mv);
        let draft = Draft { subject: subject_ref, prev, event, parts: parts.to_vec() };
        let opened_at = Some(case.opened_at);
        Ok(Decided { draft, record: Some(subject), opened_at, opens: None })
    }

    pub(super) fn decide_contribution(
        &mut self,
        agreement: AgreementId,
        today: Date,
        subject: SubjectId,
        contribution: &CaseContribution,
        parts: &[NewPart],
    ) -> Result<Decided, WriteError> {
        let CaseView { case, opened_at, .. } = self.case(agreement, subject)?;
        let event = Event::Contribution(contribution.clone());
        self.check_leaning(agreement, subject, named_entry(&event))?;
        let by = self.settings.city;
        let members = self.logs.members(agreement).to_vec();
        domain::decide_contribution(&case, by, &members, today, contribution)?;
        self.check_milestone((agreement, subject), &case, contribution)?;
        let parts = self.parts_beside((agreement, subject), today, contribution, parts)?;
        let subject_ref = Subject { kind: SubjectKind::Case, id: Some(subject) };
        let draft = Draft { subject: subject_ref, prev: None, event, parts };
        let opened_at = Some(opened_at);
        Ok(Decided { draft, record: Some(subject), opened_at, opens: None })
    }

    /// What is asked for a milestone rests on what happened in the case.
    fn check_milestone(
        &mut self,
        (agreement, subject): (AgreementId, SubjectId),
        case: &domain::Case,
        contribution: &CaseContribution,
    ) -> Result<(), domain::Refusal> {
        use CaseContribution as C;
        let city = self.settings.city;
        let rows = self.group_rows();
        if let C::MilestoneWithdrawn { entry } = contribution {
            let stands = view::milestone_stands(&rows, (agreement, subject), (city, *entry));
            return if stands { Ok(()) } else { Err(domain::Refusal::NoSuchMilestone) };
        }
        let (milestone, on) = if let C::MilestoneRecorded { milestone, effective_on } = contribution
        {
            (Some(*milestone), *effective_on)
        } else if let C::PoliceDetentionTransferred { effective_on } = contribution {
            (None, *effective_on)
        } else {
            return Ok(());
        };
        let happened = view::happened(&rows, agreement, subject);
        domain::deadline::check_date(case, &happened, milestone, on)
    }
}
