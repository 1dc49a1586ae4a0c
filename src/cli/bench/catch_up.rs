//! A city that was away comes back: how fast it stores, signs for and applies what it missed, and
//! how much memory both nodes take with that many entries.
//!
//! Compared with the slower of disk and TLS, both measured in the same run with the same number of
//! bytes an entry. In scope: one log, one neighbour. Out of scope: bytes on the wire
//! ([`super::footprint`]).

use std::time::Instant;

use super::Bench;
use super::load::{self, Until, ratio};
use super::report::{Bound, Figure, Report};
use super::stage::{Far, HERE, Stage, THERE};
use super::{footprint, tls};
use crate::cli::connect::Client;
use crate::cli::failure::Failure;

/// Clients that write what is to be caught up on.
const CLIENTS: usize = 64;
/// Bytes of a mebibyte.
const MIB: f64 = 1_048_576.0;

/// Measures it.
pub async fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let mut stage = Stage::lay_out(bench, "catch-up", &[HERE, THERE])?;
    stage.start(HERE).await?;
    stage.start(THERE).await?;
    let here = one(&stage, HERE).await?;
    bench.say(
        &format!("写入 {} 条，对方不在", bench.entries),
        &format!("writing {} entries, peer away", bench.entries),
    );
    let clients = stage.clients(HERE, CLIENTS).await?;
    let adders = stage.note_adders(&clients, "catch-up").await?;
    // Once, so that the two know each other; then the neighbour goes away.
    let size = stage.far(&here).await?.stored;
    stage.until("cosigned", async || Ok(stage.far(&here).await?.cosigned >= size)).await?;
    stage.stop(THERE);
    let calls = bench.entries.div_ceil(u64::try_from(CLIENTS).unwrap_or(1));
    load::run(adders, Until::Calls(calls)).await?;
    let far = stage.far(&here).await?;
    bench.say("对方恢复，补齐", "peer is back, catching up");
    let times = follow(&mut stage, &here, size, far.stored).await?;
    memory(&stage, report, far.stored);
    floors(bench, report, &mut stage, &far.log_id).await?;
    for (id, zh, en, rate) in [
        ("stored", "对方已存", "stored there", times.stored),
        ("cosigned", "对方已签", "stored and cosigned", times.cosigned),
        ("applied", "对方可读", "readable there", times.applied),
    ] {
        let (zh, en) = (format!("补齐：{zh}"), format!("catch-up: {en}"));
        let figure = Figure::new(&format!("catch-up.{id}"), &zh, &en, rate, "entries/s")
            .over("catch-up.floor");
        report.add(if id == "cosigned" {
            figure.within("× ≥ 0.50", Bound::RatioAtLeast(0.5))
        } else {
            figure
        });
    }
    Ok(())
}

async fn one(stage: &Stage, city: u32) -> Result<Client, Failure> {
    let clients = stage.clients(city, 1).await?;
    clients.into_iter().next().ok_or_else(|| Failure::local("no connection"))
}

/// Entries a second.
struct Rates {
    stored: f64,
    cosigned: f64,
    applied: f64,
}

/// Where a cursor stood when it was first seen moving, and when it came to the end.
#[derive(Default)]
struct Course {
    first: Option<(u64, Instant)>,
    end: Option<Instant>,
}

impl Course {
    fn at(&mut self, was: u64, now: u64, goal: u64) {
        if now > was && self.first.is_none() {
            self.first = Some((now, Instant::now()));
        }
        if now >= goal && self.end.is_none() {
            self.end = Some(Instant::now());
        }
    }

    /// Over what was seen of it; from the start of the process if it was over at the first look.
    fn rate(&self, was: u64, goal: u64, started: Instant) -> f64 {
        let (from, since) = match self.first {
            Some((size, at)) if size < goal => (size, at),
            Some(_) | None => (was, started),
        };
        let end = self.end.unwrap_or_else(Instant::now);
        let seconds = end.duration_since(since).as_secs_f64().max(1e-9);
        ratio(goal.saturating_sub(from), 1) / seconds
    }
}

/// Starts the neighbour and watches it catch up from `was` to `goal`.
async fn follow(stage: &mut Stage, here: &Client, was: u64, goal: u64) -> Result<Rates, Failure> {
    let started = Instant::now();
    stage.spawn(THERE)?;
    let there = one(stage, THERE).await?;
    let (mut stored, mut cosigned, mut applied) =
        (Course::default(), Course::default(), Course::default());
    let stage = &*stage;
    stage
        .until("caught up", async || {
            let far: Far = stage.far(&there).await?;
            stored.at(was, far.stored, goal);
            applied.at(was, far.applied, goal);
            cosigned.at(was, stage.far(here).await?.cosigned, goal);
            Ok(stored.end.and(cosigned.end).and(applied.end).is_some())
        })
        .await?;
    Ok(Rates {
        stored: stored.rate(was, goal, started),
        cosigned: cosigned.rate(was, goal, started),
        applied: applied.rate(was, goal, started),
    })
}

/// Resident memory of both nodes.
fn memory(stage: &Stage, report: &mut Report, entries: u64) {
    for (city, id, zh, en) in [
        (HERE, "author", "写入的节点", "the writing node"),
        (THERE, "follower", "接收的节点", "the receiving node"),
    ] {
        let resident = stage.pid(city).and_then(footprint::resident_mib);
        let (zh, en) = (
            format!("常驻内存，{zh}，{entries} 条"),
            format!("resident memory of {en} at {entries} entries"),
        );
        if let Some(mib) = resident {
            let figure = Figure::new(&format!("memory.{id}"), &zh, &en, mib, "MiB");
            report.add(figure.within("< 256 (1 000 000)", Bound::AtMost(256.0)));
        }
    }
}

/// What disk and TLS could do with entries of this size; ends both nodes.
async fn floors(
    bench: &Bench,
    report: &mut Report,
    stage: &mut Stage,
    log_id: &str,
) -> Result<(), Failure> {
    stage.stop(HERE);
    stage.stop(THERE);
    bench.say("底线：TLS 与磁盘", "floors: TLS and disk");
    let disk = super::disk::stream(bench)?;
    let disk_mib = disk.value;
    report.add(disk);
    let certs = stage.folder(HERE).join("certs");
    let tls = tls::stream_mib_per_second(&certs, bench.load_for / 2).await?;
    report.add(Figure::new("tls.stream", "TLS 单连接", "one TLS connection", tls, "MiB/s"));
    let signed = footprint::signed_bytes(&stage.folder(HERE), log_id)?;
    let bytes: u64 = signed.iter().sum();
    let entry = ratio(bytes, u64::try_from(signed.len().max(1)).unwrap_or(1));
    let per_second = disk_mib.min(tls) * MIB / entry.max(1.0);
    report.add(Figure::new(
        "catch-up.floor",
        "磁盘与 TLS 中较慢者，按签名字节折算",
        "the slower of disk and TLS, at the signed bytes of an entry",
        per_second,
        "entries/s",
    ));
    footprint::on_disk(report, &stage.folder(HERE), bytes);
    Ok(())
}
