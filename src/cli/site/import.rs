//! `liandong site import`: sites from a file, row by row.
//!
//! In scope: what becomes of each row. Out of scope: reading rows ([`super::sheet`]), whether a
//! site is right (the domain and the node).
//!
//! Rows are told apart by credit code, and plants of one enterprise by their names. The same file
//! creates nothing twice; a row that says something else than the site that is here is refused and
//! changes nothing.
//!
//! Invariants:
//! 1. The same file twice creates nothing twice. (`a_file_of_sites_is_imported_once`)
//! 2. `--dry-run` writes nothing. (`a_file_of_sites_is_imported_once`)
//! 3. A file with too many rows does nothing. (`a_file_with_too_many_rows_does_nothing`)

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;

use super::sheet::{self, Column, Draft, Headings};
use super::short;
use crate::cli::case::import::refused;
use crate::cli::case::{Session, name, patient};
use crate::cli::failure::Failure;
use crate::cli::report::{Of, Told};
use crate::cli::{sheet_file, status_text};
use crate::ids::hex;
use crate::import::check_count;
use crate::import::encoding::{self, Encoding, Text};
use crate::import::report::{Line, Outcome, Report};
use crate::lang::Lang;
use crate::limits::IMPORT_ROWS_MAX;
use crate::log::merkle;
use crate::shown::table::Wrong;
use crate::shown::table::csv::{self, Row};
use crate::wire;
use crate::wire::pb::v1 as pb;
use crate::wire::status::{Language, Refused};

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct ImportArgs {
    /// CSV 文件 · file, .csv
    #[arg(value_name = "FILE", required_unless_present = "template")]
    pub file: Option<PathBuf>,
    /// 只检查，不登记 · check everything, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// 文件编码 · how the file is written
    #[arg(long, value_enum, default_value = "auto")]
    pub encoding: Encoding,
    /// 联动协议（只有一个时可省） · the agreement; may be left out if there is only one
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
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
/// [`Failure`] when the file cannot be used, a row was refused, or the node stopped answering; what
/// was done until then is printed first.
pub async fn run(session: &Session, args: ImportArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    let path = args.file.clone().unwrap_or_default();
    let parent = name::agreement(session, args.agreement.as_deref()).await?;
    let (file, bytes) = sheet_file::open(&path, lang)?;
    // All of them before the first one is used: a file is taken as a whole or not at all.
    let (mut rows, headings, encoding) = open(&path, &file, args.encoding, lang)?;
    let count = count(&mut rows, &headings, lang).map_err(|error| unread(&path, &error, lang))?;
    check_count(count, IMPORT_ROWS_MAX, lang)
        .map_err(|wrong| sheet_file::unusable(&path, &wrong, lang))?;
    let (mut rows, headings, encoding) = open(&path, &file, encoding, lang)?;
    let bar = ProgressBar::new(bytes);
    let mut told = Told::new(&path, encoding, args.dry_run, Of::Sites);
    let mut import =
        Import { session, args: &args, parent, seen: HashSet::new(), codes: HashSet::new() };
    let stopped = import.all(&mut rows, &headings, &mut told.report, &bar).await.err();
    bar.finish_and_clear();
    if session.context.json {
        session.context.print_json(&told.json());
    } else {
        print!("{}", told.text(lang));
    }
    match stopped {
        Some(failure) => Err(told.stopped(failure, lang)),
        None => told.verdict(lang),
    }
}

fn unread(path: &Path, error: &std::io::Error, lang: Lang) -> Failure {
    let shown = path.display();
    Failure::local(lang.pick(
        format!("{shown}：无法读取（{error}）"),
        format!("{shown}: cannot be read ({error})"),
    ))
}

/// Rows of the file that are not empty.
fn count(
    rows: &mut csv::Rows<Text<&File>>,
    headings: &Headings,
    lang: Lang,
) -> std::io::Result<usize> {
    let mut count = 0;
    while let Some(row) = rows.row()? {
        let is_empty = match row {
            Row::Cells(cells) => headings.site(&cells, lang).is_ok_and(|read| read.is_none()),
            Row::TooLong | Row::Unclosed => false,
        };
        count += usize::from(!is_empty);
    }
    Ok(count)
}

fn open<'a>(
    path: &Path,
    file: &'a File,
    asked: Encoding,
    lang: Lang,
) -> Result<(csv::Rows<Text<&'a File>>, Headings, Encoding), Failure> {
    let shown = path.display();
    let text = encoding::open(file, asked, lang);
    let text = text.map_err(|wrong| sheet_file::unusable(path, &wrong, lang))?;
    let (in_doubt, encoding) = (text.in_doubt, text.encoding);
    let mut rows = csv::Rows::new(text);
    let first = rows.row().map_err(|error| unread(path, &error, lang))?;
    let Some(Row::Cells(first)) = first else {
        return Err(Failure::local(
            lang.pick(format!("{shown}：没有表头"), format!("{shown}: has no headings")),
        ));
    };
    let headings = Headings::read(&first, lang)?;
    if in_doubt && !Headings::prove_chinese(&first) {
        return Err(Failure::local(lang.pick(
            format!("{shown}：不是 UTF-8，也没有中文表头可以核实编码"),
            format!("{shown}: is not UTF-8, and no Chinese heading proves what it is"),
        ))
        .advise(lang.pick("确认后加 --encoding gb18030", "if sure, use --encoding gb18030")));
    }
    Ok((rows, headings, encoding))
}

struct Import<'a> {
    session: &'a Session,
    args: &'a ImportArgs,
    parent: String,
    /// Request ids of rows before.
    seen: HashSet<String>,
    /// Credit codes of rows before.
    codes: HashSet<String>,
}

/// What stops a row: itself, or something that stops all.
enum Stop {
    Row(Wrong),
    All(Failure),
}

impl From<Wrong> for Stop {
    fn from(wrong: Wrong) -> Self {
        Self::Row(wrong)
    }
}

impl Import<'_> {
    async fn all(
        &mut self,
        rows: &mut csv::Rows<Text<&File>>,
        headings: &Headings,
        report: &mut Report,
        bar: &ProgressBar,
    ) -> Result<(), Failure> {
        let (lang, mut number) = (self.session.context.lang, 1);
        let path = self.args.file.clone().unwrap_or_default();
        loop {
            number += 1;
            report.reached = number;
            let row = rows.row().map_err(|error| unread(&path, &error, lang))?;
            let Some(row) = row else { return Ok(()) };
            bar.set_position(rows.text().position());
            let read = match row {
                Row::Cells(cells) => headings.site(&cells, lang).transpose(),
                Row::TooLong | Row::Unclosed => Some(Err(Wrong::new(
                    "ROW_TOO_LONG",
                    lang.pick(
                        "此行过长，或引号没有配对",
                        "the row is too long, or a quote is open",
                    ),
                    lang.pick("检查此行的引号", "look for a quote that is not closed"),
                ))),
            };
            let Some(read) = read else { continue };
            let mut line = Line { row: number, ..Line::default() };
            let outcome = match read {
                Ok(draft) => self.one(draft, &mut line).await,
                Err(wrong) => Err(Stop::Row(wrong)),
            };
            line.outcome = match outcome {
                Ok(outcome) => outcome,
                Err(Stop::Row(wrong)) => Outcome::Refused(wrong),
                Err(Stop::All(failure)) => return Err(failure),
            };
            report.lines.push(line);
        }
    }

    async fn one(&mut self, draft: Draft, line: &mut Line) -> Result<Outcome, Stop> {
        let lang = self.session.context.lang;
        line.external.number.clone_from(&draft.record.uscc);
        let chosen = self.session.names.agreement(&self.parent);
        if !draft.agreement.is_empty() && ![&chosen, &self.parent].contains(&&draft.agreement) {
            return Err(elsewhere(&chosen, lang).into());
        }
        // As the node keeps it, so that space around a text is no difference.
        let facts = wire::site::facts(Some(&draft.facts)).map_err(|r| self.refused(&r))?;
        let record = wire::site::record(Some(&draft.record)).map_err(|r| self.refused(&r))?;
        let (facts, record) = (wire::site::facts_to_pb(&facts), wire::site::record_to_pb(&record));
        let request_id = request_id(&self.parent, &record);
        if !self.seen.insert(request_id.clone()) {
            return Err(twice(lang).into());
        }
        let is_first = self.codes.insert(record.uscc.clone());
        let found = self.known(&record, draft.another_plant).await?;
        if let Some(site) = found {
            line.name.clone_from(&site.name);
            line.number = short(&site.name).to_owned();
            let same = site.facts.as_ref() == Some(&facts) && site.record.as_ref() == Some(&record);
            return if same { Ok(Outcome::Existing) } else { Err(changed(line, lang).into()) };
        }
        if !is_first && !draft.another_plant {
            // What the row before it will be, in a dry run, is not there yet.
            return Err(same_code(lang).into());
        }
        let certificate = self.args.acting_for.clone();
        let request = pb::CreateSiteRequest {
            parent: self.parent.clone(),
            facts: Some(facts),
            record: Some(record),
            another_plant: draft.another_plant,
            request_id,
            acting_for: certificate.map(|number| pb::ActingFor { certificate_number: number }),
            validate_only: self.args.dry_run,
        };
        let answer = patient(|| {
            let (mut sites, request) = (self.session.client.sites(), request.clone());
            async move { sites.create_site(request).await }
        });
        let done = answer.await.map_err(|status| self.stop(&status))?.into_inner();
        let Some(site) = done.site else { return Ok(Outcome::Valid) };
        line.number = short(&site.name).to_owned();
        line.name = site.name;
        let before = done.receipt.is_some_and(|receipt| receipt.replayed);
        Ok(if before { Outcome::Existing } else { Outcome::Created })
    }

    /// The own site that a row is about, if it is here: of several plants the one of this name.
    async fn known(
        &self,
        record: &pb::SiteRecord,
        another_plant: bool,
    ) -> Result<Option<pb::Site>, Stop> {
        let request = pb::ListSitesRequest {
            parent: self.parent.clone(),
            page_size: 200,
            city: self.session.client.me.node_city,
            uscc: record.uscc.clone(),
            ..pb::ListSitesRequest::default()
        };
        let answer = patient(|| {
            let (mut sites, request) = (self.session.client.sites(), request.clone());
            async move { sites.list_sites(request).await }
        });
        let page = answer.await.map_err(|status| self.stop(&status))?.into_inner();
        let is_it = |site: &pb::Site| site.record.as_ref().is_some_and(|r| r.name == record.name);
        let mut sites = page.sites;
        if let Some(at) = sites.iter().position(is_it) {
            return Ok(Some(sites.swap_remove(at)));
        }
        Ok(if another_plant { None } else { sites.pop() })
    }

    fn refused(&self, refused: &Refused) -> Stop {
        let lang = self.session.context.lang;
        let status = refused.status(lang.pick(Language::Zh, Language::En));
        Stop::Row(named(&status_text::failure(&status, None, lang), lang))
    }

    /// What a node's answer stops. Only what the row itself says is the row's fault.
    fn stop(&self, status: &tonic::Status) -> Stop {
        use tonic::Code::{AlreadyExists, FailedPrecondition, InvalidArgument};
        let (lang, dial) = (self.session.context.lang, self.session.client.last_dial());
        let retry = lang.pick("同一文件", "the same file");
        let failure = status_text::write_failure(status, dial.as_ref(), retry, lang);
        let of_all = ["NO_LOG", "EPOCH_NEEDED", "ACTING_FOR_REQUIRED"];
        let of_row = matches!(status.code(), InvalidArgument | FailedPrecondition | AlreadyExists)
            && !of_all.contains(&failure.reason.as_str());
        if of_row { Stop::Row(named(&failure, lang)) } else { Stop::All(failure) }
    }
}

/// A refusal with its field's column, where it names one.
fn named(failure: &Failure, lang: Lang) -> Wrong {
    refused(failure, |field| Column::of_field(field).map_or("", |column| column.heading(lang)))
}

fn twice(lang: Lang) -> Wrong {
    Wrong::new(
        "DUPLICATE",
        lang.pick("与前面一行是同一企业、同一名称", "has the code and name of a row before"),
        lang.pick("保留一行", "keep one of them"),
    )
}

fn same_code(lang: Lang) -> Wrong {
    Wrong::new(
        "CHANGED",
        lang.pick(
            "与前面一行信用代码相同，名称不同",
            "has the code of a row before, and another name",
        ),
        lang.pick("确是另一厂区的，“另一厂区”填“是”", "of another plant say yes in that column"),
    )
    .at(Column::of_field("another_plant").map_or("", |column| column.heading(lang)))
}

/// Who may see a site of one agreement may be no member of another.
fn elsewhere(chosen: &str, lang: Lang) -> Wrong {
    Wrong::new(
        "AGREEMENT_OTHER",
        lang.pick(
            format!("此行属于其他联动协议，本次登记到“{chosen}”"),
            format!("the row is of another agreement than {chosen:?}"),
        ),
        lang.pick(
            "分协议导入；确要登记到本协议的，清空此格",
            "import each agreement by itself; empty the cell if it is meant for this one",
        ),
    )
    .at(lang.pick(sheet::AGREEMENT, "agreement"))
}

fn changed(line: &Line, lang: Lang) -> Wrong {
    let number = &line.number;
    Wrong::new(
        "CHANGED",
        lang.pick(
            format!("已登记为 {number}，但内容不同；未改动"),
            format!("is {number} already, with other content; nothing was changed"),
        ),
        lang.pick(
            "要修改的用 liandong site change；确是另一厂区的，“另一厂区”填“是”",
            "change it with liandong site change; of another plant say yes in that column",
        ),
    )
}

/// The same row has the same request id, also in another file.
fn request_id(parent: &str, record: &pb::SiteRecord) -> String {
    let fields = ["site import", parent, &record.uscc, &record.name].join("\0");
    let digest = merkle::digest(fields.as_bytes());
    hex(digest.as_bytes().get(..16).unwrap_or_default())
}
