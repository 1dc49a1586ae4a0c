//! Lines to be drawn: outlines, the borders that two cities share, and both with fewer bends.
//!
//! In scope: which points a line has. Out of scope: colours and projections ([`crate::console`]).
//! A drawn line is a picture of the operator's map; no answer of this module rests on it.
//!
//! Invariants:
//! 1. A line with fewer bends stays within the given metres of the whole one, keeps its ends and
//!    has no new point. (`a_simplified_line_stays_near_and_keeps_its_ends`)

use super::boundary::City;
use super::distance::Plane;
use super::ring::Ring;
use super::{Boundaries, Point};
use crate::ids::CityCode;

/// So near two cities' lines are one border: the shipped ones are generalised to some 160 m, each
/// city on its own where they come from two sources.
const SHARED_METRES: f64 = 300.0;

/// Points of a line in their order. The last of an outline repeats the first.
pub type Line = Vec<Point>;

impl Boundaries {
    /// Every line around a city, holes included; none where its border is not known.
    #[must_use]
    pub fn outline(&self, city: CityCode) -> Vec<Line> {
        self.known(&[city]).flat_map(|one| one.rings().map(Ring::points)).collect()
    }

    /// The stretches of the border of one city along which the other one lies.
    #[must_use]
    pub fn shared_border(&self, one: CityCode, other: CityCode) -> Vec<Line> {
        let there: Vec<&Ring> = self.known(&[other]).flat_map(City::rings).collect();
        let apart = |ring: &&Ring| there.iter().all(|one| !one.bounds().meets(ring.bounds()));
        let one = [one];
        let here = self.known(&one).flat_map(City::rings);
        let near = |p: Point| {
            let square = Plane::at(p).nearest(there.iter().copied());
            square <= SHARED_METRES * SHARED_METRES
        };
        here.filter(|ring| !apart(ring)).flat_map(|ring| runs(&ring.points(), near)).collect()
    }

    /// The south-western and the north-eastern corner of the smallest box around some cities.
    #[must_use]
    pub fn corners(&self, cities: &[CityCode]) -> Option<(Point, Point)> {
        corners(self.known(cities).flat_map(City::rings).flat_map(Ring::points))
    }

    /// The middle of a city's largest piece of ground: where its name is written.
    #[must_use]
    pub fn middle(&self, city: CityCode) -> Option<Point> {
        let rings = self.outline(city);
        let largest = rings.iter().map(|ring| centre(ring)).max_by(|a, b| a.0.total_cmp(&b.0));
        largest.and_then(|(_, lon, lat)| Point::new(lon.round() as i64, lat.round() as i64).ok())
    }
}

/// The south-western and the north-eastern corner of the smallest box around points.
#[must_use]
pub fn corners(points: impl IntoIterator<Item = Point>) -> Option<(Point, Point)> {
    points.into_iter().fold(None, |box_, p| {
        let (low, high) = box_.unwrap_or((p, p));
        let low = Point { lon_e7: low.lon_e7.min(p.lon_e7), lat_e7: low.lat_e7.min(p.lat_e7) };
        let high = Point { lon_e7: high.lon_e7.max(p.lon_e7), lat_e7: high.lat_e7.max(p.lat_e7) };
        Some((low, high))
    })
}

/// Area, longitude and latitude of the middle of a ring; near enough for a word.
fn centre(ring: &[Point]) -> (f64, f64, f64) {
    // Seen from its first point, or the areas would be differences of huge numbers.
    let Some(first) = ring.first() else { return (0.0, 0.0, 0.0) };
    let at = |p: &Point| ((p.lon_e7 - first.lon_e7) as f64, (p.lat_e7 - first.lat_e7) as f64);
    let (mut area, mut x, mut y) = (0.0, 0.0, 0.0);
    for (a, b) in ring.iter().zip(ring.iter().skip(1)) {
        let ((ax, ay), (bx, by)) = (at(a), at(b));
        let cross = ax * by - bx * ay;
        area += cross;
        x += (ax + bx) * cross;
        y += (ay + by) * cross;
    }
    let (lon, lat) = (first.lon_e7 as f64, first.lat_e7 as f64);
    if area == 0.0 {
        return (0.0, lon, lat);
    }
    (area.abs(), lon + x / (3.0 * area), lat + y / (3.0 * area))
}

/// The runs of a closed line whose points are near; a run over the line's ends is one.
fn runs(ring: &[Point], near: impl Fn(Point) -> bool) -> Vec<Line> {
    let mut all: Vec<Line> = Vec::new();
    let mut run = Line::new();
    for point in ring {
        if near(*point) {
            run.push(*point);
        } else if !run.is_empty() {
            all.push(std::mem::take(&mut run));
        }
    }
    let closes = run.last().is_some() && run.last() == all.first().and_then(|one| one.first());
    match all.first_mut() {
        Some(first) if closes => {
            run.extend(first.iter().skip(1));
            *first = run;
        }
        Some(_) | None if run.is_empty() => {}
        Some(_) | None => all.push(run),
    }
    all.retain(|run| run.len() > 1);
    all
}

/// The line with so few bends that it stays within `metres` of the whole one (Douglas and Peucker,
/// Cartographica 10 (1973) 112-122).
#[must_use]
pub fn simplified(line: &[Point], metres: u32) -> Line {
    let Some(first) = line.first() else { return Line::new() };
    let plane = Plane::at(*first);
    let most = f64::from(metres) * f64::from(metres);
    let mut kept = vec![false; line.len()];
    // A stack and no recursion: a line may have as many bends as a file has points.
    let mut spans = vec![(0, line.len() - 1)];
    while let Some((from, to)) = spans.pop() {
        for end in [from, to] {
            if let Some(kept) = kept.get_mut(end) {
                *kept = true;
            }
        }
        if let Some((at, square)) = farthest(line, (from, to), &plane)
            && square > most
        {
            spans.extend([(from, at), (at, to)]);
        }
    }
    line.iter().zip(kept).filter_map(|(point, kept)| kept.then_some(*point)).collect()
}

/// Which point between two is farthest from the edge between them, and the square of its metres.
fn farthest(line: &[Point], (from, to): (usize, usize), plane: &Plane) -> Option<(usize, f64)> {
    let (a, b) = (line.get(from)?, line.get(to)?);
    let between = line.iter().enumerate().take(to).skip(from + 1);
    let far = between.map(|(at, p)| (at, plane.square(*p, *a, *b)));
    far.max_by(|one, other| one.1.total_cmp(&other.1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map() -> Boundaries {
        Boundaries::parse(include_str!("../../data/cities.geojson")).unwrap()
    }

    fn city(code: &str) -> CityCode {
        CityCode::parse(code).unwrap()
    }

    fn point(lon_e7: i64, lat_e7: i64) -> Point {
        Point { lon_e7, lat_e7 }
    }

    proptest! {
        #[test]
        fn a_simplified_line_stays_near_and_keeps_its_ends(
            all in prop::collection::vec((0..2_000_000i64, 0..2_000_000i64), 1..60),
            metres in 0u32..20_000,
        ) {
            let line: Line = all
                .iter()
                .map(|(x, y)| point(1_150_000_000 + x, 360_000_000 + y))
                .collect();
            let few = simplified(&line, metres);
            prop_assert_eq!((few.first(), few.last()), (line.first(), line.last()));
            prop_assert!(few.len() <= line.len() && few.iter().all(|one| line.contains(one)));
            let plane = Plane::at(line[0]);
            for p in &line {
                let edges = few.iter().zip(few.iter().skip(1));
                let near = edges.map(|(a, b)| plane.square(*p, *a, *b)).fold(
                    if few.len() == 1 { 0.0 } else { f64::INFINITY }, f64::min);
                prop_assert!(near.sqrt() <= f64::from(metres) + 1e-6, "{near}");
            }
        }
    }

    #[test]
    fn an_outline_has_fewer_points_the_coarser_it_is_and_never_vanishes() {
        let whole: Line = map().outline(city("371500")).into_iter().flatten().collect();
        let counts = [0, 500, 5_000, 500_000].map(|metres| simplified(&whole, metres).len());
        assert_eq!(whole.len(), 248);
        assert!(counts.windows(2).all(|two| two[0] > two[1]), "{counts:?}");
        assert_eq!(counts[3], 2);
    }

    #[test]
    fn neighbours_share_a_border_and_others_do_not() {
        let map = map();
        let metres = |a: &str, b: &str| -> u32 {
            let lines = map.shared_border(city(a), city(b));
            let steps = lines.iter().flat_map(|one| one.iter().zip(one.iter().skip(1)));
            steps.map(|(a, b)| crate::geo::metres_between(*a, *b)).sum()
        };
        assert!(metres("371500", "130400") > 50_000, "{}", metres("371500", "130400"));
        let (there, back) = (metres("371500", "371400"), metres("371400", "371500"));
        assert!(there.abs_diff(back) < there / 5, "{there} {back}");
        assert_eq!(metres("130400", "370900"), 0);
        assert_eq!(metres("371500", "110100"), 0, "a city without a border");
    }

    #[test]
    fn a_run_over_the_ends_of_a_ring_is_one() {
        let ring: Line = [0, 1, 2, 3, 4, 0].map(|x| point(x, 0)).into();
        let near = |p: Point| p.lon_e7 != 2;
        assert_eq!(runs(&ring, near), [[3, 4, 0, 1].map(|x| point(x, 0))]);
        assert_eq!(runs(&ring, |_| true), std::slice::from_ref(&ring));
        assert!(runs(&ring, |_| false).is_empty());
        assert!(runs(&ring, |p| p.lon_e7 == 2).is_empty(), "one point is no line");
    }

    #[test]
    fn a_name_stands_in_its_city() {
        let map = map();
        for code in ["371500", "130400", "410900", "371400", "370900"] {
            let middle = map.middle(city(code)).unwrap();
            assert_eq!(map.cities_at(middle, &[city(code)]), [city(code)]);
        }
        let (low, high) = map.corners(&[city("371500"), city("130400")]).unwrap();
        assert!(low.lon_e7() < 1_140_000_000 && high.lat_e7() > 370_000_000, "{low:?} {high:?}");
        assert_eq!(map.corners(&[city("110100")]), None);
    }
}
