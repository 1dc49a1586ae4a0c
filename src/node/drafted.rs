//! Reading and keeping drafts of plans.
//!
//! In scope: a handle's view of them. Out of scope: taking them ([`crate::node::core`]).

use std::cmp::Reverse;

use crate::api::order::{KeptDraft, OrderError};
use crate::ids::AgreementId;
use crate::journal::{Disk, RecordRef};
use crate::node::core::drafts::{self, DraftKey};
use crate::node::core::rows::{self, DraftRow};
use crate::node::core::{Input, keys};
use crate::node::reader::Reader;
use crate::node::writer::NodeHandle;
use crate::store::Store;
use crate::view::ReadRows;

impl NodeHandle {
    /// Keeps a draft, or throws it away when it says nothing; returns once it is on disk. `etag` is
    /// that of the version it replaces, empty for none.
    ///
    /// # Errors
    /// [`OrderError`]: nothing has changed.
    pub async fn keep_draft(
        &self,
        draft: DraftKey,
        kept: KeptDraft,
        etag: String,
    ) -> Result<(), OrderError> {
        self.order(Box::new(move |ticket| Input::KeepDraft { ticket, draft, kept, etag })).await
    }
}

impl<D: Disk, S: Store> Reader<D, S> {
    /// A draft and its etag. One that lies damaged on this disk is left out, and logged.
    #[must_use]
    pub fn draft(&self, (agreement, draft): DraftKey) -> Option<(KeptDraft, String)> {
        let row = self.view().get(&keys::plan_draft(agreement, draft))?;
        let row: DraftRow = rows::decode(&row)?;
        self.draft_at(row.record)
    }

    /// The same by where it lies.
    #[must_use]
    pub fn draft_at(&self, record: RecordRef) -> Option<(KeptDraft, String)> {
        let (key, kept) = drafts::at(&self.journal(), record)?;
        let etag = drafts::etag(self.key(), key, &kept);
        Some((kept, etag))
    }

    /// All drafts in these agreements and where they lie, those saved last first.
    #[must_use]
    pub fn drafts(&self, agreements: &[AgreementId]) -> Vec<(DraftKey, RecordRef)> {
        let mut all = drafts::all(&self.view());
        all.retain(|((agreement, _), _)| agreements.contains(agreement));
        all.sort_by_key(|(_, record)| Reverse(record.number));
        all
    }
}
