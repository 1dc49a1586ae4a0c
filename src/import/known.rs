//! A row's case, if it is here already, and what the row says otherwise.

use std::collections::HashSet;

use serde_json::Value;

use super::{Calls, Stop, heading, not_own, stop};
use crate::lang::Lang;
use crate::shown::table::columns::COLUMNS;
use crate::shown::table::{Wrong, written};
use crate::shown::text::clean;
use crate::shown::when;
use crate::wire;
use crate::wire::patience::patient;
use crate::wire::pb::v1 as pb;

/// The case of the own city that has this number of an own system, or that a row without one names
/// by its own number. What this import has `opened` itself no row can have meant by a number.
pub(super) async fn find(
    calls: &impl Calls,
    external: &pb::ExternalRef,
    (number, opened): (&str, &HashSet<String>),
) -> Result<Option<pb::Case>, Stop> {
    let own = calls.own_city();
    let by_external =
        list(calls, String::new(), external.number.clone()).await?.into_iter().find(|case| {
            case.external_ref.as_ref().is_some_and(|known| known.system == external.system)
        });
    if by_external.is_some() || number.is_empty() {
        return Ok(by_external);
    }
    let mut by_number = list(calls, number.to_owned(), String::new()).await?;
    by_number.retain(|case| !opened.contains(&case.name));
    let is_own = |case: &&pb::Case| case.originating_city == own;
    match (by_number.iter().find(is_own), by_number.first()) {
        // As an export writes a case that has no number of an own system.
        (Some(case), _) if number == external.number => Ok(Some(case.clone())),
        (Some(case), _) => Err(renumbered(case, calls.lang()).into()),
        // Its city was taken out of the row.
        (None, Some(other)) => Err(not_own(calls, other.originating_city, "case_id").into()),
        (None, None) => Ok(None),
    }
}

async fn list(
    calls: &impl Calls,
    number: String,
    external_number: String,
) -> Result<Vec<pb::Case>, Stop> {
    let request = pb::ListCasesRequest {
        parent: "agreements/-".to_owned(),
        number,
        external_number,
        ..pb::ListCasesRequest::default()
    };
    let answer = patient(|| calls.list_cases(request.clone())).await;
    Ok(answer.map_err(|status| stop(calls, status, false))?.into_inner().cases)
}

/// Headings of the columns in which the row and the case differ.
pub(super) async fn differences(
    calls: &impl Calls,
    case: &pb::Case,
    request: &pb::CreateCaseRequest,
) -> Result<Vec<&'static str>, Stop> {
    let lang = calls.lang();
    // As the node would have written it, so that space around a text is no difference.
    let record = wire::case::record(request.record.as_ref()).ok();
    let person = wire::case::person(request.person.as_ref()).ok().flatten();
    let asked = pb::Case {
        facts: request.facts.clone(),
        record: record.as_ref().map(wire::record::record_to_pb),
        person: person.as_ref().map(wire::record::person_to_pb),
        ..pb::Case::default()
    };
    let (mut here, mut row) = (written::content(case), written::content(&asked));
    // What not all members may have stands behind the rest once it is written.
    for one in [&mut here, &mut row] {
        if let Some(Value::Array(items)) = one.get_mut("evidence") {
            items.sort_by_cached_key(Value::to_string);
        }
    }
    if request.effective_on.is_some() {
        set(&mut here, "reported_on", opened_on(calls, &case.name).await?);
        set(&mut row, "reported_on", when::date(request.effective_on.as_ref()));
    }
    let parent = case.name.split_once("/cases/").map_or("", |(parent, _)| parent);
    set(&mut here, "agreement", parent.to_owned());
    set(&mut row, "agreement", request.parent.clone());
    let at = |value: &Value, path: &str| {
        path.split('.').try_fold(value, |value, key| value.get(key)).cloned().unwrap_or_default()
    };
    let differs = COLUMNS.iter().filter(|column| at(&here, column.path) != at(&row, column.path));
    Ok(differs.map(|column| column.heading(lang)).collect())
}

fn set(value: &mut Value, key: &str, text: String) {
    if let Value::Object(object) = value {
        object.insert(key.to_owned(), Value::String(text));
    }
}

/// Legal date of the opening.
async fn opened_on(calls: &impl Calls, name: &str) -> Result<String, Stop> {
    let request = pb::GetCaseHistoryRequest {
        name: name.to_owned(),
        page_size: 1,
        page_token: String::new(),
    };
    let answer = patient(|| calls.history(request.clone())).await;
    let page = answer.map_err(|status| stop(calls, status, false))?.into_inner();
    Ok(when::date(page.entries.first().and_then(|entry| entry.effective_on.as_ref())))
}

/// The row says something else than the case that has its number.
pub(super) fn changed(case: &pb::Case, fields: &[&str], lang: Lang) -> Wrong {
    let (number, fields) = (clean(&case.number), fields.join(lang.pick("、", ", ")));
    Wrong::new(
        "CHANGED",
        lang.pick(
            format!("已登记为 {number}，但内容不同：{fields}；未改动"),
            format!("is {number} already, with other content: {fields}; nothing was changed"),
        ),
        lang.pick(
            "导入只登记新案件；要更正的，在本市执法系统中经 UpdateCase 更正，或删去此行",
            "import opens new cases only; correct it by UpdateCase, or take the row out",
        ),
    )
}

/// The row gives a case that is here another number of an own system: opened again, it would be
/// there twice.
fn renumbered(case: &pb::Case, lang: Lang) -> Wrong {
    let number = clean(&case.number);
    let known = case.external_ref.as_ref().map(|known| {
        let (system, number) = (clean(&known.system), clean(&known.number));
        lang.pick(format!("是{system}的 {number}"), format!("is {number} of {system}"))
    });
    let known = known.unwrap_or_else(|| lang.pick("为空", "is empty").to_owned());
    Wrong::new(
        "CHANGED",
        lang.pick(
            format!("{number} 已登记，其自有系统编号{known}，与此行不同；未改动"),
            format!("{number} is here already, its own number {known}; nothing was changed"),
        ),
        lang.pick(
            "确为另一案件的，清空“编号”一格；否则删去此行",
            "clear the cell with the case's number if it is another case, or take the row out",
        ),
    )
    .at(heading("external_ref.number", lang))
}
