//! Dialling real TLS listeners: each way to fail is told apart.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::cli::dial_error::Step;

struct Ca {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

struct Leaf {
    pem: String,
    key: KeyPair,
}

fn ca() -> Ca {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).unwrap().pem();
    Ca { pem, issuer: Issuer::new(params, key) }
}

fn leaf(ca: &Ca, uri: &str, expired: bool) -> Leaf {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    if expired {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    }
    let pem = params.signed_by(&key, &ca.issuer).unwrap().pem();
    Leaf { pem, key }
}

/// A listener that shows `node` and wants clients of `clients`.
async fn listen(node: &Leaf, clients: &Ca) -> String {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(clients.pem.as_bytes()).unwrap()).unwrap();
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
        Arc::new(roots),
        Arc::clone(&provider),
    );
    let certs = vec![CertificateDer::from_pem_slice(node.pem.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(node.key.serialize_pem().as_bytes()).unwrap();
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(certs, key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let _ = acceptor.accept(tcp).await; // Then hang up, as a refusing node does.
        }
    });
    address
}

fn profile(folder: &Path, api: &str, ca: &Ca, own: &Leaf) -> Profile {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    Profile {
        api: api.to_owned(),
        cert: write("own.pem", &own.pem),
        key: write("own.key", &own.key.serialize_pem()),
        ca: write("ca.pem", &ca.pem),
        city: None,
        timeout_s: 5,
    }
}

async fn dial(profile: &Profile) -> Result<(), DialError> {
    let dialler = Dialler::new(profile, Lang::Zh).unwrap();
    let tcp = dialler.tcp().await?;
    dialler.tls(tcp).await.map(|_| ())
}

#[tokio::test]
async fn the_nodes_certificate_is_checked_and_the_reason_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (ca(), ca());
    let own = leaf(&ours, "spiffe://371500/system/a", false);
    let node = "spiffe://371500/node/0198f3c2-6d1e-7a40-8f55-3b1c9a2e7d10";

    let api = listen(&leaf(&ours, node, false), &ours).await;
    assert_eq!(dial(&profile(folder.path(), &api, &ours, &own)).await, Ok(()));

    let rows = [
        (leaf(&other, node, false), "Untrusted"),
        (leaf(&ours, node, true), "Term"),
        (leaf(&ours, "spiffe://371500/system/b", false), "NotANode"),
        (leaf(&ours, "spiffe://130400/node/c", false), "WrongCity"),
    ];
    for (shown, want) in rows {
        let api = listen(&shown, &ours).await;
        let error = dial(&profile(folder.path(), &api, &ours, &own)).await.unwrap_err();
        assert_eq!(error.step(), Step::Certificate);
        assert!(format!("{error:?}").starts_with(want), "{want}: {error:?}");
    }
}

#[tokio::test]
async fn a_node_that_refuses_us_is_not_taken_for_a_network_failure() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (ca(), ca());
    let node = leaf(&ours, "spiffe://371500/node/a", false);
    let api = listen(&node, &ours).await;
    let stranger = leaf(&other, "spiffe://371500/system/a", false);
    let profile = profile(folder.path(), &api, &ours, &stranger);
    let failure = Client::open(&profile, Lang::Zh).await.err().unwrap();
    assert_eq!(failure.reason, "CONNECT_CERTIFICATE", "{failure:?}");
}

#[tokio::test]
async fn nobody_there_and_no_tls_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let ours = ca();
    let own = leaf(&ours, "spiffe://371500/system/a", false);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = listener.local_addr().unwrap().to_string();
    drop(listener);
    let profile = |api: &str| profile(folder.path(), api, &ours, &own);
    assert_eq!(dial(&profile(&api)).await, Err(DialError::NobodyThere));
    assert!(matches!(dial(&profile("no port")).await, Err(DialError::Address(_))));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            use tokio::io::AsyncWriteExt;
            let _ = tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    assert!(matches!(dial(&profile(&api)).await, Err(DialError::NotTls(_))));
}
