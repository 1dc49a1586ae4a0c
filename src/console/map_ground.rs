//! What maps of this node are drawn on: the borders it is configured with.
//!
//! In scope: borders and what follows from them once and for all. Out of scope: pictures.

use std::sync::Arc;

use crate::geo::{Boundaries, Line};
use crate::ids::CityCode;

/// The border that two cities share.
#[derive(Debug)]
pub struct Shared {
    /// The cities, ascending.
    pub cities: (CityCode, CityCode),
    /// The stretches of it.
    pub lines: Vec<Line>,
}

/// Borders, and the number under which a map of them was approved.
#[derive(Clone, Debug, Default)]
pub struct Ground {
    /// Borders; none when no file is configured.
    pub boundaries: Option<Arc<Boundaries>>,
    /// Borders between two cities, of all pairs that have one.
    pub shared: Arc<[Shared]>,
    /// 审图号; empty when there is none.
    pub approval: Arc<str>,
}

impl Ground {
    /// Finds the shared borders, which takes some milliseconds for each city in full detail.
    #[must_use]
    pub fn new(boundaries: Option<Arc<Boundaries>>, approval: &str) -> Self {
        let shared = boundaries.as_deref().map(shared).unwrap_or_default();
        Self { boundaries, shared: shared.into(), approval: approval.trim().into() }
    }
}

fn shared(boundaries: &Boundaries) -> Vec<Shared> {
    let cities: Vec<CityCode> = boundaries.cities().collect();
    let pairs = cities
        .iter()
        .enumerate()
        .flat_map(|(place, one)| cities.iter().skip(place + 1).map(move |other| (*one, *other)));
    let of = |cities: (CityCode, CityCode)| {
        let lines = boundaries.shared_border(cities.0, cities.1);
        Shared { cities, lines }
    };
    pairs.map(of).filter(|one| !one.lines.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_cities_have_their_borders_once() {
        let map = Boundaries::parse(include_str!("../../data/cities.geojson")).unwrap();
        let ground = Ground::new(Some(Arc::new(map)), " GS 1 ");
        let pairs: Vec<(u32, u32)> = ground
            .shared
            .iter()
            .map(|one| (one.cities.0.as_u32(), one.cities.1.as_u32()))
            .collect();
        for pair in [(130_400, 371_500), (371_400, 371_500), (370_900, 371_500)] {
            assert!(pairs.contains(&pair), "{pairs:?}");
        }
        assert!(pairs.iter().all(|(one, other)| one < other) && pairs.len() <= 7, "{pairs:?}");
        assert_eq!(&*ground.approval, "GS 1");
        assert!(Ground::new(None, "").shared.is_empty());
    }
}
