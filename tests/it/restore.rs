//! A city comes back from an older copy, for real: processes, disks, `liandong epoch new`.
//!
//! The counterexample that must not happen: A offers a case to B, is restored to before the offer
//! and closes the case, while B accepts it.

use std::path::{Path, PathBuf};
use std::process::Command;

use liandong::cli::connect::Client;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::kills::quick_plan;
use super::nodes::{Nodes, exe, opening, until};
use super::power::copy;

const A: u32 = 371_500;
const B: u32 = 130_400;

fn reason(status: &Status) -> (Code, String) {
    let details = status.get_error_details();
    (status.code(), details.error_info().map(|i| i.reason.clone()).unwrap_or_default())
}

async fn read(client: &Client, name: &str) -> pb::Case {
    let request = pb::GetCaseRequest { name: name.to_owned() };
    client.cases().get_case(request).await.unwrap().into_inner().case.unwrap()
}

async fn recoveries(client: &Client) -> Vec<pb::Recovery> {
    let answer = client.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
    answer.into_inner().status.unwrap().recoveries
}

async fn open(client: &Client, agreement: &str, id: &str) -> Result<pb::Case, Status> {
    let answer = client.cases().create_case(opening(agreement, 0, id)).await?;
    Ok(answer.into_inner().case.unwrap())
}

async fn dismiss(client: &Client, case: &pb::Case, id: &str) -> Result<pb::Case, Status> {
    let request = pb::DismissClueRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        text: "不予立案".to_owned(),
        request_id: id.to_owned(),
        ..Default::default()
    };
    Ok(client.cases().dismiss_clue(request).await?.into_inner().case.unwrap())
}

async fn add_note(client: &Client, name: &str, id: &str) -> Result<(), Status> {
    let request = pb::AddNoteRequest {
        name: name.to_owned(),
        text: "恢复期间的补充说明".to_owned(),
        request_id: id.to_owned(),
        ..Default::default()
    };
    client.cases().add_note(request).await.map(drop)
}

fn epoch_new(nodes: &Nodes) {
    let new = ["epoch", "new", "--agreement", "聊邯", "--city-key", "city.key", "--yes", "--json"];
    let output = Command::new(exe()).args(new).current_dir(nodes.fleet.folder(A)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A has offered a case to B and was then restored to before that; B is stopped and has the offer.
struct Restored {
    nodes: Nodes,
    agreement: String,
    /// The case as the restored A sees it.
    case: pb::Case,
}

async fn restored() -> Restored {
    let mut nodes = Nodes::start_all(&quick_plan());
    let agreement = nodes.fleet.agreements[0].name();
    let (a, b) = (nodes.client(A).await, nodes.client(B).await);
    let case = until("A can write", || async { open(&a, &agreement, "one").await.ok() }).await;
    let request = pb::StartVerificationRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        request_id: "verify".to_owned(),
        ..Default::default()
    };
    let case = a.cases().start_verification(request).await.unwrap().into_inner().case.unwrap();
    until("B has the case", || async {
        let request = pb::GetCaseRequest { name: case.name.clone() };
        let there = b.cases().get_case(request).await.ok()?.into_inner().case.unwrap();
        (there.etag == case.etag).then_some(())
    })
    .await;
    nodes.kill(A);
    let (data, backup) = folders(&nodes);
    copy(&data, &backup);
    nodes.start(A);
    let a = nodes.client(A).await;
    let request = pb::OfferTransferRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        to_city: B,
        request_id: "offer".to_owned(),
        ..Default::default()
    };
    a.cases().offer_transfer(request).await.unwrap();
    until("B has the offer", || async {
        (read(&b, &case.name).await.turn_city == B).then_some(())
    })
    .await;
    // The guard is written once a second.
    let guard = nodes.fleet.folder(A).join("guard/guard");
    let before = std::fs::read(&guard).unwrap();
    until("the guard has moved", || async {
        (std::fs::read(&guard).unwrap() != before).then_some(())
    })
    .await;
    nodes.kill(B);
    nodes.kill(A);
    std::fs::remove_dir_all(&data).unwrap();
    copy(&backup, &data);
    nodes.start(A);
    Restored { nodes, agreement, case }
}

fn folders(nodes: &Nodes) -> (PathBuf, PathBuf) {
    let folder: &Path = &nodes.fleet.folder(A);
    (folder.join("data"), folder.join("backup"))
}

/// A is in its new epoch, and B is away.
async fn in_new_epoch(restored: &mut Restored) -> Client {
    let Restored { nodes, agreement, case } = restored;
    for _ in 0..2 {
        let a = nodes.client(A).await;
        let refused = open(&a, agreement, "too-early").await.unwrap_err();
        assert_eq!(reason(&refused), (Code::FailedPrecondition, "EPOCH_NEEDED".to_owned()));
        assert!(recoveries(&a).await[0].epoch_needed);
        assert_eq!(read(&a, &case.name).await.etag, case.etag, "reads go on");
        // It does not forget that over a restart.
        nodes.kill(A);
        nodes.start(A);
    }
    let a = nodes.client(A).await;
    epoch_new(nodes);
    // Openings and contributions are free at once.
    until("A can open a case", || async { open(&a, agreement, "two").await.ok() }).await;
    add_note(&a, &case.name, "note").await.unwrap();
    let refused = dismiss(&a, case, "close").await.unwrap_err();
    assert_eq!(reason(&refused), (Code::FailedPrecondition, "RECOVERING".to_owned()));
    let details = refused.get_error_details();
    assert_eq!(details.error_info().unwrap().metadata["waiting_for"], B.to_string());
    assert!(details.precondition_failure().is_some());
    let waiting = recoveries(&a).await;
    assert_eq!((waiting.len(), waiting[0].waiting_for.clone()), (1, vec![B]));
    a
}

/// Both cities hold the same logs and see the same case.
async fn converged(nodes: &Nodes, name: &str) -> pb::Case {
    let (a, b) = (nodes.client(A).await, nodes.client(B).await);
    let logs = async |client: &Client| -> Vec<(String, u64, u64, String)> {
        let request = pb::ListLogsRequest { parent: "agreements/-".to_owned() };
        let logs = client.nodes().list_logs(request).await.unwrap().into_inner().logs;
        logs.into_iter().map(|l| (l.log_id, l.stored_size, l.applied_size, l.root)).collect()
    };
    until("both hold the same", || async {
        let (here, there) = (logs(&a).await, logs(&b).await);
        (here == there && here.iter().all(|l| l.1 == l.2)).then_some(())
    })
    .await;
    let (mut here, mut there) = (read(&a, name).await, read(&b, name).await);
    // What each may do next is its own, and a person is for the handling city.
    for seen in [&mut here, &mut there] {
        seen.allowed_steps.clear();
        seen.person = None;
    }
    assert_eq!(here, there);
    here
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_elsewhere_stands_and_the_restored_city_cannot_close_it() {
    let mut world = restored().await;
    let a = in_new_epoch(&mut world).await;
    let Restored { mut nodes, case, .. } = world;
    // B comes back while A is away, and accepts what it was offered.
    drop(a);
    nodes.kill(A);
    nodes.start(B);
    let b = nodes.client(B).await;
    let offered = read(&b, &case.name).await;
    let request = pb::AcceptTransferRequest {
        name: case.name.clone(),
        etag: offered.etag,
        request_id: "accept".to_owned(),
        ..Default::default()
    };
    let accepted = b.cases().accept_transfer(request).await.unwrap().into_inner().case.unwrap();
    assert_eq!((accepted.handling_city, accepted.turn_city), (B, B));
    nodes.start(A);
    let seen = converged(&nodes, &case.name).await;
    assert_eq!((seen.handling_city, seen.turn_city, seen.misfit_count), (B, B, 0));
    assert_eq!(seen.etag, accepted.etag, "the acceptance stands");
    let a = nodes.client(A).await;
    assert!(recoveries(&a).await.is_empty());
    let refused = dismiss(&a, &case, "close").await.unwrap_err();
    assert_eq!(reason(&refused), (Code::Aborted, "STALE_ETAG".to_owned()));
    let refused = dismiss(&a, &seen, "close").await.unwrap_err();
    assert_eq!(reason(&refused), (Code::PermissionDenied, "NOT_YOUR_TURN".to_owned()));
    // A repetition of what was asked in the old epoch is still known.
    let again = a.cases().create_case(opening(&world.agreement, 0, "one")).await.unwrap();
    let again = again.into_inner();
    assert!(again.receipt.unwrap().replayed);
    assert_eq!(again.case.unwrap().name, case.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_may_go_on_without_a_member_by_name() {
    let mut world = restored().await;
    let a = in_new_epoch(&mut world).await;
    let Restored { mut nodes, agreement, case } = world;
    let admin = nodes.client_as(A, Role::Admin).await;
    let go_on = |cities: Vec<u32>, id: &str| pb::OverrideRecoveryRequest {
        agreement: agreement.clone(),
        cities,
        text: "邯郸节点长期停机，经两市电话商定先行办理".to_owned(),
        request_id: id.to_owned(),
    };
    let refused = admin.nodes().override_recovery(go_on(vec![370_900], "o1")).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::InvalidArgument, "INVALID_FIELD".to_owned()));
    let refused = a.nodes().override_recovery(go_on(vec![B], "o2")).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::PermissionDenied, "ROLE_NOT_ALLOWED".to_owned()));
    let left = admin.nodes().override_recovery(go_on(vec![B], "o3")).await.unwrap();
    assert_eq!(left.into_inner().recovery, None);
    // It is in an entry, so it holds over a restart.
    nodes.kill(A);
    nodes.start(A);
    let a = nodes.client(A).await;
    let closed = dismiss(&a, &case, "close").await.unwrap();
    // B comes back with the offer: of two moves from one place the old one comes first, on both.
    nodes.start(B);
    let seen = converged(&nodes, &case.name).await;
    assert_ne!(seen.etag, closed.etag);
    assert_eq!((seen.turn_city, seen.misfit_count), (B, 1));
}
