//! From a row of a sheet to a case in the sample shape.
//!
//! In scope: headings, cells, what is missing. Out of scope: whether the case is right, which the
//! domain and the node decide.
//!
//! An unknown heading is refused, so that a misspelt one is not lost in silence.

use serde_json::{Map, Value, json};

use super::unusable;
use crate::lang::Lang;
use crate::shown::table::columns::{COLUMNS, Codes, Column, Kind};
use crate::shown::table::{Wrong, cells};
use crate::shown::text::clean;

/// The columns of a file, in its order.
#[derive(Debug)]
pub struct Headings {
    columns: Vec<&'static Column>,
}

impl Headings {
    /// Reads the first row.
    ///
    /// # Errors
    /// [`Wrong`] naming what is unknown, given twice or missing.
    pub fn read(first: &[String], lang: Lang) -> Result<Self, Wrong> {
        let mut columns: Vec<&'static Column> = Vec::new();
        for cell in first {
            let text = cells::unescaped(cell);
            let column = Column::named(text).ok_or_else(|| unknown(text, lang))?;
            if columns.contains(&column) {
                let what = lang.pick(
                    format!("表头“{}”出现两次", column.zh),
                    format!("the heading {:?} stands there twice", column.en),
                );
                return Err(unusable(what, lang.pick("保留一列", "keep one of them")));
            }
            columns.push(column);
        }
        match COLUMNS.iter().find(|one| one.required && !columns.contains(one)) {
            None => Ok(Self { columns }),
            Some(missing) => {
                let what = lang.pick(
                    format!("缺少“{}”一列", missing.zh),
                    format!("the column {:?} is missing", missing.en),
                );
                Err(unusable(what, see_template(lang)))
            }
        }
    }

    /// A heading proves that its Chinese characters were read as they were written.
    #[must_use]
    pub fn prove_chinese(first: &[String]) -> bool {
        first.iter().any(|cell| !cell.is_ascii() && Column::named(cells::unescaped(cell)).is_some())
    }

    /// Reads a row; `None` when all its cells are empty.
    ///
    /// # Errors
    /// [`Wrong`] naming the column.
    pub fn value(&self, row: &[String], lang: Lang) -> Result<Option<Value>, Wrong> {
        if row.iter().all(|cell| cells::unescaped(cell).is_empty()) {
            return Ok(None);
        }
        if row.len() != self.columns.len() {
            let (got, want) = (row.len(), self.columns.len());
            return Err(Wrong::new(
                "CELLS",
                lang.pick(
                    format!("此行有 {got} 格，表头有 {want} 格"),
                    format!("{got} cells under {want} headings"),
                ),
                lang.pick(
                    "检查此行的逗号和引号；内容含逗号时须加引号",
                    "look for commas and quotes; a cell with a comma needs quotes",
                ),
            ));
        }
        let mut case = Map::new();
        for (column, cell) in self.columns.iter().zip(row) {
            let text = cells::unescaped(cell);
            if text.is_empty() {
                if column.required {
                    let what = lang.pick("此格必填", "this cell must be filled");
                    return Err(Wrong::new("REQUIRED", what, lang.pick("补填", "fill it"))
                        .at(column.heading(lang)));
                }
                continue;
            }
            if column.is_read() {
                let value = read(column.kind, text, lang);
                let value = value.map_err(|wrong| wrong.at(column.heading(lang)))?;
                set(&mut case, column.path, value);
            }
        }
        complete(&mut case);
        Ok(Some(Value::Object(case)))
    }
}

/// What follows from what is there: whether a party is a firm or a person.
fn complete(case: &mut Map<String, Value>) {
    if let Some(Value::Object(party)) = case.get_mut("party")
        && !party.contains_key("type")
    {
        let firm = party.contains_key("name") || party.contains_key("uscc");
        let kind = match (firm, party.contains_key("masked_name")) {
            (true, _) => "LEGAL_PERSON",
            (false, true) => "NATURAL_PERSON",
            (false, false) => "UNKNOWN",
        };
        party.insert("type".to_owned(), json!(kind));
    }
}

fn read(kind: Kind, text: &str, lang: Lang) -> Result<Value, Wrong> {
    Ok(match kind {
        Kind::Text | Kind::Shown => json!(text),
        Kind::Id => json!(cells::id(text, lang)?),
        Kind::Date => json!(cells::date(text, lang)?),
        Kind::Time => json!(cells::time(text, lang)?),
        Kind::Code(codes) => json!(code(codes, text, lang)?),
        Kind::YesNo => json!(yes(text, lang)?),
        Kind::City => json!(city(text, lang)?),
        Kind::Officers => officers(text, lang)?,
        Kind::Json => parsed(text, lang)?,
    })
}

fn code(codes: Codes, text: &str, lang: Lang) -> Result<&'static str, Wrong> {
    codes.code(text).ok_or_else(|| {
        let all: Vec<_> = codes.all(lang).into_iter().map(|(_, word)| word).collect();
        let all = all.join(lang.pick("、", ", "));
        Wrong::new(
            "CODE_UNKNOWN",
            lang.pick(format!("没有“{text}”"), format!("there is no {text:?}")),
            lang.pick(format!("可用：{all}"), format!("use one of: {all}")),
        )
    })
}

fn yes(text: &str, lang: Lang) -> Result<bool, Wrong> {
    match text.to_ascii_lowercase().as_str() {
        "是" | "yes" | "true" => Ok(true),
        "否" | "no" | "false" => Ok(false),
        _ => Err(Wrong::new(
            "CODE_UNKNOWN",
            lang.pick(format!("没有“{text}”"), format!("there is no {text:?}")),
            lang.pick("写“是”或“否”", "write yes or no"),
        )),
    }
}

/// A code of six digits, with or without a name before it.
fn city(text: &str, lang: Lang) -> Result<String, Wrong> {
    let code = text.rsplit(' ').next().unwrap_or_default();
    crate::ids::CityCode::parse(code).map(|city| city.to_string()).map_err(|_| {
        Wrong::new(
            "CITY_CODE",
            lang.pick(format!("“{text}”中没有市级代码"), format!("{text:?} names no city code")),
            lang.pick("写作“聊城 371500”，或留空", "write it like Liaocheng 371500, or leave it"),
        )
    })
}

fn officers(text: &str, lang: Lang) -> Result<Value, Wrong> {
    if text.starts_with('[') {
        return parsed(text, lang);
    }
    let one = |officer: &str| {
        let (cert_no, unit) = officer.trim().split_once(char::is_whitespace)?;
        Some(json!({ "cert_no": cert_no, "org_zh": unit.trim() }))
    };
    let all: Option<Vec<Value>> = text.split(['；', ';']).map(one).collect();
    all.map(Value::Array).ok_or_else(|| {
        Wrong::new(
            "OFFICERS",
            lang.pick(format!("“{text}”不是执法人员名单"), format!("{text:?} is no officers")),
            lang.pick(
                "每人写“执法证号 单位”，多人以“；”隔开",
                "write CERTIFICATE UNIT for each, joined by ;",
            ),
        )
    })
}

fn parsed(text: &str, lang: Lang) -> Result<Value, Wrong> {
    serde_json::from_str(text).map_err(|error| {
        Wrong::new(
            "JSON",
            lang.pick(format!("不是 JSON：{error}"), format!("is not JSON: {error}")),
            lang.pick("写法见导出的文件；没有内容则留空", "an export shows how; or leave it empty"),
        )
    })
}

fn set(case: &mut Map<String, Value>, path: &str, value: Value) {
    let Some((outer, inner)) = path.split_once('.') else {
        case.insert(path.to_owned(), value);
        return;
    };
    let object = case.entry(outer).or_insert_with(|| json!({}));
    if let Value::Object(object) = object {
        object.insert(inner.to_owned(), value);
    }
}

fn unknown(text: &str, lang: Lang) -> Wrong {
    let shown: String = clean(text).chars().take(60).collect();
    let what = lang.pick(format!("不认识表头“{shown}”"), format!("there is no heading {shown:?}"));
    let advice = if text.contains(['\t', ';', '；']) {
        lang.pick(
            "以逗号分隔：在表格软件中另存为“CSV UTF-8（逗号分隔）”",
            "separate cells by commas: save it as \"CSV UTF-8 (comma delimited)\"",
        )
    } else {
        see_template(lang)
    };
    unusable(what, advice)
}

fn see_template(lang: Lang) -> &'static str {
    lang.pick(
        "可用的表头见空白模板（命令行：liandong case import --template）",
        "the template has the headings (liandong case import --template prints it)",
    )
}

#[cfg(test)]
mod tests {
    use super::super::draft;
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    const PLAIN: [&str; 5] = ["案由", "线索来源", "污染要素", "违法类型", "发现时间"];

    #[test]
    fn a_row_becomes_a_case() {
        let first = row(&[&PLAIN[..], &["统一社会信用代码", "执法人员", "状态"]].concat());
        let headings = Headings::read(&first, Lang::Zh).unwrap();
        let cells = row(&[
            "'=示例",
            "投诉举报",
            "WATER",
            "超标排放水污染物",
            "2026/8/3 9:48",
            "\t91371522YYYY90011A",
            "37150099011 甲支队；37150099022 乙支队",
            "已结案",
        ]);
        let value = headings.value(&cells, Lang::Zh).unwrap().unwrap();
        assert!(value.get("state").is_none(), "only shown");
        let draft = draft::parse(value).unwrap();
        assert_eq!(draft.record.title, "=示例");
        let party = draft.record.party.unwrap();
        assert_eq!((party.uscc.as_str(), party.r#type), ("91371522YYYY90011A", 1));
        assert_eq!(draft.record.officers[1].unit, "乙支队");
        assert_eq!(headings.value(&row(&[""; 8]), Lang::Zh), Ok(None), "Excel leaves such rows");
        let short = headings.value(&row(&["a"]), Lang::Zh).unwrap_err();
        assert_eq!(short.reason, "CELLS");
    }

    #[test]
    fn what_is_wrong_is_named_by_its_column() {
        let headings = Headings::read(&row(&PLAIN), Lang::En).unwrap();
        let refused = |cells: &[&str]| {
            let wrong = headings.value(&row(cells), Lang::En).unwrap_err();
            (wrong.column, wrong.reason)
        };
        let plain = ["t", "COMPLAINT", "AIR", "AIR_EXCEED", "2026-08-03 9:48"];
        assert!(headings.value(&row(&plain), Lang::En).is_ok());
        for (place, cell, column, reason) in [
            (0, "", "title", "REQUIRED"),
            (1, "举报", "source", "CODE_UNKNOWN"),
            (4, "8/3/2026 9:48", "discovered at", "DATE_ORDER"),
        ] {
            let mut cells = plain;
            cells[place] = cell;
            assert_eq!(refused(&cells), (column.to_owned(), reason.to_owned()));
        }
        for bad in [&["案由", "案由"][..], &["案 由"], &["案由", "线索来源"], &["案由;线索来源"]]
        {
            assert!(Headings::read(&row(bad), Lang::Zh).is_err(), "{bad:?}");
        }
        assert!(Headings::prove_chinese(&row(&["a", "案由"])));
        assert!(!Headings::prove_chinese(&row(&["title", "未知"])));
    }
}
