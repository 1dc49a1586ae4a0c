//! Tables: who may register, change, block and free a unit.

use super::*;
use crate::domain::fixtures::date;
use crate::ids::SubjectId;

fn city(code: u32) -> CityCode {
    CityCode::from_u32(code).unwrap()
}

fn officer() -> UnitFacts {
    UnitFacts {
        kind: UnitKind::Officer,
        department: Some(Department::Water),
        valid_from: Some(date("2024-01-01")),
        valid_until: Some(date("2028-12-31")),
        retired: false,
    }
}

fn periods(texts: &[&str]) -> Vec<Period> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn blocked(texts: &[&str]) -> UnitAct {
    UnitAct::Blocked { periods: periods(texts) }
}

fn reason(result: Result<(), Refusal>) -> &'static str {
    result.map_or_else(|refusal| refusal.reason(), |()| "")
}

#[test]
fn a_unit_that_cannot_be_is_not_opened() {
    let vehicle =
        UnitFacts { kind: UnitKind::Vehicle, valid_from: None, valid_until: None, ..officer() };
    let rows = [
        (officer(), true),
        (vehicle, true),
        (UnitFacts::WHOLE_CITY, true),
        (UnitFacts { department: None, ..officer() }, false),
        (UnitFacts { valid_from: None, ..officer() }, false),
        (UnitFacts { valid_until: None, ..officer() }, false),
        (UnitFacts { valid_until: Some(date("2023-12-31")), ..officer() }, false),
        (UnitFacts { valid_until: Some(date("2024-01-01")), ..officer() }, true),
        (UnitFacts { department: None, ..vehicle }, false),
        (UnitFacts { retired: true, ..officer() }, true),
        (UnitFacts { retired: true, ..UnitFacts::WHOLE_CITY }, false),
        (UnitFacts { department: Some(Department::Other), ..UnitFacts::WHOLE_CITY }, false),
    ];
    for (row, (facts, fine)) in rows.into_iter().enumerate() {
        let want = if fine { Ok(()) } else { Err(Misfit::UnitInvalid) };
        assert_eq!(opens(&facts), want, "row {row}");
    }
}

#[test]
fn who_may_say_what_of_a_unit() {
    let (own, other) = (city(371_500), city(130_400));
    let unit = Unit { city: own, kind: UnitKind::Officer };
    let vehicle = UnitFacts { kind: UnitKind::Vehicle, ..officer() };
    let many = |count| UnitAct::Freed { periods: vec![Period::day(date("2026-07-01")); count] };
    let changed = |facts| UnitAct::Changed { facts };
    let rows = [
        (own, changed(officer()), ""),
        (own, changed(UnitFacts { retired: true, ..officer() }), ""),
        (own, changed(vehicle), "UNIT_INVALID"),
        (own, changed(UnitFacts { valid_from: None, ..officer() }), "UNIT_INVALID"),
        (other, changed(officer()), "NOT_UNIT_CITY"),
        (own, blocked(&["2026-07-01"]), ""),
        (other, blocked(&["2026-07-01"]), "NOT_UNIT_CITY"),
        (own, blocked(&[]), "UNIT_INVALID"),
        (own, many(UNIT_PERIODS_MAX), ""),
        (own, many(UNIT_PERIODS_MAX + 1), "UNIT_INVALID"),
        (other, many(1), "NOT_UNIT_CITY"),
    ];
    for (row, (by, act, want)) in rows.into_iter().enumerate() {
        let got = fits(&unit, by, &act).map_or_else(|misfit| misfit.reason(), |()| "");
        assert_eq!(got, want, "row {row}");
    }
}

#[test]
fn what_a_city_is_told_of_its_own_units() {
    let own = city(371_500);
    let today = date("2026-11-29");
    let known = Some(SubjectId::new([7; 16]));
    let members = [city(130_400), own];
    assert_eq!(reason(decide_register(own, &members, &officer(), None)), "");
    assert_eq!(reason(decide_register(own, &members, &officer(), known)), "UNIT_KNOWN");
    assert_eq!(reason(decide_register(own, &members[..1], &officer(), None)), "NOT_A_MEMBER");
    let wrong = UnitFacts { valid_from: None, ..officer() };
    assert_eq!(reason(decide_register(own, &members, &wrong, None)), "UNIT_INVALID");

    let retired = UnitFacts { retired: true, ..officer() };
    let freed = |texts: &[&str]| UnitAct::Freed { periods: periods(texts) };
    let rows = [
        (officer(), UnitAct::Changed { facts: retired }, None, ""),
        (officer(), UnitAct::Changed { facts: officer() }, known, "UNIT_KNOWN"),
        (officer(), blocked(&["2026-11-29上午"]), known, ""),
        (officer(), blocked(&["2026-11-01 至 2026-11-29"]), None, ""),
        (officer(), blocked(&["2026-11-30", "2026-11-28"]), None, "PERIOD_PAST"),
        (officer(), blocked(&["2029-11-29"]), None, ""),
        (officer(), blocked(&["2029-11-30"]), None, "PERIOD_TOO_FAR"),
        (officer(), freed(&["2030-01-01"]), None, "PERIOD_TOO_FAR"),
        (retired, blocked(&["2026-12-01"]), None, "UNIT_RETIRED"),
        (retired, freed(&["2026-12-01"]), None, ""),
    ];
    let unit = Unit { city: own, kind: UnitKind::Officer };
    for (row, (facts, act, known, want)) in rows.into_iter().enumerate() {
        let got = reason(decide_act((&unit, &facts), own, &act, known, today));
        assert_eq!(got, want, "row {row}");
    }
    let whole = Unit { city: own, kind: UnitKind::WholeCity };
    let change = UnitAct::Changed { facts: UnitFacts::WHOLE_CITY };
    let whole_facts = UnitFacts::WHOLE_CITY;
    assert_eq!(
        reason(decide_act((&whole, &whole_facts), own, &change, None, today)),
        "UNIT_WHOLE_CITY"
    );
    let block = blocked(&["2026-12-01"]);
    assert_eq!(reason(decide_act((&whole, &whole_facts), own, &block, None, today)), "");
}

#[test]
fn numbers_are_read_by_kind_and_known_again_however_they_were_typed() {
    let of = |kind, number: &str, team: &str| {
        UnitRecord::parse_for(kind, number, team)
            .map_err(|wrong| wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    };
    let officer = of(UnitKind::Officer, " sd0099011 ", "执法一大队").unwrap();
    assert_eq!((officer.number.as_str(), officer.key().as_str()), ("SD0099011", "SD0099011"));
    let plate = of(UnitKind::Vehicle, "鲁p·a1234", "").unwrap();
    assert_eq!((plate.number.as_str(), plate.team.as_ref()), ("鲁p·a1234", None));
    assert_eq!(plate.key(), of(UnitKind::Vehicle, "鲁P A1234", "").unwrap().key());
    for (kind, number, team, fields) in [
        (UnitKind::Officer, "1304009", "队", &["number"][..]),
        (UnitKind::Officer, "13040099011", " ", &["team"]),
        (UnitKind::Officer, "", "", &["number", "team"]),
        (UnitKind::Vehicle, "", "", &["number"]),
        (UnitKind::Uav, "序\n号", "", &["number"]),
        (UnitKind::Boat, "a", "队\u{202e}", &["team"]),
    ] {
        let wrong = UnitRecord::parse_for(kind, number, team).unwrap_err();
        let named: Vec<&str> = wrong.iter().filter_map(|one| one.field.as_deref()).collect();
        assert_eq!(named, fields, "{number} {team}");
    }
}
