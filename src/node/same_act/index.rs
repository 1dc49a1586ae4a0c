//! The index itself: what is known of each case, its place among those of its party, and whether
//! it has a hint.
//!
//! In scope: keeping these in step, comparing. Out of scope: reading what is put in
//! ([`super::read`]), following the feed ([`super`]).

use std::collections::{BTreeSet, HashMap};
use std::mem::size_of;

use super::Hint;
use super::by_party::ByParty;
use super::hinted::{Hinted, Lies};
use super::read::Told;
use crate::domain::Date;
use crate::domain::catalogue::Catalogue;
use crate::domain::place::Coordinates;
use crate::domain::same_act::{self, Act};
use crate::geo::{self, Point};
use crate::ids::{CaseKey, Position};
use crate::limits::SAME_ACT_CASES_MAX;

/// One case in the index.
#[derive(Clone)]
pub(super) struct Known {
    pub act: Act,
    /// Apply number of its opening.
    pub opened: u64,
    /// The day of the decision that stands.
    pub decided_on: Option<Date>,
    /// The entry its party and place were read from.
    pub record_at: Position,
    /// What its history tells, as far as that was read.
    pub told: Told,
}

impl Known {
    fn lies(&self, case: CaseKey) -> Lies {
        (self.act.party, self.act.days(), case)
    }
}

// What the room's header says of memory: with the key beside it, the table's slack and the lists by
// party.
const _: () = assert!(size_of::<(CaseKey, Known)>() <= 232);

/// What became of one case.
pub(super) enum Reading {
    Act(Known),
    /// No party, no such case, or not for this city.
    Nothing,
    Damaged,
}

pub(super) struct Index {
    pub read_to: u64,
    pub known: HashMap<CaseKey, Known>,
    pub by_party: ByParty,
    pub hinted: Hinted,
    /// Cases whose record lies damaged on this disk: read again later.
    pub unread: BTreeSet<CaseKey>,
    /// Cases it may hold.
    pub room: usize,
    /// Some case found no room.
    pub full: bool,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            read_to: 0,
            known: HashMap::new(),
            by_party: ByParty::default(),
            hinted: Hinted::default(),
            unread: BTreeSet::new(),
            room: SAME_ACT_CASES_MAX,
            full: false,
        }
    }
}

impl Index {
    pub(super) fn take(&mut self, case: CaseKey, reading: Reading) {
        self.unread.remove(&case);
        let Reading::Act(known) = reading else {
            self.remove(case);
            if matches!(reading, Reading::Damaged) {
                self.unread.insert(case);
            }
            return;
        };
        let same = |before: &Known| (before.act, before.opened) == (known.act, known.opened);
        if !self.known.get(&case).is_some_and(same) {
            self.remove(case);
            if self.known.len() >= self.room {
                self.full = true;
                return;
            }
            self.make_place(case, &known);
        }
        self.known.insert(case, known);
    }

    /// A case that comes may be one act with any of its party that has no hint so far.
    fn make_place(&mut self, case: CaseKey, known: &Known) {
        let (party, days, _) = known.lies(case);
        let mut without: Vec<CaseKey> = self.by_party.of(party).take(2).collect();
        let others = without.len();
        // Of the only one of a party nothing is kept: it is compared now.
        if others > 1 {
            without = self.hinted.without(party, days);
        }
        self.by_party.insert(party, days, case);
        without.into_iter().for_each(|other| self.may_have(other));
        if others > 0 {
            self.hinted.may_have(known.opened, known.lies(case));
        }
    }

    fn may_have(&mut self, case: CaseKey) {
        if let Some(known) = self.known.get(&case) {
            self.hinted.may_have(known.opened, known.lies(case));
        }
    }

    /// A case that goes may be the one that others have a hint at.
    pub(super) fn remove(&mut self, case: CaseKey) {
        let Some(known) = self.known.remove(&case) else { return };
        let (party, days, _) = known.lies(case);
        self.hinted.forget(known.opened, known.lies(case));
        self.by_party.remove(party, days, case);
        let has = |other: &CaseKey| {
            self.known.get(other).is_some_and(|other| self.hinted.has(other.opened))
        };
        let have: Vec<CaseKey> = self.by_party.may_overlap(party, days).filter(has).collect();
        have.into_iter().for_each(|other| self.may_have(other));
        let mut left = self.by_party.of(party);
        if let (Some(last), None) = (left.next(), left.next())
            && let Some(known) = self.known.get(&last)
        {
            self.hinted.forget(known.opened, known.lies(last));
        }
    }

    /// Whether a case has a hint; compared with others only where that is not known.
    pub(super) fn has_any(
        &mut self,
        (opened, case): (u64, CaseKey),
        metres_max: u32,
        catalogue: &Catalogue,
    ) -> (bool, u32) {
        // First of all, and without a look at the case: most are known.
        if let Some(has_any) = self.hinted.is_known(opened) {
            return (has_any, 0);
        }
        let Some(lies) = self.known.get(&case).map(|known| known.lies(case)) else {
            return (false, 0);
        };
        let mut looked_at = 0_u32;
        let judged = self.judged(case, metres_max, catalogue);
        let any = judged.inspect(|_| looked_at += 1).any(|hint| hint.is_some());
        self.hinted.is_now(opened, lies, any);
        (any, looked_at)
    }

    pub(super) fn hints(
        &self,
        case: CaseKey,
        metres_max: u32,
        catalogue: &Catalogue,
    ) -> impl Iterator<Item = Hint> {
        self.judged(case, metres_max, catalogue).flatten()
    }

    /// Every record whose days may overlap, with the hint it is if it is one.
    fn judged(
        &self,
        case: CaseKey,
        metres_max: u32,
        catalogue: &Catalogue,
    ) -> impl Iterator<Item = Option<Hint>> {
        let own = self.known.get(&case);
        let others = own.map(|own| self.by_party.may_overlap(own.act.party, own.act.days()));
        let others = others.into_iter().flatten().filter(move |other| *other != case);
        others.map(move |other| {
            let (own, there) = (own?, self.known.get(&other)?);
            let one_act = |a, b| catalogue.may_be_one_act(a, b);
            let why = same_act::same_act(&own.act, &there.act, metres_max, one_act, metres)?;
            let decided_on = there.decided_on;
            Some(Hint { case: other, why, decided_on })
        })
    }
}

pub(super) fn metres(a: Coordinates, b: Coordinates) -> u32 {
    let point =
        |at: Coordinates| Point::new(i64::from(at.lon_udeg()) * 10, i64::from(at.lat_udeg()) * 10);
    match (point(a), point(b)) {
        (Ok(a), Ok(b)) => geo::metres_between(a, b),
        // Coordinates lie in China, and so on the globe.
        (Err(_), _) | (_, Err(_)) => u32::MAX,
    }
}
