//! What is not as it should be in a revision, an answer or a report: its field, the rule, and where
//! the rule comes from.
//!
//! In scope: the shapes that every node asks for. Out of scope: what a plan lacks
//! ([`crate::domain::plan::ready::Finding`]).

use super::FactsRefusal;
use crate::domain::plan::ready::{CERTIFIED, OURS, Pair, Rule};

/// What is not as it should be. In the log of another city it is one misfit, `PLAN_INVALID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// What a revision says.
    Facts(FactsRefusal),
    /// Entries named by a move are more than there are cities: answers.
    Answers,
    /// The same of commitments.
    Commitments,
    /// The same of results.
    Results,
    /// Those who withhold are none, or not each once.
    Withheld,
    /// No attempt at a draw has such a number.
    Attempt,
    /// Units are too many, or not each once.
    Units,
    /// A unit's half days are none.
    UnitDays,
    /// Recusals are too many, or not each once.
    Recusals,
    /// Periods proposed are none, too many, or not apart.
    Periods,
    /// Officers who lead are too few, too many, or not each once.
    Officers,
    /// Officers of other cities are too many, or not each once.
    Guests,
    /// Somebody stands in both lists.
    GuestLeads,
    /// No site is visited so often.
    Nth,
    /// A department stands in a report twice.
    Checks,
    /// A site was checked, and by nobody.
    ChecksMissing,
    /// A site was not checked, and something was found.
    NotChecked,
    /// Items are none or too many.
    Items,
    /// Problems are too many.
    Problems,
    /// Samples are too many.
    Samples,
    /// Clues are too many.
    Clues,
}

impl Wrong {
    /// All but those of what a revision says.
    #[cfg(test)]
    pub(in crate::domain::plan) const OF_ACTS: [Self; 20] = [
        Self::Answers,
        Self::Commitments,
        Self::Results,
        Self::Withheld,
        Self::Attempt,
        Self::Units,
        Self::UnitDays,
        Self::Recusals,
        Self::Periods,
        Self::Officers,
        Self::Guests,
        Self::GuestLeads,
        Self::Nth,
        Self::Checks,
        Self::ChecksMissing,
        Self::NotChecked,
        Self::Items,
        Self::Problems,
        Self::Samples,
        Self::Clues,
    ];

    /// The field of a request that it concerns.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Facts(facts) => facts.field(),
            Self::Answers => "answers",
            Self::Commitments => "commitments",
            Self::Results => "results",
            Self::Withheld => "withheld",
            Self::Attempt => "attempt",
            Self::Units => "sent.units",
            Self::UnitDays => "sent.units.last",
            Self::Recusals => "sent.recusals",
            Self::Periods => "periods",
            Self::Officers => "officers",
            Self::Guests | Self::GuestLeads => "guests",
            Self::Nth => "nth",
            Self::Checks | Self::ChecksMissing => "result.checks",
            Self::NotChecked => "result.outcome",
            Self::Items => "result.checks.items",
            Self::Problems => "result.checks.problems",
            Self::Samples => "result.samples",
            Self::Clues => "result.clues",
        }
    }

    /// The rule and where it comes from.
    #[must_use]
    pub const fn rule(self) -> Rule {
        let certified = matches!(self, Self::Officers);
        (self.sentence(), if certified { CERTIFIED } else { OURS })
    }

    const fn sentence(self) -> Pair {
        match self {
            Self::Facts(facts) => facts.rule().0,
            Self::Answers | Self::Commitments | Self::Results => {
                ("所列记录与参加各市一一对应", "one entry is named for each city that takes part")
            }
            Self::Withheld => (
                "未公开随机数的市每市列一次，至少一个",
                "cities that withhold are named, each once, at least one",
            ),
            Self::Attempt => ("抽取第 1 至 8 次", "a draw has attempts 1 to 8"),
            Self::Units => (
                "派出的人员装备每个只列一次，最多 200 个",
                "units that are sent are at most 200, each once",
            ),
            Self::UnitDays => (
                "派出时段在方案时段之内，起始不晚于结束",
                "half days of a unit are those of the plan, the first not behind the last",
            ),
            Self::Recusals => {
                ("回避每条只列一次，最多 64 条", "recusals are at most 64, each once")
            }
            Self::Periods => (
                "建议的时段 1 至 16 段，按先后填写、互不重叠",
                "periods proposed are 1 to 16, in order and apart",
            ),
            Self::Officers => (
                "到场的属地执法人员 2 至 16 名，每人只列一次",
                "officers of the city where the site stands are 2 to 16, each once",
            ),
            Self::Guests => (
                "到场的其他市执法人员最多 16 名，每人只列一次",
                "officers of other cities are at most 16, each once",
            ),
            Self::GuestLeads => (
                "同一人不能既列为属地人员又列为其他市人员",
                "nobody is an officer of the own city and of another one",
            ),
            Self::Nth => {
                ("同一对象最多检查 62 次，从 0 起算", "a site is visited at most 62 times, from 0")
            }
            Self::Checks => ("每个部门只填写一次", "each department is named once"),
            Self::ChecksMissing => (
                "结果为“已检查”的须填写各部门检查情况",
                "of a site that was checked it is said by which departments",
            ),
            Self::NotChecked => (
                "停产、关停或未检查的，检查情况、样品和线索留空",
                "of a site that was not checked nothing is reported",
            ),
            Self::Items => ("检查项数 1 至 999", "items looked at are 1 to 999"),
            Self::Problems => ("发现问题数不超过 999", "problems are at most 999"),
            Self::Samples => ("样品数不超过 999", "samples are at most 999"),
            Self::Clues => ("线索数不超过 999", "clues are at most 999"),
        }
    }
}
