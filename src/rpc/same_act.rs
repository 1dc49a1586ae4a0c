//! Records that may be of the same act as a case, for answers.
//!
//! In scope: messages. Out of scope: which they are ([`crate::node::same_act`]).

use super::case_service::CaseApi;
use crate::ids::CaseKey;
use crate::limits::SAME_ACT_HINTS_MAX;
use crate::node::reader::Reader;
use crate::node::same_act::Shown;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::same_act::{Other, hint_to_pb};

impl CaseApi {
    /// What may be of the same act as a case; `complete`: everything applied was looked at.
    pub(super) fn same_acts(&self, reader: &Reader, case: CaseKey, complete: bool) -> pb::SameActs {
        let hints = self.acts.of_case(reader, case, SAME_ACT_HINTS_MAX);
        let written = |shown: &Shown| {
            let other = Other {
                case: shown.hint.case,
                view: &shown.view,
                number: shown.number.clone(),
                why: shown.hint.why,
                filed_on: shown.filed_on,
                decided_on: shown.hint.decided_on,
                linked: shown.linked,
            };
            hint_to_pb(other, hints.filed_on)
        };
        pb::SameActs {
            name: read::name_of(case.0, case.1),
            hints: hints.shown.iter().map(written).collect(),
            total_size: u32::try_from(hints.total).unwrap_or(u32::MAX),
            incomplete: !complete,
        }
    }
}
