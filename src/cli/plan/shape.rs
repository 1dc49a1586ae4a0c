//! Plans as JSON.

use serde_json::{Value, json};

use crate::cli::json::city;
use crate::cli::unit::shape::{day, department, half_day, kind, period};
use crate::cli::{when, words};
use crate::ids::hex;
use crate::wire::pb::v1 as pb;

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn cities(codes: &[u32]) -> Vec<Value> {
    codes.iter().copied().map(city).collect()
}

/// A plan.
#[must_use]
pub fn plan(plan: &pb::Plan) -> Value {
    let departments = plan.departments().map(department).collect::<Vec<_>>();
    json!({
        "name": plan.name,
        "number": some(&plan.number),
        "etag": plan.etag,
        "revision": plan.revision,
        "revision_entry": plan.revision_entry,
        "revision_hash": hex(&plan.revision_hash),
        "move_hash": hex(&plan.move_hash),
        "booked_revision": some(&plan.booked_revision),
        "initiator": city(plan.initiator),
        "state": words::short(plan.state().as_str_name(), "PLAN_STATE_"),
        "kind": words::short(plan.kind().as_str_name(), "PLAN_KIND_"),
        "cities": plan.cities.iter().map(needs).collect::<Vec<_>>(),
        "departments": departments,
        "days": plan.days.iter().map(plan_day).collect::<Vec<_>>(),
        "draw_rule": plan.draw_rule.as_ref().map(rule),
        "record": plan.record.as_ref().map(record),
        "create_time": when::rfc3339(plan.create_time.as_ref()),
        "answers": plan.answers.iter().map(answer).collect::<Vec<_>>(),
        "findings": plan.findings.iter().map(finding).collect::<Vec<_>>(),
        "findings_are_partial": plan.findings_are_partial,
        "remarks": plan.remarks,
        "visits": plan.visits.iter().map(visit).collect::<Vec<_>>(),
        "visits_are_partial": plan.visits_are_partial,
        "draw": plan.draw.as_ref().map(draw),
        "pool": plan.pool.iter().map(pool_site).collect::<Vec<_>>(),
        "awaited": plan.awaited.iter().map(awaited).collect::<Vec<_>>(),
        "totals": plan.totals.as_ref().map(totals),
        "reported": cities(&plan.reported),
        "closing_text": some(&plan.closing_text),
        "late_revisions": plan.late_revisions,
        "needs_newer_version": plan.needs_newer_version,
        "misfit_count": plan.misfit_count,
    })
}

/// A draft that the node keeps.
#[must_use]
pub fn saved(saved: &pb::SavedDraft) -> Value {
    json!({
        "name": saved.name,
        "etag": saved.etag,
        "update_time": when::rfc3339(saved.update_time.as_ref()),
        "updated_by": saved.updated_by,
        "draft": saved.draft.as_ref().map(draft),
    })
}

fn draft(draft: &pb::PlanDraft) -> Value {
    let visit = |one: &pb::VisitDraft| {
        json!({
            "site": one.site,
            "first": one.first.as_ref().map(half_day),
            "last": one.last.as_ref().map(half_day),
            "exception": (one.exception != 0)
                .then(|| words::short(one.exception().as_str_name(), "VISIT_EXCEPTION_")),
        })
    };
    json!({
        "kind": (draft.kind != 0)
            .then(|| words::short(draft.kind().as_str_name(), "PLAN_KIND_")),
        "cities": draft.cities.iter().map(needs).collect::<Vec<_>>(),
        "departments": draft.departments().map(department).collect::<Vec<_>>(),
        "days": draft.days.iter().map(plan_day).collect::<Vec<_>>(),
        "visits": draft.visits.iter().map(visit).collect::<Vec<_>>(),
        "draw": draft.draw.as_ref().map(draw_draft),
        "record": draft.record.as_ref().map(record),
    })
}

fn draw_draft(draw: &pb::DrawDraft) -> Value {
    let left_out = |one: &pb::SiteLeftOut| {
        let why = words::short(one.why().as_str_name(), "LEFT_OUT_");
        json!({ "site": one.site, "why": why })
    };
    let media = draw.media().map(|one| words::short(one.as_str_name(), "MEDIUM_"));
    json!({
        "sites": draw.sites,
        "host_officers": draw.host_officers,
        "guest_officers": draw.guest_officers,
        "weights": draw.weights.as_ref().map(weights),
        "spares_withholders": draw.spares_withholders,
        "pool": draw.pool,
        "media": media.collect::<Vec<_>>(),
        "left_out": draw.left_out.iter().map(left_out).collect::<Vec<_>>(),
    })
}

fn weights(one: &pb::TierWeights) -> Value {
    json!({ "key": one.key, "general": one.general, "special": one.special })
}

fn needs(one: &pb::CityNeeds) -> Value {
    let need = |need: &pb::UnitNeed| {
        json!({
            "kind": kind(need.kind()),
            "count": need.count,
            "department": department(need.department()),
        })
    };
    json!({ "city": city(one.city), "needs": one.needs.iter().map(need).collect::<Vec<_>>() })
}

fn plan_day(one: &pb::PlanDay) -> Value {
    json!({ "at": one.at.as_ref().map(half_day), "overtime": one.overtime })
}

fn rule(rule: &pb::DrawRule) -> Value {
    json!({
        "sites": rule.sites,
        "host_officers": rule.host_officers,
        "guest_officers": rule.guest_officers,
        "weights": rule.weights.as_ref().map(weights),
        "pool_hash": crate::ids::hex(&rule.pool_hash),
        "pool_size": rule.pool_size,
        "spares_withholders": rule.spares_withholders,
    })
}

fn record(record: &pb::PlanRecord) -> Value {
    json!({
        "title": record.title,
        "theme": record.theme,
        "text": record.text,
        "route": record.route,
        "safety": record.safety,
        "contacts": record.contacts,
        "meeting_place": record.meeting_place,
        "external_system": record.external_system,
        "external_number": record.external_number,
    })
}

/// An answer.
#[must_use]
pub fn answer(one: &pb::PlanAnswer) -> Value {
    json!({
        "city": city(one.city),
        "kind": words::short(one.kind().as_str_name(), "PLAN_ANSWER_KIND_"),
        "entry": one.entry,
        "revision": some(&one.revision),
        "answer_time": when::rfc3339(one.answer_time.as_ref()),
        "text": one.text,
        "hold_until": day(one.hold_until.as_ref()),
        "sent": one.sent.as_ref().map(sent),
        "periods": one.periods.iter().map(period).collect::<Vec<_>>(),
        "resolution": (one.resolution != 0)
            .then(|| words::short(one.resolution().as_str_name(), "PLAN_RESOLUTION_")),
        "resolution_text": some(&one.resolution_text),
        "counts": one.counts,
    })
}

fn sent(sent: &pb::SentDraft) -> Value {
    let unit = |one: &pb::UnitDraft| {
        json!({
            "unit": one.unit,
            "first": one.first.as_ref().map(half_day),
            "last": one.last.as_ref().map(half_day),
        })
    };
    let recusal =
        |one: &pb::RecusalDraft| json!({ "officer": one.officer, "site": some(&one.site) });
    json!({
        "units": sent.units.iter().map(unit).collect::<Vec<_>>(),
        "recusals": sent.recusals.iter().map(recusal).collect::<Vec<_>>(),
    })
}

fn finding(one: &pb::PlanFinding) -> Value {
    json!({
        "reason": one.reason,
        "text": one.text,
        "rule": one.rule,
        "source": one.source,
        "force": words::short(one.force().as_str_name(), "RULE_FORCE_"),
    })
}

fn visit(one: &pb::PlanVisit) -> Value {
    let arrival = one.arrival.as_ref().map(|came| {
        json!({
            "on": day(came.on.as_ref()),
            "officers": came.officers,
            "guests": came.guests,
        })
    });
    json!({
        "site": one.site,
        "city": city(one.city),
        "nth": one.nth,
        "first": one.first.as_ref().map(half_day),
        "last": one.last.as_ref().map(half_day),
        "exception": (one.exception != 0)
            .then(|| words::short(one.exception().as_str_name(), "VISIT_EXCEPTION_")),
        "by_default": one.by_default,
        "lead": one.lead,
        "guests": one.guests,
        "arrival": arrival,
        "arrival_entry": one.arrival_entry.as_ref().map(entry),
        "result": one.result.as_ref().map(result),
        "result_entry": one.result_entry.as_ref().map(entry),
        "text": some(&one.text),
        "text_is_erased": one.text_is_erased,
        "text_is_missing": one.text_is_missing,
        "cases": one.cases,
    })
}

fn entry(one: &pb::VisitEntry) -> Value {
    json!({
        "entry": one.entry,
        "record_time": when::rfc3339(one.record_time.as_ref()),
        "afterwards": one.afterwards,
        "corrections": one.corrections,
    })
}

fn result(one: &pb::VisitResult) -> Value {
    let check = |check: &pb::VisitCheck| {
        json!({
            "department": department(check.department()),
            "items": check.items,
            "problems": check.problems,
        })
    };
    json!({
        "on": day(one.on.as_ref()),
        "outcome": words::short(one.outcome().as_str_name(), "VISIT_OUTCOME_"),
        "mode": words::short(one.mode().as_str_name(), "CHECK_MODE_"),
        "checks": one.checks.iter().map(check).collect::<Vec<_>>(),
        "samples": one.samples,
        "clues": one.clues,
    })
}

fn draw(draw: &pb::PlanDraw) -> Value {
    let commitment =
        |one: &pb::CityCommitment| json!({ "city": city(one.city), "commitment": one.commitment });
    let reveal = |one: &pb::DrawReveal| json!({ "city": city(one.city), "random": one.random });
    json!({
        "attempt": draw.attempt,
        "entry": some(&draw.entry),
        "committed": cities(&draw.committed),
        "commitments": draw.commitments.iter().map(commitment).collect::<Vec<_>>(),
        "reveals": draw.reveals.iter().map(reveal).collect::<Vec<_>>(),
        "withheld": cities(&draw.withheld),
        "silent": cities(&draw.silent),
        "cancelled_late": draw.cancelled_late,
        "seed": some(&draw.seed),
    })
}

fn pool_site(one: &pb::PoolSite) -> Value {
    json!({
        "site_id": crate::ids::hex(&one.site_id),
        "city": city(one.city),
        "tier": words::short(one.tier().as_str_name(), "SITE_TIER_"),
        "left_out": (one.left_out != 0)
            .then(|| words::short(one.left_out().as_str_name(), "LEFT_OUT_")),
    })
}

fn awaited(one: &pb::CityAwaited) -> Value {
    let what = one.what().map(|what| words::short(what.as_str_name(), "PLAN_AWAITED_"));
    json!({ "city": city(one.city), "what": what.collect::<Vec<_>>() })
}

fn totals(sum: &pb::PlanTotals) -> Value {
    json!({
        "sites": sum.sites,
        "visits": sum.visits,
        "items": sum.items,
        "problems": sum.problems,
    })
}
