//! Which terms a deadline is made of, who sets their lengths, and where they come from.
//!
//! In scope: what is told about a clock in general. Out of scope: when it runs in a case.

use super::{Clock, Terms};
use crate::domain::calendar::Term;
use crate::domain::code::coded;

coded! {
    /// Who sets the length of a term.
    SetBy {
        Law "LAW" "法律规定" "the law";
        Node "NODE" "本市节点设置（原文未核对）" "a setting of this node, its source was not read";
        Agreement "AGREEMENT" "联动协议约定（所示为通常值）" "the agreement, usual length shown";
        Request "REQUEST" "由请求指定" "whoever asks";
    }
}

/// One term of a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockTerm {
    /// Its length; `None` when only a request says it.
    pub term: Option<Term>,
    /// Who sets it.
    pub set_by: SetBy,
    /// Its source in Chinese.
    pub zh: &'static str,
    /// Its source in English.
    pub en: &'static str,
}

const fn one(term: Term, set_by: SetBy, zh: &'static str, en: &'static str) -> ClockTerm {
    ClockTerm { term: Some(term), set_by, zh, en }
}

const fn law(term: Term, zh: &'static str, en: &'static str) -> ClockTerm {
    one(term, SetBy::Law, zh, en)
}

const fn node(term: Term, zh: &'static str, en: &'static str) -> ClockTerm {
    one(term, SetBy::Node, zh, en)
}

const fn agreed(term: Term) -> ClockTerm {
    one(term, SetBy::Agreement, "各协议的期限条款", "deadlines of each agreement")
}

/// A term of 行政处罚法, by its article.
macro_rules! penalty_law {
    ($term:expr, $zh:literal, $article:literal) => {{
        let en = concat!("Administrative Penalty Law art. ", $article);
        vec![law($term, concat!("行政处罚法第", $zh, "条"), en)]
    }};
}

impl Clock {
    /// Its terms; of several, one counts after the other.
    #[must_use]
    pub fn terms(self, terms: &Terms) -> Vec<ClockTerm> {
        let crime = |term| vec![node(term, "国务院令第310号", "decree 310 of the State Council")];
        let joint =
            |term| vec![node(term, "环环监〔2017〕17号", "joint rules of 2017 on referrals")];
        match self {
            Self::Filing => vec![
                node(terms.filing, "部令第30号", "decree 30 of the ministry"),
                node(
                    terms.filing_extension,
                    "部令第30号，批准延长的",
                    "decree 30 of the ministry, when extended",
                ),
            ],
            Self::Decision => penalty_law!(terms.decision, "六十", 60),
            Self::HearingRequest => penalty_law!(terms.hearing_request, "六十四", 64),
            Self::HearingNotice => penalty_law!(terms.hearing_notice, "六十四", 64),
            Self::Service => penalty_law!(terms.service, "六十一", 61),
            Self::Payment => penalty_law!(terms.payment, "六十七", 67),
            Self::Registration => penalty_law!(terms.registration, "五十六", 56),
            Self::CourtEnforcement => vec![
                node(terms.suit, "行政诉讼法第四十六条", "Administrative Litigation Law art. 46"),
                law(
                    terms.court_enforcement,
                    "行政强制法第五十三条",
                    "Administrative Enforcement Law art. 53",
                ),
            ],
            Self::SecondLook => vec![node(
                terms.second_look,
                "按日连续处罚办法第十条",
                "decree 28 of the ministry, art. 10",
            )],
            Self::CrimeDecision => crime(terms.crime_decision),
            Self::PoliceAnswer => crime(terms.police_answer),
            Self::CrimeHandOver => crime(terms.crime_hand_over),
            Self::ProcuratorateCopy => joint(terms.procuratorate_copy),
            Self::OpinionHandOver => joint(terms.opinion_hand_over),
            Self::DetentionAnswer => vec![node(
                terms.detention_answer,
                "公治〔2014〕853号",
                "rules of 2014 on cases of detention",
            )],
            Self::TransferAck => vec![agreed(terms.transfer_ack)],
            Self::TransferAnswer => vec![agreed(terms.transfer_answer)],
            Self::Progress => vec![agreed(terms.progress)],
            Self::Outcome => vec![agreed(terms.outcome)],
            Self::NoticeAck => vec![agreed(terms.notice_ack)],
            Self::EmergencyAck => vec![agreed(terms.emergency_ack)],
            Self::Discovery => penalty_law!(terms.discovery, "三十六", 36),
            Self::DiscoveryGrave => penalty_law!(terms.discovery_grave, "三十六", 36),
            Self::Assistance => vec![ClockTerm {
                term: None,
                set_by: SetBy::Request,
                zh: "协助请求",
                en: "the request for help",
            }],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clock_has_terms_with_a_source() {
        for clock in Clock::ALL {
            let terms = clock.terms(&Terms::default());
            assert!(!terms.is_empty(), "{clock}");
            for one in terms {
                assert!(!one.zh.is_empty() && one.en.is_ascii(), "{clock}");
                assert_eq!(one.term.is_none(), one.set_by == SetBy::Request, "{clock}");
            }
        }
        let paid = Clock::Payment.terms(&Terms::default());
        assert_eq!(paid.first().and_then(|one| one.term), Some(Term::Days(15)));
        assert_eq!(paid.first().map(|one| one.zh), Some("行政处罚法第六十七条"));
    }
}
