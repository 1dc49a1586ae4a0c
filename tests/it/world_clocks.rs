//! Wall clocks that are wrong, in the world in memory: entries say so, and nothing else changes.

use liandong::ids::Position;
use liandong::node::core::{Input, Output};

use super::world::World;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// Whether the entry of a case opened now says that its time is not to be relied on.
fn opens(world: &mut World, i: usize, id: &str) -> bool {
    let agreement = world.agreements[0].0;
    let ticket = world.open_case(i, agreement, id, &format!("示例案件 {id}"));
    for _ in 0..200 {
        world.step();
        if world.answers.contains_key(&ticket) {
            break;
        }
    }
    let at: Position = world.answers[&ticket].clone().unwrap().position;
    world.reader(i).entry(at).unwrap().entry.envelope.clock_suspect
}

fn steps(world: &mut World, n: usize) {
    (0..n).for_each(|_| world.step());
}

fn agree(world: &mut World) {
    steps(world, 300);
    let agreement = world.agreements[0].0;
    for i in 1..3 {
        assert_eq!(world.heads(i), world.heads(0));
        assert_eq!(world.fold_hash(i, agreement), world.fold_hash(0, agreement));
    }
}

#[test]
fn entries_say_when_the_clock_is_wrong() {
    // Back by less than a day: what has happened today must not lie in the future.
    for ahead in [DAY, -9 * 60 * MINUTE, 6 * MINUTE, -6 * MINUTE] {
        let mut world = World::new(61, 3, &[&[0, 1, 2]]);
        steps(&mut world, 60);
        assert!(!opens(&mut world, 0, "well"));
        // It jumps while the node runs, and nobody has greeted since.
        world.cities[0].clock_ahead_ms = ahead;
        assert!(opens(&mut world, 0, "jumped"), "{ahead}");
        agree(&mut world);
        // The others go by the one of them that is right.
        assert!(!opens(&mut world, 1, "beside"));
        // Started with a wrong clock: the members are asked before the first write.
        world.crash(0);
        world.start(0);
        assert!(opens(&mut world, 0, "started"), "{ahead}");
        agree(&mut world);
        // Set right, without a restart.
        world.cities[0].clock_ahead_ms = 0;
        assert!(!opens(&mut world, 0, "set"));
        agree(&mut world);
        assert_eq!(world.cases(2, world.agreements[0].0).len(), 5);
    }
}

#[test]
fn within_five_minutes_and_alone_nothing_is_suspect() {
    let mut world = World::new(62, 3, &[&[0, 1, 2]]);
    world.cities[0].clock_ahead_ms = 4 * MINUTE;
    steps(&mut world, 60);
    assert!(!opens(&mut world, 0, "late"));
    world.cities[0].clock_ahead_ms = DAY;
    world.cut(0, 1);
    world.cut(0, 2);
    assert!(!opens(&mut world, 0, "alone"), "nobody to compare with");
    world.heal();
    steps(&mut world, 60);
    assert!(opens(&mut world, 0, "back"));
}

/// What a city's status says of clocks.
fn warnings(world: &mut World, i: usize) -> Vec<String> {
    let outputs = world.ask(i, Input::Status(1));
    let Some(Output::Status(_, status)) = outputs.into_iter().next() else { panic!() };
    status.warnings.into_iter().filter(|text| text.contains("时钟")).collect()
}

#[test]
fn one_wrong_clock_is_told_of_whose_it_is() {
    // The first two share an agreement of their own: of two clocks neither can be told wrong.
    let mut world = World::new(63, 4, &[&[0, 1], &[0, 1, 2, 3]]);
    steps(&mut world, 60);
    assert_eq!(warnings(&mut world, 0), [""; 0]);
    world.cities[1].clock_ahead_ms = DAY;
    steps(&mut world, 400);
    let codes: Vec<String> = world.cities.iter().map(|c| c.code.to_string()).collect();
    for i in [0, 2, 3] {
        let told = warnings(&mut world, i);
        assert!(told.len() == 1 && told[0].starts_with(&codes[1]), "{i}: {told:?}");
        assert!(told[0].contains("快 14"), "{told:?}");
    }
    let told = warnings(&mut world, 1);
    assert!(told.len() == 1 && told[0].starts_with("本机时钟比其他城市快"), "{told:?}");
}
