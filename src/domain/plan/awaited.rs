//! Who has to do something about a plan next: what a city sees first when it opens its page.
//!
//! In scope: what follows from the stage and what the cities have said. Out of scope: whether it
//! would be refused ([`super::decide`]).
//!
//! Invariants:
//! 1. A plan that has not ended always awaits somebody, at the latest on its first day.
//!    (`an_open_plan_always_awaits_somebody`)

use std::collections::{BTreeMap, BTreeSet};

use super::answer::AnswerKind;
use super::state::{Plan, PlanStage};
use crate::domain::code::coded;
use crate::domain::date::Date;
use crate::ids::CityCode;

coded! {
    /// What a city has to do next.
    Awaited {
        Answer "ANSWER" "答复方案" "answer the plan";
        Commit "COMMIT" "提交抽取承诺" "commit to the draw";
        Resolve "RESOLVE" "处理调整意见或退出" "resolve requests and withdrawals";
        Schedule "SCHEDULE" "排定" "schedule";
        Reveal "REVEAL" "公开随机数" "show its part of the draw";
        Begin "BEGIN" "开始执行" "begin";
        Report "REPORT" "上报结果" "report results";
        Summarize "SUMMARIZE" "总结" "summarise";
    }
}

/// What the cities have said so far, of the present revision and attempt.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// Newest answers that are no comments.
    pub answers: &'a BTreeMap<CityCode, AnswerKind>,
    /// Who is bound to its part of the draw.
    pub committed: &'a BTreeSet<CityCode>,
    /// Who has shown it.
    pub revealed: &'a BTreeSet<CityCode>,
    /// Whose results are in.
    pub reported: &'a BTreeSet<CityCode>,
}

/// Who has to do what, in the order of cities; `reveal_on` is the first day on which a draw is
/// shown.
#[must_use]
pub fn awaited(
    plan: &Plan,
    heard: Heard<'_>,
    reveal_on: Date,
    today: Date,
) -> BTreeMap<CityCode, Vec<Awaited>> {
    let mut all: BTreeMap<CityCode, Vec<Awaited>> = BTreeMap::new();
    let mut add = |city: CityCode, what: Awaited| all.entry(city).or_default().push(what);
    let draws = plan.facts.draw().is_some();
    let (mut ready, mut unrest) = (true, false);
    for city in plan.facts.participants() {
        let answer = heard.answers.get(&city).copied();
        let confirmed = answer == Some(AnswerKind::Confirm);
        let undecided = matches!(answer, None | Some(AnswerKind::Tentative));
        let gone = answer == Some(AnswerKind::Withdraw);
        // Given at the same time as the plan was settled, an answer leaves open whether it comes.
        let crossed = !confirmed && !gone;
        unrest |= !confirmed && (plan.stage != PlanStage::Open || !undecided);
        let (does, done) = match plan.stage {
            PlanStage::Open if undecided => (Awaited::Answer, false),
            PlanStage::Open => {
                (Awaited::Commit, !confirmed || !draws || heard.committed.contains(&city))
            }
            PlanStage::Scheduled if crossed => (Awaited::Answer, false),
            PlanStage::Scheduled => {
                let shown = !draws || heard.revealed.contains(&city);
                (Awaited::Reveal, shown || today < reveal_on)
            }
            // After another draw the targets are not known before all have shown their parts.
            PlanStage::Executing if draws && !heard.revealed.contains(&city) => {
                (Awaited::Reveal, false)
            }
            // Whoever has withdrawn is not waited for.
            PlanStage::Executing => {
                let does = if crossed { Awaited::Answer } else { Awaited::Report };
                (does, gone || heard.reported.contains(&city))
            }
            PlanStage::Summarized | PlanStage::Cancelled => return BTreeMap::new(),
        };
        ready &= done;
        if !done {
            add(city, does);
        }
    }
    let begins = plan.facts.days.first().is_none_or(|first| first.at.on <= today);
    let mine = match plan.stage {
        PlanStage::Open | PlanStage::Scheduled if unrest => Some(Awaited::Resolve),
        PlanStage::Open => ready.then_some(Awaited::Schedule),
        PlanStage::Scheduled => (ready && begins).then_some(Awaited::Begin),
        PlanStage::Executing => ready.then_some(Awaited::Summarize),
        PlanStage::Summarized | PlanStage::Cancelled => None,
    };
    if let Some(mine) = mine {
        add(plan.initiator, mine);
    }
    all
}
