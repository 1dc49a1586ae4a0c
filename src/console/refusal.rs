//! What a refused call means to the person in front of the page.
//!
//! In scope: the reason in their language, the field it is about, what to do. Out of scope:
//! choosing reasons, which the services do.

use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::lang::Lang;

/// Reasons that mean: something else stands by now than what the form was filled in against.
const STALE: [&str; 6] = [
    "STALE_ETAG",
    "OLD_REVISION",
    "DRAFT_CHANGED",
    "RESULT_CHANGED",
    "ARRIVAL_CHANGED",
    "ASSIGNMENT_CHANGED",
];

/// A refusal, to be shown where it was caused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The stable reason.
    pub reason: String,
    /// What happened.
    pub what: String,
    /// Fields of the request and what is wrong with each.
    pub fields: Vec<(String, String)>,
    /// What to do.
    pub advice: String,
    /// The record has moved on since the page was made.
    pub is_stale: bool,
    /// It may have been done: the answer is what did not come.
    pub is_unknown: bool,
}

impl Refusal {
    /// Reads it out of a status.
    #[must_use]
    pub fn of(status: &Status, lang: Lang) -> Self {
        let details = status.get_error_details();
        let tongue = lang.pick("zh", "en");
        let reason = details.error_info().map_or_else(String::new, |info| info.reason.clone());
        let localized = details.localized_message().filter(|one| one.locale.starts_with(tongue));
        let what = localized.map_or_else(|| status.message().to_owned(), |one| one.message.clone());
        let violations = details.bad_request().map(|bad| bad.field_violations.as_slice());
        let field = |one: &tonic_types::FieldViolation| {
            let said = one.localized_message.as_ref().filter(|one| one.locale.starts_with(tongue));
            let text = match said {
                Some(said) => said.message.as_str(),
                // The only one: it says what the whole refusal says, in whose language that is.
                None if one.description == status.message() => what.as_str(),
                None => one.description.as_str(),
            };
            (one.field.clone(), text.to_owned())
        };
        let mut fields: Vec<_> = violations.unwrap_or_default().iter().map(field).collect();
        // What is refused as things stand names its field too, but not as a violation of it.
        let named = details.error_info().and_then(|info| info.metadata.get("field"));
        if let (Some(name), true) = (named, fields.is_empty()) {
            fields.push((name.clone(), what.clone()));
        }
        let is_stale = STALE.contains(&reason.as_str());
        let is_unknown = matches!(
            status.code(),
            Code::DeadlineExceeded | Code::Unavailable | Code::Internal | Code::Unknown
        );
        let advice = advice(status.code(), is_stale, lang).to_owned();
        Self { reason, what, fields, advice, is_stale, is_unknown }
    }

    /// A refusal of the console itself, of one field.
    #[must_use]
    pub fn field(field: &str, what: String) -> Self {
        let fields = vec![(field.to_owned(), what.clone())];
        Self { reason: "FIELD".to_owned(), what, fields, ..Self::default() }
    }

    /// The same for a form whose fields are those of one part of the request.
    #[must_use]
    pub fn within(mut self, part: &str) -> Self {
        for (field, _) in &mut self.fields {
            let inner = field.strip_prefix(part).and_then(|rest| rest.strip_prefix('.'));
            if let Some(inner) = inner.map(str::to_owned) {
                *field = inner;
            }
        }
        self
    }

    /// The same for a form whose fields are called otherwise: what they are called in requests, the
    /// longer names first, and in the form.
    #[must_use]
    pub fn placed(mut self, places: &[(&str, &str)]) -> Self {
        for (field, _) in &mut self.fields {
            let place = places.iter().find(|(name, _)| is_within(field, name));
            if let Some((_, place)) = place {
                (*place).clone_into(field);
            }
        }
        self
    }

    /// Names the field of a form that a reason is about, where the service names another or none.
    #[must_use]
    pub fn about(mut self, fields: &[(&str, &str)]) -> Self {
        let field = fields.iter().find(|(reason, _)| *reason == self.reason);
        if let Some((_, field)) = field.filter(|(_, field)| self.at(field).is_none()) {
            self.fields.push(((*field).to_owned(), self.what.clone()));
        }
        self
    }

    /// What is wrong with a field or a part of it.
    #[must_use]
    pub fn at(&self, field: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| is_within(name, field)).map(|(_, text)| text.as_str())
    }
}

/// Whether a name is that of a field or of a part of it.
#[must_use]
pub fn is_within(name: &str, field: &str) -> bool {
    let rest = name.strip_prefix(field);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn advice(code: Code, is_stale: bool, lang: Lang) -> &'static str {
    if is_stale {
        return lang.pick(
            "下面已是最新内容，您填写的文字仍保留；核对后再提交",
            "the newest content is below, and what you typed is kept; compare and send again",
        );
    }
    match code {
        Code::InvalidArgument => {
            lang.pick("按所列各项改正后再提交", "mend what is listed and send again")
        }
        Code::PermissionDenied | Code::Unauthenticated => {
            lang.pick("请由有权限的人员办理", "somebody with the right role can do it")
        }
        Code::ResourceExhausted | Code::Unavailable | Code::DeadlineExceeded => lang.pick(
            "稍后原样再次提交即可，不会重复登记",
            "send it again as it is in a moment; it cannot be recorded twice",
        ),
        Code::Internal | Code::DataLoss | Code::Unknown => {
            lang.pick("请把以上内容交给本市节点管理员", "hand this to your node's administrator")
        }
        Code::Ok
        | Code::Cancelled
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented => "",
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::{ErrorDetails, FieldViolation};

    use super::*;

    #[test]
    fn a_field_is_told_with_the_part_of_it_that_is_wrong() {
        let mut details = ErrorDetails::new();
        details.set_error_info("FIELD", "liandong", std::collections::HashMap::new());
        details.set_bad_request(vec![FieldViolation::new("draft.days[2].at", "is over")]);
        let status = Status::with_error_details(Code::InvalidArgument, "no", details);
        let refusal = Refusal::of(&status, Lang::En);
        assert_eq!(refusal.at("draft.days"), Some("is over"));
        assert_eq!((refusal.at("draft.day"), refusal.at("text")), (None, None));
        assert!(!refusal.advice.is_empty() && !refusal.is_stale);
        let refusal = refusal.within("draft").within("other");
        assert_eq!(refusal.at("days"), Some("is over"));
        let placed = refusal.placed(&[("day", "last"), ("days", "first")]);
        assert_eq!((placed.at("first"), placed.at("last")), (Some("is over"), None));
        let mut details = ErrorDetails::new();
        let facts = [("field".to_owned(), "sent".to_owned())];
        details.set_error_info("UNIT_BUSY", "liandong", std::collections::HashMap::from(facts));
        let status = Status::with_error_details(Code::FailedPrecondition, "is busy", details);
        assert_eq!(Refusal::of(&status, Lang::En).at("sent"), Some("is busy"));
        let about = Refusal { reason: "A".to_owned(), ..Refusal::default() };
        assert_eq!(about.clone().about(&[("A", "level")]).at("level"), Some(""));
        assert_eq!(about.about(&[("B", "level")]).at("level"), None);
    }
}
