//! Locating: which cities a point lies in.
//!
//! In scope: covering, exactly and in integers. Out of scope: how near the next border is
//! (`distance`), whose case it is (people decide).

use super::{Boundaries, Point};
use crate::ids::CityCode;

impl Boundaries {
    /// Those of `among` in which the point lies, ascending.
    ///
    /// A point exactly on a shared border lies in all cities that touch there. A point in a hole
    /// does not lie in the city around it, but one on the edge of the hole does. No city: outside
    /// all borders known here, or in a city without a border here.
    #[must_use]
    pub fn cities_at(&self, point: Point, among: &[CityCode]) -> Vec<CityCode> {
        self.known(among).filter(|city| city.covers(point)).map(|city| city.code).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 371500 is a square with a square hole and an island in it; 130400 lies to the west.
    const MAP: &str = r#"{"type":"FeatureCollection","features":[
        {"properties":{"code":"371500"},"geometry":{"type":"MultiPolygon","coordinates":[
            [[[0,0],[9,0],[9,9],[0,9],[0,0]],[[3,3],[6,3],[6,6],[3,6],[3,3]]],
            [[[4,4],[5,4],[5,5],[4,5],[4,4]]]]}},
        {"properties":{"code":"130400"},"geometry":{"type":"Polygon","coordinates":[
            [[-9,0],[0,0],[0,9],[-9,9],[-9,0]]]}}]}"#;

    #[test]
    fn inside_outside_holes_and_borders() {
        let map = Boundaries::parse(MAP).unwrap();
        let all: Vec<_> = map.cities().collect();
        let rows: [(f64, f64, &[u32]); 11] = [
            (1.0, 1.0, &[371_500]),
            (-1.0, 1.0, &[130_400]),
            (0.0, 5.0, &[130_400, 371_500]),
            (0.0, 0.0, &[130_400, 371_500]),
            (0.000_000_1, 5.0, &[371_500]),
            (3.5, 3.5, &[]),
            (3.0, 4.0, &[371_500]),
            (4.5, 4.5, &[371_500]),
            (4.0, 4.5, &[371_500]),
            (9.0, 9.0, &[371_500]),
            (9.000_000_1, 9.0, &[]),
        ];
        for (row, (lon, lat, want)) in rows.into_iter().enumerate() {
            let point = Point::new((lon * 1e7).round() as i64, (lat * 1e7).round() as i64).unwrap();
            let got: Vec<_> =
                map.cities_at(point, &all).into_iter().map(CityCode::as_u32).collect();
            assert_eq!(got, want, "row {row}");
        }
    }

    #[test]
    fn only_cities_asked_about_are_named() {
        let map = Boundaries::parse(MAP).unwrap();
        let border = Point::new(0, 50_000_000).unwrap();
        let handan = CityCode::parse("130400").unwrap();
        let unknown = CityCode::parse("370900").unwrap();
        assert_eq!(map.cities_at(border, &[unknown, handan, handan]), [handan]);
        assert_eq!(map.cities_at(border, &[]), []);
    }
}
