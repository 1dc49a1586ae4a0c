//! Why a command about a meeting is not carried out, and what people are told.

use crate::domain::date::Date;
use crate::domain::refusal::Refusal;
use crate::ids::CityCode;

/// Why the deciding node does not carry out a command about a meeting. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MeetingRefusal {
    /// The rota names another city, and the caller has not said that he knows.
    #[error("turn to chair is with {due}")]
    NotTurnToChair {
        /// Whose turn it is.
        due: CityCode,
    },
    /// Only members chair.
    #[error("chair {city} is not a member of the agreement")]
    ChairNotMember {
        /// The chair that was named.
        city: CityCode,
    },
    /// There is no agreement on that day.
    #[error("{on} lies outside the term of the agreement")]
    OutsideTerm {
        /// The date given.
        on: Date,
        /// The field of the request that holds it.
        field: &'static str,
    },
    /// Minutes are of what has been.
    #[error("meeting is held on {held_on}, after today, {today}")]
    HeldInFuture {
        /// The date given.
        held_on: Date,
        /// Today in Beijing.
        today: Date,
    },
    /// It has minutes: it was held.
    #[error("meeting has minutes already")]
    Held,
    /// It was cancelled.
    #[error("meeting was cancelled")]
    Cancelled,
    /// There is nothing to confirm yet.
    #[error("meeting has no minutes yet")]
    MinutesMissing,
    /// What the caller has read is not what was recorded.
    #[error("minutes recorded are not those that were read")]
    MinutesDiffer,
    /// One confirmation of a city is enough; who recorded them needs none.
    #[error("minutes are confirmed by this city already")]
    Confirmed,
}

impl MeetingRefusal {
    /// The stable reason, upper-case letters and underscores.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotTurnToChair { .. } => "NOT_TURN_TO_CHAIR",
            Self::ChairNotMember { .. } => "CHAIR_NOT_MEMBER",
            Self::OutsideTerm { .. } => "MEETING_OUTSIDE_TERM",
            Self::HeldInFuture { .. } => "HELD_IN_FUTURE",
            Self::Held => "MEETING_HELD",
            Self::Cancelled => "MEETING_CANCELLED",
            Self::MinutesMissing => "MINUTES_MISSING",
            Self::MinutesDiffer => "MINUTES_DIFFER",
            Self::Confirmed => "MINUTES_CONFIRMED",
        }
    }

    /// The field of the request that is at fault.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::NotTurnToChair { .. } | Self::ChairNotMember { .. } => "chair",
            Self::OutsideTerm { field, .. } => field,
            Self::HeldInFuture { .. } => "held_on",
            Self::MinutesDiffer => "minutes_hash",
            Self::Held | Self::Cancelled | Self::MinutesMissing | Self::Confirmed => "name",
        }
    }

    /// Why it was not done and what to do, in Chinese.
    pub(in crate::domain) fn zh(self, city: &dyn Fn(CityCode) -> String) -> (String, String) {
        let pair = |why: &str, todo: &str| (why.to_owned(), todo.to_owned());
        match self {
            Self::NotTurnToChair { due } => (
                format!("按轮值次序，下一次联席会议由{}召集", city(due)),
                "请由该市召集；确需由本市召集的，请注明不按轮值".to_owned(),
            ),
            Self::ChairNotMember { city: who } => {
                (format!("{}不是协议成员市", city(who)), "请由成员市担任召集方".to_owned())
            }
            Self::OutsideTerm { on, .. } => {
                (format!("{on} 不在协议有效期内"), "请核对会议日期".to_owned())
            }
            Self::HeldInFuture { held_on, today } => (
                format!("召开日期 {held_on} 晚于今天（{today}）"),
                "会议召开后再登记纪要".to_owned(),
            ),
            Self::Held => pair("这次会议已登记纪要", "无需再办；纪要有更正的，请在下次会议上说明"),
            Self::Cancelled => pair("这次会议已取消", "如需开会，请另行召集"),
            Self::MinutesMissing => pair("这次会议还没有纪要", "请待召集方登记纪要后再确认"),
            Self::MinutesDiffer => {
                pair("所核对的文件与登记的纪要不一致", "请向召集方索取登记的那一份，核对后再确认")
            }
            Self::Confirmed => pair("本市已确认这份纪要", "无需再次确认"),
        }
    }

    /// What to do, in English; why is its text.
    pub(in crate::domain) const fn en(self) -> &'static str {
        match self {
            Self::NotTurnToChair { .. } => {
                "let that city call it, or say that the rota is set aside"
            }
            Self::ChairNotMember { .. } => "name a member",
            Self::OutsideTerm { .. } => "check the day of the meeting",
            Self::HeldInFuture { .. } => "record the minutes once it has been held",
            Self::Held => "nothing to do, correct minutes in the next meeting",
            Self::Cancelled => "call another meeting if one is needed",
            Self::MinutesMissing => "wait until the chair has recorded them",
            Self::MinutesDiffer => "ask the chair for the file that was recorded",
            Self::Confirmed => "nothing to do",
        }
    }
}

impl From<MeetingRefusal> for Refusal {
    fn from(refusal: MeetingRefusal) -> Self {
        Self::Meeting(refusal)
    }
}
