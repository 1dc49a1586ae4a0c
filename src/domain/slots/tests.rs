//! Tables of searches, and their speed in one large one.

mod brute;

use super::*;
use crate::domain::fixtures::{city, date};
use UnitKind::{Officer, Vehicle};

/// A generator of our own, so that the instances never change (xorshift64*).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

fn unit(kind: UnitKind, department: Department) -> Unit {
    let (valid_from, valid_until) = (None, None);
    let busy = HalfDaySet::EMPTY;
    Unit { kind, department, valid_from, valid_until, retired: false, busy }
}

fn need(kind: UnitKind, department: Option<Department>, count: u32) -> Need {
    Need { kind, department, count }
}

fn horizon(from: &str, until: &str) -> Horizon {
    Horizon::new(date(from), date(until)).unwrap()
}

fn periods(horizon: Horizon, texts: &[&str]) -> HalfDaySet {
    horizon.set(texts.iter().map(|text| text.parse().unwrap()))
}

fn starts(slots: &Slots) -> Vec<String> {
    slots.windows.iter().map(|window| window.period.to_string()).collect()
}

fn name(code: CityCode) -> String {
    if code == city(130_400) { "邯郸".to_owned() } else { code.to_string() }
}

/// A national holiday, a day worked in its place, and a city that is short of one officer.
#[test]
fn windows_and_the_reasons_of_earlier_days_in_a_table() {
    let water = Department::Water;
    let horizon = horizon("2026-09-18", "2026-09-30");
    let busy = periods(horizon, &["2026-09-21上午", "2026-09-23下午"]);
    let first = Unit { busy, ..unit(Officer, water) };
    let handan = Participant {
        city: city(130_400),
        needs: vec![need(Officer, Some(water), 2), need(Vehicle, None, 1)],
        units: vec![first, unit(Officer, water), unit(Vehicle, Department::Other)],
        busy: periods(horizon, &["2026-09-18"]),
    };
    let calendar = WorkCalendar::shipped();
    let participants = [handan];
    let mut search = Search {
        calendar: &calendar,
        horizon,
        length: Length::Days(1),
        overtime: false,
        same_units: false,
        windows: 2,
        participants: &participants,
    };
    let found = find(&search).unwrap();
    // 2026-09-20 is a Sunday that is worked.
    assert_eq!(starts(&found), ["2026-09-20", "2026-09-22"]);
    let explained: Vec<String> = found
        .failure_runs()
        .iter()
        .map(|run| {
            let at = run.at.text(Language::Zh);
            let causes = run.causes.iter().map(|c| c.explain(Language::Zh, &name));
            format!("{at} {}", causes.collect::<Vec<_>>().join("、"))
        })
        .collect();
    assert_eq!(
        explained,
        [
            "2026-09-18上午 邯郸全市无法安排",
            "2026-09-19上午 为休息日",
            "2026-09-21上午 邯郸缺水利执法人员1名",
        ]
    );
    let english = |cause: Cause| cause.explain(Language::En, &name);
    let causes: Vec<_> =
        found.failures.iter().flat_map(|f| f.causes.clone()).map(english).collect();
    assert_eq!(
        causes,
        [
            "邯郸 is busy as a whole",
            "is a rest day",
            "邯郸 is short of 1 officer of water resources"
        ]
    );
    search.length = Length::HalfDays(3);
    assert_eq!(
        starts(&find(&search).unwrap()),
        ["2026-09-21 PM to 2026-09-22 PM", "2026-09-22 AM to 2026-09-23 AM"]
    );
    (search.overtime, search.length) = (true, Length::Days(2));
    let found = find(&search).unwrap();
    assert_eq!(found.windows[0].period.to_string(), "2026-09-19 AM to 2026-09-20 PM");
    assert_eq!(found.windows[0].rest_days, [date("2026-09-19")]);
}

#[test]
fn an_unknown_year_is_provisional_also_on_a_sunday() {
    let calendar = WorkCalendar::shipped();
    let nobody_needed = Participant {
        city: city(371_500),
        needs: Vec::new(),
        units: Vec::new(),
        busy: HalfDaySet::EMPTY,
    };
    let search = Search {
        calendar: &calendar,
        horizon: horizon("2026-12-31", "2027-01-04"),
        length: Length::Days(2),
        overtime: false,
        same_units: false,
        windows: 10,
        participants: &[nobody_needed],
    };
    let found = find(&search).unwrap();
    assert_eq!(found.windows.len(), 4);
    assert!(found.windows.iter().all(|window| window.provisional));
    assert_eq!(found.failures, []);
}

/// Two halves by two officers are a day in shifts, and no day where one officer is to stay.
#[test]
fn a_window_is_in_shifts_unless_the_same_units_are_asked_for() {
    let horizon = horizon("2026-11-02", "2026-11-02");
    let of = |busy: &str| Unit {
        busy: periods(horizon, &[busy]),
        ..unit(Officer, Department::EcologyEnvironment)
    };
    let one = Participant {
        city: city(130_400),
        needs: vec![need(Officer, None, 1)],
        units: vec![of("2026-11-02上午"), of("2026-11-02下午")],
        busy: HalfDaySet::EMPTY,
    };
    let calendar = WorkCalendar::shipped();
    let mut search = Search {
        calendar: &calendar,
        horizon,
        length: Length::Days(1),
        overtime: false,
        same_units: false,
        windows: 1,
        participants: &[one],
    };
    let found = find(&search).unwrap();
    assert_eq!(starts(&found), ["2026-11-02"]);
    assert_eq!(found.windows[0].in_shifts, [city(130_400)]);
    search.same_units = true;
    let found = find(&search).unwrap();
    assert_eq!((found.windows.len(), found.failures.len()), (0, 1));
    // Either half alone works, so it fails with its second half.
    assert_eq!(found.failures[0].at, "2026-11-02下午".parse().unwrap());
    search.length = Length::HalfDays(1);
    let found = find(&search).unwrap();
    assert_eq!(starts(&found), ["2026-11-02 AM"]);
    assert_eq!(found.windows[0].in_shifts, []);
}

#[test]
fn bad_searches_are_refused_with_their_field() {
    let calendar = WorkCalendar::shipped();
    let one = |needs: Vec<Need>| Participant {
        city: city(371_500),
        needs,
        units: Vec::new(),
        busy: HalfDaySet::EMPTY,
    };
    let wrong = |length: Length, windows: usize, participants: &[Participant]| {
        let horizon = horizon("2026-11-02", "2026-11-04");
        let calendar = &calendar;
        let (overtime, same_units) = (false, false);
        let search =
            Search { calendar, horizon, length, overtime, same_units, windows, participants };
        let wrong = find(&search).unwrap_err();
        format!("{} {}", wrong.field.clone().unwrap(), wrong.reason())
    };
    let good = [one(Vec::new())];
    for length in
        [Length::HalfDays(0), Length::Days(4), Length::HalfDays(7), Length::Days(usize::MAX)]
    {
        assert_eq!(wrong(length, 1, &good), "length OUT_OF_RANGE");
    }
    let day = Length::Days(1);
    for windows in [0, SLOT_WINDOWS_MAX + 1] {
        assert_eq!(wrong(day, windows, &good), "windows OUT_OF_RANGE");
    }
    assert_eq!(wrong(day, 1, &[]), "participants REQUIRED");
    let twice = [one(Vec::new()), one(Vec::new())];
    assert_eq!(wrong(day, 1, &twice), "participants[1].city DUPLICATE");
    let many: Vec<Participant> = (0..=MEMBERS_MAX).map(|_| one(Vec::new())).collect();
    assert_eq!(wrong(day, 1, &many), "participants LIST_TOO_LONG");
    for (needs, reason) in [
        (vec![need(UnitKind::WholeCity, None, 1)], "needs[0].kind CODE_UNKNOWN"),
        (vec![need(Officer, None, 0)], "needs[0].count OUT_OF_RANGE"),
        (vec![need(Officer, None, 100)], "needs[0].count OUT_OF_RANGE"),
        (vec![need(Officer, None, 1), need(Officer, None, 2)], "needs[1].department DUPLICATE"),
        (vec![need(Officer, None, 1); PLAN_NEEDS_MAX + 1], "needs LIST_TOO_LONG"),
    ] {
        assert_eq!(wrong(day, 1, &[one(needs)]), format!("participants[0].{reason}"));
    }
    let range = |from, until| Horizon::new(date(from), date(until)).unwrap_err();
    assert_eq!(range("2026-11-02", "2026-11-01").to_string().split(':').next(), Some("until"));
    assert_eq!(range("2026-11-02", "2027-02-02").reason(), "PERIOD_TOO_LONG");
    assert_eq!(horizon("2026-11-02", "2027-02-01").half_day_count(), 184);
}

/// Ninety days, five cities, two hundred units each, none of the windows works.
#[test]
fn a_quarter_of_five_cities_is_searched_at_once() {
    let horizon = horizon("2026-08-03", "2026-10-31");
    let mut chance = Chance(5);
    let units: Vec<Unit> = (0..200)
        .map(|_| {
            let mut unit = unit(Officer, Department::EcologyEnvironment);
            (0..180).filter(|_| chance.one_in(3)).for_each(|place| unit.busy.insert(place));
            unit
        })
        .collect();
    let of = |code: &u32| Participant {
        city: city(*code),
        needs: vec![need(Officer, None, 99), need(Vehicle, Some(Department::Water), 1)],
        units: units.clone(),
        busy: HalfDaySet::EMPTY,
    };
    let cities = [130_400, 370_900, 371_400, 371_500, 410_900];
    let participants: Vec<Participant> = cities.iter().map(of).collect();
    let calendar = WorkCalendar::shipped();
    let (length, windows) = (Length::HalfDays(6), SLOT_WINDOWS_MAX);
    let participants = &participants;
    let calendar = &calendar;
    for same_units in [false, true] {
        let overtime = true;
        let search =
            Search { calendar, horizon, length, overtime, same_units, windows, participants };
        let found = find(&search).unwrap();
        assert_eq!((found.windows.len(), found.failures.len()), (0, 175));
        // All along too few officers are free as well.
        assert_eq!(found.failures[0].causes.len(), if same_units { 10 } else { 5 });
    }
}
