//! What rests on a log that stands still, in the world in memory: what is here of that log goes
//! first, also when a replay comes to it last.

use bytes::Bytes;
use liandong::domain::{CaseContribution, Event};
use liandong::ids::Position;
use liandong::log::checkpoint::SignedCheckpoint;
use liandong::log::{ForkProof, Head, SignedManifest, subject_id};
use liandong::node::core::Input;
use liandong::sync::{Frame, LinkId, RawBatch};

use super::rogue::{About, Author};
use super::stage::{HERE, Stage, opened, opening};
use super::world_damage::{batches, damage};

/// Something wrong of one log at a size that nobody has yet.
fn proof(author: &Author) -> Bytes {
    let signed = |root| {
        let root = liandong::ids::Hash::new([root; 32]);
        SignedCheckpoint::sign(Head { size: 9, root, ..author.head_after(&[]) }, &author.key)
    };
    ForkProof::of(&signed(1), &signed(2)).unwrap().encode(author.log)
}

/// A note on the first case of `opener`, by somebody who has seen `after`.
fn note_on_first(author: &Author, opener: &Author, after: Vec<Head>) -> RawBatch {
    let case = subject_id(Position { log: opener.log, index: 0 });
    let about = About { after, ..About::case(Some(case)) };
    let event = Event::Contribution(CaseContribution::NoteAdded);
    author.batch(vec![author.entry(0, &event, about, &[])])
}

/// What stood in the views stands there after everything was read anew: all but the order.
fn is_the_same_anew(stage: &mut Stage) {
    let lived = stage.world.fold_hash(HERE, stage.world.agreements[0].0);
    stage.world.cities[HERE].keeps_rows = false;
    stage.world.stop_and_start(HERE);
    assert_eq!(stage.world.fold_hash(HERE, stage.world.agreements[0].0), lived);
}

/// Four cities of which three are played: their authors by log id, and their links.
fn three_played(seed: u64) -> (Stage, Vec<(LinkId, Author)>) {
    let mut stage = Stage::laid(seed, 4, &[&[0, 1, 2, 3]]);
    let mut authors: Vec<_> = (1..4).map(|i| (i, stage.world.author(i, 0))).collect();
    authors.sort_by_key(|(_, author)| author.log);
    let greeted = authors.into_iter().map(|(i, author)| (stage.greet(i, &author), author));
    let greeted: Vec<_> = greeted.collect();
    stage.commit();
    (stage, greeted)
}

/// The log of whoever wrote a note is the first of all, so that by ids it would go first.
#[test]
fn what_is_here_of_a_log_that_stands_goes_before_what_rests_on_it() {
    let (mut stage, mut played) = three_played(91);
    let [(link_m, mut notes), (link_l, mut forks), (link_k, mut last)] =
        <[_; 3]>::try_from(std::mem::take(&mut played)).ok().unwrap();
    // A case that rests on what is not here yet, and a note on that case.
    let awaited = opening(&last);
    let seen = last.head_after(&awaited.entries);
    let about = About { after: vec![seen], ..About::case(None) };
    let opens = forks.batch(vec![forks.entry(0, &opened(), about, &[])]);
    stage.store(link_l, &mut forks, &opens);
    let head = forks.head_after(&[]);
    let note = note_on_first(&notes, &forks, vec![head, seen]);
    stage.store(link_m, &mut notes, &note);
    stage.say(link_l, Frame::Fork(proof(&forks)));
    stage.commit();
    assert!(stage.shown(forks.log).standing);
    assert_eq!(stage.shown(notes.log).applied, 0, "what both rest on is not here");
    stage.store(link_k, &mut last, &awaited);
    for author in [&forks, &notes] {
        let shown = stage.shown(author.log);
        assert_eq!((shown.applied, shown.misfits), (1, 0));
    }
    let lived = stage.view_rows();
    stage.world.crash(HERE);
    stage.world.start(HERE);
    assert_eq!(stage.view_rows(), lived, "the feed among them");
    is_the_same_anew(&mut stage);
}

/// Whoever rests on the other history names a size that is here as well, and is not held by what
/// can never be applied.
#[test]
fn what_can_not_be_applied_of_a_log_that_stands_holds_nobody() {
    let (mut stage, mut played) = three_played(92);
    let [(link_m, mut rests), (link_l, mut forks), (_, last)] =
        <[_; 3]>::try_from(std::mem::take(&mut played)).ok().unwrap();
    // Each of the two rests on the other: its author has shown one history to each.
    let other = Head { size: 1, root: liandong::ids::Hash::new([7; 32]), ..forks.head_after(&[]) };
    let about = About { after: vec![other], ..About::case(None) };
    let rest = rests.batch(vec![rests.entry(0, &opened(), about, &[])]);
    let seen = rests.head_after(&rest.entries);
    let nowhere = Head { size: 1, ..last.head_after(&[]) };
    let about = About { after: vec![seen, nowhere], ..About::case(None) };
    let opens = forks.batch(vec![forks.entry(0, &opened(), about, &[])]);
    stage.store(link_l, &mut forks, &opens);
    stage.store(link_m, &mut rests, &rest);
    assert_eq!(stage.shown(rests.log).applied, 0, "nothing shows yet that there are two");
    stage.say(link_l, Frame::Fork(proof(&forks)));
    stage.commit();
    assert_eq!((stage.shown(rests.log).applied, stage.shown(forks.log).applied), (1, 0));
    is_the_same_anew(&mut stage);
}

#[test]
fn what_comes_again_of_a_log_that_stands_is_waited_for() {
    for suspended in [false, true] {
        let (mut stage, mut played) = three_played(93);
        let [(link_m, mut notes), (link_l, mut stands), _] =
            <[_; 3]>::try_from(std::mem::take(&mut played)).ok().unwrap();
        let opens = opening(&stands);
        stage.store(link_l, &mut stands, &opens);
        let seen = if suspended {
            let city = SignedManifest::peek(&stands.manifest).unwrap().city;
            let (reason, by) = ("示例".to_owned(), "示例".to_owned());
            stage.world.ask(HERE, Input::Suspend { ticket: 1, city, reason, by });
            // One entry more than is here and will be.
            Head { size: 2, root: liandong::ids::Hash::new([7; 32]), ..stands.head_after(&[]) }
        } else {
            stage.say(link_m, Frame::Fork(proof(&stands)));
            stands.head_after(&[])
        };
        stage.commit();
        let note = note_on_first(&notes, &stands, vec![seen]);
        stage.store(link_m, &mut notes, &note);
        assert_eq!((stage.shown(notes.log).applied, stage.shown(notes.log).misfits), (1, 0));
        // The opening rots, and comes again behind what rests on it.
        let at = Position { log: stands.log, index: 0 };
        damage(&stage.world, HERE, batches(stage.world.disk(HERE), stands.log)[0].1);
        assert!(!stage.world.holds(HERE, at));
        stage.tick(6_000);
        let mut outputs = stage.say(link_m, Frame::Batch(opens));
        outputs.extend(stage.commit());
        assert!(stage.world.holds(HERE, at), "{outputs:?}");
        is_the_same_anew(&mut stage);
        assert_eq!(stage.shown(notes.log).misfits, 0, "suspended: {suspended}");
    }
}
