//! From the moment a write is sent here to the moment a watcher in the other city has it.
//!
//! Sent at a steady rate, whether or not earlier ones were answered: a slow answer does not make
//! the next question later. Both ends are in this process, so one clock times them.
//!
//! In scope: latency at 200 and 1 000 writes/s. Out of scope: how many writes are possible.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::Bench;
use super::load::{percentile, ratio, refused};
use super::report::{Bound, Figure, Report};
use super::stage::{AddNote, HERE, Stage, THERE};
use crate::cli::failure::Failure;
use crate::wire::pb::v1 as pb;

/// Connections the writes go over.
const CONNECTIONS: usize = 16;
/// The last changes arrive within this time, or not at all.
const LAST_WITHIN: Duration = Duration::from_secs(60);
/// Every so many changes one is read with GetCase as well.
const READ_EVERY: usize = 50;

/// Measures both rates.
pub async fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let mut stage = Stage::lay_out(bench, "readable", &[HERE, THERE])?;
    stage.start(HERE).await?;
    stage.start(THERE).await?;
    for rate in [200_u32, 1000] {
        bench.say(
            &format!("写入到对方可读，每秒 {rate} 条"),
            &format!("sent here to readable there, {rate} writes/s"),
        );
        let run = format!("readable-{rate}");
        let micros = at_rate(&stage, &run, rate, bench.load_for).await?;
        let (p50, p99) = (percentile(&micros, 0.5) / 1000.0, percentile(&micros, 0.99) / 1000.0);
        let (zh, en) = (
            format!("本市发出至对方可读，每秒 {rate} 条"),
            format!("sent here -> readable there, {rate} writes/s"),
        );
        let figure = Figure::new(&format!("readable.{rate}"), &zh, &en, p50, "ms").taking(p50, p99);
        report.add(if rate == 200 {
            figure.within("p50 < 2, p99 < 5 ms", Bound::PercentilesAtMost(2.0, 5.0))
        } else {
            figure
        });
    }
    Ok(())
}

/// How long each write took to be there, microseconds, ascending. `run`: not used before on this
/// stage.
pub async fn at_rate(
    stage: &Stage,
    run: &str,
    rate: u32,
    time: Duration,
) -> Result<Vec<u64>, Failure> {
    let clients = stage.clients(HERE, CONNECTIONS).await?;
    let adders = stage.note_adders(&clients, run).await?;
    let there = stage.clients(THERE, 1).await?;
    let there = there.first().ok_or_else(|| Failure::local("no connection"))?;
    // Everything so far is there before the watch begins: it sees the writes and nothing else.
    let here = clients.first().ok_or_else(|| Failure::local("no connection"))?;
    let size = stage.far(here).await?.stored;
    stage.until("readable there", async || Ok(stage.far(there).await?.applied >= size)).await?;
    let request = pb::WatchCasesRequest { parent: stage.agreement.clone(), cursor: String::new() };
    let stream = there.cases_streaming().watch_cases(request).await;
    let stream = stream.map_err(|status| refused("watch", &status))?.into_inner();
    let count = usize::try_from(rate).unwrap_or(0) * usize::try_from(time.as_secs()).unwrap_or(0);
    let watching = tokio::spawn(watch(stream, count));
    let sent = send(adders, rate, count).await?;
    let seen = tokio::time::timeout(LAST_WITHIN, watching).await;
    let seen = seen.map_err(|_| Failure::local("changes are missing in the other city"))?;
    let seen = seen.map_err(|error| Failure::local(error.to_string()))??;
    read_some(there, &seen).await?;
    let mut micros: Vec<u64> = sent
        .iter()
        .filter_map(|(entry, sent)| {
            let (seen, _) = seen.get(entry)?;
            u64::try_from(seen.duration_since(*sent).as_micros()).ok()
        })
        .collect();
    if micros.len() < count {
        let found = ratio(u64::try_from(micros.len()).unwrap_or(0), 1);
        return Err(Failure::local(format!("only {found} of {count} writes were seen there")));
    }
    micros.sort_unstable();
    Ok(micros)
}

/// Sends at a steady rate; position of each entry and when its request was sent.
async fn send(
    adders: Vec<AddNote>,
    rate: u32,
    count: usize,
) -> Result<Vec<(String, Instant)>, Failure> {
    let period = Duration::from_secs(1) / rate.max(1);
    let begun = tokio::time::Instant::now() + Duration::from_millis(100);
    let mut writes = JoinSet::new();
    for (nth, adder) in (0_u32..).zip(adders.iter().cycle().take(count)) {
        tokio::time::sleep_until(begun + period * nth).await;
        let mut adder = adder.clone();
        writes.spawn(async move {
            let sent = Instant::now();
            adder.add(u64::from(nth)).await.map(|entry| (entry, sent))
        });
    }
    let mut sent = Vec::with_capacity(count);
    while let Some(done) = writes.join_next().await {
        let done = done.map_err(|error| Failure::local(error.to_string()))?;
        sent.push(done.map_err(|status| refused("write", &status))?);
    }
    Ok(sent)
}

/// When each entry was seen, and in which case.
type Seen = HashMap<String, (Instant, String)>;

async fn watch(
    mut stream: tonic::Streaming<pb::WatchCasesResponse>,
    count: usize,
) -> Result<Seen, Failure> {
    let mut seen = Seen::with_capacity(count);
    while seen.len() < count {
        let change = stream.message().await.map_err(|status| refused("watch", &status))?;
        let Some(change) = change else { break };
        let now = Instant::now();
        if let Some(case) = change.case {
            seen.insert(change.entry, (now, case.name));
        }
    }
    Ok(seen)
}

/// What a watcher was shown can be read as well; asked of some.
async fn read_some(there: &crate::cli::connect::Client, seen: &Seen) -> Result<(), Failure> {
    for (_, name) in seen.values().step_by(READ_EVERY) {
        let request = pb::GetCaseRequest { name: name.clone() };
        let read = there.cases().get_case(request).await;
        read.map_err(|status| refused("read there", &status))?;
    }
    Ok(())
}
