//! HJ 212-2017: what on-line monitoring devices send, read from bytes and judged against limits.
//!
//! In scope: frames, checksums, fields, split packets, flags, limits; all of it pure. Out of scope:
//! files, sockets, and the clue that is drafted ([`crate::cli::ingest`]).
//!
//! Invariants:
//! 1. Nothing that leaves [`frame::Framer`] can hold a password, refusals included.
//!    (`no_password_comes_through`, `a_password_is_no_field`)
//! 2. What is kept between reads is bounded. (`the_buffer_is_bounded`,
//!    `what_does_not_come_is_given_up`)

pub mod crc;
pub mod field;
pub mod frame;
pub mod join;
pub mod judge;
pub mod number;
pub mod packet;
pub mod refused;
pub mod time;

pub use frame::{Found, Framer, acknowledgement};
pub use join::{Joined, Joiner, Message};
pub use judge::{Kind, Limit, NotJudged, Over, Station, Verdict, judge};
pub use packet::Packet;
pub use refused::{Ignored, Passed, Refusal, Refused};

/// The packets of the tests.
#[cfg(test)]
pub mod samples {
    /// A water source: COD 83.2 and ammonia 6.21, both flag N.
    pub const WATER: &str = include_str!("../../examples/hj212/water.txt").trim_ascii_end();
    /// An air source: dust and SO2 flag N, NOx flag D.
    pub const AIR: &str = include_str!("../../examples/hj212/air.txt").trim_ascii_end();
}
