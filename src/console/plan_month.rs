//! Joint actions of a month as a calendar: what all cities have settled, what is still asked, and
//! how much each city has free day by day.
//!
//! In scope: the page. Out of scope: half days and numbers of units ([`super::plan_week`]).

use axum::response::Response;
use maud::{Markup, html};

use super::form::{Form, Query};
use super::layout::Desk;
use super::parts::{self, Filled};
use super::plan_days::{self, Plans, link, monday, weekdays};
use super::plan_free::{self, Free};
use super::refusal::Refusal;
use crate::domain::Date;
use crate::limits::CONSOLE_DAY_PLANS_MAX;
use crate::wire::pb::v1 as pb;

/// Shows a month.
pub async fn show(desk: Desk, Query(query): Query) -> Response {
    let Some(first) = month(&query, desk.today) else {
        return desk.no(&desk.refuse("NOT_FOUND"));
    };
    let weeks = weeks(first);
    let (Some(begins), Some(ends)) = (weeks.first(), weeks.last()) else {
        return desk.no(&desk.refuse("NOT_FOUND"));
    };
    let plans = match plan_days::read(&desk, *begins, *ends).await {
        Ok(plans) => plans,
        Err(status) => return desk.no(&status),
    };
    let free = plan_free::read(&desk, &query, (*begins, *ends)).await;
    let lang = desk.lang();
    let (year, number) = (first.year(), first.month());
    let title = lang.pick(
        format!("联合行动日历 {year}年{number}月"),
        format!("Joint actions, {year}-{number:02}"),
    );
    let other = |days: i64| {
        let day = first.plus_days(days)?;
        let month = format!("{:04}-{:02}", day.year(), day.month());
        Some(format!("/plans/month?{}", query.with("month", &month)))
    };
    let main = html! {
        h1 { (title) }
        p .pages {
            @if let Some(before) = other(-1) {
                a href=(before) { (lang.pick("上月", "month before")) }
            }
            @if let Some(after) = other(31) { a href=(after) { (lang.pick("下月", "next month")) } }
            a href="/plans/week" { (lang.pick("本周各市空闲力量", "this week, with what is free")) }
            a href="/plans" { (lang.pick("列表", "list")) }
        }
        (choose(&query, &desk))
        @if let Err(refusal) = &free.cities { (parts::refused(refusal, lang)) }
        (plans.rest(lang))
        (plan_free::legend(lang))
        (table(first, &weeks, (&plans, &free), &desk))
    };
    desk.page(&title, &main)
}

/// Of which agreement units are counted, where there are several.
fn choose(query: &Form, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let none = Refusal::default();
    let of = Filled { form: "month", again: Some((query, &none)), lang };
    html! {
        @if desk.agreements.len() > 1 {
            form .filter method="get" action="/plans/month" {
                input type="hidden" name="month" value=(query.text("month"));
                (plan_free::choice(&of, desk))
                div .field { button { (lang.pick("显示", "Show")) } }
            }
        }
    }
}

fn table(first: Date, weeks: &[Date], (plans, free): (&Plans, &Free<'_>), desk: &Desk) -> Markup {
    let lang = desk.lang();
    html! {
        div .scroll {
            table .month {
                caption { (lang.pick("斜体为尚未排定", "in italics: not settled yet")) }
                thead {
                    tr {
                        @for name in weekdays(lang) { th scope="col" { (name) } }
                        th scope="col" { (lang.pick("空闲", "free")) }
                    }
                }
                tbody {
                    @for week in weeks.chunks(7) {
                        tr {
                            @for day in week { (cell(*day, first, (plans, free), desk)) }
                            td .to-week {
                                @if let Some(day) = week.first() {
                                    a href={ "/plans/week?week=" (day) } {
                                        (lang.pick("看该周", "week"))
                                        span .unseen { " " (day) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cell(day: Date, first: Date, (plans, free): (&Plans, &Free<'_>), desk: &Desk) -> Markup {
    let lang = desk.lang();
    let here = plans.of_day(day);
    let all: Vec<&pb::Plan> = here.iter().map(|(plan, _)| *plan).collect();
    html! {
        td .rest[day.month() != first.month()] {
            span .day { (day.day()) }
            (plan_free::of_day(free, day, &all, desk))
            @for (plan, halves) in here.iter().take(CONSOLE_DAY_PLANS_MAX) {
                @let half = match halves {
                    (true, false) => lang.pick("上午 ", "AM "),
                    (false, true) => lang.pick("下午 ", "PM "),
                    (true, true) | (false, false) => "",
                };
                (link(plan, half, lang))
            }
            @if let Some(more) = here.len().checked_sub(CONSOLE_DAY_PLANS_MAX).filter(|n| *n > 0) {
                a href={ "/plans/week?week=" (day) } {
                    (lang.pick(format!("另有 {more} 项"), format!("{more} more")))
                }
            }
        }
    }
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
    let from = monday(first).unwrap_or(first);
    let days = (0..42).filter_map(|n| from.plus_days(n)).collect::<Vec<_>>();
    let month = first.month();
    let is_needed = |week: &&[Date]| week.iter().any(|day| day.month() == month);
    days.chunks(7).filter(is_needed).flatten().copied().collect()
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
