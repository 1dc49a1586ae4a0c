//! Deadlines of the own city, page by page.
//!
//! In scope: those that are coming, those that are over, all, those that are suspended. Out of
//! scope: the terms of one case, on its page.

use axum::response::Response;
use maud::{Markup, html};

use super::form::{Form, Query};
use super::layout::Desk;
use super::parts::{self, page_of};
use crate::limits::CONSOLE_PAGE_SIZE;
use crate::shown::{case as shown_case, text::clean};
use crate::wire::case as case_wire;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// Which of them are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Whose last day is today or later, soonest first.
    Coming,
    /// Whose last day is over, lately over first.
    Over,
    /// All, soonest first.
    All,
    /// Those that are suspended and have no last day, longest running first.
    Suspended,
}

impl Which {
    const EACH: [Self; 4] = [Self::Coming, Self::Over, Self::All, Self::Suspended];

    fn of(query: &Form) -> Self {
        let asked = query.text("show");
        Self::EACH.into_iter().find(|one| one.name() == asked).unwrap_or(Self::Coming)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Coming => "coming",
            Self::Over => "over",
            Self::All => "all",
            Self::Suspended => "suspended",
        }
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Coming => ("未到期", "coming"),
            Self::Over => ("期限已过", "over"),
            Self::All => ("全部", "all"),
            Self::Suspended => ("中止中", "suspended"),
        }
    }
}

/// What asks for a page of them.
#[must_use]
pub fn request(which: Which, desk: &Desk) -> pb::ListDeadlinesRequest {
    let yesterday = desk.today.and_then(|today| today.plus_days(-1));
    let (from, until) = match which {
        Which::Coming => (desk.today, None),
        Which::Over => (None, yesterday),
        Which::All | Which::Suspended => (None, None),
    };
    pb::ListDeadlinesRequest {
        parent: "agreements/-".to_owned(),
        from: from.map(case_wire::date_out),
        until: until.map(case_wire::date_out),
        latest_first: which == Which::Over,
        suspended: which == Which::Suspended,
        page_size: CONSOLE_PAGE_SIZE,
        ..Default::default()
    }
}

/// Shows a page of them.
pub async fn show(desk: Desk, Query(query): Query) -> Response {
    let lang = desk.lang();
    let which = Which::of(&query);
    let asked = pb::ListDeadlinesRequest {
        page_token: query.text("page").to_owned(),
        ..request(which, &desk)
    };
    let page = match desk.client.cases().list_deadlines(asked).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return desk.no(&status),
    };
    let title = lang.pick("本市时限", "Deadlines of this city");
    let main = html! {
        h1 { (title) }
        p .noprint {
            @for one in Which::EACH {
                @let (zh, en) = one.words();
                a href={ "/due?show=" (one.name()) }
                    aria-current=[(one == which).then_some("true")] { (lang.pick(zh, en)) }
                " "
            }
        }
        @if which != Which::Suspended && page.suspended_size > 0 {
            p .soft {
                (lang.pick(
                    format!("另有 {} 项中止中，没有最后一日，见“中止中”。", page.suspended_size),
                    format!("{} more are suspended and have no last day.", page.suspended_size),
                ))
            }
        }
        (list(&page, &desk))
        (parts::next("/due", &query, &page.next_page_token, lang))
    };
    desk.page(title, &main)
}

fn list(page: &pb::ListDeadlinesResponse, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let total = page.total_size;
    html! {
        div .scroll {
            table {
                caption { (lang.pick(format!("共 {total} 项"), format!("{total} in all"))) }
                thead {
                    tr {
                        th scope="col" { (lang.pick("最后一日", "last day")) }
                        th scope="col" { (lang.pick("事项", "what")) }
                        th scope="col" { (lang.pick("案件编号", "case")) }
                        th scope="col" { (lang.pick("案由", "title")) }
                        th scope="col" { (lang.pick("状态", "state")) }
                    }
                }
                tbody { @for one in &page.deadlines { (row(one, desk)) } }
            }
        }
        @if page.deadlines.is_empty() { p .soft { (lang.pick("暂无", "nothing")) } }
    }
}

fn row(one: &pb::CaseDeadline, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let term = one.deadline.unwrap_or_default();
    // A notice has no number.
    let is_notice = one.name.contains("/notices/");
    let (page, called) = match is_notice {
        true => ("notice", lang.pick("通报", "notice").to_owned()),
        false => ("case", clean(&one.number)),
    };
    html! {
        tr {
            td { span .late[term.overdue] { (shown_case::due(&term, lang)) } }
            td { (words::clock(term.clock(), lang)) }
            th scope="row" { a href=(page_of(page, &one.name)) { (called) } }
            td { (clean(&one.title)) }
            td { @if !is_notice { (words::state(one.state(), lang)) } }
        }
    }
}
