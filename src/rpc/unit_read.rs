//! Reading units for answers: rows of the view, the record, when they are busy.
//!
//! In scope: one unit as a message. Out of scope: lists ([`super::unit_list`]), writing
//! ([`super::unit_service`]).

use crate::api::request::PartContent;
use crate::domain::unit::{UnitRecord, calendar};
use crate::domain::{Date, HalfDay};
use crate::ids::{AgreementId, Position, SubjectId};
use crate::limits::UNIT_PERIODS_SHOWN_MAX;
use crate::node::reader::Reader;
use crate::view::UnitView;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::unit as write;

/// A unit, without when it is busy.
pub(super) fn written(
    reader: &Reader,
    (agreement, subject): (AgreementId, SubjectId),
    found: &UnitView,
) -> pb::Unit {
    let facts = &found.facts;
    let record = found.record_at.and_then(|place| record(reader, place.at));
    pb::Unit {
        name: write::name_of(agreement, subject),
        city: found.unit.city.as_u32(),
        kind: write::kind_number(found.unit.kind),
        department: write::department_number(facts.department),
        valid_from: facts.valid_from.map(read::date_out),
        valid_until: facts.valid_until.map(read::date_out),
        retired: facts.retired,
        record: record.as_ref().map(write::record_to_pb),
        create_time: Some(read::timestamp(found.opened_ms)),
        update_time: Some(read::timestamp(found.changed_ms)),
        etag: found.facts_at.at.to_string(),
        busy: Vec::new(),
        needs_newer_version: found.needs_newer,
        misfit_count: found.misfit_count,
    }
}

/// What goes with a unit; `None` when it was erased.
fn record(reader: &Reader, at: Position) -> Option<UnitRecord> {
    let entry = reader.entry(at).ok()?;
    (0..entry.entry.parts.len()).find_map(|part| match reader.part(&entry.entry, part) {
        Ok(Some(PartContent::Unit(record))) => Some(*record),
        Ok(_) | Err(_) => None,
    })
}

/// The busy half days from a day on, as many as an answer shows.
pub(super) fn busy_from(busy: &[(i64, i64)], today: Option<Date>) -> Vec<pb::Period> {
    let from = today.map_or(i64::MIN, |today| HalfDay::morning(today).number());
    let begun = busy.partition_point(|(_, last)| *last < from);
    let coming = busy.iter().skip(begun).map(|(first, last)| (from.max(*first), *last));
    let coming: Vec<(i64, i64)> = coming.take(UNIT_PERIODS_SHOWN_MAX).collect();
    let periods = calendar::periods(&coming).into_iter().take(UNIT_PERIODS_SHOWN_MAX);
    periods.map(write::period_to_pb).collect()
}
