//! What came of the visits: reports of sites, and what they add up to.
//!
//! One entry, many checks (进一次门、查多项事): a report has what each department looked at and found.
//! The host city reports, for its own sites; of several reports of one visit the newest counts. A
//! report of a site that is no target counts for nothing. A clue that is followed up is named
//! ([`super::PlanWord::FindingOpened`]) with the case opened from it, so from a visit one gets to
//! its cases and back. A site's own record of checks ([`crate::domain::site`]) may have an entry
//! of the same visit, that names the plan: what counts for the plan is the report, and the check
//! of a visit that a plan reports is not counted a second time to the yearly cap.
//!
//! In scope: the shape of a report, adding up. Out of scope: which reports count (the view), the
//! words of the summary ([`super::summary`]).
//!
//! Invariants:
//! 1. Totals by department, by city and of all are the same sites and problems.
//!    (`totals_by_department_and_city_are_the_sum_of_the_sites`)

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Wrong;
use crate::domain::code::coded;
use crate::domain::date::Date;
use crate::domain::department::Department;
use crate::domain::site::CheckMode;
use crate::ids::{CityCode, SubjectId};
use crate::limits::PLAN_CHECK_ITEMS_MAX;

/// Visits of one plan to one site, at most: one on every half day.
const VISITS_OF_SITE_MAX: u32 = 62;

/// Whether a site may be visited so often.
pub(super) const fn check_nth(nth: u32) -> Result<(), Wrong> {
    if nth < VISITS_OF_SITE_MAX { Ok(()) } else { Err(Wrong::Nth) }
}

coded! {
    /// How a visit ended.
    VisitOutcome {
        Checked "CHECKED" "已检查" "checked";
        NotProducing "NOT_PRODUCING" "停产或关停" "not producing";
        NotChecked "NOT_CHECKED" "未检查" "not checked";
    }
}

/// What one department looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DepartmentCheck {
    /// Which.
    pub department: Department,
    /// Items of its check list that were looked at, 1 to [`PLAN_CHECK_ITEMS_MAX`].
    pub items: u32,
    /// Problems found, 0 to [`PLAN_CHECK_ITEMS_MAX`].
    pub problems: u32,
}

/// What came of a visit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VisitReport {
    /// Which site.
    pub site: SubjectId,
    /// Which visit there by this plan, from 0.
    pub nth: u32,
    /// The day.
    pub on: Date,
    /// How it ended.
    pub outcome: VisitOutcome,
    /// On site or from afar.
    pub mode: CheckMode,
    /// What each department looked at, ascending; some exactly when the site was checked.
    pub checks: Vec<DepartmentCheck>,
    /// Samples taken.
    pub samples: u32,
    /// Clues found, to be followed up ([`super::PlanWord::FindingOpened`]).
    pub clues: u32,
}

impl VisitReport {
    /// Whether it is a report as it should be.
    ///
    /// # Errors
    /// What is [`Wrong`].
    pub fn check(&self) -> Result<(), Wrong> {
        let Self { checks, samples, clues, .. } = self;
        match self.outcome {
            VisitOutcome::Checked if checks.is_empty() => return Err(Wrong::ChecksMissing),
            VisitOutcome::NotProducing | VisitOutcome::NotChecked
                if !checks.is_empty() || *samples > 0 || *clues > 0 =>
            {
                return Err(Wrong::NotChecked);
            }
            VisitOutcome::Checked | VisitOutcome::NotProducing | VisitOutcome::NotChecked => {}
        }
        if !checks.is_sorted_by(|one, next| one.department < next.department) {
            Err(Wrong::Checks)
        } else if !checks.iter().all(|one| (1..=PLAN_CHECK_ITEMS_MAX).contains(&one.items)) {
            Err(Wrong::Items)
        } else if checks.iter().any(|one| one.problems > PLAN_CHECK_ITEMS_MAX) {
            Err(Wrong::Problems)
        } else if *samples > PLAN_CHECK_ITEMS_MAX {
            Err(Wrong::Samples)
        } else if *clues > PLAN_CHECK_ITEMS_MAX {
            Err(Wrong::Clues)
        } else {
            check_nth(self.nth)
        }
    }

    /// Problems that all departments found.
    #[must_use]
    pub fn problems(&self) -> u32 {
        self.checks.iter().map(|check| check.problems).sum()
    }

    /// Whether something was checked.
    #[must_use]
    pub fn is_check(&self) -> bool {
        self.outcome == VisitOutcome::Checked
    }

    /// Several departments came at once.
    #[must_use]
    pub fn is_joint_check(&self) -> bool {
        self.checks.len() > 1 && self.mode == CheckMode::OnSite
    }
}

/// What some reports come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Sites checked, each once.
    pub sites: u32,
    /// Visits at which something was checked.
    pub visits: u32,
    /// Items looked at.
    pub items: u32,
    /// Problems found.
    pub problems: u32,
}

/// What all reports of a plan come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Of all.
    pub all: Sum,
    /// Sites that were checked on site.
    pub on_site: u32,
    /// Sites that were only checked from afar.
    pub off_site: u32,
    /// Sites that were found not to produce, and were not checked at any visit.
    pub not_producing: u32,
    /// Sites that were not checked for another reason, or of which there is no report.
    pub not_checked: u32,
    /// Sites at which several departments came at once.
    pub joint_checks: u32,
    /// Samples taken.
    pub samples: u32,
    /// Clues found.
    pub clues: u32,
    /// By department; a site counts for each department that checked there.
    pub departments: BTreeMap<Department, Sum>,
    /// By the city where the site stands.
    pub cities: BTreeMap<CityCode, Sum>,
}

/// Adds up the reports that count, each with the city in which its site stands. Targets without any
/// report were not checked.
#[must_use]
pub fn totals<'a>(
    reports: impl IntoIterator<Item = (CityCode, &'a VisitReport)>,
    targets: impl IntoIterator<Item = SubjectId>,
) -> Totals {
    let mut of_site: BTreeMap<SubjectId, Vec<(CityCode, &VisitReport)>> = BTreeMap::new();
    for (host, report) in reports {
        of_site.entry(report.site).or_default().push((host, report));
    }
    let mut totals = Totals::default();
    for visits in of_site.values() {
        totals.add_site(visits);
    }
    let silent: BTreeSet<SubjectId> =
        targets.into_iter().filter(|site| !of_site.contains_key(site)).collect();
    let silent = u32::try_from(silent.len()).unwrap_or(u32::MAX);
    totals.not_checked = totals.not_checked.saturating_add(silent);
    totals
}

impl Totals {
    fn add_site(&mut self, visits: &[(CityCode, &VisitReport)]) {
        let has = |what: &dyn Fn(&VisitReport) -> bool| visits.iter().any(|(_, one)| what(one));
        let checked = |one: &VisitReport| one.outcome == VisitOutcome::Checked;
        let on_site = |one: &VisitReport| checked(one) && one.mode == CheckMode::OnSite;
        let place = match (has(&checked), has(&on_site)) {
            (true, true) => &mut self.on_site,
            (true, false) => &mut self.off_site,
            (false, _) if has(&|one| one.outcome == VisitOutcome::NotProducing) => {
                &mut self.not_producing
            }
            (false, _) => &mut self.not_checked,
        };
        *place += 1;
        self.joint_checks += u32::from(has(&VisitReport::is_joint_check));
        let (mut departments, mut cities) = (BTreeSet::new(), BTreeSet::new());
        for (host, report) in visits.iter().filter(|(_, one)| checked(one)) {
            self.samples += report.samples;
            self.clues += report.clues;
            let city = self.cities.entry(*host).or_default();
            city.sites += u32::from(cities.insert(*host));
            for sum in [city, &mut self.all] {
                sum.visits += 1;
                sum.items += report.checks.iter().map(|check| check.items).sum::<u32>();
                sum.problems += report.problems();
            }
            for check in &report.checks {
                let sum = self.departments.entry(check.department).or_default();
                sum.sites += u32::from(departments.insert(check.department));
                sum.visits += 1;
                sum.items += check.items;
                sum.problems += check.problems;
            }
        }
        self.all.sites += u32::from(has(&checked));
    }

    /// Share of the sites checked that were only checked from afar, in tenths of a per cent,
    /// rounded half up; `None` when none was checked.
    #[must_use]
    pub fn off_site_per_mille(&self) -> Option<u32> {
        let all = self.all.sites;
        (all > 0).then(|| (self.off_site * 2_000 + all) / (all * 2))
    }
}
