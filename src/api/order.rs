//! PURE: what concerns a node alone and no log: who works on a case, drafts of plans, and orders
//! about a city.
//!
//! In scope: what is kept of an assignment or a draft, why an order is not carried out. Out of
//! scope: how ([`crate::node`]).

use bytes::Bytes;

/// Who of the own city works on a case, and what it remembers beside it. Never leaves the node.
#[derive(Clone, PartialEq, Eq)]
pub struct Assignment {
    /// To whom; empty for nobody.
    pub assignee: String,
    /// What the city wants to remember; may be empty.
    pub remark: String,
    /// When, milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// Who did it: role and id.
    pub by: String,
}

impl std::fmt::Debug for Assignment {
    /// Never what somebody typed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Assignment(..)")
    }
}

/// A plan that the own city draws up. Never leaves the node before it is proposed.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptDraft {
    /// What it says; empty to keep it no longer.
    pub content: Bytes,
    /// When it was saved, milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// Who saved it: role and id.
    pub by: String,
}

impl std::fmt::Debug for KeptDraft {
    /// Never what somebody typed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeptDraft(..)")
    }
}

/// Why an order about this node alone was not carried out. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// No agreement here has this city as a member.
    #[error("no agreement here has this city as a member")]
    NotFound,
    /// A city is not suspended on its own node.
    #[error("the own city")]
    OwnCity,
    /// Nothing of this city is suspended here.
    #[error("nothing of this city is suspended here")]
    NotSuspended,
    /// Another assignment stands than the one that was to be replaced. Read it again.
    #[error("the assignment was changed meanwhile")]
    AssignmentChanged {
        /// Etag of the one that stands; empty when none does.
        current: String,
    },
    /// Another version of the draft stands than the one that was to be replaced. Read it again.
    #[error("the draft was changed meanwhile")]
    DraftChanged {
        /// Etag of the one that stands.
        current: String,
    },
    /// The city keeps as many drafts as it may.
    #[error("{most} drafts are kept")]
    TooManyDrafts {
        /// How many.
        most: usize,
    },
    /// The disk is nearly full.
    #[error("the disk is nearly full: {free} bytes are free")]
    DiskLow {
        /// Bytes free.
        free: u64,
    },
    /// A write or sync failed; nothing is written until a restart.
    #[error("storage failed: {detail}")]
    StorageFailed {
        /// For the operator.
        detail: String,
    },
}
