//! Cases as a file for a spreadsheet, filtered as the list is.
//!
//! The columns, the guard against formulas and the mark by which WPS and Excel know UTF-8 are those
//! of `liandong case export --csv`. Rows are sent as they are made; should one fail, the browser is
//! told that the file is not whole.
//!
//! In scope: which cases, sending. Out of scope: the form of a row ([`crate::shown::table`]).

use std::io;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header;
use maud::html;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::api::patient;
use super::form::{Form, Query};
use super::layout::Desk;
use super::refusal::Refusal;
use super::{case_list, parts};
use crate::domain::Date;
use crate::import::Calls;
use crate::limits::CONSOLE_READ_MAX;
use crate::shown::table::csv;
use crate::shown::table::written::{self, Beside};
use crate::wire::pb::v1 as pb;

/// Things on a page of the API's lists.
const PAGE: i32 = 200;
/// Rows that are made while the browser takes others in.
const ROWS_AHEAD: usize = 32;

/// Sends the file.
pub async fn send(desk: Desk, Query(query): Query) -> Response {
    let mut request = match case_list::request(&query, &desk) {
        Ok(request) => request,
        Err(refusal) => return refused(&desk, &query, &refusal),
    };
    (request.page_size, request.page_token) = (PAGE, String::new());
    let first = match page(&desk, &request).await {
        Ok(page) => page,
        Err(status) => return desk.no(&status),
    };
    if first.total_size as usize > CONSOLE_READ_MAX || first.total_is_partial {
        return too_many(&desk, &query, first.total_size);
    }
    let campaigns = campaigns(&desk).await;
    let name = file_name(desk.today);
    let (rows, sent) = mpsc::channel(ROWS_AHEAD);
    tokio::spawn(async move {
        if let Err(status) = all(&desk, request, first, &campaigns, &rows).await {
            tracing::warn!(error = %status, "a file of cases broke off");
            // Whoever waits no longer does not hear it.
            let _ = rows.send(Err(io::Error::other("a row could not be read"))).await;
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, Body::from_stream(ReceiverStream::new(sent))).into_response()
}

/// What the file is called.
fn file_name(today: Option<Date>) -> String {
    today.map_or_else(|| "cases.csv".to_owned(), |day| format!("cases-{day}.csv"))
}

fn refused(desk: &Desk, query: &Form, refusal: &Refusal) -> Response {
    let lang = desk.lang();
    let title = lang.pick("未导出", "Not exported");
    let back = format!("/cases?{}", query.with("page", ""));
    let main = html! {
        h1 { (title) }
        (parts::refused(refusal, lang))
        p { a href=(back) { (lang.pick("返回列表", "back to the list")) } }
    };
    desk.page(title, &main)
}

fn too_many(desk: &Desk, query: &Form, total: u32) -> Response {
    let refusal = Refusal {
        what: desk.lang().pick(
            format!("符合条件的案件有 {total} 件，一次至多导出 {CONSOLE_READ_MAX} 件"),
            format!("{total} cases fit; a file has room for {CONSOLE_READ_MAX}"),
        ),
        advice: desk
            .lang()
            .pick(
                "缩小条件（如发现日期）后分次导出；全部导出请系统管理员用 liandong case export",
                "narrow the filter, by days for example, or use liandong case export",
            )
            .to_owned(),
        ..Refusal::default()
    };
    refused(desk, query, &refusal)
}

async fn page(
    desk: &Desk,
    request: &pb::ListCasesRequest,
) -> Result<pb::ListCasesResponse, Status> {
    let answer = patient(|| desk.list_cases(request.clone()));
    answer.await.map(tonic::Response::into_inner)
}

/// What campaigns are called; their numbers do where the node does not tell.
async fn campaigns(desk: &Desk) -> Vec<pb::CatalogItem> {
    let parent = "lists/campaigns".to_owned();
    let request = pb::ListRequest { parent, page_size: PAGE, page_token: String::new() };
    let answer = desk.client.catalogs().list(request).await;
    answer.map(|answer| answer.into_inner().items).unwrap_or_default()
}

type Rows = mpsc::Sender<io::Result<Bytes>>;

/// Makes all rows; ends early when nobody waits for them any more.
async fn all(
    desk: &Desk,
    mut request: pb::ListCasesRequest,
    mut now: pb::ListCasesResponse,
    campaigns: &[pb::CatalogItem],
    rows: &Rows,
) -> Result<(), Status> {
    let lang = desk.lang();
    let first = format!("\u{feff}{}", csv::line(&written::headings(lang)));
    let mut seen = std::collections::HashSet::new();
    let mut next = first;
    loop {
        for case in std::mem::take(&mut now.cases) {
            if !seen.insert(case.name.clone()) {
                continue;
            }
            if rows.send(Ok(Bytes::from(std::mem::take(&mut next)))).await.is_err() {
                return Ok(());
            }
            let mut beside = beside(desk, &case.name).await?;
            beside.campaigns = written::campaigns(campaigns, &case.campaigns, lang);
            let value = written::value(&case, &beside, &desk.names);
            next = csv::line(&written::cells(&value, &desk.names, lang));
        }
        if now.next_page_token.is_empty() {
            // Nobody waits when this fails.
            let _ = rows.send(Ok(Bytes::from(next))).await;
            return Ok(());
        }
        request.page_token = now.next_page_token;
        now = page(desk, &request).await?;
    }
}

/// What of a case stands only in its history.
async fn beside(desk: &Desk, name: &str) -> Result<Beside, Status> {
    let (mut beside, mut page_token) = (Beside::default(), String::new());
    loop {
        let request =
            pb::GetCaseHistoryRequest { name: name.to_owned(), page_size: PAGE, page_token };
        let page = patient(|| desk.history(request.clone())).await?.into_inner();
        beside.take(&page, desk.city);
        if page.next_page_token.is_empty() {
            return Ok(beside);
        }
        page_token = page.next_page_token;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_day_in_its_name() {
        let day = Date::new(2026, 11, 20).ok();
        assert_eq!(file_name(day), "cases-2026-11-20.csv");
        assert_eq!(file_name(None), "cases.csv");
    }
}
