//! House rules that a machine can hold: directions between modules, purity, sizes, homes,
//! comments, nothing from a developer's machine.
//!
//! Each rule is a checker from text to violations, a test that runs it over the whole crate, and
//! a self-test with a planted violation: a checker that cannot fail checks nothing.
//!
//! In scope: what can be told from text. Out of scope: what rustc and clippy tell better.

mod arrows;
mod docs;
mod fresh;
mod homes;
mod invariants;
mod logs;
mod plants;
mod proto;
mod pure;
mod repo;
mod rust;
mod sizes;

use std::fs;
use std::path::{Path, PathBuf};

/// Fails with one line for each violation.
#[track_caller]
fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file's path from the top of the repository, with `/` between names.
fn relative(path: &Path) -> String {
    let names = path.strip_prefix(root()).unwrap().iter();
    names.map(|name| name.to_str().unwrap()).collect::<Vec<_>>().join("/")
}

/// Every file under a folder with this extension, sorted; none where there is no such folder.
fn files_under(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
