//! Which terms run in which case, in order of their last days: kept in memory, worked out anew
//! for a case whenever the feed names it.
//!
//! In scope: the index, and the lengths of terms an agreement sets. Out of scope: what runs when
//! ([`crate::domain::deadline`]), pages and messages (`rpc::case_due`).
//!
//! Archived cases take no room.
//!
//! Invariant: after [`Due::look`] the index is what [`Due::of_case`] gives for every case as of one
//! apply number. (`f14_what_is_due_is_listed_exactly`)

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::Date;
use crate::domain::calendar::{Term, WorkCalendar};
use crate::domain::deadline::{self, Clock, Deadline, Terms};
use crate::ids::{AgreementId, CityCode, SubjectId};
use crate::node::pieces;
use crate::node::reader::Reader;
use crate::node::writer::NodeHandle;
use crate::trust::charter;
use crate::view::{self, CaseView, ReadRows};

/// Whose, when, and of which case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Whose.
    pub city: CityCode,
    /// The last day.
    pub on: Date,
    /// The case.
    pub agreement: AgreementId,
    /// The case.
    pub subject: SubjectId,
    /// What for.
    pub clock: Clock,
    /// Which of the case's terms: two requests for help may end on one day.
    pub nth: u32,
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
    by_day: BTreeMap<Key, Deadline>,
    of_case: HashMap<(AgreementId, SubjectId), Vec<Key>>,
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
        (agreement, subject): (AgreementId, SubjectId),
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

    /// Brings the index up to what is applied now. The first look walks all cases: call it off the
    /// threads that serve.
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
            }
        }
        while let Some((changes, last)) = pieces::changes(&reader, index.read_to) {
            let mut cases: Vec<(AgreementId, SubjectId)> =
                changes.iter().filter_map(|c| Some((c.agreement, c.case()?))).collect();
            cases.sort_unstable();
            cases.dedup();
            for case in cases {
                self.work_out(node, &reader, case, &mut index);
            }
            index.read_to = last;
        }
    }

    fn work_out(
        &self,
        node: &NodeHandle,
        reader: &Reader,
        case: (AgreementId, SubjectId),
        index: &mut Index,
    ) {
        for key in index.of_case.remove(&case).unwrap_or_default() {
            index.by_day.remove(&key);
        }
        let rows = reader.view();
        let Some(view) = view::case(&rows, case.0, case.1) else { return };
        if view.case.turn.is_none() {
            return;
        }
        let (agreement, subject) = case;
        let all = self.of_case(node, &rows, case, &view);
        let dated = (0..).zip(all).filter_map(|(nth, deadline)| {
            let on = deadline.last?.on;
            let (city, clock) = (deadline.city, deadline.clock);
            Some((Key { city, on, agreement, subject, clock, nth }, deadline))
        });
        let dated: Vec<(Key, Deadline)> = dated.collect();
        if dated.is_empty() {
            return;
        }
        index.of_case.insert(case, dated.iter().map(|(key, _)| *key).collect());
        index.by_day.extend(dated);
    }

    /// Terms of a city that end by a day, soonest first, from behind a key on: as many as are
    /// wanted, how many there are from the first on, and the apply number as of which it is so.
    #[must_use]
    pub fn list(
        &self,
        (city, until): (CityCode, Option<Date>),
        agreements: &[AgreementId],
        after: Option<Key>,
        want: usize,
    ) -> (Vec<(Key, Deadline)>, usize, u64) {
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |city: CityCode| Key {
            city,
            on: Date::EARLIEST,
            agreement: AgreementId::new([0; 16]),
            subject: SubjectId::new([0; 16]),
            clock: Clock::Filing,
            nth: 0,
        };
        let all = index.by_day.range((Bound::Included(of(city)), Bound::Unbounded));
        let due = |key: &Key| key.city == city && until.is_none_or(|until| key.on <= until);
        let due = all.take_while(|(key, _)| due(key));
        let due = due.filter(|(key, _)| agreements.contains(&key.agreement));
        let (mut found, mut total) = (Vec::new(), 0);
        for (key, deadline) in due {
            total += 1;
            if found.len() < want && after.is_none_or(|after| *key > after) {
                found.push((*key, *deadline));
            }
        }
        (found, total, index.read_to)
    }
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
