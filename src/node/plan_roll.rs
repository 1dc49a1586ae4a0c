//! The roll of plans: what lists judge a plan by, one line a plan, newest opening first. Kept in
//! memory, and following the feed, as that of cases does ([`super::roll`]).
//!
//! A list counts how many plans fit in all. Here a line takes some 100 bytes, and nothing in it was
//! typed by anybody.
//!
//! What a plan awaits of the own city depends on the day. But as long as nobody writes, what is
//! once awaited of a city stays so: a line has the day from which on it is.
//!
//! In scope: the lines, keeping them up to date, what a plan awaits. Out of scope: what a list
//! takes (`rpc::plan_list`).
//!
//! Invariants:
//! 1. After [`PlanRoll::open`] the lines are what [`Line::of`] gives for every plan as of
//!    [`Open::as_of`]. (`lists_of_plans_are_what_a_look_at_each_of_them_gives`)
//! 2. Lines lie in the order of their openings. (`lines_lie_in_the_order_of_their_openings`)
//! 3. From [`Line::awaited_from`] on something is awaited on every day, and before on none; so of
//!    others from [`Line::others_from`] on.
//!    (`an_open_plan_always_awaits_somebody`)

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::plan::awaited::{Awaited, Heard, awaited};
use crate::domain::plan::ready::PlanRules;
use crate::domain::plan::{PlanDay, PlanStage, PlanState};
use crate::domain::{Date, HalfDay};
use crate::ids::CityCode;
use crate::log::SubjectKind;
use crate::node::pieces;
use crate::node::plan_look::PlanKey;
use crate::node::reader::Reader;
use crate::node::writer::NodeHandle;
use crate::view::{self, Booked, FeedEntry, PlanView};

/// What a list judges a plan by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The plan.
    pub plan: PlanKey,
    /// Apply number of its opening.
    pub opened: u64,
    /// What people are shown.
    pub state: PlanState,
    /// From when on it awaits something of the own city.
    pub awaited_from: Option<Date>,
    /// From when on it awaits something of another city.
    pub others_from: Option<Date>,
    /// Once it has ended: the last half day, by its number, for which own units are booked.
    pub held_to: Option<i64>,
    /// Who takes part.
    cities: Cities,
    /// When it takes place.
    days: Days,
}

/// Who takes part: the first five, mostly all, lie in the line itself. 0 is no city.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Cities {
    first: [u32; 5],
    others: Box<[u32]>,
}

impl Cities {
    fn of(cities: impl Iterator<Item = CityCode>) -> Self {
        let mut cities = cities.map(CityCode::as_u32);
        let mut first = [0; 5];
        first.iter_mut().zip(cities.by_ref()).for_each(|(place, city)| *place = city);
        Self { first, others: cities.collect() }
    }

    fn has(&self, city: CityCode) -> bool {
        let city = city.as_u32();
        self.first.contains(&city) || self.others.contains(&city)
    }
}

/// Days of a plan: the first ones that follow one another, mostly all, lie in the line itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Days {
    first: Option<(Date, Date)>,
    others: Box<[(Date, Date)]>,
}

impl Days {
    fn of(days: &[PlanDay]) -> Self {
        let mut runs: Vec<(Date, Date)> = Vec::new();
        for on in days.iter().map(|day| day.at.on) {
            match runs.last_mut() {
                Some((_, last)) if *last == on || last.plus_days(1) == Some(on) => *last = on,
                Some(_) | None => runs.push((on, on)),
            }
        }
        let first = runs.first().copied();
        Self { first, others: runs.into_iter().skip(1).collect() }
    }

    fn any_within(&self, from: Option<Date>, until: Option<Date>) -> bool {
        let within = |(first, last): &(Date, Date)| {
            let (from, until) = (from.unwrap_or(*first), until.unwrap_or(*last));
            from.max(*first) <= until.min(*last)
        };
        self.first.iter().chain(&self.others).any(within)
    }
}

impl Line {
    /// Of a plan as folded, at the node of city `own` with these parameters, which has these units
    /// booked for it.
    #[must_use]
    pub fn of(
        plan: PlanKey,
        (view, booked): (&PlanView, Option<Booked>),
        (own, rules): (CityCode, &PlanRules),
    ) -> Self {
        let facts = &view.plan.facts;
        let ended = matches!(view.plan.stage, PlanStage::Summarized | PlanStage::Cancelled);
        let held_to = booked.filter(|_| ended).map(|one| {
            let held = one.hold_until.map_or(i64::MAX, |on| HalfDay::afternoon(on).number());
            one.ends.min(held)
        });
        Self {
            held_to,
            plan,
            opened: view.opened_apply,
            state: view.state(),
            awaited_from: awaited_from(view, rules, |city| city == own),
            others_from: awaited_from(view, rules, |city| city != own),
            cities: Cities::of(facts.participants()),
            days: Days::of(&facts.days),
        }
    }

    /// Whether a city takes part.
    #[must_use]
    pub fn has(&self, city: CityCode) -> bool {
        self.cities.has(city)
    }

    /// Whether it takes place on any day from the one to the other.
    #[must_use]
    pub fn is_within(&self, from: Option<Date>, until: Option<Date>) -> bool {
        (from.is_none() && until.is_none()) || self.days.any_within(from, until)
    }
}

/// The first day on which a draw is shown.
fn reveal_on(first: Date, rules: &PlanRules) -> Date {
    let before = i64::from(rules.reveal_days_before);
    first.plus_days(-before).unwrap_or(first)
}

/// Who has to do what about a plan next.
#[must_use]
pub fn awaited_on(
    view: &PlanView,
    rules: &PlanRules,
    today: Date,
) -> BTreeMap<CityCode, Vec<Awaited>> {
    let plan = &view.plan;
    let answers = view.answers();
    let committed: BTreeSet<CityCode> = match plan.resting.attempt {
        0 => view.heard.commitments.keys().copied().collect(),
        _ => plan.resting.commitments.keys().copied().collect(),
    };
    let reported = view.heard.reported.keys().copied().collect();
    let heard = Heard {
        answers: &answers,
        committed: &committed,
        revealed: &view.heard.revealed,
        reported: &reported,
    };
    let first = plan.facts.days.first().map_or(today, |day| day.at.on);
    awaited(plan, heard, reveal_on(first, rules), today)
}

/// From which day on something is awaited of one of these cities, if nobody writes. It changes on
/// the day on which draws are shown and on the first one, and on no other.
fn awaited_from(view: &PlanView, rules: &PlanRules, of: impl Fn(CityCode) -> bool) -> Option<Date> {
    let first = view.plan.facts.days.first().map(|day| day.at.on);
    let days = [Some(Date::EARLIEST), first.map(|first| reveal_on(first, rules)), first];
    days.into_iter().flatten().find(|day| awaited_on(view, rules, *day).into_keys().any(&of))
}

/// The lines; clones share them.
#[derive(Clone, Default)]
pub struct PlanRoll(Arc<Mutex<Lines>>);

#[derive(Default)]
struct Lines {
    /// The feed it follows; none before the first look.
    feed: Option<[u8; 16]>,
    read_to: u64,
    /// Oldest opening first.
    lines: Vec<Line>,
}

/// The roll while somebody reads it: nobody changes it meanwhile.
pub struct Open<'a>(MutexGuard<'a, Lines>);

impl PlanRoll {
    /// Opens it as of now. The first opening walks all plans: call it off the threads that serve.
    #[must_use]
    pub fn open(&self, node: &NodeHandle) -> Open<'_> {
        let mut open = Open(self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let reader = node.reader();
        if open.0.feed != Some(reader.feed_id()) {
            open.make(node, &reader);
        }
        let rules = node.plan_rules();
        while let Some((changes, last)) = pieces::changes(&reader, open.0.read_to) {
            let plans: BTreeSet<PlanKey> = changes.iter().filter_map(plan_of).collect();
            for plan in plans {
                // Released each time: the writer waits for nobody who reads many.
                let rows = reader.view();
                let found = view::plan(&rows, plan.0, plan.1);
                let booked = view::booked(&rows, plan, node.city());
                drop(rows);
                let line = |view| Line::of(plan, (view, booked), (node.city(), &rules));
                found.as_ref().map(line).into_iter().for_each(|line| open.put(line));
            }
            open.0.read_to = last;
        }
        open
    }
}

/// The plan that a change is about.
fn plan_of(change: &FeedEntry) -> Option<PlanKey> {
    Some((change.agreement, change.record_of(SubjectKind::Plan)?))
}

impl Open<'_> {
    fn make(&mut self, node: &NodeHandle, reader: &Reader) {
        let read_to = reader.apply_number(&reader.view());
        let (mut lines, rules) = (Vec::new(), node.plan_rules());
        for (agreement, _) in node.book().iter() {
            pieces::plans(reader, *agreement, None, &mut |subject, view| {
                let (key, own) = ((*agreement, subject), node.city());
                let booked = view::booked(&reader.in_pieces(), key, own);
                lines.push(Line::of(key, (&view, booked), (own, &rules)));
                true
            });
        }
        lines.sort_unstable_by_key(|line: &Line| line.opened);
        *self.0 = Lines { feed: Some(reader.feed_id()), read_to, lines };
    }

    fn put(&mut self, line: Line) {
        let lines = &mut self.0.lines;
        match lines.binary_search_by_key(&line.opened, |one| one.opened) {
            Ok(place) => {
                if let Some(one) = lines.get_mut(place) {
                    *one = line;
                }
            }
            Err(place) => lines.insert(place, line),
        }
    }

    /// Apply number as of which it is so.
    #[must_use]
    pub fn as_of(&self) -> u64 {
        self.0.read_to
    }

    /// The lines opened before `below`, newest first.
    pub fn newest_first(&self, below: Option<u64>) -> impl Iterator<Item = &Line> {
        let lines = &self.0.lines;
        let end = below.map_or(lines.len(), |at| lines.partition_point(|one| one.opened < at));
        lines.iter().take(end).rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::{
        AnswerKind, DrawRule, Plan, PlanCity, PlanFacts, PlanKind, PlanStage, Targets, TierWeights,
        open,
    };
    use crate::domain::slots::Need;
    use crate::domain::{Department, UnitKind};
    use crate::ids::{AgreementId, Hash, LogId, Position, SubjectId};
    use crate::view::{Heard, Place};

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn days(all: &[&str]) -> Days {
        let day = |text: &&str| PlanDay { at: text.parse().unwrap(), overtime: false };
        Days::of(&all.iter().map(day).collect::<Vec<_>>())
    }

    fn line(opened: u64, state: PlanState) -> Line {
        let plan = (AgreementId::new([2; 16]), SubjectId::new([u8::try_from(opened).unwrap(); 16]));
        let cities = Cities::of([CityCode::from_u32(371_500).unwrap()].into_iter());
        let (awaited_from, others_from) = (None, None);
        let (held_to, days) = (None, Days::default());
        Line { plan, opened, state, awaited_from, others_from, held_to, cities, days }
    }

    #[test]
    fn lines_lie_in_the_order_of_their_openings() {
        let roll = PlanRoll::default();
        let mut open = Open(roll.0.lock().unwrap());
        for opened in [5, 9, 2, 7] {
            open.put(line(opened, PlanState::Consulting));
        }
        open.put(line(7, PlanState::Cancelled));
        let opened = |below| open.newest_first(below).map(|one| one.opened).collect::<Vec<_>>();
        assert_eq!(opened(None), [9, 7, 5, 2]);
        assert_eq!((opened(Some(7)), opened(Some(2))), (vec![5, 2], vec![]));
        assert_eq!(*open.newest_first(Some(8)).next().unwrap(), line(7, PlanState::Cancelled));
    }

    /// A draw of two cities on 8 December, settled, and nothing of it shown.
    fn settled() -> PlanView {
        let city = |code| CityCode::from_u32(code).unwrap();
        let at = Position { log: LogId::new([1; 32]), index: 0 };
        let cities = [130_400, 371_500].map(city);
        let need = Need { kind: UnitKind::Officer, department: None, count: 2 };
        let targets = Targets::Draw(DrawRule {
            sites: 1,
            host_officers: 2,
            guest_officers: 0,
            weights: TierWeights { key: 1, general: 1, special: 1 },
            pool: Hash::of(&[b"list"]),
            pool_size: 1,
            spares_withholders: false,
        });
        let facts = PlanFacts {
            kind: PlanKind::DoubleRandom,
            cities: cities.map(|city| PlanCity { city, needs: vec![need] }).to_vec(),
            departments: vec![Department::EcologyEnvironment],
            days: vec![PlanDay { at: "2026-12-08上午".parse().unwrap(), overtime: false }],
            targets,
        };
        let plan = open(city(371_500), (at, &facts), &cities).unwrap();
        let plan = Plan { stage: PlanStage::Scheduled, ..plan };
        let confirmed = (Place { epoch: 1, at }, AnswerKind::Confirm);
        let answers = cities.map(|city| (city, confirmed)).into();
        PlanView {
            plan,
            opened_at: at,
            opened_ms: 0,
            last_move: at,
            record_at: at,
            pool_at: Some(at),
            heard: Heard { answers, ..Heard::default() },
            move_count: 1,
            contribution_count: 0,
            misfit_count: 0,
            needs_newer: false,
            last_apply: 0,
            opened_apply: 0,
        }
    }

    #[test]
    fn a_draw_is_awaited_from_the_day_that_the_parameters_in_force_say() {
        let (view, own) = (settled(), CityCode::from_u32(371_500).unwrap());
        for (reveal_days_before, from) in [(1, "2026-12-07"), (4, "2026-12-04")] {
            let rules = PlanRules { reveal_days_before, ..PlanRules::default() };
            let plan = (AgreementId::new([2; 16]), SubjectId::new([3; 16]));
            let line = Line::of(plan, (&view, None), (own, &rules));
            assert_eq!((line.awaited_from, line.others_from), (Some(date(from)), Some(date(from))));
            let before = date(from).plus_days(-1).unwrap();
            assert!(awaited_on(&view, &rules, before).is_empty());
            assert_eq!(awaited_on(&view, &rules, date(from))[&own], [Awaited::Reveal]);
        }
    }

    #[test]
    fn a_line_has_all_its_cities_however_many() {
        let city = |nth: u32| CityCode::from_u32(370_000 + 100 * nth).unwrap();
        for count in 2..=16 {
            let cities = Cities::of((1..=count).map(city));
            assert!((1..=count).all(|nth| cities.has(city(nth))), "{count}");
            assert!(!cities.has(city(count + 1)), "{count}");
        }
    }

    #[test]
    fn a_line_is_within_days_as_one_of_its_days_is() {
        let of = ["2026-12-30上午", "2026-12-30下午", "2026-12-31上午", "2027-01-04下午"];
        let one = Line { days: days(&of), ..line(1, PlanState::Consulting) };
        assert_eq!(one.days.others.len(), 1, "days that follow one another are one");
        let all = ["2026-12-30", "2026-12-31", "2027-01-04"].map(date);
        let asked: Vec<Option<Date>> =
            (-2..8).map(|ahead| date("2026-12-30").plus_days(ahead)).chain([None]).collect();
        for from in &asked {
            for until in &asked {
                let within = |on: &Date| {
                    from.is_none_or(|from| from <= *on) && until.is_none_or(|until| *on <= until)
                };
                assert_eq!(
                    one.is_within(*from, *until),
                    all.iter().any(within),
                    "{from:?} {until:?}"
                );
            }
        }
    }
}
