//! The words people read for states, steps, codes and cities.
//!
//! In scope: one table per enum of the API, both languages, and the names a step may be called by.
//! Out of scope: sentences, which stand where they are printed.
//!
//! Words are chosen with care: 同意接收 and never 受理, 系统送达 and never 送达回证.

use super::code::{Code, Read};
use crate::domain::{CaseStep, Words};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

mod deadlines;
mod evidence;
mod facts;
mod lists;
mod meetings;
mod misfits;
mod more;
mod notices;
mod plans;
mod referrals;
mod sites;
mod units;

pub use deadlines::{case_awaited, clock, milestone, milestones, parse_milestone};
pub use evidence::{decline_ground, parse_decline_ground};
pub use facts::{authority, data_level, evidence_kind, medium, penalty_kind, source, violation};
pub use lists::{EnumList, Word, lists};
pub use meetings::{meeting_state, meeting_word};
pub use misfits::misfit;
pub use more::{
    actor_role, audience_kind, basis_verdict, erasure_reason, fine_kind, part_kind, party_type,
    statistic, subject_kind, term_setter, term_unit,
};
pub use notices::{
    not_held, notice_filter, notice_kind, notice_level, notice_text, parse_notice_kind, report_kind,
};

use plans::plan_event;
pub use plans::{
    plan_answer, plan_awaited, plan_kind, plan_resolution, plan_state, plan_step, rule_force,
    visit_outcome,
};
pub use referrals::{
    copied_paper, parse_copied_paper, parse_police_answer, parse_procuratorate_opinion,
    parse_referral_kind, parse_referral_paper, police_answer, procuratorate_opinion, referral_kind,
    referral_paper,
};
pub use sites::{
    check_mode, left_out, listing_status, monitoring_kind, parse_exception, parse_mode,
    parse_monitoring, parse_permit, parse_removal, parse_status, parse_tier, permit_kind,
    removal_basis, site_tier, site_word, visit_exception, visit_verdict,
};

pub use units::{
    day_half, department, parse_department, parse_unit_kind, slot_hindrance, unit_kind,
};

/// Where a case stands.
#[must_use]
pub fn state(state: pb::CaseState, lang: Lang) -> &'static str {
    use pb::CaseState as S;
    let (zh, en) = match state {
        S::Unspecified => ("未知状态", "unknown state"),
        S::ClueReported => ("线索已登记", "clue reported"),
        S::ClueVerifying => ("核查中", "clue being verified"),
        S::ClueDismissed => ("不予立案", "clue dismissed"),
        S::Filed => ("已立案", "filed"),
        S::Investigating => ("调查取证", "under investigation"),
        S::NoticeServed => ("已告知", "notice served"),
        S::Hearing => ("听证", "hearing"),
        S::Decided => ("已作出处罚决定", "penalty decided"),
        S::Enforcing => ("执行中", "being enforced"),
        S::CourtEnforcement => ("申请法院强制执行", "with the court"),
        S::Closed => ("已结案", "closed"),
        S::Archived => ("已归档", "archived"),
        S::NoPenalty => ("不予处罚", "no penalty"),
        S::Withdrawn => ("撤案", "withdrawn"),
        S::Revoked => ("决定被撤销", "decision revoked"),
        S::TransferredPolice => ("移送公安机关", "handed to the police"),
        S::TransferredOut => ("已移送待接收", "offered, waiting for acceptance"),
        S::TransferAccepted => ("已接收", "accepted"),
        S::TransferDisputed => ("管辖争议", "jurisdiction dispute"),
        S::Designated => ("已指定管辖", "jurisdiction designated"),
        S::ClosedOutside => ("指定至协议外", "designated outside the agreement"),
    };
    lang.pick(zh, en)
}

/// Every state but the unset one.
#[must_use]
pub fn states() -> Vec<pb::CaseState> {
    (1..).map_while(|number| pb::CaseState::try_from(number).ok()).collect()
}

/// Reads a state from its word in either language or its name in the API.
#[must_use]
pub fn parse_state(text: &str) -> Option<pb::CaseState> {
    let upper = text.to_ascii_uppercase().replace('-', "_");
    states().into_iter().find(|one| {
        short(one.as_str_name(), "CASE_STATE_") == upper
            || state(*one, Lang::Zh) == text
            || state(*one, Lang::En).eq_ignore_ascii_case(text)
    })
}

/// A plain move: what people read, and its English name on the command line.
#[must_use]
pub fn step(step: pb::CaseStep) -> (&'static str, &'static str) {
    use pb::CaseStep as S;
    match step {
        S::Unspecified => ("未知办理", "unknown-step"),
        S::VerificationStarted => ("开始核查", "start-verification"),
        S::ClueDismissed => ("不予立案", "dismiss-clue"),
        S::Filed => ("立案", "file"),
        S::InvestigationStarted => ("开始调查取证", "start-investigation"),
        S::NoticeServed => ("处罚事先告知", "serve-notice"),
        S::HearingOpened => ("听证", "open-hearing"),
        S::Decided => ("作出处罚决定", "decide"),
        S::NoPenaltyDecided => ("决定不予处罚", "decide-no-penalty"),
        S::Withdrawn => ("撤案", "withdraw"),
        S::Revoked => ("决定被撤销", "revoke-decision"),
        S::EnforcementStarted => ("开始执行", "start-enforcement"),
        S::CourtEnforcementRequested => ("申请法院强制执行", "request-court-enforcement"),
        S::Closed => ("结案", "close"),
        S::Archived => ("归档", "archive"),
        S::TransferredToPolice => ("移送公安机关", "transfer-to-police"),
        S::ReturnedByPolice => ("公安机关退回", "return-from-police"),
    }
}

/// A plain move in the words of whoever reads, not of the command line.
#[must_use]
pub fn step_told(one: pb::CaseStep, lang: Lang) -> &'static str {
    let (zh, named) = step(one);
    match CaseStep::read(one.into()) {
        Read::Known(known) => lang.pick(zh, known.en()),
        Read::Unset | Read::Newer => lang.pick(zh, named),
    }
}

/// Every step but the unset one.
#[must_use]
pub fn steps() -> Vec<pb::CaseStep> {
    (1..).map_while(|number| pb::CaseStep::try_from(number).ok()).collect()
}

/// Other words a step is called by: 核查 and the state it leads to, besides the table above.
fn step_alias(text: &str) -> Option<pb::CaseStep> {
    use pb::CaseStep as S;
    match text {
        "核查" | "核查中" | "CLUE_VERIFYING" => Some(S::VerificationStarted),
        "已立案" => Some(S::Filed),
        "调查" | "调查取证" | "INVESTIGATING" => Some(S::InvestigationStarted),
        "告知" | "已告知" | "处罚事先(听证)告知" | "处罚告知" => {
            Some(S::NoticeServed)
        }
        "开始听证" | "HEARING" => Some(S::HearingOpened),
        "处罚决定" | "已作出处罚决定" => Some(S::Decided),
        "不予处罚" | "NO_PENALTY" => Some(S::NoPenaltyDecided),
        "撤销决定" => Some(S::Revoked),
        "执行" | "执行中" | "ENFORCING" => Some(S::EnforcementStarted),
        "法院强制执行" | "COURT_ENFORCEMENT" => Some(S::CourtEnforcementRequested),
        "已结案" => Some(S::Closed),
        "已归档" => Some(S::Archived),
        "移送公安" | "涉嫌犯罪移送公安机关" | "TRANSFERRED_POLICE" => {
            Some(S::TransferredToPolice)
        }
        _ => None,
    }
}

/// Reads a step by either name, by its name in the API, or by the state it leads to.
#[must_use]
pub fn parse_step(text: &str) -> Option<pb::CaseStep> {
    let upper = text.to_ascii_uppercase().replace('-', "_");
    let by_name = steps().into_iter().find(|one| {
        let (zh, en) = step(*one);
        zh == text
            || en.eq_ignore_ascii_case(text)
            || short(one.as_str_name(), "CASE_STEP_") == upper
    });
    by_name.or_else(|| step_alias(text)).or_else(|| step_alias(&upper))
}

/// What became of an entry.
#[must_use]
pub fn effect(effect: pb::EntryEffect, lang: Lang) -> &'static str {
    let (zh, en) = match effect {
        pb::EntryEffect::Unspecified => ("未知", "unknown"),
        pb::EntryEffect::Move => ("办理", "step"),
        pb::EntryEffect::Contribution => ("补充", "addition"),
        pb::EntryEffect::Misfit => ("未生效操作", "did not take effect"),
        pb::EntryEffect::Newer => ("需升级后显示", "needs a newer version"),
    };
    lang.pick(zh, en)
}

/// How the link to another city is.
#[must_use]
pub fn link(state: pb::LinkState, lang: Lang) -> &'static str {
    let (zh, en) = match state {
        pb::LinkState::Unspecified => ("未知", "unknown"),
        pb::LinkState::Down => ("未连接，正在重试", "down, dialling again"),
        pb::LinkState::Up => ("已连接", "up"),
        pb::LinkState::Refused => ("被拒绝", "refused"),
    };
    lang.pick(zh, en)
}

/// What happened in an entry.
#[must_use]
pub fn event(event: Option<&pb::entry_header::Event>, lang: Lang) -> &'static str {
    use pb::entry_header::Event as E;
    let Some(event) = event else { return lang.pick("未知事项", "unknown event") };
    let (zh, en) = match event {
        E::ActorIntroduced(_) => ("登记人员", "a person is introduced"),
        E::RecoveryOverridden(_) => ("恢复中不再等待", "recovery goes on without members"),
        E::CharterAdopted(_) => ("改用新签署本", "a new charter is adopted"),
        E::PartErased(_) => ("依法删除", "content erased"),
        E::PartGranted(_) => ("授权查看材料", "content granted"),
        E::PartsReceived(_) => ("材料已收齐", "files received"),
        E::CaseOpened(_) => ("登记线索", "clue reported"),
        E::CaseStepped(stepped) => return step_told(stepped.step(), lang),
        E::CaseAmended(_) => ("更正", "record changed"),
        E::ProposalAdopted(_) => ("采纳建议", "proposal adopted"),
        E::ProposalRefused(_) => ("不采纳建议", "proposal refused"),
        E::TransferOffered(_) => ("移送", "transfer offered"),
        E::TransferAccepted(_) => ("同意接收", "transfer accepted"),
        E::TransferReturned(_) => ("退回", "transfer returned"),
        E::TransferDisputed(_) => ("管辖争议（提请指定管辖）", "jurisdiction disputed"),
        E::JurisdictionDesignated(_) => ("指定管辖", "jurisdiction designated"),
        E::TransferAcknowledged(_) => ("签收", "acknowledged"),
        E::TransferRecallRequested(_) => ("请求退还", "recall requested"),
        E::AssistanceRequested(_) => ("请求协助", "help requested"),
        E::AssistanceAnswered(_) => ("协助答复", "help answered"),
        E::NoteAdded(_) => ("补充说明", "note"),
        E::EvidenceAdded(_) => ("补充证据", "evidence added"),
        E::ProposalMade(_) => ("提出建议", "proposal"),
        E::PoliceDetentionTransferred(_) => ("行政拘留移送", "handed over for detention"),
        E::MilestoneRecorded(recorded) => return milestone(recorded.milestone(), lang),
        E::MilestoneWithdrawn(_) => ("撤回误登的事项", "milestone taken back"),
        E::ContinuedIn(_) => ("续办于另案", "goes on in another record"),
        E::ContinuedFrom(_) => ("承接自另案", "continues another record"),
        E::NoticeIssued(_) => ("发出通报", "notice issued"),
        E::NoticeAcknowledged(_) => ("签收通报", "notice acknowledged"),
        E::NoticeReported(_) => ("续报或反馈", "news of a notice"),
        E::NoticeEnded(_) => ("解除通报", "notice ended"),
        E::MeetingCalled(_) => ("召集联席会议", "meeting called"),
        E::MinutesRecorded(_) => ("登记会议纪要", "minutes recorded"),
        E::MinutesConfirmed(_) => ("确认会议纪要", "minutes confirmed"),
        E::MeetingCancelled(_) => ("取消联席会议", "meeting cancelled"),
        #[rustfmt::skip]
        E::PlanOpened(_) | E::PlanRevised(_) | E::PlanAmended(_) | E::PlanScheduled(_)
        | E::PlanRedrawn(_) | E::PlanBegun(_) | E::PlanSummarized(_) | E::PlanCancelled(_)
        | E::PlanAnswered(_) | E::PlanUnitsSwapped(_) | E::DrawCommitted(_) | E::DrawRevealed(_)
        | E::TeamArrived(_) | E::VisitReported(_) | E::FindingOpened(_)
        | E::PlanResultsReported(_) | E::PlanUnitsReleased(_) | E::PlanAnswerResolved(_)
            => return plan_event(event, lang),
        E::UnitRegistered(_) => ("登记执法力量", "unit registered"),
        E::UnitChanged(_) => ("修改执法力量", "unit changed"),
        E::UnitBlocked(_) => ("登记占用", "unit blocked"),
        E::UnitFreed(_) => ("取消占用", "unit freed"),
        E::EvidenceReceived(_) => ("登记接收证据", "evidence received"),
        E::EvidenceRecognised(_) => ("认可证据（证据互认）", "evidence recognised"),
        E::EvidenceDeclined(_) => ("不认可证据", "evidence declined"),
        E::CustodyRecorded(_) => ("证据移交", "original handed over"),
        E::CaseReferred(referred) => return referral_kind(referred.kind(), lang),
        E::PoliceAnswered(answered) => return police_answer(answered.answer(), lang),
        E::ProcuratorateCopied(_) => ("抄送检察院", "copied to the procuratorate"),
        E::ProcuratorateOpined(opined) => return procuratorate_opinion(opined.opinion(), lang),
        E::CampaignTagged(tagged) if tagged.removed => ("取消专项行动标记", "campaign tag off"),
        E::CampaignTagged(_) => ("专项行动标记", "campaign tag"),
        E::SiteRegistered(_) => ("登记检查对象", "site registered"),
        E::SiteChanged(_) => ("修改检查对象", "site changed"),
        E::SiteListed(_) => ("正面清单变动", "positive list"),
        E::SiteChecked(_) => ("登记检查", "check recorded"),
    };
    lang.pick(zh, en)
}

/// A name of the API without the enum's own name in front.
#[must_use]
pub fn short<'a>(name: &'a str, prefix: &str) -> &'a str {
    name.strip_prefix(prefix).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_found_by_each_of_its_names() {
        assert_eq!(steps().len(), 16);
        for one in steps() {
            let (zh, en) = step(one);
            for name in [zh, en, &en.to_uppercase(), short(one.as_str_name(), "CASE_STEP_")] {
                assert_eq!(parse_step(name), Some(one), "{name}");
            }
        }
        assert_eq!(parse_step("CLUE_VERIFYING"), Some(pb::CaseStep::VerificationStarted));
        assert_eq!(parse_step("clue-verifying"), Some(pb::CaseStep::VerificationStarted));
        assert_eq!(parse_step("受理"), None);
    }

    #[test]
    fn states_have_different_words_and_are_read_back() {
        assert_eq!(states().len(), 21);
        for one in states() {
            for word in [state(one, Lang::Zh), state(one, Lang::En)] {
                assert_eq!(parse_state(word), Some(one), "{word}");
            }
        }
    }

    #[test]
    fn legal_terms_are_kept_apart() {
        let all = states().into_iter().map(|one| state(one, Lang::Zh).to_owned());
        let all = all.chain(steps().into_iter().map(|one| step(one).0.to_owned()));
        for word in all {
            for forbidden in ["受理", "送达回证", "不予受理"] {
                assert!(!word.contains(forbidden), "{word}");
            }
        }
    }
}
