//! `liandong case import`: cases from a file of the own system, row by row.
//!
//! In scope: arguments, the node called over the network, what is printed. Out of scope: what
//! becomes of each row ([`crate::import`]).

use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use tonic::{Response, Status};

use super::write::WriteArgs;
use super::{Session, name};
use crate::cli::failure::{Exit, Failure};
use crate::cli::report::{Of, Told};
use crate::cli::{sheet_file, status_text};
use crate::import::encoding::Encoding;
use crate::import::rows::{Form, Rows};
use crate::import::{Asked, Calls, Import, SYSTEM, Stopped, heading};
use crate::lang::Lang;
use crate::limits::IMPORT_ROWS_MAX;
use crate::shown::names::Names;
use crate::shown::table::Wrong;
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct ImportArgs {
    /// CSV 或 NDJSON 文件 · file, .csv or .ndjson
    #[arg(value_name = "FILE", required_unless_present = "template")]
    pub file: Option<PathBuf>,
    /// 只检查，不登记 · check everything, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// 文件编码 · how the file is written
    #[arg(long, value_enum, default_value = "auto")]
    pub encoding: Encoding,
    /// 各行未写协议时所属的联动协议 · agreement of rows that name none
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 各行未写自有系统时的系统名称 · own system of rows that name none
    #[arg(long, value_name = "NAME", default_value = SYSTEM)]
    pub system: String,
    /// 系统代办时的执法证号 · officer a system acts for
    #[arg(long, value_name = "CERTIFICATE")]
    pub acting_for: Option<String>,
    /// 打印表头（空白模板） · print the headings
    #[arg(long, conflicts_with_all = ["file", "dry_run"])]
    pub template: bool,
}

/// Imports.
///
/// # Errors
/// [`Failure`] when the file cannot be used, a row was refused, or the node stopped answering;
/// what was done until then is printed first.
pub async fn run(session: &Session, args: ImportArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    let path = args.file.clone().unwrap_or_default();
    let form = form(&path, lang)?;
    let (file, bytes) = sheet_file::open(&path, lang)?;
    let unusable = |wrong: Wrong| sheet_file::unusable(&path, &wrong, lang);
    let form = (form, args.encoding);
    let mut rows = Rows::whole(file, form, IMPORT_ROWS_MAX, lang).map_err(unusable)?;
    let bar = ProgressBar::new(bytes);
    let write = WriteArgs { request_id: None, acting_for: args.acting_for };
    let asked = Asked {
        dry_run: args.dry_run,
        agreement: args.agreement,
        system: args.system,
        acting_for: write.acting_for(),
    };
    let mut told = Told::new(&path, rows.encoding, args.dry_run, Of::Cases);
    let read = |bytes| bar.set_position(bytes);
    let done = Import::new(session, &asked).all(&mut rows, &mut told.report, &read).await;
    bar.finish_and_clear();
    if session.context.json {
        session.context.print_json(&told.json());
    } else {
        print!("{}", told.text(lang));
    }
    let Err(stopped) = done else { return told.verdict(lang) };
    let failure = match stopped {
        Stopped::Answer { status, wrote } => failure(session, &status, wrote),
        Stopped::Node(wrong) => {
            Failure::new(Exit::Refused, &wrong.reason, wrong.what).advise(wrong.advice)
        }
        Stopped::Sheet(wrong) => unusable(wrong),
    };
    Err(told.stopped(failure, lang))
}

/// By the name of the file.
fn form(path: &Path, lang: Lang) -> Result<Form, Failure> {
    let ending = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    match ending.as_deref() {
        Some("csv") => Ok(Form::CSV),
        Some("ndjson" | "jsonl") => Ok(Form::Lines),
        Some(_) | None => {
            let shown = path.display();
            Err(Failure::local(lang.pick(
                format!("{shown}：文件名应以 .csv 或 .ndjson 结尾"),
                format!("{shown}: the name must end in .csv or .ndjson"),
            )))
        }
    }
}

fn failure(session: &Session, status: &Status, wrote: bool) -> Failure {
    let (lang, dial) = (session.context.lang, session.client.last_dial());
    if wrote {
        let retry = lang.pick("同一文件", "the same file");
        status_text::write_failure(status, dial.as_ref(), retry, lang)
    } else {
        status_text::failure(status, dial.as_ref(), lang)
    }
}

impl Calls for Session {
    fn lang(&self) -> Lang {
        self.context.lang
    }

    fn names(&self) -> &Names {
        &self.names
    }

    fn own_city(&self) -> u32 {
        self.client.me.node_city
    }

    async fn agreements(&self) -> Result<Vec<pb::Agreement>, Status> {
        name::all(self).await
    }

    async fn list_cases(
        &self,
        request: pb::ListCasesRequest,
    ) -> Result<Response<pb::ListCasesResponse>, Status> {
        self.client.cases().list_cases(request).await
    }

    async fn history(
        &self,
        request: pb::GetCaseHistoryRequest,
    ) -> Result<Response<pb::GetCaseHistoryResponse>, Status> {
        self.client.cases().get_case_history(request).await
    }

    async fn create_case(
        &self,
        request: pb::CreateCaseRequest,
    ) -> Result<Response<pb::CreateCaseResponse>, Status> {
        self.client.cases().create_case(request).await
    }

    fn refused(&self, status: &Status) -> Wrong {
        refused(&failure(self, status, false), |field| heading(field, self.context.lang))
    }
}

/// A refusal of the node at the column of the first field it names that has one.
pub(in crate::cli) fn refused(failure: &Failure, heading: impl Fn(&str) -> &'static str) -> Wrong {
    let fields = failure.details.iter().filter_map(|line| line.split_once([':', ' ']));
    let column = fields.map(|(field, _)| heading(field)).find(|column| !column.is_empty());
    let what = std::iter::once(&failure.what).chain(&failure.details);
    let what = what.map(String::as_str).collect::<Vec<_>>().join("；");
    Wrong::new(&failure.reason, what, failure.advice.join("；")).at(column.unwrap_or_default())
}
