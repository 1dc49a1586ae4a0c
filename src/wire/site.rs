//! Sites as messages: events of headers, parts, fields of requests and answers.
//!
//! In scope: reading fields, writing what was read. Out of scope: deciding anything.

use super::case::{parent, wrong};
use super::code::{Code, Read};
use super::error::{WireError, check_count};
use super::facts::{Reading, bytes, date, date_to_pb, subject_id};
use super::pb::v1 as pb;
use super::pb::v1::entry_header::Event as E;
use super::record::location_to_pb;
use super::status::{Refused, bad_fields};
use crate::domain::facts::Medium;
use crate::domain::site::{
    CheckMode, LeftOut, Listing, ListingStatus, MonitoringKind, PermitKind, RemovalBasis, SiteAct,
    SiteCheck, SiteDraft, SiteFacts, SiteRecord, SiteTier, VisitException, YearChecks,
};
use crate::domain::text::Line;
use crate::domain::{CountyCode, Event, Invalid, InvalidReason, Uscc};
use crate::ids::{AgreementId, SubjectId};
use crate::limits::{SITE_MEDIA_MAX, SITE_MONITORING_MAX};

/// Reads what is said of a site; `None` for any other event.
#[expect(clippy::wildcard_enum_match_arm, reason = "generated enum; the caller lists every event")]
pub(super) fn read(reading: &mut Reading, event: &E) -> Result<Option<Event>, WireError> {
    Ok(Some(match event {
        E::SiteRegistered(e) => {
            Event::SiteRegistered { facts: read_facts(reading, e.facts.as_ref())? }
        }
        E::SiteChanged(e) => {
            let facts = read_facts(reading, e.facts.as_ref())?;
            Event::SiteAct(SiteAct::Changed { facts })
        }
        E::SiteListed(e) => Event::SiteAct(SiteAct::Listed(read_listing(reading, e)?)),
        E::SiteChecked(e) => Event::SiteAct(SiteAct::Checked(read_check(reading, e)?)),
        _ => return Ok(None),
    }))
}

/// A code that may be missing.
fn optional<T: Code>(
    reading: &mut Reading,
    field: &'static str,
    number: i32,
    fallback: T,
) -> Result<Option<T>, WireError> {
    match T::read(number) {
        Read::Unset => Ok(None),
        Read::Known(_) | Read::Newer => reading.code(field, number, fallback).map(Some),
    }
}

fn read_facts(
    reading: &mut Reading,
    facts: Option<&pb::SiteFacts>,
) -> Result<SiteFacts, WireError> {
    let facts = facts.ok_or(WireError::Missing { field: "facts" })?;
    check_count("facts.media", facts.media.len(), SITE_MEDIA_MAX)?;
    let media = facts.media.iter().map(|one| reading.code("facts.media", *one, Medium::Air));
    let media = media.collect::<Result<_, _>>()?;
    let county = CountyCode::from_u32(facts.county_code);
    Ok(SiteFacts {
        county: county.map_err(|_| WireError::BadHeader { field: "facts.county_code" })?,
        tier: reading.code("facts.tier", facts.tier, SiteTier::General)?,
        media,
        permit: optional(reading, "facts.permit_kind", facts.permit_kind, PermitKind::NotRequired)?,
        closed: facts.closed,
    })
}

fn read_listing(reading: &mut Reading, e: &pb::SiteListed) -> Result<Listing, WireError> {
    check_count("monitoring", e.monitoring.len(), SITE_MONITORING_MAX)?;
    let kinds = e.monitoring.iter();
    let kinds = kinds.map(|one| reading.code("monitoring", *one, MonitoringKind::Other));
    let monitoring = kinds.collect::<Result<_, _>>()?;
    Ok(Listing {
        status: reading.code("status", e.status, ListingStatus::Active)?,
        admitted_on: date("admitted_on", e.admitted_on.as_ref())?,
        expires_on: date("expires_on", e.expires_on.as_ref())?,
        removed_for: optional(reading, "removed_for", e.removed_for, RemovalBasis::Other)?,
        monitoring,
    })
}

fn read_check(reading: &mut Reading, e: &pb::SiteChecked) -> Result<SiteCheck, WireError> {
    let plan = (!e.plan_id.is_empty()).then(|| subject_id("plan_id", &e.plan_id)).transpose()?;
    Ok(SiteCheck {
        on: date("on", e.on.as_ref())?,
        mode: reading.code("mode", e.mode, CheckMode::OnSite)?,
        exception: optional(reading, "exception", e.exception, VisitException::Complaint)?,
        plan,
        taken_back: e.taken_back,
    })
}

/// The event of an opening.
pub(super) fn registered_to_pb(facts: &SiteFacts) -> E {
    E::SiteRegistered(pb::SiteRegistered { facts: Some(facts_to_pb(facts)) })
}

/// The event of a header.
pub(super) fn act_to_pb(act: &SiteAct) -> E {
    match act {
        SiteAct::Changed { facts } => {
            E::SiteChanged(pb::SiteChanged { facts: Some(facts_to_pb(facts)) })
        }
        SiteAct::Listed(listing) => E::SiteListed(listing_to_pb(listing)),
        SiteAct::Checked(check) => E::SiteChecked(check_to_pb(check)),
    }
}

/// Writes facts.
#[must_use]
pub fn facts_to_pb(facts: &SiteFacts) -> pb::SiteFacts {
    pb::SiteFacts {
        county_code: facts.county.as_u32(),
        tier: facts.tier.number(),
        media: facts.media.iter().map(|one| one.number()).collect(),
        permit_kind: facts.permit.map_or(0, |code| code.number()),
        closed: facts.closed,
    }
}

/// Writes where a site stands on the positive list.
#[must_use]
pub fn listing_to_pb(listing: &Listing) -> pb::SiteListed {
    pb::SiteListed {
        status: listing.status.number(),
        admitted_on: Some(date_to_pb(listing.admitted_on)),
        expires_on: Some(date_to_pb(listing.expires_on)),
        removed_for: listing.removed_for.map_or(0, |code| code.number()),
        monitoring: listing.monitoring.iter().map(|one| one.number()).collect(),
    }
}

/// Writes a check.
#[must_use]
pub fn check_to_pb(check: &SiteCheck) -> pb::SiteChecked {
    pb::SiteChecked {
        on: Some(date_to_pb(check.on)),
        mode: check.mode.number(),
        exception: check.exception.map_or(0, |code| code.number()),
        plan_id: check.plan.map(|plan| bytes(plan.as_bytes())).unwrap_or_default(),
        taken_back: check.taken_back,
    }
}

/// Writes the checks of a year.
#[must_use]
pub fn year_to_pb((year, checks): &(i32, YearChecks)) -> pb::SiteYear {
    let YearChecks { counted, excepted, off_site } = *checks;
    pb::SiteYear { year: *year, counted, excepted, off_site }
}

/// The number of a reason against a visit.
#[must_use]
pub fn left_out_number(why: LeftOut) -> i32 {
    why.number()
}

/// Reads who and where a site is.
///
/// # Errors
/// Every wrong field, by its name in the message.
pub fn record_from_pb(record: &pb::SiteRecord) -> Result<SiteRecord, Vec<Invalid>> {
    let location = record.location.clone().unwrap_or_default();
    let nowhere = location.longitude.is_empty() && location.latitude.is_empty();
    let draft = SiteDraft {
        name: record.name.clone(),
        uscc: record.uscc.clone(),
        permit_no: record.permit_number.clone(),
        industry_code: record.industry_code.clone(),
        address: location.address,
        coordinates: (!nowhere).then_some((location.longitude, location.latitude, location.crs)),
    };
    SiteRecord::parse(&draft).map_err(|wrong| wrong.into_iter().map(translated).collect())
}

/// From the names of the form to those of the message.
fn translated(wrong: Invalid) -> Invalid {
    let field = wrong.field.map(|field| match field.as_str() {
        "location.lon" => "location.longitude".to_owned(),
        "location.lat" => "location.latitude".to_owned(),
        _ => field,
    });
    Invalid { field, ..wrong }
}

/// Writes who and where a site is.
#[must_use]
pub fn record_to_pb(record: &SiteRecord) -> pb::SiteRecord {
    let address = record.address.as_ref().map_or("", Line::as_str);
    pb::SiteRecord {
        name: record.name.as_str().to_owned(),
        uscc: record.uscc.as_str().to_owned(),
        permit_number: record.permit_no.clone().unwrap_or_default(),
        industry_code: record.industry_code.clone().unwrap_or_default(),
        location: location_to_pb(record.coordinates, address),
    }
}

/// Reads what a request wants a site to be called.
///
/// # Errors
/// [`Refused`] naming every wrong field.
pub fn record(record: Option<&pb::SiteRecord>) -> Result<SiteRecord, Refused> {
    let given = record.ok_or_else(|| wrong("record", InvalidReason::Required))?;
    let read = record_from_pb(given);
    read.map_err(|wrong| bad_fields(wrong.into_iter().map(|w| w.at("record")).collect()))
}

/// A code of a request that must be set.
fn required<T: Code>(field: &str, number: i32) -> Result<T, Refused> {
    code(field, number)?.ok_or_else(|| wrong(field, InvalidReason::Required))
}

/// A code of a request that may be missing.
fn code<T: Code>(field: &str, number: i32) -> Result<Option<T>, Refused> {
    match T::read(number) {
        Read::Known(code) => Ok(Some(code)),
        Read::Unset => Ok(None),
        Read::Newer => Err(wrong(field, InvalidReason::CodeUnknown)),
    }
}

/// Codes of a request in any order, each once; ascending.
fn set<T: Code + Ord>(field: &str, numbers: &[i32], most: usize) -> Result<Vec<T>, Refused> {
    if numbers.len() > most {
        let wrong = Invalid::with_limit(InvalidReason::ListTooLong, most);
        return Err(bad_fields(vec![wrong.at(field)]));
    }
    let read = numbers.iter().map(|number| required(field, *number));
    let mut codes: Vec<T> = read.collect::<Result<_, _>>()?;
    codes.sort_unstable();
    if codes.is_sorted_by(|a, b| a < b) {
        Ok(codes)
    } else {
        Err(wrong(field, InvalidReason::Duplicate))
    }
}

/// Reads the facts of a request.
///
/// # Errors
/// [`Refused`] naming the field; likewise below.
pub fn facts(given: Option<&pb::SiteFacts>) -> Result<SiteFacts, Refused> {
    let given = given.ok_or_else(|| wrong("facts", InvalidReason::Required))?;
    let media: Vec<Medium> = set("facts.media", &given.media, SITE_MEDIA_MAX)?;
    if media.is_empty() {
        return Err(wrong("facts.media", InvalidReason::Required));
    }
    Ok(SiteFacts {
        county: county("facts.county_code", given.county_code)?,
        tier: required("facts.tier", given.tier)?,
        media,
        permit: code("facts.permit_kind", given.permit_kind)?,
        closed: given.closed,
    })
}

/// Reads a county.
///
/// # Errors
/// [`Refused`], as above.
pub fn county(field: &str, number: u32) -> Result<CountyCode, Refused> {
    CountyCode::from_u32(number).map_err(|wrong| bad_fields(vec![wrong.at(field)]))
}

/// Reads where a request puts a site on the positive list.
///
/// # Errors
/// [`Refused`], as above.
pub fn listing(given: Option<&pb::SiteListed>) -> Result<Listing, Refused> {
    let given = given.ok_or_else(|| wrong("listing", InvalidReason::Required))?;
    Ok(Listing {
        status: required("listing.status", given.status)?,
        admitted_on: day("listing.admitted_on", given.admitted_on.as_ref())?,
        expires_on: day("listing.expires_on", given.expires_on.as_ref())?,
        removed_for: code("listing.removed_for", given.removed_for)?,
        monitoring: set("listing.monitoring", &given.monitoring, SITE_MONITORING_MAX)?,
    })
}

/// Reads the check of a request.
///
/// # Errors
/// [`Refused`], as above.
pub fn check(given: Option<&pb::SiteChecked>) -> Result<SiteCheck, Refused> {
    let given = given.ok_or_else(|| wrong("check", InvalidReason::Required))?;
    let plan = match given.plan_id.len() {
        0 => None,
        _ => Some(SubjectId::from_slice(&given.plan_id).map_err(|_| {
            Refused::new("NAME_FORMAT").at("check.plan_id").with("expected", "16 bytes")
        })?),
    };
    Ok(SiteCheck {
        on: day("check.on", given.on.as_ref())?,
        mode: required("check.mode", given.mode)?,
        exception: exception("check.exception", given.exception)?,
        plan,
        taken_back: given.taken_back,
    })
}

fn day(field: &'static str, given: Option<&pb::Date>) -> Result<crate::domain::Date, Refused> {
    super::case::date(field, given)?.ok_or_else(|| wrong(field, InvalidReason::Required))
}

/// Reads why a site is to be visited all the same, if it is said.
///
/// # Errors
/// [`Refused`], as above.
pub fn exception(field: &str, number: i32) -> Result<Option<VisitException>, Refused> {
    code(field, number)
}

/// Reads a pool to look in, if one is asked for.
///
/// # Errors
/// [`Refused`], as above.
pub fn tier(number: i32) -> Result<Option<SiteTier>, Refused> {
    code("tier", number)
}

/// Reads a credit code to look for, if one is asked for.
///
/// # Errors
/// [`Refused`], as above.
pub fn uscc(text: &str) -> Result<Option<Uscc>, Refused> {
    if text.is_empty() {
        return Ok(None);
    }
    Uscc::parse(text).map(Some).map_err(|wrong| bad_fields(vec![wrong.at("uscc")]))
}

/// Reads `agreements/{agreement}/sites/{site}`.
///
/// # Errors
/// [`Refused`] `NAME_FORMAT` for anything else.
pub fn name(text: &str) -> Result<(AgreementId, SubjectId), Refused> {
    let expected = "agreements/{agreement}/sites/{site}";
    let bad = || Refused::new("NAME_FORMAT").with("expected", expected);
    let (agreement, site) = text.split_once("/sites/").ok_or_else(bad)?;
    let agreement = parent(agreement).map_err(|_| bad())?.ok_or_else(bad)?;
    Ok((agreement, SubjectId::parse(site).map_err(|_| bad())?))
}

/// Writes a site's name.
#[must_use]
pub fn name_of(agreement: AgreementId, subject: SubjectId) -> String {
    format!("agreements/{agreement}/sites/{subject}")
}
