//! A plan with everything around it: units with their calendars, sites with what was checked there,
//! the list and the outcome of its draw. What a command is judged by, and what people are shown.
//!
//! In scope: gathering, from rows and parts. Out of scope: judging
//! ([`crate::domain::plan::ready`]), writing ([`crate::node::core`]), who may see it.
//!
//! Of units and sites of other cities this node knows what their headers say; of its own also which
//! of them are one and the same in other agreements, and what is reserved of the yearly cap there.
//!
//! Invariants:
//! 1. What one plan has of a unit or of the cap, another plan does not get.
//!    (`f16_an_officer_is_in_one_place_at_a_time`)

use std::collections::{BTreeMap, BTreeSet};

use crate::api::request::PartContent;
use crate::domain::calendar::WorkCalendar;
use crate::domain::draw::Randomness;
use crate::domain::plan::answer::AnswerKind;
use crate::domain::plan::lots::{
    self, NotDrawn, Outcome, PoolSite, officers_of, reveals_that_count,
};
use crate::domain::plan::ready::{
    Finding, Look, PlanRules, ReadyVisit, SiteStanding, UnitStanding,
};
use crate::domain::plan::{PlanAct, PlanWord, Sent, VisitReport};
use crate::domain::site::{VisitException, Visited};
use crate::domain::{Date, HalfDay, UnitKind};
use crate::ids::{AgreementId, CityCode, Position, SubjectId};
use crate::journal::{Disk, JournalReader};
use crate::log::{PartKind, PartSlot};
use crate::node::core::site_codes::{checks_made, listings, plants, tag_of};
use crate::node::core::unit::likes;
use crate::node::load;
use crate::node::plan_reserved::But;
use crate::view::{self, PlanView, ReadRows, WordSort};
use crate::wire;

/// A plan in its agreement.
pub type PlanKey = (AgreementId, SubjectId);

/// Where everything is read.
pub struct Desk<'a, R, D: Disk> {
    /// Rows.
    pub rows: &'a R,
    /// Parts.
    pub journal: &'a JournalReader<D>,
    /// The own city.
    pub own: CityCode,
    /// Checks of one enterprise in a year; 0 for no cap.
    pub most: u32,
    /// All agreements.
    pub agreements: &'a [AgreementId],
    /// Today in Beijing.
    pub today: Date,
    /// Parameters of plans.
    pub rules: PlanRules,
}

/// A visit of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanVisit {
    /// The site.
    pub site: SubjectId,
    /// Which visit there by this plan, from 0.
    pub nth: u32,
    /// When.
    pub half_days: Vec<HalfDay>,
    /// Why in spite of list or cap.
    pub exception: Option<VisitException>,
    /// It is a target because its city withheld.
    pub by_default: bool,
}

/// A plan with everything around it.
#[derive(Debug, Clone)]
pub struct Looked {
    /// The plan.
    pub view: PlanView,
    /// Newest answers to the present revision.
    pub answers: BTreeMap<CityCode, AnswerKind>,
    /// What those who have confirmed send.
    pub sent: BTreeMap<CityCode, Sent>,
    /// Units that are sent.
    pub units: BTreeMap<SubjectId, UnitStanding>,
    /// Sites that are named, or in the pool.
    pub sites: BTreeMap<SubjectId, SiteStanding>,
    /// The list of the draw.
    pub pool: Vec<PoolSite>,
    /// Who is bound to its part of the draw.
    pub committed: BTreeSet<CityCode>,
    /// What was shown that counts.
    pub reveals: BTreeMap<CityCode, Randomness>,
    /// What was drawn, once all have shown their parts.
    pub outcome: Option<Outcome>,
    drawn: Vec<ReadyVisit>,
    reported: BTreeSet<(SubjectId, u32)>,
    revealed: BTreeSet<CityCode>,
}

/// By what a plan is judged beside what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Judging<'a> {
    /// Which days are worked.
    pub calendar: &'a WorkCalendar,
    /// First and last day of the agreement.
    pub term: (Date, Date),
    /// Today in Beijing.
    pub today: Date,
    /// Parameters.
    pub rules: &'a PlanRules,
}

impl Looked {
    /// A plan with what it says itself and nothing around it.
    #[must_use]
    pub fn bare(view: PlanView) -> Self {
        Self {
            answers: view.answers(),
            sent: BTreeMap::new(),
            units: BTreeMap::new(),
            sites: BTreeMap::new(),
            pool: Vec::new(),
            committed: BTreeSet::new(),
            reveals: BTreeMap::new(),
            outcome: None,
            drawn: Vec::new(),
            reported: BTreeSet::new(),
            revealed: view.heard.revealed.clone(),
            view,
        }
    }

    /// As the rules want it.
    #[must_use]
    pub const fn look<'a>(&'a self, by: Judging<'a>) -> Look<'a> {
        Look {
            plan: &self.view.plan,
            answers: &self.answers,
            sent: &self.sent,
            units: &self.units,
            sites: &self.sites,
            drawn: self.drawn.as_slice(),
            reported: &self.reported,
            pool: self.pool.as_slice(),
            committed: &self.committed,
            revealed: &self.revealed,
            calendar: by.calendar,
            term: by.term,
            today: by.today,
            rules: by.rules,
        }
    }

    /// The visits of the plan, as far as they are known: named, or drawn.
    #[must_use]
    pub fn visits(&self) -> Vec<PlanVisit> {
        let facts = &self.view.plan.facts;
        let named = facts.visits().iter().map(|visit| ReadyVisit {
            site: visit.site,
            half_days: facts.half_days_of(visit).collect(),
            exception: visit.exception,
            by_default: false,
        });
        let mut before: BTreeMap<SubjectId, u32> = BTreeMap::new();
        let number = |visit: ReadyVisit| {
            let nth = before.entry(visit.site).or_default();
            let ReadyVisit { site, half_days, exception, by_default } = visit;
            let numbered = PlanVisit { site, nth: *nth, half_days, exception, by_default };
            *nth = nth.saturating_add(1);
            numbered
        };
        named.chain(self.drawn.iter().cloned()).map(number).collect()
    }

    /// Why it is not known which the targets are; none when it is, or nothing is drawn.
    #[must_use]
    pub fn not_drawn(&self) -> Option<Finding> {
        let plan = &self.view.plan;
        if plan.facts.draw().is_none() || self.outcome.is_some() {
            return None;
        }
        let mut cities = plan.facts.participants();
        let silent = cities.find(|city| !self.revealed.contains(city));
        Some(silent.map_or(Finding::PoolDiffers, |city| Finding::RevealMissing { city }))
    }

    /// Where a site stands, as far as this plan is concerned.
    #[must_use]
    pub fn host(&self, site: SubjectId) -> Option<CityCode> {
        self.sites.get(&site).map(|one| one.city)
    }
}

impl<R: ReadRows, D: Disk> Desk<'_, R, D> {
    /// Gathers everything of a plan. With `sends`, as if that city had answered with it.
    #[must_use]
    pub fn look(&self, key: PlanKey, view: PlanView, sends: Option<(CityCode, Sent)>) -> Looked {
        self.gather(key, view, sends, true)
    }

    /// A plan with its visits, and without units and caps.
    #[must_use]
    pub fn visits(&self, key: PlanKey, view: PlanView) -> Looked {
        self.gather(key, view, None, false)
    }

    fn gather(
        &self,
        key: PlanKey,
        view: PlanView,
        sends: Option<(CityCode, Sent)>,
        all: bool,
    ) -> Looked {
        let plan = &view.plan;
        let confirmed = plan.facts.participants().filter_map(|city| {
            let sent = self.sent_by(key, &view, city)?;
            Some((city, sent))
        });
        let mut sent: BTreeMap<CityCode, Sent> = confirmed.collect();
        sent.extend(sends);
        // A list that cannot be read is none, and not that of the revision.
        let pool = view.pool_at.and_then(|at| self.pool(at)).unwrap_or_default();
        let reveals = self.reveals(key, &view);
        let outcome = self.outcome(key, &view, (&pool, &reveals));
        let drawn: Vec<ReadyVisit> =
            outcome.iter().flat_map(|one| &one.targets).map(drawn).collect();
        let committed = if plan.resting.attempt == 0 {
            view.heard.commitments.keys().copied().collect()
        } else {
            plan.resting.commitments.keys().copied().collect()
        };
        let named = plan.facts.visits().iter().map(|visit| visit.site);
        let named: BTreeSet<SubjectId> = named.chain(pool.iter().map(|one| one.site)).collect();
        let mut answers = view.answers();
        // Whoever has freed its units comes no more, whatever it had answered.
        answers.retain(|city, kind| *kind != AnswerKind::Confirm || sent.contains_key(city));
        Looked {
            answers,
            units: if all { self.units(key, &view, &sent) } else { BTreeMap::new() },
            sites: self.sites(key, &view, (&named, all)),
            reported: if all { self.all_reported(key, &view) } else { BTreeSet::new() },
            revealed: view.heard.revealed.clone(),
            sent,
            pool,
            committed,
            reveals,
            outcome,
            drawn,
            view,
        }
    }

    /// A part of an entry by its kind; `None` when it cannot be read here.
    #[must_use]
    pub fn content(&self, at: Position, kind: PartKind) -> Option<PartContent> {
        let entry = load::entry_at(self.rows, self.journal, at).ok()?;
        let place = entry.envelope.parts.iter().position(|part| part.kind == kind)?;
        let PartSlot::Bytes(bytes) = entry.parts.get(place)? else { return None };
        wire::part::parse_part(bytes).ok()
    }

    pub(super) fn pool(&self, at: Position) -> Option<Vec<PoolSite>> {
        let content = self.content(at, PartKind::PlanPool)?;
        if let PartContent::PlanPool(pool) = content { Some(pool) } else { None }
    }

    /// What was shown that counts.
    pub(super) fn reveals(&self, key: PlanKey, view: &PlanView) -> BTreeMap<CityCode, Randomness> {
        let plan = &view.plan;
        let mut acts: Vec<(CityCode, PlanAct)> = Vec::new();
        for city in view.heard.revealed.iter().copied() {
            let sort = (WordSort::Reveal, city);
            view::plan_words(self.rows, key, sort, Some(plan.at), &mut |spoken| {
                let counts = reveals_that_count(key.1, plan, [(city, &spoken.act)]);
                let goes_on = counts.is_empty();
                acts.push((city, spoken.act));
                goes_on
            });
        }
        reveals_that_count(key.1, plan, acts.iter().map(|(city, act)| (*city, act)))
    }

    pub(super) fn outcome(
        &self,
        key: PlanKey,
        view: &PlanView,
        (pool, reveals): (&[PoolSite], &BTreeMap<CityCode, Randomness>),
    ) -> Option<Outcome> {
        let plan = &view.plan;
        if plan.facts.draw().is_none() || plan.resting.attempt == 0 {
            return None;
        }
        let answers = plan.facts.participants().zip(&plan.resting.answers);
        let answers = answers
            .filter_map(|(city, at)| Some((city, self.confirmed(key, (plan.at, *at), city)?)));
        let answers: BTreeMap<CityCode, Sent> = answers.collect();
        let registered = |unit: SubjectId| {
            let found = view::unit(self.rows, key.0, unit)?;
            Some((found.unit.city, found.unit.kind))
        };
        let officers = officers_of(&answers, &registered);
        let drawn: Result<Outcome, NotDrawn> = lots::outcome(key.1, plan, pool, reveals, &officers);
        drawn.ok()
    }

    fn units(
        &self,
        key: PlanKey,
        view: &PlanView,
        sent: &BTreeMap<CityCode, Sent>,
    ) -> BTreeMap<SubjectId, UnitStanding> {
        let days: Vec<HalfDay> = view.plan.facts.days.iter().map(|day| day.at).collect();
        let mut whole: BTreeMap<CityCode, BTreeSet<HalfDay>> = BTreeMap::new();
        let mut standing = BTreeMap::new();
        for unit in sent.values().flat_map(|sent| &sent.units).map(|one| one.unit) {
            let Some(found) = view::unit(self.rows, key.0, unit) else { continue };
            let city = found.unit.city;
            let Some(department) = found.facts.department else { continue };
            if found.needs_newer || found.unit.kind == UnitKind::WholeCity {
                continue;
            }
            let closed = whole.entry(city).or_insert_with(|| self.closed(key.0, city, &days));
            let mut taken = self.taken(key, (unit, city), &days);
            taken.extend(closed.iter().copied());
            let facts = found.facts;
            let one = UnitStanding {
                city,
                kind: found.unit.kind,
                department,
                valid: (facts.valid_from, facts.valid_until),
                retired: facts.retired,
                taken,
            };
            standing.insert(unit, one);
        }
        standing
    }

    /// Half days on which a city is busy as a whole.
    fn closed(
        &self,
        agreement: AgreementId,
        city: CityCode,
        days: &[HalfDay],
    ) -> BTreeSet<HalfDay> {
        let calendars = view::whole_city(self.rows, agreement, city);
        calendars.into_iter().flat_map(|unit| self.blocked((agreement, unit), days)).collect()
    }

    fn blocked(&self, unit: (AgreementId, SubjectId), days: &[HalfDay]) -> Vec<HalfDay> {
        let Some(found) = view::unit(self.rows, unit.0, unit.1) else { return Vec::new() };
        let years = days.iter().map(|at| at.on.year());
        let (Some(first), Some(last)) = (years.clone().min(), years.max()) else {
            return Vec::new();
        };
        let busy = view::unit_busy_in(self.rows, unit, &found, first..=last);
        days.iter().copied().filter(|at| within(&busy, *at)).collect()
    }

    /// Half days of a plan on which something else has a unit, in any agreement.
    fn taken(
        &self,
        (agreement, plan): PlanKey,
        (unit, city): (SubjectId, CityCode),
        days: &[HalfDay],
    ) -> BTreeSet<HalfDay> {
        let own = city == self.own;
        let all = if own { likes(self.rows, agreement, unit) } else { vec![(agreement, unit)] };
        let mut taken = BTreeSet::new();
        for like in all {
            taken.extend(self.blocked(like, days));
            view::unit_bookings(self.rows, like, city, &mut |by, booked| {
                let holds = booked.hold_until.is_none_or(|until| self.today <= until);
                #[cfg(feature = "planted-bugs")]
                let holds = holds && !crate::planted::is_on("booked-by-several-plans");
                if (like.0, by) != (agreement, plan) && holds {
                    taken.extend(days.iter().copied().filter(|at| within(&booked.busy, *at)));
                }
            });
        }
        taken
    }

    fn sites(
        &self,
        key: PlanKey,
        view: &PlanView,
        (named, all): (&BTreeSet<SubjectId>, bool),
    ) -> BTreeMap<SubjectId, SiteStanding> {
        let years: BTreeSet<i32> =
            view.plan.facts.days.iter().map(|day| day.at.on.year()).collect();
        let mut reserved: Option<BTreeMap<(u64, i32), u32>> = None;
        let mut standing = BTreeMap::new();
        for site in named.iter().copied() {
            let Some(found) = view::site(self.rows, key.0, site) else { continue };
            let mut one = SiteStanding {
                city: found.city,
                tier: found.facts.1.tier,
                closed: found.facts.1.closed,
                listings: found.listing.iter().map(|(_, listing)| listing.clone()).collect(),
                enterprise: None,
                visited: BTreeMap::new(),
            };
            if found.city == self.own && all {
                let reserved = reserved.get_or_insert_with(|| self.reserved(But::Plan(key)));
                let plants = plants(self.rows, (key.0, site), &found);
                one.listings = listings(&plants).map(|(_, listing)| listing.clone()).collect();
                one.enterprise = enterprise(self.rows, &found);
                let visited = |year: i32| Visited {
                    made: checks_made(&plants, year),
                    reserved: one
                        .enterprise
                        .and_then(|of| reserved.get(&(of, year)).copied())
                        .unwrap_or(0),
                    most: self.most,
                };
                one.visited = years.iter().map(|year| (*year, visited(*year))).collect();
            }
            standing.insert(site, one);
        }
        standing
    }

    /// The visits of the present revision of which there is a report of any city.
    fn all_reported(&self, key: PlanKey, view: &PlanView) -> BTreeSet<(SubjectId, u32)> {
        let cities = view.plan.facts.participants();
        let all = cities.flat_map(|city| self.reports(key, view, city));
        all.map(|one| (one.site, one.nth)).collect()
    }

    /// What a city has reported of the visits of the present revision, the newest first.
    #[must_use]
    pub fn reports(&self, key: PlanKey, view: &PlanView, city: CityCode) -> Vec<VisitReport> {
        self.reported(key, view, city).into_iter().map(|(_, report)| report).collect()
    }

    /// The same, each with its entry.
    #[must_use]
    pub fn reported(
        &self,
        key: PlanKey,
        view: &PlanView,
        city: CityCode,
    ) -> Vec<(Position, VisitReport)> {
        let mut found = Vec::new();
        let sort = (WordSort::Report, city);
        view::plan_words(self.rows, key, sort, Some(view.plan.at), &mut |spoken| {
            if let PlanWord::VisitReported(report) = spoken.act.word {
                found.push((spoken.place.at, report));
            }
            true
        });
        found
    }
}

fn drawn(one: &lots::Target) -> ReadyVisit {
    ReadyVisit {
        site: one.site,
        half_days: vec![one.at],
        exception: None,
        by_default: one.by_default,
    }
}

/// What tells the enterprise of an own site from others.
pub(super) fn enterprise(rows: &impl ReadRows, found: &view::SiteView) -> Option<u64> {
    let tag = tag_of(rows, found)?;
    tag.as_bytes().first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))
}

fn within(busy: &[(i64, i64)], at: HalfDay) -> bool {
    let number = at.number();
    busy.iter().any(|(first, last)| (*first..=*last).contains(&number))
}
