//! What people are told when something about a plan was not done: why, and what to do now.

use super::{PlanMisfit, PlanRefusal};
use crate::domain::code::{Language, Words};
use crate::domain::plan::ready::Finding;
use crate::domain::words::Explanation;
use crate::ids::{CityCode, SubjectId};

/// What the sentences need to know: the names of cities, and those of sites and units.
pub struct Names<'a> {
    /// Of a city, such as 邯郸.
    pub city: &'a dyn Fn(CityCode) -> String,
    /// Of a site or a unit: a firm, a certificate number, a plate.
    pub record: &'a dyn Fn(SubjectId) -> String,
}

impl PlanMisfit {
    /// Why it has no effect and what to do.
    #[must_use]
    pub fn explain(self, language: Language, names: &Names<'_>) -> Explanation {
        let (why, todo) = match language {
            Language::Zh => self.zh(names),
            Language::En => (self.to_string(), self.todo().to_owned()),
        };
        Explanation { why, todo }
    }

    fn zh(self, names: &Names<'_>) -> (String, String) {
        let city = |code| (names.city)(code);
        match self {
            Self::Invalid(wrong) => {
                let ((rule, _), (source, _)) = wrong.rule();
                told(format!("填写不合规：{rule}（{source}）"), "请核对后重新填写")
            }
            Self::NotAMember { city: who } => {
                told(format!("{}不是协议成员市", city(who)), "请核对所选协议")
            }
            Self::NotInitiator { initiator } => told(
                format!("方案由{}发起，只有该市可以办理这一步", city(initiator)),
                "本市可以答复、提出意见或要求调整",
            ),
            Self::NotParticipant { city: who } => {
                told(format!("{}未参加这一版方案", city(who)), "如需参加，请与发起市联系")
            }
            Self::NotHost => told("该检查对象不在本市", "请由属地登记到场和结果"),
            Self::StageForbids { stage, kind } => told(
                format!("方案现为“{}”，不能{}", stage.zh(), kind.zh()),
                "请刷新查看方案的最新状态",
            ),
            Self::RevisionUnknown => {
                told("所指的方案版本不存在或尚未收到", "请刷新后按最新一版办理")
            }
            Self::EntryUnknown => told("所指的记录不存在或尚未收到", "请刷新后再办理"),
            Self::TooManyRevisions => told("方案修订次数已达上限", "请另行发起方案"),
            Self::AnswerDoesNotCarry { city: who } => told(
                format!("{}对本版方案的最新答复不是确认", city(who)),
                "请待该市确认本版方案后再排定",
            ),
            Self::CommitmentMissing { city: who } => told(
                format!("{}没有可用的抽取承诺", city(who)),
                "请该市重新提交抽取承诺；用过的承诺不能再用",
            ),
            Self::TooManyDraws { attempt } => {
                told(format!("已抽取 {attempt} 次，不能再抽"), "请修订或取消方案")
            }
            Self::WithholdersDiffer { city: who } => told(
                format!("未公开随机数的名单与{}的情况不符", city(who)),
                "请刷新后再办理；未公开的须全部列明，已公开的不得列入",
            ),
            Self::WithheldTwice { city: who } => told(
                format!("{}再次未公开随机数，按规则不能再抽", city(who)),
                "请修订方案（不含该市）或取消方案",
            ),
            Self::ResultsMissing { city: who } => {
                told(format!("{}的结果尚未上报或已更新", city(who)), "请刷新，待各市报齐后再总结")
            }
            Self::NoDraw => told("本方案不作随机抽取", "无需提交承诺或公开随机数"),
            Self::TooManyWords => {
                told("本市对这一版方案的同类记录已达上限", "请合并办理，或待修订后再办")
            }
        }
    }

    const fn todo(self) -> &'static str {
        match self {
            Self::Invalid(_) => "check what was filled in",
            Self::NotAMember { .. } => "check the agreement",
            Self::NotInitiator { .. } => "answer it, or ask for changes",
            Self::NotParticipant { .. } => "ask the initiator to be taken in",
            Self::NotHost => "let the city record it where the site stands",
            Self::StageForbids { .. } => "look at the plan again",
            Self::RevisionUnknown | Self::EntryUnknown => {
                "look at the plan again, and take its last revision"
            }
            Self::TooManyRevisions => "open another plan",
            Self::AnswerDoesNotCarry { .. } => "wait until that city has confirmed this revision",
            Self::CommitmentMissing { .. } => "let that city commit again, with fresh randomness",
            Self::TooManyDraws { .. } => "revise or cancel the plan",
            Self::WithholdersDiffer { .. } => "look at the plan again, and name all who withhold",
            Self::WithheldTwice { .. } => "revise the plan without that city, or cancel it",
            Self::ResultsMissing { .. } => "look at the plan again, and wait for all results",
            Self::NoDraw => "nothing to commit to and nothing to show",
            Self::TooManyWords => "say it in one, or after the next revision",
        }
    }
}

/// What to do where a site may not be checked on site any more.
const NOT_ON_SITE: &str = "结果请登记为“未检查”或非现场检查；确已检查的，请另按例外情形登记";

impl PlanRefusal {
    /// Why it was not done and what to do.
    #[must_use]
    pub fn explain(self, language: Language, names: &Names<'_>) -> Explanation {
        let (why, todo) = match (self, language) {
            (Self::Misfit(misfit), _) => return misfit.explain(language, names),
            (Self::Lacking { finding, more }, _) => lacking(finding, more, language, names),
            (Self::SiteUnknown { .. }, Language::Zh) => {
                told("没有登记这个检查对象", "请核对检查对象；新对象先由所在地的市登记")
            }
            (_, Language::Zh) => self.zh(names),
            (_, Language::En) => (self.to_string(), self.todo().to_owned()),
        };
        Explanation { why, todo }
    }

    fn zh(self, names: &Names<'_>) -> (String, String) {
        match self {
            Self::Misfit(misfit) => misfit.zh(names),
            Self::Lacking { finding, more } => lacking(finding, more, Language::Zh, names),
            Self::Facts(refusal) => refusal.zh(names),
            Self::OldRevision { revision } => {
                told(format!("所答复的不是最新版，现为第 {revision} 版"), "请查看最新一版后再答复")
            }
            Self::WrongAttempt { .. }
            | Self::ConfirmAnew
            | Self::RevealFirst
            | Self::CommitTooLate { .. }
            | Self::RevealStage { .. }
            | Self::CheckInStage { .. }
            | Self::ReportStage { .. }
            | Self::VisitStopped { .. }
            | Self::VisitUnknown { .. }
            | Self::ArrivalDay { .. }
            | Self::OfficerRecused { .. }
            | Self::OfficerNotSent { .. } => self.of_course_zh(names),
            Self::AnswerTooLate { stage } => told(
                format!("方案现为“{}”，不再接受这种答复", stage.zh()),
                "执行结束前可以提意见、换人换车或退出",
            ),
            Self::NothingConfirmed => told("本市尚未确认本版方案", "请先确认，再退出或更换人员"),
            Self::UnitsNeeded => {
                told("方案仍在进行，人员装备不能释放", "不参加的请退出，换人换车的请更换")
            }
            Self::HoldUntil { hold_until, latest } => told(
                format!("保留期限 {hold_until} 早于今天或晚于 {latest}"),
                format!("请填写今天至 {latest} 之间的日期"),
            ),
            Self::Periods => told("建议的时段有误", "时段不早于今天，按先后填写且不重叠"),
            Self::Committed => told("本市已提交抽取承诺", "无需重复提交"),
            Self::NobodyWithholds => {
                told("没有未公开随机数的市", "随机数公开齐全的不重新抽取；确需另抽的，请修订方案")
            }
            Self::RevealTooEarly { from } => {
                told(format!("抽取结果自 {from} 起公开"), "请届时再公开，名单在此之前保密")
            }
            Self::RevealMismatch => told(
                "公开的随机数与承诺不符，节点密钥可能已更换",
                "请告知发起市重新抽取，并为下一次提交承诺",
            ),
            Self::Revealed => told("本市已公开随机数", "无需重复公开"),
            Self::BeginTooEarly { first } => {
                told(format!("行动自 {first} 开始"), "请于行动当日开始；需提前的，请修订方案")
            }
            Self::NotVisited { site } | Self::SiteUnknown { site } => {
                told(format!("{}不是本方案的检查对象", (names.record)(site)), "请核对检查对象")
            }
            Self::TeamTooSmall { got, least } => told(
                format!("到场的属地持证执法人员 {got} 名，少于 {least} 名"),
                "请补齐人员后再检查（行政处罚法第四十二条）",
            ),
            Self::CaseUnknown { .. }
            | Self::CaseElsewhere { .. }
            | Self::NoClue { .. }
            | Self::ResultChanged { .. }
            | Self::ArrivalChanged { .. }
            | Self::ReportDay { .. }
            | Self::ResultsMissing { .. }
            | Self::ResultsNotIn { .. }
            | Self::AllResultsIn
            | Self::NumbersUsedUp { .. }
            | Self::ShownBefore
            | Self::DepartmentNotIn { .. }
            | Self::ReportTooLate { .. } => self.of_results_zh(names),
        }
    }

    /// The words about draws and visits, while a plan takes its course; [`Self::zh`] has the
    /// others.
    fn of_course_zh(self, names: &Names<'_>) -> (String, String) {
        let record = |id| (names.record)(id);
        match self {
            Self::WrongAttempt { attempt } => {
                told(format!("抽取现为第 {attempt} 次"), "请刷新后再办理")
            }
            Self::ConfirmAnew => told("方案尚未排定，不能直接更换", "请重新确认并填写新的人员装备"),
            Self::RevealFirst => {
                told("本市尚未公开本次抽取的随机数", "请先公开，再提交下一次承诺或修订方案")
            }
            Self::CommitTooLate { stage } => {
                told(format!("方案现为“{}”，不再抽取", stage.zh()), "无需提交抽取承诺")
            }
            Self::RevealStage { stage } => {
                told(format!("方案现为“{}”，不能公开随机数", stage.zh()), "排定后至结束前方可公开")
            }
            Self::CheckInStage { stage } => told(
                format!("方案现为“{}”，不能登记到场", stage.zh()),
                "请于排定后、行动开始起登记；行动结束后限期内可补录",
            ),
            Self::ReportStage { stage } => {
                told(format!("方案现为“{}”，不能登记结果", stage.zh()), "请于行动开始后登记")
            }
            Self::VisitStopped { site, why } => {
                told(format!("{}{}，本次不再现场检查", record(site), why.zh()), NOT_ON_SITE)
            }
            Self::VisitUnknown { site, visits } => {
                told(format!("本方案对{}安排检查 {visits} 次", record(site)), "请核对是第几次检查")
            }
            Self::ArrivalDay { on } => told(format!("{on} 不是已到的行动日"), "请填写实际到场日期"),
            Self::OfficerRecused { officer } => {
                told(format!("{}应当回避", record(officer)), "请换人（行政处罚法第四十三条）")
            }
            Self::OfficerNotSent { officer } => {
                told(format!("{}未列入当日派出人员", record(officer)), "请先更换人员，再登记到场")
            }
            Self::Misfit(_)
            | Self::Lacking { .. }
            | Self::Facts(_)
            | Self::OldRevision { .. }
            | Self::AnswerTooLate { .. }
            | Self::NothingConfirmed
            | Self::UnitsNeeded
            | Self::HoldUntil { .. }
            | Self::Periods
            | Self::Committed
            | Self::NobodyWithholds
            | Self::RevealTooEarly { .. }
            | Self::RevealMismatch
            | Self::Revealed
            | Self::BeginTooEarly { .. }
            | Self::NotVisited { .. }
            | Self::SiteUnknown { .. }
            | Self::TeamTooSmall { .. }
            | Self::ReportDay { .. }
            | Self::ResultsMissing { .. }
            | Self::ResultsNotIn { .. }
            | Self::AllResultsIn
            | Self::CaseUnknown { .. }
            | Self::CaseElsewhere { .. }
            | Self::NoClue { .. }
            | Self::ResultChanged { .. }
            | Self::ArrivalChanged { .. }
            | Self::NumbersUsedUp { .. }
            | Self::ShownBefore
            | Self::DepartmentNotIn { .. }
            | Self::ReportTooLate { .. } => self.zh(names),
        }
    }

    /// The words about results; [`Self::zh`] has the others.
    fn of_results_zh(self, names: &Names<'_>) -> (String, String) {
        if let Self::DepartmentNotIn { department } = self {
            return told(format!("{}部门未参加本方案", department.zh()), "请核对检查部门");
        }
        if let Self::ReportTooLate { until } = self {
            return told(format!("到场、结果登记截止 {until}"), "请在行动总结的说明中补充");
        }
        if let Self::NumbersUsedUp { year } = self {
            return told(format!("{year} 年的方案编号已用完"), "请下一年度再发起");
        }
        if let Self::ResultsMissing { site } = self {
            let name = (names.record)(site);
            return told(format!("{name}的结果尚未登记"), "请先登记该对象的结果");
        }
        if let Self::ResultsNotIn { city } = self {
            let name = (names.city)(city);
            return told(format!("{name}的结果尚未上报"), "请待各市结果报齐后再总结");
        }
        if let Self::AllResultsIn = self {
            return told("各市结果已报齐，不能取消", "请办理总结");
        }
        if let Self::ShownBefore = self {
            return told(
                "本市的随机数在此前一次排定后已公开，再用即可被人算定",
                "请发起市修订方案，各市重新提交承诺",
            );
        }
        if let Self::ReportDay { on, first, last } = self {
            let why = format!("检查日期 {on} 不在 {first} 至 {last} 之间");
            return told(why, "请填写实际检查日期");
        }
        if let Self::ResultChanged { .. } = self {
            let why = "该次检查的结果已由他人登记或更正";
            return told(why, "请查看现在的结果，核对后再更正");
        }
        if let Self::ArrivalChanged { .. } = self {
            let why = "该次检查的到场已由他人登记或更正";
            return told(why, "请查看现在的登记，核对后再更正");
        }
        if let Self::NoClue { site } = self {
            let name = (names.record)(site);
            return told(format!("{name}的结果中没有线索"), "请先登记结果和线索数");
        }
        if let Self::CaseElsewhere { city, .. } = self {
            return told(
                format!("所填案件不是{}登记或承办的案件", (names.city)(city)),
                "请填写检查对象所在市登记或承办的案件；由其他部门办理的请留空",
            );
        }
        if let Self::CaseUnknown { .. } = self {
            return told("所填案件不在本协议内", "请核对案件编号；由其他部门办理的请留空");
        }
        self.of_course_zh(names)
    }

    const fn todo(self) -> &'static str {
        match self {
            Self::Misfit(misfit) => misfit.todo(),
            Self::Lacking { .. } => "mend what is lacking",
            Self::Facts(refusal) => refusal.todo(),
            Self::OldRevision { .. } => "read the last revision and answer that",
            Self::WrongAttempt { .. } => "look at the plan again",
            Self::ConfirmAnew => "confirm again, with the other units",
            Self::RevealFirst => "show it first, then commit to the next attempt or revise",
            Self::CommitTooLate { .. } => "nothing to do",
            Self::RevealStage { .. } => "show it between scheduling and end",
            Self::CheckInStage { .. } => {
                "record it once the plan is scheduled and its days have come"
            }
            Self::ReportStage { .. } => "record results once the action has begun",
            Self::VisitStopped { .. } => {
                "report it as not checked or off site; what was checked all the same is recorded \
                 at the site, under an exception"
            }
            Self::VisitUnknown { .. } => "check which visit it was",
            Self::ArrivalDay { .. } => "give the day on which it was",
            Self::OfficerRecused { .. } => "send another officer (art. 43)",
            Self::OfficerNotSent { .. } => "swap units first",
            Self::DepartmentNotIn { .. } => "check the departments",
            Self::ReportTooLate { .. } => "say it in the text of the summary",
            Self::ResultChanged { .. } => "read the result that stands there, then correct it",
            Self::ArrivalChanged { .. } => "read the arrival that stands there, then correct it",
            Self::NoClue { .. } => "report the visit and its clues first",
            Self::AnswerTooLate { .. } => "comment, swap units or withdraw",
            Self::NothingConfirmed => "confirm first",
            Self::UnitsNeeded => "withdraw, or swap them",
            Self::HoldUntil { .. } => "give a day between the two",
            Self::Periods => "give days ahead, in order and apart",
            Self::Committed | Self::Revealed => "nothing to do",
            Self::NobodyWithholds => "draw again only when a city withholds, or revise the plan",
            Self::RevealTooEarly { .. } => "wait until then, the list is secret before",
            Self::RevealMismatch => {
                "the node has another key than then: commit to the next attempt once all draw again"
            }
            Self::BeginTooEarly { .. } => "begin on that day, or revise the plan",
            Self::NotVisited { .. } | Self::SiteUnknown { .. } => "check the site",
            Self::TeamTooSmall { .. } => "wait until there are enough (art. 42)",
            Self::ReportDay { .. } => "give the day on which it was",
            Self::ResultsMissing { .. } => "record the results of that site first",
            Self::ResultsNotIn { .. } => "wait until all results are in",
            Self::AllResultsIn => "summarise the plan",
            Self::ShownBefore => "let the initiator revise the plan, so that all commit anew",
            Self::CaseUnknown { .. } => {
                "check the case, or leave it empty when others follow it up"
            }
            Self::CaseElsewhere { .. } => "name a case of that city, or leave it empty",
            Self::NumbersUsedUp { .. } => "open it next year",
        }
    }
}

/// What is lacking and by what rule; how many more things there are.
fn lacking(finding: Finding, more: u32, language: Language, names: &Names<'_>) -> (String, String) {
    let what = finding.explain(language, names.city, names.record);
    let ((rule_zh, rule_en), (source_zh, source_en)) = finding.rule();
    match (language, more) {
        (Language::Zh, 0) => (what, format!("{rule_zh}（{source_zh}），请补正后再办理")),
        (Language::Zh, _) => (
            format!("{what}；另有 {more} 项不符合"),
            format!("{rule_zh}（{source_zh}），请逐项补正后再办理"),
        ),
        (Language::En, 0) => (what, format!("{rule_en} ({source_en}); mend it first")),
        (Language::En, _) => (
            format!("{what}, and {more} more"),
            format!("{rule_en} ({source_en}); mend them first"),
        ),
    }
}

pub(super) fn told(why: impl Into<String>, todo: impl Into<String>) -> (String, String) {
    (why.into(), todo.into())
}
