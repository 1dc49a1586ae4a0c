//! `liandong doctor` as people run it: against a running node, and on the files of one that is not.

use liandong::config::Config;
use serde_json::Value;

use super::disk::record_with;
use super::kills::quick_plan;
use super::nodes::{Nodes, case_request, exe, until, until_or};

const HERE: u32 = 371_500;
const THERE: u32 = 130_400;

/// Runs it; exit code, and what it says as JSON.
async fn doctor(nodes: &Nodes, with_files: bool) -> (i32, Value) {
    let mut command = tokio::process::Command::new(exe());
    command.args(["doctor", "--json", "--profile", "client.toml"]);
    command.current_dir(nodes.fleet.folder(HERE));
    if with_files {
        command.args(["--config", "liandong.toml"]);
    }
    let output = command.output().await.unwrap();
    let said = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code().unwrap(), said)
}

/// The level of the first finding in an area that is not green.
fn wrong(said: &Value, area: &str) -> Option<String> {
    let findings = said["findings"].as_array().cloned().unwrap_or_default();
    let found = findings.iter().find(|one| one["area"] == area && one["level"] != "green")?;
    assert!(!found["advice"].as_str().unwrap().is_empty(), "{found}");
    Some(found["level"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tells_what_is_wrong_also_of_a_node_that_does_not_run() {
    let mut plan = quick_plan();
    plan.extra_config += "alone_s = 1\n";
    let mut nodes = Nodes::lay_out(&plan);
    nodes.announce_all_years();
    for city in [HERE, THERE] {
        nodes.start(city);
    }
    let agreement = nodes.fleet.agreements[0].name();
    let client = nodes.client(HERE).await;
    until("a case", || async {
        client.cases().create_case(case_request(&agreement, "体检前的案件")).await.ok()
    })
    .await;
    let explain = || async { format!("{:#}", doctor(&nodes, false).await.1) };
    let all_well = || async {
        let (code, said) = doctor(&nodes, false).await;
        (code == 0 && said["level"] == "green" && said["online"] == true).then_some(())
    };
    until_or("all is well", all_well, explain).await;
    // The other city goes away; what is written from now on lies only here.
    nodes.kill(THERE);
    until("a later case", || async {
        client.cases().create_case(case_request(&agreement, "只在本市的案件")).await.ok()
    })
    .await;
    until("that is told", || async {
        let (code, said) = doctor(&nodes, false).await;
        let told = [wrong(&said, "link"), wrong(&said, "receipts")];
        let next = said["findings"].as_array()?.iter().any(|one| one["next_time"].is_string());
        (code == 1 && next && told == [Some("yellow".into()), Some("yellow".into())]).then_some(())
    })
    .await;
    nodes.kill(HERE);
    let (code, said) = doctor(&nodes, false).await;
    assert_eq!((code, said), (3, Value::Null), "nobody answers, and no files are named");
    let (code, said) = doctor(&nodes, true).await;
    assert_eq!((code, &said["level"], &said["online"]), (2, &"red".into(), &false.into()));
    assert_eq!(wrong(&said, "node").as_deref(), Some("red"));
    for area in ["disk", "journal", "guard", "certificate", "audit", "calendar"] {
        assert_eq!(wrong(&said, area), None, "{area}");
        let findings = said["findings"].as_array().unwrap();
        assert!(findings.iter().any(|one| one["area"] == area), "{area} is looked at");
    }
    // Damage, and a mark that is gone.
    let file = nodes.fleet.folder(HERE).join("data/journal/00000000.seg");
    let mut bytes = std::fs::read(&file).unwrap();
    let at = record_with(&bytes, "体检前的案件");
    bytes[at + 100] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let config = Config::load(&nodes.fleet.folder(HERE).join("liandong.toml")).unwrap();
    std::fs::remove_file(config.guard_file).unwrap();
    let (code, said) = doctor(&nodes, true).await;
    assert_eq!(code, 2);
    assert_eq!(wrong(&said, "journal").as_deref(), Some("yellow"));
    assert_eq!(wrong(&said, "guard").as_deref(), Some("red"));
}
