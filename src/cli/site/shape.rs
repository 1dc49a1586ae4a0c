//! Sites as JSON.

use serde_json::{Value, json};

use crate::cli::json::city;
use crate::cli::{when, words};
use crate::wire::pb::v1 as pb;

/// A site.
#[must_use]
pub fn site(site: &pb::Site) -> Value {
    json!({
        "name": site.name,
        "etag": site.etag,
        "city": city(site.city),
        "facts": site.facts.as_ref().map(facts),
        "record": site.record.as_ref().map(record),
        "listing": site.listing.as_ref().map(listing),
        "listed_today": site.listed_today,
        "years": site.years.iter().map(year).collect::<Vec<_>>(),
        "register_time": when::rfc3339(site.register_time.as_ref()),
        "update_time": when::rfc3339(site.update_time.as_ref()),
        "needs_newer_version": site.needs_newer_version,
        "words": site.words.iter().map(word).collect::<Vec<_>>(),
        "misfit_count": site.misfit_count,
    })
}

fn facts(facts: &pb::SiteFacts) -> Value {
    let media = facts.media().map(|one| words::short(one.as_str_name(), "MEDIUM_"));
    json!({
        "county_code": format!("{:06}", facts.county_code),
        "tier": words::short(facts.tier().as_str_name(), "SITE_TIER_"),
        "media": media.collect::<Vec<_>>(),
        "permit_kind": (facts.permit_kind != 0)
            .then(|| words::short(facts.permit_kind().as_str_name(), "PERMIT_KIND_")),
        "closed": facts.closed,
    })
}

fn record(record: &pb::SiteRecord) -> Value {
    let location = record.location.as_ref().map(|at| {
        json!({
            "longitude": at.longitude,
            "latitude": at.latitude,
            "crs": at.crs,
            "address": at.address,
        })
    });
    json!({
        "name": record.name,
        "uscc": record.uscc,
        "permit_number": record.permit_number,
        "industry_code": record.industry_code,
        "location": location,
    })
}

fn listing(listing: &pb::SiteListed) -> Value {
    let kinds = listing.monitoring().map(|one| words::short(one.as_str_name(), "MONITORING_KIND_"));
    json!({
        "status": words::short(listing.status().as_str_name(), "LISTING_STATUS_"),
        "admitted_on": when::date(listing.admitted_on.as_ref()),
        "expires_on": when::date(listing.expires_on.as_ref()),
        "removed_for": (listing.removed_for != 0)
            .then(|| words::short(listing.removed_for().as_str_name(), "REMOVAL_BASIS_")),
        "monitoring": kinds.collect::<Vec<_>>(),
    })
}

fn check(check: &pb::SiteChecked) -> Value {
    json!({
        "on": when::date(check.on.as_ref()),
        "mode": words::short(check.mode().as_str_name(), "CHECK_MODE_"),
        "exception": (check.exception != 0)
            .then(|| words::short(check.exception().as_str_name(), "VISIT_EXCEPTION_")),
        "plan_id": (!check.plan_id.is_empty()).then(|| crate::ids::hex(&check.plan_id)),
    })
}

fn year(year: &pb::SiteYear) -> Value {
    json!({
        "year": year.year,
        "counted": year.counted,
        "excepted": year.excepted,
        "off_site": year.off_site,
    })
}

fn word(one: &pb::SiteWord) -> Value {
    json!({
        "city": city(one.city),
        "word_time": when::rfc3339(one.word_time.as_ref()),
        "kind": words::short(one.kind().as_str_name(), "SITE_WORD_KIND_"),
        "text": one.text,
        "entry": one.entry,
        "misfit_reason": one.misfit_reason,
        "listing": one.listing.as_ref().map(listing),
        "check": one.check.as_ref().map(check),
    })
}
