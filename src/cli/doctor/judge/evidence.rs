//! How the store of evidence files is, in the doctor's words.

use super::{Finding, Level, seconds};
use crate::cli::table;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// A store that has been away this long does not come back by itself.
const AWAY_S: i64 = 600;
/// Of a hundred: from here on somebody should make room.
const FULL_PERCENT: u64 = 90;

pub(super) fn judge(store: &pb::EvidenceStore, now_s: i64, lang: Lang) -> Finding {
    let (used, limit) = (store.used_bytes, store.limit_bytes);
    let (used_mib, limit_mib) = (used >> 20, limit >> 20);
    let what = match store.counted {
        true => lang.pick(
            format!("{used_mib} MiB，上限 {limit_mib} MiB"),
            format!("{used_mib} of {limit_mib} MiB"),
        ),
        false => lang.pick("尚未清点".to_owned(), "not counted yet".to_owned()),
    };
    let mut found = Finding::green("evidence", what).of(table::clean(&store.place));
    found.last = store.last_answer_time;
    if !store.error.is_empty() {
        let why = table::clean(&store.error);
        found.what = lang.pick(format!("存储不可用：{why}"), format!("cannot be used: {why}"));
        let advice = lang.pick(
            "检查 [evidence] 设置、密钥和该存储；证据文件暂不能收发，案件办理不受影响",
            "check [evidence], its key and the store; files wait, work on cases goes on",
        );
        let since = store.last_answer_time.as_ref();
        let away_s = since.map_or(i64::MAX, |at| now_s.saturating_sub(seconds(Some(at))));
        let level = if away_s > AWAY_S { Level::Red } else { Level::Yellow };
        return found.at(level, advice);
    }
    if used.saturating_mul(100) >= limit.saturating_mul(FULL_PERCENT) && limit > 0 {
        let advice = lang.pick(
            "扩容后调大 limits.evidence_folder_bytes_max；满了之后不再接收文件",
            "add room and raise limits.evidence_folder_bytes_max; a full one takes no file",
        );
        return found.at(Level::Yellow, advice);
    }
    found
}
