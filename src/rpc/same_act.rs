//! Records that may be of the same act as a case, for answers.
//!
//! In scope: messages. Out of scope: which they are ([`crate::node::same_act`]).

use super::case_read;
use super::case_service::CaseApi;
use crate::domain::Date;
use crate::domain::same_act::filed_on;
use crate::ids::CaseKey;
use crate::limits::SAME_ACT_HINTS_MAX;
use crate::node::reader::Reader;
use crate::node::same_act::Hint;
use crate::view;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::same_act::{Other, hint_to_pb};

impl CaseApi {
    /// What may be of the same act as a case; `complete`: everything applied was looked at.
    pub(super) fn same_acts(&self, reader: &Reader, case: CaseKey, complete: bool) -> pb::SameActs {
        let (hints, total) = self.acts.of_case(reader, case, SAME_ACT_HINTS_MAX);
        let total_size = u32::try_from(total).unwrap_or(u32::MAX);
        let filed = if hints.is_empty() { None } else { filed(reader, case) };
        pb::SameActs {
            name: read::name_of(case.0, case.1),
            hints: hints.iter().filter_map(|hint| written(reader, hint, filed)).collect(),
            total_size,
            incomplete: !complete,
        }
    }
}

fn filed(reader: &Reader, (agreement, subject): CaseKey) -> Option<Date> {
    filed_on(&view::happened(&reader.view(), agreement, subject))
}

fn written(reader: &Reader, hint: &Hint, filed_on: Option<Date>) -> Option<pb::SameActHint> {
    let (agreement, subject) = hint.case;
    let view = view::case(&reader.view(), agreement, subject)?;
    let other = Other {
        case: hint.case,
        view: &view,
        number: case_read::number(reader, &view),
        why: hint.why,
        filed_on: filed(reader, hint.case),
        decided_on: hint.decided_on,
        linked: hint.linked,
    };
    Some(hint_to_pb(other, filed_on))
}
