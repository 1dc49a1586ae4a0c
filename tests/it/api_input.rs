//! Bad input: each is refused for its reason, and nothing is changed.

use liandong::wire::pb::v1 as pb;
use tonic::Code;

use super::api::{HERE, Pair, THERE, create, fact, fresh, get, list_all, note, refused, sample};

type Spoil = fn(&mut pb::CreateCaseRequest);

fn record(request: &mut pb::CreateCaseRequest) -> &mut pb::CaseRecord {
    request.record.as_mut().unwrap()
}

fn location(request: &mut pb::CreateCaseRequest) -> &mut pb::Location {
    record(request).location.as_mut().unwrap()
}

fn party(request: &mut pb::CreateCaseRequest) -> &mut pb::Party {
    record(request).party.get_or_insert_default()
}

fn at(request: &mut pb::CreateCaseRequest, longitude: &str, latitude: &str) {
    let crs = "EPSG:4490".to_owned();
    let (longitude, latitude) = (longitude.to_owned(), latitude.to_owned());
    let address = "测试地点".to_owned();
    record(request).location = Some(pb::Location { longitude, latitude, crs, address });
}

/// What is wrong, the code, the reason, and the field that is named.
const OPENINGS: &[(Spoil, Code, &str, &str)] = &[
    (|r| r.request_id.clear(), Code::InvalidArgument, "REQUEST_ID", "request_id"),
    (|r| r.request_id = "x".repeat(65), Code::InvalidArgument, "REQUEST_ID", "request_id"),
    (|r| r.request_id = "带汉字".into(), Code::InvalidArgument, "REQUEST_ID", "request_id"),
    (|r| r.parent = "cities/1".into(), Code::InvalidArgument, "NAME_FORMAT", ""),
    (|r| r.parent = format!("agreements/{}", "0".repeat(32)), Code::NotFound, "NOT_FOUND", ""),
    (|r| r.facts = None, Code::InvalidArgument, "REQUIRED", "facts"),
    (|r| r.record = None, Code::InvalidArgument, "REQUIRED", "record"),
    (|r| record(r).title.clear(), Code::InvalidArgument, "TEXT_EMPTY", "record.title"),
    (
        |r| record(r).title = "题".repeat(200),
        Code::InvalidArgument,
        "TEXT_TOO_LONG",
        "record.title",
    ),
    (|r| record(r).title = "a\u{202e}b".into(), Code::InvalidArgument, "TEXT_BIDI", "record.title"),
    (
        |r| {
            *party(r) = pb::Party {
                r#type: pb::PartyType::LegalPerson.into(),
                name: "某厂".into(),
                uscc: "91371500MA3C0000XX".into(),
                ..pb::Party::default()
            }
        },
        Code::InvalidArgument,
        "USCC_",
        "record.party.uscc",
    ),
    (
        |r| *party(r) = pb::Party { r#type: 99, ..pb::Party::default() },
        Code::InvalidArgument,
        "CODE_UNKNOWN",
        "record.party.type",
    ),
    (|r| r.facts.as_mut().unwrap().county_code = 999_999, Code::InvalidArgument, "COUNTY_CODE", ""),
    (
        |r| r.facts.as_mut().unwrap().violation = 0,
        Code::InvalidArgument,
        "REQUIRED",
        "facts.violation",
    ),
    (
        |r| r.facts.as_mut().unwrap().violation = 9_999,
        Code::InvalidArgument,
        "CODE_UNKNOWN",
        "facts",
    ),
    (
        |r| r.facts.as_mut().unwrap().data_level = pb::DataLevel::SecretNotExchanged.into(),
        Code::InvalidArgument,
        "LEVEL_SECRET",
        "",
    ),
    (|r| at(r, "36.45", "115.9"), Code::InvalidArgument, "LON_LAT_SWAPPED", "record.location"),
    (
        |r| location(r).crs = "GCJ-02".into(),
        Code::InvalidArgument,
        "CRS_GCJ02",
        "record.location.crs",
    ),
    (
        |r| location(r).crs = "BD-09".into(),
        Code::InvalidArgument,
        "CRS_BD09",
        "record.location.crs",
    ),
    (
        |r| location(r).longitude = "115,9".into(),
        Code::InvalidArgument,
        "COORDINATE_FORMAT",
        "record.location.longitude",
    ),
    (
        |r| r.effective_on = Some(pb::Date { year: 2099, month: 1, day: 1 }),
        Code::InvalidArgument,
        "EFFECTIVE_IN_FUTURE",
        "",
    ),
    (
        |r| r.effective_on = Some(pb::Date { year: 2026, month: 2, day: 30 }),
        Code::InvalidArgument,
        "DATE_RANGE",
        "effective_on",
    ),
    (
        |r| r.facts.as_mut().unwrap().occurred_from = Some(pb::Date { year: 1, month: 1, day: 1 }),
        Code::InvalidArgument,
        "DATE_RANGE",
        "facts.occurred_from",
    ),
    // Shenxian lies far from the border with Handan when taken to the east end of Liaocheng.
    (
        |r| {
            at(r, "116.20", "36.90");
            record(r).belt_reason.clear();
        },
        Code::FailedPrecondition,
        "OUTSIDE_BELT",
        "",
    ),
    (
        |r| record(r).officers = vec![pb::Officer::default(); 17],
        Code::InvalidArgument,
        "LIST_TOO_LONG",
        "record.officers",
    ),
    (
        |r| r.person = Some(pb::PersonRecord { name: "\u{0}".into(), ..Default::default() }),
        Code::InvalidArgument,
        "TEXT_CONTROL",
        "person.name",
    ),
    (
        |r| r.external_ref = Some(pb::ExternalRef { system: "A".into(), number: "\n".into() }),
        Code::InvalidArgument,
        "TEXT_EMPTY",
        "external_ref",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn bad_openings_are_refused_by_name() {
    let pair = Pair::start().await;
    let mut failures = Vec::new();
    for (place, (spoil, code, reason, field)) in OPENINGS.iter().enumerate() {
        let mut request = sample(&pair.agreement, 3);
        spoil(&mut request);
        let answer = create(&pair.here, request).await;
        let Err(status) = answer else {
            failures.push(format!("{place} {reason}: taken"));
            continue;
        };
        let named = tonic_types::StatusExt::get_details_bad_request(&status)
            .and_then(|bad| bad.field_violations.first().map(|v| v.field.clone()))
            .unwrap_or_default();
        let (got_code, got_reason) = refused::<()>(Err(status));
        let fits = got_code == *code
            && (got_reason == *reason || (reason.ends_with('_') && got_reason.starts_with(reason)))
            && (field.is_empty() || named.starts_with(field));
        if !fits {
            failures.push(format!("{place} {reason} {field}: {got_code:?} {got_reason} {named}"));
        }
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
    assert_eq!(list_all(&pair.here, &pair.agreement).await, [], "nothing was written");
    // The same far place with a reason is taken.
    let mut far = sample(&pair.agreement, 3);
    at(&mut far, "116.20", "36.90");
    let far = create(&pair.here, far).await.unwrap();
    assert!(far.facts.unwrap().belt_exception);
    let mut outside = sample(&pair.agreement, 3);
    at(&mut outside, "116.20", "36.90");
    record(&mut outside).belt_reason.clear();
    let outside = create(&pair.here, outside).await.unwrap_err();
    assert!(fact(&outside, "metres").parse::<u32>().unwrap() > 10_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_additions_are_refused_and_an_archived_case_stays() {
    let pair = Pair::start().await;
    let case = pair.open(&pair.here, 3).await;
    let empty = note(&pair.here, &case.name, " \n").await;
    assert_eq!(refused(empty), (Code::InvalidArgument, "REQUIRED".into()));
    let long = note(&pair.here, &case.name, &"长".repeat(6_000)).await;
    assert_eq!(refused(long), (Code::InvalidArgument, "TEXT_TOO_LONG".into()));
    let absent = format!("{}/cases/{}", pair.agreement, "0".repeat(32));
    assert_eq!(refused(note(&pair.here, &absent, "x").await), (Code::NotFound, "NOT_FOUND".into()));
    let stranger = pb::AddNoteRequest {
        name: case.name.clone(),
        text: "只给泰安".into(),
        cities: vec![370_900],
        request_id: fresh(),
        ..Default::default()
    };
    let stranger = pair.here.cases().add_note(stranger).await;
    assert_eq!(refused(stranger), (Code::InvalidArgument, "RECEIVER_NOT_MEMBER".into()));
    let evidence = pb::AddEvidenceRequest {
        name: case.name.clone(),
        request_id: fresh(),
        ..Default::default()
    };
    let evidence = pair.here.cases().add_evidence(evidence).await;
    assert_eq!(refused(evidence), (Code::InvalidArgument, "REQUIRED".into()));
    let help = pb::RequestAssistanceRequest {
        name: case.name.clone(),
        text: "请协助".into(),
        to_city: HERE,
        due_on: Some(pb::Date { year: 2099, month: 1, day: 1 }),
        request_id: fresh(),
        ..Default::default()
    };
    let help = pair.here.cases().request_assistance(help).await;
    assert_eq!(refused(help), (Code::InvalidArgument, "SELF_NAMED".into()));
    let archived = archive(&pair, case).await;
    let record = archived.record.clone();
    let update = pb::UpdateCaseRequest {
        name: archived.name.clone(),
        etag: archived.etag.clone(),
        record,
        request_id: fresh(),
        ..Default::default()
    };
    let update = pair.here.cases().update_case(update).await;
    assert_eq!(refused(update), (Code::FailedPrecondition, "CASE_ARCHIVED".into()));
    assert_eq!(get(&pair.here, &archived.name).await.unwrap(), archived);
    note(&pair.here, &archived.name, "归档后仍可补充").await.unwrap();
}

/// Dismisses a clue and archives it.
async fn archive(pair: &Pair, case: pb::Case) -> pb::Case {
    let case = super::api::verify(&pair.here, &case).await.unwrap();
    let (name, request_id) = (case.name.clone(), fresh());
    let dismiss =
        pb::DismissClueRequest { name, etag: case.etag, request_id, ..Default::default() };
    let dismissed = pair.here.cases().dismiss_clue(dismiss).await.unwrap().into_inner();
    let case = dismissed.case.unwrap();
    let (name, request_id) = (case.name.clone(), fresh());
    let archive =
        pb::ArchiveCaseRequest { name, etag: case.etag, request_id, ..Default::default() };
    let archived = pair.here.cases().archive_case(archive).await.unwrap().into_inner();
    let archived = archived.case.unwrap();
    assert_eq!((archived.turn_city, archived.allowed_steps.len()), (0, 0));
    assert_eq!(archived.originating_city, HERE);
    assert_ne!(archived.handling_city, THERE);
    archived
}
