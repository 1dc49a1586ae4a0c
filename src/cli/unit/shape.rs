//! Units as JSON.

use serde_json::{Value, json};

use crate::cli::json::{self as forms, city};
use crate::cli::{when, words};
use crate::wire::pb::v1 as pb;

/// A unit.
#[must_use]
pub fn unit(unit: &pb::Unit) -> Value {
    json!({
        "name": unit.name,
        "city": city(unit.city),
        "kind": kind(unit.kind()),
        "department": department(unit.department()),
        "valid_from": day(unit.valid_from.as_ref()),
        "valid_until": day(unit.valid_until.as_ref()),
        "retired": unit.retired,
        "record": unit.record.as_ref().map(|r| json!({ "number": r.number, "team": r.team })),
        "create_time": when::rfc3339(unit.create_time.as_ref()),
        "update_time": when::rfc3339(unit.update_time.as_ref()),
        "etag": unit.etag,
        "busy": unit.busy.iter().map(period).collect::<Vec<_>>(),
        "needs_newer_version": unit.needs_newer_version,
        "misfit_count": unit.misfit_count,
    })
}

/// What was written in one agreement.
#[must_use]
pub fn write(write: &pb::UnitWrite) -> Value {
    json!({ "name": write.name, "receipt": write.receipt.as_ref().map(forms::receipt) })
}

/// A half day.
#[must_use]
pub fn half_day(at: &pb::HalfDay) -> Value {
    let half = words::short(at.half().as_str_name(), "DAY_HALF_");
    json!({ "on": when::date(at.on.as_ref()), "half": half })
}

/// A period.
#[must_use]
pub fn period(period: &pb::Period) -> Value {
    let ends = (period.first.as_ref().map(half_day), period.last.as_ref().map(half_day));
    json!({ "first": ends.0, "last": ends.1 })
}

/// A kind by its code.
#[must_use]
pub fn kind(kind: pb::UnitKind) -> &'static str {
    words::short(kind.as_str_name(), "UNIT_KIND_")
}

/// A department by its code; none when unset.
#[must_use]
pub fn department(department: pb::Department) -> Option<&'static str> {
    let set = department != pb::Department::Unspecified;
    set.then(|| words::short(department.as_str_name(), "DEPARTMENT_"))
}

/// A day; none when absent.
#[must_use]
pub fn day(day: Option<&pb::Date>) -> Option<String> {
    day.map(|day| when::date(Some(day)))
}
