//! A handful of seeds of the simulation, and whether it is honest. Thousands run in
//! `.ci/steps/sim.sh`, built for speed.

use std::ops::Range;

use super::sim::run::{Length, SHORT, WHOLE, run};
use super::sim::tally::Tally;

/// Seeds of six hours that run here: built without optimisation each takes ten seconds. The gate
/// runs them too, with two thousand others, and asks all of those for every kind of fault.
const SEEDS: Range<u64> = 0..3;
/// A hundred short ones, of which the gate runs 10..200; in halves, so that two cores share them.
const SHORT_SEEDS: [Range<u64>; 2] = [10..60, 60..110];

#[test]
fn some_seeds_of_everything_broken_come_right() {
    let all = come_right(SEEDS, WHOLE, "");
    assert!(all.kinds() >= 30, "{all:?}");
}

#[test]
fn many_short_seeds_come_right() {
    short_ones_come_right(0);
}

#[test]
fn as_many_short_seeds_again_come_right() {
    short_ones_come_right(1);
}

fn short_ones_come_right(half: usize) {
    let all = come_right(SHORT_SEEDS[half].clone(), SHORT, " --short");
    assert!(all.kinds() >= 40, "{all:?}");
}

fn come_right(seeds: Range<u64>, length: Length, flag: &str) -> Tally {
    let mut all = Tally::default();
    for seed in seeds {
        let outcome = run(seed, length, false);
        let replay = format!("cargo run --profile sim --example simulate -- --seed {seed}{flag}");
        assert_eq!(outcome.failure, None, "seed {seed}; look at it with: {replay}");
        let faults = outcome.tally.fault_count();
        assert!(faults >= length.faults_min, "seed {seed}: {:?}", outcome.tally);
        all.add(&outcome.tally);
    }
    all
}

/// Short ones: the gate runs twenty whole ones twice.
#[test]
fn one_seed_has_one_trace() {
    let (one, two) = (run(3, SHORT, false), run(3, SHORT, false));
    assert_eq!(one.hash, two.hash);
    assert_eq!(one.tally, two.tally);
    assert_ne!(one.hash, run(4, SHORT, false).hash);
}
