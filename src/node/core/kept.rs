//! What this node keeps for its own city alone: assignments of cases, drafts of plans. No entry of
//! any log, no frame, nothing that another city could ask for.
//!
//! The newest record of one matter counts. A row holds where that lies, so that nothing typed lies
//! in the rows; the texts are read from the journal. No record is taken back: earlier ones stay in
//! the journal, as everything does.
//!
//! In scope: what all of it has in common. Out of scope: what is kept ([`super::assign`],
//! [`super::drafts`]).

use crate::api::order::OrderError;
use crate::ids::AgreementId;
use crate::journal::{Disk, LocalFact, RecordKind, RecordRef};
use crate::node::core::io::{Output, Ticket};
use crate::node::core::{Core, assign, drafts};
use crate::store::Store;

impl<D: Disk, S: Store> Core<D, S> {
    /// Whether anything about an agreement can be kept now.
    pub(super) fn may_keep(&self, agreement: AgreementId) -> Result<(), OrderError> {
        if let Some(detail) = self.poisoned.clone() {
            return Err(OrderError::StorageFailed { detail });
        }
        if let Some(free) = self.low_disk() {
            return Err(OrderError::DiskLow { free });
        }
        let member = self.logs.members(agreement).contains(&self.settings.city);
        if member { Ok(()) } else { Err(OrderError::NotFound) }
    }

    /// The newest of what the group under way will keep of some sort.
    pub(super) fn gathered_of<T>(&self, of: impl Fn(LocalFact) -> Option<T>) -> Option<T> {
        let small = self.group.small.iter().rev();
        let mut local = small.filter(|(kind, _)| *kind == RecordKind::Local);
        local.find_map(|(_, payload)| of(LocalFact::decode(payload)?))
    }

    /// Keeps it; answered once it is on disk.
    pub(super) fn keep(&mut self, ticket: Ticket, fact: &LocalFact) -> Vec<Output> {
        self.group.small.push((RecordKind::Local, fact.encode().into()));
        self.group.dirty = true;
        self.group.after.push(Output::Ordered(ticket, Ok(())));
        Vec::new()
    }

    /// Answers that it is kept already.
    pub(super) fn stands_already(&mut self, ticket: Ticket) -> Vec<Output> {
        let done = Output::Ordered(ticket, Ok(()));
        if self.group.small.is_empty() {
            return vec![done];
        }
        // What stands may be of this group, and is on disk when that is. Some small records
        // wait for the next commit without asking for one.
        self.group.dirty = true;
        self.group.after.push(done);
        Vec::new()
    }

    /// Notes where something of this sort lies; whether the record is that. It is not read at every
    /// start, as other local records are: there may be one for every case.
    pub(super) fn index_kept(
        &mut self,
        record: RecordRef,
        kind: RecordKind,
        payload: &[u8],
    ) -> bool {
        if kind != RecordKind::Local {
            return false;
        }
        let Some(fact) = LocalFact::decode(payload) else { return false };
        if let Some((case, assignment)) = assign::of_fact(&fact) {
            self.index_assignment(record, case, &assignment);
            return true;
        }
        let Some((draft, kept)) = drafts::of_fact(&fact) else { return false };
        self.index_draft(record, draft, &kept);
        true
    }
}
