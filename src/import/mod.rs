//! Cases from a sheet, row by row: what the command line and the console do with it.
//!
//! In scope: what becomes of each row. Out of scope: where a sheet comes from, how the node is
//! called ([`Calls`]), how a report is shown (`liandong case import`, the console); whether a case
//! is right (the domain and the node).
//!
//! Rows are told apart by the number in the own system. Its request id follows from that number,
//! so the same sheet creates nothing twice, also after a lost answer, and also by another way in;
//! a row that says something else under a number that is taken is refused and changes nothing.
//!
//! Invariants:
//! 1. The same sheet twice creates nothing twice. (`a_file_is_imported_once`,
//!    `a_sheet_is_imported_by_page_row_by_row_and_once`)
//! 2. A dry run writes nothing. (`a_file_is_imported_once`,
//!    `a_sheet_is_imported_by_page_row_by_row_and_once`)
//! 3. A sheet with too many rows does nothing. (`a_file_with_too_many_rows_does_nothing`)

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::io::{self, Read, Seek};

use serde_json::Value;
use tonic::{Response, Status};
use tonic_types::StatusExt;

use self::draft::{Draft, DraftError};
use self::report::{Line, Outcome, Report};
use self::rows::Rows;
use crate::ids::hex;
use crate::lang::Lang;
use crate::log::merkle;
use crate::shown::names::Names;
use crate::shown::table::columns::Column;
use crate::shown::table::{Wrong, csv, written};
use crate::shown::text::clean;
use crate::wire;
use crate::wire::patience::patient;
use crate::wire::pb::v1 as pb;
use crate::wire::status::{Language, Refused};

pub mod agreement;
pub mod draft;
pub mod encoding;
mod headings;
mod known;
pub mod report;
pub mod rows;

/// What the number of a row is said to be of when nobody says it.
pub const SYSTEM: &str = "liandong";

/// The headings as a file that a spreadsheet opens.
#[must_use]
pub fn template(lang: Lang) -> String {
    let read = |heading: &String| Column::named(heading).is_some_and(Column::is_read);
    let headings: Vec<String> = written::headings(lang).into_iter().filter(read).collect();
    format!("\u{feff}{}", csv::line(&headings))
}

/// A node as an import calls it: over the network, or within its process.
pub trait Calls: Sync {
    /// The language of what is said.
    fn lang(&self) -> Lang;

    /// What cities are called.
    fn names(&self) -> &Names;

    /// The city of the node.
    fn own_city(&self) -> u32;

    /// The agreements of the node.
    fn agreements(&self) -> impl Future<Output = Result<Vec<pb::Agreement>, Status>> + Send;

    /// A list of cases.
    fn list_cases(
        &self,
        request: pb::ListCasesRequest,
    ) -> impl Future<Output = Result<Response<pb::ListCasesResponse>, Status>> + Send;

    /// A page of a case's history.
    fn history(
        &self,
        request: pb::GetCaseHistoryRequest,
    ) -> impl Future<Output = Result<Response<pb::GetCaseHistoryResponse>, Status>> + Send;

    /// Opens a case, or only checks it.
    fn create_case(
        &self,
        request: pb::CreateCaseRequest,
    ) -> impl Future<Output = Result<Response<pb::CreateCaseResponse>, Status>> + Send;

    /// Why the node does not take a row, at the column of the field that it names.
    fn refused(&self, status: &Status) -> Wrong;
}

/// What is asked for all rows.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Only checked.
    pub dry_run: bool,
    /// The agreement of rows that name none, by short name or name.
    pub agreement: Option<String>,
    /// The own system of rows that name none.
    pub system: String,
    /// The officer a system acts for.
    pub acting_for: Option<pb::ActingFor>,
}

/// What stops all rows.
#[derive(Debug)]
pub enum Stopped {
    /// The node's answer to a call.
    Answer {
        /// What it says.
        status: Box<Status>,
        /// The call may have written.
        wrote: bool,
    },
    /// The node did what was not asked.
    Node(Wrong),
    /// The sheet cannot be read on.
    Sheet(Wrong),
}

/// What stops a row: itself, or something that stops all.
enum Stop {
    Row(Wrong),
    All(Stopped),
}

impl From<Wrong> for Stop {
    fn from(wrong: Wrong) -> Self {
        Self::Row(wrong)
    }
}

/// Cases on their way in.
pub struct Import<'a, C> {
    calls: &'a C,
    asked: &'a Asked,
    /// Agreements, once a row needs them.
    agreements: Option<Vec<pb::Agreement>>,
    /// Rows by their request ids.
    seen: HashMap<String, u64>,
    /// Cases that rows before have opened. Their numbers are new: that a row of an export from
    /// elsewhere has one of them says nothing.
    opened: HashSet<String>,
}

impl<'a, C: Calls> Import<'a, C> {
    /// Nothing is done yet.
    #[must_use]
    pub fn new(calls: &'a C, asked: &'a Asked) -> Self {
        Self { calls, asked, agreements: None, seen: HashMap::new(), opened: HashSet::new() }
    }

    /// Takes one row after the other into a report; tells how many bytes were read.
    ///
    /// # Errors
    /// What stopped it; the rows before it are in the report.
    pub async fn all<R: Read + Seek + Send>(
        &mut self,
        rows: &mut Rows<R>,
        report: &mut Report,
        read: &(dyn Fn(u64) + Sync),
    ) -> Result<(), Stopped> {
        let lang = self.calls.lang();
        loop {
            let next = rows.next(lang);
            report.reached = rows.number() + u64::from(next.is_err());
            let Some((number, value)) = next.map_err(Stopped::Sheet)? else { return Ok(()) };
            read(rows.bytes());
            let mut line = Line { row: number, ..Line::default() };
            let outcome = match value {
                Ok(value) => self.one(value, &mut line).await,
                Err(wrong) => Err(Stop::Row(wrong)),
            };
            line.outcome = match outcome {
                Ok(outcome) => outcome,
                Err(Stop::Row(wrong)) => Outcome::Refused(wrong),
                Err(Stop::All(stopped)) => return Err(stopped),
            };
            report.lines.push(line);
        }
    }

    async fn one(&mut self, value: Value, line: &mut Line) -> Result<Outcome, Stop> {
        let lang = self.calls.lang();
        let draft = draft::parse(value).map_err(|error| misshapen(&error, lang))?;
        line.external = self.external(&draft)?;
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
            acting_for: self.asked.acting_for.clone(),
            validate_only: self.asked.dry_run,
        };
        check(&request).map_err(|refused| {
            self.calls.refused(&refused.status(lang.pick(Language::Zh, Language::En)))
        })?;
        let found = known::find(self.calls, &line.external, (&draft.case_id, &self.opened));
        if let Some(case) = found.await? {
            line.number.clone_from(&case.number);
            line.name.clone_from(&case.name);
            let fields = known::differences(self.calls, &case, &request).await?;
            return if fields.is_empty() {
                Ok(Outcome::Existing)
            } else {
                Err(known::changed(&case, &fields, lang).into())
            };
        }
        self.create(request, line).await
    }

    async fn create(
        &mut self,
        request: pb::CreateCaseRequest,
        line: &mut Line,
    ) -> Result<Outcome, Stop> {
        let done = patient(|| self.calls.create_case(request.clone())).await;
        let done = done.map_err(|status| stop(self.calls, status, true))?.into_inner();
        let Some(case) = done.case else { return Ok(Outcome::Valid) };
        (line.number, line.name) = (case.number, case.name);
        let before = done.receipt.is_some_and(|receipt| receipt.replayed);
        if self.asked.dry_run && !before {
            return Err(Stop::All(Stopped::Node(too_old(&line.number, self.calls.lang()))));
        }
        if before {
            return Ok(Outcome::Existing);
        }
        self.opened.insert(line.name.clone());
        Ok(Outcome::Created)
    }

    /// The number by which the row is known in the own system.
    fn external(&self, draft: &Draft) -> Result<pb::ExternalRef, Wrong> {
        let lang = self.calls.lang();
        let given = draft.external_ref.clone().unwrap_or_default();
        let number = if given.number.is_empty() { draft.case_id.clone() } else { given.number };
        if number.trim().is_empty() {
            return Err(Wrong::new(
                "REQUIRED",
                lang.pick("没有编号，重复导入时无法辨认", "no number to know the row by"),
                lang.pick("填写自有系统编号", "give its number in your own system"),
            )
            .at(heading("external_ref.number", lang)));
        }
        let system = if given.system.is_empty() { self.asked.system.clone() } else { given.system };
        // As the node keeps it: the same number must not be known by two request ids.
        let trimmed = |text: String| text.trim().to_owned();
        Ok(pb::ExternalRef { system: trimmed(system), number: trimmed(number) })
    }

    /// Cases of other cities come from these cities.
    fn check_own(&self, draft: &Draft) -> Result<(), Wrong> {
        let other = draft.originating.map(|city| city.as_u32());
        match other.filter(|city| *city != self.calls.own_city()) {
            Some(other) => Err(not_own(self.calls, other, "originating_city")),
            None => Ok(()),
        }
    }

    async fn parent(&mut self, draft: &Draft) -> Result<String, Stop> {
        let given = draft.agreement.as_ref().or(self.asked.agreement.as_ref());
        if let Some(name) = given.and_then(|given| agreement::resource_name(given)) {
            return Ok(name);
        }
        let all = match &mut self.agreements {
            Some(all) => all,
            none => {
                let all = self.calls.agreements().await;
                none.insert(all.map_err(|status| stop(self.calls, status, false))?)
            }
        };
        let found = match given {
            Some(given) => agreement::called(all, given),
            None if draft.shared_with.is_empty() => agreement::only(all),
            None => agreement::of(all, &draft.shared_with),
        };
        let lang = self.calls.lang();
        let unclear = || agreement::unclear(all, given.map(String::as_str), lang);
        let unclear = || unclear().at(heading("agreement", lang));
        Ok(found.ok_or_else(unclear)?.name.clone())
    }
}

/// A row with a case of another city, as a field of it says.
fn not_own(calls: &impl Calls, other: u32, field: &str) -> Wrong {
    let (lang, other) = (calls.lang(), calls.names().city(other));
    let column = heading(field, lang);
    Wrong::new(
        "NOT_OWN_CASE",
        lang.pick(
            format!("首报市是{other}，由该市登记后自动到达本市"),
            format!("reported by {other}: that city opens it, and it arrives here by itself"),
        ),
        lang.pick(
            format!("删去此行；确属本市首报的，清空{column}"),
            format!("take the row out, or clear the cell {column}"),
        ),
    )
    .at(column)
}

/// The heading of a field's column; empty when none holds it.
#[must_use]
pub fn heading(field: &str, lang: Lang) -> &'static str {
    Column::of_field(field).map_or("", |column| column.heading(lang))
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
fn stop(calls: &impl Calls, status: Status, wrote: bool) -> Stop {
    use tonic::Code::{AlreadyExists, FailedPrecondition, InvalidArgument, NotFound};
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    let of_all = ["NO_LOG", "EPOCH_NEEDED", "ACTING_FOR_REQUIRED"].contains(&reason.as_str());
    let codes = [InvalidArgument, FailedPrecondition, AlreadyExists, NotFound];
    if codes.contains(&status.code()) && !of_all || reason == "MESSAGE_TOO_LARGE" {
        Stop::Row(calls.refused(&status))
    } else {
        Stop::All(Stopped::Answer { status: Box::new(status), wrote })
    }
}

/// A sheet of which no row can be used, or not the rest.
fn unusable(what: impl Into<String>, advice: impl Into<String>) -> Wrong {
    Wrong::new("SHEET", what, advice)
}

/// Reading broke off.
#[must_use]
pub fn unread(error: &io::Error, lang: Lang) -> Wrong {
    unusable(
        lang.pick(format!("无法读取（{error}）"), format!("cannot be read ({error})")),
        lang.pick("检查文件后再导入", "look at the file and import it again"),
    )
}

/// What to do with a sheet that is too large.
#[must_use]
pub fn in_pieces(lang: Lang) -> &'static str {
    lang.pick("分成几个文件导入", "split it into several files")
}

/// Whether a sheet of so many rows is taken at all: asked before the first one is used.
///
/// # Errors
/// [`Wrong`] with both numbers; nothing is done.
pub fn check_count(rows: usize, rows_max: usize, lang: Lang) -> Result<(), Wrong> {
    if rows <= rows_max {
        return Ok(());
    }
    let what = lang.pick(
        format!("有 {rows} 行，超出一次的上限 {rows_max} 行；未登记任何一行"),
        format!("has {rows} rows, the limit is {rows_max}; nothing was done"),
    );
    Err(unusable(what, in_pieces(lang)))
}

/// A node that passes over `validate_only` has written; no second row may follow.
fn too_old(number: &str, lang: Lang) -> Wrong {
    let number = clean(number);
    Wrong::new(
        "NODE_TOO_OLD",
        lang.pick(
            format!("节点版本较旧，不支持只检查：{number} 已实际登记，其余未处理"),
            format!("the node is too old to check only: {number} was opened, the rest was left"),
        ),
        lang.pick("请管理员升级节点", "have the node upgraded"),
    )
}

fn misshapen(error: &DraftError, lang: Lang) -> Wrong {
    let column = match error {
        DraftError::Value { field, .. } => heading(field, lang),
        DraftError::Shape(_) | DraftError::Choice { .. } => "",
    };
    Wrong::new(
        "SHAPE",
        lang.pick(format!("内容不能使用：{error}"), format!("cannot be used: {error}")),
        lang.pick("写法见导出的文件", "an export shows how it is written"),
    )
    .at(column)
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
    use super::headings::Headings;
    use super::*;
    use crate::shown::table::written::{Beside, cells, headings, value};

    #[test]
    fn a_number_of_a_system_has_one_request_id() {
        let id = |system: &str, number: &str| {
            request_id(&pb::ExternalRef { system: system.to_owned(), number: number.to_owned() })
        };
        assert_eq!(id("执法平台", "A-1"), id("执法平台", "A-1"));
        assert_ne!(id("ab", "c"), id("a", "bc"));
        assert!(id("执法平台", "A-1").len() <= crate::limits::REQUEST_ID_BYTES_MAX);
    }

    #[test]
    fn every_sample_comes_back_from_json_and_from_cells() {
        let samples = draft::read_all(include_str!("../../demo/sample-cases.json")).unwrap();
        for lang in [Lang::Zh, Lang::En] {
            let names = Names::new(lang);
            let columns = Headings::read(&headings(lang), lang).unwrap();
            for sample in &samples {
                let record = crate::wire::case::record(Some(&sample.record)).unwrap();
                let case = pb::Case {
                    number: sample.case_id.clone(),
                    facts: Some(sample.facts.clone()),
                    record: Some(crate::wire::record::record_to_pb(&record)),
                    person: sample.person.clone(),
                    ..pb::Case::default()
                };
                let campaigns = "“两打”专项行动".to_owned();
                let reported_on = sample.reported_on;
                let beside = Beside { reported_on, only_here: 2, campaigns };
                let value = value(&case, &beside, &names);
                let row = cells(&value, &names, lang);
                let again = columns.value(&row, lang).unwrap().unwrap();
                for value in [value, again] {
                    let read = draft::parse(value).unwrap();
                    assert_eq!(Some(&read.facts), case.facts.as_ref());
                    assert_eq!(Some(&read.record), case.record.as_ref(), "{row:?}");
                    assert_eq!(
                        (read.person, read.reported_on),
                        (case.person.clone(), sample.reported_on)
                    );
                    assert_eq!(read.case_id, sample.case_id);
                }
            }
        }
    }
}
