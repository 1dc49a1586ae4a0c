//! `liandong case export`: cases into a file that a spreadsheet opens and import reads.
//!
//! In scope: which cases, and the file. Out of scope: the form of a row ([`super::sheet`]).
//!
//! Cases are read page by page; each is as it was when its page was read. What is opened meanwhile
//! is not among them. Personal data may be in the file: only its owner can read it.
//!
//! Invariants:
//! 1. What is exported is read back as it was. (`what_is_exported_can_be_imported`)
//! 2. The file is there whole or not at all; nothing is overwritten unless asked, and no link is
//!    followed. (`nothing_is_overwritten_and_no_link_followed`)

use std::collections::HashSet;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use indicatif::ProgressBar;
use serde_json::json;

use super::campaign::Known;
use super::list::FilterArgs;
use super::{Session, patient};
use crate::cli::failure::Failure;
use crate::import::Calls;
use crate::limits::PAGE_SIZE_MAX;
use crate::shown::table::csv;
use crate::shown::table::written::{self, Beside};
use crate::wire::pb::v1 as pb;

pub(in crate::cli) mod target;

use target::Target;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct ExportArgs {
    /// CSV，WPS 和 Excel 可直接打开 · for spreadsheets
    #[arg(long, required_unless_present = "ndjson", conflicts_with = "ndjson")]
    pub csv: bool,
    /// NDJSON，每行一件，供程序使用 · one case a line, for programs
    #[arg(long)]
    pub ndjson: bool,
    /// Which cases.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// 写入此文件（默认写到标准输出） · file to write; standard output when absent
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// 文件已存在时覆盖 · replace a file that is there
    #[arg(long, requires = "out")]
    pub force: bool,
}

/// What was written.
#[derive(Default)]
struct Count {
    cases: u64,
    /// Cases with an entry that no other city is known to hold.
    only_here: u64,
    misfits: u64,
}

/// Exports.
///
/// # Errors
/// [`Failure`] when the file cannot be written or the node refuses; then there is no file.
pub async fn run(session: &Session, args: ExportArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    let mut target = match &args.out {
        Some(path) => Target::file(path, args.force, lang)?,
        None if std::io::stdout().is_terminal() => {
            let what = lang.pick("内容不宜直接显示在终端上", "this is not for a terminal");
            return Err(Failure::usage(what).advise(lang.pick("加 --out 文件", "use --out FILE")));
        }
        None => Target::stdout(lang),
    };
    let mut request = args.filter.request(session).await?;
    request.page_size = i32::try_from(PAGE_SIZE_MAX).unwrap_or(i32::MAX);
    if args.csv {
        target.put(&format!("\u{feff}{}", csv::line(&written::headings(lang))))?;
    }
    let campaigns = Known::ask(&session.client).await?;
    let bar = ProgressBar::new(0);
    let (mut count, mut seen) = (Count::default(), HashSet::new());
    loop {
        let answer = patient(|| session.list_cases(request.clone())).await;
        let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
        bar.set_length(u64::from(page.total_size));
        for case in page.cases {
            if seen.insert(case.name.clone()) {
                one(session, &case, (args.csv, &campaigns), &mut target, &mut count).await?;
                bar.inc(1);
            }
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    bar.finish_and_clear();
    target.finish()?;
    if args.out.is_some() {
        told(session, &args, &count);
    }
    Ok(())
}

async fn one(
    session: &Session,
    case: &pb::Case,
    (csv, campaigns): (bool, &Known),
    target: &mut Target,
    count: &mut Count,
) -> Result<(), Failure> {
    let mut beside = beside(session, case).await?;
    beside.campaigns = campaigns.words(&case.campaigns, session.context.lang);
    count.cases += 1;
    count.only_here += u64::from(beside.only_here > 0);
    count.misfits += u64::from(case.misfit_count > 0);
    let value = written::value(case, &beside, &session.names);
    target.put(&if csv {
        csv::line(&written::cells(&value, &session.names, session.context.lang))
    } else {
        format!("{value}\n")
    })
}

/// What of a case stands only in its history.
async fn beside(session: &Session, case: &pb::Case) -> Result<Beside, Failure> {
    let own = session.client.me.node_city;
    let (mut beside, mut page_token) = (Beside::default(), String::new());
    loop {
        let request = pb::GetCaseHistoryRequest {
            name: case.name.clone(),
            page_size: i32::try_from(PAGE_SIZE_MAX).unwrap_or(i32::MAX),
            page_token,
        };
        let answer = patient(|| session.history(request.clone())).await;
        let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
        beside.take(&page, own);
        if page.next_page_token.is_empty() {
            return Ok(beside);
        }
        page_token = page.next_page_token;
    }
}

/// Says on standard output what lies in the file.
fn told(session: &Session, args: &ExportArgs, count: &Count) {
    let (lang, Count { cases, only_here, misfits }) = (session.context.lang, count);
    let path = args.out.clone().unwrap_or_default();
    if session.context.json {
        session.context.print_json(&json!({
            "file": path.display().to_string(),
            "cases": cases,
            "only_here": only_here,
            "with_misfits": misfits,
        }));
        return;
    }
    let shown = path.display();
    let mut out = std::io::stdout();
    let text = lang.pick(
        format!(
            "已导出 {cases} 件到 {shown}；有仅存本市记录的 {only_here} 件，有未生效操作的 {misfits} 件"
        ),
        format!(
            "{cases} cases in {shown}; {only_here} with entries held only here, {misfits} with \
             entries without effect"
        ),
    );
    // Whoever closed the output does not want to hear it.
    let _ = writeln!(out, "{text}");
}
