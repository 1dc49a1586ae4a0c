//! What the forms of a plan end in: one call of the API each.
//!
//! In scope: from fields to a request, the page again when it is refused, and the form again where
//! it lists other units. Out of scope: whether
//! it may be done, which the service decides.

use axum::extract::Path;
use axum::response::Response;

use super::case::Again;
use super::ending::{No, end};
use super::form::Form;
use super::layout::Desk;
use super::plan_shifts::{self, Shifts};
use super::refusal::Refusal;
use super::{parts, plan, plan_recusals};
use crate::domain::Period;
use crate::lang::Lang;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;
use crate::wire::unit::{half_day_to_pb, period_to_pb};

/// Does what a form asks for, and shows the plan afterwards.
pub async fn act(
    desk: Desk,
    Path((agreement, id, act)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let name = parts::name_of("plans", &Path((agreement, id)));
    let done = ask(&desk, &name, &act, &form).await.map(|()| parts::page_of("plan", &name));
    let lang = desk.lang();
    let done = done.map_err(|no| no.within("record", lang).placed(&[("units", "sent")], lang));
    let again = async |refusal: &Refusal| {
        let again = Again { act: &act, form: &form, refusal };
        plan::page(&desk, &name, &Form::default(), Some(&again)).await
    };
    end(&desk, done, again).await
}

/// Shows a form as it is filled in, with other units to choose from. Nothing is written.
pub async fn step(
    desk: Desk,
    Path((agreement, id, act)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let name = parts::name_of("plans", &Path((agreement, id)));
    let method = match act.as_str() {
        "answer" => "/liandong.v1.PlanService/AnswerPlan",
        "swap" => "/liandong.v1.PlanService/SwapUnits",
        _ => return desk.no(&desk.refuse("NOT_FOUND")),
    };
    let again = Again { act: &act, form: &form, refusal: &Refusal::default() };
    let page = match desk.check_may(method) {
        Ok(()) => plan::page(&desk, &name, &Form::default(), Some(&again)).await,
        Err(status) => Err(status),
    };
    page.unwrap_or_else(|status| desk.no(&status))
}

async fn ask(desk: &Desk, name: &str, act: &str, form: &Form) -> Result<(), No> {
    use pb::PlanStep as S;
    let mut plans = desk.client.plans();
    macro_rules! said {
        ($kind:ident) => {
            pb::$kind {
                name: name.to_owned(),
                revision: form.text("revision").to_owned(),
                request_id: form.text("request_id").to_owned(),
                acting_for: None,
            }
        };
    }
    let step = match act {
        "answer" => {
            let plan = read(desk, name).await?;
            let before = plan::held(&plan, desk.city);
            let shifts = plan_shifts::read(desk, form).await?;
            let sent = sends(before, form, shifts.as_ref());
            plans.answer_plan(answer((name, sent), form, desk.lang())?).await?;
            return Ok(());
        }
        "commit" => {
            plans.commit_draw(said!(CommitDrawRequest)).await?;
            return Ok(());
        }
        "reveal" => {
            plans.reveal_draw(said!(RevealDrawRequest)).await?;
            return Ok(());
        }
        "results" => {
            plans.report_results(said!(ReportResultsRequest)).await?;
            return Ok(());
        }
        "release" => return release(desk, name, form).await,
        "swap" | "amend" => return change(desk, name, act, form).await,
        "resolve" => {
            let (answer, revision) = form.text("answer").split_once(' ').unwrap_or_default();
            let request = pb::ResolveAnswerRequest {
                name: name.to_owned(),
                revision: revision.to_owned(),
                answer: answer.to_owned(),
                resolution: form.text("resolution").parse().unwrap_or(0),
                text: form.text("text").to_owned(),
                request_id: form.text("request_id").to_owned(),
                acting_for: None,
            };
            plans.resolve_answer(request).await?;
            return Ok(());
        }
        "schedule" => S::Schedule,
        "begin" => S::Begin,
        "summarize" => S::Summarize,
        "cancel" => S::Cancel,
        "redraw" => S::Redraw,
        _ => return Err(desk.refuse("NOT_FOUND").into()),
    };
    let request = pb::MovePlanRequest {
        name: name.to_owned(),
        etag: form.text("etag").to_owned(),
        step: step.into(),
        text: form.text("text").to_owned(),
        request_id: form.text("request_id").to_owned(),
        acting_for: None,
    };
    plans.move_plan(request).await?;
    Ok(())
}

/// Sends others, or changes texts: what has no field stays as the plan has it.
async fn change(desk: &Desk, name: &str, act: &str, form: &Form) -> Result<(), No> {
    let plan = read(desk, name).await?;
    let request_id = form.text("request_id").to_owned();
    if act == "swap" {
        let shifts = plan_shifts::read(desk, form).await?;
        let before = plan::own_sent(&plan, desk.city);
        let request = pb::SwapUnitsRequest {
            name: name.to_owned(),
            revision: form.text("revision").to_owned(),
            sent: Some(sends(before, form, shifts.as_ref())),
            lifted: plan_recusals::lifted(form),
            request_id,
            acting_for: None,
        };
        desk.client.plans().swap_units(request).await?;
    } else {
        let request = pb::AmendPlanRequest {
            name: name.to_owned(),
            etag: form.text("etag").to_owned(),
            record: Some(amended(plan.record, form)),
            request_id,
            acting_for: None,
        };
        desk.client.plans().amend_plan(request).await?;
    }
    Ok(())
}

/// Frees what the city has booked for a plan.
async fn release(desk: &Desk, name: &str, form: &Form) -> Result<(), No> {
    let request = pb::ReleaseUnitsRequest {
        name: name.to_owned(),
        request_id: form.text("request_id").to_owned(),
        acting_for: None,
    };
    desk.client.plans().release_units(request).await?;
    Ok(())
}

async fn read(desk: &Desk, name: &str) -> Result<pb::Plan, No> {
    let request = pb::GetPlanRequest { name: name.to_owned() };
    let answer = desk.client.plans().get_plan(request).await?.into_inner();
    Ok(answer.plan.unwrap_or_default())
}

/// What is sent from now on: for the half days that the form tells, and where it tells none,
/// whoever stays keeps its own. Recusals of before the node keeps.
fn sends(before: Option<&pb::SentDraft>, form: &Form, shifts: Option<&Shifts>) -> pb::SentDraft {
    let before = before.map_or(&[][..], |sent| &sent.units);
    let unit = |unit: &str| {
        let stays = before.iter().find(|one| one.unit == unit).filter(|_| shifts.is_none());
        let period = shifts.and_then(|shifts| shifts.get(unit));
        stays.cloned().unwrap_or_else(|| pb::UnitDraft {
            unit: unit.to_owned(),
            first: period.map(|one| half_day_to_pb(one.first())),
            last: period.map(|one| half_day_to_pb(one.last())),
        })
    };
    let recusals = plan_recusals::declared(form);
    pb::SentDraft { units: form.all("sent").map(unit).collect(), recusals }
}

/// All texts after a change; those that the form does not have stay.
pub fn amended(before: Option<pb::PlanRecord>, form: &Form) -> pb::PlanRecord {
    let text = |name: &str| form.text(name).to_owned();
    pb::PlanRecord {
        title: text("title"),
        theme: text("theme"),
        text: text("text"),
        route: text("route"),
        safety: text("safety"),
        contacts: text("contacts"),
        meeting_place: text("meeting_place"),
        ..before.unwrap_or_default()
    }
}

fn answer(
    (name, sent): (&str, pb::SentDraft),
    form: &Form,
    lang: Lang,
) -> Result<pb::AnswerPlanRequest, Refusal> {
    use pb::PlanAnswerKind as K;
    let kind = form.text("kind").parse::<i32>().ok().and_then(|one| K::try_from(one).ok());
    let kind = kind.unwrap_or(K::Unspecified);
    let sent = matches!(kind, K::Confirm | K::Tentative).then_some(sent);
    let hold_until = form.date("hold_until", lang)?;
    let periods = form.text("periods").split(['、', ',', '，']).map(str::trim);
    let periods = periods.filter(|one| !one.is_empty()).map(|one| {
        one.parse::<Period>().map(period_to_pb).map_err(|_| {
            let one = clean(one);
            let what = lang.pick(
                format!("“{one}”不是时间段，应如 2026-12-08上午 或 2026-12-08 至 2026-12-09"),
                format!("“{one}” is no period such as 2026-12-08 至 2026-12-09"),
            );
            Refusal::field("periods", what)
        })
    });
    let periods = periods.collect::<Result<Vec<_>, _>>()?;
    Ok(pb::AnswerPlanRequest {
        name: name.to_owned(),
        revision: form.text("revision").to_owned(),
        kind: kind.into(),
        hold_until: hold_until.filter(|_| kind == K::Tentative),
        lifted: if sent.is_some() { plan_recusals::lifted(form) } else { Vec::new() },
        sent,
        periods: if kind == K::OtherDays { periods } else { Vec::new() },
        text: form.text("text").to_owned(),
        request_id: form.text("request_id").to_owned(),
        acting_for: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_stays_keeps_its_days_and_texts_without_a_field_stay() {
        let unit = |unit: &str, first| pb::UnitDraft { unit: unit.to_owned(), first, last: None };
        let half = Some(pb::HalfDay::default());
        let sent = pb::SentDraft {
            units: vec![unit("u/1", half), unit("u/2", None)],
            ..Default::default()
        };
        let form = Form::parse(b"sent=u/1&sent=u/3&recuse=u/3&recuse_site=s/1&title=new");
        let after = sends(Some(&sent), &form, None);
        assert_eq!(after.units, [unit("u/1", half), unit("u/3", None)]);
        let at = "2026-12-08上午".parse().unwrap();
        let shifts = [("u/3".to_owned(), Period::half_day(at))].into();
        let told = sends(Some(&sent), &form, Some(&shifts));
        let half = Some(half_day_to_pb(at));
        let part = pb::UnitDraft { last: half, ..unit("u/3", half) };
        assert_eq!(told.units, [unit("u/1", None), part], "the field tells all");
        let recusal = pb::RecusalDraft { officer: "u/3".into(), site: "s/1".into() };
        assert_eq!(after.recusals, [recusal]);
        let before = pb::PlanRecord {
            title: "old".into(),
            route: "old".into(),
            external_number: "7".into(),
            ..Default::default()
        };
        let after = amended(Some(before), &form);
        assert_eq!((&*after.title, &*after.route, &*after.external_number), ("new", "", "7"));
    }

    #[test]
    fn an_answer_takes_what_its_sort_has_and_nothing_else() {
        let nobody = pb::SentDraft::default;
        let form = "kind=3&sent=u%2F1&sent=u%2F2&hold_until=2026-12-01&periods=2026-12-08&text=ok";
        let form = Form::parse(form.as_bytes());
        let request = answer(("p", sends(None, &form, None)), &form, Lang::Zh).unwrap();
        assert_eq!(request.sent.unwrap().units.len(), 2);
        assert_eq!((request.hold_until, request.periods.len()), (None, 0));
        let other =
            Form::parse("kind=5&periods=2026-12-08 至 2026-12-09、2026-12-10上午".as_bytes());
        let request = answer(("p", nobody()), &other, Lang::Zh).unwrap();
        assert_eq!((request.sent, request.periods.len()), (None, 2));
        let bad = Form::parse(b"kind=5&periods=tomorrow");
        assert!(answer(("p", nobody()), &bad, Lang::Zh).unwrap_err().at("periods").is_some());
    }
}
