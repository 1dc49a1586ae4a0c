//! The only home of generated protobuf code; conversions between it and our types.
//!
//! In scope: reading and writing messages, choosing gRPC status codes.
//! Out of scope: what a message means; nothing here decides anything.
//!
//! | module | what it reads and writes |
//! |---|---|
//! | [`entry`] | headers: the signed bytes of a log |
//! | [`part`] | parts: what people typed |
//! | [`batch`] | batches, in the journal and between cities |
//! | [`peer`] | frames of the exchange, late parts and cosignatures in the journal |
//! | [`status`], [`reasons`] | refusals: the only place where gRPC codes are chosen |
//! | [`catalog`] | legal bases and terms, for the catalogue |
//! | [`words`] | what people read for every value of every enum |
//! | [`codec`] | the gRPC codec: counts a message's elements before it decodes them |
//!
//! Every `parse_` takes bytes of strangers: it is bounded by [`crate::limits`] and ends in a value
//! or in a [`WireError`], never in a panic.

pub mod batch;
pub mod case;
pub mod catalog;
mod code;
pub mod codec;
pub mod entry;
mod envelope;
pub mod error;
mod event;
pub mod evidence;
pub mod evidence_file;
mod facts;
mod hello;
pub mod meeting;
pub mod notice;
pub mod part;
pub mod patience;
pub mod peer;
pub mod plan;
pub mod plan_call;
pub mod plan_part;
pub mod plan_shown;
pub mod reasons;
pub mod record;
pub mod referral;
pub mod same_act;
mod scan;
pub mod site;
pub mod status;
pub mod unit;
pub mod words;

#[cfg(test)]
mod tests;

pub use error::WireError;

/// Generated code of `liandong.v1` and `liandong.peer.v1`.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod pb {
    /// What cities' own systems and people call.
    pub mod v1 {
        tonic::include_proto!("liandong.v1");
    }
    /// What nodes of member cities say to each other.
    pub mod peer {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("liandong.peer.v1");
        }
    }
    pub use peer::v1 as peer_v1;
}

/// The descriptor set of all services, for reflection and tests.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
