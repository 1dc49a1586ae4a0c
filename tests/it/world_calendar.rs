//! The calendar of a city as a whole in an agreement that comes after it was blocked: the first unit
//! that is registered there brings it along.

use liandong::api::request::Command;
use liandong::domain::{Department, Period, UnitFacts, UnitKind, UnitRecord};
use liandong::ids::AgreementId;
use liandong::view;

use super::world::{World, today};

const A: usize = 0;
const B: usize = 1;

fn register(agreement: AgreementId, number: &str) -> Command {
    let facts = UnitFacts {
        kind: UnitKind::Vehicle,
        department: Some(Department::EcologyEnvironment),
        valid_from: None,
        valid_until: None,
        retired: false,
    };
    let record = Box::new(UnitRecord::parse(number, "一队").unwrap());
    Command::RegisterUnit { agreement, facts, record }
}

/// When the city of `A` is busy as a whole, as a node sees it, by its half days.
fn busy(world: &World, i: usize, agreement: AgreementId) -> Vec<(i64, i64)> {
    let rows = world.reader(i).view();
    let calendars = view::whole_city(&rows, agreement, world.cities[A].code);
    assert!(calendars.len() < 2, "one calendar is opened once");
    let years = today().year()..=today().year() + 1;
    let busy = calendars.into_iter().map(|subject| {
        let found = view::unit(&rows, agreement, subject).unwrap();
        view::unit_busy_in(&rows, (agreement, subject), &found, years.clone())
    });
    busy.flatten().collect()
}

#[test]
fn a_later_agreement_hears_that_the_city_is_busy_with_its_first_unit() {
    let mut world = World::new(11, 2, &[&[A, B], &[A, B]]);
    (0..2).for_each(|i| world.start(i));
    world.connect();
    let [first, later] = [world.agreements[0].0, world.agreements[1].0];
    let block = |agreement, days| {
        let periods = vec![Period::day(today().plus_days(days).unwrap())];
        Command::BookUnit { agreement, subject: None, busy: true, periods }
    };
    // As if there were no other agreement yet.
    world.write(A, "block", block(first, 3));
    world.settle();
    let blocked = busy(&world, A, first);
    assert_eq!((blocked.len(), busy(&world, A, later)), (1, Vec::new()));

    let ticket = world.write(A, "unit", register(later, "鲁P00001"));
    world.settle();
    assert_eq!(busy(&world, A, later), blocked);
    assert_eq!(busy(&world, B, later), blocked, "others see it too, and nothing but busy");
    // The answer is about the unit, and a second one opens no other calendar.
    let unit = world.answers[&ticket].as_ref().unwrap().subject.unwrap();
    let found = view::unit(&world.reader(B).view(), later, unit).unwrap();
    assert_eq!(found.unit.kind, UnitKind::Vehicle);
    let ticket = world.write(A, "another", register(later, "鲁P00002"));
    world.settle();
    assert!(world.answers[&ticket].is_ok());
    assert_eq!(busy(&world, B, later), blocked);
    let ends = (world.head_at(A, world.cities[A].log(1)), world.head_at(B, world.cities[A].log(1)));
    assert_eq!(ends.0, ends.1);
    assert_eq!(world.fold_hash(A, later), world.fold_hash(B, later));
}
