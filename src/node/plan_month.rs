//! What of a plan the statistics of a month count: how far it is, what came of its visits, which
//! cases were opened from them.
//!
//! In scope: gathering. Out of scope: counting ([`crate::domain::statistics`]).

use std::collections::{BTreeMap, BTreeSet};

use super::plan_look::{Desk, PlanKey};
use crate::domain::plan::{PlanWord, VisitReport};
use crate::domain::statistics::Held;
use crate::ids::SubjectId;
use crate::journal::Disk;
use crate::view::{self, PlanView, ReadRows, WordSort};

impl<R: ReadRows, D: Disk> Desk<'_, R, D> {
    /// What is counted of a plan.
    #[must_use]
    pub fn held(&self, key: PlanKey, view: PlanView) -> Held {
        let stage = view.plan.stage;
        let first = view.plan.facts.days.first().map(|day| day.at.on);
        let mut newest: BTreeMap<(SubjectId, u32), VisitReport> = BTreeMap::new();
        for city in view.plan.facts.participants() {
            for report in self.reports(key, &view, city) {
                newest.entry((report.site, report.nth)).or_insert(report);
            }
        }
        if newest.is_empty() {
            return Held { stage, first, reports: Vec::new(), cases: BTreeMap::new() };
        }
        let cases = self.followed(key, &view);
        let visits = self.visits(key, view).visits();
        let targets: BTreeSet<_> = visits.iter().map(|visit| (visit.site, visit.nth)).collect();
        newest.retain(|place, _| targets.contains(place));
        Held { stage, first, reports: newest.into_values().collect(), cases }
    }

    /// Cases opened from each visit.
    fn followed(
        &self,
        key: PlanKey,
        view: &PlanView,
    ) -> BTreeMap<(SubjectId, u32), BTreeSet<SubjectId>> {
        let mut cases: BTreeMap<_, BTreeSet<SubjectId>> = BTreeMap::new();
        for city in view.plan.facts.participants() {
            let (sort, revision) = ((WordSort::Finding, city), Some(view.plan.at));
            view::plan_words(self.rows, key, sort, revision, &mut |spoken| {
                if let PlanWord::FindingOpened { site, nth, case: Some(case) } = spoken.act.word {
                    cases.entry((site, nth)).or_default().insert(case);
                }
                true
            });
        }
        cases
    }
}
