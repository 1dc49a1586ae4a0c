//! Reading notices for answers: rows of the view, the parts this city may see, how far each has got
//! with each city.
//!
//! In scope: one notice as a message, from its rows or from what has rung. Out of scope: lists and
//! watches ([`super::notice_service`], [`super::notice_watch`]).

use std::collections::BTreeMap;

use super::case_history::hash_out;
use super::holdings::Witnesses;
use super::notice_service::NoticeApi;
use super::said;
use crate::api::request::PartContent;
use crate::domain::Event;
use crate::domain::calendar::LastDay;
use crate::domain::notice::{AckDue, Notice, NoticeAct, NoticeRecord};
use crate::ids::{AgreementId, CityCode, SubjectId};
use crate::limits::{NOTICE_MISFITS_SHOWN_MAX, NOTICE_REPORTS_SHOWN_MAX};
use crate::log::PartSlot;
use crate::node::alert::Alert;
use crate::node::due;
use crate::node::reader::{LoadedEntry, Reader};
use crate::view::{HistoryEntry, NoticeView};
use crate::wire::case as read;
use crate::wire::notice as write;
use crate::wire::pb::v1 as pb;

impl NoticeApi {
    /// A notice that was read from the view, without what was said since.
    pub(super) fn written(
        &self,
        reader: &Reader,
        (agreement, subject): (AgreementId, SubjectId),
        found: &NoticeView,
        witnesses: &Witnesses,
    ) -> pb::Notice {
        let (own, now) = (self.desk.node.city(), self.desk.node.now_ms());
        let issued_ms = due::issued_ms(reader, found);
        let issued_ms = issued_ms.or_else(|| self.due.unheld_since((agreement, subject)));
        let issued_ms = issued_ms.unwrap_or(now);
        let due = self.due_of(agreement, &found.notice, issued_ms);
        let opening = reader.entry(found.opened_at).ok();
        let envelope = opening.as_ref().map(|opening| &opening.entry.envelope);
        let suspect = envelope.is_some_and(|envelope| envelope.clock_suspect);
        // A receipt says that the parts for all members are there, and nothing of others: a city
        // signs it also while a narrow part that is meant for it is still on its way.
        let for_all = envelope.is_some_and(|envelope| !envelope.has_narrow_part());
        let held =
            if for_all { witnesses.holding(reader, found.opened_at) } else { BTreeMap::new() };
        let recipient = |city: &CityCode| {
            let acknowledged = found.acknowledged.iter().find(|(who, _)| who == city);
            let acknowledged_ms = acknowledged.map(|(_, said)| said.record_time_ms);
            let said_ms = self.reached.held_since(found.opened_at, *city);
            // Nobody signs for a text that has not arrived (`NOTICE_ARRIVING`).
            let known = [held.get(city).copied(), said_ms, acknowledged_ms];
            let hold_ms = known.into_iter().flatten().min();
            let rung = self.reached.rings_since(found.opened_at, *city);
            pb::NoticeRecipient {
                city: city.as_u32(),
                ring_time: rung.map(read::timestamp),
                hold_time: hold_ms.map(read::timestamp),
                acknowledge_time: acknowledged_ms.map(read::timestamp),
                overdue: found.awaits(*city) && due.is_some_and(|due| due.is_over(now)),
                hold_unknown: !for_all && hold_ms.is_none(),
            }
        };
        let record = opening.as_ref().and_then(|entry| record(reader, entry));
        let ours = found.notice.issuer == own || found.notice.addressees.contains(&own);
        let state = text_state(opening.as_ref(), record.is_some(), ours);
        pb::Notice {
            record: record.as_ref().map(write::notice_to_pb),
            recipients: found.notice.addressees.iter().map(recipient).collect(),
            end_time: found.ended.map(|said| read::timestamp(said.record_time_ms)),
            awaits_acknowledgement: found.awaits(own),
            needs_newer_version: found.needs_newer,
            misfit_count: found.misfit_count,
            text_state: state.into(),
            clock_suspect: suspect,
            entry: found.opened_at.to_string(),
            entry_hash: opening.as_ref().map(|one| hash_out(&one.entry)).unwrap_or_default(),
            ..self.facts((agreement, subject), &found.notice, found.issued_ms, due)
        }
    }

    /// What has rung, as a notice on its way.
    pub(super) fn arriving(&self, alert: &Alert) -> pb::Notice {
        let due = self.due_of(alert.agreement, &alert.notice, alert.issued_ms);
        let recipient = |city: &CityCode| pb::NoticeRecipient {
            city: city.as_u32(),
            hold_unknown: true,
            ..pb::NoticeRecipient::default()
        };
        pb::Notice {
            record: alert.record.as_ref().map(write::notice_to_pb),
            recipients: alert.notice.addressees.iter().map(recipient).collect(),
            awaits_acknowledgement: true,
            arriving: true,
            text_state: match alert.record {
                Some(_) => pb::NoticeTextState::Here,
                None => pb::NoticeTextState::OnItsWay,
            }
            .into(),
            ..self.facts((alert.agreement, alert.subject), &alert.notice, alert.issued_ms, due)
        }
    }

    fn facts(
        &self,
        (agreement, subject): (AgreementId, SubjectId),
        notice: &Notice,
        issued_ms: i64,
        due: Option<AckDue>,
    ) -> pb::Notice {
        let (time, day) = match due {
            Some(AckDue::At(at)) => (Some(at), None),
            Some(AckDue::On(day)) => (None, Some(day)),
            None => (None, None),
        };
        pb::Notice {
            name: write::name_of(agreement, subject),
            kind: write::kind_number(notice.kind),
            level: write::level_number(notice.level),
            issuing_city: notice.issuer.as_u32(),
            issue_time: Some(read::timestamp(issued_ms)),
            due_time: time.map(read::timestamp),
            due_on: day.map(|day| read::date_out(day.on)),
            provisional: day.is_some_and(LastDay::is_provisional),
            ..pb::Notice::default()
        }
    }

    fn due_of(&self, agreement: AgreementId, notice: &Notice, issued_ms: i64) -> Option<AckDue> {
        let book = self.desk.node.book();
        let terms = book.get(agreement)?.charter.deadlines;
        let terms = (terms.emergency_minutes, terms.notice_ack_workdays);
        AckDue::of(notice.kind, issued_ms, terms, self.due.calendar())
    }
}

/// What a notice says, as far as this city may see it.
pub(super) fn record(reader: &Reader, entry: &LoadedEntry) -> Option<NoticeRecord> {
    (0..entry.entry.parts.len()).find_map(|part| match reader.part(&entry.entry, part) {
        Ok(Some(PartContent::Notice(record))) => Some(*record),
        Ok(_) | Err(_) => None,
    })
}

/// Whether the text of a notice is here, and why not.
fn text_state(opening: Option<&LoadedEntry>, here: bool, ours: bool) -> pb::NoticeTextState {
    let Some(opening) = opening else { return pb::NoticeTextState::Unspecified };
    let erased = opening.entry.parts.iter().any(|slot| matches!(slot, PartSlot::ErasedBy(_)));
    match (here, erased, ours) {
        (true, ..) => pb::NoticeTextState::Here,
        (false, true, _) => pb::NoticeTextState::Erased,
        (false, false, true) => pb::NoticeTextState::OnItsWay,
        (false, false, false) => pb::NoticeTextState::NotForUs,
    }
}

/// What was said of a notice since it was issued.
pub(super) fn reports(
    reader: &Reader,
    agreement: AgreementId,
    subject: SubjectId,
) -> Vec<pb::NoticeReport> {
    let most = NOTICE_REPORTS_SHOWN_MAX + NOTICE_MISFITS_SHOWN_MAX;
    said::newest(reader, (agreement, subject), most, &|entry| report(reader, entry))
}

fn report(reader: &Reader, entry: &HistoryEntry) -> pb::NoticeReport {
    let loaded = reader.entry(entry.position).ok();
    let kind = match loaded.as_ref().map(|l| &l.event) {
        Some(Event::NoticeAct(NoticeAct::Acknowledged)) => pb::NoticeReportKind::Acknowledged,
        Some(Event::NoticeAct(NoticeAct::Reported)) => pb::NoticeReportKind::Reported,
        Some(Event::NoticeAct(NoticeAct::Ended)) => pb::NoticeReportKind::Ended,
        Some(_) | None => pb::NoticeReportKind::Unspecified,
    };
    let text = match loaded.as_ref().and_then(|loaded| said::first_part(reader, loaded)) {
        Some(PartContent::Text(text)) => Some(text),
        Some(_) | None => None,
    };
    pb::NoticeReport {
        city: entry.city.as_u32(),
        report_time: Some(read::timestamp(entry.record_time_ms)),
        kind: kind.into(),
        text: text.unwrap_or_default(),
        entry: entry.position.to_string(),
        misfit_reason: said::misfit_reason(entry),
    }
}
