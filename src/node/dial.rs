//! Dialling: one task a member city, back-off with jitter, begun again quickly after a link that
//! stood. One open direction between two cities is enough.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

use crate::ids::CityCode;
use crate::node::clock::SystemEntropy;
use crate::node::core::{Entropy, Input};
use crate::node::link::LinkEnd;
use crate::node::writer::NodeHandle;
use crate::trust::card::Card;
use crate::trust::tls::{Credentials, RefusedSerial, TlsContext};
use crate::trust::tls_failure::{self, CertFailure};
use crate::wire::status::Refused;

/// First pause after a failed dial; it doubles.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// How often a linked city is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// A dial that takes longer has failed.
const DIAL_TIMEOUT: Duration = Duration::from_secs(5);
/// A link that stood this long was a good one: the next dial comes soon.
const STOOD: Duration = Duration::from_secs(2);

/// Runs a link over an open channel to its end; returns why it ended.
pub type Call = Arc<
    dyn Fn(NodeHandle, Channel, LinkEnd) -> tokio::task::JoinHandle<Result<String, String>>
        + Send
        + Sync,
>;

/// What dialling needs.
#[derive(Clone)]
pub struct Dialer {
    /// The node.
    pub node: NodeHandle,
    /// Who is trusted.
    pub tls: TlsContext,
    /// Own certificate.
    pub own: Credentials,
    /// Runs the link.
    pub call: Call,
}

impl Dialer {
    /// Keeps one dialling task for each city that shares an agreement with this one.
    pub async fn run(self, stop: CancellationToken) {
        let mut book = self.node.book_changes();
        let mut dialled: Vec<CityCode> = Vec::new();
        loop {
            let partners = book.borrow_and_update().partners(self.node.city());
            for city in partners {
                if !dialled.contains(&city) {
                    dialled.push(city);
                    tokio::spawn(self.clone().keep(city, stop.clone()));
                }
            }
            tokio::select! {
                changed = book.changed() => if changed.is_err() { return },
                () = stop.cancelled() => return,
            }
        }
    }

    async fn keep(self, city: CityCode, stop: CancellationToken) {
        let mut pause = PAUSE_FIRST;
        loop {
            let wait = if self.node.is_linked(city) {
                pause = PAUSE_FIRST;
                LOOK_AGAIN
            } else {
                let began = tokio::time::Instant::now();
                let ended = self.once(city).await;
                let stood = ended.is_ok() && began.elapsed() > STOOD;
                if let Err(reason) = ended {
                    tracing::debug!(%city, %reason, "dial failed");
                    self.node.tell(Input::DialFailed { city, reason }).await;
                }
                pause = if stood { PAUSE_FIRST } else { (pause * 2).min(PAUSE_MAX) };
                jittered(pause)
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Dials the addresses on a city's card in turn, and runs the link to its end.
    async fn once(&self, city: CityCode) -> Result<(), String> {
        let card = self.node.book().card(city).cloned().ok_or("its card is not here")?;
        let mut why = "its card names no address".to_owned();
        for address in &card.addresses {
            let dialled = tokio::time::timeout(DIAL_TIMEOUT, self.connect(&card, address)).await;
            let channel = match dialled {
                Ok(Ok(channel)) => channel,
                Ok(Err(error)) => {
                    why = format!("{address}: {error}");
                    continue;
                }
                Err(_) => {
                    why = format!("{address} did not answer within 5 s");
                    continue;
                }
            };
            let end = LinkEnd { city, by_us: true, address: address.clone() };
            return match (self.call)(self.node.clone(), channel, end).await {
                Ok(Ok(_ended)) => Ok(()),
                Ok(Err(refused)) => Err(refused),
                Err(error) => Err(error.to_string()),
            };
        }
        Err(why)
    }

    async fn connect(&self, card: &Card, address: &str) -> Result<Channel, String> {
        let refused = RefusedSerial::default();
        let (nodes, seen) = (&card.nodes, Arc::clone(&refused));
        let config = self.tls.peer_client(self.own.clone(), card.city, nodes, seen);
        let connector = TlsConnector::from(Arc::new(config.map_err(|e| e.to_string())?));
        let target = address.to_owned();
        let dial = service_fn(move |_: Uri| {
            let (connector, target) = (connector.clone(), target.clone());
            async move {
                let tcp = TcpStream::connect(&target).await?;
                tcp.set_nodelay(true)?;
                // The verifier checks the city in the certificate; the name is not used.
                let name = rustls::pki_types::ServerName::try_from("peer.liandong")
                    .map_err(std::io::Error::other)?;
                Ok::<_, std::io::Error>(TokioIo::new(connector.connect(name, tcp).await?))
            }
        });
        let origin: Uri = "https://peer.liandong".parse().map_err(|_| "bad origin")?;
        let endpoint = Endpoint::from_shared(format!("http://{address}"))
            .map_err(|e| e.to_string())?
            .origin(origin)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10));
        let serial = || refused.lock().unwrap_or_else(PoisonError::into_inner).take();
        endpoint.connect_with_connector(dial).await.map_err(|e| why(&e, serial()))
    }
}

/// Why a dial failed, for the operator: a reason of the table where it is about a certificate,
/// else the error with its causes. `serial` is that of the other side's certificate.
pub fn why(error: &(dyn std::error::Error + 'static), serial: Option<String>) -> String {
    let time = |s: u64| {
        let second = i64::try_from(s).unwrap_or(i64::MAX);
        jiff::Timestamp::from_second(second).map_or_else(|_| s.to_string(), |t| t.to_string())
    };
    let serial = serial.unwrap_or_default();
    let refused = match tls_failure::find(error) {
        None => return chain(error),
        Some(CertFailure::TheirsExpired { not_after_s, now_s }) => {
            Refused::new("PEER_CERT_EXPIRED")
                .with("serial", serial)
                .with("not_after", time(not_after_s))
                .with("now", time(now_s))
        }
        Some(CertFailure::TheirsNotYet { not_before_s, now_s }) => {
            Refused::new("PEER_CERT_NOT_YET_VALID")
                .with("serial", serial)
                .with("not_before", time(not_before_s))
                .with("now", time(now_s))
        }
        Some(CertFailure::Theirs(detail)) => {
            Refused::new("PEER_CERT_REFUSED").with("serial", serial).with("detail", detail)
        }
        Some(CertFailure::Ours(detail)) => Refused::new("OWN_CERT_REFUSED").with("detail", detail),
    };
    format!("{}: {}", refused.reason(), refused.english())
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

/// Between half and all of a pause, so that members do not dial in step.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [0];
    SystemEntropy.fill(&mut byte);
    let [byte] = byte;
    pause / 2 + pause * u32::from(byte) / 512
}
