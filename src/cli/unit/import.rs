//! `liandong unit busy import`: busy times of a calendar file.
//!
//! In scope: what is sent of a file, and showing it first. Out of scope: reading the file
//! ([`super::ics`]). What is sent are half days; titles stay here.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::busy::now_ms;
use super::ics::{self, Broken, Busy, Calendar};
use super::{book, name, shape};
use crate::cli::case::Session;
use crate::cli::case::write::WriteArgs;
use crate::cli::failure::{Exit, Failure};
use crate::cli::table;
use crate::domain::unit::calendar;
use crate::domain::{Date, HalfDay, Language, Period};
use crate::lang::Lang;
use crate::limits::{ICS_BYTES_MAX, UNIT_PERIODS_MAX};
use crate::wire::unit::period_to_pb;

/// Arguments of an import.
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// 日历文件 · the calendar file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// 占用的是谁：证号、牌号、编号 · whose times they are: number, or beginning of an id
    #[arg(long, value_name = "UNIT", required_unless_present = "whole_city")]
    pub unit: Option<String>,
    /// 占用的是全市 · they are of the whole city
    #[arg(long, conflicts_with = "unit")]
    pub whole_city: bool,
    /// 联动协议（全市占用时，只有一个时可省） · the agreement, for the whole city
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 只显示将登记的占用，不写入 · only show what would be blocked
    #[arg(long)]
    pub dry_run: bool,
    /// 读不懂的日程略过（默认一条也不写入） · leave out events that cannot be read
    #[arg(long)]
    pub skip: bool,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Imports a file, or shows what would be imported.
///
/// # Errors
/// [`Failure`] when the file cannot be read, when an event of it cannot, or when the node refuses.
pub async fn run(session: &Session, args: ImportArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    let calendar = open(&args.file, lang)?;
    let today = Date::beijing(now_ms()).ok_or_else(|| Failure::local("no date"))?;
    let coming = coming(&calendar.busy, today);
    let periods = merged(&coming);
    if args.dry_run {
        show(session, &calendar, &coming, &periods);
        return match calendar.unread.is_empty() || args.skip {
            true => Ok(()),
            false => Err(unread(&calendar, lang)),
        };
    }
    if !calendar.unread.is_empty() && !args.skip {
        return Err(unread(&calendar, lang));
    }
    if periods.is_empty() {
        return Err(Failure::local(lang.pick(
            "文件中没有今天及以后的占用时段",
            "the file has nothing that is busy today or later",
        )));
    }
    let unit = if args.whole_city { "全市" } else { args.unit.as_deref().unwrap_or_default() };
    let name = name(session, unit, args.agreement.as_deref()).await?;
    let request_id = args.write.request_id();
    for (nth, some) in periods.chunks(UNIT_PERIODS_MAX).enumerate() {
        // The first one is named as the import is, so that a small file is one request.
        let id = if nth == 0 { request_id.clone() } else { format!("{request_id}-{nth}") };
        let asked = (true, some);
        let sent = book::send(session, &name, asked, (&id, args.write.acting_for())).await;
        sent.map_err(|status| book::failed(session, &status, &request_id))?;
    }
    done(session, &periods, &request_id);
    Ok(())
}

fn open(file: &std::path::Path, lang: Lang) -> Result<Calendar, Failure> {
    let shown = file.display();
    let cannot = |error: &dyn std::fmt::Display| {
        Failure::local(lang.pick(format!("{shown}：{error}"), format!("{shown}: {error}")))
    };
    let size = std::fs::metadata(file).map_err(|error| cannot(&error))?.len();
    if size > ICS_BYTES_MAX {
        let mib = ICS_BYTES_MAX / 1024 / 1024;
        return Err(cannot(&lang.pick(format!("超过 {mib} MiB"), format!("over {mib} MiB"))));
    }
    let bytes = std::fs::read(file).map_err(|error| cannot(&error))?;
    ics::read(&bytes).map_err(|broken| match broken {
        Broken::Utf8 => cannot(&lang.pick("不是 UTF-8 编码", "not UTF-8")),
        Broken::Grammar => cannot(&lang.pick("不是日历文件（.ics）", "not a calendar file (.ics)")),
    })
}

/// What of it lies today or later.
fn coming(busy: &[Busy], today: Date) -> Vec<Busy> {
    let begins = HalfDay::morning(today);
    let of = |one: &Busy| Busy { first: one.first.max(begins), ..one.clone() };
    busy.iter().filter(|one| one.last >= begins).map(of).collect()
}

/// Each half day once, in order.
fn merged(busy: &[Busy]) -> Vec<Period> {
    let mut all: Vec<(i64, i64)> =
        busy.iter().map(|one| (one.first.number(), one.last.number())).collect();
    all.sort_unstable();
    let mut stretches = Vec::new();
    all.into_iter().for_each(|one| calendar::join(&mut stretches, one));
    calendar::periods(&stretches)
}

fn unread(calendar: &Calendar, lang: Lang) -> Failure {
    let what = lang.pick(
        format!("有 {} 条日程读不懂，未写入任何内容", calendar.unread.len()),
        format!("{} events could not be read; nothing was written", calendar.unread.len()),
    );
    let advice = lang.pick(
        "请在日历中改正后重新导出；确认可以不管的，加 --skip",
        "correct and export them again, or leave them out with --skip",
    );
    let mut failure = Failure::new(Exit::Local, "ICS_UNREAD", what).advise(advice);
    let line =
        |(title, why): &(String, ics::Why)| format!("{}: {}", table::clean(title), why.text(lang));
    failure.details.extend(calendar.unread.iter().map(line));
    failure
}

/// What would be blocked: event by event, then all of it.
fn show(session: &Session, calendar: &Calendar, coming: &[Busy], periods: &[Period]) {
    let lang = session.context.lang;
    if session.context.json {
        // No titles here either: what a program reads may go anywhere.
        session.context.print_json(&json!({
            "periods": shapes(periods),
            "events": coming.len(),
            "past": calendar.busy.len() - coming.len(),
            "free": calendar.free,
            "unread": calendar.unread.len(),
        }));
    } else {
        print!("{}", text(calendar, coming, periods, lang));
    }
}

fn shapes(periods: &[Period]) -> Vec<serde_json::Value> {
    periods.iter().map(|one| shape::period(&period_to_pb(*one))).collect()
}

fn text(calendar: &Calendar, coming: &[Busy], periods: &[Period], lang: Lang) -> String {
    let language = lang.pick(Language::Zh, Language::En);
    let mut lines =
        table::table(&lang.pick(["日程（不发出）", "占用时段"], ["event (not sent)", "busy"]));
    for one in coming {
        let period = calendar::periods(&[(one.first.number(), one.last.number())]);
        let busy: Vec<String> = period.iter().map(|one| one.text(language)).collect();
        lines.add_row([table::clean(&one.title), busy.join(lang.pick("、", ", "))]);
    }
    let mut out = format!("{lines}\n");
    let (past, free) = (calendar.busy.len() - coming.len(), calendar.free);
    out.push_str(&lang.pick(
        format!("将登记占用 {} 段；已过去 {past} 条、空闲或取消 {free} 条不计：\n", periods.len()),
        format!("{} periods would be blocked; {past} past, {free} free:\n", periods.len()),
    ));
    for period in periods {
        out.push_str(&format!("  {}\n", period.text(language)));
    }
    out
}

fn done(session: &Session, periods: &[Period], request_id: &str) {
    let lang = session.context.lang;
    if session.context.json {
        session.context.print_json(&json!({
            "periods": shapes(periods),
            "request_id": request_id,
        }));
        return;
    }
    let count = periods.len();
    println!("{}", lang.pick(format!("已登记占用 {count} 段"), format!("{count} periods blocked")));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(title: &str, first: &str, last: &str) -> Busy {
        let at = |text: &str| text.parse().unwrap();
        Busy { title: title.to_owned(), first: at(first), last: at(last) }
    }

    #[test]
    fn what_would_be_blocked_is_shown_row_by_row() {
        let all = vec![
            busy("例会\u{1b}[2J", "2026-07-03 AM", "2026-07-03 AM"),
            busy("培训", "2026-07-03 PM", "2026-07-05 PM"),
            busy("早先", "2026-06-01 AM", "2026-06-01 AM"),
            busy("跨今天", "2026-06-30 PM", "2026-07-02 AM"),
            busy("又一件", "2026-07-10 AM", "2026-07-10 PM"),
        ];
        let calendar = Calendar { busy: all, free: 2, unread: Vec::new() };
        let coming = coming(&calendar.busy, "2026-07-02".parse().unwrap());
        let said = text(&calendar, &coming, &merged(&coming), Lang::Zh);
        let shown = "\
| 日程（不发出） | 占用时段                         |
|----------------|----------------------------------|
| 例会\u{fffd}[2J       | 2026-07-03上午                   |
| 培训           | 2026-07-03下午 至 2026-07-05下午 |
| 跨今天         | 2026-07-02上午                   |
| 又一件         | 2026-07-10                       |
将登记占用 3 段；已过去 1 条、空闲或取消 2 条不计：
  2026-07-02上午
  2026-07-03上午 至 2026-07-05下午
  2026-07-10
";
        assert_eq!(said, shown);
    }
}
