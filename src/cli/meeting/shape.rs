//! Meetings as JSON.

use serde_json::{Value, json};

use crate::cli::json::city;
use crate::cli::{when, words};
use crate::ids::hex;
use crate::wire::pb::v1 as pb;

/// A meeting.
#[must_use]
pub fn meeting(meeting: &pb::Meeting) -> Value {
    json!({
        "name": meeting.name,
        "on": when::date(meeting.on.as_ref()),
        "number": meeting.number,
        "calling_city": city(meeting.calling_city),
        "chair": city(meeting.chair),
        "due_chair": city(meeting.due_chair),
        "out_of_turn": meeting.out_of_turn,
        "state": words::short(meeting.state().as_str_name(), "MEETING_STATE_"),
        "record": meeting.record.as_ref().map(record),
        "call_time": when::rfc3339(meeting.call_time.as_ref()),
        "minutes": meeting.minutes.as_ref().map(minutes),
        "confirmations": meeting.confirmations.iter().map(confirmation).collect::<Vec<_>>(),
        "cancel_time": meeting.cancel_time.as_ref().map(|at| when::rfc3339(Some(at))),
        "awaits_confirmation": meeting.awaits_confirmation,
        "needs_newer_version": meeting.needs_newer_version,
        "words": meeting.words.iter().map(word).collect::<Vec<_>>(),
        "misfit_count": meeting.misfit_count,
    })
}

fn record(record: &pb::MeetingRecord) -> Value {
    json!({ "title": record.title, "text": record.text, "address": record.address })
}

fn minutes(minutes: &pb::Minutes) -> Value {
    json!({
        "city": city(minutes.city),
        "record_time": when::rfc3339(minutes.record_time.as_ref()),
        "sha256": hex(&minutes.minutes_hash),
        "held_on": when::date(minutes.held_on.as_ref()),
        "record": minutes.record.as_ref().map(record),
    })
}

fn confirmation(one: &pb::MinutesConfirmation) -> Value {
    let time = one.confirm_time.as_ref().map(|at| when::rfc3339(Some(at)));
    json!({ "city": city(one.city), "confirm_time": time })
}

fn word(one: &pb::MeetingWord) -> Value {
    json!({
        "city": city(one.city),
        "word_time": when::rfc3339(one.word_time.as_ref()),
        "kind": words::short(one.kind().as_str_name(), "MEETING_WORD_KIND_"),
        "text": one.text,
        "entry": one.entry,
        "misfit_reason": one.misfit_reason,
    })
}
