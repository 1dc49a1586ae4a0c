//! Who goes to which site: teams of officers for the visits of one half day.
//!
//! At every visit the city where the site stands leads, with at least two certified officers of its
//! own (行政处罚法 art. 42; 国办发〔2024〕54号); visitors assist and do not count. An officer is at
//! one site at a time, and goes nowhere he is recused from.
//!
//! Seats are filled visit by visit; each takes the first free officer in the order for its site.
//! Only when there is none, somebody who sits elsewhere moves here, if his seat can be filled
//! again. So a seat stays empty only when no assignment at all would fill more. The order is that
//! of tickets after a draw, else that of ids.
//!
//! In scope: seats of one half day. Out of scope: whose certificate is valid, who is free.
//!
//! Invariants:
//! 1. No officer sits twice, and none where he is recused.
//!    (`teams_are_as_full_as_trying_everything_makes_them`)
//! 2. As many seats are filled as can be. (`teams_are_as_full_as_trying_everything_makes_them`)

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::SubjectId;

/// A seat: at which visit, by its place in the list.
type Seat = usize;

/// Seats officers. `order` gives, for a site, the officers who may go there, whom to ask first
/// first.
///
/// Returns the team of each visit, in the order in which seats were filled.
#[must_use]
pub fn seat(
    visits: &[SubjectId],
    seats: u32,
    order: &dyn Fn(SubjectId) -> Vec<SubjectId>,
) -> Vec<Vec<SubjectId>> {
    let orders: Vec<Vec<SubjectId>> = visits.iter().map(|site| order(*site)).collect();
    let mut sits: BTreeMap<SubjectId, Seat> = BTreeMap::new();
    for (at, asked) in orders.iter().enumerate() {
        for _ in 0..seats {
            let mut tried = BTreeSet::new();
            if !place(at, asked, &orders, &mut sits, &mut tried) {
                break;
            }
        }
    }
    let sits_at = |at: Seat| {
        let asked = orders.get(at).into_iter().flatten();
        asked.filter(|officer| sits.get(*officer) == Some(&at)).copied().collect()
    };
    (0..visits.len()).map(sits_at).collect()
}

/// Finds one more officer for a visit: the first who is free, else one who leaves a seat that
/// somebody else can take.
fn place(
    at: Seat,
    asked: &[SubjectId],
    orders: &[Vec<SubjectId>],
    sits: &mut BTreeMap<SubjectId, Seat>,
    tried: &mut BTreeSet<SubjectId>,
) -> bool {
    if let Some(free) = asked.iter().find(|officer| !sits.contains_key(*officer)) {
        sits.insert(*free, at);
        return true;
    }
    for officer in asked {
        let Some(other) = sits.get(officer).copied().filter(|seat| *seat != at) else { continue };
        let elsewhere = orders.get(other).map_or(&[][..], Vec::as_slice);
        if tried.insert(*officer) && place(other, elsewhere, orders, sits, tried) {
            sits.insert(*officer, at);
            return true;
        }
    }
    false
}
