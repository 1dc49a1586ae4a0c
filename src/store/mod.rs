//! Views on disk: rows by key, in one tree of sled. Never the truth: all of it can be rebuilt.
//!
//! In scope: rows, ordered scans, writing behind the writer's back. Out of scope: what a row
//! means ([`crate::node`], [`crate::view`]).

mod mem_store;
mod redo;
mod sled_store;
mod write_behind;

pub use mem_store::MemStore;
pub use sled_store::{Opened, SledStore};
pub use write_behind::{Reading, WriteBehind};

/// Why rows could not be read or written. Nothing is lost: they are rebuilt from the journal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("views: {0}")]
pub struct StoreError(pub String);

/// Changed rows: `None` deletes.
pub type Batch = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// Rows by key.
pub trait Store: Send + Sync + 'static {
    /// One row.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Walks the rows from `from` (inclusive) to `to` (exclusive), in order or in reverse, until
    /// `f` says no.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        f: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError>;

    /// Applies changes, all or none of them.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn apply(&self, batch: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<(), StoreError>;

    /// Removes all rows.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails; some rows may be left then.
    fn clear(&self) -> Result<(), StoreError>;

    /// Everything applied is handed to the operating system.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn flush(&self) -> Result<(), StoreError>;
}
