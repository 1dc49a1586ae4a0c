//! Distances: metres from a point to a city, for short ways.
//!
//! In scope: the nearest edge. Out of scope: routes, and precision far away. The flat plane at
//! the point was within 0.2 % of geodesics on the oracle's points (1 m to 69 km); the borders
//! themselves are generalised to some 160 m, so no better formula would tell more.
//!
//! The plane: at latitude f, with GRS80 (a = 6 378 137 m, 1/F = 298.257 222 101), one radian of
//! latitude is M = a (1 - e2) / w^3 metres and one of longitude N cos f, N = a / w, where
//! e2 = F (2 - F) and w = sqrt(1 - e2 sin^2 f). Sources: H. Moritz, Geodetic Reference System
//! 1980, Journal of Geodesy 74 (2000) 128-133; W. Torge and J. Müller, Geodesy, section 4.1
//! (radii of curvature in the meridian and the prime vertical). Edges are straight in longitude
//! and latitude, as RFC 7946 section 3.1.1 has them, and so they stay straight in this plane.

use super::boundary::City;
use super::ring::{Bounds, Ring, Stretch};
use super::{Boundaries, LON_E7_MAX, Point};
use crate::ids::CityCode;

impl Boundaries {
    /// Metres from the point to each city of `among` but `home`, ascending by code.
    ///
    /// Rounded to whole metres; 0 in the city and on its border. A city whose border is not known
    /// here is not in the result: callers compare, as [`Boundaries::assess`] does.
    #[must_use]
    pub fn distances(
        &self,
        point: Point,
        home: Option<CityCode>,
        among: &[CityCode],
    ) -> Vec<(CityCode, u32)> {
        let plane = Plane::at(point);
        self.known(among)
            .filter(|city| Some(city.code) != home)
            .map(|city| (city.code, whole(plane.metres_to(city))))
            .collect()
    }

    /// Metres to the nearest border line of any of `among`, whichever side the point is on.
    ///
    /// Rounded to whole metres; `None` when no border of theirs is known here.
    #[must_use]
    pub fn border_metres(&self, point: Point, among: &[CityCode]) -> Option<u32> {
        let plane = Plane::at(point);
        let lines = self.known(among).flat_map(City::rings);
        let square = plane.nearest(lines);
        square.is_finite().then(|| whole(square.sqrt()))
    }
}

/// Metres from one point to another, the same in both directions.
///
/// Rounded to whole metres. The plane touches half-way between the two latitudes; meant for some
/// tens of kilometres.
#[must_use]
pub fn metres_between(a: Point, b: Point) -> u32 {
    let middle = Point { lon_e7: a.lon_e7, lat_e7: i64::midpoint(a.lat_e7, b.lat_e7) };
    let plane = Plane::at(middle);
    let around = (a.lon_e7 - b.lon_e7).abs();
    let east = around.min(2 * LON_E7_MAX - around) as f64 * plane.east;
    let north = (a.lat_e7 - b.lat_e7) as f64 * plane.north;
    whole(east.hypot(north))
}

/// The flat plane that touches the ellipsoid at a point; metres east and north of it.
pub(super) struct Plane {
    origin: Point,
    /// Metres to the east in 1e-7 degree of longitude.
    east: f64,
    /// Metres to the north in 1e-7 degree of latitude.
    north: f64,
}

impl Plane {
    pub(super) fn at(origin: Point) -> Self {
        const A: f64 = 6_378_137.0;
        const F: f64 = 1.0 / 298.257_222_101;
        const E2: f64 = F * (2.0 - F);
        let unit = 1e-7_f64.to_radians();
        let (sin, cos) = (origin.lat_e7 as f64 * unit).sin_cos();
        let w = (1.0 - E2 * sin * sin).sqrt();
        let (n, m) = (A / w, A * (1.0 - E2) / (w * w * w));
        Self { origin, east: n * cos * unit, north: m * unit }
    }

    fn metres_to(&self, city: &City) -> f64 {
        if city.covers(self.origin) { 0.0 } else { self.nearest(city.rings()).sqrt() }
    }

    /// Square metres: the square of the distance to the nearest edge, or infinity without one.
    pub(super) fn nearest<'a>(&self, rings: impl Iterator<Item = &'a Ring>) -> f64 {
        // Rounding may put a box a hair beyond the edge that it holds; so do not skip on a tie.
        const SLACK: f64 = 1.0 - 1e-9;
        let mut best = f64::INFINITY;
        for stretch in rings.flat_map(Ring::stretches) {
            if self.to_bounds(&stretch.bounds) * SLACK < best {
                best = best.min(self.to_stretch(stretch));
            }
        }
        best
    }

    fn to_stretch(&self, stretch: &Stretch) -> f64 {
        stretch.edges().map(|(a, b)| self.to_edge(a, b)).fold(f64::INFINITY, f64::min)
    }

    /// Square of the distance from the origin to a box, 0 inside it.
    fn to_bounds(&self, b: &Bounds) -> f64 {
        let Point { lon_e7, lat_e7 } = self.origin;
        let east = (lon_e7.clamp(b.west, b.east) - lon_e7) as f64 * self.east;
        let north = (lat_e7.clamp(b.south, b.north) - lat_e7) as f64 * self.north;
        east * east + north * north
    }

    /// Square of the distance from the origin to the edge from `a` to `b`.
    fn to_edge(&self, a: Point, b: Point) -> f64 {
        self.square(self.origin, a, b)
    }

    /// Square of the distance from `p`, which is not far away, to the edge from `a` to `b`.
    pub(super) fn square(&self, p: Point, a: Point, b: Point) -> f64 {
        let place = |one: Point| {
            let east = (one.lon_e7 - p.lon_e7) as f64 * self.east;
            (east, (one.lat_e7 - p.lat_e7) as f64 * self.north)
        };
        let ((ax, ay), (bx, by)) = (place(a), place(b));
        let (dx, dy) = (bx - ax, by - ay);
        let square = dx * dx + dy * dy;
        let along = if square > 0.0 { -(ax * dx + ay * dy) / square } else { 0.0 };
        let along = along.clamp(0.0, 1.0);
        let (x, y) = (ax + along * dx, ay + along * dy);
        x * x + y * y
    }
}

/// To the nearest metre. No distance on Earth comes near the range of `u32`.
fn whole(metres: f64) -> u32 {
    metres.round() as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHIPPED: &str = include_str!("../../data/cities.geojson");

    #[test]
    fn one_degree_measures_what_tables_say() {
        // GRS80 at 36 degrees north: a degree of latitude 110 959 m, one of longitude 90 164 m
        // (tables of Snyder, Map Projections: A Working Manual, USGS 1395, within 1 m).
        let plane = Plane::at(Point::new(0, 360_000_000).unwrap());
        assert_eq!(whole(plane.north * 1e7), 110_959);
        assert_eq!(whole(plane.east * 1e7), 90_164);
    }

    #[test]
    fn two_points_are_as_far_as_tables_say_in_both_directions() {
        let at = |lon, lat| Point::new(lon, lat).unwrap();
        let middle = at(1_150_000_000, 360_000_000);
        // Half a degree to either side of 36 degrees north; see the test above.
        assert_eq!(
            metres_between(at(1_150_000_000, 355_000_000), at(1_150_000_000, 365_000_000)),
            110_959
        );
        assert_eq!(metres_between(middle, at(1_151_000_000, 360_000_000)), 9_016);
        assert_eq!(metres_between(middle, middle), 0);
        let (near, far) = (at(1_150_012_345, 360_054_321), at(1_152_000_000, 361_000_001));
        assert_eq!(metres_between(near, far), metres_between(far, near));
        assert_eq!(metres_between(at(1_800_000_000, 0), at(-1_799_990_000, 0)), 111);
    }

    #[test]
    fn a_hole_is_outside_and_its_edge_is_the_border() {
        let map = Boundaries::parse(
            r#"{"type":"FeatureCollection","features":[{"properties":{"code":"371500"},
            "geometry":{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,9],[0,0]],
            [[4,4],[5,4],[5,5],[4,5],[4,4]]]}}]}"#,
        )
        .unwrap();
        let city = CityCode::parse("371500").unwrap();
        let metres = |lon, lat| map.distances(Point::new(lon, lat).unwrap(), None, &[city]);
        // A thousandth of a degree north of the hole's southern edge.
        assert_eq!(metres(45_000_000, 40_010_000), [(city, 111)]);
        assert_eq!(metres(45_000_000, 40_000_000), [(city, 0)]);
        assert_eq!(metres(20_000_000, 20_000_000), [(city, 0)]);
    }

    #[test]
    fn home_is_left_out_and_unknown_cities_are_absent() {
        let map = Boundaries::parse(SHIPPED).unwrap();
        let [home, other, unknown] =
            ["371500", "130400", "110100"].map(|c| CityCode::parse(c).unwrap());
        let point = Point::new(1_154_370_000, 362_790_920).unwrap();
        let got = map.distances(point, Some(home), &[unknown, other, home]);
        assert_eq!(got, [(other, 200)]);
        assert_eq!(map.border_metres(point, &[unknown]), None);
        assert_eq!(map.border_metres(point, &[home]), Some(200));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Points on the map and around it, near vertices, and far away.
        #[test]
        fn plain_search_agrees(
            lon in 1_130_000_000..1_190_000_000_i64,
            lat in 345_000_000..385_000_000_i64,
            far in any::<bool>(),
        ) {
            let map = Boundaries::parse(SHIPPED).unwrap();
            let point = if far { Point::new(-lon, -lat) } else { Point::new(lon, lat) }.unwrap();
            let plane = Plane::at(point);
            let plain = |city: &City| {
                let edges = city.rings().flat_map(Ring::stretches).flat_map(Stretch::edges);
                edges.map(|(a, b)| plane.to_edge(a, b)).fold(f64::INFINITY, f64::min)
            };
            let all: Vec<_> = map.cities().collect();
            for city in map.known(&all) {
                prop_assert_eq!(plane.nearest(city.rings()), plain(city));
            }
        }
    }
}
