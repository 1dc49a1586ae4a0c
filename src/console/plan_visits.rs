//! Results of a joint action, keyed in on a telephone at the site or afterwards from a printed
//! sheet (补录): who came, what was checked, what was found.
//!
//! In scope: the visits that the own city leads, in parts. Out of scope: what is refused, which the
//! service says.
//!
//! Invariants:
//! 1. A page stays under 150 KiB. (`results_of_many_visits_are_on_pages_of_a_size`)

use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use tonic::Status;

use super::case_from;
use super::ending::{No, end};
use super::form::{Form, Query};
use super::layout::Desk;
use super::paging::Part;
use super::parts::{self, At, Filled, act as folded};
use super::plan_findings::{self, Linked};
use super::refusal::Refusal;
use super::{plan_arrival, plan_stale, register};
use crate::domain::Date;
use crate::domain::plan::ready::PlanRules;
use crate::lang::Lang;
use crate::limits::CONSOLE_VISITS_MAX;
use crate::shown::plan::{self as say, Labels, parts as word};
use crate::shown::text::clean;
use crate::shown::when;
use crate::wire::pb::v1 as pb;
use crate::wire::unit::half_day_from_pb;
use crate::wire::words;

/// What the visits of a page may take.
const VISITS_BYTES_MAX: usize = 120 * 1024;

/// What was typed for which visit, and why it was refused.
type Again<'a> = (&'a str, &'a Form, &'a Refusal);

/// Shows the page.
pub async fn show(desk: Desk, at: At, Query(query): Query) -> Response {
    match page(&desk, &parts::name_of("plans", &at), &query, None).await {
        Ok(page) => page,
        Err(status) => desk.no(&status),
    }
}

/// Records what was typed for one visit.
pub async fn act(
    desk: Desk,
    Path((agreement, id, act)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let name = parts::name_of("plans", &Path((agreement, id)));
    let here = address(&name, form.text("site"), form.text("nth"));
    let done = ask(&desk, &name, &act, &form).await.map(|()| here);
    let done = done.map_err(|no| no.within("result", desk.lang()));
    let which = format!("{act}-{}-{}", form.text("site"), form.text("nth"));
    let again = async |refusal: &Refusal| {
        page(&desk, &name, &Form::default(), Some((&which, &form, refusal))).await
    };
    end(&desk, done, again).await
}

/// The page that has one of the visits.
pub fn address(plan: &str, site: &str, nth: &str) -> String {
    let site = site.rsplit('/').next().unwrap_or_default();
    format!("{}/visits?site={site}&nth={nth}", parts::page_of("plan", plan))
}

/// Which visit a query or a form is of, else at which a part of the page begins.
fn place(own: &[&pb::PlanVisit], form: &Form) -> usize {
    let id = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let (site, nth) = (id(form.text("site")), form.text("nth").parse().unwrap_or(0));
    let found = own.iter().position(|visit| id(&visit.site) == site && visit.nth == nth);
    found.unwrap_or_else(|| form.text("from").parse().unwrap_or(0))
}

/// How much of a page a visit takes at most, in bytes: its forms, and what was said of it, which
/// stands there twice.
fn weight(
    plan: &pb::Plan,
    visit: &pb::PlanVisit,
    labels: &Labels,
    officers: usize,
    desk: &Desk,
) -> usize {
    let said = say::visit(visit, labels, &desk.names, desk.lang()).len();
    5_000 + 700 * plan.departments.len() + 300 * officers + said + visit.text.len()
}

async fn page(
    desk: &Desk,
    name: &str,
    query: &Form,
    again: Option<Again<'_>>,
) -> Result<Response, Status> {
    let lang = desk.lang();
    let request = pb::GetPlanRequest { name: name.to_owned() };
    let answer = desk.client.plans().get_plan(request).await?.into_inner();
    let plan = answer.plan.unwrap_or_default();
    let labels = register::labels(desk, &plan, &answer.answers).await;
    let own: Vec<_> = plan.visits.iter().filter(|visit| visit.city == desk.city).collect();
    let officers = plan.answers.iter().filter_map(|one| one.sent.as_ref());
    let officers = officers.map(|sent| sent.units.len()).sum();
    let weight = |one: &&pb::PlanVisit| weight(&plan, one, &labels, officers, desk);
    let weights: Vec<usize> = own.iter().map(weight).collect();
    let at = place(&own, again.map_or(query, |(_, form, _)| form));
    let part = Part::of(&weights, (CONSOLE_VISITS_MAX, VISITS_BYTES_MAX), at);
    let cases = match part.shown(&own).any(|visit| tells_of_clues(visit)) {
        true => plan_findings::cases(desk, &parts::agreement_of(name)).await?,
        false => Vec::new(),
    };
    let unlinked = format!("{}/cases/{}", parts::agreement_of(name), query.text("unlinked"));
    let unlinked = cases.iter().find(|case| case.name == unlinked);
    // What was chosen stays so.
    let chosen = again.map(|(_, form, _)| form.text("case"));
    let first = unlinked.or_else(|| cases.iter().find(|case| Some(&*case.name) == chosen));
    let record = plan.record.as_ref().map_or("", |record| record.title.as_str());
    let title = lang.pick("现场结果", "Results on site");
    let main = html! {
        h1 { (title) }
        p { a href=(parts::page_of("plan", name)) { (clean(&plan.number)) " " (clean(record)) } }
        (parts::done(query, desk, ""))
        @if let Some((_, form, _)) = again.filter(|(.., refusal)| refusal.is_stale) {
            @let both = plan_stale::revised(&plan, form, &labels, desk);
            (plan_stale::meanwhile(&plan, form, &both, desk))
        }
        @if let Some(case) = unlinked {
            div .refused role="alert" {
                p {
                    (lang.pick("案件已登记，但还没有关联到检查：", "The case is opened, and not linked yet: "))
                    a href=(parts::page_of("case", &case.name)) { (case.label()) }
                }
                p {
                    (lang.pick("怎么办：在相应的检查下选择该案件，补办关联。",
                        "What to do: choose it below at the visit that it is from."))
                }
            }
        }
        @let others = part.others(&format!("{}/visits", parts::page_of("plan", name)), lang);
        (others)
        (plan_findings::list(&cases))
        @for visit in part.shown(&own) { (one(visit, &plan, desk, (&labels, first), again)) }
        (others)
        @if own.is_empty() {
            p .soft { (lang.pick("没有由本市带队的检查", "no visit is led by the own city")) }
        }
    };
    Ok(desk.page(title, &main))
}

fn one(
    visit: &pb::PlanVisit,
    plan: &pb::Plan,
    desk: &Desk,
    (labels, first): (&Labels, Option<&Linked>),
    again: Option<Again<'_>>,
) -> Markup {
    let lang = desk.lang();
    let page = parts::page_of("plan", &plan.name);
    let put = |act: &'static str, title: &str, fields: &dyn Fn(&Filled<'_>) -> Markup| {
        let which = format!("{act}-{}-{}", visit.site, visit.nth);
        let again = again.filter(|(of, ..)| *of == which).map(|(_, form, why)| (form, why));
        let form = format!("{act}-{}-{}", say::short(&visit.site), visit.nth);
        let filled = Filled { form: &form, again, lang };
        let basis = html! {
            (filled.kept("revision", &plan.revision_entry))
            (filled.kept("seen", &plan_stale::seen(plan, lang)))
            input type="hidden" name="site" value=(visit.site);
            input type="hidden" name="nth" value=(visit.nth);
        };
        let action = format!("{page}/visits/{act}");
        folded(&filled, &action, title, &html! { (basis) (fields(&filled)) })
    };
    let asks = may(desk, "PlanService/ReportVisit");
    let taken = taken(plan, desk.today, &desk.plan_rules);
    let arrival = if visit.arrival.is_some() {
        lang.pick("更正到场登记", "Correct who came")
    } else if taken == Some(When::Afterwards) {
        lang.pick("补录到场", "Key in afterwards who came")
    } else {
        lang.pick("到场签到", "The team is here")
    };
    let finds = may(desk, "PlanService/OpenFinding");
    let result = if visit.result.is_some() {
        lang.pick("更正检查结果", "Correct the result")
    } else if taken == Some(When::Afterwards) {
        lang.pick("补录检查结果", "Key in the result afterwards")
    } else {
        lang.pick("填写检查结果", "Fill in the result")
    };
    let is_again = |act: &str| {
        let which = format!("{act}-{}-{}", visit.site, visit.nth);
        again.is_some_and(|(of, ..)| *of == which)
    };
    html! {
        div .visit {
            p .told { (say::visit(visit, labels, &desk.names, lang)) }
            @if asks && taken.is_some() || is_again("arrive") {
                (put("arrive", arrival, &|of| {
                    plan_arrival::fields(of, plan, (visit, labels), desk.city)
                }))
            }
            @if asks && taken.is_some() || is_again("report") {
                (put("report", result, &|of| result_fields(of, plan, visit)))
            }
            @if finds && tells_of_clues(visit) || is_again("finding") {
                @if may(desk, "CaseService/CreateCase") {
                    p .noprint {
                        a href=(case_from::page_for(plan, visit)) {
                            (lang.pick("由检查线索登记案件", "Open a case from what was found"))
                        }
                    }
                }
                (put("finding", lang.pick("关联已登记的案件", "Link a case that is there"),
                    &|of| plan_findings::fields(of, first)))
            }
        }
    }
}

fn tells_of_clues(visit: &pb::PlanVisit) -> bool {
    visit.result.as_ref().is_some_and(|result| result.clues > 0)
}

fn may(desk: &Desk, method: &str) -> bool {
    desk.visitor.may(&format!("/liandong.v1.{method}"))
}

/// When results come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// On the days of the plan.
    UnderWay,
    /// Behind its end, from the printed sheets.
    Afterwards,
}

/// Whether results are taken now, as the domain has it: from the first day on, whether the
/// initiator has begun the plan or not, and some time behind its end.
fn taken(plan: &pb::Plan, today: Option<Date>, rules: &PlanRules) -> Option<When> {
    use pb::PlanState as S;
    let of = |day: &pb::PlanDay| half_day_from_pb(day.at.as_ref()?).map(|at| at.on);
    let days = || plan.days.iter().filter_map(of);
    let (first, last, today) = (days().min()?, days().max()?, today?);
    let until = last.plus_days(i64::from(rules.results_days_max)).unwrap_or(last);
    let begun = first <= today && today <= until;
    match plan.state() {
        S::Scheduled | S::Executing | S::ResultsReported => begun.then_some(When::UnderWay),
        S::Summarized | S::Cancelled => begun.then_some(When::Afterwards),
        S::Unspecified | S::Consulting | S::Confirming => None,
    }
}

fn result_fields(of: &Filled<'_>, plan: &pb::Plan, visit: &pb::PlanVisit) -> Markup {
    let (lang, now) = (of.lang, filled_in(visit));
    let stands = visit.result_entry.as_ref().map_or("", |entry| entry.entry.as_str());
    let is_stale = of.refused().is_some_and(|(_, refusal)| refusal.is_stale);
    let outcomes =
        [pb::VisitOutcome::Checked, pb::VisitOutcome::NotProducing, pb::VisitOutcome::NotChecked];
    let outcomes = outcomes
        .map(|one| (i32::from(one).to_string(), words::visit_outcome(one, lang).to_owned()));
    let modes = [pb::CheckMode::OnSite, pb::CheckMode::OffSite];
    let modes =
        modes.map(|one| (i32::from(one).to_string(), words::check_mode(one, lang).to_owned()));
    html! {
        (of.kept_or_none("replaces", stands))
        @if let Some(result) = visit.result.as_ref().filter(|_| is_stale) {
            p .hint role="status" {
                (lang.pick("现在登记的结果：", "The result that stands there now: "))
                (word::result(result, lang)) " " (word::visit_words(visit, lang)) br;
                (lang.pick("下面是您填写的，提交即更正为您填写的内容。",
                    "Below is what you typed; sending it corrects the result to that."))
            }
        }
        @if visit.text_is_missing {
            p .hint { (lang.pick("原有情况说明这里未能读出，更正后以新填写的为准。",
                "What was said in words is not readable here; what you type takes its place.")) }
        }
        (of.line("date", "on", lang.pick("检查日期（不填为今天）", "day of the check (today)"),
            now.text("on")))
        (of.chosen("outcome", lang.pick("情况", "outcome"), &outcomes, now.text("outcome")))
        (of.chosen("mode", lang.pick("方式", "mode"), &modes, now.text("mode")))
        @for one in plan.departments() {
            @let number = i32::from(one);
            @let name = words::department(one, lang);
            fieldset {
                legend { (name) }
                div .choices {
                    @let (items, problems) =
                        (format!("items-{number}"), format!("problems-{number}"));
                    (of.line("number", &items, lang.pick("检查项数", "items"), now.text(&items)))
                    (of.line("number", &problems, lang.pick("发现问题数", "problems"),
                        now.text(&problems)))
                }
            }
        }
        (of.line("number", "samples", lang.pick("采样个数", "samples"), now.text("samples")))
        (of.line("number", "clues", lang.pick("线索条数", "clues"), now.text("clues")))
        (of.paragraph("text", lang.pick("情况说明", "in words"), now.text("text")))
    }
}

/// The fields as the result that stands there has them.
fn filled_in(visit: &pb::PlanVisit) -> Form {
    let Some(result) = &visit.result else {
        return Form::of(
            [("samples", "0"), ("clues", "0")].map(|(k, v)| (k.into(), v.into())).into(),
        );
    };
    let mut fields = vec![
        ("on".to_owned(), when::date(result.on.as_ref())),
        ("outcome".to_owned(), result.outcome.to_string()),
        ("mode".to_owned(), result.mode.to_string()),
        ("samples".to_owned(), result.samples.to_string()),
        ("clues".to_owned(), result.clues.to_string()),
        ("text".to_owned(), visit.text.clone()),
    ];
    for check in &result.checks {
        let number = check.department;
        fields.push((format!("items-{number}"), check.items.to_string()));
        fields.push((format!("problems-{number}"), check.problems.to_string()));
    }
    Form::of(fields)
}

async fn ask(desk: &Desk, name: &str, act: &str, form: &Form) -> Result<(), No> {
    let lang = desk.lang();
    let today = desk.today.map(crate::wire::case::date_out);
    let on = form.date("on", lang)?;
    let nth = form.text("nth").parse().unwrap_or(0);
    let texts = |field: &'static str| form.all(field).map(str::to_owned).collect::<Vec<_>>();
    let mut plans = desk.client.plans();
    match act {
        "arrive" => {
            let request = pb::CheckInRequest {
                name: name.to_owned(),
                revision: form.text("revision").to_owned(),
                site: form.text("site").to_owned(),
                nth,
                on,
                officers: texts("officers"),
                guests: texts("guests"),
                replaces: form.text("replaces").to_owned(),
                request_id: form.text("request_id").to_owned(),
                acting_for: None,
            };
            plans.check_in(request).await?;
        }
        "report" => {
            let request = pb::ReportVisitRequest {
                name: name.to_owned(),
                revision: form.text("revision").to_owned(),
                site: form.text("site").to_owned(),
                nth,
                result: Some(result(form, on.or(today), lang)?),
                text: form.text("text").to_owned(),
                replaces: form.text("replaces").to_owned(),
                request_id: form.text("request_id").to_owned(),
                acting_for: None,
            };
            plans.report_visit(request).await?;
        }
        "finding" => {
            let case = plan_findings::found(desk, name, form).await?;
            let request = pb::OpenFindingRequest {
                name: name.to_owned(),
                revision: form.text("revision").to_owned(),
                site: form.text("site").to_owned(),
                nth,
                case,
                request_id: form.text("request_id").to_owned(),
                acting_for: None,
            };
            plans.open_finding(request).await?;
        }
        _ => return Err(desk.refuse("NOT_FOUND").into()),
    }
    Ok(())
}

/// What came of a visit: a department counts when a number of items was filled in for it.
fn result(form: &Form, on: Option<pb::Date>, lang: Lang) -> Result<pb::VisitResult, Refusal> {
    let number = |name: &str| form.number(name, lang);
    let departments = (1..).map_while(|one| pb::Department::try_from(one).ok());
    let check = |department: pb::Department| {
        let code = i32::from(department);
        let items = number(&format!("items-{code}"))?;
        let problems = number(&format!("problems-{code}"))?;
        let filled_in = items > 0 || problems > 0;
        Ok(filled_in.then_some(pb::VisitCheck { department: code, items, problems }))
    };
    let checks = departments.map(check).collect::<Result<Vec<_>, Refusal>>()?;
    Ok(pb::VisitResult {
        on,
        outcome: form.text("outcome").parse().unwrap_or(0),
        mode: form.text("mode").parse().unwrap_or(0),
        checks: checks.into_iter().flatten().collect(),
        samples: number("samples")?,
        clues: number("clues")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_taken_for_as_long_as_the_parameters_in_force_say() {
        use crate::wire::unit::half_day_to_pb;
        let at = |text: &str| Some(half_day_to_pb(text.parse().unwrap()));
        let plan = pb::Plan {
            state: pb::PlanState::Summarized.into(),
            days: vec![pb::PlanDay { at: at("2026-12-08上午"), overtime: false }],
            ..Default::default()
        };
        let rules = PlanRules { results_days_max: 2, ..PlanRules::default() };
        for (today, want) in [("2026-12-07", false), ("2026-12-10", true), ("2026-12-11", false)] {
            let found = taken(&plan, today.parse().ok(), &rules);
            assert_eq!(found.is_some(), want, "{today}");
        }
    }

    #[test]
    fn a_department_counts_when_its_items_were_filled_in() {
        let of = |form: &str| result(&Form::parse(form.as_bytes()), None, Lang::Zh);
        let told = of("outcome=1&mode=1&items-1=12&problems-1=1&items-4=&samples=2").unwrap();
        assert_eq!((told.checks.len(), told.samples, told.clues), (1, 2, 0));
        assert_eq!((told.checks[0].items, told.checks[0].problems), (12, 1));
        // What is no number is never taken for none.
        for (form, field) in [
            ("items-1=12&problems-1=1e2", "problems-1"),
            ("items-1=-3", "items-1"),
            ("samples=99999999999", "samples"),
            ("clues=x", "clues"),
        ] {
            assert!(of(form).unwrap_err().at(field).is_some(), "{form}");
        }
    }
}
