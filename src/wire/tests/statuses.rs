//! Refusals: the table has every reason the code can produce, and says what to do.

use std::collections::BTreeSet;
use std::path::Path;

use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::values::{at, city, date};
use crate::api::request::{NotErasable, WriteError};
use crate::domain::site::SiteRefusal;
use crate::domain::{CaseState, Invalid, InvalidReason, Language, Misfit, MoveKind, Refusal};
use crate::ids::{LogId, SubjectId};
use crate::log::{AppendError, CheckpointError, EntryError};
use crate::wire::WireError;
use crate::wire::reasons;
use crate::wire::status::{self, Refused, Told};

fn told<'a>() -> Told<'a> {
    Told {
        language: Language::Zh,
        city: &status::code_name,
        record: &status::short_id,
        allowed: &[],
    }
}

fn refusals() -> Vec<Refusal> {
    use Misfit as M;
    use Refusal as R;
    let (city, state, today) = (city(371_500), CaseState::Filed, date("2026-11-20"));
    let on = today;
    let misfits = [
        M::CaseArchived,
        M::AlreadyOpen,
        M::NotAMember { city },
        M::MeetingInvalid,
        M::NotYourTurn { turn: city, state },
        M::NotHandlingCity { handling: city, state },
        M::TransferPending { state },
        M::MoveNotAllowed { state, kind: MoveKind::Amend },
        M::SelfTransfer,
        M::ReceiverNotMember { city, field: "to_city" },
        M::SiteInvalid,
        M::NotSiteCity { owner: city },
    ];
    let mut all: Vec<R> = misfits.into_iter().map(R::Misfit).collect();
    all.extend([
        R::EffectiveInFuture { effective_on: on, today, field: "effective_on" },
        R::EffectiveBeforeLast { effective_on: on, last: today },
        R::EffectiveTooEarly { effective_on: on, not_before: today },
        R::NoSuchMilestone,
        R::PointRequired,
        R::PointRemoved,
        R::OfficersMissing { got: 1 },
        R::DesignatedInFuture { designated_on: on, today },
        R::AuthorityNotCommon { from: city, to: city },
        R::SecretNotExchanged,
        R::CountyUnknown,
        R::DiscoveredInFuture { today },
        R::OccurredAfterDiscovery { discovered_on: on },
        R::OccurredOrder,
        R::OccurredInFuture { today },
        R::Borders,
        R::OutsideBelt { nearest_m: 12_000, belt_m: 10_000 },
        R::NoTransfer { state },
        R::NotReceiver { receiver: city },
        R::NotSender { sender: city },
        R::HandlingCityOnly { handling: city },
        R::SelfNamed { field: "to_city" },
        R::DueInPast { due_on: on, today },
        R::OwnProposal,
        R::NothingToReceive,
        R::NoSuchPart { part: 9 },
        R::Site(SiteRefusal::Closed),
        R::Site(SiteRefusal::Capped { year: 2026, made: 3, reserved: 0, most: 3 }),
    ]);
    all
}

fn write_errors() -> Vec<WriteError> {
    use WriteError as W;
    let mut all: Vec<W> = refusals().into_iter().map(W::Refused).collect();
    all.extend([
        W::NotFound,
        W::NoLog,
        W::OutsideTerm,
        W::StaleEtag { current: at(1, 2) },
        W::IdempotencyMismatch { first: at(1, 2) },
        W::ExternalRefTaken { taken_by: SubjectId::new([1; 16]), field: "external_ref" },
        W::DraftGone,
        W::DraftChanged { current: "ab".into() },
        W::OutsideBelt { metres: 12_000 },
        W::NeedsNewerVersion,
        W::Recovering { waiting_for: vec![city(130_400), city(371_400)] },
        W::Suspended { cities: vec![city(130_400)] },
        W::EpochNeeded,
        W::DiskLow { free: 7 },
        W::StorageFailed { detail: "eio".into() },
        W::Busy,
        W::TooLarge { what: "part", limit: 1, got: 2 },
        W::NotErasable { part: 1, why: NotErasable::Entry },
        W::NotErasable { part: 1, why: NotErasable::Part },
        W::NotErasable { part: 1, why: NotErasable::Number },
        W::NotErasable { part: 1, why: NotErasable::Erased },
        W::Invalid(Invalid::with_limit(InvalidReason::TextTooLong, 1).at("text")),
        W::BadField { field: "cities", reason: "name members".into() },
    ]);
    all
}

fn wire_errors() -> Vec<WireError> {
    use WireError as W;
    vec![
        W::Unreadable { what: "batch", reason: "x".into() },
        W::TooLarge { what: "batch", limit: 1, got: 2 },
        W::TooMany { what: "entries", limit: 1, got: 2 },
        W::Missing { field: "log_id" },
        W::Length { field: "log_id", got: 1, expected: 32 },
        W::BadHeader { field: "effective_on" },
        W::NewerFormat { what: "audience", got: 4 },
        W::BadValue { field: "party.uscc".into(), reason: "USCC_CHECK" },
    ]
}

fn append_errors() -> Vec<AppendError> {
    use AppendError as A;
    let log = LogId::new([1; 32]);
    vec![
        A::WrongLog { expected: log, got: log },
        A::Empty { log },
        A::TooLarge { log, what: "entries", got: 2, limit: 1 },
        A::Gap { log, expected: 3, got: 5 },
        A::Duplicate { log, size: 3 },
        A::Differs { log, index: 3 },
        A::BadCheckpoint { log, size: 3, source: CheckpointError::Malformed },
        A::StaleCheckpoint { log, known: 3 },
        A::WrongEnd { log, end: 3, covered: 4 },
        A::RootMismatch { log, size: 3 },
        A::WrongPlace { expected: at(1, 2), got: at(1, 3) },
        A::Entry { at: at(1, 2), source: EntryError::NoHeader },
        A::Withheld { at: at(1, 2), part: 0 },
        A::LeafMissing { log, size: 3 },
    ]
}

/// Every source file, tests left out.
fn sources() -> Vec<(std::path::PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name() != Some("tests".as_ref()) {
                    folders.push(path);
                }
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            found.push((path, text));
        }
    }
    found
}

/// Reasons that other files name in `Refused::new("...")`.
fn named_in_sources() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, text) in sources() {
        for piece in text.split("Refused::new(\"").skip(1) {
            found.extend(piece.split('"').next().map(str::to_owned));
        }
    }
    found
}

/// Words in capitals between quotes, in any file but the table itself and tests.
fn quoted_in_sources() -> BTreeSet<String> {
    let word = |piece: &&str| {
        !piece.is_empty() && piece.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    };
    let mut found = BTreeSet::new();
    for (path, text) in sources() {
        if !path.to_string_lossy().contains("wire/reasons") {
            found.extend(text.split('"').filter(word).map(str::to_owned));
        }
    }
    found
}

fn produced() -> BTreeSet<String> {
    let mut all: BTreeSet<String> =
        write_errors().iter().map(|e| status::of_write(e, &told()).reason().to_owned()).collect();
    all.extend(wire_errors().iter().map(|e| status::of_wire(e).reason().to_owned()));
    let refused = append_errors();
    all.extend(refused.iter().filter_map(|e| Some(status::of_append(e)?.reason().to_owned())));
    all.extend(InvalidReason::ALL.iter().map(|reason| reason.code().to_owned()));
    let mut named = named_in_sources();
    named.remove("...");
    all.extend(named);
    all
}

#[test]
fn the_table_is_what_the_code_can_produce() {
    // Said between nodes when they meet; the exchange names them in frames, not in statuses.
    const IN_FRAMES: [&str; 5] = [
        "CITY_MISMATCH",
        "PROTOCOL_TOO_OLD",
        "STALE_CHARTER",
        "DUPLICATE_INSTANCE",
        "LOG_STANDING",
    ];
    let table: BTreeSet<String> = reasons::all().map(|(name, ..)| name.to_owned()).collect();
    let mut want = produced();
    want.extend(IN_FRAMES.map(str::to_owned));
    let missing: Vec<_> = want.difference(&table).collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
    let quoted = quoted_in_sources();
    let spare: Vec<_> = table.difference(&want).filter(|name| !quoted.contains(*name)).collect();
    assert!(spare.is_empty(), "nothing says this any more: {spare:?}");
}

#[test]
fn each_reason_stands_once_in_both_languages() {
    let mut seen = BTreeSet::new();
    for (name, code, zh, en) in reasons::all() {
        assert!(seen.insert(name), "{name} twice");
        assert!(name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'));
        assert!(!matches!(code, Code::Ok | Code::Unknown), "{name}");
        assert!(!zh.is_ascii() && !zh.ends_with('。'), "{name}");
        assert!(en.is_ascii() || en.contains('某'), "{name}: {en}");
        assert!(
            !en.ends_with('.')
                && !en.starts_with(|c: char| c.is_ascii_uppercase()
                    && !en.starts_with("GCJ")
                    && !en.starts_with("BD")),
            "{name}: {en}"
        );
    }
}

#[test]
fn every_refusal_carries_reason_and_words() {
    let mut all: Vec<Refused> =
        write_errors().iter().map(|error| status::of_write(error, &told())).collect();
    all.extend(wire_errors().iter().map(status::of_wire));
    all.extend(append_errors().iter().filter_map(status::of_append));
    for refused in all {
        let status = refused.status(Language::Zh);
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), (refused.reason(), "liandong"));
        let said = details.localized_message().unwrap();
        assert_eq!(said.locale, "zh-CN");
        assert!(!said.message.contains('{'), "{}: {}", refused.reason(), said.message);
        assert!(!status.message().contains('{'), "{}: {}", refused.reason(), status.message());
        assert!(!said.message.is_ascii(), "{}", refused.reason());
    }
}

#[test]
fn codes_follow_the_published_rows() {
    let code = |error: &WriteError| status::of_write(error, &told()).status(Language::En).code();
    use WriteError as W;
    assert_eq!(code(&W::StaleEtag { current: at(1, 2) }), Code::Aborted);
    assert_eq!(code(&W::IdempotencyMismatch { first: at(1, 2) }), Code::AlreadyExists);
    assert_eq!(code(&W::Recovering { waiting_for: vec![] }), Code::FailedPrecondition);
    assert_eq!(code(&W::DiskLow { free: 0 }), Code::ResourceExhausted);
    assert_eq!(code(&W::StorageFailed { detail: String::new() }), Code::Unavailable);
    assert_eq!(code(&W::OutsideBelt { metres: 1 }), Code::FailedPrecondition);
    assert_eq!(code(&W::NotFound), Code::NotFound);
    let append = |error: &AppendError| {
        status::of_append(error).map(|refused| refused.status(Language::En).code())
    };
    let codes: Vec<Option<Code>> = append_errors().iter().map(append).collect();
    assert_eq!(codes[3], Some(Code::Aborted), "gap");
    assert_eq!(codes[4], None, "a duplicate is no fault");
    assert_eq!(codes[6], Some(Code::InvalidArgument), "bad checkpoint");
    assert_eq!(codes[7], Some(Code::Aborted), "stale checkpoint");
}

#[test]
fn fields_preconditions_and_delays_are_told() {
    let fields = vec![
        crate::domain::Invalid::from(InvalidReason::UsccCheck).at("record.party.uscc"),
        crate::domain::Invalid::with_limit(InvalidReason::TextTooLong, 384).at("record.title"),
    ];
    let status = status::bad_fields(fields).status(Language::Zh);
    assert_eq!(status.code(), Code::InvalidArgument);
    let details = status.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "USCC_CHECK");
    let violations = &details.bad_request().unwrap().field_violations;
    assert_eq!(violations[0].field, "record.party.uscc");
    assert_eq!(violations[1].reason, "TEXT_TOO_LONG");
    assert!(violations[1].localized_message.as_ref().unwrap().message.contains("384"));
    let low = status::of_write(&WriteError::DiskLow { free: 7 }, &told()).status(Language::Zh);
    assert!(low.get_error_details().retry_info().is_some());
    assert!(low.get_error_details().localized_message().unwrap().message.contains('7'));
    let waiting = WriteError::Recovering { waiting_for: vec![city(130_400)] };
    let waiting = status::of_write(&waiting, &told()).status(Language::En);
    let details = waiting.get_error_details();
    assert!(details.precondition_failure().is_some());
    assert_eq!(details.error_info().unwrap().metadata["waiting_for"], "130400");
    assert_eq!(details.localized_message().unwrap().locale, "en");
}

#[test]
fn the_librarys_own_refusals_get_our_reasons() {
    let reason = |status: Status| {
        let status = status::of_library(status, Language::Zh);
        let info = status.get_details_error_info();
        (status.code(), info.map(|info| info.reason).unwrap_or_default())
    };
    let text =
        "Error, decoded message length too large: found 1048577 bytes, the limit is: 1048576 bytes";
    let large = Status::new(Code::OutOfRange, text);
    assert_eq!(reason(large.clone()), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE".into()));
    let info = status::of_library(large, Language::Zh).get_details_error_info().unwrap();
    assert_eq!((&*info.metadata["got"], &*info.metadata["limit"]), ("1048577", "1048576"));
    let late = Status::new(Code::Cancelled, "Timeout expired");
    assert_eq!(reason(late), (Code::DeadlineExceeded, "DEADLINE".into()));
    assert_eq!(reason(Status::new(Code::Unimplemented, "")).1, "METHOD_UNKNOWN");
    let ours = Refused::new("CURSOR_GONE").status(Language::Zh);
    assert_eq!(reason(ours), (Code::OutOfRange, "CURSOR_GONE".into()));
    assert_eq!(reason(Status::new(Code::Unknown, "x")), (Code::Unknown, String::new()));
}

#[test]
fn the_language_is_asked_for() {
    let mut metadata = tonic::metadata::MetadataMap::new();
    assert_eq!(status::language(&metadata), Language::Zh);
    metadata.insert("accept-language", "en-GB,en;q=0.9".parse().unwrap());
    assert_eq!(status::language(&metadata), Language::En);
    metadata.insert("accept-language", "zh-CN".parse().unwrap());
    assert_eq!(status::language(&metadata), Language::Zh);
}
