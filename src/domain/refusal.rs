//! The ways the domain says no.
//!
//! A [`Misfit`] comes from the transition table and means the same on every node. A [`Refusal`]
//! comes from the deciding node only. Neither changes anything; both carry what the person
//! needs in order to go on ([`crate::domain::words`] turns them into sentences).

use super::case::CaseState;
use super::date::Date;
use super::evidence_act::EvidenceRefusal;
use super::kind::MoveKind;
use super::meeting::MeetingRefusal;
use super::notice::NoticeRefusal;
use super::plan::PlanRefusal;
use super::referral::ReferralRefusal;
use super::site::SiteRefusal;
use super::unit::UnitRefusal;
use crate::ids::CityCode;

/// Why the transition table forbids a move. The case is as it was.
///
/// Of a command: do what the text says. Of an event already signed elsewhere: it is shown as
/// having had no effect (未生效操作), and nobody has to repair anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// Nothing moves after archiving; contributions are still taken.
    #[error("case is archived")]
    CaseArchived,
    /// A case is opened once.
    #[error("case is open already")]
    AlreadyOpen,
    /// The charter in force does not name the city.
    #[error("city {city} is not a member of the agreement")]
    NotAMember {
        /// Who tried.
        city: CityCode,
    },
    /// Another city may move the case now. Ask it, or contribute.
    #[error("turn is with {turn}, the case is {state}")]
    NotYourTurn {
        /// Who may move it.
        turn: CityCode,
        /// Where the case stands.
        state: CaseState,
    },
    /// The city has the turn but does not answer for the case. Accept the transfer first.
    #[error("case is handled by {handling}, the case is {state}")]
    NotHandlingCity {
        /// Who answers for it.
        handling: CityCode,
        /// Where the case stands.
        state: CaseState,
    },
    /// Nothing is edited until the transfer has ended. Accept it first.
    #[error("transfer is not finished, the case is {state}")]
    TransferPending {
        /// Where the case stands.
        state: CaseState,
    },
    /// The state has no such move.
    #[error("{kind} is not possible, the case is {state}")]
    MoveNotAllowed {
        /// Where the case stands.
        state: CaseState,
        /// What was tried.
        kind: MoveKind,
    },
    /// A case is not offered to the city that has it.
    #[error("transfer names the own city as receiver")]
    SelfTransfer,
    /// Only members receive cases.
    #[error("receiver {city} is not a member of the agreement")]
    ReceiverNotMember {
        /// The receiver that was named.
        city: CityCode,
        /// The field of the request that names it.
        field: &'static str,
    },
    /// A notice is acknowledged and answered by those it is for.
    #[error("notice is not for {city}")]
    NotAddressed {
        /// Who tried.
        city: CityCode,
    },
    /// A notice names other members, each once, and a level if it rings.
    #[error("notice names no members in order, or its level does not fit")]
    NoticeInvalid,
    /// Only who issued a notice ends it.
    #[error("notice was issued by {issuer}")]
    NotIssuer {
        /// Who issued it.
        issuer: CityCode,
    },
    /// A meeting is chaired by a member, and is one of those of its year.
    #[error("meeting names a chair that is no member, or an impossible number")]
    MeetingInvalid,
    /// Only the chair of a meeting, or who called it, records its minutes or cancels it.
    #[error("meeting is chaired by {chair}")]
    NotChair {
        /// Who chairs it.
        chair: CityCode,
    },
    /// A site stands in the area of its city, has media in order, and a listing whose fields fit.
    #[error("site is of another area, or its facts or its listing do not fit")]
    SiteInvalid,
    /// Only the city in whose area a site stands says anything of it.
    #[error("site is of {owner}")]
    NotSiteCity {
        /// Whose it is.
        owner: CityCode,
    },
    /// A unit has a department, an officer a certificate; a block names half days.
    #[error("unit lacks what its kind needs, or the entry names no half days")]
    UnitInvalid,
    /// Only its own city says anything of a unit.
    #[error("unit is of {city}")]
    NotUnitCity {
        /// Whose it is.
        city: CityCode,
    },
}

impl Misfit {
    /// The stable reason, upper-case letters and underscores.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::CaseArchived => "CASE_ARCHIVED",
            Self::AlreadyOpen => "ALREADY_OPEN",
            Self::NotAMember { .. } => "NOT_A_MEMBER",
            Self::NotYourTurn { .. } => "NOT_YOUR_TURN",
            Self::NotHandlingCity { .. } => "NOT_HANDLING_CITY",
            Self::TransferPending { .. } => "TRANSFER_PENDING",
            Self::MoveNotAllowed { .. } => "MOVE_NOT_ALLOWED",
            Self::SelfTransfer => "SELF_TRANSFER",
            Self::ReceiverNotMember { .. } => "RECEIVER_NOT_MEMBER",
            Self::NotAddressed { .. } => "NOT_ADDRESSED",
            Self::NoticeInvalid => "NOTICE_INVALID",
            Self::NotIssuer { .. } => "NOT_ISSUER",
            Self::MeetingInvalid => "MEETING_INVALID",
            Self::NotChair { .. } => "NOT_CHAIR",
            Self::SiteInvalid => "SITE_INVALID",
            Self::NotSiteCity { .. } => "NOT_SITE_CITY",
            Self::UnitInvalid => "UNIT_INVALID",
            Self::NotUnitCity { .. } => "NOT_UNIT_CITY",
        }
    }

    /// The field of the request that is at fault; `None` when it is the agreement as a whole.
    const fn field(&self) -> Option<&'static str> {
        Some(match self {
            Self::SelfTransfer => "to_city",
            Self::ReceiverNotMember { field, .. } => field,
            Self::NoticeInvalid => "cities",
            Self::MeetingInvalid => "chair",
            Self::SiteInvalid | Self::UnitInvalid => "facts",
            Self::NotAMember { .. } => return None,
            Self::CaseArchived
            | Self::AlreadyOpen
            | Self::NotYourTurn { .. }
            | Self::NotHandlingCity { .. }
            | Self::TransferPending { .. }
            | Self::MoveNotAllowed { .. }
            | Self::NotAddressed { .. }
            | Self::NotIssuer { .. }
            | Self::NotChair { .. }
            | Self::NotSiteCity { .. }
            | Self::NotUnitCity { .. } => "name",
        })
    }
}

/// Why the deciding node does not carry out a command. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The table forbids it.
    #[error(transparent)]
    Misfit(Misfit),
    /// The legal date lies ahead. Enter the move on that day.
    #[error("effective date {effective_on} is after today, {today}")]
    EffectiveInFuture {
        /// The date given.
        effective_on: Date,
        /// Today in Beijing.
        today: Date,
        /// The field of the request that holds the date.
        field: &'static str,
    },
    /// The legal date lies before the last move's. Correct it.
    #[error("effective date {effective_on} is before the last move's, {last}")]
    EffectiveBeforeLast {
        /// The date given.
        effective_on: Date,
        /// The earliest possible date.
        last: Date,
    },
    /// The legal date lies before what it follows: it would count for nothing. Correct it.
    #[error("effective date {effective_on} is too early; the earliest possible is {not_before}")]
    EffectiveTooEarly {
        /// The date given.
        effective_on: Date,
        /// The earliest possible date.
        not_before: Date,
    },
    /// Only a milestone of the own city that still counts is taken back.
    #[error("no milestone of this city in this case that counts")]
    NoSuchMilestone,
    /// A case is filed at a place. Add CGCS2000 coordinates first.
    #[error("exact coordinates are missing")]
    PointRequired,
    /// A filed case keeps its place. Correct the coordinates instead of taking them away.
    #[error("coordinates of a filed case cannot be taken away")]
    PointRemoved,
    /// Two certified officers are needed (处罚法 art. 42).
    #[error("{got} officers given, at least two are needed")]
    OfficersMissing {
        /// How many are given.
        got: usize,
    },
    /// The designation is dated ahead.
    #[error("designation is dated {designated_on}, after today, {today}")]
    DesignatedInFuture {
        /// The date given.
        designated_on: Date,
        /// Today in Beijing.
        today: Date,
    },
    /// A provincial department is not above cities of two provinces (处罚法 art. 25).
    #[error("a provincial department is not the common superior of {from} and {to}")]
    AuthorityNotCommon {
        /// Who offered the case.
        from: CityCode,
        /// Who disputes it.
        to: CityCode,
    },
    /// Content of the highest level never enters the exchange.
    #[error("content that must not be exchanged")]
    SecretNotExchanged,
    /// The county code does not exist at county level.
    #[error("county code is not a six-digit county code")]
    CountyUnknown,
    /// The discovery lies ahead, or at no date at all.
    #[error("discovery lies after today, {today}")]
    DiscoveredInFuture {
        /// Today in Beijing.
        today: Date,
    },
    /// The act begins after it was discovered.
    #[error("act begins after its discovery on {discovered_on}")]
    OccurredAfterDiscovery {
        /// Beijing date of the discovery.
        discovered_on: Date,
    },
    /// The act ends before it begins.
    #[error("act ends before it begins")]
    OccurredOrder,
    /// The act ends ahead. Leave its end open while it goes on.
    #[error("act ends after today, {today}")]
    OccurredInFuture {
        /// Today in Beijing.
        today: Date,
    },
    /// Distances are not ascending by city, or too many. A fault of the program that sent them.
    #[error("border distances are not one for each city in ascending order")]
    Borders,
    /// Too far from every shared border. Claim an exception, or keep the case at home.
    #[error("nearest border is {nearest_m} m away, the belt is {belt_m} m")]
    OutsideBelt {
        /// Distance to the nearest border in metres.
        nearest_m: u32,
        /// Width of the belt in metres.
        belt_m: u32,
    },
    /// No offer is waiting for an answer.
    #[error("no transfer is offered, the case is {state}")]
    NoTransfer {
        /// Where the case stands.
        state: CaseState,
    },
    /// Only the receiver acknowledges an offer.
    #[error("transfer was offered to {receiver}")]
    NotReceiver {
        /// To whom it was offered.
        receiver: CityCode,
    },
    /// Only the sender asks an offer back.
    #[error("transfer was offered by {sender}")]
    NotSender {
        /// Who offered it.
        sender: CityCode,
    },
    /// Only the city that answers for the case may do this.
    #[error("case is handled by {handling}")]
    HandlingCityOnly {
        /// Who answers for it.
        handling: CityCode,
    },
    /// One asks others for help and opens parts to others.
    #[error("own city is named where another is meant")]
    SelfNamed {
        /// The field of the request that names it.
        field: &'static str,
    },
    /// An answer cannot be due before today.
    #[error("due date {due_on} is before today, {today}")]
    DueInPast {
        /// The date given.
        due_on: Date,
        /// Today in Beijing.
        today: Date,
    },
    /// The handling city changes the record itself, without a proposal.
    #[error("handling city does not propose to itself")]
    OwnProposal,
    /// The city never took the case over, so no files are on their way to it.
    #[error("no files of an earlier handling city are due to this city")]
    NothingToReceive,
    /// An entry has at most [`crate::limits::PARTS_MAX`] parts.
    #[error("part {part} does not exist")]
    NoSuchPart {
        /// The place given, from 0.
        part: u32,
    },
    /// Of an item of evidence.
    #[error(transparent)]
    Evidence(EvidenceRefusal),
    /// Of a referral or a campaign tag.
    #[error(transparent)]
    Referral(ReferralRefusal),
    /// Of a notice.
    #[error(transparent)]
    Notice(NoticeRefusal),
    /// Of a meeting.
    #[error(transparent)]
    Meeting(MeetingRefusal),
    /// Of a site.
    #[error(transparent)]
    Site(SiteRefusal),
    /// Of a unit.
    #[error(transparent)]
    Unit(UnitRefusal),
    /// Of a plan.
    #[error(transparent)]
    Plan(PlanRefusal),
}

impl Refusal {
    /// The stable reason, upper-case letters and underscores.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Misfit(misfit) => misfit.reason(),
            Self::EffectiveInFuture { .. } => "EFFECTIVE_IN_FUTURE",
            Self::EffectiveBeforeLast { .. } => "EFFECTIVE_BEFORE_LAST",
            Self::EffectiveTooEarly { .. } => "EFFECTIVE_TOO_EARLY",
            Self::NoSuchMilestone => "NO_SUCH_MILESTONE",
            Self::PointRequired => "POINT_REQUIRED",
            Self::PointRemoved => "POINT_REMOVED",
            Self::OfficersMissing { .. } => "OFFICERS_MISSING",
            Self::DesignatedInFuture { .. } => "DESIGNATED_IN_FUTURE",
            Self::AuthorityNotCommon { .. } => "AUTHORITY_NOT_COMMON",
            Self::SecretNotExchanged => "LEVEL_SECRET",
            Self::CountyUnknown => "COUNTY_CODE",
            Self::DiscoveredInFuture { .. } => "DISCOVERED_IN_FUTURE",
            Self::OccurredAfterDiscovery { .. } => "OCCURRED_AFTER_DISCOVERY",
            Self::OccurredOrder => "OCCURRED_ORDER",
            Self::OccurredInFuture { .. } => "OCCURRED_IN_FUTURE",
            Self::Borders => "BORDERS",
            Self::OutsideBelt { .. } => "OUTSIDE_BELT",
            Self::NoTransfer { .. } => "NO_TRANSFER",
            Self::NotReceiver { .. } => "NOT_RECEIVER",
            Self::NotSender { .. } => "NOT_SENDER",
            Self::HandlingCityOnly { .. } => "NOT_HANDLING_CITY",
            Self::SelfNamed { .. } => "SELF_NAMED",
            Self::DueInPast { .. } => "DUE_IN_PAST",
            Self::OwnProposal => "OWN_PROPOSAL",
            Self::NothingToReceive => "NOTHING_TO_RECEIVE",
            Self::NoSuchPart { .. } => "NO_SUCH_PART",
            Self::Evidence(refusal) => refusal.reason(),
            Self::Referral(refusal) => refusal.reason(),
            Self::Notice(refusal) => refusal.reason(),
            Self::Meeting(refusal) => refusal.reason(),
            Self::Site(refusal) => refusal.reason(),
            Self::Unit(refusal) => refusal.reason(),
            Self::Plan(refusal) => refusal.reason(),
        }
    }

    /// The field of the request that is at fault: the record's name where nothing but its state
    /// is, `None` where the caller can change nothing about it.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        Some(match self {
            Self::Misfit(misfit) => return misfit.field(),
            Self::EffectiveInFuture { field, .. } | Self::SelfNamed { field } => field,
            Self::EffectiveBeforeLast { .. } | Self::EffectiveTooEarly { .. } => "effective_on",
            Self::NoSuchMilestone => "entry",
            Self::DesignatedInFuture { .. } => "designated_on",
            Self::AuthorityNotCommon { .. } => "authority",
            Self::SecretNotExchanged => "facts.data_level",
            Self::CountyUnknown => "facts.county_code",
            Self::DiscoveredInFuture { .. } => "facts.discover_time_ms",
            Self::OccurredAfterDiscovery { .. } => "facts.occurred_from",
            Self::OccurredOrder | Self::OccurredInFuture { .. } => "facts.occurred_to",
            Self::PointRemoved => "record.location",
            Self::OutsideBelt { .. } => "record.belt_reason",
            Self::DueInPast { .. } => "due_on",
            Self::NoSuchPart { .. } => "part",
            Self::Borders => return None,
            Self::PointRequired
            | Self::OfficersMissing { .. }
            | Self::NoTransfer { .. }
            | Self::NotReceiver { .. }
            | Self::NotSender { .. }
            | Self::HandlingCityOnly { .. }
            | Self::OwnProposal
            | Self::NothingToReceive => "name",
            Self::Evidence(refusal) => refusal.field(),
            Self::Referral(refusal) => refusal.field(),
            Self::Notice(refusal) => refusal.field(),
            Self::Meeting(refusal) => refusal.field(),
            Self::Site(refusal) => refusal.field(),
            Self::Unit(refusal) => refusal.field(),
            Self::Plan(refusal) => refusal.field(),
        })
    }

    /// What must change before the same request can be carried out.
    #[must_use]
    pub const fn subject(&self) -> &'static str {
        match self {
            Self::OutsideBelt { .. } => "record.belt_reason",
            Self::Evidence(_) => "evidence",
            Self::Referral(refusal) => refusal.subject(),
            Self::Notice(_) => "notice",
            Self::Meeting(_) => "meeting",
            Self::Site(_) => "site",
            Self::Unit(_) => "unit",
            Self::Plan(_) => "plan",
            Self::Misfit(_)
            | Self::EffectiveInFuture { .. }
            | Self::EffectiveBeforeLast { .. }
            | Self::EffectiveTooEarly { .. }
            | Self::NoSuchMilestone
            | Self::PointRequired
            | Self::PointRemoved
            | Self::OfficersMissing { .. }
            | Self::DesignatedInFuture { .. }
            | Self::AuthorityNotCommon { .. }
            | Self::SecretNotExchanged
            | Self::CountyUnknown
            | Self::DiscoveredInFuture { .. }
            | Self::OccurredAfterDiscovery { .. }
            | Self::OccurredOrder
            | Self::OccurredInFuture { .. }
            | Self::Borders
            | Self::NoTransfer { .. }
            | Self::NotReceiver { .. }
            | Self::NotSender { .. }
            | Self::HandlingCityOnly { .. }
            | Self::SelfNamed { .. }
            | Self::DueInPast { .. }
            | Self::OwnProposal
            | Self::NothingToReceive
            | Self::NoSuchPart { .. } => "case",
        }
    }
}

impl From<EvidenceRefusal> for Refusal {
    fn from(refusal: EvidenceRefusal) -> Self {
        Self::Evidence(refusal)
    }
}

impl From<ReferralRefusal> for Refusal {
    fn from(refusal: ReferralRefusal) -> Self {
        Self::Referral(refusal)
    }
}

impl From<Misfit> for Refusal {
    fn from(misfit: Misfit) -> Self {
        Self::Misfit(misfit)
    }
}
