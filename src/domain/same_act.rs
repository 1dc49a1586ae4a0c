//! Whether two records may be of one and the same act (一事不二罚).
//!
//! 行政处罚法 art. 29: nobody is fined twice for one act, and where one act breaks several rules,
//! the rule with the highest fine is applied. Two cities at one border may file the same act. This
//! only says where people should look: a hint is no finding, and nothing is ever merged.
//!
//! In scope: the judgement of a pair. Out of scope: finding pairs, and who may see them
//! ([`crate::node::same_act`]).
//!
//! What decides, and why so:
//! - The party. A firm by its credit code, which is exact. A natural person by the surname of the
//!   masked name (张某某, 张某 and 张* may be one person) *and* the place, which both records must
//!   know: a surname alone would bring up half of a county.
//! - The violation: the same code, or codes that may name one act under two rules,
//!   which is a table of the catalogue ([`super::catalogue::one_act`]).
//! - The time: the days overlap. No first day: up to two years before the discovery, because an
//!   older act is not punished any more (art. 36). No last day: until it is decided, because what
//!   goes on afterwards is a new act; and without a decision, to this day and on. Since nothing
//!   recorded lies in the future, today need not be known, and a hint does not come by waiting.
//! - The place: not more metres apart than the setting. A firm's record without a point counts by
//!   its county. Without either nothing is said: no case is filed without a point (`check_filing`),
//!   so the hint is there when it is filed at the latest.
//!
//! Wrong hints cost a look, a missed one a fine that is void: where a record is silent, the rule
//! leans to the hint and says so ([`SameAct::assumed`]).
//!
//! Invariants:
//! 1. The judgement does not depend on which record comes first. (`planted_pairs_are_all_found`)
//! 2. Planted pairs are all found. (the same test, which prints the false hints)

use super::case::CaseState;
use super::date::Date;
use super::deadline::{Happened, What};
use super::facts::CaseFacts;
use super::party::Party;
use super::place::Coordinates;
use super::violation::Violation;
use crate::ids::Tag;

/// 行政处罚法 art. 36: an act that nobody has discovered within two years is not punished. Five
/// years where it harmed life or health are not assumed: such a record has its first day.
const UNDISCOVERED_DAYS: i64 = 731;

/// By what a party is known again.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum PartyKey {
    /// A credit code.
    Firm(String),
    /// The first character of a masked name: a surname, the first half of one, or 某.
    Person(String),
}

impl PartyKey {
    /// Of a party.
    #[must_use]
    pub fn of(party: &Party) -> Self {
        match party {
            Party::LegalPerson { uscc, .. } => Self::Firm(uscc.as_str().to_owned()),
            Party::NaturalPerson { masked_name } => {
                Self::Person(masked_name.as_str().chars().take(1).collect())
            }
        }
    }

    /// What a tag is made of: kind and text.
    #[must_use]
    pub fn fields(&self) -> [&[u8]; 2] {
        match self {
            Self::Firm(code) => [b"firm", code.as_bytes()],
            Self::Person(surname) => [b"person", surname.as_bytes()],
        }
    }
}

/// The days of an act, as far as a record tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Days {
    from: Date,
    /// `None`: it goes on.
    to: Option<Date>,
    /// One of the two is assumed.
    assumed: bool,
}

impl Days {
    fn of(facts: &CaseFacts, decided_on: Option<Date>) -> Self {
        let (known_from, known_to) = match (facts.occurred_from, facts.occurred_to) {
            // Another city's node may not have checked them.
            (Some(from), Some(to)) if from > to => (Some(to), Some(from)),
            days => days,
        };
        let discovered = Date::beijing(facts.discovered_time_ms);
        let latest = known_to.into_iter().chain(discovered).min();
        let earliest = latest.and_then(|day| day.plus_days(-UNDISCOVERED_DAYS));
        let from = known_from.or(earliest).unwrap_or(Date::EARLIEST);
        let to = known_to.or(decided_on).map(|to| to.max(from));
        Self { from, to, assumed: known_from.is_none() || known_to.is_none() }
    }
}

/// What of a record is compared. Small, and without anything that names a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// Stands for the party: equal exactly when the [`PartyKey`]s are.
    pub party: Tag,
    /// A natural person.
    natural: bool,
    violation: Violation,
    days: Days,
    place: Option<Coordinates>,
    county: Option<u32>,
}

impl Act {
    /// Of a record. `decided_on`: see [`decided_on`].
    #[must_use]
    pub fn new(
        (party, key): (Tag, &PartyKey),
        facts: &CaseFacts,
        place: Option<Coordinates>,
        decided_on: Option<Date>,
    ) -> Self {
        Self {
            party,
            natural: matches!(key, PartyKey::Person(_)),
            violation: facts.violation,
            days: Days::of(facts, decided_on),
            place,
            county: facts.county_code,
        }
    }

    /// Its first day and its last one, known or assumed; no last one when it goes on. Acts whose
    /// days do not overlap are not one.
    #[must_use]
    pub const fn days(&self) -> (Date, Option<Date>) {
        (self.days.from, self.days.to)
    }

    /// The same party and place with what a later entry of the record says.
    #[must_use]
    pub fn with(self, facts: &CaseFacts, decided_on: Option<Date>) -> Self {
        let (violation, county) = (facts.violation, facts.county_code);
        Self { violation, county, days: Days::of(facts, decided_on), ..self }
    }
}

/// What makes two records look like one act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SameAct {
    /// Metres between the two places; `None` when only the counties could be compared.
    pub metres: Option<u32>,
    /// First day of both.
    pub from: Date,
    /// Last day of both; `None` when it goes on in both.
    pub to: Option<Date>,
    /// A first or last day was not recorded.
    pub assumed: bool,
}

/// Whether two records may be of one act; `one_act` knows which codes may name one
/// ([`super::catalogue::Catalogue::may_be_one_act`]), `metres` measures between two places.
#[must_use]
pub fn same_act(
    a: &Act,
    b: &Act,
    metres_max: u32,
    one_act: impl FnOnce(Violation, Violation) -> bool,
    metres: impl FnOnce(Coordinates, Coordinates) -> u32,
) -> Option<SameAct> {
    if a.party != b.party || a.natural != b.natural || !one_act(a.violation, b.violation) {
        return None;
    }
    let from = a.days.from.max(b.days.from);
    let to = a.days.to.into_iter().chain(b.days.to).min();
    if to.is_some_and(|to| to < from) {
        return None;
    }
    let metres = match (a.place, b.place) {
        (Some(here), Some(there)) => {
            let apart = metres(here, there);
            (apart <= metres_max).then_some(Some(apart))?
        }
        (None, _) | (_, None) => {
            let same_county = a.county.is_some() && a.county == b.county;
            (same_county && !a.natural).then_some(None)?
        }
    };
    let assumed = a.days.assumed || b.days.assumed;
    Some(SameAct { metres, from, to, assumed })
}

/// Whether there can have been a decision in a case that stands so.
#[must_use]
pub const fn may_be_decided(state: CaseState) -> bool {
    match state {
        CaseState::Decided
        | CaseState::Enforcing
        | CaseState::CourtEnforcement
        | CaseState::Closed
        | CaseState::Archived
        | CaseState::NoPenalty
        | CaseState::TransferredPolice
        | CaseState::TransferredOut
        | CaseState::TransferAccepted
        | CaseState::TransferDisputed
        | CaseState::Designated
        | CaseState::ClosedOutside => true,
        CaseState::ClueReported
        | CaseState::ClueVerifying
        | CaseState::ClueDismissed
        | CaseState::Filed
        | CaseState::Investigating
        | CaseState::NoticeServed
        | CaseState::Hearing
        | CaseState::Withdrawn
        | CaseState::Revoked => false,
    }
}

/// The legal date of the decision that stands, to punish or not to; `None` when there is none or
/// it was revoked.
#[must_use]
pub fn decided_on(happened: &[Happened]) -> Option<Date> {
    happened.iter().fold(None, |decided, one| match one.what {
        What::Became(CaseState::Decided | CaseState::NoPenalty) => Some(one.on),
        What::Became(CaseState::Revoked) => None,
        What::Became(_)
        | What::Edited
        | What::Judged(_)
        | What::Proposed(_)
        | What::Recalled
        | What::Milestone(_)
        | What::Acknowledged(_)
        | What::Asked { .. }
        | What::Answered(_)
        | What::Referred(..)
        | What::DetentionHandedOver
        | What::PoliceAnswered { .. }
        | What::Copied { .. }
        | What::Opined(_) => decided,
    })
}

/// The legal date of the first filing (立案); whoever filed first is competent (art. 25).
#[must_use]
pub fn filed_on(happened: &[Happened]) -> Option<Date> {
    let filed = |one: &&Happened| one.what == What::Became(CaseState::Filed);
    happened.iter().find(filed).map(|one| one.on)
}

#[cfg(test)]
mod tests;
