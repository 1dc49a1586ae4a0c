//! Rows of a sheet, or of a file with a case a line, each with its number there.
//!
//! In scope: where a row begins and ends, what of it is no row at all. Out of scope: cells
//! ([`super::headings`]).

use std::io::{self, BufRead, BufReader, Read, Seek};

use serde_json::Value;

use super::encoding::{self, Encoding, Text};
use super::headings::Headings;
use super::{check_count, unread, unusable};
use crate::lang::Lang;
use crate::limits::IMPORT_ROW_BYTES_MAX;
use crate::shown::table::Wrong;
use crate::shown::table::csv::{self, Row};

/// How rows are told apart from one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Cells with this between them, below their headings.
    Cells(u8),
    /// One case a line, as JSON.
    Lines,
}

impl Form {
    /// CSV.
    pub const CSV: Self = Self::Cells(b',');

    /// Of what was copied out of a spreadsheet, which puts tabs between cells, or of a CSV file.
    #[must_use]
    pub fn pasted(text: &str) -> Self {
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        if first.contains('\t') { Self::Cells(b'\t') } else { Self::CSV }
    }
}

/// The number of a row, and its case in the sample shape or why it is none.
pub type Numbered = (u64, Result<Value, Wrong>);

/// Rows that are read one after the other.
pub struct Rows<R> {
    written: Written<R>,
    number: u64,
    /// How they are written.
    pub encoding: Encoding,
}

enum Written<R> {
    Csv { rows: Box<csv::Rows<Text<R>>>, headings: Headings },
    Lines { text: BufReader<Text<R>>, bytes: u64 },
}

impl<R: Read + Seek> Rows<R> {
    /// Finds out how they are written, and what their headings are.
    ///
    /// # Errors
    /// [`Wrong`] when no row of it can be used.
    pub fn open(source: R, form: Form, asked: Encoding, lang: Lang) -> Result<Self, Wrong> {
        let text = encoding::open(source, asked, lang)?;
        let (in_doubt, encoding) = (text.in_doubt, text.encoding);
        let doubt = || Err(self::in_doubt(encoding, lang));
        let separator = match form {
            Form::Cells(separator) => separator,
            Form::Lines if in_doubt => return doubt(),
            Form::Lines => {
                let written = Written::Lines { text: BufReader::new(text), bytes: 0 };
                return Ok(Self { written, number: 0, encoding });
            }
        };
        let mut rows = csv::Rows::separated(text, separator);
        let Some(Row::Cells(first)) = rows.row().map_err(|error| unread(&error, lang))? else {
            let what = lang.pick("没有表头", "has no headings");
            return Err(unusable(what, lang.pick("第一行写表头", "put the headings in row 1")));
        };
        let headings = Headings::read(&first, lang)?;
        if in_doubt && !Headings::prove_chinese(&first) {
            return doubt();
        }
        let written = Written::Csv { rows: Box::new(rows), headings };
        Ok(Self { written, number: 1, encoding })
    }

    /// The same for a sheet that is taken as a whole or not at all: its rows are counted before the
    /// first one can be used.
    ///
    /// # Errors
    /// [`Wrong`] also when there are more than `rows_max`.
    pub fn whole(
        mut source: R,
        (form, asked): (Form, Encoding),
        rows_max: usize,
        lang: Lang,
    ) -> Result<Self, Wrong> {
        let encoding = {
            let mut rows = Rows::open(&mut source, form, asked, lang)?;
            check_count(rows.count(lang)?, rows_max, lang)?;
            rows.encoding
        };
        Self::open(source, form, encoding, lang)
    }

    /// Goes through the rows that are left and counts those that are not empty.
    ///
    /// # Errors
    /// [`Wrong`] when reading broke off.
    pub fn count(&mut self, lang: Lang) -> Result<usize, Wrong> {
        let mut count = 0;
        while self.next(lang)?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        match &self.written {
            Written::Csv { rows, .. } => rows.text().position(),
            Written::Lines { bytes, .. } => *bytes,
        }
    }

    /// The row that was read last.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The next row that is not empty, with its number.
    ///
    /// # Errors
    /// [`Wrong`] when reading broke off.
    pub fn next(&mut self, lang: Lang) -> Result<Option<Numbered>, Wrong> {
        loop {
            let Some(read) = self.one(lang).map_err(|error| unread(&error, lang))? else {
                return Ok(None);
            };
            self.number += 1;
            if let Some(read) = read.transpose() {
                return Ok(Some((self.number, read)));
            }
        }
    }

    /// A row; none in it when it is empty.
    fn one(&mut self, lang: Lang) -> io::Result<Option<Result<Option<Value>, Wrong>>> {
        match &mut self.written {
            Written::Csv { rows, headings } => Ok(rows.row()?.map(|row| match row {
                Row::Cells(cells) => headings.value(&cells, lang),
                Row::TooLong => Err(too_long(lang)),
                Row::Unclosed => Err(unclosed(lang)),
            })),
            Written::Lines { text, bytes } => {
                let Some((read, line)) = line(text)? else { return Ok(None) };
                *bytes += read;
                Ok(Some(match line {
                    None => Err(too_long(lang)),
                    Some(line) if line.trim().is_empty() => Ok(None),
                    Some(line) => {
                        serde_json::from_str(&line).map(Some).map_err(|error| no_json(&error, lang))
                    }
                }))
            }
        }
    }
}

/// One line with the bytes it took; no text when it is too long.
fn line<R: Read>(text: &mut BufReader<Text<R>>) -> io::Result<Option<(u64, Option<String>)>> {
    let mut line = Vec::new();
    let limit = IMPORT_ROW_BYTES_MAX as u64 + 1;
    let mut read = text.by_ref().take(limit).read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    let whole = line.ends_with(b"\n") || line.len() <= IMPORT_ROW_BYTES_MAX;
    if !whole {
        read += text.skip_until(b'\n')?;
    }
    // The text was decoded to UTF-8.
    let line = whole.then(|| String::from_utf8_lossy(&line).into_owned());
    Ok(Some((read as u64, line)))
}

fn too_long(lang: Lang) -> Wrong {
    Wrong::new(
        "ROW_TOO_LONG",
        lang.pick(
            format!("此行超过 {IMPORT_ROW_BYTES_MAX} 字节或格数过多"),
            format!("the row has over {IMPORT_ROW_BYTES_MAX} bytes, or too many cells"),
        ),
        lang.pick("检查是否有未配对的引号", "look for a quote that is not closed"),
    )
}

fn unclosed(lang: Lang) -> Wrong {
    Wrong::new(
        "QUOTE_OPEN",
        lang.pick("文件在引号之内结束", "the file ends within quotes"),
        lang.pick(
            "文件可能不完整：重新导出；或补上缺少的引号",
            "it may have been cut: export it again, or add the missing quote",
        ),
    )
}

fn no_json(error: &serde_json::Error, lang: Lang) -> Wrong {
    Wrong::new(
        "JSON",
        lang.pick(format!("不是 JSON：{error}"), format!("is not JSON: {error}")),
        lang.pick("每行写一件案件", "write one case a line"),
    )
}

fn in_doubt(encoding: Encoding, lang: Lang) -> Wrong {
    let name = encoding.name();
    unusable(
        lang.pick(
            format!("不是 UTF-8；可能是 {name}，但没有中文表头可以核实"),
            format!("is not UTF-8; perhaps {name}, but no Chinese heading proves it"),
        ),
        lang.pick(
            "确认后指明编码 GB18030（命令行加 --encoding gb18030）",
            "if you are sure, say that it is GB18030 (--encoding gb18030)",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_copied_out_of_a_spreadsheet_has_tabs() {
        let text = "案由\t线索来源\t污染要素\t违法类型\t发现时间\n\
                    \"甲\n乙，丙\"\t投诉举报\t水\t超标排放水污染物\t2026/8/3 9:48\n\t\t\t\t\n";
        assert_eq!(Form::pasted("案由,线索来源\n\t,"), Form::CSV);
        let mut rows =
            Rows::open(io::Cursor::new(text), Form::pasted(text), Encoding::Auto, Lang::Zh)
                .unwrap();
        let (number, row) = rows.next(Lang::Zh).unwrap().unwrap();
        assert_eq!((number, row.unwrap()["title"].as_str()), (2, Some("甲\n乙，丙")));
        assert_eq!(rows.next(Lang::Zh), Ok(None), "cells that are all empty are no row");
    }

    #[test]
    fn rows_are_counted_before_the_first_one_is_used() {
        let lines = "{\"title\":\"甲\"}\n\nno case\n{}\n";
        let whole = |rows_max| {
            let form = (Form::Lines, Encoding::Auto);
            Rows::whole(io::Cursor::new(lines), form, rows_max, Lang::En)
        };
        let refused = whole(2).map(|_| ()).unwrap_err();
        assert!(refused.what.contains("3 rows, the limit is 2"), "{}", refused.what);
        let mut rows = whole(3).unwrap();
        let (number, first) = rows.next(Lang::En).unwrap().unwrap();
        assert_eq!((number, first.unwrap()["title"].as_str()), (1, Some("甲")));
        assert_eq!(rows.count(Lang::En), Ok(2), "what is no case is a row of the report, too");
    }
}
