//! What checks and joint actions came to: columns behind those of cases in a file, a table below
//! theirs on a screen.
//!
//! In scope: the columns. Out of scope: which rows there are ([`super`]).

use serde_json::{Value, json};

use super::{per_mille, share};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// How many columns there are.
pub(super) const COLUMNS: usize = 10;

/// Headings.
pub(super) const fn headings(lang: Lang) -> [&'static str; COLUMNS] {
    match lang {
        Lang::Zh => [
            "检查次数",
            "其中非现场检查",
            "非现场检查占比",
            "其中部门联合检查",
            "现场检查对象",
            "联合行动",
            "其中已总结",
            "发现问题",
            "形成线索",
            "转为案件",
        ],
        Lang::En => [
            "checks",
            "off-site checks",
            "off-site share of checks",
            "joint checks of departments",
            "sites visited",
            "joint actions",
            "summed up",
            "problems",
            "clues",
            "became cases",
        ],
    }
}

/// A row.
pub(super) fn cells(counts: pb::CheckCounts) -> [String; COLUMNS] {
    [
        counts.checks.to_string(),
        counts.off_site.to_string(),
        share(counts.off_site, counts.checks),
        counts.joint_checks.to_string(),
        counts.sites.to_string(),
        counts.actions.to_string(),
        counts.actions_summarized.to_string(),
        counts.problems.to_string(),
        counts.clues.to_string(),
        counts.cases.to_string(),
    ]
}

/// The same for programs.
pub(super) fn value(counts: pb::CheckCounts) -> Value {
    json!({
        "checks": counts.checks,
        "off_site": counts.off_site,
        "off_site_per_mille": per_mille(counts.off_site, counts.checks),
        "joint_checks": counts.joint_checks,
        "sites": counts.sites,
        "actions": counts.actions,
        "actions_summarized": counts.actions_summarized,
        "problems": counts.problems,
        "clues": counts.clues,
        "cases": counts.cases,
    })
}

/// What the columns count.
pub(super) const fn note(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => {
            "检查：检查对象上登记的检查和联合行动中实施的检查，按检查日期计，每次只计一次；\
             部门联合检查：两个以上部门一同到现场；\n联合行动：已开始、未取消的方案，按首日计；\
             发现问题、形成线索、转为案件：联合行动中的，按检查日期计，案件为截至目前的件数"
        }
        Lang::En => {
            "checks: those recorded of sites and visits of joint actions at which something was \
             checked, by their days, each once;\njoint checks: several departments together on \
             site; joint actions: plans that have begun and were not cancelled,\nby their first \
             days; problems, clues and cases: by the day of the visit, cases as they are now"
        }
    }
}
