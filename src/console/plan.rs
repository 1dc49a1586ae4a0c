//! The page of one joint action: what is proposed, what is lacking, who answered what, the draw,
//! the visits, and what may be done now.
//!
//! In scope: showing. Out of scope: what the forms end in ([`super::plan_acts`]), proposing one
//! ([`super::plan_new`]).

use axum::response::Response;
use maud::{Markup, html};
use tonic::Status;

use super::case::Again;
use super::form::{Form, Query};
use super::layout::Desk;
use super::parts::{self, At, Filled, act};
use super::{plan_recusals, plan_revise, plan_shifts, plan_stale, register};
use crate::lang::Lang;
use crate::limits::PLAN_ANSWERS_SHOWN_MAX;
use crate::shown::plan::changes::changes;
use crate::shown::plan::{self as say, Labels};
use crate::shown::sheet::Sheet;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;
use crate::wire::unit::half_day_from_pb;
use crate::wire::words;

/// The button of a form that lists more units.
const MORE_UNITS: &str = "more-units";

/// Shows a plan.
pub async fn show(desk: Desk, at: At, Query(query): Query) -> Response {
    match page(&desk, &parts::name_of("plans", &at), &query, None).await {
        Ok(page) => page,
        Err(status) => desk.no(&status),
    }
}

/// The page, perhaps with a form that was refused or lists other units.
///
/// # Errors
/// The service's refusal to show the plan.
pub async fn page(
    desk: &Desk,
    name: &str,
    query: &Form,
    again: Option<&Again<'_>>,
) -> Result<Response, Status> {
    let lang = desk.lang();
    let request = pb::GetPlanRequest { name: name.to_owned() };
    let answer = desk.client.plans().get_plan(request).await?.into_inner();
    let (plan, answers) = (answer.plan.unwrap_or_default(), answer.answers);
    let mut labels = register::labels(desk, &plan, &answers).await;
    plan_recusals::learn(desk, &plan, &mut labels).await;
    let units = units(desk, &plan, &answers, again).await?;
    let mut sheet = Sheet::default();
    say::head(&mut sheet, &plan, &desk.names, lang);
    say::record(&mut sheet, plan.record.as_ref(), lang);
    say::progress(&mut sheet, &plan, &desk.names, lang);
    let title = plan.record.as_ref().map_or("", |record| record.title.as_str());
    let title = format!("{} {}", clean(&plan.number), clean(title));
    let visits: Vec<String> =
        plan.visits.iter().map(|one| say::visit(one, &labels, &desk.names, lang)).collect();
    let main = html! {
        h1 { (title) }
        (parts::done(query, desk, ""))
        @if let Some(again) = again.filter(|again| again.refusal.is_stale) {
            @let both = if again.act == "amend" {
                plan_stale::texts_replaced(&plan, again.form, desk)
            } else {
                plan_stale::revised(&plan, again.form, &labels, desk)
            };
            (plan_stale::meanwhile(&plan, again.form, &both, desk))
        }
        (super::print::links(&parts::page_of("plan", name), &super::print::OF_A_PLAN, lang))
        (lines("changed", lang.pick("较上一版的变化", "Changed against the revision before"),
            &changes(&plan, &labels, &desk.names, lang)))
        (lines("lacking", lang.pick("尚缺条件", "Lacking"), &say::findings(&plan, lang)))
        div .two {
            div {
                (parts::sheet(&sheet))
                (lines("remarks", lang.pick("提示", "Remarks"), &say::remarks(&plan, lang)))
                (lines("visits", lang.pick("检查安排", "Visits"), &visits))
                (lines("draw", lang.pick("抽取", "Draw"), &say::draw(&plan, &desk.names, lang)))
                @if plan.draw_rule.is_some() {
                    p {
                        a href={ (parts::page_of("plan", name)) "/draw" } {
                            (lang.pick("名单、承诺、结果与复核", "List, commitments, result, verification"))
                        }
                    }
                }
            }
            div {
                section .noprint {
                    h2 { (lang.pick("办理", "What may be done")) }
                    (acts(&plan, desk, (&units, &answers, &labels), again))
                }
                (said(&answers, &plan.revision_entry, &labels, desk))
            }
        }
    };
    Ok(desk.page(&title, &main))
}

/// The own city's units to choose from: a page of them, with what is chosen or sent by now.
async fn units(
    desk: &Desk,
    plan: &pb::Plan,
    answers: &[pb::PlanAnswer],
    again: Option<&Again<'_>>,
) -> Result<register::Choices, Status> {
    // What is held for this plan is not in its way, by whichever answer.
    let all = answers.iter().chain(&plan.answers).filter(|one| one.city == desk.city);
    let all = all.filter_map(|one| one.sent.as_ref()).flat_map(|sent| &sent.units);
    let ours = all.map(|one| one.unit.clone()).collect();
    let days = plan.days.iter().filter_map(|day| day.at.as_ref().and_then(half_day_from_pb));
    let days = days.filter(|at| desk.today.is_none_or(|today| today <= at.on)).collect();
    let sent = held(plan, desk.city).into_iter().flat_map(|sent| &sent.units);
    let sent: Vec<(String, String)> =
        sent.map(|one| ("sent".to_owned(), one.unit.clone())).collect();
    let (sent, none) = (Form::of(sent), Form::default());
    let typed = again.map_or(&none, |again| again.form);
    let forms = (&[typed, &sent][..], MORE_UNITS);
    let coming = register::Coming { days, ours };
    register::own_units(desk, &parts::agreement_of(&plan.name), forms, &coming).await
}

/// What a city sends or holds by its answer that counts.
pub fn held(plan: &pb::Plan, city: u32) -> Option<&pb::SentDraft> {
    plan.answers.iter().find(|one| one.city == city).and_then(|one| one.sent.as_ref())
}

/// What a city that has confirmed sends by now.
pub fn own_sent(plan: &pb::Plan, city: u32) -> Option<&pb::SentDraft> {
    let confirms =
        |one: &&pb::PlanAnswer| one.city == city && one.kind() == pb::PlanAnswerKind::Confirm;
    plan.answers.iter().find(confirms).and_then(|one| one.sent.as_ref())
}

/// What the cities have answered, to this revision and to earlier ones.
fn said(answers: &[pb::PlanAnswer], revision: &str, labels: &Labels, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let told = |one: &pb::PlanAnswer| say::answer(one, labels, &desk.names, lang);
    let (current, earlier): (Vec<_>, Vec<_>) =
        answers.iter().partition(|one| one.revision == revision);
    let [current, earlier] =
        [current, earlier].map(|all| all.into_iter().map(told).collect::<Vec<String>>());
    html! {
        (lines("answers", lang.pick("对本版的答复", "Answers to this revision"), &current))
        (lines("earlier", lang.pick("对以前各版的答复", "Answers to earlier ones"), &earlier))
        @if answers.len() >= PLAN_ANSWERS_SHOWN_MAX {
            p .soft {
                (lang.pick(
                    format!("只列出 {PLAN_ANSWERS_SHOWN_MAX} 条答复，更早的没有显示。"),
                    format!("{PLAN_ANSWERS_SHOWN_MAX} answers are shown, older ones are not."),
                ))
            }
        }
    }
}

fn lines(id: &str, title: &str, all: &[String]) -> Markup {
    html! {
        @if !all.is_empty() {
            section aria-labelledby=(id) {
                h2 id=(id) { (title) }
                ul .matters { @for one in all { li { p .told { (one) } } } }
            }
        }
    }
}

/// The forms of a plan's page.
struct Forms<'a> {
    plan: &'a pb::Plan,
    desk: &'a Desk,
    page: String,
    again: Option<&'a Again<'a>>,
    units: &'a register::Choices,
    /// What a city said last that it sends, whatever it has answered since.
    said: Option<&'a pb::SentDraft>,
    labels: &'a Labels,
}

impl<'a> Forms<'a> {
    /// One of them, with what was typed if it is the one that was sent.
    fn of(&self, form: &'static str) -> Filled<'a> {
        let again = self.again.filter(|again| again.act == form);
        let again = again.map(|again| (again.form, again.refusal));
        Filled { form, again, lang: self.desk.lang() }
    }

    /// Who does not go where.
    fn recusals(&self, of: &Filled<'_>) -> Markup {
        let declared = self.said.map_or(&[][..], |sent| &sent.recusals);
        plan_recusals::fields(of, self.plan, (declared, self.units, self.labels))
    }

    /// One of them on the page, where it fits and this person may send it, or just has.
    fn put(
        &self,
        form: &'static str,
        method: &str,
        fits: bool,
        title: &str,
        more: &Markup,
    ) -> Markup {
        let filled = self.of(form);
        let may = self.desk.visitor.may(&format!("/liandong.v1.PlanService/{method}"));
        let action = format!("{}/{form}", self.page);
        let shown = filled.refused().is_some() || fits && may;
        let fields = html! {
            (filled.kept("etag", &self.plan.etag))
            (filled.kept("revision", &self.plan.revision_entry))
            (filled.kept("seen", &plan_stale::seen(self.plan, filled.lang)))
            (more)
        };
        html! { @if shown { (act(&filled, &action, title, &fields)) } }
    }
}

/// What changes a plan, or what is sent for it.
fn changing(forms: &Forms<'_>, going: bool) -> Markup {
    let Forms { plan, desk, page, .. } = forms;
    let lang = desk.lang();
    // Before it is settled a city that sends others confirms anew.
    let settled = matches!(plan.state(), pb::PlanState::Scheduled | pb::PlanState::Executing);
    let sent = own_sent(plan, desk.city);
    let shifts = plan_shifts::told(sent, plan, (forms.labels, lang));
    let swap = swap_fields(&forms.of("swap"), (sent, &shifts), forms);
    let amend = amend_fields(&forms.of("amend"), plan.record.as_ref());
    let initiator = plan.initiator == desk.city;
    html! {
        (forms.put("swap", "SwapUnits", sent.is_some() && settled,
            lang.pick("调整派出力量", "Send others"), &swap))
        (forms.put("release", "ReleaseUnits", is_stuck(plan),
            lang.pick("释放本市执法力量", "Free own units"), &release_hint(plan, lang)))
        @if plan_revise::may(plan, desk) {
            p {
                a href={ (page) "/revise" } {
                    (lang.pick("修订方案（时间、参加市、检查对象）", "Revise it (days, cities, sites)"))
                }
            }
        }
        (forms.put("amend", "AmendPlan", initiator && going,
            lang.pick("补正文字", "Amend texts"), &amend))
    }
}

/// Whether the own city's units stay busy for what is not carried out any more.
fn is_stuck(plan: &pb::Plan) -> bool {
    let ended = matches!(plan.state(), pb::PlanState::Summarized | pb::PlanState::Cancelled);
    let booked = &plan.booked_revision;
    !booked.is_empty() && (ended || *booked != plan.revision_entry)
}

/// Why they are busy, and what frees them.
fn release_hint(plan: &pb::Plan, lang: Lang) -> Markup {
    let ended = matches!(plan.state(), pb::PlanState::Summarized | pb::PlanState::Cancelled);
    let why = if ended {
        lang.pick(
            "行动已结束，本市派出的力量仍按原时间占用。",
            "It has ended, and own units are still busy.",
        )
    } else {
        lang.pick(
            "方案已修订，本市对以前版本确认的力量仍按原时间占用；要参加新版的，直接答复即可。",
            "It was revised, and own units are still busy by an answer to an earlier revision; to \
             take part in the new one, answer that instead.",
        )
    };
    let then = lang.pick("释放后可用于其他行动。", " Once freed they can go elsewhere.");
    html! { p .soft { (why) (then) } }
}

/// The forms of what this person may do with the plan now.
fn acts(
    plan: &pb::Plan,
    desk: &Desk,
    (units, answers, labels): (&register::Choices, &[pb::PlanAnswer], &Labels),
    again: Option<&Again<'_>>,
) -> Markup {
    use pb::PlanAwaited as W;
    let lang = desk.lang();
    let own = plan.awaited.iter().find(|one| one.city == desk.city);
    let awaited = |what: W| own.is_some_and(|one| one.what().any(|one| one == what));
    let said = answers.iter().filter(|one| one.revision == plan.revision_entry);
    let mut said = said.filter(|one| one.city == desk.city);
    let said = held(plan, desk.city).or_else(|| said.find_map(|one| one.sent.as_ref()));
    let page = parts::page_of("plan", &plan.name);
    let shifts = plan_shifts::told(held(plan, desk.city), plan, (labels, lang));
    let forms = Forms { plan, desk, page, again, units, said, labels };
    let page = &forms.page;
    let of = |form| forms.of(form);
    let put = |form, method, fits, title, more| forms.put(form, method, fits, title, &more);
    let takes_part = plan.cities.iter().any(|one| one.city == desk.city);
    let open = matches!(plan.state(), pb::PlanState::Consulting | pb::PlanState::Confirming);
    let going = open || matches!(plan.state(), pb::PlanState::Scheduled | pb::PlanState::Executing);
    let initiator = plan.initiator == desk.city;
    // Settled, and not all have shown their parts.
    let drawing = plan.draw.as_ref().filter(|draw| draw.attempt > 0 && draw.seed.is_empty());
    let withheld = plan.state() == pb::PlanState::Scheduled && drawing.is_some();
    // The initiator may show its part as soon as another city has: before it, nothing is revised.
    let others_first = drawing.is_some_and(|draw| {
        !draw.reveals.is_empty() && draw.reveals.iter().all(|one| one.city != desk.city)
    });
    let reveals = awaited(W::Reveal) || initiator && others_first;
    let text = |form, label: &str| of(form).text("text", label);
    let leads = plan.visits.iter().any(|visit| visit.city == desk.city);
    html! {
        @if leads && !open {
            p {
                a href={ (page) "/visits" } {
                    (lang.pick("现场签到、填写结果", "Arrivals and results on site"))
                }
            }
        }
        (put("answer", "AnswerPlan", takes_part && going, lang.pick("答复方案", "Answer"),
            answer_fields(&of("answer"), &forms, &shifts)))
        (changing(&forms, going))
        (put("commit", "CommitDraw", awaited(W::Commit), lang.pick("提交抽取承诺", "Commit to the draw"),
            html! {}))
        (put("schedule", "MovePlan", awaited(W::Schedule), lang.pick("排定", "Schedule"), html! {}))
        (put("reveal", "RevealDraw", reveals, lang.pick("公开随机数", "Reveal"), html! {}))
        (put("redraw", "MovePlan", initiator && withheld, lang.pick("重新抽取", "Draw again"),
            html! {}))
        (put("resolve", "ResolveAnswer", awaited(W::Resolve),
            lang.pick("处理调整意见或退出", "Settle requests and withdrawals"),
            resolution_fields(&of("resolve"), answers, desk)))
        (put("begin", "MovePlan", awaited(W::Begin), lang.pick("开始执行", "Begin"), html! {}))
        (put("results", "ReportResults", awaited(W::Report),
            lang.pick("结果上报完毕", "All results are in"), html! {}))
        (put("summarize", "MovePlan", awaited(W::Summarize), lang.pick("总结", "Summarise"),
            text("summarize", lang.pick("补充说明（总结按结果自动生成）", "what the results do not say"))))
        (put("cancel", "MovePlan", initiator && going, lang.pick("取消行动", "Cancel it"),
            text("cancel", lang.pick("原因", "why"))))
        @if !desk.visitor.may("/liandong.v1.PlanService/AnswerPlan") {
            p .soft { (lang.pick("您的身份只能查看。", "Your role reads only.")) }
        }
    }
}

/// What is sent from now on.
fn swap_fields<'a>(
    of: &Filled<'a>,
    (sent, shifts): (Option<&pb::SentDraft>, &'a str),
    forms: &Forms<'_>,
) -> Markup {
    let (lang, Forms { units, page, .. }) = (of.lang, forms);
    let on: Vec<&str> =
        sent.into_iter().flat_map(|sent| &sent.units).map(|one| one.unit.as_str()).collect();
    html! {
        p .soft {
            (lang.pick("勾选调整后派出的全部力量；其余各市的确认不受影响，原来登记的回避保留。",
                "Tick all that are sent from now on. Nothing that others confirmed is void; \
                 recusals of those who stay are kept."))
        }
        (of.choices_but("sent", lang.pick("派出力量", "sends"), (&units.all, &units.barred), &on))
        (units.rest(MORE_UNITS, &format!("{page}/swap/form#act-swap"), lang))
        (plan_shifts::field(of, forms.plan, shifts))
        (forms.recusals(of))
    }
}

/// The texts of a plan, which change without anything being void.
fn amend_fields<'a>(of: &Filled<'a>, record: Option<&'a pb::PlanRecord>) -> Markup {
    let lang = of.lang;
    let text = |of: fn(&pb::PlanRecord) -> &String| record.map_or("", |record| of(record).as_str());
    html! {
        p .soft {
            (lang.pick("只改文字，各市的确认仍有效；改时间、参加市或检查对象请修订方案。",
                "Texts only: what was confirmed stays so. Days, cities and sites are revised."))
        }
        (of.line("text", "title", lang.pick("行动名称", "title"), text(|one| &one.title)))
        (of.line("text", "theme", lang.pick("检查主题", "theme"), text(|one| &one.theme)))
        (of.line("text", "meeting_place", lang.pick("集合地点", "place of meeting"),
            text(|one| &one.meeting_place)))
        (of.line("text", "contacts", lang.pick("联系人", "contacts"), text(|one| &one.contacts)))
        (of.paragraph("text", lang.pick("工作安排", "tasks"), text(|one| &one.text)))
        (of.paragraph("route", lang.pick("路线", "route"), text(|one| &one.route)))
        (of.paragraph("safety", lang.pick("安全事项", "safety"), text(|one| &one.safety)))
    }
}

/// Answers that wait for a word of the initiator, and what it may be.
fn resolution_fields(of: &Filled<'_>, answers: &[pb::PlanAnswer], desk: &Desk) -> Markup {
    let lang = of.lang;
    let open = answers.iter().filter(|one| {
        let asks = matches!(
            one.kind(),
            pb::PlanAnswerKind::ChangesRequested
                | pb::PlanAnswerKind::OtherDays
                | pb::PlanAnswerKind::Withdraw
                | pb::PlanAnswerKind::Comment
        );
        asks && one.resolution == 0
    });
    let open: Vec<_> = open
        .map(|one| {
            let (city, kind) = (desk.names.city(one.city), words::plan_answer(one.kind(), lang));
            let said: String = clean(&one.text).chars().take(40).collect();
            (format!("{} {}", one.entry, one.revision), format!("{city} {kind} {said}"))
        })
        .collect();
    let all = (1..).map_while(|one| pb::PlanResolution::try_from(one).ok());
    let all: Vec<_> = all
        .map(|one| (i32::from(one).to_string(), words::plan_resolution(one, lang).to_owned()))
        .collect();
    html! {
        (of.choice("answer", lang.pick("答复", "answer"), &open))
        (of.choice("resolution", lang.pick("处理", "what becomes of it"), &all))
        (of.text("text", lang.pick("说明", "why")))
    }
}

/// What an answer is made of; which of it counts depends on what sort it is.
fn answer_fields<'a>(of: &Filled<'a>, forms: &Forms<'_>, shifts: &'a str) -> Markup {
    let (lang, Forms { units, page, .. }) = (of.lang, forms);
    let sent = held(forms.plan, forms.desk.city).into_iter().flat_map(|sent| &sent.units);
    let on: Vec<&str> = sent.map(|one| one.unit.as_str()).collect();
    let kinds = [
        pb::PlanAnswerKind::Confirm,
        pb::PlanAnswerKind::Tentative,
        pb::PlanAnswerKind::ChangesRequested,
        pb::PlanAnswerKind::OtherDays,
        pb::PlanAnswerKind::Comment,
        pb::PlanAnswerKind::Decline,
        pb::PlanAnswerKind::Withdraw,
    ];
    let kinds =
        kinds.map(|one| (i32::from(one).to_string(), words::plan_answer(one, lang).to_owned()));
    html! {
        (of.choice("kind", lang.pick("答复", "answer"), &kinds))
        (of.choices_but("sent", lang.pick("派出力量（确认、初步同意时）", "sends (confirm, tentative)"),
            (&units.all, &units.barred), &on))
        (units.rest(MORE_UNITS, &format!("{page}/answer/form#act-answer"), lang))
        (plan_shifts::field(of, forms.plan, shifts))
        (forms.recusals(of))
        (of.line("date", "hold_until", lang.pick("预留至（初步同意时必填）",
            "held until (needed when tentative)"), ""))
        (of.line("text", "periods", lang.pick("可参加时间，如 2026-12-08 至 2026-12-09（建议改期时）",
            "could come on, such as 2026-12-08 至 2026-12-09 (other days)"), ""))
        (of.text("text", lang.pick("说明", "in words")))
    }
}
