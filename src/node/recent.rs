//! Batches read lately: the callers of one group read its batch once, not once each.
//!
//! The batches of cases that are shown again and again stay here too: the first page of a list by
//! last days has fifty of them, one for each case.
//!
//! In scope: a few batches in memory, by their journal record. Out of scope: where a batch lies,
//! and what is in it ([`crate::node::load`]). Of what is erased the bytes
//! may stay here until others push them out; nobody is given them ([`crate::node::load`]).

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::journal::RecordRef;

/// Bytes of batches kept: those of the last groups and of cases at work.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// Batches kept: of small ones, as many as are looked through in a few hundred nanoseconds.
const BATCHES_MAX: usize = 512;

/// The batches read last, encoded, newest at the end.
#[derive(Default)]
pub(super) struct Recent(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    batches: VecDeque<(RecordRef, Bytes)>,
    bytes: usize,
}

impl Recent {
    /// The batch of a record, read if it is not here.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) fn batch<E>(
        &self,
        record: RecordRef,
        read: impl FnOnce() -> Result<Bytes, E>,
    ) -> Result<Bytes, E> {
        if let Some(batch) = self.find(record) {
            return Ok(batch);
        }
        // Read without the lock: two may read the same, nobody waits for a disk.
        let batch = read()?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += batch.len();
        kept.batches.push_back((record, batch.clone()));
        while kept.bytes > BYTES_MAX || kept.batches.len() > BATCHES_MAX {
            let Some((_, oldest)) = kept.batches.pop_front() else { break };
            kept.bytes -= oldest.len();
        }
        Ok(batch)
    }

    fn find(&self, record: RecordRef) -> Option<Bytes> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What is asked for again was mostly asked for a moment ago.
        let place = kept.batches.iter().rposition(|(known, _)| *known == record)?;
        let found = kept.batches.remove(place)?;
        let batch = found.1.clone();
        kept.batches.push_back(found);
        Some(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(number: u64) -> RecordRef {
        RecordRef { segment: 0, offset: 0, number }
    }

    /// How often it was read after asking for these, of so many bytes each.
    fn reads(recent: &Recent, asked: impl IntoIterator<Item = u64>, bytes: usize) -> usize {
        let mut reads = 0;
        for number in asked {
            let batch = Bytes::from(vec![number.to_le_bytes()[0]; bytes]);
            let read = || {
                reads += 1;
                Ok::<_, ()>(batch.clone())
            };
            assert_eq!(recent.batch(at(number), read).unwrap(), batch);
        }
        reads
    }

    #[test]
    fn a_batch_is_read_once_while_it_is_recent() {
        let recent = Recent::default();
        let all = BATCHES_MAX as u64;
        assert_eq!(reads(&recent, [0, 0], 8), 1);
        assert_eq!(reads(&recent, 1..all, 8), BATCHES_MAX - 1);
        assert_eq!(reads(&recent, [0], 8), 0, "used again, so it stays");
        assert_eq!(reads(&recent, [all, 0, 1], 8), 2, "the one unused for longest went");
        let failed: Result<_, &str> = recent.batch(at(7_000), || Err("damaged"));
        assert_eq!(failed.unwrap_err(), "damaged");
    }

    #[test]
    fn large_batches_take_no_more_room_than_small_ones() {
        let recent = Recent::default();
        let size = BYTES_MAX / 4;
        assert_eq!(reads(&recent, [1, 2, 3, 4, 1, 5], size), 5);
        assert_eq!(reads(&recent, [1, 3, 4, 5], size), 0);
        assert_eq!(reads(&recent, [2], size), 1);
        assert_eq!(recent.0.lock().unwrap().bytes, BYTES_MAX);
    }
}
