//! Strangers knock at a real node's ports, again and again; certificates change under load.
//!
//! A thousand knocks in `cargo test`; `LIANDONG_KNOCKS=10000` (`.ci/steps/knocks.sh`) asks for more.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use liandong::cli::connect::Client;
use liandong::cli::profile::Profile;
use liandong::ids::{CityCode, NodeId};
use liandong::lang::Lang;
use liandong::trust::card::Card;
use liandong::trust::spiffe::Role;
use liandong::trust::{keys, pki};
use liandong::wire::pb::v1 as pb;
use rcgen::ExtendedKeyUsagePurpose as Usage;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::net::TcpStream;

use super::certs::{Ca, Leaf, Pair, knock};
use super::exchange::equal;
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

pub fn uri(nodes: &Nodes, code: u32) -> String {
    let hex = &nodes.fleet.city(code).unwrap().node;
    format!("spiffe://{code}/node/{}", uuid::Uuid::parse_str(hex).unwrap())
}

/// Written whole or not at all, as by an operator who knows what he does.
fn put(path: &Path, text: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, path).unwrap();
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
    // A port that is not open yet refuses everybody, and says nothing of why.
    for port in ports {
        until("the port is open", || async { TcpStream::connect(port).await.ok() }).await;
    }
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

/// Two that call the node without pause, while its certificates change.
struct Callers {
    done: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Callers {
    /// They call with whatever `by` holds at the time.
    fn start(by: &Arc<Mutex<Profile>>, agreement: &str) -> Self {
        let (done, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let one = |caller: usize| {
            let (by, agreement) = (Arc::clone(by), agreement.to_owned());
            let (done, calls) = (Arc::clone(&done), Arc::clone(&calls));
            tokio::spawn(async move {
                let mut nth = 0;
                while !done.load(Ordering::Relaxed) {
                    // A new connection each time, so that every certificate is met; and every
                    // request twice, as by a caller who did not hear the answer.
                    let profile = by.lock().unwrap().clone();
                    let client = Client::open(&profile, Lang::En).await.unwrap();
                    let request = opening(&agreement, 0, &format!("{caller}-{nth}"));
                    let first = client.cases().create_case(request.clone()).await.unwrap();
                    let again = client.cases().create_case(request).await.unwrap();
                    let name = |answer: pb::CreateCaseResponse| answer.case.unwrap().name;
                    assert_eq!(name(first.into_inner()), name(again.into_inner()));
                    nth += 1;
                    calls.fetch_add(2, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
        };
        let tasks = (0..2).map(one).collect();
        Self { done, calls, tasks }
    }

    /// Some more calls are answered.
    async fn more(&self, what: &str) {
        let so_far = self.calls.load(Ordering::Relaxed);
        let more = || async { (self.calls.load(Ordering::Relaxed) > so_far + 8).then_some(()) };
        until(&format!("calls go on {what}"), more).await;
    }

    /// How many were answered; that of all of them none failed is seen here.
    async fn stop(self) -> usize {
        self.done.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        self.calls.load(Ordering::Relaxed)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_under_load_and_no_call_fails() {
    let mut nodes = Nodes::lay_out(&quick_plan());
    // It says what it has taken on the level of information.
    nodes.start_with(HERE, &[("RUST_LOG", &PathBuf::from("liandong=info"))]);
    Storm::new(&nodes, HERE).ready(&nodes).await;
    let agreement = nodes.fleet.agreements[0].name();
    let folder = nodes.fleet.folder(HERE);
    let certs = folder.join("certs");
    let ca = Ca::load(&certs);
    let leaf = || ca.issue(&Leaf::node(&uri(&nodes, HERE)));
    let taken = || nodes.log(HERE).matches("certificates and revocation lists read again").count();
    let refused = || nodes.log(HERE).matches("TLS files not taken").count();
    let profile = nodes.fleet.profile(HERE, Role::Coordinator);
    let callers = Callers::start(&Arc::new(Mutex::new(profile)), &agreement);
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
    callers.more("with the renewed certificate").await;
    println!("{} calls, none failed", callers.stop().await);
}

/// The card of a city with these CAs goes to its own node, and from there to the others.
fn card(nodes: &Nodes, number: u64, cas: &[&[u8]]) {
    let folder = nodes.fleet.folder(HERE);
    let key = keys::load(&folder.join("city.key")).unwrap();
    let city = nodes.fleet.city(HERE).unwrap();
    let card = Card {
        city: CityCode::from_u32(HERE).unwrap(),
        number,
        nodes: vec![NodeId::new(*uuid::Uuid::parse_str(&city.node).unwrap().as_bytes())],
        addresses: vec![city.peer.to_string()],
        cas: cas.iter().map(|ca| ca.to_vec()).collect(),
        duty_phone: None,
    };
    let note = card.sign(&key).unwrap();
    let name = format!("data/inbox/card-{HERE}-{number}.note");
    put(&folder.join(name), std::str::from_utf8(&note).unwrap());
}

async fn linked(nodes: &Nodes) {
    let up = || async {
        let client = nodes.client_as(THERE, Role::Admin).await;
        let status = client.nodes().get_status(pb::GetStatusRequest {}).await.ok()?;
        let links = status.into_inner().status.unwrap().links;
        let up = |l: &pb::Link| l.city == HERE && l.state() == pb::LinkState::Up;
        links.iter().any(up).then_some(())
    };
    until("the link stands", up).await;
}

/// A CA is replaced by another one in steps, old and new side by side between, while people write
/// over new connections all the time.
#[tokio::test(flavor = "multi_thread")]
async fn a_ca_is_replaced_under_load_and_no_call_fails() {
    let mut nodes = Nodes::lay_out(&quick_plan());
    nodes.start_with(HERE, &[("RUST_LOG", &PathBuf::from("liandong=info"))]);
    nodes.start(THERE);
    Storm::new(&nodes, HERE).ready(&nodes).await;
    let agreement = nodes.fleet.agreements[0].name();
    let certs = nodes.fleet.folder(HERE).join("certs");
    let read = |name: &str| std::fs::read_to_string(certs.join(name)).unwrap();
    let (old, old_pem) = (Ca::load(&certs), read("ca.pem"));
    let old_der = CertificateDer::from_pem_slice(old_pem.as_bytes()).unwrap().to_vec();
    let made = pki::issue_ca(CityCode::from_u32(HERE).unwrap()).unwrap();
    let (new, both) = (Ca::issued(&made), format!("{old_pem}{}", made.cert_pem));
    let (person, node) =
        (Leaf::client("spiffe://371500/coordinator/rotation"), Leaf::node(&uri(&nodes, HERE)));
    for (ca, name) in [(&old, "person-old"), (&new, "person-new")] {
        ca.issue(&person).write(&certs, name);
    }
    for (name, text) in
        [("trust-old", &old_pem), ("trust-both", &both), ("trust-new", &made.cert_pem)]
    {
        put(&certs.join(format!("{name}.pem")), text);
    }
    let standard = nodes.fleet.profile(HERE, Role::Coordinator);
    let profile = |person: &str, trust: &str| Profile {
        cert: certs.join(format!("{person}.pem")),
        key: certs.join(format!("{person}.key")),
        ca: certs.join(format!("{trust}.pem")),
        ..standard.clone()
    };
    let by = Arc::new(Mutex::new(profile("person-old", "trust-old")));
    let callers = Callers::start(&by, &agreement);
    let taken = |nodes: &Nodes| {
        nodes.log(HERE).matches("certificates and revocation lists read again").count()
    };
    let put_and_taken = async |nodes: &Nodes, put: &dyn Fn()| {
        let before = taken(nodes);
        put();
        until("the files are taken", || async { (taken(nodes) > before).then_some(()) }).await;
    };
    linked(&nodes).await;
    callers.more("by the old CA").await;

    // Both: the node, its card, those who call it.
    card(&nodes, 2, &[&old_der, &made.cert_der]);
    put_and_taken(&nodes, &|| put(&certs.join("ca.pem"), &both)).await;
    *by.lock().unwrap() = profile("person-old", "trust-both");
    callers.more("with both CAs known").await;
    let node_of_old = Pair::load(&nodes.fleet.folder(HERE), "node");
    put_and_taken(&nodes, &|| new.issue(&node).write(&certs, "node")).await;
    callers.more("with a certificate of the new CA").await;
    *by.lock().unwrap() = profile("person-new", "trust-both");
    callers.more("by people of the new CA").await;
    // New connections between the cities, in both directions.
    nodes.kill(THERE);
    nodes.start(THERE);
    linked(&nodes).await;
    let there = nodes.fleet.city(THERE).unwrap().peer;
    knock(there, Some(&node_of_old)).await.expect("the old one is good as well");

    // Only the new one.
    *by.lock().unwrap() = profile("person-new", "trust-new");
    callers.more("trusting the new CA only").await;
    card(&nodes, 3, &[&made.cert_der]);
    put_and_taken(&nodes, &|| put(&certs.join("ca.pem"), &made.cert_pem)).await;
    callers.more("without the old CA").await;
    let here = nodes.fleet.city(HERE).unwrap().api;
    let old_person = Pair::load(&nodes.fleet.folder(HERE), "person-old");
    assert!(knock(here, Some(&old_person)).await.is_err(), "people of the old CA are out");
    let out = || async { knock(there, Some(&node_of_old)).await.err() };
    until("nodes of the old CA are out, there as well", out).await;
    nodes.kill(THERE);
    nodes.start(THERE);
    linked(&nodes).await;
    callers.more("to the end").await;
    let calls = callers.stop().await;
    let here = Client::open(&profile("person-new", "trust-new"), Lang::En).await.unwrap();
    let heads = equal(&[&here, &nodes.client(THERE).await], &agreement).await;
    println!("{calls} calls, none failed; {heads:?}");
}
