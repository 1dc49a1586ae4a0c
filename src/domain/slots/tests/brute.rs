//! A brute force that shares nothing with the search but its input.

use std::collections::{BTreeMap, BTreeSet};

use super::super::*;
use super::Chance;
use crate::domain::fixtures::{city, date};
use UnitKind::{Boat, Officer, Uav, Vehicle};

/// A unit as the brute force sees it.
struct Plain {
    kind: UnitKind,
    department: Department,
    valid: (Option<Date>, Option<Date>),
    retired: bool,
    busy: BTreeSet<(Date, bool)>,
}

struct PlainCity {
    code: u32,
    needs: Vec<Need>,
    units: Vec<Plain>,
    busy: BTreeSet<(Date, bool)>,
}

struct Instance {
    from: Date,
    days: i64,
    length: Length,
    overtime: bool,
    same_units: bool,
    windows: usize,
    cities: Vec<PlainCity>,
}

const STARTS: [&str; 6] =
    ["2026-01-26", "2026-04-27", "2026-09-14", "2026-09-28", "2026-12-21", "2027-03-01"];
const DEPARTMENTS: [Department; 3] =
    [Department::EcologyEnvironment, Department::Water, Department::PublicSecurity];

fn instance(chance: &mut Chance) -> Instance {
    let pick = |chance: &mut Chance, of: usize| usize::try_from(chance.below(of as u64)).unwrap();
    let from = date(STARTS[pick(chance, STARTS.len())]);
    let longest = if chance.one_in(20) { 92 } else { 20 };
    let days = 1 + i64::try_from(chance.below(longest)).unwrap();
    let most = usize::try_from(days * 2).unwrap().min(7);
    let length = match chance.one_in(2) {
        true => Length::HalfDays(1 + pick(chance, most)),
        false => Length::Days(1 + pick(chance, (most / 2).max(1))),
    };
    // Units that are busy every few half days come in shifts, if at all.
    let often = chance.one_in(2);
    let density = if often { 2 + chance.below(4) } else { 4 + chance.below(60) };
    let busy = |chance: &mut Chance, one_in: u64| -> BTreeSet<(Date, bool)> {
        let all = (0..days).flat_map(|day| [(day, false), (day, true)]);
        all.filter(|_| chance.one_in(one_in))
            .map(|(day, half)| (from.plus_days(day).unwrap(), half))
            .collect()
    };
    let mut cities = Vec::new();
    for code in [130_400, 371_500, 410_900].into_iter().take(1 + pick(chance, 3)) {
        let mut needs: Vec<Need> = Vec::new();
        for _ in 0..chance.below(4).min(chance.below(4)) {
            let kind = [Officer, Vehicle][pick(chance, 2)];
            let department = chance.one_in(2).then(|| DEPARTMENTS[pick(chance, 3)]);
            let count = 1 + u32::try_from(chance.below(2)).unwrap();
            if !needs.iter().any(|need| (need.kind, need.department) == (kind, department)) {
                needs.push(Need { kind, department, count });
            }
        }
        let mut units = Vec::new();
        let count = if often { 8 + chance.below(24) } else { chance.below(16) };
        for _ in 0..count {
            let edge = |chance: &mut Chance| {
                let day = i64::try_from(chance.below(40)).unwrap() - 5;
                chance.one_in(4).then(|| from.plus_days(day).unwrap())
            };
            units.push(Plain {
                kind: [Officer, Vehicle, Uav, Boat][pick(chance, 4).min(pick(chance, 4))],
                department: DEPARTMENTS[pick(chance, 3)],
                valid: (edge(chance), edge(chance)),
                retired: chance.one_in(12),
                busy: busy(chance, density),
            });
        }
        cities.push(PlainCity { code, needs, units, busy: busy(chance, 40) });
    }
    let (overtime, windows) = (chance.one_in(3), 1 + pick(chance, 5));
    let same_units = chance.one_in(2);
    Instance { from, days, length, overtime, same_units, windows, cities }
}

impl Instance {
    fn search(&self) -> Slots {
        let horizon = Horizon::new(self.from, self.from.plus_days(self.days - 1).unwrap()).unwrap();
        let set = |busy: &BTreeSet<(Date, bool)>| {
            horizon.set(busy.iter().map(|(on, afternoon)| {
                let half = if *afternoon { Half::Afternoon } else { Half::Morning };
                Period::half_day(HalfDay { on: *on, half })
            }))
        };
        let unit = |unit: &Plain| Unit {
            kind: unit.kind,
            department: unit.department,
            valid_from: unit.valid.0,
            valid_until: unit.valid.1,
            retired: unit.retired,
            busy: set(&unit.busy),
        };
        let participants: Vec<Participant> = self
            .cities
            .iter()
            .map(|one| Participant {
                city: city(one.code),
                needs: one.needs.clone(),
                units: one.units.iter().map(unit).collect(),
                busy: set(&one.busy),
            })
            .collect();
        find(&Search {
            calendar: &WorkCalendar::shipped(),
            horizon,
            length: self.length,
            overtime: self.overtime,
            same_units: self.same_units,
            windows: self.windows,
            participants: &participants,
        })
        .unwrap()
    }

    fn halves(&self) -> Vec<(Date, bool)> {
        let day = |day| self.from.plus_days(day).unwrap();
        (0..self.days).flat_map(|at| [(day(at), false), (day(at), true)]).collect()
    }
}

/// Seats that stay empty when units are given to them as well as can be: paths that let one more
/// unit sit are looked for until there are none.
fn empty_seats(needs: &[Need], units: &[&Plain]) -> usize {
    let seats: Vec<&Need> =
        needs.iter().flat_map(|need| (0..need.count).map(move |_| need)).collect();
    let mut sits: BTreeMap<usize, usize> = BTreeMap::new();
    fn place(
        seat: usize,
        seats: &[&Need],
        units: &[&Plain],
        sits: &mut BTreeMap<usize, usize>,
        tried: &mut BTreeSet<usize>,
    ) -> bool {
        for (at, unit) in units.iter().enumerate() {
            let need = seats[seat];
            let fits = unit.kind == need.kind
                && (need.department.is_none() || need.department == Some(unit.department));
            if fits && tried.insert(at) {
                let free = match sits.get(&at) {
                    None => true,
                    Some(other) => place(*other, seats, units, sits, tried),
                };
                if free {
                    sits.insert(at, seat);
                    return true;
                }
            }
        }
        false
    }
    let seated = (0..seats.len())
        .filter(|seat| place(*seat, &seats, units, &mut sits, &mut BTreeSet::new()))
        .count();
    seats.len() - seated
}

fn serves(unit: &Plain, window: &[(Date, bool)]) -> bool {
    !unit.retired
        && window.iter().all(|half| {
            !unit.busy.contains(half)
                && unit.valid.0.is_none_or(|first| first <= half.0)
                && unit.valid.1.is_none_or(|last| half.0 <= last)
        })
}

/// What a city lacks over these half days: seats, or `None` when it is busy as a whole.
fn lacks(one: &PlainCity, window: &[(Date, bool)]) -> Option<usize> {
    if window.iter().any(|half| one.busy.contains(half)) {
        return None;
    }
    let there: Vec<&Plain> = one.units.iter().filter(|unit| serves(unit, window)).collect();
    Some(empty_seats(&one.needs, &there))
}

/// What a city lacks over these half days, need by need. Those that name a department come first,
/// and what the one that names none adds to the empty seats of its kind is what that one lacks.
fn lacks_each(
    one: &PlainCity,
    window: &[(Date, bool)],
) -> Vec<(UnitKind, Option<Department>, u32)> {
    let there: Vec<&Plain> = one.units.iter().filter(|unit| serves(unit, window)).collect();
    let lacking = |needs: Vec<Need>| empty_seats(&needs, &there);
    let each = |need: &Need| {
        let missing = match need.department {
            Some(_) => lacking(vec![*need]),
            None => {
                let of_kind = |other: &&Need| other.kind == need.kind && other.department.is_some();
                let own: Vec<Need> = one.needs.iter().filter(of_kind).copied().collect();
                lacking([own.as_slice(), &[*need]].concat()) - lacking(own)
            }
        };
        (need.kind, need.department, u32::try_from(missing).unwrap())
    };
    one.needs.iter().map(each).filter(|(_, _, missing)| *missing > 0).collect()
}

/// What a city lacks as it was asked: over the whole of a window, or half day by half day, and then
/// of each need the most. `None` when it is busy as a whole.
fn lacks_as_asked(
    one: &PlainCity,
    window: &[(Date, bool)],
    same_units: bool,
) -> Option<Vec<(UnitKind, Option<Department>, u32)>> {
    lacks(one, window)?;
    if same_units {
        return Some(lacks_each(one, window));
    }
    let by_half: Vec<_> = window.iter().map(|half| lacks_each(one, &[*half])).collect();
    let most = |need: &Need| {
        let of_need = by_half.iter().flatten();
        let missing = of_need.filter(|(kind, of, _)| (*kind, *of) == (need.kind, need.department));
        Some((need.kind, need.department, missing.map(|(_, _, missing)| *missing).max()?))
    };
    Some(one.needs.iter().filter_map(most).collect())
}

/// Whether a day is off, by a list of its own for 2026; `None` of another year.
fn is_off(on: Date) -> Option<bool> {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../../data/workdays-2025-2026.json")).unwrap();
    let listed = |key: &str| {
        file[key].as_array().unwrap().iter().any(|day| day.as_str() == Some(&on.to_string()))
    };
    let weekend = jiff::civil::Date::strptime("%Y-%m-%d", on.to_string()).unwrap().weekday();
    let weekend = [jiff::civil::Weekday::Saturday, jiff::civil::Weekday::Sunday].contains(&weekend);
    (on.year() == 2026).then(|| !listed("make_up_workdays") && (weekend || listed("off_days")))
}

fn compare(instance: &Instance, off: &BTreeMap<Date, Option<bool>>, round: usize) -> usize {
    let found = instance.search();
    let halves = instance.halves();
    let (count, step) = match instance.length {
        Length::HalfDays(count) => (count, 1),
        Length::Days(days) => (days * 2, 2),
    };
    let (mut windows, mut failures) = (found.windows.iter(), found.failures.iter());
    let mut given = 0;
    for (start, window) in halves.windows(count).enumerate().filter(|(at, _)| at % step == 0) {
        if given == instance.windows {
            break;
        }
        let first = |at: HalfDay| (at.on, at.half == Half::Afternoon) == window[0];
        let rests = window.iter().any(|(on, _)| off[on] == Some(true));
        let same_units = instance.same_units;
        let lacking: Vec<Option<Vec<_>>> =
            instance.cities.iter().map(|one| lacks_as_asked(one, window, same_units)).collect();
        let comes = |one: &Option<Vec<_>>| one.as_ref().is_some_and(Vec::is_empty);
        if (!rests || instance.overtime) && lacking.iter().all(comes) {
            let got = windows.next().unwrap_or_else(|| panic!("round {round}, start {start}"));
            assert!(first(got.period.first()), "round {round}, start {start}: {got:?}");
            assert_eq!(got.period.half_day_count(), count, "round {round}");
            assert_eq!(got.provisional, window.iter().any(|(on, _)| off[on].is_none()));
            let worn: BTreeSet<Date> =
                window.iter().map(|(on, _)| *on).filter(|on| off[on] == Some(true)).collect();
            assert_eq!(got.rest_days, worn.into_iter().collect::<Vec<_>>(), "round {round}");
            let changes = instance.cities.iter().filter(|one| lacks(one, window) != Some(0));
            let changes: Vec<_> = changes.map(|one| city(one.code)).collect();
            assert_eq!(got.in_shifts, changes, "round {round}");
            given += 1;
            continue;
        }
        let got = failures.next().unwrap_or_else(|| panic!("round {round}, start {start}"));
        assert!(first(got.start), "round {round}, start {start}: {got:?}");
        let (mut at, by_rest) = (None, rests && !instance.overtime);
        for (place, half) in window.iter().enumerate() {
            let fails = match by_rest {
                true => off[&half.0] == Some(true),
                false => instance.cities.iter().zip(&lacking).any(|(one, whole)| match whole {
                    None => one.busy.contains(half),
                    Some(_) if same_units => lacks(one, &window[..=place]) != Some(0),
                    Some(_) => lacks(one, &window[place..=place]) != Some(0),
                }),
            };
            at = at.or(fails.then_some(*half));
        }
        assert_eq!(Some((got.at.on, got.at.half == Half::Afternoon)), at, "round {round}: {got:?}");
        assert_eq!(by_rest, got.causes == [Cause::RestDay], "round {round}");
        if by_rest {
            continue;
        }
        for (one, want) in instance.cities.iter().zip(lacking) {
            let of_city = got.causes.iter().filter_map(|cause| match cause {
                Cause::Short { city: who, kind, department, missing } if *who == city(one.code) => {
                    Some((*kind, *department, *missing))
                }
                Cause::RestDay | Cause::CityBusy { .. } | Cause::Short { .. } => None,
            });
            let of_city: Vec<_> = of_city.collect();
            let busy = got.causes.contains(&Cause::CityBusy { city: city(one.code) });
            let is_busy = want.is_none();
            assert_eq!((busy, of_city), (is_busy, want.unwrap_or_default()), "round {round}");
        }
    }
    assert!(windows.next().is_none() && failures.next().is_none(), "round {round}");
    given
}

#[test]
fn a_brute_force_finds_the_same() {
    let mut chance = Chance(0x11a2_d0c3_5eed);
    let mut off = BTreeMap::new();
    let (mut given, mut without, mut in_shifts) = (0, 0, 0);
    for round in 0..1_000 {
        let instance = instance(&mut chance);
        for (on, _) in instance.halves() {
            off.entry(on).or_insert_with(|| is_off(on));
        }
        let windows = compare(&instance, &off, round);
        let found = instance.search().windows;
        in_shifts += found.iter().filter(|one| !one.in_shifts.is_empty()).count();
        given += windows;
        without += usize::from(windows == 0);
    }
    // The instances must be neither hopeless nor trivial.
    let told = format!("{given} windows, {in_shifts} of them in shifts, {without} without any");
    assert!(given > 1_000 && in_shifts > 30 && without > 100, "{told}");
}
