//! `liandong meeting list` and `next`.

use clap::Args;
use serde_json::json;

use super::{shape, short};
use crate::cli::case::{Session, name};
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::page::{PageArgs, next_line};
use crate::cli::{json as forms, table, when, words};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Arguments of a list.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// 只看此联动协议 · only this agreement
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// Which page.
    #[command(flatten)]
    pub page: PageArgs,
}

/// Arguments of the question whose turn it is.
#[derive(Args, Debug)]
pub struct NextArgs {
    /// 联动协议（只有一个时可省） · the agreement; may be left out if there is only one
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
}

/// Lists.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn run(session: &Session, args: ListArgs) -> Result<(), Failure> {
    let parent = name::parent(session, args.agreement.as_deref()).await?;
    let request = pb::ListMeetingsRequest {
        parent,
        page_size: args.page.page_size,
        page_token: args.page.page_token,
    };
    let answer = session.client.meetings().list_meetings(request).await;
    let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    if session.context.json {
        session.context.print_json(&json!({
            "meetings": page.meetings.iter().map(shape::meeting).collect::<Vec<_>>(),
            "next_page_token": page.next_page_token,
            "cursor": page.cursor,
        }));
    } else {
        print!("{}", text(&page, &session.names, session.context.lang));
    }
    Ok(())
}

fn text(page: &pb::ListMeetingsResponse, names: &Names, lang: Lang) -> String {
    let headers = lang.pick(
        ["编号", "日期", "主持", "名称", "情况", "纪要确认"],
        ["number", "day", "chair", "title", "state", "confirmed"],
    );
    let mut lines = table::table(&headers);
    for meeting in &page.meetings {
        let title = meeting.record.as_ref().map_or("", |record| record.title.as_str());
        let mut state = words::meeting_state(meeting.state(), lang).to_owned();
        if meeting.out_of_turn {
            state.push_str(lang.pick("，不按轮值", ", out of turn"));
        }
        lines.add_row([
            short(&meeting.name).to_owned(),
            when::date(meeting.on.as_ref()),
            names.city(meeting.chair),
            table::clean(title),
            state,
            confirmed(meeting, lang),
        ]);
    }
    let shown = page.meetings.len();
    let mut out =
        lang.pick(format!("{lines}\n显示 {shown} 次\n"), format!("{lines}\n{shown} meetings\n"));
    out.push_str(&next_line(&page.next_page_token, lang));
    out
}

/// How many have confirmed the minutes, and whether this city should.
fn confirmed(meeting: &pb::Meeting, lang: Lang) -> String {
    if meeting.minutes.is_none() {
        return String::new();
    }
    let all = meeting.confirmations.len();
    let done = meeting.confirmations.iter().filter(|one| one.confirm_time.is_some()).count();
    let waits = match meeting.awaits_confirmation {
        true => lang.pick("，待本市确认", ", waits for this city"),
        false => "",
    };
    format!("{done}/{all}{waits}")
}

/// Whose turn it is.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn next(session: &Session, args: NextArgs) -> Result<(), Failure> {
    let name = name::agreement(session, args.agreement.as_deref()).await?;
    let answer = session.client.meetings().get_next_chair(pb::GetNextChairRequest { name }).await;
    let next = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    if session.context.json {
        session.context.print_json(&json!({
            "city": forms::city(next.city),
            "last_held_on": next.last_held_on.as_ref().map(|on| when::date(Some(on))),
            "last_chair": next.last_held_on.as_ref().map(|_| forms::city(next.last_chair)),
            "yearly_meeting_missing": next.yearly_meeting_missing,
            "rota": next.rota.iter().copied().map(forms::city).collect::<Vec<_>>(),
        }));
    } else {
        print!("{}", next_text(&next, &session.names, session.context.lang));
    }
    Ok(())
}

fn next_text(next: &pb::GetNextChairResponse, names: &Names, lang: Lang) -> String {
    let mut sheet = table::Sheet::default();
    sheet.row(lang.pick("下次召集", "next chair"), names.city(next.city));
    let last = match &next.last_held_on {
        Some(on) => format!("{}  {}", when::date(Some(on)), names.city(next.last_chair)),
        None => lang.pick("尚未召开过", "none was held").to_owned(),
    };
    sheet.row(lang.pick("上次会议", "last meeting"), last);
    sheet.row(lang.pick("轮值次序", "rota"), names.list(next.rota.iter().copied()));
    if next.yearly_meeting_missing {
        let said = lang.pick(
            "去年以来没有召开过联席会议，按协议每年至少一次",
            "none has been held since last year began; the agreement asks for one a year",
        );
        sheet.row(lang.pick("提醒", "note"), said);
    }
    sheet.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_open_and_a_missing_year_is_told() {
        let meeting = pb::Meeting {
            name: "agreements/0/meetings/0123456789abcdef0123456789abcdef".to_owned(),
            chair: 130_400,
            out_of_turn: true,
            state: pb::MeetingState::Held.into(),
            record: Some(pb::MeetingRecord {
                title: "联席会议\u{1b}[2J".into(),
                ..Default::default()
            }),
            minutes: Some(pb::Minutes::default()),
            confirmations: vec![pb::MinutesConfirmation::default()],
            awaits_confirmation: true,
            ..pb::Meeting::default()
        };
        let page = pb::ListMeetingsResponse { meetings: vec![meeting], ..Default::default() };
        let names = Names::new(Lang::Zh);
        let text = text(&page, &names, Lang::Zh);
        for part in ["01234567 ", "邯郸", "已召开，不按轮值", "0/1，待本市确认"] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
        let next = pb::GetNextChairResponse {
            city: 371_400,
            yearly_meeting_missing: true,
            ..Default::default()
        };
        let text = next_text(&next, &names, Lang::Zh);
        for part in ["德州", "尚未召开过", "每年至少一次"] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        let held = pb::GetNextChairResponse { yearly_meeting_missing: false, ..next };
        assert!(!next_text(&held, &names, Lang::Zh).contains("提醒"));
    }
}
