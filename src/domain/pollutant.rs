//! Pollutants and measurements (codes of HJ 212-2017 annex B and HJ 525).
//!
//! Code bases in the field disagree on some metals, so names are data that is looked up, codes
//! are only checked for their shape, and an unknown code is kept as it is.

use super::code::coded;
use super::invalid::{Invalid, InvalidReason};
use super::quantity::Decimal;
use std::fmt;

/// Code, Chinese and English name of the pollutants our sources name.
pub const POLLUTANTS: &[(&str, &str, &str)] = &[
    ("w00000", "废水流量", "waste water flow"),
    ("w01001", "pH", "pH"),
    ("w01009", "溶解氧", "dissolved oxygen"),
    ("w01010", "水温", "water temperature"),
    ("w01012", "悬浮物", "suspended solids"),
    ("w01014", "电导率", "conductivity"),
    ("w01017", "五日生化需氧量", "biochemical oxygen demand (5 days)"),
    ("w01018", "化学需氧量", "chemical oxygen demand"),
    ("w01019", "高锰酸盐指数", "permanganate index"),
    ("w19002", "阴离子表面活性剂", "anionic surfactants"),
    ("w20111", "汞", "mercury"),
    ("w20115", "镉", "cadmium"),
    ("w20117", "六价铬", "hexavalent chromium"),
    ("w20119", "砷", "arsenic"),
    ("w20120", "铅", "lead"),
    ("w20121", "镍", "nickel"),
    ("w20122", "铜", "copper"),
    ("w20123", "锌", "zinc"),
    ("w21001", "总氮", "total nitrogen"),
    ("w21003", "氨氮", "ammonia nitrogen"),
    ("w21011", "总磷", "total phosphorus"),
    ("w21016", "氰化物", "cyanide"),
    ("w21017", "氟化物", "fluoride"),
    ("w21019", "硫化物", "sulphide"),
    ("w22001", "石油类", "petroleum"),
    ("w23002", "挥发酚", "volatile phenols"),
    ("a00000", "废气流量", "waste gas flow"),
    ("a01011", "烟气流速", "flue gas velocity"),
    ("a01012", "烟气温度", "flue gas temperature"),
    ("a01014", "烟气湿度", "flue gas humidity"),
    ("a19001", "氧含量", "oxygen content"),
    ("a20057", "汞及其化合物", "mercury and its compounds"),
    ("a21001", "氨", "ammonia"),
    ("a21002", "氮氧化物", "nitrogen oxides"),
    ("a21005", "一氧化碳", "carbon monoxide"),
    ("a21024", "氯化氢", "hydrogen chloride"),
    ("a21026", "二氧化硫", "sulphur dioxide"),
    ("a21028", "硫化氢", "hydrogen sulphide"),
    ("a24088", "非甲烷总烃", "non-methane hydrocarbons"),
    ("a34002", "PM10", "PM10"),
    ("a34004", "PM2.5", "PM2.5"),
    ("a34013", "颗粒物", "particulates"),
    ("Leq", "等效声级", "equivalent sound level"),
];

/// Units that a measurement may have, as they are written.
pub const UNITS: &[&str] = &[
    "mg/L", "ug/L", "mg/m3", "ug/m3", "g/m3", "ppm", "%", "dB(A)", "degC", "m/s", "m3/s", "m3/h",
    "L/s", "t/d", "kg/h", "uS/cm", "NTU", "Pa", "kPa", "1",
];

coded! {
    /// Over what time a value was taken.
    Statistic {
        Spot "SPOT" "瞬时值" "spot value";
        MinuteAverage "MINUTE_AVG" "分钟均值" "minute average";
        HourAverage "HOUR_AVG" "小时均值" "hour average";
        DayAverage "DAY_AVG" "日均值" "day average";
    }
}

/// What was measured: `a` (air) or `w` (water) and five digits, or `L` and up to three letters
/// or digits for noise.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PollutantCode(String);

impl PollutantCode {
    /// Reads a code; letters are taken as they are.
    ///
    /// # Errors
    /// `POLLUTANT_CODE` for another shape.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let fits = match text.as_bytes() {
            [b'a' | b'w', digits @ ..] => {
                digits.len() == 5 && digits.iter().all(u8::is_ascii_digit)
            }
            [b'L', rest @ ..] => {
                (1..=3).contains(&rest.len()) && rest.iter().all(u8::is_ascii_alphanumeric)
            }
            _ => false,
        };
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidReason::PollutantCode.into()) }
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its Chinese name, if the table has one.
    #[must_use]
    pub fn zh(&self) -> Option<&'static str> {
        POLLUTANTS.iter().find(|(code, ..)| *code == self.0).map(|(_, zh, _)| *zh)
    }
}

impl fmt::Debug for PollutantCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One measured value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Measurement {
    /// What was measured.
    pub code: PollutantCode,
    /// How much.
    pub value: Decimal,
    /// In what, from [`UNITS`].
    pub unit: &'static str,
    /// The limit that applies, in the same unit.
    pub limit: Option<Decimal>,
    /// By how many times the limit is exceeded (超标倍数), if that is meaningful.
    pub exceed_multiple: Option<Decimal>,
    /// Over what time.
    pub statistic: Statistic,
}

/// A measurement as it is typed or sent. Empty texts mean "not given".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MeasurementDraft {
    /// See [`PollutantCode::parse`].
    pub code: String,
    /// See [`Decimal::parse`].
    pub value: String,
    /// One of [`UNITS`].
    pub unit: String,
    /// Decimal or empty.
    pub limit: String,
    /// Decimal or empty.
    pub exceed_multiple: String,
    /// Code of a [`Statistic`].
    pub statistic: String,
}

impl Measurement {
    /// Reads a measurement.
    ///
    /// # Errors
    /// The first field that is wrong, by name.
    pub fn parse(draft: &MeasurementDraft) -> Result<Self, Invalid> {
        let decimal = |text: &str, field: &str| match text {
            "" => Ok(None),
            text => Decimal::parse(text).map(Some).map_err(|wrong| wrong.at(field)),
        };
        let unit = UNITS.iter().find(|unit| **unit == draft.unit);
        Ok(Self {
            code: PollutantCode::parse(&draft.code).map_err(|wrong| wrong.at("code"))?,
            value: Decimal::parse(&draft.value).map_err(|wrong| wrong.at("value"))?,
            unit: unit.ok_or_else(|| Invalid::from(InvalidReason::UnitUnknown).at("unit"))?,
            limit: decimal(&draft.limit, "limit")?,
            exceed_multiple: decimal(&draft.exceed_multiple, "exceed_multiple")?,
            statistic: Statistic::parse(&draft.statistic).map_err(|wrong| wrong.at("statistic"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_are_checked_for_their_shape_only() {
        assert_eq!(PollutantCode::parse("w01018").unwrap().zh(), Some("化学需氧量"));
        assert_eq!(PollutantCode::parse("w99999").unwrap().zh(), None);
        assert!(PollutantCode::parse("Leq").is_ok());
        for bad in ["", "w0101", "w010180", "W01018", "x01018", "011", "L", "Leq50"] {
            assert_eq!(PollutantCode::parse(bad).unwrap_err().reason(), "POLLUTANT_CODE", "{bad}");
        }
        assert!(POLLUTANTS.iter().all(|(code, ..)| PollutantCode::parse(code).is_ok()));
    }

    #[test]
    fn a_measurement_names_its_wrong_field() {
        let good = MeasurementDraft {
            code: "w01018".into(),
            value: "102.6".into(),
            unit: "mg/L".into(),
            limit: "50".into(),
            exceed_multiple: String::new(),
            statistic: "HOUR_AVG".into(),
        };
        assert_eq!(Measurement::parse(&good).unwrap().unit, "mg/L");
        let bad = MeasurementDraft { unit: "mg".into(), ..good };
        assert_eq!(Measurement::parse(&bad).unwrap_err().field.as_deref(), Some("unit"));
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in ".*") {
            let _ = PollutantCode::parse(&text);
        }
    }
}
