//! `liandong bench` runs, leaves nothing behind and counts what it says it counts.
//!
//! In scope: that the figures are there and possible. Out of scope: how fast anything is.

use std::process::Command;

use serde_json::Value;

use super::nodes::exe;

fn run(only: &str) -> Value {
    run_with(only, &[])
}

fn run_with(only: &str, sizes: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("data");
    let mut command = Command::new(exe());
    command.args(["bench", "--quick", "--json", "--entries", "400", "--only", only]);
    command.args(sizes).arg("--dir");
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

#[test]
fn lists_are_read_from_as_many_cases_as_were_asked_for() {
    let report = run_with("lists", &["--cases", "128"]);
    assert_eq!(report["list_cases"], 128);
    assert!(value(&report, "lists.fill") > 0.0);
    let total = |list: &str| value(&report, &format!("lists.{list}.total"));
    // Counted by hand from how they are filled: every eighth is being verified, and the first and
    // the hundredth are filed twice.
    assert_eq!((total("open"), total("turn"), total("state")), (128.0, 128.0, 16.0));
    assert_eq!((total("party"), total("same-act")), (1.0, 4.0));
    assert!(total("due-all") >= total("due") && total("due-all") > 0.0, "{report}");
    // A second a list is not enough for one call of each where the machine has other work.
    let lists =
        ["due", "due-all", "open", "state", "turn", "medium", "discovered", "near", "party"];
    let asked = lists.map(|list| value(&report, &format!("lists.{list}")));
    assert!(asked.iter().sum::<f64>() > 0.0, "{report}");
}

#[test]
fn plans_are_read_from_as_many_as_were_asked_for() {
    let report = run_with("plans", &["--plans", "128"]);
    assert_eq!((&report["list_plans"], &report["units_a_city"]), (&128.into(), &100.into()));
    assert!(value(&report, "plans.fill") > 0.0);
    let total = |list: &str| value(&report, &format!("plans.{list}.total"));
    // Counted by hand from how they are filled: of the 64 of each city a quarter is confirmed by
    // it, and a quarter is cancelled; every third is of three cities. Whatever is open and not
    // confirmed here awaits an answer of this city.
    assert_eq!((total("all"), total("page"), total("state")), (128.0, 128.0, 32.0));
    assert_eq!((total("city"), total("awaited")), (44.0, 80.0));
    // A busy machine may answer none within the short time.
    for of in ["all", "page", "state", "city", "days", "awaited", "get"] {
        assert!(value(&report, &format!("plans.{of}")) >= 0.0, "{of}: {report}");
    }
    for of in ["free-busy", "free-busy-own", "slots", "no-slots"] {
        assert!(value(&report, &format!("plans.{of}.first")) > 0.0, "{of}: {report}");
    }
}

#[test]
fn what_a_check_takes_is_told_beside_what_goes_without_it() {
    let report = run("same-act");
    for id in ["same-act.many.off", "same-act.many", "same-act.one.off", "same-act.one"] {
        assert!(value(&report, id) > 0.0, "{id}: {report}");
    }
}

#[test]
fn a_file_crosses_while_entries_do() {
    let report = run_with("file", &["--file-mib", "3"]);
    assert_eq!(report["file_bytes"], 3 << 20);
    for id in ["file.floor", "file.upload", "file.fetch", "file.fetch.beside"] {
        assert!(value(&report, id) > 0.0, "{id}: {report}");
    }
    for id in ["file.entries.quiet", "file.entries.beside"] {
        assert!(value(&report, id) > 0.0, "{id}: {report}");
    }
}
