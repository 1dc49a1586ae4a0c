//! What became of every row.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::super::sheet::Wrong;
use super::super::sheet::encoding::Encoding;
use crate::cli::failure::{Exit, Failure};
use crate::cli::table;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// What became of a row.
#[derive(Debug, Default)]
pub(in crate::cli) enum Outcome {
    /// It was opened.
    Created,
    /// It would be opened.
    #[default]
    Valid,
    /// It is here already, just so.
    Existing,
    /// It was not taken.
    Refused(Wrong),
}

/// One row.
#[derive(Debug, Default)]
pub(in crate::cli) struct Line {
    /// Its number in the file; the headings are row 1.
    pub row: u64,
    /// Its number in the own system; of a site its credit code, and no system.
    pub external: pb::ExternalRef,
    /// The number people say, once there is one.
    pub number: String,
    /// The case's name, once there is one.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
}

impl Outcome {
    fn code(&self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Valid => "VALID",
            Self::Existing => "EXISTING",
            Self::Refused(_) => "REFUSED",
        }
    }

    fn word(&self, lang: Lang) -> &'static str {
        match self {
            Self::Created => lang.pick("已登记", "created"),
            Self::Valid => lang.pick("可登记", "can be created"),
            Self::Existing => lang.pick("已有，未重复登记", "there already"),
            Self::Refused(_) => lang.pick("未登记", "refused"),
        }
    }
}

/// What the rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Of {
    /// Cases, told apart by their number in the own system.
    Cases,
    /// Sites, told apart by their credit code.
    Sites,
}

/// All rows.
pub(in crate::cli) struct Report {
    file: PathBuf,
    encoding: Encoding,
    dry_run: bool,
    of: Of,
    /// In the order of the file.
    pub lines: Vec<Line>,
}

impl Report {
    pub(in crate::cli) fn new(file: &Path, encoding: Encoding, dry_run: bool, of: Of) -> Self {
        Self { file: file.to_owned(), encoding, dry_run, of, lines: Vec::new() }
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

    fn count(&self, of: fn(&Outcome) -> bool) -> usize {
        self.lines.iter().filter(|line| of(&line.outcome)).count()
    }

    fn refused(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Refused(_)))
    }

    /// For programs.
    pub(in crate::cli) fn json(&self) -> Value {
        let some = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
        let line = |line: &Line| {
            let wrong = match &line.outcome {
                Outcome::Refused(wrong) => Some(wrong),
                Outcome::Created | Outcome::Valid | Outcome::Existing => None,
            };
            let (key, known_by) = self.known_by(line);
            json!({
                "row": line.row,
                key: known_by,
                "result": line.outcome.code(),
                "number": some(&line.number),
                "name": some(&line.name),
                "refusal": wrong.map(|wrong| json!({
                    "column": some(&wrong.column),
                    "reason": wrong.reason,
                    "message": wrong.what,
                    "advice": some(&wrong.advice),
                })),
            })
        };
        json!({
            "file": self.file.display().to_string(),
            "encoding": self.encoding.name(),
            "dry_run": self.dry_run,
            "rows": self.lines.iter().map(line).collect::<Vec<_>>(),
            "created": self.count(|outcome| matches!(outcome, Outcome::Created)),
            "valid": self.count(|outcome| matches!(outcome, Outcome::Valid)),
            "existing": self.count(|outcome| matches!(outcome, Outcome::Existing)),
            "refused": self.refused(),
        })
    }

    /// For people.
    pub(in crate::cli) fn text(&self, lang: Lang) -> String {
        let key = match self.of {
            Of::Cases => lang.pick("自有系统编号", "own number"),
            Of::Sites => lang.pick("信用代码", "credit code"),
        };
        let headers = lang.pick(
            ["行", key, "结果", "编号", "列", "原因", "怎么办"],
            ["row", key, "result", "number", "column", "reason", "what to do"],
        );
        let mut rows = table::table(&headers);
        for line in &self.lines {
            let (column, what, advice) = match &line.outcome {
                Outcome::Refused(wrong) => (
                    wrong.column.as_str(),
                    format!("{}（{}）", wrong.what, wrong.reason),
                    wrong.advice.as_str(),
                ),
                Outcome::Created | Outcome::Valid | Outcome::Existing => ("", String::new(), ""),
            };
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
        let (all, refused) = (self.lines.len(), self.refused());
        let created = self.count(|outcome| matches!(outcome, Outcome::Created | Outcome::Valid));
        let existing = self.count(|outcome| matches!(outcome, Outcome::Existing));
        let new = if self.dry_run {
            lang.pick("可登记", "can be created")
        } else {
            lang.pick("新登记", "created")
        };
        lang.pick(
            format!("{rows}\n共 {all} 行：{new} {created}，已有 {existing}，未登记 {refused}\n"),
            format!("{rows}\n{all} rows: {created} {new}, {existing} there, {refused} refused\n"),
        )
    }

    /// Whether all rows were taken.
    ///
    /// # Errors
    /// [`Failure`] when one was refused.
    pub(in crate::cli) fn verdict(&self, lang: Lang) -> Result<(), Failure> {
        let (all, refused) = (self.lines.len(), self.refused());
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
