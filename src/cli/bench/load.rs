//! Load: so many clients, each with the next call ready when the last is answered.
//!
//! In scope: running clients side by side, counting, percentiles. Out of scope: what is called.

use std::time::{Duration, Instant};

use tonic::Status;

use super::report::Figure;
use crate::cli::failure::{Exit, Failure};

/// One thing a client does again and again.
pub trait Operation: Send + 'static {
    /// Does it the `nth` time.
    fn call(&mut self, nth: u64) -> impl Future<Output = Result<(), Status>> + Send;
}

/// When a load ends.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// After this time.
    Elapsed(Duration),
    /// After so many calls of each client.
    Calls(u64),
}

/// What a load came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Calls answered, warm-up left out.
    pub calls: u64,
    /// From the end of the warm-up to the last answer.
    pub elapsed: Duration,
    /// How long each call took, microseconds, ascending.
    pub micros: Vec<u64>,
}

impl Outcome {
    /// Calls a second.
    pub fn per_second(&self) -> f64 {
        ratio(self.calls, 1) / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// The time within which this share of the calls was answered, milliseconds.
    pub fn percentile_ms(&self, share: f64) -> f64 {
        percentile(&self.micros, share) / 1000.0
    }

    /// Adds another round of the same.
    pub fn add(&mut self, round: Self) {
        self.calls += round.calls;
        self.elapsed += round.elapsed;
        self.micros.extend(round.micros);
        self.micros.sort_unstable();
    }

    /// As a figure of calls a second.
    pub fn figure(&self, id: &str, zh: &str, en: &str) -> Figure {
        Figure::new(id, zh, en, self.per_second(), "ops/s")
            .taking(self.percentile_ms(0.5), self.percentile_ms(0.99))
    }
}

/// One number over another.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
pub fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / b as f64
}

/// The value below which `share` of the sorted ones lie; 0 when there is none.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a list of measured times"
)]
pub fn percentile(sorted: &[u64], share: f64) -> f64 {
    let place = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(place.saturating_sub(1)).or(sorted.last()).map_or(0.0, |v| *v as f64)
}

/// The failure of a measurement whose call was refused.
pub fn refused(what: &str, status: &Status) -> Failure {
    Failure::new(Exit::Refused, "", format!("{what}: {} {}", status.code(), status.message()))
}

/// Runs one client for each operation until the end. A tenth of the time warms up.
///
/// # Errors
/// [`Failure`] with the first refusal: a load that is refused measures refusals.
pub async fn run<O: Operation>(operations: Vec<O>, until: Until) -> Result<Outcome, Failure> {
    let begun = Instant::now();
    let warm = match until {
        Until::Elapsed(time) => begun + time / 10,
        Until::Calls(_) => begun,
    };
    let tasks: Vec<_> = operations
        .into_iter()
        .map(|operation| tokio::spawn(one_client(operation, warm, until)))
        .collect();
    let mut outcome = Outcome::default();
    for task in tasks {
        let done = task.await.map_err(|error| Failure::local(error.to_string()))?;
        outcome.micros.extend(done.map_err(|status| refused("load", &status))?);
    }
    outcome.elapsed = warm.elapsed();
    outcome.calls = u64::try_from(outcome.micros.len()).unwrap_or(u64::MAX);
    outcome.micros.sort_unstable();
    Ok(outcome)
}

async fn one_client(
    mut operation: impl Operation,
    warm: Instant,
    until: Until,
) -> Result<Vec<u64>, Status> {
    let (mut micros, mut nth) = (Vec::new(), 0);
    loop {
        let sent = Instant::now();
        match until {
            Until::Elapsed(time) if sent >= warm + time => return Ok(micros),
            Until::Calls(calls) if nth == calls => return Ok(micros),
            Until::Elapsed(_) | Until::Calls(_) => {}
        }
        operation.call(nth).await?;
        nth += 1;
        if sent >= warm {
            micros.push(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Count(std::sync::Arc<std::sync::atomic::AtomicU64>);

    impl Operation for Count {
        async fn call(&mut self, nth: u64) -> Result<(), Status> {
            let before = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if before > 1_000_000 {
                Err(Status::internal("too many"))
            } else {
                assert!(nth < 10);
                Ok(())
            }
        }
    }

    #[tokio::test]
    async fn every_client_makes_its_calls() {
        let count = std::sync::Arc::default();
        let clients = (0..4).map(|_| Count(std::sync::Arc::clone(&count))).collect();
        let outcome = run(clients, Until::Calls(10)).await.unwrap();
        assert_eq!((outcome.calls, count.load(std::sync::atomic::Ordering::Relaxed)), (40, 40));
    }

    #[test]
    fn percentiles_are_those_of_the_list() {
        let sorted: Vec<u64> = (1..=100).collect();
        assert_eq!(percentile(&sorted, 0.5), 50.0);
        assert_eq!(percentile(&sorted, 0.99), 99.0);
        assert_eq!(percentile(&[7], 0.99), 7.0);
        assert_eq!(percentile(&[], 0.5), 0.0);
    }
}
