//! Warnings of a node's status that this room finds: the rest come from the node.
//!
//! In scope: their words, in both languages. Out of scope: when they are given
//! ([`super::node_service`]).

use crate::domain::both;

/// The audit cannot be written.
pub(super) fn audit_warning(why: &str) -> String {
    both(
        &format!("审计记录有问题，请检查 audit 目录：{why}"),
        &format!("the audit is in trouble, look into the folder audit: {why}"),
    )
}

/// What is to be done about years whose workdays are not known.
pub(super) fn missing_years(years: &[i32]) -> Option<String> {
    let first = years.first()?;
    let years = years.iter().map(i32::to_string).collect::<Vec<_>>().join("、");
    let zh = format!(
        "没有 {years} 年的节假日安排，涉及的时限只能标注“暂定”，要晚很多天才算逾期：\
         请写入 workdays_file（如 workdays-{first}.json）并重启节点"
    );
    Some(both(&zh, &format!("no workdays of {first} and later: set workdays_file, and restart")))
}
