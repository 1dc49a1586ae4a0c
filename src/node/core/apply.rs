//! Application: entries go into the views in the order of the journal, each log in its own order,
//! and a log waits until everything its next entry has seen is here.
//!
//! The same functions serve live operation and the replay at start.

use crate::api::request::PartContent;
use crate::domain::{CaseContribution, Event};
use crate::ids::{AgreementId, LogId, Position, SubjectId};
use crate::journal::Disk;
use crate::log::{Audience, Entry, PartKind, PartSlot, SubjectKind, merkle};
use crate::node::core::group::Ingested;
use crate::node::core::logs::Log;
use crate::node::core::rows::{self, RequestRow};
use crate::node::core::{Core, keys};
use crate::node::load;
use crate::store::Store;
use crate::sync::RawBatch;
use crate::view::{self, Effect, FoldEntry, ReadRows, RecordRef, Rows};
use crate::wire;
use crate::wire::entry::ParsedHeader;

impl<D: Disk, S: Store> Core<D, S> {
    /// Applies what can be applied of a stretch that was just stored, and what it lets go on.
    pub(super) fn apply_stretch(&mut self, stretch: &Ingested) {
        self.apply_batch(&stretch.batch, &stretch.headers);
        self.apply_released();
    }

    /// Applies a batch as far as it goes. Entries below the applied size are passed over; a log
    /// with unapplied entries in front of the batch goes on later, from the journal.
    pub(super) fn apply_batch(&mut self, batch: &RawBatch, headers: &[ParsedHeader]) {
        for (offset, (raw, parsed)) in batch.entries.iter().zip(headers).enumerate() {
            let index = batch.from + offset as u64;
            let Some(log) = self.logs.get(batch.log) else { return };
            if index < log.applied() {
                continue;
            }
            let beyond = log.stands_at.is_some_and(|at| at <= index);
            if beyond || index > log.applied() || !self.may_apply(batch.log, parsed) {
                return;
            }
            let entry = Entry {
                header: raw.header.clone(),
                envelope: parsed.envelope.clone(),
                parts: raw.parts.clone(),
            };
            self.note_leaning(batch.log, parsed);
            self.apply_entry(&entry, &parsed.event);
        }
    }

    fn note_leaning(&mut self, id: LogId, parsed: &ParsedHeader) {
        let Some(log) = self.logs.get(id).filter(|l| l.grown.leans_from.is_none()) else { return };
        let (agreement, sure) = (log.manifest.agreement, log.applied_head());
        if !self.leans(agreement, parsed) {
            return;
        }
        self.save_growth(id);
        if let Some(log) = self.logs.get_mut(id) {
            log.grown.leans_from = Some(sure);
        }
    }

    /// Whether everything the entry has seen is applied here; notes what its log waits for. Logs
    /// that stand still may be applied for it, as far as they go.
    ///
    /// A head on a log that stands still before it counts as met, last of all. One on a log of
    /// another agreement, or of none, never is: every member must judge alike, whatever else it
    /// has signed.
    fn may_apply(&mut self, id: LogId, parsed: &ParsedHeader) -> bool {
        let Some(log) = self.logs.get(id) else { return false };
        let (agreement, city) = (log.manifest.agreement, log.manifest.city);
        let (mut missing, mut standing) = (None, Vec::new());
        for head in &parsed.envelope.after {
            let other = self.logs.get(head.log).filter(|l| l.manifest.agreement == agreement);
            // What its own city rests on is no better known for being suspended here, and may
            // be nowhere: nobody else would ever apply it, nor what is written here after it.
            // (`a_suspended_city_is_not_helped_to_rest_on_itself`)
            let stands =
                |l: &Log| l.stands || (l.manifest.city != city && l.stands_before(head.size));
            match other {
                Some(other) if other.applied() >= head.size => {}
                Some(other) if stands(other) => standing.push(*head),
                Some(_) | None => missing = missing.or(Some(*head)),
            }
        }
        #[cfg(feature = "planted-bugs")]
        let missing = missing.filter(|_| !crate::planted::is_on("apply-before-after"));
        let missing =
            missing.or_else(|| standing.into_iter().find(|head| !self.standing_is_met(head.log)));
        let held = self.holds_its_log(agreement, parsed);
        let waiting_for = match missing {
            Some(head) => Some((head.log, head.size)),
            // Its own next entry: it waits for a newer program, or for a charter.
            None => held.then_some((id, parsed.envelope.index + 1)),
        };
        let Some(log) = self.logs.get_mut(id) else { return false };
        log.waiting_for = waiting_for;
        // It may just have been applied, standing still itself.
        waiting_for.is_none() && log.applied() == parsed.envelope.index
    }

    /// An entry about the log or the agreement that this program does not know, and one that
    /// adopts a charter that is not here, hold the whole log.
    fn holds_its_log(&self, agreement: AgreementId, parsed: &ParsedHeader) -> bool {
        let in_force = self.book.get(agreement).map(|a| a.hash);
        match (&parsed.event, parsed.envelope.subject.kind) {
            (Event::Newer, SubjectKind::Log | SubjectKind::Agreement) => true,
            (Event::CharterAdopted { charter }, _) => in_force != Some(*charter),
            (
                Event::Newer
                | Event::ActorIntroduced
                | Event::RecoveryOverridden { .. }
                | Event::PartErased { .. }
                | Event::CaseOpened { .. }
                | Event::CaseMove(_)
                | Event::Contribution(_)
                | Event::NoticeIssued { .. }
                | Event::NoticeAct(_)
                | Event::MeetingCalled { .. }
                | Event::MeetingAct(_)
                | Event::SiteRegistered { .. }
                | Event::SiteAct(_)
                | Event::UnitRegistered { .. }
                | Event::UnitAct(_)
                | Event::PlanOpened { .. }
                | Event::PlanMove(_)
                | Event::PlanAct(_),
                _,
            ) => false,
        }
    }

    /// Lets waiting logs go on, in the order of their ids, until none can.
    pub(super) fn apply_released(&mut self) {
        loop {
            let ready: Vec<LogId> =
                self.logs.iter().filter(|l| l.can_go_on()).map(|l| l.id).collect();
            let before = self.apply_number;
            for log in ready {
                self.apply_from_journal(log);
            }
            if self.apply_number == before {
                return;
            }
        }
    }

    pub(super) fn apply_from_journal(&mut self, id: LogId) {
        loop {
            let Some(log) = self.logs.get(id) else { return };
            let (applied, stored) = (log.applied(), log.durable.size);
            if applied >= stored {
                return;
            }
            let reader = self.journal.reader();
            let loaded = load::batch_at(&self.group_rows(), &reader, id, applied);
            let Ok(batch) = loaded else {
                tracing::error!(log = %id, index = applied, "could not read an entry to apply it");
                return;
            };
            let parsed: Result<Vec<_>, _> =
                batch.entries.iter().map(|e| wire::entry::parse_header(&e.header)).collect();
            let Ok(headers) = parsed else { return };
            self.apply_batch(&batch, &headers);
            if self.logs.get(id).is_none_or(|l| l.applied() == applied) {
                return;
            }
        }
    }

    /// Applies one entry, whose turn it is.
    pub(super) fn apply_entry(&mut self, entry: &Entry, event: &Event) {
        let id = entry.envelope.log;
        self.save_growth(id);
        let Some(log) = self.logs.get_mut(id) else { return };
        log.grown.applied.push(merkle::leaf_hash(&entry.header));
        log.waiting_for = None;
        let (agreement, city) = (log.manifest.agreement, log.manifest.city);
        let (epoch, prologue) = (log.manifest.epoch, log.manifest.prologue);
        self.apply_number += 1;
        let number = self.apply_number;
        #[cfg(feature = "planted-bugs")]
        let number = match log.durable.size > entry.envelope.index {
            true if crate::planted::is_on("feed-in-journal-order") => number.saturating_sub(1),
            _ => number,
        };
        let members = self.logs.members(agreement).to_vec();
        let fold = FoldEntry {
            agreement,
            city,
            epoch,
            prologue,
            members: &members,
            envelope: &entry.envelope,
            event,
        };
        let applied = view::apply(&mut self.group_rows(), &fold, number);
        if let Effect::Misfit(_) = applied.effect
            && let Some(log) = self.logs.get_mut(id)
        {
            log.misfits += 1;
        }
        let record = applied.subject.and_then(|(kind, id)| RecordRef::of(kind, id));
        let case = if let Some(RecordRef::Case(subject)) = record { Some(subject) } else { None };
        if city == self.settings.city {
            self.index_own(agreement, entry, event, record);
            if let Some(subject) = case {
                self.index_received(agreement, subject, event, &applied.effect);
            }
        }
        self.settle_owed(entry.envelope.position(), event);
        self.note_claims(&entry.envelope);
        self.index_number(agreement, entry, case);
        if let Some(RecordRef::Site(subject)) = record {
            self.index_site((agreement, subject), entry, (event, &applied.effect));
        }
        self.forget_site(entry.envelope.position(), event);
        self.index_recovery(id, city, event);
        self.note_missing_parts(agreement, entry, event, record.map(RecordRef::id));
    }

    /// What only the author can read from its own entries: requests, actors, external numbers.
    fn index_own(
        &mut self,
        agreement: AgreementId,
        entry: &Entry,
        event: &Event,
        record: Option<RecordRef>,
    ) {
        let subject = record.map(RecordRef::id);
        if let Some(tags) = entry.envelope.request {
            // The last entry of a command is the one it was about. After a restore a second try may
            // stand in the next epoch, and what the first one wrote come back later: the answer
            // that was given stays. (`what_comes_back_of_a_first_try_changes_no_answer`)
            let (key, position) = (keys::request(tags.request), entry.envelope.position());
            let known = self.group_rows().get(&key);
            let known = known.as_deref().and_then(rows::decode::<RequestRow>);
            if known.is_none_or(|known| known.position.log == position.log) {
                let row = RequestRow { body: tags.body, position, agreement, subject };
                self.group_rows().put(key, rows::encode(&row));
            }
        }
        for (part, slot) in entry.envelope.parts.iter().zip(&entry.parts) {
            let PartSlot::Bytes(bytes) = slot else { continue };
            match (part.kind, wire::part::parse_part(bytes)) {
                (PartKind::ActorCertificate, Ok(PartContent::ActorCertificate(certificate))) => {
                    let Some(actor) = entry.envelope.actor else { continue };
                    let tag = self.actor_tag(actor.role, &certificate);
                    let id = actor.id.as_bytes().to_vec();
                    self.group_rows().put(keys::actor(agreement, tag), id);
                    let at = rows::encode(&entry.envelope.position());
                    self.group_rows().put(keys::introduced(agreement, actor.id), at);
                }
                (PartKind::CaseNumber, Ok(PartContent::CaseNumber { number, external_ref })) => {
                    let (Some(RecordRef::Case(subject)), Event::CaseOpened { effective_on, .. }) =
                        (record, event)
                    else {
                        continue;
                    };
                    if let Some(external) = external_ref {
                        let key = keys::external(self.external_tag(&external));
                        let value = keys::case_value(agreement, subject);
                        self.group_rows().put(key, value);
                        let number = external.number.as_str().as_bytes();
                        let tag = self.node_key.tag(&[b"external number", number]);
                        let key = keys::external_number(tag, agreement, subject);
                        self.group_rows().put(key, Vec::new());
                    }
                    self.raise_counter(agreement, effective_on.year(), &number);
                }
                (PartKind::PlanNumber, Ok(PartContent::PlanNumber { number, draft })) => {
                    if matches!(event, Event::PlanOpened { .. }) {
                        let key = keys::plan_counter(agreement, number.year.into());
                        self.raise_to(key, number.number);
                        if let Some((draft, plan)) = draft.zip(subject) {
                            self.end_draft((agreement, draft), plan);
                        }
                    }
                }
                (PartKind::Plan, Ok(PartContent::Plan(plan))) => {
                    let Some(RecordRef::Plan(subject)) = record else { continue };
                    self.index_external((agreement, subject), entry.envelope.position(), &plan);
                }
                (PartKind::Unit, Ok(PartContent::Unit(unit))) => {
                    let at = entry.envelope.position();
                    subject.inspect(|subject| self.index_unit(agreement, at, *subject, &unit));
                }
                _ => {}
            }
        }
    }

    /// The counter of running numbers is at least what an own opening carries.
    fn raise_counter(&mut self, agreement: AgreementId, year: i32, number: &str) {
        let digits = number.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap_or("");
        let Ok(given) = digits.parse::<u32>() else { return };
        self.raise_to(keys::counter(agreement, year), given);
    }

    fn raise_to(&mut self, key: Vec<u8>, given: u32) {
        let row = self.group_rows().get(&key);
        let last = row.and_then(|r| r.try_into().ok()).map_or(0, u32::from_be_bytes);
        if given > last {
            self.group_rows().put(key, given.to_be_bytes().to_vec());
        }
    }

    /// Running numbers of all cities, by tag.
    fn index_number(&mut self, agreement: AgreementId, entry: &Entry, case: Option<SubjectId>) {
        let Some(subject) = case else { return };
        for (part, slot) in entry.envelope.parts.iter().zip(&entry.parts) {
            if part.kind != PartKind::CaseNumber {
                continue;
            }
            let PartSlot::Bytes(bytes) = slot else { continue };
            let Ok(PartContent::CaseNumber { number, .. }) = wire::part::parse_part(bytes) else {
                continue;
            };
            let tag = self.node_key.tag(&[b"number", &keys::number_text(agreement, &number)]);
            let key = keys::number(tag);
            // The first case that carries a number keeps it; numbers are for people to say.
            if self.group_rows().get(&key).is_none() {
                self.group_rows().put(key, keys::case_value(agreement, subject));
            }
        }
    }

    /// Keeps a list of narrow parts that this city may hold and does not have yet.
    fn note_missing_parts(
        &mut self,
        agreement: AgreementId,
        entry: &Entry,
        event: &Event,
        subject: Option<SubjectId>,
    ) {
        let own = self.settings.city;
        let Some(subject) = subject else { return };
        let slots = entry.envelope.parts.iter().zip(&entry.parts).enumerate();
        for (part, (part_ref, slot)) in slots {
            let (at, number) = (entry.envelope.position(), u32::try_from(part).unwrap_or(u32::MAX));
            if part_ref.audience == Audience::AllMembers || !self.is_lacking(slot, at, number) {
                continue;
            }
            if view::may_hold(&self.group_rows(), &entry.envelope, part, own) {
                self.note_missing(at, part);
            }
        }
        match event {
            Event::CaseMove(mv) if mv.hands_over() => self.note_missing_of_case(agreement, subject),
            Event::Contribution(CaseContribution::PartGranted { entry, part, to })
                if *to == own =>
            {
                self.note_missing_if_lacking(*entry, *part);
            }
            Event::CaseOpened { .. }
            | Event::CaseMove(_)
            | Event::Contribution(_)
            | Event::ActorIntroduced
            | Event::RecoveryOverridden { .. }
            | Event::CharterAdopted { .. }
            | Event::PartErased { .. }
            | Event::NoticeIssued { .. }
            | Event::NoticeAct(_)
            | Event::MeetingCalled { .. }
            | Event::MeetingAct(_)
            | Event::SiteRegistered { .. }
            | Event::SiteAct(_)
            | Event::UnitRegistered { .. }
            | Event::UnitAct(_)
            | Event::PlanOpened { .. }
            | Event::PlanMove(_)
            | Event::PlanAct(_)
            | Event::Newer => {}
        }
    }

    /// A case has just changed hands: what was withheld from this city may now be asked for.
    fn note_missing_of_case(&mut self, agreement: AgreementId, subject: SubjectId) {
        let own = self.settings.city;
        let rows = self.group_rows();
        let handles = view::case(&rows, agreement, subject)
            .is_some_and(|case| case.case.handled_by.contains(&own));
        if !handles {
            return;
        }
        let narrow: Vec<(Position, usize)> = view::narrow_entries(&rows, agreement, subject);
        for (at, part) in narrow {
            self.note_missing_if_lacking(at, u32::try_from(part).unwrap_or(u32::MAX));
        }
    }

    fn note_missing_if_lacking(&mut self, at: Position, part: u32) {
        let reader = self.journal.reader();
        let slot = load::slot_at(&self.group_rows(), &reader, at, part as usize);
        if slot.is_ok_and(|slot| self.is_lacking(&slot, at, part)) {
            self.note_missing(at, part as usize);
        }
    }

    pub(super) fn note_missing(&mut self, at: Position, part: usize) {
        let Ok(part) = u32::try_from(part) else { return };
        if self.group_rows().get(&keys::late_part(at, part)).is_none() {
            self.put_missing(at, part);
        }
    }
}
