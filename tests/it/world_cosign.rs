//! Cosignatures that cannot be true, in the world in memory: kept against whoever made them, never
//! counted as receipts, sent on, there after a start.

use liandong::ids::{Hash, LogId};
use liandong::log::checkpoint::SignedCheckpoint;
use liandong::log::{Head, WitnessProof};
use liandong::node::core::Output;
use liandong::sync::{Frame, LinkId};

use super::rogue::Author;
use super::stage::{HERE, Stage, frames, opening};
use super::world_members::cosignature;

/// The witness, whoever else is linked, and the author of the log.
struct Scene {
    stage: Stage,
    witness: Author,
    author: Author,
    links: [LinkId; 2],
}

impl Scene {
    /// The author's first entry is here.
    fn set(seed: u64) -> Self {
        let mut stage = Stage::laid(seed, 3, &[&[0, 1, 2]]);
        stage.world.cities[HERE].keeps_rows = seed.is_multiple_of(2);
        let (witness, mut author) = (stage.world.author(1, 0), stage.world.author(2, 0));
        let links = [stage.greet(1, &witness), stage.greet(2, &author)];
        let first = opening(&author);
        stage.store(links[1], &mut author, &first);
        Self { stage, witness, author, links }
    }

    fn says(&mut self, head: Head) -> Vec<Output> {
        let mut said = self.stage.say(self.links[0], cosignature(&self.witness, head));
        said.extend(self.stage.commit());
        said
    }

    fn receipts(&mut self, log: LogId) -> Vec<u64> {
        let city = self.stage.world.cities[1].code;
        let shown = self.stage.shown(log).cosignatures.into_iter();
        shown.filter(|c| c.city == city).map(|c| c.size).collect()
    }

    /// What is kept against the witness over a log; it holds for anybody who checks it.
    fn proof(&mut self, log: LogId, log_key: &Author) -> Option<WitnessProof> {
        let shown = self.stage.shown(log).contradictions;
        assert!(shown.iter().all(|c| c.city == self.stage.world.cities[1].code));
        assert!(shown.len() <= 1);
        let proof = shown.into_iter().next()?.proof;
        let witness = (self.witness.log, &self.witness.cosign_key.verifying_key());
        proof.check((log, &log_key.key.verifying_key()), witness).unwrap();
        Some(proof)
    }

    fn restart(&mut self) {
        self.stage.world.crash(HERE);
        self.stage.world.start(HERE);
    }
}

fn other(head: Head, root: u8) -> Head {
    Head { root: Hash::new([root; 32]), ..head }
}

fn cosigns(outputs: &[Output], to: LinkId) -> usize {
    frames(outputs, to).into_iter().filter(|f| matches!(f, Frame::Cosign(_))).count()
}

#[test]
fn cosignatures_that_contradict_are_kept_against_the_member() {
    for seed in [71, 72] {
        let mut scene = Scene::set(seed);
        let (log, author) = (scene.author.log, scene.stage.world.author(2, 0));
        let now = scene.author.head_after(&[]);
        assert_eq!(cosigns(&scene.says(now), scene.links[1]), 1, "a receipt goes home");
        // Against the log: what it says of one size its city has signed otherwise.
        let told = scene.says(other(now, 1));
        let first = scene.proof(log, &author).unwrap();
        assert!(first.is_by_itself(scene.witness.log), "it has signed the right one as well");
        assert_eq!(scene.receipts(log), [1], "what was rightly signed stands");
        assert_eq!(cosigns(&told, scene.links[1]), 2, "whoever may see the log is told");
        // One proof is enough, however often and whatever is signed.
        for root in [1, 2, 3] {
            let told = scene.says(other(now, root));
            assert_eq!((cosigns(&told, scene.links[1]), scene.receipts(log)), (0, vec![1]));
        }
        assert_eq!(scene.proof(log, &author).as_ref(), Some(&first));
        scene.restart();
        assert_eq!(scene.proof(log, &author), Some(first), "it is there after a start");
        assert_eq!(scene.receipts(log), [1]);
        // And whoever greets is told.
        let link = scene.stage.link(2);
        let told = scene.stage.say(link, Frame::Hello(scene.author.hello()));
        assert!(cosigns(&told, link) >= 2, "{told:?}");
    }
}

#[test]
fn a_cosignature_that_contradicts_the_log_is_no_receipt_whenever_it_came() {
    for seed in [73, 74] {
        // It comes after what it contradicts, over an own log and over another one.
        let mut scene = Scene::set(seed);
        let (log, author) = (scene.author.log, scene.stage.world.author(2, 0));
        let now = scene.author.head_after(&[]);
        scene.says(other(now, 1));
        let proof = scene.proof(log, &author).unwrap();
        assert!(!proof.is_by_itself(scene.witness.log));
        assert_eq!(scene.receipts(log), [0; 0]);
        let agreement = scene.stage.world.agreements[0].0;
        scene.stage.world.open_case(HERE, agreement, "one", "示例案件");
        scene.stage.commit();
        let (own, own_keys) = (scene.stage.world.own_log(HERE, 0), scene.stage.world.author(0, 0));
        scene.says(other(own, 1));
        assert!(scene.proof(own.log, &own_keys).is_some());
        scene.restart();
        assert_eq!(scene.proof(log, &author).as_ref(), Some(&proof));
        assert_eq!((scene.receipts(log), scene.receipts(own.log)), (vec![], vec![]));
        // Then the witness signs the right one: now it contradicts itself, which is worth more.
        scene.links[0] = scene.stage.greet(1, &scene.witness);
        scene.says(now);
        assert!(scene.proof(log, &author).unwrap().is_by_itself(scene.witness.log));

        // It comes before: counted until the log itself says otherwise.
        let mut scene = Scene::set(seed + 2);
        let (log, author) = (scene.author.log, scene.stage.world.author(2, 0));
        let now = scene.author.head_after(&[]);
        scene.says(now);
        let batch = opening(&scene.author);
        let announce = Frame::Announce { log, checkpoint: batch.checkpoint.clone() };
        scene.stage.say(scene.links[1], announce);
        scene.says(other(scene.author.head_after(&batch.entries), 1));
        assert_eq!((scene.receipts(log), scene.proof(log, &author)), (vec![2], None));
        scene.stage.store(scene.links[1], &mut scene.author, &batch);
        scene.stage.commit();
        assert_eq!(scene.receipts(log), [1], "the one before stands");
        let proof = scene.proof(log, &author);
        assert!(proof.is_some());
        scene.restart();
        assert_eq!((scene.receipts(log), scene.proof(log, &author)), (vec![1], proof));
    }
}

#[test]
fn whoever_holds_the_other_of_two_histories_is_not_accused() {
    let mut scene = Scene::set(77);
    let (log, author) = (scene.author.log, scene.stage.world.author(2, 0));
    let second = other(scene.author.head_after(&[]), 9);
    scene.says(second);
    assert!(scene.proof(log, &author).is_some(), "as far as anybody here can tell");
    let checkpoint = SignedCheckpoint::sign(second, &author.key).note().clone();
    scene.stage.say(scene.links[0], Frame::Announce { log, checkpoint });
    scene.stage.commit();
    assert!(scene.stage.shown(log).fork.is_some());
    assert_eq!(scene.proof(log, &author), None);
    // Nor by what comes later, nor after a start.
    scene.says(other(second, 8));
    assert!(scene.proof(log, &author).unwrap().is_by_itself(scene.witness.log), "this it is");
    scene.restart();
    assert!(scene.proof(log, &author).unwrap().is_by_itself(scene.witness.log));
}

#[test]
fn a_cosignature_that_is_not_genuine_is_ignored_and_counted() {
    let mut scene = Scene::set(78);
    let (log, now) = (scene.author.log, scene.author.head_after(&[]));
    let strikes = |scene: &mut Scene| {
        let outputs = scene.stage.world.ask(HERE, liandong::node::core::Input::Status(1));
        let Some(Output::Status(_, status)) = outputs.into_iter().next() else { panic!() };
        let city = scene.stage.world.cities[1].code;
        status.links.into_iter().find(|l| l.city == city).unwrap().strikes
    };
    let Frame::Cosign(genuine) = cosignature(&scene.witness, now) else { panic!() };
    let mut forged = genuine.clone();
    forged.root = Hash::new([3; 32]);
    for times in 1..4 {
        scene.stage.say(scene.links[0], Frame::Cosign(forged.clone()));
        assert_eq!(strikes(&mut scene), times);
    }
    assert_eq!((scene.receipts(log), scene.stage.shown(log).contradictions), (vec![], vec![]));
    scene.stage.say(scene.links[0], Frame::Cosign(genuine));
    assert_eq!((scene.receipts(log), strikes(&mut scene)), (vec![1], 3));
}
