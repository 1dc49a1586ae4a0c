//! Cases: their states, the moves and contributions that concern them.
//!
//! In scope: the words of the language in which cities talk about a case. Out of scope: which
//! move is allowed when ([`crate::domain::transition`]), and what a city may ask for today
//! ([`crate::domain::decide`]); texts and names ([`crate::domain::record`]).
//!
//! The *turn* is with the one city that may move the record now; the *handling city* (承办市)
//! answers for it. They differ only between an offer of transfer and its end.

use super::code::coded;
use super::date::Date;
use super::deadline::Milestone;
use super::evidence_act::{EvidenceAct, EvidencePlace};
use super::facts::CaseFacts;
use super::referral::ReferralAct;
use crate::ids::{AgreementId, CityCode, Position, SubjectId};

coded! {
    /// Where a case stands. A returned transfer has no state of its own: it is shown in the
    /// timeline, and the case is back where it was sent from.
    CaseState {
        ClueReported "CLUE_REPORTED" "线索已上报" "clue reported";
        ClueVerifying "CLUE_VERIFYING" "线索核查中" "clue being verified";
        ClueDismissed "CLUE_DISMISSED" "不予立案" "clue dismissed";
        Filed "FILED" "已立案" "filed";
        Investigating "INVESTIGATING" "调查取证中" "under investigation";
        NoticeServed "NOTICE_SERVED" "已送达处罚事先告知" "notice of penalty served";
        Hearing "HEARING" "听证中" "hearing";
        Decided "DECIDED" "已作出处罚决定" "penalty decided";
        Enforcing "ENFORCING" "执行中" "being enforced";
        CourtEnforcement "COURT_ENFORCEMENT" "法院强制执行中" "enforcement by court";
        Closed "CLOSED" "已结案" "closed";
        Archived "ARCHIVED" "已归档" "archived";
        NoPenalty "NO_PENALTY" "不予处罚" "no penalty";
        Withdrawn "WITHDRAWN" "已撤案" "withdrawn";
        Revoked "REVOKED" "处罚决定已撤销" "decision revoked";
        TransferredPolice "TRANSFERRED_POLICE" "已移送公安" "with the police";
        TransferredOut "TRANSFERRED_OUT" "已移送，待对方答复" "transfer offered";
        TransferAccepted "TRANSFER_ACCEPTED" "已同意接收移送" "transfer accepted";
        TransferDisputed "TRANSFER_DISPUTED" "管辖争议" "jurisdiction disputed";
        Designated "DESIGNATED" "已指定管辖，待接收" "jurisdiction designated";
        ClosedOutside "CLOSED_OUTSIDE" "已指定协议外城市管辖" "designated outside the agreement";
    }
}

coded! {
    /// A plain move: the handling city takes the case one step on.
    CaseStep {
        VerificationStarted "VERIFICATION_STARTED" "开始核查" "start verification";
        ClueDismissed "CLUE_DISMISSED" "不予立案" "dismiss the clue";
        Filed "FILED" "立案" "file the case";
        InvestigationStarted "INVESTIGATION_STARTED" "开始调查取证" "start the investigation";
        NoticeServed "NOTICE_SERVED" "送达处罚事先告知" "serve notice of penalty";
        HearingOpened "HEARING_OPENED" "组织听证" "open the hearing";
        Decided "DECIDED" "作出处罚决定" "decide the penalty";
        NoPenaltyDecided "NO_PENALTY_DECIDED" "不予处罚" "decide on no penalty";
        Withdrawn "WITHDRAWN" "撤案" "withdraw the case";
        Revoked "REVOKED" "撤销处罚决定" "revoke the decision";
        EnforcementStarted "ENFORCEMENT_STARTED" "开始执行" "start enforcement";
        CourtEnforcementRequested "COURT_ENFORCEMENT_REQUESTED" "申请法院强制执行"
            "ask the court to enforce";
        Closed "CLOSED" "结案" "close the case";
        Archived "ARCHIVED" "归档" "archive the case";
        TransferredToPolice "TRANSFERRED_TO_POLICE" "移送公安（涉嫌犯罪）"
            "hand over to the police (suspected crime)";
        ReturnedByPolice "RETURNED_BY_POLICE" "公安退回" "take back from the police";
    }
}

coded! {
    /// Who designated the competent city (处罚法 art. 25: the common superior).
    AuthorityLevel {
        ProvincialDepartment "PROVINCIAL_DEPARTMENT" "省生态环境厅" "provincial department";
        Ministry "MINISTRY" "生态环境部" "ministry";
        JointSuperior "JOINT_SUPERIOR" "共同的上一级机关" "common superior authority";
        PeoplesGovernment "PEOPLES_GOVERNMENT" "人民政府" "people's government";
    }
}

/// A transfer that was offered and has not ended yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Transfer {
    /// Who offered it; still the handling city.
    pub from: CityCode,
    /// To whom it was offered.
    pub to: CityCode,
    /// Where the case goes back to if it is returned.
    pub returns_to: CaseState,
}

/// A case as folded from the moves of all cities.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Case {
    /// Where it stands.
    pub state: CaseState,
    /// Who opened it (首报市); never changes.
    pub originating: CityCode,
    /// Who answers for it (承办市).
    pub handling: CityCode,
    /// Who may make the next move; `None` only once archived.
    pub turn: Option<CityCode>,
    /// The transfer under way; `Some` exactly in `TransferredOut`, `TransferDisputed` and
    /// `Designated`.
    pub transfer: Option<Transfer>,
    /// Legal date of the last move.
    pub last_effective_on: Date,
    /// Every city that handles it or did, ascending: whoever is entitled to the narrow parts.
    pub handled_by: Vec<CityCode>,
    /// What the header says about it.
    pub facts: CaseFacts,
}

/// A move: an event that takes its place in the case's chain. Header only, no text.
///
/// `effective_on` is always the legal date in Beijing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum CaseMove {
    /// The first of all moves; starts a case and fits nowhere else.
    Opened {
        /// What is known.
        facts: CaseFacts,
        /// Legal date.
        effective_on: Date,
    },
    /// A plain step of the handling city.
    Stepped {
        /// Which.
        step: CaseStep,
        /// Legal date.
        effective_on: Date,
    },
    /// The record's content was changed; the state stays.
    Amended {
        /// All facts as they are now.
        facts: CaseFacts,
        /// Legal date.
        effective_on: Date,
    },
    /// A proposal of another member was taken over; the state stays.
    ProposalAdopted {
        /// The entry that made the proposal.
        proposal: Position,
        /// All facts as they are now, if the proposal changes any.
        facts: Option<CaseFacts>,
        /// Legal date.
        effective_on: Date,
    },
    /// A proposal of another member was turned down, with a reason in a part; the state stays.
    ProposalRefused {
        /// The entry that made the proposal.
        proposal: Position,
        /// Legal date.
        effective_on: Date,
    },
    /// The handling city offers the case to another member (移送), who gets the turn.
    TransferOffered {
        /// The receiver.
        to: CityCode,
        /// Legal date.
        effective_on: Date,
    },
    /// Whoever has the turn takes the case over (同意接收) and becomes the handling city.
    TransferAccepted {
        /// Legal date.
        effective_on: Date,
    },
    /// The receiver gives the case back (退回) into the state it was sent from.
    TransferReturned {
        /// Legal date.
        effective_on: Date,
    },
    /// The receiver denies its competence (管辖争议) and keeps the turn.
    TransferDisputed {
        /// Legal date.
        effective_on: Date,
    },
    /// A superior named the competent city (指定管辖); recorded by the receiver.
    JurisdictionDesignated {
        /// The competent city; need not be a member of the agreement.
        city: CityCode,
        /// Who designated it.
        authority: AuthorityLevel,
        /// Date of the document.
        designated_on: Date,
        /// Legal date.
        effective_on: Date,
    },
}

/// An event beside the chain: it moves nothing and fits in every state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum CaseContribution {
    /// A person at the receiver has seen the offer (签收); stops the acknowledgement clock.
    TransferAcknowledged,
    /// The sender asks for the case back; the receiver returns it with one step.
    TransferRecallRequested,
    /// The handling city asks a member for help (处罚法 art. 26).
    AssistanceRequested {
        /// Who is asked.
        to: CityCode,
        /// By when an answer is hoped for.
        due_on: Date,
    },
    /// The answer to a request.
    AssistanceAnswered {
        /// The entry that asked.
        request: Position,
    },
    /// A note.
    NoteAdded,
    /// Further evidence.
    EvidenceAdded,
    /// A member that does not handle the case proposes a change.
    ProposalMade,
    /// The person goes to the police for detention (行政拘留); the case itself goes on.
    PoliceDetentionTransferred {
        /// Legal date.
        effective_on: Date,
    },
    /// Something happened that begins, stops or ends a deadline.
    MilestoneRecorded {
        /// What.
        milestone: Milestone,
        /// Legal date.
        effective_on: Date,
    },
    /// A milestone of the own city, or a detention, counts no more: it was recorded by mistake.
    MilestoneWithdrawn {
        /// The entry that recorded it.
        entry: Position,
    },
    /// Something is said of an item of evidence.
    Evidence {
        /// The item.
        place: EvidencePlace,
        /// What is said.
        act: EvidenceAct,
    },
    /// Something is said to or of the police or the procuratorate, or of a campaign.
    Referral(ReferralAct),
    /// All narrow parts of earlier handling cities have arrived.
    PartsReceived,
    /// One part is opened to one more city.
    PartGranted {
        /// The entry that carries the part.
        entry: Position,
        /// Place of the part in that entry, from 0.
        part: u32,
        /// Who may have it now.
        to: CityCode,
    },
    /// Goes on as another record in another agreement.
    ContinuedIn {
        /// That agreement.
        agreement: AgreementId,
        /// That record.
        subject: SubjectId,
    },
    /// Goes back to a record in another agreement.
    ContinuedFrom {
        /// That agreement.
        agreement: AgreementId,
        /// That record.
        subject: SubjectId,
    },
}

impl CaseStep {
    /// The state this step leads to, wherever it is taken from.
    #[must_use]
    pub const fn leads_to(self) -> CaseState {
        match self {
            Self::VerificationStarted => CaseState::ClueVerifying,
            Self::ClueDismissed => CaseState::ClueDismissed,
            Self::Filed => CaseState::Filed,
            Self::InvestigationStarted | Self::ReturnedByPolice => CaseState::Investigating,
            Self::NoticeServed => CaseState::NoticeServed,
            Self::HearingOpened => CaseState::Hearing,
            Self::Decided => CaseState::Decided,
            Self::NoPenaltyDecided => CaseState::NoPenalty,
            Self::Withdrawn => CaseState::Withdrawn,
            Self::Revoked => CaseState::Revoked,
            Self::EnforcementStarted => CaseState::Enforcing,
            Self::CourtEnforcementRequested => CaseState::CourtEnforcement,
            Self::Closed => CaseState::Closed,
            Self::Archived => CaseState::Archived,
            Self::TransferredToPolice => CaseState::TransferredPolice,
        }
    }
}

impl CaseMove {
    /// The legal date in Beijing.
    #[must_use]
    pub const fn effective_on(&self) -> Date {
        match self {
            Self::Opened { effective_on, .. }
            | Self::Stepped { effective_on, .. }
            | Self::Amended { effective_on, .. }
            | Self::ProposalAdopted { effective_on, .. }
            | Self::ProposalRefused { effective_on, .. }
            | Self::TransferOffered { effective_on, .. }
            | Self::TransferAccepted { effective_on }
            | Self::TransferReturned { effective_on }
            | Self::TransferDisputed { effective_on }
            | Self::JurisdictionDesignated { effective_on, .. } => *effective_on,
        }
    }

    /// The same move with other facts; moves without facts stay as they are.
    #[must_use]
    pub fn with_facts(self, new: CaseFacts) -> Self {
        match self {
            Self::Opened { effective_on, .. } => Self::Opened { facts: new, effective_on },
            Self::Amended { effective_on, .. } => Self::Amended { facts: new, effective_on },
            Self::ProposalAdopted { proposal, facts, effective_on } => {
                Self::ProposalAdopted { proposal, facts: facts.map(|_| new), effective_on }
            }
            Self::Stepped { .. }
            | Self::ProposalRefused { .. }
            | Self::TransferOffered { .. }
            | Self::TransferAccepted { .. }
            | Self::TransferReturned { .. }
            | Self::TransferDisputed { .. }
            | Self::JurisdictionDesignated { .. } => self,
        }
    }

    /// Whether it makes another city the handling city.
    #[must_use]
    pub const fn hands_over(&self) -> bool {
        matches!(self, Self::TransferAccepted { .. })
    }

    /// The new facts it carries, if any.
    #[must_use]
    pub const fn facts(&self) -> Option<&CaseFacts> {
        match self {
            Self::Opened { facts, .. } | Self::Amended { facts, .. } => Some(facts),
            Self::ProposalAdopted { facts, .. } => facts.as_ref(),
            Self::Stepped { .. }
            | Self::ProposalRefused { .. }
            | Self::TransferOffered { .. }
            | Self::TransferAccepted { .. }
            | Self::TransferReturned { .. }
            | Self::TransferDisputed { .. }
            | Self::JurisdictionDesignated { .. } => None,
        }
    }
}
