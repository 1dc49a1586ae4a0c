//! A week of joint actions, half day by half day, beside what every city of an agreement has free.
//!
//! In scope: the page. Out of scope: asking what is free ([`super::plan_free`]); what a city only
//! holds ([`super::plan_days::held`]).

use axum::response::Response;
use maud::{Markup, html};

use super::form::{Form, Query};
use super::layout::Desk;
use super::parts::{self, Filled};
use super::plan_days::{self, Plans, held, link, monday, weekdays};
use super::plan_free::{self, Free};
use super::refusal::Refusal;
use crate::domain::{Date, HalfDay};
use crate::shown::unit::free;
use crate::wire::case as case_wire;
use crate::wire::pb::v1 as pb;
use crate::wire::unit::half_day_from_pb;
use crate::wire::words;

/// Shows a week.
pub async fn show(desk: Desk, Query(query): Query) -> Response {
    let lang = desk.lang();
    let (day, wrong) = match query.date("week", lang) {
        Ok(day) => (case_wire::date("week", day.as_ref()).ok().flatten(), None),
        Err(refusal) => (None, Some(refusal)),
    };
    let Some(first) = day.or(desk.today).and_then(monday) else {
        return desk.no(&desk.refuse("NOT_FOUND"));
    };
    let last = first.plus_days(6).unwrap_or(first);
    let plans = match plan_days::read(&desk, first, last).await {
        Ok(plans) => plans,
        Err(status) => return desk.no(&status),
    };
    let free = plan_free::read(&desk, &query, (first, last)).await;
    let title =
        lang.pick(format!("联合行动周历 {first} 起"), format!("Joint actions, week of {first}"));
    let other = |days: i64| {
        let day = first.plus_days(days)?;
        Some(format!("/plans/week?{}", query.with("week", &day.to_string())))
    };
    let main = html! {
        h1 { (title) }
        p .pages {
            @if let Some(before) = other(-7) {
                a href=(before) { (lang.pick("上周", "week before")) }
            }
            @if let Some(after) = other(7) { a href=(after) { (lang.pick("下周", "next week")) } }
            a href={ "/plans/month?month=" (first.to_string().get(..7).unwrap_or_default()) } {
                (lang.pick("月历", "month"))
            }
            a href="/plans" { (lang.pick("列表", "list")) }
        }
        (choose(&query, &desk, wrong.as_ref()))
        @for no in wrong.iter().chain(free.cities.as_ref().err()) { (parts::refused(no, lang)) }
        (plans.rest(lang))
        (table(first, &plans, &free, &desk))
    };
    desk.page(&title, &main)
}

/// Which week, and of which agreement units are counted.
fn choose(query: &Form, desk: &Desk, wrong: Option<&Refusal>) -> Markup {
    let lang = desk.lang();
    let none = Refusal::default();
    let of = Filled { form: "week", again: Some((query, wrong.unwrap_or(&none))), lang };
    html! {
        form .filter method="get" action="/plans/week" {
            (of.line("date", "week", lang.pick("日期所在的周", "week of the day"), ""))
            (plan_free::choice(&of, desk))
            div .field { button { (lang.pick("显示", "Show")) } }
        }
    }
}

fn table(first: Date, plans: &Plans, free: &Free<'_>, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let cities = free.cities.as_deref().unwrap_or_default();
    let week: Vec<Date> = (0..7).filter_map(|n| first.plus_days(n)).collect();
    let halves = |day| {
        [
            (HalfDay::morning(day), lang.pick("上午", "AM")),
            (HalfDay::afternoon(day), lang.pick("下午", "PM")),
        ]
    };
    html! {
        div .scroll tabindex="0" role="region" aria-labelledby="week-caption" {
            table .week {
                caption #week-caption {
                    (lang.pick(
                        "力量为 空闲数/有效数；“预留”为初步同意、尚未确认的，已计入占用。斜体为尚未排定的行动。",
                        "Units are free/valid; “held” are those of tentative answers, counted as \
                         busy. In italics: not settled yet.",
                    ))
                }
                thead {
                    tr {
                        th scope="col" { (lang.pick("时间", "half day")) }
                        th scope="col" { (lang.pick("行动", "joint actions")) }
                        @for one in cities { th scope="col" { (desk.names.city(one.city)) } }
                    }
                }
                tbody {
                    @for (day, name) in week.iter().zip(weekdays(lang)) {
                        @for (at, half) in halves(*day) {
                            @let here = plans.on(at);
                            tr .today[desk.today == Some(*day)] {
                                th scope="row" { (day) " " (name) " " (half) }
                                td { (actions(&here, desk)) }
                                @for one in cities {
                                    td { (of_city(one, at, (&here, free.agreement), desk)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The plans of a half day, with who takes part.
fn actions(plans: &[&pb::Plan], desk: &Desk) -> Markup {
    let lang = desk.lang();
    html! {
        @for plan in plans {
            p .told {
                (link(plan, "", lang)) " "
                span .soft {
                    (desk.names.list(plan.cities.iter().map(|one| one.city))) " · "
                    (words::plan_state(plan.state(), lang))
                }
            }
        }
    }
}

/// What a city has free on a half day, and what it only holds.
fn of_city(
    city: &pb::CityFreeBusy,
    at: HalfDay,
    (plans, agreement): (&[&pb::Plan], &str),
    desk: &Desk,
) -> Markup {
    let lang = desk.lang();
    let is_here = |one: &&pb::HalfDayCounts| one.at.as_ref().and_then(half_day_from_pb) == Some(at);
    let counts = city.half_days.iter().find(is_here);
    let held = desk.today.map_or(0, |today| held(plans, agreement, city.city, at, today));
    html! {
        @if let Some(counts) = counts {
            span .late[counts.whole_city_busy] { (free(counts, lang)) }
        }
        @if held > 0 {
            " " span .tag { (lang.pick(format!("预留 {held}"), format!("held: {held}"))) }
        }
    }
}
