//! `[deadlines]`: lengths of terms that an operator may set.
//!
//! In scope: their names and ranges. Out of scope: what begins and ends a term
//! ([`crate::domain::deadline`]).

use super::{ConfigError, Reason, Resolver};
use crate::limits;

/// Lengths of terms that no source at hand gives, or only by hearsay; counted as their names say.
/// `None`: the program's default.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadlines {
    /// Clue to the decision whether to file, if it is counted in workdays.
    pub filing_workdays: Option<u32>,
    /// The same, if it is counted in calendar days; wins over the other.
    pub filing_days: Option<u32>,
    /// By how much it may be extended.
    pub filing_extension_workdays: Option<u32>,
    /// Service of a decision to the end of the time for a suit.
    pub suit_months: Option<u32>,
    /// Order to rectify to the second look.
    pub second_look_days: Option<u32>,
    /// Suspicion of a crime to the decision whether to hand over.
    pub crime_decision_days: Option<u32>,
    /// Handing over to the answer of the police.
    pub police_answer_days: Option<u32>,
    /// Decision to the handing over to the police, in days of 24 hours that wait for no workday.
    pub crime_hand_over_days: Option<u32>,
    /// Handing over for a detention to the answer of the police.
    pub detention_answer_days: Option<u32>,
    /// Decision to the copy for the procuratorate, likewise.
    pub procuratorate_copy_days: Option<u32>,
    /// Opinion of the procuratorate that asks for it to the handing over.
    pub opinion_hand_over_days: Option<u32>,
}

impl Deadlines {
    pub(super) fn check(self, at: &Resolver<'_>) -> Result<Self, ConfigError> {
        let most = u64::from(limits::TERM_DAYS_MAX);
        let terms = [
            ("filing_workdays", self.filing_workdays),
            ("filing_days", self.filing_days),
            ("filing_extension_workdays", self.filing_extension_workdays),
            ("suit_months", self.suit_months),
            ("second_look_days", self.second_look_days),
            ("crime_decision_days", self.crime_decision_days),
            ("police_answer_days", self.police_answer_days),
            ("crime_hand_over_days", self.crime_hand_over_days),
            ("detention_answer_days", self.detention_answer_days),
            ("procuratorate_copy_days", self.procuratorate_copy_days),
            ("opinion_hand_over_days", self.opinion_hand_over_days),
        ];
        for (name, term) in terms {
            let got = term.map_or(1, u64::from);
            if !(1..=most).contains(&got) {
                let reason = Reason::Range { got, least: 1, most };
                return Err(at.bad(&format!("deadlines.{name}"), reason));
            }
        }
        Ok(self)
    }
}
