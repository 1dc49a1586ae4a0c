//! Joint actions (联合执法行动): from a proposal by way of answers and a draw to a summary.
//!
//! The initiator owns the plan, revision by revision; it alone moves it ([`state`]). Every
//! participant, the initiator too, owns what it says to a revision ([`answer`]). Nothing that one
//! city writes waits for another or is made void by it: what a plan rests on is named.
//!
//! | question | where |
//! |---|---|
//! | what a revision says, and how large it may be | [`facts`] |
//! | what people read of it | [`PlanRecord`], [`PlanNumber`] |
//! | who moves it, from which stage to which | [`state`] |
//! | what a move has to name | [`rests`] |
//! | which answer and which units count | [`answer`] |
//! | what is booked, and what ends it | [`booking`] |
//! | what it lacks to be scheduled or begun, by what law or rule | [`ready`] |
//! | whether a command is carried out | [`decide`] |
//! | who commits and reveals, what withholding means, what is drawn | [`lots`] |
//! | who goes to which site | [`teams`] |
//! | who stands in for whom, how a team differs from the draw | [`arrivals`] |
//! | who has to do something next | [`awaited`] |
//! | what was found, added up | [`results`] |
//! | the summary in Chinese | [`summary`] |
//! | the entry of a calendar | [`ics`] |
//! | the words of misfits and refusals | [`PlanMisfit`], [`PlanRefusal`] |
//!
//! What is left to whoever folds: to work out [`Seen`] from what a move's entry names in `after`,
//! and [`Found`] from what an act's entry names there; to take of all acts those that name the
//! entry of the present revision, and of reports those of targets; to show, beside the plan,
//! withdrawals that came after it was scheduled. Drafts are local and in no log.
//!
//! In scope: rules, over values. Out of scope: logs, bytes, who is booked elsewhere (the node of
//! each city knows that of its own units), which sites are of one enterprise.

pub mod answer;
pub mod arrivals;
pub mod awaited;
pub mod booking;
pub mod decide;
pub mod facts;
pub mod ics;
pub mod lots;
mod number;
pub mod ready;
mod record;
mod refusal;
pub mod rests;
pub mod results;
pub mod state;
pub mod summary;
pub mod teams;

pub use answer::{
    Answer, AnswerKind, CheckIn, Found, PlanAct, PlanWord, Recusal, Resolution, Sent, SentUnit,
    Span,
};
pub use facts::{
    DrawRule, PlanCity, PlanDay, PlanFacts, PlanKind, PlannedVisit, Targets, TierWeights,
};
pub use number::PlanNumber;
pub use record::{PlanDraft, PlanRecord};
pub use refusal::{FactsRefusal, Names, PlanMisfit, PlanRefusal, Wrong};
pub use rests::{Resting, Seen};
pub use results::{DepartmentCheck, VisitOutcome, VisitReport};
pub use state::{
    Plan, PlanMove, PlanMoveKind, PlanStage, PlanState, Round, Settled, next, open, shown,
    targets_known, unreported,
};

#[cfg(test)]
mod tests;
