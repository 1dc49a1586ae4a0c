//! `[joint]`: what a city sets for joint action.
//!
//! In scope: names and ranges. Out of scope: what a cap means ([`crate::domain::site`]).

use super::{ConfigError, Reason, Resolver};
use crate::limits;

/// Settings for joint action.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Joint {
    /// Checks on site of one enterprise in a calendar year; 0 for no cap.
    pub site_checks_a_year_max: u32,
}

impl Default for Joint {
    fn default() -> Self {
        Self { site_checks_a_year_max: limits::SITE_CHECKS_A_YEAR }
    }
}

impl Joint {
    pub(super) fn check(self, at: &Resolver<'_>) -> Result<Self, ConfigError> {
        let (got, most) = (self.site_checks_a_year_max, limits::SITE_CHECKS_A_YEAR_MAX);
        if got > most {
            let reason = Reason::Range { got: got.into(), least: 0, most: most.into() };
            return Err(at.bad("joint.site_checks_a_year_max", reason));
        }
        Ok(self)
    }
}
