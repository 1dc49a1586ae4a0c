//! Cells as Excel and WPS leave them in a CSV file.
//!
//! In scope: dates, times and long numbers that a spreadsheet has rewritten, and cells that it
//! would run as formulas. Out of scope: whether a value is right, which the node decides.
//!
//! A program shows `2026-08-03` as `2026/8/3`, keeps it as 46237, and turns a credit code into
//! `9.13715E+17`. What can only mean one thing is taken; everything else is refused, because the
//! wrong day or another firm would be signed.

use super::Wrong;
use crate::lang::Lang;
use crate::shown::when;

/// Digits that a spreadsheet keeps of a number; the rest it turns into zeros.
const DIGITS_KEPT: usize = 15;
/// Days from 1899-12-30, where the serial numbers of Excel for Windows begin, to 1970-01-01.
const SERIAL_OF_1970: i64 = 25_569;

/// Characters with which a formula begins (a tab or return hides one from the eye), in both widths,
/// and the quote that marks a cell as text.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠', '\''];

/// Reads a day; gives `2026-08-03`.
///
/// # Errors
/// [`Wrong`] when it could be another day: `EXCEL_SERIAL`, `DATE_ORDER`, `DATE_WITH_TIME`,
/// `DATE_FORMAT`.
pub fn date(text: &str, lang: Lang) -> Result<String, Wrong> {
    let (day, time) = split(text);
    let day = self::day(day, text, lang)?;
    let midnight = time.split(':').all(|part| part.trim_matches(['0', '.']).is_empty());
    if time.is_empty() || midnight {
        return Ok(day);
    }
    Err(Wrong::new(
        "DATE_WITH_TIME",
        lang.pick(
            format!("“{text}”带有时刻，此列只写日期"),
            format!("{text:?} has a time of day; this column takes a day"),
        ),
        lang.pick("改写为 2026-08-03 的形式", "write it like 2026-08-03"),
    ))
}

/// Reads an instant; without an offset it is Beijing time. Gives RFC 3339.
///
/// # Errors
/// [`Wrong`] as for [`date`], and `TIME_FORMAT`.
pub fn time(text: &str, lang: Lang) -> Result<String, Wrong> {
    if when::parse_millis(text).is_ok() {
        return Ok(text.to_owned());
    }
    let (day, clock) = split(text);
    let day = self::day(day, text, lang)?;
    let wrong = || {
        Wrong::new(
            "TIME_FORMAT",
            lang.pick(
                format!("“{text}”没有时刻，或时刻不明确"),
                format!("{text:?} has no time of day, or none that is clear"),
            ),
            lang.pick(
                "写作 2026-08-03 9:48（24 小时制，北京时间）",
                "write it like 2026-08-03 9:48, 24 hours, Beijing time",
            ),
        )
    };
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next(), parts.next(), parts.next().unwrap_or("00"));
    let two = |part: &str| part.len() <= 2 && is_digits(part);
    let (Some(hour), Some(minute), None) = (hour, minute, parts.next()) else {
        return Err(wrong());
    };
    let (whole, _) = second.split_once('.').unwrap_or((second, ""));
    if !two(hour) || !two(minute) || !two(whole) {
        return Err(wrong());
    }
    let second = format!("{:0>2}{}", whole, second.strip_prefix(whole).unwrap_or_default());
    let full = format!("{day}T{hour:0>2}:{minute:0>2}:{second}+08:00");
    when::parse_millis(&full).map(|_| full).map_err(|_| wrong())
}

/// Reads a number that is a name, such as a credit code: nothing may have been rounded.
///
/// # Errors
/// [`Wrong`]: `EXCEL_SCIENTIFIC`, `EXCEL_ROUNDED`.
pub fn id(text: &str, lang: Lang) -> Result<String, Wrong> {
    let advice = lang.pick(
        "在表格中把此列设为“文本”，从原系统重新粘贴后另存",
        "make the column text in the spreadsheet, paste it again from where it came, save anew",
    );
    if is_scientific(text) {
        return Err(Wrong::new(
            "EXCEL_SCIENTIFIC",
            lang.pick(
                format!("“{text}”是被表格软件改成科学计数的号码，原号已丢失"),
                format!("{text:?} was rewritten by a spreadsheet; the number is lost"),
            ),
            advice,
        ));
    }
    let tail = text.get(DIGITS_KEPT..).unwrap_or_default();
    if is_digits(text) && !tail.is_empty() && tail.bytes().all(|b| b == b'0') {
        return Err(Wrong::new(
            "EXCEL_ROUNDED",
            lang.pick(
                format!("“{text}”第 {DIGITS_KEPT} 位之后全是 0，疑被表格软件截断"),
                format!("{text:?} has zeros only behind digit {DIGITS_KEPT}: likely rounded"),
            ),
            advice,
        ));
    }
    Ok(text.to_owned())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    whole.len() == 1 && is_digits(whole) && is_digits(decimals) && is_digits(exponent)
}

/// Day and time of day; the latter empty when there is none.
fn split(text: &str) -> (&str, &str) {
    match text.split_once([' ', 'T']) {
        Some((day, time)) => (day, time.trim()),
        None => (text, ""),
    }
}

fn day(day: &str, text: &str, lang: Lang) -> Result<String, Wrong> {
    let advice = || lang.pick("改写为 2026-08-03 的形式", "write it like 2026-08-03").to_owned();
    let (whole, fraction) = day.split_once('.').unwrap_or((day, "0"));
    if is_digits(whole) && whole.len() <= 7 && is_digits(fraction) {
        return Err(serial(whole, text, lang));
    }
    let plain = day.replace(['年', '月'], "-");
    let plain = plain.strip_suffix('日').unwrap_or(&plain);
    let eight = is_digits(plain) && plain.len() == 8;
    let parts: Vec<&str> = if eight {
        let (year, rest) = plain.split_at_checked(4).unwrap_or_default();
        let (month, day) = rest.split_at_checked(2).unwrap_or_default();
        vec![year, month, day]
    } else {
        let mark = plain.chars().find(|c| ['-', '/', '.'].contains(c)).unwrap_or('-');
        plain.split(mark).collect()
    };
    let numbers = parts.iter().all(|part| is_digits(part));
    match parts.as_slice() {
        [year, month, day] if numbers && year.len() == 4 && month.len() <= 2 && day.len() <= 2 => {
            let day = format!("{year}-{month:0>2}-{day:0>2}");
            when::parse_date(&day).map(|_| day).map_err(|_| {
                let what = lang.pick(
                    format!("没有“{text}”这一天"),
                    format!("there is no such day as {text:?}"),
                );
                Wrong::new("DATE_FORMAT", what, advice())
            })
        }
        [_, _, _] if numbers => Err(Wrong::new(
            "DATE_ORDER",
            lang.pick(
                format!("“{text}”分不清年、月、日的次序"),
                format!("{text:?}: which is the year, the month, the day cannot be told"),
            ),
            advice(),
        )),
        _ => Err(Wrong::new(
            "DATE_FORMAT",
            lang.pick(format!("“{text}”不是日期"), format!("{text:?} is not a date")),
            advice(),
        )),
    }
}

/// A serial number means one day in Excel for Windows and a day four years later in files that
/// began on a Mac.
fn serial(whole: &str, text: &str, lang: Lang) -> Wrong {
    let days: i64 = whole.parse().unwrap_or(0);
    let seconds = days.saturating_sub(SERIAL_OF_1970).saturating_mul(86_400);
    let likely = jiff::Timestamp::from_second(seconds)
        .map(|at| at.strftime("%Y-%m-%d").to_string())
        .unwrap_or_default();
    Wrong::new(
        "EXCEL_SERIAL",
        lang.pick(
            format!("“{text}”是表格软件内部的日期序号，起点有 1900、1904 两种，不能确定是哪一天"),
            format!("{text:?} is a spreadsheet's own number of a day, counted from 1900 or 1904"),
        ),
        lang.pick(
            format!("把此列设为日期格式 yyyy-mm-dd 后另存（按 1900 起算为 {likely}）"),
            format!("format the column as yyyy-mm-dd and save again (from 1900 it is {likely})"),
        ),
    )
}

/// A cell so that no spreadsheet runs it as a formula.
#[must_use]
pub fn escaped(text: &str) -> String {
    if text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() }
}

/// A cell as it was before [`escaped`]; space around it is dropped.
#[must_use]
pub fn unescaped(cell: &str) -> &str {
    let cell = cell.trim();
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(FORMULA) => rest,
        Some(_) | None => cell,
    }
}

/// A number that is a name, so that a spreadsheet leaves it as it is: behind a tab, which
/// [`unescaped`] drops.
#[must_use]
pub fn kept_as_text(text: &str) -> String {
    let rewritten = |c: char| c.is_ascii_digit() || ".-/:+Ee ".contains(c);
    if text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(rewritten) {
        format!("\t{text}")
    } else {
        escaped(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(read: Result<String, Wrong>) -> String {
        read.map_or_else(|wrong| wrong.reason, |text| format!("={text}"))
    }

    #[test]
    fn excel_surprises_are_refused() {
        for plain in [
            "2026-08-03",
            "2026/8/3",
            "2026/08/03",
            "2026.8.3",
            "2026年8月3日",
            "20260803",
            "2026-08-03 0:00",
            "2026/8/3 0:00:00",
            "2026-08-03T00:00:00",
        ] {
            assert_eq!(reason(date(plain, Lang::Zh)), "=2026-08-03", "{plain}");
        }
        for (given, want) in [
            ("8/3/2026", "DATE_ORDER"),
            ("13/8/2026", "DATE_ORDER"),
            ("26-8-3", "DATE_ORDER"),
            ("46237", "EXCEL_SERIAL"),
            ("46237.41", "EXCEL_SERIAL"),
            ("2026-08-03 9:48", "DATE_WITH_TIME"),
            ("2026-02-30", "DATE_FORMAT"),
            ("2026-8/3", "DATE_FORMAT"),
            ("Aug-26", "DATE_FORMAT"),
            ("八月三日", "DATE_FORMAT"),
            ("", "DATE_FORMAT"),
            ("20261303", "DATE_FORMAT"),
        ] {
            assert_eq!(reason(date(given, Lang::En)), want, "{given}");
        }
        assert!(date("46237", Lang::Zh).unwrap_err().advice.contains("2026-08-03"));
    }

    #[test]
    fn times_are_of_beijing_unless_they_say_otherwise() {
        for (given, want) in [
            ("2026-08-03T09:48:00+08:00", "=2026-08-03T09:48:00+08:00"),
            ("2026/8/3 9:48", "=2026-08-03T09:48:00+08:00"),
            ("2026-08-03 09:48:07.250", "=2026-08-03T09:48:07.250+08:00"),
            ("2026-08-03 0:00", "=2026-08-03T00:00:00+08:00"),
            ("2026/8/3", "TIME_FORMAT"),
            ("2026/8/3 9:48 PM", "TIME_FORMAT"),
            ("2026-08-03 25:00", "TIME_FORMAT"),
            ("2026-08-03 下午3:00", "TIME_FORMAT"),
            ("46237.41", "EXCEL_SERIAL"),
            ("8/3/2026 9:48", "DATE_ORDER"),
        ] {
            assert_eq!(reason(time(given, Lang::Zh)), want, "{given}");
        }
    }

    #[test]
    fn rounded_numbers_are_noticed() {
        assert_eq!(reason(id("9.13715E+17", Lang::Zh)), "EXCEL_SCIENTIFIC");
        assert_eq!(reason(id("1.3E10", Lang::En)), "EXCEL_SCIENTIFIC");
        assert_eq!(reason(id("913715220000000000", Lang::Zh)), "EXCEL_ROUNDED");
        for good in ["91371522YYYY90011A", "13040099011", "370000000000000", "聊环〔2026〕1E5号"]
        {
            assert_eq!(reason(id(good, Lang::Zh)), format!("={good}"));
        }
    }

    #[test]
    fn what_looks_like_a_formula_is_text() {
        for text in ["=1+1", "+86 635", "-5", "@SUM(A1)", "'quoted", "＝cmd", "plain", "中文"] {
            let cell = escaped(text);
            assert!(!cell.starts_with(['=', '+', '-', '@', '＝']), "{cell}");
            assert_eq!(unescaped(&cell), text);
            assert_eq!(unescaped(&kept_as_text(text)), text);
        }
        for number in ["911304250000000551", "2026-3", "12E10"] {
            assert_eq!(kept_as_text(number), format!("\t{number}"));
            assert_eq!(unescaped(&kept_as_text(number)), number);
        }
    }
}
