//! Invariants name their tests: every test that a module header, `ARCHITECTURE.md` or a document of
//! faults names exists, and so does every guard.
//!
//! A name is lower-case words joined by underscores in backticks and brackets: (`like_this`). It is
//! a function, or a test module that holds several.

use std::collections::BTreeSet;
use std::fs;

use super::{assert_none, files_under, relative, root};

const FAULTS: &str = "docs/faults.md";

/// The names in a text, with their lines.
fn named(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for piece in line.split("(`").skip(1) {
            let Some((name, behind)) = piece.split_once('`') else { continue };
            let words =
                name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            let closed = behind.starts_with(')') || behind.starts_with(',');
            if words && closed && name.contains('_') {
                found.push((at + 1, name.to_owned()));
            }
        }
    }
    found
}

fn headers(text: &str) -> String {
    let header = |line: &str| line.trim_start().starts_with("//!");
    text.lines().map(|l| if header(l) { format!("{l}\n") } else { "\n".to_owned() }).collect()
}

/// Functions and modules by name.
fn defined(text: &str) -> BTreeSet<String> {
    let name = |line: &str, word: &str| {
        let (_, rest) = line.split_once(word)?;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        Some(rest[..end.unwrap_or(rest.len())].to_owned())
    };
    let line = |line: &str| [name(line, "fn "), name(line, "mod ")];
    text.lines().flat_map(line).flatten().collect()
}

#[test]
fn every_invariant_has_its_test() {
    let files: Vec<_> = [files_under("src", "rs"), files_under("tests", "rs")].concat();
    let texts: Vec<_> =
        files.iter().map(|path| (relative(path), fs::read_to_string(path).unwrap())).collect();
    let known: BTreeSet<String> = texts.iter().flat_map(|(_, text)| defined(text)).collect();
    let mut wrong = Vec::new();
    let mut count = 0;
    let named_here = texts.iter().map(|(path, text)| (path.clone(), named(&headers(text))));
    let documents = ["ARCHITECTURE.md", FAULTS, "docs/threat-model.md"]
        .map(|path| (path.to_owned(), named(&fs::read_to_string(root().join(path)).unwrap())));
    for (path, names) in named_here.chain(documents) {
        for (line, name) in names.into_iter().filter(|(_, name)| *name != "like_this") {
            count += 1;
            if !known.contains(&name) {
                wrong.push(format!("{path}:{line}: there is no test {name}"));
            }
        }
    }
    assert!(count > 50, "{count} names: the reader reads nothing");
    assert_none(&wrong);
}

#[test]
fn a_planted_name_is_found() {
    let text =
        "//! 1. Never. (`a_test_nobody_wrote`)\n//! 2. See (`tidy`), [`x_y`] and (`a_b`, ...)\n";
    let found: Vec<_> = named(text).into_iter().map(|(_, name)| name).collect();
    assert_eq!(found, ["a_test_nobody_wrote", "a_b"]);
    assert!(
        defined("    pub async fn a_b() {\nmod c_d;")
            .is_superset(&["a_b".into(), "c_d".into()].into())
    );
}

/// Rows of the tables of faults: number, guard, tests.
fn rows(text: &str) -> Vec<(u32, String, String)> {
    text.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let number = cells.first()?.parse().ok()?;
            Some((number, cells.get(3)?.to_string(), cells.get(4)?.to_string()))
        })
        .collect()
}

/// What is wrong with a row.
fn fault_without_home(guard: &str, tests: &str) -> Option<String> {
    if guard == "none" {
        return (!tests.contains("Not yet"))
            .then(|| "no guard, and not said to be owed".to_owned());
    }
    if named(tests).is_empty() && !tests.contains("Not yet") {
        return Some("no test, and not said to be owed".to_owned());
    }
    let Some((path, function)) = guard.trim_matches('`').split_once("::") else {
        return Some(format!("{guard} is no guard"));
    };
    let text = fs::read_to_string(root().join(path)).unwrap_or_default();
    (!defined(&text).contains(function)).then(|| format!("there is no {path}::{function}"))
}

#[test]
fn every_fault_has_its_guard_and_its_test() {
    let rows = rows(&fs::read_to_string(root().join(FAULTS)).unwrap());
    let numbers: BTreeSet<u32> = rows.iter().map(|(number, _, _)| *number).collect();
    assert_eq!(numbers, (1..=52).collect(), "no row is dropped");
    assert_eq!(rows.len(), 52, "no row stands twice");
    let wrong = rows.iter().filter_map(|(number, guard, tests)| {
        fault_without_home(guard, tests).map(|why| format!("{FAULTS}: row {number}: {why}"))
    });
    assert_none(&wrong.collect::<Vec<String>>());
}

#[test]
fn a_planted_fault_without_guard_or_test_is_found() {
    let real = "`src/log/batch.rs::accept_batch`";
    assert_eq!(fault_without_home(real, "(`forged_batches_are_refused_whole`)"), None);
    assert_eq!(fault_without_home("none", "Not yet"), None);
    for (guard, tests) in [
        (real, "later"),
        ("none", "(`a_b`)"),
        ("`src/log/batch.rs::no_such`", "(`a_b`)"),
        ("x", "Not yet"),
    ] {
        assert!(fault_without_home(guard, tests).is_some(), "{guard} {tests}");
    }
}
