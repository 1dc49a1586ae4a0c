//! Issuing a notice (信息通报) by page.
//!
//! In scope: from fields to a request. Out of scope: what a notice must have, which the service
//! says.

use axum::response::Response;
use maud::{Markup, html};
use tonic::Status;

use super::codes;
use super::ending::{No, end};
use super::form::{Form, Query};
use super::layout::Desk;
use super::parts::{self, Filled};
use super::refusal::Refusal;
use crate::wire::pb::v1 as pb;

/// What a link may fill in: nothing that anybody wrote, no request id.
const BY_LINK: [&str; 1] = ["agreement"];

/// The page, with what a link gives.
pub async fn show(desk: Desk, Query(query): Query) -> Response {
    match page(&desk, &query.only(&BY_LINK), None).await {
        Ok(page) => page,
        Err(status) => desk.no(&status),
    }
}

/// Issues it.
pub async fn create(desk: Desk, form: Form) -> Response {
    let done = issue(&desk, &form).await.map(|name| parts::page_of("notice", &name));
    let again = async |refusal: &Refusal| page(&desk, &form, Some(refusal)).await;
    end(&desk, done.map_err(No::Said), again).await
}

async fn issue(desk: &Desk, form: &Form) -> Result<String, Status> {
    let text = |name: &str| form.text(name).to_owned();
    let request = pb::CreateNoticeRequest {
        parent: parts::parent(form),
        kind: form.text("kind").parse().unwrap_or(0),
        level: form.text("level").parse().unwrap_or(0),
        cities: form.all("cities").map(|city| city.parse().unwrap_or(0)).collect(),
        record: Some(pb::NoticeRecord {
            title: text("record.title"),
            text: text("record.text"),
            address: text("record.address"),
            contact: text("record.contact"),
            phone: text("record.phone"),
        }),
        request_id: text("request_id"),
        acting_for: None,
    };
    let answer = desk.client.notices().create_notice(request).await?.into_inner();
    Ok(answer.notice.unwrap_or_default().name)
}

async fn page(desk: &Desk, form: &Form, refusal: Option<&Refusal>) -> Result<Response, Status> {
    let lang = desk.lang();
    let title = lang.pick("发出信息通报", "Issue a notice");
    if !desk.visitor.may("/liandong.v1.NoticeService/CreateNotice") {
        return Ok(desk.page(title, &parts::only_looks(title, refusal, lang)));
    }
    let none = Refusal::default();
    let of = Filled { form: "new", again: Some((form, refusal.unwrap_or(&none))), lang };
    let Some(agreement) = parts::agreement(desk, form) else {
        let main = html! { h1 { (title) } (parts::choose_agreement(desk, "/notices/new")) };
        return Ok(desk.page(title, &main));
    };
    let kinds = codes::of(desk, "notice-kinds").await?;
    let levels = codes::or_none(desk, codes::of(desk, "notice-levels").await?);
    let main = html! {
        h1 { (title) }
        @if let Some(refusal) = refusal { (parts::refused(refusal, lang)) }
        p .soft { (agreement.short_name) " " (agreement.display_name) }
        form #new method="post" action="/notices/new" {
            (parts::request_id(Some(form)))
            input type="hidden" name="agreement" value=(parts::id_of(&agreement.name));
            (of.choice("kind", lang.pick("种类", "kind"), &kinds))
            (of.choice("level", lang.pick("级别（突发事件、重污染天气必填）", "level, of an emergency"),
                &levels))
            (addressees(desk, &of, agreement))
            (of.line("text", "record.title", lang.pick("标题", "title"), ""))
            (of.text("record.text",
                lang.pick("正文：情况，请对方做什么", "what happened, what is asked of the others")))
            (of.line("text", "record.address", lang.pick("地点", "place"), ""))
            (of.line("text", "record.contact", lang.pick("联系人", "contact"), ""))
            (of.line("text", "record.phone", lang.pick("联系电话", "telephone"), ""))
            button name="go" value="new" { (lang.pick("发出", "Issue it")) }
        }
    };
    Ok(desk.page(title, &main))
}

/// Whom it is for.
fn addressees(desk: &Desk, of: &Filled<'_>, agreement: &pb::Agreement) -> Markup {
    let others = desk.others(Some(&agreement.name));
    let all: Vec<_> = others.iter().map(|one| (one.to_string(), desk.names.city(*one))).collect();
    let label = of.lang.pick("发给（都不选即全体成员）", "to (all members if none is chosen)");
    of.choices("cities", label, &all, &[])
}
