//! Damage on a disk in the world in memory: found by whoever reads, fetched again from a member.

use bytes::Bytes;
use liandong::api::request::WriteError;
use liandong::ids::{LogId, Position};
use liandong::journal::{Journal, JournalOptions, MemDisk, RecordKind, RecordRef};
use liandong::node::core::{Input, Output};
use liandong::sync::Frame;
use liandong::wire;

use super::rogue::About;
use super::stage::{HERE, Stage, frames, opened, opening};
use super::world::World;

pub const A: usize = 0;
pub const B: usize = 1;

/// Where the batches of a log lie: first entry and record.
pub fn batches(disk: &MemDisk, log: LogId) -> Vec<(u64, RecordRef)> {
    let (journal, _) = Journal::open(disk.copy(), JournalOptions::default()).unwrap();
    let mut found = Vec::new();
    let scan = journal.reader().scan(0, &mut |at, kind, payload| {
        if kind == RecordKind::Batch {
            let batch = wire::batch::parse_batch(Bytes::copy_from_slice(payload)).unwrap();
            if batch.log == log {
                found.push((batch.from, at));
            }
        }
        true
    });
    scan.unwrap();
    found
}

/// Where a note lies.
pub fn of_kind(disk: &MemDisk, wanted: RecordKind, note: &Bytes) -> RecordRef {
    let (journal, _) = Journal::open(disk.copy(), JournalOptions::default()).unwrap();
    let mut found = None;
    let scan = journal.reader().scan(0, &mut |at, kind, payload| {
        if kind == wanted && payload == note.as_ref() {
            found = Some(at);
        }
        true
    });
    scan.unwrap();
    found.unwrap()
}

/// Flips a bit in the payload of a record.
pub fn damage(world: &World, i: usize, at: RecordRef) {
    let name = format!("{:08}.seg", at.segment);
    world.disk(i).damage(&name, at.offset as usize + 60, 0x10);
}

fn steps(world: &mut World, n: usize) {
    for _ in 0..n {
        world.step();
    }
}

/// Two cities that hold the same five cases of A.
pub fn filled(seed: u64) -> World {
    let mut world = World::new(seed, 2, &[&[A, B]]);
    let agreement = world.agreements[0].0;
    for n in 0..5 {
        world.open_case(A, agreement, &format!("case-{n}"), &format!("示例案件第{n}号"));
        steps(&mut world, 20);
    }
    steps(&mut world, 60);
    assert_eq!(world.cases(B, agreement).len(), 5);
    world
}

#[test]
fn damage_is_told_and_mended_from_a_member_whosever_log_it_is() {
    for city in [A, B] {
        let mut world = filled(21);
        let agreement = world.agreements[0].0;
        let log = world.cities[A].log(0);
        let head = world.head_at(city, log);
        let (index, record) = batches(world.disk(city), log)[2];
        let at = Position { log, index };
        damage(&world, city, record);
        world.cut(A, B);
        assert!(!world.holds(city, at), "it is not read as if nothing were wrong");
        steps(&mut world, 120);
        assert!(!world.holds(city, at), "nobody to fetch it from");
        world.heal();
        steps(&mut world, 200);
        assert!(world.holds(city, at), "city {city}: fetched again");
        assert_eq!(world.head_at(city, log), head);
        // The links work on as before.
        let ticket = world.open_case(A, agreement, "after", "示例案件");
        steps(&mut world, 120);
        world.answers[&ticket].clone().unwrap();
        assert_eq!(world.head_at(A, log), world.head_at(B, log));
        // What was fetched again is used by a rebuild.
        world.crash(city);
        world.start(city);
        steps(&mut world, 150);
        assert!(world.holds(city, at));
        assert_eq!(world.head_at(A, log), world.head_at(B, log));
        assert_eq!(world.fold_hash(A, agreement), world.fold_hash(B, agreement));
        let ticket = world.open_case(A, agreement, "again", "示例案件");
        steps(&mut world, 150);
        world.answers[&ticket].clone().unwrap();
    }
}

#[test]
fn damage_survives_a_rebuild() {
    // Of another city's log: it is followed again from where the damage begins.
    let mut world = filled(22);
    let agreement = world.agreements[0].0;
    let log = world.cities[A].log(0);
    let head = world.head_at(B, log);
    damage(&world, B, batches(world.disk(B), log)[1].1);
    world.crash(B);
    world.start(B);
    assert!(world.head_at(B, log).unwrap().size < head.unwrap().size);
    steps(&mut world, 200);
    assert_eq!(world.head_at(B, log), head);
    for _ in 0..2 {
        world.crash(B);
        world.start(B);
        steps(&mut world, 200);
        assert_eq!(world.head_at(B, log), head);
        assert_eq!(world.fold_hash(A, agreement), world.fold_hash(B, agreement));
    }
    // Of the own log: it is fetched back, and not written any more.
    let mut world = filled(23);
    let agreement = world.agreements[0].0;
    let log = world.cities[A].log(0);
    let head = world.head_at(A, log);
    damage(&world, A, batches(world.disk(A), log)[1].1);
    world.crash(A);
    world.start(A);
    let ticket = world.open_case(A, agreement, "more", "示例案件");
    steps(&mut world, 200);
    assert_eq!(world.answers[&ticket], Err(WriteError::EpochNeeded));
    assert_eq!(world.head_at(A, log), head);
    assert_eq!(world.fold_hash(A, agreement), world.fold_hash(B, agreement));
    world.new_epoch(A, 0);
    let ticket = world.open_case(A, agreement, "more", "示例案件");
    steps(&mut world, 200);
    world.answers[&ticket].clone().unwrap();
    world.crash(A);
    world.start(A);
    steps(&mut world, 200);
    assert_eq!(world.cases(A, agreement).len(), 6);
    assert_eq!(world.fold_hash(A, agreement), world.fold_hash(B, agreement));
}

#[test]
fn a_rebuild_over_damage_is_another_feed() {
    let mut world = filled(31);
    let agreement = world.agreements[0].0;
    // Two entries that know nothing of each other: their order is that of the journal.
    world.cut(A, B);
    for city in [A, B] {
        world.open_case(city, agreement, "apart", "示例案件");
        steps(&mut world, 20);
    }
    world.heal();
    steps(&mut world, 200);
    let made_anew = |world: &mut World| {
        world.crash(B);
        world.start(B);
        steps(world, 200);
        (world.reader(B).feed_id(), order(world, B))
    };
    let lived = (world.reader(B).feed_id(), order(&world, B));
    assert_eq!(made_anew(&mut world), lived, "a whole journal gives what was lived");
    let theirs = batches(world.disk(B), world.cities[B].log(0))[0].1;
    damage(&world, B, theirs);
    let over_damage = made_anew(&mut world);
    assert_ne!(over_damage.1, lived.1, "what was fetched again comes later");
    assert_ne!(over_damage.0, lived.0);
    // Views that are kept keep their order, and cursors stay good.
    world.cities[B].keeps_rows = true;
    let kept = (world.reader(B).feed_id(), order(&world, B));
    world.stop_and_start(B);
    assert_eq!((world.reader(B).feed_id(), order(&world, B)), kept);
    world.cities[B].keeps_rows = false;
    // What was fetched again lies where a replay may look ahead to it: another order perhaps.
    assert_ne!(made_anew(&mut world).0, over_damage.0);
}

#[test]
fn an_end_that_is_lost_is_another_feed_each_time() {
    let mut world = filled(32);
    let theirs = world.cities[A].log(0);
    let mut ids = vec![world.reader(B).feed_id()];
    let end = batches(world.disk(B), theirs).last().unwrap().1.number;
    for _ in 0..3 {
        // The last that came from A, and whatever lies behind it, what an earlier start has said of a
        // lost end as well; and the views.
        world.crash(B);
        for record in records_from(world.disk(B), end) {
            damage(&world, B, record);
        }
        world.start(B);
        let id = world.reader(B).feed_id();
        assert!(!ids.contains(&id), "a cursor of before would pass over what comes in its place");
        ids.push(id);
        steps(&mut world, 200);
        world.stop_and_start(B);
        assert_eq!(world.reader(B).feed_id(), id, "it is said once");
        assert_eq!(world.head_at(A, theirs), world.head_at(B, theirs));
    }
}

/// Every record from a number on.
fn records_from(disk: &MemDisk, number: u64) -> Vec<RecordRef> {
    let (journal, _) = Journal::open(disk.copy(), JournalOptions::default()).unwrap();
    let mut found = Vec::new();
    let scan = journal.reader().scan(0, &mut |at, _, _| {
        found.extend((at.number >= number).then_some(at));
        true
    });
    scan.unwrap();
    found
}

/// Where a feed has come, entry by entry.
fn order(world: &World, i: usize) -> Vec<Position> {
    let mut order = Vec::new();
    liandong::view::feed(&world.reader(i).view(), 1, &mut |entry| {
        order.push(entry.position);
        true
    });
    order
}

#[test]
fn what_nobody_holds_keeps_no_other_damage_waiting() {
    let mut world = filled(24);
    let agreement = world.agreements[0].0;
    for n in 0..3 {
        world.open_case(B, agreement, &format!("theirs-{n}"), "示例案件");
        steps(&mut world, 60);
    }
    // The one that is on no disk any more comes first.
    let mut logs = [A, B].map(|city| world.cities[city].log(0));
    logs.sort_unstable();
    let second = |city: usize, log: LogId| {
        let (index, record) = batches(world.disk(city), log)[1];
        damage(&world, city, record);
        Position { log, index }
    };
    let (lost, other) = (second(A, logs[0]), second(A, logs[1]));
    second(B, logs[0]);
    assert!(!world.holds(A, lost) && !world.holds(A, other));
    steps(&mut world, 800);
    assert!(!world.holds(A, lost), "it is on no disk any more");
    assert!(world.holds(A, other), "and that is no reason to go without the rest");
}

#[test]
fn damage_of_what_was_sent_live_is_fetched_from_whoever_cosigned_it() {
    let mut world = filled(25);
    let log = world.cities[A].log(0);
    let (index, record) = batches(world.disk(A), log)[4];
    let at = Position { log, index };
    damage(&world, A, record);
    assert!(!world.holds(A, at));
    // One link, from the beginning: nobody has told the author anew how much is held.
    steps(&mut world, 200);
    assert!(world.holds(A, at));
}

#[test]
fn what_only_a_damaged_disk_holds_beyond_its_pin_stays_out() {
    let mut world = filled(26);
    let agreement = world.agreements[0].0;
    let old = world.cities[A].log(0);
    let shared = world.head_at(B, old);
    world.cut(A, B);
    for n in 0..3 {
        world.open_case(A, agreement, &format!("alone-{n}"), "示例案件");
        steps(&mut world, 20);
    }
    assert!(world.head_at(A, old) > shared);
    damage(&world, A, batches(world.disk(A), old)[1].1);
    world.crash(A);
    world.start(A);
    steps(&mut world, 120);
    world.new_epoch(A, 0);
    let ticket = world.open_case(A, agreement, "new", "示例案件");
    steps(&mut world, 20);
    world.answers[&ticket].clone().unwrap();
    world.heal();
    steps(&mut world, 200);
    // What B holds is fetched back; at the next start what only A held would follow it.
    for id in ["after", "again"] {
        world.crash(A);
        world.start(A);
        steps(&mut world, 200);
        assert_eq!(world.head_at(A, old), shared);
        let ticket = world.open_case(A, agreement, id, "示例案件");
        steps(&mut world, 200);
        world.answers[&ticket].clone().unwrap();
        assert_eq!(world.heads(A), world.heads(B), "nothing waits for what nobody may take");
        assert_eq!(world.fold_hash(A, agreement), world.fold_hash(B, agreement));
    }
}

/// The mirror of the above: a member is the one that vouches for what lay on its disk of another
/// city's log, also when it has to be fetched back over a pin that does not reach so far.
#[test]
fn what_a_member_held_of_anothers_log_comes_back_beyond_its_pin() {
    let mut world = World::new(27, 2, &[&[A, B]]);
    let (agreement, old) = (world.agreements[0].0, world.cities[A].log(0));
    let open = |world: &mut World, id: &str| {
        world.open_case(A, agreement, id, "示例案件");
        steps(world, 60);
    };
    ["one", "two"].into_iter().for_each(|id| open(&mut world, id));
    let copy = world.backup(A);
    ["three", "four", "five"].into_iter().for_each(|id| open(&mut world, id));
    let held = world.head_at(B, old).unwrap();
    world.cut(A, B);
    world.restore(A, &copy);
    world.start(A);
    steps(&mut world, 120);
    let pin = world.own_log(A, 0);
    assert!(pin.size < held.size);
    world.new_epoch(A, 0);
    damage(&world, B, batches(world.disk(B), old)[1].1);
    world.crash(B);
    world.start(B);
    assert!(world.head_at(B, old).unwrap().size < pin.size);
    world.heal();
    steps(&mut world, 200);
    world.crash(B);
    world.start(B);
    steps(&mut world, 300);
    assert_eq!(world.head_at(B, old), Some(held));
    assert_eq!(world.head_at(A, old), Some(held), "and its author has it back");
    assert_eq!(world.fold_hash(A, agreement), world.fold_hash(B, agreement));
}

/// Ranges that a node shows as damaged, each with whether it is thought to be nowhere else.
fn shown_damage(world: &mut World, i: usize) -> Vec<(u64, u64, bool)> {
    let outputs = world.ask(i, Input::Status(1));
    let Some(Output::Status(_, status)) = outputs.into_iter().next() else { panic!() };
    status.damage.into_iter().map(|d| (d.from, d.to, d.only_here)).collect()
}

#[test]
fn damage_that_its_author_has_lost_as_well_is_only_here() {
    let mut world = World::new(28, 2, &[&[A, B]]);
    world.cities[B].keeps_rows = true;
    let (agreement, old) = (world.agreements[0].0, world.cities[A].log(0));
    let mut copy = None;
    for id in ["one", "two", "three", "four"] {
        world.open_case(A, agreement, id, "示例案件");
        steps(&mut world, 60);
        copy = copy.or_else(|| (id == "two").then(|| world.backup(A)));
    }
    let size = world.head_at(B, old).unwrap().size;
    world.cut(A, B);
    let (index, record) = *batches(world.disk(B), old).last().unwrap();
    damage(&world, B, record);
    assert!(!world.holds(B, Position { log: old, index }));
    steps(&mut world, 20);
    assert_eq!(shown_damage(&mut world, B), [(index, size, false)], "its author has it");
    world.restore(A, &copy.unwrap());
    world.start(A);
    world.heal();
    world.link(A, B);
    steps(&mut world, 20);
    assert_eq!(shown_damage(&mut world, B), [(index, size, true)], "and does not, it shows");
}

#[test]
fn damage_that_nobody_can_mend_keeps_back_no_other() {
    let others = [B, 2];
    let mut world = World::new(31, 3, &[&[A, others[0]], &[A, others[1]]]);
    // The log that only a city out of reach could give again is the first that is asked for.
    let first = usize::from(world.cities[A].log(1) < world.cities[A].log(0));
    for n in 0..3 {
        for nth in [0, 1] {
            let agreement = world.agreements[nth].0;
            world.open_case(A, agreement, &format!("case-{n}-{nth}"), "示例案件");
            steps(&mut world, 20);
        }
    }
    steps(&mut world, 60);
    world.cut(A, others[first]);
    let damaged = [0, 1].map(|nth| {
        let log = world.cities[A].log(nth);
        let (index, record) = batches(world.disk(A), log)[1];
        damage(&world, A, record);
        let at = Position { log, index };
        assert!(!world.holds(A, at));
        at
    });
    steps(&mut world, 300);
    assert!(world.holds(A, damaged[1 - first]), "the linked city has given its own again");
    assert!(!world.holds(A, damaged[first]), "nobody has given the other");
    world.heal();
    steps(&mut world, 300);
    assert!(world.holds(A, damaged[first]));
}

#[test]
fn what_waited_for_a_damaged_entry_goes_on_once_it_is_back() {
    let mut stage = Stage::laid(27, 3, &[&[0, 1, 2]]);
    let (mut waits, mut met) = (stage.world.author(1, 0), stage.world.author(2, 0));
    let (link, other) = (stage.greet(1, &waits), stage.greet(2, &met));
    for (link, author) in [(link, &waits), (other, &met)] {
        stage.say(link, Frame::Manifest(author.manifest.clone()));
    }
    stage.commit();
    let named = opening(&met);
    let mut about = About::case(None);
    about.after = vec![met.head_after(&named.entries)];
    let batch = waits.batch(vec![waits.entry(0, &opened(), about, &[])]);
    stage.store(link, &mut waits, &batch);
    damage(&stage.world, HERE, batches(stage.world.disk(HERE), waits.log)[0].1);
    stage.store(other, &mut met, &named);
    assert_eq!(stage.shown(waits.log).applied, 0, "it cannot be read when its turn comes");
    let asked = stage.tick(6_000);
    let asks = |f: &&Frame| matches!(f, Frame::Subscribe { from: 0, credit: 1, .. });
    assert!(frames(&asked, link).iter().any(asks), "{asked:?}");
    stage.say(link, Frame::Batch(batch));
    let outputs = stage.commit();
    assert!(outputs.iter().any(|o| matches!(o, Output::Applied(2))), "{outputs:?}");
    assert_eq!(stage.shown(waits.log).applied, 1);
    let lived = stage.view_rows();
    for _ in 0..2 {
        stage.world.crash(HERE);
        stage.world.start(HERE);
        assert_eq!(stage.view_rows(), lived, "cases, histories and the feed");
    }
}

#[test]
fn a_member_that_holds_less_gives_back_what_it_has() {
    let mut stage = Stage::laid(28, 3, &[&[0, 1, 2]]);
    let (mut author, third) = (stage.world.author(1, 0), stage.world.author(2, 0));
    let (link, other) = (stage.greet(1, &author), stage.greet(2, &third));
    stage.say(link, Frame::Manifest(author.manifest.clone()));
    stage.commit();
    let first = opening(&author);
    let rest = author.entry(1, &opened(), About::case(None), &[]);
    let joined = author.batch([first.entries.clone(), vec![rest]].concat());
    stage.store(link, &mut author, &joined);
    stage.world.ask(HERE, Input::LinkDown { link, reason: "away".to_owned() });
    let announce = Frame::Announce { log: author.log, checkpoint: first.checkpoint.clone() };
    stage.say(other, announce);
    damage(&stage.world, HERE, batches(stage.world.disk(HERE), author.log)[0].1);
    let at = |index| Position { log: author.log, index };
    assert!(!stage.world.holds(HERE, at(0)));
    let asked = stage.tick(6_000);
    let asks = |f: &&Frame| matches!(f, Frame::Subscribe { from: 0, credit: 1, .. });
    assert!(frames(&asked, other).iter().any(asks), "{asked:?}");
    stage.say(other, Frame::Batch(first));
    stage.commit();
    assert!(stage.world.holds(HERE, at(0)));
    assert!(!stage.world.holds(HERE, at(1)), "the other one is still damaged");
}

#[test]
fn what_goes_beyond_the_end_is_mended_only_with_what_lay_here() {
    let mut stage = Stage::laid(29, 2, &[&[0, 1]]);
    let mut author = stage.world.author(1, 0);
    let link = stage.greet(1, &author);
    stage.say(link, Frame::Manifest(author.manifest.clone()));
    stage.commit();
    let first = opening(&author);
    let another = author.entry(0, &opened(), About::case(None), &[Bytes::from_static(b"another")]);
    let rest = author.entry(1, &opened(), About::case(None), &[]);
    let joined = author.batch([first.entries.clone(), vec![rest.clone()]].concat());
    let forged = author.batch(vec![another, rest]);
    stage.store(link, &mut author, &first);
    damage(&stage.world, HERE, batches(stage.world.disk(HERE), author.log)[0].1);
    let at = |index| Position { log: author.log, index };
    assert!(!stage.world.holds(HERE, at(0)));
    stage.tick(6_000);
    stage.say(link, Frame::Batch(forged));
    stage.commit();
    assert!(!stage.world.holds(HERE, at(0)), "its city has signed it, and it is not what lay here");
    assert_eq!(stage.size(author.log), Some(1));
    stage.say(link, Frame::Batch(joined));
    stage.commit();
    assert!(stage.world.holds(HERE, at(0)) && stage.world.holds(HERE, at(1)));
    let shown = stage.shown(author.log);
    assert_eq!((shown.stored, shown.applied), (2, 2));
    let lived = stage.view_rows();
    stage.world.crash(HERE);
    stage.world.start(HERE);
    assert_eq!(stage.view_rows(), lived, "cases, histories and the feed");
}
