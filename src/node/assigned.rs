//! Reading assignments: who of the own city works on a case.
//!
//! In scope: a handle's view of them. Out of scope: taking them ([`crate::node::core`]).

use crate::api::order::{Assignment, OrderError};
use crate::ids::{AgreementId, SubjectId, Tag};
use crate::journal::Disk;
use crate::node::core::rows::{self, AssignmentRow};
use crate::node::core::{Input, assign, keys};
use crate::node::reader::Reader;
use crate::node::writer::NodeHandle;
use crate::store::Store;
use crate::view::ReadRows;

impl NodeHandle {
    /// Assigns a case, or clears that when both texts are empty; returns once it is on disk. `etag`
    /// is that of the assignment it replaces, empty for none.
    ///
    /// # Errors
    /// [`OrderError`]: nothing has changed.
    pub async fn assign(
        &self,
        case: (AgreementId, SubjectId),
        assignment: Assignment,
        etag: String,
    ) -> Result<(), OrderError> {
        self.order(Box::new(move |ticket| Input::Assign { ticket, case, assignment, etag })).await
    }
}

impl<D: Disk, S: Store> Reader<D, S> {
    /// What stands for a name in the rows.
    #[must_use]
    pub fn assignee_tag(&self, assignee: &str) -> Tag {
        assign::assignee_tag(self.key(), assignee)
    }

    /// Whether a case is assigned to the one with this tag.
    #[must_use]
    pub fn is_assigned(&self, (agreement, subject): (AgreementId, SubjectId), to: Tag) -> bool {
        self.assignment_row(agreement, subject).is_some_and(|row| row.assignee == to)
    }

    /// The assignment that stands, and its etag. One that lies damaged on this disk is left out,
    /// and logged.
    #[must_use]
    pub fn assignment(
        &self,
        agreement: AgreementId,
        subject: SubjectId,
    ) -> Option<(Assignment, String)> {
        let row = self.assignment_row(agreement, subject)?;
        let (_, standing) = assign::at(&self.journal(), row.record)?;
        let etag = assign::etag(self.key(), (agreement, subject), &standing);
        Some((standing, etag))
    }

    fn assignment_row(&self, agreement: AgreementId, subject: SubjectId) -> Option<AssignmentRow> {
        let row = self.view().get(&keys::assignment(agreement, subject))?;
        rows::decode(&row)
    }
}
