//! Half days of a horizon as bits, three words for three months.
//!
//! In scope: the bits. Out of scope: what they mean.

use crate::domain::date::Date;
use crate::domain::half_day::{HalfDay, Period};
use crate::domain::invalid::{Invalid, InvalidReason};
use crate::limits::SLOT_DAYS_MAX;

/// Words of a set: 192 half days, of which a horizon has at most 184.
const WORDS: usize = 3;
/// Bits of a word.
const BITS: usize = 64;

/// The days between which is searched, both of them in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    from: HalfDay,
    count: usize,
}

impl Horizon {
    /// From one day to another, at most [`SLOT_DAYS_MAX`] of them.
    ///
    /// # Errors
    /// `DATES_ORDER` or `PERIOD_TOO_LONG`, of the field `until`.
    pub fn new(from: Date, until: Date) -> Result<Self, Invalid> {
        let days = until.days_since_epoch() - from.days_since_epoch() + 1;
        match usize::try_from(days) {
            Ok(0) | Err(_) => Err(Invalid::from(InvalidReason::DatesOrder).at("until")),
            Ok(days) if days > SLOT_DAYS_MAX => {
                Err(Invalid::with_limit(InvalidReason::PeriodTooLong, SLOT_DAYS_MAX).at("until"))
            }
            Ok(days) => Ok(Self { from: HalfDay::morning(from), count: days * 2 }),
        }
    }

    /// How many half days there are.
    #[must_use]
    pub const fn half_day_count(self) -> usize {
        self.count
    }

    /// The half day at a place, from 0.
    #[must_use]
    pub fn half_day(self, place: usize) -> Option<HalfDay> {
        let more = i64::try_from(place).ok()?;
        HalfDay::from_number(self.from.number().checked_add(more)?)
    }

    /// The place of a half day: negative before the horizon, large behind it.
    #[must_use]
    pub fn place(self, at: HalfDay) -> i64 {
        at.number() - self.from.number()
    }

    /// The half days of some periods, as far as they lie in the horizon.
    pub fn set(self, periods: impl IntoIterator<Item = Period>) -> HalfDaySet {
        let pieces = periods.into_iter().map(|period| {
            self.between(self.place(period.first()), self.place(period.last()).saturating_add(1))
        });
        pieces.fold(HalfDaySet::EMPTY, HalfDaySet::with)
    }

    /// Places from one to the one before another, as far as they lie in the horizon.
    pub(super) fn between(self, first: i64, behind: i64) -> HalfDaySet {
        let within = |place: i64| usize::try_from(place.max(0)).unwrap_or(0).min(self.count);
        let (first, behind) = (within(first), within(behind));
        let mut set = HalfDaySet::EMPTY;
        (first..behind).for_each(|place| set.insert(place));
        set
    }
}

/// Places in a horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HalfDaySet([u64; WORDS]);

impl HalfDaySet {
    /// None.
    pub const EMPTY: Self = Self([0; WORDS]);

    /// Adds a place; one beyond the set is not added.
    pub fn insert(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / BITS) {
            *word |= 1 << (place % BITS);
        }
    }

    /// Whether a place is in it.
    #[must_use]
    pub fn has(self, place: impl TryInto<usize>) -> bool {
        let at = |place: usize| self.0.get(place / BITS).map(|word| word >> (place % BITS) & 1);
        place.try_into().ok().and_then(at) == Some(1)
    }

    /// So many places from one on, as far as they fit.
    pub(super) fn span(start: usize, count: usize) -> Self {
        let mut set = Self::EMPTY;
        (start..start.saturating_add(count).min(WORDS * BITS)).for_each(|place| set.insert(place));
        set
    }

    /// Whether everything of another set is in it.
    pub(super) fn covers(self, other: Self) -> bool {
        other.without(self) == Self::EMPTY
    }

    /// The first of so many places from one on that is in it.
    #[must_use]
    pub fn first_in(self, start: usize, count: usize) -> Option<usize> {
        (start..start.saturating_add(count)).find(|place| self.has(*place))
    }

    /// What is in either.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        self.zip(other, |one, two| one | two)
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        self.zip(other, |one, two| one & !two)
    }

    /// How many there are.
    #[must_use]
    pub fn count(self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// The places from which on so many are in it one after the other.
    pub(super) fn runs_of(self, length: usize) -> Self {
        // Runs of n + m begin where a run of n begins and, n further on, one of m.
        let (mut runs, mut have) = (self, 1);
        while have < length {
            let more = have.min(length - have);
            runs = runs.zip(runs.down(more), |one, two| one & two);
            have += more;
        }
        runs
    }

    /// Every place so many nearer to the start; those before it are gone.
    fn down(self, places: usize) -> Self {
        let (words, bits) = (places / BITS, places % BITS);
        let word = |at: usize| self.0.get(at).copied().unwrap_or(0);
        Self(std::array::from_fn(|at| {
            let low = word(at + words) >> bits;
            let high = if bits == 0 { 0 } else { word(at + words + 1) << (BITS - bits) };
            low | high
        }))
    }

    fn zip(self, other: Self, with: impl Fn(u64, u64) -> u64) -> Self {
        let mut both = self.0;
        both.iter_mut().zip(other.0).for_each(|(one, two)| *one = with(*one, two));
        Self(both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_are_those_that_looking_at_each_place_finds(
            places in proptest::collection::vec(0_usize..192, 0..180), length in 1_usize..192,
        ) {
            let mut set = HalfDaySet::EMPTY;
            places.iter().for_each(|place| set.insert(*place));
            let runs = set.runs_of(length);
            for start in 0..192 {
                let all = (start..start + length).all(|place| set.has(place));
                prop_assert_eq!(runs.has(start), all, "{}", start);
                let span = HalfDaySet::span(start, length);
                // A span that does not fit is cut off.
                prop_assert!(set.covers(span) == all || start + length > 192);
            }
            let different: std::collections::BTreeSet<_> = places.iter().collect();
            prop_assert_eq!(usize::try_from(set.count()).unwrap(), different.len());
        }
    }
}
