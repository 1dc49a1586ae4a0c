//! The parts that carry what was typed of a case, each with who may hold it.
//!
//! In scope: which content goes into which part. Out of scope: who holds a part then
//! ([`crate::view`]), bytes ([`crate::wire`]).

use super::request::{NewPart, PartContent};
use crate::domain::{CaseRecord, Evidence};
use crate::log::Audience;

/// Lists of one item that evidence which is not for all members is divided into; what is more
/// stands in the last of them. So an entry has room for its other parts.
const NARROW_LISTS_MAX: usize = 4;
// A record, a number, a person and a text.
const _: () = assert!(NARROW_LISTS_MAX + 4 <= crate::limits::PARTS_MAX);

/// Parts that carry a record. Its evidence that is not for all members stands in lists beside it,
/// as in [`evidence_parts`].
#[must_use]
pub fn record_parts(mut record: CaseRecord) -> Vec<NewPart> {
    let narrow = record.evidence.extract_if(.., |item| !item.level.is_for_all_members()).collect();
    let content = PartContent::CaseRecord(Box::new(record));
    let mut parts = vec![NewPart { audience: Audience::AllMembers, content }];
    parts.extend(evidence_parts(narrow));
    parts
}

/// Parts that list evidence. An item that is not for all members is in a list of its own, so that
/// what it is called goes no further than its file, and whoever opens one opens no other.
#[must_use]
pub fn evidence_parts(items: Vec<Evidence>) -> Vec<NewPart> {
    let list = |audience, items| NewPart { audience, content: PartContent::Evidence(items) };
    let (general, mut narrow): (Vec<_>, Vec<_>) =
        items.into_iter().partition(|item| item.level.is_for_all_members());
    let rest = narrow.split_off(narrow.len().min(NARROW_LISTS_MAX - 1));
    let alone = narrow.into_iter().map(|item| (Audience::HandlingCity, vec![item]));
    std::iter::once((Audience::AllMembers, general))
        .chain(alone)
        .chain([(Audience::HandlingCity, rest)])
        .filter(|(_, items)| !items.is_empty())
        .map(|(audience, items)| list(audience, items))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::DataLevel;
    use crate::domain::evidence::EvidenceDraft;

    fn of(level: DataLevel) -> Evidence {
        let draft = EvidenceDraft {
            id: "E01".into(),
            kind: "INTERVIEW_RECORD".into(),
            title: "调查询问笔录".into(),
            collected_on: "2026-11-18".into(),
            mime: "application/pdf".into(),
            size_bytes: 42,
            sha256: "ab".repeat(32),
            level: level.code().into(),
            ..EvidenceDraft::default()
        };
        Evidence::parse(&draft).unwrap()
    }

    #[test]
    fn each_restricted_item_has_a_list_of_its_own_as_long_as_there_is_room() {
        let lists = |narrow: usize| -> Vec<(bool, usize)> {
            let items = [of(DataLevel::General)].into_iter();
            let items = items.chain((0..narrow).map(|_| of(DataLevel::Restricted))).collect();
            let lengths = evidence_parts(items).into_iter().map(|part| {
                let PartContent::Evidence(items) = part.content else { panic!("{part:?}") };
                (part.audience == Audience::AllMembers, items.len())
            });
            lengths.collect()
        };
        assert_eq!(lists(0), [(true, 1)]);
        assert_eq!(lists(2), [(true, 1), (false, 1), (false, 1)]);
        assert_eq!(lists(6), [(true, 1), (false, 1), (false, 1), (false, 1), (false, 3)]);
    }
}
