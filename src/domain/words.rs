//! What people are told when something was not done: why, and what to do now.
//!
//! Words of single values stand beside their codes (see [`crate::domain::code`]). Names of cities
//! are in the charter, so whoever asks for a sentence says how cities are called.

use super::code::{Language, Words};
use super::date::Date;
use super::kind::MoveKind;
use super::plan::{Names, PlanRefusal};
use super::refusal::{Misfit, Refusal};
use crate::ids::{CityCode, SubjectId};

/// Two sentences for a page, a table or an error detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Why it was not done.
    pub why: String,
    /// What the person can do now.
    pub todo: String,
}

/// Who is asking, and what else the sentences need to know.
pub struct Listener<'a> {
    /// The language of the sentences.
    pub language: Language,
    /// The name of a city for people, such as 邯郸 or Handan.
    pub city: &'a dyn Fn(CityCode) -> String,
    /// The name of a site or a unit: a firm, a certificate number, a plate.
    pub record: &'a dyn Fn(SubjectId) -> String,
    /// What this city could do now, as [`crate::domain::allowed_moves`] lists it.
    pub allowed: &'a [MoveKind],
}

fn before_last(effective_on: Date, last: Date) -> (String, String) {
    (
        format!("生效日期 {effective_on} 早于上一步的 {last}"),
        format!("请填写 {last} 或之后的日期；事后录入会标为补录"),
    )
}

fn too_early(effective_on: Date, not_before: Date) -> (String, String) {
    (
        format!("法律日期 {effective_on} 早于 {not_before}，此事不可能发生在其之前"),
        format!("请核对年月日，填写 {not_before} 或之后的日期"),
    )
}

impl Refusal {
    /// Why it was not done and what to do, in the listener's language.
    #[must_use]
    pub fn explain(&self, to: &Listener<'_>) -> Explanation {
        let (why, todo) = match (self, to.language) {
            (Self::Misfit(misfit), _) => return misfit.explain(to),
            (_, Language::Zh) => self.zh(to),
            (_, Language::En) => self.en(to),
        };
        Explanation { why, todo }
    }

    fn zh(&self, to: &Listener<'_>) -> (String, String) {
        let city = |code: &CityCode| (to.city)(*code);
        match self {
            Self::Misfit(misfit) => misfit.zh(to),
            Self::EffectiveInFuture { effective_on, today, .. } => told(
                format!("生效日期 {effective_on} 晚于今天（{today}）"),
                "请改为实际日期，或到当日再录入",
            ),
            Self::EffectiveBeforeLast { effective_on, last } => before_last(*effective_on, *last),
            Self::EffectiveTooEarly { effective_on: on, not_before } => too_early(*on, *not_before),
            Self::NoSuchMilestone => pair("没有可撤回的这一事项", "请刷新页面后重新选择"),
            Self::PointRequired => pair("立案须有准确位置", "请先补充 CGCS2000 经纬度，再立案"),
            Self::PointRemoved => pair("立案后不能删去位置", "位置有误的，请改为正确的经纬度"),
            Self::OfficersMissing { got } => told(
                format!("现有执法人员 {got} 名，少于两名"),
                "请补充持证执法人员，现场检查不得少于两人",
            ),
            Self::DesignatedInFuture { designated_on: on, today } => {
                told(format!("指定管辖文书日期 {on} 晚于今天（{today}）"), "请核对文书日期")
            }
            Self::AuthorityNotCommon { from, to: receiver } => told(
                format!("{}与{}不属同一省，省厅不是共同上级", city(from), city(receiver)),
                "请核对指定机关；跨省争议一般由生态环境部指定",
            ),
            Self::SecretNotExchanged => pair("不交换级内容不得进入交换系统", "请在本市系统办理"),
            Self::CountyUnknown => pair("县级区划代码不对", "请选择案发地的县（市、区）"),
            Self::DiscoveredInFuture { today } => {
                told(format!("发现时间晚于今天（{today}）"), "请核对发现时间")
            }
            Self::OccurredAfterDiscovery { discovered_on } => {
                told(format!("行为开始日期晚于发现日期（{discovered_on}）"), "请核对行为开始日期")
            }
            Self::OccurredOrder => pair("行为结束日期早于开始日期", "请核对起止日期"),
            Self::OccurredInFuture { today } => {
                told(format!("行为结束日期晚于今天（{today}）"), "行为仍在持续的，结束日期请留空")
            }
            Self::Borders => pair("边界距离数据有误", "这是程序问题，请联系系统管理员"),
            Self::OutsideBelt { nearest_m, belt_m } => outside_belt(*nearest_m, *belt_m),
            Self::NoTransfer { state } => told(
                format!("案件现为“{}”，没有待答复的移送", state.zh()),
                "无需操作，请刷新查看最新状态",
            ),
            Self::NotReceiver { receiver } => {
                (format!("移送的接收方是{}", city(receiver)), format!("请由{}签收", city(receiver)))
            }
            Self::NotSender { sender } => {
                (format!("移送由{}发出", city(sender)), format!("请由{}请求收回", city(sender)))
            }
            Self::HandlingCityOnly { handling } => {
                told(format!("本案由{}承办", city(handling)), "可以补充材料，或向承办市提出建议")
            }
            Self::SelfNamed { .. } => pair("对方不能是本市", "请选择另一成员市"),
            Self::DueInPast { due_on, today } => {
                told(format!("答复期限 {due_on} 早于今天（{today}）"), "请填写今天或之后的日期")
            }
            Self::OwnProposal => pair("本市就是承办市，不必提建议", "请直接修改案件内容"),
            Self::NothingToReceive => pair("没有移交给本市的材料", "无需确认"),
            Self::NoSuchPart { part } => {
                told(format!("该记录没有第 {} 份材料", u64::from(*part) + 1), "请刷新后重选")
            }
            Self::Evidence(refusal) => refusal.zh(),
            Self::Referral(refusal) => refusal.zh(),
            Self::Notice(refusal) => refusal.zh(),
            Self::Meeting(refusal) => refusal.zh(to.city),
            Self::Site(refusal) => refusal.zh(to.city),
            Self::Unit(refusal) => refusal.zh(),
            Self::Plan(refusal) => of_plan(*refusal, to),
        }
    }

    fn en(&self, to: &Listener<'_>) -> (String, String) {
        let city = |code: &CityCode| (to.city)(*code);
        let todo = match self {
            Self::Misfit(misfit) => return misfit.en(to),
            Self::EffectiveInFuture { .. } => {
                "enter the real date, or wait for that day".to_owned()
            }
            Self::EffectiveBeforeLast { last: day, .. }
            | Self::EffectiveTooEarly { not_before: day, .. } => {
                format!("enter {day} or a later date")
            }
            Self::NoSuchMilestone => "reload, and choose one that counts".to_owned(),
            Self::PointRequired => "add CGCS2000 coordinates, then file".to_owned(),
            Self::PointRemoved => "correct the coordinates instead".to_owned(),
            Self::OfficersMissing { .. } => "add certified officers".to_owned(),
            Self::DesignatedInFuture { .. } => "check the date of the document".to_owned(),
            Self::AuthorityNotCommon { .. } => "check who issued the designation".to_owned(),
            Self::SecretNotExchanged => "keep it in the own city's system".to_owned(),
            Self::CountyUnknown => "choose the county of the place".to_owned(),
            Self::DiscoveredInFuture { .. } => "check the time of discovery".to_owned(),
            Self::OccurredAfterDiscovery { .. } => "check the first day of the act".to_owned(),
            Self::OccurredOrder => "check both days of the act".to_owned(),
            Self::OccurredInFuture { .. } => "leave the end open while the act goes on".to_owned(),
            Self::Borders => "this is a fault of the program, tell the operator".to_owned(),
            Self::OutsideBelt { .. } => "claim an exception, or keep it at home".to_owned(),
            Self::NoTransfer { .. } => "nothing to do, reload the page".to_owned(),
            Self::NotReceiver { receiver } => format!("{} may acknowledge it", city(receiver)),
            Self::NotSender { sender } => format!("{} may ask for it back", city(sender)),
            Self::HandlingCityOnly { .. } => "add material, or make a proposal".to_owned(),
            Self::SelfNamed { .. } => "choose another member".to_owned(),
            Self::DueInPast { .. } => "enter today or a later date".to_owned(),
            Self::OwnProposal => "change the record itself".to_owned(),
            Self::NothingToReceive => "nothing to confirm".to_owned(),
            Self::NoSuchPart { .. } => "reload the page and choose again".to_owned(),
            Self::Evidence(refusal) => refusal.en().to_owned(),
            Self::Referral(refusal) => refusal.en(),
            Self::Notice(refusal) => refusal.en().to_owned(),
            Self::Meeting(refusal) => refusal.en().to_owned(),
            Self::Site(refusal) => refusal.en().to_owned(),
            Self::Unit(refusal) => refusal.en().to_owned(),
            Self::Plan(refusal) => return of_plan(*refusal, to),
        };
        (self.to_string(), todo)
    }
}

fn of_plan(refusal: PlanRefusal, to: &Listener<'_>) -> (String, String) {
    let said = refusal.explain(to.language, &Names { city: to.city, record: to.record });
    (said.why, said.todo)
}

fn outside_belt(nearest_m: u32, belt_m: u32) -> (String, String) {
    told(
        format!("距最近的共同边界 {nearest_m} 米，超出协议约定的 {belt_m} 米"),
        "确需联动的，请勾选边界范围外例外并说明理由；否则在本市办理",
    )
}

/// Why, with a value, and what to do.
fn told(why: String, todo: &str) -> (String, String) {
    (why, todo.to_owned())
}

/// Why and what to do, where neither needs a value.
fn pair(why: &str, todo: &str) -> (String, String) {
    (why.to_owned(), todo.to_owned())
}

impl Misfit {
    /// Why it had no effect and what to do, in the listener's language.
    #[must_use]
    pub fn explain(&self, to: &Listener<'_>) -> Explanation {
        let (why, todo) = match to.language {
            Language::Zh => self.zh(to),
            Language::En => self.en(to),
        };
        Explanation { why, todo }
    }

    fn zh(&self, to: &Listener<'_>) -> (String, String) {
        let city = |code: &CityCode| (to.city)(*code);
        match self {
            Self::CaseArchived => {
                ("案件已归档".to_owned(), "流程不再变动，仍可补充材料".to_owned())
            }
            Self::AlreadyOpen => ("案件已经建立".to_owned(), "请在原案件上操作".to_owned()),
            Self::NotAMember { city: who } => {
                (format!("{}不是本联动协议成员", city(who)), "请核对所选的协议".to_owned())
            }
            Self::NotYourTurn { turn, state } => (
                format!("办理权：现由{}处理（{}）", city(turn), state.zh()),
                format!("可以联系{}，也可以补充材料", city(turn)),
            ),
            Self::NotHandlingCity { handling, state } => (
                format!("承办市仍是{}（{}）", city(handling), state.zh()),
                "需要修改的，请先同意接收".to_owned(),
            ),
            Self::TransferPending { state } => {
                (format!("移送尚未办完（{}）", state.zh()), "请先同意接收，再修改内容".to_owned())
            }
            Self::MoveNotAllowed { state, kind } => {
                (format!("案件现为“{}”，不能“{}”", state.zh(), kind.zh()), to.allowed_text())
            }
            Self::SelfTransfer => ("不能移送给本市".to_owned(), "请选择另一成员市".to_owned()),
            Self::ReceiverNotMember { city: who, .. } => (
                format!("{}不是本联动协议成员", city(who)),
                "请选择成员市；协议外的移送请走公文".to_owned(),
            ),
            Self::NotAddressed { city: who } => {
                (format!("这份通报没有发给{}", city(who)), "由收到通报的市签收和反馈".to_owned())
            }
            Self::NoticeInvalid => {
                ("通报的对象或级别不合规定".to_owned(), "请核对成员市与级别".to_owned())
            }
            Self::NotIssuer { issuer } => {
                (format!("通报由{}发出", city(issuer)), format!("请由{}解除", city(issuer)))
            }
            Self::MeetingInvalid => {
                ("会议的主持市或次数不合规定".to_owned(), "请核对成员市与会议次数".to_owned())
            }
            Self::NotChair { chair } => (
                format!("这次会议由{}主持", city(chair)),
                "请由主持市或召集市登记纪要、取消会议".to_owned(),
            ),
            Self::SiteInvalid => pair(
                "检查对象不在本市辖区，或登记内容不合规定",
                "请核对县级区划代码、污染要素和正面清单各项",
            ),
            Self::NotSiteCity { owner } => {
                (format!("检查对象在{}辖区", city(owner)), format!("请由{}登记、修改", city(owner)))
            }
            Self::UnitInvalid => (
                "执法力量的内容不完整，或没有写明时段".to_owned(),
                "请核对部门、证件有效期和时段".to_owned(),
            ),
            Self::NotUnitCity { city: who } => {
                (format!("这是{}的执法力量", city(who)), "由该市登记、修改和占用".to_owned())
            }
        }
    }

    fn en(&self, to: &Listener<'_>) -> (String, String) {
        let city = |code: &CityCode| (to.city)(*code);
        match self {
            Self::CaseArchived => pair("the case is archived", "material can still be added"),
            Self::AlreadyOpen => pair("the case is open already", "go on with that case"),
            Self::NotAMember { city: who } => (
                format!("{} is not a member of this agreement", city(who)),
                "check the agreement".to_owned(),
            ),
            Self::NotYourTurn { turn, state } => (
                format!("the case is with {} ({})", city(turn), state.en()),
                format!("ask {}, or add material", city(turn)),
            ),
            Self::NotHandlingCity { handling, state } => (
                format!("the case is still handled by {} ({})", city(handling), state.en()),
                "accept the transfer first".to_owned(),
            ),
            Self::TransferPending { state } => (
                format!("the transfer is not finished ({})", state.en()),
                "accept it first, then change the record".to_owned(),
            ),
            Self::MoveNotAllowed { state, kind } => (
                format!("the case is at \"{}\", \"{}\" is not possible", state.en(), kind.en()),
                to.allowed_text(),
            ),
            Self::SelfTransfer => {
                pair("a case is not transferred to the own city", "choose another member")
            }
            Self::ReceiverNotMember { city: who, .. } => (
                format!("{} is not a member of this agreement", city(who)),
                "choose a member, or transfer it on paper".to_owned(),
            ),
            Self::NotAddressed { city: who } => (
                format!("the notice is not for {}", city(who)),
                "the cities it is for acknowledge and answer it".to_owned(),
            ),
            Self::NoticeInvalid => {
                pair("the notice names no members or has a wrong level", "check both")
            }
            Self::NotIssuer { issuer } => (
                format!("the notice was issued by {}", city(issuer)),
                format!("{} may end it", city(issuer)),
            ),
            Self::MeetingInvalid => pair(
                "the meeting is chaired by no member or has an impossible number",
                "check both",
            ),
            Self::NotChair { chair } => (
                format!("the meeting is chaired by {}", city(chair)),
                "its chair, or who called it, records minutes and cancels it".to_owned(),
            ),
            Self::SiteInvalid => pair(
                "the site is of another area, or its facts or its listing do not fit",
                "check county, media and listing",
            ),
            Self::NotSiteCity { owner } => (
                format!("the site stands in the area of {}", city(owner)),
                format!("{} registers and changes it", city(owner)),
            ),
            Self::UnitInvalid => pair(
                "the unit lacks what its kind needs, or no half days are named",
                "check department, certificate and half days",
            ),
            Self::NotUnitCity { city: who } => (
                format!("the unit is of {}", city(who)),
                "that city registers, changes and blocks it".to_owned(),
            ),
        }
    }
}

impl Listener<'_> {
    /// The moves that are possible now, as a sentence.
    fn allowed_text(&self) -> String {
        let words: Vec<&str> = self.allowed.iter().map(|kind| kind.word(self.language)).collect();
        match (self.language, words.is_empty()) {
            (Language::Zh, true) => "本市现在没有可办的步骤，仍可补充材料".to_owned(),
            (Language::En, true) => {
                "nothing to do for this city now but to add material".to_owned()
            }
            (Language::Zh, false) => format!("现在可以：{}", words.join("、")),
            (Language::En, false) => format!("possible now: {}", words.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests;
