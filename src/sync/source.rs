//! From whom to take which log: a pure function with a table test.
//!
//! A follower takes each log from its origin while that delivers, otherwise from the first
//! member, in code order, that has announced more than is here. A source that has not moved a log
//! known to be ahead is left for a while that doubles.

use crate::ids::CityCode;
use crate::sync::frame::LinkId;

/// One link that could deliver a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The link.
    pub link: LinkId,
    /// The city at its other end.
    pub city: CityCode,
    /// Largest size it has announced, 0 when it has announced nothing.
    pub announced: u64,
    /// It is left alone for now, because it did not deliver.
    pub rested: bool,
}

/// Chooses the link to take a log from, or none.
///
/// `stored` is what is here. The origin is chosen even when it is not known to be ahead, so that
/// its next entry comes without delay.
#[must_use]
pub fn choose(origin: CityCode, stored: u64, candidates: &[Candidate]) -> Option<LinkId> {
    let usable = |c: &&Candidate| !c.rested;
    let from_origin = candidates.iter().filter(usable).find(|c| c.city == origin);
    let ahead = candidates.iter().filter(usable).filter(|c| c.announced > stored);
    from_origin.or_else(|| ahead.min_by_key(|c| (c.city, c.link))).map(|c| c.link)
}

/// How long a source is left alone after its `failures`th failure in a row, in milliseconds:
/// 5 s, doubling, at most 160 s.
#[must_use]
pub fn rest_ms(failures: u32) -> u64 {
    5_000 << failures.min(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(link: LinkId, city: u32, announced: u64, rested: bool) -> Candidate {
        Candidate { link, city: CityCode::from_u32(city).unwrap(), announced, rested }
    }

    #[test]
    fn source_table() {
        let origin = CityCode::from_u32(371_500).unwrap();
        let from_origin = candidate(1, 371_500, 0, false);
        let resting_origin = candidate(1, 371_500, 9, true);
        let (handan, dezhou) = (candidate(2, 130_400, 9, false), candidate(3, 371_400, 9, false));
        let behind = candidate(4, 130_400, 5, false);
        let rows: [(&[Candidate], Option<LinkId>); 7] = [
            (&[], None),
            (&[from_origin], Some(1)),
            (&[from_origin, handan], Some(1)),
            (&[resting_origin, dezhou, handan], Some(2)),
            (&[resting_origin, behind], None),
            (&[behind, dezhou], Some(3)),
            (&[resting_origin], None),
        ];
        for (row, (candidates, want)) in rows.into_iter().enumerate() {
            assert_eq!(choose(origin, 5, candidates), want, "row {row}");
        }
    }

    #[test]
    fn rests_double_and_are_bounded() {
        assert_eq!(
            [rest_ms(0), rest_ms(1), rest_ms(5), rest_ms(99)],
            [5_000, 10_000, 160_000, 160_000]
        );
    }
}
