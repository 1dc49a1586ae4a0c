//! What one version of a plan says otherwise than another one.
//!
//! In scope: which things, in words. Out of scope: what cities answered to either.

use std::collections::{BTreeMap, BTreeSet};

use super::Labels;
use super::parts::{self, joined};
use crate::lang::Lang;
use crate::shown::names::Names;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// A thing that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is called.
    pub label: &'static str,
    /// What it was; empty where there was nothing.
    pub before: String,
    /// What it is; empty where there is nothing.
    pub after: String,
    /// The label says already whether it came or went.
    comes_or_goes: bool,
}

impl Change {
    /// One that is on both sides, or missing on one.
    #[must_use]
    pub const fn new(label: &'static str, before: String, after: String) -> Self {
        Self { label, before, after, comes_or_goes: false }
    }

    const fn gone(label: &'static str, before: String) -> Self {
        Self { label, before, after: String::new(), comes_or_goes: true }
    }

    const fn come(label: &'static str, after: String) -> Self {
        Self { label, before: String::new(), after, comes_or_goes: true }
    }

    fn line(&self, lang: Lang) -> String {
        let (label, [before, after]) =
            (self.label, [&self.before, &self.after].map(|one| clean(one)));
        let colon = lang.pick("：", ": ");
        match self.comes_or_goes {
            true => format!("{label}{colon}{before}{after}"),
            false => {
                format!("{label}{colon}{} → {}", or_none(&before, lang), or_none(&after, lang))
            }
        }
    }
}

/// A text, or that there is none.
#[must_use]
pub fn or_none(text: &str, lang: Lang) -> &str {
    if text.is_empty() { lang.pick("（无）", "(none)") } else { text }
}

/// A line for each thing that a plan says otherwise than its revision before; none for a first one.
#[must_use]
pub fn changes(plan: &pb::Plan, labels: &Labels, names: &Names, lang: Lang) -> Vec<String> {
    let Some(before) = &plan.previous else { return Vec::new() };
    between(before, plan, labels, names, lang).iter().map(|one| one.line(lang)).collect()
}

/// A plan as it stands, to be compared with another version of it.
#[must_use]
pub fn as_it_stands(plan: &pb::Plan) -> pb::PlanRevision {
    let visit = |one: &pb::PlanVisit| pb::VisitDraft {
        site: one.site.clone(),
        first: one.first,
        last: one.last,
        exception: one.exception,
    };
    let named = plan.visits.iter().filter(|_| plan.draw_rule.is_none());
    pb::PlanRevision {
        revision: plan.revision,
        entry: plan.revision_entry.clone(),
        kind: plan.kind,
        cities: plan.cities.clone(),
        departments: plan.departments.clone(),
        days: plan.days.clone(),
        visits: named.map(visit).collect(),
        draw_rule: plan.draw_rule.clone(),
        record: plan.record.clone(),
    }
}

/// What a plan says otherwise than another version of it.
#[must_use]
pub fn between(
    before: &pb::PlanRevision,
    plan: &pb::Plan,
    labels: &Labels,
    names: &Names,
    lang: Lang,
) -> Vec<Change> {
    let mut all = Vec::new();
    let mut put = |label: &'static str, old: String, new: String| {
        if old != new {
            all.push(Change::new(label, old, new));
        }
    };
    let kind = |one| words::plan_kind(one, lang).to_owned();
    put(lang.pick("类型", "kind"), kind(before.kind()), kind(plan.kind()));
    let days = |days: &[pb::PlanDay]| parts::days(days, lang);
    put(lang.pick("时间", "days"), days(&before.days), days(&plan.days));
    let departments = |all: &mut dyn Iterator<Item = pb::Department>| {
        joined(&all.map(|one| words::department(one, lang).to_owned()).collect::<Vec<_>>(), lang)
    };
    put(
        lang.pick("参加部门", "departments"),
        departments(&mut before.departments()),
        departments(&mut plan.departments()),
    );
    let rule =
        |rule: Option<&pb::DrawRule>| rule.map_or_else(String::new, |rule| parts::rule(rule, lang));
    let label = lang.pick("抽取规则", "draw");
    put(label, rule(before.draw_rule.as_ref()), rule(plan.draw_rule.as_ref()));
    for (label, old, new) in texts(before.record.as_ref(), plan.record.as_ref(), lang) {
        put(label, old, new);
    }
    all.extend(cities(before, plan, names, lang));
    all.extend(visits(before, plan, labels, lang));
    all
}

/// What people typed, before and now.
fn texts(
    before: Option<&pb::PlanRecord>,
    now: Option<&pb::PlanRecord>,
    lang: Lang,
) -> Vec<(&'static str, String, String)> {
    // What was erased is not compared with what is there.
    let (Some(before), Some(now)) = (before, now) else { return Vec::new() };
    [
        (lang.pick("行动名称", "title"), &before.title, &now.title),
        (lang.pick("检查主题", "theme"), &before.theme, &now.theme),
        (lang.pick("集合地点", "place of meeting"), &before.meeting_place, &now.meeting_place),
        (lang.pick("联系人", "contacts"), &before.contacts, &now.contacts),
        (lang.pick("路线", "route"), &before.route, &now.route),
        (lang.pick("安全事项", "safety"), &before.safety, &now.safety),
        (lang.pick("工作安排", "text"), &before.text, &now.text),
    ]
    .map(|(label, old, new)| (label, parts::words_of(old), parts::words_of(new)))
    .to_vec()
}

/// Who joins, who leaves, and of whom something else is asked.
fn cities(before: &pb::PlanRevision, plan: &pb::Plan, names: &Names, lang: Lang) -> Vec<Change> {
    let of = |all: &[pb::CityNeeds]| -> BTreeMap<u32, String> {
        all.iter().map(|one| (one.city, parts::needs(one, names, lang))).collect()
    };
    let (old, new) = (of(&before.cities), of(&plan.cities));
    let all: BTreeSet<&u32> = old.keys().chain(new.keys()).collect();
    let one = |city: &&u32| match (old.get(*city), new.get(*city)) {
        (Some(old), Some(new)) if old == new => None,
        (Some(old), Some(new)) => {
            Some(Change::new(lang.pick("需求", "needs"), old.clone(), new.clone()))
        }
        (None, Some(new)) => Some(Change::come(lang.pick("新参加", "joins"), new.clone())),
        (Some(_), None) => {
            let label = lang.pick("不再参加", "no longer takes part");
            Some(Change::gone(label, names.city(**city)))
        }
        (None, None) => None,
    };
    all.iter().filter_map(one).collect()
}

/// Visits that were there and are not, and the other way round. What a draw comes to is no change.
fn visits(before: &pb::PlanRevision, plan: &pb::Plan, labels: &Labels, lang: Lang) -> Vec<Change> {
    let said = |site: &str, first: Option<&pb::HalfDay>, last: Option<&pb::HalfDay>, why: i32| {
        let exception = pb::VisitException::try_from(why).unwrap_or_default();
        let exception = match why {
            0 => String::new(),
            _ => format!(" {}", words::visit_exception(exception, lang)),
        };
        // Two sites may have one name.
        let said = format!("{} {}{exception}", labels.label(site), parts::span(first, last, lang));
        (site.to_owned(), said)
    };
    let old: BTreeSet<(String, String)> = before
        .visits
        .iter()
        .map(|one| said(&one.site, one.first.as_ref(), one.last.as_ref(), one.exception))
        .collect();
    let named = plan.visits.iter().filter(|_| plan.draw_rule.is_none());
    let new: BTreeSet<(String, String)> = named
        .map(|one| said(&one.site, one.first.as_ref(), one.last.as_ref(), one.exception))
        .collect();
    let list = |from: &BTreeSet<(String, String)>, to| {
        let only: Vec<String> = from.difference(to).map(|(_, said)| said.clone()).collect();
        joined(&only, lang)
    };
    let gone = Change::gone(lang.pick("取消的检查", "visits that are dropped"), list(&old, &new));
    let come = Change::come(lang.pick("增加的检查", "visits that are added"), list(&new, &old));
    [gone, come].into_iter().filter(|one| one.before != one.after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::unit::half_day_to_pb;

    #[test]
    fn what_a_revision_changed_is_told_and_nothing_else() {
        let half = |text: &str| Some(half_day_to_pb(text.parse().unwrap()));
        let day = |text| pb::PlanDay { at: half(text), overtime: false };
        let need = |city, count| pb::CityNeeds {
            city,
            needs: vec![pb::UnitNeed { kind: pb::UnitKind::Officer.into(), count, department: 0 }],
        };
        let record =
            |title: &str| Some(pb::PlanRecord { title: title.into(), ..Default::default() });
        let draft = |site: &str| pb::VisitDraft {
            site: site.to_owned(),
            first: half("2026-12-08上午"),
            ..Default::default()
        };
        let visit = |site: &str| pb::PlanVisit {
            site: site.to_owned(),
            first: half("2026-12-08上午"),
            ..Default::default()
        };
        let mut plan = pb::Plan {
            kind: pb::PlanKind::JointInspection.into(),
            days: vec![day("2026-12-08上午")],
            cities: vec![need(371_500, 2), need(410_900, 1)],
            visits: vec![visit("s/kept"), visit("s/new")],
            record: record("新名称"),
            ..Default::default()
        };
        let names = Names::new(Lang::Zh);
        let told = |plan: &pb::Plan| changes(plan, &Labels::default(), &names, Lang::Zh);
        assert!(told(&plan).is_empty(), "there is nothing before it");
        plan.previous = Some(pb::PlanRevision {
            kind: pb::PlanKind::JointInspection.into(),
            days: vec![day("2026-12-07下午")],
            cities: vec![need(371_500, 3), need(130_400, 1)],
            visits: vec![draft("s/kept"), draft("s/old")],
            record: record("旧名称"),
            ..Default::default()
        });
        let lines = told(&plan);
        let wanted = [
            "时间：2026-12-07下午 → 2026-12-08上午",
            "行动名称：旧名称 → 新名称",
            "不再参加：邯郸",
            "需求：聊城：执法人员 3 → 聊城：执法人员 2",
            "新参加：濮阳：执法人员 1",
            "取消的检查：old 2026-12-08上午",
            "增加的检查：new 2026-12-08上午",
        ];
        assert_eq!(lines, wanted);
        plan.record = None;
        assert!(!told(&plan).iter().any(|line| line.contains("旧名称")), "what was erased");
    }
}
