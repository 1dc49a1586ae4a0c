//! Deadlines (时限): what must be done in a case, by whom, and by when. Computed when read, from
//! the legal dates of what happened; never stored, so a new calendar or charter changes them at
//! once.
//!
//! In scope: every term of the statutes and of the agreement that begins with something an entry
//! tells, also that of notices. Out of scope: what time it is (whoever asks knows), and what
//! follows from a term: no deadline moves a case. Entries have days, so the 24 hours to hand over
//! to the police end with the next day, be it a holiday.
//!
//! The two or five years in which an act must be discovered (行政处罚法 art. 36) are over or kept
//! from the first: who decides on a penalty is shown which. Whether five years count is for people
//! to say, so both are shown where two are not enough.
//!
//! Sources are named at each field of [`Terms`]. 行政处罚法 art. 85 makes terms of 2, 3, 5 and 7
//! days workdays; 15 and 90 days are calendar days. What no source at hand gives has a default and
//! may be set for a node; what the agreement sets comes from its charter.

use super::calendar::{LastDay, Term, WorkCalendar};
use super::case::{Case, CaseState};
use super::code::coded;
use super::date::Date;
use super::notice::{AckDue, NoticeKind};
use super::referral::{CopiedPaper, PoliceAnswer, ProcuratorateOpinion, Referral};
use super::refusal::Refusal;
use crate::ids::{CityCode, Position};

mod police;
mod running;
pub mod terms;

coded! {
    /// What must be done before its time runs out.
    Clock {
        Filing "FILING" "决定是否立案" "decide whether to file";
        Decision "DECISION" "作出处罚决定" "decide the penalty";
        HearingRequest "HEARING_REQUEST" "当事人可要求听证" "the party may ask for a hearing";
        HearingNotice "HEARING_NOTICE" "最早可举行听证" "earliest day of the hearing";
        Service "SERVICE" "送达处罚决定" "serve the decision";
        Payment "PAYMENT" "当事人缴纳罚款" "the party pays the fine";
        CourtEnforcement "COURT_ENFORCEMENT" "申请法院强制执行" "ask the court to enforce";
        Registration "REGISTRATION" "处理先行登记保存的证据" "decide on registered evidence";
        SecondLook "SECOND_LOOK" "责令改正后复查" "look again after the order to rectify";
        CrimeDecision "CRIME_DECISION" "决定是否移送公安" "decide whether to hand over to the police";
        PoliceAnswer "POLICE_ANSWER" "公安答复是否立案" "the police answer";
        TransferAck "TRANSFER_ACK" "签收移送" "acknowledge the transfer";
        TransferAnswer "TRANSFER_ANSWER" "答复移送" "answer the transfer";
        Progress "PROGRESS" "通报办理进展" "report progress";
        Outcome "OUTCOME" "反馈办理结果" "report the outcome";
        Assistance "ASSISTANCE" "答复协助请求" "answer the request for help";
        CrimeHandOver "CRIME_HAND_OVER" "涉嫌犯罪案件移交公安" "hand over to the police";
        DetentionAnswer "DETENTION_ANSWER" "公安答复行政拘留移送" "the police answer on detention";
        ProcuratorateCopy "PROCURATORATE_COPY" "移送书抄送检察院" "copy to the procuratorate";
        OpinionHandOver "OPINION_HAND_OVER" "按检察意见移交公安" "hand over as the procuratorate asks";
        Discovery "DISCOVERY" "发现时限（二年）" "the act is discovered in time (two years)";
        DiscoveryGrave "DISCOVERY_GRAVE" "发现时限（五年，涉及生命健康或金融安全且有危害后果的）"
            "the act is discovered in time (five years, where life, health or finance was harmed)";
        NoticeAck "NOTICE_ACK" "签收通报" "acknowledge the notice";
        EmergencyAck "EMERGENCY_ACK" "签收突发事件通报" "acknowledge the emergency notice";
    }
}

coded! {
    /// Something that happened in a case without moving it, with a legal date: deadlines begin,
    /// stop or end with it.
    Milestone {
        FilingExtended "FILING_EXTENDED" "批准延长立案期限" "time to file extended";
        EvidenceRegistered "EVIDENCE_REGISTERED" "证据先行登记保存" "evidence registered";
        EvidenceRegistrationDecided "EVIDENCE_REGISTRATION_DECIDED" "已处理先行登记保存的证据"
            "decided on registered evidence";
        TestingBegun "TESTING_BEGUN" "开始检测检验" "testing begun";
        TestingEnded "TESTING_ENDED" "检测检验结束" "testing ended";
        AppraisalBegun "APPRAISAL_BEGUN" "开始鉴定评估" "appraisal begun";
        AppraisalEnded "APPRAISAL_ENDED" "鉴定评估结束" "appraisal ended";
        PublicNoticeBegun "PUBLIC_NOTICE_BEGUN" "开始公告" "public notice begun";
        PublicNoticeEnded "PUBLIC_NOTICE_ENDED" "公告期满" "public notice ended";
        HearingNotified "HEARING_NOTIFIED" "送达听证通知" "hearing notified";
        DecisionServed "DECISION_SERVED" "处罚决定已送达" "decision served";
        FinePaid "FINE_PAID" "罚款已缴清" "fine paid";
        RectificationOrdered "RECTIFICATION_ORDERED" "责令改正" "ordered to rectify";
        RectificationChecked "RECTIFICATION_CHECKED" "已复查改正情况" "looked again";
        CrimeSuspected "CRIME_SUSPECTED" "发现涉嫌犯罪" "crime suspected";
        CrimeNotReferred "CRIME_NOT_REFERRED" "决定不移送公安" "decided not to hand over";
        PoliceAnswered "POLICE_ANSWERED" "公安已答复" "the police answered";
        ProgressReported "PROGRESS_REPORTED" "已通报进展" "progress reported";
        OutcomeReported "OUTCOME_REPORTED" "已反馈结果" "outcome reported";
    }
}

/// One thing that happened, with its legal date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happened {
    /// Whose entry says so.
    pub by: CityCode,
    /// Legal date in Beijing; of an acknowledgement, the day it was written.
    pub on: Date,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A move led to this state.
    Became(CaseState),
    /// A move kept the state.
    Edited,
    /// A milestone.
    Milestone(Milestone),
    /// A proposal was adopted or refused: the one that this entry made.
    Judged(Position),
    /// A change was proposed, by this entry.
    Proposed(Position),
    /// The offer that stands is asked back.
    Recalled,
    /// The receiver has seen the offer that this move made.
    Acknowledged(Position),
    /// A member was asked for help.
    Asked {
        /// The entry that asks.
        request: Position,
        /// Who.
        to: CityCode,
        /// By when.
        due_on: Date,
    },
    /// Help was answered.
    Answered(Position),
    /// The case was referred to the police, by this entry.
    Referred(Position, Referral),
    /// The case was handed over for detention, and no papers are named: entries of before there
    /// were referrals say so.
    DetentionHandedOver,
    /// The police answered a referral.
    PoliceAnswered {
        /// The entry that says so: of two answers of one day the later place counts.
        at: Position,
        /// The entry that referred the case.
        referral: Position,
        /// What.
        answer: PoliceAnswer,
    },
    /// Something was copied to the procuratorate.
    Copied {
        /// The entry that referred the case.
        referral: Position,
        /// What.
        paper: CopiedPaper,
    },
    /// The procuratorate said something.
    Opined(ProcuratorateOpinion),
}

/// Lengths of all terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Clue to the decision whether to file: 部令第30号 (2023) gives 15 days or workdays; its text was
    /// not at hand, so the unit is a setting.
    pub filing: Term,
    /// By how much that may be extended once: as above.
    pub filing_extension: Term,
    /// Filing to the decision: 行政处罚法 art. 60.
    pub decision: Term,
    /// Notice of penalty to the request for a hearing: art. 64.
    pub hearing_request: Term,
    /// Notice of the hearing to the hearing: art. 64.
    pub hearing_notice: Term,
    /// Decision to its service, the party being absent: art. 61.
    pub service: Term,
    /// Receipt of the decision to payment: art. 67.
    pub payment: Term,
    /// Decision to the end of the time for a suit: 行政诉讼法 art. 46, not read for this program.
    pub suit: Term,
    /// End of the time for a suit to the court: 行政强制法 art. 53.
    pub court_enforcement: Term,
    /// Registration of evidence to the decision on it: 行政处罚法 art. 56.
    pub registration: Term,
    /// Order to rectify to the second look: 按日连续处罚办法 (部令第28号) art. 10, not read for this
    /// program.
    pub second_look: Term,
    /// Suspicion of a crime to the decision: 国务院令第310号, not read for this program.
    pub crime_decision: Term,
    /// Decision to the handing over: as above, 24 hours.
    pub crime_hand_over: Term,
    /// Handing over to the answer of the police: as above.
    pub police_answer: Term,
    /// The same for a detention: rules of 2014 that were not at hand.
    pub detention_answer: Term,
    /// Decision to the copy for the procuratorate, 24 hours as well: 环环监〔2017〕17号, not read for
    /// this program.
    pub procuratorate_copy: Term,
    /// Opinion of the procuratorate to the handing over: likewise, of which news was read.
    pub opinion_hand_over: Term,
    /// Offer to the receiver's acknowledgement: the agreement.
    pub transfer_ack: Term,
    /// Offer to its answer: the agreement.
    pub transfer_answer: Term,
    /// Taking a case over, or the last report, to the next one: the agreement.
    pub progress: Term,
    /// Closing to the report of the outcome: the agreement.
    pub outcome: Term,
    /// End of an act to its discovery: 行政处罚法 art. 36.
    pub discovery: Term,
    /// The same where life, health or finance was harmed: likewise.
    pub discovery_grave: Term,
    /// A notice to its acknowledgement: the agreement.
    pub notice_ack: Term,
    /// An emergency notice to its acknowledgement: the agreement, in minutes.
    pub emergency_ack: Term,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            filing: Term::Workdays(15),
            filing_extension: Term::Workdays(15),
            decision: Term::Days(90),
            hearing_request: Term::Workdays(5),
            hearing_notice: Term::Workdays(7),
            service: Term::Workdays(7),
            payment: Term::Days(15),
            suit: Term::Months(6),
            court_enforcement: Term::Months(3),
            registration: Term::Workdays(7),
            second_look: Term::Days(30),
            crime_decision: Term::Days(3),
            crime_hand_over: Term::Hours(24),
            police_answer: Term::Days(3),
            detention_answer: Term::Days(3),
            procuratorate_copy: Term::Hours(24),
            opinion_hand_over: Term::Days(3),
            transfer_ack: Term::Workdays(2),
            transfer_answer: Term::Workdays(5),
            progress: Term::Days(30),
            outcome: Term::Workdays(5),
            discovery: Term::Months(24),
            discovery_grave: Term::Months(60),
            notice_ack: Term::Workdays(1),
            emergency_ack: Term::Hours(1),
        }
    }
}

impl Clock {
    /// Nobody is late when it is over: it is the party's window, or a day not to be earlier than.
    #[must_use]
    pub const fn is_window(self) -> bool {
        matches!(self, Self::HearingRequest | Self::HearingNotice)
    }

    /// It runs in a notice and not in a case.
    #[must_use]
    pub const fn is_of_notice(self) -> bool {
        matches!(self, Self::NoticeAck | Self::EmergencyAck)
    }
}

/// A term that runs in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// What must be done.
    pub clock: Clock,
    /// The city that must see to it.
    pub city: CityCode,
    /// The day it began with, which is not counted.
    pub from: Date,
    /// Its last day; `None` while it is suspended, and beyond the range of dates.
    pub last: Option<LastDay>,
    /// When on that day it ends, milliseconds since 1970-01-01 UTC; `None`: with the day.
    pub at_ms: Option<i64>,
    /// What it is for was done in time; it is shown and waits for nobody.
    pub met: bool,
    /// Days it was suspended so far.
    pub suspended_days: u32,
    /// It is suspended.
    pub suspended: bool,
}

impl Deadline {
    /// A term that runs from a day to the end of another one.
    #[must_use]
    pub const fn new(clock: Clock, city: CityCode, from: Date, last: Option<LastDay>) -> Self {
        let (at_ms, met, suspended_days, suspended) = (None, false, 0, false);
        Self { clock, city, from, last, at_ms, met, suspended_days, suspended }
    }

    /// By when a city is to acknowledge a notice; lengths as [`AckDue::of`] has them. `None` when a
    /// clock is out of all range.
    #[must_use]
    pub fn of_notice(
        city: CityCode,
        kind: NoticeKind,
        issued_ms: i64,
        terms: (u32, u32),
        calendar: &WorkCalendar,
    ) -> Option<Self> {
        let from = Date::beijing(issued_ms)?;
        Some(match AckDue::of(kind, issued_ms, terms, calendar)? {
            AckDue::At(at) => {
                let last = Some(LastDay::sure(Date::beijing(at)?));
                Self { at_ms: Some(at), ..Self::new(Clock::EmergencyAck, city, from, last) }
            }
            AckDue::On(day) => Self::new(Clock::NoticeAck, city, from, Some(day)),
        })
    }

    /// Whether somebody is late.
    #[must_use]
    pub fn is_over(&self, now_ms: i64) -> bool {
        if self.met || self.clock.is_window() {
            return false;
        }
        match self.at_ms {
            Some(at) => at < now_ms,
            None => self
                .last
                .zip(Date::beijing(now_ms))
                .is_some_and(|(last, today)| last.is_over(today)),
        }
    }
}

/// Whether a milestone may have this date; `None` is a detention that was handed over. One of
/// before what it follows would count for nothing, and nobody would be told.
///
/// # Errors
/// [`Refusal::EffectiveTooEarly`].
pub fn check_date(
    case: &Case,
    history: &[Happened],
    milestone: Option<Milestone>,
    effective_on: Date,
) -> Result<(), Refusal> {
    match running::not_before(case, history, milestone) {
        Some(not_before) if effective_on < not_before => {
            Err(Refusal::EffectiveTooEarly { effective_on, not_before })
        }
        Some(_) | None => Ok(()),
    }
}

/// All terms that run in a case, in the order of [`Clock`].
///
/// `history` is what happened, in the order of the case's history: that of moves is the same on all
/// nodes, that of anything beside them is not, and nothing follows from it. A milestone counts of
/// the city that handles the case, an acknowledgement of the receiver, an answer of whoever was
/// asked.
#[must_use]
pub fn deadlines(
    case: &Case,
    last_move: Position,
    history: &[Happened],
    terms: &Terms,
    calendar: &WorkCalendar,
) -> Vec<Deadline> {
    let reading = running::Reading { case, last_move, history, terms, calendar };
    let mut found: Vec<Deadline> = reading.of_handling_city();
    found.extend(reading.of_transfer());
    found.extend(reading.of_help());
    // Each node has a history of its own order: nothing may be left to it.
    found.sort_unstable_by_key(|d| (d.clock, d.city, d.from, d.last.map(|last| last.on)));
    found
}

#[cfg(test)]
mod tests;
