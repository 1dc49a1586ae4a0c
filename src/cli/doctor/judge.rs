//! What the facts of a node's status mean: green, yellow or red, and what to do.
//!
//! Pure: from a status to findings. In scope: thresholds and words. Out of scope: how facts are
//! found ([`crate::node`]), how findings are printed ([`super`]).

use prost_types::Timestamp;

use crate::cli::names::Names;
use crate::cli::{table, when};
use crate::lang::Lang;
use crate::node::watchdog;
use crate::shown::text::in_language;
use crate::wire::pb::v1 as pb;

mod calendar;
mod evidence;
mod hook;
mod suspended;

pub use calendar::calendar;
pub use suspended::held_cases;

const DAY_S: i64 = 86_400;
/// Certificates are renewed in good time: from these many days on people are told, or urged.
const CERTIFICATE_DAYS: (i64, i64) = (14, 3);
/// A clock this far off is worth a look, or wrong: the second is what entries are marked at.
const CLOCK_MS: (u64, u64) = (60_000, 300_000);
/// A link that has been silent this long is no passing trouble.
const SILENT_S: i64 = DAY_S;
/// A log that has been behind for this long does not get on.
const LAG_S: i64 = 300;

/// How serious.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Green,
    /// Works, and somebody should look.
    Yellow,
    /// Does not work, or soon will not.
    Red,
}

/// One dependency as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Which dependency, for programs.
    pub area: &'static str,
    /// Which of several, in the reader's language.
    pub subject: String,
    /// How serious.
    pub level: Level,
    /// What there is.
    pub what: String,
    /// When it last was well.
    pub last: Option<Timestamp>,
    /// When it is tried next.
    pub next: Option<Timestamp>,
    /// What to do; empty when nothing.
    pub advice: String,
}

impl Finding {
    /// Something that is as it should be.
    #[must_use]
    pub fn green(area: &'static str, what: impl Into<String>) -> Self {
        let (subject, advice) = (String::new(), String::new());
        let (last, next) = (None, None);
        Self { area, subject, level: Level::Green, what: what.into(), last, next, advice }
    }

    /// The same, worse.
    #[must_use]
    pub fn at(mut self, level: Level, advice: impl Into<String>) -> Self {
        (self.level, self.advice) = (level, advice.into());
        self
    }

    /// Names which of several.
    #[must_use]
    pub fn of(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }
}

/// Judges a whole status, by the node's own clock.
#[must_use]
pub fn judge(status: &pb::Status, names: &Names, lang: Lang) -> Vec<Finding> {
    let now_s = seconds(status.server_time.as_ref());
    let mut all = vec![writing(status, lang)];
    all.push(disk(status.disk_free_bytes, status.disk_low_bytes, lang));
    all.extend(journal(status, lang));
    all.push(scrub(status, now_s, lang));
    all.push(views(status, lang));
    all.push(clock(status, lang));
    all.push(calendar(&status.missing_calendar_years, lang));
    all.extend(
        status
            .certificates
            .iter()
            .map(|one| certificate(&one.name, seconds(one.expire_time.as_ref()), now_s, lang)),
    );
    let wanted = status.links.iter().filter(|one| !suspended::is_whole(status, one.city));
    all.extend(wanted.map(|one| link(one, now_s, names, lang)));
    all.extend(status.logs.iter().map(|one| log(one, names, lang)));
    all.extend(suspended::judge(status, names, lang));
    all.extend(recovery(status, names, lang));
    let own = status.logs.iter().filter(|log| log.own);
    all.extend(own.map(|log| receipts(log, status, now_s, names, lang)));
    all.push(audit(status, lang));
    let store = status.evidence_store.iter();
    all.extend(store.flat_map(|one| evidence::judge(one, now_s, lang)));
    let check = status.evidence_check.iter();
    let start_s = seconds(status.start_time.as_ref());
    all.extend(check.flat_map(|one| evidence::late(one, start_s, now_s, lang)));
    all.extend(status.hook.iter().map(|one| hook::judge(one, lang)));
    all.extend(status.tasks.iter().map(|one| task(one, now_s, lang)));
    all
}

fn seconds(at: Option<&Timestamp>) -> i64 {
    at.map_or(0, |at| at.seconds)
}

fn writing(status: &pb::Status, lang: Lang) -> Finding {
    let started = when::time(status.start_time.as_ref());
    let version = &status.version;
    if status.writable {
        let what = lang.pick(
            format!("可登记和办理，{started} 启动，版本 {version}"),
            format!("takes writes, started {started}, version {version}"),
        );
        return Finding::green("node", what);
    }
    let reason = table::clean(&in_language(&status.not_writable_reason, lang));
    let advice = lang.pick(
        "磁盘不足时腾出空间即可；磁盘出错时先检查磁盘，再重启本市节点。查询不受影响",
        "low space: free some; a disk error: check the disk, then restart the node; reading works",
    );
    let what = lang.pick(format!("不能登记和办理：{reason}"), format!("read-only: {reason}"));
    Finding::green("node", what).at(Level::Red, advice)
}

/// Free space against the mark below which nothing is written.
#[must_use]
pub fn disk(free: u64, low: u64, lang: Lang) -> Finding {
    let (free_mib, low_mib) = (free >> 20, low >> 20);
    let found = Finding::green(
        "disk",
        lang.pick(
            format!("剩余 {free_mib} MiB，低于 {low_mib} MiB 时停止写入"),
            format!("{free_mib} MiB free; below {low_mib} MiB nothing is written"),
        ),
    );
    let advice = lang.pick(
        "腾出空间或扩容，写入自动恢复",
        "free some space or add some; writing resumes by itself",
    );
    if free < low {
        found.at(Level::Red, advice)
    } else if free < low.saturating_mul(2) {
        found.at(Level::Yellow, advice)
    } else {
        found
    }
}

fn journal(status: &pb::Status, lang: Lang) -> Vec<Finding> {
    let mut found = Vec::new();
    for one in &status.damage {
        let (from, to) = (one.from_index, one.to_index);
        let short = one.log_id.get(..8).unwrap_or_default();
        let what = lang.pick(
            format!("记录 {short}… 第 {from} 至 {to} 条（不含末条）损坏"),
            format!("entries {from} to {to} of {short}... are damaged"),
        );
        let found_one = Finding::green("journal", what);
        found.push(if one.only_here {
            found_one.at(
                Level::Red,
                lang.pick(
                    "未见其他城市存有：检查磁盘，从备份中找回",
                    "no other city is known to hold them: check the disk, recover from a backup",
                ),
            )
        } else {
            found_one.at(
                Level::Yellow,
                lang.pick(
                    "正从其他城市自动取回；反复出现时更换磁盘",
                    "being fetched from other cities; replace the disk if it happens again",
                ),
            )
        });
    }
    if status.damaged_note_count > 0 {
        let count = status.damaged_note_count;
        let what = lang.pick(
            format!("{count} 条协议、名片等签署文件的记录损坏"),
            format!("{count} records of agreements, cards and the like are damaged"),
        );
        let advice = lang.pick(
            "先备份，再用 liandong agreement add 重新交给节点；此前不要重建查询数据",
            "make a backup, hand them in again with liandong agreement add; do not rebuild before",
        );
        found.push(Finding::green("journal", what).at(Level::Red, advice));
    }
    for segment in status.scrub.iter().flat_map(|scrub| &scrub.bad_segments) {
        let what = lang.pick(
            format!("数据文件 {segment:08}.seg 的开头损坏"),
            format!("the head of {segment:08}.seg is damaged"),
        );
        let advice = lang.pick(
            "不要重启：重启后可能打不开；先备份并检查磁盘",
            "do not restart, it may not open again: make a backup and check the disk",
        );
        found.push(Finding::green("journal", what).at(Level::Red, advice));
    }
    if found.is_empty() {
        let mib = status.journal_bytes >> 20;
        let what = lang.pick(format!("{mib} MiB，未见损坏"), format!("{mib} MiB, no damage known"));
        found.push(Finding::green("journal", what));
    }
    found
}

fn scrub(status: &pb::Status, now_s: i64, lang: Lang) -> Finding {
    let advice = lang.pick(
        "看下方“数据巡检”任务；磁盘过慢时调大 limits.scrub_s",
        "see the task below; on a slow disk raise limits.scrub_s",
    );
    let scrub = status.scrub.clone().unwrap_or_default();
    let last_s = match &scrub.last_end_time {
        Some(at) => at.seconds,
        None => seconds(status.start_time.as_ref()),
    };
    let what = match &scrub.last_end_time {
        None => lang.pick("首次全部核对尚未完成".to_owned(), "no full reading yet".to_owned()),
        Some(_) => {
            let (mib, damaged) = (scrub.last_bytes >> 20, scrub.last_damaged_count);
            lang.pick(
                format!("上次全部核对 {mib} MiB，发现损坏 {damaged} 处"),
                format!("last full reading: {mib} MiB, {damaged} damaged"),
            )
        }
    };
    let mut found = Finding::green("scrub", what);
    found.last = scrub.last_end_time;
    if scrub.period_seconds > 0 && now_s.saturating_sub(last_s) > 2 * scrub.period_seconds {
        return found.at(Level::Yellow, advice);
    }
    found
}

fn views(status: &pb::Status, lang: Lang) -> Finding {
    if status.views_error.is_empty() {
        return Finding::green("views", lang.pick("正常", "well"));
    }
    let advice = lang.pick(
        "重启本市节点，查询数据会由记录自动重建",
        "restart the node: they are rebuilt from the records",
    );
    Finding::green("views", table::clean(&status.views_error)).at(Level::Red, advice)
}

fn clock(status: &pb::Status, lang: Lang) -> Finding {
    let Some(clock) = &status.clock else {
        let what = lang.pick("没有已连接的城市可比对", "no linked city to compare with");
        let advice = lang.pick("先看连接", "see the links first");
        return Finding::green("clock", what).at(Level::Yellow, advice);
    };
    let off_s = clock.offset_ms / 1000;
    let what = lang.pick(
        format!("与其他城市相差 {off_s} 秒"),
        format!("{off_s} s from the other cities' clocks"),
    );
    let found = Finding::green("clock", what);
    let advice = lang.pick(
        "校准本机时钟（chronyc、timedatectl）；其间所写记录标为时间存疑",
        "set the clock (chronyc, timedatectl); what is written meanwhile is marked",
    );
    match clock.offset_ms.unsigned_abs() {
        off if off > CLOCK_MS.1 => found.at(Level::Red, advice),
        off if off > CLOCK_MS.0 => found.at(Level::Yellow, advice),
        _ => found,
    }
}

/// An own certificate that ends at `end_s`.
#[must_use]
pub fn certificate(name: &str, end_s: i64, now_s: i64, lang: Lang) -> Finding {
    let (left, until) = (end_s - now_s, when::time(Some(&when::from_millis(end_s * 1000))));
    let days = left.div_euclid(DAY_S);
    let what = if left < 0 {
        lang.pick(format!("已于 {until} 过期"), format!("ended {until}"))
    } else {
        lang.pick(format!("还有 {days} 天（{until}）"), format!("{days} days left ({until})"))
    };
    let found = Finding::green("certificate", what).of(table::clean(name));
    let advice = lang.pick(
        "换发证书并替换文件，不用重启",
        "have it renewed and replace the file; no restart is needed",
    );
    if left < CERTIFICATE_DAYS.1 * DAY_S {
        found.at(Level::Red, advice)
    } else if left < CERTIFICATE_DAYS.0 * DAY_S {
        found.at(Level::Yellow, advice)
    } else {
        found
    }
}

fn link(link: &pb::Link, now_s: i64, names: &Names, lang: Lang) -> Finding {
    let heard = link.last_frame_time.filter(|at| at.seconds > 0);
    let mut found = Finding::green("link", lang.pick("已连接", "linked"));
    found = found.of(names.city(link.city));
    (found.last, found.next) = (heard, link.next_dial_time);
    if link.state() == pb::LinkState::Up {
        return found;
    }
    let why = if link.dial_error.is_empty() { &link.reason } else { &link.dial_error };
    let why = table::clean(&in_language(why, lang));
    found.what = lang.pick(format!("未连接：{why}"), format!("not linked: {why}"));
    let advice = lang.pick(
        "按左侧原因处理；无原因时与该市核对网络和名片地址。本市可照常办理",
        "see why on the left; else check network and card with that city; work goes on here",
    );
    let silent_s = heard.map_or(i64::MAX, |at| now_s.saturating_sub(at.seconds));
    let refused = link.state() == pb::LinkState::Refused;
    let level = if refused || silent_s > SILENT_S { Level::Red } else { Level::Yellow };
    found.at(level, advice)
}

fn log(log: &pb::Log, names: &Names, lang: Lang) -> Finding {
    let (stored, applied) = (log.stored_size, log.applied_size);
    let what = lang.pick(
        format!("已存 {stored}，已生效 {applied}"),
        format!("{stored} held, {applied} readable"),
    );
    let subject = format!("{} {}", names.agreement(&log.agreement), names.city(log.city));
    let mut found = Finding::green("log", what).of(subject);
    if log.standing && log.contradicting_checkpoints.is_empty() {
        // Why stands in a finding of its own.
        found.what += lang.pick("；已在本机暂停", "; suspended here");
        return found;
    }
    if log.standing {
        found.what +=
            lang.pick("；两份签名记录不一致，已停止接收", "; two signed histories: stopped");
        let advice = lang.pick(
            "证据已保全：用 liandong fork export 导出，与该市管理员核对",
            "the proof is kept: liandong fork export, and call that city's administrator",
        );
        return found.at(Level::Red, advice);
    }
    if !log.cosignature_contradictions.is_empty() {
        let by = names.list(log.cosignature_contradictions.iter().map(|one| one.city));
        found.what += &lang.pick(
            format!("；{by} 的系统送达签名互相矛盾"),
            format!("; cosignatures of {by} contradict"),
        );
        let advice = lang.pick(
            "证据已保全：用 liandong fork export 导出，与该市管理员核对",
            "the proof is kept: liandong fork export, and call that city's administrator",
        );
        return found.at(Level::Red, advice);
    }
    if !log.waiting_for.is_empty() {
        found.what += lang.pick("；等待前序记录到达", "; waits for an earlier record");
        let advice = lang.pick(
            "通常自行恢复；若持续，检查与前序记录所在城市的连接",
            "it goes on by itself; if not, see the link to the city of that record",
        );
        return found.at(Level::Yellow, advice);
    }
    if log.lag_seconds > LAG_S {
        let entries = log.lag_entries;
        found.what += &lang.pick(format!("；落后 {entries} 条"), format!("; {entries} behind"));
        let advice = lang.pick("检查与该市及其他成员的连接", "see the links to it and to others");
        return found.at(Level::Yellow, advice);
    }
    found
}

fn recovery(status: &pb::Status, names: &Names, lang: Lang) -> Vec<Finding> {
    if status.recoveries.is_empty() {
        return vec![Finding::green("recovery", lang.pick("无", "none"))];
    }
    let one = |recovery: &pb::Recovery| {
        let waiting = names.list(recovery.waiting_for.iter().copied());
        let (what, level, advice) = if recovery.epoch_needed {
            (
                lang.pick("由旧副本恢复，尚不能办理".to_owned(), "an older copy".to_owned()),
                Level::Red,
                lang.pick(
                    "用城市密钥执行 liandong epoch new",
                    "run liandong epoch new with the city key",
                ),
            )
        } else {
            (
                lang.pick(format!("等待 {waiting} 补齐"), format!("waiting for {waiting}")),
                Level::Yellow,
                lang.pick(
                    "可新建案件、补充材料；等所列城市连上即可",
                    "new cases and notes are possible; the rest once those cities are linked",
                ),
            )
        };
        Finding::green("recovery", what).of(names.agreement(&recovery.agreement)).at(level, advice)
    };
    status.recoveries.iter().map(one).collect()
}

/// Entries of an own log that no other city is known to hold, and for how long.
fn receipts(log: &pb::Log, status: &pb::Status, now_s: i64, names: &Names, lang: Lang) -> Finding {
    let others = log.cosignatures.iter().filter(|one| one.city != status.city);
    let held = others.map(|one| one.size).max().unwrap_or(0);
    let alone = log.stored_size.saturating_sub(held);
    let found = Finding::green("receipts", lang.pick("其他城市均已存", "all held elsewhere"));
    let mut found = found.of(names.agreement(&log.agreement));
    if alone == 0 {
        return found;
    }
    found.last = log.alone_since_time;
    let since = log.alone_since_time.as_ref();
    let hours = since.map_or(0, |at| now_s.saturating_sub(at.seconds) / 3600);
    found.what = lang.pick(
        format!("{alone} 条仅本市存有，最早的已 {hours} 小时"),
        format!("{alone} held only here, the oldest for {hours} h"),
    );
    let late = since.is_some_and(|at| now_s.saturating_sub(at.seconds) > status.alone_seconds_max);
    if !late {
        return found;
    }
    let advice = lang.pick(
        "此时磁盘损坏会丢失这些记录：尽快恢复与任一成员城市的连接，并做一次备份",
        "a lost disk would lose them: get any member linked again, and make a backup",
    );
    found.at(Level::Yellow, advice)
}

fn audit(status: &pb::Status, lang: Lang) -> Finding {
    if status.audit_error.is_empty() {
        return Finding::green("audit", lang.pick("正常", "well"));
    }
    let advice = lang.pick(
        "检查数据目录下 audit 的空间与权限；链条不符时保留文件并查明原因",
        "check space and rights of audit/; if the chain does not hold, keep the files and find out",
    );
    Finding::green("audit", table::clean(&status.audit_error)).at(Level::Red, advice)
}

fn task(task: &pb::Task, now_s: i64, lang: Lang) -> Finding {
    let [zh, en] = watchdog::words(&task.name);
    let age_s = task.age_ms / 1000;
    let what = lang.pick(format!("{age_s} 秒前完成"), format!("came round {age_s} s ago"));
    let mut found = Finding::green("task", what).of(lang.pick(zh, en));
    found.last = task.done_time;
    if task.restart_count > 0 {
        let count = task.restart_count;
        found.what += &lang.pick(format!("，重启过 {count} 次"), format!(", restarted {count}x"));
    }
    if !task.error.is_empty() {
        found.what += &format!("{}{}", lang.pick("：", ": "), table::clean(&task.error));
    }
    let again_s = task.restart_time.map_or(i64::MAX, |at| now_s.saturating_sub(at.seconds));
    if task.late {
        let advice = if task.kept {
            lang.pick(
                "已自动重新启动；如持续出现，重启节点并保留日志",
                "it is started again by itself; if it stays, restart the node and keep the log",
            )
        } else {
            lang.pick("检查磁盘，必要时重启本市节点", "check the disk; restart the node if needed")
        };
        return found.at(Level::Red, advice);
    }
    if again_s < DAY_S {
        let advice = lang.pick("请保留日志并告知维护者", "keep the log and tell the maintainers");
        return found.at(Level::Yellow, advice);
    }
    found
}

#[cfg(test)]
mod tests;
