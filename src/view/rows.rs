//! Rows by key, as the fold needs them.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Rows to read.
pub trait ReadRows {
    /// One row.
    fn get(&self, key: &[u8]) -> Option<Vec<u8>>;
    /// Walks the rows from `from` (inclusive) to `to` (exclusive), in order or in reverse, until
    /// `f` says no.
    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        f: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    );
}

/// Rows to read and change.
pub trait Rows: ReadRows {
    /// Sets a row.
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>);
    /// Removes a row.
    fn delete(&mut self, key: &[u8]);
}

/// Rows in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemRows(pub BTreeMap<Vec<u8>, Vec<u8>>);

impl ReadRows for MemRows {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.get(key).cloned()
    }

    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        f: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) {
        if from >= to {
            return;
        }
        let mut range = self.0.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        let mut next = || if reverse { range.next_back() } else { range.next() };
        while let Some((key, value)) = next() {
            if !f(key, value) {
                return;
            }
        }
    }
}

impl Rows for MemRows {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.0.insert(key, value);
    }

    fn delete(&mut self, key: &[u8]) {
        self.0.remove(key);
    }
}

/// Reads and decodes a row.
pub(super) fn get<T: DeserializeOwned>(rows: &(impl ReadRows + ?Sized), key: &[u8]) -> Option<T> {
    rows.get(key).and_then(|bytes| postcard::from_bytes(&bytes).ok())
}

/// Encodes a row; these types have no failing serializers.
pub(super) fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).unwrap_or_default()
}

/// Encodes and sets a row.
pub(super) fn put<T: Serialize>(rows: &mut (impl Rows + ?Sized), key: Vec<u8>, value: &T) {
    rows.put(key, bytes(value));
}
