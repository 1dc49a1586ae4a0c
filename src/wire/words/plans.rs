//! Words of plans of joint action: those of the domain, by the numbers of messages.

use crate::domain::code::Words;
use crate::domain::plan::awaited::Awaited;
use crate::domain::plan::ready::Force;
use crate::domain::plan::{AnswerKind, PlanKind, PlanState, Resolution, VisitOutcome};
use crate::lang::Lang;
use crate::wire::code::{Code, Read};
use crate::wire::pb::v1 as pb;

fn word<T: Code + Words>(
    number: i32,
    unknown: (&'static str, &'static str),
    lang: Lang,
) -> &'static str {
    match T::read(number) {
        Read::Known(one) => lang.pick(one.zh(), one.en()),
        Read::Unset | Read::Newer => lang.pick(unknown.0, unknown.1),
    }
}

/// What sort of joint action.
#[must_use]
pub fn plan_kind(one: pb::PlanKind, lang: Lang) -> &'static str {
    word::<PlanKind>(one.into(), ("未知类型", "unknown"), lang)
}

/// What a city has answered.
#[must_use]
pub fn plan_answer(one: pb::PlanAnswerKind, lang: Lang) -> &'static str {
    word::<AnswerKind>(one.into(), ("未知答复", "unknown answer"), lang)
}

/// What became of an answer.
#[must_use]
pub fn plan_resolution(one: pb::PlanResolution, lang: Lang) -> &'static str {
    word::<Resolution>(one.into(), ("未知处理", "unknown"), lang)
}

/// Where a plan stands.
#[must_use]
pub fn plan_state(one: pb::PlanState, lang: Lang) -> &'static str {
    word::<PlanState>(one.into(), ("未知状态", "unknown state"), lang)
}

/// What a city has to do next.
#[must_use]
pub fn plan_awaited(one: pb::PlanAwaited, lang: Lang) -> &'static str {
    word::<Awaited>(one.into(), ("未知事项", "unknown"), lang)
}

/// Whether a rule can be set otherwise.
#[must_use]
pub fn rule_force(one: pb::RuleForce, lang: Lang) -> &'static str {
    word::<Force>(one.into(), ("未知", "unknown"), lang)
}

/// A plain move of the initiator.
#[must_use]
pub fn plan_step(one: pb::PlanStep, lang: Lang) -> &'static str {
    let (zh, en) = match one {
        pb::PlanStep::Unspecified => ("未知步骤", "unknown"),
        pb::PlanStep::Schedule => ("排定", "schedule"),
        pb::PlanStep::Redraw => ("重新抽取", "draw again"),
        pb::PlanStep::Begin => ("开始执行", "begin"),
        pb::PlanStep::Summarize => ("总结", "summarise"),
        pb::PlanStep::Cancel => ("取消", "cancel"),
    };
    lang.pick(zh, en)
}

/// How a visit ended.
#[must_use]
pub fn visit_outcome(one: pb::VisitOutcome, lang: Lang) -> &'static str {
    word::<VisitOutcome>(one.into(), ("未知结果", "unknown"), lang)
}

/// What happened in an entry about a plan; any other event is unknown here.
#[expect(clippy::wildcard_enum_match_arm, reason = "the caller lists every event")]
pub(super) fn plan_event(event: &pb::entry_header::Event, lang: Lang) -> &'static str {
    use pb::entry_header::Event as E;
    let (zh, en) = match event {
        E::PlanOpened(_) => ("发起方案", "plan opened"),
        E::PlanRevised(_) => ("修订方案", "plan revised"),
        E::PlanAmended(_) => ("补正方案", "plan amended"),
        E::PlanScheduled(_) => ("排定方案", "plan scheduled"),
        E::PlanRedrawn(_) => ("重新抽取", "drawn again"),
        E::PlanBegun(_) => ("开始执行", "action begun"),
        E::PlanSummarized(_) => ("行动总结", "action summarised"),
        E::PlanCancelled(_) => ("取消方案", "plan cancelled"),
        E::PlanAnswered(answered) => return plan_answer(answered.kind(), lang),
        E::PlanUnitsSwapped(_) => ("调整派出力量", "other units sent"),
        E::DrawCommitted(_) => ("提交抽取承诺", "committed to a draw"),
        E::DrawRevealed(_) => ("公开随机数", "part of a draw shown"),
        E::TeamArrived(_) => ("到场签到", "team arrived"),
        E::VisitReported(_) => ("上报检查结果", "visit reported"),
        E::FindingOpened(_) => ("线索转办", "finding followed up"),
        E::PlanResultsReported(_) => ("结果上报完毕", "all results reported"),
        E::PlanUnitsReleased(_) => ("释放执法力量", "units released"),
        E::PlanAnswerResolved(resolved) => return plan_resolution(resolved.resolution(), lang),
        _ => ("未知事项", "unknown event"),
    };
    lang.pick(zh, en)
}
