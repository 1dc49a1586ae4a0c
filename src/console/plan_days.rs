//! What the calendars of joint actions have in common: their days, the plans on these, and what
//! cities hold for them without having confirmed.
//!
//! In scope: reading and asking. Out of scope: the pages of a month ([`super::plan_month`]) and a
//! week ([`super::plan_week`]).

use std::collections::BTreeSet;

use maud::{Markup, html};
use tonic::Status;

use super::layout::Desk;
use super::parts::{agreement_of, page_of};
use crate::domain::{Date, HalfDay};
use crate::lang::Lang;
use crate::limits::CONSOLE_MONTH_PLANS_MAX;
use crate::shown::text::clean;
use crate::wire::case as case_wire;
use crate::wire::pb::v1 as pb;
use crate::wire::unit::half_day_from_pb;
use crate::wire::words;

/// Plans on a page of the API's list.
const PAGE: i32 = 200;

/// What days of the week are called.
#[must_use]
pub const fn weekdays(lang: Lang) -> [&'static str; 7] {
    match lang {
        Lang::Zh => ["周一", "周二", "周三", "周四", "周五", "周六", "周日"],
        Lang::En => ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    }
}

/// The Monday of a day's week; none where dates end.
#[must_use]
pub fn monday(day: Date) -> Option<Date> {
    // 1970-01-01 was a Thursday.
    let days = day.days_since_epoch();
    Date::from_days_since_epoch(days - (days + 3).rem_euclid(7))
}

/// The plans of some days, but for those that were cancelled.
pub struct Plans {
    /// As many as were read, the newest first.
    pub all: Vec<pb::Plan>,
    /// How many were not, and of which days they are.
    unread: (usize, Date, Date),
}

/// Reads the plans that have a half day between two days, both of them in it.
///
/// # Errors
/// The service's refusal.
pub async fn read(desk: &Desk, first: Date, last: Date) -> Result<Plans, Status> {
    let mut request = pb::ListPlansRequest {
        parent: "agreements/-".to_owned(),
        from: Some(case_wire::date_out(first)),
        until: Some(case_wire::date_out(last)),
        page_size: PAGE,
        ..Default::default()
    };
    let (mut all, mut total) = (Vec::new(), 0);
    loop {
        let page = desk.client.plans().list_plans(request.clone()).await?.into_inner();
        total = total.max(page.total_size as usize);
        all.extend(page.plans);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            total = all.len();
        }
        if request.page_token.is_empty() || all.len() >= CONSOLE_MONTH_PLANS_MAX {
            break;
        }
    }
    let unread = (total.saturating_sub(all.len()), first, last);
    all.retain(|plan| plan.state() != pb::PlanState::Cancelled);
    Ok(Plans { all, unread })
}

impl Plans {
    /// Those of a half day.
    #[must_use]
    pub fn on(&self, at: HalfDay) -> Vec<&pb::Plan> {
        self.all.iter().filter(|plan| is_on(plan, at)).collect()
    }

    /// Those of a day, and whether they are on its morning and its afternoon.
    #[must_use]
    pub fn of_day(&self, day: Date) -> Vec<(&pb::Plan, (bool, bool))> {
        let halves =
            |plan| (is_on(plan, HalfDay::morning(day)), is_on(plan, HalfDay::afternoon(day)));
        let all = self.all.iter().map(|plan| (plan, halves(plan)));
        all.filter(|(_, halves)| *halves != (false, false)).collect()
    }

    /// That older ones are not shown, and where they are.
    #[must_use]
    pub fn rest(&self, lang: Lang) -> Markup {
        let (count, first, last) = self.unread;
        html! {
            @if count > 0 {
                p .hint {
                    (lang.pick(
                        format!("这些日子还有较早发起的 {count} 项没有显示。"),
                        format!("{count} that were proposed earlier are not shown. "),
                    ))
                    a href={ "/plans?from=" (first) "&until=" (last) } {
                        (lang.pick("在列表中逐页查看", "See all of them as a list"))
                    }
                }
            }
        }
    }
}

/// Whether a plan is on a half day.
fn is_on(plan: &pb::Plan, at: HalfDay) -> bool {
    plan.days.iter().any(|day| day.at.as_ref().and_then(half_day_from_pb) == Some(at))
}

/// Letters of a title in a calendar, which may have hundreds.
const TITLE_LETTERS: usize = 24;

/// A plan on a day, with what stands before its title; in italics while it is not settled.
#[must_use]
pub fn link(plan: &pb::Plan, before: &str, lang: Lang) -> Markup {
    let whole = plan.record.as_ref().map(|one| clean(&one.title)).unwrap_or_default();
    let title = cut(&whole);
    let open = matches!(plan.state(), pb::PlanState::Consulting | pb::PlanState::Confirming);
    html! {
        a href=(page_of("plan", &plan.name)) title=(words::plan_state(plan.state(), lang)) {
            @if open { em { (before) (title) } } @else { (before) (title) }
        }
    }
}

/// The beginning of a title.
#[must_use]
pub fn cut(whole: &str) -> String {
    let mut title: String = whole.chars().take(TITLE_LETTERS).collect();
    if title.len() < whole.len() {
        title.push('…');
    }
    title
}

/// How many units a city only holds on a half day, for plans of one agreement: by tentative
/// answers whose day is not over.
#[must_use]
pub fn held(plans: &[&pb::Plan], agreement: &str, city: u32, at: HalfDay, today: Date) -> usize {
    let day = |date: &pb::Date| (date.year, date.month, date.day);
    let today = day(&case_wire::date_out(today));
    let counts = |one: &&pb::PlanAnswer| {
        one.city == city
            && one.kind() == pb::PlanAnswerKind::Tentative
            && one.hold_until.as_ref().is_none_or(|until| day(until) >= today)
    };
    let comes = |unit: &&pb::UnitDraft| {
        let half = |one: Option<&pb::HalfDay>| one.and_then(half_day_from_pb);
        half(unit.first.as_ref()).is_none_or(|first| first <= at)
            && half(unit.last.as_ref()).is_none_or(|last| at <= last)
    };
    let here = plans.iter().filter(|plan| agreement_of(&plan.name) == agreement);
    let answers = here.filter(|plan| is_on(plan, at)).flat_map(|plan| &plan.answers);
    let units = answers.filter(counts).filter_map(|one| one.sent.as_ref());
    let units = units.flat_map(|sent| &sent.units).filter(comes).map(|unit| unit.unit.as_str());
    units.collect::<BTreeSet<&str>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::unit::half_day_to_pb;

    fn at(text: &str) -> HalfDay {
        text.parse().unwrap()
    }

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn a_week_begins_on_monday() {
        for (day, wanted) in [
            ("2026-12-07", "2026-12-07"),
            ("2026-12-13", "2026-12-07"),
            ("2027-01-01", "2026-12-28"),
        ] {
            assert_eq!(monday(date(day)), Some(date(wanted)), "{day}");
        }
    }

    #[test]
    fn what_is_held_is_of_its_city_its_half_days_and_until_its_day() {
        let unit = |unit: &str, first: Option<&str>| pb::UnitDraft {
            unit: unit.to_owned(),
            first: first.map(|text| half_day_to_pb(at(text))),
            last: None,
        };
        let until = |day| Some(pb::Date { year: 2026, month: 12, day });
        let answer = |city, kind: pb::PlanAnswerKind, day| pb::PlanAnswer {
            city,
            kind: kind.into(),
            hold_until: until(day),
            sent: Some(pb::SentDraft {
                units: vec![unit("u/1", None), unit("u/2", Some("2026-12-08下午"))],
                recusals: Vec::new(),
            }),
            ..Default::default()
        };
        let days = ["2026-12-08上午", "2026-12-08下午"];
        let days =
            days.map(|text| pb::PlanDay { at: Some(half_day_to_pb(at(text))), overtime: false });
        let plan = |answers| pb::Plan {
            name: "agreements/a/plans/1".to_owned(),
            days: days.to_vec(),
            answers,
            ..Default::default()
        };
        use pb::PlanAnswerKind as K;
        let plans = [
            plan(vec![answer(371_500, K::Tentative, 5), answer(130_400, K::Confirm, 5)]),
            plan(vec![answer(371_500, K::Tentative, 5)]),
        ];
        let plans: Vec<&pb::Plan> = plans.iter().collect();
        let held = |agreement: &str, city, half: &str, today: &str| {
            super::held(&plans, agreement, city, at(half), date(today))
        };
        assert_eq!(held("agreements/a", 371_500, "2026-12-08上午", "2026-12-05"), 1);
        assert_eq!(held("agreements/a", 371_500, "2026-12-08下午", "2026-12-05"), 2);
        assert_eq!(held("agreements/a", 371_500, "2026-12-08下午", "2026-12-06"), 0, "over");
        assert_eq!(held("agreements/a", 371_500, "2026-12-09上午", "2026-12-05"), 0, "not its day");
        assert_eq!(held("agreements/a", 130_400, "2026-12-08上午", "2026-12-05"), 0, "confirmed");
        assert_eq!(held("agreements/b", 371_500, "2026-12-08上午", "2026-12-05"), 0);
    }

    #[test]
    fn what_is_not_shown_is_said() {
        let of = |count| Plans {
            all: Vec::new(),
            unread: (count, date("2026-12-01"), date("2026-12-31")),
        };
        assert_eq!(of(0).rest(Lang::Zh).into_string(), "");
        let said = of(7).rest(Lang::Zh).into_string();
        assert!(said.contains("7 项没有显示"), "{said}");
        assert!(said.contains("/plans?from=2026-12-01&amp;until=2026-12-31"), "{said}");
    }
}
