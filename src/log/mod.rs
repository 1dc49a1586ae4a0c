//! PURE: order and honesty of entries. What an event means is unknown here.
//!
//! In scope: RFC 6962 trees, C2SP notes, manifests, batches, heads.
//! Out of scope: meaning ([`crate::domain`]), bytes on disk ([`crate::journal`]), protobuf.

pub mod entry;

pub use entry::{
    ActorRef, ActorRole, Audience, Entry, Envelope, Head, PartKind, PartRef, PartSlot, RequestTags,
    Subject, SubjectKind, subject_id,
};
