//! Cases as messages: requests in, cases out.
//!
//! In scope: reading fields, writing resources. Out of scope: deciding anything.

use prost::Message;

use super::code::{Code, Read};
use super::error::WireError;
use super::facts::{Reading, date_from_pb, date_to_pb, facts_to_pb};
use super::pb::v1 as pb;
use super::record;
use super::status::{Refused, bad_fields, of_wire};
use crate::api::order::Assignment;
use crate::domain::awaited::Waiting;
use crate::domain::calendar::LastDay;
use crate::domain::deadline::{Deadline, Milestone};
use crate::domain::facts::Medium;
use crate::domain::officer::CertNo;
use crate::domain::party_search::PartyQuery;
use crate::domain::place::{Coordinates, Rectangle};
use crate::domain::text::{Line, Text};
use crate::domain::transition::may_offer;
use crate::domain::{
    AuthorityLevel, CaseFacts, CaseRecord, Date, Evidence, ExternalRef, Invalid, InvalidReason,
    PersonRecord, allowed_moves,
};
use crate::domain::{CaseState, MoveKind};
use crate::ids::{AgreementId, CityCode, Position, SubjectId};
use crate::limits::{FREE_TEXT_BYTES_MAX, NAME_BYTES_MAX, REFERENCE_BYTES_MAX, REMARK_BYTES_MAX};
use crate::view::CaseView;

/// The bytes of a request, for telling a repetition from another request.
#[must_use]
pub fn request_body(request: &impl Message) -> Vec<u8> {
    request.encode_to_vec()
}

/// A field that cannot be taken, and why.
#[must_use]
pub fn wrong(field: &str, reason: InvalidReason) -> Refused {
    bad_fields(vec![Invalid::from(reason).at(field)])
}

/// Reads facts. Distances and what follows from the place are the node's to fill in.
///
/// # Errors
/// [`Refused`] naming the field.
pub fn facts(facts: Option<&pb::CaseFacts>) -> Result<CaseFacts, Refused> {
    let given = facts.ok_or_else(|| wrong("facts", InvalidReason::Required))?;
    let given = pb::CaseFacts { border_distances: Vec::new(), ..given.clone() };
    let mut reading = Reading::default();
    let read = reading.facts(&given).map_err(|error| match error {
        WireError::BadHeader { field } if field.contains("occurred") => {
            wrong(field, InvalidReason::DateRange)
        }
        WireError::BadHeader { field } => wrong(field, InvalidReason::Required),
        WireError::Unreadable { .. }
        | WireError::TooLarge { .. }
        | WireError::TooMany { .. }
        | WireError::Missing { .. }
        | WireError::Length { .. }
        | WireError::NewerFormat { .. }
        | WireError::BadValue { .. } => of_wire(&error),
    })?;
    if reading.newer { Err(wrong("facts", InvalidReason::CodeUnknown)) } else { Ok(read) }
}

/// Reads free text that may be missing.
///
/// # Errors
/// [`Refused`] naming the field.
pub fn text(field: &str, text: &str) -> Result<Option<String>, Refused> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let read = Text::parse(text, FREE_TEXT_BYTES_MAX);
    read.map(|text| Some(text.as_str().to_owned())).map_err(|e| bad_fields(vec![e.at(field)]))
}

/// Reads who of the own city works on a case; empty for nobody.
///
/// # Errors
/// [`Refused`] naming the field.
pub fn assignee(text: &str) -> Result<String, Refused> {
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    let read = Line::parse(text, NAME_BYTES_MAX);
    read.map(|line| line.as_str().to_owned()).map_err(|e| bad_fields(vec![e.at("assignee")]))
}

/// Reads what the own city remembers beside a case; may be empty.
///
/// # Errors
/// [`Refused`] naming the field.
pub fn remark(text: &str) -> Result<String, Refused> {
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    let read = Text::parse(text, REMARK_BYTES_MAX);
    read.map(|text| text.as_str().to_owned()).map_err(|e| bad_fields(vec![e.at("remark")]))
}

/// Writes an assignment, with its etag.
#[must_use]
pub fn assignment_to_pb((assignment, etag): (Assignment, String)) -> pb::Assignment {
    let Assignment { assignee, remark, at_ms, by } = assignment;
    let assign_time = Some(timestamp(at_ms));
    pb::Assignment { assignee, remark, assign_time, assigned_by: by, etag }
}

/// Reads the number of a document that may be missing.
///
/// # Errors
/// [`Refused`] naming the field.
pub fn reference(field: &str, text: &str) -> Result<Option<String>, Refused> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = Line::parse(text, REFERENCE_BYTES_MAX);
    read.map(|line| Some(line.as_str().to_owned())).map_err(|e| bad_fields(vec![e.at(field)]))
}

/// Reads the officer a system acts for.
///
/// # Errors
/// [`Refused`] naming the field.
pub fn acting_for(given: &pb::ActingFor) -> Result<String, Refused> {
    let read = CertNo::parse(&given.certificate_number);
    read.map(|number| number.as_str().to_owned())
        .map_err(|e| bad_fields(vec![e.at("acting_for.certificate_number")]))
}

/// Reads a record.
///
/// # Errors
/// [`Refused`] naming every wrong field.
pub fn record(record: Option<&pb::CaseRecord>) -> Result<CaseRecord, Refused> {
    let given = record.ok_or_else(|| wrong("record", InvalidReason::Required))?;
    let read = record::record_from_pb(given);
    read.map_err(|wrong| bad_fields(wrong.into_iter().map(|w| w.at("record")).collect()))
}

/// Reads a person, if there is one.
///
/// # Errors
/// [`Refused`] naming the field.
pub fn person(person: Option<&pb::PersonRecord>) -> Result<Option<PersonRecord>, Refused> {
    let read = person.map(record::person_from_pb).transpose();
    read.map_err(|wrong| bad_fields(vec![wrong.at("person")]))
}

/// Reads a list of evidence.
///
/// # Errors
/// [`Refused`] naming every wrong field.
pub fn evidence(evidence: &[pb::Evidence]) -> Result<Vec<Evidence>, Refused> {
    record::evidence_from_pb(evidence).map_err(bad_fields)
}

/// Reads the own system's number, if there is one.
///
/// # Errors
/// [`Refused`] naming the field.
pub fn external_ref(external: Option<&pb::ExternalRef>) -> Result<Option<ExternalRef>, Refused> {
    let Some(external) = external else { return Ok(None) };
    ExternalRef::parse(&external.system, &external.number)
        .map_err(|wrong| bad_fields(vec![wrong.at("external_ref")]))
}

/// Reads a date that may be missing.
///
/// # Errors
/// [`Refused`] naming the field.
pub fn date(field: &'static str, date: Option<&pb::Date>) -> Result<Option<Date>, Refused> {
    let Some(given) = date else { return Ok(None) };
    date_from_pb(given).map(Some).ok_or_else(|| wrong(field, InvalidReason::DateRange))
}

/// Reads who designated.
///
/// # Errors
/// [`Refused`] when the code is unknown.
pub fn authority(number: i32) -> Result<AuthorityLevel, Refused> {
    match AuthorityLevel::read(number) {
        Read::Known(level) => Ok(level),
        Read::Unset => Err(wrong("authority", InvalidReason::Required)),
        Read::Newer => Err(wrong("authority", InvalidReason::CodeUnknown)),
    }
}

/// Whether the handling city may offer a case in this state to another member; a state that is not
/// known here is none.
#[must_use]
pub fn may_be_offered(state: i32) -> bool {
    matches!(CaseState::read(state), Read::Known(state) if may_offer(state))
}

/// Reads states to filter by.
///
/// # Errors
/// [`Refused`] when a code is unknown.
pub fn states(numbers: &[i32]) -> Result<Vec<CaseState>, Refused> {
    let read = |number: &i32| match CaseState::read(*number) {
        Read::Known(state) => Ok(state),
        Read::Unset | Read::Newer => Err(wrong("states", InvalidReason::CodeUnknown)),
    };
    numbers.iter().map(read).collect()
}

/// Reads media to filter by.
///
/// # Errors
/// [`Refused`] when a code is unknown.
pub fn media(numbers: &[i32]) -> Result<Vec<Medium>, Refused> {
    let read = |number: &i32| match Medium::read(*number) {
        Read::Known(medium) => Ok(medium),
        Read::Unset | Read::Newer => Err(wrong("media", InvalidReason::CodeUnknown)),
    };
    numbers.iter().map(read).collect()
}

/// Reads what party to look for.
///
/// # Errors
/// [`Refused`] naming the field; `FILTER_TOO_COMPLEX` for too many words.
pub fn party_query(name: &str, uscc: &str) -> Result<Option<PartyQuery>, Refused> {
    PartyQuery::parse(name, uscc).map_err(|wrong| {
        if wrong.reason == InvalidReason::ListTooLong {
            let refused = Refused::new("FILTER_TOO_COMPLEX").at("party_name");
            return refused.with("limit", wrong.limit.unwrap_or_default());
        }
        let field = wrong.field.as_deref().map(|f| if f == "uscc" { "party_uscc" } else { f });
        bad_fields(vec![Invalid { field: field.map(str::to_owned), ..wrong }])
    })
}

/// Reads a rectangle to look in.
///
/// # Errors
/// [`Refused`] naming the field; `AREA_ORDER` when its corners are not in order.
pub fn within(given: Option<&pb::GeoBox>) -> Result<Option<Rectangle>, Refused> {
    let Some(given) = given else { return Ok(None) };
    let corner = |lon: &str, lat: &str, (east, north): (&str, &str)| {
        Coordinates::parse(lon, lat, &given.crs).map_err(|wrong| {
            let field = match wrong.field.as_deref() {
                Some("lon") => format!("within.{east}"),
                Some("lat") => format!("within.{north}"),
                Some("crs") => "within.crs".to_owned(),
                Some(_) | None => "within".to_owned(),
            };
            bad_fields(vec![Invalid { field: Some(field), ..wrong }])
        })
    };
    let low = corner(&given.min_longitude, &given.min_latitude, ("min_longitude", "min_latitude"))?;
    let high =
        corner(&given.max_longitude, &given.max_latitude, ("max_longitude", "max_latitude"))?;
    let area = Rectangle::between(low, high);
    area.map(Some).ok_or_else(|| Refused::new("AREA_ORDER").at("within"))
}

/// A rectangle as people type it: west, south, east and north in degrees of CGCS2000, apart by
/// comma.
#[must_use]
pub fn typed_within(text: &str) -> Option<pb::GeoBox> {
    let all: Vec<&str> = text.split([',', '，']).map(str::trim).collect();
    let [west, south, east, north] = all.as_slice() else { return None };
    Some(pb::GeoBox {
        min_longitude: (*west).to_owned(),
        min_latitude: (*south).to_owned(),
        max_longitude: (*east).to_owned(),
        max_latitude: (*north).to_owned(),
        crs: "EPSG:4490".to_owned(),
    })
}

/// Reads a city.
///
/// # Errors
/// [`Refused`] naming the field.
pub fn city(field: &'static str, code: u32) -> Result<CityCode, Refused> {
    CityCode::from_u32(code).map_err(|_| Refused::new("CITY_CODE").at(field))
}

/// Reads a position, as etags and entry names are written.
///
/// # Errors
/// [`Refused`] naming the field.
pub fn position(field: &'static str, text: &str) -> Result<Position, Refused> {
    text.parse().map_err(|_| Refused::new("POSITION_FORMAT").at(field))
}

/// Reads `agreements/{agreement}`; `None` for `agreements/-`.
///
/// # Errors
/// [`Refused`] `NAME_FORMAT` for anything else.
pub fn parent(text: &str) -> Result<Option<AgreementId>, Refused> {
    let bad = || Refused::new("NAME_FORMAT").with("expected", "agreements/{agreement}");
    let id = text.strip_prefix("agreements/").ok_or_else(bad)?;
    if id == "-" {
        return Ok(None);
    }
    AgreementId::parse(id).map(Some).map_err(|_| bad())
}

/// Reads `agreements/{agreement}/cases/{case}`.
///
/// # Errors
/// [`Refused`] `NAME_FORMAT` for anything else.
pub fn case_name(text: &str) -> Result<(AgreementId, SubjectId), Refused> {
    let expected = "agreements/{agreement}/cases/{case}";
    let bad = || Refused::new("NAME_FORMAT").with("expected", expected);
    let (parent, case) = text.split_once("/cases/").ok_or_else(bad)?;
    let agreement = self::parent(parent).map_err(|_| bad())?.ok_or_else(bad)?;
    Ok((agreement, SubjectId::parse(case).map_err(|_| bad())?))
}

/// Writes a case's name.
#[must_use]
pub fn name_of(agreement: AgreementId, subject: SubjectId) -> String {
    format!("agreements/{agreement}/cases/{subject}")
}

/// What of a case lies in parts, as far as this city may see it.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// The editable fields.
    pub record: Option<CaseRecord>,
    /// The natural person.
    pub person: Option<PersonRecord>,
    /// The number people say.
    pub number: String,
    /// The own system's number.
    pub external_ref: Option<ExternalRef>,
}

/// Writes a timestamp.
#[must_use]
pub fn timestamp(ms: i64) -> prost_types::Timestamp {
    let nanos = i32::try_from(ms.rem_euclid(1000) * 1_000_000).unwrap_or(0);
    prost_types::Timestamp { seconds: ms.div_euclid(1000), nanos }
}

/// Writes a state's number.
#[must_use]
pub fn state_number(state: Option<CaseState>) -> i32 {
    state.map_or(0, |state| state.number())
}

/// A header as signed, decoded for reading; `None` when it cannot be.
#[must_use]
pub fn header(bytes: &bytes::Bytes) -> Option<pb::EntryHeader> {
    pb::EntryHeader::decode(bytes.clone()).ok()
}

/// Writes a date.
#[must_use]
pub fn date_out(date: Date) -> pb::Date {
    date_to_pb(date)
}

/// Writes a case as `own` sees it.
#[must_use]
pub fn case_to_pb(
    (agreement, subject): (AgreementId, SubjectId),
    view: &CaseView,
    contents: &Contents,
    own: CityCode,
    members: &[CityCode],
) -> pb::Case {
    let case = &view.case;
    let transfer = case.transfer.as_ref();
    let step = |kind: MoveKind| {
        if let MoveKind::Step(step) = kind { Some(step.number()) } else { None }
    };
    let allowed = allowed_moves(case, own, members).into_iter().filter_map(step).collect();
    let shared = case.handled_by.len() > 1;
    pb::Case {
        name: name_of(agreement, subject),
        etag: view.last_move.to_string(),
        number: contents.number.clone(),
        external_ref: contents.external_ref.as_ref().map(record::external_to_pb),
        state: case.state.number(),
        originating_city: case.originating.as_u32(),
        handling_city: case.handling.as_u32(),
        turn_city: case.turn.map_or(0, CityCode::as_u32),
        facts: Some(facts_to_pb(&case.facts)),
        record: contents.record.as_ref().map(record::record_to_pb),
        person: contents.person.as_ref().map(record::person_to_pb),
        transfer_from: transfer.map_or(0, |t| t.from.as_u32()),
        transfer_to: transfer.map_or(0, |t| t.to.as_u32()),
        last_effective_on: Some(date_to_pb(case.last_effective_on)),
        update_time: Some(timestamp(view.last_record_time_ms)),
        move_count: view.move_count,
        contribution_count: view.contribution_count,
        misfit_count: view.misfit_count,
        files_outstanding: shared && !view.parts_received_by.contains(&case.handling),
        needs_newer_version: view.needs_newer,
        allowed_steps: allowed,
        assignment: None,
        campaigns: view.campaigns().map(|one| u32::from(one.number())).collect(),
    }
}

/// Writes a term that runs, and whether it is over now.
#[must_use]
pub fn deadline_to_pb(deadline: &Deadline, now_ms: i64) -> pb::Deadline {
    let last = deadline.last;
    pb::Deadline {
        clock: deadline.clock.number(),
        city: deadline.city.as_u32(),
        begin_on: Some(date_to_pb(deadline.from)),
        due_on: last.map(|last| date_to_pb(last.on)),
        provisional: last.is_some_and(LastDay::is_provisional),
        suspended: deadline.suspended,
        suspended_days: deadline.suspended_days,
        overdue: deadline.is_over(now_ms),
        due_time: deadline.at_ms.map(timestamp),
        met: deadline.met,
    }
}

/// Writes what is awaited.
#[must_use]
pub fn waiting_to_pb(waiting: &Waiting) -> pb::CaseWaiting {
    pb::CaseWaiting {
        city: waiting.city.as_u32(),
        what: waiting.what.number(),
        waiting_city: waiting.by.as_u32(),
        since: waiting.since.map(date_to_pb),
        due_on: waiting.due_on.map(date_to_pb),
    }
}

/// Reads a milestone.
///
/// # Errors
/// [`Refused`] when it is missing or the code is unknown.
pub fn milestone(number: i32) -> Result<Milestone, Refused> {
    match Milestone::read(number) {
        Read::Known(milestone) => Ok(milestone),
        Read::Unset => Err(wrong("milestone", InvalidReason::Required)),
        Read::Newer => Err(wrong("milestone", InvalidReason::CodeUnknown)),
    }
}
