//! What a city may ask for today: the transition table, and the checks only the asker can make.
//!
//! In scope: legal dates against today, the place and the plausibility of facts, who may
//! contribute what. Out of scope: belt, calendar, parts and bookings, which need the charter or
//! the store; the shell calls [`CaseFacts::check_belt`] and the record's own checks beside this.
//!
//! A fold never calls anything here: events of other cities are taken as [`next`] takes them.

use super::case::{AuthorityLevel, Case, CaseContribution, CaseMove, CaseState, CaseStep};
use super::date::Date;
use super::facts::CaseFacts;
use super::refusal::{Misfit, Refusal};
use super::transition::{next, open};
use crate::ids::CityCode;
use crate::limits::PARTS_MAX;

/// Decides on opening a case; `today` is the date in Beijing.
///
/// # Errors
/// A [`Refusal`]; nothing was changed.
pub fn decide_open(
    by: CityCode,
    members: &[CityCode],
    today: Date,
    facts: &CaseFacts,
    effective_on: Date,
) -> Result<Case, Refusal> {
    check_member(by, members)?;
    check_not_ahead(effective_on, today)?;
    facts.check(today)?;
    Ok(open(by, facts.clone(), effective_on))
}

/// Decides on a move; `today` is the date in Beijing. The event is the command as it was given.
///
/// # Errors
/// A [`Refusal`]; the case is as it was.
pub fn decide(
    case: &Case,
    by: CityCode,
    members: &[CityCode],
    today: Date,
    cmd: &CaseMove,
) -> Result<CaseMove, Refusal> {
    next(case, by, members, cmd)?;
    check_effective_on(case, cmd.effective_on(), today)?;
    match cmd {
        CaseMove::Opened { facts, .. } => facts.check(today)?,
        CaseMove::Amended { facts, .. } | CaseMove::ProposalAdopted { facts: Some(facts), .. } => {
            facts.check(today)?;
            check_point_kept(case, facts)?;
        }
        CaseMove::Stepped { step, .. } => check_step(case, *step)?,
        CaseMove::JurisdictionDesignated { authority, designated_on, .. } => {
            check_designation(case, *authority, *designated_on, today)?;
        }
        CaseMove::ProposalAdopted { facts: None, .. }
        | CaseMove::ProposalRefused { .. }
        | CaseMove::TransferOffered { .. }
        | CaseMove::TransferAccepted { .. }
        | CaseMove::TransferReturned { .. }
        | CaseMove::TransferDisputed { .. } => {}
    }
    Ok(cmd.clone())
}

/// Decides on a contribution; `today` is the date in Beijing. It may come in every state.
///
/// # Errors
/// A [`Refusal`]; nothing was changed.
pub fn decide_contribution(
    case: &Case,
    by: CityCode,
    members: &[CityCode],
    today: Date,
    contribution: &CaseContribution,
) -> Result<(), Refusal> {
    use CaseContribution as C;
    check_member(by, members)?;
    match contribution {
        C::TransferAcknowledged => check_offer_party(case, by, Party::Receiver),
        C::TransferRecallRequested => check_offer_party(case, by, Party::Sender),
        C::AssistanceRequested { to, due_on } => {
            check_handling(case, by)?;
            check_other_member(by, *to, members)?;
            if *due_on < today {
                return Err(Refusal::DueInPast { due_on: *due_on, today });
            }
            Ok(())
        }
        C::ProposalMade if case.state == CaseState::Archived => Err(Misfit::CaseArchived.into()),
        C::ProposalMade if by == case.handling => Err(Refusal::OwnProposal),
        C::PoliceDetentionTransferred { effective_on }
        | C::MilestoneRecorded { effective_on, .. } => {
            check_handling(case, by)?;
            check_not_ahead(*effective_on, today)
        }
        C::PartsReceived => {
            let others = case.handled_by.iter().any(|city| *city != by);
            if case.handled_by.contains(&by) && others {
                Ok(())
            } else {
                Err(Refusal::NothingToReceive)
            }
        }
        C::PartGranted { part, to, .. } => {
            check_other_member(by, *to, members)?;
            if usize::try_from(*part).is_ok_and(|part| part < PARTS_MAX) {
                Ok(())
            } else {
                Err(Refusal::NoSuchPart { part: *part })
            }
        }
        // What rows know of an item decides on what is said of it
        // ([`crate::domain::evidence_act::decide_evidence`]).
        C::Evidence { .. }
        // Likewise ([`crate::domain::referral::decide_referral`]), and of a milestone.
        | C::MilestoneWithdrawn { .. }
        | C::Referral(_)
        | C::ProposalMade
        | C::AssistanceAnswered { .. }
        | C::NoteAdded
        | C::EvidenceAdded
        | C::ContinuedIn { .. }
        | C::ContinuedFrom { .. } => Ok(()),
    }
}

/// The two sides of an offer.
#[derive(Clone, Copy)]
enum Party {
    Sender,
    Receiver,
}

/// Is the city on this side of an offer that nobody but the receiver has to answer?
fn check_offer_party(case: &Case, by: CityCode, party: Party) -> Result<(), Refusal> {
    let waiting = matches!(case.state, CaseState::TransferredOut | CaseState::TransferDisputed);
    let Some(transfer) = case.transfer.filter(|_| waiting) else {
        return Err(Refusal::NoTransfer { state: case.state });
    };
    match party {
        Party::Receiver if by != transfer.to => Err(Refusal::NotReceiver { receiver: transfer.to }),
        Party::Sender if by != transfer.from => Err(Refusal::NotSender { sender: transfer.from }),
        Party::Receiver | Party::Sender => Ok(()),
    }
}

fn check_member(city: CityCode, members: &[CityCode]) -> Result<(), Misfit> {
    if members.contains(&city) { Ok(()) } else { Err(Misfit::NotAMember { city }) }
}

fn check_other_member(by: CityCode, to: CityCode, members: &[CityCode]) -> Result<(), Refusal> {
    if by == to {
        return Err(Refusal::SelfNamed { field: "to_city" });
    }
    let stranger = Misfit::ReceiverNotMember { city: to, field: "to_city" };
    check_member(to, members).map_err(|_| stranger.into())
}

fn check_handling(case: &Case, by: CityCode) -> Result<(), Refusal> {
    if by == case.handling {
        Ok(())
    } else {
        Err(Refusal::HandlingCityOnly { handling: case.handling })
    }
}

fn check_not_ahead(effective_on: Date, today: Date) -> Result<(), Refusal> {
    if effective_on > today {
        return Err(Refusal::EffectiveInFuture { effective_on, today, field: "effective_on" });
    }
    Ok(())
}

/// Not in the future and not before the last move. A last move that another city's wrong clock
/// dated ahead counts as made today, so that it cannot block the case.
fn check_effective_on(case: &Case, effective_on: Date, today: Date) -> Result<(), Refusal> {
    check_not_ahead(effective_on, today)?;
    let last = case.last_effective_on.min(today);
    if effective_on < last {
        return Err(Refusal::EffectiveBeforeLast { effective_on, last });
    }
    Ok(())
}

fn check_step(case: &Case, step: CaseStep) -> Result<(), Refusal> {
    if step == CaseStep::Filed && !case.facts.has_point {
        return Err(Refusal::PointRequired);
    }
    Ok(())
}

/// A place may be withdrawn while the case is a clue, not later.
fn check_point_kept(case: &Case, facts: &CaseFacts) -> Result<(), Refusal> {
    let clue = matches!(case.state, CaseState::ClueReported | CaseState::ClueVerifying);
    if case.facts.has_point && !facts.has_point && !clue {
        return Err(Refusal::PointRemoved);
    }
    Ok(())
}

fn check_designation(
    case: &Case,
    authority: AuthorityLevel,
    designated_on: Date,
    today: Date,
) -> Result<(), Refusal> {
    if designated_on > today {
        return Err(Refusal::DesignatedInFuture { designated_on, today });
    }
    let province = |city: CityCode| city.as_u32() / 10_000;
    match case.transfer {
        Some(transfer)
            if authority == AuthorityLevel::ProvincialDepartment
                && province(transfer.from) != province(transfer.to) =>
        {
            Err(Refusal::AuthorityNotCommon { from: transfer.from, to: transfer.to })
        }
        None | Some(_) => Ok(()),
    }
}
