//! What a real core takes from members, in the world in memory: manifests, cosignatures, and parts
//! that are said to be erased.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use liandong::api::request::Command;
use liandong::domain::{CaseContribution, CaseMove, CaseStep, ErasureReason, Event};
use liandong::ids::{LogId, Position};
use liandong::limits::{CITY_LOGS_MAX, HELLO_BYTES_MAX, PEER_MESSAGE_BYTES_MAX};
use liandong::log::checkpoint::{self, SignedCheckpoint};
use liandong::log::manifest::SignedManifest;
use liandong::log::{Audience, ForkProof, Head, PartSlot, subject_id};
use liandong::node::core::{Input, Output};
use liandong::sync::{Cosign, Frame, LinkId, RawBatch};
use liandong::view;
use liandong::wire::peer::frame_to_pb;
use prost::Message;

use super::rogue::{About, Author};
use super::stage::{HERE, Stage, asked, cosigned, frames, opened, opening};
use super::world::today;
use super::world_damage::{batches, damage};

const TEXT: &[u8] = b"a part for all members";

#[test]
fn a_manifest_is_taken_in_its_own_frame_and_from_members_only() {
    let mut stage = Stage::laid(41, 3, &[&[0, 1, 2], &[0, 1]]);
    let (member, stranger) = (stage.world.author(1, 0), stage.world.author(2, 0));
    let (link, outside) = (stage.greet(1, &member), stage.greet(2, &stranger));
    stage.commit();
    let next = stage.world.author_of(1, 0, 2, 200);
    for wrong in [Frame::Card(next.manifest.clone()), Frame::Charter(next.manifest.clone())] {
        stage.say(link, wrong);
        assert_eq!(stage.size(next.log), None);
    }
    stage.say(link, Frame::Manifest(next.manifest.clone()));
    assert_eq!(stage.size(next.log), Some(0));
    // Genuine, and of an agreement that whoever shows it has not signed: nothing is said either.
    let bilateral = stage.world.author(1, 1);
    let said = stage.say(outside, Frame::Manifest(bilateral.manifest.clone()));
    assert!(said.is_empty() && stage.size(bilateral.log).is_none(), "{said:?}");
    let said = stage.say(link, Frame::Manifest(bilateral.manifest.clone()));
    assert_eq!(stage.size(bilateral.log), Some(0));
    assert!(frames(&said, outside).is_empty(), "{said:?}");
    stage.commit();
}

#[test]
fn a_city_has_so_many_logs_and_no_more() {
    let mut stage = Stage::laid(42, 2, &[&[0, 1]]);
    let first = stage.world.author(1, 0);
    let link = stage.greet(1, &first);
    let mut log = |epoch: usize| stage.world.author_of(1, 0, epoch as u64, 100);
    let logs: Vec<Author> = (2..CITY_LOGS_MAX + 2).map(&mut log).collect();
    let (last, taken) = logs.split_last().unwrap();
    for author in taken {
        stage.say(link, Frame::Manifest(author.manifest.clone()));
        assert_eq!(stage.size(author.log), Some(0));
    }
    let said = stage.say(link, Frame::Manifest(last.manifest.clone()));
    assert_eq!(stage.size(last.log), None, "{said:?}");
    assert!(matches!(frames(&said, link)[..], [Frame::Refuse { .. }]), "{said:?}");
    // One that is here already may be shown again, also after a start.
    assert!(stage.say(link, Frame::Manifest(taken[9].manifest.clone())).is_empty());
    stage.commit();
    stage.world.crash(HERE);
    stage.world.start(HERE);
    assert!(taken.iter().all(|author| stage.size(author.log) == Some(0)));
}

pub fn cosignature(witness: &Author, head: Head) -> Frame {
    let line = checkpoint::cosign(head, witness.log, &witness.cosign_key, 77);
    let line = Bytes::from(line.as_str().to_owned());
    let Head { log, size, root } = head;
    Frame::Cosign(Cosign { log, size, root, witness: witness.log, line })
}

#[test]
fn a_cosignature_beyond_what_was_announced_is_not_kept() {
    let mut stage = Stage::laid(43, 3, &[&[0, 1, 2]]);
    let (witness, mut author) = (stage.world.author(1, 0), stage.world.author(2, 0));
    let (link, origin) = (stage.greet(1, &witness), stage.greet(2, &author));
    let first = opening(&author);
    stage.store(origin, &mut author, &first);
    let held = |stage: &mut Stage, log| -> Vec<u64> {
        let shown = stage.shown(log).cosignatures.into_iter();
        let city = stage.world.cities[1].code;
        shown.filter(|c| c.city == city).map(|c| c.size).collect()
    };
    let next = author.head_after(&[author.introduction(0)]);
    stage.say(link, cosignature(&witness, next));
    assert_eq!(held(&mut stage, author.log), [0; 0], "its city has shown one entry, not two");
    let now = author.head_after(&[]);
    stage.say(link, cosignature(&witness, now));
    assert_eq!(held(&mut stage, author.log), [1]);
    let announced = SignedCheckpoint::sign(next, &author.key).note().clone();
    stage.say(origin, Frame::Announce { log: author.log, checkpoint: announced });
    stage.say(link, cosignature(&witness, next));
    assert_eq!(held(&mut stage, author.log), [2]);
    // Of a log written here nobody can hold more than is on disk.
    let agreement = stage.world.agreements[0].0;
    stage.world.open_case(HERE, agreement, "one", "示例案件");
    stage.commit();
    let own = stage.world.own_log(HERE, 0);
    stage.say(link, cosignature(&witness, Head { size: own.size + 1, ..own }));
    assert_eq!(held(&mut stage, own.log), [0; 0]);
    stage.say(link, cosignature(&witness, own));
    assert_eq!(held(&mut stage, own.log), [own.size]);
}

/// A batch with one part, which a relay says was erased by a later entry.
fn said_to_be_erased(author: &Author, audience: Audience) -> (RawBatch, Position) {
    let parts = [(audience, Bytes::from_static(TEXT))];
    let entry = author.entry_for(0, &opened(), About::case(None), &parts);
    let mut batch = author.batch(vec![entry]);
    let (log, index) = (author.log, author.frontier.size());
    let by = Position { log, index: index + 1 };
    batch.entries[0].parts[0] = PartSlot::ErasedBy(by);
    (batch, Position { log, index })
}

/// A member whose first entry has a part that is owed, and its link.
fn owing(seed: u64) -> (Stage, Author, LinkId, Position) {
    let mut stage = Stage::laid(seed, 3, &[&[0, 1, 2]]);
    let mut author = stage.world.author(1, 0);
    let link = stage.greet(1, &author);
    let (batch, at) = said_to_be_erased(&author, Audience::AllMembers);
    let outputs = stage.store(link, &mut author, &batch);
    assert_eq!(cosigned(&outputs, link, author.log), [0; 0], "a part is owed");
    assert_eq!(asked(&outputs, link), [(at, 0)], "asked for at once: the entry may never come");
    (stage, author, link, at)
}

fn late(at: Position) -> Frame {
    Frame::LateParts { entry: at, parts: vec![(0, Bytes::from_static(TEXT))] }
}

#[test]
fn only_what_is_on_disk_is_cosigned() {
    let (mut stage, author, link, at) = owing(44);
    assert_eq!(stage.say(link, late(at)).len(), 0);
    // It came, and is not synced yet.
    assert_eq!(cosigned(&stage.tick(250), link, author.log), [0; 0]);
    stage.commit();
    assert_eq!(cosigned(&stage.tick(250), link, author.log), [1]);
    // And after a start: the cosignature was for good.
    stage.commit();
    stage.world.crash(HERE);
    stage.world.start(HERE);
    assert_eq!(stage.shown(author.log).cosignatures.len(), 1);
}

fn erasing(author: &Author, entry: Position) -> RawBatch {
    let id = Some(liandong::log::subject_id(Position { log: author.log, index: 0 }));
    let event = Event::PartErased { entry, part: 0, reason: ErasureReason::Law };
    author.batch(vec![author.entry(0, &event, About::case(id), &[])])
}

#[test]
fn a_part_is_owed_until_the_entry_that_erases_it_is_here() {
    // The entry that was named comes and erases it: nothing is owed, nobody is asked any more.
    let (mut stage, mut author, link, at) = owing(45);
    let batch = erasing(&author, at);
    let outputs = stage.store(link, &mut author, &batch);
    assert_eq!(asked(&outputs, link), []);
    let said = [outputs, stage.tick(5_000)].into_iter().flatten().collect::<Vec<Output>>();
    assert_eq!((asked(&said, link), cosigned(&said, link, author.log)), (vec![], vec![2]));

    // The entry that was named erases another part: this one is still to be fetched.
    let (mut stage, mut author, link, at) = owing(46);
    let other = Position { index: at.index + 9, ..at };
    let batch = erasing(&author, other);
    let outputs = stage.store(link, &mut author, &batch);
    assert_eq!(cosigned(&outputs, link, author.log), [0; 0]);
    let outputs = stage.tick(5_000);
    assert_eq!(
        (asked(&outputs, link), cosigned(&outputs, link, author.log)),
        (vec![(at, 0)], vec![])
    );
    // Over a start as well; then it comes.
    stage.world.crash(HERE);
    stage.world.start(HERE);
    let link = stage.greet(1, &author);
    assert_eq!(cosigned(&stage.tick(250), link, author.log), [0; 0]);
    stage.say(link, late(at));
    stage.commit();
    assert_eq!(cosigned(&stage.tick(250), link, author.log), [2]);
}

/// The first batch of an author is damaged here, and given again, in the same or a shorter one.
fn given_again(stage: &mut Stage, link: LinkId, batch: &RawBatch) {
    let at = Position { log: batch.log, index: batch.from };
    let (_, record) = batches(stage.world.disk(HERE), batch.log)[0];
    damage(&stage.world, HERE, record);
    assert!(!stage.world.holds(HERE, at));
    let asks = |frame: &&Frame| matches!(frame, Frame::Subscribe { from: 0, .. });
    assert_eq!(frames(&stage.tick(250), link).into_iter().filter(asks).count(), 1);
    stage.say(link, Frame::Batch(batch.clone()));
    stage.commit();
    assert!(stage.world.holds(HERE, at));
}

#[test]
fn what_came_late_or_was_erased_is_not_owed_again_when_its_batch_is_mended() {
    for erases in [false, true] {
        let (mut stage, mut author, link, at) = owing(53);
        let mut anew = stage.world.author(1, 0);
        let (first, _) = said_to_be_erased(&anew, Audience::AllMembers);
        anew.wrote(&first);
        if erases {
            let batch = erasing(&author, at);
            stage.store(link, &mut author, &batch);
        } else {
            stage.say(link, late(at));
            stage.commit();
        }
        let before = cosigned(&stage.tick(250), link, author.log).len();
        assert_eq!(before, usize::from(!erases), "cosigned, at once or a little later");
        given_again(&mut stage, link, &first);
        let next = opening(&author);
        let outputs = stage.store(link, &mut author, &next);
        let size = author.frontier.size();
        assert_eq!(cosigned(&outputs, link, author.log), [size], "nothing is owed");
        assert_eq!(asked(&outputs, link), []);
    }
}

#[test]
fn the_rest_of_a_damaged_batch_is_asked_for_over_a_start() {
    let mut stage = Stage::laid(54, 2, &[&[0, 1]]);
    stage.world.cities[HERE].keeps_rows = true;
    let mut author = stage.world.author(1, 0);
    let link = stage.greet(1, &author);
    let entries = [0, 1, 2].map(|n| author.entry(n, &opened(), About::case(None), &[]));
    let short = author.batch(entries[..1].to_vec());
    let joined = author.batch(entries.to_vec());
    stage.store(link, &mut author, &joined);
    given_again(&mut stage, link, &short);
    stage.world.crash(HERE);
    stage.world.start(HERE);
    let link = stage.greet(1, &author);
    let rest = Position { log: author.log, index: 1 };
    assert!(!stage.world.holds(HERE, rest), "it is damaged");
    let asks = |frame: &&Frame| matches!(frame, Frame::Subscribe { from: 1, .. });
    let told = stage.tick(6_000);
    assert_eq!(frames(&told, link).into_iter().filter(asks).count(), 1, "{told:?}");
    let rest_of_it = RawBatch { from: 1, entries: entries[1..].to_vec(), ..joined };
    stage.say(link, Frame::Batch(rest_of_it));
    stage.commit();
    assert!(stage.world.holds(HERE, rest));
}

/// The same batch as an honest source would give it, and what a lying relay makes of it.
fn narrow(stage: &Stage, author: &Author, to: usize) -> (RawBatch, Position) {
    said_to_be_erased(author, Audience::Cities(vec![stage.world.cities[to].code]))
}

#[test]
fn a_narrow_part_that_a_relay_calls_erased_still_comes_from_an_honest_city() {
    let mut stage = Stage::laid(47, 3, &[&[0, 1, 2]]);
    let (mut author, relay) = (stage.world.author(1, 0), stage.world.author(2, 0));
    let liar = stage.greet(2, &relay);
    stage.say(liar, Frame::Manifest(author.manifest.clone()));
    // One part is for this city, one for the relay itself.
    for (index, to) in [(0, HERE), (1, 2)] {
        let (batch, at) = narrow(&stage, &author, to);
        let outputs = stage.store(liar, &mut author, &batch);
        assert_eq!(at.index, index);
        // What is for all members lies here: that is what a cosignature says.
        assert_eq!(cosigned(&outputs, liar, author.log), [index + 1]);
    }
    let log = author.log;
    let at = |index| Position { log, index };
    let link = stage.greet(1, &author);
    let outputs = stage.tick(5_000);
    assert_eq!(asked(&outputs, link), [(at(0), 0)], "only what this city may hold");
    stage.say(link, late(at(0)));
    stage.commit();
    let read = |stage: &Stage, index| {
        let entry = stage.world.reader(HERE).entry(at(index)).unwrap().entry;
        entry.parts[0].clone()
    };
    assert_eq!(read(&stage, 0), PartSlot::Bytes(Bytes::from_static(TEXT)));
    assert_eq!(asked(&stage.tick(60), link), []);
    // Later its author lets this city have the other one as well.
    let here = stage.world.cities[HERE].code;
    let granted = CaseContribution::PartGranted { entry: at(1), part: 0, to: here };
    let subject = Some(liandong::log::subject_id(at(1)));
    let about = About::case(subject);
    let batch = author.batch(vec![author.entry(0, &Event::Contribution(granted), about, &[])]);
    let outputs = stage.store(link, &mut author, &batch);
    assert_eq!(asked(&outputs, link), [(at(1), 0)]);
    stage.say(link, late(at(1)));
    stage.commit();
    assert_eq!(read(&stage, 1), PartSlot::Bytes(Bytes::from_static(TEXT)));
    let lived = stage.view_rows();
    stage.world.crash(HERE);
    stage.world.start(HERE);
    assert_eq!(
        (stage.view_rows(), read(&stage, 1)),
        (lived, PartSlot::Bytes(Bytes::from_static(TEXT)))
    );
    let link = stage.greet(1, &author);
    assert_eq!(asked(&stage.tick(250), link), []);
}

#[test]
fn every_missing_part_has_its_turn_however_many_one_member_withholds() {
    let mut stage = Stage::laid(48, 3, &[&[0, 1, 2]]);
    let mut authors: Vec<(usize, Author)> = [1, 2].map(|i| (i, stage.world.author(i, 0))).into();
    authors.sort_by_key(|(_, author)| author.log);
    let links: Vec<_> = authors.iter().map(|(i, author)| stage.greet(*i, author)).collect();
    // The log that comes first by its id has more missing parts than are looked at in one go.
    let audience = Audience::Cities(vec![stage.world.cities[HERE].code]);
    let parts = vec![(audience, Bytes::from_static(TEXT)); 8];
    for (nth, entries) in [(0, 150), (1, 1)] {
        let author = &mut authors[nth].1;
        let entry = |ahead| author.entry_for(ahead, &opened(), About::case(None), &parts);
        let mut batch = author.batch((0..entries).map(entry).collect());
        let slots = batch.entries.iter_mut().flat_map(|entry| entry.parts.iter_mut());
        slots.for_each(|slot| *slot = PartSlot::Withheld);
        stage.store(links[nth], author, &batch);
    }
    let (mut of_flood, mut of_other) = (BTreeMap::new(), BTreeMap::new());
    let mut count = |outputs: &[Output], most: usize| {
        let mut now = 0;
        for (link, times) in [(links[0], &mut of_flood), (links[1], &mut of_other)] {
            for part in asked(outputs, link) {
                *times.entry(part).or_insert(0) += 1;
                now += 1;
            }
        }
        assert!(now <= most, "{now} parts asked for in one go");
    };
    let seconds = 25;
    for _ in 0..seconds * 4 {
        count(&stage.tick(250), 64);
    }
    assert_eq!((of_flood.len(), of_other.len()), (1_200, 8));
    let all: usize = of_flood.values().chain(of_other.values()).sum();
    assert!(all <= 64 * (seconds + 1), "{all} looks at the disk in {seconds} s");
    // With growing pauses, as ever.
    let most = of_flood.values().chain(of_other.values()).max();
    assert!(most <= Some(&4), "{most:?}");
}

#[test]
fn a_greeting_fits_and_the_rest_follows() {
    // Eight agreements, in each of which the other city has begun as many logs as it may.
    let agreements = vec![[0, 1].as_slice(); 8];
    let mut stage = Stage::laid(49, 2, &agreements);
    let mut written = BTreeSet::new();
    let link = stage.link(1);
    let first = stage.world.author(1, 0);
    stage.say(link, Frame::Hello(first.hello()));
    for k in 0..8 {
        for epoch in 2..=CITY_LOGS_MAX as u64 {
            let log = stage.world.author_of(1, k, epoch, k as u8);
            stage.say(link, Frame::Manifest(log.manifest.clone()));
            written.insert(log.log);
        }
    }
    let own: Vec<LogId> = (0..8).map(|k| stage.world.cities[HERE].log(k)).collect();
    stage.commit();
    // Somebody who knows nothing of all that: it comes in a greeting of bounded size, and behind it.
    let down = Input::LinkDown { link, reason: "gone".to_owned() };
    stage.world.ask(HERE, down);
    let mut outputs = stage.world.ask(
        HERE,
        Input::LinkUp {
            link: 7,
            city: stage.world.cities[1].code,
            by_us: true,
            address: String::new(),
        },
    );
    let mut hello = first.hello();
    (hello.agreements[0].manifests, hello.agreements[0].logs) = (Vec::new(), Vec::new());
    outputs.extend(stage.say(7, Frame::Hello(hello)));
    let (mut shown, mut cards, mut greeted) = (BTreeSet::new(), BTreeSet::new(), 0);
    for frame in frames(&outputs, 7) {
        assert!(frame_to_pb(frame).encoded_len() <= PEER_MESSAGE_BYTES_MAX);
        if let Frame::Hello(hello) = frame {
            assert!(frame_to_pb(frame).encoded_len() < HELLO_BYTES_MAX);
            assert_eq!(hello.agreements.len(), 8);
            // All of the other side's own logs are named: what is not would count as not held.
            let states: BTreeSet<LogId> =
                hello.agreements.iter().flat_map(|a| a.logs.iter().map(|l| l.log)).collect();
            assert!(states.is_superset(&written));
            let notes = hello.agreements.iter().flat_map(|a| a.manifests.iter());
            shown.extend(notes.map(|note| SignedManifest::peek(note).unwrap().log_id()));
            greeted = shown.len();
            cards.extend(hello.cards.iter().cloned());
        } else if let Frame::Manifest(note) = frame {
            shown.insert(SignedManifest::peek(note).unwrap().log_id());
        } else if let Frame::Card(note) = frame {
            cards.insert(note.clone());
        }
    }
    assert!(shown.is_superset(&written) && own.iter().all(|log| shown.contains(log)));
    assert!(greeted > 50 && greeted < written.len(), "{greeted} manifests in the greeting");
    assert_eq!(cards.len(), 2, "cards as well");
}

/// A note with lines below it that nobody asked for.
fn padded(note: &Bytes) -> Bytes {
    let mut padded = note.to_vec();
    for n in 0..7 {
        let line = format!("— somebody/{n} {}\n", "AAAA".repeat(2_000));
        padded.extend_from_slice(line.as_bytes());
    }
    padded.into()
}

#[test]
fn nobody_can_make_notes_grow() {
    let mut stage = Stage::laid(50, 3, &[&[0, 1, 2]]);
    let (mut author, third) = (stage.world.author(1, 0), stage.world.author(2, 0));
    let other = stage.greet(2, &third);
    let link = stage.link(1);
    let mut hello = author.hello();
    hello.agreements[0].manifests = vec![padded(&author.manifest)];
    let passed_on = stage.say(link, Frame::Hello(hello));
    let manifest = Frame::Manifest(author.manifest.clone());
    assert!(frames(&passed_on, other).contains(&&manifest), "{passed_on:?}");
    let card = stage.world.card(1, 2, &["elsewhere"]);
    let passed_on = stage.say(link, Frame::Card(padded(&card)));
    assert!(frames(&passed_on, other).contains(&&Frame::Card(card)), "{passed_on:?}");
    let genuine = opening(&author);
    let batch = RawBatch { checkpoint: padded(&genuine.checkpoint), ..genuine.clone() };
    stage.store(link, &mut author, &batch);
    let shown = stage.shown(author.log);
    assert_eq!((shown.manifest, shown.checkpoint), (author.manifest.clone(), genuine.checkpoint));
    // A proof that the log was forked is kept for ever, and not with what was put below it.
    let signed = |root| {
        let head = Head { root: liandong::ids::Hash::new([root; 32]), ..author.head_after(&[]) };
        SignedCheckpoint::sign(head, &author.key)
    };
    let proof = ForkProof::of(&signed(1), &signed(2)).unwrap();
    let ForkProof { lower, higher, .. } = &proof;
    let fat = ForkProof { lower: padded(lower), higher: padded(higher), path: Vec::new() };
    stage.say(other, Frame::Fork(fat.encode(author.log)));
    assert_eq!(stage.shown(author.log).fork, Some(proof.clone()));
    stage.commit();
    let journal: usize = stage
        .world
        .disk(HERE)
        .contents()
        .iter()
        .map(|(_, bytes)| bytes.windows(8).filter(|w| *w == b"AAAAAAAA").count())
        .sum();
    assert_eq!(journal, 0, "not in the journal either");
    stage.world.crash(HERE);
    stage.world.start(HERE);
    assert_eq!(stage.shown(author.log).fork, Some(proof));
}

#[test]
fn a_complete_case_is_confirmed_whatever_waits_before_it() {
    let mut stage = Stage::laid(51, 2, &[&[0, 1]]);
    let mut author = stage.world.author(1, 0);
    let link = stage.greet(1, &author);
    // More accepted cases than are looked at in one go wait for what only the other city has.
    let count = 70;
    let parts = [(Audience::HandlingCity, Bytes::from_static(TEXT))];
    let here = stage.world.cities[HERE].code;
    let log = author.log;
    let at = |index| Position { log, index };
    let offer = Event::CaseMove(CaseMove::TransferOffered { to: here, effective_on: today() });
    let opened = (0..count).map(|n| author.entry_for(n, &opened(), About::case(None), &parts));
    let begin = CaseMove::Stepped { step: CaseStep::VerificationStarted, effective_on: today() };
    let moves = [Event::CaseMove(begin), offer];
    let moved = (1..).zip(&moves).flat_map(|(nth, event)| {
        let author = &author;
        (0..count).map(move |n| {
            let about = About::case(Some(subject_id(at(n))));
            let about = About { prev: Some(at((nth - 1) * count + n)), ..about };
            author.entry_for(nth * count + n, event, about, &[])
        })
    });
    let mut batch = author.batch(opened.chain(moved).collect());
    let slots = batch.entries.iter_mut().flat_map(|entry| entry.parts.iter_mut());
    slots.for_each(|slot| *slot = PartSlot::Withheld);
    stage.store(link, &mut author, &batch);
    let agreement = author.agreement;
    for n in 0..count {
        let accept = Command::MoveCase {
            agreement,
            subject: subject_id(at(n)),
            etag: at(2 * count + n),
            mv: CaseMove::TransferAccepted { effective_on: today() },
            parts: Vec::new(),
        };
        stage.world.write(HERE, &format!("accept {n}"), accept);
    }
    stage.commit();
    // The one that is looked at last has everything.
    let last = (0..count).max_by_key(|n| subject_id(at(*n))).unwrap();
    let late = vec![(0, Bytes::from_static(TEXT))];
    stage.say(link, Frame::LateParts { entry: at(last), parts: late });
    stage.commit();
    let received = |stage: &Stage, n| {
        let rows = stage.world.reader(HERE).view();
        let case = view::case(&rows, agreement, subject_id(at(n))).unwrap();
        assert_eq!(case.case.handling, here);
        case.parts_received_by.contains(&here)
    };
    for _ in 0..60 {
        stage.tick(250);
        stage.commit();
    }
    assert!(received(&stage, last));
    assert!((0..count).filter(|n| *n != last).all(|n| !received(&stage, n)));
}
