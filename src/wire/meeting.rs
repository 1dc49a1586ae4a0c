//! Meetings as messages: names, texts, digests.
//!
//! In scope: reading fields, writing what was read. Out of scope: deciding anything.

use super::case::{parent, wrong};
use super::code::Code;
use super::pb::v1 as pb;
use super::status::{Refused, bad_fields};
use crate::domain::meeting::{MeetingRecord, MeetingState};
use crate::domain::text::{Line, Text};
use crate::domain::{Date, Invalid, InvalidReason};
use crate::ids::{AgreementId, CityCode, Hash, SubjectId};

/// Reads what a meeting is called for, or what it decided.
///
/// # Errors
/// Every wrong field, by its name in the message.
pub fn record_from_pb(record: &pb::MeetingRecord) -> Result<MeetingRecord, Vec<Invalid>> {
    MeetingRecord::parse(&record.title, &record.text, &record.address)
}

/// Writes what a meeting is called for, or what it decided.
#[must_use]
pub fn record_to_pb(record: &MeetingRecord) -> pb::MeetingRecord {
    let (text, address) = (record.text.as_ref(), record.address.as_ref());
    pb::MeetingRecord {
        title: record.title.as_str().to_owned(),
        text: text.map_or("", Text::as_str).to_owned(),
        address: address.map_or("", Line::as_str).to_owned(),
    }
}

/// Reads what a request wants a meeting to say.
///
/// # Errors
/// [`Refused`] naming every wrong field.
pub fn record(record: Option<&pb::MeetingRecord>) -> Result<MeetingRecord, Refused> {
    let given = record.ok_or_else(|| wrong("record", InvalidReason::Required))?;
    let read = record_from_pb(given);
    read.map_err(|wrong| bad_fields(wrong.into_iter().map(|w| w.at("record")).collect()))
}

/// Reads a day that must be given.
///
/// # Errors
/// [`Refused`] naming the field.
pub fn day(field: &'static str, given: Option<&pb::Date>) -> Result<Date, Refused> {
    super::case::date(field, given)?.ok_or_else(|| wrong(field, InvalidReason::Required))
}

/// Reads who chairs, if it is said.
///
/// # Errors
/// [`Refused`] when it is no city's code.
pub fn chair(code: u32) -> Result<Option<CityCode>, Refused> {
    (code != 0).then(|| super::case::city("chair", code)).transpose()
}

/// Reads the digest of minutes.
///
/// # Errors
/// [`Refused`] when it is missing, or not 32 bytes.
pub fn digest(bytes: &[u8]) -> Result<Hash, Refused> {
    if bytes.is_empty() {
        return Err(wrong("minutes_hash", InvalidReason::Required));
    }
    Hash::from_slice(bytes).map_err(|_| wrong("minutes_hash", InvalidReason::Digest))
}

/// The number of a state.
#[must_use]
pub fn state_number(state: MeetingState) -> i32 {
    state.number()
}

/// Reads `agreements/{agreement}/meetings/{meeting}`.
///
/// # Errors
/// [`Refused`] `NAME_FORMAT` for anything else.
pub fn name(text: &str) -> Result<(AgreementId, SubjectId), Refused> {
    let expected = "agreements/{agreement}/meetings/{meeting}";
    let bad = || Refused::new("NAME_FORMAT").with("expected", expected);
    let (agreement, meeting) = text.split_once("/meetings/").ok_or_else(bad)?;
    let agreement = parent(agreement).map_err(|_| bad())?.ok_or_else(bad)?;
    Ok((agreement, SubjectId::parse(meeting).map_err(|_| bad())?))
}

/// Writes a meeting's name.
#[must_use]
pub fn name_of(agreement: AgreementId, subject: SubjectId) -> String {
    format!("agreements/{agreement}/meetings/{subject}")
}
