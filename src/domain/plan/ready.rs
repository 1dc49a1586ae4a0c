//! What a plan lacks to be scheduled or begun, as a list of precise findings.
//!
//! Every finding names city, site or unit, the rule, and where the rule comes from ([`Finding`]).
//! What a law says is hard; the rest are parameters ([`PlanRules`]) that an agreement may set, and
//! those without a source are called so.
//!
//! Only the city that wants to write asks: nodes that fold do not know calendars and bookings, so
//! none of this is in [`super::next`]. Of units of other cities a node knows what their headers say
//! and what is booked by plans that it sees; each city has checked its own when it confirmed.
//!
//! With a draw these checks apply to the pool, before the commitments count; teams are assigned to
//! sites at the reveal.
//!
//! In scope: the findings. Out of scope: their words ([`Finding`]), who may go to a site
//! ([`crate::domain::site::may_visit`], asked by the caller for each visit).
//!
//! Invariants:
//! 1. A plan that lacks nothing has no finding, and each thing taken away makes its own.
//!    (`everything_a_plan_may_lack_in_a_table`)

mod finding;

pub use finding::{Finding, Force};

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{AnswerKind, Sent};
use super::facts::{HOST_OFFICERS_MIN, Targets};
use super::lots::{PoolSite, is_pool_of};
use super::state::Plan;
use super::teams::seat;
use crate::domain::calendar::{DayKind, WorkCalendar};
use crate::domain::date::Date;
use crate::domain::department::Department;
use crate::domain::half_day::HalfDay;
use crate::domain::site::LeftOut;
use crate::domain::slots::{Need, missing};
use crate::domain::unit_kind::UnitKind;
use crate::ids::{CityCode, SubjectId};

/// What agreements may set otherwise. No text that was read says any of these, but for the number
/// of officers, which may only be raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanRules {
    /// Certified officers of the host city at a site; fewer than two is against the law.
    pub host_officers: u32,
    /// A rest day needs the overtime flag. (no source)
    pub rest_days_flagged: bool,
    /// Units are held by a tentative answer for at most so many days. (no source)
    pub hold_days_max: u32,
    /// Results may be keyed in so many days after the plan's last day. (no source)
    pub results_days_max: u32,
    /// A draw is shown so many days before the plan's first day at the earliest. (no source)
    pub reveal_days_before: u32,
}

impl Default for PlanRules {
    fn default() -> Self {
        Self {
            host_officers: HOST_OFFICERS_MIN,
            rest_days_flagged: true,
            hold_days_max: 30,
            results_days_max: 90,
            reveal_days_before: 1,
        }
    }
}

/// What is known of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitStanding {
    /// Whose.
    pub city: CityCode,
    /// What it is.
    pub kind: UnitKind,
    /// Of which department.
    pub department: Department,
    /// First and last day of its certificate, if it has one.
    pub valid: (Option<Date>, Option<Date>),
    /// It does not serve any more.
    pub retired: bool,
    /// Half days on which something else than this plan has it.
    pub taken: BTreeSet<HalfDay>,
}

impl UnitStanding {
    fn is_valid(&self, on: Date) -> bool {
        let (from, until) = self.valid;
        from.is_none_or(|from| from <= on) && until.is_none_or(|until| on <= until)
    }
}

/// What is known of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SiteStanding {
    /// Where it stands.
    pub city: CityCode,
    /// Why it is left out, exceptions considered.
    pub left_out: Option<LeftOut>,
}

/// A visit, named or drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyVisit {
    /// Which site.
    pub site: SubjectId,
    /// When.
    pub half_days: Vec<HalfDay>,
}

/// Everything that is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Newest answers to the present revision.
    pub answers: &'a BTreeMap<CityCode, AnswerKind>,
    /// What those who have confirmed send.
    pub sent: &'a BTreeMap<CityCode, Sent>,
    /// Units that are named.
    pub units: &'a BTreeMap<SubjectId, UnitStanding>,
    /// Sites that are named, or in the pool.
    pub sites: &'a BTreeMap<SubjectId, SiteStanding>,
    /// Visits that were drawn; named ones are in the plan.
    pub drawn: &'a [ReadyVisit],
    /// With a draw: the sites that may be drawn.
    pub pool: &'a [PoolSite],
    /// With a draw: who is bound to its part.
    pub committed: &'a BTreeSet<CityCode>,
    /// With a draw: who has revealed.
    pub revealed: &'a BTreeSet<CityCode>,
    /// Which days are worked.
    pub calendar: &'a WorkCalendar,
    /// First and last day of the agreement.
    pub term: (Date, Date),
    /// Today in Beijing.
    pub today: Date,
    /// Parameters.
    pub rules: &'a PlanRules,
}

/// What a plan lacks to be scheduled, in the order of days, cities, units, sites, draw.
#[must_use]
pub fn to_schedule(look: &Look<'_>) -> Vec<Finding> {
    let mut findings = look.days();
    findings.extend(look.answers());
    for city in look.plan.facts.participants() {
        findings.extend(look.city(city));
    }
    findings.extend(look.sites());
    findings.extend(look.hosts(&look.named()));
    findings.extend(look.pool());
    findings
}

/// What a scheduled plan lacks to be begun: what it rested on may have changed since.
#[must_use]
pub fn to_begin(look: &Look<'_>) -> Vec<Finding> {
    let mut findings = look.answers();
    for city in look.plan.facts.participants() {
        findings.extend(look.city(city));
    }
    findings.extend(look.sites());
    let mut visits = look.named();
    visits.extend(look.drawn.iter().cloned());
    findings.extend(look.hosts(&visits));
    if look.plan.facts.draw().is_some() {
        let bound = look.plan.resting.commitments.keys();
        let silent = bound.filter(|city| !look.revealed.contains(*city));
        findings.extend(silent.map(|city| Finding::RevealMissing { city: *city }));
    }
    findings
}

/// What is wrong with the units one city wants to send: asked before it holds them.
#[must_use]
pub fn of_city(look: &Look<'_>, city: CityCode) -> Vec<Finding> {
    look.city(city)
}

/// What is wrong with what one city sends, and with visits to its own sites, which it books: asked
/// before it confirms or swaps.
#[must_use]
pub fn of_host(look: &Look<'_>, city: CityCode) -> Vec<Finding> {
    let own = |site: &SubjectId| look.sites.get(site).is_some_and(|one| one.city == city);
    let mut visits = look.named();
    visits.extend(look.drawn.iter().cloned());
    visits.retain(|visit| own(&visit.site));
    let mut findings = look.city(city);
    let mut sites: Vec<SubjectId> = visits.iter().map(|visit| visit.site).collect();
    sites.dedup();
    findings.extend(sites.into_iter().filter_map(|site| look.site(site)));
    findings.extend(look.hosts(&visits));
    findings.extend(look.pool_sites(look.pool.iter().filter(|one| one.city == city)));
    findings
}

impl Look<'_> {
    /// Whether the days are worked, ahead, and in the agreement's term.
    fn days(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for day in &self.plan.facts.days {
            let on = day.at.on;
            let finding = match self.calendar.day(on) {
                _ if on < self.today => Finding::DayPast { on },
                _ if on < self.term.0 || self.term.1 < on => Finding::OutsideTerm { on },
                DayKind::DayOff if self.rules.rest_days_flagged && !day.overtime => {
                    Finding::RestDay { on }
                }
                DayKind::Unknown if self.rules.rest_days_flagged && !day.overtime => {
                    Finding::CalendarUnknown { on }
                }
                DayKind::Workday | DayKind::DayOff | DayKind::Unknown => continue,
            };
            findings.push(finding);
        }
        findings.dedup();
        findings
    }

    /// Whether all have confirmed this revision.
    fn answers(&self) -> Vec<Finding> {
        let answer = |city| (city, self.answers.get(&city).copied());
        let all = self.plan.facts.participants().map(answer);
        let lacking = all.filter_map(|(city, answer)| match answer {
            Some(AnswerKind::Confirm) => None,
            Some(AnswerKind::Withdraw) => Some(Finding::Withdrawn { city }),
            Some(
                AnswerKind::Comment
                | AnswerKind::Tentative
                | AnswerKind::ChangesRequested
                | AnswerKind::OtherDays
                | AnswerKind::Decline,
            )
            | None => Some(Finding::NotConfirmed { city, answer }),
        });
        lacking.collect()
    }

    /// The units that a city sends: its own, in service, certified and free on all days, and as
    /// many as the plan asks of it.
    fn city(&self, city: CityCode) -> Vec<Finding> {
        let Some(sent) = self.sent.get(&city) else { return Vec::new() };
        let (mut findings, mut serving) = (Vec::new(), Vec::new());
        for unit in &sent.units {
            match self.unit(city, *unit) {
                Ok(standing) => serving.push((standing.kind, standing.department)),
                Err(finding) => findings.push(finding),
            }
        }
        let asked = self.plan.facts.cities.iter().find(|one| one.city == city);
        let counted: Vec<(Need, u32)> = asked
            .into_iter()
            .flat_map(|one| &one.needs)
            .map(|need| {
                let serves = |(kind, department): &&(UnitKind, Department)| {
                    *kind == need.kind && need.department.is_none_or(|of| of == *department)
                };
                let there = serving.iter().filter(serves).count();
                (*need, u32::try_from(there).unwrap_or(u32::MAX))
            })
            .collect();
        findings.extend(missing(&counted).into_iter().map(|(need, missing)| {
            let Need { kind, department, count: _ } = need;
            Finding::Short { city, kind, department, missing }
        }));
        findings
    }

    fn unit(&self, city: CityCode, unit: SubjectId) -> Result<&UnitStanding, Finding> {
        let known = self.units.get(&unit).filter(|standing| standing.city == city);
        let standing = known.ok_or(Finding::UnitForeign { city, unit })?;
        let mut half_days = self.plan.facts.days.iter().map(|day| day.at);
        if standing.retired {
            return Err(Finding::UnitRetired { city, unit });
        }
        if let Some(at) = half_days.clone().find(|at| !standing.is_valid(at.on)) {
            return Err(Finding::CertificateInvalid { city, unit, on: at.on });
        }
        match half_days.find(|at| standing.taken.contains(at)) {
            Some(at) => Err(Finding::DoubleBooked { city, unit, at }),
            None => Ok(standing),
        }
    }

    fn named(&self) -> Vec<ReadyVisit> {
        let facts = &self.plan.facts;
        let visit = |visit: &super::PlannedVisit| ReadyVisit {
            site: visit.site,
            half_days: facts.half_days_of(visit).collect(),
        };
        facts.visits().iter().map(visit).collect()
    }

    /// Sites that are left out, or stand in no city of the plan.
    fn sites(&self) -> Vec<Finding> {
        let named = self.plan.facts.visits().iter().map(|visit| visit.site);
        let drawn = self.drawn.iter().map(|visit| visit.site);
        let mut all: Vec<SubjectId> = named.chain(drawn).collect();
        all.dedup();
        all.into_iter().filter_map(|site| self.site(site)).collect()
    }

    fn site(&self, site: SubjectId) -> Option<Finding> {
        match self.sites.get(&site) {
            Some(one) if !self.plan.facts.has(one.city) => {
                Some(Finding::SiteForeign { site, city: one.city })
            }
            Some(one) => one.left_out.map(|why| Finding::SiteLeftOut { site, why }),
            None => Some(Finding::SiteUnknown { site }),
        }
    }

    /// Officers of a city who can be somewhere on a half day.
    fn able(&self, city: CityCode, at: HalfDay) -> Vec<SubjectId> {
        let Some(sent) = self.sent.get(&city) else { return Vec::new() };
        let able = |unit: &&SubjectId| {
            self.units.get(*unit).is_some_and(|one| {
                let certified = one.kind == UnitKind::Officer && one.is_valid(at.on);
                one.city == city && certified && !one.retired && !one.taken.contains(&at)
            })
        };
        sent.units.iter().filter(able).copied().collect()
    }

    /// Those of some officers of a city who may go to a site.
    fn unbiased(&self, city: CityCode, site: SubjectId, able: &[SubjectId]) -> Vec<SubjectId> {
        let recusals = self.sent.get(&city).map_or(&[][..], |sent| &sent.recusals);
        let stays = |officer: &&SubjectId| {
            !recusals.iter().any(|one| one.officer == **officer && one.site == site)
        };
        able.iter().filter(stays).copied().collect()
    }

    /// Officers that the host city needs at a site.
    fn host_officers(&self) -> u32 {
        let asked = match &self.plan.facts.targets {
            Targets::Draw(rule) => rule.host_officers,
            Targets::None | Targets::Named(_) => self.rules.host_officers,
        };
        asked.max(self.rules.host_officers).max(HOST_OFFICERS_MIN)
    }

    /// Whether the city where each site stands can lead there, with all its visits of a half day.
    fn hosts(&self, visits: &[ReadyVisit]) -> Vec<Finding> {
        let mut at_once: BTreeMap<(HalfDay, CityCode), Vec<SubjectId>> = BTreeMap::new();
        for visit in visits {
            // Whoever has not confirmed is named for that already.
            let host = self.sites.get(&visit.site).map(|one| one.city);
            let Some(host) = host.filter(|city| self.sent.contains_key(city)) else { continue };
            for at in &visit.half_days {
                at_once.entry((*at, host)).or_default().push(visit.site);
            }
        }
        let asked = self.host_officers();
        let mut findings = Vec::new();
        for ((at, city), sites) in at_once {
            let able = self.able(city, at);
            let teams = seat(&sites, asked, &|site| self.unbiased(city, site, &able));
            for (site, team) in sites.into_iter().zip(teams) {
                let there = u32::try_from(team.len()).unwrap_or(u32::MAX);
                let missing = asked.saturating_sub(there);
                if missing > 0 {
                    findings.push(Finding::HostShort { city, site, at, missing });
                }
            }
        }
        findings
    }

    /// The pool of a draw, and who is bound to its part of the seed.
    fn pool(&self) -> Vec<Finding> {
        let Some(rule) = self.plan.facts.draw() else { return Vec::new() };
        if !is_pool_of(rule, self.pool) {
            return vec![Finding::PoolDiffers];
        }
        let mut findings = self.pool_sites(self.pool);
        let silent = self.plan.facts.participants().filter(|city| !self.committed.contains(city));
        findings.extend(silent.map(|city| Finding::NotCommitted { city }));
        findings
    }
    /// Sites of the pool that are left out, or at which their city cannot lead. Any site may be
    /// drawn on any half day, so each one must find its hosts by itself.
    fn pool_sites<'a>(&self, pool: impl IntoIterator<Item = &'a PoolSite>) -> Vec<Finding> {
        let (asked, mut findings) = (self.host_officers(), Vec::new());
        let mut able: BTreeMap<CityCode, Vec<(HalfDay, Vec<SubjectId>)>> = BTreeMap::new();
        for PoolSite { site, city, .. } in pool {
            let (site, city) = (*site, *city);
            findings.extend(self.site(site));
            // Whoever has not confirmed, or takes no part, is named for that already.
            if !self.plan.facts.has(city) || !self.sent.contains_key(&city) {
                continue;
            }
            let days = self.plan.facts.days.iter().map(|day| day.at);
            let able = able
                .entry(city)
                .or_insert_with(|| days.map(|at| (at, self.able(city, at))).collect());
            let short = able.iter().find_map(|(at, able)| {
                let there = self.unbiased(city, site, able).len();
                let missing = asked.saturating_sub(u32::try_from(there).unwrap_or(u32::MAX));
                (missing > 0).then_some(Finding::HostShort { city, site, at: *at, missing })
            });
            findings.extend(short);
        }
        findings
    }
}
