//! What the checks and joint actions of a month come to.
//!
//! A check is one that a city has recorded of a site, or a visit of a plan at which something was
//! checked; the check that goes with the report of it is not counted a second time. A visit counts
//! in the month of its day, an action in that of its first day, a finding and its cases in that of
//! the visit.
//!
//! In scope: counting one site, one plan. Out of scope: which reports of a plan count (whoever
//! gathers them).
//!
//! Invariants:
//! 1. A check is counted once. (`a_visit_of_a_plan_is_one_check`)
//! 2. The sample plans and some recorded checks come to the numbers counted by hand.
//!    (`f36_checks_and_joint_actions_of_a_month_are_counted`)

use std::collections::{BTreeMap, BTreeSet};

use super::Month;
use crate::domain::date::Date;
use crate::domain::plan::{PlanStage, VisitReport};
use crate::domain::site::{CheckMode, MonthChecks};
use crate::ids::SubjectId;

/// The counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckCounts {
    /// Checks made, by a plan or without one.
    pub checks: u32,
    /// Of these, off site (非现场检查).
    pub off_site: u32,
    /// Of these, several departments together on site (进一次门、查多项事).
    pub joint: u32,
    /// Sites checked on site, each once.
    pub sites: u32,
    /// Joint actions that have begun, by their first day.
    pub actions: u32,
    /// Of these, summed up.
    pub summarized: u32,
    /// Problems found at visits of plans.
    pub problems: u32,
    /// Clues found there, to be followed up.
    pub clues: u32,
    /// Cases opened from these visits, each once.
    pub cases: u32,
}

impl CheckCounts {
    /// Both together, of records that have nothing in common.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            checks: self.checks.saturating_add(other.checks),
            off_site: self.off_site.saturating_add(other.off_site),
            joint: self.joint.saturating_add(other.joint),
            sites: self.sites.saturating_add(other.sites),
            actions: self.actions.saturating_add(other.actions),
            summarized: self.summarized.saturating_add(other.summarized),
            problems: self.problems.saturating_add(other.problems),
            clues: self.clues.saturating_add(other.clues),
            cases: self.cases.saturating_add(other.cases),
        }
    }
}

/// What is counted of a plan.
#[derive(Clone, Debug)]
pub struct Held {
    /// How far it is.
    pub stage: PlanStage,
    /// Its first day.
    pub first: Option<Date>,
    /// What came of its visits: of each the newest report, and of no other place.
    pub reports: Vec<VisitReport>,
    /// Cases opened from its visits.
    pub cases: BTreeMap<(SubjectId, u32), BTreeSet<SubjectId>>,
}

/// What one record adds to a month, or several of one agreement: a site or a case that several of
/// them name counts once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    counts: CheckCounts,
    sites: BTreeSet<SubjectId>,
    cases: BTreeSet<SubjectId>,
}

impl Tally {
    /// Of a site, by its checks of no plan.
    #[must_use]
    pub fn of_site(site: SubjectId, checks: &[MonthChecks], month: Month) -> Self {
        let mut tally = Self::default();
        let of = (month.first.year(), month.first.month());
        for one in checks.iter().filter(|one| one.month == of) {
            tally.counts.checks = one.on_site.saturating_add(one.off_site);
            tally.counts.off_site = one.off_site;
            tally.sites.extend((one.on_site > 0).then_some(site));
        }
        tally
    }

    /// Of a plan.
    #[must_use]
    pub fn of_plan(held: &Held, month: Month) -> Self {
        let mut tally = Self::default();
        let (begun, summarized) = match held.stage {
            PlanStage::Open | PlanStage::Scheduled | PlanStage::Cancelled => (false, false),
            PlanStage::Executing => (true, false),
            PlanStage::Summarized => (true, true),
        };
        if held.first.is_some_and(|first| month.has(first)) {
            tally.counts.actions = u32::from(begun);
            tally.counts.summarized = u32::from(summarized);
        }
        for report in held.reports.iter().filter(|one| month.has(one.on)) {
            tally.add_visit(report);
            let cases = held.cases.get(&(report.site, report.nth));
            tally.cases.extend(cases.into_iter().flatten());
        }
        tally
    }

    fn add_visit(&mut self, report: &VisitReport) {
        // Where nothing was checked there is neither problem nor clue.
        if !report.is_check() {
            return;
        }
        let Self { counts, sites, .. } = self;
        counts.checks += 1;
        match report.mode {
            CheckMode::OffSite => counts.off_site += 1,
            CheckMode::OnSite => {
                sites.insert(report.site);
            }
        }
        counts.joint += u32::from(report.is_joint_check());
        counts.problems = counts.problems.saturating_add(report.problems());
        counts.clues = counts.clues.saturating_add(report.clues);
    }

    /// Takes another record of the same agreement in.
    pub fn add(&mut self, other: &Self) {
        self.counts = self.counts.plus(other.counts);
        self.sites.extend(&other.sites);
        self.cases.extend(&other.cases);
    }

    /// Whether there is nothing to count.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The counts.
    #[must_use]
    pub fn counts(&self) -> CheckCounts {
        let number = |of: &BTreeSet<SubjectId>| u32::try_from(of.len()).unwrap_or(u32::MAX);
        CheckCounts { sites: number(&self.sites), cases: number(&self.cases), ..self.counts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::department::Department;
    use crate::domain::plan::{DepartmentCheck, VisitOutcome};
    use crate::domain::site::{SiteCheck, VisitException};

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn october() -> Month {
        Month::new(2026, 10, date("2026-11-28")).unwrap().unwrap()
    }

    fn id(byte: u8) -> SubjectId {
        SubjectId::new([byte; 16])
    }

    fn report(site: u8, nth: u32, on: &str, departments: &[Department]) -> VisitReport {
        let check = |department: &Department| DepartmentCheck {
            department: *department,
            items: 12,
            problems: 1,
        };
        let checks: Vec<_> = departments.iter().map(check).collect();
        VisitReport {
            site: id(site),
            nth,
            on: date(on),
            outcome: if checks.is_empty() {
                VisitOutcome::NotProducing
            } else {
                VisitOutcome::Checked
            },
            mode: CheckMode::OnSite,
            clues: u32::from(!checks.is_empty()),
            checks,
            samples: 0,
        }
    }

    const BOTH: [Department; 2] = [Department::EcologyEnvironment, Department::Water];

    /// Three visits of October, one of them from afar, one where nobody produced, one of November.
    fn held(stage: PlanStage) -> Held {
        let [one, two] = [&BOTH[..1], &BOTH];
        let afar = VisitReport { mode: CheckMode::OffSite, ..report(2, 0, "2026-10-31", two) };
        let reports = vec![
            report(1, 0, "2026-10-30", two),
            report(1, 1, "2026-10-31", one),
            afar,
            report(3, 0, "2026-10-30", &[]),
            report(3, 1, "2026-11-01", two),
        ];
        let cases = [((id(1), 0), [id(9)].into()), ((id(1), 1), [id(9), id(8)].into())];
        Held { stage, first: Some(date("2026-10-30")), reports, cases: cases.into() }
    }

    #[test]
    fn a_visit_counts_in_its_month_and_an_action_in_that_of_its_first_day() {
        let month = |month| Month::new(2026, month, date("2026-11-28")).unwrap().unwrap();
        let of = |stage, nth| Tally::of_plan(&held(stage), month(nth)).counts();
        let want = CheckCounts {
            checks: 3,
            off_site: 1,
            joint: 1,
            sites: 1,
            actions: 1,
            summarized: 1,
            problems: 5,
            clues: 3,
            cases: 2,
        };
        assert_eq!(of(PlanStage::Summarized, 10), want);
        assert_eq!(of(PlanStage::Executing, 10), CheckCounts { summarized: 0, ..want });
        // What was done before it was cancelled was done.
        let cancelled = CheckCounts { actions: 0, summarized: 0, ..want };
        assert_eq!(of(PlanStage::Cancelled, 10), cancelled);
        let november = CheckCounts {
            checks: 1,
            joint: 1,
            sites: 1,
            problems: 2,
            clues: 1,
            ..CheckCounts::default()
        };
        assert_eq!(of(PlanStage::Summarized, 11), november);
        assert!(Tally::of_plan(&held(PlanStage::Summarized), month(9)).is_empty());
    }

    #[test]
    fn a_visit_of_a_plan_is_one_check() {
        let mut months = Vec::new();
        let check = |on, mode, exception, plan: Option<u8>| SiteCheck {
            on: date(on),
            mode,
            exception,
            plan: plan.map(id),
            taken_back: false,
        };
        for one in [
            check("2026-10-31", CheckMode::OffSite, None, None),
            check("2026-09-01", CheckMode::OnSite, None, None),
            check("2026-10-01", CheckMode::OffSite, None, None),
            check("2026-10-30", CheckMode::OnSite, None, Some(7)),
            check("2026-10-02", CheckMode::OnSite, Some(VisitException::Complaint), None),
        ] {
            MonthChecks::count(&mut months, &one);
        }
        let numbers: Vec<_> =
            months.iter().map(|one| (one.month, one.on_site, one.off_site)).collect();
        assert_eq!(numbers, [((2026, 9), 1, 0), ((2026, 10), 1, 2)], "ascending, none of a plan");
        let mut tally = Tally::of_site(id(1), &months, october());
        let alone = CheckCounts { checks: 3, off_site: 2, sites: 1, ..CheckCounts::default() };
        assert_eq!(tally.counts(), alone);
        // The same site is visited by a plan as well, and by another one.
        tally.add(&Tally::of_plan(&held(PlanStage::Summarized), october()));
        tally.add(&Tally::of_plan(&held(PlanStage::Executing), october()));
        let all = tally.counts();
        assert_eq!((all.checks, all.off_site, all.sites, all.cases), (9, 4, 1, 2));
        assert_eq!((all.actions, all.summarized, all.joint), (2, 1, 2));
    }
}
