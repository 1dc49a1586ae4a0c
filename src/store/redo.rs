//! Many rows of sled's at once, without its own batches.
//!
//! `apply_batch` of sled 0.34 makes every reader of the process wait until the whole batch is in,
//! and rolls its write buffer twice. A group of rows is therefore first written down in a tree of
//! its own, and then put row by row. sled recovers a prefix of what one thread has put, so after a
//! crash a group is here whole, can be finished from what was written down, or has never been.
//!
//! In scope: groups that survive a kill whole. Out of scope: what readers see meanwhile
//! ([`super::write_behind`] hides a group until it is in); damage after a power cut, which sled's
//! checksums and a rebuild from the journal deal with.
//!
//! Invariants:
//! 1. A group is finished or absent at every point where the process may end.
//!    (`a_group_cut_anywhere_is_whole_or_absent`)

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// A row and its new value; `None` removes it.
pub(super) type Change = (Vec<u8>, Option<Vec<u8>>);

/// Bytes of changes written down in one value: sled moves much larger ones to files it does not
/// sync.
const CHUNK_BYTES_MAX: usize = 64 * 1024;
/// The newest group that is written down whole. Chunks have their number for a key, in 4 bytes.
const NEWEST: &[u8] = b"newest";

/// A group whose chunks are all there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Newest {
    group: u64,
    chunks: u32,
}

#[derive(Serialize, Deserialize)]
struct Chunk {
    group: u64,
    changes: Vec<Change>,
}

/// Puts groups of rows into a tree.
#[derive(Debug)]
pub(super) struct Redo {
    rows: sled::Tree,
    notes: sled::Tree,
    group: AtomicU64,
}

impl Redo {
    /// Finishes the group that was being put when the process ended, if there is one.
    pub(super) fn open(db: &sled::Db) -> sled::Result<Self> {
        let notes = db.open_tree("redo")?;
        let this = Self { rows: (**db).clone(), notes, group: AtomicU64::new(0) };
        if let Some(newest) = this.notes.get(NEWEST)? {
            let newest: Newest = decode(&newest)?;
            this.group.store(newest.group, Ordering::Relaxed);
            for change in this.written_down(newest)?.into_iter().flatten() {
                this.put(&change)?;
            }
        }
        Ok(this)
    }

    /// The changes of a group; `None` when a later one has begun to take its place, which it does
    /// only after this one is in.
    fn written_down(&self, newest: Newest) -> sled::Result<Option<Vec<Change>>> {
        let mut changes = Vec::new();
        for number in 0..newest.chunks {
            let missing =
                || sled::Error::Unsupported("a chunk of the last group is missing".into());
            let chunk = self.notes.get(number.to_be_bytes())?.ok_or_else(missing)?;
            let chunk: Chunk = decode(&chunk)?;
            if chunk.group != newest.group {
                return Ok(None);
            }
            changes.extend(chunk.changes);
        }
        Ok(Some(changes))
    }

    /// Puts a group. One thread at a time: the order of puts is what recovery rests on.
    pub(super) fn apply(&self, changes: &[Change]) -> sled::Result<()> {
        self.apply_while(changes, &mut || true)
    }

    /// The same, for as long as `go_on` says so before each put.
    fn apply_while(&self, changes: &[Change], go_on: &mut dyn FnMut() -> bool) -> sled::Result<()> {
        // A single row too: an older group written down would otherwise bring back what it changed.
        if !self.write_down(changes, go_on)? {
            return Ok(());
        }
        for change in changes {
            if !go_on() {
                return Ok(());
            }
            self.put(change)?;
        }
        Ok(())
    }

    fn write_down(
        &self,
        changes: &[Change],
        go_on: &mut dyn FnMut() -> bool,
    ) -> sled::Result<bool> {
        let group = 1 + self.group.fetch_add(1, Ordering::Relaxed);
        let mut chunks = 0_u32;
        let mut rest = changes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(fitting(rest));
            let chunk = Chunk { group, changes: now.to_vec() };
            if !go_on() {
                return Ok(false);
            }
            self.notes.insert(chunks.to_be_bytes(), encode(&chunk)?)?;
            chunks += 1;
            rest = later;
        }
        if !go_on() {
            return Ok(false);
        }
        self.notes.insert(NEWEST, encode(&Newest { group, chunks })?)?;
        Ok(true)
    }

    fn put(&self, (key, value): &Change) -> sled::Result<()> {
        match value {
            Some(value) => self.rows.insert(key.as_slice(), value.as_slice()).map(drop),
            None => self.rows.remove(key.as_slice()).map(drop),
        }
    }

    /// Forgets what was written down, before all rows are removed.
    pub(super) fn clear(&self) -> sled::Result<()> {
        self.notes.remove(NEWEST).map(drop)
    }
}

/// How many of the first changes fit into one chunk; at least one.
fn fitting(changes: &[Change]) -> usize {
    let mut bytes = 0;
    let fits = changes.iter().take_while(|(key, value)| {
        bytes += key.len() + value.as_ref().map_or(0, Vec::len) + 8;
        bytes <= CHUNK_BYTES_MAX
    });
    fits.count().max(1)
}

fn encode<T: Serialize>(value: &T) -> sled::Result<Vec<u8>> {
    postcard::to_stdvec(value).map_err(|e| sled::Error::Unsupported(e.to_string()))
}

fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> sled::Result<T> {
    postcard::from_bytes(bytes).map_err(|e| sled::Error::Unsupported(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(n: u8, rows: u8) -> Vec<Change> {
        (0..rows).map(|row| (vec![row], Some(vec![n; 1 + usize::from(row) * 300]))).collect()
    }

    fn open(folder: &std::path::Path) -> (sled::Db, Redo) {
        let db = sled::Config::new().path(folder).flush_every_ms(None).open().unwrap();
        let redo = Redo::open(&db).unwrap();
        (db, redo)
    }

    /// The value of every row, as one number each; `None` when the rows are of different groups.
    fn state(db: &sled::Db, rows: u8) -> Option<Vec<u8>> {
        let all: Vec<Option<u8>> =
            (0..rows).map(|row| db.get([row]).unwrap().map(|v| v[0])).collect();
        let first = all.first().copied().flatten();
        all.iter().all(|value| *value == first).then(|| first.into_iter().collect())
    }

    #[test]
    fn a_group_cut_anywhere_is_whole_or_absent() {
        // Rows of 76 kB in all: two chunks and the note of them, then the rows.
        let rows = 23;
        for cut in 0..=rows + 3 {
            let folder = tempfile::tempdir().unwrap();
            let (db, redo) = open(folder.path());
            redo.apply(&group(1, rows)).unwrap();
            redo.apply(&group(2, rows)).unwrap();
            let mut left = cut;
            redo.apply_while(&group(3, rows), &mut || {
                left = left.saturating_sub(1);
                left > 0
            })
            .unwrap();
            // As a new process would find it; sled lets go of its folder only some time later.
            Redo::open(&db).unwrap();
            let found = state(&db, rows).unwrap_or_else(|| panic!("in part after {cut} puts"));
            assert!(found == [2] || found == [3], "{found:?} after {cut} puts");
            assert_eq!(found == [3], cut > 3, "written down means done: {cut}");
        }
    }

    #[test]
    fn rows_are_removed_and_groups_go_on_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (db, redo) = open(folder.path());
        redo.apply(&group(1, 3)).unwrap();
        let redo = Redo::open(&db).unwrap();
        redo.apply(&[(vec![0], None), (vec![1], Some(b"b".to_vec()))]).unwrap();
        redo.apply(&[(vec![2], None)]).unwrap();
        Redo::open(&db).unwrap();
        assert_eq!(db.get([0]).unwrap(), None);
        assert_eq!(db.get([1]).unwrap().unwrap(), b"b");
        assert_eq!(db.get([2]).unwrap(), None);
    }
}
