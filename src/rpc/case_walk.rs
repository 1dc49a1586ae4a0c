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
//!    `low`. (`pages_are_stable_while_cases_are_opened`)

use std::collections::{BTreeSet, VecDeque};

use super::case_filter::Filter;
use crate::ids::{AgreementId, SubjectId};
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
            }
        }
        self.settle(&mut walked, &mut fitting);
        walked.total = u64::try_from(fitting.len()).unwrap_or(u64::MAX);
        walked
    }

    /// Whether a case is to be shown. No view may be held.
    fn takes(&self, case: (AgreementId, SubjectId), view: &CaseView) -> bool {
        let party = self.filter.party.as_ref();
        self.filter.takes(view)
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
        let held = walked.found.len();
        walked.found.retain(|found| found.subject != subject);
        if !self.takes((agreement, subject), &view) {
            fitting.remove(&subject);
            return;
        }
        fitting.insert(subject);
        let place = walked.found.partition_point(|found| found.view.opened_apply > opened);
        // Behind a full page there are others of which nothing is kept but their number.
        if place < held.max(walked.found.len()) || held < self.want {
            walked.found.insert(place, Found { agreement, subject, view });
            walked.found.truncate(self.want);
        }
    }
}
