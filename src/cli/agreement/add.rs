//! `liandong agreement add`: charters, cards and manifests go to the node.
//!
//! With `--config` they are put into the node's inbox, whether it runs or not; else they go over
//! the api port, as an administrator.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use serde_json::json;

use super::paper::Paper;
use crate::cli::epoch::known;
use crate::cli::failure::{Exit, Failure};
use crate::cli::{Context, files, table};
use crate::config::Config;
use crate::lang::Lang;
use crate::log::manifest::SignedManifest;
use crate::trust::card::SignedCard;
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct AddArgs {
    /// 签齐的协议（可给各市分别签的副本）、名片、签好的记录申请 · charters, cards, manifests
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// 交给此配置的节点，节点未运行也可 · give it to the node of this configuration
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// A note to hand in: charters first, then cards, then manifests; each rests on those before.
#[derive(Clone, Debug)]
struct Item {
    rank: u8,
    name: String,
    shown: String,
    note: Bytes,
}

/// Hands the files in.
///
/// # Errors
/// [`Failure`] when a file is not what it should be, or the node refuses it.
pub async fn run(context: &Context, args: &AddArgs) -> Result<(), Failure> {
    let items = items(&args.files, context.lang)?;
    match &args.config {
        Some(path) => by_inbox(context, &files::config(path, context.lang)?, &items).await,
        None => by_api(context, &items).await,
    }
}

fn items(paths: &[PathBuf], lang: Lang) -> Result<Vec<Item>, Failure> {
    let mut papers: Vec<Paper> = Vec::new();
    let mut items = Vec::new();
    for path in paths {
        let bytes = Bytes::from(files::read(path, lang)?);
        if bytes.starts_with(b"liandong/charter/") {
            let paper = Paper::read(path, lang)?;
            match papers.iter_mut().find(|p| p.charter.hash() == paper.charter.hash()) {
                Some(known) => known.join(paper, lang)?,
                None => papers.push(paper),
            }
        } else {
            items.push(other(path, bytes, lang)?);
        }
    }
    for paper in papers {
        if !paper.missing().is_empty() {
            return Err(Failure::new(
                Exit::Refused,
                "CHARTER_INCOMPLETE",
                lang.pick(
                    "协议尚未签齐，节点不会采用",
                    "the agreement is not signed by all members",
                ),
            )
            .detail(paper.text(lang).trim_end().to_owned())
            .advise(lang.pick(
                "收齐各市签过的副本，一起交给本命令",
                "collect the copies of the missing cities and give them all to this command",
            )));
        }
        items.push(Item {
            rank: 0,
            name: format!("charter-{}.note", paper.charter.agreement),
            shown: paper.charter.title.clone(),
            note: paper.bytes()?.into(),
        });
    }
    items.sort_by(|a, b| (a.rank, &a.name).cmp(&(b.rank, &b.name)));
    Ok(items)
}

fn other(path: &Path, note: Bytes, lang: Lang) -> Result<Item, Failure> {
    if let Ok(card) = SignedCard::peek(&note) {
        let shown = lang.pick(
            format!("{} 的名片（第 {} 号）", card.city, card.number),
            format!("card {} of {}", card.number, card.city),
        );
        let name = format!("card-{}-{}.note", card.city, card.number);
        return Ok(Item { rank: 1, name, shown, note });
    }
    let manifest = SignedManifest::peek(&note).map_err(|_| {
        Failure::local(lang.pick(
            format!("{}：不是签好的协议、名片或记录申请", path.display()),
            format!("{}: is no signed agreement, card or manifest", path.display()),
        ))
        .advise(lang.pick(
            "若是未签的申请，先用 liandong epoch sign 签署",
            "an unsigned request goes through liandong epoch sign first",
        ))
    })?;
    let shown = lang.pick(
        format!("{} 的记录（第 {} 期）", manifest.city, manifest.epoch),
        format!("records of {}, series {}", manifest.city, manifest.epoch),
    );
    let name = format!("manifest-{}-epoch{}.note", manifest.agreement, manifest.epoch);
    Ok(Item { rank: 2, name, shown, note })
}

async fn by_inbox(context: &Context, config: &Config, items: &[Item]) -> Result<(), Failure> {
    let lang = context.lang;
    let running = known::lock(config, lang)?.is_none();
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        let path = files::put_in_inbox(config, &item.name, &item.note, lang)?;
        let delivery = files::await_inbox(&path, running, lang).await.map_err(|mut failure| {
            failure.what = format!("{}：{}", item.shown, failure.what);
            failure
        })?;
        results.push((delivery.name(), delivery.text(lang), item));
    }
    if context.json {
        let shape = results.iter().map(|(name, _, i)| json!({ "note": i.name, "result": name }));
        context.print_json(&json!({ "notes": shape.collect::<Vec<_>>() }));
    } else {
        for (_, text, item) in &results {
            println!("{}{}{text}", table::clean(&item.shown), lang.pick("：", ": "));
        }
    }
    Ok(())
}

async fn by_api(context: &Context, items: &[Item]) -> Result<(), Failure> {
    let lang = context.lang;
    let client = context.connect().await?;
    let request = pb::AddAgreementFilesRequest {
        notes: items.iter().map(|i| i.note.clone()).collect(),
        request_id: uuid::Uuid::now_v7().to_string(),
    };
    let answer = client.agreements().add_agreement_files(request).await;
    let results = answer.map_err(|status| client.failure(&status))?.into_inner().results;
    let mut refused = Vec::new();
    for (item, result) in items.iter().zip(&results) {
        if let Some(why) = result.strip_prefix("refused: ") {
            refused.push(format!("{}{}{why}", item.shown, lang.pick("：", ": ")));
        }
    }
    if context.json {
        let shape = items.iter().zip(&results);
        let shape = shape.map(|(i, result)| json!({ "note": i.name, "result": result }));
        context.print_json(&json!({ "notes": shape.collect::<Vec<_>>() }));
    }
    if !refused.is_empty() {
        let what = lang.pick("节点没有采用部分文件", "the node has refused some of the files");
        let failure = Failure::new(Exit::Refused, "NOTE_REFUSED", what);
        return Err(refused.iter().fold(failure, |f, line| f.detail(table::clean(line))));
    }
    if !context.json {
        for item in items {
            let taken = files::Delivery::Taken.text(lang);
            println!("{}{}{taken}", table::clean(&item.shown), lang.pick("：", ": "));
        }
    }
    Ok(())
}
