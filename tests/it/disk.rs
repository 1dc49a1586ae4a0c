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
use super::rebuild::{count, harm_stopped};
use super::world::World;

const HERE: u32 = 371_500;
const THERE: u32 = 130_400;

pub async fn open(client: &Client, agreement: &str, id: &str) -> Result<pb::Case, Status> {
    let answer = client.cases().create_case(opening(agreement, 0, id)).await?;
    Ok(answer.into_inner().case.unwrap())
}

pub async fn health(client: &Client) -> ServingStatus {
    let request = HealthCheckRequest { service: String::new() };
    client.health().check(request).await.unwrap().into_inner().status()
}

pub fn reason(status: &Status) -> String {
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

/// Where the record that holds a text lies in the first segment: header offset.
pub fn record_with(segment: &[u8], text: &str) -> usize {
    let at = segment.windows(text.len()).position(|w| w == text.as_bytes()).unwrap();
    segment[..at].windows(4).rposition(|w| w == b"LDR1").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_is_data_loss_until_a_member_gives_the_entry_again() {
    let mut nodes = Nodes::start_all(&quick_plan());
    let agreement = nodes.fleet.agreements[0].name();
    let client = nodes.client(HERE).await;
    let mut cases = Vec::new();
    for n in 0..6 {
        let mut request = opening(&agreement, 0, &format!("case-{n}"));
        request.record.as_mut().unwrap().title = format!("损坏试验第{n}号");
        let case = until("a case", || async {
            let answer = client.cases().create_case(request.clone()).await.ok()?;
            answer.into_inner().case
        });
        cases.push(case.await);
    }
    let there = nodes.client(THERE).await;
    until("the other city has all", || async {
        let request = pb::GetCaseRequest { name: cases[5].name.clone() };
        there.cases().get_case(request).await.ok()
    })
    .await;
    nodes.kill(THERE);
    // The views have all cases on disk, so they are not built anew over the damage.
    let data = nodes.fleet.folder(HERE).join("data");
    harm_stopped(&mut nodes, &data, &|views| count(views, b'C') == cases.len()).await;
    let file = nodes.fleet.folder(HERE).join("data/journal/00000000.seg");
    let mut bytes = std::fs::read(&file).unwrap();
    let record = record_with(&bytes, "损坏试验第2号");
    bytes[record + 200] ^= 0x20;
    std::fs::write(&file, &bytes).unwrap();
    nodes.start(HERE);
    let client = nodes.client(HERE).await;
    let read = async |name: &str| {
        let request = pb::GetCaseRequest { name: name.to_owned() };
        client.cases().get_case(request).await.map(|a| a.into_inner().case.unwrap())
    };
    let refused = read(&cases[2].name).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused)), (Code::DataLoss, "ENTRY_CORRUPT".into()));
    assert_eq!(read(&cases[1].name).await.unwrap(), cases[1]);
    assert_eq!(read(&cases[3].name).await.unwrap(), cases[3]);
    open(&client, &agreement, "writes go on").await.unwrap_err();
    open(&client, &agreement, "writes-go-on").await.unwrap();
    nodes.start(THERE);
    until("it is fetched again", || async { read(&cases[2].name).await.ok() }).await;
    assert_eq!(read(&cases[2].name).await.unwrap(), cases[2]);
    // Also with views that are built anew.
    nodes.kill(HERE);
    std::fs::remove_dir_all(nodes.fleet.folder(HERE).join("data/views")).unwrap();
    nodes.start(HERE);
    let client = nodes.client(HERE).await;
    for case in &cases {
        let request = pb::GetCaseRequest { name: case.name.clone() };
        let read = client.cases().get_case(request).await.unwrap().into_inner().case.unwrap();
        assert_eq!(&read, case);
    }
    open(&client, &agreement, "and-on").await.unwrap();
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
