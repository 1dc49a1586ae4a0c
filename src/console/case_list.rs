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
use crate::wire::case::typed_within;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// Fields of requests and what the form calls them, the longer names first.
const FIELDS: [(&str, &str); 11] = [
    ("handling_city", "handling"),
    ("turn_city", "turn"),
    ("originating_city", "originating"),
    ("near_city", "near"),
    ("near_metres", "metres"),
    ("county_code", "county"),
    ("party_name", "party"),
    ("party_uscc", "uscc"),
    ("discovered_from", "from"),
    ("external_number", "external"),
    ("within", "box"),
];

/// Filters that are folded away.
const MORE: [&str; 8] =
    ["county", "box", "near", "metres", "campaign", "external", "assignee", "only"];

/// The choice of cases in which others wait for the own city.
pub const OURS: &str = "ours";
/// The choice of cases in which the own city waits for others.
pub const THEIRS: &str = "theirs";

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
    let lists = Lists::read(&desk).await;
    let main = html! {
        h1 { (title) }
        @if desk.visitor.may("/liandong.v1.CaseService/CreateCase") {
            p .pages .noprint {
                a href="/cases/new" { (lang.pick("登记案件", "open a case")) }
                a href="/cases/import" { (case_import::title(lang)) }
            }
        }
        (filter(&query, &desk, &lists, answer.as_ref().err()))
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
        within: match query.text("box") {
            "" => None,
            text => Some(typed_within(text).ok_or_else(|| {
                let what = lang.pick(
                    "应为以逗号分开的四个数：西,南,东,北，如 115.1,36.1,115.6,36.6",
                    "four numbers apart by comma: west, south, east, north",
                );
                Refusal::field("box", what.to_owned())
            })?),
        },
        number: query.text("number").to_owned(),
        party_name: query.text("party").to_owned(),
        party_uscc: query.text("uscc").to_owned(),
        discovered_from: query.date("from", lang)?,
        discovered_to: query.date("to", lang)?,
        assignee: query.text("assignee").to_owned(),
        campaign: query.number("campaign", lang)?,
        external_number: query.text("external").to_owned(),
        has_same_act_hints: query.all("only").any(|one| one == "same_act"),
        rests_on_suspended: query.all("only").any(|one| one == "suspended"),
        awaits_own_city: query.text("awaits") == OURS,
        awaits_others: query.text("awaits") == THEIRS,
        ..Default::default()
    })
}

/// Lists of codes to choose from.
struct Lists {
    areas: Vec<(String, String)>,
    campaigns: Vec<(String, String)>,
}

impl Lists {
    /// Reads them; without one the other filters are there still.
    async fn read(desk: &Desk) -> Self {
        let (areas, campaigns) =
            tokio::join!(codes::of(desk, "divisions"), codes::of(desk, "campaigns"));
        let mut areas = areas.unwrap_or_default();
        // Codes of provinces end in four noughts.
        areas.retain(|(code, _)| !code.ends_with("0000"));
        Self { areas, campaigns: campaigns.unwrap_or_default() }
    }
}

/// The filter's form.
struct Filter<'a> {
    query: &'a Form,
    desk: &'a Desk,
    lists: &'a Lists,
    of: parts::Filled<'a>,
}

fn filter(query: &Form, desk: &Desk, lists: &Lists, refusal: Option<&Refusal>) -> Markup {
    let (none, lang) = (Refusal::default(), desk.lang());
    let again = Some((query, refusal.unwrap_or(&none)));
    let of = parts::Filled { form: "filter", again, lang };
    let filter = Filter { query, desk, lists, of };
    html! {
        form .filter method="get" action="/cases" role="search" {
            (filter.usual())
            (filter.more())
            div .field {
                button { (lang.pick("查询", "Search")) }
                " " a href="/cases" { (lang.pick("清空条件", "clear")) }
            }
        }
    }
}

impl Filter<'_> {
    /// A choice with "all" first.
    fn choice(&self, name: &str, label: &str, all: Vec<(String, String)>) -> Markup {
        let any = (String::new(), self.desk.lang().pick("全部", "all").to_owned());
        let mut all: Vec<_> = std::iter::once(any).chain(all).collect();
        // What the page's address asks for is shown as what it is, also when no list has it.
        let asked = self.query.text(name);
        if all.iter().all(|(value, _)| value != asked) {
            all.push((asked.to_owned(), clean(asked)));
        }
        self.of.choice(name, label, &all)
    }

    fn cities(&self, own: bool) -> Vec<(String, String)> {
        let all = own.then_some(self.desk.city).into_iter().chain(self.desk.others(None));
        all.map(|code| (code.to_string(), self.desk.names.city(code))).collect()
    }

    fn usual(&self) -> Markup {
        let (of, lang) = (self.of, self.desk.lang());
        let states = words::states()
            .into_iter()
            .map(|one| (i32::from(one).to_string(), words::state(one, lang).to_owned()));
        let media = (1..).map_while(|number| pb::Medium::try_from(number).ok());
        let media =
            media.map(|one| (i32::from(one).to_string(), words::medium(one, lang).to_owned()));
        html! {
            (self.choice("state", lang.pick("状态", "state"), states.collect()))
            (self.choice("awaits", lang.pick("待办", "awaits"), vec![
                (OURS.to_owned(), lang.pick("待我市办理", "us").to_owned()),
                (THEIRS.to_owned(), lang.pick("等对方", "others").to_owned()),
            ]))
            (self.choice("turn", lang.pick("办理权", "turn"), self.cities(true)))
            (self.choice("handling", lang.pick("承办市", "handled by"), self.cities(true)))
            (self.choice("originating", lang.pick("首报市", "reported by"), self.cities(true)))
            (self.choice("medium", lang.pick("要素", "medium"), media.collect()))
            (of.line("text", "party", lang.pick("当事人", "party"), ""))
            (of.line("text", "uscc", lang.pick("统一社会信用代码", "credit code"), ""))
            (of.line("text", "number", lang.pick("案件编号", "number"), ""))
            (of.line("date", "from", lang.pick("发现日期自", "discovered from"), ""))
            (of.line("date", "to", lang.pick("至", "to"), ""))
        }
    }

    /// What is asked less often: folded away unless something of it is asked.
    fn more(&self) -> Markup {
        let (of, lang) = (self.of, self.desk.lang());
        let asked = MORE.iter().any(|name| !self.query.text(name).is_empty());
        let only = [
            ("same_act", lang.pick("疑似同一违法行为的", "may be of one act")),
            (
                "suspended",
                lang.pick(
                    "依据已暂停城市的记录、暂不能办理的",
                    "rest on records of a city that is suspended here",
                ),
            ),
        ];
        let only = only.map(|(value, word)| (value.to_owned(), word.to_owned()));
        html! {
            details .more open[asked] {
                summary { (lang.pick("更多条件", "More filters")) }
                div {
                    (self.choice("county", lang.pick("案发区域", "area"),
                        self.lists.areas.clone()))
                    (of.line("text", "box", lang.pick("经纬度范围（西,南,东,北，CGCS2000）",
                        "west,south,east,north (CGCS2000)"), ""))
                    (self.choice("near", lang.pick("邻近", "near"), self.cities(false)))
                    (of.line("number", "metres",
                        lang.pick("边界内米数", "metres of the border"), ""))
                    (self.choice("campaign", lang.pick("专项行动", "campaign"),
                        self.lists.campaigns.clone()))
                    (of.line("text", "external",
                        lang.pick("本市自有系统编号", "number in an own system"), ""))
                    (of.line("text", "assignee",
                        lang.pick("本市经办人（须完全一致）", "assigned to (exactly)"), ""))
                    (of.choices("only", lang.pick("只看", "only those that"), &only, &[]))
                }
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
                tbody { @for (nth, case) in page.cases.iter().enumerate() {
                        (row(case, page.same_acts.get(nth), desk))
                    }
                }
            }
        }
        @if page.cases.is_empty() {
            p .soft { (lang.pick("没有符合条件的案件", "no case fits")) }
        }
        (parts::next("/cases", query, &page.next_page_token, lang))
    }
}

/// A case, with the records that may be of the same act if these were asked for.
fn row(case: &pb::Case, acts: Option<&pb::SameActs>, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let record = case.record.as_ref();
    let party = record.and_then(|record| record.party.as_ref());
    let party = party.map(|one| format!("{}{}", one.name, one.masked_name)).unwrap_or_default();
    html! {
        tr {
            th scope="row" { a href=(page_of("case", &case.name)) { (clean(&case.number)) } }
            td {
                (record.map(|one| clean(&one.title)).unwrap_or_default())
                @for hint in acts.iter().flat_map(|acts| &acts.hints) {
                    br; span .soft { (lang.pick("疑似同一行为：", "same act? ")) }
                    a href=(page_of("case", &hint.name)) { (clean(&hint.number)) }
                }
            }
            td { (words::state(case.state(), lang)) }
            td { (desk.names.turn(case.turn_city)) }
            td { (desk.names.city(case.handling_city)) }
            td { (clean(&party)) }
            td { (when::time(case.update_time.as_ref())) }
        }
    }
}
