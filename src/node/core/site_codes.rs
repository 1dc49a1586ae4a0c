//! Which sites are of one enterprise: credit codes as tags in rows of this node alone.
//!
//! In scope: keeping tags as records of sites are applied, come late or are erased; finding sites
//! by a code. Out of scope: what a command comes to ([`super::site`]).
//!
//! Credit codes are parts, so no row holds one: a row holds a tag that only this node can make. A
//! record keeps its tag until it is erased, also after a later one has another code: a changed code
//! frees nobody of the checks that were made. A site is *of* a code if its newest record has it.
//!
//! Own sites lie together, so that sites of other cities cost the writer nothing.
//!
//! Invariants:
//! 1. Whatever the order of application, the tags are those of the records that took effect and are
//!    not erased. (`f21_the_yearly_cap_of_an_enterprise_is_kept`, after its rows were made anew;
//!    `a_record_that_comes_late_is_counted`)
//! 2. Nothing that another city writes changes the tags of a site.
//!    (`nobody_else_parts_a_site_from_its_enterprise`)

use bytes::Bytes;

use crate::api::request::PartContent;
use crate::domain::site::{Listing, SiteAct, fits};
use crate::domain::{Date, Event, Uscc};
use crate::ids::{AgreementId, CityCode, Position, SubjectId, Tag};
use crate::journal::Disk;
use crate::log::{Entry, Envelope, PartKind, PartSlot, subject_id};
use crate::node::core::{Core, keys, rows};
use crate::node::load;
use crate::store::Store;
use crate::trust::keys::HmacKey;
use crate::view::{self, Effect, ReadRows, Rows, SiteView};
use crate::wire;

/// A site in its agreement.
pub type SiteKey = (AgreementId, SubjectId);

/// The tag that stands for a credit code in rows.
#[must_use]
pub fn code_tag(key: &HmacKey, uscc: &Uscc) -> Tag {
    key.tag(&[b"site", uscc.as_str().as_bytes()])
}

/// Sites that have, or once had, the credit code of this tag: of one city or of all, at most so
/// many.
#[must_use]
pub fn sites_of(
    rows: &(impl ReadRows + ?Sized),
    tag: Tag,
    city: Option<CityCode>,
    most: usize,
) -> Vec<SiteKey> {
    let (from, to) = keys::site_codes(tag, city);
    let mut found = Vec::new();
    rows.scan(&from, &to, false, &mut |key, _| {
        found.extend(keys::parse_site_code(key));
        found.len() < most
    });
    found
}

/// The tag of the credit code that a site has now; none when its record was erased.
#[must_use]
pub fn tag_of(rows: &(impl ReadRows + ?Sized), found: &SiteView) -> Option<Tag> {
    record_tag(rows, found.record_at()).map(|(tag, _)| tag)
}

/// The tag of a record, and which part it is.
fn record_tag(rows: &(impl ReadRows + ?Sized), at: Position) -> Option<(Tag, u32)> {
    rows.get(&keys::site_record(at)).as_deref().and_then(rows::decode)
}

/// Which part of an entry is who and where a site is.
fn record_part(envelope: &Envelope) -> Option<u32> {
    let parts = (0_u32..).zip(&envelope.parts);
    parts.filter(|(_, part)| part.kind == PartKind::Site).map(|(nth, _)| nth).next()
}

/// A site of an enterprise.
#[derive(Debug, Clone)]
pub struct Plant {
    /// Where it is.
    pub key: SiteKey,
    /// What it is.
    pub view: SiteView,
    /// It is of the enterprise; else it once was.
    pub is_now: bool,
}

/// The sites of one city that are of one enterprise with this one, itself among them, and those
/// that once were.
#[must_use]
pub fn plants(rows: &(impl ReadRows + ?Sized), site: SiteKey, found: &SiteView) -> Vec<Plant> {
    let Some(tag) = tag_of(rows, found) else {
        return vec![Plant { key: site, view: found.clone(), is_now: true }];
    };
    let keys = sites_of(rows, tag, Some(found.city), usize::MAX);
    #[cfg(feature = "planted-bugs")]
    let keys = match crate::planted::is_on("checks-in-one-agreement") {
        true => keys.into_iter().filter(|key| key.0 == site.0).collect(),
        false => keys,
    };
    let read = |key: SiteKey| {
        let view = view::site(rows, key.0, key.1)?;
        let is_now = tag_of(rows, &view) == Some(tag);
        Some(Plant { key, view, is_now })
    };
    keys.into_iter().filter_map(read).collect()
}

/// Checks of a year that count to the cap, over these.
#[must_use]
pub fn checks_made(plants: &[Plant], year: i32) -> u32 {
    plants.iter().map(|one| one.view.checks(year).counted).fold(0, u32::saturating_add)
}

/// Where the enterprise stands on the positive list, by each of these.
pub fn listings(plants: &[Plant]) -> impl Iterator<Item = (SiteKey, &Listing)> {
    let now = plants.iter().filter(|one| one.is_now);
    now.filter_map(|one| Some((one.key, &one.view.listing.as_ref()?.1)))
}

/// By which of these the enterprise is on the positive list on a day: of several the one that is so
/// longest.
#[must_use]
pub fn listing_on(plants: &[Plant], on: Date) -> Option<(SiteKey, &Listing)> {
    let listed = listings(plants).filter(|(_, listing)| listing.is_listed(on));
    listed.max_by_key(|(key, listing)| (listing.expires_on, *key))
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Keeps the tag of a record that has just taken effect.
    pub(super) fn index_site(&mut self, site: SiteKey, entry: &Entry, said: (&Event, &Effect)) {
        match said {
            (Event::SiteRegistered { .. }, Effect::Opened)
            | (Event::SiteAct(SiteAct::Changed { .. }), Effect::Contribution) => {
                self.tag_record(site, entry);
            }
            _ => {}
        }
    }

    /// A part has come that was not here with its entry: if it is a record that took effect, its
    /// tag is kept now, and for one that may still do so until then. What came is not on disk yet,
    /// so it is not read from there.
    pub(super) fn index_late_site(&mut self, at: Position, part: u32, bytes: &[u8]) {
        let reader = self.journal.reader();
        let batch = load::batch_at(&self.group_rows(), &reader, at.log, at.index);
        let Ok(batch) = batch else { return };
        let offset = usize::try_from(at.index.saturating_sub(batch.from)).unwrap_or(usize::MAX);
        let Some(raw) = batch.entries.get(offset) else { return };
        let Ok(parsed) = wire::entry::parse_header(&raw.header) else { return };
        if record_part(&parsed.envelope) != Some(part) {
            return;
        }
        let Some(tag) = self.tag_in(bytes) else { return };
        let Some(applied) = view::applied_entry(&self.group_rows(), at) else {
            self.group_rows().put(keys::late_site_record(at), rows::encode(&tag));
            return;
        };
        let Some(subject) = applied.subject else { return };
        let found = view::site(&self.group_rows(), applied.agreement, subject);
        let Some(found) = found else { return };
        let opens = matches!(parsed.event, Event::SiteRegistered { .. });
        let changes = |act: &SiteAct| {
            let changed = matches!(act, SiteAct::Changed { .. });
            changed && fits(found.city, applied.city, act).is_ok()
        };
        let takes_effect = matches!(&parsed.event, Event::SiteAct(act) if changes(act));
        if takes_effect || (opens && subject == subject_id(at)) {
            self.keep_tag((applied.agreement, subject), at, (tag, part));
        }
    }

    fn tag_in(&self, bytes: &[u8]) -> Option<Tag> {
        match wire::part::parse_part(&Bytes::copy_from_slice(bytes)) {
            Ok(PartContent::Site(record)) => Some(code_tag(&self.node_key, &record.uscc)),
            Ok(_) | Err(_) => None,
        }
    }

    fn tag_record(&mut self, site: SiteKey, entry: &Entry) {
        let at = entry.envelope.position();
        let Some(part) = record_part(&entry.envelope) else { return };
        let tag = match entry.parts.get(part as usize) {
            Some(PartSlot::Bytes(bytes)) => self.tag_in(bytes),
            Some(PartSlot::ErasedBy(_) | PartSlot::Withheld) | None => {
                let came = self.group_rows().get(&keys::late_site_record(at));
                came.as_deref().and_then(rows::decode)
            }
        };
        if let Some(tag) = tag {
            self.keep_tag(site, at, (tag, part));
        }
    }

    fn keep_tag(&mut self, site: SiteKey, at: Position, (tag, part): (Tag, u32)) {
        let is_erased = self.group_rows().get(&keys::erased_part(at, part)).is_some();
        let is_kept = record_tag(&self.group_rows(), at).is_some();
        let found = view::site(&self.group_rows(), site.0, site.1);
        let Some(found) = found.filter(|_| !is_erased && !is_kept) else { return };
        self.group_rows().put(keys::site_record(at), rows::encode(&(tag, part)));
        self.count_records((tag, found.city), site, 1);
    }

    /// One more record of a site has a code, or one less.
    fn count_records(&mut self, (tag, city): (Tag, CityCode), site: SiteKey, by: i32) {
        let key = keys::site_code(tag, city, site.0, site.1);
        let before = self.group_rows().get(&key).as_deref().and_then(rows::decode::<u32>);
        match before.unwrap_or(0).saturating_add_signed(by) {
            0 => self.group_rows().delete(&key),
            records => self.group_rows().put(key, rows::encode(&records)),
        }
    }

    /// A record that its own city erases has no credit code any more.
    pub(super) fn forget_site(&mut self, by: Position, event: &Event) {
        let Event::PartErased { entry, part, .. } = event else { return };
        if !self.erases(by, *entry) {
            return;
        }
        let tagged = record_tag(&self.group_rows(), *entry).filter(|(_, nth)| nth == part);
        let Some((tag, _)) = tagged else { return };
        let Some(applied) = view::applied_entry(&self.group_rows(), *entry) else { return };
        let Some(subject) = applied.subject else { return };
        self.group_rows().delete(&keys::site_record(*entry));
        self.count_records((tag, applied.city), (applied.agreement, subject), -1);
    }
}
