//! Plans of joint action: from what the initiator asks to what will be written.
//!
//! In scope: numbers, etags, what an own move may rest on, parts. Out of scope: who may move what
//! ([`crate::domain::plan`]), what the cities say ([`super::plan_acts`]), what is known around a
//! plan ([`crate::node::plan_look`]), building entries ([`super::write`]).
//!
//! Invariants:
//! 1. A number of an own system belongs to one plan of the city.
//!    (`a_plans_own_number_is_unique_in_its_city`)
//!
//! What a move rests on is what its entry will name as seen: heads that are sure here, and what the
//! log has named before. What is applied and not sure is not seen yet, and not rested on.

use std::collections::BTreeMap;

use crate::api::plan::{PlanAsk, PlanAsked, PlanStep};
use crate::api::request::{NewPart, PartContent, WriteError};
use crate::domain::plan::decide::{
    Time, decide_begin, decide_open, decide_plain, decide_redraw, decide_revise, decide_schedule,
    decide_sites, decide_summarize,
};
use crate::domain::plan::lots::{PoolSite, is_pool_of};
use crate::domain::plan::ready::Finding;
use crate::domain::plan::{
    Plan, PlanFacts, PlanMisfit, PlanMove, PlanMoveKind, PlanNumber, PlanRecord, PlanRefusal,
    PlanStage, Seen, Sent,
};
use crate::domain::site::Visited;
use crate::domain::text::Text;
use crate::domain::{Date, Event, ExternalRef, Misfit, Refusal};
use crate::ids::{AgreementId, CityCode, LogId, Position, SubjectId, Tag};
use crate::journal::Disk;
use crate::limits::{FREE_TEXT_BYTES_MAX, PLAN_NUMBER_MAX};
use crate::log::{Audience, PartKind, Subject, SubjectKind};
use crate::node::core::site_codes::{Plant, checks_made};
use crate::node::core::write::{Decided, Draft, Opening};
use crate::node::core::{Core, keys};
use crate::node::own_part;
use crate::node::plan_look::{Desk, Judging, Looked, PlanKey};
use crate::node::plan_reserved::But;
use crate::store::Store;
use crate::view::{self, PlanView, ReadRows, Rows, SiteView, WordSort};

impl<D: Disk, S: Store> Core<D, S> {
    pub(super) fn decide_plan(
        &mut self,
        agreement: AgreementId,
        log: LogId,
        today: Date,
        ask: &PlanAsk,
    ) -> Result<Decided, WriteError> {
        match (&ask.what, ask.subject) {
            (PlanAsked::Open { facts, record, pool, from }, _) => {
                self.check_draft(agreement, from.as_ref())?;
                let draft = from.as_ref().map(|(draft, _)| *draft);
                self.open_plan(agreement, today, (facts, record, pool), draft)
            }
            (_, None) => Err(WriteError::NotFound),
            (PlanAsked::Move { etag, step }, Some(subject)) => {
                self.move_plan((agreement, subject), log, today, (*etag, step))
            }
            (PlanAsked::Say { revision, word, lifted, text }, Some(subject)) => {
                let said = (*revision, word, lifted.as_slice(), text.as_deref());
                self.say_to_plan((agreement, subject), today, said)
            }
        }
    }

    fn open_plan(
        &mut self,
        agreement: AgreementId,
        today: Date,
        (facts, record, pool): (&PlanFacts, &PlanRecord, &[PoolSite]),
        draft: Option<SubjectId>,
    ) -> Result<Decided, WriteError> {
        self.check_external((None, today), record)?;
        let (by, members) = (self.settings.city, self.logs.members(agreement).to_vec());
        let basis = self.settings.plans.clone();
        let term = self.term(agreement)?;
        let time = Time { calendar: &basis.calendar, term, today, rules: &basis.rules };
        let opened = decide_open(by, facts.clone(), &members, time).map_err(Refusal::Plan)?;
        let PlanMove::Opened { facts } = opened else { return Err(WriteError::NotFound) };
        self.check_sites(agreement, &facts, pool)?;
        let mut parts = parts_of(&facts, record, pool)?;
        let (number, opening) = self.next_plan_number(agreement, today)?;
        parts.push(for_all(PartContent::PlanNumber { number, draft }));
        let draft = draft_of(None, None, Event::PlanOpened { facts }, parts);
        Ok(Decided { draft, record: None, opened_at: None, opens: Some(opening) })
    }

    /// The number people say, counted per city, agreement and year: it tells nobody of plans in
    /// other agreements.
    fn next_plan_number(
        &mut self,
        agreement: AgreementId,
        today: Date,
    ) -> Result<(PlanNumber, Opening), WriteError> {
        let year = today.year();
        let row = self.group_rows().get(&keys::plan_counter(agreement, year));
        let last = row.and_then(|row| row.try_into().ok()).map_or(0, u32::from_be_bytes);
        let number = last.saturating_add(1);
        if number > PLAN_NUMBER_MAX {
            return Err(Refusal::Plan(PlanRefusal::NumbersUsedUp { year }).into());
        }
        let text = PlanNumber {
            city: self.settings.city,
            year: u16::try_from(year).map_err(|_| WriteError::OutsideTerm)?,
            number,
        };
        Ok((text, Opening::PlanNumber { year, number }))
    }

    /// Whether the own number of a plan is free: one that another plan of this city has is not, in
    /// whichever agreement. A plan that was given another number since has let its old one go.
    fn check_external(
        &mut self,
        (own, today): (Option<PlanKey>, Date),
        record: &PlanRecord,
    ) -> Result<(), WriteError> {
        let Some(external) = &record.external_ref else { return Ok(()) };
        let key = keys::external(self.plan_external_tag(external));
        let taken = self.group_rows().get(&key);
        let Some(other) = taken.as_deref().and_then(keys::parse_case_value) else { return Ok(()) };
        if own == Some(other) {
            return Ok(());
        }
        let still = self.at_desk(today, |desk| {
            let plan = view::plan(desk.rows, other.0, other.1)?;
            desk.content(plan.record_at, PartKind::Plan)
        });
        match still {
            Some(PartContent::Plan(of)) if of.external_ref.as_ref() != Some(external) => Ok(()),
            // What cannot be read may still have it.
            Some(_) | None => {
                let field = "record.external_number";
                Err(WriteError::ExternalRefTaken { taken_by: other.1, field })
            }
        }
    }

    fn plan_external_tag(&self, external: &ExternalRef) -> Tag {
        let system = external.system.as_str().as_bytes();
        let number = external.number.as_str().as_bytes();
        self.node_key.tag(&[b"external of a plan", system, number])
    }

    /// Notes the own number that an own plan has from this entry on.
    pub(super) fn index_external(&mut self, key: PlanKey, at: Position, record: &PlanRecord) {
        let Some(external) = &record.external_ref else { return };
        let counts = view::plan(&self.group_rows(), key.0, key.1);
        // A move that had no effect gives a plan no number.
        if counts.is_some_and(|plan| plan.record_at == at) {
            let row = keys::external(self.plan_external_tag(external));
            self.group_rows().put(row, keys::case_value(key.0, key.1));
        }
    }

    /// A plan that this node may write about.
    pub(super) fn plan(&mut self, key: PlanKey) -> Result<PlanView, WriteError> {
        let found = view::plan(&self.group_rows(), key.0, key.1).ok_or(WriteError::NotFound)?;
        if found.needs_newer {
            return Err(WriteError::NeedsNewerVersion);
        }
        self.check_leaning(key.0, key.1, None)?;
        let by = self.settings.city;
        if !self.logs.members(key.0).contains(&by) {
            return Err(Refusal::from(Misfit::NotAMember { city: by }).into());
        }
        Ok(found)
    }

    fn move_plan(
        &mut self,
        key: PlanKey,
        log: LogId,
        today: Date,
        (etag, step): (Position, &PlanStep),
    ) -> Result<Decided, WriteError> {
        let found = self.plan(key)?;
        if found.last_move != etag {
            return Err(WriteError::StaleEtag { current: found.last_move });
        }
        // After a restore the own chain may have gone on, in entries that only members have.
        self.check_recovery(key.0, log, found.opened_at)?;
        let (mv, parts) = self.decide_step(key, log, today, (&found, step))?;
        let (prev, opened_at) = (Some(found.last_move), Some(found.opened_at));
        let draft = draft_of(Some(key.1), prev, Event::PlanMove(mv), parts);
        Ok(Decided { draft, record: Some(key.1), opened_at, opens: None })
    }

    fn decide_step(
        &mut self,
        key: PlanKey,
        log: LogId,
        today: Date,
        (found, step): (&PlanView, &PlanStep),
    ) -> Result<(PlanMove, Vec<NewPart>), WriteError> {
        let (by, members) = (self.settings.city, self.logs.members(key.0).to_vec());
        let basis = self.settings.plans.clone();
        let term = self.term(key.0)?;
        let time = Time { calendar: &basis.calendar, term, today, rules: &basis.rules };
        let judging = Judging { calendar: &basis.calendar, term, today, rules: &basis.rules };
        let seen = self.seen_of(key, log, found);
        let plan = &found.plan;
        let said = |text: &str| vec![for_all(PartContent::Text(text.to_owned()))];
        let refused = |refusal: PlanRefusal| WriteError::from(Refusal::Plan(refusal));
        let plain = |mv| decide_plain(plan, by, mv, found.all_reported(), &members);
        match step {
            PlanStep::Revise { facts, record, pool } => {
                self.check_external((Some(key), today), record)?;
                let lost = self.lost(key, plan) || self.shown_before(key, plan);
                let facts = (facts.clone(), &seen, lost);
                let mv = decide_revise(plan, by, facts, &members, time).map_err(refused)?;
                self.check_unvisited(key, plan).map_err(refused)?;
                let PlanMove::Revised { facts } = &mv else { return Err(WriteError::NotFound) };
                self.check_sites(key.0, facts, pool)?;
                let parts = parts_of(facts, record, pool)?;
                Ok((mv, parts))
            }
            PlanStep::Amend { record } => {
                self.check_external((Some(key), today), record)?;
                let part = for_all(PartContent::Plan(record.clone()));
                Ok((plain(PlanMove::Amended).map_err(refused)?, vec![part]))
            }
            PlanStep::Schedule => {
                let looked = self.look_at(key, found.clone(), None, today);
                let mv = decide_schedule(&looked.look(judging), by, &seen, &members);
                Ok((mv.map_err(refused)?, Vec::new()))
            }
            PlanStep::Redraw => {
                let looked = self.look_at(key, found.clone(), None, today);
                let by_rules = (members.as_slice(), &basis.rules, today);
                let mv = decide_redraw(plan, by, (&seen, &looked.reveals), by_rules);
                Ok((mv.map_err(refused)?, Vec::new()))
            }
            PlanStep::Begin => {
                let looked = self.look_at(key, found.clone(), None, today);
                let mv = decide_begin(&looked.look(judging), by, &members).map_err(refused)?;
                Ok((mv, Vec::new()))
            }
            PlanStep::Summarize { words } => {
                let mv = decide_summarize(plan, by, &seen, &members).map_err(refused)?;
                let text = self.summary(key, (log, today), found, words.as_deref())?;
                Ok((mv, said(&text)))
            }
            PlanStep::Cancel { text } => {
                Ok((plain(PlanMove::Cancelled).map_err(refused)?, said(text)))
            }
        }
    }

    /// Whether the sites of a revision are known here, and stand where it says.
    fn check_sites(
        &mut self,
        agreement: AgreementId,
        facts: &PlanFacts,
        pool: &[PoolSite],
    ) -> Result<(), WriteError> {
        let rows = self.group_rows();
        let city = |site| view::site(&rows, agreement, site).map(|found| found.city);
        Ok(decide_sites(facts, pool, &city).map_err(Refusal::Plan)?)
    }

    /// Everything around a plan; with `sends`, as if the own city had answered with it.
    pub(super) fn look_at(
        &mut self,
        key: PlanKey,
        found: PlanView,
        sends: Option<Sent>,
        today: Date,
    ) -> Looked {
        let own = self.settings.city;
        self.at_desk(today, |desk| desk.look(key, found, sends.map(|sent| (own, sent))))
    }

    /// A plan with its visits, and without units and caps.
    pub(super) fn visits_at(&mut self, key: PlanKey, found: PlanView, today: Date) -> Looked {
        self.at_desk(today, |desk| desk.visits(key, found))
    }

    /// Lets something be read where everything is.
    pub(super) fn at_desk<T>(
        &mut self,
        today: Date,
        read: impl FnOnce(&Desk<'_, crate::node::core::group::GroupRows<'_, S>, D>) -> T,
    ) -> T {
        let (own, most) = (self.settings.city, self.settings.site_checks_a_year_max);
        let rules = self.settings.plans.rules;
        let agreements: Vec<AgreementId> = self.book.iter().map(|(id, _)| *id).collect();
        let journal = self.journal.reader();
        let rows = self.group_rows();
        let agreements = agreements.as_slice();
        read(&Desk { rows: &rows, journal: &journal, own, most, agreements, today, rules })
    }

    /// Where a team has arrived a plan is under way, whether or not its initiator has said so:
    /// another revision would make nothing of what was done.
    fn check_unvisited(&mut self, key: PlanKey, plan: &Plan) -> Result<(), PlanRefusal> {
        let (rows, mut visited) = (self.group_rows(), false);
        for city in plan.facts.participants() {
            for sort in [WordSort::CheckIn, WordSort::Report] {
                view::plan_words(&rows, key, (sort, city), Some(plan.at), &mut |_| {
                    visited = true;
                    false
                });
            }
        }
        let (stage, kind) = (PlanStage::Executing, PlanMoveKind::Revise);
        if visited { Err(PlanMisfit::StageForbids { stage, kind }.into()) } else { Ok(()) }
    }

    /// Checks of the enterprise of an own site in a year, with the visits that plans have reserved,
    /// but for some.
    pub(super) fn visits_made(
        &mut self,
        (found, plants): (&SiteView, &[Plant]),
        (year, today): (i32, Date),
        but: But,
    ) -> Visited {
        let most = self.settings.site_checks_a_year_max;
        // To know what is reserved, every booking of this city is looked at.
        let reserved = match most {
            0 => 0,
            _ => self.at_desk(today, |desk| desk.reserved_of(found, year, but)),
        };
        Visited { made: checks_made(plants, year), reserved, most }
    }

    /// What an entry that is written now will have seen of what the cities have said.
    fn seen_of(&mut self, key: PlanKey, log: LogId, found: &PlanView) -> Seen {
        let sizes = self.seen_sizes(key.0, log);
        found.seen_by(&self.group_rows(), key, &|at| saw(log, &sizes, at))
    }

    /// How much of each log an entry that is written now will have seen.
    fn seen_sizes(&mut self, agreement: AgreementId, log: LogId) -> BTreeMap<LogId, u64> {
        let sure = self.logs.of_agreement(agreement).map(|one| (one.id, one.sure_head().size));
        let mut sizes: BTreeMap<LogId, u64> = sure.collect();
        let rows = self.group_rows();
        for (id, size) in &mut sizes {
            *size = (*size).max(view::named(&rows, log, *id));
        }
        sizes
    }

    /// The summary that the results give, with what people add: nobody types a number of it.
    fn summary(
        &mut self,
        key: PlanKey,
        (log, today): (LogId, Date),
        found: &PlanView,
        words: Option<&str>,
    ) -> Result<String, WriteError> {
        let (sizes, book) = (self.seen_sizes(key.0, log), self.book.clone());
        let (saw, name) = (|at| saw(log, &sizes, at), |city| book.city_name(city));
        let made = self.at_desk(today, |desk| desk.summary(key, found, &saw, &name));
        let Some(words) = words else { return Ok(made) };
        let whole = format!("{made}\n补充说明：{words}");
        let whole = Text::parse(&whole, FREE_TEXT_BYTES_MAX).map_err(|wrong| wrong.at("text"))?;
        Ok(whole.as_str().to_owned())
    }
}

/// Whether an entry stands in the log that is written to, or below these sizes.
fn saw(log: LogId, sizes: &BTreeMap<LogId, u64>, at: Position) -> bool {
    at.log == log || at.index < sizes.get(&at.log).copied().unwrap_or(0)
}

/// The parts of a revision.
fn parts_of(
    facts: &PlanFacts,
    record: &PlanRecord,
    pool: &[PoolSite],
) -> Result<Vec<NewPart>, WriteError> {
    let mut parts = vec![for_all(PartContent::Plan(Box::new(record.clone())))];
    let fits = facts.draw().map_or(pool.is_empty(), |rule| is_pool_of(rule, pool));
    if !fits {
        let lacking = PlanRefusal::Lacking { finding: Finding::PoolDiffers, more: 0 };
        return Err(Refusal::Plan(lacking).into());
    }
    if !pool.is_empty() {
        parts.push(for_all(PartContent::PlanPool(pool.to_vec())));
    }
    Ok(parts)
}

pub(super) const fn for_all(content: PartContent) -> NewPart {
    NewPart { audience: Audience::AllMembers, content }
}

pub(super) const fn draft_of(
    id: Option<SubjectId>,
    prev: Option<Position>,
    event: Event,
    parts: Vec<NewPart>,
) -> Draft {
    Draft { subject: Subject { kind: SubjectKind::Plan, id }, prev, event, parts }
}

impl<D: Disk, S: Store> Core<D, S> {
    /// The own part of a draw.
    pub(super) fn own_random(
        &self,
        draw: (SubjectId, Position, u32),
        city: CityCode,
    ) -> crate::domain::draw::Randomness {
        own_part::own_random(&self.node_key, draw, city)
    }
}
