//! Sites, as the rows hold them, and what an entry about one comes to.
//!
//! In scope: folding entries about sites, counting checks by year. Out of scope: who may say what
//! ([`crate::domain::site`]), which sites are of one enterprise (the node, from parts).
//!
//! Of several changes and of several listings the newest counts, by (epoch, log, index), and every
//! check is counted once. So the order of arrival changes nothing.

use serde::{Deserialize, Serialize};

use super::fold::{
    Applied, Effect, FoldEntry, SUBJECT_UNSEEN, What, misfit, note_history, remember,
};
use super::keys;
use super::notice_view::Said;
use super::rows::{ReadRows, Rows, get, put};
use crate::domain::site::{Listing, SiteAct, SiteCheck, SiteFacts, YearChecks, fits, opens};
use crate::domain::{Date, Event};
use crate::ids::{AgreementId, CityCode, Position, SubjectId};
use crate::log::{SubjectKind, subject_id};

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
    }

    fn add(&mut self, act: &SiteAct, said: Said) {
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
    get(rows, &keys::site(agreement, subject))
}

/// Walks the sites of an agreement from the one opened last here, or from below apply number
/// `below`, until `f` says no.
pub fn sites_newest_first(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    below: Option<u64>,
    f: &mut dyn FnMut(SubjectId, SiteView) -> bool,
) {
    let from = keys::site_opened(agreement, 0);
    let to = keys::site_opened(agreement, below.unwrap_or(u64::MAX));
    rows.scan(&from, &to, true, &mut |_, value| {
        let Ok(subject) = postcard::from_bytes::<SubjectId>(value) else { return true };
        site(rows, agreement, subject).is_none_or(|view| f(subject, view))
    });
}

/// Applies an entry about a site.
pub(super) fn apply_to_site<R: Rows>(rows: &mut R, entry: &FoldEntry<'_>, apply: u64) -> Applied {
    let at = entry.envelope.position();
    let (subject, effect) = match (entry.envelope.subject.id, entry.event) {
        (None, Event::SiteRegistered { facts }) => {
            if let Err(wrong) = opens(entry.city, facts, entry.members) {
                remember(rows, entry, None, apply, What::Other);
                let effect = misfit(wrong.reason());
                return Applied { effect, subject: None, refolded: false };
            }
            let subject = subject_id(at);
            open(rows, entry, subject, facts, apply);
            (subject, Effect::Opened)
        }
        (Some(subject), event) => (subject, on_site(rows, entry, subject, event, apply)),
        (None, event) => {
            remember(rows, entry, None, apply, What::Other);
            // Of a kind that only newer programs know: it opens nothing here, and is no fault.
            let newer = *event == Event::Newer;
            let effect = if newer { Effect::Newer } else { misfit("SUBJECT_MISSING") };
            return Applied { effect, subject: None, refolded: false };
        }
    };
    note_history(rows, entry, subject, (&effect, None), apply);
    Applied { effect, subject: Some((SubjectKind::Site, subject)), refolded: false }
}

fn said(entry: &FoldEntry<'_>) -> Said {
    let record_time_ms = entry.envelope.record_time_ms;
    Said { epoch: entry.epoch, at: entry.envelope.position(), record_time_ms }
}

fn open<R: Rows>(
    rows: &mut R,
    entry: &FoldEntry<'_>,
    subject: SubjectId,
    facts: &SiteFacts,
    apply: u64,
) {
    let view = SiteView {
        city: entry.city,
        facts: (said(entry), facts.clone()),
        listing: None,
        years: Vec::new(),
        opened_at: entry.envelope.position(),
        registered_ms: entry.envelope.record_time_ms,
        misfit_count: 0,
        needs_newer: false,
        last_apply: apply,
        opened_apply: apply,
    };
    put(rows, keys::site(entry.agreement, subject), &view);
    put(rows, keys::site_opened(entry.agreement, apply), &subject);
    remember(rows, entry, Some(subject), apply, What::Other);
}

fn on_site<R: Rows>(
    rows: &mut R,
    entry: &FoldEntry<'_>,
    subject: SubjectId,
    event: &Event,
    apply: u64,
) -> Effect {
    let view = site(rows, entry.agreement, subject);
    let Some(mut view) = view.filter(|view| entry.has_seen(rows, view.opened_at)) else {
        remember(rows, entry, None, apply, What::Other);
        return misfit(SUBJECT_UNSEEN);
    };
    remember(rows, entry, Some(subject), apply, What::Other);
    let effect = match event {
        Event::SiteAct(act) => match fits(view.city, entry.city, act) {
            Err(wrong) => misfit(wrong.reason()),
            Ok(()) => {
                view.add(act, said(entry));
                Effect::Contribution
            }
        },
        Event::Newer => {
            view.needs_newer = true;
            Effect::Newer
        }
        Event::SiteRegistered { .. }
        | Event::MeetingCalled { .. }
        | Event::MeetingAct(_)
        | Event::NoticeIssued { .. }
        | Event::NoticeAct(_)
        | Event::CaseOpened { .. }
        | Event::CaseMove(_)
        | Event::Contribution(_)
        | Event::ActorIntroduced
        | Event::RecoveryOverridden { .. }
        | Event::CharterAdopted { .. }
        | Event::PartErased { .. } => misfit("WRONG_SUBJECT"),
    };
    view.misfit_count += u32::from(matches!(effect, Effect::Misfit(_)));
    view.last_apply = apply;
    put(rows, keys::site(entry.agreement, subject), &view);
    effect
}
