//! Distances to the borders of the other members, worked out once by the author's node.
//!
//! In scope: what of a case's facts follows from its exact place. Out of scope: the geometry
//! ([`crate::geo`]), who may write ([`super::write`]).

use crate::api::request::WriteError;
use crate::domain::{BorderDistance, CaseFacts, CaseRecord};
use crate::geo;
use crate::ids::AgreementId;
use crate::journal::Disk;
use crate::node::core::Core;
use crate::store::Store;

impl<D: Disk, S: Store> Core<D, S> {
    /// Fills in distances to the other members, and refuses places outside the belt.
    pub(super) fn with_borders(
        &self,
        agreement: AgreementId,
        facts: &CaseFacts,
        record: Option<&CaseRecord>,
    ) -> Result<CaseFacts, WriteError> {
        let mut facts = facts.clone();
        let Some(record) = record else { return Ok(facts) };
        facts.has_point = record.coordinates.is_some();
        facts.borders.clear();
        facts.border_uncertain = false;
        facts.belt_exception = record.belt_reason.is_some();
        let Some((point, boundaries)) = record.coordinates.zip(self.boundaries.as_ref()) else {
            return Ok(facts);
        };
        let (lon_e7, lat_e7) = (i64::from(point.lon_udeg()) * 10, i64::from(point.lat_udeg()) * 10);
        let Ok(point) = geo::Point::new(lon_e7, lat_e7) else { return Ok(facts) };
        let charter = &self.book.get(agreement).ok_or(WriteError::NotFound)?.charter;
        let assessment = boundaries.assess(
            point,
            self.settings.city,
            self.logs.members(agreement),
            charter.belt_metres,
            self.settings.border_uncertain_metres,
        );
        facts.borders = assessment
            .distances
            .iter()
            .map(|(city, metres)| BorderDistance { city: *city, metres: *metres })
            .collect();
        facts.borders.sort_unstable_by_key(|b| b.city);
        facts.border_uncertain = assessment.uncertain;
        match assessment.outside_belt {
            Some(metres) if record.belt_reason.is_none() => Err(WriteError::OutsideBelt { metres }),
            Some(_) => Ok(facts),
            None => {
                facts.belt_exception = false;
                Ok(facts)
            }
        }
    }
}
