//! How the store of evidence files is, in the doctor's words.

use super::{Finding, Level, seconds};
use crate::cli::table;
use crate::ids::hex;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// A store that has been away this long does not come back by itself.
const AWAY_S: i64 = 600;
/// Of a hundred: from here on somebody should make room.
const FULL_PERCENT: u64 = 90;

pub(super) fn judge(store: &pb::EvidenceStore, now_s: i64, lang: Lang) -> Vec<Finding> {
    let mut found = vec![place(store, now_s, lang)];
    if store.rotten_count > 0 {
        let first = store.rotten_sha256.first().map(|sha256| hex(sha256)).unwrap_or_default();
        let (count, first) = (store.rotten_count, first.get(..8).unwrap_or_default());
        let what = lang.pick(
            format!("{count} 份文件已损坏并隔离（{first}…）"),
            format!("{count} files have rotted and are set aside ({first}...)"),
        );
        let advice = lang.pick(
            "正向其他城市自动取回；取不回的，请原上传人重新上传，并检查磁盘",
            "they are fetched from other cities again; else send them once more; check the disk",
        );
        found.push(Finding::green("evidence", what).at(Level::Red, advice));
    }
    found
}

/// Files that were not read again for much longer than they should be; nothing else is told.
pub(super) fn late(
    check: &pb::EvidenceCheck,
    start_s: i64,
    now_s: i64,
    lang: Lang,
) -> Option<Finding> {
    let last_s = check.last_end_time.as_ref().map_or(start_s, |at| seconds(Some(at)));
    if now_s.saturating_sub(last_s) <= check.period_seconds.saturating_mul(2) {
        return None;
    }
    let what = lang.pick("存放的文件很久没有全部核对", "stored files were not read again for long");
    let advice = lang.pick(
        "看下方“证据文件核对”任务；文件很多的，调大 limits.evidence_scrub_s",
        "see the task below; with many files raise limits.evidence_scrub_s",
    );
    let mut found = Finding::green("evidence", what).at(Level::Yellow, advice);
    found.last = check.last_end_time;
    Some(found)
}

fn place(store: &pb::EvidenceStore, now_s: i64, lang: Lang) -> Finding {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_has_the_colour_of_what_is_wrong_with_it() {
        const NOW_S: i64 = 1_795_140_000;
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let well = pb::EvidenceStore {
            counted: true,
            used_bytes: 89,
            limit_bytes: 100,
            last_answer_time: at(NOW_S - 600),
            ..pb::EvidenceStore::default()
        };
        let (error, rotten) = ("no answer".to_owned(), vec![vec![0xab; 32].into()]);
        let late = pb::EvidenceStore { last_answer_time: at(NOW_S - 601), ..well.clone() };
        let never = pb::EvidenceStore { last_answer_time: None, ..well.clone() };
        let away =
            |store: &pb::EvidenceStore| pb::EvidenceStore { error: error.clone(), ..store.clone() };
        let rows = [
            (well.clone(), vec![Level::Green]),
            (late.clone(), vec![Level::Green]),
            (pb::EvidenceStore { used_bytes: 90, ..well.clone() }, vec![Level::Yellow]),
            (away(&well), vec![Level::Yellow]),
            (away(&late), vec![Level::Red]),
            (away(&never), vec![Level::Red]),
            (
                pb::EvidenceStore { rotten_count: 1, rotten_sha256: rotten, ..well },
                vec![Level::Green, Level::Red],
            ),
        ];
        for (store, levels) in rows {
            for lang in [Lang::Zh, Lang::En] {
                let found = judge(&store, NOW_S, lang);
                let got: Vec<_> = found.iter().map(|one| one.level).collect();
                assert_eq!(got, levels, "{store:?}");
                let advised =
                    found.iter().all(|one| (one.level == Level::Green) == one.advice.is_empty());
                assert!(advised, "{found:?}");
            }
        }
        let check = pb::EvidenceCheck { period_seconds: 100, ..pb::EvidenceCheck::default() };
        assert!(late_of(&check, NOW_S - 200, NOW_S).is_none());
        assert!(late_of(&check, NOW_S - 201, NOW_S).is_some());
        let check = pb::EvidenceCheck { last_end_time: at(NOW_S - 200), ..check };
        assert!(late_of(&check, NOW_S - 900, NOW_S).is_none());
    }

    fn late_of(check: &pb::EvidenceCheck, start_s: i64, now_s: i64) -> Option<Finding> {
        late(check, start_s, now_s, Lang::Zh)
    }
}
