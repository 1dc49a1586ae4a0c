//! What cities have free, as the calendars of joint actions show it.
//!
//! In scope: asking for the units of one agreement, a day of a city in one mark. Out of scope:
//! counting, which the service does; what a city only holds ([`super::plan_days::held`]).

use maud::{Markup, html};

use super::form::Form;
use super::layout::Desk;
use super::parts::{Filled, id_of, parent};
use super::plan_days::held;
use super::refusal::Refusal;
use crate::domain::{Date, HalfDay};
use crate::lang::Lang;
use crate::wire::case as case_wire;
use crate::wire::pb::v1 as pb;
use crate::wire::unit::half_day_from_pb;

/// What the members of an agreement have free on some days.
pub struct Free<'a> {
    /// The agreement; empty where the own city is in none.
    pub agreement: &'a str,
    /// By city, ascending, or why that is not told.
    pub cities: Result<Vec<pb::CityFreeBusy>, Refusal>,
}

/// Asks for the agreement that a query names, or the first there is.
pub async fn read<'a>(desk: &'a Desk, query: &Form, (first, last): (Date, Date)) -> Free<'a> {
    let chosen = parent(query);
    let agreement = desk.agreements.iter().find(|one| one.name == chosen);
    let Some(agreement) = agreement.or(desk.agreements.first()) else {
        return Free { agreement: "", cities: Ok(Vec::new()) };
    };
    let request = pb::QueryFreeBusyRequest {
        parent: agreement.name.clone(),
        cities: Vec::new(),
        from: Some(case_wire::date_out(first)),
        until: Some(case_wire::date_out(last)),
    };
    let answer = desk.client.units().query_free_busy(request).await;
    let cities = answer.map(|one| one.into_inner().cities);
    let cities = cities.map_err(|no| Refusal::of(&no, desk.lang()));
    Free { agreement: &agreement.name, cities }
}

/// Of which agreement units are counted; nothing where there is but one.
pub fn choice(of: &Filled<'_>, desk: &Desk) -> Markup {
    let named = |one: &pb::Agreement| {
        (id_of(&one.name).to_owned(), format!("{} {}", one.short_name, one.display_name))
    };
    let all: Vec<_> = desk.agreements.iter().map(named).collect();
    html! {
        @if all.len() > 1 {
            (of.choice("agreement", of.lang.pick("按此协议统计力量", "units of"), &all))
        }
    }
}

/// How much of a city's units is free on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    All,
    Part,
    None,
    Unknown,
}

impl Share {
    /// Of both halves of a day together.
    fn of(halves: &[&pb::HalfDayCounts]) -> Self {
        let (mut valid, mut busy) = (0, 0);
        for half in halves {
            let all: u32 = half.counts.iter().map(|one| one.valid).sum();
            let taken: u32 = half.counts.iter().map(|one| one.busy).sum();
            let whole = half.whole_city_busy;
            valid += if whole { all.max(1) } else { all };
            busy += if whole { all.max(1) } else { taken };
        }
        match (valid, busy) {
            (0, _) => Self::Unknown,
            (_, 0) => Self::All,
            _ if busy >= valid => Self::None,
            _ => Self::Part,
        }
    }

    /// The mark and the word; the mark alone has to do on paper and without colours.
    const fn said(self, lang: Lang) -> (&'static str, &'static str) {
        match (self, lang) {
            (Self::All, Lang::Zh) => ("○", "空闲"),
            (Self::All, Lang::En) => ("○", "free"),
            (Self::Part, Lang::Zh) => ("◐", "部分空闲"),
            (Self::Part, Lang::En) => ("◐", "partly free"),
            (Self::None, Lang::Zh) => ("●", "已占用"),
            (Self::None, Lang::En) => ("●", "busy"),
            (Self::Unknown, Lang::Zh) => ("？", "没有登记力量"),
            (Self::Unknown, Lang::En) => ("?", "no units known"),
        }
    }
}

/// What the marks of a month mean.
pub fn legend(lang: Lang) -> Markup {
    let all = [Share::All, Share::Part, Share::None, Share::Unknown];
    html! {
        ul .legend {
            @for (mark, word) in all.map(|one| one.said(lang)) {
                li { span aria-hidden="true" { (mark) } " " (word) }
            }
            li {
                span .tag { (lang.pick("预 n", "held n")) } " "
                (lang.pick("其中 n 个为初步同意、尚未确认的预留", "n of them held by tentative answers"))
            }
        }
    }
}

/// A day of every city, each in one mark; `plans` are those of the day.
pub fn of_day(free: &Free<'_>, day: Date, plans: &[&pb::Plan], desk: &Desk) -> Markup {
    let cities = free.cities.as_deref().unwrap_or_default();
    let halves = [HalfDay::morning(day), HalfDay::afternoon(day)];
    let held = |city: u32| {
        let today = desk.today?;
        halves.iter().map(|at| held(plans, free.agreement, city, *at, today)).max()
    };
    let share = |city: &pb::CityFreeBusy| {
        let of_day = |one: &&pb::HalfDayCounts| {
            one.at.as_ref().and_then(half_day_from_pb).is_some_and(|at| at.on == day)
        };
        Share::of(&city.half_days.iter().filter(of_day).collect::<Vec<_>>())
    };
    html! {
        @if !cities.is_empty() {
            p .frees {
                @for one in cities {
                    (mark(&desk.names.city(one.city), share(one), held(one.city).unwrap_or(0),
                        desk.lang()))
                }
            }
        }
    }
}

fn mark(city: &str, share: Share, held: usize, lang: Lang) -> Markup {
    let (mark, word) = share.said(lang);
    html! {
        span {
            (city) b aria-hidden="true" { (mark) } span .unseen { " " (word) }
            @if held > 0 {
                " " span .tag {
                    (lang.pick("预", "held ")) span .unseen { (lang.pick("留 ", "")) } (held)
                }
            }
        }
        " "
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::plan_days::link;
    use crate::limits::CONSOLE_DAY_PLANS_MAX;

    #[test]
    fn a_day_is_free_partly_busy_or_unknown() {
        let half = |valid, busy, whole_city_busy| {
            let kind = pb::UnitKind::Officer.into();
            let counts =
                if valid == 0 { Vec::new() } else { vec![pb::KindCount { kind, valid, busy }] };
            pb::HalfDayCounts { at: None, whole_city_busy, counts }
        };
        for (halves, wanted) in [
            ([half(4, 0, false), half(4, 0, false)], Share::All),
            ([half(4, 4, false), half(4, 0, false)], Share::Part),
            ([half(4, 1, false), half(4, 1, false)], Share::Part),
            ([half(4, 4, false), half(4, 4, false)], Share::None),
            ([half(4, 0, true), half(4, 0, false)], Share::Part),
            ([half(0, 0, true), half(0, 0, true)], Share::None),
            ([half(0, 0, false), half(0, 0, false)], Share::Unknown),
        ] {
            assert_eq!(Share::of(&halves.iter().collect::<Vec<_>>()), wanted, "{halves:?}");
        }
        assert_eq!(Share::of(&[]), Share::Unknown);
        let shown = mark("邯郸", Share::Part, 2, Lang::Zh).into_string();
        for part in ["邯郸", r#"<b aria-hidden="true">◐</b>"#, " 部分空闲</span>", "预"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(!mark("邯郸", Share::All, 0, Lang::Zh).into_string().contains("预"));
    }

    #[test]
    fn a_full_month_stays_under_150_kib() {
        let long = "聊邯交界地区涉水企业联合执法检查行动".repeat(9);
        let plan = pb::Plan {
            name: format!("agreements/{}/plans/{}", "0".repeat(32), "1".repeat(32)),
            record: Some(pb::PlanRecord { title: long, ..pb::PlanRecord::default() }),
            state: pb::PlanState::Consulting.into(),
            ..pb::Plan::default()
        };
        let of_day = CONSOLE_DAY_PLANS_MAX * link(&plan, "上午 ", Lang::Zh).into_string().len()
            + 5 * mark("示例市", Share::Part, 12, Lang::Zh).into_string().len();
        // Head, legend, the links of the weeks.
        let rest = 12 * 1_024;
        assert!(42 * of_day + rest < 150 * 1_024, "{of_day} bytes a day");
    }
}
