//! Cases as a list, filtered as the API filters them.

use axum::response::Response;
use maud::{Markup, html};

use super::case_import;
use super::codes;
use super::form::{Form, Query};
use super::layout::Desk;
use super::parts::{self, page_of};
use super::refusal::Refusal;
use crate::limits::CONSOLE_PAGE_SIZE;
use crate::shown::{text::clean, when};
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// Fields of requests and what the form calls them, the longer names first.
const FIELDS: [(&str, &str); 9] = [
    ("handling_city", "handling"),
    ("turn_city", "turn"),
    ("originating_city", "originating"),
    ("near_city", "near"),
    ("near_metres", "metres"),
    ("county_code", "county"),
    ("party_name", "party"),
    ("party_uscc", "uscc"),
    ("discovered_from", "from"),
];

/// Shows a page of them.
pub async fn show(desk: Desk, Query(query): Query) -> Response {
    let lang = desk.lang();
    let title = lang.pick("案件", "Cases");
    let answer = match request(&query, &desk) {
        Ok(request) => {
            let answer = desk.client.cases().list_cases(request).await;
            let refused = |status| Refusal::of(&status, lang).placed(&FIELDS);
            answer.map(tonic::Response::into_inner).map_err(refused)
        }
        Err(refusal) => Err(refusal),
    };
    // Codes of provinces end in four noughts. Without the list the other filters are there still.
    let areas = codes::of(&desk, "divisions").await.unwrap_or_default();
    let areas: Vec<_> = areas.into_iter().filter(|(code, _)| !code.ends_with("0000")).collect();
    let main = html! {
        h1 { (title) }
        @if desk.visitor.may("/liandong.v1.CaseService/CreateCase") {
            p .pages .noprint {
                a href="/cases/new" { (lang.pick("登记案件", "open a case")) }
                a href="/cases/import" { (case_import::title(lang)) }
            }
        }
        (filter(&query, &desk, areas, answer.as_ref().err()))
        @match &answer {
            Ok(page) => {
                (list(page, &query, &desk))
                p .noprint {
                    a href={ "/cases.csv?" (query.with("page", "")) } {
                        (lang.pick("导出为表格（CSV，WPS、Excel 可直接打开）",
                            "as a file for a spreadsheet (CSV)"))
                    }
                }
            },
            Err(refusal) => { (parts::refused(refusal, lang)) },
        }
    };
    desk.page(title, &main)
}

/// What the filter asks for.
///
/// # Errors
/// [`Refusal`] at the field.
pub fn request(query: &Form, desk: &Desk) -> Result<pb::ListCasesRequest, Refusal> {
    let lang = desk.lang();
    let numbers = |name: &str| query.all(name).filter_map(|one| one.parse().ok()).collect();
    let parent = match query.text("agreement") {
        "" => "agreements/-".to_owned(),
        id => format!("agreements/{id}"),
    };
    Ok(pb::ListCasesRequest {
        parent,
        page_size: CONSOLE_PAGE_SIZE,
        page_token: query.text("page").to_owned(),
        states: numbers("state"),
        media: numbers("medium"),
        handling_city: query.city("handling"),
        turn_city: query.city("turn"),
        originating_city: query.city("originating"),
        near_city: query.city("near"),
        near_metres: query.text("metres").parse().unwrap_or(0),
        county_code: query.number("county", lang)?,
        number: query.text("number").to_owned(),
        party_name: query.text("party").to_owned(),
        party_uscc: query.text("uscc").to_owned(),
        discovered_from: query.date("from", lang)?,
        discovered_to: query.date("to", lang)?,
        assignee: query.text("assignee").to_owned(),
        ..Default::default()
    })
}

fn filter(
    query: &Form,
    desk: &Desk,
    areas: Vec<(String, String)>,
    refusal: Option<&Refusal>,
) -> Markup {
    let lang = desk.lang();
    let any = || (String::new(), lang.pick("全部", "all").to_owned());
    let cities = |own: bool| {
        let all = own.then_some(desk.city).into_iter().chain(desk.others(None));
        let named = all.map(|code| (code.to_string(), desk.names.city(code)));
        [any()].into_iter().chain(named).collect::<Vec<_>>()
    };
    let states = words::states()
        .into_iter()
        .map(|one| (i32::from(one).to_string(), words::state(one, lang).to_owned()));
    let states: Vec<_> = [any()].into_iter().chain(states).collect();
    let media = (1..).map_while(|number| pb::Medium::try_from(number).ok());
    let media = media.map(|one| (i32::from(one).to_string(), words::medium(one, lang).to_owned()));
    let media: Vec<_> = [any()].into_iter().chain(media).collect();
    let mut areas: Vec<_> = [any()].into_iter().chain(areas).collect();
    // What the page's address asks for is shown as what it is, also when no list has it.
    let asked = query.text("county");
    if areas.iter().all(|(code, _)| code != asked) {
        areas.push((asked.to_owned(), clean(asked)));
    }
    let none = Refusal::default();
    let again = Some((query, refusal.unwrap_or(&none)));
    let of = parts::Filled { form: "filter", again, lang };
    html! {
        form .filter method="get" action="/cases" role="search" {
            (of.choice("state", lang.pick("状态", "state"), &states))
            (of.choice("turn", lang.pick("办理权", "turn"), &cities(true)))
            (of.choice("handling", lang.pick("承办市", "handled by"), &cities(true)))
            (of.choice("originating", lang.pick("首报市", "reported by"), &cities(true)))
            (of.choice("medium", lang.pick("要素", "medium"), &media))
            (of.choice("county", lang.pick("案发区域", "area"), &areas))
            (of.line("text", "party", lang.pick("当事人", "party"), ""))
            (of.line("text", "uscc", lang.pick("统一社会信用代码", "credit code"), ""))
            (of.line("text", "number", lang.pick("案件编号", "number"), ""))
            (of.line("date", "from", lang.pick("发现日期自", "discovered from"), ""))
            (of.line("date", "to", lang.pick("至", "to"), ""))
            (of.choice("near", lang.pick("邻近", "near"), &cities(false)))
            (of.line("number", "metres", lang.pick("边界内米数", "metres of the border"), ""))
            div .field {
                button { (lang.pick("查询", "Search")) }
                " " a href="/cases" { (lang.pick("清空条件", "clear")) }
            }
        }
    }
}

fn list(page: &pb::ListCasesResponse, query: &Form, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let more = if page.total_is_partial { "+" } else { "" };
    let count = lang.pick(
        format!("共 {}{more} 件", page.total_size),
        format!("{}{more} in all", page.total_size),
    );
    html! {
        div .scroll tabindex="0" role="region" aria-label=(lang.pick("案件列表", "Cases")) {
            table {
                caption { (count) }
                thead {
                    tr {
                        th scope="col" { (lang.pick("编号", "number")) }
                        th scope="col" { (lang.pick("案由", "title")) }
                        th scope="col" { (lang.pick("状态", "state")) }
                        th scope="col" { (lang.pick("办理权", "turn")) }
                        th scope="col" { (lang.pick("承办市", "handled by")) }
                        th scope="col" { (lang.pick("当事人", "party")) }
                        th scope="col" { (lang.pick("最近登记", "last entry")) }
                    }
                }
                tbody { @for case in &page.cases { (row(case, desk)) } }
            }
        }
        @if page.cases.is_empty() {
            p .soft { (lang.pick("没有符合条件的案件", "no case fits")) }
        }
        (parts::next("/cases", query, &page.next_page_token, lang))
    }
}

fn row(case: &pb::Case, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let record = case.record.as_ref();
    let party = record.and_then(|record| record.party.as_ref());
    let party = party.map(|one| format!("{}{}", one.name, one.masked_name)).unwrap_or_default();
    html! {
        tr {
            th scope="row" { a href=(page_of("case", &case.name)) { (clean(&case.number)) } }
            td { (record.map(|one| clean(&one.title)).unwrap_or_default()) }
            td { (words::state(case.state(), lang)) }
            td { (desk.names.turn(case.turn_city)) }
            td { (desk.names.city(case.handling_city)) }
            td { (clean(&party)) }
            td { (when::time(case.update_time.as_ref())) }
        }
    }
}
