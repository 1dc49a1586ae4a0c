//! `liandong unit slots`: the earliest windows in which all cities can come, and why not earlier.

use clap::Args;
use serde_json::{Value, json};

use super::busy::days;
use super::{parse_department, parse_kind, shape};
use crate::cli::case::{Session, name};
use crate::cli::failure::{Exit, Failure};
use crate::cli::names::Names;
use crate::cli::{table, when, words};
use crate::domain::Language;
use crate::ids::CityCode;
use crate::lang::Lang;
use crate::shown::plan::parts::{in_shifts, period_text};
use crate::wire::pb::v1 as pb;
use crate::wire::unit::{cause_from_pb, half_day_from_pb, period_from_pb};

/// Arguments of a search.
#[derive(Args, Debug)]
pub struct SlotsArgs {
    /// 联动协议（只有一个时可省） · the agreement; may be left out if there is only one
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 某市须出动的力量，可重复：371500:执法人员=2，371500:执法人员/水利=1，或只写 371500 · what a city
    /// brings, may be repeated
    #[arg(long, required = true, value_name = "CODE:KIND=COUNT", value_parser = parse_need)]
    pub need: Vec<Need>,
    /// 时长，半天数 · length in half days
    #[arg(long, required_unless_present = "days", conflicts_with = "days")]
    pub half_days: Option<u32>,
    /// 时长，整天数 · length in whole days
    #[arg(long)]
    pub days: Option<u32>,
    /// 从哪天起（默认今天） · first day, today when absent
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub from: Option<pb::Date>,
    /// 到哪天（默认两周，最多 92 天） · last day, two weeks when absent, 92 days at most
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub until: Option<pb::Date>,
    /// 可用休息日（加班） · rest days will do
    #[arg(long)]
    pub overtime: bool,
    /// 各市全程由同一批人员装备参加；不加时各半天可以换班 · the same units all along; without it others
    /// may come each half day
    #[arg(long)]
    pub same_units: bool,
    /// 最多列出几个 · at most so many
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(i32).range(1..=10))]
    pub count: i32,
    /// 要改期的方案：它已占用的力量视为空闲 · a plan that is to be moved: what it has booked is free
    #[arg(long, value_name = "PLAN")]
    pub moving: Option<String>,
}

/// One line of what a city brings.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    city: CityCode,
    what: Option<pb::UnitNeed>,
}

fn parse_need(text: &str) -> Result<Need, String> {
    let bad = || {
        format!(
            "“{text}” 应如 371500:执法人员=2 或 371500:执法人员/水利=1 · such as 371500:officer=2"
        )
    };
    let city = |code: &str| CityCode::parse(code).map_err(|_| bad());
    let Some((code, what)) = text.split_once([':', '：']) else {
        return Ok(Need { city: city(text)?, what: None });
    };
    Ok(Need { city: city(code)?, what: Some(parse_unit_need(what)?) })
}

/// Reads what is needed of a kind, such as `执法人员/水利=1`.
pub(in crate::cli) fn parse_unit_need(text: &str) -> Result<pb::UnitNeed, String> {
    let bad = || format!("“{text}” 应如 执法人员=2 或 执法人员/水利=1 · such as officer=2");
    let (what, count) = text.split_once('=').ok_or_else(bad)?;
    let (kind, department) = match what.split_once('/') {
        Some((kind, department)) => (kind, parse_department(department)?.into()),
        None => (what, 0),
    };
    let (kind, count) = (parse_kind(kind)?.into(), count.parse().map_err(|_| bad())?);
    Ok(pb::UnitNeed { kind, count, department })
}

/// What each city brings, in the order in which they were named first.
fn participants(needs: Vec<Need>) -> Vec<pb::CityNeeds> {
    let mut all: Vec<pb::CityNeeds> = Vec::new();
    for Need { city, what } in needs {
        let city = city.as_u32();
        match all.iter_mut().find(|one| one.city == city) {
            Some(one) => one.needs.extend(what),
            None => all.push(pb::CityNeeds { city, needs: what.into_iter().collect() }),
        }
    }
    all
}

/// Searches.
///
/// # Errors
/// [`Failure`] when the node refuses, or when there is no window.
pub async fn run(session: &Session, args: SlotsArgs) -> Result<(), Failure> {
    let (from, until) = days(args.from, args.until);
    let request = pb::FindSlotsRequest {
        parent: name::agreement(session, args.agreement.as_deref()).await?,
        participants: participants(args.need),
        half_days: args.half_days.unwrap_or_default(),
        days: args.days.unwrap_or_default(),
        from,
        until,
        overtime: args.overtime,
        same_units: args.same_units,
        slots_max: args.count,
        moving: match &args.moving {
            Some(given) => crate::cli::plan::name(session, given).await?,
            None => String::new(),
        },
    };
    let answer = session.client.units().find_slots(request).await;
    let found = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    let lang = session.context.lang;
    if session.context.json {
        session.context.print_json(&json!({
            "slots": found.slots.iter().map(slot).collect::<Vec<_>>(),
            "hindrances": found.hindrances.iter().map(hindrance).collect::<Vec<_>>(),
            "hindrances_are_partial": found.hindrances_are_partial,
            "cursor": found.cursor,
        }));
    } else {
        print!("{}", text(&found, &session.names, lang));
    }
    match found.slots.is_empty() {
        false => Ok(()),
        // All is said already.
        true => Err(Failure::new(Exit::Attention, "NO_SLOT", "")),
    }
}

fn slot(slot: &pb::Slot) -> Value {
    let in_shifts: Vec<_> = slot.in_shifts.iter().map(|one| crate::cli::json::city(*one)).collect();
    json!({
        "period": slot.period.as_ref().map(shape::period),
        "provisional": slot.provisional,
        "rest_days": slot.rest_days.iter().map(|day| when::date(Some(day))).collect::<Vec<_>>(),
        "in_shifts": in_shifts,
    })
}

fn hindrance(one: &pb::SlotHindrance) -> Value {
    let kind = (one.unit_kind != 0).then(|| shape::kind(one.unit_kind()));
    json!({
        "begins": one.begins.as_ref().map(shape::period),
        "kind": words::short(one.kind().as_str_name(), "SLOT_HINDRANCE_KIND_"),
        "at": one.at.as_ref().map(shape::half_day),
        "city": (one.city != 0).then(|| crate::cli::json::city(one.city)),
        "unit_kind": kind,
        "department": shape::department(one.department()),
        "missing": one.missing,
    })
}

fn text(found: &pb::FindSlotsResponse, names: &Names, lang: Lang) -> String {
    let mut out = String::new();
    if found.slots.is_empty() {
        out.push_str(lang.pick("查询时段内没有各市都能参加的时间\n", "no window was found\n"));
    } else {
        let mut lines = table::table(&lang.pick(["可行时段", "说明"], ["window", "note"]));
        for slot in &found.slots {
            lines.add_row([period_text(slot.period.as_ref(), lang), note(slot, names, lang)]);
        }
        out.push_str(&format!("{lines}\n"));
    }
    if !found.hindrances.is_empty() {
        out.push_str(lang.pick("更早不行的原因：\n", "why not earlier:\n"));
    }
    for one in &found.hindrances {
        out.push_str(&why(one, names, lang));
    }
    if found.hindrances_are_partial {
        out.push_str(lang.pick("……\n", "...\n"));
    }
    out
}

/// What is to be known of a window.
fn note(slot: &pb::Slot, names: &Names, lang: Lang) -> String {
    let mut notes = Vec::new();
    if slot.provisional {
        notes.push(
            lang.pick("暂定：节假日安排尚未公布", "provisional: holidays are not announced yet")
                .to_owned(),
        );
    }
    if !slot.rest_days.is_empty() {
        let days: Vec<String> = slot.rest_days.iter().map(|day| when::date(Some(day))).collect();
        let days = days.join(lang.pick("、", ", "));
        notes.push(lang.pick(format!("休息日加班：{days}"), format!("rest days: {days}")));
    }
    notes.extend(in_shifts(slot, names, lang));
    notes.join(lang.pick("；", "; "))
}

/// One line: where a window would begin, and what stands against it.
fn why(one: &pb::SlotHindrance, names: &Names, lang: Lang) -> String {
    let language = lang.pick(Language::Zh, Language::En);
    let begins = period_text(one.begins.as_ref(), lang);
    let cause = cause_from_pb(one)
        .map(|cause| cause.explain(language, &|city: CityCode| names.city(city.as_u32())));
    let cause = cause.unwrap_or_else(|| words::slot_hindrance(one.kind(), lang).to_owned());
    let first = one.begins.as_ref().and_then(period_from_pb).map(|begins| begins.first());
    let at = one.at.as_ref().and_then(half_day_from_pb).filter(|at| first != Some(*at));
    let at = at.map(|at| at.text(language));
    match (at, lang) {
        (None, Lang::Zh) => format!("  {begins}：{cause}\n"),
        (Some(at), Lang::Zh) => format!("  {begins} 开始：{at}{cause}\n"),
        (None, Lang::En) => format!("  {begins}: {cause}\n"),
        (Some(at), Lang::En) => format!("  from {begins}: at {at} {cause}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::unit::{half_day_to_pb, period_to_pb};

    #[test]
    fn what_a_city_brings_is_read() {
        let city = CityCode::parse("371500").unwrap();
        let of = |kind: pb::UnitKind, count, department: i32| Need {
            city,
            what: Some(pb::UnitNeed { kind: kind.into(), count, department }),
        };
        let water = pb::Department::Water.into();
        for (text, want) in [
            ("371500:执法人员=2", of(pb::UnitKind::Officer, 2, 0)),
            ("371500：officer=2", of(pb::UnitKind::Officer, 2, 0)),
            ("371500:OFFICER/水利=1", of(pb::UnitKind::Officer, 1, water)),
            ("371500:uav=1", of(pb::UnitKind::Uav, 1, 0)),
            ("371500", Need { city, what: None }),
        ] {
            assert_eq!(parse_need(text).unwrap(), want, "{text}");
        }
        for bad in ["", "3715", "371500:", "371500:执法人员", "371500:人=2", "371500:uav=-1"] {
            assert!(parse_need(bad).is_err(), "{bad}");
        }
        let two = [parse_need("371500:uav=1").unwrap(), parse_need("371500:boat=1").unwrap()];
        let all = participants(two.to_vec());
        assert_eq!((all.len(), all[0].needs.len()), (1, 2));
    }

    #[test]
    fn windows_and_reasons_are_told_as_people_say_them() {
        let period = |text: &str| Some(period_to_pb(text.parse().unwrap()));
        let at = |text: &str| Some(half_day_to_pb(text.parse().unwrap()));
        let day = |year, month, day| pb::Date { year, month, day };
        let short = pb::SlotHindrance {
            begins: period("2026-07-03上午"),
            kind: pb::SlotHindranceKind::UnitsMissing.into(),
            at: at("2026-07-03上午"),
            city: 130_400,
            unit_kind: pb::UnitKind::Officer.into(),
            missing: 2,
            ..Default::default()
        };
        let found = pb::FindSlotsResponse {
            slots: vec![
                pb::Slot {
                    period: period("2026-07-06"),
                    in_shifts: vec![371_500],
                    ..Default::default()
                },
                pb::Slot {
                    period: period("2027-01-02 至 2027-01-03"),
                    provisional: true,
                    rest_days: vec![day(2026, 12, 31)],
                    ..Default::default()
                },
            ],
            hindrances: vec![
                short,
                pb::SlotHindrance {
                    begins: period("2026-07-03下午"),
                    kind: pb::SlotHindranceKind::RestDay.into(),
                    at: at("2026-07-04上午"),
                    ..Default::default()
                },
                pb::SlotHindrance {
                    begins: period("2026-07-05"),
                    kind: pb::SlotHindranceKind::CityBusy.into(),
                    at: at("2026-07-05上午"),
                    city: 371_500,
                    ..Default::default()
                },
                pb::SlotHindrance { department: pb::Department::Water.into(), ..short },
            ],
            ..Default::default()
        };
        let said = text(&found, &Names::new(Lang::Zh), Lang::Zh);
        let shown = "\
| 可行时段                         | 说明                                             |
|----------------------------------|--------------------------------------------------|
| 2026-07-06                       | 聊城须换班（各半天派出的人员装备不同）           |
| 2027-01-02上午 至 2027-01-03下午 | 暂定：节假日安排尚未公布；休息日加班：2026-12-31 |
更早不行的原因：
  2026-07-03上午：邯郸缺执法人员2名
  2026-07-03下午 开始：2026-07-04上午为休息日
  2026-07-05：聊城全市无法安排
  2026-07-03上午：邯郸缺水利执法人员2名
";
        assert_eq!(said, shown);
    }
}
