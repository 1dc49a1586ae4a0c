//! Walking the roll of cases from the newest opening on, to an answer that is exact as of one
//! moment.
//!
//! Most filters are judged by the lines of the roll alone. For a party, a place, and records of one
//! act, indexes in memory name the few lines that come into question. Others need rows or the parts
//! of a case (who works on it, what it rests on; its record while not all are in memory): those
//! judge what the lines leave, without the roll, because they may read the disk. What changed
//! meanwhile is read from the feed and put right; the cursor of that moment goes with the answer. A
//! reading of rows keeps the writer waiting, so none is long.
//!
//! In scope: order, counting, the scan budget. Out of scope: filters ([`super::case_filter`]), what
//! is kept of a page ([`super::case_page`]), the roll ([`crate::node::roll`]), tokens and messages
//! ([`super::case_list`]).
//!
//! Invariants:
//! 1. What is found is exactly what the filter takes as of `as_of`, from behind `after` down to
//!    `low`, or to `full_at` where a page was full.
//!    (`pages_are_stable_while_cases_are_opened`, `pages_lose_nothing_while_cases_leave_them`,
//!    `totals_are_exact_at_every_moment_of_a_storm`)

use std::collections::BTreeSet;

use super::case_filter::Filter;
use super::case_page::{Found, Listed, Walked};
use crate::ids::{CaseKey, Tag};
use crate::limits::SCAN_ROWS_MAX;
use crate::node::reader::{Reader, ViewRead};
use crate::node::roll::{self, Line, Open, Roll};
use crate::node::search::{Query, Search, Sought};
use crate::node::writer::NodeHandle;
use crate::view::{self, CaseView, FeedEntry};

/// Feed entries put right at a time.
const FEED_CHUNK: usize = 256;
/// So many records that are compared in memory cost as much of the budget as reading one row.
const COMPARED_PER_ROW: u32 = 16;

/// What to walk, and how far.
pub(super) struct Walk<'a> {
    /// The node.
    pub node: &'a NodeHandle,
    /// Where to read.
    pub reader: &'a Reader,
    /// All cases.
    pub roll: &'a Roll,
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

/// The openings that every index names of those that name any, newest first; without one, none is
/// named, and all come into question.
fn named_by_all(one: Option<Vec<u64>>, other: Option<Vec<u64>>) -> Option<Vec<u64>> {
    let (mut one, other) = match (one, other) {
        (Some(one), Some(other)) => (one, other),
        (one, other) => return one.or(other),
    };
    let mut other = other.into_iter().peekable();
    one.retain(|opened| {
        while other.next_if(|newer| newer > opened).is_some() {}
        other.next_if_eq(opened).is_some()
    });
    Some(one)
}

/// What the feed has brought: the lines of the cases concerned, with what they were read from.
struct Changes {
    cases: Vec<Found>,
    /// What is about no record: erasures are among it.
    others: Vec<FeedEntry>,
    last: u64,
    /// There is more.
    more: bool,
}

impl Walk<'_> {
    /// Walks.
    pub(super) fn run(&self) -> Walked {
        if self.filter.is_by_lines() {
            return self.by_lines(self.roll.open(self.node));
        }
        self.one_by_one()
    }

    /// Everything is told by the lines. The roll stays open to the end, so that of whatever changes
    /// meanwhile it is known how it stood.
    fn by_lines(&self, mut open: Open<'_>) -> Walked {
        let mut listed = self.listed(&open);
        let mut as_of = open.as_of();
        loop {
            let rows = self.reader.view();
            let now = self.reader.apply_number(&rows);
            let changes = changes(&rows, as_of);
            for changed in &changes.cases {
                let case = (changed.agreement, changed.subject);
                let line = Line::of(&rows, case, &changed.view);
                let (opened, is) = (line.opened, self.filter.takes(&line));
                let was = open.put(line).is_some_and(|before| self.filter.takes(&before));
                if self.after.is_none_or(|after| opened < after) {
                    listed.put_right((opened, case), (was, is), self.want);
                }
            }
            as_of = changes.last;
            if changes.more {
                open.is_as_of(as_of);
                continue;
            }
            // Read with the same rows, so that each is as it was counted.
            let read = |(_, (agreement, subject)): &(u64, CaseKey)| {
                let view = view::case(&rows, *agreement, *subject)?;
                Some(Found { agreement: *agreement, subject: *subject, view })
            };
            let found = listed.lines.iter().filter_map(read).collect();
            drop(rows);
            open.is_as_of(now);
            let Listed { total, full_at, .. } = listed;
            return Walked { found, total, low: 0, full_at, complete: true, as_of: now };
        }
    }

    /// The first lines that fit, and how many do.
    fn listed(&self, open: &Open<'_>) -> Listed {
        let mut listed = Listed { lines: Vec::new(), total: 0, full_at: None };
        for line in open.newest_first(self.after).filter(|line| self.filter.takes(line)) {
            listed.total += 1;
            if listed.lines.len() < self.want {
                listed.lines.push((line.opened, line.case));
            }
            if listed.lines.len() >= self.want {
                listed.full_at = listed.full_at.or(Some(line.opened));
                if !self.count {
                    break;
                }
            }
        }
        listed
    }

    /// What the lines leave is judged one by one, with the roll closed: the disk may be read.
    fn one_by_one(&self) -> Walked {
        let query = self.filter.said.as_ref();
        let fitting = query.and_then(|query| self.search.fitting(self.reader, query));
        // What fits by its record is not judged by it once more.
        let said = if fitting.is_some() { None } else { query };
        let open = self.roll.open(self.node);
        let as_of =
            fitting.as_ref().map_or(open.as_of(), |fitting| fitting.as_of.min(open.as_of()));
        let of_record = fitting.map(|fitting| fitting.opened);
        let takes = |line: &&Line| self.filter.takes(line);
        let left: Vec<Sought> = match named_by_all(of_record, self.filter.may_have_hints()) {
            Some(named) => {
                open.named(named, self.after).into_iter().filter(takes).map(sought).collect()
            }
            None => open.newest_first(self.after).filter(takes).map(sought).collect(),
        };
        drop(open);
        if said.is_some() {
            // No text is believed of which something was erased before `as_of`.
            self.search.look(self.reader);
        }
        let mut walked = Walked {
            found: Vec::new(),
            total: 0,
            low: self.after.unwrap_or(u64::MAX),
            full_at: None,
            complete: false,
            as_of,
        };
        // Newest first.
        let mut fitting: Vec<u64> = Vec::new();
        let (mut left, mut budget) = (left.into_iter(), SCAN_ROWS_MAX);
        loop {
            let full = walked.found.len() >= self.want;
            if budget == 0 || (full && !self.count) {
                break;
            }
            let Some(one) = left.next() else {
                walked.complete = true;
                break;
            };
            walked.low = one.opened;
            if !self.takes_one(&one, said, &mut budget) {
                continue;
            }
            if full {
                fitting.push(one.opened);
                continue;
            }
            let (agreement, subject) = one.case;
            let view = view::case(&self.reader.view(), agreement, subject);
            // It may have gone on since its line was read.
            let Some(view) = view.filter(|view| self.takes(one.case, view)) else { continue };
            fitting.push(one.opened);
            walked.found.push(Found { agreement, subject, view });
            walked.full_at = (walked.found.len() >= self.want).then_some(one.opened);
        }
        self.settle(&mut walked, &mut fitting);
        walked.total = u64::try_from(fitting.len()).unwrap_or(u64::MAX);
        walked
    }

    /// Whether a case that fits by its line is to be shown; `said` where that is still to be
    /// judged. No view may be held. A look into memory costs nothing of the budget, many do.
    fn takes_one(&self, one: &Sought, said: Option<&Query>, budget: &mut u32) -> bool {
        let filter = self.filter;
        let (may_be, compared) = filter.may_be_one_act((one.opened, one.case));
        *budget = budget.saturating_sub(compared / COMPARED_PER_ROW);
        if !may_be {
            return false;
        }
        if let Some(query) = said {
            let known = self.search.takes_known(query, one);
            let takes = known.unwrap_or_else(|| {
                *budget = budget.saturating_sub(1);
                self.search.takes(self.reader, query, one)
            });
            if !takes {
                return false;
            }
        }
        if filter.leaning.is_none() && self.assignee.is_none() {
            return true;
        }
        *budget = budget.saturating_sub(1);
        self.takes_rows(one.case)
    }

    fn takes_rows(&self, case: CaseKey) -> bool {
        let leaning = self.filter.leaning.as_ref();
        leaning.is_none_or(|l| l.has_record(&self.reader.view(), case.0, case.1))
            && self.assignee.is_none_or(|tag| self.reader.is_assigned(case, tag))
    }

    /// Whether a case is to be shown. No view may be held.
    fn takes(&self, case: CaseKey, view: &CaseView) -> bool {
        let line = Line::of(&self.reader.view(), case, view);
        let mut budget = SCAN_ROWS_MAX;
        let said = self.filter.said.as_ref();
        self.filter.takes(&line) && self.takes_one(&sought(&line), said, &mut budget)
    }

    /// Puts right what changed since the walk began, and ends at a moment of which all is true.
    fn settle(&self, walked: &mut Walked, fitting: &mut Vec<u64>) {
        loop {
            let rows = self.reader.view();
            let now = self.reader.apply_number(&rows);
            let changes = changes(&rows, walked.as_of);
            // A party is looked up without them. It goes with the record, which the view names.
            drop(rows);
            for changed in changes.cases {
                self.put_right(changed, walked, fitting);
            }
            walked.as_of = changes.last;
            let erased = match self.filter.said {
                Some(_) => self.search.erased(self.reader, &changes.others),
                None => Vec::new(),
            };
            for (agreement, subject) in &erased {
                let view = view::case(&self.reader.view(), *agreement, *subject);
                if let Some(view) = view {
                    let found = Found { agreement: *agreement, subject: *subject, view };
                    self.put_right(found, walked, fitting);
                }
            }
            // Those were read as they stand behind `now`: what came since is put right as well.
            if !changes.more && erased.is_empty() {
                walked.as_of = now;
                return;
            }
        }
    }

    fn put_right(&self, changed: Found, walked: &mut Walked, fitting: &mut Vec<u64>) {
        let Found { agreement, subject, view } = changed;
        let opened = view.opened_apply;
        let looked_at = self.after.is_none_or(|after| opened < after)
            && (walked.complete || opened >= walked.low);
        if !looked_at {
            return;
        }
        walked.found.retain(|found| found.subject != subject);
        let takes = self.takes((agreement, subject), &view);
        let place = fitting.binary_search_by(|other| opened.cmp(other));
        match (place, takes) {
            (Ok(place), false) => drop(fitting.remove(place)),
            (Err(place), true) => fitting.insert(place, opened),
            (Ok(_), true) | (Err(_), false) => {}
        }
        if takes {
            walked.put(Found { agreement, subject, view }, self.want);
        }
    }
}

fn sought(line: &Line) -> Sought {
    Sought { case: line.case, opened: line.opened, record_at: line.record_at }
}

/// What the feed has behind an apply number, one piece of it; each case once.
fn changes(rows: &ViewRead<'_>, behind: u64) -> Changes {
    let mut entries: Vec<FeedEntry> = Vec::new();
    view::feed(rows, behind + 1, &mut |entry| {
        entries.push(entry);
        entries.len() < FEED_CHUNK
    });
    let cases: BTreeSet<CaseKey> = entries.iter().filter_map(roll::case_of).collect();
    let read = |(agreement, subject)| {
        let view = view::case(rows, agreement, subject)?;
        Some(Found { agreement, subject, view })
    };
    Changes {
        cases: cases.into_iter().filter_map(read).collect(),
        last: entries.last().map_or(behind, |entry| entry.apply),
        more: entries.len() >= FEED_CHUNK,
        others: entries.into_iter().filter(|entry| entry.record.is_none()).collect(),
    }
}
