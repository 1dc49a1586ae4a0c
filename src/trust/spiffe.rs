//! Identities: who a certificate says it is, read from the one SPIFFE id in its SAN.
//!
//! `spiffe://<city>/node/<uuid>` and `spiffe://<city>/<role>/<id>`. In scope: reading. Out of
//! scope: whether the certificate is genuine ([`crate::trust::tls`]).

use std::fmt;

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::ids::{CityCode, Hash, NodeId, hex};
use crate::log::merkle::digest;

/// Longest id of a person or system.
const ID_MAX: usize = 64;

/// Why a certificate names nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// It is no certificate.
    #[error("not a certificate")]
    NotACertificate,
    /// No SPIFFE id, or more than one.
    #[error("the certificate names {0} SPIFFE ids, expected one")]
    Count(usize),
    /// The SPIFFE id is not of our form.
    #[error("the SPIFFE id is not of the form spiffe://<city>/<kind>/<id>")]
    Form,
}

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Plans joint work and moves cases.
    Coordinator,
    /// A certified officer in the field.
    Inspector,
    /// An enforcement system of the city.
    System,
    /// Reads only.
    Auditor,
    /// Runs the node.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] =
        [Self::Coordinator, Self::Inspector, Self::System, Self::Auditor, Self::Admin];

    /// Its name in SPIFFE ids and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::Inspector => "inspector",
            Self::System => "system",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// Reads its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// A node, or somebody with a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A node.
    Node(NodeId),
    /// A person or system.
    Person(Role, String),
    /// A certificate without a SPIFFE id; `people.toml` may know it.
    Unnamed,
}

/// Who a certificate says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The city; of an unnamed certificate, the city of the port it came to.
    pub city: CityCode,
    /// A node, or somebody with a role.
    pub subject: Subject,
    /// Serial number, lower-case hexadecimal.
    pub serial: String,
    /// SHA-256 of the issuer's name as it stands in the certificate.
    pub issuer: Hash,
    /// Last moment of validity, seconds since 1970-01-01 UTC.
    pub not_after_s: i64,
}

impl Identity {
    /// Reads a leaf certificate. One without any URI is [`Subject::Unnamed`], of `own_city`.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn of(leaf: &CertificateDer<'_>, own_city: CityCode) -> Result<Self, IdentityError> {
        let (_, parsed) =
            X509Certificate::from_der(leaf).map_err(|_| IdentityError::NotACertificate)?;
        let end =
            webpki::EndEntityCert::try_from(leaf).map_err(|_| IdentityError::NotACertificate)?;
        let uris: Vec<&str> =
            end.valid_uri_names().filter(|uri| uri.starts_with("spiffe://")).collect();
        let (city, subject) = match uris.as_slice() {
            [] => (own_city, Subject::Unnamed),
            [uri] => parse_uri(uri)?,
            more => return Err(IdentityError::Count(more.len())),
        };
        Ok(Self {
            city,
            subject,
            serial: hex(parsed.raw_serial()),
            issuer: digest(parsed.issuer().as_raw()),
            not_after_s: parsed.validity().not_after.timestamp(),
        })
    }

    /// The stable name within the city, such as `coordinator/zhang` or `node/<uuid>`.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.subject {
            Subject::Node(node) => format!("node/{node}"),
            Subject::Person(role, id) => format!("{}/{id}", role.name()),
            Subject::Unnamed => format!("certificate/{}/{}", self.issuer, self.serial),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.city, self.name())
    }
}

/// Reads a SPIFFE id.
///
/// # Errors
/// [`IdentityError::Form`].
pub fn parse_uri(uri: &str) -> Result<(CityCode, Subject), IdentityError> {
    let parts: Vec<&str> =
        uri.strip_prefix("spiffe://").ok_or(IdentityError::Form)?.split('/').collect();
    let [city, kind, id] = parts.as_slice() else { return Err(IdentityError::Form) };
    let city = CityCode::parse(city).map_err(|_| IdentityError::Form)?;
    if !is_plain_id(id) {
        return Err(IdentityError::Form);
    }
    if *kind == "node" {
        let uuid = uuid::Uuid::parse_str(id).map_err(|_| IdentityError::Form)?;
        return Ok((city, Subject::Node(NodeId::new(*uuid.as_bytes()))));
    }
    let role = Role::parse(kind).ok_or(IdentityError::Form)?;
    Ok((city, Subject::Person(role, (*id).to_owned())))
}

/// Whether a text can be the id of a person or system.
#[must_use]
pub fn is_plain_id(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=ID_MAX).contains(&id.len()) && id.chars().all(plain)
}

/// The SPIFFE id of a node.
#[must_use]
pub fn node_uri(city: CityCode, node: NodeId) -> String {
    format!("spiffe://{city}/node/{}", uuid::Uuid::from_bytes(*node.as_bytes()))
}

/// The SPIFFE id of a person or system.
#[must_use]
pub fn person_uri(city: CityCode, role: Role, id: &str) -> String {
    format!("spiffe://{city}/{}/{id}", role.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spiffe_ids_are_of_one_form() {
        let city = CityCode::parse("371500").unwrap();
        let node = NodeId::new([3; 16]);
        assert_eq!(parse_uri(&node_uri(city, node)).unwrap(), (city, Subject::Node(node)));
        for role in Role::ALL {
            let uri = person_uri(city, role, "zhang.san-1");
            let want = Subject::Person(role, "zhang.san-1".to_owned());
            assert_eq!(parse_uri(&uri).unwrap(), (city, want));
        }
        for bad in [
            "http://371500/admin/a",
            "spiffe://371500/admin",
            "spiffe://371500/admin/",
            "spiffe://371500/admin/a/b",
            "spiffe://371500/root/a",
            "spiffe://371522/admin/a",
            "spiffe://371500/node/a",
            "spiffe://371500/admin/张三",
        ] {
            assert_eq!(parse_uri(bad), Err(IdentityError::Form), "{bad}");
        }
    }
}
