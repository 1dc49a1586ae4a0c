//! Values that the tests of formats share.

use bytes::Bytes;
use proptest::prelude::*;

use crate::domain::case::{AuthorityLevel, CaseStep};
use crate::domain::deadline::Milestone;
use crate::domain::evidence::EvidenceDraft;
use crate::domain::facts::{BorderDistance, CaseFacts, DataLevel, Medium, Source};
use crate::domain::law::LegalBasisDraft;
use crate::domain::pollutant::MeasurementDraft;
use crate::domain::record::PenaltyDraft;
use crate::domain::site::{
    CheckMode, ListingStatus, MonitoringKind, PermitKind, RemovalBasis, SiteTier, VisitException,
};
use crate::domain::{
    Campaign, CaseContribution, CaseDraft, CaseMove, CaseRecord, CopiedPaper, CountyCode, Date,
    DeclineGround, Department, ErasureReason, Event, EvidenceAct, EvidencePlace, HalfDay, Listing,
    MeetingAct, NoticeAct, NoticeKind, NoticeLevel, Period, PoliceAnswer, ProcuratorateOpinion,
    Referral, ReferralAct, ReferralKind, ReferralPaper, SiteAct, SiteCheck, SiteFacts, UnitAct,
    UnitFacts, UnitKind, Violation,
};
use crate::ids::{ActorId, AgreementId, CityCode, Hash, LogId, Position, SubjectId, Tag};
use crate::log::{
    ActorRef, ActorRole, Audience, Envelope, Head, PartKind, PartRef, PartSlot, RequestTags,
    Subject, SubjectKind,
};
use crate::sync::{RawBatch, RawEntry};

use super::plan_values::plan_events;

pub(super) fn city(code: u32) -> CityCode {
    CityCode::from_u32(code).unwrap()
}

pub(super) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

pub(super) fn at(log: u8, index: u64) -> Position {
    Position { log: LogId::new([log; 32]), index }
}

pub(super) fn facts() -> CaseFacts {
    CaseFacts {
        source: Source::UavPatrol,
        medium: Medium::Water,
        violation: Violation::EvasionWater,
        county_code: Some(371_522),
        discovered_time_ms: 1_795_000_000_123,
        occurred_from: Some(date("2026-11-10")),
        occurred_to: None,
        data_level: DataLevel::Restricted,
        borders: vec![
            BorderDistance { city: city(130_400), metres: 812 },
            BorderDistance { city: city(410_900), metres: 0 },
        ],
        border_uncertain: true,
        belt_exception: false,
        has_point: true,
    }
}

pub(super) fn envelope() -> Envelope {
    Envelope {
        log: LogId::new([1; 32]),
        index: 7,
        record_time_ms: 1_795_000_100_000,
        clock_suspect: true,
        after: vec![Head { log: LogId::new([2; 32]), size: 300, root: Hash::new([3; 32]) }],
        actor: Some(ActorRef { role: ActorRole::System, id: ActorId::new([4; 16]) }),
        acting_for: Some(ActorRef { role: ActorRole::Inspector, id: ActorId::new([5; 16]) }),
        request: Some(RequestTags { request: Tag::new([6; 16]), body: Tag::new([7; 16]) }),
        subject: Subject { kind: SubjectKind::Case, id: Some(SubjectId::new([8; 16])) },
        prev: Some(at(2, 299)),
        parts: vec![
            part(PartKind::CaseRecord, Audience::AllMembers),
            part(PartKind::Person, Audience::HandlingCity),
            part(PartKind::Text, Audience::Cities(vec![city(130_400), city(371_500)])),
        ],
    }
}

fn part(kind: PartKind, audience: Audience) -> PartRef {
    PartRef { kind, audience, digest: Hash::new([9; 32]) }
}

/// The least a header can hold.
pub(super) fn bare_envelope(kind: SubjectKind) -> Envelope {
    Envelope {
        log: LogId::new([1; 32]),
        index: 0,
        record_time_ms: 0,
        clock_suspect: false,
        after: Vec::new(),
        actor: None,
        acting_for: None,
        request: None,
        subject: Subject { kind, id: None },
        prev: None,
        parts: Vec::new(),
    }
}

/// One event of every kind, with its name in the golden files.
pub(super) fn every_event() -> Vec<(&'static str, Event)> {
    use CaseContribution as C;
    use CaseMove as M;
    let on = date("2026-11-20");
    let agreement = AgreementId::new([10; 16]);
    let subject = SubjectId::new([11; 16]);
    let designated = M::JurisdictionDesignated {
        city: city(371_400),
        authority: AuthorityLevel::Ministry,
        designated_on: date("2026-11-19"),
        effective_on: on,
    };
    let adopted = |facts| M::ProposalAdopted { proposal: at(2, 5), facts, effective_on: on };
    let erased = Event::PartErased { entry: at(2, 3), part: 1, reason: ErasureReason::Mistake };
    let opened = Event::CaseOpened { facts: facts(), effective_on: on };
    let stepped = M::Stepped { step: CaseStep::Filed, effective_on: on };
    let refused = M::ProposalRefused { proposal: at(2, 5), effective_on: on };
    let offered = M::TransferOffered { to: city(130_400), effective_on: on };
    let overridden = Event::RecoveryOverridden { cities: vec![city(130_400), city(371_400)] };
    let issued = Event::NoticeIssued {
        kind: NoticeKind::Emergency,
        level: Some(NoticeLevel::Two),
        addressees: vec![city(130_400), city(371_400)],
    };
    let digest = Hash::new([13; 32]);
    let recorded = MeetingAct::MinutesRecorded { digest, held_on: on };
    let place = EvidencePlace { entry: at(2, 6), part: 1, item: 3 };
    let said = |act| Event::Contribution(C::Evidence { place, act });
    let declined = EvidenceAct::Declined { ground: DeclineGround::Laboratory };
    let told = |act| Event::Contribution(C::Referral(act));
    let (kind, decided_on) = (ReferralKind::Crime, date("2026-11-19"));
    let refer = |handed_over_on| {
        let papers = vec![ReferralPaper::Letter, ReferralPaper::Report, ReferralPaper::Other];
        let referral = Referral { kind, decided_on, handed_over_on };
        told(ReferralAct::Referred { referral, papers })
    };
    let (answer, paper) = (PoliceAnswer::Forwarded, CopiedPaper::SupervisionRequest);
    let opinion = ProcuratorateOpinion::HandOver;
    let opined = |referral| told(ReferralAct::Opined { referral, opinion, on });
    let campaign = Campaign::from_number(255).unwrap();
    let (from, until) = (Some(date("2024-01-01")), Some(date("2028-12-31")));
    let (kind, department) = (UnitKind::Officer, Some(Department::EcologyEnvironment));
    let (valid_from, valid_until, retired) = (from, until, false);
    let officer = UnitFacts { kind, department, valid_from, valid_until, retired };
    let (kind, department) = (UnitKind::Boat, Some(Department::Water));
    let (valid_from, valid_until, retired) = (None, None, true);
    let boat = UnitFacts { kind, department, valid_from, valid_until, retired };
    let morning = Period::half_day(HalfDay::morning(on));
    let periods = vec![morning, Period::day(date("2026-12-31"))];
    let mv = Event::CaseMove;
    let add = Event::Contribution;
    vec![
        ("actor_introduced", Event::ActorIntroduced),
        ("recovery_overridden", overridden),
        ("charter_adopted", Event::CharterAdopted { charter: Hash::new([12; 32]) }),
        ("part_erased", erased),
        ("part_granted", add(C::PartGranted { entry: at(1, 2), part: 3, to: city(410_900) })),
        ("parts_received", add(C::PartsReceived)),
        ("case_opened", opened),
        ("case_stepped", mv(stepped)),
        ("case_amended", mv(M::Amended { facts: facts(), effective_on: on })),
        ("proposal_adopted", mv(adopted(None))),
        ("proposal_adopted_with_facts", mv(adopted(Some(facts())))),
        ("proposal_refused", mv(refused)),
        ("transfer_offered", mv(offered)),
        ("transfer_accepted", mv(M::TransferAccepted { effective_on: on })),
        ("transfer_returned", mv(M::TransferReturned { effective_on: on })),
        ("transfer_disputed", mv(M::TransferDisputed { effective_on: on })),
        ("jurisdiction_designated", mv(designated)),
        ("transfer_acknowledged", add(C::TransferAcknowledged)),
        ("transfer_recall_requested", add(C::TransferRecallRequested)),
        ("assistance_requested", add(C::AssistanceRequested { to: city(370_900), due_on: on })),
        ("assistance_answered", add(C::AssistanceAnswered { request: at(2, 9) })),
        ("note_added", add(C::NoteAdded)),
        ("evidence_added", add(C::EvidenceAdded)),
        ("proposal_made", add(C::ProposalMade)),
        ("police_detention", add(C::PoliceDetentionTransferred { effective_on: on })),
        (
            "milestone_recorded",
            add(C::MilestoneRecorded { milestone: Milestone::DecisionServed, effective_on: on }),
        ),
        ("milestone_withdrawn", add(C::MilestoneWithdrawn { entry: at(2, 9) })),
        ("notice_issued", issued),
        (
            "notice_issued_general",
            Event::NoticeIssued {
                kind: NoticeKind::General,
                level: None,
                addressees: vec![city(130_400)],
            },
        ),
        ("notice_acknowledged", Event::NoticeAct(NoticeAct::Acknowledged)),
        ("notice_reported", Event::NoticeAct(NoticeAct::Reported)),
        ("notice_ended", Event::NoticeAct(NoticeAct::Ended)),
        (
            "meeting_called",
            Event::MeetingCalled { on, number: 2, chair: city(130_400), due_chair: city(371_500) },
        ),
        ("minutes_recorded", Event::MeetingAct(recorded)),
        ("minutes_confirmed", Event::MeetingAct(MeetingAct::MinutesConfirmed { digest })),
        ("meeting_cancelled", Event::MeetingAct(MeetingAct::Cancelled)),
        ("evidence_received", said(EvidenceAct::Received)),
        ("evidence_recognised", said(EvidenceAct::Recognised)),
        ("evidence_declined", said(declined)),
        ("custody_recorded", said(EvidenceAct::HandedOver { on })),
        ("case_referred", refer(Some(on))),
        ("case_referred_decided", refer(None)),
        ("police_answered", told(ReferralAct::Answered { referral: at(2, 8), answer, on })),
        ("procuratorate_copied", told(ReferralAct::Copied { referral: at(2, 8), paper, on })),
        ("procuratorate_opined", opined(Some(at(2, 8)))),
        ("procuratorate_opined_alone", opined(None)),
        ("campaign_tagged", told(ReferralAct::Tagged { campaign, on: true })),
        ("campaign_untagged", told(ReferralAct::Tagged { campaign: Campaign::OTHER, on: false })),
        ("continued_in", add(C::ContinuedIn { agreement, subject })),
        ("continued_from", add(C::ContinuedFrom { agreement, subject })),
        ("unit_registered", Event::UnitRegistered { facts: officer }),
        ("unit_registered_city", Event::UnitRegistered { facts: UnitFacts::WHOLE_CITY }),
        ("unit_changed", Event::UnitAct(UnitAct::Changed { facts: boat })),
        ("unit_blocked", Event::UnitAct(UnitAct::Blocked { periods: periods.clone() })),
        ("unit_freed", Event::UnitAct(UnitAct::Freed { periods })),
    ]
    .into_iter()
    .chain(site_events(on, subject))
    .chain(plan_events(on))
    .collect()
}

fn site_events(on: Date, plan: SubjectId) -> Vec<(&'static str, Event)> {
    let facts = |permit, closed| SiteFacts {
        county: CountyCode::from_u32(371_522).unwrap(),
        tier: SiteTier::Key,
        media: vec![Medium::Air, Medium::Water],
        permit,
        closed,
    };
    let listed = |status, removed_for, monitoring| {
        let (admitted_on, expires_on) = (on, date("2027-11-19"));
        let listing = Listing { status, admitted_on, expires_on, removed_for, monitoring };
        Event::SiteAct(SiteAct::Listed(listing))
    };
    let checked = |mode, exception, plan, taken_back| {
        Event::SiteAct(SiteAct::Checked(SiteCheck { on, mode, exception, plan, taken_back }))
    };
    let kinds = vec![MonitoringKind::Online, MonitoringKind::Power];
    let changed = SiteAct::Changed { facts: facts(None, true) };
    let clue = Some(VisitException::OffSiteClue);
    let removed = listed(ListingStatus::Removed, Some(RemovalBasis::FalsifiedData), Vec::new());
    vec![
        (
            "site_registered",
            Event::SiteRegistered { facts: facts(Some(PermitKind::KeyManaged), false) },
        ),
        ("site_changed", Event::SiteAct(changed)),
        ("site_listed", listed(ListingStatus::Active, None, kinds)),
        ("site_removed", removed),
        ("site_checked", checked(CheckMode::OnSite, clue, Some(plan), false)),
        ("site_checked_bare", checked(CheckMode::OffSite, None, None, false)),
        ("site_check_taken_back", checked(CheckMode::OnSite, None, Some(plan), true)),
    ]
}

/// A record with every field filled in.
pub(super) fn record() -> CaseRecord {
    CaseRecord::parse(&draft()).unwrap()
}

pub(super) fn draft() -> CaseDraft {
    CaseDraft {
        title: "示例纸业有限公司涉嫌私设暗管排放废水案".into(),
        summary: "群众举报，\n现场检查发现暗管。".into(),
        coordinates: Some(("115.137564".into(), "36.243426".into(), "CGCS2000".into())),
        address: "莘县示例镇示例村北侧".into(),
        party_name: "示例纸业有限公司".into(),
        party_uscc: "91371522YYYY90011A".into(),
        party_masked_name: String::new(),
        industry_code: "C2221".into(),
        permit_no: "91371522YYYY90011A001P".into(),
        positive_list: true,
        pollutants: vec![MeasurementDraft {
            code: "w01018".into(),
            value: "102.60".into(),
            unit: "mg/L".into(),
            limit: "50".into(),
            exceed_multiple: "1.05".into(),
            statistic: "MINUTE_AVG".into(),
        }],
        legal_basis: vec![LegalBasisDraft {
            law: "中华人民共和国生态环境法典".into(),
            article: "1108".into(),
            item: Some(2),
            effective_from: "2026-08-15".into(),
            effective_to: String::new(),
        }],
        law_choice: "适用行为时法律".into(),
        evidence: vec![evidence_draft("E01"), evidence_draft("E02")],
        officers: vec![
            ("37150099011".into(), "聊城市生态环境保护综合行政执法支队".into()),
            ("37150099022".into(), "聊城市生态环境保护综合行政执法支队".into()),
        ],
        case_no: "聊环立字〔2026〕005号".into(),
        penalty: Some(PenaltyDraft {
            kinds: vec!["FINE".into(), "WARNING".into()],
            fine_fen: Some(28_600_000),
            proposed: true,
            decision_no: "聊环罚字〔2026〕001号".into(),
        }),
        belt_reason: "排污口在下游".into(),
    }
}

pub(super) fn evidence_draft(id: &str) -> EvidenceDraft {
    EvidenceDraft {
        id: id.into(),
        kind: "INSPECTION_RECORD".into(),
        title: "现场检查（勘察）笔录".into(),
        collected_on: "2026-11-18".into(),
        collectors: vec!["37150099011".into(), "37150099022".into()],
        place: "厂区西侧".into(),
        mime: "application/pdf".into(),
        size_bytes: 54,
        sha256: "ab".repeat(32),
        sm3: "cd".repeat(32),
        level: "RESTRICTED".into(),
        reviewed_legal: true,
        reviewed_technical: true,
    }
}

pub(super) fn batch() -> RawBatch {
    let entry = |header: &'static [u8], parts| RawEntry { header: header.into(), parts };
    RawBatch {
        log: LogId::new([1; 32]),
        from: 12,
        entries: vec![
            entry(b"one", vec![]),
            entry(
                b"two",
                vec![
                    PartSlot::Bytes(Bytes::from_static(b"part")),
                    PartSlot::ErasedBy(at(3, 4)),
                    PartSlot::Withheld,
                ],
            ),
        ],
        checkpoint: Bytes::from_static(b"checkpoint\n"),
    }
}

prop_compose! {
    pub(super) fn any_head()(log in any::<[u8; 32]>(), size in any::<u64>(), root in any::<[u8; 32]>())
        -> Head {
        Head { log: LogId::new(log), size, root: Hash::new(root) }
    }
}

fn any_actor() -> impl Strategy<Value = Option<ActorRef>> {
    let role = prop::sample::select(vec![
        ActorRole::Coordinator,
        ActorRole::Inspector,
        ActorRole::System,
        ActorRole::Auditor,
        ActorRole::Admin,
        ActorRole::Node,
    ]);
    let actor =
        (role, any::<[u8; 16]>()).prop_map(|(role, id)| ActorRef { role, id: ActorId::new(id) });
    prop::option::of(actor)
}

fn any_part() -> impl Strategy<Value = PartRef> {
    let kind = prop::sample::select(vec![
        PartKind::CaseRecord,
        PartKind::Person,
        PartKind::CaseNumber,
        PartKind::Text,
        PartKind::Evidence,
        PartKind::ActorCertificate,
        PartKind::Notice,
        PartKind::Meeting,
        PartKind::Custody,
        PartKind::Referral,
        PartKind::Site,
        PartKind::Unit,
        PartKind::Plan,
        PartKind::PlanPool,
        PartKind::PlanNumber,
    ]);
    let audience = prop_oneof![
        Just(Audience::AllMembers),
        Just(Audience::HandlingCity),
        prop::collection::vec(Just(city(371_500)), 0..16).prop_map(Audience::Cities),
    ];
    (kind, audience, any::<[u8; 32]>()).prop_map(|(kind, audience, digest)| PartRef {
        kind,
        audience,
        digest: Hash::new(digest),
    })
}

prop_compose! {
    pub(super) fn any_envelope()(
        log in any::<[u8; 32]>(),
        index in any::<u64>(),
        record_time_ms in any::<i64>(),
        clock_suspect in any::<bool>(),
        after in prop::collection::vec(any_head(), 0..64),
        actor in any_actor(),
        acting_for in any_actor(),
        tags in prop::option::of(any::<([u8; 16], [u8; 16])>()),
        id in prop::option::of(any::<[u8; 16]>()),
        prev in prop::option::of(any::<([u8; 32], u64)>()),
        parts in prop::collection::vec(any_part(), 0..8),
    ) -> Envelope {
        let tag = |(request, body)| RequestTags { request: Tag::new(request), body: Tag::new(body) };
        Envelope {
            log: LogId::new(log),
            index,
            record_time_ms,
            clock_suspect,
            after,
            actor,
            acting_for,
            request: tags.map(tag),
            subject: Subject { kind: SubjectKind::Case, id: id.map(SubjectId::new) },
            prev: prev.map(|(log, index)| Position { log: LogId::new(log), index }),
            parts,
        }
    }
}
