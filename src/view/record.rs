//! What is alike for notices, meetings, sites, units and plans: a record is opened by an entry that
//! names none, and cities add to it.
//!
//! In scope: which entry is about which record, what its author had seen, counting misfits. Out of
//! scope: what an entry means (each view), cases ([`super::fold`]).

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fold::{
    Applied, Effect, FoldEntry, SUBJECT_UNSEEN, What, misfit, note_history, remember,
};
use super::rows::{ReadRows, Rows, get, put};
use crate::domain::Event;
use crate::ids::{AgreementId, Position, SubjectId};
use crate::log::{SubjectKind, subject_id};

/// What became of an entry that adds to a record.
pub(super) struct Added {
    pub effect: Effect,
    /// An earlier choice was taken back.
    pub refolded: bool,
    /// What later entries may name it as.
    pub what: What,
}

impl Added {
    /// A contribution, or why it is none.
    pub(super) fn contribution(fits: Result<(), &'static str>) -> Self {
        let effect = match fits {
            Ok(()) => Effect::Contribution,
            Err(reason) => misfit(reason),
        };
        Self { effect, refolded: false, what: What::Other }
    }
}

/// What every record counts.
pub(super) struct Counted<'a> {
    pub misfit_count: &'a mut u32,
    pub needs_newer: &'a mut bool,
    pub last_apply: &'a mut u64,
}

/// A record as the rows hold it.
pub(super) trait Record: Serialize + DeserializeOwned {
    /// What it is.
    const KIND: SubjectKind;

    /// Where its row is.
    fn key(agreement: AgreementId, subject: SubjectId) -> Vec<u8>;

    /// Where it is found by the apply number of its opening, if it is.
    fn opened_key(agreement: AgreementId, apply: u64) -> Option<Vec<u8>>;

    /// The record that an entry opens, or why it opens none; `None` for an entry that opens no
    /// record of this kind.
    fn open(entry: &FoldEntry<'_>, apply: u64) -> Option<Result<Self, &'static str>>;

    /// What else must be put down with the opening, and what later entries may name it as.
    fn opened<R: Rows>(&self, _: &mut R, _: &FoldEntry<'_>, _: SubjectId) -> What {
        What::Other
    }

    /// The entry that opened it.
    fn opened_at(&self) -> Position;

    /// What it counts.
    fn counted(&mut self) -> Counted<'_>;

    /// Adds what an entry says; `None` for an entry that says nothing of such a record.
    fn add<R: Rows>(
        &mut self,
        rows: &mut R,
        entry: &FoldEntry<'_>,
        subject: SubjectId,
    ) -> Option<Added>;
}

/// Applies an entry about a record of this kind.
pub(super) fn apply<V: Record, R: Rows>(
    rows: &mut R,
    entry: &FoldEntry<'_>,
    apply: u64,
) -> Applied {
    let (subject, effect, refolded) = match entry.envelope.subject.id {
        Some(subject) => {
            let (effect, refolded) = add::<V, R>(rows, entry, subject, apply);
            (subject, effect, refolded)
        }
        None => match open::<V, R>(rows, entry, apply) {
            Ok(subject) => (subject, Effect::Opened, false),
            Err(effect) => {
                remember(rows, entry, None, apply, What::Other);
                return Applied { effect, subject: None, refolded: false };
            }
        },
    };
    note_history(rows, entry, subject, (&effect, None), apply);
    Applied { effect, subject: Some((V::KIND, subject)), refolded }
}

fn open<V: Record, R: Rows>(
    rows: &mut R,
    entry: &FoldEntry<'_>,
    apply: u64,
) -> Result<SubjectId, Effect> {
    let Some(view) = V::open(entry, apply) else {
        // Of a kind that only newer programs know: it opens nothing here, and is no fault.
        let newer = *entry.event == Event::Newer;
        return Err(if newer { Effect::Newer } else { misfit("SUBJECT_MISSING") });
    };
    let view = view.map_err(misfit)?;
    let subject = subject_id(entry.envelope.position());
    put(rows, V::key(entry.agreement, subject), &view);
    if let Some(key) = V::opened_key(entry.agreement, apply) {
        put(rows, key, &subject);
    }
    let what = view.opened(rows, entry, subject);
    remember(rows, entry, Some(subject), apply, what);
    Ok(subject)
}

fn add<V: Record, R: Rows>(
    rows: &mut R,
    entry: &FoldEntry<'_>,
    subject: SubjectId,
    apply: u64,
) -> (Effect, bool) {
    let view: Option<V> = get(rows, &V::key(entry.agreement, subject));
    let Some(mut view) = view.filter(|view| entry.has_seen(rows, view.opened_at())) else {
        remember(rows, entry, None, apply, What::Other);
        return (misfit(SUBJECT_UNSEEN), false);
    };
    let newer = *entry.event == Event::Newer;
    let added = view.add(rows, entry, subject).unwrap_or_else(|| Added {
        effect: if newer { Effect::Newer } else { misfit("WRONG_SUBJECT") },
        refolded: false,
        what: What::Other,
    });
    remember(rows, entry, Some(subject), apply, added.what);
    let Counted { misfit_count, needs_newer, last_apply } = view.counted();
    *misfit_count += u32::from(matches!(added.effect, Effect::Misfit(_)));
    *needs_newer |= newer;
    *last_apply = apply;
    put(rows, V::key(entry.agreement, subject), &view);
    (added.effect, added.refolded)
}

/// One record.
pub(super) fn read<V: Record>(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    subject: SubjectId,
) -> Option<V> {
    get(rows, &V::key(agreement, subject))
}

/// Walks the records of a kind in an agreement from the one opened last here, or from below apply
/// number `below`, until `f` says no.
pub(super) fn newest_first<V: Record>(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    below: Option<u64>,
    f: &mut dyn FnMut(SubjectId, V) -> bool,
) {
    let keys = V::opened_key(agreement, 0).zip(V::opened_key(agreement, below.unwrap_or(u64::MAX)));
    let Some((from, to)) = keys else { return };
    rows.scan(&from, &to, true, &mut |_, value| {
        let Ok(subject) = postcard::from_bytes::<SubjectId>(value) else { return true };
        read(rows, agreement, subject).is_none_or(|view| f(subject, view))
    });
}
