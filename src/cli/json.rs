//! What `--json` prints: one documented, stable shape per message.
//!
//! In scope: cases, history, receipts, logs. Out of scope: errors ([`super::failure`]).
//!
//! Rules: names as in the API, in snake case; enum values without the enum's name; city codes as
//! six-digit strings, `null` for none; dates `YYYY-MM-DD`; times RFC 3339 in Beijing; bytes in
//! lower-case hexadecimal; signed notes as text. Fields are added, never renamed or removed.

use serde_json::{Value, json};

use super::when;
use super::words::short;
use crate::ids::hex;
use crate::wire::pb::v1 as pb;

/// A city code, `null` for none.
#[must_use]
pub fn city(code: u32) -> Value {
    if code == 0 { Value::Null } else { Value::String(format!("{code:06}")) }
}

fn some(text: String) -> Value {
    if text.is_empty() { Value::Null } else { Value::String(text) }
}

/// A date, `null` for none.
#[must_use]
pub fn date(date: Option<&pb::Date>) -> Value {
    some(when::date(date))
}

/// An article as a record has it.
#[must_use]
pub fn legal_basis(one: &pb::LegalBasis) -> Value {
    json!({
        "law": one.law,
        "article": one.article,
        "item": one.item,
        "effective_from": date(one.effective_from.as_ref()),
        "effective_to": date(one.effective_to.as_ref()),
    })
}

fn time(at: Option<&prost_types::Timestamp>) -> Value {
    some(when::rfc3339(at))
}

fn state(state: pb::CaseState) -> Value {
    json!(short(state.as_str_name(), "CASE_STATE_"))
}

/// An object with one more field.
#[must_use]
pub fn with(mut value: Value, key: &str, more: Value) -> Value {
    if let Value::Object(object) = &mut value {
        object.insert(key.to_owned(), more);
    }
    value
}

/// A case.
#[must_use]
pub fn case(case: &pb::Case) -> Value {
    let steps: Vec<_> = case
        .allowed_steps()
        .map(|step| short(step.as_str_name(), "CASE_STEP_").to_owned())
        .collect();
    json!({
        "name": case.name,
        "etag": case.etag,
        "number": case.number,
        "external_ref": case.external_ref.as_ref().map(|own| {
            json!({ "system": own.system, "number": own.number })
        }),
        "state": state(case.state()),
        "originating_city": city(case.originating_city),
        "handling_city": city(case.handling_city),
        "turn_city": city(case.turn_city),
        "facts": case.facts.as_ref().map(facts),
        "record": case.record.as_ref().map(record),
        "campaigns": case.campaigns,
        "person": case.person.as_ref().map(person),
        "transfer_from": city(case.transfer_from),
        "transfer_to": city(case.transfer_to),
        "last_effective_on": date(case.last_effective_on.as_ref()),
        "update_time": time(case.update_time.as_ref()),
        "move_count": case.move_count,
        "contribution_count": case.contribution_count,
        "misfit_count": case.misfit_count,
        "files_outstanding": case.files_outstanding,
        "needs_newer_version": case.needs_newer_version,
        "allowed_steps": steps,
        "assignment": case.assignment.as_ref().map(assignment),
    })
}

/// Who of the own city works on a case.
#[must_use]
pub fn assignment(own: &pb::Assignment) -> Value {
    json!({
        "assignee": own.assignee,
        "remark": own.remark,
        "assign_time": time(own.assign_time.as_ref()),
        "assigned_by": own.assigned_by,
        "etag": own.etag,
    })
}

/// A term that runs.
#[must_use]
pub fn deadline(deadline: &pb::Deadline) -> Value {
    json!({
        "clock": short(deadline.clock().as_str_name(), "DEADLINE_CLOCK_"),
        "city": city(deadline.city),
        "begin_on": date(deadline.begin_on.as_ref()),
        "due_on": date(deadline.due_on.as_ref()),
        "provisional": deadline.provisional,
        "suspended": deadline.suspended,
        "suspended_days": deadline.suspended_days,
        "overdue": deadline.overdue,
    })
}

/// Records that may be of the same act as a case.
#[must_use]
pub fn same_acts(acts: &pb::SameActs) -> Value {
    let hint = |one: &pb::SameActHint| {
        json!({
            "name": one.name,
            "number": one.number,
            "originating_city": city(one.originating_city),
            "handling_city": city(one.handling_city),
            "state": state(one.state()),
            "metres": one.metres,
            "overlap_from": date(one.overlap_from.as_ref()),
            "overlap_to": date(one.overlap_to.as_ref()),
            "days_assumed": one.days_assumed,
            "violation": short(one.violation().as_str_name(), "VIOLATION_"),
            "filed_on": date(one.filed_on.as_ref()),
            "other_filed_on": date(one.other_filed_on.as_ref()),
            "other_decided_on": date(one.other_decided_on.as_ref()),
            "linked": one.linked,
        })
    };
    json!({
        "name": acts.name,
        "hints": acts.hints.iter().map(hint).collect::<Vec<_>>(),
        "total_size": acts.total_size,
        "incomplete": acts.incomplete,
    })
}

/// A term with the case it runs in.
#[must_use]
pub fn case_deadline(line: &pb::CaseDeadline) -> Value {
    json!({
        "name": line.name,
        "number": line.number,
        "title": line.title,
        "state": state(line.state()),
        "deadline": line.deadline.as_ref().map(deadline),
    })
}

fn facts(facts: &pb::CaseFacts) -> Value {
    let distances: Vec<_> = facts
        .border_distances
        .iter()
        .map(|one| json!({ "city": city(one.city), "metres": one.metres }))
        .collect();
    json!({
        "source": short(facts.source().as_str_name(), "SOURCE_"),
        "medium": short(facts.medium().as_str_name(), "MEDIUM_"),
        "violation": short(facts.violation().as_str_name(), "VIOLATION_"),
        "county_code": city(facts.county_code),
        "discover_time": time(Some(&when::from_millis(facts.discover_time_ms))),
        "occurred_from": date(facts.occurred_from.as_ref()),
        "occurred_to": date(facts.occurred_to.as_ref()),
        "data_level": short(facts.data_level().as_str_name(), "DATA_LEVEL_"),
        "border_distances": distances,
        "border_uncertain": facts.border_uncertain,
        "belt_exception": facts.belt_exception,
        "has_point": facts.has_point,
    })
}

fn person(person: &pb::PersonRecord) -> Value {
    json!({
        "name": person.name,
        "id_number": person.id_number,
        "phone": person.phone,
        "address": person.address,
    })
}

fn record(record: &pb::CaseRecord) -> Value {
    json!({
        "title": record.title,
        "summary": record.summary,
        "location": record.location.as_ref().map(|at| json!({
            "longitude": at.longitude,
            "latitude": at.latitude,
            "crs": at.crs,
            "address": at.address,
        })),
        "party": record.party.as_ref().map(|party| json!({
            "type": short(party.r#type().as_str_name(), "PARTY_TYPE_"),
            "name": party.name,
            "uscc": party.uscc,
            "masked_name": party.masked_name,
            "industry_code": party.industry_code,
            "positive_list": party.positive_list,
            "permit_number": party.permit_number,
        })),
        "pollutants": record.pollutants.iter().map(|one| json!({
            "code": one.code,
            "value": one.value,
            "unit": one.unit,
            "limit": one.limit,
            "exceed_multiple": one.exceed_multiple,
            "statistic": short(one.statistic().as_str_name(), "POLLUTANT_STATISTIC_"),
        })).collect::<Vec<_>>(),
        "legal_bases": record.legal_bases.iter().map(legal_basis).collect::<Vec<_>>(),
        "evidence": record.evidence.iter().map(evidence).collect::<Vec<_>>(),
        "officers": record.officers.iter().map(|one| json!({
            "certificate_number": one.certificate_number,
            "unit": one.unit,
        })).collect::<Vec<_>>(),
        "case_file_number": record.case_file_number,
        "penalty": record.penalty.as_ref().map(|penalty| json!({
            "kinds": penalty.kinds()
                .map(|kind| short(kind.as_str_name(), "PENALTY_KIND_").to_owned())
                .collect::<Vec<_>>(),
            "fine_fen": penalty.fine_fen,
            "proposed": penalty.proposed,
            "decision_number": penalty.decision_number,
        })),
        "belt_reason": record.belt_reason,
        "law_choice": record.law_choice,
    })
}

/// An item of evidence.
#[must_use]
pub fn evidence(one: &pb::Evidence) -> Value {
    json!({
        "id": one.id,
        "kind": short(one.kind().as_str_name(), "EVIDENCE_KIND_"),
        "title": one.title,
        "collected_on": date(one.collected_on.as_ref()),
        "mime": one.mime,
        "size_bytes": one.size_bytes,
        "sha256": hex(&one.sha256),
        "sm3": hex(&one.sm3),
        "level": short(one.level().as_str_name(), "DATA_LEVEL_"),
        "reviewed_legal": one.reviewed_legal,
        "reviewed_technical": one.reviewed_technical,
    })
}

/// Where a write stands.
#[must_use]
pub fn receipt(receipt: &pb::WriteReceipt) -> Value {
    json!({ "entry": receipt.entry, "replayed": receipt.replayed })
}

/// One entry of a history.
#[must_use]
pub fn history(entry: &pb::HistoryEntry) -> Value {
    let holdings: Vec<_> = entry
        .holdings
        .iter()
        .map(|one| json!({ "city": city(one.city), "hold_time": time(one.hold_time.as_ref()) }))
        .collect();
    let event = entry.header.as_ref().and_then(|header| header.event.as_ref());
    json!({
        "entry": entry.entry,
        "city": city(entry.city),
        "effect": short(entry.effect().as_str_name(), "ENTRY_EFFECT_"),
        "misfit_reason": some(entry.misfit_reason.clone()),
        "record_time": time(entry.record_time.as_ref()),
        "clock_suspect": entry.clock_suspect,
        "effective_on": date(entry.effective_on.as_ref()),
        "state": Some(entry.state()).filter(|one| *one != pb::CaseState::Unspecified).map(state),
        "event": super::words::event(event, crate::lang::Lang::En),
        "texts": entry.texts,
        "evidence": entry.evidence.as_ref().map(evidence),
        "custody": entry.custody.as_ref().map(super::evidence::standing::custody),
        "referral": entry.referral.as_ref().map(super::case::referral::words::record),
        "holdings": holdings,
        "actor": some(entry.actor.clone()),
        "acting_for": some(entry.acting_for.clone()),
        "apply_number": entry.apply_number,
    })
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_has_the_documented_shape() {
        let value = case(&pb::Case {
            name: "agreements/a/cases/b".to_owned(),
            state: pb::CaseState::TransferredOut.into(),
            turn_city: 130_400,
            last_effective_on: Some(pb::Date { year: 2026, month: 1, day: 2 }),
            allowed_steps: vec![pb::CaseStep::Filed.into()],
            ..pb::Case::default()
        });
        assert_eq!(value["state"], "TRANSFERRED_OUT");
        assert_eq!(value["turn_city"], "130400");
        assert_eq!(value["transfer_to"], Value::Null);
        assert_eq!(value["last_effective_on"], "2026-01-02");
        assert_eq!(value["allowed_steps"], json!(["FILED"]));
        assert_eq!(value.as_object().unwrap().len(), 23);
    }

    #[test]
    fn notes_and_digests_are_text() {
        let value = log(&pb::Log { checkpoint: "a\nb\n".into(), ..pb::Log::default() });
        assert_eq!(value["checkpoint"], "a\nb\n");
        assert_eq!(
            evidence(&pb::Evidence { sha256: vec![255, 0].into(), ..Default::default() })["sha256"],
            "ff00"
        );
    }
}
