//! What a visit has found, linked to a case that is there.
//!
//! The newest own cases stand once on a page, behind the field for a number; others are named by
//! their number alone.
//!
//! In scope: from the fields to a case. Out of scope: opening one ([`super::case_from`]).

use maud::{Markup, html};
use tonic::Status;

use super::case_acts::numbered;
use super::ending::No;
use super::form::Form;
use super::layout::Desk;
use super::parts::{self, Filled};
use super::plan_days::cut;
use super::refusal::Refusal;
use crate::limits::CONSOLE_LINKED_CASES;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;

/// What is chosen when others follow it up.
const BY_OTHERS: &str = "-";
/// The list of cases of a page.
const LIST: &str = "own-cases";

/// A case that may be linked.
pub struct Linked {
    /// Its resource name.
    pub name: String,
    number: String,
    title: String,
}

impl Linked {
    /// What people call it.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} {}", self.number, self.title)
    }
}

/// The newest cases that the own city opened.
///
/// # Errors
/// The service's refusal.
pub async fn cases(desk: &Desk, parent: &str) -> Result<Vec<Linked>, Status> {
    let request = pb::ListCasesRequest {
        parent: parent.to_owned(),
        originating_city: desk.city,
        page_size: CONSOLE_LINKED_CASES,
        ..Default::default()
    };
    let page = desk.client.cases().list_cases(request).await?.into_inner();
    let linked = |case: pb::Case| Linked {
        title: case.record.map(|record| cut(&clean(&record.title))).unwrap_or_default(),
        number: clean(&case.number),
        name: case.name,
    };
    Ok(page.cases.into_iter().map(linked).collect())
}

/// They, once on a page, for all of its fields.
#[must_use]
pub fn list(cases: &[Linked]) -> Markup {
    html! {
        @if !cases.is_empty() {
            datalist id=(LIST) {
                @for case in cases { option value=(case.number) { (case.title) } }
            }
        }
    }
}

/// The fields of a finding; `first` is a case that is chosen at first.
#[must_use]
pub fn fields<'a>(of: &Filled<'a>, first: Option<&'a Linked>) -> Markup {
    let lang = of.lang;
    let pair = |value: &str, word: &str| (value.to_owned(), word.to_owned());
    let none = pair("", lang.pick("（按下面的编号）", "(by the number below)"));
    let others = lang.pick("由其他部门办理，不登记案件", "others follow it up, no case here");
    let case = first.map(|case| (case.name.clone(), case.label()));
    let choices: Vec<_> =
        std::iter::once(none).chain(case).chain([pair(BY_OTHERS, others)]).collect();
    html! {
        (of.chosen("case", lang.pick("案件", "case"), &choices, first.map_or("", |case| &case.name)))
        (of.listed("case_number", lang.pick("案件编号（可从本市新近登记的中选择）",
            "its number (newest own ones to choose from)"), LIST))
    }
}

/// The case of a finding: chosen or by its number; empty when others follow it up.
///
/// # Errors
/// [`No`] where none or two are named, or none has the number.
pub async fn found(desk: &Desk, plan: &str, form: &Form) -> Result<String, No> {
    let lang = desk.lang();
    let no =
        |field, zh: &str, en: &str| Err(Refusal::field(field, lang.pick(zh, en).to_owned()).into());
    match (form.text("case"), form.text("case_number").trim()) {
        ("", "") => no("case", "请选择案件，或填写案件编号", "choose a case or give its number"),
        ("", _) => numbered(desk, &parts::agreement_of(plan), form, "case_number").await,
        (BY_OTHERS, "") => Ok(String::new()),
        (case, "") => Ok(case.to_owned()),
        (_, _) => no(
            "case_number",
            "已在列表中选择；要按编号关联，列表请选“（按下面的编号）”",
            "one is chosen from the list; to link by number, choose that there",
        ),
    }
}
