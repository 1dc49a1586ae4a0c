//! CSV (RFC 4180), as Excel and WPS write and read it.
//!
//! In scope: rows of cells, in and out. Out of scope: what a cell means.
//!
//! Rows are read into one buffer of a fixed size: a quote that is never closed makes one row that
//! is too long, and no more.

use std::io::{self, Read};

use csv_core::ReadRecordResult;

use crate::limits::{IMPORT_COLUMNS_MAX, IMPORT_ROW_BYTES_MAX};

/// One row.
#[derive(Debug, PartialEq, Eq)]
pub enum Row {
    /// Its cells.
    Cells(Vec<String>),
    /// More bytes or cells than a row may have; it was skipped.
    TooLong,
    /// The text ends within quotes: it was cut, or a quote is missing.
    Unclosed,
}

/// Rows of a text.
pub struct Rows<R> {
    text: R,
    core: csv_core::Reader,
    input: Vec<u8>,
    begin: usize,
    end: usize,
    cells: Vec<u8>,
    ends: Vec<usize>,
    /// So far there was an odd number of quotes in the row.
    quoted: bool,
}

impl<R: Read> Rows<R> {
    /// Rows of UTF-8.
    pub fn new(text: R) -> Self {
        Self::separated(text, b',')
    }

    /// The same with something else than a comma between cells.
    pub fn separated(text: R, separator: u8) -> Self {
        Self {
            text,
            core: csv_core::ReaderBuilder::new().delimiter(separator).build(),
            input: vec![0; 64 * 1024],
            begin: 0,
            end: 0,
            cells: vec![0; IMPORT_ROW_BYTES_MAX],
            ends: vec![0; IMPORT_COLUMNS_MAX],
            quoted: false,
        }
    }

    /// What the rows are read from.
    pub const fn text(&self) -> &R {
        &self.text
    }

    /// The next row; `None` behind the last. Empty lines are passed over.
    ///
    /// # Errors
    /// What reading the text gives.
    pub fn row(&mut self) -> io::Result<Option<Row>> {
        let (mut bytes, mut count, mut too_long) = (0, 0, false);
        loop {
            if self.begin >= self.end {
                self.end = self.text.read(&mut self.input)?;
                self.begin = 0;
            }
            let input = self.input.get(self.begin..self.end).unwrap_or_default();
            let cells = self.cells.get_mut(bytes..).unwrap_or_default();
            let ends = self.ends.get_mut(count..).unwrap_or_default();
            let (result, read, wrote, ended) = self.core.read_record(input, cells, ends);
            let used = input.get(..read).unwrap_or_default();
            self.quoted ^= used.iter().filter(|byte| **byte == b'"').count() % 2 == 1;
            let ended_in_quotes = input.is_empty() && self.quoted;
            self.begin += read;
            (bytes, count) = (bytes + wrote, count + ended);
            if matches!(result, ReadRecordResult::Record) {
                // A row ends outside quotes; a quote alone within a cell has no partner behind it.
                self.quoted = false;
            }
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => too_long = true,
                ReadRecordResult::Record if too_long => return Ok(Some(Row::TooLong)),
                ReadRecordResult::Record if ended_in_quotes => return Ok(Some(Row::Unclosed)),
                ReadRecordResult::Record => return Ok(Some(self.cells(count))),
                ReadRecordResult::End => return Ok(None),
            }
            if too_long {
                (bytes, count) = (0, 0);
            }
        }
    }

    fn cells(&self, count: usize) -> Row {
        let mut from = 0;
        let cells = self.ends.iter().take(count).map(|end| {
            let cell = self.cells.get(from..*end).unwrap_or_default();
            from = *end;
            // The text was decoded to UTF-8, and cells end at ASCII characters.
            String::from_utf8_lossy(cell).into_owned()
        });
        Row::Cells(cells.collect())
    }
}

/// One row as a line, with CR LF.
#[must_use]
pub fn line(cells: &[String]) -> String {
    let mut out = String::new();
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        if cell.contains(['"', ',', '\r', '\n']) || cell.starts_with(' ') || cell.ends_with(' ') {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(cell);
        }
    }
    out.push_str("\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Row> {
        let mut rows = Rows::new(text.as_bytes());
        std::iter::from_fn(|| rows.row().unwrap()).collect()
    }

    fn cells(cells: &[&str]) -> Row {
        Row::Cells(cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn rows_come_back_as_they_were_written() {
        let rows = [["编号", "a,b"], ["多\r\n行", "引\"号\""], ["", " 空 "], ["=1", "\t12"]];
        let mut text = String::new();
        for row in rows {
            text.push_str(&line(&row.map(str::to_owned)));
        }
        assert_eq!(all(&text), rows.map(|row| cells(&row)));
        assert_eq!(all("a,b\nc\n\n\nd,"), [cells(&["a", "b"]), cells(&["c"]), cells(&["d", ""])]);
        assert_eq!(all(""), []);
    }

    #[test]
    fn a_text_that_was_cut_is_noticed() {
        let whole = "a,b\n1,\"x, \"\"y\"\"\"\n2,z";
        assert_eq!(all(whole).last(), Some(&cells(&["2", "z"])));
        assert_eq!(all("a,b\n1,\"x").last(), Some(&Row::Unclosed));
        assert_eq!(all("a,b\n1,\"x\"\"").last(), Some(&Row::Unclosed));
        let inch = all("a,b\n1,24\" x\n2,z");
        assert_eq!(inch, [cells(&["a", "b"]), cells(&["1", "24\" x"]), cells(&["2", "z"])]);
        assert_eq!(all("a,b\r\n1,24\"\r\n2,\"z").last(), Some(&Row::Unclosed));
    }

    #[test]
    fn a_row_without_end_takes_no_more_memory() {
        let long = "x".repeat(IMPORT_ROW_BYTES_MAX + 1);
        assert_eq!(all(&format!("a\n{long},1\nb\n")), [cells(&["a"]), Row::TooLong, cells(&["b"])]);
        let many = ",".repeat(IMPORT_COLUMNS_MAX);
        assert_eq!(all(&format!("{many}\nb\n")), [Row::TooLong, cells(&["b"])]);
        let open = format!("a\n\"{}", "line\n".repeat(IMPORT_ROW_BYTES_MAX));
        assert_eq!(all(&open), [cells(&["a"]), Row::TooLong]);
    }
}
