//! The page of one case: where it stands, what is known, what happened in all cities.
//!
//! In scope: showing. Out of scope: forms ([`super::case_forms`]) and what they end in
//! ([`super::case_acts`]).

use axum::response::Response;
use maud::{Markup, PreEscaped, html};
use tonic::Status;

use super::case_correct;
use super::case_forms::Forms;
use super::form::{Form, Query};
use super::layout::Desk;
use super::parts::{self, At};
use super::refusal::Refusal;
use crate::limits::CASE_TIMELINE_BYTES_MAX;
use crate::shown::plan::changes::Change;
use crate::shown::sheet::Sheet;
use crate::shown::text::{clean, clean_lines};
use crate::shown::{case as say, grants, history, referral, when};
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// What was typed into which form, and why it was refused.
pub struct Again<'a> {
    /// The form.
    pub act: &'a str,
    /// What was typed.
    pub form: &'a Form,
    /// Why not.
    pub refusal: &'a Refusal,
}

/// Shows a case.
pub async fn show(desk: Desk, at: At, Query(query): Query) -> Response {
    match page(&desk, &parts::name_of("cases", &at), &query, None).await {
        Ok(page) => page,
        Err(status) => desk.no(&status),
    }
}

/// The page, perhaps with a form that was refused.
///
/// # Errors
/// The service's refusal to show the case.
pub async fn page(
    desk: &Desk,
    name: &str,
    query: &Form,
    again: Option<&Again<'_>>,
) -> Result<Response, Status> {
    let lang = desk.lang();
    let asked = pb::GetCaseRequest { name: name.to_owned() };
    let (mut one, mut all) = (desk.client.cases(), desk.client.cases());
    let (shown, entries) = tokio::try_join!(one.get_case(asked), whole(&mut all, name))?;
    let shown = shown.into_inner();
    let case = shown.case.clone().unwrap_or_default();
    let title = case.record.as_ref().map_or_else(String::new, |record| clean(&record.title));
    let title = format!("{} {title}", clean(&case.number));
    let main = html! {
        h1 { (title) }
        (parts::done(query, desk, desk.lang().pick(
            "发给他市的内容，对方收到后在时间线显示送达。",
            "What goes to other cities: the timeline shows when they have it.",
        )))
        @if let Some(again) = again.filter(|again| again.refusal.is_stale) {
            @if again.act == "assign" {
                (assigned(&case, again.form, desk))
            } @else {
                (meanwhile(&case, &entries, again.form, desk))
            }
        }
        @if let Some(offer) = super::print::case::last_offer(&entries) {
            (super::print::case::links(&parts::page_of("case", name), offer, lang))
        }
        @if let Some(acts) = shown.same_acts.as_ref().filter(|acts| !acts.hints.is_empty()) {
            div .hint { (say::same(acts, &desk.names, lang)) }
        }
        div .two {
            div {
                section { h2 { (lang.pick("现状", "Where it stands")) } (standing(&shown, desk)) }
                section {
                    h2 { (lang.pick("案情", "Content")) }
                    (content(&shown, &entries, desk))
                    p .noprint {
                        a href={ (parts::page_of("case", name)) "/evidence" } {
                            (lang.pick("证据文件", "evidence files"))
                        }
                        @if case_correct::may(&case, desk) {
                            " "
                            a href={ (parts::page_of("case", name)) "/correct" } {
                                (case_correct::title(lang))
                            }
                        }
                    }
                }
            }
            div {
                section .noprint {
                    h2 { (lang.pick("办理", "What may be done")) }
                    (Forms { case: &case, entries: &entries, desk, again }.all())
                }
                section {
                    h2 #timeline { (lang.pick("办理经过", "What happened")) }
                    (timeline(&entries, query, &parts::page_of("case", name), desk))
                }
            }
        }
    };
    Ok(desk.page(&title, &main))
}

/// All of a history.
///
/// # Errors
/// The service's refusal.
pub async fn whole(
    cases: &mut pb::case_service_client::CaseServiceClient<super::api::Call>,
    name: &str,
) -> Result<Vec<pb::HistoryEntry>, Status> {
    let mut request =
        pb::GetCaseHistoryRequest { name: name.to_owned(), page_size: 200, ..Default::default() };
    let mut entries = Vec::new();
    loop {
        let mut page = cases.get_case_history(request.clone()).await?.into_inner();
        entries.append(&mut page.entries);
        if page.next_page_token.is_empty() {
            return Ok(entries);
        }
        request.page_token = page.next_page_token;
    }
}

fn standing(shown: &pb::GetCaseResponse, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let case = shown.case.clone().unwrap_or_default();
    let mut sheet = Sheet::default();
    say::standing(&mut sheet, &case, &desk.names, lang);
    let due: Vec<String> =
        shown.deadlines.iter().map(|one| say::deadline(one, &desk.names, lang)).collect();
    sheet.row(lang.pick("时限", "due"), due.join("\n"));
    sheet.row(lang.pick("提示", "note"), say::notes(&case, lang));
    parts::sheet(&sheet)
}

fn content(shown: &pb::GetCaseResponse, entries: &[pb::HistoryEntry], desk: &Desk) -> Markup {
    let lang = desk.lang();
    let mut sheet = Sheet::default();
    if let Some(case) = &shown.case {
        say::content(&mut sheet, case, &desk.names, lang);
        if let Some(person) = &case.person {
            sheet.row(lang.pick("自然人", "person"), clean(&person.name));
        }
    }
    let words = shown.referral_words.iter().map(|one| referral::line(one, &desk.names, lang));
    sheet.row(lang.pick("行刑衔接", "police"), words.collect::<Vec<_>>().join("\n"));
    sheet.row(lang.pick("线索由来", "found by"), say::findings(shown, lang));
    sheet.row(lang.pick("授权查看", "opened to"), grants::lines(entries, &desk.names, lang));
    html! {
        (parts::sheet(&sheet))
        @for found in &shown.findings {
            p .noprint {
                a href=(parts::page_of("plan", &found.plan)) {
                    (lang.pick("查看联合执法行动 ", "joint action ")) (clean(&found.plan_number))
                }
            }
        }
    }
}

/// The newest entries, or those before one: as many as a page has room for, and where the others
/// are.
fn timeline(entries: &[pb::HistoryEntry], query: &Form, page: &str, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let before = query.text("before").parse().unwrap_or(u64::MAX);
    let mut rest = entries.iter().rev().filter(|one| one.apply_number < before).peekable();
    let (mut lines, mut last) = (String::new(), before);
    while let Some(entry) = rest.peek() {
        let line = happened(entry, page, desk).into_string();
        if !lines.is_empty() && lines.len() + line.len() > CASE_TIMELINE_BYTES_MAX {
            break;
        }
        lines.push_str(&line);
        last = entry.apply_number;
        rest.next();
    }
    let older = rest.count();
    html! {
        @if before < u64::MAX {
            p { a href={ (page) "#timeline" } { (lang.pick("最新的记录", "newest entries")) } }
        }
        ol .timeline { (PreEscaped(lines)) }
        @if older > 0 {
            p {
                a href={ (page) "?before=" (last) "#timeline" } {
                    (lang.pick(format!("更早的 {older} 条记录"), format!("{older} older entries")))
                }
            }
        }
    }
}

/// A line of the timeline.
fn happened(entry: &pb::HistoryEntry, page: &str, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let event = entry.header.as_ref().and_then(|header| header.event.as_ref());
    let said = history::said(entry, lang);
    html! {
        li {
            span .when {
                (history::recorded(entry, lang)) " · " (desk.names.city(entry.city))
                @if let Some(on) = &entry.effective_on {
                    " · " (lang.pick("法律日期", "legal date")) " " (when::date(Some(on)))
                }
            }
            p {
                strong { (words::event(event, lang)) }
                " " span .soft { (history::result(entry, lang)) }
            }
            @if !said.is_empty() { p { (said) } }
            (super::print::case::links(page, entry, lang))
            p .when {
                (lang.pick("系统送达：", "held by: "))
                (history::held(entry, desk.city, &desk.names, lang))
            }
        }
    }
}

/// How a case looks at a glance: what a form was filled in against.
pub fn seen(case: &pb::Case, desk: &Desk) -> String {
    let lang = desk.lang();
    let at = when::time(case.update_time.as_ref());
    format!("{}，{}，{at}", words::state(case.state(), lang), desk.names.turn(case.turn_city))
}

/// That somebody else was faster: who, what with, and both versions.
#[must_use]
pub fn meanwhile(
    case: &pb::Case,
    entries: &[pb::HistoryEntry],
    typed: &Form,
    desk: &Desk,
) -> Markup {
    let lang = desk.lang();
    let last = entries.iter().rfind(|one| one.effect() == pb::EntryEffect::Move);
    let last = last.map(|one| {
        let event = one.header.as_ref().and_then(|header| header.event.as_ref());
        let (who, what) = (history::by(one, &desk.names, lang), words::event(event, lang));
        let at = history::recorded(one, lang);
        lang.pick(format!("{who} 于 {at} {what}"), format!("{who}, {at}: {what}"))
    });
    html! {
        div .hint role="status" {
            p {
                strong {
                    (lang.pick("其间已有变化：", "Changed meanwhile: ")) (last.unwrap_or_default())
                }
            }
            p { (lang.pick("您填写时：", "when you filled it in: ")) (clean(typed.text("seen"))) }
            p { (lang.pick("现在：", "now: ")) (seen(case, desk)) }
        }
    }
}

/// That a colleague was faster to assign it: who, and both versions.
fn assigned(case: &pb::Case, typed: &Form, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let now = case.assignment.clone().unwrap_or_default();
    let by = match case.assignment {
        Some(_) => format!(
            "{}  {}",
            history::who(&now.assigned_by, lang),
            when::time(now.assign_time.as_ref())
        ),
        None => lang.pick("经办人和备注已清空", "nobody is assigned any more").to_owned(),
    };
    let change = |label, now: &str, name| {
        Change::new(label, clean_lines(now), clean_lines(typed.text(name)))
    };
    let all = [
        change(lang.pick("本市经办人", "who works on it here"), &now.assignee, "assignee"),
        change(lang.pick("本市备注", "remark"), &now.remark, "remark"),
    ];
    let all: Vec<Change> = all.into_iter().filter(|one| one.before != one.after).collect();
    html! {
        div .hint role="status" {
            p {
                strong { (lang.pick("其间本市经办人或备注已改：", "Assigned anew meanwhile: ")) (by) }
            }
            p {
                (lang.pick("再次提交，将以您填写的替换现在的。",
                    "Sent again, what you typed takes the place of what stands now."))
            }
        }
        (parts::versions(&all, [lang.pick("现在", "now"), lang.pick("您填写的", "what you typed")], lang))
    }
}
