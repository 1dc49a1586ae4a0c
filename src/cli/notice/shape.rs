//! Notices as JSON.

use serde_json::{Value, json};

use crate::cli::json::city;
use crate::cli::{when, words};
use crate::wire::pb::v1 as pb;

/// A notice.
#[must_use]
pub fn notice(notice: &pb::Notice) -> Value {
    json!({
        "name": notice.name,
        "kind": words::short(notice.kind().as_str_name(), "NOTICE_KIND_"),
        "level": words::short(notice.level().as_str_name(), "NOTICE_LEVEL_"),
        "issuing_city": city(notice.issuing_city),
        "record": notice.record.as_ref().map(record),
        "issue_time": when::rfc3339(notice.issue_time.as_ref()),
        "due_time": notice.due_time.as_ref().map(|at| when::rfc3339(Some(at))),
        "due_on": notice.due_on.as_ref().map(|on| when::date(Some(on))),
        "provisional": notice.provisional,
        "recipients": notice.recipients.iter().map(recipient).collect::<Vec<_>>(),
        "end_time": notice.end_time.as_ref().map(|at| when::rfc3339(Some(at))),
        "awaits_acknowledgement": notice.awaits_acknowledgement,
        "arriving": notice.arriving,
        "needs_newer_version": notice.needs_newer_version,
        "reports": notice.reports.iter().map(report).collect::<Vec<_>>(),
        "misfit_count": notice.misfit_count,
        "text_state": words::short(notice.text_state().as_str_name(), "NOTICE_TEXT_STATE_"),
        "clock_suspect": notice.clock_suspect,
    })
}

fn record(record: &pb::NoticeRecord) -> Value {
    json!({
        "title": record.title,
        "text": record.text,
        "address": record.address,
        "contact": record.contact,
        "phone": record.phone,
    })
}

fn recipient(one: &pb::NoticeRecipient) -> Value {
    let time = |at: Option<&prost_types::Timestamp>| at.map(|at| when::rfc3339(Some(at)));
    json!({
        "city": city(one.city),
        "ring_time": time(one.ring_time.as_ref()),
        "hold_time": time(one.hold_time.as_ref()),
        "acknowledge_time": time(one.acknowledge_time.as_ref()),
        "overdue": one.overdue,
        "hold_unknown": one.hold_unknown,
    })
}

fn report(one: &pb::NoticeReport) -> Value {
    json!({
        "city": city(one.city),
        "report_time": when::rfc3339(one.report_time.as_ref()),
        "kind": words::short(one.kind().as_str_name(), "NOTICE_REPORT_KIND_"),
        "text": one.text,
        "entry": one.entry,
        "misfit_reason": one.misfit_reason,
    })
}
