//! The draw of a joint action: who is bound to what and has shown it, the seed, who was drawn, from
//! which list; and working it out again.
//!
//! In scope: the page and the file. Out of scope: the forms by which a draw goes on
//! ([`super::plan`]); comparing ([`crate::shown::draw`]), which the command line has too.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::{IntoResponse, Response};
use http::header;
use maud::{Markup, html};
use tonic::Status;

use super::ending::refused;
use super::form::{Form, Query};
use super::layout::Desk;
use super::parts::{self, At, agreement_of, page_of};
use super::refusal::Refusal;
use super::register;
use crate::ids::hex;
use crate::lang::Lang;
use crate::limits::CONSOLE_POOL_SITES;
use crate::shown::draw::Published;
use crate::shown::draw::checks::checks;
use crate::shown::plan::{self as told, Labels, parts as say};
use crate::shown::sheet::Sheet;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// Shows the page; with what comes out when the draw is worked out again, if that is asked for.
pub async fn show(desk: Desk, at: At, Query(query): Query) -> Response {
    let plan = match read(&desk, &at).await {
        Ok(plan) => plan,
        Err(status) => return desk.no(&status),
    };
    let verifies = !query.text("verify").is_empty();
    match (verifies, Published::of(&plan)) {
        (false, _) => page(&desk, &plan, &query, &html! {}).await,
        (true, Some(drawn)) => {
            let verified = verified(&drawn, &plan, &desk);
            page(&desk, &plan, &query, &verified).await
        }
        (true, None) => not_drawn(&desk, &plan, &query).await,
    }
}

/// Sends the file that anybody can work the draw out from.
pub async fn file(desk: Desk, at: At, Query(query): Query) -> Response {
    let plan = match read(&desk, &at).await {
        Ok(plan) => plan,
        Err(status) => return desk.no(&status),
    };
    let Some(drawn) = Published::of(&plan) else {
        return not_drawn(&desk, &plan, &query).await;
    };
    let id = plan.name.rsplit('/').next().unwrap_or_default();
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"draw-{id}.json\"")),
    ];
    (headers, drawn.text()).into_response()
}

async fn read(desk: &Desk, at: &At) -> Result<pb::Plan, Status> {
    let request = pb::GetPlanRequest { name: parts::name_of("plans", at) };
    let answer = desk.client.plans().get_plan(request).await?.into_inner();
    Ok(answer.plan.unwrap_or_default())
}

/// The page, and that there is nothing to work out yet.
async fn not_drawn(desk: &Desk, plan: &pb::Plan, query: &Form) -> Response {
    let lang = desk.lang();
    let refusal = Refusal {
        reason: "NOT_DRAWN".to_owned(),
        what: lang.pick("这个方案还没有抽取结果", "nothing is drawn in this plan").to_owned(),
        advice: lang
            .pick(
                "方案排定并由各市公开随机数后再复核、下载",
                "verify and download it once the plan is settled and all have shown their parts",
            )
            .to_owned(),
        ..Refusal::default()
    };
    refused(page(desk, plan, query, &parts::refused(&refusal, lang)).await)
}

async fn page(desk: &Desk, plan: &pb::Plan, query: &Form, told: &Markup) -> Response {
    let lang = desk.lang();
    let mut labels = register::labels(desk, plan, &plan.answers).await;
    let from = query.text("from").parse().unwrap_or(0_usize);
    let listed: Vec<(&pb::PoolSite, String)> = plan
        .pool
        .iter()
        .skip(from)
        .take(CONSOLE_POOL_SITES)
        .map(|one| (one, format!("{}/sites/{}", agreement_of(&plan.name), hex(&one.site_id))))
        .collect();
    let wanted: BTreeSet<String> = listed.iter().map(|(_, name)| name.clone()).collect();
    register::learn_sites(desk, &agreement_of(&plan.name), wanted, &mut labels).await;
    let record = plan.record.as_ref().map_or("", |record| record.title.as_str());
    let title = lang.pick("双随机抽取", "Draw");
    let here = page_of("plan", &plan.name);
    let main = html! {
        h1 { (title) "：" (clean(&plan.number)) }
        p { a href=(here) { (lang.pick("返回方案", "back to the plan")) " " (clean(record)) } }
        (told)
        @if plan.draw_rule.is_none() {
            p .hint { (lang.pick("这个方案不抽取检查对象。", "This plan draws nothing.")) }
        } @else {
            (parts::sheet(&standing(plan, desk)))
            @if Published::of(plan).is_some() { (means(&here, lang)) }
            (commitments(plan, desk))
            (result(plan, &labels, desk))
            (list(plan, (from, &listed), &labels, desk))
        }
    };
    desk.page(&format!("{title} {}", clean(&plan.number)), &main)
}

/// How the draw stands.
fn standing(plan: &pb::Plan, desk: &Desk) -> Sheet {
    let lang = desk.lang();
    let draw = plan.draw.clone().unwrap_or_default();
    let rule = plan.draw_rule.as_ref().map_or_else(String::new, |rule| say::rule(rule, lang));
    let seed = match draw.seed.as_str() {
        "" => lang.pick("各市公开随机数后得出", "follows from what all cities show").to_owned(),
        seed => clean(seed),
    };
    let attempt = if draw.attempt > 0 { draw.attempt.to_string() } else { String::new() };
    let mut sheet = Sheet::default();
    sheet
        .row(lang.pick("抽取规则", "rule"), rule)
        .row(lang.pick("方案状态", "state"), words::plan_state(plan.state(), lang))
        .row(lang.pick("修订版次", "revision"), plan.revision.to_string())
        .row(lang.pick("抽取次数", "attempt"), attempt)
        .row(lang.pick("等待办理", "awaited"), say::awaited(&plan.awaited, &desk.names, lang))
        .row(
            lang.pick("此前未公开随机数的市", "withheld before"),
            desk.names.list(draw.withheld.iter().copied()),
        )
        .row(told::silent_label(&draw, lang), desk.names.list(draw.silent.iter().copied()))
        .row(told::cancelled_label(lang), told::cancelled_late(&draw, lang))
        .row(lang.pick("种子", "seed"), seed);
    sheet
}

/// Working it out again, here or elsewhere.
fn means(here: &str, lang: Lang) -> Markup {
    html! {
        form .noprint method="get" action={ (here) "/draw" } {
            button name="verify" value="1" { (lang.pick("复核抽取结果", "Verify")) }
            " "
            a href={ (here) "/draw.json" } download="" {
                (lang.pick("下载抽取文件（可用 liandong plan verify-draw 另行复核）",
                    "download the draw (liandong plan verify-draw works it out elsewhere)"))
            }
        }
    }
}

/// Each thing that has to be so, passed or not.
fn verified(drawn: &Published, plan: &pb::Plan, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let checks = checks(&drawn.text(), plan, &desk.names, lang);
    let wrong = checks.iter().filter(|one| one.wrong.is_some()).count();
    let count = checks.len();
    let said = match wrong {
        0 => lang.pick(format!("{count} 项复核全部通过"), format!("all {count} checks passed")),
        wrong => lang.pick(
            format!("{count} 项复核中有 {wrong} 项未通过"),
            format!("{wrong} of {count} checks did not pass"),
        ),
    };
    html! {
        div #checks .done[wrong == 0] .refused[wrong > 0] role="status" {
            p { strong { (said) } }
            ul {
                @for one in &checks {
                    li {
                        @match &one.wrong {
                            None => {
                                span .ok { "✓ " (lang.pick("通过", "passed")) } " " (one.what)
                            },
                            Some(wrong) => {
                                span .late { "✗ " (lang.pick("未通过", "not passed")) } " " (one.what)
                                (lang.pick("：", ": ")) (wrong)
                            },
                        }
                    }
                }
            }
            @if wrong > 0 {
                p {
                    (lang.pick("怎么办：核对名单和权重是否与承诺之前一致；仍不一致的，请发起市说明。",
                        "What to do: compare the list and weights with those before the \
                         commitments; then ask the initiator."))
                }
            }
            @if let Some(said) = drawn.of_plan(lang) { p { (said) (lang.pick("。", ".")) } }
            p .soft {
                (lang.pick(
                    "由本市节点按导出的抽取文件重新计算。参加市、名单和权重以各市签名的方案为准。",
                    "Worked out again by this node from the exported file. Cities, lists and \
                     weights are those of the signed plan.",
                ))
                (drawn.of_officers(lang)) (lang.pick("。", "."))
            }
        }
    }
}

/// What each city is bound to, and what it has shown.
fn commitments(plan: &pb::Plan, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let draw = plan.draw.clone().unwrap_or_default();
    let bound: BTreeMap<u32, &str> =
        draw.commitments.iter().map(|one| (one.city, one.commitment.as_str())).collect();
    let shown: BTreeMap<u32, &str> =
        draw.reveals.iter().map(|one| (one.city, one.random.as_str())).collect();
    let early = |city| match draw.committed.contains(&city) {
        true => lang.pick("已提交，排定后列出", "given, listed once the plan is settled"),
        false => lang.pick("未提交", "not given"),
    };
    let hash = |hash: Option<&&str>, otherwise: &str| {
        html! {
            @match hash {
                Some(hash) => { code { (clean(hash)) } },
                None => { span .soft { (otherwise) } },
            }
        }
    };
    html! {
        section aria-labelledby="commitments" {
            h2 #commitments { (lang.pick("承诺和随机数", "Commitments and reveals")) }
            div .scroll tabindex="0" role="region" aria-labelledby="commitments" {
                table {
                    thead {
                        tr {
                            th scope="col" { (lang.pick("市", "city")) }
                            th scope="col" { (lang.pick("承诺", "commitment")) }
                            th scope="col" { (lang.pick("公开的随机数", "reveal")) }
                        }
                    }
                    tbody {
                        @for one in &plan.cities {
                            tr {
                                th scope="row" { (desk.names.city(one.city)) }
                                td { (hash(bound.get(&one.city), early(one.city))) }
                                td {
                                    (hash(shown.get(&one.city), lang.pick("未公开", "not shown")))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Who was drawn, in order, and which officers go there.
fn result(plan: &pb::Plan, labels: &Labels, desk: &Desk) -> Markup {
    let lang = desk.lang();
    html! {
        section aria-labelledby="result" {
            h2 #result { (lang.pick("抽取结果", "Result")) }
            @if plan.visits.is_empty() {
                p .soft { (lang.pick("还没有结果。", "There is none yet.")) }
            } @else {
                div .scroll tabindex="0" role="region" aria-labelledby="result" {
                    table {
                        thead {
                            tr {
                                th scope="col" { (lang.pick("顺序", "place")) }
                                th scope="col" { (lang.pick("检查对象", "site")) }
                                th scope="col" { (lang.pick("所在市", "city")) }
                                th scope="col" { (lang.pick("时间", "days")) }
                                th scope="col" { (lang.pick("当地人员", "officers of the host")) }
                                th scope="col" { (lang.pick("外市人员", "officers of others")) }
                            }
                        }
                        tbody { @for (n, one) in plan.visits.iter().enumerate() {
                            tr {
                                td { (n + 1) }
                                th scope="row" {
                                    (labels.label(&one.site))
                                    @if one.by_default {
                                        " " span .tag {
                                            (lang.pick("因未公开随机数受检", "its city withheld"))
                                        }
                                    }
                                }
                                td { (desk.names.city(one.city)) }
                                td { (say::span(one.first.as_ref(), one.last.as_ref(), lang)) }
                                td { (labels.list(&one.lead, lang)) }
                                td { (labels.list(&one.guests, lang)) }
                            }
                        } }
                    }
                }
            }
            @if plan.visits_are_partial {
                p .hint {
                    (lang.pick("结果过多，节点一次未能全部给出，因此也不能在此复核。",
                        "There are more than a node tells at a time; it cannot be verified here."))
                }
            }
        }
    }
}

/// The list that is drawn from, a page of it.
fn list(
    plan: &pb::Plan,
    (from, listed): (usize, &[(&pb::PoolSite, String)]),
    labels: &Labels,
    desk: &Desk,
) -> Markup {
    let lang = desk.lang();
    let all = plan.pool.len();
    let drawn: BTreeSet<&str> = plan.visits.iter().map(|one| one.site.as_str()).collect();
    let here = format!("{}/draw", page_of("plan", &plan.name));
    let last = from.saturating_add(listed.len()).min(all);
    let pages = (0..all).step_by(CONSOLE_POOL_SITES).filter(|_| all > CONSOLE_POOL_SITES);
    html! {
        section aria-labelledby="list" {
            h2 #list { (lang.pick("名单", "List")) }
            p .pages {
                span {
                    (lang.pick(
                        format!("共 {all} 家，这里是第 {} 至 {last} 家", from.saturating_add(1).min(all)),
                        format!("{all} sites, here {} to {last}", from.saturating_add(1).min(all)),
                    ))
                }
                @for first in pages {
                    a href={ (here) "?from=" (first) "#list" }
                        aria-current=[(first == from).then_some("page")] {
                        (first + 1) "–" ((first + CONSOLE_POOL_SITES).min(all))
                    }
                }
            }
            div .scroll tabindex="0" role="region" aria-labelledby="list" {
                table {
                    thead {
                        tr {
                            th scope="col" { (lang.pick("对象", "site")) }
                            th scope="col" { (lang.pick("所在市", "city")) }
                            th scope="col" { (lang.pick("分类", "tier")) }
                            th scope="col" { (lang.pick("抽取", "draw")) }
                        }
                    }
                    tbody {
                        @for (one, name) in listed {
                            tr {
                                th scope="row" { (labels.label(name)) }
                                td { (desk.names.city(one.city)) }
                                td { (words::site_tier(one.tier(), lang)) }
                                td {
                                    @if one.left_out != 0 {
                                        (lang.pick("不参加：", "left out: "))
                                        (words::left_out(one.left_out(), lang))
                                    } @else if drawn.contains(name.as_str()) {
                                        strong { (lang.pick("抽中", "drawn")) }
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
