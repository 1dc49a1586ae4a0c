//! What is applied here only because something is suspended here: it leans on the suspension.
//!
//! A head beyond the end of a suspended log counts as met, so an entry that names one is applied
//! here although nobody else may ever apply it: a city that lies may have made the head up. From
//! the first such entry on a log leans, and so does a log from its first entry that names it
//! there. Nothing of this is said to anybody: own entries name a leaning log as far as it did not
//! lean, and what would rest on the rest is refused until the suspension is lifted and everything
//! is folded anew.
//!
//! Which cases cannot be written to is listed from the rows (`rests_on_suspended` of ListCases), by
//! the same rule. (`cases_that_rest_on_a_suspension_are_listed_page_by_page`)
//!
//! Invariant: an own entry is applied at every member that has this log and what it names, whoever
//! was suspended here when it was written. (`nothing_that_leans_is_named_or_built_upon`)

use std::collections::BTreeMap;

use crate::api::request::WriteError;
use crate::ids::{AgreementId, CityCode, LogId, Position, SubjectId};
use crate::journal::Disk;
use crate::log::Head;
use crate::node::core::Core;
use crate::node::core::logs::Log;
use crate::store::Store;
use crate::view::{self, Effect, ReadRows};
use crate::wire::entry::ParsedHeader;

/// From which entry on each log leans, of those that do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leaning(BTreeMap<LogId, u64>);

impl FromIterator<(LogId, u64)> for Leaning {
    fn from_iter<I: IntoIterator<Item = (LogId, u64)>>(logs: I) -> Self {
        Self(logs.into_iter().collect())
    }
}

impl Leaning {
    /// Nothing leans.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an entry leans.
    #[must_use]
    pub fn has(&self, at: Position) -> bool {
        self.0.get(&at.log).is_some_and(|from| *from <= at.index)
    }

    /// Whether the opening of a record leans, or a move of a case. What is only added beside them
    /// decides nothing.
    pub fn has_record(
        &self,
        rows: &(impl ReadRows + ?Sized),
        agreement: AgreementId,
        subject: SubjectId,
    ) -> bool {
        let mut leans = false;
        view::history(rows, agreement, subject, 0, &mut |entry| {
            let moves = matches!(entry.effect, Effect::Opened | Effect::Move);
            leans = moves && self.has(entry.position);
            !leans
        });
        leans
    }
}

impl Log {
    /// Head over what is applied and leans on nothing: what may be named as seen.
    #[must_use]
    pub fn sure_head(&self) -> Head {
        self.grown.leans_from.unwrap_or_else(|| self.applied_head())
    }
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Whether an entry that may be applied leans: a head it names is met only because its log is
    /// suspended here, or lies where its log leans. A log with two histories counts as met
    /// everywhere, once the proof is there.
    pub(super) fn leans(&self, agreement: AgreementId, parsed: &ParsedHeader) -> bool {
        parsed.envelope.after.iter().any(|head| {
            let other = self.logs.get(head.log).filter(|l| l.manifest.agreement == agreement);
            other.is_some_and(|l| !l.stands && l.sure_head().size < head.size)
        })
    }

    /// Whether a case may be written to: no move of it leans, nor the entry that is named.
    pub(super) fn check_leaning(
        &mut self,
        agreement: AgreementId,
        subject: SubjectId,
        named: Option<Position>,
    ) -> Result<(), WriteError> {
        let logs = self.logs.of_agreement(agreement);
        let leaning: Leaning =
            logs.filter_map(|l| Some((l.id, l.grown.leans_from?.size))).collect();
        if leaning.is_empty() {
            return Ok(());
        }
        let leans = named.is_some_and(|at| leaning.has(at))
            || leaning.has_record(&self.group_rows(), agreement, subject);
        if !leans {
            return Ok(());
        }
        Err(WriteError::Suspended { cities: self.standing_cities(agreement) })
    }

    /// Cities of which something stands still in an agreement because it is suspended here.
    fn standing_cities(&self, agreement: AgreementId) -> Vec<CityCode> {
        let standing = self.logs.of_agreement(agreement).filter(|l| l.stands_at.is_some());
        let mut cities: Vec<CityCode> = standing.map(|l| l.manifest.city).collect();
        cities.sort_unstable();
        cities.dedup();
        cities
    }
}
