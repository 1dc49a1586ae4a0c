//! P4 for sites: what a process shows of a site is what the set of its applied entries comes to, by
//! the rule written down a second time: an opening is of the own area; of its own city's changes and
//! listings the highest by (epoch, log, index) counts, and every check once. And the cap: over all
//! agreements no city counts more checks of an enterprise in a year than it may.

use std::collections::BTreeMap;

use liandong::domain::Event;
use liandong::domain::site::{CheckMode, SiteAct, SiteTier};
use liandong::ids::{CityCode, Position, SubjectId};
use liandong::log::{SubjectKind, subject_id};
use liandong::view::{self, SiteView};

use super::Checks;
use super::fold::Known;
use crate::sim::cast::Cast;
use crate::sim::node::Node;
use crate::sim::sites::CHECKS_A_YEAR;
use crate::sim::tally::{State, Tally};

/// Checks of a year: counted, excepted, off site.
type Years = BTreeMap<i32, (u32, u32, u32)>;

/// An enterprise and a year: by the tier of its sites, or one site by itself.
pub(super) type Firm = (SiteTier, Option<SubjectId>, i32);

/// What the entries about a site come to.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    facts: Position,
    listing: Option<Position>,
    years: Years,
    misfits: u32,
}

impl Checks {
    /// Compares the sites of an agreement with its applied entries.
    pub(super) fn sites_anew(
        &mut self,
        cast: &Cast,
        (at, node): (usize, &Node),
        pact: usize,
        known: &BTreeMap<Position, Known>,
        tally: &mut Tally,
    ) {
        let rows = node.reader.as_ref().unwrap().view();
        let agreement = cast.pacts[pact].id;
        let mut counted: BTreeMap<Firm, u32> = BTreeMap::new();
        for (opening, opener) in known {
            let subject = subject_id(*opening);
            let Event::SiteRegistered { facts } = &opener.event else { continue };
            let about = opener.envelope.subject;
            if about.kind != SubjectKind::Site || about.id.is_some() {
                continue;
            }
            let valid = facts.county.as_u32() / 100 == opener.city.as_u32() / 100;
            let shown = view::site(&rows, agreement, subject);
            if shown.is_some() != valid {
                return self.fail(format!("P4 {at}: site {subject}: valid {valid}, {shown:?}"));
            }
            let Some(shown) = shown else { continue };
            let told = told(known, *opening, opener.city, subject);
            if of(&shown) != told {
                let got = of(&shown);
                return self.fail(format!("P4 {at}: site {subject}: {got:?}, not {told:?}"));
            }
            if told.years.values().any(|(_, excepted, _)| *excepted > 0) {
                tally.reached(State::CheckExcepted);
            }
            if opener.city == cast.codes[node.city] {
                let alone = (facts.tier == SiteTier::Special).then_some(subject);
                for (year, (on_site, ..)) in &told.years {
                    *counted.entry((facts.tier, alone, *year)).or_default() += on_site;
                }
            }
        }
        self.within_cap(node.city, pact, &counted, tally);
    }

    /// Adds up what the city of a process has counted over its agreements.
    fn within_cap(
        &mut self,
        city: usize,
        pact: usize,
        counted: &BTreeMap<Firm, u32>,
        tally: &mut Tally,
    ) {
        // Of a city that lies or came back with less, two histories may both have counted.
        let odd = [&self.excused, &self.restored, &self.rotted];
        if odd.iter().any(|cities| cities.contains(&city)) {
            return;
        }
        self.site_checks.insert((city, pact), counted.clone());
        let mut sums: BTreeMap<Firm, u32> = BTreeMap::new();
        let of_city = self.site_checks.iter().filter(|((of, _), _)| *of == city);
        for (firm, count) in of_city.flat_map(|(_, counts)| counts) {
            *sums.entry(*firm).or_default() += count;
        }
        for (firm, count) in sums {
            if count == CHECKS_A_YEAR {
                tally.reached(State::CapReached);
            }
            if count > CHECKS_A_YEAR {
                self.fail(format!("city {city}: {count} checks of {firm:?} count"));
            }
        }
    }
}

fn of(shown: &SiteView) -> Told {
    let year = |(year, c): &(i32, liandong::domain::site::YearChecks)| {
        (*year, (c.counted, c.excepted, c.off_site))
    };
    Told {
        facts: shown.facts.0.at,
        listing: shown.listing.as_ref().map(|(said, _)| said.at),
        years: shown.years.iter().map(year).collect(),
        misfits: shown.misfit_count,
    }
}

fn told(
    known: &BTreeMap<Position, Known>,
    opening: Position,
    owner: CityCode,
    subject: SubjectId,
) -> Told {
    let epoch = known.get(&opening).map_or(0, |opener| opener.epoch);
    let (mut facts, mut listing) = ((epoch, opening), None);
    let (mut years, mut misfits) = (Years::new(), 0);
    for (at, entry) in known {
        let about = entry.envelope.subject;
        let same = about.kind == SubjectKind::Site && about.id == Some(subject);
        if !same || !entry.saw(opening) || entry.event == Event::Newer {
            continue;
        }
        let place = (entry.epoch, *at);
        match &entry.event {
            Event::SiteAct(_) if entry.city != owner => misfits += 1,
            Event::SiteAct(SiteAct::Changed { facts: said }) => {
                match said.county.as_u32() / 100 == owner.as_u32() / 100 {
                    true => facts = facts.max(place),
                    false => misfits += 1,
                }
            }
            Event::SiteAct(SiteAct::Listed(_)) => listing = listing.max(Some(place)),
            Event::SiteAct(SiteAct::Checked(check)) => {
                let year = years.entry(check.on.year()).or_insert((0, 0, 0));
                let number = match (check.mode, check.exception) {
                    (CheckMode::OffSite, _) => &mut year.2,
                    (CheckMode::OnSite, Some(_)) => &mut year.1,
                    (CheckMode::OnSite, None) => &mut year.0,
                };
                // Entries are not looked at in the order in which they were written.
                let one = if check.taken_back { u32::MAX } else { 1 };
                *number = number.wrapping_add(one);
            }
            _ => misfits += 1,
        }
    }
    Told { facts: facts.1, listing: listing.map(|(_, at)| at), years, misfits }
}
