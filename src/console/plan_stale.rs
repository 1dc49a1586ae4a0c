//! A form of a plan that comes back because the plan has moved on: what happened meanwhile, by
//! whom, and both versions of everything that they say otherwise.
//!
//! In scope: that comparison. Out of scope: the form, which takes the new etag over only beside it
//! ([`super::parts::Filled::kept`]).

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::form::Form;
use super::layout::Desk;
use super::parts::{self, agreement_of};
use super::{plan_acts, plan_drafts, register};
use crate::lang::Lang;
use crate::shown::plan::Labels;
use crate::shown::plan::changes::{Change, as_it_stands, between};
use crate::shown::plan::parts::{days, joined};
use crate::shown::text::clean;
use crate::shown::when;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// How a plan looks at a glance: what a form was filled in against.
pub fn seen(plan: &pb::Plan, lang: Lang) -> String {
    let (nth, state) = (plan.revision, words::plan_state(plan.state(), lang));
    let (days, at) = (days(&plan.days, lang), moved_at(plan));
    lang.pick(
        format!("第 {nth} 版，{state}，{days}，最近办理 {at}"),
        format!("revision {nth}, {state}, {days}, last moved {at}"),
    )
}

fn moved_at(plan: &pb::Plan) -> String {
    when::time(plan.last_move.as_ref().and_then(|last| last.move_time.as_ref()))
}

/// What happened, and both versions at a glance; then what they say otherwise.
pub fn meanwhile(plan: &pb::Plan, form: &Form, both: &Markup, desk: &Desk) -> Markup {
    let lang = desk.lang();
    html! {
        div .hint role="status" {
            p {
                strong { (lang.pick("其间已有变化：", "Changed meanwhile: ")) (moved(plan, desk)) }
            }
            p { (lang.pick("您填写时：", "when you filled it in: ")) (clean(form.text("seen"))) }
            p { (lang.pick("现在：", "now: ")) (seen(plan, lang)) }
        }
        (both)
    }
}

/// Who has moved it last, when, and how.
fn moved(plan: &pb::Plan, desk: &Desk) -> String {
    let lang = desk.lang();
    let last = plan.last_move.clone().unwrap_or_default();
    let header = last.header.unwrap_or_default();
    let what = words::event(header.event.as_ref(), lang);
    let role = words::actor_role(header.actor.unwrap_or_default().role(), lang);
    let (city, at, who) = (desk.names.city(plan.initiator), moved_at(plan), clean(&last.moved_by));
    lang.pick(
        format!("{city} {role} {who} 于 {at} {what}"),
        format!("{city}, {role} {who}, {at}: {what}"),
    )
}

/// What another press would put in the place of what.
pub async fn replaced(desk: &Desk, plan: &pb::Plan, draft: pb::PlanDraft) -> Markup {
    let lang = desk.lang();
    let pool = draft.draw.as_ref().map(|draw| draw.pool.clone());
    let typed =
        pb::SavedDraft { name: plan.name.clone(), draft: Some(draft), ..Default::default() };
    let mut typed = plan_drafts::as_plan(&typed);
    if let (Some(rule), Some(now)) = (&mut typed.draw_rule, &plan.draw_rule) {
        rule.pool_size = now.pool_size;
    }
    let now = as_it_stands(plan);
    typed.previous = Some(now.clone());
    let mut labels = register::labels(desk, &typed, &[]).await;
    let wanted = pool.iter().flatten().cloned().collect();
    register::learn_sites(desk, &agreement_of(&plan.name), wanted, &mut labels).await;
    let mut all = between(&now, &typed, &labels, &desk.names, lang);
    all.extend(pool.map(|pool| listed(plan, &pool, &labels, lang)));
    let stay: BTreeSet<&str> = typed.visits.iter().map(|one| one.site.as_str()).collect();
    let gone = now.visits.iter().filter(|one| !stay.contains(one.site.as_str()));
    let gone: Vec<String> = gone.map(|one| labels.label(&one.site)).collect();
    html! {
        (parts::versions(&all, [now_word(lang), lang.pick("您填写的", "what you typed")], lang))
        @if !gone.is_empty() {
            @let gone = joined(&gone, lang);
            p .refused role="alert" {
                (lang.pick(
                    format!("原样再次提交，将取消对以下对象的检查：{gone}。要保留的，\
                             请先在“检查对象”中勾选。"),
                    format!("Sent again as it is, these sites are no longer visited: {gone}. \
                             Tick them first if they are to stay."),
                ))
            }
        }
    }
}

/// The list of a draw, which a revision makes anew.
fn listed(plan: &pb::Plan, pool: &[String], labels: &Labels, lang: Lang) -> Change {
    let count = |count: usize| lang.pick(format!("{count} 家"), format!("{count} sites"));
    let before = if plan.pool.is_empty() { String::new() } else { count(plan.pool.len()) };
    let after = match pool {
        [] => lang.pick("各参加市的全部对象，重新生成", "all of the cities, made anew").to_owned(),
        some => format!("{} {}", count(some.len()), labels.list(some, lang)),
    };
    Change::new(lang.pick("抽取名单", "list of the draw"), before, after)
}

/// The same of texts alone.
pub fn texts_replaced(plan: &pb::Plan, form: &Form, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let record = Some(plan_acts::amended(plan.record.clone(), form));
    let typed = pb::Plan { record, ..plan.clone() };
    let (now, labels) = (as_it_stands(plan), Labels::default());
    let all = between(&now, &typed, &labels, &desk.names, lang);
    parts::versions(&all, [now_word(lang), lang.pick("您填写的", "what you typed")], lang)
}

/// What has become of the revision that something was said to.
pub fn revised(plan: &pb::Plan, form: &Form, labels: &Labels, desk: &Desk) -> Markup {
    let (lang, before) = (desk.lang(), form.text("revision"));
    let then = lang.pick("您填写时的版本", "the version you saw");
    match &plan.previous {
        _ if before == plan.revision_entry => html! {},
        Some(previous) if before == previous.entry => {
            let all = between(previous, plan, labels, &desk.names, lang);
            parts::versions(&all, [then, now_word(lang)], lang)
        }
        Some(_) | None => html! {
            p .hint {
                (lang.pick("其间不止修订一次，请核对下面的全文。",
                    "It was revised more than once: read all of it below."))
            }
        },
    }
}

fn now_word(lang: Lang) -> &'static str {
    lang.pick("现行版本", "the present version")
}
