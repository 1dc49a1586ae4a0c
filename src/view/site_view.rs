//! Sites, as the rows hold them, and what an entry about one comes to.
//!
//! In scope: folding entries about sites, counting checks by year and month. Out of scope: who may
//! say what ([`crate::domain::site`]), which sites are of one enterprise (the node, from parts).
//!
//! Of several changes and of several listings the newest counts, by (epoch, log, index), and every
//! check is counted once. So the order of arrival changes nothing.

use serde::{Deserialize, Serialize};

use super::fold::FoldEntry;
use super::keys;
use super::notice_view::Said;
use super::record::{self, Added, Counted, Record};
use super::rows::{ReadRows, Rows};
use crate::domain::site::{
    Listing, MonthChecks, SiteAct, SiteCheck, SiteFacts, YearChecks, fits, opens,
};
use crate::domain::{Date, Event};
use crate::ids::{AgreementId, CityCode, Position, SubjectId};
use crate::log::SubjectKind;

/// A site as the fold has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteView {
    /// In whose area it stands.
    pub city: CityCode,
    /// The newest facts. The entry that says them carries who and where it is.
    pub facts: (Said, SiteFacts),
    /// What was last said of the positive list.
    pub listing: Option<(Said, Listing)>,
    /// Checks by calendar year, ascending.
    pub years: Vec<(i32, YearChecks)>,
    /// Checks of no plan by month, ascending.
    pub months: Vec<MonthChecks>,
    /// The entry that opened it.
    pub opened_at: Position,
    /// Clock of its author, milliseconds since 1970-01-01 UTC.
    pub registered_ms: i64,
    /// Entries that did not take effect.
    pub misfit_count: u32,
    /// An entry of a newer kind holds it.
    pub needs_newer: bool,
    /// Apply number of the last entry here.
    pub last_apply: u64,
    /// Apply number of the opening here.
    pub opened_apply: u64,
}

impl SiteView {
    /// The newest change or listing: what a later one has to be based on.
    #[must_use]
    pub fn newest(&self) -> Said {
        let facts = self.facts.0;
        self.listing.as_ref().map_or(facts, |(listing, _)| facts.max(*listing))
    }

    /// The entry that carries who and where it is.
    #[must_use]
    pub const fn record_at(&self) -> Position {
        self.facts.0.at
    }

    /// Whether it is on the positive list on a day.
    #[must_use]
    pub fn is_listed(&self, on: Date) -> bool {
        self.listing.as_ref().is_some_and(|(_, listing)| listing.is_listed(on))
    }

    /// Its checks in a year.
    #[must_use]
    pub fn checks(&self, year: i32) -> YearChecks {
        let found = self.years.iter().find(|(of, _)| *of == year);
        found.map(|(_, checks)| *checks).unwrap_or_default()
    }

    fn count(&mut self, check: &SiteCheck) {
        let year = check.on.year();
        let place = match self.years.binary_search_by_key(&year, |(of, _)| *of) {
            Ok(place) => place,
            Err(place) => {
                self.years.insert(place, (year, YearChecks::default()));
                place
            }
        };
        if let Some((_, checks)) = self.years.get_mut(place) {
            checks.add(check);
        }
        MonthChecks::count(&mut self.months, check);
    }

    fn say(&mut self, act: &SiteAct, said: Said) {
        match act {
            SiteAct::Changed { facts } if said > self.facts.0 => {
                self.facts = (said, facts.clone());
            }
            SiteAct::Listed(listing)
                if self.listing.as_ref().is_none_or(|(last, _)| said > *last) =>
            {
                self.listing = Some((said, listing.clone()));
            }
            SiteAct::Changed { .. } | SiteAct::Listed(_) => {}
            SiteAct::Checked(check) => self.count(check),
        }
    }
}

/// One site.
#[must_use]
pub fn site(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    subject: SubjectId,
) -> Option<SiteView> {
    record::read(rows, agreement, subject)
}

/// Walks the sites of an agreement from the one opened last here, or from below apply number
/// `below`, until `f` says no.
pub fn sites_newest_first(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    below: Option<u64>,
    f: &mut dyn FnMut(SubjectId, SiteView) -> bool,
) {
    record::newest_first(rows, agreement, below, f);
}

impl Record for SiteView {
    const KIND: SubjectKind = SubjectKind::Site;

    fn key(agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
        keys::site(agreement, subject)
    }

    fn opened_key(agreement: AgreementId, apply: u64) -> Option<Vec<u8>> {
        Some(keys::site_opened(agreement, apply))
    }

    fn open(entry: &FoldEntry<'_>, apply: u64) -> Option<Result<Self, &'static str>> {
        let Event::SiteRegistered { facts } = entry.event else { return None };
        let fits = opens(entry.city, facts, entry.members).map_err(|wrong| wrong.reason());
        Some(fits.map(|()| Self {
            city: entry.city,
            facts: (Said::by(entry), facts.clone()),
            listing: None,
            years: Vec::new(),
            months: Vec::new(),
            opened_at: entry.envelope.position(),
            registered_ms: entry.envelope.record_time_ms,
            misfit_count: 0,
            needs_newer: false,
            last_apply: apply,
            opened_apply: apply,
        }))
    }

    fn opened_at(&self) -> Position {
        self.opened_at
    }

    fn counted(&mut self) -> Counted<'_> {
        let Self { misfit_count, needs_newer, last_apply, .. } = self;
        Counted { misfit_count, needs_newer, last_apply }
    }

    fn add<R: Rows>(&mut self, _: &mut R, entry: &FoldEntry<'_>, _: SubjectId) -> Option<Added> {
        let Event::SiteAct(act) = entry.event else { return None };
        let fits = fits(self.city, entry.city, act).map_err(|wrong| wrong.reason());
        if fits.is_ok() {
            self.say(act, Said::by(entry));
        }
        Some(Added::contribution(fits))
    }
}
