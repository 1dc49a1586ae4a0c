//! Words for joint meetings.

use super::short;
use crate::domain::Words;
use crate::domain::meeting::MeetingState;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Where a meeting stands.
#[must_use]
pub fn meeting_state(one: pb::MeetingState, lang: Lang) -> &'static str {
    match MeetingState::parse(short(one.as_str_name(), "MEETING_STATE_")) {
        Ok(known) => lang.pick(known.zh(), known.en()),
        Err(_) => lang.pick("情况不明", "unknown"),
    }
}

/// What was said of a meeting.
#[must_use]
pub fn meeting_word(one: pb::MeetingWordKind, lang: Lang) -> &'static str {
    match one {
        pb::MeetingWordKind::Unspecified => lang.pick("未知事项", "unknown"),
        pb::MeetingWordKind::Minutes => lang.pick("登记纪要", "minutes recorded"),
        pb::MeetingWordKind::Confirmed => lang.pick("确认纪要", "minutes confirmed"),
        pb::MeetingWordKind::Cancelled => lang.pick("取消会议", "cancelled"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_word() {
        let states =
            [pb::MeetingState::Called, pb::MeetingState::Held, pb::MeetingState::Cancelled];
        let words = states.map(|state| meeting_state(state, Lang::Zh));
        assert_eq!(words, ["已召集", "已召开", "已取消"]);
        assert_eq!(meeting_state(pb::MeetingState::Unspecified, Lang::Zh), "情况不明");
    }
}
