//! Which module may use which. An arrow points down; anything else is a bug.

use super::assert_none;
use super::rust::{Source, paths, sources};

/// A module and what it may use besides itself. `*`: everything below.
///
/// A new module gets a line here on purpose, or the test fails.
const ARROWS: &[(&str, &[&str])] = &[
    ("ids", &[]),
    // Compiled into simulations only; see `may_be_planted`.
    ("planted", &[]),
    ("limits", &[]),
    ("lang", &[]),
    ("domain", &["ids", "limits"]),
    ("geo", &["ids"]),
    ("hj212", &["limits", "domain"]),
    ("log", &["ids", "limits"]),
    ("view", &["ids", "limits", "domain", "log"]),
    ("config", &["ids", "lang", "limits"]),
    ("telemetry", &["ids", "limits", "config"]),
    ("trust", &["ids", "limits", "domain", "log"]),
    ("journal", &["ids", "limits", "log"]),
    ("store", &["ids", "limits", "log"]),
    ("sync", &["ids", "limits", "log"]),
    ("evidence", &["ids", "limits"]),
    ("api", &["ids", "limits", "domain", "log"]),
    ("audit", &["ids", "limits", "domain", "log"]),
    ("wire", &["ids", "lang", "limits", "api", "domain", "log", "sync", "view"]),
    (
        "node",
        &[
            "api",
            "ids",
            "limits",
            "config",
            "domain",
            "geo",
            "log",
            "view",
            "sync",
            "wire",
            "trust",
            "journal",
            "store",
            "evidence",
            "telemetry",
        ],
    ),
    ("shown", &["ids", "lang", "limits", "domain", "wire"]),
    ("import", &["ids", "lang", "limits", "log", "wire", "shown"]),
    (
        "console",
        &["ids", "lang", "limits", "domain", "geo", "trust", "evidence", "wire", "shown", "import"],
    ),
    (
        "rpc",
        &[
            "ids", "lang", "limits", "api", "audit", "domain", "geo", "log", "view", "sync",
            "trust", "evidence", "wire", "node", "console",
        ],
    ),
    ("cli", &["*"]),
];

fn allowed(module: &str) -> Option<&'static [&'static str]> {
    ARROWS.iter().find(|(name, _)| *name == module).map(|(_, may)| *may)
}

/// Modules in which a simulation may plant a bug: one switch, behind a feature that no release has.
fn may_be_planted(module: &str) -> bool {
    ["domain", "journal", "log", "node", "rpc", "view"].contains(&module)
}

/// Uses against the table; the crate's root and its binary may use everything.
fn wrong_arrows(source: &Source) -> Vec<String> {
    let module = source.module();
    let Some(from) = module.first() else {
        return Vec::new();
    };
    let Some(may) = allowed(from) else {
        return vec![format!("{}: module {from} is not in the table of arrows", source.path)];
    };
    let mut wrong = Vec::new();
    for path in paths(&source.product) {
        let names: Vec<_> = path.names.iter().map(String::as_str).collect();
        let supers = names.iter().take_while(|name| **name == "super").count();
        let to = match names.as_slice() {
            ["crate", to, ..] => *to,
            // Up to the crate's root and down again.
            _ if supers >= module.len() => match names.get(supers) {
                Some(to) if allowed(to).is_some() => *to,
                Some(_) | None => continue,
            },
            _ => continue,
        };
        let fits = allowed(to).is_some() && (may == ["*"] || may.contains(&to));
        let planted = to == "planted" && may_be_planted(from);
        if to != *from && !fits && !planted {
            wrong.push(format!("{}:{}: {from} may not use {to}", source.path, path.line));
        }
    }
    wrong.dedup(); // One line for a group of names.
    wrong
}

#[test]
fn arrows_point_down() {
    let wrong: Vec<_> = sources().iter().flat_map(wrong_arrows).collect();
    assert_none(&wrong);
}

#[test]
fn the_table_itself_has_no_circle() {
    for (place, (module, may)) in ARROWS.iter().enumerate() {
        for to in may.iter().filter(|to| **to != "*") {
            let below = ARROWS[..place].iter().any(|(name, _)| name == to);
            assert!(below, "{module} -> {to}: a line may name only lines above it");
        }
    }
}

#[test]
fn a_planted_arrow_is_found() {
    let wrong = |path: &str, code: &str| wrong_arrows(&Source::new(path, code)).len();
    assert_eq!(wrong("src/domain/case.rs", "use crate::log::Entry;"), 1);
    assert_eq!(wrong("src/domain/case.rs", "fn f() { crate::store::open() }"), 1);
    assert_eq!(
        wrong("src/domain/case.rs", "use crate::{ids::CityCode, log::x, wire::{pb, y}};"),
        2
    );
    assert_eq!(wrong("src/domain/case.rs", "use super::super::wire;"), 1);
    assert_eq!(wrong("src/ids.rs", "use super::log;"), 1);
    assert_eq!(wrong("src/geo/belt.rs", "use crate::*;"), 1);
    assert_eq!(wrong("src/console/pages.rs", "use crate::node::reader;"), 1);
    assert_eq!(wrong("src/rpc/case.rs", "use crate::cli::words;"), 1);
    assert_eq!(wrong("src/newcomer.rs", ""), 1);
    // And none is invented.
    assert_eq!(wrong("src/domain/case.rs", "//! [`crate::log`]\nuse crate::ids::CityCode;"), 0);
    assert_eq!(wrong("src/domain/case.rs", "use crate::domain::x; use super::y;"), 0);
    assert_eq!(wrong("src/domain/case.rs", "#[cfg(test)] mod t { use crate::log::x; }"), 0);
    assert_eq!(wrong("src/cli/serve.rs", "use crate::{node, rpc, console};"), 0);
}
