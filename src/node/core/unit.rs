//! Own units: from what is asked to what will be written, and how the own node knows one again.
//!
//! In scope: numbers, etags, the calendar of the whole city. Out of scope: who may say what
//! ([`crate::domain::unit`]), building entries ([`super::write`]), in which agreements a block is
//! written (`rpc::unit_book`).
//!
//! One officer, or one vehicle, may be registered in several agreements. Only its own city knows
//! that: rows of its node hold a tag of kind and number, which nobody without the node's key can
//! make or compare. So what is blocked in one agreement is written in all of them, and comes with
//! the unit into an agreement in which it is registered later.

use crate::api::request::{NewPart, PartContent, WriteError};
use crate::domain::unit::{self, UnitAct, UnitFacts, UnitRecord, calendar};
use crate::domain::{Date, Event, HalfDay, Misfit, Period, Refusal, UnitKind};
use crate::ids::{AgreementId, Position, SubjectId, Tag};
use crate::journal::Disk;
use crate::limits::{UNIT_PERIODS_MAX, UNIT_YEARS_AHEAD_MAX};
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

/// The own units that have a tag, in order: one an agreement, but for a city that was restored and
/// registered it again before it had seen that it had.
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
    /// Registers a unit. When it is busy by what was said of it in other agreements comes with it;
    /// with the first unit in an agreement also when the city as a whole is busy, if that was said
    /// before there was this agreement.
    pub(super) fn decide_unit(
        &mut self,
        agreement: AgreementId,
        today: Date,
        facts: &UnitFacts,
        record: &UnitRecord,
    ) -> Result<Decided, WriteError> {
        let members = self.logs.members(agreement).to_vec();
        let known = self.known_unit(agreement, facts.kind, record, None);
        unit::decide_register(self.settings.city, &members, facts, known)?;
        if facts.kind == UnitKind::WholeCity {
            return Err(Refusal::from(unit::UnitRefusal::WholeCity).into());
        }
        let event = Event::UnitRegistered { facts: *facts };
        let opening = Draft { parts: vec![part_of(record)], ..draft_of(None, event) };
        let tag = unit_tag(&self.node_key, facts.kind, record);
        let likes = units_of_tag(&self.group_rows(), tag);
        let periods = self.busy_elsewhere(&likes, today);
        let (draft, opens) = if periods.is_empty() || facts.retired {
            (opening, None)
        } else {
            let draft = draft_of(None, Event::UnitAct(UnitAct::Blocked { periods }));
            (draft, Some(Opening::First(Box::new(opening))))
        };
        let opens = self.with_calendar(agreement, today, opens);
        Ok(Decided { draft, record: None, opened_at: None, opens })
    }

    /// The calendar of the own city as a whole, where an agreement has none and others have.
    fn with_calendar(
        &mut self,
        agreement: AgreementId,
        today: Date,
        then: Option<Opening>,
    ) -> Option<Opening> {
        let city = self.settings.city;
        if !view::whole_city(&self.group_rows(), agreement, city).is_empty() {
            return then;
        }
        let calendars = self.own_calendars(agreement);
        let periods = self.busy_elsewhere(&calendars, today);
        if periods.is_empty() {
            return then;
        }
        let opening = draft_of(None, Event::UnitRegistered { facts: UnitFacts::WHOLE_CITY });
        let block = draft_of(None, Event::UnitAct(UnitAct::Blocked { periods }));
        let (opening, block) = (Box::new(opening), Box::new(block));
        Some(Opening::Calendar { opening, block, then: then.map(Box::new) })
    }

    /// When own units are busy from today on, as far as an entry holds it, the earliest first. Of
    /// an agreement that has ended nobody keeps that; of a retired unit neither.
    fn busy_elsewhere(&mut self, units: &[(AgreementId, SubjectId)], today: Date) -> Vec<Period> {
        let years = today.year()..=today.year() + UNIT_YEARS_AHEAD_MAX;
        let begins = HalfDay::morning(today).number();
        let mut all = Vec::new();
        for (agreement, subject) in units {
            if self.check_term(*agreement, today).is_err() {
                continue;
            }
            let rows = self.group_rows();
            let found = view::unit(&rows, *agreement, *subject);
            let Some(found) = found.filter(|found| !found.facts.retired) else { continue };
            let busy = view::unit_busy_in(&rows, (*agreement, *subject), &found, years.clone());
            all.extend(busy.into_iter().filter(|(_, last)| *last >= begins));
        }
        all.sort_unstable();
        let mut stretches = Vec::new();
        let from_today = |(first, last): (i64, i64)| (first.max(begins), last);
        all.into_iter().map(from_today).for_each(|one| calendar::join(&mut stretches, one));
        let mut periods = calendar::periods(&stretches);
        periods.truncate(UNIT_PERIODS_MAX);
        periods
    }

    /// The calendars of the own city as a whole in other agreements.
    fn own_calendars(&mut self, but: AgreementId) -> Vec<(AgreementId, SubjectId)> {
        let city = self.settings.city;
        let others: Vec<AgreementId> =
            self.book.iter().map(|(id, _)| *id).filter(|id| *id != but).collect();
        let rows = self.group_rows();
        let of = |id: AgreementId| {
            view::whole_city(&rows, id, city).into_iter().map(move |subject| (id, subject))
        };
        others.into_iter().flat_map(of).collect()
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
        let draft = draft_of(Some(subject), Event::UnitAct(act));
        let draft = Draft { parts: vec![part_of(record)], ..draft };
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
        if let Some(subject) = subject {
            let found = self.unit(agreement, subject)?;
            self.judge_unit(&found, &act, None, today)?;
            let opened_at = Some(found.opened_at);
            let draft = draft_of(Some(subject), Event::UnitAct(act));
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
        let opening = draft_of(None, Event::UnitRegistered { facts: UnitFacts::WHOLE_CITY });
        let opens = Some(Opening::First(Box::new(opening)));
        let act = self.with_earlier(agreement, act, today);
        let draft = draft_of(None, Event::UnitAct(act));
        Ok(Decided { draft, record: None, opened_at: None, opens })
    }

    /// A first block of the whole city, and what its calendars in other agreements say already.
    fn with_earlier(&mut self, agreement: AgreementId, act: UnitAct, today: Date) -> UnitAct {
        let UnitAct::Blocked { mut periods } = act else { return act };
        let calendars = self.own_calendars(agreement);
        periods.extend(self.busy_elsewhere(&calendars, today));
        periods.truncate(UNIT_PERIODS_MAX);
        UnitAct::Blocked { periods }
    }

    fn unit(&mut self, agreement: AgreementId, subject: SubjectId) -> Result<UnitView, WriteError> {
        let found = view::unit(&self.group_rows(), agreement, subject);
        let found = found.ok_or(WriteError::NotFound)?;
        if found.needs_newer {
            return Err(WriteError::NeedsNewerVersion);
        }
        self.check_leaning(agreement, subject, None)?;
        let by = self.settings.city;
        if !self.logs.members(agreement).contains(&by) {
            return Err(Refusal::from(Misfit::NotAMember { city: by }).into());
        }
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
        let rows = self.group_rows();
        let known = units_of_tag(&rows, tag);
        // One that is retired stands in nobody's way but of a third one.
        let counts = |id| but.is_none() || !is_retired(&rows, agreement, id);
        let other = |(of, id): &(AgreementId, SubjectId)| {
            *of == agreement && Some(*id) != but && counts(*id)
        };
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

fn is_retired(rows: &impl ReadRows, agreement: AgreementId, subject: SubjectId) -> bool {
    view::unit(rows, agreement, subject).is_some_and(|found| found.facts.retired)
}

fn draft_of(id: Option<SubjectId>, event: Event) -> Draft {
    let subject = Subject { kind: SubjectKind::Unit, id };
    Draft { subject, prev: None, event, parts: Vec::new() }
}

fn part_of(record: &UnitRecord) -> NewPart {
    let content = PartContent::Unit(Box::new(record.clone()));
    NewPart { audience: Audience::AllMembers, content }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::MemRows;

    #[test]
    fn two_of_one_number_in_one_agreement_are_likes_too() {
        let mut rows = MemRows::default();
        let (tag, other) = (Tag::new([5; 16]), Tag::new([6; 16]));
        let unit = |of, id| (AgreementId::new([of; 16]), SubjectId::new([id; 16]));
        for (tag, (of, id)) in
            [(tag, unit(1, 7)), (tag, unit(1, 9)), (tag, unit(2, 8)), (other, unit(2, 7))]
        {
            rows.put(keys::unit_number(tag, of, id), Vec::new());
            rows.put(keys::unit_tag(of, id), tag.as_bytes().to_vec());
        }
        let all = [unit(1, 7), unit(1, 9), unit(2, 8)];
        for (of, id) in all {
            assert_eq!(likes(&rows, of, id), all);
        }
        assert_eq!(likes(&rows, unit(2, 7).0, unit(2, 7).1), [unit(2, 7)]);
        // Its number was erased.
        assert_eq!(likes(&rows, unit(3, 7).0, unit(3, 7).1), [unit(3, 7)]);
    }
}
