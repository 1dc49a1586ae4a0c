//! The double-random draw (双随机抽查): an order by chance that no city can steer and anybody can work
//! out again.
//!
//! Every city of a plan commits to 32 random bytes before anybody shows any, and shows them later.
//! All of them together are the seed; whoever is drawn has the smallest hash of seed and
//! identifier.
//!
//! ```text
//! commitment = SHA-256("liandong/draw/v1" || plan id, 16 || revision, 4 big-endian
//!                      || city, 6 ASCII digits || 32 random bytes)
//! seed       = lower-case hex of SHA-256("liandong/draw-seed/v1"
//!                      || the 32 bytes of each city, in the order of city codes)
//! ticket 0   = SHA-256(seed || 0x1F || identifier)
//! ticket n   = SHA-256(seed || 0x1F || identifier || 0x1F || n in decimal), 1 <= n < weight
//! ```
//!
//! A member of the pool with weight w has w tickets, and its smallest one counts. So the chance to
//! be the first is its share of all tickets, and that to be the next its share of those that are
//! left: a draw from an urn, without putting back. (fixed)
//!
//! In scope: commitments, the seed, the order. Out of scope: who may be drawn (recusal, positive
//! list, caps), which is settled before the commitments; where this stands in the logs.
//!
//! Invariants:
//! 1. The draws of the sample plans come out again.
//!    (`the_draws_of_the_sample_plans_come_out_again`)
//! 2. Whoever changes one bit of what one city showed is found out.
//!    (`what_was_not_committed_to_is_no_reveal`)
//! 3. Over a year of draws each member is drawn as often as its weight says, within what chance
//!    allows. (`a_year_of_draws_is_fair`)

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{CityCode, Hash, SubjectId, hex};
use crate::limits::{DRAW_ID_BYTES_MAX, DRAW_POOL_MAX, DRAW_WEIGHT_MAX};

/// Begins every commitment.
const COMMITMENT: &[u8] = b"liandong/draw/v1";
/// Begins what the seed is the hash of.
const SEED: &[u8] = b"liandong/draw-seed/v1";
/// Stands between the pieces of a ticket: in no identifier.
const BETWEEN: u8 = 0x1F;

/// What one city adds to the seed.
pub type Randomness = [u8; 32];

/// Why a draw is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    /// Nobody has added to the seed.
    #[error("no city has shown its randomness")]
    NoReveals,
    /// These cities have committed, and not shown what to.
    #[error("not shown by {0:?}")]
    Withheld(Vec<CityCode>),
    /// These cities have shown what they had not committed to.
    #[error("not what was committed to by {0:?}")]
    NotCommitted(Vec<CityCode>),
    /// More members than [`DRAW_POOL_MAX`].
    #[error("a pool of {got}, at most {DRAW_POOL_MAX}")]
    PoolTooLarge {
        /// How many there are.
        got: usize,
    },
    /// An identifier is empty, longer than [`DRAW_ID_BYTES_MAX`], or has anything but digits,
    /// letters of ASCII and hyphens: two that look alike would be two members.
    #[error("identifier {0:?} cannot be drawn")]
    BadId(String),
    /// An identifier stands in the pool twice.
    #[error("{0} is in the pool twice")]
    Twice(String),
    /// A weight is not 1 to [`DRAW_WEIGHT_MAX`].
    #[error("{id} has weight {got}, of 1 to {DRAW_WEIGHT_MAX}")]
    Weight {
        /// Whose.
        id: String,
        /// What it is.
        got: u32,
    },
    /// More are to be drawn than there are.
    #[error("{asked} to be drawn of {there}")]
    TooFew {
        /// How many are to be drawn.
        asked: usize,
        /// How many are in the pool.
        there: usize,
    },
}

/// What a city publishes before anybody shows anything.
#[must_use]
pub fn commitment(plan: SubjectId, revision: u32, city: CityCode, random: &Randomness) -> Hash {
    let city = city.to_string();
    Hash::of(&[COMMITMENT, plan.as_bytes(), &revision.to_be_bytes(), city.as_bytes(), random])
}

/// What the order of a draw follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed(String);

impl Seed {
    /// The seed of what all cities have shown.
    ///
    /// # Errors
    /// [`DrawError::Withheld`] and [`DrawError::NotCommitted`] with every city concerned,
    /// ascending; [`DrawError::NoReveals`] when there is no city at all.
    pub fn joint(
        plan: SubjectId,
        revision: u32,
        commitments: &BTreeMap<CityCode, Hash>,
        reveals: &BTreeMap<CityCode, Randomness>,
    ) -> Result<Self, DrawError> {
        let is_committed = |(city, random): &(&CityCode, &Randomness)| {
            commitments.get(*city) == Some(&commitment(plan, revision, **city, random))
        };
        let wrong: Vec<CityCode> =
            reveals.iter().filter(|shown| !is_committed(shown)).map(|(city, _)| *city).collect();
        if !wrong.is_empty() {
            return Err(DrawError::NotCommitted(wrong));
        }
        let silent = commitments.keys().filter(|city| !reveals.contains_key(*city));
        let silent: Vec<CityCode> = silent.copied().collect();
        if !silent.is_empty() {
            return Err(DrawError::Withheld(silent));
        }
        if reveals.is_empty() {
            return Err(DrawError::NoReveals);
        }
        let shown = reveals.values().map(<[u8; 32]>::as_slice);
        #[cfg(feature = "planted-bugs")]
        let shown =
            shown.take(if crate::planted::is_on("seed-of-one-city") { 1 } else { usize::MAX });
        let pieces: Vec<&[u8]> = std::iter::once(SEED).chain(shown).collect();
        Ok(Self(hex(Hash::of(&pieces).as_bytes())))
    }

    /// A seed that somebody has published: a draw of one city, or from before this program.
    #[must_use]
    pub fn published(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text that stands first in every ticket.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The smallest ticket of a member.
    fn rank(&self, member: &Member) -> Hash {
        let (seed, id) = (self.0.as_bytes(), member.id.as_bytes());
        let first = Hash::of(&[seed, &[BETWEEN], id]);
        let ticket =
            |n: u32| Hash::of(&[seed, &[BETWEEN], id, &[BETWEEN], n.to_string().as_bytes()]);
        (1..member.weight).map(ticket).fold(first, Hash::min)
    }
}

/// Somebody or something that may be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// A credit code, a certificate number: what people know it by.
    pub id: String,
    /// Its number of tickets, 1 to [`DRAW_WEIGHT_MAX`].
    pub weight: u32,
}

/// Those of whom some are drawn; in the order of their identifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool(Vec<Member>);

impl Pool {
    /// Checks the members; their order does not matter.
    ///
    /// # Errors
    /// [`DrawError`] with the first thing that is wrong.
    pub fn new(mut members: Vec<Member>) -> Result<Self, DrawError> {
        if members.len() > DRAW_POOL_MAX {
            return Err(DrawError::PoolTooLarge { got: members.len() });
        }
        members.sort_by(|a, b| a.id.cmp(&b.id));
        let mut ids = BTreeSet::new();
        for Member { id, weight } in &members {
            let fits = (1..=DRAW_ID_BYTES_MAX).contains(&id.len());
            if !fits || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                return Err(DrawError::BadId(id.clone()));
            }
            if !(1..=DRAW_WEIGHT_MAX).contains(weight) {
                return Err(DrawError::Weight { id: id.clone(), got: *weight });
            }
            if !ids.insert(id.as_str()) {
                return Err(DrawError::Twice(id.clone()));
            }
        }
        Ok(Self(members))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Draws so many, in the order in which they are drawn.
    ///
    /// # Errors
    /// [`DrawError::TooFew`] when there are not so many.
    pub fn draw(&self, seed: &Seed, count: usize) -> Result<Vec<&str>, DrawError> {
        if count > self.len() {
            return Err(DrawError::TooFew { asked: count, there: self.len() });
        }
        let mut ranked: Vec<(Hash, &str)> =
            self.0.iter().map(|member| (seed.rank(member), member.id.as_str())).collect();
        ranked.sort_unstable();
        Ok(ranked.into_iter().take(count).map(|(_, id)| id).collect())
    }
}

#[cfg(test)]
mod tests;
