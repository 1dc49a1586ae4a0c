//! Reading sites for answers: rows of the view, who and where they are, what was said.
//!
//! In scope: one site as a message. Out of scope: lists ([`super::site_list`]), writing
//! ([`super::site_service`]).

use super::said;
use crate::api::request::PartContent;
use crate::domain::site::{SiteAct, SiteRecord};
use crate::domain::{Date, Event};
use crate::ids::{AgreementId, Position, SubjectId};
use crate::limits::NOTICE_REPORTS_SHOWN_MAX;
use crate::node::reader::Reader;
use crate::view::{HistoryEntry, SiteView};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::site as write;

/// A site as it is seen on a day, without what was said since it was registered.
pub(super) fn written(
    reader: &Reader,
    (agreement, subject): (AgreementId, SubjectId),
    found: &SiteView,
    today: Date,
) -> pb::Site {
    let newest = found.newest();
    let listing = found.listing.as_ref().map(|(_, listing)| write::listing_to_pb(listing));
    pb::Site {
        name: write::name_of(agreement, subject),
        etag: newest.at.to_string(),
        city: found.city.as_u32(),
        facts: Some(write::facts_to_pb(&found.facts.1)),
        record: record(reader, found.record_at()).as_ref().map(write::record_to_pb),
        listing,
        listed_today: found.is_listed(today),
        years: found.years.iter().map(write::year_to_pb).collect(),
        register_time: Some(read::timestamp(found.registered_ms)),
        update_time: Some(read::timestamp(newest.record_time_ms)),
        needs_newer_version: found.needs_newer,
        misfit_count: found.misfit_count,
        words: Vec::new(),
    }
}

/// Who and where a site is, by the entry that carries it.
fn record(reader: &Reader, at: Position) -> Option<SiteRecord> {
    let entry = reader.entry(at).ok()?;
    (0..entry.entry.parts.len()).find_map(|part| match reader.part(&entry.entry, part) {
        Ok(Some(PartContent::Site(record))) => Some(*record),
        Ok(_) | Err(_) => None,
    })
}

/// What was said of a site since it was registered.
pub(super) fn words(
    reader: &Reader,
    agreement: AgreementId,
    subject: SubjectId,
) -> Vec<pb::SiteWord> {
    let most = NOTICE_REPORTS_SHOWN_MAX;
    said::newest(reader, (agreement, subject), most, &|entry| word(reader, entry))
}

fn word(reader: &Reader, entry: &HistoryEntry) -> pb::SiteWord {
    let loaded = reader.entry(entry.position).ok();
    let (kind, listing, check) = match loaded.as_ref().map(|l| &l.event) {
        Some(Event::SiteAct(SiteAct::Changed { .. })) => (pb::SiteWordKind::Changed, None, None),
        Some(Event::SiteAct(SiteAct::Listed(listing))) => {
            (pb::SiteWordKind::Listed, Some(write::listing_to_pb(listing)), None)
        }
        Some(Event::SiteAct(SiteAct::Checked(check))) => {
            (pb::SiteWordKind::Checked, None, Some(write::check_to_pb(check)))
        }
        Some(_) | None => (pb::SiteWordKind::Unspecified, None, None),
    };
    let text = match loaded.as_ref().and_then(|loaded| said::first_part(reader, loaded)) {
        Some(PartContent::Text(text)) => Some(text),
        Some(PartContent::Site(record)) => Some(record.name.as_str().to_owned()),
        Some(_) | None => None,
    };
    pb::SiteWord {
        city: entry.city.as_u32(),
        word_time: Some(read::timestamp(entry.record_time_ms)),
        kind: kind.into(),
        text: text.unwrap_or_default(),
        entry: entry.position.to_string(),
        misfit_reason: said::misfit_reason(entry),
        listing,
        check,
    }
}
