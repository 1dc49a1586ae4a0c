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
//! With a draw these checks apply to the pool, before the commitments count: whatever is drawn can
//! then be carried out. Teams are assigned to sites at the reveal. Who leads is of the ecology
//! department when the plan has it, else of one of the plan's departments.
//!
//! Each visit is judged by itself, and those of one enterprise add up to the yearly cap. Of sites
//! of other cities a node knows neither the enterprise nor the checks: it judges what is closed
//! and what stands on the positive list, and the host judges the cap, before it confirms. What is
//! closed, listed or full only since the plan was scheduled stops that visit, not the plan
//! ([`Remark`]).
//!
//! In scope: the findings. Out of scope: their words ([`Finding`], [`Remark`]).
//!
//! Invariants:
//! 1. A plan that lacks nothing has no finding, and each thing taken away makes its own.
//!    (`everything_a_plan_may_lack_in_a_table`)
//! 2. Visits of one plan to one enterprise add up. (`visits_to_one_enterprise_add_up_to_the_cap`)
//! 3. A host finds what is wrong with its own sites in a pool that another city made.
//!    (`a_host_checks_the_pool_that_another_city_made`)

mod finding;
mod remark;
mod sites;

pub(super) use finding::{CERTIFIED, NO_SOURCE, OURS};
pub use finding::{Finding, Force, Pair, Rule};
pub use remark::{Remark, remarks};
pub use sites::misplaced;

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{AnswerKind, Sent, SentUnit};
use super::facts::{HOST_OFFICERS_MIN, PlanDay, Targets};
use super::lots::PoolSite;
use super::state::Plan;
use super::teams::seat;
use crate::domain::calendar::{DayKind, WorkCalendar};
use crate::domain::date::Date;
use crate::domain::department::Department;
use crate::domain::half_day::HalfDay;
use crate::domain::site::{Listing, SiteTier, VisitException, Visited};
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteStanding {
    /// Where it stands.
    pub city: CityCode,
    /// Its tier.
    pub tier: SiteTier,
    /// It is closed.
    pub closed: bool,
    /// Where its enterprise stands on the positive list, or stood or will: by this site and, of an
    /// own one, by others. Each visit is judged by its own day.
    pub listings: Vec<Listing>,
    /// Of an own site: what tells its enterprise from others. Of others this is not known.
    pub enterprise: Option<u64>,
    /// Of an own site: what counts to the cap of its enterprise, by year, *without* what this plan
    /// has reserved itself. Empty for sites of others, whose cap is not judged here.
    pub visited: BTreeMap<i32, Visited>,
}

impl SiteStanding {
    /// By which of them it is on the list on a day.
    #[must_use]
    pub fn listing_on(&self, on: Date) -> Option<&Listing> {
        self.listings.iter().find(|listing| listing.is_listed(on))
    }
}

/// A visit, named or drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyVisit {
    /// Which site.
    pub site: SubjectId,
    /// When.
    pub half_days: Vec<HalfDay>,
    /// Why it is visited in spite of list or cap.
    pub exception: Option<VisitException>,
    /// It is a target because its city withheld: owed, and no obstacle when nobody can lead there.
    pub by_default: bool,
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
    /// Visits that were reported: site, and which visit there. They stand in nobody's way any more.
    pub reported: &'a BTreeSet<(SubjectId, u32)>,
    /// With a draw: its list of sites.
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
    let visits = look.named();
    findings.extend(look.sites(&visits));
    findings.extend(look.hosts(&visits));
    findings.extend(look.pool());
    findings
}

/// What a scheduled plan lacks to be begun: what it rested on may have changed since. A site that
/// may not be visited any more is a remark.
#[must_use]
pub fn to_begin(look: &Look<'_>) -> Vec<Finding> {
    let mut findings = look.answers();
    for city in look.plan.facts.participants() {
        findings.extend(look.city(city));
    }
    let visits = look.visits();
    findings.extend(look.sites(&visits).into_iter().filter(|one| !one.stops_a_visit()));
    findings.extend(look.hosts(&look.going(&visits)));
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

/// What is wrong with what one city sends, with the places of all sites, with visits to its own
/// ones, which it books, and with what a pool says of them: asked before it confirms.
#[must_use]
pub fn of_host(look: &Look<'_>, city: CityCode) -> Vec<Finding> {
    let own = |site: &SubjectId| look.sites.get(site).is_some_and(|one| one.city == city);
    let mut visits = look.visits();
    visits.retain(|visit| own(&visit.site));
    let mut findings = look.city(city);
    findings.extend(look.misplaced());
    findings.extend(look.sites(&visits));
    findings.extend(look.hosts(&visits));
    let of_pool = look.pool_of(city);
    let more: Vec<Finding> = of_pool.into_iter().filter(|one| !findings.contains(one)).collect();
    findings.extend(more);
    findings
}

/// What is wrong with the list of a draw, as far as one city can tell of its own sites and of those
/// whom it sends: asked before it binds itself to the list.
#[must_use]
pub fn of_pool(look: &Look<'_>, city: CityCode) -> Vec<Finding> {
    look.pool_of(city)
}

/// What is wrong with what one city sends from now on to a plan that is scheduled: asked before it
/// swaps or comes back. What is closed, listed or full since stops that visit only, and once the
/// draw is known nobody has to be able to lead anywhere but where it leads.
#[must_use]
pub fn of_scheduled(look: &Look<'_>, city: CityCode) -> Vec<Finding> {
    let own = |site: &SubjectId| look.sites.get(site).is_some_and(|one| one.city == city);
    let mut visits = look.visits();
    visits.retain(|visit| own(&visit.site));
    let mut findings = look.city(city);
    findings.extend(look.sites(&visits).into_iter().filter(|one| !one.stops_a_visit()));
    findings.extend(look.hosts(&look.going(&visits)));
    if let (Some(rule), true) = (look.plan.facts.draw(), look.drawn.is_empty()) {
        findings.extend(look.leads_in_pool(rule, city));
    }
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
        #[cfg(feature = "planted-bugs")]
        let all = all.filter(|(city, _)| !super::rests::is_passed_over(self.plan, *city));
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

    /// The half days that are still to come, with their places.
    fn ahead(&self) -> impl Iterator<Item = (usize, HalfDay)> + '_ {
        let days = self.plan.facts.days.iter().map(|day: &PlanDay| day.at).enumerate();
        days.filter(|(_, at)| self.today <= at.on)
    }

    /// The units that a city sends: its own, in service, certified and free on the half days still
    /// to come, and on each of these as many as the plan asks of it.
    fn city(&self, city: CityCode) -> Vec<Finding> {
        let Some(sent) = self.sent.get(&city) else { return Vec::new() };
        let (mut findings, mut serving) = (Vec::new(), Vec::new());
        for one in &sent.units {
            match self.unit(city, one) {
                Ok(standing) => serving.push((one, standing.kind, standing.department)),
                Err(finding) => findings.push(finding),
            }
        }
        let asked = self.plan.facts.cities.iter().find(|one| one.city == city);
        let needs: Vec<Need> = asked.map_or(Vec::new(), |one| one.needs.clone());
        let mut most: BTreeMap<Need, u32> = BTreeMap::new();
        for (place, _) in self.ahead() {
            let there = |need: &Need| {
                let serves = serving.iter().filter(|(one, kind, department)| {
                    let of = need.department.is_none_or(|of| of == *department);
                    one.comes(place) && *kind == need.kind && of
                });
                (*need, u32::try_from(serves.count()).unwrap_or(u32::MAX))
            };
            let counted: Vec<(Need, u32)> = needs.iter().map(there).collect();
            for (need, missing) in missing(&counted) {
                let most = most.entry(need).or_default();
                *most = missing.max(*most);
            }
        }
        let short = |need: &Need| {
            let Need { kind, department, count: _ } = *need;
            most.get(need).map(|missing| Finding::Short {
                city,
                kind,
                department,
                missing: *missing,
            })
        };
        findings.extend(needs.iter().filter_map(short));
        findings
    }

    fn unit(&self, city: CityCode, one: &SentUnit) -> Result<&UnitStanding, Finding> {
        let unit = one.unit;
        let known = self.units.get(&unit).filter(|standing| standing.city == city);
        let standing = known.ok_or(Finding::UnitForeign { city, unit })?;
        if standing.retired {
            return Err(Finding::UnitRetired { city, kind: standing.kind, unit });
        }
        let half_days: Vec<HalfDay> =
            self.ahead().filter(|(place, _)| one.comes(*place)).map(|(_, at)| at).collect();
        if let Some(at) = half_days.iter().find(|at| !standing.is_valid(at.on)) {
            return Err(Finding::CertificateInvalid { city, unit, on: at.on });
        }
        match half_days.iter().find(|at| standing.taken.contains(at)) {
            Some(at) => Err(Finding::DoubleBooked { city, unit, at: *at }),
            None => Ok(standing),
        }
    }

    /// Whether officers of a department lead.
    fn leads(&self, department: Department) -> bool {
        let of = &self.plan.facts.departments;
        if of.contains(&Department::EcologyEnvironment) {
            department == Department::EcologyEnvironment
        } else {
            of.contains(&department)
        }
    }

    /// Officers of a city who can lead somewhere on a half day.
    fn able(&self, city: CityCode, at: HalfDay) -> Vec<SubjectId> {
        let Some(sent) = self.sent.get(&city) else { return Vec::new() };
        let place = self.plan.facts.days.iter().position(|day| day.at == at);
        let able = |one: &&SentUnit| {
            self.units.get(&one.unit).is_some_and(|unit| {
                let certified = unit.kind == UnitKind::Officer && unit.is_valid(at.on);
                let serves = unit.city == city && !unit.retired && self.leads(unit.department);
                let comes = place.is_some_and(|place| one.comes(place));
                certified && serves && comes && !unit.taken.contains(&at)
            })
        };
        sent.units.iter().filter(able).map(|one| one.unit).collect()
    }

    /// Those of some officers of a city who may go to a site.
    fn unbiased(&self, city: CityCode, site: SubjectId, able: &[SubjectId]) -> Vec<SubjectId> {
        let sent = self.sent.get(&city);
        let stays = |officer: &&SubjectId| sent.is_none_or(|sent| !sent.keeps(**officer, site));
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
            for at in visit.half_days.iter().filter(|at| self.today <= at.on) {
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
}
