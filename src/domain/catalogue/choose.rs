//! Which text applies to an act: that of the day on which it ended, and a later one if it is
//! lighter (从旧兼从轻, 行政处罚法 art. 37).
//!
//! In scope: candidates, and whether a later fine is lighter. Out of scope: the choice, which is an
//! officer's; nothing here is ever written by itself.
//!
//! Comparing: a later text is lighter when none of its limits is above the earlier one's and one is
//! below. Where limits point in different directions, or a fine is a multiple, a share or not
//! known, the catalogue does not judge: compare by hand. Other penalties are not compared.
//!
//! Invariant: what is compared is symmetric: not both can be lighter. (`never_both_are_lighter`)

use std::cmp::Ordering;

use super::{Basis, Catalogue, Fine, FineRange};
use crate::domain::code::coded;
use crate::domain::date::Date;
use crate::domain::invalid::{Invalid, InvalidReason};
use crate::domain::violation::Violation;

coded! {
    /// What a later text may mean for an act before it.
    Verdict {
        Lighter "LIGHTER" "新法较轻，可能须适用" "lighter, may have to be applied";
        ByHand "BY_HAND" "不能直接比较，请人工比较轻重" "cannot be compared here, compare by hand";
        NotLighter "NOT_LIGHTER" "新法不较轻" "not lighter";
        NoEarlierText "NO_EARLIER_TEXT" "目录中没有行为时的条文"
            "the catalogue has no text of the time of the act";
    }
}

impl Verdict {
    /// People should look at it before they choose.
    #[must_use]
    pub const fn is_flagged(self) -> bool {
        matches!(self, Self::Lighter | Self::ByHand)
    }
}

/// When somebody acted, and when it is decided upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    ended_on: Date,
    goes_on: bool,
    decided_on: Date,
}

impl Act {
    /// An act from `from` to `to`; without `to` it still goes on on the day of the decision.
    ///
    /// # Errors
    /// `DATES_ORDER` at `occurred_to` or `decided_on` unless these days follow each other.
    pub fn new(from: Option<Date>, to: Option<Date>, decided_on: Date) -> Result<Self, Invalid> {
        let order = |field| Err(Invalid::from(InvalidReason::DatesOrder).at(field));
        let ended_on = to.unwrap_or(decided_on);
        if ended_on > decided_on || from.is_some_and(|from| from > decided_on) {
            return order("decided_on");
        }
        if from.is_some_and(|from| from > ended_on) {
            return order("occurred_to");
        }
        Ok(Self { ended_on, goes_on: to.is_none(), decided_on })
    }
}

/// A text that came into force after the act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Later<'a> {
    /// The later text.
    pub basis: &'a Basis,
    /// The text of the time of the act with which it was compared, if there is one.
    pub earlier: Option<&'a Basis>,
    /// What it may mean.
    pub verdict: Verdict,
}

/// What the catalogue offers for an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice<'a> {
    /// The day that was looked up: the last day of the act.
    pub judged_on: Date,
    /// No last day was given: the act is taken to go on on the day of the decision.
    pub goes_on: bool,
    /// Texts in force on that day; empty when the catalogue has none.
    pub in_force: Vec<&'a Basis>,
    /// Texts that came later and are in force on the day of the decision, each with every earlier
    /// one it can be held against.
    pub later: Vec<Later<'a>>,
}

impl Catalogue {
    /// Candidates for an act.
    #[must_use]
    pub fn choose(&self, violation: Violation, act: Act) -> Choice<'_> {
        let bases = self.bases(violation);
        let in_force: Vec<&Basis> =
            bases.iter().filter(|basis| basis.is_offered_on(act.ended_on)).collect();
        let is_later =
            |basis: &&Basis| basis.from > act.ended_on && basis.is_offered_on(act.decided_on);
        let later = bases.iter().filter(is_later).flat_map(|basis| held_against(basis, &in_force));
        let later = later.collect();
        Choice { judged_on: act.ended_on, goes_on: act.goes_on, in_force, later }
    }
}

/// A later text against all earlier ones that are about the same and have a fine.
fn held_against<'a>(basis: &'a Basis, in_force: &[&'a Basis]) -> Vec<Later<'a>> {
    let same = |earlier: &&&Basis| {
        let apart = basis.about.is_some() && earlier.about.is_some();
        earlier.fine != Fine::Absent && (!apart || basis.about == earlier.about)
    };
    let compared: Vec<Later<'a>> = in_force
        .iter()
        .filter(same)
        .map(|earlier| {
            let verdict = compare(&earlier.fine, &basis.fine);
            Later { basis, earlier: Some(earlier), verdict }
        })
        .collect();
    if compared.is_empty() {
        return vec![Later { basis, earlier: None, verdict: Verdict::NoEarlierText }];
    }
    compared
}

/// Whether the later fine is lighter.
pub(super) fn compare(earlier: &Fine, later: &Fine) -> Verdict {
    let (Fine::Ranges(earlier), Fine::Ranges(later)) = (earlier, later) else {
        return Verdict::ByHand;
    };
    let (mut lighter, mut heavier) = (false, false);
    for range in later {
        match earlier.iter().find(|other| case(other) == case(range)) {
            Some(other) => {
                let limits = [range.least.cmp(&other.least), range.most.cmp(&other.most)];
                lighter |= limits.contains(&Ordering::Less);
                heavier |= limits.contains(&Ordering::Greater);
            }
            // A fine that was not there.
            None => heavier = true,
        }
    }
    // A fine that is there no more.
    lighter |= earlier.iter().any(|other| !later.iter().any(|range| case(range) == case(other)));
    match (lighter, heavier) {
        (true, false) => Verdict::Lighter,
        (true, true) => Verdict::ByHand,
        (false, true | false) => Verdict::NotLighter,
    }
}

fn case(range: &FineRange) -> Option<&str> {
    range.case.as_ref().map(|case| case.code.as_str())
}
