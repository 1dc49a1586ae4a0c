//! Another revision of a joint action: the page of a proposal, filled in by the plan.
//!
//! In scope: from the plan to fields, and from fields to all of it after the change: what has no
//! field stays as it is. Out of scope: the fields ([`super::plan_new`]); whether it may be revised,
//! which the service says; texts alone ([`super::plan_acts`]).

use std::collections::BTreeSet;

use axum::response::Response;
use maud::html;
use tonic::Status;

use super::ending::{No, end};
use super::form::Form;
use super::layout::Desk;
use super::parts::{self, At, Filled, agreement_of, page_of};
use super::plan_new::{self, MORE_SITES, NEEDS, To, half, stepped};
use super::refusal::Refusal;
use super::{plan_acts, plan_sites, plan_slots, plan_stale, register};
use crate::lang::Lang;
use crate::shown::plan::{self as say, parts as word};
use crate::shown::sheet::Sheet;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;
use crate::wire::unit::half_day_from_pb;

/// Fields that say when.
const DAYS: [&str; 5] = ["first", "first_half", "last", "last_half", "overtime"];

/// Whether this person may revise a plan as it stands.
pub fn may(plan: &pb::Plan, desk: &Desk) -> bool {
    use pb::PlanState as S;
    let open = matches!(plan.state(), S::Consulting | S::Confirming | S::Scheduled);
    let may = desk.visitor.may("/liandong.v1.PlanService/RevisePlan");
    open && may && plan.initiator == desk.city && !plan.visits_are_partial
}

/// Shows the page, filled in by the plan.
pub async fn show(desk: Desk, at: At) -> Response {
    let page = match read(&desk, &at).await {
        Ok(plan) => page(&desk, &plan, &of(&plan), None).await,
        Err(status) => Err(status),
    };
    page.unwrap_or_else(|status| desk.no(&status))
}

/// Shows it again as it is filled in, a step further. Nothing is written.
pub async fn step(desk: Desk, at: At, form: Form) -> Response {
    let plan = match desk.check_may("/liandong.v1.PlanService/RevisePlan") {
        Ok(()) => read(&desk, &at).await,
        Err(status) => Err(status),
    };
    let plan = match plan {
        Ok(plan) => plan,
        Err(status) => return desk.no(&status),
    };
    stepped(&desk, form, async |form, no| page(&desk, &plan, form, no).await).await
}

/// Revises it.
pub async fn act(desk: Desk, at: At, form: Form) -> Response {
    let plan = match read(&desk, &at).await {
        Ok(plan) => plan,
        Err(status) => return desk.no(&status),
    };
    let done = revise(&desk, &plan, &form).await.map(|()| page_of("plan", &plan.name));
    let done = done.map_err(|no| plan_new::placed(no, desk.lang()));
    // As it stands now: what made the form out of date may have come after the first look.
    let again =
        async |refusal: &Refusal| page(&desk, &read(&desk, &at).await?, &form, Some(refusal)).await;
    end(&desk, done, again).await
}

async fn read(desk: &Desk, at: &At) -> Result<pb::Plan, Status> {
    let request = pb::GetPlanRequest { name: parts::name_of("plans", at) };
    let answer = desk.client.plans().get_plan(request).await?.into_inner();
    Ok(answer.plan.unwrap_or_default())
}

async fn revise(desk: &Desk, plan: &pb::Plan, form: &Form) -> Result<(), No> {
    let form = &plan_sites::followed(form, &of(plan), desk.lang());
    let request = pb::RevisePlanRequest {
        name: plan.name.clone(),
        etag: form.text("etag").to_owned(),
        draft: Some(merged(plan, form, plan_new::draft(desk, form).await?)),
        request_id: form.text("request_id").to_owned(),
        ..Default::default()
    };
    desk.client.plans().revise_plan(request).await?;
    Ok(())
}

async fn page(
    desk: &Desk,
    plan: &pb::Plan,
    form: &Form,
    refusal: Option<&Refusal>,
) -> Result<Response, Status> {
    let lang = desk.lang();
    let form = &plan_sites::followed(form, &of(plan), lang);
    let agreement = agreement_of(&plan.name);
    let here = page_of("plan", &plan.name);
    let action = format!("{here}/revise");
    let none = Refusal::default();
    let of = Filled { form: "new", again: Some((form, refusal.unwrap_or(&none))), lang };
    let fields = match desk.agreements.iter().find(|one| one.name == agreement) {
        Some(agreement) if may(plan, desk) => {
            let sites = register::sites(desk, &agreement.name, (form, MORE_SITES)).await?;
            let go = lang.pick("修订，请各市重新答复", "Revise it; all cities answer again");
            let id = parts::request_id(Some(form));
            let seen = plan_stale::seen(plan, lang);
            let basis = html! { (id) (of.kept("etag", &plan.etag)) (of.kept("seen", &seen)) };
            let to = To { action: &action, go, basis, more: html! {}, moved: Some(plan) };
            let found = plan_slots::found(desk, form, &agreement.name, &to).await;
            plan_new::fields(desk, &of, (form, agreement), (&sites, &found, &to))
        }
        Some(_) | None => html! {
            p .soft {
                (lang.pick("只有发起市的联络员能在开始执行前修订方案。",
                    "Only the initiator revises a plan, before it has begun."))
            }
        },
    };
    let both = match refusal.filter(|refusal| refusal.is_stale) {
        Some(_) => {
            let draft = plan_new::draft(desk, form).await;
            let draft = draft.map_err(|_| desk.refuse("STALE_ETAG"))?;
            let both = plan_stale::replaced(desk, plan, merged(plan, form, draft)).await;
            plan_stale::meanwhile(plan, form, &both, desk)
        }
        None => html! {},
    };
    let mut now = Sheet::default();
    say::head(&mut now, plan, &desk.names, lang);
    let title = lang.pick("修订方案", "Revise a joint action");
    let main = html! {
        h1 { (title) "：" (clean(&plan.number)) }
        p { a href=(here) { (lang.pick("返回方案", "back to the plan")) } }
        @if let Some(refusal) = refusal { (parts::refused(refusal, lang)) }
        (both)
        p .hint { (warning(plan, desk)) }
        (fields)
        section aria-labelledby="now" {
            h2 #now { (lang.pick("现行版本", "The present revision")) }
            (parts::sheet(&now))
        }
    };
    Ok(desk.page(&format!("{title} {}", clean(&plan.number)), &main))
}

/// What a revision does to what was said, and what has no field here.
fn warning(plan: &pb::Plan, desk: &Desk) -> String {
    let lang = desk.lang();
    let confirms = |one: &&pb::PlanAnswer| one.kind() == pb::PlanAnswerKind::Confirm;
    let confirmed: Vec<u32> = plan.answers.iter().filter(confirms).map(|one| one.city).collect();
    let mut all = Vec::new();
    if !confirmed.is_empty() {
        let cities = desk.names.list(confirmed);
        all.push(lang.pick(
            format!("{cities}已确认；修订后原确认失效，各市须重新答复。"),
            format!("Confirmed so far: {cities}. A revision voids that."),
        ));
    }
    let days = word::days(&plan.days, lang);
    all.push(lang.pick(
        format!("现行时间为 {days}；开始和结束不改的，各段时间保持不变。"),
        format!("The days are {days}; they stay so unless the first or last is changed."),
    ));
    let more = lang.pick(
        "另找时间时，本方案已占用的力量不算占用。其他力量需求保持不变。",
        "When other days are looked for, what this plan has booked is not busy. Needs of other \
         kinds stay as they are.",
    );
    all.push(more.to_owned());
    if plan.draw_rule.is_some() {
        all.push(drawn(lang).to_owned());
    }
    all.join("\n")
}

fn drawn(lang: Lang) -> &'static str {
    lang.pick(
        "抽取名单在修订时按所选对象（不选则为各参加市全部对象）重新生成；权重不变。此前手工排除的对象仍在名单内的，\
         继续不参加抽取；污染要素条件不保留。",
        "The list of the draw is made anew from the chosen sites, or all. Weights stay. What was \
         left out by hand and is still listed stays left out; a condition on media is not kept.",
    )
}

/// The fields of a proposal as the plan has them.
pub fn of(plan: &pb::Plan) -> Form {
    let record = plan.record.clone().unwrap_or_default();
    let mut pairs: Vec<(String, String)> = [
        ("agreement", agreement_of(&plan.name).trim_start_matches("agreements/").to_owned()),
        ("kind", plan.kind.to_string()),
        ("title", record.title),
        ("theme", record.theme),
        ("meeting_place", record.meeting_place),
        ("contacts", record.contacts),
        ("text", record.text),
        ("route", record.route),
        ("safety", record.safety),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    let mut put = |name: &str, value: String| pairs.push((name.to_owned(), value));
    for city in &plan.cities {
        put("city", city.city.to_string());
        for (field, kind) in NEEDS {
            let needs = city.needs.iter().filter(|need| has_field(need) && need.kind() == kind);
            // Of a draft it may be any number.
            let count = needs.fold(0, |sum: u32, need| sum.saturating_add(need.count));
            put(&format!("{field}-{}", city.city), count.to_string());
        }
    }
    let periods = word::periods(&plan.days);
    if let (Some((first, _)), Some((last, _))) = (periods.first(), periods.last()) {
        let ((first, from), (last, to)) = (half(first.first()), half(last.last()));
        put("first", first);
        put("first_half", from.to_owned());
        put("last", last);
        put("last_half", to.to_owned());
    }
    if plan.days.iter().any(|day| day.overtime) {
        put("overtime", "1".to_owned());
    }
    for department in &plan.departments {
        put("department", department.to_string());
    }
    match &plan.draw_rule {
        Some(rule) => {
            put("draw_sites", rule.sites.to_string());
            put("draw_hosts", rule.host_officers.to_string());
            put("draw_guests", rule.guest_officers.to_string());
        }
        None => {
            let mut seen = BTreeSet::new();
            for visit in &plan.visits {
                put("site", visit.site.clone());
                if seen.insert(&visit.site) {
                    let first = visit.first.as_ref().and_then(half_day_from_pb);
                    for (name, value) in plan_sites::fields_of(visit, first) {
                        put(name, value);
                    }
                }
            }
        }
    }
    Form::of(pairs)
}

/// Whether the form has a number for what is needed.
fn has_field(need: &pb::UnitNeed) -> bool {
    need.department == 0 && NEEDS.iter().any(|(_, kind)| *kind == need.kind())
}

/// Adds what the form has no field for and the plan asks of these cities.
pub fn keep_needs(plan: &pb::Plan, cities: &mut [pb::CityNeeds]) {
    for city in cities {
        let same = plan.cities.iter().filter(|one| one.city == city.city);
        let kept = same.flat_map(|one| &one.needs).filter(|need| !has_field(need));
        city.needs.extend(kept.copied());
    }
}

/// All of the plan after the change: what the form has no field for stays as it is.
pub fn merged(plan: &pb::Plan, form: &Form, mut draft: pb::PlanDraft) -> pb::PlanDraft {
    let before = of(plan);
    if DAYS.iter().all(|name| form.text(name) == before.text(name)) {
        draft.days.clone_from(&plan.days);
    }
    let days = &draft.days;
    let is_on = |at: Option<pb::HalfDay>| at.is_none() || days.iter().any(|day| day.at == at);
    let (was, now) = (plan_sites::chosen(&before), plan_sites::chosen(form));
    let visit = |new: pb::VisitDraft| -> Vec<pb::VisitDraft> {
        let (was, now) = (was.get(&*new.site), now.get(&*new.site));
        let is_moved = now.is_some_and(|now| was.is_none_or(|was| was.at != now.at));
        let is_excepted = now.is_some_and(|now| was.is_none_or(|was| was.why != now.why));
        let same = plan.visits.iter().filter(|visit| visit.site == new.site);
        let old: Vec<pb::VisitDraft> = same
            .map(|one| pb::VisitDraft {
                site: one.site.clone(),
                first: one.first,
                last: one.last,
                exception: if is_excepted { new.exception } else { one.exception },
            })
            .collect();
        // A draft without days has none for its visits either.
        let is_dated = old.iter().all(|one| one.first.is_some());
        let stays =
            is_dated && !is_moved && old.iter().all(|one| is_on(one.first) && is_on(one.last));
        match old.first() {
            Some(_) if stays => old,
            Some(one) => vec![pb::VisitDraft { exception: one.exception, ..new }],
            None => vec![new],
        }
    };
    let mut seen = BTreeSet::new();
    draft.visits.retain(|one| seen.insert(one.site.clone()));
    draft.visits = draft.visits.drain(..).flat_map(visit).collect();
    keep_needs(plan, &mut draft.cities);
    // Boxes that are all unticked send nothing: that they were there is told apart.
    if form.text("begun").is_empty() {
        draft.departments.clone_from(&plan.departments);
    }
    draft.record = Some(plan_acts::amended(plan.record.clone(), form));
    if let (Some(draw), Some(rule)) = (&mut draft.draw, &plan.draw_rule) {
        draw.weights = rule.weights;
        draw.spares_withholders = rule.spares_withholders;
    }
    draft
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::unit::half_day_to_pb;

    fn plan() -> pb::Plan {
        let half = |text: &str| Some(half_day_to_pb(text.parse().unwrap()));
        let day = |text, overtime| pb::PlanDay { at: half(text), overtime };
        let need = |kind: pb::UnitKind, count, department| pb::UnitNeed {
            kind: kind.into(),
            count,
            department,
        };
        let city = |city, needs| pb::CityNeeds { city, needs };
        let officers = need(pb::UnitKind::Officer, 2, 0);
        pb::Plan {
            name: "agreements/aa/plans/bb".to_owned(),
            kind: pb::PlanKind::JointInspection.into(),
            cities: vec![
                city(371_500, vec![officers, need(pb::UnitKind::Officer, 1, 4)]),
                city(130_400, vec![officers]),
            ],
            departments: vec![1, 4],
            // Not one after the other.
            days: vec![day("2026-12-08上午", false), day("2026-12-10下午", true)],
            visits: vec![
                pb::PlanVisit {
                    site: "s/1".to_owned(),
                    first: half("2026-12-10下午"),
                    last: half("2026-12-10下午"),
                    exception: 1,
                    ..Default::default()
                },
                pb::PlanVisit {
                    site: "s/2".to_owned(),
                    first: half("2026-12-08上午"),
                    last: half("2026-12-08上午"),
                    ..Default::default()
                },
            ],
            record: Some(pb::PlanRecord {
                title: "名称".to_owned(),
                external_number: "7".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    /// What a draft of the fields has of visits and needs, without a desk.
    fn draft(form: &Form) -> pb::PlanDraft {
        let visit = |site: &str| pb::VisitDraft { site: site.to_owned(), ..Default::default() };
        let need = |city: &str| pb::CityNeeds { city: city.parse().unwrap(), needs: Vec::new() };
        pb::PlanDraft {
            visits: form.all("site").map(visit).collect(),
            cities: form.all("city").map(need).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn what_is_not_touched_stays_as_it_is() {
        let plan = plan();
        let form = of(&plan);
        assert_eq!((form.text("first"), form.text("last_half")), ("2026-12-08", "PM"));
        assert_eq!((form.text("officers-371500"), form.text("overtime")), ("2", "1"));
        let after = merged(&plan, &form, draft(&form));
        assert_eq!(after.days, plan.days, "with their gap");
        assert_eq!(after.departments, plan.departments);
        let first = |nth: usize| (after.visits[nth].first, after.visits[nth].exception);
        assert_eq!(first(0), (plan.visits[0].first, 1));
        assert_eq!(after.visits.len(), 2);
        assert_eq!(after.cities[0].needs, plan.cities[0].needs[1..], "of a department");
        assert_eq!(after.record, plan.record);
    }

    #[test]
    fn what_is_changed_is_changed_and_a_visit_stays_within_the_days() {
        let plan = plan();
        let form = of(&plan).put("first", "2026-12-09").put("site", "s/1");
        let after = merged(&plan, &form, draft(&form));
        assert_ne!(after.days, plan.days);
        assert_eq!(after.visits.len(), 1, "the other was left out");
        assert_eq!(after.visits[0].exception, 1, "its reason goes along");
        let title = of(&plan).put("title", "另一名称");
        let record = merged(&plan, &title, draft(&title)).record.unwrap();
        assert_eq!((&*record.title, &*record.external_number), ("另一名称", "7"));
    }
}
