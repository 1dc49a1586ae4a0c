//! Words for deadlines and what begins or ends them.

use super::short;
use crate::domain::Words;
use crate::domain::awaited::CaseAwaited;
use crate::domain::deadline::{Clock, Milestone};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

const PREFIX: &str = "MILESTONE_";

/// What happened beside the moves.
#[must_use]
pub fn milestone(one: pb::Milestone, lang: Lang) -> &'static str {
    match Milestone::parse(short(one.as_str_name(), PREFIX)) {
        Ok(known) => lang.pick(known.zh(), known.en()),
        Err(_) => lang.pick("未知事项", "unknown milestone"),
    }
}

/// What must be done before a term runs out.
#[must_use]
pub fn clock(one: pb::DeadlineClock, lang: Lang) -> &'static str {
    match Clock::parse(short(one.as_str_name(), "DEADLINE_CLOCK_")) {
        Ok(known) => lang.pick(known.zh(), known.en()),
        Err(_) => lang.pick("未知时限", "unknown deadline"),
    }
}

/// What another city waits for in a case.
#[must_use]
pub fn case_awaited(one: pb::CaseAwaited, lang: Lang) -> &'static str {
    match CaseAwaited::parse(short(one.as_str_name(), "CASE_AWAITED_")) {
        Ok(known) => lang.pick(known.zh(), known.en()),
        Err(_) => lang.pick("未知事项", "unknown"),
    }
}

/// The Chinese words of all milestones.
#[must_use]
pub fn milestones() -> Vec<&'static str> {
    Milestone::ALL.iter().map(Words::zh).collect()
}

/// Reads a milestone by its code, such as `TESTING_BEGUN`, or by either of its words.
#[must_use]
pub fn parse_milestone(text: &str) -> Option<pb::Milestone> {
    let code = text.trim().to_ascii_uppercase().replace(['-', ' '], "_");
    let known = Milestone::ALL.iter().find(|one| {
        one.code() == code || one.zh() == text.trim() || one.en().eq_ignore_ascii_case(text.trim())
    })?;
    pb::Milestone::from_str_name(&format!("{PREFIX}{}", known.code()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_milestone_is_found_by_each_of_its_names() {
        for one in Milestone::ALL {
            let found = [one.code(), one.zh(), one.en()].map(parse_milestone);
            let [Some(first), ..] = found else { panic!("{}", one.code()) };
            assert_eq!(found, [Some(first); 3]);
            assert_eq!(milestone(first, Lang::Zh), one.zh());
        }
        assert_eq!(parse_milestone("立案"), None);
        assert_eq!(milestone(pb::Milestone::Unspecified, Lang::Zh), "未知事项");
        assert_eq!(clock(pb::DeadlineClock::Payment, Lang::Zh), "当事人缴纳罚款");
    }
}
