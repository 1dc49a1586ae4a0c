//! What was said of items of evidence, as the rows hold it, and who may say it.
//!
//! In scope: folding receipts, findings and hand-overs of a case's evidence. Out of scope: the
//! rules ([`crate::domain::evidence_act`]), cases ([`super::fold`]), the lists, which are parts.
//!
//! An entry is judged by what its author had seen and by nothing else: the list that it names, the
//! grants and the acceptances that open the list to its city, the receipt before a finding. Of the
//! findings of one city the one lowest by (epoch, log, index) counts. So the order of arrival
//! changes nothing. (`evidence_is_the_same_in_every_order`)

use serde::{Deserialize, Serialize};

use super::audience::grants_of;
use super::case_view::{HistoryEntry, case, history};
use super::fold::{EntryRow, FoldEntry};
use super::keys;
use super::notice_view::Said;
use super::rows::{ReadRows, Rows, get, put};
use crate::domain::evidence_act::{EvidenceRefusal, Standing, fits};
use crate::domain::{Date, DeclineGround, EvidenceAct, EvidencePlace};
use crate::ids::{AgreementId, CityCode, LogId, Position, SubjectId};
use crate::limits::{CUSTODY_STEPS_MAX, EVIDENCE_MAX};
use crate::log::{Audience, Envelope, PartKind, SubjectKind};

/// A part that may hold a list of evidence, as the fold remembers it of its entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct List {
    part: u32,
    held_by: HeldBy,
}

/// The audience of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum HeldBy {
    AllMembers,
    HandlingCity,
    Cities(Vec<CityCode>),
}

/// What a city found. The order is that in which findings count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Judged {
    /// Where and when.
    pub said: Said,
    /// Why not; `None` when the city recognises the item.
    pub ground: Option<DeclineGround>,
}

/// The original was handed over. The order is that in which a chain is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HandedOver {
    /// The day.
    pub on: Date,
    /// Where and when it was recorded.
    pub said: Said,
    /// By whom.
    pub city: CityCode,
}

/// What was said of one item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceView {
    /// Receipts, ascending by city: the first of each of its logs.
    received: Vec<(CityCode, Said)>,
    /// What each city found, ascending by city.
    pub judged: Vec<(CityCode, Judged)>,
    /// The chain of custody, at most [`CUSTODY_STEPS_MAX`] of each city.
    pub custody: Vec<HandedOver>,
}

impl EvidenceView {
    /// Which cities hold its bytes and since when, ascending by city.
    #[must_use]
    pub fn receipts(&self) -> Vec<(CityCode, Said)> {
        let mut first: Vec<(CityCode, Said)> = Vec::new();
        for (city, said) in &self.received {
            match first.last_mut() {
                Some((last, earliest)) if last == city => *earliest = (*earliest).min(*said),
                Some(_) | None => first.push((*city, *said)),
            }
        }
        first
    }

    /// What a city found.
    #[must_use]
    pub fn finding(&self, city: CityCode) -> Option<Judged> {
        self.judged.iter().find(|(who, _)| *who == city).map(|(_, judged)| *judged)
    }

    fn steps_of(&self, city: CityCode) -> usize {
        self.custody.iter().filter(|step| step.city == city).count()
    }

    fn add(&mut self, by: CityCode, act: EvidenceAct, said: Said) {
        match act {
            EvidenceAct::Received => {
                let log = |said: &Said| said.at.log;
                let order = |(city, at): &(CityCode, Said)| (*city, log(at));
                let place = self.received.binary_search_by_key(&(by, log(&said)), order);
                // Within a log what comes first is lowest.
                if let Err(place) = place {
                    self.received.insert(place, (by, said));
                }
            }
            EvidenceAct::Recognised => self.judge(by, Judged { said, ground: None }),
            EvidenceAct::Declined { ground } => {
                self.judge(by, Judged { said, ground: Some(ground) });
            }
            EvidenceAct::HandedOver { on } => {
                let step = HandedOver { on, said, city: by };
                let place = self.custody.partition_point(|other| *other < step);
                self.custody.insert(place, step);
                // Each city has room of its own: none can fill up the chain of another.
                if self.steps_of(by) > CUSTODY_STEPS_MAX
                    && let Some(last) = self.custody.iter().rposition(|one| one.city == by)
                {
                    self.custody.remove(last);
                }
            }
        }
    }

    fn judge(&mut self, by: CityCode, judged: Judged) {
        match self.judged.binary_search_by_key(&by, |(city, _)| *city) {
            Ok(place) => {
                if let Some((_, first)) = self.judged.get_mut(place) {
                    *first = judged.min(*first);
                }
            }
            Err(place) => self.judged.insert(place, (by, judged)),
        }
    }
}

/// What was said of an item.
#[must_use]
pub fn evidence(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): (AgreementId, SubjectId),
    place: EvidencePlace,
) -> EvidenceView {
    get(rows, &keys::evidence(agreement, subject, place)).unwrap_or_default()
}

/// Walks the entries of a case that may list evidence, in order of application, until `f` says no.
pub fn evidence_lists(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): (AgreementId, SubjectId),
    f: &mut dyn FnMut(HistoryEntry) -> bool,
) {
    history(rows, agreement, subject, 0, &mut |line| {
        let row = get::<EntryRow>(rows, &keys::entry(line.position));
        let lists = row.is_some_and(|row| row.subject == Some(subject) && !row.lists.is_empty());
        !lists || f(line)
    });
}

/// What an item is to a city that has seen so much, and who may hold what that city says of it;
/// `None` when there is no such list among what it has seen.
#[must_use]
pub fn evidence_standing(
    rows: &(impl ReadRows + ?Sized),
    case_id: (AgreementId, SubjectId),
    place: EvidencePlace,
    city: CityCode,
    seen: &dyn Fn(Position) -> bool,
) -> Option<(Standing, Audience)> {
    let in_list = usize::try_from(place.item).is_ok_and(|item| item < EVIDENCE_MAX);
    let row: EntryRow = get(rows, &keys::entry(place.entry))?;
    let here = (Some(row.agreement), row.subject) == (Some(case_id.0), Some(case_id.1));
    let list = row.lists.iter().find(|list| list.part == place.part)?;
    if !in_list || !here || !seen(place.entry) {
        return None;
    }
    let by_audience = match &list.held_by {
        HeldBy::AllMembers => true,
        HeldBy::HandlingCity => has_handled(rows, case_id, city, seen),
        HeldBy::Cities(cities) => cities.contains(&city),
    };
    let granted = |(to, at): &(CityCode, Position)| *to == city && seen(*at);
    let entitled = row.city == city
        || by_audience
        || grants_of(rows, place.entry, place.part).iter().any(granted);
    let view = evidence(rows, case_id, place);
    let standing = Standing {
        listed_by: row.city,
        entitled,
        received: view.received.iter().any(|(who, said)| *who == city && seen(said.at)),
        judged: view.finding(city).is_some(),
        handed_over: view.steps_of(city),
    };
    Some((standing, audience(rows, case_id, &list.held_by, row.city)))
}

/// Whether a city opened the case, or has signed that it takes it over. Whether that took effect
/// may still change with what arrives later, so it is not asked.
fn has_handled(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): (AgreementId, SubjectId),
    city: CityCode,
    seen: &dyn Fn(Position) -> bool,
) -> bool {
    if case(rows, agreement, subject).is_some_and(|view| view.case.originating == city) {
        return true;
    }
    let accepted: Vec<(CityCode, Position)> =
        get(rows, &keys::accepted(agreement, subject)).unwrap_or_default();
    accepted.iter().any(|(by, at)| *by == city && seen(*at))
}

/// Remembers that a city has signed that it takes a case over.
pub(super) fn note_acceptance<R: Rows>(rows: &mut R, entry: &FoldEntry<'_>, subject: SubjectId) {
    let key = keys::accepted(entry.agreement, subject);
    let mut accepted = get(rows, &key).unwrap_or_default();
    note_first(&mut accepted, entry.city, entry.envelope.position());
    put(rows, key, &accepted);
}

/// Who may hold what is said of an item: whoever may hold its list, and who listed it.
fn audience(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): (AgreementId, SubjectId),
    held_by: &HeldBy,
    listed_by: CityCode,
) -> Audience {
    let with = |mut cities: Vec<CityCode>| {
        cities.push(listed_by);
        cities.sort_unstable();
        cities.dedup();
        Audience::Cities(cities)
    };
    match held_by {
        HeldBy::AllMembers => Audience::AllMembers,
        HeldBy::Cities(cities) => with(cities.clone()),
        HeldBy::HandlingCity => {
            let handled_by = case(rows, agreement, subject).map(|view| view.case.handled_by);
            let handled_by = handled_by.unwrap_or_default();
            match handled_by.contains(&listed_by) {
                true => Audience::HandlingCity,
                // A list that a city gave to whoever handles the case, and not its own.
                false => with(handled_by),
            }
        }
    }
}

/// Adds what an entry says of an item, if its author may say it.
pub(super) fn add<R: Rows>(
    rows: &mut R,
    entry: &FoldEntry<'_>,
    subject: SubjectId,
    place: EvidencePlace,
    act: EvidenceAct,
) -> Result<(), EvidenceRefusal> {
    let case_id = (entry.agreement, subject);
    let seen = |at| entry.has_seen(rows, at);
    let found = evidence_standing(rows, case_id, place, entry.city, &seen);
    fits(entry.city, found.map(|(standing, _)| standing), act)?;
    let (at, record_time_ms) = (entry.envelope.position(), entry.envelope.record_time_ms);
    let mut view = evidence(rows, case_id, place);
    view.add(entry.city, act, Said { epoch: entry.epoch, at, record_time_ms });
    put(rows, keys::evidence(entry.agreement, subject, place), &view);
    Ok(())
}

/// Parts of an entry about a case that may hold a list of evidence.
pub(super) fn lists_of(envelope: &Envelope) -> Vec<List> {
    if envelope.subject.kind != SubjectKind::Case {
        return Vec::new();
    }
    let list = |(part, named): (u32, &crate::log::PartRef)| {
        let held_by = match &named.audience {
            Audience::AllMembers => HeldBy::AllMembers,
            Audience::HandlingCity => HeldBy::HandlingCity,
            Audience::Cities(cities) => HeldBy::Cities(cities.clone()),
        };
        matches!(named.kind, PartKind::Evidence | PartKind::CaseRecord)
            .then_some(List { part, held_by })
    };
    (0..).zip(&envelope.parts).filter_map(list).collect()
}

/// Of entries of one city, the first of each of its logs: whoever has seen any of them has seen
/// one of these.
pub(super) fn note_first(all: &mut Vec<(CityCode, Position)>, city: CityCode, at: Position) {
    let order = |(who, at): &(CityCode, Position)| -> (CityCode, LogId) { (*who, at.log) };
    if let Err(place) = all.binary_search_by_key(&(city, at.log), order) {
        all.insert(place, (city, at));
    }
}
