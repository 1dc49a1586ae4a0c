//! Real nodes die by SIGKILL in the middle of a storm of writes, again and again.
//!
//! Ten kills in `cargo test`; `LIANDONG_KILLS=100` (`.ci/steps/kills.sh`) asks for more.

use std::time::{Duration, Instant};

use super::nodes::{Nodes, plan, until};
use super::storm::{IN_FLIGHT_MIN, Storm, Tally};
use liandong::cli::fleet::Plan;
use liandong::wire::pb::v1 as pb;

const CITIES: [u32; 2] = [371_500, 130_400];
const HERE: u32 = CITIES[0];
const THERE: u32 = CITIES[1];

/// Without borders: parsing them takes a start longer than everything else.
pub fn quick_plan() -> Plan {
    Plan { boundaries: None, ..plan(&CITIES, &[("聊邯", &CITIES)]) }
}

fn kills() -> usize {
    std::env::var("LIANDONG_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(10)
}

/// The logs of a node in one agreement: id, stored, applied, root.
async fn logs(nodes: &Nodes, code: u32, agreement: &str) -> Vec<(String, u64, u64, String)> {
    let request = pb::ListLogsRequest { parent: agreement.to_owned() };
    let logs = nodes.client(code).await.nodes().list_logs(request).await.unwrap().into_inner();
    logs.logs.into_iter().map(|l| (l.log_id, l.stored_size, l.applied_size, l.root)).collect()
}

/// What a node has made of the entries of an agreement.
async fn fold(nodes: &Nodes, code: u32, agreement: &str) -> String {
    let request = pb::GetFoldHashRequest { agreement: agreement.to_owned() };
    nodes.client(code).await.nodes().get_fold_hash(request).await.unwrap().into_inner().fold_hash
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_write_is_lost_and_no_other_is_there_in_part() {
    let mut nodes = Nodes::start_all(&quick_plan());
    let mut storm = Storm::new(&nodes, HERE);
    storm.ready(&nodes).await;
    let (wanted, begun) = (kills(), Instant::now());
    let mut all = Tally::default();
    let mut round = 0;
    while all.kills < wanted {
        round += 1;
        assert!(round <= wanted * 2, "too many kills without {IN_FLIGHT_MIN} writes in flight");
        // The moment varies: now and then in the middle of a sync, now and then between two.
        let moment = (round * 7 % 31, Duration::from_micros((round as u64 * 1_319) % 9_000));
        let tally = storm.round(&mut nodes, moment, true, |nodes| nodes.start(HERE)).await;
        all.add(tally);
    }
    println!("{all:?} in {:?}", begun.elapsed());
    assert_eq!(all.missing, 0, "{all:?}");
    assert!(all.acknowledged >= wanted && all.unanswered >= wanted * IN_FLIGHT_MIN, "{all:?}");
    assert_eq!(all.present + all.absent, all.unanswered);
    // Both outcomes were met, so both were tested.
    let enough = if wanted >= 100 { 10 } else { 1 };
    assert!(all.present >= enough && all.absent >= enough, "{all:?}");
    let agreement = storm.agreement().to_owned();
    let here = logs(&nodes, HERE, &agreement).await;
    until("the other city holds the same logs", || async {
        (logs(&nodes, THERE, &agreement).await == here).then_some(())
    })
    .await;
    let folds = (fold(&nodes, HERE, &agreement).await, fold(&nodes, THERE, &agreement).await);
    assert_eq!(folds.0, folds.1, "the views of the killed node are those of the other");
    let log = nodes.log(HERE);
    let mut replays =
        log.lines().filter(|line| line.contains("reading the journal into the views"));
    println!("the last start: {}", replays.next_back().unwrap_or_default());
    nodes.kill(HERE);
    storm.check_commands(&nodes.fleet.folder(HERE).join("data"));
}
