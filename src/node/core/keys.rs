//! Row keys of the node: positions, requests, actors, numbers, receipts.
//!
//! Lower-case prefixes are the node's, upper-case ones the view's. Nothing typed by anybody is
//! ever a key or a value: texts enter only as 16-byte HMAC tags.

use crate::ids::{ActorId, AgreementId, CityCode, LogId, Position, SubjectId, Tag};

/// Where indexing stands: record number, apply number.
pub const PROGRESS: &[u8] = b"p";

fn key(prefix: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = vec![prefix];
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// Where the batch of `log` that starts at `from` lies.
#[must_use]
pub fn batch(log: LogId, from: u64) -> Vec<u8> {
    key(b'b', &[log.as_bytes(), &from.to_be_bytes()])
}

/// State of a log: size, frontiers, newest checkpoint.
#[must_use]
pub fn log(log: LogId) -> Vec<u8> {
    key(b'l', &[log.as_bytes()])
}

/// A log of which batches lie in the journal and no manifest.
#[must_use]
pub fn unread(log: LogId) -> Vec<u8> {
    key(b'z', &[log.as_bytes()])
}

/// A small record that is read at every start: manifest, charter, card, fork proof.
#[must_use]
pub fn small(record: u64) -> Vec<u8> {
    key(b'k', &[&record.to_be_bytes()])
}

/// What a request led to.
#[must_use]
pub fn request(tag: Tag) -> Vec<u8> {
    key(b'q', &[tag.as_bytes()])
}

/// The actor id of an identity in an agreement.
#[must_use]
pub fn actor(agreement: AgreementId, identity: Tag) -> Vec<u8> {
    key(b't', &[agreement.as_bytes(), identity.as_bytes()])
}

/// The entry by which the own city introduced an actor: longer than any key of [`actor`].
#[must_use]
pub fn introduced(agreement: AgreementId, id: ActorId) -> Vec<u8> {
    key(b't', &[agreement.as_bytes(), b"i", id.as_bytes()])
}

/// The last running number given in an agreement and year.
#[must_use]
pub fn counter(agreement: AgreementId, year: i32) -> Vec<u8> {
    key(b'u', &[agreement.as_bytes(), &year.to_be_bytes()])
}

/// The last running number of own plans of an agreement in a year.
#[must_use]
pub fn plan_counter(agreement: AgreementId, year: i32) -> Vec<u8> {
    key(b'p', &[agreement.as_bytes(), &year.to_be_bytes()])
}

/// The case or, by a tag of its own, the plan that has an external number.
#[must_use]
pub fn external(tag: Tag) -> Vec<u8> {
    key(b'x', &[tag.as_bytes()])
}

/// A case that has an external number in whichever system of the own city; `tag` is of the number.
#[must_use]
pub fn external_number(tag: Tag, agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
    key(b'w', &[tag.as_bytes(), agreement.as_bytes(), subject.as_bytes()])
}

/// Reads back a key of [`external_number`].
#[must_use]
pub fn parse_external_number(key: &[u8]) -> Option<(AgreementId, SubjectId)> {
    parse_case_value(key.get(17..)?)
}

/// The case that has a running number.
#[must_use]
pub fn number(tag: Tag) -> Vec<u8> {
    key(b'y', &[tag.as_bytes()])
}

/// A cosignature over `log` by `witness` at `size`.
#[must_use]
pub fn cosignature(log: LogId, witness: LogId, size: u64) -> Vec<u8> {
    key(b'c', &[log.as_bytes(), witness.as_bytes(), &size.to_be_bytes()])
}

/// The witness in a key of [`cosignature`].
#[must_use]
pub fn parse_witness(key: &[u8]) -> Option<LogId> {
    LogId::from_slice(key.strip_prefix(b"c")?.get(32..64)?).ok()
}

/// What proves something against `witness` over `log`.
#[must_use]
pub fn witness_proof(log: LogId, witness: LogId) -> Vec<u8> {
    key(b'g', &[log.as_bytes(), witness.as_bytes()])
}

/// Reads back a key of [`witness_proof`].
#[must_use]
pub fn parse_witness_proof(key: &[u8]) -> Option<(LogId, LogId)> {
    let (log, witness) = key.strip_prefix(b"g")?.split_at_checked(32)?;
    Some((LogId::from_slice(log).ok()?, LogId::from_slice(witness).ok()?))
}

/// A batch that was passed over, kept for comparing.
#[must_use]
pub fn passed(log: LogId) -> Vec<u8> {
    key(b'h', &[log.as_bytes()])
}

/// Reads back a key of [`passed`].
#[must_use]
pub fn parse_passed(key: &[u8]) -> Option<LogId> {
    LogId::from_slice(key.strip_prefix(b"h")?).ok()
}

/// A narrow part that came later than its batch.
#[must_use]
pub fn late_part(at: Position, part: u32) -> Vec<u8> {
    key(b'd', &[at.log.as_bytes(), &at.index.to_be_bytes(), &part.to_be_bytes()])
}

/// A narrow part this city may hold and does not have.
#[must_use]
pub fn missing_part(at: Position, part: u32) -> Vec<u8> {
    key(b'm', &[at.log.as_bytes(), &at.index.to_be_bytes(), &part.to_be_bytes()])
}

/// Reads back a key of [`late_part`].
#[must_use]
pub fn parse_late_part(key: &[u8]) -> Option<(Position, u32)> {
    parse_part(key.strip_prefix(b"d")?)
}

/// Reads back a key of [`missing_part`].
#[must_use]
pub fn parse_missing_part(key: &[u8]) -> Option<(Position, u32)> {
    parse_part(key.strip_prefix(b"m")?)
}

fn parse_part(rest: &[u8]) -> Option<(Position, u32)> {
    let (log, rest) = rest.split_at_checked(32)?;
    let (index, part) = rest.split_at_checked(8)?;
    let log = LogId::from_slice(log).ok()?;
    let index = u64::from_be_bytes(index.try_into().ok()?);
    Some((Position { log, index }, u32::from_be_bytes(part.try_into().ok()?)))
}

/// A part said to be erased by an entry that is not known to do so.
#[must_use]
pub fn owed_part(at: Position, part: u32) -> Vec<u8> {
    key(b'v', &[at.log.as_bytes(), &at.index.to_be_bytes(), &part.to_be_bytes()])
}

/// A part that an applied entry erases, whatever whoever sent it has said of that.
#[must_use]
pub fn erased_part(at: Position, part: u32) -> Vec<u8> {
    key(b'e', &[at.log.as_bytes(), &at.index.to_be_bytes(), &part.to_be_bytes()])
}

/// Reads back a key of [`erased_part`].
#[must_use]
pub fn parse_erased_part(key: &[u8]) -> Option<(Position, u32)> {
    parse_part(key.strip_prefix(b"e")?)
}

/// A part that is erased and whose bytes may still lie in the journal.
#[must_use]
pub fn unerased_part(at: Position, part: u32) -> Vec<u8> {
    key(b'i', &[at.log.as_bytes(), &at.index.to_be_bytes(), &part.to_be_bytes()])
}

/// Reads back a key of [`unerased_part`].
#[must_use]
pub fn parse_unerased_part(key: &[u8]) -> Option<(Position, u32)> {
    parse_part(key.strip_prefix(b"i")?)
}

/// Reads back a key of [`owed_part`].
#[must_use]
pub fn parse_owed_part(key: &[u8]) -> Option<(Position, u32)> {
    parse_part(key.strip_prefix(b"v")?)
}

/// A case this city has accepted and not yet confirmed to have all parts of.
#[must_use]
pub fn unconfirmed(agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
    key(b'r', &[agreement.as_bytes(), subject.as_bytes()])
}

/// A member this city goes on without, as an entry of an own log says.
#[must_use]
pub fn overridden(log: LogId, city: CityCode) -> Vec<u8> {
    key(b'o', &[log.as_bytes(), &city.as_u32().to_be_bytes()])
}

/// A site that has, or once had, a credit code; `tag` is of the code. Those of a city lie together.
#[must_use]
pub fn site_code(tag: Tag, city: CityCode, agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
    let (mut from, _) = site_codes(tag, Some(city));
    from.extend_from_slice(&case_value(agreement, subject));
    from
}

/// Between which keys all [`site_code`] of a tag lie, of one city or of all.
#[must_use]
pub fn site_codes(tag: Tag, city: Option<CityCode>) -> (Vec<u8>, Vec<u8>) {
    let mut from = key(b's', &[tag.as_bytes()]);
    from.extend(city.into_iter().flat_map(|city| city.as_u32().to_be_bytes()));
    let mut to = from.clone();
    to.extend([0xff; 40]);
    (from, to)
}

/// Reads back a key of [`site_code`].
#[must_use]
pub fn parse_site_code(key: &[u8]) -> Option<(AgreementId, SubjectId)> {
    parse_case_value(key.get(21..)?)
}

/// The same of a record that came before its entry was applied.
#[must_use]
pub fn late_site_record(at: Position) -> Vec<u8> {
    key(b'f', &[at.log.as_bytes(), &at.index.to_be_bytes(), b"l"])
}

/// The tag of the credit code in the record of a site that this entry carries.
#[must_use]
pub fn site_record(at: Position) -> Vec<u8> {
    key(b'f', &[at.log.as_bytes(), &at.index.to_be_bytes()])
}

/// Who of the own city works on a case.
#[must_use]
pub fn assignment(agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
    key(b'a', &[agreement.as_bytes(), subject.as_bytes()])
}

/// A draft of a plan that the own city keeps.
#[must_use]
pub fn plan_draft(agreement: AgreementId, draft: SubjectId) -> Vec<u8> {
    key(b'n', &[agreement.as_bytes(), draft.as_bytes()])
}

/// Between which keys all [`plan_draft`] lie.
pub const PLAN_DRAFTS: (&[u8], &[u8]) = (b"n", b"o");

/// Reads back a key of [`plan_draft`].
#[must_use]
pub fn parse_plan_draft(key: &[u8]) -> Option<(AgreementId, SubjectId)> {
    parse_case_value(key.strip_prefix(b"n")?)
}

/// An own unit that has a number; `tag` is of its kind and number.
#[must_use]
pub fn unit_number(tag: Tag, agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
    key(b'j', &[b"n", tag.as_bytes(), agreement.as_bytes(), subject.as_bytes()])
}

/// Reads back a key of [`unit_number`].
#[must_use]
pub fn parse_unit_number(key: &[u8]) -> Option<(AgreementId, SubjectId)> {
    parse_case_value(key.get(18..)?)
}

/// The tag of an own unit's number.
#[must_use]
pub fn unit_tag(agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
    key(b'j', &[b"t", agreement.as_bytes(), subject.as_bytes()])
}

/// The text under which a running number is tagged.
#[must_use]
pub fn number_text(agreement: AgreementId, number: &str) -> Vec<u8> {
    key(b'n', &[agreement.as_bytes(), number.as_bytes()])
}

/// A case, as rows name it.
#[must_use]
pub fn case_value(agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
    let mut out = agreement.as_bytes().to_vec();
    out.extend_from_slice(subject.as_bytes());
    out
}

/// Reads back [`case_value`].
#[must_use]
pub fn parse_case_value(value: &[u8]) -> Option<(AgreementId, SubjectId)> {
    let (agreement, subject) = value.split_at_checked(16)?;
    Some((AgreementId::from_slice(agreement).ok()?, SubjectId::from_slice(subject).ok()?))
}
