//! What may be asked about a plan of joint action.

use crate::domain::plan::lots::PoolSite;
use crate::domain::plan::{
    Answer, CheckIn, PlanFacts, PlanRecord, Recusal, Resolution, Sent, VisitReport,
};
use crate::ids::{Position, SubjectId};

/// Something asked about a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanAsk {
    /// The plan; none when it is opened.
    pub subject: Option<SubjectId>,
    /// What.
    pub what: PlanAsked,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanAsked {
    /// Propose a joint action.
    Open {
        /// What it is.
        facts: PlanFacts,
        /// What people read of it.
        record: Box<PlanRecord>,
        /// With a draw, the list of sites.
        pool: Vec<PoolSite>,
        /// The saved draft that it comes from, and that draft's etag as the caller read it.
        from: Option<(SubjectId, String)>,
    },
    /// Move it, from the last move as the caller read it.
    Move {
        /// That last move.
        etag: Position,
        /// The move.
        step: PlanStep,
    },
    /// Say something to a revision as the caller read it.
    Say {
        /// The entry that made that revision.
        revision: Position,
        /// What is said.
        word: PlanSaid,
        /// With what is sent: recusals of before that hold no more. The others stay.
        lifted: Vec<Recusal>,
        /// In words.
        text: Option<String>,
    },
}

/// A move of the initiator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanStep {
    /// Another revision.
    Revise {
        /// All of it after the change.
        facts: PlanFacts,
        /// All texts after the change.
        record: Box<PlanRecord>,
        /// With a draw, the list of sites.
        pool: Vec<PoolSite>,
    },
    /// Other texts.
    Amend {
        /// All texts after the change.
        record: Box<PlanRecord>,
    },
    /// Settle it.
    Schedule,
    /// Draw again.
    Redraw,
    /// Begin.
    Begin,
    /// Sum up.
    Summarize {
        /// What people add to the summary that is made of the results.
        words: Option<String>,
    },
    /// Call it off.
    Cancel {
        /// Why.
        text: String,
    },
}

/// What a city says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanSaid {
    /// An answer.
    Answer(Answer),
    /// Other units are sent.
    Swap(Sent),
    /// Be bound to a part of the draw; the node makes it.
    Commit,
    /// Show that part.
    Reveal,
    /// A team is there.
    CheckIn {
        /// Who is there.
        arrival: CheckIn,
        /// The arrival that it corrects, the newest that was read; none for a first one.
        replaces: Option<Position>,
    },
    /// What came of a visit.
    Report {
        /// All of it.
        report: VisitReport,
        /// The report that it corrects, the newest that was read; none for a first one.
        replaces: Option<Position>,
    },
    /// A clue is followed up.
    Finding {
        /// Which site.
        site: SubjectId,
        /// Which visit there.
        nth: u32,
        /// The case opened from it.
        case: Option<SubjectId>,
    },
    /// All results are in.
    ResultsIn,
    /// Free the units of a plan that has ended, or of an old revision.
    Release,
    /// What became of an answer.
    Resolve {
        /// The answer.
        answer: Position,
        /// What became of it.
        resolution: Resolution,
    },
}
