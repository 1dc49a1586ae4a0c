//! The exchange between real processes: relays, absences, catch-up, kills.

use std::collections::BTreeMap;
use std::time::Duration;

use liandong::cli::connect::Client;
use liandong::limits::CALLS_PER_CONNECTION_MAX;
use liandong::wire::pb::v1 as pb;

use super::nodes::{Nodes, case_request, plan, standing, until, until_or};
use super::proxy::{Mesh, Mode};

pub const FIVE: [u32; 5] = [371_500, 130_400, 410_900, 371_400, 370_900];

/// The logs of an agreement as a node shows them, by author.
pub async fn logs(client: &Client, agreement: &str) -> BTreeMap<u32, pb::Log> {
    // Asked again when the answer does not come in time, as it may on a machine under load.
    let ask = || async {
        let request = pb::ListLogsRequest { parent: agreement.to_owned() };
        Some(client.nodes().list_logs(request).await.ok()?.into_inner().logs)
    };
    let logs = until("the logs are shown", ask).await;
    logs.into_iter().map(|log| (log.city, log)).collect()
}

/// Opens a case as soon as the agreement is in force at the node.
pub async fn create(client: &Client, agreement: &str, title: &str) -> pb::Case {
    let request = case_request(agreement, title);
    until("the agreement is here", || async {
        match client.cases().create_case(request.clone()).await {
            Ok(answer) => answer.into_inner().case,
            Err(status) if status.code() == tonic::Code::NotFound => None,
            Err(status) => panic!("{status:?}"),
        }
    })
    .await
}

/// Waits until a case can be read at a node.
pub async fn arrived(client: &Client, name: &str) -> pb::Case {
    let read = || async {
        let request = pb::GetCaseRequest { name: name.to_owned() };
        client.cases().get_case(request).await.ok()?.into_inner().case
    };
    until_or("the case is readable", read, || standing(client)).await
}

/// Waits until all of these nodes hold the same logs, all of them applied, and gives them.
pub async fn equal(clients: &[&Client], agreement: &str) -> BTreeMap<u32, (u64, String)> {
    until("the logs are equal", || async {
        let mut all = Vec::new();
        for client in clients {
            let logs = logs(client, agreement).await;
            if logs.values().any(|l| l.stored_size != l.applied_size) {
                return None;
            }
            let heads = logs.into_iter().map(|(city, l)| (city, (l.stored_size, l.root)));
            all.push(heads.collect::<BTreeMap<_, _>>());
        }
        all.windows(2).all(|w| w[0] == w[1]).then(|| all.remove(0))
    })
    .await
}

async fn linked(client: &Client, wanted: &[u32]) {
    until("the links stand", || async {
        let status = client.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
        let links = status.into_inner().status.unwrap().links;
        let up =
            |city: &u32| links.iter().any(|l| l.city == *city && l.state() == pb::LinkState::Up);
        wanted.iter().all(up).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_cities_exchange_while_a_third_is_stopped() {
    let mut nodes = Nodes::start_all(&plan(&FIVE, &[("五市", &FIVE)]));
    let agreement = nodes.fleet.agreements[0].name();
    let (handan, dezhou) = (nodes.client(130_400).await, nodes.client(371_400).await);
    let first = create(&handan, &agreement, "停机之前").await;
    arrived(&dezhou, &first.name).await;
    nodes.kill(371_500);
    let case = create(&handan, &agreement, "聊城停机期间，邯郸登记").await;
    let read = arrived(&dezhou, &case.name).await;
    assert_eq!(read.etag, case.etag);
    let answer = create(&dezhou, &agreement, "聊城停机期间，德州登记").await;
    arrived(&handan, &answer.name).await;
    // Back again, it gets what it missed.
    nodes.start(371_500);
    let liaocheng = nodes.client(371_500).await;
    arrived(&liaocheng, &case.name).await;
    arrived(&liaocheng, &answer.name).await;
    let heads = equal(&[&liaocheng, &handan, &dezhou], &agreement).await;
    assert!(heads[&130_400].0 >= 3 && heads[&371_400].0 >= 2, "{heads:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_comes_over_the_one_member_that_can_be_reached() {
    let (mut nodes, mesh) = Mesh::lay_out(&plan(&FIVE, &[("五市", &FIVE)])).await;
    mesh.isolate(370_900, &[371_400]);
    for code in FIVE {
        nodes.start(code);
    }
    let agreement = nodes.fleet.agreements[0].name();
    let (author, away) = (nodes.client(371_500).await, nodes.client(370_900).await);
    let case = create(&author, &agreement, "经德州转来").await;
    let read = arrived(&away, &case.name).await;
    assert_eq!((read.etag, read.record), (case.etag, case.record));
    // The hop is read from what the node shows, and the links agree with it.
    let log = logs(&away, &agreement).await.remove(&371_500).unwrap();
    assert_eq!(log.last_source, 371_400);
    let status = away.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
    for link in status.into_inner().status.unwrap().links {
        let up = link.state() == pb::LinkState::Up;
        assert_eq!(up, link.city == 371_400, "link to {}: {}", link.city, link.reason);
    }
    // The cosignature of the city behind the relay comes home.
    let home = until("Tai'an's cosignature is with the author", || async {
        let log = logs(&author, &agreement).await.remove(&371_500)?;
        log.cosignatures.iter().find(|c| c.city == 370_900).cloned()
    })
    .await;
    assert!(home.size >= 1);
    // With the links back, the author itself delivers.
    for other in [371_500, 130_400, 410_900] {
        mesh.set(370_900, other, Mode::Open);
    }
    linked(&away, &[371_500, 130_400, 410_900, 371_400]).await;
    let next = create(&author, &agreement, "直达").await;
    arrived(&away, &next.name).await;
    let log = logs(&away, &agreement).await.remove(&371_500).unwrap();
    assert_eq!(log.last_source, 371_500);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_open_direction_is_enough() {
    let pair = [371_500, 130_400];
    let (mut nodes, mesh) = Mesh::lay_out(&plan(&pair, &[("聊邯", &pair)])).await;
    mesh.set_dialled(130_400, 371_500, Mode::Cut);
    for code in pair {
        nodes.start(code);
    }
    let agreement = nodes.fleet.agreements[0].name();
    let (one, other) = (nodes.client(371_500).await, nodes.client(130_400).await);
    let there = create(&one, &agreement, "去").await;
    arrived(&other, &there.name).await;
    let back = create(&other, &agreement, "回").await;
    arrived(&one, &back.name).await;
}

/// Writes `count` cases through one node, as many at a time as one connection may have.
async fn write_many(client: &Client, agreement: &str, count: usize) {
    let mut writing = tokio::task::JoinSet::new();
    for nth in 0..count {
        let (mut cases, agreement) = (client.cases(), agreement.to_owned());
        let request = case_request(&agreement, &format!("批量 {nth}"));
        writing.spawn(async move { cases.create_case(request).await.unwrap() });
        if writing.len() >= CALLS_PER_CONNECTION_MAX {
            writing.join_next().await.unwrap().unwrap();
        }
    }
    while let Some(done) = writing.join_next().await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_that_was_away_catches_up_and_is_killed_in_the_middle_of_it() {
    let three = [371_500, 130_400, 410_900];
    let (mut nodes, mesh) = Mesh::lay_out(&plan(&three, &[("聊邯濮", &three)])).await;
    for code in three {
        nodes.start(code);
    }
    let agreement = nodes.fleet.agreements[0].name();
    let (one, two) = (nodes.client(371_500).await, nodes.client(130_400).await);
    let first = create(&one, &agreement, "大家都在").await;
    arrived(&nodes.client(410_900).await, &first.name).await;
    create(&two, &agreement, "大家都在").await;
    nodes.kill(410_900);
    // Killed as soon as it has something of what it missed, over links that are slow. On a quick
    // disk all of it may come at once, so it misses more each time.
    for other in [371_500, 130_400] {
        mesh.set(410_900, other, Mode::Slow(Duration::from_millis(100)));
    }
    let mut last = 2;
    for _ in 0..3 {
        write_many(&one, &agreement, 500).await;
        write_many(&two, &agreement, 250).await;
        nodes.start(410_900);
        let back = nodes.client(410_900).await;
        last = until("more of what was missed is here", || async {
            let stored = logs(&back, &agreement).await.get(&371_500)?.stored_size;
            (stored > last).then_some(stored)
        })
        .await;
        nodes.kill(410_900);
    }
    for other in [371_500, 130_400] {
        mesh.set(410_900, other, Mode::Open);
    }
    nodes.start(410_900);
    let back = nodes.client(410_900).await;
    let heads = equal(&[&one, &two, &back], &agreement).await;
    // Openings, and one introduction of the person who wrote them.
    assert_eq!((heads[&371_500].0, heads[&130_400].0), (1_502, 752), "{heads:?}");
    for code in three {
        assert!(!nodes.log(code).contains("panicked"), "{}", nodes.log(code));
    }
}

const THREE: [u32; 3] = [371_500, 130_400, 410_900];

/// Three cities of one agreement; the first has opened a case and the second has it.
struct Three {
    nodes: Nodes,
    mesh: Mesh,
    agreement: String,
    clients: [Client; 3],
}

impl Three {
    async fn linked() -> Self {
        let (mut nodes, mesh) = Mesh::lay_out(&plan(&THREE, &[("聊邯濮", &THREE)])).await;
        for code in THREE {
            nodes.start(code);
        }
        let agreement = nodes.fleet.agreements[0].name();
        let clients =
            [nodes.client(371_500).await, nodes.client(130_400).await, nodes.client(410_900).await];
        let first = create(&clients[0], &agreement, "通").await;
        arrived(&clients[1], &first.name).await;
        Self { nodes, mesh, agreement, clients }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_hangs_is_passed_round() {
    let Three { nodes: _nodes, mesh, agreement, clients: [one, two, _] } = Three::linked().await;
    linked(&two, &[371_500, 410_900]).await;
    linked(&one, &[130_400, 410_900]).await;
    // Nobody is told that nothing arrives any more, as with a firewall that forgets connections.
    mesh.set(371_500, 130_400, Mode::Silent);
    let second = create(&one, &agreement, "不通").await;
    arrived(&two, &second.name).await;
    let log = logs(&two, &agreement).await.remove(&371_500).unwrap();
    assert_eq!(log.last_source, 410_900);
    mesh.set(371_500, 130_400, Mode::Open);
    let third = create(&two, &agreement, "恢复").await;
    arrived(&one, &third.name).await;
    let heads = equal(&[&one, &two], &agreement).await;
    assert_eq!((heads[&371_500].0, heads[&130_400].0), (3, 2), "nothing came twice");
}

/// A link whose bytes come one by one is given up, and holds up nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_reads_and_writes_a_byte_a_second_holds_up_nobody() {
    let Three { nodes: _nodes, mesh, agreement, clients: [one, two, third] } =
        Three::linked().await;
    for (client, others) in [(&one, [130_400, 410_900]), (&two, [371_500, 410_900])] {
        linked(client, &others).await;
    }
    mesh.set(371_500, 130_400, Mode::Drip);
    // Far more than comes through, so that it gathers on both sides.
    write_many(&one, &agreement, 200).await;
    write_many(&two, &agreement, 100).await;
    let [there, back] =
        [create(&one, &agreement, "慢").await, create(&two, &agreement, "慢").await];
    // Over the third member, while the slow link stands or is being made anew.
    for client in [&two, &third] {
        arrived(client, &there.name).await;
    }
    for client in [&one, &third] {
        arrived(client, &back.name).await;
    }
    assert_eq!(logs(&two, &agreement).await[&371_500].last_source, 410_900);
    until("the slow link is given up", || async {
        let status = one.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
        let links = status.into_inner().status.unwrap().links;
        links.iter().any(|l| l.city == 130_400 && l.state() != pb::LinkState::Up).then_some(())
    })
    .await;
    assert!(mesh.dripped() > 0);
    mesh.set(371_500, 130_400, Mode::Open);
    linked(&one, &[130_400]).await;
    let heads = equal(&[&one, &two, &third], &agreement).await;
    assert_eq!((heads[&371_500].0, heads[&130_400].0), (203, 102), "nothing came twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_reset_in_the_middle_of_a_frame_loses_and_doubles_nothing() {
    let Three { nodes, mesh, agreement, clients: [one, two, third] } = Three::linked().await;
    create(&two, &agreement, "通").await;
    let rounds = 8;
    for round in 1..=rounds {
        linked(&one, &[130_400]).await;
        let before = mesh.torn();
        mesh.set(371_500, 130_400, Mode::Torn);
        let [there, back] =
            [create(&one, &agreement, "断").await, create(&two, &agreement, "断").await];
        until("a link was reset", || async { (mesh.torn() > before).then_some(()) }).await;
        // The other links carry on.
        for name in [&there.name, &back.name] {
            arrived(&third, name).await;
        }
        mesh.set(371_500, 130_400, Mode::Open);
        arrived(&two, &there.name).await;
        arrived(&one, &back.name).await;
        assert!(mesh.torn() >= round);
    }
    let heads = equal(&[&one, &two, &third], &agreement).await;
    assert_eq!((heads[&371_500].0, heads[&130_400].0), (rounds + 2, rounds + 2));
    for code in THREE {
        assert!(!nodes.log(code).contains("panicked"), "{}", nodes.log(code));
    }
}
