//! `liandong notice show`.

use clap::Args;
use serde_json::json;

use super::{list, name, shape, short};
use crate::cli::case::Session;
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::{table, when, words};
use crate::lang::Lang;
use crate::shown::history::not_taken;
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// 通报编号（列表中的前几位）或全名 · the beginning of its id as lists show it, or its name
    #[arg(value_name = "NOTICE")]
    pub notice: String,
}

/// Shows one.
///
/// # Errors
/// [`Failure`] when there is none.
pub async fn run(session: &Session, args: ShowArgs) -> Result<(), Failure> {
    let request = pb::GetNoticeRequest { name: name(session, &args.notice).await? };
    let answer = session.client.notices().get_notice(request).await;
    let answer = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    let notice = answer.notice.unwrap_or_default();
    if session.context.json {
        let shown = json!({ "notice": shape::notice(&notice), "cursor": answer.cursor });
        session.context.print_json(&shown);
    } else {
        print!("{}", text(&notice, &session.names, session.context.lang));
    }
    Ok(())
}

/// One notice for people.
#[must_use]
pub fn text(notice: &pb::Notice, names: &Names, lang: Lang) -> String {
    let mut sheet = table::Sheet::default();
    sheet
        .row(lang.pick("编号", "number"), short(&notice.name))
        .row(lang.pick("种类", "kind"), list::kind(notice, lang))
        .row(lang.pick("发出", "from"), names.city(notice.issuing_city))
        .row(lang.pick("时间", "issued"), when::time(notice.issue_time.as_ref()));
    match &notice.record {
        Some(record) => {
            sheet.row(lang.pick("标题", "title"), table::clean(&record.title));
            sheet.row(lang.pick("正文", "text"), table::clean_lines(&record.text));
            let more = [
                (lang.pick("地点", "where"), &record.address),
                (lang.pick("联系人", "contact"), &record.contact),
                (lang.pick("电话", "phone"), &record.phone),
            ];
            for (label, value) in more.into_iter().filter(|(_, value)| !value.is_empty()) {
                sheet.row(label, table::clean(value));
            }
        }
        None => {
            sheet.row(lang.pick("正文", "text"), words::notice_text(notice.text_state(), lang));
        }
    }
    sheet.row(lang.pick("签收期限", "acknowledge by"), due(notice, lang));
    if notice.end_time.is_some() {
        sheet.row(lang.pick("解除", "ended"), when::time(notice.end_time.as_ref()));
    }
    if notice.clock_suspect {
        let said = lang.pick("发出通报的市时钟可能不准", "its author's clock may be wrong");
        sheet.row(lang.pick("时间", "times"), said);
    }
    if notice.arriving {
        let said = lang.pick("传送中，稍候即可签收", "on its way; acknowledge it in a moment");
        sheet.row(lang.pick("记录", "record"), said);
    }
    sheet.row(lang.pick("全名", "name"), notice.name.clone());
    let mut out = sheet.text();
    out.push_str(&recipients(notice, names, lang));
    for report in &notice.reports {
        out.push_str(&said(report, names, lang));
    }
    out
}

fn due(notice: &pb::Notice, lang: Lang) -> String {
    let mut text = match (&notice.due_time, &notice.due_on) {
        (Some(at), _) => when::time(Some(at)),
        (None, on) => when::date(on.as_ref()),
    };
    if notice.provisional {
        text.push_str(lang.pick("（暂定）", " (provisional)"));
    }
    text
}

fn recipients(notice: &pb::Notice, names: &Names, lang: Lang) -> String {
    let headers = lang
        .pick(["城市", "提醒", "系统送达", "签收"], ["city", "rang", "held since", "acknowledged"]);
    let mut lines = table::table(&headers);
    let time = |at: Option<&prost_types::Timestamp>| {
        at.map_or_else(String::new, |at| when::time(Some(at)))
    };
    for one in &notice.recipients {
        let acknowledged = match (&one.acknowledge_time, one.overdue) {
            (Some(at), _) => when::time(Some(at)),
            (None, true) => lang.pick("未签收（已逾期）", "no (overdue)").to_owned(),
            (None, false) => lang.pick("未签收", "no").to_owned(),
        };
        lines.add_row([
            names.city(one.city),
            time(one.ring_time.as_ref()),
            match &one.hold_time {
                Some(at) => when::time(Some(at)),
                None => words::not_held(one, false, lang).to_owned(),
            },
            acknowledged,
        ]);
    }
    format!("{lines}\n")
}

fn said(report: &pb::NoticeReport, names: &Names, lang: Lang) -> String {
    let (time, city) = (when::time(report.report_time.as_ref()), names.city(report.city));
    let kind = words::report_kind(report.kind(), lang);
    let text = table::clean_lines(&report.text);
    let misfit = not_taken(&report.misfit_reason, lang);
    format!("{time}  {city}  {kind}{misfit}  {text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_shows_how_far_it_has_got() {
        let at = |ms| Some(when::from_millis(ms));
        let rung = pb::NoticeRecipient {
            city: 130_400,
            ring_time: at(1_000),
            hold_time: at(2_000),
            acknowledge_time: at(3_000),
            ..Default::default()
        };
        let late = pb::NoticeRecipient { city: 371_400, overdue: true, ..Default::default() };
        let unknown =
            pb::NoticeRecipient { city: 410_900, hold_unknown: true, ..Default::default() };
        let report = pb::NoticeReport {
            city: 130_400,
            kind: pb::NoticeReportKind::Acknowledged.into(),
            text: "已赶赴现场\u{1b}[2J".into(),
            ..Default::default()
        };
        let notice = pb::Notice {
            name: "agreements/0/notices/0123456789abcdef0123456789abcdef".to_owned(),
            kind: pb::NoticeKind::Emergency.into(),
            recipients: vec![rung, late, unknown],
            reports: vec![report],
            text_state: pb::NoticeTextState::NotForUs.into(),
            ..pb::Notice::default()
        };
        let text = text(&notice, &Names::new(Lang::Zh), Lang::Zh);
        for part in [
            "邯郸",
            "德州",
            "尚未送达",
            "尚不知是否送达",
            "未签收（已逾期）",
            "签收  已赶赴现场",
            "不是发给本市",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }
}
