//! PURE: where a place lies between cities, as far as a map can tell.
//!
//! Polygons advise. Nothing here decides jurisdiction: the borders come from a generalised map
//! that an operator loads, a legal border (法定界线) is something else, and people decide. That is
//! why every answer near a border says that it is uncertain ([`Assessment::uncertain`]).
//!
//! In scope: reading border polygons, which cities a point lies in, metres to the others, lines for
//! a picture. Out of scope: reading files, addresses, conversion between datums, the picture, and
//! any rule that follows from an answer ([`crate::domain`]).
//!
//! Coordinates are degrees of WGS 84 or CGCS2000 (EPSG:4490), which here are the same (less than
//! a metre apart). Coordinates from Chinese map services may be shifted by some 500 m (GCJ-02);
//! this cannot be seen in the numbers, so whoever takes them in must ask.
//!
//! Invariants:
//! 1. Results are whole metres and city codes; no float leaves. (signatures)
//! 2. Inside or outside is computed in integers, so a border has no thickness and belongs to
//!    every city that touches it. (`edges_and_vertices_belong_to_both_sides`)
//! 3. The index only skips work: results equal those of a plain search. (`plain_search_agrees`)
//! 4. No text makes the parser panic. (`malformed_text_never_panics`)

mod belt;
mod boundary;
mod chart;
mod distance;
mod error;
mod locate;
mod ring;

pub use belt::{Assessment, BELT_METRES_DEFAULT, UNCERTAIN_METRES_DEFAULT};
pub use boundary::Boundaries;
pub use chart::{Line, corners, simplified};
pub use distance::metres_between;
pub use error::{CITIES_MAX, GEOJSON_BYTES_MAX, GeoError, VERTICES_MAX};

/// 180 degrees in units of 1e-7 degree.
const LON_E7_MAX: i64 = 1_800_000_000;
/// 90 degrees in units of 1e-7 degree.
const LAT_E7_MAX: i64 = 900_000_000;

/// A place on the ellipsoid; one unit is 1e-7 degree, about 1 cm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    lon_e7: i64,
    lat_e7: i64,
}

impl Point {
    /// Takes a longitude and a latitude in units of 1e-7 degree, east and north positive.
    ///
    /// # Errors
    /// [`GeoError::OutOfRange`] beyond 180 degrees of longitude or 90 of latitude.
    pub fn new(lon_e7: i64, lat_e7: i64) -> Result<Self, GeoError> {
        let lon_ok = (-LON_E7_MAX..=LON_E7_MAX).contains(&lon_e7);
        let lat_ok = (-LAT_E7_MAX..=LAT_E7_MAX).contains(&lat_e7);
        if lon_ok && lat_ok { Ok(Self { lon_e7, lat_e7 }) } else { Err(GeoError::OutOfRange) }
    }

    /// Longitude in units of 1e-7 degree, -1 800 000 000 to 1 800 000 000.
    #[must_use]
    pub const fn lon_e7(self) -> i64 {
        self.lon_e7
    }

    /// Latitude in units of 1e-7 degree, -900 000 000 to 900 000 000.
    #[must_use]
    pub const fn lat_e7(self) -> i64 {
        self.lat_e7
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_lies_on_the_globe() {
        assert!(Point::new(1_800_000_000, -900_000_000).is_ok());
        for (lon, lat) in
            [(1_800_000_001, 0), (0, 900_000_001), (i64::MIN, 0), (0, i64::MAX), (0, -900_000_001)]
        {
            assert!(Point::new(lon, lat).is_err(), "{lon} {lat}");
        }
    }
}
