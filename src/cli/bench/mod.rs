//! `liandong bench`: what a node does on this machine, beside what the machine can do at all.
//!
//! Starts real `liandong serve` processes on loopback, drives them through the API as a city's
//! system would, and measures the floors (an empty call, a synced write, a TLS stream) in the same
//! run: a number without its floor says more about the machine than about the program.
//!
//! In scope: what is measured in which order, one measurement a file. Out of scope: judging a
//! change; compare two runs on the same quiet machine for that (`bench/README.md`).

mod acts;
mod calls;
mod catch_up;
mod disk;
mod file;
mod fill;
mod footprint;
mod lists;
mod load;
mod pages;
mod plan_asks;
mod plan_fill;
mod plans;
mod readable;
mod report;
mod stage;
mod steady;
mod tls;
mod tunnel;
mod writes;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use self::report::{Report, Sizes};
use super::Context;
use super::failure::Failure;
use crate::lang::Lang;

/// Arguments.
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// 快速试跑：时间短、条数少，结果仅供参考 · short, for trying out
    #[arg(long)]
    pub quick: bool,
    /// 补齐测试的条数，默认 100000（快速 5000） · entries a returning city has to catch up on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(100..))]
    pub entries: Option<u64>,
    /// 列表测试的案件数，默认 100000（快速 5000） · cases that lists are read from
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(100..))]
    pub cases: Option<u64>,
    /// 联合执法方案数，默认 100000（快速 2000） · plans that lists are read from
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(100..=150_000))]
    pub plans: Option<u64>,
    /// 跨市传送的证据文件大小，默认 1024 MiB（快速 64） · size of the file that crosses
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub file_mib: Option<u64>,
    /// 被测的程序，默认为本程序，可用来比较两个版本 · program that is measured, if not this one
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,
    /// 放测试数据的目录，结果取决于该磁盘；测完删除 · folder of the test data, removed afterwards
    #[arg(long, value_name = "DIR", default_value = "bench-data")]
    pub dir: PathBuf,
    /// 只测这些：disk, calls, writes, five, readable, catch-up, footprint, lists, console,
    /// plans, same-act, file · only these
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = PARTS)]
    pub only: Vec<String>,
    /// 只测控制台页面，同 --only console · only pages of the console
    #[arg(long, conflicts_with = "only")]
    pub console: bool,
}

/// Names for `--only`, in the order they run.
const PARTS: [&str; 12] = [
    "disk",
    "calls",
    "writes",
    "five",
    "readable",
    "catch-up",
    "footprint",
    "lists",
    "console",
    "plans",
    "same-act",
    "file",
];

/// What all measurements share.
#[derive(Clone, Debug)]
struct Bench {
    /// Folder on the disk to be measured.
    dir: PathBuf,
    /// The program whose nodes are started: this one.
    exe: PathBuf,
    /// How long a load lasts, after its warm-up.
    load_for: Duration,
    /// Entries to catch up on.
    entries: u64,
    /// Entries counted on the wire: one at a time, and caught up on.
    counted: (u64, u64),
    /// Cases that lists are read from.
    cases: u64,
    /// Plans that lists are read from.
    plans: u64,
    /// Units of each city that takes part in them.
    units: u64,
    /// Bytes of the file that crosses.
    file_bytes: u64,
    lang: Lang,
}

impl Bench {
    /// A line of progress, on standard error.
    fn say(&self, zh: &str, en: &str) {
        eprintln!("… {}", self.lang.pick(zh, en));
    }
}

/// Measures everything, or what `--only` names, and prints it.
///
/// # Errors
/// [`Failure`] when a node cannot be started, or refuses what it is asked.
pub async fn run(context: &Context, args: BenchArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let exe = args.program.clone().map_or_else(std::env::current_exe, std::path::absolute);
    let exe = exe.map_err(|error| Failure::local(format!("program: {error}")))?;
    let dir = std::path::absolute(&args.dir)
        .map_err(|error| Failure::local(format!("{}: {error}", args.dir.display())))?
        .join(format!("run-{}", std::process::id()));
    let bench = Bench {
        dir: dir.clone(),
        exe,
        load_for: if args.quick { Duration::from_secs(2) } else { Duration::from_secs(10) },
        entries: args.entries.unwrap_or(if args.quick { 5_000 } else { 100_000 }),
        counted: if args.quick { (200, 1600) } else { (1000, 16_000) },
        cases: args.cases.unwrap_or(if args.quick { 5_000 } else { 100_000 }),
        plans: args.plans.unwrap_or(if args.quick { 2_000 } else { 100_000 }),
        units: if args.quick { 100 } else { 1_000 },
        file_bytes: args.file_mib.unwrap_or(if args.quick { 64 } else { 1024 }) << 20,
        lang,
    };
    std::fs::create_dir_all(&dir)
        .map_err(|error| Failure::local(format!("{}: {error}", dir.display())))?;
    let only = if args.console { vec!["console".to_owned()] } else { args.only };
    let measured = tokio::select! {
        measured = measure(&bench, &only) => measured,
        _ = tokio::signal::ctrl_c() => Err(Failure::local(lang.pick("已中断", "interrupted"))),
    };
    // The folder holds nothing but test data; what cannot be removed harms nobody.
    let _ = std::fs::remove_dir_all(&dir);
    let _ = std::fs::remove_dir(&args.dir);
    let report = measured?;
    if context.json {
        let Bench { entries, cases, plans, units, file_bytes, .. } = bench;
        let sizes = Sizes { entries, cases, plans, units, file_bytes };
        context.print_json(&report.json(args.quick, sizes));
    } else {
        println!("{}", report.table(lang));
    }
    Ok(())
}

async fn measure(bench: &Bench, only: &[String]) -> Result<Report, Failure> {
    let wanted = |part: &str| only.is_empty() || only.iter().any(|name| name == part);
    let mut report = Report::default();
    if wanted("disk") {
        disk::measure(bench, &mut report)?;
    }
    if wanted("calls") || wanted("writes") {
        calls::measure(bench, &mut report).await?;
    }
    if wanted("writes") {
        writes::alone(bench, &mut report).await?;
    }
    if wanted("five") {
        writes::five(bench, &mut report).await?;
    }
    if wanted("readable") {
        readable::measure(bench, &mut report).await?;
    }
    if wanted("catch-up") {
        catch_up::measure(bench, &mut report).await?;
    }
    if wanted("footprint") {
        footprint::measure(bench, &mut report).await?;
    }
    if wanted("lists") {
        lists::measure(bench, &mut report).await?;
    }
    if wanted("console") {
        pages::measure(bench, &mut report).await?;
    }
    if wanted("plans") {
        plans::measure(bench, &mut report).await?;
    }
    if wanted("same-act") {
        acts::measure(bench, &mut report).await?;
    }
    if wanted("file") {
        file::measure(bench, &mut report).await?;
    }
    Ok(report)
}
