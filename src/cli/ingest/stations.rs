//! The file of limits: stations by MN, whose they are, and the limit of each pollutant.
//!
//! The shape is shown and explained in `examples/hj212/limits.toml`. Numbers are texts, so that
//! they stay the decimals somebody wrote. Unknown settings are refused, so that a misspelt limit is
//! not one that never applies.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use crate::cli::failure::Failure;
use crate::domain::pollutant::{PollutantCode, UNITS};
use crate::domain::quantity::Decimal;
use crate::domain::{CaseDraft, CaseRecord, CountyCode, Invalid, InvalidReason, Language, Uscc};
use crate::hj212::{Limit, Station};
use crate::lang::Lang;
use crate::limits::{
    HJ212_LIMITS_BYTES_MAX, HJ212_MN_BYTES_MAX, HJ212_STATIONS_MAX, POLLUTANTS_MAX,
};

/// Stations by MN.
pub type Stations = BTreeMap<String, Station>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    station: Vec<RawStation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStation {
    mn: String,
    party_name: String,
    uscc: String,
    #[serde(default)]
    permit_no: String,
    county: String,
    lon: String,
    lat: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    belt_reason: String,
    agreement: Option<String>,
    limits: BTreeMap<String, RawLimit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimit {
    unit: String,
    max: Option<String>,
    min: Option<String>,
    range: Option<String>,
    field: Option<String>,
}

/// Reads the file.
///
/// # Errors
/// [`Failure`] naming file, station and setting.
pub fn load(path: &Path, lang: Lang) -> Result<Stations, Failure> {
    let shown = path.display();
    let mut text = String::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(HJ212_LIMITS_BYTES_MAX + 1).read_to_string(&mut text));
    read.map_err(|error| {
        Failure::local(lang.pick(
            format!("{shown}：无法读取（{error}）"),
            format!("{shown}: cannot be read ({error})"),
        ))
    })?;
    parse(&text, lang).map_err(|why| {
        Failure::local(lang.pick(
            format!("{shown}：限值文件不能使用\n{why}"),
            format!("{shown}: cannot be used as a file of limits\n{why}"),
        ))
        .advise(lang.pick(
            "写法见 examples/hj212/limits.toml",
            "examples/hj212/limits.toml shows the shape",
        ))
    })
}

fn parse(text: &str, lang: Lang) -> Result<Stations, String> {
    if text.len() as u64 > HJ212_LIMITS_BYTES_MAX {
        return Err(lang.pick(
            format!("超过 {HJ212_LIMITS_BYTES_MAX} 字节"),
            format!("over {HJ212_LIMITS_BYTES_MAX} bytes"),
        ));
    }
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    if file.station.len() > HJ212_STATIONS_MAX {
        return Err(lang.pick(
            format!("超过 {HJ212_STATIONS_MAX} 个站点"),
            format!("over {HJ212_STATIONS_MAX} stations"),
        ));
    }
    let language = lang.pick(Language::Zh, Language::En);
    let mut stations = Stations::new();
    for raw in file.station {
        let mn = raw.mn.clone();
        let said = |wrong: Invalid| {
            let field = wrong.field.clone().unwrap_or_default();
            format!("station {mn:?}: {field}: {}", wrong.explain(language))
        };
        let station = station(raw).map_err(said)?;
        if stations.insert(mn.clone(), station).is_some() {
            return Err(said(Invalid::from(InvalidReason::Duplicate).at("mn")));
        }
    }
    Ok(stations)
}

fn station(raw: RawStation) -> Result<Station, Invalid> {
    let mn_fits = (1..=HJ212_MN_BYTES_MAX).contains(&raw.mn.len())
        && raw.mn.bytes().all(|b| b.is_ascii_alphanumeric());
    if !mn_fits {
        return Err(Invalid::with_limit(InvalidReason::TextTooLong, HJ212_MN_BYTES_MAX).at("mn"));
    }
    // As the node will read it, so that it is said now and not with the first clue.
    let draft = CaseDraft {
        title: raw.party_name.clone(),
        coordinates: Some((raw.lon.clone(), raw.lat.clone(), "EPSG:4490".to_owned())),
        address: raw.address.clone(),
        party_name: raw.party_name.clone(),
        party_uscc: raw.uscc.clone(),
        permit_no: raw.permit_no.clone(),
        belt_reason: raw.belt_reason.clone(),
        ..CaseDraft::default()
    };
    if let Some(wrong) = CaseRecord::parse(&draft).err().and_then(|all| all.into_iter().next()) {
        return Err(wrong);
    }
    if raw.limits.is_empty() {
        return Err(Invalid::from(InvalidReason::Required).at("limits"));
    }
    if raw.limits.len() > POLLUTANTS_MAX {
        return Err(Invalid::with_limit(InvalidReason::ListTooLong, POLLUTANTS_MAX).at("limits"));
    }
    let mut limits = BTreeMap::new();
    for (code, raw) in &raw.limits {
        let at = |wrong: Invalid| wrong.at(code).at("limits");
        limits.insert(PollutantCode::parse(code).map_err(at)?, limit(raw).map_err(at)?);
    }
    Ok(Station {
        uscc: Uscc::parse(&raw.uscc).map_err(|wrong| wrong.at("uscc"))?,
        permit_no: raw.permit_no,
        county: CountyCode::parse(&raw.county).map_err(|wrong| wrong.at("county"))?,
        address: raw.address,
        belt_reason: raw.belt_reason,
        party_name: raw.party_name,
        longitude: raw.lon,
        latitude: raw.lat,
        agreement: raw.agreement,
        limits,
    })
}

fn limit(raw: &RawLimit) -> Result<Limit, Invalid> {
    let number = |text: &Option<String>, field: &str| {
        let read = text.as_deref().map(Decimal::parse).transpose();
        read.map_err(|wrong| wrong.at(field))
    };
    let unit = UNITS.iter().find(|unit| **unit == raw.unit);
    let field = match raw.field.as_deref() {
        None => None,
        Some("Avg") => Some("Avg"),
        Some("ZsAvg") => Some("ZsAvg"),
        Some(_) => return Err(Invalid::from(InvalidReason::CodeUnknown).at("field")),
    };
    if raw.max.is_none() && raw.min.is_none() {
        return Err(Invalid::from(InvalidReason::Required).at("max"));
    }
    Ok(Limit {
        max: number(&raw.max, "max")?,
        min: number(&raw.min, "min")?,
        range: number(&raw.range, "range")?,
        unit: unit.ok_or_else(|| Invalid::from(InvalidReason::UnitUnknown).at("unit"))?,
        field,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../../examples/hj212/limits.toml");

    #[test]
    fn the_example_is_read() {
        let stations = parse(EXAMPLE, Lang::Zh).unwrap();
        let station = &stations["LD371522YYYY9001000000A1"];
        let limit = &station.limits[&PollutantCode::parse("w01018").unwrap()];
        assert_eq!((limit.max.as_ref().unwrap().as_str(), limit.unit), ("50", "mg/L"));
        assert_eq!(stations.len(), 2);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, says) in [
            ("uscc = \"91371522YYYY90011A\"", "uscc = \"91371522YYYY90011B\"", "uscc"),
            ("county = \"371522\"", "county = \"371500\"", "county"),
            ("lon = \"115", "lon = \"15", "lon"),
            ("# permit_no = \"91371522YYYY90011A001P\"", "permit_no = \"1\"", "permit_no"),
            ("unit = \"mg/L\"", "unit = \"mg\"", "limits.w"),
            ("max = \"50\"", "max = 50", "invalid type"),
            ("max = \"50\"", "maximum = \"50\"", "maximum"),
            ("max = \"50\"", "max = \"5e1\"", "limits.w01018.max"),
            ("limits.w01018]", "limits.x01018]", "x01018"),
            ("LD371522YYYY9001000000B2", "LD371522YYYY9001000000A1", "mn"),
        ] {
            assert!(EXAMPLE.contains(from), "{from}");
            let why = parse(&EXAMPLE.replace(from, to), Lang::En).unwrap_err();
            assert!(why.contains(says), "{says}: {why}");
        }
    }
}
