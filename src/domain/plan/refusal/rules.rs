//! By which rule something is refused, and where the rule comes from.
//!
//! In scope: refusals that have a law, a document or a parameter behind them. Out of scope: those
//! that only say that a plan has moved on, or that it is somebody else's turn.

use super::{FactsRefusal, PlanMisfit, PlanRefusal};
use crate::domain::plan::ready::{CERTIFIED, Force, NO_SOURCE, OURS, Rule};
use crate::domain::site::LeftOut;

impl PlanRefusal {
    /// The rule, where it comes from, and whether it can be set otherwise.
    #[must_use]
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever has a rule behind it is named, the rest has none"
    )]
    pub const fn rule(self) -> Option<(Rule, Force)> {
        Some(match self {
            Self::Lacking { finding, .. } => (finding.rule(), finding.force()),
            Self::Facts(facts) => (facts.rule(), Force::Rule),
            Self::Misfit(PlanMisfit::Invalid(wrong)) => (wrong.rule(), Force::Rule),
            Self::Misfit(PlanMisfit::NotHost) => (
                (
                    ("现场检查由属地实施", "sites are checked by the city where they stand"),
                    ("国办发〔2024〕54号", "State Council's document 54 of 2024"),
                ),
                Force::Law,
            ),
            Self::TeamTooSmall { .. } => (
                (
                    (
                        "到场的属地持证执法人员不少于两人",
                        "at least two certified officers of the own city check",
                    ),
                    CERTIFIED,
                ),
                Force::Law,
            ),
            Self::OfficerRecused { .. } => (
                (
                    ("应当回避的执法人员不得参加检查", "whoever is recused does not check"),
                    ("行政处罚法第四十三条", "Administrative Penalty Law, art. 43"),
                ),
                Force::Law,
            ),
            Self::HoldUntil { .. } => (
                (("初步同意的人员装备只保留若干天", "units are held for some days"), NO_SOURCE),
                Force::Parameter,
            ),
            Self::RevealTooEarly { .. } => (
                (
                    (
                        "抽取结果在行动前若干天起公开（默认一天）",
                        "a draw is shown shortly before the action, by default one day",
                    ),
                    NO_SOURCE,
                ),
                Force::Parameter,
            ),
            Self::ReportTooLate { .. } => (
                (("结果在行动结束后限期内登记", "results are keyed in within a term"), NO_SOURCE),
                Force::Parameter,
            ),
            Self::Periods => (
                (
                    (
                        "建议的时段不早于今天，按先后填写、互不重叠",
                        "periods proposed are ahead, in order and apart",
                    ),
                    OURS,
                ),
                Force::Rule,
            ),
            _ => return self.of_course_rule(),
        })
    }

    /// The rules of the course of a plan; [`Self::rule`] has the others.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever has a rule behind it is named, the rest has none"
    )]
    const fn of_course_rule(self) -> Option<(Rule, Force)> {
        Some(match self {
            Self::VisitStopped { why, .. } => ((why.rule(), why.source()), force_of(why)),
            Self::OldRevision { .. } => (
                (
                    ("各市的话只对现行一版有效", "what a city says is about the present revision"),
                    OURS,
                ),
                Force::Rule,
            ),
            Self::RevealMismatch => (
                (("公开的随机数须与承诺一致", "what is shown is what was committed to"), OURS),
                Force::Rule,
            ),
            Self::Misfit(PlanMisfit::NotInitiator { .. }) => (
                (("方案由发起市修订、排定、总结", "only the initiator moves a plan"), OURS),
                Force::Rule,
            ),
            Self::Misfit(PlanMisfit::StageForbids { .. }) => (
                (
                    (
                        "方案按征求意见、排定、执行、总结的顺序办理",
                        "a plan is agreed, scheduled, carried out and summed up, in this order",
                    ),
                    OURS,
                ),
                Force::Rule,
            ),
            Self::CaseElsewhere { .. } => (
                (
                    (
                        "检查发现的线索由检查对象所在市登记、办理案件",
                        "a finding is a case of the city where the site stands",
                    ),
                    OURS,
                ),
                Force::Rule,
            ),
            Self::ResultsNotIn { .. } | Self::ResultsMissing { .. } => (
                (
                    (
                        "每次检查均须登记结果，各市报齐后方可总结",
                        "every visit has its result, and a plan is summed up once all are in",
                    ),
                    OURS,
                ),
                Force::Rule,
            ),
            _ => return self.of_visits_rule(),
        })
    }

    /// The rules of who says something, and of which visits.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever has a rule behind it is named, the rest has none"
    )]
    const fn of_visits_rule(self) -> Option<(Rule, Force)> {
        Some(match self {
            Self::Misfit(PlanMisfit::NotParticipant { .. }) => (
                (
                    (
                        "方案由参加市答复、登记",
                        "only cities that take part say something to a plan",
                    ),
                    OURS,
                ),
                Force::Rule,
            ),
            Self::OfficerNotSent { .. } => (
                (
                    (
                        "到场人员从各市为当天派出的人员中选取",
                        "whoever checks is one of those sent for that day",
                    ),
                    OURS,
                ),
                Force::Rule,
            ),
            Self::ArrivalDay { .. } => (
                (
                    (
                        "到场日期为方案的行动日期，且不晚于今天",
                        "teams arrive on a day of the plan that has come",
                    ),
                    OURS,
                ),
                Force::Rule,
            ),
            Self::NotVisited { .. } | Self::SiteUnknown { .. } | Self::VisitUnknown { .. } => (
                (
                    (
                        "只登记方案所列或抽中的检查对象",
                        "arrivals and results are of visits of the plan",
                    ),
                    OURS,
                ),
                Force::Rule,
            ),
            _ => return None,
        })
    }
}

const fn force_of(why: LeftOut) -> Force {
    match why {
        LeftOut::Capped => Force::Law,
        LeftOut::Closed | LeftOut::PositiveList => Force::Rule,
    }
}

impl From<PlanMisfit> for PlanRefusal {
    fn from(misfit: PlanMisfit) -> Self {
        Self::Misfit(misfit)
    }
}

impl From<FactsRefusal> for PlanRefusal {
    fn from(refusal: FactsRefusal) -> Self {
        Self::Facts(refusal)
    }
}
