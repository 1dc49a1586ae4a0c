//! Writes under way: they go on when their callers give up, so they are counted apart from calls.
//!
//! In scope: how many there may be, and when all have ended. Out of scope: what they do
//! ([`super::desk`]).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::WRITES_UNDER_WAY_MAX;
use crate::wire::status::Refused;

/// How long a caller is asked to stay away when there are too many.
const BUSY_FOR: Duration = Duration::from_secs(1);

/// A cheap handle; clones count together.
#[derive(Clone, Debug)]
pub struct WritesUnderWay(Arc<Semaphore>);

/// One write, until it is dropped.
#[derive(Debug)]
pub struct UnderWay(#[expect(dead_code, reason = "held for its end")] OwnedSemaphorePermit);

impl Default for WritesUnderWay {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(WRITES_UNDER_WAY_MAX)))
    }
}

impl WritesUnderWay {
    /// Begins one.
    ///
    /// # Errors
    /// `BUSY`: there are [`WRITES_UNDER_WAY_MAX`].
    pub(super) fn begin(&self) -> Result<UnderWay, Refused> {
        let place = Arc::clone(&self.0).try_acquire_owned();
        place.map(UnderWay).map_err(|_| Refused::new("BUSY").retry_after(BUSY_FOR))
    }

    /// Waits until all have ended, with their lines in the audit; no other one may begin then.
    pub async fn ended(&self) {
        let all = u32::try_from(WRITES_UNDER_WAY_MAX).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        if let Ok(all) = self.0.acquire_many(all).await {
            all.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn there_are_so_many_and_a_stop_waits_for_all() {
        let writes = WritesUnderWay::default();
        let mut begun: Vec<UnderWay> =
            (0..WRITES_UNDER_WAY_MAX).map(|_| writes.begin().unwrap()).collect();
        assert_eq!(writes.begin().unwrap_err().reason(), "BUSY");
        begun.pop();
        begun.push(writes.begin().unwrap());
        let stop = tokio::spawn({
            let writes = writes.clone();
            async move { writes.ended().await }
        });
        let last = begun.pop();
        drop(begun);
        tokio::task::yield_now().await;
        assert!(!stop.is_finished(), "one is still under way");
        drop(last);
        stop.await.unwrap();
        assert_eq!(writes.begin().unwrap_err().reason(), "BUSY", "and no new one begins");
    }
}
