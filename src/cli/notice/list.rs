//! `liandong notice list`.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::{shape, short};
use crate::cli::case::{Session, name};
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::page::{PageArgs, next_line};
use crate::cli::{table, when, words};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Which notices.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Which {
    /// 全部 · all
    #[default]
    All,
    /// 待本市签收 · waiting for this city
    Awaiting,
    /// 本市发出 · issued by this city
    Issued,
    /// 本市发出、尚有未签收 · issued by this city, not acknowledged by all
    Unacknowledged,
}

impl From<Which> for pb::NoticeFilter {
    fn from(which: Which) -> Self {
        match which {
            Which::All => Self::Unspecified,
            Which::Awaiting => Self::Awaiting,
            Which::Issued => Self::Issued,
            Which::Unacknowledged => Self::Unacknowledged,
        }
    }
}

/// Arguments of a list.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// 只看此联动协议 · only this agreement
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 看哪些 · which
    #[arg(long, value_enum, default_value = "all")]
    pub which: Which,
    /// Which page.
    #[command(flatten)]
    pub page: PageArgs,
}

/// Lists.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn run(session: &Session, args: ListArgs) -> Result<(), Failure> {
    let parent = name::parent(session, args.agreement.as_deref()).await?;
    let request = pb::ListNoticesRequest {
        parent,
        filter: pb::NoticeFilter::from(args.which).into(),
        page_size: args.page.page_size,
        page_token: args.page.page_token,
    };
    let answer = session.client.notices().list_notices(request).await;
    let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    if session.context.json {
        session.context.print_json(&json!({
            "notices": page.notices.iter().map(shape::notice).collect::<Vec<_>>(),
            "next_page_token": page.next_page_token,
            "cursor": page.cursor,
        }));
    } else {
        print!("{}", text(&page, &session.names, session.context.lang));
    }
    Ok(())
}

fn text(page: &pb::ListNoticesResponse, names: &Names, lang: Lang) -> String {
    let headers = lang.pick(
        ["编号", "种类", "发出", "时间", "标题", "签收"],
        ["number", "kind", "from", "issued", "title", "acknowledged"],
    );
    let mut lines = table::table(&headers);
    for notice in &page.notices {
        let title = notice.record.as_ref().map_or("", |record| record.title.as_str());
        lines.add_row([
            short(&notice.name).to_owned(),
            kind(notice, lang),
            names.city(notice.issuing_city),
            when::time(notice.issue_time.as_ref()),
            table::clean(title),
            standing(notice, lang),
        ]);
    }
    let shown = page.notices.len();
    let mut out =
        lang.pick(format!("{lines}\n显示 {shown} 份\n"), format!("{lines}\n{shown} notices\n"));
    out.push_str(&next_line(&page.next_page_token, lang));
    out
}

/// Kind and level in a word.
pub(super) fn kind(notice: &pb::Notice, lang: Lang) -> String {
    let level = words::notice_level(notice.level(), lang);
    let kind = words::notice_kind(notice.kind(), lang);
    match (level, lang) {
        ("", _) => kind.to_owned(),
        (level, Lang::Zh) => format!("{kind}（{level}）"),
        (level, Lang::En) => format!("{kind}, {level}"),
    }
}

/// How many have acknowledged it, and whether this city should.
fn standing(notice: &pb::Notice, lang: Lang) -> String {
    let all = notice.recipients.len();
    let done = notice.recipients.iter().filter(|r| r.acknowledge_time.is_some()).count();
    let late = notice.recipients.iter().any(|r| r.overdue);
    let mut text = format!("{done}/{all}");
    let mut add = |zh: &str, en: &str| text.push_str(lang.pick(zh, en));
    if notice.end_time.is_some() {
        add("，已解除", ", ended");
    }
    if late {
        add("，有逾期", ", overdue");
    }
    if notice.arriving {
        add("，记录传送中", ", arriving");
    } else if notice.awaits_acknowledgement {
        add("，待本市签收", ", waits for this city");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_who_should_do_what() {
        let recipient = |acknowledged: bool, overdue| pb::NoticeRecipient {
            acknowledge_time: acknowledged.then(|| when::from_millis(0)),
            overdue,
            ..pb::NoticeRecipient::default()
        };
        let notice = pb::Notice {
            name: "agreements/0/notices/0123456789abcdef0123456789abcdef".to_owned(),
            kind: pb::NoticeKind::Emergency.into(),
            level: pb::NoticeLevel::Two.into(),
            recipients: vec![recipient(true, false), recipient(false, true)],
            awaits_acknowledgement: true,
            record: Some(pb::NoticeRecord {
                title: "示例\u{1b}[2J".into(), ..Default::default()
            }),
            ..pb::Notice::default()
        };
        let page = pb::ListNoticesResponse { notices: vec![notice], ..Default::default() };
        let text = text(&page, &Names::new(Lang::Zh), Lang::Zh);
        assert!(text.contains("01234567 ") && text.contains("突发环境事件通报（Ⅱ级）"), "{text}");
        assert!(text.contains("1/2，有逾期，待本市签收"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }
}
