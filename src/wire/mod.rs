//! The only home of generated protobuf code; conversions between it and our types.
//!
//! In scope: reading and writing messages, choosing gRPC status codes.
//! Out of scope: what a message means; nothing here decides anything.

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
