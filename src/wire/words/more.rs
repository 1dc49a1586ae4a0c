//! Words for codes that are seldom shown: headers, parts, and the catalogue itself.

use super::short;
use crate::domain::Words;
use crate::domain::catalogue::Verdict;
use crate::domain::deadline::terms::SetBy;
use crate::domain::event::ErasureReason;
use crate::domain::pollutant::Statistic;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// The word of a value that the domain names; `unknown` for one that it does not have.
fn known<T: Words, E>(
    found: Result<T, E>,
    lang: Lang,
    unknown: (&'static str, &'static str),
) -> &'static str {
    match found {
        Ok(known) => lang.pick(known.zh(), known.en()),
        Err(_) => lang.pick(unknown.0, unknown.1),
    }
}

/// Over what time a value was taken.
#[must_use]
pub fn statistic(one: pb::PollutantStatistic, lang: Lang) -> &'static str {
    let code = short(one.as_str_name(), "POLLUTANT_STATISTIC_");
    known(Statistic::parse(code), lang, ("未填", "not given"))
}

/// Why a part was erased.
#[must_use]
pub fn erasure_reason(one: pb::ErasureReason, lang: Lang) -> &'static str {
    let code = short(one.as_str_name(), "ERASURE_REASON_");
    known(ErasureReason::parse(code), lang, ("未填", "not given"))
}

/// What a later text may mean for an act before it.
#[must_use]
pub fn basis_verdict(one: pb::BasisVerdict, lang: Lang) -> &'static str {
    let code = short(one.as_str_name(), "BASIS_VERDICT_");
    known(Verdict::parse(code), lang, ("未比较", "not compared"))
}

/// Who sets the length of a term.
#[must_use]
pub fn term_setter(one: pb::TermSetter, lang: Lang) -> &'static str {
    let code = short(one.as_str_name(), "TERM_SETTER_");
    known(SetBy::parse(code), lang, ("未知", "unknown"))
}

/// In what a term is counted.
#[must_use]
pub fn term_unit(one: pb::TermUnit, lang: Lang) -> &'static str {
    let (zh, en) = match one {
        pb::TermUnit::Unspecified => ("未定", "not set"),
        pb::TermUnit::Workdays => ("个工作日", "workdays"),
        pb::TermUnit::Days => ("日", "days"),
        pb::TermUnit::Months => ("个月", "months"),
        pb::TermUnit::Hours => ("小时", "hours"),
    };
    lang.pick(zh, en)
}

/// What an article says of a fine.
#[must_use]
pub fn fine_kind(one: pb::FineKind, lang: Lang) -> &'static str {
    let (zh, en) = match one {
        pb::FineKind::Unspecified => ("未知", "unknown"),
        pb::FineKind::Ranges => ("金额幅度", "ranges of money"),
        pb::FineKind::Formula => ("倍数或比例", "a multiple or a share"),
        pb::FineKind::Absent => ("不设罚款", "no fine"),
        pb::FineKind::Unstated => ("目录未载罚款幅度", "fine not in the catalogue"),
    };
    lang.pick(zh, en)
}

/// Who is accused.
#[must_use]
pub fn party_type(one: pb::PartyType, lang: Lang) -> &'static str {
    let (zh, en) = match one {
        pb::PartyType::Unspecified => ("未填", "not given"),
        pb::PartyType::LegalPerson => ("单位", "organisation"),
        pb::PartyType::NaturalPerson => ("自然人", "natural person"),
        pb::PartyType::Unknown => ("尚未查明", "not yet known"),
    };
    lang.pick(zh, en)
}

/// In what capacity somebody acted.
#[must_use]
pub fn actor_role(one: pb::ActorRole, lang: Lang) -> &'static str {
    use pb::ActorRole as R;
    let (zh, en) = match one {
        R::Unspecified => ("未知", "unknown"),
        R::Coordinator => ("联络员", "coordinator"),
        R::Inspector => ("执法人员", "inspector"),
        R::System => ("业务系统", "system"),
        R::Auditor => ("审计", "auditor"),
        R::Admin => ("管理员", "administrator"),
        R::Node => ("本市节点", "the node itself"),
    };
    lang.pick(zh, en)
}

/// What a record is about.
#[must_use]
pub fn subject_kind(one: pb::SubjectKind, lang: Lang) -> &'static str {
    use pb::SubjectKind as K;
    let (zh, en) = match one {
        K::Unspecified => ("未知", "unknown"),
        K::Case => ("案件", "case"),
        K::Plan => ("联合行动方案", "joint-action plan"),
        K::Site => ("检查对象", "site"),
        K::Unit => ("执法力量", "officer, vehicle or drone"),
        K::Notice => ("信息通报", "notice"),
        K::Meeting => ("联席会议", "joint meeting"),
        K::Actor => ("人员或系统", "person or system"),
        K::Log => ("记录本身", "the records of a city"),
        K::Agreement => ("联动协议", "agreement"),
    };
    lang.pick(zh, en)
}

/// What a part of a record holds.
#[must_use]
pub fn part_kind(one: pb::PartKind, lang: Lang) -> &'static str {
    use pb::PartKind as K;
    let (zh, en) = match one {
        K::Unspecified => ("未知", "unknown"),
        K::CaseRecord => ("案件内容", "content of a case"),
        K::Person => ("自然人信息", "natural person"),
        K::CaseNumber => ("案件编号", "case numbers"),
        K::Text => ("文字说明", "text"),
        K::Evidence => ("证据清单", "list of evidence"),
        K::ActorCertificate => ("办理人证号", "certificate number"),
        K::Notice => ("通报内容", "what a notice says"),
        K::Meeting => ("会议内容", "what is said of a meeting"),
        K::Custody => ("移交记录", "who handed what to whom"),
        K::Referral => ("移送与答复文书", "organ and document of a referral"),
        K::Site => ("检查对象信息", "who and where a site is"),
        K::Unit => ("执法力量证号、牌号", "number of a unit"),
        K::Plan => ("方案内容", "what is said of a plan"),
        K::PlanPool => ("抽查对象名录", "list for a draw"),
        K::PlanNumber => ("方案编号", "number of a plan"),
    };
    lang.pick(zh, en)
}

/// Who may hold a part.
#[must_use]
pub fn audience_kind(one: pb::AudienceKind, lang: Lang) -> &'static str {
    use pb::AudienceKind as K;
    let (zh, en) = match one {
        K::Unspecified => ("未知", "unknown"),
        K::AllMembers => ("协议全体成员", "all members"),
        K::HandlingCity => ("承办市", "handling cities"),
        K::Cities => ("指定的城市", "the cities named"),
    };
    lang.pick(zh, en)
}
