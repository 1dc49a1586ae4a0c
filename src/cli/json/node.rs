//! What `--json` prints of a node: its status, its logs, what is suspended.
//!
//! In scope: how a node is. Out of scope: records ([`super`], which has the rules).

use serde_json::{Value, json};

use super::{city, some, time};
use crate::cli::words::short;
use crate::ids::hex;
use crate::wire::pb::v1 as pb;

/// One log as a node holds it; the checkpoint and the cosignatures are the node's own bytes.
#[must_use]
pub fn log(log: &pb::Log) -> Value {
    let cosignatures: Vec<_> = log
        .cosignatures
        .iter()
        .map(|one| {
            json!({
                "city": city(one.city),
                "size": one.size,
                "sign_time": time(one.sign_time.as_ref()),
                "line": one.line,
            })
        })
        .collect();
    json!({
        "log_id": log.log_id,
        "agreement": log.agreement,
        "city": city(log.city),
        "epoch": log.epoch,
        "stored_size": log.stored_size,
        "applied_size": log.applied_size,
        "announced_size": log.announced_size,
        "root": log.root,
        "checkpoint": String::from_utf8_lossy(&log.checkpoint),
        "cosignatures": cosignatures,
        "contradicting_cosigners":
            log.cosignature_contradictions.iter().map(|one| city(one.city)).collect::<Vec<_>>(),
        "last_source": city(log.last_source),
        "waiting_for": some(log.waiting_for.clone()),
        "misfit_count": log.misfit_count,
        "standing": log.standing,
        "manifest_note": String::from_utf8_lossy(&log.manifest_note),
        "own": log.own,
        "lag_entries": log.lag_entries,
        "lag_seconds": log.lag_seconds,
        "alone_since_time": time(log.alone_since_time.as_ref()),
    })
}

/// How a node is.
#[must_use]
pub fn status(status: &pb::Status) -> Value {
    let links: Vec<_> = status.links.iter().map(link).collect();
    let recoveries: Vec<_> = status
        .recoveries
        .iter()
        .map(|one| {
            json!({
                "agreement": one.agreement,
                "old_log_id": one.old_log_id,
                "waiting_for": one.waiting_for.iter().map(|code| city(*code)).collect::<Vec<_>>(),
                "epoch_needed": one.epoch_needed,
            })
        })
        .collect();
    json!({
        "version": status.version,
        "city": city(status.city),
        "node_id": status.node_id,
        "start_time": time(status.start_time.as_ref()),
        "writable": status.writable,
        "not_writable_reason": some(status.not_writable_reason.clone()),
        "links": links,
        "logs": status.logs.iter().map(log).collect::<Vec<_>>(),
        "recoveries": recoveries,
        "suspensions": status.suspensions.iter().map(suspension).collect::<Vec<_>>(),
        "journal_bytes": status.journal_bytes,
        "disk_free_bytes": status.disk_free_bytes,
        "warnings": status.warnings,
        "journal_id": status.journal_id,
        "apply_number": status.apply_number,
        "pid": status.pid,
        "api_address": status.api_address,
        "peer_address": status.peer_address,
        "tasks": status.tasks.iter().map(task).collect::<Vec<_>>(),
        "certificates": status.certificates.iter().map(|one| json!({
            "name": one.name,
            "expire_time": time(one.expire_time.as_ref()),
        })).collect::<Vec<_>>(),
        "server_time": time(status.server_time.as_ref()),
        "scrub": status.scrub.as_ref().map(|scrub| json!({
            "period_seconds": scrub.period_seconds,
            "begin_time": time(scrub.begin_time.as_ref()),
            "bytes": scrub.bytes,
            "last_end_time": time(scrub.last_end_time.as_ref()),
            "last_bytes": scrub.last_bytes,
            "last_damaged_count": scrub.last_damaged_count,
            "bad_segments": scrub.bad_segments,
        })),
        "evidence_store": status.evidence_store.as_ref().map(evidence_store),
        "missing_calendar_years": status.missing_calendar_years,
        "evidence_check": status.evidence_check.as_ref().map(evidence_check),
        "damage": status.damage.iter().map(|one| json!({
            "log_id": one.log_id,
            "from_index": one.from_index,
            "to_index": one.to_index,
            "only_here": one.only_here,
        })).collect::<Vec<_>>(),
        "damaged_note_count": status.damaged_note_count,
        "disk_low_bytes": status.disk_low_bytes,
        "views_error": some(status.views_error.clone()),
        "audit_error": some(status.audit_error.clone()),
        "clock_offset_ms": status.clock.map(|clock| clock.offset_ms),
        "alone_seconds_max": status.alone_seconds_max,
    })
}

/// What is suspended of a city.
#[must_use]
pub fn suspension(one: &pb::Suspension) -> Value {
    json!({
        "city": city(one.city),
        "log_id": some(one.log_id.clone()),
        "suspend_time": time(one.suspend_time.as_ref()),
        "reason": some(one.reason.clone()),
        "suspended_by": some(one.suspended_by.clone()),
        "resuming": one.resuming,
    })
}

fn task(task: &pb::Task) -> Value {
    json!({
        "name": task.name,
        "done_time": time(task.done_time.as_ref()),
        "age_ms": task.age_ms,
        "late_ms": task.late_ms,
        "late": task.late,
        "restart_count": task.restart_count,
        "error": some(task.error.clone()),
        "kept": task.kept,
        "restart_time": time(task.restart_time.as_ref()),
        "restart_reason": some(task.restart_reason.clone()),
    })
}

fn link(link: &pb::Link) -> Value {
    json!({
        "city": city(link.city),
        "state": short(link.state().as_str_name(), "LINK_STATE_"),
        "dialled_by_us": link.dialled_by_us,
        "address": link.address,
        "since_time": time(link.since_time.as_ref()),
        "reason": some(link.reason.clone()),
        "received_bytes": link.received_bytes,
        "sent_bytes": link.sent_bytes,
        "last_frame_time": time(link.last_frame_time.as_ref()),
        "certificate_expire_time": time(link.certificate_expire_time.as_ref()),
        "dial_time": time(link.dial_time.as_ref()),
        "dial_error": some(link.dial_error.clone()),
        "next_dial_time": time(link.next_dial_time.as_ref()),
    })
}

fn evidence_store(store: &pb::EvidenceStore) -> Value {
    json!({
        "place": some(store.place.clone()),
        "counted": store.counted,
        "used_bytes": store.used_bytes,
        "limit_bytes": store.limit_bytes,
        "last_answer_time": time(store.last_answer_time.as_ref()),
        "error": some(store.error.clone()),
        "rotten_count": store.rotten_count,
        "rotten_sha256": store.rotten_sha256.iter().map(|one| hex(one)).collect::<Vec<_>>(),
    })
}

fn evidence_check(check: &pb::EvidenceCheck) -> Value {
    json!({
        "period_seconds": check.period_seconds,
        "begin_time": time(check.begin_time.as_ref()),
        "last_end_time": time(check.last_end_time.as_ref()),
        "last_file_count": check.last_file_count,
        "last_bytes": check.last_bytes,
        "last_rotten_count": check.last_rotten_count,
    })
}
