//! Cases from a sheet, by page: pasted out of a spreadsheet, or sent in as a CSV file; first
//! checked row by row, then opened.
//!
//! A file comes back as text in the form, with a digest of what was checked: what is opened is what
//! was checked, anything else is only checked again. Rows that are there already are not opened
//! again, so the same sheet may be sent twice, also after it was cut.
//!
//! In scope: the page, the node called within the process. Out of scope: what becomes of each row
//! ([`crate::import`]).

use std::io::{Cursor, Read};

use axum::extract::Multipart;
use axum::response::{IntoResponse, Response};
use http::header;
use maud::{Markup, html};
use tokio::sync::Semaphore;
use tonic::Status;

use super::case_fields::FIELDS;
use super::ending;
use super::form::{Form, Query};
use super::layout::Desk;
use super::parts::{self, Filled, page_of};
use super::refusal::Refusal;
use super::upload::{self, Room, Sent, Upload};
use crate::ids::{Hash, hex};
use crate::import::encoding::{self, Encoding};
use crate::import::report::{Line, Outcome, Report};
use crate::import::rows::{self, Rows};
use crate::import::{Asked, Calls, Import, SYSTEM, Stopped, check_count, heading};
use crate::lang::Lang;
use crate::limits::{
    CONSOLE_SHEET_BYTES_MAX, CONSOLE_SHEET_ROWS_MAX, CONSOLE_SHEET_TEXT_BYTES_MAX,
    CONSOLE_SHEETS_MAX, CONSOLE_SHEETS_READ_MAX,
};
use crate::shown::names::Names;
use crate::shown::table::Wrong;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;

/// Sheets that are worked on at a time.
static WORKING: Semaphore = Semaphore::const_new(CONSOLE_SHEETS_MAX);

/// A sheet, as text or as a file.
static ROOM: Room = Room {
    fields: CONSOLE_SHEET_TEXT_BYTES_MAX,
    file: CONSOLE_SHEET_BYTES_MAX,
    places: Semaphore::const_new(CONSOLE_SHEETS_READ_MAX),
};

/// The field that holds the sheet.
const TEXT: &str = "text";

/// The field that says what was checked.
const CHECKED: &str = "checked";

/// What opens a case.
const CREATE: &str = "/liandong.v1.CaseService/CreateCase";

/// What a sheet came to: only checked or not, and how far.
struct Done {
    dry_run: bool,
    /// It was to be opened, and is not what was checked.
    is_other: bool,
    report: Report,
    stopped: Option<Refusal>,
    /// The row at which it stopped may have been opened.
    in_doubt: bool,
}

impl Done {
    /// All of it is recorded.
    fn is_over(&self) -> bool {
        !self.dry_run && self.stopped.is_none() && self.report.refused() == 0
    }

    /// It stopped when some of it was recorded, or may have been.
    fn is_half(&self) -> bool {
        let created = self.report.count(|outcome| matches!(outcome, Outcome::Created));
        self.stopped.is_some() && (self.in_doubt || created > 0)
    }

    /// All rows were checked, and some can be opened.
    fn is_ready(&self) -> bool {
        let new = self.report.count(|outcome| matches!(outcome, Outcome::Valid));
        self.dry_run && self.stopped.is_none() && new > 0
    }
}

/// What the page is called.
#[must_use]
pub fn title(lang: Lang) -> &'static str {
    lang.pick("批量登记案件（粘贴表格或 CSV 文件）", "Open cases from a sheet or a CSV file")
}

/// An empty form; a link may say for which agreement.
pub async fn show(desk: Desk, Query(query): Query) -> Response {
    page(&desk, &query.only(&["agreement"]), None, None)
}

/// The headings as a file.
pub async fn template(desk: Desk) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"template.csv\""),
    ];
    (headers, crate::import::template(desk.lang())).into_response()
}

/// Checks the sheet, or opens its cases.
pub async fn take(desk: Desk, multipart: Multipart) -> Response {
    if let Err(status) = desk.check_may(CREATE) {
        let refusal = Refusal::of(&status, desk.lang());
        return ending::refused(page(&desk, &Form::default(), Some(&refusal), None));
    }
    let Upload { form, file, place: _place } = upload::read(multipart, &ROOM, &desk).await;
    let (form, done) = match file {
        Ok(file) => work(&desk, form, file).await,
        Err(refusal) => (form, Err(refusal)),
    };
    match done {
        Ok(done) if done.stopped.is_none() => page(&desk, &form, None, Some(&done)),
        Ok(done) => ending::refused(page(&desk, &form, done.stopped.as_ref(), Some(&done))),
        Err(refusal) => ending::refused(page(&desk, &form, Some(&refusal), None)),
    }
}

/// A few sheets at a time; the form then holds the sheet as text, until all of it is recorded.
async fn work(desk: &Desk, form: Form, file: Option<Sent>) -> (Form, Result<Done, Refusal>) {
    let lang = desk.lang();
    let Ok(_place) = WORKING.try_acquire() else {
        let field = if file.is_some() { "file" } else { TEXT };
        return (form, Err(Refusal::of(&desk.refuse("BUSY"), lang).about(&[("BUSY", field)])));
    };
    let (typed, encoding) = (form.raw(TEXT).to_owned(), asked_encoding(&form));
    let read = tokio::task::spawn_blocking(move || {
        let text = text(typed, file.as_ref(), encoding, lang)?;
        let fits = fits(&text, lang);
        Ok((text, fits))
    });
    let read = read.await.unwrap_or_else(|_| Err(Refusal::of(&desk.refuse("STOPPING"), lang)));
    let (text, fits) = match read {
        Ok(read) => read,
        Err(refusal) => return (form, Err(refusal)),
    };
    let form = form.holding(TEXT, text);
    // Before anything is opened: a sheet is taken as a whole or not at all.
    let done = match fits {
        Ok(()) => run(desk, &form).await,
        Err(refusal) => Err(refusal),
    };
    let is_over = done.as_ref().is_ok_and(Done::is_over);
    (if is_over { form.holding(TEXT, String::new()) } else { form }, done)
}

/// The sheet as text, with line ends as they come back from a page.
fn text(
    typed: String,
    file: Option<&Sent>,
    encoding: Encoding,
    lang: Lang,
) -> Result<String, Refusal> {
    let text = match file {
        None => typed,
        Some(file) => {
            decoded(&file.bytes, encoding, lang).map_err(|wrong| of_sheet("file", wrong))?
        }
    };
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (kib, limit) = (text.len() >> 10, CONSOLE_SHEET_BYTES_MAX >> 10);
    if text.len() > CONSOLE_SHEET_BYTES_MAX {
        let what = lang.pick(
            format!("内容有 {kib} KiB，一次至多 {limit} KiB"),
            format!("{kib} KiB of text, the limit is {limit}"),
        );
        return Err(Refusal { advice: too_much(lang).to_owned(), ..Refusal::field(TEXT, what) });
    }
    Ok(text)
}

fn decoded(bytes: &[u8], asked: Encoding, lang: Lang) -> Result<String, Wrong> {
    // Its headings prove how it is written, where its bytes do not.
    let rows = Rows::open(Cursor::new(bytes), rows::Form::CSV, asked, lang)?;
    let mut text = String::new();
    let mut all = encoding::open(Cursor::new(bytes), rows.encoding, lang)?;
    all.read_to_string(&mut text).map_err(|error| crate::import::unread(&error, lang))?;
    Ok(text)
}

fn asked_encoding(form: &Form) -> Encoding {
    match form.text("encoding") {
        "utf-8" => Encoding::Utf8,
        "gb18030" => Encoding::Gb18030,
        _ => Encoding::Auto,
    }
}

fn open(text: &str, lang: Lang) -> Result<Rows<Cursor<&[u8]>>, Refusal> {
    let source = Cursor::new(text.as_bytes());
    let rows = Rows::open(source, rows::Form::pasted(text), Encoding::Utf8, lang);
    rows.map_err(|wrong| of_sheet(TEXT, wrong))
}

/// SHA-256 of all that decides what is opened.
fn digest(form: &Form) -> String {
    let mut all = Vec::new();
    for part in [form.text("agreement"), form.text("system"), form.raw(TEXT)] {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part.as_bytes());
    }
    hex(Hash::of(&[&all]).as_bytes())
}

async fn run(desk: &Desk, form: &Form) -> Result<Done, Refusal> {
    let lang = desk.lang();
    let agreement = Some(form.text("agreement")).filter(|id| !id.is_empty());
    let system = Some(form.text("system")).filter(|name| !name.is_empty());
    let opens = form.text("go") == "import";
    let is_other = opens && form.text(CHECKED) != digest(form);
    let asked = Asked {
        dry_run: !opens || is_other,
        agreement: agreement.map(str::to_owned),
        system: system.unwrap_or(SYSTEM).to_owned(),
        acting_for: None,
    };
    let (mut rows, mut report) = (open(form.raw(TEXT), lang)?, Report::default());
    let done = Import::new(desk, &asked).all(&mut rows, &mut report, &|_| ()).await;
    let (stopped, in_doubt) = match done {
        Ok(()) => (None, false),
        Err(Stopped::Answer { status, wrote }) => {
            let refusal = Refusal::of(&status, lang);
            let in_doubt = wrote && refusal.is_unknown && !asked.dry_run;
            (Some(refusal), in_doubt)
        }
        Err(Stopped::Node(wrong)) => (Some(of_sheet(TEXT, wrong)), true),
        Err(Stopped::Sheet(wrong)) => (Some(of_sheet(TEXT, wrong)), false),
    };
    Ok(Done { dry_run: asked.dry_run, is_other, report, stopped, in_doubt })
}

fn fits(text: &str, lang: Lang) -> Result<(), Refusal> {
    let count = open(text, lang)?.count(lang).map_err(|wrong| of_sheet(TEXT, wrong))?;
    if count == 0 {
        let what = lang.pick("表头以下没有内容", "there is no row below the headings");
        return Err(Refusal::field(TEXT, what.to_owned()));
    }
    check_count(count, CONSOLE_SHEET_ROWS_MAX, lang).map_err(|wrong| Refusal {
        advice: too_much(lang).to_owned(),
        ..Refusal::field(TEXT, wrong.what)
    })
}

fn too_much(lang: Lang) -> &'static str {
    lang.pick(
        "分几次导入；更大的文件请系统管理员用 liandong case import",
        "import it in pieces, or use liandong case import",
    )
}

/// What is wrong with the sheet as a whole.
fn of_sheet(field: &str, wrong: Wrong) -> Refusal {
    Refusal { reason: wrong.reason, advice: wrong.advice, ..Refusal::field(field, wrong.what) }
}

impl Calls for Desk {
    fn lang(&self) -> Lang {
        self.visitor.lang
    }

    fn names(&self) -> &Names {
        &self.names
    }

    fn own_city(&self) -> u32 {
        self.city
    }

    async fn agreements(&self) -> Result<Vec<pb::Agreement>, Status> {
        Ok(self.agreements.clone())
    }

    async fn list_cases(
        &self,
        request: pb::ListCasesRequest,
    ) -> Result<tonic::Response<pb::ListCasesResponse>, Status> {
        self.client.cases().list_cases(request).await
    }

    async fn history(
        &self,
        request: pb::GetCaseHistoryRequest,
    ) -> Result<tonic::Response<pb::GetCaseHistoryResponse>, Status> {
        self.client.cases().get_case_history(request).await
    }

    async fn create_case(
        &self,
        request: pb::CreateCaseRequest,
    ) -> Result<tonic::Response<pb::CreateCaseResponse>, Status> {
        self.client.cases().create_case(request).await
    }

    fn refused(&self, status: &Status) -> Wrong {
        let lang = self.visitor.lang;
        let refusal = Refusal::of(status, lang).about(&FIELDS);
        let columns = refusal.fields.iter().map(|(field, _)| heading(field, lang));
        let column = columns.clone().find(|column| !column.is_empty()).unwrap_or_default();
        let more =
            refusal.fields.iter().map(|(_, text)| text).filter(|text| **text != refusal.what);
        let what: Vec<&str> =
            std::iter::once(&refusal.what).chain(more).map(|one| &**one).collect();
        Wrong::new(&refusal.reason, what.join("；"), &refusal.advice).at(column)
    }
}

fn page(desk: &Desk, form: &Form, refusal: Option<&Refusal>, done: Option<&Done>) -> Response {
    let lang = desk.lang();
    let title = title(lang);
    if !desk.visitor.may(CREATE) {
        return desk.page(title, &parts::only_looks(title, refusal, lang));
    }
    let main = html! {
        h1 { (title) }
        @if let Some(refusal) = refusal { (not_done(refusal, done, lang)) }
        @if let Some(done) = done { (told(done, lang)) }
        (how(lang))
        (fields(desk, form, refusal, done))
    };
    desk.page(title, &main)
}

fn not_done(refusal: &Refusal, done: Option<&Done>, lang: Lang) -> Markup {
    let Some(done) = done.filter(|done| done.is_half()) else {
        return parts::refused(refusal, lang);
    };
    let row = done.report.reached;
    let heading = lang
        .pick(format!("中途停止（第 {row} 行）："), format!("Stopped half way, at row {row}: "));
    parts::refused_as(&heading, refusal, lang)
}

fn how(lang: Lang) -> Markup {
    let kib = CONSOLE_SHEET_BYTES_MAX >> 10;
    html! {
        p {
            (lang.pick(
                "从 Excel、WPS 复制单元格（连同表头一行）粘贴到下面，或选择 CSV 文件。先检查：逐行说明会怎样，\
                 不登记；核对后再登记。自有系统编号相同的只登记一次，同一表格可以重复导入。",
                "Copy cells with their row of headings out of a spreadsheet and paste them, or \
                 choose a CSV file. Check it first: the page says what would become of each row. \
                 Each number of your own system is opened once, so a sheet may be sent again.",
            ))
        }
        p .noprint {
            a href="/cases/template.csv" { (lang.pick("下载空白模板（表头）", "the headings as a file")) }
            " " span .soft {
                (lang.pick(
                    format!("一次至多 {CONSOLE_SHEET_ROWS_MAX} 行、{kib} KiB"),
                    format!("up to {CONSOLE_SHEET_ROWS_MAX} rows and {kib} KiB at a time"),
                ))
            }
        }
    }
}

fn fields(desk: &Desk, form: &Form, refusal: Option<&Refusal>, done: Option<&Done>) -> Markup {
    let lang = desk.lang();
    let none = Refusal::default();
    let of = Filled { form: "import", again: Some((form, refusal.unwrap_or(&none))), lang };
    let names = desk.agreements.iter().map(|one| {
        let name = format!("{} {}", one.short_name, one.display_name);
        (parts::id_of(&one.name).to_owned(), name)
    });
    let by_row = lang.pick("按各行所写（只有一个协议时可不写）", "as each row says");
    let agreements: Vec<_> =
        std::iter::once((String::new(), by_row.to_owned())).chain(names).collect();
    let encodings = [
        ("", lang.pick("自动识别", "told from its bytes")),
        ("utf-8", "UTF-8"),
        ("gb18030", "GB18030（GBK）"),
    ];
    let encodings = encodings.map(|(value, name)| (value.to_owned(), name.to_owned()));
    let hint = lang.pick(
        "选择了文件时，以文件为准；检查后文件内容显示在上面",
        "a file goes before what is pasted; once checked, it stands above as text",
    );
    html! {
        form #import method="post" action="/cases/import" enctype="multipart/form-data" {
            (of.sheet(TEXT, lang.pick("表格内容（第一行为表头）", "the sheet, headings first")))
            (of.file(lang.pick("或选择 CSV 文件", "or a CSV file"), hint, false))
            (of.choice("encoding", lang.pick("文件编码", "how the file is written"), &encodings))
            (of.choice("agreement", lang.pick("各行未写协议时所属的联动协议",
                "agreement of rows that name none"), &agreements))
            (of.line("text", "system", lang.pick("各行未写自有系统时的系统名称（不填为 liandong）",
                "own system of rows that name none (liandong)"), ""))
            // First, so that it is what the Enter key presses.
            button name="go" value="check" { (lang.pick("检查（不登记）", "Check (opens nothing)")) }
            @if done.is_some_and(Done::is_ready) {
                input type="hidden" name=(CHECKED) value=(digest(form));
                " " button name="go" value="import" {
                    (lang.pick("登记检查通过的各行", "Open the rows that can be"))
                }
            }
        }
    }
}

/// What became of each row. It stays when something changes elsewhere.
fn told(done: &Done, lang: Lang) -> Markup {
    let heading = if done.dry_run {
        lang.pick("检查结果（未登记）", "What would become of it (nothing was opened)")
    } else {
        lang.pick("登记结果", "What became of it")
    };
    html! {
        section data-still {
            h2 { (heading) }
            p role="status" { (done.report.sum(done.dry_run, lang)) }
            @if done.is_other {
                p .late {
                    (lang.pick(
                        "内容、协议或系统与检查过的不同：这次只检查，未登记任何一行；核对后再登记。",
                        "This is not what was checked: it was only checked now, and nothing was \
                         opened. Look at it, then open it.",
                    ))
                }
            }
            @if done.stopped.is_some() { p .late { (left(done, lang)) } }
            div .scroll tabindex="0" role="region" aria-label=(lang.pick("逐行结果", "Row by row")) {
                table {
                    thead {
                        tr {
                            @for one in Report::headings(Report::own_number(lang), lang) {
                                th scope="col" { (one) }
                            }
                        }
                    }
                    tbody { @for line in &done.report.lines { (row(line, lang)) } }
                }
            }
        }
    }
}

/// What became of the row at which it stopped, and of those behind it.
fn left(done: &Done, lang: Lang) -> String {
    let row = done.report.reached;
    let became = if done.in_doubt {
        lang.pick("可能已登记", "may have been opened")
    } else {
        lang.pick("未登记", "was not opened")
    };
    lang.pick(
        format!(
            "在第 {row} 行停止：该行{became}，其后各行没有处理。排除故障后原样再检查、登记一次，\
             已登记的不会重复。"
        ),
        format!(
            "It stopped at row {row}, which {became}; the rows behind it were left. Send the \
             sheet again as it is: nothing is done twice."
        ),
    )
}

fn row(line: &Line, lang: Lang) -> Markup {
    let wrong = line.outcome.wrong();
    let number = clean(&line.number);
    html! {
        tr {
            th scope="row" { (line.row) }
            td { (clean(&line.external.number)) }
            td .late[wrong.is_some()] { (line.outcome.word(lang)) }
            td {
                @if line.name.is_empty() { (number) }
                @else { a href=(page_of("case", &line.name)) { (number) } }
            }
            @if let Some(wrong) = wrong {
                td { (clean(&wrong.column)) }
                td { (clean(&wrong.what)) " " span .soft { (wrong.reason) } }
                td { (clean(&wrong.advice)) }
            } @else {
                td {} td {} td {}
            }
        }
    }
}
