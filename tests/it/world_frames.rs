//! Any frame in any order: a real core never panics, and what it refuses changes nothing.

use bytes::Bytes;
use liandong::ids::{Hash, LogId, Position};
use liandong::log::PartSlot;
use liandong::node::core::Input;
use liandong::sync::{Cosign, Frame, RawBatch, RawEntry};
use liandong::wire::pb::peer_v1;
use liandong::wire::peer::parse_frame;
use liandong::wire::status::Refused;
use proptest::prelude::*;
use prost::Message;

use super::world::World;

/// What a stranger does with a genuine batch before sending it on.
#[derive(Clone, Debug)]
enum Mangled {
    Header(usize, usize, u8),
    Part(usize, u8),
    Checkpoint(usize, u8),
    From(u64),
    Log(bool),
    Cut(usize),
    Doubled,
    Swapped,
    Withheld,
    Erased(u64),
}

#[derive(Clone, Debug)]
enum Said {
    Bytes(Vec<u8>),
    Batch(Mangled),
    Announce(bool, Vec<u8>),
    Subscribe(u8, u64, u64),
    Cosign(u64, [u8; 32], Vec<u8>),
    Fetch(u64, Vec<u32>),
    Late(u64, Vec<(u32, Vec<u8>)>),
    Note(u8, Vec<u8>),
    Served(u64, u64, u64),
    Bad,
    Hello(Vec<u8>),
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..200)
}

fn mangled() -> impl Strategy<Value = Mangled> {
    prop_oneof![
        (any::<usize>(), any::<usize>(), 1_u8..).prop_map(|(e, b, x)| Mangled::Header(e, b, x)),
        (any::<usize>(), 1_u8..).prop_map(|(b, x)| Mangled::Part(b, x)),
        (any::<usize>(), 1_u8..).prop_map(|(b, x)| Mangled::Checkpoint(b, x)),
        prop_oneof![0_u64..40, any::<u64>()].prop_map(Mangled::From),
        any::<bool>().prop_map(Mangled::Log),
        any::<usize>().prop_map(Mangled::Cut),
        Just(Mangled::Doubled),
        Just(Mangled::Swapped),
        Just(Mangled::Withheld),
        any::<u64>().prop_map(Mangled::Erased),
    ]
}

fn said() -> impl Strategy<Value = Said> {
    let number = || prop_oneof![0_u64..20, any::<u64>()];
    let late = prop::collection::vec((0_u32..10, any_bytes()), 0..4);
    prop_oneof![
        2 => any_bytes().prop_map(Said::Bytes),
        6 => mangled().prop_map(Said::Batch),
        2 => (any::<bool>(), any_bytes()).prop_map(|(own, b)| Said::Announce(own, b)),
        2 => (0_u8..4, number(), number()).prop_map(|(l, f, c)| Said::Subscribe(l, f, c)),
        2 => (number(), any::<[u8; 32]>(), any_bytes()).prop_map(|(s, r, l)| Said::Cosign(s, r, l)),
        2 => (number(), prop::collection::vec(any::<u32>(), 0..8))
            .prop_map(|(i, p)| Said::Fetch(i, p)),
        2 => (number(), late).prop_map(|(i, p)| Said::Late(i, p)),
        2 => (0_u8..4, any_bytes()).prop_map(|(k, b)| Said::Note(k, b)),
        1 => (number(), number(), number()).prop_map(|(f, n, b)| Said::Served(f, n, b)),
        1 => Just(Said::Bad),
        1 => any_bytes().prop_map(Said::Hello),
    ]
}

fn flip(bytes: &Bytes, at: usize, by: u8) -> Bytes {
    let mut bytes = bytes.to_vec();
    let length = bytes.len().max(1);
    if let Some(byte) = bytes.get_mut(at % length) {
        *byte ^= by;
    }
    bytes.into()
}

/// The genuine batch that the honest node does not hold yet, spoilt.
fn spoil(genuine: &RawBatch, other: LogId, how: &Mangled) -> RawBatch {
    let mut batch = genuine.clone();
    let count = batch.entries.len();
    match how {
        Mangled::Header(entry, at, by) => {
            let entry = &mut batch.entries[entry % count];
            entry.header = flip(&entry.header, *at, *by);
        }
        Mangled::Part(at, by) => {
            let slots = batch.entries.iter_mut().flat_map(|e| e.parts.iter_mut());
            for slot in slots.take(1) {
                if let PartSlot::Bytes(bytes) = slot {
                    *slot = PartSlot::Bytes(flip(bytes, *at, *by));
                }
            }
        }
        Mangled::Checkpoint(at, by) => batch.checkpoint = flip(&batch.checkpoint, *at, *by),
        Mangled::From(from) => batch.from = if *from == batch.from { *from + 1 } else { *from },
        Mangled::Log(known) => batch.log = if *known { other } else { LogId::new([9; 32]) },
        Mangled::Cut(at) => batch.entries.truncate(at % count),
        Mangled::Doubled => {
            let again: Vec<RawEntry> = batch.entries.clone();
            batch.entries.extend(again);
        }
        Mangled::Swapped => {
            batch.entries.reverse();
            if count < 2 {
                batch.entries.clear();
            }
        }
        Mangled::Withheld => {
            let slots = batch.entries.iter_mut().flat_map(|e| e.parts.iter_mut());
            slots.for_each(|slot| *slot = PartSlot::Withheld);
        }
        Mangled::Erased(index) => {
            // Said to be erased by an entry before it, which cannot be.
            let by = Position { log: batch.log, index: index % (batch.from + 1) };
            let slots = batch.entries.iter_mut().flat_map(|e| e.parts.iter_mut());
            slots.for_each(|slot| *slot = PartSlot::ErasedBy(by));
        }
    }
    batch
}

fn frame(said: &Said, genuine: &RawBatch, own: LogId) -> Option<Frame> {
    let log = genuine.log;
    let at = |index| Position { log, index };
    let bytes = |b: &Vec<u8>| Bytes::from(b.clone());
    Some(match said {
        Said::Bytes(bytes) => parse_frame(peer_v1::Frame::decode(bytes.as_slice()).ok()?).ok()?,
        Said::Batch(how) => Frame::Batch(spoil(genuine, own, how)),
        Said::Announce(mine, note) => {
            Frame::Announce { log: if *mine { own } else { log }, checkpoint: bytes(note) }
        }
        Said::Subscribe(which, from, credit) => match which {
            0 => Frame::Subscribe { log: own, from: *from, credit: *credit },
            1 => Frame::Subscribe { log: LogId::new([3; 32]), from: *from, credit: *credit },
            2 => Frame::Unsubscribe { log: own },
            _ => Frame::Credit { log: own, bytes: *credit },
        },
        Said::Cosign(size, root, line) => Frame::Cosign(Cosign {
            log: own,
            size: *size,
            root: Hash::new(*root),
            witness: log,
            line: bytes(line),
        }),
        Said::Fetch(index, parts) => Frame::FetchParts { entry: at(*index), parts: parts.clone() },
        Said::Late(index, parts) => {
            let parts = parts.iter().map(|(part, b)| (*part, bytes(b))).collect();
            Frame::LateParts { entry: at(*index), parts }
        }
        Said::Note(0, note) => Frame::Card(bytes(note)),
        Said::Note(1, note) => Frame::Charter(bytes(note)),
        Said::Note(2, note) => Frame::Manifest(bytes(note)),
        Said::Note(_, note) => Frame::Fork(bytes(note)),
        Said::Served(..) | Said::Bad | Said::Hello(_) => return None,
    })
}

/// Two cities that hold the same, and are linked.
fn settled() -> World {
    let mut world = World::new(5, 2, &[&[0, 1]]);
    let agreement = world.agreements[0].0;
    for turn in 0..60 {
        world.step();
        if turn % 10 == 0 {
            world.open_case(turn / 10 % 2, agreement, &format!("{turn}"), "前情");
        }
    }
    world.settle();
    world
}

/// The same, and a genuine next batch of the second city, written in a world like this one.
fn ground() -> (World, RawBatch) {
    let mut elsewhere = settled();
    let (agreement, log) = (elsewhere.agreements[0].0, elsewhere.cities[1].log(0));
    let from = elsewhere.heads(1)[&log].0;
    for nth in 0..3 {
        elsewhere.open_case(1, agreement, &format!("later {nth}"), "后事");
    }
    elsewhere.input(1, Input::Commit);
    let city = elsewhere.cities[0].code;
    let stretch = elsewhere.reader(1).stretch(city, log, from, 1 << 20).unwrap();
    (settled(), stretch.batches[0].clone())
}

/// A link that has greeted: both sides have nothing else to say.
fn greeted(world: &mut World) -> u64 {
    let link = world.link(0, 1);
    for _ in 0..8 {
        world.step();
    }
    let again = world.link(0, 1);
    assert_eq!(link, again);
    link
}

#[test]
fn an_unspoilt_batch_is_taken() {
    let (mut world, genuine) = ground();
    let link = greeted(&mut world);
    let before = world.heads(0)[&genuine.log].0;
    world.input(0, Input::Frame(link, Frame::Batch(genuine.clone())));
    world.input(0, Input::Commit);
    assert_eq!(world.heads(0)[&genuine.log].0, before + genuine.entries.len() as u64);
}

fn say(world: &mut World, said: &Said, genuine: &RawBatch, own: LogId) {
    let link = greeted(world);
    match said {
        Said::Served(from, next, bytes) => {
            let (log, from, next, bytes) = (own, *from, *next, *bytes);
            world.input(0, Input::Served { link, log, from, next, bytes });
        }
        Said::Bad => world.input(0, Input::BadFrame(link, Box::new(Refused::new("MALFORMED")))),
        Said::Hello(bytes) => {
            if let Ok(Ok(frame)) = peer_v1::Hello::decode(bytes.as_slice()).map(|hello| {
                let frame = Some(peer_v1::frame::Frame::Hello(hello));
                parse_frame(peer_v1::Frame { frame })
            }) {
                world.input(0, Input::Frame(link, frame));
            }
        }
        Said::Bytes(_)
        | Said::Batch(_)
        | Said::Announce(..)
        | Said::Subscribe(..)
        | Said::Cosign(..)
        | Said::Fetch(..)
        | Said::Late(..)
        | Said::Note(..) => {
            if let Some(frame) = frame(said, genuine, own) {
                world.input(0, Input::Frame(link, frame));
            }
        }
    }
    world.input(0, Input::Commit);
    world.input(0, Input::Tick);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 400, ..Default::default() })]

    #[test]
    fn whatever_is_said_nothing_refused_is_kept(talk in prop::collection::vec(said(), 1..24)) {
        let (mut world, genuine) = ground();
        let agreement = world.agreements[0].0;
        let own = world.cities[0].log(0);
        let held = |world: &World| {
            let heads = world.heads(0);
            (heads, world.fold_hash(0, agreement), world.cases(0, agreement).len())
        };
        let before = held(&world);
        for said in &talk {
            say(&mut world, said, &genuine, own);
        }
        prop_assert_eq!(&held(&world), &before);
        // Honest talk goes on from there, once the source is no longer rested for what it said.
        world.open_case(1, agreement, "afterwards", "此后");
        for _ in 0..7 {
            world.settle();
        }
        prop_assert!(world.cases(0, agreement).len() > before.2);
        prop_assert_eq!(world.heads(0), world.heads(1));
        prop_assert_eq!(world.fold_hash(0, agreement), world.fold_hash(1, agreement));
    }
}
