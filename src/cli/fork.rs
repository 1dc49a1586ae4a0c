//! `liandong fork`: proofs that a city has signed what cannot be true, for whoever has to judge it:
//! two histories of its log, or cosignatures that contradict each other or another city's log.
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
use crate::log::checkpoint::{origin, witness_name};
use crate::log::keys::VerifyingKey;
use crate::log::manifest::SignedManifest;
use crate::log::note::{NoteAlg, NoteKey};
use crate::log::{ForkProof, Head, WitnessProof};
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
        /// 新文件夹：两份签名、记录声明、核验公钥 · a new folder for both notes, manifests and keys
        folder: PathBuf,
        /// 记录编号或签名市的记录编号的开头，有多份证据时必填 · first digits of the log id, or of the
        /// signing city's, if there are several
        #[arg(long, value_name = "HEX")]
        log: Option<String>,
    },
}

/// What a proof proves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A city has signed two histories of its log.
    Fork,
    /// It has cosigned two roots of one size of a log.
    Cosigned,
    /// It has cosigned another root than that log's city has signed.
    CosignedOther,
}

/// One proof, checked.
struct Proof {
    kind: Kind,
    /// The log it is about.
    log: LogId,
    /// Whoever signed both, or cosigned.
    city: u32,
    /// The log whose keys that city signed with.
    by: LogId,
    agreement: String,
    /// Files of an export by name: notes first.
    files: Vec<(&'static str, Bytes)>,
    path: Vec<Hash>,
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
    let mut proofs: Vec<Proof> = logs.iter().filter_map(checked).collect();
    proofs.extend(logs.iter().flat_map(against_witnesses));
    match command {
        ForkCommand::List => {
            if context.json {
                let all: Vec<_> = proofs.iter().map(proof_json).collect();
                context.print_json(&json!({ "proofs": all }));
            } else {
                let names = client.names(context.lang).await;
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

/// A key as other people's tools read it.
fn vkey(name: &str, alg: NoteAlg, key: VerifyingKey) -> Option<String> {
    let named = NoteKey::new(name, alg, key).ok()?;
    let kind: u8 = match alg {
        NoteAlg::Ed25519 => 1,
        NoteAlg::CosignatureV1 => 4,
    };
    let public = [&[kind], key.as_bytes().as_slice()].concat();
    Some(format!("{}+{}+{}", named.name(), hex(&named.id()), STANDARD.encode(public)))
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
    Some(Proof {
        kind: Kind::Fork,
        log: id,
        city: log.city,
        by: id,
        agreement: log.agreement.clone(),
        files: vec![
            ("lower.note", proof.lower),
            ("higher.note", proof.higher),
            ("manifest.note", log.manifest_note.clone()),
        ],
        path: proof.path,
        key: vkey(&origin(id), NoteAlg::Ed25519, manifest.log_key)?,
        heads: [one, other],
    })
}

/// The proofs against those who cosigned a log, each verified here as well.
fn against_witnesses(log: &pb::Log) -> Vec<Proof> {
    let read = |one: &pb::CosignatureContradiction| {
        let manifest = SignedManifest::peek(&log.manifest_note).ok()?;
        let witness = SignedManifest::peek(&one.witness_manifest_note).ok()?;
        let (id, by) = (manifest.log_id(), witness.log_id());
        let proof = WitnessProof {
            cosigned: one.cosigned_note.clone(),
            against: one.contradicting_note.clone(),
        };
        let (head, other) = proof.check((id, &manifest.log_key), (by, &witness.cosign_key)).ok()?;
        let mut files = vec![
            ("cosigned.note", proof.cosigned.clone()),
            ("contradicting.note", proof.against.clone()),
            ("manifest.note", one.witness_manifest_note.clone()),
        ];
        let kind = if proof.is_by_itself(by) { Kind::Cosigned } else { Kind::CosignedOther };
        if kind == Kind::CosignedOther {
            let key = vkey(&origin(id), NoteAlg::Ed25519, manifest.log_key)?;
            files.push(("log-manifest.note", log.manifest_note.clone()));
            files.push(("log-key.txt", format!("{key}\n").into()));
        }
        Some(Proof {
            kind,
            log: id,
            city: one.city,
            by,
            agreement: log.agreement.clone(),
            files,
            path: Vec::new(),
            key: vkey(&witness_name(by), NoteAlg::CosignatureV1, witness.cosign_key)?,
            heads: [head, other],
        })
    };
    log.cosignature_contradictions.iter().filter_map(read).collect()
}

fn choose<'a>(proofs: &'a [Proof], log: Option<&str>, lang: Lang) -> Result<&'a Proof, Failure> {
    let begins = |id: &LogId, log: &str| id.to_string().starts_with(log);
    let wanted = |one: &&Proof| log.is_none_or(|l| begins(&one.log, l) || begins(&one.by, l));
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
    let key = Bytes::from(format!("{}\n", proof.key));
    let path: String = proof.path.iter().map(|hash| format!("{hash}\n")).collect();
    // Two checkpoints of one size need no path.
    let more = [("key.txt", key), ("path.txt", path.into())];
    for (name, bytes) in proof.files.iter().chain(&more) {
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
        ["协议", "哪市签名", "证据", "条数", "两个根值", "记录编号", "签名市的记录编号"],
        ["agreement", "signed by", "proof", "entries", "two roots", "log id", "signer's log id"],
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
            one.kind.text(lang).to_owned(),
            sizes,
            format!("{} / {}", short(lower), short(higher)),
            one.log.to_string(),
            one.by.to_string(),
        ]);
    }
    table.to_string()
}

impl Kind {
    fn text(self, lang: Lang) -> &'static str {
        match self {
            Self::Fork => lang.pick("两份签名记录", "two signed histories"),
            Self::Cosigned => lang.pick("系统送达签名自相矛盾", "two contradicting cosignatures"),
            Self::CosignedOther => {
                lang.pick("系统送达签名与记录不符", "a cosignature that contradicts the log")
            }
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Fork => "FORK",
            Self::Cosigned => "COSIGNATURES",
            Self::CosignedOther => "COSIGNATURE_AND_LOG",
        }
    }
}

fn proof_json(one: &Proof) -> Value {
    let notes: Vec<_> = one.files.iter().filter(|(name, _)| name.ends_with(".note")).collect();
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    json!({
        "kind": one.kind.name(),
        "log_id": one.log.to_string(),
        "signer_log_id": one.by.to_string(),
        "city": super::json::city(one.city),
        "agreement": one.agreement,
        "sizes": one.heads.map(|head| head.size),
        "roots": one.heads.map(|head| head.root.to_string()),
        "path": one.path.iter().map(Hash::to_string).collect::<Vec<_>>(),
        "key": one.key,
        "checkpoints": notes.iter().take(2).map(|(_, note)| text(note)).collect::<Vec<_>>(),
        "manifest_note": notes.get(2).map(|(_, note)| text(note)),
    })
}
