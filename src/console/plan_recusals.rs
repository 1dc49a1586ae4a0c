//! Who of the own city is not to go where, in the forms that send units.
//!
//! In scope: the fields, what they say. Out of scope: that a recusal holds until it is taken back,
//! which is the node's.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::form::Form;
use super::layout::Desk;
use super::parts::{self, Filled};
use super::register;
use crate::ids::hex;
use crate::shown::plan::Labels;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// The sites from which somebody may be kept: those that are visited, or may be drawn.
fn sites(plan: &pb::Plan) -> BTreeSet<String> {
    let parent = parts::agreement_of(&plan.name);
    let listed = plan.pool.iter().filter(|one| one.left_out == 0);
    let listed = listed.map(|one| format!("{parent}/sites/{}", hex(&one.site_id)));
    plan.visits.iter().map(|visit| visit.site.clone()).chain(listed).collect()
}

/// Learns what they are called.
pub async fn learn(desk: &Desk, plan: &pb::Plan, labels: &mut Labels) {
    let known = plan.visits.iter().map(|visit| &visit.site);
    let mut wanted = sites(plan);
    for one in known {
        wanted.remove(one);
    }
    if plan.cities.iter().any(|one| one.city == desk.city) {
        register::learn_sites(desk, &parts::agreement_of(&plan.name), wanted, labels).await;
    }
}

/// What is declared so far, and fields for taking it back and for declaring more.
pub fn fields(
    of: &Filled<'_>,
    plan: &pb::Plan,
    (declared, units, labels): (&[pb::RecusalDraft], &register::Choices, &Labels),
) -> Markup {
    let lang = of.lang;
    let whole = lang.pick("整个行动", "the whole action");
    let told = |one: &pb::RecusalDraft| {
        let site = if one.site.is_empty() { whole.to_owned() } else { labels.label(&one.site) };
        let said = format!("{}{}{site}", labels.label(&one.officer), lang.pick("：", ": "));
        (format!("{} {}", one.officer, one.site).trim_end().to_owned(), said)
    };
    let lifts: Vec<(String, String)> = declared.iter().map(told).collect();
    let officer = words::unit_kind(pb::UnitKind::Officer, lang);
    let officers = units.all.iter().filter(|(_, label)| label.starts_with(officer));
    let officers: Vec<(String, String)> = officers.cloned().collect();
    let sites = sites(plan).into_iter().map(|site| {
        let label = labels.label(&site);
        (site, label)
    });
    let sites: Vec<_> = [(String::new(), whole.to_owned())].into_iter().chain(sites).collect();
    let opened = of.again.is_some_and(|(form, _)| form.all("recuse").next().is_some());
    html! {
        @if !lifts.is_empty() {
            (of.choices("lift", lang.pick("已登记的回避（一直有效，勾选的解除）",
                "recusals that hold (tick to take back)"), &lifts, &[]))
        }
        details open[opened] {
            summary { (lang.pick("登记回避", "Declare a recusal")) }
            (of.choices("recuse", lang.pick("回避人员", "who is not to go"), &officers, &[]))
            (of.choice("recuse_site", lang.pick("回避的检查对象", "where"), &sites))
        }
    }
}

/// Who is to be kept from where from now on.
pub fn declared(form: &Form) -> Vec<pb::RecusalDraft> {
    let site = form.text("recuse_site");
    let recusal = |officer: &str| draft(officer, site);
    form.all("recuse").map(recusal).collect()
}

/// Which recusals hold no more.
pub fn lifted(form: &Form) -> Vec<pb::RecusalDraft> {
    let recusal = |one: &str| {
        let (officer, site) = one.split_once(' ').unwrap_or((one, ""));
        draft(officer, site)
    };
    form.all("lift").map(recusal).collect()
}

fn draft(officer: &str, site: &str) -> pb::RecusalDraft {
    pb::RecusalDraft { officer: officer.to_owned(), site: site.to_owned() }
}
