//! The node: one writer (the core), cheap handles, links to the members.
//!
//! In scope: running the pure parts on real disks, clocks and sockets. Out of scope: what they
//! decide.

pub mod alert;
mod alone;
mod assigned;
pub mod clock;
pub mod core;
pub mod dial;
mod drafted;
pub mod due;
pub mod evidence;
pub mod evidence_scrub;
pub mod guard;
pub mod link;
pub mod load;
pub mod nudge;
mod orders;
mod own_part;
pub mod pieces;
mod place;
pub mod plan_look;
mod plan_month;
pub mod plan_reserved;
pub mod plan_roll;
mod plan_sent;
pub mod plan_summed;
pub mod reader;
mod reading;
mod recent;
pub mod ringer;
pub mod roll;
pub mod roster;
pub mod same_act;
pub mod scrub;
pub mod search;
pub mod shell;
pub mod traffic;
pub mod watchdog;
pub mod writer;
