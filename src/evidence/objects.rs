//! Where whole files and what is known of them lie: in the folder, or on another machine.
//!
//! In scope: one way to ask either, and remembering whether the other machine answers. Out of
//! scope: how one speaks to it ([`super::s3`]); what the names mean ([`super::store`]).
//!
//! Whatever another machine says of a failure is cut before its own words begin: S3 sends back what
//! was signed, with the name of the key.

use std::ops::Range;
use std::path::{Path as FsPath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};
use tokio::io::AsyncReadExt;
use tokio_stream::StreamExt;

use super::error::EvidenceError;
use crate::ids::Hash;

/// A file goes to another machine in pieces of so many bytes; a smaller one goes at once. S3 takes
/// pieces of 5 MiB and more, and at most 10 000: that is more than the largest file.
const PIECE_BYTES: usize = 8 * 1024 * 1024;
/// Pieces that are on their way at a time.
const PIECES_MAX: usize = 2;
/// A look at whether the other machine answers takes no longer.
const PROBE_WITHIN: Duration = Duration::from_secs(5);
/// Of what is said of a failure; an address with a digest has 150.
const FAILURE_CHARS_MAX: usize = 300;

/// A store on another machine.
#[derive(Clone)]
pub struct Elsewhere {
    /// What people are told of where it is.
    pub name: String,
    /// The store, or why it cannot be used as it is configured.
    pub store: Result<Arc<dyn ObjectStore>, String>,
}

/// Whether the place answers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Health {
    /// When it last did, milliseconds since 1970-01-01 UTC; always `None` for a folder.
    pub last_ok_ms: Option<i64>,
    /// Why it did not the last time.
    pub failure: Option<String>,
}

/// The place of whole files.
pub(super) struct Objects {
    store: Result<Arc<dyn ObjectStore>, String>,
    /// The folder, when it is one.
    folder: Option<PathBuf>,
    name: String,
    health: Mutex<Health>,
}

impl Objects {
    pub(super) fn folder(folder: &FsPath) -> object_store::Result<Self> {
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self {
            store: Ok(Arc::new(store)),
            folder: Some(folder.to_owned()),
            name: String::new(),
            health: Mutex::default(),
        })
    }

    pub(super) fn elsewhere(place: Elsewhere) -> Self {
        let failure = place.store.as_ref().err().cloned();
        let health = Mutex::new(Health { last_ok_ms: None, failure });
        Self { store: place.store, folder: None, name: place.name, health }
    }

    /// Where it is; empty for the folder.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_folder(&self) -> bool {
        self.folder.is_some()
    }

    pub(super) fn health(&self) -> Health {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn store(&self) -> Result<&Arc<dyn ObjectStore>, EvidenceError> {
        self.store.as_ref().map_err(|why| EvidenceError::Away { why: why.clone() })
    }

    /// Notes how it went, and says so in our words.
    fn told<T>(&self, done: object_store::Result<T>) -> Result<T, EvidenceError> {
        if self.is_folder() {
            return done.map_err(|error| {
                if matches!(error, Error::NotFound { .. }) {
                    return EvidenceError::NotHere;
                }
                EvidenceError::Disk(std::io::Error::other(error))
            });
        }
        match done {
            Ok(done) => {
                self.is_well();
                Ok(done)
            }
            // It has answered. That there is no bucket is found by looking for what is in it.
            Err(Error::NotFound { .. }) => Err(EvidenceError::NotHere),
            Err(error) => Err(self.is_away(shown(&error))),
        }
    }

    fn is_well(&self) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if health.failure.take().is_some() {
            tracing::info!("the store of evidence files answers again");
        }
        health.last_ok_ms = Some(wall_ms());
    }

    fn is_away(&self, why: String) -> EvidenceError {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        // Told once for each time that it fails, not for each file.
        if health.failure.is_none() {
            tracing::error!(error = %why, "the store of evidence files cannot be used");
        }
        health.failure = Some(why.clone());
        EvidenceError::Away { why }
    }

    /// Bytes of what lies there.
    pub(super) async fn size(&self, at: &Path) -> Result<u64, EvidenceError> {
        let head = self.store()?.head(at).await;
        self.told(head).map(|head| head.size)
    }

    pub(super) async fn get(&self, at: &Path) -> Result<Bytes, EvidenceError> {
        let store = self.store()?;
        let got = async { store.get(at).await?.bytes().await };
        self.told(got.await)
    }

    pub(super) async fn range(&self, at: &Path, of: Range<u64>) -> Result<Bytes, EvidenceError> {
        let got = self.store()?.get_range(at, of).await;
        self.told(got)
    }

    /// Puts something small; whole or not at all.
    pub(super) async fn put(&self, at: &Path, bytes: Vec<u8>) -> Result<(), EvidenceError> {
        let put = self.store()?.put(at, PutPayload::from(bytes)).await;
        self.written(put.map(|_| ()))
    }

    /// Takes something away that may be gone already.
    pub(super) async fn delete(&self, at: &Path) -> Result<(), EvidenceError> {
        let deleted = self.store()?.delete(at).await;
        match self.told(deleted) {
            Err(EvidenceError::NotHere) => Ok(()),
            done => done,
        }
    }

    /// Has the system forget what it remembers of a file, so that the disk is asked.
    pub(super) async fn forget(&self, at: &Path) {
        let Some(folder) = &self.folder else { return };
        let path = folder.join(at.as_ref());
        let forgotten = tokio::task::spawn_blocking(move || {
            let file = std::fs::File::open(path)?;
            Ok(rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?)
        });
        // Only then is less found out.
        let _: Result<std::io::Result<()>, _> = forgotten.await;
    }

    /// Gives something another name.
    pub(super) async fn rename(&self, from: &Path, to: &Path) -> Result<(), EvidenceError> {
        let renamed = self.store()?.rename(from, to).await;
        self.told(renamed)
    }

    /// Puts a part, which is synced, at its place; whole or not at all. It is gone as a part then.
    pub(super) async fn take(
        &self,
        part: (&FsPath, &Path),
        to: &Path,
    ) -> Result<(), EvidenceError> {
        let (file, name) = part;
        let store = self.store()?;
        if self.is_folder() {
            let renamed = store.rename(name, to).await;
            return self.told(renamed);
        }
        let sent = match send(store, file, to).await {
            Ok(()) => Ok(()),
            Err(SendError::Store(error)) => Err(error),
            Err(SendError::Read(error)) => return Err(EvidenceError::Disk(error)),
        };
        self.written(sent)?;
        tokio::fs::remove_file(file).await.map_err(EvidenceError::Disk)
    }

    /// Where nothing can be put, nothing can be found either: there is no such bucket.
    fn written(&self, done: object_store::Result<()>) -> Result<(), EvidenceError> {
        match self.told(done) {
            Err(EvidenceError::NotHere) => Err(self.is_away("no such bucket or folder".to_owned())),
            done => done,
        }
    }

    /// Digest and size of everything below a name; what is called otherwise is left alone.
    pub(super) async fn list(
        &self,
        below: &'static str,
    ) -> Result<Vec<(Hash, u64)>, EvidenceError> {
        if let Some(folder) = self.folder.clone() {
            let listed = tokio::task::spawn_blocking(move || listed(&folder, below)).await;
            // One that was cut off is no empty folder.
            return listed.unwrap_or_else(|cut| Err(cut.into())).map_err(EvidenceError::Disk);
        }
        let prefix = Path::from(below);
        let mut all = self.store()?.list(Some(&prefix));
        let mut found = Vec::new();
        while let Some(next) = all.next().await {
            let next = match next {
                Ok(next) => next,
                Err(error) => return Err(self.is_away(shown(&error))),
            };
            let name = next.location.filename().and_then(|name| Hash::parse(name).ok());
            found.extend(name.map(|hash| (hash, next.size)));
        }
        self.is_well();
        Ok(found)
    }

    /// Looks whether another machine answers; what it says is in [`Objects::health`].
    pub(super) async fn probe(&self) {
        if self.is_folder() || self.store.is_err() {
            return;
        }
        // Nothing is called so: what is asked for is an empty list, which a bucket must have.
        if tokio::time::timeout(PROBE_WITHIN, self.list("probe")).await.is_err() {
            self.is_away(format!("no answer within {} s", PROBE_WITHIN.as_secs()));
        }
    }
}

enum SendError {
    Read(std::io::Error),
    Store(Error),
}

/// Sends a file to another machine; it has it whole, or not at all.
async fn send(store: &Arc<dyn ObjectStore>, file: &FsPath, to: &Path) -> Result<(), SendError> {
    let mut file = tokio::fs::File::open(file).await.map_err(SendError::Read)?;
    let first = piece(&mut file).await.map_err(SendError::Read)?;
    if first.len() < PIECE_BYTES {
        let put = store.put(to, PutPayload::from(first)).await;
        return put.map(|_| ()).map_err(SendError::Store);
    }
    let upload = store.put_multipart(to).await.map_err(SendError::Store)?;
    let mut writing = WriteMultipart::new_with_chunk_size(upload, PIECE_BYTES);
    let mut next = first;
    loop {
        writing.put(Bytes::from(next));
        let read = match writing.wait_for_capacity(PIECES_MAX).await {
            Ok(()) => piece(&mut file).await.map_err(SendError::Read),
            Err(error) => Err(SendError::Store(error)),
        };
        match read {
            Ok(bytes) if bytes.is_empty() => break,
            Ok(bytes) => next = bytes,
            Err(error) => {
                // What fails here the bucket's own rule takes away.
                let _ = writing.abort().await;
                return Err(error);
            }
        }
    }
    writing.finish().await.map(|_| ()).map_err(SendError::Store)
}

/// The next bytes of a file; fewer than a piece at its end only.
async fn piece(file: &mut tokio::fs::File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(PIECE_BYTES);
    file.take(PIECE_BYTES as u64).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// Digest and size of every file below a name of the folder; what else lies there is left alone.
pub(super) fn listed(folder: &FsPath, below: &str) -> std::io::Result<Vec<(Hash, u64)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder.join(below))? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(entry.path())? {
            let file = file?;
            let hash = file.file_name().to_str().and_then(|name| Hash::parse(name).ok());
            if let Some(hash) = hash {
                found.push((hash, file.metadata()?.len()));
            }
        }
    }
    Ok(found)
}

/// A failure as an operator is told of it: why, without what the other machine wrote about it.
fn shown(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(next) = source {
        let more = next.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = next.source();
    }
    let ours = text.split('<').next().unwrap_or_default();
    let ours = ours.lines().next().unwrap_or_default().trim_end_matches([':', ' ']);
    ours.chars().take(FAILURE_CHARS_MAX).collect()
}

fn wall_ms() -> i64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
