//! Runs the simulation of the tests: one seed with a readable trace, or many on all cores.
//!
//! ```text
//! cargo run --profile sim --example simulate -- --seed 7
//! cargo run --profile sim --example simulate -- --from 0 --count 2000
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a simulation may panic: that is one way for a seed to fail"
)]

#[path = "../tests/sim/mod.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod sim;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use sim::plants;
use sim::run::{OPEN, Outcome, run};
use sim::tally::{Fault, State, Tally};

#[derive(Parser)]
struct Args {
    /// Replays one seed and prints what happens.
    #[arg(long)]
    seed: Option<u64>,
    /// First seed of a slice.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Seeds in the slice.
    #[arg(long, default_value_t = 100)]
    count: u64,
    /// Switches one planted bug on; needs the feature `planted-bugs`.
    #[arg(long)]
    bug: Option<String>,
    /// Looks for every planted bug, or for those named, within 500 seeds each.
    #[arg(long, num_args = 0..)]
    bugs: Option<Vec<String>>,
    /// Runs every seed twice and compares the traces.
    #[arg(long)]
    twice: bool,
    /// Fails unless every kind of fault and every state was reached.
    #[arg(long)]
    complete: bool,
    /// Goes on after a seed that fails.
    #[arg(long)]
    keep_going: bool,
}

fn main() -> std::process::ExitCode {
    let args = Args::parse();
    if let Some(bugs) = &args.bugs {
        return end(plants::find_all(bugs));
    }
    if !plants::switch_on(args.bug.as_deref()) {
        println!("no such bug, or built without `--features planted-bugs`");
        return end(false);
    }
    if let Some(seed) = args.seed {
        let outcome = run(seed, true);
        println!("trace {:016x}, {} faults", outcome.hash, outcome.tally.fault_count());
        return end(outcome.failure.is_none());
    }
    std::panic::set_hook(Box::new(|_| {}));
    let begin = Instant::now();
    let (all, failed) = slice(args.from, args.count, args.keep_going);
    summary(&all, begin.elapsed().as_secs_f64());
    for outcome in &failed {
        let why = outcome.failure.as_deref().unwrap_or_default();
        println!("seed {} failed: {why}; replay: {}", outcome.seed, replay(outcome.seed));
    }
    let mut well = failed.is_empty();
    if args.twice {
        well &= same_again(args.from, args.count);
    }
    if args.complete {
        let (faults, states) = (all.missing_faults(), all.missing_states());
        well &= faults.is_empty() && states.is_empty();
        faults.iter().for_each(|f| println!("no seed had: {}", f.text()));
        states.iter().for_each(|s| println!("no seed reached: {}", s.text()));
    }
    end(well)
}

/// Whether each seed gives one trace, however often it is run.
fn same_again(from: u64, count: u64) -> bool {
    let differs = |seed: &u64| run(*seed, false).hash != run(*seed, false).hash;
    let Some(seed) = (from..from + count).find(differs) else { return true };
    println!("seed {seed} differs from itself; replay: {}", replay(seed));
    false
}

fn end(well: bool) -> std::process::ExitCode {
    if well { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}

fn replay(seed: u64) -> String {
    format!("cargo run --profile sim --example simulate -- --seed {seed}")
}

/// Runs a slice on all cores.
fn slice(from: u64, count: u64, keep_going: bool) -> (Tally, Vec<Outcome>) {
    let next = AtomicU64::new(from);
    let stop = AtomicBool::new(false);
    let sum = Mutex::new((Tally::default(), 0_u64, Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + count {
                        return;
                    }
                    if OPEN.contains(&seed) {
                        println!("seed {seed} is passed over: open, see tests/bugs.md");
                        continue;
                    }
                    let outcome = run(seed, false);
                    let mut sum = sum.lock().unwrap();
                    sum.0.add(&outcome.tally);
                    sum.1 += 1;
                    if outcome.failure.is_some() {
                        stop.fetch_or(!keep_going, Ordering::Relaxed);
                        sum.2.push(outcome);
                    }
                }
            });
        }
    });
    let (tally, done, failed) = sum.into_inner().unwrap();
    println!("{done} seeds, {} failed", failed.len());
    (tally, failed)
}

fn summary(all: &Tally, seconds: f64) {
    let hours = all.simulated_ms as f64 / 3_600_000.0;
    println!(
        "{:.1} s, {hours:.0} simulated hours, {:.0} an hour of one minute; {} steps",
        seconds,
        hours / seconds * 60.0,
        all.steps
    );
    println!(
        "{} writes acknowledged, {} refused, {} unanswered, {} entries",
        all.acked, all.refused, all.unanswered, all.entries
    );
    println!("{} effective faults of {} kinds:", all.fault_count(), all.kinds());
    for fault in Fault::ALL {
        println!("  {:>8}  {}", all.of(*fault), fault.text());
    }
    println!("states:");
    for state in State::ALL {
        println!("  {:>8}  {}", all.times(*state), state.text());
    }
}
