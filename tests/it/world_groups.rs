//! One group of the writer in the world in memory: the order in which it is applied, what a
//! refused write leaves behind, and what becomes of everything when the group is lost.

use std::collections::BTreeSet;

use bytes::Bytes;
use liandong::api::request::{
    Caller, Command, NewPart, PartContent, Repetition, Request, WriteError, Written,
};
use liandong::domain::{CaseContribution, Event};
use liandong::ids::{AgreementId, Position, SubjectId};
use liandong::log::{ActorRole, Audience, ForkProof, Head, SignedCheckpoint};
use liandong::node::core::{Input, Output};
use liandong::sync::Frame;
use liandong::wire;

use super::rogue::{About, Author};
use super::stage::{HERE, Stage, frames, opened, opening};
use super::world::World;

fn answers(outputs: Vec<Output>) -> Vec<(u64, Result<Written, WriteError>)> {
    outputs
        .into_iter()
        .filter_map(|output| {
            let Output::Written(ticket, result) = output else { return None };
            Some((ticket, result))
        })
        .collect()
}

#[test]
fn a_group_is_applied_in_the_order_of_a_replay() {
    let mut stage = Stage::laid(31, 4, &[&[0, 1, 2, 3]]);
    let mut authors: Vec<(usize, Author)> = (1..4).map(|i| (i, stage.world.author(i, 0))).collect();
    // The one that comes between the two others has the highest id: an order by ids would show.
    authors.sort_by_key(|(_, author)| author.log);
    let links: Vec<_> = authors.iter().map(|(i, author)| stage.greet(*i, author)).collect();
    stage.commit();
    let [waits, met, between] = [0, 1, 2].map(|n: usize| &authors[n].1);
    let last = opening(met);
    let mut about = About::case(None);
    about.after = vec![met.head_after(&last.entries)];
    let first = waits.batch(vec![waits.entry(0, &opened(), about, &[])]);
    let second = opening(between);
    for (link, batch) in [(links[0], first), (links[2], second), (links[1], last)] {
        stage.say(link, Frame::Batch(batch));
    }
    let agreement = stage.world.agreements[0].0;
    stage.world.open_case(HERE, agreement, "own", "示例案件");
    stage.commit();
    let heads = stage.world.heads(HERE);
    assert!(authors.iter().all(|(_, a)| (heads[&a.log].0, heads[&a.log].1) == (1, 1)));
    assert_eq!(stage.world.cases(HERE, agreement).len(), 4);
    let lived = stage.view_rows();
    stage.world.crash(HERE);
    stage.world.start(HERE);
    assert_eq!(stage.view_rows(), lived, "cases, histories and the feed");
}

#[test]
fn a_repetition_has_its_first_answer_while_nothing_new_may_be_written() {
    let mut world = World::new(32, 2, &[&[0, 1]]);
    let agreement = world.agreements[0].0;
    let open = |world: &mut World, id: &str, title: &str| {
        let ticket = world.open_case(HERE, agreement, id, title);
        for _ in 0..200 {
            world.step();
        }
        world.answers[&ticket].clone()
    };
    world.crash(HERE);
    world.cities[HERE].disk_low_bytes = 1_000_000;
    world.start(HERE);
    let first = open(&mut world, "one", "示例案件").unwrap();
    let again = Ok(Written { replayed: true, ..first });
    let other_body = Err(WriteError::IdempotencyMismatch { first: first.position });
    let backup = world.backup(HERE);
    open(&mut world, "two", "示例案件").unwrap();
    world.disk(HERE).set_full(true);
    let refused = open(&mut world, "three", "示例案件").unwrap_err();
    assert!(matches!(refused, WriteError::DiskLow { .. }), "{refused:?}");
    assert_eq!(open(&mut world, "one", "示例案件"), again);
    assert_eq!(open(&mut world, "one", "另一件"), other_body);
    // In a restored copy, which may write nothing at all in that log.
    world.restore(HERE, &backup);
    world.start(HERE);
    assert_eq!(open(&mut world, "three", "示例案件"), Err(WriteError::EpochNeeded));
    assert_eq!(open(&mut world, "one", "示例案件"), again);
    assert_eq!(open(&mut world, "one", "另一件"), other_body);
}

/// A note by somebody who has never written before.
fn note(agreement: AgreementId, subject: SubjectId, id: &str, text: &str) -> Box<Request> {
    let content = PartContent::Text(text.to_owned());
    let parts = vec![NewPart { audience: Audience::AllMembers, content }];
    let contribution = CaseContribution::NoteAdded;
    Box::new(Request {
        caller: Caller {
            identity: "inspector/two".to_owned(),
            role: ActorRole::Inspector,
            certificate_number: "37150099002".to_owned(),
        },
        acting_for: Some("37150099003".to_owned()),
        request_id: id.to_owned(),
        body: id.as_bytes().to_vec(),
        validate_only: false,
        command: Command::Contribute { agreement, subject, contribution, parts },
    })
}

/// Every actor that an own entry names was introduced by an entry before it.
fn every_actor_is_introduced(world: &World) {
    let head = world.own_log(HERE, 0);
    let mut introduced = BTreeSet::new();
    for index in 0..head.size {
        let entry = world.reader(HERE).entry(Position { log: head.log, index }).unwrap().entry;
        let parsed = wire::entry::parse_header(&entry.header).unwrap();
        if parsed.event == Event::ActorIntroduced {
            introduced.extend(entry.envelope.actor.map(|who| who.id));
        }
        for who in entry.envelope.actor.iter().chain(&entry.envelope.acting_for) {
            assert!(introduced.contains(&who.id), "entry {index} names a stranger");
        }
    }
}

#[test]
fn a_refused_write_introduces_nobody() {
    let mut stage = Stage::laid(33, 2, &[&[0, 1]]);
    let agreement = stage.world.agreements[0].0;
    stage.world.open_case(HERE, agreement, "one", "示例案件");
    stage.commit();
    let (subject, _) = stage.world.cases(HERE, agreement)[0];
    let before = stage.world.own_log(HERE, 0);
    // Refused when everything but its size is known; alone, and before another one in a group.
    let long = "长".repeat(30_000);
    for ticket in [71, 72] {
        let write = Input::Write(ticket, note(agreement, subject, "long", &long));
        stage.world.ask(HERE, write);
        if ticket == 72 {
            let write = Input::Write(73, note(agreement, subject, "short", "短"));
            stage.world.ask(HERE, write);
        }
        let answered = answers(stage.commit());
        let (first, refused) = &answered[0];
        assert!(
            *first == ticket && matches!(refused, Err(WriteError::TooLarge { .. })),
            "{answered:?}"
        );
        assert_eq!(
            answered.get(1).map(|(_, answer)| answer.is_ok()),
            (ticket == 72).then_some(true)
        );
    }
    // Two people introduced and the note; nothing of what was refused.
    assert_eq!(stage.world.own_log(HERE, 0).size, before.size + 3);
    every_actor_is_introduced(&stage.world);
}

#[test]
fn a_request_without_a_command_has_the_answer_of_the_first_one_also_while_that_waits() {
    let mut stage = Stage::laid(37, 2, &[&[0, 1]]);
    let agreement = stage.world.agreements[0].0;
    stage.world.open_case(HERE, agreement, "one", "示例案件");
    stage.commit();
    let (subject, _) = stage.world.cases(HERE, agreement)[0];
    let before = stage.world.own_log(HERE, 0);
    let first = note(agreement, subject, "note", "说明");
    let again = |ticket, request_id: &str, body: &str| {
        let (request_id, body) = (request_id.to_owned(), body.as_bytes().to_vec());
        let identity = first.caller.identity.clone();
        Input::Repeated(ticket, Box::new(Repetition { identity, request_id, body }))
    };
    let unknown = |ticket| vec![(ticket, Err(WriteError::NotFound))];
    assert_eq!(answers(stage.world.ask(HERE, again(70, "note", "note"))), unknown(70));
    stage.world.ask(HERE, Input::Write(71, first.clone()));
    assert_eq!(answers(stage.world.ask(HERE, again(72, "note", "note"))), []);
    // Of another content nothing is known yet.
    assert_eq!(answers(stage.world.ask(HERE, again(73, "note", "other"))), unknown(73));
    let answered = answers(stage.commit());
    let written = *answered[0].1.as_ref().unwrap();
    let known = Ok(Written { replayed: true, ..written });
    assert_eq!(answered, [(71, Ok(written)), (72, known.clone())]);
    assert_eq!(answers(stage.world.ask(HERE, again(74, "note", "note"))), [(74, known)]);
    let used = Err(WriteError::IdempotencyMismatch { first: written.position });
    assert_eq!(answers(stage.world.ask(HERE, again(75, "note", "other"))), [(75, used)]);
    // Where the first one is refused, nothing is written for the other either.
    let long = note(agreement, subject, "long", &"长".repeat(30_000));
    stage.world.ask(HERE, Input::Write(76, long));
    stage.world.ask(HERE, again(77, "long", "long"));
    assert!(answers(stage.commit()).iter().all(|(_, answer)| answer.is_err()));
    // Two people introduced, and the note once.
    assert_eq!(stage.world.own_log(HERE, 0).size, before.size + 3);
}

#[test]
fn an_entry_named_in_advance_releases_as_in_a_replay() {
    let mut stage = Stage::laid(36, 2, &[&[0, 1]]);
    let agreement = stage.world.agreements[0].0;
    let mut author = stage.world.author(1, 0);
    let link = stage.greet(1, &author);
    // It says that it has seen two entries here, and there are none yet.
    let mut about = About::case(None);
    about.after = vec![Head { size: 2, ..stage.world.own_log(HERE, 0) }];
    let batch = author.batch(vec![author.entry(0, &opened(), about, &[])]);
    stage.store(link, &mut author, &batch);
    assert_eq!(stage.shown(author.log).applied, 0);
    for id in ["one", "two"] {
        stage.world.open_case(HERE, agreement, id, "示例案件");
        stage.commit();
        assert_eq!(stage.shown(author.log).applied, 1, "it goes on with the group that it named");
    }
    let lived = stage.view_rows();
    stage.world.crash(HERE);
    stage.world.start(HERE);
    assert_eq!(stage.view_rows(), lived, "the feed among them");
}

#[test]
fn two_forks_in_one_group_release_as_in_a_replay() {
    let mut stage = Stage::laid(37, 5, &[&[0, 1, 2, 3, 4]]);
    let mut authors: Vec<(usize, Author)> = (1..5).map(|i| (i, stage.world.author(i, 0))).collect();
    authors.sort_by_key(|(_, author)| author.log);
    let links: Vec<_> = authors.iter().map(|(i, author)| stage.greet(*i, author)).collect();
    stage.commit();
    // The first two wait for the others, crosswise: by ids the first goes on first, by proofs the
    // second does.
    for (waits, forks) in [(0, 3), (1, 2)] {
        let mut about = About::case(None);
        about.after = vec![Head { size: 1, ..authors[forks].1.head_after(&[]) }];
        let author = &mut authors[waits].1;
        let batch = author.batch(vec![author.entry(0, &opened(), about, &[])]);
        stage.store(links[waits], author, &batch);
    }
    for forks in [2, 3] {
        stage.say(links[0], fork_of(&authors[forks].1));
    }
    stage.commit();
    let applied = [0, 1].map(|n: usize| stage.shown(authors[n].1.log).applied);
    assert_eq!(applied, [1, 1]);
    let lived = stage.view_rows();
    stage.world.crash(HERE);
    stage.world.start(HERE);
    assert_eq!(stage.view_rows(), lived, "the feed among them");
}

#[test]
fn a_fork_in_the_group_of_a_stretch_releases_as_in_a_replay() {
    let mut stage = Stage::laid(38, 3, &[&[0, 1, 2]]);
    let (mut waits, forks) = (stage.world.author(1, 0), stage.world.author(2, 0));
    let links = [stage.greet(1, &waits), stage.greet(2, &forks)];
    stage.commit();
    // It has seen an entry that has not come, and goes on when that log stands still: behind what
    // came of it in the same group, which lies in the journal behind the proof.
    let mut about = About::case(None);
    about.after = vec![Head { size: 1, ..forks.head_after(&[]) }];
    let batch = waits.batch(vec![waits.entry(0, &opened(), about, &[])]);
    stage.store(links[0], &mut waits, &batch);
    stage.say(links[1], Frame::Batch(opening(&forks)));
    stage.say(links[0], fork_of(&forks));
    stage.commit();
    let applied = [&waits, &forks].map(|author| stage.shown(author.log).applied);
    assert_eq!(applied, [1, 1]);
    let lived = stage.view_rows();
    stage.world.crash(HERE);
    stage.world.start(HERE);
    assert_eq!(stage.view_rows(), lived, "the feed among them");
}

/// The proof of two histories of one entry.
fn fork_of(author: &Author) -> Frame {
    let signed = |root| {
        let root = liandong::ids::Hash::new([root; 32]);
        let head = Head { size: 1, root, ..author.head_after(&[]) };
        SignedCheckpoint::sign(head, &author.key)
    };
    let proof = ForkProof::of(&signed(1), &signed(2)).unwrap();
    Frame::Fork(proof.encode(author.log))
}

/// Entries that do not fit what the journal has reserved.
fn heavy(author: &Author) -> Vec<liandong::sync::RawEntry> {
    let text = Bytes::from(vec![b'x'; 60_000]);
    let entry = |n| author.entry(n, &opened(), About::case(None), std::slice::from_ref(&text));
    (0..5).map(entry).collect()
}

#[test]
fn a_lost_group_is_asked_for_again_and_everybody_hears() {
    let mut stage = Stage::laid(34, 3, &[&[0, 1, 2]]);
    let (mut author, third) = (stage.world.author(1, 0), stage.world.author(2, 0));
    let link = stage.greet(1, &author);
    // The third city is linked and has not shown its log yet.
    let silent = stage.link(2);
    let mut hello = third.hello();
    hello.agreements[0].manifests.clear();
    hello.agreements[0].logs.clear();
    stage.say(silent, Frame::Hello(hello));
    stage.commit();
    let agreement = stage.world.agreements[0].0;
    stage.world.disk(HERE).set_full(true);
    let batch = author.batch(heavy(&author));
    stage.say(link, Frame::Batch(batch.clone()));
    let ticket = stage.world.open_case(HERE, agreement, "own", "示例案件");
    let notes = vec![stage.world.card(1, 2, &["elsewhere"]), third.manifest.clone()];
    stage.world.ask(HERE, Input::Notes(77, notes));
    let outputs = stage.commit();
    let done = |outputs: &[Output]| {
        outputs.iter().find_map(|output| {
            let Output::NotesDone(77, results) = output else { return None };
            Some(results.clone())
        })
    };
    let follows = |outputs: &[Output], link, log| {
        let subscribed = |f: &&Frame| matches!(f, Frame::Subscribe { log: l, .. } if *l == log);
        frames(outputs, link).iter().any(subscribed)
    };
    assert_eq!(done(&outputs), None, "nothing is said of notes that are not on disk");
    assert!(!follows(&outputs, silent, third.log));
    let answered = answers(outputs);
    assert!(
        matches!(answered[..], [(t, Err(WriteError::DiskLow { .. }))] if t == ticket),
        "{answered:?}"
    );
    assert_eq!(stage.size(author.log), Some(0));
    assert_eq!(stage.world.own_log(HERE, 0).size, 0);
    stage.world.disk(HERE).set_full(false);
    // What is relied on in memory is written with the next group; then it is said.
    let outputs = stage.commit();
    let results = done(&outputs).expect("whoever handed in notes hears of them");
    assert!(results.len() == 2 && results.iter().all(Result::is_ok), "{results:?}");
    assert!(follows(&outputs, silent, third.log), "what rested on the notes goes out as well");
    // The stretch is asked for again after a while, and is welcome.
    assert!(!follows(&stage.tick(250), link, author.log));
    assert!(follows(&stage.tick(5_000), link, author.log));
    stage.store(link, &mut author, &batch);
    // The write as well, when its caller repeats it.
    let ticket = stage.world.open_case(HERE, agreement, "own", "示例案件");
    let answered = answers(stage.commit());
    assert!(matches!(&answered[..], [(t, Ok(w))] if *t == ticket && !w.replayed), "{answered:?}");
    let lived = stage.view_rows();
    stage.world.crash(HERE);
    stage.world.start(HERE);
    assert_eq!(stage.view_rows(), lived);
    assert_eq!(stage.size(third.log), Some(0), "its manifest was kept");
}

#[test]
fn notes_that_are_not_kept_are_refused_in_words() {
    let mut stage = Stage::laid(35, 2, &[&[0, 1]]);
    stage.world.disk(HERE).set_fail_syncs(true);
    let notes = vec![stage.world.card(1, 2, &["elsewhere"]), Bytes::from_static(b"no note")];
    stage.world.ask(HERE, Input::Notes(78, notes));
    let outputs = stage.commit();
    let done = outputs.iter().find_map(|output| {
        let Output::NotesDone(78, results) = output else { return None };
        Some(results)
    });
    let results = done.expect("whoever handed in notes hears of them");
    assert!(results.len() == 2 && results.iter().all(Result::is_err), "{results:?}");
    assert!(outputs.iter().all(|output| !matches!(output, Output::Send(..))), "{outputs:?}");
    // They wait for a disk that will not come back; whoever writes meanwhile hears of it.
    let agreement = stage.world.agreements[0].0;
    let ticket = stage.world.open_case(HERE, agreement, "own", "示例案件");
    let outputs = stage.commit();
    let answer = outputs.iter().find_map(|output| {
        let Output::Written(for_ticket, answer) = output else { return None };
        (*for_ticket == ticket).then_some(answer)
    });
    assert!(matches!(answer, Some(Err(WriteError::StorageFailed { .. }))), "{answer:?}");
}
