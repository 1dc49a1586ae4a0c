//! Batches behind a damaged one: passed over when everything is read anew, until what lies before
//! them has come again.

use bytes::Bytes;
use liandong::ids::Position;
use liandong::log::checkpoint::SignedCheckpoint;
use liandong::log::{Audience, PartSlot};
use liandong::node::core::Input;
use liandong::sync::{Frame, LinkId, RawBatch};

use super::rogue::{About, Author};
use super::stage::{HERE, Stage, frames, opened, opening};
use super::world_damage::{batches, damage};

const TEXT: &[u8] = b"text";

/// The first batch of a city's log is damaged here, and everything is read anew: what follows it
/// is passed over.
fn passed_over(stage: &mut Stage, author: &Author) -> LinkId {
    damage(&stage.world, HERE, batches(stage.world.disk(HERE), author.log)[0].1);
    stage.world.cities[HERE].keeps_rows = false;
    stage.world.stop_and_start(HERE);
    assert_eq!(stage.size(author.log), Some(0), "nothing before it is here");
    stage.world.cities[HERE].keeps_rows = true;
    stage.greet(1, author)
}

/// An author that has written nothing yet, and the batches of three cases: one, then two.
fn one_and_two(stage: &mut Stage) -> (Author, [RawBatch; 2]) {
    let mut author = stage.world.author(1, 0);
    let link = stage.greet(1, &author);
    let first = opening(&author);
    stage.store(link, &mut author, &first);
    let entries = [0, 1].map(|n| author.entry(n, &opened(), About::case(None), &[]));
    let second = author.batch(entries.to_vec());
    stage.store(link, &mut author, &second);
    (author, [first, second])
}

/// Two batches of a city are here, the second without a part that this city may hold; and both in
/// one, with it.
fn first_and_withheld(stage: &mut Stage, city: usize) -> (Author, RawBatch) {
    let mut author = stage.world.author(city, 0);
    let link = stage.greet(city, &author);
    let first = opening(&author);
    stage.store(link, &mut author, &first);
    let audience = Audience::Cities(vec![stage.world.cities[HERE].code]);
    let parts = [(audience, Bytes::from_static(TEXT))];
    let with_it = author.batch(vec![author.entry_for(0, &opened(), About::case(None), &parts)]);
    let mut without = with_it.clone();
    without.entries[0].parts[0] = PartSlot::Withheld;
    stage.store(link, &mut author, &without);
    let entries = [first.entries, with_it.entries].concat();
    (author, RawBatch { entries, from: 0, ..without })
}

/// What stands in the place of that part.
fn part_of(stage: &Stage, author: &Author) -> PartSlot {
    let at = Position { log: author.log, index: 1 };
    stage.world.reader(HERE).entry(at).unwrap().entry.parts[0].clone()
}

#[test]
fn what_was_fetched_again_is_not_read_from_where_it_was_passed_over() {
    let mut stage = Stage::laid(81, 2, &[&[0, 1]]);
    let (author, joined) = first_and_withheld(&mut stage, 1);
    let link = passed_over(&mut stage, &author);
    // It comes again in one piece, now with the part.
    stage.say(link, Frame::Batch(joined));
    stage.commit();
    for keeps_rows in [true, true, false, false] {
        assert_eq!(part_of(&stage, &author), PartSlot::Bytes(Bytes::from_static(TEXT)));
        stage.world.cities[HERE].keeps_rows = keeps_rows;
        stage.world.stop_and_start(HERE);
    }
}

/// While another log still waits, every start begins with what was passed over.
#[test]
fn what_was_fetched_again_is_read_there_while_another_log_waits() {
    let mut stage = Stage::laid(85, 3, &[&[0, 1, 2]]);
    let (waiting, _) = one_and_two(&mut stage);
    let (author, joined) = first_and_withheld(&mut stage, 2);
    damage(&stage.world, HERE, batches(stage.world.disk(HERE), author.log)[0].1);
    passed_over(&mut stage, &waiting);
    let link = stage.greet(2, &author);
    stage.say(link, Frame::Batch(joined));
    stage.commit();
    for _ in 0..3 {
        assert_eq!(part_of(&stage, &author), PartSlot::Bytes(Bytes::from_static(TEXT)));
        assert_eq!(stage.size(waiting.log), Some(0), "that one is still damaged");
        stage.world.stop_and_start(HERE);
    }
}

#[test]
fn the_rest_of_what_was_passed_over_comes_back_at_the_next_start() {
    for keeps_rows in [true, false] {
        let mut stage = Stage::laid(82, 2, &[&[0, 1]]);
        let (author, [first, second]) = one_and_two(&mut stage);
        let link = passed_over(&mut stage, &author);
        // Whoever gives it back holds less: the last entry lies here only.
        let entries = [first.entries, second.entries[..1].to_vec()].concat();
        let shorter = stage.world.author(1, 0).batch(entries);
        stage.say(link, Frame::Batch(shorter));
        stage.commit();
        assert_eq!(stage.size(author.log), Some(2));
        stage.world.cities[HERE].keeps_rows = keeps_rows;
        for _ in 0..2 {
            stage.world.stop_and_start(HERE);
            assert_eq!(stage.size(author.log), Some(3), "keeps rows: {keeps_rows}");
            for index in 0..3 {
                assert!(stage.world.holds(HERE, Position { log: author.log, index }), "{index}");
            }
        }
    }
}

/// It may have come back from an older copy and hold less than this node, which has lost what lies
/// below: it would write those entries a second time.
#[test]
fn an_author_is_shown_what_was_passed_over_of_its_log() {
    let mut stage = Stage::laid(86, 3, &[&[0, 1, 2]]);
    let (author, _) = one_and_two(&mut stage);
    passed_over(&mut stage, &author);
    let shown = |stage: &mut Stage, i: usize| {
        let (link, city) = (200 + i as LinkId, stage.world.cities[i].code);
        let up = Input::LinkUp { link, city, by_us: true, address: String::new() };
        let outputs = stage.world.ask(HERE, up);
        let hello = frames(&outputs, link).into_iter().find_map(|frame| {
            let Frame::Hello(hello) = frame else { return None };
            Some(hello.clone())
        });
        let mut logs = hello.unwrap().agreements.into_iter().flat_map(|a| a.logs);
        let note = logs.find(|l| l.log == author.log).and_then(|l| l.checkpoint)?;
        let signed = SignedCheckpoint::verify(&note, author.log, &author.key.verifying_key());
        Some(signed.unwrap().head().size)
    };
    stage.world.ask(HERE, Input::LinkDown { link: 101, reason: "away".to_owned() });
    assert_eq!(shown(&mut stage, 1), Some(3), "what lies below has rotted here");
    assert_eq!(shown(&mut stage, 2), None, "a third city cannot have it from here");
}

#[test]
fn what_was_passed_over_follows_only_what_it_was_signed_with() {
    let mut stage = Stage::laid(83, 2, &[&[0, 1]]);
    let (author, _) = one_and_two(&mut stage);
    let link = passed_over(&mut stage, &author);
    // Its author has a second history of the same length.
    let twin = stage.world.author(1, 0);
    let other = Bytes::from_static(b"another");
    let entries =
        [0, 1].map(|n| twin.entry(n, &opened(), About::case(None), std::slice::from_ref(&other)));
    stage.say(link, Frame::Batch(twin.batch(entries.to_vec())));
    stage.commit();
    for _ in 0..2 {
        assert_eq!(stage.size(author.log), Some(2), "one history, and not parts of two");
        stage.world.stop_and_start(HERE);
    }
}

/// What a disk holds of a second history is looked at whether the log has come again as long, or
/// shorter, and then either at once or when it has grown.
#[test]
fn what_was_passed_over_proves_two_histories() {
    // How many entries the two have in common, and how many come again at first.
    for (common, first) in [(0, 3), (1, 3), (1, 4), (1, 2), (0, 2)] {
        let mut stage = Stage::laid(86, 2, &[&[0, 1]]);
        let (author, _) = one_and_two(&mut stage);
        let link = passed_over(&mut stage, &author);
        let mut twin = stage.world.author(1, 0);
        let entry = |author: &Author, n: u64, common: u64| {
            let text = if n < common { vec![] } else { vec![Bytes::from_static(b"another")] };
            author.entry(n - author.frontier.size(), &opened(), About::case(None), &text)
        };
        let entries: Vec<_> = (0..first).map(|n| entry(&twin, n, common)).collect();
        let batch = twin.batch(entries);
        stage.store(link, &mut twin, &batch);
        let case = format!("{common} in common, {first} at first");
        // Where all of it came again it was compared, else at the next start.
        stage.tick(31_000);
        assert_eq!(stage.shown(author.log).fork.is_some(), first >= 3, "{case}");
        for _ in 0..2 {
            stage.world.stop_and_start(HERE);
            stage.tick(31_000);
            stage.commit();
        }
        // Of what it was signed over, the beginning is not here.
        let hidden = common == 0 && first == 2;
        assert_eq!(stage.shown(author.log).fork.is_none(), hidden, "{case}");
        if hidden {
            stage.world.pass(31_000);
            let link = stage.greet(1, &twin);
            let more = twin.batch(vec![entry(&twin, 2, 0)]);
            stage.store(link, &mut twin, &more);
            let mut told = stage.tick(10);
            told.extend(stage.commit());
            let proof = stage.shown(author.log).fork.expect("now it is as long");
            let fork = Frame::Fork(proof.encode(author.log));
            assert!(frames(&told, link).contains(&&fork), "{case}: the members hear of it");
        }
        let proof = stage.shown(author.log).fork.unwrap();
        assert!(proof.check(author.log, &author.key.verifying_key()).is_ok(), "{case}");
        stage.world.cities[HERE].keeps_rows = false;
        stage.world.stop_and_start(HERE);
        assert_eq!(stage.shown(author.log).fork, Some(proof), "{case}: it is kept");
    }
}

#[test]
fn what_was_passed_over_of_one_history_proves_nothing() {
    for first in [2, 3, 4] {
        let mut stage = Stage::laid(87, 2, &[&[0, 1]]);
        let (author, _) = one_and_two(&mut stage);
        let link = passed_over(&mut stage, &author);
        let mut again = stage.world.author(1, 0);
        let entries = (0..first).map(|n| again.entry(n, &opened(), About::case(None), &[]));
        let batch = again.batch(entries.collect());
        stage.store(link, &mut again, &batch);
        for _ in 0..2 {
            stage.tick(31_000);
            stage.world.stop_and_start(HERE);
        }
        assert_eq!(stage.shown(author.log).fork, None, "{first} came again");
        assert_eq!(stage.size(author.log), Some(first.max(3)));
    }
}

#[test]
fn views_ahead_of_a_journal_that_lost_its_tail_are_made_anew() {
    let mut stage = Stage::laid(84, 3, &[&[0, 1, 2]]);
    let (author, _) = one_and_two(&mut stage);
    passed_over(&mut stage, &author);
    let mut other = stage.world.author(2, 0);
    let link = stage.greet(2, &other);
    for _ in 0..2 {
        let batch = opening(&other);
        stage.store(link, &mut other, &batch);
    }
    // The last record rots: it looks like one that a crash has torn.
    let (index, record) = batches(stage.world.disk(HERE), other.log)[1];
    damage(&stage.world, HERE, record);
    stage.world.stop_and_start(HERE);
    assert_eq!(stage.size(other.log), Some(index), "the views go no further than the journal");
    let link = stage.greet(2, &other);
    let mut short = stage.world.author(2, 0);
    short.wrote(&opening(&short));
    let entries = [0, 1].map(|n| short.entry(n, &opened(), About::case(None), &[]));
    let again = short.batch(entries.to_vec());
    stage.store(link, &mut short, &again);
    for index in 0..3 {
        assert!(stage.world.holds(HERE, Position { log: other.log, index }), "entry {index}");
    }
}
