//! Plans in tables: values that all of them share.

mod answers;
mod calendars;
mod commands;
mod draw_commands;
mod draws;
mod facts;
mod interleaved;
mod lacking;
mod moves;
mod outcome;
mod samples;
mod words;
mod wrong;

use std::collections::{BTreeMap, BTreeSet};

use super::ready::{Look, PlanRules, ReadyVisit, SiteStanding, UnitStanding};
use super::*;
use crate::domain::calendar::WorkCalendar;
use crate::domain::date::Date;
use crate::domain::department::Department;
use crate::domain::fixtures::{city, date};
use crate::domain::half_day::HalfDay;
use crate::domain::site::SiteTier;
use crate::domain::slots::Need;
use crate::domain::unit_kind::UnitKind;
use crate::ids::{CityCode, LogId, Position, SubjectId};

/// The initiator and the others, ascending; the last one takes no part.
const CODES: [u32; 4] = [130_400, 371_500, 410_900, 130_500];

fn handan() -> CityCode {
    city(CODES[0])
}

fn liaocheng() -> CityCode {
    city(CODES[1])
}

fn puyang() -> CityCode {
    city(CODES[2])
}

fn xingtai() -> CityCode {
    city(CODES[3])
}

fn members() -> [CityCode; 4] {
    CODES.map(city)
}

fn name(code: CityCode) -> String {
    let names = ["邯郸", "聊城", "濮阳", "邢台"];
    CODES.iter().zip(names).find(|(known, _)| city(**known) == code).unwrap().1.to_owned()
}

fn id(number: u8) -> SubjectId {
    SubjectId::new([number; 16])
}

fn at(log: u8, index: u64) -> Position {
    Position { log: LogId::new([log; 32]), index }
}

/// The entry that made a revision.
fn rev(number: u64) -> Position {
    at(9, number)
}

/// What is said to a revision.
fn says(revision: u64, word: PlanWord) -> PlanAct {
    PlanAct { revision: rev(revision), word }
}

fn answered(revision: u64, answer: Answer) -> PlanAct {
    says(revision, PlanWord::Answered(answer))
}

/// Units for all half days, nobody recused.
fn sent_of(units: &[SubjectId]) -> Sent {
    let units = units.iter().map(|unit| SentUnit { unit: *unit, span: None });
    Sent { units: units.collect(), recusals: Vec::new() }
}

/// A site of which nothing stands against a visit.
fn standing(code: CityCode) -> SiteStanding {
    SiteStanding {
        city: code,
        tier: SiteTier::Key,
        closed: false,
        listings: Vec::new(),
        enterprise: None,
        visited: BTreeMap::new(),
    }
}

/// A visit that was drawn.
fn visit(number: u8, at: &str) -> ReadyVisit {
    let half_days = vec![half(at)];
    ReadyVisit { site: id(number), half_days, exception: None, by_default: false }
}

/// The plan after a move of Liaocheng, which is its revision of that number if it is one.
fn moved(plan: &Plan, mv: &PlanMove, seen: &Seen) -> Result<Plan, PlanMisfit> {
    let at = rev(u64::from(plan.revision) + 1);
    next(plan, liaocheng(), (at, mv), seen, &members())
}

fn day(text: &str) -> PlanDay {
    PlanDay { at: text.parse().unwrap(), overtime: false }
}

fn asks(code: CityCode) -> PlanCity {
    let need = |kind, count| Need { kind, department: None, count };
    PlanCity { city: code, needs: vec![need(UnitKind::Officer, 3), need(UnitKind::Vehicle, 1)] }
}

/// Two days of an ordinary week, a site in Handan and one in Liaocheng on the first morning, two in
/// Puyang on the second day.
fn facts() -> PlanFacts {
    let visit =
        |number, first, last| PlannedVisit { site: id(number), first, last, exception: None };
    PlanFacts {
        kind: PlanKind::JointInspection,
        cities: [handan(), liaocheng(), puyang()].map(asks).to_vec(),
        departments: vec![Department::EcologyEnvironment, Department::Water],
        days: ["2026-12-08上午", "2026-12-08下午", "2026-12-09上午"].map(day).to_vec(),
        targets: Targets::Named(vec![visit(1, 0, 0), visit(2, 0, 1), visit(3, 2, 2)]),
    }
}

fn opened() -> Plan {
    open(liaocheng(), (rev(1), &facts()), &members()).unwrap()
}

/// Everything that a look needs, with nothing lacking.
#[derive(Clone)]
struct World {
    plan: Plan,
    answers: BTreeMap<CityCode, AnswerKind>,
    sent: BTreeMap<CityCode, Sent>,
    units: BTreeMap<SubjectId, UnitStanding>,
    sites: BTreeMap<SubjectId, SiteStanding>,
    drawn: Vec<ReadyVisit>,
    reported: BTreeSet<(SubjectId, u32)>,
    pool: Vec<lots::PoolSite>,
    committed: BTreeSet<CityCode>,
    revealed: BTreeSet<CityCode>,
    calendar: WorkCalendar,
    term: (Date, Date),
    today: Date,
    rules: PlanRules,
}

/// The units of the n-th city: three officers and a vehicle.
fn units_of(number: u8) -> Vec<SubjectId> {
    (0..4).map(|place| id(100 + number * 10 + place)).collect()
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            plan: opened(),
            answers: BTreeMap::new(),
            sent: BTreeMap::new(),
            units: BTreeMap::new(),
            sites: BTreeMap::new(),
            drawn: Vec::new(),
            reported: BTreeSet::new(),
            pool: Vec::new(),
            committed: BTreeSet::new(),
            revealed: BTreeSet::new(),
            calendar: WorkCalendar::shipped(),
            term: (date("2026-01-01"), date("2028-12-31")),
            today: date("2026-12-01"),
            rules: PlanRules::default(),
        };
        for (number, code) in (0..).zip([handan(), liaocheng(), puyang()]) {
            world.answers.insert(code, AnswerKind::Confirm);
            let units = units_of(number);
            for (place, unit) in units.iter().enumerate() {
                let standing = UnitStanding {
                    city: code,
                    kind: if place < 3 { UnitKind::Officer } else { UnitKind::Vehicle },
                    department: Department::EcologyEnvironment,
                    valid: (Some(date("2024-01-01")), Some(date("2028-12-31"))),
                    retired: false,
                    taken: BTreeSet::new(),
                };
                world.units.insert(*unit, standing);
            }
            world.sent.insert(code, sent_of(&units));
            world.sites.insert(id(number + 1), standing(code));
        }
        world
    }

    fn look(&self) -> Look<'_> {
        Look {
            plan: &self.plan,
            answers: &self.answers,
            sent: &self.sent,
            units: &self.units,
            sites: &self.sites,
            drawn: &self.drawn,
            reported: &self.reported,
            pool: &self.pool,
            committed: &self.committed,
            revealed: &self.revealed,
            calendar: &self.calendar,
            term: self.term,
            today: self.today,
            rules: &self.rules,
        }
    }

    /// What the initiator has seen: every city's answer.
    fn seen(&self) -> Seen {
        let answers = (0..).zip(&self.answers);
        let answers = answers.map(|(log, (code, kind))| (*code, (at(log, 5), *kind))).collect();
        Seen { answers, ..Seen::default() }
    }
}

fn half(text: &str) -> HalfDay {
    text.parse().unwrap()
}
