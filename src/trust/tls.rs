//! TLS: 1.3 only, certificates on both sides, each city pinned to its own CAs.
//!
//! A city's CAs may speak for that city and for nobody else: the CA is looked up by the city that
//! the certificate names, never among all CAs.
//!
//! In scope: verifiers and configurations. Out of scope: sockets ([`crate::trust::acceptor`]).
//!
//! Invariants (`tests/it/tls.rs`):
//! 1. A certificate of another city's CA is refused, whatever it names.
//! 2. Only nodes speak on the peer port, only others on the api port.
//! 3. No session is ever resumed: each connection checks validity and revocation anew.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName, UnixTime,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, WantsServerCert};
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, DistinguishedName, Error,
    OtherError, ServerConfig, SignatureScheme,
};

use super::spiffe::{Identity, Subject};
use crate::ids::{CityCode, NodeId};

/// Organisation in the subject of CAs made by `liandong pki`, refused by `serve --production`.
pub const TRIAL_ORGANISATION: &str = "liandong trial CA, not for production";

/// The one place where the crypto provider is chosen.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// CA certificates of each city, replaced as a whole when a card or file changes.
#[derive(Clone, Debug, Default)]
pub struct CaDirectory(Arc<ArcSwap<BTreeMap<CityCode, Vec<CertificateDer<'static>>>>>);

impl CaDirectory {
    /// Replaces all CAs.
    pub fn set(&self, cas: BTreeMap<CityCode, Vec<CertificateDer<'static>>>) {
        self.0.store(Arc::new(cas));
    }

    /// The CAs that may speak for a city.
    #[must_use]
    pub fn of(&self, city: CityCode) -> Vec<CertificateDer<'static>> {
        self.0.load().get(&city).cloned().unwrap_or_default()
    }
}

/// Certificate revocation lists, replaced as a whole.
#[derive(Clone, Debug, Default)]
pub struct Revocations(Arc<ArcSwap<Vec<CertificateRevocationListDer<'static>>>>);

impl Revocations {
    /// Replaces all lists.
    pub fn set(&self, lists: Vec<CertificateRevocationListDer<'static>>) {
        self.0.store(Arc::new(lists));
    }
}

/// Why a genuine certificate is refused all the same; shown in the log of the refusing side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It names nobody.
    #[error("it does not say who it is: {0}")]
    Identity(String),
    /// No CA of that city is known here.
    #[error("no CA of {0} is known here")]
    NoCa(CityCode),
    /// A node came to the api port, or somebody else to the peer port.
    #[error("{0} may not use this port")]
    WrongPort(String),
    /// Another city was expected.
    #[error("expected {expected}, got {got}")]
    WrongCity {
        /// Who was dialled.
        expected: CityCode,
        /// Who answered.
        got: String,
    },
}

fn refused(refusal: Refusal) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refusal))))
}

/// Who may speak here.
#[derive(Clone, Debug)]
enum Expected {
    /// Nodes of any city with a known CA.
    Nodes,
    /// People and systems of this city.
    People(CityCode),
    /// A node of this city, one of these if any are named.
    NodeOf(CityCode, Vec<NodeId>),
}

/// Checks the other side's certificate.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    own_city: CityCode,
    expected: Expected,
    cas: CaDirectory,
    revocations: Revocations,
    hints: Vec<DistinguishedName>,
    /// Serial number of the last certificate that was refused.
    refused: RefusedSerial,
}

/// Serial number of the last certificate that a configuration refused, for the operator.
pub type RefusedSerial = Arc<Mutex<Option<String>>>;

impl Verifier {
    /// Checks, and remembers whose certificate was refused.
    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        usage: webpki::KeyUsage,
    ) -> Result<(), Error> {
        let checked = self.check(leaf, intermediates, now, usage);
        if checked.is_err() {
            let serial = Identity::of(leaf, self.own_city).map(|identity| identity.serial).ok();
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = serial;
        }
        checked
    }

    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        usage: webpki::KeyUsage,
    ) -> Result<(), Error> {
        let identity = Identity::of(leaf, self.own_city)
            .map_err(|e| refused(Refusal::Identity(e.to_string())))?;
        self.check_chain(&identity, leaf, intermediates, now, usage)?;
        let node = matches!(identity.subject, Subject::Node(_));
        match &self.expected {
            Expected::Nodes if node => Ok(()),
            Expected::People(city) if !node && identity.city == *city => Ok(()),
            Expected::Nodes | Expected::People(_) => {
                Err(refused(Refusal::WrongPort(identity.to_string())))
            }
            Expected::NodeOf(city, nodes) => {
                let one_of = match &identity.subject {
                    Subject::Node(id) => nodes.is_empty() || nodes.contains(id),
                    Subject::Person(..) | Subject::Unnamed => false,
                };
                let (expected, got) = (*city, identity.to_string());
                let right = identity.city == expected && one_of;
                if right { Ok(()) } else { Err(refused(Refusal::WrongCity { expected, got })) }
            }
        }
    }

    /// The chain must lead to a CA of the city that the certificate names.
    fn check_chain(
        &self,
        identity: &Identity,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        usage: webpki::KeyUsage,
    ) -> Result<(), Error> {
        let cas = self.cas.of(identity.city);
        let anchors: Vec<_> =
            cas.iter().filter_map(|ca| webpki::anchor_from_trusted_cert(ca).ok()).collect();
        if anchors.is_empty() {
            return Err(refused(Refusal::NoCa(identity.city)));
        }
        let lists = self.revocations.0.load();
        let owned: Vec<webpki::CertRevocationList<'_>> = lists
            .iter()
            .filter_map(|der| webpki::OwnedCertRevocationList::from_der(der).ok())
            .map(webpki::CertRevocationList::from)
            .collect();
        let lists: Vec<&webpki::CertRevocationList<'_>> = owned.iter().collect();
        // A city without a revocation list is not refused; one with a list is held to it.
        let options = webpki::RevocationOptionsBuilder::new(&lists)
            .ok()
            .map(|b| b.with_status_policy(webpki::UnknownStatusPolicy::Allow).build());
        let end = webpki::EndEntityCert::try_from(leaf).map_err(to_rustls)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        end.verify_for_usage(algorithms, &anchors, intermediates, now, usage, options, None)
            .map(drop)
            .map_err(to_rustls)
    }

    fn verify_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signature, algorithms)
    }
}

/// Names the failures that operators must be able to tell apart; both times stay in the text.
fn to_rustls(error: webpki::Error) -> Error {
    use webpki::Error as E;
    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum; the rest is passed on")]
    let certificate = match error {
        E::CertExpired { time, not_after } => CertificateError::ExpiredContext { time, not_after },
        E::CertNotValidYet { time, not_before } => {
            CertificateError::NotValidYetContext { time, not_before }
        }
        E::CertRevoked => CertificateError::Revoked,
        E::UnknownIssuer => CertificateError::UnknownIssuer,
        E::InvalidSignatureForPublicKey => CertificateError::BadSignature,
        E::RequiredEkuNotFoundContext(_) => CertificateError::InvalidPurpose,
        other => CertificateError::Other(OtherError(Arc::new(other))),
    };
    Error::InvalidCertificate(certificate)
}

const NO_TLS12: &str = "TLS 1.2 is not spoken here";

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(leaf, intermediates, now, webpki::KeyUsage::client_auth())?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General(NO_TLS12.to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge(leaf, intermediates, now, webpki::KeyUsage::server_auth())?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General(NO_TLS12.to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// A certificate chain and its key.
#[derive(Debug)]
pub struct Credentials {
    /// Leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// PKCS#8 key.
    pub key: PrivateKeyDer<'static>,
}

impl Clone for Credentials {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

/// What all configurations of one node share.
#[derive(Clone, Debug)]
pub struct TlsContext {
    /// Own city.
    pub city: CityCode,
    /// CAs of all cities.
    pub cas: CaDirectory,
    /// Revocation lists.
    pub revocations: Revocations,
}

impl TlsContext {
    fn verifier(&self, expected: Expected, hints: Vec<DistinguishedName>) -> Arc<Verifier> {
        self.verifier_with(expected, hints, RefusedSerial::default())
    }

    fn verifier_with(
        &self,
        expected: Expected,
        hints: Vec<DistinguishedName>,
        refused: RefusedSerial,
    ) -> Arc<Verifier> {
        Arc::new(Verifier {
            provider: provider(),
            own_city: self.city,
            expected,
            cas: self.cas.clone(),
            revocations: self.revocations.clone(),
            hints,
            refused,
        })
    }

    /// For the peer port: nodes of the members only.
    ///
    /// # Errors
    /// When the certificate and key do not belong together.
    pub fn peer_server(&self, own: Credentials) -> Result<ServerConfig, Error> {
        finish_server(
            server()?.with_client_cert_verifier(self.verifier(Expected::Nodes, vec![])),
            own,
        )
    }

    /// For the api port: the own city's people and systems only. The hints name the own CAs, so
    /// that browsers find the right certificate.
    ///
    /// # Errors
    /// When the certificate and key do not belong together.
    pub fn api_server(&self, own: Credentials) -> Result<ServerConfig, Error> {
        let subject = |ca: CertificateDer<'_>| {
            let (_, parsed) = x509_parser::parse_x509_certificate(&ca).ok()?;
            Some(DistinguishedName::from(parsed.subject().as_raw().to_vec()))
        };
        let hints = self.cas.of(self.city).into_iter().filter_map(subject).collect();
        let verifier = self.verifier(Expected::People(self.city), hints);
        finish_server(server()?.with_client_cert_verifier(verifier), own)
    }

    /// For dialling a member: only its nodes answer.
    ///
    /// # Errors
    /// When the certificate and key do not belong together.
    pub fn peer_client(
        &self,
        own: Credentials,
        city: CityCode,
        nodes: &[NodeId],
        refused: RefusedSerial,
    ) -> Result<ClientConfig, Error> {
        let expected = Expected::NodeOf(city, nodes.to_vec());
        let verifier = self.verifier_with(expected, vec![], refused);
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_auth_cert(own.chain, own.key)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        config.resumption = rustls::client::Resumption::disabled();
        config.enable_sni = false;
        Ok(config)
    }
}

/// For an address that is no member's, such as that of a robot: any of these CAs may speak for it,
/// and nobody speaks for us. CAs that cannot be read are left out.
///
/// # Errors
/// When none of them can be read.
pub fn client_of_the_web(cas: Vec<CertificateDer<'static>>) -> Result<ClientConfig, Error> {
    let mut roots = rustls::RootCertStore::empty();
    if roots.add_parsable_certificates(cas).0 == 0 {
        return Err(Error::General("none of the CA certificates can be read".to_owned()));
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

fn server() -> Result<ConfigBuilder<ServerConfig, rustls::WantsVerifier>, Error> {
    ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13])
}

fn finish_server(
    builder: ConfigBuilder<ServerConfig, WantsServerCert>,
    own: Credentials,
) -> Result<ServerConfig, Error> {
    let mut config = builder.with_single_cert(own.chain, own.key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}

/// Whether a certificate was issued by a CA that `liandong pki` made for trying out.
#[must_use]
pub fn is_trial(der: &CertificateDer<'_>) -> bool {
    let Ok((_, parsed)) = x509_parser::parse_x509_certificate(der) else { return false };
    let mut organisations = parsed.issuer().iter_organization();
    organisations.any(|o| o.as_str().is_ok_and(|o| o == TRIAL_ORGANISATION))
}
