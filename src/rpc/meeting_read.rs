//! Reading meetings for answers: rows of the view, what was said, who has confirmed the minutes.
//!
//! In scope: one meeting as a message. Out of scope: lists, writing ([`super::meeting_service`]).

use bytes::Bytes;

use super::said;
use crate::api::request::PartContent;
use crate::domain::Event;
use crate::domain::meeting::{MeetingAct, MeetingRecord, MeetingState};
use crate::ids::{AgreementId, CityCode, SubjectId};
use crate::limits::NOTICE_REPORTS_SHOWN_MAX;
use crate::node::reader::{LoadedEntry, Reader};
use crate::view::{HistoryEntry, MeetingView, Minutes};
use crate::wire::case as read;
use crate::wire::meeting as write;
use crate::wire::pb::v1 as pb;

/// A meeting as `own` of these members sees it, without what was said since.
pub(super) fn written(
    reader: &Reader,
    (agreement, subject): (AgreementId, SubjectId),
    found: &MeetingView,
    (own, members): (CityCode, &[CityCode]),
) -> pb::Meeting {
    let meeting = &found.meeting;
    let state = found.state();
    let entry = reader.entry(found.opened_at).ok();
    let record = entry.and_then(|entry| record(reader, &entry));
    let minutes = found.minutes;
    let others = members.iter().filter(|city| minutes.is_some_and(|m| m.city != **city));
    let confirmation = |city: &CityCode| pb::MinutesConfirmation {
        city: city.as_u32(),
        confirm_time: found.confirmation(*city).map(|said| read::timestamp(said.record_time_ms)),
    };
    let cancelled = found.cancelled.filter(|_| state == MeetingState::Cancelled);
    pb::Meeting {
        name: write::name_of(agreement, subject),
        on: Some(read::date_out(meeting.on)),
        number: meeting.number,
        calling_city: meeting.convener.as_u32(),
        chair: meeting.chair.as_u32(),
        due_chair: meeting.due_chair.as_u32(),
        out_of_turn: meeting.is_out_of_turn(),
        state: write::state_number(state),
        record: record.as_ref().map(write::record_to_pb),
        call_time: Some(read::timestamp(found.called_ms)),
        minutes: minutes.map(|minutes| written_minutes(reader, minutes)),
        confirmations: others.map(confirmation).collect(),
        cancel_time: cancelled.map(|said| read::timestamp(said.record_time_ms)),
        awaits_confirmation: members.contains(&own) && found.awaits(own),
        needs_newer_version: found.needs_newer,
        words: Vec::new(),
        misfit_count: found.misfit_count,
    }
}

fn written_minutes(reader: &Reader, minutes: Minutes) -> pb::Minutes {
    let entry = reader.entry(minutes.said.at).ok();
    let record = entry.and_then(|entry| record(reader, &entry));
    pb::Minutes {
        city: minutes.city.as_u32(),
        record_time: Some(read::timestamp(minutes.said.record_time_ms)),
        minutes_hash: Bytes::copy_from_slice(minutes.digest.as_bytes()),
        held_on: Some(read::date_out(minutes.held_on)),
        record: record.as_ref().map(write::record_to_pb),
    }
}

fn record(reader: &Reader, entry: &LoadedEntry) -> Option<MeetingRecord> {
    (0..entry.entry.parts.len()).find_map(|part| match reader.part(&entry.entry, part) {
        Ok(Some(PartContent::Meeting(record))) => Some(*record),
        Ok(_) | Err(_) => None,
    })
}

/// What was said of a meeting since it was called.
pub(super) fn words(
    reader: &Reader,
    agreement: AgreementId,
    subject: SubjectId,
) -> Vec<pb::MeetingWord> {
    let most = NOTICE_REPORTS_SHOWN_MAX;
    said::newest(reader, (agreement, subject), most, &|entry| word(reader, entry))
}

fn word(reader: &Reader, entry: &HistoryEntry) -> pb::MeetingWord {
    let loaded = reader.entry(entry.position).ok();
    let kind = match loaded.as_ref().map(|l| &l.event) {
        Some(Event::MeetingAct(MeetingAct::MinutesRecorded { .. })) => pb::MeetingWordKind::Minutes,
        Some(Event::MeetingAct(MeetingAct::MinutesConfirmed { .. })) => {
            pb::MeetingWordKind::Confirmed
        }
        Some(Event::MeetingAct(MeetingAct::Cancelled)) => pb::MeetingWordKind::Cancelled,
        Some(_) | None => pb::MeetingWordKind::Unspecified,
    };
    let text = match loaded.as_ref().and_then(|loaded| said::first_part(reader, loaded)) {
        Some(PartContent::Text(text)) => Some(text),
        Some(PartContent::Meeting(record)) => Some(record.title.as_str().to_owned()),
        Some(_) | None => None,
    };
    pb::MeetingWord {
        city: entry.city.as_u32(),
        word_time: Some(read::timestamp(entry.record_time_ms)),
        kind: kind.into(),
        text: text.unwrap_or_default(),
        entry: entry.position.to_string(),
        misfit_reason: said::misfit_reason(entry),
    }
}
