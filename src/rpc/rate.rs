//! How often one caller may call: a bucket of tokens for each certificate.
//!
//! In scope: counting. Out of scope: who pays what ([`super::gate`]).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::limits::{CALL_BURST_S_MAX, CALLERS_MAX};

/// One call, in the unit of the buckets: a thousandth of a call a second and millisecond.
const CALL: u64 = 1_000;

/// A caller's bucket.
#[derive(Clone, Copy)]
struct Bucket {
    /// Thousandths of calls left.
    left: u64,
    at: Instant,
}

/// The buckets of all callers.
#[derive(Default)]
pub(super) struct Rates(HashMap<String, Bucket>);

impl Rates {
    /// Takes one call of `caller` out of its bucket, which fills with `per_s` calls a second.
    ///
    /// # Errors
    /// How long to wait for the next call.
    pub(super) fn pay(&mut self, caller: &str, per_s: u32, now: Instant) -> Result<(), Duration> {
        let full = u64::from(per_s) * u64::from(CALL_BURST_S_MAX) * CALL;
        let filled = |bucket: &Bucket| {
            let ms = now.saturating_duration_since(bucket.at).as_millis();
            let more = u64::try_from(ms).unwrap_or(u64::MAX).saturating_mul(per_s.into());
            bucket.left.saturating_add(more).min(full)
        };
        let left = self.0.get(caller).map_or(full, filled);
        let Some(rest) = left.checked_sub(CALL) else {
            let missing = (CALL - left).div_ceil(u64::from(per_s.max(1)));
            return Err(Duration::from_millis(missing.max(1)));
        };
        if let Some(bucket) = self.0.get_mut(caller) {
            *bucket = Bucket { left: rest, at: now };
            return Ok(());
        }
        if self.0.len() >= CALLERS_MAX {
            self.forget_the_quiet(now);
        }
        self.0.insert(caller.to_owned(), Bucket { left: rest, at: now });
        Ok(())
    }

    /// Drops buckets that are full again, or all if none is: better generous than unbounded.
    fn forget_the_quiet(&mut self, now: Instant) {
        let burst = Duration::from_secs(CALL_BURST_S_MAX.into());
        self.0.retain(|_, bucket| now.saturating_duration_since(bucket.at) < burst);
        if self.0.len() >= CALLERS_MAX {
            self.0.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let (mut rates, start) = (Rates::default(), Instant::now());
        let burst = 50 * CALL_BURST_S_MAX;
        let paid = (0..burst).filter(|_| rates.pay("a", 50, start).is_ok()).count();
        assert_eq!(paid, burst as usize);
        assert_eq!(rates.pay("a", 50, start), Err(Duration::from_millis(20)));
        assert_eq!(rates.pay("b", 50, start), Ok(()), "everybody has a bucket of their own");
        let later = start + Duration::from_secs(1);
        let paid = (0..burst).filter(|_| rates.pay("a", 50, later).is_ok()).count();
        assert_eq!(paid, 50);
    }

    #[test]
    fn callers_are_forgotten_before_they_are_too_many() {
        let (mut rates, now) = (Rates::default(), Instant::now());
        for caller in 0..3 * CALLERS_MAX {
            assert_eq!(rates.pay(&caller.to_string(), 1, now), Ok(()));
            assert!(rates.0.len() <= CALLERS_MAX);
        }
    }
}
