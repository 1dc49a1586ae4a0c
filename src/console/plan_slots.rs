//! Days on which all can come, in the form of a proposal: each a button that fills them in.
//!
//! In scope: asking, and what was found. Out of scope: the form around it ([`super::plan_new`]),
//! which days are found ([`crate::domain::slots`]).

use maud::{Markup, html};

use super::ending::No;
use super::form::Form;
use super::layout::Desk;
use super::plan_new::{To, needs, period};
use super::{parts, plan_revise};
use crate::shown::plan::parts as say;
use crate::wire::case as case_wire;
use crate::wire::pb::v1 as pb;
use crate::wire::unit::period_from_pb;

/// How far ahead days are looked for.
const AHEAD_DAYS: i64 = 90;

/// What a step has found: days on which all can come, or that some were filled in.
pub async fn found(desk: &Desk, form: &Form, agreement: &str, to: &To<'_>) -> Markup {
    let lang = desk.lang();
    match (form.text("look"), form.text("slot")) {
        ("", "") => html! {},
        ("", _) => html! {
            p .done role="status" { (lang.pick("已填入所选时间", "the days are filled in")) }
        },
        _ => look(desk, form, agreement, to).await,
    }
}

/// The earliest days on which all can come, each a button that fills them in.
async fn look(desk: &Desk, form: &Form, agreement: &str, to: &To<'_>) -> Markup {
    let (lang, step) = (desk.lang(), to.step("days"));
    match slots(desk, form, (agreement, to.moved)).await {
        Err(no) => parts::refused(&no.refusal(lang), lang),
        Ok(found) if found.slots.is_empty() => {
            html! { p .hint role="status" { (lang.pick(
            "三个月内没有各市都能参加的时间：减少需求、缩短天数，或勾选可在休息日后再找",
            "no such days in three months: ask for less, for fewer days, or for rest days too")) } }
        }
        Ok(found) => html! {
            div .done role="status" {
                p { strong { (lang.pick("各市都能参加的时间（点选填入）", "Days when all can come")) } }
                ul {
                    @for slot in &found.slots {
                        @if let Some(period) = slot.period.as_ref().and_then(period_from_pb) {
                            li {
                                button .second formaction=(step) name="slot" value=(period) {
                                    (say::period_text(slot.period.as_ref(), lang))
                                }
                                @if slot.provisional { (lang.pick("（暂定）", " (provisional)")) }
                                @if let Some(shifts) = say::in_shifts(slot, &desk.names, lang) {
                                    " " span .soft { (shifts) }
                                }
                            }
                        }
                    }
                }
            }
        },
    }
}

async fn slots(
    desk: &Desk,
    form: &Form,
    (agreement, moved): (&str, Option<&pb::Plan>),
) -> Result<pb::FindSlotsResponse, No> {
    let lang = desk.lang();
    let mut participants = needs(form, lang)?;
    if let Some(plan) = moved {
        plan_revise::keep_needs(plan, &mut participants);
    }
    let half_days = match (form.text("first"), form.text("last")) {
        ("", _) | (_, "") => 2,
        _ => period(form, lang)?.half_day_count(),
    };
    let chosen = form.date("first", lang)?;
    let tomorrow = desk.today.and_then(|today| today.plus_days(1)).map(case_wire::date_out);
    let until = desk.today.and_then(|today| today.plus_days(AHEAD_DAYS));
    let request = pb::FindSlotsRequest {
        parent: agreement.to_owned(),
        participants,
        half_days: u32::try_from(half_days).unwrap_or(u32::MAX),
        from: chosen.or(tomorrow),
        until: until.map(case_wire::date_out),
        overtime: !form.text("overtime").is_empty(),
        same_units: !form.text("same_units").is_empty(),
        slots_max: 5,
        moving: moved.map(|plan| plan.name.clone()).unwrap_or_default(),
        ..Default::default()
    };
    Ok(desk.client.units().find_slots(request).await?.into_inner())
}
