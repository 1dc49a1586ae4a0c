//! What stands against visits: sites left out, caps over all visits of a plan, pools of a draw.
//!
//! In scope: sites and pools. Out of scope: units, days, answers ([`super`]).

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Look, ReadyVisit, SiteStanding};
use crate::domain::date::Date;
use crate::domain::half_day::HalfDay;
use crate::domain::plan::facts::{DrawRule, PlanFacts, PlannedVisit};
use crate::domain::plan::lots::{PoolSite, is_pool_of};
use crate::domain::site::{LeftOut, Verdict, Visit, VisitException, may_visit};
use crate::ids::{CityCode, SubjectId};

/// What a cap is counted by: an enterprise (a site alone where that is not known), and a year.
type Capped = (Result<u64, SubjectId>, i32);

/// How many visits of this plan were counted so far.
type SoFar = BTreeMap<Capped, u32>;

/// What is wrong with the places of sites that are named or listed: they are known, and stand in a
/// city that takes part, of a list in the one that it says. `city` tells where a site stands.
#[must_use]
pub fn misplaced(
    facts: &PlanFacts,
    pool: &[PoolSite],
    city: &dyn Fn(SubjectId) -> Option<CityCode>,
) -> Vec<Finding> {
    let named = facts.visits().iter().map(|visit| (visit.site, None));
    let listed = pool.iter().map(|one| (one.site, Some(one.city)));
    let wrong = |(site, said): (SubjectId, Option<CityCode>)| match city(site) {
        None => Some(Finding::SiteUnknown { site }),
        Some(city) if !facts.has(city) => Some(Finding::SiteForeign { site, city }),
        Some(city) if said.is_some_and(|said| said != city) => {
            Some(Finding::PoolSiteDiffers { site })
        }
        Some(_) => None,
    };
    let mut findings: Vec<Finding> = named.chain(listed).filter_map(wrong).collect();
    findings.dedup();
    findings
}

impl Look<'_> {
    /// What is wrong with the places of all sites of the plan.
    pub(super) fn misplaced(&self) -> Vec<Finding> {
        let city = |site| self.sites.get(&site).map(|one| one.city);
        misplaced(&self.plan.facts, self.pool, &city)
    }

    /// The visits that are named.
    pub(super) fn named(&self) -> Vec<ReadyVisit> {
        let facts = &self.plan.facts;
        let visit = |visit: &PlannedVisit| ReadyVisit {
            site: visit.site,
            half_days: facts.half_days_of(visit).collect(),
            exception: visit.exception,
            by_default: false,
        };
        facts.visits().iter().map(visit).collect()
    }

    /// Those that are named and those that were drawn.
    pub(super) fn visits(&self) -> Vec<ReadyVisit> {
        let mut visits = self.named();
        visits.extend(self.drawn.iter().cloned());
        visits
    }

    /// Those of some visits that are still to take place, and whose city has to lead.
    pub(super) fn going(&self, visits: &[ReadyVisit]) -> Vec<ReadyVisit> {
        let goes = |((visit, stopped), over): ((&ReadyVisit, Option<Finding>), bool)| {
            let stopped = stopped.is_some_and(Finding::stops_a_visit);
            (!visit.by_default && !stopped && !over).then(|| visit.clone())
        };
        let all = visits.iter().zip(self.stopped(visits));
        all.zip(self.over(visits)).filter_map(goes).collect()
    }

    /// Which of some visits were reported. They have all visits of a site, or none, in the order of
    /// the plan.
    fn over(&self, visits: &[ReadyVisit]) -> Vec<bool> {
        let mut before: BTreeMap<SubjectId, u32> = BTreeMap::new();
        let over = |visit: &ReadyVisit| {
            let nth = before.entry(visit.site).or_default();
            let is_over = self.reported.contains(&(visit.site, *nth));
            *nth = nth.saturating_add(1);
            is_over
        };
        visits.iter().map(over).collect()
    }

    /// Sites that are left out, or stand in no city of the plan; each once.
    pub(super) fn sites(&self, visits: &[ReadyVisit]) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        for finding in self.stopped(visits).into_iter().flatten() {
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
        findings
    }

    /// What stands against each visit. They are gone through in the order of their days, so of two
    /// visits with one left under the cap the later one is left out. One over several half days may
    /// be made on any of them, so nothing stands against it on any, and it counts to each year. One
    /// that was reported stands beside its own check, if it made one: it is not counted again, and
    /// nothing stands against it.
    pub(super) fn stopped(&self, visits: &[ReadyVisit]) -> Vec<Option<Finding>> {
        let mut places: Vec<usize> = (0..visits.len()).collect();
        places.sort_by_key(|place| visits.get(*place).map(|one| (one.half_days.first(), one.site)));
        let (mut so_far, mut found) = (SoFar::new(), BTreeMap::new());
        let over = self.over(visits);
        places.retain(|place| over.get(*place) == Some(&false));
        for place in places {
            let Some(visit) = visits.get(place) else { continue };
            let days: Vec<Date> = visit.half_days.iter().map(|at| at.on).collect();
            let finding = self.stops_on_any((visit.site, &days), visit.exception, &so_far);
            // A check under an exception is not counted to the cap.
            if finding.is_none() && visit.exception.is_none() {
                self.count((visit.site, &days), &mut so_far);
            }
            found.insert(place, finding);
        }
        (0..visits.len()).map(|place| found.remove(&place).flatten()).collect()
    }

    fn capped(&self, site: SubjectId, on: Date) -> Capped {
        let enterprise = self.sites.get(&site).and_then(|one| one.enterprise);
        (enterprise.ok_or(site), on.year())
    }

    /// What stands against a visit on one of these days, beside those that were counted.
    fn stops_on_any(
        &self,
        (site, days): (SubjectId, &[Date]),
        exception: Option<VisitException>,
        so_far: &SoFar,
    ) -> Option<Finding> {
        days.iter().find_map(|on| {
            let before = so_far.get(&self.capped(site, *on)).copied().unwrap_or(0);
            self.stops((site, *on), exception, before)
        })
    }

    /// Counts a visit that is made on one of these days: once to each of their years.
    fn count(&self, (site, days): (SubjectId, &[Date]), so_far: &mut SoFar) {
        let years: BTreeSet<Capped> = days.iter().map(|on| self.capped(site, *on)).collect();
        for year in years {
            let before = so_far.entry(year).or_default();
            *before = before.saturating_add(1);
        }
    }

    /// What stands against one visit, with so many of this plan to the same enterprise before it.
    fn stops(
        &self,
        (site, on): (SubjectId, Date),
        exception: Option<VisitException>,
        before: u32,
    ) -> Option<Finding> {
        let Some(one) = self.sites.get(&site) else { return Some(Finding::SiteUnknown { site }) };
        if !self.plan.facts.has(one.city) {
            return Some(Finding::SiteForeign { site, city: one.city });
        }
        let mut visited = one.visited.get(&on.year()).copied().unwrap_or_default();
        visited.reserved = visited.reserved.saturating_add(before);
        let (closed, listing) = (one.closed, one.listing_on(on));
        match may_visit(&Visit { on, closed, listing, visited, exception }) {
            Verdict::LeftOut(why) => Some(Finding::SiteLeftOut { site, why }),
            Verdict::Fine | Verdict::Excepted { .. } => None,
        }
    }

    /// The pool of a draw, and who is bound to its part of the seed.
    pub(super) fn pool(&self) -> Vec<Finding> {
        let Some(rule) = self.plan.facts.draw() else { return Vec::new() };
        if !is_pool_of(rule, self.pool) {
            return vec![Finding::PoolDiffers];
        }
        let mut findings = self.said_of_sites(rule, None);
        for city in self.plan.facts.participants() {
            findings.extend(self.leads_in_pool(rule, city));
        }
        let silent = self.plan.facts.participants().filter(|city| !self.committed.contains(city));
        findings.extend(silent.map(|city| Finding::NotCommitted { city }));
        findings
    }

    /// What is wrong with what a pool says of the sites of one city, and whether it can lead there.
    pub(super) fn pool_of(&self, city: CityCode) -> Vec<Finding> {
        let Some(rule) = self.plan.facts.draw() else { return Vec::new() };
        if !is_pool_of(rule, self.pool) {
            return vec![Finding::PoolDiffers];
        }
        let mut findings = self.said_of_sites(rule, Some(city));
        findings.extend(self.leads_in_pool(rule, city));
        findings
    }

    /// Whether each site of the list stands where the list says, is of that tier, and is left out
    /// or not as it should be: on every day of the plan, because any may be drawn. With a city,
    /// only what concerns its sites, and only it can say of a listing or a full cap that there is
    /// none; that a site is not closed its header says to everybody.
    fn said_of_sites(&self, rule: &DrawRule, of: Option<CityCode>) -> Vec<Finding> {
        let mut days: Vec<Date> = self.plan.facts.days.iter().map(|day| day.at.on).collect();
        days.dedup();
        let (mut findings, mut so_far) = (Vec::new(), SoFar::new());
        for listed in self.pool {
            let (site, known) = (listed.site, self.sites.get(&listed.site));
            let stands = known.map_or(listed.city, |one| one.city);
            let open = known.is_some_and(|one| !one.closed);
            if open && listed.left_out == Some(LeftOut::Closed) {
                findings.push(Finding::PoolSiteDiffers { site });
                continue;
            }
            if of.is_some_and(|of| of != stands && of != listed.city) {
                continue;
            }
            let same = |one: &SiteStanding| one.city == listed.city && one.tier == listed.tier;
            if known.is_some_and(|one| !same(one)) {
                findings.push(Finding::PoolSiteDiffers { site });
                continue;
            }
            if rule.weights.of(listed.tier) == 0 {
                continue;
            }
            let found = self.stops_on_any((site, &days), None, &so_far);
            if listed.left_out.is_none() {
                self.count((site, &days), &mut so_far);
            }
            findings.extend(match (listed.left_out, found, of) {
                (None, found, _) => found,
                (Some(_), None, Some(_)) => Some(Finding::PoolSiteDiffers { site }),
                (Some(_), _, _) => None,
            });
        }
        findings
    }

    /// Whether a city can lead wherever the draw may lead to: at each site by itself, and at as
    /// many at once as may fall on one half day.
    pub(super) fn leads_in_pool(&self, rule: &DrawRule, city: CityCode) -> Vec<Finding> {
        // Whoever has not confirmed is named for that already.
        if !self.sent.contains_key(&city) {
            return Vec::new();
        }
        let own = self.own_in_pool(rule, city);
        let asked = self.host_officers();
        let able: Vec<(HalfDay, Vec<SubjectId>)> =
            self.ahead().map(|(_, at)| (at, self.able(city, at))).collect();
        let lacks = |there: usize, needed: u32| {
            needed.saturating_sub(u32::try_from(there).unwrap_or(u32::MAX))
        };
        let mut findings = Vec::new();
        for PoolSite { site, .. } in &own {
            let short = able.iter().find_map(|(at, able)| {
                let missing = lacks(self.unbiased(city, *site, able).len(), asked);
                (missing > 0).then_some(Finding::HostShort { city, site: *site, at: *at, missing })
            });
            findings.extend(short);
        }
        if !findings.is_empty() {
            return findings;
        }
        let needed = self.at_once(rule, own.len()).saturating_mul(asked);
        let short = able.iter().find_map(|(at, able)| {
            let missing = lacks(able.len(), needed);
            (missing > 0).then_some(Finding::DrawShort { city, at: *at, missing })
        });
        findings.extend(short);
        findings
    }

    /// The first half day on which recusals may leave a city short that can lead at each of its
    /// sites by itself, and has officers enough in all: should several sites be drawn for it that
    /// the same officers keep away from. Whether they are only the draw tells: nothing is refused.
    pub(super) fn may_lack_leads(&self, rule: &DrawRule, city: CityCode) -> Option<HalfDay> {
        let (sent, own) = (self.sent.get(&city)?, self.own_in_pool(rule, city));
        let (most, asked) = (self.at_once(rule, own.len()), self.host_officers());
        let sites: BTreeSet<SubjectId> = own.iter().map(|one| one.site).collect();
        let count = |all: usize| u32::try_from(all).unwrap_or(u32::MAX);
        let keeps_from = |officer: &SubjectId| {
            let of = sent.recusals.iter().filter(|one| one.officer == *officer);
            let one = |site: Option<SubjectId>| match site {
                None => most,
                Some(site) => u32::from(sites.contains(&site)),
            };
            of.map(|recusal| one(recusal.site)).fold(0, u32::saturating_add)
        };
        self.ahead().map(|(_, at)| at).find(|at| {
            let able: Vec<u32> = self.able(city, *at).iter().map(keeps_from).collect();
            (2..=most).any(|drawn| {
                let needed = drawn.saturating_mul(asked);
                let free = able.iter().filter(|from| **from < drawn).count();
                count(free) < needed && needed <= count(able.len())
            })
        })
    }

    fn own_in_pool(&self, rule: &DrawRule, city: CityCode) -> Vec<&PoolSite> {
        self.pool.iter().filter(|one| one.city == city && one.weight(rule) > 0).collect()
    }

    /// How many of so many sites of one city may fall on one half day.
    fn at_once(&self, rule: &DrawRule, own: usize) -> u32 {
        let most = u32::try_from(own).unwrap_or(u32::MAX).min(rule.sites);
        let days = u32::try_from(self.plan.facts.days.len()).unwrap_or(u32::MAX).max(1);
        most.div_ceil(days)
    }
}
