//! Notices (信息通报): the list, one notice, acknowledging and reporting.

use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use tonic::Status;

use super::ending::{No, end};
use super::form::{Form, Query};
use super::layout::Desk;
use super::parts::{self, At, Filled, act as folded, page_of};
use super::refusal::Refusal;
use crate::lang::Lang;
use crate::limits::CONSOLE_PAGE_SIZE;
use crate::shown::history;
use crate::shown::sheet::Sheet;
use crate::shown::{text::clean, when};
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// What a notice is called.
#[must_use]
pub fn title(notice: &pb::Notice, lang: Lang) -> String {
    match &notice.record {
        Some(record) => clean(&record.title),
        None => words::notice_text(notice.text_state(), lang).to_owned(),
    }
}

/// Shows a page of them.
pub async fn list(desk: Desk, Query(query): Query) -> Response {
    let lang = desk.lang();
    let filter: i32 = query.text("filter").parse().unwrap_or(0);
    let request = pb::ListNoticesRequest {
        parent: "agreements/-".to_owned(),
        filter,
        page_size: CONSOLE_PAGE_SIZE,
        page_token: query.text("page").to_owned(),
    };
    let page = match desk.client.notices().list_notices(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return desk.no(&status),
    };
    let filters = (0..).map_while(|one| pb::NoticeFilter::try_from(one).ok());
    let heading = lang.pick("信息通报", "Notices");
    let main = html! {
        h1 { (heading) }
        @if desk.visitor.may("/liandong.v1.NoticeService/CreateNotice") {
            p .noprint { a href="/notices/new" { (lang.pick("发出通报", "issue a notice")) } }
        }
        p {
            @for one in filters {
                @let number = i32::from(one);
                @let word = if number == 0 {
                    lang.pick("全部", "all")
                } else {
                    words::notice_filter(one, lang)
                };
                a href={ "/notices?filter=" (number) }
                    aria-current=[(number == filter).then_some("true")] { (word) }
                " "
            }
        }
        ul .matters {
            @for one in &page.notices { (line(one, &desk)) }
        }
        @if page.notices.is_empty() { p .soft { (lang.pick("暂无通报", "no notices")) } }
        (parts::next("/notices", &query, &page.next_page_token, lang))
    };
    desk.page(heading, &main)
}

fn line(notice: &pb::Notice, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let grave = notice.kind() != pb::NoticeKind::General;
    html! {
        li {
            a .what href=(page_of("notice", &notice.name)) { (title(notice, lang)) }
            p .how {
                span .tag { (words::notice_kind(notice.kind(), lang)) }
                @if grave { " " span .tag .late { (words::notice_level(notice.level(), lang)) } }
                " · " (desk.names.city(notice.issuing_city))
                " · " (when::time(notice.issue_time.as_ref()))
                @if notice.awaits_acknowledgement {
                    " · " span .late { (lang.pick("待本市签收", "awaits us")) }
                }
                @if notice.end_time.is_some() { " · " (lang.pick("已解除", "ended")) }
            }
        }
    }
}

/// Shows one.
pub async fn show(desk: Desk, at: At, Query(query): Query) -> Response {
    match page(&desk, &parts::name_of("notices", &at), &query, None).await {
        Ok(page) => page,
        Err(status) => desk.no(&status),
    }
}

async fn page(
    desk: &Desk,
    name: &str,
    query: &Form,
    again: Option<(&str, &Form, &Refusal)>,
) -> Result<Response, Status> {
    let lang = desk.lang();
    let request = pb::GetNoticeRequest { name: name.to_owned() };
    let answer = desk.client.notices().get_notice(request).await?.into_inner();
    let notice = answer.notice.unwrap_or_default();
    let title = title(&notice, lang);
    let main = html! {
        h1 { (title) }
        (parts::done(query, desk, lang.pick(
            "各市收到和签收的情况见本页。",
            "This page shows who has it and who has acknowledged it.",
        )))
        (super::print::links(&page_of("notice", name), &super::print::OF_A_NOTICE, lang))
        div .two {
            div {
                (parts::sheet(&sheet(&notice, desk)))
                h2 { (lang.pick("后续", "Since then")) }
                ol .timeline { @for one in &notice.reports { (report(one, desk)) } }
            }
            div {
                section .noprint {
                    h2 { (lang.pick("办理", "What may be done")) }
                    (acts(&notice, desk, again))
                }
                h2 { (lang.pick("送达与签收", "Who has it")) }
                ul .matters { @for one in &notice.recipients { (recipient(&notice, one, desk)) } }
            }
        }
    };
    Ok(desk.page(&title, &main))
}

fn sheet(notice: &pb::Notice, desk: &Desk) -> Sheet {
    let lang = desk.lang();
    let record = notice.record.clone().unwrap_or_default();
    let due = match &notice.due_time {
        Some(at) => when::time(Some(at)),
        None => when::date(notice.due_on.as_ref()),
    };
    let graded = notice.level() != pb::NoticeLevel::Unspecified;
    let level = if graded { words::notice_level(notice.level(), lang) } else { "" };
    let mut sheet = Sheet::default();
    sheet
        .row(lang.pick("类别", "kind"), words::notice_kind(notice.kind(), lang))
        .row(lang.pick("级别", "level"), level)
        .row(lang.pick("发出", "issued by"), desk.names.city(notice.issuing_city))
        .row(lang.pick("发出时间", "issued"), when::time(notice.issue_time.as_ref()))
        .row(lang.pick("签收期限", "acknowledge by"), due)
        .row(lang.pick("内容", "text"), record.text)
        .row(lang.pick("地点", "place"), record.address)
        .row(lang.pick("联系人", "contact"), format!("{} {}", record.contact, record.phone).trim())
        .row(lang.pick("解除时间", "ended"), when::time(notice.end_time.as_ref()));
    if notice.record.is_none() {
        let why = words::notice_text(notice.text_state(), lang);
        sheet.row(lang.pick("内容", "text"), why);
    }
    sheet
}

fn report(report: &pb::NoticeReport, desk: &Desk) -> Markup {
    let lang = desk.lang();
    html! {
        li {
            span .when {
                (when::time(report.report_time.as_ref())) " · " (desk.names.city(report.city))
            }
            p {
                strong { (words::report_kind(report.kind(), lang)) }
                span .late { (history::not_taken(&report.misfit_reason, lang)) }
            }
            @if !report.text.is_empty() { p { (report.text) } }
        }
    }
}

fn recipient(notice: &pb::Notice, one: &pb::NoticeRecipient, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let here = one.city == desk.city && notice.record.is_some();
    let at = |time| when::time(Some(time));
    html! {
        li {
            strong { (desk.names.city(one.city)) }
            p .how {
                @if let Some(time) = &one.ring_time {
                    (lang.pick("已提醒 ", "rang ")) (at(time)) " · "
                }
                @match &one.hold_time {
                    Some(time) => { span .ok { (lang.pick("系统送达 ", "held since ")) (at(time)) } },
                    None => { (words::not_held(one, here, lang)) },
                }
                " · "
                @match &one.acknowledge_time {
                    Some(time) => { span .ok { (lang.pick("已签收 ", "acknowledged ")) (at(time)) } },
                    None => {
                        span .late[one.overdue] {
                            (lang.pick("未签收", "not acknowledged"))
                            @if one.overdue { (lang.pick("（已逾期）", " (overdue)")) }
                        }
                    },
                }
            }
        }
    }
}

fn acts(notice: &pb::Notice, desk: &Desk, again: Option<(&str, &Form, &Refusal)>) -> Markup {
    let lang = desk.lang();
    let page = page_of("notice", &notice.name);
    let goes_on = notice.end_time.is_none();
    let own = notice.issuing_city == desk.city;
    let put = |form: &'static str, method: &str, fits: bool, title: &str| {
        let again = again.filter(|(act, ..)| *act == form).map(|(_, form, why)| (form, why));
        let filled = Filled { form, again, lang };
        let may = desk.visitor.may(&format!("/liandong.v1.NoticeService/{method}"));
        let shown = again.is_some() || fits && may;
        let text = filled.text("text", lang.pick("说明", "what is said"));
        html! { @if shown { (folded(&filled, &format!("{page}/{form}"), title, &text)) } }
    };
    html! {
        (put("acknowledge", "AcknowledgeNotice", notice.awaits_acknowledgement && !notice.arriving,
            lang.pick("签收", "Acknowledge")))
        (put("report", "ReportOnNotice", goes_on,
            lang.pick(if own { "续报" } else { "反馈" }, if own { "Add news" } else { "Answer" })))
        (put("end", "EndNotice", goes_on && own, lang.pick("解除", "End it")))
    }
}

/// Does what a form asks for, and shows the notice afterwards.
pub async fn act(
    desk: Desk,
    Path((agreement, id, act)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let name = parts::name_of("notices", &Path((agreement, id)));
    let done = ask(&desk, &name, &act, &form).await;
    let done = done.map(|()| page_of("notice", &name)).map_err(No::Said);
    let again = async |refusal: &Refusal| {
        page(&desk, &name, &Form::default(), Some((&act, &form, refusal))).await
    };
    end(&desk, done, again).await
}

async fn ask(desk: &Desk, name: &str, act: &str, form: &Form) -> Result<(), Status> {
    let mut notices = desk.client.notices();
    macro_rules! said {
        ($kind:ident) => {
            pb::$kind {
                name: name.to_owned(),
                text: form.text("text").to_owned(),
                request_id: form.text("request_id").to_owned(),
                acting_for: None,
            }
        };
    }
    match act {
        "acknowledge" => {
            notices.acknowledge_notice(said!(AcknowledgeNoticeRequest)).await?;
        }
        "report" => {
            notices.report_on_notice(said!(ReportOnNoticeRequest)).await?;
        }
        "end" => {
            notices.end_notice(said!(EndNoticeRequest)).await?;
        }
        _ => return Err(desk.refuse("NOT_FOUND")),
    }
    Ok(())
}
