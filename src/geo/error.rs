//! Why border data cannot be used, and the limits it is held to.
//!
//! In scope: errors and limits of reading borders. Out of scope: anything about a read map.

use crate::ids::{CityCode, IdError};

/// Room for every prefecture of China in full detail; the shipped file has 39 KB.
pub const GEOJSON_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Above the number of prefecture-level divisions of China (some 340).
pub const CITIES_MAX: usize = 512;
/// At 16 bytes each they stay under 10 MB in memory; the shipped file has 1 628.
pub const VERTICES_MAX: usize = 400_000;

/// Why a point or a text of borders was turned away. Nothing was loaded.
#[derive(Debug, thiserror::Error)]
pub enum GeoError {
    /// A coordinate lies off the globe.
    #[error("coordinate beyond 180 degrees of longitude or 90 degrees of latitude")]
    OutOfRange,
    /// More than the reader takes. Cut the file down to the cities concerned.
    #[error("border data has {got} {what}, at most {max} are read")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How many there are; counting stops soon after the limit.
        got: usize,
        /// The limit.
        max: usize,
    },
    /// Not JSON, or not a GeoJSON feature collection with a `code` in each feature.
    #[error("border data is not a GeoJSON feature collection of cities")]
    Json(#[source] serde_json::Error),
    /// The `code` of a feature is not a city's.
    #[error("feature {feature} has no city code")]
    Code {
        /// Which feature, from 0.
        feature: usize,
        /// What is wrong with its code.
        #[source]
        source: IdError,
    },
    /// Two features carry the same code. Join them into one MultiPolygon.
    #[error("city {city} appears twice in the border data")]
    Duplicate {
        /// The city.
        city: CityCode,
    },
    /// Neither Polygon nor MultiPolygon, or coordinates of the wrong shape.
    #[error("geometry of {city} is not a polygon")]
    Geometry {
        /// The city.
        city: CityCode,
        /// What the reader stumbled on.
        #[source]
        source: serde_json::Error,
    },
    /// A ring breaks RFC 7946 section 3.1.6.
    #[error("a ring of {city} {fault}")]
    Ring {
        /// The city.
        city: CityCode,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// There is no feature to use.
    #[error("border data names no city")]
    Empty,
}
