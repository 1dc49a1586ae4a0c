use super::*;
use crate::domain::catalogue::Catalogue;
use crate::domain::fixtures::{date, facts};

const HERE: (i64, i64) = (115_437_000, 36_279_092);

fn act(change: impl FnOnce(&mut CaseFacts)) -> Act {
    let mut facts = facts();
    (facts.occurred_from, facts.occurred_to) = (Some(date("2026-11-03")), Some(date("2026-11-10")));
    change(&mut facts);
    firm(&facts, None)
}

fn firm(facts: &CaseFacts, decided_on: Option<Date>) -> Act {
    let key = PartyKey::Firm("91371522YYYY90011A".to_owned());
    let place = Coordinates::from_udeg(HERE.0, HERE.1).ok();
    Act::new((Tag::new([1; 16]), &key), facts, place, decided_on)
}

/// Tells metres by the difference of longitudes; real ones are the index's.
fn plain(a: Coordinates, b: Coordinates) -> u32 {
    a.lon_udeg().abs_diff(b.lon_udeg()) / 11
}

#[track_caller]
fn judged(a: &Act, b: &Act) -> Option<SameAct> {
    let catalogue = Catalogue::shipped();
    let one_act = |a, b| catalogue.may_be_one_act(a, b);
    let there = same_act(a, b, 1_000, one_act, plain);
    assert_eq!(
        there,
        same_act(b, a, 1_000, one_act, plain),
        "it does not matter which comes first"
    );
    there
}

#[test]
fn the_days_must_overlap() {
    let whole = act(|_| ());
    let days = |from: Option<&str>, to: Option<&str>| {
        act(|f| (f.occurred_from, f.occurred_to) = (from.map(date), to.map(date)))
    };
    let rows = [
        (days(Some("2026-11-10"), Some("2026-11-12")), Some(("2026-11-10", false))),
        (days(Some("2026-11-11"), Some("2026-11-12")), None),
        (days(Some("2026-10-01"), Some("2026-11-03")), Some(("2026-11-03", false))),
        (days(Some("2026-10-01"), Some("2026-11-02")), None),
        (days(Some("2026-11-05"), None), Some(("2026-11-05", true))),
        (days(Some("2026-11-11"), None), None),
        (days(None, None), Some(("2026-11-03", true))),
        (days(None, Some("2026-11-02")), None),
        (days(None, Some("2026-11-04")), Some(("2026-11-03", true))),
        // Of a node that did not check the order.
        (days(Some("2026-11-12"), Some("2026-11-10")), Some(("2026-11-10", false))),
    ];
    for (place, (other, want)) in rows.into_iter().enumerate() {
        let got = judged(&whole, &other).map(|same| (same.from, same.assumed));
        assert_eq!(got, want.map(|(from, assumed)| (date(from), assumed)), "row {place}");
    }
    // An act nobody discovered in two years is not reached.
    let old = days(Some("2024-01-01"), Some("2024-11-01"));
    assert_eq!(judged(&days(None, None), &old), None);
    let just = days(Some("2024-01-01"), Some("2024-11-20"));
    assert!(judged(&days(None, None), &just).is_some());
}

#[test]
fn an_open_act_ends_with_its_decision() {
    let mut open = facts();
    (open.occurred_from, open.occurred_to) = (Some(date("2026-10-01")), None);
    let later = act(|_| ());
    let to = |decided: Option<&str>| judged(&firm(&open, decided.map(date)), &later).map(|s| s.to);
    assert_eq!(to(None), Some(Some(date("2026-11-10"))));
    assert_eq!(to(Some("2026-11-05")), Some(Some(date("2026-11-05"))));
    assert_eq!(to(Some("2026-11-02")), None);
    let both = judged(&firm(&open, None), &firm(&open, None)).unwrap();
    assert_eq!((both.to, both.assumed), (None, true));
    let happened = |what, on: &str| Happened {
        by: crate::domain::fixtures::city(371_500),
        on: date(on),
        what: What::Became(what),
    };
    let mut all = vec![
        happened(CaseState::Filed, "2026-10-02"),
        happened(CaseState::Decided, "2026-10-20"),
        happened(CaseState::Closed, "2026-10-30"),
    ];
    assert_eq!(decided_on(&all), Some(date("2026-10-20")));
    assert_eq!(filed_on(&all), Some(date("2026-10-02")));
    all.push(happened(CaseState::Revoked, "2026-11-01"));
    assert_eq!((decided_on(&all), decided_on(&[]), filed_on(&[])), (None, None, None));
}

#[test]
fn the_place_decides_and_a_county_stands_in_for_firms_only() {
    let at = |lon: i64, county, party: &PartyKey| {
        let mut facts = facts();
        facts.county_code = county;
        let place = (lon > 0).then(|| Coordinates::from_udeg(lon, HERE.1).unwrap());
        Act::new((Tag::new([1; 16]), party), &facts, place, None)
    };
    let firm = PartyKey::Firm("91371522YYYY90011A".to_owned());
    let county = Some(371_522);
    let here = at(HERE.0, county, &firm);
    let metres = |other: Act| judged(&here, &other).map(|same| same.metres);
    assert_eq!(metres(at(HERE.0 + 11_000, None, &firm)), Some(Some(1_000)));
    assert_eq!(metres(at(HERE.0 + 11_011, county, &firm)), None);
    assert_eq!(metres(at(0, county, &firm)), Some(None));
    assert_eq!(metres(at(0, Some(371_523), &firm)), None);
    assert_eq!(metres(at(0, None, &firm)), None);
    assert_eq!(judged(&at(0, None, &firm), &at(0, None, &firm)), None, "nothing is no place");
    let person = PartyKey::Person("张".to_owned());
    assert_eq!(metres(at(HERE.0, county, &person)), None, "a firm is no person");
    let there = at(HERE.0, county, &person);
    assert!(judged(&there, &at(HERE.0, None, &person)).is_some());
    assert_eq!(judged(&there, &at(0, county, &person)), None, "a surname and a county say little");
}

#[test]
fn parties_are_known_again_by_code_or_surname() {
    let firm = |name: &str, code: &str| PartyKey::of(&Party::parse_legal(name, code).unwrap());
    let person = |name: &str| PartyKey::of(&Party::parse_natural(name).unwrap());
    assert!(firm("示例纸业", "91371522YYYY90011A") == firm("示例", "91371522yyyy90011a"));
    assert!(firm("示例", "91130425YYYY9002XX") != firm("示例", "91371522YYYY90011A"));
    assert!(person("张某某") == person("张*") && person("张某") != person("李某"));
    assert_eq!(person("张某").fields(), [b"person".as_slice(), "张".as_bytes()]);
    let other = Act { party: Tag::new([2; 16]), ..act(|_| ()) };
    assert_eq!(judged(&act(|_| ()), &other), None);
}

#[test]
fn codes_of_one_act_come_from_the_catalogue() {
    let other = act(|f| f.violation = Violation::PermitLimitExceed);
    assert!(judged(&act(|_| ()), &other).is_some());
    assert_eq!(judged(&act(|_| ()), &act(|f| f.violation = Violation::NoPermit)), None);
    let none = Catalogue::default();
    let one_act = |a, b| none.may_be_one_act(a, b);
    assert_eq!(same_act(&act(|_| ()), &other, 1_000, one_act, plain), None);
}
