//! Opening a case by page.
//!
//! What the address of the page says is filled in.
//!
//! In scope: from fields to a request. Out of scope: the fields ([`super::case_fields`]); what a
//! case must have, which the service says; evidence, which is sent in on the page of the case.

use axum::response::Response;
use maud::html;
use tonic::Status;

use super::case_fields::{self as fields, FIELDS, OFFICERS, POLLUTANTS};
use super::case_from;
use super::case_import;
use super::ending::{No, end};
use super::form::{Form, Query};
use super::layout::{self, Desk};
use super::parts::{self, Filled};
use super::refusal::Refusal;
use crate::wire::pb::v1 as pb;

/// What a link may fill in: by what things are called here, nothing that anybody wrote, and no
/// request id.
const BY_LINK: [&str; 4] = ["agreement", "plan", "site", "nth"];

/// The page, with what a link gives.
pub async fn show(desk: Desk, Query(query): Query) -> Response {
    filled(desk, query.only(&BY_LINK)).await
}

/// The page, with what was filled in so far.
async fn filled(desk: Desk, form: Form) -> Response {
    let filled = case_from::filled(&desk, form).await;
    let page = match filled {
        Ok(form) => page(&desk, &form, None).await,
        Err(status) => Err(status),
    };
    page.unwrap_or_else(|status| desk.no(&status))
}

/// Opens the case; or shows the form with another row.
pub async fn create(desk: Desk, form: Form) -> Response {
    if !form.text("more").is_empty() {
        return filled(desk, form).await;
    }
    let done = open(&desk, &form).await.map_err(|no| fields::placed(no, &form, desk.lang()));
    if let Ok(name) = &done
        && let Some(page) = case_from::link(&desk, &form, name).await
    {
        return layout::to(&page);
    }
    let done = done.map(|name| parts::page_of("case", &name));
    let again =
        async |refusal: &Refusal| page(&desk, &form, Some(&refusal.clone().about(&FIELDS))).await;
    end(&desk, done, again).await
}

async fn open(desk: &Desk, form: &Form) -> Result<String, No> {
    let lang = desk.lang();
    let text = |name: &str| form.text(name).to_owned();
    let request = pb::CreateCaseRequest {
        parent: parts::parent(form),
        facts: Some(fields::facts(form, lang)?),
        record: Some(fields::record(form, lang)?),
        person: fields::person(form),
        external_ref: (!(text("external_ref.system") + form.text("external_ref.number"))
            .is_empty())
        .then(|| pb::ExternalRef {
            system: text("external_ref.system"),
            number: text("external_ref.number"),
        }),
        effective_on: form.date("effective_on", lang)?,
        request_id: text("request_id"),
        ..Default::default()
    };
    let answer = desk.client.cases().create_case(request).await?.into_inner();
    Ok(answer.case.unwrap_or_default().name)
}

async fn page(desk: &Desk, form: &Form, refusal: Option<&Refusal>) -> Result<Response, Status> {
    let lang = desk.lang();
    let title = lang.pick("登记案件（线索）", "Open a case");
    if !desk.visitor.may("/liandong.v1.CaseService/CreateCase") {
        return Ok(desk.page(title, &parts::only_looks(title, refusal, lang)));
    }
    let none = Refusal::default();
    let of = Filled { form: "new", again: Some((form, refusal.unwrap_or(&none))), lang };
    let Some(agreement) = parts::agreement(desk, form) else {
        let main = html! { h1 { (title) } (parts::choose_agreement(desk, "/cases/new")) };
        return Ok(desk.page(title, &main));
    };
    let numbers = html! {
        (of.line("text", "external_ref.system", lang.pick("本市执法系统名称", "own system"), ""))
        (of.line("text", "external_ref.number",
            lang.pick("系统中的编号", "number in that system"), ""))
        (of.line("date", "effective_on",
            lang.pick("法律日期（不填为今天）", "legal date (today)"), ""))
    };
    let main = html! {
        h1 { (title) }
        @if let Some(refusal) = refusal { (parts::refused(refusal, lang)) }
        p .soft { (agreement.short_name) " " (agreement.display_name) }
        p .noprint { a href="/cases/import" { (case_import::title(lang)) } }
        form #new method="post" action="/cases/new" {
            (parts::request_id(Some(form)))
            input type="hidden" name="agreement" value=(parts::id_of(&agreement.name));
            (case_from::carried(form, lang))
            (fields::content(desk, &of).await?)
            (fields::place(desk, &of).await?)
            (fields::party(desk, &of).await?)
            (fields::values(desk, &of, POLLUTANTS.rows(form)).await?)
            (fields::papers(&of, OFFICERS.rows(form), &numbers))
            // First, so that it is what the Enter key presses.
            button name="go" value="new" { (lang.pick("登记", "Open it")) }
            (POLLUTANTS.more(form, lang))
            (OFFICERS.more(form, lang))
        }
    };
    Ok(desk.page(title, &main))
}
