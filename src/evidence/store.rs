//! Where files, parts and what is known of them lie, and how much there is.
//!
//! Parts lie in the folder. Whole files and what is known of them lie there too, or in a store on
//! another machine ([`super::objects`]); how much that holds is counted once it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path as FsPath, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use object_store::path::Path;

use super::about::{About, CaseRef};
use super::error::EvidenceError;
use super::objects::{self, Elsewhere, Health, Objects};
use super::sender;
use crate::ids::{CityCode, Hash, hex};

/// Limits an operator may move.
#[derive(Clone, Copy, Debug)]
pub struct EvidenceLimits {
    /// Most bytes of one file.
    pub file_bytes_max: u64,
    /// Most bytes of all files and parts.
    pub folder_bytes_max: u64,
    /// Most bytes of what one city's senders have not finished; one file always fits.
    pub pending_bytes_max: u64,
    /// Below this much free disk nothing is taken.
    pub disk_low_bytes: u64,
}

/// A file that comes in just now.
pub(super) struct UnderWay {
    /// Who sends it.
    pub(super) who: String,
    /// Bytes announced; all of them count at once.
    pub(super) size: u64,
}

/// How much there is.
#[derive(Default)]
pub(super) struct Held {
    /// Bytes of whole files; `None` while the store has not said.
    pub(super) kept: Option<u64>,
    /// Bytes of parts on the disk.
    pub(super) parts: BTreeMap<Hash, u64>,
    /// From which other city each part comes; `None`: from people of this one.
    pub(super) senders: BTreeMap<Hash, Option<CityCode>>,
    pub(super) under_way: BTreeMap<Hash, UnderWay>,
    /// Files that have rotted and are set aside, and their bytes, which count among the kept.
    pub(super) rotten: BTreeMap<Hash, u64>,
    /// Files that have rotted and could not be set aside: they lie there and are not read.
    pub(super) stuck: BTreeSet<Hash>,
}

impl Held {
    /// Bytes of files and parts, and what is announced.
    pub(super) fn used(&self) -> u64 {
        let idle = self.parts.iter().filter(|(hash, _)| !self.under_way.contains_key(hash));
        let announced: u64 = self.under_way.values().map(|one| one.size).sum();
        let kept = self.kept.unwrap_or(0);
        kept.saturating_add(idle.map(|(_, bytes)| bytes).sum()).saturating_add(announced)
    }

    /// Bytes of a city's parts, and what is announced of them; of all but one.
    pub(super) fn pending(&self, from: Option<CityCode>, but: Hash) -> u64 {
        let its = |hash: &Hash| *hash != but && self.senders.get(hash) == Some(&from);
        let whole = |(hash, bytes): (&Hash, &u64)| {
            let announced = self.under_way.get(hash).map_or(0, |one| one.size);
            its(hash).then_some(announced.max(*bytes))
        };
        self.parts.iter().filter_map(whole).fold(0, u64::saturating_add)
    }

    /// A part is no more.
    pub(super) fn part_is_gone(&mut self, sha256: Hash) {
        self.parts.remove(&sha256);
        self.senders.remove(&sha256);
    }

    /// A whole file came.
    pub(super) fn add(&mut self, bytes: u64) {
        self.kept = self.kept.map(|kept| kept.saturating_add(bytes));
    }

    /// A whole file is gone.
    pub(super) fn subtract(&mut self, bytes: u64) {
        self.kept = self.kept.map(|kept| kept.saturating_sub(bytes));
    }

    /// Bytes announced that are not on the disk yet.
    pub(super) fn to_come(&self) -> u64 {
        let missing = |(hash, one): (&Hash, &UnderWay)| {
            one.size.saturating_sub(self.parts.get(hash).copied().unwrap_or(0))
        };
        self.under_way.iter().map(missing).sum()
    }
}

/// Why one more case is noted for a file that is here already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Noted {
    /// People of this city had it in hand, and sent it for that case.
    Sent,
    /// Somebody wanted it for that case.
    Wanted,
}

/// How the store is, for people.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EvidenceState {
    /// Where whole files lie; empty for the own folder.
    pub place: String,
    /// Whether that answers.
    pub health: Health,
    /// Bytes of files and parts, and what is announced; `None` while the place has not answered.
    pub used: Option<u64>,
    /// Most bytes.
    pub limit: u64,
    /// Files that have rotted and whose right bytes have not come yet.
    pub rotten: Vec<Hash>,
}

/// Evidence files; clones share them.
#[derive(Clone)]
pub struct EvidenceStore {
    pub(super) folder: PathBuf,
    pub(super) objects: Arc<Objects>,
    pub(super) limits: EvidenceLimits,
    pub(super) held: Arc<Mutex<Held>>,
    /// Whoever changes what is known of a file, or takes it away, has this.
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
}

impl EvidenceStore {
    /// Opens a folder, making it where there is none, and counts what lies in it.
    ///
    /// # Errors
    /// Whatever the operating system says.
    pub fn open(folder: &FsPath, limits: EvidenceLimits) -> io::Result<Self> {
        for name in [FILES, ROTTEN, "about"] {
            std::fs::create_dir_all(folder.join(name))?;
        }
        let objects = Objects::folder(folder).map_err(io::Error::other)?;
        let store = Self::begun(folder, limits, objects)?;
        store.count(&objects::listed(folder, FILES)?, objects::listed(folder, ROTTEN)?);
        Ok(store)
    }

    /// The same with whole files elsewhere. Nothing is asked there yet, so that a store that is
    /// away keeps no node from starting.
    ///
    /// # Errors
    /// Whatever the operating system says of the folder, where parts lie.
    pub fn open_elsewhere(
        folder: &FsPath,
        limits: EvidenceLimits,
        place: Elsewhere,
    ) -> io::Result<Self> {
        Self::begun(folder, limits, Objects::elsewhere(place))
    }

    fn begun(folder: &FsPath, limits: EvidenceLimits, objects: Objects) -> io::Result<Self> {
        let mut held = Held::default();
        std::fs::create_dir_all(folder.join("incoming"))?;
        std::fs::File::open(folder)?.sync_all()?;
        for entry in std::fs::read_dir(folder.join("incoming"))? {
            let entry = entry?;
            if let Some(hash) = entry.file_name().to_str().and_then(|name| Hash::parse(name).ok()) {
                held.parts.insert(hash, entry.metadata()?.len());
            }
        }
        held.senders = sender::open(folder, |hash| held.parts.contains_key(&hash))?;
        Ok(Self {
            folder: folder.to_owned(),
            objects: Arc::new(objects),
            limits,
            held: Arc::new(Mutex::new(held)),
            turn: Arc::default(),
        })
    }

    /// Looks whether a store elsewhere answers, and counts what lies in it if nobody has yet.
    pub async fn probe(&self) {
        let counted = self.lock().kept.is_some();
        if counted {
            self.objects.probe().await;
            return;
        }
        // Nothing comes meanwhile: where nothing is counted, nothing is taken.
        let all = (self.objects.list(FILES).await, self.objects.list(ROTTEN).await);
        if let (Ok(whole), Ok(rotten)) = all {
            self.count(&whole, rotten);
        }
    }

    pub(super) fn count(&self, whole: &[(Hash, u64)], rotten: Vec<(Hash, u64)>) {
        let mut held = self.lock();
        held.kept = Some(whole.iter().chain(&rotten).map(|(_, bytes)| bytes).sum());
        held.rotten = rotten.into_iter().collect();
    }

    /// How it is.
    #[must_use]
    pub fn state(&self) -> EvidenceState {
        let held = self.lock();
        let rotten: BTreeSet<&Hash> = held.rotten.keys().chain(&held.stuck).collect();
        EvidenceState {
            place: self.objects.name().to_owned(),
            health: self.objects.health(),
            used: held.kept.map(|_| held.used()),
            limit: self.limits.folder_bytes_max,
            rotten: rotten.into_iter().copied().collect(),
        }
    }

    /// What is known of a whole file that lies here.
    ///
    /// # Errors
    /// [`EvidenceError::NotHere`], or the disk's.
    pub async fn about(&self, sha256: Hash) -> Result<About, EvidenceError> {
        self.is_readable(sha256)?;
        let size = self.objects.size(&file(sha256)).await?;
        // Its size is what the disk says, so that nobody reads beyond the end.
        Ok(About { size, ..self.known(sha256).await? })
    }

    /// The same of a file that has rotted too, with the size it should have.
    ///
    /// # Errors
    /// [`EvidenceError::NotHere`], or the disk's.
    pub async fn known(&self, sha256: Hash) -> Result<About, EvidenceError> {
        let bytes = self.objects.get(&about(sha256)).await?;
        About::from_bytes(&bytes).ok_or(EvidenceError::NotHere)
    }

    /// Whether a file is known to have rotted.
    #[must_use]
    pub fn is_rotten(&self, sha256: Hash) -> bool {
        let held = self.lock();
        held.rotten.contains_key(&sha256) || held.stuck.contains(&sha256)
    }

    fn is_readable(&self, sha256: Hash) -> Result<(), EvidenceError> {
        if self.lock().stuck.contains(&sha256) { Err(EvidenceError::NotHere) } else { Ok(()) }
    }

    /// Bytes of a file that is on its way, whoever sends it.
    pub(super) fn staged(&self, sha256: Hash) -> u64 {
        std::fs::metadata(self.part(sha256)).map_or(0, |data| data.len())
    }

    /// Up to `bytes_max` bytes of a whole file from `from` on; none at its end.
    ///
    /// # Errors
    /// [`EvidenceError::NotHere`], or the disk's.
    pub async fn read(
        &self,
        (sha256, size): (Hash, u64),
        from: u64,
        bytes_max: usize,
    ) -> Result<Bytes, EvidenceError> {
        let to = from.saturating_add(bytes_max as u64).min(size);
        if from >= to {
            return Ok(Bytes::new());
        }
        self.is_readable(sha256)?;
        self.objects.range(&file(sha256), from..to).await
    }

    /// Remembers that one more case names a whole file.
    ///
    /// # Errors
    /// [`EvidenceError::NotHere`], or the disk's.
    pub async fn note(
        &self,
        sha256: Hash,
        case: CaseRef,
        noted: Noted,
    ) -> Result<About, EvidenceError> {
        let _turn = self.turn.lock().await;
        let mut known = self.about(sha256).await?;
        let came = noted == Noted::Sent && known.has_come(case, None);
        let (added, was_unnamed) = (known.add(case), known.unnamed_since_ms.take().is_some());
        if came || added || was_unnamed {
            self.write_about(sha256, &known).await?;
        }
        Ok(known)
    }

    pub(super) async fn write_about(
        &self,
        sha256: Hash,
        known: &About,
    ) -> Result<(), EvidenceError> {
        self.objects.put(&about(sha256), known.to_bytes()).await
    }

    /// Bytes free on the disk.
    pub(super) fn free(&self) -> Result<u64, EvidenceError> {
        let stat = rustix::fs::statvfs(&self.folder);
        let stat = stat.map_err(|error| EvidenceError::Disk(error.into()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Where a part lies.
    pub(super) fn part(&self, sha256: Hash) -> PathBuf {
        self.folder.join("incoming").join(hex(sha256.as_bytes()))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Below this, whole files lie.
pub(super) const FILES: &str = "files";

/// Below this, what has rotted is kept from being found.
pub(super) const ROTTEN: &str = "rotten";

/// Names are made of a digest alone: nothing that anybody typed reaches a path.
fn under(folder: &str, sha256: Hash) -> Path {
    let name = hex(sha256.as_bytes());
    let first = name.get(..2).unwrap_or_default();
    Path::from(format!("{folder}/{first}/{name}"))
}

/// Where a whole file lies.
pub(super) fn file(sha256: Hash) -> Path {
    under(FILES, sha256)
}

/// Where a file lies that has rotted.
pub(super) fn rotten(sha256: Hash) -> Path {
    under(ROTTEN, sha256)
}

/// Where that lies which is known of it.
pub(super) fn about(sha256: Hash) -> Path {
    under("about", sha256)
}

/// Where a part lies, as the store names it.
pub(super) fn part(sha256: Hash) -> Path {
    Path::from(format!("incoming/{}", hex(sha256.as_bytes())))
}
