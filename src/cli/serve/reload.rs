//! Certificates, CAs, revocation lists and `people.toml` are taken over while the node runs.
//!
//! The files are looked at every few seconds and read again when their content has changed. What
//! cannot be used, such as a file half written, changes nothing: the last good ones stay in force,
//! and a warning says so.
//!
//! In scope: what is in force. Out of scope: what is in the files ([`super::files`]), how it is
//! used ([`crate::trust`]).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::files::{self, Files};
use super::local;
use crate::api::status::CertificateStatus;
use crate::cli::failure::Failure;
use crate::config::Config;
use crate::domain::both;
use crate::ids::Hash;
use crate::lang::Lang;
use crate::log::merkle::digest;
use crate::node::watchdog::Pulse;
use crate::node::writer::NodeHandle;
use crate::trust::acceptor::{Acceptor, Live, PortLimits, Seldom};
use crate::trust::people::{People, PeopleBook, Standing, plain_serial};
use crate::trust::spiffe::{Identity, Subject};
use crate::trust::tls::{CaDirectory, Credentials, Revocations, TlsContext};

/// How often the files are looked at: a revoked identity loses its streams within 10 s.
const LOOK: Duration = Duration::from_secs(2);
/// Days before the end of a certificate from which on people are told.
const SOON_DAYS: i64 = 14;
/// Days from which on it is urgent.
const URGENT_DAYS: i64 = 3;
const DAY_S: i64 = 86_400;

/// What is in force, and where it comes from.
pub(super) struct Reload {
    config: Config,
    production: bool,
    lang: Lang,
    files: Files,
    peer_context: TlsContext,
    api_context: TlsContext,
    peer: Arc<ArcSwap<ServerConfig>>,
    api: Arc<ArcSwap<ServerConfig>>,
    own: Arc<ArcSwap<Credentials>>,
    people: PeopleBook,
    live: Live,
    seen: (Hash, Hash),
    warnings: BTreeMap<&'static str, String>,
}

impl Reload {
    /// Reads everything for the start.
    ///
    /// # Errors
    /// [`Failure`] naming the file that cannot be used.
    pub fn begin(config: &Config, production: bool, lang: Lang) -> Result<Self, Failure> {
        let seen = (files::digest_of(config), people_digest(config));
        let files = Files::read(config, production, lang)?;
        let city = config.city;
        let revocations = Revocations::default();
        revocations.set(files.lists.clone());
        let context =
            || TlsContext { city, cas: CaDirectory::default(), revocations: revocations.clone() };
        let (peer_context, api_context) = (context(), context());
        let people = PeopleBook::default();
        people.set(
            read_people(config).map_err(|why| {
                local("人员名册无法使用", "the list of people cannot be used", why)
            })?,
        );
        api_context.cas.set(BTreeMap::from([(city, files.api_cas.clone())]));
        let bad = |e: rustls::Error| local("证书无法使用", "the certificate cannot be used", e);
        let peer = peer_context.peer_server(files.peer.clone()).map_err(bad)?;
        let api = api_context.api_server(files.api.clone()).map_err(bad)?;
        Ok(Self {
            config: config.clone(),
            production,
            lang,
            own: Arc::new(ArcSwap::from_pointee(files.peer.clone())),
            files,
            peer_context,
            api_context,
            peer: Arc::new(ArcSwap::from_pointee(peer)),
            api: Arc::new(ArcSwap::from_pointee(api)),
            people,
            live: Live::default(),
            seen,
            warnings: BTreeMap::new(),
        })
    }

    /// TLS towards the members.
    pub fn peer_context(&self) -> TlsContext {
        self.peer_context.clone()
    }

    /// The own certificate for dialling, as of now.
    pub fn own(&self) -> Arc<ArcSwap<Credentials>> {
        Arc::clone(&self.own)
    }

    /// What the own city's identities are here.
    pub fn people(&self) -> PeopleBook {
        self.people.clone()
    }

    /// Who is connected.
    pub const fn live(&self) -> &Live {
        &self.live
    }

    /// The port for nodes.
    pub fn peer_acceptor(&self) -> Acceptor {
        self.acceptor(
            &self.peer,
            PortLimits { handshake_timeout: self.patience(), ..PortLimits::PEER },
        )
    }

    /// The port for the own people and systems.
    pub fn api_acceptor(&self) -> Acceptor {
        let connections_max = usize::try_from(self.config.limits.connections_max);
        let limits = PortLimits {
            connections_max: connections_max.unwrap_or(PortLimits::API.connections_max),
            handshake_timeout: self.patience(),
            ..PortLimits::API
        };
        self.acceptor(&self.api, limits)
    }

    const fn patience(&self) -> Duration {
        Duration::from_millis(self.config.limits.handshake_ms_max)
    }

    fn acceptor(&self, config: &Arc<ArcSwap<ServerConfig>>, limits: PortLimits) -> Acceptor {
        Acceptor {
            config: Arc::clone(config),
            city: self.config.city,
            limits,
            live: self.live.clone(),
            people: self.people.clone(),
            refusals: Seldom::default(),
        }
    }

    /// The CAs of every city with a card here, and the own ones.
    pub fn set_cas(&self, node: &NodeHandle) {
        let own = self.config.city;
        let book = node.book();
        let mut cas = BTreeMap::from([(own, self.files.peer_cas.clone())]);
        for city in book.partners(own) {
            if let Some(card) = book.card(city) {
                let ders = card.cas.iter().map(|der| CertificateDer::from(der.clone()));
                cas.insert(city, ders.collect());
            }
        }
        self.peer_context.cas.set(cas);
    }

    /// Keeps everything up to date until the node stops.
    pub fn start(self, node: NodeHandle, stop: CancellationToken) {
        let watchdog = node.shell().watchdog.clone();
        let shared = Arc::new(Mutex::new(self));
        watchdog
            .keep("reload", stop, move |pulse| Self::run(Arc::clone(&shared), node.clone(), pulse));
    }

    async fn run(shared: Arc<Mutex<Self>>, node: NodeHandle, pulse: Pulse) {
        let mut book = node.book_changes();
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                _ = look.tick() => {
                    // Files of a disk that hangs must not keep a thread of the runtime.
                    let (mut own, node) = (Arc::clone(&shared).lock_owned().await, node.clone());
                    let looked = tokio::task::spawn_blocking(move || own.look(&node)).await;
                    if looked.is_err() {
                        return;
                    }
                    pulse.done();
                }
                changed = book.changed() => match changed {
                    Ok(()) => shared.lock().await.set_cas(&node),
                    Err(_) => return,
                },
            }
        }
    }

    fn look(&mut self, node: &NodeHandle) {
        let now = (files::digest_of(&self.config), people_digest(&self.config));
        let before = std::mem::replace(&mut self.seen, now);
        if now.0 != before.0 {
            match self.take_files(node) {
                Ok(()) => {
                    tracing::info!("certificates and revocation lists read again");
                    self.warnings.remove("files");
                }
                Err(failure) => {
                    tracing::warn!(why = %failure.what, "TLS files not taken; the old ones stay");
                    let what = both(
                        &format!("证书文件无法使用，仍用原有证书：{}", failure.what),
                        &format!("certificates not taken, the old ones stay: {}", failure.what),
                    );
                    self.warnings.insert("files", what);
                }
            }
        }
        if now.1 != before.1 {
            match read_people(&self.config) {
                Ok(people) => {
                    tracing::info!("people.toml read again");
                    self.people.set(people);
                    self.warnings.remove("people");
                }
                Err(why) => {
                    tracing::warn!(%why, "people.toml not taken; the old list stays");
                    let what = both(
                        &format!("people.toml 无法使用，仍用原有名册：{why}"),
                        &format!("people.toml is not taken, the old list stays: {why}"),
                    );
                    self.warnings.insert("people", what);
                }
            }
        }
        // Each time: a handshake may have slipped in between the list and the last look.
        self.end_connections();
        let now_s = node.now_ms() / 1000;
        let presentable = self.files.ends(&self.config).iter().all(|(_, end)| *end >= now_s);
        node.set_warnings(self.all_warnings(now_s), presentable);
        let ends = self.files.ends(&self.config).into_iter();
        let certificates = ends.map(|(name, end_s)| CertificateStatus { name, end_s }).collect();
        node.shell().know(|shell| shell.certificates = certificates);
    }

    /// Takes over all files, or none of them.
    fn take_files(&mut self, node: &NodeHandle) -> Result<(), Failure> {
        let files = Files::read(&self.config, self.production, self.lang)?;
        let bad = |e: rustls::Error| local("证书无法使用", "the certificate cannot be used", e);
        let city = self.config.city;
        // The hints of the api port come from the CAs, so they are in place first.
        let hints = TlsContext { cas: CaDirectory::default(), ..self.api_context.clone() };
        hints.cas.set(BTreeMap::from([(city, files.api_cas.clone())]));
        let peer = self.peer_context.peer_server(files.peer.clone()).map_err(bad)?;
        let api = hints.api_server(files.api.clone()).map_err(bad)?;
        self.api_context = hints;
        self.peer_context.revocations.set(files.lists.clone());
        self.peer.store(Arc::new(peer));
        self.api.store(Arc::new(api));
        self.own.store(Arc::new(files.peer.clone()));
        self.files = files;
        self.set_cas(node);
        Ok(())
    }

    /// Whoever may not call any more loses connections and streams now.
    fn end_connections(&self) {
        let (own, revoked) = (self.config.city, self.files.revoked());
        let connections = self.live.end(|identity| {
            let key = (identity.issuer, plain_serial(&identity.serial));
            revoked.contains(&key) || (identity.city == own && self.is_out(identity))
        });
        if connections > 0 {
            tracing::info!(connections, "connections of revoked or disabled identities ended");
        }
    }

    fn is_out(&self, identity: &Identity) -> bool {
        match self.people.standing(identity) {
            Standing::Is(..) => false,
            Standing::Disabled => true,
            Standing::Unknown => match identity.subject {
                Subject::Unnamed => true,
                Subject::Node(_) | Subject::Person(..) => false,
            },
        }
    }

    /// What an operator should look at, for the status.
    fn all_warnings(&self, now_s: i64) -> Vec<String> {
        let mut all: Vec<String> = self.warnings.values().cloned().collect();
        let ends = self.files.ends(&self.config);
        all.extend(ends.iter().filter_map(|(name, end)| expiry(name, *end, now_s)));
        all
    }
}

/// What is said of a certificate that ends at `end_s`; nothing while that is far off.
fn expiry(name: &str, end_s: i64, now_s: i64) -> Option<String> {
    let left = end_s - now_s;
    let days = left.div_euclid(DAY_S);
    let at = time_text(end_s);
    let [zh, en] = if left < 0 {
        [
            format!("证书已过期，其他市和本市客户端都会拒绝连接：{name}（{at}），请立即更换"),
            format!(
                "a certificate has expired and everybody refuses it: {name} ({at}), renew it now"
            ),
        ]
    } else if left < URGENT_DAYS * DAY_S {
        [
            format!("紧急：证书 {days} 天内到期：{name}（{at}），请立即更换"),
            format!("urgent: a certificate ends within {days} days: {name} ({at}), renew it now"),
        ]
    } else if left < SOON_DAYS * DAY_S {
        [
            format!("证书将于 {days} 天后到期：{name}（{at}），请准备更换"),
            format!("a certificate ends in {days} days: {name} ({at}), prepare to renew it"),
        ]
    } else {
        return None;
    };
    Some(both(&zh, &en))
}

fn time_text(at_s: i64) -> String {
    let at = crate::cli::when::from_millis(at_s.saturating_mul(1000));
    crate::cli::when::time(Some(&at))
}

fn people_digest(config: &Config) -> Hash {
    digest(&std::fs::read(&config.people_file).unwrap_or_default())
}

/// A missing file is an empty list: most cities issue all certificates themselves.
fn read_people(config: &Config) -> Result<People, String> {
    match std::fs::read_to_string(&config.people_file) {
        Ok(text) => People::parse(&text).map_err(|e| e.to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(People::default()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_told_in_time() {
        let said = |left_s: i64| expiry("node.pem", 1_000_000 + left_s, 1_000_000);
        assert_eq!(said(SOON_DAYS * DAY_S), None);
        assert!(said(SOON_DAYS * DAY_S - 1).unwrap().contains("13 天后"));
        assert!(said(URGENT_DAYS * DAY_S - 1).unwrap().starts_with("紧急"));
        assert!(said(-1).unwrap().contains("已过期"));
    }
}
