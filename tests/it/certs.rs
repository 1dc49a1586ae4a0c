//! Certificates nobody should have, and a knock at a port with one of them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use liandong::trust::pki::Issued;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose as Usage, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use time::{Duration, OffsetDateTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A certificate and its key, PEM.
#[derive(Debug)]
pub struct Pair {
    pub cert: String,
    pub key: String,
}

impl Pair {
    /// `certs/<name>.pem` and its key in a city's folder.
    pub fn load(folder: &Path, name: &str) -> Self {
        let read = |end: &str| {
            std::fs::read_to_string(folder.join("certs").join(format!("{name}.{end}"))).unwrap()
        };
        Self { cert: read("pem"), key: read("key") }
    }

    pub fn write(&self, folder: &Path, name: &str) {
        std::fs::write(folder.join(format!("{name}.pem")), &self.cert).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), &self.key).unwrap();
    }
}

/// What a certificate says.
#[derive(Clone, Debug)]
pub struct Leaf {
    pub uri: Option<String>,
    pub usages: Vec<Usage>,
    /// Validity in hours from now.
    pub hours: (i64, i64),
}

impl Leaf {
    pub fn client(uri: &str) -> Self {
        Self { uri: Some(uri.to_owned()), usages: vec![Usage::ClientAuth], hours: (-1, 24) }
    }

    pub fn node(uri: &str) -> Self {
        Self { usages: vec![Usage::ServerAuth, Usage::ClientAuth], ..Self::client(uri) }
    }

    fn params(&self) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "test");
        if let Some(uri) = &self.uri {
            params.subject_alt_names.push(SanType::URI(uri.as_str().try_into().unwrap()));
        }
        let now = OffsetDateTime::now_utc();
        params.not_before = now + Duration::hours(self.hours.0);
        params.not_after = now + Duration::hours(self.hours.1);
        params.extended_key_usages = self.usages.clone();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params
    }

    pub fn self_signed(&self) -> Pair {
        let key = KeyPair::generate().unwrap();
        let cert = self.params().self_signed(&key).unwrap();
        Pair { cert: cert.pem(), key: key.serialize_pem() }
    }
}

/// A CA: a city's own, or one nobody knows.
pub struct Ca(Issuer<'static, KeyPair>);

impl Ca {
    /// The CA in a folder of certificates.
    pub fn load(certs: &Path) -> Self {
        let read = |name: &str| std::fs::read_to_string(certs.join(name)).unwrap();
        let key = KeyPair::from_pem(&read("ca.key")).unwrap();
        Self(Issuer::from_ca_cert_pem(&read("ca.pem"), key).unwrap())
    }

    /// A CA as `liandong pki` makes them.
    pub fn issued(ca: &Issued) -> Self {
        let key = KeyPair::from_pem(&ca.key_pem).unwrap();
        Self(Issuer::from_ca_cert_pem(&ca.cert_pem, key).unwrap())
    }

    pub fn unknown() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(Issuer::new(params, KeyPair::generate().unwrap()))
    }

    pub fn issue(&self, leaf: &Leaf) -> Pair {
        let key = KeyPair::generate().unwrap();
        let cert = leaf.params().signed_by(&key, &self.0).unwrap();
        Pair { cert: cert.pem(), key: key.serialize_pem() }
    }
}

/// Takes whatever the server shows: these tests are about what the server takes.
#[derive(Debug)]
struct Anything;

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Shakes hands and says hello in HTTP/2; `Ok` when the server answers, else what it said.
pub async fn knock(address: SocketAddr, with: Option<&Pair>) -> Result<(), String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anything));
    let mut config = match with {
        Some(pair) => {
            let chain = CertificateDer::pem_slice_iter(pair.cert.as_bytes());
            let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain.map(Result::unwrap).collect(), key).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tcp = TcpStream::connect(address).await.map_err(|e| e.to_string())?;
    let name = ServerName::try_from("node.test").unwrap();
    let connect = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp);
    let mut stream = connect.await.map_err(|e| e.to_string())?;
    // The client's preface and empty settings; in TLS 1.3 a refusal shows only now.
    let hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
    let _ = stream.write_all(hello).await;
    let _ = stream.flush().await;
    let mut header = [0; 9];
    stream.read_exact(&mut header).await.map(drop).map_err(|e| e.to_string())
}
