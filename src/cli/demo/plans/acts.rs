//! One act of a plan as a call to the city that makes it.
//!
//! In scope: asking again when an answer was lost or the node is busy. Out of scope: the order of
//! acts ([`super`]).

use std::time::{Duration, Instant};

use crate::cli::connect::Client;
use crate::cli::failure::{Exit, Failure};

/// A city answers well within this time.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries.
pub const TRY_AGAIN: Duration = Duration::from_millis(20);
/// Refusals of a node that only has too much to do.
const COME_BACK: [&str; 2] = ["BUSY", "RATE_LIMITED"];

/// A city and the connection of its coordinator.
#[derive(Clone)]
pub struct Caller {
    /// Which.
    pub city: u32,
    /// How it is asked.
    pub client: Client,
}

/// How long something has been tried.
pub struct Tries(Instant);

impl Tries {
    /// Begins now.
    #[must_use]
    pub fn begin() -> Self {
        Self(Instant::now())
    }

    /// Waits a moment, if a call that failed so may be made again: with its request id it is done
    /// once, however often it is made.
    ///
    /// # Errors
    /// The failure, when it will not go away.
    pub async fn again(&self, failure: Failure) -> Result<(), Failure> {
        let may = failure.exit == Exit::Unknown || COME_BACK.contains(&&*failure.reason);
        if !may || self.0.elapsed() > PATIENCE {
            return Err(failure);
        }
        tokio::time::sleep(TRY_AGAIN).await;
        Ok(())
    }
}

/// Makes a call until it is answered.
macro_rules! answered {
    ($caller:expr, $service:ident().$call:ident($request:expr)) => {{
        let (caller, request) = ($caller, $request);
        let tries = $crate::cli::demo::plans::acts::Tries::begin();
        loop {
            match caller.client.$service().$call(request.clone()).await {
                Ok(answer) => break Ok(answer.into_inner()),
                Err(status) => {
                    if let Err(failure) = tries.again(caller.client.failure(&status)).await {
                        break Err(failure);
                    }
                }
            }
        }
    }};
}
pub(super) use answered;

/// An act of a city on the plan under way, once its node holds all that was done before: a call
/// with these fields beside the name, the request id and whom one acts for.
macro_rules! act {
    ($player:ident, $play:ident, $city:expr,
     $call:ident($request:ident { $($field:ident $(: $value:expr)?),* $(,)? })) => {{
        let city = $city;
        $player.until_held($play, city).await?;
        let request = pb::$request {
            name: $play.plan.name.clone(),
            $($field $(: $value)?,)*
            request_id: $play.next_id(),
            acting_for: None,
        };
        let done = answered!($player.caller(city)?, plans().$call(request))?;
        $play.plan = done.plan.unwrap_or_default();
    }};
}
pub(super) use act;
