//! Logs that have ended, in the world in memory: what of them a real core takes from a member that
//! a test plays.

use bytes::Bytes;
use liandong::log::checkpoint;
use liandong::node::core::{Input, Output};
use liandong::sync::{Cosign, Frame};

use super::rogue::About;
use super::stage::{HERE, Stage, cosigned, frames, opened, opening};

#[test]
fn an_old_log_is_taken_as_far_as_it_may_be_though_batches_were_joined() {
    let mut stage = Stage::laid(68, 3, &[&[0, 1, 2]]);
    let (mut author, third) = (stage.world.author(1, 0), stage.world.author(2, 0));
    let other = stage.greet(2, &third);
    let next = stage.world.author_of(1, 0, 2, 200);
    for manifest in [&author.manifest, &next.manifest] {
        stage.say(other, Frame::Manifest(manifest.clone()));
    }
    stage.commit();
    // The third city holds two entries of a log that has ended, and has cosigned the first.
    let first = opening(&author);
    let covered = author.head_after(&first.entries);
    let both = [first.entries.clone(), vec![author.entry(1, &opened(), About::case(None), &[])]];
    let joined = author.batch(both.concat());
    stage.say(other, Frame::Announce { log: author.log, checkpoint: joined.checkpoint.clone() });
    let line = checkpoint::cosign(covered, third.log, &third.cosign_key, 1_795_140_000);
    let (log, size, root) = (author.log, covered.size, covered.root);
    let line = Bytes::from(line.as_str().to_owned());
    stage.say(other, Frame::Cosign(Cosign { log, size, root, witness: third.log, line }));
    let narrow = |outputs: &[Output]| {
        let asks = |f: &&Frame| matches!(f, Frame::Subscribe { from: 0, credit: 1, .. });
        frames(outputs, other).iter().any(asks)
    };
    let said = stage.say(other, Frame::Batch(joined.clone()));
    assert!(narrow(&said), "it asks for the batches one by one: {said:?}");
    let said = stage.say(other, Frame::Batch(joined));
    assert!(!narrow(&said), "once: {said:?}");
    stage.store(other, &mut author, &first);
}

#[test]
fn whoever_turns_away_an_ended_log_is_told_who_has_cosigned_it() {
    let mut stage = Stage::laid(69, 3, &[&[0, 1, 2]]);
    let (mut author, third) = (stage.world.author(1, 0), stage.world.author(2, 0));
    let (link, other) = (stage.greet(1, &author), stage.greet(2, &third));
    stage.say(link, Frame::Manifest(author.manifest.clone()));
    stage.commit();
    let batch = opening(&author);
    stage.store(link, &mut author, &batch);
    // While the author is linked its receipts go to nobody else.
    assert_eq!(cosigned(&stage.tick(1_000), other, author.log), Vec::<u64>::new());
    let refuse = |reason: &str| Frame::Refuse {
        reason: reason.to_owned(),
        log: Some(author.log),
        expected: 0,
        detail: String::new(),
        facts: Vec::new(),
    };
    let said = stage.say(other, refuse("BAD_BATCH"));
    assert_eq!(cosigned(&said, other, author.log), Vec::<u64>::new());
    let said = stage.say(other, refuse("LOG_STANDING"));
    assert_eq!(cosigned(&said, other, author.log), [1]);
}

#[test]
fn nothing_is_cosigned_in_a_log_that_nobody_has_heard_of() {
    let mut stage = Stage::laid(70, 2, &[&[0, 1]]);
    let mut author = stage.world.author(1, 0);
    let link = stage.greet(1, &author);
    stage.say(link, Frame::Manifest(author.manifest.clone()));
    stage.commit();
    let batch = opening(&author);
    stage.store(link, &mut author, &batch);
    let old = stage.world.own_log(HERE, 0);
    let note = stage.world.epoch_note(HERE, 0, old);
    stage.world.ask(HERE, Input::Notes(9, vec![note]));
    assert_eq!(cosigned(&stage.tick(1_000), link, author.log), Vec::<u64>::new());
    let said = stage.commit();
    assert!(frames(&said, link).iter().any(|f| matches!(f, Frame::Manifest(_))), "{said:?}");
    assert_eq!(cosigned(&said, link, author.log), Vec::<u64>::new());
    assert_eq!(cosigned(&stage.tick(1_000), link, author.log), [1], "in the new log");
}
