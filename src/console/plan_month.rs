//! Joint actions of a month as a calendar: what all cities have settled, and what is still asked.

use axum::response::Response;
use maud::{Markup, html};
use tonic::Status;

use super::form::{Form, Query};
use super::layout::Desk;
use super::parts::page_of;
use crate::domain::Date;
use crate::limits::CONSOLE_MONTH_PLANS_MAX;
use crate::shown::text::clean;
use crate::wire::case as case_wire;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// Shows a month.
pub async fn show(desk: Desk, Query(query): Query) -> Response {
    let Some(first) = month(&query, desk.today) else {
        return desk.no(&desk.refuse("NOT_FOUND"));
    };
    let weeks = weeks(first);
    let plans = match read(&desk, &weeks).await {
        Ok(plans) => plans,
        Err(status) => return desk.no(&status),
    };
    let lang = desk.lang();
    let (year, number) = (first.year(), first.month());
    let title = lang.pick(
        format!("联合行动日历 {year}年{number}月"),
        format!("Joint actions, {year}-{number:02}"),
    );
    let other = |days: i64| {
        first
            .plus_days(days)
            .map(|day| format!("/plans/month?month={:04}-{:02}", day.year(), day.month()))
    };
    let names = lang.pick(
        ["周一", "周二", "周三", "周四", "周五", "周六", "周日"],
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    );
    let main = html! {
        h1 { (title) }
        p .pages {
            @if let Some(before) = other(-1) {
                a href=(before) { (lang.pick("上月", "month before")) }
            }
            @if let Some(after) = other(31) { a href=(after) { (lang.pick("下月", "next month")) } }
            a href="/plans" { (lang.pick("列表", "list")) }
        }
        div .scroll {
            table .month {
                caption { (lang.pick("斜体为尚未排定", "in italics: not settled yet")) }
                thead { tr { @for name in names { th scope="col" { (name) } } } }
                tbody {
                    @for week in weeks.chunks(7) {
                        tr { @for day in week { (cell(*day, first, &plans, &desk)) } }
                    }
                }
            }
        }
    };
    desk.page(&title, &main)
}

fn cell(day: Date, first: Date, plans: &[pb::Plan], desk: &Desk) -> Markup {
    let lang = desk.lang();
    let here = plans.iter().filter(|plan| halves(plan, day) != (false, false));
    html! {
        td .rest[day.month() != first.month()] {
            span .day { (day.day()) }
            @for plan in here {
                @let title = plan.record.as_ref().map(|one| clean(&one.title)).unwrap_or_default();
                @let open = matches!(plan.state(),
                    pb::PlanState::Consulting | pb::PlanState::Confirming);
                @let half = match halves(plan, day) {
                    (true, false) => lang.pick("上午 ", "AM "),
                    (false, true) => lang.pick("下午 ", "PM "),
                    (_, _) => "",
                };
                @let state = words::plan_state(plan.state(), lang);
                a href=(page_of("plan", &plan.name)) title=(state) {
                    @if open { em { (half) (title) } } @else { (half) (title) }
                }
            }
        }
    }
}

/// Whether a plan is on the morning and on the afternoon of a day.
fn halves(plan: &pb::Plan, day: Date) -> (bool, bool) {
    let on = case_wire::date_out(day);
    let has = |half: pb::DayHalf| {
        let mut all = plan.days.iter().filter_map(|one| one.at.as_ref());
        all.any(|at| at.on == Some(on) && at.half() == half)
    };
    (has(pb::DayHalf::Morning), has(pb::DayHalf::Afternoon))
}

/// The first day of the month asked for, or of this one.
fn month(query: &Form, today: Option<Date>) -> Option<Date> {
    match query.text("month") {
        "" => today.and_then(|today| Date::new(today.year(), today.month(), 1).ok()),
        text => Date::parse(&format!("{text}-01")).ok(),
    }
}

/// The days of a month in whole weeks from Monday on.
fn weeks(first: Date) -> Vec<Date> {
    // 1970-01-01 was a Thursday.
    let before = (first.days_since_epoch() + 3).rem_euclid(7);
    let from = first.days_since_epoch() - before;
    let days = (0..42).filter_map(|n| Date::from_days_since_epoch(from + n)).collect::<Vec<_>>();
    let month = first.month();
    let is_needed = |week: &&[Date]| week.iter().any(|day| day.month() == month);
    days.chunks(7).filter(is_needed).flatten().copied().collect()
}

async fn read(desk: &Desk, days: &[Date]) -> Result<Vec<pb::Plan>, Status> {
    let mut request = pb::ListPlansRequest {
        parent: "agreements/-".to_owned(),
        from: days.first().copied().map(case_wire::date_out),
        until: days.last().copied().map(case_wire::date_out),
        page_size: 200,
        ..Default::default()
    };
    let mut plans = Vec::new();
    loop {
        let page = desk.client.plans().list_plans(request.clone()).await?.into_inner();
        plans.extend(page.plans);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || plans.len() >= CONSOLE_MONTH_PLANS_MAX {
            break;
        }
    }
    plans.retain(|plan| plan.state() != pb::PlanState::Cancelled);
    Ok(plans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_whole_weeks_from_monday_on() {
        let of = |text: &str| weeks(Date::parse(text).unwrap());
        let december = of("2026-12-01");
        assert_eq!(december.first(), Date::parse("2026-11-30").ok().as_ref());
        assert_eq!(december.last(), Date::parse("2027-01-03").ok().as_ref());
        assert_eq!((december.len(), of("2027-02-01").len()), (35, 28));
        for (month, _) in [("2026-03-01", 0), ("2027-05-01", 0)] {
            let first = Date::parse(month).unwrap();
            assert!(of(month).contains(&first), "{month}");
            assert_eq!(of(month).len() % 7, 0, "{month}");
        }
    }
}
