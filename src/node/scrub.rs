//! The scrub: a thread of its own reads the whole journal again and again, slowly and on a low
//! priority, so that damage is found while other cities still hold what lies there.
//!
//! What is found is noted in the journal; the core has it fetched again. Where the reading stands
//! lies in a small file beside the data, so that a node that is often restarted gets round too.
//!
//! In scope: pace, place, what is shown. Out of scope: checking bytes ([`crate::journal`]),
//! fetching ([`crate::node::core`]).
//!
//! Invariants:
//! 1. A reading takes at most half of the period, whatever the size of the journal, unless the disk
//!    would be busy with nothing else. (`the_pace_follows_the_size`)
//! 2. Whatever the file says, a reading goes on. (`a_place_that_cannot_be_read_is_the_beginning`)

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::api::status::ScrubStatus;
use crate::journal::{JournalReader, RealDisk, ScrubAt};
use crate::node::clock::wall_ms;
use crate::node::place;
use crate::node::shell::Shell;
use crate::node::watchdog::Pulse;

/// Read at a time, in bytes: a few milliseconds of a disk.
const SLICE_BYTES: usize = 256 * 1024;
/// Least pause after a slice: some 25 MiB/s, which leaves a disk to those who write.
const PAUSE_MIN: Duration = Duration::from_millis(10);
/// Longest pause after a slice of a small journal, and between two looks at the clock.
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// The lowest priority a process may give itself.
const NICE: i32 = 19;

/// Where a reading stands, and how the last whole one was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Place {
    /// Segment to go on with.
    segment: u32,
    /// When this reading began, milliseconds since 1970-01-01 UTC.
    begun_ms: i64,
    /// Bytes and damaged records so far.
    bytes: u64,
    damaged: u64,
    /// The last whole reading: when it was over, its bytes, what it found damaged.
    last_end_ms: Option<i64>,
    last_bytes: u64,
    last_damaged: u64,
}

/// What a scrub needs.
pub struct Scrub {
    /// The journal.
    pub journal: JournalReader<RealDisk>,
    /// Where it is shown.
    pub shell: Shell,
    /// Where its place is kept.
    pub file: PathBuf,
    /// Within this time every byte is read again.
    pub period: Duration,
}

impl Scrub {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(self, stop: CancellationToken) -> std::io::Result<()> {
        let watchdog = self.shell.watchdog.clone();
        watchdog.keep_thread("scrub", stop.clone(), move |pulse| {
            // Of this thread alone. A system that refuses lets it run as any other.
            let _ = rustix::process::setpriority_process(None, NICE);
            self.run(&pulse, &stop);
        })
    }

    fn run(&self, pulse: &Pulse, stop: &CancellationToken) {
        let mut place: Place = place::read(&self.file);
        let mut bad_segments = Vec::new();
        let period_ms = i64::try_from(self.period.as_millis()).unwrap_or(i64::MAX);
        while !stop.is_cancelled() {
            let (now_ms, fresh) = (wall_ms(), place.bytes == 0 && place.segment == 0);
            let since_ms = now_ms.saturating_sub(place.begun_ms);
            // A clock that was set back is no reason to wait.
            if fresh && place.last_end_ms.is_some() && (0..period_ms / 2).contains(&since_ms) {
                self.show(&place, &bad_segments);
                pulse.done();
                let left = Duration::from_millis((period_ms / 2 - since_ms).unsigned_abs());
                std::thread::sleep(left.clamp(PAUSE_MIN, PAUSE_MAX));
                continue;
            }
            if fresh {
                place.begun_ms = now_ms;
                bad_segments.clear();
            }
            self.read_through(&mut place, &mut bad_segments, pulse, stop);
        }
    }

    /// From the place on to the end of the journal.
    fn read_through(
        &self,
        place: &mut Place,
        bad_segments: &mut Vec<u32>,
        pulse: &Pulse,
        stop: &CancellationToken,
    ) {
        let pause = pause(self.period, self.journal.bytes());
        let mut at = ScrubAt::segment(place.segment);
        while !stop.is_cancelled() {
            let found = match self.journal.scrub(at, SLICE_BYTES) {
                Ok(found) => found,
                Err(error) => {
                    pulse.failed(&error.to_string());
                    std::thread::sleep(PAUSE_MAX);
                    continue;
                }
            };
            place.bytes += found.bytes;
            place.damaged += found.damaged;
            if found.bad_header && !bad_segments.contains(&at.segment) {
                tracing::error!(segment = at.segment, "the head of a segment is damaged");
                bad_segments.push(at.segment);
            }
            let Some(next) = found.next else {
                tracing::info!(bytes = place.bytes, damaged = place.damaged, "all data read again");
                (place.last_end_ms, place.last_bytes) = (Some(wall_ms()), place.bytes);
                place.last_damaged = place.damaged;
                (place.segment, place.bytes, place.damaged) = (0, 0, 0);
                place::write(&self.file, &place);
                self.show(place, bad_segments);
                pulse.done();
                return;
            };
            if next.segment != at.segment {
                place.segment = next.segment;
                place::write(&self.file, &place);
            }
            at = next;
            self.show(place, bad_segments);
            pulse.done();
            std::thread::sleep(pause);
        }
    }

    fn show(&self, place: &Place, bad_segments: &[u32]) {
        self.shell.know(|shell| {
            shell.scrub = Some(ScrubStatus {
                period_s: self.period.as_secs(),
                begun_ms: place.begun_ms,
                bytes: place.bytes,
                last_end_ms: place.last_end_ms,
                last_bytes: place.last_bytes,
                last_damaged: place.last_damaged,
                bad_segments: bad_segments.to_vec(),
            });
        });
    }
}

/// Pause after each slice, so that all of them take half a period.
fn pause(period: Duration, bytes: u64) -> Duration {
    let slices = u32::try_from(bytes / SLICE_BYTES as u64).unwrap_or(u32::MAX).max(1);
    (period / 2 / slices).clamp(PAUSE_MIN, PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_follows_the_size() {
        let day = Duration::from_secs(86_400);
        for (bytes, pause_ms) in [
            (0, 1_000),
            (4 << 20, 1_000),
            // 10 GiB in 12 hours: more than a slice a second is not needed.
            (10 << 30, 1_000),
            (64 << 30, 164),
            (1 << 40, 10),
        ] {
            assert_eq!(pause(day, bytes).as_millis(), pause_ms, "{bytes} bytes");
            let all = pause(day, bytes).as_millis() as u64 * (bytes / SLICE_BYTES as u64);
            assert!(all <= 43_200_000 || pause(day, bytes) == PAUSE_MIN, "{bytes} bytes");
        }
    }

    #[test]
    fn a_place_that_cannot_be_read_is_the_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scrub.json");
        assert_eq!(place::read::<Place>(&file), Place::default());
        let place = Place { segment: 3, bytes: 9, last_end_ms: Some(7), ..Place::default() };
        place::write(&file, &place);
        assert_eq!(place::read::<Place>(&file), place);
        std::fs::write(&file, "{\"segment\": 3").unwrap();
        assert_eq!(place::read::<Place>(&file), Place::default());
    }
}
