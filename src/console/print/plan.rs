//! Papers of a joint action: the plan (联合执法行动方案), the summary (行动总结), and sheets for the
//! field ([`super::field`]).
//!
//! In scope: what they say. Out of scope: what is agreed: the record is.
//!
//! Invariants:
//! 1. A plan says that the cities have agreed, and has room for their seals, only once all have
//!    confirmed it. (`only_what_all_have_confirmed_says_so`)

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

/// What a paper is called, of whatever name people gave the action.
fn called(title: &str, what: &str) -> String {
    let name = title.strip_suffix("方案").or_else(|| title.strip_suffix("总结"));
    format!("{}{what}", name.unwrap_or(title))
}

/// What a plan is that not all cities have confirmed: behind its name, and a warning.
const fn unsettled(state: pb::PlanState) -> Option<(&'static str, &'static str)> {
    use pb::PlanState as S;
    match state {
        S::Consulting | S::Confirming | S::Unspecified => Some((
            "（征求意见稿）",
            "本稿尚未经参加各市全部确认，以下为打印时的情况，不作为执行依据。",
        )),
        S::Cancelled => Some(("（已取消）", "本次行动已取消，以下方案不再执行。")),
        S::Scheduled | S::Executing | S::ResultsReported | S::Summarized => None,
    }
}

/// What is said of how the plan came about.
fn preamble(state: pb::PlanState, agreement: &str) -> Markup {
    let begins = format!("为加强边界地区生态环境联合执法，按照{agreement}，");
    html! {
        @match unsettled(state) {
            None => p { (begins) "经参加各市协商，制定本方案。" },
            Some((_, warning)) => {
                p { strong { (warning) } }
                p { (begins) "拟定本方案。" }
            }
        }
    }
}

/// Parts of a paper, those that say something, numbered as letters number them.
fn numbered<const N: usize>(parts: [(&str, Option<Markup>); N]) -> Markup {
    let numerals = ["一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let parts = parts.into_iter().filter_map(|(heading, body)| Some((heading, body?)));
    html! {
        @for (numeral, (heading, body)) in numerals.iter().zip(parts) {
            h2 { (numeral) "、" (heading) }
            (body)
        }
    }
}

/// The paragraphs of a text; none of an empty one.
fn said(text: &str) -> Option<Markup> {
    (!text.trim().is_empty()).then(|| paragraphs(text))
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
    let told = html! { ul { @for one in &answered { li .told { (one) } } } };
    let work = said(&record.text).unwrap_or_else(|| html! { p { "按检查安排执行。" } });
    let body = html! {
        (preamble(plan.state(), &agreement_title(desk, &plan.name)))
        (numbered([
            ("基本情况", Some(ruled(&sheet))),
            ("工作安排", Some(work)),
            ("行动路线", said(&record.route)),
            ("安全事项", said(&record.safety)),
            ("联系人", said(&record.contacts)),
            ("检查安排",
                (!plan.visits.is_empty()).then(|| visits(plan, labels, false, desk))),
            ("各市答复（打印时）", (!answered.is_empty()).then_some(told)),
        ]))
    };
    let draft = unsettled(plan.state());
    Paper {
        mast: bureaus(plan, desk).join("　"),
        title: format!("{}{}", called(&title(plan), "方案"), draft.map_or("", |(mark, _)| mark)),
        number: clean(&plan.number),
        to: String::new(),
        body,
        // Nobody seals what is not agreed.
        signers: if draft.is_some() { Vec::new() } else { bureaus(plan, desk) },
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
    let results = if plan.visits.is_empty() {
        html! { p { "本次行动没有检查安排。" } }
    } else {
        visits(plan, labels, true, desk)
    };
    let unfinished = plan.state() != pb::PlanState::Summarized;
    let body = html! {
        @if unfinished { p { strong { "本次行动尚未总结，以下为打印时的情况。" } } }
        (numbered([
            ("基本情况", Some(ruled(&sheet))),
            ("检查结果", Some(results)),
            ("工作总结", said(&plan.closing_text).or_else(|| Some(html! { p .writing {} }))),
        ]))
    };
    let initiator = bureau(desk, &plan.name, plan.initiator);
    Paper {
        mast: bureaus(plan, desk).join("　"),
        title: called(&title(plan), "总结"),
        number: clean(&plan.number),
        to: String::new(),
        body,
        signers: vec![initiator],
        on: String::new(),
        one_page: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_all_have_confirmed_says_so() {
        let states = (0..8).map_while(|number| pb::PlanState::try_from(number).ok());
        let agreed = states.filter(|state| {
            let said = preamble(*state, "《协议》").into_string();
            assert!(said.contains("按照《协议》，"), "{said}");
            assert_eq!(said.contains("经参加各市协商"), unsettled(*state).is_none(), "{said}");
            said.contains("经参加各市协商")
        });
        let agreed: Vec<i32> = agreed.map(i32::from).collect();
        assert_eq!(agreed, [3, 4, 5, 6]);
    }

    #[test]
    fn no_paper_is_called_a_plan_twice() {
        for (title, plan, summary) in [
            ("秋冬季联合执法行动", "秋冬季联合执法行动方案", "秋冬季联合执法行动总结"),
            ("秋冬季联合执法行动方案", "秋冬季联合执法行动方案", "秋冬季联合执法行动总结"),
            ("秋冬季联合执法行动总结", "秋冬季联合执法行动方案", "秋冬季联合执法行动总结"),
        ] {
            assert_eq!(
                (called(title, "方案"), called(title, "总结")),
                (plan.into(), summary.into())
            );
        }
    }

    #[test]
    fn headings_are_numbered_as_far_as_there_are_any() {
        let body = |text: &str| Some(html! { p { (text) } });
        let all = numbered([("甲", body("1")), ("乙", None), ("丙", said(" ")), ("丁", said("4"))]);
        let wanted = "<h2>一、甲</h2><p>1</p><h2>二、丁</h2><p>4</p>";
        assert_eq!(all.into_string(), wanted);
    }
}
