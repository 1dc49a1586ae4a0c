//! Reading cases for answers: rows of the view, and the parts this city may see.

use crate::api::request::PartContent;
use crate::ids::{AgreementId, Position, SubjectId};
use crate::log::PartKind;
use crate::node::load::ReadError;
use crate::node::reader::Reader;
use crate::node::writer::NodeHandle;
use crate::view::{self, CaseView};
use crate::wire::case::{Contents, case_to_pb};
use crate::wire::pb::v1 as pb;
use crate::wire::status::{self, Refused};

/// One case as an answer.
#[must_use]
pub fn read(node: &NodeHandle, agreement: AgreementId, subject: SubjectId) -> Option<pb::Case> {
    let reader = node.reader();
    let found = view::case(&reader.view(), agreement, subject)?;
    Some(written(node, &reader, agreement, subject, &found))
}

/// One case as an answer, and the apply number as of which it was read.
///
/// # Errors
/// `NOT_FOUND`, or `ENTRY_CORRUPT` when what it says lies damaged on this disk.
pub fn read_at(
    node: &NodeHandle,
    agreement: AgreementId,
    subject: SubjectId,
) -> Result<(pb::Case, u64), Refused> {
    let reader = node.reader();
    let rows = reader.view();
    let apply = reader.apply_number(&rows);
    let found = view::case(&rows, agreement, subject).ok_or(Refused::new("NOT_FOUND"))?;
    drop(rows);
    for at in [Some(found.opened_at), Some(found.record_at), found.person_at].into_iter().flatten()
    {
        if let Err(ReadError::Damaged { at, .. }) = reader.entry(at) {
            return Err(status::corrupt(at));
        }
    }
    Ok((written(node, &reader, agreement, subject, &found), apply))
}

/// A case that was read from the view, as an answer.
#[must_use]
pub fn written(
    node: &NodeHandle,
    reader: &Reader,
    agreement: AgreementId,
    subject: SubjectId,
    found: &CaseView,
) -> pb::Case {
    let contents = contents(reader, found);
    let book = node.book();
    let members = book.get(agreement).map(|a| a.cities()).unwrap_or_default();
    case_to_pb((agreement, subject), found, &contents, node.city(), &members)
}

fn part(reader: &Reader, at: Position, kind: PartKind) -> Option<PartContent> {
    let loaded = reader.entry(at).ok()?;
    let place = loaded.entry.envelope.parts.iter().position(|p| p.kind == kind)?;
    reader.part(&loaded.entry, place).ok().flatten()
}

fn contents(reader: &Reader, found: &CaseView) -> Contents {
    let mut contents = Contents::default();
    if let Some(PartContent::CaseRecord(record)) =
        part(reader, found.record_at, PartKind::CaseRecord)
    {
        contents.record = Some(*record);
    }
    if let Some(PartContent::CaseNumber { number, external_ref }) =
        part(reader, found.opened_at, PartKind::CaseNumber)
    {
        contents.number = number;
        contents.external_ref = external_ref;
    }
    if let Some(at) = found.person_at
        && let Some(PartContent::Person(person)) = part(reader, at, PartKind::Person)
    {
        contents.person = Some(person);
    }
    contents
}
