//! What processes show of plans against [`super::plan_rules`]: where each stands, on which answers,
//! and whom its cities have booked.
//!
//! What no fold judges, since only the writing node can know it, is asked of cities that are honest
//! and have lost nothing: nobody sent to two plans at a time, two officers of the host at a named
//! site, nothing reported of a plan that was not settled.

use std::collections::{BTreeMap, BTreeSet};

use liandong::domain::plan::{Answer, PlanFacts, PlanStage, PlanWord, Sent, SentUnit, Targets};
use liandong::domain::{Date, Department, Event, UnitAct, UnitFacts, UnitKind};
use liandong::ids::{CityCode, Position, SubjectId};
use liandong::log::subject_id;
use liandong::view::{self, ReadRows};

use super::Checks;
use super::fold::Known;
use super::plan_rules::{Entries, Place, Word, as_answer, plans};
use crate::sim::cast::Cast;
use crate::sim::node::Node;

/// Officers of the city where a site stands, at least: 行政处罚法 art. 42.
const HOST_OFFICERS: usize = 2;

/// Units, and the half days on which each is away.
type Away = BTreeMap<SubjectId, BTreeSet<i64>>;

fn comes(one: &SentUnit, place: usize) -> bool {
    one.span.is_none_or(|span| usize::from(span.first) <= place && place <= usize::from(span.last))
}

fn as_swap(word: &PlanWord) -> Option<&Sent> {
    if let PlanWord::UnitsSwapped(sent) = word { Some(sent) } else { None }
}

impl Entries<'_> {
    /// Whom a city has booked by its words up to this one, and whether it only holds them.
    fn booked(&self, city: CityCode, until: Place) -> Option<(Away, bool)> {
        let said = self.words.iter().rev().filter(|word| word.city == city && word.place <= until);
        let answered = said.clone().find(|word| as_answer(&word.act.word).is_some())?;
        let behind: Vec<&Word<'_>> = said
            .filter(|word| word.act.revision == answered.act.revision)
            .filter(|word| word.place > answered.place)
            .collect();
        if behind.iter().any(|word| word.act.word == PlanWord::UnitsReleased) {
            return None;
        }
        let swap = behind.iter().find_map(|word| Some((word, as_swap(&word.act.word)?)));
        let (sent, held) = match (as_answer(&answered.act.word)?, swap) {
            (Answer::Confirm { .. }, Some((_, sent))) => (sent, false),
            (Answer::Confirm { sent }, None) => (sent, false),
            (Answer::Tentative { sent, .. }, _) => (sent, true),
            _ => return None,
        };
        // What has passed when a city sends somebody keeps him from nothing.
        let said_ms = swap.map_or(i64::MIN, |(word, _)| word.by.envelope.record_time_ms);
        let from = Date::beijing(said_ms.max(answered.by.envelope.record_time_ms));
        let facts = self.revision(answered.by, answered.act.revision)?;
        let away = |one: &SentUnit| {
            let days = facts.days.iter().enumerate().filter(|(place, _)| comes(one, *place));
            let ahead = days.filter(|(_, day)| from.is_none_or(|from| from <= day.at.on));
            (one.unit, ahead.map(|(_, day)| day.at.number()).collect())
        };
        Some((sent.units.iter().map(away).collect(), held))
    }

    /// What is shown otherwise than it is by the entries.
    fn differs(&self, rows: &impl ReadRows, cast: &Cast, pact: usize) -> Option<String> {
        let (key, story) = ((cast.pacts[pact].id, self.subject), self.story(None));
        let Some(shown) = view::plan(rows, key.0, key.1) else {
            return Some("is not shown".to_owned());
        };
        let (stage, answers) = (shown.plan.stage, &shown.plan.resting.answers);
        if (stage, shown.last_move, shown.move_count) != (story.stage, story.last, story.moves) {
            let (want, refused) = (story.stage, story.refused.unwrap_or_default());
            return Some(format!("is {stage:?} and not {want:?}: {refused}"));
        }
        if (shown.plan.at, answers) != (story.revision.0, &story.answers) {
            return Some(format!("rests on {answers:?}, not {:?}", story.answers));
        }
        let (withheld, silent) = (&shown.plan.resting.withheld, &shown.plan.silent);
        if (withheld, silent) != (&story.withheld, &story.silent) {
            let (told, named) = (&story.withheld, &story.silent);
            return Some(format!("names {withheld:?}, {silent:?}, not {told:?}, {named:?}"));
        }
        if shown.plan.late_cancel != story.late_cancel {
            return Some(format!("is not cancelled late: {}", story.late_cancel));
        }
        for city in cast.members(pact) {
            let told = self.words.last().and_then(|word| self.booked(city, word.place));
            let shown = view::booked(rows, key, city).map(|one| {
                let numbers = |all: Vec<(i64, i64)>| all.into_iter().flat_map(|(a, b)| a..=b);
                let units = one.units.into_iter().map(|(unit, all)| (unit, numbers(all).collect()));
                (units.collect::<Away>(), one.hold_until.is_some())
            });
            if shown != told {
                return Some(format!("has of {city} {shown:?}, not {told:?}"));
            }
        }
        None
    }

    /// Where a site stands, as far as somebody knew.
    fn host(&self, site: SubjectId, by: &Known) -> Option<CityCode> {
        let is = |(at, one): &(&Position, &Known)| {
            let registers = matches!(one.event, Event::SiteRegistered { .. });
            registers && by.saw(**at) && subject_id(**at) == site
        };
        self.known.iter().find(is).map(|(_, one)| one.city)
    }

    /// The facts of a unit of a city, as far as somebody knew.
    fn unit(&self, (unit, city): (SubjectId, CityCode), by: &Known) -> Option<UnitFacts> {
        let said = self.known.iter().filter(|(at, one)| one.city == city && by.saw(**at));
        let facts = said.filter_map(|(at, one)| match &one.event {
            Event::UnitRegistered { facts } if subject_id(*at) == unit => {
                Some(((one.epoch, *at), *facts))
            }
            Event::UnitAct(UnitAct::Changed { facts }) if one.envelope.subject.id == Some(unit) => {
                Some(((one.epoch, *at), *facts))
            }
            _ => None,
        });
        facts.max_by_key(|(place, _)| *place).map(|(_, facts)| facts)
    }

    /// Whether somebody is an officer who may lead at a site on a day.
    fn leads(&self, facts: &PlanFacts, officer: &UnitFacts, on: Date) -> bool {
        let ecology = Department::EcologyEnvironment;
        let of_plan = |one: Department| match facts.departments.contains(&ecology) {
            true => one == ecology,
            false => facts.departments.contains(&one),
        };
        officer.kind == UnitKind::Officer
            && !officer.retired
            && officer.department.is_some_and(of_plan)
            && officer.valid_from.is_some_and(|from| from <= on)
            && officer.valid_until.is_some_and(|until| on <= until)
    }

    /// A named site at which the city where it stands could not lead when the plan was scheduled.
    fn short(
        &self,
        (at, facts, answers): &(Position, &PlanFacts, Vec<Position>),
    ) -> Option<String> {
        let Targets::Named(visits) = &facts.targets else { return None };
        let by = &self.known[at];
        for visit in visits {
            let host = self.host(visit.site, by);
            let answer = self
                .words
                .iter()
                .find(|word| Some(word.city) == host && answers.contains(&word.place.1));
            let Some((word, host)) = answer.zip(host) else {
                return Some(format!("{at} goes to {}, whose city is not in it", visit.site));
            };
            let swap = self.newest((host, word.act.revision), by, as_swap);
            let sent = match (&word.act.word, swap) {
                (_, Some((place, sent))) if place > word.place => sent,
                (PlanWord::Answered(Answer::Confirm { sent }), _) => sent,
                _ => return Some(format!("{at} rests on no confirmation of {host}")),
            };
            for place in usize::from(visit.first)..=usize::from(visit.last) {
                let on = facts.days[place].at.on;
                let away = |officer: SubjectId| {
                    let mut recused = sent.recusals.iter().filter(|one| one.officer == officer);
                    recused.any(|one| one.site.is_none_or(|site| site == visit.site))
                };
                let mut units =
                    sent.units.iter().filter(|one| comes(one, place)).collect::<Vec<_>>();
                units.retain(|one| !away(one.unit));
                units.retain(|one| {
                    let officer = self.unit((one.unit, host), by);
                    officer.is_some_and(|officer| self.leads(facts, &officer, on))
                });
                if units.len() < HOST_OFFICERS {
                    let (count, site) = (units.len(), visit.site);
                    return Some(format!("{at} has {count} officers of {host} at {site}"));
                }
            }
        }
        None
    }

    /// Something that was said before the plan had come so far where it was said.
    fn early(&self, word: &Word<'_>) -> Option<String> {
        let is_of_a_visit = matches!(
            word.act.word,
            PlanWord::CheckedIn(_) | PlanWord::VisitReported(_) | PlanWord::ResultsReported
        );
        if !is_of_a_visit {
            return None;
        }
        let story = self.story(Some(word.by));
        let first = story.facts.days.first().map(|day| day.at.on);
        let runs = matches!(story.stage, PlanStage::Scheduled | PlanStage::Executing);
        let was_settled = runs || !story.answers.is_empty();
        let fits = match &word.act.word {
            PlanWord::CheckedIn(arrival) => {
                runs && story.facts.days.iter().any(|day| day.at.on == arrival.on)
            }
            PlanWord::VisitReported(report) => was_settled && first <= Some(report.on),
            _ => runs,
        };
        if fits && word.act.revision == story.revision.0 {
            return None;
        }
        let (city, at, stage) = (word.city, word.place.1, story.stage);
        Some(format!("{city} says {:?} at {at} while {stage:?}", word.act.word))
    }
}

/// A unit that a city has sent to two plans at a time, at any moment.
fn twice(plans: &[Entries<'_>], city: CityCode) -> Option<String> {
    let said = plans.iter().enumerate().flat_map(|(nth, plan)| {
        plan.words.iter().filter(|word| word.city == city).map(move |word| (word.place, nth))
    });
    let mut said: Vec<(Place, usize)> = said.collect();
    said.sort_unstable();
    let mut all: BTreeMap<usize, Away> = BTreeMap::new();
    for (place, nth) in said {
        let booked = plans[nth].booked(city, place).filter(|(_, held)| !held);
        let away = booked.map(|(away, _)| away).unwrap_or_default();
        for (other, there) in all.iter().filter(|(other, _)| **other != nth) {
            let both = |unit: &SubjectId| {
                there.get(unit).is_some_and(|days| !days.is_disjoint(&away[unit]))
            };
            if let Some(unit) = away.keys().find(|unit| both(unit)) {
                let (one, other) = (plans[nth].subject, plans[*other].subject);
                return Some(format!("{unit} of {city} goes to {one} and {other} by {}", place.1));
            }
        }
        all.insert(nth, away);
    }
    None
}

impl Checks {
    /// Compares the plans of an agreement with the rules, and what was written with what may be.
    pub(super) fn plans_by_rules(
        &mut self,
        cast: &Cast,
        (at, node): (usize, &Node),
        pact: usize,
        known: &BTreeMap<Position, Known>,
    ) {
        let plans = plans(known);
        // Of a city that lies or has lost something, what it wrote may rest on what nobody has.
        let odd = [&self.excused, &self.restored, &self.rotted];
        let honest: BTreeSet<CityCode> = cast.pacts[pact]
            .members
            .iter()
            .filter(|city| !odd.iter().any(|cities| cities.contains(*city)))
            .map(|city| cast.codes[*city])
            .collect();
        let rows = node.reader.as_ref().unwrap().view();
        let wrong = plans.iter().find_map(|plan| {
            let differs = || plan.differs(&rows, cast, pact);
            let sure = plan.words.iter().all(|word| honest.contains(&word.city))
                && honest.contains(&plan.initiator);
            let early = || plan.words.iter().filter(|_| sure).find_map(|word| plan.early(word));
            let scheduled = || plan.story(None).scheduled.into_iter().filter(|_| sure);
            let short = || scheduled().find_map(|one| plan.short(&one));
            let wrong = differs().or_else(early).or_else(short);
            wrong.map(|what| format!("plan {} {what}", plan.subject))
        });
        drop(rows);
        let wrong = wrong.or_else(|| honest.iter().find_map(|city| twice(&plans, *city)));
        if let Some(what) = wrong {
            self.fail(format!("P4 {at}: {what}"));
        }
    }
}
