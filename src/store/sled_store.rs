//! sled behind [`Store`]: opened with care, set aside when it will not open.
//!
//! sled 0.34.7 leaves a partial `snap.*.generating` when it is killed while opening, and then
//! never opens again; damage in its file makes it panic. Neither costs more than a rebuild here.
//! An engine that has failed once while running is not trusted again: a marker beside the folder
//! makes the next start set it aside, even if it would open. On a disk without any space the rows
//! are made in memory, so that reads go on: they are gone with the process.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::redo::Redo;
use super::{MemStore, Store, StoreError};

/// Page cache in bytes; sled's resident memory is about twice this.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// How often, and after which pause, a lock that another process holds is tried again.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Rows in a folder of sled's.
#[derive(Debug)]
pub struct SledStore {
    engine: Engine,
    /// Written when the engine fails.
    marker: PathBuf,
    /// Held so that no second process opens the folder.
    _lock: File,
}

#[derive(Debug)]
enum Engine {
    Disk {
        tree: sled::Db,
        redo: Redo,
    },
    /// Until the next start.
    Memory(MemStore),
}

/// Why sled did not open.
struct NotOpened {
    /// The disk is full; the rows may be well.
    full: bool,
    error: StoreError,
}

/// What opening found.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: SledStore,
    /// A damaged folder was set aside here; the store is empty.
    pub set_aside: Option<PathBuf>,
}

impl SledStore {
    /// Opens the rows in `folder`, or sets a folder that will not open aside and starts empty.
    ///
    /// # Errors
    /// [`StoreError`] when another process has the folder, or even an empty one will not open.
    pub fn open(folder: &Path) -> Result<Opened, StoreError> {
        let parent = folder.parent().filter(|p| !p.as_os_str().is_empty());
        std::fs::create_dir_all(parent.unwrap_or_else(|| Path::new("."))).map_err(failed)?;
        let lock = take_lock(folder)?;
        let marker = folder.with_extension("failed");
        let opened = match std::fs::read_to_string(&marker) {
            Ok(why) => Err(NotOpened { full: false, error: StoreError(why) }),
            Err(_) => open_sled(folder),
        };
        let (engine, set_aside) = match opened {
            Ok(engine) => (engine, None),
            Err(NotOpened { full: true, .. }) => (in_memory(), None),
            Err(NotOpened { error, .. }) => {
                tracing::error!(%error, "the views will not open; they are set aside and rebuilt");
                let aside = set_aside(folder)?;
                let _ = std::fs::remove_file(&marker);
                match open_sled(folder) {
                    Ok(engine) => (engine, aside),
                    Err(NotOpened { full: true, .. }) => (in_memory(), aside),
                    Err(NotOpened { error, .. }) => return Err(error),
                }
            }
        };
        Ok(Opened { store: Self { engine, marker, _lock: lock }, set_aside })
    }

    /// Takes the folder's lock for a while; `None` when another process has the rows open.
    ///
    /// # Errors
    /// [`StoreError`] when the lock file cannot be made.
    pub fn try_lock(folder: &Path) -> Result<Option<File>, StoreError> {
        let parent = folder.parent().filter(|p| !p.as_os_str().is_empty());
        std::fs::create_dir_all(parent.unwrap_or_else(|| Path::new("."))).map_err(failed)?;
        lock_file(folder).map(|(file, held)| held.then_some(file))
    }

    /// Removes the rows in `folder`; they are rebuilt at the next start.
    ///
    /// # Errors
    /// [`StoreError`] when another process has the folder or it cannot be removed.
    pub fn remove(folder: &Path) -> Result<(), StoreError> {
        let _lock = take_lock(folder)?;
        match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }
}

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError(error.to_string())
}

/// Tried for a moment: a program that this process starts just now holds it with us until it runs,
/// and one that was told to stop may need that long.
fn take_lock(folder: &Path) -> Result<File, StoreError> {
    for _ in 0..LOCK_TRIES {
        let (file, held) = lock_file(folder)?;
        if held {
            return Ok(file);
        }
        std::thread::sleep(LOCK_PAUSE);
    }
    Err(StoreError("another process has these views open".to_owned()))
}

/// The lock file, and whether the lock is ours now.
fn lock_file(folder: &Path) -> Result<(File, bool), StoreError> {
    let path = folder.with_extension("lock");
    let file = File::options().create(true).truncate(false).write(true).open(path);
    let file = file.map_err(failed)?;
    let lock = rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive);
    Ok((file, lock.is_ok()))
}

fn in_memory() -> Engine {
    tracing::error!("the disk is full; the views are made in memory until the next start");
    Engine::Memory(MemStore::default())
}

fn open_sled(folder: &Path) -> Result<Engine, NotOpened> {
    let not = |error: StoreError| NotOpened { full: false, error };
    if let Ok(entries) = std::fs::read_dir(folder) {
        for entry in entries.flatten() {
            if entry.path().to_string_lossy().ends_with(".generating") {
                std::fs::remove_file(entry.path()).map_err(|e| not(failed(e)))?;
            }
        }
    }
    let config =
        sled::Config::new().path(folder).cache_capacity(CACHE_BYTES).flush_every_ms(Some(1_000));
    let mut full = false;
    let opened = guarded(|| {
        let open = || {
            let tree = config.open()?;
            let redo = Redo::open(&tree)?;
            Ok(Engine::Disk { tree, redo })
        };
        open().inspect_err(|error| full = is_full(error))
    });
    opened.map_err(|error| NotOpened { full, error })
}

fn is_full(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.kind() == std::io::ErrorKind::StorageFull)
}

/// Runs a call into sled; a panic in it becomes an error.
fn guarded<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(failed),
        Err(_) => Err(StoreError("sled panicked".to_owned())),
    }
}

/// Renames the folder, with a number one higher than before; only the newest is kept, for an
/// operator to look at.
fn set_aside(folder: &Path) -> Result<Option<PathBuf>, StoreError> {
    let parent = folder.parent().filter(|p| !p.as_os_str().is_empty());
    let stem = folder.file_name().and_then(|n| n.to_str()).unwrap_or("views").to_owned();
    let prefix = format!("{stem}.damaged-");
    let mut older = Vec::new();
    for entry in std::fs::read_dir(parent.unwrap_or_else(|| Path::new("."))).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let number = path
            .file_name()
            .and_then(|n| n.to_str())
            .and_then(|n| n.strip_prefix(&prefix).and_then(|number| number.parse::<u64>().ok()));
        older.extend(number.map(|number| (number, path)));
    }
    let next = older.iter().map(|(number, _)| number + 1).max().unwrap_or(1);
    for (_, path) in older {
        std::fs::remove_dir_all(path).map_err(failed)?;
    }
    let target = folder.with_extension(format!("damaged-{next}"));
    match std::fs::rename(folder, &target) {
        Ok(()) => Ok(Some(target)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

impl SledStore {
    /// Runs a call into the engine; the first failure leaves the marker.
    fn trusted<T>(&self, call: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
        let result = guarded(call);
        if let Err(error) = &result
            && !self.marker.exists()
        {
            tracing::error!(%error, "the views fail; the next start rebuilds them");
            if let Err(error) = std::fs::write(&self.marker, error.to_string()) {
                tracing::error!(%error, "could not note that the views failed");
            }
        }
        result
    }
}

impl Store for SledStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match &self.engine {
            Engine::Memory(rows) => rows.get(key),
            Engine::Disk { tree, .. } => {
                self.trusted(|| tree.get(key)).map(|row| row.map(|v| v.to_vec()))
            }
        }
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
        let tree = match &self.engine {
            Engine::Memory(rows) => return rows.scan(from, to, reverse, f),
            Engine::Disk { tree, .. } => tree,
        };
        self.trusted(|| {
            let mut range = tree.range(from..to);
            while let Some(row) = if reverse { range.next_back() } else { range.next() } {
                let (key, value) = row?;
                if !f(&key, &value) {
                    break;
                }
            }
            Ok(())
        })
    }

    fn apply(&self, batch: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Memory(rows) => rows.apply(batch),
            Engine::Disk { redo, .. } => self.trusted(|| redo.apply(batch)),
        }
    }

    fn clear(&self) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Memory(rows) => rows.clear(),
            Engine::Disk { redo, .. } => self.trusted(|| redo.clear()),
        }
    }

    fn flush(&self) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Memory(rows) => rows.flush(),
            Engine::Disk { tree, .. } => self.trusted(|| tree.flush()).map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(store: &SledStore, key: &[u8]) {
        store.apply(&[(key.to_vec(), Some(b"v".to_vec()))]).unwrap();
    }

    #[test]
    fn a_partial_snapshot_does_not_brick_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("views");
        let opened = SledStore::open(&path).unwrap();
        put(&opened.store, b"k");
        opened.store.flush().unwrap();
        drop(opened);
        std::fs::write(path.join("snap.0000000000000042.generating"), b"half").unwrap();
        let opened = SledStore::open(&path).unwrap();
        assert_eq!(opened.set_aside, None);
        assert_eq!(opened.store.get(b"k").unwrap(), Some(b"v".to_vec()));
    }

    #[test]
    fn a_folder_that_will_not_open_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("views");
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("conf"), b"this is no configuration of sled").unwrap();
        let opened = SledStore::open(&path).unwrap();
        assert!(opened.set_aside.is_some_and(|aside| aside.join("conf").exists()));
        assert_eq!(opened.store.get(b"k").unwrap(), None);
    }

    #[test]
    fn an_engine_that_failed_is_not_trusted_again_and_one_folder_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("views");
        let opened = SledStore::open(&path).unwrap();
        put(&opened.store, b"k");
        let failed = opened.store.trusted(|| Err::<(), _>(sled::Error::Unsupported("no".into())));
        assert!(failed.is_err());
        drop(opened);
        for n in 1..=3 {
            if n > 1 {
                std::fs::write(path.join("conf"), b"this is no configuration of sled").unwrap();
            }
            let opened = SledStore::open(&path).unwrap();
            assert_eq!(opened.set_aside, Some(path.with_extension(format!("damaged-{n}"))));
            assert_eq!(opened.store.get(b"k").unwrap(), None);
        }
        let kept = std::fs::read_dir(folder.path()).unwrap().flatten();
        let kept = kept.filter(|e| e.file_name().to_string_lossy().contains("damaged")).count();
        assert_eq!(kept, 1);
    }

    #[test]
    fn a_second_opening_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("views");
        let _opened = SledStore::open(&path).unwrap();
        assert!(SledStore::open(&path).is_err());
    }
}
