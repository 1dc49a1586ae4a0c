//! One group commit: what it will write, what it changes, and how to take it back.
//!
//! Rows of the current group lie over the committed rows, so that the second command of a group
//! is decided on what the first one did. Nothing outside sees them before the sync.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::api::request::{Request, WriteError, Written};
use crate::ids::LogId;
use crate::journal::RecordKind;
use crate::log::Head;
use crate::node::core::io::{Output, Ticket};
use crate::node::core::logs::Growth;
use crate::store::{Store, WriteBehind};
use crate::sync::{LinkId, RawBatch};
use crate::view::{ReadRows, Rows};
use crate::wire::entry::ParsedHeader;

/// Changed rows: `None` deletes.
pub type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A stretch of another log, verified and waiting for the sync.
#[derive(Debug)]
pub struct Ingested {
    /// Over which link it came.
    pub link: LinkId,
    /// As it will be stored.
    pub batch: RawBatch,
    /// Its headers, parsed.
    pub headers: Vec<ParsedHeader>,
    /// The log after it.
    pub head: Head,
    /// Signed bytes that came.
    pub bytes: u64,
}

/// What one group commit gathers.
#[derive(Debug, Default)]
pub struct Group {
    /// Row changes.
    pub changes: Changes,
    /// State of the logs before the group.
    pub saved: BTreeMap<LogId, Growth>,
    /// Apply number before the group.
    pub apply_before: u64,
    /// Small records, written before everything else: manifests, charters, cards, receipts.
    pub small: Vec<(RecordKind, Bytes)>,
    /// Stretches that were damaged here and have come again, with their headers.
    pub mended: Vec<(RawBatch, Vec<ParsedHeader>)>,
    /// Stretches of other logs, in order of arrival.
    pub ingested: Vec<Ingested>,
    /// The logs of these, one for each stretch that is still to be applied.
    pub coming: VecDeque<LogId>,
    /// Answers to give once it is on disk.
    pub answers: Vec<(Ticket, Result<Written, WriteError>)>,
    /// Anything to write.
    pub dirty: bool,
    /// Outputs to release once it is on disk.
    pub after: Vec<Output>,
}

/// Writes that wait for the next group, in order of arrival.
#[derive(Debug, Default)]
pub struct Queue {
    /// The writes.
    pub writes: Vec<(Ticket, Box<Request>)>,
}

/// Rows of a group over committed rows.
pub struct GroupRows<'a, S: Store> {
    /// The group's own.
    pub changes: &'a mut Changes,
    /// The committed ones.
    pub base: &'a WriteBehind<S>,
}

impl<S: Store> ReadRows for GroupRows<'_, S> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        match self.changes.get(key) {
            Some(changed) => changed.clone(),
            None => self.base.read().get(key).ok().flatten(),
        }
    }

    fn scan(&self, from: &[u8], to: &[u8], reverse: bool, f: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        merge_scan(self.changes, &self.base.read(), (from, to), reverse, f);
    }
}

impl<S: Store> Rows for GroupRows<'_, S> {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.changes.insert(key, Some(value));
    }

    fn delete(&mut self, key: &[u8]) {
        self.changes.insert(key.to_vec(), None);
    }
}

/// Walks the range over both, in order; the group's rows win, deleted ones are left out.
fn merge_scan<S: Store>(
    changes: &Changes,
    base: &crate::store::Reading<'_, S>,
    (from, to): (&[u8], &[u8]),
    reverse: bool,
    f: &mut dyn FnMut(&[u8], &[u8]) -> bool,
) {
    if from >= to {
        return;
    }
    let range =
        changes.range::<[u8], _>((std::ops::Bound::Included(from), std::ops::Bound::Excluded(to)));
    let mut own: Vec<(&Vec<u8>, &Option<Vec<u8>>)> = range.collect();
    // The next own row is at the end of the list.
    if !reverse {
        own.reverse();
    }
    let before = |a: &[u8], b: &[u8]| if reverse { a > b } else { a < b };
    let mut going = true;
    let scanned = base.scan(from, to, reverse, &mut |key, value| {
        while let Some((own_key, own_value)) = own.last().copied() {
            if !before(own_key, key) {
                break;
            }
            own.pop();
            if let Some(own_value) = own_value {
                going = f(own_key, own_value);
                if !going {
                    return false;
                }
            }
        }
        if let Some((own_key, own_value)) = own.last().copied()
            && own_key.as_slice() == key
        {
            own.pop();
            going = own_value.as_ref().is_none_or(|own_value| f(key, own_value));
        } else {
            going = f(key, value);
        }
        going
    });
    if let Err(error) = scanned {
        tracing::error!(%error, "could not scan the views");
    }
    while going {
        let Some((key, value)) = own.pop() else { break };
        if let Some(value) = value {
            going = f(key, value);
        }
    }
}
