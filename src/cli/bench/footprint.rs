//! What entries cost beyond themselves: bytes on the wire, on disk and in memory.
//!
//! *Signed bytes* are headers and parts as the author encoded them. The wire is counted outside
//! the nodes, by a tunnel between them: TLS, HTTP/2, checkpoints and cosignatures are in it.
//!
//! In scope: counting. Out of scope: speed.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;

use super::Bench;
use super::load::{self, Operation, Until, ratio};
use super::report::{Bound, Figure, Report};
use super::stage::{AddNote, Far, HERE, Stage, THERE, folder_bytes};
use super::tunnel::{self, Counted};
use crate::cli::connect::Client;
use crate::cli::failure::Failure;
use crate::journal::{Journal, JournalOptions, RealDisk, RecordKind};
use crate::wire;

/// Clients that write what is caught up on.
const CLIENTS: usize = 16;
/// Between two live writes: long enough that each travels alone.
const PAUSE: Duration = Duration::from_millis(3);

/// Measures bytes on the wire, live and in catch-up.
pub async fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let mut stage = Stage::lay_out(bench, "footprint", &[HERE, THERE])?;
    let counted = Counted::default();
    for city in [HERE, THERE] {
        put_tunnel(&stage, city, &counted).await?;
    }
    stage.start(HERE).await?;
    stage.start(THERE).await?;
    let clients = stage.clients(HERE, CLIENTS).await?;
    let here = clients.first().ok_or_else(|| Failure::local("no connection"))?;
    let adders = stage.note_adders(&clients, "footprint").await?;
    bench.say("线路字节：实时", "bytes on the wire: live");
    let start = settled(&stage, here).await?;
    let before = counted.bytes();
    one_by_one(adders.first().cloned(), bench.counted.0).await?;
    let live = settled(&stage, here).await?;
    let live_bytes = counted.bytes() - before;
    bench.say("线路字节：补齐", "bytes on the wire: catch-up");
    stage.stop(THERE);
    let adders = stage.note_adders(&clients, "footprint-away").await?;
    load::run(adders, Until::Calls(bench.counted.1 / 16)).await?;
    let before = counted.bytes();
    stage.start(THERE).await?;
    let end = settled(&stage, here).await?;
    let caught_up_bytes = counted.bytes() - before;
    stage.stop(HERE);
    stage.stop(THERE);
    let signed = signed_bytes(&stage.folder(HERE), &end.log_id)?;
    let between = |from: u64, to: u64| {
        let skip = usize::try_from(from).unwrap_or(usize::MAX);
        let take = usize::try_from(to.saturating_sub(from)).unwrap_or(0);
        signed.iter().skip(skip).take(take).sum::<u64>()
    };
    wire_figures(
        report,
        &Stretch {
            from: &start,
            to: &live,
            wire: live_bytes,
            signed: between(start.stored, live.stored),
        },
        &Stretch {
            from: &live,
            to: &end,
            wire: caught_up_bytes,
            signed: between(live.stored, end.stored),
        },
    );
    Ok(())
}

/// Entries that went over the wire, and what they took there.
struct Stretch<'a> {
    from: &'a Far,
    to: &'a Far,
    wire: u64,
    signed: u64,
}

fn wire_figures(report: &mut Report, live: &Stretch<'_>, caught_up: &Stretch<'_>) {
    let figure = Figure::new(
        "wire.catch-up",
        "补齐：线路字节与签名字节之比",
        "catch-up: bytes on the wire per signed byte",
        ratio(caught_up.wire, caught_up.signed.max(1)),
        "B/B",
    );
    report.add(figure.within("< 1.15", Bound::AtMost(1.15)));
    let figure = Figure::new(
        "wire.live",
        "实时：线路字节与签名字节之比",
        "live, one at a time: bytes on the wire per signed byte",
        ratio(live.wire, live.signed.max(1)),
        "B/B",
    );
    report.add(figure);
    let entries = live.to.stored.saturating_sub(live.from.stored).max(1);
    let more = ratio(live.wire.saturating_sub(live.signed), entries);
    let allowed = live.to.checkpoint_bytes + live.to.cosignature_bytes;
    let figure = Figure::new(
        "wire.live.more",
        "实时：每条多出的线路字节",
        "live, one at a time: bytes on the wire beyond the signed ones, an entry",
        more,
        "B",
    );
    // A checkpoint and a cosignature, as they are.
    report.add(figure.within(&format!("≤ {allowed}"), Bound::AtMost(ratio(allowed, 1))));
}

/// Waits until the neighbour has applied and signed for everything.
async fn settled(stage: &Stage, here: &Client) -> Result<Far, Failure> {
    let far = stage.far(here).await?;
    stage.until("cosigned", async || Ok(stage.far(here).await?.cosigned >= far.stored)).await?;
    stage.far(here).await
}

/// Writes that each travel alone.
async fn one_by_one(adder: Option<AddNote>, count: u64) -> Result<(), Failure> {
    let mut adder = adder.ok_or_else(|| Failure::local("no connection"))?;
    for nth in 0..count {
        let called = adder.call(nth).await;
        called.map_err(|status| load::refused("write", &status))?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Moves a node's peer port behind a tunnel that listens where its card says.
async fn put_tunnel(stage: &Stage, city: u32, counted: &Counted) -> Result<(), Failure> {
    let wrong = |error: std::io::Error| Failure::local(format!("tunnel: {error}"));
    let card = stage.fleet.city(city).map(|c| c.peer);
    let card = card.ok_or_else(|| Failure::local("no such city"))?;
    let free = || -> std::io::Result<SocketAddr> { TcpListener::bind("127.0.0.1:0")?.local_addr() };
    let node = free().map_err(wrong)?;
    let path = stage.folder(city).join("liandong.toml");
    let text = std::fs::read_to_string(&path).map_err(wrong)?;
    let moved = text.replace(&format!("\"{card}\""), &format!("\"{node}\""));
    std::fs::write(&path, moved).map_err(wrong)?;
    tunnel::open(card, node, counted.clone()).await.map_err(wrong)
}

/// Signed bytes of each entry of a log, in order, from a stopped node's journal.
pub fn signed_bytes(folder: &Path, log_id: &str) -> Result<Vec<u64>, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::local(format!("journal: {error}"));
    let disk = RealDisk::open(&folder.join("data/journal")).map_err(|e| wrong(&e))?;
    let (journal, _) = Journal::open(disk, JournalOptions::default()).map_err(|e| wrong(&e))?;
    let mut signed = Vec::new();
    let mut take = |payload: &[u8]| {
        let Ok(batch) = wire::batch::parse_batch(Bytes::copy_from_slice(payload)) else { return };
        if batch.log.to_string() != log_id {
            return;
        }
        for entry in &batch.entries {
            let one = crate::sync::RawBatch { entries: vec![entry.clone()], ..batch.clone() };
            signed.push(one.signed_bytes());
        }
    };
    let scanned = journal.reader().scan(0, &mut |_, kind, payload| {
        if kind == RecordKind::Batch {
            take(payload);
        }
        true
    });
    scanned.map_err(|e| wrong(&e))?;
    Ok(signed)
}

/// What a stopped node keeps on disk for so many signed bytes.
pub fn on_disk(report: &mut Report, folder: &Path, signed: u64) {
    for (id, zh, en, sub) in [
        ("disk.journal", "日志文件字节与签名字节之比", "journal bytes per signed byte", "journal"),
        ("disk.views", "视图文件字节与签名字节之比", "view (sled) bytes per signed byte", "views"),
    ] {
        let bytes = folder_bytes(&folder.join("data").join(sub));
        report.add(Figure::new(id, zh, en, ratio(bytes, signed.max(1)), "B/B"));
    }
}

/// Resident memory of a process, MiB; `None` where the system does not say.
pub fn resident_mib(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(ratio(kib, 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_takes_memory() {
        assert!(resident_mib(std::process::id()).unwrap() > 1.0);
        assert_eq!(resident_mib(u32::MAX), None);
    }
}
