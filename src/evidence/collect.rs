//! Taking away what nobody names any more, and parts that nobody goes on with.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::about::{About, CaseRef};
use super::error::EvidenceError;
use super::store::{self, EvidenceStore};
use crate::ids::Hash;
use crate::limits::{EVIDENCE_CASES_MAX, EVIDENCE_UNNAMED_MS};

/// Whether a case names a digest now; blocking.
pub type IsNamed = Arc<dyn Fn(CaseRef, Hash) -> bool + Send + Sync>;

/// What was taken away.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Collected {
    /// Whole files.
    pub files: u64,
    /// Parts.
    pub parts: u64,
}

impl EvidenceStore {
    /// Takes away parts that nobody went on with, and files that no case names, for 24 hours.
    /// `now_ms`: milliseconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// When the folder cannot be read; what fails with one file is told and keeps no other one.
    pub async fn collect(
        &self,
        now_ms: i64,
        is_named: &IsNamed,
    ) -> Result<Collected, EvidenceError> {
        let store = self.clone();
        let parts = tokio::task::spawn_blocking(move || store.collect_parts(now_ms)).await;
        let mut done =
            Collected { parts: parts.unwrap_or(Ok(0)).map_err(EvidenceError::Disk)?, files: 0 };
        let rotten = self.state().rotten;
        let whole = self.objects.list(store::FILES).await?;
        for sha256 in whole.into_iter().map(|(sha256, _)| sha256).chain(rotten) {
            match self.collect_file(sha256, now_ms, is_named).await {
                Ok(gone) => done.files += u64::from(gone),
                // Nor will it answer for the next one; it has been told of.
                Err(error @ EvidenceError::Away { .. }) => return Err(error),
                // One that cannot be read keeps no other one.
                Err(error) => tracing::error!(%error, "an evidence file could not be looked at"),
            }
        }
        Ok(done)
    }

    fn collect_parts(&self, now_ms: i64) -> std::io::Result<u64> {
        let mut gone = 0;
        for entry in std::fs::read_dir(self.folder.join("incoming"))? {
            let entry = entry?;
            let Ok(since) = entry.metadata().and_then(|data| data.modified()) else { continue };
            let hash = entry.file_name().to_str().and_then(|name| Hash::parse(name).ok());
            // Held over the removal: nobody begins to go on with it meanwhile.
            let mut held = self.lock();
            let under_way = hash.is_some_and(|hash| held.under_way.contains_key(&hash));
            if under_way || !is_over(millis(since), now_ms) {
                continue;
            }
            match std::fs::remove_file(entry.path()) {
                Ok(()) => {
                    if let Some(hash) = hash {
                        held.part_is_gone(hash);
                        self.forget_sender(hash);
                    }
                    gone += 1;
                }
                Err(error) => tracing::error!(%error, "a part of a file could not be removed"),
            }
        }
        Ok(gone)
    }

    /// Looks at one file; true when it is gone.
    async fn collect_file(
        &self,
        sha256: Hash,
        now_ms: i64,
        is_named: &IsNamed,
    ) -> Result<bool, EvidenceError> {
        let _turn = self.turn.lock().await;
        let known = match self.known(sha256).await {
            Ok(known) => known,
            // Nothing is known of it: it can be neither named nor read.
            Err(EvidenceError::NotHere) => return Ok(false),
            Err(error) => return Err(error),
        };
        let (cases, ask) = (known.cases.clone(), Arc::clone(is_named));
        let asked = move || cases.iter().any(|case| ask(*case, sha256));
        // Whoever cannot tell keeps it.
        let named = known.cases.len() >= EVIDENCE_CASES_MAX
            || tokio::task::spawn_blocking(asked).await.unwrap_or(true);
        match (named, known.unnamed_since_ms) {
            (true, None) => {}
            (true, Some(_)) => {
                self.write_about(sha256, &About { unnamed_since_ms: None, ..known }).await?;
            }
            (false, None) => {
                let unnamed_since_ms = Some(now_ms);
                self.write_about(sha256, &About { unnamed_since_ms, ..known }).await?;
            }
            (false, Some(since)) if is_over(since, now_ms) => {
                let size = match self.objects.size(&store::file(sha256)).await {
                    Err(EvidenceError::NotHere) => 0,
                    size => size?,
                };
                self.objects.delete(&store::file(sha256)).await?;
                self.lock().subtract(size);
                self.throw_aside(sha256).await?;
                self.objects.delete(&store::about(sha256)).await?;
                return Ok(true);
            }
            (false, Some(_)) => {}
        }
        Ok(false)
    }
}

fn is_over(since_ms: i64, now_ms: i64) -> bool {
    now_ms.saturating_sub(since_ms) >= EVIDENCE_UNNAMED_MS
}

fn millis(at: SystemTime) -> i64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
