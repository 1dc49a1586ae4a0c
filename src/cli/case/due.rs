//! `liandong case due`: what is due, and when; `liandong case milestone`: what begins, stops or
//! ends a term.

use clap::Args;
use serde_json::json;

use super::write::{AddArgs, Prepared, add_request, send};
use super::{Session, name};
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::page::{PageArgs, next_line};
use crate::cli::{json as shape, table, when, words};
use crate::ids::CityCode;
use crate::lang::Lang;
use crate::shown::case::due;
use crate::wire::pb::v1 as pb;

/// Arguments of a list of what is due.
#[derive(Args, Debug)]
pub struct DueArgs {
    /// 只看此联动协议 · only this agreement
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 看此市应办的（默认本市） · what this city must do; the own city when absent
    #[arg(long, value_name = "CODE", value_parser = CityCode::parse)]
    pub city: Option<CityCode>,
    /// 截至此日（默认全部） · due by this day; all when absent
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub until: Option<pb::Date>,
    /// 只看中止中的时限 · only those that are suspended, which have no last day
    #[arg(long)]
    pub suspended: bool,
    /// Which page.
    #[command(flatten)]
    pub page: PageArgs,
}

/// Lists.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn run(session: &Session, args: DueArgs) -> Result<(), Failure> {
    let parent = name::parent(session, args.agreement.as_deref()).await?;
    let request = pb::ListDeadlinesRequest {
        parent,
        city: args.city.map_or(0, CityCode::as_u32),
        until: args.until,
        suspended: args.suspended,
        page_size: args.page.page_size,
        page_token: args.page.page_token,
        ..pb::ListDeadlinesRequest::default()
    };
    let answer = session.client.cases().list_deadlines(request).await;
    let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    if session.context.json {
        session.context.print_json(&json!({
            "deadlines": page.deadlines.iter().map(shape::case_deadline).collect::<Vec<_>>(),
            "next_page_token": page.next_page_token,
            "total_size": page.total_size,
            "cursor": page.cursor,
            "calendar_years": page.calendar_years,
            "suspended_size": page.suspended_size,
        }));
    } else {
        print!("{}", text(&page, &session.names, session.context.lang));
    }
    Ok(())
}

fn text(page: &pb::ListDeadlinesResponse, names: &Names, lang: Lang) -> String {
    let headers = lang.pick(
        ["期限", "事项", "应办", "编号", "状态", "案由"],
        ["due", "what", "city", "number", "state", "title"],
    );
    let mut lines = table::table(&headers);
    for line in &page.deadlines {
        let deadline = line.deadline.unwrap_or_default();
        // A notice has no state of a case.
        let state = if line.state == 0 { "" } else { words::state(line.state(), lang) };
        lines.add_row([
            due(&deadline, lang),
            words::clock(deadline.clock(), lang).to_owned(),
            names.city(deadline.city),
            table::clean(&line.number),
            state.to_owned(),
            table::clean(&line.title),
        ]);
    }
    let (shown, total) = (page.deadlines.len(), page.total_size);
    let mut out = lang.pick(
        format!("{lines}\n共 {total} 条，显示 {shown} 条\n"),
        format!("{lines}\n{shown} of {total} deadlines\n"),
    );
    if page.deadlines.iter().any(|line| line.deadline.is_some_and(|d| d.provisional)) {
        let years: Vec<String> = page.calendar_years.iter().map(i32::to_string).collect();
        let years = years.join(lang.pick("、", ", "));
        out.push_str(&lang.pick(
            format!(
                "“暂定”：只知道 {years} 年的节假日，所示为最早可能的日期；\
                 公布后由管理员设置 workdays_file\n"
            ),
            format!(
                "provisional: holidays are known for {years} only, so this is the earliest day; \
                     your administrator sets workdays_file\n"
            ),
        ));
    }
    if page.suspended_size > 0 {
        let count = page.suspended_size;
        out.push_str(&lang.pick(
            format!("中止中的共 {count} 条，用 --suspended 查看\n"),
            format!("{count} suspended, see --suspended\n"),
        ));
    }
    out.push_str(&next_line(&page.next_page_token, lang));
    out
}

/// Arguments of a milestone.
#[derive(Args, Debug)]
pub struct MilestoneArgs {
    /// The case and what every addition has.
    #[command(flatten)]
    pub add: AddArgs,
    /// 事项，如 处罚决定已送达 或 DECISION_SERVED · what happened
    #[arg(long, value_name = "MILESTONE", value_parser = milestone,
        required_unless_present = "withdraw")]
    pub what: Option<pb::Milestone>,
    /// 撤回误登的事项：其记录编号，见 liandong case history --json · takes a mistaken one back:
    /// its entry
    #[arg(long, value_name = "ENTRY", conflicts_with_all = ["what", "on"])]
    pub withdraw: Option<String>,
    /// 法律日期，默认今天 · legal date, today when absent
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub on: Option<pb::Date>,
}

fn milestone(text: &str) -> Result<pb::Milestone, String> {
    words::parse_milestone(text)
        .ok_or_else(|| format!("可用 · use one of: {}", words::milestones().join("、")))
}

/// Records a milestone (影响时限的事项), or takes one back.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn record(session: &Session, args: MilestoneArgs) -> Result<(), Failure> {
    let prepared = Prepared::addition(session, args.add).await?;
    if let Some(entry) = args.withdraw {
        let request = add_request!(WithdrawMilestoneRequest, prepared, entry: entry);
        return send(session, &prepared, session.client.cases().withdraw_milestone(request)).await;
    }
    let (milestone, effective_on) = (args.what.map_or(0, i32::from), args.on);
    let request = add_request!(
        RecordMilestoneRequest,
        prepared,
        milestone: milestone,
        effective_on: effective_on
    );
    send(session, &prepared, session.client.cases().record_milestone(request)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_what_is_provisional_and_what_is_late() {
        let day = |day| Some(pb::Date { year: 2026, month: 12, day });
        let line = |deadline| pb::CaseDeadline {
            number: "LD-聊邯-2026-聊0005".to_owned(),
            title: "示例\u{1b}[2J".to_owned(),
            state: pb::CaseState::Decided.into(),
            deadline: Some(deadline),
            ..Default::default()
        };
        let clock = pb::DeadlineClock::Payment.into();
        let late = pb::Deadline { clock, due_on: day(1), overdue: true, ..Default::default() };
        let open = pb::Deadline { clock, due_on: day(31), provisional: true, ..Default::default() };
        let page = pb::ListDeadlinesResponse {
            deadlines: vec![line(late), line(open)],
            total_size: 2,
            calendar_years: vec![2025, 2026],
            ..Default::default()
        };
        let text = text(&page, &Names::new(Lang::Zh), Lang::Zh);
        assert!(
            text.contains("2026-12-01（已逾期）") && text.contains("2026-12-31（暂定）"),
            "{text}"
        );
        assert!(text.contains("当事人缴纳罚款") && text.contains("2025、2026"), "{text}");
        assert!(!text.contains('\u{1b}'));
        let stopped = pb::Deadline { suspended: true, ..Default::default() };
        assert!(due(&stopped, Lang::Zh).starts_with("中止中（"));
        assert!(milestone("立案").unwrap_err().contains("处罚决定已送达"));
    }
}
