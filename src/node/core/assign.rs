//! Assignments: who of the own city works on a case, and a remark beside it. Facts of this node
//! alone: no entry of any log, no frame, nothing that another city could ask for.
//!
//! In scope: taking one, finding it again. Out of scope: who may give one and how it is shown
//! (`rpc::case_assign`).
//!
//! Two coordinators may assign one case: whoever replaces an assignment quotes its etag, which is
//! made of what it says, and is refused where another one stands by now, also in the group under
//! way. What was asked for and stands already is done: a repetition is answered as the first call
//! was.
//!
//! The newest record of a case counts. Its row holds where that lies and a tag of the name, so that
//! nothing typed lies in the rows; the texts are read from the journal. No record is taken back:
//! earlier ones stay in the journal, as everything does.
//!
//! Invariants:
//! 1. Nothing of it leaves this node. (`assignments_never_leave_the_city`)
//! 2. It is there after the views are lost.
//!    (`assignments_are_the_own_citys_and_outlive_the_views`)
//! 3. None is replaced by somebody who has not seen it.
//!    (`an_assignment_that_was_changed_meanwhile_is_not_overwritten`)

use bytes::Bytes;

use crate::api::order::{Assignment, OrderError};
use crate::ids::{AgreementId, SubjectId, Tag, hex};
use crate::journal::{Disk, JournalReader, LocalFact, RecordKind, RecordRef};
use crate::node::core::io::{Output, Ticket};
use crate::node::core::rows::{self, AssignmentRow};
use crate::node::core::{Core, keys};
use crate::store::Store;
use crate::trust::keys::HmacKey;
use crate::view::{self, ReadRows};

/// What stands for a name in the rows.
pub fn assignee_tag(key: &HmacKey, assignee: &str) -> Tag {
    key.tag(&[b"assignee", assignee.as_bytes()])
}

/// What names an assignment: no two that anybody could tell apart have the same.
pub fn etag(
    key: &HmacKey,
    (agreement, subject): (AgreementId, SubjectId),
    assignment: &Assignment,
) -> String {
    let Assignment { assignee, remark, at_ms, by } = assignment;
    let tag = key.tag(&[
        b"assignment",
        agreement.as_bytes(),
        subject.as_bytes(),
        &at_ms.to_be_bytes(),
        by.as_bytes(),
        assignee.as_bytes(),
        remark.as_bytes(),
    ]);
    hex(tag.as_bytes())
}

/// The assignment of a record, and of which case; `None`, and logged, where it lies damaged.
pub fn at<D: Disk>(
    journal: &JournalReader<D>,
    record: RecordRef,
) -> Option<((AgreementId, SubjectId), Assignment)> {
    let read = journal.read(record);
    let (_, payload) =
        read.inspect_err(|error| tracing::error!(%error, "an assignment cannot be read")).ok()?;
    assignment(&payload)
}

fn assignment(payload: &[u8]) -> Option<((AgreementId, SubjectId), Assignment)> {
    match LocalFact::decode(payload)? {
        LocalFact::Assigned { agreement, subject, at_ms, by, assignee, remark } => {
            Some(((agreement, subject), Assignment { assignee, remark, at_ms, by }))
        }
        LocalFact::Shown { .. } | LocalFact::Restored { .. } | LocalFact::Cut { .. } => None,
    }
}

fn is_clear(assignment: &Assignment) -> bool {
    assignment.assignee.is_empty() && assignment.remark.is_empty()
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Assigns a case, or clears that when both texts are empty; answered once it is on disk. The
    /// etag is that of the assignment it replaces, empty for none.
    pub(super) fn assign(
        &mut self,
        ticket: Ticket,
        (agreement, subject): (AgreementId, SubjectId),
        (assignment, etag): (Assignment, &str),
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
        let standing = self.standing((agreement, subject));
        let named = |one: &Assignment| self::etag(&self.node_key, (agreement, subject), one);
        let current = standing.as_ref().map(named).unwrap_or_default();
        if current != etag {
            let says = |one: &Assignment| {
                (one.by == assignment.by || is_clear(one))
                    && (&one.assignee, &one.remark) == (&assignment.assignee, &assignment.remark)
            };
            let is_done = standing.as_ref().map_or_else(|| is_clear(&assignment), says);
            if !is_done {
                let changed = OrderError::AssignmentChanged { current };
                return vec![Output::Ordered(ticket, Err(changed))];
            }
            let done = Output::Ordered(ticket, Ok(()));
            if self.group.small.is_empty() {
                return vec![done];
            }
            // What stands may be of this group, and is on disk when that is. Some small records
            // wait for the next commit without asking for one.
            self.group.dirty = true;
            self.group.after.push(done);
            return Vec::new();
        }
        let Assignment { assignee, remark, at_ms, by } = assignment;
        let fact = LocalFact::Assigned { agreement, subject, at_ms, by, assignee, remark };
        self.group.small.push((RecordKind::Local, fact.encode().into()));
        self.group.dirty = true;
        self.group.after.push(Output::Ordered(ticket, Ok(())));
        Vec::new()
    }

    /// The assignment of a case that stands, or will with the group under way; none when the last
    /// one cleared it.
    fn standing(&mut self, case: (AgreementId, SubjectId)) -> Option<Assignment> {
        let of_case = |(_, payload): &(RecordKind, Bytes)| {
            assignment(payload).filter(|(of, _)| *of == case).map(|(_, one)| one)
        };
        let local = |(kind, _): &&(RecordKind, Bytes)| *kind == RecordKind::Local;
        let gathered = self.group.small.iter().rev().filter(local).find_map(of_case);
        let standing = gathered.or_else(|| {
            let row = self.group_rows().get(&keys::assignment(case.0, case.1))?;
            let row: AssignmentRow = rows::decode(&row)?;
            Some(at(&self.journal.reader(), row.record)?.1)
        });
        standing.filter(|one| !is_clear(one))
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
