//! Who is due at a drawn target on its day, and how those who came differ from that.
//!
//! The draw gives each target a team. Whoever of it does not come any more (swapped out,
//! certificate expired, does not serve, recused since) is followed by the next officer of the same
//! city by the same tickets, among those whom the city sends now, who can be there, is not recused
//! from the site, and is in no other team of that half day. So whoever stands in was chosen by
//! nobody, as long as nobody was swapped out or declared recused to make room for him: that is
//! remarked, whenever it was done. Targets are gone through in the order of the draw; guests have
//! no stand-ins, they do not lead. (fixed)
//!
//! A team that differs is no refusal, since a check must not fail because somebody is ill; it is
//! shown. A recused officer is refused (行政处罚法 art. 43), and so is one who was not sent. Nor is
//! it refused that one officer arrives at more visits of a day than he can be at by the half days
//! of the plan: who came is put down as it was, and people see it.
//!
//! In scope: who is due, what differs. Out of scope: whose certificate is valid (`able`).
//!
//! Invariants:
//! 1. Whoever can come of those drawn stays. (`the_next_by_ticket_stands_in`)
//! 2. Nobody who was drawn is exchanged unseen. (`whoever_was_drawn_is_not_exchanged_unseen`)

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{CheckIn, Sent};
use super::lots::{Outcome, Target, ranked};
use super::ready::Remark;
use super::results::VisitReport;
use super::state::Plan;
use crate::domain::date::Date;
use crate::domain::half_day::HalfDay;
use crate::domain::site::CheckMode;
use crate::ids::{CityCode, SubjectId};

/// Who leads at each target of a half day, stand-ins in the places of those who do not come.
///
/// `sent` has what a city sends now; `able` says of a unit whether it is an officer of that city
/// who serves, and whose certificate is valid on the day.
#[must_use]
pub fn due<'a>(
    plan: &Plan,
    outcome: &Outcome,
    at: HalfDay,
    sent: &dyn Fn(CityCode) -> Option<&'a Sent>,
    able: &dyn Fn(CityCode, SubjectId) -> bool,
) -> Vec<(SubjectId, Vec<SubjectId>)> {
    let Some(place) = plan.facts.days.iter().position(|day| day.at == at) else {
        return Vec::new();
    };
    let now = || outcome.targets.iter().filter(|one| one.at == at);
    let mut busy: BTreeSet<SubjectId> =
        now().flat_map(|one| one.lead.iter().chain(&one.guests)).copied().collect();
    let mut team = |one: &Target| {
        let Some(sent) = sent(one.host) else { return (one.site, Vec::new()) };
        let order = ranked(&outcome.seed, (one.site, place), &[sent], &BTreeSet::new());
        let order = order.into_iter().filter(|officer| able(one.host, *officer));
        let order: Vec<SubjectId> = order.collect();
        let mut team: Vec<SubjectId> =
            one.lead.iter().filter(|officer| order.contains(officer)).copied().collect();
        let free = order.iter().filter(|officer| !busy.contains(officer)).copied();
        let next: Vec<SubjectId> = free.take(one.lead.len().saturating_sub(team.len())).collect();
        busy.extend(&next);
        team.extend(next);
        (one.site, team)
    };
    now().map(&mut team).collect()
}

/// Remarks on teams that differ from those that were due: `arrived` has who came to which visit.
/// Whoever came and was drawn is where he belongs, whatever has become of him since.
#[must_use]
pub fn unlike<'a>(
    plan: &Plan,
    outcome: &Outcome,
    arrived: &[&CheckIn],
    sent: &dyn Fn(CityCode) -> Option<&'a Sent>,
    able: &dyn Fn(CityCode, SubjectId, Date) -> bool,
) -> Vec<Remark> {
    let came = |officer| arrived.iter().any(|one| one.officers.contains(&officer));
    let of = |at: &HalfDay| {
        let able = |city, officer| came(officer) || able(city, officer, at.on);
        due(plan, outcome, *at, sent, &able)
    };
    let half_days: BTreeSet<HalfDay> = outcome.targets.iter().map(|one| one.at).collect();
    let due: Vec<_> = half_days.iter().flat_map(of).collect();
    let mut remarks = Vec::new();
    for arrival in arrived {
        let site = arrival.site;
        let target = outcome.targets.iter().find(|one| one.site == site);
        let target = target.filter(|one| sent(one.host).is_some());
        let found = due.iter().find(|(of, _)| *of == site);
        let Some((Target { lead, .. }, (_, team))) = target.zip(found) else { continue };
        let Difference { mut absent, mut others } = difference(team, arrival);
        let belongs = |officer: &&SubjectId| lead.contains(officer) || team.contains(officer);
        let belong = arrival.officers.iter().filter(belongs).count();
        others.retain(|officer| !lead.contains(officer));
        absent.sort_unstable_by_key(|officer| (!lead.contains(officer), *officer));
        absent.truncate(lead.len().saturating_sub(belong));
        remarks.extend(absent.into_iter().map(|officer| Remark::DueAbsent { site, officer }));
        remarks.extend(others.into_iter().map(|officer| Remark::NotDue { site, officer }));
    }
    remarks
}

/// Remarks on officers who were drawn for a target and are not sent there any more: swapped out of
/// its half day, or recused from it since. Of whoever came all the same nothing is remarked, nor of
/// a target whose city sends nobody any more.
#[must_use]
pub fn exchanged(
    plan: &Plan,
    outcome: &Outcome,
    arrived: &[&CheckIn],
    sent: &BTreeMap<CityCode, Sent>,
) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for Target { site, host, at, lead, guests, .. } in &outcome.targets {
        if !sent.contains_key(host) {
            continue;
        }
        let (site, place) = (*site, plan.facts.days.iter().position(|day| day.at == *at));
        let comes = |officer: SubjectId| {
            let mut units = sent.values().flat_map(|sent| &sent.units);
            units.any(|one| one.unit == officer && place.is_some_and(|place| one.comes(place)))
        };
        let here = |one: &&&CheckIn| one.site == site;
        let came: BTreeSet<SubjectId> =
            arrived.iter().filter(here).flat_map(|one| one.everybody()).collect();
        for officer in lead.iter().chain(guests).copied().filter(|one| !came.contains(one)) {
            if !comes(officer) {
                remarks.push(Remark::DrawnNotSent { site, officer });
            } else if sent.values().any(|sent| sent.keeps(officer, site)) {
                remarks.push(Remark::DrawnRecused { site, officer });
            }
        }
    }
    remarks
}

/// Remarks on officers who have arrived at more visits of one day than they can be at: at one on
/// each half day. `half_days` are those of a visit by the plan; where it has none on the day of the
/// arrival, it may have been on any half day of the plan's on that day.
#[must_use]
pub fn at_several(
    plan: &Plan,
    arrived: &[&CheckIn],
    half_days: &dyn Fn(SubjectId, u32) -> Vec<HalfDay>,
) -> Vec<Remark> {
    // A site, and the half days on which somebody may have been there.
    type May = (SubjectId, BTreeSet<HalfDay>);
    let mut days: BTreeMap<(SubjectId, Date), Vec<May>> = BTreeMap::new();
    for arrival in arrived {
        let on_day = |at: &HalfDay| at.on == arrival.on;
        let mut may: BTreeSet<HalfDay> =
            half_days(arrival.site, arrival.nth).into_iter().filter(on_day).collect();
        if may.is_empty() {
            may.extend(plan.facts.days.iter().map(|day| day.at).filter(on_day));
        }
        for officer in arrival.everybody() {
            days.entry((officer, arrival.on)).or_default().push((arrival.site, may.clone()));
        }
    }
    let mut remarks = Vec::new();
    for ((officer, on), mut visits) in days {
        // Those that can be at one time only take theirs first; a day has two half days.
        visits.sort_by_key(|(site, may)| (may.len(), *site));
        let mut taken = BTreeSet::new();
        for (site, may) in visits {
            match may.iter().find(|at| !taken.contains(*at)) {
                Some(at) => {
                    taken.insert(*at);
                }
                None => remarks.push(Remark::AtSeveral { officer, site, on }),
            }
        }
    }
    remarks
}

/// Remarks on checks on site at which nobody is known to have been: that two officers of the host
/// led (行政处罚法 art. 42) is then written nowhere.
#[must_use]
pub fn without_arrival<'a>(
    reports: impl IntoIterator<Item = &'a VisitReport>,
    arrived: &[&CheckIn],
) -> Vec<Remark> {
    let came: BTreeSet<(SubjectId, u32)> = arrived.iter().map(|one| (one.site, one.nth)).collect();
    let alone = |one: &&VisitReport| {
        let on_site = one.is_check() && one.mode == CheckMode::OnSite;
        on_site && !came.contains(&(one.site, one.nth))
    };
    reports.into_iter().filter(alone).map(|one| Remark::NoArrival { site: one.site }).collect()
}

/// How a team that has arrived differs from the one that was due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Who was due and did not come, ascending.
    pub absent: Vec<SubjectId>,
    /// Who came and was not due, ascending.
    pub others: Vec<SubjectId>,
}

/// Compares those who lead with those who were due.
#[must_use]
pub fn difference(due: &[SubjectId], arrival: &CheckIn) -> Difference {
    let mut absent: Vec<SubjectId> = due.to_vec();
    absent.retain(|officer| !arrival.officers.contains(officer));
    absent.sort_unstable();
    let came = arrival.officers.iter().filter(|officer| !due.contains(officer));
    Difference { absent, others: came.copied().collect() }
}
