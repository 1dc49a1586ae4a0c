//! `liandong doctor`: every dependency of the own node, green, yellow or red, and what to do.
//!
//! Asks the running node for its status and judges it ([`judge`]). Where the node does not run, it
//! looks at the files that the configuration names, as far as that goes, and says so ([`offline`]).
//!
//! In scope: printing, exit codes (0 green, 1 yellow, 2 red). Out of scope: finding facts, which
//! the node does; mending anything.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use self::judge::{Finding, Level};
use super::connect::Client;
use super::failure::{Exit, Failure};
use super::profile::ProfileArgs;
use super::{Context, files, table, when};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

pub mod judge;
mod offline;

/// Arguments.
#[derive(Args, Debug)]
#[command(after_help = "退出码：0 正常，1 有需留意的，2 有需处理的，3 以上同其他命令 · \
    exit codes: 0 green, 1 yellow, 2 red, from 3 on as elsewhere")]
pub struct DoctorArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// 节点配置：节点未运行时据此检查本机文件 · the node's configuration, for when it does not run
    #[arg(long)]
    pub config: Option<PathBuf>,
}

/// Judges and prints.
///
/// # Errors
/// [`Failure`] when neither the node nor its files can be asked; without a text and with exit code
/// 1 or 2 when something is yellow or red.
pub async fn run(context: &Context, args: DoctorArgs) -> Result<(), Failure> {
    let context = &context.with(args.profile);
    let (found, online) = match ask(context).await {
        Ok(found) => (found, true),
        Err(failure) => match &args.config {
            Some(path) if failure.exit == Exit::Unreachable || failure.exit == Exit::Local => {
                let config = files::config(path, context.lang)?;
                let found =
                    tokio::task::block_in_place(|| offline::look(&config, &failure, context.lang));
                (found, false)
            }
            Some(_) | None => return Err(failure),
        },
    };
    let worst = found.iter().map(|one| one.level).max().unwrap_or(Level::Green);
    if context.json {
        let findings: Vec<_> = found.iter().map(finding_json).collect();
        let level = level_name(worst);
        context.print_json(&json!({ "level": level, "online": online, "findings": findings }));
    } else {
        if !online {
            let said = context.lang.pick(
                "节点没有应答，以下只据本机文件",
                "the node does not answer; this is from files only",
            );
            println!("{said}\n");
        }
        println!("{}", text(&found, context.lang));
    }
    match worst {
        Level::Green => Ok(()),
        Level::Yellow => Err(Failure::new(Exit::Attention, "YELLOW", "")),
        Level::Red => Err(Failure::new(Exit::Trouble, "RED", "")),
    }
}

async fn ask(context: &Context) -> Result<Vec<Finding>, Failure> {
    let client = context.connect().await?;
    let answer = client.nodes().get_status(pb::GetStatusRequest {}).await;
    let answer = answer.map_err(|status| client.failure(&status))?.into_inner();
    let names = client.names(context.lang).await;
    let status = answer.status.unwrap_or_default();
    let mut found = judge::judge(&status, &names, context.lang);
    if !status.suspensions.is_empty() {
        let held = count_held(&client).await?;
        found.push(judge::held_cases(held, context.lang));
    }
    Ok(found)
}

/// How many cases cannot be written to because of what is suspended, and whether there may be more.
async fn count_held(client: &Client) -> Result<(u32, bool), Failure> {
    let request = pb::ListCasesRequest {
        parent: "agreements/-".to_owned(),
        page_size: 1,
        rests_on_suspended: true,
        ..pb::ListCasesRequest::default()
    };
    let answer = client.cases().list_cases(request).await;
    let page = answer.map_err(|status| client.failure(&status))?.into_inner();
    Ok((page.total_size, page.total_is_partial))
}

/// Findings as a table for people, what is worst first.
#[must_use]
pub fn text(found: &[Finding], lang: Lang) -> String {
    let headers = lang.pick(
        ["状态", "项目", "情况", "最近正常", "下次尝试", "怎么办"],
        ["state", "what", "how it is", "last well", "next try", "what to do"],
    );
    let mut table = table::table(&headers);
    let mut sorted: Vec<&Finding> = found.iter().collect();
    sorted.sort_by_key(|one| std::cmp::Reverse(one.level));
    for one in sorted {
        let subject = match one.subject.as_str() {
            "" => area(one.area, lang).to_owned(),
            subject => format!("{} {}", area(one.area, lang), table::clean(subject)),
        };
        table.add_row([
            level(one.level, lang).to_owned(),
            subject,
            table::clean(&one.what),
            when::time(one.last.as_ref()),
            when::time(one.next.as_ref()),
            one.advice.clone(),
        ]);
    }
    table.to_string()
}

fn finding_json(one: &Finding) -> Value {
    let time = |at: Option<&prost_types::Timestamp>| match at {
        Some(at) => Value::String(when::rfc3339(Some(at))),
        None => Value::Null,
    };
    json!({
        "area": one.area,
        "subject": one.subject,
        "level": level_name(one.level),
        "what": one.what,
        "last_time": time(one.last.as_ref()),
        "next_time": time(one.next.as_ref()),
        "advice": one.advice,
    })
}

const fn level_name(level: Level) -> &'static str {
    match level {
        Level::Green => "green",
        Level::Yellow => "yellow",
        Level::Red => "red",
    }
}

const fn level(level: Level, lang: Lang) -> &'static str {
    let (zh, en) = match level {
        Level::Green => ("正常", "green"),
        Level::Yellow => ("留意", "yellow"),
        Level::Red => ("处理", "red"),
    };
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

fn area(area: &str, lang: Lang) -> &str {
    let (zh, en) = match area {
        "node" => ("节点", "node"),
        "disk" => ("磁盘", "disk"),
        "journal" => ("记录数据", "records"),
        "scrub" => ("数据巡检", "data check"),
        "views" => ("查询数据", "views"),
        "guard" => ("副本标记", "guard"),
        "clock" => ("时钟", "clock"),
        "certificate" => ("证书", "certificate"),
        "link" => ("连接", "link"),
        "log" => ("记录", "records of"),
        "recovery" => ("恢复", "recovery"),
        "receipts" => ("系统送达", "held elsewhere"),
        "audit" => ("审计", "audit"),
        "suspension" => ("暂停", "suspended"),
        "cases" => ("案件", "cases"),
        "evidence" => ("证据文件", "evidence files"),
        "calendar" => ("工作日历", "workdays"),
        "hook" => ("事项提醒", "nudges"),
        "task" => ("任务", "task"),
        other => (other, other),
    };
    lang.pick(zh, en)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worst_comes_first_and_other_peoples_text_is_harmless() {
        let found = [
            Finding::green("disk", "fine"),
            Finding::green("link", "\u{1b}[2J").of("邯郸").at(Level::Red, "call"),
            Finding::green("clock", "off").at(Level::Yellow, "set it"),
        ];
        let text = text(&found, Lang::En);
        let (red, yellow, green) =
            (text.find("red"), text.find("yellow"), text.find("green").unwrap());
        assert!(red < yellow && yellow < Some(green), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
