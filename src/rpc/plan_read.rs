//! Reading plans for answers: rows of the view, the texts, what they lack, visits and draws.
//!
//! In scope: one plan as a message, its summary, its calendar. Out of scope: lists
//! ([`super::plan_list`]), writing ([`super::plan_service`]).

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;

use super::plan_service::PlanApi;
use super::words::city_name;
use crate::api::request::PartContent;
use crate::domain::Language;
use crate::domain::plan::awaited::{Awaited, Heard, awaited};
use crate::domain::plan::ics::{self, Entry, Shown};
use crate::domain::plan::ready::{PlanRules, remarks, to_begin, to_schedule};
use crate::domain::plan::results::{Totals, totals};
use crate::domain::plan::summary::{Summarised, summary};
use crate::domain::plan::{PlanStage, PlanWord, Resolution, VisitReport};
use crate::domain::text::Line;
use crate::ids::{AgreementId, CityCode, Position, SubjectId};
use crate::limits::{
    CALENDAR_PLANS_MAX, CALENDAR_TEXT_CHARS_MAX, PAGE_BYTES_MAX, PLAN_ANSWERS_SHOWN_MAX,
    PLAN_CASES_SHOWN_MAX,
};
use crate::log::PartKind;
use crate::node::pieces;
use crate::node::plan_look::{Desk, Judging, Looked, PlanKey};
use crate::node::reader::Reader;
use crate::view::{self, PlanView, Spoken, WordSort};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::plan_call as call;
use crate::wire::plan_shown as write;
use crate::wire::status::{self, Refused};
use crate::wire::{plan_part as record, site, unit};

/// Cases opened from a visit.
type Followed = BTreeMap<(SubjectId, u32), BTreeSet<SubjectId>>;

impl PlanApi {
    /// One plan with everything around it, and the apply number as of which it was read.
    pub(super) fn one(&self, key: PlanKey, language: Language) -> Result<(pb::Plan, u64), Refused> {
        let reader = self.desk.node.reader();
        let rows = reader.view();
        let apply = reader.apply_number(&rows);
        let found = view::plan(&rows, key.0, key.1).ok_or(Refused::new("NOT_FOUND"))?;
        drop(rows);
        let looked = self.look(key, found.clone())?;
        let mut plan = self.written(key, &found);
        self.add_findings(key, &looked, language, &mut plan)?;
        let reports = self.reports(key, &found);
        self.add_visits(key, &looked, &reports, &mut plan);
        let sums = sums(&looked, &reports);
        plan.totals = Some(write::totals_to_pb(&sums.all));
        plan.pool = write::pool_to_pb(&looked.pool);
        plan.draw = found.plan.facts.draw().map(|_| draw(&looked));
        plan.closing_text = match found.plan.stage {
            PlanStage::Summarized | PlanStage::Cancelled => text(&reader, found.last_move),
            PlanStage::Open | PlanStage::Scheduled | PlanStage::Executing => String::new(),
        };
        Ok((plan, apply))
    }

    /// A plan as lists show it.
    pub(super) fn written(&self, (agreement, subject): PlanKey, found: &PlanView) -> pb::Plan {
        let reader = self.desk.node.reader();
        let facts = &found.plan.facts;
        let answers = self.answers((agreement, subject), found);
        pb::Plan {
            name: call::name_of(agreement, subject),
            number: number(&reader, found.opened_at),
            initiator: found.plan.initiator.as_u32(),
            state: write::state_number(found.state()),
            revision: found.plan.revision,
            revision_entry: found.plan.at.to_string(),
            etag: found.last_move.to_string(),
            kind: write::kind_number(facts.kind),
            cities: write::cities_to_pb(&facts.cities),
            departments: write::departments_to_pb(&facts.departments),
            days: write::days_to_pb(&facts.days),
            draw_rule: facts.draw().map(write::draw_rule_to_pb),
            record: texts(&reader, found.record_at),
            create_time: Some(read::timestamp(found.opened_ms)),
            answers,
            awaited: write::awaited_to_pb(&self.awaited(found)),
            reported: found.heard.reported.keys().map(|city| city.as_u32()).collect(),
            late_revisions: found.plan.late_revisions,
            needs_newer_version: found.needs_newer,
            misfit_count: found.misfit_count,
            ..pb::Plan::default()
        }
    }

    /// Who has to do what next.
    pub(super) fn awaited(&self, found: &PlanView) -> BTreeMap<CityCode, Vec<Awaited>> {
        let Some(today) = self.desk.node.today() else { return BTreeMap::new() };
        let plan = &found.plan;
        let answers = found.answers();
        let committed: BTreeSet<CityCode> = match plan.resting.attempt {
            0 => found.heard.commitments.keys().copied().collect(),
            _ => plan.resting.commitments.keys().copied().collect(),
        };
        let reported = found.heard.reported.keys().copied().collect();
        let heard = Heard {
            answers: &answers,
            committed: &committed,
            revealed: &found.heard.revealed,
            reported: &reported,
        };
        let first = plan.facts.days.first().map_or(today, |day| day.at.on);
        let before = i64::from(PlanRules::default().reveal_days_before);
        let reveal_on = first.plus_days(-before).unwrap_or(first);
        awaited(plan, heard, reveal_on, today)
    }

    fn look(&self, key: PlanKey, found: PlanView) -> Result<Looked, Refused> {
        let today = self.today()?;
        let reader = self.desk.node.reader();
        let (journal, rows) = (reader.journal(), reader.in_pieces());
        let book = self.desk.node.book();
        let agreements: Vec<AgreementId> = book.iter().map(|(id, _)| *id).collect();
        let (own, most, agreements) =
            (self.desk.node.city(), self.checks_a_year_max, agreements.as_slice());
        let desk = Desk { rows: &rows, journal: &journal, own, most, agreements, today };
        Ok(desk.look(key, found, None))
    }

    fn add_findings(
        &self,
        key: PlanKey,
        looked: &Looked,
        language: Language,
        plan: &mut pb::Plan,
    ) -> Result<(), Refused> {
        let book = self.desk.node.book();
        let charter = book.get(key.0).map(|found| (found.charter.begin_on, found.charter.end_on));
        let Some(term) = charter else { return Ok(()) };
        let (calendar, rules) = (self.due.calendar(), PlanRules::default());
        let look = looked.look(Judging { calendar, term, today: self.today()?, rules: &rules });
        let findings = match looked.view.plan.stage {
            PlanStage::Open => to_schedule(&look),
            PlanStage::Scheduled => to_begin(&look),
            PlanStage::Executing | PlanStage::Summarized | PlanStage::Cancelled => Vec::new(),
        };
        let reader = self.desk.node.reader();
        let city = |city| city_name(&self.desk.node, city);
        let called = |id| record_name(&reader, key.0, id);
        let finding = |one: &crate::domain::plan::ready::Finding| {
            write::finding_to_pb(*one, one.explain(language, &city, &called), language)
        };
        plan.findings = findings.iter().map(finding).collect();
        let remark =
            |one: &crate::domain::plan::ready::Remark| one.explain(language, &city, &called);
        plan.remarks = remarks(&look).iter().map(remark).collect();
        Ok(())
    }

    /// What the cities have reported of visits, the newest of each.
    fn reports(&self, key: PlanKey, found: &PlanView) -> Vec<(CityCode, VisitReport)> {
        let reader = self.desk.node.reader();
        let rows = reader.in_pieces();
        let mut reports: BTreeMap<(SubjectId, u32), (CityCode, VisitReport)> = BTreeMap::new();
        for city in found.plan.facts.participants() {
            let sort = (WordSort::Report, city);
            view::plan_words(&rows, key, sort, Some(found.plan.at), &mut |spoken| {
                if let PlanWord::VisitReported(report) = spoken.act.word {
                    reports.entry((report.site, report.nth)).or_insert((city, report));
                }
                true
            });
        }
        reports.into_values().collect()
    }

    fn add_visits(
        &self,
        key: PlanKey,
        looked: &Looked,
        reports: &[(CityCode, VisitReport)],
        plan: &mut pb::Plan,
    ) {
        let found = &looked.view;
        let (mut arrivals, mut cases) = (BTreeMap::new(), Followed::new());
        let reader = self.desk.node.reader();
        let rows = reader.in_pieces();
        for city in found.plan.facts.participants() {
            let revision = Some(found.plan.at);
            view::plan_words(&rows, key, (WordSort::CheckIn, city), revision, &mut |spoken| {
                if let PlanWord::CheckedIn(arrival) = spoken.act.word {
                    arrivals.entry((arrival.site, arrival.nth)).or_insert(arrival);
                }
                true
            });
            view::plan_words(&rows, key, (WordSort::Finding, city), revision, &mut |spoken| {
                if let PlanWord::FindingOpened { site, nth, case: Some(case) } = spoken.act.word {
                    cases.entry((site, nth)).or_default().insert(case);
                }
                true
            });
        }
        let targets = looked.outcome.iter().flat_map(|outcome| &outcome.targets);
        let teams: BTreeMap<SubjectId, _> =
            targets.map(|one| (one.site, (&one.lead, &one.guests))).collect();
        let units = |ids: &[SubjectId]| ids.iter().map(|id| unit::name_of(key.0, *id)).collect();
        let visit = |visit: &crate::node::plan_look::PlanVisit| {
            let place = (visit.site, visit.nth);
            let result = reports.iter().find(|(_, one)| (one.site, one.nth) == place);
            let team = teams.get(&visit.site);
            let followed = cases.get(&place).into_iter().flatten().take(PLAN_CASES_SHOWN_MAX);
            pb::PlanVisit {
                site: site::name_of(key.0, visit.site),
                city: looked.host(visit.site).map_or(0, |city| city.as_u32()),
                nth: visit.nth,
                first: visit.half_days.first().map(|at| unit::half_day_to_pb(*at)),
                last: visit.half_days.last().map(|at| unit::half_day_to_pb(*at)),
                exception: write::exception_number(visit.exception),
                by_default: visit.by_default,
                lead: team.map(|(lead, _)| units(lead)).unwrap_or_default(),
                guests: team.map(|(_, guests)| units(guests)).unwrap_or_default(),
                arrival: arrivals.get(&place).map(|one| write::arrival_to_pb(one, key.0)),
                result: result.map(|(_, one)| write::report_to_pb(one)),
                cases: followed.map(|case| read::name_of(key.0, *case)).collect(),
            }
        };
        plan.visits = looked.visits().iter().map(visit).collect();
    }

    /// The answers that count, of each city the newest.
    fn answers(&self, key: PlanKey, found: &PlanView) -> Vec<pb::PlanAnswer> {
        let reader = self.desk.node.reader();
        let resolutions = self.resolutions(key, found);
        let mut spoken: Vec<Spoken> = Vec::new();
        for (city, (place, _)) in &found.heard.answers {
            let at = (found.plan.at, *place);
            spoken.extend(view::plan_word_at(&reader.view(), key, (WordSort::Answer, *city), at));
        }
        let answer = |one: &Spoken| self.answer(key, found, one, &resolutions);
        spoken.iter().filter_map(answer).collect()
    }

    /// All answers to all revisions, the newest first.
    pub(super) fn all_answers(&self, key: PlanKey) -> Vec<pb::PlanAnswer> {
        let reader = self.desk.node.reader();
        let rows = reader.in_pieces();
        let Some(found) = view::plan(&rows, key.0, key.1) else { return Vec::new() };
        let cities: BTreeSet<CityCode> =
            found.plan.rounds.iter().flat_map(|round| round.cities.iter().copied()).collect();
        let mut spoken: Vec<Spoken> = Vec::new();
        for round in found.plan.rounds.iter().rev() {
            for city in &cities {
                for sort in [WordSort::Answer, WordSort::Comment] {
                    let mut left = PLAN_ANSWERS_SHOWN_MAX;
                    view::plan_words(&rows, key, (sort, *city), Some(round.at), &mut |one| {
                        spoken.push(one);
                        left -= 1;
                        left > 0
                    });
                }
            }
            if spoken.len() >= PLAN_ANSWERS_SHOWN_MAX {
                break;
            }
        }
        spoken.sort_by_key(|one| std::cmp::Reverse((one.record_time_ms, one.place)));
        spoken.truncate(PLAN_ANSWERS_SHOWN_MAX);
        let resolutions = self.resolutions(key, &found);
        let (mut shown, mut bytes) = (Vec::new(), 0);
        for one in &spoken {
            let Some(answer) = self.answer(key, &found, one, &resolutions) else { continue };
            bytes += answer.encoded_len();
            if bytes > PAGE_BYTES_MAX {
                break;
            }
            shown.push(answer);
        }
        shown
    }

    fn answer(
        &self,
        key: PlanKey,
        found: &PlanView,
        spoken: &Spoken,
        resolutions: &BTreeMap<Position, (Resolution, Position)>,
    ) -> Option<pb::PlanAnswer> {
        let reader = self.desk.node.reader();
        let PlanWord::Answered(answer) = &spoken.act.word else { return None };
        let facts = view::plan_facts_at(&reader.view(), spoken.act.revision);
        let days = facts.map(|facts| facts.days).unwrap_or_default();
        let mut written = write::answer_to_pb((spoken.city, answer), key.0, &days);
        let at = spoken.place.at;
        written.entry = at.to_string();
        written.revision = spoken.act.revision.to_string();
        written.answer_time = Some(read::timestamp(spoken.record_time_ms));
        written.text = text(&reader, at);
        let newest = found.heard.answers.get(&spoken.city).map(|(place, _)| *place);
        written.counts = spoken.act.revision == found.plan.at && newest == Some(spoken.place);
        if let Some((resolution, by)) = resolutions.get(&at) {
            written.resolution = write::resolution_number(*resolution);
            written.resolution_text = text(&reader, *by);
        }
        Some(written)
    }

    /// What became of answers, by the newest entry that says so.
    fn resolutions(
        &self,
        key: PlanKey,
        found: &PlanView,
    ) -> BTreeMap<Position, (Resolution, Position)> {
        let reader = self.desk.node.reader();
        let (mut all, mut newest) = (BTreeMap::new(), BTreeMap::new());
        let sort = (WordSort::Resolution, found.plan.initiator);
        view::plan_words(&reader.view(), key, sort, None, &mut |spoken| {
            if let PlanWord::AnswerResolved { answer, resolution } = spoken.act.word
                && newest.get(&answer).is_none_or(|place| *place < spoken.place)
            {
                newest.insert(answer, spoken.place);
                all.insert(answer, (resolution, spoken.place.at));
            }
            true
        });
        all
    }

    /// The summary that the results give.
    pub(super) fn summary(
        &self,
        agreement: AgreementId,
        subject: SubjectId,
    ) -> Result<String, Refused> {
        let key = (agreement, subject);
        let reader = self.desk.node.reader();
        let found = view::plan(&reader.view(), agreement, subject);
        let found = found.ok_or(Refused::new("NOT_FOUND"))?;
        let looked = self.look(key, found.clone())?;
        let reports = self.reports(key, &found);
        let mut shown = pb::Plan::default();
        self.add_visits(key, &looked, &reports, &mut shown);
        let cases: usize = shown.visits.iter().map(|visit| visit.cases.len()).sum();
        let withheld: Vec<CityCode> = found.plan.resting.withheld.iter().copied().collect();
        let title = texts(&reader, found.record_at).map(|record| record.title);
        Ok(summary(&Summarised {
            title: &title.unwrap_or_default(),
            initiator: found.plan.initiator,
            facts: &found.plan.facts,
            totals: &sums(&looked, &reports),
            cases: u32::try_from(cases).unwrap_or(u32::MAX),
            withheld: &withheld,
            late_revisions: found.plan.late_revisions,
            name: &|city| city_name(&self.desk.node, city),
        }))
    }

    /// A plan, or all plans of an agreement, as a calendar.
    pub(super) fn calendar(
        &self,
        name: &str,
        shown_of: &mut dyn FnMut(u32),
    ) -> Result<String, Refused> {
        let reader = self.desk.node.reader();
        let plans: Vec<(SubjectId, PlanView, AgreementId)> = if name.contains("/plans/") {
            let (agreement, subject) = call::name(name)?;
            let found = view::plan(&reader.view(), agreement, subject);
            vec![(subject, found.ok_or(Refused::new("NOT_FOUND"))?, agreement)]
        } else {
            let agreement = read::parent(name)?.ok_or(Refused::new("NOT_FOUND"))?;
            if self.desk.node.book().get(agreement).is_none() {
                return Err(Refused::new("NOT_FOUND"));
            }
            let mut all = Vec::new();
            pieces::plans(&reader, agreement, None, &mut |subject, view| {
                // What is still talked of is in no calendar but its own.
                if view.plan.stage != PlanStage::Open {
                    all.push((subject, view, agreement));
                }
                all.len() < CALENDAR_PLANS_MAX
            });
            all
        };
        let mut made = Vec::new();
        let mut bytes = 0;
        for (id, found, _) in &plans {
            let texts = texts(&reader, found.record_at).unwrap_or_default();
            // A calendar is no place for all that is written; the plan itself is asked for that.
            let text: String = texts.text.chars().take(CALENDAR_TEXT_CHARS_MAX).collect();
            let days = found.plan.days_max as usize;
            bytes += days * (1_024 + text.len() + texts.title.len() + texts.meeting_place.len());
            if bytes > PAGE_BYTES_MAX && !made.is_empty() {
                break;
            }
            shown_of(found.plan.initiator.as_u32());
            let organizer = city_name(&self.desk.node, found.plan.initiator);
            let stamp_ms = stamp(&reader, found.last_move, found.opened_ms);
            made.push((*id, &found.plan, texts, (text, organizer), stamp_ms));
        }
        let entries = made.iter().map(|(id, plan, texts, (text, organizer), stamp_ms)| {
            let shown =
                Shown::All { title: &texts.title, place: &texts.meeting_place, text, organizer };
            Entry { id: *id, plan, shown, stamp_ms: *stamp_ms }
        });
        Ok(ics::calendar(entries))
    }
}

/// What the reports come to.
fn sums(looked: &Looked, reports: &[(CityCode, VisitReport)]) -> Totals {
    let targets: BTreeSet<SubjectId> = looked.visits().iter().map(|one| one.site).collect();
    let of = reports.iter().filter(|(_, report)| targets.contains(&report.site));
    totals(of.map(|(city, report)| (*city, report)), targets.iter().copied())
}

fn draw(looked: &Looked) -> pb::PlanDraw {
    let resting = &looked.view.plan.resting;
    let reveals = looked.reveals.iter();
    pb::PlanDraw {
        attempt: resting.attempt,
        entry: resting.draw.map(|at| at.to_string()).unwrap_or_default(),
        committed: looked.committed.iter().map(|city| city.as_u32()).collect(),
        reveals: reveals.map(|(city, random)| write::reveal_to_pb(*city, random)).collect(),
        withheld: resting.withheld.iter().map(|city| city.as_u32()).collect(),
        seed: looked.outcome.as_ref().map(|one| one.seed.as_str().to_owned()).unwrap_or_default(),
    }
}

/// A part of an entry by its kind; `None` when it is not here.
fn content(reader: &Reader, at: Position, kind: PartKind) -> Option<PartContent> {
    let loaded = reader.entry(at).ok()?;
    let place = loaded.entry.envelope.parts.iter().position(|part| part.kind == kind)?;
    reader.part(&loaded.entry, place).ok()?
}

fn text(reader: &Reader, at: Position) -> String {
    match content(reader, at, PartKind::Text) {
        Some(PartContent::Text(text)) => text,
        Some(_) | None => String::new(),
    }
}

fn texts(reader: &Reader, at: Position) -> Option<pb::PlanRecord> {
    let content = content(reader, at, PartKind::Plan)?;
    if let PartContent::Plan(texts) = content { Some(record::record_to_pb(&texts)) } else { None }
}

fn number(reader: &Reader, at: Position) -> String {
    match content(reader, at, PartKind::PlanNumber) {
        Some(PartContent::PlanNumber(number)) => number.to_string(),
        Some(_) | None => String::new(),
    }
}

/// When an entry was written, by its author's clock.
fn stamp(reader: &Reader, at: Position, otherwise: i64) -> i64 {
    reader.entry(at).map_or(otherwise, |loaded| loaded.entry.envelope.record_time_ms)
}

/// How people call a site or a unit: a firm, a certificate number, a plate.
pub(super) fn record_name(reader: &Reader, agreement: AgreementId, id: SubjectId) -> String {
    let rows = reader.view();
    let site = view::site(&rows, agreement, id).map(|one| one.record_at());
    let unit = view::unit(&rows, agreement, id).and_then(|one| one.record_at);
    drop(rows);
    let firm = site.and_then(|at| content(reader, at, PartKind::Site));
    if let Some(PartContent::Site(record)) = firm {
        return record.name.as_str().to_owned();
    }
    let number = unit.and_then(|place| content(reader, place.at, PartKind::Unit));
    if let Some(PartContent::Unit(record)) = number {
        return Line::as_str(&record.number).to_owned();
    }
    status::short_id(id)
}
