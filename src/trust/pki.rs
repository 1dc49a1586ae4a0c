//! Certificates for trying out: a CA a city, nodes, officers, systems.
//!
//! CAs made here name themselves in their subject, so that `serve --production` can refuse them.

use std::net::IpAddr;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SanType, SerialNumber,
};
use time::{Duration, OffsetDateTime};

use super::spiffe::{self, Role};
use super::tls::TRIAL_ORGANISATION;
use crate::ids::{CityCode, NodeId};

/// Validity of a trial CA, days.
const CA_DAYS: i64 = 3650;
/// Validity of certificates it issues, days.
const LEAF_DAYS: i64 = 825;

/// How long a trial revocation list may be used, days; a node takes an older one all the same.
const CRL_DAYS: i64 = 3650;

/// Why a certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// rcgen said no.
    #[error("could not make a certificate")]
    Rcgen(#[from] rcgen::Error),
    /// A name has characters a certificate cannot carry.
    #[error("{0} cannot stand in a certificate")]
    Name(String),
}

/// A certificate and its key, both PEM.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The certificate.
    pub cert_pem: String,
    /// Its PKCS#8 key.
    pub key_pem: String,
    /// The certificate's DER.
    pub cert_der: Vec<u8>,
}

fn params(common_name: &str, days: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name.push(DnType::OrganizationName, TRIAL_ORGANISATION);
    params.distinguished_name = name;
    let now = OffsetDateTime::now_utc();
    // An hour of grace for clocks that are behind.
    params.not_before = now - Duration::hours(1);
    params.not_after = now + Duration::days(days);
    params.use_authority_key_identifier_extension = true;
    params
}

/// A trial CA for a city.
///
/// # Errors
/// [`PkiError`].
pub fn issue_ca(city: CityCode) -> Result<Issued, PkiError> {
    let key = KeyPair::generate()?;
    let mut params = params(&format!("{city} CA"), CA_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let cert = params.self_signed(&key)?;
    Ok(Issued { cert_pem: cert.pem(), key_pem: key.serialize_pem(), cert_der: cert.der().to_vec() })
}

fn sign(ca: &Issued, mut params: CertificateParams, uri: &str) -> Result<Issued, PkiError> {
    let name = || PkiError::Name(uri.to_owned());
    params.subject_alt_names.push(SanType::URI(uri.try_into().map_err(|_| name())?));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let ca_key = KeyPair::from_pem(&ca.key_pem)?;
    let issuer = Issuer::from_ca_cert_pem(&ca.cert_pem, ca_key)?;
    let key = KeyPair::generate()?;
    let cert = params.signed_by(&key, &issuer)?;
    Ok(Issued { cert_pem: cert.pem(), key_pem: key.serialize_pem(), cert_der: cert.der().to_vec() })
}

/// A node's certificate, for both ports and for dialling.
///
/// # Errors
/// [`PkiError`].
pub fn issue_node(
    ca: &Issued,
    city: CityCode,
    node: NodeId,
    dns: &[String],
    ips: &[IpAddr],
) -> Result<Issued, PkiError> {
    let mut params = params(&format!("{city} node"), LEAF_DAYS);
    for name in dns {
        let san = name.as_str().try_into().map_err(|_| PkiError::Name(name.clone()))?;
        params.subject_alt_names.push(SanType::DnsName(san));
    }
    params.subject_alt_names.extend(ips.iter().map(|ip| SanType::IpAddress(*ip)));
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    sign(ca, params, &spiffe::node_uri(city, node))
}

/// A certificate for a person or system.
///
/// # Errors
/// [`PkiError`].
pub fn issue_person(ca: &Issued, city: CityCode, role: Role, id: &str) -> Result<Issued, PkiError> {
    let uri = spiffe::person_uri(city, role, id);
    if spiffe::parse_uri(&uri).is_err() {
        return Err(PkiError::Name(id.to_owned()));
    }
    let mut params = params(id, LEAF_DAYS);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    sign(ca, params, &uri)
}

/// A revocation list of a trial CA that names these serial numbers.
///
/// # Errors
/// [`PkiError`].
pub fn issue_crl(ca: &Issued, serials: &[Vec<u8>]) -> Result<String, PkiError> {
    let issuer = Issuer::from_ca_cert_pem(&ca.cert_pem, KeyPair::from_pem(&ca.key_pem)?)?;
    let now = OffsetDateTime::now_utc();
    let revoked = |serial: &Vec<u8>| RevokedCertParams {
        serial_number: SerialNumber::from_slice(serial),
        revocation_time: now,
        reason_code: None,
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: now - Duration::hours(1),
        next_update: now + Duration::days(CRL_DAYS),
        crl_number: SerialNumber::from(u64::try_from(now.unix_timestamp()).unwrap_or(0)),
        issuing_distribution_point: None,
        revoked_certs: serials.iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    Ok(params.signed_by(&issuer)?.pem()?)
}
