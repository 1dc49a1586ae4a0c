//! The gate before every call of the api port: rate, places, deadline, and our words for the
//! library's refusals.
//!
//! A call first pays from its caller's bucket, then takes a place. One connection has so many calls
//! at a time and is told to come back with more; in all so many run, a few more wait, and the rest
//! are told to come back. Health and status take
//! no place, so that a flooded node can still be asked how it is.
//!
//! In scope: when a call may run and for how long. Out of scope: who may call what
//! ([`super::caller`]); connections ([`crate::trust::acceptor`]).
//!
//! Invariants:
//! 1. Whatever a place counts is given back when the call ends, however it ends. ([`Place`])
//! 2. One connection cannot fill the waiting room.
//!    (`one_connection_waits_with_no_more_than_its_calls`)
//! 3. A call that is given up stops waiting, never writing: writes run in tasks of their own.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::rate::Rates;
use crate::domain::Language;
use crate::limits;
use crate::trust::acceptor::Peer;
use crate::trust::people::Standing;
use crate::trust::spiffe::Role;
use crate::wire::status::{self, Refused};

/// Calls that take no place and pay nothing.
const EXEMPT: [&str; 3] = [
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/liandong.v1.NodeService/GetStatus",
];
/// The one call whose body may be long.
const UPLOAD: &str = "/liandong.v1.EvidenceFileService/Upload";
/// How long it may be; what came in that time stays.
const UPLOAD_DEADLINE: Duration = Duration::from_millis(limits::EVIDENCE_UPLOAD_MS_MAX);
/// The library gives a call up at the same moment as we do; being a little earlier, we choose the
/// words.
const EARLIER: Duration = Duration::from_millis(5);
/// How long a caller is asked to stay away when every place is taken.
const BUSY_FOR: Duration = Duration::from_secs(1);

/// Bounds of the api port's calls.
#[derive(Clone, Copy, Debug)]
pub struct GateLimits {
    /// Calls of one connection at a time.
    pub per_connection_max: usize,
    /// Calls that run at a time in all.
    pub running_max: usize,
    /// Calls that wait for a place.
    pub waiting_max: usize,
    /// Calls a second of one person.
    pub person_per_s_max: u32,
    /// Calls a second of one system.
    pub system_per_s_max: u32,
    /// Longest call.
    pub deadline: Duration,
}

impl Default for GateLimits {
    fn default() -> Self {
        Self {
            per_connection_max: limits::CALLS_PER_CONNECTION_MAX,
            running_max: limits::CALLS_RUNNING_MAX,
            waiting_max: limits::CALLS_WAITING_MAX,
            person_per_s_max: limits::PERSON_CALLS_PER_S_MAX,
            system_per_s_max: limits::SYSTEM_CALLS_PER_S_MAX,
            deadline: Duration::from_millis(limits::API_DEADLINE_MS_MAX),
        }
    }
}

/// Puts the gate before services.
#[derive(Clone)]
pub struct GateLayer(Arc<Gate>);

impl GateLayer {
    /// A gate with these bounds.
    #[must_use]
    pub fn new(limits: GateLimits) -> Self {
        Self(Arc::new(Gate {
            running: Arc::new(Semaphore::new(limits.running_max)),
            waiting: AtomicUsize::new(0),
            connections: Mutex::default(),
            rates: Mutex::default(),
            limits,
        }))
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated { gate: Arc::clone(&self.0), inner }
    }
}

/// Services behind the gate.
#[derive(Clone)]
pub struct Gated<S> {
    gate: Arc<Gate>,
    inner: S,
}

type Called = http::Request<Body>;
type Answered = http::Response<Body>;

impl<S> Service<Called> for Gated<S>
where
    S: Service<Called, Response = Answered, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Answered;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answered, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, call: Called) -> Self::Future {
        let next = self.inner.clone();
        // The one that was found ready is the one to call.
        let ready = std::mem::replace(&mut self.inner, next);
        let gate = Arc::clone(&self.gate);
        Box::pin(async move { Ok(gate.pass(ready, call).await) })
    }
}

struct Gate {
    limits: GateLimits,
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// Calls of each connection, running or waiting.
    connections: Mutex<HashMap<SocketAddr, usize>>,
    rates: Mutex<Rates>,
}

/// A place taken by a call: of its connection, and of the port once it runs.
struct Place<'a> {
    gate: &'a Gate,
    address: SocketAddr,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.permit = None;
        let mut connections = self.gate.lock_connections();
        if let Some(calls) = connections.get_mut(&self.address) {
            *calls = calls.saturating_sub(1);
            if *calls == 0 {
                connections.remove(&self.address);
            }
        }
    }
}

impl Gate {
    async fn pass<S>(&self, mut services: S, call: Called) -> Answered
    where
        S: Service<Called, Response = Answered, Error = Infallible> + Send,
        S::Future: Send,
    {
        let language = language(call.headers());
        let method = call.uri().path().to_owned();
        let deadline = self.deadline(&method, call.headers());
        let peer = call.extensions().get::<Peer>().cloned();
        let run = async {
            let _place = match peer.filter(|_| !EXEMPT.contains(&method.as_str())) {
                Some(peer) => Some(self.admit(&peer).await?),
                None => None,
            };
            let answered = services.call(call).await;
            Ok::<_, Refused>(answered.unwrap_or_else(|never| match never {}))
        };
        let answered = tokio::time::timeout(deadline, run).await;
        match answered {
            Ok(Ok(answer)) => in_our_words(answer, &method, language),
            Ok(Err(refused)) => refused.status(language).into_http(),
            Err(_) => Refused::new("DEADLINE").status(language).into_http(),
        }
    }

    fn deadline(&self, method: &str, headers: &HeaderMap) -> Duration {
        let asked = headers.get("grpc-timeout").and_then(|text| timeout(text.to_str().ok()?));
        let most = if method == UPLOAD { UPLOAD_DEADLINE } else { self.limits.deadline };
        asked.map_or(most, |asked| asked.min(most)).saturating_sub(EARLIER)
    }

    /// Lets a call in, now or after a while.
    async fn admit(&self, peer: &Peer) -> Result<Place<'_>, Refused> {
        self.pay(peer)?;
        let mut place = self.enter(peer.address)?;
        place.permit = Some(match Arc::clone(&self.running).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.wait(Arc::clone(&self.running)).await?,
        });
        Ok(place)
    }

    /// Counts a call of a connection, if it has not too many.
    fn enter(&self, address: SocketAddr) -> Result<Place<'_>, Refused> {
        let mut connections = self.lock_connections();
        let calls = connections.get(&address).copied().unwrap_or(0);
        if calls >= self.limits.per_connection_max {
            return Err(busy());
        }
        connections.insert(address, calls + 1);
        Ok(Place { gate: self, address, permit: None })
    }

    async fn wait(&self, semaphore: Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Refused> {
        let waiting = Waiting::new(&self.waiting);
        if waiting.others >= self.limits.waiting_max {
            return Err(busy());
        }
        semaphore.acquire_owned().await.map_err(|_| busy())
    }

    fn pay(&self, peer: &Peer) -> Result<(), Refused> {
        let per_s = match peer.people.standing(&peer.identity) {
            Standing::Is(Role::System, _) => self.limits.system_per_s_max,
            Standing::Is(Role::Coordinator | Role::Inspector | Role::Auditor | Role::Admin, _)
            | Standing::Disabled
            | Standing::Unknown => self.limits.person_per_s_max,
        };
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let paid = rates.pay(&peer.identity.serial, per_s, Instant::now());
        paid.map_err(|wait| Refused::new("RATE_LIMITED").with("limit", per_s).retry_after(wait))
    }

    fn lock_connections(&self) -> MutexGuard<'_, HashMap<SocketAddr, usize>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn busy() -> Refused {
    Refused::new("BUSY").retry_after(BUSY_FOR)
}

/// Counts a call while it waits.
struct Waiting<'a> {
    count: &'a AtomicUsize,
    others: usize,
}

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        let others = count.fetch_add(1, Ordering::Relaxed);
        Self { count, others }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

fn language(headers: &HeaderMap) -> Language {
    let asked = headers.get("accept-language").and_then(|tags| tags.to_str().ok());
    status::language_of(asked)
}

/// Reads a `grpc-timeout`: up to eight digits and a unit.
fn timeout(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if number.len() > 8 {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3_600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// A refusal of the library in the words of the table and in the caller's language.
fn in_our_words(answer: Answered, method: &str, language: Language) -> Answered {
    let refused = answer.headers().get("grpc-status").is_some_and(|code| code != "0");
    if !refused {
        return answer;
    }
    let known = answer.extensions().get::<Status>().cloned();
    let Some(refused) = known.or_else(|| Status::from_header_map(answer.headers())) else {
        return answer;
    };
    let refused = status::of_library(refused, language);
    if status::is_ours(&refused) {
        return refused.into_http();
    }
    let reference = reference();
    tracing::error!(method, reference, error = %refused, "a call failed inside");
    status::internal(&reference).status(language).into_http()
}

/// Four hexadecimal digits that the caller and the log have in common.
fn reference() -> String {
    format!("{:04x}", uuid::Uuid::new_v4().as_u128() & 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_grpc_writes_them() {
        assert_eq!(timeout("15S"), Some(Duration::from_secs(15)));
        assert_eq!(timeout("200m"), Some(Duration::from_millis(200)));
        assert_eq!(timeout("2H"), Some(Duration::from_secs(7_200)));
        for bad in ["", "S", "1", "123456789S", "1x", "-1S", "一S"] {
            assert_eq!(timeout(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn a_call_over_the_last_place_waits_and_the_next_is_turned_away() {
        let limits = GateLimits { per_connection_max: 1, waiting_max: 1, ..GateLimits::default() };
        let GateLayer(gate) = GateLayer::new(limits);
        let semaphore = Arc::new(Semaphore::new(1));
        let held = Arc::clone(&semaphore).try_acquire_owned().unwrap();
        let waits = gate.wait(Arc::clone(&semaphore));
        tokio::pin!(waits);
        // Polled once, it waits.
        assert!(futures_once(waits.as_mut()).is_none());
        let turned_away = gate.wait(Arc::clone(&semaphore)).await.unwrap_err();
        assert_eq!(turned_away.reason(), "BUSY");
        drop(held);
        assert!(waits.await.is_ok());
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn one_connection_waits_with_no_more_than_its_calls() {
        let limits = GateLimits { per_connection_max: 2, running_max: 1, ..GateLimits::default() };
        let GateLayer(gate) = GateLayer::new(limits);
        let (one, other) = ("10.0.0.1:1".parse().unwrap(), "10.0.0.2:1".parse().unwrap());
        let (first, second) = (gate.enter(one).unwrap(), gate.enter(one).unwrap());
        let over = gate.enter(one).map(drop).unwrap_err();
        assert_eq!(over.reason(), "BUSY");
        assert!(gate.enter(other).is_ok(), "other connections have places of their own");
        drop(first);
        let third = gate.enter(one).unwrap();
        assert!(gate.enter(one).is_err());
        drop((second, third));
        assert!(gate.lock_connections().is_empty(), "nothing is remembered of quiet connections");
    }

    fn futures_once<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        match future.poll(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }
}
