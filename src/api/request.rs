//! What is asked of a node, and what it answers.
//!
//! In scope: requests as plain, parsed values; every way a write can be turned away.
//! Out of scope: protobuf and gRPC codes ([`crate::wire`]), who may ask ([`crate::trust`]).

use crate::api::plan::PlanAsk;
use crate::domain::plan::lots::PoolSite;
use crate::domain::plan::{PlanNumber, PlanRecord};
use crate::domain::{
    CaseContribution, CaseFacts, CaseMove, CaseRecord, CustodyRecord, Date, ErasureReason,
    Evidence, ExternalRef, Invalid, MeetingAct, MeetingRecord, NoticeAct, NoticeKind, NoticeLevel,
    NoticeRecord, Period, PersonRecord, ReferralRecord, Refusal, SiteAct, SiteFacts, SiteRecord,
    UnitFacts, UnitRecord,
};
use crate::ids::{AgreementId, CityCode, Position, SubjectId};
use crate::log::{ActorRole, Audience, PartKind};

/// Who asks, as the TLS layer and `people.toml` know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Stable name of the identity within the city, such as `coordinator/zhang`; never leaves
    /// the node except as an HMAC tag.
    pub identity: String,
    /// In what capacity.
    pub role: ActorRole,
    /// 执法证号 or system name: what the introduction of the actor carries as a part.
    pub certificate_number: String,
}

/// The content of a part, before it is salted and encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartContent {
    /// The editable fields of a case.
    CaseRecord(Box<CaseRecord>),
    /// A natural person.
    Person(PersonRecord),
    /// The number people say, and the own system's number.
    CaseNumber {
        /// LD-...
        number: String,
        /// The own system's number.
        external_ref: Option<ExternalRef>,
    },
    /// Free text.
    Text(String),
    /// A list of evidence.
    Evidence(Vec<Evidence>),
    /// The certificate number behind an actor.
    ActorCertificate(String),
    /// What a notice says.
    Notice(Box<NoticeRecord>),
    /// What a meeting is called for, or what it decided.
    Meeting(Box<MeetingRecord>),
    /// Who handed the original of an item of evidence to whom.
    Custody(Box<CustodyRecord>),
    /// What goes with a referral, an answer or an opinion.
    Referral(Box<ReferralRecord>),
    /// Who and where a site is.
    Site(Box<SiteRecord>),
    /// Certificate number or label of a unit.
    Unit(Box<UnitRecord>),
    /// What people read of a plan.
    Plan(Box<PlanRecord>),
    /// The list from which the targets of a plan are drawn.
    PlanPool(Vec<PoolSite>),
    /// The number people say of a plan.
    PlanNumber {
        /// The number.
        number: PlanNumber,
        /// The saved draft that the plan comes from.
        draft: Option<SubjectId>,
    },
}

impl PartContent {
    /// The kind a header names it by.
    #[must_use]
    pub const fn kind(&self) -> PartKind {
        match self {
            Self::CaseRecord(_) => PartKind::CaseRecord,
            Self::Person(_) => PartKind::Person,
            Self::CaseNumber { .. } => PartKind::CaseNumber,
            Self::Text(_) => PartKind::Text,
            Self::Evidence(_) => PartKind::Evidence,
            Self::ActorCertificate(_) => PartKind::ActorCertificate,
            Self::Notice(_) => PartKind::Notice,
            Self::Meeting(_) => PartKind::Meeting,
            Self::Custody(_) => PartKind::Custody,
            Self::Referral(_) => PartKind::Referral,
            Self::Site(_) => PartKind::Site,
            Self::Unit(_) => PartKind::Unit,
            Self::Plan(_) => PartKind::Plan,
            Self::PlanPool(_) => PartKind::PlanPool,
            Self::PlanNumber { .. } => PartKind::PlanNumber,
        }
    }
}

impl PartContent {
    /// The record of a case, if it is one.
    #[must_use]
    pub fn case_record(&self) -> Option<&CaseRecord> {
        if let Self::CaseRecord(record) = self { Some(record) } else { None }
    }
}

/// A part to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPart {
    /// Who may hold it.
    pub audience: Audience,
    /// What it says.
    pub content: PartContent,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Open a case.
    OpenCase {
        /// Where.
        agreement: AgreementId,
        /// Facts; distances and belt are filled in by the node.
        facts: CaseFacts,
        /// The record.
        record: Box<CaseRecord>,
        /// A natural person.
        person: Option<PersonRecord>,
        /// The own system's number.
        external_ref: Option<ExternalRef>,
        /// Legal date.
        effective_on: Date,
    },
    /// Move a case.
    MoveCase {
        /// Its agreement.
        agreement: AgreementId,
        /// The case.
        subject: SubjectId,
        /// Position of its last move as the caller read it.
        etag: Position,
        /// The move. Facts in it get their distances from the node.
        mv: CaseMove,
        /// Parts that go with it.
        parts: Vec<NewPart>,
    },
    /// Add to a case.
    Contribute {
        /// Its agreement.
        agreement: AgreementId,
        /// The case.
        subject: SubjectId,
        /// What is added.
        contribution: CaseContribution,
        /// Parts that go with it.
        parts: Vec<NewPart>,
    },
    /// Issue a notice.
    IssueNotice {
        /// Its agreement.
        agreement: AgreementId,
        /// What it is about.
        kind: NoticeKind,
        /// How grave.
        level: Option<NoticeLevel>,
        /// Whom to tell; all other members when empty.
        addressees: Vec<CityCode>,
        /// What it says.
        record: Box<NoticeRecord>,
    },
    /// Add to a notice.
    ActOnNotice {
        /// Its agreement.
        agreement: AgreementId,
        /// The notice.
        subject: SubjectId,
        /// What is added.
        act: NoticeAct,
        /// What is said with it.
        text: Option<String>,
    },
    /// Call a joint meeting.
    CallMeeting {
        /// Its agreement.
        agreement: AgreementId,
        /// The day.
        on: Date,
        /// Who chairs it; the own city when absent.
        chair: Option<CityCode>,
        /// The caller knows that the rota is set aside.
        out_of_turn: bool,
        /// What it is called for.
        record: Box<MeetingRecord>,
    },
    /// Add to a meeting.
    ActOnMeeting {
        /// Its agreement.
        agreement: AgreementId,
        /// The meeting.
        subject: SubjectId,
        /// What is added.
        act: MeetingAct,
        /// What is said with it: decisions with minutes, else a text.
        said: Option<PartContent>,
    },
    /// Register a site.
    RegisterSite {
        /// Its agreement.
        agreement: AgreementId,
        /// Its facts.
        facts: SiteFacts,
        /// Who and where it is.
        record: Box<SiteRecord>,
        /// The enterprise has a site here already, and this is another plant.
        another_plant: bool,
    },
    /// Say something of a site.
    ActOnSite {
        /// Its agreement.
        agreement: AgreementId,
        /// The site.
        subject: SubjectId,
        /// The newest change or listing as the caller read it; a check needs none.
        etag: Option<Position>,
        /// What is said.
        act: SiteAct,
        /// What is said with it: who and where it is with a change, else a text.
        said: Option<PartContent>,
        /// The new credit code is that of another site here, and this is another plant.
        another_plant: bool,
    },
    /// Register a unit.
    RegisterUnit {
        /// Its agreement.
        agreement: AgreementId,
        /// What is known.
        facts: UnitFacts,
        /// Certificate number or label.
        record: Box<UnitRecord>,
    },
    /// Change a unit.
    ChangeUnit {
        /// Its agreement.
        agreement: AgreementId,
        /// The unit.
        subject: SubjectId,
        /// Position of the newest of its facts as the caller read it.
        etag: Position,
        /// All facts after the change.
        facts: UnitFacts,
        /// All of its record after the change.
        record: Box<UnitRecord>,
    },
    /// Block a unit on half days, or free it.
    BookUnit {
        /// Its agreement.
        agreement: AgreementId,
        /// The unit; the own city as a whole when absent.
        subject: Option<SubjectId>,
        /// It is busy, not free.
        busy: bool,
        /// When.
        periods: Vec<Period>,
    },
    /// Open a plan, move it, or say something to it.
    Plan {
        /// Its agreement.
        agreement: AgreementId,
        /// What is asked.
        ask: Box<PlanAsk>,
    },
    /// Erase one part of an own entry in every copy.
    ErasePart {
        /// The agreement.
        agreement: AgreementId,
        /// The entry whose part it is.
        entry: Position,
        /// Which of its parts, from 0.
        part: u32,
        /// Why.
        reason: ErasureReason,
    },
    /// Go on after a restore without the members named.
    OverrideRecovery {
        /// The agreement.
        agreement: AgreementId,
        /// Members that will not be waited for.
        cities: Vec<CityCode>,
        /// Why.
        text: String,
    },
}

impl Command {
    /// The agreement it concerns.
    #[must_use]
    pub const fn agreement(&self) -> AgreementId {
        match self {
            Self::OpenCase { agreement, .. }
            | Self::MoveCase { agreement, .. }
            | Self::Contribute { agreement, .. }
            | Self::IssueNotice { agreement, .. }
            | Self::ActOnNotice { agreement, .. }
            | Self::CallMeeting { agreement, .. }
            | Self::ActOnMeeting { agreement, .. }
            | Self::RegisterSite { agreement, .. }
            | Self::ActOnSite { agreement, .. }
            | Self::RegisterUnit { agreement, .. }
            | Self::ChangeUnit { agreement, .. }
            | Self::BookUnit { agreement, .. }
            | Self::Plan { agreement, .. }
            | Self::ErasePart { agreement, .. }
            | Self::OverrideRecovery { agreement, .. } => *agreement,
        }
    }
}

/// A command with who asks and how to tell a repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub caller: Caller,
    /// 执法证号 of the officer a system acts for.
    pub acting_for: Option<String>,
    /// Unique per caller.
    pub request_id: String,
    /// The request as it came, for telling a repetition from a different request.
    pub body: Vec<u8>,
    /// Decide and write nothing.
    pub validate_only: bool,
    /// What is asked for.
    pub command: Command,
}

/// A request that may have been written before, and of which no command can be made now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repetition {
    /// [`Caller::identity`] of whoever sends it.
    pub identity: String,
    /// Unique per caller.
    pub request_id: String,
    /// The request as it came.
    pub body: Vec<u8>,
}

/// A write that is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The agreement.
    pub agreement: AgreementId,
    /// The record; `None` for entries about the log itself.
    pub subject: Option<SubjectId>,
    /// The entry.
    pub position: Position,
    /// This answer repeats that of an earlier call with the same request id.
    pub replayed: bool,
}

/// Why a write was turned away. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The domain says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No such agreement or record for this caller.
    #[error("not found")]
    NotFound,
    /// This node has no log in the agreement: make one with `liandong epoch new`.
    #[error("this node has no log in the agreement")]
    NoLog,
    /// Today lies outside the agreement's term.
    #[error("today lies outside the term of the agreement")]
    OutsideTerm,
    /// The record has moved on: read it again.
    #[error("the case has moved on to {current}")]
    StaleEtag {
        /// Its etag now.
        current: Position,
    },
    /// The request id was used with another body.
    #[error("request id was used for another request, see {first}")]
    IdempotencyMismatch {
        /// The entry it led to.
        first: Position,
    },
    /// The own system's number is taken.
    #[error("external number is taken by {taken_by}")]
    ExternalRefTaken {
        /// The case or the plan that has it.
        taken_by: SubjectId,
        /// Where it was given.
        field: &'static str,
    },
    /// The saved draft that a plan is to come from is gone: proposed, or thrown away.
    #[error("the draft is gone")]
    DraftGone,
    /// It says something else by now: read it again.
    #[error("the draft has changed, it is at {current}")]
    DraftChanged {
        /// Its etag now.
        current: String,
    },
    /// The place lies outside the border belt and no reason was given.
    #[error("outside the border belt, {metres} m from the nearest member")]
    OutsideBelt {
        /// Distance to the nearest other member.
        metres: u32,
    },
    /// The case is held by an entry of a newer kind.
    #[error("an entry of a newer kind holds this case")]
    NeedsNewerVersion,
    /// The text of a notice is not here yet: a person cannot sign for it.
    #[error("the text of the notice is still on its way")]
    NoticeArriving,
    /// After a restore: moves wait until these members have shown what they hold.
    #[error("recovering, waiting for {waiting_for:?}")]
    Recovering {
        /// Members not heard from.
        waiting_for: Vec<CityCode>,
    },
    /// Something in the case rests on what is not taken while these cities are suspended here.
    #[error("the case rests on what is suspended here, of {cities:?}")]
    Suspended {
        /// Cities of which something is suspended.
        cities: Vec<CityCode>,
    },
    /// This node was restored from a copy: a new epoch is needed first.
    #[error("this node was restored from an older copy and needs a new epoch")]
    EpochNeeded,
    /// The disk is nearly full; writes resume by themselves.
    #[error("disk is low: {free} bytes free")]
    DiskLow {
        /// Free bytes.
        free: u64,
    },
    /// A write or sync failed; nothing is written until a restart.
    #[error("storage failed: {detail}")]
    StorageFailed {
        /// For the operator.
        detail: String,
    },
    /// Too many writes are waiting; try again.
    #[error("too many writes are waiting")]
    Busy,
    /// Larger than a limit.
    #[error("{what} has {got} bytes, the limit is {limit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The limit in bytes.
        limit: usize,
        /// What was given.
        got: usize,
    },
    /// A part cannot be erased.
    #[error("part {part} cannot be erased: {why:?}")]
    NotErasable {
        /// Which part, from 0.
        part: u32,
        /// Why.
        why: NotErasable,
    },
    /// A field of the request cannot be taken.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// A value of the request does not fit.
    #[error("{field}: {reason}")]
    BadField {
        /// Path of the field.
        field: &'static str,
        /// Why.
        reason: String,
    },
}

/// Why a part cannot be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotErasable {
    /// The entry is none of the own city's in this agreement, or cannot be read here.
    Entry,
    /// It has no such part.
    Part,
    /// Numbers are counted on from it.
    Number,
    /// It is erased.
    Erased,
}
