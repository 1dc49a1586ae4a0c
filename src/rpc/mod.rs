//! Services: thin. Parse, ask the node, convert.
//!
//! In scope: who calls ([`caller`]), each service in its file. Out of scope: decisions (the node),
//! gRPC codes ([`crate::wire::status`]).

pub mod agreement_service;
pub mod caller;
pub mod case_read;
pub mod case_service;
pub mod node_service;
pub mod peer_service;
