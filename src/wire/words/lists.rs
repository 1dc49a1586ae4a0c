//! Every enum of the API as a list of codes with words, so that no client has to know one by heart.
//!
//! Invariant: every enum of `liandong.v1` is a list, with every value but the unset one, and each
//! value has its own word. (`every_enum_of_the_api_is_a_list_with_words`)

use super::{
    actor_role, audience_kind, authority, basis_verdict, case_awaited, check_mode, clock,
    copied_paper, data_level, day_half, decline_ground, department, effect, erasure_reason,
    evidence_kind, fine_kind, left_out, link, listing_status, medium, meeting_state, meeting_word,
    milestone, monitoring_kind, notice_filter, notice_kind, notice_level, notice_text, part_kind,
    party_type, penalty_kind, permit_kind, plan_answer, plan_awaited, plan_kind, plan_resolution,
    plan_state, plan_step, police_answer, procuratorate_opinion, referral_kind, referral_paper,
    removal_basis, report_kind, rule_force, site_tier, site_word, slot_hindrance, source, state,
    statistic, step, subject_kind, term_setter, term_unit, unit_kind, violation, visit_exception,
    visit_outcome, visit_verdict,
};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Numbers that are tried: an enum of the API never has more, and reserved ones leave gaps.
const NUMBERS: std::ops::RangeInclusive<i32> = 1..=1_000;

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The number by which messages carry it.
    pub number: i32,
    /// Its name without the enum's.
    pub code: String,
    /// Chinese.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

/// An enum of the API.
#[derive(Clone, Copy, Debug)]
pub struct EnumList {
    /// What the list is called.
    pub name: &'static str,
    /// The enum.
    pub of: &'static str,
    /// What it is, in Chinese.
    pub zh: &'static str,
    /// What it is, in English.
    pub en: &'static str,
    /// Its values, in the order of their numbers.
    pub words: fn() -> Vec<Word>,
}

macro_rules! lists {
    ($($name:literal $zh:literal $en:literal = $list:ident: $word:expr;)+) => {
        &[$(EnumList {
            name: $name,
            of: stringify!($list),
            zh: $zh,
            en: $en,
            words: || {
                let unset = pb::$list::Unspecified.as_str_name();
                let prefix = unset.strip_suffix("UNSPECIFIED").unwrap_or_default();
                let all = NUMBERS.filter_map(|number| pb::$list::try_from(number).ok());
                let word = |one: pb::$list| Word {
                    number: one.into(),
                    code: super::short(one.as_str_name(), prefix).to_owned(),
                    zh: $word(one, Lang::Zh),
                    en: $word(one, Lang::En),
                };
                all.map(word).collect()
            },
        },)+]
    };
}

/// A step by the name that people read.
fn step_word(one: pb::CaseStep, lang: Lang) -> &'static str {
    let (zh, en) = step(one);
    lang.pick(zh, en)
}

/// Every enum of the API.
#[must_use]
pub const fn lists() -> &'static [EnumList] {
    lists! {
        "violations" "违法行为" "violations" = Violation: violation;
        "media" "污染要素" "media" = Medium: medium;
        "sources" "线索来源" "sources of clues" = Source: source;
        "case-states" "案件状态" "states of a case" = CaseState: state;
        "case-steps" "办理步骤" "steps of a case" = CaseStep: step_word;
        "milestones" "影响时限的事项" "milestones" = Milestone: milestone;
        "deadlines" "时限" "deadlines" = DeadlineClock: clock;
        "case-awaited" "案件待办事项" "what is awaited in a case" = CaseAwaited: case_awaited;
        "evidence-kinds" "证据种类" "kinds of evidence" = EvidenceKind: evidence_kind;
        "decline-grounds" "不认可证据的原因" "why evidence is declined"
            = EvidenceDeclineGround: decline_ground;
        "referral-kinds" "移送公安种类" "kinds of referrals" = ReferralKind: referral_kind;
        "referral-papers" "移送材料" "papers of a referral" = ReferralPaper: referral_paper;
        "police-answers" "公安机关答复" "answers of the police" = PoliceAnswer: police_answer;
        "copied-papers" "抄送检察院的材料" "papers copied to the procuratorate"
            = CopiedPaper: copied_paper;
        "procuratorate-opinions" "检察机关意见" "opinions of the procuratorate"
            = ProcuratorateOpinion: procuratorate_opinion;
        "penalty-kinds" "处罚种类" "kinds of penalty" = PenaltyKind: penalty_kind;
        "party-types" "当事人类型" "kinds of parties" = PartyType: party_type;
        "data-levels" "数据级别" "data levels" = DataLevel: data_level;
        "audiences" "可见范围" "audiences" = AudienceKind: audience_kind;
        "authorities" "指定管辖机关" "designating authorities" = AuthorityLevel: authority;
        "statistics" "监测数据类型" "kinds of values" = PollutantStatistic: statistic;
        "entry-effects" "记录效力" "effects of entries" = EntryEffect: effect;
        "roles" "角色" "roles" = ActorRole: actor_role;
        "subject-kinds" "记录对象" "kinds of records" = SubjectKind: subject_kind;
        "part-kinds" "材料种类" "kinds of content" = PartKind: part_kind;
        "erasure-reasons" "删除原因" "reasons of erasure" = ErasureReason: erasure_reason;
        "link-states" "连接状态" "states of a link" = LinkState: link;
        "fine-kinds" "罚款规定方式" "kinds of fines" = FineKind: fine_kind;
        "basis-verdicts" "新旧法比较" "later and earlier texts" = BasisVerdict: basis_verdict;
        "term-units" "期限单位" "units of terms" = TermUnit: term_unit;
        "meeting-states" "会议情况" "states of a meeting" = MeetingState: meeting_state;
        "meeting-words" "会议办理" "what is said of a meeting" = MeetingWordKind: meeting_word;
        "notice-kinds" "通报种类" "kinds of notices" = NoticeKind: notice_kind;
        "notice-levels" "突发事件级别" "levels of emergencies" = NoticeLevel: notice_level;
        "notice-filters" "通报筛选" "filters of notices" = NoticeFilter: notice_filter;
        "notice-texts" "通报正文" "text of a notice" = NoticeTextState: notice_text;
        "notice-reports" "通报办理" "what is said of a notice" = NoticeReportKind: report_kind;
        "day-halves" "上午、下午" "halves of a day" = DayHalf: day_half;
        "unit-kinds" "执法力量种类" "kinds of units" = UnitKind: unit_kind;
        "joint-departments" "联合行动参加部门" "departments of joint actions"
            = Department: department;
        "slot-hindrances" "时段不可行的原因" "why not then" = SlotHindranceKind: slot_hindrance;
        "term-setters" "期限由谁规定" "who sets a term" = TermSetter: term_setter;
        "site-tiers" "检查对象类别" "pools of sites" = SiteTier: site_tier;
        "permit-kinds" "排污许可管理类别" "kinds of permits" = PermitKind: permit_kind;
        "listing-statuses" "正面清单状态" "positive list" = ListingStatus: listing_status;
        "removal-bases" "移出正面清单的原因" "why a site is removed" = RemovalBasis: removal_basis;
        "monitoring-kinds" "非现场监管方式" "means of monitoring" = MonitoringKind: monitoring_kind;
        "check-modes" "检查方式" "how a check is made" = CheckMode: check_mode;
        "visit-exceptions" "可开展现场检查的例外情形" "exceptions for a visit"
            = VisitException: visit_exception;
        "visit-verdicts" "能否安排检查" "whether a visit may be" = VisitVerdict: visit_verdict;
        "left-out" "不予安排的原因" "why a site is left out" = LeftOut: left_out;
        "plan-kinds" "联合行动类型" "kinds of joint actions" = PlanKind: plan_kind;
        "plan-answers" "对方案的答复" "answers to a plan" = PlanAnswerKind: plan_answer;
        "plan-resolutions" "意见采纳情况" "what became of an answer"
            = PlanResolution: plan_resolution;
        "plan-states" "方案状态" "states of a plan" = PlanState: plan_state;
        "plan-steps" "方案办理" "moves of a plan" = PlanStep: plan_step;
        "plan-awaited" "待办事项" "what is awaited" = PlanAwaited: plan_awaited;
        "rule-forces" "规则效力" "force of a rule" = RuleForce: rule_force;
        "visit-outcomes" "检查结果" "how a visit ended" = VisitOutcome: visit_outcome;
        "site-words" "检查对象办理" "what is said of a site" = SiteWordKind: site_word;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message;

    use super::*;
    use crate::wire::DESCRIPTORS;

    #[test]
    fn every_enum_of_the_api_is_a_list_with_words() {
        let set = prost_types::FileDescriptorSet::decode(DESCRIPTORS).unwrap();
        let files = set.file.iter().filter(|file| file.package() == "liandong.v1");
        let mut seen = 0;
        for described in files.flat_map(|file| &file.enum_type) {
            let list = lists().iter().find(|list| list.of == described.name());
            let list = list.unwrap_or_else(|| panic!("no list for {}", described.name()));
            let words = (list.words)();
            let numbers: Vec<i32> = words.iter().map(|word| word.number).collect();
            let mut wanted: Vec<i32> = described.value.iter().map(|v| v.number()).collect();
            wanted.sort_unstable();
            assert_eq!(wanted.first(), Some(&0), "{}", list.name);
            assert_eq!(numbers, wanted[1..], "{}", list.name);
            for word in &words {
                let value = described.value.iter().find(|v| v.number() == word.number).unwrap();
                assert!(value.name().ends_with(&format!("_{}", word.code)), "{word:?}");
                assert!(word.zh.chars().any(|c| c > '\u{2e80}'), "{word:?}");
                assert!(word.en.is_ascii() && !word.en.is_empty(), "{word:?}");
            }
            // Its own word, which is not that of a value nobody has named.
            for of in [|word: &Word| word.zh, |word: &Word| word.en] {
                let own: BTreeSet<&str> = words.iter().map(of).collect();
                assert_eq!(own.len(), words.len(), "{}", list.name);
                assert!(own.iter().all(|word| !word.starts_with("未知")), "{}", list.name);
                assert!(own.iter().all(|word| !word.starts_with("unknown")), "{}", list.name);
                assert!(own.iter().all(|word| !word.starts_with("not given")), "{}", list.name);
            }
            seen += 1;
        }
        assert_eq!(seen, lists().len());
        let names: BTreeSet<&str> = lists().iter().map(|list| list.name).collect();
        assert_eq!(names.len(), lists().len());
    }
}
