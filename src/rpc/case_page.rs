//! A page of a list of cases while things change: what is kept of it, and putting it right.
//!
//! In scope: the place of a case on the page, how many there are in all, where the next page
//! begins. Out of scope: which cases fit ([`super::case_walk`]).
//!
//! Invariant: behind a full page nothing is kept of the others but their number, so a case from
//! there never comes onto the page. (`pages_lose_nothing_while_cases_leave_them`)

use crate::ids::{AgreementId, CaseKey, SubjectId};
use crate::view::CaseView;

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

/// A page of the roll, before its cases are read.
pub(super) struct Listed {
    /// Opening and case, newest first.
    pub lines: Vec<(u64, CaseKey)>,
    /// How many fit in all.
    pub total: u64,
    /// As in [`Walked`].
    pub full_at: Option<u64>,
}

impl Listed {
    /// Puts right a case that changed: whether it fitted before, and whether it does now.
    pub(super) fn put_right(&mut self, line: (u64, CaseKey), (was, is): (bool, bool), want: usize) {
        match (was, is) {
            (false, true) => self.total += 1,
            (true, false) => self.total = self.total.saturating_sub(1),
            (true, true) | (false, false) => return,
        }
        self.lines.retain(|other| other.0 != line.0);
        // Behind a full page there are others of which nothing is kept but their number.
        if !is || self.full_at.is_some_and(|full_at| line.0 < full_at) {
            return;
        }
        let place = self.lines.partition_point(|other| other.0 > line.0);
        self.lines.insert(place, line);
        if self.lines.len() > want {
            self.lines.truncate(want);
            self.full_at = self.lines.last().map(|last| last.0);
        }
    }
}

impl Walked {
    /// Puts a case in its place. Behind a full page there are others of which nothing is kept but
    /// their number.
    pub(super) fn put(&mut self, found: Found, want: usize) {
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
            handed_at: at,
            campaigns: Vec::new(),
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
    fn what_the_lines_tell_is_put_right_as_what_is_read_one_by_one_is() {
        let case = |opened: u64| (opened, (AgreementId::new([2; 16]), found(opened).subject));
        // Seven more of which nothing is kept lie below 10.
        let lines = [30, 20, 10].map(case).into();
        let mut page = Listed { lines, total: 10, full_at: Some(10) };
        let opened = |page: &Listed| page.lines.iter().map(|(at, _)| *at).collect::<Vec<_>>();
        page.put_right(case(20), (true, true), 3);
        page.put_right(case(25), (false, false), 3);
        assert_eq!((opened(&page), page.total), (vec![30, 20, 10], 10), "nothing has changed");
        page.put_right(case(20), (true, false), 3);
        assert_eq!((opened(&page), page.total), (vec![30, 10], 9));
        page.put_right(case(5), (false, true), 3);
        assert_eq!((opened(&page), page.total), (vec![30, 10], 10), "counted, not kept");
        page.put_right(case(5), (true, false), 3);
        page.put_right(case(40), (false, true), 3);
        page.put_right(case(35), (false, true), 3);
        assert_eq!((opened(&page), page.total, page.full_at), (vec![40, 35, 30], 11, Some(30)));
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
