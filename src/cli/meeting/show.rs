//! `liandong meeting show`.

use clap::Args;
use serde_json::json;

use super::{name, shape, short};
use crate::cli::case::Session;
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::{table, when, words};
use crate::ids::hex;
use crate::lang::Lang;
use crate::shown::history::not_taken;
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// 会议编号（列表中的前几位）或全名 · the beginning of its id as lists show it, or its name
    #[arg(value_name = "MEETING")]
    pub meeting: String,
}

/// Shows one.
///
/// # Errors
/// [`Failure`] when there is none.
pub async fn run(session: &Session, args: ShowArgs) -> Result<(), Failure> {
    let request = pb::GetMeetingRequest { name: name(session, &args.meeting).await? };
    let answer = session.client.meetings().get_meeting(request).await;
    let answer = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    let meeting = answer.meeting.unwrap_or_default();
    if session.context.json {
        let shown = json!({ "meeting": shape::meeting(&meeting), "cursor": answer.cursor });
        session.context.print_json(&shown);
    } else {
        print!("{}", text(&meeting, &session.names, session.context.lang));
    }
    Ok(())
}

/// One meeting for people.
#[must_use]
pub fn text(meeting: &pb::Meeting, names: &Names, lang: Lang) -> String {
    let mut sheet = table::Sheet::default();
    let which = lang.pick(
        format!("{}（当年第 {} 次）", when::date(meeting.on.as_ref()), meeting.number),
        format!("{} (number {} of its year)", when::date(meeting.on.as_ref()), meeting.number),
    );
    sheet
        .row(lang.pick("编号", "number"), short(&meeting.name))
        .row(lang.pick("日期", "day"), which)
        .row(lang.pick("情况", "state"), words::meeting_state(meeting.state(), lang))
        .row(lang.pick("召集", "called by"), names.city(meeting.calling_city))
        .row(lang.pick("主持", "chair"), names.city(meeting.chair));
    if meeting.out_of_turn {
        let due = names.city(meeting.due_chair);
        let said = lang.pick(
            format!("不按轮值，当时轮到{due}"),
            format!("out of turn; it was the turn of {due}"),
        );
        sheet.row(lang.pick("轮值", "rota"), said);
    }
    record(&mut sheet, meeting.record.as_ref(), lang.pick("议程", "agenda"), lang);
    if let Some(minutes) = &meeting.minutes {
        let recorded =
            format!("{}  {}", when::time(minutes.record_time.as_ref()), names.city(minutes.city));
        sheet
            .row(lang.pick("召开日期", "held on"), when::date(minutes.held_on.as_ref()))
            .row(lang.pick("纪要登记", "minutes"), recorded)
            .row("SHA-256", hex(&minutes.minutes_hash));
        record(&mut sheet, minutes.record.as_ref(), lang.pick("议定事项", "decisions"), lang);
    }
    if meeting.cancel_time.is_some() {
        sheet.row(lang.pick("取消", "cancelled"), when::time(meeting.cancel_time.as_ref()));
    }
    sheet.row(lang.pick("全名", "name"), meeting.name.clone());
    let mut out = sheet.text();
    if !meeting.confirmations.is_empty() {
        out.push_str(&confirmations(meeting, names, lang));
    }
    for word in &meeting.words {
        out.push_str(&said(word, names, lang));
    }
    out
}

fn record(sheet: &mut table::Sheet, record: Option<&pb::MeetingRecord>, label: &str, lang: Lang) {
    let Some(record) = record else { return };
    sheet.row(lang.pick("名称", "title"), table::clean(&record.title));
    if !record.address.is_empty() {
        sheet.row(lang.pick("地点", "where"), table::clean(&record.address));
    }
    if !record.text.is_empty() {
        sheet.row(label, table::clean_lines(&record.text));
    }
}

fn confirmations(meeting: &pb::Meeting, names: &Names, lang: Lang) -> String {
    let mut lines = table::table(&lang.pick(["城市", "纪要确认"], ["city", "confirmed"]));
    for one in &meeting.confirmations {
        let time = match &one.confirm_time {
            Some(at) => when::time(Some(at)),
            None => lang.pick("未确认", "no").to_owned(),
        };
        lines.add_row([names.city(one.city), time]);
    }
    format!("{lines}\n")
}

fn said(word: &pb::MeetingWord, names: &Names, lang: Lang) -> String {
    let (time, city) = (when::time(word.word_time.as_ref()), names.city(word.city));
    let kind = words::meeting_word(word.kind(), lang);
    let text = table::clean_lines(&word.text);
    let misfit = not_taken(&word.misfit_reason, lang);
    format!("{time}  {city}  {kind}{misfit}  {text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meeting_shows_its_minutes_and_who_has_confirmed_them() {
        let record = |title: &str| pb::MeetingRecord {
            title: title.to_owned(),
            text: "联合巡查\u{1b}[2J".into(),
            ..Default::default()
        };
        let minutes = pb::Minutes {
            city: 371_500,
            minutes_hash: vec![0xab; 32].into(),
            record: Some(record("会议纪要")),
            ..Default::default()
        };
        let confirmed =
            pb::MinutesConfirmation { city: 130_400, confirm_time: Some(when::from_millis(1_000)) };
        let meeting = pb::Meeting {
            name: "agreements/0/meetings/0123456789abcdef0123456789abcdef".to_owned(),
            number: 1,
            chair: 371_500,
            due_chair: 371_400,
            out_of_turn: true,
            state: pb::MeetingState::Held.into(),
            record: Some(record("联席会议")),
            minutes: Some(minutes),
            confirmations: vec![
                confirmed,
                pb::MinutesConfirmation { city: 371_400, confirm_time: None },
            ],
            words: vec![pb::MeetingWord {
                kind: pb::MeetingWordKind::Confirmed.into(),
                misfit_reason: "NOT_CHAIR".into(),
                ..Default::default()
            }],
            ..pb::Meeting::default()
        };
        let text = text(&meeting, &Names::new(Lang::Zh), Lang::Zh);
        for part in ["当时轮到德州", "abababab", "议定事项", "未确认", "未生效：会议由另一城市主持"]
        {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }
}
