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

use crate::domain::plan::{PlanStage, PlanWord, PlannedVisit};
use crate::domain::site::VisitException;
use crate::domain::{Date, HalfDay};
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
                for (site, nth, on) in self.still_to_visit(key, &booked) {
                    if but == But::Visit(key, (site, nth)) {
                        continue;
                    }
                    let found = view::site(self.rows, agreement, site);
                    let own = found.filter(|found| found.city == self.own);
                    if let Some(of) = own.and_then(|found| enterprise(self.rows, &found)) {
                        let count = all.entry((of, on.year())).or_default();
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

    /// Visits of a confirmed plan that count to a cap and have no report yet: with a draw whose
    /// targets are not known, one to each site of its list.
    fn still_to_visit(&self, key: PlanKey, booked: &Booked) -> Vec<(SubjectId, u32, Date)> {
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

    fn unreported(&self, key: PlanKey, view: &PlanView) -> Vec<(SubjectId, u32, Date)> {
        let facts = &view.plan.facts;
        let first = facts.days.first().map_or(self.today, |day| day.at.on);
        let reports = self.reports(key, view, self.own);
        let reported: BTreeSet<_> = reports.iter().map(|one| (one.site, one.nth)).collect();
        let open = |site, nth, on, exception: Option<VisitException>| {
            (exception.is_none() && !reported.contains(&(site, nth))).then_some((site, nth, on))
        };
        let Some(rule) = facts.draw() else {
            let mut before: BTreeMap<SubjectId, u32> = BTreeMap::new();
            let visit = |visit: &PlannedVisit| {
                let nth = before.entry(visit.site).or_default();
                let on = facts.half_days_of(visit).next().map_or(first, |at| at.on);
                let found = open(visit.site, *nth, on, visit.exception);
                *nth = nth.saturating_add(1);
                found
            };
            return facts.visits().iter().filter_map(visit).collect();
        };
        let pool = view.pool_at.and_then(|at| self.pool(at)).unwrap_or_default();
        let reveals = self.reveals(key, view);
        if let Some(outcome) = self.outcome(key, view, (&pool, &reveals)) {
            let targets = outcome.targets.iter();
            return targets.filter_map(|one| open(one.site, 0, one.at.on, None)).collect();
        }
        let may = pool.iter().filter(|one| one.city == self.own && one.weight(rule) > 0);
        // Any of its days may be the one.
        let years: BTreeMap<i32, Date> =
            facts.days.iter().rev().map(|day| (day.at.on.year(), day.at.on)).collect();
        may.flat_map(|one| years.values().map(move |on| (one.site, 0, *on)).collect::<Vec<_>>())
            .collect()
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
