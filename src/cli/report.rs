//! What became of every row of a file, for a terminal and for programs.
//!
//! In scope: the table and the JSON of both imports. Out of scope: what became of a row
//! ([`crate::import::report`]).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::failure::{Exit, Failure};
use super::table;
use crate::import::encoding::Encoding;
use crate::import::report::{Line, Outcome, Report};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// What the rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// Cases, told apart by their number in the own system.
    Cases,
    /// Sites, told apart by their credit code.
    Sites,
}

/// The report of a file.
pub(super) struct Told {
    file: PathBuf,
    encoding: Encoding,
    dry_run: bool,
    of: Of,
    /// Its rows.
    pub report: Report,
}

impl Told {
    pub(super) fn new(file: &Path, encoding: Encoding, dry_run: bool, of: Of) -> Self {
        Self { file: file.to_owned(), encoding, dry_run, of, report: Report::default() }
    }

    /// By what a row is known, for programs.
    fn known_by(&self, line: &Line) -> (&'static str, Value) {
        let some = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
        let pb::ExternalRef { system, number } = &line.external;
        match self.of {
            Of::Cases => {
                ("external_ref", json!({ "system": some(system), "number": some(number) }))
            }
            Of::Sites => ("uscc", some(number)),
        }
    }

    /// What stopped it, with how far it came and what to do.
    pub(super) fn stopped(&self, failure: Failure, lang: Lang) -> Failure {
        let row = self.report.reached;
        failure.advise(lang.pick(
            format!(
                "在第 {row} 行停止，以上各行已处理；\
                 排除故障后对同一文件再执行一次，已登记的不会重复"
            ),
            format!(
                "it stopped at row {row}, the rows above are done; \
                 run it again with the same file, nothing is done twice"
            ),
        ))
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let some = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
        let line = |line: &Line| {
            let (key, known_by) = self.known_by(line);
            json!({
                "row": line.row,
                key: known_by,
                "result": line.outcome.code(),
                "number": some(&line.number),
                "name": some(&line.name),
                "refusal": line.outcome.wrong().map(|wrong| json!({
                    "column": some(&wrong.column),
                    "reason": wrong.reason,
                    "message": wrong.what,
                    "advice": some(&wrong.advice),
                })),
            })
        };
        let report = &self.report;
        json!({
            "file": self.file.display().to_string(),
            "encoding": self.encoding.name(),
            "dry_run": self.dry_run,
            "rows": report.lines.iter().map(line).collect::<Vec<_>>(),
            "created": report.count(|outcome| matches!(outcome, Outcome::Created)),
            "valid": report.count(|outcome| matches!(outcome, Outcome::Valid)),
            "existing": report.count(|outcome| matches!(outcome, Outcome::Existing)),
            "refused": report.refused(),
        })
    }

    /// For people.
    pub(super) fn text(&self, lang: Lang) -> String {
        let key = match self.of {
            Of::Cases => Report::own_number(lang),
            Of::Sites => lang.pick("信用代码", "credit code"),
        };
        let mut rows = table::table(&Report::headings(key, lang));
        for line in &self.report.lines {
            let (column, what, advice) =
                line.outcome.wrong().map_or_else(Default::default, |wrong| {
                    let what = format!("{}（{}）", wrong.what, wrong.reason);
                    (wrong.column.as_str(), what, wrong.advice.as_str())
                });
            rows.add_row([
                line.row.to_string(),
                table::clean(&line.external.number),
                line.outcome.word(lang).to_owned(),
                table::clean(&line.number),
                table::clean(column),
                table::clean(&what),
                table::clean(advice),
            ]);
        }
        format!("{rows}\n{}\n", self.report.sum(self.dry_run, lang))
    }

    /// Whether all rows were taken.
    ///
    /// # Errors
    /// [`Failure`] when one was refused.
    pub(super) fn verdict(&self, lang: Lang) -> Result<(), Failure> {
        let (all, refused) = (self.report.lines.len(), self.report.refused());
        if refused == 0 {
            return Ok(());
        }
        let what = lang.pick(
            format!("{all} 行中有 {refused} 行未登记"),
            format!("{refused} of {all} rows were refused"),
        );
        Err(Failure::new(Exit::Refused, "ROWS_REFUSED", what).advise(lang.pick(
            "按上表逐行改正后，对同一文件再执行一次，已登记的不会重复",
            "mend the rows above and run it again: what is there is not created twice",
        )))
    }
}
