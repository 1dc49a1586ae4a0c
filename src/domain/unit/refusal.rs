//! Why a command about a unit is not carried out, and what people are told.

use crate::domain::date::Date;
use crate::domain::refusal::Refusal;
use crate::ids::{Position, SubjectId};
use crate::limits::UNIT_YEARS_AHEAD_MAX;

/// Why the deciding node does not carry out a command about a unit. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnitRefusal {
    /// One unit of a number is enough in an agreement: two would be booked apart.
    #[error("this city has registered unit {unit} under this number already")]
    Known {
        /// The unit that has it.
        unit: SubjectId,
    },
    /// It was changed since the caller read it.
    #[error("unit was changed, its etag is now {current}")]
    Changed {
        /// Its etag now.
        current: Position,
    },
    /// It no longer counts.
    #[error("unit is retired")]
    Retired,
    /// The calendar of the city as a whole is opened with its first block, and never changed.
    #[error("the calendar of the whole city is kept by the node")]
    WholeCity,
    /// What has been cannot be blocked any more.
    #[error("period ends on {last}, before today, {today}")]
    PeriodPast {
        /// Its last day.
        last: Date,
        /// Today in Beijing.
        today: Date,
    },
    /// Nobody plans so far ahead.
    #[error("period ends on {last}, more than {UNIT_YEARS_AHEAD_MAX} years after today, {today}")]
    PeriodTooFar {
        /// Its last day.
        last: Date,
        /// Today in Beijing.
        today: Date,
    },
}

impl UnitRefusal {
    /// The stable reason, upper-case letters and underscores.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Known { .. } => "UNIT_KNOWN",
            Self::Changed { .. } => "UNIT_CHANGED",
            Self::Retired => "UNIT_RETIRED",
            Self::WholeCity => "UNIT_WHOLE_CITY",
            Self::PeriodPast { .. } => "PERIOD_PAST",
            Self::PeriodTooFar { .. } => "PERIOD_TOO_FAR",
        }
    }

    /// The field of the request that is at fault.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Known { .. } => "record.number",
            Self::Changed { .. } => "etag",
            Self::WholeCity => "facts.kind",
            Self::Retired => "name",
            Self::PeriodPast { .. } | Self::PeriodTooFar { .. } => "periods",
        }
    }

    /// Why it was not done and what to do, in Chinese.
    pub(in crate::domain) fn zh(self) -> (String, String) {
        let pair = |why: &str, todo: &str| (why.to_owned(), todo.to_owned());
        match self {
            Self::Known { unit } => (
                format!("本市在这份协议中已登记同一编号的执法力量（{unit}）"),
                "请直接使用，或核对证号、牌号是否录错".to_owned(),
            ),
            Self::Changed { .. } => pair("这项执法力量刚被修改过", "请重新查看后再决定是否修改"),
            Self::Retired => pair("这项执法力量已停用", "无需登记占用；如恢复使用，请先修改"),
            Self::WholeCity => {
                pair("全市日历由节点在首次登记占用时建立，不能另行登记或修改", "请直接登记全市占用")
            }
            Self::PeriodPast { last, today } => (
                format!("时段止于 {last}，早于今天（{today}）"),
                "已过去的日子不必登记，请核对日期".to_owned(),
            ),
            Self::PeriodTooFar { last, .. } => (
                format!("时段止于 {last}，超出今后 {UNIT_YEARS_AHEAD_MAX} 年"),
                "请核对年份".to_owned(),
            ),
        }
    }

    /// What to do, in English; why is its text.
    pub(in crate::domain) const fn en(self) -> &'static str {
        match self {
            Self::Known { .. } => "use that one, or check the number",
            Self::Changed { .. } => "read it again, then decide",
            Self::Retired => "nothing to do; if it is used again, change it first",
            Self::WholeCity => "block the whole city, its calendar opens by itself",
            Self::PeriodPast { .. } => "what has been need not be blocked, check the days",
            Self::PeriodTooFar { .. } => "check the year",
        }
    }
}

impl From<UnitRefusal> for Refusal {
    fn from(refusal: UnitRefusal) -> Self {
        Self::Unit(refusal)
    }
}
