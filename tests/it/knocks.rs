//! Strangers knock at a real node's ports, again and again; certificates change under load.
//!
//! A thousand knocks in `cargo test`; `LIANDONG_KNOCKS=10000` (`.ci/steps/knocks.sh`) asks for more.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use liandong::wire::pb::v1 as pb;
use rcgen::ExtendedKeyUsagePurpose as Usage;

use super::certs::{Ca, Leaf, Pair, knock};
use super::hostile::resident_mib;
use super::kills::quick_plan;
use super::nodes::{Nodes, opening, until};
use super::storm::Storm;

const HERE: u32 = 371_500;
const THERE: u32 = 130_400;
/// Knocks under way at a time.
const AT_ONCE: usize = 8;
/// What a process may take more for other reasons: allocators keep what they once had.
const SLACK_MIB: u64 = 8;

fn knocks() -> usize {
    std::env::var("LIANDONG_KNOCKS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000)
}

fn uri(nodes: &Nodes, code: u32) -> String {
    let hex = &nodes.fleet.city(code).unwrap().node;
    format!("spiffe://{code}/node/{}", uuid::Uuid::parse_str(hex).unwrap())
}

/// Certificates that nobody should be let in with, and none at all.
fn strangers(nodes: &Nodes) -> Arc<Vec<Option<Pair>>> {
    let ca = |code| Ca::load(&nodes.fleet.folder(code).join("certs"));
    let (node, person) = (Leaf::node(&uri(nodes, THERE)), Leaf::client("spiffe://371500/admin/x"));
    let servers_only = |leaf: &Leaf| Leaf { usages: vec![Usage::ServerAuth], ..leaf.clone() };
    Arc::new(vec![
        Some(node.self_signed()),
        Some(person.self_signed()),
        Some(Ca::unknown().issue(&node)),
        Some(Ca::unknown().issue(&person)),
        Some(ca(THERE).issue(&servers_only(&node))),
        Some(ca(HERE).issue(&servers_only(&person))),
        None,
    ])
}

/// So many knocks at these ports, each with the next stranger. Gives how many heard an alert.
async fn all_refused(ports: [SocketAddr; 2], with: &Arc<Vec<Option<Pair>>>, count: usize) -> usize {
    let (next, alerts) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = Vec::new();
    for _ in 0..AT_ONCE {
        let (next, alerts, with) = (Arc::clone(&next), Arc::clone(&alerts), Arc::clone(with));
        tasks.push(tokio::spawn(async move {
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                if nth >= count {
                    return;
                }
                let (port, pair) = (ports[nth / with.len() % 2], &with[nth % with.len()]);
                let said = knock(port, pair.as_ref()).await.expect_err("a stranger was let in");
                alerts.fetch_add(usize::from(said.contains("alert")), Ordering::Relaxed);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    alerts.load(Ordering::Relaxed)
}

/// Lines about refused handshakes, and how many more they say were left out.
fn refusals(log: &str) -> (usize, usize) {
    let lines = log.lines().filter(|line| line.contains("handshake refused"));
    let unsaid = |line: &str| -> usize {
        let (_, number) = line.rsplit_once("unsaid=").unwrap();
        number.split_whitespace().next().unwrap().parse().unwrap()
    };
    lines.fold((0, 0), |(lines, left_out), line| (lines + 1, left_out + unsaid(line)))
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_strangers_cost_nothing_that_lasts() {
    let nodes = Nodes::start_all(&quick_plan());
    let city = nodes.fleet.city(HERE).unwrap();
    let (ports, with) = ([city.peer, city.api], strangers(&nodes));
    let (count, begun) = (knocks(), Instant::now());
    // Allocators fill their arenas in the first hundreds, whatever comes after.
    let first = (count / 10).max(600);
    let mut alerts = all_refused(ports, &with, first).await;
    let quiet = resident_mib(nodes.pid(HERE));
    alerts += all_refused(ports, &with, count - first).await;
    let after = resident_mib(nodes.pid(HERE));
    let (lines, unsaid) = refusals(&nodes.log(HERE));
    let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap();
    println!(
        "{count} knocks in {seconds} s: {alerts} alerts, {lines} lines and {unsaid} left out, \
         {quiet} MiB after {first}, {after} MiB at the end"
    );
    assert!(after < quiet + SLACK_MIB, "{quiet} MiB after {first} knocks, {after} MiB at the end");
    // Each port speaks once a second at the most; every line says how many it stands for.
    assert!(lines > 0 && lines <= 2 * (seconds + 2), "{lines} lines in {seconds} s");
    assert!(lines + unsaid <= count, "{lines} lines, {unsaid} left out");
    // A refusal is an alert, unless the other end has hung up before it was read.
    assert!(alerts > count / 2, "{alerts} of {count} heard why");
    until("a later line says how many were left out", || async {
        all_refused(ports, &with, with.len() * 2).await;
        (refusals(&nodes.log(HERE)).1 > count / 2).then_some(())
    })
    .await;
    // Whoever is known is let in as ever.
    let ca = Ca::load(&nodes.fleet.folder(THERE).join("certs"));
    let known = ca.issue(&Leaf::node(&uri(&nodes, THERE)));
    until("the right certificate is let in", || async { knock(ports[0], Some(&known)).await.ok() })
        .await;
    nodes.client(HERE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_under_load_and_no_call_fails() {
    let mut nodes = Nodes::lay_out(&quick_plan());
    // It says what it has taken on the level of information.
    nodes.start_with(HERE, &[("RUST_LOG", &PathBuf::from("liandong=info"))]);
    Storm::new(&nodes, HERE).ready(&nodes).await;
    let nodes = Arc::new(nodes);
    let agreement = nodes.fleet.agreements[0].name();
    let folder = nodes.fleet.folder(HERE);
    let certs = folder.join("certs");
    let ca = Ca::load(&certs);
    let leaf = || ca.issue(&Leaf::node(&uri(&nodes, HERE)));
    let taken = || nodes.log(HERE).matches("certificates and revocation lists read again").count();
    let refused = || nodes.log(HERE).matches("TLS files not taken").count();
    let (done, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = Vec::new();
    for caller in 0..2 {
        let (nodes, agreement) = (Arc::clone(&nodes), agreement.clone());
        let (done, calls) = (Arc::clone(&done), Arc::clone(&calls));
        tasks.push(tokio::spawn(async move {
            let mut nth = 0;
            while !done.load(Ordering::Relaxed) {
                // A new connection each time, so that every certificate is met; and every request
                // twice, as by a caller who did not hear the answer.
                let client = nodes.client(HERE).await;
                let request = opening(&agreement, 0, &format!("{caller}-{nth}"));
                let first = client.cases().create_case(request.clone()).await.unwrap();
                let again = client.cases().create_case(request).await.unwrap();
                let name = |answer: pb::CreateCaseResponse| answer.case.unwrap().name;
                assert_eq!(name(first.into_inner()), name(again.into_inner()));
                nth += 1;
                calls.fetch_add(2, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }));
    }
    for round in 1..=2 {
        leaf().write(&certs, "node");
        let renewed = || async { (taken() >= round).then_some(()) };
        until("the new certificate is taken", renewed).await;
    }
    // Half a file: the last good one stays in force, and the next whole one is taken.
    let whole = leaf();
    std::fs::write(certs.join("node.pem"), &whole.cert[..whole.cert.len() / 2]).unwrap();
    let before = (refused(), taken());
    until("half a file is refused", || async { (refused() > before.0).then_some(()) }).await;
    nodes.client(HERE).await;
    whole.write(&certs, "node");
    until("the whole one is taken", || async { (taken() > before.1).then_some(()) }).await;
    let so_far = calls.load(Ordering::Relaxed);
    until("calls go on", || async { (calls.load(Ordering::Relaxed) > so_far + 8).then_some(()) })
        .await;
    done.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    println!("{} calls, none failed", calls.load(Ordering::Relaxed));
}
