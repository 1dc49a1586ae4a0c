//! `liandong fork`: the proof that a city has signed two histories, for whoever has to judge it.
//!
//! An exported proof is a folder of plain C2SP notes and the key that verifies them, so that it can
//! be checked offline with other people's tools and without a node.
//!
//! In scope: listing and exporting proofs that the node keeps. Out of scope: finding them
//! ([`crate::node::core`]).

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::failure::{Exit, Failure};
use super::names::Names;
use super::profile::ProfileArgs;
use super::{Context, files, table};
use crate::ids::{Hash, LogId, hex};
use crate::lang::Lang;
use crate::log::checkpoint::origin;
use crate::log::manifest::SignedManifest;
use crate::log::note::{NoteAlg, NoteKey};
use crate::log::{ForkProof, Head};
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct ForkArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: ForkCommand,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum ForkCommand {
    /// 列出本市节点保全的证据 · list the proofs this node keeps
    List,
    /// 导出证据，供离线核验 · export a proof that verifies offline
    Export {
        /// 新文件夹：两份签名、记录声明、核验公钥 · a new folder for both notes, the manifest and the key
        folder: PathBuf,
        /// 记录编号的开头，有多份证据时必填 · first digits of the log id, if there are several
        #[arg(long, value_name = "HEX")]
        log: Option<String>,
    },
}

/// One proof, checked.
struct Proof {
    log: LogId,
    city: u32,
    agreement: String,
    manifest: Bytes,
    proof: ForkProof,
    /// What `signed_note` and its like verify the notes with.
    key: String,
    heads: [Head; 2],
}

/// Lists or exports.
///
/// # Errors
/// [`Failure`] when the node cannot be reached, holds no such proof, or a file cannot be written.
pub async fn run(context: &Context, command: ForkCommand) -> Result<(), Failure> {
    let client = context.connect().await?;
    let request = pb::ListLogsRequest { parent: "agreements/-".to_owned() };
    let answer = client.nodes().list_logs(request).await;
    let logs = answer.map_err(|status| client.failure(&status))?.into_inner().logs;
    let proofs: Vec<Proof> = logs.iter().filter_map(checked).collect();
    match command {
        ForkCommand::List => {
            if context.json {
                let all: Vec<_> = proofs.iter().map(proof_json).collect();
                context.print_json(&json!({ "proofs": all }));
            } else {
                let names = Names::from_node(&client, context.lang).await;
                println!("{}", text(&proofs, &names, context.lang));
            }
            Ok(())
        }
        ForkCommand::Export { folder, log } => {
            let proof = choose(&proofs, log.as_deref(), context.lang)?;
            export(proof, &folder, context.lang)?;
            if context.json {
                context.print_json(&proof_json(proof));
            } else {
                let shown = folder.display();
                println!(
                    "{}",
                    context.lang.pick(
                        format!("已导出到 {shown}：两份签名都可用 key.txt 中的公钥离线核验"),
                        format!("exported to {shown}: both notes verify with the key in key.txt"),
                    )
                );
            }
            Ok(())
        }
    }
}

/// The proof a log comes with, verified here as well: a node's word is not passed on unchecked.
fn checked(log: &pb::Log) -> Option<Proof> {
    let [lower, higher] = log.contradicting_checkpoints.as_slice() else { return None };
    let manifest = SignedManifest::peek(&log.manifest_note).ok()?;
    let id = manifest.log_id();
    let path = log.contradiction_path.iter().map(|hash| Hash::from_slice(hash));
    let path = path.collect::<Result<Vec<Hash>, _>>().ok()?;
    let proof = ForkProof { lower: lower.clone(), higher: higher.clone(), path };
    let (one, other) = proof.check(id, &manifest.log_key).ok()?;
    let key = NoteKey::new(&origin(id), NoteAlg::Ed25519, manifest.log_key).ok()?;
    let public = [&[1], manifest.log_key.as_bytes().as_slice()].concat();
    Some(Proof {
        log: id,
        city: log.city,
        agreement: log.agreement.clone(),
        manifest: log.manifest_note.clone(),
        proof,
        key: format!("{}+{}+{}", key.name(), hex(&key.id()), STANDARD.encode(public)),
        heads: [one, other],
    })
}

fn choose<'a>(proofs: &'a [Proof], log: Option<&str>, lang: Lang) -> Result<&'a Proof, Failure> {
    let wanted = |one: &&Proof| log.is_none_or(|log| one.log.to_string().starts_with(log));
    let mut found = proofs.iter().filter(wanted);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Failure::new(
            Exit::Refused,
            "NOT_FOUND",
            lang.pick("本市节点没有这样的证据", "this node keeps no such proof"),
        )
        .advise(lang.pick("查看：liandong fork list", "see: liandong fork list"))),
        (Some(_), Some(_)) => Err(Failure::usage(lang.pick(
            "有多份证据：用 --log 指明（见 liandong fork list）",
            "there are several: name one with --log (see liandong fork list)",
        ))),
    }
}

/// Nothing is overwritten: what is evidence stays as it was exported.
fn export(proof: &Proof, folder: &Path, lang: Lang) -> Result<(), Failure> {
    let key = format!("{}\n", proof.key);
    let path: String = proof.proof.path.iter().map(|hash| format!("{hash}\n")).collect();
    for (name, bytes) in [
        ("lower.note", proof.proof.lower.as_ref()),
        ("higher.note", proof.proof.higher.as_ref()),
        ("manifest.note", proof.manifest.as_ref()),
        ("key.txt", key.as_bytes()),
        // Two checkpoints of one size need none.
        ("path.txt", path.as_bytes()),
    ] {
        if !bytes.is_empty() {
            files::write_new(&folder.join(name), bytes, lang)?;
        }
    }
    Ok(())
}

fn text(proofs: &[Proof], names: &Names, lang: Lang) -> String {
    if proofs.is_empty() {
        return lang.pick("没有", "none").to_owned();
    }
    let headers = lang.pick(
        ["协议", "哪市记录", "条数", "两个根值", "记录编号"],
        ["agreement", "signed by", "entries", "two roots", "log id"],
    );
    let mut table = table::table(&headers);
    for one in proofs {
        let [lower, higher] = &one.heads;
        let short = |head: &Head| head.root.to_string().chars().take(16).collect::<String>();
        let sizes = match lower.size == higher.size {
            true => lower.size.to_string(),
            false => format!("{} / {}", lower.size, higher.size),
        };
        table.add_row([
            names.agreement(&one.agreement),
            names.city(one.city),
            sizes,
            format!("{} / {}", short(lower), short(higher)),
            one.log.to_string(),
        ]);
    }
    table.to_string()
}

fn proof_json(one: &Proof) -> Value {
    json!({
        "log_id": one.log.to_string(),
        "city": super::json::city(one.city),
        "agreement": one.agreement,
        "sizes": one.heads.map(|head| head.size),
        "roots": one.heads.map(|head| head.root.to_string()),
        "path": one.proof.path.iter().map(Hash::to_string).collect::<Vec<_>>(),
        "key": one.key,
        "checkpoints": [
            String::from_utf8_lossy(&one.proof.lower),
            String::from_utf8_lossy(&one.proof.higher),
        ],
        "manifest_note": String::from_utf8_lossy(&one.manifest),
    })
}
