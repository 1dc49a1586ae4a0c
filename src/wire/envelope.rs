//! The structural fields of a header: read from every header, also from a newer one.

use bytes::Bytes;

use super::error::{WireError, at_field, check_count};
use super::facts::{bytes, city, hash, log_id, position, position_to_pb, subject_id};
use super::pb::v1 as pb;
use crate::ids::{ActorId, Tag};
use crate::limits::{AFTER_MAX, MEMBERS_MAX, PARTS_MAX};
use crate::log::{
    ActorRef, ActorRole, Audience, Envelope, Head, PartKind, PartRef, RequestTags, Subject,
    SubjectKind,
};

/// The only format of headers there is.
pub(super) const FORMAT: u32 = 1;

/// Reads the envelope; the second value says that some of its codes is in no list.
pub(super) fn read_envelope(header: &pb::EntryHeader) -> Result<(Envelope, bool), WireError> {
    match header.format_version {
        FORMAT => {}
        0 => return Err(WireError::BadHeader { field: "format_version" }),
        got => return Err(WireError::NewerFormat { what: "format version", got }),
    }
    check_count("heads in after", header.after.len(), AFTER_MAX)?;
    check_count("parts", header.parts.len(), PARTS_MAX)?;
    let mut newer = false;
    let mut actor = |field, actor: Option<&pb::ActorRef>| {
        let Some(actor) = actor else { return Ok(None) };
        let read = read_actor(field, actor)?;
        newer |= read.is_none();
        Ok::<_, WireError>(read)
    };
    let (by, acting_for) =
        (actor("actor", header.actor.as_ref())?, actor("acting_for", header.acting_for.as_ref())?);
    let subject = header.subject.as_ref().ok_or(WireError::Missing { field: "subject" })?;
    let subject = read_subject(subject)?;
    newer |= subject.kind == SubjectKind::Newer;
    let parts = header.parts.iter().map(read_part).collect::<Result<Vec<_>, _>>()?;
    newer |= parts.iter().any(|part| part.kind == PartKind::Newer);
    let envelope = Envelope {
        log: log_id("log_id", &header.log_id)?,
        index: header.index,
        record_time_ms: header.record_time_ms,
        clock_suspect: header.clock_suspect,
        after: header.after.iter().map(read_head).collect::<Result<_, _>>()?,
        actor: by,
        acting_for,
        request: read_tags(&header.request_tag, &header.request_body_tag)?,
        subject,
        prev: header.prev.as_ref().map(|at| position("prev", Some(at))).transpose()?,
        parts,
    };
    Ok((envelope, newer))
}

/// The header without its event.
pub(super) fn envelope_to_pb(envelope: &Envelope) -> pb::EntryHeader {
    let tags = envelope.request.as_ref();
    let id = envelope.subject.id.as_ref().map(|id| bytes(id.as_bytes())).unwrap_or_default();
    pb::EntryHeader {
        format_version: FORMAT,
        log_id: bytes(envelope.log.as_bytes()),
        index: envelope.index,
        record_time_ms: envelope.record_time_ms,
        clock_suspect: envelope.clock_suspect,
        after: envelope.after.iter().map(head_to_pb).collect(),
        actor: envelope.actor.as_ref().map(actor_to_pb),
        acting_for: envelope.acting_for.as_ref().map(actor_to_pb),
        request_tag: tags.map(|tags| bytes(tags.request.as_bytes())).unwrap_or_default(),
        request_body_tag: tags.map(|tags| bytes(tags.body.as_bytes())).unwrap_or_default(),
        subject: Some(pb::Subject { kind: subject_kind_to_pb(envelope.subject.kind).into(), id }),
        prev: envelope.prev.map(position_to_pb),
        parts: envelope.parts.iter().map(part_to_pb).collect(),
        event: None,
    }
}

fn read_head(head: &pb::Head) -> Result<Head, WireError> {
    let (log, root) = (log_id("after.log_id", &head.log_id)?, hash("after.root", &head.root)?);
    Ok(Head { log, size: head.size, root })
}

fn head_to_pb(head: &Head) -> pb::Head {
    let (log_id, root) = (bytes(head.log.as_bytes()), bytes(head.root.as_bytes()));
    pb::Head { log_id, size: head.size, root }
}

/// `None` for a role that only newer programs know.
fn read_actor(field: &'static str, actor: &pb::ActorRef) -> Result<Option<ActorRef>, WireError> {
    let id = at_field(field, ActorId::from_slice(&actor.id))?;
    let role = match pb::ActorRole::try_from(actor.role) {
        Ok(pb::ActorRole::Unspecified) => return Err(WireError::BadHeader { field }),
        Ok(pb::ActorRole::Coordinator) => ActorRole::Coordinator,
        Ok(pb::ActorRole::Inspector) => ActorRole::Inspector,
        Ok(pb::ActorRole::System) => ActorRole::System,
        Ok(pb::ActorRole::Auditor) => ActorRole::Auditor,
        Ok(pb::ActorRole::Admin) => ActorRole::Admin,
        Ok(pb::ActorRole::Node) => ActorRole::Node,
        Err(_) => return Ok(None),
    };
    Ok(Some(ActorRef { role, id }))
}

fn actor_to_pb(actor: &ActorRef) -> pb::ActorRef {
    let role = match actor.role {
        ActorRole::Coordinator => pb::ActorRole::Coordinator,
        ActorRole::Inspector => pb::ActorRole::Inspector,
        ActorRole::System => pb::ActorRole::System,
        ActorRole::Auditor => pb::ActorRole::Auditor,
        ActorRole::Admin => pb::ActorRole::Admin,
        ActorRole::Node => pb::ActorRole::Node,
    };
    pb::ActorRef { role: role.into(), id: bytes(actor.id.as_bytes()) }
}

/// Both tags or neither.
fn read_tags(request: &Bytes, body: &Bytes) -> Result<Option<RequestTags>, WireError> {
    if request.is_empty() && body.is_empty() {
        return Ok(None);
    }
    Ok(Some(RequestTags {
        request: at_field("request_tag", Tag::from_slice(request))?,
        body: at_field("request_body_tag", Tag::from_slice(body))?,
    }))
}

fn read_subject(subject: &pb::Subject) -> Result<Subject, WireError> {
    let kind = match pb::SubjectKind::try_from(subject.kind) {
        Ok(pb::SubjectKind::Unspecified) => {
            return Err(WireError::BadHeader { field: "subject.kind" });
        }
        Ok(pb::SubjectKind::Case) => SubjectKind::Case,
        Ok(pb::SubjectKind::Plan) => SubjectKind::Plan,
        Ok(pb::SubjectKind::Site) => SubjectKind::Site,
        Ok(pb::SubjectKind::Unit) => SubjectKind::Unit,
        Ok(pb::SubjectKind::Notice) => SubjectKind::Notice,
        Ok(pb::SubjectKind::Meeting) => SubjectKind::Meeting,
        Ok(pb::SubjectKind::Actor) => SubjectKind::Actor,
        Ok(pb::SubjectKind::Log) => SubjectKind::Log,
        Ok(pb::SubjectKind::Agreement) => SubjectKind::Agreement,
        Err(_) => SubjectKind::Newer,
    };
    let id = (!subject.id.is_empty()).then(|| subject_id("subject.id", &subject.id)).transpose()?;
    Ok(Subject { kind, id })
}

const fn subject_kind_to_pb(kind: SubjectKind) -> pb::SubjectKind {
    match kind {
        SubjectKind::Case => pb::SubjectKind::Case,
        SubjectKind::Plan => pb::SubjectKind::Plan,
        SubjectKind::Site => pb::SubjectKind::Site,
        SubjectKind::Unit => pb::SubjectKind::Unit,
        SubjectKind::Notice => pb::SubjectKind::Notice,
        SubjectKind::Meeting => pb::SubjectKind::Meeting,
        SubjectKind::Actor => pb::SubjectKind::Actor,
        SubjectKind::Log => pb::SubjectKind::Log,
        SubjectKind::Agreement => pb::SubjectKind::Agreement,
        SubjectKind::Newer => pb::SubjectKind::Unspecified,
    }
}

fn read_part(part: &pb::PartRef) -> Result<PartRef, WireError> {
    let kind = match pb::PartKind::try_from(part.kind) {
        Ok(pb::PartKind::Unspecified) => return Err(WireError::BadHeader { field: "parts.kind" }),
        Ok(pb::PartKind::CaseRecord) => PartKind::CaseRecord,
        Ok(pb::PartKind::Person) => PartKind::Person,
        Ok(pb::PartKind::CaseNumber) => PartKind::CaseNumber,
        Ok(pb::PartKind::Text) => PartKind::Text,
        Ok(pb::PartKind::Evidence) => PartKind::Evidence,
        Ok(pb::PartKind::ActorCertificate) => PartKind::ActorCertificate,
        Ok(pb::PartKind::Notice) => PartKind::Notice,
        Ok(pb::PartKind::Meeting) => PartKind::Meeting,
        Ok(pb::PartKind::Custody) => PartKind::Custody,
        Ok(pb::PartKind::Referral) => PartKind::Referral,
        Ok(pb::PartKind::Site) => PartKind::Site,
        Ok(pb::PartKind::Unit) => PartKind::Unit,
        Ok(pb::PartKind::Plan) => PartKind::Plan,
        Ok(pb::PartKind::PlanPool) => PartKind::PlanPool,
        Ok(pb::PartKind::PlanNumber) => PartKind::PlanNumber,
        Err(_) => PartKind::Newer,
    };
    let audience = part.audience.as_ref();
    let audience = audience.ok_or(WireError::Missing { field: "parts.audience" })?;
    let digest = hash("parts.digest", &part.digest)?;
    Ok(PartRef { kind, audience: read_audience(audience)?, digest })
}

/// Who may hold a part is never guessed: an audience of a kind that only newer programs know stops
/// the log here until this node is upgraded.
fn read_audience(audience: &pb::Audience) -> Result<Audience, WireError> {
    let field = "parts.audience";
    let kind = pb::AudienceKind::try_from(audience.kind).map_err(|_| WireError::NewerFormat {
        what: "audience",
        got: u32::try_from(audience.kind).unwrap_or(u32::MAX),
    })?;
    check_count("cities of an audience", audience.cities.len(), MEMBERS_MAX)?;
    let nobody_named = audience.cities.is_empty();
    match kind {
        pb::AudienceKind::AllMembers if nobody_named => Ok(Audience::AllMembers),
        pb::AudienceKind::HandlingCity if nobody_named => Ok(Audience::HandlingCity),
        pb::AudienceKind::Cities => {
            let cities = audience.cities.iter().map(|code| city(field, *code));
            Ok(Audience::Cities(cities.collect::<Result<_, _>>()?))
        }
        pb::AudienceKind::Unspecified
        | pb::AudienceKind::AllMembers
        | pb::AudienceKind::HandlingCity => Err(WireError::BadHeader { field }),
    }
}

fn part_to_pb(part: &PartRef) -> pb::PartRef {
    let kind = match part.kind {
        PartKind::CaseRecord => pb::PartKind::CaseRecord,
        PartKind::Person => pb::PartKind::Person,
        PartKind::CaseNumber => pb::PartKind::CaseNumber,
        PartKind::Text => pb::PartKind::Text,
        PartKind::Evidence => pb::PartKind::Evidence,
        PartKind::ActorCertificate => pb::PartKind::ActorCertificate,
        PartKind::Notice => pb::PartKind::Notice,
        PartKind::Meeting => pb::PartKind::Meeting,
        PartKind::Custody => pb::PartKind::Custody,
        PartKind::Referral => pb::PartKind::Referral,
        PartKind::Site => pb::PartKind::Site,
        PartKind::Unit => pb::PartKind::Unit,
        PartKind::Plan => pb::PartKind::Plan,
        PartKind::PlanPool => pb::PartKind::PlanPool,
        PartKind::PlanNumber => pb::PartKind::PlanNumber,
        PartKind::Newer => pb::PartKind::Unspecified,
    };
    let (audience, cities) = match &part.audience {
        Audience::AllMembers => (pb::AudienceKind::AllMembers, Vec::new()),
        Audience::HandlingCity => (pb::AudienceKind::HandlingCity, Vec::new()),
        Audience::Cities(cities) => {
            (pb::AudienceKind::Cities, cities.iter().map(|city| city.as_u32()).collect())
        }
    };
    pb::PartRef {
        kind: kind.into(),
        audience: Some(pb::Audience { kind: audience.into(), cities }),
        digest: bytes(part.digest.as_bytes()),
    }
}
