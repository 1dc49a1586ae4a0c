//! The acceptor: TCP, a place, TLS within a time, an identity; then the connection is served.
//!
//! Only finished handshakes reach the server. Every bound is a constant with its reason.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

use super::people::PeopleBook;
use super::spiffe::Identity;
use crate::ids::CityCode;

/// Refused handshakes are logged once in this time; the others are counted.
const SPEAK_EVERY: Duration = Duration::from_secs(1);

/// Bounds of one port.
#[derive(Clone, Copy, Debug)]
pub struct PortLimits {
    /// Connections open at a time.
    pub connections_max: usize,
    /// Connections open at a time from one address.
    pub per_address_max: usize,
    /// Handshakes under way at a time.
    pub handshakes_max: usize,
    /// A handshake takes milliseconds; whoever needs longer holds a place on purpose.
    pub handshake_timeout: Duration,
}

impl PortLimits {
    /// Members' nodes: few, and each needs one or two connections.
    pub const PEER: Self = Self {
        connections_max: 64,
        per_address_max: 32,
        handshakes_max: 16,
        handshake_timeout: Duration::from_secs(5),
    };
    /// The own city's people and systems.
    pub const API: Self = Self {
        connections_max: 512,
        per_address_max: 256,
        handshakes_max: 32,
        handshake_timeout: Duration::from_secs(5),
    };
}

/// Who is at the other end of a connection; every call carries it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// What its certificate says.
    pub identity: Arc<Identity>,
    /// Where it comes from.
    pub address: SocketAddr,
    /// Cancelled when it may not call any more: ends the connection and its streams.
    pub revoked: CancellationToken,
    /// What the own city's identities are here, as of now.
    pub people: PeopleBook,
}

/// Live connections, so that whoever may not call any more loses them.
#[derive(Clone, Debug, Default)]
pub struct Live(Arc<Mutex<LiveTable>>);

/// Whose each live connection is, and what ends it.
type LiveTable = BTreeMap<u64, (Arc<Identity>, CancellationToken)>;

/// A connection's place among the live ones.
#[derive(Debug)]
struct LivePlace {
    live: Live,
    number: u64,
}

impl Drop for LivePlace {
    fn drop(&mut self) {
        let mut live = self.live.0.lock().unwrap_or_else(PoisonError::into_inner);
        live.remove(&self.number);
    }
}

impl Live {
    fn enter(&self, identity: &Arc<Identity>, revoked: &CancellationToken) -> LivePlace {
        LivePlace { live: self.clone(), number: self.insert(identity, revoked) }
    }

    fn insert(&self, identity: &Arc<Identity>, revoked: &CancellationToken) -> u64 {
        let mut live = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = live.last_key_value().map_or(0, |(last, _)| last + 1);
        live.insert(number, (Arc::clone(identity), revoked.clone()));
        number
    }

    /// What ends somebody who comes in without a connection of these ports; for good.
    #[must_use]
    pub fn end_of(&self, identity: &Arc<Identity>) -> CancellationToken {
        let revoked = CancellationToken::new();
        self.insert(identity, &revoked);
        revoked
    }

    /// Ends the live connections of all identities that `gone` names; returns how many. Whether
    /// they may come back is for the next handshake and the next call to say.
    pub fn end(&self, gone: impl Fn(&Identity) -> bool) -> usize {
        let live = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = live.values().filter(|(identity, _)| gone(identity));
        ended.map(|(_, revoked)| revoked.cancel()).count()
    }
}

/// A connection whose handshake is done.
pub struct Conn {
    stream: TlsStream<TcpStream>,
    peer: Peer,
    revoked: Pin<Box<WaitForCancellationFutureOwned>>,
    _place: Place,
    _live: LivePlace,
}

/// A place among the connections, and among those of one address.
struct Place {
    _permit: OwnedSemaphorePermit,
    address: IpAddr,
    counts: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// A port: accepts until it is stopped.
pub struct Acceptor {
    /// TLS for the next connection; replaced when certificates change.
    pub config: Arc<ArcSwap<ServerConfig>>,
    /// Own city, for certificates without a SPIFFE id.
    pub city: CityCode,
    /// Bounds.
    pub limits: PortLimits,
    /// Live connections.
    pub live: Live,
    /// What the own city's identities are here.
    pub people: PeopleBook,
    /// Says seldom what happens often.
    pub refusals: Seldom,
}

/// Lets one line a second through and counts the rest.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<(Option<Instant>, u64)>);

impl Seldom {
    /// Whether a line may be written now; with it, how many were not since the last.
    fn may_speak(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let (last, unsaid) = *state;
        if last.is_some_and(|last| now.duration_since(last) < SPEAK_EVERY) {
            *state = (last, unsaid.saturating_add(1));
            return None;
        }
        *state = (Some(now), 0);
        Some(unsaid)
    }
}

impl Acceptor {
    /// Accepts in a task of its own; finished connections come out of the stream.
    #[must_use]
    pub fn run(
        self,
        listener: TcpListener,
        stop: CancellationToken,
    ) -> ReceiverStream<io::Result<Conn>> {
        let (done, conns) = mpsc::channel(self.limits.handshakes_max);
        tokio::spawn(async move {
            tokio::select! {
                () = self.accept(listener, done) => {}
                () = stop.cancelled() => {}
            }
        });
        ReceiverStream::new(conns)
    }

    async fn accept(self, listener: TcpListener, done: mpsc::Sender<io::Result<Conn>>) {
        let connections = Arc::new(Semaphore::new(self.limits.connections_max));
        let handshakes = Arc::new(Semaphore::new(self.limits.handshakes_max));
        let counts = Arc::new(Mutex::new(BTreeMap::new()));
        let this = Arc::new(self);
        loop {
            let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
            let Ok(shaking) = Arc::clone(&handshakes).acquire_owned().await else { return };
            let (tcp, address) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let Some(place) = take_place(&counts, address.ip(), permit, this.limits) else {
                tracing::debug!(%address, "too many connections from one address");
                continue;
            };
            let (this, done) = (Arc::clone(&this), done.clone());
            tokio::spawn(async move {
                let conn = this.handshake(tcp, address, place).await;
                drop(shaking);
                if let Some(conn) = conn {
                    let _ = done.send(Ok(conn)).await;
                }
            });
        }
    }

    async fn handshake(&self, tcp: TcpStream, address: SocketAddr, place: Place) -> Option<Conn> {
        let _ = tcp.set_nodelay(true);
        let accept = TlsAcceptor::from(self.config.load_full()).accept(tcp);
        let stream = match tokio::time::timeout(self.limits.handshake_timeout, accept).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                // Whoever knocks all day must not fill the disk with lines.
                if let Some(unsaid) = self.refusals.may_speak() {
                    tracing::warn!(%address, %error, unsaid, "handshake refused");
                }
                return None;
            }
            Err(_) => {
                tracing::debug!(%address, "handshake took too long");
                return None;
            }
        };
        let leaf = stream.get_ref().1.peer_certificates().and_then(|c| c.first())?;
        let identity = Identity::of(leaf, self.city).ok()?;
        let (identity, revoked) = (Arc::new(identity), CancellationToken::new());
        let live = self.live.enter(&identity, &revoked);
        let people = self.people.clone();
        let peer = Peer { identity, address, revoked: revoked.clone(), people };
        let revoked = Box::pin(revoked.cancelled_owned());
        Some(Conn { stream, peer, revoked, _place: place, _live: live })
    }
}

fn take_place(
    counts: &Arc<Mutex<BTreeMap<IpAddr, usize>>>,
    address: IpAddr,
    permit: OwnedSemaphorePermit,
    limits: PortLimits,
) -> Option<Place> {
    let mut all = counts.lock().unwrap_or_else(PoisonError::into_inner);
    let count = all.entry(address).or_insert(0);
    if *count >= limits.per_address_max {
        return None;
    }
    *count += 1;
    Some(Place { _permit: permit, address, counts: Arc::clone(counts) })
}

impl Connected for Conn {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Conn {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.revoked.as_mut().poll(cx).is_ready() {
            let revoked = io::Error::new(io::ErrorKind::ConnectionAborted, "certificate revoked");
            return Poll::Ready(Err(revoked));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Conn {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
