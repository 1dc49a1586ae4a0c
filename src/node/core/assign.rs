//! Assignments: who of the own city works on a case, and a remark beside it. Facts of this node
//! alone ([`super::kept`]).
//!
//! In scope: taking one, finding it again. Out of scope: who may give one and how it is shown
//! (`rpc::case_assign`).
//!
//! Two coordinators may assign one case: whoever replaces an assignment quotes its etag, which is
//! made of what it says, and is refused where another one stands by now, also in the group under
//! way. What was asked for and stands already is done: a repetition is answered as the first call
//! was.
//!
//! Its row holds a tag of the name too, by which lists are filtered.
//!
//! Invariants:
//! 1. Nothing of it leaves this node. (`assignments_never_leave_the_city`)
//! 2. It is there after the views are lost.
//!    (`assignments_are_the_own_citys_and_outlive_the_views`)
//! 3. None is replaced by somebody who has not seen it.
//!    (`an_assignment_that_was_changed_meanwhile_is_not_overwritten`)

use crate::api::order::{Assignment, OrderError};
use crate::ids::{AgreementId, SubjectId, Tag, hex};
use crate::journal::{Disk, JournalReader, LocalFact, RecordRef};
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
    of_fact(&LocalFact::decode(&payload)?)
}

/// What a local record says of an assignment, if it is about one.
#[must_use]
pub fn of_fact(fact: &LocalFact) -> Option<((AgreementId, SubjectId), Assignment)> {
    match fact {
        LocalFact::Assigned { agreement, subject, at_ms, by, assignee, remark } => {
            let (assignee, remark, by) = (assignee.clone(), remark.clone(), by.clone());
            Some(((*agreement, *subject), Assignment { assignee, remark, at_ms: *at_ms, by }))
        }
        LocalFact::Shown { .. }
        | LocalFact::Restored { .. }
        | LocalFact::Cut { .. }
        | LocalFact::Drafted { .. } => None,
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
        if let Err(error) = self.may_keep(agreement) {
            return vec![Output::Ordered(ticket, Err(error))];
        }
        if view::case(&self.group_rows(), agreement, subject).is_none() {
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
            return self.stands_already(ticket);
        }
        let Assignment { assignee, remark, at_ms, by } = assignment;
        let fact = LocalFact::Assigned { agreement, subject, at_ms, by, assignee, remark };
        self.keep(ticket, &fact)
    }

    /// The assignment of a case that stands, or will with the group under way; none when the last
    /// one cleared it.
    fn standing(&mut self, case: (AgreementId, SubjectId)) -> Option<Assignment> {
        let of_case = |fact| of_fact(&fact).filter(|(of, _)| *of == case).map(|(_, one)| one);
        let standing = self.gathered_of(of_case).or_else(|| {
            let row = self.group_rows().get(&keys::assignment(case.0, case.1))?;
            let row: AssignmentRow = rows::decode(&row)?;
            Some(at(&self.journal.reader(), row.record)?.1)
        });
        standing.filter(|one| !is_clear(one))
    }

    /// Notes where an assignment lies.
    pub(super) fn index_assignment(
        &mut self,
        record: RecordRef,
        case: (AgreementId, SubjectId),
        assignment: &Assignment,
    ) {
        let assignee = assignee_tag(&self.node_key, &assignment.assignee);
        let row = rows::encode(&AssignmentRow { record, assignee });
        let row = (!is_clear(assignment)).then_some(row);
        self.group.changes.insert(keys::assignment(case.0, case.1), row);
    }
}
