//! What became of every row.
//!
//! In scope: outcomes and their words, how many of which. Out of scope: tables of a terminal, HTML.

use crate::lang::Lang;
use crate::shown::table::Wrong;
use crate::wire::pb::v1 as pb;

/// What became of a row.
#[derive(Debug, Default)]
pub enum Outcome {
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
pub struct Line {
    /// Its number in the sheet; the headings are row 1.
    pub row: u64,
    /// Its number in the own system; of a site its credit code, and no system.
    pub external: pb::ExternalRef,
    /// The number people say, once there is one.
    pub number: String,
    /// The record's name, once there is one.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
}

impl Outcome {
    /// For programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Valid => "VALID",
            Self::Existing => "EXISTING",
            Self::Refused(_) => "REFUSED",
        }
    }

    /// For people.
    #[must_use]
    pub fn word(&self, lang: Lang) -> &'static str {
        match self {
            Self::Created => lang.pick("已登记", "created"),
            Self::Valid => lang.pick("可登记", "can be created"),
            Self::Existing => lang.pick("已有，未重复登记", "there already"),
            Self::Refused(_) => lang.pick("未登记", "refused"),
        }
    }

    /// Why it was not taken.
    #[must_use]
    pub const fn wrong(&self) -> Option<&Wrong> {
        match self {
            Self::Refused(wrong) => Some(wrong),
            Self::Created | Self::Valid | Self::Existing => None,
        }
    }
}

/// All rows.
#[derive(Debug, Default)]
pub struct Report {
    /// In the order of the sheet.
    pub lines: Vec<Line>,
    /// The row it came to: where it stopped, if it did.
    pub reached: u64,
}

impl Report {
    /// How many came to an outcome.
    #[must_use]
    pub fn count(&self, of: fn(&Outcome) -> bool) -> usize {
        self.lines.iter().filter(|line| of(&line.outcome)).count()
    }

    /// How many were not taken.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Refused(_)))
    }

    /// What the columns are called; `key` is by what a row is known.
    #[must_use]
    pub fn headings(key: &'static str, lang: Lang) -> [&'static str; 7] {
        lang.pick(
            ["行", key, "结果", "编号", "列", "原因", "怎么办"],
            ["row", key, "result", "number", "column", "reason", "what to do"],
        )
    }

    /// What the numbers of rows in systems of the own city are called.
    #[must_use]
    pub fn own_number(lang: Lang) -> &'static str {
        lang.pick("自有系统编号", "own number")
    }

    /// All in one line.
    #[must_use]
    pub fn sum(&self, dry_run: bool, lang: Lang) -> String {
        let (all, refused) = (self.lines.len(), self.refused());
        let created = self.count(|outcome| matches!(outcome, Outcome::Created | Outcome::Valid));
        let existing = self.count(|outcome| matches!(outcome, Outcome::Existing));
        let new = if dry_run {
            lang.pick("可登记", "can be created")
        } else {
            lang.pick("新登记", "created")
        };
        lang.pick(
            format!("共 {all} 行：{new} {created}，已有 {existing}，未登记 {refused}"),
            format!("{all} rows: {created} {new}, {existing} there, {refused} refused"),
        )
    }
}
