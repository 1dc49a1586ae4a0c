//! From a case of the API to the sample shape, and from there to the cells of a sheet.
//!
//! In scope: everything that import reads, and what is shown beside it. Out of scope: files.
//!
//! Invariant: what is written here is read back as the same case.
//! (`what_is_exported_can_be_imported`)

use serde_json::{Value, json};

use super::cells;
use super::columns::{COLUMNS, Column, Kind};
use crate::ids::hex;
use crate::lang::Lang;
use crate::shown::names::Names;
use crate::shown::text::clean;
use crate::shown::when;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// What of a case stands only in its history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Beside {
    /// Legal date of the opening.
    pub reported_on: Option<pb::Date>,
    /// Entries of the own city that no other city is known to hold.
    pub only_here: u64,
    /// Its campaigns, as they are called.
    pub campaigns: String,
}

impl Beside {
    /// Takes what a page of the history tells; `own` is the own city.
    pub fn take(&mut self, page: &pb::GetCaseHistoryResponse, own: u32) {
        let first = page.entries.first().and_then(|entry| entry.effective_on);
        self.reported_on = self.reported_on.or(first);
        let alone = |entry: &&pb::HistoryEntry| entry.city == own && entry.holdings.is_empty();
        self.only_here += page.entries.iter().filter(alone).count() as u64;
    }
}

fn some(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

fn date(date: Option<&pb::Date>) -> Value {
    some(&when::date(date))
}

fn city(code: u32) -> Value {
    if code == 0 { Value::Null } else { json!(format!("{code:06}")) }
}

/// A case in the sample shape.
#[must_use]
pub fn value(case: &pb::Case, beside: &Beside, names: &Names) -> Value {
    let mut value = content(case);
    let shown = json!({
        "case_id": case.number,
        "agreement": agreement(&case.name, names),
        "external_ref": case.external_ref.as_ref().map(|own| {
            json!({ "system": own.system, "number": own.number })
        }),
        "state": words::short(case.state().as_str_name(), "CASE_STATE_"),
        "originating_city": city(case.originating_city),
        "handling_city": city(case.handling_city),
        "turn_city": city(case.turn_city),
        "last_effective_on": date(case.last_effective_on.as_ref()),
        "only_here": beside.only_here,
        "misfit_count": case.misfit_count,
        "campaigns": some(&beside.campaigns),
        "reported_on": date(beside.reported_on.as_ref()),
    });
    if let (Value::Object(value), Value::Object(shown)) = (&mut value, shown) {
        value.extend(shown);
    }
    value
}

fn agreement(name: &str, names: &Names) -> String {
    let parent = name.split_once("/cases/").map_or(name, |(parent, _)| parent);
    names.agreement(parent)
}

/// What people gave, without what the node knows beside it.
#[must_use]
pub fn content(case: &pb::Case) -> Value {
    let facts = case.facts.clone().unwrap_or_default();
    let record = case.record.clone().unwrap_or_default();
    let discovered = when::from_millis(facts.discover_time_ms);
    let at = record.location.as_ref();
    let county = Some(facts.county_code).filter(|code| *code != 0);
    let location = (at.is_some() || county.is_some()).then(|| {
        let text = |of: fn(&pb::Location) -> &String| at.map_or(Value::Null, |at| some(of(at)));
        json!({
            "lon": text(|at| &at.longitude),
            "lat": text(|at| &at.latitude),
            "crs": text(|at| &at.crs),
            "county_code": county.map(|code| format!("{code:06}")),
            "address_zh": text(|at| &at.address),
        })
    });
    json!({
        "title": record.title,
        "summary_zh": some(&record.summary),
        "source": words::short(facts.source().as_str_name(), "SOURCE_"),
        "medium": words::short(facts.medium().as_str_name(), "MEDIUM_"),
        "violation_code": words::short(facts.violation().as_str_name(), "VIOLATION_"),
        "discovered_at": when::rfc3339(Some(&discovered)),
        "occurred_from": date(facts.occurred_from.as_ref()),
        "occurred_to": date(facts.occurred_to.as_ref()),
        "location": location,
        "party": record.party.as_ref().map(party),
        "person": case.person.as_ref().map(|person| json!({
            "name": person.name,
            "id_number": person.id_number,
            "phone": person.phone,
            "address": person.address,
        })),
        "data_level": words::short(facts.data_level().as_str_name(), "DATA_LEVEL_"),
        "case_no": some(&record.case_file_number),
        "officers": record.officers.iter().map(|one| json!({
            "cert_no": one.certificate_number,
            "org_zh": one.unit,
        })).collect::<Vec<_>>(),
        "pollutants": record.pollutants.iter().map(pollutant).collect::<Vec<_>>(),
        "legal_basis": record.legal_bases.iter().map(basis).collect::<Vec<_>>(),
        "law_choice_zh": some(&record.law_choice),
        "evidence": record.evidence.iter().map(evidence).collect::<Vec<_>>(),
        "penalty": record.penalty.as_ref().map(penalty),
        "belt_reason": some(&record.belt_reason),
    })
}

fn party(party: &pb::Party) -> Value {
    json!({
        "type": words::short(party.r#type().as_str_name(), "PARTY_TYPE_"),
        "name": some(&party.name),
        "uscc": some(&party.uscc),
        "masked_name": some(&party.masked_name),
        "industry_code": some(&party.industry_code),
        "positive_list": party.positive_list,
        "permit_no": some(&party.permit_number),
    })
}

fn pollutant(one: &pb::Pollutant) -> Value {
    json!({
        "code": one.code,
        "value": one.value,
        "unit": one.unit,
        "limit": one.limit,
        "exceed_multiple": some(&one.exceed_multiple),
        "statistic": words::short(one.statistic().as_str_name(), "POLLUTANT_STATISTIC_"),
    })
}

fn basis(one: &pb::LegalBasis) -> Value {
    json!({
        "law": one.law,
        "article": one.article,
        "item": Some(one.item).filter(|item| *item != 0),
        "effective_from": date(one.effective_from.as_ref()),
        "effective_to": date(one.effective_to.as_ref()),
    })
}

fn evidence(one: &pb::Evidence) -> Value {
    json!({
        "evidence_id": one.id,
        "kind": words::short(one.kind().as_str_name(), "EVIDENCE_KIND_"),
        "title_zh": one.title,
        "collected_on": date(one.collected_on.as_ref()),
        "mime": some(&one.mime),
        "size_bytes": one.size_bytes,
        "digest": { "sha256": hex(&one.sha256), "sm3": some(&hex(&one.sm3)) },
        "level": words::short(one.level().as_str_name(), "DATA_LEVEL_"),
        "collectors": one.collectors,
        "place": some(&one.place),
        "reviewed_legal": one.reviewed_legal,
        "reviewed_technical": one.reviewed_technical,
    })
}

fn penalty(penalty: &pb::Penalty) -> Value {
    let kinds: Vec<_> = penalty
        .kinds()
        .map(|kind| words::short(kind.as_str_name(), "PENALTY_KIND_").to_owned())
        .collect();
    json!({
        "kinds": kinds,
        "fine_fen": Some(penalty.fine_fen).filter(|fen| *fen != 0),
        "proposed": penalty.proposed,
        "decision_no": some(&penalty.decision_number),
    })
}

/// The headings.
#[must_use]
pub fn headings(lang: Lang) -> Vec<String> {
    COLUMNS.iter().map(|column| column.heading(lang).to_owned()).collect()
}

/// The cells of a case in the sample shape, one for each column.
#[must_use]
pub fn cells(value: &Value, names: &Names, lang: Lang) -> Vec<String> {
    COLUMNS.iter().map(|column| cell(column, value, names, lang)).collect()
}

fn cell(column: &Column, value: &Value, names: &Names, lang: Lang) -> String {
    let found = column.path.split('.').try_fold(value, |value, key| value.get(key));
    let Some(found) = found.filter(|found| !found.is_null()) else { return String::new() };
    let text = || found.as_str().map_or_else(|| found.to_string(), str::to_owned);
    match column.kind {
        Kind::Text | Kind::Date | Kind::Shown => cells::escaped(&text()),
        Kind::Id => cells::kept_as_text(&text()),
        Kind::Time => time(&text()),
        Kind::Code(codes) => codes.word(&text(), lang),
        Kind::YesNo => match found.as_bool() {
            Some(true) => lang.pick("是", "yes").to_owned(),
            Some(false) | None => String::new(),
        },
        Kind::City => {
            let code = text();
            let name = code.parse().map(|code| names.city(code)).unwrap_or_default();
            if name == code { code } else { cells::escaped(&format!("{name} {code}")) }
        }
        Kind::Officers => officers(found),
        Kind::Json if found.as_array().is_some_and(Vec::is_empty) => String::new(),
        Kind::Json => found.to_string(),
    }
}

/// As people in Beijing write it, as far as nothing is lost.
fn time(text: &str) -> String {
    let plain = text.strip_suffix("+08:00").unwrap_or(text).replace('T', " ");
    let plain = plain.strip_suffix(".000").unwrap_or(&plain);
    plain.strip_suffix(":00").filter(|rest| rest.len() == 16).unwrap_or(plain).to_owned()
}

fn officers(list: &Value) -> String {
    let all = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let one = |officer: &Value| {
        let text = |key| officer.get(key).and_then(Value::as_str).unwrap_or_default();
        let (cert, unit) = (text("cert_no"), text("org_zh"));
        let plain = !unit.is_empty() && !unit.contains([';', '；']) && unit.trim() == unit;
        plain.then(|| format!("{cert} {unit}"))
    };
    let plain: Option<Vec<String>> = all.iter().map(one).collect();
    match plain {
        Some(plain) => cells::escaped(&plain.join("；")),
        None => list.to_string(),
    }
}

/// What several campaigns are called, in one line; a number where the catalogue has no word.
#[must_use]
pub fn campaigns(items: &[pb::CatalogItem], numbers: &[u32], lang: Lang) -> String {
    let words = numbers.iter().map(|number| campaign(items, *number, lang));
    words.collect::<Vec<_>>().join(lang.pick("；", "; "))
}

/// What one is called.
#[must_use]
pub fn campaign(items: &[pb::CatalogItem], number: u32, lang: Lang) -> String {
    let item = items.iter().find(|one| u32::try_from(one.number) == Ok(number));
    item.map_or_else(
        || lang.pick(format!("第 {number} 号"), format!("no. {number}")),
        |one| clean(lang.pick(&one.word_zh, &one.word_en)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_only_in_the_history_is_added_up_page_by_page() {
        let entry = |city, held: bool, day| pb::HistoryEntry {
            city,
            holdings: if held { vec![pb::Holding::default()] } else { vec![] },
            effective_on: Some(pb::Date { year: 2026, month: 8, day }),
            ..Default::default()
        };
        let page = |entries| pb::GetCaseHistoryResponse { entries, ..Default::default() };
        let mut beside = Beside::default();
        beside.take(&page(vec![entry(1, true, 3), entry(1, false, 4)]), 1);
        beside.take(&page(vec![entry(1, false, 5), entry(2, false, 6)]), 1);
        assert_eq!(beside.only_here, 2);
        assert_eq!(beside.reported_on.map(|one| one.day), Some(3));
    }
}
