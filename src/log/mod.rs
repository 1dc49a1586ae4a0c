//! PURE: order and honesty of entries. What an event means is unknown here.
//!
//! In scope: RFC 6962 trees, C2SP notes, manifests, batches, heads.
//! Out of scope: meaning ([`crate::domain`]), bytes on disk ([`crate::journal`]), protobuf.
//!
//! | module | what it holds |
//! |---|---|
//! | [`entry`] | entries, and the rules each obeys wherever it stands |
//! | [`merkle`] | frontier, roots, inclusion and consistency proofs |
//! | [`keys`] | strict Ed25519 |
//! | [`text`] | canonical `key: value` texts, for manifest, charter and card |
//! | [`note`] | signed notes and their lines |
//! | [`checkpoint`] | checkpoints, cosignatures, fork proofs |
//! | [`manifest`] | what a log is; its id |

pub mod checkpoint;
pub mod entry;
pub mod keys;
pub mod manifest;
pub mod merkle;
pub mod note;
pub mod text;

pub use checkpoint::{
    Checkpoint, CheckpointError, ForkProof, SignedCheckpoint, cosign, origin, verify_cosignature,
    witness_name,
};
pub use entry::{
    ActorRef, ActorRole, Audience, Entry, Envelope, Head, PartKind, PartRef, PartSlot, RequestTags,
    Subject, SubjectKind, subject_id,
};
pub use keys::{KeyError, SigningKey, VerifyingKey};
pub use manifest::{
    HashAlgorithm, Manifest, ManifestError, SignatureAlgorithm, SignedManifest, city_key_name,
};
pub use merkle::{Frontier, LeafSource, leaf_hash};
pub use note::{Note, NoteAlg, NoteError, NoteKey, SignatureLine, Verified};
pub use text::{FreeText, TextError, TextReader, TextWriter};
