//! The fold hash: equal on all nodes with equal heads, apply numbers and arrival left out.

use super::case_view::CaseView;
use super::rows::{ReadRows, bytes};
use super::{FOLD_VERSION, keys};
use crate::ids::{AgreementId, Hash, SubjectId};
use crate::log::Head;
use crate::log::merkle::digest;

/// Cases that [`fold_hash`] covers.
#[must_use]
pub fn fold_count(rows: &(impl ReadRows + ?Sized), agreement: AgreementId) -> u32 {
    let mut count = 0;
    each_case(rows, agreement, &mut |_, view| count += u32::from(!view.needs_newer));
    count
}

/// SHA-256 over the fold version, the applied heads by log, and (case, SHA-256 of its state) by
/// case. Cases held by an entry of a newer kind are left out.
#[must_use]
pub fn fold_hash(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    applied: &[Head],
) -> Hash {
    let mut text = FOLD_VERSION.to_be_bytes().to_vec();
    let mut heads = applied.to_vec();
    heads.sort_unstable();
    for head in heads {
        text.extend_from_slice(head.log.as_bytes());
        text.extend_from_slice(&head.size.to_be_bytes());
        text.extend_from_slice(head.root.as_bytes());
    }
    each_case(rows, agreement, &mut |key, view| {
        if !view.needs_newer {
            text.extend_from_slice(key.get(17..).unwrap_or_default());
            text.extend_from_slice(state_digest(view).as_bytes());
        }
    });
    digest(&text)
}

fn each_case(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    f: &mut dyn FnMut(&[u8], &CaseView),
) {
    let from = keys::case(agreement, SubjectId::new([0; 16]));
    let mut to = keys::case(agreement, SubjectId::new([255; 16]));
    to.push(0);
    rows.scan(&from, &to, false, &mut |key, value| {
        if let Ok(view) = postcard::from_bytes::<CaseView>(value) {
            f(key, &view);
        }
        true
    });
}

/// What of a case must be equal everywhere.
fn state_digest(view: &CaseView) -> Hash {
    digest(&bytes(&(
        &view.case,
        view.opened_at,
        view.last_move,
        view.record_at,
        view.person_at,
        view.move_count,
        view.contribution_count,
        view.misfit_count,
        &view.parts_received_by,
    )))
}
