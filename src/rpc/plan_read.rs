//! Reading plans for answers: rows of the view, the texts, what they lack, and draws.
//!
//! In scope: one plan as a message. Out of scope: its visits
//! ([`super::plan_visits`]), its answers ([`super::plan_answers`]), calendars
//! ([`super::plan_calendar`]), lists ([`super::plan_list`]), writing ([`super::plan_service`]).

use prost::Message;

use super::case_history::hash_out;
use super::plan_service::PlanApi;
use super::plan_visits::Keyed;
use super::words::{city_name, record_name};
use crate::api::request::PartContent;
use crate::domain::plan::ready::{Remark, remarks, to_begin, to_schedule};
use crate::domain::plan::{CheckIn, PlanStage, VisitReport};
use crate::domain::{HalfDay, Language};
use crate::ids::{AgreementId, Position};
use crate::limits::PLAN_FINDINGS_BYTES_MAX;
use crate::log::PartKind;
use crate::node::plan_look::{Desk, Judging, Looked, PlanKey};
use crate::node::plan_roll::awaited_on;
use crate::node::reader::Reader;
use crate::view::{self, PlanView};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::plan_call as call;
use crate::wire::plan_part as record;
use crate::wire::plan_shown as write;
use crate::wire::status::Refused;

impl PlanApi {
    /// One plan with everything around it, and the apply number as of which it was read.
    pub(super) fn one(&self, key: PlanKey, language: Language) -> Result<(pb::Plan, u64), Refused> {
        let reader = self.desk.node.reader();
        let rows = reader.view();
        let apply = reader.apply_number(&rows);
        let found = view::plan(&rows, key.0, key.1).ok_or(Refused::new("NOT_FOUND"))?;
        let booked = view::booked(&rows, key, self.desk.node.city());
        drop(rows);
        let looked = self.look(key, found.clone())?;
        let mut plan = self.written(key, &found);
        let (arrivals, reports) = (self.arrivals(key, &found), self.reports(key, &found));
        self.add_findings((key, language), &looked, (&arrivals, &reports), &mut plan)?;
        self.add_visits(key, &looked, (&arrivals, &reports), &mut plan);
        let sums = looked.totals(reports.values().map(|one| (one.city, &one.said)));
        plan.totals = Some(write::totals_to_pb(&sums.all));
        plan.pool = write::pool_to_pb(&looked.pool);
        plan.draw = found.plan.facts.draw().map(|_| draw(&looked));
        plan.previous = previous(&reader, key, &found);
        let hash = |at| reader.entry(at).map(|one| hash_out(&one.entry)).unwrap_or_default();
        (plan.revision_hash, plan.move_hash) = (hash(found.plan.at), hash(found.last_move));
        let today = self.today()?;
        let booked = booked.filter(|one| {
            let holds = one.hold_until.is_none_or(|until| today <= until);
            holds && HalfDay::morning(today).number() <= one.ends
        });
        plan.booked_revision = booked.map(|one| one.revision.to_string()).unwrap_or_default();
        plan.last_move = last_move(&reader, key.0, found.last_move);
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
        let rules = self.desk.node.plan_rules();
        let awaited = self.desk.node.today().map(|today| awaited_on(found, &rules, today));
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
            awaited: awaited.as_ref().map(write::awaited_to_pb).unwrap_or_default(),
            reported: found.heard.reported.keys().map(|city| city.as_u32()).collect(),
            late_revisions: found.plan.late_revisions,
            needs_newer_version: found.needs_newer,
            misfit_count: found.misfit_count,
            ..pb::Plan::default()
        }
    }

    fn look(&self, key: PlanKey, found: PlanView) -> Result<Looked, Refused> {
        let today = self.today()?;
        let reader = self.desk.node.reader();
        let (journal, rows) = (reader.journal(), reader.in_pieces());
        let book = self.desk.node.book();
        let agreements: Vec<AgreementId> = book.iter().map(|(id, _)| *id).collect();
        let (own, most, agreements) =
            (self.desk.node.city(), self.checks_a_year_max, agreements.as_slice());
        let rules = self.desk.node.plan_rules();
        let desk = Desk { rows: &rows, journal: &journal, own, most, agreements, today, rules };
        Ok(desk.look(key, found, None))
    }

    fn add_findings(
        &self,
        (key, language): (PlanKey, Language),
        looked: &Looked,
        said: (&Keyed<CheckIn>, &Keyed<VisitReport>),
        plan: &mut pb::Plan,
    ) -> Result<(), Refused> {
        let book = self.desk.node.book();
        let charter = book.get(key.0).map(|found| (found.charter.begin_on, found.charter.end_on));
        let Some(term) = charter else { return Ok(()) };
        let (calendar, rules) = (self.due.calendar(), self.desk.node.plan_rules());
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
        let mut bytes = 0;
        for one in &findings {
            let shown = finding(one);
            bytes += shown.encoded_len();
            if bytes > PLAN_FINDINGS_BYTES_MAX {
                plan.findings_are_partial = true;
                break;
            }
            plan.findings.push(shown);
        }
        let mut all = remarks(&look);
        // Only this node can tell, and only of its own city.
        if reader.cannot_show(key, &looked.view, self.desk.node.city()) {
            all.push(Remark::KeyChanged);
        }
        all.extend(self.unlike_the_draw(key, looked, said.0)?);
        all.extend(Self::of_arrivals(looked, said));
        plan.remarks = all.iter().map(|one| one.explain(language, &city, &called)).collect();
        Ok(())
    }
}

/// What the revision before said; its texts as they were proposed, without amendments.
fn previous(reader: &Reader, key: PlanKey, found: &PlanView) -> Option<pb::PlanRevision> {
    let place = found.plan.rounds.len().checked_sub(2)?;
    let at = found.plan.rounds.get(place)?.at;
    let facts = view::plan_facts_at(&reader.view(), at)?;
    Some(pb::PlanRevision {
        revision: found.plan.revision.saturating_sub(1),
        entry: at.to_string(),
        record: texts(reader, at),
        ..write::revision_to_pb(&facts, key.0)
    })
}

fn last_move(reader: &Reader, agreement: AgreementId, at: Position) -> Option<pb::PlanMove> {
    let entry = reader.entry(at).ok()?.entry;
    let by = entry.envelope.actor.and_then(|actor| reader.certificate(agreement, actor.id));
    Some(pb::PlanMove {
        header: read::header(&entry.header),
        move_time: Some(read::timestamp(entry.envelope.record_time_ms)),
        moved_by: by.unwrap_or_default(),
    })
}

fn draw(looked: &Looked) -> pb::PlanDraw {
    let plan = &looked.view.plan;
    let (resting, reveals) = (&plan.resting, looked.reveals.iter());
    pb::PlanDraw {
        attempt: resting.attempt,
        entry: resting.draw.map(|at| at.to_string()).unwrap_or_default(),
        committed: looked.committed.iter().map(|city| city.as_u32()).collect(),
        reveals: reveals.map(|(city, random)| write::reveal_to_pb(*city, random)).collect(),
        withheld: resting.withheld.iter().map(|city| city.as_u32()).collect(),
        silent: plan.silent.iter().map(|city| city.as_u32()).collect(),
        cancelled_late: plan.late_cancel,
        commitments: resting
            .commitments
            .iter()
            .map(|(city, commitment)| write::commitment_to_pb(*city, *commitment))
            .collect(),
        seed: looked.outcome.as_ref().map(|one| one.seed.as_str().to_owned()).unwrap_or_default(),
        officers: looked
            .outcome
            .iter()
            .flat_map(|one| &one.officers)
            .map(|(city, sent)| write::officers_to_pb(*city, sent))
            .collect(),
    }
}

/// A part of an entry by its kind; `None` when it is not here.
pub(super) fn content(reader: &Reader, at: Position, kind: PartKind) -> Option<PartContent> {
    let loaded = reader.entry(at).ok()?;
    let place = loaded.entry.envelope.parts.iter().position(|part| part.kind == kind)?;
    reader.part(&loaded.entry, place).ok()?
}

pub(super) fn text(reader: &Reader, at: Position) -> String {
    match content(reader, at, PartKind::Text) {
        Some(PartContent::Text(text)) => text,
        Some(_) | None => String::new(),
    }
}

pub(super) fn texts(reader: &Reader, at: Position) -> Option<pb::PlanRecord> {
    let content = content(reader, at, PartKind::Plan)?;
    if let PartContent::Plan(texts) = content { Some(record::record_to_pb(&texts)) } else { None }
}

pub(super) fn number(reader: &Reader, at: Position) -> String {
    match content(reader, at, PartKind::PlanNumber) {
        Some(PartContent::PlanNumber { number, .. }) => number.to_string(),
        Some(_) | None => String::new(),
    }
}
