//! Rows in memory: for simulations and tests, and for a node on a full disk.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

use super::{Store, StoreError};

/// Rows in memory.
#[derive(Debug, Default)]
pub struct MemStore(RwLock<BTreeMap<Vec<u8>, Vec<u8>>>);

impl Store for MemStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
    }

    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        f: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        if from >= to {
            return Ok(());
        }
        let rows = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut range = rows.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        let mut next = || if reverse { range.next_back() } else { range.next() };
        while let Some((key, value)) = next() {
            if !f(key, value) {
                break;
            }
        }
        Ok(())
    }

    fn apply(&self, batch: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<(), StoreError> {
        let mut rows = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in batch {
            match value {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        Ok(())
    }

    fn clear(&self) -> Result<(), StoreError> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
