//! `liandong rebuild`: removes the views of a stopped node and makes them anew from its journal.
//!
//! The journal is the truth: nothing is lost, also when this is interrupted; the next start then
//! goes on where it ended.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::epoch::known;
use super::failure::{Exit, Failure};
use super::{Context, files, serve};
use crate::node::clock::SystemClock;
use crate::store::SledStore;

/// Arguments.
#[derive(Args, Debug)]
pub struct RebuildArgs {
    /// 节点配置文件 · configuration of the node
    #[arg(long, default_value = "liandong.toml", value_name = "FILE")]
    pub config: PathBuf,
}

/// Rebuilds.
///
/// # Errors
/// [`Failure`] when the node runs, or its journal or folder cannot be used.
pub async fn run(context: &Context, args: RebuildArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let config = files::config(&args.config, lang)?;
    let views = config.data_dir.join("views");
    if known::lock(&config, lang)?.is_none() {
        return Err(Failure::new(
            Exit::Refused,
            "NODE_RUNNING",
            lang.pick("节点正在运行，未改动", "the node is running; nothing was changed"),
        )
        .advise(lang.pick("先停止 liandong serve 再执行", "stop liandong serve first")));
    }
    let failed = |error: &dyn std::fmt::Display| {
        Failure::local(lang.pick(
            format!("{}：视图无法重建（{error}）", views.display()),
            format!("{}: the views could not be rebuilt ({error})", views.display()),
        ))
        .advise(lang.pick(
            "记录不受影响；检查磁盘空间和权限后再执行一次",
            "the records are as they were; check space and permissions, then run it again",
        ))
    };
    SledStore::remove(&views).map_err(|e| failed(&e))?;
    let clock = SystemClock::start();
    let boundaries = serve::boundaries(&config)?.map(Arc::new);
    let node = tokio::task::block_in_place(|| serve::start(&config, clock, boundaries, lang))?;
    let status = node.status().await;
    let reader = node.reader();
    tokio::task::block_in_place(|| reader.flush()).map_err(|e| failed(&e))?;
    node.stop().await;
    let entries = status.as_ref().map_or(0, |s| s.apply_number);
    let logs = status.as_ref().map_or(0, |s| s.logs.len());
    if context.json {
        context.print_json(&json!({ "rebuilt": true, "entries": entries, "logs": logs }));
    } else {
        println!(
            "{}",
            lang.pick(
                format!("视图已由日志重建：{logs} 份记录、{entries} 条。现在可以启动节点。"),
                format!(
                    "views rebuilt: {entries} entries of {logs} cities' records; start the node"
                ),
            )
        );
    }
    Ok(())
}
