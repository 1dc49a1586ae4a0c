//! Rows written behind: visible at once, on disk a little later, by a thread of their own.
//!
//! Readers see the not yet written changes first. Groups are written in order and whole, so the
//! progress row is never ahead of what it covers. The queue is bounded and pushes back.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;

use super::{Batch, Store, StoreError};

/// Rows that may wait to be written.
const QUEUE_ROWS_MAX: usize = 64 * 1024;
/// Rows in one batch of the store, unless one group alone is larger: sled holds a lock meanwhile.
const BATCH_ROWS_MAX: usize = 512;

/// A changed row and the group that changed it last.
type Overlay = BTreeMap<Vec<u8>, (u64, Option<Vec<u8>>)>;

#[derive(Default)]
struct Queue {
    groups: VecDeque<(u64, Batch)>,
    rows: usize,
    next_group: u64,
    /// Groups taken off the queue and written.
    written: u64,
    busy: bool,
    stopping: bool,
    failed: Option<StoreError>,
}

struct Shared<S> {
    store: S,
    overlay: RwLock<Overlay>,
    queue: Mutex<Queue>,
    /// Something was queued, or something was written.
    moved: Condvar,
    /// The first failure of the store, of a read or a write.
    broken: OnceLock<StoreError>,
}

impl<S> Shared<S> {
    fn failure(&self) -> Option<StoreError> {
        self.broken.get().cloned()
    }

    /// Remembers the first failure.
    fn noted<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result {
            let _ = self.broken.set(error.clone());
        }
        result
    }
}

/// Rows over a store, written behind.
pub struct WriteBehind<S: Store> {
    shared: Arc<Shared<S>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    synchronous: bool,
}

/// Rows, consistent while held.
pub struct Reading<'a, S: Store> {
    overlay: RwLockReadGuard<'a, Overlay>,
    shared: &'a Shared<S>,
}

impl<S: Store> WriteBehind<S> {
    /// Starts the writing thread.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(store: S) -> std::io::Result<Self> {
        let mut behind = Self::synchronous(store);
        let shared = Arc::clone(&behind.shared);
        let thread = std::thread::Builder::new()
            .name("views".to_owned())
            .spawn(move || write_groups(&shared))?;
        behind.thread = Mutex::new(Some(thread));
        behind.synchronous = false;
        Ok(behind)
    }

    /// Without a thread: every commit is written at once.
    #[must_use]
    pub fn synchronous(store: S) -> Self {
        let shared = Shared {
            store,
            overlay: RwLock::default(),
            queue: Mutex::default(),
            moved: Condvar::new(),
            broken: OnceLock::new(),
        };
        Self { shared: Arc::new(shared), thread: Mutex::new(None), synchronous: true }
    }

    /// Makes a group of changes visible, all at once, and queues it. Waits while too much waits.
    ///
    /// # Errors
    /// [`StoreError`] when an earlier group could not be written; the changes are visible all the
    /// same and are rebuilt at the next start.
    pub fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        if self.synchronous {
            // The lock makes the group visible at once to readers.
            let _writing = self.shared.overlay.write().unwrap_or_else(PoisonError::into_inner);
            return self.shared.noted(self.shared.store.apply(&batch));
        }
        let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        while queue.rows > QUEUE_ROWS_MAX && queue.failed.is_none() {
            queue = self.shared.moved.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let group = queue.next_group;
        queue.next_group += 1;
        let failed = queue.failed.clone();
        {
            let mut overlay = self.shared.overlay.write().unwrap_or_else(PoisonError::into_inner);
            for (key, value) in &batch {
                overlay.insert(key.clone(), (group, value.clone()));
            }
        }
        if let Some(failed) = failed {
            return Err(failed);
        }
        queue.rows += batch.len();
        queue.groups.push_back((group, batch));
        self.shared.moved.notify_all();
        Ok(())
    }

    /// Why the store can no longer be relied on, if so: a read or a write has failed. What was
    /// committed so far reads as it should; nothing further should be decided on it.
    #[must_use]
    pub fn failure(&self) -> Option<StoreError> {
        self.shared.failure()
    }

    /// How far the writing thread has got: groups written so far, and whether any wait.
    #[must_use]
    pub fn written(&self) -> (u64, bool) {
        let queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        (queue.written, queue.busy || !queue.groups.is_empty())
    }

    /// Removes all rows, those that wait to be written too.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    pub fn clear(&self) -> Result<(), StoreError> {
        if !self.synchronous {
            self.flush()?;
        }
        let mut overlay = self.shared.overlay.write().unwrap_or_else(PoisonError::into_inner);
        overlay.clear();
        self.shared.store.clear()
    }

    /// Rows, consistent while held. Drop it soon: commits wait for it.
    #[must_use]
    pub fn read(&self) -> Reading<'_, S> {
        let overlay = self.shared.overlay.read().unwrap_or_else(PoisonError::into_inner);
        Reading { overlay, shared: &self.shared }
    }

    /// Waits until everything committed is written.
    ///
    /// # Errors
    /// [`StoreError`] when a group could not be written.
    pub fn flush(&self) -> Result<(), StoreError> {
        let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        while (queue.busy || !queue.groups.is_empty()) && queue.failed.is_none() {
            queue = self.shared.moved.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        match &queue.failed {
            Some(failed) => Err(failed.clone()),
            None => self.shared.store.flush(),
        }
    }
}

impl<S: Store> Drop for WriteBehind<S> {
    /// Writes what waits and ends the thread.
    fn drop(&mut self) {
        {
            let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.stopping = true;
            self.shared.moved.notify_all();
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn write_groups<S: Store>(shared: &Shared<S>) {
    loop {
        let Some((last, batch)) = next_batch(shared) else { return };
        let written = shared.noted(shared.store.apply(&batch));
        let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.busy = false;
        match written {
            Ok(()) => {
                queue.written = last + 1;
                let mut overlay = shared.overlay.write().unwrap_or_else(PoisonError::into_inner);
                for (key, _) in &batch {
                    if overlay.get(key).is_some_and(|(group, _)| *group <= last) {
                        overlay.remove(key);
                    }
                }
            }
            Err(error) => {
                tracing::error!(%error, "the views cannot be written; a restart rebuilds them");
                queue.failed = Some(error);
                queue.groups.clear();
                queue.rows = 0;
            }
        }
        shared.moved.notify_all();
        if queue.failed.is_some() {
            return;
        }
    }
}

/// Takes whole groups off the queue, the later value of a key winning; `None` at the end.
fn next_batch<S: Store>(shared: &Shared<S>) -> Option<(u64, Batch)> {
    let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
    while queue.groups.is_empty() {
        if queue.stopping {
            return None;
        }
        queue = shared.moved.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
    let mut rows: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
    let mut last = 0;
    while let Some((_, batch)) = queue.groups.front() {
        if !rows.is_empty() && rows.len() + batch.len() > BATCH_ROWS_MAX {
            break;
        }
        let Some((group, batch)) = queue.groups.pop_front() else { break };
        queue.rows = queue.rows.saturating_sub(batch.len());
        last = group;
        rows.extend(batch);
    }
    queue.busy = true;
    Some((last, rows.into_iter().collect()))
}

impl<S: Store> Reading<'_, S> {
    /// One row.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.overlay.get(key) {
            Some((_, value)) => Ok(value.clone()),
            None => self.shared.noted(self.shared.store.get(key)),
        }
    }

    /// Walks the rows from `from` (inclusive) to `to` (exclusive), in order or in reverse, until
    /// `f` says no.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    pub fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        f: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        if from >= to {
            return Ok(());
        }
        let range = (Bound::Included(from), Bound::Excluded(to));
        let over =
            self.overlay.range::<[u8], _>(range).map(|(k, (_, v))| (k.as_slice(), v.as_deref()));
        let store = &self.shared.store;
        self.shared.noted(if reverse {
            merge(over.rev(), store, (from, to), reverse, f)
        } else {
            merge(over, store, (from, to), reverse, f)
        })
    }
}

/// Walks `over` and the store together, in order; `over` wins, and its `None`s hide.
pub(crate) fn merge<'a>(
    over: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
    store: &dyn Store,
    (from, to): (&[u8], &[u8]),
    reverse: bool,
    f: &mut dyn FnMut(&[u8], &[u8]) -> bool,
) -> Result<(), StoreError> {
    let before = |a: &[u8], b: &[u8]| if reverse { a > b } else { a < b };
    let mut over = over.peekable();
    let mut going = true;
    store.scan(from, to, reverse, &mut |key, value| {
        while let Some((own, change)) = over.next_if(|(own, _)| before(own, key)) {
            going = change.is_none_or(|change| f(own, change));
            if !going {
                return false;
            }
        }
        going = match over.next_if(|(own, _)| *own == key) {
            Some((_, change)) => change.is_none_or(|change| f(key, change)),
            None => f(key, value),
        };
        going
    })?;
    while going {
        let Some((own, change)) = over.next() else { break };
        going = change.is_none_or(|change| f(own, change));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
