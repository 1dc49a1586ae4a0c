//! A handful of seeds of the simulation, and whether it is honest. Thousands run in
//! `.ci/steps/sim.sh`, built for speed.

use super::sim::run::run;
use super::sim::tally::Tally;

/// Seeds that run here: built without optimisation each takes seconds.
const SEEDS: u64 = 6;

#[test]
fn some_seeds_of_everything_broken_come_right() {
    let mut all = Tally::default();
    for seed in 0..SEEDS {
        let outcome = run(seed, false);
        let replay = format!("cargo run --profile sim --example simulate -- --seed {seed}");
        assert_eq!(outcome.failure, None, "seed {seed}; replay: {replay}");
        all.add(&outcome.tally);
    }
    assert!(all.fault_count() > 30 * SEEDS && all.kinds() >= 25, "{all:?}");
}

#[test]
fn one_seed_has_one_trace() {
    let (one, two) = (run(3, false), run(3, false));
    assert_eq!(one.hash, two.hash);
    assert_eq!(one.tally, two.tally);
    assert_ne!(one.hash, run(4, false).hash);
}
