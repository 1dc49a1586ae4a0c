//! What the own city says to a plan: from what is asked to what will be written.
//!
//! In scope: answers, parts of a draw, visits. Out of scope: moves of the initiator
//! ([`super::plan`]), whether it is allowed ([`crate::domain::plan::decide`]).
//!
//! Invariants:
//! 1. A city books its units, and visits to its own sites, with the entry that confirms: nothing is
//!    booked when it is refused. (`f16_an_officer_is_in_one_place_at_a_time`)
//! 2. A visit that is reported as made on site is a check of its site, in the same breath.
//!    (`f30_results_by_department_and_a_summary`)
//! 3. No report and no arrival takes the place of one that its author had not read.
//!    (`a_result_is_corrected_by_whoever_has_read_the_newest_one`,
//!    `an_arrival_is_keyed_in_and_corrected_behind_the_end`)

use std::collections::BTreeSet;

use crate::api::plan::PlanSaid;
use crate::api::request::{PartContent, WriteError};
use crate::domain::draw::commitment;
use crate::domain::plan::answer::{Answer, CheckIn, PlanAct, PlanWord, Recusal, Resolution, Sent};
use crate::domain::plan::decide::{
    Arriving, Bound, Visited, decide_answer, decide_check_in, decide_commit, decide_finding,
    decide_pool, decide_release, decide_report, decide_resolution, decide_results, decide_reveal,
    decide_swap, is_late,
};
use crate::domain::plan::lots::withholding;
use crate::domain::plan::{
    AnswerKind, Plan, PlanMisfit, PlanRefusal, PlanStage, Round, VisitReport,
};
use crate::domain::site::{CheckMode, LeftOut, SiteAct, SiteCheck, Verdict, Visit, may_visit};
use crate::domain::{Date, Event, Refusal, UnitKind};
use crate::ids::{Position, SubjectId};
use crate::journal::Disk;
use crate::log::{Subject, SubjectKind};
use crate::node::core::Core;
use crate::node::core::plan::{draft_of, for_all};
use crate::node::core::site_codes::{listing_on, plants};
use crate::node::core::write::{Decided, Draft, Opening};
use crate::node::plan_look::{Judging, Looked, PlanKey};
use crate::node::plan_reserved::But;
use crate::store::Store;
use crate::view::{self, PlanView, SiteView, WordSort};

impl<D: Disk, S: Store> Core<D, S> {
    pub(super) fn say_to_plan(
        &mut self,
        key: PlanKey,
        today: Date,
        (revision, said, lifted, text): (Position, &PlanSaid, &[Recusal], Option<&str>),
    ) -> Result<Decided, WriteError> {
        let found = self.plan(key)?;
        let (act, opens) = self.decide_word(key, today, &found, (revision, said, lifted))?;
        let log = self.logs.own(key.0).ok_or(WriteError::NoLog)?.id;
        if !view::plan_takes_more(&self.group_rows(), key, log, &act) {
            return Err(Refusal::Plan(PlanMisfit::TooManyWords.into()).into());
        }
        let text = text.map(|text| for_all(PartContent::Text(text.to_owned())));
        let parts = text.into_iter().collect();
        let draft = draft_of(Some(key.1), None, Event::PlanAct(act), parts);
        let opened_at = Some(found.opened_at);
        Ok(Decided { draft, record: Some(key.1), opened_at, opens })
    }

    fn decide_word(
        &mut self,
        key: PlanKey,
        today: Date,
        found: &PlanView,
        (revision, said, lifted): (Position, &PlanSaid, &[Recusal]),
    ) -> Result<(PlanAct, Option<Opening>), WriteError> {
        let plain = |word| (PlanAct { revision, word }, None);
        // What is judged by the present revision is about that one and no other.
        let of_the_present = matches!(
            said,
            PlanSaid::Reveal
                | PlanSaid::CheckIn { .. }
                | PlanSaid::Report { .. }
                | PlanSaid::Finding { .. }
                | PlanSaid::ResultsIn
        );
        if of_the_present && revision != found.plan.at {
            let refusal = match found.plan.participants_of(revision) {
                Some(_) => PlanRefusal::OldRevision { revision: found.plan.revision },
                None => PlanMisfit::RevisionUnknown.into(),
            };
            return Err(Refusal::Plan(refusal).into());
        }
        Ok(match said {
            PlanSaid::Answer(answer) => {
                let mut answer = answer.clone();
                if let Some(sent) = answer.sent_mut() {
                    sent.keep(&self.declared(key, today, found), lifted);
                }
                self.judge_answer(key, today, found, (revision, &answer))?;
                plain(PlanWord::Answered(answer))
            }
            PlanSaid::Swap(sent) => {
                let mut sent = sent.clone();
                sent.keep(&self.declared(key, today, found), lifted);
                let act = PlanAct { revision, word: PlanWord::UnitsSwapped(sent.clone()) };
                self.judge_swap(key, today, found, (&act, &sent))?;
                (act, None)
            }
            PlanSaid::Commit => plain(self.commit_to_draw(key, today, found, revision)?),
            PlanSaid::Reveal => plain(self.reveal(key, today, found)?),
            PlanSaid::CheckIn { arrival, replaces } => {
                self.judge_arrival(key, today, found, (arrival, *replaces))?;
                plain(PlanWord::CheckedIn(arrival.clone()))
            }
            PlanSaid::Report { report, replaces } => {
                let checks = self.judge_report(key, today, found, (report, *replaces))?;
                let word = PlanWord::VisitReported(report.clone());
                let beside = (!checks.is_empty()).then_some(Opening::Beside(checks));
                (PlanAct { revision, word }, beside)
            }
            PlanSaid::Finding { site, nth, case } => {
                self.judge_finding(key, today, found, (*site, *nth, *case))?;
                plain(PlanWord::FindingOpened { site: *site, nth: *nth, case: *case })
            }
            PlanSaid::ResultsIn => {
                self.judge_results(key, today, found)?;
                plain(PlanWord::ResultsReported)
            }
            PlanSaid::Release => (self.release(key, found)?, None),
            PlanSaid::Resolve { answer, resolution } => {
                self.judge_resolution(key, found, (revision, *answer, *resolution))?;
                plain(PlanWord::AnswerResolved { answer: *answer, resolution: *resolution })
            }
        })
    }

    fn declared(&mut self, key: PlanKey, today: Date, found: &PlanView) -> Vec<Recusal> {
        let by = self.settings.city;
        self.at_desk(today, |desk| desk.declared(key, found, by))
    }

    fn before(&self, found: &PlanView) -> Option<AnswerKind> {
        found.heard.answers.get(&self.settings.city).map(|(_, kind)| *kind)
    }

    fn judge_answer(
        &mut self,
        key: PlanKey,
        today: Date,
        found: &PlanView,
        (revision, answer): (Position, &Answer),
    ) -> Result<(), WriteError> {
        if answer.sent().is_some() {
            // What is booked elsewhere, or was checked, may lie with members only.
            self.check_all_is_here(today)?;
        }
        let (by, before, basis) =
            (self.settings.city, self.before(found), self.settings.plans.clone());
        let looked = match answer.sent() {
            Some(sent) => self.look_at(key, found.clone(), Some(sent.clone()), today),
            None => Looked::bare(found.clone()),
        };
        let term = self.term(key.0)?;
        let judging = Judging { calendar: &basis.calendar, term, today, rules: &basis.rules };
        let decided = decide_answer(&looked.look(judging), by, (revision, answer), before);
        Ok(decided.map_err(Refusal::Plan)?)
    }

    fn judge_swap(
        &mut self,
        key: PlanKey,
        today: Date,
        found: &PlanView,
        (act, sent): (&PlanAct, &Sent),
    ) -> Result<(), WriteError> {
        self.check_all_is_here(today)?;
        let (by, before, basis) =
            (self.settings.city, self.before(found), self.settings.plans.clone());
        let looked = self.look_at(key, found.clone(), Some(sent.clone()), today);
        let term = self.term(key.0)?;
        let judging = Judging { calendar: &basis.calendar, term, today, rules: &basis.rules };
        Ok(decide_swap(&looked.look(judging), by, act, before).map_err(Refusal::Plan)?)
    }

    fn commit_to_draw(
        &mut self,
        key: PlanKey,
        today: Date,
        found: &PlanView,
        revision: Position,
    ) -> Result<PlanWord, WriteError> {
        let (by, rules) = (self.settings.city, self.settings.plans.rules);
        let plan = &found.plan;
        let attempt = plan.resting.attempt.saturating_add(1);
        let reveals = self.at_desk(today, |desk| desk.reveals(key, found));
        let bound = Bound {
            committed: found.heard.commitments.contains_key(&by),
            revealed: found.heard.revealed.contains(&by),
            withheld: !withholding(plan, &reveals).is_empty(),
            lost: self.lost(key, plan),
        };
        decide_commit(plan, by, (revision, attempt), bound, (&rules, today))
            .map_err(Refusal::Plan)?;
        if plan.stage == PlanStage::Open {
            let basis = self.settings.plans.clone();
            let looked = self.look_at(key, found.clone(), None, today);
            let term = self.term(key.0)?;
            let judging = Judging { calendar: &basis.calendar, term, today, rules: &basis.rules };
            decide_pool(&looked.look(judging), by).map_err(Refusal::Plan)?;
        }
        let random = self.own_random((key.1, plan.at, attempt), by);
        let commitment = commitment(key.1, plan.revision, by, &random);
        Ok(PlanWord::DrawCommitted { attempt, commitment })
    }

    fn reveal(
        &mut self,
        key: PlanKey,
        today: Date,
        found: &PlanView,
    ) -> Result<PlanWord, WriteError> {
        let (by, rules) = (self.settings.city, self.settings.plans.rules);
        let plan = &found.plan;
        // Without an attempt the table says why nothing is shown.
        let draw = plan.resting.draw.unwrap_or(plan.at);
        let random = self.own_random((key.1, plan.at, plan.resting.attempt), by);
        let revealed = &found.heard.revealed;
        if !revealed.contains(&by) && self.shown_before(key, plan) {
            return Err(Refusal::Plan(PlanRefusal::ShownBefore).into());
        }
        decide_reveal((key.1, plan), by, (draw, &random), revealed, (&rules, today))
            .map_err(Refusal::Plan)?;
        Ok(PlanWord::DrawRevealed { draw, random })
    }

    /// Whether this node cannot show what its city is bound to at the present attempt: the bytes
    /// follow from its key, and that was another one.
    pub(super) fn lost(&self, key: PlanKey, plan: &Plan) -> bool {
        let by = self.settings.city;
        let random = self.own_random((key.1, plan.at, plan.resting.attempt), by);
        let bound = plan.resting.commitments.get(&by);
        bound.is_some_and(|hash| *hash != commitment(key.1, plan.revision, by, &random))
    }

    /// Whether the own part was shown when this attempt began another time: whoever began it twice
    /// may have known these bytes when it did.
    pub(super) fn shown_before(&mut self, key: PlanKey, plan: &Plan) -> bool {
        let by = self.settings.city;
        let random = self.own_random((key.1, plan.at, plan.resting.attempt), by);
        let mut shown_before = false;
        let sort = (WordSort::Reveal, by);
        view::plan_words(&self.group_rows(), key, sort, Some(plan.at), &mut |spoken| {
            if let PlanWord::DrawRevealed { draw, random: same } = spoken.act.word {
                shown_before |= plan.resting.draw != Some(draw) && same == random;
            }
            true
        });
        shown_before
    }

    fn judge_arrival(
        &mut self,
        key: PlanKey,
        today: Date,
        found: &PlanView,
        (arrival, replaces): (&CheckIn, Option<Position>),
    ) -> Result<(), WriteError> {
        let (by, rules) = (self.settings.city, self.settings.plans.rules);
        let mut looked = self.visits_at(key, found.clone(), today);
        if is_late(&found.plan) {
            // Units are free again by then, and were there all the same.
            looked.sent = self.at_desk(today, |desk| desk.all_last_sent(key, found));
        }
        let visited = self.visited(key, &looked, arrival.site);
        let certified = self.certified(key, arrival);
        let left_out = self.left_out(key, &looked, (arrival, today));
        let arriving = Arriving { sent: &looked.sent, certified, left_out };
        decide_check_in(&found.plan, by, arrival, visited, (arriving, &rules, today))
            .map_err(Refusal::Plan)?;
        let (mut newest, visit) = (None, (arrival.site, arrival.nth));
        let sort = (WordSort::CheckIn, by);
        view::plan_words(&self.group_rows(), key, sort, Some(found.plan.at), &mut |spoken| {
            if let PlanWord::CheckedIn(one) = &spoken.act.word
                && (one.site, one.nth) == visit
            {
                newest = Some(spoken.place.at);
            }
            newest.is_none()
        });
        if newest != replaces {
            return Err(Refusal::Plan(PlanRefusal::ArrivalChanged { newest }).into());
        }
        Ok(())
    }

    /// How many of those who lead are officers of the own city whose certificates were valid.
    fn certified(&mut self, key: PlanKey, arrival: &CheckIn) -> u32 {
        let (by, rows) = (self.settings.city, self.group_rows());
        let certified = arrival.officers.iter().filter(|officer| {
            let unit = view::unit(&rows, key.0, **officer);
            unit.is_some_and(|unit| {
                let serves = unit.unit.city == by && unit.unit.kind == UnitKind::Officer;
                serves && !unit.needs_newer && unit.counted_on(arrival.on)
            })
        });
        u32::try_from(certified.count()).unwrap_or(u32::MAX)
    }

    /// Decides on a report. With it goes the check of the site, if it tells of one that is not
    /// counted yet; what a report of before counted for, and this one does not, is taken back.
    fn judge_report(
        &mut self,
        key: PlanKey,
        today: Date,
        found: &PlanView,
        (report, replaces): (&VisitReport, Option<Position>),
    ) -> Result<Vec<Draft>, WriteError> {
        let (by, rules) = (self.settings.city, self.settings.plans.rules);
        let looked = self.visits_at(key, found.clone(), today);
        let visited = self.visited(key, &looked, report.site);
        decide_report(&found.plan, by, report, visited, (&rules, today)).map_err(Refusal::Plan)?;
        let mut before = self.at_desk(today, |desk| desk.reported(key, found, by));
        before.retain(|(_, one)| (one.site, one.nth) == (report.site, report.nth));
        let newest = before.first().map(|(at, _)| *at);
        if newest != replaces {
            return Err(Refusal::Plan(PlanRefusal::ResultChanged { newest }).into());
        }
        let before = before.first().map(|(_, one)| one);
        // How and in which year it counts.
        let counts =
            |one: &VisitReport| (!one.checks.is_empty()).then_some((one.mode, one.on.year()));
        if before.and_then(counts) == counts(report) {
            return Ok(Vec::new());
        }
        let site = view::site(&self.group_rows(), key.0, report.site);
        let site = site.ok_or(WriteError::NotFound)?;
        if site.needs_newer {
            return Err(WriteError::NeedsNewerVersion);
        }
        let visits = looked.visits();
        let visit = visits.iter().find(|one| (one.site, one.nth) == (report.site, report.nth));
        let exception = visit.and_then(|visit| visit.exception);
        let check = |one: &VisitReport, taken_back| SiteCheck {
            on: one.on,
            mode: one.mode,
            exception: exception.filter(|_| one.mode == CheckMode::OnSite),
            plan: Some(key.1),
            taken_back,
        };
        let of = |one: &&VisitReport| counts(one).is_some();
        let gone = before.filter(of).map(|one| check(one, true));
        let made = Some(report).filter(of).map(|one| check(one, false));
        if made.is_some_and(|made| made.counts()) {
            self.check_counted((key, today), found, report, &site)?;
        }
        let draft = |check| Draft {
            subject: Subject { kind: SubjectKind::Site, id: Some(report.site) },
            prev: None,
            event: Event::SiteAct(SiteAct::Checked(check)),
            parts: Vec::new(),
        };
        Ok(gone.into_iter().chain(made).map(draft).collect())
    }

    /// Whether a check that is keyed in may count: there is room under the cap, and the enterprise
    /// did not stand on the positive list on that day. Of a list that a team has passed on its
    /// arrival nothing is asked again; nor of a site that was closed, which it may have been since.
    fn check_counted(
        &mut self,
        (key, today): (PlanKey, Date),
        found: &PlanView,
        report: &VisitReport,
        site: &SiteView,
    ) -> Result<(), WriteError> {
        let visit = (report.site, report.nth);
        let plants = plants(&self.group_rows(), (key.0, report.site), site);
        let (of, but) = ((site, plants.as_slice()), But::Visit(key, visit));
        let visited = self.counted(of, (report.on, today), but)?;
        let by = self.settings.city;
        let arrived = self.at_desk(today, |desk| desk.arrived(key, found, by)).contains(&visit);
        let listed = listing_on(&plants, report.on).filter(|_| !arrived);
        let listing = listed.map(|(_, listing)| listing);
        let visit = Visit { on: report.on, closed: false, listing, visited, exception: None };
        match may_visit(&visit) {
            Verdict::Fine | Verdict::Excepted { .. } => Ok(()),
            Verdict::LeftOut(why) => {
                Err(Refusal::Plan(PlanRefusal::VisitStopped { site: report.site, why }).into())
            }
        }
    }

    fn judge_finding(
        &mut self,
        key: PlanKey,
        today: Date,
        found: &PlanView,
        (site, nth, case): (SubjectId, u32, Option<SubjectId>),
    ) -> Result<(), WriteError> {
        let by = self.settings.city;
        let looked = self.visits_at(key, found.clone(), today);
        let reports = self.at_desk(today, |desk| desk.reports(key, found, by));
        let newest = reports.iter().find(|one| (one.site, one.nth) == (site, nth));
        let reported = newest.is_some_and(|one| one.clues > 0);
        let mut cities = Vec::new();
        if let Some(case) = case {
            let known = view::case(&self.group_rows(), key.0, case).map(|view| view.case);
            let known = known.ok_or(Refusal::Plan(PlanRefusal::CaseUnknown { case }))?;
            cities = vec![known.originating, known.handling];
        }
        let visited = self.visited(key, &looked, site);
        let visited = (visited, reported, cities.as_slice());
        Ok(decide_finding(&found.plan, by, (site, nth, case), visited).map_err(Refusal::Plan)?)
    }

    fn judge_results(
        &mut self,
        key: PlanKey,
        today: Date,
        found: &PlanView,
    ) -> Result<(), WriteError> {
        let by = self.settings.city;
        let looked = self.visits_at(key, found.clone(), today);
        let reports = self.at_desk(today, |desk| desk.reports(key, found, by));
        let reported: BTreeSet<_> = reports.iter().map(|one| (one.site, one.nth)).collect();
        let visits = looked.visits();
        let own = visits.iter().filter(|visit| looked.host(visit.site) == Some(by));
        let missing: Vec<SubjectId> = own
            .filter(|visit| !reported.contains(&(visit.site, visit.nth)))
            .map(|visit| visit.site)
            .collect();
        let missing = looked.not_drawn().map_or(Ok(missing.as_slice()), Err);
        Ok(decide_results(&found.plan, by, missing, today).map_err(Refusal::Plan)?)
    }

    fn release(&mut self, key: PlanKey, found: &PlanView) -> Result<PlanAct, WriteError> {
        let by = self.settings.city;
        let rows = self.group_rows();
        let booked = view::booked(&rows, key, by);
        let round = booked.and_then(|booked| {
            let facts = view::plan_facts_at(&rows, booked.revision)?;
            Some(Round { at: booked.revision, cities: facts.participants().collect() })
        });
        Ok(decide_release(&found.plan, by, round.as_ref()).map_err(Refusal::Plan)?)
    }

    fn judge_resolution(
        &mut self,
        key: PlanKey,
        found: &PlanView,
        (revision, answer, resolution): (Position, Position, Resolution),
    ) -> Result<(), WriteError> {
        // What leans on a suspension is named in no entry, and so would not be seen by this one.
        self.check_leaning(key.0, key.1, Some(answer))?;
        let by = self.settings.city;
        let rows = self.group_rows();
        let mut answers = Vec::new();
        for city in found.plan.participants_of(revision).unwrap_or_default() {
            for sort in [WordSort::Answer, WordSort::Comment] {
                view::plan_words(&rows, key, (sort, *city), Some(revision), &mut |spoken| {
                    answers.push(spoken.place.at);
                    true
                });
            }
        }
        let named = (revision, answer, resolution);
        Ok(decide_resolution(&found.plan, by, named, &answers).map_err(Refusal::Plan)?)
    }

    /// What is known of visits of a plan to a site, which the plan need not name.
    fn visited(&mut self, key: PlanKey, looked: &Looked, site: SubjectId) -> Visited {
        let visits = looked.visits();
        let here = visits.iter().filter(|visit| visit.site == site);
        let found = view::site(&self.group_rows(), key.0, site);
        Visited {
            host: looked.host(site).or(found.map(|found| found.city)),
            visits: u32::try_from(here.count()).unwrap_or(u32::MAX),
        }
    }

    /// What stands against a visit on the day of an arrival, by the list of all plants of the
    /// enterprise; the cap is judged when visits are reserved. What is closed today may have been
    /// closed since an earlier day: no entry tells from when on.
    fn left_out(
        &mut self,
        key: PlanKey,
        looked: &Looked,
        (arrival, today): (&CheckIn, Date),
    ) -> Option<LeftOut> {
        let (site, on) = (arrival.site, arrival.on);
        let visits = looked.visits();
        let visit = visits.iter().find(|one| (one.site, one.nth) == (site, arrival.nth));
        let exception = visit.and_then(|one| one.exception);
        let rows = self.group_rows();
        let found = view::site(&rows, key.0, site)?;
        let plants = plants(&rows, (key.0, site), &found);
        let closed = found.facts.1.closed && today <= on;
        let listing = listing_on(&plants, on).map(|(_, one)| one);
        let visited = crate::domain::site::Visited::default();
        let verdict = may_visit(&Visit { on, closed, listing, visited, exception });
        if let Verdict::LeftOut(why) = verdict { Some(why) } else { None }
    }
}
