//! Exchange with other cities: who follows whose log from where, and what may be sent.
//!
//! In scope: PURE decisions ([`exchange`], [`links`], [`serving`], [`source`]) and the frames they
//! speak of ([`frame`]). Out of scope: sockets and tasks ([`crate::node`]), protobuf
//! ([`crate::wire`]), whether a batch is genuine ([`crate::log`]).

pub mod exchange;
pub mod frame;
pub mod links;
pub mod serving;
pub mod source;

pub use exchange::{Action, Exchange, LogInfo, Logs};
pub use frame::{AgreementState, Cosign, Frame, Hello, LinkId, LogState, RawBatch, RawEntry};
pub use links::Greeting;
