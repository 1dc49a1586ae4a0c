//! What a node's answer "no" means to the person who asked.
//!
//! In scope: `grpc-status-details-bin` (ErrorInfo, LocalizedMessage, BadRequest,
//! PreconditionFailure, RetryInfo), lost connections, what to do for each reason.
//! Out of scope: choosing codes and reasons, which the node does.

use std::error::Error;

use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::dial_error::DialError;
use super::failure::{Exit, Failure};
use crate::lang::Lang;

/// What to do about a reason: reason, zh, en. Reasons not listed fall back to the code's advice.
pub const ADVICE: &[(&str, &str, &str)] = &[
    (
        "STALE_ETAG",
        "案件在此期间有了新的办理：先用 liandong case show 查看，再决定是否重做",
        "the case has moved on meanwhile: look with liandong case show, then decide whether to do \
         it again",
    ),
    (
        "NOT_YOUR_TURN",
        "办理权在另一城市：等待该市办理，或用 liandong case note 补充说明",
        "another city has the turn: wait for it, or add a note with liandong case note",
    ),
    (
        "OUTSIDE_BELT",
        "案件不在边界范围内：确认坐标；确需共享时用 --belt-reason 说明理由",
        "the case lies outside the border belt: check the point, or give a --belt-reason",
    ),
    (
        "IDEMPOTENCY_MISMATCH",
        "同一 --request-id 已用于另一内容：新操作请不要带 --request-id",
        "this --request-id was used for something else: leave it out for a new action",
    ),
    (
        "RECOVERING",
        "本市节点刚从旧数据恢复，正等待所列城市补齐：可新建案件、补充材料，其他办理请稍后",
        "the node was restored from an old copy and waits for the cities named: new cases and \
         notes are possible, other moves later",
    ),
    (
        "DISK_LOW",
        "节点磁盘将满：请管理员腾出空间，空间恢复后自动继续；查询不受影响",
        "the node's disk is nearly full: free some space, writing resumes by itself; reading works",
    ),
    (
        "STORAGE_FAILED",
        "本市节点停止写入（磁盘错误），可查询：请管理员检查磁盘后重启节点",
        "the node is read-only after a disk error: check the disk, then restart the node",
    ),
    (
        "CURSOR_GONE",
        "此位置已无法续接：先 liandong case list，再从其给出的位置 liandong watch --cursor",
        "the position cannot be resumed: liandong case list, then watch from the cursor it gives",
    ),
    (
        "CERT_REVOKED",
        "本人证书已被吊销：向本市管理员申请新证书",
        "this certificate is revoked: ask your administrator for a new one",
    ),
    (
        "ACTING_FOR_REQUIRED",
        "系统代办须注明执法人员：加 --acting-for 执法证号",
        "a system must name the officer: use --acting-for CERTIFICATE",
    ),
    (
        "BAD_COORDINATES",
        "只接受 CGCS2000 经纬度（EPSG:4490）；高德、百度坐标须先转换",
        "only CGCS2000 degrees (EPSG:4490) are taken; convert Amap and Baidu coordinates first",
    ),
    (
        "LIST_UNKNOWN",
        "不带名称运行 liandong catalog，可查看全部代码表",
        "`liandong catalog` without a name shows every list",
    ),
    (
        "LAW_REPEALED",
        "查看可供参考的条文：liandong catalog basis；确须适用的，写明理由（law_choice）",
        "see what comes into question: liandong catalog basis; or say why in law_choice",
    ),
    (
        "ARTICLE_UNKNOWN",
        "核对条号；查看可供参考的条文：liandong catalog basis",
        "check the article; see what comes into question: liandong catalog basis",
    ),
    (
        "FORK_DETECTED",
        "一市有两份互相矛盾的记录，证据已保全：请与该市管理员联系核对",
        "a city signed two histories, the proof is kept: call that city's administrator",
    ),
];

/// What to do when the reason is not in [`ADVICE`].
fn advice_for(code: Code, lang: Lang) -> Option<&'static str> {
    match code {
        Code::Ok => None,
        Code::InvalidArgument => lang
            .pick(Some("按上面所列字段改正后重试"), Some("mend the fields listed and try again")),
        Code::NotFound => lang.pick(
            Some("检查编号；不属于本市所签协议的案件查不到"),
            Some("check the number; cases of agreements your city has not signed cannot be found"),
        ),
        Code::PermissionDenied | Code::Unauthenticated => lang.pick(
            Some("查看各角色可做什么：liandong roles；本人身份：liandong check"),
            Some("see who may do what: liandong roles; who you are: liandong check"),
        ),
        Code::FailedPrecondition => lang.pick(
            Some("查看案件现状和可做的办理：liandong case show"),
            Some("see where the case stands and what may be done: liandong case show"),
        ),
        Code::Aborted => lang.pick(Some("重新读取后再试"), Some("read it again, then try again")),
        Code::ResourceExhausted | Code::Unavailable => lang.pick(
            Some("稍后重试；节点情况见 liandong status"),
            Some("try again later; liandong status shows how the node is"),
        ),
        Code::DeadlineExceeded | Code::Cancelled => lang.pick(
            Some("用 --timeout 放宽等待时间后重试"),
            Some("allow more time with --timeout and try again"),
        ),
        Code::Unimplemented => lang.pick(
            Some("节点版本较旧：请管理员升级；版本见 liandong check"),
            Some("the node is older than this command: have it upgraded; see liandong check"),
        ),
        Code::DataLoss | Code::Internal | Code::Unknown => lang.pick(
            Some("请把以上内容交给本市节点管理员"),
            Some("hand this to the administrator of your city's node"),
        ),
        Code::AlreadyExists | Code::OutOfRange => None,
    }
}

/// The cause when an answer never arrived: something below gRPC broke. `None` when the node
/// itself answered.
#[must_use]
pub fn transport_cause(status: &Status) -> Option<&(dyn Error + 'static)> {
    // By source and never by code: a refused certificate may show as Cancelled or Unknown.
    status.source()
}

/// What a failed call means; `dial` is why the last dial failed, if it did.
#[must_use]
pub fn failure(status: &Status, dial: Option<&DialError>, lang: Lang) -> Failure {
    if let Some(cause) = transport_cause(status) {
        let what = match dial {
            Some(dial) => dial.text("", lang).0,
            None => {
                lang.pick(format!("连接中断（{cause}）"), format!("the connection broke ({cause})"))
            }
        };
        return Failure::new(Exit::Unreachable, "CONNECTION_LOST", what)
            .advise(lang.pick("逐步检查：liandong check", "check step by step: liandong check"));
    }
    answered(status, lang)
}

/// The same for a call that may have written: if no answer came, it may have been done.
#[must_use]
pub fn write_failure(
    status: &Status,
    dial: Option<&DialError>,
    retry: &str,
    lang: Lang,
) -> Failure {
    let lost = transport_cause(status).is_some()
        || matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled | Code::Unavailable);
    let mut failure = failure(status, dial, lang);
    if lost {
        failure.exit = Exit::Unknown;
        failure.advice.clear();
        return failure.advise(lang.pick(
            format!("可能已经执行；用同样的内容重试不会重复登记，加上：{retry}"),
            format!("it may have been done; asking again cannot do it twice with: {retry}"),
        ));
    }
    failure
}

fn answered(status: &Status, lang: Lang) -> Failure {
    let details = status.get_error_details();
    let info = details.error_info();
    let reason = info.map_or_else(|| format!("{:?}", status.code()), |info| info.reason.clone());
    let localized = details
        .localized_message()
        .filter(|message| message.locale.starts_with(lang.pick("zh", "en")))
        .map(|message| message.message.clone());
    let mut failure = Failure::new(
        Exit::Refused,
        &reason,
        localized.unwrap_or_else(|| status.message().to_owned()),
    );
    if let Some(bad) = details.bad_request() {
        for violation in &bad.field_violations {
            let text = violation
                .localized_message
                .as_ref()
                .filter(|message| message.locale.starts_with(lang.pick("zh", "en")))
                .map_or(violation.description.as_str(), |message| message.message.as_str());
            failure.details.push(format!("{}: {text}", violation.field));
        }
    }
    if let Some(unmet) = details.precondition_failure() {
        for violation in &unmet.violations {
            failure.details.push(format!("{}: {}", violation.subject, violation.description));
        }
    }
    if let Some(info) = info {
        let mut facts: Vec<_> = info.metadata.iter().collect();
        facts.sort();
        failure.details.extend(facts.into_iter().map(|(key, value)| format!("{key} = {value}")));
    }
    let known = ADVICE.iter().find(|(name, ..)| *name == reason);
    let advice =
        known.map(|(_, zh, en)| lang.pick(*zh, *en)).or_else(|| advice_for(status.code(), lang));
    failure.advice.extend(advice.map(str::to_owned));
    if let Some(delay) = details.retry_info().and_then(|retry| retry.retry_delay) {
        failure.advice.push(lang.pick(
            format!("{} 秒后重试", delay.as_secs().max(1)),
            format!("try again in {} s", delay.as_secs().max(1)),
        ));
    }
    failure
}

#[cfg(test)]
mod tests {
    use tonic_types::{ErrorDetails, FieldViolation};

    use super::*;

    fn status() -> Status {
        let mut details = ErrorDetails::new();
        details.set_error_info(
            "STALE_ETAG",
            "liandong",
            [("current".to_owned(), "ab:3".to_owned())],
        );
        details.set_localized_message("zh-CN", "案件已有新的办理");
        details.set_bad_request(vec![FieldViolation::new("etag", "is not the newest")]);
        Status::with_error_details(Code::Aborted, "the etag is stale", details)
    }

    #[test]
    fn details_become_lines_and_the_reason_its_advice() {
        let failure = failure(&status(), None, Lang::Zh);
        assert_eq!(failure.exit, Exit::Refused);
        assert_eq!(failure.reason, "STALE_ETAG");
        assert_eq!(failure.what, "案件已有新的办理");
        assert_eq!(failure.details, ["etag: is not the newest", "current = ab:3"]);
        assert!(failure.advice[0].contains("liandong case show"));
    }

    #[test]
    fn another_language_falls_back_to_the_plain_message() {
        assert_eq!(failure(&status(), None, Lang::En).what, "the etag is stale");
    }

    #[test]
    fn a_lost_answer_to_a_write_is_not_a_refusal() {
        let lost = Status::from_error(Box::new(std::io::Error::other("gone")));
        let failed = write_failure(&lost, None, "--request-id X", Lang::Zh);
        assert_eq!(failed.exit, Exit::Unknown);
        assert!(failed.advice[0].contains("--request-id X"));
        assert_eq!(failure(&lost, None, Lang::Zh).exit, Exit::Unreachable);
        assert_eq!(write_failure(&status(), None, "", Lang::Zh).exit, Exit::Refused);
    }

    #[test]
    fn every_reason_is_listed_once() {
        for (at, (reason, zh, en)) in ADVICE.iter().enumerate() {
            assert!(ADVICE.iter().skip(at + 1).all(|(other, ..)| other != reason), "{reason}");
            assert!(!zh.is_empty() && en.is_ascii(), "{reason}");
        }
    }
}
