//! Disks that fail: a sync that errors, space that runs low, a folder that is in use.

use std::process::{Command, Stdio};

use liandong::cli::connect::Client;
use liandong::wire::pb::v1 as pb;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_types::StatusExt;

use super::kills::quick_plan;
use super::nodes::{Nodes, exe, opening, until};
use super::power::Medium;
use super::world::World;

const HERE: u32 = 371_500;

async fn open(client: &Client, agreement: &str, id: &str) -> Result<pb::Case, Status> {
    let answer = client.cases().create_case(opening(agreement, 0, id)).await?;
    Ok(answer.into_inner().case.unwrap())
}

async fn health(client: &Client) -> ServingStatus {
    let request = HealthCheckRequest { service: String::new() };
    client.health().check(request).await.unwrap().into_inner().status()
}

fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|i| i.reason.clone()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_stops_writing_until_a_restart_and_reads_go_on() {
    let mut nodes = Nodes::lay_out(&quick_plan());
    let Some(medium) = Medium::new(&nodes.fleet.folder(HERE).join("data")) else { return };
    medium.start(&mut nodes, HERE);
    let agreement = nodes.fleet.agreements[0].name();
    let client = nodes.client(HERE).await;
    let kept =
        until("a first case", || async { open(&client, &agreement, "kept").await.ok() }).await;
    assert_eq!(health(&client).await, ServingStatus::Serving);
    medium.fail_syncs(true);
    let refused = open(&client, &agreement, "lost").await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused)), (Code::Unavailable, "STORAGE_FAILED".into()));
    // The disk is well again, but what it made of the failed write nobody knows.
    medium.fail_syncs(false);
    let refused = open(&client, &agreement, "later").await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused)), (Code::Unavailable, "STORAGE_FAILED".into()));
    until("health says so", || async {
        (health(&client).await == ServingStatus::NotServing).then_some(())
    })
    .await;
    let status = client.nodes().get_status(pb::GetStatusRequest {}).await.unwrap().into_inner();
    assert!(!status.status.unwrap().writable);
    let read = client.cases().get_case(pb::GetCaseRequest { name: kept.name.clone() }).await;
    assert_eq!(read.unwrap().into_inner().case.unwrap(), kept);
    nodes.kill(HERE);
    medium.lose_power();
    medium.start(&mut nodes, HERE);
    let client = nodes.client(HERE).await;
    for id in ["kept", "lost", "later"] {
        open(&client, &agreement, id).await.unwrap();
    }
    assert_eq!(health(&client).await, ServingStatus::Serving);
    let request = pb::ListCasesRequest { parent: agreement, ..Default::default() };
    let cases = client.cases().list_cases(request).await.unwrap().into_inner().cases;
    assert_eq!(cases.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_in_use_is_refused_in_words() {
    let mut nodes = Nodes::lay_out(&quick_plan());
    nodes.start(HERE);
    let client = nodes.client(HERE).await;
    // The same folder under other ports, as after a slip in a unit file.
    let folder = nodes.fleet.folder(HERE);
    let text = std::fs::read_to_string(folder.join("liandong.toml")).unwrap();
    let mut other = text.clone();
    for address in [nodes.fleet.cities[0].api, nodes.fleet.cities[0].peer] {
        other = other.replace(&address.to_string(), "127.0.0.1:0");
    }
    assert_ne!(other, text);
    std::fs::write(folder.join("other.toml"), other).unwrap();
    let second = Command::new(exe())
        .arg("serve")
        .arg("--config")
        .arg(folder.join("other.toml"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("another process") && said.contains("另一个进程"), "{said}");
    assert_eq!(health(&client).await, ServingStatus::Serving);
}

#[test]
fn a_low_disk_refuses_writes_and_they_resume_by_themselves() {
    let mut world = World::new(3, 2, &[&[0, 1]]);
    let agreement = world.agreements[0].0;
    world.crash(0);
    world.cities[0].disk_low_bytes = 1_000_000;
    world.start(0);
    let ask = |world: &mut World, id: &str| {
        let ticket = world.open_case(0, agreement, id, "示例案件");
        for _ in 0..200 {
            world.step();
        }
        world.answers[&ticket].clone()
    };
    ask(&mut world, "one").unwrap();
    world.disk(0).set_full(true);
    let refused = ask(&mut world, "two").unwrap_err();
    assert!(matches!(refused, liandong::api::request::WriteError::DiskLow { .. }), "{refused:?}");
    // What the other city writes waits as well; a start and reads need no space.
    world.crash(0);
    world.start(0);
    assert_eq!(world.cases(0, agreement).len(), 1);
    world.disk(0).set_full(false);
    ask(&mut world, "two").unwrap();
    assert_eq!(world.cases(0, agreement).len(), 2);
}
