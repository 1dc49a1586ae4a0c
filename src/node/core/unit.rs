//! Own units: from what is asked to what will be written, and how the own node knows one again.
//!
//! In scope: numbers, etags, the calendar of the whole city. Out of scope: who may say what
//! ([`crate::domain::unit`]), building entries ([`super::write`]), in which agreements a block is
//! written (`rpc::unit_book`).
//!
//! One officer, or one vehicle, may be registered in several agreements. Only its own city knows
//! that: rows of its node hold a tag of kind and number, which nobody without the node's key can
//! make or compare.

use crate::api::request::{NewPart, PartContent, WriteError};
use crate::domain::unit::{self, UnitAct, UnitFacts, UnitRecord};
use crate::domain::{Date, Event, Period, Refusal, UnitKind};
use crate::ids::{AgreementId, Position, SubjectId, Tag};
use crate::journal::Disk;
use crate::log::{Audience, Subject, SubjectKind};
use crate::node::core::write::{Decided, Draft, Opening};
use crate::node::core::{Core, keys};
use crate::store::Store;
use crate::trust::keys::HmacKey;
use crate::view::{self, ReadRows, Rows, UnitView};

/// What stands for a unit's number in the rows.
pub fn unit_tag(key: &HmacKey, kind: UnitKind, record: &UnitRecord) -> Tag {
    key.tag(&[b"unit", kind.code().as_bytes(), record.key().as_bytes()])
}

/// The own units that have a tag: in order, one for each agreement.
pub fn units_of_tag(rows: &impl ReadRows, tag: Tag) -> Vec<(AgreementId, SubjectId)> {
    let mut found = Vec::new();
    let all = |byte| (AgreementId::new([byte; 16]), SubjectId::new([byte; 16]));
    let ((first, lowest), (last, highest)) = (all(0), all(255));
    let from = keys::unit_number(tag, first, lowest);
    let mut to = keys::unit_number(tag, last, highest);
    to.push(0);
    rows.scan(&from, &to, false, &mut |key, _| {
        found.extend(keys::parse_unit_number(key));
        true
    });
    found
}

/// The own unit and its likes in other agreements, in order.
pub fn likes(
    rows: &impl ReadRows,
    agreement: AgreementId,
    subject: SubjectId,
) -> Vec<(AgreementId, SubjectId)> {
    let tag = rows.get(&keys::unit_tag(agreement, subject));
    let tag = tag.and_then(|tag| Tag::from_slice(&tag).ok());
    let mut found = tag.map(|tag| units_of_tag(rows, tag)).unwrap_or_default();
    if !found.contains(&(agreement, subject)) {
        // Its number was erased: it is known as itself and nothing else.
        found.push((agreement, subject));
    }
    found
}

impl<D: Disk, S: Store> Core<D, S> {
    pub(super) fn decide_unit(
        &mut self,
        agreement: AgreementId,
        facts: &UnitFacts,
        record: &UnitRecord,
    ) -> Result<Decided, WriteError> {
        let members = self.logs.members(agreement).to_vec();
        let known = self.known_unit(agreement, facts.kind, record, None);
        unit::decide_register(self.settings.city, &members, facts, known)?;
        if facts.kind == UnitKind::WholeCity {
            return Err(Refusal::from(unit::UnitRefusal::WholeCity).into());
        }
        let draft = Draft {
            subject: Subject { kind: SubjectKind::Unit, id: None },
            prev: None,
            event: Event::UnitRegistered { facts: *facts },
            parts: vec![part_of(record)],
        };
        Ok(Decided { draft, record: None, opened_at: None, opens: None })
    }

    pub(super) fn decide_unit_change(
        &mut self,
        agreement: AgreementId,
        today: Date,
        (subject, etag): (SubjectId, Position),
        facts: &UnitFacts,
        record: &UnitRecord,
    ) -> Result<Decided, WriteError> {
        let found = self.unit(agreement, subject)?;
        if found.facts_at.at != etag && found.unit.city == self.settings.city {
            let current = found.facts_at.at;
            return Err(Refusal::from(unit::UnitRefusal::Changed { current }).into());
        }
        let act = UnitAct::Changed { facts: *facts };
        let known = self.known_unit(agreement, facts.kind, record, Some(subject));
        self.judge_unit(&found, &act, known, today)?;
        let draft = Draft {
            subject: Subject { kind: SubjectKind::Unit, id: Some(subject) },
            prev: None,
            event: Event::UnitAct(act),
            parts: vec![part_of(record)],
        };
        let opened_at = Some(found.opened_at);
        Ok(Decided { draft, record: Some(subject), opened_at, opens: None })
    }

    /// Blocks or frees a unit. The calendar of the whole city is opened with its first block.
    pub(super) fn decide_booking(
        &mut self,
        agreement: AgreementId,
        today: Date,
        subject: Option<SubjectId>,
        (busy, periods): (bool, &[Period]),
    ) -> Result<Decided, WriteError> {
        let city = self.settings.city;
        let opened = view::whole_city(&self.group_rows(), agreement, city).first().copied();
        let subject = subject.or(opened);
        let periods = periods.to_vec();
        let act = if busy { UnitAct::Blocked { periods } } else { UnitAct::Freed { periods } };
        let draft = |id: Option<SubjectId>, event| Draft {
            subject: Subject { kind: SubjectKind::Unit, id },
            prev: None,
            event,
            parts: Vec::new(),
        };
        if let Some(subject) = subject {
            let found = self.unit(agreement, subject)?;
            self.judge_unit(&found, &act, None, today)?;
            let opened_at = Some(found.opened_at);
            let draft = draft(Some(subject), Event::UnitAct(act));
            return Ok(Decided { draft, record: Some(subject), opened_at, opens: None });
        }
        if !busy {
            // Nobody has ever blocked it.
            return Err(WriteError::NotFound);
        }
        let members = self.logs.members(agreement).to_vec();
        unit::decide_register(city, &members, &UnitFacts::WHOLE_CITY, None)?;
        let new = unit::Unit { city, kind: UnitKind::WholeCity };
        unit::decide_act((&new, &UnitFacts::WHOLE_CITY), city, &act, None, today)?;
        let opening = draft(None, Event::UnitRegistered { facts: UnitFacts::WHOLE_CITY });
        let opens = Some(Opening::First(Box::new(opening)));
        let draft = draft(None, Event::UnitAct(act));
        Ok(Decided { draft, record: None, opened_at: None, opens })
    }

    fn unit(&mut self, agreement: AgreementId, subject: SubjectId) -> Result<UnitView, WriteError> {
        let found = view::unit(&self.group_rows(), agreement, subject);
        let found = found.ok_or(WriteError::NotFound)?;
        if found.needs_newer {
            return Err(WriteError::NeedsNewerVersion);
        }
        self.check_leaning(agreement, subject, None)?;
        Ok(found)
    }

    fn judge_unit(
        &self,
        found: &UnitView,
        act: &UnitAct,
        known: Option<SubjectId>,
        today: Date,
    ) -> Result<(), Refusal> {
        unit::decide_act((&found.unit, &found.facts), self.settings.city, act, known, today)
    }

    /// Another own unit of this number in an agreement.
    fn known_unit(
        &mut self,
        agreement: AgreementId,
        kind: UnitKind,
        record: &UnitRecord,
        but: Option<SubjectId>,
    ) -> Option<SubjectId> {
        let tag = unit_tag(&self.node_key, kind, record);
        let known = units_of_tag(&self.group_rows(), tag);
        let other = |(of, id): &(AgreementId, SubjectId)| *of == agreement && Some(*id) != but;
        known.into_iter().find(other).map(|(_, id)| id)
    }

    /// An own entry with a unit's number was applied: its tag leads to the unit from now on, and
    /// the one of the number before leads nowhere.
    pub(super) fn index_unit(
        &mut self,
        agreement: AgreementId,
        at: Position,
        subject: SubjectId,
        record: &UnitRecord,
    ) {
        let found = view::unit(&self.group_rows(), agreement, subject);
        let newest = |found: &UnitView| found.record_at.is_some_and(|place| place.at == at);
        let Some(found) = found.filter(newest) else { return };
        let tag = unit_tag(&self.node_key, found.unit.kind, record);
        let key = keys::unit_tag(agreement, subject);
        let before = self.group_rows().get(&key).and_then(|tag| Tag::from_slice(&tag).ok());
        if let Some(before) = before {
            self.group_rows().delete(&keys::unit_number(before, agreement, subject));
        }
        self.group_rows().put(keys::unit_number(tag, agreement, subject), Vec::new());
        self.group_rows().put(key, tag.as_bytes().to_vec());
    }
}

fn part_of(record: &UnitRecord) -> NewPart {
    let content = PartContent::Unit(Box::new(record.clone()));
    NewPart { audience: Audience::AllMembers, content }
}
