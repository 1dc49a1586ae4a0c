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
use sim::run::{Length, Outcome, SHORT, WHOLE, run};
use sim::tally::{Fault, State, Tally};

/// How to run a build with planted bugs.
const PLANTED: &str = "--profile sim --features planted-bugs --example simulate";

#[derive(Parser)]
struct Args {
    /// Replays one seed and prints what happens.
    #[arg(long)]
    seed: Option<u64>,
    /// Plays the short run of each seed, as `cargo test` does.
    #[arg(long)]
    short: bool,
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
    /// Looks for so many planted bugs; which ones turns with the day since 1970.
    #[arg(long)]
    rotate: Option<usize>,
    /// Runs every seed twice and compares the traces.
    #[arg(long)]
    twice: bool,
    /// Fails unless every kind of fault and every state was reached.
    #[arg(long)]
    complete: bool,
    /// Goes on after a seed that fails.
    #[arg(long)]
    keep_going: bool,
    /// Seeds that are open in tests/bugs.md: they must fail still, and fail nothing else.
    #[arg(long, value_delimiter = ',')]
    open: Vec<u64>,
}

impl Args {
    fn length(&self) -> Length {
        if self.short { SHORT } else { WHOLE }
    }
}

fn main() -> std::process::ExitCode {
    let args = Args::parse();
    match chosen(&args) {
        Ok(work) => end(perform(&args, work)),
        Err(what_to_do) => {
            println!("{what_to_do}");
            end(false)
        }
    }
}

/// What is to be run.
enum Work {
    /// Look for these planted bugs.
    Bugs(Vec<&'static str>),
    /// One seed, with every line.
    Seed(u64),
    /// Many, with none.
    Slice,
}

/// What the arguments ask for, or one line that says how to ask better.
fn chosen(args: &Args) -> Result<Work, String> {
    let names: Vec<&String> = args.bugs.iter().flatten().chain(&args.bug).collect();
    if (args.bugs.is_some() || args.bug.is_some() || args.rotate.is_some()) && !plants::ARE_BUILT_IN
    {
        return Err(format!("no bugs are planted in this build: cargo run {PLANTED} -- ..."));
    }
    if let Some(unknown) = names.iter().find(|n| !plants::names().contains(&n.as_str())) {
        let all = plants::names().join(" ");
        return Err(format!("no planted bug is called {unknown}; there are: {all}"));
    }
    plants::switch_on(args.bug.as_deref());
    if let Some(count) = args.rotate {
        return Ok(Work::Bugs(plants::of_the_day(count)));
    }
    if let Some(named) = &args.bugs {
        let is_named = |n: &&&str| named.is_empty() || named.iter().any(|w| w == **n);
        return Ok(Work::Bugs(plants::names().iter().filter(is_named).copied().collect()));
    }
    if let Some(seed) = args.seed {
        return Ok(Work::Seed(seed));
    }
    if args.count == 0 || args.from.checked_add(args.count).is_none() {
        return Err(format!(
            "from {} a count of {} is no range of seeds: ask for `--from 0 --count 100`",
            args.from, args.count
        ));
    }
    Ok(Work::Slice)
}

fn perform(args: &Args, work: Work) -> bool {
    match work {
        Work::Bugs(names) => return plants::find_all(&names),
        Work::Seed(seed) => {
            let outcome = run(seed, args.length(), true);
            println!("trace {:016x}, {} faults", outcome.hash, outcome.tally.fault_count());
            return outcome.failure.is_none();
        }
        Work::Slice => {}
    }
    std::panic::set_hook(Box::new(|_| {}));
    let (begin, cpu) = (Instant::now(), cpu_seconds());
    let (all, mut failed) = slice(args);
    let in_slice = |seed: &&u64| (args.from..args.from + args.count).contains(*seed);
    let open: Vec<u64> = args.open.iter().filter(in_slice).copied().collect();
    let (known, new): (Vec<_>, Vec<_>) =
        failed.drain(..).partition(|outcome| open.contains(&outcome.seed));
    failed = new;
    println!("{} open ones fail still", known.len());
    summary(&all, begin.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    for outcome in &failed {
        let why = outcome.failure.as_deref().unwrap_or_default();
        println!("seed {}: {why}", outcome.seed);
        println!("look at seed {} with: {}", outcome.seed, replay(args, outcome.seed));
    }
    let mut well = failed.is_empty();
    // Unless another failure has ended the slice before its turn came.
    let clean = open.iter().find(|seed| known.iter().all(|known| known.seed != **seed));
    if let Some(seed) = clean.filter(|_| well) {
        println!("seed {seed} is clean: take it off the list of open ones");
        well = false;
    }
    if args.twice {
        well &= same_again(args);
    }
    if args.complete {
        let rots = std::env::var_os("LIANDONG_ROT").is_some();
        let (faults, states) = (all.missing_faults(rots), all.missing_states(rots));
        well &= faults.is_empty() && states.is_empty();
        faults.iter().for_each(|f| println!("no seed had: {}", f.text()));
        states.iter().for_each(|s| println!("no seed reached: {}", s.text()));
    }
    well
}

/// User and system time of this process so far, all threads: the machine may have other work.
fn cpu_seconds() -> f64 {
    // Fields 14 and 15, counted behind the name in brackets, in hundredths of a second.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind = stat.rsplit(')').next().unwrap_or_default();
    let ticks = behind.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// Whether each seed gives one trace, however often it is run.
fn same_again(args: &Args) -> bool {
    let hash = |seed: u64| run(seed, args.length(), false).hash;
    let differs = |seed: &u64| hash(*seed) != hash(*seed);
    let Some(seed) = (args.from..args.from + args.count).find(differs) else { return true };
    println!("seed {seed} differs from itself; look at it twice with: {}", replay(args, seed));
    false
}

fn end(well: bool) -> std::process::ExitCode {
    if well { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}

/// One command that shows a seed again as it was.
fn replay(args: &Args, seed: u64) -> String {
    let short = if args.short { " --short" } else { "" };
    match &args.bug {
        Some(bug) => format!("cargo run {PLANTED} -- --bug {bug} --seed {seed}{short}"),
        None => format!("cargo run --profile sim --example simulate -- --seed {seed}{short}"),
    }
}

/// Runs a slice on all cores.
fn slice(args: &Args) -> (Tally, Vec<Outcome>) {
    let (from, count, keep_going) = (args.from, args.count, args.keep_going);
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
                    let outcome = run(seed, args.length(), false);
                    let mut sum = sum.lock().unwrap();
                    sum.0.add(&outcome.tally);
                    sum.1 += 1;
                    if let Some(why) = &outcome.failure {
                        // At once: whoever stops a long slice has what it found.
                        println!("seed {seed} failed: {why:.200}");
                        let goes_on = keep_going || args.open.contains(&seed);
                        stop.fetch_or(!goes_on, Ordering::Relaxed);
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

fn summary(all: &Tally, seconds: f64, cpu: f64) {
    let hours = all.simulated_ms as f64 / 3_600_000.0;
    let a_minute = hours / cpu.max(0.01) * 60.0;
    println!("{seconds:.1} s, {cpu:.1} CPU s; {hours:.0} simulated hours, {} steps", all.steps);
    println!("{a_minute:.0} simulated hours in a CPU minute");
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
