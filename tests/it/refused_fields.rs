//! What is refused names the field of its own request, or what must change first.

use liandong::cli::connect::Client;
use liandong::domain::Date;
use liandong::log::merkle::digest;
use liandong::wire::pb::v1 as pb;
use tonic::{Code, Response, Status};
use tonic_types::StatusExt;

use super::api::{HERE, Pair, THERE, fact, fresh, get, refused, sample, verify};

/// No member of the agreement.
const STRANGER: u32 = 410_900;

/// What was answered; reason, field, and of a failed precondition its subject.
type Row = (Result<(), Status>, &'static str, &'static str, Option<&'static str>);

fn row<T>(
    answer: Result<Response<T>, Status>,
    reason: &'static str,
    field: &'static str,
    subject: impl Into<Option<&'static str>>,
) -> Row {
    (answer.map(drop), reason, field, subject.into())
}

/// A day near today in Beijing.
fn day(ahead: i64) -> Option<pb::Date> {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let today = Date::beijing(i64::try_from(now).unwrap()).unwrap();
    let day = today.plus_days(ahead).unwrap();
    Some(pb::Date { year: day.year(), month: i32::from(day.month()), day: i32::from(day.day()) })
}

async fn of_notices(here: &Client, parent: &str) -> Vec<Row> {
    let (emergency, two) = (pb::NoticeKind::Emergency.into(), pb::NoticeLevel::Two.into());
    let asked = |kind, level, cities: &[u32]| pb::CreateNoticeRequest {
        parent: parent.to_owned(),
        kind,
        level,
        cities: cities.to_vec(),
        record: Some(pb::NoticeRecord {
            title: "漳河油膜".into(),
            text: "请协查".into(),
            ..Default::default()
        }),
        request_id: fresh(),
        acting_for: None,
    };
    let issue = async |asked| here.notices().create_notice(asked).await;
    let issued = issue(asked(emergency, two, &[])).await.unwrap().into_inner();
    let name = issued.notice.unwrap().name;
    let request_id = fresh;
    let end = async || {
        let asked = pb::EndNoticeRequest {
            name: name.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        here.notices().end_notice(asked).await
    };
    end().await.unwrap();
    let plain = pb::NoticeKind::General.into();
    vec![
        row(issue(asked(emergency, 0, &[])).await, "LEVEL_MISSING", "level", None),
        row(issue(asked(plain, two, &[])).await, "LEVEL_NOT_ALLOWED", "level", None),
        row(issue(asked(emergency, two, &[HERE])).await, "SELF_NAMED", "cities", None),
        row(
            issue(asked(emergency, two, &[THERE, STRANGER])).await,
            "RECEIVER_NOT_MEMBER",
            "cities",
            None,
        ),
        row(end().await, "NOTICE_ENDED", "name", "notice"),
    ]
}

async fn of_meetings(there: &Client, here: &Client, parent: &str) -> Vec<Row> {
    let record = || Some(pb::MeetingRecord { title: "联席会议".into(), ..Default::default() });
    let asked = |on, chair| pb::CreateMeetingRequest {
        parent: parent.to_owned(),
        on,
        chair,
        record: record(),
        request_id: fresh(),
        ..Default::default()
    };
    let call = async |client: &Client, asked| client.meetings().create_meeting(asked).await;
    // The first of the rota may.
    let called = call(there, asked(day(-9), 0)).await.unwrap().into_inner();
    let name = called.meeting.unwrap().name;
    let hash = |text: &str| digest(text.as_bytes()).as_bytes().to_vec().into();
    let minutes = async |held_on| {
        let asked = pb::RecordMinutesRequest {
            name: name.clone(),
            minutes_hash: hash("纪要"),
            held_on,
            record: record(),
            request_id: fresh(),
            acting_for: None,
        };
        there.meetings().record_minutes(asked).await
    };
    let confirm = async |text: &str| {
        let (name, minutes_hash) = (name.clone(), hash(text));
        let request_id = fresh();
        let asked =
            pb::ConfirmMinutesRequest { name, minutes_hash, request_id, ..Default::default() };
        there.meetings().confirm_minutes(asked).await
    };
    let long_ago = day(-40_000);
    let mut rows = vec![
        row(call(there, asked(day(-9), STRANGER)).await, "CHAIR_NOT_MEMBER", "chair", None),
        row(call(there, asked(long_ago, 0)).await, "MEETING_OUTSIDE_TERM", "on", None),
        row(call(here, asked(day(-9), 0)).await, "NOT_TURN_TO_CHAIR", "chair", "meeting"),
        row(minutes(day(2)).await, "HELD_IN_FUTURE", "held_on", None),
        row(minutes(long_ago).await, "MEETING_OUTSIDE_TERM", "held_on", None),
        row(confirm("纪要").await, "MINUTES_MISSING", "name", "meeting"),
    ];
    minutes(day(-9)).await.unwrap();
    rows.push(row(confirm("另一份").await, "MINUTES_DIFFER", "minutes_hash", "meeting"));
    rows.push(row(confirm("纪要").await, "MINUTES_CONFIRMED", "name", "meeting"));
    rows
}

async fn of_cases(here: &Client, parent: &str, name: &str) -> Vec<Row> {
    let cases = || here.cases();
    let help = async |to_city, due_on| {
        let (name, request_id, text) = (name.to_owned(), fresh(), "请协查".to_owned());
        let asked = pb::RequestAssistanceRequest {
            name,
            text,
            to_city,
            due_on,
            request_id,
            acting_for: None,
        };
        cases().request_assistance(asked).await
    };
    let (ahead, request_id) = (day(2), fresh);
    let milestone = pb::RecordMilestoneRequest {
        name: name.to_owned(),
        milestone: pb::Milestone::FilingExtended.into(),
        effective_on: ahead,
        request_id: request_id(),
        ..Default::default()
    };
    let detention = pb::RecordPoliceDetentionRequest {
        name: name.to_owned(),
        effective_on: ahead,
        request_id: request_id(),
        ..Default::default()
    };
    let opened = pb::CreateCaseRequest { effective_on: ahead, ..sample(parent, 1) };
    let mut later = sample(parent, 1);
    later.facts.as_mut().unwrap().occurred_to = ahead;
    let propose = pb::ProposeAmendmentRequest {
        name: name.to_owned(),
        text: "建议".into(),
        request_id: request_id(),
        ..Default::default()
    };
    let offer = async |to_city| {
        let (name, request_id) = (name.to_owned(), fresh());
        let etag = get(here, &name).await.unwrap().etag;
        let asked =
            pb::OfferTransferRequest { name, etag, to_city, request_id, ..Default::default() };
        cases().offer_transfer(asked).await
    };
    let (future, field) = ("EFFECTIVE_IN_FUTURE", "effective_on");
    vec![
        row(cases().record_milestone(milestone).await, future, field, None),
        row(cases().record_police_detention(detention).await, future, field, None),
        row(cases().create_case(opened).await, future, field, None),
        row(cases().create_case(later).await, "OCCURRED_IN_FUTURE", "facts.occurred_to", None),
        row(help(HERE, ahead).await, "SELF_NAMED", "to_city", None),
        row(help(STRANGER, ahead).await, "RECEIVER_NOT_MEMBER", "to_city", None),
        row(help(THERE, day(-1)).await, "DUE_IN_PAST", "due_on", None),
        row(offer(HERE).await, "SELF_TRANSFER", "to_city", None),
        row(offer(STRANGER).await, "RECEIVER_NOT_MEMBER", "to_city", None),
        row(cases().propose_amendment(propose).await, "OWN_PROPOSAL", "name", "case"),
    ]
}

async fn of_evidence(here: &Client, name: &str) -> Vec<Row> {
    let (id, sha256) = ("E-1".to_owned(), digest("照片".as_bytes()).as_bytes().to_vec());
    let item = pb::Evidence {
        id: id.clone(),
        kind: pb::EvidenceKind::AudioVisual.into(),
        title: "照片".into(),
        collected_on: day(-3),
        mime: "image/png".into(),
        size_bytes: 6,
        sha256: sha256.clone().into(),
        level: pb::DataLevel::General.into(),
        ..Default::default()
    };
    let (name, evidence) = (name.to_owned(), vec![item]);
    let add = pb::AddEvidenceRequest {
        name: name.clone(),
        evidence,
        request_id: fresh(),
        ..Default::default()
    };
    here.cases().add_evidence(add).await.unwrap();
    let receipt = pb::RecordReceiptRequest {
        name: name.clone(),
        evidence_id: id.clone(),
        sha256: sha256.into(),
        request_id: fresh(),
        ..Default::default()
    };
    let custody = pb::RecordCustodyRequest {
        name,
        evidence_id: id,
        handed_on: day(2),
        record: Some(pb::CustodyRecord {
            from: "甲".into(),
            to: "乙".into(),
            ..Default::default()
        }),
        request_id: fresh(),
        ..Default::default()
    };
    vec![
        row(
            here.evidence().record_receipt(receipt).await,
            "OWN_EVIDENCE",
            "evidence_id",
            "evidence",
        ),
        row(
            here.evidence().record_custody(custody).await,
            "EFFECTIVE_IN_FUTURE",
            "handed_on",
            None,
        ),
    ]
}

async fn of_referrals(here: &Client, name: &str) -> Vec<Row> {
    let name = || name.to_owned();
    let refer = async |decided_on, handed_over_on, papers: &[pb::ReferralPaper]| {
        let asked = pb::ReferCaseRequest {
            name: name(),
            kind: pb::ReferralKind::Crime.into(),
            papers: papers.iter().map(|one| i32::from(*one)).collect(),
            decided_on,
            handed_over_on,
            request_id: fresh(),
            ..Default::default()
        };
        here.referrals().refer_case(asked).await
    };
    let letter = &[pb::ReferralPaper::Letter];
    let entry = async |handed_over_on| {
        let words = refer(day(-3), handed_over_on, letter).await.unwrap().into_inner();
        words.referral_words.last().unwrap().entry.clone()
    };
    let (decided, handed) = (entry(None).await, entry(day(-2)).await);
    let answer = async |referral: &str, answer: pb::PoliceAnswer, answered_on| {
        let asked = pb::RecordPoliceAnswerRequest {
            name: name(),
            referral: referral.to_owned(),
            answer: answer.into(),
            answered_on,
            request_id: fresh(),
            ..Default::default()
        };
        here.referrals().record_police_answer(asked).await
    };
    let untag = pb::TagCampaignRequest {
        name: name(),
        campaign: 2,
        remove: true,
        request_id: fresh(),
        ..Default::default()
    };
    let (filed, future) = (pb::PoliceAnswer::Filed, "EFFECTIVE_IN_FUTURE");
    let detained = pb::PoliceAnswer::Detained;
    let early = "DATE_BEFORE_REFERRAL";
    vec![
        row(refer(day(-1), day(0), &[]).await, "REFERRAL_PAPERS", "papers", None),
        row(refer(day(-1), day(-2), letter).await, early, "handed_over_on", None),
        row(refer(day(-1), day(2), letter).await, future, "handed_over_on", None),
        row(refer(None, day(2), letter).await, future, "handed_over_on", None),
        row(refer(day(2), None, letter).await, future, "decided_on", None),
        row(refer(day(2), day(0), letter).await, future, "decided_on", None),
        row(answer(&handed, detained, day(0)).await, "ANSWER_WRONG_KIND", "answer", None),
        row(answer(&handed, filed, day(2)).await, future, "answered_on", None),
        row(answer(&handed, filed, day(-3)).await, early, "answered_on", None),
        row(
            answer(&decided, filed, day(0)).await,
            "REFERRAL_NOT_HANDED_OVER",
            "referral",
            "referral",
        ),
        row(here.referrals().tag_campaign(untag).await, "CAMPAIGN_NOT_TAGGED", "campaign", "case"),
    ]
}

async fn of_the_procuratorate(here: &Client, name: &str) -> Vec<Row> {
    let words = here.cases().get_case(pb::GetCaseRequest { name: name.to_owned() }).await;
    let words = words.unwrap().into_inner().referral_words;
    let (name, handed) = (|| name.to_owned(), words.last().unwrap().entry.clone());
    let copy = pb::RecordProcuratorateCopyRequest {
        name: name(),
        referral: handed,
        paper: pb::CopiedPaper::Letter.into(),
        copied_on: day(2),
        request_id: fresh(),
        ..Default::default()
    };
    let opine = pb::RecordProcuratorateOpinionRequest {
        name: name(),
        opinion: pb::ProcuratorateOpinion::HandOver.into(),
        opined_on: day(2),
        request_id: fresh(),
        ..Default::default()
    };
    let future = "EFFECTIVE_IN_FUTURE";
    vec![
        row(here.referrals().record_procuratorate_copy(copy).await, future, "copied_on", None),
        row(here.referrals().record_procuratorate_opinion(opine).await, future, "opined_on", None),
    ]
}

/// Everything a refusal tells programs, beside what the row wants.
fn check((answer, reason, field, subject): Row) {
    let status = answer.clone().expect_err(reason);
    let details = status.get_error_details();
    let (code, got) = refused(answer);
    let want = if subject.is_some() { Code::FailedPrecondition } else { Code::InvalidArgument };
    assert_eq!((code, got.as_str()), (want, reason));
    assert_eq!(fact(&status, "field"), field, "{reason}");
    let Some(subject) = subject else {
        let violations = &details.bad_request().expect(reason).field_violations;
        let [violation] = violations.as_slice() else { panic!("{reason}: {violations:?}") };
        assert_eq!((violation.field.as_str(), violation.reason.as_str()), (field, reason));
        let said = violation.localized_message.as_ref().expect(reason);
        assert_eq!(Some(&said.message), details.localized_message().map(|one| &one.message));
        return;
    };
    let unmet = &details.precondition_failure().expect(reason).violations;
    let subjects: Vec<&str> = unmet.iter().map(|one| one.subject.as_str()).collect();
    assert_eq!(subjects, [subject], "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_the_field_of_its_own_request() {
    let pair = Pair::start().await;
    let case = pair.open(&pair.here, 0).await;
    // A clue is offered to nobody before somebody has looked at it.
    let case = verify(&pair.here, &case).await.unwrap();
    let (here, there, parent) = (&pair.here, &pair.there, pair.agreement.as_str());
    let rows = [
        of_notices(here, parent).await,
        of_meetings(there, here, parent).await,
        of_cases(here, parent, &case.name).await,
        of_evidence(here, &case.name).await,
        of_referrals(here, &case.name).await,
        of_the_procuratorate(here, &case.name).await,
    ];
    rows.into_iter().flatten().for_each(check);
}
