//! The corpora of the fuzz targets, replayed through the same bodies by an ordinary test.
//!
//! Each input is also changed a few hundred times by a seed, so that the bodies meet bytes nobody
//! wrote; `LIANDONG_FUZZ_SECONDS` goes on for longer. `cargo fuzz` does it better, and needs a
//! nightly compiler (`fuzz/README.md`).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::sim::rng::Rng;

#[path = "../../fuzz/bodies.rs"]
mod bodies;

use bodies::TARGETS;

/// Bytes of all corpora: they are read by every run of the tests.
const CORPUS_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// Changed inputs of each target.
const CHANGES: usize = 300;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = folder().join(target);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path);
        found.push((path.clone(), bytes.unwrap_or_else(|e| panic!("{}: {e}", path.display()))));
    }
    found.sort();
    let missing = "restore it: git checkout fuzz/corpus";
    assert!(!found.is_empty(), "{} holds nothing; {missing}", folder.display());
    found
}

/// Like a fuzzer's simplest changes: bits, bytes, cuts, doublings, pieces of other inputs.
fn change(bytes: &mut Vec<u8>, other: &[u8], rng: &mut Rng) {
    for _ in 0..=rng.below(3) {
        let at = rng.below(bytes.len() + 1);
        match rng.below(6) {
            0 | 1 if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
            2 if at < bytes.len() => bytes[at] = [0, 0x7f, 0x80, 0xff][rng.below(4)],
            3 => bytes.truncate(at),
            4 => {
                let tail = bytes.split_off(at);
                let from = rng.below(tail.len() + 1);
                bytes.extend_from_slice(&tail[from..]);
                bytes.extend_from_slice(&tail[..from.min(64)]);
            }
            _ => {
                let from = rng.below(other.len() + 1);
                let piece = &other[from..other.len().min(from + 32)];
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }
}

#[test]
fn every_corpus_is_replayed_and_changed() {
    let seconds = std::env::var("LIANDONG_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok());
    for (target, body) in TARGETS {
        let inputs = corpus(target);
        let accepted = inputs.iter().filter(|(_, bytes)| body(bytes)).count();
        assert!(accepted > 0, "{target}: no input is accepted; git checkout fuzz/corpus");
        let mut rng = Rng::new(7);
        let begun = Instant::now();
        let (mut done, mut refused) = (0, 0);
        while done < CHANGES || seconds.is_some_and(|s| begun.elapsed() < Duration::from_secs(s)) {
            let pick = |rng: &mut Rng| &inputs[rng.below(inputs.len())].1;
            let (mut bytes, other) = (pick(&mut rng).clone(), pick(&mut rng));
            change(&mut bytes, other, &mut rng);
            refused += usize::from(!body(&bytes));
            done += 1;
        }
        println!(
            "{target}: {accepted} of {} accepted, {done} changed, {refused} refused",
            inputs.len()
        );
        assert!(refused > 0, "{target} accepts anything");
    }
}

#[test]
fn the_corpora_are_small_and_all_of_a_target() {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        assert!(TARGETS.iter().any(|(target, _)| *target == name), "{name} is of no target");
        let target = format!("fuzz/fuzz_targets/{name}.rs");
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(&target).exists(), "no {target}");
        let inputs = std::fs::read_dir(entry.path()).unwrap();
        bytes += inputs.map(|input| input.unwrap().metadata().unwrap().len()).sum::<u64>();
    }
    assert!(bytes < CORPUS_BYTES_MAX, "{bytes} bytes: run cargo fuzz cmin");
}
