//! Walking openings from the newest on, in many small readings, to an answer that is exact as of
//! one moment.
//!
//! A reading keeps the writer waiting, so no reading is long. What changed between the first and
//! the last of them is read from the feed and put right under the last one; the cursor of that
//! moment goes with the answer.
//!
//! In scope: order, counting, the scan budget. Out of scope: filters ([`super::case_filter`]),
//! tokens and messages ([`super::case_list`]).
//!
//! Invariants:
//! 1. What is found is exactly what the filter takes as of `as_of`, from behind `after` down to
//!    `low`, or to `full_at` where a page was full.
//!    (`pages_are_stable_while_cases_are_opened`, `pages_lose_nothing_while_cases_leave_them`)

use std::collections::{BTreeSet, VecDeque};

use super::case_filter::Filter;
use crate::ids::{AgreementId, SubjectId, Tag};
use crate::limits::SCAN_ROWS_MAX;
use crate::node::reader::Reader;
use crate::node::search::Search;
use crate::view::{self, CaseView, FeedEntry};

/// Openings read at a time.
const CHUNK: usize = 128;
/// Feed entries put right at a time.
const FEED_CHUNK: usize = 256;

/// A case that was found.
pub(super) struct Found {
    /// Its agreement.
    pub agreement: AgreementId,
    /// The case.
    pub subject: SubjectId,
    /// As the rows have it.
    pub view: CaseView,
}

/// What a walk came to.
pub(super) struct Walked {
    /// Cases found, newest opening first, at most as many as were wanted.
    pub found: Vec<Found>,
    /// Cases that fit in all, as far as was looked.
    pub total: u64,
    /// Apply number of the lowest opening looked at.
    pub low: u64,
    /// Opening of the case with which as many as were wanted had been found: what fits below it was
    /// counted and not kept, whoever has left the page since.
    pub full_at: Option<u64>,
    /// Nothing lies below.
    pub complete: bool,
    /// Apply number as of which all this is so.
    pub as_of: u64,
}

/// What to walk, and how far.
pub(super) struct Walk<'a> {
    /// Where to read.
    pub reader: &'a Reader,
    /// Where to look up parties.
    pub search: &'a Search,
    /// What to take.
    pub filter: &'a Filter,
    /// Stands for the filter's assignee.
    pub assignee: Option<Tag>,
    /// Go on below this opening.
    pub after: Option<u64>,
    /// Cases wanted.
    pub want: usize,
    /// Go on to the end or the budget to count.
    pub count: bool,
}

/// Openings of one agreement, read ahead.
struct Source {
    agreement: AgreementId,
    below: Option<u64>,
    ready: VecDeque<(u64, SubjectId)>,
    done: bool,
}

impl Walk<'_> {
    /// Walks.
    pub(super) fn run(&self) -> Walked {
        let begun = self.reader.apply_number(&self.reader.view());
        let source = |agreement: &AgreementId| Source {
            agreement: *agreement,
            below: self.after,
            ready: VecDeque::new(),
            done: false,
        };
        let mut sources: Vec<Source> = self.filter.agreements.iter().map(source).collect();
        let mut walked = Walked {
            found: Vec::new(),
            total: 0,
            low: self.after.unwrap_or(u64::MAX),
            full_at: None,
            complete: false,
            as_of: begun,
        };
        let mut fitting: BTreeSet<SubjectId> = BTreeSet::new();
        let mut looked = 0;
        loop {
            if looked >= SCAN_ROWS_MAX || (walked.found.len() >= self.want && !self.count) {
                break;
            }
            let Some((apply, agreement, subject)) = self.next(&mut sources) else {
                walked.complete = true;
                break;
            };
            (looked, walked.low) = (looked + 1, apply);
            let full = walked.found.len() >= self.want;
            if full && self.filter.is_open() {
                fitting.insert(subject);
                continue;
            }
            let view = view::case(&self.reader.view(), agreement, subject);
            let Some(view) = view.filter(|view| self.takes((agreement, subject), view)) else {
                continue;
            };
            fitting.insert(subject);
            if !full {
                walked.found.push(Found { agreement, subject, view });
                walked.full_at = (walked.found.len() >= self.want).then_some(apply);
            }
        }
        self.settle(&mut walked, &mut fitting);
        walked.total = u64::try_from(fitting.len()).unwrap_or(u64::MAX);
        walked
    }

    /// Whether a case is to be shown. No view may be held.
    fn takes(&self, case: (AgreementId, SubjectId), view: &CaseView) -> bool {
        let party = self.filter.party.as_ref();
        let leaning = self.filter.leaning.as_ref();
        let assigned = |tag| self.reader.is_assigned(case, tag);
        self.filter.takes(case, view)
            && leaning.is_none_or(|l| l.has_case(&self.reader.view(), case.0, case.1))
            && self.assignee.is_none_or(assigned)
            && party.is_none_or(|query| self.search.takes(self.reader, query, case, view))
    }

    /// The newest opening not yet walked.
    fn next(&self, sources: &mut [Source]) -> Option<(u64, AgreementId, SubjectId)> {
        for source in sources.iter_mut().filter(|s| s.ready.is_empty() && !s.done) {
            let (below, ready) = (source.below, &mut source.ready);
            view::openings(&self.reader.view(), source.agreement, below, &mut |apply, subject| {
                ready.push_back((apply, subject));
                ready.len() < CHUNK
            });
            source.done = ready.len() < CHUNK;
            source.below = ready.back().map_or(below, |(apply, _)| Some(*apply));
        }
        let newest = sources.iter_mut().max_by_key(|s| s.ready.front().map(|(apply, _)| *apply))?;
        let (apply, subject) = newest.ready.pop_front()?;
        Some((apply, newest.agreement, subject))
    }

    /// Puts right what changed since the walk began, and ends at a moment of which all is true.
    fn settle(&self, walked: &mut Walked, fitting: &mut BTreeSet<SubjectId>) {
        loop {
            let rows = self.reader.view();
            let now = self.reader.apply_number(&rows);
            let mut changes: Vec<FeedEntry> = Vec::new();
            view::feed(&rows, walked.as_of + 1, &mut |entry| {
                changes.push(entry);
                changes.len() < FEED_CHUNK
            });
            let ours = changes.iter().filter(|c| self.filter.agreements.contains(&c.agreement));
            let ours = ours.filter_map(|change| Some((change.agreement, change.case()?)));
            let views: Vec<Found> = ours
                .filter_map(|(agreement, subject)| {
                    let view = view::case(&rows, agreement, subject)?;
                    Some(Found { agreement, subject, view })
                })
                .collect();
            // A party is looked up without them. It goes with the record, which the view names.
            drop(rows);
            for changed in views {
                self.put_right(changed, walked, fitting);
            }
            walked.as_of = changes.last().map_or(walked.as_of, |change| change.apply);
            if changes.len() < FEED_CHUNK {
                walked.as_of = now;
                return;
            }
        }
    }

    fn put_right(&self, changed: Found, walked: &mut Walked, fitting: &mut BTreeSet<SubjectId>) {
        let Found { agreement, subject, view } = changed;
        let opened = view.opened_apply;
        let looked_at = self.after.is_none_or(|after| opened < after)
            && (walked.complete || opened >= walked.low);
        if !looked_at {
            return;
        }
        walked.found.retain(|found| found.subject != subject);
        if !self.takes((agreement, subject), &view) {
            fitting.remove(&subject);
            return;
        }
        fitting.insert(subject);
        walked.put(Found { agreement, subject, view }, self.want);
    }
}

impl Walked {
    /// Puts a case in its place. Behind a full page there are others of which nothing is kept but
    /// their number.
    fn put(&mut self, found: Found, want: usize) {
        let opened = found.view.opened_apply;
        if self.full_at.is_some_and(|full_at| opened < full_at) {
            return;
        }
        let place = self.found.partition_point(|other| other.view.opened_apply > opened);
        self.found.insert(place, found);
        if self.found.len() > want {
            self.found.truncate(want);
            self.full_at = self.found.last().map(|last| last.view.opened_apply);
        }
    }

    /// Below which opening the next page lies, after so many were shown, the last of them at this
    /// opening; `None` when there is none.
    pub(super) fn next(&self, shown: usize, last: Option<u64>) -> Option<u64> {
        if shown < self.found.len() {
            return last;
        }
        // All that was kept is shown; the rest, if any, lies below where the page was full, or else
        // below what was looked at.
        self.full_at.or((!self.complete).then_some(self.low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{self, CaseFacts, DataLevel, Medium, Source, Violation};
    use crate::ids::{CityCode, LogId, Position};

    fn found(opened: u64) -> Found {
        let facts = CaseFacts {
            source: Source::Complaint,
            medium: Medium::Water,
            violation: Violation::WaterExceed,
            county_code: None,
            discovered_time_ms: 0,
            occurred_from: None,
            occurred_to: None,
            data_level: DataLevel::General,
            borders: Vec::new(),
            border_uncertain: false,
            belt_exception: false,
            has_point: false,
        };
        let city = CityCode::from_u32(371_500).unwrap();
        let at = Position { log: LogId::new([1; 32]), index: opened };
        let view = CaseView {
            case: domain::open(city, facts, "2026-11-20".parse().unwrap()),
            opened_at: at,
            last_move: at,
            record_at: at,
            person_at: None,
            move_count: 1,
            contribution_count: 0,
            misfit_count: 0,
            needs_newer: false,
            parts_received_by: Vec::new(),
            last_record_time_ms: 0,
            last_apply: opened,
            opened_apply: opened,
        };
        let subject = crate::log::subject_id(at);
        Found { agreement: AgreementId::new([2; 16]), subject, view }
    }

    /// A page of two with one more, of which everything below 10 was only counted.
    fn walked() -> Walked {
        let found = [30, 20, 10].map(found).into();
        Walked { found, total: 9, low: 1, full_at: Some(10), complete: true, as_of: 40 }
    }

    fn places(walked: &Walked) -> Vec<u64> {
        walked.found.iter().map(|found| found.view.opened_apply).collect()
    }

    #[test]
    fn pages_lose_nothing_while_cases_leave_them() {
        let mut page = walked();
        assert_eq!(page.next(2, Some(20)), Some(20), "one more is kept");
        page.found.remove(1);
        assert_eq!(page.next(2, Some(10)), Some(10), "what lies below was never kept");
        // A case from below does not come next only because there is room again.
        page.put(found(5), 3);
        assert_eq!(places(&page), [30, 10]);
        page.put(found(40), 3);
        assert_eq!((places(&page), page.next(2, Some(30))), (vec![40, 30, 10], Some(30)));
        // What is pushed off the page is found below it, also when others leave it.
        let mut page = walked();
        page.put(found(25), 3);
        assert_eq!((places(&page), page.full_at), (vec![30, 25, 20], Some(20)));
        page.found.remove(1);
        assert_eq!(page.next(2, Some(20)), Some(20));
        // Nothing was left behind, or only what was not looked at.
        let whole = Walked { full_at: None, ..walked() };
        assert_eq!(whole.next(3, Some(10)), None);
        let partial = Walked { complete: false, ..whole };
        assert_eq!(partial.next(3, Some(10)), Some(1));
    }
}
