//! Records that may be of one act, as messages.
//!
//! In scope: writing. Out of scope: which they are, and who may see them.

use super::case::name_of;
use super::code::Code;
use super::facts::date_to_pb;
use super::pb::v1 as pb;
use crate::domain::Date;
use crate::domain::same_act::SameAct;
use crate::ids::{AgreementId, SubjectId};
use crate::view::CaseView;

/// What is said of another record.
#[derive(Clone, Debug)]
pub struct Other<'a> {
    /// Which.
    pub case: (AgreementId, SubjectId),
    /// As the rows have it.
    pub view: &'a CaseView,
    /// The number people say.
    pub number: String,
    /// Why it may be the same act.
    pub why: SameAct,
    /// Legal date on which it was filed.
    pub filed_on: Option<Date>,
    /// Legal date of the decision that stands.
    pub decided_on: Option<Date>,
    /// The two are linked as one continued case.
    pub linked: bool,
}

/// Writes a hint; `filed_on` is the legal date on which the case itself was filed.
#[must_use]
pub fn hint_to_pb(other: Other<'_>, filed_on: Option<Date>) -> pb::SameActHint {
    let case = &other.view.case;
    pb::SameActHint {
        name: name_of(other.case.0, other.case.1),
        number: other.number,
        originating_city: case.originating.as_u32(),
        handling_city: case.handling.as_u32(),
        state: case.state.number(),
        metres: other.why.metres,
        overlap_from: Some(date_to_pb(other.why.from)),
        overlap_to: other.why.to.map(date_to_pb),
        days_assumed: other.why.assumed,
        violation: case.facts.violation.number(),
        filed_on: filed_on.map(date_to_pb),
        other_filed_on: other.filed_on.map(date_to_pb),
        other_decided_on: other.decided_on.map(date_to_pb),
        linked: other.linked,
    }
}
