//! Who may hold a narrow part: by its audience, the handling of the case, and grants. The same rule
//! says who may have the file of an item of evidence whose level is not for all members.

use super::evidence_view::note_first;
use super::fold::{EntryRow, FoldEntry};
use super::rows::{ReadRows, Rows, get, put};
use super::{case_view, keys};
use crate::ids::{AgreementId, CityCode, Position, SubjectId};
use crate::log::{Audience, Envelope};

/// Whether a city that is a member of the agreement may hold a part.
///
/// Before the entry is applied here, a part for the handling city is for its author only.
#[must_use]
pub fn may_hold(
    rows: &(impl ReadRows + ?Sized),
    envelope: &Envelope,
    part: usize,
    city: CityCode,
) -> bool {
    let Some(part_ref) = envelope.parts.get(part) else { return false };
    #[cfg(feature = "planted-bugs")]
    if crate::planted::is_on("narrow-part-for-anybody") {
        return true;
    }
    may_hold_as(rows, envelope, (part, &part_ref.audience), city)
}

/// Whether a city might hold a part if it had this audience: all members may read in a list of
/// evidence what a file is called, and only who handles the case may have the file.
#[must_use]
pub fn may_hold_as(
    rows: &(impl ReadRows + ?Sized),
    envelope: &Envelope,
    (part, audience): (usize, &Audience),
    city: CityCode,
) -> bool {
    if *audience == Audience::AllMembers {
        return true;
    }
    let at = envelope.position();
    let Some(row) = get::<EntryRow>(rows, &keys::entry(at)) else { return false };
    if row.city == city || is_granted(rows, at, part, city) {
        return true;
    }
    match audience {
        Audience::AllMembers => true,
        Audience::Cities(cities) => cities.contains(&city),
        Audience::HandlingCity => row
            .subject
            .and_then(|subject| case_view::case(rows, row.agreement, subject))
            .is_some_and(|view| view.case.handled_by.contains(&city)),
    }
}

fn is_granted(rows: &(impl ReadRows + ?Sized), at: Position, part: usize, city: CityCode) -> bool {
    let Ok(part) = u32::try_from(part) else { return false };
    grants_of(rows, at, part).iter().any(|(to, _)| *to == city)
}

/// To whom a part was granted, and by which entry: the first of each log of its author's city.
pub(super) fn grants_of(
    rows: &(impl ReadRows + ?Sized),
    at: Position,
    part: u32,
) -> Vec<(CityCode, Position)> {
    get(rows, &keys::grants(at, part)).unwrap_or_default()
}

/// Lets one more city hold a part, by an entry that says so.
pub(super) fn grant<R: Rows>(
    rows: &mut R,
    (at, part): (Position, u32),
    to: CityCode,
    by: Position,
) {
    let mut granted = grants_of(rows, at, part);
    note_first(&mut granted, to, by);
    put(rows, keys::grants(at, part), &granted);
}

/// Remembers the parts of an entry that go with the handling of its case.
pub(super) fn note_narrow<R: Rows>(rows: &mut R, entry: &FoldEntry<'_>, subject: SubjectId) {
    let at = entry.envelope.position();
    for (part, part_ref) in (0..).zip(&entry.envelope.parts) {
        if part_ref.audience == Audience::HandlingCity {
            rows.put(keys::narrow(entry.agreement, subject, at, part), Vec::new());
        }
    }
}

/// Parts of a case's entries that go with its handling: entry and part.
#[must_use]
pub fn narrow_entries(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    subject: SubjectId,
) -> Vec<(Position, usize)> {
    let lowest = Position { log: crate::ids::LogId::new([0; 32]), index: 0 };
    let highest = Position { log: crate::ids::LogId::new([255; 32]), index: u64::MAX };
    let from = keys::narrow(agreement, subject, lowest, 0);
    let to = keys::narrow(agreement, subject, highest, u32::MAX);
    let mut found = Vec::new();
    rows.scan(&from, &to, false, &mut |key, _| {
        found.extend(keys::parse_narrow(key).map(|(at, part)| (at, part as usize)));
        true
    });
    found
}
