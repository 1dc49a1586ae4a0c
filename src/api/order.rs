//! PURE: what concerns a node alone and no log: who works on a case, and orders about a city.
//!
//! In scope: what is kept of an assignment, why an order is not carried out. Out of scope: how
//! ([`crate::node`]).

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

/// Why an operator's order about a city was not carried out. Nothing was written.
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
