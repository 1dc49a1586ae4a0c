//! One run: when people work, when things break, when everything must have come right.

use std::panic::{AssertUnwindSafe, catch_unwind};

use liandong::ids::Position;

use super::rng::Rng;
use super::tally::{State, Tally};
use super::trace::Trace;
use super::world::{Event, World};

const MINUTE_MS: u64 = 60_000;
/// Once nothing breaks, everything has come right after this long.
const SETTLED_WITHIN_MS: u64 = 20 * MINUTE_MS;
/// Rounds of reading and waiting in which damage is mended, if anybody holds what was lost.
const MENDING_ROUNDS: usize = 6;
const EPISODE_MS: u64 = 60_000;
const CALLS_PER_EPISODE: usize = 3;
const FAULTS_PER_EPISODE: usize = 7;
/// A run that has had fewer goes on breaking things for so long, one by one.
const MAKE_UP_MS: u64 = 15 * MINUTE_MS;
const MAKE_UP_STEP_MS: u64 = 8_000;
/// A living process has answered a call after this long.
const ANSWERED_WITHIN_MS: u64 = 400_000;

/// How long a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// Everything may break for this long.
    safety_ms: u64,
    /// A run takes this long at least.
    run_ms: u64,
    /// Times of work with faults in them.
    episodes: usize,
    /// Fewer effective faults prove little.
    pub faults_min: u64,
}

/// Six hours.
pub const WHOLE: Length =
    Length { safety_ms: 330 * MINUTE_MS, run_ms: 360 * MINUTE_MS, episodes: 7, faults_min: 30 };
/// One time of work, for builds without optimisation. Another world than the whole run of its seed.
pub const SHORT: Length =
    Length { safety_ms: 15 * MINUTE_MS, run_ms: 20 * MINUTE_MS, episodes: 1, faults_min: 4 };

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    pub seed: u64,
    pub failure: Option<String>,
    pub hash: u64,
    pub tally: Tally,
}

/// Runs one seed; with `lines`, everything that happens is printed.
pub fn run(seed: u64, length: Length, lines: bool) -> Outcome {
    let ran = catch_unwind(AssertUnwindSafe(|| play(seed, length, lines)));
    ran.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        let failure = Some(format!("panic: {}", said.unwrap_or_default()));
        Outcome { seed, failure, hash: 0, tally: Tally::default() }
    })
}

fn play(seed: u64, length: Length, lines: bool) -> Outcome {
    let mut world = World::new(seed, Trace::new(lines));
    set_episodes(&mut world, length);
    world.run_until(length.safety_ms);
    let begin = world.now;
    while world.checks.failure.is_none()
        && world.tally.fault_count() < length.faults_min
        && world.now < begin + MAKE_UP_MS
    {
        // Chance was kind so far.
        world.fault();
        world.run_until(world.now + MAKE_UP_STEP_MS);
    }
    let broken = world.tally.fault_count();
    world.heal();
    settle(&mut world);
    // Damage is found by whoever reads; then it is fetched again.
    for _ in 0..MENDING_ROUNDS {
        let damaged = if world.checks.failure.is_none() { world.read_everything() } else { 0 };
        if damaged == 0 {
            break;
        }
        settle(&mut world);
        if world.read_everything() < damaged {
            world.tally.reached(State::DamageMended);
        }
    }
    if world.checks.failure.is_none() {
        let World { checks, cast, nodes, tally, .. } = &mut world;
        checks.judge(cast, nodes, tally);
    }
    if broken < length.faults_min {
        world.checks.fail(format!("only {broken} effective faults: nothing much was tried"));
    }
    world.tally.simulated_ms = world.now.max(length.run_ms);
    let failure = world.checks.failure.take();
    if lines && let Some(why) = &failure {
        println!("FAILED {why}");
    }
    Outcome { seed, failure, hash: world.trace.hash(), tally: world.tally }
}

/// In one seed of so many, operators suspend a city now and then, and go on with it later.
const SUSPENSIONS_EVERY: u64 = 4;

/// Sets work and faults, in episodes with quiet time between them.
fn set_episodes(world: &mut World, length: Length) {
    let mut rng = Rng::new(world.seed ^ 0x5EED);
    let mut orders = Rng::new(world.seed ^ 0x0D0E);
    let clients = world.work.clients.len();
    for _ in 0..length.episodes {
        let begin = rng.between(10_000, length.safety_ms - EPISODE_MS);
        for client in 0..clients {
            for _ in 0..CALLS_PER_EPISODE {
                let at = begin + rng.between(0, EPISODE_MS);
                world.at(at, Event::Client(client));
            }
        }
        for _ in 0..FAULTS_PER_EPISODE {
            world.at(begin + rng.between(0, EPISODE_MS), Event::Fault);
        }
        if world.liar.is_some() {
            world.at(begin + rng.between(0, EPISODE_MS), Event::Lie);
        }
        world.set_desks(begin);
        // By chances of its own: the other seeds stay what they were.
        if world.seed % SUSPENSIONS_EVERY == 1 {
            let node = orders.below(world.cast.codes.len());
            let partners = world.cast.partners(node);
            let other = partners[orders.below(partners.len())];
            world.at(begin + orders.between(0, EPISODE_MS / 2), Event::Suspend(node, other));
            let end = begin + orders.between(EPISODE_MS / 2, 4 * EPISODE_MS);
            world.at(end, Event::Resume(node));
        }
    }
}

/// Nothing breaks any more: everything must come right.
fn settle(world: &mut World) {
    let healed = world.now;
    let mut quiet = 0;
    while world.checks.failure.is_none() {
        world.run_until(world.now + 10_000);
        for node in 0..world.cast.codes.len() {
            world.care(node);
        }
        match world.unsettled() {
            // Once is luck: it must stay so. A group that somebody has just begun, such as an
            // operator who needs a new epoch, is given some rounds to be written.
            None if quiet > 6 && (quiet > 12 || !world.gathers()) => {
                return world.nothing_piles_up_in_memory(true);
            }
            None => quiet += 1,
            Some(what) => {
                quiet = 0;
                if world.now > healed + SETTLED_WITHIN_MS {
                    let waits = waits(world);
                    world.checks.fail(format!("liveness: {what}{waits}"));
                }
            }
        }
        if let Some((ticket, node, _)) = world.work.unanswered(world.now, ANSWERED_WITHIN_MS) {
            world.checks.fail(format!("P7 {node} never answered call {ticket}"));
        }
    }
}

/// What every node says that it waits for.
fn waits(world: &mut World) -> String {
    let mut said = String::new();
    for node in 0..world.cast.codes.len() {
        let Some(status) = world.status(node) else { continue };
        for log in status.logs.iter().filter(|l| l.waiting_for.is_some() || l.stored > l.applied) {
            let (id, next) = (log.log.to_string(), log.applied);
            said += &format!("; {node}: {:.6} at {next} of {}", id, log.stored);
            let at = Position { log: log.log, index: next };
            let read = world.nodes[node].reader.as_ref().map(|r| r.entry(at));
            if let Some(Err(why)) = read {
                said += &format!(" ({why})");
            }
            if let Some((other, size)) = log.waiting_for {
                said += &format!(" waits for {size} of {:.6}", other.to_string());
            }
        }
    }
    said
}
