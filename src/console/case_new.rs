//! Opening a case by page.
//!
//! Fields are called as the API's messages call them, so that a refusal finds its field. What the
//! address of the page says is filled in.
//!
//! In scope: from fields to a request. Out of scope: what a case must have, which the service says;
//! evidence, which is sent in on the page of the case.

use axum::response::Response;
use maud::{Markup, html};
use tonic::Status;

use super::case_from;
use super::case_import;
use super::codes;
use super::ending::{No, end};
use super::form::{Form, Query};
use super::layout::{self, Desk};
use super::parts::{self, Filled};
use super::refusal::Refusal;
use crate::limits::{CONSOLE_CASE_ROWS, OFFICERS_MAX, POLLUTANTS_MAX};
use crate::wire::pb::v1 as pb;

/// The only reference system that is taken.
const CRS: &str = "EPSG:4490";

/// What refusals without a field are about.
pub const FIELDS: [(&str, &str); 1] = [("OUTSIDE_BELT", "record.belt_reason")];

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
    let done = open(&desk, &form).await;
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
        facts: Some(facts(desk, form)?),
        record: Some(record(form)),
        person: person(form),
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

fn facts(desk: &Desk, form: &Form) -> Result<pb::CaseFacts, Refusal> {
    let lang = desk.lang();
    let code = |name: &str| form.text(name).parse().unwrap_or(0);
    let point = ["longitude", "latitude"];
    Ok(pb::CaseFacts {
        source: code("facts.source"),
        medium: code("facts.medium"),
        violation: code("facts.violation"),
        county_code: form.city("facts.county_code"),
        discover_time_ms: form.time("facts.discover_time_ms", lang)?,
        occurred_from: form.date("facts.occurred_from", lang)?,
        occurred_to: form.date("facts.occurred_to", lang)?,
        data_level: code("facts.data_level"),
        has_point: point.iter().all(|one| !form.text(&format!("record.location.{one}")).is_empty()),
        ..Default::default()
    })
}

fn record(form: &Form) -> pb::CaseRecord {
    let text = |name: &str| form.text(&format!("record.{name}")).to_owned();
    let location = pb::Location {
        longitude: text("location.longitude"),
        latitude: text("location.latitude"),
        crs: CRS.to_owned(),
        address: text("location.address"),
    };
    let nowhere = pb::Location { crs: CRS.to_owned(), ..Default::default() };
    let party = pb::Party {
        r#type: text("party.type").parse().unwrap_or(0),
        name: text("party.name"),
        uscc: text("party.uscc"),
        masked_name: text("party.masked_name"),
        industry_code: text("party.industry_code"),
        positive_list: !text("party.positive_list").is_empty(),
        permit_number: text("party.permit_number"),
    };
    let officer = |row| pb::Officer {
        certificate_number: text(&format!("officers[{row}].certificate_number")),
        unit: text(&format!("officers[{row}].unit")),
    };
    let pollutant = |row| {
        let text = |name: &str| text(&format!("pollutants[{row}].{name}"));
        pb::Pollutant {
            code: text("code"),
            value: text("value"),
            unit: text("unit"),
            limit: text("limit"),
            statistic: text("statistic").parse().unwrap_or(0),
            exceed_multiple: String::new(),
        }
    };
    pb::CaseRecord {
        title: text("title"),
        summary: text("summary"),
        location: (location != nowhere).then_some(location),
        party: (party != pb::Party::default()).then_some(party),
        // Rows keep their places, so that a refusal finds its row; only empty ones at the end go.
        pollutants: rows(form, POLLUTANTS, pollutant, |one| *one != pb::Pollutant::default()),
        officers: rows(form, OFFICERS, officer, |one| *one != pb::Officer::default()),
        case_file_number: text("case_file_number"),
        belt_reason: text("belt_reason"),
        ..Default::default()
    }
}

/// The rows of a list up to the last that says something.
fn rows<T>(form: &Form, list: List, row: impl Fn(usize) -> T, says: impl Fn(&T) -> bool) -> Vec<T> {
    let mut all: Vec<T> = (0..list.rows(form)).map(row).collect();
    all.truncate(all.iter().rposition(says).map_or(0, |last| last + 1));
    all
}

/// A list of which the form has some rows, and more when somebody asks for them.
#[derive(Clone, Copy)]
struct List {
    name: &'static str,
    most: usize,
}

const POLLUTANTS: List = List { name: "pollutants", most: POLLUTANTS_MAX };
const OFFICERS: List = List { name: "officers", most: OFFICERS_MAX };

impl List {
    /// How many rows there are: those that were sent, and another one if that was asked for.
    fn rows(self, form: &Form) -> usize {
        let place = |name: &str| {
            let rest = name.strip_prefix("record.")?.strip_prefix(self.name)?.strip_prefix('[')?;
            rest.split_once(']')?.0.parse::<usize>().ok()
        };
        let sent = form.names().filter_map(place).max().map_or(0, |last| last.saturating_add(1));
        let more = usize::from(form.text("more") == self.name);
        sent.max(CONSOLE_CASE_ROWS).saturating_add(more).min(self.most)
    }

    /// Asks for another row.
    fn more(self, form: &Form, label: &str) -> Markup {
        html! {
            @if self.rows(form) < self.most {
                " " button .second name="more" value=(self.name) { (label) }
            }
        }
    }
}

fn person(form: &Form) -> Option<pb::PersonRecord> {
    let text = |name: &str| form.text(&format!("person.{name}")).to_owned();
    let person = pb::PersonRecord {
        name: text("name"),
        id_number: text("id_number"),
        phone: text("phone"),
        address: text("address"),
    };
    (person != pb::PersonRecord::default()).then_some(person)
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
    let main = html! {
        h1 { (title) }
        @if let Some(refusal) = refusal { (parts::refused(refusal, lang)) }
        p .soft { (agreement.short_name) " " (agreement.display_name) }
        p .noprint { a href="/cases/import" { (case_import::title(lang)) } }
        form #new method="post" action="/cases/new" {
            (parts::request_id(Some(form)))
            input type="hidden" name="agreement" value=(parts::id_of(&agreement.name));
            (case_from::carried(form, lang))
            (content(desk, &of).await?)
            (place(desk, &of).await?)
            (party(desk, &of).await?)
            (measured(desk, &of, POLLUTANTS.rows(form)).await?)
            (papers(&of, OFFICERS.rows(form)))
            // First, so that it is what the Enter key presses.
            button name="go" value="new" { (lang.pick("登记", "Open it")) }
            (POLLUTANTS.more(form, lang.pick("再加一行超标情况", "Another measured value")))
            (OFFICERS.more(form, lang.pick("再加一名执法人员", "Another officer")))
        }
    };
    Ok(desk.page(title, &main))
}

async fn content(desk: &Desk, of: &Filled<'_>) -> Result<Markup, Status> {
    let lang = of.lang;
    let list = async |name| Ok::<_, Status>(codes::or_none(desk, codes::of(desk, name).await?));
    let levels = codes::of(desk, "data-levels").await?;
    // The usual one stands first.
    let general = i32::from(pb::DataLevel::General).to_string();
    let (first, rest): (Vec<_>, Vec<_>) = levels.into_iter().partition(|(one, _)| *one == general);
    let levels = [first, rest].concat();
    let name = "facts.discover_time_ms";
    let found = lang.pick("发现时间（北京时间）", "discovered (Beijing)");
    Ok(html! {
        fieldset {
            legend { (lang.pick("案情", "What it is")) }
            (of.line("text", "record.title", lang.pick("案由", "title"), ""))
            (of.text("record.summary", lang.pick("简要情况", "summary")))
            (of.choice("facts.source", lang.pick("线索来源", "source"), &list("sources").await?))
            (of.choice("facts.medium", lang.pick("污染要素", "medium"), &list("media").await?))
            (of.choice("facts.violation", lang.pick("涉嫌违法行为", "suspected violation"),
                &list("violations").await?))
            (of.line("datetime-local", name, found, ""))
            (of.line("date", "facts.occurred_from",
                lang.pick("违法行为开始日期", "first day of the act"), ""))
            (of.line("date", "facts.occurred_to",
                lang.pick("违法行为结束日期（仍在继续的不填）", "last day of the act, if over"), ""))
            (of.choice("facts.data_level", lang.pick("数据级别", "data level"), &levels))
        }
    })
}

async fn place(desk: &Desk, of: &Filled<'_>) -> Result<Markup, Status> {
    let lang = of.lang;
    let counties = codes::of(desk, "divisions").await?.into_iter();
    // Codes of provinces and cities end in two noughts.
    let counties = codes::or_none(desk, counties.filter(|(one, _)| !one.ends_with("00")).collect());
    Ok(html! {
        fieldset {
            legend { (lang.pick("地点", "Where")) }
            (of.choice("facts.county_code", lang.pick("县（市、区）", "county"), &counties))
            (of.line("text", "record.location.address", lang.pick("地址", "address"), ""))
            (of.line("text", "record.location.longitude",
                lang.pick("经度（CGCS2000，如 115.137564）", "longitude (CGCS2000)"), ""))
            (of.line("text", "record.location.latitude",
                lang.pick("纬度（CGCS2000，如 36.243426）", "latitude (CGCS2000)"), ""))
            (of.wrong_at("record.location"))
            (of.text("record.belt_reason",
                lang.pick("在边界范围以外的，说明须共享的理由", "outside the belt: why it belongs here")))
        }
    })
}

async fn party(desk: &Desk, of: &Filled<'_>) -> Result<Markup, Status> {
    let lang = of.lang;
    let types = codes::or_none(desk, codes::of(desk, "party-types").await?);
    let listed = [("1".to_owned(), lang.pick("在正面清单内", "on the positive list").to_owned())];
    Ok(html! {
        fieldset {
            legend { (lang.pick("当事人", "Party")) }
            (of.choice("record.party.type", lang.pick("类型", "kind"), &types))
            (of.line("text", "record.party.name", lang.pick("单位名称", "name of a firm"), ""))
            (of.line("text", "record.party.uscc",
                lang.pick("统一社会信用代码", "its credit code"), ""))
            (of.line("text", "record.party.industry_code",
                lang.pick("行业代码（如 C3021）", "its industry, such as C3021"), ""))
            (of.line("text", "record.party.permit_number",
                lang.pick("排污许可证编号", "number of its permit"), ""))
            (of.choices("record.party.positive_list", lang.pick("正面清单", "positive list"),
                &listed, &[]))
            (of.line("text", "record.party.masked_name",
                lang.pick("自然人（隐去姓名，如 张某某）", "a natural person, masked"), ""))
            (of.wrong_at("record.party"))
        }
        fieldset {
            legend { (lang.pick("自然人身份信息（只送承办市）", "The person, for the handling city only")) }
            (of.line("text", "person.name", lang.pick("姓名", "name"), ""))
            (of.line("text", "person.id_number", lang.pick("证件号码", "identity number"), ""))
            (of.line("text", "person.phone", lang.pick("电话", "telephone"), ""))
            (of.line("text", "person.address", lang.pick("住址", "address"), ""))
        }
    })
}

async fn measured(desk: &Desk, of: &Filled<'_>, rows: usize) -> Result<Markup, Status> {
    let lang = of.lang;
    let list = async |name| Ok::<_, Status>(codes::or_none(desk, codes::of(desk, name).await?));
    let (all, units, kinds) =
        (list("pollutants").await?, list("units").await?, list("statistics").await?);
    Ok(html! {
        @for row in 0..rows {
            @let name = |field: &str| format!("record.pollutants[{row}].{field}");
            fieldset .row {
                legend { (lang.pick("超标情况 ", "Measured value ")) (row + 1) }
                (of.choice(&name("code"), lang.pick("污染物", "pollutant"), &all))
                (of.line("text", &name("value"), lang.pick("监测值", "value"), ""))
                (of.choice(&name("unit"), lang.pick("单位", "unit"), &units))
                (of.line("text", &name("limit"), lang.pick("限值", "limit"), ""))
                (of.choice(&name("statistic"), lang.pick("数据类型", "kind of value"), &kinds))
            }
        }
    })
}

fn papers(of: &Filled<'_>, rows: usize) -> Markup {
    let lang = of.lang;
    html! {
        fieldset {
            legend { (lang.pick("办案信息", "On the file")) }
            @for row in 0..rows {
                @let name = |field: &str| format!("record.officers[{row}].{field}");
                div .choices {
                    (of.line("text", &name("certificate_number"),
                        lang.pick("执法证号", "officer's certificate"), ""))
                    (of.line("text", &name("unit"), lang.pick("执法队伍", "unit"), ""))
                }
            }
            (of.wrong_at("record.officers"))
            (of.line("text", "record.case_file_number", lang.pick("立案号", "file number"), ""))
            (of.line("text", "external_ref.system",
                lang.pick("本市执法系统名称", "own system"), ""))
            (of.line("text", "external_ref.number",
                lang.pick("系统中的编号", "number in that system"), ""))
            (of.line("date", "effective_on",
                lang.pick("法律日期（不填为今天）", "legal date (today)"), ""))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_places_and_what_is_empty_is_absent() {
        let form = "record.officers[1].unit=a&record.title= t &record.pollutants[0].unit=";
        let read = record(&Form::parse(form.as_bytes()));
        assert_eq!((read.title.as_str(), read.officers.len()), ("t", 2));
        assert_eq!(read.officers[1].unit, "a");
        assert!(read.pollutants.is_empty() && read.party.is_none() && read.location.is_none());
        assert!(person(&Form::default()).is_none());
    }

    #[test]
    fn a_list_grows_row_by_row_to_its_limit() {
        let rows = |text: &str| POLLUTANTS.rows(&Form::parse(text.as_bytes()));
        assert_eq!((rows(""), rows("more=officers"), rows("more=pollutants")), (3, 3, 4));
        let sent = "record.pollutants[3].code=&record.officers[9].unit=";
        assert_eq!((rows(sent), rows(&format!("{sent}&more=pollutants"))), (4, 5));
        let far = format!("record.pollutants[{}].code=x", usize::MAX);
        assert_eq!((rows(&far), rows("record.pollutants[x].code=x")), (POLLUTANTS_MAX, 3));
    }
}
