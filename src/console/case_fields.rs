//! The fields of a case: what the page that opens one and the page that corrects one have in
//! common.
//!
//! Fields are called as the API's messages call them, so that a refusal finds its field.
//!
//! In scope: fields, and from fields to facts, record and person. Out of scope: what a case must
//! have, which the service says; evidence, which is sent in on the page of the case.

use maud::{Markup, html};
use tonic::Status;

use super::codes;
use super::ending::No;
use super::form::Form;
use super::layout::Desk;
use super::parts::Filled;
use super::refusal::Refusal;
use crate::domain::quantity::Fen;
use crate::lang::Lang;
use crate::limits::{CONSOLE_CASE_ROWS, LEGAL_BASES_MAX, OFFICERS_MAX, POLLUTANTS_MAX};
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;

/// The only reference system that is taken.
pub const CRS: &str = "EPSG:4490";

/// What refusals without a field are about.
pub const FIELDS: [(&str, &str); 2] =
    [("OUTSIDE_BELT", "record.belt_reason"), ("POINT_REMOVED", "record.location")];

/// The facts.
///
/// # Errors
/// [`Refusal`] at a field that cannot be read.
pub fn facts(form: &Form, lang: Lang) -> Result<pb::CaseFacts, Refusal> {
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

/// The record, but for its evidence. A row in which nothing stands is none.
///
/// # Errors
/// [`Refusal`] at a field that cannot be read.
pub fn record(form: &Form, lang: Lang) -> Result<pb::CaseRecord, Refusal> {
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
        certificate_number: OFFICERS.text(form, row, "certificate_number"),
        unit: OFFICERS.text(form, row, "unit"),
    };
    let penalty = penalty(form, lang)?;
    let bases = BASES.filled(form).into_iter().map(|row| basis(form, row, lang));
    Ok(pb::CaseRecord {
        title: text("title"),
        summary: text("summary"),
        location: (location != nowhere).then_some(location),
        party: (party != pb::Party::default()).then_some(party),
        pollutants: POLLUTANTS.filled(form).into_iter().map(|row| measured(form, row)).collect(),
        legal_bases: bases.collect::<Result<_, _>>()?,
        officers: OFFICERS.filled(form).into_iter().map(officer).collect(),
        case_file_number: text("case_file_number"),
        penalty: (penalty != pb::Penalty::default()).then_some(penalty),
        belt_reason: text("belt_reason"),
        law_choice: text("law_choice"),
        ..Default::default()
    })
}

fn measured(form: &Form, row: usize) -> pb::Pollutant {
    let text = |name: &str| POLLUTANTS.text(form, row, name);
    pb::Pollutant {
        code: text("code"),
        value: text("value"),
        unit: text("unit"),
        limit: text("limit"),
        statistic: text("statistic").parse().unwrap_or(0),
        exceed_multiple: text("exceed_multiple"),
    }
}

fn basis(form: &Form, row: usize, lang: Lang) -> Result<pb::LegalBasis, Refusal> {
    Ok(pb::LegalBasis {
        law: BASES.text(form, row, "law"),
        article: BASES.text(form, row, "article"),
        item: form.number(&BASES.field(row, "item"), lang)?,
        effective_from: form.date(&BASES.field(row, "effective_from"), lang)?,
        effective_to: form.date(&BASES.field(row, "effective_to"), lang)?,
    })
}

fn penalty(form: &Form, lang: Lang) -> Result<pb::Penalty, Refusal> {
    let fine = "record.penalty.fine_fen";
    let bad = |_| {
        let text = clean(form.text(fine));
        let what = lang.pick(
            format!("“{text}”不是金额，应如 286000 或 286000.50（元）"),
            format!("“{text}” is no amount in yuan such as 286000 or 286000.50"),
        );
        Refusal::field(fine, what)
    };
    let fine_fen = match form.text(fine) {
        "" => 0,
        text => Fen::parse_yuan(text).map_err(bad)?.as_i64(),
    };
    Ok(pb::Penalty {
        kinds: form.all("record.penalty.kinds").map(|one| one.parse().unwrap_or(0)).collect(),
        fine_fen,
        proposed: !form.text("record.penalty.proposed").is_empty(),
        decision_number: form.text("record.penalty.decision_number").to_owned(),
    })
}

/// What the service says of rows, at those of the form: it is sent none that are empty.
#[must_use]
pub fn placed(no: No, form: &Form, lang: Lang) -> No {
    let No::Said(status) = no else { return no };
    let mut refusal = Refusal::of(&status, lang);
    for (field, _) in &mut refusal.fields {
        let here = [POLLUTANTS, OFFICERS, BASES].iter().find_map(|list| {
            let (nth, rest) = list.place(field)?;
            let row = list.filled(form).get(nth).copied()?;
            Some(format!("record.{}[{row}]{rest}", list.name))
        });
        if let Some(here) = here {
            *field = here;
        }
    }
    No::Field(refusal)
}

/// A list of which the form has some rows, and more when somebody asks for them.
#[derive(Clone, Copy)]
pub struct List {
    name: &'static str,
    fields: &'static [&'static str],
    most: usize,
}

/// Measured values.
pub const POLLUTANTS: List = List {
    name: "pollutants",
    fields: &["code", "value", "unit", "limit", "statistic", "exceed_multiple"],
    most: POLLUTANTS_MAX,
};
/// Officers.
pub const OFFICERS: List =
    List { name: "officers", fields: &["certificate_number", "unit"], most: OFFICERS_MAX };
/// Legal bases.
pub const BASES: List = List {
    name: "legal_bases",
    fields: &["law", "article", "item", "effective_from", "effective_to"],
    most: LEGAL_BASES_MAX,
};

impl List {
    /// What a field of a row is called.
    #[must_use]
    pub fn field(self, row: usize, field: &str) -> String {
        format!("record.{}[{row}].{field}", self.name)
    }

    fn text(self, form: &Form, row: usize, field: &str) -> String {
        form.text(&self.field(row, field)).to_owned()
    }

    /// The row that a field's name is of, and the rest of it.
    fn place(self, name: &str) -> Option<(usize, &str)> {
        let rest = name.strip_prefix("record.")?.strip_prefix(self.name)?.strip_prefix('[')?;
        let (row, rest) = rest.split_once(']')?;
        Some((row.parse().ok()?, rest))
    }

    /// How many rows there are: those that were sent, and another one if that was asked for.
    #[must_use]
    pub fn rows(self, form: &Form) -> usize {
        let sent = form.names().filter_map(|name| self.place(name));
        let sent = sent.map(|(row, _)| row.saturating_add(1)).max().unwrap_or(0);
        let more = usize::from(form.text("more") == self.name);
        sent.max(CONSOLE_CASE_ROWS).saturating_add(more).min(self.most)
    }

    /// Rows in which something stands.
    fn filled(self, form: &Form) -> Vec<usize> {
        let says =
            |row: &usize| self.fields.iter().any(|one| !self.text(form, *row, one).is_empty());
        (0..self.rows(form)).filter(says).collect()
    }

    /// Asks for another row.
    #[must_use]
    pub fn more(self, form: &Form, lang: Lang) -> Markup {
        let label = match self.name {
            "pollutants" => lang.pick("再加一行超标情况", "Another measured value"),
            "officers" => lang.pick("再加一名执法人员", "Another officer"),
            _ => lang.pick("再加一条法律依据", "Another legal basis"),
        };
        html! {
            @if self.rows(form) < self.most {
                " " button .second name="more" value=(self.name) { (label) }
            }
        }
    }
}

/// A choice in which what stands there by now stays possible: a newer program may have written it.
fn choice(of: &Filled<'_>, name: &str, label: &str, all: &[(String, String)]) -> Markup {
    let now = of.again.map_or("", |(form, _)| form.text(name));
    let known = now.is_empty() || all.iter().any(|(value, _)| value == now);
    let other = (!known).then(|| (now.to_owned(), clean(now)));
    let all: Vec<_> = all.iter().cloned().chain(other).collect();
    of.choice(name, label, &all)
}

/// The natural person, if anything is said of one.
pub fn person(form: &Form) -> Option<pb::PersonRecord> {
    let text = |name: &str| form.text(&format!("person.{name}")).to_owned();
    let person = pb::PersonRecord {
        name: text("name"),
        id_number: text("id_number"),
        phone: text("phone"),
        address: text("address"),
    };
    (person != pb::PersonRecord::default()).then_some(person)
}

/// What it is.
///
/// # Errors
/// The service's refusal to say what there is to choose from.
pub async fn content(desk: &Desk, of: &Filled<'_>) -> Result<Markup, Status> {
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
            (choice(of, "facts.source", lang.pick("线索来源", "source"), &list("sources").await?))
            (choice(of, "facts.medium", lang.pick("污染要素", "medium"), &list("media").await?))
            (choice(of, "facts.violation", lang.pick("涉嫌违法行为", "suspected violation"),
                &list("violations").await?))
            (of.line("datetime-local", name, found, ""))
            (of.line("date", "facts.occurred_from",
                lang.pick("违法行为开始日期", "first day of the act"), ""))
            (of.line("date", "facts.occurred_to",
                lang.pick("违法行为结束日期（仍在继续的不填）", "last day of the act, if over"), ""))
            (choice(of, "facts.data_level", lang.pick("数据级别", "data level"), &levels))
        }
    })
}

/// Where.
///
/// # Errors
/// The service's refusal to say what there is to choose from.
pub async fn place(desk: &Desk, of: &Filled<'_>) -> Result<Markup, Status> {
    let lang = of.lang;
    let counties = codes::of(desk, "divisions").await?.into_iter();
    // Codes of provinces and cities end in two noughts.
    let counties = codes::or_none(desk, counties.filter(|(one, _)| !one.ends_with("00")).collect());
    Ok(html! {
        fieldset {
            legend { (lang.pick("地点", "Where")) }
            (choice(of, "facts.county_code", lang.pick("县（市、区）", "county"), &counties))
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

/// Who, and the natural person.
///
/// # Errors
/// The service's refusal to say what there is to choose from.
pub async fn party(desk: &Desk, of: &Filled<'_>) -> Result<Markup, Status> {
    let lang = of.lang;
    let types = codes::or_none(desk, codes::of(desk, "party-types").await?);
    let listed = [("1".to_owned(), lang.pick("在正面清单内", "on the positive list").to_owned())];
    Ok(html! {
        fieldset {
            legend { (lang.pick("当事人", "Party")) }
            (choice(of, "record.party.type", lang.pick("类型", "kind"), &types))
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

/// Measured values.
///
/// # Errors
/// The service's refusal to say what there is to choose from.
pub async fn values(desk: &Desk, of: &Filled<'_>, rows: usize) -> Result<Markup, Status> {
    let lang = of.lang;
    let list = async |name| Ok::<_, Status>(codes::or_none(desk, codes::of(desk, name).await?));
    let (all, units, kinds) =
        (list("pollutants").await?, list("units").await?, list("statistics").await?);
    Ok(html! {
        @for row in 0..rows {
            @let name = |field: &str| POLLUTANTS.field(row, field);
            fieldset .row {
                legend { (lang.pick("超标情况 ", "Measured value ")) (row + 1) }
                (choice(of, &name("code"), lang.pick("污染物", "pollutant"), &all))
                (of.line("text", &name("value"), lang.pick("监测值", "value"), ""))
                (choice(of, &name("unit"), lang.pick("单位", "unit"), &units))
                (of.line("text", &name("limit"), lang.pick("限值", "limit"), ""))
                (choice(of, &name("statistic"), lang.pick("数据类型", "kind of value"), &kinds))
                (of.line("text", &name("exceed_multiple"),
                    lang.pick("超标倍数", "times above the limit"), ""))
            }
        }
    })
}

/// Officers and numbers, and what else a page has there.
#[must_use]
pub fn papers(of: &Filled<'_>, rows: usize, more: &Markup) -> Markup {
    let lang = of.lang;
    html! {
        fieldset {
            legend { (lang.pick("办案信息", "On the file")) }
            @for row in 0..rows {
                @let name = |field: &str| OFFICERS.field(row, field);
                div .choices {
                    (of.line("text", &name("certificate_number"),
                        lang.pick("执法证号", "officer's certificate"), ""))
                    (of.line("text", &name("unit"), lang.pick("执法队伍", "unit"), ""))
                }
            }
            (of.wrong_at("record.officers"))
            (of.line("text", "record.case_file_number", lang.pick("立案号", "file number"), ""))
            (more)
        }
    }
}

/// Legal bases, and why that text of the law was chosen.
#[must_use]
pub fn law(of: &Filled<'_>, rows: usize) -> Markup {
    let lang = of.lang;
    html! {
        @for row in 0..rows {
            @let name = |field: &str| BASES.field(row, field);
            fieldset .row {
                legend { (lang.pick("法律依据 ", "Legal basis ")) (row + 1) }
                (of.line("text", &name("law"), lang.pick("法律名称", "law"), ""))
                (of.line("text", &name("article"),
                    lang.pick("条（如 99、338-1）", "article, such as 99 or 338-1"), ""))
                (of.line("text", &name("item"), lang.pick("项（没有的不填）", "item, if any"), ""))
                (of.line("date", &name("effective_from"),
                    lang.pick("施行日期", "in force from"), ""))
                (of.line("date", &name("effective_to"),
                    lang.pick("失效日期（现行有效的不填）", "in force until, if it has ended"), ""))
            }
        }
        fieldset {
            legend { (lang.pick("法律适用", "Choice of the law")) }
            (of.wrong_at("record.legal_bases"))
            (of.text("record.law_choice", lang.pick("适用新法或旧法的理由（从旧兼从轻）",
                "why that text of the law was chosen")))
        }
    }
}

/// The penalty.
///
/// # Errors
/// The service's refusal to say what there is to choose from.
pub async fn punished(desk: &Desk, of: &Filled<'_>) -> Result<Markup, Status> {
    let lang = of.lang;
    let kinds = codes::of(desk, "penalty-kinds").await?;
    let proposed = [("1".to_owned(), lang.pick("拟作出，尚未决定", "proposed only").to_owned())];
    Ok(html! {
        fieldset {
            legend { (lang.pick("行政处罚", "Penalty")) }
            (of.choices("record.penalty.kinds", lang.pick("处罚种类", "kinds"), &kinds, &[]))
            (of.line("text", "record.penalty.fine_fen",
                lang.pick("罚款金额（元，如 286000.50）", "fine in yuan, such as 286000.50"), ""))
            (of.choices("record.penalty.proposed", lang.pick("阶段", "stage"), &proposed, &[]))
            (of.line("text", "record.penalty.decision_number",
                lang.pick("处罚决定书文号", "number of the decision"), ""))
            (of.wrong_at("record.penalty"))
        }
    })
}

/// Which evidence of the record has been reviewed (行政处罚法 art. 41).
#[must_use]
pub fn reviews(of: &Filled<'_>, evidence: &[pb::Evidence]) -> Markup {
    let lang = of.lang;
    let named = |one: &pb::Evidence| (one.id.clone(), clean(&format!("{} {}", one.id, one.title)));
    let all: Vec<_> = evidence.iter().map(named).collect();
    html! {
        @if !all.is_empty() {
            (of.choices("reviewed.legal", lang.pick("已经法制审核的证据", "reviewed by lawyers"),
                &all, &[]))
            (of.choices("reviewed.technical",
                lang.pick("已经技术审核的证据", "reviewed by engineers"), &all, &[]))
            (of.wrong_at("record.evidence"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_row_stands_at_the_row_that_was_filled_in() {
        let form = "record.officers[1].unit=a&record.title= t &record.pollutants[0].unit=";
        let form = Form::parse(form.as_bytes());
        let read = record(&form, Lang::Zh).unwrap();
        assert_eq!((read.title.as_str(), read.officers.len()), ("t", 1), "an empty row is none");
        assert!(read.pollutants.is_empty() && read.party.is_none() && read.location.is_none());
        assert!(read.legal_bases.is_empty() && read.penalty.is_none());
        assert!(person(&Form::default()).is_none());
        let wrong = crate::domain::InvalidReason::Required;
        let refused = crate::wire::case::wrong("record.officers[0].unit", wrong);
        let no = No::Said(refused.status(crate::domain::Language::Zh));
        let refusal = placed(no, &form, Lang::Zh).refusal(Lang::Zh);
        assert_eq!(refusal.fields[0].0, "record.officers[1].unit");
    }

    #[test]
    fn amounts_and_days_that_cannot_be_are_told_at_their_field() {
        for (field, value) in [
            ("record.penalty.fine_fen", "二万"),
            ("record.penalty.fine_fen", "1.005"),
            ("record.legal_bases[1].item", "x"),
            ("record.legal_bases[1].effective_to", "2026-02-30"),
        ] {
            let form = Form::of(vec![(field.to_owned(), value.to_owned())]);
            let refusal = record(&form, Lang::Zh).unwrap_err();
            assert!(refusal.at(field).is_some(), "{field}: {refusal:?}");
        }
        let form = Form::parse(b"record.penalty.kinds=3&record.penalty.fine_fen=20000.5");
        let penalty = record(&form, Lang::Zh).unwrap().penalty.unwrap();
        assert_eq!((penalty.kinds, penalty.fine_fen), (vec![3], 2_000_050));
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
