//! What a revision may be, field by field, and how large it gets.

use super::*;
use crate::ids::Hash;
use crate::limits::{
    HEADER_BYTES_MAX, MEMBERS_MAX, PARTS_MAX, PLAN_HALF_DAYS_MAX, PLAN_NEEDS_MAX, PLAN_POOL_MAX,
    PLAN_RECUSALS_MAX, PLAN_UNITS_MAX, PLAN_VISITS_MAX,
};

fn rule() -> DrawRule {
    DrawRule {
        sites: 5,
        host_officers: 2,
        guest_officers: 2,
        weights: TierWeights { key: 3, general: 1, special: 0 },
        pool: Hash::new([1; 32]),
        pool_size: 36,
        spares_withholders: false,
    }
}

#[test]
fn every_field_of_a_revision_is_checked() {
    type Change<'a> = &'a dyn Fn(&mut PlanFacts);
    let visits = |facts: &mut PlanFacts, change: &dyn Fn(&mut Vec<PlannedVisit>)| {
        let Targets::Named(visits) = &mut facts.targets else { panic!("visits") };
        change(visits);
    };
    let draw = |facts: &mut PlanFacts, change: &dyn Fn(&mut DrawRule)| {
        let mut rule = rule();
        change(&mut rule);
        facts.targets = Targets::Draw(rule);
    };
    let rows: &[(Change<'_>, &str)] = &[
        (&|_| {}, ""),
        (&|f| f.cities.truncate(1), "PARTICIPANTS"),
        (&|f| f.cities.push(asks(puyang())), "PARTICIPANTS"),
        (&|f| drop(f.cities.remove(1)), "INITIATOR_MISSING"),
        (&|f| f.cities[2].city = city(659_000), "PARTICIPANT_NOT_MEMBER"),
        (&|f| f.cities[0].needs[0].count = 0, "PLAN_NEEDS"),
        (&|f| f.cities[0].needs[0].kind = UnitKind::WholeCity, "PLAN_NEEDS"),
        (&|f| f.cities[0].needs = vec![f.cities[0].needs[0]; 2], "PLAN_NEEDS"),
        (&|f| f.cities[0].needs.clear(), ""),
        (&|f| f.departments.clear(), "PLAN_DEPARTMENTS"),
        (&|f| f.departments.reverse(), "PLAN_DEPARTMENTS"),
        (&|f| f.days.clear(), "PLAN_DAYS"),
        (&|f| f.days[1].at = f.days[0].at, "PLAN_DAYS"),
        (&|f| f.kind = PlanKind::DoubleRandom, "TARGETS_OF_KIND"),
        (&|f| f.kind = PlanKind::EmergencyDrill, "TARGETS_OF_KIND"),
        (&|f| f.kind = PlanKind::TrainingExchange, ""),
        (&|f| f.targets = Targets::None, "TARGETS_OF_KIND"),
        (&|f| visits(f, &Vec::clear), "PLAN_VISITS"),
        (&|f| visits(f, &|v| v[0].last = 3), "VISIT_DAYS"),
        (&|f| visits(f, &|v| v[1].first = 2), "VISIT_DAYS"),
        (&|f| visits(f, &|v| v[1].site = v[0].site), "VISIT_TWICE"),
        (&|f| visits(f, &|v| v.reverse()), "VISIT_TWICE"),
        (&|f| visits(f, &|v| (v[1].site, v[1].first) = (v[0].site, 1)), ""),
        (&|f| draw(f, &|_| {}), ""),
        (&|f| draw(f, &|r| r.sites = 0), "DRAW_RULE"),
        (&|f| draw(f, &|r| r.sites = 37), "DRAW_RULE"),
        (&|f| draw(f, &|r| r.host_officers = 1), "DRAW_RULE"),
        (&|f| draw(f, &|r| r.guest_officers = 17), "DRAW_RULE"),
        (&|f| draw(f, &|r| r.pool_size = PLAN_POOL_MAX as u32 + 1), "DRAW_RULE"),
        (&|f| draw(f, &|r| r.weights.key = 101), "DRAW_RULE"),
        (&|f| draw(f, &|r| (r.weights.key, r.weights.general) = (0, 0)), "DRAW_RULE"),
    ];
    for (row, (change, want)) in rows.iter().enumerate() {
        let mut changed = facts();
        change(&mut changed);
        let got = changed.check(liaocheng(), &members());
        assert_eq!(got.err().map_or("", |refusal| refusal.reason()), *want, "row {row}");
        let opened = open(liaocheng(), (rev(1), &changed), &members());
        assert_eq!(opened.is_ok(), want.is_empty(), "row {row}");
    }
    let stranger = open(city(659_000), (rev(1), &facts()), &members());
    assert_eq!(stranger.unwrap_err().reason(), "NOT_A_MEMBER");
}

#[test]
fn lists_are_put_in_order_and_twins_stay() {
    let mut mixed = facts();
    mixed.cities.reverse();
    mixed.departments.reverse();
    if let Targets::Named(visits) = &mut mixed.targets {
        visits.reverse();
    }
    assert_eq!(mixed.sorted(), facts());
    // Sorting days would shift visits, which name their places: they stay, and are refused.
    let mut shifted = facts();
    shifted.days.reverse();
    let sorted = shifted.clone().sorted();
    assert_eq!(sorted.days, shifted.days);
    assert_eq!(sorted.check(liaocheng(), &members()), Err(FactsRefusal::Days));
    shifted.targets = Targets::Draw(rule());
    assert_eq!(shifted.sorted().days, facts().days);
    let mut twice = facts();
    twice.departments.push(Department::Water);
    assert_eq!(twice.sorted().departments.len(), 3);
}

/// Bytes of a protobuf field: a tag of one byte and its value, or its length and its value.
fn message(bytes: usize) -> usize {
    1 + if bytes < 128 { 1 } else { 2 } + bytes
}

/// The worst header without its event: all heads, all parts with sixteen cities each, a move.
fn around() -> usize {
    let head = message(message(32) + 11 + message(32));
    let part = message(2 + message(2 + message(MEMBERS_MAX * 3)) + message(32));
    let actor = message(2 + message(16));
    let prev = message(message(32) + 11);
    let (heads, parts) = (crate::limits::AFTER_MAX * (head + 1), PARTS_MAX * (part + 1));
    let plain = 2 + message(32) + 11 + 11 + 2 + 2 * message(16);
    heads + parts + 2 * actor + prev + plain + message(2 + message(16))
}

#[test]
fn the_largest_revision_fits_a_header() {
    let half_day = message(message(3 + 2 + 2) + 2);
    let days = PLAN_HALF_DAYS_MAX * message(half_day + 2);
    let visits = PLAN_VISITS_MAX * message(message(16) + 2 + 2 + 2);
    let cities = MEMBERS_MAX * message(4 + PLAN_NEEDS_MAX * message(6));
    let departments = Department::ALL.len() * 2;
    let revision = 2 + days + visits + cities + departments + 12 + 8;
    assert!(around() + revision <= HEADER_BYTES_MAX, "{} + {revision}", around());
    // So does the largest answer, and what a plan is scheduled on.
    let unit = message(message(16) + message(4));
    let named = message(message(32) + 11);
    let recusals = PLAN_RECUSALS_MAX * message(2 * message(16));
    let answer = named + PLAN_UNITS_MAX * unit + recusals + 24;
    assert!(around() + answer <= HEADER_BYTES_MAX, "{} + {answer}", around());
    let named = 2 * MEMBERS_MAX * message(message(32) + 11) + MEMBERS_MAX * 4 + 24;
    assert!(around() + named <= HEADER_BYTES_MAX, "{} + {named}", around());
}

#[test]
fn every_wrong_text_is_named() {
    let draft = PlanDraft { title: "", theme: "a\nb", route: "\u{202e}", ..PlanDraft::default() };
    let wrong = PlanRecord::parse(draft).unwrap_err();
    let fields: Vec<_> = wrong.iter().filter_map(|one| one.field.as_deref()).collect();
    assert_eq!(fields, ["title", "theme", "route"]);
    let record = PlanRecord::parse(PlanDraft { title: "金堤河联合执法", ..draft });
    assert!(record.is_err());
    let good =
        PlanDraft { title: "金堤河联合执法", contacts: "值班室", ..PlanDraft::default() };
    assert!(PlanRecord::parse(good).is_ok_and(|record| record.route.is_none()));
    let numbered = PlanDraft { external_system: "省平台", external_number: "2026-7", ..good };
    assert!(PlanRecord::parse(numbered).unwrap().external_ref.is_some());
    let half = PlanDraft { external_number: "2026-7", ..good };
    let wrong = PlanRecord::parse(half).unwrap_err();
    assert_eq!(wrong[0].field.as_deref(), Some("system"));
}

#[test]
fn numbers_of_plans_are_read_as_they_are_written() {
    for text in ["JA-371500-2026-001", "JA-130400-2027-1234"] {
        assert_eq!(PlanNumber::parse(text).unwrap().to_string(), text);
    }
    let number = PlanNumber::parse("JA-371500-2026-001").unwrap();
    assert_eq!((number.city, number.year, number.number), (liaocheng(), 2026, 1));
    for text in [
        "",
        "JA-371500-2026",
        "JA-371500-2026-1",
        "JA-371500-2026-0001",
        "JA-371500-2026-000",
        "JA-371500-26-001",
        "JA-371500-2026-100000",
        "JA-3715-2026-001",
        "JA-371500-2026-001-1",
        "JA-371500-2026-+01",
    ] {
        assert_eq!(PlanNumber::parse(text), None, "{text}");
    }
}
