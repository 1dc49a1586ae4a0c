//! What the search for the same act filed twice takes from writes.
//!
//! Two nodes take the same cases in turn: one looks for acts, the other one has its index switched
//! off (`same_act_cases_max = 0`). Rounds alternate, so that what else the machine does meets both.
//!
//! In scope: new cases a second with the search and without. Out of scope: what is found
//! (`tests/it/same_acts.rs`).

use super::Bench;
use super::fill::Fill;
use super::load::{self, Outcome, Until};
use super::report::{Bound, Report};
use super::stage::{HERE, Stage, THERE};
use crate::cli::failure::Failure;

/// Clients that open cases.
const CLIENTS: usize = 64;
/// Rounds of each node.
const ROUNDS: u32 = 3;
/// A firm that is filed again and again: the worst that one party comes to.
const ONE_PARTY: u64 = 1;

/// Measures both, with a party for every case and with one party for all.
pub async fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let off = "same_act_cases_max = 0\n";
    let mut with = Stage::lay_out(bench, "acts-on", &[HERE, THERE])?;
    let mut without = Stage::lay_out_with(bench, "acts-off", &[HERE, THERE], off)?;
    with.start(HERE).await?;
    without.start(HERE).await?;
    for (id, offset, parties, zh, en) in [
        ("many", 0, 0, "每件一家当事人", "a party for every case"),
        ("one", 5_000_000, ONE_PARTY, "同一家当事人", "one party for all cases"),
    ] {
        bench.say(&format!("新建案件与同一行为查找：{zh}"), &format!("new cases, same acts: {en}"));
        let (mut on, mut floor) = (Outcome::default(), Outcome::default());
        for round in 0..ROUNDS {
            for (stage, sum) in [(&without, &mut floor), (&with, &mut on)] {
                let clients = stage.clients(HERE, CLIENTS).await?;
                let first = 10_000_000 * u64::from(round + 1) + offset;
                let fill = Fill::of(stage, &clients, &format!("{id}-{round}"), (first, parties))?;
                sum.add(load::run(fill, Until::Elapsed(bench.load_for / 2)).await?);
            }
        }
        let floor_id = format!("same-act.{id}.off");
        let (zh_off, en_off) =
            (format!("新建案件，{zh}，不查"), format!("new cases, {en}, no search"));
        report.add(floor.figure(&floor_id, &zh_off, &en_off));
        let (zh, en) = (format!("新建案件，{zh}，查找"), format!("new cases, {en}, searching"));
        let figure = on.figure(&format!("same-act.{id}"), &zh, &en).over(&floor_id);
        report.add(figure.within("× ≥ 0.90", Bound::RatioAtLeast(0.9)));
    }
    Ok(())
}
