//! Own words about evidence: whether they may be said, and who may hold them.
//!
//! In scope: what this node has seen for sure. Out of scope: the rules
//! ([`crate::domain::evidence_act`]), building entries ([`super::write`]), files.

use crate::api::request::{NewPart, WriteError};
use crate::domain::evidence_act::decide_evidence;
use crate::domain::{CaseContribution, Date};
use crate::ids::{AgreementId, SubjectId};
use crate::journal::Disk;
use crate::node::core::Core;
use crate::store::Store;
use crate::view;

impl<D: Disk, S: Store> Core<D, S> {
    /// The parts of a contribution, if what rows know of it allows it. What is said of evidence
    /// goes to whoever may hold the list, whatever audience was asked for.
    pub(super) fn parts_beside(
        &mut self,
        case: (AgreementId, SubjectId),
        today: Date,
        contribution: &CaseContribution,
        parts: &[NewPart],
    ) -> Result<Vec<NewPart>, WriteError> {
        if let CaseContribution::Referral(act) = contribution {
            self.decide_referral(case, today, act)?;
        }
        let CaseContribution::Evidence { place, act } = contribution else {
            return Ok(parts.to_vec());
        };
        let by = self.settings.city;
        // As members will judge it: by what the new entry can say that it has seen.
        let seen = self.surely_seen(case.0);
        let found = view::evidence_standing(&self.group_rows(), case, *place, by, &seen);
        decide_evidence(by, found.as_ref().map(|(standing, _)| *standing), *act, today)?;
        // Without a list it was refused.
        let Some((_, audience)) = found else { return Ok(parts.to_vec()) };
        let with =
            |part: &NewPart| NewPart { audience: audience.clone(), content: part.content.clone() };
        Ok(parts.iter().map(with).collect())
    }
}
