//! Views that outlive their process as far as they were written: behind by some groups, gone, or
//! failing. Groups are whole and in order, and what failed is seen until the process ends, as the
//! store behind promises.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use liandong::store::{Store, StoreError};

/// Groups that may still be taken back.
const GROUPS_KEPT: usize = 24;

type Change = (Vec<u8>, Option<Vec<u8>>);

#[derive(Debug, Default)]
struct Inner {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What each of the last groups replaced.
    replaced: VecDeque<Vec<Change>>,
    fails: bool,
    failed: u64,
    /// A group is seen that is not on the medium.
    broken: bool,
}

/// Clones share the rows.
#[derive(Clone, Debug, Default)]
pub struct SimRows(Arc<RwLock<Inner>>);

impl SimRows {
    /// Whoever scans may read on: one thread holds it several times.
    fn seen(&self) -> RwLockReadGuard<'_, Inner> {
        self.0.read().unwrap()
    }

    fn inner(&self) -> RwLockWriteGuard<'_, Inner> {
        self.0.write().unwrap()
    }

    /// The last groups were not written yet when the process died; tells how many are gone.
    pub fn fall_back(&self, groups: usize) -> usize {
        let mut inner = self.inner();
        for done in 0..groups {
            let Some(group) = inner.replaced.pop_back() else { return done };
            for (key, value) in group {
                match value {
                    Some(value) => inner.rows.insert(key, value),
                    None => inner.rows.remove(&key),
                };
            }
        }
        groups
    }

    pub fn is_empty(&self) -> bool {
        self.seen().rows.is_empty()
    }

    /// Groups that could not be written since this was last asked.
    pub fn failures(&self) -> u64 {
        std::mem::take(&mut self.inner().failed)
    }

    /// Groups are seen that were never written: this process reads them, no later one may.
    pub fn is_broken(&self) -> bool {
        self.seen().broken
    }

    /// The next group cannot be written. As the store behind promises, it is seen all the same.
    pub fn fail_next(&self) {
        self.inner().fails = true;
    }
}

impl Store for SimRows {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.seen().rows.get(key).cloned())
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
        let inner = self.seen();
        let mut range = inner.rows.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        let mut next = || if reverse { range.next_back() } else { range.next() };
        while let Some((key, value)) = next() {
            if !f(key, value) {
                break;
            }
        }
        Ok(())
    }

    fn apply(&self, batch: &[Change]) -> Result<(), StoreError> {
        let mut inner = self.inner();
        let fails = std::mem::take(&mut inner.fails);
        inner.failed += u64::from(fails);
        inner.broken |= fails;
        let mut replaced = Vec::with_capacity(batch.len());
        for (key, value) in batch {
            let before = match value {
                Some(value) => inner.rows.insert(key.clone(), value.clone()),
                None => inner.rows.remove(key),
            };
            replaced.push((key.clone(), before));
        }
        inner.replaced.push_back(replaced);
        if inner.replaced.len() > GROUPS_KEPT {
            inner.replaced.pop_front();
        }
        if fails { Err(StoreError("the engine failed".to_owned())) } else { Ok(()) }
    }

    fn clear(&self) -> Result<(), StoreError> {
        let mut inner = self.inner();
        inner.rows.clear();
        inner.replaced.clear();
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
