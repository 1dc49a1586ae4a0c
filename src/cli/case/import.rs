//! `liandong case import`: cases from a file of the own system, row by row.
//!
//! In scope: what becomes of each row. Out of scope: reading rows ([`super::sheet`]), whether a
//! case is right (the domain and the node).
//!
//! Rows are told apart by the number in the own system. Its request id follows from that number, so
//! the same file creates nothing twice, also after a lost answer; a row that says something else
//! under a number that is taken is refused and changes nothing.
//!
//! Invariants:
//! 1. The same file twice creates nothing twice. (`a_file_is_imported_once`)
//! 2. `--dry-run` writes nothing. (`a_file_is_imported_once`)

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

use indicatif::ProgressBar;
use serde_json::Value;

use super::draft::{self, Draft, DraftError};
use super::sheet::columns::Column;
use super::sheet::encoding::{self, Encoding};
use super::sheet::{Wrong, csv, written};
use super::write::WriteArgs;
use super::{Session, name, patient};
use crate::cli::failure::{Exit, Failure};
use crate::cli::{status_text, table};
use crate::ids::hex;
use crate::lang::Lang;
use crate::limits::IMPORT_ROWS_MAX;
use crate::log::merkle;
use crate::wire;
use crate::wire::pb::v1 as pb;
use crate::wire::status::{Language, Refused};

mod known;
pub(in crate::cli) mod report;
mod source;

use report::{Line, Of, Outcome, Report};
use source::Rows;

/// What the number of a row is said to be of when the file does not say it.
const SYSTEM: &str = "liandong";

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

/// Prints the headings as a file that a spreadsheet opens.
pub fn template(lang: Lang) {
    let read = |heading: &String| Column::named(heading).is_some_and(Column::is_read);
    let headings: Vec<String> = written::headings(lang).into_iter().filter(read).collect();
    print!("\u{feff}{}", csv::line(&headings));
}

/// Imports.
///
/// # Errors
/// [`Failure`] when the file cannot be used, a row was refused, or the node stopped answering;
/// what was done until then is printed first.
pub async fn run(session: &Session, args: ImportArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    let path = args.file.clone().unwrap_or_default();
    let text = encoding::open(&path, args.encoding, lang)?;
    let encoding = text.encoding;
    let bar = ProgressBar::new(text.bytes);
    let mut rows = Rows::open(&path, text, lang)?;
    let mut import = Import {
        session,
        write: WriteArgs { request_id: None, acting_for: args.acting_for.clone() },
        args: &args,
        agreements: HashMap::new(),
        seen: HashMap::new(),
    };
    let mut report = Report::new(&path, encoding, args.dry_run, Of::Cases);
    let stopped = import.all(&mut rows, &mut report, &bar).await.err();
    bar.finish_and_clear();
    if session.context.json {
        session.context.print_json(&report.json());
    } else {
        print!("{}", report.text(lang));
    }
    match stopped {
        Some(failure) => Err(failure.advise(lang.pick(
            "以上各行已处理；排除故障后对同一文件再执行一次，已登记的不会重复",
            "the rows above are done; run it again with the same file, nothing is done twice",
        ))),
        None => report.verdict(lang),
    }
}

struct Import<'a> {
    session: &'a Session,
    write: WriteArgs,
    args: &'a ImportArgs,
    /// Names of agreements by what rows call them.
    agreements: HashMap<String, String>,
    /// Rows by their request ids.
    seen: HashMap<String, u64>,
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
        rows: &mut Rows,
        report: &mut Report,
        bar: &ProgressBar,
    ) -> Result<(), Failure> {
        let lang = self.session.context.lang;
        let broken = |error: io::Error| {
            Failure::local(
                lang.pick(format!("读取中断（{error}）"), format!("reading broke off ({error})")),
            )
        };
        while let Some((number, value)) = rows.next(lang).map_err(broken)? {
            bar.set_position(rows.bytes());
            if report.lines.len() >= IMPORT_ROWS_MAX as usize {
                return Err(Failure::local(lang.pick(
                    format!("超过 {IMPORT_ROWS_MAX} 行，其余未处理"),
                    format!("more than {IMPORT_ROWS_MAX} rows; the rest was left"),
                )));
            }
            let mut line = Line { row: number, ..Line::default() };
            let outcome = match value {
                Ok(value) => self.one(value, &mut line).await,
                Err(wrong) => Err(Stop::Row(wrong)),
            };
            line.outcome = match outcome {
                Ok(outcome) => outcome,
                Err(Stop::Row(wrong)) => Outcome::Refused(wrong),
                Err(Stop::All(failure)) => return Err(failure),
            };
            report.lines.push(line);
        }
        Ok(())
    }

    async fn one(&mut self, value: Value, line: &mut Line) -> Result<Outcome, Stop> {
        let lang = self.session.context.lang;
        let draft = draft::parse(value).map_err(|error| misshapen(&error, lang))?;
        line.external = self.external(&draft, lang)?;
        let request_id = request_id(&line.external);
        if let Some(before) = self.seen.insert(request_id.clone(), line.row) {
            self.seen.insert(request_id, before);
            return Err(twice(before, lang).into());
        }
        self.check_own(&draft)?;
        let parent = self.parent(&draft).await?;
        let request = pb::CreateCaseRequest {
            parent,
            facts: Some(draft.facts.clone()),
            record: Some(draft.record.clone()),
            person: draft.person.clone(),
            external_ref: Some(line.external.clone()),
            effective_on: draft.reported_on,
            request_id,
            acting_for: self.write.acting_for(),
            validate_only: self.args.dry_run,
        };
        check(&request).map_err(|refused| self.refused(&refused))?;
        if let Some(case) = known::find(self.session, &line.external, &draft.case_id).await? {
            line.number.clone_from(&case.number);
            line.name.clone_from(&case.name);
            let fields = known::differences(self.session, &case, &request).await?;
            return if fields.is_empty() {
                Ok(Outcome::Existing)
            } else {
                Err(known::changed(&case, &fields, lang).into())
            };
        }
        self.create(request, line).await
    }

    async fn create(
        &self,
        request: pb::CreateCaseRequest,
        line: &mut Line,
    ) -> Result<Outcome, Stop> {
        let client = &self.session.client;
        let answer = patient(|| {
            let (mut cases, request) = (client.cases(), request.clone());
            async move { cases.create_case(request).await }
        });
        let done = answer.await.map_err(|status| stop(self.session, &status, true))?.into_inner();
        let Some(case) = done.case else { return Ok(Outcome::Valid) };
        (line.number, line.name) = (case.number, case.name);
        let before = done.receipt.is_some_and(|receipt| receipt.replayed);
        if self.args.dry_run && !before {
            return Err(Stop::All(too_old(&line.number, self.session.context.lang)));
        }
        Ok(if before { Outcome::Existing } else { Outcome::Created })
    }

    /// The number by which the row is known in the own system.
    fn external(&self, draft: &Draft, lang: Lang) -> Result<pb::ExternalRef, Wrong> {
        let given = draft.external_ref.clone().unwrap_or_default();
        let number = if given.number.is_empty() { draft.case_id.clone() } else { given.number };
        if number.trim().is_empty() {
            let column = Column::of_field("external_ref.number").map_or("", |c| c.heading(lang));
            return Err(Wrong::new(
                "REQUIRED",
                lang.pick("没有编号，重复导入时无法辨认", "no number to know the row by"),
                lang.pick("填写自有系统编号", "give its number in your own system"),
            )
            .at(column));
        }
        let system = if given.system.is_empty() { self.args.system.clone() } else { given.system };
        // As the node keeps it: the same number must not be known by two request ids.
        let trimmed = |text: String| text.trim().to_owned();
        Ok(pb::ExternalRef { system: trimmed(system), number: trimmed(number) })
    }

    /// Cases of other cities come from these cities.
    fn check_own(&self, draft: &Draft) -> Result<(), Wrong> {
        let (lang, own) = (self.session.context.lang, self.session.client.me.node_city);
        let Some(other) = draft.originating.filter(|city| city.as_u32() != own) else {
            return Ok(());
        };
        let other = self.session.names.city(other.as_u32());
        let column = Column::of_field("originating_city").map_or("", |c| c.heading(lang));
        Err(Wrong::new(
            "NOT_OWN_CASE",
            lang.pick(
                format!("首报市是{other}，由该市登记后自动到达本市"),
                format!("reported by {other}: that city opens it, and it arrives here by itself"),
            ),
            lang.pick(
                "删去此行；确属本市首报的，清空首报市",
                "take the row out, or clear the cell",
            ),
        )
        .at(column))
    }

    async fn parent(&mut self, draft: &Draft) -> Result<String, Stop> {
        let lang = self.session.context.lang;
        let members: Vec<String> = draft.shared_with.iter().map(u32::to_string).collect();
        let given = draft.agreement.as_ref().or(self.args.agreement.as_ref());
        let key = given.cloned().unwrap_or_else(|| members.join(" "));
        if let Some(known) = self.agreements.get(&key) {
            return Ok(known.clone());
        }
        let found = match given {
            None if !members.is_empty() => {
                name::agreement_of(self.session, &draft.shared_with).await
            }
            given => name::agreement(self.session, given.map(String::as_str)).await,
        };
        let column = Column::of_field("agreement").map_or("", |c| c.heading(lang));
        match found {
            Ok(name) => {
                self.agreements.insert(key, name.clone());
                Ok(name)
            }
            Err(failure) if failure.exit == Exit::Unreachable => Err(Stop::All(failure)),
            Err(failure) => Err(Stop::Row(of_failure(failure).at(column))),
        }
    }

    fn refused(&self, refused: &Refused) -> Wrong {
        let lang = self.session.context.lang;
        let status = refused.status(lang.pick(Language::Zh, Language::En));
        named(status_text::failure(&status, None, lang), lang)
    }
}

/// What the domain says before anything is sent.
fn check(request: &pb::CreateCaseRequest) -> Result<(), Refused> {
    wire::case::facts(request.facts.as_ref())?;
    wire::case::record(request.record.as_ref())?;
    wire::case::person(request.person.as_ref())?;
    wire::case::external_ref(request.external_ref.as_ref())?;
    wire::case::date("effective_on", request.effective_on.as_ref())?;
    Ok(())
}

/// What a node's answer stops. Only what the row itself says is the row's fault.
fn stop(session: &Session, status: &tonic::Status, wrote: bool) -> Stop {
    let (lang, dial) = (session.context.lang, session.client.last_dial());
    let failure = if wrote {
        let retry = lang.pick("同一文件", "the same file");
        status_text::write_failure(status, dial.as_ref(), retry, lang)
    } else {
        status_text::failure(status, dial.as_ref(), lang)
    };
    use tonic::Code::{AlreadyExists, FailedPrecondition, InvalidArgument, NotFound};
    let of_row =
        matches!(status.code(), InvalidArgument | FailedPrecondition | AlreadyExists | NotFound)
            && !["NO_LOG", "EPOCH_NEEDED", "ACTING_FOR_REQUIRED"]
                .contains(&failure.reason.as_str());
    if of_row || failure.reason == "MESSAGE_TOO_LARGE" {
        Stop::Row(named(failure, lang))
    } else {
        Stop::All(failure)
    }
}

/// A node that passes over `validate_only` has written; no second row may follow.
fn too_old(number: &str, lang: Lang) -> Failure {
    let number = table::clean(number);
    let what = lang.pick(
        format!("节点版本较旧，不支持只检查：{number} 已实际登记，其余未处理"),
        format!("the node is too old to check only: {number} was opened, the rest was left"),
    );
    Failure::new(Exit::Refused, "NODE_TOO_OLD", what)
        .advise(lang.pick("请管理员升级节点", "have the node upgraded"))
}

fn of_failure(failure: Failure) -> Wrong {
    let what = std::iter::once(failure.what).chain(failure.details).collect::<Vec<_>>();
    Wrong {
        column: String::new(),
        reason: failure.reason,
        what: what.join("；"),
        advice: failure.advice.join("；"),
    }
}

/// A refusal of the node with its field's column, where it names one.
fn named(failure: Failure, lang: Lang) -> Wrong {
    let fields = failure.details.iter().filter_map(|line| line.split_once([':', ' ']));
    let column = fields.map(|(field, _)| field).find_map(Column::of_field);
    of_failure(failure).at(column.map_or("", |column| column.heading(lang)))
}

fn misshapen(error: &DraftError, lang: Lang) -> Wrong {
    let column = match error {
        DraftError::Value { field, .. } => Column::of_field(field),
        DraftError::Shape(_) | DraftError::Choice { .. } => None,
    };
    Wrong::new(
        "SHAPE",
        lang.pick(format!("内容不能使用：{error}"), format!("cannot be used: {error}")),
        lang.pick("写法见导出的文件", "an export shows how it is written"),
    )
    .at(column.map_or("", |column| column.heading(lang)))
}

fn twice(before: u64, lang: Lang) -> Wrong {
    Wrong::new(
        "DUPLICATE",
        lang.pick(
            format!("与第 {before} 行是同一系统的同一编号"),
            format!("has the same number of the same system as row {before}"),
        ),
        lang.pick("保留一行", "keep one of them"),
    )
}

/// Follows from system and number, and from nothing else.
fn request_id(external: &pb::ExternalRef) -> String {
    let (system, number) = (external.system.as_bytes(), external.number.as_bytes());
    let length = u64::try_from(system.len()).unwrap_or(u64::MAX).to_be_bytes();
    let digest = merkle::digest(&[b"import".as_slice(), &length, system, number].concat());
    format!("import-{}", hex(digest.as_bytes().get(..16).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_a_system_has_one_request_id() {
        let id = |system: &str, number: &str| {
            request_id(&pb::ExternalRef { system: system.to_owned(), number: number.to_owned() })
        };
        assert_eq!(id("执法平台", "A-1"), id("执法平台", "A-1"));
        assert_ne!(id("ab", "c"), id("a", "bc"));
        assert!(id("执法平台", "A-1").len() <= crate::limits::REQUEST_ID_BYTES_MAX);
    }
}
