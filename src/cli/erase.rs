//! `liandong erase`: one part of an own entry is erased in every copy (依法删除).
//!
//! In scope: asking twice, asking the node. Out of scope: what the nodes then do
//! (`node::core::erase`).

use clap::{Args, ValueEnum};
use serde_json::json;

use super::Context;
use super::confirm::confirm;
use super::failure::Failure;
use super::profile::ProfileArgs;
use crate::ids::{AgreementId, Position};
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct EraseArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// 记录编号（liandong case history --json 中的 entry） · position of the entry, of the own city
    #[arg(value_name = "ENTRY")]
    pub entry: Position,
    /// 该记录的第几份内容，从 0 数起 · which of its parts, from 0
    #[arg(long, value_name = "N")]
    pub part: u32,
    /// 所属协议 · the agreement
    #[arg(long, value_name = "UUID")]
    pub agreement: AgreementId,
    /// 删除原因 · why
    #[arg(long, value_enum)]
    pub reason: Reason,
    /// 不再询问 · do not ask
    #[arg(long)]
    pub yes: bool,
}

/// Why a part is erased.
#[derive(ValueEnum, Clone, Copy, Debug)]
pub enum Reason {
    /// 法律要求或本人请求 · the law or the person demands it
    Law,
    /// 误写入 · it should not have been written
    Mistake,
    /// 各市均已丢失 · its bytes are lost everywhere
    Lost,
}

/// Erases one part.
///
/// # Errors
/// [`Failure`] when it is not confirmed, or the node cannot be reached or refuses.
pub async fn erase(context: &Context, args: EraseArgs) -> Result<(), Failure> {
    let (context, lang) = (context.with(args.profile), context.lang);
    let (entry, part) = (args.entry, args.part);
    confirm(
        &lang.pick(
            format!(
                "将删除记录 {entry} 的第 {part} 份内容：各市均不再提供，并从磁盘上清除，不能恢复。\n\
                 曾有这份内容这一事实及其摘要值仍保留。各市的备份须另行处理。"
            ),
            format!(
                "part {part} of {entry} will be erased: no city gives it to anybody any more, and \
                 it goes from their disks. It cannot be undone.\nThat it was there, and its \
                 digest, stay. Backups have to be dealt with apart."
            ),
        ),
        args.yes,
        lang,
    )?;
    let client = context.connect().await?;
    let reason = match args.reason {
        Reason::Law => pb::ErasureReason::Law,
        Reason::Mistake => pb::ErasureReason::Mistake,
        Reason::Lost => pb::ErasureReason::Lost,
    };
    let asked = pb::ErasePartRequest {
        agreement: format!("agreements/{}", args.agreement),
        entry: entry.to_string(),
        part,
        reason: reason.into(),
        request_id: uuid::Uuid::new_v4().to_string(),
    };
    let answer = client.nodes().erase_part(asked).await;
    let erased_by = answer.map_err(|status| client.failure(&status))?.into_inner().entry;
    if context.json {
        context.print_json(&json!({ "erased_by": erased_by }));
    } else {
        println!(
            "{}",
            lang.pick(
                format!("已删除，依据为记录 {erased_by}。其他城市收到该记录后随即删除。"),
                format!("erased by entry {erased_by}; other cities erase it once they have that."),
            )
        );
    }
    Ok(())
}
