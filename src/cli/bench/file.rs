//! A large evidence file crosses, and entries are not to wait for it.
//!
//! In scope: mebibytes a second into the own node and from node to node, beside what disk and TLS
//! can do; the time from sent to readable with and without a file on its way. Out of scope: cuts
//! (`tests/it/evidence_files.rs`, the demo).

use std::fs::File;
use std::time::{Duration, Instant};

use sm3::{Digest, Sm3};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::Bench;
use super::disk::{self, mib_per_second};
use super::load::{percentile, refused};
use super::report::{Bound, Figure, Report};
use super::stage::{HERE, Stage, THERE};
use super::{readable, tls};
use crate::cli::connect::Client;
use crate::cli::evidence::send;
use crate::cli::failure::Failure;
use crate::cli::sample_file::SampleFile;
use crate::wire::pb::v1 as pb;

/// Writes a second beside the file.
const RATE: u32 = 200;
/// Items listed in one case: the file crosses once alone, and again while entries do.
const FILES: usize = 2;
const MIME: &str = "video/mp4";
/// Hashed at a time, bytes.
const SM3_PIECE: usize = 256 * 1024;

/// Measures it.
pub async fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let mut stage = Stage::lay_out(bench, "file", &[HERE, THERE])?;
    stage.start(HERE).await?;
    stage.start(THERE).await?;
    floors(bench, report, &stage).await?;
    let (here, there) = (one(&stage, HERE).await?, one(&stage, THERE).await?);
    let mut files = Vec::with_capacity(FILES);
    for nth in 0..FILES {
        let path = bench.dir.join(format!("file-{nth}"));
        let made = SampleFile::write(&path, bench.file_bytes, nth as u64);
        files.push(made.map_err(|e| Failure::local(format!("{}: {e}", path.display())))?);
    }
    let case = list(&stage, &here, &files).await?;
    bench.say("证据文件：上传到本市节点", "evidence file: into the own node");
    let mut took = Duration::ZERO;
    for file in &files {
        took += upload(&here, &case, file).await?;
    }
    let bytes = files.iter().map(|file| file.size).sum();
    let (zh, en) = ("证据文件上传到本市节点", "evidence file into the own node");
    let rate = mib_per_second(bytes, took);
    report.add(Figure::new("file.upload", zh, en, rate, "MiB/s").over("file.floor"));
    let [alone, beside] = files.as_slice() else { return Ok(()) };
    bench.say("证据文件：跨市调取", "evidence file: from node to node");
    let took = fetch(&there, &case, alone).await?;
    let (zh, en) = ("证据文件跨市调取", "evidence file from node to node");
    let figure = Figure::new("file.fetch", zh, en, mib_per_second(alone.size, took), "MiB/s");
    report.add(figure.over("file.floor").within("× ≥ 0.50", Bound::RatioAtLeast(0.5)));
    entries(bench, report, &stage, (&there, &case, beside)).await
}

/// From sent to readable, without the file and with it.
async fn entries(
    bench: &Bench,
    report: &mut Report,
    stage: &Stage,
    (there, case, file): (&Client, &str, &SampleFile),
) -> Result<(), Failure> {
    bench.say("记录传送：没有文件时", "entries: no file on its way");
    let quiet = readable::at_rate(stage, "file-quiet", RATE, bench.load_for).await?;
    let p99 = |micros: &[u64]| percentile(micros, 0.99) / 1000.0;
    let p50 = |micros: &[u64]| percentile(micros, 0.5) / 1000.0;
    let (zh, en) = ("本市发出至对方可读，p99", "sent here -> readable there, p99");
    let figure = Figure::new("file.entries.quiet", zh, en, p99(&quiet), "ms");
    report.add(figure.taking(p50(&quiet), p99(&quiet)));
    bench.say("记录传送：文件同时传送", "entries: while a file crosses");
    let fetching = fetch(there, case, file);
    let writing = readable::at_rate(stage, "file-beside", RATE, bench.load_for);
    let (took, busy) = tokio::try_join!(fetching, writing)?;
    let (zh, en) = ("同上，文件同时传送，p99", "the same while a file crosses, p99");
    let figure = Figure::new("file.entries.beside", zh, en, p99(&busy), "ms");
    let figure = figure.taking(p50(&busy), p99(&busy)).over("file.entries.quiet");
    report.add(figure.within("× ≤ 2.00", Bound::RatioAtMost(2.0)));
    let (zh, en) = ("其间文件跨市调取", "the file meanwhile");
    let rate = mib_per_second(file.size, took);
    report.add(Figure::new("file.fetch.beside", zh, en, rate, "MiB/s").over("file.floor"));
    Ok(())
}

async fn floors(bench: &Bench, report: &mut Report, stage: &Stage) -> Result<(), Failure> {
    bench.say("底线：TLS 与磁盘", "floors: TLS and disk");
    let disk = disk::stream(bench)?;
    let certs = stage.folder(HERE).join("certs");
    let tls = tls::stream_mib_per_second(&certs, bench.load_for / 2).await?;
    let slower = disk.value.min(tls);
    // Under names of their own: another part of the same run may have measured them as well.
    report.add(Figure { id: "file.disk".to_owned(), ..disk });
    report.add(Figure::new("file.tls", "TLS 单连接", "one TLS connection", tls, "MiB/s"));
    let (zh, en) = ("磁盘与 TLS 中较慢者", "the slower of disk and TLS");
    report.add(Figure::new("file.floor", zh, en, slower, "MiB/s"));
    let sm3 = sm3_mib_per_second(bench.load_for / 8);
    let figure = Figure::new("file.sm3", "SM3 单核（文件边收边算）", "SM3, one core", sm3, "MiB/s");
    // No file comes in faster than this: it is hashed as it comes, and SM3 cannot be divided.
    report.add(figure.over("file.floor"));
    Ok(())
}

fn sm3_mib_per_second(time: Duration) -> f64 {
    let piece: Vec<u8> = (0..=250_u8).cycle().take(SM3_PIECE).collect();
    let (mut sm3, mut all, begun) = (Sm3::new(), 0, Instant::now());
    while begun.elapsed() < time {
        sm3.update(&piece);
        all += SM3_PIECE as u64;
    }
    // What is thrown away unseen need not be worked out.
    std::hint::black_box(sm3.finalize());
    mib_per_second(all, begun.elapsed())
}

async fn one(stage: &Stage, city: u32) -> Result<Client, Failure> {
    let clients = stage.clients(city, 1).await?;
    clients.into_iter().next().ok_or_else(|| Failure::local("no connection"))
}

/// A case that lists them, known in both cities.
async fn list(stage: &Stage, here: &Client, files: &[SampleFile]) -> Result<String, Failure> {
    let request = stage.opening("file-case".to_owned())?;
    let made = here.cases().create_case(request).await;
    let made = made.map_err(|status| refused("case", &status))?.into_inner();
    let case = made.case.map(|case| case.name).unwrap_or_default();
    let item = |(nth, file): (usize, &SampleFile)| pb::Evidence {
        id: format!("E{nth:02}"),
        kind: pb::EvidenceKind::AudioVisual.into(),
        title: "示例录像".to_owned(),
        collected_on: Some(pb::Date { year: 2026, month: 11, day: 12 }),
        mime: MIME.to_owned(),
        size_bytes: file.size,
        sha256: file.sha256.clone().into(),
        // A film is restricted by itself, and the other city does not handle the case.
        level: pb::DataLevel::General.into(),
        ..pb::Evidence::default()
    };
    let request = pb::AddEvidenceRequest {
        name: case.clone(),
        evidence: files.iter().enumerate().map(item).collect(),
        request_id: "file-list".to_owned(),
        ..pb::AddEvidenceRequest::default()
    };
    let listed = here.cases().add_evidence(request).await;
    listed.map_err(|status| refused("evidence", &status))?;
    let size = stage.far(here).await?.stored;
    let there = one(stage, THERE).await?;
    stage.until("the list is there", async || Ok(stage.far(&there).await?.applied >= size)).await?;
    Ok(case)
}

async fn upload(client: &Client, case: &str, file: &SampleFile) -> Result<Duration, Failure> {
    let start = pb::UploadStart {
        case_name: case.to_owned(),
        sha256: file.sha256.clone().into(),
        sm3: file.sm3.clone().into(),
        size_bytes: file.size,
        display_name: "示例录像.mp4".to_owned(),
        mime: MIME.to_owned(),
        offset: 0,
    };
    let (sender, messages) = mpsc::channel(8);
    let unread = |error| Failure::local(format!("{}: {error}", file.path.display()));
    let (mut bytes, size) = (File::open(&file.path).map_err(unread)?, file.size);
    let begun = Instant::now();
    let reading =
        tokio::task::spawn_blocking(move || send(&mut bytes, (start, size), &sender, &mut |_| ()));
    let answer = client.evidence_files().upload(ReceiverStream::new(messages)).await;
    let read = reading.await.map_err(|error| Failure::local(error.to_string()))?;
    read.map_err(unread)?;
    answer.map_err(|status| refused("upload", &status))?;
    Ok(begun.elapsed())
}

async fn fetch(there: &Client, case: &str, file: &SampleFile) -> Result<Duration, Failure> {
    let (case_name, sha256) = (case.to_owned(), file.sha256.clone().into());
    let begun = Instant::now();
    let request = pb::FetchRequest { case_name, sha256, from_city: HERE };
    let answers = there.evidence_files().fetch(request).await;
    let mut answers = answers.map_err(|status| refused("fetch", &status))?.into_inner();
    while let Some(answer) = answers.message().await.map_err(|status| refused("fetch", &status))? {
        if answer.file.is_some_and(|file| file.here) {
            return Ok(begun.elapsed());
        }
    }
    Err(Failure::local("the fetch ended before the file was there"))
}
