//! Joint actions of a month as a calendar: what all cities have settled, and what is still asked.

use axum::response::Response;
use maud::{Markup, html};

use super::form::{Form, Query};
use super::layout::Desk;
use super::plan_days::{self, is_on, link, monday, weekdays};
use crate::domain::{Date, HalfDay};
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
    let main = html! {
        h1 { (title) }
        p .pages {
            @if let Some(before) = other(-1) {
                a href=(before) { (lang.pick("上月", "month before")) }
            }
            @if let Some(after) = other(31) { a href=(after) { (lang.pick("下月", "next month")) } }
            a href="/plans/week" { (lang.pick("本周及各市空闲力量", "this week, with what is free")) }
            a href="/plans" { (lang.pick("列表", "list")) }
        }
        (plans.rest(lang))
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
                            @for day in week { (cell(*day, first, &plans.all, &desk)) }
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
    };
    desk.page(&title, &main)
}

fn cell(day: Date, first: Date, plans: &[pb::Plan], desk: &Desk) -> Markup {
    let lang = desk.lang();
    let halves = |plan| (is_on(plan, HalfDay::morning(day)), is_on(plan, HalfDay::afternoon(day)));
    html! {
        td .rest[day.month() != first.month()] {
            span .day { (day.day()) }
            @for plan in plans {
                @match halves(plan) {
                    (false, false) => {},
                    (true, false) => { (link(plan, lang.pick("上午 ", "AM "), lang)) },
                    (false, true) => { (link(plan, lang.pick("下午 ", "PM "), lang)) },
                    (true, true) => { (link(plan, "", lang)) },
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
