//! Events: the last field of a header.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "generated enums; read_event lists every event"
)]

use super::code::{Code, Read};
use super::error::{WireError, check_count};
use super::evidence;
use super::facts::{
    Reading, agreement_id, bytes, city, date, date_to_pb, facts_to_pb, hash, position,
    position_to_pb, subject_id,
};
use super::pb::v1 as pb;
use super::pb::v1::entry_header::Event as E;
use super::plan::read_event as read_plan;
use super::{plan, referral, site, unit};
use crate::domain::deadline::Milestone;
use crate::domain::{
    AuthorityLevel, CaseContribution, CaseFacts, CaseMove, CaseStep, ErasureReason, Event,
    MeetingAct, NoticeAct, NoticeKind, NoticeLevel,
};
use crate::limits::MEMBERS_MAX;

impl Code for ErasureReason {
    fn number(self) -> i32 {
        i32::from(match self {
            Self::Law => pb::ErasureReason::Law,
            Self::Mistake => pb::ErasureReason::Mistake,
            Self::Lost => pb::ErasureReason::Lost,
        })
    }

    fn read(number: i32) -> Read<Self> {
        match pb::ErasureReason::try_from(number) {
            Err(_) => Read::Newer,
            Ok(pb::ErasureReason::Unspecified) => Read::Unset,
            Ok(pb::ErasureReason::Law) => Read::Known(Self::Law),
            Ok(pb::ErasureReason::Mistake) => Read::Known(Self::Mistake),
            Ok(pb::ErasureReason::Lost) => Read::Known(Self::Lost),
        }
    }
}

/// Reads an event; [`Event::Newer`] if any code in it is in no list.
pub(super) fn read_event(event: &E) -> Result<Event, WireError> {
    let mut reading = Reading::default();
    let event = match event {
        E::ActorIntroduced(_) => Event::ActorIntroduced,
        E::RecoveryOverridden(e) => read_override(e)?,
        E::CharterAdopted(e) => {
            Event::CharterAdopted { charter: hash("charter_hash", &e.charter_hash)? }
        }
        E::PartErased(e) => Event::PartErased {
            entry: position("part_erased.entry", e.entry.as_ref())?,
            part: e.part,
            reason: reading.code("part_erased.reason", e.reason, ErasureReason::Law)?,
        },
        E::CaseOpened(e) => read_opening(&mut reading, e)?,
        E::CaseStepped(_)
        | E::CaseAmended(_)
        | E::ProposalAdopted(_)
        | E::ProposalRefused(_)
        | E::TransferOffered(_)
        | E::TransferAccepted(_)
        | E::TransferReturned(_)
        | E::TransferDisputed(_)
        | E::JurisdictionDesignated(_) => match read_move(&mut reading, event)? {
            Some(mv) => Event::CaseMove(mv),
            None => Event::Newer,
        },
        #[rustfmt::skip]
        E::PartGranted(_) | E::PartsReceived(_) | E::TransferAcknowledged(_)
        | E::TransferRecallRequested(_) | E::AssistanceRequested(_) | E::AssistanceAnswered(_)
        | E::NoteAdded(_) | E::EvidenceAdded(_) | E::ProposalMade(_)
        | E::PoliceDetentionTransferred(_) | E::MilestoneRecorded(_) | E::MilestoneWithdrawn(_)
        | E::EvidenceReceived(_) | E::EvidenceRecognised(_) | E::EvidenceDeclined(_)
        | E::CustodyRecorded(_)
        | E::CaseReferred(_) | E::PoliceAnswered(_) | E::ProcuratorateCopied(_)
        | E::ProcuratorateOpined(_) | E::CampaignTagged(_) | E::ContinuedIn(_)
        | E::ContinuedFrom(_) => match read_contribution(&mut reading, event)? {
            Some(contribution) => Event::Contribution(contribution),
            None => Event::Newer,
        },
        E::NoticeIssued(e) => read_notice(&mut reading, e)?,
        E::NoticeAcknowledged(_) => Event::NoticeAct(NoticeAct::Acknowledged),
        E::NoticeReported(_) => Event::NoticeAct(NoticeAct::Reported),
        E::NoticeEnded(_) => Event::NoticeAct(NoticeAct::Ended),
        E::MeetingCalled(e) => read_call(e)?,
        E::MinutesRecorded(e) => Event::MeetingAct(read_minutes(e)?),
        E::MinutesConfirmed(e) => Event::MeetingAct(MeetingAct::MinutesConfirmed {
            digest: hash("minutes_hash", &e.minutes_hash)?,
        }),
        E::MeetingCancelled(_) => Event::MeetingAct(MeetingAct::Cancelled),
        E::SiteRegistered(_) | E::SiteChanged(_) | E::SiteListed(_) | E::SiteChecked(_) => {
            site::read(&mut reading, event)?.unwrap_or(Event::Newer)
        }
        E::UnitRegistered(_) | E::UnitChanged(_) | E::UnitBlocked(_) | E::UnitFreed(_) => {
            unit::read_event(&mut reading, event)?
        }
        #[rustfmt::skip]
        E::PlanOpened(_) | E::PlanRevised(_) | E::PlanAmended(_) | E::PlanScheduled(_)
        | E::PlanRedrawn(_) | E::PlanBegun(_) | E::PlanSummarized(_) | E::PlanCancelled(_)
        | E::PlanAnswered(_) | E::PlanUnitsSwapped(_) | E::DrawCommitted(_) | E::DrawRevealed(_)
        | E::TeamArrived(_) | E::VisitReported(_) | E::FindingOpened(_)
        | E::PlanResultsReported(_) | E::PlanUnitsReleased(_) | E::PlanAnswerResolved(_)
            => read_plan(&mut reading, event)?,
    };
    Ok(if reading.newer { Event::Newer } else { event })
}

fn read_override(e: &pb::RecoveryOverridden) -> Result<Event, WireError> {
    check_count("cities", e.cities.len(), MEMBERS_MAX)?;
    let cities = e.cities.iter().map(|code| city("cities", *code));
    Ok(Event::RecoveryOverridden { cities: cities.collect::<Result<_, _>>()? })
}

fn read_notice(reading: &mut Reading, e: &pb::NoticeIssued) -> Result<Event, WireError> {
    check_count("cities", e.cities.len(), MEMBERS_MAX)?;
    let cities = e.cities.iter().map(|code| city("cities", *code));
    let level = match NoticeLevel::read(e.level) {
        Read::Unset => None,
        Read::Known(_) | Read::Newer => {
            Some(reading.code("notice.level", e.level, NoticeLevel::Four)?)
        }
    };
    Ok(Event::NoticeIssued {
        kind: reading.code("notice.kind", e.kind, NoticeKind::General)?,
        level,
        addressees: cities.collect::<Result<_, _>>()?,
    })
}

fn read_opening(reading: &mut Reading, e: &pb::CaseOpened) -> Result<Event, WireError> {
    Ok(Event::CaseOpened {
        facts: required_facts(reading, e.facts.as_ref())?,
        effective_on: effective_on(e.effective_on.as_ref())?,
    })
}

fn read_minutes(e: &pb::MinutesRecorded) -> Result<MeetingAct, WireError> {
    Ok(MeetingAct::MinutesRecorded {
        digest: hash("minutes_hash", &e.minutes_hash)?,
        held_on: date("held_on", e.held_on.as_ref())?,
    })
}

fn read_call(e: &pb::MeetingCalled) -> Result<Event, WireError> {
    Ok(Event::MeetingCalled {
        on: date("on", e.on.as_ref())?,
        number: e.number,
        chair: city("chair", e.chair)?,
        due_chair: city("due_chair", e.due_chair)?,
    })
}

fn required_facts(
    reading: &mut Reading,
    facts: Option<&pb::CaseFacts>,
) -> Result<CaseFacts, WireError> {
    reading.facts(facts.ok_or(WireError::Missing { field: "facts" })?)
}

fn effective_on(on: Option<&pb::Date>) -> Result<crate::domain::Date, WireError> {
    date("effective_on", on)
}

/// Reads a move; `None` when the event is none, which the caller has ruled out.
fn read_move(reading: &mut Reading, event: &E) -> Result<Option<CaseMove>, WireError> {
    Ok(Some(match event {
        E::CaseStepped(e) => CaseMove::Stepped {
            step: reading.code("step", e.step, CaseStep::Archived)?,
            effective_on: effective_on(e.effective_on.as_ref())?,
        },
        E::CaseAmended(e) => CaseMove::Amended {
            facts: required_facts(reading, e.facts.as_ref())?,
            effective_on: effective_on(e.effective_on.as_ref())?,
        },
        E::ProposalAdopted(e) => CaseMove::ProposalAdopted {
            proposal: position("proposal", e.proposal.as_ref())?,
            facts: e.facts.as_ref().map(|facts| reading.facts(facts)).transpose()?,
            effective_on: effective_on(e.effective_on.as_ref())?,
        },
        E::ProposalRefused(e) => CaseMove::ProposalRefused {
            proposal: position("proposal", e.proposal.as_ref())?,
            effective_on: effective_on(e.effective_on.as_ref())?,
        },
        E::TransferOffered(e) => CaseMove::TransferOffered {
            to: city("to", e.to)?,
            effective_on: effective_on(e.effective_on.as_ref())?,
        },
        E::TransferAccepted(e) => {
            CaseMove::TransferAccepted { effective_on: effective_on(e.effective_on.as_ref())? }
        }
        E::TransferReturned(e) => {
            CaseMove::TransferReturned { effective_on: effective_on(e.effective_on.as_ref())? }
        }
        E::TransferDisputed(e) => {
            CaseMove::TransferDisputed { effective_on: effective_on(e.effective_on.as_ref())? }
        }
        E::JurisdictionDesignated(e) => CaseMove::JurisdictionDesignated {
            city: city("city", e.city)?,
            authority: reading.code("authority", e.authority, AuthorityLevel::Ministry)?,
            designated_on: date("designated_on", e.designated_on.as_ref())?,
            effective_on: effective_on(e.effective_on.as_ref())?,
        },
        _ => return Ok(None),
    }))
}

/// Reads a contribution; `None` when the event is none, which the caller has ruled out.
fn read_contribution(
    reading: &mut Reading,
    event: &E,
) -> Result<Option<CaseContribution>, WireError> {
    use CaseContribution as C;
    Ok(Some(match event {
        E::TransferAcknowledged(_) => C::TransferAcknowledged,
        E::TransferRecallRequested(_) => C::TransferRecallRequested,
        E::AssistanceRequested(e) => C::AssistanceRequested {
            to: city("to", e.to)?,
            due_on: date("due_on", e.due_on.as_ref())?,
        },
        E::AssistanceAnswered(e) => {
            C::AssistanceAnswered { request: position("request", e.request.as_ref())? }
        }
        E::NoteAdded(_) => C::NoteAdded,
        E::EvidenceAdded(_) => C::EvidenceAdded,
        E::ProposalMade(_) => C::ProposalMade,
        E::PoliceDetentionTransferred(e) => {
            C::PoliceDetentionTransferred { effective_on: effective_on(e.effective_on.as_ref())? }
        }
        E::MilestoneRecorded(e) => C::MilestoneRecorded {
            milestone: reading.code("milestone", e.milestone, Milestone::OutcomeReported)?,
            effective_on: effective_on(e.effective_on.as_ref())?,
        },
        E::MilestoneWithdrawn(e) => C::MilestoneWithdrawn {
            entry: position("milestone_withdrawn.entry", e.entry.as_ref())?,
        },
        E::EvidenceReceived(_)
        | E::EvidenceRecognised(_)
        | E::EvidenceDeclined(_)
        | E::CustodyRecorded(_) => return evidence::read(reading, event),
        E::CaseReferred(_)
        | E::PoliceAnswered(_)
        | E::ProcuratorateCopied(_)
        | E::ProcuratorateOpined(_)
        | E::CampaignTagged(_) => return referral::read(reading, event),
        E::PartsReceived(_) => C::PartsReceived,
        E::PartGranted(e) => C::PartGranted {
            entry: position("part_granted.entry", e.entry.as_ref())?,
            part: e.part,
            to: city("part_granted.city", e.city)?,
        },
        E::ContinuedIn(e) => C::ContinuedIn {
            agreement: agreement_id("agreement_id", &e.agreement_id)?,
            subject: subject_id("subject_id", &e.subject_id)?,
        },
        E::ContinuedFrom(e) => C::ContinuedFrom {
            agreement: agreement_id("agreement_id", &e.agreement_id)?,
            subject: subject_id("subject_id", &e.subject_id)?,
        },
        _ => return Ok(None),
    }))
}

/// The message of an event; `None` for one that only newer programs can write.
pub(super) fn event_to_pb(event: &Event) -> Option<E> {
    Some(match event {
        Event::ActorIntroduced => E::ActorIntroduced(pb::ActorIntroduced {}),
        Event::RecoveryOverridden { cities } => {
            let cities = cities.iter().map(|city| city.as_u32()).collect();
            E::RecoveryOverridden(pb::RecoveryOverridden { cities })
        }
        Event::CharterAdopted { charter } => {
            E::CharterAdopted(pb::CharterAdopted { charter_hash: bytes(charter.as_bytes()) })
        }
        Event::PartErased { entry, part, reason } => E::PartErased(pb::PartErased {
            entry: Some(position_to_pb(*entry)),
            part: *part,
            reason: reason.number(),
        }),
        Event::CaseOpened { facts, effective_on } => opened(facts, *effective_on),
        Event::CaseMove(mv) => move_to_pb(mv),
        Event::Contribution(contribution) => contribution_to_pb(contribution),
        Event::NoticeIssued { kind, level, addressees } => E::NoticeIssued(pb::NoticeIssued {
            kind: kind.number(),
            level: level.map_or(0, |level| level.number()),
            cities: addressees.iter().map(|city| city.as_u32()).collect(),
        }),
        Event::NoticeAct(NoticeAct::Acknowledged) => {
            E::NoticeAcknowledged(pb::NoticeAcknowledged {})
        }
        Event::NoticeAct(NoticeAct::Reported) => E::NoticeReported(pb::NoticeReported {}),
        Event::NoticeAct(NoticeAct::Ended) => E::NoticeEnded(pb::NoticeEnded {}),
        Event::MeetingCalled { on, number, chair, due_chair } => {
            E::MeetingCalled(pb::MeetingCalled {
                on: Some(date_to_pb(*on)),
                number: *number,
                chair: chair.as_u32(),
                due_chair: due_chair.as_u32(),
            })
        }
        Event::MeetingAct(act) => meeting_act_to_pb(*act),
        Event::SiteRegistered { facts } => site::registered_to_pb(facts),
        Event::SiteAct(act) => site::act_to_pb(act),
        Event::UnitRegistered { facts } => {
            E::UnitRegistered(pb::UnitRegistered { facts: Some(unit::facts_to_pb(facts)) })
        }
        Event::UnitAct(act) => unit::act_to_pb(act),
        Event::PlanOpened { facts } => plan::opened_to_pb(facts),
        Event::PlanMove(mv) => plan::move_to_pb(mv),
        Event::PlanAct(act) => plan::act_to_pb(act),
        Event::Newer => return None,
    })
}

fn meeting_act_to_pb(act: MeetingAct) -> E {
    match act {
        MeetingAct::MinutesRecorded { digest, held_on } => {
            E::MinutesRecorded(pb::MinutesRecorded {
                minutes_hash: bytes(digest.as_bytes()),
                held_on: Some(date_to_pb(held_on)),
            })
        }
        MeetingAct::MinutesConfirmed { digest } => {
            let minutes_hash = bytes(digest.as_bytes());
            E::MinutesConfirmed(pb::MinutesConfirmed { minutes_hash })
        }
        MeetingAct::Cancelled => E::MeetingCancelled(pb::MeetingCancelled {}),
    }
}

fn opened(facts: &CaseFacts, on: crate::domain::Date) -> E {
    let facts = Some(facts_to_pb(facts));
    E::CaseOpened(pb::CaseOpened { facts, effective_on: Some(date_to_pb(on)) })
}

fn move_to_pb(mv: &CaseMove) -> E {
    let effective_on = Some(date_to_pb(mv.effective_on()));
    match mv {
        CaseMove::Opened { facts, effective_on } => opened(facts, *effective_on),
        CaseMove::Stepped { step, .. } => {
            E::CaseStepped(pb::CaseStepped { step: step.number(), effective_on })
        }
        CaseMove::Amended { facts, .. } => {
            E::CaseAmended(pb::CaseAmended { facts: Some(facts_to_pb(facts)), effective_on })
        }
        CaseMove::ProposalAdopted { proposal, facts, .. } => {
            let proposal = Some(position_to_pb(*proposal));
            let facts = facts.as_ref().map(facts_to_pb);
            E::ProposalAdopted(pb::ProposalAdopted { proposal, facts, effective_on })
        }
        CaseMove::ProposalRefused { proposal, .. } => {
            let proposal = Some(position_to_pb(*proposal));
            E::ProposalRefused(pb::ProposalRefused { proposal, effective_on })
        }
        CaseMove::TransferOffered { to, .. } => {
            E::TransferOffered(pb::TransferOffered { to: to.as_u32(), effective_on })
        }
        CaseMove::TransferAccepted { .. } => {
            E::TransferAccepted(pb::TransferAccepted { effective_on })
        }
        CaseMove::TransferReturned { .. } => {
            E::TransferReturned(pb::TransferReturned { effective_on })
        }
        CaseMove::TransferDisputed { .. } => {
            E::TransferDisputed(pb::TransferDisputed { effective_on })
        }
        CaseMove::JurisdictionDesignated { city, authority, designated_on, .. } => {
            E::JurisdictionDesignated(pb::JurisdictionDesignated {
                city: city.as_u32(),
                authority: authority.number(),
                designated_on: Some(date_to_pb(*designated_on)),
                effective_on,
            })
        }
    }
}

fn contribution_to_pb(contribution: &CaseContribution) -> E {
    use CaseContribution as C;
    match contribution {
        C::TransferAcknowledged => E::TransferAcknowledged(pb::TransferAcknowledged {}),
        C::TransferRecallRequested => E::TransferRecallRequested(pb::TransferRecallRequested {}),
        C::AssistanceRequested { to, due_on } => E::AssistanceRequested(pb::AssistanceRequested {
            to: to.as_u32(),
            due_on: Some(date_to_pb(*due_on)),
        }),
        C::AssistanceAnswered { request } => {
            let request = Some(position_to_pb(*request));
            E::AssistanceAnswered(pb::AssistanceAnswered { request })
        }
        C::NoteAdded => E::NoteAdded(pb::NoteAdded {}),
        C::EvidenceAdded => E::EvidenceAdded(pb::EvidenceAdded {}),
        C::ProposalMade => E::ProposalMade(pb::ProposalMade {}),
        C::PoliceDetentionTransferred { effective_on } => {
            let effective_on = Some(date_to_pb(*effective_on));
            E::PoliceDetentionTransferred(pb::PoliceDetentionTransferred { effective_on })
        }
        C::MilestoneRecorded { milestone, effective_on } => {
            E::MilestoneRecorded(pb::MilestoneRecorded {
                milestone: milestone.number(),
                effective_on: Some(date_to_pb(*effective_on)),
            })
        }
        C::MilestoneWithdrawn { entry } => {
            let entry = Some(position_to_pb(*entry));
            E::MilestoneWithdrawn(pb::MilestoneWithdrawn { entry })
        }
        C::Evidence { place, act } => evidence::to_pb(*place, *act),
        C::Referral(act) => referral::to_pb(act),
        C::PartsReceived => E::PartsReceived(pb::PartsReceived {}),
        C::PartGranted { entry, part, to } => E::PartGranted(pb::PartGranted {
            entry: Some(position_to_pb(*entry)),
            part: *part,
            city: to.as_u32(),
        }),
        C::ContinuedIn { agreement, subject } => E::ContinuedIn(pb::ContinuedIn {
            agreement_id: bytes(agreement.as_bytes()),
            subject_id: bytes(subject.as_bytes()),
        }),
        C::ContinuedFrom { agreement, subject } => E::ContinuedFrom(pb::ContinuedFrom {
            agreement_id: bytes(agreement.as_bytes()),
            subject_id: bytes(subject.as_bytes()),
        }),
    }
}
