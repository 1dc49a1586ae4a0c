//! The stream's floor: bytes over one TLS 1.3 connection on loopback, nothing else done with them.
//!
//! In scope: what encryption and the kernel take. Out of scope: HTTP/2, gRPC, nodes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::disk::mib_per_second;
use crate::cli::failure::Failure;

/// Written at a time, bytes.
const PIECE: usize = 256 * 1024;

fn wrong(error: impl std::fmt::Display) -> Failure {
    Failure::local(format!("TLS: {error}"))
}

/// Mebibytes a second through one connection, with the certificates of a city's folder.
pub async fn stream_mib_per_second(certs: &Path, time: Duration) -> Result<f64, Failure> {
    let (server, client) = configs(certs)?;
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(wrong)?;
    let address = listener.local_addr().map_err(wrong)?;
    let receiving = tokio::spawn(receive(listener, TlsAcceptor::from(Arc::new(server))));
    let tcp = TcpStream::connect(address).await.map_err(wrong)?;
    let name = ServerName::try_from("localhost").map_err(wrong)?;
    let connector = TlsConnector::from(Arc::new(client));
    let mut stream = connector.connect(name, tcp).await.map_err(wrong)?;
    let piece: Vec<u8> = (0..=250_u8).cycle().take(PIECE).collect();
    let begun = Instant::now();
    while begun.elapsed() < time {
        stream.write_all(&piece).await.map_err(wrong)?;
    }
    stream.shutdown().await.map_err(wrong)?;
    let received = receiving.await.map_err(wrong)?.map_err(wrong)?;
    Ok(mib_per_second(received, begun.elapsed()))
}

async fn receive(listener: TcpListener, acceptor: TlsAcceptor) -> std::io::Result<u64> {
    let (tcp, _) = listener.accept().await?;
    let mut stream = acceptor.accept(tcp).await?;
    let (mut piece, mut all) = (vec![0; PIECE], 0);
    loop {
        let got = stream.read(&mut piece).await?;
        if got == 0 {
            return Ok(all);
        }
        all += u64::try_from(got).unwrap_or(0);
    }
}

fn configs(certs: &Path) -> Result<(ServerConfig, ClientConfig), Failure> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain = vec![CertificateDer::from_pem_file(certs.join("node.pem")).map_err(wrong)?];
    let key = PrivateKeyDer::from_pem_file(certs.join("node.key")).map_err(wrong)?;
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(wrong)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(wrong)?;
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_file(certs.join("ca.pem")).map_err(wrong)?;
    roots.add(ca).map_err(wrong)?;
    let client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(wrong)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok((server, client))
}
