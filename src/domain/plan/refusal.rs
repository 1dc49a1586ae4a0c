//! Why something about a plan has no effect or is not carried out, and what people are told.
//!
//! A [`PlanMisfit`] means the same on every node; a [`PlanRefusal`] comes from the deciding node
//! only. In scope: reasons, fields, words. Out of scope: what a plan lacks has its own words
//! ([`Finding`]).

mod facts;
mod words;

pub use facts::FactsRefusal;
pub use words::Names;

use super::ready::Finding;
use super::state::{PlanMoveKind, PlanStage};
use crate::domain::date::Date;
use crate::ids::{CityCode, SubjectId};

/// Why an entry about a plan has no effect. The plan is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanMisfit {
    /// Lists out of order, too long, or things that do not go together.
    #[error("plan, answer or report is not as it should be")]
    Invalid,
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
    #[error("site stands in {host}")]
    NotHost {
        /// Where it stands.
        host: CityCode,
    },
    /// The stage has no such move.
    #[error("{kind} is not possible, the plan is {stage}")]
    StageForbids {
        /// Where it stands.
        stage: PlanStage,
        /// What was tried.
        kind: PlanMoveKind,
    },
    /// It speaks of another revision than there is.
    #[error("plan is at revision {revision}")]
    WrongRevision {
        /// The present one.
        revision: u32,
    },
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
    /// Attempts follow one another.
    #[error("draw is at attempt {attempt}")]
    WrongAttempt {
        /// The present one.
        attempt: u32,
    },
    /// A city that has revealed is said to withhold.
    #[error("{city} has not withheld its reveal")]
    NotWithheld {
        /// Which.
        city: CityCode,
    },
    /// The plan draws nothing.
    #[error("plan has no draw")]
    NoDraw,
}

impl PlanMisfit {
    /// The stable reason, upper-case letters and underscores.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Invalid => "PLAN_INVALID",
            Self::NotAMember { .. } => "NOT_A_MEMBER",
            Self::NotInitiator { .. } => "NOT_INITIATOR",
            Self::NotParticipant { .. } => "NOT_PARTICIPANT",
            Self::NotHost { .. } => "NOT_HOST_CITY",
            Self::StageForbids { .. } => "PLAN_STAGE",
            Self::WrongRevision { .. } => "WRONG_REVISION",
            Self::AnswerDoesNotCarry { .. } => "ANSWER_DOES_NOT_CARRY",
            Self::CommitmentMissing { .. } => "COMMITMENT_MISSING",
            Self::WrongAttempt { .. } => "WRONG_ATTEMPT",
            Self::NotWithheld { .. } => "NOT_WITHHELD",
            Self::NoDraw => "NO_DRAW",
        }
    }
}

/// Why the deciding node does not carry out a command about a plan. Nothing was written, nothing
/// booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanRefusal {
    /// The table forbids it.
    #[error(transparent)]
    Misfit(PlanMisfit),
    /// The plan, or what a city sends to it, lacks something.
    #[error("{} and {more} more", .finding.reason())]
    Lacking {
        /// The first thing.
        finding: Finding,
        /// How many more there are.
        more: u32,
    },
    /// What a revision says is not as it should be.
    #[error(transparent)]
    Facts(FactsRefusal),
    /// There is a newer revision. Read it and answer that.
    #[error("revision is old, the plan is at revision {revision}")]
    OldRevision {
        /// The present one.
        revision: u32,
    },
    /// The plan takes no such answer any more.
    #[error("plan is {stage} and takes no such answer")]
    AnswerTooLate {
        /// Where it stands.
        stage: PlanStage,
    },
    /// Only what was confirmed is taken back or swapped.
    #[error("city has not confirmed this revision")]
    NothingConfirmed,
    /// The plan still needs the units. Withdraw, or swap them.
    #[error("plan still needs the units")]
    UnitsNeeded,
    /// Units are held for a while, from today on.
    #[error("units are held until {hold_until}, which is before today or after {latest}")]
    HoldUntil {
        /// The date given.
        hold_until: Date,
        /// The last one possible.
        latest: Date,
    },
    /// Days proposed lie ahead, in order and apart.
    #[error("periods proposed are not ahead, in order and apart")]
    Periods,
    /// A city commits once an attempt.
    #[error("city is bound to its part of the draw already")]
    Committed,
    /// There is nothing to draw again: nobody withholds.
    #[error("no city withholds its part of the draw")]
    NobodyWithholds,
    /// A list is kept secret until shortly before its first day.
    #[error("draw is shown from {from} on")]
    RevealTooEarly {
        /// The first day.
        from: Date,
    },
    /// What is shown is not what the city was bound to.
    #[error("what is shown is not what the city was bound to")]
    RevealMismatch,
    /// One reveal is enough.
    #[error("city has shown its part of the draw already")]
    Revealed,
    /// An action begins on its first day.
    #[error("plan begins on {first}")]
    BeginTooEarly {
        /// Its first day.
        first: Date,
    },
    /// The site is no target of this plan.
    #[error("{site} is not visited by this plan")]
    NotVisited {
        /// Which.
        site: SubjectId,
    },
    /// Officers named are fewer than two of the own city whose certificates are valid.
    #[error("{got} certified officers of the own city, {least} are needed")]
    TeamTooSmall {
        /// How many there are.
        got: u32,
        /// How many there must be.
        least: u32,
    },
    /// Results are of days of the action, and not of days ahead.
    #[error("results of {on} are not between {first} and {last}")]
    ReportDay {
        /// The day given.
        on: Date,
        /// The first one possible.
        first: Date,
        /// The last one possible.
        last: Date,
    },
    /// Results of a site are still to come.
    #[error("results of {site} are missing")]
    ResultsMissing {
        /// Which.
        site: SubjectId,
    },
    /// A city's results are still to come.
    #[error("results of {city} are not in")]
    ResultsNotIn {
        /// Which.
        city: CityCode,
    },
    /// What has been done is not cancelled.
    #[error("all results are in")]
    AllResultsIn,
}

impl PlanRefusal {
    /// The stable reason, upper-case letters and underscores.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Misfit(misfit) => misfit.reason(),
            Self::Lacking { finding, .. } => finding.reason(),
            Self::Facts(refusal) => refusal.reason(),
            Self::OldRevision { .. } => "OLD_REVISION",
            Self::AnswerTooLate { .. } => "ANSWER_TOO_LATE",
            Self::NothingConfirmed => "NOTHING_CONFIRMED",
            Self::UnitsNeeded => "UNITS_NEEDED",
            Self::HoldUntil { .. } => "HOLD_UNTIL",
            Self::Periods => "PLAN_PERIODS",
            Self::Committed => "DRAW_COMMITTED",
            Self::NobodyWithholds => "NOBODY_WITHHOLDS",
            Self::RevealTooEarly { .. } => "REVEAL_TOO_EARLY",
            Self::RevealMismatch => "REVEAL_MISMATCH",
            Self::Revealed => "DRAW_REVEALED",
            Self::BeginTooEarly { .. } => "BEGIN_TOO_EARLY",
            Self::NotVisited { .. } => "SITE_NOT_VISITED",
            Self::TeamTooSmall { .. } => "TEAM_TOO_SMALL",
            Self::ReportDay { .. } => "REPORT_DAY",
            Self::ResultsMissing { .. } => "RESULTS_MISSING",
            Self::ResultsNotIn { .. } => "RESULTS_NOT_IN",
            Self::AllResultsIn => "ALL_RESULTS_IN",
        }
    }

    /// The field of a request that it concerns, if it concerns one.
    #[must_use]
    pub const fn field(self) -> Option<&'static str> {
        match self {
            Self::Lacking { finding, .. } => Some(finding.field()),
            Self::Facts(refusal) => Some(refusal.field()),
            Self::OldRevision { .. } => Some("revision"),
            Self::HoldUntil { .. } => Some("hold_until"),
            Self::Periods => Some("periods"),
            Self::RevealMismatch => Some("random"),
            Self::NotVisited { .. } => Some("site"),
            Self::TeamTooSmall { .. } => Some("officers"),
            Self::ReportDay { .. } => Some("on"),
            Self::Misfit(_)
            | Self::AnswerTooLate { .. }
            | Self::NothingConfirmed
            | Self::UnitsNeeded
            | Self::Committed
            | Self::NobodyWithholds
            | Self::RevealTooEarly { .. }
            | Self::Revealed
            | Self::BeginTooEarly { .. }
            | Self::ResultsMissing { .. }
            | Self::ResultsNotIn { .. }
            | Self::AllResultsIn => None,
        }
    }
}

impl From<PlanMisfit> for PlanRefusal {
    fn from(misfit: PlanMisfit) -> Self {
        Self::Misfit(misfit)
    }
}

impl From<FactsRefusal> for PlanRefusal {
    fn from(refusal: FactsRefusal) -> Self {
        Self::Facts(refusal)
    }
}
