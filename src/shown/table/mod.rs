//! Cases as rows of a sheet: columns and their headings, cells as Excel and WPS leave them, CSV.
//!
//! In scope: what the command line reads and writes and the console writes. Out of scope: files and
//! their encodings, what is done with a row ([`crate::import`]).
//!
//! Invariants:
//! 1. A cell is read without doubt or refused, never guessed. (`excel_surprises_are_refused`)
//! 2. A cell that a spreadsheet would run as a formula is written so that it does not, and is
//!    read back as it was. (`what_looks_like_a_formula_is_text`)

pub mod cells;
pub mod columns;
pub mod csv;
pub mod written;

/// Why a row, or one of its cells, is not taken; in the reader's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The heading of the column; empty when it is about the whole row.
    pub column: String,
    /// A stable reason for programs.
    pub reason: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub advice: String,
}

impl Wrong {
    /// A cell that is wrong; the column is named by whoever knows it.
    #[must_use]
    pub fn new(reason: &str, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            column: String::new(),
            reason: reason.to_owned(),
            what: what.into(),
            advice: advice.into(),
        }
    }

    /// Names the column.
    #[must_use]
    pub fn at(mut self, column: &str) -> Self {
        column.clone_into(&mut self.column);
        self
    }
}
