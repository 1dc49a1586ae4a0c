//! What connections with other cities have shown: bytes, certificates, and how many stand.
//!
//! In scope: counting. Out of scope: the connections themselves ([`super::link`], [`super::dial`]).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ids::CityCode;

/// What connections with one city have shown since the start of the process.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Bytes of frames received, TLS left out.
    pub received: AtomicU64,
    /// Bytes of frames sent, TLS left out.
    pub sent: AtomicU64,
    /// When the certificate of its node ends, seconds since 1970-01-01 UTC; 0 before one was seen.
    pub certificate_end_s: AtomicI64,
}

/// How many links to each city stand; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Links(Arc<Mutex<BTreeMap<CityCode, usize>>>);

impl Links {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<CityCode, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one for as long as the answer lives.
    #[must_use]
    pub fn count(&self, city: CityCode) -> Linked {
        *self.lock().entry(city).or_insert(0) += 1;
        Linked { city, links: self.clone() }
    }

    /// Whether one stands.
    #[must_use]
    pub fn has(&self, city: CityCode) -> bool {
        self.lock().get(&city).is_some_and(|count| *count > 0)
    }
}

/// Counts a link while it stands.
#[derive(Debug)]
pub struct Linked {
    city: CityCode,
    links: Links,
}

impl Drop for Linked {
    fn drop(&mut self) {
        if let Some(count) = self.links.lock().get_mut(&self.city) {
            *count = count.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_counts_while_it_stands() {
        let (links, city) = (Links::default(), CityCode::from_u32(371_500).unwrap());
        let (one, other) = (links.count(city), links.clone().count(city));
        assert!(links.has(city) && !links.has(CityCode::from_u32(130_400).unwrap()));
        drop(one);
        assert!(links.has(city));
        drop(other);
        assert!(!links.has(city));
    }
}
