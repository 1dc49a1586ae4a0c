//! Who is due at a drawn target on its day, and how those who came differ from that.
//!
//! The draw gives each target a team. Whoever of it does not come any more (swapped out,
//! certificate expired, does not serve, recused since) is followed by the next officer of the same
//! city by the same tickets, among those whom the city sends now, who can be there, is not recused
//! from the site, and is in no other team of that half day. So also whoever stands in was not
//! chosen. Targets are gone through in the order of the draw; guests have no stand-ins, they do
//! not lead. (fixed)
//!
//! A team that differs is no refusal, since a check must not fail because somebody is ill; it is
//! shown. A recused officer is refused (行政处罚法 art. 43), and so is one who was not sent.
//!
//! In scope: who is due, what differs. Out of scope: whose certificate is valid (`able`).
//!
//! Invariants:
//! 1. Whoever can come of those drawn stays. (`the_next_by_ticket_stands_in`)

use std::collections::BTreeSet;

use super::answer::{CheckIn, Sent};
use super::lots::{Outcome, Target, ranked};
use super::ready::Remark;
use super::state::Plan;
use crate::domain::date::Date;
use crate::domain::half_day::HalfDay;
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
