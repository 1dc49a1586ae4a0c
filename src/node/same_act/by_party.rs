//! The cases of each party by their days, so that only those are looked at whose days overlap.
//!
//! A party may have thousands of cases: a firm of many years, or everybody of one surname. Its
//! cases lie in classes by how long they last, those of a class by their first day. Of a class
//! whose cases last less than twice as long as its shortest, all that overlap begin within that
//! time before the first day asked for, or up to the last one; so hardly more are looked at than
//! overlap. What goes on without an end is a class of its own, and there it is all that began.
//!
//! In scope: which cases of a party overlap certain days. Out of scope: whether they are one act
//! ([`crate::domain::same_act`]).
//!
//! Invariants:
//! 1. All whose days overlap are given, once each. (`all_that_overlap_are_given`)
//! 2. Of the others few are looked at. (`cases_of_other_times_are_not_looked_at`)

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::domain::Date;
use crate::ids::{AgreementId, CaseKey, SubjectId, Tag};

/// First day and last; none when it goes on.
pub(super) type Days = (Date, Option<Date>);

/// Class of what goes on.
const GOES_ON: u8 = u8::MAX;
/// Before every case.
const FIRST: CaseKey = (AgreementId::new([0; 16]), SubjectId::new([0; 16]));

/// Party, class, first day and case. The last day is what the case says.
type Place = (Tag, u8, Date, CaseKey);

/// The cases of all parties.
#[derive(Default)]
pub(super) struct ByParty(BTreeSet<Place>);

/// Cases of a class last at most so many days from their first one.
fn longest(class: u8) -> i64 {
    1_i64.checked_shl(u32::from(class)).unwrap_or(i64::MAX).saturating_sub(1)
}

fn class((from, to): Days) -> u8 {
    let Some(to) = to else { return GOES_ON };
    let days = to.days_since_epoch().saturating_sub(from.days_since_epoch()).max(0);
    u8::try_from(i64::BITS - days.leading_zeros()).unwrap_or(GOES_ON)
}

impl ByParty {
    /// Takes in a case of a party, with its days.
    pub(super) fn insert(&mut self, party: Tag, days: Days, case: CaseKey) {
        self.0.insert((party, class(days), days.0, case));
    }

    /// Takes it out: with the days it was taken in with.
    pub(super) fn remove(&mut self, party: Tag, days: Days, case: CaseKey) {
        self.0.remove(&(party, class(days), days.0, case));
    }

    /// All cases of a party.
    pub(super) fn of(&self, party: Tag) -> impl Iterator<Item = CaseKey> {
        let from = self.0.range((party, 0, Date::EARLIEST, FIRST)..);
        from.take_while(move |place| place.0 == party).map(|place| place.3)
    }

    /// The cases of a party whose days may overlap these: all that do, and few others.
    pub(super) fn may_overlap(
        &self,
        party: Tag,
        (from, to): Days,
    ) -> impl Iterator<Item = CaseKey> {
        let mut at = Bound::Included((party, 0, Date::EARLIEST, FIRST));
        std::iter::from_fn(move || {
            loop {
                let place = *self.0.range((at, Bound::Unbounded)).next()?;
                let (_, class, begins, case) = Some(place).filter(|place| place.0 == party)?;
                let earliest = match class {
                    GOES_ON => Date::EARLIEST,
                    _ => from.plus_days(-longest(class)).unwrap_or(Date::EARLIEST),
                };
                if to.is_some_and(|to| begins > to) {
                    // On to the next class; there is none behind the last one.
                    let next = class.checked_add(1)?;
                    at = Bound::Included((party, next, Date::EARLIEST, FIRST));
                } else if begins < earliest {
                    at = Bound::Included((party, class, earliest, FIRST));
                } else {
                    at = Bound::Excluded(place);
                    return Some(case);
                }
            }
        })
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn party(nth: u8) -> Tag {
        Tag::new([nth; 16])
    }

    fn key(nth: u32) -> CaseKey {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&nth.to_be_bytes());
        (AgreementId::new([1; 16]), SubjectId::new(id))
    }

    fn day(number: i64) -> Date {
        Date::from_days_since_epoch(number).unwrap()
    }

    fn days((from, lasts): (i64, Option<i64>)) -> Days {
        (day(from), lasts.map(|lasts| day(from + lasts)))
    }

    fn overlap((a, a_to): Days, (b, b_to): Days) -> bool {
        a_to.is_none_or(|to| b <= to) && b_to.is_none_or(|to| a <= to)
    }

    /// From the first day of dates to their last one, some for years, some without an end.
    fn any_days() -> impl Strategy<Value = (i64, Option<i64>)> {
        let from = prop_oneof![20_000..20_900_i64, -25_567..80_000_i64];
        (from, prop_oneof![Just(None), (0..4_i64).prop_map(Some), (0..3_000_i64).prop_map(Some)])
    }

    proptest! {
        #[test]
        fn all_that_overlap_are_given(
            cases in prop::collection::vec((0..3_u8, any_days(), any::<bool>()), 0..200),
            asked in any_days(),
        ) {
            let (mut index, mut kept) = (ByParty::default(), Vec::new());
            for (nth, (of, lasts, goes)) in (0_u32..).zip(cases) {
                index.insert(party(of), days(lasts), key(nth));
                if goes {
                    index.remove(party(of), days(lasts), key(nth));
                } else {
                    kept.push((of, days(lasts), key(nth)));
                }
            }
            for of in 0..3 {
                let given: Vec<CaseKey> = index.may_overlap(party(of), days(asked)).collect();
                let set: BTreeSet<CaseKey> = given.iter().copied().collect();
                prop_assert_eq!(set.len(), given.len(), "once each");
                let mine = || kept.iter().filter(|one| one.0 == of);
                let mut due = mine().filter(|one| overlap(one.1, days(asked)));
                prop_assert!(due.all(|one| set.contains(&one.2)));
                prop_assert!(set.iter().all(|case| mine().any(|one| one.2 == *case)));
                let all: BTreeSet<CaseKey> = mine().map(|one| one.2).collect();
                prop_assert_eq!(index.of(party(of)).collect::<BTreeSet<_>>(), all);
            }
        }
    }

    #[test]
    fn cases_of_other_times_are_not_looked_at() {
        let mut index = ByParty::default();
        for nth in 0..20_000_u32 {
            // One begins every day and lasts one to three; one in a thousand goes on.
            let lasts = (nth % 1_000 != 0).then_some(i64::from(nth % 3));
            index.insert(party(1), days((i64::from(nth) - 10_000, lasts)), key(nth));
        }
        let looked_at = |from, lasts| index.may_overlap(party(1), days((from, lasts))).count();
        // At the end, in the middle, at the beginning; those that go on have begun before.
        assert!(looked_at(9_990, Some(2)) <= 20 + 8, "{}", looked_at(9_990, Some(2)));
        assert!(looked_at(0, Some(2)) <= 11 + 8);
        assert!(looked_at(-9_995, Some(0)) <= 1 + 8);
        // Two have ended before.
        assert_eq!(looked_at(-9_995, None), 20_000 - 2);
    }
}
