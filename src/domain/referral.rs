//! Police and procuratorate (行刑衔接), and campaign tags: what is said beside the moves of a case.
//!
//! In scope: kinds of referrals, papers, answers and opinions; who may say what. Out of scope: the
//! move to the state of suspected crime ([`crate::domain::transition`]), terms
//! ([`crate::domain::deadline`]), words of organs, which are parts.
//!
//! Two kinds are kept apart: 涉嫌犯罪移送 (a suspected crime) and 行政拘留移送 (the person may have
//! to be detained, the fine goes on). Only the city that handled the case, as the author saw it,
//! says any of it: it is judged by what was seen, so a word stays what it was when the case goes
//! on.
//!
//! Invariant: what [`fits`] forbids has no effect on any node. (`who_may_say_what_to_the_police`)

use super::code::coded;
use super::date::Date;
use super::invalid::{Invalid, InvalidReason};
use super::refusal::Refusal;
use super::text::{Line, Text};
use crate::ids::{CityCode, Position};
use crate::limits::{FREE_TEXT_BYTES_MAX, NAME_BYTES_MAX, REFERENCE_BYTES_MAX};

coded! {
    /// Why a case goes to the police.
    ReferralKind {
        Crime "CRIME" "涉嫌犯罪移送" "suspected crime";
        Detention "DETENTION" "行政拘留移送" "detention";
    }
}

coded! {
    /// A paper that goes along. From rules of 2017 and 2014 that were not read for this program, so
    /// the list is wide and has an OTHER.
    ReferralPaper {
        Letter "LETTER" "案件移送书" "letter of referral";
        Report "REPORT" "案件调查报告" "report of the investigation";
        InspectionRecords "INSPECTION_RECORDS" "现场检查（勘察）笔录" "inspection records";
        InterviewRecords "INTERVIEW_RECORDS" "调查询问笔录" "interview records";
        ListOfItems "LIST_OF_ITEMS" "涉案物品清单" "list of items";
        PhotosAndRecordings "PHOTOS_AND_RECORDINGS" "现场照片、录音录像" "photos and recordings";
        MonitoringReports "MONITORING_REPORTS" "监测、检验报告" "monitoring reports";
        ExpertOpinions "EXPERT_OPINIONS" "鉴定意见、认定意见" "expert opinions";
        PenaltyDecision "PENALTY_DECISION" "行政处罚决定书（含告知书）" "penalty decision";
        RectificationOrder "RECTIFICATION_ORDER" "责令改正决定书" "order to rectify";
        Other "OTHER" "其他材料（见说明）" "other papers, see the text";
    }
}

coded! {
    /// What the police answered.
    PoliceAnswer {
        Filed "FILED" "公安立案" "filed by the police";
        NotFiled "NOT_FILED" "公安不予立案" "not filed by the police";
        Returned "RETURNED" "退回补充材料" "returned for more papers";
        Forwarded "FORWARDED" "转送有管辖权的公安机关" "forwarded to the competent police";
        Detained "DETAINED" "决定行政拘留" "detention decided";
        NotDetained "NOT_DETAINED" "不予行政拘留" "no detention";
        Other "OTHER" "其他答复（见说明）" "another answer, see the text";
    }
}

coded! {
    /// What was copied to the procuratorate.
    CopiedPaper {
        Letter "LETTER" "案件移送书" "letter of referral";
        PoliceAnswer "POLICE_ANSWER" "公安机关的答复" "answer of the police";
        SupervisionRequest "SUPERVISION_REQUEST" "建议立案监督的材料" "request to supervise the filing";
        PenaltyDecision "PENALTY_DECISION" "行政处罚决定书" "penalty decision";
        Other "OTHER" "其他材料（见说明）" "other papers, see the text";
    }
}

coded! {
    /// What the procuratorate said.
    ProcuratorateOpinion {
        HandOver "HAND_OVER" "检察意见（要求移送公安）" "opinion: hand over to the police";
        Supervision "SUPERVISION" "立案监督" "supervision of the filing";
        Suggestion "SUGGESTION" "检察建议" "procuratorial suggestion";
        Penalty "PENALTY" "检察意见（不起诉后要求行政处罚）" "opinion: punish administratively";
        Other "OTHER" "其他意见（见说明）" "another opinion, see the text";
    }
}

impl PoliceAnswer {
    /// Whether it can be said of such a referral: a crime is filed, a person is detained.
    #[must_use]
    pub const fn is_of(self, kind: ReferralKind) -> bool {
        match self {
            Self::Filed | Self::NotFiled => matches!(kind, ReferralKind::Crime),
            Self::Detained | Self::NotDetained => matches!(kind, ReferralKind::Detention),
            Self::Returned | Self::Forwarded | Self::Other => true,
        }
    }
}

/// A campaign (专项行动), by its number in the catalogue: a header holds nothing that was typed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Campaign(u8);

impl Campaign {
    /// Any campaign that has no number of its own; its name is a part.
    pub const OTHER: Self = Self(1);

    /// Reads a number, 1 to 255.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        u8::try_from(number).ok().filter(|number| *number > 0).map(Self)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// A referral as its entry says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Referral {
    /// Why.
    pub kind: ReferralKind,
    /// The day it was decided.
    pub decided_on: Date,
    /// The day it was handed over; `None` while it is only decided.
    pub handed_over_on: Option<Date>,
}

/// What is said beside the moves.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum ReferralAct {
    /// The case is referred to the police.
    Referred {
        /// Why and when.
        referral: Referral,
        /// The papers, each once, ascending.
        papers: Vec<ReferralPaper>,
    },
    /// The police answered.
    Answered {
        /// The entry that referred the case.
        referral: Position,
        /// What.
        answer: PoliceAnswer,
        /// The day.
        on: Date,
    },
    /// Something was copied to the procuratorate.
    Copied {
        /// The entry that referred the case.
        referral: Position,
        /// What.
        paper: CopiedPaper,
        /// The day.
        on: Date,
    },
    /// The procuratorate said something.
    Opined {
        /// The entry that referred the case, if it is about one.
        referral: Option<Position>,
        /// What.
        opinion: ProcuratorateOpinion,
        /// The day.
        on: Date,
    },
    /// A campaign tag is put on or taken off.
    Tagged {
        /// Which.
        campaign: Campaign,
        /// It is put on.
        on: bool,
    },
}

impl ReferralAct {
    /// The referral that it names.
    #[must_use]
    pub const fn names(&self) -> Option<Position> {
        match self {
            Self::Answered { referral, .. } | Self::Copied { referral, .. } => Some(*referral),
            Self::Opined { referral, .. } => *referral,
            Self::Referred { .. } | Self::Tagged { .. } => None,
        }
    }

    /// Its legal date; none of a tag.
    #[must_use]
    pub fn on(&self) -> Option<Date> {
        self.dates().next().map(|(_, on)| on)
    }

    /// Its dates with the fields of its request that hold them, its legal date first.
    fn dates(&self) -> impl Iterator<Item = (&'static str, Date)> {
        let (first, second) = match self {
            Self::Referred { referral, .. } => (
                referral.handed_over_on.map(|on| ("handed_over_on", on)),
                Some(("decided_on", referral.decided_on)),
            ),
            Self::Answered { on, .. } => (Some(("answered_on", *on)), None),
            Self::Copied { on, .. } => (Some(("copied_on", *on)), None),
            Self::Opined { on, .. } => (Some(("opined_on", *on)), None),
            Self::Tagged { .. } => (None, None),
        };
        first.into_iter().chain(second)
    }
}

/// What the author of a word had seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// It handled the case.
    pub handles: bool,
    /// The referral that the word names, if it is one of this case.
    pub referral: Option<Referral>,
}

/// Why something is not said to or of police and procuratorate, or has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferralRefusal {
    /// Another city answers for the case.
    #[error("the case was not handled by the city that says it")]
    NotHandling,
    /// There is no such referral in the case, or the author has not seen it.
    #[error("no such referral in this case")]
    Unknown,
    /// The police answer what they have.
    #[error("the referral is decided and not handed over")]
    NotHandedOver,
    /// A date lies before the one it follows.
    #[error("the date lies before {not_before}")]
    TooEarly {
        /// The earliest possible date.
        not_before: Date,
        /// The field of the request that holds the date.
        field: &'static str,
    },
    /// A crime is filed, a person is detained.
    #[error("the answer does not go with this kind of referral")]
    WrongAnswer,
    /// What is handed over has papers, each named once.
    #[error("papers are missing, or not each named once in their order")]
    Papers,
    /// One tag is enough.
    #[error("the case has this campaign tag already")]
    Tagged,
    /// There is no such tag to be taken off.
    #[error("the case does not have this campaign tag")]
    NotTagged,
}

impl ReferralRefusal {
    /// The stable reason, upper-case letters and underscores.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotHandling => "NOT_HANDLING_CITY",
            Self::Unknown => "REFERRAL_UNKNOWN",
            Self::NotHandedOver => "REFERRAL_NOT_HANDED_OVER",
            Self::TooEarly { .. } => "DATE_BEFORE_REFERRAL",
            Self::WrongAnswer => "ANSWER_WRONG_KIND",
            Self::Papers => "REFERRAL_PAPERS",
            Self::Tagged => "CAMPAIGN_TAGGED",
            Self::NotTagged => "CAMPAIGN_NOT_TAGGED",
        }
    }

    /// The field of the request that is at fault.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::NotHandling => "name",
            Self::Unknown | Self::NotHandedOver => "referral",
            Self::TooEarly { field, .. } => field,
            Self::WrongAnswer => "answer",
            Self::Papers => "papers",
            Self::Tagged | Self::NotTagged => "campaign",
        }
    }

    /// What must change before the same can be said.
    #[must_use]
    pub const fn subject(self) -> &'static str {
        match self {
            Self::Unknown | Self::NotHandedOver | Self::TooEarly { .. } | Self::WrongAnswer => {
                "referral"
            }
            Self::NotHandling | Self::Papers | Self::Tagged | Self::NotTagged => "case",
        }
    }

    /// Why it was not done and what to do, in Chinese.
    pub(super) fn zh(self) -> (String, String) {
        let (why, todo) = match self {
            Self::NotHandling => ("本市不是承办市", "由承办市移送、登记答复或标记专项行动"),
            Self::Unknown => ("案件中没有这次移送", "请核对移送记录的编号，或刷新后重试"),
            Self::NotHandedOver => {
                ("这次移送只登记了决定，材料还没有移交", "请先登记移交日期和材料清单")
            }
            Self::TooEarly { not_before, .. } => {
                let todo = format!("请填写 {not_before} 或之后的日期");
                return (format!("日期早于 {not_before}"), todo);
            }
            Self::WrongAnswer => {
                ("这项答复与移送种类不符", "涉嫌犯罪移送答复立案与否，行政拘留移送答复拘留与否")
            }
            Self::Papers => ("移送材料清单为空，或有重复", "请列出移交的材料，每种一次"),
            Self::Tagged => ("案件已有这个专项行动标记", "无需再次标记"),
            Self::NotTagged => ("案件没有这个专项行动标记", "无需取消，请刷新查看"),
        };
        (why.to_owned(), todo.to_owned())
    }

    /// What to do, in English; why is its text.
    pub(super) fn en(self) -> String {
        match self {
            Self::NotHandling => "the handling city refers, notes answers and tags".to_owned(),
            Self::Unknown => "check the position of the referral, or reload".to_owned(),
            Self::NotHandedOver => "record the day of handing over and the papers first".to_owned(),
            Self::TooEarly { not_before, .. } => format!("enter {not_before} or a later date"),
            Self::WrongAnswer => "crimes are filed or not, persons detained or not".to_owned(),
            Self::Papers => "name the papers that were handed over, each once".to_owned(),
            Self::Tagged | Self::NotTagged => "nothing to do".to_owned(),
        }
    }
}

/// Organ, document number and text that go with a word, for people.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReferralRecord {
    /// The organ it went to or came from.
    pub organ: Option<Line>,
    /// Number of its document.
    pub document_number: Option<Line>,
    /// Anything else.
    pub text: Option<Text>,
}

impl ReferralRecord {
    /// Reads the texts; an empty one means not given.
    ///
    /// # Errors
    /// Every wrong field, and `REQUIRED` when all are empty.
    pub fn parse(organ: &str, document_number: &str, text: &str) -> Result<Self, Vec<Invalid>> {
        let line = |given: &str, max, field| match given.trim() {
            "" => Ok(None),
            given => Line::parse(given, max).map(Some).map_err(|wrong| wrong.at(field)),
        };
        let organ = line(organ, NAME_BYTES_MAX, "organ");
        let number = line(document_number, REFERENCE_BYTES_MAX, "document_number");
        let text = match text.trim() {
            "" => Ok(None),
            _ => Text::parse(text, FREE_TEXT_BYTES_MAX).map(Some).map_err(|e| e.at("text")),
        };
        match (organ, number, text) {
            (Ok(None), Ok(None), Ok(None)) => {
                Err(vec![Invalid::from(InvalidReason::Required).at("organ")])
            }
            (Ok(organ), Ok(document_number), Ok(text)) => Ok(Self { organ, document_number, text }),
            (organ, number, text) => {
                Err([organ.err(), number.err(), text.err()].into_iter().flatten().collect())
            }
        }
    }
}

/// Whether a word has an effect; the same for commands and for what others have signed.
///
/// # Errors
/// A [`ReferralRefusal`]: what was signed is shown and has no effect.
pub fn fits(seen: Seen, act: &ReferralAct) -> Result<(), ReferralRefusal> {
    if !seen.handles {
        return Err(ReferralRefusal::NotHandling);
    }
    let named = match (act.names(), seen.referral) {
        (Some(_), None) => return Err(ReferralRefusal::Unknown),
        (Some(_), named) => named,
        (None, _) => None,
    };
    let not_before = |not_before: Date| match act.dates().next() {
        Some((field, on)) if on < not_before => {
            Err(ReferralRefusal::TooEarly { not_before, field })
        }
        Some(_) | None => Ok(()),
    };
    match (act, named) {
        (ReferralAct::Referred { referral, papers }, _) => {
            let once = papers.iter().zip(papers.iter().skip(1)).all(|(one, next)| one < next);
            if !once || (papers.is_empty() && referral.handed_over_on.is_some()) {
                return Err(ReferralRefusal::Papers);
            }
            not_before(referral.decided_on)
        }
        (ReferralAct::Answered { answer, .. }, Some(named)) => {
            let handed = named.handed_over_on.ok_or(ReferralRefusal::NotHandedOver)?;
            if !answer.is_of(named.kind) {
                return Err(ReferralRefusal::WrongAnswer);
            }
            not_before(handed)
        }
        (ReferralAct::Copied { .. } | ReferralAct::Opined { .. }, Some(named)) => {
            not_before(named.decided_on)
        }
        (ReferralAct::Opined { .. } | ReferralAct::Tagged { .. }, None)
        | (ReferralAct::Tagged { .. }, Some(_)) => Ok(()),
        (ReferralAct::Answered { .. } | ReferralAct::Copied { .. }, None) => {
            Err(ReferralRefusal::Unknown)
        }
    }
}

/// Decides on saying it; `tagged` tells whether the case has the campaign tag now, `today` is the
/// date in Beijing.
///
/// # Errors
/// A [`Refusal`]; nothing was written.
pub fn decide_referral(
    (handling, seen): (CityCode, Seen),
    act: &ReferralAct,
    tagged: bool,
    today: Date,
) -> Result<(), Refusal> {
    if !seen.handles {
        return Err(Refusal::HandlingCityOnly { handling });
    }
    // First, so that of two dates the one that lies ahead is named, not the other one before it.
    if let Some((field, effective_on)) = act.dates().find(|(_, on)| *on > today) {
        return Err(Refusal::EffectiveInFuture { effective_on, today, field });
    }
    fits(seen, act)?;
    match act {
        ReferralAct::Tagged { on: true, .. } if tagged => Err(ReferralRefusal::Tagged.into()),
        ReferralAct::Tagged { on: false, .. } if !tagged => Err(ReferralRefusal::NotTagged.into()),
        ReferralAct::Referred { .. }
        | ReferralAct::Answered { .. }
        | ReferralAct::Copied { .. }
        | ReferralAct::Opined { .. }
        | ReferralAct::Tagged { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::{city, date};
    use crate::ids::LogId;

    #[test]
    fn who_may_say_what_to_the_police() {
        use ReferralAct as A;
        use ReferralPaper as P;
        let (today, at) = (date("2026-11-20"), Position { log: LogId::new([1; 32]), index: 4 });
        let of = |kind, decided: &str, handed: Option<&str>| Referral {
            kind,
            decided_on: date(decided),
            handed_over_on: handed.map(date),
        };
        let crime = of(ReferralKind::Crime, "2026-11-16", Some("2026-11-17"));
        let decided = of(ReferralKind::Crime, "2026-11-16", None);
        let detention = of(ReferralKind::Detention, "2026-11-16", Some("2026-11-17"));
        let refer = |referral, papers: &[P]| A::Referred { referral, papers: papers.to_vec() };
        let answer = |answer, on| A::Answered { referral: at, answer, on: date(on) };
        let copy = |on| A::Copied { referral: at, paper: CopiedPaper::Letter, on: date(on) };
        let opinion = |referral, on| {
            let opinion = ProcuratorateOpinion::HandOver;
            A::Opined { referral, opinion, on: date(on) }
        };
        let tag = |on| A::Tagged { campaign: Campaign::OTHER, on };
        let handles = |referral| Seen { handles: true, referral };
        let other = Seen { handles: false, referral: Some(crime) };
        let (none, named) = (handles(None), handles(Some(crime)));
        let early = of(ReferralKind::Crime, "2026-11-18", Some("2026-11-17"));
        let ahead = of(ReferralKind::Crime, "2026-11-18", Some("2026-11-21"));
        let (filed, detained) = (PoliceAnswer::Filed, PoliceAnswer::Detained);
        let rows = [
            (none, refer(crime, &[P::Letter, P::Report]), None),
            (none, refer(decided, &[]), None),
            (other, refer(crime, &[P::Letter]), Some("NOT_HANDLING_CITY")),
            (none, refer(crime, &[]), Some("REFERRAL_PAPERS")),
            (none, refer(crime, &[P::Letter, P::Letter]), Some("REFERRAL_PAPERS")),
            (none, refer(crime, &[P::Report, P::Letter]), Some("REFERRAL_PAPERS")),
            (none, refer(early, &[P::Letter]), Some("DATE_BEFORE_REFERRAL")),
            (none, refer(ahead, &[P::Letter]), Some("EFFECTIVE_IN_FUTURE")),
            (named, answer(filed, "2026-11-17"), None),
            (none, answer(filed, "2026-11-17"), Some("REFERRAL_UNKNOWN")),
            (other, answer(filed, "2026-11-17"), Some("NOT_HANDLING_CITY")),
            (named, answer(filed, "2026-11-16"), Some("DATE_BEFORE_REFERRAL")),
            (named, answer(filed, "2026-11-21"), Some("EFFECTIVE_IN_FUTURE")),
            (named, answer(detained, "2026-11-17"), Some("ANSWER_WRONG_KIND")),
            (handles(Some(detention)), answer(detained, "2026-11-17"), None),
            (handles(Some(detention)), answer(filed, "2026-11-17"), Some("ANSWER_WRONG_KIND")),
            (handles(Some(decided)), answer(filed, "2026-11-17"), Some("REFERRAL_NOT_HANDED_OVER")),
            (handles(Some(decided)), copy("2026-11-16"), None),
            (named, copy("2026-11-15"), Some("DATE_BEFORE_REFERRAL")),
            (none, copy("2026-11-17"), Some("REFERRAL_UNKNOWN")),
            (none, opinion(None, "2026-11-01"), None),
            (none, opinion(None, "2026-11-21"), Some("EFFECTIVE_IN_FUTURE")),
            (none, opinion(Some(at), "2026-11-17"), Some("REFERRAL_UNKNOWN")),
            (named, opinion(Some(at), "2026-11-15"), Some("DATE_BEFORE_REFERRAL")),
            (other, opinion(None, "2026-11-01"), Some("NOT_HANDLING_CITY")),
            (none, tag(true), None),
            (none, tag(false), Some("CAMPAIGN_NOT_TAGGED")),
            (other, tag(true), Some("NOT_HANDLING_CITY")),
        ];
        for (row, (seen, act, want)) in rows.into_iter().enumerate() {
            let done = decide_referral((city(130_400), seen), &act, false, today);
            assert_eq!(done.err().map(|refusal| refusal.reason()), want, "row {row}");
        }
        let again = decide_referral((city(130_400), none), &tag(true), true, today);
        assert_eq!(again.unwrap_err().reason(), "CAMPAIGN_TAGGED");
        // What others have signed is judged without today.
        assert_eq!(fits(none, &refer(ahead, &[P::Letter])), Ok(()));
        assert_eq!(fits(other, &tag(true)), Err(ReferralRefusal::NotHandling));
    }

    #[test]
    fn a_record_has_at_least_one_text() {
        let wrong = ReferralRecord::parse(" ", "", "").unwrap_err();
        assert_eq!(wrong.first().and_then(|w| w.field.as_deref()), Some("organ"));
        let wrong = ReferralRecord::parse("聊城市公安局", "a\nb", "\u{202e}").unwrap_err();
        let named: Vec<_> = wrong.iter().filter_map(|w| w.field.as_deref()).collect();
        assert_eq!(named, ["document_number", "text"]);
        let record = ReferralRecord::parse("", "示例移〔2026〕1号", "").unwrap();
        assert_eq!((record.organ, record.text), (None, None));
        assert_eq!(Campaign::from_number(0), None);
        assert_eq!(Campaign::from_number(256), None);
    }
}
