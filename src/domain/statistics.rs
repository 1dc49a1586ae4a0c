//! What a month comes to: how many cases were opened, how many of them off-site, what was handed
//! over, how many of those filed have ended; beside it what checks and joint actions came to
//! ([`Tally`]).
//!
//! In scope: counting one case, one site, one plan; counts are added up. Out of scope: which ones
//! (whoever asks), shares and their rounding (whoever shows them).
//!
//! A month is one of legal dates in Beijing. A move counts in the month of its own legal date,
//! whenever it was written or arrived; a case is known by its present source.
//!
//! Invariants:
//! 1. What is counted of a whole is the sum of its parts. (`counts_of_months_add_up`)
//! 2. The forty samples come to the numbers counted by hand.
//!    (`f36_months_of_the_samples_are_counted`)

mod checks;

pub use checks::{CheckCounts, Held, Tally};

use super::case::{CaseMove, CaseState, CaseStep};
use super::date::Date;
use super::facts::Source;
use super::invalid::Invalid;
use crate::ids::CityCode;

/// A month, and the last day of it that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month {
    /// Its first day.
    pub first: Date,
    /// Its last day, or an earlier one when it is not over.
    pub until: Date,
}

impl Month {
    /// A month of which nothing after `today` is counted; `None` when it has not begun.
    ///
    /// # Errors
    /// `DATE_RANGE` when there is no such month.
    pub fn new(year: i32, month: u8, today: Date) -> Result<Option<Self>, Invalid> {
        let first = Date::new(year, month, 1)?;
        let lasts = [31, 30, 29, 28].map(|day| Date::new(year, month, day));
        let last = lasts.into_iter().find_map(Result::ok).unwrap_or(first);
        Ok((first <= today).then_some(Self { first, until: last.min(today) }))
    }

    /// Whether any day from the one to the other is counted.
    #[must_use]
    pub fn touches(self, first: Date, last: Date) -> bool {
        first <= self.until && self.first <= last
    }

    fn has(self, on: Date) -> bool {
        self.first <= on && on <= self.until
    }
}

/// What of a move is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The case was opened.
    Opened,
    /// It was filed (立案).
    Filed,
    /// Nothing is left to do but to archive it (结案 and its like).
    Ended,
    /// It was offered to this city.
    Offered {
        /// The receiver.
        to: CityCode,
    },
    /// It was accepted.
    Accepted,
    /// It was returned.
    Returned,
    /// Nothing.
    Other,
}

impl What {
    /// What is counted of a move that led to this state.
    #[must_use]
    pub fn of(mv: &CaseMove, state: CaseState) -> Self {
        match mv {
            CaseMove::Opened { .. } => Self::Opened,
            CaseMove::Stepped { step: CaseStep::Filed, .. } => Self::Filed,
            CaseMove::Stepped { .. } | CaseMove::JurisdictionDesignated { .. } if ends(state) => {
                Self::Ended
            }
            CaseMove::TransferOffered { to, .. } => Self::Offered { to: *to },
            CaseMove::TransferAccepted { .. } => Self::Accepted,
            CaseMove::TransferReturned { .. } => Self::Returned,
            CaseMove::Stepped { .. }
            | CaseMove::JurisdictionDesignated { .. }
            | CaseMove::Amended { .. }
            | CaseMove::ProposalAdopted { .. }
            | CaseMove::ProposalRefused { .. }
            | CaseMove::TransferDisputed { .. } => Self::Other,
        }
    }
}

/// Whether a filed case in this state has ended: it may only be archived. A dismissed clue was
/// never filed, and a case with the police may come back.
const fn ends(state: CaseState) -> bool {
    match state {
        CaseState::Closed
        | CaseState::NoPenalty
        | CaseState::Withdrawn
        | CaseState::Revoked
        | CaseState::ClosedOutside => true,
        CaseState::ClueReported
        | CaseState::ClueVerifying
        | CaseState::ClueDismissed
        | CaseState::Filed
        | CaseState::Investigating
        | CaseState::NoticeServed
        | CaseState::Hearing
        | CaseState::Decided
        | CaseState::Enforcing
        | CaseState::CourtEnforcement
        | CaseState::Archived
        | CaseState::TransferredPolice
        | CaseState::TransferredOut
        | CaseState::TransferAccepted
        | CaseState::TransferDisputed
        | CaseState::Designated => false,
    }
}

/// A move that took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Whose move.
    pub by: CityCode,
    /// Its legal date.
    pub on: Date,
    /// What of it is counted.
    pub what: What,
}

/// The counts; each a number of cases or moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Cases opened in the month.
    pub opened: u32,
    /// Of these, by a source that needs nobody on the spot (非现场).
    pub off_site: u32,
    /// Of those opened, found in joint checks.
    pub joint_checks: u32,
    /// Transfers offered in the month.
    pub transfers: u32,
    /// Of these, by the own city.
    pub transfers_out: u32,
    /// Of these, to the own city.
    pub transfers_in: u32,
    /// Transfers accepted in the month.
    pub accepted: u32,
    /// Transfers returned in the month.
    pub returned: u32,
    /// Cases filed by the last day counted, in all months.
    pub filed_so_far: u32,
    /// Of these, ended by that day.
    pub ended_so_far: u32,
}

impl Counts {
    /// What one case adds to a month, as `own` counts it.
    #[must_use]
    pub fn of_case(own: CityCode, source: Source, facts: &[Fact], month: Month) -> Self {
        let by_then = |fact: &&Fact| fact.on <= month.until;
        let ever = |what| facts.iter().filter(by_then).any(|fact| fact.what == what);
        let within = facts.iter().filter(|fact| month.has(fact.on));
        let mut counts = Self::default();
        for fact in within {
            match fact.what {
                What::Opened => {
                    counts.opened += 1;
                    counts.off_site += u32::from(is_off_site(source));
                    counts.joint_checks += u32::from(source == Source::JointInspection);
                }
                What::Offered { to } => {
                    counts.transfers += 1;
                    counts.transfers_out += u32::from(fact.by == own);
                    counts.transfers_in += u32::from(to == own);
                }
                What::Accepted => counts.accepted += 1,
                What::Returned => counts.returned += 1,
                What::Filed | What::Ended | What::Other => {}
            }
        }
        let filed = ever(What::Filed);
        counts.filed_so_far = u32::from(filed);
        counts.ended_so_far = u32::from(filed && ever(What::Ended));
        counts
    }

    /// Whether anything of it happened in the month itself.
    #[must_use]
    pub fn has_of_month(&self) -> bool {
        Self { filed_so_far: 0, ended_so_far: 0, ..*self } != Self::default()
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            opened: self.opened.saturating_add(other.opened),
            off_site: self.off_site.saturating_add(other.off_site),
            joint_checks: self.joint_checks.saturating_add(other.joint_checks),
            transfers: self.transfers.saturating_add(other.transfers),
            transfers_out: self.transfers_out.saturating_add(other.transfers_out),
            transfers_in: self.transfers_in.saturating_add(other.transfers_in),
            accepted: self.accepted.saturating_add(other.accepted),
            returned: self.returned.saturating_add(other.returned),
            filed_so_far: self.filed_so_far.saturating_add(other.filed_so_far),
            ended_so_far: self.ended_so_far.saturating_add(other.ended_so_far),
        }
    }
}

/// Online and power monitoring and drones: the act shows without anybody going there.
const fn is_off_site(source: Source) -> bool {
    match source {
        Source::OnlineMonitoring | Source::PowerMonitoring | Source::UavPatrol => true,
        Source::Complaint
        | Source::DoubleRandom
        | Source::JointInspection
        | Source::PeerNotification
        | Source::SpecialCampaign
        | Source::SuperiorAssignment
        | Source::Incident
        | Source::Media => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: &str = "2026-11-28";

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn month(year: i32, month: u8) -> Month {
        Month::new(year, month, date(TODAY)).unwrap().unwrap()
    }

    fn city(code: u32) -> CityCode {
        CityCode::from_u32(code).unwrap()
    }

    fn fact(by: u32, on: &str, what: What) -> Fact {
        Fact { by: city(by), on: date(on), what }
    }

    #[test]
    fn months_end_where_they_end_or_today() {
        assert_eq!(month(2024, 2).until, date("2024-02-29"));
        assert_eq!(month(2025, 2).until, date("2025-02-28"));
        assert_eq!(month(2026, 4).until, date("2026-04-30"));
        assert_eq!(month(2026, 11).until, date(TODAY));
        assert_eq!(Month::new(2026, 12, date(TODAY)), Ok(None));
        let touches = |first, last| month(2026, 4).touches(date(first), date(last));
        assert!(touches("2026-03-30", "2026-04-01") && touches("2026-04-30", "2026-05-02"));
        assert!(!touches("2026-03-30", "2026-03-31") && !touches("2026-05-01", "2026-05-02"));
        for (year, month) in [(2026, 0), (2026, 13), (1899, 12), (2200, 1)] {
            assert!(Month::new(year, month, date(TODAY)).is_err(), "{year}-{month}");
        }
    }

    #[test]
    fn a_case_is_counted_where_its_dates_lie() {
        let facts = [
            fact(371_500, "2026-08-31", What::Opened),
            fact(371_500, "2026-09-01", What::Offered { to: city(130_400) }),
            fact(130_400, "2026-09-02", What::Returned),
            fact(371_500, "2026-09-03", What::Offered { to: city(410_900) }),
            fact(410_900, "2026-10-01", What::Accepted),
            fact(410_900, "2026-10-08", What::Filed),
            fact(410_900, "2026-10-31", What::Ended),
        ];
        let of = |own, m| Counts::of_case(city(own), Source::UavPatrol, &facts, month(2026, m));
        let august = Counts { opened: 1, off_site: 1, ..Counts::default() };
        assert_eq!(of(371_500, 8), august);
        let september = Counts { transfers: 2, returned: 1, ..Counts::default() };
        assert_eq!(of(371_500, 9), Counts { transfers_out: 2, ..september });
        assert_eq!(of(130_400, 9), Counts { transfers_in: 1, ..september });
        assert_eq!(of(370_900, 9), september);
        let so_far = Counts { filed_so_far: 1, ended_so_far: 1, ..Counts::default() };
        assert_eq!(of(371_500, 10), Counts { accepted: 1, ..so_far });
        assert_eq!(of(371_500, 11), so_far);
        // An end without a filing, as of a clue designated elsewhere, is none of those filed.
        let clue = [fact(371_500, "2026-10-31", What::Ended)];
        let counts = Counts::of_case(city(371_500), Source::Media, &clue, month(2026, 10));
        assert_eq!(counts, Counts::default());
    }

    #[test]
    fn counts_of_months_add_up() {
        let all: Vec<Fact> = (1..=12)
            .flat_map(|m| {
                let on = format!("2025-{m:02}-{:02}", 2 * m);
                [
                    fact(371_500, &on, What::Opened),
                    fact(371_500, &on, What::Offered { to: city(130_400) }),
                    fact(130_400, &on, What::Accepted),
                ]
            })
            .collect();
        let count =
            |m| Counts::of_case(city(130_400), Source::JointInspection, &all, month(2025, m));
        let year = (1..=12).map(count).fold(Counts::default(), Counts::plus);
        let want = Counts {
            opened: 12,
            joint_checks: 12,
            transfers: 12,
            transfers_in: 12,
            accepted: 12,
            ..Counts::default()
        };
        assert_eq!(year, want);
    }

    #[test]
    fn ends_are_where_only_the_archive_is_left() {
        for state in CaseState::ALL {
            let only_archive = super::super::transition::steps_from(*state) == [CaseStep::Archived];
            assert_eq!(
                ends(*state) || *state == CaseState::ClueDismissed,
                only_archive,
                "{state:?}"
            );
        }
    }
}
