//! What sort of move something is, without its content: for lists of allowed moves and messages.

use super::case::{CaseMove, CaseStep};
use super::code::Words;
use std::fmt;

/// A move without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MoveKind {
    /// Open the case.
    Open,
    /// A plain step.
    Step(CaseStep),
    /// Change the record.
    Amend,
    /// Take over a proposal.
    AdoptProposal,
    /// Turn down a proposal.
    RefuseProposal,
    /// Offer the case to another member.
    OfferTransfer,
    /// Take the case over.
    AcceptTransfer,
    /// Give the case back.
    ReturnTransfer,
    /// Deny competence.
    DisputeTransfer,
    /// Record a designation.
    Designate,
}

impl CaseMove {
    /// What sort of move this is.
    #[must_use]
    pub const fn kind(&self) -> MoveKind {
        match self {
            Self::Opened { .. } => MoveKind::Open,
            Self::Stepped { step, .. } => MoveKind::Step(*step),
            Self::Amended { .. } => MoveKind::Amend,
            Self::ProposalAdopted { .. } => MoveKind::AdoptProposal,
            Self::ProposalRefused { .. } => MoveKind::RefuseProposal,
            Self::TransferOffered { .. } => MoveKind::OfferTransfer,
            Self::TransferAccepted { .. } => MoveKind::AcceptTransfer,
            Self::TransferReturned { .. } => MoveKind::ReturnTransfer,
            Self::TransferDisputed { .. } => MoveKind::DisputeTransfer,
            Self::JurisdictionDesignated { .. } => MoveKind::Designate,
        }
    }
}

impl MoveKind {
    /// The stable code of the event; of a step its own code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "OPENED",
            Self::Step(step) => step.code(),
            Self::Amend => "AMENDED",
            Self::AdoptProposal => "PROPOSAL_ADOPTED",
            Self::RefuseProposal => "PROPOSAL_REFUSED",
            Self::OfferTransfer => "TRANSFER_OFFERED",
            Self::AcceptTransfer => "TRANSFER_ACCEPTED",
            Self::ReturnTransfer => "TRANSFER_RETURNED",
            Self::DisputeTransfer => "TRANSFER_DISPUTED",
            Self::Designate => "JURISDICTION_DESIGNATED",
        }
    }
}

impl Words for MoveKind {
    fn zh(&self) -> &'static str {
        match self {
            Self::Open => "上报线索",
            Self::Step(step) => step.zh(),
            Self::Amend => "修改案件内容",
            Self::AdoptProposal => "采纳建议",
            Self::RefuseProposal => "不采纳建议",
            Self::OfferTransfer => "移送",
            Self::AcceptTransfer => "同意接收",
            Self::ReturnTransfer => "退回",
            Self::DisputeTransfer => "提出管辖争议",
            Self::Designate => "登记指定管辖",
        }
    }

    fn en(&self) -> &'static str {
        match self {
            Self::Open => "report a clue",
            Self::Step(step) => step.en(),
            Self::Amend => "change the record",
            Self::AdoptProposal => "adopt a proposal",
            Self::RefuseProposal => "turn down a proposal",
            Self::OfferTransfer => "transfer to another city",
            Self::AcceptTransfer => "accept the transfer",
            Self::ReturnTransfer => "return the transfer",
            Self::DisputeTransfer => "dispute the jurisdiction",
            Self::Designate => "record a designation",
        }
    }
}

impl fmt::Display for MoveKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
