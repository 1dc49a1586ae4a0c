//! Stored evidence files are read again, slowly, so that rot is found while another city still has
//! the right bytes; and what has rotted is brought here again from who may give it.
//!
//! In scope: pace, place, whom to ask. Out of scope: reading and setting aside
//! ([`crate::evidence`]); asking ([`crate::rpc`], by a function it is given).
//!
//! Invariants:
//! 1. All files are read within half of the period, unless they are so many that a slice would
//!    follow a slice. (`the_pace_follows_the_bytes`)
//! 2. What has rotted is never served, and is whole again once somebody gives it.
//!    (`f24_a_stored_file_that_rots_is_set_aside_and_fetched_again`)

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::api::status::EvidenceCheckStatus;
use crate::evidence::{CaseRef, Checked, EvidenceError, EvidenceStore};
use crate::ids::{CityCode, Hash};
use crate::limits::EVIDENCE_MEND_AGAIN_S;
use crate::node::clock::wall_ms;
use crate::node::evidence::{self, Whose};
use crate::node::place;
use crate::node::watchdog::Pulse;
use crate::node::writer::NodeHandle;

/// Read between two pauses, in bytes.
const SLICE_BYTES: u64 = 1024 * 1024;
/// Least pause after a slice: some 10 MiB/s, which leaves disk and cores to those who work.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// Longest pause after a slice.
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// How often the task comes round.
const TICK: Duration = Duration::from_secs(1);

/// Brings a file here from a city; or why not.
pub type Bring = Arc<dyn Fn(CityCode, CaseRef, Hash) -> Bringing + Send + Sync>;
/// A file under way.
pub type Bringing = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Where a reading stands, and how the last whole one was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Place {
    /// The last file that was read; empty before the first.
    last: String,
    /// When this reading began, milliseconds since 1970-01-01 UTC.
    begun_ms: i64,
    files: u64,
    bytes: u64,
    rotten: u64,
    /// Files that could not be looked at.
    failed: u64,
    /// The last whole reading: when it was over, and what it came to.
    last_end_ms: Option<i64>,
    last_files: u64,
    last_bytes: u64,
    last_rotten: u64,
}

impl Place {
    fn is_fresh(&self) -> bool {
        self.last.is_empty()
    }

    /// All was read.
    fn end(&mut self) {
        (self.last_end_ms, self.last_files) = (Some(wall_ms()), self.files);
        (self.last_bytes, self.last_rotten) = (self.bytes, self.rotten);
        if self.failed > 0 {
            tracing::error!(entries = self.failed, "evidence files could not be checked this time");
        }
        (self.files, self.bytes, self.rotten, self.failed) = (0, 0, 0, 0);
        self.last.clear();
    }
}

/// What the task needs.
#[derive(Clone)]
pub struct EvidenceScrub {
    /// The files.
    pub store: EvidenceStore,
    /// The node.
    pub node: NodeHandle,
    /// Where its place is kept.
    pub file: PathBuf,
    /// Within this time every file is read again.
    pub period: Duration,
    /// How a file is brought here.
    pub bring: Bring,
}

impl EvidenceScrub {
    /// Starts the task.
    pub fn start(self, stop: CancellationToken) {
        let watchdog = self.node.shell().watchdog.clone();
        watchdog.keep("evidence check", stop, move |pulse| self.clone().run(pulse));
    }

    async fn run(self, pulse: Pulse) {
        let mut place: Place = place::read(&self.file);
        let mut mended = None;
        let mut tick = tokio::time::interval(TICK);
        loop {
            tick.tick().await;
            self.show(&place);
            pulse.done();
            let found = {
                let work = self.round(&mut place, mended);
                tokio::pin!(work);
                loop {
                    tokio::select! {
                        found = &mut work => break found,
                        // A large file takes longer than a task may be silent.
                        _ = tick.tick() => pulse.done(),
                    }
                }
            };
            mended = found;
        }
    }

    /// What is due now: reading one file, and looking for the right bytes of those that have
    /// rotted. When that was last done.
    async fn round(
        &self,
        place: &mut Place,
        mended: Option<tokio::time::Instant>,
    ) -> Option<tokio::time::Instant> {
        let period_ms = i64::try_from(self.period.as_millis()).unwrap_or(i64::MAX);
        // A clock that was set back is no reason to wait.
        let since_ms = wall_ms().saturating_sub(place.begun_ms);
        let waits = place.last_end_ms.is_some() && (0..period_ms / 2).contains(&since_ms);
        let mut is_new = false;
        let is_away = self.store.state().health.failure.is_some();
        if !(is_away || place.is_fresh() && waits) {
            match self.read_through(place).await {
                Ok(found) => is_new = found,
                // That it is away has been told of.
                Err(EvidenceError::Away { .. }) => {}
                Err(error) => tracing::error!(%error, "evidence files could not be checked"),
            }
        }
        let again = Duration::from_secs(EVIDENCE_MEND_AGAIN_S);
        if is_new || mended.is_none_or(|at| at.elapsed() >= again) {
            for sha256 in self.store.state().rotten {
                self.mend(sha256).await;
            }
            return Some(tokio::time::Instant::now());
        }
        mended
    }

    /// From the place on to the last file, or the first that has rotted; whether there was one.
    async fn read_through(&self, place: &mut Place) -> Result<bool, EvidenceError> {
        let all = self.store.whole().await?;
        let pause = pause(self.period, all.iter().map(|(_, bytes)| *bytes));
        if place.is_fresh() {
            place.begun_ms = wall_ms();
        }
        let before = Hash::parse(&place.last).ok();
        for (sha256, _) in all.into_iter().filter(|(at, _)| before.is_none_or(|last| *at > last)) {
            let checked = match self.store.check(sha256, pause).await {
                // Nor will it answer for the next one.
                Err(error @ EvidenceError::Away { .. }) => return Err(error),
                // One that cannot be read keeps no other one from being read.
                Err(error) => {
                    tracing::error!(%sha256, %error, "an evidence file could not be checked");
                    place.failed += 1;
                    Checked::Gone
                }
                Ok(checked) => checked,
            };
            place.last = sha256.to_string();
            place.files += 1;
            let (bytes, rotten) = match checked {
                Checked::Whole(bytes) => (bytes, false),
                Checked::Rotten(bytes) => (bytes, true),
                Checked::Gone => (0, false),
            };
            place.bytes += bytes;
            place.rotten += u64::from(rotten);
            place::write(&self.file, &place);
            self.show(place);
            if rotten {
                return Ok(true);
            }
        }
        place.end();
        place::write(&self.file, &place);
        Ok(false)
    }

    /// Asks for the right bytes, first whoever listed the file.
    async fn mend(&self, sha256: Hash) {
        let Ok(known) = self.store.known(sha256).await else { return };
        for case in known.cases {
            let (reader, own) = (self.node.reader(), self.node.city());
            let look = move || evidence::look(&reader, case, sha256, Whose::First(own));
            let Ok(looked) = tokio::task::spawn_blocking(look).await else { return };
            let Some(listed) = looked.found else { continue };
            let file = (sha256, listed.item.size_bytes);
            let begun = || self.store.fetched(file, case);
            let cities = evidence::who_may_have(&self.node, case, &listed);
            for city in self.store.begun_first(cities, file, case) {
                let before = begun();
                match (self.bring)(city, case, sha256).await {
                    Ok(()) => {
                        tracing::info!(%city, "an evidence file that had rotted is whole again");
                        return;
                    }
                    Err(why) => {
                        tracing::debug!(%city, %why, "a rotten file was not brought");
                        // It has sent more than before: the next round goes on with it.
                        if begun() > before && begun().is_some_and(|(of, _)| of == city) {
                            return;
                        }
                    }
                }
            }
        }
    }

    fn show(&self, place: &Place) {
        let status = EvidenceCheckStatus {
            period_s: self.period.as_secs(),
            begun_ms: place.begun_ms,
            last_end_ms: place.last_end_ms,
            last_files: place.last_files,
            last_bytes: place.last_bytes,
            last_rotten: place.last_rotten,
        };
        self.node.shell().know(|known| known.evidence_check = Some(status));
    }
}

/// Pause after each slice, so that all of them take half a period. Every file has one at least.
fn pause(period: Duration, sizes: impl Iterator<Item = u64>) -> Duration {
    let slices: u64 = sizes.map(|bytes| bytes.div_ceil(SLICE_BYTES).max(1)).sum();
    let slices = u32::try_from(slices).unwrap_or(u32::MAX).max(1);
    (period / 2 / slices).clamp(PAUSE_MIN, PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_follows_the_bytes() {
        let week = Duration::from_secs(7 * 86_400);
        for (files, bytes, pause_ms) in [
            (0, 0, 1_000),
            (1_000, 1, 1_000),
            // A terabyte within half a week.
            (1_000, 1 << 30, 295),
            (10_000, 1 << 30, 100),
        ] {
            let got = pause(week, std::iter::repeat_n(bytes, files));
            assert_eq!(got.as_millis(), pause_ms, "{files} files of {bytes} bytes");
            let slices = u32::try_from((bytes / SLICE_BYTES) * files as u64).unwrap();
            assert!(got * slices <= week / 2 || got == PAUSE_MIN, "{files} files of {bytes} bytes");
        }
    }

    #[test]
    fn a_place_is_read_again_or_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("check.json");
        assert_eq!(place::read::<Place>(&file), Place::default());
        let mut place = Place { last: "ab".into(), files: 3, rotten: 1, ..Place::default() };
        place::write(&file, &place);
        assert_eq!(place::read::<Place>(&file), place);
        place.end();
        assert!(place.is_fresh() && place.last_end_ms.is_some());
        assert_eq!((place.last_files, place.last_rotten, place.files), (3, 1, 0));
        std::fs::write(&file, "{").unwrap();
        assert_eq!(place::read::<Place>(&file), Place::default());
    }
}
