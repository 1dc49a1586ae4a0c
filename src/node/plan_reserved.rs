//! What plans have reserved of the yearly caps of own enterprises.
//!
//! A city reserves visits to its own sites when it confirms: those named, or with a draw whose
//! targets are not known yet, one to each of its sites in the list. A visit that was reported is
//! reserved no more: its check is counted. So is one that can be keyed in no more. Of a plan that
//! was cancelled only what a team has arrived at stays reserved.
//!
//! In scope: counting. Out of scope: what a cap is ([`crate::domain::site`]), looking at one plan
//! ([`super::plan_look`]).

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::HalfDay;
use crate::domain::plan::{PlanStage, PlanWord, PlannedVisit};
use crate::domain::site::VisitException;
use crate::ids::{CityCode, SubjectId};
use crate::journal::Disk;
use crate::node::plan_look::{Desk, PlanKey, enterprise};
use crate::view::{self, Booked, PlanView, ReadRows, SiteView, WordSort};

/// What is not counted among what is reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum But {
    /// Everything is counted.
    Nothing,
    /// One plan.
    Plan(PlanKey),
    /// One visit of a plan: which site, and which visit there.
    Visit(PlanKey, (SubjectId, u32)),
}

impl<R: ReadRows, D: Disk> Desk<'_, R, D> {
    /// Visits to own sites that confirmed plans have reserved and that were not reported yet, by
    /// enterprise and year, but for some.
    #[must_use]
    pub fn reserved(&self, but: But) -> BTreeMap<(u64, i32), u32> {
        let mut all: BTreeMap<(u64, i32), u32> = BTreeMap::new();
        let since = self.today.plus_days(-i64::from(self.rules.results_days_max));
        let since = since.map_or(0, |day| HalfDay::morning(day).number());
        for agreement in self.agreements.iter().copied() {
            let mut plans: Vec<(SubjectId, Booked)> = Vec::new();
            view::bookings_of(self.rows, (agreement, self.own), &mut |plan, booked| {
                let counts = booked.hold_until.is_none() && booked.ends >= since;
                if counts && but != But::Plan((agreement, plan)) {
                    plans.push((plan, booked));
                }
                true
            });
            for (plan, booked) in plans {
                let key = (agreement, plan);
                for (site, nth, year) in self.still_to_visit(key, &booked) {
                    if but == But::Visit(key, (site, nth)) {
                        continue;
                    }
                    let found = view::site(self.rows, agreement, site);
                    let own = found.filter(|found| found.city == self.own);
                    if let Some(of) = own.and_then(|found| enterprise(self.rows, &found)) {
                        let count = all.entry((of, year)).or_default();
                        *count = count.saturating_add(1);
                    }
                }
            }
        }
        all
    }

    /// The same for the enterprise of one own site in one year.
    #[must_use]
    pub fn reserved_of(&self, found: &SiteView, year: i32, but: But) -> u32 {
        let of = enterprise(self.rows, found);
        of.and_then(|of| self.reserved(but).get(&(of, year)).copied()).unwrap_or(0)
    }

    /// Visits of a confirmed plan that count to a cap and have no report yet, each with every year
    /// in which it may be made: with a draw whose targets are not known, one to each site of its
    /// list.
    fn still_to_visit(&self, key: PlanKey, booked: &Booked) -> Vec<(SubjectId, u32, i32)> {
        let Some(view) = view::plan(self.rows, key.0, key.1) else { return Vec::new() };
        if booked.revision != view.plan.at {
            return Vec::new();
        }
        let arrived = match view.plan.stage {
            PlanStage::Open | PlanStage::Scheduled | PlanStage::Executing => None,
            PlanStage::Cancelled => Some(self.arrived(key, &view, self.own)),
            // Whoever keys something in afterwards finds the room that there is.
            PlanStage::Summarized => return Vec::new(),
        };
        let mut visits = self.unreported(key, &view);
        visits.retain(|one| arrived.as_ref().is_none_or(|all| all.contains(&(one.0, one.1))));
        visits
    }

    fn unreported(&self, key: PlanKey, view: &PlanView) -> Vec<(SubjectId, u32, i32)> {
        let facts = &view.plan.facts;
        let reports = self.reports(key, view, self.own);
        let reported: BTreeSet<_> = reports.iter().map(|one| (one.site, one.nth)).collect();
        let open = |site, nth, exception: Option<VisitException>| {
            exception.is_none() && !reported.contains(&(site, nth))
        };
        let Some(rule) = facts.draw() else {
            let mut before: BTreeMap<SubjectId, u32> = BTreeMap::new();
            let visit = |visit: &PlannedVisit| {
                let place = before.entry(visit.site).or_default();
                let nth = *place;
                *place = nth.saturating_add(1);
                let is_open = open(visit.site, nth, visit.exception);
                let (site, half_days) = (visit.site, facts.half_days_of(visit));
                let years = years_of(half_days.filter(|_| is_open));
                years.into_iter().map(move |year| (site, nth, year))
            };
            return facts.visits().iter().flat_map(visit).collect();
        };
        let pool = view.pool_at.and_then(|at| self.pool(at)).unwrap_or_default();
        let reveals = self.reveals(key, view);
        if let Some(outcome) = self.outcome(key, view, (&pool, &reveals)) {
            let targets = outcome.targets.iter();
            let targets = targets.filter(|one| open(one.site, 0, None));
            return targets.map(|one| (one.site, 0, one.at.on.year())).collect();
        }
        let may = pool.iter().filter(|one| one.city == self.own && one.weight(rule) > 0);
        let years = years_of(facts.days.iter().map(|day| day.at));
        may.flat_map(|one| years.iter().map(|year| (one.site, 0, *year))).collect()
    }

    /// The visits of the present revision at which a team of a city has arrived.
    #[must_use]
    pub fn arrived(
        &self,
        key: PlanKey,
        view: &PlanView,
        city: CityCode,
    ) -> BTreeSet<(SubjectId, u32)> {
        let (mut found, sort) = (BTreeSet::new(), (WordSort::CheckIn, city));
        view::plan_words(self.rows, key, sort, Some(view.plan.at), &mut |spoken| {
            if let PlanWord::CheckedIn(arrival) = spoken.act.word {
                found.insert((arrival.site, arrival.nth));
            }
            true
        });
        found
    }
}

/// The years of half days, any of which may be the one.
fn years_of(half_days: impl Iterator<Item = HalfDay>) -> BTreeSet<i32> {
    half_days.map(|at| at.on.year()).collect()
}
