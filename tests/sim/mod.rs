//! The simulation: real cores on simulated disks, links, clocks and processes, all of it chosen
//! by a seed; checkers that look at every step.
//!
//! A run has a safety phase, in which everything may break, and a liveness phase, in which nothing
//! does any more and everything must come right within a bounded time. The same seed gives the
//! same run, to the last bit of its trace.
//!
//! `cargo run --profile sim --example simulate -- --seed N` replays one seed.

#![expect(clippy::wildcard_enum_match_arm, reason = "the simulation looks at a few kinds of many")]

pub mod cast;
pub mod checkers;
pub mod disk;
pub mod draws;
pub mod erasures;
mod evidence;
pub mod faults;
pub mod liar;
pub mod meetings;
pub mod moves;
pub mod net;
pub mod node;
pub mod notes;
pub mod notices;
pub mod operator;
pub mod plans;
pub mod plants;
pub mod quotas;
pub mod referrals;
pub mod rng;
pub mod rows;
pub mod run;
pub mod sites;
pub mod tally;
pub mod trace;
pub mod units;
pub mod workload;
pub mod world;
