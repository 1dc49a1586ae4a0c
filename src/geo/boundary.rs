//! Borders: city polygons as an operator's GeoJSON gives them.
//!
//! In scope: RFC 7946 feature collections with Polygon and MultiPolygon, holes, limits.
//! Out of scope: repairing data. Self-crossing rings and holes outside their polygon are taken
//! as they are; a polygon across the 180th meridian must be cut there, as the RFC asks.

use serde::Deserialize;
use serde_json::Value;

use super::error::{CITIES_MAX, GEOJSON_BYTES_MAX, VERTICES_MAX};
use super::ring::{Ring, Side};
use super::{GeoError, Point};
use crate::ids::CityCode;

/// The border polygons of some cities, ready for questions; never changes once parsed.
#[derive(Debug)]
pub struct Boundaries {
    /// Ascending by code, no code twice.
    cities: Vec<City>,
}

impl Boundaries {
    /// Reads a GeoJSON feature collection.
    ///
    /// Each feature carries its division code as property `code`, a text of six digits. Features
    /// whose property `member` is `false` are passed over. Coordinates are degrees, longitude
    /// first, and are rounded to 1e-7 degree (1 cm); further numbers of a position are ignored,
    /// as is the winding of rings.
    ///
    /// # Errors
    /// [`GeoError`] when the text is larger than [`GEOJSON_BYTES_MAX`], [`CITIES_MAX`] or
    /// [`VERTICES_MAX`], is not such a collection, names a city twice or names none.
    pub fn parse(geojson: &str) -> Result<Self, GeoError> {
        check_count("bytes", geojson.len(), GEOJSON_BYTES_MAX)?;
        let Collection::FeatureCollection { features } =
            serde_json::from_str(geojson).map_err(GeoError::Json)?;
        check_count("features", features.len(), CITIES_MAX)?;
        let mut cities = Vec::new();
        let mut vertices = 0;
        for (index, feature) in features.into_iter().enumerate() {
            if feature.properties.member == Some(Value::Bool(false)) {
                continue;
            }
            let code = CityCode::parse(&feature.properties.code)
                .map_err(|source| GeoError::Code { feature: index, source })?;
            cities.push(parse_city(code, feature.geometry, &mut vertices)?);
        }
        cities.sort_by_key(|city| city.code);
        let twice = cities.iter().zip(cities.iter().skip(1)).find(|(a, b)| a.code == b.code);
        match (twice, cities.is_empty()) {
            (Some((city, _)), _) => Err(GeoError::Duplicate { city: city.code }),
            (None, true) => Err(GeoError::Empty),
            (None, false) => Ok(Self { cities }),
        }
    }

    /// The cities whose border is known, ascending.
    pub fn cities(&self) -> impl Iterator<Item = CityCode> + '_ {
        self.cities.iter().map(|city| city.code)
    }

    /// Those of `among` whose border is known, ascending, none twice.
    pub(super) fn known(&self, among: &[CityCode]) -> impl Iterator<Item = &City> {
        self.cities.iter().filter(|city| among.contains(&city.code))
    }
}

/// One city and the ground it covers.
#[derive(Debug)]
pub(super) struct City {
    pub(super) code: CityCode,
    polygons: Vec<Polygon>,
}

impl City {
    /// Whether the point lies in the city or on its border.
    pub(super) fn covers(&self, p: Point) -> bool {
        self.polygons.iter().any(|polygon| polygon.covers(p))
    }

    /// Every line of its border, holes included.
    pub(super) fn rings(&self) -> impl Iterator<Item = &Ring> {
        self.polygons.iter().flat_map(|p| std::iter::once(&p.outer).chain(&p.holes))
    }
}

#[derive(Debug)]
struct Polygon {
    outer: Ring,
    holes: Vec<Ring>,
}

impl Polygon {
    fn covers(&self, p: Point) -> bool {
        match self.outer.side(p) {
            Side::Outside => false,
            Side::On => true,
            Side::Inside => self.holes.iter().all(|hole| hole.side(p) != Side::Inside),
        }
    }
}

/// What a GeoJSON text is made of, as far as it is read.
#[derive(Deserialize)]
#[serde(tag = "type")]
enum Collection {
    FeatureCollection { features: Vec<Feature> },
}

#[derive(Deserialize)]
struct Feature {
    properties: Properties,
    geometry: Value,
}

#[derive(Deserialize)]
struct Properties {
    #[serde(default)]
    code: String,
    member: Option<Value>,
}

type Positions = Vec<Vec<f64>>;

#[derive(Deserialize)]
#[serde(tag = "type", content = "coordinates")]
enum Geometry {
    Polygon(Vec<Positions>),
    MultiPolygon(Vec<Vec<Positions>>),
}

fn parse_city(code: CityCode, geometry: Value, vertices: &mut usize) -> Result<City, GeoError> {
    let geometry = Geometry::deserialize(geometry)
        .map_err(|source| GeoError::Geometry { city: code, source })?;
    let shapes = match geometry {
        Geometry::Polygon(rings) => vec![rings],
        Geometry::MultiPolygon(shapes) => shapes,
    };
    if shapes.is_empty() {
        return Err(GeoError::Ring { city: code, fault: "is missing" });
    }
    let polygons = shapes
        .iter()
        .map(|rings| {
            let mut rings = rings.iter().map(|ring| parse_ring(code, ring, vertices));
            let missing = GeoError::Ring { city: code, fault: "is missing" };
            let outer = rings.next().ok_or(missing)??;
            Ok(Polygon { outer, holes: rings.collect::<Result<_, _>>()? })
        })
        .collect::<Result<_, GeoError>>()?;
    Ok(City { code, polygons })
}

fn parse_ring(
    city: CityCode,
    positions: &Positions,
    vertices: &mut usize,
) -> Result<Ring, GeoError> {
    *vertices = vertices.saturating_add(positions.len());
    check_count("vertices", *vertices, VERTICES_MAX)?;
    let points = positions
        .iter()
        .map(|position| match position.as_slice() {
            [lon, lat, ..] => Point::new(e7(*lon), e7(*lat)),
            [] | [_] => Err(GeoError::Ring { city, fault: "has a position of one number" }),
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ring::new(&points).map_err(|fault| GeoError::Ring { city, fault })
}

/// Degrees to units of 1e-7 degree. JSON has no NaN; beyond the range of `i64` the cast
/// saturates, and [`Point::new`] refuses it.
fn e7(degrees: f64) -> i64 {
    (degrees * 1e7).round() as i64
}

fn check_count(what: &'static str, got: usize, max: usize) -> Result<(), GeoError> {
    if got <= max { Ok(()) } else { Err(GeoError::TooLarge { what, got, max }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A feature collection of one city with this geometry.
    fn one(geometry: &str) -> String {
        format!(
            r#"{{"type":"FeatureCollection","features":[{{"type":"Feature",
            "properties":{{"code":"371500"}},"geometry":{geometry}}}]}}"#
        )
    }

    fn polygon(coordinates: &str) -> String {
        one(&format!(r#"{{"type":"Polygon","coordinates":{coordinates}}}"#))
    }

    #[test]
    fn a_polygon_is_read_and_others_are_passed_over() {
        let text = r#"{"type":"FeatureCollection","features":[
            {"type":"Feature","properties":{"member":false},"geometry":null},
            {"type":"Feature","properties":{"code":"371500","member":true},
             "geometry":{"type":"MultiPolygon","coordinates":[[[[1,1],[2,1,40.5],[2,2],[1,1]]]]}},
            {"type":"Feature","properties":{"code":"130400"},
             "geometry":{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2],[1,1]]]}}]}"#;
        let codes: Vec<_> =
            Boundaries::parse(text).unwrap().cities().map(|c| c.to_string()).collect();
        assert_eq!(codes, ["130400", "371500"]);
    }

    #[test]
    fn texts_that_are_not_borders_are_refused_with_the_reason() {
        let collection =
            |features: &str| format!(r#"{{"type":"FeatureCollection","features":[{features}]}}"#);
        let city = |code: &str| {
            format!(
                r#"{{"properties":{{"code":"{code}"}},"geometry":{{"type":"Polygon",
                "coordinates":[[[1,1],[2,1],[2,2],[1,1]]]}}}}"#
            )
        };
        let rows = [
            (String::new(), "not a GeoJSON"),
            ("[".repeat(100_000), "not a GeoJSON"),
            (r#"{"type":"Topology","features":[]}"#.into(), "not a GeoJSON"),
            (collection(""), "names no city"),
            (collection(&city("371522")), "feature 0 has no city code"),
            (collection(&[city("371500"), city("371500")].join(",")), "appears twice"),
            (one(r#"{"type":"Point","coordinates":[1,1]}"#), "is not a polygon"),
            (one("null"), "is not a polygon"),
            (one(r#"{"type":"MultiPolygon","coordinates":[]}"#), "is missing"),
            (polygon("[]"), "is missing"),
            (polygon("[[[1,1],[2,1],[2],[1,1]]]"), "position of one number"),
            (polygon("[[[1,1],[2,1],[2,2],[1,2]]]"), "not closed"),
            (polygon("[[[1,1],[2,1],[1,1]]]"), "fewer than four"),
            (polygon("[[[1,1],[2,1],[3,1],[1,1]]]"), "no area"),
            (polygon("[[[1,1],[181,1],[2,2],[1,1]]]"), "beyond 180"),
            (polygon("[[[1,1],[2,-1e300],[2,2],[1,1]]]"), "beyond 180"),
            (polygon("[[[1,1],[2,1e999],[2,2],[1,1]]]"), "not a GeoJSON"),
        ];
        for (row, (text, want)) in rows.iter().enumerate() {
            let got = Boundaries::parse(text).unwrap_err().to_string();
            assert!(got.contains(want), "row {row}: {got}");
        }
    }

    #[test]
    fn limits_hold() {
        let ring = "[1,1],".repeat(VERTICES_MAX);
        let text = polygon(&format!("[[{ring}[1,1]]]"));
        let err = Boundaries::parse(&text).unwrap_err();
        assert!(matches!(err, GeoError::TooLarge { what: "vertices", .. }), "{err}");
        let err = Boundaries::parse(&" ".repeat(GEOJSON_BYTES_MAX + 1)).unwrap_err();
        assert!(matches!(err, GeoError::TooLarge { what: "bytes", .. }), "{err}");
        let features = vec![r#"{"properties":{"member":false},"geometry":null}"#; CITIES_MAX + 1];
        let text = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","));
        let err = Boundaries::parse(&text).unwrap_err();
        assert!(matches!(err, GeoError::TooLarge { what: "features", .. }), "{err}");
    }
}
