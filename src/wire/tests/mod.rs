//! Formats: what is written is read back, golden bytes stay readable, strangers' bytes never hurt.

mod formats;
mod frames;
mod headers;
mod parts;
mod plan_values;
mod statuses;
mod values;

use std::path::PathBuf;

use crate::ids::{hex, unhex};

/// Golden bytes: lines of a name and hexadecimal digits.
pub(super) fn golden(file: &str) -> Vec<(String, Vec<u8>)> {
    let text = std::fs::read_to_string(golden_path(file)).unwrap_or_default();
    let line = |line: &str| {
        let (name, bytes) = line.split_once(' ').unwrap();
        (name.to_owned(), unhex(bytes).unwrap())
    };
    text.lines().filter(|line| !line.starts_with('#')).map(line).collect()
}

fn golden_path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1").join(file)
}

/// Compares with the golden bytes; writes those that are missing when asked to by
/// `LIANDONG_BLESS=1`, and never changes one that is there.
#[track_caller]
pub(super) fn assert_golden(file: &str, made: &[(String, Vec<u8>)]) {
    let known = golden(file);
    let bless = std::env::var_os("LIANDONG_BLESS").is_some();
    let mut added = String::new();
    for (name, bytes) in made {
        match known.iter().find(|(known, _)| known == name) {
            Some((_, golden)) => assert_eq!(hex(bytes), hex(golden), "{file}: {name}"),
            None if bless => added += &format!("{name} {}\n", hex(bytes)),
            None => panic!("{file} has no {name}; add it with LIANDONG_BLESS=1"),
        }
    }
    if !added.is_empty() {
        let text = std::fs::read_to_string(golden_path(file)).unwrap_or_default();
        std::fs::write(golden_path(file), text + &added).unwrap();
    }
}
