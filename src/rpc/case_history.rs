//! Histories of cases: entries, what became of them, who holds them.

use super::caller::Called;
use super::case_service::CaseApi;
use super::page_token::Seal;
use crate::api::request::PartContent;
use crate::ids::{CityCode, LogId};
use crate::log::{ActorRef, Entry, PartSlot};
use crate::node::reader::Reader;
use crate::view::{self, Effect, HistoryEntry};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::status::Refused;

/// Largest page; more is clamped.
const PAGE_SIZE_MAX: usize = 200;

impl CaseApi {
    /// One page of a history.
    pub(super) async fn history(
        &self,
        who: &Called,
        asked: &pb::GetCaseHistoryRequest,
    ) -> Result<pb::GetCaseHistoryResponse, Refused> {
        let size = usize::try_from(asked.page_size)
            .map_err(|_| Refused::new("PAGE_SIZE").at("page_size"))?;
        let size = if size == 0 { 100 } else { size.min(PAGE_SIZE_MAX) };
        let (agreement, subject) = read::case_name(&asked.name)?;
        let seal = Seal::new(&self.node, &who.caller.identity, asked.name.clone().into_bytes());
        let from = seal.open(&asked.page_token)?.map_or(0, |last| last + 1);
        let status = self.node.status().await.ok_or(Refused::new("STOPPING"))?;
        let witnesses: Vec<_> = status
            .logs
            .iter()
            .filter(|l| l.agreement == agreement)
            .map(|l| (l.log, l.city))
            .collect();
        let reader = self.node.reader();
        let rows = reader.view();
        if view::case(&rows, agreement, subject).is_none() {
            return Err(Refused::new("NOT_FOUND"));
        }
        let mut found = Vec::new();
        view::history(&rows, agreement, subject, from, &mut |entry| {
            found.push(entry);
            found.len() < size
        });
        drop(rows);
        let last = found.last().map(|e: &HistoryEntry| e.apply).filter(|_| found.len() == size);
        let entries = found.into_iter().map(|e| history_out(&reader, &witnesses, e)).collect();
        let next_page_token = last.map(|apply| seal.close(apply)).unwrap_or_default();
        Ok(pb::GetCaseHistoryResponse { entries, next_page_token })
    }
}

fn history_out(
    reader: &Reader,
    witnesses: &[(LogId, CityCode)],
    entry: HistoryEntry,
) -> pb::HistoryEntry {
    let at = entry.position;
    let logs: Vec<_> = witnesses.iter().map(|(log, _)| *log).collect();
    let holdings = reader.holdings(at, &logs).into_iter().filter_map(|(log, time_s)| {
        let city = witnesses.iter().find(|(l, _)| *l == log).map(|(_, c)| *c)?;
        let ms = i64::try_from(time_s).unwrap_or(0).saturating_mul(1000);
        Some(pb::Holding { city: city.as_u32(), hold_time: Some(read::timestamp(ms)) })
    });
    let holdings = holdings.collect();
    let (effect, reason) = match &entry.effect {
        Effect::Opened | Effect::Move => (pb::EntryEffect::Move, String::new()),
        Effect::Contribution | Effect::Other => (pb::EntryEffect::Contribution, String::new()),
        Effect::Misfit(reason) => (pb::EntryEffect::Misfit, reason.clone()),
        Effect::Newer => (pb::EntryEffect::Newer, String::new()),
    };
    let loaded = reader.entry(at).ok();
    let envelope = loaded.as_ref().map(|l| &l.entry.envelope);
    let texts = loaded.as_ref().map(|l| texts(reader, &l.entry)).unwrap_or_default();
    let effective_on = loaded.as_ref().and_then(|l| l.event.effective_on()).map(read::date_out);
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
        header: loaded.as_ref().and_then(|l| read::header(&l.entry.header)),
        texts,
        holdings,
        actor: actor(envelope.and_then(|e| e.actor)),
        acting_for: actor(envelope.and_then(|e| e.acting_for)),
        apply_number: entry.apply,
    }
}

fn texts(reader: &Reader, entry: &Entry) -> Vec<String> {
    let places = entry.parts.iter().enumerate().filter(|(_, s)| matches!(s, PartSlot::Bytes(_)));
    let text = |(place, _)| match reader.part(entry, place) {
        Ok(Some(PartContent::Text(text))) => Some(text),
        _ => None,
    };
    places.filter_map(text).collect()
}
