//! Refusals as gRPC statuses: the only place where a code is chosen.
//!
//! Every refusal carries `ErrorInfo` (reason, domain `liandong`, metadata) and a
//! `LocalizedMessage` that says why and what to do next; fields, preconditions and delays are
//! added where they fit. The status's own message is for developers, in English.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "foreign codes, and refusals whose sentence says it all"
)]

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, LocalizedMessage, StatusExt};

use super::error::WireError;
use super::reasons;
use crate::api::request::{NotErasable, WriteError};
pub use crate::domain::Language;
use crate::domain::plan::PlanRefusal;
use crate::domain::site::SiteRefusal;
use crate::domain::words::Listener;
use crate::domain::{Invalid, MoveKind, Refusal};
use crate::ids::{CityCode, Position, SubjectId};
use crate::log::{AppendError, EntryError};

/// The domain of every `ErrorInfo`.
pub const DOMAIN: &str = "liandong";

/// The language a caller asked for by `accept-language`; Chinese unless it says English.
#[must_use]
pub fn language(metadata: &tonic::metadata::MetadataMap) -> Language {
    language_of(metadata.get("accept-language").and_then(|value| value.to_str().ok()))
}

/// The same from the header's own text.
#[must_use]
pub fn language_of(asked: Option<&str>) -> Language {
    match asked {
        Some(tags) if tags.trim_start().to_ascii_lowercase().starts_with("en") => Language::En,
        Some(_) | None => Language::Zh,
    }
}

/// One refusal, before it is put into a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    reason: &'static str,
    metadata: Vec<(&'static str, String)>,
    fields: Vec<Invalid>,
    retry: Option<Duration>,
    precondition: Option<String>,
    told: Option<String>,
}

impl Refused {
    /// A refusal for a reason of the table.
    #[must_use]
    pub const fn new(reason: &'static str) -> Self {
        Self {
            reason,
            metadata: Vec::new(),
            fields: Vec::new(),
            retry: None,
            precondition: None,
            told: None,
        }
    }

    /// Adds a fact for programs; it also fills `{key}` in the text.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        self.metadata.push((key, value.to_string()));
        self
    }

    /// Names the field that is at fault.
    #[must_use]
    pub fn at(self, field: &'static str) -> Self {
        self.with("field", field)
    }

    /// Says after how long to try again.
    #[must_use]
    pub const fn retry_after(mut self, delay: Duration) -> Self {
        self.retry = Some(delay);
        self
    }

    /// Names what must change first.
    #[must_use]
    pub fn unless(mut self, subject: impl ToString) -> Self {
        self.precondition = Some(subject.to_string());
        self
    }

    /// The stable reason.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.reason
    }

    /// The facts for programs.
    #[must_use]
    pub fn facts(&self) -> &[(&'static str, String)] {
        &self.metadata
    }

    /// What happened, for developers and for an operator's log, in English.
    #[must_use]
    pub fn english(&self) -> String {
        let text = reasons::find(self.reason).map_or(self.reason, |(_, _, _, en)| en);
        self.filled(text)
    }

    /// The status, with its sentences in a language.
    #[must_use]
    pub fn status(&self, language: Language) -> Status {
        let (code, zh, en) = reasons::find(self.reason)
            .map_or((Code::Internal, self.reason, self.reason), |(_, code, zh, en)| (code, zh, en));
        let (english, localized) = (self.filled(en), self.localized(language, zh, en));
        let mut details = ErrorDetails::new();
        let facts = self.metadata.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
        details.set_error_info(self.reason, DOMAIN, facts.collect::<HashMap<_, _>>());
        details.set_localized_message(locale(language), localized.clone());
        let violations = self.violations(language, code, (&english, &localized));
        if !violations.is_empty() {
            details.set_bad_request(violations);
        }
        if let Some(subject) = &self.precondition {
            details.add_precondition_failure_violation(self.reason, subject, localized);
        }
        if self.retry.is_some() {
            details.set_retry_info(self.retry);
        }
        Status::with_error_details(code, english, details)
    }

    fn localized(&self, language: Language, zh: &str, en: &str) -> String {
        match (&self.told, language) {
            (Some(told), _) => told.clone(),
            (None, Language::Zh) => self.filled(zh),
            (None, Language::En) => self.filled(en),
        }
    }

    /// Fills in `{key}`; what a key brings in is never looked at again.
    fn filled(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            out.push_str(before);
            let Some((key, after)) = behind.split_once('}') else { break };
            let value = self.metadata.iter().find(|(name, _)| *name == key);
            out.push_str(value.map_or("", |(_, value)| value));
            rest = after;
        }
        out.push_str(rest);
        out
    }

    fn violations(
        &self,
        language: Language,
        code: Code,
        (english, localized): (&str, &str),
    ) -> Vec<FieldViolation> {
        let said = |message: String| {
            Some(LocalizedMessage { locale: locale(language).to_owned(), message })
        };
        let field = |wrong: &Invalid| FieldViolation {
            field: wrong.field.clone().unwrap_or_default(),
            description: wrong.explain(Language::En),
            reason: wrong.reason().to_owned(),
            localized_message: said(wrong.explain(language)),
        };
        let named = self.metadata.iter().find(|(key, _)| *key == "field");
        match (self.fields.is_empty(), named) {
            (true, Some((_, name))) if code == Code::InvalidArgument => {
                let violation = FieldViolation {
                    reason: self.reason.to_owned(),
                    localized_message: said(localized.to_owned()),
                    ..FieldViolation::new(name, english)
                };
                vec![violation]
            }
            (true, None | Some(_)) => Vec::new(),
            (false, _) => self.fields.iter().map(field).collect(),
        }
    }
}

const fn locale(language: Language) -> &'static str {
    match language {
        Language::Zh => "zh-CN",
        Language::En => "en",
    }
}

/// Fields of a request that cannot be taken; the reason is that of the first.
#[must_use]
pub fn bad_fields(fields: Vec<Invalid>) -> Refused {
    let Some(first) = fields.first() else { return Refused::new("INVALID_FIELD") };
    let (reason, field) = (first.reason(), first.field.clone().unwrap_or_default());
    Refused { fields, ..Refused::new(reason).with("field", field) }
}

/// A name as people say it; used when nothing better is known.
#[must_use]
pub fn code_name(city: CityCode) -> String {
    city.to_string()
}

/// How a site or a unit is called where nothing better is known.
#[must_use]
pub fn short_id(id: SubjectId) -> String {
    id.to_string().chars().take(8).collect()
}

/// Who is told about a refused write, and what else the sentences need to know.
pub struct Told<'a> {
    /// The language of the sentences.
    pub language: Language,
    /// The name of a city for people.
    pub city: &'a dyn Fn(CityCode) -> String,
    /// The name of a site or a unit.
    pub record: &'a dyn Fn(SubjectId) -> String,
    /// What this city could do now.
    pub allowed: &'a [MoveKind],
}

/// A write that was turned away.
#[must_use]
pub fn of_write(error: &WriteError, told: &Told<'_>) -> Refused {
    match error {
        WriteError::Refused(refusal) => of_refusal(refusal, told),
        WriteError::NotFound => Refused::new("NOT_FOUND"),
        WriteError::NoLog => Refused::new("NO_LOG").unless("epoch"),
        WriteError::OutsideTerm => Refused::new("OUTSIDE_TERM").unless("agreement"),
        WriteError::StaleEtag { current } => {
            Refused::new("STALE_ETAG").at("etag").with("current", current)
        }
        WriteError::IdempotencyMismatch { first } => {
            Refused::new("IDEMPOTENCY_MISMATCH").with("first_entry", first)
        }
        WriteError::ExternalRefTaken { taken_by, field } => {
            Refused::new("EXTERNAL_REF_TAKEN").at(field).with("taken_by", taken_by)
        }
        WriteError::DraftGone => Refused::new("NOT_FOUND").at("from_draft"),
        WriteError::DraftChanged { current } => {
            Refused::new("DRAFT_CHANGED").at("draft_etag").with("current", current)
        }
        WriteError::OutsideBelt { metres } => {
            Refused::new("OUTSIDE_BELT").with("metres", metres).unless("record.belt_reason")
        }
        WriteError::NoticeArriving => Refused::new("NOTICE_ARRIVING"),
        WriteError::NeedsNewerVersion => Refused::new("NEEDS_NEWER_VERSION").unless("version"),
        WriteError::Recovering { waiting_for } => {
            let names: Vec<String> = waiting_for.iter().map(|city| city.to_string()).collect();
            Refused::new("RECOVERING").with("waiting_for", names.join(",")).unless("recovery")
        }
        WriteError::Suspended { cities } => {
            let names: Vec<String> = cities.iter().map(|city| city.to_string()).collect();
            Refused::new("RESTS_ON_SUSPENDED").with("cities", names.join(",")).unless("suspension")
        }
        WriteError::EpochNeeded => Refused::new("EPOCH_NEEDED").unless("epoch"),
        WriteError::DiskLow { free } => {
            Refused::new("DISK_LOW").with("free_bytes", free).retry_after(Duration::from_secs(30))
        }
        WriteError::StorageFailed { .. } => Refused::new("STORAGE_FAILED"),
        WriteError::Busy => Refused::new("BUSY").retry_after(Duration::from_secs(1)),
        WriteError::TooLarge { what, limit, got } => too_large(what, *limit, *got),
        WriteError::NotErasable { part, why } => {
            let (reason, field) = match why {
                NotErasable::Entry => ("PART_NOT_ERASABLE", "entry"),
                NotErasable::Part => ("PART_NOT_ERASABLE", "part"),
                NotErasable::Number => ("NUMBER_NOT_ERASABLE", "part"),
                NotErasable::Erased => ("PART_ERASED_BEFORE", "part"),
            };
            Refused::new(reason).at(field).with("part", part)
        }
        WriteError::Invalid(invalid) => bad_fields(vec![invalid.clone()]),
        WriteError::BadField { field, reason } => {
            Refused::new("INVALID_FIELD").at(field).with("detail", reason)
        }
    }
}

fn of_refusal(refusal: &Refusal, told: &Told<'_>) -> Refused {
    let listener = Listener {
        language: told.language,
        city: told.city,
        record: told.record,
        allowed: told.allowed,
    };
    let said = refusal.explain(&listener);
    let joint = match told.language {
        Language::Zh => "。",
        Language::En => "; ",
    };
    let refused = Refused::new(refusal.reason()).with("detail", refusal);
    let refused = refusal.field().into_iter().fold(refused, Refused::at);
    let code = reasons::find(refusal.reason()).map(|(_, code, ..)| code);
    let refused = if code == Some(Code::FailedPrecondition) {
        refused.unless(refusal.subject())
    } else {
        refused
    };
    let refused = match refusal {
        Refusal::OutsideBelt { nearest_m, .. } => refused.with("metres", nearest_m),
        Refusal::Misfit(crate::domain::Misfit::NotYourTurn { turn, .. }) => {
            refused.with("turn", turn)
        }
        Refusal::Misfit(
            crate::domain::Misfit::NotSiteCity { .. } | crate::domain::Misfit::NotUnitCity { .. },
        ) => refused
            .with("rule", "sites and units are registered and changed by their own city")
            .with("source", "rules of the cooperation"),
        Refusal::Site(refusal) => of_site(*refusal, refused),
        Refusal::Plan(refusal) => of_plan(*refusal, refused),
        _ => refused,
    };
    Refused { told: Some(format!("{}{joint}{}", said.why, said.todo)), ..refused }
}

fn of_site(refusal: SiteRefusal, refused: Refused) -> Refused {
    let refused = match refusal.rule() {
        Some(((_, rule), (_, source))) => refused.with("rule", rule).with("source", source),
        None => refused,
    };
    match refusal {
        SiteRefusal::Known { site } => refused.with("site", site),
        SiteRefusal::Changed { current } => refused.with("current", current),
        SiteRefusal::PositiveList { until } => refused.with("until", until),
        SiteRefusal::Capped { year, made, reserved, most } => refused
            .with("year", year)
            .with("made", made)
            .with("reserved", reserved)
            .with("most", most),
        SiteRefusal::Closed
        | SiteRefusal::CountyNotOwn { .. }
        | SiteRefusal::ListingDates { .. }
        | SiteRefusal::RemovalBasis { .. }
        | SiteRefusal::CheckInFuture { .. }
        | SiteRefusal::CheckTooOld { .. }
        | SiteRefusal::PlanUnknown
        | SiteRefusal::RenewalBeginsLater { .. } => refused,
        SiteRefusal::TooManyPlants { most } => refused.with("most", most),
    }
}

fn of_plan(refusal: PlanRefusal, refused: Refused) -> Refused {
    let refused = match refusal.rule() {
        Some((((_, rule), (_, source)), force)) => {
            refused.with("rule", rule).with("source", source).with("force", force)
        }
        None => refused,
    };
    match refusal {
        PlanRefusal::Lacking { more, .. } => refused.with("more", more),
        PlanRefusal::OldRevision { revision } => refused.with("revision", revision),
        PlanRefusal::ResultChanged { newest: Some(newest) }
        | PlanRefusal::ArrivalChanged { newest: Some(newest) } => refused.with("current", newest),
        _ => refused,
    }
}

fn too_large(what: &str, limit: usize, got: usize) -> Refused {
    Refused::new("MESSAGE_TOO_LARGE").with("what", what).with("limit", limit).with("got", got)
}

/// Bytes that cannot be read.
#[must_use]
pub fn of_wire(error: &WireError) -> Refused {
    match error {
        WireError::TooLarge { what, limit, got } | WireError::TooMany { what, limit, got } => {
            too_large(what, *limit, *got)
        }
        WireError::BadHeader { field } => Refused::new("BAD_HEADER").at(field),
        WireError::NewerFormat { what, got } => {
            Refused::new("UPGRADE_REQUIRED").with("what", what).with("got", got)
        }
        WireError::Unreadable { .. }
        | WireError::Missing { .. }
        | WireError::Length { .. }
        | WireError::BadValue { .. } => Refused::new("MALFORMED").with("detail", error),
    }
}

/// A batch or checkpoint of another city that was turned away; `None` for one that is here
/// already, which is no fault.
#[must_use]
pub fn of_append(error: &AppendError) -> Option<Refused> {
    use AppendError as E;
    Some(match error {
        E::Duplicate { .. } => return None,
        E::WrongLog { got, .. } => Refused::new("WRONG_LOG").with("log", got),
        E::TooLarge { what, got, limit, .. } => too_large(what, *limit, *got),
        E::Gap { log, expected, .. } => {
            Refused::new("LOG_GAP").with("log", log).with("expected", expected)
        }
        E::Contradicts { log, size, .. } => {
            Refused::new("FORK_DETECTED").with("log", log).with("size", size)
        }
        E::Differs { log, index } => {
            Refused::new("FORK_DETECTED").with("log", log).with("size", index)
        }
        E::BadCheckpoint { log, size, .. } | E::RootMismatch { log, size } => {
            Refused::new("BAD_CHECKPOINT").with("log", log).with("size", size)
        }
        E::StaleCheckpoint { log, known } => {
            Refused::new("STALE_CHECKPOINT").with("log", log).with("known", known)
        }
        E::Withheld { at, part } => Refused::new("WITHHELD").with("entry", at).with("part", part),
        E::LeafMissing { log, .. } => Refused::new("LEAVES_MISSING").with("log", log),
        E::Entry { source: EntryError::TooLarge { what, got, limit }, .. } => {
            too_large(what, *limit, *got)
        }
        // Its header names other bytes: changed on the way, like a header without its root.
        E::Entry { at, source: EntryError::Digest { .. } } => {
            Refused::new("BAD_CHECKPOINT").with("log", at.log).with("size", at.index + 1)
        }
        E::Empty { .. } | E::WrongEnd { .. } | E::WrongPlace { .. } | E::Entry { .. } => {
            Refused::new("BAD_BATCH").with("detail", error)
        }
    })
}

/// An entry whose bytes on this disk are damaged; it is fetched again from a member.
#[must_use]
pub fn corrupt(at: Position) -> Refused {
    Refused::new("ENTRY_CORRUPT").with("range", at).retry_after(Duration::from_secs(30))
}

/// Something that should never happen; the operator finds the rest under the reference.
#[must_use]
pub fn internal(reference: &str) -> Refused {
    Refused::new("INTERNAL").with("reference", reference)
}

/// Whether a status is one of ours: it carries a reason of the table.
#[must_use]
pub fn is_ours(status: &Status) -> bool {
    status.get_details_error_info().is_some_and(|info| info.domain == DOMAIN)
}

/// The same status with the library's own refusals put into the words of the table: a message
/// over the limit, bytes that are no message, a deadline, an unknown method. Statuses of ours
/// keep their reason; those made before the caller's language was known are put into it.
#[must_use]
pub fn of_library(status: Status, language: Language) -> Status {
    if status.get_details_error_info().is_some() {
        return in_language(status, language);
    }
    let too_long = status.message().contains("length too large");
    let refused = match status.code() {
        Code::OutOfRange | Code::ResourceExhausted if too_long => {
            let (got, limit) = two_numbers(status.message());
            Refused::new("MESSAGE_TOO_LARGE").with("limit", limit).with("got", got)
        }
        Code::Cancelled if status.message().contains("Timeout expired") => Refused::new("DEADLINE"),
        Code::Unimplemented if status.message().contains("ompress") => malformed(&status),
        Code::Unimplemented => Refused::new("METHOD_UNKNOWN"),
        Code::Internal if BAD_FRAMES.iter().any(|bad| status.message().contains(bad)) => {
            malformed(&status)
        }
        Code::ResourceExhausted => Refused::new("BUSY").retry_after(Duration::from_secs(1)),
        _ => return status,
    };
    refused.status(language)
}

/// What the library says, as internal errors, about frames that hold no message.
const BAD_FRAMES: [&str; 4] =
    ["compress", "Unexpected EOF", "Missing request message", "h2 protocol error"];

fn malformed(status: &Status) -> Refused {
    Refused::new("MALFORMED").with("detail", status.message())
}

/// A decoder knows no language and speaks Chinese; its developers' text is English.
fn in_language(status: Status, language: Language) -> Status {
    let mut details = status.get_error_details();
    let said = details.localized_message().map(|said| said.locale.clone());
    if language == Language::Zh || said.is_none_or(|said| said == locale(language)) {
        return status;
    }
    details.set_localized_message(locale(language), status.message());
    Status::with_error_details(status.code(), status.message(), details)
}

/// The first two numbers of a text: what was given and what is allowed.
fn two_numbers(text: &str) -> (u64, u64) {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}
