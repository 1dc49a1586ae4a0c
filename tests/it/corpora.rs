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

use bodies::{Body, TARGETS};

/// Bytes of all corpora: they are read by every run of the tests.
const CORPUS_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// Changed inputs of each target.
const CHANGES: usize = 300;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// The inputs of a target; else one line that says what to do.
///
/// All are accepted, so that a file that was damaged, and a format that was changed, are seen; but
/// for inputs that once found something, which are there to be refused.
fn corpus(folder: &Path, body: Body) -> Result<Vec<(PathBuf, Vec<u8>)>, String> {
    let shown =
        |path: &Path| path.strip_prefix(self::folder()).unwrap_or(path).display().to_string();
    let again = "take it back with: git checkout fuzz/corpus";
    let listed =
        std::fs::read_dir(folder).map_err(|e| format!("{}: {e}; {again}", shown(folder)))?;
    let mut found = Vec::new();
    for path in listed.map(|entry| entry.unwrap().path()) {
        let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}; {again}", shown(&path)))?;
        let found_something = path.file_name().unwrap().to_string_lossy().starts_with("found-");
        if !body(&bytes) && !found_something {
            let anew = "or make it anew if its format was changed on purpose";
            return Err(format!("{}: is not accepted; {again}, {anew}", shown(&path)));
        }
        found.push((path, bytes));
    }
    found.sort();
    if found.is_empty() {
        return Err(format!("{}: holds nothing; {again}", shown(folder)));
    }
    Ok(found)
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
        let inputs = corpus(&folder().join(target), body).unwrap_or_else(|line| panic!("{line}"));
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
        println!("{target}: {} inputs, {done} changed, {refused} refused", inputs.len());
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

/// Whoever meets a broken corpus is told in one line which file it is and what to do.
#[test]
fn a_corpus_that_is_damaged_or_gone_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (_, body) = TARGETS.into_iter().find(|(target, _)| *target == "note").unwrap();
    let said = |name: &str| {
        let line = corpus(&folder.path().join(name), body).unwrap_err();
        assert!(line.contains("git checkout fuzz/corpus") && !line.contains('\n'), "{line}");
        line
    };
    assert!(said("gone").contains("gone: "));
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    assert!(said("empty").contains("empty: holds nothing"));
    let damaged = folder.path().join("damaged");
    std::fs::create_dir(&damaged).unwrap();
    let mut note = std::fs::read(self::folder().join("note/card")).unwrap();
    std::fs::write(damaged.join("card"), &note).unwrap();
    assert_eq!(corpus(&damaged, body).unwrap().len(), 1);
    note.truncate(note.len() - 1);
    std::fs::write(damaged.join("card"), &note).unwrap();
    assert!(said("damaged").contains("damaged/card: is not accepted"));
    std::fs::rename(damaged.join("card"), damaged.join("found-a-panic")).unwrap();
    assert_eq!(corpus(&damaged, body).unwrap().len(), 1, "it is there to be refused");
}
