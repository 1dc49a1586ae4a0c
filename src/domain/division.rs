//! County codes (县级区划代码, GB/T 2260): province, city and county, two digits each.
//!
//! In scope: the shape, which city a county belongs to, an area to look in. Out of scope: which
//! counties exist; codes change every year, and a list in a program would refuse next year's.

use super::invalid::{Invalid, InvalidReason};
use crate::ids::CityCode;
use std::fmt;

/// A county, district or county-level city, such as 371522 (莘县).
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct CountyCode(u32);

impl CountyCode {
    /// Reads six ASCII digits.
    ///
    /// # Errors
    /// `COUNTY_CODE` unless the code reaches down to a county.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let six_digits = text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit());
        let number = if six_digits { text.parse().ok() } else { None };
        Self::from_u32(number.unwrap_or(0))
    }

    /// Reads the code as a number, as headers carry it.
    ///
    /// # Errors
    /// `COUNTY_CODE` unless the code reaches down to a county.
    pub fn from_u32(code: u32) -> Result<Self, Invalid> {
        let of_a_city = CityCode::from_u32(code / 100 * 100).is_ok();
        if of_a_city && !code.is_multiple_of(100) {
            Ok(Self(code))
        } else {
            Err(InvalidReason::CountyCode.into())
        }
    }

    /// The code as a number, 110101 to 829999.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        self.0
    }

    /// Whether the county lies in this city, by its code.
    #[must_use]
    pub const fn belongs_to(self, city: CityCode) -> bool {
        self.0 / 100 == city.as_u32() / 100
    }
}

impl fmt::Display for CountyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl fmt::Debug for CountyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Where to look: a county, or a city with all its counties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area(u32);

impl Area {
    /// Reads the code of a county or of a city; `None` for any other number, also for a province.
    #[must_use]
    pub fn from_u32(code: u32) -> Option<Self> {
        CityCode::from_u32(code / 100 * 100).is_ok().then_some(Self(code))
    }

    /// Whether a place with this county code lies in it; without one nobody can tell, so it does
    /// not.
    #[must_use]
    pub fn has(self, county: Option<u32>) -> bool {
        let whole_city = self.0.is_multiple_of(100);
        county.is_some_and(|code| code == self.0 || (whole_city && code / 100 == self.0 / 100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn city(code: u32) -> CityCode {
        CityCode::from_u32(code).unwrap()
    }

    #[test]
    fn a_county_belongs_to_the_city_of_its_first_four_digits() {
        let shen = CountyCode::parse("371522").unwrap();
        assert_eq!(shen.to_string(), "371522");
        assert!(shen.belongs_to(city(371_500)));
        assert!(!shen.belongs_to(city(371_400)));
        assert!(!shen.belongs_to(city(131_500)));
    }

    #[test]
    fn cities_provinces_and_other_texts_are_no_counties() {
        for bad in
            ["371500", "370000", "370022", "37152", "3715220", "+71522", "３71522", "", "999999"]
        {
            assert_eq!(CountyCode::parse(bad).unwrap_err().reason(), "COUNTY_CODE", "{bad}");
        }
    }

    #[test]
    fn an_area_is_a_county_or_a_city_with_its_counties() {
        let has = |area: u32, county| Area::from_u32(area).unwrap().has(county);
        assert!(has(371_522, Some(371_522)) && !has(371_522, Some(371_521)));
        assert!(has(371_500, Some(371_522)) && !has(371_500, Some(371_422)));
        assert!(!has(371_500, None) && !has(371_522, None));
        for bad in [0, 42, 370_000, 370_022, 3_715_220, 999_999] {
            assert_eq!(Area::from_u32(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "[0-9]{6}|.*", number in any::<u32>()) {
            let _ = CountyCode::parse(&text);
            if let Ok(code) = CountyCode::from_u32(number) {
                prop_assert_eq!(CountyCode::parse(&code.to_string()), Ok(code));
            }
        }
    }
}
