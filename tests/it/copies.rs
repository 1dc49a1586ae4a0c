//! One process of a node too many, and one that sleeps: real processes that a machine was cloned
//! with, or suspended.

use std::process::{Command, Stdio};
use std::time::Duration;

use liandong::cli::connect::Client;
use liandong::lang::Lang;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use rustix::process::Signal;

use super::disk::open;
use super::exchange::{arrived, create, equal, logs};
use super::kills::quick_plan;
use super::nodes::{Nodes, exe, signal, until, until_or};
use super::power::copy;

const HERE: u32 = 371_500;
const THERE: u32 = 130_400;

/// A port that nobody has for the moment.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn warnings(client: &Client) -> String {
    let status = client.nodes().get_status(pb::GetStatusRequest {}).await.unwrap().into_inner();
    let status = status.status.unwrap();
    let links: Vec<_> = status.links.iter().map(|l| l.reason.clone()).collect();
    format!("{:?} {links:?}", status.warnings)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_real_copies_one_is_refused_and_both_are_warned() {
    let mut nodes = Nodes::start_all(&quick_plan());
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    let case = create(&here, &agreement, "复制试验").await;
    arrived(&there, &case.name).await;
    drop(here);
    nodes.kill(HERE);
    // As a cloned machine has it: everything, under other addresses.
    let folder = nodes.fleet.folder(HERE);
    let clone = folder.with_extension("clone");
    copy(&folder, &clone);
    let mut text = std::fs::read_to_string(folder.join("liandong.toml")).unwrap();
    let (api, peer) = (free_port(), free_port());
    let city = nodes.fleet.city(HERE).unwrap().clone();
    text = text.replace(&city.api.to_string(), &format!("127.0.0.1:{api}"));
    text = text.replace(&city.peer.to_string(), &format!("127.0.0.1:{peer}"));
    std::fs::write(clone.join("liandong.toml"), text).unwrap();
    nodes.start(HERE);
    let here = nodes.client(HERE).await;
    let second = create(&here, &agreement, "原件办理").await;
    arrived(&there, &second.name).await;
    let log = std::fs::File::create(clone.join("serve.log")).unwrap();
    let mut command = Command::new(exe());
    command.arg("serve").arg("--config").arg(clone.join("liandong.toml"));
    command.args(["--die-with-parent", &std::process::id().to_string()]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let mut profile = nodes.fleet.profile(HERE, Role::Coordinator);
    profile.api = format!("127.0.0.1:{api}");
    let copied = until("the copy runs", || async { Client::open(&profile, Lang::En).await.ok() });
    let copied = copied.await;
    for (who, client) in [("the copy", &copied), ("the original", &here)] {
        let warned = || async { warnings(client).await.contains("两份").then_some(()) };
        let explain = || async { format!("{who}: {}", warnings(client).await) };
        until_or("both are warned", warned, explain).await;
    }
    // The original goes on, and the other city takes it from there.
    let third = create(&here, &agreement, "继续办理").await;
    arrived(&there, &third.name).await;
    child.kill().unwrap();
    child.wait().unwrap();
    equal(&[&here, &there], &agreement).await;
}

/// How the link to the other city stands, as the node shows it.
async fn link(client: &Client) -> String {
    let status = client.nodes().get_status(pb::GetStatusRequest {}).await.unwrap().into_inner();
    status.status.unwrap().links.iter().map(|l| format!("{:?}", l.state())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_stopped_for_long_goes_on_and_nothing_is_there_twice() {
    let nodes = Nodes::start_all(&quick_plan());
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    let case = create(&here, &agreement, "暂停试验").await;
    arrived(&there, &case.name).await;
    let linked = link(&here).await;
    signal(nodes.pid(THERE), Signal::STOP);
    // Work goes on meanwhile, for as long as it takes to give the silent link up.
    let mut opened = Vec::new();
    while link(&here).await == linked {
        let id = format!("meanwhile-{}", opened.len());
        opened.push(open(&here, &agreement, &id).await.unwrap());
        assert!(opened.len() < 400, "a silent link stands for ever");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    signal(nodes.pid(THERE), Signal::CONT);
    for case in &opened {
        arrived(&there, &case.name).await;
    }
    equal(&[&here, &there], &agreement).await;
    let there_logs = logs(&there, &agreement).await;
    // Every command once, the person's introduction and the first case.
    assert_eq!(there_logs[&HERE].stored_size, opened.len() as u64 + 2);
}
