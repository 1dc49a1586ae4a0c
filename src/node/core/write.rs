//! Own writes: from a request to the entries that stand in the group.
//!
//! In scope: request tags, actors, gates, building entries. Out of scope: what a command comes to
//! ([`super::case`], [`super::plan`] and others), when it reaches the disk ([`super::commit`]).

use crate::api::request::{
    Caller, Command, NewPart, PartContent, Repetition, Request, WriteError, Written,
};
use crate::domain::{Date, Event, ExternalRef};
use crate::ids::{ActorId, AgreementId, LogId, Position, SubjectId, Tag};
use crate::journal::Disk;
use crate::log::{
    ActorRef, ActorRole, Audience, Entry, Envelope, PartRef, PartSlot, RequestTags, Subject,
    SubjectKind, merkle, subject_id,
};
use crate::node::core::built::{check_rules, check_size};
use crate::node::core::case::OpenCase;
use crate::node::core::commit::OpenBatch;
use crate::node::core::group::GroupRows;
use crate::node::core::io::{Output, Ticket};
use crate::node::core::news::needed_logs;
use crate::node::core::rows::{self, RequestRow};
use crate::node::core::{Core, Now, keys};
use crate::store::Store;
use crate::sync::RawEntry;
use crate::view::{ReadRows, Rows};
use crate::wire;

/// Who and what an entry is written for.
pub(super) struct Draft {
    pub subject: Subject,
    pub prev: Option<Position>,
    pub event: Event,
    pub parts: Vec<NewPart>,
}

/// What a decided command will write.
pub(super) struct Decided {
    pub draft: Draft,
    /// The record it concerns, `None` for an opening.
    pub record: Option<SubjectId>,
    /// Where that record was opened.
    pub opened_at: Option<Position>,
    /// What is written beside the entry.
    pub opens: Option<Opening>,
}

/// What goes with an entry that opens something.
pub(super) enum Opening {
    /// A running number was given.
    Number { year: i32, number: u32 },
    /// Entries about another record, before this one.
    Beside(Vec<Draft>),
    /// A running number of a plan was given.
    PlanNumber { year: i32, number: u32 },
    /// The entry that opens the record, before the one that is about it.
    First(Box<Draft>),
    /// The calendar of the whole city and when that is busy, before all others; and what else.
    Calendar {
        /// What opens it.
        opening: Box<Draft>,
        /// When it is busy.
        block: Box<Draft>,
        /// What stands behind these.
        then: Option<Box<Opening>>,
    },
}

impl<D: Disk, S: Store> Core<D, S> {
    pub(super) fn group_rows(&mut self) -> GroupRows<'_, S> {
        GroupRows { changes: &mut self.group.changes, base: &self.rows }
    }

    /// Decides one request and adds its entries to `open`.
    pub(super) fn write_one(
        &mut self,
        now: Now,
        request: &Request,
        open: &mut OpenBatch,
    ) -> Result<Written, WriteError> {
        let agreement = request.command.agreement();
        let tags = self.tags(request);
        if let Some(written) = self.replayed(Some(agreement), tags)? {
            return Ok(written);
        }
        let today = Date::beijing(now.wall_ms).ok_or(WriteError::OutsideTerm)?;
        self.check_term(agreement, today)?;
        let log = self.logs.own(agreement).ok_or(WriteError::NoLog)?.id;
        let decided = self.decide(agreement, log, today, &request.command)?;
        let mut drafts = Vec::with_capacity(3);
        let mut introduced = Vec::new();
        let actor = self.actor(agreement, &request.caller, &mut drafts, &mut introduced);
        let acting_for = request.acting_for.as_ref().map(|certificate| {
            let officer = Caller {
                identity: certificate.clone(),
                role: ActorRole::Inspector,
                certificate_number: certificate.clone(),
            };
            self.actor(agreement, &officer, &mut drafts, &mut introduced)
        });
        let needed = needed_logs(decided.draft.prev, decided.opened_at, &decided.draft.event);
        let (record, counted) = self.lay(log, decided, (actor, acting_for), &mut drafts)?;
        let entries = self.build(now, log, tags, drafts, &needed)?;
        if request.validate_only {
            let position = entries.last().ok_or(WriteError::NoLog)?.0.envelope.position();
            return Ok(Written { agreement, subject: None, position, replayed: false });
        }
        open.make_room(self, &entries)?;
        // Only now: a refused write must not leave an actor that no entry introduces.
        for (key, id) in introduced {
            self.group_rows().put(key, id);
        }
        let mut at = Position { log, index: 0 };
        for (entry, event) in entries {
            at = entry.envelope.position();
            self.add_own(open, entry, &event);
        }
        if let Some((key, number)) = counted {
            self.group_rows().put(key, number.to_be_bytes().to_vec());
        }
        let subject = match request.command {
            Command::OpenCase { .. }
            | Command::IssueNotice { .. }
            | Command::CallMeeting { .. }
            | Command::RegisterSite { .. } => Some(subject_id(at)),
            // Behind its opening may stand when it is busy.
            Command::RegisterUnit { .. } | Command::Plan { .. } => record.or(Some(subject_id(at))),
            Command::MoveCase { .. }
            | Command::Contribute { .. }
            | Command::ActOnNotice { .. }
            | Command::ActOnMeeting { .. }
            | Command::ActOnSite { .. }
            | Command::ChangeUnit { .. }
            | Command::BookUnit { .. }
            | Command::ErasePart { .. }
            | Command::OverrideRecovery { .. } => record,
        };
        let row = RequestRow { body: tags.body, position: at, agreement, subject };
        let row = rows::encode(&row);
        self.group_rows().put(keys::request(tags.request), row);
        Ok(Written { agreement, subject, position: at, replayed: false })
    }

    /// The known result of a repeated request, though nothing new may be written now.
    pub(super) fn repeated_or(
        &mut self,
        request: &Request,
        error: &WriteError,
    ) -> Result<Written, WriteError> {
        let tags = self.tags(request);
        self.replayed(Some(request.command.agreement()), tags)?.ok_or_else(|| error.clone())
    }

    /// What came of a request of which no command can be made now. Where the first one still waits,
    /// it is decided behind that, and writes nothing itself.
    pub(super) fn repeated(&mut self, ticket: Ticket, again: &Repetition) -> Vec<Output> {
        let is_first = |one: &&Request| {
            (&one.caller.identity, &one.request_id) == (&again.identity, &again.request_id)
                && one.body == again.body
        };
        let waiting = self.queue.writes.iter().map(|(_, request)| &**request).find(is_first);
        if let Some(first) = waiting {
            let checked = Request { validate_only: true, ..first.clone() };
            self.queue.writes.push((ticket, Box::new(checked)));
            return Vec::new();
        }
        let tags = self.tags_of(&again.identity, &again.request_id, &again.body);
        let known = self.check_views().and_then(|()| self.replayed(None, tags));
        vec![Output::Written(ticket, known.and_then(|known| known.ok_or(WriteError::NotFound)))]
    }

    fn tags(&self, request: &Request) -> RequestTags {
        self.tags_of(&request.caller.identity, &request.request_id, &request.body)
    }

    fn tags_of(&self, identity: &str, request_id: &str, body: &[u8]) -> RequestTags {
        RequestTags {
            request: self.node_key.tag(&[b"request", identity.as_bytes(), request_id.as_bytes()]),
            body: self.node_key.tag(&[b"body", body]),
        }
    }

    /// The first answer to a request; of a repetition without a command its body alone says in
    /// which agreement.
    fn replayed(
        &mut self,
        asked: Option<AgreementId>,
        tags: RequestTags,
    ) -> Result<Option<Written>, WriteError> {
        #[cfg(feature = "planted-bugs")]
        if crate::planted::guards::is_off("replayed") {
            return Ok(None);
        }
        let row = self.group_rows().get(&keys::request(tags.request));
        let Some(row) = row.as_deref().and_then(rows::decode::<RequestRow>) else {
            return Ok(None);
        };
        let (agreement, subject, position) = (row.agreement, row.subject, row.position);
        if row.body != tags.body || asked.is_some_and(|asked| asked != agreement) {
            return Err(WriteError::IdempotencyMismatch { first: position });
        }
        Ok(Some(Written { agreement, subject, position, replayed: true }))
    }

    pub(super) fn check_term(&self, agreement: AgreementId, today: Date) -> Result<(), WriteError> {
        let charter = &self.book.get(agreement).ok_or(WriteError::NotFound)?.charter;
        let in_term = charter.begin_on <= today && today <= charter.end_on;
        if in_term { Ok(()) } else { Err(WriteError::OutsideTerm) }
    }

    fn decide(
        &mut self,
        agreement: AgreementId,
        log: LogId,
        today: Date,
        command: &Command,
    ) -> Result<Decided, WriteError> {
        match command {
            Command::OpenCase { facts, record, person, external_ref, effective_on, .. } => {
                let opening = OpenCase { facts, record, person, external_ref, on: *effective_on };
                self.decide_open(agreement, today, opening)
            }
            Command::MoveCase { subject, etag, mv, parts, .. } => {
                self.decide_move(agreement, log, today, (*subject, *etag), mv, parts)
            }
            Command::Contribute { subject, contribution, parts, .. } => {
                self.decide_contribution(agreement, today, *subject, contribution, parts)
            }
            Command::IssueNotice { kind, level, addressees, record, .. } => {
                self.decide_notice(agreement, (*kind, *level), addressees, record)
            }
            Command::ActOnNotice { subject, act, text, .. } => {
                self.decide_act(agreement, *subject, *act, text.as_ref())
            }
            Command::CallMeeting { on, chair, out_of_turn, record, .. } => {
                self.decide_meeting(agreement, today, (*on, *chair, *out_of_turn), record)
            }
            Command::ActOnMeeting { subject, act, said, .. } => {
                self.decide_meeting_act(agreement, today, (*subject, *act), said.as_ref())
            }
            Command::RegisterSite { facts, record, another_plant, .. } => {
                self.decide_site(agreement, facts, record, *another_plant)
            }
            Command::ActOnSite { subject, etag, act, said, another_plant, .. } => {
                let said = (said.as_ref(), *another_plant);
                self.decide_site_act(agreement, today, (*subject, *etag), act, said)
            }
            Command::RegisterUnit { facts, record, .. } => {
                self.decide_unit(agreement, today, facts, record)
            }
            Command::ChangeUnit { subject, etag, facts, record, .. } => {
                self.decide_unit_change(agreement, today, (*subject, *etag), facts, record)
            }
            Command::BookUnit { subject, busy, periods, .. } => {
                self.decide_booking(agreement, today, *subject, (*busy, periods))
            }
            Command::Plan { ask, .. } => self.decide_plan(agreement, log, today, ask),
            Command::ErasePart { entry, part, reason, .. } => {
                self.decide_erasure(agreement, log, (*entry, *part), *reason)
            }
            Command::OverrideRecovery { cities, text, .. } => {
                self.decide_override(agreement, log, cities, text)
            }
        }
    }

    /// The actor of a caller, introduced first if this is its first entry in the agreement.
    fn actor(
        &mut self,
        agreement: AgreementId,
        caller: &Caller,
        drafts: &mut Vec<(ActorRef, Option<ActorRef>, Draft)>,
        introduced: &mut Vec<(Vec<u8>, Vec<u8>)>,
    ) -> ActorRef {
        let key = keys::actor(agreement, self.actor_tag(caller.role, &caller.certificate_number));
        let new = introduced.iter().find(|(known, _)| *known == key).map(|(_, id)| id.clone());
        let known = new.or_else(|| self.group_rows().get(&key));
        if let Some(id) = known.and_then(|id| ActorId::from_slice(&id).ok()) {
            return ActorRef { role: caller.role, id };
        }
        let mut id = [0; 16];
        self.entropy.fill(&mut id);
        let actor = ActorRef { role: caller.role, id: ActorId::new(id) };
        introduced.push((key, id.to_vec()));
        let content = PartContent::ActorCertificate(caller.certificate_number.clone());
        let draft = Draft {
            subject: Subject { kind: SubjectKind::Actor, id: Some(SubjectId::new(id)) },
            prev: None,
            event: Event::ActorIntroduced,
            parts: vec![NewPart { audience: Audience::AllMembers, content }],
        };
        drafts.push((actor, None, draft));
        actor
    }

    pub(super) fn actor_tag(&self, role: ActorRole, certificate: &str) -> Tag {
        self.node_key.tag(&[b"actor", format!("{role:?}").as_bytes(), certificate.as_bytes()])
    }

    pub(super) fn external_tag(&self, external: &ExternalRef) -> Tag {
        let system = external.system.as_str().as_bytes();
        let number = external.number.as_str().as_bytes();
        self.node_key.tag(&[b"external", system, number])
    }

    /// Encodes the drafts as the next entries of the log.
    fn build(
        &mut self,
        now: Now,
        log: LogId,
        tags: RequestTags,
        drafts: Vec<(ActorRef, Option<ActorRef>, Draft)>,
        needed: &[LogId],
    ) -> Result<Vec<(Entry, Event)>, WriteError> {
        let first = self.logs.get(log).ok_or(WriteError::NoLog)?.appended();
        let agreement = self.logs.get(log).map(|l| l.manifest.agreement);
        let clock_suspect = agreement.is_some_and(|id| self.clock_is_suspect(now, id));
        let mut after = self.news(log, needed);
        let mut built = Vec::with_capacity(drafts.len());
        for (offset, (actor, acting_for, draft)) in drafts.into_iter().enumerate() {
            let mut parts = Vec::with_capacity(draft.parts.len());
            let mut slots = Vec::with_capacity(draft.parts.len());
            for part in draft.parts {
                let mut salt = [0; 16];
                self.entropy.fill(&mut salt);
                let bytes = wire::part::encode_part(&part.content, salt);
                let digest = merkle::digest(&bytes);
                parts.push(PartRef { kind: part.content.kind(), audience: part.audience, digest });
                slots.push(PartSlot::Bytes(bytes));
            }
            let envelope = Envelope {
                log,
                index: first + offset as u64,
                record_time_ms: now.wall_ms,
                clock_suspect,
                after: std::mem::take(&mut after),
                actor: Some(actor),
                acting_for,
                request: Some(tags),
                subject: draft.subject,
                prev: draft.prev,
                parts,
            };
            let header = wire::entry::encode_header(&envelope, &draft.event);
            let entry = Entry { header, envelope, parts: slots };
            check_size(&entry)?;
            check_rules(&entry)?;
            built.push((entry, draft.event));
        }
        Ok(built)
    }

    /// Adds an own entry to the log, the batch and the view.
    fn add_own(&mut self, open: &mut OpenBatch, entry: Entry, event: &Event) {
        let log = entry.envelope.log;
        self.save_growth(log);
        if let Some(log) = self.logs.get_mut(log) {
            log.grown.frontier.push(merkle::leaf_hash(&entry.header));
        }
        self.apply_entry(&entry, event);
        open.push(RawEntry { header: entry.header, parts: entry.parts });
    }
}
