//! What is written down about evidence: receipt, recognition, custody; and what was, as answers
//! show it.
//!
//! In scope: finding an item by its id, requests into commands, the standing of an item. Out of
//! scope: who may say what ([`crate::domain::evidence_act`]), files.

use std::time::Duration;

use tonic::{Request, Status};

use super::desk::{self, WriteRequest};
use super::evidence_files::{AGAIN, refused};
use super::evidence_service::EvidenceApi;
use super::said;
use crate::api::request::{Command, NewPart, PartContent, Written};
use crate::domain::{
    CaseContribution, Date, Event, Evidence, EvidenceAct, EvidencePlace, InvalidReason,
};
use crate::evidence::{Checked, EvidenceError};
use crate::ids::{CaseKey, CityCode, Position};
use crate::limits::{EVIDENCE_LISTS_LOOKED_AT_MAX, EVIDENCE_RECEIPT_BYTES_MAX};
use crate::log::Audience;
use crate::node::evidence;
use crate::node::reader::{LoadedEntry, Reader};
use crate::view::{self, HandedOver, Judged};
use crate::wire::case as read;
use crate::wire::evidence as write;
use crate::wire::evidence_file;
use crate::wire::pb::v1 as pb;
use crate::wire::status::{self, Refused};

/// An item of evidence and where it stands.
struct Found {
    place: EvidencePlace,
    evidence: Evidence,
}

impl EvidenceApi {
    pub(super) fn receipt(&self, asked: &pb::RecordReceiptRequest) -> Result<Command, Refused> {
        let digest = evidence_file::sha256(&asked.sha256)?;
        let case = read::case_name(&asked.name)?;
        let found = self.find(case, &asked.evidence_id, &asked.entry)?;
        if found.evidence.sha256 != digest {
            return Err(Refused::new("EVIDENCE_DIFFERS").at("sha256").unless(&asked.evidence_id));
        }
        let sm3 = held_sm3(asked)?;
        if found.evidence.sm3.zip(sm3).is_some_and(|(listed, held)| listed != held) {
            return Err(Refused::new("EVIDENCE_DIFFERS").at("sm3").unless(&asked.evidence_id));
        }
        Ok(command(case, found.place, EvidenceAct::Received, None))
    }

    /// Whether the file, if it is stored here, is what the list says and what the caller holds. Its
    /// bytes are read again, unless it is so large that nobody would wait.
    pub(super) async fn as_stored(&self, asked: &pb::RecordReceiptRequest) -> Result<(), Refused> {
        let (digest, sm3) = (evidence_file::sha256(&asked.sha256)?, held_sm3(asked)?);
        let about = match self.store.about(digest).await {
            Ok(about) => about,
            // Whoever holds it holds what rotted here, or can give it: it comes again first.
            Err(EvidenceError::NotHere) if self.store.is_rotten(digest) => {
                let rotten = Refused::new("EVIDENCE_STORED_DIFFERS").with("digest", "SHA-256");
                return Err(rotten.unless(&asked.evidence_id));
            }
            // Whoever has it in hand may have got it in another way.
            Err(EvidenceError::NotHere) => return Ok(()),
            Err(error) => return Err(refused(error)),
        };
        let case = read::case_name(&asked.name)?;
        let (api, id, entry) = (self.clone(), asked.evidence_id.clone(), asked.entry.clone());
        let find = move || api.find(case, &id, &entry);
        let found = tokio::task::spawn_blocking(find).await;
        let listed = found.map_err(|_| Refused::new("STOPPING"))??.evidence;
        let differs = |what| {
            let differs = Refused::new("EVIDENCE_STORED_DIFFERS").with("digest", what);
            Err(differs.unless(&asked.evidence_id))
        };
        if listed.sha256 != digest {
            // The receipt itself is refused for that.
            return Ok(());
        }
        if listed.size_bytes != about.size {
            return differs("size");
        }
        if listed.sm3.or(sm3).is_some_and(|sm3| sm3 != about.sm3) {
            return differs("SM3");
        }
        if about.size > EVIDENCE_RECEIPT_BYTES_MAX {
            return Ok(());
        }
        // Held while it is read: each reading is a second of a core.
        let place = self.checking.try_acquire();
        let _place = place.map_err(|_| Refused::new("BUSY").retry_after(AGAIN))?;
        match self.store.check(digest, Duration::ZERO).await {
            Ok(Checked::Whole(_) | Checked::Gone) => Ok(()),
            Ok(Checked::Rotten(_)) => differs("SHA-256"),
            Err(error) => Err(refused(error)),
        }
    }

    pub(super) fn recognition(
        &self,
        asked: &pb::RecogniseEvidenceRequest,
    ) -> Result<Command, Refused> {
        let case = read::case_name(&asked.name)?;
        let found = self.find(case, &asked.evidence_id, &asked.entry)?;
        let text = read::text("text", &asked.text)?.map(PartContent::Text);
        Ok(command(case, found.place, EvidenceAct::Recognised, text))
    }

    pub(super) fn declined(&self, asked: &pb::DeclineEvidenceRequest) -> Result<Command, Refused> {
        let ground = write::ground(asked.ground)?;
        let text = read::text("text", &asked.text)?;
        let text = text.ok_or_else(|| read::wrong("text", InvalidReason::Required))?;
        let case = read::case_name(&asked.name)?;
        let found = self.find(case, &asked.evidence_id, &asked.entry)?;
        let act = EvidenceAct::Declined { ground };
        Ok(command(case, found.place, act, Some(PartContent::Text(text))))
    }

    pub(super) fn handed_over(&self, asked: &pb::RecordCustodyRequest) -> Result<Command, Refused> {
        let record = write::custody(asked.record.as_ref())?;
        let today = || self.desk.node.today().ok_or(Refused::new("OUTSIDE_TERM"));
        let given = read::date("handed_on", asked.handed_on.as_ref())?;
        let on: Date = given.map_or_else(today, Ok)?;
        let case = read::case_name(&asked.name)?;
        let found = self.find(case, &asked.evidence_id, &asked.entry)?;
        if on < found.evidence.collected_on {
            return Err(Refused::new("CUSTODY_BEFORE_COLLECTED").at("handed_on"));
        }
        let record = PartContent::Custody(Box::new(record));
        Ok(command(case, found.place, EvidenceAct::HandedOver { on }, Some(record)))
    }

    /// Finds an item: in the entry named, or in the first one that lists it.
    fn find(&self, case: CaseKey, id: &str, entry: &str) -> Result<Found, Refused> {
        let id = read::reference("evidence_id", id)?;
        let id = id.ok_or_else(|| read::wrong("evidence_id", InvalidReason::Required))?;
        let named = match entry {
            "" => None,
            entry => Some(read::position("entry", entry)?),
        };
        let reader = self.desk.node.reader();
        let mut entries: Vec<Position> = Vec::new();
        let rows = reader.view();
        view::case(&rows, case.0, case.1).ok_or(Refused::new("NOT_FOUND"))?;
        view::evidence_lists(&rows, case, &mut |line| {
            let at = line.position;
            if named.is_none_or(|named| named == at) {
                entries.push(at);
            }
            entries.len() < EVIDENCE_LISTS_LOOKED_AT_MAX
        });
        drop(rows);
        let mut first: Option<Found> = None;
        for at in entries {
            let loaded = reader.entry(at).map_err(|_| status::corrupt(at))?;
            let Some(found) = listed(&reader, &loaded, &id) else { continue };
            match &first {
                None => first = Some(found),
                // A record that was changed lists the same file once more.
                Some(first) if first.evidence.sha256 == found.evidence.sha256 => {}
                Some(_) => return Err(Refused::new("EVIDENCE_AMBIGUOUS").at("entry").unless(id)),
            }
        }
        first.ok_or_else(|| Refused::new("EVIDENCE_UNKNOWN").at("evidence_id"))
    }

    /// Writes, and shows what was said of the item so far.
    pub(super) async fn write<T: WriteRequest>(
        &self,
        request: Request<T>,
        method: &'static str,
        command: impl FnOnce(&T) -> Result<Command, Refused>,
    ) -> Result<(Option<pb::EvidenceStanding>, Option<pb::WriteReceipt>), Status> {
        let written = self.desk.perform(request, method, read::name_of, command).await?;
        let Some(written) = written else { return Ok((None, None)) };
        let api = self.clone();
        let standing = tokio::task::spawn_blocking(move || api.after(written)).await;
        Ok((standing.ok().flatten(), Some(desk::receipt(written))))
    }

    fn after(&self, written: Written) -> Option<pb::EvidenceStanding> {
        let reader = self.desk.node.reader();
        let loaded = reader.entry(written.position).ok()?;
        let Event::Contribution(CaseContribution::Evidence { place, .. }) = loaded.event else {
            return None;
        };
        standing(&reader, (written.agreement, written.subject?), place)
    }
}

/// The SM3 of the bytes held, if the caller gave it.
fn held_sm3(asked: &pb::RecordReceiptRequest) -> Result<Option<[u8; 32]>, Refused> {
    if asked.sm3.is_empty() { Ok(None) } else { evidence_file::sm3(&asked.sm3).map(Some) }
}

/// The command that says something of an item. Who may hold what is said follows from the list.
fn command(
    (agreement, subject): CaseKey,
    place: EvidencePlace,
    act: EvidenceAct,
    content: Option<PartContent>,
) -> Command {
    let part = |content| NewPart { audience: Audience::AllMembers, content };
    let contribution = CaseContribution::Evidence { place, act };
    let parts = content.map(part).into_iter().collect();
    Command::Contribute { agreement, subject, contribution, parts }
}

/// The item with an id in an entry's lists, as far as they are here.
fn listed(reader: &Reader, loaded: &LoadedEntry, id: &str) -> Option<Found> {
    let entry = loaded.entry.envelope.position();
    let parts = u32::try_from(loaded.entry.parts.len()).ok()?;
    (0..parts).find_map(|part| {
        let list = list(reader, loaded, part)?;
        let (item, evidence) = (0..).zip(list).find(|(_, one)| one.id.as_str() == id)?;
        Some(Found { place: EvidencePlace { entry, part, item }, evidence })
    })
}

/// The list of evidence in a part, if it has one and it is here.
fn list(reader: &Reader, loaded: &LoadedEntry, part: u32) -> Option<Vec<Evidence>> {
    evidence::items(reader, &loaded.entry, usize::try_from(part).ok()?).ok().flatten()
}

/// An item at its place, if its list is here.
pub(super) fn item_at(reader: &Reader, place: EvidencePlace) -> Option<pb::Evidence> {
    let loaded = reader.entry(place.entry).ok()?;
    let list = list(reader, &loaded, place.part)?;
    write::item_to_pb(list.get(usize::try_from(place.item).ok()?)?)
}

/// What was said of an item so far; `None` when nothing lists it.
pub(super) fn standing(
    reader: &Reader,
    (agreement, subject): CaseKey,
    place: EvidencePlace,
) -> Option<pb::EvidenceStanding> {
    let rows = reader.view();
    let listed = view::applied_entry(&rows, place.entry)?;
    let found = view::evidence(&rows, (agreement, subject), place);
    drop(rows);
    let receipt = |(city, said): (CityCode, view::Said)| pb::EvidenceReceipt {
        city: city.as_u32(),
        receive_time: Some(read::timestamp(said.record_time_ms)),
        entry: said.at.to_string(),
    };
    Some(pb::EvidenceStanding {
        name: read::name_of(agreement, subject),
        entry: place.entry.to_string(),
        part: place.part,
        item: place.item,
        listing_city: listed.city.as_u32(),
        evidence: item_at(reader, place),
        receipts: found.receipts().into_iter().map(receipt).collect(),
        verdicts: found.judged.iter().map(|(city, one)| verdict(reader, *city, *one)).collect(),
        custody: found.custody.iter().map(|step| hand_over(reader, *step)).collect(),
    })
}

fn verdict(reader: &Reader, city: CityCode, judged: Judged) -> pb::EvidenceVerdict {
    let loaded = reader.entry(judged.said.at).ok();
    let text = match loaded.and_then(|loaded| said::first_part(reader, &loaded)) {
        Some(PartContent::Text(text)) => Some(text),
        Some(_) | None => None,
    };
    pb::EvidenceVerdict {
        city: city.as_u32(),
        judge_time: Some(read::timestamp(judged.said.record_time_ms)),
        recognised: judged.ground.is_none(),
        ground: write::ground_number(judged.ground),
        text: text.unwrap_or_default(),
        entry: judged.said.at.to_string(),
    }
}

fn hand_over(reader: &Reader, step: HandedOver) -> pb::CustodyStep {
    let record = reader.entry(step.said.at).ok().and_then(|loaded| custody(reader, &loaded));
    pb::CustodyStep {
        city: step.city.as_u32(),
        handed_on: Some(read::date_out(step.on)),
        record,
        entry: step.said.at.to_string(),
    }
}

/// Who handed an original to whom, as an entry says it.
pub(super) fn custody(reader: &Reader, loaded: &LoadedEntry) -> Option<pb::CustodyRecord> {
    (0..loaded.entry.parts.len()).find_map(|part| match reader.part(&loaded.entry, part) {
        Ok(Some(PartContent::Custody(record))) => Some(write::custody_to_pb(&record)),
        Ok(_) | Err(_) => None,
    })
}
