//! Why an entry that was received did not take effect, in words.

use crate::lang::Lang;
use crate::wire::reasons;

/// What only an entry of another city can be: whoever writes here is refused before.
const WORDS: &[(&str, &str, &str)] = &[
    (
        "DOUBLE_MOVE",
        "该市在两处同时办理了这一步，另一处的已生效",
        "the city moved it at two places at once, and the other move counts",
    ),
    (
        "STALE_PREV",
        "登记时所见的并非最新一步，此前已有另一步生效",
        "it was made against an earlier step: another one had taken effect before",
    ),
    ("PREV_NOT_IN_CHAIN", "所接续的前一步没有生效", "the step it follows did not take effect"),
    (
        "REQUEST_UNSEEN",
        "所答复的协助请求不在此案件中",
        "the request it answers is not in this case",
    ),
    (
        "MILESTONE_UNSEEN",
        "所撤回的事项不是该市在此案件中登记的",
        "what it takes back is no milestone of that city in this case",
    ),
    ("PROPOSAL_UNSEEN", "所答复的建议不在此案件中", "the proposal it answers is not in this case"),
    (
        "PART_UNSEEN",
        "所开放的材料不是该市在此案件中登记的",
        "the content it opens is not that city's",
    ),
    ("SUBJECT_MISSING", "所属的记录不存在", "the record it belongs to does not exist"),
    ("SUBJECT_UNSEEN", "登记时尚未收到所属的记录", "its city did not have the record yet"),
    ("WRONG_SUBJECT", "不适用于这类记录", "it does not belong to records of this kind"),
];

/// Why; the code itself of a reason that only newer programs know.
#[must_use]
pub fn misfit(reason: &str, lang: Lang) -> String {
    if let Some((_, zh, en)) = WORDS.iter().find(|(code, ..)| *code == reason) {
        return lang.pick(*zh, *en).to_owned();
    }
    match reasons::find(reason) {
        // What stands for a value is not known of an entry of others.
        Some((_, _, zh, en)) if !zh.contains('{') => lang.pick(zh, en).to_owned(),
        Some(_) | None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_in_words() {
        assert!(misfit("DOUBLE_MOVE", Lang::Zh).contains("另一处"));
        assert!(misfit("NOT_YOUR_TURN", Lang::Zh).starts_with("办理权现在另一城市"));
        assert!(misfit("NOT_YOUR_TURN", Lang::En).contains("another city"));
        assert_eq!(misfit("OF_A_NEWER_PROGRAM", Lang::Zh), "OF_A_NEWER_PROGRAM");
    }
}
