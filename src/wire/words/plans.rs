//! Words of plans of joint action: those of the domain, by the numbers of messages.

use crate::domain::code::Words;
use crate::domain::plan::{AnswerKind, PlanKind, Resolution, VisitOutcome};
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

/// How a visit ended.
#[must_use]
pub fn visit_outcome(one: pb::VisitOutcome, lang: Lang) -> &'static str {
    word::<VisitOutcome>(one.into(), ("未知结果", "unknown"), lang)
}
