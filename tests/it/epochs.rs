//! `liandong epoch`: a log is begun anew, beside a running node and while it is stopped.

use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;

use super::deploy::run;
use super::nodes::{Nodes, opening, plan, until};

const CITIES: [u32; 2] = [371_500, 130_400];

async fn own_logs(nodes: &Nodes, code: u32) -> Vec<pb::Log> {
    let client = nodes.client_as(code, Role::Admin).await;
    let answer = client
        .nodes()
        .list_logs(pb::ListLogsRequest { parent: "agreements/-".to_owned() })
        .await
        .unwrap();
    answer.into_inner().logs.into_iter().filter(|l| l.city == code).collect()
}

async fn open_case(nodes: &Nodes, code: u32, request_id: &str) {
    let agreement = nodes.fleet.agreements[0].name();
    let client = nodes.client(code).await;
    let create = || async {
        client.cases().create_case(opening(&agreement, 0, request_id)).await.ok().map(drop)
    };
    until("a case can be opened", create).await;
}

async fn writes_epoch(nodes: &Nodes, code: u32, epoch: u32) {
    let there = || async {
        own_logs(nodes, code).await.into_iter().find(|l| l.epoch == epoch && l.own).map(drop)
    };
    until("the new series is there", there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_and_a_running_node_go_on_in_the_next_series() {
    let mut nodes = Nodes::start_all(&plan(&CITIES, &[("聊邯", &CITIES)]));
    open_case(&nodes, 371_500, "first").await;
    let first = own_logs(&nodes, 371_500).await.remove(0);
    assert!(first.own && first.stored_size > 0);
    nodes.kill(371_500);

    let folder = nodes.fleet.folder(371_500);
    let new = ["epoch", "new", "--agreement", "聊邯", "--city-key", "city.key"];
    let refused = run(&folder, &new).unwrap_err();
    assert_eq!(refused["error"]["reason"], "USAGE", "nobody was there to confirm: {refused}");
    let yes = [&new[..], &["--yes"]].concat();
    let second = run(&folder, &yes).unwrap();
    assert_eq!(second["epoch"], 2);
    assert_eq!(second["delivery"], "waiting");
    assert_eq!(second["prologue"]["log_id"], first.log_id.as_str());
    assert_eq!(second["prologue"]["size"], first.stored_size);
    assert_eq!(second["prologue"]["root"], first.root.as_str());
    let refused = run(&folder, &yes).unwrap_err();
    assert_eq!(refused["error"]["reason"], "EPOCH_WAITING");

    nodes.start(371_500);
    writes_epoch(&nodes, 371_500, 2).await;
    open_case(&nodes, 371_500, "second").await;

    // Now beside the running node, and signed on another machine.
    let second = own_logs(&nodes, 371_500).await.into_iter().find(|l| l.epoch == 2).unwrap();
    let request = ["epoch", "new", "--agreement", "聊邯", "--yes", "--out", "third.request"];
    let third = run(&folder, &request).unwrap();
    assert_eq!(third["epoch"], 3);
    assert_eq!(third["prologue"]["root"], second.root.as_str());
    let elsewhere = tempfile::tempdir().unwrap();
    for file in ["third.request", "city.key"] {
        std::fs::copy(folder.join(file), elsewhere.path().join(file)).unwrap();
    }
    let sign = ["epoch", "sign", "third.request", "--city-key", "city.key"];
    let signed = run(elsewhere.path(), &sign).unwrap();
    assert_eq!(signed["log_id"], third["log_id"]);
    let note = elsewhere.path().join("third.request.note");
    std::fs::rename(note, folder.join("data/inbox/third.note")).unwrap();
    writes_epoch(&nodes, 371_500, 3).await;
}

#[test]
fn another_citys_key_is_told_apart_before_anything_is_made() {
    let nodes = Nodes::lay_out(&plan(&CITIES, &[("聊邯", &CITIES)]));
    let folder = nodes.fleet.folder(371_500);
    let wrong = nodes.fleet.folder(130_400).join("city.key");
    // The fleet's own manifest is in the inbox; this is about a fresh folder.
    for entry in std::fs::read_dir(folder.join("data/inbox")).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("manifest") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    let keys = || std::fs::read_dir(folder.join("keys")).unwrap().count();
    let before = keys();
    let new = ["epoch", "new", "--agreement", "聊邯", "--city-key", wrong.to_str().unwrap()];
    let refused = run(&folder, &new).unwrap_err();
    assert_eq!(refused["error"]["exit"], 5, "{refused}");
    assert_eq!(keys(), before);
    let unknown = run(&folder, &["epoch", "new", "--agreement", "无此协议"]).unwrap_err();
    assert_eq!(unknown["error"]["exit"], 5, "{unknown}");
}
