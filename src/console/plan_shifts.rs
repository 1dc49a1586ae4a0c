//! Who of the own city comes on part of the days of a plan only, in the forms that send units: a
//! line each in one field, since a choice for every unit and half day would fill pages.
//!
//! In scope: the field, what is read out of it. Out of scope: whether a unit is free then, which
//! the service decides.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::ending::No;
use super::form::Form;
use super::layout::Desk;
use super::parts::Filled;
use super::refusal::Refusal;
use crate::domain::{Language, Period};
use crate::lang::Lang;
use crate::shown::plan::Labels;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;
use crate::wire::unit::half_day_from_pb;

/// The field.
const FIELD: &str = "shifts";

/// How much of a unit's id is enough to name it, in characters.
const ID_LEAST: usize = 4;

/// Which half days units come on, by their names; the others come on all.
pub type Shifts = BTreeMap<String, Period>;

/// The field, for a plan of more than one half day; `now` is what [`told`] says.
pub fn field<'a>(of: &Filled<'a>, plan: &pb::Plan, now: &'a str) -> Markup {
    let lang = of.lang;
    html! {
        @if plan.days.len() > 1 {
            (of.paragraph(FIELD, lang.pick(
                "只参加部分时间的，每行一个，如 37150099001 2026-12-08上午 至 2026-12-08下午（不写的全程参加）",
                "who comes on part of the days, one a line, such as 37150099001 2026-12-08上午 \
                 (the others come on all)"), now))
        }
    }
}

/// What the field says of what is sent by now.
pub fn told(
    sent: Option<&pb::SentDraft>,
    plan: &pb::Plan,
    (labels, lang): (&Labels, Lang),
) -> String {
    let ends = plan.days.first().zip(plan.days.last());
    let Some((first, last)) = ends.and_then(|(first, last)| first.at.zip(last.at)) else {
        return String::new();
    };
    let line = |one: &pb::UnitDraft| {
        let is_part = one.first.is_some() || one.last.is_some();
        let first = half_day_from_pb(&one.first.unwrap_or(first))?;
        let last = half_day_from_pb(&one.last.unwrap_or(last))?;
        let period = Period::new(first, last).ok().filter(|_| is_part)?;
        let period = period.text(lang.pick(Language::Zh, Language::En));
        Some(format!("{} {period}", labels.label(&one.unit)))
    };
    let lines: Vec<String> =
        sent.into_iter().flat_map(|sent| &sent.units).filter_map(line).collect();
    lines.join("\n")
}

/// What was typed; `None` where the form had no such field.
///
/// # Errors
/// A line that is not a unit and a period, or names none of those that are ticked, or one twice.
pub async fn read(desk: &Desk, form: &Form) -> Result<Option<Shifts>, No> {
    let lang = desk.lang();
    if !form.names().any(|name| name == FIELD) {
        return Ok(None);
    }
    let lines = lines(form, lang)?;
    let mut ticked = Vec::new();
    for unit in form.all("sent").filter(|_| !lines.is_empty()) {
        let request = pb::GetUnitRequest { name: unit.to_owned() };
        let found = desk.client.units().get_unit(request).await?.into_inner().unit;
        let record = found.and_then(|unit| unit.record).unwrap_or_default();
        ticked.push((unit.to_owned(), clean(&record.number)));
    }
    Ok(Some(shifts(&lines, &ticked, lang)?))
}

/// The lines that say something: who, and when.
fn lines(form: &Form, lang: Lang) -> Result<Vec<(&str, Period)>, Refusal> {
    let lines = form.text(FIELD).lines().map(str::trim).filter(|line| !line.is_empty());
    let read = |line| {
        let parts: Option<(&str, &str)> = str::split_once(line, [' ', '\t', '　', '@']);
        let read = parts.and_then(|(unit, period)| Some((unit, period.trim().parse().ok()?)));
        read.ok_or_else(|| {
            let line = clean(line);
            let what = lang.pick(
                format!("“{line}”应为证号或牌号，空格，再写时间段，如 2026-12-08上午"),
                format!("“{line}” is no number of a unit, a space and a period"),
            );
            Refusal::field(FIELD, what)
        })
    };
    lines.map(read).collect()
}

/// Which of the ticked units each line is about.
fn shifts(
    lines: &[(&str, Period)],
    ticked: &[(String, String)],
    lang: Lang,
) -> Result<Shifts, Refusal> {
    let mut shifts = Shifts::new();
    for (who, period) in lines {
        let id = |name: &str| name.rsplit('/').next().is_some_and(|id| id.starts_with(who));
        let is_id = |name: &str| who.len() >= ID_LEAST && id(name);
        let by_number = ticked.iter().find(|(_, number)| number == who);
        let found = by_number.or_else(|| ticked.iter().find(|(name, _)| is_id(name)));
        let who = clean(who);
        let Some((name, _)) = found else {
            let what = lang.pick(
                format!("“{who}”未在派出力量中勾选"),
                format!("“{who}” is not ticked among those who are sent"),
            );
            return Err(Refusal::field(FIELD, what));
        };
        if shifts.insert(name.clone(), *period).is_some() {
            let what = lang.pick(
                format!("“{who}”写了两次，连续时间请合并为一行"),
                format!("“{who}” is there twice; a unit comes for one period"),
            );
            return Err(Refusal::field(FIELD, what));
        }
    }
    Ok(shifts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::unit::half_day_to_pb;

    #[test]
    fn a_line_is_about_one_ticked_unit() {
        let ticked = [("a/u/7f31aa", "37150099001"), ("a/u/8e02bb", "鲁P12345")];
        let ticked = ticked.map(|(name, number)| (name.to_owned(), number.to_owned()));
        let all = |text: &str| {
            let form = Form::of(vec![(FIELD.to_owned(), text.to_owned())]);
            let lines = lines(&form, Lang::Zh)?;
            shifts(&lines, &ticked, Lang::Zh)
        };
        let read =
            all("37150099001 2026-12-08上午\r\n\n 8e02　2026-12-08 至 2026-12-09 \n").unwrap();
        let period = |text: &str| text.parse::<Period>().unwrap();
        let want = [
            ("a/u/7f31aa".to_owned(), period("2026-12-08上午")),
            ("a/u/8e02bb".to_owned(), period("2026-12-08 至 2026-12-09")),
        ];
        assert_eq!(read, want.into());
        for (text, says) in [
            ("37150099001", "应为证号"),
            ("37150099001 明天", "应为证号"),
            ("37150099009 2026-12-08", "未在派出力量中勾选"),
            ("8 2026-12-08", "未在派出力量中勾选"),
            ("8e02 2026-12-08\n鲁P12345 2026-12-09", "写了两次"),
        ] {
            let refused = all(text).unwrap_err();
            assert!(refused.at(FIELD).unwrap().contains(says), "{text}: {refused:?}");
        }
        assert!(all("").unwrap().is_empty());
    }

    #[test]
    fn what_is_sent_is_told_as_it_is_typed() {
        let half = |text: &str| half_day_to_pb(text.parse().unwrap());
        let day = |text: &str| pb::PlanDay { at: Some(half(text)), overtime: false };
        let plan = pb::Plan {
            days: vec![day("2026-12-08上午"), day("2026-12-09下午")],
            ..Default::default()
        };
        let unit = |unit: &str, first, last| pb::UnitDraft { unit: unit.to_owned(), first, last };
        let sent = pb::SentDraft {
            units: vec![
                unit("a/u/7f31aa00", Some(half("2026-12-09上午")), None),
                unit("a/u/8e02bb00", None, None),
            ],
            ..Default::default()
        };
        let said = told(Some(&sent), &plan, (&Labels::default(), Lang::Zh));
        let lines = Form::of(vec![(FIELD.to_owned(), said.clone())]);
        let lines = lines_of(&lines);
        assert_eq!(lines.len(), 1, "{said}");
        let ticked = [("a/u/7f31aa00".to_owned(), String::new())];
        let read = shifts(&lines, &ticked, Lang::Zh).unwrap();
        assert_eq!(read.get("a/u/7f31aa00"), Some(&"2026-12-09".parse().unwrap()));
        assert_eq!(told(None, &plan, (&Labels::default(), Lang::Zh)), "");
    }

    fn lines_of(form: &Form) -> Vec<(&str, Period)> {
        lines(form, Lang::Zh).unwrap()
    }
}
