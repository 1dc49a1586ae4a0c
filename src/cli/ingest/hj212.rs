//! `liandong ingest hj212`: on-line monitoring data in, clues out.
//!
//! In scope: arguments, where the bytes come from, the report. Out of scope: the rest
//! ([`super::desk`], [`super::listen`]).

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::desk::Desk;
use super::intake::Intake;
use super::listen;
use super::office::Office;
use super::report::Report;
use super::spool::Spool;
use super::stations::{self, Stations};
use crate::cli::Context;
use crate::cli::case::{Session, name};
use crate::cli::failure::{Exit, Failure};
use crate::hj212::Kind;
use crate::lang::Lang;
use crate::limits::HJ212_IDLE_S;

/// Bytes of one read.
const READ_BYTES: usize = 64 * 1024;

/// Data that can count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Data {
    /// 小时数据（CN 2061） · hours
    Hour,
    /// 日数据（CN 2031） · days
    Day,
    /// 分钟数据（CN 2051） · minutes
    Minute,
}

impl Data {
    const fn kind(self) -> Kind {
        match self {
            Self::Hour => Kind::Hour,
            Self::Day => Kind::Day,
            Self::Minute => Kind::Minute,
        }
    }
}

/// Arguments.
#[derive(Args, Debug)]
pub struct Hj212Args {
    /// 报文文件；- 为标准输入 · a file of packets; - for standard input
    #[arg(value_name = "FILE", required_unless_present = "listen", conflicts_with = "listen")]
    pub file: Option<PathBuf>,
    /// 接收设备连接；只写端口则限本机 · take connections of devices; a port alone is loopback
    #[arg(long, value_name = "[ADDRESS:]PORT", value_parser = address, conflicts_with = "dry_run",
        requires = "spool")]
    pub listen: Option<SocketAddr>,
    /// 限值文件（TOML） · limits of the stations
    #[arg(long, value_name = "FILE")]
    pub limits: PathBuf,
    /// 联动协议：简称或全名 · agreement, by short name or name
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 比对哪些数据 · which data counts
    #[arg(long, value_enum, value_delimiter = ',', default_value = "hour")]
    pub data: Vec<Data>,
    /// 报文（去除密码）暂存文件夹：登记并上传证据后删除，未成的自动重试；接收设备连接时必填 ·
    /// folder for packets until they are drafted and uploaded, tried again; devices need one
    #[arg(long, value_name = "DIR", conflicts_with = "dry_run")]
    pub spool: Option<PathBuf>,
    /// 只显示将登记的线索 · show what would be drafted
    #[arg(long)]
    pub dry_run: bool,
    /// 系统代办时的执法证号 · officer a system acts for
    #[arg(long, value_name = "CERTIFICATE")]
    pub acting_for: Option<String>,
    /// 设备静默多少秒后断开 · seconds of silence after which a device is gone
    #[arg(long, value_name = "SECONDS", default_value_t = HJ212_IDLE_S,
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub idle_s: u64,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<u16>() {
        Ok(port) => Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        Err(_) => text.parse().map_err(|_| {
            format!("“{text}” 不是端口或 地址:端口 · neither a port nor ADDRESS:PORT")
        }),
    }
}

/// Reads a file or takes connections, and says what came of it.
///
/// # Errors
/// [`Failure`] when a file cannot be read, the node cannot be reached, a clue was refused and is
/// kept nowhere, or every packet was refused; the report is printed before.
pub async fn run(context: &Context, args: Hj212Args) -> Result<(), Failure> {
    let lang = context.lang;
    let stations = stations::load(&args.limits, lang)?;
    let spool = args.spool.as_deref().map(|folder| Spool::open(folder, lang)).transpose()?;
    let office = match args.dry_run {
        true => None,
        false => Some(office(context, &args, &stations).await?),
    };
    let desk = Arc::new(Desk {
        lang,
        turns: stations.keys().map(|mn| (mn.clone(), Default::default())).collect(),
        stations,
        kinds: args.data.iter().map(|data| data.kind()).collect::<BTreeSet<_>>(),
        spool,
        office,
        report: Mutex::new(Report::default()),
        left: Mutex::new(BTreeSet::new()),
    });
    let ended = match (&args.listen, &args.file) {
        (Some(at), _) => {
            listen::run(Arc::clone(&desk), *at, Duration::from_secs(args.idle_s)).await
        }
        (None, Some(path)) => {
            desk.try_again().await;
            read_file(&desk, path).await
        }
        (None, None) => Ok(()),
    };
    let report = desk.report();
    if context.json {
        context.print_json(&report.json());
    } else {
        print!("{}", report.text(lang));
    }
    ended?;
    // Each was said where it happened.
    let quiet = || Failure::new(Exit::Refused, "", "");
    if report.is_failure() { Err(quiet()) } else { Ok(()) }
}

/// Connects, and finds the agreement of every station before anything is read.
async fn office(
    context: &Context,
    args: &Hj212Args,
    stations: &Stations,
) -> Result<Office, Failure> {
    let client = context.connect().await?;
    let names = client.names(context.lang).await;
    let session = Session { context: context.clone(), client, names };
    let named: BTreeSet<Option<String>> =
        stations.values().map(|station| station.agreement.clone()).collect();
    let mut parents = BTreeMap::new();
    for given in named {
        let asked = given.as_deref().or(args.agreement.as_deref());
        parents.insert(given.clone(), name::agreement(&session, asked).await?);
    }
    Ok(Office { session, parents, officer: args.acting_for.clone() })
}

async fn read_file(desk: &Desk, path: &Path) -> Result<(), Failure> {
    let lang = desk.lang;
    let opened = match path == Path::new("-") {
        true => std::io::stdin().as_fd().try_clone_to_owned().map(std::fs::File::from),
        false => std::fs::File::open(path),
    };
    let file = opened.map_err(|error| unreadable(path, &error, lang))?;
    read(desk, tokio::fs::File::from_std(file), path, lang).await
}

fn unreadable(path: &Path, error: &std::io::Error, lang: Lang) -> Failure {
    let shown = path.display();
    Failure::local(lang.pick(
        format!("{shown}：无法读取（{error}）"),
        format!("{shown}: cannot be read ({error})"),
    ))
}

async fn read(
    desk: &Desk,
    mut from: impl AsyncRead + Unpin,
    path: &Path,
    lang: Lang,
) -> Result<(), Failure> {
    let (mut intake, mut buffer) = (Intake::default(), vec![0; READ_BYTES]);
    loop {
        let bytes = from.read(&mut buffer).await.map_err(|error| unreadable(path, &error, lang))?;
        if bytes == 0 {
            return intake.finish(desk).await;
        }
        // Nobody is there to be answered.
        let got = buffer.get(..bytes).unwrap_or_default();
        intake.feed(desk, got, &mut Vec::new()).await?;
    }
}
