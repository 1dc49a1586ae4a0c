//! A plan is settled, drawn, carried out and summed up.
//!
//! In scope: from the commitments to the release of units. Out of scope: what it rests on
//! ([`super::proposal`]).

use super::acts::{act, answered};
use super::sample::Sample;
use super::{Play, Player};
use crate::cli::failure::Failure;
use crate::wire::pb::v1 as pb;

impl Player<'_> {
    /// Commits to the draw, if there is one, and schedules.
    pub(super) async fn settle(&self, play: &mut Play<'_>) -> Result<(), Failure> {
        if !play.sample.has_come_to(pb::PlanState::Scheduled) {
            return Ok(());
        }
        if play.sample.draws() {
            for city in &play.sample.participants {
                let revision = play.plan.revision_entry.clone();
                act!(self, play, *city, commit_draw(CommitDrawRequest { revision }));
            }
        }
        self.step(play, pb::PlanStep::Schedule, "").await
    }

    /// Draws, begins, arrives, reports.
    pub(super) async fn carry_out(&self, play: &mut Play<'_>) -> Result<(), Failure> {
        if !play.sample.has_come_to(pb::PlanState::Executing) {
            return Ok(());
        }
        if play.sample.draws() {
            for city in &play.sample.participants {
                let revision = play.plan.revision_entry.clone();
                act!(self, play, *city, reveal_draw(RevealDrawRequest { revision }));
            }
        }
        self.step(play, pb::PlanStep::Begin, "").await?;
        for (nth, visit) in self.checked(play).into_iter().enumerate() {
            if visit.first.and_then(|at| at.on) == play.sample.first_day() {
                self.check_in(play, (nth, &visit)).await?;
            }
            self.report(play, (nth, &visit)).await?;
        }
        Ok(())
    }

    /// The visits that are checked: the first ones, of a draw those of today.
    fn checked(&self, play: &Play<'_>) -> Vec<pb::PlanVisit> {
        let sample = play.sample;
        let comes = |visit: &&pb::PlanVisit| {
            !sample.draws() || visit.first.and_then(|at| at.on) == sample.first_day()
        };
        let visits = play.plan.visits.iter().filter(comes);
        visits.take(sample.results.sites_checked).cloned().collect()
    }

    async fn check_in(
        &self,
        play: &mut Play<'_>,
        (nth, visit): (usize, &pb::PlanVisit),
    ) -> Result<(), Failure> {
        let officers = match visit.lead.as_slice() {
            [] => {
                let team = play.sample.teams.iter().find(|team| team.city == visit.city);
                let all = team.map(|team| self.units(play, visit.city, &team.officers));
                let all = all.unwrap_or_default();
                // Those of the same half day come one after the other: two teams of two.
                all.chunks(2).cycle().nth(nth).unwrap_or_default().to_vec()
            }
            drawn => drawn.to_vec(),
        };
        let revision = play.plan.revision_entry.clone();
        act!(
            self,
            play,
            visit.city,
            check_in(CheckInRequest {
                replaces: String::new(),
                revision,
                site: visit.site.clone(),
                nth: visit.nth,
                on: play.sample.first_day(),
                officers,
                guests: visit.guests.clone(),
            })
        );
        Ok(())
    }

    async fn report(
        &self,
        play: &mut Play<'_>,
        (nth, visit): (usize, &pb::PlanVisit),
    ) -> Result<(), Failure> {
        let revision = play.plan.revision_entry.clone();
        act!(
            self,
            play,
            visit.city,
            report_visit(ReportVisitRequest {
                revision,
                site: visit.site.clone(),
                nth: visit.nth,
                result: Some(result(play.sample, nth)),
                text: String::new(),
                replaces: String::new(),
            })
        );
        Ok(())
    }

    /// Reports the results, sums up and releases the units; or cancels.
    pub(super) async fn close(&self, play: &mut Play<'_>) -> Result<(), Failure> {
        let sample = play.sample;
        if sample.state == pb::PlanState::Cancelled {
            return self.step(play, pb::PlanStep::Cancel, &sample.cancel_reason).await;
        }
        if sample.has_come_to(pb::PlanState::ResultsReported) {
            for city in &sample.participants {
                let revision = play.plan.revision_entry.clone();
                act!(self, play, *city, report_results(ReportResultsRequest { revision }));
            }
        }
        if !sample.has_come_to(pb::PlanState::Summarized) {
            return Ok(());
        }
        self.step(play, pb::PlanStep::Summarize, "").await?;
        for city in &sample.participants {
            act!(self, play, *city, release_units(ReleaseUnitsRequest {}));
        }
        Ok(())
    }
}

/// What is reported of the `nth` site, so that all of them come to what is recorded.
fn result(sample: &Sample, nth: usize) -> pb::VisitResult {
    let all = sample.results;
    let (sites, place) = (
        u32::try_from(all.sites_checked).unwrap_or(1).max(1),
        u32::try_from(nth).unwrap_or(u32::MAX),
    );
    let share = |sum: u32| sum / sites + u32::from(place < sum % sites);
    let several = if nth < all.one_entry_multi_checks { 2 } else { 1 };
    let check = |(nth, department): (usize, &pb::Department)| pb::VisitCheck {
        department: (*department).into(),
        items: 12,
        problems: if nth == 0 { share(all.problems_found) } else { 0 },
    };
    pb::VisitResult {
        on: sample.first_day(),
        outcome: pb::VisitOutcome::Checked.into(),
        mode: pb::CheckMode::OnSite.into(),
        checks: sample.departments.iter().take(several).enumerate().map(check).collect(),
        samples: share(all.joint_samples),
        clues: share(all.clues_opened),
    }
}
