//! Plans of joint action as messages: parts.
//!
//! In scope: reading fields, writing what was read. Out of scope: events of headers
//! ([`super::plan`]).

use super::code::{Code, Read};
use super::error::{WireError, check_count};
use super::facts::{bytes, subject_id};
use super::pb::v1 as pb;
use crate::domain::plan::lots::PoolSite;
use crate::domain::plan::{PlanDraft, PlanRecord};
use crate::domain::site::{LeftOut, SiteTier};
use crate::domain::text::{Line, Text};
use crate::domain::{Invalid, InvalidReason};
use crate::ids::CityCode;
use crate::limits::PLAN_POOL_MAX;

/// Reads what people read of a plan.
///
/// # Errors
/// Every wrong field, by its name in the message.
pub fn record_from_pb(record: &pb::PlanRecord) -> Result<PlanRecord, Vec<Invalid>> {
    PlanRecord::parse(PlanDraft {
        title: &record.title,
        theme: &record.theme,
        text: &record.text,
        route: &record.route,
        safety: &record.safety,
        contacts: &record.contacts,
        meeting_place: &record.meeting_place,
        external_system: &record.external_system,
        external_number: &record.external_number,
    })
}

/// Writes what people read of a plan.
#[must_use]
pub fn record_to_pb(record: &PlanRecord) -> pb::PlanRecord {
    let line = |line: &Option<Line>| line.as_ref().map_or("", Line::as_str).to_owned();
    let text = |text: &Option<Text>| text.as_ref().map_or("", Text::as_str).to_owned();
    let external = record.external_ref.as_ref();
    pb::PlanRecord {
        title: record.title.as_str().to_owned(),
        theme: line(&record.theme),
        text: text(&record.text),
        route: text(&record.route),
        safety: text(&record.safety),
        contacts: text(&record.contacts),
        meeting_place: line(&record.meeting_place),
        external_system: external.map_or("", |one| one.system.as_str()).to_owned(),
        external_number: external.map_or("", |one| one.number.as_str()).to_owned(),
    }
}

/// Reads the list of a draw.
///
/// # Errors
/// [`WireError`]: the list cannot be used.
pub(super) fn pool_from_pb(pool: &pb::PlanPool) -> Result<Vec<PoolSite>, WireError> {
    check_count("plan_pool", pool.sites.len(), PLAN_POOL_MAX)?;
    let reason = InvalidReason::CodeUnknown.code();
    let bad = |field: &str| WireError::BadValue { field: format!("plan_pool.{field}"), reason };
    let site = |one: &pb::PoolSite| {
        let Read::Known(tier) = SiteTier::read(one.tier) else { return Err(bad("tier")) };
        let left_out = match LeftOut::read(one.left_out) {
            Read::Known(why) => Some(why),
            Read::Unset => None,
            Read::Newer => return Err(bad("left_out")),
        };
        let city = CityCode::from_u32(one.city).map_err(|_| bad("city"))?;
        Ok(PoolSite { site: subject_id("plan_pool.site_id", &one.site_id)?, city, tier, left_out })
    };
    pool.sites.iter().map(site).collect()
}

/// Writes the list of a draw.
pub(super) fn pool_to_pb(pool: &[PoolSite]) -> pb::PlanPool {
    pb::PlanPool { sites: pool.iter().map(pool_site_to_pb).collect() }
}

/// Writes a site of the list.
pub(super) fn pool_site_to_pb(one: &PoolSite) -> pb::PoolSite {
    pb::PoolSite {
        site_id: bytes(one.site.as_bytes()),
        city: one.city.as_u32(),
        tier: one.tier.number(),
        left_out: one.left_out.map_or(0, |code| code.number()),
    }
}
