//! What is wrong with what a revision says.

use super::words::{Names, told};
use crate::domain::code::Words;
use crate::domain::plan::facts::PlanKind;
use crate::domain::plan::ready::{OURS, Pair, Rule};
use crate::ids::{CityCode, SubjectId};

/// Why a revision is none. In the log of another city it is a misfit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FactsRefusal {
    /// Cities are two or more, each once.
    #[error("participants are not 2 to 16 cities, each once")]
    Participants,
    /// Whoever proposes a plan takes part.
    #[error("initiator {initiator} does not take part")]
    InitiatorMissing {
        /// Who proposes it.
        initiator: CityCode,
    },
    /// Only members take part.
    #[error("participant {city} is not a member of the agreement")]
    ParticipantNotMember {
        /// The participant that was named.
        city: CityCode,
    },
    /// What a city is to bring is not a short list of kinds and numbers.
    #[error("needs of {city} are not as they should be")]
    Needs {
        /// Whose.
        city: CityCode,
    },
    /// Departments are one or more, each once.
    #[error("departments are not one or more, each once")]
    Departments,
    /// Half days are one or more, each once.
    #[error("half days are not 1 to 62, each once")]
    Days,
    /// The kind of plan has other targets.
    #[error("a plan of kind {kind} has other targets")]
    TargetsOfKind {
        /// The kind.
        kind: PlanKind,
    },
    /// Visits are one or more.
    #[error("visits are not 1 to 200")]
    Visits,
    /// A visit is on half days of the plan.
    #[error("visit to {site} is not on half days of the plan")]
    VisitDays {
        /// Where.
        site: SubjectId,
    },
    /// Visits to one site do not overlap.
    #[error("visits to {site} overlap")]
    VisitTwice {
        /// Where.
        site: SubjectId,
    },
    /// Numbers, weights or teams of the rule are none.
    #[error("rule of the draw is not as it should be")]
    DrawRule,
}

impl FactsRefusal {
    /// The stable reason, upper-case letters and underscores.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Participants => "PARTICIPANTS",
            Self::InitiatorMissing { .. } => "INITIATOR_MISSING",
            Self::ParticipantNotMember { .. } => "PARTICIPANT_NOT_MEMBER",
            Self::Needs { .. } => "PLAN_NEEDS",
            Self::Departments => "PLAN_DEPARTMENTS",
            Self::Days => "PLAN_DAYS",
            Self::TargetsOfKind { .. } => "TARGETS_OF_KIND",
            Self::Visits => "PLAN_VISITS",
            Self::VisitDays { .. } => "VISIT_DAYS",
            Self::VisitTwice { .. } => "VISIT_TWICE",
            Self::DrawRule => "DRAW_RULE",
        }
    }

    /// The field of a request that it concerns.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Participants
            | Self::InitiatorMissing { .. }
            | Self::ParticipantNotMember { .. } => "cities",
            Self::Needs { .. } => "cities.needs",
            Self::Departments => "departments",
            Self::Days => "days",
            Self::TargetsOfKind { .. } => "targets",
            Self::Visits | Self::VisitDays { .. } | Self::VisitTwice { .. } => "targets.visits",
            Self::DrawRule => "targets.draw",
        }
    }

    /// The rule and where it comes from.
    #[must_use]
    pub const fn rule(self) -> Rule {
        let sentence: Pair = match self {
            Self::Participants => {
                ("参加城市 2 至 16 个，每市只列一次", "2 to 16 cities take part, each named once")
            }
            Self::InitiatorMissing { .. } => {
                ("发起市列入参加城市", "whoever proposes a plan takes part")
            }
            Self::ParticipantNotMember { .. } => {
                ("参加城市为协议成员市", "members of the agreement take part")
            }
            Self::Needs { .. } => (
                "人员装备要求每种只写一次，数量 1 至 99，最多 8 项",
                "what a city brings is at most 8 kinds, each once, 1 to 99 of it",
            ),
            Self::Departments => {
                ("参加部门至少一个，每个只列一次", "departments are one or more, each once")
            }
            Self::Days => ("行动时段 1 至 62 个半天，不重复", "half days are 1 to 62, each once"),
            Self::TargetsOfKind { .. } => (
                "双随机抽取对象，演练不列对象，检查列明或抽取对象",
                "double-random plans draw targets, drills have none, checks name or draw them",
            ),
            Self::Visits => ("检查 1 至 200 次", "visits are 1 to 200"),
            Self::VisitDays { .. } => {
                ("检查时段从行动时段中选取", "visits are on half days of the plan")
            }
            Self::VisitTwice { .. } => ("同一对象的检查时段不重叠", "visits to one site are apart"),
            Self::DrawRule => (
                "抽取数不超过名录数，权重 0 至 100，属地人员每处 2 至 16 名",
                "no more are drawn than are listed, weights are 0 to 100, 2 to 16 officers lead",
            ),
        };
        (sentence, OURS)
    }

    /// Why it was not done and what to do, in Chinese.
    pub(super) fn zh(self, names: &Names<'_>) -> (String, String) {
        let city = |code| (names.city)(code);
        let record = |id| (names.record)(id);
        match self {
            Self::Participants => told("参加城市应为 2 至 16 个，且不重复", "请核对参加城市"),
            Self::InitiatorMissing { initiator } => {
                told(format!("发起市{}未列入参加城市", city(initiator)), "请把发起市列入参加城市")
            }
            Self::ParticipantNotMember { city: who } => {
                told(format!("{}不是协议成员市", city(who)), "请选择协议成员市")
            }
            Self::Needs { city: who } => told(
                format!("对{}的人员装备要求填写有误", city(who)),
                "每种只写一次，数量 1 至 99，最多 8 项",
            ),
            Self::Departments => told("参加部门未填写或有重复", "请选择参加部门"),
            Self::Days => told("行动时段应为 1 至 62 个半天，且不重复", "请核对行动日期"),
            Self::TargetsOfKind { kind } => told(
                format!("“{}”的检查对象设置不对", kind.zh()),
                "双随机须设抽取规则，检查须列对象或抽取，演练不列对象",
            ),
            Self::Visits => told("检查对象应为 1 至 200 个", "对象较多的，请分成几个方案"),
            Self::VisitDays { site } => told(
                format!("{}的检查时段不在行动时段内", record(site)),
                "请从方案的行动时段中选择",
            ),
            Self::VisitTwice { site } => {
                told(format!("{}的检查时段重叠", record(site)), "同一对象再次检查的，时段要分开")
            }
            Self::DrawRule => {
                told("抽取规则有误", "抽取数不超过名录数，权重 0 至 100，属地人员每处 2 至 16 名")
            }
        }
    }

    /// What to do, in English.
    pub(super) const fn todo(self) -> &'static str {
        match self {
            Self::Participants => "name 2 to 16 members, each once",
            Self::InitiatorMissing { .. } => "name the initiator too",
            Self::ParticipantNotMember { .. } => "name members",
            Self::Needs { .. } => "give each kind once, 1 to 99 of it, at most 8 in all",
            Self::Departments => "name departments, each once",
            Self::Days => "check the days",
            Self::TargetsOfKind { .. } => "name sites, give a rule to draw them, or neither",
            Self::Visits => "make several plans of it",
            Self::VisitDays { .. } => "choose half days of the plan",
            Self::VisitTwice { .. } => "keep visits to one site apart",
            Self::DrawRule => "check numbers, weights and teams",
        }
    }
}
