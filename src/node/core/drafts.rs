//! Drafts of plans that a city has not proposed yet: kept by its own node, and shown to its own
//! people only.
//!
//! Two colleagues may write at one draft: whoever replaces it or throws it away quotes its etag,
//! which is made of what it says, and is refused where another version stands by now, also in the
//! group under way. What was asked for and stands already is done: a repetition is answered as the
//! first call was.
//!
//! A draft ends with the entry that opens a plan from it, which names it: so there is no moment,
//! and no copy of the journal, in which both the plan and the draft are there.
//!
//! In scope: keeping one, finding it again. Out of scope: what it says, who may write one
//! (`rpc::plan_kept`).
//!
//! Invariants:
//! 1. Nothing of it leaves this node before it is proposed. (`drafts_never_leave_the_city`)
//! 2. It is there after the views are lost.
//!    (`f15_a_plan_is_drafted_by_colleagues_and_proposed_once`)
//! 3. None is replaced by somebody who has not seen it.
//!    (`f15_a_plan_is_drafted_by_colleagues_and_proposed_once`)
//! 4. One draft comes to one plan. (`a_draft_that_was_proposed_never_comes_back`)

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::api::order::{KeptDraft, OrderError};
use crate::api::request::WriteError;
use crate::ids::{AgreementId, SubjectId, hex};
use crate::journal::{Disk, JournalReader, LocalFact, RecordRef};
use crate::limits::PLAN_DRAFTS_MAX;
use crate::node::core::io::{Output, Ticket};
use crate::node::core::rows::{self, DraftRow};
use crate::node::core::{Core, keys};
use crate::store::Store;
use crate::trust::keys::HmacKey;
use crate::view::{ReadRows, Rows};

/// Which draft.
pub type DraftKey = (AgreementId, SubjectId);

/// What names a version of a draft: no two that anybody could tell apart have the same.
#[must_use]
pub fn etag(key: &HmacKey, (agreement, draft): DraftKey, kept: &KeptDraft) -> String {
    let tag = key.tag(&[
        b"draft",
        agreement.as_bytes(),
        draft.as_bytes(),
        &kept.at_ms.to_be_bytes(),
        kept.by.as_bytes(),
        &kept.content,
    ]);
    hex(tag.as_bytes())
}

/// The draft of a record; `None`, and logged, where it lies damaged.
pub fn at<D: Disk>(journal: &JournalReader<D>, record: RecordRef) -> Option<(DraftKey, KeptDraft)> {
    let read = journal.read(record);
    let (_, payload) =
        read.inspect_err(|error| tracing::error!(%error, "a draft cannot be read")).ok()?;
    of_fact(&LocalFact::decode(&payload)?)
}

/// What a local record says of a draft, if it is about one.
#[must_use]
pub fn of_fact(fact: &LocalFact) -> Option<(DraftKey, KeptDraft)> {
    match fact {
        LocalFact::Drafted { agreement, draft, at_ms, by, content } => {
            let content = Bytes::copy_from_slice(content);
            Some(((*agreement, *draft), KeptDraft { content, at_ms: *at_ms, by: by.clone() }))
        }
        LocalFact::Shown { .. }
        | LocalFact::Restored { .. }
        | LocalFact::Cut { .. }
        | LocalFact::Assigned { .. } => None,
    }
}

/// All drafts and where they lie, in the order of their names.
pub fn all(rows: &impl ReadRows) -> Vec<(DraftKey, RecordRef)> {
    let mut found = Vec::new();
    let (from, to) = keys::PLAN_DRAFTS;
    rows.scan(from, to, false, &mut |key, row| {
        let row = rows::decode::<DraftRow>(row);
        found.extend(keys::parse_plan_draft(key).zip(row.map(|row| row.record)));
        true
    });
    found
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Keeps a draft, or throws it away when it says nothing; answered once it is on disk. The etag
    /// is that of the version it replaces, empty for none.
    pub(super) fn keep_draft(
        &mut self,
        ticket: Ticket,
        key: DraftKey,
        (kept, etag): (KeptDraft, &str),
    ) -> Vec<Output> {
        let refused = |error| vec![Output::Ordered(ticket, Err(error))];
        if let Err(error) = self.may_keep(key.0) {
            return refused(error);
        }
        let Some(standing) = self.draft_standing(key) else {
            return match (kept.content.is_empty(), etag.is_empty()) {
                (true, _) => self.stands_already(ticket),
                // Whoever saves it anew, as it was never heard that it was, has proposed it since.
                (false, true) if self.is_proposed(key) => self.stands_already(ticket),
                (false, false) => refused(OrderError::NotFound),
                (false, true) if self.drafts_kept() >= PLAN_DRAFTS_MAX => {
                    refused(OrderError::TooManyDrafts { most: PLAN_DRAFTS_MAX })
                }
                (false, true) => self.keep(ticket, &fact(key, kept)),
            };
        };
        let current = self::etag(&self.node_key, key, &standing);
        if (&standing.by, &standing.content) == (&kept.by, &kept.content) {
            self.stands_already(ticket)
        } else if current == etag {
            self.keep(ticket, &fact(key, kept))
        } else {
            refused(OrderError::DraftChanged { current })
        }
    }

    /// The draft as it stands, or will with the group under way; none once it was thrown away.
    fn draft_standing(&mut self, key: DraftKey) -> Option<KeptDraft> {
        let of_key = |fact| of_fact(&fact).filter(|(of, _)| *of == key).map(|(_, kept)| kept);
        let standing = self.gathered_of(of_key).or_else(|| {
            let row = self.group_rows().get(&keys::plan_draft(key.0, key.1))?;
            let row: DraftRow = rows::decode(&row)?;
            Some(at(&self.journal.reader(), row.record)?.1)
        });
        standing.filter(|kept| !kept.content.is_empty())
    }

    /// How many drafts there will be with the group under way.
    fn drafts_kept(&mut self) -> usize {
        let rows = self.group_rows();
        let mut kept: BTreeSet<DraftKey> = all(&rows).into_iter().map(|(key, _)| key).collect();
        for (_, payload) in &self.group.small {
            match LocalFact::decode(payload).and_then(|fact| of_fact(&fact)) {
                Some((key, one)) if one.content.is_empty() => kept.remove(&key),
                Some((key, _)) => kept.insert(key),
                None => continue,
            };
        }
        kept.len()
    }

    /// Notes where a draft lies.
    pub(super) fn index_draft(&mut self, record: RecordRef, key: DraftKey, kept: &KeptDraft) {
        let stands = !kept.content.is_empty() && !self.is_proposed(key);
        let row = stands.then(|| rows::encode(&DraftRow { record }));
        self.group.changes.insert(keys::plan_draft(key.0, key.1), row);
    }

    /// Whether a plan may come from a draft: it is there, and says what its caller has read.
    pub(super) fn check_draft(
        &mut self,
        agreement: AgreementId,
        from: Option<&(SubjectId, String)>,
    ) -> Result<(), WriteError> {
        let Some((draft, etag)) = from else { return Ok(()) };
        let key = (agreement, *draft);
        let standing = self.draft_standing(key).ok_or(WriteError::DraftGone)?;
        let current = self::etag(&self.node_key, key, &standing);
        if current == *etag { Ok(()) } else { Err(WriteError::DraftChanged { current }) }
    }

    /// A plan comes from a draft: that is there no more, and does not come back.
    pub(super) fn end_draft(&mut self, key: DraftKey, plan: SubjectId) {
        let row = self.proposed_row(key);
        self.group_rows().put(row, keys::case_value(key.0, plan));
        self.group.changes.insert(keys::plan_draft(key.0, key.1), None);
    }

    fn is_proposed(&mut self, key: DraftKey) -> bool {
        let row = self.proposed_row(key);
        self.group_rows().get(&row).is_some()
    }

    fn proposed_row(&self, (agreement, draft): DraftKey) -> Vec<u8> {
        let fields = [b"draft of a plan".as_slice(), agreement.as_bytes(), draft.as_bytes()];
        keys::external(self.node_key.tag(&fields))
    }
}

fn fact((agreement, draft): DraftKey, kept: KeptDraft) -> LocalFact {
    let KeptDraft { content, at_ms, by } = kept;
    LocalFact::Drafted { agreement, draft, at_ms, by, content: content.to_vec() }
}
