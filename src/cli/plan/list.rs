//! `liandong plan list`.

use clap::Args;
use serde_json::json;

use super::{shape, short, state};
use crate::cli::case::{Session, name};
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::page::{PageArgs, next_line};
use crate::cli::{table, when, words};
use crate::ids::CityCode;
use crate::lang::Lang;
use crate::shown::plan::parts;
use crate::wire::pb::v1 as pb;

/// Arguments of a list.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// 只看此联动协议 · only this agreement
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 只看此状态 · only of this state
    #[arg(long, value_parser = state)]
    pub state: Option<pb::PlanState>,
    /// 只看此市参加的 · only where this city takes part
    #[arg(long, value_name = "CODE", value_parser = CityCode::parse)]
    pub city: Option<CityCode>,
    /// 只看此日及以后有安排的 · only with a half day on or after this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub from: Option<pb::Date>,
    /// 只看此日及以前有安排的 · only with a half day on or before this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub until: Option<pb::Date>,
    /// 只看等待本市办理的 · only those that await something of the own city
    #[arg(long)]
    pub mine: bool,
    /// 只看已结束、仍占用本市力量的 · only those that are over, with own units still booked
    #[arg(long)]
    pub held: bool,
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
    let request = pb::ListPlansRequest {
        parent,
        city: args.city.map_or(0, CityCode::as_u32),
        state: args.state.map_or(0, i32::from),
        from: args.from,
        until: args.until,
        awaits_own_city: args.mine,
        holds_own_units: args.held,
        page_size: args.page.page_size,
        page_token: args.page.page_token,
        ..pb::ListPlansRequest::default()
    };
    let answer = session.client.plans().list_plans(request).await;
    let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    if session.context.json {
        session.context.print_json(&json!({
            "plans": page.plans.iter().map(shape::plan).collect::<Vec<_>>(),
            "next_page_token": page.next_page_token,
            "total_size": page.total_size,
            "total_is_partial": page.total_is_partial,
            "cursor": page.cursor,
        }));
    } else {
        print!("{}", text(&page, &session.names, session.context.lang));
    }
    Ok(())
}

fn text(page: &pb::ListPlansResponse, names: &Names, lang: Lang) -> String {
    let headers = lang.pick(
        ["方案号", "编号", "行动名称", "状态", "发起市", "参加市", "时间", "等待办理"],
        ["number", "id", "title", "state", "initiator", "cities", "days", "awaited"],
    );
    let mut lines = table::table(&headers);
    for plan in &page.plans {
        let title = plan.record.as_ref().map(|record| table::clean(&record.title));
        lines.add_row([
            table::clean(&plan.number),
            short(&plan.name).to_owned(),
            title.unwrap_or_default(),
            words::plan_state(plan.state(), lang).to_owned(),
            names.city(plan.initiator),
            names.list(plan.cities.iter().map(|one| one.city)),
            parts::days(&plan.days, lang),
            parts::awaited(&plan.awaited, names, lang),
        ]);
    }
    let (shown, total) = (page.plans.len(), page.total_size);
    let least = if page.total_is_partial { lang.pick("至少 ", "at least ") } else { "" };
    let mut out = lang.pick(
        format!("{lines}\n显示 {shown} 个，共 {least}{total} 个\n"),
        format!("{lines}\n{shown} of {least}{total} plans\n"),
    );
    out.push_str(&next_line(&page.next_page_token, lang));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_where_a_plan_stands_and_who_is_awaited() {
        let plan = pb::Plan {
            name: "agreements/0/plans/0123456789abcdef0123456789abcdef".to_owned(),
            number: "JA-371500-2026-001".into(),
            initiator: 371_500,
            state: pb::PlanState::Confirming.into(),
            record: Some(pb::PlanRecord { title: "示例\u{1b}[2J".into(), ..Default::default() }),
            awaited: vec![pb::CityAwaited {
                city: 130_400,
                what: vec![pb::PlanAwaited::Answer.into()],
            }],
            ..pb::Plan::default()
        };
        let page = pb::ListPlansResponse {
            plans: vec![plan],
            total_size: 7,
            next_page_token: "t".into(),
            ..Default::default()
        };
        let text = text(&page, &Names::new(Lang::Zh), Lang::Zh);
        for part in ["01234567 ", "JA-371500-2026-001", "聊城", "邯郸：", "共 7 个"] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }
}
