//! The sample plans: what is recorded of them, and what the demo makes of their days.
//!
//! Most of their days have passed, and nodes take no plan for a day that has. What was carried out
//! begins today and goes on over the next workdays; what was still to come lies as far ahead of
//! today as it lay ahead of the samples. A sample says days: both halves of each are taken. Two are
//! drawn anew, by all who take part, and so come to other sites than are recorded: the one that is
//! double-random, and the one that is being carried out. The draws that are recorded were made by
//! one city alone; tests work them out again.
//!
//! In scope: reading the file; days; how many entries a plan will come to. Out of scope: playing
//! them ([`super`]), where their sites stand ([`super::place`]).
//!
//! Invariants:
//! 1. Days are in order, none has passed, and what may be a rest day is marked.
//!    (`days_are_ahead_whenever_the_demo_runs`)

use std::collections::BTreeSet;

use super::recorded::{self, Raw, RawAnswer, RawTeam, Results, decision, department, resolution};
use crate::cli::failure::Failure;
use crate::domain::Date;
use crate::domain::HalfDay;
use crate::domain::calendar::{DayKind, WorkCalendar};
use crate::wire::pb::v1 as pb;
use crate::wire::unit::half_day_to_pb;

/// Checks on site that an enterprise may have in a year: the default of `[joint]`.
const CHECKS_A_YEAR: usize = 3;

/// What a city says to a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Whose.
    pub city: u32,
    /// What sort of answer.
    pub kind: pb::PlanAnswerKind,
    /// In words.
    pub text: String,
    /// What the initiator makes of it, if it is recorded.
    pub resolution: Option<pb::PlanResolution>,
}

/// What a city sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Whose.
    pub city: u32,
    /// Certificate numbers.
    pub officers: Vec<String>,
    /// Labels of vehicles.
    pub vehicles: Vec<String>,
    /// Labels of drones.
    pub drones: Vec<String>,
}

/// A plan to be played.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its number in the file.
    pub id: String,
    /// Members of the agreement it is made in, ascending.
    pub members: Vec<u32>,
    /// Title.
    pub title: String,
    /// What is looked at.
    pub theme: String,
    /// What sort of action.
    pub kind: pb::PlanKind,
    /// The state that is recorded.
    pub state: pb::PlanState,
    /// Who proposes it.
    pub initiator: u32,
    /// Who takes part.
    pub participants: Vec<u32>,
    /// Whose departments check.
    pub departments: Vec<pb::Department>,
    /// When.
    pub days: Vec<pb::PlanDay>,
    /// Opinions and answers, in order.
    pub said: Vec<Said>,
    /// What each city sends.
    pub teams: Vec<Team>,
    /// Credit codes of the sites that are visited, unless they are drawn; how many, if they are.
    pub targets: Vec<String>,
    /// Credit codes of the sites that may be drawn; empty without a draw.
    pub pool: Vec<String>,
    /// Of those on a positive list.
    pub listed: Vec<String>,
    /// What came of it.
    pub results: Results,
    /// Why it was cancelled.
    pub cancel_reason: String,
}

impl Sample {
    /// Whether its sites are drawn in the demo.
    #[must_use]
    pub fn draws(&self) -> bool {
        !self.pool.is_empty()
    }

    /// Whether it has come as far as that; a cancelled one has gone nowhere.
    #[must_use]
    pub fn has_come_to(&self, state: pb::PlanState) -> bool {
        self.state != pb::PlanState::Cancelled && self.state >= state
    }

    /// Sites that have to be registered for it.
    pub fn sites(&self) -> impl Iterator<Item = &String> {
        let named = if self.draws() { &[][..] } else { self.targets.as_slice() };
        named.iter().chain(&self.pool).chain(&self.listed)
    }

    /// The place of a half day for the visit to the target of that number.
    #[must_use]
    pub fn half_day(&self, nth: usize) -> Option<pb::HalfDay> {
        self.days.get(nth.checked_rem(self.days.len())?).and_then(|day| day.at)
    }

    /// Its first day: today, of one that is carried out.
    #[must_use]
    pub fn first_day(&self) -> Option<pb::Date> {
        self.days.first().and_then(|day| day.at).and_then(|at| at.on)
    }

    /// Visits that teams come to: those of today. The others are keyed in without.
    fn arrivals(&self) -> usize {
        let today = |nth: &usize| {
            self.draws() || self.half_day(*nth).and_then(|at| at.on) == self.first_day()
        };
        (0..self.results.sites_checked).filter(today).count()
    }

    /// Cities that write anything for it.
    pub fn writers(&self) -> impl Iterator<Item = u32> {
        let all_act = self.has_come_to(pb::PlanState::Scheduled);
        let participants = if all_act { self.participants.as_slice() } else { &[] };
        let hosts = self.sites().filter_map(|uscc| city_of(uscc));
        let speak = self.said.iter().map(|one| one.city);
        let teams = self.teams.iter().map(|team| team.city);
        let act = participants.iter().copied().chain([self.initiator]);
        hosts.chain(speak).chain(teams).chain(act)
    }

    /// Entries that playing it adds, with those of its checks; without introductions and without
    /// what it shares with others: sites and units.
    #[must_use]
    pub fn entries(&self) -> usize {
        use pb::PlanState as S;
        let all = self.participants.len();
        let if_then = |is: bool, count: usize| if is { count } else { 0 };
        let resolved = self.said.iter().filter(|one| one.resolution.is_some()).count();
        let checked = self.results.sites_checked;
        let arrivals = self.arrivals();
        let draws = if_then(self.draws(), all);
        1 + self.said.len()
            + resolved
            + if_then(self.state == S::Cancelled, 1)
            + if_then(self.has_come_to(S::Scheduled), 1 + draws)
            + if_then(self.has_come_to(S::Executing), 1 + draws + arrivals + 2 * checked)
            + if_then(self.has_come_to(S::ResultsReported), all)
            + if_then(self.has_come_to(S::Summarized), 1 + all)
    }
}

/// The sample plans that these cities can play, from today on.
///
/// # Errors
/// [`Failure`] naming what cannot be read.
pub fn all(cities: &[u32], agreements: &[Vec<u32>], today: Date) -> Result<Vec<Sample>, Failure> {
    let file = recorded::file()?;
    let as_of = date(&file.as_of)?;
    let calendar = WorkCalendar::shipped();
    let mut all = Vec::new();
    for raw in &file.plans {
        let participants =
            raw.participants.iter().map(|c| city(c)).collect::<Result<Vec<_>, _>>()?;
        if participants.iter().all(|one| cities.contains(one)) {
            let mut sample = sample(raw, participants, agreements)?;
            sample.days = days(raw, sample.state, (as_of, today), &calendar)?;
            all.push(sample);
        }
    }
    leave_out_full(&mut all);
    Ok(all)
}

/// Sites that have been visited as often in a year as they may be are in no later pool.
fn leave_out_full(all: &mut [Sample]) {
    let mut uses: Vec<String> = Vec::new();
    for sample in all {
        let full = |uscc: &String| uses.iter().filter(|one| *one == uscc).count() >= CHECKS_A_YEAR;
        sample.pool.retain(|uscc| !full(uscc));
        let named = if sample.draws() { &sample.pool } else { &sample.targets };
        uses.extend(named.iter().cloned());
    }
}

fn sample(raw: &Raw, participants: Vec<u32>, agreements: &[Vec<u32>]) -> Result<Sample, Failure> {
    let unusable = || Failure::local(format!("{}: is not understood", raw.plan_id));
    let kind = format!("PLAN_KIND_{}", raw.kind);
    let state = format!("PLAN_STATE_{}", raw.state);
    let kind = pb::PlanKind::from_str_name(&kind).ok_or_else(unusable)?;
    let state = pb::PlanState::from_str_name(&state).ok_or_else(unusable)?;
    let draws = kind == pb::PlanKind::DoubleRandom || state == pb::PlanState::Executing;
    let drawn = raw.draw.as_ref().filter(|_| draws);
    let mut of = participants.clone();
    of.sort_unstable();
    // The agreement of just these cities, else the one of all.
    let widest = agreements.iter().max_by_key(|members| members.len());
    let members = agreements.iter().find(|members| **members == of).or(widest);
    let mut said = Vec::new();
    for one in &raw.consultation {
        said.push(Said {
            city: city(&one.city)?,
            kind: pb::PlanAnswerKind::ChangesRequested,
            text: one.text_zh.clone(),
            resolution: Some(resolution(&one.resolution).ok_or_else(unusable)?),
        });
    }
    let mut answers: Vec<&RawAnswer> = raw.confirmations.iter().collect();
    answers.sort_by(|one, other| one.on.cmp(&other.on));
    for one in answers {
        said.push(Said {
            city: city(&one.city)?,
            kind: decision(&one.decision).ok_or_else(unusable)?,
            text: one.note_zh.clone().unwrap_or_default(),
            resolution: None,
        });
    }
    let departments: Option<Vec<_>> =
        raw.departments.iter().map(|one| department(&one.code)).collect();
    Ok(Sample {
        id: raw.plan_id.clone(),
        members: members.cloned().ok_or_else(unusable)?,
        title: raw.title_zh.clone(),
        theme: raw.theme_zh.clone(),
        kind,
        state,
        initiator: city(&raw.initiator)?,
        participants,
        departments: departments.ok_or_else(unusable)?,
        days: Vec::new(),
        said,
        teams: raw.teams.iter().map(|one| team(&raw.plan_id, one)).collect::<Result<_, _>>()?,
        targets: raw.targets.iter().map(|one| one.uscc.clone()).collect(),
        pool: drawn.map(|draw| draw.pool.clone()).unwrap_or_default(),
        listed: drawn.map(|draw| draw.excluded_positive_list.clone()).unwrap_or_default(),
        results: raw.results.unwrap_or_default(),
        cancel_reason: raw.cancel_reason_zh.clone().unwrap_or_default(),
    })
}

/// Names of the sites that the file names.
///
/// # Errors
/// [`Failure`] when it cannot be read.
pub fn names() -> Result<Vec<(String, String)>, Failure> {
    let file = recorded::file()?;
    let named = file.plans.into_iter().flat_map(|plan| plan.targets);
    Ok(named.map(|one| (one.uscc, one.name_zh)).collect())
}

fn team(plan: &str, raw: &RawTeam) -> Result<Team, Failure> {
    let short = plan.rsplit('-').next().unwrap_or_default();
    let labels =
        |what: &str, count| (1..=count).map(|nth| format!("示例{short}{what}{nth}")).collect();
    Ok(Team {
        city: city(&raw.city)?,
        officers: raw.officers.clone(),
        vehicles: labels("车", raw.vehicles),
        drones: labels("机", raw.uav),
    })
}

/// The days that the demo plays a plan on.
fn days(
    raw: &Raw,
    state: pb::PlanState,
    (as_of, today): (Date, Date),
    calendar: &WorkCalendar,
) -> Result<Vec<pb::PlanDay>, Failure> {
    use pb::PlanState as S;
    let late = || Failure::local(format!("{}: no such day", raw.plan_id));
    let carried_out = matches!(state, S::Executing | S::ResultsReported | S::Summarized);
    let mut days: Vec<Date> = Vec::new();
    for recorded in &raw.operation_days {
        let ahead = date(recorded)?.days_since_epoch() - as_of.days_since_epoch();
        let wanted = match days.last() {
            None if carried_out => today,
            // Whatever lay behind the samples lies a week ahead.
            None => today.plus_days(if ahead > 0 { ahead } else { 7 }).ok_or_else(late)?,
            Some(last) => {
                let next = last.plus_days(1).ok_or_else(late)?;
                let moved = today.plus_days(if carried_out { 0 } else { ahead });
                moved.ok_or_else(late)?.max(next)
            }
        };
        // The first day of what is carried out is today, whatever day that is.
        let today_itself = carried_out && days.is_empty();
        let day = if today_itself { Some(wanted) } else { workday(calendar, wanted) };
        days.push(day.ok_or_else(late)?);
    }
    let both = |on: Date| {
        let overtime = calendar.day(on) != DayKind::Workday;
        let day = move |at| pb::PlanDay { at: Some(half_day_to_pb(at)), overtime };
        [day(HalfDay::morning(on)), day(HalfDay::afternoon(on))]
    };
    Ok(days.into_iter().flat_map(both).collect())
}

/// The first day from then on that is not known to be a day off.
fn workday(calendar: &WorkCalendar, from: Date) -> Option<Date> {
    (0..30).filter_map(|days| from.plus_days(days)).find(|on| calendar.day(*on) != DayKind::DayOff)
}

fn date(text: &str) -> Result<Date, Failure> {
    Date::parse(text).map_err(|e| Failure::local(format!("{text}: {e}")))
}

fn city(text: &str) -> Result<u32, Failure> {
    text.parse().map_err(|_| Failure::local(format!("{text}: is no city")))
}

/// The city in whose area a site stands, by the division in its credit code.
#[must_use]
pub fn city_of(uscc: &str) -> Option<u32> {
    uscc.get(2..6).and_then(|digits| digits.parse::<u32>().ok()).map(|city| city * 100)
}

/// Each site of each agreement once, by members and credit code.
#[must_use]
pub fn sites(all: &[Sample]) -> BTreeSet<(Vec<u32>, String)> {
    all.iter().flat_map(|one| one.sites().map(|uscc| (one.members.clone(), uscc.clone()))).collect()
}

/// Each of those that are on a positive list.
#[must_use]
pub fn listed(all: &[Sample]) -> BTreeSet<(Vec<u32>, String)> {
    let of = |one: &Sample| {
        let members = one.members.clone();
        one.listed.clone().into_iter().map(move |uscc| (members.clone(), uscc)).collect::<Vec<_>>()
    };
    all.iter().flat_map(of).collect()
}

/// Each unit of each agreement once: members, city, label, kind.
#[must_use]
pub fn units(all: &[Sample]) -> BTreeSet<(Vec<u32>, u32, String, i32)> {
    let mut units = BTreeSet::new();
    for sample in all {
        for team in &sample.teams {
            for (labels, kind) in [
                (&team.officers, pb::UnitKind::Officer),
                (&team.vehicles, pb::UnitKind::Vehicle),
                (&team.drones, pb::UnitKind::Uav),
            ] {
                let of = |label: &String| {
                    (sample.members.clone(), team.city, label.clone(), i32::from(kind))
                };
                units.extend(labels.iter().map(of));
            }
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE: [u32; 5] = [371_500, 130_400, 410_900, 371_400, 370_900];

    fn played(today: &str) -> Vec<Sample> {
        let pairs = [[371_500, 410_900], [371_400, 371_500], [370_900, 371_500]];
        let more = [[130_400, 410_900], [130_400, 371_500]];
        let mut agreements: Vec<Vec<u32>> =
            pairs.iter().chain(&more).map(|pair| pair.to_vec()).collect();
        agreements.push(vec![130_400, 370_900, 371_400, 371_500, 410_900]);
        all(&FIVE, &agreements, Date::parse(today).unwrap()).unwrap()
    }

    #[test]
    fn all_eight_are_played_each_in_its_agreement() {
        let all = played("2026-11-29");
        let agreements: Vec<usize> = all.iter().map(|one| one.members.len()).collect();
        assert_eq!(agreements, [2, 2, 5, 2, 2, 5, 2, 2]);
        let draws: Vec<bool> = all.iter().map(Sample::draws).collect();
        assert_eq!(draws, [false, false, false, true, false, true, false, false]);
        assert!(all[5].pool.len() < 56, "some have been visited as often as they may be");
        let two =
            super::all(&FIVE[..2], &[vec![130_400, 371_500]], Date::parse("2026-11-29").unwrap());
        assert_eq!(two.unwrap().len(), 1);
    }

    #[test]
    fn days_are_ahead_whenever_the_demo_runs() {
        let calendar = WorkCalendar::shipped();
        for today in ["2026-11-20", "2026-11-29", "2026-12-14", "2027-02-10", "2028-01-01"] {
            let begins = Date::parse(today).unwrap();
            for sample in played(today) {
                let halves = sample.days.iter().map(|day| {
                    let at = crate::wire::unit::half_day_from_pb(&day.at.unwrap()).unwrap();
                    (at, day.overtime)
                });
                let halves: Vec<(HalfDay, bool)> = halves.collect();
                assert!(halves.is_sorted_by(|one, next| one.0 < next.0), "{today} {}", sample.id);
                assert!(begins <= halves[0].0.on, "{today} {}", sample.id);
                for (at, overtime) in halves {
                    let off = calendar.day(at.on) == DayKind::DayOff;
                    assert!(overtime || !off, "{today} {} {}", sample.id, at.on);
                }
            }
        }
    }
}
