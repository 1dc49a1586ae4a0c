//! Why something about a plan has no effect or is not carried out, and what people are told.
//!
//! A [`PlanMisfit`] means the same on every node; a [`PlanRefusal`] comes from the deciding node
//! only. In scope: reasons, fields, words. Out of scope: what a plan lacks has its own words
//! ([`Finding`]).

mod facts;
mod misfit;
mod rules;
mod words;
mod wrong;

pub use facts::FactsRefusal;
pub use misfit::PlanMisfit;
pub use words::Names;
pub use wrong::Wrong;

use super::ready::Finding;
use super::state::PlanStage;
use crate::domain::date::Date;
use crate::domain::department::Department;
use crate::domain::site::LeftOut;
use crate::ids::{CityCode, Position, SubjectId};

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
    /// Reveals and commitments are of one attempt after the other.
    #[error("draw is at attempt {attempt}")]
    WrongAttempt {
        /// The present one.
        attempt: u32,
    },
    /// A plan that is still open is confirmed anew, with the other units.
    #[error("plan is open, other units are sent by another confirmation")]
    ConfirmAnew,
    /// Whoever wants another draw, by committing to it or by revising the plan, shows its own part
    /// of this one.
    #[error("city has not shown its part of the present draw")]
    RevealFirst,
    /// Nothing is drawn any more.
    #[error("plan is {stage}, nothing is drawn any more")]
    CommitTooLate {
        /// Where it stands.
        stage: PlanStage,
    },
    /// Parts of a draw are shown between scheduling and end.
    #[error("plan is {stage}, no part of a draw is shown")]
    RevealStage {
        /// Where it stands.
        stage: PlanStage,
    },
    /// Teams arrive while a plan is under way.
    #[error("plan is {stage}, no team arrives")]
    CheckInStage {
        /// Where it stands.
        stage: PlanStage,
    },
    /// Results are there once a plan is under way.
    #[error("plan is {stage}, there are no results")]
    ReportStage {
        /// Where it stands.
        stage: PlanStage,
    },
    /// The visit does not take place any more.
    #[error("{site} is left out since the plan was scheduled: {why}")]
    VisitStopped {
        /// Which.
        site: SubjectId,
        /// Why.
        why: LeftOut,
    },
    /// The plan goes there less often.
    #[error("{site} is visited {visits} times by this plan")]
    VisitUnknown {
        /// Which.
        site: SubjectId,
        /// How often.
        visits: u32,
    },
    /// Teams arrive on a day of the plan that has come.
    #[error("{on} is no day of the plan that has come")]
    ArrivalDay {
        /// The day given.
        on: Date,
    },
    /// Recused officers do not check.
    #[error("officer {officer} is recused")]
    OfficerRecused {
        /// Who.
        officer: SubjectId,
    },
    /// Only who was sent for that day checks.
    #[error("officer {officer} is not sent on that day")]
    OfficerNotSent {
        /// Who.
        officer: SubjectId,
    },
    /// Only departments of the plan check.
    #[error("department {department} is not in the plan")]
    DepartmentNotIn {
        /// Which.
        department: Department,
    },
    /// Results are keyed in within some days of the plan's end.
    #[error("results could be keyed in until {until}")]
    ReportTooLate {
        /// The last day.
        until: Date,
    },
    /// There is no report of a clue that could be followed up.
    #[error("no report of {site} tells of a clue")]
    NoClue {
        /// Where.
        site: SubjectId,
    },
    /// Whoever corrects a result names the one that he has read.
    #[error("another result of the visit stands here by now")]
    ResultChanged {
        /// The newest one, if there is any.
        newest: Option<Position>,
    },
    /// Whoever corrects an arrival names the one that he has read.
    #[error("another arrival at the visit stands here by now")]
    ArrivalChanged {
        /// The newest one, if there is any.
        newest: Option<Position>,
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
    /// No node knows the site.
    #[error("{site} is not registered")]
    SiteUnknown {
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
    /// The same bytes were shown under another beginning of this draw: all must be bound anew.
    #[error("the own part was shown before the draw was begun again")]
    ShownBefore,
    /// The case that a clue led to is not here.
    #[error("case {case} is not in this agreement")]
    CaseUnknown {
        /// Which.
        case: SubjectId,
    },
    /// A finding is followed up by a case of the city where the site stands.
    #[error("case {case} was not opened by {city}, where the site stands, nor is handled there")]
    CaseElsewhere {
        /// Which.
        case: SubjectId,
        /// Where the site stands.
        city: CityCode,
    },
    /// A city opens at most [`crate::limits::PLAN_NUMBER_MAX`] plans a year.
    #[error("running numbers of {year} are used up")]
    NumbersUsedUp {
        /// The year.
        year: i32,
    },
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
            Self::WrongAttempt { .. } => "WRONG_ATTEMPT",
            Self::ConfirmAnew => "CONFIRM_ANEW",
            Self::RevealFirst => "REVEAL_FIRST",
            Self::CommitTooLate { .. } => "COMMIT_TOO_LATE",
            Self::RevealStage { .. } => "REVEAL_STAGE",
            Self::CheckInStage { .. } => "CHECK_IN_STAGE",
            Self::ReportStage { .. } => "REPORT_STAGE",
            Self::VisitStopped { .. } => "VISIT_STOPPED",
            Self::VisitUnknown { .. } => "VISIT_UNKNOWN",
            Self::ArrivalDay { .. } => "ARRIVAL_DAY",
            Self::OfficerRecused { .. } => "OFFICER_RECUSED",
            Self::OfficerNotSent { .. } => "OFFICER_NOT_SENT",
            Self::DepartmentNotIn { .. } => "DEPARTMENT_NOT_IN_PLAN",
            Self::ReportTooLate { .. } => "REPORT_TOO_LATE",
            Self::NoClue { .. } => "NO_CLUE",
            Self::ResultChanged { .. } => "RESULT_CHANGED",
            Self::ArrivalChanged { .. } => "ARRIVAL_CHANGED",
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
            Self::SiteUnknown { .. } => "SITE_UNKNOWN",
            Self::TeamTooSmall { .. } => "TEAM_TOO_SMALL",
            Self::ReportDay { .. } => "REPORT_DAY",
            Self::ResultsMissing { .. } => "RESULTS_MISSING",
            Self::ResultsNotIn { .. } => "RESULTS_NOT_IN",
            Self::AllResultsIn => "ALL_RESULTS_IN",
            Self::ShownBefore => "DRAW_SHOWN_BEFORE",
            Self::CaseUnknown { .. } => "FINDING_CASE_UNKNOWN",
            Self::CaseElsewhere { .. } => "FINDING_CASE_ELSEWHERE",
            Self::NumbersUsedUp { .. } => "PLAN_NUMBERS_USED_UP",
        }
    }

    /// The field of a request that it concerns: where a plan has moved on, the one by which the
    /// request named the plan, its revision, or what is to be done.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Misfit(misfit) => misfit.field(),
            Self::Lacking { finding, .. } => finding.field(),
            Self::Facts(refusal) => refusal.field(),
            Self::OldRevision { .. } | Self::NothingConfirmed => "revision",
            Self::HoldUntil { .. } => "hold_until",
            Self::Periods => "periods",
            Self::NotVisited { .. }
            | Self::SiteUnknown { .. }
            | Self::VisitStopped { .. }
            | Self::NoClue { .. } => "site",
            Self::VisitUnknown { .. } => "nth",
            Self::TeamTooSmall { .. }
            | Self::OfficerRecused { .. }
            | Self::OfficerNotSent { .. } => "officers",
            Self::ReportDay { .. } | Self::ArrivalDay { .. } => "on",
            Self::DepartmentNotIn { .. } => "checks.department",
            Self::WrongAttempt { .. } => "attempt",
            Self::CaseUnknown { .. } | Self::CaseElsewhere { .. } => "case",
            Self::ResultChanged { .. } | Self::ArrivalChanged { .. } => "replaces",
            Self::AnswerTooLate { .. } => "kind",
            Self::ConfirmAnew => "sent",
            Self::NobodyWithholds
            | Self::BeginTooEarly { .. }
            | Self::ResultsNotIn { .. }
            | Self::AllResultsIn => "step",
            Self::NumbersUsedUp { .. } => "parent",
            Self::RevealFirst
            | Self::CommitTooLate { .. }
            | Self::RevealStage { .. }
            | Self::CheckInStage { .. }
            | Self::ReportStage { .. }
            | Self::ReportTooLate { .. }
            | Self::UnitsNeeded
            | Self::Committed
            | Self::RevealTooEarly { .. }
            | Self::Revealed
            | Self::RevealMismatch
            | Self::ResultsMissing { .. }
            | Self::ShownBefore => "name",
        }
    }
}
