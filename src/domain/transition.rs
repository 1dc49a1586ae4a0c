//! The one transition table of cases, used for local commands and for events of other cities.
//!
//! In scope: who may move a case where. Out of scope: dates, places and everything else that only
//! the deciding city can check ([`crate::domain::decide`]).
//!
//! Invariants:
//! 1. In every state but `Archived` exactly one city may move; in `Archived` none.
//!    (`exactly_one_city_may_move_in_every_reachable_state`)
//! 2. What is allowed is what `tests/fixtures/case-moves.txt` lists.
//!    (`the_table_is_the_reviewed_list`)
//! 3. Nothing is edited while a transfer is under way, whoever has the turn.
//!    (`nothing_is_edited_during_a_transfer`)

use super::case::{AuthorityLevel, Case, CaseMove, CaseState, CaseStep, Transfer};
use super::date::Date;
use super::facts::CaseFacts;
use super::kind::MoveKind;
use super::refusal::Misfit;
use crate::ids::{CityCode, LogId, Position};

use CaseMove as M;
use CaseState as S;
use CaseStep as T;

/// The steps that may be taken from a state by its handling city.
#[must_use]
pub const fn steps_from(state: CaseState) -> &'static [CaseStep] {
    match state {
        S::ClueReported => &[T::VerificationStarted],
        S::ClueVerifying => &[T::ClueDismissed, T::Filed],
        S::TransferAccepted => &[T::VerificationStarted, T::Filed],
        S::Filed => &[T::InvestigationStarted],
        S::Investigating => {
            &[T::NoticeServed, T::NoPenaltyDecided, T::Withdrawn, T::TransferredToPolice]
        }
        S::NoticeServed => &[T::HearingOpened, T::Decided, T::NoPenaltyDecided],
        S::Hearing => &[T::Decided, T::NoPenaltyDecided],
        S::Decided => &[T::EnforcementStarted, T::Revoked],
        S::Enforcing => &[T::CourtEnforcementRequested, T::Closed],
        S::CourtEnforcement => &[T::Closed],
        S::TransferredPolice => &[T::ReturnedByPolice, T::Closed],
        S::Closed
        | S::ClueDismissed
        | S::NoPenalty
        | S::Withdrawn
        | S::Revoked
        | S::ClosedOutside => &[T::Archived],
        S::TransferredOut | S::TransferDisputed | S::Designated | S::Archived => &[],
    }
}

/// Whether the handling city may offer the case to another member from this state.
#[must_use]
pub const fn may_offer(state: CaseState) -> bool {
    match state {
        S::ClueVerifying | S::Investigating | S::TransferAccepted => true,
        S::ClueReported
        | S::ClueDismissed
        | S::Filed
        | S::NoticeServed
        | S::Hearing
        | S::Decided
        | S::Enforcing
        | S::CourtEnforcement
        | S::Closed
        | S::Archived
        | S::NoPenalty
        | S::Withdrawn
        | S::Revoked
        | S::TransferredPolice
        | S::TransferredOut
        | S::TransferDisputed
        | S::Designated
        | S::ClosedOutside => false,
    }
}

/// The case that its first move makes: reported and handled by the city that opens it.
#[must_use]
pub fn open(by: CityCode, facts: CaseFacts, effective_on: Date) -> Case {
    Case {
        state: S::ClueReported,
        originating: by,
        handling: by,
        turn: Some(by),
        transfer: None,
        last_effective_on: effective_on,
        handled_by: vec![by],
        facts,
    }
}

/// The case after `by` makes the move, or why the table forbids it.
///
/// `members` are those of the charter in force. Dates are carried and never checked, so every
/// city comes to the same answer from the same entries.
///
/// # Errors
/// A [`Misfit`]; the case is as it was.
pub fn next(
    case: &Case,
    by: CityCode,
    members: &[CityCode],
    mv: &CaseMove,
) -> Result<Case, Misfit> {
    #[cfg(feature = "planted-bugs")]
    let by = match (crate::planted::is_on("wrong-city-accepts"), case.turn) {
        (true, Some(turn)) if mv.hands_over() && by != case.handling => turn,
        _ => by,
    };
    check_turn(case, by, members)?;
    let out_of_order = Misfit::MoveNotAllowed { state: case.state, kind: mv.kind() };
    let on = mv.effective_on();
    match (mv, case.state, case.transfer) {
        (M::Opened { .. }, _, _) => Err(Misfit::AlreadyOpen),
        (M::Stepped { step, .. }, state, _) => {
            if steps_from(state).contains(step) {
                Ok(case.settled(step.leads_to(), on))
            } else {
                Err(out_of_order)
            }
        }
        (M::Amended { facts, .. }, state, _) => case.edited(by, state, Some(facts), on),
        (M::ProposalAdopted { facts, .. }, state, _) => case.edited(by, state, facts.as_ref(), on),
        (M::ProposalRefused { .. }, state, _) => case.edited(by, state, None, on),
        (M::TransferOffered { to, .. }, state, None) if may_offer(state) => {
            check_receiver(by, *to, members)?;
            let transfer = Transfer { from: by, to: *to, returns_to: state };
            Ok(case.pending(S::TransferredOut, transfer, *to, on))
        }
        (
            M::TransferAccepted { .. },
            S::TransferredOut | S::TransferDisputed | S::Designated,
            Some(_),
        ) => Ok(case.taken_over(by, on)),
        (
            M::TransferReturned { .. },
            S::TransferredOut | S::TransferDisputed,
            Some(Transfer { returns_to, .. }),
        ) => Ok(case.settled(returns_to, on)),
        (M::TransferDisputed { .. }, S::TransferredOut, Some(transfer)) => {
            Ok(case.pending(S::TransferDisputed, transfer, transfer.to, on))
        }
        (M::JurisdictionDesignated { city, .. }, S::TransferDisputed, Some(transfer)) => {
            if members.contains(city) {
                Ok(case.pending(S::Designated, transfer, *city, on))
            } else {
                Ok(case.settled(S::ClosedOutside, on))
            }
        }
        // Spelled out by event: a new one must not compile until this table has an answer.
        (
            M::TransferOffered { .. }
            | M::TransferAccepted { .. }
            | M::TransferReturned { .. }
            | M::TransferDisputed { .. }
            | M::JurisdictionDesignated { .. },
            _,
            _,
        ) => Err(out_of_order),
    }
}

/// Every kind of move that `by` could make now, in a fixed order; empty if it has not the turn.
#[must_use]
pub fn allowed_moves(case: &Case, by: CityCode, members: &[CityCode]) -> Vec<MoveKind> {
    let on = case.last_effective_on;
    let facts = || case.facts.clone();
    let proposal = Position { log: LogId::new([0; 32]), index: 0 };
    let authority = AuthorityLevel::Ministry;
    let mut moves: Vec<CaseMove> =
        T::ALL.iter().map(|step| M::Stepped { step: *step, effective_on: on }).collect();
    moves.extend(members.iter().map(|to| M::TransferOffered { to: *to, effective_on: on }));
    moves.extend([
        M::TransferAccepted { effective_on: on },
        M::TransferReturned { effective_on: on },
        M::TransferDisputed { effective_on: on },
        M::JurisdictionDesignated { city: by, authority, designated_on: on, effective_on: on },
        M::Amended { facts: facts(), effective_on: on },
        M::ProposalAdopted { proposal, facts: None, effective_on: on },
        M::ProposalRefused { proposal, effective_on: on },
    ]);
    let mut kinds = Vec::new();
    for mv in moves {
        if next(case, by, members, &mv).is_ok() && !kinds.contains(&mv.kind()) {
            kinds.push(mv.kind());
        }
    }
    kinds
}

/// Is there a next move at all, and is it for this member to make?
fn check_turn(case: &Case, by: CityCode, members: &[CityCode]) -> Result<(), Misfit> {
    let (false, Some(turn)) = (case.state == S::Archived, case.turn) else {
        return Err(Misfit::CaseArchived);
    };
    if !members.contains(&by) {
        Err(Misfit::NotAMember { city: by })
    } else if by != turn {
        Err(Misfit::NotYourTurn { turn, state: case.state })
    } else {
        Ok(())
    }
}

/// May the case be offered to this city?
fn check_receiver(by: CityCode, to: CityCode, members: &[CityCode]) -> Result<(), Misfit> {
    if by == to {
        Err(Misfit::SelfTransfer)
    } else if !members.contains(&to) {
        Err(Misfit::ReceiverNotMember { city: to, field: "to_city" })
    } else {
        Ok(())
    }
}

impl Case {
    /// In a state of the handling city, without a transfer.
    fn settled(&self, state: CaseState, on: Date) -> Self {
        let turn = if state == S::Archived { None } else { Some(self.handling) };
        Self { state, turn, transfer: None, last_effective_on: on, ..self.clone() }
    }

    /// In a state of a transfer, with the turn at `turn`.
    fn pending(&self, state: CaseState, transfer: Transfer, turn: CityCode, on: Date) -> Self {
        let (turn, transfer) = (Some(turn), Some(transfer));
        Self { state, turn, transfer, last_effective_on: on, ..self.clone() }
    }

    /// Handled by `by` from now on.
    fn taken_over(&self, by: CityCode, on: Date) -> Self {
        let mut case = Self { handling: by, ..self.clone() };
        if let Err(place) = case.handled_by.binary_search(&by) {
            case.handled_by.insert(place, by);
        }
        case.settled(S::TransferAccepted, on)
    }

    /// With other facts, or the same; only for the city that has the turn and handles the case.
    fn edited(
        &self,
        by: CityCode,
        state: CaseState,
        facts: Option<&CaseFacts>,
        on: Date,
    ) -> Result<Self, Misfit> {
        if by != self.handling {
            return Err(Misfit::NotHandlingCity { handling: self.handling, state });
        }
        if self.transfer.is_some() {
            return Err(Misfit::TransferPending { state });
        }
        let facts = facts.unwrap_or(&self.facts).clone();
        Ok(Self { facts, last_effective_on: on, ..self.clone() })
    }
}
