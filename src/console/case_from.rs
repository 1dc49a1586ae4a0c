//! A case from what a visit of a joint action found: its form is filled in with what is known of
//! site and visit, and once it is opened it is linked to the visit.
//!
//! These are two records and two writes. Should the second not be made, the case is there all the
//! same, and the page of the visits, which is shown then, links it.
//!
//! In scope: which visit, what is filled in, the link. Out of scope: the form itself
//! ([`super::case_new`]); whose case it may be, which the service says.

use maud::{Markup, html};
use tonic::Status;

use super::form::Form;
use super::layout::Desk;
use super::{parts, plan_visits};
use crate::lang::Lang;
use crate::shown::text::clean;
use crate::shown::when;
use crate::wire::pb::v1 as pb;

/// What the form carries on: which visit, of which revision, and in words.
const CARRIED: [&str; 5] = ["plan", "site", "nth", "revision", "found_by"];

/// The address of the form of a case for a visit; nothing of what was typed stands in it.
#[must_use]
pub fn page_for(plan: &pb::Plan, visit: &pb::PlanVisit) -> String {
    let id = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let agreement = parts::agreement_of(&plan.name);
    let (plan, site) = (id(&plan.name), id(&visit.site));
    let agreement = parts::id_of(&agreement);
    format!("/cases/new?agreement={agreement}&plan={plan}&site={site}&nth={}", visit.nth)
}

/// The names of plan and site, and which visit there; none when the case is from no visit.
fn visit(form: &Form) -> Option<(String, String, u32)> {
    let (parent, plan, site) = (parts::parent(form), form.text("plan"), form.text("site"));
    let nth = form.text("nth").parse().ok()?;
    let named = !plan.is_empty() && !site.is_empty();
    named.then(|| (format!("{parent}/plans/{plan}"), format!("{parent}/sites/{site}"), nth))
}

/// The form with what is known of the visit, unless it was filled in before.
///
/// # Errors
/// The service's refusal to show plan or site.
pub async fn filled(desk: &Desk, form: Form) -> Result<Form, Status> {
    let Some((plan, site, nth)) = visit(&form).filter(|_| form.text("revision").is_empty()) else {
        return Ok(form);
    };
    let (mut plans, mut sites) = (desk.client.plans(), desk.client.sites());
    let (plan, site) = tokio::try_join!(
        plans.get_plan(pb::GetPlanRequest { name: plan }),
        sites.get_site(pb::GetSiteRequest { name: site })
    )?;
    let plan = plan.into_inner().plan.unwrap_or_default();
    let site = site.into_inner().site.unwrap_or_default();
    let at = plan.visits.iter().find(|one| one.site == site.name && one.nth == nth);
    Ok(known(&plan, &site, at, desk.lang())
        .into_iter()
        .fold(form, |form, (name, value)| form.put(name, &value)))
}

fn known(
    plan: &pb::Plan,
    site: &pb::Site,
    visit: Option<&pb::PlanVisit>,
    lang: Lang,
) -> Vec<(&'static str, String)> {
    let record = site.record.clone().unwrap_or_default();
    let location = record.location.unwrap_or_default();
    let facts = site.facts.clone().unwrap_or_default();
    let title = plan.record.as_ref().map_or("", |record| record.title.as_str());
    let found_by = lang.pick(
        format!("来自联合执法行动 {} {title} 对{}的检查", plan.number, record.name),
        format!("from the visit to {} of joint action {} {title}", record.name, plan.number),
    );
    let source = match plan.kind() {
        pb::PlanKind::DoubleRandom => pb::Source::DoubleRandom,
        pb::PlanKind::Unspecified
        | pb::PlanKind::JointInspection
        | pb::PlanKind::CrossInspection
        | pb::PlanKind::JointCampaign
        | pb::PlanKind::EmergencyDrill
        | pb::PlanKind::TrainingExchange => pb::Source::JointInspection,
    };
    // Which of several media it is about is for people to say.
    let medium = match facts.media.as_slice() {
        [only] => only.to_string(),
        _ => String::new(),
    };
    let on = visit.and_then(|one| one.result.as_ref()).and_then(|result| result.on);
    vec![
        ("revision", plan.revision_entry.clone()),
        ("found_by", found_by),
        ("facts.source", i32::from(source).to_string()),
        ("facts.medium", medium),
        ("facts.county_code", facts.county_code.to_string()),
        ("facts.occurred_from", when::date(on.as_ref())),
        ("record.summary", visit.map(|one| one.text.clone()).unwrap_or_default()),
        ("record.location.address", location.address),
        ("record.location.longitude", location.longitude),
        ("record.location.latitude", location.latitude),
        ("record.party.type", i32::from(pb::PartyType::LegalPerson).to_string()),
        ("record.party.name", record.name),
        ("record.party.uscc", record.uscc),
        ("record.party.industry_code", record.industry_code),
        ("record.party.permit_number", record.permit_number),
    ]
}

/// What the form carries on, and what it is about.
#[must_use]
pub fn carried(form: &Form, lang: Lang) -> Markup {
    html! {
        @if visit(form).is_some() {
            p .hint {
                (clean(form.text("found_by"))) br;
                (lang.pick("登记后自动关联到这次检查。", "Once it is opened it is linked to that visit."))
            }
            @for name in CARRIED { input type="hidden" name=(name) value=(form.text(name)); }
        }
    }
}

/// Links a case that was opened to its visit. Where that fails: the page on which it is done later.
pub async fn link(desk: &Desk, form: &Form, case: &str) -> Option<String> {
    let (name, site, nth) = visit(form)?;
    let at = plan_visits::address(&name, &site, &nth.to_string());
    let request = pb::OpenFindingRequest {
        name,
        revision: form.text("revision").to_owned(),
        site,
        nth,
        case: case.to_owned(),
        // Of the same form, so that one that is sent again links once.
        request_id: format!("{}-link", form.text("request_id")),
        acting_for: None,
    };
    let linked = desk.client.plans().open_finding(request).await;
    let id = case.rsplit('/').next().unwrap_or_default();
    linked.is_err().then(|| format!("{at}&unlinked={id}"))
}
