//! The TLS files of a node, read together: they are used all or none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use crate::cli::failure::Failure;
use crate::config::{Config, Port};
use crate::ids::{Hash, hex};
use crate::lang::Lang;
use crate::log::merkle::digest;
use crate::trust::people::plain_serial;
use crate::trust::spiffe::{Identity, Subject};
use crate::trust::tls::{self, Credentials};

/// Everything the ports and the dialler need from files.
#[derive(Clone, Debug)]
pub(super) struct Files {
    /// Certificate and key of the peer port, also for dialling.
    pub peer: Credentials,
    /// Certificate and key of the api port.
    pub api: Credentials,
    /// The own CAs as members see them.
    pub peer_cas: Vec<CertificateDer<'static>>,
    /// The CAs of the own people and systems.
    pub api_cas: Vec<CertificateDer<'static>>,
    /// Revocation lists of both ports.
    pub lists: Vec<CertificateRevocationListDer<'static>>,
}

impl Files {
    /// Reads and checks all files.
    ///
    /// # Errors
    /// [`Failure`] naming the first file that cannot be used.
    pub fn read(config: &Config, production: bool, lang: Lang) -> Result<Self, Failure> {
        let files = Self {
            peer: credentials(&config.peer)?,
            api: credentials(&config.api)?,
            peer_cas: certificates(&config.peer.ca)?,
            api_cas: certificates(&config.api.ca)?,
            lists: revocation_lists(config)?,
        };
        let mut own = files.peer.chain.iter().chain(&files.api.chain);
        if production && own.any(tls::is_trial) {
            return Err(Failure::local(lang.pick(
                "证书由 liandong pki 签发，仅供试用；请换用正式证书，或去掉 --production",
                "the certificate was made by `liandong pki` for trying out; use another",
            )));
        }
        files.check_node(config, lang)?;
        Ok(files)
    }

    /// The node's certificate must name this city and this node: members look for both.
    fn check_node(&self, config: &Config, lang: Lang) -> Result<(), Failure> {
        let leaf = self.peer.chain.first();
        let identity = leaf.and_then(|leaf| Identity::of(leaf, config.city).ok());
        let got = identity.as_ref().map_or_else(String::new, Identity::to_string);
        let right = identity.is_some_and(|identity| {
            identity.city == config.city && identity.subject == Subject::Node(config.node)
        });
        if right {
            return Ok(());
        }
        let shown = config.peer.cert.display();
        let (city, node) = (config.city, uuid::Uuid::from_bytes(*config.node.as_bytes()));
        Err(Failure::local(lang.pick(
            format!("{shown}：证书写的是“{got}”，不是 {city} 的节点 {node}"),
            format!("{shown}: the certificate names {got:?}, not node {node} of {city}"),
        ))
        .advise(lang.pick(
            "liandong.toml 的 city、node 须与节点证书一致",
            "city and node in liandong.toml must be those of the node's certificate",
        )))
    }

    /// Certificates whose end people must know of: what they are, last moment in seconds since
    /// 1970-01-01 UTC.
    pub fn ends(&self, config: &Config) -> Vec<(String, i64)> {
        let name = |path: &Path| path.display().to_string();
        let mut ends = Vec::new();
        for (port, own) in [(&config.peer, &self.peer), (&config.api, &self.api)] {
            ends.extend(own.chain.first().and_then(not_after).map(|end| (name(&port.cert), end)));
        }
        let cas = config.peer.ca.iter().map(|path| name(path)).zip(&self.peer_cas);
        ends.extend(cas.filter_map(|(name, ca)| Some((name, not_after(ca)?))));
        ends.sort();
        ends.dedup();
        ends
    }

    /// Revoked certificates: hash of the issuer's name, serial number in its plain form.
    pub fn revoked(&self) -> BTreeSet<(Hash, String)> {
        let mut revoked = BTreeSet::new();
        for der in &self.lists {
            let Ok((_, list)) = CertificateRevocationList::from_der(der) else { continue };
            let issuer = digest(list.issuer().as_raw());
            for one in list.iter_revoked_certificates() {
                revoked.insert((issuer, plain_serial(&hex(one.raw_serial()))));
            }
        }
        revoked
    }
}

fn not_after(der: &CertificateDer<'_>) -> Option<i64> {
    let (_, cert) = X509Certificate::from_der(der).ok()?;
    Some(cert.validity().not_after.timestamp())
}

/// A digest over what lies in the files now; a file that cannot be read counts as such.
pub(super) fn digest_of(config: &Config) -> Hash {
    let mut all = Vec::new();
    for port in [&config.peer, &config.api] {
        let paths = [&port.cert, &port.key].into_iter().chain(&port.ca).chain(&port.crl);
        for path in paths {
            let bytes = std::fs::read(path).unwrap_or_default();
            all.extend_from_slice(digest(&bytes).as_bytes());
        }
    }
    digest(&all)
}

fn bad(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::local(format!("{}: {error}", path.display()))
}

fn certificates(files: &[PathBuf]) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let mut all = Vec::new();
    for path in files {
        let before = all.len();
        for cert in CertificateDer::pem_file_iter(path).map_err(|e| bad(path, &e))? {
            let cert = cert.map_err(|e| bad(path, &e))?;
            X509Certificate::from_der(&cert).map_err(|e| bad(path, &e))?;
            all.push(cert);
        }
        if all.len() == before {
            return Err(bad(path, &"no certificate in it"));
        }
    }
    Ok(all)
}

fn revocation_lists(
    config: &Config,
) -> Result<Vec<CertificateRevocationListDer<'static>>, Failure> {
    let mut all = Vec::new();
    for path in config.peer.crl.iter().chain(&config.api.crl) {
        let before = all.len();
        let lists = CertificateRevocationListDer::pem_file_iter(path).map_err(|e| bad(path, &e))?;
        for list in lists {
            let list = list.map_err(|e| bad(path, &e))?;
            CertificateRevocationList::from_der(&list).map_err(|e| bad(path, &e))?;
            all.push(list);
        }
        // An empty file is half a file: taken as it is, it would let everybody in again.
        if all.len() == before {
            return Err(bad(path, &"no revocation list in it"));
        }
    }
    // Both ports usually name the same list.
    all.sort_by(|a, b| a.as_ref().cmp(b.as_ref()));
    all.dedup();
    Ok(all)
}

fn credentials(port: &Port) -> Result<Credentials, Failure> {
    let key = PrivateKeyDer::from_pem_file(&port.key).map_err(|e| bad(&port.key, &e))?;
    Ok(Credentials { chain: certificates(std::slice::from_ref(&port.cert))?, key })
}
