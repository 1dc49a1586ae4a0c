//! Which terms run in which case or notice, in order of their last days: kept in memory, worked out
//! anew whenever the feed names one.
//!
//! In scope: the index, and the lengths of terms an agreement sets. Out of scope: what runs when
//! ([`crate::domain::deadline`]), pages and messages (`rpc::case_due`).
//!
//! Acknowledged notices take no room, nor do archived cases once their outcome is reported. Of a
//! notice whose author's clock was in doubt nobody knows when it was issued: its term runs from
//! when another member first held it, and from when it was first seen here until one has said so.
//!
//! Invariant: after [`Due::look`] the index is what [`Due::of_case`] gives for every case and
//! [`Due::of_notice`] for every notice, as of one apply number.
//! (`f14_what_is_due_is_listed_exactly`, `totals_and_pages_are_those_of_a_plain_list`)

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::Date;
use crate::domain::calendar::{Term, WorkCalendar};
use crate::domain::deadline::{self, Clock, Deadline, Terms};
use crate::ids::{AgreementId, CaseKey, CityCode, SubjectId};
use crate::log::SubjectKind;
use crate::node::pieces;
use crate::node::reader::Reader;
use crate::node::writer::NodeHandle;
use crate::trust::charter;
use crate::view::{self, CaseView, NoticeView, ReadRows};

/// Whose, when, and of which case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Whose.
    pub city: CityCode,
    /// The last day; of a suspended one, which has none, the day it began with.
    pub on: Date,
    /// The case or notice.
    pub agreement: AgreementId,
    /// The case or notice.
    pub subject: SubjectId,
    /// What for.
    pub clock: Clock,
    /// Which of its terms: two requests for help may end on one day.
    pub nth: u32,
}

/// Which terms a list is about.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Whose.
    pub city: CityCode,
    /// No day before this one; all without.
    pub from: Option<Date>,
    /// No day behind this one; all without.
    pub until: Option<Date>,
    /// Latest first, instead of soonest first.
    pub latest_first: bool,
    /// Those that are suspended, by the days they began with; instead of the others, by their last
    /// days.
    pub suspended: bool,
}

impl Span {
    /// All terms of a city that have a last day, soonest first.
    #[must_use]
    pub const fn of(city: CityCode) -> Self {
        Self { city, from: None, until: None, latest_first: false, suspended: false }
    }

    /// The first key that may be in it, and the last one.
    fn ends(&self) -> (Key, Key) {
        let city = self.city;
        let low = Key {
            city,
            on: self.from.unwrap_or(Date::EARLIEST),
            agreement: AgreementId::new([0; 16]),
            subject: SubjectId::new([0; 16]),
            clock: Clock::Filing,
            nth: 0,
        };
        let high = Key {
            city,
            on: self.until.unwrap_or(Date::LATEST),
            agreement: AgreementId::new([0xff; 16]),
            subject: SubjectId::new([0xff; 16]),
            clock: Clock::ALL.last().copied().unwrap_or(Clock::Filing),
            nth: u32::MAX,
        };
        (low, high)
    }
}

/// Calendar and terms of this node, and what they come to.
#[derive(Clone)]
pub struct Due {
    calendar: Arc<WorkCalendar>,
    terms: Terms,
    index: Arc<Mutex<Index>>,
}

#[derive(Default)]
struct Index {
    /// The feed it follows; none before the first look.
    feed: Option<[u8; 16]>,
    read_to: u64,
    /// Those that have a last day.
    dated: Days,
    /// Those that are suspended: who forgets to record the end of a test finds them here.
    suspended: Days,
    of_case: HashMap<CaseKey, Vec<Key>>,
    /// Those of them that are answers to notices and requests for help, however far off.
    answers: BTreeSet<Key>,
    /// Notices of which it must be known since when they are held, and nobody has said so: when
    /// they were first seen here.
    unheld: BTreeMap<CaseKey, i64>,
}

/// Terms by their days.
#[derive(Default)]
struct Days {
    by_day: BTreeMap<Key, Deadline>,
    /// How many are of a day, for each city and agreement: a total is added up from a few hundred
    /// of these, not counted from a hundred thousand.
    counts: BTreeMap<(CityCode, Date, AgreementId), usize>,
}

impl Due {
    /// With a calendar, and the terms that no agreement sets.
    #[must_use]
    pub fn new(calendar: WorkCalendar, terms: Terms) -> Self {
        Self { calendar: Arc::new(calendar), terms, index: Arc::default() }
    }

    /// The workdays as this node knows them.
    #[must_use]
    pub fn calendar(&self) -> &WorkCalendar {
        &self.calendar
    }

    /// The terms that no agreement sets, as this node counts them.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Years whose workdays are known.
    #[must_use]
    pub fn years(&self) -> Vec<i32> {
        self.calendar.years().collect()
    }

    /// The terms that run in a case, soonest first; suspended ones last.
    #[must_use]
    pub fn of_case(
        &self,
        node: &NodeHandle,
        rows: &impl ReadRows,
        (agreement, subject): CaseKey,
        view: &CaseView,
    ) -> Vec<Deadline> {
        let happened = view::happened(rows, agreement, subject);
        let charter = node.book().get(agreement).map(|a| a.charter.deadlines);
        let terms = charter.map_or(self.terms, |set| with_agreement(self.terms, &set));
        let mut all =
            deadline::deadlines(&view.case, view.last_move, &happened, &terms, &self.calendar);
        all.sort_by_key(|d| (d.last.is_none(), d.last, d.clock));
        all
    }

    /// By when those that have not acknowledged a notice are to do so; it was seen here by then.
    fn of_notice(
        &self,
        node: &NodeHandle,
        reader: &Reader,
        (agreement, view): (AgreementId, &NoticeView),
        seen_ms: i64,
    ) -> Vec<Deadline> {
        let waited: Vec<CityCode> =
            view.notice.addressees.iter().copied().filter(|city| view.awaits(*city)).collect();
        let book = node.book();
        let Some(found) = book.get(agreement).filter(|_| !waited.is_empty()) else {
            return Vec::new();
        };
        let set = found.charter.deadlines;
        let terms = (set.emergency_minutes, set.notice_ack_workdays);
        let kind = view.notice.kind;
        let issued_ms = issued_ms(reader, view).unwrap_or(seen_ms);
        let one = |city| Deadline::of_notice(city, kind, issued_ms, terms, &self.calendar);
        waited.into_iter().filter_map(one).collect()
    }

    /// Brings the index up to what is applied now. The first look walks all cases and notices: call
    /// it off the threads that serve.
    pub fn look(&self, node: &NodeHandle) {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = node.reader();
        if index.feed != Some(reader.feed_id()) {
            *index = Index { feed: Some(reader.feed_id()), ..Index::default() };
            index.read_to = reader.apply_number(&reader.view());
            let agreements: Vec<AgreementId> = node.book().iter().map(|(id, _)| *id).collect();
            for agreement in agreements {
                pieces::cases(&reader, agreement, &mut |subject| {
                    self.work_out(node, &reader, (agreement, subject), &mut index);
                    true
                });
                pieces::notices(&reader, agreement, None, &mut |subject, view| {
                    self.take_notice(node, &reader, ((agreement, subject), &view), &mut index);
                    true
                });
            }
        }
        while let Some((changes, last)) = pieces::changes(&reader, index.read_to) {
            let mut cases: Vec<CaseKey> =
                changes.iter().filter_map(|c| Some((c.agreement, c.case()?))).collect();
            cases.sort_unstable();
            cases.dedup();
            for case in cases {
                self.work_out(node, &reader, case, &mut index);
            }
            for change in &changes {
                let Some(subject) = change.record_of(SubjectKind::Notice) else { continue };
                let notice = (change.agreement, subject);
                // Nothing is read while something is: the first would wait for a writer that
                // waits for the second.
                let found = view::notice(&reader.view(), notice.0, notice.1);
                if let Some(view) = found {
                    self.take_notice(node, &reader, (notice, &view), &mut index);
                }
            }
            index.read_to = last;
        }
        // A receipt is no entry, so the feed does not tell of it.
        let unheld: Vec<CaseKey> = index.unheld.keys().copied().collect();
        for notice in unheld {
            let found = view::notice(&reader.view(), notice.0, notice.1);
            if let Some(view) = found {
                self.take_notice(node, &reader, (notice, &view), &mut index);
            }
        }
    }

    fn take_notice(
        &self,
        node: &NodeHandle,
        reader: &Reader,
        (key, view): (CaseKey, &NoticeView),
        index: &mut Index,
    ) {
        index.remove(key);
        let seen_ms = index.unheld.remove(&key).unwrap_or_else(|| node.now_ms());
        index.put(key, self.of_notice(node, reader, (key.0, view), seen_ms));
        if index.of_case.contains_key(&key) && issued_ms(reader, view).is_none() {
            index.unheld.insert(key, seen_ms);
        }
    }

    fn work_out(&self, node: &NodeHandle, reader: &Reader, case: CaseKey, index: &mut Index) {
        index.remove(case);
        let rows = reader.view();
        let Some(view) = view::case(&rows, case.0, case.1) else { return };
        // An archived case has at most the report of its outcome left, which a city that took it
        // over owes.
        if view.case.turn.is_none() && view.case.handled_by.len() < 2 {
            return;
        }
        index.put(case, self.of_case(node, &rows, case, &view));
    }

    /// Terms of a span in its order, from behind a key on: as many as are wanted, how many there
    /// are from the first on, and the apply number as of which it is so.
    #[must_use]
    pub fn list(
        &self,
        span: &Span,
        agreements: &[AgreementId],
        after: Option<Key>,
        want: usize,
    ) -> (Vec<(Key, Deadline)>, usize, u64) {
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let (found, total) = index.of(span).list(span, agreements, after, want);
        (found, total, index.read_to)
    }

    /// When a notice was first seen here that nobody has said to hold.
    pub(crate) fn unheld_since(&self, notice: CaseKey) -> Option<i64> {
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        index.unheld.get(&notice).copied()
    }

    /// The answers to notices and requests for help that a city owes, however far off their days.
    pub(super) fn answers(&self, city: CityCode) -> Vec<(Key, Deadline)> {
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let (low, high) = Span::of(city).ends();
        let owed = index.answers.range(low..=high);
        owed.filter_map(|key| Some((*key, *index.dated.by_day.get(key)?))).collect()
    }
}

/// When a notice was issued: as its author's clock says, or, where that is in doubt, when another
/// member first held it; `None` while none has said so.
pub(crate) fn issued_ms(reader: &Reader, view: &NoticeView) -> Option<i64> {
    let opening = reader.entry(view.opened_at);
    let suspect = opening.is_ok_and(|opening| opening.entry.envelope.clock_suspect);
    if suspect { reader.first_held_ms(view.opened_at) } else { Some(view.issued_ms) }
}

impl Index {
    /// Takes a case or notice out.
    fn remove(&mut self, case: CaseKey) {
        for key in self.of_case.remove(&case).unwrap_or_default() {
            self.dated.remove(&key);
            self.suspended.remove(&key);
            self.answers.remove(&key);
        }
    }

    fn days(&mut self, suspended: bool) -> &mut Days {
        if suspended { &mut self.suspended } else { &mut self.dated }
    }

    const fn of(&self, span: &Span) -> &Days {
        if span.suspended { &self.suspended } else { &self.dated }
    }

    /// Takes in the terms of a case or notice that is not in it: those that somebody has to keep.
    fn put(&mut self, case: CaseKey, all: Vec<Deadline>) {
        let placed = placed(case, all);
        if placed.is_empty() {
            return;
        }
        self.of_case.insert(case, placed.iter().map(|(key, _)| *key).collect());
        for (key, deadline) in placed {
            if matches!(key.clock, Clock::NoticeAck | Clock::Assistance) {
                self.answers.insert(key);
            }
            self.days(deadline.suspended).put(key, deadline);
        }
    }
}

impl Days {
    fn remove(&mut self, key: &Key) {
        if self.by_day.remove(key).is_none() {
            return;
        }
        if let Entry::Occupied(mut count) = self.counts.entry(day_of(key)) {
            *count.get_mut() = count.get().saturating_sub(1);
            if *count.get() == 0 {
                count.remove();
            }
        }
    }

    fn put(&mut self, key: Key, deadline: Deadline) {
        if self.by_day.insert(key, deadline).is_none() {
            *self.counts.entry(day_of(&key)).or_default() += 1;
        }
    }

    /// As [`Due::list`].
    fn list(
        &self,
        span: &Span,
        agreements: &[AgreementId],
        after: Option<Key>,
        want: usize,
    ) -> (Vec<(Key, Deadline)>, usize) {
        let (low, high) = span.ends();
        if low > high {
            return (Vec::new(), 0);
        }
        let days = self.counts.range(day_of(&low)..=day_of(&high));
        let days = days.filter(|((_, _, agreement), _)| agreements.contains(agreement));
        let total = days.map(|(_, count)| *count).sum();
        let after = after.filter(|after| (low..=high).contains(after));
        let (from, to) = match (after, span.latest_first) {
            (None, _) => (Bound::Included(low), Bound::Included(high)),
            (Some(after), false) => (Bound::Excluded(after), Bound::Included(high)),
            (Some(after), true) => (Bound::Included(low), Bound::Excluded(after)),
        };
        let due = self.by_day.range((from, to));
        let due = due.filter(|(key, _)| agreements.contains(&key.agreement));
        let due = due.map(|(key, deadline)| (*key, *deadline));
        let found = match span.latest_first {
            true => due.rev().take(want).collect(),
            false => due.take(want).collect(),
        };
        (found, total)
    }
}

/// Terms with their places: those that somebody has yet to keep, by a day, or once they go on.
fn placed((agreement, subject): CaseKey, all: Vec<Deadline>) -> Vec<(Key, Deadline)> {
    let placed = (0..).zip(all).filter_map(|(nth, deadline)| {
        let on = match deadline.suspended {
            true => deadline.from,
            false => deadline.last.filter(|_| !deadline.met)?.on,
        };
        let (city, clock) = (deadline.city, deadline.clock);
        Some((Key { city, on, agreement, subject, clock, nth }, deadline))
    });
    placed.collect()
}

/// City, day and agreement of a term.
fn day_of(key: &Key) -> (CityCode, Date, AgreementId) {
    (key.city, key.on, key.agreement)
}

/// The terms an agreement sets take the place of what nobody set.
fn with_agreement(terms: Terms, set: &charter::Deadlines) -> Terms {
    Terms {
        transfer_ack: Term::Workdays(set.transfer_ack_workdays),
        transfer_answer: Term::Workdays(set.transfer_answer_workdays),
        progress: Term::Days(set.progress_days),
        outcome: Term::Workdays(set.outcome_workdays),
        ..terms
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::calendar::LastDay;

    fn day(number: i64) -> Date {
        Date::from_days_since_epoch(20_000 + number).unwrap()
    }

    fn city(nth: u8) -> CityCode {
        CityCode::from_u32([371_500, 130_400][usize::from(nth)]).unwrap()
    }

    fn agreement(nth: u8) -> AgreementId {
        AgreementId::new([nth; 16])
    }

    /// Terms of a case: whose each is, when it ends or, of one that is suspended, when it began.
    fn terms(ends: &[(u8, i64, bool)]) -> Vec<Deadline> {
        let one = |(of, on, suspended): &(u8, i64, bool)| {
            let (from, last) = match suspended {
                true => (day(*on), None),
                false => (day(0), Some(LastDay::sure(day(*on)))),
            };
            let suspended = *suspended;
            Deadline { suspended, ..Deadline::new(Clock::Filing, city(*of), from, last) }
        };
        ends.iter().map(one).collect()
    }

    proptest! {
        #[test]
        fn totals_and_pages_are_those_of_a_plain_list(
            steps in prop::collection::vec(
                ((0..2_u8, 0..20_u8),
                    prop::collection::vec((0..2_u8, 0..6_i64, any::<bool>()), 0..4)), 0..80),
            (from, until) in (prop::option::of(0..6_i64), prop::option::of(0..6_i64)),
            (latest_first, suspended) in (any::<bool>(), any::<bool>()),
            of in prop::collection::vec(0..2_u8, 0..3),
            want in 1..5_usize,
        ) {
            let (mut index, mut plain) = (Index::default(), BTreeMap::new());
            for ((of, case), ends) in steps {
                let case = (agreement(of), SubjectId::new([case; 16]));
                index.remove(case);
                index.put(case, terms(&ends));
                plain.insert(case, placed(case, terms(&ends)));
            }
            let agreements: Vec<AgreementId> = of.into_iter().map(agreement).collect();
            let (from, until) = (from.map(day), until.map(day));
            for one in [city(0), city(1)] {
                let mut all: Vec<(Key, Deadline)> = plain.values().flatten().copied().collect();
                all.retain(|(key, deadline)| {
                    key.city == one
                        && deadline.suspended == suspended
                        && from.is_none_or(|from| from <= key.on)
                        && until.is_none_or(|until| key.on <= until)
                        && agreements.contains(&key.agreement)
                });
                all.sort_by_key(|(key, _)| *key);
                if latest_first {
                    all.reverse();
                }
                let span = Span { city: one, from, until, latest_first, suspended };
                let (mut listed, mut after) = (Vec::new(), None);
                loop {
                    let (page, total) = index.of(&span).list(&span, &agreements, after, want);
                    prop_assert_eq!(total, all.len());
                    let Some((last, _)) = page.last() else { break };
                    after = Some(*last);
                    listed.extend(page);
                }
                prop_assert_eq!(listed, all);
            }
            let cases: Vec<CaseKey> = plain.into_keys().collect();
            cases.into_iter().for_each(|case| index.remove(case));
            for days in [index.dated, index.suspended] {
                prop_assert!(days.counts.is_empty() && days.by_day.is_empty());
            }
        }
    }
}
