//! Correcting what a case says (更正案情): the fields of the page that opens one, filled in by what
//! stands there.
//!
//! In scope: the page, and what it shows of a case that was changed meanwhile. Out of scope: the
//! fields ([`super::case_fields`]), what is changed by them ([`super::case_change`]), and whether
//! it may be, which the service says.

use axum::response::Response;
use maud::{Markup, html};
use tonic::Status;

use super::case::{meanwhile, seen, whole};
use super::case_change::{self, BOXES, Change};
use super::case_fields::{self as fields, BASES, FIELDS, OFFICERS, POLLUTANTS};
use super::ending::{No, end};
use super::form::Form;
use super::layout::Desk;
use super::parts::{self, At, Filled, page_of};
use super::refusal::Refusal;
use crate::lang::Lang;
use crate::shown::sheet::Sheet;
use crate::shown::text::{clean, clean_lines};
use crate::shown::{case as say, history};
use crate::wire::pb::v1 as pb;

/// The call that it ends in.
const METHOD: &str = "/liandong.v1.CaseService/UpdateCase";

/// What the page is called.
#[must_use]
pub fn title(lang: Lang) -> &'static str {
    lang.pick("更正案情", "Correct the facts")
}

/// Whether this person may correct a case as it stands.
#[must_use]
pub fn may(case: &pb::Case, desk: &Desk) -> bool {
    let ours = case.turn_city == desk.city && case.handling_city == desk.city;
    let open = case.state() != pb::CaseState::Archived && case.transfer_to == 0;
    ours && open && case.record.is_some() && desk.visitor.may(METHOD)
}

/// A case as it stands, and as it stood when the page was filled in.
struct Versions {
    now: pb::Case,
    base: pb::Case,
    /// Its history, which is read only when the case has moved on.
    entries: Vec<pb::HistoryEntry>,
}

/// Shows the page, filled in by the case.
pub async fn show(desk: Desk, at: At) -> Response {
    let page = match read(&desk, &at, "").await {
        Ok(found) => page(&desk, &found, &case_change::of(&found.now), None).await,
        Err(status) => Err(status),
    };
    page.unwrap_or_else(|status| desk.no(&status))
}

/// Corrects the case; or shows the form with another row.
pub async fn act(desk: Desk, at: At, form: Form) -> Response {
    let found = match read(&desk, &at, form.text("etag")).await {
        Ok(found) => found,
        Err(status) => return desk.no(&status),
    };
    if !form.text("more").is_empty() {
        let page = page(&desk, &found, &form, None).await;
        return page.unwrap_or_else(|status| desk.no(&status));
    }
    let done = correct(&desk, &found, &form).await.map(|()| page_of("case", &found.now.name));
    let done = done.map_err(|no| fields::placed(no, &form, desk.lang()));
    let again = async |refusal: &Refusal| {
        // As it stands now: what made the form out of date may have come after the first look.
        let found = read(&desk, &at, form.text("etag")).await?;
        page(&desk, &found, &form, Some(&refusal.clone().about(&FIELDS))).await
    };
    end(&desk, done, again).await
}

async fn read(desk: &Desk, at: &At, etag: &str) -> Result<Versions, Status> {
    let name = parts::name_of("cases", at);
    let mut cases = desk.client.cases();
    let answer = cases.get_case(pb::GetCaseRequest { name: name.clone() }).await?.into_inner();
    let now = answer.case.unwrap_or_default();
    let entries = match etag {
        "" => Vec::new(),
        etag if etag == now.etag => Vec::new(),
        _ => whole(&mut cases, &name).await?,
    };
    let then = history::as_of(&now, &entries, etag).filter(|then| then.record.is_some());
    Ok(Versions { base: then.unwrap_or_else(|| now.clone()), now, entries })
}

async fn correct(desk: &Desk, found: &Versions, form: &Form) -> Result<(), No> {
    let lang = desk.lang();
    // Made of what the page was filled in by: sent again, it is the same request.
    let (base, change) = (&found.base, Change::new(&found.base, form));
    if !change.is_any() {
        let what = lang.pick("没有改动任何内容", "nothing was changed").to_owned();
        return Err(Refusal::field("", what).into());
    }
    let request = pb::UpdateCaseRequest {
        name: base.name.clone(),
        etag: form.text("etag").to_owned(),
        effective_on: form.date("effective_on", lang)?,
        text: form.text("text").to_owned(),
        facts: change.facts(base, lang)?,
        record: Some(change.record(base, lang)?),
        person: change.person(base),
        request_id: form.text("request_id").to_owned(),
        acting_for: None,
    };
    desk.client.cases().update_case(request).await?;
    Ok(())
}

async fn page(
    desk: &Desk,
    found: &Versions,
    form: &Form,
    refusal: Option<&Refusal>,
) -> Result<Response, Status> {
    let (lang, now) = (desk.lang(), &found.now);
    let here = page_of("case", &now.name);
    let stale = refusal.filter(|refusal| refusal.is_stale);
    // With what a colleague wrote meanwhile in every field that this one left alone.
    let change = stale.map(|_| Change::new(&found.base, form));
    let onto = change.as_ref().map(|change| change.onto(now));
    // What was typed is not lost, even where the case has gone to another city meanwhile.
    let shown = may(now, desk) || refusal.is_some() && desk.visitor.may(METHOD);
    let main = html! {
        h1 { (title(lang)) "：" (clean(&now.number)) }
        p { a href=(here) { (lang.pick("返回案件", "back to the case")) } }
        @if let Some(refusal) = refusal { (parts::refused(refusal, lang)) }
        @if let Some(change) = &change {
            (meanwhile(now, &found.entries, form, desk))
            (versions(found, &change.made(now, lang), desk))
        }
        @if shown {
            p .hint {
                (lang.pick("只更正您改动的各项，其余内容不变。更正记入办理经过，各市看到更正后的案情。",
                    "Only what you change is corrected. It stands in the timeline, and every city \
                     sees the facts as they are then."))
            }
            (filled(desk, now, onto.as_ref().unwrap_or(form), refusal).await?)
        } @else {
            p .soft {
                (lang.pick("只有持有办理权的承办市的联络员或执法人员能更正案情；已归档的案件不再更正。",
                    "Only people of the handling city correct the facts, while it has the turn and \
                     until the case is archived."))
            }
        }
    };
    Ok(desk.page(&format!("{} {}", title(lang), clean(&now.number)), &main))
}

async fn filled(
    desk: &Desk,
    now: &pb::Case,
    form: &Form,
    refusal: Option<&Refusal>,
) -> Result<Markup, Status> {
    let lang = desk.lang();
    let none = Refusal::default();
    let of = Filled { form: "correct", again: Some((form, refusal.unwrap_or(&none))), lang };
    let evidence = now.record.as_ref().map_or(&[][..], |record| &record.evidence);
    let day = lang.pick("法律日期（不填为今天）", "legal date (today)");
    let more = html! { (fields::reviews(&of, evidence)) };
    Ok(html! {
        form #correct method="post" action={ (page_of("case", &now.name)) "/correct" } {
            (parts::request_id(Some(form)))
            (of.kept("etag", &now.etag))
            (of.kept("seen", &seen(now, desk)))
            input type="hidden" name=(BOXES) value="1";
            (fields::content(desk, &of).await?)
            (fields::place(desk, &of).await?)
            (fields::party(desk, &of).await?)
            (fields::values(desk, &of, POLLUTANTS.rows(form)).await?)
            (fields::law(&of, BASES.rows(form)))
            (fields::punished(desk, &of).await?)
            (fields::papers(&of, OFFICERS.rows(form), &more))
            fieldset {
                legend { (lang.pick("本次更正", "This correction")) }
                (of.line("date", "effective_on", day, ""))
                (of.text("text", lang.pick("更正理由或说明", "reason or note")))
            }
            // First, so that it is what the Enter key presses.
            button name="go" value="correct" { (lang.pick("更正", "Correct it")) }
            (POLLUTANTS.more(form, lang))
            (BASES.more(form, lang))
            (OFFICERS.more(form, lang))
        }
    })
}

/// What it said when the page was filled in, what it says now, and what another press would make
/// of it, wherever these differ.
fn versions(found: &Versions, made: &pb::Case, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let all = [&found.base, &found.now, made].map(|case| told(case, desk));
    let mut labels: Vec<&String> = Vec::new();
    for (label, _) in all.iter().flat_map(Sheet::rows) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    let value = |sheet: &Sheet, label: &str| {
        let row = sheet.rows().iter().find(|(one, _)| one == label);
        row.map_or_else(String::new, |(_, value)| clean_lines(value))
    };
    let row = |label: &String| (label.clone(), all.each_ref().map(|one| value(one, label)));
    let rows = labels.into_iter().map(row);
    let rows: Vec<_> = rows.filter(|(_, [then, now, typed])| then != now || now != typed).collect();
    let heads = [
        lang.pick("您打开时", "when you opened it"),
        lang.pick("现在", "now"),
        lang.pick("您填写的", "what you typed"),
    ];
    parts::compared(heads, &rows, lang)
}

/// All that the page has fields for, as people read it.
fn told(case: &pb::Case, desk: &Desk) -> Sheet {
    let lang = desk.lang();
    let mut sheet = Sheet::default();
    say::content(&mut sheet, case, &desk.names, lang);
    let person = case.person.clone().unwrap_or_default();
    sheet
        .row(lang.pick("自然人姓名", "person's name"), clean(&person.name))
        .row(lang.pick("证件号码", "identity number"), clean(&person.id_number))
        .row(lang.pick("电话", "telephone"), clean(&person.phone))
        .row(lang.pick("住址", "address"), clean(&person.address));
    sheet
}
