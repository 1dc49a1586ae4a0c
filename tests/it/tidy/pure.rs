//! Pure modules: no runtime, no disk, no network, no clock, no chance, no map order.

use super::assert_none;
use super::rust::{NamePath, Source, paths, sources};

/// Folders and files that must give the same answer everywhere, always.
const PURE: &[&str] = &[
    "src/domain/",
    "src/domain.rs",
    "src/geo/",
    "src/hj212/",
    "src/log/",
    "src/view/",
    "src/sync/",
    "src/node/core.rs",
    "src/node/core/",
    "src/node/core_",
];

/// Crates that no pure module names, nor those that belong to them (`tokio_stream`).
const CRATES: &[&str] = &["tokio", "sled", "tonic", "prost", "rand"];

/// Names with a clock, a disk, a network or a random order behind them.
const NAMES: &[&[&str]] = &[
    &["SystemTime"],
    &["Instant", "now"],
    &["std", "fs"],
    &["std", "net"],
    &["HashMap"],
    &["HashSet"],
];

fn impure(path: &NamePath) -> bool {
    let of = |name: &&str| {
        path.first()
            .strip_prefix(*name)
            .is_some_and(|rest| rest.starts_with('_') || (rest.is_empty() && path.names.len() > 1))
    };
    CRATES.iter().any(of) || NAMES.iter().any(|names| path.has(names))
}

fn impurities(source: &Source) -> Vec<String> {
    if !PURE.iter().any(|pure| source.path.starts_with(pure)) {
        return Vec::new();
    }
    let found = paths(&source.product).into_iter().filter(impure);
    found.map(|p| format!("{}:{}: {} in a pure module", source.path, p.line, p.text())).collect()
}

#[test]
fn pure_modules_are_pure() {
    let wrong: Vec<_> = sources().iter().flat_map(impurities).collect();
    assert_none(&wrong);
    // The rule must not pass because a folder was renamed.
    assert!(sources().iter().any(|s| s.path.starts_with("src/geo/")));
}

#[test]
fn a_planted_impurity_is_found() {
    let wrong = |path: &str, code: &str| impurities(&Source::new(path, code)).len();
    for bad in [
        "use tokio::sync::mpsc;",
        "fn f() { tokio_util::x() }",
        "use sled::Db;",
        "fn f() -> tonic::Status { x }",
        "#[derive(prost::Message)] struct S;",
        "use std::time::{Duration, SystemTime};",
        "fn f() { let t = std::time::Instant::now(); }",
        "use std::{fmt, fs};",
        "use std::net::IpAddr;",
        "fn f() { rand::random() }",
        "use std::collections::HashMap;",
        "fn f(s: HashSet<u8>) {}",
    ] {
        assert_eq!(wrong("src/domain/case.rs", bad), 1, "{bad}");
        assert_eq!(wrong("src/node/core.rs", bad), 1, "{bad}");
        assert_eq!(wrong("src/node/link.rs", bad), 0, "{bad}");
    }
    for good in [
        "//! no tokio::spawn, no HashMap",
        "const S: &str = \"std::fs\";",
        "#[cfg(test)] mod tests { use std::fs; }",
        "fn operand(x: u8) { operand::y(brand::z) }",
        "use std::collections::BTreeMap;",
    ] {
        assert_eq!(wrong("src/log/note.rs", good), 0, "{good}");
    }
}
