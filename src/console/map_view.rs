//! Which part of the ground a map shows, and where a place lies in the picture.
//!
//! In scope: the projection (equirectangular: parallels and meridians are straight, and as far
//! apart as they are in the middle of the ground), centre and zoom of a query, which points of a
//! line are worth drawing. Out of scope: the picture.
//!
//! Invariants:
//! 1. Whatever a query says, the picture is of the ground or a part of it.
//!    (`a_query_stays_on_the_ground`)

use std::fmt::Write as _;

use super::form::Form;
use crate::geo::{Line, Point, simplified};
use crate::limits::MAP_VERTICES_MAX;

/// Width of the picture in its own units, which are pixels of a screen of usual size.
pub const WIDTH: f64 = 1_000.0;
/// Height of the picture.
pub const HEIGHT: f64 = 640.0;
/// How much larger than the whole ground it can be shown.
const ZOOM_MAX: f64 = 64.0;
/// Metres of a degree of latitude, near enough to say how coarse a line may be.
const DEGREE_METRES: f64 = 111_200.0;
/// How much of the picture the whole ground fills.
const FILLED: f64 = 0.94;
/// Edges of a line that are made simpler at a time. In the worst case that takes the square of
/// their number; and each stretch leaves a point.
const STRETCH_EDGES: usize = 256;

/// A part of the ground, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Longitude of the middle.
    pub lon: f64,
    /// Latitude of the middle.
    pub lat: f64,
    /// How much larger than the whole ground.
    pub zoom: f64,
    /// Corners of the whole ground.
    low: (f64, f64),
    high: (f64, f64),
    /// Units of the picture in a degree of longitude and in one of latitude.
    east: f64,
    north: f64,
}

fn degrees(point: Point) -> (f64, f64) {
    (point.lon_e7() as f64 / 1e7, point.lat_e7() as f64 / 1e7)
}

/// A number of a query, as long as it is one.
fn number(query: &Form, name: &str) -> Option<f64> {
    query.text(name).parse().ok().filter(|number: &f64| number.is_finite())
}

impl View {
    /// What a query asks to see of the ground between two corners.
    #[must_use]
    pub fn of(query: &Form, (low, high): (Point, Point)) -> Self {
        let (low, high) = (degrees(low), degrees(high));
        let zoom = number(query, "zoom").unwrap_or(1.0).clamp(1.0, ZOOM_MAX);
        let narrower = f64::midpoint(low.1, high.1).to_radians().cos().max(0.01);
        // Ground of no size is one place: some hundred metres of it are shown.
        let (wide, tall) = ((high.0 - low.0).max(0.001) * narrower, (high.1 - low.1).max(0.001));
        let north = FILLED * zoom * (WIDTH / wide).min(HEIGHT / tall);
        let lon = number(query, "x").unwrap_or(f64::midpoint(low.0, high.0));
        let lat = number(query, "y").unwrap_or(f64::midpoint(low.1, high.1));
        let (lon, lat) = (lon.clamp(low.0, high.0), lat.clamp(low.1, high.1));
        Self { lon, lat, zoom, low, high, east: north * narrower, north }
    }

    /// Where a place lies in the picture: from the left, from the top.
    #[must_use]
    pub fn place(&self, point: Point) -> (f64, f64) {
        let (lon, lat) = degrees(point);
        (WIDTH / 2.0 + (lon - self.lon) * self.east, HEIGHT / 2.0 - (lat - self.lat) * self.north)
    }

    /// Whether a place lies in the picture.
    #[must_use]
    pub fn shows(&self, point: Point) -> bool {
        let (x, y) = self.place(point);
        (0.0..=WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y)
    }

    /// Whether all of the ground is in the picture.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.zoom <= 1.0
    }

    /// Metres in a unit of the picture.
    #[must_use]
    pub fn metres(&self) -> f64 {
        DEGREE_METRES / self.north
    }

    /// Degrees of longitude and latitude in a unit of the picture, for the page's script.
    #[must_use]
    pub fn unit(&self) -> (f64, f64) {
        (1.0 / self.east, 1.0 / self.north)
    }

    /// The query for the same ground moved by so many units or enlarged.
    #[must_use]
    pub fn moved(&self, query: &Form, (right, down): (f64, f64), larger: f64) -> String {
        let lon = (self.lon + right / self.east).clamp(self.low.0, self.high.0);
        let lat = (self.lat - down / self.north).clamp(self.low.1, self.high.1);
        let zoom = (self.zoom * larger).clamp(1.0, ZOOM_MAX);
        let rest = Form::parse(query.with("x", "").as_bytes());
        let rest = Form::parse(rest.with("y", "").as_bytes());
        let rest = rest.with("zoom", "");
        let and = if rest.is_empty() { "" } else { "&" };
        format!("{rest}{and}x={lon:.5}&y={lat:.5}&zoom={zoom:.2}")
    }

    /// Whether some of a line may be in the picture or within `margin` units of it.
    fn meets(&self, line: &[Point], margin: f64) -> bool {
        let places = line.iter().map(|point| self.place(*point));
        let start = (f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY, f64::NEG_INFINITY);
        let (left, right, top, foot) = places.fold(start, |(left, right, top, foot), (x, y)| {
            (left.min(x), right.max(x), top.min(y), foot.max(y))
        });
        let (wide, tall) = (WIDTH + margin, HEIGHT + margin);
        left <= wide && right >= -margin && top <= tall && foot >= -margin
    }

    /// The points of a line that are drawn, when it is so coarse and `margin` units wide on either
    /// side: of a stretch that is not in the picture only the ends, between which it is not either.
    fn drawn(&self, line: &Line, metres: u32, margin: f64) -> Line {
        let mut points: Line = line.first().into_iter().copied().collect();
        let mut rest = line.as_slice();
        while rest.len() > 1 {
            let stretch = rest.get(..=STRETCH_EDGES).unwrap_or(rest);
            rest = rest.get(STRETCH_EDGES..).unwrap_or_default();
            if self.meets(stretch, margin) {
                points.extend(simplified(stretch, metres).into_iter().skip(1));
            } else {
                points.extend(stretch.last());
            }
        }
        points
    }

    /// How coarse lines, each with its margin, have to be to have no more than
    /// [`MAP_VERTICES_MAX`] points together, in metres; bends below a unit of the picture are never
    /// worth their bytes.
    #[must_use]
    pub fn coarseness(&self, lines: &[(&Line, f64)]) -> u32 {
        let mut metres = (self.metres() * 0.7).clamp(1.0, 1e6) as u32;
        loop {
            let shown = lines.iter().filter(|(line, margin)| self.meets(line, *margin));
            let drawn = shown.map(|(line, margin)| self.drawn(line, metres, *margin).len());
            if drawn.sum::<usize>() <= MAP_VERTICES_MAX || metres > 1_000_000 {
                return metres;
            }
            metres *= 2;
        }
    }

    /// Lines with their margin as the `d` of a path; empty when none is in the picture.
    #[must_use]
    pub fn path(&self, lines: &[Line], metres: u32, margin: f64) -> String {
        let mut out = String::new();
        for line in lines.iter().filter(|line| self.meets(line, margin)) {
            for (nth, point) in self.drawn(line, metres, margin).into_iter().enumerate() {
                let (x, y) = self.place(point);
                let letter = if nth == 0 { 'M' } else { 'L' };
                // Writing to a string does not fail.
                let _ = write!(out, "{letter}{x:.1} {y:.1}");
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::metres_between;

    fn point(lon_e7: i64, lat_e7: i64) -> Point {
        Point::new(lon_e7, lat_e7).unwrap()
    }

    fn corners() -> (Point, Point) {
        (point(1_134_000_000, 352_000_000), point(1_180_000_000, 380_000_000))
    }

    fn view(query: &str) -> View {
        View::of(&Form::parse(query.as_bytes()), corners())
    }

    #[test]
    fn a_circle_on_the_ground_is_one_in_the_picture() {
        let view = view("");
        let middle = point(1_157_000_000, 366_000_000);
        let (x, y) = view.place(middle);
        assert!((x - 500.0).abs() < 1e-6 && (y - 320.0).abs() < 1e-6, "{x} {y}");
        for (other, wanted) in [
            (point(1_158_000_000, 366_000_000), (1.0, 0.0)),
            (point(1_157_000_000, 367_000_000), (0.0, -1.0)),
        ] {
            let metres = f64::from(metres_between(middle, other));
            let (right, down) = (view.place(other).0 - x, view.place(other).1 - y);
            let units = metres / view.metres();
            let off = (right - wanted.0 * units).abs() + (down - wanted.1 * units).abs();
            assert!(off < units * 0.01, "{right} {down} {units}");
        }
        let (low, high) = corners();
        assert!(view.shows(low) && view.shows(high));
    }

    #[test]
    fn a_query_stays_on_the_ground() {
        for query in [
            "zoom=NaN&x=inf&y=-inf",
            "zoom=1e99&x=1e99&y=-1e99",
            "zoom=-3&x=&y=abc",
            "zoom=0",
            "x=-181",
            "y=91&zoom=64",
            "zoom=1e-300",
        ] {
            let view = view(query);
            assert!((113.4..=118.0).contains(&view.lon), "{query} {view:?}");
            assert!((35.2..=38.0).contains(&view.lat), "{query} {view:?}");
            assert!((1.0..=64.0).contains(&view.zoom), "{query} {view:?}");
            assert!(view.metres() > 0.0 && view.metres() < 10_000.0, "{query} {view:?}");
        }
        let one = point(1_150_000_000, 360_000_000);
        assert!(View::of(&Form::default(), (one, one)).metres().is_finite());
    }

    #[test]
    fn moving_keeps_the_filter_and_comes_back() {
        let form = Form::parse(b"medium=2&x=116&y=36.5&zoom=2");
        let view = View::of(&form, corners());
        let there = view.moved(&form, (100.0, 50.0), 2.0);
        assert!(there.starts_with("medium=2&x=116."), "{there}");
        let there = Form::parse(there.as_bytes());
        let moved = View::of(&there, corners());
        let back = moved.moved(&there, (-200.0, -100.0), 0.5);
        assert_eq!(back, "medium=2&x=116.00000&y=36.50000&zoom=2.00");
        assert!(view.moved(&Form::default(), (0.0, 0.0), 1e9).ends_with("zoom=64.00"));
    }

    #[test]
    fn no_more_points_are_drawn_than_a_page_has_room_for() {
        let crooked = |turn: i64| -> Line {
            let at = |n: i64| point(1_135_000_000 + n * 900, 360_000_000 + turn + (n % 7) * 3_000);
            (0..10_000).map(at).collect()
        };
        let lines = [crooked(0), crooked(900_000), crooked(2_000_000)];
        let all: Vec<(&Line, f64)> = lines.iter().map(|line| (line, 0.0)).collect();
        for query in ["", "zoom=64&x=114&y=36"] {
            let view = view(query);
            let metres = view.coarseness(&all);
            let path = view.path(&lines, metres, 0.0);
            let points = path.matches(['M', 'L']).count();
            assert!((2..=MAP_VERTICES_MAX).contains(&points), "{query} {points} {metres}");
        }
        let view = view("zoom=64&x=117.9&y=37.9");
        assert_eq!(view.path(&lines, 100, 0.0), "", "what is not in the picture is not drawn");
        assert_ne!(view.path(&lines, 100, 1e6), "", "unless it is so wide");
    }

    #[test]
    fn a_stretch_outside_keeps_its_ends_and_one_inside_its_bends() {
        let view = view("zoom=8&x=115.7&y=36.6");
        let at = |n: i64| point(1_135_000_000 + n * 40_000, 366_000_000 + (n % 2) * 30_000);
        let line: Line = (0..1_100).map(at).collect();
        let drawn = view.drawn(&line, 1, 0.0);
        assert_eq!((drawn.first(), drawn.last()), (line.first(), line.last()));
        assert!(drawn.len() < line.len() && drawn.iter().all(|one| line.contains(one)));
        let inside = |line: &Line| line.iter().filter(|one| view.shows(**one)).count();
        assert_eq!(inside(&drawn), inside(&line), "nothing that is seen is lost");
    }
}
