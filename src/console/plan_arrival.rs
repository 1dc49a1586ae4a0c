//! The form of who came to a visit, and of its correction.
//!
//! In scope: its fields. Out of scope: the page around it ([`super::plan_visits`]).

use maud::{Markup, html};

use super::parts::Filled;
use super::plan;
use crate::shown::plan::Labels;
use crate::shown::when;
use crate::wire::pb::v1 as pb;

/// The fields, with what stands there already. Who came is ticked by people, never by what was
/// drawn: nobody is put down as present unseen.
pub fn fields(
    of: &Filled<'_>,
    plan: &pb::Plan,
    (visit, labels): (&pb::PlanVisit, &Labels),
    own_city: u32,
) -> Markup {
    let lang = of.lang;
    let own = officers(plan, (visit, labels), |city| city == own_city);
    let guests = officers(plan, (visit, labels), |city| city != own_city);
    let now = visit.arrival.clone().unwrap_or_default();
    let stands = visit.arrival_entry.as_ref().map_or("", |entry| entry.entry.as_str());
    let is_stale = of.refused().is_some_and(|(_, refusal)| refusal.is_stale);
    html! {
        (of.kept_or_none("replaces", stands))
        @if is_stale && visit.arrival.is_some() {
            p .hint role="status" {
                (lang.pick("现在的登记见上方“到场”一行，下面是您填写的，提交即更正为您填写的内容。",
                    "What stands there now is told above. Below is what you typed; sending it \
                        corrects the arrival to that."))
            }
        }
        (of.line("date", "on", lang.pick("日期（不填为今天）", "day (today)"),
            &when::date(now.on.as_ref())))
        (of.choices("officers", lang.pick("本市执法人员（至少两名）", "own officers, two at least"),
            &own, &there(&now.officers)))
        (of.choices("guests", lang.pick("外市执法人员", "officers of other cities"), &guests,
            &there(&now.guests)))
    }
}

fn there(units: &[String]) -> Vec<&str> {
    units.iter().map(String::as_str).collect()
}

/// Whom some of the plan's cities send, and who may come to a visit: officers, of cities that have
/// confirmed, who are not recused from there.
fn officers(
    plan: &pb::Plan,
    (visit, labels): (&pb::PlanVisit, &Labels),
    of: impl Fn(u32) -> bool,
) -> Vec<(String, String)> {
    let cities = plan.answers.iter().map(|one| one.city).filter(|city| of(*city));
    let sent = cities.filter_map(|city| plan::own_sent(plan, city));
    let able = sent.flat_map(|sent| {
        let is_recused = |unit: &str| {
            let here = |site: &str| site.is_empty() || site == visit.site;
            sent.recusals.iter().any(|one| one.officer == unit && here(&one.site))
        };
        sent.units.iter().filter(move |one| !labels.is_thing(&one.unit) && !is_recused(&one.unit))
    });
    able.map(|one| (one.unit.clone(), labels.label(&one.unit))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_officers_who_may_come_are_offered_at_a_visit() {
        let unit = |name: &str, kind: pb::UnitKind| pb::Unit {
            name: name.to_owned(),
            kind: kind.into(),
            record: Some(pb::UnitRecord { number: format!("号{name}"), team: String::new() }),
            ..Default::default()
        };
        let mut labels = Labels::default();
        for (name, kind) in [("u/1", pb::UnitKind::Officer), ("u/2", pb::UnitKind::Officer)] {
            labels.learn_unit(unit(name, kind));
        }
        labels.learn_unit(unit("u/3", pb::UnitKind::Vehicle));
        labels.learn_unit(unit("u/4", pb::UnitKind::Uav));
        let draft = |name: &str| pb::UnitDraft { unit: name.to_owned(), ..Default::default() };
        let recused = pb::RecusalDraft { officer: "u/2".to_owned(), site: "s/9".to_owned() };
        let answer = |city, kind: pb::PlanAnswerKind| pb::PlanAnswer {
            city,
            kind: kind.into(),
            sent: Some(pb::SentDraft {
                units: ["u/1", "u/2", "u/3", "u/4"].map(draft).to_vec(),
                recusals: vec![recused.clone()],
            }),
            ..Default::default()
        };
        let answers =
            vec![answer(1, pb::PlanAnswerKind::Confirm), answer(2, pb::PlanAnswerKind::Tentative)];
        let plan = pb::Plan { answers, ..Default::default() };
        let of = |site: &str, city| {
            let visit = pb::PlanVisit { site: site.to_owned(), ..Default::default() };
            let all = officers(&plan, (&visit, &labels), |one| one == city);
            all.into_iter().map(|(_, label)| label).collect::<Vec<_>>()
        };
        assert_eq!(of("s/1", 1), ["号u/1", "号u/2"]);
        assert_eq!(of("s/9", 1), ["号u/1"], "the other one is recused from there");
        assert_eq!(of("s/1", 2), [""; 0], "not confirmed");
    }
}
