//! Dialling: one task a member city, back-off with jitter, begun again quickly after a link that
//! stood. One open direction between two cities is enough.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use hyper_util::rt::TokioIo;
use rustls::CertificateError;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

use crate::ids::CityCode;
use crate::node::clock::{SystemEntropy, wall_ms};
use crate::node::core::{Entropy, Input};
use crate::node::link::LinkEnd;
use crate::node::watchdog::Pulse;
use crate::node::writer::NodeHandle;
use crate::trust::card::Card;
use crate::trust::spiffe::Identity;
use crate::trust::tls::{Credentials, RefusedSerial, TlsContext};

/// First pause after a failed dial; it doubles.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// How often a linked city is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// A dial that takes longer has failed.
const DIAL_TIMEOUT: Duration = Duration::from_secs(5);
/// Why nobody is dialled.
const OFFLINE: &str = "本节点以 --offline 启动，不与其他市连接；去掉该参数重新启动即恢复 · this node was \
                       started with --offline and dials nobody; start it without";
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
    /// Own certificate, as of now: it may be renewed while the node runs.
    pub own: Arc<ArcSwap<Credentials>>,
    /// Runs the link.
    pub call: Call,
    /// Nobody is dialled.
    pub offline: bool,
}

impl Dialer {
    /// Keeps one dialling task for each city that shares an agreement with this one.
    pub fn start(self, stop: CancellationToken) {
        let watchdog = self.node.shell().watchdog.clone();
        let dialled: Arc<Mutex<BTreeSet<CityCode>>> = Arc::default();
        watchdog.keep("dial", stop.clone(), move |pulse| {
            self.clone().plan(Arc::clone(&dialled), pulse, stop.clone())
        });
    }

    async fn plan(
        self,
        dialled: Arc<Mutex<BTreeSet<CityCode>>>,
        pulse: Pulse,
        stop: CancellationToken,
    ) {
        let mut book = self.node.book_changes();
        let mut look = tokio::time::interval(LOOK_AGAIN);
        loop {
            let partners = book.borrow_and_update().partners(self.node.city());
            for city in partners {
                if dialled.lock().unwrap_or_else(PoisonError::into_inner).insert(city) {
                    let (dialler, name) = (self.clone(), format!("dial {city}"));
                    let watchdog = &self.node.shell().watchdog;
                    let run = move |pulse| dialler.clone().keep(city, pulse);
                    watchdog.keep(&name, stop.clone(), run);
                }
            }
            pulse.done();
            tokio::select! {
                changed = book.changed() => if changed.is_err() { stop.cancelled().await },
                _ = look.tick() => {}
            }
        }
    }

    async fn keep(self, city: CityCode, pulse: Pulse) {
        let mut pause = PAUSE_FIRST;
        loop {
            pulse.done();
            let suspended = self.node.book().is_suspended(city);
            let wait = if suspended || self.node.is_linked(city) {
                pause = PAUSE_FIRST;
                self.node.shell().dialled(city, |dial| (dial.failure, dial.next_ms) = (None, None));
                LOOK_AGAIN
            } else {
                let began = tokio::time::Instant::now();
                self.node.shell().dialled(city, |dial| {
                    (dial.last_ms, dial.next_ms) = (Some(wall_ms()), None);
                });
                let ended = self.once(city, &pulse).await;
                let stood = ended.is_ok() && began.elapsed() > STOOD;
                pause = if stood { PAUSE_FIRST } else { (pause * 2).min(PAUSE_MAX) };
                let wait = jittered(pause);
                let next_ms =
                    wall_ms().saturating_add_unsigned(wait.as_millis().min(60_000) as u64);
                self.node.shell().dialled(city, |dial| {
                    (dial.failure, dial.next_ms) = (ended.clone().err(), Some(next_ms));
                });
                if let Err(reason) = ended {
                    tracing::debug!(%city, %reason, "dial failed");
                    self.node.tell(Input::DialFailed { city, reason }).await;
                }
                wait
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Runs a link over an open channel. It comes round as long as the link stands; a call that is
    /// neither answered nor refused does not, and is ended by the watchdog.
    async fn link(&self, channel: Channel, end: LinkEnd, pulse: &Pulse) -> Result<(), String> {
        let city = end.city;
        let mut call = AbortOnDropHandle::new((self.call)(self.node.clone(), channel, end));
        loop {
            tokio::select! {
                ended = &mut call => return match ended {
                    Ok(Ok(_ended)) => Ok(()),
                    Ok(Err(refused)) => Err(refused),
                    Err(error) => Err(error.to_string()),
                },
                () = tokio::time::sleep(LOOK_AGAIN) => if self.node.is_linked(city) {
                    pulse.done();
                    self.node.shell().dialled(city, |dial| dial.failure = None);
                },
            }
        }
    }

    /// Reaches a city and runs the link to its end.
    async fn once(&self, city: CityCode, pulse: &Pulse) -> Result<(), String> {
        let (channel, address) = self.dialled(city, &|| pulse.done()).await?;
        let end = LinkEnd { city, by_us: true, address };
        self.link(channel, end, pulse).await
    }

    /// A new connection to a city, for what does not go over the link.
    ///
    /// # Errors
    /// Why none of its addresses could be reached.
    pub async fn reach(&self, city: CityCode) -> Result<Channel, String> {
        self.dialled(city, &|| {}).await.map(|(channel, _)| channel)
    }

    /// Dials the addresses on a city's card in turn.
    async fn dialled(
        &self,
        city: CityCode,
        before_each: &(dyn Fn() + Sync),
    ) -> Result<(Channel, String), String> {
        let card = self.node.book().card(city).cloned().ok_or("its card is not here")?;
        let mut why = "its card names no address".to_owned();
        for address in &card.addresses {
            before_each();
            let dialled = tokio::time::timeout(DIAL_TIMEOUT, self.connect(&card, address)).await;
            match dialled {
                Ok(Ok(channel)) => return Ok((channel, address.clone())),
                Ok(Err(error)) => why = format!("{address}: {error}"),
                Err(_) => why = format!("{address} did not answer within 5 s"),
            }
        }
        Err(why)
    }

    async fn connect(&self, card: &Card, address: &str) -> Result<Channel, String> {
        if self.offline {
            return Err(OFFLINE.to_owned());
        }
        let own = self.own.load_full();
        check_own(&own)?;
        let refused = RefusedSerial::default();
        let (nodes, seen) = (&card.nodes, Arc::clone(&refused));
        let config = self.tls.peer_client((*own).clone(), card.city, nodes, seen);
        let connector = TlsConnector::from(Arc::new(config.map_err(|e| e.to_string())?));
        let target = address.to_owned();
        let (traffic, own_city) = (self.node.traffic(card.city), self.node.city());
        let dial = service_fn(move |_: Uri| {
            let (connector, target) = (connector.clone(), target.clone());
            let traffic = Arc::clone(&traffic);
            async move {
                let tcp = TcpStream::connect(&target).await?;
                tcp.set_nodelay(true)?;
                // The verifier checks the city in the certificate; the name is not used.
                let name = rustls::pki_types::ServerName::try_from("peer.liandong")
                    .map_err(std::io::Error::other)?;
                let stream = connector.connect(name, tcp).await?;
                let leaf = stream.get_ref().1.peer_certificates().and_then(|all| all.first());
                if let Some(identity) = leaf.and_then(|leaf| Identity::of(leaf, own_city).ok()) {
                    traffic.certificate_end_s.store(identity.not_after_s, Ordering::Relaxed);
                }
                Ok::<_, std::io::Error>(TokioIo::new(stream))
            }
        });
        let origin: Uri = "https://peer.liandong".parse().map_err(|_| "bad origin")?;
        let endpoint = Endpoint::from_shared(format!("http://{address}"))
            .map_err(|e| e.to_string())?
            .origin(origin)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10));
        let serial = || refused.lock().unwrap_or_else(PoisonError::into_inner).take();
        endpoint.connect_with_connector(dial).await.map_err(|e| reason(&e, serial()))
    }
}

/// Looked at before dialling: the other side would only say that it does not like it.
fn check_own(own: &Credentials) -> Result<(), String> {
    let leaf = own.chain.first().ok_or("本市节点没有证书 · this node has no certificate")?;
    let (_, cert) = x509_parser::parse_x509_certificate(leaf).map_err(|e| e.to_string())?;
    let (valid, now) = (cert.validity(), wall_ms() / 1000);
    if valid.not_after.timestamp() < now {
        return Err(format!(
            "本市节点证书已过期，请更换 · the certificate of this node has expired, renew it \
             (OWN_CERT_EXPIRED not_after={} now={now})",
            valid.not_after.timestamp()
        ));
    }
    if now < valid.not_before.timestamp() {
        return Err(format!(
            "本市节点证书尚未生效，请核对本机时钟 · the certificate of this node is not valid yet, \
             check the clock (OWN_CERT_NOT_YET_VALID not_before={} now={now})",
            valid.not_before.timestamp()
        ));
    }
    Ok(())
}

/// Why a dial failed, for the operator: the failures that people can mend are told apart. `serial`
/// is that of the other side's certificate, where it was refused.
pub fn reason(error: &(dyn std::error::Error + 'static), serial: Option<String>) -> String {
    let all = chain(error);
    if let Some(rustls::Error::AlertReceived(alert)) = tls_error(error) {
        return format!(
            "对方不接受本市节点的证书，请核对证书期限与名片 · the other side refused the certificate \
             of this node (OWN_CERT_REFUSED alert={alert:?}): {all}"
        );
    }
    let serial = serial.unwrap_or_default();
    let said = match certificate_error(error) {
        Some(CertificateError::ExpiredContext { time, not_after }) => format!(
            "对方证书已过期，请对方更换；若不符，先核对本机时钟 · the other side's certificate has \
             expired (PEER_CERT_EXPIRED serial={serial} not_after={} now={})",
            not_after.as_secs(),
            time.as_secs()
        ),
        Some(CertificateError::NotValidYetContext { time, not_before }) => format!(
            "对方证书尚未生效，先核对两地时钟 · the other side's certificate is not valid yet \
             (PEER_CERT_NOT_YET_VALID serial={serial} not_before={} now={})",
            not_before.as_secs(),
            time.as_secs()
        ),
        Some(CertificateError::UnknownIssuer) => {
            "对方证书不是其名片上的证书机构签发的，请核对名片 · not issued by a CA on its card \
             (PEER_CERT_UNKNOWN_CA)"
                .to_owned()
        }
        Some(CertificateError::Revoked) => {
            "对方证书已被吊销 · the other side's certificate is revoked (PEER_CERT_REVOKED)"
                .to_owned()
        }
        Some(_) | None => return all,
    };
    format!("{said}: {all}")
}

/// What rustls found wrong with the other side's certificate.
fn certificate_error<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a CertificateError> {
    match tls_error(error) {
        Some(rustls::Error::InvalidCertificate(wrong)) => Some(wrong),
        Some(_) | None => None,
    }
}

/// The failure of TLS among the causes of an error.
fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        // An io::Error shows the error it carries only on request.
        let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let found = carried
            .and_then(|e| e.downcast_ref::<rustls::Error>())
            .or_else(|| error.downcast_ref::<rustls::Error>());
        if found.is_some() {
            return found;
        }
        next = error.source();
    }
    None
}

/// An error with its causes, for the operator.
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
