//! Two histories of one log that have no size in common, in the world in memory: who finds the
//! proof, and that others go on.

use bytes::Bytes;
use liandong::ids::{LogId, Position};
use liandong::log::ForkProof;
use liandong::log::checkpoint::SignedCheckpoint;
use liandong::log::merkle::leaf_hash;
use liandong::node::core::{Input, Output};
use liandong::sync::{Frame, LinkId, RawBatch};

use super::rogue::{About, Author};
use super::stage::{HERE, Stage, frames, opened};
use super::world::World;
use super::world_damage::{batches, damage};

/// A city whose node is played gives one of two real nodes a stretch and is gone.
fn gives(world: &mut World, to: usize, author: &Author, batch: &RawBatch) {
    let (link, city) = (100 + to as LinkId, world.cities[1].code);
    let up = Input::LinkUp { link, city, by_us: false, address: String::new() };
    let frames = [Frame::Hello(author.hello()), Frame::Batch(batch.clone())];
    world.input(to, up);
    for frame in frames {
        world.input(to, Input::Frame(link, frame));
        world.input(to, Input::Commit);
    }
    world.input(to, Input::LinkDown { link, reason: "gone".to_owned() });
    assert_eq!(world.heads(to)[&author.log].0, author.head_after(&batch.entries).size);
}

fn has_proof(world: &mut World, i: usize, log: LogId) -> bool {
    let outputs = world.ask(i, Input::Status(1));
    let Some(Output::Status(_, status)) = outputs.into_iter().next() else { panic!() };
    status.logs.into_iter().any(|l| l.log == log && l.fork.is_some())
}

/// Without a search below its own size, the node with the longer history proves nothing, and the
/// other one waits for ever for what was seen of it.
#[test]
fn two_histories_without_a_common_size_stop_nobody() {
    let mut world = World::new(51, 3, &[&[0, 1, 2]]);
    let (agreement, liar) = (world.agreements[0].0, world.author(1, 0));
    world.crash(1);
    let entry = |ahead, text: &'static [u8]| {
        liar.entry(ahead, &opened(), About::case(None), &[Bytes::from_static(text)])
    };
    gives(&mut world, 0, &liar, &liar.batch(vec![entry(0, b""), entry(1, b"a")]));
    let long = vec![entry(0, b""), entry(1, b"b"), entry(2, b"")];
    gives(&mut world, 2, &liar, &liar.batch(long));
    // The third city has seen the longer history.
    world.open_case(2, agreement, "one", "示例案件");
    world.input(2, Input::Commit);
    let third = world.cities[2].log(0);
    for _ in 0..400 {
        world.step();
    }
    for i in [0, 2] {
        assert!(has_proof(&mut world, i, liar.log), "city {i} has the proof");
    }
    let (size, applied, _) = world.heads(0)[&third];
    assert_eq!((size, applied), (world.own_log(2, 0).size, size), "it goes on");
}

#[test]
fn a_proof_of_two_sizes_lets_others_go_on() {
    let mut stage = Stage::laid(51, 3, &[&[0, 1, 2]]);
    let (mut one, mut third) = (stage.world.author(1, 0), stage.world.author(2, 0));
    let mut two = stage.world.author(1, 0);
    let (link, other) = (stage.greet(1, &one), stage.greet(2, &third));
    stage.commit();
    // One city's log ends at 2 here and at 3 with the third city, and nowhere at both.
    let note = |author: &Author, text: &[u8]| {
        author.entry(1, &opened(), About::case(None), &[Bytes::copy_from_slice(text)])
    };
    let short = one.batch(vec![one.entry(0, &opened(), About::case(None), &[]), note(&one, b"a")]);
    let mut long = vec![two.entry(0, &opened(), About::case(None), &[]), note(&two, b"b")];
    long.push(two.entry(2, &opened(), About::case(None), &[]));
    let long = two.batch(long);
    stage.store(link, &mut one, &short);
    two.wrote(&long);
    let mut about = About::case(None);
    about.after = vec![two.head_after(&[])];
    let rests = third.batch(vec![third.entry(0, &opened(), about, &[])]);
    stage.store(other, &mut third, &rests);
    assert_eq!(stage.shown(third.log).applied, 0, "it waits for what is not here");
    // Alone, the longer checkpoint proves nothing.
    stage.say(other, Frame::Announce { log: two.log, checkpoint: long.checkpoint.clone() });
    stage.say(other, Frame::Batch(RawBatch { from: 2, ..two.batch(vec![note(&two, b"c")]) }));
    assert_eq!(stage.shown(one.log).fork, None);
    let leaves: Vec<_> = long.entries.iter().map(|e| leaf_hash(&e.header)).collect();
    let signed = |note: &Bytes| SignedCheckpoint::verify(note, one.log, &one.key.verifying_key());
    let [shorter, longer] = [&short.checkpoint, &long.checkpoint].map(|n| signed(n).unwrap());
    let proof = ForkProof::of_sizes(&shorter, &longer, &leaves).unwrap();
    stage.say(other, Frame::Fork(proof.encode(one.log)));
    stage.commit();
    assert_eq!(stage.shown(one.log).fork, Some(proof.clone()));
    assert_eq!(stage.shown(third.log).applied, 1, "it goes on");
    let lived = stage.view_rows();
    stage.world.crash(HERE);
    stage.world.start(HERE);
    assert_eq!((stage.shown(one.log).fork, stage.view_rows()), (Some(proof), lived));
}

#[test]
fn whoever_holds_the_longer_history_finds_the_proof() {
    let mut stage = Stage::laid(52, 3, &[&[0, 1, 2]]);
    let (mut author, third) = (stage.world.author(1, 0), stage.world.author(2, 0));
    let (link, other) = (stage.greet(1, &author), stage.greet(2, &third));
    stage.commit();
    let entry = |n, text: &'static [u8]| {
        author.entry(n, &opened(), About::case(None), &[Bytes::from_static(text)])
    };
    let short = author.batch(vec![entry(0, b"a"), entry(1, b"x")]);
    let long = author.batch(vec![entry(0, b"a"), entry(1, b"b"), entry(2, b"c")]);
    let same = author.batch(vec![entry(0, b"a"), entry(1, b"b")]);
    stage.store(link, &mut author, &long);
    let shows = |stage: &mut Stage, checkpoint: &Bytes| {
        let announce = Frame::Announce { log: author.log, checkpoint: checkpoint.clone() };
        stage.say(other, announce);
        stage.commit()
    };
    let refused = || Frame::Refuse {
        reason: "BAD_CHECKPOINT".to_owned(),
        log: Some(author.log),
        expected: 3,
        detail: String::new(),
        facts: Vec::new(),
    };
    // The log is not read over for every word about it, and a true word proves nothing.
    shows(&mut stage, &short.checkpoint);
    stage.say(other, refused());
    shows(&mut stage, &same.checkpoint);
    stage.world.pass(31_000);
    assert_eq!(stage.shown(author.log).fork, None);
    stage.say(other, refused());
    let told = shows(&mut stage, &short.checkpoint);
    let proof = stage.shown(author.log).fork.unwrap();
    assert!(proof.check(author.log, &author.key.verifying_key()).is_ok());
    assert!(frames(&told, other).contains(&&Frame::Fork(proof.encode(author.log))), "{told:?}");
}

/// Waits until what lies damaged from there on is asked for.
fn asked_from(stage: &mut Stage, link: LinkId, wanted: u64) {
    for _ in 0..20 {
        let told = stage.tick(6_000);
        let asks =
            |frame: &&Frame| matches!(frame, Frame::Subscribe { from, .. } if *from == wanted);
        if frames(&told, link).iter().any(asks) {
            return;
        }
    }
    panic!("nobody asks from {wanted}");
}

/// Its city has signed both: which of them lay here, only what lies above can say.
#[test]
fn of_two_histories_only_what_is_proved_from_above_is_mended() {
    let mut stage = Stage::laid(53, 2, &[&[0, 1]]);
    let mut author = stage.world.author(1, 0);
    let link = stage.greet(1, &author);
    stage.say(link, Frame::Manifest(author.manifest.clone()));
    stage.commit();
    let entry = |n, text: &'static [u8]| {
        author.entry(n, &opened(), About::case(None), &[Bytes::from_static(text)])
    };
    let (low, high, other) = (entry(0, b"a"), entry(1, b"b"), entry(0, b"x"));
    let first = author.batch(vec![low.clone()]);
    let whole = author.batch(vec![low, high.clone()]);
    let other = author.batch(vec![other]);
    stage.store(link, &mut author, &first);
    let second = author.batch(vec![high]);
    stage.store(link, &mut author, &second);
    let signed = |note: &Bytes| {
        SignedCheckpoint::verify(note, author.log, &author.key.verifying_key()).unwrap()
    };
    let proof = ForkProof::of(&signed(&first.checkpoint), &signed(&other.checkpoint)).unwrap();
    stage.say(link, Frame::Fork(proof.encode(author.log)));
    stage.commit();
    assert_eq!(stage.shown(author.log).fork, Some(proof));
    let lie = batches(stage.world.disk(HERE), author.log);
    let at = |index| Position { log: author.log, index };
    for ((_, record), index) in lie.into_iter().zip(0..) {
        damage(&stage.world, HERE, record);
        assert!(!stage.world.holds(HERE, at(index)));
    }
    asked_from(&mut stage, link, 0);
    stage.say(link, Frame::Batch(other));
    stage.commit();
    assert!(!stage.world.holds(HERE, at(0)), "it may be what lay here, and may not");
    asked_from(&mut stage, link, 0);
    stage.say(link, Frame::Batch(whole));
    stage.commit();
    assert!(stage.world.holds(HERE, at(0)), "what it comes to was signed, and is here");
    asked_from(&mut stage, link, 1);
    stage.say(link, Frame::Batch(second));
    stage.commit();
    assert!(stage.world.holds(HERE, at(1)));
    let lived = stage.view_rows();
    stage.world.crash(HERE);
    stage.world.start(HERE);
    assert_eq!(stage.view_rows(), lived);
}
