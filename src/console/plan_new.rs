//! Proposing a joint action: who, when, where; and finding days on which all can come.
//!
//! The form is sent again with what was filled in so far: to look for days, to take some of those
//! that were found, to turn to other sites. It goes in the body: what people type stands in no
//! address. Only the last button writes.
//!
//! In scope: from fields to a draft. Out of scope: what a draft must have, which the service says.

use axum::response::Response;
use maud::{Markup, html};
use tonic::Status;

use super::ending::{No, end, refused};
use super::form::{Form, Query};
use super::layout::Desk;
use super::parts::{self, Filled};
use super::refusal::Refusal;
use super::{codes, plan_acts, plan_drafts, plan_sites, plan_slots, register};
use crate::domain::{HalfDay, Period};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use crate::wire::unit::half_day_to_pb;
use crate::wire::words;

/// What a city may be asked to bring: the field's beginning, and the kind.
pub const NEEDS: [(&str, pb::UnitKind); 3] = [
    ("officers", pb::UnitKind::Officer),
    ("vehicles", pb::UnitKind::Vehicle),
    ("drones", pb::UnitKind::Uav),
];
/// Fields that say how many are drawn.
const DRAW: [&str; 3] = ["draw_sites", "draw_hosts", "draw_guests"];
/// What requests and the rules of plans call the fields of the form; the longer names first.
const PLACES: [(&str, &str); 9] = [
    ("cities", "city"),
    ("days", "first"),
    ("visits", "site"),
    ("draw.pool", "site"),
    ("draw.left_out", "site"),
    ("draw", "draw_sites"),
    ("targets.draw", "draw_sites"),
    ("targets", "site"),
    ("departments", "department"),
];
/// The address of the page.
const NEW: &str = "/plans/new";
/// What it ends in.
const CREATE: &str = "/liandong.v1.PlanService/CreatePlan";
/// What a link may fill in: by what things are called here, nothing that anybody wrote.
const BY_LINK: [&str; 3] = ["agreement", "city", "site"];
/// The button that lists more sites.
pub const MORE_SITES: &str = "more-sites";
/// Where the form of a proposal leads.
pub struct To<'a> {
    /// The page's address; its steps are those of [`To::step`].
    pub action: &'a str,
    /// What its last button says.
    pub go: &'a str,
    /// Fields that say what it was filled in against.
    pub basis: Markup,
    /// Other buttons beside the last one.
    pub more: Markup,
    /// The plan that is to be moved: what it has booked is not busy.
    pub moved: Option<&'a pb::Plan>,
}

impl To<'_> {
    /// Where the form is shown again, scrolled to one of its parts.
    #[must_use]
    pub fn step(&self, part: &str) -> String {
        format!("{}/form#{part}", self.action)
    }
}

/// The page, with what a link gives.
pub async fn show(desk: Desk, Query(query): Query) -> Response {
    match page(&desk, &query.only(&BY_LINK), None, &html! {}).await {
        Ok(page) => page,
        Err(status) => desk.no(&status),
    }
}

/// Shows it again as it is filled in, a step further. Nothing is written.
pub async fn step(desk: Desk, form: Form) -> Response {
    if let Err(status) = desk.check_may(CREATE) {
        return desk.no(&status);
    }
    stepped(&desk, form, async |form, no| page(&desk, form, no, &html! {}).await).await
}

/// A page of a form with the days that were chosen in it.
pub async fn stepped(
    desk: &Desk,
    form: Form,
    page: impl AsyncFnOnce(&Form, Option<&Refusal>) -> Result<Response, Status>,
) -> Response {
    let slot = form.text("slot").parse::<Period>();
    let page = match (form.text("slot"), slot) {
        ("", _) => page(&form, None).await,
        (_, Ok(period)) => page(&filled(form, period), None).await,
        (_, Err(_)) => {
            let what = desk.lang().pick("请重新查找时间", "look for days again");
            let refusal = Refusal::field("first", what.to_owned());
            page(&form.put("slot", ""), Some(&refusal)).await.map(refused)
        }
    };
    page.unwrap_or_else(|status| desk.no(&status))
}

/// Proposes it.
pub async fn create(desk: Desk, form: Form) -> Response {
    let done = propose(&desk, &form).await.map(|name| parts::page_of("plan", &name));
    let done = done.map_err(|no| placed(no, desk.lang()));
    let again = async |refusal: &Refusal| page(&desk, &form, Some(refusal), &html! {}).await;
    end(&desk, done, again).await
}

async fn propose(desk: &Desk, form: &Form) -> Result<String, No> {
    let request = pb::CreatePlanRequest {
        parent: parts::parent(form),
        draft: Some(draft(desk, form).await?),
        request_id: form.text("request_id").to_owned(),
        ..Default::default()
    };
    let answer = desk.client.plans().create_plan(request).await?.into_inner();
    Ok(answer.plan.unwrap_or_default().name)
}

/// A refusal of a proposal, at the fields of its form.
pub fn placed(no: No, lang: Lang) -> No {
    no.within("draft.record", lang).within("draft", lang).placed(&PLACES, lang)
}

/// What the fields propose.
///
/// # Errors
/// [`Refusal`] at a field that cannot be read.
pub async fn draft(desk: &Desk, form: &Form) -> Result<pb::PlanDraft, Refusal> {
    let lang = desk.lang();
    period(form, lang)?;
    if form.number("draw_sites", lang)? > 0 {
        return unfinished(desk, form).await;
    }
    // None are drawn: those that are ticked are visited.
    let named = DRAW.iter().fold(form.clone(), |form, name| form.put(name, ""));
    unfinished(desk, &named).await
}

/// The same where the days may be open yet.
///
/// # Errors
/// [`Refusal`] at a field that cannot be read.
pub async fn unfinished(desk: &Desk, form: &Form) -> Result<pb::PlanDraft, Refusal> {
    let lang = desk.lang();
    let undated = form.text("first").is_empty() && form.text("last").is_empty();
    let period = if undated { None } else { Some(period(form, lang)?) };
    let overtime = !form.text("overtime").is_empty();
    let day = |at: HalfDay| pb::PlanDay { at: Some(half_day_to_pb(at)), overtime };
    let draw = draw(form, lang)?;
    let (cities, department) = (needs(form, lang)?, |one: &str| one.parse().unwrap_or(i32::MAX));
    let visits = match &draw {
        None => plan_sites::visits(desk, form, period).await?,
        Some(_) => Vec::new(),
    };
    Ok(pb::PlanDraft {
        kind: form.text("kind").parse().unwrap_or(0),
        cities,
        departments: form.all("department").map(department).collect(),
        days: period.into_iter().flat_map(Period::half_days).map(day).collect(),
        visits,
        draw,
        record: Some(plan_acts::amended(None, form)),
    })
}

/// How sites are drawn, when a number of the draw is filled in, be it zero in a draft: from those
/// that are chosen, or from all.
fn draw(form: &Form, lang: Lang) -> Result<Option<pb::DrawDraft>, Refusal> {
    if DRAW.iter().all(|name| form.text(name).is_empty()) {
        return Ok(None);
    }
    let number = |name: &str| form.number(name, lang);
    Ok(Some(pb::DrawDraft {
        sites: number("draw_sites")?,
        host_officers: number("draw_hosts")?,
        guest_officers: number("draw_guests")?,
        pool: form.all("site").map(str::to_owned).collect(),
        ..Default::default()
    }))
}

/// What each chosen city is to bring.
pub fn needs(form: &Form, lang: Lang) -> Result<Vec<pb::CityNeeds>, Refusal> {
    let need = |city: &str| {
        let count = |(field, kind): (&str, pb::UnitKind)| {
            let count = form.number(&format!("{field}-{city}"), lang)?;
            Ok(pb::UnitNeed { kind: kind.into(), count, department: 0 })
        };
        let needs = NEEDS.into_iter().map(count).collect::<Result<Vec<_>, Refusal>>()?;
        let needs = needs.into_iter().filter(|need| need.count > 0).collect();
        Ok(pb::CityNeeds { city: city.parse().unwrap_or(0), needs })
    };
    form.all("city").map(need).collect()
}

/// From the first half day to the last.
///
/// # Errors
/// [`Refusal`] at the field that cannot be read.
pub fn period(form: &Form, lang: Lang) -> Result<Period, Refusal> {
    let half = |date: &str, half: &str, otherwise: &str| {
        let half = if form.text(half) == "PM" || form.text(half).is_empty() && otherwise == "PM" {
            "下午"
        } else {
            "上午"
        };
        let text = format!("{}{half}", form.text(date));
        text.parse::<HalfDay>().map_err(|_| {
            let what = lang.pick("请填写日期，如 2026-12-08", "give a day such as 2026-12-08");
            Refusal::field(date, what.to_owned())
        })
    };
    let (first, last) = (half("first", "first_half", "AM")?, half("last", "last_half", "PM")?);
    Period::new(first, last).map_err(|_| {
        let what =
            lang.pick("结束早于开始，或超过两个月", "it ends before it begins, or is too long");
        Refusal::field("last", what.to_owned())
    })
}

/// The page with what was filled in, perhaps refused, and a note above.
///
/// # Errors
/// The service's refusal to list sites.
pub async fn page(
    desk: &Desk,
    form: &Form,
    refusal: Option<&Refusal>,
    note: &Markup,
) -> Result<Response, Status> {
    let lang = desk.lang();
    let title = lang.pick("发起联合行动", "Propose a joint action");
    let none = Refusal::default();
    let of = Filled { form: "new", again: Some((form, refusal.unwrap_or(&none))), lang };
    let agreement = desk.agreements.iter().find(|one| one.name == parts::parent(form));
    let main = match agreement {
        None => html! {
            h1 { (title) }
            p .soft { (lang.pick("参加市须都是该协议的成员。",
                "All who take part are members of the agreement.")) }
            (parts::choose_agreement(desk, "/plans/new"))
        },
        Some(_) if !desk.visitor.may(CREATE) => html! {
            h1 { (title) }
            @if let Some(refusal) = refusal { (parts::refused(refusal, lang)) }
            p .soft { (lang.pick("您的身份只能查看。", "Your role reads only.")) }
        },
        Some(agreement) => {
            let sites = register::sites(desk, &agreement.name, (form, MORE_SITES)).await?;
            let go = lang.pick("发起，征求各市意见", "Propose it to the cities");
            let more = plan_drafts::button(&format!("{NEW}/draft"), lang);
            let to =
                To { action: NEW, go, basis: parts::request_id(Some(form)), more, moved: None };
            let found = plan_slots::found(desk, form, &agreement.name, &to).await;
            html! {
                h1 { (title) }
                @if let Some(refusal) = refusal { (parts::refused(refusal, lang)) }
                (note)
                (fields(desk, &of, (form, agreement), (&sites, &found, &to)))
            }
        }
    };
    Ok(desk.page(title, &main))
}

/// The form. Only its last button writes.
pub fn fields(
    desk: &Desk,
    of: &Filled<'_>,
    (form, agreement): (&Form, &pb::Agreement),
    (sites, found, to): (&register::Choices, &Markup, &To<'_>),
) -> Markup {
    let lang = of.lang;
    html! {
        form #new method="post" action=(to.step("new")) {
            (to.basis)
            // Boxes that are all unticked send nothing: that they were there is told apart.
            input type="hidden" name="begun" value="1";
            input type="hidden" name="agreement" value=(form.text("agreement"));
            (of.line("text", "title", lang.pick("行动名称", "title"), ""))
            @let kinds = codes::plan_kinds(form.text("kind"), lang);
            (of.choice("kind", lang.pick("类型", "kind"), &kinds))
            (of.line("text", "theme", lang.pick("检查主题", "theme"), ""))
            (cities(desk, form, agreement, of))
            (of.choices("department", lang.pick("参加部门（不选为生态环境）",
                "departments (none: ecology and environment)"), &codes::departments(lang), &[]))
            (days(of, found, to))
            (plan_sites::fields(of, form, sites, to))
            fieldset {
                legend { (lang.pick("随机抽取（不抽取则不填）", "draw (empty without one)")) }
                div .choices {
                    (of.line("number", "draw_sites", lang.pick("抽取家数", "sites"), ""))
                    (of.line("number", "draw_hosts", lang.pick("每家当地人员（至少 2 人）",
                        "officers of the host at each, two at least"), ""))
                    (of.line("number", "draw_guests", lang.pick("每家外市人员",
                        "officers of others at each"), ""))
                }
            }
            (of.line("text", "meeting_place", lang.pick("集合地点", "place of meeting"), ""))
            (of.line("text", "contacts", lang.pick("联系人", "contacts"), ""))
            (of.text("text", lang.pick("工作安排", "tasks")))
            (of.text("route", lang.pick("路线", "route")))
            (of.text("safety", lang.pick("安全事项", "safety")))
            button formaction=(to.action) name="go" value="new" { (to.go) }
            (to.more)
        }
    }
}

/// From when until when, looking for days, and what was found.
fn days(of: &Filled<'_>, found: &Markup, to: &To<'_>) -> Markup {
    let lang = of.lang;
    let halves = |first: &str, second: &str| {
        let word = |half: &str| match half {
            "AM" => ("AM".to_owned(), lang.pick("上午", "morning").to_owned()),
            _ => ("PM".to_owned(), lang.pick("下午", "afternoon").to_owned()),
        };
        [word(first), word(second)]
    };
    let yes = [("1".to_owned(), lang.pick("可在休息日", "rest days may be used").to_owned())];
    let same = lang.pick("全程同一批人员", "the same units all along").to_owned();
    let same = [("1".to_owned(), same)];
    html! {
        fieldset #days {
            legend { (lang.pick("时间", "days")) }
            div .choices {
                (of.line("date", "first", lang.pick("开始", "first day"), ""))
                (of.choice("first_half", lang.pick("从", "from"), &halves("AM", "PM")))
                (of.line("date", "last", lang.pick("结束", "last day"), ""))
                (of.choice("last_half", lang.pick("到", "to"), &halves("PM", "AM")))
                (of.choices("overtime", lang.pick("加班", "overtime"), &yes, &[]))
                (of.choices("same_units", lang.pick("找时间", "finding days"), &same, &[]))
            }
            button .second formaction=(to.step("days")) name="look" value="1" {
                @if to.moved.is_some() {
                    (lang.pick("为本方案另找时间", "Find other days for this plan"))
                } @else {
                    (lang.pick("查找各市都能参加的时间", "Find days when all can come"))
                }
            }
            span .soft {
                (lang.pick("起止日期不填时，从明天起找连续一天", "without days: one day from tomorrow on"))
            }
            (found)
        }
    }
}

/// Who takes part, and what each is to bring.
fn cities(desk: &Desk, form: &Form, agreement: &pb::Agreement, of: &Filled<'_>) -> Markup {
    let lang = of.lang;
    let begun = !form.text("begun").is_empty() || form.all("city").next().is_some();
    html! {
        fieldset aria-describedby=[of.described("city")] {
            legend { (lang.pick("参加市及需求", "cities and what each brings")) }
            table {
                thead {
                    tr {
                        th scope="col" { (lang.pick("参加", "takes part")) }
                        @for (_, kind) in NEEDS {
                            th scope="col" { (words::unit_kind(kind, lang)) }
                        }
                    }
                }
                tbody {
                    @for member in &agreement.members {
                        @let code = member.city.to_string();
                        @let name = desk.names.city(member.city);
                        @let on = !begun || form.all("city").any(|one| one == code);
                        tr {
                            th scope="row" {
                                label .inline {
                                    input type="checkbox" name="city" value=(code) checked[on];
                                    " " (name)
                                }
                            }
                            @for (field, kind) in NEEDS {
                                @let id = format!("{field}-{code}");
                                @let label = format!("{name} {}", words::unit_kind(kind, lang));
                                @let two = if field == "officers" { "2" } else { "" };
                                @let value = if begun { form.text(&id) } else { two };
                                td {
                                    input type="number" min="0" max="99" name=(id) value=(value)
                                        aria-label=(label)
                                        aria-invalid=[of.wrong(&id).map(|_| "true")]
                                        aria-describedby=[of.described(&id)];
                                    (of.wrong_with(&id))
                                }
                            }
                        }
                    }
                }
            }
            (of.wrong_with("city"))
        }
    }
}

/// A half day as the form has it: the day, and which half of it.
#[must_use]
pub fn half(at: HalfDay) -> (String, &'static str) {
    let text = at.text(crate::domain::Language::Zh);
    let (date, half) = text.split_at_checked(10).unwrap_or((&text, ""));
    (date.to_owned(), if half == "下午" { "PM" } else { "AM" })
}

/// The form with these days filled in.
fn filled(form: Form, period: Period) -> Form {
    let ((first, from), (last, to)) = (half(period.first()), half(period.last()));
    form.put("first", &first).put("first_half", from).put("last", &last).put("last_half", to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_were_found_are_filled_in() {
        let form = Form::parse(b"agreement=aa&city=371500&first=2026-12-01");
        let period: Period = "2026-12-08下午 至 2026-12-09".parse().unwrap();
        assert_eq!(period.to_string().parse(), Ok(period), "as a button has it");
        let filled = filled(form, period);
        assert_eq!((filled.text("first"), filled.text("first_half")), ("2026-12-08", "PM"));
        assert_eq!((filled.text("last"), filled.text("last_half")), ("2026-12-09", "PM"));
        assert_eq!(filled.text("city"), "371500");
        assert_eq!(super::period(&filled, Lang::Zh).unwrap(), period);
    }

    #[test]
    fn a_draw_that_is_not_finished_is_one() {
        let draw = |form: &str| draw(&Form::parse(form.as_bytes()), Lang::Zh).unwrap();
        assert_eq!(draw("site=s/1&draw_sites=&draw_hosts="), None);
        let open = draw("site=s/1&site=s/2&draw_hosts=2").unwrap();
        assert_eq!((open.sites, open.host_officers, open.pool.len()), (0, 2, 2));
        assert!(draw("draw_sites=0").is_some(), "as a draft has it");
    }

    #[test]
    fn each_city_brings_what_was_asked_of_it() {
        let form = "city=371500&city=130400&officers-371500=2&drones-371500=1&officers-410900=3";
        let needs = needs(&Form::parse(form.as_bytes()), Lang::Zh).unwrap();
        let counts: Vec<_> = needs.iter().map(|one| (one.city, one.needs.len())).collect();
        assert_eq!(counts, [(371_500, 2), (130_400, 0)]);
    }
}
