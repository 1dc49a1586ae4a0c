//! Whether the workdays that deadlines are counted in are known, in the doctor's words.

use super::{Finding, Level};
use crate::lang::Lang;

/// Judges the years that should be known and are not.
#[must_use]
pub fn calendar(missing: &[i32], lang: Lang) -> Finding {
    let Some(first) = missing.first() else {
        return Finding::green("calendar", lang.pick("节假日安排齐全", "all years are known"));
    };
    let years: Vec<String> = missing.iter().map(i32::to_string).collect();
    let years = years.join(lang.pick("、", ", "));
    let what = lang.pick(
        format!("没有 {years} 年的节假日安排，涉及的时限只能标注“暂定”，要晚很多天才算逾期"),
        format!("{years} not known: deadlines are provisional, and overdue many days late only"),
    );
    let advice = lang.pick(
        format!("将国务院的安排写入 workdays_file（如 workdays-{first}.json），重启节点"),
        format!("name a file with it in workdays_file (say workdays-{first}.json), restart"),
    );
    Finding::green("calendar", what).at(Level::Yellow, advice)
}
