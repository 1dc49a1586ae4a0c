//! `liandong evidence put`, `get`, `fetch`, `show`: files of evidence to the own node, from it,
//! and from other cities.
//!
//! In scope: arguments, hashing, progress. Out of scope: sending ([`super::sending`]), and what is
//! allowed, which the node decides.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use tonic::Code;

use crate::cli::case::{Session, history, name};
use crate::cli::evidence::sending::{self, Parcel, Unsent, deliver};
use crate::cli::failure::{Exit, Failure};
use crate::cli::table;
use crate::domain::FileName;
use crate::evidence::BothHashes;
use crate::ids::{Hash, hex};
use crate::lang::Lang;
use crate::limits::EVIDENCE_CHUNK_BYTES;
use crate::shown::text::size;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::download_response::Content as Down;

/// Least characters of a digest by which an item of the case is found.
const PREFIX_CHARS: usize = 8;

/// What can be done with files of evidence.
#[derive(Subcommand, Debug)]
pub enum FileCommand {
    /// 上传文件到本市节点；中断后再次运行即续传 · send a file to the own node, or go on after a cut
    Put(PutArgs),
    /// 从本市节点下载文件，核对两种摘要 · take a file from the own node and check both digests
    Get(GetArgs),
    /// 让本市节点向他市调取文件 · have the own node bring a file from another city
    Fetch(FetchArgs),
    /// 文件在哪里、到了多少 · where a file is, and how much of it
    Show(WhichArgs),
}

/// Which file.
#[derive(Args, Debug)]
pub struct WhichArgs {
    /// 案件编号或全名 · number or name of the case
    #[arg(value_name = "CASE")]
    pub case: String,
    /// 证据编号，或文件的 SHA-256（可只写前 8 位） · id of the item, or SHA-256
    #[arg(value_name = "EVIDENCE")]
    pub evidence: String,
}

/// Arguments of sending.
#[derive(Args, Debug)]
pub struct PutArgs {
    /// 案件编号或全名 · number or name of the case
    #[arg(value_name = "CASE")]
    pub case: String,
    /// 文件；须已列入案件证据清单 · the file; a list of the case names it
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// 显示的文件名 · what it is called, if not as on this disk
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}

/// Arguments of taking.
#[derive(Args, Debug)]
pub struct GetArgs {
    /// Which file.
    #[command(flatten)]
    pub which: WhichArgs,
    /// 存为；不覆盖已有文件 · where to; nothing is overwritten
    #[arg(long, short = 'o', value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Arguments of bringing.
#[derive(Args, Debug)]
pub struct FetchArgs {
    /// Which file.
    #[command(flatten)]
    pub which: WhichArgs,
    /// 向哪个市调取；缺省为登记证据的市 · the city to ask, if not the one that listed it
    #[arg(long, value_name = "CITY")]
    pub from: Option<u32>,
}

/// Runs one command.
///
/// # Errors
/// [`Failure`] that says what happened and what to do.
pub async fn run(session: &Session, command: FileCommand) -> Result<(), Failure> {
    match command {
        FileCommand::Put(args) => put(session, args).await,
        FileCommand::Get(args) => get(session, args).await,
        FileCommand::Fetch(args) => fetch(session, args).await,
        FileCommand::Show(args) => {
            let (case_name, sha256) = which(session, &args).await?;
            let file = about(session, case_name, sha256).await?;
            say(session, &file);
            Ok(())
        }
    }
}

/// The case, and the digest that is meant.
async fn which(session: &Session, args: &WhichArgs) -> Result<(String, Vec<u8>), Failure> {
    let case = name::case(session, &args.case).await?;
    if let Ok(hash) = Hash::parse(&args.evidence) {
        return Ok((case.name, hash.as_bytes().to_vec()));
    }
    let (given, lang) = (args.evidence.as_str(), session.context.lang);
    let own = case.record.map(|record| record.evidence).unwrap_or_default();
    let added = history::entries(session, &case.name).await?.into_iter().flat_map(|e| e.listed);
    let fits = |item: &pb::Evidence| {
        item.id == given || (given.len() >= PREFIX_CHARS && hex(&item.sha256).starts_with(given))
    };
    // One file may be listed more than once.
    let found: BTreeSet<_> = own.into_iter().chain(added).filter(fits).map(|i| i.sha256).collect();
    let mut all = found.iter();
    match (all.next(), all.next()) {
        (Some(sha256), None) => Ok((case.name, sha256.to_vec())),
        (None, _) => Err(Failure::usage(lang.pick(
            format!("案件的证据清单里没有 {given}，请核对证据编号，或写文件的 SHA-256"),
            format!("no list of the case has {given}; check the id, or give the file's SHA-256"),
        ))),
        (Some(_), Some(_)) => {
            let mut failure = Failure::usage(lang.pick(
                format!("案件里有多份文件对应 {given}"),
                format!("{given} is more than one file of the case"),
            ));
            failure.details.extend(found.iter().map(|sha256| hex(sha256)));
            Err(failure.advise(lang.pick("改用上面的 SHA-256", "use one of the digests above")))
        }
    }
}

async fn about(
    session: &Session,
    case_name: String,
    sha256: Vec<u8>,
) -> Result<pb::EvidenceFile, Failure> {
    let about = sending::about(&session.client, case_name, sha256).await;
    about.map_err(|status| session.client.failure(&status))
}

/// Digests and size of a file.
#[derive(Debug)]
pub(super) struct Hashed {
    /// SHA-256.
    pub sha256: Vec<u8>,
    /// SM3.
    pub sm3: Vec<u8>,
    /// Its length in bytes.
    pub size: u64,
}

/// Reads a file once for its digests, beside whatever else is done.
///
/// # Errors
/// [`Failure`] when it cannot be read.
pub(super) async fn hashed(path: &Path, lang: Lang) -> Result<Hashed, Failure> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || hash(&path, lang)).await;
    read.map_err(|error| Failure::local(error.to_string()))?
}

fn hash(path: &Path, lang: Lang) -> Result<Hashed, Failure> {
    let read = || {
        let (mut file, mut hashes, mut size) = (File::open(path)?, BothHashes::new(), 0);
        let mut buffer = vec![0; EVIDENCE_CHUNK_BYTES];
        loop {
            let read = file.read(&mut buffer)?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            hashes.update(bytes);
            size += read as u64;
        }
        let (sha256, sm3) = hashes.finish();
        let (sha256, sm3) = (sha256.as_bytes().to_vec(), sm3.to_vec());
        Ok::<_, std::io::Error>(Hashed { sha256, sm3, size })
    };
    read().map_err(|error| unread(path, &error, lang))
}

fn unread(path: &Path, error: &std::io::Error, lang: Lang) -> Failure {
    let shown = path.display();
    Failure::local(lang.pick(
        format!("{shown}：无法读写（{error}）"),
        format!("{shown}: cannot be read or written ({error})"),
    ))
    .advise(lang.pick("检查路径和权限", "check path and permissions"))
}

fn bar(session: &Session, size: u64, at: u64) -> ProgressBar {
    // Programs read JSON, not bars; on anything but a terminal nothing is drawn.
    let bar = if session.context.json { ProgressBar::hidden() } else { ProgressBar::new(size) };
    bar.set_position(at);
    bar
}

async fn put(session: &Session, args: PutArgs) -> Result<(), Failure> {
    let case_name = name::case(session, &args.case).await?.name;
    let hashed = hashed(&args.file, session.context.lang).await?;
    deliver_file(session, case_name, &args.file, args.name, hashed).await
}

/// Sends a file that the case lists, and says what became of it.
///
/// # Errors
/// [`Failure`] when it cannot be read, or the node refuses.
pub(super) async fn deliver_file(
    session: &Session,
    case_name: String,
    path: &Path,
    name: Option<String>,
    Hashed { sha256, sm3, size }: Hashed,
) -> Result<(), Failure> {
    let own = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let display_name = name.or(own).unwrap_or_default();
    let parcel = Parcel { case_name, sha256, sm3, size, display_name };
    let open = || File::open(path);
    match deliver(&session.client, &parcel, open, |at| bar(session, size, at)).await {
        Ok(file) => {
            say(session, &file);
            Ok(())
        }
        Err(Unsent::Unread(error)) => Err(unread(path, &error, session.context.lang)),
        Err(Unsent::Answered(status)) => Err(session.client.failure(&status)),
    }
}

async fn get(session: &Session, args: GetArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    let (case_name, sha256) = which(session, &args.which).await?;
    let file = about(session, case_name.clone(), sha256.clone()).await?;
    let out = match args.out {
        Some(out) => out,
        // Checked again here: the node may be older, and this names a file on this disk.
        None => match FileName::parse(&file.display_name) {
            Ok(name) => PathBuf::from(name.as_str()),
            Err(_) => PathBuf::from(hex(&sha256)),
        },
    };
    if out.symlink_metadata().is_ok() {
        let shown = out.display();
        return Err(Failure::local(lang.pick(
            format!("{shown} 已存在，请用 --out 另选"),
            format!("{shown} is there already; choose another with --out"),
        )));
    }
    let mut part = out.clone().into_os_string();
    part.push(format!(".{}.part", hex(&sha256).get(..8).unwrap_or_default()));
    let part = PathBuf::from(part);
    let mut writing = OpenOptions::new()
        .append(true)
        .create(true)
        // A link that somebody left there leads nowhere.
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(&part)
        .map_err(|error| unread(&part, &error, lang))?;
    let offset = writing.metadata().map_or(0, |data| data.len());
    let request = pb::DownloadRequest { case_name, sha256: sha256.clone().into(), offset };
    let answer = session.client.evidence_files().download(request).await;
    let mut answers = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    let bar = bar(session, file.size_bytes, offset);
    loop {
        let answer = answers.message().await.map_err(|status| {
            if status.code() == Code::DataLoss {
                // Nobody goes on with what is damaged; one that stays is found out at its end.
                let _ = std::fs::remove_file(&part);
            }
            session.client.failure(&status)
        })?;
        let Some(answer) = answer else { break };
        if let Some(Down::Chunk(chunk)) = answer.content {
            writing.write_all(&chunk).map_err(|error| unread(&part, &error, lang))?;
            bar.inc(chunk.len() as u64);
        }
    }
    bar.finish_and_clear();
    writing.sync_all().map_err(|error| unread(&part, &error, lang))?;
    keep((&part, &out), &file, lang)?;
    if session.context.json {
        let mut value = shape(&file);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("saved".to_owned(), json!(out.display().to_string()));
        }
        session.context.print_json(&value);
    } else {
        println!("{} {}", lang.pick("已保存，摘要一致：", "saved, digests fit:"), out.display());
    }
    Ok(())
}

fn cut(lang: Lang) -> Failure {
    let what = lang.pick("传送中断，再次运行即续传", "it was cut; run it again to go on");
    Failure::new(Exit::Refused, "FETCH_FAILED", what)
}

/// Gives what came its name, if its digests are right; else it is deleted.
fn keep((part, out): (&Path, &Path), file: &pb::EvidenceFile, lang: Lang) -> Result<(), Failure> {
    let Hashed { sha256: got, sm3: got_sm3, size } = hash(part, lang)?;
    if size < file.size_bytes {
        // The part stays.
        return Err(cut(lang));
    }
    if file.sha256 != got || file.sm3 != got_sm3 {
        std::fs::remove_file(part).map_err(|error| unread(part, &error, lang))?;
        return Err(Failure::new(
            Exit::Refused,
            "WRONG_BYTES",
            lang.pick(
                "下载的内容与登记的摘要不符，已删除，请重新下载",
                "what came is not what is listed; it was deleted, try again",
            ),
        ));
    }
    // A link is refused where a file is, so that none is overwritten.
    std::fs::hard_link(part, out).map_err(|error| unread(out, &error, lang))?;
    std::fs::remove_file(part).map_err(|error| unread(part, &error, lang))?;
    Ok(())
}

async fn fetch(session: &Session, args: FetchArgs) -> Result<(), Failure> {
    let (case_name, sha256) = which(session, &args.which).await?;
    let file = about(session, case_name.clone(), sha256.clone()).await?;
    let from_city = args.from.unwrap_or_default();
    let request = pb::FetchRequest { case_name, sha256: sha256.into(), from_city };
    let answer = session.client.evidence_files().fetch(request).await;
    let mut answers = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    let bar = bar(session, file.size_bytes, so_far(&file));
    loop {
        let answer = answers.message().await.map_err(|status| session.client.failure(&status))?;
        let Some(answer) = answer else { return Err(cut(session.context.lang)) };
        bar.set_position(answer.offset);
        if let Some(file) = answer.file {
            bar.finish_and_clear();
            say(session, &file);
            return Ok(());
        }
    }
}

fn shape(file: &pb::EvidenceFile) -> Value {
    json!({
        "case": file.case_name,
        "evidence": file.evidence_id,
        "title": file.title,
        "name": file.display_name,
        "mime": file.mime,
        "size_bytes": file.size_bytes,
        "sha256": hex(&file.sha256),
        "sm3": hex(&file.sm3),
        "listing_city": file.listing_city,
        "here": file.here,
        "offset": file.offset,
        "fetched_bytes": file.fetched_bytes,
    })
}

/// What is here of a file, whoever sent it.
fn so_far(file: &pb::EvidenceFile) -> u64 {
    file.offset.max(file.fetched_bytes)
}

fn say(session: &Session, file: &pb::EvidenceFile) {
    if session.context.json {
        session.context.print_json(&shape(file));
        return;
    }
    let lang = session.context.lang;
    let city = session.names.city(file.listing_city);
    let place = if file.here {
        lang.pick("已在本市节点".to_owned(), "on this node".to_owned())
    } else {
        lang.pick(
            format!("不在本市节点（已收到 {}），取证市：{city}", size(so_far(file))),
            format!("not on this node ({} so far); listed by {city}", size(so_far(file))),
        )
    };
    println!("{} {}", table::clean(&file.evidence_id), table::clean(&file.title));
    println!(
        "{} {} {}",
        table::clean(&file.display_name),
        size(file.size_bytes),
        table::clean(&file.mime)
    );
    println!("SHA-256 {}\nSM3     {}\n{place}", hex(&file.sha256), hex(&file.sm3));
}
