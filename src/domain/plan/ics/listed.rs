//! Which plans stand in a calendar, and which come first where there is no room for all.
//!
//! A plan that is only talked of stands in none. One that was settled does, and stays when it is
//! revised, as tentative and on its new days, and as cancelled when it is cancelled, so that a
//! calendar which keeps what it has seen moves it or strikes it out; until its last day is over, by
//! whichever revision that was settled. One that was
//! given up before it was ever settled has been in no calendar, and is in none.
//!
//! In scope: rules, over values. Out of scope: reading plans, how many are looked at (whoever
//! asks).

use crate::domain::date::Date;
use crate::domain::plan::answer::AnswerKind;
use crate::domain::plan::state::{Plan, PlanStage};
use crate::ids::CityCode;
use crate::limits::{CALENDAR_FEED_AHEAD_DAYS, CALENDAR_FEED_PAST_DAYS};

/// Whether a plan stands in the calendar of its agreement; without a clock that can be used all
/// that were settled do.
#[must_use]
pub fn is_listed(plan: &Plan, today: Option<Date>) -> bool {
    match plan.stage {
        PlanStage::Scheduled | PlanStage::Executing | PlanStage::Summarized => true,
        PlanStage::Open | PlanStage::Cancelled => {
            let is_over = |until: Date| today.is_some_and(|today| until < today);
            plan.settled.is_some() && !last_day(plan).is_some_and(is_over)
        }
    }
}

/// Whether a city is out on a plan, or was to be, within the days that a feed shows; `answer` is
/// its newest one to the present revision. A city that has withdrawn is not out.
#[must_use]
pub fn is_in_feed(
    plan: &Plan,
    (city, answer): (CityCode, Option<AnswerKind>),
    today: Option<Date>,
) -> bool {
    let goes = match plan.stage {
        // A revision may have left it out since.
        PlanStage::Cancelled => plan.settled.as_ref().is_some_and(|one| one.cities.contains(&city)),
        PlanStage::Scheduled | PlanStage::Executing | PlanStage::Summarized => plan.facts.has(city),
        // Nobody is out on what is talked of anew: whoever reads a feed sees that it is gone.
        PlanStage::Open => false,
    };
    let days = (first_day(plan), last_day(plan));
    goes && answer != Some(AnswerKind::Withdraw) && is_listed(plan, today) && is_near(days, today)
}

/// Which comes first where there is no room for all: what is to come, the nearest first, then what
/// is over, the latest first.
#[must_use]
pub fn distance(plan: &Plan, today: Option<Date>) -> (bool, i64) {
    let ahead = last_day(plan)
        .zip(today)
        .map(|(last, today)| last.days_since_epoch() - today.days_since_epoch());
    ahead.map_or((true, i64::MAX), |days| (days < 0, days.abs()))
}

/// The first day of a plan.
#[must_use]
pub fn first_day(plan: &Plan) -> Option<Date> {
    plan.facts.days.first().map(|day| day.at.on)
}

/// The last day on which a calendar may have it.
fn last_day(plan: &Plan) -> Option<Date> {
    let last = plan.facts.days.last().map(|day| day.at.on);
    let stays = matches!(plan.stage, PlanStage::Open | PlanStage::Cancelled);
    let settled = plan.settled.as_ref().filter(|_| stays).map(|one| one.until);
    last.max(settled)
}

/// Whether a plan's first and last day touch the days that a feed shows.
fn is_near((first, last): (Option<Date>, Option<Date>), today: Option<Date>) -> bool {
    let ahead = |day: Option<Date>| Some(day?.days_since_epoch() - today?.days_since_epoch());
    ahead(last).is_some_and(|days| days >= -CALENDAR_FEED_PAST_DAYS)
        && ahead(first).is_some_and(|days| days <= CALENDAR_FEED_AHEAD_DAYS)
}
