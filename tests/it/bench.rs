//! `liandong bench` runs, leaves nothing behind and counts what it says it counts.
//!
//! In scope: that the figures are there and possible. Out of scope: how fast anything is.

use std::process::Command;

use serde_json::Value;

use super::nodes::exe;

fn run(only: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("data");
    let mut command = Command::new(exe());
    command.args(["bench", "--quick", "--json", "--entries", "400", "--only", only, "--dir"]);
    let output = command.arg(&dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!dir.exists(), "the folder is removed");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn value(report: &Value, id: &str) -> f64 {
    let figures = report["figures"].as_array().unwrap();
    let figure = figures.iter().find(|f| f["id"] == id);
    figure.unwrap_or_else(|| panic!("no {id} in {report}"))["value"].as_f64().unwrap()
}

#[test]
fn entries_caught_up_on_are_counted() {
    let report = run("catch-up,footprint");
    assert_eq!(report["catch_up_entries"], 400);
    for id in ["catch-up.stored", "catch-up.cosigned", "catch-up.applied", "catch-up.floor"] {
        assert!(value(&report, id) > 0.0, "{id}: {report}");
    }
    for id in ["memory.author", "memory.follower", "tls.stream", "disk.stream"] {
        assert!(value(&report, id) > 1.0, "{id}: {report}");
    }
    // The signed bytes are among those on the wire and on disk.
    for id in ["wire.catch-up", "wire.live", "disk.journal"] {
        let value = value(&report, id);
        assert!(value > 1.0 && value < 100.0, "{id} {value}");
    }
}
