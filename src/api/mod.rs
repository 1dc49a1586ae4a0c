//! PURE: what is asked of a node, and what it answers, as plain values.
//!
//! In scope: requests, refusals, the state of a node. Out of scope: protobuf and gRPC codes
//! ([`crate::wire`]), how any of it comes about ([`crate::node`]).

pub mod case_parts;
pub mod order;
pub mod plan;
pub mod request;
pub mod status;
