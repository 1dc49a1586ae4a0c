//! The page of one site (检查对象): what is known of it, the positive list, what was said since,
//! the visits that joint actions plan there, the cases of its enterprise.
//!
//! In scope: showing. Out of scope: registering, listing and checks, which the command line and
//! systems do.

use axum::response::Response;
use maud::{Markup, html};
use tonic::Status;

use super::layout::Desk;
use super::parts::{self, At, agreement_of, page_of};
use crate::ids::hex;
use crate::limits::{CONSOLE_MATTERS_MAX, MAP_PLANS_MAX};
use crate::shown::plan as say;
use crate::shown::site as told;
use crate::shown::text::clean;
use crate::wire::case as case_wire;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// Shows it.
pub async fn show(desk: Desk, at: At) -> Response {
    page(&desk, &parts::name_of("sites", &at)).await.unwrap_or_else(|status| desk.no(&status))
}

async fn page(desk: &Desk, name: &str) -> Result<Response, Status> {
    let lang = desk.lang();
    let request = pb::GetSiteRequest { name: name.to_owned() };
    let site = desk.client.sites().get_site(request).await?.into_inner().site.unwrap_or_default();
    let record = site.record.clone().unwrap_or_default();
    let (visits, unread) = visits(desk, &site).await?;
    let cases = cases(desk, &record.uscc).await?;
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("uscc", &record.uscc).finish();
    let kind = lang.pick("检查对象", "Site");
    let title = match clean(&record.name) {
        name if name.is_empty() => kind.to_owned(),
        name => name,
    };
    let main = html! {
        h1 { (title) }
        p .soft { (kind) }
        div .two {
            div {
                (parts::sheet(&told::sheet(&site, &desk.names, lang)))
                (since(&site, desk))
            }
            div {
                section aria-labelledby="visits" {
                    h2 #visits { (lang.pick("联合行动今后的检查", "Visits of joint actions to come")) }
                    ul .matters {
                        @for (plan, visit) in &visits { (visit_line(plan, visit, desk)) }
                    }
                    @if visits.is_empty() {
                        p .soft { (lang.pick("没有安排", "none are planned")) }
                    }
                    @if unread > 0 {
                        p .hint {
                            (lang.pick(
                                format!("另有 {unread} 项行动没有查看。"),
                                format!("{unread} more joint actions were not looked at. "),
                            ))
                            a href="/plans" { (lang.pick("联合行动列表", "All joint actions")) }
                        }
                    }
                }
                section aria-labelledby="cases" {
                    h2 #cases { (lang.pick("该单位的案件", "Cases of the enterprise")) }
                    ul .matters { @for one in &cases.cases { (case_line(one, desk)) } }
                    @if cases.cases.is_empty() { p .soft { (lang.pick("没有", "none")) } }
                    @if !cases.next_page_token.is_empty() {
                        p { a href={ "/cases?" (query) } { (lang.pick("查看全部", "see all")) } }
                    }
                }
            }
        }
    };
    Ok(desk.page(&title, &main))
}

/// What was said since it was registered; a check of a joint action leads there.
fn since(site: &pb::Site, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let agreement = agreement_of(&site.name);
    let plan = |word: &pb::SiteWord| {
        let id = word.check.as_ref().map(|check| hex(&check.plan_id)).unwrap_or_default();
        (!id.is_empty()).then(|| page_of("plan", &format!("{agreement}/plans/{id}")))
    };
    html! {
        @if !site.words.is_empty() {
            section aria-labelledby="since" {
                h2 #since { (lang.pick("登记以后", "Since it was registered")) }
                ul .matters {
                    @for word in &site.words {
                        li {
                            p .told { (told::said(word, &desk.names, lang)) }
                            @if let Some(page) = plan(word) {
                                p .how {
                                    a href=(page) { (lang.pick("所属联合行动", "its joint action")) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Visits that joint actions plan there from today on, and how many of these were not looked at.
async fn visits(
    desk: &Desk,
    site: &pb::Site,
) -> Result<(Vec<(pb::Plan, pb::PlanVisit)>, usize), Status> {
    let request = pb::ListPlansRequest {
        parent: agreement_of(&site.name),
        from: desk.today.map(case_wire::date_out),
        page_size: i32::try_from(MAP_PLANS_MAX).unwrap_or(i32::MAX),
        ..Default::default()
    };
    let page = desk.client.plans().list_plans(request).await?.into_inner();
    let unread = (page.total_size as usize).saturating_sub(page.plans.len());
    let mut found = Vec::new();
    for plan in page.plans.iter().filter(|plan| plan.state() != pb::PlanState::Cancelled) {
        let request = pb::GetPlanRequest { name: plan.name.clone() };
        let plan = desk.client.plans().get_plan(request).await?.into_inner().plan;
        let plan = plan.unwrap_or_default();
        let here = plan.visits.iter().filter(|visit| visit.site == site.name);
        found.extend(here.map(|visit| (plan.clone(), visit.clone())));
    }
    Ok((found, unread))
}

fn visit_line(plan: &pb::Plan, visit: &pb::PlanVisit, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let title = plan.record.as_ref().map(|record| clean(&record.title)).unwrap_or_default();
    html! {
        li {
            a .what href=(page_of("plan", &plan.name)) { (clean(&plan.number)) " " (title) }
            p .how {
                (say::parts::span(visit.first.as_ref(), visit.last.as_ref(), lang)) " · "
                (words::plan_state(plan.state(), lang))
            }
        }
    }
}

/// The newest cases of an enterprise that may be seen.
async fn cases(desk: &Desk, uscc: &str) -> Result<pb::ListCasesResponse, Status> {
    if uscc.is_empty() {
        return Ok(pb::ListCasesResponse::default());
    }
    let request = pb::ListCasesRequest {
        parent: "agreements/-".to_owned(),
        party_uscc: uscc.to_owned(),
        page_size: i32::try_from(CONSOLE_MATTERS_MAX).unwrap_or(i32::MAX),
        ..Default::default()
    };
    Ok(desk.client.cases().list_cases(request).await?.into_inner())
}

fn case_line(case: &pb::Case, desk: &Desk) -> Markup {
    let title = case.record.as_ref().map(|one| clean(&one.title)).unwrap_or_default();
    html! {
        li {
            a .what href=(page_of("case", &case.name)) { (clean(&case.number)) " " (title) }
            p .how {
                (words::state(case.state(), desk.lang())) " · " (desk.names.turn(case.turn_city))
            }
        }
    }
}
