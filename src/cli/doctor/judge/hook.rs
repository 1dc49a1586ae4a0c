//! How nudging goes, in the doctor's words.

use super::{Finding, Level};
use crate::cli::table;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

pub(super) fn judge(hook: &pb::Hook, lang: Lang) -> Finding {
    let waiting = hook.waiting_count;
    let what = match (hook.last_success_time, waiting) {
        (None, 0) => lang.pick("尚无需提醒".to_owned(), "nothing to tell yet".to_owned()),
        (_, 0) => lang.pick("没有待办事项".to_owned(), "nothing waits".to_owned()),
        (_, _) => lang.pick(format!("待办 {waiting} 项"), format!("{waiting} wait")),
    };
    let mut found = Finding::green("hook", what).of(table::clean(&hook.target));
    (found.last, found.next) = (hook.last_success_time, hook.next_try_time);
    if hook.error.is_empty() {
        return found;
    }
    let why = table::clean(&hook.error);
    found.what += &lang.pick(format!("；未送达：{why}"), format!("; not taken: {why}"));
    let advice = lang.pick(
        "用 liandong hook test 试发，按提示检查 [hook] 设置；案件办理不受影响",
        "try liandong hook test and check [hook]; work on cases is not affected",
    );
    found.at(Level::Yellow, advice)
}
