//! A handful of seeds of the simulation, and whether it is honest. Thousands run in
//! `.ci/steps/sim.sh`, built for speed.

use super::sim::run::{FAULTS_MIN, run};
use super::sim::tally::Tally;

/// Seeds that run here: built without optimisation each takes seconds.
const SEEDS: u64 = 10;

#[test]
fn some_seeds_of_everything_broken_come_right() {
    let mut all = Tally::default();
    for seed in 0..SEEDS {
        let outcome = run(seed, false);
        let replay = format!("cargo run --profile sim --example simulate -- --seed {seed}");
        assert_eq!(outcome.failure, None, "seed {seed}; look at it with: {replay}");
        assert!(outcome.tally.fault_count() >= FAULTS_MIN, "seed {seed}: {:?}", outcome.tally);
        all.add(&outcome.tally);
    }
    assert!(all.kinds() >= 40, "{all:?}");
}

#[test]
fn one_seed_has_one_trace() {
    let (one, two) = (run(3, false), run(3, false));
    assert_eq!(one.hash, two.hash);
    assert_eq!(one.tally, two.tally);
    assert_ne!(one.hash, run(4, false).hash);
}
