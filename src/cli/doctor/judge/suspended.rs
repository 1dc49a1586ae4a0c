//! What is suspended here, in the doctor's words.

use super::{Finding, Level};
use crate::cli::names::Names;
use crate::cli::{table, when};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// An operator has suspended the whole city here.
pub(super) fn is_whole(status: &pb::Status, city: u32) -> bool {
    status.suspensions.iter().any(|one| one.city == city && one.log_id.is_empty())
}

/// Cases that nobody here can go on with before a suspension is lifted: how many, and whether there
/// may be more.
#[must_use]
pub fn held_cases((count, partial): (u32, bool), lang: Lang) -> Finding {
    if count == 0 {
        let none = lang.pick("无案件因暂停而不能办理", "none is held by a suspension");
        return Finding::green("cases", none);
    }
    let about = if partial { lang.pick("至少 ", "at least ") } else { "" };
    let what = lang.pick(
        format!("{about}{count} 件以已暂停城市的记录为依据，恢复前不能办理"),
        format!("{about}{count} rest on a suspended city and cannot go on before it is resumed"),
    );
    let advice = lang.pick(
        "名单：liandong case list --rests-on-suspended",
        "which: liandong case list --rests-on-suspended",
    );
    Finding::green("cases", what).at(Level::Yellow, advice)
}

pub(super) fn judge(status: &pb::Status, names: &Names, lang: Lang) -> Vec<Finding> {
    if status.suspensions.is_empty() {
        return vec![Finding::green("suspension", lang.pick("无", "none"))];
    }
    let one = |one: &pb::Suspension| {
        let since = when::time(one.suspend_time.as_ref());
        let (reason, by) = (table::clean(&one.reason), table::clean(&one.suspended_by));
        let city = one.city;
        let (what, advice) = if one.resuming {
            (
                lang.pick(
                    "已恢复，重启后生效".to_owned(),
                    "lifted from the next start on".to_owned(),
                ),
                lang.pick("重启本市节点".to_owned(), "restart the node".to_owned()),
            )
        } else if one.log_id.is_empty() {
            (
                lang.pick(
                    format!("{since} 由 {by} 在本机暂停：{reason}"),
                    format!("suspended here {since} by {by}: {reason}"),
                ),
                lang.pick(
                    format!("问题解决后运行 liandong resume {city}；其间该市的新记录不在本机生效"),
                    format!(
                        "liandong resume {city} once it is settled; its records wait until then"
                    ),
                ),
            )
        } else {
            let short = one.log_id.get(..8).unwrap_or_default();
            (
                lang.pick(
                    format!("日志 {short}… 一日内来量超过限额，{since} 起不再接收"),
                    format!("log {short}... outran its daily quota, not taken since {since}"),
                ),
                lang.pick(
                    format!("与该市核实来量是否属实；属实再运行 liandong resume {city}"),
                    format!("ask that city whether it wrote so much; then liandong resume {city}"),
                ),
            )
        };
        Finding::green("suspension", what).of(names.city(city)).at(Level::Yellow, advice)
    };
    status.suspensions.iter().map(one).collect()
}
