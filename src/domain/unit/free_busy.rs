//! How many units a city has on each half day, and how many of them are busy.
//!
//! In scope: counting, kind by kind. Out of scope: where units and their busy half days come from
//! (`node::roster`), on which days all cities can come ([`crate::domain::slots`]).
//!
//! A unit counts on the days on which it is not retired and its certificate is valid; one that does
//! not count is not busy either.

use super::UnitFacts;
use crate::domain::date::Date;
use crate::domain::half_day::HalfDay;
use crate::domain::unit_kind::UnitKind;
use crate::limits::SLOT_DAYS_MAX;

/// The days of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    first: Date,
    /// How many, at least one.
    count: usize,
}

impl Days {
    /// From one day to another, both of them in it; `None` when the last is before the first, or
    /// there are more than [`SLOT_DAYS_MAX`].
    #[must_use]
    pub fn new(first: Date, last: Date) -> Option<Self> {
        let count = last.days_since_epoch() - first.days_since_epoch() + 1;
        let count = usize::try_from(count).ok()?;
        (1..=SLOT_DAYS_MAX).contains(&count).then_some(Self { first, count })
    }

    /// The first day.
    #[must_use]
    pub const fn first(self) -> Date {
        self.first
    }

    /// Number of the first half day.
    #[must_use]
    pub fn begins(self) -> i64 {
        HalfDay::morning(self.first).number()
    }

    /// How many half days.
    #[must_use]
    pub const fn half_days(self) -> usize {
        self.count * 2
    }

    /// The half days of stretches that lie in these days, as places counted from the first one.
    pub fn within(self, stretches: &[(i64, i64)]) -> impl Iterator<Item = (usize, usize)> {
        let (begins, count) = (self.begins(), self.half_days());
        let from = stretches.partition_point(|(_, last)| *last < begins);
        stretches.iter().skip(from).map_while(move |(first, last)| {
            let first = usize::try_from(first - begins).unwrap_or(0);
            let last = usize::try_from(last - begins).unwrap_or(0).min(count - 1);
            (first < count).then_some((first, last))
        })
    }

    /// The half days on which a unit counts, as places; `None` when it does on none.
    #[must_use]
    pub fn counted(self, facts: &UnitFacts) -> Option<(usize, usize)> {
        if facts.retired {
            return None;
        }
        let begins = self.first.days_since_epoch();
        let place = |day: Date| day.days_since_epoch() - begins;
        let count = i64::try_from(self.count).unwrap_or(0);
        let from = facts.valid_from.map_or(0, place).max(0);
        let until = facts.valid_until.map_or(count - 1, place).min(count - 1);
        let from = usize::try_from(from).ok().filter(|_| from <= until)?;
        Some((from * 2, usize::try_from(until).ok()? * 2 + 1))
    }
}

/// Units of one kind on one half day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Those that count.
    pub valid: u32,
    /// Of these, busy.
    pub busy: u32,
}

/// The half days of one city.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeBusy {
    days: Days,
    /// By kind, in the order of the list, but for the whole city.
    kinds: Vec<Vec<Count>>,
    whole: Vec<bool>,
}

impl FreeBusy {
    /// A city without units.
    #[must_use]
    pub fn new(days: Days) -> Self {
        let count = days.half_days();
        let kinds = UnitKind::ALL.iter().map(|_| vec![Count::default(); count]).collect();
        Self { days, kinds, whole: vec![false; count] }
    }

    /// Adds a unit with its busy half days, ascending.
    pub fn add(&mut self, facts: &UnitFacts, busy: &[(i64, i64)]) {
        if facts.kind == UnitKind::WholeCity {
            for (first, last) in self.days.within(busy) {
                each(&mut self.whole, (first, last), |cell| *cell = true);
            }
            return;
        }
        let Some(counted) = self.days.counted(facts) else { return };
        let Some(cells) = self.kinds.get_mut(place(facts.kind)) else { return };
        each(cells, counted, |cell| cell.valid += 1);
        for (first, last) in self.days.within(busy) {
            let (first, last) = (first.max(counted.0), last.min(counted.1));
            each(cells, (first, last), |cell| cell.busy += 1);
        }
    }

    /// Every half day in order: whether the city is busy as a whole, and the kinds of which it has
    /// any.
    pub fn half_days(&self) -> impl Iterator<Item = (HalfDay, bool, Vec<(UnitKind, Count)>)> + '_ {
        (self.days.begins()..).zip(self.whole.iter().enumerate()).filter_map(
            |(at, (nth, whole))| {
                let count = |kind: &UnitKind| {
                    let count = *self.kinds.get(place(*kind))?.get(nth)?;
                    (count.valid > 0).then_some((*kind, count))
                };
                let counts = UnitKind::ALL.iter().filter_map(count).collect();
                Some((HalfDay::from_number(at)?, *whole, counts))
            },
        )
    }
}

/// The place of a kind in the list.
fn place(kind: UnitKind) -> usize {
    UnitKind::ALL.iter().position(|one| *one == kind).unwrap_or_default()
}

fn each<T>(cells: &mut [T], (first, last): (usize, usize), f: impl FnMut(&mut T)) {
    let many = (last + 1).saturating_sub(first);
    cells.iter_mut().skip(first).take(many).for_each(f);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::department::Department;
    use crate::domain::fixtures::date;

    fn unit(kind: UnitKind, from: &str, until: &str) -> UnitFacts {
        UnitFacts {
            kind,
            department: Some(Department::EcologyEnvironment),
            valid_from: (!from.is_empty()).then(|| date(from)),
            valid_until: (!until.is_empty()).then(|| date(until)),
            retired: false,
        }
    }

    fn busy(texts: &[&str]) -> Vec<(i64, i64)> {
        let period = |text: &&str| -> crate::domain::half_day::Period { text.parse().unwrap() };
        let periods = texts.iter().map(period);
        periods.map(|one| (one.first().number(), one.last().number())).collect()
    }

    #[test]
    fn expired_and_retired_units_count_nowhere() {
        let days = Days::new(date("2026-07-01"), date("2026-07-03")).unwrap();
        let mut counts = FreeBusy::new(days);
        let officer = UnitKind::Officer;
        counts.add(&unit(officer, "2020-01-01", "2030-01-01"), &busy(&["2026-07-02上午"]));
        // Ends on the second day; a block that goes on beyond counts on that day only.
        let long = busy(&["2026-06-01", "2026-07-02下午 至 2026-08-01"]);
        counts.add(&unit(officer, "2020-01-01", "2026-07-02"), &long);
        counts.add(&unit(officer, "2026-07-04", "2030-01-01"), &long);
        let retired = UnitFacts { retired: true, ..unit(officer, "2020-01-01", "2030-01-01") };
        counts.add(&retired, &long);
        counts.add(&unit(UnitKind::Boat, "", ""), &[]);
        counts.add(&UnitFacts::WHOLE_CITY, &busy(&["2026-06-01 至 2026-07-01上午"]));
        let said: Vec<String> = counts
            .half_days()
            .map(|(at, whole, counts)| {
                let of = |(kind, count): &(UnitKind, Count)| {
                    format!("{} {}/{}", kind.code(), count.busy, count.valid)
                };
                let counts: Vec<String> = counts.iter().map(of).collect();
                format!("{at} {whole} {}", counts.join(", "))
            })
            .collect();
        assert_eq!(
            said,
            [
                "2026-07-01 AM true OFFICER 0/2, BOAT 0/1",
                "2026-07-01 PM false OFFICER 0/2, BOAT 0/1",
                "2026-07-02 AM false OFFICER 1/2, BOAT 0/1",
                "2026-07-02 PM false OFFICER 1/2, BOAT 0/1",
                "2026-07-03 AM false OFFICER 0/1, BOAT 0/1",
                "2026-07-03 PM false OFFICER 0/1, BOAT 0/1",
            ]
        );
    }

    #[test]
    fn a_question_is_a_quarter_at_most() {
        let of = |first, last| Days::new(date(first), date(last)).map(Days::half_days);
        assert_eq!(of("2026-07-01", "2026-07-01"), Some(2));
        assert_eq!(of("2026-07-01", "2026-09-30"), Some(184));
        assert_eq!(of("2026-07-01", "2026-10-01"), None);
        assert_eq!(of("2026-07-02", "2026-07-01"), None);
    }
}
