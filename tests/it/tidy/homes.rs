//! Homes: generated code, the database and gRPC codes each live in one place.

use super::assert_none;
use super::rust::{NamePath, Source, paths, sources};

/// tonic's constructors of a status, each of which chooses a code.
const STATUS_MAKERS: &[&str] = &[
    "aborted",
    "already_exists",
    "cancelled",
    "data_loss",
    "deadline_exceeded",
    "failed_precondition",
    "internal",
    "invalid_argument",
    "not_found",
    "out_of_range",
    "permission_denied",
    "resource_exhausted",
    "unauthenticated",
    "unavailable",
    "unimplemented",
    "unknown",
];

fn names_of(path: &NamePath) -> Vec<&str> {
    path.names.iter().map(String::as_str).collect()
}

/// Where a name has no business, and where it lives.
fn homeless(file: &str, path: &NamePath) -> Option<&'static str> {
    let in_folder = |folder: &str| file.starts_with(folder);
    // The command line and the console are clients of the API and read its messages and codes, as
    // what they have in common does; services implement the generated traits.
    let clients = ["src/cli/", "src/console/", "src/shown/", "src/import/"];
    if clients.into_iter().any(in_folder) && names_of(path)[0] != "sled" {
        return None;
    }
    let names = names_of(path);
    let chooses = |pair: &[&str]| pair[0] == "Status" && STATUS_MAKERS.contains(&pair[1]);
    if names.contains(&"pb") && names.len() > 1 && !in_folder("src/wire/") && !in_folder("src/rpc/")
    {
        Some("generated code is named only in src/wire/")
    } else if names[0] == "sled" && names.len() > 1 && !in_folder("src/store/") {
        Some("sled lives only in src/store/")
    } else if names.windows(2).any(chooses) && file != "src/wire/status.rs" {
        Some("gRPC codes are chosen only in src/wire/status.rs")
    } else if names.windows(2).any(|pair| pair[0] == "Code" || pair == ["tonic", "Code"])
        && file != "src/wire/reasons.rs"
        && !in_folder("src/wire/reasons/")
        && file != "src/wire/status.rs"
    {
        Some("gRPC codes are named only in src/wire/status.rs")
    } else {
        None
    }
}

fn away_from_home(source: &Source) -> Vec<String> {
    let wrong = |path: &NamePath| {
        let why = homeless(&source.path, path)?;
        Some(format!("{}:{}: {}: {why}", source.path, path.line, path.text()))
    };
    paths(&source.product).iter().filter_map(wrong).collect()
}

#[test]
fn everything_lives_at_home() {
    assert_none(&sources().iter().flat_map(away_from_home).collect::<Vec<_>>());
}

#[test]
fn a_planted_stray_is_found() {
    let wrong = |path: &str, code: &str| away_from_home(&Source::new(path, code)).len();
    let rows = [
        ("use crate::wire::pb::v1 as v1;", "src/wire/case.rs"),
        ("fn f(x: pb::v1::Case) {}", "src/wire/case.rs"),
        ("fn f() { sled::open(p) }", "src/store/db.rs"),
        ("use sled::{Db, Tree};", "src/store/db.rs"),
        ("fn f() { tonic::Code::Aborted }", "src/wire/status.rs"),
        ("use tonic::{Code, Status};", "src/wire/status.rs"),
        ("fn f() { Code::Internal }", "src/wire/status.rs"),
        ("fn f() { Status::not_found(s) }", "src/wire/status.rs"),
    ];
    for (code, home) in rows {
        assert!(wrong("src/node/case.rs", code) > 0, "{code}");
        assert_eq!(wrong(home, code), 0, "{code}");
    }
    assert_eq!(wrong("src/rpc/case.rs", "fn f() { CityCode::parse(s); ExitCode::SUCCESS }"), 0);
    assert_eq!(wrong("src/cli/bar.rs", "fn f(pb: &ProgressBar) { pb.inc(1) }"), 0);
    assert_eq!(wrong("src/wire/case.rs", "fn f() { Status::internal(s) }"), 1);
}
