//! A real node's wall clock jumps by a day while it runs, and back.

use liandong::wire::pb::v1 as pb;

use super::disk::open;
use super::exchange::{arrived, equal};
use super::kills::quick_plan;
use super::nodes::{Nodes, until};
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
        let warns = !status.status.unwrap().warnings.is_empty();
        assert!(warns || !wrong, "clock {ahead_ms}: nobody is warned");
    }
    equal(&[&here, &there], &agreement).await;
}
