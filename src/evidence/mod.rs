//! Evidence files: bytes under their digest, on the local disk or in a store on another machine.
//!
//! A file comes in chunks into a *part*, which may be cut anywhere and goes on where it was. It
//! gets its place under its SHA-256 only when length, SHA-256 and SM3 are right and everything is
//! synced.
//! Names that people gave are kept beside it and name nothing on the disk.
//!
//! ```text
//! files/ab/ab12..   what is whole          about/ab/ab12..   its name, SM3, the cases that name it
//! rotten/ab/ab12..  what had that digest once; never read, kept until the right bytes come
//! incoming/ab12..   what is on its way, always on the local disk
//! senders/ab12..    who sends it and for which case: nobody else goes on with it
//! ```
//!
//! In scope: storing, going on, limits, collecting what nobody names. Out of scope: who may send
//! or read a file, and which record names it (the callers); what is in it: archives are never
//! unpacked.
//!
//! Invariants:
//! 1. What lies under a digest has that digest. (`a_wrong_byte_leaves_nothing`)
//! 2. A cut after any chunk loses no chunk. (`a_cut_after_any_chunk_goes_on`)
//! 3. All files and parts, with what was announced, stay below the folder's limit.
//!    (`announced_bytes_count_against_the_folder`)
//! 4. What one city has not finished stays below a limit of its own.
//!    (`unfinished_files_of_one_city_leave_room_for_others`)
//! 5. What has rotted is found and served no more; the right bytes take its place.
//!    (`what_has_rotted_is_set_aside_until_the_right_bytes_come`)
//! 6. What no record names goes after 24 hours, and nothing else does.
//!    (`what_no_record_names_goes_after_a_day`)
//! 7. A file came from whoever sent all of its bytes, and from nobody else.
//!    (`a_part_goes_on_only_for_its_sender_and_case`)

mod about;
mod check;
mod collect;
mod error;
mod hashes;
mod hashing;
mod incoming;
mod objects;
#[cfg(feature = "s3")]
pub mod s3;
mod sender;
mod store;
mod syncing;
#[cfg(test)]
mod tests;

pub use about::{About, CaseRef};
pub use check::{Checked, Watched};
pub use collect::{Collected, IsNamed};
pub use error::EvidenceError;
pub use hashes::BothHashes;
pub use incoming::{Incoming, Wanted};
pub use objects::{Elsewhere, Health};
pub use store::{EvidenceLimits, EvidenceState, EvidenceStore, Noted};
