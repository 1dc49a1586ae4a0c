//! Histories of cases: entries, what became of them, who holds them.

use std::collections::BTreeMap;

use prost::Message;

use super::audit_line::AuditLine;
use super::caller::Called;
use super::case_service::CaseApi;
use super::evidence_record;
use super::holdings::Witnesses;
use super::page_token::{self, Seal};
use super::referral_record;
use crate::api::request::PartContent;
use crate::api::status::NodeStatus;
use crate::domain::{CaseContribution, Event};
use crate::ids::{ActorId, AgreementId, CityCode};
use crate::limits::PAGE_BYTES_MAX;
use crate::log::merkle::leaf_hash;
use crate::log::{ActorRef, Entry, PartSlot};
use crate::node::load::ReadError;
use crate::node::reader::{LoadedEntry, Reader};
use crate::view::{self, Effect, HistoryEntry};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::record::{evidence_to_pb, person_to_pb, record_to_pb};
use crate::wire::status::{self, Refused};

/// Entries of a page nobody asked a size for.
const PAGE_SIZE: usize = 100;

impl CaseApi {
    /// One page of a history, off the threads that serve calls.
    pub(super) async fn history(
        &self,
        who: Called,
        asked: pb::GetCaseHistoryRequest,
    ) -> Result<pb::GetCaseHistoryResponse, Refused> {
        let mut line = AuditLine::new(
            self.door(),
            &who,
            "/liandong.v1.CaseService/GetCaseHistory",
            &asked.name,
        );
        let status = self.node.status().await.ok_or(Refused::new("STOPPING"))?;
        let api = self.clone();
        let page = tokio::task::spawn_blocking(move || {
            let page = api.history_page(&who, &asked, &mut line, &status);
            line.end(&page);
            page
        });
        page.await.unwrap_or(Err(Refused::new("STOPPING")))
    }

    fn history_page(
        &self,
        who: &Called,
        asked: &pb::GetCaseHistoryRequest,
        line: &mut AuditLine,
        status: &NodeStatus,
    ) -> Result<pb::GetCaseHistoryResponse, Refused> {
        let size = page_token::size(asked.page_size, PAGE_SIZE)?;
        let (agreement, subject) = read::case_name(&asked.name)?;
        let bound = [b"history ".as_slice(), asked.name.as_bytes()].concat();
        let seal = Seal::new(&self.node, &who.caller.identity, bound);
        let from = seal.open::<1>(&asked.page_token)?.map_or(0, |[last]| last.saturating_add(1));
        let witnesses = Witnesses::of(status, Some(agreement));
        let reader = self.node.reader();
        let rows = reader.view();
        let case = view::case(&rows, agreement, subject).ok_or(Refused::new("NOT_FOUND"))?;
        line.shown(case.case.originating);
        let mut found: Vec<HistoryEntry> = Vec::new();
        view::history(&rows, agreement, subject, from, &mut |entry| {
            found.push(entry);
            // One more tells whether there is a next page.
            found.len() <= size
        });
        drop(rows);
        let (mut entries, mut bytes, mut last) = (Vec::new(), 0, None);
        let mut people = People { reader: &reader, agreement, known: BTreeMap::new() };
        for entry in found.iter().take(size) {
            let loaded = match reader.entry(entry.position) {
                Err(ReadError::Damaged { at, .. }) => return Err(status::corrupt(at)),
                other => other.ok(),
            };
            let written =
                history_out(&reader, &witnesses, entry, (self.node.city(), loaded.as_ref()));
            let actor = loaded.as_ref().and_then(|loaded| loaded.entry.envelope.actor);
            let acted_by = actor.map(|actor| people.certificate(actor.id)).unwrap_or_default();
            let written = pb::HistoryEntry { acted_by, ..written };
            bytes += written.encoded_len();
            if bytes > PAGE_BYTES_MAX && !entries.is_empty() {
                break;
            }
            entries.push(written);
            last = Some(entry.apply);
        }
        let more = last.filter(|_| entries.len() < found.len());
        let next_page_token = more.map(|apply| seal.close(&[apply])).unwrap_or_default();
        Ok(pb::GetCaseHistoryResponse { entries, next_page_token })
    }
}

fn history_out(
    reader: &Reader,
    witnesses: &Witnesses,
    entry: &HistoryEntry,
    (own, loaded): (CityCode, Option<&LoadedEntry>),
) -> pb::HistoryEntry {
    let at = entry.position;
    let (effect, reason) = match &entry.effect {
        Effect::Opened | Effect::Move => (pb::EntryEffect::Move, String::new()),
        Effect::Contribution | Effect::Other => (pb::EntryEffect::Contribution, String::new()),
        Effect::Misfit(reason) => (pb::EntryEffect::Misfit, reason.clone()),
        Effect::Newer => (pb::EntryEffect::Newer, String::new()),
    };
    let envelope = loaded.map(|l| &l.entry.envelope);
    let said = loaded.map(|l| Said::of(reader, &l.entry)).unwrap_or_default();
    let effective_on = loaded.and_then(|l| l.event.effective_on()).map(read::date_out);
    let evidence = loaded.and_then(|l| {
        let Event::Contribution(CaseContribution::Evidence { place, .. }) = &l.event else {
            return None;
        };
        evidence_record::item_at(reader, *place)
    });
    let actor = |a: Option<ActorRef>| a.map(|a| a.id.to_string()).unwrap_or_default();
    pb::HistoryEntry {
        entry: at.to_string(),
        city: entry.city.as_u32(),
        effect: effect.into(),
        misfit_reason: reason,
        record_time: Some(read::timestamp(entry.record_time_ms)),
        clock_suspect: envelope.is_some_and(|e| e.clock_suspect),
        effective_on,
        state: read::state_number(entry.state),
        header: loaded.and_then(|l| read::header(&l.entry.header)),
        texts: said.texts,
        holdings: holdings(reader, witnesses, entry, own),
        actor: actor(envelope.and_then(|e| e.actor)),
        acting_for: actor(envelope.and_then(|e| e.acting_for)),
        apply_number: entry.apply,
        evidence,
        custody: loaded.and_then(|l| evidence_record::custody(reader, l)),
        referral: loaded.and_then(|l| referral_record::record(reader, l)),
        listed: said.listed,
        listed_parts: said.listed_parts,
        erased_parts: loaded.map(|l| erased_parts(&l.entry)).unwrap_or_default(),
        entry_hash: loaded.map(|l| hash_out(&l.entry)).unwrap_or_default(),
        record: said.record,
        person: said.person,
        acted_by: String::new(),
    }
}

/// Who is who in the own city, each looked up once for a page.
struct People<'a> {
    reader: &'a Reader,
    agreement: AgreementId,
    known: BTreeMap<ActorId, String>,
}

impl People<'_> {
    /// The certificate number; empty of somebody of another city.
    fn certificate(&mut self, actor: ActorId) -> String {
        let found = self.known.entry(actor);
        let look = || self.reader.certificate(self.agreement, actor).unwrap_or_default();
        found.or_insert_with(look).clone()
    }
}

/// The hash by which an entry stands in its log.
pub(super) fn hash_out(entry: &Entry) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(leaf_hash(&entry.header).as_bytes())
}

/// Which of its parts are erased.
fn erased_parts(entry: &Entry) -> Vec<u32> {
    let slots = (0..).zip(&entry.parts);
    let erased = slots.filter(|(_, slot)| matches!(slot, PartSlot::ErasedBy(_)));
    erased.map(|(part, _)| part).collect()
}

/// Which other cities hold an entry, each since its earliest cosignature over it.
fn holdings(
    reader: &Reader,
    witnesses: &Witnesses,
    entry: &HistoryEntry,
    own: CityCode,
) -> Vec<pb::Holding> {
    let mut held = witnesses.others(reader, entry.position, own);
    held.retain(|one| one.city != entry.city.as_u32());
    held
}

/// What the parts of an entry say that are here.
#[derive(Default)]
struct Said {
    texts: Vec<String>,
    listed: Vec<pb::Evidence>,
    listed_parts: Vec<u32>,
    record: Option<pb::CaseRecord>,
    person: Option<pb::PersonRecord>,
}

impl Said {
    fn of(reader: &Reader, entry: &Entry) -> Self {
        let mut said = Self::default();
        for (part, (at, slot)) in (0..).zip(entry.parts.iter().enumerate()) {
            if !matches!(slot, PartSlot::Bytes(_)) {
                continue;
            }
            let Some(content) = reader.part(entry, at).ok().flatten() else { continue };
            match content {
                PartContent::Text(text) => said.texts.push(text),
                PartContent::Evidence(items) => {
                    said.listed_parts.extend(items.iter().map(|_| part));
                    said.listed.extend(evidence_to_pb(&items));
                }
                PartContent::CaseRecord(record) => said.record = Some(record_to_pb(&record)),
                PartContent::Person(person) => said.person = Some(person_to_pb(&person)),
                PartContent::CaseNumber { .. }
                | PartContent::ActorCertificate(_)
                | PartContent::Notice(_)
                | PartContent::Meeting(_)
                | PartContent::Custody(_)
                | PartContent::Referral(_)
                | PartContent::Site(_)
                | PartContent::Unit(_)
                | PartContent::Plan(_)
                | PartContent::PlanPool(_)
                | PartContent::PlanNumber { .. } => {}
            }
        }
        said
    }
}
