//! Geometry against answers computed elsewhere: 100 points, their city and their distances.
//!
//! `boundary-oracle.csv` was made from the same border file with geodesic distances (azimuthal
//! equidistant at each point, GRS80), by code that shares nothing with ours.

use liandong::geo::{BELT_METRES_DEFAULT, Boundaries, Point, UNCERTAIN_METRES_DEFAULT};
use liandong::ids::CityCode;
use proptest::prelude::*;
use serde_json::Value;

pub(super) const SHIPPED: &str = include_str!("../../data/cities.geojson");
const ORACLE: &str = include_str!("../fixtures/boundary-oracle.csv");

/// Ours are whole metres, theirs have one decimal; the plane is within 0.2 %.
const RELATIVE: f64 = 0.005;
const ABSOLUTE: f64 = 2.0;
/// The largest distance that the oracle has, in metres.
pub(super) const FARTHEST: u32 = 68_887;

pub(super) struct Row {
    pub point: Point,
    pub city: Option<CityCode>,
    /// `None` in one row: no other city lies within the oracle's search radius.
    pub nearest: Option<(CityCode, f64)>,
    border_metres: f64,
}

pub(super) fn rows() -> Vec<Row> {
    ORACLE.lines().skip(1).map(parse_row).collect()
}

fn parse_row(line: &str) -> Row {
    let fields: Vec<_> = line.split(',').collect();
    Row {
        point: Point::new(e7(fields[0]), e7(fields[1])).unwrap(),
        city: (!fields[2].is_empty()).then(|| CityCode::parse(fields[2]).unwrap()),
        nearest: (!fields[3].is_empty())
            .then(|| (CityCode::parse(fields[3]).unwrap(), fields[4].parse().unwrap())),
        border_metres: fields[6].parse().unwrap(),
    }
}

fn e7(degrees: &str) -> i64 {
    let (whole, fraction) = degrees.split_once('.').unwrap();
    format!("{whole}{fraction:0<7}").parse().unwrap()
}

fn shipped() -> (Boundaries, Vec<CityCode>) {
    let map = Boundaries::parse(SHIPPED).unwrap();
    let all = map.cities().collect();
    (map, all)
}

pub(super) fn near(ours: u32, theirs: f64) -> bool {
    (f64::from(ours) - theirs).abs() <= ABSOLUTE.max(theirs * RELATIVE)
}

#[test]
fn every_point_lies_in_the_city_the_oracle_says() {
    let (map, all) = shipped();
    assert_eq!(rows().len(), 100);
    assert_eq!(rows().iter().filter(|row| row.city.is_none()).count(), 9);
    for (n, row) in rows().iter().enumerate() {
        let want: Vec<_> = row.city.into_iter().collect();
        assert_eq!(map.cities_at(row.point, &all), want, "row {n}");
    }
}

#[test]
fn nearest_other_city_and_its_distance_agree() {
    let (map, all) = shipped();
    for (n, row) in rows().iter().enumerate() {
        let distances = map.distances(row.point, row.city, &all);
        assert_eq!(distances.len(), all.len() - usize::from(row.city.is_some()), "row {n}");
        let (city, metres) = *distances.iter().min_by_key(|(_, metres)| *metres).unwrap();
        let Some((want, theirs)) = row.nearest else {
            // The eastern end of Tai'an.
            assert!(metres > FARTHEST, "row {n}: {metres} m");
            continue;
        };
        assert_eq!(city, want, "row {n}");
        assert!(near(metres, theirs), "row {n}: {metres} m, the oracle says {theirs}");
    }
    assert_eq!(rows().iter().filter(|row| row.nearest.is_none()).count(), 1);
}

#[test]
fn assessments_agree_with_the_oracle() {
    let (map, all) = shipped();
    let mut outside = 0;
    for (n, row) in rows().iter().enumerate() {
        // For a point in no member city let a stranger report it: all members are others then.
        let stranger = CityCode::parse("110100").unwrap();
        let reporting = row.city.unwrap_or(stranger);
        let (belt, band) = (BELT_METRES_DEFAULT, UNCERTAIN_METRES_DEFAULT);
        let got = map.assess(row.point, reporting, &all, belt, band);
        let (city, metres) = row.nearest.unwrap_or((got.nearest.unwrap().0, f64::INFINITY));
        assert_eq!(got.nearest.unwrap().0, city, "row {n}");
        assert_eq!(got.outside_belt.is_some(), metres > f64::from(belt), "row {n}");
        assert_eq!(got.uncertain, row.border_metres <= f64::from(band), "row {n}");
        outside += u32::from(got.outside_belt.is_some());
    }
    assert!(outside > 5, "the oracle has points beyond the belt, or this test shows nothing");
}

/// The rings of the shipped file, read without our reader: (code, vertices in 1e-7 degree).
fn shipped_rings() -> Vec<(CityCode, Vec<(i64, i64)>)> {
    let collection: Value = serde_json::from_str(SHIPPED).unwrap();
    let features = collection["features"].as_array().unwrap();
    let ring = |feature: &Value| {
        assert_eq!(feature["geometry"]["type"], "Polygon");
        let code = CityCode::parse(feature["properties"]["code"].as_str().unwrap()).unwrap();
        let number = |v: &Value| (v.as_f64().unwrap() * 1e7).round() as i64;
        let ring = feature["geometry"]["coordinates"][0].as_array().unwrap();
        (code, ring.iter().map(|p| (number(&p[0]), number(&p[1]))).collect())
    };
    features.iter().map(ring).collect()
}

#[test]
fn edges_and_vertices_belong_to_both_sides() {
    let (map, all) = shipped();
    let rings = shipped_rings();
    let at = |lon, lat| map.cities_at(Point::new(lon, lat).unwrap(), &all);
    let mut shared_edges = 0;
    for (code, ring) in &rings {
        for edge in ring.windows(2) {
            let [(ax, ay), (bx, by)] = [edge[0], edge[1]];
            let touching = |p: &[(i64, i64)]| {
                let on = |ring: &Vec<(i64, i64)>| p.iter().all(|v| ring.contains(v));
                let mut codes: Vec<_> =
                    rings.iter().filter(|(_, ring)| on(ring)).map(|(code, _)| *code).collect();
                codes.sort();
                codes
            };
            assert_eq!(at(ax, ay), touching(&[edge[0]]), "vertex {ax} {ay} of {code}");
            // Six decimals in the file, seven here: the middle of an edge is exact.
            let sides = touching(edge);
            assert_eq!(at(ax.midpoint(bx), ay.midpoint(by)), sides, "edge from {ax} {ay}");
            shared_edges += usize::from(sides.len() == 2);
        }
    }
    assert!(shared_edges > 200, "{shared_edges} edges seen from both sides");
}

#[test]
fn three_cities_meet_at_a_tri_point() {
    let (map, all) = shipped();
    let codes = |lon, lat| {
        let cities = map.cities_at(Point::new(lon, lat).unwrap(), &all);
        cities.into_iter().map(CityCode::as_u32).collect::<Vec<_>>()
    };
    assert_eq!(codes(1_154_728_700, 361_693_610), [130_400, 371_500, 410_900]);
    assert_eq!(codes(1_160_927_560, 361_104_660), [370_900, 371_500, 410_900]);
}

/// Even-odd rule in floats over all edges: slow, plain, and right away from the border.
fn plainly_inside(ring: &[(i64, i64)], lon: i64, lat: i64) -> bool {
    let (x, y) = (lon as f64, lat as f64);
    let crossings = ring.windows(2).filter(|edge| {
        let [(ax, ay), (bx, by)] = [edge[0], edge[1]].map(|(x, y)| (x as f64, y as f64));
        (ay > y) != (by > y) && x < ax + (y - ay) / (by - ay) * (bx - ax)
    });
    crossings.count() % 2 == 1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn plain_search_finds_the_same_cities(
        lon in 1_135_000_000..1_180_000_000_i64,
        lat in 350_000_000..380_000_000_i64,
    ) {
        let (map, all) = shipped();
        let point = Point::new(lon, lat).unwrap();
        prop_assume!(map.border_metres(point, &all) > Some(0));
        let mut want: Vec<_> = shipped_rings()
            .into_iter()
            .filter(|(_, ring)| plainly_inside(ring, lon, lat))
            .map(|(code, _)| code)
            .collect();
        want.sort();
        prop_assert_eq!(map.cities_at(point, &all), want);
    }

    /// A few characters of a small, well-formed text are replaced, and its end is cut.
    #[test]
    fn malformed_text_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), CHARACTERS), 0..4),
        cut in 0..40_usize,
    ) {
        let mut text: Vec<char> = SMALL.chars().collect();
        for (at, with) in changes {
            let at = at.index(text.len());
            text[at] = with.chars().next().unwrap_or(' ');
        }
        text.truncate(text.len().saturating_sub(cut.saturating_sub(20)));
        let text: String = text.into_iter().collect();
        if let Ok(map) = Boundaries::parse(&text) {
            let all: Vec<_> = map.cities().collect();
            let point = Point::new(15_000_000, 12_000_000).unwrap();
            prop_assert_eq!(map.distances(point, None, &all).len(), all.len());
        }
    }
}

const CHARACTERS: &str = r#"[-\[\]{},:."0-9eE聊 ]"#;

const SMALL: &str = r#"{"type":"FeatureCollection","features":[{"type":"Feature",
"properties":{"code":"371500","member":true},"geometry":{"type":"MultiPolygon","coordinates":
[[[[1,1],[2,1],[2,2],[1,1]],[[1.5,1.1],[1.6,1.1],[1.6,1.2],[1.5,1.1]]],[[[3,3],[4,3],[4,4],[3,3]]]]
}},{"type":"Feature","properties":{"code":"130400"},"geometry":{"type":"Polygon","coordinates":
[[[1,1],[2,1],[2,2],[1,1]]]}}]}"#;
