//! Papers of a joint action: the plan (联合执法行动方案), the summary (行动总结), and sheets for the
//! field ([`super::field`]).
//!
//! In scope: what they say. Out of scope: what is agreed: the record is.

use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};

use super::proof::Proof;
use super::{Paper, agreement_title, bureau, field, names, paragraphs, ruled};
use crate::console::form::Query;
use crate::console::layout::{self, Desk};
use crate::console::{parts, register};
use crate::lang::Lang;
use crate::shown::plan::{self as say, Labels, parts as word};
use crate::shown::sheet::Sheet;
use crate::shown::text::clean;
use crate::shown::when;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// Shows a paper of a plan.
pub async fn show(
    desk: Desk,
    Path((agreement, id, what)): Path<(String, String, String)>,
    Query(query): Query,
    uri: http::Uri,
) -> Response {
    if !["plan", "summary", "field"].contains(&what.as_str()) {
        return layout::no_such_page(desk, uri).await;
    }
    let name = parts::name_of("plans", &Path((agreement, id)));
    let request = pb::GetPlanRequest { name: name.clone() };
    let (plan, answers) = match desk.client.plans().get_plan(request).await {
        Ok(answer) => {
            let answer = answer.into_inner();
            (answer.plan.unwrap_or_default(), answer.answers)
        }
        Err(status) => return desk.no(&status),
    };
    let labels = register::labels(&desk, &plan, &answers).await;
    // A place among the visits at which a part of the sheets begins.
    let from = query.text("from").parse().unwrap_or(0).min(plan.visits.len());
    let mut note = html! {};
    let revision = (plan.revision_entry.as_str(), &*plan.revision_hash);
    let (papers, entry) = match what.as_str() {
        "plan" => (vec![proposal(&plan, &answers, &labels, &desk)], revision),
        "summary" => (vec![summary(&plan, &labels, &desk)], (plan.etag.as_str(), &*plan.move_hash)),
        _ => {
            note = field::others(&plan, from, uri.path(), desk.lang());
            (field::papers(&plan, &labels, from, &desk).await, revision)
        }
    };
    let back = parts::page_of("plan", &name);
    let number = clean(&plan.number);
    let proof = Proof::of(&desk, (&number, &name), entry).await;
    let title = papers.first().map_or_else(|| number.clone(), |paper| paper.title.clone());
    if papers.is_empty() {
        return desk.page(&title, &no_visits(&back, desk.lang()));
    }
    super::page_noted(&desk, (&title, &note), &back, &papers, &proof)
}

fn no_visits(back: &str, lang: Lang) -> Markup {
    html! {
        h1 { (lang.pick("没有检查安排", "No visits")) }
        p {
            (lang.pick("检查对象确定或抽取完成后才能打印现场检查记录表。",
                "Sheets can be printed once it is known where to go."))
        }
        p { a href=(back) { (lang.pick("返回方案", "back to the plan")) } }
    }
}

/// The title of an action, or that it was erased.
fn title(plan: &pb::Plan) -> String {
    plan.record.as_ref().map_or_else(|| "内容已删除".to_owned(), |record| clean(&record.title))
}

/// Visits as a table; with what came of them when that is wanted.
fn visits(plan: &pb::Plan, labels: &Labels, with_results: bool, desk: &Desk) -> Markup {
    let names = names(desk);
    html! {
        table .ruled {
            thead {
                tr {
                    th { "序号" } th { "检查对象" } th { "所在市" } th { "时间" }
                    th { (if with_results { "结果" } else { "人员" }) }
                }
            }
            tbody {
                @for (nth, one) in plan.visits.iter().enumerate() {
                    tr {
                        td { (nth + 1) }
                        td { (labels.label(&one.site)) }
                        td { (names.city(one.city)) }
                        @let span = word::span(one.first.as_ref(), one.last.as_ref(), Lang::Zh);
                        td .when { (span.replace(" 至 ", "\n至 ")) }
                        td {
                            @if with_results {
                                (one.result.as_ref().map_or_else(|| "未上报".to_owned(),
                                    |result| word::result(result, Lang::Zh)))
                                (word::keyed(one.result_entry.as_ref(), Lang::Zh))
                                @let said = word::visit_words(one, Lang::Zh);
                                @if !said.is_empty() { br; (said) }
                            } @else {
                                (labels.list(&one.lead, Lang::Zh)) " "
                                (labels.list(&one.guests, Lang::Zh))
                            }
                        }
                    }
                }
            }
        }
        @if plan.visits_are_partial { p { "检查安排较多，此处只列出一部分，全部以联动系统为准。" } }
    }
}

/// Who takes part.
fn bureaus(plan: &pb::Plan, desk: &Desk) -> Vec<String> {
    plan.cities.iter().map(|one| bureau(desk, &plan.name, one.city)).collect()
}

fn proposal(plan: &pb::Plan, answers: &[pb::PlanAnswer], labels: &Labels, desk: &Desk) -> Paper {
    let names = names(desk);
    let record = plan.record.clone().unwrap_or_default();
    let needs: Vec<String> =
        plan.cities.iter().map(|one| word::needs(one, &names, Lang::Zh)).collect();
    let departments: Vec<&str> =
        plan.departments().map(|one| words::department(one, Lang::Zh)).collect();
    let mut sheet = Sheet::default();
    sheet
        .row("行动类型", words::plan_kind(plan.kind(), Lang::Zh))
        .row("发起", bureau(desk, &plan.name, plan.initiator))
        .row("参加部门", departments.join("、"))
        .row("行动时间", word::days(&plan.days, Lang::Zh))
        .row("检查主题", clean(&record.theme))
        .row("集合地点", clean(&record.meeting_place))
        .row("参加市及力量", needs.join("\n"))
        .row(
            "方案版次",
            format!("第 {} 版（{}）", plan.revision, words::plan_state(plan.state(), Lang::Zh)),
        );
    if let Some(rule) = &plan.draw_rule {
        sheet.row("抽取规则", word::rule(rule, Lang::Zh));
    }
    let now = |one: &&pb::PlanAnswer| one.revision == plan.revision_entry && one.counts;
    let answered: Vec<String> =
        answers.iter().filter(now).map(|one| say::answer(one, labels, &names, Lang::Zh)).collect();
    let body = html! {
        p {
            "为加强边界地区生态环境联合执法，按照" (agreement_title(desk, &plan.name))
            "，经参加各市协商，制定本方案。"
        }
        h2 { "一、基本情况" } (ruled(&sheet))
        h2 { "二、工作安排" }
        @if record.text.trim().is_empty() { p { "按检查安排执行。" } } @else { (paragraphs(&record.text)) }
        @if !record.route.trim().is_empty() { h2 { "三、行动路线" } (paragraphs(&record.route)) }
        @if !record.safety.trim().is_empty() { h2 { "安全事项" } (paragraphs(&record.safety)) }
        @if !record.contacts.trim().is_empty() { h2 { "联系人" } (paragraphs(&record.contacts)) }
        @if !plan.visits.is_empty() { h2 { "检查安排" } (visits(plan, labels, false, desk)) }
        @if !answered.is_empty() {
            h2 { "各市答复（打印时）" }
            ul { @for one in &answered { li .told { (one) } } }
        }
    };
    Paper {
        mast: bureaus(plan, desk).join("　"),
        title: format!("{}方案", title(plan)),
        number: clean(&plan.number),
        to: String::new(),
        body,
        signers: bureaus(plan, desk),
        on: String::new(),
        one_page: false,
    }
}

fn summary(plan: &pb::Plan, labels: &Labels, desk: &Desk) -> Paper {
    let names = names(desk);
    let mut sheet = Sheet::default();
    sheet
        .row("行动类型", words::plan_kind(plan.kind(), Lang::Zh))
        .row("行动时间", word::days(&plan.days, Lang::Zh))
        .row("参加市", names.list(plan.cities.iter().map(|one| one.city)))
        .row("已上报结果", names.list(plan.reported.iter().copied()))
        .row("方案状态", words::plan_state(plan.state(), Lang::Zh))
        .row("发起时间", when::time(plan.create_time.as_ref()));
    if let Some(sum) = plan.totals.as_ref().filter(|sum| sum.visits > 0) {
        sheet.row("结果合计", word::totals(sum, Lang::Zh));
    }
    let unfinished = plan.state() != pb::PlanState::Summarized;
    let body = html! {
        @if unfinished { p { strong { "本次行动尚未总结，以下为打印时的情况。" } } }
        h2 { "一、基本情况" } (ruled(&sheet))
        h2 { "二、检查结果" }
        @if plan.visits.is_empty() { p { "本次行动没有检查安排。" } } @else {
            (visits(plan, labels, true, desk))
        }
        h2 { "三、工作总结" }
        @if plan.closing_text.trim().is_empty() {
            p .writing {}
        } @else { (paragraphs(&plan.closing_text)) }
    };
    let initiator = bureau(desk, &plan.name, plan.initiator);
    Paper {
        mast: bureaus(plan, desk).join("　"),
        title: format!("{}总结", title(plan)),
        number: clean(&plan.number),
        to: String::new(),
        body,
        signers: vec![initiator],
        on: String::new(),
        one_page: false,
    }
}
