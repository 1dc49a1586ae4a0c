//! The summary of a joint action (行动总结), generated in Chinese from the entries.
//!
//! Every number comes from [`Totals`] and from the cases that its findings name; nobody types one.
//! People add what numbers do not say in a text of their own.
//!
//! In scope: the sentences. Out of scope: adding up ([`super::results`]).
//!
//! Invariants:
//! 1. The text is the golden one, and its numbers are those of the data.
//!    (`f31_the_summary_is_generated_from_the_results`)

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::facts::{PlanFacts, Targets};
use super::results::{Sum, Totals};
use crate::domain::code::Words;
use crate::domain::date::Date;
use crate::ids::CityCode;

/// What a summary is made of.
pub struct Summarised<'a> {
    /// The title of the plan.
    pub title: &'a str,
    /// Who proposed it.
    pub initiator: CityCode,
    /// Its last revision.
    pub facts: &'a PlanFacts,
    /// What was found.
    pub totals: &'a Totals,
    /// Cases that were opened from it, counted from the cases.
    pub cases: u32,
    /// Cities that withheld their part of a draw.
    pub withheld: &'a BTreeSet<CityCode>,
    /// See [`super::Plan::silent`].
    pub silent: &'a BTreeSet<CityCode>,
    /// See [`super::Plan::late_revisions`].
    pub late_revisions: u32,
    /// The name of a city, such as 聊城.
    pub name: &'a dyn Fn(CityCode) -> String,
}

/// The text, one paragraph a line.
#[must_use]
pub fn summary(of: &Summarised<'_>) -> String {
    let mut text = opening(of);
    let Totals { all, .. } = of.totals;
    if let Targets::Draw(_) = of.facts.targets {
        text.push_str("检查对象由参加各市先行承诺、随后公开随机数，随机抽取产生");
        let names = |cities: &BTreeSet<CityCode>| {
            cities.iter().map(|city| (of.name)(*city)).collect::<Vec<_>>().join("、")
        };
        if !of.withheld.is_empty() {
            let names = names(of.withheld);
            let default = match of.facts.draw() {
                Some(rule) if rule.spares_withholders => "",
                Some(_) | None => "，其名录内对象全部列入检查",
            };
            let _ = write!(text, "；{names}未按承诺公开随机数，已重新抽取{default}");
        }
        if of.late_revisions > 0 {
            let _ = write!(text, "；随机数公开后方案修订{}次", of.late_revisions);
        }
        if !of.silent.is_empty() {
            let _ = write!(text, "，修订时{}尚未公开", names(of.silent));
        }
        text.push_str("。\n");
    }
    if *all == Sum::default() && of.totals.not_producing + of.totals.not_checked == 0 {
        text.push_str(match of.facts.targets {
            Targets::None => "本次行动未安排企业检查。\n",
            Targets::Named(_) | Targets::Draw(_) => "本次行动未检查企业。\n",
        });
        return text;
    }
    text.push_str(&found(of));
    text.push_str(&shares(of.totals));
    let departments = of.totals.departments.iter().map(|(one, sum)| (one.zh().to_owned(), *sum));
    text.push_str(&lines("分部门", departments));
    let cities = of.totals.cities.iter().map(|(city, sum)| ((of.name)(*city), *sum));
    text.push_str(&lines("分市", cities));
    text
}

fn opening(of: &Summarised<'_>) -> String {
    let guests: Vec<String> =
        of.facts.participants().filter(|city| *city != of.initiator).map(of.name).collect();
    let departments: Vec<&str> = of.facts.departments.iter().map(Words::zh).collect();
    let mut days: Vec<Date> = of.facts.days.iter().map(|day| day.at.on).collect();
    days.dedup();
    let when = match days.as_slice() {
        [] => String::new(),
        [only] => format!("于{}", long(*only)),
        [first, .., last] => format!("于{}至{}（共{}天）", long(*first), long(*last), days.len()),
    };
    let sends = match departments.as_slice() {
        [only] => format!("{only}部门派员"),
        all => format!("{}等{}个部门派员", all.join("、"), all.len()),
    };
    format!(
        "{}{when}开展，由{}发起，{}参加，{sends}。\n",
        of.title,
        (of.name)(of.initiator),
        guests.join("、"),
    )
}

/// 2026年4月14日.
fn long(on: Date) -> String {
    format!("{}年{}月{}日", on.year(), on.month(), on.day())
}

fn found(of: &Summarised<'_>) -> String {
    let Totals { all, samples, clues, not_producing, not_checked, .. } = of.totals;
    let mut text = format!("检查企业{}家，发现问题{}个", all.sites, all.problems);
    let _ = write!(text, "，形成线索{clues}条");
    if of.cases > 0 {
        let _ = write!(text, "（已转为案件{}件）", of.cases);
    }
    let _ = write!(text, "，采集样品{samples}个");
    if *not_producing > 0 {
        let _ = write!(text, "；另有{not_producing}家停产或关停");
    }
    if *not_checked > 0 {
        let _ = write!(text, "；另有{not_checked}家未检查");
    }
    text.push_str("。\n");
    text
}

fn shares(totals: &Totals) -> String {
    let Totals { on_site, off_site, joint_checks, .. } = totals;
    let share = totals.off_site_per_mille().unwrap_or(0);
    let (whole, tenth) = (share / 10, share % 10);
    format!(
        "现场检查{on_site}家，非现场检查{off_site}家，非现场占比{whole}.{tenth}%；\
         “进一次门、查多项事”{joint_checks}家。\n"
    )
}

fn lines(head: &str, sums: impl Iterator<Item = (String, Sum)>) -> String {
    let one = |(name, sum): (String, Sum)| {
        let Sum { sites, items, problems, visits: _ } = sum;
        format!("{name}检查{sites}家、{items}项，发现问题{problems}个")
    };
    let all: Vec<String> = sums.map(one).collect();
    if all.is_empty() { String::new() } else { format!("{head}：{}。\n", all.join("；")) }
}
