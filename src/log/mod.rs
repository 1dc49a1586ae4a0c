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
//! | [`checkpoint`] | checkpoints, cosignatures |
//! | [`fork`] | proofs that a city signed two histories |
//! | [`manifest`] | what a log is; its id |
//! | [`batch`] | the one door for another city's entries |
//! | [`heads`] | how far logs are known, and what is missing |
//! | [`error`] | why entries and batches are turned away |

pub mod batch;
pub mod checkpoint;
pub mod entry;
pub mod error;
pub mod fork;
pub mod heads;
pub mod keys;
pub mod manifest;
pub mod merkle;
pub mod note;
pub mod text;
pub mod witness_proof;

pub use batch::{Accepted, Batch, Owed, accept_batch, check_announced};
pub use checkpoint::{
    Checkpoint, CheckpointError, SignedCheckpoint, cosign, origin, verify_cosignature, witness_name,
};
pub use entry::{
    ActorRef, ActorRole, Audience, Entry, Envelope, Head, PartKind, PartRef, PartSlot, RequestTags,
    Subject, SubjectKind, check_entry, subject_id,
};
pub use error::{AppendError, EntryError};
pub use fork::ForkProof;
pub use heads::{Heads, Range, missing};
pub use keys::{KeyError, SigningKey, VerifyingKey};
pub use manifest::{
    HashAlgorithm, Manifest, ManifestError, SignatureAlgorithm, SignedManifest, city_key_name,
};
pub use merkle::{Frontier, LeafSource, leaf_hash};
pub use note::{Note, NoteAlg, NoteError, NoteKey, SignatureLine, Verified};
pub use text::{FreeText, TextError, TextReader, TextWriter};
pub use witness_proof::WitnessProof;
