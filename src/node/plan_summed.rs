//! What the reports of a plan come to, and its summary (行动总结).
//!
//! The writer makes the summary, of what the entry that carries it will have seen and of nothing
//! else: a correction that comes at the same moment is in the text, or stands behind it in the log.
//! (`a_summary_has_the_results_that_stood_when_it_was_written`)
//!
//! In scope: gathering. Out of scope: adding up ([`crate::domain::plan::results`]), the sentences
//! ([`crate::domain::plan::summary`]).

use std::collections::{BTreeMap, BTreeSet};

use crate::api::request::PartContent;
use crate::domain::plan::results::{Totals, totals};
use crate::domain::plan::summary::{Summarised, summary};
use crate::domain::plan::{PlanWord, VisitReport};
use crate::ids::{CityCode, Position, SubjectId};
use crate::journal::Disk;
use crate::log::PartKind;
use crate::node::plan_look::{Desk, Looked, PlanKey};
use crate::view::{self, PlanView, ReadRows, WordSort};

impl Looked {
    /// What the newest reports of visits come to, each with its city.
    #[must_use]
    pub fn totals<'a>(&self, reports: impl Iterator<Item = (CityCode, &'a VisitReport)>) -> Totals {
        let targets: BTreeSet<SubjectId> = self.visits().iter().map(|one| one.site).collect();
        totals(reports.filter(|(_, one)| targets.contains(&one.site)), targets.iter().copied())
    }
}

impl<R: ReadRows, D: Disk> Desk<'_, R, D> {
    /// The summary that the results give: of the entries that whoever writes it `saw`.
    #[must_use]
    pub fn summary(
        &self,
        key: PlanKey,
        found: &PlanView,
        saw: &dyn Fn(Position) -> bool,
        name: &dyn Fn(CityCode) -> String,
    ) -> String {
        let looked = self.visits(key, found.clone());
        let visits = looked.visits();
        let visits: BTreeSet<_> = visits.iter().map(|one| (one.site, one.nth)).collect();
        let mut newest: BTreeMap<(SubjectId, u32), (CityCode, VisitReport)> = BTreeMap::new();
        let mut cases = BTreeSet::new();
        for city in found.plan.facts.participants() {
            for (_, report) in self.reported(key, found, city).into_iter().filter(|one| saw(one.0))
            {
                newest.entry((report.site, report.nth)).or_insert((city, report));
            }
            let sort = (WordSort::Finding, city);
            view::plan_words(self.rows, key, sort, Some(found.plan.at), &mut |spoken| {
                if let PlanWord::FindingOpened { site, nth, case: Some(case) } = spoken.act.word
                    && visits.contains(&(site, nth))
                    && saw(spoken.place.at)
                {
                    // One case may have come of several visits.
                    cases.insert(case);
                }
                true
            });
        }
        let record = self.content(found.record_at, PartKind::Plan);
        let title = match &record {
            Some(PartContent::Plan(record)) => record.title.as_str(),
            Some(_) | None => "",
        };
        summary(&Summarised {
            title,
            initiator: found.plan.initiator,
            facts: &found.plan.facts,
            totals: &looked.totals(newest.values().map(|(city, report)| (*city, report))),
            cases: u32::try_from(cases.len()).unwrap_or(u32::MAX),
            withheld: &found.plan.resting.withheld,
            silent: &found.plan.silent,
            late_revisions: found.plan.late_revisions,
            name,
        })
    }
}
