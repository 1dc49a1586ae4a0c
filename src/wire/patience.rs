//! What whoever calls a node does while it has too much to do.
//!
//! In scope: asking again. Out of scope: calls of people who wait for one answer, who are told.

use std::future::Future;
use std::time::{Duration, Instant};

use tonic::{Response, Status};
use tonic_types::StatusExt;

/// How long a node that has too much to do is asked again.
const PATIENCE: Duration = Duration::from_secs(120);

/// Calls until the node has time; anything but "too many calls" is its answer.
///
/// # Errors
/// What the node says.
pub async fn patient<T, F>(mut call: impl FnMut() -> F) -> Result<Response<T>, Status>
where
    F: Future<Output = Result<Response<T>, Status>>,
{
    let begun = Instant::now();
    loop {
        let status = match call().await {
            Ok(answer) => return Ok(answer),
            Err(status) => status,
        };
        let details = status.get_error_details();
        let reason = details.error_info().map(|info| info.reason.as_str());
        if !matches!(reason, Some("BUSY" | "RATE_LIMITED")) || begun.elapsed() > PATIENCE {
            return Err(status);
        }
        let delay = details.retry_info().and_then(|retry| retry.retry_delay);
        tokio::time::sleep(delay.unwrap_or(Duration::from_millis(100))).await;
    }
}
