//! The border belt: what the map says about a place that a city reports.
//!
//! Polygons advise; nothing here decides jurisdiction. An [`Assessment`] is shown to people, who
//! may overrule it with a reason; no rule may turn it into "this is your case".
//!
//! In scope: near a border or not, inside the belt of an agreement or not. Out of scope: what a
//! command does with it ([`crate::domain`]), where the belt's width is agreed (the charter).

use super::{Boundaries, Point};
use crate::ids::CityCode;

/// Width of the belt, in metres, where an agreement names none.
pub const BELT_METRES_DEFAULT: u32 = 10_000;

/// Within so many metres of a border the map does not know the side. Two independent sources of
/// these borders, compared at 100 places, disagree about the city only within 1 654 m of one.
pub const UNCERTAIN_METRES_DEFAULT: u32 = 1_700;

/// What the map says about a place; advice, never a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// Members in which the place lies, ascending; several on a shared border, none outside.
    pub cities: Vec<CityCode>,
    /// Whole metres to every member but the reporting city, ascending by code; 0 inside.
    /// Members without a known border are absent here and named in `missing`.
    pub distances: Vec<(CityCode, u32)>,
    /// The nearest of `distances`; of equally near ones the lowest code.
    pub nearest: Option<(CityCode, u32)>,
    /// A border of a member is so near, or a border is missing, that people must look.
    pub uncertain: bool,
    /// Metres to the nearest other member when that is beyond the belt. `None` inside the belt,
    /// and when it cannot be said, because a border is missing or there is no other member.
    pub outside_belt: Option<u32>,
    /// Members whose border is not known here, ascending.
    pub missing: Vec<CityCode>,
}

impl Boundaries {
    /// Says what the map knows about a place that `reporting_city` reports to `members`.
    ///
    /// `belt_metres` and `uncertain_metres` are inclusive: exactly so far away is still inside
    /// the belt, and still uncertain. The reporting city need not be one of the members given.
    #[must_use]
    pub fn assess(
        &self,
        point: Point,
        reporting_city: CityCode,
        members: &[CityCode],
        belt_metres: u32,
        uncertain_metres: u32,
    ) -> Assessment {
        let distances = self.distances(point, Some(reporting_city), members);
        let nearest = distances.iter().copied().min_by_key(|&(city, metres)| (metres, city));
        let missing = self.unknown(members);
        let near_border =
            self.border_metres(point, members).is_some_and(|metres| metres <= uncertain_metres);
        Assessment {
            cities: self.cities_at(point, members),
            nearest,
            uncertain: near_border || !missing.is_empty(),
            outside_belt: nearest
                .map(|(_, metres)| metres)
                .filter(|&metres| metres > belt_metres && missing.is_empty()),
            distances,
            missing,
        }
    }

    fn unknown(&self, members: &[CityCode]) -> Vec<CityCode> {
        let known = |city: &CityCode| self.cities().any(|c| c == *city);
        let mut missing: Vec<_> = members.iter().copied().filter(|city| !known(city)).collect();
        missing.sort_unstable();
        missing.dedup();
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRES: (u32, u32) = (BELT_METRES_DEFAULT, UNCERTAIN_METRES_DEFAULT);

    fn city(code: &str) -> CityCode {
        CityCode::parse(code).unwrap()
    }

    fn assess(point: (i64, i64), members: &[&str]) -> Assessment {
        let map = Boundaries::parse(include_str!("../../data/cities.geojson")).unwrap();
        let members: Vec<_> = members.iter().map(|c| city(c)).collect();
        let point = Point::new(point.0, point.1).unwrap();
        map.assess(point, city("371500"), &members, METRES.0, METRES.1)
    }

    const NEAR_HANDAN: (i64, i64) = (1_154_370_000, 362_790_920);
    const CENTRE: (i64, i64) = (1_159_800_000, 364_500_000);

    #[test]
    fn a_place_200_metres_from_the_border_is_uncertain_and_in_the_belt() {
        let got = assess(NEAR_HANDAN, &["371500", "130400"]);
        assert_eq!(got.cities, [city("371500")]);
        assert_eq!(got.nearest, Some((city("130400"), 200)));
        assert_eq!(got.distances, [(city("130400"), 200)]);
        assert!(got.uncertain);
        assert_eq!(got.outside_belt, None);
    }

    #[test]
    fn the_centre_of_a_city_is_certain_and_outside_the_belt() {
        let got = assess(CENTRE, &["371500", "130400", "410900"]);
        assert_eq!(got.cities, [city("371500")]);
        assert!(!got.uncertain);
        assert_eq!(got.outside_belt, got.nearest.map(|(_, metres)| metres));
        assert!(got.outside_belt.unwrap() > BELT_METRES_DEFAULT);
    }

    #[test]
    fn widths_are_inclusive() {
        let map = Boundaries::parse(include_str!("../../data/cities.geojson")).unwrap();
        let members = [city("371500"), city("130400")];
        let point = Point::new(NEAR_HANDAN.0, NEAR_HANDAN.1).unwrap();
        let at = |belt, band| {
            let got = map.assess(point, city("371500"), &members, belt, band);
            (got.outside_belt, got.uncertain)
        };
        assert_eq!(at(200, 200), (None, true));
        assert_eq!(at(199, 199), (Some(200), false));
    }

    #[test]
    fn a_missing_border_is_said_and_never_guessed() {
        let got = assess(CENTRE, &["371500", "130400", "110100"]);
        assert_eq!(got.missing, [city("110100")]);
        assert!(got.uncertain);
        assert_eq!(got.outside_belt, None, "Beijing may be next door as far as this map knows");
    }

    #[test]
    fn without_another_member_there_is_nothing_to_be_near_to() {
        let got = assess(CENTRE, &["371500"]);
        assert_eq!((got.nearest, got.outside_belt, got.uncertain), (None, None, false));
    }
}
