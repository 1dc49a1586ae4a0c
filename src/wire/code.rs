//! Code lists: our enums and the numbers by which messages carry them.

use super::pb::v1 as pb;
use crate::domain::awaited::CaseAwaited;
use crate::domain::case::{AuthorityLevel, CaseState, CaseStep};
use crate::domain::catalogue::Verdict;
use crate::domain::deadline::terms::SetBy;
use crate::domain::deadline::{Clock, Milestone};
use crate::domain::evidence::EvidenceKind;
use crate::domain::evidence_act::DeclineGround;
use crate::domain::facts::{DataLevel, Medium, Source};
use crate::domain::meeting::MeetingState;
use crate::domain::notice::{NoticeKind, NoticeLevel};
use crate::domain::plan::awaited::Awaited;
use crate::domain::plan::ready::Force;
use crate::domain::plan::{AnswerKind, PlanKind, PlanState, Resolution, VisitOutcome};
use crate::domain::pollutant::Statistic;
use crate::domain::record::PenaltyKind;
use crate::domain::referral::{
    CopiedPaper, PoliceAnswer, ProcuratorateOpinion, ReferralKind, ReferralPaper,
};
use crate::domain::site::{
    CheckMode, LeftOut, ListingStatus, MonitoringKind, PermitKind, RemovalBasis, SiteTier,
    VisitException,
};
use crate::domain::violation::Violation;
use crate::domain::{Department, Half, UnitKind};

/// What a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read<T> {
    /// A value of the list.
    Known(T),
    /// 0: not set.
    Unset,
    /// A value that only newer programs know.
    Newer,
}

/// A value of a code list.
pub trait Code: Sized + Copy {
    /// The number by which messages carry it.
    fn number(self) -> i32;
    /// Reads a number.
    fn read(number: i32) -> Read<Self>;
}

/// Writes both directions from one list; both are exhaustive, so a new value breaks the build.
macro_rules! codes {
    ($($ours:ident = $theirs:ident { $($one:ident $(= $other:ident)?),+ $(,)? })+) => {$(
        impl Code for $ours {
            fn number(self) -> i32 {
                i32::from(match self {
                    $($ours::$one => codes!(@name $theirs $one $($other)?),)+
                })
            }

            fn read(number: i32) -> Read<Self> {
                match pb::$theirs::try_from(number) {
                    Err(_) => Read::Newer,
                    Ok(pb::$theirs::Unspecified) => Read::Unset,
                    $(Ok(codes!(@name $theirs $one $($other)?)) => Read::Known($ours::$one),)+
                }
            }
        }
    )+};
    (@name $theirs:ident $one:ident) => { pb::$theirs::$one };
    (@name $theirs:ident $one:ident $other:ident) => { pb::$theirs::$other };
}

codes! {
    CaseState = CaseState {
        ClueReported, ClueVerifying, ClueDismissed, Filed, Investigating, NoticeServed, Hearing,
        Decided, Enforcing, CourtEnforcement, Closed, Archived, NoPenalty, Withdrawn, Revoked,
        TransferredPolice, TransferredOut, TransferAccepted, TransferDisputed, Designated,
        ClosedOutside,
    }
    CaseStep = CaseStep {
        VerificationStarted, ClueDismissed, Filed, InvestigationStarted, NoticeServed,
        HearingOpened, Decided, NoPenaltyDecided, Withdrawn, Revoked, EnforcementStarted,
        CourtEnforcementRequested, Closed, Archived, TransferredToPolice, ReturnedByPolice,
    }
    AuthorityLevel = AuthorityLevel {
        ProvincialDepartment, Ministry, JointSuperior, PeoplesGovernment,
    }
    Milestone = Milestone {
        FilingExtended, EvidenceRegistered, EvidenceRegistrationDecided, TestingBegun,
        TestingEnded, AppraisalBegun, AppraisalEnded, PublicNoticeBegun, PublicNoticeEnded,
        HearingNotified, DecisionServed, FinePaid, RectificationOrdered,
        RectificationChecked, CrimeSuspected, CrimeNotReferred, PoliceAnswered,
        ProgressReported, OutcomeReported,
    }
    Clock = DeadlineClock {
        Filing, Decision, HearingRequest, HearingNotice, Service, Payment, CourtEnforcement,
        Registration, SecondLook, CrimeDecision, PoliceAnswer, TransferAck, TransferAnswer,
        Progress, Outcome, Assistance, CrimeHandOver, DetentionAnswer, ProcuratorateCopy,
        OpinionHandOver, Discovery, DiscoveryGrave, NoticeAck, EmergencyAck,
    }
    NoticeKind = NoticeKind { General, Emergency, HeavyPollution }
    NoticeLevel = NoticeLevel { One, Two, Three, Four }
    Verdict = BasisVerdict { Lighter, ByHand, NotLighter, NoEarlierText }
    SetBy = TermSetter { Law, Node, Agreement, Request }
    MeetingState = MeetingState { Called, Held, Cancelled }
    Source = Source {
        Complaint, OnlineMonitoring, PowerMonitoring, UavPatrol, DoubleRandom, JointInspection,
        PeerNotification, SpecialCampaign, SuperiorAssignment, Incident, Media,
    }
    Medium = Medium { Air, Water, SolidWaste, Soil, Noise, Radiation, Ecology }
    DataLevel = DataLevel { Public, General, Restricted, SecretNotExchanged }
    Violation = Violation {
        AirExceed, WaterExceed, PermitLimitExceed, NoPermit, EvasionAir, EvasionWater,
        FacilityNotRun, AutoMonitorFault, MonitorDataDistorted, EiaUnapproved, NotAccepted,
        VocUncollected, DustUncovered, HazwasteStorage, HazwasteDumping, SolidWasteDumping,
        CrossProvinceWaste, OutfallIllegal, NoiseExceed, StrawBurning, HeavyWeatherSite,
        Obstruction,
    }
    EvidenceKind = EvidenceKind {
        Documentary, Physical, AudioVisual, ElectronicData, Witness, PartyStatement,
        ExpertOpinion, InspectionRecord, InterviewRecord, MonitoringReport, UavImagery,
        OnlineMonitoringData, PowerMonitoringData,
    }
    DeclineGround = EvidenceDeclineGround {
        Unlawful, Officers, Unreviewed, Laboratory, Unverified, Unreadable, Custody, Irrelevant,
        Other,
    }
    ReferralKind = ReferralKind { Crime, Detention }
    ReferralPaper = ReferralPaper {
        Letter, Report, InspectionRecords, InterviewRecords, ListOfItems, PhotosAndRecordings,
        MonitoringReports, ExpertOpinions, PenaltyDecision, RectificationOrder, Other,
    }
    PoliceAnswer = PoliceAnswer {
        Filed, NotFiled, Returned, Forwarded, Detained, NotDetained, Other,
    }
    CopiedPaper = CopiedPaper {
        Letter, PoliceAnswer, SupervisionRequest, PenaltyDecision, Other,
    }
    ProcuratorateOpinion = ProcuratorateOpinion {
        HandOver, Supervision, Suggestion, Penalty, Other,
    }
    Statistic = PollutantStatistic {
        Spot, MinuteAverage = MinuteAvg, HourAverage = HourAvg, DayAverage = DayAvg,
    }
    PenaltyKind = PenaltyKind {
        Warning, PublicCriticism, Fine, GainsConfiscated, GoodsConfiscated, LicenceSuspended,
        GradeLowered, LicenceRevoked, ActivityLimited, ProductionStopped, Shutdown,
        OccupationLimited,
    }
    SiteTier = SiteTier { Key, General, Special }
    PermitKind = PermitKind { KeyManaged, Simplified, Registered, NotRequired }
    ListingStatus = ListingStatus { Active, Suspended, Removed }
    RemovalBasis = RemovalBasis { PenaltyDecision, FalsifiedData, Incident, Lapse, Other }
    MonitoringKind = MonitoringKind { Online, Power, Uav, Other }
    CheckMode = CheckMode { OnSite, OffSite }
    VisitException = VisitException {
        Complaint, OffSiteClue, SpecialCampaign, Incident, PeerTransfer, RequestedByEnterprise,
        AssignedBySuperior, FollowUp,
    }
    LeftOut = LeftOut { Closed, PositiveList, Capped }
    PlanKind = PlanKind {
        JointInspection, CrossInspection, JointCampaign, DoubleRandom, EmergencyDrill,
        TrainingExchange,
    }
    AnswerKind = PlanAnswerKind {
        Comment, Tentative, Confirm, ChangesRequested, OtherDays, Decline, Withdraw,
    }
    Resolution = PlanResolution { Adopted, Partly, NotAdopted }
    PlanState = PlanState {
        Consulting, Confirming, Scheduled, Executing, ResultsReported, Summarized, Cancelled,
    }
    Awaited = PlanAwaited {
        Answer, Commit, Resolve, Schedule, Reveal, Begin, Report, Summarize,
    }
    CaseAwaited = CaseAwaited {
        TransferAnswer, Dispute, Designation, Recall, Assistance, Proposal,
    }
    Force = RuleForce { Law, Rule, Parameter }
    VisitOutcome = VisitOutcome { Checked, NotProducing, NotChecked }
    Half = DayHalf { Morning, Afternoon }
    UnitKind = UnitKind { Officer, Vehicle, Uav, Boat, WholeCity }
    Department = Department {
        EcologyEnvironment, MarketSupervision, Housing, Water, PublicSecurity, Health, Transport,
        Agriculture, Emergency, Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Debug;

    fn all<T: Code + Debug + PartialEq>(name: &str, values: &[T], codes: &[&str]) {
        let mut numbers: Vec<i32> = values.iter().map(|v| v.number()).collect();
        for (value, code) in values.iter().zip(codes) {
            assert_eq!(T::read(value.number()), Read::Known(*value), "{name} {code}");
        }
        numbers.sort_unstable();
        let want: Vec<i32> = (1..).take(values.len()).collect();
        assert_eq!(numbers, want, "{name}: numbers from 1 without a gap");
        assert_eq!(T::read(0), Read::Unset);
        assert_eq!(T::read(i32::MAX), Read::Newer);
        assert_eq!(T::read(-1), Read::Newer);
    }

    macro_rules! check {
        ($($list:ident)+) => {$(
            let codes: Vec<&str> = $list::ALL.iter().map(|v| v.code()).collect();
            all(stringify!($list), $list::ALL, &codes);
        )+};
    }

    #[test]
    fn every_code_is_read_as_it_is_written() {
        check!(CaseState CaseStep AuthorityLevel Source Medium DataLevel Violation);
        check!(EvidenceKind Statistic PenaltyKind Milestone Clock Verdict SetBy DeclineGround);
        check!(ReferralKind ReferralPaper PoliceAnswer CopiedPaper ProcuratorateOpinion);
        check!(SiteTier PermitKind ListingStatus RemovalBasis MonitoringKind CheckMode);
        check!(VisitException LeftOut);
        check!(Half UnitKind Department PlanKind AnswerKind Resolution VisitOutcome);
        check!(PlanState Awaited CaseAwaited Force);
    }
}
