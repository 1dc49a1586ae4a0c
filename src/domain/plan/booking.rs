//! What a city has booked for a plan: its own units, on the half days of the revision it answered.
//!
//! A booking is made by the city's own confirmation (or, until a day, by a tentative answer) and
//! ends by its own entry only: another answer, a withdrawal, or [`PlanWord::UnitsReleased`] once
//! the plan has ended or has another revision. So no other city frees or takes anybody, and the
//! books of one city are kept by its one writing node over all its agreements, without any lock
//! between cities. A node that sees that a plan of its bookings has been cancelled, summarised or
//! revised may release them by itself; until it does, they stay busy.
//!
//! Visits to own sites are booked alike, against the yearly cap: those named, or with a draw every
//! own site of the pool, until the reveal says which of them are targets.
//!
//! In scope: which of several words counts. Out of scope: rows and sums over plans (the view).
//!
//! Invariants:
//! 1. A booking ends by a later word of the same city, and by nothing else.
//!    (`a_booking_ends_by_the_citys_own_word`)

use super::answer::{Answer, PlanWord, Said, Sent, answer, sent_that_counts};
use crate::domain::date::Date;
use crate::ids::Position;

/// What is booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Booking<'a> {
    /// On the half days of which revision, by the entry that made it.
    pub revision: Position,
    /// Which units.
    pub sent: &'a Sent,
    /// Last day on which they are only held; booked when absent.
    pub hold_until: Option<Date>,
}

impl Booking<'_> {
    /// Whether it still counts on a day.
    #[must_use]
    pub fn holds(&self, today: Date) -> bool {
        self.hold_until.is_none_or(|until| today <= until)
    }
}

/// What a city has booked for a plan, by all that it has said to any revision: its newest answer
/// counts, unless the units of that revision were released behind it. A release of an old revision
/// frees nobody who was confirmed for a newer one.
#[must_use]
pub fn booking<'a, P: Ord + Copy>(
    said: impl IntoIterator<Item = Said<'a, P>> + Clone,
) -> Option<Booking<'a>> {
    let answers = said.clone().into_iter();
    let answers = answers.filter_map(|one| Some((one.place, one.act.revision, answer(one.act)?)));
    let (place, revision, answer) = answers.max_by_key(|(place, _, _)| *place)?;
    let frees = |one: Said<'a, P>| {
        let of = one.act.revision == revision && one.place > place;
        of && one.act.word == PlanWord::UnitsReleased
    };
    if said.clone().into_iter().any(frees) {
        return None;
    }
    match answer {
        Answer::Confirm { .. } => {
            let (_, sent) = sent_that_counts(revision, said)?;
            Some(Booking { revision, sent, hold_until: None })
        }
        Answer::Tentative { hold_until, sent } => {
            Some(Booking { revision, sent, hold_until: Some(*hold_until) })
        }
        Answer::Comment
        | Answer::ChangesRequested
        | Answer::OtherDays { .. }
        | Answer::Decline
        | Answer::Withdraw => None,
    }
}
