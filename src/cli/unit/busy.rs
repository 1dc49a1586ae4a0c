//! `liandong unit busy`: free and busy by city, and import of a calendar.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{import, shape};
use crate::cli::case::{Session, name};
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::{table, when, words};
use crate::domain::{Date, HalfDay, Language, Period};
use crate::ids::CityCode;
use crate::lang::Lang;
use crate::shown::plan::parts::period_text;
use crate::shown::unit::free;
use crate::wire::pb::v1 as pb;
use crate::wire::unit::half_day_from_pb;

/// Days shown when nobody has said until when.
const DAYS: i64 = 14;

/// `liandong unit busy`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BusyArgs {
    /// What else can be done.
    #[command(subcommand)]
    pub command: Option<BusyCommand>,
    /// What is shown.
    #[command(flatten)]
    pub shown: ShownArgs,
}

/// What else can be done.
#[derive(Subcommand, Debug)]
pub enum BusyCommand {
    /// 从日历文件（.ics）导入占用时段，事由不发出 · import busy times of an .ics file, no titles
    Import(Box<import::ImportArgs>),
}

/// Arguments of a table.
#[derive(Args, Debug)]
pub struct ShownArgs {
    /// 联动协议（只有一个时可省） · the agreement; may be left out if there is only one
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 只看此市，可重复；只看一市时列出各项占用 · only this city; alone, with its units
    #[arg(long, value_name = "CODE", value_parser = CityCode::parse)]
    pub city: Vec<CityCode>,
    /// 从哪天起（默认今天） · first day, today when absent
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub from: Option<pb::Date>,
    /// 到哪天（默认两周，最多 92 天） · last day, two weeks when absent, 92 days at most
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub until: Option<pb::Date>,
}

/// Shows free and busy, or imports.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn run(session: &Session, args: BusyArgs) -> Result<(), Failure> {
    if let Some(BusyCommand::Import(args)) = args.command {
        return import::run(session, *args).await;
    }
    let (from, until) = days(args.shown.from, args.shown.until);
    let request = pb::QueryFreeBusyRequest {
        parent: name::agreement(session, args.shown.agreement.as_deref()).await?,
        cities: args.shown.city.iter().map(|city| city.as_u32()).collect(),
        from,
        until,
    };
    let answer = session.client.units().query_free_busy(request).await;
    let found = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    if session.context.json {
        session.context.print_json(&json!({
            "cities": found.cities.iter().map(city).collect::<Vec<_>>(),
            "units": found.units.iter().map(unit).collect::<Vec<_>>(),
            "units_are_partial": found.units_are_partial,
            "cursor": found.cursor,
        }));
    } else {
        print!("{}", text(&found, &session.names, session.context.lang));
    }
    Ok(())
}

/// The days given, or the next two weeks.
pub(super) fn days(
    from: Option<pb::Date>,
    until: Option<pb::Date>,
) -> (Option<pb::Date>, Option<pb::Date>) {
    let date = |given: &pb::Date| -> Option<Date> {
        let (month, day) = (u8::try_from(given.month).ok()?, u8::try_from(given.day).ok()?);
        Date::new(given.year, month, day).ok()
    };
    let first = from.as_ref().and_then(date).or_else(|| Date::beijing(now_ms()));
    let last = until.or_else(|| first.and_then(|first| first.plus_days(DAYS - 1)).map(date_out));
    (first.map(date_out), last)
}

fn date_out(date: Date) -> pb::Date {
    pb::Date { year: date.year(), month: date.month().into(), day: date.day().into() }
}

/// This machine's clock, milliseconds since 1970-01-01 UTC.
pub(super) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn city(city: &pb::CityFreeBusy) -> Value {
    let count = |one: &pb::KindCount| {
        let kind = shape::kind(one.kind());
        json!({ "kind": kind, "valid": one.valid, "busy": one.busy })
    };
    let half_day = |one: &pb::HalfDayCounts| {
        json!({
            "at": one.at.as_ref().map(shape::half_day),
            "whole_city_busy": one.whole_city_busy,
            "counts": one.counts.iter().map(count).collect::<Vec<_>>(),
        })
    };
    json!({
        "city": crate::cli::json::city(city.city),
        "half_days": city.half_days.iter().map(half_day).collect::<Vec<_>>(),
    })
}

fn unit(unit: &pb::UnitBusy) -> Value {
    json!({
        "name": unit.name,
        "kind": shape::kind(unit.kind()),
        "busy": unit.busy.iter().map(shape::period).collect::<Vec<_>>(),
    })
}

/// A column a city and a line for each stretch of half days that are alike in all cities: a quarter
/// of a year of five cities is as long as things change in it.
fn text(found: &pb::QueryFreeBusyResponse, names: &Names, lang: Lang) -> String {
    let cities: Vec<String> = found.cities.iter().map(|one| names.city(one.city)).collect();
    let headers = [vec![lang.pick("时段", "half days").to_owned()], cities].concat();
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let mut lines = table::table(&headers);
    for (at, cells) in stretches(found, lang) {
        lines.add_row([vec![at], cells].concat());
    }
    let mut out = lang.pick(
        format!("{lines}\n每格为 空闲数/有效数：已停用、证件不在有效期的不计\n"),
        format!("{lines}\nfree/valid; what is retired or not valid on the day is not counted\n"),
    );
    for unit in &found.units {
        let id = super::short(&unit.name);
        let kind = words::unit_kind(unit.kind(), lang);
        let busy: Vec<String> = unit.busy.iter().map(|one| period_text(Some(one), lang)).collect();
        let between = lang.pick("、", ", ");
        out.push_str(&format!("{id}  {kind}  {}\n", busy.join(between)));
    }
    if found.units_are_partial {
        out.push_str(lang.pick("占用的执法力量过多，未全部列出\n", "there are more busy units\n"));
    }
    out
}

/// Half days one after the other with equal cells, and these.
fn stretches(found: &pb::QueryFreeBusyResponse, lang: Lang) -> Vec<(String, Vec<String>)> {
    let mut runs: Vec<(HalfDay, HalfDay, Vec<String>)> = Vec::new();
    let Some(first) = found.cities.first() else { return Vec::new() };
    for (nth, half_day) in first.half_days.iter().enumerate() {
        let Some(at) = half_day.at.as_ref().and_then(half_day_from_pb) else { continue };
        let of = |city: &pb::CityFreeBusy| {
            city.half_days.get(nth).map_or_else(String::new, |counts| free(counts, lang))
        };
        let cells: Vec<String> = found.cities.iter().map(of).collect();
        match runs.last_mut() {
            Some((_, last, same)) if *same == cells => *last = at,
            Some(_) | None => runs.push((at, at, cells)),
        }
    }
    let language = lang.pick(Language::Zh, Language::En);
    let shown = |(first, last, cells): (HalfDay, HalfDay, Vec<String>)| {
        let period = Period::new(first, last).map(|period| period.text(language));
        (period.unwrap_or_default(), cells)
    };
    runs.into_iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::unit::{half_day_to_pb, period_to_pb};

    fn counted(officers: (u32, u32), whole_city_busy: bool) -> pb::HalfDayCounts {
        let of =
            |kind: pb::UnitKind, (busy, valid)| pb::KindCount { kind: kind.into(), valid, busy };
        let counts = vec![of(pb::UnitKind::Officer, officers), of(pb::UnitKind::Vehicle, (1, 3))];
        pb::HalfDayCounts { at: None, whole_city_busy, counts }
    }

    /// Two cities from a Friday on: one has people away on the second afternoon, one is busy as a
    /// whole on the last two days.
    fn quarter(days: i64) -> pb::QueryFreeBusyResponse {
        let begins = HalfDay::morning("2026-07-03".parse().unwrap()).number();
        let at = |nth: i64| HalfDay::from_number(begins + nth).map(half_day_to_pb);
        let here = |nth: i64| pb::HalfDayCounts {
            at: at(nth),
            ..counted(if nth == 3 { (5, 200) } else { (0, 200) }, false)
        };
        let there = |nth: i64| match nth {
            nth if nth >= days * 2 - 4 => {
                pb::HalfDayCounts { at: at(nth), ..counted((0, 8), true) }
            }
            nth => pb::HalfDayCounts { at: at(nth), counts: Vec::new(), ..Default::default() },
        };
        let city = |city, half_days| pb::CityFreeBusy { city, half_days };
        pb::QueryFreeBusyResponse {
            cities: vec![
                city(371_500, (0..days * 2).map(here).collect()),
                city(130_400, (0..days * 2).map(there).collect()),
            ],
            units: vec![pb::UnitBusy {
                name: "agreements/0/units/0123456789abcdef0123456789abcdef".to_owned(),
                kind: pb::UnitKind::Officer.into(),
                busy: vec![period_to_pb("2026-07-04下午".parse().unwrap())],
            }],
            ..Default::default()
        }
    }

    #[test]
    fn a_quarter_of_a_year_is_as_long_as_things_change_in_it() {
        let zh = text(&quarter(92), &Names::new(Lang::Zh), Lang::Zh);
        assert_eq!(
            zh,
            "\
| 时段                             | 聊城                           | 邯郸     |
|----------------------------------|--------------------------------|----------|
| 2026-07-03上午 至 2026-07-04上午 | 执法人员 200/200，执法车辆 2/3 | -        |
| 2026-07-04下午                   | 执法人员 195/200，执法车辆 2/3 | -        |
| 2026-07-05上午 至 2026-09-30下午 | 执法人员 200/200，执法车辆 2/3 | -        |
| 2026-10-01上午 至 2026-10-02下午 | 执法人员 200/200，执法车辆 2/3 | 全市占用 |
每格为 空闲数/有效数：已停用、证件不在有效期的不计
01234567  执法人员  2026-07-04下午
"
        );
        let en = text(&quarter(3), &Names::new(Lang::En), Lang::En);
        assert_eq!(
            en,
            "\
| half days     | Liaocheng                    | Handan          |
|---------------|------------------------------|-----------------|
| 2026-07-03    | officer 200/200, vehicle 2/3 | -               |
| 2026-07-04 AM | officer 200/200, vehicle 2/3 | whole city busy |
| 2026-07-04 PM | officer 195/200, vehicle 2/3 | whole city busy |
| 2026-07-05    | officer 200/200, vehicle 2/3 | whole city busy |
free/valid; what is retired or not valid on the day is not counted
01234567  officer  2026-07-04 PM
"
        );
    }
}
