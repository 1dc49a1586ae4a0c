//! Charters and manifests that rot, in the world in memory: what lay in the journal under them is read
//! again once they are here again.

use bytes::Bytes;
use liandong::journal::RecordKind;
use liandong::log::checkpoint;
use liandong::node::core::{Input, Output};
use liandong::sync::{Cosign, Frame};

use super::rogue::About;
use super::stage::{HERE, Stage, opened, opening};
use super::world_damage::{A, B, damage, filled, of_kind};

#[test]
fn a_log_whose_manifest_comes_again_has_its_cosignatures() {
    let mut stage = Stage::laid(30, 3, &[&[0, 1, 2]]);
    let (mut author, third) = (stage.world.author(1, 0), stage.world.author(2, 0));
    let (link, other) = (stage.greet(1, &author), stage.greet(2, &third));
    stage.say(link, Frame::Manifest(author.manifest.clone()));
    stage.say(other, Frame::Manifest(third.manifest.clone()));
    stage.commit();
    let batch = opening(&author);
    stage.store(link, &mut author, &batch);
    let head = author.head_after(&[]);
    let line = checkpoint::cosign(head, third.log, &third.cosign_key, 1_795_140_000);
    let (log, size, root) = (author.log, head.size, head.root);
    let line = Bytes::from(line.as_str().to_owned());
    stage.say(other, Frame::Cosign(Cosign { log, size, root, witness: third.log, line }));
    stage.commit();
    let by_third = |stage: &mut Stage| {
        let city = stage.world.cities[2].code;
        stage.shown(author.log).cosignatures.iter().filter(|c| c.city == city).count()
    };
    assert_eq!(by_third(&mut stage), 1);
    let manifest = of_kind(stage.world.disk(HERE), RecordKind::Manifest, &author.manifest);
    damage(&stage.world, HERE, manifest);
    stage.world.crash(HERE);
    stage.world.start(HERE);
    assert_eq!(stage.size(author.log), None, "nobody knows its keys any more");
    let (link, _) = (stage.greet(1, &author), stage.greet(2, &third));
    stage.say(link, Frame::Manifest(author.manifest.clone()));
    stage.commit();
    assert_eq!(by_third(&mut stage), 1);
}

/// What its author writes from then on may be another history: it must not be taken for the first.
#[test]
fn what_lay_here_before_a_manifest_was_lost_is_read_again() {
    let mut stage = Stage::laid(31, 3, &[&[0, 1, 2]]);
    let (mut author, mut rests) = (stage.world.author(1, 0), stage.world.author(2, 0));
    let (link, other) = (stage.greet(1, &author), stage.greet(2, &rests));
    stage.commit();
    let batch = opening(&author);
    stage.store(link, &mut author, &batch);
    let about = About { after: vec![author.head_after(&[])], ..About::case(None) };
    let batch = rests.batch(vec![rests.entry(0, &opened(), about, &[])]);
    stage.store(other, &mut rests, &batch);
    let agreement = stage.world.agreements[0].0;
    let lived = stage.world.fold_hash(HERE, agreement);
    let manifest = of_kind(stage.world.disk(HERE), RecordKind::Manifest, &author.manifest);
    damage(&stage.world, HERE, manifest);
    stage.world.stop_and_start(HERE);
    assert_eq!(stage.size(author.log), None, "nobody knows its keys any more");
    assert_eq!(stage.shown(rests.log).applied, 0);
    let link = stage.greet(1, &author);
    stage.say(link, Frame::Manifest(author.manifest.clone()));
    let outputs = stage.commit();
    assert!(outputs.iter().any(|o| matches!(o, Output::StartAnew)), "{outputs:?}");
    for _ in 0..2 {
        stage.world.stop_and_start(HERE);
        assert_eq!(stage.size(author.log), Some(1), "nobody has sent it again");
        assert_eq!(stage.world.fold_hash(HERE, agreement), lived);
    }
    // Now it is here, and nothing more is to be made anew.
    stage.greet(1, &author);
    let outputs = stage.commit();
    assert!(!outputs.iter().any(|o| matches!(o, Output::StartAnew)));
}

/// Nothing under a charter is known without it, and people hand it in behind everything.
#[test]
fn what_lay_here_before_a_charter_was_lost_is_read_again() {
    for keeps_rows in [true, false] {
        let mut world = filled(22);
        let agreement = world.agreements[0].0;
        let lived = world.fold_hash(A, agreement);
        // What only this disk has.
        world.crash(B);
        world.open_case(A, agreement, "own", "示例案件");
        world.input(A, Input::Commit);
        let (own, count) = (world.own_log(A, 0), world.cases(A, agreement).len());
        let charter = world.notes(A)[0].clone();
        damage(&world, A, of_kind(world.disk(A), RecordKind::Charter, &charter));
        world.stop_and_start(A);
        assert!(world.cases(A, agreement).is_empty(), "nobody knows of the agreement any more");
        let notes = world.notes(A);
        world.input(A, Input::Notes(0, notes));
        world.input(A, Input::Commit);
        world.cities[A].keeps_rows = keeps_rows;
        for _ in 0..2 {
            world.stop_and_start(A);
            assert_eq!(world.own_log(A, 0), own, "keeps rows: {keeps_rows}");
            assert_eq!(world.cases(A, agreement).len(), count);
        }
        assert_ne!(world.fold_hash(A, agreement), lived, "the last one is there as well");
    }
}
