//! `liandong plan export-draw`: the draw of a plan as a file that anybody can work out again.
//!
//! In scope: writing it. Out of scope: its form ([`crate::shown::draw`]), working it out
//! ([`super::verify_draw`]).

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::read;
use crate::cli::case::Session;
use crate::cli::case::export::target::Target;
use crate::cli::failure::{Exit, Failure};
use crate::lang::Lang;
use crate::shown::draw::Published;

/// Arguments.
#[derive(Args, Debug)]
pub struct ExportDrawArgs {
    /// 方案号、编号前几位或全名 · its number, the beginning of its id, or its name
    #[arg(value_name = "PLAN")]
    pub plan: String,
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
/// [`Failure`] when nothing is drawn yet, or the file cannot be written.
pub async fn run(session: &Session, args: ExportDrawArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    let plan = read(session, &args.plan).await?.plan.unwrap_or_default();
    let drawn = Published::of(&plan).ok_or_else(|| not_drawn(lang))?;
    let text = drawn.text();
    let Some(path) = &args.out else {
        print!("{text}");
        return Ok(());
    };
    let mut target = Target::file(path, args.force, lang)?;
    target.put(&text)?;
    target.finish()?;
    let shown = path.display().to_string();
    match session.context.json {
        true => session.context.print_json(&json!({ "file": shown })),
        false => {
            println!("{}", lang.pick(format!("已写入 {shown}"), format!("written: {shown}")));
            println!("{}", drawn.of_officers(lang));
        }
    }
    Ok(())
}

fn not_drawn(lang: Lang) -> Failure {
    let failure = Failure::new(
        Exit::Refused,
        "NOT_DRAWN",
        lang.pick(
            "这个方案没有可导出的抽取结果".to_owned(),
            "nothing is drawn in this plan that could be exported".to_owned(),
        ),
    );
    failure.advise(lang.pick(
        "双随机方案排定并由各市公开随机数后再导出",
        "export it once the plan is settled and all cities have shown their parts",
    ))
}
