//! Who gets through a handshake, and what the dialling side says when it does not.

use std::net::SocketAddr;

use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use rcgen::ExtendedKeyUsagePurpose as Usage;

use super::certs::{Ca, Leaf, Pair, knock};
use super::nodes::{Nodes, plan, until};

const CITIES: [u32; 2] = [371_500, 130_400];

fn node_uri(nodes: &Nodes, code: u32) -> String {
    let hex = &nodes.fleet.city(code).unwrap().node;
    format!("spiffe://{code}/node/{}", uuid::Uuid::parse_str(hex).unwrap())
}

fn peer(nodes: &Nodes, code: u32) -> SocketAddr {
    nodes.fleet.city(code).unwrap().peer
}

fn api(nodes: &Nodes, code: u32) -> SocketAddr {
    nodes.fleet.city(code).unwrap().api
}

async fn opens(address: SocketAddr, pair: &Pair) {
    let open = || async { knock(address, Some(pair)).await.ok() };
    until("the right certificate is let in", open).await;
}

async fn refused(address: SocketAddr, pair: Option<&Pair>, what: &str, alert: &str) {
    match knock(address, pair).await {
        Ok(()) => panic!("{what} was let in"),
        Err(said) => assert!(said.contains(alert), "{what}: {said}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_right_certificates_get_through() {
    let nodes = Nodes::start_all(&plan(&CITIES, &[("聊邯", &CITIES)]));
    let certs = |code: u32| nodes.fleet.folder(code).join("certs");
    let (here, there) = (Ca::load(&certs(371_500)), Ca::load(&certs(130_400)));
    let (at_peer, at_api) = (peer(&nodes, 371_500), api(&nodes, 371_500));
    let uri = node_uri(&nodes, 130_400);
    let good = Leaf::node(&uri);
    let person = Leaf::client("spiffe://371500/admin/x");

    opens(at_peer, &there.issue(&good)).await;
    opens(at_api, &here.issue(&person)).await;

    let rows: [(&str, Pair, &str); 9] = [
        ("a self-signed certificate", good.self_signed(), ""),
        ("an unknown CA", Ca::unknown().issue(&good), "UnknownCA"),
        ("another city's CA", here.issue(&good), "UnknownCA"),
        (
            "an expired certificate",
            there.issue(&Leaf { hours: (-48, -1), ..good.clone() }),
            "Expired",
        ),
        ("one not valid yet", there.issue(&Leaf { hours: (2, 24), ..good.clone() }), ""),
        (
            "one not meant for clients",
            there.issue(&Leaf { usages: vec![Usage::ServerAuth], ..good.clone() }),
            "",
        ),
        ("a person", here.issue(&person), ""),
        ("one without a name", there.issue(&Leaf { uri: None, ..good.clone() }), ""),
        (
            "a city of no agreement",
            Ca::unknown().issue(&Leaf::node(&uri.replace("130400", "410900"))),
            "",
        ),
    ];
    for (what, pair, alert) in &rows {
        refused(at_peer, Some(pair), what, alert).await;
    }
    refused(at_peer, None, "no certificate", "").await;

    let rows: [(&str, Pair); 5] = [
        ("a self-signed person", person.self_signed()),
        ("a person of an unknown CA", Ca::unknown().issue(&person)),
        ("another city's person", there.issue(&Leaf::client("spiffe://130400/admin/x"))),
        ("another city's CA for ours", there.issue(&person)),
        ("a node", here.issue(&Leaf::node(&node_uri(&nodes, 371_500)))),
    ];
    for (what, pair) in &rows {
        refused(at_api, Some(pair), what, "").await;
    }
    refused(at_api, None, "no certificate", "").await;
    opens(at_api, &here.issue(&person)).await;
}

/// The link to a city as a node shows it.
async fn link(nodes: &Nodes, code: u32, to: u32) -> Option<pb::Link> {
    let client = nodes.client_as(code, Role::Admin).await;
    let answer = client.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
    let status = answer.into_inner().status.unwrap();
    status.links.into_iter().find(|link| link.city == to)
}

async fn says(nodes: &Nodes, code: u32, to: u32, reason: &str) {
    let said = || async {
        let link = link(nodes, code, to).await?;
        link.reason.contains(reason).then_some(())
    };
    until(&format!("{code} says {reason} of {to}"), said).await;
}

async fn up(nodes: &Nodes, code: u32, to: u32) {
    let up = || async { (link(nodes, code, to).await?.state() == pb::LinkState::Up).then_some(()) };
    until("the link stands", up).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dialling_side_says_what_is_wrong_and_a_renewed_certificate_heals_it() {
    let mut nodes = Nodes::lay_out(&plan(&CITIES, &[("聊邯", &CITIES)]));
    let certs = nodes.fleet.folder(130_400).join("certs");
    let (ca, uri) = (Ca::load(&certs), node_uri(&nodes, 130_400));
    let good = Pair::load(&nodes.fleet.folder(130_400), "node");
    let use_pair = |pair: &Pair| pair.write(&certs, "node");

    use_pair(&ca.issue(&Leaf { hours: (-48, -1), ..Leaf::node(&uri) }));
    nodes.start(371_500);
    nodes.start(130_400);
    says(&nodes, 371_500, 130_400, "PEER_CERT_EXPIRED").await;

    // The other side takes the next files while it runs.
    use_pair(&ca.issue(&Leaf { hours: (2, 24), ..Leaf::node(&uri) }));
    says(&nodes, 371_500, 130_400, "PEER_CERT_NOT_YET_VALID").await;
    use_pair(&Ca::unknown().issue(&Leaf::node(&uri)));
    says(&nodes, 371_500, 130_400, "PEER_CERT_UNKNOWN_CA").await;
    // A genuine certificate of the wrong city: the card pins the CA to its own city.
    let other = Ca::load(&nodes.fleet.folder(371_500).join("certs"));
    use_pair(&other.issue(&Leaf::node(&uri)));
    says(&nodes, 371_500, 130_400, "PEER_CERT_UNKNOWN_CA").await;

    use_pair(&good);
    up(&nodes, 371_500, 130_400).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_certificate_near_or_past_its_end_is_shown() {
    let mut nodes = Nodes::lay_out(&plan(&CITIES, &[("聊邯", &CITIES)]));
    let certs = nodes.fleet.folder(371_500).join("certs");
    let (ca, uri) = (Ca::load(&certs), node_uri(&nodes, 371_500));
    ca.issue(&Leaf { hours: (-1, 24 * 10), ..Leaf::node(&uri) }).write(&certs, "node");
    nodes.start(371_500);
    let warned = |what: &'static str| {
        let nodes = &nodes;
        move || async move {
            let client = nodes.client_as(371_500, Role::Admin).await;
            let answer = client.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
            let warnings = answer.into_inner().status.unwrap().warnings;
            warnings.iter().any(|w| w.contains(what)).then_some(())
        }
    };
    until("14 days before", warned("天后到期")).await;
    ca.issue(&Leaf { hours: (-1, 24 * 2), ..Leaf::node(&uri) }).write(&certs, "node");
    until("3 days before", warned("紧急")).await;
}
