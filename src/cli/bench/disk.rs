//! The disk's floor: write and `fdatasync`, growing a file and inside reserved space.
//!
//! In scope: the same folder the nodes write to. Out of scope: nodes.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Bench;
use super::load::{Outcome, ratio};
use super::report::{Figure, Report};
use crate::cli::failure::Failure;

/// About what one group commit of a lightly loaded node writes, bytes.
const SMALL: usize = 1024;
/// What a city that catches up writes at a time, bytes.
const LARGE: usize = 1024 * 1024;
/// Zeroes are written in pieces of this size, bytes.
const PIECE: usize = 1024 * 1024;

/// Measures both.
pub fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    bench.say("磁盘：写入并落盘", "disk: write and fdatasync");
    let time = bench.load_for / 2;
    let path = bench.dir.join("floor");
    let wrong = |error: std::io::Error| Failure::local(format!("{}: {error}", path.display()));
    let growing = synced_writes(&path, SMALL, 0, time).map_err(wrong)?;
    report.add(growing.figure(
        "disk.append",
        "写入并落盘 1 KiB，文件增长",
        "write + fdatasync of 1 KiB, growing file",
    ));
    let reserved = synced_writes(&path, SMALL, 64 * PIECE, time).map_err(wrong)?;
    report.add(reserved.figure(
        "disk.reserved",
        "写入并落盘 1 KiB，空间已预留",
        "write + fdatasync of 1 KiB, reserved space",
    ));
    std::fs::remove_file(&path).map_err(wrong)
}

/// Mebibytes a second in large synced writes, as a city that catches up makes them.
pub fn stream(bench: &Bench) -> Result<Figure, Failure> {
    let path = bench.dir.join("floor");
    let wrong = |error: std::io::Error| Failure::local(format!("{}: {error}", path.display()));
    let large = synced_writes(&path, LARGE, 256 * PIECE, bench.load_for / 2).map_err(wrong)?;
    std::fs::remove_file(&path).map_err(wrong)?;
    // 1 MiB a write.
    let (zh, en) = ("写入并落盘，每次 1 MiB", "write + fdatasync, 1 MiB each");
    Ok(Figure::new("disk.stream", zh, en, large.per_second(), "MiB/s")
        .taking(large.percentile_ms(0.5), large.percentile_ms(0.99)))
}

/// Writes `size` bytes and syncs, again and again; inside the reserved space, if there is some.
fn synced_writes(
    path: &Path,
    size: usize,
    reserved: usize,
    time: Duration,
) -> std::io::Result<Outcome> {
    let file = File::options().create(true).write(true).truncate(true).open(path)?;
    let zeroes = vec![0; PIECE];
    for piece in 0..reserved / PIECE {
        file.write_all_at(&zeroes, place(piece, PIECE))?;
    }
    file.sync_all()?;
    let block: Vec<u8> = (0..=250_u8).cycle().take(size).collect();
    let (begun, mut micros, mut nth) = (Instant::now(), Vec::new(), 0);
    while begun.elapsed() < time {
        let sent = Instant::now();
        let slot = if reserved == 0 { nth } else { nth % (reserved / size) };
        file.write_all_at(&block, place(slot, size))?;
        file.sync_data()?;
        micros.push(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX));
        nth += 1;
    }
    let calls = u64::try_from(nth).unwrap_or(u64::MAX);
    let elapsed = begun.elapsed();
    micros.sort_unstable();
    Ok(Outcome { calls, elapsed, micros })
}

fn place(nth: usize, size: usize) -> u64 {
    u64::try_from(nth.saturating_mul(size)).unwrap_or(u64::MAX)
}

/// Mebibytes a second, for so many bytes in a time.
pub fn mib_per_second(bytes: u64, time: Duration) -> f64 {
    ratio(bytes, 1024 * 1024) / time.as_secs_f64().max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_counted_and_stay_inside_reserved_space() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("floor");
        let time = Duration::from_millis(50);
        let outcome = synced_writes(&path, SMALL, 2 * PIECE, time).unwrap();
        assert!(outcome.calls > 0);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 2 * PIECE as u64);
        let outcome = synced_writes(&path, SMALL, 0, time).unwrap();
        let length = std::fs::metadata(&path).unwrap().len();
        assert_eq!(length, outcome.calls * SMALL as u64);
    }
}
