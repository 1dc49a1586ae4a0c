//! Own words to and of police and procuratorate: whether they may be said.
//!
//! In scope: what this node has seen for sure. Out of scope: the rules
//! ([`crate::domain::referral`]), building entries ([`super::write`]).

use crate::api::request::WriteError;
use crate::domain::referral::decide_referral;
use crate::domain::{Date, ReferralAct};
use crate::ids::{AgreementId, Position, SubjectId};
use crate::journal::Disk;
use crate::node::core::Core;
use crate::store::Store;
use crate::view;

impl<D: Disk, S: Store> Core<D, S> {
    /// Decides on a word, as members will judge it: by what the new entry can say that it has seen.
    pub(super) fn decide_referral(
        &mut self,
        case: (AgreementId, SubjectId),
        today: Date,
        act: &ReferralAct,
    ) -> Result<(), WriteError> {
        let by = self.settings.city;
        let seen = self.surely_seen(case.0);
        let rows = self.group_rows();
        let view = view::case(&rows, case.0, case.1).ok_or(WriteError::NotFound)?;
        let standing = view::referral_standing(&rows, case, &view, (by, act), &seen);
        let tagged = match act {
            ReferralAct::Tagged { campaign, .. } => view.campaigns().any(|one| one == *campaign),
            ReferralAct::Referred { .. }
            | ReferralAct::Answered { .. }
            | ReferralAct::Copied { .. }
            | ReferralAct::Opined { .. } => false,
        };
        decide_referral((view.case.handling, standing.seen()), act, tagged, today)?;
        Ok(())
    }

    /// What an own entry can say that it has seen.
    pub(super) fn surely_seen(
        &self,
        agreement: AgreementId,
    ) -> impl Fn(Position) -> bool + use<D, S> {
        let sure: Vec<_> =
            self.logs.of_agreement(agreement).map(|log| (log.id, log.sure_head().size)).collect();
        move |at: Position| sure.iter().any(|(log, size)| *log == at.log && at.index < *size)
    }
}
