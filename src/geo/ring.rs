//! Rings: closed lines, cut into short stretches with their bounds so that most need no look.
//!
//! In scope: which side of a ring a point is on, exactly. Out of scope: metres, cities.

use super::Point;

/// Edges in a stretch. Ten to forty all measure about the same on rings of 200 to 5 000 edges.
const STRETCH_EDGES: usize = 16;

/// Where a point is, seen from a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Outside,
    On,
    Inside,
}

/// The smallest box of parallels and meridians around something; its border belongs to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) west: i64,
    pub(super) east: i64,
    pub(super) south: i64,
    pub(super) north: i64,
}

impl Bounds {
    const NOTHING: Self = Self { west: i64::MAX, east: i64::MIN, south: i64::MAX, north: i64::MIN };

    pub(super) fn around(points: impl IntoIterator<Item = Point>) -> Self {
        points.into_iter().fold(Self::NOTHING, |b, p| Self {
            west: b.west.min(p.lon_e7),
            east: b.east.max(p.lon_e7),
            south: b.south.min(p.lat_e7),
            north: b.north.max(p.lat_e7),
        })
    }

    /// Whether they have a place in common.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.west <= other.east
            && other.west <= self.east
            && self.south <= other.north
            && other.south <= self.north
    }

    fn contains(&self, p: Point) -> bool {
        (self.west..=self.east).contains(&p.lon_e7) && (self.south..=self.north).contains(&p.lat_e7)
    }

    /// Whether the ray from `p` due east can meet anything in here.
    fn meets_ray_east_of(&self, p: Point) -> bool {
        p.lon_e7 <= self.east && (self.south..=self.north).contains(&p.lat_e7)
    }
}

/// Some consecutive edges of a ring: vertices `n`, `n + 1` are one edge.
#[derive(Debug)]
pub(super) struct Stretch {
    pub(super) bounds: Bounds,
    vertices: Vec<Point>,
}

impl Stretch {
    pub(super) fn edges(&self) -> impl Iterator<Item = (Point, Point)> + '_ {
        self.vertices.iter().copied().zip(self.vertices.iter().skip(1).copied())
    }
}

/// A closed line without a direction; an outer border or that of a hole.
#[derive(Debug)]
pub(super) struct Ring {
    bounds: Bounds,
    stretches: Vec<Stretch>,
}

impl Ring {
    /// Takes vertices of which the last repeats the first.
    ///
    /// Errors say what is wrong, as the end of a sentence that begins with "a ring".
    pub(super) fn new(vertices: &[Point]) -> Result<Self, &'static str> {
        if vertices.len() < 4 {
            return Err("has fewer than four positions");
        }
        if vertices.first() != vertices.last() {
            return Err("is not closed");
        }
        if doubled_area(vertices) == 0 {
            return Err("encloses no area");
        }
        let mut stretches = Vec::with_capacity(vertices.len().div_ceil(STRETCH_EDGES));
        let mut rest = vertices;
        while rest.len() > 1 {
            let some = rest.get(..=STRETCH_EDGES).unwrap_or(rest);
            let bounds = Bounds::around(some.iter().copied());
            stretches.push(Stretch { bounds, vertices: some.to_vec() });
            rest = rest.get(STRETCH_EDGES..).unwrap_or_default();
        }
        Ok(Self { bounds: Bounds::around(vertices.iter().copied()), stretches })
    }

    pub(super) fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    pub(super) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Its vertices, of which the last repeats the first.
    pub(super) fn points(&self) -> Vec<Point> {
        let first = self.stretches.first().and_then(|one| one.vertices.first());
        let rest = self.stretches.iter().flat_map(|one| one.vertices.iter().skip(1));
        first.into_iter().chain(rest).copied().collect()
    }

    /// Counts crossings of the ray from `p` due east with the ring (even-odd rule), in integers.
    pub(super) fn side(&self, p: Point) -> Side {
        if !self.bounds.contains(p) {
            return Side::Outside;
        }
        let mut side = Side::Outside;
        for stretch in self.stretches.iter().filter(|s| s.bounds.meets_ray_east_of(p)) {
            for (a, b) in stretch.edges() {
                match crossing(p, a, b) {
                    Crossing::On => return Side::On,
                    Crossing::Yes => side = other(side),
                    Crossing::No => {}
                }
            }
        }
        side
    }
}

enum Crossing {
    No,
    Yes,
    On,
}

/// How the ray from `p` due east meets the edge from `a` to `b`, whose northern end is not part
/// of it: so a ray through a vertex counts once, or twice where the ring turns back.
fn crossing(p: Point, a: Point, b: Point) -> Crossing {
    let turn = turn(p, a, b);
    if turn == 0 && Bounds::around([a, b]).contains(p) {
        return Crossing::On;
    }
    let straddles = (a.lat_e7 > p.lat_e7) != (b.lat_e7 > p.lat_e7);
    let northward = b.lat_e7 > a.lat_e7;
    if straddles && (turn > 0) == northward { Crossing::Yes } else { Crossing::No }
}

/// Positive when `p` lies left of the line from `a` to `b`, 0 when on it.
/// Needs more than 64 bits: each product may reach 6.5e18.
fn turn(p: Point, a: Point, b: Point) -> i128 {
    let wide = |x: i64, y: i64| i128::from(x) - i128::from(y);
    wide(b.lon_e7, a.lon_e7) * wide(p.lat_e7, a.lat_e7)
        - wide(b.lat_e7, a.lat_e7) * wide(p.lon_e7, a.lon_e7)
}

fn doubled_area(vertices: &[Point]) -> i128 {
    let next = vertices.iter().skip(1);
    let cross = |(a, b): (&Point, &Point)| {
        i128::from(a.lon_e7) * i128::from(b.lat_e7) - i128::from(b.lon_e7) * i128::from(a.lat_e7)
    };
    vertices.iter().zip(next).map(cross).sum()
}

fn other(side: Side) -> Side {
    match side {
        Side::Outside => Side::Inside,
        Side::Inside => Side::Outside,
        Side::On => Side::On,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(corners: &[(i64, i64)]) -> Result<Ring, &'static str> {
        let points: Vec<_> =
            corners.iter().map(|&(lon_e7, lat_e7)| Point { lon_e7, lat_e7 }).collect();
        Ring::new(&points)
    }

    #[test]
    fn rings_that_are_none_are_refused() {
        assert!(ring(&[(0, 0), (1, 0), (0, 0)]).is_err(), "two corners");
        assert!(ring(&[(0, 0), (9, 0), (9, 9), (0, 9)]).is_err(), "not closed");
        assert!(ring(&[(0, 0), (9, 9), (3, 3), (0, 0)]).is_err(), "no area");
        assert!(ring(&[(0, 0), (9, 0), (9, 9), (0, 0)]).is_ok());
    }

    #[test]
    fn a_ray_through_a_vertex_counts_once() {
        // A diamond with a notch: the ray from (1, 0) passes the vertices (4, 0) and (6, 0).
        let ring = ring(&[(0, 0), (5, -5), (6, 0), (5, 5), (4, 0), (3, 5), (0, 0)]).unwrap();
        let side = |lon_e7, lat_e7| ring.side(Point { lon_e7, lat_e7 });
        assert_eq!(side(1, 0), Side::Inside);
        assert_eq!(side(5, 0), Side::Inside);
        assert_eq!(side(4, 0), Side::On);
        assert_eq!(side(4, 4), Side::Outside, "in the notch");
        assert_eq!(side(-1, 0), Side::Outside);
        assert_eq!(side(7, 0), Side::Outside);
    }
}
