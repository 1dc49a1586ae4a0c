//! `liandong plan ics`: the days of a plan, or of all plans of an agreement, for calendars.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::name;
use crate::cli::case::export::target::Target;
use crate::cli::case::{self, Session};
use crate::cli::failure::Failure;
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct IcsArgs {
    /// 方案号、编号前几位或全名；不写的导出协议内全部方案 · a plan; all of the agreement when absent
    #[arg(value_name = "PLAN", conflicts_with = "agreement")]
    pub plan: Option<String>,
    /// 联动协议（只有一个时可省） · the agreement; may be left out if there is only one
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 写入此文件（默认写到标准输出） · file to write; standard output when absent
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// 文件已存在时覆盖 · replace a file that is there
    #[arg(long, requires = "out")]
    pub force: bool,
}

/// Writes it.
///
/// # Errors
/// [`Failure`] when there is no such plan, or the file cannot be written.
pub async fn run(session: &Session, args: IcsArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    let name = match &args.plan {
        Some(given) => name(session, given).await?,
        None => case::name::agreement(session, args.agreement.as_deref()).await?,
    };
    let request = pb::ExportCalendarRequest { name };
    let answer = session.client.plans().export_calendar(request).await;
    let answer = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    let (calendar, partial) = (answer.calendar, answer.is_partial);
    if partial {
        eprintln!(
            "{}",
            lang.pick(
                "方案过多，日历只含最新的一部分，其余请按方案单独导出。",
                "There are more plans than a calendar holds: these are the newest, ask for others \
                 one by one.",
            )
        );
    }
    let Some(path) = &args.out else {
        match session.context.json {
            true => {
                session.context.print_json(&json!({ "calendar": calendar, "is_partial": partial }))
            }
            false => print!("{calendar}"),
        }
        return Ok(());
    };
    let mut target = Target::file(path, args.force, lang)?;
    target.put(&calendar)?;
    target.finish()?;
    let shown = path.display().to_string();
    match session.context.json {
        true => session.context.print_json(&json!({ "file": shown, "is_partial": partial })),
        false => println!("{}", lang.pick(format!("已写入 {shown}"), format!("written: {shown}"))),
    }
    Ok(())
}
