//! Rows of a file, CSV or NDJSON, each with its number in the file.

use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use serde_json::Value;

use super::super::sheet::Wrong;
use super::super::sheet::csv::{self, Row};
use super::super::sheet::encoding::{Encoding, Text};
use super::super::sheet::rows::Headings;
use crate::cli::failure::Failure;
use crate::lang::Lang;
use crate::limits::IMPORT_ROW_BYTES_MAX;

/// Rows of a file.
pub(super) enum Rows {
    /// Below their headings.
    Csv { rows: Box<csv::Rows<Text>>, headings: Headings, number: u64 },
    /// One case a line.
    Lines { text: BufReader<Text>, number: u64, bytes: u64 },
}

impl Rows {
    /// By the name of the file.
    pub(super) fn open(path: &Path, text: Text, lang: Lang) -> Result<Self, Failure> {
        let ending = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        match ending.as_deref() {
            Some("csv") => Self::csv(path, text, lang),
            Some("ndjson" | "jsonl") if text.in_doubt => Err(in_doubt(path, text.encoding, lang)),
            Some("ndjson" | "jsonl") => {
                Ok(Self::Lines { text: BufReader::new(text), number: 0, bytes: 0 })
            }
            Some(_) | None => {
                let shown = path.display();
                Err(Failure::local(lang.pick(
                    format!("{shown}：文件名应以 .csv 或 .ndjson 结尾"),
                    format!("{shown}: the name must end in .csv or .ndjson"),
                )))
            }
        }
    }

    fn csv(path: &Path, text: Text, lang: Lang) -> Result<Self, Failure> {
        let shown = path.display();
        let (in_doubt, encoding) = (text.in_doubt, text.encoding);
        let mut rows = csv::Rows::new(text);
        let first = rows.row().map_err(|error| {
            Failure::local(lang.pick(
                format!("{shown}：无法读取（{error}）"),
                format!("{shown}: cannot be read ({error})"),
            ))
        })?;
        let Some(Row::Cells(first)) = first else {
            return Err(Failure::local(
                lang.pick(format!("{shown}：没有表头"), format!("{shown}: has no headings")),
            ));
        };
        let headings = Headings::read(&first, lang)?;
        if in_doubt && !Headings::prove_chinese(&first) {
            return Err(self::in_doubt(path, encoding, lang));
        }
        Ok(Self::Csv { rows: Box::new(rows), headings, number: 1 })
    }

    /// Bytes read so far.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Csv { rows, .. } => rows.text().position(),
            Self::Lines { bytes, .. } => *bytes,
        }
    }

    /// The next row that is not empty, with its number in the file.
    pub(super) fn next(&mut self, lang: Lang) -> io::Result<Option<(u64, Result<Value, Wrong>)>> {
        match self {
            Self::Csv { rows, headings, number } => loop {
                let Some(row) = rows.row()? else { return Ok(None) };
                *number += 1;
                let read = match row {
                    Row::Cells(cells) => headings.value(&cells, lang),
                    Row::TooLong => Err(too_long(lang)),
                    Row::Unclosed => Err(unclosed(lang)),
                };
                if let Some(read) = read.transpose() {
                    return Ok(Some((*number, read)));
                }
            },
            Self::Lines { text, number, bytes } => loop {
                let Some((read, line)) = line(text)? else { return Ok(None) };
                (*number, *bytes) = (*number + 1, *bytes + read);
                match line {
                    None => return Ok(Some((*number, Err(too_long(lang))))),
                    Some(line) if line.trim().is_empty() => {}
                    Some(line) => {
                        let read = serde_json::from_str(&line).map_err(|error| {
                            Wrong::new(
                                "JSON",
                                lang.pick(
                                    format!("不是 JSON：{error}"),
                                    format!("is not JSON: {error}"),
                                ),
                                lang.pick("每行写一件案件", "write one case a line"),
                            )
                        });
                        return Ok(Some((*number, read)));
                    }
                }
            },
        }
    }
}

/// One line with the bytes it took; no text when it is too long.
fn line(text: &mut BufReader<Text>) -> io::Result<Option<(u64, Option<String>)>> {
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

fn in_doubt(path: &Path, encoding: Encoding, lang: Lang) -> Failure {
    let (shown, name) = (path.display(), encoding.name());
    Failure::local(lang.pick(
        format!("{shown}：不是 UTF-8；可能是 {name}，但没有中文表头可以核实"),
        format!("{shown}: is not UTF-8; perhaps {name}, but no Chinese heading proves it"),
    ))
    .advise(lang.pick("确认后加 --encoding gb18030", "if you are sure, use --encoding gb18030"))
}
