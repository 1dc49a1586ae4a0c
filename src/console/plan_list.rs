//! Joint actions as a list, the newest first.

use axum::response::Response;
use maud::{Markup, html};

use super::form::{Form, Query};
use super::layout::Desk;
use super::parts::{self, Filled, page_of};
use super::plan_drafts;
use super::refusal::Refusal;
use crate::limits::CONSOLE_PAGE_SIZE;
use crate::shown::plan::parts as say;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// Shows a page of them.
pub async fn show(desk: Desk, Query(query): Query) -> Response {
    let lang = desk.lang();
    let title = lang.pick("联合行动", "Joint actions");
    let answer = match request(&query, &desk) {
        Ok(request) => {
            let answer = desk.client.plans().list_plans(request).await;
            answer.map(tonic::Response::into_inner).map_err(|status| Refusal::of(&status, lang))
        }
        Err(refusal) => Err(refusal),
    };
    let main = html! {
        h1 { (title) }
        p .pages {
            @if desk.visitor.may("/liandong.v1.PlanService/CreatePlan") {
                a href="/plans/new" { (lang.pick("发起联合行动", "Propose a joint action")) }
            }
            a href="/plans/month" { (lang.pick("月历", "month")) }
            a href="/plans/week" { (lang.pick("周历和各市空闲力量", "week, with what is free")) }
        }
        (plan_drafts::list(&desk, &query).await)
        (filter(&query, &desk, answer.as_ref().err()))
        @match &answer {
            Ok(page) => { (list(page, &query, &desk)) },
            Err(refusal) => { (parts::refused(refusal, lang)) },
        }
    };
    desk.page(title, &main)
}

fn request(query: &Form, desk: &Desk) -> Result<pb::ListPlansRequest, Refusal> {
    let lang = desk.lang();
    Ok(pb::ListPlansRequest {
        parent: "agreements/-".to_owned(),
        city: query.city("city"),
        state: query.text("state").parse().unwrap_or(0),
        from: query.date("from", lang)?,
        until: query.date("until", lang)?,
        awaits_own_city: !query.text("ours").is_empty(),
        awaits_others: !query.text("theirs").is_empty(),
        holds_own_units: !query.text("held").is_empty(),
        page_size: CONSOLE_PAGE_SIZE,
        page_token: query.text("page").to_owned(),
    })
}

fn filter(query: &Form, desk: &Desk, refusal: Option<&Refusal>) -> Markup {
    let lang = desk.lang();
    let any = || (String::new(), lang.pick("全部", "all").to_owned());
    let cities = desk.others(None).into_iter().map(|one| (one.to_string(), desk.names.city(one)));
    let cities: Vec<_> = [any()].into_iter().chain(cities).collect();
    let states = (1..).map_while(|one| pb::PlanState::try_from(one).ok());
    let states =
        states.map(|one| (i32::from(one).to_string(), words::plan_state(one, lang).to_owned()));
    let states: Vec<_> = [any()].into_iter().chain(states).collect();
    let ours = [("1".to_owned(), lang.pick("待本市办理", "awaits us").to_owned())];
    let theirs = [("1".to_owned(), lang.pick("待对方办理", "awaits others").to_owned())];
    let held = lang.pick("已结束、仍占用本市力量", "over, and own units still booked");
    let held = [("1".to_owned(), held.to_owned())];
    let none = Refusal::default();
    let of = Filled { form: "filter", again: Some((query, refusal.unwrap_or(&none))), lang };
    html! {
        form .filter method="get" action="/plans" role="search" {
            (of.choice("state", lang.pick("状态", "state"), &states))
            (of.choice("city", lang.pick("参加市", "city"), &cities))
            (of.line("date", "from", lang.pick("日期自", "from"), ""))
            (of.line("date", "until", lang.pick("至", "until"), ""))
            (of.choices("ours", lang.pick("只看", "only"), &ours, &[]))
            (of.choices("theirs", lang.pick("只看", "only"), &theirs, &[]))
            (of.choices("held", lang.pick("只看", "only"), &held, &[]))
            div .field { button { (lang.pick("查询", "Search")) } }
        }
    }
}

fn list(page: &pb::ListPlansResponse, query: &Form, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let count =
        lang.pick(format!("共 {} 项", page.total_size), format!("{} in all", page.total_size));
    html! {
        div .scroll tabindex="0" role="region" aria-label=(lang.pick("方案列表", "Plans")) {
            table {
                caption { (count) }
                thead {
                    tr {
                        th scope="col" { (lang.pick("方案号", "number")) }
                        th scope="col" { (lang.pick("行动名称", "title")) }
                        th scope="col" { (lang.pick("类型", "kind")) }
                        th scope="col" { (lang.pick("时间", "days")) }
                        th scope="col" { (lang.pick("参加市", "cities")) }
                        th scope="col" { (lang.pick("状态", "state")) }
                        th scope="col" { (lang.pick("等待办理", "awaited")) }
                    }
                }
                tbody { @for plan in &page.plans { (row(plan, desk)) } }
            }
        }
        @if page.plans.is_empty() { p .soft { (lang.pick("没有符合条件的方案", "no plan fits")) } }
        (parts::next("/plans", query, &page.next_page_token, lang))
    }
}

fn row(plan: &pb::Plan, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let erased = || lang.pick("已删除", "erased").to_owned();
    let title = plan.record.as_ref().map_or_else(erased, |record| clean(&record.title));
    html! {
        tr {
            th scope="row" { a href=(page_of("plan", &plan.name)) { (clean(&plan.number)) } }
            td { (title) }
            td { (words::plan_kind(plan.kind(), lang)) }
            td { (say::days(&plan.days, lang)) }
            td { (desk.names.list(plan.cities.iter().map(|one| one.city))) }
            td { (words::plan_state(plan.state(), lang)) }
            td { (say::awaited(&plan.awaited, &desk.names, lang)) }
        }
    }
}
