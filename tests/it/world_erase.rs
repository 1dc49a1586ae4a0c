//! Erasing parts (依法删除), in the world in memory: nobody is given the bytes any more, and they are
//! gone from every disk, whatever comes between.

use liandong::api::request::{Command, NewPart, NotErasable, PartContent, WriteError};
use liandong::domain::{CaseContribution, ErasureReason, Event};
use liandong::ids::{AgreementId, Position};
use liandong::log::{Audience, PartSlot};
use liandong::node::core::Output;
use liandong::sync::Frame;
use memchr::memmem;

use super::rogue::About;
use super::stage::{HERE, Stage, frames, opened};
use super::world::World;
use super::world_damage::{batches, damage};

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;
/// Stands in the record of a case, for all members.
const NAME: &str = "应当删除的当事人姓名";
/// Stands in a note for one city, which another one is given later.
const INSIDE: &str = "应当删除的内情";
/// Shorter than the name of an entry that erases it.
const SHORT: &str = "删";

fn steps(world: &mut World, n: usize) {
    for _ in 0..n {
        world.step();
    }
}

/// How often bytes lie on the disk of a city.
fn lie(world: &World, i: usize, text: &str) -> usize {
    let files = world.disk(i).contents();
    files.iter().map(|(_, bytes)| memmem::find_iter(bytes, text.as_bytes()).count()).sum()
}

fn erase(world: &mut World, i: usize, id: &str, (entry, part): (Position, u32)) -> u64 {
    let agreement = world.agreements[0].0;
    let reason = ErasureReason::Law;
    world.write(i, id, Command::ErasePart { agreement, entry, part, reason })
}

fn slot(world: &World, i: usize, (at, part): (Position, u32)) -> PartSlot {
    world.reader(i).entry(at).unwrap().entry.parts[part as usize].clone()
}

/// A writes a case and two notes for B; the first one is granted to C, which holds it late.
fn written(world: &mut World) -> [(Position, u32); 3] {
    let agreement = world.agreements[0].0;
    let opening = world.open_case(A, agreement, "open", NAME);
    steps(world, 60);
    let subject = world.cases(A, agreement)[0].0;
    let note = |world: &mut World, id: &str, text: &str| {
        let audience = Audience::Cities(vec![world.cities[B].code]);
        let parts = vec![NewPart { audience, content: PartContent::Text(text.to_owned()) }];
        let contribution = CaseContribution::NoteAdded;
        let ticket =
            world.write(A, id, Command::Contribute { agreement, subject, contribution, parts });
        steps(world, 60);
        world.answers[&ticket].clone().unwrap().position
    };
    let inside = note(world, "inside", INSIDE);
    let short = note(world, "short", SHORT);
    let to = world.cities[C].code;
    let contribution = CaseContribution::PartGranted { entry: inside, part: 0, to };
    let parts = Vec::new();
    world.write(A, "grant", Command::Contribute { agreement, subject, contribution, parts });
    steps(world, 200);
    assert!(matches!(slot(world, C, (inside, 0)), PartSlot::Bytes(_)), "it came late");
    [(world.answers[&opening].clone().unwrap().position, 0), (inside, 0), (short, 0)]
}

#[test]
fn an_erased_part_is_gone_from_disk_and_nobody_is_given_it() {
    let mut world = World::new(81, 3, &[&[A, B, C]]);
    let all = written(&mut world);
    assert!([A, B, C].iter().all(|i| lie(&world, *i, NAME) > 0));
    assert_eq!([A, B, C].map(|i| lie(&world, i, INSIDE) > 0), [true, true, true]);
    // One city hears of it only after all others have erased it.
    world.crash(C);
    for (n, part) in all.into_iter().enumerate() {
        let ticket = erase(&mut world, A, &format!("erase-{n}"), part);
        steps(&mut world, 20);
        let by = world.answers[&ticket].clone().unwrap().position;
        assert_eq!(
            slot(&world, A, part),
            PartSlot::ErasedBy(by),
            "at once, whatever the disk says"
        );
    }
    steps(&mut world, 900);
    for text in [NAME, INSIDE] {
        assert_eq!([A, B].map(|i| lie(&world, i, text)), [0, 0], "{text}");
    }
    world.start(C);
    steps(&mut world, 900);
    for text in [NAME, INSIDE] {
        assert_eq!(lie(&world, C, text), 0, "{text}");
    }
    // A city that begins with an empty disk is told so, and cosigns all the same.
    let agreement = world.agreements[0].0;
    for i in [A, B, C] {
        world.crash(i);
        world.start(i);
        assert!(all.iter().all(|part| matches!(slot(&world, i, *part), PartSlot::ErasedBy(_))));
    }
    steps(&mut world, 300);
    assert_eq!(world.fold_hash(A, agreement), world.fold_hash(B, agreement));
    assert_eq!(world.fold_hash(A, agreement), world.fold_hash(C, agreement));
    let to = world.cities[B].code;
    let log = all[0].0.log;
    let served = world.reader(A).stretch(to, log, 0, u64::MAX).unwrap();
    for (at, part) in all {
        let holding = |batch: &&liandong::sync::RawBatch| {
            (batch.from..batch.from + batch.entries.len() as u64).contains(&at.index)
        };
        let batch = served.batches.iter().find(holding).unwrap();
        let entry = &batch.entries[(at.index - batch.from) as usize];
        assert!(matches!(entry.parts[part as usize], PartSlot::ErasedBy(_)));
        assert_eq!(world.reader(A).parts_for(to, at, &[part]).unwrap(), []);
    }
}

#[test]
fn nobody_erases_for_another_city() {
    let mut world = World::new(82, 3, &[&[A, B, C], &[A, B]]);
    let all = written(&mut world);
    let number = (all[0].0, 1);
    let asked: [(usize, (Position, u32), NotErasable); 4] = [
        (B, all[0], NotErasable::Entry),
        (A, (all[0].0, 7), NotErasable::Part),
        (A, number, NotErasable::Number),
        (A, (Position { index: 900, ..all[0].0 }, 0), NotErasable::Entry),
    ];
    let refused = |world: &mut World, i, id: &str, part: (Position, u32)| {
        let ticket = erase(world, i, id, part);
        steps(world, 20);
        let Err(WriteError::NotErasable { why, .. }) = world.answers[&ticket] else {
            panic!("{:?}", world.answers[&ticket])
        };
        why
    };
    for (n, (i, part, why)) in asked.into_iter().enumerate() {
        assert_eq!(refused(&mut world, i, &format!("no-{n}"), part), why);
    }
    // Under another agreement's name.
    let agreement: AgreementId = world.agreements[1].0;
    let (entry, part) = all[0];
    let reason = ErasureReason::Law;
    let command = Command::ErasePart { agreement, entry, part, reason };
    let ticket = world.write(A, "other", command);
    steps(&mut world, 20);
    assert!(matches!(world.answers[&ticket], Err(WriteError::NotErasable { .. })));
    assert!(matches!(slot(&world, A, all[0]), PartSlot::Bytes(_)), "nothing was done");
    // Once, and not again.
    erase(&mut world, A, "once", all[0]);
    steps(&mut world, 20);
    assert_eq!(refused(&mut world, A, "twice", all[0]), NotErasable::Erased);
}

/// A member that has not heard of an erasure gives the part with the batch that was damaged here.
#[test]
fn what_is_fetched_again_comes_without_what_is_erased() {
    let mut stage = Stage::laid(83, 2, &[&[0, 1]]);
    let mut author = stage.world.author(1, 0);
    let link = stage.greet(1, &author);
    let parts = [(Audience::AllMembers, bytes::Bytes::from_static(NAME.as_bytes()))];
    let entry = author.entry_for(0, &opened(), About::case(None), &parts);
    let first = author.batch(vec![entry]);
    let at = Position { log: author.log, index: author.frontier.size() };
    stage.store(link, &mut author, &first);
    let id = Some(liandong::log::subject_id(at));
    let event = Event::PartErased { entry: at, part: 0, reason: ErasureReason::Law };
    let erasing = author.batch(vec![author.entry(0, &event, About::case(id), &[])]);
    stage.store(link, &mut author, &erasing);
    stage.tick(250);
    stage.commit();
    assert_eq!(lie(&stage.world, HERE, NAME), 0);
    damage(&stage.world, HERE, batches(stage.world.disk(HERE), author.log)[0].1);
    assert!(!stage.world.holds(HERE, at));
    let asks = |frame: &&Frame| matches!(frame, Frame::Subscribe { from: 0, .. });
    let outputs: Vec<Output> = stage.tick(250);
    assert_eq!(frames(&outputs, link).into_iter().filter(asks).count(), 1);
    stage.say(link, Frame::Batch(first));
    stage.commit();
    assert!(stage.world.holds(HERE, at));
    assert_eq!(lie(&stage.world, HERE, NAME), 0, "not even for a moment");
}

/// An entry cannot erase what comes after it, nor itself: members would refuse a copy without that.
#[test]
fn nothing_is_erased_ahead() {
    let mut stage = Stage::laid(84, 3, &[&[0, 1, 2]]);
    let mut author = stage.world.author(1, 0);
    let link = stage.greet(1, &author);
    let first = author.batch(vec![author.entry(0, &opened(), About::case(None), &[])]);
    stage.store(link, &mut author, &first);
    let at = |author: &super::rogue::Author, ahead: u64| {
        let index = author.frontier.size() + ahead;
        Position { log: author.log, index }
    };
    let id = Some(liandong::log::subject_id(Position { log: author.log, index: 0 }));
    let later = at(&author, 1);
    let event = Event::PartErased { entry: later, part: 0, reason: ErasureReason::Law };
    let erasing = author.batch(vec![author.entry(0, &event, About::case(id), &[])]);
    stage.store(link, &mut author, &erasing);
    let parts = [(Audience::AllMembers, bytes::Bytes::from_static(NAME.as_bytes()))];
    let entry = author.entry_for(0, &opened(), About::case(None), &parts);
    let batch = author.batch(vec![entry]);
    stage.store(link, &mut author, &batch);
    for _ in 0..3 {
        stage.tick(20_000);
        stage.commit();
    }
    let loaded = stage.world.reader(HERE).entry(later).unwrap();
    assert!(matches!(loaded.entry.parts[0], PartSlot::Bytes(_)));
    let to = stage.world.cities[2].code;
    let served = stage.world.reader(HERE).stretch(to, author.log, later.index, 1).unwrap();
    assert!(matches!(served.batches[0].entries[0].parts[0], PartSlot::Bytes(_)));
}
