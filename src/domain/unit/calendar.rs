//! Which entry counts for a half day of a unit: of those that block or free it the newest.
//!
//! In scope: one year of one unit, cell by cell, and what is busy in it. Out of scope: what
//! "newest" is, which is the order of `P` (of entries: epoch, log, index), where a year is kept.
//!
//! A year as runs takes a few bytes a block, however many entries were laid over each other, and
//! says the same whatever the order in which they came.
//!
//! Invariants:
//! 1. The runs do not depend on the order in which entries are laid.
//!    (`runs_are_the_same_in_every_order`)
//! 2. They say of every half day what a list of all entries says. (the same test)

use crate::domain::date::Date;
use crate::domain::half_day::{HalfDay, Period};

/// Half days of the longest year.
const HALF_DAYS: usize = 732;

/// Half days of a year one after the other for which one entry counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Run<P> {
    /// The first, counted from 0 on the morning of 1 January.
    pub first: u16,
    /// The last, which is in it.
    pub last: u16,
    /// The entry.
    pub by: P,
    /// It says busy, not free.
    pub busy: bool,
}

/// The half days of one year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Year<P> {
    year: i32,
    cells: Vec<Option<(P, bool)>>,
}

impl<P: Ord + Copy> Year<P> {
    /// A year of which nobody has said anything.
    #[must_use]
    pub fn new(year: i32) -> Self {
        Self { year, cells: vec![None; HALF_DAYS] }
    }

    /// The year that these runs describe.
    #[must_use]
    pub fn of(year: i32, runs: &[Run<P>]) -> Self {
        let mut made = Self::new(year);
        for run in runs {
            made.lay_cells(usize::from(run.first)..=usize::from(run.last), run.by, run.busy);
        }
        made
    }

    /// Lays an entry over the half days of a period that fall into this year.
    pub fn lay(&mut self, period: Period, by: P, busy: bool) {
        let Some(begins) = begin(self.year) else { return };
        let (first, last) = (period.first().number() - begins, period.last().number() - begins);
        let Ok(last) = usize::try_from(last) else { return };
        self.lay_cells(usize::try_from(first).unwrap_or(0)..=last, by, busy);
    }

    fn lay_cells(&mut self, cells: std::ops::RangeInclusive<usize>, by: P, busy: bool) {
        let count = half_days(self.year);
        let many = cells.end().saturating_add(1).saturating_sub(*cells.start());
        for cell in self.cells.iter_mut().take(count).skip(*cells.start()).take(many) {
            if cell.is_none_or(|(other, _)| other < by) {
                *cell = Some((by, busy));
            }
        }
    }

    /// The runs, in order, each as long as it can be.
    #[must_use]
    pub fn runs(&self) -> Vec<Run<P>> {
        let mut runs: Vec<Run<P>> = Vec::new();
        for (at, cell) in (0_u16..).zip(&self.cells) {
            let Some((by, busy)) = *cell else { continue };
            match runs.last_mut() {
                Some(run) if run.by == by && run.last + 1 == at => run.last = at,
                Some(_) | None => runs.push(Run { first: at, last: at, by, busy }),
            }
        }
        runs
    }
}

/// The years that a period touches.
pub fn years(period: Period) -> impl Iterator<Item = i32> {
    period.first().on.year()..=period.last().on.year()
}

/// What is busy of a year's runs, as numbers of half days, first and last.
pub fn busy<P>(year: i32, runs: &[Run<P>]) -> impl Iterator<Item = (i64, i64)> {
    let begins = begin(year).unwrap_or(0);
    let busy = runs.iter().filter(|run| run.busy);
    busy.map(move |run| (begins + i64::from(run.first), begins + i64::from(run.last)))
}

/// Adds a stretch of half days to ascending ones; where it touches the last one they are joined.
pub fn join(stretches: &mut Vec<(i64, i64)>, (first, last): (i64, i64)) {
    match stretches.last_mut() {
        Some((_, end)) if first <= *end + 1 => *end = last.max(*end),
        Some(_) | None => stretches.push((first, last)),
    }
}

/// Stretches of half days as periods, those longer than a period may be in pieces.
#[must_use]
pub fn periods(stretches: &[(i64, i64)]) -> Vec<Period> {
    let most = i64::try_from(crate::limits::PERIOD_HALF_DAYS_MAX).unwrap_or(i64::MAX);
    let mut periods = Vec::new();
    for (first, last) in stretches {
        let mut first = *first;
        while first <= *last {
            let end = (first + most - 1).min(*last);
            let ends = HalfDay::from_number(first).zip(HalfDay::from_number(end));
            periods.extend(ends.and_then(|(first, last)| Period::new(first, last).ok()));
            first = end + 1;
        }
    }
    periods
}

fn begin(year: i32) -> Option<i64> {
    Date::new(year, 1, 1).ok().map(|first| HalfDay::morning(first).number())
}

fn half_days(year: i32) -> usize {
    let leap = Date::new(year, 2, 29).is_ok();
    if leap { HALF_DAYS } else { HALF_DAYS - 2 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }

    #[test]
    fn a_block_over_new_year_lies_in_both_years() {
        let over = period("2027-12-31下午 至 2028-01-01上午");
        assert_eq!(years(over).collect::<Vec<_>>(), [2027, 2028]);
        let mut last = Year::new(2027);
        let mut next = Year::new(2028);
        last.lay(over, 7, true);
        next.lay(over, 7, true);
        assert_eq!(last.runs(), [Run { first: 729, last: 729, by: 7, busy: true }]);
        assert_eq!(next.runs(), [Run { first: 0, last: 0, by: 7, busy: true }]);
        let mut all = Vec::new();
        busy(2027, &last.runs()).for_each(|one| join(&mut all, one));
        busy(2028, &next.runs()).for_each(|one| join(&mut all, one));
        assert_eq!(periods(&all), [over], "what touches is one period again");
        // Of another year nothing.
        let mut other = Year::new(2029);
        other.lay(over, 7, true);
        assert!(other.runs().is_empty());
        // A leap year has one more day.
        let mut leap = Year::new(2028);
        leap.lay(period("2028-01-01 至 2028-12-31"), 1, true);
        assert_eq!(leap.runs(), [Run { first: 0, last: 731, by: 1, busy: true }]);
        assert_eq!(Year::of(2028, &leap.runs()), leap);
    }

    #[test]
    fn stretches_longer_than_a_period_are_cut() {
        let first = HalfDay::morning("2026-01-01".parse().unwrap()).number();
        let cut = periods(&[(first, first + 1_000)]);
        assert_eq!(cut.iter().map(|one| one.half_day_count()).collect::<Vec<_>>(), [732, 269]);
    }

    proptest! {
        #[test]
        fn runs_are_the_same_in_every_order(
            laid in proptest::collection::vec((0_i64..1_600, 0_i64..400, any::<bool>()), 1..12),
            turn in any::<u64>(),
        ) {
            let begins = HalfDay::morning("2026-06-01".parse().unwrap()).number();
            let half = |number| HalfDay::from_number(begins + number).unwrap();
            let all: Vec<(Period, u64, bool)> = (0..).zip(&laid).map(|(by, (first, more, busy))| {
                (Period::new(half(*first), half(first + more)).unwrap(), by, *busy)
            }).collect();
            let mut turned = all.clone();
            turned.rotate_left(usize::try_from(turn).unwrap_or(0) % laid.len());
            turned.reverse();
            // Half day by half day, the last of the list.
            let mut plain = BTreeMap::new();
            for (period, by, busy) in &all {
                for at in period.half_days() {
                    plain.insert(at.number(), (*by, *busy));
                }
            }
            for year in 2026..=2029 {
                let mut made = [Year::new(year), Year::new(year), Year::new(year)];
                for (at, order) in [&all, &turned].into_iter().enumerate() {
                    for (period, by, busy) in order {
                        made[at].lay(*period, *by, *busy);
                        // As rows keep it: runs in between.
                        made[at] = Year::of(year, &made[at].runs());
                    }
                }
                prop_assert_eq!(made[0].runs(), made[1].runs());
                let said: Vec<(i64, bool)> = made[0].runs().iter().flat_map(|run| {
                    let from = HalfDay::morning(Date::new(year, 1, 1).unwrap()).number();
                    (run.first..=run.last).map(move |at| (from + i64::from(at), run.busy))
                }).collect();
                let of_year = |at: &&i64| HalfDay::from_number(**at).unwrap().on.year() == year;
                let want: Vec<(i64, bool)> =
                    plain.keys().filter(of_year).map(|at| (*at, plain[at].1)).collect();
                prop_assert_eq!(said, want);
            }
        }
    }
}
