//! What the members' clocks say, as their frames have told, and how far the own one is from them.
//!
//! Nothing is ordered by a clock. An entry that is written while the own clock is far from the
//! members' says so in its header, for people who read its time later.
//!
//! A word is kept as the distance between that clock and the own clock that never goes back, so
//! that a jump of the own wall clock shows at once, and is over at once when it is set right.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::both;
use crate::ids::{AgreementId, CityCode};
use crate::journal::Disk;
use crate::limits::CLOCK_SUSPECT_MS;
use crate::node::core::{Core, Now};
use crate::store::Store;

/// What each city's clock said last.
#[derive(Debug, Default)]
pub struct Clocks {
    /// Wall clock of a city minus the own monotonic clock, in milliseconds.
    ahead_ms: BTreeMap<CityCode, i64>,
}

impl Clocks {
    /// A member's frame says what time it is there; zero says nothing.
    pub fn said(&mut self, now: Now, city: CityCode, clock_ms: i64) {
        if clock_ms > 0 {
            let mono_ms = i64::try_from(now.mono_ms).unwrap_or(i64::MAX);
            self.ahead_ms.insert(city, clock_ms.saturating_sub(mono_ms));
        }
    }

    pub(super) fn count(&self) -> usize {
        self.ahead_ms.len()
    }

    /// How far the own wall clock is ahead of the members' median, in milliseconds; `None` when
    /// nobody has said anything. Of two in the middle the nearer one counts: one member that lies
    /// makes nobody suspect while another one speaks.
    fn off_ms(&self, now: Now, members: &[CityCode]) -> Option<i64> {
        let mono_ms = i64::try_from(now.mono_ms).unwrap_or(i64::MAX);
        let off = |ahead: &i64| now.wall_ms.saturating_sub(ahead.saturating_add(mono_ms));
        let said = members.iter().filter_map(|city| self.ahead_ms.get(city));
        let mut offs: Vec<i64> = said.map(off).collect();
        offs.sort_unstable();
        let upper = offs.get(offs.len() / 2)?;
        let lower = offs.get(offs.len().saturating_sub(1) / 2)?;
        Some(if lower.unsigned_abs() < upper.unsigned_abs() { *lower } else { *upper })
    }
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Whether the own clock is so far from the members' of an agreement that a time it gives
    /// should not be relied on.
    pub(super) fn clock_is_suspect(&self, now: Now, agreement: AgreementId) -> bool {
        let off = self.clock_off_ms(now, agreement);
        #[cfg(feature = "planted-bugs")]
        let off = off.filter(|_| !crate::planted::guards::is_off("clock"));
        off.is_some_and(|off| off.unsigned_abs() > CLOCK_SUSPECT_MS)
    }

    /// Against members that are linked: what the others said grows old.
    fn clock_off_ms(&self, now: Now, agreement: AgreementId) -> Option<i64> {
        let members = self.logs.members(agreement).iter().copied();
        let linked: Vec<CityCode> =
            members.filter(|city| self.exchange.link_to(*city).is_some()).collect();
        self.clocks.off_ms(now, &linked)
    }

    fn linked_cities(&self) -> Vec<CityCode> {
        let linked: BTreeSet<CityCode> = self.exchange.greeted().map(|(_, city)| city).collect();
        linked.into_iter().collect()
    }

    /// How far the own clock is ahead of the median of all linked cities, in milliseconds.
    pub(super) fn clock_off_all_ms(&self, now: Now) -> Option<i64> {
        self.clocks.off_ms(now, &self.linked_cities())
    }

    /// What people are told: that the own clock is far from the median of all linked cities, or
    /// else that one of them is far from the own one. Whether it is the own clock that is wrong is
    /// asked of all, so that one partner whose clock is wrong accuses nobody.
    pub(super) fn clock_warnings(&self, now: Now) -> Vec<String> {
        let Some(off) = self.clock_off_all_ms(now) else { return Vec::new() };
        let far = |off: i64| off.unsigned_abs() > CLOCK_SUSPECT_MS;
        let words = |off: i64| {
            let [zh, en] = if off > 0 { ["快", "ahead of"] } else { ["慢", "behind"] };
            (off.unsigned_abs() / 60_000, zh, en)
        };
        if far(off) {
            let (minutes, zh, en) = words(off);
            return vec![both(
                &format!("本机时钟比其他城市{zh} {minutes} 分钟，请校时；其间所写记录标为时间存疑"),
                &format!(
                    "this node's clock is {minutes} minutes {en} those of other cities: set it; \
                     what is written meanwhile is marked as doubtful in time"
                ),
            )];
        }
        let one = |city: &CityCode| {
            let theirs = self.clocks.off_ms(now, &[*city])?.saturating_neg();
            let (minutes, zh, en) = words(theirs);
            let text = both(
                &format!("{city} 的时钟比本机{zh} {minutes} 分钟，请提醒该市校时"),
                &format!("the clock of {city} is {minutes} minutes {en} this one: tell that city"),
            );
            far(theirs).then_some(text)
        };
        self.linked_cities().iter().filter_map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_the_members_counts() {
        let city = |n: u32| CityCode::from_u32(371_000 + n * 100).unwrap();
        let members: Vec<CityCode> = (1..6).map(city).collect();
        let (start, hour) = (Now { mono_ms: 500, wall_ms: 1_000_000_000_000 }, 3_600_000);
        let rows: [(&[i64], Option<i64>); 8] = [
            (&[], None),
            (&[0], Some(0)),
            (&[-hour], Some(hour)),
            (&[hour, 0], Some(0)),
            (&[hour, hour], Some(-hour)),
            (&[hour, 0, -hour], Some(0)),
            (&[hour, hour, 0], Some(-hour)),
            (&[hour, hour, 0, 0, 1], Some(-1)),
        ];
        for (row, (clocks, want)) in rows.into_iter().enumerate() {
            let mut said = Clocks::default();
            for (at, ahead) in clocks.iter().enumerate() {
                said.said(start, members[at], start.wall_ms + ahead);
            }
            // Both clocks go on alike: the distance stays.
            let later = Now { mono_ms: 70_500, wall_ms: start.wall_ms + 70_000 };
            assert_eq!(said.off_ms(start, &members), want, "row {row}");
            assert_eq!(said.off_ms(later, &members), want, "row {row}");
            assert_eq!(said.off_ms(later, &members[5..]), None, "no members, no median");
        }
        let mut said = Clocks::default();
        said.said(start, members[0], 0);
        assert_eq!(said.off_ms(start, &members), None, "no word");
        said.said(start, members[0], i64::MAX);
        assert!(said.off_ms(start, &members).is_some_and(|off| off < 0));
    }
}
