//! `liandong site export`: sites into a file that a spreadsheet opens and import reads.
//!
//! In scope: which sites, and the file. Out of scope: the form of a row ([`super::sheet`]).

use std::collections::HashSet;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use serde_json::json;

use super::list::FilterArgs;
use super::sheet;
use crate::cli::case::export::target::Target;
use crate::cli::case::{Session, patient};
use crate::cli::failure::Failure;
use crate::limits::PAGE_SIZE_MAX;
use crate::shown::table::csv;
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct ExportArgs {
    /// CSV，WPS 和 Excel 可直接打开 · for spreadsheets
    #[arg(long, required = true)]
    pub csv: bool,
    /// Which sites.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// 写入此文件（默认写到标准输出） · file to write; standard output when absent
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// 文件已存在时覆盖 · replace a file that is there
    #[arg(long, requires = "out")]
    pub force: bool,
}

/// An enterprise in the agreement and the city of one of its sites.
fn enterprise(site: &pb::Site) -> (String, u32, String) {
    let parent = site.name.split_once("/sites/").map_or("", |(parent, _)| parent);
    let uscc = site.record.as_ref().map(|record| record.uscc.clone());
    // One without its record is of no enterprise that is known.
    (parent.to_owned(), site.city, uscc.unwrap_or_else(|| site.name.clone()))
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
    target.put(&format!("\u{feff}{}", csv::line(&sheet::headings(lang))))?;
    let (mut seen, mut enterprises) = (HashSet::new(), HashSet::new());
    loop {
        let answer = patient(|| {
            let (mut sites, request) = (session.client.sites(), request.clone());
            async move { sites.list_sites(request).await }
        });
        let page = answer.await.map_err(|status| session.client.failure(&status))?.into_inner();
        for site in page.sites {
            if seen.insert(site.name.clone()) {
                let another = !enterprises.insert(enterprise(&site));
                target.put(&csv::line(&sheet::row(&site, another, &session.names, lang)))?;
            }
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    target.finish()?;
    let Some(path) = &args.out else { return Ok(()) };
    let (sites, shown) = (seen.len(), path.display());
    if session.context.json {
        session.context.print_json(&json!({ "file": shown.to_string(), "sites": sites }));
        return Ok(());
    }
    let text = lang
        .pick(format!("已导出 {sites} 个检查对象到 {shown}"), format!("{sites} sites in {shown}"));
    // Whoever closed the output does not want to hear it.
    let _ = writeln!(std::io::stdout(), "{text}");
    Ok(())
}
