//! Whether the node that answered is one of the city we meant to call.
//!
//! In scope: the certificate chain up to the city's own CA and the SPIFFE id in the certificate.
//! Out of scope: host names, which are not looked at, so nodes may move.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};

use crate::ids::CityCode;

/// Why the certificate of the node that answered was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerRefused {
    /// The chain does not lead to a CA on file, is expired or not meant for servers.
    #[error("the certificate chain is not acceptable")]
    Chain(#[source] webpki::Error),
    /// No single `spiffe://<city>/node/<uuid>` in it.
    #[error("the certificate is not a node's: {found:?}")]
    NotANode {
        /// The URIs it carries.
        found: Vec<String>,
    },
    /// A node of another city.
    #[error("expected a node of {expected}, got one of {got}")]
    WrongCity {
        /// Whom we meant.
        expected: CityCode,
        /// Who answered.
        got: CityCode,
    },
}

/// A SPIFFE id `spiffe://<city>/<kind>/<id>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The city.
    pub city: CityCode,
    /// `node`, `coordinator`, `inspector`, `system`, `auditor` or `admin`.
    pub kind: String,
    /// What follows.
    pub id: String,
}

impl Identity {
    /// Reads an id; `None` when it is no SPIFFE id of this shape.
    #[must_use]
    pub fn parse(uri: &str) -> Option<Self> {
        let (city, path) = uri.strip_prefix("spiffe://")?.split_once('/')?;
        let (kind, id) = path.split_once('/')?;
        if id.is_empty() || id.contains('/') {
            return None;
        }
        Some(Self { city: CityCode::parse(city).ok()?, kind: kind.to_owned(), id: id.to_owned() })
    }

    /// The one SPIFFE id of a certificate; `None` when there is none or more than one.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        match uris(certificate).as_slice() {
            [one] => Self::parse(one),
            _ => None,
        }
    }
}

fn uris(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(leaf) = webpki::EndEntityCert::try_from(certificate) else { return Vec::new() };
    let uris = leaf.valid_uri_names();
    uris.filter(|uri| uri.starts_with("spiffe://")).map(str::to_owned).collect()
}

/// Takes nodes of one city, under the CAs on file, and nobody else.
#[derive(Debug)]
pub struct CityNode {
    city: CityCode,
    anchors: Vec<TrustAnchor<'static>>,
    provider: Arc<CryptoProvider>,
}

impl CityNode {
    /// A verifier for nodes of `city` under `anchors`.
    #[must_use]
    pub fn new(
        city: CityCode,
        anchors: Vec<TrustAnchor<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Self {
        Self { city, anchors, provider }
    }

    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), ServerRefused> {
        let parsed = webpki::EndEntityCert::try_from(leaf).map_err(ServerRefused::Chain)?;
        parsed
            .verify_for_usage(
                self.provider.signature_verification_algorithms.all,
                &self.anchors,
                intermediates,
                now,
                webpki::KeyUsage::server_auth(),
                None,
                None,
            )
            .map_err(ServerRefused::Chain)?;
        match Identity::of(leaf) {
            Some(Identity { city, kind, .. }) if kind == "node" => {
                let (expected, got) = (self.city, city);
                if got == expected {
                    Ok(())
                } else {
                    Err(ServerRefused::WrongCity { expected, got })
                }
            }
            Some(_) | None => Err(ServerRefused::NotANode { found: uris(leaf) }),
        }
    }
}

impl ServerCertVerifier for CityNode {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.check(end_entity, intermediates, now)
            .map(|()| ServerCertVerified::assertion())
            .map_err(|refused| CertificateError::Other(OtherError(Arc::new(refused))).into())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::PeerIncompatible::Tls13RequiredForQuic.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_has_three_parts() {
        let id = Identity::parse("spiffe://130400/node/abc").unwrap();
        assert_eq!((id.city.as_u32(), id.kind.as_str(), id.id.as_str()), (130_400, "node", "abc"));
        for bad in [
            "spiffe://130400/node",
            "spiffe://1304/node/a",
            "https://130400/node/a",
            "spiffe://130400/node/a/b",
            "spiffe://130400/node/",
        ] {
            assert_eq!(Identity::parse(bad), None, "{bad}");
        }
    }
}
