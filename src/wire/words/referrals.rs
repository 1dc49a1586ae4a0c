//! Words for what is said of police and procuratorate.

use super::short;
use crate::domain::Words;
use crate::domain::referral as ours;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// A word of each list, and how it is read back: by its code, such as `NOT_FILED`, or by either
/// word.
macro_rules! lists {
    ($(
        $list:ident $prefix:literal $about:literal $unknown:expr => $word:ident $parse:ident;
    )+) => {$(
        #[doc = concat!($about, ".")]
        #[must_use]
        pub fn $word(one: pb::$list, lang: Lang) -> &'static str {
            match ours::$list::parse(short(one.as_str_name(), $prefix)) {
                Ok(known) => lang.pick(known.zh(), known.en()),
                Err(_) => lang.pick($unknown.0, $unknown.1),
            }
        }

        #[doc = concat!($about, ", read by its code or by either of its words.")]
        #[must_use]
        pub fn $parse(text: &str) -> Option<pb::$list> {
            let code = text.trim().to_ascii_uppercase().replace(['-', ' '], "_");
            let known = ours::$list::ALL.iter().find(|one| {
                one.code() == code
                    || one.zh() == text.trim()
                    || one.en().eq_ignore_ascii_case(text.trim())
            })?;
            pb::$list::from_str_name(&format!("{}{}", $prefix, known.code()))
        }
    )+};
}

lists! {
    ReferralKind "REFERRAL_KIND_" "Why a case goes to the police"
        ("未知移送种类", "unknown kind") => referral_kind parse_referral_kind;
    ReferralPaper "REFERRAL_PAPER_" "A paper that goes along"
        ("未知材料", "unknown paper") => referral_paper parse_referral_paper;
    PoliceAnswer "POLICE_ANSWER_" "What the police answered"
        ("未知答复", "unknown answer") => police_answer parse_police_answer;
    CopiedPaper "COPIED_PAPER_" "What was copied to the procuratorate"
        ("未知材料", "unknown paper") => copied_paper parse_copied_paper;
    ProcuratorateOpinion "PROCURATORATE_OPINION_" "What the procuratorate said"
        ("未知意见", "unknown opinion") => procuratorate_opinion parse_procuratorate_opinion;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_referral_is_found_by_each_of_its_names() {
        macro_rules! check {
            ($($list:ident $word:ident $parse:ident $unset:literal;)+) => {$(
                for one in ours::$list::ALL {
                    let found = [one.code(), one.zh(), one.en()].map($parse);
                    let [Some(first), ..] = found else { panic!("{}", one.code()) };
                    assert_eq!(found, [Some(first); 3]);
                    assert_eq!($word(first, Lang::Zh), one.zh());
                }
                assert_eq!($parse("不知道"), None);
                assert_eq!($word(pb::$list::Unspecified, Lang::Zh), $unset);
            )+};
        }
        check! {
            ReferralKind referral_kind parse_referral_kind "未知移送种类";
            ReferralPaper referral_paper parse_referral_paper "未知材料";
            PoliceAnswer police_answer parse_police_answer "未知答复";
            CopiedPaper copied_paper parse_copied_paper "未知材料";
            ProcuratorateOpinion procuratorate_opinion parse_procuratorate_opinion "未知意见";
        }
    }
}
