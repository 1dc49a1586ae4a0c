//! Entries: the bytes an author encoded, and the structural fields of their header.
//!
//! An entry is one header (permanent, hashed into the log) and its parts (erasable, each named in
//! the header by its digest). The bytes are kept as received; nothing here encodes an entry.
//!
//! In scope: what order and honesty need to know of an entry, and the rules every entry obeys
//! wherever it stands ([`check_entry`]).
//! Out of scope: what its event means ([`crate::domain`]), protobuf ([`crate::wire`]).

use bytes::Bytes;

use super::error::EntryError;
use super::merkle::{TREE_SIZE_MAX, digest};
use crate::ids::{ActorId, CityCode, Hash, LogId, Position, SubjectId, Tag};
use crate::limits::{
    AFTER_MAX, ENTRY_BYTES_MAX, HEADER_BYTES_MAX, MEMBERS_MAX, PART_BYTES_MAX, PARTS_MAX,
};

/// A log's state at one moment: how many entries, and the Merkle root over them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Head {
    /// The log.
    pub log: LogId,
    /// Number of entries, from 0.
    pub size: u64,
    /// RFC 6962 root over the first `size` entries.
    pub root: Hash,
}

/// What kind of thing an entry is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SubjectKind {
    /// A boundary-area case.
    Case,
    /// A joint-action plan.
    Plan,
    /// A site of joint action.
    Site,
    /// A unit: officer, vehicle, drone.
    Unit,
    /// A notice.
    Notice,
    /// A joint meeting.
    Meeting,
    /// A person or system, introduced before its first use.
    Actor,
    /// The log itself.
    Log,
    /// The agreement.
    Agreement,
    /// Of a kind that only newer programs know.
    Newer,
}

/// The record an entry is about. The id is `None` in the entry that opens the record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Subject {
    /// Its kind.
    pub kind: SubjectKind,
    /// Its id, absent in an opening: it follows from the opening's position.
    pub id: Option<SubjectId>,
}

/// In what capacity somebody acted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ActorRole {
    /// Plans and moves cases.
    Coordinator,
    /// Certified officer in the field.
    Inspector,
    /// A city's enforcement system, acting for an officer.
    System,
    /// Reads only.
    Auditor,
    /// Runs the node.
    Admin,
    /// The node itself.
    Node,
}

/// Who acted: a role and 16 random bytes that its city gave that person or system.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ActorRef {
    /// The capacity.
    pub role: ActorRole,
    /// The opaque id, fresh in each agreement.
    pub id: ActorId,
}

/// Tags of the request an entry answers; only its author's node key can check them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestTags {
    /// HMAC over (caller, request id).
    pub request: Tag,
    /// HMAC over the request body.
    pub body: Tag,
}

/// Who may hold a part.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Audience {
    /// All members of the agreement.
    AllMembers,
    /// The author's city, and every city that handles the case or has handled it.
    HandlingCity,
    /// The author's city and the cities named, in ascending order, 1 to 16 of them.
    Cities(Vec<CityCode>),
}

/// What a part holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PartKind {
    /// The editable fields of a case.
    CaseRecord,
    /// A natural person: kept for the handling city.
    Person,
    /// Running number and the own system's number.
    CaseNumber,
    /// Free text: a reason, a note, an answer.
    Text,
    /// A list of evidence with digests.
    Evidence,
    /// The certificate number behind an actor.
    ActorCertificate,
    /// What a notice says.
    Notice,
    /// What a meeting is called for, or what it decided.
    Meeting,
    /// Who handed the original of an item of evidence to whom.
    Custody,
    /// What goes with a referral, an answer or an opinion.
    Referral,
    /// Who and where a site is.
    Site,
    /// Certificate number or label of a unit, and its team.
    Unit,
    /// What people read of a plan.
    Plan,
    /// The list from which the targets of a plan are drawn.
    PlanPool,
    /// The number people say of a plan.
    PlanNumber,
    /// Of a kind that only newer programs know.
    Newer,
}

impl PartKind {
    /// Whether numbers are counted on, or units told apart, by what it holds: it can never be
    /// erased.
    #[must_use]
    pub const fn is_counted(self) -> bool {
        matches!(self, Self::CaseNumber | Self::PlanNumber | Self::Unit)
    }
}

/// A part as its header names it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PartRef {
    /// What it holds.
    pub kind: PartKind,
    /// Who may hold it.
    pub audience: Audience,
    /// SHA-256 of the part's bytes.
    pub digest: Hash,
}

/// The structural fields of a header: all that order, honesty and sharing need.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    /// The log it belongs to.
    pub log: LogId,
    /// Its index there, from 0.
    pub index: u64,
    /// Wall clock of the author, milliseconds since 1970-01-01 UTC; shown, never compared.
    pub record_time_ms: i64,
    /// The author's clock was off by more than its members' median allows; shown only.
    pub clock_suspect: bool,
    /// Heads of other logs of the agreement the author had applied and not named before.
    pub after: Vec<Head>,
    /// Who acted. Absent only in entries the node writes about itself.
    pub actor: Option<ActorRef>,
    /// The officer a system acted for.
    pub acting_for: Option<ActorRef>,
    /// Request tags.
    pub request: Option<RequestTags>,
    /// What it is about.
    pub subject: Subject,
    /// On a move, the position it moves from.
    pub prev: Option<Position>,
    /// Its parts, none to eight.
    pub parts: Vec<PartRef>,
}

impl Envelope {
    /// Where this entry stands.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position { log: self.log, index: self.index }
    }

    /// Whether one of its parts is for some members only, so that its receipts do not cover it.
    #[must_use]
    pub fn has_narrow_part(&self) -> bool {
        self.parts.iter().any(|part| part.audience != Audience::AllMembers)
    }
}

/// What stands in a part's place in one copy of an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PartSlot {
    /// The bytes.
    Bytes(Bytes),
    /// Erased by the entry named.
    ErasedBy(Position),
    /// The holder of this copy is not in the part's audience.
    Withheld,
}

/// One entry: its header's bytes as its author encoded them, what they say, and its parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The encoded header: the leaf of the Merkle tree.
    pub header: Bytes,
    /// The structural fields read from `header`.
    pub envelope: Envelope,
    /// One slot for each part the header names, in its order.
    pub parts: Vec<PartSlot>,
}

/// The id of the record that the entry at `opening` opens.
///
/// The first 16 bytes of SHA-256(`liandong/subject/v1` || 0x00 || log id || index as 8 bytes
/// big-endian), so that nobody can open a record twice or take an id in advance.
#[must_use]
pub fn subject_id(opening: Position) -> SubjectId {
    let mut text = Vec::with_capacity(60);
    text.extend_from_slice(b"liandong/subject/v1\0");
    text.extend_from_slice(opening.log.as_bytes());
    text.extend_from_slice(&opening.index.to_be_bytes());
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(digest(&text).as_bytes()) {
        *to = *from;
    }
    SubjectId::new(id)
}

impl Entry {
    /// Bytes of the header and of all parts that are here.
    #[must_use]
    pub fn bytes_len(&self) -> usize {
        let parts = self.parts.iter().map(|slot| match slot {
            PartSlot::Bytes(bytes) => bytes.len(),
            PartSlot::ErasedBy(_) | PartSlot::Withheld => 0,
        });
        parts.fold(self.header.len(), usize::saturating_add)
    }
}

/// Checks the rules that every entry obeys, wherever it stands: sizes, slots, digests, audiences,
/// the order of `after`, and that index and `prev` can be. Runs on arrival and when entries are
/// read back.
///
/// Out of its reach: whether the entry stands where it says, who may hold a part, what `prev` and
/// `after` lead to.
///
/// # Errors
/// The first rule broken; see [`EntryError`].
pub fn check_entry(entry: &Entry) -> Result<(), EntryError> {
    if entry.header.is_empty() {
        return Err(EntryError::NoHeader);
    }
    check_max("header", entry.header.len(), HEADER_BYTES_MAX)?;
    check_max("number of parts", entry.envelope.parts.len(), PARTS_MAX)?;
    check_max("entry", entry.bytes_len(), ENTRY_BYTES_MAX)?;
    check_place(&entry.envelope)?;
    check_after(&entry.envelope)?;
    let (named, slots) = (entry.envelope.parts.len(), entry.parts.len());
    if named != slots {
        return Err(EntryError::Slots { named, slots });
    }
    let at = entry.envelope.position();
    for (part, (named, slot)) in entry.envelope.parts.iter().zip(&entry.parts).enumerate() {
        check_audience(part, &named.audience)?;
        check_slot(at, part, named, slot)?;
    }
    Ok(())
}

fn check_max(what: &'static str, got: usize, limit: usize) -> Result<(), EntryError> {
    if got > limit { Err(EntryError::TooLarge { what, got, limit }) } else { Ok(()) }
}

fn check_place(envelope: &Envelope) -> Result<(), EntryError> {
    if envelope.index >= TREE_SIZE_MAX {
        return Err(EntryError::Index);
    }
    let Some(prev) = envelope.prev else { return Ok(()) };
    // Of another log only its own entries can say what exists.
    let limit = if prev.log == envelope.log { envelope.index } else { TREE_SIZE_MAX };
    if prev.index < limit { Ok(()) } else { Err(EntryError::Prev) }
}

fn check_after(envelope: &Envelope) -> Result<(), EntryError> {
    check_max("number of heads in after", envelope.after.len(), AFTER_MAX)?;
    if !envelope.after.is_sorted_by(|one, next| one.log < next.log) {
        return Err(EntryError::AfterOrder);
    }
    if envelope.after.iter().any(|head| head.log == envelope.log) {
        return Err(EntryError::AfterSelf);
    }
    if envelope.after.iter().all(|head| (1..=TREE_SIZE_MAX).contains(&head.size)) {
        Ok(())
    } else {
        Err(EntryError::AfterSize)
    }
}

fn check_audience(part: usize, audience: &Audience) -> Result<(), EntryError> {
    match audience {
        Audience::AllMembers | Audience::HandlingCity => Ok(()),
        Audience::Cities(cities) => {
            let sized = (1..=MEMBERS_MAX).contains(&cities.len());
            let ascending = cities.is_sorted_by(|one, next| one < next);
            if sized && ascending { Ok(()) } else { Err(EntryError::Audience { part }) }
        }
    }
}

fn check_slot(
    at: Position,
    part: usize,
    named: &PartRef,
    slot: &PartSlot,
) -> Result<(), EntryError> {
    match slot {
        PartSlot::Bytes(bytes) => {
            check_max("part", bytes.len(), PART_BYTES_MAX)?;
            let same = digest(bytes) == named.digest;
            if same { Ok(()) } else { Err(EntryError::Digest { part }) }
        }
        PartSlot::ErasedBy(by) if by.log == at.log && by.index <= at.index => {
            Err(EntryError::ErasedBefore { part })
        }
        PartSlot::ErasedBy(_) | PartSlot::Withheld => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod tests;
