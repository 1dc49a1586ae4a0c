//! Batches read lately: the callers of one group read its batch once, not once each.
//!
//! In scope: a few batches in memory, by their journal record. Out of scope: where a batch lies
//! ([`crate::node::load`]). A record's bytes never change, so nothing here grows old.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::journal::RecordRef;
use crate::sync::RawBatch;

/// Batches kept: of 1 MiB each at the most, those of the last groups and of cases at work.
const BATCHES_MAX: usize = 16;

/// The batches read last, newest at the end.
#[derive(Default)]
pub(super) struct Recent(Mutex<VecDeque<(RecordRef, Arc<RawBatch>)>>);

impl Recent {
    /// The batch of a record, read if it is not here.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) fn batch<E>(
        &self,
        record: RecordRef,
        read: impl FnOnce() -> Result<RawBatch, E>,
    ) -> Result<Arc<RawBatch>, E> {
        if let Some(batch) = self.find(record) {
            return Ok(batch);
        }
        // Read without the lock: two may read the same once, nobody waits for a disk.
        let batch = Arc::new(read()?);
        let mut batches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if batches.len() >= BATCHES_MAX {
            batches.pop_front();
        }
        batches.push_back((record, Arc::clone(&batch)));
        Ok(batch)
    }

    fn find(&self, record: RecordRef) -> Option<Arc<RawBatch>> {
        let mut batches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = batches.iter().position(|(known, _)| *known == record)?;
        let found = batches.remove(place)?;
        let batch = Arc::clone(&found.1);
        batches.push_back(found);
        Some(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::LogId;

    fn batch(from: u64) -> RawBatch {
        let log = LogId::new([1; 32]);
        RawBatch { log, from, entries: Vec::new(), checkpoint: bytes::Bytes::new() }
    }

    #[test]
    fn a_batch_is_read_once_while_it_is_recent() {
        let recent = Recent::default();
        let at = |number| RecordRef { segment: 0, offset: 0, number };
        let mut reads = 0;
        let mut ask = |number: u64| {
            let read = || {
                reads += 1;
                Ok::<_, ()>(batch(number))
            };
            assert_eq!(recent.batch(at(number), read).unwrap().from, number);
            reads
        };
        assert_eq!((ask(0), ask(0)), (1, 1));
        for number in 1..BATCHES_MAX as u64 {
            ask(number);
        }
        assert_eq!(ask(0), 16, "used again, so it stays");
        assert_eq!(ask(99), 17);
        assert_eq!((ask(0), ask(1)), (17, 18), "the one unused for longest went");
        let failed: Result<_, &str> = recent.batch(at(7_000), || Err("damaged"));
        assert_eq!(failed.unwrap_err(), "damaged");
    }
}
