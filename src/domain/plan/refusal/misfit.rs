//! Why an entry about a plan has no effect: the same on every node.
//!
//! In scope: reasons, fields. Out of scope: why the deciding node writes no entry at all
//! ([`super::PlanRefusal`]), the words for people ([`super::words`]).

use super::Wrong;
use crate::domain::plan::state::{PlanMoveKind, PlanStage};
use crate::ids::CityCode;

/// Why an entry about a plan has no effect. The plan is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanMisfit {
    /// Lists out of order, too long, or things that do not go together.
    #[error("{} is not as it should be: {}", .0.field(), .0.rule().0.1)]
    Invalid(Wrong),
    /// The charter in force does not name the city.
    #[error("city {city} is not a member of the agreement")]
    NotAMember {
        /// Who tried.
        city: CityCode,
    },
    /// Only the initiator moves a plan. Answer it.
    #[error("plan is moved by {initiator}")]
    NotInitiator {
        /// Who proposed it.
        initiator: CityCode,
    },
    /// Only those of that revision say something to it.
    #[error("{city} does not take part")]
    NotParticipant {
        /// Who tried.
        city: CityCode,
    },
    /// Only the city where a site stands says what was done there.
    #[error("site is none of the own city")]
    NotHost,
    /// The stage has no such move.
    #[error("{kind} is not possible, the plan is {stage}")]
    StageForbids {
        /// Where it stands.
        stage: PlanStage,
        /// What was tried.
        kind: PlanMoveKind,
    },
    /// The entry named is no revision of this plan, or its author had not seen it.
    #[error("entry named is no revision of this plan")]
    RevisionUnknown,
    /// Another entry named is not of this plan, not of that sort, or its author had not seen it.
    #[error("entry named is not one of this plan that can be meant")]
    EntryUnknown,
    /// A plan has at most so many revisions.
    #[error("plan has 100 revisions")]
    TooManyRevisions,
    /// The answer named of a city is not its newest one, or confirms nothing.
    #[error("answer named of {city} does not carry")]
    AnswerDoesNotCarry {
        /// Whose.
        city: CityCode,
    },
    /// The commitment named of a city is not its newest one, or was used before.
    #[error("commitment of {city} is missing")]
    CommitmentMissing {
        /// Whose.
        city: CityCode,
    },
    /// A draw is made again a few times at most.
    #[error("draw is at attempt {attempt}, there is no other")]
    TooManyDraws {
        /// The present one.
        attempt: u32,
    },
    /// A city that has revealed is said to withhold, or one that withholds is left out.
    #[error("list of those who withhold is wrong about {city}")]
    WithholdersDiffer {
        /// Which.
        city: CityCode,
    },
    /// The rule spares a city that withholds once, not twice.
    #[error("{city} has withheld before, and the rule spares it once")]
    WithheldTwice {
        /// Which.
        city: CityCode,
    },
    /// The entry named for a city is not the newest by which it says that its results are in.
    #[error("results of {city} are not in, or not those named")]
    ResultsMissing {
        /// Whose.
        city: CityCode,
    },
    /// The plan draws nothing.
    #[error("plan has no draw")]
    NoDraw,
    /// A city says a few things of each sort to a revision.
    #[error("city has said as much of this sort to the revision as it may")]
    TooManyWords,
}

impl PlanMisfit {
    /// The stable reason, upper-case letters and underscores.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Invalid(_) => "PLAN_INVALID",
            Self::NotAMember { .. } => "NOT_A_MEMBER",
            Self::NotInitiator { .. } => "NOT_INITIATOR",
            Self::NotParticipant { .. } => "NOT_PARTICIPANT",
            Self::NotHost => "NOT_HOST_CITY",
            Self::StageForbids { .. } => "PLAN_STAGE",
            Self::RevisionUnknown => "REVISION_UNKNOWN",
            Self::EntryUnknown => "ENTRY_UNKNOWN",
            Self::TooManyRevisions => "TOO_MANY_REVISIONS",
            Self::AnswerDoesNotCarry { .. } => "ANSWER_DOES_NOT_CARRY",
            Self::CommitmentMissing { .. } => "COMMITMENT_MISSING",
            Self::TooManyDraws { .. } => "TOO_MANY_DRAWS",
            Self::WithholdersDiffer { .. } => "WITHHOLDERS_DIFFER",
            Self::WithheldTwice { .. } => "WITHHELD_TWICE",
            Self::ResultsMissing { .. } => "PLAN_RESULTS_MISSING",
            Self::NoDraw => "NO_DRAW",
            Self::TooManyWords => "PLAN_WORDS_TOO_MANY",
        }
    }

    /// The field of a request that would lead to it.
    pub(super) const fn field(self) -> &'static str {
        match self {
            Self::Invalid(wrong) => wrong.field(),
            Self::NotHost => "site",
            Self::RevisionUnknown | Self::TooManyWords => "revision",
            Self::EntryUnknown => "answer",
            Self::StageForbids { kind, .. } => match kind {
                // Of these the call itself says what is to be done.
                PlanMoveKind::Open | PlanMoveKind::Revise | PlanMoveKind::Amend => "name",
                PlanMoveKind::Schedule
                | PlanMoveKind::Redraw
                | PlanMoveKind::Begin
                | PlanMoveKind::Summarize
                | PlanMoveKind::Cancel => "step",
            },
            Self::AnswerDoesNotCarry { .. }
            | Self::CommitmentMissing { .. }
            | Self::TooManyDraws { .. }
            | Self::WithholdersDiffer { .. }
            | Self::WithheldTwice { .. }
            | Self::ResultsMissing { .. } => "step",
            Self::NotAMember { .. }
            | Self::NotInitiator { .. }
            | Self::NotParticipant { .. }
            | Self::TooManyRevisions
            | Self::NoDraw => "name",
        }
    }
}
