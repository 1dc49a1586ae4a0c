//! What a correction changes: from a case to the fields of its page, and from these to the case
//! afterwards.
//!
//! A field counts as changed when it says something else than where the page was filled in from.
//! Everything else stays as it is by then, also what has no field, or what a colleague wrote
//! meanwhile.
//!
//! Invariants:
//! 1. What was not changed on the page is sent as it stands, whatever the page has no field for.
//!    (`what_is_not_touched_stays_as_it_is_whatever_it_is`)
//! 2. A page that is sent again after a colleague's takes nothing of that back unless it says so.
//!    (`an_old_page_shows_both_versions_and_takes_nothing_of_a_colleague_back`)
//!
//! In scope: that comparison. Out of scope: the fields themselves ([`super::case_fields`]).

use super::case_fields::{self as fields, BASES, CRS, OFFICERS, POLLUTANTS};
use super::form::Form;
use super::refusal::{Refusal, is_within};
use crate::lang::Lang;
use crate::shown::when;
use crate::wire::pb::v1 as pb;

/// What is changed as one, lists as a whole.
const UNITS: [&str; 35] = [
    "facts.source",
    "facts.medium",
    "facts.violation",
    "facts.county_code",
    "facts.discover_time_ms",
    "facts.occurred_from",
    "facts.occurred_to",
    "facts.data_level",
    "record.title",
    "record.summary",
    "record.location.longitude",
    "record.location.latitude",
    "record.location.address",
    "record.party.type",
    "record.party.name",
    "record.party.uscc",
    "record.party.masked_name",
    "record.party.industry_code",
    "record.party.positive_list",
    "record.party.permit_number",
    "record.pollutants",
    "record.legal_bases",
    "record.officers",
    "record.case_file_number",
    "record.penalty.kinds",
    "record.penalty.fine_fen",
    "record.penalty.proposed",
    "record.penalty.decision_number",
    "record.belt_reason",
    "record.law_choice",
    "reviewed",
    "person.name",
    "person.id_number",
    "person.phone",
    "person.address",
];

/// Says that the form has its boxes: of those that are not ticked a browser sends nothing.
pub const BOXES: &str = "boxes";

/// Fields that are boxes.
const TICKED: [&str; 5] = [
    "record.party.positive_list",
    "record.penalty.kinds",
    "record.penalty.proposed",
    "reviewed.legal",
    "reviewed.technical",
];

/// The fields of a case as it stands.
#[must_use]
pub fn of(case: &pb::Case) -> Form {
    let mut pairs = Vec::new();
    facts(&mut pairs, &case.facts.clone().unwrap_or_default());
    record(&mut pairs, &case.record.clone().unwrap_or_default());
    let person = case.person.clone().unwrap_or_default();
    put(&mut pairs, "person.name", person.name);
    put(&mut pairs, "person.id_number", person.id_number);
    put(&mut pairs, "person.phone", person.phone);
    put(&mut pairs, "person.address", person.address);
    Form::of(pairs)
}

type Pairs = Vec<(String, String)>;

fn put(pairs: &mut Pairs, name: impl Into<String>, value: impl Into<String>) {
    let value = value.into();
    if !value.is_empty() {
        pairs.push((name.into(), value));
    }
}

/// A number, of which 0 says nothing.
fn number(number: impl Into<i64>) -> String {
    let number = number.into();
    if number == 0 { String::new() } else { number.to_string() }
}

fn facts(pairs: &mut Pairs, facts: &pb::CaseFacts) {
    let found = when::rfc3339(Some(&when::from_millis(facts.discover_time_ms)));
    // As browsers write it: no offset, and no seconds where there are none.
    let found = found.trim_end_matches("+08:00");
    let found = found.strip_suffix(".000").unwrap_or(found);
    let found = found.strip_suffix(":00").filter(|one| one.len() == 16).unwrap_or(found);
    put(pairs, "facts.source", number(facts.source));
    put(pairs, "facts.medium", number(facts.medium));
    put(pairs, "facts.violation", number(facts.violation));
    put(pairs, "facts.county_code", number(facts.county_code));
    put(pairs, "facts.discover_time_ms", found);
    put(pairs, "facts.occurred_from", when::date(facts.occurred_from.as_ref()));
    put(pairs, "facts.occurred_to", when::date(facts.occurred_to.as_ref()));
    put(pairs, "facts.data_level", number(facts.data_level));
}

fn record(pairs: &mut Pairs, record: &pb::CaseRecord) {
    let (at, party) =
        (record.location.clone().unwrap_or_default(), record.party.clone().unwrap_or_default());
    let penalty = record.penalty.clone().unwrap_or_default();
    let ticked = |on: bool| if on { "1" } else { "" };
    put(pairs, "record.title", &record.title);
    put(pairs, "record.summary", &record.summary);
    put(pairs, "record.location.longitude", at.longitude);
    put(pairs, "record.location.latitude", at.latitude);
    put(pairs, "record.location.address", at.address);
    put(pairs, "record.party.type", number(party.r#type));
    put(pairs, "record.party.name", party.name);
    put(pairs, "record.party.uscc", party.uscc);
    put(pairs, "record.party.masked_name", party.masked_name);
    put(pairs, "record.party.industry_code", party.industry_code);
    put(pairs, "record.party.positive_list", ticked(party.positive_list));
    put(pairs, "record.party.permit_number", party.permit_number);
    rows(pairs, record);
    put(pairs, "record.case_file_number", &record.case_file_number);
    for kind in &penalty.kinds {
        put(pairs, "record.penalty.kinds", number(*kind));
    }
    if penalty.fine_fen != 0 {
        let (yuan, fen) = (penalty.fine_fen / 100, penalty.fine_fen % 100);
        put(pairs, "record.penalty.fine_fen", format!("{yuan}.{fen:02}").trim_end_matches(".00"));
    }
    put(pairs, "record.penalty.proposed", ticked(penalty.proposed));
    put(pairs, "record.penalty.decision_number", penalty.decision_number);
    put(pairs, "record.belt_reason", &record.belt_reason);
    put(pairs, "record.law_choice", &record.law_choice);
    for one in &record.evidence {
        put(pairs, "reviewed.legal", if one.reviewed_legal { &*one.id } else { "" });
        put(pairs, "reviewed.technical", if one.reviewed_technical { &*one.id } else { "" });
    }
}

fn rows(pairs: &mut Pairs, record: &pb::CaseRecord) {
    for (row, one) in record.pollutants.iter().enumerate() {
        let mut put = |field, value: &str| put(pairs, POLLUTANTS.field(row, field), value);
        put("code", &one.code);
        put("value", &one.value);
        put("unit", &one.unit);
        put("limit", &one.limit);
        put("statistic", &number(one.statistic));
        put("exceed_multiple", &one.exceed_multiple);
    }
    for (row, one) in record.officers.iter().enumerate() {
        put(pairs, OFFICERS.field(row, "certificate_number"), &one.certificate_number);
        put(pairs, OFFICERS.field(row, "unit"), &one.unit);
    }
    for (row, one) in record.legal_bases.iter().enumerate() {
        let mut put = |field, value: &str| put(pairs, BASES.field(row, field), value);
        put("law", &one.law);
        put("article", &one.article);
        put("item", &number(one.item));
        put("effective_from", &when::date(one.effective_from.as_ref()));
        put("effective_to", &when::date(one.effective_to.as_ref()));
    }
}

/// What was typed over a case.
pub struct Change {
    base: Form,
    /// What was typed, and what stood there where nothing was sent.
    form: Form,
}

/// Moves those fields of one message into another that were changed.
macro_rules! take {
    ($change:expr, $from:ident => $to:ident, $part:literal: $($field:ident)*) => {$(
        if $change.is_changed(concat!($part, ".", stringify!($field))) {
            $to.$field = $from.$field;
        }
    )*};
}

impl Change {
    /// Of a form that was filled in from this version of a case.
    #[must_use]
    pub fn new(base: &pb::Case, typed: &Form) -> Self {
        let base = of(base);
        let has_boxes = !typed.text(BOXES).is_empty();
        let is_sent = |name: &str| {
            typed.names().any(|one| one == name) || has_boxes && TICKED.contains(&name)
        };
        let kept = base.pairs().filter(|(name, _)| !is_sent(name));
        let kept = kept.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let form = Form::of(typed.fields().chain(kept).collect());
        Self { base, form }
    }

    /// Whether anything of a part was changed.
    fn is_changed(&self, part: &str) -> bool {
        let of = |form: &Form| {
            // Browsers end lines in two characters.
            let all = form.pairs().filter(|(name, _)| is_within(name, part));
            let mut all: Vec<_> =
                all.map(|(name, value)| (name.to_owned(), value.replace("\r\n", "\n"))).collect();
            all.sort();
            all
        };
        of(&self.base) != of(&self.form)
    }

    /// Whether anything was.
    #[must_use]
    pub fn is_any(&self) -> bool {
        UNITS.iter().any(|unit| self.is_changed(unit))
    }

    /// The form for another version of the case: filled in from it, but for what was changed.
    #[must_use]
    pub fn onto(&self, now: &pb::Case) -> Form {
        let changed: Vec<&str> =
            UNITS.iter().copied().filter(|unit| self.is_changed(unit)).collect();
        let is_changed = |name: &str| changed.iter().any(|unit| is_within(name, unit));
        let is_of_case = |name: &str| UNITS.iter().any(|unit| is_within(name, unit));
        let typed = self.form.fields().filter(|(name, _)| is_changed(name) || !is_of_case(name));
        let now = of(now);
        let kept = now.fields().filter(|(name, _)| !is_changed(name));
        Form::of(typed.chain(kept).collect())
    }

    /// The facts after the change; none where they stay.
    ///
    /// # Errors
    /// [`Refusal`] at a field that cannot be read.
    pub fn facts(&self, now: &pb::Case, lang: Lang) -> Result<Option<pb::CaseFacts>, Refusal> {
        if !self.is_changed("facts") {
            return Ok(None);
        }
        let typed = fields::facts(&self.form, lang)?;
        let now = now.facts.clone().unwrap_or_default();
        // What the node works out itself is left out: a request that is sent again is the same.
        let mut all = pb::CaseFacts {
            border_distances: Vec::new(),
            border_uncertain: false,
            belt_exception: false,
            has_point: typed.has_point,
            ..now
        };
        take!(self, typed => all, "facts": source medium violation county_code discover_time_ms
            occurred_from occurred_to data_level);
        Ok(Some(all))
    }

    /// The record after the change.
    ///
    /// # Errors
    /// [`Refusal`] at a field that cannot be read.
    pub fn record(&self, now: &pb::Case, lang: Lang) -> Result<pb::CaseRecord, Refusal> {
        let typed = fields::record(&self.form, lang)?;
        let mut all = now.record.clone().unwrap_or_default();
        let (at, mut place) =
            (typed.location.unwrap_or_default(), all.location.unwrap_or_default());
        take!(self, at => place, "record.location": longitude latitude address);
        let has_point = !(place.longitude.is_empty() && place.latitude.is_empty());
        place.crs = if has_point { CRS.to_owned() } else { String::new() };
        let (who, mut party) = (typed.party.unwrap_or_default(), all.party.unwrap_or_default());
        if self.is_changed("record.party.type") {
            party.r#type = who.r#type;
        }
        take!(self, who => party, "record.party": name uscc masked_name industry_code positive_list
            permit_number);
        let (what, mut penalty) =
            (typed.penalty.unwrap_or_default(), all.penalty.unwrap_or_default());
        take!(self, what => penalty, "record.penalty": kinds fine_fen proposed decision_number);
        take!(self, typed => all, "record": title summary pollutants legal_bases officers
            case_file_number belt_reason law_choice);
        for one in &mut all.evidence {
            let changed = |field: &str| {
                let has = |form: &Form| form.all(field).any(|id| id == one.id);
                Some(has(&self.form)).filter(|on| *on != has(&self.base))
            };
            let [legal, technical] = ["reviewed.legal", "reviewed.technical"].map(changed);
            one.reviewed_legal = legal.unwrap_or(one.reviewed_legal);
            one.reviewed_technical = technical.unwrap_or(one.reviewed_technical);
        }
        Ok(pb::CaseRecord {
            location: (place != pb::Location::default()).then_some(place),
            party: (party != pb::Party::default()).then_some(party),
            penalty: (penalty != pb::Penalty::default()).then_some(penalty),
            ..all
        })
    }

    /// The natural person after the change; none where that stays.
    #[must_use]
    pub fn person(&self, now: &pb::Case) -> Option<pb::PersonRecord> {
        if !self.is_changed("person") {
            return None;
        }
        let typed = fields::person(&self.form).unwrap_or_default();
        let mut all = now.person.clone().unwrap_or_default();
        take!(self, typed => all, "person": name id_number phone address);
        Some(all)
    }

    /// The case as another press would leave it; as it stands where a field cannot be read.
    #[must_use]
    pub fn made(&self, now: &pb::Case, lang: Lang) -> pb::Case {
        let facts = self.facts(now, lang).ok().flatten().or_else(|| now.facts.clone());
        let record = self.record(now, lang).ok().or_else(|| now.record.clone());
        let person = self.person(now).or_else(|| now.person.clone());
        pb::Case { facts, record, person, ..now.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> pb::Case {
        let day = |day| Some(pb::Date { year: 2026, month: 3, day });
        let evidence = |id: &str, reviewed_legal| pb::Evidence {
            id: id.to_owned(),
            reviewed_legal,
            collectors: vec!["37150099001".to_owned()],
            ..Default::default()
        };
        let record = pb::CaseRecord {
            title: "案由".to_owned(),
            summary: "一\r\n二".to_owned(),
            location: Some(pb::Location {
                longitude: "115.137564".to_owned(),
                latitude: "36.243426".to_owned(),
                crs: CRS.to_owned(),
                address: "镇".to_owned(),
            }),
            party: Some(pb::Party {
                r#type: 1,
                name: "厂".to_owned(),
                uscc: "1".to_owned(),
                positive_list: true,
                ..Default::default()
            }),
            pollutants: vec![pb::Pollutant {
                code: "a21026".to_owned(),
                value: "80".to_owned(),
                unit: "mg/m3".to_owned(),
                limit: "50".to_owned(),
                statistic: 2,
                exceed_multiple: "0.6".to_owned(),
            }],
            legal_bases: vec![pb::LegalBasis {
                law: "法".to_owned(),
                article: "99".to_owned(),
                item: 2,
                effective_from: day(1),
                effective_to: None,
            }],
            evidence: vec![evidence("E1", true), evidence("E2", false)],
            officers: vec![pb::Officer { unit: "一队".to_owned(), ..Default::default() }],
            case_file_number: "立1".to_owned(),
            penalty: Some(pb::Penalty {
                kinds: vec![3, 1],
                fine_fen: 2_000_050,
                proposed: true,
                decision_number: "罚1".to_owned(),
            }),
            belt_reason: "理由".to_owned(),
            law_choice: "从旧".to_owned(),
        };
        let facts = pb::CaseFacts {
            source: 1,
            medium: 3,
            violation: 16,
            county_code: 130_425,
            discover_time_ms: 1_795_133_109_120,
            occurred_from: day(1),
            occurred_to: day(2),
            data_level: 2,
            ..Default::default()
        };
        let person = pb::PersonRecord { name: "某".to_owned(), ..Default::default() };
        pb::Case {
            facts: Some(facts),
            record: Some(record),
            person: Some(person),
            ..Default::default()
        }
    }

    fn with_boxes(form: Form) -> Form {
        form.put(BOXES, "1")
    }

    #[test]
    fn what_is_not_touched_stays_as_it_is_whatever_it_is() {
        let case = full();
        for form in [with_boxes(of(&case)), Form::default(), of(&case).only(&["record.title"])] {
            let change = Change::new(&case, &form);
            assert!(!change.is_any());
            assert_eq!(change.record(&case, Lang::Zh).unwrap(), case.record.clone().unwrap());
            assert!(change.facts(&case, Lang::Zh).unwrap().is_none());
            assert!(change.person(&case).is_none());
        }
        // A browser ends lines in its own way.
        let form = of(&case).put("record.summary", "一\n二");
        assert!(!Change::new(&case, &form).is_any());
        // What a newer program wrote, and rows that are not all there, stay as well.
        assert_eq!(of(&case).text("facts.discover_time_ms"), "2026-11-20T08:05:09.120");
        let minute = when::from_millis(1_795_104_000_000);
        let mut facts = case.facts.clone().unwrap();
        facts.discover_time_ms = minute.seconds * 1_000;
        let round = pb::Case { facts: Some(facts), ..case };
        assert_eq!(of(&round).text("facts.discover_time_ms"), "2026-11-20T00:00");
    }

    #[test]
    fn every_field_is_changed_by_itself() {
        let case = full();
        for unit in UNITS {
            let name = match unit {
                "record.pollutants" => "record.pollutants[0].exceed_multiple",
                "record.legal_bases" => "record.legal_bases[1].law",
                "record.officers" => "record.officers[0].unit",
                "reviewed" => "reviewed.technical",
                other => other,
            };
            let value = match unit {
                "facts.discover_time_ms" => "2026-11-21T08:05",
                "facts.occurred_from" | "facts.occurred_to" => "2026-03-09",
                "reviewed" => "E2",
                "record.party.positive_list" | "record.penalty.proposed" => "",
                _ => "7",
            };
            let change = Change::new(&case, &with_boxes(of(&case).put(name, value)));
            let changed: Vec<&str> =
                UNITS.into_iter().filter(|unit| change.is_changed(unit)).collect();
            assert_eq!(changed, [unit]);
            let made = change.made(&case, Lang::Zh);
            assert_ne!(made, case, "{unit}");
            assert_eq!(of(&made).text(name), value, "{unit}");
            // Onto what a colleague wrote meanwhile it goes without taking anything back.
            let mut now = case.clone();
            let record = now.record.as_mut().unwrap();
            match unit {
                "record.title" => record.belt_reason = "新".to_owned(),
                _ => record.title = "新".to_owned(),
            }
            let again = change.onto(&now);
            let again = Change::new(&now, &again);
            assert_eq!(again.made(&now, Lang::Zh), change.made(&now, Lang::Zh), "{unit}");
            assert!(of(&again.made(&now, Lang::Zh)).pairs().any(|(_, value)| value == "新"));
        }
    }

    #[test]
    fn boxes_are_taken_back_only_by_a_form_that_has_them() {
        let case = full();
        let form = of(&case).put("reviewed.legal", "").put("record.penalty.proposed", "");
        assert!(!Change::new(&case, &form).is_any(), "nothing is said of boxes");
        let made = Change::new(&case, &with_boxes(form)).made(&case, Lang::Zh).record.unwrap();
        assert!(!made.evidence[0].reviewed_legal && !made.penalty.unwrap().proposed);
        assert_eq!(made.evidence[1], case.record.unwrap().evidence[1]);
    }
}
