//! Who goes to which site: teams of officers for the visits of one half day.
//!
//! At every visit the city where the site stands leads, with at least two certified officers of its
//! own (行政处罚法 art. 42; 国办发〔2024〕54号); visitors assist and do not count. An officer is at
//! one site at a time, and goes nowhere he is recused from.
//!
//! Seats are filled visit by visit; each asks the officers in their order for this site, and
//! whoever sits elsewhere moves if there is another seat for him. So a seat stays empty only when
//! no assignment at all would fill more. The order is that of tickets after a draw, else that of
//! ids.
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

/// Finds one more officer for a visit, and moves others on where they leave a seat empty.
fn place(
    at: Seat,
    asked: &[SubjectId],
    orders: &[Vec<SubjectId>],
    sits: &mut BTreeMap<SubjectId, Seat>,
    tried: &mut BTreeSet<SubjectId>,
) -> bool {
    for officer in asked {
        if sits.get(officer) == Some(&at) || !tried.insert(*officer) {
            continue;
        }
        let free = match sits.get(officer).copied() {
            None => true,
            Some(other) => match orders.get(other) {
                Some(asked) => place(other, asked, orders, sits, tried),
                None => false,
            },
        };
        if free {
            sits.insert(*officer, at);
            return true;
        }
    }
    false
}
