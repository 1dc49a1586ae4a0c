//! Reading cases for answers: rows of the view, and the parts this city may see.

use crate::api::request::PartContent;
use crate::domain::{CaseRecord, ExternalRef};
use crate::ids::{AgreementId, Position, SubjectId};
use crate::log::PartKind;
use crate::node::load::ReadError;
use crate::node::reader::{LoadedEntry, Reader};
use crate::node::writer::NodeHandle;
use crate::view::{self, CaseView};
use crate::wire::case::{Contents, assignment_to_pb, case_to_pb};
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
    let mut case = case_to_pb((agreement, subject), found, &contents, node.city(), &members);
    case.assignment = reader.assignment(agreement, subject).map(assignment_to_pb);
    case
}

/// The number people say, and the title; each empty when its part is not here.
#[must_use]
pub fn heading(reader: &Reader, found: &CaseView) -> (String, String) {
    let mut entries = Entries { reader, read: Vec::with_capacity(2) };
    let title = entries.record(found).map(|record| record.title.as_str().to_owned());
    (entries.number(found).0, title.unwrap_or_default())
}

/// The entries of one answer, each read from the journal once: record, number and person of a
/// case mostly stand in the entry that opened it.
struct Entries<'a> {
    reader: &'a Reader,
    read: Vec<(Position, Option<LoadedEntry>)>,
}

impl Entries<'_> {
    fn part(&mut self, at: Position, kind: PartKind) -> Option<PartContent> {
        self.parts(at, kind).into_iter().next().flatten()
    }

    /// All parts of a kind, in their order; none in the place of one that is not here.
    fn parts(&mut self, at: Position, kind: PartKind) -> Vec<Option<PartContent>> {
        if !self.read.iter().any(|(known, _)| *known == at) {
            self.read.push((at, self.reader.entry(at).ok()));
        }
        let loaded = self.read.iter().find(|(known, _)| *known == at);
        let Some((_, Some(LoadedEntry { entry, .. }))) = loaded else { return Vec::new() };
        let of_kind = entry.envelope.parts.iter().enumerate().filter(|(_, p)| p.kind == kind);
        of_kind.map(|(place, _)| self.reader.part(entry, place).ok().flatten()).collect()
    }

    /// The record as this city may see it: with what was taken out of it for some cities only
    /// ([`record_parts`](crate::api::case_parts::record_parts)), behind the rest.
    fn record(&mut self, found: &CaseView) -> Option<CaseRecord> {
        let part = self.part(found.record_at, PartKind::CaseRecord);
        let Some(PartContent::CaseRecord(mut record)) = part else { return None };
        for list in self.parts(found.record_at, PartKind::Evidence).into_iter().flatten() {
            if let PartContent::Evidence(items) = list {
                record.evidence.extend(items);
            }
        }
        Some(*record)
    }

    fn number(&mut self, found: &CaseView) -> (String, Option<ExternalRef>) {
        match self.part(found.opened_at, PartKind::CaseNumber) {
            Some(PartContent::CaseNumber { number, external_ref }) => (number, external_ref),
            Some(_) | None => (String::new(), None),
        }
    }
}

fn contents(reader: &Reader, found: &CaseView) -> Contents {
    let mut entries = Entries { reader, read: Vec::with_capacity(2) };
    let record = entries.record(found);
    let (number, external_ref) = entries.number(found);
    let mut contents = Contents { record, number, external_ref, person: None };
    if let Some(at) = found.person_at
        && let Some(PartContent::Person(person)) = entries.part(at, PartKind::Person)
    {
        contents.person = Some(person);
    }
    contents
}
