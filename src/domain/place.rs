//! Places: longitude and latitude in CGCS2000 (EPSG:4490), as whole micro-degrees.
//!
//! Maps of Amap, Tencent (GCJ-02) and Baidu (BD-09) are shifted by 500 m and more, which is far
//! at a border. They are refused by name; nothing is converted, nothing is guessed.

use super::invalid::{Invalid, InvalidReason};
use std::fmt;

/// Mainland China, rounded outward: longitude in micro-degrees.
const LON_RANGE: std::ops::RangeInclusive<i64> = 73_000_000..=136_000_000;
/// Mainland China, rounded outward: latitude in micro-degrees.
const LAT_RANGE: std::ops::RangeInclusive<i64> = 18_000_000..=54_000_000;
/// Seven decimals are a centimetre; more is a sign of computed, not measured, numbers.
const DECIMALS_MAX: usize = 7;

/// A place in mainland China. A micro-degree is at most 11 cm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coordinates {
    lon_udeg: i32,
    lat_udeg: i32,
}

impl Coordinates {
    /// Reads decimal degrees such as `115.137564` and the name of their reference system.
    ///
    /// A seventh decimal is rounded away, half up.
    ///
    /// # Errors
    /// `CRS_GCJ02`, `CRS_BD09`, `CRS_UNSUPPORTED`; `COORDINATE_FORMAT`, `COORDINATE_PRECISION`;
    /// `LON_LAT_SWAPPED`, `COORDINATE_RANGE`; the field is `crs`, `lon`, `lat` or neither.
    pub fn parse(lon: &str, lat: &str, crs: &str) -> Result<Self, Invalid> {
        check_crs(crs).map_err(|reason| Invalid::from(reason).at("crs"))?;
        let lon = micro_degrees(lon).map_err(|reason| Invalid::from(reason).at("lon"))?;
        let lat = micro_degrees(lat).map_err(|reason| Invalid::from(reason).at("lat"))?;
        Self::from_udeg(lon, lat)
    }

    /// Takes whole micro-degrees.
    ///
    /// # Errors
    /// `LON_LAT_SWAPPED` or `COORDINATE_RANGE`.
    pub fn from_udeg(lon: i64, lat: i64) -> Result<Self, Invalid> {
        if LON_RANGE.contains(&lat) && LAT_RANGE.contains(&lon) {
            return Err(InvalidReason::LonLatSwapped.into());
        }
        let outside = || Invalid::from(InvalidReason::CoordinateRange);
        if !LON_RANGE.contains(&lon) {
            return Err(outside().at("lon"));
        }
        if !LAT_RANGE.contains(&lat) {
            return Err(outside().at("lat"));
        }
        let narrow = |value: i64| i32::try_from(value).map_err(|_| outside());
        Ok(Self { lon_udeg: narrow(lon)?, lat_udeg: narrow(lat)? })
    }

    /// Longitude in micro-degrees east, 73000000 to 136000000.
    #[must_use]
    pub const fn lon_udeg(self) -> i32 {
        self.lon_udeg
    }

    /// Latitude in micro-degrees north, 18000000 to 54000000.
    #[must_use]
    pub const fn lat_udeg(self) -> i32 {
        self.lat_udeg
    }
}

impl fmt::Display for Coordinates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lon, lat) = (self.lon_udeg, self.lat_udeg);
        let million = 1_000_000;
        write!(f, "{}.{:06},{}.{:06}", lon / million, lon % million, lat / million, lat % million)
    }
}

/// What lies between two meridians and two parallels, these included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rectangle {
    south_west: Coordinates,
    north_east: Coordinates,
}

impl Rectangle {
    /// By two corners; `None` unless the first lies neither east nor north of the second.
    #[must_use]
    pub fn between(south_west: Coordinates, north_east: Coordinates) -> Option<Self> {
        let in_order = south_west.lon_udeg <= north_east.lon_udeg
            && south_west.lat_udeg <= north_east.lat_udeg;
        in_order.then_some(Self { south_west, north_east })
    }

    /// Whether a place lies in it.
    #[must_use]
    pub fn has(self, at: Coordinates) -> bool {
        let (low, high) = (self.south_west, self.north_east);
        (low.lon_udeg..=high.lon_udeg).contains(&at.lon_udeg)
            && (low.lat_udeg..=high.lat_udeg).contains(&at.lat_udeg)
    }
}

/// Is this a name of CGCS2000?
fn check_crs(name: &str) -> Result<(), InvalidReason> {
    let plain: String =
        name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_uppercase();
    let one_of = |words: &[&str]| words.iter().any(|word| plain.contains(word));
    if ["CGCS2000", "EPSG4490", "4490", "URNOGCDEFCRSEPSG4490"].contains(&plain.as_str()) {
        Ok(())
    } else if one_of(&["GCJ", "AMAP", "GAODE", "TENCENT", "高德", "腾讯", "火星"]) {
        Err(InvalidReason::CrsGcj02)
    } else if one_of(&["BD09", "BAIDU", "百度"]) {
        Err(InvalidReason::CrsBd09)
    } else {
        Err(InvalidReason::CrsUnsupported)
    }
}

/// Decimal degrees to micro-degrees, without a float on the way.
fn micro_degrees(text: &str) -> Result<i64, InvalidReason> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, decimals) = match digits.split_once('.') {
        Some((_, "")) => return Err(InvalidReason::CoordinateFormat),
        Some(parts) => parts,
        None => (digits, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || !all_digits(whole) || !all_digits(decimals) {
        return Err(InvalidReason::CoordinateFormat);
    }
    if decimals.len() > DECIMALS_MAX {
        return Err(InvalidReason::CoordinatePrecision);
    }
    let tenths: i64 =
        format!("{whole}{decimals:0<7}").parse().map_err(|_| InvalidReason::CoordinateFormat)?;
    let value = (tenths + 5) / 10;
    Ok(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reason(lon: &str, lat: &str, crs: &str) -> &'static str {
        Coordinates::parse(lon, lat, crs).map_or_else(|wrong| wrong.reason(), |_| "")
    }

    #[test]
    fn decimal_degrees_become_micro_degrees() {
        let at = Coordinates::parse("115.137564", "36.2434", "EPSG:4490").unwrap();
        assert_eq!((at.lon_udeg(), at.lat_udeg()), (115_137_564, 36_243_400));
        assert_eq!(at.to_string(), "115.137564,36.243400");
        let rounded = Coordinates::parse("115.1375645", "36.2434994", "CGCS2000").unwrap();
        assert_eq!(rounded.to_string(), "115.137565,36.243499");
        assert_eq!(Coordinates::parse("115", "36", "cgcs-2000").unwrap().lon_udeg(), 115_000_000);
    }

    #[test]
    fn a_rectangle_has_its_borders() {
        let at = |lon, lat| Coordinates::from_udeg(lon, lat).unwrap();
        let (low, high) = (at(115_000_000, 36_000_000), at(116_000_000, 37_000_000));
        let all = Rectangle::between(low, high).unwrap();
        for (lon, lat, want) in [
            (115_000_000, 36_000_000, true),
            (116_000_000, 37_000_000, true),
            (115_500_000, 36_500_000, true),
            (114_999_999, 36_500_000, false),
            (116_000_001, 36_500_000, false),
            (115_500_000, 35_999_999, false),
            (115_500_000, 37_000_001, false),
        ] {
            assert_eq!(all.has(at(lon, lat)), want, "{lon} {lat}");
        }
        assert_eq!(Rectangle::between(high, low), None);
        assert!(Rectangle::between(low, low).unwrap().has(low));
    }

    #[test]
    fn other_reference_systems_are_refused_by_name() {
        for crs in ["GCJ-02", "gcj02", "高德", "AMAP"] {
            assert_eq!(reason("115.1", "36.2", crs), "CRS_GCJ02", "{crs}");
        }
        for crs in ["BD-09", "bd09ll", "百度坐标"] {
            assert_eq!(reason("115.1", "36.2", crs), "CRS_BD09", "{crs}");
        }
        for crs in ["WGS84", "EPSG:4326", "", "EPSG:44900"] {
            assert_eq!(reason("115.1", "36.2", crs), "CRS_UNSUPPORTED", "{crs}");
        }
    }

    #[test]
    fn slips_are_recognised() {
        assert_eq!(reason("36.2", "115.1", "EPSG:4490"), "LON_LAT_SWAPPED");
        assert_eq!(reason("-115.1", "36.2", "EPSG:4490"), "COORDINATE_RANGE");
        assert_eq!(reason("115.1", "0", "EPSG:4490"), "COORDINATE_RANGE");
        assert_eq!(reason("115.12345678", "36.2", "EPSG:4490"), "COORDINATE_PRECISION");
        for bad in ["", "115.", ".5", "1.1.1", "1e2", "+115.1", " 115.1", "１15.1", "1151.1", "--1"]
        {
            assert_eq!(reason(bad, "36.2", "EPSG:4490"), "COORDINATE_FORMAT", "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(
            lon in "-?[0-9]{1,4}\\.[0-9]{0,9}|.*",
            lat in "[0-9]{2}\\.[0-9]{6}|.*",
            crs in "EPSG:4490|.*",
        ) {
            if let Ok(at) = Coordinates::parse(&lon, &lat, &crs) {
                let text = at.to_string();
                let (lon, lat) = text.split_once(',').unwrap();
                prop_assert_eq!(Coordinates::parse(lon, lat, "EPSG:4490"), Ok(at));
            }
        }
    }
}
