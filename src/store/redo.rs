//! Many rows of sled's at once, without its own batches.
//!
//! `apply_batch` of sled 0.34 makes every reader of the process wait until the whole batch is in,
//! and rolls its write buffer twice. A group of rows is therefore first written down in trees of
//! its own, and then put row by row. sled recovers a prefix of what one thread has put, so after a
//! crash a group is here whole, can be finished from what was written down, or has never been.
//!
//! In scope: groups, and removing everything, that a kill cannot cut in half. Out of scope: what
//! readers see meanwhile ([`super::write_behind`] hides a group until it is in); damage after a
//! power cut, which sled's checksums and a rebuild from the journal deal with.
//!
//! Invariants:
//! 1. A group is finished or absent at every point where the process may end.
//!    (`a_group_cut_anywhere_is_whole_or_absent`)
//! 2. A group written down is never put over rows it does not belong to.
//!    (`a_group_is_not_put_over_rows_that_somebody_else_made`)
//! 3. Rows that were being removed are gone after a restart. (`a_removal_is_finished`)

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// A row and its new value; `None` removes it.
pub(super) type Change = (Vec<u8>, Option<Vec<u8>>);

/// Bytes of changes written down in one value: sled moves much larger ones to files it does not
/// sync.
const CHUNK_BYTES_MAX: usize = 64 * 1024;
/// Chunks of one group, each in a tree of its own, so that none is written again with another.
const CHUNKS_MAX: usize = 32;
/// In the tree of notes: the newest group that is written down whole.
const NEWEST: &[u8] = b"newest";
/// In the tree of notes: all rows are being removed.
const CLEARING: &[u8] = b"clearing";
/// In a chunk's tree.
const CHUNK: &[u8] = b"chunk";
/// Among the rows, before all others: the group they belong to. Whoever removes the rows without
/// knowing of groups removes this too.
const MARK: &[u8] = b"\0group";

/// A group whose chunks are all there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Newest {
    group: u64,
    chunks: usize,
}

#[derive(Serialize, Deserialize)]
struct Chunk {
    group: u64,
    changes: Vec<Change>,
}

/// Puts groups of rows into a tree.
#[derive(Debug)]
pub(super) struct Redo {
    db: sled::Db,
    rows: sled::Tree,
    notes: sled::Tree,
    chunks: Mutex<Vec<sled::Tree>>,
    group: AtomicU64,
}

impl Redo {
    /// Finishes what was under way when the process ended.
    pub(super) fn open(db: &sled::Db) -> sled::Result<Self> {
        let this = Self {
            db: db.clone(),
            rows: (**db).clone(),
            notes: db.open_tree("redo")?,
            chunks: Mutex::default(),
            group: AtomicU64::new(0),
        };
        if this.notes.get(CLEARING)?.is_some() {
            this.clear()?;
        }
        let newest = this.notes.get(NEWEST)?.map(|bytes| decode::<Newest>(&bytes)).transpose()?;
        let mark = this.rows.get(MARK)?.map(|bytes| decode::<u64>(&bytes)).transpose()?;
        this.group.store(newest.map_or(0, |n| n.group).max(mark.unwrap_or(0)), Ordering::Relaxed);
        // Its own first row is the mark: with another mark the rows are not those it belongs to.
        let own = |n: &Newest| mark.is_some_and(|mark| mark == n.group || mark + 1 == n.group);
        match newest.filter(own) {
            Some(newest) => {
                for change in this.written_down(newest)?.into_iter().flatten() {
                    this.put(&change)?;
                }
            }
            None => this.put(&this.mark()?)?,
        }
        Ok(this)
    }

    fn mark(&self) -> sled::Result<Change> {
        Ok((MARK.to_vec(), Some(encode(&self.group.load(Ordering::Relaxed))?)))
    }

    /// The tree of a chunk.
    fn chunk(&self, number: usize) -> sled::Result<sled::Tree> {
        let mut chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        while chunks.len() <= number {
            let tree = self.db.open_tree(format!("redo {}", chunks.len()))?;
            chunks.push(tree);
        }
        let missing = || sled::Error::Unsupported("a tree that was just opened is gone".into());
        chunks.get(number).cloned().ok_or_else(missing)
    }

    /// The changes of a group; `None` when a later one has begun to take its place, which it does
    /// only after this one is in.
    fn written_down(&self, newest: Newest) -> sled::Result<Option<Vec<Change>>> {
        let mut changes = Vec::new();
        for number in 0..newest.chunks {
            let missing = || sled::Error::Unsupported("a chunk of a group is missing".into());
            let chunk = self.chunk(number)?.get(CHUNK)?.ok_or_else(missing)?;
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
        self.group.fetch_add(1, Ordering::Relaxed);
        let marked = [&[self.mark()?], changes].concat();
        let mut pieces: Vec<&[Change]> = Vec::new();
        let mut rest = marked.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(fitting(rest));
            pieces.push(now);
            rest = later;
        }
        if pieces.len() > CHUNKS_MAX {
            return self.apply_at_once(&marked);
        }
        // A single row too: an older group written down would otherwise bring back what it changed.
        if !self.write_down(&pieces, go_on)? {
            return Ok(());
        }
        for change in &marked {
            if !go_on() {
                return Ok(());
            }
            self.put(change)?;
        }
        Ok(())
    }

    /// False when it was told to stop.
    fn write_down(
        &self,
        pieces: &[&[Change]],
        go_on: &mut dyn FnMut() -> bool,
    ) -> sled::Result<bool> {
        let group = self.group.load(Ordering::Relaxed);
        for (number, piece) in pieces.iter().enumerate() {
            let chunk = Chunk { group, changes: piece.to_vec() };
            if !go_on() {
                return Ok(false);
            }
            self.chunk(number)?.insert(CHUNK, encode(&chunk)?)?;
        }
        if !go_on() {
            return Ok(false);
        }
        self.notes.insert(NEWEST, encode(&Newest { group, chunks: pieces.len() })?)?;
        Ok(true)
    }

    /// A group too large to be written down: readers wait for it.
    fn apply_at_once(&self, changes: &[Change]) -> sled::Result<()> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        self.rows.apply_batch(batch)
    }

    fn put(&self, (key, value): &Change) -> sled::Result<()> {
        match value {
            Some(value) => self.rows.insert(key.as_slice(), value.as_slice()).map(drop),
            None => self.rows.remove(key.as_slice()).map(drop),
        }
    }

    /// Removes all rows.
    pub(super) fn clear(&self) -> sled::Result<()> {
        self.notes.insert(CLEARING, b"")?;
        self.notes.remove(NEWEST)?;
        self.rows.clear()?;
        self.put(&self.mark()?)?;
        self.notes.remove(CLEARING).map(drop)
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
        for cut in 0..=rows + 4 {
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

    #[test]
    fn a_group_is_not_put_over_rows_that_somebody_else_made() {
        let folder = tempfile::tempdir().unwrap();
        let (db, redo) = open(folder.path());
        redo.apply(&group(1, 3)).unwrap();
        // As an older program does it, which knows of no groups.
        db.clear().unwrap();
        db.insert([0], vec![7]).unwrap();
        let redo = Redo::open(&db).unwrap();
        assert_eq!((db.get([0]).unwrap().unwrap()[0], db.get([1]).unwrap()), (7, None));
        redo.apply(&group(2, 3)).unwrap();
        let redo = Redo::open(&db).unwrap();
        assert_eq!(state(&db, 3), Some(vec![2]), "and groups go on");
        // One too large to be written down, by itself and before a restart.
        let large: Vec<Change> = (0..40).map(|row| (vec![row], Some(vec![9; 60 * 1024]))).collect();
        redo.apply(&large).unwrap();
        Redo::open(&db).unwrap();
        assert_eq!(state(&db, 40), Some(vec![9]));
    }

    #[test]
    fn a_removal_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let (db, redo) = open(folder.path());
        redo.apply(&group(1, 20)).unwrap();
        redo.notes.insert(CLEARING, b"").unwrap();
        db.remove([0]).unwrap();
        Redo::open(&db).unwrap();
        assert_eq!(state(&db, 20), Some(Vec::new()), "none is left");
        redo.apply(&group(2, 20)).unwrap();
        redo.clear().unwrap();
        Redo::open(&db).unwrap();
        assert_eq!(state(&db, 20), Some(Vec::new()), "nor brought back");
    }
}
