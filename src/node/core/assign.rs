//! Assignments: who of the own city works on a case, and a remark beside it. Facts of this node
//! alone: no entry of any log, no frame, nothing that another city could ask for.
//!
//! In scope: taking one, finding it again. Out of scope: who may give one and how it is shown
//! (`rpc::case_assign`).
//!
//! The newest record of a case counts. Its row holds where that lies and a tag of the name, so that
//! nothing typed lies in the rows; the texts are read from the journal. No record is taken back:
//! earlier ones stay in the journal, as everything does.
//!
//! Invariants:
//! 1. Nothing of it leaves this node. (`assignments_never_leave_the_city`)
//! 2. It is there after the views are lost.
//!    (`assignments_are_the_own_citys_and_outlive_the_views`)

use crate::api::request::{Assignment, OrderError};
use crate::ids::{AgreementId, SubjectId, Tag};
use crate::journal::{Disk, LocalFact, RecordKind, RecordRef};
use crate::node::core::io::{Output, Ticket};
use crate::node::core::rows::{self, AssignmentRow};
use crate::node::core::{Core, keys};
use crate::store::Store;
use crate::trust::keys::HmacKey;
use crate::view;

/// What stands for a name in the rows.
pub fn assignee_tag(key: &HmacKey, assignee: &str) -> Tag {
    key.tag(&[b"assignee", assignee.as_bytes()])
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Assigns a case, or clears that when both texts are empty; answered once it is on disk.
    pub(super) fn assign(
        &mut self,
        ticket: Ticket,
        (agreement, subject): (AgreementId, SubjectId),
        assignment: Assignment,
    ) -> Vec<Output> {
        if let Some(detail) = self.poisoned.clone() {
            return vec![Output::Ordered(ticket, Err(OrderError::StorageFailed { detail }))];
        }
        if let Some(free) = self.low_disk() {
            return vec![Output::Ordered(ticket, Err(OrderError::DiskLow { free }))];
        }
        let member = self.logs.members(agreement).contains(&self.settings.city);
        if !member || view::case(&self.group_rows(), agreement, subject).is_none() {
            return vec![Output::Ordered(ticket, Err(OrderError::NotFound))];
        }
        let Assignment { assignee, remark, at_ms, by } = assignment;
        let fact = LocalFact::Assigned { agreement, subject, at_ms, by, assignee, remark };
        self.group.small.push((RecordKind::Local, fact.encode().into()));
        self.group.dirty = true;
        self.group.after.push(Output::Ordered(ticket, Ok(())));
        Vec::new()
    }

    /// Notes where an assignment lies; whether the record is one. It is not read at every start,
    /// as other local records are: there may be one for every case.
    pub(super) fn index_assignment(
        &mut self,
        record: RecordRef,
        kind: RecordKind,
        payload: &[u8],
    ) -> bool {
        if kind != RecordKind::Local {
            return false;
        }
        let Some(LocalFact::Assigned { agreement, subject, assignee, remark, .. }) =
            LocalFact::decode(payload)
        else {
            return false;
        };
        let cleared = assignee.is_empty() && remark.is_empty();
        let assignee = assignee_tag(&self.node_key, &assignee);
        let row = rows::encode(&AssignmentRow { record, assignee });
        self.group.changes.insert(keys::assignment(agreement, subject), (!cleared).then_some(row));
        true
    }
}
