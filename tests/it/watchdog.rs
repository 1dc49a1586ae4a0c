//! The watchdog over real processes: a member takes a call and never answers it, a disk hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use liandong::trust::tls::{CaDirectory, Credentials, Revocations, TlsContext};
use liandong::wire::pb::v1 as pb;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tonic_health::pb::health_check_response::ServingStatus;

use super::disk::{health, open};
use super::kills::quick_plan;
use super::nodes::{Nodes, until};
use super::rogue::city;
use super::shim::{Faults, SEGMENTS, Word};

const HERE: u32 = 371_500;
const THERE: u32 = 130_400;

/// The TLS of a member's peer port, with its own node's certificate.
fn server_of(nodes: &Nodes, code: u32, caller: u32) -> rustls::ServerConfig {
    let own = nodes.fleet.folder(code).join("certs");
    let chain = |path| CertificateDer::pem_file_iter(path).unwrap().map(Result::unwrap).collect();
    let credentials = Credentials {
        chain: chain(own.join("node.pem")),
        key: PrivateKeyDer::from_pem_file(own.join("node.key")).unwrap(),
    };
    let cas = CaDirectory::default();
    let theirs = nodes.fleet.folder(caller).join("certs/ca.pem");
    cas.set(std::iter::once((city(caller), chain(theirs))).collect());
    let context = TlsContext { city: city(code), cas, revocations: Revocations::default() };
    context.peer_server(credentials).unwrap()
}

/// Takes calls, answers pings, and says nothing else.
async fn mute(tcp: TcpStream, tls: tokio_rustls::TlsAcceptor, calls: Arc<AtomicUsize>) {
    let Ok(stream) = tls.accept(tcp).await else { return };
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    let mut held = Vec::new();
    while let Some(Ok(call)) = connection.accept().await {
        calls.fetch_add(1, Ordering::SeqCst);
        held.push(call);
    }
}

async fn task(nodes: &Nodes, name: &str) -> (pb::Task, Vec<String>) {
    let client = nodes.client(HERE).await;
    let answer = client.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
    let status = answer.into_inner().status.unwrap();
    let task = status.tasks.into_iter().find(|task| task.name == name).unwrap_or_default();
    (task, status.warnings)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_never_answered_is_ended_and_made_again() {
    let mut plan = quick_plan();
    plan.extra_config += "task_late_s = 10\n";
    let mut nodes = Nodes::lay_out(&plan);
    nodes.announce_all_years();
    let address = nodes.fleet.city(THERE).unwrap().peer;
    let listener = TcpListener::bind(address).await.unwrap();
    let tls = tokio_rustls::TlsAcceptor::from(Arc::new(server_of(&nodes, THERE, HERE)));
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let accepting = tokio::spawn(async move {
        let mut open = tokio::task::JoinSet::new();
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            open.spawn(mute(tcp, tls.clone(), Arc::clone(&counted)));
        }
    });
    nodes.start(HERE);
    until("it is called", || async { (calls.load(Ordering::SeqCst) > 0).then_some(()) }).await;
    let name = format!("dial {THERE}");
    until("the hanging call is shown", || async {
        let (task, warnings) = task(&nodes, &name).await;
        let told = warnings.iter().any(|w| w.contains(&format!("连接 {THERE}")));
        (task.late && told).then_some(())
    })
    .await;
    until("it is made again", || async {
        let (task, _) = task(&nodes, &name).await;
        let again = task.restart_count > 0 && !task.late;
        (again && calls.load(Ordering::SeqCst) > 1).then_some(())
    })
    .await;
    // All others came round all the while.
    for other in ["audit", "dial", "guard", "inbox", "reload", "tick", "views", "writer"] {
        let (task, _) = task(&nodes, other).await;
        assert_eq!((task.name.as_str(), task.late, task.restart_count), (other, false, 0));
        assert!(task.done_time.is_some(), "{other}");
    }
    // The city's own node comes back: nothing is left of it.
    accepting.abort();
    let _ = accepting.await;
    nodes.start(THERE);
    until("they are linked", || async {
        let client = nodes.client(HERE).await;
        let answer = client.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
        let status = answer.into_inner().status.unwrap();
        let up = status.links.iter().any(|link| link.state() == pb::LinkState::Up);
        (up && status.warnings.is_empty()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writing_thread_on_a_disk_that_hangs_is_shown_and_goes_on_with_the_disk() {
    let mut plan = quick_plan();
    plan.extra_config += "task_late_s = 10\n";
    let mut nodes = Nodes::lay_out(&plan);
    nodes.announce_all_years();
    let Some(faults) = Faults::new(&nodes.fleet.folder(HERE)) else { return };
    faults.start(&mut nodes, HERE);
    let agreement = nodes.fleet.agreements[0].name();
    let client = nodes.client(HERE).await;
    let before =
        until("a first case", || async { open(&client, &agreement, "before").await.ok() }).await;
    faults.set(Word::Hanging, SEGMENTS);
    let (writer, parent) = (nodes.client(HERE).await, agreement.clone());
    let writing = tokio::spawn(async move { open(&writer, &parent, "meanwhile").await });
    until("the thread that hangs is shown", || async {
        let (task, warnings) = task(&nodes, "writer").await;
        let told = warnings.iter().any(|w| w.contains("登记与办理写入") && w.contains("磁盘"));
        (task.late && told && task.restart_count == 0).then_some(())
    })
    .await;
    // What is there is read, and nobody is told that the other case is.
    let read = pb::GetCaseRequest { name: before.name.clone() };
    let read = client.cases().get_case(read).await.unwrap().into_inner().case.unwrap();
    assert_eq!(read.etag, before.etag);
    let told = writing.await.unwrap().map(|case| case.name);
    assert!(told.is_err(), "{told:?} is not on the disk");
    faults.set(Word::Hanging, 0);
    let case = until("the same request has its answer", || async {
        open(&client, &agreement, "meanwhile").await.ok()
    })
    .await;
    until("the thread comes round", || async {
        let (task, warnings) = task(&nodes, "writer").await;
        (!task.late && warnings.is_empty()).then_some(())
    })
    .await;
    let list = pb::ListCasesRequest { parent: agreement, ..pb::ListCasesRequest::default() };
    let list = client.cases().list_cases(list).await.unwrap().into_inner();
    let mut listed: Vec<String> = list.cases.into_iter().map(|case| case.name).collect();
    let mut both = vec![before.name, case.name];
    listed.sort();
    both.sort();
    assert_eq!(listed, both);
    assert_eq!(health(&client).await, ServingStatus::Serving);
}
