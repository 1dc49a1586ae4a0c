//! Five cities in memory with narrow parts, notes for some, transfers and relays, while links are
//! cut and nodes die in the middle of catching up: afterwards all agree, and nobody holds a part
//! that is not for him.

use liandong::api::request::{Command, NewPart, PartContent};
use liandong::domain::{CaseContribution, PersonRecord};
use liandong::ids::{CityCode, Position};
use liandong::log::{Audience, PartSlot};
use liandong::view;

use super::world::{World, facts, record, today};

/// The last city reaches nobody but the one before it.
const FAR: usize = 4;
const RELAY: usize = 3;

fn cut_off(world: &mut World) {
    for other in 0..FAR {
        if other != RELAY {
            world.cut(FAR, other);
        }
    }
}

fn open_with_person(world: &mut World, i: usize, k: usize, id: &str) {
    let command = Command::OpenCase {
        agreement: world.agreements[k].0,
        facts: facts(),
        record: Box::new(record(&format!("自然人案件 {id}"))),
        person: Some(PersonRecord::parse(&format!("张 {id}"), "", "", "").unwrap()),
        external_ref: None,
        effective_on: today(),
    };
    world.write(i, id, command);
}

/// A note for one other member, on any case.
fn note_for_one(world: &mut World, i: usize, k: usize, id: &str) {
    let (agreement, members) = world.agreements[k].clone();
    let cases = world.cases(i, agreement);
    if cases.is_empty() {
        return;
    }
    let (subject, _) = cases[world.rng.below(cases.len())].clone();
    let others: Vec<usize> = members.into_iter().filter(|m| *m != i).collect();
    let other = others[world.rng.below(others.len())];
    let audience = Audience::Cities(vec![world.cities[other].code]);
    let parts = vec![NewPart { audience, content: PartContent::Text(format!("内情 {id}")) }];
    let contribution = CaseContribution::NoteAdded;
    world.write(i, id, Command::Contribute { agreement, subject, contribution, parts });
}

fn one_turn(world: &mut World, id: &str) {
    let i = world.rng.below(5);
    let mine: Vec<usize> =
        (0..world.agreements.len()).filter(|k| world.agreements[*k].1.contains(&i)).collect();
    let k = mine[world.rng.below(mine.len())];
    match world.rng.below(14) {
        0 | 1 if world.is_up(i) => open_with_person(world, i, k, id),
        2 if world.is_up(i) => note_for_one(world, i, k, id),
        3..=8 => world.random_move(i, id),
        9 if world.rng.one_in(4) => {
            let j = (i + 1 + world.rng.below(4)) % 5;
            world.cut(i, j);
        }
        10 if world.rng.one_in(3) => {
            world.heal();
            cut_off(world);
        }
        11 if world.rng.one_in(10) => world.crash(i),
        12 if !world.is_up(i) => world.start(i),
        _ => {}
    }
}

fn heads_agree(world: &World, seed: u64) {
    for (agreement, members) in &world.agreements {
        let of = |i: usize| {
            let heads = world.heads(i);
            let logs = members.iter().map(|m| world.cities[*m].log(index_of(world, agreement)));
            logs.map(|log| heads.get(&log).copied()).collect::<Vec<_>>()
        };
        for i in members {
            let held = of(*i);
            assert_eq!(held, of(members[0]), "seed {seed}: city {i} in {agreement}");
            for (stored, applied, _) in held.into_iter().flatten() {
                assert_eq!(stored, applied, "seed {seed}: a log waits");
            }
            let hashes = (world.fold_hash(*i, *agreement), world.fold_hash(members[0], *agreement));
            assert_eq!(hashes.0, hashes.1, "seed {seed}: views differ");
        }
    }
}

fn index_of(world: &World, agreement: &liandong::ids::AgreementId) -> usize {
    world.agreements.iter().position(|(id, _)| id == agreement).unwrap()
}

/// Every part at every city: there exactly if that city may hold it. Gives the narrow ones held.
fn parts_are_where_they_may_be(world: &World, seed: u64) -> [usize; 2] {
    let (mut own, mut handed) = (0, 0);
    for (k, (_, members)) in world.agreements.iter().enumerate() {
        for author in members {
            let log = world.cities[*author].log(k);
            let size = world.heads(*author).get(&log).map_or(0, |h| h.0);
            for at in (0..size).map(|index| Position { log, index }) {
                for i in members {
                    let code: CityCode = world.cities[*i].code;
                    let reader = world.reader(*i);
                    let entry = reader.entry(at).unwrap().entry;
                    let rows = reader.view();
                    for (part, slot) in entry.parts.iter().enumerate() {
                        let may = view::may_hold(&rows, &entry.envelope, part, code);
                        let has = matches!(slot, PartSlot::Bytes(_));
                        assert_eq!(has, may, "seed {seed}: part {part} of {at} at {code}");
                        if has && entry.envelope.parts[part].audience != Audience::AllMembers {
                            own += usize::from(i == author);
                            handed += usize::from(i != author);
                        }
                    }
                }
            }
        }
    }
    [own, handed]
}

#[test]
fn narrow_parts_relays_and_transfers_converge() {
    let (mut own, mut handed, mut crashes, mut acked) = (0, 0, 0, 0);
    for seed in 100..108 {
        let mut world = World::new(seed, 5, &[&[0, 1, 2, 3, 4], &[0, 1], &[2, 4]]);
        cut_off(&mut world);
        for turn in 0..500 {
            world.step();
            one_turn(&mut world, &format!("{seed}-{turn}"));
        }
        for i in 0..5 {
            if !world.is_up(i) {
                world.start(i);
            }
        }
        // Everything reaches the far city, and comes back from it, over one relay.
        world.heal();
        cut_off(&mut world);
        for _ in 0..900 {
            world.step();
        }
        let wide = world.agreements[0].0;
        assert_eq!(world.fold_hash(FAR, wide), world.fold_hash(0, wide), "seed {seed}: relayed");
        world.settle();
        heads_agree(&world, seed);
        let held = parts_are_where_they_may_be(&world, seed);
        own += held[0];
        handed += held[1];
        crashes += world.effects.crashes;
        acked += world.effects.acked;
    }
    // Effects are counted, not intentions.
    assert!(own > 50 && handed > 20, "{own} narrow parts, {handed} at others");
    assert!(crashes > 5 && acked > 200, "{crashes} crashes, {acked} writes");
}
