//! Words for what is said of evidence.

use super::short;
use crate::domain::{DeclineGround, Words};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

const PREFIX: &str = "EVIDENCE_DECLINE_GROUND_";

/// Why evidence is not recognised.
#[must_use]
pub fn decline_ground(one: pb::EvidenceDeclineGround, lang: Lang) -> &'static str {
    match DeclineGround::parse(short(one.as_str_name(), PREFIX)) {
        Ok(known) => lang.pick(known.zh(), known.en()),
        Err(_) => lang.pick("未知原因", "unknown ground"),
    }
}

/// Reads a ground by its code, such as `OFFICERS`, or by either of its words.
#[must_use]
pub fn parse_decline_ground(text: &str) -> Option<pb::EvidenceDeclineGround> {
    let code = text.trim().to_ascii_uppercase().replace(['-', ' '], "_");
    let known = DeclineGround::ALL.iter().find(|one| {
        one.code() == code || one.zh() == text.trim() || one.en().eq_ignore_ascii_case(text.trim())
    })?;
    pb::EvidenceDeclineGround::from_str_name(&format!("{PREFIX}{}", known.code()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ground_is_found_by_each_of_its_names() {
        for one in DeclineGround::ALL {
            let found = [one.code(), one.zh(), one.en()].map(parse_decline_ground);
            let [Some(first), ..] = found else { panic!("{}", one.code()) };
            assert_eq!(found, [Some(first); 3]);
            assert_eq!(decline_ground(first, Lang::Zh), one.zh());
        }
        assert_eq!(parse_decline_ground("不喜欢"), None);
        let unset = pb::EvidenceDeclineGround::Unspecified;
        assert_eq!(decline_ground(unset, Lang::Zh), "未知原因");
    }
}
