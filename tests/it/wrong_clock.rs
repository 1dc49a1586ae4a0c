//! A real node's wall clock jumps by a day while it runs, and back.

use liandong::cli::connect::Client;
use liandong::cli::profile::Profile;
use liandong::lang::Lang;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;

use super::certs::{Ca, Leaf, Pair, knock};
use super::disk::open;
use super::exchange::{arrived, equal};
use super::kills::quick_plan;
use super::knocks::uri;
use super::nodes::{Nodes, until, until_or};
use super::shim::Faults;

const HERE: u32 = 371_500;
const THERE: u32 = 130_400;
const DAY_MS: i64 = 86_400_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_by_a_day_marks_entries_and_stops_nothing() {
    let mut nodes = Nodes::lay_out(&quick_plan());
    let Some(faults) = Faults::new(&nodes.fleet.folder(HERE)) else { return };
    faults.start(&mut nodes, HERE);
    nodes.start(THERE);
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    until("a first case", || async { open(&here, &agreement, "first").await.ok() }).await;
    let suspect = async |id: String| {
        let case = open(&here, &agreement, &id).await.unwrap();
        arrived(&there, &case.name).await;
        let request = pb::GetCaseHistoryRequest { name: case.name, ..Default::default() };
        let history = there.cases().get_case_history(request).await.unwrap().into_inner();
        history.entries[0].clock_suspect
    };
    let mut asked = 0;
    for (ahead_ms, wrong) in [(0, false), (DAY_MS, true), (0, false), (-DAY_MS, true), (0, false)] {
        faults.set_clock(ahead_ms);
        // The other city's clock is learnt from what it says, a few seconds apart.
        loop {
            asked += 1;
            if suspect(format!("case-{asked}")).await == wrong {
                break;
            }
            assert!(asked < 400, "clock {ahead_ms}: entries are never marked {wrong}");
            tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        }
        let status = here.nodes().get_status(pb::GetStatusRequest {}).await.unwrap().into_inner();
        let warnings = status.status.unwrap().warnings;
        let warns = warnings.iter().any(|warning| warning.contains("时钟"));
        assert!(warns || !wrong, "clock {ahead_ms}: nobody is warned");
    }
    equal(&[&here, &there], &agreement).await;
}

/// The number behind a word of a reason.
fn number(reason: &str, word: &str) -> i64 {
    let from = reason.find(word).unwrap_or_else(|| panic!("no {word} in {reason}")) + word.len();
    let digits: String = reason[from..].chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// A node whose clock is wrong lets nobody in whose certificate it cannot judge, says by which
/// times, and takes up its links once the clock is right again.
#[tokio::test(flavor = "multi_thread")]
async fn under_a_wrong_clock_certificates_fail_closed_and_both_times_are_told() {
    let mut nodes = Nodes::lay_out(&quick_plan());
    let Some(faults) = Faults::new(&nodes.fleet.folder(HERE)) else { return };
    let certs = [HERE, THERE].map(|code| nodes.fleet.folder(code).join("certs"));
    let [here, there] = certs.each_ref().map(|certs| Ca::load(certs));
    // What belongs here is good under every clock of this test; the other side's lives two days.
    let wide = (-24 * 30, 24 * 30);
    here.issue(&Leaf { hours: wide, ..Leaf::node(&uri(&nodes, HERE)) }).write(&certs[0], "node");
    there
        .issue(&Leaf { hours: (-48, 48), ..Leaf::node(&uri(&nodes, THERE)) })
        .write(&certs[1], "node");
    let person = Leaf { hours: wide, ..Leaf::client("spiffe://371500/admin/clock") };
    here.issue(&person).write(&certs[0], "wide");
    let profile = Profile {
        cert: certs[0].join("wide.pem"),
        key: certs[0].join("wide.key"),
        ..nodes.fleet.profile(HERE, Role::Admin)
    };
    faults.start(&mut nodes, HERE);
    nodes.start(THERE);
    let agreement = nodes.fleet.agreements[0].name();
    let link = async || {
        let client = Client::open(&profile, Lang::En).await.ok()?;
        let status = client.nodes().get_status(pb::GetStatusRequest {}).await.ok()?;
        let links = status.into_inner().status.unwrap().links;
        links.into_iter().find(|link| link.city == THERE)
    };
    let is_up = |link: &pb::Link| link.state() == pb::LinkState::Up;
    until("the link stands", async || link().await.filter(is_up)).await;
    let client = nodes.client(HERE).await;
    until("a first case", async || open(&client, &agreement, "first").await.ok()).await;
    for (ahead, code, bound) in [
        (4 * DAY_MS, "PEER_CERT_EXPIRED", "not_after="),
        (-4 * DAY_MS, "PEER_CERT_NOT_YET_VALID", "not_before="),
    ] {
        faults.set_clock(ahead);
        nodes.kill(THERE);
        nodes.start(THERE);
        // It dials, and does not like what it sees.
        let told = async || {
            let link = link().await?;
            assert!(!is_up(&link), "{code}: it was let in");
            [link.reason, link.dial_error].into_iter().find(|why| why.contains(code))
        };
        let why = until(code, told).await;
        let (bound, now) = (number(&why, bound), number(&why, "now="));
        assert_eq!(now > bound, ahead > 0, "{why}");
        let real = i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs());
        let off_s = now - real.unwrap() - ahead / 1000;
        assert!(off_s.abs() < 120, "its own clock, as it is: {why}");
        // It is dialled, and lets nobody in: its log has both times as well.
        let pair = Pair::load(&nodes.fleet.folder(THERE), "node");
        let port = nodes.fleet.city(HERE).unwrap().peer;
        knock(port, Some(&pair)).await.expect_err("it was let in");
        let logged = async || {
            let log = nodes.log(HERE);
            let bound = bound.to_string();
            let told = |line: &&str| line.contains("handshake") && line.contains(&bound);
            log.lines().rfind(told).map(str::to_owned)
        };
        let line = until_or("the refusal is in the log", logged, async || nodes.log(HERE)).await;
        assert!(line.contains("verification time"), "{line}");
        faults.set_clock(0);
        until("the link stands again, without a restart", async || link().await.filter(is_up))
            .await;
        let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
        let case = open(&here, &agreement, code).await.unwrap();
        arrived(&there, &case.name).await;
    }
}
