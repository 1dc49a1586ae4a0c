//! Notices as messages: names, texts, codes.
//!
//! In scope: reading fields, writing what was read. Out of scope: deciding anything.

use super::case::{parent, wrong};
use super::code::{Code, Read};
use super::pb::v1 as pb;
use super::status::{Refused, bad_fields};
use crate::domain::notice::{NoticeDraft, NoticeKind, NoticeLevel, NoticeRecord};
use crate::domain::text::Line;
use crate::domain::{Invalid, InvalidReason};
use crate::ids::{AgreementId, SubjectId};

/// Reads what a notice says.
///
/// # Errors
/// Every wrong field, by its name in the message.
pub fn notice_from_pb(record: &pb::NoticeRecord) -> Result<NoticeRecord, Vec<Invalid>> {
    NoticeRecord::parse(NoticeDraft {
        title: &record.title,
        text: &record.text,
        address: &record.address,
        contact: &record.contact,
        phone: &record.phone,
    })
}

/// Writes what a notice says.
#[must_use]
pub fn notice_to_pb(record: &NoticeRecord) -> pb::NoticeRecord {
    let line = |line: &Option<Line>| line.as_ref().map_or("", Line::as_str).to_owned();
    pb::NoticeRecord {
        title: record.title.as_str().to_owned(),
        text: record.text.as_str().to_owned(),
        address: line(&record.address),
        contact: line(&record.contact),
        phone: line(&record.phone),
    }
}

/// Reads what a request wants a notice to say.
///
/// # Errors
/// [`Refused`] naming every wrong field.
pub fn record(record: Option<&pb::NoticeRecord>) -> Result<NoticeRecord, Refused> {
    let given = record.ok_or_else(|| wrong("record", InvalidReason::Required))?;
    let read = notice_from_pb(given);
    read.map_err(|wrong| bad_fields(wrong.into_iter().map(|w| w.at("record")).collect()))
}

/// Reads what a notice is about.
///
/// # Errors
/// [`Refused`] when it is missing or the code is unknown.
pub fn kind(number: i32) -> Result<NoticeKind, Refused> {
    match NoticeKind::read(number) {
        Read::Known(kind) => Ok(kind),
        Read::Unset => Err(wrong("kind", InvalidReason::Required)),
        Read::Newer => Err(wrong("kind", InvalidReason::CodeUnknown)),
    }
}

/// Reads how grave an emergency is, if it is said.
///
/// # Errors
/// [`Refused`] when the code is unknown.
pub fn level(number: i32) -> Result<Option<NoticeLevel>, Refused> {
    match NoticeLevel::read(number) {
        Read::Known(level) => Ok(Some(level)),
        Read::Unset => Ok(None),
        Read::Newer => Err(wrong("level", InvalidReason::CodeUnknown)),
    }
}

/// The number of a kind.
#[must_use]
pub fn kind_number(kind: NoticeKind) -> i32 {
    kind.number()
}

/// The number of a level.
#[must_use]
pub fn level_number(level: Option<NoticeLevel>) -> i32 {
    level.map_or(0, |level| level.number())
}

/// Reads `agreements/{agreement}/notices/{notice}`.
///
/// # Errors
/// [`Refused`] `NAME_FORMAT` for anything else.
pub fn name(text: &str) -> Result<(AgreementId, SubjectId), Refused> {
    let expected = "agreements/{agreement}/notices/{notice}";
    let bad = || Refused::new("NAME_FORMAT").with("expected", expected);
    let (agreement, notice) = text.split_once("/notices/").ok_or_else(bad)?;
    let agreement = parent(agreement).map_err(|_| bad())?.ok_or_else(bad)?;
    Ok((agreement, SubjectId::parse(notice).map_err(|_| bad())?))
}

/// Writes a notice's name.
#[must_use]
pub fn name_of(agreement: AgreementId, subject: SubjectId) -> String {
    format!("agreements/{agreement}/notices/{subject}")
}
