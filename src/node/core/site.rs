//! Own sites: from what is asked to what will be written; which sites are of one enterprise.
//!
//! In scope: credit codes as tags, counting checks over all agreements, what a command comes to.
//! Out of scope: who may say what and what a visit comes to ([`crate::domain::site`]), building
//! entries ([`super::write`]).
//!
//! Credit codes are parts, so no row holds one: a row holds a tag that only this node can make. It
//! is of the newest record of a site, and goes when that record is erased; the checks of such a
//! site are counted for it alone.
//!
//! Invariants:
//! 1. However many ask at a time, the checks that count never exceed the cap.
//!    (`f21_the_yearly_cap_of_an_enterprise_is_kept`)
//! 2. Whatever the order of application, a tag is that of the newest record. (the same, after its
//!    rows were made anew)

use crate::api::request::{NewPart, PartContent, WriteError};
use crate::domain::site::{
    self, CheckMode, SiteAct, SiteCheck, SiteFacts, SiteRecord, SiteRefusal, Visit, Visited,
};
use crate::domain::{Date, Event, Misfit, Refusal, Uscc};
use crate::ids::{AgreementId, CityCode, LogId, Position, SubjectId, Tag};
use crate::journal::Disk;
use crate::log::{Audience, Entry, PartKind, PartSlot, Subject, SubjectKind};
use crate::node::core::write::{Decided, Draft};
use crate::node::core::{Core, keys};
use crate::store::Store;
use crate::trust::keys::HmacKey;
use crate::view::{self, ReadRows, Rows, SiteView};
use crate::wire;

/// A site in its agreement.
type SiteKey = (AgreementId, SubjectId);

/// The tag that stands for a credit code in rows.
#[must_use]
pub fn code_tag(key: &HmacKey, uscc: &Uscc) -> Tag {
    key.tag(&[b"site", uscc.as_str().as_bytes()])
}

/// Every site whose credit code has this tag, of whichever city.
#[must_use]
pub fn sites_of(rows: &(impl ReadRows + ?Sized), tag: Tag) -> Vec<SiteKey> {
    let all = |byte| (AgreementId::new([byte; 16]), SubjectId::new([byte; 16]));
    let ((first, lowest), (last, highest)) = (all(0), all(255));
    let from = keys::site_code(tag, first, lowest);
    let mut to = keys::site_code(tag, last, highest);
    to.push(0);
    let mut found = Vec::new();
    rows.scan(&from, &to, false, &mut |key, _| {
        found.extend(keys::parse_site_code(key));
        true
    });
    found
}

/// The sites of `own` that are of one enterprise with this one, itself among them.
fn of_one_enterprise(
    rows: &(impl ReadRows + ?Sized),
    own: CityCode,
    site: SiteKey,
) -> Vec<(SiteKey, SiteView)> {
    let tag = rows.get(&keys::site_tag(site.0, site.1));
    let tag = tag.and_then(|bytes| Tag::from_slice(&bytes).ok());
    let keys = tag.map_or_else(|| vec![site], |tag| sites_of(rows, tag));
    #[cfg(feature = "planted-bugs")]
    let keys = match crate::planted::is_on("checks-in-one-agreement") {
        true => keys.into_iter().filter(|key| key.0 == site.0).collect(),
        false => keys,
    };
    let read = |key: SiteKey| Some((key, view::site(rows, key.0, key.1)?));
    keys.into_iter().filter_map(read).filter(|(_, view)| view.city == own).collect()
}

/// Checks of a year that count to the cap, over all sites of `own` that are of one enterprise with
/// this one.
#[must_use]
pub fn checks_made(
    rows: &(impl ReadRows + ?Sized),
    own: CityCode,
    site: SiteKey,
    year: i32,
) -> u32 {
    let sites = of_one_enterprise(rows, own, site);
    let counted = |(_, view): &(SiteKey, SiteView)| view.checks(year).counted;
    sites.iter().map(counted).fold(0, u32::saturating_add)
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Keeps the tag of a site that of its newest record.
    pub(super) fn index_site(&mut self, agreement: AgreementId, subject: SubjectId, entry: &Entry) {
        let found = view::site(&self.group_rows(), agreement, subject);
        if found.is_none_or(|view| view.record_at() != entry.envelope.position()) {
            return;
        }
        self.untag_site(agreement, subject);
        let slots = entry.envelope.parts.iter().zip(&entry.parts);
        let records = slots.filter(|(part, _)| part.kind == PartKind::Site);
        let bytes = records.filter_map(|(_, slot)| match slot {
            PartSlot::Bytes(bytes) => Some(bytes),
            PartSlot::ErasedBy(_) | PartSlot::Withheld => None,
        });
        let read = bytes.filter_map(|bytes| wire::part::parse_part(bytes).ok()).next();
        let Some(PartContent::Site(record)) = read else { return };
        let tag = code_tag(&self.node_key, &record.uscc);
        let mut rows = self.group_rows();
        rows.put(keys::site_code(tag, agreement, subject), Vec::new());
        rows.put(keys::site_tag(agreement, subject), tag.as_bytes().to_vec());
    }

    fn untag_site(&mut self, agreement: AgreementId, subject: SubjectId) {
        let key = keys::site_tag(agreement, subject);
        let mut rows = self.group_rows();
        let Some(tag) = rows.get(&key).and_then(|bytes| Tag::from_slice(&bytes).ok()) else {
            return;
        };
        rows.delete(&keys::site_code(tag, agreement, subject));
        rows.delete(&key);
    }

    /// An erased record has no credit code any more.
    pub(super) fn forget_site(&mut self, event: &Event) {
        let Event::PartErased { entry, .. } = event else { return };
        let Some(found) = view::applied_entry(&self.group_rows(), *entry) else { return };
        let Some(subject) = found.subject else { return };
        let view = view::site(&self.group_rows(), found.agreement, subject);
        if view.is_some_and(|view| view.record_at() == *entry) {
            self.untag_site(found.agreement, subject);
        }
    }

    pub(super) fn decide_site(
        &mut self,
        agreement: AgreementId,
        facts: &SiteFacts,
        record: &SiteRecord,
        another_plant: bool,
    ) -> Result<Decided, WriteError> {
        let members = self.logs.members(agreement).to_vec();
        site::decide_register(self.settings.city, facts, &members)?;
        self.check_new(agreement, None, record, another_plant)?;
        let content = PartContent::Site(Box::new(record.clone()));
        let draft = Draft {
            subject: Subject { kind: SubjectKind::Site, id: None },
            prev: None,
            event: Event::SiteRegistered { facts: facts.clone() },
            parts: vec![NewPart { audience: Audience::AllMembers, content }],
        };
        Ok(Decided { draft, record: None, opened_at: None, opens: None })
    }

    /// Refuses a credit code that another own site of the agreement has.
    fn check_new(
        &mut self,
        agreement: AgreementId,
        subject: Option<SubjectId>,
        record: &SiteRecord,
        another_plant: bool,
    ) -> Result<(), WriteError> {
        if another_plant {
            return Ok(());
        }
        let (own, tag) = (self.settings.city, code_tag(&self.node_key, &record.uscc));
        let rows = self.group_rows();
        let others = sites_of(&rows, tag).into_iter().filter(|key| key.0 == agreement);
        let others: Vec<SubjectId> = others.map(|(_, other)| other).collect();
        if subject.is_some_and(|subject| others.contains(&subject)) {
            // It keeps the code that it has.
            return Ok(());
        }
        let is_own = |other: &SubjectId| {
            view::site(&rows, agreement, *other).is_some_and(|view| view.city == own)
        };
        match others.into_iter().find(is_own) {
            Some(site) => Err(Refusal::from(SiteRefusal::Known { site }).into()),
            None => Ok(()),
        }
    }

    pub(super) fn decide_site_act(
        &mut self,
        (agreement, log): (AgreementId, LogId),
        today: Date,
        (subject, etag): (SubjectId, Option<Position>),
        act: &SiteAct,
        (said, another_plant): (Option<&PartContent>, bool),
    ) -> Result<Decided, WriteError> {
        let found = view::site(&self.group_rows(), agreement, subject);
        let found = found.ok_or(WriteError::NotFound)?;
        if found.needs_newer {
            return Err(WriteError::NeedsNewerVersion);
        }
        self.check_leaning(agreement, subject, None)?;
        let by = self.settings.city;
        if !self.logs.members(agreement).contains(&by) {
            return Err(Refusal::from(Misfit::NotAMember { city: by }).into());
        }
        let visit = match act {
            SiteAct::Checked(check) => {
                Some(self.visit((agreement, log), (subject, &found), check)?)
            }
            SiteAct::Changed { .. } | SiteAct::Listed(_) => None,
        };
        site::decide_act(found.city, by, act, visit.as_ref(), today)?;
        let current = found.newest().at;
        if etag.is_some_and(|etag| etag != current) {
            return Err(Refusal::from(SiteRefusal::Changed { current }).into());
        }
        if let Some(PartContent::Site(record)) = said {
            self.check_new(agreement, Some(subject), record, another_plant)?;
        }
        let part = |content: &PartContent| NewPart {
            audience: Audience::AllMembers,
            content: content.clone(),
        };
        let draft = Draft {
            subject: Subject { kind: SubjectKind::Site, id: Some(subject) },
            prev: None,
            event: Event::SiteAct(act.clone()),
            parts: said.map(part).into_iter().collect(),
        };
        let opened_at = Some(found.opened_at);
        Ok(Decided { draft, record: Some(subject), opened_at, opens: None })
    }

    /// What is known of the visit that a check was.
    ///
    /// After a restore checks of before may still lie with members only: one that counts waits
    /// until they have shown what they hold, in every agreement in which the enterprise has a site.
    fn visit<'a>(
        &mut self,
        (agreement, log): (AgreementId, LogId),
        (subject, found): (SubjectId, &'a SiteView),
        check: &SiteCheck,
    ) -> Result<Visit<'a>, WriteError> {
        let (own, most) = (self.settings.city, self.settings.site_checks_a_year_max);
        let counts = check.mode == CheckMode::OnSite && check.exception.is_none();
        let sites = of_one_enterprise(&self.group_rows(), own, (agreement, subject));
        for ((other, _), view) in sites.iter().filter(|_| counts && most > 0) {
            let newest = self.logs.own(*other).map_or(log, |log| log.id);
            self.check_recovery(*other, newest, view.opened_at)?;
        }
        let made = checks_made(&self.group_rows(), own, (agreement, subject), check.on.year());
        Ok(Visit {
            on: check.on,
            closed: found.facts.1.closed,
            listing: found.listing.as_ref().map(|(_, listing)| listing),
            visited: Visited { made, reserved: 0, most },
            exception: check.exception,
        })
    }
}
