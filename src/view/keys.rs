//! Row keys of the view: upper-case prefixes; lower-case ones are the node's.

use crate::domain::EvidencePlace;
use crate::ids::{AgreementId, CityCode, LogId, Position, SubjectId};

fn key(prefix: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = vec![prefix];
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// A case as folded.
pub fn case(agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
    key(b'C', &[agreement.as_bytes(), subject.as_bytes()])
}

/// What the fold must know of one entry.
pub fn entry(at: Position) -> Vec<u8> {
    key(b'E', &[at.log.as_bytes(), &at.index.to_be_bytes()])
}

/// The history of a record, by apply number.
pub fn history(agreement: AgreementId, subject: SubjectId, apply: u64) -> Vec<u8> {
    key(b'H', &[agreement.as_bytes(), subject.as_bytes(), &apply.to_be_bytes()])
}

/// The lines of a record's history that have a legal date, by apply number.
pub fn dated(agreement: AgreementId, subject: SubjectId, apply: u64) -> Vec<u8> {
    key(b'Q', &[agreement.as_bytes(), subject.as_bytes(), &apply.to_be_bytes()])
}

/// Cases of an agreement, by the apply number of their opening.
pub fn opened(agreement: AgreementId, apply: u64) -> Vec<u8> {
    key(b'I', &[agreement.as_bytes(), &apply.to_be_bytes()])
}

/// A notice as folded.
pub fn notice(agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
    key(b'O', &[agreement.as_bytes(), subject.as_bytes()])
}

/// Notices of an agreement, by the apply number of their opening.
pub fn notice_opened(agreement: AgreementId, apply: u64) -> Vec<u8> {
    key(b'P', &[agreement.as_bytes(), &apply.to_be_bytes()])
}

/// A meeting as folded.
pub fn meeting(agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
    key(b'M', &[agreement.as_bytes(), subject.as_bytes()])
}

/// Meetings of an agreement, by the apply number of their opening.
pub fn meeting_opened(agreement: AgreementId, apply: u64) -> Vec<u8> {
    key(b'L', &[agreement.as_bytes(), &apply.to_be_bytes()])
}

/// Meetings of an agreement that were held on a day, counted from 1970-01-01, or later.
pub fn sittings(agreement: AgreementId, day: i64) -> Vec<u8> {
    // Days before 1970 come first as well.
    let day = day.cast_unsigned() ^ (1 << 63);
    key(b'D', &[agreement.as_bytes(), &day.to_be_bytes()])
}

/// A meeting that was held, by its day and its opening.
pub fn sitting(agreement: AgreementId, day: i64, at: Position) -> Vec<u8> {
    [sittings(agreement, day), at.log.as_bytes().to_vec(), at.index.to_be_bytes().to_vec()].concat()
}

/// The move that followed an entry in a chain.
pub fn successor(at: Position) -> Vec<u8> {
    key(b'K', &[at.log.as_bytes(), &at.index.to_be_bytes()])
}

/// Largest size of `other` that `log` has named.
pub fn seen(log: LogId, other: LogId) -> Vec<u8> {
    key(b'S', &[log.as_bytes(), other.as_bytes()])
}

/// Cities to which a narrow part was granted.
pub fn grants(at: Position, part: u32) -> Vec<u8> {
    key(b'G', &[at.log.as_bytes(), &at.index.to_be_bytes(), &part.to_be_bytes()])
}

/// A part of a record's entry that is kept for the handling city.
pub fn narrow(agreement: AgreementId, subject: SubjectId, at: Position, part: u32) -> Vec<u8> {
    let index = at.index.to_be_bytes();
    let at = [at.log.as_bytes().as_slice(), &index, &part.to_be_bytes()].concat();
    key(b'N', &[agreement.as_bytes(), subject.as_bytes(), &at])
}

/// Reads back the place in a key of [`narrow`].
pub fn parse_narrow(key: &[u8]) -> Option<(Position, u32)> {
    let (log, rest) = key.get(33..)?.split_at_checked(32)?;
    let (index, part) = rest.split_at_checked(8)?;
    let log = LogId::from_slice(log).ok()?;
    let index = u64::from_be_bytes(index.try_into().ok()?);
    Some((Position { log, index }, u32::from_be_bytes(part.try_into().ok()?)))
}

/// What was said of one item of evidence.
pub fn evidence(agreement: AgreementId, subject: SubjectId, place: EvidencePlace) -> Vec<u8> {
    let EvidencePlace { entry, part, item } = place;
    let (index, part, item) = (entry.index.to_be_bytes(), part.to_be_bytes(), item.to_be_bytes());
    let place = [entry.log.as_bytes().as_slice(), &index, &part, &item].concat();
    key(b'F', &[agreement.as_bytes(), subject.as_bytes(), &place])
}

/// Who has signed that it takes a case over.
pub fn accepted(agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
    key(b'T', &[agreement.as_bytes(), subject.as_bytes()])
}

/// A move that handed a case over.
pub fn handed(agreement: AgreementId, subject: SubjectId, at: Position) -> Vec<u8> {
    placed(b'J', agreement, subject, at)
}

/// A referral of a case that took effect.
pub fn referral(agreement: AgreementId, subject: SubjectId, at: Position) -> Vec<u8> {
    placed(b'R', agreement, subject, at)
}

fn placed(prefix: u8, agreement: AgreementId, subject: SubjectId, at: Position) -> Vec<u8> {
    let index = at.index.to_be_bytes();
    key(prefix, &[agreement.as_bytes(), subject.as_bytes(), at.log.as_bytes(), &index])
}

/// The place at the end of a key of [`handed`] or [`referral`].
pub fn last_place(key: &[u8]) -> Option<Position> {
    let (log, index) = key.get(33..)?.split_at_checked(32)?;
    let log = LogId::from_slice(log).ok()?;
    Some(Position { log, index: u64::from_be_bytes(index.try_into().ok()?) })
}

/// A site as folded.
pub fn site(agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
    key(b'A', &[agreement.as_bytes(), subject.as_bytes()])
}

/// Sites of an agreement, by the apply number of their opening.
pub fn site_opened(agreement: AgreementId, apply: u64) -> Vec<u8> {
    key(b'B', &[agreement.as_bytes(), &apply.to_be_bytes()])
}

/// What was applied, in order.
pub fn feed(apply: u64) -> Vec<u8> {
    key(b'W', &[&apply.to_be_bytes()])
}

/// A unit as folded.
pub fn unit(agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
    key(b'U', &[agreement.as_bytes(), b"u", subject.as_bytes()])
}

/// A calendar of a city as a whole.
pub fn whole_city(agreement: AgreementId, city: CityCode, subject: SubjectId) -> Vec<u8> {
    let city = city.as_u32().to_be_bytes();
    key(b'U', &[agreement.as_bytes(), b"w", &city, subject.as_bytes()])
}

/// The half days of one year of a unit.
pub fn unit_year(agreement: AgreementId, subject: SubjectId, year: i32) -> Vec<u8> {
    let year = u16::try_from(year).unwrap_or(u16::MAX).to_be_bytes();
    key(b'V', &[agreement.as_bytes(), subject.as_bytes(), &year])
}

/// When a plan has a unit by what a city says.
pub fn unit_booked(
    agreement: AgreementId,
    (city, unit): (CityCode, SubjectId),
    plan: SubjectId,
) -> Vec<u8> {
    let city = city.as_u32().to_be_bytes();
    key(b'U', &[agreement.as_bytes(), b"b", &city, unit.as_bytes(), plan.as_bytes()])
}

/// What a city has booked for a plan.
pub fn city_booked(agreement: AgreementId, city: CityCode, plan: SubjectId) -> Vec<u8> {
    let city = city.as_u32().to_be_bytes();
    key(b'U', &[agreement.as_bytes(), b"c", &city, plan.as_bytes()])
}

/// Behind the years of a unit.
pub fn unit_years_end(agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
    unit_year(agreement, subject, i32::from(u16::MAX))
}

/// The year at the end of a key of [`unit_year`].
pub fn last_year(key: &[u8]) -> Option<i32> {
    key.last_chunk::<2>().map(|year| i32::from(u16::from_be_bytes(*year)))
}

/// A plan as folded.
pub fn plan(agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
    key(b'X', &[agreement.as_bytes(), subject.as_bytes()])
}

/// Plans of an agreement, by the apply number of their opening.
pub fn plan_opened(agreement: AgreementId, apply: u64) -> Vec<u8> {
    key(b'Y', &[agreement.as_bytes(), &apply.to_be_bytes()])
}

/// What a city has said of a sort to a plan, from its first revision on.
pub fn plan_acts(agreement: AgreementId, subject: SubjectId, sort: u8, city: CityCode) -> Vec<u8> {
    let city = city.as_u32().to_be_bytes();
    key(b'Z', &[agreement.as_bytes(), subject.as_bytes(), &[sort], &city])
}

/// What led to a case, by the plan and the place of whoever said so.
pub fn case_finding(agreement: AgreementId, case: SubjectId, of: &[&[u8]]) -> Vec<u8> {
    // No sort of words has this number, and no plan is a case.
    key(b'Z', &[agreement.as_bytes(), case.as_bytes(), &[0], &of.concat()])
}

/// How many words of a sort a log has said to a revision of a plan.
pub fn plan_count(
    agreement: AgreementId,
    subject: SubjectId,
    (sort, log): (u8, LogId),
    revision: Position,
) -> Vec<u8> {
    let at = [revision.log.as_bytes().as_slice(), &revision.index.to_be_bytes()].concat();
    let parts: [&[u8]; 6] =
        [agreement.as_bytes(), subject.as_bytes(), &[u8::MAX], &[sort], log.as_bytes(), &at];
    key(b'Z', &parts)
}

/// The number at the end of a key.
pub fn last_number(key: &[u8]) -> Option<u64> {
    key.last_chunk::<8>().map(|b| u64::from_be_bytes(*b))
}
