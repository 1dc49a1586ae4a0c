//! What an entry says has happened, as the fold reads it: headers only, no text.

use super::case::{CaseContribution, CaseMove};
use super::code::coded;
use super::date::Date;
use super::facts::CaseFacts;
use super::meeting::MeetingAct;
use super::notice::{NoticeAct, NoticeKind, NoticeLevel};
use super::plan::{PlanAct, PlanFacts, PlanMove};
use super::site::{SiteAct, SiteFacts};
use super::unit::{UnitAct, UnitFacts};
use crate::ids::{CityCode, Hash, Position};

coded! {
    /// Why a part was erased.
    ErasureReason {
        Law "LAW" "依法删除" "the law or the person demands it";
        Mistake "MISTAKE" "误录" "it should not have been written";
        Lost "LOST" "各处均已灭失" "its bytes are lost everywhere";
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event {
    /// A person or system is introduced; its certificate number is a part.
    ActorIntroduced,
    /// After a restore, the operator goes on without the members named, ascending.
    RecoveryOverridden {
        /// Members that did not answer.
        cities: Vec<CityCode>,
    },
    /// From here on the log is judged by another charter.
    CharterAdopted {
        /// SHA-256 of the charter's text.
        charter: Hash,
    },
    /// A part is erased in every copy.
    PartErased {
        /// The entry whose part it is.
        entry: Position,
        /// Which of its parts, from 0.
        part: u32,
        /// Why.
        reason: ErasureReason,
    },
    /// A case is opened.
    CaseOpened {
        /// What is known.
        facts: CaseFacts,
        /// Legal date of the report.
        effective_on: Date,
    },
    /// A move of a case; never [`CaseMove::Opened`].
    CaseMove(CaseMove),
    /// A contribution to a case.
    Contribution(CaseContribution),
    /// A notice is issued.
    NoticeIssued {
        /// What it is about.
        kind: NoticeKind,
        /// How grave.
        level: Option<NoticeLevel>,
        /// Who is told, ascending.
        addressees: Vec<CityCode>,
    },
    /// Something is added to a notice.
    NoticeAct(NoticeAct),
    /// A joint meeting is called.
    MeetingCalled {
        /// The day.
        on: Date,
        /// Which of its year, as far as its convener knew.
        number: u32,
        /// Who chairs it.
        chair: CityCode,
        /// Whose turn it was to chair, as far as its convener knew.
        due_chair: CityCode,
    },
    /// Something is added to a meeting.
    MeetingAct(MeetingAct),
    /// A site is registered.
    SiteRegistered {
        /// Its facts.
        facts: SiteFacts,
    },
    /// Something is said of a site.
    SiteAct(SiteAct),
    /// A unit is registered.
    UnitRegistered {
        /// What is known.
        facts: UnitFacts,
    },
    /// Something is said of a unit.
    UnitAct(UnitAct),
    /// A joint action is proposed.
    PlanOpened {
        /// What it is.
        facts: PlanFacts,
    },
    /// A move of a plan; never [`PlanMove::Opened`].
    PlanMove(PlanMove),
    /// Something is said to a plan.
    PlanAct(PlanAct),
    /// Of a kind that only newer programs know: it holds its subject.
    Newer,
}

impl Event {
    /// The legal date, of openings and moves.
    #[must_use]
    pub const fn effective_on(&self) -> Option<Date> {
        match self {
            Self::CaseOpened { effective_on, .. } => Some(*effective_on),
            Self::CaseMove(mv) => Some(mv.effective_on()),
            Self::Contribution(_)
            | Self::NoticeIssued { .. }
            | Self::NoticeAct(_)
            | Self::MeetingCalled { .. }
            | Self::MeetingAct(_)
            | Self::SiteRegistered { .. }
            | Self::SiteAct(_)
            | Self::UnitRegistered { .. }
            | Self::UnitAct(_)
            | Self::PlanOpened { .. }
            | Self::PlanMove(_)
            | Self::PlanAct(_)
            | Self::ActorIntroduced
            | Self::RecoveryOverridden { .. }
            | Self::CharterAdopted { .. }
            | Self::PartErased { .. }
            | Self::Newer => None,
        }
    }
}
