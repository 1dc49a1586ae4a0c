//! What `--json` prints: one documented, stable shape per message.
//!
//! In scope: cases, history, receipts; nodes and logs in [`node`]. Out of scope: errors
//! ([`super::failure`]).
//!
//! Rules: names as in the API, in snake case; enum values without the enum's name; city codes as
//! six-digit strings, `null` for none; dates `YYYY-MM-DD`; times RFC 3339 in Beijing; bytes in
//! lower-case hexadecimal; signed notes as text. Fields are added, never renamed or removed.

use serde_json::{Value, json};

use super::when;
use super::words::short;
use crate::ids::hex;
use crate::wire::pb::v1 as pb;

mod node;

pub use node::{log, status, suspension};

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
        "due_time": deadline.due_time.as_ref().map(|at| when::rfc3339(Some(at))),
        "met": deadline.met,
    })
}

/// A visit of a joint action that led to a case.
#[must_use]
pub fn finding(found: &pb::CaseFinding) -> Value {
    json!({
        "plan": found.plan,
        "plan_number": found.plan_number,
        "plan_title": found.plan_title,
        "site": found.site,
        "site_name": found.site_name,
        "nth": found.nth,
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
        "turn_city": city(line.turn_city),
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

/// That content was opened to a city.
#[must_use]
pub fn granted(one: crate::shown::grants::Granted<'_>) -> Value {
    json!({
        "entry": one.entry(),
        "part": one.said.part,
        "to_city": city(one.said.city),
        "by_city": city(one.by.city),
        "by_entry": one.by.entry,
        "record_time": time(one.by.record_time.as_ref()),
    })
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
        "erased_parts": entry.erased_parts,
        "evidence": entry.evidence.as_ref().map(evidence),
        "custody": entry.custody.as_ref().map(super::evidence::standing::custody),
        "referral": entry.referral.as_ref().map(super::case::referral::words::record),
        "holdings": holdings,
        "actor": some(entry.actor.clone()),
        "acting_for": some(entry.acting_for.clone()),
        "apply_number": entry.apply_number,
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
